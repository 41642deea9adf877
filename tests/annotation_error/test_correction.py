"""Correction for annotation error, against refits, statsmodels, SciPy and truth."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from sklearn_hypo._annotation_error._correction import correct_for_annotation_error
from sklearn_hypo._annotation_error._fits import AnnotatedRows, fit_corrected
from sklearn_hypo._annotation_error._human_labels import (
    HumanLabels,
    compute_inclusion_probabilities,
    draw_rows,
)
from sklearn_hypo._annotation_error._predict_then_debias import predict_then_debias
from sklearn_hypo._inference._marginal_effects import effect_influence
from sklearn_hypo._inference._robust_covariance import (
    linear_influence,
    logit_influence,
    satterthwaite_df,
    t_inference,
)
from sklearn_hypo._report._details import EvaluationData
from sklearn_hypo.exceptions import HypothesisWarning


def world(rng, n=1000, prevalence=0.3, n_labelled=200, h=1, missed=0.2, false=0.0):
    """True annotations, those of a machine that errs, human ones of a few, and y."""
    truth = (rng.random((n, h)) < prevalence).astype(float)
    y = truth @ np.linspace(0.5, -0.5, h) + rng.normal(size=n)
    wrong = rng.random((n, h)) < np.where(truth == 1, missed, false)
    machine = np.where(wrong, 1 - truth, truth)
    human = np.full((n, h), np.nan)
    rows = rng.permutation(n)[:n_labelled]
    human[rows] = truth[rows]
    return truth, machine, human, y


def corrected(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        return correct_for_annotation_error(*args, **kwargs).table


def simulated(machine, human, y, columns=(0,), label_weights=None):
    """The first hypothesis' figures, without the table around them: for many runs."""
    ones = np.ones(len(y))
    weights = ones if label_weights is None else label_weights
    rows = AnnotatedRows(machine, human, ones, weights, None, np.empty((len(y), 0)))
    labelled = ~np.isnan(human).any(axis=1)
    columns = list(columns)
    fits = fit_corrected(
        rows, y, columns, labelled, columns, model=linear_influence, tuning="diagonal"
    )
    fit = fits.corrected
    lower, upper, _ = t_inference(fit.estimate[0], fit.se[0], fit.df[0])
    return {
        "naive": fits.naive.estimate[0],
        "human_only": fits.human.estimate[0],
        "corrected": fit.estimate[0],
        "corrected_se": fit.se[0],
        "covers": lower <= 0.5 <= upper,
    }


def design(rng, n=60):
    a = rng.integers(0, 2, size=n).astype(float)
    return np.column_stack([a, rng.normal(size=n), np.ones(n)]), a


# Influence --------------------------------------------------------------------------


def test_linear_changes_are_those_of_leaving_rows_out():
    rng = np.random.default_rng(0)
    X, a = design(rng)
    y, w = a + rng.normal(size=60), rng.uniform(0.5, 2, size=60)
    fit = linear_influence(X, y, w)
    np.testing.assert_allclose(fit.estimate, sm.WLS(y, X, weights=w).fit().params)
    for i in (0, 7, 59):
        keep = np.arange(60) != i
        without = sm.WLS(y[keep], X[keep], weights=w[keep]).fit().params
        np.testing.assert_allclose(fit.change[i], fit.estimate - without, atol=1e-12)


def test_linear_errors_are_hc3():
    rng = np.random.default_rng(1)
    X, a = design(rng)
    y, w = a + rng.normal(size=60) * (1 + a), rng.uniform(0.5, 2, size=60)
    for weights in (np.ones(60), w):
        fit = linear_influence(X, y, weights)
        theirs = sm.WLS(y, X, weights=weights).fit(cov_type="HC3")
        np.testing.assert_allclose(fit.se, theirs.bse, rtol=1e-10)


def test_cluster_changes_are_those_of_leaving_clusters_out():
    rng = np.random.default_rng(2)
    X, a = design(rng)
    y, w = a + rng.normal(size=60), rng.uniform(0.5, 2, size=60)
    units = rng.permutation(np.repeat(np.arange(12), 5))
    fit = linear_influence(X, y, w, units)
    for u in range(12):
        keep = units != u
        without = sm.WLS(y[keep], X[keep], weights=w[keep]).fit().params
        np.testing.assert_allclose(fit.change[u], fit.estimate - without, atol=1e-12)


def test_clusters_of_one_row_are_rows():
    rng = np.random.default_rng(3)
    X, a = design(rng)
    y = (rng.random(60) < 0.3 + 0.4 * a).astype(float)
    for model in (linear_influence, logit_influence, effect_influence):
        rows, clusters = (model(X, y, np.ones(60), u) for u in (None, np.arange(60)))
        np.testing.assert_allclose(clusters.change, rows.change, atol=1e-10)
        np.testing.assert_allclose(clusters.df, rows.df, rtol=0.2)


def test_an_estimate_that_rests_on_one_row_has_no_error():
    X = np.column_stack([[1.0, 0, 0, 0], np.ones(4)])
    y = np.array([5.0, 1, 2, 4])
    for units in (None, np.array([0, 1, 2, 3])):
        fit = linear_influence(X, y, np.ones(4), units)
        assert np.isnan(fit.se[0])
        assert np.isfinite(fit.se[1])


def test_logit_agrees_with_statsmodels():
    rng = np.random.default_rng(4)
    X, a = design(rng, 400)
    y = (rng.random(400) < 0.3 + 0.4 * a).astype(float)
    fit = logit_influence(X, y, np.ones(400))
    theirs = sm.Logit(y, X).fit(disp=0)
    np.testing.assert_allclose(fit.estimate, theirs.params, atol=1e-8)
    robust = sm.Logit(y, X).fit(disp=0, cov_type="HC0")
    np.testing.assert_allclose(fit.se, robust.bse, rtol=0.03)
    keep = np.arange(400) != 11
    without = sm.Logit(y[keep], X[keep]).fit(disp=0).params
    np.testing.assert_allclose(fit.change[11], theirs.params - without, atol=2e-4)


def test_effects_agree_with_statsmodels_and_the_bootstrap():
    rng = np.random.default_rng(5)
    X, a = design(rng, 400)
    y = (rng.random(400) < 0.3 + 0.4 * a).astype(float)
    fit = effect_influence(X, y, np.ones(400))
    theirs = sm.Logit(y, X).fit(disp=0).get_margeff(dummy=True)
    assert fit.estimate[0] == pytest.approx(theirs.margeff[0], abs=1e-8)

    def effect(rows):
        return effect_influence(X[rows], y[rows], np.ones(400)).estimate[0]

    found = stats.bootstrap(
        (np.arange(400),),
        effect,
        n_resamples=200,
        vectorized=False,
        method="percentile",
        rng=6,
    )
    assert fit.se[0] == pytest.approx(found.standard_error, rel=0.15)


def test_separated_classes_have_no_logit():
    a = np.repeat([0.0, 1.0], 10)
    X = np.column_stack([a, np.ones(20)])
    assert logit_influence(X, a, np.ones(20)) is None
    assert effect_influence(X, a, np.ones(20)) is None


def test_degrees_of_freedom_by_hand():
    assert satterthwaite_df(np.ones((8, 1))) == 8
    # two clusters of four rows that err together count as two
    assert satterthwaite_df(np.ones((8, 1)), np.repeat([0, 1], 4)) == 2
    # rows of opposite sign cannot cancel what they would do apart
    assert satterthwaite_df(np.array([[1.0], [-1], [1], [-1]]), [0, 0, 1, 1]) == 2


# Predict, then debias ---------------------------------------------------------------


def mean_influence(x):
    return linear_influence(np.ones((len(x), 1)), x, np.ones(len(x)))


def mean_case(seed=0, n=500, m=60):
    rng = np.random.default_rng(seed)
    value = rng.normal(size=n)
    guess = value + rng.normal(size=n) + 3
    return value[:m], guess, np.arange(m)


def test_number_zero_is_the_human_estimate_and_one_the_plain_correction():
    value, guess, labelled = mean_case()
    parts = mean_influence(value), mean_influence(guess[:60]), mean_influence(guess)
    none = predict_then_debias(*parts, labelled, tuning=0.0)
    assert none.estimate == pytest.approx(value.mean())
    assert none.se == pytest.approx(parts[0].se)
    plain = predict_then_debias(*parts, labelled, tuning=1)
    assert plain.estimate == pytest.approx(
        value.mean() + guess.mean() - guess[:60].mean()
    )


def test_tuning_makes_the_variance_smallest():
    value, guess, labelled = mean_case(1)
    parts = mean_influence(value), mean_influence(guess[:60]), mean_influence(guess)
    best = predict_then_debias(*parts, labelled)
    omega = best.tuning[0, 0]
    grid = [
        predict_then_debias(*parts, labelled, tuning=t).se[0]
        for t in omega + np.linspace(-0.5, 0.5, 11)
    ]
    assert np.argmin(grid) == 5
    assert best.se[0] == pytest.approx(grid[5] * np.sqrt(60 / 59))


def test_a_mean_agrees_with_power_tuned_prediction_powered_inference():
    # Angelopoulos, Duchi, Zrnic 2023 (arXiv 2311.01453) have labelled and unlabelled
    # rows apart: their weight is ours times the share of the unlabelled
    value, guess, labelled = mean_case(2)
    n, m = 500, 60
    fit = predict_then_debias(
        mean_influence(value),
        mean_influence(guess[:m]),
        mean_influence(guess),
        labelled,
    )
    lam = np.cov(value, guess[:m])[0, 1] / (np.var(guess, ddof=1) * (1 + m / (n - m)))
    ours = fit.tuning[0, 0] * (n - m) / n
    assert ours == pytest.approx(lam, rel=0.15)
    estimate = value.mean() + ours * (guess[m:].mean() - guess[:m].mean())
    assert fit.estimate[0] == pytest.approx(estimate)
    variance = np.var(value - ours * guess[:m]) / m + np.var(ours * guess[m:]) / (n - m)
    assert fit.se[0] == pytest.approx(np.sqrt(variance), rel=0.04)


def test_full_tuning_uses_the_other_estimates():
    rng = np.random.default_rng(3)
    other = rng.normal(size=(800, 1))
    value = other[:, 0] + 0.1 * rng.normal(size=800)
    X = np.ones((800, 1))

    def both(first, second, rows):
        fits = [linear_influence(X[rows], v[rows], X[rows, 0]) for v in (first, second)]
        return SimpleNamespace(
            estimate=np.concatenate([f.estimate for f in fits]),
            change=np.column_stack([f.change for f in fits]),
            load=np.column_stack([f.load for f in fits]),
            units=None,
        )

    noise = rng.normal(size=800)
    few, everyone = np.arange(100), np.arange(800)
    parts = both(value, noise, few), both(noise, other[:, 0], few)
    whole = both(noise, other[:, 0], everyone)
    full = predict_then_debias(*parts, whole, few, tuning="full")
    diagonal = predict_then_debias(*parts, whole, few)
    assert full.se[0] < 0.5 * diagonal.se[0]


# The table --------------------------------------------------------------------------


def test_naive_and_human_estimates_are_those_of_statsmodels():
    rng = np.random.default_rng(0)
    _, machine, human, y = world(rng, h=3)
    labelled = ~np.isnan(human[:, 0])
    table = corrected(machine, human, y, estimand="coef")
    naive = sm.OLS(y, sm.add_constant(machine)).fit(cov_type="HC3")
    people = sm.OLS(y[labelled], sm.add_constant(human[labelled])).fit(cov_type="HC3")
    np.testing.assert_allclose(table["naive"], naive.params[1:])
    np.testing.assert_allclose(table["human_only"], people.params[1:])
    np.testing.assert_allclose(table["human_only_se"], people.bse[1:])
    table = corrected(machine, human, y)
    for j in range(3):
        one, zero = y[machine[:, j] == 1], y[machine[:, j] == 0]
        assert table["naive"][j] == pytest.approx(one.mean() - zero.mean())


def test_columns_and_agreement():
    rng = np.random.default_rng(1)
    truth, machine, human, y = world(rng, h=2, missed=0.3)
    found = correct_for_annotation_error(machine, human, y, names=["a", "b"])
    bounds = ("", "_se", "_lower", "_upper")
    assert found.table.columns.tolist() == [
        *("hypothesis", "n", "n_labelled", "n_positive"),
        *("sensitivity", "specificity", "agreement"),
        *("naive", "naive_lower", "naive_upper"),
        *(f"{name}{end}" for name in ("human_only", "corrected") for end in bounds),
        *("corrected_p", "tuning", "note"),
    ]
    row = found.table.iloc[0]
    labelled = ~np.isnan(human[:, 0])
    yes = labelled & (truth[:, 0] == 1)
    assert row["n"] == 1000
    assert row["n_labelled"] == labelled.sum() == found.n_labelled
    assert row["n_positive"] == yes.sum()
    assert row["sensitivity"] == pytest.approx(machine[yes, 0].mean())
    assert row["specificity"] == 1
    assert 0 < row["agreement"] < 1
    assert row["corrected_lower"] < row["corrected"] < row["corrected_upper"]
    assert row["corrected_se"] < row["human_only_se"]
    assert "200 of 1,000 texts" in repr(found)


def test_a_machine_without_errors_is_believed():
    rng = np.random.default_rng(2)
    _, machine, human, y = world(rng, missed=0.0)
    row = corrected(machine, human, y).iloc[0]
    # one tuned weight leaves it near 1, and so the estimate near the naive one
    assert row["tuning"] == pytest.approx(1, abs=0.05)
    assert row["corrected"] == pytest.approx(row["naive"], abs=0.02)
    assert row["note"] == "human and machine agree on all labelled rows"
    # that no error was seen among 200 does not mean that there is none
    assert row["corrected_upper"] - row["corrected_lower"] > 1.05 * (
        row["naive_upper"] - row["naive_lower"]
    )
    assert row["corrected_se"] < 0.8 * row["human_only_se"]


@pytest.mark.parametrize("columns", [[0], [0, 1]], ids=["separation", "coef"])
@pytest.mark.parametrize(("missed", "false"), [(0.2, 0.0), (0.0, 0.2)])
def test_unbiased_with_covering_intervals(columns, missed, false):
    found = []
    for seed in range(150):
        rng = np.random.default_rng([seed, round(10 * missed)])
        world_ = world(rng, n=800, h=2, missed=missed, false=false)
        found.append(simulated(*world_[1:], columns))
    table = pd.DataFrame(found)
    error = table["corrected"] - 0.5
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(150)
    assert table["covers"].mean() > 0.90
    assert table["corrected"].std() < 0.9 * table["human_only"].std()
    assert np.sqrt((table["corrected_se"] ** 2).mean()) == pytest.approx(
        error.std(), rel=0.25
    )
    if false:
        assert table["naive"].mean() < 0.42


def test_errors_that_depend_on_the_target_are_corrected():
    found = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth = (rng.random((800, 1)) < 0.4).astype(float)
        y = 0.5 * truth[:, 0] + rng.normal(size=800)
        # what is missed are the high ones: the naive estimate is far too low
        machine = truth * ~((y[:, None] > 0.5) & (rng.random((800, 1)) < 0.4))
        human = np.where(np.arange(800)[:, None] < 200, truth, np.nan)
        found.append(simulated(machine, human, y))
    table = pd.DataFrame(found)
    error = table["corrected"] - 0.5
    assert table["naive"].mean() < 0.3
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(150)
    assert table["covers"].mean() > 0.89


def test_weights_of_an_enriched_sample_correct_for_it():
    found = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        truth, machine, human, y = world(
            rng, 2000, prevalence=0.05, missed=0.2, false=0.03
        )
        p = compute_inclusion_probabilities(2000, 200, annotations=machine, enrich=0.5)
        rows = draw_rows(p, rng)
        human = np.full((2000, 1), np.nan)
        human[rows] = truth[rows]
        found.append(simulated(machine, human, y, label_weights=1 / p))
        found[-1]["n_positive"] = np.nansum(human)
    table = pd.DataFrame(found)
    assert table["n_positive"].mean() > 30
    error = table["corrected"] - 0.5
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(150)
    assert table["covers"].mean() > 0.89


def test_probabilities_of_the_sheet_are_the_weights():
    rng = np.random.default_rng(15)
    _, machine, human, y = world(rng, 2000, n_labelled=400, missed=0.3)
    p = np.where(machine[:, 0] == 1, 0.5, 0.1)
    human[rng.random(2000) > p] = np.nan
    labels = HumanLabels(pd.DataFrame(human, columns=["x0"]), p)
    table = corrected(machine, labels, y)
    weighted = corrected(machine, human, y, label_weights=1 / p)
    pd.testing.assert_frame_equal(table, weighted)
    labelled = ~np.isnan(human[:, 0])
    theirs = sm.WLS(
        y[labelled], sm.add_constant(human[labelled]), weights=1 / p[labelled]
    ).fit(cov_type="HC3")
    assert table["human_only"][0] == pytest.approx(theirs.params[1])
    assert table["human_only_se"][0] == pytest.approx(theirs.bse[1])
    # the labelled rows alone would hide most of what is missed
    assert table["sensitivity"][0] < corrected(machine, human, y)["sensitivity"][0]


def test_copies_of_a_row_in_one_group_are_one_row():
    rng = np.random.default_rng(4)
    _, machine, human, y = world(rng, n=300, n_labelled=100, h=2)
    three = np.repeat(np.arange(300), 3)
    for estimand in ("separation", "coef"):
        single = corrected(machine, human, y, estimand=estimand)
        copies = corrected(
            machine[three], human[three], y[three], estimand=estimand, groups=three
        )
        for name in ("naive", "human_only", "corrected", "corrected_se", "tuning"):
            np.testing.assert_allclose(copies[name], single[name], rtol=1e-8)
        np.testing.assert_allclose(
            copies["corrected_upper"], single["corrected_upper"], rtol=1e-2
        )


def test_groups_widen_intervals_where_errors_go_together():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(60), 20)
    a = np.repeat(rng.random(60) < 0.4, 20).astype(float)[:, None]
    y = np.repeat(rng.normal(size=60), 20) + 0.3 * rng.normal(size=1200)
    human = np.where(rng.random((1200, 1)) < 0.3, a, np.nan)
    machine = np.where(rng.random((1200, 1)) < 0.1, 1 - a, a)
    rows = corrected(machine, human, y).iloc[0]
    clusters = corrected(machine, human, y, groups=groups).iloc[0]
    assert clusters["corrected_se"] > 2 * rows["corrected_se"]


def test_the_bootstrap_agrees():
    rng = np.random.default_rng(6)
    _, machine, human, y = world(rng, n=400, n_labelled=150)
    row = corrected(machine, human, y, n_resamples=250, random_state=0).iloc[0]
    width = row["corrected_upper"] - row["corrected_lower"]
    assert row["bootstrap_upper"] - row["bootstrap_lower"] == pytest.approx(
        width, rel=0.2
    )
    assert row["bootstrap_lower"] < row["corrected"] < row["bootstrap_upper"]


def test_two_classes_are_shares_of_the_second():
    rng = np.random.default_rng(7)
    _, machine, human, y = world(rng, n=2000, h=2)
    labels = np.where(y > 0.3, "yes", "no")
    table = corrected(machine, human, labels)
    holds = machine[:, 0] == 1
    assert table["naive"][0] == pytest.approx(
        (labels[holds] == "yes").mean() - (labels[~holds] == "yes").mean()
    )
    logit = corrected(machine, human, labels, estimand="coef")
    theirs = sm.Logit(labels == "yes", sm.add_constant(machine)).fit(disp=0)
    np.testing.assert_allclose(logit["naive"], theirs.params[1:], atol=1e-7)
    effect = corrected(machine, human, labels, estimand="ame")
    np.testing.assert_allclose(
        effect["naive"], theirs.get_margeff(dummy=True).margeff, atol=1e-7
    )
    for found in (logit, effect):
        assert (found["corrected_se"] < found["human_only_se"]).all()


def test_more_classes_have_one_row_each():
    rng = np.random.default_rng(8)
    _, machine, human, y = world(rng, h=2)
    labels = np.digitize(y, [-0.5, 0.5])
    table = corrected(machine, human, labels, task="classification")
    assert table[["hypothesis", "class"]].to_numpy().tolist() == [
        ["x0", 0], ["x1", 0], ["x0", 1], ["x1", 1], ["x0", 2], ["x1", 2],
    ]  # fmt: skip
    # shares of all classes sum to 1, and so do the estimates that are linear in them
    sums = table.groupby("hypothesis")[["naive", "human_only"]].sum()
    np.testing.assert_allclose(sums, 0, atol=1e-12)
    with pytest.raises(ValueError, match="takes two classes"):
        correct_for_annotation_error(
            machine, human, labels, task="classification", estimand="coef"
        )


def test_few_labels_are_nan_or_said():
    rng = np.random.default_rng(9)
    truth, machine, human, y = world(rng, n=2000, h=2)
    rare = np.flatnonzero(truth[:, 1] == 1)
    human[:, 1] = np.where(np.isin(np.arange(2000), rare[3:]), np.nan, human[:, 1])
    with pytest.warns(HypothesisWarning, match=r"fewer than 5 human labels.*'x1'"):
        table = correct_for_annotation_error(machine, human, y).table
    assert np.isfinite(table["corrected"][0])
    assert table[["corrected", "corrected_lower", "human_only"]].loc[1].isna().all()
    assert np.isfinite(table["naive"][1])
    assert table["note"][1].startswith("too few labels")
    human[rare[:7], 1] = 1
    with pytest.warns(HypothesisWarning, match="few human labels on one side"):
        table = correct_for_annotation_error(machine, human, y).table
    assert np.isfinite(table["corrected"][1])


def test_an_estimate_that_leans_on_few_texts_says_so():
    rng = np.random.default_rng(16)
    truth, machine, human, y = world(rng, n=20_000, prevalence=0.1, missed=0.0)
    # one of the twenty labelled positives is missed: it decides alone
    first = np.flatnonzero(human[:, 0] == 1)[0]
    machine[first] = 0
    row = corrected(machine, human, y).iloc[0]
    assert row["note"] == "the corrected estimate leans on a handful of labelled texts"
    assert row["corrected_upper"] - row["corrected_lower"] < 4 * row["human_only_se"]
    assert truth[first] == 1


def test_hypotheses_without_labels_stay_as_annotated():
    rng = np.random.default_rng(10)
    _, machine, human, y = world(rng, h=3)
    names = ["a", "b", "c"]
    some = pd.DataFrame(human[:, [2, 0]], columns=["c", "a"])
    table = corrected(machine, some, y, names=names, estimand="coef")
    assert table["corrected"].isna().tolist() == [False, True, False]
    assert table["note"][1] == "no human labels: in the model as annotated"
    mixed = human.copy()
    mixed[:, 1] = machine[:, 1]
    labelled = ~np.isnan(human[:, 0])
    theirs = sm.OLS(y[labelled], sm.add_constant(mixed[labelled])).fit().params
    assert table["human_only"][0] == pytest.approx(theirs[1])
    table = corrected(machine, some, y, names=names)
    assert table["note"][1] == "no human labels"


def test_missing_answers_and_columns_that_cannot_be_used():
    rng = np.random.default_rng(11)
    _, machine, human, y = world(rng, h=4)
    machine[:100, 0] = np.nan
    machine[:, 1] = 0
    machine[:, 3] = machine[:, 2]
    table = corrected(machine, human, y)
    assert table["n"].tolist() == [900, 1000, 1000, 1000]
    assert table["note"][1] == "never or always true"
    table = corrected(machine, human, y, estimand="coef")
    assert table["corrected"].isna().tolist() == [False, True, False, True]
    assert table["n"][0] == 900
    assert "not in the joint model" in table["note"][3]


def test_covariates_are_in_the_joint_model():
    rng = np.random.default_rng(12)
    _, machine, human, y = world(rng, h=2)
    z = pd.DataFrame(
        {"z": rng.normal(size=1000) + machine[:, 0], "kind": ["u", "v"] * 500}
    )
    table = corrected(machine, human, y, estimand="coef", covariates=z)
    X = np.column_stack([np.ones(1000), machine, z["z"], z["kind"] == "v"])
    np.testing.assert_allclose(table["naive"], sm.OLS(y, X).fit().params[1:3])


def test_separated_labels_are_said():
    rng = np.random.default_rng(13)
    _, machine, human, y = world(rng, n=400, n_labelled=60)
    labels = np.where(human[:, 0] == 1, 1, (y > 0).astype(int))
    with pytest.warns(HypothesisWarning, match="no finite joint logit"):
        table = correct_for_annotation_error(
            machine, human, labels, estimand="coef"
        ).table
    assert np.isnan(table["corrected"][0])
    assert np.isfinite(table["naive"][0])


def test_a_report_brings_its_data():
    rng = np.random.default_rng(14)
    _, machine, human, y = world(rng, h=2)
    weight = rng.uniform(0.5, 2, size=1000)
    data = EvaluationData(machine, ("a", "b"), y, sample_weight=weight)
    report = SimpleNamespace(data=data, task="regression")
    table = corrected(report, human)
    expected = corrected(machine, human, y, names=["a", "b"], sample_weight=weight)
    pd.testing.assert_frame_equal(table, expected)
    with pytest.raises(ValueError, match="y arrived beside a report"):
        correct_for_annotation_error(report, human, y)
    paired = EvaluationData(machine, ("a", "b"), y, pairs=np.arange(1000) // 2)
    with pytest.raises(ValueError, match="not made for pairs"):
        correct_for_annotation_error(SimpleNamespace(data=paired, task="r"), human)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimand": "r2"}, "estimand must be"),
        ({"tuning": "best"}, "tuning must be"),
        ({"level": 95}, "level must be"),
        ({"y": None}, "requires y"),
        ({"y": np.zeros(3)}, "differ in length"),
        ({"human": np.full((6, 1), np.nan)}, "no human label"),
        ({"human": np.full((5, 1), 1.0)}, "5 rows of human labels"),
        ({"human": np.full((6, 2), 1.0)}, "2 columns of human labels"),
        ({"human": np.full((6, 1), 0.5)}, "Human labels must be 1, 0 or NaN"),
        ({"human": pd.DataFrame({"other": [1.0] * 6})}, "unknown"),
        ({"annotations": np.full((6, 1), 0.5)}, "Annotations must be 1, 0 or NaN"),
        (
            {"annotations": pd.DataFrame([[1.0, 0]] * 6, columns=["a", "a"])},
            "more than",
        ),
        ({"names": ["a", "b"]}, "2 names for 1 columns"),
        ({"label_weights": [0.0] * 6}, "label_weights must be positive"),
        ({"label_weights": [1.0] * 5}, "one per row"),
        ({"estimand": "ame"}, "is for classes"),
    ],
)
def test_refused_input(change, message):
    given = {
        "annotations": np.array([[1.0], [0], [1], [0], [1], [0]]),
        "human": np.array([[1.0], [0], [1], [0], [1], [0]]),
        "y": np.arange(6.0),
    }
    given |= change
    with pytest.raises(ValueError, match=message):
        correct_for_annotation_error(**given)
