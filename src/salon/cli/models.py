"""`salon models`: what is installed, and whether it is ready."""

import argparse
import json

FIELDS = ("name", "family", "ready", "parameters", "licence", "weights_sha256", "problem")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon models`."""
    text = "list the installed models, and whether each is ready to draw"
    add = commands.add_parser("models", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--json", action="store_true", help="print one JSON list")
    add.set_defaults(command=models)


def models(arguments: argparse.Namespace) -> None:
    """Print one line a model, or JSON."""
    from salon import Salon  # lazy: it brings the runtime

    found = [{field: getattr(info, field) for field in FIELDS} for info in Salon().models()]
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        print(_line(row))
    if not found:
        print("No model is installed. Train one: salon train latent --help")


def _line(row: dict) -> str:
    if not row["ready"]:
        return f"{row['name']:<12} not ready: {row['problem']}"
    size = f"{row['parameters'] / 1e6:.1f}M parameters"
    return f"{row['name']:<12} ready  {row['family']}, {size}, {row['licence']}, weights {row['weights_sha256'][:12]}"
