"""Whether this machine has room: asked by writing, since quotas and limits are seen in no number."""

import os
import tempfile
import threading
import time

from django.conf import settings

#: bytes that a house needs to go on for a moment: some pages of the database, a picture
PROBE = 256 * 1024
#: seconds that an answer holds: anybody may ask for /healthz, as often as they like
HOLDS = 1.0
_lock = threading.Lock()
_last = (float("-inf"), True)


def can_write() -> bool:
    """Whether a file of PROBE bytes can be written in the state folder, or could a moment ago; nothing of it stays."""
    global _last
    with _lock:
        if time.monotonic() - _last[0] >= HOLDS:
            _last = (time.monotonic(), _written())
        return _last[1]


def _written() -> bool:
    try:
        with tempfile.TemporaryFile(dir=settings.HOME) as file:
            file.write(os.urandom(PROBE))
            file.flush()
        return True
    except OSError:
        return False
