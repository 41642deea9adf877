"""Tests made before on the same rows: which count, and how they are recorded."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import evaluate_annotations, rerun_audit_bundle
from sklearn_hypo._report._page._page import report_page

NAMES = ["tea", "rain", "snow"]


def make_rows(n=120):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(n, 3)).astype(float)
    beside = {
        "covariates": pd.DataFrame(
            {"age": rng.normal(size=n), "sex": ["f", "m"] * (n // 2)}
        ),
        "fixed_effects": rng.integers(0, 3, size=n),
        "sample_weight": rng.uniform(1, 2, size=n),
        "groups": rng.integers(0, 30, size=n),
        "pairs": np.repeat(np.arange(n // 2), 2),
    }
    return A, A[:, 0] + rng.normal(size=n), beside


def evaluate(A, y, names=NAMES, **settings):
    return evaluate_annotations(
        A, y, names=names, n_resamples=0, correction="bonferroni", **settings
    )


def list_changes(report):
    return [tuple(edit.values()) for edit in report.provenance["edits"]]


def without_fingerprints(report):
    """Return a report as older versions made it."""
    provenance = {k: v for k, v in report.provenance.items() if k != "tests"}
    return replace(report, provenance=provenance)


def test_the_same_test_again_counts_once():
    A, y, beside = make_rows()
    del beside["pairs"]
    first = evaluate(A, y, **beside)
    # other names of the same groups, weights of another sum, columns in another order
    covariates = beside["covariates"][["sex", "age"]]
    again = beside | {
        "covariates": covariates.assign(sex=covariates["sex"].map(str.upper)),
        "groups": [f"author {group}" for group in beside["groups"]],
        "sample_weight": 2 * beside["sample_weight"],
    }
    second = evaluate(A, y, previous=[first, first], **again)
    assert second.n_tested == 3
    assert list_changes(second) == []
    pd.testing.assert_frame_equal(second.table, first.table)
    assert len(second.provenance["tests"]) == 1
    assert "further test" not in str(second)


@pytest.mark.parametrize(
    "name", ["covariates", "fixed_effects", "sample_weight", "groups", "pairs"]
)
def test_another_specification_is_a_further_test(name):
    A, y, beside = make_rows()
    words = {"sample_weight": "weights", "fixed_effects": "fixed effects"}
    word = words.get(name, name)
    plain = evaluate(A, y)
    second = evaluate(A, y, previous=plain, **{name: beside[name]})
    assert second.n_tested == 6
    assert list_changes(second) == [
        ("retested", statement, f"without {word}") for statement in NAMES
    ]
    back = evaluate(A, y, previous=second)  # the first is a part of the chain
    assert back.n_tested == 6
    assert list_changes(back) == [("retested", s, f"with {word}") for s in NAMES]
    alone = evaluate(A, y)
    np.testing.assert_allclose(
        back.table["p_corrected"], np.minimum(6 * alone.table["coef_p"], 1)
    )
    np.testing.assert_allclose(
        back.table["separation_p_corrected"],
        np.minimum(6 * alone.table["separation_p"], 1),
    )


@pytest.mark.parametrize("name", ["fixed_effects", "sample_weight", "groups"])
def test_another_one_is_told_from_none(name):
    A, y, beside = make_rows()
    first = evaluate(A, y, **{name: beside[name]})
    second = evaluate(A, y, previous=first, **{name: beside[name][::-1].copy()})
    words = {"sample_weight": "weights", "fixed_effects": "fixed effects"}
    word = words.get(name, name)
    assert list_changes(second) == [
        ("retested", s, f"with other {word}") for s in NAMES
    ]
    assert second.n_tested == 6


def test_other_standard_errors_and_another_task_are_further_tests():
    A, y, _ = make_rows()
    y = (y > 0.5).astype(int)
    first = evaluate(A, y, task="regression", cov_type="HC2")
    second = evaluate(A, y, task="classification", previous=first)
    before = "with target='quantity', with cov_type='HC2'"
    assert list_changes(second) == [("retested", name, before) for name in NAMES]
    # how p-values are corrected, and at which level, is no other test
    third = evaluate_annotations(
        A, y, names=NAMES, n_resamples=0, correction="fdr_bh", alpha=0.2, previous=first
    )
    assert third.n_tested == 6
    fourth = evaluate_annotations(
        A, y, names=NAMES, n_resamples=0, correction="holm", previous=third
    )
    assert fourth.n_tested == 6


def test_other_annotations_under_one_name_are_a_further_test():
    A, y, _ = make_rows()
    first = evaluate(A, y)
    other = A.copy()
    other[5, 1] = np.nan
    second = evaluate(other, y, previous=first)
    assert second.n_tested == 4
    assert list_changes(second) == [("retested", "rain", "with other annotations")]
    # the first again, of which one has been dropped: snow, and the other rain
    third = evaluate(A[:, :2], y, names=NAMES[:2], previous=[first, second])
    assert third.n_tested == 4
    assert list_changes(third) == [
        ("dropped", "snow"),
        ("retested", "rain", "with other annotations"),
    ]


def test_other_kinds_of_targets_are_further_tests():
    A, y, _ = make_rows()
    stars = np.digitize(y, [0, 0.5, 1]) + 1.0
    first = evaluate(A, stars)
    second = evaluate(A, stars, target="ordinal", previous=first)
    assert list_changes(second)[0] == ("retested", "tea", "with target='quantity'")
    assert second.n_tested == 6


def test_other_annotators_are_a_further_test():
    A, y, _ = make_rows()
    other = np.where(np.arange(len(A))[:, None] < 9, 1 - A, A)
    first = evaluate({"ann": A, "bob": A, "cat": other}, y)
    again = evaluate({"cat": other, "bob": A, "ann": A}, y, previous=first)
    assert again.n_tested == 3
    # the vote is the same
    fewer = evaluate({"ann": A, "bob": A}, y, previous=first)
    assert fewer.n_tested == 6
    assert list_changes(fewer)[0] == ("retested", "tea", "with other annotations")


def test_what_was_dropped_after_two_tests_counts_twice():
    A, y, beside = make_rows()
    first = evaluate(A, y)
    second = evaluate(A, y, previous=first, covariates=beside["covariates"])
    third = evaluate(A[:, :1], y, names=["tea"], previous=second)
    assert third.n_tested == 6
    assert list_changes(third) == [
        ("dropped", "rain"),
        ("dropped", "snow"),
        ("retested", "tea", "with covariates"),
        ("retested", "rain", "without covariates"),
        ("retested", "snow", "without covariates"),
    ]


def test_reports_without_fingerprints_count_by_their_names():
    A, y, beside = make_rows()
    first = without_fingerprints(evaluate(A, y))
    second = evaluate(
        A[:, :2], y, names=["tea", "Rain"], previous=first, groups=beside["groups"]
    )
    assert second.n_tested == 4
    assert list_changes(second) == [
        ("dropped", "rain"),
        ("dropped", "snow"),
        ("added", "Rain"),
    ]
    chained = evaluate(A[:, :1], y, names=["tea"], previous=second)
    assert chained.n_tested == 5  # and tea within groups
    assert evaluate(A, y, previous=replace(first, provenance=None)).n_tested == 3


def test_the_report_says_so_in_text_and_page():
    A, y, beside = make_rows()
    first = evaluate(A, y, names=["tea", "old", "snow"])
    report = evaluate(A, y, previous=first, groups=beside["groups"])
    assert (
        "the correction counts 3 further tests on the same rows: 1 dropped or "
        "reworded and 2 made before in another way"
    ) in " ".join(str(report).split())
    page = report_page(report)
    assert "the correction counts 3 further tests" in page
    assert "without groups" in page


def test_audit_bundles_hold_the_fingerprints(tmp_path):
    A, y, beside = make_rows()
    del beside["pairs"]
    first = evaluate(A, y, names=["tea", "old", "snow"])
    report = evaluate(A, y, previous=first, **beside)
    report.save(tmp_path / "bundle")
    saved = json.loads((tmp_path / "bundle" / "report.json").read_text("ascii"))
    assert saved["provenance"]["tests"] == report.provenance["tests"]
    with warnings.catch_warnings(action="error"):
        again = rerun_audit_bundle(tmp_path / "bundle")
    assert again.n_tested == report.n_tested == 6
    assert again.provenance["edits"] == report.provenance["edits"]
    assert again.provenance["tests"] == report.provenance["tests"]


def test_bundles_without_fingerprints_are_run_again(tmp_path):
    A, y, _ = make_rows()
    first = evaluate(A, y, names=["tea", "old", "snow"])
    report = without_fingerprints(evaluate(A, y, previous=first))
    report.save(tmp_path / "bundle")
    with warnings.catch_warnings(action="error"):
        again = rerun_audit_bundle(tmp_path / "bundle")
    assert again.n_tested == report.n_tested == 4
    assert again.provenance["edits"] == report.provenance["edits"]
