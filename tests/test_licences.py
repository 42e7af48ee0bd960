"""What the base install brings is free of copyleft: its licences are read from what is installed, and from the files
that lie in it, since a package's page may say another one than its licence."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
COPYLEFT = re.compile(
    r"\b[AL]?GPL|GENERAL PUBLIC LICEN[CS]E|\bMPL\b|MOZILLA PUBLIC|\bEUPL|\bSSPL|SERVER SIDE PUBLIC|\bOSL-|\bCDDL"
    r"|ECLIPSE PUBLIC|\bEPL-|CECILL|SHARE.?ALIKE|BY-SA",
    re.IGNORECASE,
)
WEAK = re.compile(r"MPL|MOZILLA PUBLIC", re.IGNORECASE)
#: copyleft that holds for single files only, which nobody here changes: libzmq, Eigen, parts of tqdm (ATTRIBUTION.md)
KNOWN = {"pyzmq", "ml-dtypes", "tqdm"}


def said(found: Distribution) -> str:
    """All that a package says of its licence: its metadata, and how each licence file begins."""
    about = found.metadata
    words = [about.get("License-Expression", ""), (about.get("License") or "").partition("\n")[0]]
    words += [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    files = [file for file in found.files or [] if re.match(r"(LICEN[CS]E|COPYING)", file.name, re.IGNORECASE)]
    words += [Path(str(file.locate())).read_text(errors="replace").strip()[:200] for file in files]
    return "\n".join(words)


def installed(requirements: list[str]) -> Iterator[Distribution]:
    """The distributions that these bring on this machine, and theirs, each once."""
    seen, waiting = set(), list(requirements)
    while waiting:
        wanted = Requirement(waiting.pop())
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
            continue
        name = canonicalize_name(wanted.name)
        if name in seen:
            continue
        seen.add(name)
        found = distribution(name)
        yield found
        waiting += found.requires or []


def copyleft(requirements: list[str]) -> dict[str, set[str]]:
    """name -> what gives it away."""
    rows = {canonicalize_name(found.name): set(COPYLEFT.findall(said(found))) for found in installed(requirements)}
    return {name: words for name, words in rows.items() if words}


def test_the_base_install_brings_no_copyleft():
    found = copyleft(PROJECT["dependencies"])
    assert {name for name, words in found.items() if not all(map(WEAK.search, words))} == set(), found
    assert found.keys() <= KNOWN, "what else holds for single files is looked at, and named in ATTRIBUTION.md, first"


def test_every_package_says_its_licence():
    """Silence would pass the test above."""
    mute = [found.name for found in installed(PROJECT["dependencies"]) if not said(found).strip()]
    assert mute == []


@pytest.mark.parametrize("name", ["nudenet", "krippendorff"])
def test_the_control_finds_copyleft(name):
    """NudeNet's metadata say MIT; the file in its wheel is the AGPL."""
    try:
        assert name in copyleft([name])
    except PackageNotFoundError:
        pytest.fail(f"{name} belongs to what the tests install")


def test_copyleft_comes_with_extras_only():
    names = {canonicalize_name(found.name) for found in installed(PROJECT["dependencies"])}
    assert not names & {"nudenet", "opencv-python-headless", "krippendorff"}
    assert {"nudenet", "opencv-python-headless"} <= names | {
        canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"]["filter"]
    }
