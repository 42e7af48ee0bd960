"""How often the image filter keeps back pictures that nobody needs to be kept from.

    python scripts/guard_alarms.py "$SALON_HOME/judge"     # what `salon judge world` drew
    python scripts/guard_alarms.py FOLDER --threshold 0.4

Every PNG, JPEG and WebP below the folder is looked at, so it must hold harmless pictures only: then each find is a
false alarm. Prints the rate with its 95% interval (Wilson), and what was found how often, whether it counts or not.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from salon.core.update import Picture
from salon.engine.guard import EXPOSED, SIDE, THRESHOLD, ImageGuard
from salon.stats.intervals import wilson

BATCH = 16


def pictures(files: list[Path]) -> Iterator[list[Picture]]:
    """The files in batches, at the size of the house's pictures."""
    for start in range(0, len(files), BATCH):
        images = [Image.open(file).convert("RGB").resize((SIDE, SIDE)) for file in files[start : start + BATCH]]
        yield [Picture(index=start + i, width=SIDE, height=SIDE, rgb=image.tobytes()) for i, image in enumerate(images)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="look at every N-th file only")
    options = parser.parse_args()
    files = sorted(f for f in options.folder.glob("**/*") if f.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
    files = files[:: options.every]
    if not files:
        raise SystemExit(f"There is no picture below {options.folder}.")
    guard, found, alarms = ImageGuard(threshold=options.threshold), Counter(), []
    for batch in tqdm(pictures(files), total=-(-len(files) // BATCH), desc="looking"):
        for picture, finds in zip(batch, guard.finds(batch), strict=True):
            found.update(find["class"] for find in finds)
            alarms += [picture.index] * guard.is_unsafe(finds)
    low, high = wilson(len(alarms), len(files))
    answer = {
        "pictures": len(files),
        "withheld": len(alarms),
        "rate": len(alarms) / len(files),
        "interval": [low, high],
        "files": [files[index].name for index in alarms[:20]],
        "seen": {name: [count, name in EXPOSED] for name, count in found.most_common()},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
