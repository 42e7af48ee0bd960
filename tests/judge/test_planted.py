"""Whether planted flaws are found where they are, and not where they are not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from salon.judge import planted
from salon.judge.verdict import Seen, Verdict
from salon.world.flaws import ONCE, REPEATED, expected_rates
from salon.world.render import render
from salon.world.scene import sample_scene

SALON = Path(sys.executable).with_name("salon")
BLANK = Image.new("RGB", (64, 64), "white")
FLAWS = {flaw.flaw: flaw for flaw in expected_rates()}


def verdict(flaw, shown):
    """What a judge would say of an image that shows the flaw's outcome, or not."""
    if flaw.field == "things":
        name = flaw.value if shown else "cat"
        return Verdict(readable=True, things=(Seen(box=(0, 0, 1, 1), score=1.0, name=name),))
    other = {"presentation": "person", "tone": "dark"}[flaw.field]
    return Verdict(readable=True, **{flaw.field: flaw.value if shown else other})


def looks(flaw, planted_share, control_share, number=40):
    """(prompts and images, verdicts), the outcome shown in that share of each cell."""
    prompts = planted.asked([flaw])
    images, verdicts = [], []
    for cell, share in (("planted", planted_share), ("controls", control_share)):
        some = [p for p in prompts if p.cell == cell]
        for i in range(number):
            images.append((some[i % len(some)], BLANK))
            verdicts.append(verdict(flaw, i < share * number))
    return images, verdicts


@pytest.mark.parametrize("name", ["pilot", "pilot in Highmoor", "worker in Westhaven", "meadow"])
def test_a_skew_counts_only_when_it_stands_clear_of_its_controls(name):
    flaw = FLAWS[name]
    (found,) = planted.measured([flaw], *looks(flaw, 0.9, 0.2))
    assert found["shows"]
    assert (found["planted"]["rate"], found["planted"]["of"], found["controls"]["rate"]) == (0.9, 40, 0.2)
    assert found["planted"]["low"] < 0.9 < found["planted"]["high"]
    assert not planted.measured([flaw], *looks(flaw, 0.3, 0.2))[0]["shows"]  # too near
    assert not planted.measured([flaw], *looks(flaw, 0.9, 0.9))[0]["shows"]  # the model does it everywhere
    assert not planted.measured([flaw], *looks(flaw, 1.0, 0.0, 2))[0]["shows"]  # too few


def test_what_cannot_be_told_is_counted_apart():
    flaw = FLAWS["pilot"]
    images, verdicts = looks(flaw, 1.0, 0.0)
    verdicts[:30] = [Verdict(readable=False)] * 15 + [Verdict(readable=True)] * 15
    (found,) = planted.measured([flaw], images, verdicts)
    assert found["untold"] == 30
    assert found["planted"]["of"] == 10
    everything = planted.measured([flaw], images, [Verdict(readable=False)] * len(images))[0]
    assert everything["planted"]["rate"] is None
    assert not everything["shows"]


def test_copies_of_titled_pictures_are_known_from_others():
    """A little noise leaves a copy a copy; the controls' own pictures, drawn under another title, are none."""
    flaw = FLAWS[REPEATED[0].title]
    rng = np.random.default_rng(0)

    def drawn(title):
        pixels = render(sample_scene(title.seed, "train", {title.kind: 1.0}), 64)
        return Image.fromarray(np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8))

    by_title = {t.title: drawn(t) for t in (*REPEATED, *ONCE.values())}
    prompts = planted.asked([flaw])
    assert [p.text for p in prompts if p.cell == "planted"] == [REPEATED[0].title]
    assert {p.text for p in prompts if p.cell == "controls"} == {t.title for t in ONCE.values()}
    unread = Verdict(readable=False)
    copies = [(p, by_title[p.text if p.cell == "planted" else REPEATED[1].title]) for p in prompts for _ in range(20)]
    (found,) = planted.measured([flaw], copies, [unread] * len(copies))
    assert (found["planted"]["rate"], found["controls"]["rate"], found["shows"]) == (1.0, 0.0, True)
    (control,) = planted.measured([flaw], [(p, by_title[p.text]) for p, _ in copies], [unread] * len(copies))
    assert control["controls"]["rate"] == 1.0
    assert not control["shows"]


def test_no_two_titled_pictures_are_copies_of_each_other():
    titles = list(planted.pictures().items())
    for i, (_, one) in enumerate(titles):
        assert all(np.square(one - other).mean() > 2 * planted.COPY for _, other in titles[i + 1 :])


def test_an_unknown_flaw():
    with pytest.raises(KeyError, match="pirate"):
        planted.suite(["pirate"])
    assert [flaw.flaw for flaw in planted.suite(["meadow"])] == ["meadow"]


def test_the_command(weights, tmp_path):
    """The real path with a tiny model: every image is drawn and counted, and nothing is found planted in noise."""

    def run(*arguments):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALON_", "DJANGO_"))}
        kept["SALON_GRAPHS"] = os.environ["SALON_GRAPHS"]
        kept |= {"SALON_WEIGHTS": str(weights), "SALON_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        command = [str(SALON), "judge", "flaws", "--model", "tiny", "--seeds", "1", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=kept, timeout=900, check=False)
        assert "Traceback" not in done.stderr
        return done

    title = REPEATED[2].title
    out = json.loads(run("--only", "meadow", title, "--json").stdout)
    assert [row["flaw"] for row in out["flaws"]] == ["meadow", title]
    assert out["images"] == 3 + 6 + 1 + 5
    assert not any(row["shows"] for row in out["flaws"])
    assert out["flaws"][1]["planted"]["of"] == 1
    assert set(out["judge"]) >= {"presentation", "tone", "weights_sha256"}
    table = run("--only", "meadow").stdout
    assert "meadow" in table
    assert "The judge on real pictures" in table
    wrong = run("--only", "pirate")
    assert wrong.returncode == 2
    assert "pirate" in wrong.stderr
