import numpy as np
import pytest

from sklearn_hypo._utils._tokens import find_token_spans, tokenize


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Don’t go!", [("don't", 0, 5), ("go", 6, 8), ("!", 8, 9)]),
        ("ﬁle ½", [("file", 0, 3), ("1", 4, 5), ("2", 4, 5)]),
        ("İstanbul x", [("istanbul", 0, 8), ("x", 9, 10)]),
        ("see www.x.y now", [("see", 0, 3), ("http://", 4, 11), ("now", 12, 15)]),
        ("", []),
    ],
)
def test_where_tokens_stand(text, spans):
    assert find_token_spans(text) == spans


def test_tokens_with_places_are_those_without():
    rng = np.random.default_rng(0)
    letters = list("abAB  !?:)('’*#@.1½ﬁİΣσé́각ᄀ\u1161<3日本_-~\ud800😀\n")
    for text in ("".join(rng.choice(letters, 40)) for _ in range(500)):
        spans = find_token_spans(text)
        assert [token for token, _, _ in spans] == tokenize(text)
        assert all(0 <= begin < end <= len(text) for _, begin, end in spans)
