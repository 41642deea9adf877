"""Logistic regression with and without Firth's penalty, against references."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._inference._firth import (
    JEFFREYS,
    collapse_patterns,
    fit_logit,
    infinite_coefficients,
    likelihood_ratio,
    profile_bounds,
)


def make_rows(n=500, h=5, share=0.2, positive=0.3, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < share).astype(float)
    logit = np.log(positive / (1 - positive)) + A @ np.linspace(1, -1, h)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return np.column_stack([A, np.ones(n)]), y


def test_maximum_likelihood_is_that_of_statsmodels():
    X, y = make_rows()
    fit = fit_logit(collapse_patterns(X, y))
    expected = sm.Logit(y, X).fit(disp=0)
    np.testing.assert_allclose(fit.coef, expected.params, rtol=1e-7)
    np.testing.assert_allclose(
        np.linalg.inv(fit.information), expected.cov_params(), rtol=1e-6
    )
    assert fit.log_likelihood == pytest.approx(expected.llf)


def test_weights_are_repeated_rows():
    X, y = make_rows(n=200)
    weights = np.random.default_rng(1).integers(1, 4, 200)
    once = fit_logit(collapse_patterns(X, y, weights.astype(float)), penalty=JEFFREYS)
    repeated = fit_logit(
        collapse_patterns(np.repeat(X, weights, axis=0), np.repeat(y, weights)),
        penalty=JEFFREYS,
    )
    np.testing.assert_allclose(once.coef, repeated.coef, rtol=1e-6)


def test_counting_loses_nothing():
    X, y = make_rows()
    rows = collapse_patterns(X, y)
    assert len(rows.X) <= 2**5
    assert rows.total.sum() == 500
    np.testing.assert_array_equal(rows.counts.sum(axis=0), [500 - y.sum(), y.sum()])


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"n": 667, "h": 20, "positive": 0.03},
        {"n": 1000, "h": 10, "share": 0.02, "positive": 0.03},
    ],
)
def test_firth_is_that_of_firthmodels(case):
    firthmodels = pytest.importorskip("firthmodels")
    X, y = make_rows(**case)
    h = X.shape[1] - 1
    rows = collapse_patterns(X, y)
    fit = fit_logit(rows, penalty=JEFFREYS)
    assert fit.converged
    model = firthmodels.FirthLogisticRegression(
        fit_intercept=False, max_iter=200, gtol=1e-6, xtol=1e-6
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y).lrt(list(range(h)))
        bounds = model.conf_int(method="pl", features=list(range(h)), max_iter=100)
    np.testing.assert_allclose(fit.coef, model.coef_, atol=1e-3)
    p = [stats.chi2.sf(likelihood_ratio(rows, fit, j), 1) for j in range(h)]
    np.testing.assert_allclose(p, model.lrt_pvalues_[:h], atol=1e-5)
    found = [profile_bounds(rows, fit, j)[:, j] for j in range(h)]
    np.testing.assert_allclose(found, bounds[:h], atol=2e-3)


def test_a_saturated_table_by_hand():
    # Firth's penalty adds half a row to each cell
    a = np.repeat([1.0, 0.0], [10, 30])
    y = np.repeat([1, 1, 0], [10, 12, 18])
    rows = collapse_patterns(np.column_stack([a, np.ones(40)]), y)
    fit = fit_logit(rows, penalty=JEFFREYS)
    slope = np.log((10.5 / 0.5) / (12.5 / 18.5))
    np.testing.assert_allclose(fit.coef, [slope, np.log(12.5 / 18.5)], rtol=1e-6)
    lower, upper = profile_bounds(rows, fit, 0)[:, 0]
    assert lower < slope < upper
    # the bounds are the values that the likelihood-ratio test just rejects
    for bound in (lower, upper):
        shifted = fit_logit(
            rows,
            penalty=JEFFREYS,
            start=np.array([bound, 0.0]),
            fixed=np.array([True, False]),
        )
        ratio = 2 * (fit.log_likelihood - shifted.log_likelihood)
        assert ratio == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-2)


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_a_perfect_predictor_beside_others(share):
    rng = np.random.default_rng(0)
    A = (rng.random((500, 12)) < 0.3).astype(float)
    A[:, 0] = rng.permutation(500) < 500 * share
    y = A[:, 0].astype(int)
    rows = collapse_patterns(np.column_stack([A, np.ones(500)]), y)
    likelihood = fit_logit(rows)
    assert infinite_coefficients(rows, likelihood)[0]
    fit = fit_logit(rows, penalty=JEFFREYS)
    assert fit.converged
    assert 5 < fit.coef[0] < 12
    assert np.abs(fit.coef[1:-1]).max() < 3
    assert likelihood_ratio(rows, fit, 0) > 40
    assert likelihood_ratio(rows, fit, 1) < 3.84
    lower, upper = profile_bounds(rows, fit, 0)[:, 0]
    assert 2 < lower < fit.coef[0] < upper < 100


def test_separation_is_found_where_it_is():
    X, y = make_rows()
    rows = collapse_patterns(X, y)
    assert not infinite_coefficients(rows, fit_logit(rows)).any()
    X[:, 2] = 0
    X[np.flatnonzero(y)[:12], 2] = 1  # only ever in the second class
    rows = collapse_patterns(X, y)
    infinite = infinite_coefficients(rows, fit_logit(rows))
    assert infinite.tolist() == [False, False, True, False, False, False]


def test_continuous_covariates_need_no_patterns():
    X, y = make_rows()
    X = np.column_stack([X, np.random.default_rng(0).normal(size=500)])
    fit = fit_logit(collapse_patterns(X, y))
    expected = sm.Logit(y, X).fit(disp=0)
    np.testing.assert_allclose(fit.coef, expected.params, rtol=1e-7)


def make_classes(n=600, h=4, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < 0.3).astype(float)
    codes = np.digitize(A @ np.linspace(1, -1, h) + rng.normal(size=n), [-0.5, 0.7])
    return np.column_stack([A, np.ones(n)]), codes


def test_more_classes_are_those_of_statsmodels():
    X, codes = make_classes()
    fit = fit_logit(collapse_patterns(X, codes))
    expected = sm.MNLogit(codes, X).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(fit.coef.reshape(2, -1).T, expected.params, rtol=1e-6)
    assert fit.log_likelihood == pytest.approx(expected.llf)
    np.testing.assert_allclose(
        np.linalg.inv(fit.information), expected.cov_params(), rtol=1e-5, atol=1e-9
    )


@pytest.mark.parametrize("kind", ["two", "three"])
def test_slope_of_the_penalty_by_differences(kind):
    from sklearn_hypo._inference._firth import _score, _state

    X, codes = make_classes(n=80)
    codes = np.minimum(codes, 1) if kind == "two" else codes
    rows = collapse_patterns(X, codes)
    beta = np.random.default_rng(0).normal(size=rows.n_coefs * X.shape[1])
    score, _ = _score(rows, _state(rows, beta, JEFFREYS), JEFFREYS)
    step = 1e-5 * np.eye(len(beta))
    numeric = [
        (_state(rows, beta + d, JEFFREYS)[2] - _state(rows, beta - d, JEFFREYS)[2])
        / 2e-5
        for d in step
    ]
    np.testing.assert_allclose(score, numeric, rtol=1e-6, atol=1e-6)


def test_a_saturated_table_of_three_classes_by_hand():
    a = np.repeat([1.0, 0.0], [12, 30])
    codes = np.repeat([0, 1, 0, 1, 2], [5, 7, 10, 8, 12])  # never 2 where it holds
    rows = collapse_patterns(np.column_stack([a, np.ones(42)]), codes)
    fit = fit_logit(rows, penalty=JEFFREYS)
    assert fit.converged
    # Jeffreys' prior of two multinomials adds 1/2 to each of the six cells
    cells = np.array([[5, 7, 0], [10, 8, 12]]) + 0.5
    logits = np.log(cells[:, 1:] / cells[:, :1])
    expected = np.column_stack([logits[0] - logits[1], logits[1]]).ravel()
    np.testing.assert_allclose(fit.coef, expected, rtol=1e-5)


def test_likelihood_ratios_of_three_classes_in_many_rows():
    X, codes = make_classes(n=4000)
    rows = collapse_patterns(X, codes)
    fit = fit_logit(rows, penalty=JEFFREYS)
    full = sm.MNLogit(codes, X).fit(disp=0)
    for j in range(4):
        reduced = sm.MNLogit(codes, np.delete(X, j, axis=1)).fit(disp=0)
        expected = 2 * (full.llf - reduced.llf)
        assert likelihood_ratio(rows, fit, j) == pytest.approx(
            expected, rel=0.02, abs=0.1
        )


def test_a_start_too_far_out_is_given_up():
    X, y = make_rows(n=200, h=2)
    rows = collapse_patterns(X, y)
    fixed = np.arange(X.shape[1]) == 0
    start = np.where(fixed, 0.3, 0.0)
    near = fit_logit(rows, penalty=JEFFREYS, start=start, fixed=fixed)
    far = np.where(fixed, 0.3, 1e5)
    found = fit_logit(rows, penalty=JEFFREYS, start=far, fixed=fixed)
    assert found.converged
    assert found.coef[0] == 0.3
    np.testing.assert_allclose(found.coef, near.coef, atol=1e-5)
