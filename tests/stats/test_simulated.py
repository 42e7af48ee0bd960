"""How often what is said of numbers is right, by simulation, the old way beside it as the control. scripts/simulate.py
makes the same with more runs: the figures in the docs."""

import runpy
from pathlib import Path

import numpy as np
import pytest

PARTS = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "simulate.py"), run_name="simulate")

pytestmark = pytest.mark.slow


def shares(part, runs, **more):
    return PARTS[part](runs, np.random.default_rng(11), **more)


def test_a_mean_of_few_clusters_is_covered():
    for case, share in shares("clusters", 300).items():
        assert share["t"] > 0.92, case
    assert shares("clusters", 300)["3 clusters"]["bootstrap"] < 0.8


def test_a_few_visitors_do_not_tell_equals_apart():
    found = shares("few", 150)
    assert found["2 visitors"]["floor"] <= 0.01
    assert found["2 visitors"]["none"] > 0.15
    assert max(share["floor"] for share in found.values()) < 0.1


def test_an_evening_of_looking_tells_no_equals_apart():
    found = shares("looking", 12, looks=24)
    assert max(share["sequences"] for share in found.values()) < 0.1
    assert found["15 machines, 24 looks"]["95% lines"] > 0.3


def test_places_are_right_together():
    found = shares("simultaneous", 8)
    assert min(share["together"] for share in found.values()) == 1
    assert found["60 machines"]["each pair"] < 0.8  # all of 60 places must be right at once


def test_a_fair_models_unevenness_is_found_as_seldom_as_said():
    found = shares("uneven", 100)
    assert max(share["seeds"] for share in found.values()) < 0.11
    assert found["seed effects of 2"]["places"] > 0.3


def test_a_mending_is_not_surely_rejected_by_one_cluster():
    found = shares("mend", 300)
    assert max(share["decided"] for share in found.values()) < 0.06
    assert found["1 held-out clusters"]["bootstrap"] > 0.3


def test_prompts_that_drift_are_no_proof():
    found = shares("drift", 300)
    assert max(share["clusters"] for share in found.values()) < 0.08
    assert found["drift of 1"]["McNemar"] > 0.15
