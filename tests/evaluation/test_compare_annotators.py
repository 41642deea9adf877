"""`compare_annotators`, and the agreement of several in a report."""

import json

import numpy as np
import pandas as pd
import pytest
from oracles import CALLS, OracleAnnotator
from sklearn.metrics import r2_score

from sklearn_hypo import (
    CascadeAnnotator,
    EmbeddingAnnotator,
    HypothesisExtractor,
    LexiconAnnotator,
    LexiconInterpreter,
    LLMAnnotator,
    MajorityAnnotator,
    TextEmbedder,
    compare_annotators,
    evaluate_annotations,
    evaluate_hypotheses,
)
from sklearn_hypo._inference._between_annotators import find_verdicts

WORDS = ["tea", "rain", "snow"]
EFFECTS = [2.0, -1.0, 0.0]


def make_frame(n, seed):
    rng = np.random.RandomState(seed)
    truth = (rng.random_sample((n, 3)) < 0.3).astype(float)
    texts = [
        " ".join(
            [f"x{seed}{i}", *(w for w, has in zip(WORDS, row, strict=True) if has)]
        )
        for i, row in enumerate(truth)
    ]
    frame = pd.DataFrame(
        truth, index=pd.Index(texts, name="text"), columns=["n0", "n1", "n2"]
    )
    return frame, truth @ EFFECTS + rng.normal(size=n)


TRAIN, Y_TRAIN = make_frame(200, 0)
X, Y = make_frame(300, 1)


def answer(prompt):
    question = json.loads(prompt.rpartition("\n\n")[2])
    return "yes" if question["property"].split()[-1] in question["text"] else "no"


@pytest.fixture
def extractor():
    interpreter = LexiconInterpreter(max_terms=1, embedder=None)
    return HypothesisExtractor(interpreter, random_state=0).fit(TRAIN, Y_TRAIN)


def statements_of(extractor):
    return extractor.hypotheses_["hypothesis"].tolist()


class WordOracle(OracleAnnotator):
    """Reads the last word of a statement."""

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        words = [str(h).split()[-1] for h in hypotheses]
        return super().fit(texts, words, activations, random_state=random_state)


def test_each_is_tested_as_by_itself(extractor):
    rng = np.random.RandomState(0)
    wrong = rng.random_sample(X.shape) < 0.25
    hasty = np.where(wrong, 1 - X.to_numpy(), X.to_numpy())
    hasty[0, 0] = np.nan
    found = compare_annotators(
        extractor, X, Y, {"hasty": hasty, "embedder": LexiconAnnotator()}
    )
    own = evaluate_annotations(
        X.to_numpy(), Y, names=statements_of(extractor), n_resamples=0
    )
    other = evaluate_annotations(
        hasty, Y, names=statements_of(extractor), n_resamples=0
    )
    for name, report in {"LexiconAnnotator": own, "hasty": other}.items():
        for part in ("coef", "p_corrected", "significant"):
            np.testing.assert_array_equal(
                found.table[f"{name}: {part}"], report.table[part]
            )
        row = found.overall.set_index("annotator").loc[name]
        assert row["r2"] == report.r2
        assert row["n_significant"] == report.n_significant
    np.testing.assert_array_equal(
        found.reports["hasty"].table["missing"], np.isnan(hasty).sum(axis=0)
    )
    assert found.effect == "coef"
    # out of sample: the model of the fit, on each one's annotations
    predicted = extractor.predict_annotations(hasty)[:, 0]
    out = found.overall.set_index("annotator")["r2_out_of_sample"]
    assert out["hasty"] == pytest.approx(r2_score(Y, predicted))
    assert out["embedder"] == out["LexiconAnnotator"] > out["hasty"]


def test_who_agrees(extractor):
    truth = X.to_numpy()
    noise = (np.random.RandomState(0).random_sample(X.shape) < 0.5).astype(float)
    upside_down = truth.copy()
    upside_down[:, 0] = 1 - truth[:, 0]
    found = compare_annotators(
        extractor, X, Y, {"noise": noise, "upside down": upside_down}, alpha=0.01
    )
    # tea has no effect in noise and another sign upside down; snow has none at all
    assert found.table["n_agree"].tolist() == [1, 2, 3]
    assert found.overall["n_agree"].tolist() == [3, 1, 2]
    assert found.table["alpha"].tolist() == found.agreement["alpha"].tolist()
    first = found.agreement_pairs.iloc[:3].set_index(["first", "second"])["kappa"]
    assert first["LexiconAnnotator", "upside down"] < -0.6
    shown = str(found)
    assert "1 of 3" in shown
    assert "upside down: R²" in shown
    assert "upside down" in found._repr_html_()


def test_verdicts():
    found = find_verdicts([2.0, -1.0, 3.0, np.nan], [True, True, False, False])
    assert found.tolist() == [1, -1, 0, 0]


def test_members_of_a_majority_are_asked_nothing_new():
    members = [
        LLMAnnotator(answer, cache=None),
        LLMAnnotator(answer, cache=None),
        WordOracle(error=0.3),
    ]
    interpreter = LexiconInterpreter(max_terms=1, embedder=None)
    extractor = HypothesisExtractor(
        interpreter, MajorityAnnotator(members), random_state=0
    ).fit(TRAIN, Y_TRAIN)
    report = evaluate_hypotheses(extractor, X, Y, n_resamples=0, ngrams=False)
    calls = extractor.annotator_.usage_["calls"]
    found = compare_annotators(extractor, X, Y)
    assert extractor.annotator_.usage_["calls"] == calls
    names = ["MajorityAnnotator", *extractor.annotator_.names_]
    assert found.overall["annotator"].tolist() == names
    assert names[1] == "LLMAnnotator(answer) 1"
    assert found.overall["r2"][1] == found.overall["r2"][0] > found.overall["r2"][3]
    assert found.usage["calls"].tolist()[1:] == [calls / 2, calls / 2]
    # the report of the majority says how far they agree
    alphas = extractor.annotator_.agreement_["alpha"]
    np.testing.assert_allclose(report.table["agreement"], alphas)
    assert "agr." in str(report)
    assert report.usage["calls"].tolist() == [calls]


def test_a_report_says_what_a_cascade_has_asked():
    cheap = [WordOracle(error=0.1, seed=1), WordOracle(error=0.1, seed=2)]
    interpreter = LexiconInterpreter(max_terms=1, embedder=None)
    extractor = HypothesisExtractor(
        interpreter, CascadeAnnotator(cheap, WordOracle(), check_share=0.1)
    ).fit(TRAIN, Y_TRAIN)
    report = evaluate_hypotheses(extractor, X, Y, n_resamples=0, ngrams=False)
    checks = extractor.annotator_.checks_
    for column in ("share_asked", "rate_upper"):
        np.testing.assert_array_equal(report.table[column], checks[column][:-1])
    assert (report.table["share_asked"] > 0.1).all()


def test_a_report_of_one_annotator_is_as_ever(extractor):
    report = evaluate_hypotheses(extractor, X, Y, n_resamples=0, ngrams=False)
    assert not {"agreement", "share_asked", "rate_upper"} & set(report.table)


@pytest.mark.parametrize("with_training", [True, False])
def test_others_are_calibrated_blind_to_the_target(extractor, with_training):
    annotator = EmbeddingAnnotator(TextEmbedder(n_components=8, random_state=0))
    params = {"X_train": TRAIN} if with_training else {}
    found = compare_annotators(extractor, X, Y, [annotator], **params)
    frame = TRAIN if with_training else X
    texts = np.array(frame.index, dtype=object)
    fitted = annotator.fit(texts, extractor._hypotheses, frame.to_numpy())
    marks = fitted.annotate(np.array(X.index, dtype=object))
    np.testing.assert_array_equal(
        found.reports["EmbeddingAnnotator"].data.annotations, marks
    )
    permuted = compare_annotators(extractor, X, Y[::-1].copy(), [annotator], **params)
    np.testing.assert_array_equal(
        permuted.reports["EmbeddingAnnotator"].data.annotations, marks
    )


def test_accounts_of_the_others(extractor):
    model = LLMAnnotator(answer, cache=None)
    found = compare_annotators(extractor, X, Y, {"model": model})
    assert found.usage["role"].tolist() == ["model"]
    assert found.usage["calls"].tolist() == [X.size]
    # one account: what is known is not asked again
    compare_annotators(extractor, X, Y, {"model": model})
    assert found.reports["model"].r2 == found.reports["LexiconAnnotator"].r2
    CALLS.clear()
    compare_annotators(extractor, X, Y, [WordOracle("a"), WordOracle("b")])
    assert {"a": X.size, "b": X.size} == CALLS


def test_classes(extractor):
    labels = np.digitize(Y, [-0.5, 1.5])
    by_class = HypothesisExtractor(
        LexiconInterpreter(max_terms=1, embedder=None), random_state=0
    ).fit(TRAIN, np.array(["low", "mid", "high"])[np.digitize(Y_TRAIN, [-0.5, 1.5])])
    y = np.array(["low", "mid", "high"])[labels]
    found = compare_annotators(by_class, X, y, {"same": X.to_numpy()})
    assert found.effect == "separation"
    assert found.table["n_agree"].tolist() == [2, 2, 2]
    assert "ROC AUC" in str(found)
    binary = HypothesisExtractor(random_state=0).fit(TRAIN, Y_TRAIN > 0)
    assert compare_annotators(binary, X, Y > 0, {"s": X.to_numpy()}).effect == "coef"


@pytest.mark.parametrize(
    ("annotators", "error", "message"),
    [
        (None, ValueError, "annotators=None compares the members.*LexiconAnnotator"),
        ({}, ValueError, "annotators= is empty"),
        ({"a": "openai:b"}, TypeError, "annotators= takes annotators.*str"),
        ({"a": np.zeros((300, 2))}, ValueError, r"annotators\['a'\].*\(300, 2\)"),
        ({"a": np.full((300, 3), 0.5)}, ValueError, "must be 1, 0 or NaN"),
        (LexiconAnnotator(), ValueError, "annotators"),
    ],
)
def test_what_cannot_be_compared(extractor, annotators, error, message):
    with pytest.raises(error, match=message):
        compare_annotators(extractor, X, Y, annotators)


def test_rows_are_checked_before_anything_is_asked(extractor):
    CALLS.clear()
    with pytest.raises(ValueError, match="differ in length"):
        compare_annotators(extractor, X, Y[:-1], [WordOracle("never")])
    with pytest.raises(TypeError, match="HypothesisExtractor"):
        compare_annotators(LexiconAnnotator(), X, Y, [WordOracle("never")])
    assert CALLS == {}


def test_the_votes_of_a_majority_count_in_its_report():
    members = [WordOracle(error=0.05), WordOracle(error=0.1), WordOracle(error=0.3)]
    interpreter = LexiconInterpreter(max_terms=1, embedder=None)
    extractor = HypothesisExtractor(
        interpreter, MajorityAnnotator(members), random_state=0
    ).fit(TRAIN, Y_TRAIN)
    options = {"n_resamples": 0, "ngrams": False}
    report = evaluate_hypotheses(extractor, X, Y, **options)
    majority = extractor.annotator_
    votes = dict(zip(majority.names_, majority.votes_, strict=True))
    assert [*report.data.votes] == majority.names_
    for name, each in votes.items():
        np.testing.assert_array_equal(report.data.votes[name], each)
    names = statements_of(extractor)
    at_hand = evaluate_annotations(votes, Y, names=names, **options)
    pd.testing.assert_frame_equal(report.by_annotator, at_hand.by_annotator)
    columns = ["coef", "coef_lower", "coef_upper", "p_corrected", "annotators_sd"]
    pd.testing.assert_frame_equal(report.table[columns], at_hand.table[columns])
    alone = evaluate_annotations(
        extractor.transform(X).to_numpy(), Y, names=names, **options
    )
    np.testing.assert_array_equal(report.table["coef"], alone.table["coef"])
    assert (report.table["coef_se"] > alone.table["coef_se"]).all()


def test_counts_have_rate_ratios_under_each(extractor):
    counts = np.floor(np.exp(Y))
    extractor = HypothesisExtractor(extractor.interpreter, random_state=0)
    extractor.fit(TRAIN, np.floor(np.exp(Y_TRAIN)))
    others = {"same": X.to_numpy()}
    found = compare_annotators(extractor, X, counts, others)
    for report in found.reports.values():
        assert report.target_kind == "count"
        assert report.table["rate_ratio"].notna().all()
        assert report.r2_out_of_sample == pytest.approx(extractor.score(X, counts))
    plain = compare_annotators(extractor, X, counts, others, target="quantity")
    assert "rate_ratio" not in plain.reports["same"].table
