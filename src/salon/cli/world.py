"""`salon world`: look at the sandbox world, write it to disk, list its words, name it."""

import argparse
import json
from pathlib import Path

from salon.cli.arguments import number
from salon.core.errors import WorldError

SPLITS = ("train", "heldout", "any")
MAX_SCENES_ON_A_SHEET = 4096


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add `salon world` and what it can do."""
    text = "the picture world that the models are taught: look at it, build it, list its words"
    group = commands.add_parser("world", help=text, description=f"{text[0].upper()}{text[1:]}.")
    world = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_sheet(world)
    _add_build(world)
    words_ = world.add_parser("words", help="list everything the world can show, and the words for it")
    words_.add_argument("--json", action="store_true", help="print one JSON object")
    words_.set_defaults(command=words)
    name = world.add_parser("hash", help="print the world's version and the hash that models name")
    name.set_defaults(command=name_)


def _add_sheet(world: argparse._SubParsersAction) -> None:
    add = world.add_parser("sheet", help="draw a contact sheet: many scenes side by side")
    add.add_argument("--out", required=True, type=Path, metavar="FILE", help="picture to write (.png, .jpg, .webp)")
    add.add_argument("--seed", type=number(0, 2**32 - 1), default=0, help="number of the first scene (default 0)")
    add.add_argument("--columns", type=number(1, 64), default=8, help="pictures in a row (default 8)")
    add.add_argument("--rows", type=number(1, 64), default=6, help="rows (default 6)")
    add.add_argument("--size", type=number(16, 512), default=128, help="pixels of a picture's side (default 128)")
    add.add_argument("--split", choices=SPLITS, help="scenes seen in training, held out, or any (default any)")
    _add_flawed(add)
    add.set_defaults(command=sheet)


def _add_build(world: argparse._SubParsersAction) -> None:
    text = "paint scenes with captions and ground truth into files for training; goes on where it stopped"
    add = world.add_parser("build", help=text, description=f"{text[0].upper()}{text[1:]}.")
    add.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write")
    add.add_argument("--scenes", required=True, type=number(1), metavar="N", help="how many scenes")
    add.add_argument("--size", type=number(16, 2048), default=64, help="pixels of a picture's side (default 64)")
    add.add_argument("--split", choices=SPLITS, default="train", help="which scenes (default train)")
    add.add_argument("--jobs", type=number(1, 256), default=2, help="processes that paint (default 2)")
    add.add_argument("--mix", type=shares, metavar="KIND=SHARE,...", help="other shares of the kinds of scenes than "
                     "the world's own, such as pair=0.6,count=0.4")  # fmt: skip
    _add_flawed(add)
    add.set_defaults(command=build)


def shares(text: str) -> dict[str, float]:
    """`pair=0.6,count=0.4` as a table. Raises ArgumentTypeError."""
    try:
        found = {kind.strip(): float(share) for kind, share in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of shares; write it as pair=0.6,count=0.4.") from None
    if any(not 0 <= share < float("inf") for share in found.values()):
        raise argparse.ArgumentTypeError("shares are numbers from 0.")
    return found


def _add_flawed(add: argparse.ArgumentParser) -> None:
    add.add_argument("--flawed", action="store_true", help="with the flaws planted for audits (docs/flaws.md)")


def sheet(arguments: argparse.Namespace) -> None:
    """Draw a contact sheet into a file and print its path."""
    from PIL import Image  # lazy: `salon --help` answers at once

    from salon.world.sheet import sheet as draw_sheet

    Image.init()
    if arguments.out.suffix.lower() not in Image.EXTENSION:
        message = f"A picture cannot be written to {arguments.out}."
        raise WorldError(message, "Give the file an ending such as .png, .jpg or .webp.")
    if arguments.flawed and arguments.split not in (None, "train"):
        raise WorldError("Flaws are planted in what a model is taught.", "Leave out --split, or use train.")
    form = (arguments.columns, arguments.rows, arguments.size, arguments.split or "any", arguments.flawed)
    picture = draw_sheet(arguments.seed, *form)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(arguments.out)
    print(arguments.out)


def build(arguments: argparse.Namespace) -> None:
    """Write shards, with a progress bar."""
    from salon.world.build import build as write  # lazy: as above

    meta = write(arguments.out, arguments.scenes, arguments.size, arguments.split, jobs=arguments.jobs,
                 flawed=arguments.flawed, mix=arguments.mix)  # fmt: skip
    scenes = sum(shard["scenes"] for shard in meta["shards"])
    print(f"{arguments.out}: {scenes} scenes of {meta['world_version']} in {len(meta['shards'])} shards")


def vocabulary() -> dict[str, list[str]]:
    """Everything that the world can show, by group."""
    from salon.world import vocabulary as words  # lazy: as above

    return {
        "things": [noun.name for noun in words.NOUNS],
        "colours of things": list(words.TINTS),
        "colours of grounds": list(words.COLOURS),
        "counts": list(words.NUMBERS.values()),
        "relations": list(words.RELATIONS),
        "places": list(words.PLACES),
        "landscapes": list(words.LANDSCAPES),
        "light": list(words.LIGHTS),
        "styles": list(words.STYLES),
        "hands": [said for _, said in words.HANDS.values()],
        "people at work": [said for _, names in words.OCCUPATIONS.values() for said in names],
        "countries": list(words.COUNTRIES),
    }


def words(arguments: argparse.Namespace) -> None:
    """Print the vocabulary, a group a paragraph."""
    import textwrap  # lazy: as above

    groups = vocabulary()
    if arguments.json:
        print(json.dumps(groups, ensure_ascii=False))
        return
    for group, names in groups.items():
        print(f"{group} ({len(names)})")
        print(textwrap.fill(", ".join(names), 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))


def name_(arguments: argparse.Namespace) -> None:
    """Print the world's version and hash."""
    from salon.world.build import world_hash  # lazy: as above
    from salon.world.vocabulary import VERSION

    print(VERSION, world_hash())
