"""Texts to learn from: real ones, and ones with planted concepts."""

from ._concepts import make_concept_texts
from ._docstrings import load_docstrings
from ._election import load_election
from ._headlines import load_upworthy
from ._tweets import load_tweets

__all__ = [
    "load_docstrings",
    "load_election",
    "load_tweets",
    "load_upworthy",
    "make_concept_texts",
]
