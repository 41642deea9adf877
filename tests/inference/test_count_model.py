"""Rate ratios against statsmodels, by hand, and at the edge of what can be computed."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._count_model import fit_quasi_poisson
from sklearn_hypo._inference._separated_rows import find_separated_rows

RATES = ["rate_ratio", "rate_ratio_lower", "rate_ratio_upper"]


def make_counts(seed=0, n=400):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, 3)) < [0.5, 0.3, 0.1]).astype(float)
    z = rng.normal(size=n)
    mean = np.exp(0.3 + A @ [0.7, -0.5, 0.0] + 0.4 * z)
    return A, rng.poisson(mean * rng.gamma(0.5, 2.0, n)), z


def table_of(A, y, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = evaluate_annotations(
            A, y, **{"target": "count", "n_resamples": 0, "ngrams": False} | given
        )
    return report.table


# Against other programs -----------------------------------------------------------


def test_ratios_and_errors_of_the_model_are_those_of_statsmodels():
    A, y, z = make_counts()
    level = np.arange(len(y)) % 5
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    table = table_of(
        A,
        y,
        covariates=pd.DataFrame({"z": 100 * z}),
        fixed_effects=level,
        sample_weight=weight,
        cov_type="nonrobust",
    )
    X = np.column_stack([A, z, pd.get_dummies(level).to_numpy(float)])
    model = sm.GLM(
        y, X, family=sm.families.Poisson(), var_weights=weight / weight.mean()
    )
    reference = model.fit(scale="X2", rtol=1e-13)
    half = stats.t.ppf(0.975, len(y) - X.shape[1]) * reference.bse
    expected = np.exp(reference.params + np.outer([0, -1, 1], half))[:, :3].T
    np.testing.assert_allclose(table[RATES], expected, rtol=1e-6)


def test_robust_errors_are_the_sandwich_by_hand():
    A, y, _ = make_counts()
    X = np.column_stack([A, np.ones(len(y))])
    fit = fit_quasi_poisson(X, y, cov_type="HC3")
    mu = np.exp(X @ fit.coef)
    bread = np.linalg.inv(X.T @ (X * mu[:, None]))
    leverage = mu * np.einsum("ij,jk,ik->i", X, bread, X)
    scores = X * ((y - mu) / (1 - leverage))[:, None]
    expected = bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-6)


def test_clustered_errors_are_near_those_of_statsmodels():
    """Which does not correct for the leverage of a cluster."""
    A, y, _ = make_counts(n=1200)
    author = np.arange(1200) // 4
    X = np.column_stack([A, np.ones(1200)])
    fit = fit_quasi_poisson(X, y, clusters=author)
    model = sm.GLM(y, X, family=sm.families.Poisson())
    reference = model.fit(cov_type="cluster", cov_kwds={"groups": author})
    np.testing.assert_allclose(fit.se, reference.bse, rtol=0.03)
    single = fit_quasi_poisson(X, y, cov_type="HC3")
    table = table_of(A, y, groups=author)
    width = np.log(table["rate_ratio_upper"] / table["rate_ratio_lower"])
    lower, upper = fit.coef - 1.97 * fit.se, fit.coef + 1.97 * fit.se
    np.testing.assert_allclose(width, (upper - lower)[:3], rtol=0.02)
    assert not np.allclose(single.se, fit.se, rtol=1e-3)


def test_alone_it_is_the_ratio_of_means():
    A, y, _ = make_counts()
    ratio = table_of(A[:, :1], y)["rate_ratio"][0]
    holds = A[:, 0] == 1
    assert ratio == pytest.approx(y[holds].mean() / y[~holds].mean(), rel=1e-8)


def test_counts_in_thousands_converge():
    A, y, _ = make_counts()
    np.testing.assert_allclose(
        table_of(A, 10_000 * y)[RATES], table_of(A, y)[RATES], rtol=1e-8
    )


# Zeros on one side ----------------------------------------------------------------


def test_a_hypothesis_that_holds_only_where_all_are_zero():
    A, y, _ = make_counts()
    y = np.where(A[:, 2] == 1, 0, y)
    table = table_of(A, y)
    assert table.loc[2, RATES].tolist()[:1] == [0.0]
    assert table.loc[2, RATES[1:]].isna().all()
    assert "no finite ratio (0)" in table["note"][2]
    assert np.isfinite(table.loc[2, "coef_p"])
    # the limit: the others on the rows where it does not hold
    rest = A[:, 2] == 0
    others = table_of(A[rest][:, :2], y[rest])[RATES]
    np.testing.assert_allclose(table.loc[:1, RATES], others, rtol=1e-6)


def test_a_hypothesis_without_which_all_are_zero():
    A, y, _ = make_counts()
    table = table_of(A, np.where(A[:, 0] == 1, y, 0))
    assert np.isposinf(table["rate_ratio"][0])
    assert "no finite ratio (infinite)" in table["note"][0]
    assert np.isfinite(table.loc[1:, RATES]).all(axis=None)


def test_levels_of_zeros_alone_say_nothing():
    A, y, _ = make_counts()
    level = np.arange(len(y)) % 8
    y = np.where(level < 2, 0, y)
    table = table_of(A, y, fixed_effects=level)
    rest = level >= 2
    others = table_of(A[rest], y[rest], fixed_effects=level[rest])
    np.testing.assert_allclose(table["rate_ratio"], others["rate_ratio"], rtol=1e-6)
    assert not table["note"].str.contains("finite ratio").any()


def test_rows_that_two_hypotheses_separate_together():
    """Neither alone: where only the first holds y is 0, where both hold it is not."""
    A = np.array([[1, 0], [1, 1], [0, 0], [1, 1], [0, 0], [1, 0]], dtype=float)
    y = np.array([0, 3, 2, 1, 0, 0])
    X = np.column_stack([A, np.ones(6)])
    separated, direction = find_separated_rows(X, np.where(y > 0, 0, -1))
    assert separated.tolist() == [True, False, False, False, False, True]
    assert direction.tolist() == [-1, 1, 0]


def test_nothing_is_separated_where_rows_pull_both_ways():
    X = np.array([[1, 1, 0], [1, 0, 1], [1, 0, 0.0], [1, 1, -1]])
    separated, direction = find_separated_rows(X, np.array([0, -1, 0, -1]))
    assert not separated.any()
    assert not direction.any()


# What else accompanies it ---------------------------------------------------------


def test_too_many_fixed_effects_are_said_not_to_be_possible():
    A, y, _ = make_counts(n=1200)
    author = np.arange(1200) // 2
    with pytest.warns(match="more than 500 levels"):
        report = evaluate_annotations(
            A, y, fixed_effects=author, groups=author, target="count", n_resamples=0
        )
    assert report.table[RATES].isna().all(axis=None)
    assert report.table["coef"].notna().all()


def test_fixed_effects_that_are_absorbed_elsewhere_are_columns_here():
    A, y, _ = make_counts()
    author = np.arange(len(y)) // 8
    table = table_of(A, y, fixed_effects=author, groups=author)
    X = np.column_stack([A, pd.get_dummies(author).to_numpy(float)])
    positive = pd.Series(y).groupby(author).transform("sum").to_numpy() > 0
    X = X[positive][:, X[positive].any(axis=0)]
    reference = sm.GLM(y[positive], X, family=sm.families.Poisson()).fit(rtol=1e-13)
    np.testing.assert_allclose(
        table["rate_ratio"], np.exp(reference.params[:3]), rtol=1e-6
    )


def test_within_pairs_there_are_none():
    A, y, _ = make_counts()
    table = table_of(A, y, pairs=np.arange(len(y)) // 2)
    assert "rate_ratio" not in table


def test_the_tests_stay_those_of_means():
    A, y, _ = make_counts()
    counted, plain = table_of(A, y), table_of(A, y, target="quantity")
    pd.testing.assert_frame_equal(counted.drop(columns=RATES), plain)


def test_shown_where_odds_ratios_are():
    A, y, _ = make_counts()
    report = evaluate_annotations(A, y, target="count", n_resamples=0)
    assert report.target_kind == "count"
    assert "y is taken as counts" in str(report)
    assert "Rate ratio" in report.to_markdown()
    assert "Rate ratio" in report.to_latex()
