"""Exact tests of tables, and classes permuted, against all permutations and SciPy."""

import itertools

import numpy as np
import pytest
from scipy import special, stats

from sklearn_hypo._inference._class_permutations import permute_classes
from sklearn_hypo._inference._design import Design
from sklearn_hypo._inference._independence import (
    binomial_log_p_values,
    fisher_log_p_values,
    independence,
    make_pearson_tail,
)
from sklearn_hypo._inference._step_down import marginal_p_values, step_down_p_values


@pytest.mark.parametrize("margins", [(5, 7, 20), (3, 18, 20), (10, 10, 20), (1, 1, 9)])
def test_fishers_p_values_are_those_of_scipy(margins):
    n_holds, n_class, n = margins
    found = fisher_log_p_values(n_holds, n_class, n)
    low = max(0, n_holds + n_class - n)
    for x in range(low, min(n_holds, n_class) + 1):
        table = [[x, n_holds - x], [n_class - x, n - n_holds - n_class + x]]
        assert np.exp(found[x]) == pytest.approx(stats.fisher_exact(table).pvalue)


def test_fishers_p_values_below_the_smallest_number():
    tables = 2 * special.gammaln(3001) - special.gammaln(6001)
    expected = np.log(2) + tables  # all or none
    assert fisher_log_p_values(3000, 3000, 6000)[3000] == pytest.approx(expected)


@pytest.mark.parametrize("n", [0, 1, 8, 13])
def test_binomial_p_values_are_those_of_scipy(n):
    found = np.exp(binomial_log_p_values(n))
    expected = [stats.binomtest(w, n).pvalue if n else 1.0 for w in range(n + 1)]
    np.testing.assert_allclose(found, expected)


def sum_all_tables(counts):
    """p-value of Pearson's statistic, from all tables with these margins."""
    sizes, m = counts.sum(axis=0), counts[0].sum()
    expected = sizes * m / sizes.sum()
    bar, p = np.sum((counts[0] - expected) ** 2 / sizes) * (1 - 1e-9), 0.0
    for first in itertools.product(*[range(min(s, m) + 1) for s in sizes]):
        x = np.array(first)
        if x.sum() == m and np.sum((x - expected) ** 2 / sizes) >= bar:
            p += stats.multivariate_hypergeom.pmf(x, sizes, m)
    return p


@pytest.mark.parametrize(
    "counts",
    [
        [[2, 0, 0, 0, 0], [4, 5, 3, 3, 1]],
        [[6, 7, 0, 0, 0], [0, 1, 6, 3, 1]],
        [[0, 4, 3, 3], [4, 4, 4, 5]],  # two statistics that are equal but for rounding
        [[1, 1, 1], [0, 0, 5]],
        [[8, 2, 8], [0, 0, 0 + 1]],
    ],
)
def test_pearsons_p_value_is_that_of_all_tables(counts):
    counts = np.array(counts)
    assert independence(counts) == pytest.approx(sum_all_tables(counts), rel=1e-9)


def test_large_tables_are_compared_with_chi_square():
    counts = np.array([[30, 60, 41], [70, 50, 88]])
    expected = stats.chi2_contingency(counts, correction=False).pvalue
    assert independence(counts) == pytest.approx(expected, rel=1e-9)


def test_some_small_counts_are_between_both():
    rng = np.random.default_rng(0)
    sizes = np.array([200, 150, 100, 12, 6, 4, 2])
    codes = np.repeat(np.arange(7), sizes)
    first = np.array([19, 23, 8, 4, 2, 2, 1])
    counts = np.stack([first, sizes - first])
    tail = make_pearson_tail(*counts)
    drawn = np.stack(
        [np.bincount(rng.permutation(codes)[:59], minlength=7) for _ in range(9999)], 1
    )
    share = np.mean(tail.statistic(drawn) >= tail.statistic(first) - 1e-9)
    assert abs(independence(counts) - share) < 0.006
    usual = stats.chi2_contingency(counts, correction=False).pvalue
    assert abs(usual - share) > 0.006


def test_the_smallest_p_value_is_no_rounding_error():
    # never below the probability of the table itself
    first, last = np.array([3000, 0, 0]), np.array([0, 3000, 3000])
    p = independence(np.stack([first, last]))
    assert 0 <= p < 1e-300
    counts = np.array([[40, 0, 0], [0, 40, 2]])
    table = stats.multivariate_hypergeom.pmf(counts[0], counts.sum(axis=0), 40)
    assert table <= independence(counts) < 1e-15


def make_world(n, h, n_classes, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < rng.uniform(0.1, 0.6, h)).astype(float)
    A[rng.random((n, h)) < missing] = np.nan
    return A, rng.integers(n_classes, size=n)


@pytest.mark.parametrize(("n_classes", "missing"), [(2, 0), (2, 0.3), (3, 0)])
def test_draws_are_tests_of_permuted_classes(n_classes, missing):
    A, codes = make_world(30, 4, n_classes, missing)
    null = permute_classes(A, codes, n_classes, Design(), np.random.default_rng(7))
    orders = np.random.default_rng(7).permuted(np.tile(codes, (12, 1)), axis=1)
    expected = [
        permute_classes(A, own, n_classes, Design(), None).observed for own in orders
    ]
    np.testing.assert_allclose(null.draw(12), np.transpose(expected), rtol=1e-6)


@pytest.mark.parametrize(("n_classes", "missing"), [(2, 0.3), (3, 0), (4, 0.2)])
def test_exact_p_values_are_those_of_draws(n_classes, missing):
    A, codes = make_world(300, 4, n_classes, missing)
    null = permute_classes(A, codes, n_classes, Design(), np.random.default_rng(0))
    expected = marginal_p_values(null.observed, null.draw(9999))
    # rows without an answer are permuted, too: their own tables are a bit coarser
    assert (null.p >= expected - 0.02).all()
    assert (null.p <= expected + (0.08 if missing else 0.02)).all()


def test_step_down_over_all_permutations_of_a_small_table():
    A, codes = make_world(8, 4, 2, seed=5)
    positive = itertools.combinations(range(8), int(codes.sum()))
    every = [np.isin(np.arange(8), rows).astype(int) for rows in positive]
    drawn = np.stack(
        [permute_classes(A, own, 2, Design(), None).observed for own in every], axis=1
    )
    null = permute_classes(A, codes, 2, Design(), np.random.default_rng(0))
    found = step_down_p_values(null.observed, null.draw(9999))
    np.testing.assert_allclose(
        found, step_down_p_values(null.observed, drawn), atol=0.04
    )
    np.testing.assert_allclose(
        null.p, marginal_p_values(null.observed, drawn), atol=0.04
    )


def test_pairs_are_decided_by_coins():
    rng = np.random.default_rng(0)
    D = rng.integers(-1, 2, size=(12, 3)).astype(float)
    D[:, 2] = 0
    gains = rng.choice([-1.0, 1.0], 12)
    null = permute_classes(D, gains, 2, Design(paired=True), rng)
    for j in range(2):
        wins, n = int(np.sum(D[:, j] * gains > 0)), int(np.sum(D[:, j] != 0))
        assert null.p[j] == pytest.approx(stats.binomtest(wins, n).pvalue)
    assert np.isnan(null.observed[2])
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=12)))
    every = np.stack(
        [
            permute_classes(D, own, 2, Design(paired=True), rng).observed
            for own in signs[::13]
        ],
        axis=1,
    )
    found = step_down_p_values(null.observed, null.draw(9999))
    np.testing.assert_allclose(
        found[:2], step_down_p_values(null.observed, every)[:2], atol=0.03
    )


def test_columns_and_classes_that_do_not_vary_are_not_tested():
    A, codes = make_world(20, 3, 2)
    A[:, 1] = 1
    null = permute_classes(A, codes, 2, Design(), np.random.default_rng(0))
    assert np.isnan(null.observed).tolist() == [False, True, False]
    assert np.isfinite(null.draw(10)).all()
    A, codes = make_world(20, 3, 2)
    one = permute_classes(A, np.zeros(20, int), 3, Design(), np.random.default_rng(0))
    assert np.isnan(one.observed).all()
