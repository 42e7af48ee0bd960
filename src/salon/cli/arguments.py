"""Types of arguments that several commands take."""

import argparse
from collections.abc import Callable


def number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A whole number from `low` to `high`, told apart from other text with a sentence."""

    def parse(text: str) -> int:
        bounds = f"from {low} to {high}" if high is not None else f"of at least {low}"
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return value

    return parse
