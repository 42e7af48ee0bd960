"""Rebuild src/salon/world/sprites.jsonl.xz from the pinned npm packages of openly licensed colour emoji.

    python scripts/vendor_sprites.py [--packages DIR]

Without --packages the packages are fetched with `npm pack`. Each is checked against its pinned SHA-256; only the
icons that the vocabulary names are kept. The file is the same, byte for byte, wherever it is built.
"""

import argparse
import hashlib
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from salon.world import vocabulary  # noqa: E402  (the checkout need not be installed)

TARGET = ROOT / "src/salon/world/sprites.jsonl.xz"
#: package -> (version, SHA-256 of the tarball)
PINNED = {
    "noto": ("1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "fluent-emoji": ("1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    "fluent-emoji-flat": ("1.2.6", "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"),
    "twemoji": ("1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
}
#: The hand that draws people at work.
PEOPLE_SET = "noto"


def tarball(package: str, version: str, folder: Path) -> Path:
    path = folder / f"iconify-json-{package}-{version}.tgz"
    if not path.exists():
        name = f"@iconify-json/{package}@{version}"
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return path


def icons(package: str, folder: Path) -> dict:
    version, expected = PINNED[package]
    path = tarball(package, version, folder)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise SystemExit(f"{path.name} has SHA-256 {found}, expected {expected}: do not use it.")
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile("package/icons.json"))


def row(table: dict, package: str, icon: str, **key: str) -> dict:
    found = table["icons"][icon]
    size = [found.get(side, table.get(side, 16)) for side in ("width", "height")]
    return {"set": package, "icon": icon, **key, "size": size, "body": found["body"]}


def person_icon(table: dict, stem: str, prefix: str, tone: str) -> str:
    names = (f"{prefix}{stem}-{tone}-skin-tone", f"{prefix}{stem}-{tone}")
    return next(name for name in names if name in table["icons"])


def rows(folder: Path):
    for hand, (package, _) in vocabulary.HANDS.items():
        table = icons(package, folder)
        for noun in vocabulary.NOUNS:
            yield row(table, package, noun.icon, noun=noun.name, hand=hand)
        if package == PEOPLE_SET:
            for occupation, (stem, _) in vocabulary.OCCUPATIONS.items():
                for presentation, (prefix, _) in vocabulary.PRESENTATIONS.items():
                    for tone in vocabulary.TONES:
                        icon = person_icon(table, stem, prefix, tone)
                        yield row(table, package, icon, hand=hand, occupation=occupation,
                                  presentation=presentation, tone=tone)  # fmt: skip


def packed(found: list[dict]) -> bytes:
    """The rows as compressed JSON lines."""
    text = "".join(json.dumps(item, ensure_ascii=False, sort_keys=True) + "\n" for item in found)
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder with the packages' tarballs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = list(rows(args.packages or Path(temporary)))
    TARGET.write_bytes(packed(found))
    print(f"{len(found)} sprites, {TARGET.stat().st_size / 1e6:.2f} MB: {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
