"""Scores, controls and the command. The knowing judge below sees the truth: what it cannot see is a bug of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from salon.judge.detector import pixels
from salon.judge.prompts import GENEVAL, TASKS, truth
from salon.judge.scoring import (
    Judged,
    clusters,
    grouped,
    merged,
    rate,
    rate_of,
    scores,
    shuffled,
    spread,
    suite,
    trusted,
    validate,
)
from salon.judge.sheet import sheet
from salon.judge.verdict import Verdict
from salon.world.render import render
from salon.world.scene import sample_scene

SALON = Path(sys.executable).with_name("salon")
BLANK = Image.new("RGB", (64, 64))


@pytest.fixture(scope="module")
def chosen():
    return suite(3)


def looks(chosen, see):
    """Two looks a prompt, each with the verdict that `see` gives it."""
    return [Judged(p, BLANK, see(p)) for ps in chosen.values() for p in ps for _ in range(2)]


def knows(prompt):
    return truth(prompt.scene)


def blind(prompt):
    return Verdict(readable=False)


def test_a_right_drawing_scores_one_and_a_blur_none(chosen):
    right, none = scores(looks(chosen, knows)), scores(looks(chosen, blind))
    assert all(right[task] == 1 and none[task] == 0 for task in (*TASKS, "overall"))
    assert right["shuffled_prompts"]["rate"] < 0.35
    assert none["readable"]["rate"] == 0
    low, high = right["intervals"]["colors"]
    assert 0.3 < low < high == 1  # three prompts are few


def test_overall_is_the_mean_of_the_six(chosen):
    half = scores(looks(chosen, lambda p: knows(p) if p.task in GENEVAL[:3] else blind(p)))
    assert half["overall"] == 0.5
    assert half["style"] == 0


def test_images_of_one_composition_are_one_cluster(chosen):
    some = [look for look in looks(chosen, knows) if look.prompt.task == "colors"]
    assert clusters(some) == [[True, True]] * 3
    assert [*grouped(some, [look.passed for look in some]).values()] == [[True, True]] * 3


def test_four_paintings_of_a_prompt_are_not_four_looks(chosen):
    """Control: Wilson over the paintings takes them for that, and halves the interval."""
    groups = {f"prompt {i}": [i % 2 == 0] * 4 for i in range(50)}
    found, plain = rate_of(groups), rate([hit for hits in groups.values() for hit in hits])
    assert (found["rate"], found["of"], found["clusters"]) == (plain["rate"], 200, 50)
    assert found["high"] - found["low"] > 1.9 * (plain["high"] - plain["low"])
    assert merged([groups, groups])["prompt 0"] == [True] * 8
    assert (rate_of({})["rate"], rate_of({})["high"]) == (None, 1.0)


def test_shuffled_prompts_leave_only_chance(chosen):
    """With the truth the two agree; a judge that says yes to everything is found out."""
    some = [look for look in looks(chosen, knows) if look.prompt.task == "two_object"]
    seen, chance = shuffled(some, 2)
    assert seen == chance
    assert [*seen.values()] == [[False, False]] * 3
    assert not shuffled(some, 0)[0]  # against themselves there is nothing to ask


def report(**changed):
    rates = {"of": 200, "plain": 0.97, "blurred_rejected": 0.99, "noise_rejected": 1.0}
    rates |= {"shuffled_prompts": 0.03, "chance": 0.02} | changed
    return {
        "styles": {"plain": {"rate": rates.pop("plain"), "of": rates.pop("of")}},
        "controls": {name: {"rate": value} for name, value in rates.items()},
    }


def test_a_judge_is_trusted_only_when_all_its_trials_are_passed():
    assert trusted(report())
    worse = {"of": 8, "plain": 0.94, "blurred_rejected": 0.5, "noise_rejected": 0.9, "shuffled_prompts": 0.2}
    assert not any(trusted(report(**{name: value})) for name, value in worse.items())


class Knowing:
    """Knows the scene behind each real picture, by its pixels; nothing else can it read."""

    def __init__(self, scenes):
        self.known = {pixels(Image.fromarray(render(scene, 64))).tobytes(): truth(scene) for scene in scenes}

    def see(self, images):
        return [self.known.get(pixels(image).tobytes(), Verdict(readable=False)) for image in images]


def test_the_trial_finds_a_knowing_judge_right_and_a_blind_one_wrong(chosen, monkeypatch):
    from salon.judge import scoring
    from salon.judge.prompts import again

    monkeypatch.setattr(scoring, "ENOUGH", 4)
    some = {task: chosen[task][:2] for task in ("single_object", "style")}
    fresh = []
    monkeypatch.setattr(scoring, "sample_scene", lambda *a: fresh.append(sample_scene(*a)) or fresh[-1])
    monkeypatch.setattr(scoring.words, "STYLES", {"pencil": ()})
    scoring.styles(Knowing([]), 4)  # notes which scenes it asks for
    from msgspec.structs import replace

    drawn = [replace(s, style=style) for s in fresh for style in (None, "pencil")]
    known = Knowing([s for ps in some.values() for p in ps for s in again(p.scene, 2)] + drawn)
    found, real = validate(known, some, 2)
    assert found["trusted"]
    assert found["accuracy"]["rate"] == found["tasks"]["style"]["rate"] == found["styles"]["pencil"]["rate"] == 1
    assert found["controls"]["blurred_rejected"]["rate"] == 1
    assert len(real) == 8
    blinded, _ = validate(Knowing([]), some, 2)
    assert not blinded["trusted"]
    assert blinded["accuracy"]["rate"] == 0


def test_the_sheet_holds_every_look(chosen):
    some = spread(looks(chosen, knows), 12)
    page = np.asarray(sheet(some, 4))
    assert page.shape[1] == 4 * 208
    assert len(some) == 12
    assert len(np.unique(page.reshape(-1, 3), axis=0)) > 20  # boxes and words, not paper alone


@pytest.fixture
def salon(weights, tmp_path):
    def run(*arguments, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALON_", "DJANGO_"))}
        kept["SALON_GRAPHS"] = os.environ["SALON_GRAPHS"]
        kept |= {"SALON_WEIGHTS": str(weights), "SALON_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"} | more
        command = [str(SALON), "judge", "world", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=kept, timeout=900)
        assert "Traceback" not in done.stderr
        return done

    return run


def test_the_command_judges_a_real_model_and_goes_on(salon, tmp_path):
    """The real path: a tiny model draws, a hardly trained judge looks. Told again, nothing is drawn twice."""
    arguments = ("--model", "tiny", "--limit", 1, "--seeds", 2, "--json")
    done = salon(*arguments, "--sheet", "looked/at.png")
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    for key in (*TASKS, "overall", "judge_accuracy"):
        assert 0 <= out[key] <= 1
    assert set(out["intervals"]) == {*TASKS, "overall"}
    assert all(0 <= low <= out[task] <= high <= 1 for task, (low, high) in out["intervals"].items())
    assert (out["model"]["name"], out["images"], out["seeds"]) == ("tiny", 18, 2)
    assert len(out["judge"]["weights_sha256"]) == len(out["model"]["weights_sha256"]) == 64
    assert set(out["judge"]["tasks"]) == set(TASKS)
    assert out["judge"]["same_world"]
    assert not out["judge"]["trusted"]
    assert "not passed its own trial" in done.stderr
    assert Image.open(tmp_path / "looked" / "at.png").width == 10 * 208
    kept = sorted((tmp_path / "home" / "judge" / "images").rglob("*.png"))
    times = [path.stat().st_mtime_ns for path in kept]
    assert len(kept) == 18
    again = json.loads(salon(*arguments).stdout)
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert again | {"seconds": 0} == out | {"seconds": 0}


def test_validation_alone_draws_nothing_and_reads_well(salon, tmp_path):
    done = salon("--validate", "--limit", 1, "--seeds", 1)
    assert done.returncode == 0, done.stderr
    assert "blurred rejected" in done.stdout
    assert "not to be set beside" in done.stdout
    assert not (tmp_path / "home" / "judge").exists()


def test_what_is_missing_is_said(salon, tmp_path):
    (tmp_path / "empty").mkdir()
    unknown = salon("--model", "nobody")
    assert unknown.returncode == 2
    assert "nobody" in unknown.stderr
    wrong = salon("--sheet", "sheet.docx")
    assert wrong.returncode == 2
    assert "ending" in wrong.stderr
