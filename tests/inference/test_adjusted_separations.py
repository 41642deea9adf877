"""One hypothesis at a time beside covariates, against statsmodels."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from annotation_tests import check_and_test

from sklearn_hypo import evaluate_annotations

ENDS = ("", "_lower", "_upper", "_p", "_p_corrected")


def make_rows(n=400, seed=0):
    """z drives the target and the first two hypotheses; the third has an effect."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    A = (rng.random((n, 4)) < 0.4).astype(float)
    A[:, :2] = rng.random((n, 2)) < 1 / (1 + np.exp(-2 * z))[:, None]
    y = 2 * z + A[:, 2] + rng.normal(size=n)
    return A, y, z, rng


def table_of(*args, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check_and_test(*args, **{"correction": "step-down"} | given)[0]


def read(table, end):
    return table[f"separation_adjusted{end}"].to_numpy()


def test_without_covariates_there_are_none():
    A, y, _, _ = make_rows()
    assert not table_of(A, y).columns.str.startswith("separation_adjusted").any()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_coefficients_are_those_of_a_regression_beside_the_covariates(weighted, gaps):
    A, y, z, rng = make_rows()
    if gaps:
        A[rng.random(A.shape) < 0.1] = np.nan
    w = rng.uniform(0.5, 2, size=len(y)) if weighted else np.ones(len(y))
    given = {"sample_weight": w} if weighted else {}
    table = table_of(A, y, covariates=z, **given)
    for j, a in enumerate(A.T):
        k = ~np.isnan(a)
        X = np.column_stack([a, z, np.ones(len(y))])[k]
        fit = sm.WLS(y[k], X, weights=w[k]).fit(cov_type="HC2", use_t=True)
        assert read(table, "")[j] == pytest.approx(fit.params[0])
        # by permutations, from pooled variances and HC2
        lower, upper = fit.conf_int()[0]
        assert read(table, "_lower")[j] == pytest.approx(lower, abs=0.12)
        assert read(table, "_upper")[j] == pytest.approx(upper, abs=0.12)


def test_what_a_covariate_drives_is_significant_without_it_alone():
    A, y, z, _ = make_rows()
    table = table_of(A, y, covariates=z)
    assert (table["separation_p_corrected"] <= 0.05).tolist()[:2] == [True, True]
    assert (read(table, "_p_corrected") <= 0.05).tolist() == [False, False, True, False]
    excluded = (read(table, "_lower") > 0) | (read(table, "_upper") < 0)
    np.testing.assert_array_equal(excluded, read(table, "_p") <= 0.05)


def test_fixed_effects_compare_within_levels():
    A, y, _, rng = make_rows()
    level = rng.integers(0, 5, len(y))
    A[:, 0] = rng.random(len(y)) < 0.15 * (level + 1)
    table = table_of(A, y + 5 * level, fixed_effects=level)
    dummies = (level[:, None] == np.arange(5)).astype(float)
    fit = sm.OLS(y + 5 * level, np.column_stack([A[:, 0], dummies])).fit()
    assert read(table, "")[0] == pytest.approx(fit.params[0])
    assert read(table, "_p")[0] > 0.05 > table["separation_p"][0]


@pytest.mark.parametrize("kind", ["two", "three", "groups", "HC3", "pairs"])
def test_elsewhere_they_are_joint_regressions_of_one(kind):
    A, y, z, _ = make_rows()
    given, name = {"covariates": z}, "coef"
    if kind == "two":
        y, name = y > 0, "ame"
    elif kind == "three":
        y, given["task"] = np.digitize(y, [-1, 1]), "classification"
    elif kind == "groups":
        given["groups"] = np.arange(len(y)) // 5
    elif kind == "HC3":
        given["cov_type"] = "HC3"
    else:
        given["pairs"] = np.arange(len(y)) // 2
    table = table_of(A, y, **given)
    one = table_of(A[:, [2]], y, **given)
    ends = ENDS[:4] if kind in ("two", "groups", "HC3") else ("",)
    for end in ends if kind != "three" else ():
        other = "coef" if end == "_p" else name
        tolerance = 1e-6
        assert read(table, end)[2] == pytest.approx(
            one[f"{other}{end}"][0], rel=tolerance
        )
    assert read(table, "_p_corrected")[2] <= 0.05
    assert read(table, "_p_corrected")[0] > 0.05


def test_a_hypothesis_that_covariates_determine_has_none():
    A, y, _, _ = make_rows()
    table = table_of(A, y, covariates=A[:, 1])
    assert np.isnan(read(table, "")).tolist() == [False, True, False, False]


def test_the_report_says_what_separations_leave_out():
    A, y, z, _ = make_rows()
    report = evaluate_annotations(
        A, y, names=list("abcd"), covariates=pd.DataFrame({"length": z}), n_resamples=0
    )
    text = " ".join(str(report).split())
    assert (
        "separations leave covariates out: of 3 significant ones 1 are so with them "
        "held fixed (separation_adjusted), and 0 others"
    ) in text
