"""Each text once, and the way back to all rows."""

import warnings

import numpy as np

from ._validation import check_texts
from .exceptions import HypothesisWarning


class DistinctTexts:
    """Validated texts, and the distinct ones among them that are not blank.

    Parameters
    ----------
    X : list, tuple, array, Series or one-column frame of str
        The texts. Blank ones are warned about.

    Attributes
    ----------
    all : ndarray of shape (n_samples,), dtype object
        The texts.
    distinct : list of str
        Each text once, in order of appearance; no blank ones.
    """

    def __init__(self, X):
        self.all = check_texts(X, caller="TextEmbedder")
        places = {}
        self._place = np.array(
            [
                places.setdefault(text, len(places)) if text.strip() else -1
                for text in self.all
            ]
        )
        self.distinct = list(places)
        self._warn_of_blanks()

    def _warn_of_blanks(self):
        n_blank = int((self._place < 0).sum())
        if n_blank:
            warnings.warn(
                f"{n_blank} of {len(self.all)} texts are empty or hold only "
                "whitespace. They become zero vectors.",
                HypothesisWarning,
                stacklevel=5,
            )

    def scatter(self, values, width):
        """Give every text the row of its distinct text; blanks get zeros."""
        rows = np.zeros((len(self.all), width), dtype=np.float32)
        filled = self._place >= 0
        rows[filled] = values[self._place[filled]]
        return rows
