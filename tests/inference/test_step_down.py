"""Step-down p-values against hand-computed cases and brute force."""

import itertools

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from sklearn_hypo._inference._multiple_tests import adjust_p_values
from sklearn_hypo._inference._step_down import (
    NullDistribution,
    align_interval,
    find_critical_value,
    find_level_each,
    marginal_p_values,
    run_family,
    step_down_p_values,
)


def correct_slowly(observed, drawn):
    """Westfall and Young's algorithm 2.8, as it is printed."""
    order = np.argsort(-observed)
    n = drawn.shape[1]
    p = np.empty(len(observed))
    before = 0.0
    for i, j in enumerate(order):
        rest = order[i:]
        count = sum(max(drawn[k, b] for k in rest) >= observed[j] for b in range(n))
        before = max(before, (1 + count) / (1 + n))
        p[j] = before
    return p


@pytest.mark.parametrize("seed", range(5))
def test_step_down_is_that_of_the_book(seed):
    rng = np.random.default_rng(seed)
    observed, drawn = rng.gamma(2, size=6), rng.gamma(1.5, size=(6, 99))
    np.testing.assert_allclose(
        step_down_p_values(observed, drawn), correct_slowly(observed, drawn)
    )


def test_untested_hypotheses_have_no_part():
    rng = np.random.default_rng(0)
    observed, drawn = rng.gamma(2, size=4), rng.gamma(2, size=(4, 99))
    with_gap = np.insert(observed, 2, np.nan)
    huge = np.insert(drawn, 2, 1e9, axis=0)
    found = step_down_p_values(with_gap, huge)
    assert np.isnan(found[2])
    np.testing.assert_array_equal(
        np.delete(found, 2), step_down_p_values(observed, drawn)
    )


def test_one_hypothesis_needs_no_correction():
    drawn = np.random.default_rng(0).normal(size=(1, 999)) ** 2
    observed = np.array([3.0])
    np.testing.assert_array_equal(
        step_down_p_values(observed, drawn), marginal_p_values(observed, drawn)
    )


@pytest.mark.parametrize("level", [0.01, 0.05, 0.3])
def test_a_statistic_above_the_critical_value_has_a_p_value_below_the_level(level):
    rng = np.random.default_rng(1)
    drawn = rng.normal(size=(1, 999)) ** 2
    critical = find_critical_value(drawn, level)
    for observed in rng.normal(size=200) ** 2 * 4:
        p = marginal_p_values(np.array([observed]), drawn)[0]
        assert (p <= level) == (observed > critical[0])


def test_too_few_draws_have_no_critical_value():
    assert find_critical_value(np.ones((2, 9)), 0.05).tolist() == [np.inf, np.inf]


def test_exact_step_down_of_a_small_table_by_all_permutations():
    """All 720 permutations of six values: p-values as shares of them."""
    A = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0]])
    y = np.array([5.0, 4.0, 6.0, 1.0, 2.5, 0.5])
    y = y - y.mean()
    every = np.array(list(itertools.permutations(y))).T
    drawn = np.abs(A @ every)
    observed = np.abs(A @ y)
    largest = drawn.max(axis=0)
    p = step_down_p_values(observed, drawn)
    assert p[0] == (1 + np.sum(largest >= observed[0] - 1e-9)) / 721
    second = np.sum(drawn[1] >= observed[1] - 1e-9)
    assert p[1] == max(p[0], (1 + second) / 721)


def make_null(observed, seed=0, p=None, exact=False):
    rng = np.random.default_rng(seed)
    return NullDistribution(
        np.array(observed),
        lambda n: np.abs(rng.normal(size=(len(observed), n))),
        p,
        exact,
    )


def test_draws_go_on_where_a_p_value_is_near_the_level():
    every = np.ones(1, dtype=bool)
    settings = {"alpha": 0.05, "correction": "step-down"}
    clear = run_family(make_null([4.5]), None, every, **settings)
    near = run_family(make_null([1.96]), None, every, **settings)
    assert clear.n_draws == 999
    assert near.n_draws == 9_999
    assert abs(near.p[0] - 0.05) < 0.01


def test_a_given_number_of_draws_is_kept():
    found = run_family(
        make_null([1.96]),
        None,
        np.ones(1, dtype=bool),
        alpha=0.05,
        correction="holm",
        n_permutations=199,
    )
    assert found.n_draws == 199


def test_further_tests_count_by_bonferroni():
    every = np.ones(2, dtype=bool)
    settings = {"alpha": 0.05, "correction": "step-down", "n_permutations": 999}
    alone = run_family(make_null([3.0, 2.0]), None, every, **settings)
    more = run_family(make_null([3.0, 2.0]), None, every, n_more=3, **settings)
    np.testing.assert_allclose(
        more.p_corrected, np.minimum(alone.p_corrected + 3 * alone.p, 1)
    )


def test_exact_p_values_are_not_stuck_at_the_number_of_draws():
    p = np.array([1e-9, 0.5])
    settings = {"alpha": 0.05, "correction": "step-down", "n_permutations": 99}
    every = np.ones(2, dtype=bool)
    drawn = run_family(make_null([6.0, 0.6], p=p), None, every, **settings)
    exact = run_family(make_null([6.0, 0.6], p=p, exact=True), None, every, **settings)
    assert drawn.p_corrected[0] == 0.01
    assert exact.p_corrected[0] == 2e-9


def test_levels_of_intervals_agree_with_corrections():
    assert find_level_each("bonferroni", 0.05, 20, 3) == 0.05 / 20
    assert find_level_each("fdr_bh", 0.05, 20, 3) == pytest.approx(3 * 0.05 / 20)
    assert find_level_each("fdr_bh", 0.05, 20, 0) == 0.05 / 20
    assert find_level_each("step-down", 0.05, 20, 3) == 0.05 / 20  # Holm's


def test_without_draws_step_down_is_holm():
    p, tested = np.array([0.001, 0.03, 0.2]), np.ones(3, dtype=bool)
    found = run_family(None, p, tested, alpha=0.05, correction="step-down")
    np.testing.assert_allclose(found.p_corrected, [0.003, 0.06, 0.2])
    assert found.n_draws == 0
    np.testing.assert_allclose(found.level_family, 0.05 / 3)


@pytest.mark.parametrize(
    "correction", ["step-down", "holm", "bonferroni", "fdr_bh", "fdr_by"]
)
def test_intervals_agree_with_corrected_p_values(correction):
    """Of 40 normal scores, those beyond the family's critical value, and no others."""
    rng = np.random.default_rng(4)
    observed = np.concatenate([np.abs(rng.normal(size=30)), rng.uniform(2, 4, size=10)])
    every = np.ones(40, dtype=bool)
    found = run_family(
        make_null(observed), None, every, alpha=0.05, correction=correction
    )
    bound = np.where(np.isinf(found.critical_family), 1e9, found.critical_family)
    lower, upper = align_interval(observed - bound, observed + bound, found.significant)
    np.testing.assert_array_equal(lower >= 0, found.p_corrected <= 0.05)
    assert (upper > 0).all()
    if correction in ("bonferroni", "fdr_bh", "fdr_by"):  # without any cutting
        np.testing.assert_array_equal(observed > bound, found.significant)


def test_places_of_a_larger_family():
    null = make_null([3.0, 1.0]).place([0, 2], 3)
    assert np.isnan(null.observed[1])
    assert null.draw(5)[1].tolist() == [0.0] * 5


@pytest.mark.parametrize("correction", ["bonferroni", "holm", "fdr_bh", "fdr_by"])
@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_other_corrections_agree_with_statsmodels(correction, n):
    p = np.random.default_rng(n).beta(0.3, 2, size=n)
    p[-1] = p[0]  # a tie
    found = adjust_p_values(p, np.ones(n, dtype=bool), 0.05, correction)
    reject, expected, *_ = multipletests(p, alpha=0.05, method=correction)
    np.testing.assert_allclose(found["p_corrected"], expected, rtol=1e-12)
    np.testing.assert_array_equal(found["significant"], reject)


def test_approximate_draws_correct_no_less_than_holm():
    """Draws that are all small would take any statistic as extreme."""
    rng = np.random.default_rng(0)
    observed, p = np.array([2.5, 1.0]), np.array([0.03, 0.4])
    null = NullDistribution(observed, lambda n: rng.random((2, n)) / 9, p, rough=True)
    found = run_family(null, p, np.ones(2, bool), alpha=0.05, correction="step-down")
    np.testing.assert_allclose(found.p_corrected, [0.06, 0.4])
    assert not found.significant.any()
