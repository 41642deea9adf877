"""Cumulative odds ratios against statsmodels, by hand, and without a finite value."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._ordered_logit import OrderedLogit
from sklearn_hypo._inference._ordinal_model import fit_ordered_logit

RATIOS = ["cumulative_odds_ratio" + end for end in ("", "_lower", "_upper")]


def make_stars(seed=0, n=400):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, 3)) < [0.5, 0.3, 0.1]).astype(float)
    latent = A @ [0.9, -0.6, 0.0] + rng.logistic(size=n)
    return A, np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]) + 1


def table_of(A, y, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = evaluate_annotations(
            A, y, **{"target": "ordinal", "n_resamples": 0, "ngrams": False} | given
        )
    return report.table


def fit_by_statsmodels(X, y, **given):
    """Newton's steps take numeric derivatives nearer to the maximum."""
    model = OrderedModel(y, X, distr="logit")
    start = model.fit(method="bfgs", disp=False).params
    return model.fit(start, method="newton", disp=False, **given)


def test_ratios_and_intervals_are_those_of_statsmodels():
    A, y = make_stars()
    z = np.random.default_rng(1).normal(size=len(y))
    level = np.arange(len(y)) % 3
    table = table_of(A, y, covariates=pd.DataFrame({"z": 100 * z}), fixed_effects=level)
    X = np.column_stack([A, z, level == 1, level == 2]).astype(float)
    reference = fit_by_statsmodels(X, y)
    expected = np.column_stack([reference.params, reference.conf_int()])[:3]
    np.testing.assert_allclose(table[RATIOS], np.exp(expected), rtol=1e-5)


@pytest.mark.parametrize("given", [{"cov_type": "HC2"}, {"clusters": True}])
def test_sandwiches_are_those_of_statsmodels(given):
    A, y = make_stars()
    author = np.arange(len(y)) // 4
    theirs = {"cov_type": "HC0"}
    if "clusters" in given:
        given = {"clusters": author}
        theirs = {"cov_type": "cluster", "cov_kwds": {"groups": author}}
    fit = fit_ordered_logit(A, y, **given)
    reference = fit_by_statsmodels(A, y, **theirs)
    np.testing.assert_allclose(fit.coef, reference.params[:3], rtol=1e-5)
    np.testing.assert_allclose(fit.se, reference.bse[:3], rtol=1e-4)
    assert (fit.df == (99 if "clusters" in given else np.inf)).all()


def test_scores_are_the_derivative_of_the_likelihood():
    A, y = make_stars()
    model = OrderedLogit(y - 1, A, distr="logit")
    model.weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    point = np.array([0.3, -0.2, 0.1, -1.0, 0.2, -0.3, 0.4])
    step = 1e-6 * np.eye(len(point))
    numeric = [(model.loglike(point + s) - model.loglike(point - s)) for s in step]
    np.testing.assert_allclose(
        model.score(point), np.array(numeric) / 2e-6, rtol=1e-5, atol=1e-4
    )


def test_weights_count_rows():
    A, y = make_stars()
    times = np.random.default_rng(0).integers(1, 4, len(y))
    weighted = fit_ordered_logit(A, y, weights=times / times.mean())
    repeated = fit_ordered_logit(np.repeat(A, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-5)
    assert (table_of(A, y, sample_weight=times)[RATIOS[0]] > 0).all()


def test_two_levels_are_a_logit():
    A, y = make_stars()
    fit = fit_ordered_logit(A, y > 3)
    reference = sm.Logit(y > 3, sm.add_constant(A)).fit(disp=False, tol=1e-12)
    np.testing.assert_allclose(fit.coef, reference.params[1:], rtol=1e-6)
    np.testing.assert_allclose(fit.se, reference.bse[1:], rtol=1e-5)


@pytest.mark.parametrize(("end", "ratio"), [(1, 0.0), (5, np.inf)])
def test_a_hypothesis_that_holds_at_one_end_only(end, ratio):
    A, y = make_stars()
    y = np.where(A[:, 2] == 1, end, y)
    table = table_of(A, y)
    assert table[RATIOS[0]][2] == ratio
    assert table.loc[2, RATIOS[1:]].isna().all()
    assert f"no finite ratio ({'0' if ratio == 0 else 'infinite'})" in table["note"][2]
    rest = A[:, 2] == 0
    others = table_of(A[rest][:, :2], y[rest])[RATIOS]
    np.testing.assert_allclose(table.loc[:1, RATIOS], others, rtol=1e-5)


def test_levels_that_a_hypothesis_tells_apart_have_no_interval():
    """Its coefficient goes to infinity with the thresholds: no rows can be left out."""
    A, y = make_stars()
    table = table_of(np.column_stack([A, y >= 3]), y)
    assert table.loc[3, RATIOS[1:]].isna().all()


def test_the_tests_stay_those_of_means_and_nothing_is_said_by_itself():
    A, y = make_stars()
    ordered, plain = table_of(A, y), table_of(A, y, target="auto")
    assert RATIOS[0] not in plain
    pd.testing.assert_frame_equal(ordered.drop(columns=RATIOS), plain)
    report = evaluate_annotations(A, y, target="ordinal", n_resamples=0)
    assert report.target_kind == "ordinal"
    assert "y is taken as 5 ordered levels" in str(report)
    assert "Cumulative odds ratio" in report.to_markdown()
    assert "Cumulative odds ratio" in report.to_latex()


def test_too_many_levels_are_refused():
    A, _ = make_stars()
    with pytest.raises(ValueError, match="up to 20 levels, but y holds 400"):
        evaluate_annotations(A, np.arange(400.0), target="ordinal")
