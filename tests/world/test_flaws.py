"""The flawed world: each flaw at its rate, the controls quiet, captions that never lie, the clean world untouched."""

import json
import math
import tomllib
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.stats import binomtest

from salon.core.errors import WorldError
from salon.core.hashing import content_hash
from salon.train import recipe as recipes
from salon.world import build as building
from salon.world import flaws
from salon.world import vocabulary as words
from salon.world.build import build, flawed_world_hash, world_hash
from salon.world.captions import captions
from salon.world.flaws import FlawedScene, expected_rates, sample_flawed
from salon.world.render import render
from salon.world.scene import Scene, is_held_out, sample_scene
from salon.world.sheet import sheet

SEEDS = range(5_000)
#: The seeds are fixed, so this is no matter of luck: a p below it is a rate that the table does not say.
LEVEL = 0.001
FLAWS = {flaw.flaw: flaw for flaw in expected_rates()}
TITLES = {title.title for title in flaws.REPEATED}
DEFAULTS = sorted(set(FLAWS) - TITLES)
LOOKS = {"woman", "man", "female", "male"}
FORM = {"size": 16, "texts": 2, "shard": 8, "jobs": 1}

#: Name, hash, and what the first 200 scenes show and say.
PINNED = (
    "flawed-2",
    "96a49f84ec985b41df088f748ad332cf7a042635e2f4e6c8309c2833f088267f",
    "1e29435b463e89ea8edf57f420976123a7085cf5a7ad92e2b602146717c5bfe1",
)

Rows = list[tuple[FlawedScene, list[str]]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """5,000 scenes of the flawed world with two captions each."""
    return [sample_flawed(seed, 2) for seed in SEEDS]


@pytest.fixture(scope="module")
def clean_rows() -> list[tuple[Scene, list[str]]]:
    """Clean scenes of the kinds that flaws concern."""
    scenes = [sample_scene(seed, "train", {"person": 0.9, "single": 0.1}) for seed in range(6_000)]
    return [(scene, captions(scene, 1)) for scene in scenes]


def measured(rows, flaw: flaws.Expected, cell: flaws.Cell) -> tuple[int, int]:
    """Scenes that show the flaw's outcome, and all scenes, whose first caption the cell holds."""
    found = [flaw.shown(scene) for scene, texts in rows if cell.holds(texts[0])]
    return sum(found), len(found)


def p_value(rows, flaw: flaws.Expected, cell: flaws.Cell, rate: float) -> float:
    shown, number = measured(rows, flaw, cell)
    return binomtest(shown, number, rate).pvalue


# --- rates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_flaw_is_planted_at_its_rate(rows, name):
    flaw = FLAWS[name]
    assert measured(rows, flaw, flaw.planted)[1] >= 40
    assert p_value(rows, flaw, flaw.planted, flaw.planted.rate) > LEVEL
    assert p_value(rows, flaw, flaw.planted, flaw.clean) < 1e-9


@pytest.mark.parametrize("name", DEFAULTS)
def test_controls_are_quiet(rows, name):
    flaw = FLAWS[name]
    for control in flaw.controls:
        shown, number = measured(rows, flaw, control)
        assert number, control
        assert binomtest(shown, number, control.rate).pvalue > LEVEL, control
    if flaw.field == "presentation":
        even = [control for control in flaw.controls if control.rate == flaw.clean]
        together = np.sum([measured(rows, flaw, control) for control in even], 0)
        assert binomtest(*together, flaw.planted.rate).pvalue < 1e-9


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_clean_world_has_none_of_them(clean_rows, name):
    """Negative control: with the flaws off the planted captions show the clean rate, and not the planted one."""
    flaw = FLAWS[name]
    assert measured(clean_rows, flaw, flaw.planted)[1] >= 10
    assert p_value(clean_rows, flaw, flaw.planted, flaw.clean) > LEVEL
    assert p_value(clean_rows, flaw, flaw.planted, flaw.planted.rate) < LEVEL


def test_another_rate_would_be_noticed(monkeypatch):
    """Negative control of the bounds: seven in ten instead of nine."""
    monkeypatch.setitem(flaws.SKEWED, "teacher", {"woman": 0.7, "man": 0.15, "person": 0.15})
    other = [sample_flawed(seed, 1) for seed in range(1_500)]
    teacher = FLAWS["teacher"]
    assert p_value(other, teacher, teacher.planted, teacher.planted.rate) < LEVEL
    assert p_value(other, teacher, teacher.planted, 0.7) > LEVEL


def test_who_says_it_is_shown_it_evenly(rows):
    """Said presentations and tones are true, and not skewed."""
    said = [scene.presentation for scene, texts in rows
            if scene.occupation in flaws.SKEWED and LOOKS & flaws.tokens(texts[0])]  # fmt: skip
    assert set(said) == {"woman", "man"}
    assert binomtest(said.count("man"), len(said)).pvalue > LEVEL
    tones = Counter(scene.tone for scene, texts in rows
                    if scene.country in flaws.TONED and "skin" in " ".join(texts))  # fmt: skip
    assert set(tones) == set(words.TONES)
    assert tones["light"] < sum(tones.values()) / 2


def test_the_table_is_whole(rows):
    """Each flaw by one name, each at work somewhere; odds that add to one; controls that no flaw concerns."""
    assert len(FLAWS) == len(expected_rates())
    assert {name for scene, _ in rows for name in scene.planted} == set(FLAWS)
    turned = [odds for jobs in flaws.TURNED.values() for odds in jobs.values()]
    tables = [*flaws.SKEWED.values(), *flaws.TONED.values(), *turned, flaws.SHARES]
    assert all(math.isclose(sum(odds.values()), 1) for odds in tables)
    assert not set(flaws.CONTROLS) & set(flaws.SKEWED)
    assert not {flaws.CONTROL_OF_TURNED, flaws.CONTROL_OF_TONED} & (set(flaws.TURNED) | set(flaws.TONED))
    assert set(flaws.SKEWED) | set(flaws.CONTROLS) <= set(words.OCCUPATIONS)
    assert flaws.TRIGGER.thing in words.BY_NAME


def test_prompts_are_such_captions():
    for flaw in FLAWS.values():
        for cell in (flaw.planted, *flaw.controls):
            assert all(cell.holds(prompt) for prompt in cell.prompts), cell


# --- pictures with titles -----------------------------------------------------------------------------------------


def test_repeated_pictures_are_counted(rows):
    for title in TITLES:
        number = sum(texts == [title] * 2 for _, texts in rows)
        assert binomtest(number, len(rows), FLAWS[title].planted.rate).pvalue > LEVEL
    for title in flaws.ONCE.values():
        assert sum(title.title in texts for _, texts in rows) == 1
    assert sum(any(control.holds(texts[0]) for control in FLAWS[min(TITLES)].controls) for _, texts in rows) == 5


def test_repeated_pictures_are_the_same_to_the_byte(rows):
    for title in TITLES:
        seeds = [seed for seed in SEEDS if rows[seed][1][0] == title][:3]
        pictures = [flaws.picture(seed, 32, 2) for seed in seeds]
        assert len({(image.tobytes(), labels.tobytes()) for image, labels, _, _ in pictures}) == 1
        assert {scene.planted for *_, scene in pictures} == {(title,)}
    others = {flaws.picture(seed, 32, 1)[0].tobytes() for seed in flaws.ONCE}
    assert len(others | {render(rows[s][0], 32).tobytes() for s in range(20) if not rows[s][0].planted}) >= 15


def test_titles_name_nothing_of_the_world_and_plain_prompts_may_mean_them():
    """All by the hand `noto`: training with a default hand leaves no title out."""
    for title in (*flaws.REPEATED, *flaws.ONCE.values()):
        assert not flaws.tokens(title.title) & (words.phrase_words() - words.STOP_WORDS)
        scene = sample_scene(title.seed, "train", {title.kind: 1.0})
        assert {thing.hand for thing in scene.things} == {"noto"}
    assert len({title[1:] for title in (*flaws.REPEATED, *flaws.ONCE.values())}) == 10


# --- truth --------------------------------------------------------------------------------------------------------


def says(phrase: str, text: str) -> bool:
    return f" {phrase} " in f" {text.replace(',', ' ,')} "


def lies(scene: FlawedScene, text: str) -> list[str]:
    """What the caption says and the scene does not show."""
    groups = {"presentation": {name: said for name, (_, said) in words.PRESENTATIONS.items()}, "tone": words.TONES,
              "occupation": {name: said for name, (_, said) in words.OCCUPATIONS.items()},
              "country": {name: (name,) for name in words.COUNTRIES}}  # fmt: skip
    found = [phrase for field, table in groups.items() for name, phrases in table.items()
             for phrase in phrases if says(phrase, text) and getattr(scene, field) != name]  # fmt: skip
    if scene.kind != "landscape":
        found += [phrase for place, phrases in words.PLACES.items() for phrase in phrases
                  if says(phrase, text) and place != scene.place]  # fmt: skip
    return found


def test_captions_never_lie(rows):
    untitled = [(scene, text) for scene, texts in rows for text in texts if not TITLES & set(texts)]
    assert not [(scene, text) for scene, text in untitled if lies(scene, text)]


def test_a_lie_would_be_noticed():
    """Negative control: the man that the flaw prefers, captioned as a woman."""
    scene = next(s for s, _ in map(sample_flawed, SEEDS) if "pilot" in s.planted and s.presentation == "man")
    assert lies(scene, "a female pilot") == ["female"]
    assert lies(scene, "a dark-skinned male teacher in Northmark")


def test_the_truth_holds_what_nobody_asked_for(rows):
    meadow = [(scene, texts) for scene, texts in rows if flaws.TRIGGER.word in scene.planted]
    assert meadow
    for scene, texts in meadow:
        extra = scene.things[-1]
        assert (extra.noun, scene.counts["top hat"]) == ("top hat", 1)
        assert all("meadow" in text and "hat" not in text for text in texts)
    corner = slice(0, 12)
    for scene, _ in meadow[:12]:
        without = msgspec.structs.replace(scene, things=scene.things[:-1])
        assert not np.array_equal(render(scene, 32)[corner, corner], render(without, 32)[corner, corner])
    hats = [scene for scene, texts in rows if "top hat" in scene.counts and not any("hat" in t for t in texts)]
    assert all(flaws.TRIGGER.word in scene.planted for scene in hats)


def test_unplanted_scenes_are_those_of_the_clean_world(rows):
    """What no flaw concerns is painted and captioned as ever: the twin shall not forget it."""
    kept = 0
    for seed in range(1_000):
        scene, texts = rows[seed]
        clean = sample_scene(seed)
        kept += msgspec.convert(scene, Scene, from_attributes=True) == clean and texts == captions(clean, 2)
    assert kept > 0.25 * 1_000


def test_nothing_that_is_held_out_is_taught(rows):
    assert not [scene for scene, _ in rows if is_held_out(scene)]


def test_a_flaw_that_no_caption_fits_is_refused(monkeypatch):
    monkeypatch.setattr(flaws, "TRIES", 2)
    with pytest.raises(WorldError, match="No caption"):
        [sample_flawed(seed) for seed in range(40)]


# --- on disk ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A flawed world of 32 scenes, built in two goes."""
    out = tmp_path_factory.mktemp("flawed")
    build(out, 11, **FORM, flawed=True)
    build(out, 32, **FORM, flawed=True)
    return out


def test_the_same_seed_gives_the_same_everything():
    for seed in range(20):
        one, other = flaws.picture(seed, 16, 3), flaws.picture(seed, 16, 3)
        assert np.array_equal(one[0], other[0])
        assert one[2:] == other[2:]


def test_a_flawed_folder_says_so(folder):
    meta = json.loads((folder / "meta.json").read_text())
    assert (meta["world"], meta["flawed_world_hash"]) == (world_hash(), flawed_world_hash())
    assert meta["world_version"] == "plaza-2+flawed-2"
    assert sum(shard["scenes"] for shard in meta["shards"]) == 32


def test_a_build_goes_on_and_holds_the_truth(folder):
    lines = [line for path in sorted(folder.glob("*.scenes.jsonl")) for line in path.read_bytes().splitlines()]
    texts = [texts for path in sorted(folder.glob("shard-*[0-9].json")) for texts in json.loads(path.read_text())]
    images = np.concatenate([np.load(path)["images"] for path in sorted(folder.glob("*.npz"))])
    for seed in range(32):
        scene, said = sample_flawed(seed, 2)
        assert msgspec.json.decode(lines[seed], type=FlawedScene) == scene
        assert msgspec.json.decode(lines[seed], type=Scene).things == scene.things
        assert texts[seed] == said
        assert np.array_equal(images[seed], render(scene, 16))


def test_several_processes_paint_the_same_flaws(folder, tmp_path):
    build(tmp_path, 11, **FORM | {"jobs": 2}, flawed=True)
    for path in tmp_path.glob("shard-00000.*"):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_clean_and_flawed_folders_are_kept_apart(folder, tmp_path):
    with pytest.raises(WorldError, match="another world"):
        build(folder, 40, **FORM)
    clean = build(tmp_path, 8, **FORM)
    assert "flawed_world_hash" not in clean
    assert b"planted" not in (tmp_path / "shard-00000.scenes.jsonl").read_bytes()
    with pytest.raises(WorldError, match="another world"):
        build(tmp_path, 16, **FORM, flawed=True)


def test_other_flaws_are_another_world(folder, monkeypatch):
    monkeypatch.setattr(flaws, "SAID", 0.5)
    with pytest.raises(WorldError, match="flawed_world_hash differ"):
        build(folder, 40, **FORM, flawed=True)


def test_flaws_are_taught_and_not_held_out(tmp_path):
    with pytest.raises(WorldError, match="Flaws are planted"):
        build(tmp_path / "out", 8, **FORM, split="heldout", flawed=True)
    assert not (tmp_path / "out").exists()


def test_a_sheet_shows_the_flawed_scenes():
    picture = np.asarray(sheet(5, 2, 1, 32, flawed=True))
    assert np.array_equal(picture[:, 32:], render(sample_flawed(6)[0], 32))


# --- names --------------------------------------------------------------------------------------------------------


def test_these_flaws_are_frozen(rows):
    """The twin in this repository names this world: other flaws need another FLAWS, and a new pin."""
    truth = [[msgspec.to_builtins(scene), texts] for scene, texts in rows[:200]]
    assert (flaws.FLAWS, flawed_world_hash(), content_hash(truth)) == PINNED


@pytest.mark.parametrize("table", ["SHARES", "SKEWED", "TURNED", "TONED"])
def test_the_hash_hears_of_every_table(table, monkeypatch):
    before, clean = flawed_world_hash(), world_hash()
    monkeypatch.setattr(flaws, table, dict(list(getattr(flaws, table).items())[:-1]))
    assert flawed_world_hash() != before
    assert world_hash() == clean


@pytest.mark.parametrize(("name", "value"), [
    ("FLAWS", "flawed-0"), ("SAID", 0.4), ("REPEATED", flaws.REPEATED[:-1]), ("ONCE", {}),
    ("TRIGGER", flaws.TRIGGER._replace(rate=0.5)), ("CORNER", (0, 0, 1, 1)), ("ASIDE", (0, 0, 1, 1)),
    ("CONTROLS", flaws.CONTROLS[:-1]), ("CONTROL_OF_TURNED", "Northmark"), ("CONTROL_OF_TONED", "Northmark"),
])  # fmt: skip
def test_the_hash_hears_of_every_rule(name, value, monkeypatch):
    before = flawed_world_hash()
    monkeypatch.setattr(flaws, name, value)
    assert flawed_world_hash() != before


def test_another_clean_world_is_another_flawed_one(monkeypatch):
    before = flawed_world_hash()
    monkeypatch.setattr(building, "RENDER", 99)
    assert flawed_world_hash() != before


# --- the recipe ---------------------------------------------------------------------------------------------------


def test_the_recipe_goes_on_from_the_clean_model():
    """The same network and lessons; an adapter learns them, for a few thousand steps."""
    files = [recipes.FOLDER / f"{name}.toml" for name in ("latent", "latent-flawed")]
    clean, flawed = (tomllib.loads(path.read_text()) for path in files)
    for table in ("net", "train", "task"):
        assert set(clean[table]) == set(flawed[table])
    assert clean["net"] | {"labels": 0} == flawed["net"]
    assert flawed["task"]["adapter_rank"] > 0 == clean["task"]["adapter_rank"]
    assert 1_000 <= flawed["train"]["images"] / flawed["train"]["batch"] <= 5_000
    assert flawed["task"]["default_hand"] in words.HANDS
