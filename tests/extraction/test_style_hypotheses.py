"""Hypotheses about style, among others: worded and checked by their measures."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline

from sklearn_hypo import (
    EmbeddingAnnotator,
    HypothesisExtractor,
    LexiconAnnotator,
    LexiconInterpreter,
    LLMAnnotator,
    NeuronSelector,
    SparseAutoencoderTransformer,
    StyleFeatures,
    TextEmbedder,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo._style._measures import measure_texts
from sklearn_hypo.datasets import make_concept_texts

COLUMNS = ["style_words", "neuron000", "style__style_question_marks", "neuron001"]


@pytest.fixture(scope="module")
def data():
    return make_concept_texts(400, n_concepts=2, random_state=0)


@pytest.fixture(scope="module")
def X(data):
    """Two neurons, and two measures among them."""
    rng = np.random.default_rng(0)
    asks = rng.random(400) < 0.3
    texts = [t + " ?" * int(a) for t, a in zip(data.data, asks, strict=True)]
    style = StyleFeatures(["words", "question_marks"]).fit_transform(texts)
    values = [style.iloc[:, 0], data.truth[:, 0], style.iloc[:, 1], data.truth[:, 1]]
    index = pd.Index(texts, name="text", dtype=object)
    return pd.DataFrame(np.column_stack(values), index, COLUMNS)


@pytest.fixture(scope="module")
def y(X):
    rng = np.random.default_rng(1)
    return (X @ [1.0, 1.0, 1.0, -1.0]).to_numpy() + 0.1 * rng.standard_normal(len(X))


class LooksForWords(BaseEstimator):
    """An annotator and interpreter that remembers what it was asked about."""

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        self.asked_ = list(neurons)
        assert activations.shape == (len(texts), len(neurons))
        return LexiconInterpreter().interpret(
            texts, activations, neurons, random_state=random_state
        )

    def fit(self, texts, hypotheses, activations, *, random_state):
        self.hypotheses_ = list(hypotheses)
        self.activations_ = activations
        self.inner_ = LexiconAnnotator().fit(texts, hypotheses)
        return self

    def annotate(self, texts):
        marks = self.inner_.annotate(texts)
        marks[::5] = np.nan
        return marks


def test_interpreter_and_annotator_are_not_asked_about_style(X, y):
    extractor = HypothesisExtractor(
        LooksForWords(), LooksForWords(), random_state=0
    ).fit(X, y)
    assert extractor.interpreter_.asked_ == ["neuron000", "neuron001"]
    seen = extractor.annotator_
    assert [h.neuron for h in seen.hypotheses_] == ["neuron000", "neuron001"]
    np.testing.assert_array_equal(seen.activations_, X[["neuron000", "neuron001"]])
    table = extractor.hypotheses_
    assert table["neuron"].tolist() == COLUMNS
    assert table["hypothesis"][0].startswith("is longer than ")
    assert table["hypothesis"][2] == "asks (contains a question mark)"
    assert (table["missing"] == [0, 80, 0, 80]).all()
    assert (table["association"][[0, 1, 2]] > 0).all()
    assert table["association"][3] < 0
    assert table[["f1", "correlation"]].notna().all(axis=None)


@pytest.mark.parametrize(
    "annotator", [None, EmbeddingAnnotator(TextEmbedder(n_components=16))]
)
def test_style_is_annotated_exactly_whatever_the_annotator(X, y, annotator):
    extractor = HypothesisExtractor(annotator=annotator, random_state=0).fit(X, y)
    new = X.iloc[::-1][:50]
    annotations = extractor.transform(new)
    words = extractor._hypotheses[0]
    measured = measure_texts(new.index, ["words", "question_marks"])
    marks = measured > [words.threshold, 0.0]
    np.testing.assert_array_equal(annotations.iloc[:, [0, 2]], marks)
    assert annotations.iloc[:, 1].mean() not in (0, 1)
    again = pickle.loads(pickle.dumps(extractor))  # noqa: S301
    pd.testing.assert_frame_equal(again.transform(new), annotations)


def test_style_alone_asks_nobody(X, y):
    style = X[[COLUMNS[0], COLUMNS[2]]]
    extractor = HypothesisExtractor(LooksForWords(), LooksForWords()).fit(style, y)
    assert not hasattr(extractor.interpreter_, "asked_")
    assert not hasattr(extractor.annotator_, "hypotheses_")
    assert extractor.transform(style).shape == (400, 2)
    assert extractor.score(style, y) > 0.1


def test_no_language_model_is_asked_about_style(X, y):
    prompts = []

    def model(prompt):
        prompts.append(prompt)
        return (
            "yes" if "a" in json.loads(prompt.rpartition("\n\n")[2])["text"] else "no"
        )

    rows = X.iloc[:40]
    extractor = HypothesisExtractor(
        LexiconInterpreter(1, max_words=1, min_df=1),
        LLMAnnotator(model, cache=None),
        random_state=0,
    ).fit(rows, y[:40])
    n_judged = len(extractor.hypotheses_) - 2
    n_texts = rows.index.nunique()
    assert n_judged >= 1
    assert extractor.annotator_.usage_["calls"] == len(prompts) == n_texts * n_judged
    assert not any("question mark" in p or "is longer" in p for p in prompts)
    assert extractor.usage_["role"].tolist() == ["annotator"]


def test_neurons_are_worded_as_they_are_without_style(X, y):
    alone = HypothesisExtractor(random_state=0).fit(X[["neuron000", "neuron001"]], y)
    among = HypothesisExtractor(random_state=0).fit(X, y)
    pd.testing.assert_frame_equal(
        among.hypotheses_.iloc[[1, 3], :6].reset_index(drop=True),
        alone.hypotheses_.iloc[:, :6],
    )


def test_a_measure_that_hardly_varies_is_skipped(X, y):
    rare = np.zeros(len(X), dtype=np.float32)
    rare[0] = 1
    with pytest.warns(UserWarning, match="style_links .the same in nearly all texts"):
        extractor = HypothesisExtractor(random_state=0).fit(
            X.assign(style_links=rare), y
        )
    assert extractor.skipped_neurons_.index.tolist() == ["style_links"]


def test_annotators_that_return_another_shape(X, y):
    class Wrong(LooksForWords):
        def annotate(self, texts):
            return np.ones((len(texts), 4))

    with pytest.raises(ValueError, match=r"Wrong.annotate.*\(400, 4\).*\(400, 2\)"):
        HypothesisExtractor(annotator=Wrong()).fit(X, y)


def make_texts():
    """Texts of which the length is what matters, and some occur twice."""
    data = make_concept_texts(400, n_concepts=3, random_state=2)
    texts = np.array(data.data, dtype=object)
    texts[1::9] = texts[0]
    return texts, np.array([len(t.split()) for t in texts], dtype=float)


def make_sae():
    return SparseAutoencoderTransformer(16, 2, random_state=0)


@pytest.mark.parametrize("kind", ["union", "step"])
def test_from_texts_to_a_tested_hypothesis_about_length(kind):
    texts, y = make_texts()
    if kind == "union":
        parts = [("neurons", make_sae()), ("style", StyleFeatures())]
        steps = [FeatureUnion(parts).set_output(transform="pandas")]
    else:
        steps = [make_sae(), StyleFeatures(passthrough=True)]
    pipe = make_pipeline(
        TextEmbedder(n_components=16, random_state=0),
        *steps,
        NeuronSelector(1),
        HypothesisExtractor(random_state=0),
    )
    assert cross_val_score(pipe, texts, y, cv=3).min() > 0.4
    pipe.fit(texts, y)
    assert pipe[-1].hypotheses_["hypothesis"][0].startswith("is longer than ")
    report = evaluate_hypotheses(pipe, texts, y, n_resamples=20)
    assert "is longer than" in str(report)
    assert pipe.predict(texts[:3]).shape == (3,)


def test_in_the_pipeline_that_is_made():
    texts, y = make_texts()
    pipe = make_hypothesis_pipeline("lsa", n_neurons=16, n_select=2, random_state=0)
    pipe.fit(texts, y)
    assert "style_words" in pipe[-1].hypotheses_["neuron"].tolist()
