"""Terms as they are written, and how much of a text they are."""

import numpy as np
import pytest

from sklearn_hypo._utils._terms import compute_term_rates, parse_term
from sklearn_hypo._utils._token_index import TokenIndex


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
