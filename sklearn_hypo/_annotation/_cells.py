"""Asking any annotator about some cells of the table of texts and hypotheses."""

import numpy as np
from sklearn.base import clone


def check_cells(where, texts, hypotheses):
    """Return `where` as booleans of shape (n_texts, n_hypotheses); None stays None."""
    if where is None:
        return None
    where = np.asarray(where, dtype=bool)
    expected = (len(texts), len(hypotheses))
    if where.shape != expected:
        raise ValueError(
            f"where= is of shape {where.shape}, but {expected} (texts, hypotheses) is "
            "needed."
        )
    return where


def annotate_cells(annotator, texts, where):
    """Have a fitted annotator annotate some cells; NaN elsewhere.

    One without the method `annotate_cells` annotates all hypotheses in every text of
    which a cell is wanted.
    """
    if hasattr(annotator, "annotate_cells"):
        return np.asarray(annotator.annotate_cells(texts, where), dtype=np.float64)
    annotations = np.full(where.shape, np.nan)
    rows = np.flatnonzero(where.any(axis=1))
    if len(rows):
        annotations[rows] = annotator.annotate(np.asarray(texts, dtype=object)[rows])
    return np.where(where, annotations, np.nan)


def make_twin(annotator):
    """Return an unfitted copy that shares account and answers where there are any."""
    return annotator.twin() if hasattr(annotator, "twin") else clone(annotator)
