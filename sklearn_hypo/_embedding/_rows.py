"""Distinct texts, and the rows made of them: checked, scaled, put side by side."""

import numpy as np
from scipy import sparse

from .._data_preparation._html import find_html
from .._utils._printable import quote_value
from .._utils._validation import check_texts
from .._utils._warnings import warn

# Such a share of the texts is no exception.
_MANY = 0.01


class DistinctTexts:
    """Validated texts, and the distinct ones among them that are not blank.

    Blank ones are warned about.

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

    def check_not_all_blank(self):
        """Raise if there is nothing to learn from."""
        if not self.distinct:
            raise ValueError(
                "TextEmbedder: all texts are empty or hold only whitespace; there is "
                "nothing to learn from."
            )

    def warn_of_html(self):
        """Warn where tags and entities would be learnt from."""
        found = list(filter(None, map(find_html, self.distinct)))
        if len(found) >= max(2, _MANY * len(self.distinct)):
            warn(
                f"{len(found):,} of {len(self.distinct):,} distinct texts hold HTML, "
                f"such as {quote_value(found[0])}, which models read as words. "
                "remove_html(texts) takes it out."
            )

    def _warn_of_blanks(self):
        n_blank = int((self._place < 0).sum())
        if n_blank:
            warn(
                f"{n_blank} of {len(self.all)} texts are empty or hold only "
                "whitespace. They become zero vectors."
            )

    def scatter(self, values, width):
        """Give every text the row of its distinct text; blanks get zeros."""
        rows = np.zeros((len(self.all), width), dtype=np.float32)
        filled = self._place >= 0
        rows[filled] = values[self._place[filled]]
        return rows


def scale_to_unit_length(values):
    """Scale each row to unit length; a row of zeros stays as it is."""
    norms = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float64))
    norms[norms == 0] = 1.0
    return (values / norms[:, None]).astype(np.float32)


def check_reply(reply, n_texts, name):
    """Return what an encoder gave as finite float32 rows, or raise what is wrong.

    `name` is what messages call the model, which was given `n_texts` texts.
    """
    values = _as_float32(reply, name)
    if values.ndim != 2 or len(values) != n_texts or values.shape[1] == 0:
        raise ValueError(
            f"TextEmbedder({name}): the model was given {n_texts} text(s) and must "
            f"return an array of shape ({n_texts}, n_features), one row per text; an "
            f"array of shape {values.shape} arrived."
        )
    broken = int((~np.isfinite(values)).any(axis=1).sum())
    if broken:
        raise ValueError(
            f"TextEmbedder({name}): the model returned NaN or infinite values (or "
            f"values too large for float32) for {broken} of {n_texts} text(s)."
        )
    return values


def _as_float32(reply, name):
    if sparse.issparse(reply):
        reply = reply.toarray()
    try:
        with np.errstate(over="ignore"):
            return np.asarray(reply, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"TextEmbedder({name}): the model must return an array of numbers, one "
            f"row per text; {type(reply).__name__} arrived, which cannot be made one "
            f"({error})."
        ) from error


def check_width(values, width, name):
    """Raise unless the embeddings are as wide as they were in `fit`."""
    if values.shape[1] != width:
        raise ValueError(
            f"TextEmbedder({name}): the model returned embeddings of "
            f"{values.shape[1]} features, but {width} in fit. Is it still the same "
            "model?"
        )


def join_side_by_side(parts, *, normalize):
    """Put the embeddings of several models side by side.

    Each has unit length by itself where `normalize` says so, so that each counts as
    much as the others; then the row has.
    """
    if len(parts) == 1:
        return parts[0]
    joined = np.hstack(parts)
    return scale_to_unit_length(joined) if normalize else joined


def make_unique(labels):
    """Number the labels that occur more than once."""
    return [
        label if labels.count(label) == 1 else f"{label}_{labels[:i].count(label) + 1}_"
        for i, label in enumerate(labels)
    ]
