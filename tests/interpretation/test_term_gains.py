"""What each term of a dictionary adds, against marking again without it."""

import numpy as np
import pytest

from sklearn_hypo._interpretation._dictionary import compute_gains
from sklearn_hypo._interpretation._term_gains import measure_terms
from sklearn_hypo._utils._terms import compute_term_rates, mark_terms
from sklearn_hypo._utils._token_index import TokenIndex

WORDS = ["tea", "teas", "rain", "!", "sun", "so"]
PATTERNS = [("tea",), ("tea*",), ("rain",), ("so", "sun"), ("so",), ("!",)]


def make_texts(n, seed):
    rng = np.random.RandomState(seed)
    texts = [" ".join(rng.choice(WORDS, rng.randint(0, 9))) for _ in range(n)]
    return texts, rng.exponential(size=n)


def correlate(texts, terms, threshold, strength):
    marks = compute_term_rates(texts, [terms])[:, 0] > threshold
    return max(np.corrcoef(marks, strength)[0, 1], 0) if 0 < marks.mean() < 1 else 0


@pytest.mark.parametrize("threshold", [0.0, 20.0, 33.3, 50.0])
@pytest.mark.parametrize("n_terms", [1, 3, 6])
def test_gains_are_what_marking_without_the_term_loses(threshold, n_terms):
    texts, strength = make_texts(60, seed=n_terms)
    terms = PATTERNS[:n_terms]
    strength = strength + (compute_term_rates(texts, [terms])[:, 0] > threshold)
    _, gains = measure_terms(TokenIndex(texts), terms, threshold, strength)
    whole = correlate(texts, terms, threshold, strength)
    assert whole > 0
    for j, gain in enumerate(gains):
        others = terms[:j] + terms[j + 1 :]
        without = correlate(texts, others, threshold, strength)
        assert gain == pytest.approx(whole - without, abs=1e-12)


def test_gains_of_any_are_those_of_the_search():
    texts, strength = make_texts(80, seed=0)
    words = ["tea", "rain", "sun"]
    _, gains = measure_terms(TokenIndex(texts), [(w,) for w in words], 0, strength)
    np.testing.assert_allclose(gains, compute_gains(mark_terms(texts, words), strength))


def test_a_term_within_its_own_repetition_counts_its_tokens_once():
    index = TokenIndex(["so so so", "so so", "so", "sun"])
    strength = np.array([1.0, 1.0, 0.0, 0.0])
    shares, gains = measure_terms(index, [("so", "so")], 50, strength)
    assert shares.tolist() == [0.5]
    assert gains.tolist() == [1.0]


def test_terms_that_no_text_has_and_constant_activations():
    index = TokenIndex(["tea", "rain", ""])
    shares, gains = measure_terms(index, [("snow",), (), ("tea",)], 0, np.ones(3))
    assert shares.tolist() == pytest.approx([0, 0, 1 / 3])
    assert gains.tolist() == [0, 0, 0]
