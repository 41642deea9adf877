"""From distinct texts to checked rows, past whatever has kept them from before."""

import os
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from .._language_models._text import replace_surrogates
from .._utils._cache_folder import default_cache_folder
from .._utils._progress import show_progress
from ._rows import check_reply, check_width, scale_to_unit_length
from ._vector_memory import MEMORY
from ._vector_store import VectorStore
from ._windows import Windows


@dataclass(frozen=True)
class EncodingSettings:
    """How texts are encoded, whatever the encoder.

    Attributes
    ----------
    batch_size : int or "auto"
        Most texts per call of a fixed encoder, and per commit of the store.
    normalize : bool
        Whether to scale rows to unit length.
    cache : str, path or None
        Folder for the vectors of fixed encoders, as `TextEmbedder` has it.
    show_progress_bar : bool or "auto", default=False
        Whether to show how far a fixed encoder is.
    pool : {"chunks"} or None, default=None
        What is made of texts that are longer than a model reads: see `TextEmbedder`.
    """

    batch_size: int | str
    normalize: bool
    cache: str | os.PathLike | None
    show_progress_bar: bool | str = False
    pool: str | None = None

    def scale(self, values):
        """Scale rows, if that is wanted."""
        return scale_to_unit_length(values) if self.normalize else values

    def open_store(self, encoder):
        """Return the store of an encoder's vectors, or None if they are not kept."""
        folder = self.cache
        if folder == "auto":
            folder = default_cache_folder() if encoder.is_paid_for else None
        if folder is None:
            return None
        return VectorStore(folder, self._identity(encoder))

    def list_stores(self, encoder):
        """List where an encoder's vectors are kept, the quickest place first."""
        stores = []
        if encoder.is_remembered:
            stores.append(MEMORY.of_model(self._identity(encoder)))
        on_disk = self.open_store(encoder)
        return stores if on_disk is None else [*stores, on_disk]

    def _identity(self, encoder):
        return encoder.identity() | {"normalize": bool(self.normalize)}


def encode(encoder, texts, settings, task, seed=None):
    """Encode distinct texts, none of them blank.

    Parameters
    ----------
    encoder : Encoder
    texts : list of str
        At least one.
    settings : EncodingSettings
    task : callable
        Returns a context manager that is entered around each batch.
    seed : int or None, default=None
        Given, an encoder that learns is fitted on these texts first.

    Returns
    -------
    values : ndarray of shape (n_texts, n_features), dtype float32
    """
    if not encoder.learns:
        if settings.pool is None:
            return _encode_fixed(encoder, texts, settings, task)
        windows = Windows(encoder, texts)
        values = _encode_fixed(encoder, windows.parts, settings, task)
        return windows.average(values, settings.scale)
    inputs = [replace_surrogates(text) for text in texts]
    with show_progress("Embedding", shown=settings.show_progress_bar):
        if seed is None:
            reply = encoder.encode(inputs)
        else:
            reply = encoder.fit_encode(inputs, seed)
    return settings.scale(check_reply(reply, len(texts), encoder.name))


def estimate(encoder, texts, settings):
    """Estimate what it costs to encode texts that are not stored yet."""
    if encoder.is_paid_for:
        if settings.pool is not None:
            texts = Windows(encoder, texts).parts
        store = settings.open_store(encoder)
        if store is not None:
            with store.open() as opened:
                found = set(opened.get(texts)[0])
            texts = [text for i, text in enumerate(texts) if i not in found]
    return encoder.estimate(texts, settings.batch_size)


def _encode_fixed(encoder, texts, settings, task):
    """Encode with an encoder that learns nothing: only what is not kept anywhere.

    If anything is missing in the stores, look-up, encoding and storing happen under
    their locks, so that nobody encodes the same text twice. What was encoded before an
    error is in them.
    """
    stores = settings.list_stores(encoder)
    table = _Table(texts, encoder.name)
    table.look_up(stores)
    with ExitStack() as stack:
        opened = []
        if len(table.missing):
            for each in stores:
                stack.enter_context(each.lock())
            table.look_up(stores)
            opened = [stack.enter_context(each.open()) for each in stores]
        encoder.count_cached(len(texts) - len(table.missing))
        _encode_missing(encoder, table, opened, settings, task)
    return table.values


def _encode_missing(encoder, table, opened, settings, task):
    """Encode what is missing in a table, and put each batch wherever it is kept."""
    if len(table.missing) == 0:
        return
    order = _order_longest_first(table.texts, table.missing)

    def keep(batch, reply):
        rows = order[batch]
        values = settings.scale(check_reply(reply, len(rows), encoder.name))
        table.fill(rows, values)
        for store in opened:
            store.put([table.texts[i] for i in rows], values)
        count(len(rows))

    inputs = [replace_surrogates(table.texts[i]) for i in order]
    shown = settings.show_progress_bar
    with show_progress("Embedding", len(order), unit=" texts", shown=shown) as count:
        encoder.encode_in_batches(inputs, settings.batch_size, keep, task)


def _order_longest_first(texts, wanted):
    """Put texts of like length together, so that little is padded."""
    lengths = np.array([len(texts[i]) for i in wanted])
    return wanted[np.argsort(-lengths, kind="stable")]


class _Table:
    """The rows of texts, filled part by part, as wide as the first part.

    Attributes
    ----------
    texts : list of str
    missing : ndarray of int
        Positions of the texts that no store held when it was asked.
    values : ndarray of shape (n_texts, n_features) or None
        None before the first part.
    """

    def __init__(self, texts, name):
        self.texts = texts
        self.missing = np.arange(len(texts))
        self.values = None
        self._name = name

    def look_up(self, stores):
        """Fill in what is stored, asking each store for what those before it lack."""
        for i, store in enumerate(stores):
            if len(self.missing) == 0:
                return
            with store.open() as opened:
                found, values = opened.get([self.texts[i] for i in self.missing])
            rows = self.missing[found]
            self.fill(rows, values)
            self.missing = np.delete(self.missing, found)
            _pass_on(stores[:i], [self.texts[row] for row in rows], values)

    def fill(self, rows, part):
        """Put rows into their places, or raise if they are of another width."""
        if len(rows) == 0:
            return
        if self.values is None:
            shape = (len(self.texts), part.shape[1])
            self.values = np.empty(shape, dtype=np.float32)
        check_width(part, self.values.shape[1], self._name)
        self.values[rows] = part


def _pass_on(stores, texts, values):
    """Put what a slower store held into the quicker ones before it."""
    for store in stores:
        with store.open() as opened:
            opened.put(texts, values)
