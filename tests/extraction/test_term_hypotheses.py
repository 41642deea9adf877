"""Hypotheses about single terms, among others: worded and checked by the term."""

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import (
    EmbeddingAnnotator,
    HypothesisExtractor,
    LexiconInterpreter,
    TermFeatures,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo.datasets import make_concept_texts


@pytest.fixture(scope="module")
def data():
    return make_concept_texts(400, n_concepts=2, random_state=0)


@pytest.fixture(scope="module")
def texts(data):
    rng = np.random.default_rng(0)
    said = rng.random(400) < 0.3
    return [t + " kindly yours" * int(a) for t, a in zip(data.data, said, strict=True)]


@pytest.fixture(scope="module")
def X(data, texts):
    """A term, a neuron, and a column that only has the name of a term."""
    terms = TermFeatures().fit_transform(texts)
    index = pd.Index(texts, name="text", dtype=object)
    columns = {
        "term_kindly yours": terms["term_kindly yours"].to_numpy(),
        "neuron000": data.truth[:, 0],
        "term_deposit": data.truth[:, 1],
    }
    return pd.DataFrame(columns, index)


@pytest.fixture(scope="module")
def y(X):
    rng = np.random.default_rng(1)
    return X.to_numpy() @ [1.0, 1.0, -1.0] + 0.1 * rng.standard_normal(len(X))


@pytest.fixture(scope="module")
def extractor(X, y):
    interpreter = LexiconInterpreter(embedder=None)
    return HypothesisExtractor(interpreter, random_state=0).fit(X, y)


def test_a_term_is_worded_exactly(extractor, X):
    table = extractor.hypotheses_.set_index("neuron")
    term = table.loc["term_kindly yours"]
    assert term["hypothesis"] == "mentions kindly yours"
    assert (term["f1"], term["correlation"]) == (1.0, 1.0)
    assert term["coef"] > 0.5
    marks = extractor.transform(X)["mentions kindly yours"]
    np.testing.assert_array_equal(marks, X["term_kindly yours"])
    assert extractor.terms_.query("term == 'kindly yours'")["share"].item() == (
        pytest.approx(pd.Series(marks).groupby(level=0).first().mean())
    )


def test_a_name_alone_makes_no_term(extractor):
    statements = extractor.hypotheses_.set_index("neuron")["hypothesis"]
    assert statements["term_deposit"] != "mentions deposit"
    assert extractor.hypotheses_["f1"].min() > 0.5


def test_new_texts(extractor):
    index = pd.Index(["Kindly, yours truly", "kindly not yours"], name="text")
    new = pd.DataFrame(np.zeros((2, 3)), index, extractor.feature_names_in_)
    assert extractor.transform(new)["mentions kindly yours"].tolist() == [1.0, 0.0]


def test_scaled_terms_are_neurons(X, y):
    scaled = X * [2.0, 1.0, 1.0]
    interpreter = LexiconInterpreter(embedder=None)
    fitted = HypothesisExtractor(interpreter, random_state=0).fit(scaled, y)
    found = fitted.hypotheses_.set_index("neuron")
    assert found.loc["term_kindly yours", "f1"] > 0.9


def test_only_terms(X, y):
    only = X[["term_kindly yours"]]
    fitted = HypothesisExtractor(random_state=0).fit(only, y)
    assert fitted.hypotheses_["hypothesis"].tolist() == ["mentions kindly yours"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, True),
        ({"terms": False}, False),
        ({"annotator": EmbeddingAnnotator()}, False),
        ({"annotator": EmbeddingAnnotator(), "terms": True}, True),
    ],
)
def test_terms_in_the_pipeline(arguments, expected):
    pipe = make_hypothesis_pipeline("lsa", **arguments)
    assert ("terms" in pipe.named_steps) is expected


def test_the_word_that_matters_is_found():
    rng = np.random.default_rng(0)
    data = make_concept_texts(300, n_concepts=4, random_state=0)
    said = rng.random(300) < 0.3
    texts = [
        t + " verily" * int(a) for t, a in zip(data.data, said.tolist(), strict=True)
    ]
    y = said + 0.1 * rng.standard_normal(300)
    pipe = make_hypothesis_pipeline(
        "lsa", n_select=5, n_fits=1, random_state=0, cache=None
    ).fit(texts[:200], y[:200])
    assert "mentions verily" in pipe[-1].hypotheses_["hypothesis"].tolist()
    assert pipe.score(texts[200:], y[200:]) > 0.9
    report = evaluate_hypotheses(pipe, texts[200:], y[200:])
    assert len(report.table) == 5
