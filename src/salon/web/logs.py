"""What is logged, without what opens doors: the tokens of private links, one-time links and devices are blotted out
whoever logs them (Django does so with every 4xx and 5xx, a traceback with the address in it), at whatever status."""

import logging
import re

#: where a token begins: after these parts of a path (every route with a `<str:token>`; a test compares), or in a query
_BEARER = re.compile(
    r"((?:/|%2f)(?:enter|take|you|reviewers|places(?:/|%2f)mine)(?:/|%2f|\s)+|[?&](?:key|code|token)=)[^\s/?&#\"'<>]+",
    re.IGNORECASE,
)


def discreet(text: str) -> str:
    """The text with every token in it blotted out."""
    return _BEARER.sub(r"\1…", text)


class Discreet(logging.Formatter):
    """Lines and tracebacks without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record))
