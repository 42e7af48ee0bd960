"""Limits of the system that a house outgrows on its first busy day."""

import resource

#: open files wanted at once: every connection of a visitor is one
FILES = 65_536


def raise_open_files(wanted: int = FILES) -> int:
    """Raises this process's soft limit of open files towards its hard one; the limit that holds then. Many systems
    begin with 1,024, or 256, though they allow more to whoever asks. Children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    while soft != resource.RLIM_INFINITY and most > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
        except (ValueError, OSError):  # macOS says that there is no limit, and has one
            most //= 2
    return soft if soft != resource.RLIM_INFINITY else wanted
