"""The supervisor and dispatcher: `run` opens the house and keeps it open."""

from pathlib import Path


def run(port: int = 8000, host: str = "127.0.0.1", home: Path | str | None = None, https: bool = False) -> int:
    """Serves until SIGINT or SIGTERM; 0 after a graceful stop. Raises AlreadyRunning (state folder or port taken).

    `home` is the state folder (default: SALON_HOME, else the default of salon.core.home). On all addresses
    ("0.0.0.0") codes and links for others name this machine's address on its network, unless SALON_PUBLIC_URL is set.
    """
    from salon.desk.house import open_house  # lazy: Django must find its settings first

    return open_house(port, host, home, https)
