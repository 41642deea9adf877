"""Intervals and families of logits agree with their tests."""

import logging

import numpy as np
import pytest

from sklearn_hypo._inference._design import Design
from sklearn_hypo._inference._families import infer_coefficients
from sklearn_hypo._inference._joint_regression import joint_regression
from sklearn_hypo._inference._notes import Notes
from sklearn_hypo._inference._step_down import run_family


def fit_joint(n_classes=2, n=300, h=5, seed=0, effect=0.7, **given):
    rng = np.random.default_rng(seed)
    A = (rng.random((n, h)) < 0.3).astype(float)
    A[:, 1] = 0  # not in the regression
    drive = A @ np.linspace(effect, -effect, h) + rng.logistic(size=n)
    edges = [0.5] if n_classes == 2 else np.linspace(-1, 1.5, n_classes - 1)
    codes = np.digitize(drive, edges)
    columns = [0, *range(2, h)]
    notes = Notes([f"x{j}" for j in range(h)])
    return joint_regression(
        A, codes, n_classes, columns, Design(**given), notes, cov_type="auto"
    )


@pytest.mark.parametrize("level", [0.05, 0.01, 0.3])
def test_intervals_exclude_0_where_tests_reject_at_any_level(level):
    decided = []
    for seed in range(6):
        fit = fit_joint(seed=seed)
        lower, upper = fit.find_interval(level)
        assert np.isnan(lower).tolist() == [False, True, False, False, False]
        p = fit.estimates["coef_p"].to_numpy()
        there = ~np.isnan(p)
        excludes = (lower > 0) | (upper < 0)
        np.testing.assert_array_equal(excludes[there], p[there] <= level)
        decided += excludes[there].tolist()
    assert 0 < np.mean(decided) < 1


def test_levels_may_differ_by_hypothesis_and_reproduce_the_table():
    fit = fit_joint()
    level = np.array([0.05, 0.5, 0.01, 0.2, np.nan])
    lower, upper = fit.find_interval(level)
    table = fit.estimates
    assert lower[0] == pytest.approx(table.loc[0, "coef_lower"], abs=1e-5)
    assert lower[2] < table.loc[2, "coef_lower"] < table.loc[2, "coef"]
    assert table.loc[3, "coef"] < upper[3] < table.loc[3, "coef_upper"]
    assert np.isnan([lower[4], upper[4]]).all()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_family_has_the_p_values_of_the_table_and_never_exceeds_holm(n_classes):
    fit = fit_joint(n_classes)
    p = fit.estimates["coef_p"]
    settings = {"alpha": 0.05, "n_permutations": 2000}
    found = run_family(fit.null, p, fit.tested, correction="step-down", **settings)
    holm = run_family(None, p, fit.tested, correction="holm", **settings)
    np.testing.assert_array_equal(found.p, p)
    there = fit.tested
    assert (found.p_corrected[there] <= holm.p_corrected[there] + 1e-12).all()
    # nearly independent estimates: hardly any gain
    np.testing.assert_allclose(
        found.p_corrected[there], holm.p_corrected[there], atol=0.25
    )
    assert np.isnan(found.p_corrected[1])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_clusters_of_one_class_are_permuted_jointly(n_classes):
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 8)
    A = (rng.random((320, 3)) < rng.random((40, 3))[clusters]).astype(float)
    codes = rng.permutation(np.arange(40) % n_classes)[clusters]
    notes = Notes(["a", "b", "c"])
    design = Design(clusters=clusters)
    fit = joint_regression(
        A, codes, n_classes, [0, 1, 2], design, notes, cov_type="auto"
    )
    assert fit.null.p is None
    found = run_family(
        fit.null, fit.estimates["coef_p"], fit.tested, alpha=0.1, correction="holm"
    )
    # another test of the same
    np.testing.assert_allclose(found.p, fit.estimates["coef_p"], atol=0.2)


def test_many_classes_say_what_takes_time(caplog):
    with caplog.at_level(logging.INFO, logger="sklearn_hypo"):
        fit_joint(4)
    assert "joint logit of 4 classes is fitted on 300 rows" in caplog.text


def test_intervals_agree_with_permuted_clusters():
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(40), 8)
    A = (rng.random((320, 4)) < rng.random((40, 4))[clusters]).astype(float)
    pull = A[:, 0].reshape(40, 8).mean(axis=1) + rng.normal(scale=0.2, size=40)
    codes = (pull > 0.5).astype(int)[clusters]
    fit = joint_regression(
        A,
        codes,
        2,
        list(range(4)),
        Design(clusters=clusters),
        Notes(list("abcd")),
        cov_type="auto",
    )
    found, _ = infer_coefficients(
        fit, alpha=0.05, correction="step-down", n_permutations=999
    )
    for end, p in (("", "coef_p"), ("_simultaneous", "p_corrected")):
        excludes = (found[f"coef{end}_lower"] > 0) | (found[f"coef{end}_upper"] < 0)
        np.testing.assert_array_equal(excludes, found[p] <= 0.05)
    assert found["coef_p"].min() <= 0.05 < found["coef_p"].max()
