"""Robust and clustered standard errors, against brute force, statsmodels and R."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._inference._robust_covariance import least_squares, t_inference

# Standard errors and degrees of freedom from R 4.2.2 and clubSandwich 0.5.8: vcovCR and
# coef_test of lm(y ~ a + b), without and with weights
CLUB_SANDWICH = [
    (
        *(False, "auto"),
        [0.1295418493, 0.1996600625, 0.2173645182],
        [2.333212376, 3.737606235, 3.518759939],
    ),
    (
        *(False, "HC3"),
        [0.1597448330, 0.2176711861, 0.2505890210],
        [2.107501574, 3.570809297, 3.382993848],
    ),
    (
        *(True, "HC2"),
        [0.1641694104, 0.1490457036, 0.3471989989],
        [2.222394990, 3.023253887, 3.029066172],
    ),
    (
        *(True, "HC3"),
        [0.2082769366, 0.1520809969, 0.4014874250],
        [2.075881635, 2.868796777, 2.940171853],
    ),
]


def make_problem(n=120, shares=(0.5, 0.2, 0.1, 0.05), seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.random((n, len(shares))) < shares])
    return X.astype(float), rng.normal(size=n) * (1 + X[:, 1])


def raise_matrix(matrix, power):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * values**power @ vectors.T


def brute_force(X, y, clusters, power, weights=None, *, whitened=False):
    """Clustered covariance and its degrees of freedom, by matrices of all rows.

    By the formulas of clubSandwich, for errors of equal variance before weighting:
    I - H to the power -1 (CR3), or its product with its transpose to the power -1/2
    (CR2). Whitened, the power is one of I minus the hat matrix of weighted rows.
    """
    w = np.ones(len(y)) if weights is None else weights
    bread = np.linalg.inv(X.T * w @ X) @ (X.T * w)
    M = np.eye(len(y)) - X @ bread
    parts = []
    for g in np.unique(clusters):
        own = np.flatnonzero(clusters == g)
        if power == -1 or whitened:
            root = np.sqrt(w[own])
            symmetric = root[:, None] * M[np.ix_(own, own)] / root
            adjust = raise_matrix(symmetric, power) / root[:, None] * root
        else:
            adjust = raise_matrix((M @ M.T)[np.ix_(own, own)], power)
        parts.append(bread[:, own] @ adjust @ M[own])
    parts = np.array(parts)  # clusters, coefficients, rows
    V = np.einsum("gjr,hjr->jgh", parts, parts)
    df = np.trace(V, axis1=1, axis2=2) ** 2 / (V**2).sum(axis=(1, 2))
    return (parts @ y).T @ (parts @ y), df


@pytest.mark.parametrize("kind", ["HC2", "HC3", "nonrobust"])
def test_standard_errors_are_those_of_statsmodels(kind):
    X, y = make_problem()
    fit = least_squares(X, y, cov_type=kind)
    expected = sm.OLS(y, X).fit(cov_type=kind)
    np.testing.assert_allclose(fit.coef, expected.params, rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, expected.cov_params(), atol=1e-14)


def draw_weights(weighted, n=120):
    return np.random.default_rng(2).uniform(0.1, 5, n) if weighted else None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("kind", "power"), [("HC2", -0.5), ("HC3", -1)])
def test_rows_by_brute_force(kind, power, weighted):
    X, y = make_problem()
    w = draw_weights(weighted)
    fit = least_squares(X, y, weights=w, cov_type=kind)
    covariance, df = brute_force(X, y, np.arange(len(y)), power, w, whitened=True)
    np.testing.assert_allclose(fit.covariance, covariance, atol=1e-14)
    np.testing.assert_allclose(fit.df, df)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "power"), [("auto", -0.5), ("HC2", -0.5), ("HC3", -1)]
)
@pytest.mark.parametrize("size", [1, 3, 4, 40])
def test_clusters_by_brute_force(kind, power, size, weighted):
    X, y = make_problem()
    w = draw_weights(weighted)
    clusters = np.random.default_rng(1).permutation(np.arange(len(y)) // size)
    fit = least_squares(X, y, weights=w, cov_type=kind, clusters=clusters)
    covariance, df = brute_force(X, y, clusters, power, w)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(fit.df, df, rtol=1e-8)


@pytest.mark.parametrize(("weighted", "cov_type", "se", "df"), CLUB_SANDWICH)
def test_clusters_are_those_of_clubsandwich(weighted, cov_type, se, df):
    i = np.arange(24)
    X = np.column_stack([np.ones(24), i % 3 == 0, i % 8 < 5]).astype(float)
    y, w = np.sin(i) + X[:, 1], 1.0 + (i * 7) % 5
    clusters = i // 2 % 5
    weights = w if weighted else None
    fit = least_squares(X, y, weights=weights, cov_type=cov_type, clusters=clusters)
    np.testing.assert_allclose([fit.se, fit.df], [se, df], rtol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_are_cr3_of_statsmodels(weighted):
    """Theirs has no degrees of freedom, and no NaN for what rests on one cluster."""
    X, y = make_problem()
    clusters = np.random.default_rng(1).integers(0, 15, len(y))
    w = np.random.default_rng(2).uniform(0.3, 3, len(y)) if weighted else np.ones(120)
    fit = least_squares(X, y, weights=w, cov_type="HC3", clusters=clusters)
    theirs = sm.WLS(y, X, weights=w).fit(
        cov_type="cluster-crv3", cov_kwds={"groups": clusters, "use_correction": False}
    )
    np.testing.assert_allclose(fit.covariance, theirs.cov_params(), rtol=1e-9)


def test_large_clusters_are_taken_in_parts():
    X, y = make_problem(n=9000)
    clusters = np.repeat([0, 1, 2, 3], [5000, 3000, 600, 400])
    fit = least_squares(X, y, cov_type="HC3", clusters=clusters)
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
