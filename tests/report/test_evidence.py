from itertools import pairwise

import numpy as np
import pytest

from sklearn_hypo._report._evidence import measure_term_shares
from sklearn_hypo._report._page import _highlight
from sklearn_hypo._report._page._highlight import find_terms
from sklearn_hypo._utils._tokens import tokenize


def test_shares_of_many_terms_by_hand():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(25)]
    texts = [" ".join(rng.choice(words, 30)) for _ in range(200)]
    lexicon = ("w1", "W2", "w3 w4", "w5*", "w2* w7", "absent", "w1*")
    (shares,) = measure_term_shares(texts, [lexicon])
    tokens = [tokenize(text) for text in texts]

    def share(holds):
        return np.mean([holds(own) for own in tokens])

    def runs(own, first, second):
        return any(first(a) and b == second for a, b in pairwise(own))

    assert shares == pytest.approx(
        (
            share(lambda own: "w1" in own),
            share(lambda own: "w2" in own),
            share(lambda own: runs(own, lambda a: a == "w3", "w4")),
            share(lambda own: any(a.startswith("w5") for a in own)),
            share(lambda own: runs(own, lambda a: a.startswith("w2"), "w7")),
            0.0,
            share(lambda own: any(a.startswith("w1") for a in own)),
        )
    )
    assert shares[2] > 0


def test_shares_of_no_terms():
    assert measure_term_shares(["a b"], [(), ("b",), ()]) == [(), (1.0,), ()]
    assert measure_term_shares(["a b"], []) == []


def test_terms_are_cut_once_for_all_texts(monkeypatch):
    _highlight._parse_terms.cache_clear()
    calls = []
    real = _highlight.parse_terms
    monkeypatch.setattr(
        _highlight, "parse_terms", lambda *given: calls.append(given) or real(*given)
    )
    terms = tuple(f"happ{i}*" for i in range(300))
    for _ in range(20):
        assert find_terms("so happ7y and Happ12!", terms) == [(3, 9), (14, 20)]
    assert len(calls) == 1
