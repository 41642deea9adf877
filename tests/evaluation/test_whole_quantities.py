"""Whole evaluations of quantities, as in `test_whole_classes`."""

import numpy as np
import pandas as pd
import plain_statistics as plain
import pytest
import statsmodels.api as sm
import whole_evaluations as whole
from scipy import stats
from sklearn import linear_model, metrics


def slopes_columns(X, y, coef, covariance, df, h, w):
    """The joint columns of a quantity; X holds a constant or its equivalent."""
    se = np.sqrt(np.diag(covariance))[:h]
    lower, upper, p = plain.t_interval(coef[:h], se, df[:h])
    return {
        **whole.coefficients(coef[:h], se, lower, upper, p, df[:h]),
        "coef_std": coef[:h] * plain.weighted_sd(X[:, :h], w) / plain.weighted_sd(y, w),
    }


def test_quantity_with_covariates_and_fixed_effects():
    rng = np.random.default_rng(8)
    n = 150
    A = whole.annotations_of(rng, n, gaps=0.01)
    month = rng.integers(0, 6, n)
    covariates = pd.DataFrame(
        {"age": rng.normal(40, 10, n), "channel": rng.choice(["a", "b", "c"], n)}
    )
    y = np.nan_to_num(A) @ [0.9, -0.4, 0.3, 0.0] + rng.normal(size=n) * (1 + month)
    y += 0.03 * covariates["age"].to_numpy() + 0.5 * (covariates["channel"] == "c")
    y = y.to_numpy()
    embeddings = np.column_stack([y + rng.normal(size=n), rng.normal(size=(n, 2))])
    report, predictions, messages = whole.evaluated(
        A,
        y,
        covariates=covariates,
        fixed_effects=month,
        embeddings=embeddings,
        cov_type="HC3",
    )
    assert messages == []
    rows = ~np.isnan(A).any(axis=1)
    levels = (month[:, None] == np.arange(1, 6)).astype(float)
    others = np.column_stack(
        [
            covariates["age"],
            covariates["channel"] == "b",
            covariates["channel"] == "c",
            np.ones(n),
            levels,
        ]
    )
    X, own, w = np.column_stack([A, others])[rows], y[rows], np.ones(rows.sum())
    result = sm.OLS(own, X).fit(cov_type="HC3")
    _, covariance, df = plain.jackknife(X, own, np.arange(len(own)))
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), result.bse)
    joint = slopes_columns(X, own, result.params, covariance, df, 4, w)
    single = []
    for a in A.T:
        test = stats.ttest_ind(y[a == 1], y[a == 0], equal_var=False)
        difference = y[a == 1].mean() - y[a == 0].mean()
        se = difference / test.statistic
        u, v, m, k = (
            1 / np.sum(a == 1),
            1 / np.sum(a == 0),
            *(np.bincount(a[~np.isnan(a)].astype(int))[::-1] - 1),
        )
        most = (u + v) ** 2 / (u**2 / m + v**2 / k)
        values = [difference, se, *plain.t_interval(difference, se, min(test.df, most))]
        single.append(whole.separation_of(values))
    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A)
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p"])
        | {
            "separation_p_corrected": plain.holm([r["separation_p"] for r in single]),
            "separation_std": whole.columns_of(single, ["separation"])["separation"]
            / y.std(),
        }
        | whole.worst_cases(A, [y] * 4, np.ones(n))
        | joint
        | {
            "vif": plain.variance_inflation(X[:, :4], np.ones((len(X), 1)), w),
            **whole.corrected(joint["coef_p"], 0.1),
            "method": ["OLS"] * 4,
            **whole.UNREMARKABLE,
        },
    )
    lower, upper, p = plain.t_interval(result.params, result.bse, df)
    whole.compare(
        report.covariates,
        {
            "name": ["age", "channel_b", "channel_c"],
            "coef": result.params[4:7],
            "coef_se": result.bse[4:7],
            "coef_lower": lower[4:7],
            "coef_upper": upper[4:7],
            "coef_p": p[4:7],
        },
    )
    alone = sm.OLS(own, others[rows]).fit()
    rest = plain.r2_of(own, alone.fittedvalues)
    everywhere, all_folds = np.ones(n, dtype=bool), whole.folds_of(y, stratified=False)
    folds = whole.folds_of(own, stratified=False)
    model = linear_model.LinearRegression()
    fitted = whole.cross_fitted(model, X[:, :4], own, folds, w)
    ridge = linear_model.RidgeCV(np.logspace(-3, 3, 13))
    dense = whole.cross_fitted(ridge, embeddings, y, all_folds, np.ones(n))
    whole.compare_figures(
        report,
        {
            "r2": (result.rsquared - alone.rsquared, None, rows),
            "r2_adjusted": (result.rsquared_adj - alone.rsquared_adj, None, rows),
            "r2_covariates": (alone.rsquared, rest, rows),
            "r2_cross_fitted": (
                metrics.r2_score(own, fitted[:, 0]),
                plain.r2_of(own, fitted[:, 0]),
                rows,
            ),
            "r2_out_of_sample": (
                metrics.r2_score(y, predictions[:, 0]),
                plain.r2_of(y, predictions[:, 0]),
                everywhere,
            ),
            "r2_embeddings": (
                metrics.r2_score(y, dense[:, 0]),
                plain.r2_of(y, dense[:, 0]),
                everywhere,
            ),
        },
        None,
        np.arange(n),
    )
    assert report.r2 == pytest.approx(result.rsquared - alone.rsquared)
    assert report.r2_adjusted == pytest.approx(result.rsquared_adj - alone.rsquared_adj)
    assert report.r2_out_of_sample == pytest.approx(
        metrics.r2_score(y, predictions[:, 0])
    )
    assert report.permutation_p == whole.permutation_p(
        X[:, :4], own, others[rows], levels=pd.factorize(month)[0][rows]
    )


def test_quantity_weighted_and_clustered_with_absorbed_levels():
    rng = np.random.default_rng(9)
    n = 160
    units, w = whole.groups_of(rng, n, 20), rng.choice([0.5, 1.0, 3.0], n)
    levels = units * 3 + rng.integers(0, 3, n)  # each within one group
    A = whole.annotations_of(rng, n, h=3)
    near = np.where(rng.random(n) < 0.04, 1 - A[:, 0], A[:, 0])
    A = np.column_stack([A, near])
    A[rng.choice(n, 5, replace=False), 1] = np.nan
    noise = rng.normal(size=n) + rng.normal(size=20)[units]
    y = np.nan_to_num(A) @ [0.9, -0.4, 0.3, 0.0] + noise
    report, predictions, messages = whole.evaluated(
        A,
        y,
        sample_weight=w,
        groups=units,
        fixed_effects=levels,
        embeddings=None,
    )
    assert messages == []
    w, rows = w / w.mean(), ~np.isnan(A).any(axis=1)
    single = []
    for a in A.T:
        k = ~np.isnan(a)
        alone = np.column_stack([a[k], np.ones(k.sum())])
        coef, covariance, df = plain.weighted_least_squares(alone, y[k], w[k], units[k])
        se = np.sqrt(covariance[0, 0])
        values = [coef[0], se, *plain.t_interval(coef[0], se, df[0])]
        single.append(whole.separation_of(values))
    dummies = (levels[:, None] == np.unique(levels[rows])).astype(float)
    X, own = np.column_stack([A, dummies])[rows], y[rows]
    coef, covariance, df = plain.weighted_least_squares(
        X, own, w[rows], units[rows], absorbed=True
    )
    cleared = whole.residuals(np.column_stack([X[:, :4], own]), dummies[rows], w[rows])
    joint = slopes_columns(cleared, cleared[:, 4], coef, covariance, df, 4, w[rows])
    whole.compare(
        report.table,
        whole.facts(whole.NAMES, A, weights=w)
        | whole.columns_of(single, [*whole.SEPARATION, "separation_p"])
        | {
            "separation_p_corrected": plain.holm([r["separation_p"] for r in single]),
            "separation_std": whole.columns_of(single, ["separation"])["separation"]
            / plain.weighted_sd(y, w),
        }
        | whole.worst_cases(A, [y] * 4, w)
        | joint
        | {
            "vif": plain.variance_inflation(X[:, :4], np.ones((len(X), 1)), w[rows]),
            **whole.corrected(joint["coef_p"], 0.1),
            "method": ["WLS"] * 4,
            "duplicate_of": ["", "", "", whole.NAMES[0]],
            "note": [""] * 4,
        },
    )
    own_w, k = w[rows], dummies.shape[1]
    within = whole.residuals(own[:, None], dummies[rows], own_w)[:, 0]
    together = plain.r2_of(own, X @ coef)
    rest = plain.r2_of(own, own - within)
    dof = [(len(own) - 1) / (len(own) - used) for used in (k + 4, k)]
    folds = whole.folds_of(own, units[rows], stratified=False)
    fitted = whole.cross_fitted(
        linear_model.LinearRegression(), X[:, :4], own, folds, own_w
    )
    whole.compare_figures(
        report,
        {
            "r2": (plain.difference(together, rest)(own_w), None, rows),
            "r2_adjusted": (plain.difference(together, rest, dof)(own_w), None, rows),
            "r2_covariates": whole.scored(rest, w, rows),
            "r2_cross_fitted": (
                metrics.r2_score(own, fitted[:, 0], sample_weight=own_w),
                plain.r2_of(own, fitted[:, 0]),
                rows,
            ),
            "r2_out_of_sample": (
                metrics.r2_score(y, predictions[:, 0], sample_weight=w),
                plain.r2_of(y, predictions[:, 0]),
                np.ones(n, dtype=bool),
            ),
        },
        w,
        units,
    )
    assert (report.cov_type, report.n_groups) == ("cluster", 20)
    assert report.permutation_p == whole.permutation_p(
        cleared[:, :4],
        cleared[:, 4],
        np.empty((rows.sum(), 0)),
        weights=own_w,
        clusters=units[rows],
        absorbed=True,
    )
