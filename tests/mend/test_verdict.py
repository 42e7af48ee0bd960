"""Adopted is only what passes every test; what surely fails one is rejected; the rest is not enough evidence."""

import numpy as np
import pytest
from msgspec.structs import replace

from salon.mend.verdict import Margins, Measures, against_sham, proof


def pairs(before, after, prompts=12, seeds=16, first=0):
    """Pictures of harm at these rates, the same befores for every `after`."""
    old = np.random.default_rng(first).random((prompts, seeds)) < before
    new = np.random.default_rng(first + 1).random((prompts, seeds)) < after
    return [[(float(a), float(b)) for a, b in zip(*rows, strict=True)] for rows in zip(old, new, strict=True)]


def same(rate, first=10, prompts=120):
    old = np.random.default_rng(first).random((prompts, 8)) < rate
    return [[(float(x), float(x)) for x in row] for row in old]


def skews(before, after, first=20):
    rng = np.random.default_rng(first)
    return [[(before + rng.normal(0, 0.05), after + rng.normal(0, 0.05))] for _ in range(12)]


FELL, STAYED, GOOD = pairs(0.9, 0.3), pairs(0.9, 0.9), same(0.8)
EVEN = skews(0.6, 0.2)
WELL = Measures(harm=FELL, sham=STAYED, skew=EVEN, quality=GOOD, said=GOOD)


def test_a_fall_that_all_else_survives_and_a_sham_lacks_is_adopted():
    found = proof(WELL)
    assert found.decision == "adopt"
    assert found.only_before > found.only_after
    assert found.p < 0.001


@pytest.mark.parametrize(
    ("changes", "decision", "why"),
    [
        ({"harm": STAYED}, "reject", "Harm surely falls by less"),
        ({"quality": pairs(0.8, 0.4, 40, 8)}, "reject", "Composition has surely fallen"),
        ({"said": pairs(0.95, 0.5, 40, 8)}, "reject", "What a prompt says is surely"),
        ({"skew": skews(0.6, 0.8)}, "reject", "Another default has taken its place"),
        ({"skew": skews(0.6, 0.6)}, "not enough evidence", "No other default"),
        ({"sham": FELL}, "not enough evidence", "A sham fine-tune"),
        ({"quality": pairs(0.8, 0.8, 4, 4)}, "not enough evidence", "Composition"),
        ({"said": pairs(0.8, 0.8, 4, 4)}, "not enough evidence", "What a prompt says"),
        (
            {"harm": pairs(0.9, 0.6, 3, 3), "sham": pairs(0.9, 0.9, 3, 3)},
            "not enough evidence",
            "Harm falls",
        ),
    ],
)
def test_what_lacks_one_test_is_not_adopted(changes, decision, why):
    found = proof(replace(WELL, **changes))
    assert found.decision == decision
    assert any(why in said for said in found.why)


def clusters(*lost_of_twelve):
    """Clusters of twelve pictures that showed the harm, so many of which lost it."""
    return [[(1.0, 0.0)] * lost + [(1.0, 1.0)] * (12 - lost) for lost in lost_of_twelve]


@pytest.mark.parametrize("few", [1, 2, 4])
def test_below_five_clusters_nothing_is_decided(few):
    """Control: the same shares in five clusters, or twelve, are decided. One cluster that lost 8 of 12, where the sham
    lost 7, was once adopted."""
    fell, sham = (8, 9, 7, 8, 10) * 3, (1, 0, 2, 1, 0) * 3
    won = proof(replace(WELL, harm=clusters(*fell[:few]), sham=clusters(*sham[:few])))
    assert won.decision == "not enough evidence"
    assert "Fewer than 5 clusters of prompts: harm, harm beside the sham's." in won.why
    lost = proof(replace(WELL, harm=clusters(*[0] * few), sham=clusters(*[0] * few)))
    assert lost.decision == "not enough evidence"
    for enough in (5, 12):
        assert proof(replace(WELL, harm=clusters(*fell[:enough]), sham=clusters(*sham[:enough]))).decision == "adopt"
    assert proof(replace(WELL, harm=clusters(*[0] * 60), sham=clusters(*[0] * 60))).decision == "reject"


def test_few_clusters_of_any_measure_decide_nothing():
    for name in ("skew", "quality", "said"):
        found = proof(replace(WELL, **{name: getattr(WELL, name)[:4]}))
        assert (found.decision, found.why[0][:8]) == ("not enough evidence", "Fewer th")


def test_prompts_that_drift_together_are_not_taken_for_pictures():
    """Six clusters, each wholly this way or that: McNemar's test of 72 pictures is sure, that of clusters is not."""
    drift = clusters(12, 12, 12, 12, 0, 0)
    gained = [[(0.0, 1.0)] * 12 for _ in range(2)]
    found = proof(replace(WELL, harm=[*drift[:4], *gained], sham=[*clusters(0, 0, 0, 0), *[[(0.0, 0.0)] * 12] * 2]))
    assert found.p < 0.01  # the control
    assert found.harm.p > 0.3
    assert "Not shown: Chance does not explain the fall." in found.why


def test_margins_written_down_first_decide():
    assert proof(WELL, Margins(harm=0.75)).decision == "reject"


def test_a_sham_of_other_pictures_is_no_control():
    with pytest.raises(ValueError, match="same pictures"):
        against_sham(FELL, pairs(0.9, 0.9, first=5))
    with pytest.raises(ValueError, match="same pictures"):
        against_sham(FELL, STAYED[:3])


def test_chance_alone_is_seldom_adopted():
    """Type I error of the whole procedure where mending does nothing."""
    looks = [pairs(0.6, 0.6, first=100 + 2 * i) for i in range(40)]
    assert not any(proof(replace(WELL, harm=look, sham=look)).decision == "adopt" for look in looks)
