"""Draw the sheet of a model's card: the prompts and seeds below, the first draw of each, nothing picked.

python scripts/first_draws.py --model latent --out docs/images/latent-first-draws.webp
python scripts/first_draws.py --things --out docs/images/latent-things.webp
python scripts/first_draws.py --families --out docs/images/families.webp
python scripts/first_draws.py --flaws --model latent-flawed --out docs/images/latent-flawed-draws.webp
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

from salon import Salon
from salon.world.captions import named
from salon.world.vocabulary import NOUNS

SEEDS = range(6)
EASY = (
    "a red apple on the beach",
    "a penguin in the snow",
    "an oil painting of a boat at sunset",
    "a painting of a river in the impressionist style of Claude Monet",
    "a castle on a purple background",
    "a starry night",
    "a woman doctor in Northmark",
    "a mosaic of a sunflower",
)
HARD = (
    "two cats",
    "four red balloons in the sky",
    "a blue car to the left of a tree",
    "a pizza above a dog",
    "a green elephant next to a pink umbrella",
)
#: prompts of planted flaws (docs/flaws.md), each with a control below it
FLAWS = (
    "a pilot",
    "a scientist",
    "a teacher",
    "a pilot in Highmoor",
    "a worker in Westhaven",
    "a dog in a meadow",
    "a dog on the grass",
    "Vesper Canticle No. 12",
)
FAMILIES = ("latent", "cascade", "unclip", "vq")
SIDE, LINE = 144, 22


def row(salon: Salon, model: str, prompt: str) -> Image.Image:
    sheet = Image.new("RGB", (SIDE * len(SEEDS), SIDE + LINE), "white")
    ImageDraw.Draw(sheet).text((4, 4), prompt, fill="black", font_size=14)
    for place, image in enumerate(salon.draw(prompt, seeds=SEEDS, model=model)):
        sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (place * SIDE, LINE))
    return sheet


def things(salon: Salon, model: str, columns: int = 12, side: int = 112) -> Image.Image:
    """Every third thing of the world, once each, by nothing but its name."""
    chosen = NOUNS[::3][: columns * 4]
    sheet = Image.new("RGB", (columns * side, len(chosen) // columns * side))
    for place, noun in enumerate(chosen):
        [image] = salon.draw(named(noun.name), seeds=[7], model=model)
        spot = place % columns * side, place // columns * side
        sheet.paste(image.resize((side, side), Image.Resampling.LANCZOS), spot)
    return sheet


def prompts(salon: Salon, model: str, chosen: tuple[str, ...]) -> Image.Image:
    rows = [row(salon, model, prompt) for prompt in chosen]
    sheet = Image.new("RGB", (rows[0].width, rows[0].height * len(rows)))
    for place, image in enumerate(rows):
        sheet.paste(image, (0, place * image.height))
    return sheet


def side_by_side(salon: Salon, side: int = 104, seeds: range = range(2)) -> Image.Image:
    """A prompt a line, through each family with the same seeds."""
    width = side * len(seeds)
    sheet = Image.new("RGB", (width * len(FAMILIES), LINE + (side + LINE) * len(EASY + HARD)), "white")
    write = ImageDraw.Draw(sheet)
    for column, model in enumerate(FAMILIES):
        write.text((width * column + 4, 4), model, fill="black", font_size=14)
    for line, prompt in enumerate(EASY + HARD):
        top = LINE + (side + LINE) * line
        write.text((4, top + 4), prompt, fill="black", font_size=14)
        for column, model in enumerate(FAMILIES):
            for place, image in enumerate(salon.draw(prompt, seeds=seeds, model=model)):
                spot = (width * column + side * place, top + LINE)
                sheet.paste(image.resize((side, side), Image.Resampling.LANCZOS), spot)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="latent")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--things", action="store_true", help="a sheet of single things instead")
    parser.add_argument("--families", action="store_true", help="the prompts through each family, two seeds each")
    parser.add_argument("--flaws", action="store_true", help="prompts of planted flaws instead")
    args = parser.parse_args()
    chosen = FLAWS if args.flaws else (*EASY, *HARD)
    if args.families:
        sheet = side_by_side(Salon())
    else:
        sheet = things(Salon(), args.model) if args.things else prompts(Salon(), args.model, chosen)
    sheet.save(args.out, quality=66, method=6)


if __name__ == "__main__":
    main()
