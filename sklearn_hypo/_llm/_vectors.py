"""Embeddings in a reply: as many as were asked for, of one width, and finite."""

import numpy as np

from ._troubles import GarbageError


def read_vectors(rows, n_texts):
    """Return the embeddings of a reply as an array.

    A reply with too few or too many cannot be told apart from one in the wrong order,
    so nothing of it is used.

    Parameters
    ----------
    rows : list of array-like
        What arrived, in the order of the texts.
    n_texts : int
        How many texts were sent.

    Returns
    -------
    vectors : ndarray of shape (n_texts, n_features), dtype float32
        Finite.

    Raises
    ------
    GarbageError
        If that is not what arrived.
    """
    if len(rows) != n_texts:
        raise GarbageError(f"{len(rows)} embeddings for {n_texts} texts")
    try:
        with np.errstate(over="ignore"):
            vectors = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise GarbageError("embeddings of different widths, or no numbers") from error
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise GarbageError("embeddings that are no lists of numbers")
    if not np.isfinite(vectors).all():
        raise GarbageError("embeddings with NaN or infinite values")
    return vectors
