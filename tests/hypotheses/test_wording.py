"""A dictionary in words."""

import numpy as np
import pytest

from sklearn_hypo._hypotheses._wording import (
    group_variants,
    name_apart,
    word_apart,
    word_lexicon,
)


@pytest.mark.parametrize(
    ("terms", "statement"),
    [
        (["bored"], "mentions bored"),
        ([":("], "mentions :("),
        (["!"], "mentions !"),
        (["thank you"], "mentions thank you"),
        (["thanks", "thank"], "mentions thanks/thank"),
        (["thanks", "great", "thank"], "mentions any of: thanks/thank, great"),
        (["sad", "!", ":(", "so sad"], "mentions any of: sad, !, :(, so sad"),
        (["été", "étés"], "mentions été/étés"),
        (["日", "本"], "mentions any of: 日, 本"),
    ],
)
def test_statement(terms, statement):
    assert word_lexicon(terms) == statement


@pytest.mark.parametrize(
    "variants",
    [
        ["dog", "dogs"],
        ["city", "cities"],
        ["stop", "stopped", "stopping", "stops"],
        ["love", "loved", "loving", "loves"],
        ["hope", "hopefully", "hopeful", "hopeless"],
        ["happy", "happiness"],
        ["soooo", "soo"],
        ["mom", "mom's"],
        ["array", "arrays"],
        ["class", "classes"],
        ["miss", "missed", "missing", "misses"],
        ["bus", "buses"],
        ["feel", "feeling", "feelin"],
    ],
)
def test_variants_stand_together(variants):
    assert group_variants(variants) == [variants]


@pytest.mark.parametrize(
    "words",
    [
        ["bus", "business"],
        ["art", "arts and crafts"],
        ["miss", "mist"],
        ["less", "les"],
        ["no", "not"],
        [":)", ":("],
        ["!", "?"],
        ["3", "33"],
        ["straße", "stra"],
        ["family", "fame"],
        ["thank you", "thanks"],
        ["wing", "w"],
    ],
)
def test_other_words_stand_apart(words):
    assert group_variants(words) == [[word] for word in words]


@pytest.mark.parametrize(
    "words", [["new", "news"], ["number", "numb"], ["hop", "hoping"]]
)
def test_light_stemming_has_its_limits(words):
    """These stand together and should not; what is matched does not depend on it."""
    assert group_variants(words) == [words]


def test_a_short_dictionary_is_written_out():
    rng = np.random.RandomState(0)
    pool = ["tea", "rain", "snow", ":)", "!", "don't", "art", "party", "café", "🙂"]
    for _ in range(50):
        terms = list(rng.permutation(pool)[: rng.randint(1, 7)])
        statement = word_lexicon(terms)
        assert "\n" not in statement
        assert "more" not in statement
        assert all(term in statement for term in terms)


def test_a_long_dictionary_says_how_many_more():
    terms = [f"{letter}word" for letter in "abcdefghijklmnop"]
    statement = word_lexicon(terms)
    assert statement == (
        "mentions any of: aword, bword, cword, dword, eword or 11 more terms"
    )


def test_of_many_variants_three_are_shown():
    terms = ["love", "loves", "loved", "loving", "lovely", "hug", "kiss", "dear"]
    shown = word_lexicon(terms).partition(": ")[2]
    assert shown == "love/loves/loved, hug, kiss, dear or 2 more terms"


@pytest.mark.parametrize(
    ("threshold", "end"),
    [(2.0, "(more than 2 words in 100)"), (1.0, "(more than 1 word in 100)"),
     (0.45, "(more than 0.45 words in 100)")],
)  # fmt: skip
def test_a_rate_is_in_the_statement(threshold, end):
    statement = word_lexicon(["room", "bed"], threshold)
    assert statement == f"writes much about: room, bed {end}"


LONG = ["sad", "cry", "tears", "lonely", "hurt", "grief", "gloom", "woe"]


def test_nearly_equal_statements_are_told_apart():
    other = [*LONG[:5], "exam", "school", "homework"]
    first, second = word_apart([LONG, other], [0.0, 0.0])
    assert first == word_lexicon(LONG)
    assert second == "mentions any of: sad, cry, exam, school, homework or 3 more terms"


def test_equal_dictionaries_keep_one_statement():
    assert len(set(word_apart([LONG, LONG[::-1]], [0.0, 0.0]))) == 2
    assert len(set(word_apart([LONG, list(LONG)], [0.0, 0.0]))) == 1


def test_a_dictionary_within_another_has_a_statement_of_its_own():
    statements = word_apart([LONG, LONG[:-1]], [0.0, 0.0])
    assert len(set(statements)) == 2


@pytest.mark.parametrize("seed", range(5))
def test_statements_of_different_dictionaries_differ(seed):
    rng = np.random.RandomState(seed)
    pool = np.array([a + b for a in "bcdfg" for b in ["ane", "ore", "ilt"]])
    lexicons = [list(rng.permutation(pool)[: rng.randint(5, 12)]) for _ in range(40)]
    statements = word_apart(lexicons, [0.0] * 40)
    rules = {frozenset(lexicon) for lexicon in lexicons}
    assert len(set(statements)) >= len(rules)


@pytest.mark.parametrize(
    ("names", "lexicons", "apart"),
    [
        (["joy", "grief"], [["a"], ["b"]], ["joy", "grief"]),
        (["joy", "joy"], [["a"], ["a", "b"]], ["joy", "joy (b)"]),
        (["joy", "JOYS"], [["a"], ["a", "b"]], ["joy", "JOYS (b)"]),
        (["joy", "joy"], [["a", "b"], ["a"]], ["joy", "joy [2]"]),
        (["joy"] * 3, [["a"], ["a"], ["a"]], ["joy", "joy [2]", "joy [3]"]),
        (["joy"] * 3, [["a"], ["b"], ["b", "c"]], ["joy", "joy (b)", "joy (c)"]),
        (["joy", "joy"], [["a"], [":)", "b"]], ["joy", "joy (b)"]),
        (["joy", "joy"], [["likes"], ["like", "b"]], ["joy", "joy (b)"]),
        # half of the words in common is not more than half
        (["food prices", "food shops"], [["a"], ["b"]], ["food prices", "food shops"]),
        (["joy (b)", "joy"], [["a"], ["b"]], ["joy (b)", "joy [2]"]),
    ],
)
def test_names_are_told_apart(names, lexicons, apart):
    assert name_apart(names, lexicons) == apart
