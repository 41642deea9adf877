"""Which language texts are in, as far as rules for English have to know."""

import unicodedata
from functools import lru_cache

from ._tokens import tokenize

# Enough to tell; a large corpus need not be read twice.
_MOST_TEXTS = 2_000
_MOST_CHARACTERS = 500

# Words that make up about a seventh of English and hardly occur in other languages.
_ENGLISH_WORDS = frozenset(
    ["the", "and", "to", "that", "with", "you", "this", "my", "not", "are", "it"]
)
_LEAST_SHARE = 0.04
# Of fewer words, none need be among them.
_FEWEST_WORDS = 200
_MOST_FOREIGN = 0.5


def share_of_foreign_letters(texts):
    """Return which share of the letters in a sample of texts is not Latin."""
    n_letters = n_foreign = 0
    for text in _sample(texts):
        letters = [c for c in text if c.isalpha()]
        n_letters += len(letters)
        n_foreign += sum(not _is_latin(c) for c in letters)
    return n_foreign / n_letters if n_letters else 0.0


def looks_english(texts):
    """Tell whether rules for English words apply: unless something speaks against it.

    Examples
    --------
    >>> from sklearn_hypo._utils._languages import looks_english
    >>> looks_english(["so sad"]), looks_english(["очень грустно"])
    (True, False)
    >>> looks_english(["das Essen war gut und der Kellner freundlich"] * 30)
    False
    """
    if share_of_foreign_letters(texts) > _MOST_FOREIGN:
        return False
    words = [w for text in _sample(texts) for w in tokenize(text) if w[0].isalpha()]
    if len(words) < _FEWEST_WORDS:
        return True
    return sum(word in _ENGLISH_WORDS for word in words) >= _LEAST_SHARE * len(words)


def _sample(texts):
    step = max(1, len(texts) // _MOST_TEXTS)
    return [text[:_MOST_CHARACTERS] for text in texts[::step]]


@lru_cache(maxsize=4096)
def _is_latin(letter):
    return letter.isascii() or "LATIN" in unicodedata.name(letter, "")
