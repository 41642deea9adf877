"""Texts to learn from: real ones, and ones with planted concepts.

Comes in: a size and a seed, or the folder that holds a data set. Goes out: a `Bunch` of
texts and target. Open `_concepts` first.
"""

from ._concepts import make_concept_texts
from ._docstrings import load_docstrings
from ._tweets import load_tweets

__all__ = ["load_docstrings", "load_tweets", "make_concept_texts"]
