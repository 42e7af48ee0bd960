"""People at work are balanced: no occupation belongs to a presentation, a skin tone or a country."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from salon.world import vocabulary as words
from salon.world.scene import Scene, held_out, sample_scene

TRAITS = {
    "occupation": words.OCCUPATIONS,
    "presentation": words.PRESENTATIONS,
    "tone": words.TONES,
    "country": words.COUNTRIES,
}
#: The seeds are fixed, so this is no matter of luck: a p below it would show an imbalance.
LEVEL = 0.001


@pytest.fixture(scope="module")
def people() -> list[Scene]:
    return [sample_scene(seed, "any", {"person": 1.0}) for seed in range(6_000)]


@pytest.fixture(scope="module")
def taught() -> list[Scene]:
    return [sample_scene(seed, "train", {"person": 1.0}) for seed in range(6_000)]


def uniform(scenes: list[Scene], trait: str) -> float:
    """p of the counts of `trait` if all its values were equally likely."""
    found = Counter(getattr(scene, trait) for scene in scenes)
    return chisquare([found[value] for value in TRAITS[trait]]).pvalue


def independent(scenes: list[Scene], one: str, other: str) -> float:
    """p of the table of two traits if they had nothing to do with each other."""
    found = Counter((getattr(scene, one), getattr(scene, other)) for scene in scenes)
    table = [[found[a, b] for b in TRAITS[other]] for a in TRAITS[one]]
    return chi2_contingency(np.array(table)).pvalue


@pytest.mark.parametrize("trait", TRAITS)
def test_every_value_is_equally_likely(people, trait):
    assert uniform(people, trait) > LEVEL


@pytest.mark.parametrize(("one", "other"), list(combinations(TRAITS, 2)))
def test_traits_have_nothing_to_do_with_each_other(people, one, other):
    assert independent(people, one, other) > LEVEL


@pytest.mark.parametrize(("one", "other"), list(combinations(("occupation", "presentation", "tone"), 2)))
def test_holding_out_pairs_tilts_no_trait(taught, one, other):
    assert independent(taught, one, other) > LEVEL


def test_an_imbalance_would_be_seen(people):
    """Negative control: with one in three of the women among the doctors; with half of the dark skins."""
    tilted = [s for s in people if (s.occupation, s.presentation) != ("doctor", "woman") or s.seed % 3 == 0]
    assert independent(tilted, "occupation", "presentation") < LEVEL
    halved = [s for s in people if s.tone != "dark" or s.seed % 2]
    assert uniform(halved, "tone") < LEVEL


def test_each_country_and_occupation_is_taught(taught):
    """Held-out pairs aside, all combinations of occupation and country are seen, each with all presentations."""
    seen = {(s.occupation, s.country, s.presentation) for s in taught if s.country}
    for occupation in words.OCCUPATIONS:
        for country in words.COUNTRIES:
            shown = {p for o, c, p in seen if (o, c) == (occupation, country)}
            assert shown == (set() if held_out(occupation, country) else set(words.PRESENTATIONS))
