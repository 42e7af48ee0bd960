"""The closed-form edit: against the equation solved by least squares, and at its two ends."""

import numpy as np
import pytest

from salon.mend.editing import edited, pull
from salon.mend.splitting import MendError

RNG = np.random.default_rng(0)
WEIGHT, SOURCES, TARGETS, KEPT = (RNG.standard_normal(shape) for shape in ((5, 8), (2, 8), (2, 8), (3, 8)))


def test_it_is_the_least_squares_solution_of_what_is_asked():
    """Each wish as rows of one system, solved by a library."""
    hold, ridge = 2.0, 0.3
    rows = np.concatenate([SOURCES, KEPT * hold**0.5, np.eye(8) * ridge**0.5])
    wanted = np.concatenate([TARGETS, KEPT * hold**0.5, np.eye(8) * ridge**0.5]) @ WEIGHT.T
    by_library = np.linalg.lstsq(rows, wanted, rcond=None)[0].T
    assert np.allclose(edited(WEIGHT, SOURCES, TARGETS, KEPT, hold, ridge), by_library)


def test_a_small_ridge_gives_the_targets_and_leaves_what_is_kept():
    new = edited(WEIGHT, SOURCES, TARGETS, KEPT, 1.0, 1e-9)
    assert np.allclose(new @ SOURCES.T, WEIGHT @ TARGETS.T, atol=1e-6)
    assert np.allclose(new @ KEPT.T, WEIGHT @ KEPT.T, atol=1e-6)
    assert pull(WEIGHT, new, KEPT) < 1e-6 < pull(WEIGHT, new, SOURCES)


def test_a_large_ridge_changes_nothing_and_targets_that_are_sources_neither():
    assert np.allclose(edited(WEIGHT, SOURCES, TARGETS, KEPT, 1.0, 1e9), WEIGHT, atol=1e-6)
    assert np.allclose(edited(WEIGHT, SOURCES, SOURCES, KEPT), WEIGHT)


def test_without_anything_kept_the_kept_move():
    """Control of `kept`."""
    free = edited(WEIGHT, SOURCES, TARGETS, np.zeros((0, 8)), ridge=1e-3)
    held = edited(WEIGHT, SOURCES, TARGETS, KEPT, 10.0, 1e-3)
    assert pull(WEIGHT, free, KEPT) > 10 * pull(WEIGHT, held, KEPT)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        edited(WEIGHT, SOURCES, TARGETS[:1], KEPT)
    with pytest.raises(ValueError, match="ridge"):
        edited(WEIGHT, SOURCES, TARGETS, KEPT, ridge=0)
    with pytest.raises(MendError, match="not finite"):
        edited(WEIGHT * np.inf, SOURCES, TARGETS, KEPT)
