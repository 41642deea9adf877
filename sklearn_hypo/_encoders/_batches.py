"""Distinct texts through an encoder: in batches, checked, and past a cache."""

import contextlib
import re

import numpy as np
from scipy import sparse

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(texts):
    """Replace lone surrogates, which no tokenizer and no network protocol accepts."""
    return [_LONE_SURROGATE.sub("\ufffd", text) for text in texts]


def unit_rows(values):
    """Scale each row to unit length; a row of zeros stays as it is."""
    norms = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float64))
    norms[norms == 0] = 1.0
    return (values / norms[:, None]).astype(np.float32)


def check_reply(reply, n_texts, name):
    """Return what an encoder gave as a float32 array, or raise what is wrong with it.

    Parameters
    ----------
    reply : array-like
        Meant to be of shape (n_texts, n_features).
    n_texts : int
        Number of texts that it was given.
    name : str
        What to call the model.

    Returns
    -------
    values : ndarray of shape (n_texts, n_features), dtype float32
        Finite.

    Raises
    ------
    ValueError
        For anything but numbers, another shape, and NaN or infinite values.
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
    if width is not None and values.shape[1] != width:
        raise ValueError(
            f"TextEmbedder({name}): the model returned embeddings of "
            f"{values.shape[1]} features, but {width} in fit. Is it still the same "
            "model?"
        )
    return values


def encode_fixed(encoder, texts, *, batch_size, normalize, store, task):
    """Encode distinct texts with an encoder that learns nothing.

    Parameters
    ----------
    encoder : Encoder
        The encoder.
    texts : list of str
        Distinct, none of them blank, at least one.
    batch_size : int
        Number of texts per call of the encoder, and per commit of the store.
    normalize : bool
        Whether to scale rows to unit length.
    store : VectorStore or None
        Where to look first. If anything is missing there, look-up, encoding and
        storing happen under its lock, so that nobody encodes the same text twice.
    task : callable
        Returns a context manager that is entered around each batch.

    Returns
    -------
    values : ndarray of shape (n_texts, n_features), dtype float32
        One row per text.
    """

    def encoded(wanted):
        for rows in _batches_by_length(texts, wanted, batch_size):
            with task():
                reply = encoder.encode(encodable([texts[i] for i in rows]))
                values = check_reply(reply, len(rows), encoder.name)
            yield rows, unit_rows(values) if normalize else values

    everything = np.arange(len(texts))
    if store is None:
        return _assemble(encoded(everything), len(texts), encoder.name)
    with store.open() as opened:
        parts = [opened.get(texts)]
    if len(parts[0][0]) < len(texts):
        missing = np.setdiff1d(everything, parts[0][0])
        with store.lock(), store.open() as opened:
            found, values = opened.get([texts[i] for i in missing])
            parts.append((missing[found], values))
            for rows, values in encoded(np.delete(missing, found)):
                opened.put([texts[i] for i in rows], values)
                parts.append((rows, values))
    return _assemble(parts, len(texts), encoder.name)


def no_task():
    """Return a context manager that does nothing."""
    return contextlib.nullcontext()


def _batches_by_length(texts, wanted, batch_size):
    """Put texts of like length together, so that little is padded."""
    lengths = np.array([len(texts[i]) for i in wanted])
    order = wanted[np.argsort(-lengths, kind="stable")]
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def _assemble(parts, n_texts, name):
    """Put the rows of all parts into their places."""
    values = None
    for rows, part in parts:
        if len(rows) == 0:
            continue
        if values is None:
            values = np.empty((n_texts, part.shape[1]), dtype=np.float32)
        check_width(part, values.shape[1], name)
        values[rows] = part
    return values
