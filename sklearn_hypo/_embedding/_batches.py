"""Distinct texts through an encoder: in batches, past a cache, and checked."""

import numpy as np
from scipy import sparse

from .._language_models._text import replace_surrogates
from .._utils._validation import check_texts
from .._utils._warnings import warn


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


def encode_fixed(encoder, texts, *, batch_size, normalize, store, task):
    """Encode distinct texts, none of them blank, with an encoder that learns nothing.

    Parameters
    ----------
    encoder : Encoder
    texts : list of str
        At least one.
    batch_size : int
        Most texts per call of the encoder, and per commit of the store.
    normalize : bool
        Whether to scale rows to unit length.
    store : VectorStore or None
        Where to look first. If anything is missing there, look-up, encoding and storing
        happen under its lock, so that nobody encodes the same text twice. What was
        encoded before an error is in it.
    task : callable
        Returns a context manager that is entered around each batch.

    Returns
    -------
    values : ndarray of shape (n_texts, n_features), dtype float32
    """
    table = _Table(len(texts), encoder.name)

    def encode(wanted, put=None):
        encoder.count_cached(len(texts) - len(wanted))
        if len(wanted) == 0:
            return
        order = _order_longest_first(texts, wanted)

        def keep(batch, reply):
            rows = order[batch]
            values = check_reply(reply, len(rows), encoder.name)
            values = scale_to_unit_length(values) if normalize else values
            table.fill(rows, values)
            if put is not None:
                put([texts[i] for i in rows], values)

        inputs = [replace_surrogates(texts[i]) for i in order]
        encoder.encode_in_batches(inputs, batch_size, keep, task)

    if store is None:
        encode(np.arange(len(texts)))
        return table.values
    with store.open() as opened:
        found, values = opened.get(texts)
    table.fill(found, values)
    missing = np.setdiff1d(np.arange(len(texts)), found)
    if len(missing) == 0:
        encode(missing)
        return table.values
    with store.lock(), store.open() as opened:
        found, values = opened.get([texts[i] for i in missing])
        table.fill(missing[found], values)
        encode(np.delete(missing, found), opened.put)
    return table.values


def _order_longest_first(texts, wanted):
    """Put texts of like length together, so that little is padded."""
    lengths = np.array([len(texts[i]) for i in wanted])
    return wanted[np.argsort(-lengths, kind="stable")]


class _Table:
    """An array that is filled part by part, as wide as the first part."""

    def __init__(self, n_texts, name):
        self.values = None
        self._n_texts = n_texts
        self._name = name

    def fill(self, rows, part):
        """Put rows into their places, or raise if they are of another width."""
        if len(rows) == 0:
            return
        if self.values is None:
            self.values = np.empty((self._n_texts, part.shape[1]), dtype=np.float32)
        check_width(part, self.values.shape[1], self._name)
        self.values[rows] = part
