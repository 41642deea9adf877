"""Sizes of further studies: by hand, and against statsmodels."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower

from sklearn_hypo import (
    correct_for_annotation_error,
    evaluate_annotations,
    plan_study,
)
from sklearn_hypo._planning._power import compute_power, find_scale
from sklearn_hypo._planning._resolved_variance import measure_text_noise
from sklearn_hypo._planning._variances import LabelVariance, StudyVariance

NAMES = ["tea", "rain", "snow"]


def make_rows(n=400, seed=0):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, 3)) < [0.5, 0.3, 0.2]).astype(float)
    return A, A @ [0.5, 0.0, -0.6] + rng.normal(size=n), rng


def evaluate(A, y, **settings):
    settings = {"alpha": 0.05, "correction": "bonferroni"} | settings
    return evaluate_annotations(A, y, names=NAMES, n_resamples=0, **settings)


# Power and variances --------------------------------------------------------------


@pytest.mark.parametrize("df", [3, 12.0, 250])
def test_power_is_that_of_a_noncentral_t_test(df):
    effects = np.array([0.0, 0.1, 0.5, 1.0, 1.5])
    nobs = 9  # of standard error 1 / 3
    expected = [
        TTestPower().power(effect, nobs, 0.02, df=df, alternative="two-sided")
        for effect in effects
    ]
    found = compute_power(effects, 1 / 3, df, 0.02)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_power_far_out_and_without_an_effect():
    found = compute_power(
        np.array([0, 1, 1, 1e3]), np.array([1, 0.02, 1e-9, 1]), np.inf, 0.05
    )
    np.testing.assert_allclose(found, [0.05, 1, 1, 1], atol=1e-9)


def test_the_smallest_scale_that_reaches_an_aim():
    aims = np.array([0.03, 7.0, 1e20])
    found = find_scale(lambda scale: scale >= aims, 3)
    np.testing.assert_allclose(found, [0.03, 7.0, np.inf], rtol=1e-9)


def test_variances_of_random_effects():
    # means of G groups of m texts: groups differ by 0.3, texts by 1
    def variance(groups, m):
        return (0.3**2 + 1 / m) / groups

    m, groups = 10, 40
    study = StudyVariance(
        within=np.array([variance(groups, m)]),
        df=np.array([39.0]),
        design_effect=np.array([variance(groups, m) / (1.09 / (groups * m))]),
        group_size=m,
    )
    for more, larger in [(1, 1), (3, 1), (1, 5), (0.5, 0.2), (2, 100)]:
        found, df = study.at(groups=more, size=larger)
        assert found[0] == pytest.approx(variance(more * groups, larger * m))
        assert df[0] == pytest.approx(39 * more)


def test_variances_over_annotators():
    study = StudyVariance(
        within=np.array([0.04]),
        df=np.array([np.inf]),
        design_effect=np.ones(1),
        between=np.array([0.01]),
        n_annotators=3,
        is_estimated=True,
    )
    total, df = study.at()
    added = 0.01 / 3
    assert total[0] == pytest.approx(0.04 + added)
    assert df[0] == pytest.approx(2 * (1 + 0.04 / added) ** 2)
    total, df = study.at(groups=4, n_annotators=10)
    assert total[0] == pytest.approx(0.01 + 0.001)
    assert df[0] == pytest.approx(9 * (1 + 0.01 / 0.001) ** 2)
    # two have no vote
    assert study.at(n_annotators=2)[0][0] == pytest.approx(0.04 + 0.01)
    half = replace(study, between=np.array([0.004]), noise=np.array([0.006]))
    assert half.at()[0][0] == pytest.approx(0.04 + added)
    assert half.at(groups=4)[0][0] == pytest.approx(0.01 + (0.004 + 0.0015) / 3)
    known = replace(study, n_annotators=1, is_estimated=False)
    assert known.at()[0][0] == pytest.approx(0.04 + 0.01)
    assert known.at()[1][0] == np.inf


def test_variances_by_labels():
    def variance(m, n, r2=0.6):
        return 4 * ((1 - r2) / m + r2 / n)

    study = LabelVariance.of(
        [np.sqrt(4 / 100)], [np.sqrt(variance(100, 1000))], [1000], [100], [30.0]
    )
    assert study.explained[0] == pytest.approx(0.6)
    assert study.at()[0][0] == pytest.approx(variance(100, 1000))
    found, df = study.at(labels=2.5, texts=3)
    assert found[0] == pytest.approx(variance(250, 3000))
    assert df[0] == 75
    # all are labelled: no more can be
    assert study.at(labels=1e6)[0][0] == pytest.approx(4 / 1000)


# Texts ----------------------------------------------------------------------------


def test_texts_are_those_of_statsmodels():
    A, y, _ = make_rows(n=2000)
    report = evaluate(A, y, cov_type="nonrobust")
    plan = plan_study(report, effect=0.15, power=0.9)
    sd = np.sqrt(
        [np.mean([y[A[:, j] == a].var(ddof=1) for a in (0, 1)]) for j in range(3)]
    )
    share = A.mean(axis=0)
    for j in range(3):
        n_with = TTestIndPower().solve_power(
            0.15 / sd[j], power=0.9, alpha=0.05 / 3, ratio=(1 - share[j]) / share[j]
        )
        assert plan.table["texts_for_power"][j] == pytest.approx(
            n_with / share[j], rel=0.05
        )


def test_a_study_of_the_planned_size_has_the_power_and_one_less_has_not():
    A, y, _ = make_rows()
    plan = plan_study(evaluate(A, y), effect=0.3, half_width=0.11, estimand="coef")
    for name, aim in (("power", 0.8), ("half_width", 0.11)):
        for j, n in enumerate(plan.table[f"texts_for_{name}"]):
            enough = plan.predict(n_texts=n)[name][j]
            fewer = plan.predict(n_texts=n - 1)[name][j]
            assert (enough >= aim > fewer) if name == "power" else enough <= aim < fewer
    now = plan.predict()
    np.testing.assert_allclose(now["power"], plan.table["power"])
    half = (plan.table["upper"] - plan.table["lower"]) / 2
    np.testing.assert_allclose(now["half_width"], half)


def test_the_default_effect_is_the_end_nearer_0():
    A, y, _ = make_rows()
    report = evaluate(A, y)
    table = plan_study(report).table
    assert table["effect"][0] == report.table["separation_lower"][0] > 0
    assert table["effect"][1] == 0
    assert table["effect"][2] == -report.table["separation_upper"][2] > 0
    assert np.isinf(table["texts_for_power"][1])
    naive = plan_study(report, effect="estimate").table
    np.testing.assert_allclose(naive["effect"], report.table["separation"].abs())
    assert (naive["texts_for_power"] <= table["texts_for_power"]).all()
    own = plan_study(report, effect=[0.1, -0.2, 0.3]).table
    assert own["effect"].tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("correction", "level"),
    [
        ("bonferroni", 0.05 / 3),
        ("holm", 0.05 / 3),
        ("fdr_bh", 0.05 * 2 / 3),
        ("fdr_by", 0.05 * 2 / 3 / (1 + 1 / 2 + 1 / 3)),
    ],
)
def test_each_test_keeps_the_level_of_its_family(correction, level):
    A, y, _ = make_rows()
    report = evaluate(A, y, correction=correction)
    names = [name for name in report.table if "_simultaneous_" in name]
    report = replace(report, table=report.table.drop(columns=names))
    assert report.n_significant == 2
    np.testing.assert_allclose(plan_study(report).table["level"], level)
    few = plan_study(report, n_hypotheses=1).table["level"]
    np.testing.assert_allclose(few, 0.05)


def test_simultaneous_intervals_tell_the_level():
    A, y, _ = make_rows()
    report = evaluate(A, y)
    table = report.table
    half = 2.2 * table["separation_se"]
    ends = {"lower": table["separation"] - half, "upper": table["separation"] + half}
    ends["lower"][0] = 0.0  # moved, to agree with the p-value
    df = {"separation_df": np.full(3, np.inf)}
    columns = {f"separation_simultaneous_{end}": each for end, each in ends.items()}
    report = replace(report, table=table.assign(**columns, **df))
    np.testing.assert_allclose(plan_study(report).table["level"], 0.0278, atol=1e-4)


def test_what_was_not_estimated_is_not_planned():
    A, y, _ = make_rows()
    A[:, 1] = 0
    with pytest.warns(UserWarning, match="rain"):
        report = evaluate(A, y)
    row = plan_study(report, effect=0.2, half_width=0.1).table.iloc[1]
    numbers = ["effect", "power", "texts_for_power", "texts_for_half_width"]
    assert row[numbers].isna().all()


def test_classes():
    A, y, _ = make_rows()
    two = plan_study(evaluate(A, y > 0), effect=0.1, half_width=0.05)
    assert (two.table["texts_for_power"] > 500).all()
    odds = plan_study(evaluate(A, y > 0), effect=0.5, estimand="coef")
    assert np.isfinite(odds.table["texts_for_power"]).all()
    three = evaluate(A, np.digitize(y, [0, 0.5]).astype(str))
    plan = plan_study(three, effect=0.1)
    assert np.isfinite(plan.table["texts_for_power"]).all()
    with pytest.raises(ValueError, match="no single value for more than two"):
        plan_study(three, estimand="coef")


# Groups, annotators, labels -------------------------------------------------------


@pytest.mark.parametrize("estimand", ["separation", "coef"])
def test_groups_and_texts_per_group(estimand):
    _, _, rng = make_rows()
    group = np.repeat(np.arange(60), 10)
    A = (rng.random((600, 3)) < 0.4).astype(float)
    A[:, 0] = np.repeat(rng.random(60) < 0.5, 10)  # holds for whole groups
    y = rng.normal(size=600) + 0.6 * rng.normal(size=60)[group]
    plan = plan_study(
        evaluate(A, y, groups=group), effect=0.25, estimand=estimand, power=0.7
    )
    table = plan.table
    # of an intraclass correlation of 0.36 / 1.36
    assert table["design_effect"][0] == pytest.approx(1 + 9 * 0.36 / 1.36, rel=0.3)
    assert (table["design_effect"][1:] < 1.5).all()
    assert table["groups_for_power"][0] > 100
    assert np.isinf(table["texts_per_group_for_power"][0])
    expected = np.ceil(table["texts_for_power"] / 10)
    np.testing.assert_allclose(table["groups_for_power"], expected, atol=1)
    n = table["groups_for_power"][0]
    more = plan.predict(n_groups=n)
    assert more["power"][0] >= 0.7
    pd.testing.assert_frame_equal(more, plan.predict(n_texts=10 * n))
    same = plan.predict(n_groups=60, n_texts=1e7)
    least = table["design_effect"][0] - 1
    limit = plan.predict()["se"][0] * np.sqrt(least / 9 * 10 / (1 + least))
    assert same["se"][0] == pytest.approx(limit, rel=1e-3)


def test_groups_of_a_report_without_data_are_refused():
    A, y, _ = make_rows()
    report = evaluate(A, y, groups=np.arange(400) // 4)
    with pytest.raises(ValueError, match="holds no data"):
        plan_study(replace(report, data=None))


def test_design_effects_within_levels_and_pairs():
    A, y, rng = make_rows(n=600)
    group = np.repeat(np.arange(60), 10)
    beside = {"covariates": rng.normal(size=600), "fixed_effects": np.arange(600) % 4}
    report = evaluate(
        A, y, groups=group, sample_weight=rng.uniform(1, 2, 600), **beside
    )
    table = plan_study(report, effect=0.3, estimand="coef").table
    assert table["design_effect"].between(1, 2).all()
    pairs = evaluate(A, y, groups=group, pairs=np.arange(600) // 2)
    assert plan_study(pairs, effect=0.3).table["design_effect"].between(1, 2).all()


def test_annotators():
    A, y, rng = make_rows()

    def err(A):
        return np.where(rng.random(A.shape) < 0.1, 1 - A, A)

    tables = {name: err(A) for name in ("ann", "bob", "cat")}
    report = evaluate(tables, y)
    plan = plan_study(report, effect=0.4, half_width=0.4)
    sd = [
        np.std(own["separation"], ddof=1)
        for _, own in report.by_annotator.groupby("hypothesis", sort=False)
    ]
    np.testing.assert_allclose(plan.table["sd_between_annotators"], sd)
    np.testing.assert_allclose(plan.predict()["se"], report.table["separation_se"])
    # errors in single texts are others in other texts
    assert (plan.predict(n_texts=1e12)["se"] < np.sqrt(1 / 3) * np.array(sd)).all()
    assert (plan.table["annotators_for_half_width"] >= 2).all()
    with pytest.raises(ValueError, match="which tells it"):
        plan_study(report, sd_between_annotators=0.1)


def test_what_annotators_differ_in_by_single_texts():
    A, y, rng = make_rows(n=60)
    tables = {k: np.where(rng.random(A.shape) < 0.2, 1 - A, A) for k in "abc"}
    tables["b"][7, 1] = np.nan

    def estimate(table, rows):
        found = []
        for a in table[rows].T:
            found.append(y[rows][a == 1].mean() - y[rows][a == 0].mean())
        return np.array(found)

    every = np.arange(60)
    changes = np.array(
        [
            [estimate(t, every) - estimate(t, np.delete(every, u)) for u in every]
            for t in tables.values()
        ]
    )
    spread = ((changes - changes.mean(axis=0)) ** 2).sum(axis=(0, 1)) / 2
    report = evaluate(tables, y)
    targets = np.tile(y[:, None], 3)
    found = measure_text_noise(report.data, targets, "separation")
    np.testing.assert_allclose(found, spread)
    # annotators who differ in what they mean differ in all texts
    limits = {"a": 2, "b": 1, "c": 0.5}
    wider = {k: np.where(y[:, None] > limit, 1.0, A) for k, limit in limits.items()}
    plan = plan_study(evaluate(wider, y), effect=0.5)
    assert (plan.study.variance.between > 2 * plan.study.variance.noise).all()


def test_a_known_spread_over_annotators():
    A, y, _ = make_rows()
    report = evaluate(A, y)
    plan = plan_study(report, effect=0.6, sd_between_annotators=[0.1, 0.1, 0.3])
    se = np.sqrt(report.table["separation_se"] ** 2 + np.square([0.1, 0.1, 0.3]))
    np.testing.assert_allclose(plan.predict()["se"], se)
    more = plan.predict(n_annotators=5)["se"]
    se = report.table["separation_se"] ** 2 + np.square([0.1, 0.1, 0.3]) / 5
    np.testing.assert_allclose(more, np.sqrt(se))
    # no number of texts makes annotators agree
    assert np.isinf(plan.table["texts_for_power"][2])
    assert np.isfinite(plan.table["texts_for_power"][0])


def test_human_labels():
    A, y, rng = make_rows(n=2000)
    human = np.full(A.shape, np.nan)
    drawn = rng.permutation(2000)[:400]
    human[drawn] = np.where(rng.random(A.shape) < 0.15, 1 - A, A)[drawn]
    report = evaluate(A, y)
    corrected = correct_for_annotation_error(report, human, level=0.9)
    plan = plan_study(report, corrected=corrected, effect=0.3, half_width=0.15)
    now = plan.predict(n_labelled=400)
    np.testing.assert_allclose(now["se"], corrected.table["corrected_se"])
    # 95 % intervals of t distributions with the same degrees of freedom
    wide = corrected.table["corrected_upper"] - corrected.table["corrected_lower"]
    ratio = 2 * now["half_width"] / wide
    assert ratio.between(1.18, 1.25).all()
    n = plan.table["labels_for_half_width"][0]
    assert plan.predict(n_labelled=n)["half_width"][0] <= 0.15
    assert plan.predict(n_labelled=n - 1)["half_width"][0] > 0.15
    # from a quarter of the labels the standard error of all is foreseen
    few = human.copy()
    few[drawn[100:]] = np.nan
    before = correct_for_annotation_error(report, few)
    foreseen = plan_study(report, corrected=before).predict(n_labelled=400)["se"]
    np.testing.assert_allclose(foreseen, now["se"], rtol=0.35)


# What is shown, and refused -------------------------------------------------------


def test_text_and_plain_values():
    A, y, _ = make_rows()
    plan = plan_study(evaluate(A, y), half_width=0.1)
    text = str(plan)
    assert "power 0.8 at a family level of 0.05 (bonferroni, 3 hypotheses)" in text
    assert "400 texts" in text
    assert "the interval holds 0" in text
    assert "texts for ±0.1" in text
    n = int(plan.table["texts_for_power"][0])
    assert f"{n:,}" in next(line for line in text.splitlines() if "tea" in line)
    values = json.loads(json.dumps(plan.to_dict()))
    assert values["hypotheses"][1]["texts_for_power"] is None
    assert values["sizes"] == {"texts": 400, "groups": None, "annotators": 1}
    naive = str(plan_study(evaluate(A, y), effect="estimate"))
    assert "winner's curse" in naive


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effect": [0.1, 0.2]}, "effect has shape"),
        ({"effect": np.nan}, "missing or infinite"),
        ({"effect": "largest"}, "effect"),
        ({"power": 1.0}, "power"),
        ({"half_width": 0.0}, "half_width"),
        ({"estimand": "ame"}, "estimand"),
    ],
)
def test_parameters_that_do_not_fit(settings, message):
    A, y, _ = make_rows()
    with pytest.raises(ValueError, match=message):
        plan_study(evaluate(A, y), **settings)


def test_corrected_estimates_must_be_of_the_same_things():
    A, y, _ = make_rows()
    report, human = evaluate(A, y), np.where(np.arange(400)[:, None] < 150, A, np.nan)
    corrected = correct_for_annotation_error(report, human)
    with pytest.raises(ValueError, match="estimand='separation', but the plan"):
        plan_study(report, estimand="coef", corrected=corrected)
    table = corrected.table.assign(hypothesis=list("abc"))
    with pytest.raises(ValueError, match="other hypotheses"):
        plan_study(report, corrected=replace(corrected, table=table))
    with pytest.raises(TypeError, match="what correct_for_annotation_error returned"):
        plan_study(report, corrected=report)


def test_predictions_of_what_a_plan_does_not_know():
    A, y, _ = make_rows()
    plan = plan_study(evaluate(A, y))
    with pytest.raises(ValueError, match="without groups"):
        plan.predict(n_groups=4)
    with pytest.raises(ValueError, match="without corrected estimates"):
        plan.predict(n_labelled=4)
