"""Scenes that several tests look at, drawn once."""

import pytest

from salon.world.scene import Scene, sample_scene


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """3,000 scenes as training sees them."""
    return [sample_scene(seed, "train") for seed in range(3_000)]


@pytest.fixture(scope="session")
def held_scenes() -> list[Scene]:
    """600 scenes that training never sees."""
    return [sample_scene(seed, "heldout") for seed in range(600)]


@pytest.fixture(scope="session")
def any_scenes() -> list[Scene]:
    """3,000 scenes before they are split."""
    return [sample_scene(seed, "any") for seed in range(3_000)]
