"""What is measured, by texts that were counted by hand."""

import numpy as np
import pytest

from sklearn_hypo._style._families import FAMILIES
from sklearn_hypo._style._measures import (
    MEASURE_NAMES,
    MEASURES,
    count_syllables,
    measure_texts,
)
from sklearn_hypo._utils._tokens import tokenize

ODD = ["", " \n", "...", "!!!", ":)", "\ud800", "你好。我很好！", "é̂", "a" * 10_000]


def measure(text, name):
    return measure_texts([text], [name])[0, 0]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("words", "I don't know :( http://a.b/c #tag @me 3 times!!", 5),
        ("words", "****, s***", 2),
        ("words", "你好。", 2),
        ("sentences", "He met Dr. No. Really? Yes!", 3),
        ("sentences", "no full stop", 1),
        ("sentences", " ", 0),
        ("words_per_sentence", "One two three. Four!", 2),
        ("characters_per_word", "to be seen :)", 8 / 3),
        ("repeated_words", "so so sad", 100 / 3),
        ("repeated_words", "a b c d", 0),
        ("first_person_singular", "I'm sure I lost my way", 100 * 3 / 6),
        ("first_person_singular", "an ill id", 0),
        ("first_person_plural", "we’ll take ours", 100 * 2 / 3),
        ("first_person_plural", "well were wed", 0),
        ("second_person", "you're late, u know", 50),
        ("third_person", "she told them that hell is near", 100 * 2 / 7),
        ("negations", "I can't, won't and will not", 50),
        ("question_words", "who's there and whore", 25),
        ("past_tense", "walked and went indeed to bed", 100 * 2 / 6),
        ("past_tense", "ed red wed", 0),
        ("present_tense", "he's here", 50),
        ("future_tense", "they'll go and I won't", 40),
        ("superlatives", "the greatest test, the best guest", 100 * 2 / 6),
        ("articles", "the cat and a dog", 40),
        ("exclamation_marks", "no!! way!", 150),
        ("question_marks", "what?", 100),
        ("commas", "yes, no、 、", 150),
        ("quotes", 'a "b" c „d“', 100),
        ("ellipses", "well... hm.. no. ok…", 75),
        ("emoticons", "a ____ b -_-", 50),
        ("words", "_a_ ____ b", 2),
        ("emoticons", "hi :) 😀 you <3 x", 100),
        ("numbers", "3 of 10,000 in 2nd", 60),
        ("links", "see www.a.b and https://c.d", 100),
        ("mentions", "@a hi @b", 200),
        ("hashtags", "#a hi", 100),
        ("capital_words", "I DON'T Know USA", 50),
        ("capital_words", "see HTTP://A.BC", 0),
        ("capital_letters", "ABc1d", 50),
        ("capital_letters", "see https://A.BC", 0),
        ("reading_ease", "The cat sat on the mat.", 206.835 - 1.015 * 6 - 84.6),
        ("reading_ease", "Incomprehensibilities.", 0),
    ],
)
def test_measures(name, text, value):
    assert measure(text, name) == pytest.approx(value)


def test_repeated_words_look_25_words_back():
    apart = [f"w{i}" for i in range(24)]
    assert measure(" ".join(["a", *apart, "a"]), "repeated_words") > 0
    assert measure(" ".join(["a", *apart, "b", "a"]), "repeated_words") == 0


@pytest.mark.parametrize("name", MEASURE_NAMES)
def test_any_text_has_a_finite_measure_that_depends_on_nothing_else(name):
    values = measure_texts([*ODD, "Where are you?"], [name])
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    alone = [measure(text, name) for text in [*ODD, "Where are you?"]]
    np.testing.assert_allclose(values[:, 0], alone)
    assert measure_texts([], [name]).shape == (0, 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_words_of_a_family_are_tokens(name):
    family = FAMILIES[name]
    for word in family.words | family.exceptions:
        assert tokenize(word) == [word]
    assert all(word.endswith(family.ending) for word in family.exceptions)
    assert not family.words & family.exceptions
    rate = measure(" ".join(sorted(family.words)), name)
    assert rate == pytest.approx(100)


@pytest.mark.parametrize("name", MEASURE_NAMES)
def test_statements_that_name_words_name_those_that_count(name):
    if name not in FAMILIES:
        return
    words = MEASURES[name].above.partition(": ")[2].partition(" (")[0].split(", ")
    assert len(words) >= 2
    assert all(FAMILIES[name].holds(word.lower()) for word in words)


@pytest.mark.parametrize(
    ("word", "n"),
    [("cat", 1), ("made", 1), ("table", 2), ("free", 1), ("reading", 2), ("über", 2)],
)
def test_syllables(word, n):
    assert count_syllables(word) == n
