"""Rubin's rules over annotators, against hand-computed cases and simulation."""

import numpy as np
import pytest
from scipy.stats import norm, t

from sklearn_hypo._inference._between_annotators import (
    combine_estimates,
    combine_p_values,
    find_verdicts,
)

Z = norm.isf(0.025)


def combine(estimates, se):
    estimates, se = np.array(estimates, float), np.array(se, float)
    return combine_estimates(estimates, estimates - Z * se, estimates + Z * se)


def test_rubins_rules_by_hand():
    # m = 3, W = (0.01 + 0.04 + 0.01) / 3 = 0.02, B = 0.01: T = 0.02 + 4/3 * 0.01
    found = combine([[0.4], [0.5], [0.6]], [[0.1], [0.2], [0.1]])
    added = 4 / 3 * 0.01
    df = 2 * (1 + 0.02 / added) ** 2
    half = t.isf(0.025, df) * np.sqrt(0.02 + added)
    assert found.estimate[0] == pytest.approx(0.5)
    assert found.df[0] == pytest.approx(df)
    assert found.ratio[0] == pytest.approx(added / 0.02)
    assert [found.lower[0], found.upper[0]] == pytest.approx([0.5 - half, 0.5 + half])
    naive = Z * np.sqrt(0.02)
    assert found.naive_lower[0] == pytest.approx(0.5 - naive)
    assert found.naive_upper[0] == pytest.approx(0.5 + naive)
    assert (found.sd[0], found.smallest[0], found.largest[0]) == pytest.approx(
        (0.1, 0.4, 0.6)
    )


def test_annotators_that_agree_are_one():
    estimates = np.tile([0.3, -0.2, np.inf, 0.0], (3, 1))
    lower, upper = (
        np.tile([0.1, -0.9, 1.0, -1], (3, 1)),
        np.tile([1, 0.1, 2, 2], (3, 1)),
    )
    found = combine_estimates(estimates[:, :2], lower[:, :2], upper[:, :2])
    # the shape of an interval that leans to one side stays
    np.testing.assert_allclose(found.lower, [0.1, -0.9])
    np.testing.assert_allclose(found.upper, [1, 0.1])
    p = np.tile([1e-12, 0.3], (3, 1))
    np.testing.assert_allclose(combine_p_values(p, np.zeros(2), np.ones((3, 2))), p[0])
    np.testing.assert_allclose(combine_p_values(p, np.zeros(2)), p[0])


def test_the_p_value_goes_with_the_interval():
    """Where tests are of estimates over their errors, one excludes 0 if p < 0.05."""
    rng = np.random.default_rng(0)
    for m in (2, 3, 5):
        estimates = rng.normal(size=(m, 500)) + rng.normal(scale=3, size=500)
        found = combine(estimates, np.ones((m, 500)))
        p = 2 * norm.sf(np.abs(estimates))
        combined = combine_p_values(p, found.ratio, np.sign(estimates))
        excludes = (found.lower > 0) | (found.upper < 0)
        assert 20 < excludes.sum() < 480
        np.testing.assert_array_equal(combined < 0.05, excludes)


def test_opposite_signs_cancel():
    p = np.array([[1e-6], [1e-6]])
    signs = np.array([[1.0], [-1.0]])
    assert combine_p_values(p, np.zeros(1), signs)[0] == pytest.approx(1)


def test_two_annotators_are_needed():
    nan = np.nan
    found = combine(
        [[0.4, 0.2, nan], [0.5, nan, nan], [nan, nan, nan]], np.ones((3, 3))
    )
    assert found.estimate[0] == pytest.approx(0.45)
    assert np.isnan(found.estimate[1:]).all()
    assert np.isnan(found.lower[1:]).all()
    p = np.array([[0.01, 0.1, nan], [0.02, nan, nan], [nan, nan, nan]])
    combined = combine_p_values(p, found.ratio, np.ones((3, 3)))
    assert combined[0] == combine_p_values(p[:2], found.ratio, np.ones((2, 3)))[0]
    assert np.isnan(combined[1:]).all()


def test_extreme_values():
    p = combine_p_values(np.zeros((2, 1)), np.zeros(1), np.ones((2, 1)))
    assert 0 <= p[0] < 1e-200
    assert combine_p_values(np.ones((2, 1)), np.zeros(1))[0] == pytest.approx(1)
    # no spread within annotators: all is spread over them
    found = combine([[1.0], [1.2]], [[0.0], [0.0]])
    half = t.isf(0.025, 1) * np.sqrt(1.5 * 0.02)
    assert found.upper[0] - found.estimate[0] == pytest.approx(half)
    np.testing.assert_array_equal(combine([[1.0], [1.0]], [[0.0], [0.0]]).lower, [1.0])


@pytest.mark.parametrize("m", [2, 3, 5])
def test_intervals_cover_where_annotators_differ(m):
    """The mean over a population of annotators, and what a further one finds."""
    rng = np.random.default_rng(m)
    n, within, over = 20_000, 1.0, 1.0
    texts = rng.normal(size=n) * np.sqrt(0.8 * within)  # shared by all annotators
    further = rng.normal(size=n) * np.sqrt(over)
    own = rng.normal(size=(m, n)) * np.sqrt(over)
    estimates = texts + own + rng.normal(size=(m, n)) * np.sqrt(0.2 * within)
    found = combine(estimates, np.ones((m, n)))
    assert np.mean((found.lower < 0) & (found.upper > 0)) > 0.95
    covered = (found.lower < further) & (found.upper > further)
    assert covered.mean() > {2: 0.92, 3: 0.945, 5: 0.95}[m]
    naive = (found.naive_lower < further) & (found.naive_upper > further)
    assert naive.mean() < 0.85


def test_verdicts():
    found = find_verdicts([2.0, -1.0, 3.0, np.nan], [True, True, False, False])
    assert found.tolist() == [1, -1, 0, 0]
