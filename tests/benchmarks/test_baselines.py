"""What hypotheses are held against: exactly so many columns, nothing from new rows."""

import _baselines
import numpy as np
import pytest
from _datasets import Dataset

WORDS = [f"word{i}" for i in range(40)]


def make_dataset(task, n=300, seed=0):
    """Return texts of random words, of which the first four have to do with y."""
    rng = np.random.RandomState(seed)
    marks = rng.random_sample((n, len(WORDS))) < 0.2
    texts = [" ".join(w for w, m in zip(WORDS, row, strict=True) if m) for row in marks]
    signal = marks[:, :4] @ np.array([2.0, -2.0, 1.5, 1.0])
    y = signal + 0.3 * rng.standard_normal(n)
    if task == "classification":
        y = (y > np.median(y)).astype(int)
    rows = np.arange(n)
    return Dataset(
        "made up", task, np.array(texts, dtype=object), y, rows,
        rows[:200], rows[200:], rows[:0],
    )  # fmt: skip


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("tokens", ["package", "scikit-learn"])
def test_exactly_twenty_ngrams_with_those_that_matter(task, tokens):
    data = make_dataset(task)
    prediction, terms = _baselines.predict_by_ngrams(
        data, data.train, data.validation, tokens=tokens
    )
    assert len(terms) == 20
    assert set(WORDS[:4]) <= set(terms)
    assert data.score(data.validation, prediction) > 0.8


def test_tokens_of_the_package_know_emoticons():
    texts = [":) fine", ":) good", "fine :)", "bad :(", "ugly :(", ":( fine"]
    own = _baselines.mark_ngrams(texts, ["well :)", "fine"])
    assert list(own[2]) == [":(", ":)", "fine"]
    np.testing.assert_array_equal(own[1].toarray(), [[0, 1, 0], [0, 0, 1]])
    theirs = _baselines.mark_ngrams(texts, ["well :)"], tokens="scikit-learn")
    assert list(theirs[2]) == ["fine"]


def test_scored_texts_change_nothing_that_is_learned():
    data = make_dataset("regression")
    _, all_terms = _baselines.predict_by_ngrams(data, data.train, data.validation)
    prediction, terms = _baselines.predict_by_ngrams(
        data, data.train, data.validation[:5]
    )
    whole, _ = _baselines.predict_by_ngrams(data, data.train, data.validation)
    assert terms == all_terms
    np.testing.assert_allclose(prediction, whole[:5])


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_dense_model_uses_all_columns(task):
    data = make_dataset(task)
    X, new_X, _ = _baselines.mark_ngrams(
        data.texts[data.train], data.texts[data.validation]
    )
    prediction = _baselines.predict_dense(X, new_X, data, data.train)
    assert data.score(data.validation, prediction) > 0.8


def test_units_of_columns_do_not_matter_where_they_are_scaled():
    data = make_dataset("classification")
    X, new_X, _ = _baselines.mark_ngrams(
        data.texts[data.train], data.texts[data.validation]
    )
    X, new_X = X.toarray(), new_X.toarray()
    y = data.y[data.train]
    found = [
        _baselines.predict_linear(X * unit, y, new_X * unit, data.task, scaled=True)
        for unit in (1.0, 1e-3)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


def test_dense_model_where_a_class_is_in_one_group():
    data = make_dataset("classification")
    y, groups = np.zeros(300, int), np.arange(300)
    y[:3], groups[:3] = 1, 0
    X = np.random.RandomState(0).standard_normal((300, 3))
    data = Dataset(
        "made up", "classification", data.texts, y, groups, groups, groups, groups
    )
    rows = np.arange(300)
    assert _baselines.predict_dense(X, X, data, rows).shape == (300, 2)
