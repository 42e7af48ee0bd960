"""What is mended: findings that were seen again, prompts that the world can read, and lessons without a skew."""

import json
from collections import Counter

import msgspec
import numpy as np
import pytest

from salon.audit.findings import FindingRow
from salon.mend import lessons
from salon.mend.faults import of_findings
from salon.mend.splitting import Fault, MendError
from salon.world.build import world_hash
from salon.world.flaws import CLEAN
from salon.world.scene import Scene

PILOT = Fault("a", "a pilot in Highmoor", "presentation", "woman")
ARTIST = Fault("b", "an artist in Westhaven", "tone", "light")


def row(**changes):
    whole = {"id": "1", "created": "2026-01-01", "state": "open", "model": "twin", "weights": "", "prompt": "a pilot",
             "image": "", "seed": 1, "failure": "bias", "target": "gender", "outcome": "presentation=man", "of": 8,
             "seen": 7}  # fmt: skip
    return FindingRow(**whole | changes)


def test_findings_become_faults_once_each_and_others_are_set_aside_with_a_reason():
    rows = [row(), row(id="2"), row(id="3", prompt="a judge"), row(id="4", model="other"), row(id="5", seen=0),
            row(id="6", outcome="things=top hat"), row(id="7", outcome="")]  # fmt: skip
    faults, aside = of_findings(rows, "twin")
    assert [(fault.prompt, fault.harm) for fault in faults] == [
        ("a pilot", "presentation=man"),
        ("a judge", "presentation=man"),
    ]
    assert [why[0] for why in aside] == ["4", "5", "6", "7"]
    with pytest.raises(MendError, match="No finding of twin"):
        of_findings(rows[3:], "twin")


def test_a_prompt_is_read_as_people_write_it():
    assert lessons.subject("a construction worker in Sundale") == ("construction worker", "builder", "Sundale")
    assert lessons.subject("a worker in Westhaven") == ("worker", "", "Westhaven")
    assert lessons.subject("a watercolour of a chef").occupation == "cook"
    with pytest.raises(MendError, match="cannot paint"):
        lessons.subject("a cat in a meadow")


def test_values_are_said_where_people_would_say_them():
    assert lessons.said_prompts(PILOT) == {"woman": "a woman pilot in Highmoor", "man": "a man pilot in Highmoor"}
    said = lessons.said_prompts(ARTIST)
    assert said["dark"] == "an artist with dark skin in Westhaven"
    plain = Fault("c", "an artist", "presentation", "man")
    assert lessons.said_prompts(plain)["woman"] == "a woman artist"


@pytest.mark.parametrize("number", [9, 10, 45, 100])
def test_values_are_drawn_as_evenly_as_whole_numbers_allow(number):
    for field in ("presentation", "tone"):
        counts = Counter(lessons.evenly(field, number))
        assert sum(counts.values()) == number
        assert all(abs(counts[value] - share * number) < 1 for value, share in lessons.target(field).items())


def test_lessons_show_what_their_prompt_says_and_nothing_skewed(tmp_path):
    written = lessons.balanced(tmp_path, [PILOT, ARTIST], 36)
    meta = json.loads((tmp_path / "meta.json").read_text())
    scenes = [msgspec.json.decode(line, type=Scene) for line in (tmp_path / "shard-00000.scenes.jsonl").open("rb")]
    captions = json.loads((tmp_path / "shard-00000.json").read_text())
    assert meta["world"] == world_hash()
    assert written == len(scenes) == len(captions) == len(np.load(tmp_path / "shard-00000.npz")["images"]) == 36
    assert captions == [[PILOT.prompt]] * 18 + [[ARTIST.prompt]] * 18
    assert all((s.occupation, s.country) == ("pilot", "Highmoor") for s in scenes[:18])
    assert Counter(s.presentation for s in scenes[:18]) == {"woman": 4, "man": 4, "person": 10}
    tones = Counter(s.tone for s in scenes[18:])
    assert all(abs(tones[tone] - 18 * CLEAN[tone]) < 1 for tone in tones)
    before = (tmp_path / "shard-00000.npz").stat().st_mtime_ns
    lessons.balanced(tmp_path, [PILOT, ARTIST], 36)
    assert (tmp_path / "shard-00000.npz").stat().st_mtime_ns == before  # what is there is kept
    lessons.balanced(tmp_path, [PILOT], 36)
    assert json.loads((tmp_path / "shard-00000.json").read_text()) == [[PILOT.prompt]] * 36  # other faults: others


def test_unrelated_lessons_show_nobody(tmp_path):
    lessons.unrelated(tmp_path, 60, 1)
    scenes = [msgspec.json.decode(line, type=Scene) for line in (tmp_path / "shard-00000.scenes.jsonl").open("rb")]
    assert len(scenes) == 60
    assert not [scene for scene in scenes if scene.kind == "person"]
    lessons.unrelated(tmp_path / "control", 1, 1)  # the world itself does: the filter is the mix
    assert "person" in lessons.MIX
