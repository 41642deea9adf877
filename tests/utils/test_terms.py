"""Terms as they are written, and how much of a text they are."""

import numpy as np
import pytest

from sklearn_hypo._utils._terms import (
    compute_term_rates,
    contains_any,
    find_vocabulary,
    mark_terms,
    parse_term,
)
from sklearn_hypo._utils._token_index import TokenIndex
from sklearn_hypo._utils._tokens import make_ngrams, tokenize


@pytest.mark.parametrize(
    ("term", "patterns"),
    [
        ("Sad*", ("sad*",)),
        ("so  SAD", ("so", "sad")),
        ("feel* so sad*", ("feel*", "so", "sad*")),
        ("re-do*", ("re", "do*")),
        ("s*** off*", ("s***", "off*")),
        (":* dear", (":*", "dear")),
        ("don’t*", ("don't*",)),
        ("***", ("***",)),
        ("*", ()),
        ("", ()),
        (", *", ()),
    ],
)
def test_terms_are_cut_as_texts_are(term, patterns):
    assert parse_term(term) == patterns


def test_rates_are_per_100_tokens():
    texts = ["so sad and sadly so", "sad", "", "so"]
    lexicons = [[("sad",)], [("sad*",), ("so", "sad")], []]
    rates = compute_term_rates(texts, lexicons)
    expected = [[20, 60, 0], [100, 100, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(rates, expected)
    np.testing.assert_array_equal(
        compute_term_rates(TokenIndex(texts), lexicons), rates
    )
    assert compute_term_rates([], lexicons).shape == (0, 3)


WORDS = ["tea", "rain", "snow", ":)", "!", "don't", "art", "party", "café", "🙂"]


def random_texts(n, seed=0):
    rng = np.random.RandomState(seed)
    return np.array(
        [" ".join(rng.choice(WORDS, rng.randint(1, 5))) for _ in range(n)], dtype=object
    )


@pytest.mark.parametrize("n_max", [1, 2, 3])
def test_vocabulary_agrees_with_a_loop(n_max):
    texts = random_texts(60)
    presence, terms = find_vocabulary(texts, n_max=n_max, min_df=2)
    contained = [set(make_ngrams(tokenize(text), n_max)) for text in texts]
    counts = {}
    for found in contained:
        for term in found:
            counts[term] = counts.get(term, 0) + 1
    expected = sorted(term for term, count in counts.items() if count >= 2)
    assert list(terms) == expected
    dense = presence.toarray()
    for row, found in enumerate(contained):
        assert [term in found for term in terms] == list(dense[row] == 1)


def test_vocabulary_without_a_frequent_term():
    texts = ["alpha", "beta", "", "..."]
    presence, terms = find_vocabulary(texts, n_max=2, min_df=2)
    assert presence.shape == (4, 0)
    assert len(terms) == 0


def test_min_df_above_the_number_of_texts_means_all_texts():
    _, terms = find_vocabulary(["tea", "tea rain"], n_max=1, min_df=3)
    assert list(terms) == ["tea"]


def test_term_presence_agrees_with_a_loop():
    texts = random_texts(80, seed=1)
    terms = ["tea", "tea rain", "! !", ":) art", "absent", "don't", "🙂"]
    presence = mark_terms(texts, terms).toarray()
    for text, row in zip(texts, presence, strict=True):
        contained = make_ngrams(tokenize(text), 2)
        assert list(row) == [float(term in contained) for term in terms]


def test_term_presence_of_nothing():
    assert mark_terms([], ["tea"]).shape == (0, 1)
    assert mark_terms(["tea"], []).shape == (1, 0)
    assert contains_any(mark_terms(["tea"], []), [], []).shape == (1, 0)


def test_terms_are_tokens_not_substrings():
    presence = mark_terms(["the party's over", "ART!", "partart art"], ["art"])
    assert presence.toarray().ravel().tolist() == [0, 1, 1]


def test_any_of_agrees_with_a_loop():
    texts = random_texts(50, seed=2)
    terms = sorted(WORDS)
    lexicons = [["tea"], ["rain", "snow"], [":)", "!", "don't"], []]
    marks = contains_any(mark_terms(texts, terms), terms, lexicons)
    for text, row in zip(texts, marks, strict=True):
        contained = set(tokenize(text))
        assert list(row) == [float(bool(contained & set(each))) for each in lexicons]
    assert marks.dtype == np.float64
