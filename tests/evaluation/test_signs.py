"""What training knew of the hypotheses, beside what the test found."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import (
    HypothesisExtractor,
    evaluate_annotations,
    evaluate_hypotheses,
    read_audit_bundle,
    rerun_audit_bundle,
)
from sklearn_hypo._evaluation._signs import TrainingEffects

WORDS = np.array(["tea", "rain", "snow"])


def make_neurons(n=400, seed=0):
    """Texts of three words, each of which has a neuron."""
    rng = np.random.default_rng(seed)
    holds = rng.random((n, 3)) < 0.4
    texts = [" ".join(["plain", *WORDS[row]]) for row in holds]
    index = pd.Index(texts, dtype=object, name="text")
    neurons = ["neuron000", "neuron001", "neuron002"]
    return pd.DataFrame(holds.astype(float), index=index, columns=neurons), rng


def fit(effects, *, classes=False):
    X, rng = make_neurons()
    y = X.to_numpy() @ effects + rng.normal(size=len(X))
    y = y > 0 if classes else y
    return HypothesisExtractor(random_state=0).fit(X, y)


def evaluate(extractor, effects, *, classes=False, **given):
    X, rng = make_neurons(seed=1)
    y = X.to_numpy() @ effects + rng.normal(size=len(X))
    y = y > 0 if classes else y
    return evaluate_hypotheses(extractor, X, y, n_resamples=0, ngrams=False, **given)


@pytest.mark.parametrize("classes", [False, True])
def test_effects_that_turn_around_are_named(classes):
    extractor = fit([1.0, -1.0, 1.0], classes=classes)
    report = evaluate(extractor, [1.0, 1.0, -1.0], classes=classes)
    both = "separation, joint"
    assert report.table["reversed"].tolist() == ["", both, both]
    same = evaluate(extractor, [0.5, -0.5, 0.5], classes=classes)
    assert same.table["reversed"].tolist() == ["", "", ""]


def test_signs_by_hand():
    table = pd.DataFrame(
        {"separation": [0.1, -0.1, 0.1, np.nan], "coef": [0.1, 0.1, -0.1, 0.1]}
    )
    associations = np.array([[0.2], [0.2], [0.2], [-0.2]])
    effects = TrainingEffects(associations, np.array([0.3, -0.3, 0.0, np.nan]))
    assert effects.find_reversed(table, None).tolist() == [
        "",
        "separation, joint",
        "",  # a coefficient of 0 has no sign
        "joint",  # without a coefficient the association counts
    ]


def test_of_several_classes_that_of_the_separation_counts():
    table = pd.DataFrame(
        {
            "separation": [0.1, 0.1, -0.1],
            "separation_class": pd.Series(["b", "c", "a"], dtype=object),
            "ame": [0.1, -0.1, np.nan],
        }
    )
    associations = np.array([[-0.2, 0.2, -0.1], [0.3, 0.1, -0.2], [-0.1, 0.2, 0.3]])
    effects = TrainingEffects(associations, np.full(3, np.nan))
    found = effects.find_reversed(table, np.array(["a", "b", "c"]))
    assert found.tolist() == ["", "separation", ""]


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
def test_three_classes_of_a_fit():
    X, rng = make_neurons()
    y = np.where(X["neuron000"] > 0, "m", np.where(rng.random(len(X)) < 0.5, "a", "z"))
    extractor = HypothesisExtractor(random_state=0).fit(X, y)
    turned = np.where(X["neuron000"] > 0, "z", np.where(y == "z", "m", y))
    report = evaluate_hypotheses(extractor, X, turned, n_resamples=0)
    assert report.table["reversed"][0] == "separation, joint"
    same = evaluate_hypotheses(extractor, X, y, n_resamples=0)
    assert same.table["reversed"][0] == ""


def test_nothing_is_compared_with_another_task_or_without_training():
    extractor = fit([1.0, -1.0, 1.0], classes=True)
    with pytest.warns(match="fitted for classification"):
        report = evaluate(extractor, [1.0, 1.0, -1.0], task="regression")
    assert "reversed" not in report.table
    given = evaluate_annotations([[1], [0], [1], [0]], [3.0, 1.0, 4.0, 1.5])
    assert "reversed" not in given.table
    assert given.skipped_neurons is None


def test_training_of_one_class_is_refused():
    extractor = fit([1.0, -1.0, 1.0], classes=True)
    X, _ = make_neurons()
    with pytest.raises(ValueError, match="training holds one class only"):
        evaluate(
            extractor, [1.0, 1.0, 1.0], classes=True, training=(X, [True] * len(X))
        )


def test_what_decides_is_in_the_table_and_survives_a_bundle(tmp_path):
    X, _ = make_neurons()
    X["neuron003"] = 1.0
    with pytest.warns(match="no hypothesis"):
        extractor = HypothesisExtractor(random_state=0).fit(
            X, X.iloc[:, 0] - X.iloc[:, 1]
        )
    extractor.rename({0: "hot drinks"})
    X_test, _ = make_neurons(seed=1)
    X_test["neuron003"] = 1.0
    y = -X_test["neuron000"].to_numpy() + np.arange(400) / 400
    report = evaluate_hypotheses(extractor, X_test, y, n_resamples=0)
    table = report.table
    assert table["name"].tolist() == ["hot drinks", "", ""]
    assert table["terms"].tolist() == ["tea", "rain", "snow"]
    assert table["threshold"].tolist() == [0.0, 0.0, 0.0]
    assert table["measure"].tolist() == ["", "", ""]
    assert table["reversed"][0] == "separation, joint"
    assert report.skipped_neurons == {"neuron003": "constant"}
    assert report.to_dict()["skipped_neurons"] == {"neuron003": "constant"}
    report.save(tmp_path / "audit")
    again = rerun_audit_bundle(tmp_path / "audit")
    kept = ["reversed", "name", "measure", "threshold", "terms"]
    pd.testing.assert_frame_equal(again.table[kept], table[kept])
    assert [detail.terms for detail in again.details] == [
        ("tea",),
        ("rain",),
        ("snow",),
    ]
    assert again.skipped_neurons == report.skipped_neurons
    stored = read_audit_bundle(tmp_path / "audit")
    pd.testing.assert_frame_equal(stored.table, table)


def test_shares_of_terms_are_those_of_the_tested_texts():
    extractor = fit([1.0, -1.0, 1.0])
    statements = extractor.hypotheses_["hypothesis"]
    extractor.terms_ = pd.DataFrame(
        {
            "hypothesis": [statements[1], statements[0], "another"],
            "term": ["rain", "tea", "snow"],
            "share": [0.1, 0.2, 0.3],
            "gain": [0.5, 0.25, 0.1],
        }
    )
    report = evaluate(extractor, [1.0, -1.0, 1.0])
    X, _ = make_neurons(seed=1)
    for j, detail in enumerate(report.details):
        assert detail.term_shares == pytest.approx((X.iloc[:, j].mean(),))
    gains = [detail.term_gains[0] for detail in report.details]
    assert gains[:2] == [0.25, 0.5]
    assert np.isnan(gains[2])
    del extractor.terms_
    assert evaluate(extractor, [1.0, -1.0, 1.0]).details[0].term_gains == ()


def test_names_come_before_statements_wherever_they_are_read(tmp_path):
    extractor = fit([1.0, -1.0, 1.0]).rename({"mentions tea": "hot drinks"})
    report = evaluate(extractor, [1.0, -1.0, 1.0])
    named = "hot drinks: mentions tea"
    assert f"  {named} " in str(report)
    for text in (report.to_markdown(), report.to_latex(), report._repr_html_()):
        assert named in text
    report.to_csv(tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert table.loc[0, ["hypothesis", "name"]].tolist() == [
        "mentions tea",
        "hot drinks",
    ]
    assert table["terms"].tolist() == ["tea", "rain", "snow"]
    assert report.to_dict()["hypotheses"][0]["name"] == "hot drinks"
