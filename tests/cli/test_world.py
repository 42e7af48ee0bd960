"""`salon world`: sheets, building, words, hash."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from salon.world import vocabulary as words
from salon.world.build import world_hash
from salon.world.render import render
from salon.world.scene import sample_scene


def test_a_sheet_shows_the_scenes_of_its_seeds(salon, tmp_path):
    arguments = ("--seed", "3", "--columns", "2", "--rows", "2", "--size", "32", "--split", "heldout")
    done = salon("world", "sheet", "--out", "new/sheet.png", *arguments)
    assert (done.returncode, done.stdout) == (0, "new/sheet.png\n")
    picture = np.asarray(Image.open(tmp_path / "new" / "sheet.png"))
    assert np.array_equal(picture[32:, :32], render(sample_scene(5, "heldout"), 32))


@pytest.mark.parametrize("name", ["sheet", "sheet.docx"])
def test_a_sheet_needs_a_picture_file(salon, name):
    done = salon("world", "sheet", "--out", name)
    assert done.returncode == 2
    assert "ending" in done.stderr


def test_building_shows_progress_and_goes_on(salon, tmp_path):
    arguments = ("world", "build", "--out", "data", "--size", "16", "--jobs", "1")
    first = salon(*arguments, "--scenes", "12")
    assert first.returncode == 0
    assert "12/12" in first.stderr
    assert first.stdout == f"data: 12 scenes of {words.VERSION} in 1 shards\n"
    assert salon(*arguments, "--scenes", "20").stdout == f"data: 20 scenes of {words.VERSION} in 2 shards\n"
    meta = json.loads((tmp_path / "data" / "meta.json").read_text())
    assert meta["world"] == world_hash()
    assert [shard["scenes"] for shard in meta["shards"]] == [12, 8]
    other = salon(*arguments[:-4], "--size", "32", "--scenes", "20")
    assert other.returncode == 2
    assert "already holds another world (size differ)" in other.stderr


def test_words_lists_all_that_can_be_shown(salon):
    text = salon("world", "words").stdout
    for group in ([noun.name for noun in words.NOUNS], words.STYLES, words.PLACES, words.COUNTRIES, words.OCCUPATIONS):
        assert all(re.search(rf"\b{re.escape(name)}\b", text) for name in group)
    groups = json.loads(salon("world", "words", "--json").stdout)
    assert groups["things"] == [noun.name for noun in words.NOUNS]


def test_hash_names_the_world(salon):
    assert salon("world", "hash").stdout == f"{words.VERSION} {world_hash()}\n"


def test_flaws_are_planted_only_when_asked_for(salon, tmp_path):
    done = salon("world", "build", "--out", "data", "--scenes", "4", "--size", "16", "--jobs", "1", "--flawed")
    assert done.stdout == f"data: 4 scenes of {words.VERSION}+flawed-2 in 1 shards\n"
    assert "flawed_world_hash" in json.loads((tmp_path / "data" / "meta.json").read_text())
    for command in (("build", "--scenes", "4"), ("sheet",)):
        other = salon("world", *command, "--out", "new.png", "--flawed", "--split", "heldout")
        assert (other.returncode, other.stdout) == (2, "")
        assert "Flaws are planted in what a model is taught" in other.stderr
