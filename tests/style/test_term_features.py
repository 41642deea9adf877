"""`TermFeatures`: which terms, in which texts, alone and beside neurons."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.utils import get_tags

from sklearn_hypo import TermFeatures
from sklearn_hypo._style._term_features import read_term
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import NotTextLabelledError

TEXTS = ["So sad today", "so happy!", "Happy and sad", "so what?", "SO what :("]


def make_neurons(texts=TEXTS):
    index = pd.Index(texts, name="text", dtype=object)
    values = np.arange(2.0 * len(texts), dtype=np.float32).reshape(-1, 2)
    return pd.DataFrame(values, index=index, columns=["neuron000", "neuron001"])


def test_terms_by_hand():
    frame = TermFeatures(min_df=2).fit_transform(TEXTS)
    # "so" is in four of the five texts: too few lack it
    assert list(frame) == ["term_happy", "term_sad", "term_so what", "term_what"]
    assert frame.index.tolist() == TEXTS
    assert (frame.dtypes == np.float32).all()
    expected = [[0, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    np.testing.assert_array_equal(frame, expected)
    words = TermFeatures(min_df=2, max_words=1).fit(TEXTS)
    assert words.terms_.tolist() == ["happy", "sad", "what"]


def test_same_marks_as_scikit_learn():
    texts = make_concept_texts(300, n_concepts=3, random_state=0).data
    terms = TermFeatures(max_features=10_000, min_df=5).fit(texts)
    vectorizer = CountVectorizer(
        token_pattern=r"\S+", ngram_range=(1, 2), binary=True, vocabulary=terms.terms_
    )
    # only texts of plain words are cut alike
    plain = [t for t in texts if t.replace(" ", "").isalpha()]
    plain += ["so sad today", "i so want to go home", ""]
    np.testing.assert_array_equal(
        terms.transform(plain), vectorizer.transform(plain).toarray()
    )


def test_the_most_frequent_are_kept():
    texts = ["a b"] * 5 + ["a c"] * 4 + ["c d"] * 3 + ["e"] * 8
    terms = TermFeatures(3, max_words=1).fit(texts)
    assert terms.terms_.tolist() == ["a", "c", "e"]  # in 9, 7 and 8 texts
    assert TermFeatures(1, max_words=1).fit(texts).terms_.tolist() == ["a"]


@pytest.mark.parametrize(
    ("n_texts", "fewest", "most"),
    [(20, 3, 1000), (2_000, 10, 1000), (100_000, 500, 200), (30_000_000, 150_000, 1)],
)
def test_auto(n_texts, fewest, most):
    assert TermFeatures()._choose_limits(n_texts) == (fewest, most)


def test_auto_takes_few_of_many_texts(monkeypatch):
    monkeypatch.setattr("sklearn_hypo._style._term_features._MOST_CELLS", 40)
    texts = [f"a{i % 2} b{i % 3} c{i % 4}" for i in range(20)]
    assert len(TermFeatures().fit(texts).terms_) == 2


def test_the_target_is_not_looked_at():
    rng = np.random.default_rng(0)
    texts = make_concept_texts(200, n_concepts=2, random_state=0).data
    one, other = (TermFeatures().fit(texts, rng.random(200)) for _ in range(2))
    assert one.terms_.tolist() == other.terms_.tolist()


def test_new_texts_and_no_terms():
    terms = TermFeatures(min_df=2).fit(TEXTS)
    new = terms.transform(["what a sad day", "", "nothing"])
    np.testing.assert_array_equal(new, [[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    none = TermFeatures().fit(["a", "b"])
    assert none.terms_.tolist() == []
    assert none.transform(["a"]).shape == (1, 0)


def test_equal_texts_and_containers():
    expected = TermFeatures(min_df=2).fit_transform(TEXTS * 2)
    for container in (np.array, pd.Series, make_neurons):
        terms = TermFeatures(min_df=2).fit(container(TEXTS * 2))
        pd.testing.assert_frame_equal(terms.transform(container(TEXTS * 2)), expected)


def test_passthrough_keeps_the_columns_of_x():
    X = make_neurons()
    terms = TermFeatures(min_df=2, passthrough=True).fit(X)
    frame = terms.transform(X)
    pd.testing.assert_frame_equal(frame[["neuron000", "neuron001"]], X)
    assert list(frame)[2:] == ["term_happy", "term_sad", "term_so what", "term_what"]
    assert list(terms.get_feature_names_out()) == list(frame)
    with pytest.raises(ValueError, match="feature names"):
        terms.transform(X.rename(columns={"neuron000": "other"}))
    with pytest.raises(NotTextLabelledError, match="TermFeatures needs"):
        TermFeatures(passthrough=True).fit(TEXTS)


def test_in_a_feature_union():
    union = FeatureUnion([("terms", TermFeatures(min_df=2))]).set_output(
        transform="pandas"
    )
    names = list(union.fit(TEXTS).transform(TEXTS))
    assert [read_term(name) for name in names] == ["happy", "sad", "so what", "what"]


@pytest.mark.parametrize(
    ("column", "term"),
    [
        ("term_a b", "a b"),
        ("terms__term_:(", ":("),
        ("term_term_x", "term_x"),
        ("neuron001", ""),
        ("style_words", ""),
        ("long_term_debt", ""),
    ],
)
def test_names_of_columns(column, term):
    assert read_term(column) == term


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_features": 0}, "'max_features' parameter"),
        ({"max_words": 6}, "'max_words' parameter"),
        ({"min_df": 0.1}, "'min_df' parameter"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TermFeatures(**parameters).fit(TEXTS)


def test_wrong_texts():
    for X, error in (("a bare text", TypeError), ([], ValueError), ([1.0], TypeError)):
        with pytest.raises(error):
            TermFeatures().fit(X)


def test_clones_pickles_and_tags():
    terms = TermFeatures(5, max_words=1, min_df=2)
    with pytest.raises(NotFittedError):
        clone(terms).transform(TEXTS)
    fitted = pickle.loads(pickle.dumps(terms.fit(TEXTS)))  # noqa: S301
    pd.testing.assert_frame_equal(fitted.transform(TEXTS), terms.transform(TEXTS))
    assert get_tags(terms).input_tags.string
