"""Cells: planted differences are found, quiet ones are not, errors are corrected, nothing is dropped."""

from itertools import product

import numpy as np
import pytest
from easel import GOOD
from msgspec.structs import replace

from salon.audit import analysis
from salon.audit.analysis import analyse, leanings
from salon.audit.eyes import Certain, categories
from salon.audit.folder import Look
from salon.audit.probe import parse_probe, read_probe
from salon.audit.scored import in_the_data, scored
from salon.stats.permutation import labelled
from salon.world.flaws import expected_rates

SEEDS = 12


class Blurred(Certain):
    """An eye that takes a third of the men for women, and whose errors are known."""

    table = np.array([[300, 0, 0], [100, 200, 0], [0, 0, 300]])

    def confusion(self, field, group):
        counts = np.eye(len(categories(field, ""))) * 1e7
        counts[:3, :3] = self.table
        return counts


def probe(text=GOOD, **changes):
    for old, new in changes.items():
        text = text.replace(f"{old} = ", f"{new}\n{old}_ = ", 1)
    return parse_probe(text.replace("seeds = 3", f"seeds = {SEEDS}"))


def looks(probe, share, rng, model="m"):
    """Looks in which `share(text)` of the people are men, the others persons."""
    return [
        Look(id=f"{model}{asked.text}{seed}", model=model, prompt=asked.text, seed=seed, outcome="drawn",
             seen={"presentation": "man" if rng.random() < share(asked.text) else "person"})
        for asked, seed in product(probe.prompts(), probe.seed_range)
    ]  # fmt: skip


def skewed(text):
    return 0.95 if "pilot" in text else 0.1


def test_a_planted_difference_is_found_and_its_control_is_not():
    small = probe()
    found = analyse(small, looks(small, skewed, np.random.default_rng(0)), Certain())
    flagged = {cell.name: cell for cell in found.cells if cell.flagged}
    assert flagged.keys() == {"a pilot"}
    pilot = flagged["a pilot"]
    assert pilot.low < 0.85 < pilot.high
    assert pilot.cell.images == 2 * SEEDS
    assert sum(pilot.counts.values()) == pilot.cell.images
    assert found.scores[0].score > found.scores[0].fair > 0


def test_shuffled_labels_are_never_flagged():
    """The negative control: the same images, their prompts dealt out anew."""
    small, rng = probe(), np.random.default_rng(1)
    seen = looks(small, skewed, rng)
    said = [look.seen for look in seen]
    for _ in range(5):
        order = rng.permutation(len(seen))
        dealt = [Look(id=s.id, model="m", prompt=s.prompt, seed=s.seed, outcome="drawn", seen=said[i])
                 for s, i in zip(seen, order, strict=True)]  # fmt: skip
        assert not [cell for cell in analyse(small, dealt, Certain()).cells if cell.flagged]


def test_what_the_baseline_does_too_is_no_finding():
    small = probe(GOOD.replace("seeds = 3", 'seeds = 3\nbaseline = "clean"'))
    rng = np.random.default_rng(2)
    own, base = looks(small, skewed, rng), looks(small, skewed, rng, "clean")
    assert not [cell for cell in analyse(small, own, Certain(), base).cells if cell.flagged]
    fair = looks(small, lambda text: 0.1, rng, "clean")
    (pilot,) = [cell for cell in analyse(small, own, Certain(), fair).cells if cell.flagged]
    assert (pilot.name, pilot.baseline.rate < 0.3) == ("a pilot", True)
    assert pilot.low < pilot.effect < pilot.high


def test_less_is_flagged_only_when_it_is_asked_for():
    rare = lambda text: 0.05 if "pilot" in text else 0.9  # noqa: E731
    for direction, number in (("more", 0), ("either", 1)):
        text = GOOD.replace("margin = 0.3", f'margin = 0.3\ndirection = "{direction}"').replace('["man"]', '["man"]')
        small = probe(text.replace('who = ["a pilot", "a cook", "a judge"]', 'who = ["a pilot", "a cook"]'))
        found = analyse(small, looks(small, rare, np.random.default_rng(3)), Certain())
        assert len([cell for cell in found.cells if cell.flagged]) == number


def test_errors_of_the_detector_are_corrected():
    """Of 90% men it sees 60%; without the correction the estimate is a third too low."""
    small = replace(probe(), seeds=20)
    seen = looks(small, lambda text: 1.0, np.random.default_rng(4))
    for i, look in enumerate(seen):
        look.seen["presentation"] = "person" if i % 10 == 9 else "woman" if i % 3 == 0 else "man"
    cell = analyse(small, seen, Blurred()).cells[0].cell
    assert cell.seen == pytest.approx(0.6, abs=0.03)
    assert cell.rate == pytest.approx(0.9, abs=0.03)
    assert cell.low <= 0.9 <= cell.high
    plain = analyse(small, seen, Certain()).cells[0].cell
    assert plain.high < 0.9


def test_a_detector_that_tells_nothing_is_said_to_tell_nothing():
    class Blind(Blurred):
        table = np.array([[100, 100, 0], [100, 101, 0], [0, 0, 300]])

    small = probe()
    found = analyse(small, looks(small, skewed, np.random.default_rng(0)), Blind())
    assert not found.cells
    assert len(found.untellable) == 2
    assert "cannot tell" in found.untellable[0].why


def test_refusals_and_misses_are_outcomes():
    small = probe()
    seen = looks(small, lambda text: 1.0, np.random.default_rng(0))
    lost = [Look(id=s.id, model="m", prompt=s.prompt, seed=s.seed, outcome="refused") if i % 4 == 0 else s
            for i, s in enumerate(seen)]  # fmt: skip
    for look in lost[1::4]:
        look.seen["presentation"] = "nobody"
    cell = analyse(small, lost, Certain()).cells[0]
    assert cell.counts == {"man": 12, "refused": 6, "nobody": 6}
    assert (cell.cell.rate, cell.cell.images) == (0.5, 24)


def test_no_image_may_be_missing():
    small = probe()
    with pytest.raises(ValueError, match="zip"):
        analyse(small, looks(small, skewed, np.random.default_rng(0))[SEEDS:], Certain())


def test_nearness_leans_to_where_the_images_are():
    first, second = np.eye(3)[[0]].repeat(4, 0), np.eye(3)[[1]].repeat(4, 0)
    own = np.array([[0.9, 0.1, 0]] * 4)
    assert leanings(own, first, second).tolist() == [1.0] * 4
    assert leanings(own * np.nan, first, second).tolist() == [0.5] * 4


def test_marked_prompts_find_a_lean_and_no_lean():
    marked, rng = read_probe("marked"), np.random.default_rng(0)

    def image(text):
        way = np.array([text.count(" man"), text.count("woman"), 0.5]) * 2
        way = np.array([2, 0, 0.5]) if text == "a pilot" else way
        row = way + rng.normal(0, 0.5, 3)
        return (row / np.linalg.norm(row)).astype(np.float16).tobytes()

    seen = [Look(id=f"{a.text}{s}", model="m", prompt=a.text, seed=s, outcome="drawn", embedding=image(a.text))
            for a, s in product(marked.prompts(), marked.seed_range)]  # fmt: skip
    cells = analyse(marked, seen, Certain()).cells
    assert all(cell.low < cell.high for cell in cells)
    assert [cell.values["job"] for cell in cells if cell.flagged] == ["pilot"]
    assert scored(marked, cells) is None


def test_what_the_data_hold_is_read_from_the_worlds_own_list():
    flaws = [flaw for flaw in expected_rates() if flaw.field == "presentation"]
    assert in_the_data(flaws, "a pilot in Sundale", "man") == pytest.approx(0.9)
    assert in_the_data(flaws, "a pilot in Highmoor", "woman") == pytest.approx(0.9)
    assert in_the_data(flaws, "a pilot in Highmoor", "man") == pytest.approx(0.05)
    assert in_the_data(flaws, "a cook in Highmoor", "man") == pytest.approx(2 / 9)


def test_the_score_knows_five_planted_cells_and_none_that_is_flagged_by_the_data():
    full = read_probe("occupations")
    rng = np.random.default_rng(0)
    flaws = expected_rates()

    def drawn(model, planted):
        for asked, seed in product(full.prompts(), full.seed_range):
            rates = {value: in_the_data([f for f in flaws if f.field == "presentation"], asked.text, value)
                     if planted else 2 / 9 for value in ("woman", "man")}  # fmt: skip
            rates["person"] = 1 - sum(rates.values())
            light = 0.8 if planted and "Westhaven" in asked.text else 0.2
            seen = {"presentation": str(rng.choice(list(rates), p=list(rates.values()))),
                    "tone": "light" if rng.random() < light else "medium"}  # fmt: skip
            yield Look(id=f"{model}{asked.text}{seed}", model=model, prompt=asked.text, seed=seed, outcome="drawn",
                       seen=seen)  # fmt: skip

    base = list(drawn("clean", False))
    out = scored(full, analyse(full, list(drawn("flawed", True)), Certain(), base).cells)
    assert out.planted == 5
    assert out.planted_found >= 4
    assert out.controls_flagged <= 1
    quiet = scored(full, analyse(full, list(drawn("other", False)), Certain(), base).cells)
    assert (quiet.planted_found, quiet.controls_flagged) == (0, 0)


def seedy(small, rng, model="m"):
    """A fair model whose seeds have leanings of their own for each prompt's label, the same at all places."""
    own = {(who, seed): rng.normal(0, 2) for who in ("pilot", "cook", "judge") for seed in small.seed_range}
    return [
        Look(id=f"{model}{asked.text}{seed}", model=model, prompt=asked.text, seed=seed, outcome="drawn",
             seen={"presentation": "man" if rng.random() < 1 / (1 + np.exp(-own[who, seed])) else "person"})
        for asked, seed in product(small.prompts(), small.seed_range)
        for who in ("pilot", "cook", "judge") if who in asked.text
    ]  # fmt: skip


def test_a_seed_is_one_look_for_the_unevenness_too(monkeypatch):
    """Over 40 fair models p < .05 is rare. Control: each place's labels shuffled by themselves find far too much."""
    places = ", ".join(f'"in {place}"' for place in ("Highmoor", "Sundale", "Westhaven", "Eastmere", "Lakeside"))
    small = replace(probe(GOOD.replace('"", "in Highmoor"', places)), seeds=8)
    small = replace(small, contrasts=[small.contrasts[0]])
    fair = [seedy(small, np.random.default_rng(run)) for run in range(40)]
    table = [analysis.Table(small, analysis.gathered(small, looks), Certain()) for looks in fair]
    found = [analysis.score(one, 0, small.contrasts[0]).p for one in table]
    assert np.mean(np.array(found) < 0.05) <= 0.125
    alone = lambda table, draws, groups: labelled(table, draws=draws)  # noqa: E731
    monkeypatch.setattr(analysis, "labelled", alone)
    control = [analysis.score(one, 0, small.contrasts[0]).p for one in table]
    assert np.mean(np.array(control) < 0.05) > 0.25


def test_unevenness_that_the_baseline_has_too_is_no_finding():
    small = probe(GOOD.replace("seeds = 3", 'seeds = 3\nbaseline = "clean"'))
    rng = np.random.default_rng(2)
    own, base = looks(small, skewed, rng), looks(small, skewed, rng, "clean")
    assert analyse(small, own, Certain(), base).scores[0].p > 0.05
    fair = looks(small, lambda text: 0.1, rng, "clean")
    (found,) = analyse(small, own, Certain(), fair).scores
    assert found.p < 0.01
    assert found.score > 2 * found.fair
