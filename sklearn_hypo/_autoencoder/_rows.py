"""Training rows that stay where they are: in memory, in a file, behind a slice.

Nothing here makes a second copy of the data. Rows are centered, scaled and cast to
float32 as they are read, a few thousand at a time.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

_BUFFER_BYTES = 64 * 2**20
_BLOCKS_PER_BUFFER = 16
_MAX_HELD_OUT = 20_000


class TrainingRows:
    """Rows of a matrix, or some of them, centered and scaled as they are read.

    Parameters
    ----------
    X : ndarray or Sliced of shape (n_rows, n_features)
        float32 or float64.
    index : ndarray of int of shape (n_kept,) or None
        The rows that count, increasing; None for all.
    center : ndarray of shape (n_features,)
        Subtracted, in the precision of X.
    scale : float
        What the differences are divided by.

    Attributes
    ----------
    shape : tuple of int
    stored_outside : bool
        Whether reading means input and output rather than memory.
    """

    def __init__(self, X, index=None, *, center=0.0, scale=1.0):
        self._X, self._index = X, index
        self._center = np.asarray(center, dtype=X.dtype)
        self._factor = np.float32(1.0 / scale)
        n_rows = X.shape[0] if index is None else len(index)
        self.shape = (n_rows, X.shape[1])
        self.stored_outside = isinstance(X, Sliced) or is_memory_mapped(X)

    def __len__(self):
        return self.shape[0]

    def raw(self, wanted):
        """Return rows as they are stored; see `__getitem__`."""
        return self._X[wanted if self._index is None else self._index[wanted]]

    def __getitem__(self, wanted):
        """Return those rows, of those that count, as a new float32 array."""
        centered = np.subtract(self.raw(wanted), self._center)
        rows = centered.astype(np.float32, copy=False)
        rows *= self._factor
        return rows

    def batches(self, order, sizes):
        """Read batches in a given order.

        Parameters
        ----------
        order : list of ndarray of int
            A permutation of all rows, one array per buffer; see `shuffle_rows`.
        sizes : sequence of int
            Rows per batch; their sum is the number of rows.

        Yields
        ------
        positions : ndarray of int of shape (size,)
            The rows of the batch.
        rows : ndarray of shape (size, n_features), float32
        """
        if not self.stored_outside:
            ends = np.cumsum([0, *sizes])
            order = np.concatenate(order)
            for start, stop in pairwise(ends):
                yield order[start:stop], self[order[start:stop]]
            return
        waiting = _Queue()
        sizes = iter(sizes)
        size = next(sizes)
        for positions, rows in _read_ahead(self._read_buffer, order):
            waiting.put(positions, rows)
            while size is not None and waiting.n_rows >= size:
                yield waiting.take(size)
                size = next(sizes, None)

    def _read_buffer(self, positions):
        """Read the rows of one buffer front to back; say how to reorder them."""
        ascending = np.argsort(positions, kind="stable")
        rows = self[positions[ascending]]
        back = np.empty_like(ascending)
        back[ascending] = np.arange(len(ascending))
        return rows, back


class _Queue:
    """Buffers of shuffled rows that are taken in batches, across their borders."""

    def __init__(self):
        self._parts = []
        self.n_rows = 0

    def put(self, positions, rows_and_order):
        rows, order = rows_and_order
        self._parts.append([positions, rows, order])
        self.n_rows += len(positions)

    def take(self, size):
        self.n_rows -= size
        positions, rows = [], []
        while size:
            part = self._parts[0]
            taken = min(size, len(part[0]))
            positions.append(part[0][:taken])
            rows.append(part[1][part[2][:taken]])
            part[0], part[2] = part[0][taken:], part[2][taken:]
            size -= taken
            if not len(part[0]):
                self._parts.pop(0)
        return np.concatenate(positions), np.concatenate(rows)


def _read_ahead(read, items):
    """Yield (item, read(item)), reading the next one in a thread meanwhile."""
    items = list(items)
    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(read, items[0])
        for item, following in zip(items, [*items[1:], None], strict=True):
            result = reading.result()
            if following is not None:
                reading = reader.submit(read, following)
            yield item, result


def shuffle_rows(n_rows, n_features, rng):
    """Return the order of one pass over the rows, as one array of numbers per buffer.

    Rows that fit in one buffer of 64 MiB are permuted freely. More rows are cut into
    runs, 16 to a buffer: the runs come in random order, and the rows of a buffer in
    random order, so that a file is read in long stretches. Where the rows are stored
    makes no difference to the order.
    """
    buffer_rows = max(_BLOCKS_PER_BUFFER, _BUFFER_BYTES // (4 * n_features))
    if n_rows <= buffer_rows:
        return [rng.permutation(n_rows)]
    run = buffer_rows // _BLOCKS_PER_BUFFER
    starts = rng.permutation(np.arange(0, n_rows, run))
    order = []
    for first in range(0, len(starts), _BLOCKS_PER_BUFFER):
        chosen = starts[first : first + _BLOCKS_PER_BUFFER]
        rows = np.concatenate([np.arange(s, min(s + run, n_rows)) for s in chosen])
        order.append(rng.permutation(rows))
    return order


class Sliced:
    """Lets what can only be sliced be read like an array, piece by piece.

    Parameters
    ----------
    X : object with `shape`, `dtype` and slices of rows
        A dataset of an HDF5 or zarr file, or an array of half precision.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        float32, or float64 where that is stored.
    """

    _PIECE = 4096  # rows per slice, at most

    def __init__(self, X):
        self._X, self.shape = X, tuple(X.shape)
        self.dtype = np.dtype(np.float64 if X.dtype == np.float64 else np.float32)

    def __getitem__(self, wanted):
        """Return rows, by a slice or by numbers in any order, as a new array.

        Raise a ValueError if a row that was read holds NaN or infinite values.
        """
        if isinstance(wanted, slice):
            wanted = np.arange(self.shape[0])[wanted]
        order = np.argsort(wanted, kind="stable")
        ascending = wanted[order]
        rows = np.empty((len(wanted), self.shape[1]), dtype=self.dtype)
        done = 0
        while done < len(wanted):
            first = int(ascending[done])
            stop = int(np.searchsorted(ascending, first + self._PIECE))
            piece = np.asarray(self._X[first : int(ascending[stop - 1]) + 1])
            rows[order[done:stop]] = piece[ascending[done:stop] - first]
            done = stop
        self._check_finite(rows, wanted)
        return rows

    def _check_finite(self, rows, wanted):
        # a sum is finite if all of its terms are, and needs no second array
        if np.isfinite(rows.sum(dtype=np.float64)) or np.isfinite(rows).all():
            return
        bad = wanted[~np.isfinite(rows).all(axis=1)]
        raise ValueError(
            f"Input X contains NaN or infinity, first in row {bad.min()}. Embed these "
            "texts again, or leave them out."
        )


def split_rows(n_rows, fraction, rng):
    """Return the rows to train on and those held out, both increasing, or two None.

    At most 20,000 are held out, and two are left to train on.
    """
    n_held_out = min(int(n_rows * fraction), n_rows - 2)
    if n_held_out == 0:
        return None, None
    held_out = np.zeros(n_rows, dtype=bool)
    held_out[rng.permutation(n_rows)[: min(n_held_out, _MAX_HELD_OUT)]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def is_memory_mapped(array):
    """Tell whether an array, or the one it is a view of, is a memory map."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return False


def must_slice(X):
    """Tell whether X is to be read piece by piece rather than made an array.

    True for what has `shape`, `dtype` and two dimensions without being an array of
    NumPy (datasets of HDF5 or zarr files), and for memory maps of another type than
    float32 and float64, which would have to be copied as a whole.
    """
    if isinstance(X, np.ndarray):
        return (
            X.ndim == 2
            and X.dtype.kind in "fiu"
            and X.dtype not in (np.float32, np.float64)
            and (X.dtype == np.float16 or is_memory_mapped(X))
        )
    dtype, shape = getattr(X, "dtype", None), getattr(X, "shape", ())
    return (
        isinstance(dtype, np.dtype)
        and dtype.kind in "fiu"
        and len(shape) == 2
        and hasattr(X, "__getitem__")
        and not hasattr(X, "tocsr")
        and not hasattr(X, "iloc")
    )
