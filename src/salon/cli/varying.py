"""What `salon draw` can be told beside words: a picture to vary, text diffs, series, the prior off (docs/unclip.md)."""

import argparse
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salon.cli.arguments import number
from salon.core.errors import BadRecipe
from salon.core.recipe import MAX_SEED
from salon.core.text import is_blank

if TYPE_CHECKING:
    from salon.engine.drawing import Salon
    from salon.engine.varying import Begun

MAX_COUNT = 256


def add_varying(add: argparse.ArgumentParser) -> None:
    """Add the options to `salon draw`."""
    add.add_argument("--vary", type=Path, metavar="FILE", help="begin with this picture: variations, or text diffs")
    add.add_argument("--was", metavar="TEXT", help="move from what this says towards the prompt")
    more = add.add_mutually_exclusive_group()
    more.add_argument("--amount", type=float, metavar="A", help="how far, from 0 to 1 (default 0.5)")
    more.add_argument("--series", type=number(2, MAX_COUNT), metavar="N", help="N images of one way, from 0 to 1")
    add.add_argument("--no-prior", action="store_true", help="unclip: let the words stand for the picture")
    add.add_argument("--dynamic-threshold", type=float, metavar="P",
                     help="cascade, unclip: percentile of dynamic thresholding (0: plain clipping)")  # fmt: skip


def check(arguments: argparse.Namespace) -> None:
    """Raises BadRecipe for options that say nothing together."""
    words, begins = arguments.prompt is not None, arguments.vary is not None or arguments.was is not None
    far = arguments.amount is not None or arguments.series is not None
    for wrong, message, hint in (
        (not words and not begins, "Nothing was said that could be drawn.", "Give a prompt, or --vary FILE."),
        (not words and (arguments.was is not None or far), "It is not said what the picture shall become.",
         "Give a prompt as well."),
        (far and not begins, "An amount needs something to begin with.", "Give --vary FILE, --was TEXT, or both."),
        (arguments.no_prior and begins, "A picture that is varied has no prior.", "Leave --no-prior out."),
        (arguments.url and (begins or arguments.no_prior or arguments.dynamic_threshold is not None),
         "A running house draws from words only.", "Leave --url out: this machine can do it."),
        (arguments.url and arguments.no_rules,
         "A running house has rules of its own.", "Leave --url out, or leave --no-rules out."),
    ):  # fmt: skip
        if wrong:
            raise BadRecipe(message, hint)


def seeds_of(arguments: argparse.Namespace) -> range:
    """The seeds to draw; of a series one, if nobody says how many. Raises BadRecipe if they make too many images."""
    count = arguments.count or (1 if arguments.series else 9)
    if count * (arguments.series or 1) > MAX_COUNT:
        raise BadRecipe(f"These are more than {MAX_COUNT} images.", "Ask for a smaller --count or --series.")
    first = secrets.randbelow(MAX_SEED - count + 2) if arguments.seed is None else arguments.seed
    return range(first, first + count)


def begun_of(salon: "Salon", arguments: argparse.Namespace, seeds: Sequence[int], options: dict[str, Any]) -> "Begun":
    """The recipes that the command line means, and the pictures that they begin with. Raises SalonError, OSError."""
    from salon.engine.varying import HALF, Begun, series  # lazy: `salon --help` answers at once

    amounts = series(arguments.series) if arguments.series else HALF
    amounts = amounts if arguments.amount is None else (arguments.amount,)
    words, was, model = arguments.prompt or "", arguments.was or "", arguments.model
    if arguments.vary is not None:
        _said(arguments)
        return salon.variations(arguments.vary, words, seeds, was, amounts, model, **options)
    if arguments.was is not None:
        return salon.ways(was, words, seeds, amounts, model, **options)
    prior = {"prior": False} if arguments.no_prior else {}
    return Begun(salon.recipes(words, seeds, model, **prior, **options), {})


def _said(arguments: argparse.Namespace) -> None:
    """Raises BadRecipe for a prompt of nothing: it would quietly be a variation."""
    if arguments.prompt is not None and is_blank(arguments.prompt):
        raise BadRecipe("The prompt is empty.", "Leave it out for variations, or say what the picture shall become.")
