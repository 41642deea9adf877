"""Worst-case bounds of a separation against all completions of small cases."""

import itertools

import numpy as np
import pytest

from sklearn_hypo._inference._missing_bounds import bound_separation


def separation(a, y, weights):
    one, zero = a == 1, a == 0
    if not one.any() or not zero.any():
        return np.nan
    return np.average(y[one], weights=weights[one]) - np.average(
        y[zero], weights=weights[zero]
    )


def brute_force(a, y, weights):
    """The extremes over every completion, one after the other."""
    missing = np.flatnonzero(np.isnan(a))
    found = []
    for fill in itertools.product([0.0, 1.0], repeat=len(missing)):
        completed = a.copy()
        completed[missing] = fill
        found.append(separation(completed, y, weights))
    found = np.array(found)
    if np.isnan(found).all():
        return np.nan, np.nan
    return np.nanmin(found), np.nanmax(found)


def random_case(rng):
    n = int(rng.integers(2, 10))
    a = rng.choice([0.0, 1.0, np.nan], size=n, p=rng.dirichlet(np.ones(3)))
    kind = rng.integers(3)
    y = [rng.normal(size=n), rng.integers(0, 2, n) * 1.0, rng.integers(0, 4, n) * 1.0]
    return a, y[kind]


def test_bounds_equal_brute_force_on_random_cases():
    rng = np.random.default_rng(0)
    for _ in range(400):
        a, y = random_case(rng)
        bounds = bound_separation(a, y)
        expected = brute_force(a, y, np.ones(len(a)))
        np.testing.assert_allclose((bounds.lower, bounds.upper), expected, atol=1e-12)
        assert bounds.exact
        assert bounds.n_missing == np.isnan(a).sum()


def test_bounds_are_exact_where_the_missing_rows_weigh_the_same():
    rng = np.random.default_rng(1)
    for _ in range(200):
        a, y = random_case(rng)
        weights = np.where(np.isnan(a), 0.7, rng.uniform(0.1, 3, size=len(a)))
        bounds = bound_separation(a, y, weights=weights)
        expected = brute_force(a, y, weights)
        np.testing.assert_allclose((bounds.lower, bounds.upper), expected, atol=1e-12)
        assert bounds.exact


def test_weighted_bounds_hold_and_are_close():
    rng = np.random.default_rng(2)
    slack = []
    for _ in range(600):
        a, y = random_case(rng)
        weights = rng.uniform(0.2, 3, size=len(a))
        bounds = bound_separation(a, y, weights=weights)
        lower, upper = brute_force(a, y, weights)
        if np.isnan(lower):
            assert np.isnan(bounds.lower)
            assert np.isnan(bounds.upper)
            continue
        assert bounds.lower <= lower + 1e-12
        assert bounds.upper >= upper - 1e-12
        slack.append((bounds.upper - bounds.lower) - (upper - lower))
    # they hold everywhere, and are mostly attained even with so few rows
    assert np.median(slack) < 0.02


def test_weighted_bounds_are_those_of_a_fine_split():
    # splitting every missing row into many equal parts is the relaxation itself
    rng = np.random.default_rng(3)
    for _ in range(20):
        a = np.array([1.0, 1.0, 0.0, 0.0, 0.0, np.nan, np.nan, np.nan])
        y = rng.normal(size=8)
        weights = np.concatenate([rng.integers(1, 5, size=5), [1.0, 2.0, 4.0]])
        bounds = bound_separation(a, y, weights=weights)
        parts = np.where(np.isnan(a), weights * 200, 1).astype(int)
        split = bound_separation(
            np.repeat(a, parts),
            np.repeat(y, parts),
            weights=np.repeat(weights / parts, parts),
        )
        np.testing.assert_allclose(bounds.lower, split.lower, atol=1e-4)
        np.testing.assert_allclose(bounds.upper, split.upper, atol=1e-4)


def test_no_missing_rows_leave_the_separation():
    a, y = np.array([1.0, 1, 0, 0]), np.array([5.0, 3, 2, 1])
    for weights in (None, np.array([1.0, 3, 1, 1])):
        bounds = bound_separation(a, y, weights=weights)
        expected = separation(a, y, np.ones(4) if weights is None else weights)
        assert bounds.lower == pytest.approx(expected)
        assert bounds.upper == pytest.approx(expected)
        assert bounds.exact


def test_all_missing():
    bounds = bound_separation(np.full(4, np.nan), np.array([1.0, 2, 3, 10]))
    assert bounds.upper == pytest.approx(10 - 2)
    assert bounds.lower == pytest.approx(2 - 10)


def test_without_a_positive_answer():
    bounds = bound_separation(np.array([0.0, 0, np.nan]), np.array([1.0, 3, 7]))
    assert (bounds.lower, bounds.upper) == (5.0, 5.0)


def test_one_side_only_is_nan():
    for a in ([1.0, 1.0], [0.0, 0.0], [np.nan], []):
        bounds = bound_separation(np.array(a), np.arange(len(a)))
        assert np.isnan(bounds.lower)
        assert np.isnan(bounds.upper)


def test_many_rows_are_quick_and_ordered():
    rng = np.random.default_rng(4)
    n = 200_000
    a = rng.choice([0.0, 1.0, np.nan], size=n, p=[0.7, 0.2, 0.1])
    y = rng.normal(size=n)
    bounds = bound_separation(a, y)
    weighted = bound_separation(a, y, weights=rng.uniform(0.5, 2, size=n))
    complete = separation(a, y, np.ones(n))
    for found in (bounds, weighted):
        assert found.lower < complete < found.upper


def test_bounds_do_not_depend_on_a_large_constant_in_y():
    a = np.array([1.0, 0, 0, np.nan, np.nan])
    y = np.array([3.0, 1, 2, 5, 0])
    near, far = bound_separation(a, y), bound_separation(a, y + 1e6)
    assert far.lower == pytest.approx(near.lower, abs=1e-8)
    assert far.upper == pytest.approx(near.upper, abs=1e-8)
