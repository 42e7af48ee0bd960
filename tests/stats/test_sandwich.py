"""The sandwich over voters that pass by, against the textbook's over a table of all of them."""

import tracemalloc

import numpy as np
import pytest
from scipy.special import expit

from salon.stats import sandwich
from salon.stats.bradley_terry import fit
from salon.stats.sandwich import ALONE, Votes, spread


def textbook(votes: Votes, rows, side, contrasts):
    """Variance, degrees of freedom and what one voter alone has told, of each contrast: every voter's share of the
    information as a matrix, all in one table [voters, directions, directions]."""
    turned = (rows[votes.a] - rows[votes.b] + side) * votes.told[:, None]
    voters, wide = int(votes.voter.max()) + 1, rows.shape[1]
    score, share = np.zeros((voters, wide)), np.zeros((voters, wide, wide))
    np.add.at(score, votes.voter, turned * votes.residual[:, None])
    np.add.at(share, votes.voter, turned[:, :, None] * turned[:, None, :])
    part, axes = np.linalg.eigh(share)
    alone = part > ALONE
    stretch = np.where(alone, 0.0, 1 / np.sqrt(np.maximum(1 - part, 1e-12)))
    towards = np.einsum("gij,ci->cgj", axes, contrasts)
    single = ((towards**2) * alone).sum((1, 2)) > 1e-9
    bent = np.einsum("gij,cgj->cgi", axes, towards * stretch)
    variance = (np.einsum("cgi,gi->cg", bent, score) ** 2).sum(1)
    reach = np.einsum("gij,cgj->cgi", share, bent)
    own = np.einsum("cgi,cgi->cg", bent, reach)
    whole = np.einsum("cg,gh->cgh", own, np.eye(voters)) - np.einsum("cgi,chi->cgh", reach, reach)
    freedom = np.trace(whole, axis1=1, axis2=2) ** 2 / np.maximum((whole**2).sum((1, 2)), 1e-15)
    return variance, np.maximum(freedom, 1.0), single


def crowd(rng, names, each):
    """Votes of as many voters as `each` has numbers, in coordinates where the information is the identity."""
    voter = np.repeat(np.arange(len(each)), each)
    a = rng.integers(names, size=len(voter))
    b = (a + 1 + rng.integers(names - 1, size=len(voter))) % names
    chance = expit(rng.normal(size=len(voter)))
    told = np.sqrt(rng.integers(1, 3, len(voter)) * chance * (1 - chance))
    basis = np.linalg.svd(np.eye(names) - 1 / names)[0][:, :-1]
    turned = (basis[a] - basis[b]) * told[:, None]
    values, vectors = np.linalg.eigh(turned.T @ turned)
    rows = basis @ (vectors / np.sqrt(values))
    return Votes(a, b, rng.normal(size=len(voter)), told, voter), rows, np.zeros(names - 1)


CROWDS = {
    "one vote each": [1] * 60,
    "few": [6, 8, 10, 6],
    "one of many": [1, 2, 2, 3, 7, 40, 90] * 3,
    "more votes than directions": [30] * 5,
    "one alone": [60, 1, 1],
}


@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize("names", [2, 5, 9])
def test_it_is_the_textbooks(name, names):
    rng = np.random.default_rng(names)
    votes, rows, side = crowd(rng, names, CROWDS[name])
    contrasts = rows - rows.mean(0)
    found = spread(votes, rows, side, contrasts)
    variance, freedom, single = textbook(votes, rows, side, contrasts)
    np.testing.assert_allclose(np.diag(found.covariance), variance, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found.freedom, freedom, rtol=1e-9)
    assert ((np.diag(found.lone) > 1e-9) == single).all()


@pytest.mark.parametrize("name", CROWDS)
def test_differences_have_at_least_the_freedom_that_is_said(name):
    rng = np.random.default_rng(5)
    votes, rows, side = crowd(rng, 6, CROWDS[name])
    one, other = np.triu_indices(6, 1)
    found = spread(votes, rows, side, rows)
    variance, freedom, _ = textbook(votes, rows, side, rows[one] - rows[other])
    own = np.diag(found.covariance)
    gaps = own[one] + own[other] - 2 * found.covariance[one, other]
    np.testing.assert_allclose(gaps, variance, rtol=1e-8, atol=1e-12)
    assert (found.between[one, other] <= freedom * (1 + 1e-9)).all()
    if name == "one of many":
        assert (found.between[one, other] > 0.5 * freedom).all()


def test_where_exact_freedom_is_too_much_work_it_is_bounded(monkeypatch):
    votes, rows, side = crowd(np.random.default_rng(2), 5, [2] * 300)
    exact = spread(votes, rows, side, rows)
    monkeypatch.setattr(sandwich, "WORK", 0)
    bounded = spread(votes, rows, side, rows)
    assert (bounded.freedom <= exact.freedom).all()
    assert (bounded.freedom > 0.95 * exact.freedom).all()
    np.testing.assert_array_equal(bounded.covariance, exact.covariance)


def peak(call) -> float:
    """MB that a call holds at most."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_voters_times_machines_squared():
    """Control: the textbook's table of 2,000 voters and 25 machines alone takes 9 MB, some dozen of which it makes."""
    votes, rows, side = crowd(np.random.default_rng(3), 25, [3] * 2_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandwich, "ROOM", 20_000)
        assert peak(lambda: spread(votes, rows, side, rows)) < 4
        double = crowd(np.random.default_rng(3), 25, [3] * 4_000)
        assert peak(lambda: spread(*double, rows)) < 4
    few = crowd(np.random.default_rng(3), 25, [3] * 200)
    assert peak(lambda: textbook(*few, rows)) > 5  # a tenth of the voters


def test_a_vote_more_or_less_moves_no_interval_far():
    """The paths for few and for many votes of one voter, and for one vote and several, are one method."""
    rng = np.random.default_rng(8)
    battles = [(*rng.choice(list("uvwxyz"), 2, replace=False), rng.choice(["a", "b"]), v % 40) for v in range(400)]
    whole = fit(battles).intervals()
    split = fit([*battles, ("u", "v", "tie", "new")]).intervals()
    for name, ends in whole.items():
        assert split[name] == pytest.approx(ends, abs=0.05)
