"""Whether this machine has room: asked by writing, since quotas and limits are seen in no number."""

import os
import tempfile

from django.conf import settings

#: bytes that a house needs to go on for a moment: some pages of the database, a picture
PROBE = 256 * 1024


def can_write() -> bool:
    """Whether a file of PROBE bytes can be written in the state folder; nothing of it stays."""
    try:
        with tempfile.TemporaryFile(dir=settings.HOME) as file:
            file.write(os.urandom(PROBE))
            file.flush()
        return True
    except OSError:
        return False
