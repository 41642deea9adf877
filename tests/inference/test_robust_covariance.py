"""Robust and clustered standard errors, against brute force and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._inference._robust_covariance import least_squares, t_inference


def make_problem(n=120, shares=(0.5, 0.2, 0.1, 0.05), seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.random((n, len(shares))) < shares])
    return X.astype(float), rng.normal(size=n) * (1 + X[:, 1])


def brute_force(X, residuals, clusters):
    """CR3 and its degrees of freedom, by matrices of all rows."""
    n, p = X.shape
    inverse = np.linalg.inv(X.T @ X)
    H = X @ inverse @ X.T
    M, covariance = np.eye(n) - H, np.zeros((p, p))
    weights = np.zeros((p, n, clusters.max() + 1))
    for g in range(clusters.max() + 1):
        rows = np.flatnonzero(clusters == g)
        adjusted = np.linalg.inv(np.eye(len(rows)) - H[np.ix_(rows, rows)]) @ X[rows]
        score = inverse @ adjusted.T @ residuals[rows]
        covariance += np.outer(score, score)
        weights[:, rows, g] = (adjusted @ inverse).T
    middle = np.einsum("jng,nm,jmh->jgh", weights, M, weights)
    df = np.trace(middle, axis1=1, axis2=2) ** 2 / (middle**2).sum(axis=(1, 2))
    return covariance, df


@pytest.mark.parametrize("kind", ["HC2", "HC3", "nonrobust"])
def test_standard_errors_are_those_of_statsmodels(kind):
    X, y = make_problem()
    fit = least_squares(X, y, cov_type=kind)
    expected = sm.OLS(y, X).fit(cov_type=kind)
    np.testing.assert_allclose(fit.coef, expected.params, rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, expected.cov_params(), atol=1e-14)


def test_degrees_of_freedom_of_hc3_by_brute_force():
    X, y = make_problem()
    fit = least_squares(X, y)
    covariance, df = brute_force(X, fit.residuals, np.arange(len(y)))
    np.testing.assert_allclose(fit.covariance, covariance, atol=1e-14)
    np.testing.assert_allclose(fit.df, df)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_clusters_by_brute_force(size):
    X, y = make_problem()
    clusters = np.random.default_rng(1).permutation(np.arange(len(y)) // size)
    fit = least_squares(X, y, clusters=clusters)
    covariance, df = brute_force(X, fit.residuals, clusters)
    np.testing.assert_allclose(fit.covariance, covariance, atol=1e-14)
    np.testing.assert_allclose(fit.df, df)


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_are_cr3_of_statsmodels(weighted):
    """Theirs has no degrees of freedom, and no NaN for what rests on one cluster."""
    X, y = make_problem()
    clusters = np.random.default_rng(1).integers(0, 15, len(y))
    w = np.random.default_rng(2).uniform(0.3, 3, len(y)) if weighted else np.ones(120)
    fit = least_squares(X * np.sqrt(w)[:, None], y * np.sqrt(w), clusters=clusters)
    theirs = sm.WLS(y, X, weights=w).fit(
        cov_type="cluster-crv3", cov_kwds={"groups": clusters, "use_correction": False}
    )
    np.testing.assert_allclose(fit.covariance, theirs.cov_params(), rtol=1e-9)


def test_large_clusters_are_taken_in_parts():
    X, y = make_problem(n=9000)
    clusters = np.repeat([0, 1, 2, 3], [5000, 3000, 600, 400])
    fit = least_squares(X, y, clusters=clusters)
    scores = []
    for g in range(4):
        rest = clusters != g  # the jackknife: all but one cluster
        scores.append(np.linalg.lstsq(X[rest], y[rest], rcond=None)[0] - fit.coef)
    np.testing.assert_allclose(fit.covariance, np.transpose(scores) @ scores)


def test_welch_is_hc2_of_one_annotation():
    X, y = make_problem(shares=(0.1,))
    fit = least_squares(X, y, cov_type="HC2")
    one, zero = y[X[:, 1] == 1], y[X[:, 1] == 0]
    welch = stats.ttest_ind(one, zero, equal_var=False)
    assert fit.coef[1] / fit.se[1] == pytest.approx(welch.statistic)
    # Satterthwaite's by the design: few, as there are few rows on one side
    assert fit.df[1] < 1.5 * len(one)


def test_a_coefficient_on_one_row_or_cluster_is_not_judged():
    X, y = make_problem()
    X = np.column_stack([X, np.arange(120) == 7]).astype(float)
    fit = least_squares(X, y)
    assert np.isnan(fit.se[-1])
    assert np.isnan(fit.df[-1])
    assert np.isfinite(fit.se[:-1]).all()
    without = np.arange(120) != 7
    alone = least_squares(X[without, :-1], y[without])
    np.testing.assert_allclose(fit.se[:-1], alone.se)
    X[:, -1] = np.arange(120) // 4 == 3
    fit = least_squares(X, y, clusters=np.arange(120) // 4)
    assert np.isnan(fit.se[-1])
    assert np.isfinite(fit.se[:-1]).all()


def test_t_inference_by_hand():
    lower, upper, p = t_inference([2.0, 1.0], [1.0, 0.0], [np.inf, 5])
    assert lower[0] == pytest.approx(2 - 1.959964, abs=1e-6)
    assert upper[0] == pytest.approx(2 + 1.959964, abs=1e-6)
    assert p[0] == pytest.approx(0.0455, abs=1e-4)
    assert np.isnan([lower[1], upper[1], p[1]]).all()
