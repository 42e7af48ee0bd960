"""What the base install brings is free of copyleft: its licences are read from what is installed, and from the files
that lie in it, since a package's page may say another one than its licence."""

import re
import sys
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
#: copyleft that holds for single files or libraries only, which nobody here changes (ATTRIBUTION.md): libzmq, Eigen,
#: parts of tqdm; the GNU compilers' run-time libraries, with their exception, and libquadmath without one
FILES = re.compile(r"MPL|MOZILLA PUBLIC", re.IGNORECASE)
COMPILERS = re.compile(r"License: (GPL-3\.0-or-later WITH GCC-exception-3\.1|LGPL-2\.1-or-later)")
KNOWN = {"pyzmq": FILES, "ml-dtypes": FILES, "tqdm": FILES, "numpy": COMPILERS, "scipy": COMPILERS}
#: how NumPy and others head the licence of each library that lies in the wheel
INSIDE = re.compile(r"^License: .*$", re.MULTILINE)


def said(found: Distribution) -> str:
    """All that a package says of its licence: its metadata, how each licence file begins, and what it says of libraries
    that lie in the wheel, a line each."""
    about = found.metadata
    words = [about.get("License-Expression", ""), (about.get("License") or "").partition("\n")[0]]
    words += [line for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    files = [file for file in found.files or [] if re.match(r"(LICEN[CS]E|COPYING)", file.name, re.IGNORECASE)]
    texts = [Path(str(file.locate())).read_text(errors="replace").strip() for file in files]
    words += [" ".join(text[:200].split()) for text in texts]
    return "\n".join([*words, *(line for text in texts for line in INSIDE.findall(text))])


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
    rows = {canonicalize_name(found.name): said(found).splitlines() for found in installed(requirements)}
    found = {name: {line for line in lines if COPYLEFT.search(line)} for name, lines in rows.items()}
    return {name: lines for name, lines in found.items() if lines}


def unknown(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is not looked at yet, and named in ATTRIBUTION.md."""
    left = {name: {line for line in lines if not (name in KNOWN and KNOWN[name].search(line))}
            for name, lines in found.items()}  # fmt: skip
    return {name: lines for name, lines in left.items() if lines}


def test_the_base_install_brings_no_copyleft():
    assert unknown(copyleft(PROJECT["dependencies"])) == {}


def test_what_lies_in_a_wheel_counts(monkeypatch):
    """Control: the head of NumPy's licence file alone says BSD."""
    bundled = copyleft(["numpy"])
    if bundled:  # wheels of macOS bring no GNU libraries
        assert any("GPL" in line for line in bundled["numpy"])
        assert unknown({"another": bundled["numpy"]})
    monkeypatch.setattr(sys.modules[__name__], "INSIDE", re.compile("(?!)"))
    assert copyleft(["numpy"]) == {}


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
