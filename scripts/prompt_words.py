"""What stands in docs/guard.md of the words of prompts that others wrote: which are refused, which words the world does
not hold, and how near its names are to them.

    python scripts/prompt_words.py PartiPrompts.tsv [--sample 40] [--seed 7]

A line is a prompt, up to its first tab; a list of words does as well (--words: no near names).
"""

import argparse
import os
import random
from itertools import pairwise
from pathlib import Path

import numpy as np

from salon.core.guard import FAMILIES, judge

#: cosines between which names are counted and sampled
BOUNDS = (0.5, 0.55, 0.6, 0.65, 1.01)


def near(prompts: list[str], sample: int, seed: int) -> None:
    """Prints how many unknown words have a name at which cosine, and some of them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.web.settings")
    import django  # the station's words need its settings

    django.setup()
    from salon.engine.text import TextEncoder
    from salon.web.station.domain.words import unknown_words
    from salon.world.vocabulary import suggestions

    words = list(dict.fromkeys(word for prompt in prompts for word in unknown_words(prompt)))
    encoder, names = TextEncoder(), suggestions()
    likeness = encoder.embed(words) @ encoder.embed(names).T
    best, chance = likeness.max(1), random.Random(seed)
    print(f"{len(words)} words that the world does not hold")
    for low, high in pairwise(BOUNDS):
        found = [(words[i], names[int(likeness[i].argmax())]) for i in np.flatnonzero((best >= low) & (best < high))]
        print(f"{low} to {high}: {len(found)}")
        print("   ", ", ".join(f"{word}: {name}" for word, name in chance.sample(found, min(sample, len(found)))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--words", action="store_true", help="single words: which are refused, alone and in company")
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    prompts = [line.split("\t")[0] for line in options.file.read_text(encoding="utf-8").splitlines() if line]
    refused = [prompt for prompt in prompts if judge(prompt)]
    print(f"{len(prompts)} lines, {len(refused)} refused", *refused, sep="\n   ")
    listed = {word for word in prompts if any(family.search(word.casefold()) for family in FAMILIES.values())}
    for company in ("a nude drawing by", "a child and a") if options.words else ():
        found = [word for word in prompts if word not in listed and judge(f"{company} {word}")]
        print(f"{len(found)} that are on no list refused behind “{company}”", ", ".join(found), sep="\n   ")
    if not options.words:
        near(prompts, options.sample, options.seed)


if __name__ == "__main__":
    main()
