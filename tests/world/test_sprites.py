"""The vendored art: whole, openly licensed, the same as its packages; and clear words when it is damaged."""

import lzma
import os
import runpy
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from salon.core.errors import WorldError
from salon.world import sprites
from salon.world import vocabulary as words

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "vendor_sprites.py"), run_name="vendor_sprites")


def test_every_noun_has_a_drawing_by_every_hand():
    things = {(noun.name, hand) for noun in words.NOUNS for hand in words.HANDS}
    people = {(o, p, t) for o in words.OCCUPATIONS for p in words.PRESENTATIONS for t in words.TONES}
    assert set(sprites.sprites()) == things | people


def test_art_comes_from_the_credited_sets_only():
    found = {icon.split(":")[0] for icon in sprites.credits()}
    assert found == set(SCRIPT["PINNED"])
    credits = (ROOT / "ATTRIBUTION.md").read_text()
    for package, (version, _) in SCRIPT["PINNED"].items():
        assert f"@iconify-json/{package}` {version}" in credits


@pytest.mark.parametrize("side", [4, 64, 96, 97, 300])
def test_drawings_have_the_side_asked_for(side):
    for key in list(sprites.sprites())[::97]:
        image = sprites.draw(key, side)
        assert max(image.size) == side
        assert image.mode == "RGBA"
        assert np.asarray(image)[..., 3].max() > 200


def test_an_unknown_drawing_is_refused():
    with pytest.raises(WorldError, match="no drawing of teapot noto"):
        sprites.draw(("teapot", "noto"), 64)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Sprites are read from a file of the test's own, and from the house's again afterwards."""
    monkeypatch.setattr(sprites, "FILE", tmp_path / "sprites.jsonl.xz")
    sprites.sprites.cache_clear()
    yield sprites.FILE
    sprites.sprites.cache_clear()


WHOLE = sprites.FILE.read_bytes()


@pytest.mark.parametrize(
    "damaged",
    [None, b"", WHOLE[: len(WHOLE) // 2], b"not compressed", WHOLE[:5000] + b"\0" * 50 + WHOLE[5050:],
     lzma.compress(b"not json"), lzma.compress(b'{"noun": "cat"}'), lzma.compress(b"\xff\xfe")],
    ids=["missing", "empty", "cut", "foreign", "overwritten", "no json", "no body", "no text"],
)  # fmt: skip
def test_damaged_art_is_said_with_what_to_do(elsewhere, damaged):
    if damaged is not None:
        elsewhere.write_bytes(damaged)
    with pytest.raises(WorldError, match=r"sprites cannot be read") as refusal:
        sprites.sprites()
    assert "vendor_sprites" in refusal.value.hint


def test_a_copy_of_the_file_serves(elsewhere):
    """Negative control of the test above."""
    elsewhere.write_bytes(WHOLE)
    assert len(sprites.sprites()) == len(words.NOUNS) * len(words.HANDS) + 12 * 3 * 5


@pytest.mark.slow
def test_the_file_is_rebuilt_from_the_packages_byte_for_byte(tmp_path):
    """SALON_PACKAGES names a folder with the packages' tarballs; else npm fetches them."""
    given = os.environ.get("SALON_PACKAGES")
    if not given and shutil.which("npm") is None:
        pytest.skip("needs npm, or SALON_PACKAGES")
    packages = Path(given) if given else tmp_path
    script = runpy.run_path(str(ROOT / "scripts" / "vendor_sprites.py"), run_name="vendor_sprites")
    try:
        rows = list(script["rows"](packages))
    except subprocess.CalledProcessError:
        pytest.skip("npm reaches no registry")
    assert script["packed"](rows) == WHOLE


def test_a_changed_package_is_not_used(tmp_path):
    """The tarballs are checked against their pinned checksums."""
    package, (version, _) = next(iter(SCRIPT["PINNED"].items()))
    (tmp_path / f"iconify-json-{package}-{version}.tgz").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="do not use it"):
        SCRIPT["icons"](package, tmp_path)
