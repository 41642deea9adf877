"""What annotators differ in, added to intervals: by hand, and by simulation."""

import numpy as np
import pytest
from scipy.stats import norm, t

from sklearn_hypo._inference._between_annotators import (
    Spread,
    find_verdicts,
    widen_intervals,
    widen_p_values,
)

Z = norm.isf(0.025)


def widen(estimates, vote, se):
    vote, se = np.atleast_1d(vote), np.atleast_1d(se)
    spread = Spread.of(np.array(estimates, dtype=float))
    return *widen_intervals(vote, vote - Z * se, vote + Z * se, spread), spread


def test_by_hand():
    # m = 3, W = 0.04, B = 0.01: T = 0.04 + 0.01 / 3
    lower, upper, ratio, spread = widen([[0.4], [0.5], [0.6]], 0.7, 0.2)
    added = 0.01 / 3
    df = 2 * (1 + 0.04 / added) ** 2
    half = t.isf(0.025, df) * np.sqrt(0.04 + added)
    assert [lower[0], upper[0]] == pytest.approx([0.7 - half, 0.7 + half])
    assert ratio[0] == pytest.approx(added / 0.04)
    assert (spread.sd[0], spread.smallest[0], spread.largest[0]) == pytest.approx(
        (0.1, 0.4, 0.6)
    )
    score = norm.isf(0.002 / 2) / np.sqrt(1 + added / 0.04)
    p = widen_p_values(np.array([0.002]), ratio, spread.n)
    assert p[0] == pytest.approx(2 * t.sf(score, df))
    # two do not vote: all of their variance counts
    _, upper, ratio, _ = widen([[0.4], [0.6]], 0.4, 0.2)
    assert ratio[0] == pytest.approx(0.02 / 0.04)
    half = t.isf(0.025, (1 + 0.04 / 0.02) ** 2) * np.sqrt(0.04 + 0.02)
    assert upper[0] == pytest.approx(0.4 + half)


def test_nothing_changes_where_annotators_agree():
    vote = np.array([0.3, -0.2]), np.array([0.1, -0.9]), np.array([1.0, 0.1])
    spread = Spread.of(np.tile(vote[0], (3, 1)))
    lower, upper, ratio = widen_intervals(*vote, spread)
    # an interval that leans to one side keeps its shape
    np.testing.assert_allclose(lower, vote[1])
    np.testing.assert_allclose(upper, vote[2])
    for p in ([1e-12, 0.3], [0.999, 1e-300]):
        found = widen_p_values(np.array(p), ratio, spread.n)
        np.testing.assert_allclose(found, p, rtol=1e-9)
        found = widen_p_values(np.array(p), ratio, spread.n, two_sided=False)
        np.testing.assert_allclose(found, p, rtol=1e-9)


def test_the_p_value_goes_with_the_interval():
    """Where a test is of an estimate over its error, 0 is excluded if p < 0.05."""
    rng = np.random.default_rng(0)
    vote = rng.normal(scale=3, size=500)
    for m in (2, 3, 5):
        lower, upper, ratio, spread = widen(
            vote + rng.normal(size=(m, 500)), vote, np.ones(500)
        )
        p = widen_p_values(2 * norm.sf(np.abs(vote)), ratio, spread.n)
        excludes = (lower > 0) | (upper < 0)
        assert 50 < excludes.sum() < 450
        np.testing.assert_array_equal(p < 0.05, excludes)


def test_two_annotators_are_needed():
    nan = np.nan
    estimates = [[0.4, 0.2, nan], [0.5, nan, nan], [nan, nan, nan]]
    lower, _, ratio, spread = widen(estimates, [0.4, 0.2, 0.1], [1.0, 1.0, 1.0])
    assert spread.n.tolist() == [2, 1, 0]
    assert np.isfinite(lower).tolist() == [True, False, False]
    p = widen_p_values(np.full(3, 0.01), ratio, spread.n)
    assert np.isfinite(p).tolist() == [True, False, False]


def test_extreme_values():
    n = np.array([3])
    assert 0 <= widen_p_values(np.zeros(1), np.zeros(1), n)[0] < 1e-200
    assert widen_p_values(np.ones(1), np.ones(1), n)[0] == pytest.approx(1)
    # an interval of no width: all of it is what annotators differ in
    lower, _, _, _ = widen([[1.0], [1.2], [1.4]], 1.2, 0.0)
    assert lower[0] == pytest.approx(1.2 - t.isf(0.025, 2) * np.sqrt(0.04 / 3))
    _, upper, _ = widen_intervals(
        *np.array([[1.0], [0.5], [np.inf]]), Spread.of(np.array([[1.0], [1.1]]))
    )
    assert upper[0] == np.inf


@pytest.mark.parametrize("m", [2, 3, 5])
def test_intervals_cover_where_annotators_differ(m):
    """A vote that moves with its annotators as a mean does, or is one of two."""
    rng = np.random.default_rng(m)
    n, over = 20_000, 1.0
    texts = rng.normal(size=n)  # shared by all annotators
    estimates = texts + rng.normal(size=(m, n)) * np.sqrt(over)
    vote = estimates[0] if m == 2 else estimates.mean(axis=0)
    lower, upper, _, _ = widen(estimates, vote, np.ones(n))
    covered = np.mean((lower < 0) & (upper > 0))
    assert {2: 0.90, 3: 0.935, 5: 0.94}[m] < covered < 0.98
    assert np.mean(np.abs(vote) < Z) < {2: 0.86, 3: 0.92, 5: 0.94}[m]


def test_verdicts():
    found = find_verdicts([2.0, -1.0, 3.0, np.nan], [True, True, False, False])
    assert found.tolist() == [1, -1, 0, 0]
