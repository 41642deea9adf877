"""Where tokens stand: the counts against a plain loop."""

import numpy as np
import pytest

from sklearn_hypo._utils._token_index import TokenIndex
from sklearn_hypo._utils._tokens import tokenize

TEXTS = ["so so sad", "", "Sad! so sadness", "so sad so", "s*** :* sad", "...", "so"]


def count_by_hand(texts, terms):
    """Mark positions term by term, and count those that are marked."""
    counts = []
    for text in texts:
        tokens, covered = tokenize(text), set()
        for term in terms:
            for begin in range(len(tokens) - len(term) + 1):
                run = tokens[begin : begin + len(term)]
                if all(map(fits, run, term)):
                    covered |= set(range(begin, begin + len(term)))
        counts.append(len(covered))
    return counts


def fits(token, pattern):
    if pattern in ("s***", ":*") or not pattern.endswith("*"):
        return token == pattern
    return token.startswith(pattern[:-1])


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [("so",)],
        [("sad",), ("sad*",), ("so", "sad")],
        [("so", "sad*"), ("so", "so")],
        [("so", "so"), ("so", "sad", "so")],
        [("sad*", "!", "so")],
        [("s***",), (":*", "sad")],
        [("absent",), ("absent", "so"), ("so", "absent*")],
        [("so", "so", "so", "so", "so", "so")],
    ],
)
def test_tokens_that_belong_to_a_term_count_once(terms):
    counts = TokenIndex(TEXTS).count_covered(terms)
    assert counts.tolist() == count_by_hand(TEXTS, terms)


def test_runs_do_not_go_from_text_to_text():
    index = TokenIndex(["so", "sad", "so sad"])
    assert index.count_covered([("so", "sad")]).tolist() == [0, 0, 2]


def test_random_texts():
    rng = np.random.default_rng(0)
    words = ["ab", "abc", "b", "bc", "!"]
    texts = [" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(200)]
    patterns = [*words, "ab*", "b*", "a*"]
    for _ in range(30):
        n_terms = rng.integers(1, 4)
        terms = [
            tuple(rng.choice(patterns, rng.integers(1, 4))) for _ in range(n_terms)
        ]
        counts = TokenIndex(texts).count_covered(terms)
        assert counts.tolist() == count_by_hand(texts, terms)


def test_no_texts_and_no_tokens():
    assert TokenIndex([]).count_covered([("so", "sad"), ("so*",)]).shape == (0,)
    index = TokenIndex(["", ","])
    assert index.count_covered([("so", "sad"), ("so*",)]).tolist() == [0, 0]
    assert index.lengths.tolist() == [0, 0]
    # two tokens, and no two in one text
    index = TokenIndex(["so", "sad"])
    assert index.count_covered([("so", "sad"), ("so", "sad*")]).tolist() == [0, 0]


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [()],
        [("so",), ("sad",), ("absent",)],
        [("sad*",), ("sad",), ("so", "sad*"), ("so", "so")],
        [("s***",), (), ("so",), ("so",)],
    ],
)
def test_texts_are_marked_by_each_term(terms):
    marks = TokenIndex(TEXTS).mark(terms).toarray()
    assert marks.shape == (len(TEXTS), len(terms))
    for term, mark in zip(terms, marks.T, strict=True):
        there = np.array(count_by_hand(TEXTS, [term])) > 0
        assert mark.tolist() == there.tolist()


def test_occurrences_stand_where_terms_begin():
    index = TokenIndex(["so so sad", "sadly so"])
    begin, which = index.find_occurrences([("so",), ("so", "sad"), ("sad*",)])
    found = sorted(zip(which.tolist(), begin.tolist(), strict=True))
    assert found == [(0, 0), (0, 1), (0, 4), (1, 1), (2, 2), (2, 3)]
