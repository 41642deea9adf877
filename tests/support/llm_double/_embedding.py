"""Vectors of texts: texts that share words are near each other."""

import re
from functools import lru_cache
from hashlib import blake2b

import numpy as np

__all__ = ["embed"]

_WORD = re.compile(r"\w+")
_LONGEST = 3072


@lru_cache(maxsize=50_000)
def _word(word):
    seed = int.from_bytes(blake2b(word.encode("utf-8", "replace")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(_LONGEST).astype(np.float32)


def embed(text, n_dimensions, normalize=True):
    """Return the sum of the vectors of the words, cut to so many dimensions."""
    vector = _word("").copy() * 0.1  # so that no text has a vector of zeros
    for word in _WORD.findall(text.lower()):
        vector += _word(word)
    vector /= np.linalg.norm(vector)
    vector = vector[:n_dimensions]
    return vector / np.linalg.norm(vector) if normalize else vector
