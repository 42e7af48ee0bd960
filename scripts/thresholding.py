"""Dynamic thresholding (Imagen, arXiv 2205.11487) with and without, as a sheet and in figures:
python scripts/thresholding.py --out docs/images/thresholding.webp

Each line one guidance; on the left pictures with the model's percentile, on the right clipped plainly. Printed: the
share of colour values that lie at an end of their range (0 or 255), which guidance drives up and thresholding should
hold down, and CLIP's cosine with the prompt. First draws, nothing picked."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from salon import Salon

PROMPTS = ("a red apple on the beach", "a castle on a purple background", "a penguin in the snow", "two cats")
GUIDANCE, SIDE, LINE, SEED = (3.0, 8.0, 15.0), 104, 22, 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    salon, width = Salon(scores=True), SIDE * len(PROMPTS)
    sheet = Image.new("RGB", (2 * width + 8, (SIDE + LINE) * len(GUIDANCE)), "white")
    write = ImageDraw.Draw(sheet)
    for line, guidance in enumerate(GUIDANCE):
        for column, percentile in enumerate((None, 0.0)):
            options = {"guidance_scale": guidance, "dynamic_threshold": percentile}
            drawn = [salon.draw(prompt, [SEED], model="cascade", **options)[0] for prompt in PROMPTS]
            corner = (column * (width + 8), line * (SIDE + LINE))
            said = f"guidance {guidance:g}, " + ("clipped plainly" if column else "dynamic thresholding")
            write.text((corner[0] + 4, corner[1] + 4), said, fill="black", font_size=14)
            for place, image in enumerate(drawn):
                small = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
                sheet.paste(small, (corner[0] + place * SIDE, corner[1] + LINE))
            values = np.stack([np.asarray(image) for image in drawn])
            ends = float(((values == 0) | (values == 255)).mean())
            scores = [round(float(image.info["score"]), 3) for image in drawn]
            print(f"{said:<42} at the ends {ends:.3f}   CLIP {np.mean(scores):.3f} {scores}")
    sheet.save(out, quality=82, method=6)


if __name__ == "__main__":
    main()
