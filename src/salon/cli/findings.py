"""`salon findings`: the register as a file."""

import argparse
from pathlib import Path

from salon.cli.demo import open_house


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon findings export`."""
    group = commands.add_parser("findings", help="the register of what should not have come out")
    inner = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    text = "write the findings of the current event, one row each, without the withdrawn ones"
    add = inner.add_parser("export", help=text, description=f"{text[0].upper()}{text[1:]} (docs/register.md).")
    add.add_argument("--out", required=True, type=Path, metavar="FILE", help="ends in .jsonl, .parquet or .csv")
    add.set_defaults(command=export)


def export(arguments: argparse.Namespace) -> None:
    """Write the file."""
    open_house()
    from salon.audit.findings import encode  # lazy: with Django, as below
    from salon.web.events.domain import current_event
    from salon.web.refuses.domain.exporting import rows

    encode([], arguments.out.suffix)  # a wrong ending is told before anything is counted
    found = rows(current_event())
    arguments.out.write_bytes(encode(found, arguments.out.suffix))
    print(f"{arguments.out}: {len(found)} findings.")
