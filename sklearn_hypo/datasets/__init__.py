"""Texts to learn from: real ones, and ones with planted concepts."""

from ._concepts import make_concept_texts
from ._docstrings import load_docstrings
from ._tweets import load_tweets

__all__ = ["load_docstrings", "load_tweets", "make_concept_texts"]
