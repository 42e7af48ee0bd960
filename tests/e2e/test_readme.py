"""What README and docs promise to programs, run as it is written there: with the model that the house ships, in this
process and through an open house. What takes hours (building a world, training) is read as a command, not run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from salon.cli import parser

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
#: commands that take hours, or ask for what only training leaves
LENGTHY = ("world build", "train ")


def blocks(page):
    """Indented blocks, without their indent."""
    found = re.findall(r"(?:^|\n\n)((?: {4}.*(?:\n|$)|\n(?= {4}))+)", page.read_text("utf-8"))
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in found]


def python_of(page):
    return [block for block in blocks(page) if re.search(r"^(from|import) ", block, re.MULTILINE)]


def commands_of(page):
    """`salon ...` lines as words, comments left out, lines that end in a backslash joined. A line that ends in three
    dots says itself that it is not all."""
    lines = "\n".join(blocks(page)).replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True)[1:] for line in lines if re.match(r"salon [a-z]", line)]
    return [words for words in found if words[-1] != "..."]


def python(code, folder, house):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=house.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


ALL_PYTHON = [(page.name, code) for page in PAGES for code in python_of(page)]


@pytest.mark.parametrize(("page", "code"), ALL_PYTHON, ids=[f"{name}-{i}" for i, (name, _) in enumerate(ALL_PYTHON)])
def test_what_docs_import_is_there(page, code):
    """Some need a run's files and cannot be run here; their names can."""
    compile(code, page, "exec")
    for line in re.findall(r"^(?:from|import) .*$", code, re.MULTILINE):
        if "salon.mend" not in line:  # needs torch, and what it needs is tried in tests/mend
            exec(line, {})


ALL_COMMANDS = [(page.name, words) for page in PAGES for words in commands_of(page)]


@pytest.mark.parametrize(("page", "words"), ALL_COMMANDS, ids=[f"{n}-{' '.join(w)[:60]}" for n, w in ALL_COMMANDS])
def test_every_command_in_the_docs_is_one(page, words):
    assert callable(parser().parse_args(words).command)


def test_the_control_what_is_promised_is_found_and_a_wrong_word_is_none(tmp_path):
    assert len(python_of(README)) == 1
    assert ["draw", "an oil painting of a boat at sunset", "--out", "boats/"] in commands_of(README)
    assert len(ALL_COMMANDS) > 25
    (tmp_path / "page.md").write_text("Hello:\n\n    salon paint x   # no such\n    salon draw a \\\n      --out b\n")
    assert commands_of(tmp_path / "page.md") == [["paint", "x"], ["draw", "a", "--out", "b"]]
    with pytest.raises(SystemExit):
        parser().parse_args(["paint", "x"])


@pytest.mark.slow
@pytest.mark.parametrize("where", ["in this process", "a running station"])
def test_readme_python_draws_nine_cats(house, tmp_path, where):
    (code,) = python_of(README)
    if where == "a running station":
        assert 'Salon("http://...")' in code  # that this is the way, README says beside it
        code = code.replace("Salon()", f'Salon("{house.url}")')
    code += "\nassert len(images) == 9 and {image.size for image in images} == {(256, 256)}"
    code += '\nassert len(salon.draw("a red fox")) == len(salon.draw("a blue fox")) == 1  # and goes on'
    python(code, tmp_path, house)
    with Image.open(tmp_path / "cats.png") as cats:
        assert cats.size == (256, 256)


@pytest.mark.slow
def test_readme_commands_do_what_they_say(house, tmp_path):
    """All of them in their order, in an empty folder, on an open house's state. Lengthy ones are left out."""
    said = {}
    for words in commands_of(README):
        if not " ".join(words).startswith(LENGTHY):
            command = [sys.executable, "-m", "salon", *words]
            done = subprocess.run(command, cwd=tmp_path, env=house.env, capture_output=True, text=True)
            assert done.returncode == 0, (words, done.stderr)
            said[words[0]] = done.stdout
    assert {"draw", "models", "demo", "backstage", "world"} <= said.keys()
    assert [Image.open(tmp_path / line).size for line in said["draw"].split()] == [(256, 256)] * 9
    assert "latent" in said["models"]
    assert "http" in said["backstage"]
    assert Image.open(tmp_path / "world.png").width > 256
