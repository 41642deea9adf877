"""The measures: what is counted in a text, and how a statement about it reads.

A measure is a row of `MEASURES`. All are non-negative, none knows a target. Texts are
cut once (`StyledTexts`), then every measure is a sum over tokens or a count of signs.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._data_preparation._sentences import sentence_spans
from .._utils._token_index import TokenIndex
from ._families import FAMILIES

# A word is "repeated" if it stood among so many words before it.
_WINDOW = 25

_LINK = re.compile(r"(?:https?://|www\.)\S*+", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_](?:['’]?[^\W\d_])+")
_ELLIPSIS = re.compile(r"\.{2,}|…")
_QUOTES = re.compile('["“”„«»「」『』]')
_COMMAS = re.compile("[,，、،]")
_VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ]+")


class StyledTexts:
    """Texts that were cut into tokens once, and what most measures ask of them.

    Parameters
    ----------
    texts : sequence of str
        Any texts.
    """

    def __init__(self, texts):
        self.texts = texts
        # the same words on every machine, whatever is installed
        self.index = TokenIndex(texts, "characters")
        self._kinds = np.array([_name_kind(token) for token in self.index.tokens])
        self._is_word = np.isin(self._kinds, ("word", "number"))

    @cached_property
    def words(self):
        """Words in each text."""
        return self._count(self._is_word)

    @cached_property
    def sentences(self):
        """Sentences in each text; 0 only where it is blank."""
        return np.array([len(sentence_spans(text.strip())) for text in self.texts])

    @cached_property
    def cased_letters(self):
        """Capital letters, all cased letters and words in capitals of each text."""
        return np.array([_count_cased(text) for text in self.texts]).reshape(-1, 3)

    @cached_property
    def repeated_words(self):
        """Words of each text that stood among the `_WINDOW` words before."""
        is_word = self._is_word[self.index.ids]
        ids, text_of = self.index.ids[is_word], self.index.text_of[is_word]
        place = np.arange(len(ids))
        order = np.lexsort((place, ids, text_of))
        same = (np.diff(ids[order]) == 0) & (np.diff(text_of[order]) == 0)
        again = order[1:][same & (np.diff(place[order]) <= _WINDOW)]
        return np.bincount(text_of[again], minlength=len(self.texts))

    def count_kind(self, kind):
        """Count the tokens of one kind in each text; see `_name_kind`."""
        return self._count(self._kinds == kind)

    def count_family(self, name):
        """Count the words of a family of function words in each text."""
        holds = FAMILIES[name].holds
        member = np.array([holds(token) for token in self.index.tokens], dtype=bool)
        return self._count(member & self._is_word)

    def count_matches(self, pattern):
        """Count where a pattern matches the text as it was written."""
        return np.array([len(pattern.findall(text)) for text in self.texts])

    def sum_over_words(self, function):
        """Add up what a function says of each word of the texts."""
        values = np.zeros(len(self.index.tokens))
        for number in np.flatnonzero(self._is_word):
            values[number] = function(self.index.tokens[number])
        weights = values[self.index.ids]
        n_texts = len(self.texts)
        return np.bincount(self.index.text_of, weights=weights, minlength=n_texts)

    def per_100_words(self, counts):
        """Return counts as rates; a text without words counts as one of one word."""
        return 100 * counts / np.maximum(self.words, 1)

    def _count(self, member):
        return self.index.count_positions(member[self.index.ids])


def _name_kind(token):
    """Tell words, numbers and other tokens apart, by how `tokenize` writes them."""
    first = token[0]
    if token == "http://":
        return "link"
    if token in "!?":
        return token
    if first.isdigit():
        return "number"
    if first.isalpha():
        return "word"
    if first == "_":
        return "word" if any(map(str.isalnum, token)) else "rule"
    if first in "@#" and len(token) > 1:
        return first
    if set(token) == {"*"}:
        return "word"  # hidden behind asterisks
    return "emoticon"


def _count_cased(text):
    """Count capital letters, cased letters and words in capitals, outside of links."""
    text = _LINK.sub(" ", text)
    n_upper = sum(map(str.isupper, text))
    n_lower = sum(map(str.islower, text))
    n_words = sum(map(str.isupper, _LETTERS.findall(text))) if n_upper > 1 else 0
    return n_upper, n_upper + n_lower, n_words


def count_syllables(word):
    """Count the syllables of an English word: groups of vowels, less a silent "e".

    Examples
    --------
    >>> from sklearn_hypo._style._measures import count_syllables
    >>> [count_syllables(word) for word in ("made", "table", "hypothesis", "hm")]
    [1, 2, 4, 1]
    """
    n_groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ye", "oe"))
    return max(n_groups - silent, 1)


def _compute_reading_ease(texts):
    words = np.maximum(texts.words, 1)
    syllables = texts.sum_over_words(count_syllables)
    sentences = np.maximum(texts.sentences, 1)
    ease = 206.835 - 1.015 * words / sentences - 84.6 * syllables / words
    return np.where(texts.words > 0, np.clip(ease, 0, None), 0)


class Measure(NamedTuple):
    """One measure of a text.

    Parameters
    ----------
    compute : callable
        From `StyledTexts` to an array with one number, not negative, per text.
    above : str
        The statement that is true of a text that measures more than "{}".
    present : str
        The statement for the threshold 0; empty where `above` serves.
    decimals : int
        Of the threshold in the statement.
    is_skewed : bool
        Whether it is compared by its logarithm.
    """

    compute: Callable
    above: str
    present: str = ""
    decimals: int = 1
    is_skewed: bool = True

    def scale(self, values):
        """Return values of the measure as they are selected and cut."""
        return np.log1p(values) if self.is_skewed else values


def _measure_family(name, above, present):
    """Make the measure of a family: its words in 100."""
    return Measure(
        lambda texts: texts.per_100_words(texts.count_family(name)),
        f"{above} (more than {{}} words in 100)",
        present,
    )


def _measure_signs(pattern, above, present):
    """Make the measure of a sign: how often it stands, per 100 words."""
    return Measure(
        lambda texts: texts.per_100_words(texts.count_matches(pattern)),
        f"{above} (more than {{}} per 100 words)",
        present,
    )


def _measure_tokens(kind, above, present):
    """Make the measure of a kind of token: how often it stands, per 100 words."""
    return Measure(
        lambda texts: texts.per_100_words(texts.count_kind(kind)),
        f"{above} (more than {{}} per 100 words)",
        present,
    )


MEASURES = {
    # length
    "words": Measure(lambda t: t.words, "is longer than {} words", decimals=0),
    "sentences": Measure(
        lambda t: t.sentences, "has more than {} sentences", decimals=0
    ),
    "words_per_sentence": Measure(
        lambda t: t.words / np.maximum(t.sentences, 1),
        "has long sentences (more than {} words on average)",
    ),
    "characters_per_word": Measure(
        lambda t: t.sum_over_words(len) / np.maximum(t.words, 1),
        "has long words (more than {} characters on average)",
    ),
    "repeated_words": Measure(
        lambda t: t.per_100_words(t.repeated_words),
        f"repeats its words (more than {{}} in 100 stood among the {_WINDOW} before)",
        f"repeats a word within {_WINDOW} words",
    ),
    "reading_ease": Measure(
        _compute_reading_ease,
        "is easy to read (Flesch reading ease above {})",
        decimals=0,
        is_skewed=False,
    ),
    # who speaks, to whom, of when
    "first_person_singular": _measure_family(
        "first_person_singular",
        "speaks in the first person: I, me, my",
        "speaks in the first person (contains I, me or my)",
    ),
    "first_person_plural": _measure_family(
        "first_person_plural",
        "speaks as a group: we, us, our",
        "speaks as a group (contains we, us or our)",
    ),
    "second_person": _measure_family(
        "second_person",
        "addresses somebody: you, your",
        "addresses somebody (contains you or your)",
    ),
    "third_person": _measure_family(
        "third_person",
        "speaks of others: he, she, they",
        "speaks of others (contains he, she, they or the like)",
    ),
    "negations": _measure_family(
        "negations",
        "negates: not, no, never",
        "negates (contains not, no, never or the like)",
    ),
    "question_words": _measure_family(
        "question_words",
        "uses question words: what, how, when",
        "uses a question word (contains what, how, when or the like)",
    ),
    "past_tense": _measure_family(
        "past_tense",
        "speaks in the past tense: was, had, went",
        "speaks in the past tense (contains was, had, went or the like)",
    ),
    "present_tense": _measure_family(
        "present_tense",
        "speaks in the present tense: is, am, have",
        "speaks in the present tense (contains is, am, have or the like)",
    ),
    "future_tense": _measure_family(
        "future_tense",
        "speaks of the future: will, gonna, tomorrow",
        "speaks of the future (contains will, gonna, tomorrow or the like)",
    ),
    "hedges": _measure_family(
        "hedges",
        "hedges: maybe, could, seems",
        "hedges (contains maybe, could, seems or the like)",
    ),
    "certainty": _measure_family(
        "certainty",
        "claims certainty: always, definitely, sure",
        "claims certainty (contains always, definitely, sure or the like)",
    ),
    "quantifiers": _measure_family(
        "quantifiers",
        "quantifies: all, some, more",
        "quantifies (contains all, some, more or the like)",
    ),
    "superlatives": _measure_family(
        "superlatives",
        "uses superlatives: best, most, worst",
        "uses a superlative (contains best, most, worst or the like)",
    ),
    "articles": _measure_family(
        "articles", "uses articles: the, a, an", "uses an article (the, a or an)"
    ),
    "prepositions": _measure_family(
        "prepositions",
        "uses prepositions: to, of, in",
        "uses a preposition (contains to, of, in or the like)",
    ),
    "conjunctions": _measure_family(
        "conjunctions",
        "uses conjunctions: and, but, so",
        "uses a conjunction (contains and, but, so or the like)",
    ),
    # signs
    "exclamation_marks": _measure_tokens(
        "!", "uses exclamation marks", "contains an exclamation mark"
    ),
    "question_marks": _measure_tokens(
        "?", "asks: question marks", "asks (contains a question mark)"
    ),
    "commas": _measure_signs(_COMMAS, "uses commas", "contains a comma"),
    "quotes": _measure_signs(
        _QUOTES, "uses quotation marks", "contains a quotation mark"
    ),
    "ellipses": _measure_signs(
        _ELLIPSIS, "trails off: ellipses", "trails off (contains an ellipsis, ...)"
    ),
    "emoticons": _measure_tokens(
        "emoticon", "uses emoticons or emoji", "contains an emoticon or emoji"
    ),
    "numbers": _measure_tokens("number", "gives numbers", "contains a number"),
    "links": _measure_tokens("link", "links to pages", "contains a link"),
    "mentions": _measure_tokens(
        "@", "mentions users: @name", "mentions a user (@name)"
    ),
    "hashtags": _measure_tokens(
        "#", "uses hashtags: #tag", "contains a hashtag (#tag)"
    ),
    "capital_words": Measure(
        lambda t: t.per_100_words(t.cased_letters[:, 2]),
        "writes words in capitals (more than {} per 100 words)",
        "writes a word in capitals",
    ),
    "capital_letters": Measure(
        lambda t: 100 * t.cased_letters[:, 0] / np.maximum(t.cased_letters[:, 1], 1),
        "writes in capitals (more than {} % of letters)",
        "contains a capital letter",
    ),
}

MEASURE_NAMES = tuple(MEASURES)

# Measures that say nothing of texts in other languages.
OF_ENGLISH = frozenset({*FAMILIES, "reading_ease"})


def measure_texts(texts, names=MEASURE_NAMES):
    """Measure texts.

    Parameters
    ----------
    texts : sequence of str
        Any texts.
    names : sequence of str
        Measures, of `MEASURES`.

    Returns
    -------
    values : ndarray of shape (n_texts, n_names), float64
        Not negative; in the measures' own units.

    Examples
    --------
    >>> from sklearn_hypo._style._measures import measure_texts
    >>> measure_texts(["I am SO sad!!", ""], ["words", "first_person_singular"])
    array([[ 4., 25.],
           [ 0.,  0.]])
    """
    styled = StyledTexts(texts)
    values = np.empty((len(texts), len(names)))
    for column, name in enumerate(names):
        values[:, column] = MEASURES[name].compute(styled)
    return values


def scale_measures(values, names):
    """Return values of measures as `StyleFeatures` shows them: mostly as logarithms."""
    return np.column_stack(
        [MEASURES[name].scale(v) for name, v in zip(names, values.T, strict=True)]
    )
