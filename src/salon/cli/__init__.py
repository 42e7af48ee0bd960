"""The front door: `salon ...`. One file a group of commands; what a command needs is imported when it runs, so that
`salon --help` answers at once and a command that needs no torch never meets it."""

import argparse
import os
import sys
from importlib.metadata import version

from salon.cli import audit, clip, demo, draw, findings, judge, mail, mend, models, run, train, world
from salon.core.errors import SalonError
from salon.core.home import OTHERS

ABOUT = "A self-hosted platform for a generative-art day: draw, look inside, compare, hang, measure, mend."


def parser() -> argparse.ArgumentParser:
    """The whole command line; every command sets `command`, a function of the parsed arguments."""
    top = argparse.ArgumentParser("salon", description=ABOUT)
    top.add_argument("--version", action="version", version=f"latent-salon {version('latent-salon')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (run, demo, draw, models, world, train, judge, audit, clip, findings, mail, mend):
        group.add_to(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 done, 2 refused or impossible, 130 interrupted, 1 an error of ours. Never a traceback,
    unless SALON_DEBUG is set."""
    arguments = parser().parse_args(argv)
    os.umask(OTHERS)  # what a command writes is its owner's: pictures have people's words in them
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()
        return int(code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone (`salon world words | head`): say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("SALON_DEBUG"):
            raise
        print(f"salon: {_sentence(error)}", file=sys.stderr)
        return 2 if isinstance(error, SalonError | OSError) else 1


def _sentence(error: Exception) -> str:
    if isinstance(error, SalonError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"{error.strerror}."
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"This should not have happened ({what}). Run it again with SALON_DEBUG=1 to see where."
