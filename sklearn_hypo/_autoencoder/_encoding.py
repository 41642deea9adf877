"""From embeddings to activations with finished weights, block by block."""

import numpy as np
from scipy import sparse

from ._codes import SparseCodes, find_kth_largest_positive, find_top_k, to_tensor
from ._products import multiply_affine

_BLOCK = 2048


class AffineEncoder:
    """Computes ``E (x - b) + c`` in the precision of the rows, float32 or float64."""

    def __init__(self, weights, dtype):
        import torch

        self._encoder, self._intercept, self._offset = (
            # contiguous copies: torch takes no read-only arrays
            torch.from_numpy(np.array(array, dtype=dtype, order="C"))
            for array in (weights.encoder, weights.intercept, weights.offset)
        )

    def __call__(self, rows, out=None):
        """Return pre-activations, written to `out` if it is given."""
        import torch

        if not rows.flags.writeable:
            rows = rows.copy()
        # E x - E b would cancel where the offset is large against the spread
        centered = torch.from_numpy(np.ascontiguousarray(rows)) - self._offset
        target = None if out is None else torch.from_numpy(out)
        pre = multiply_affine(centered, self._encoder, self._intercept, target)
        return pre.numpy() if out is None else out


def encode_blocks(X, weights, batch_size=_BLOCK, step=1):
    """Compute pre-activations block by block, of each step-th row.

    Yields
    ------
    start : int
        Position of the first row of the block among those that are used.
    rows : ndarray of shape (n_block, n_features)
    pre : ndarray of shape (n_block, n_neurons)
    """
    encoder = None
    for start in range(0, X.shape[0], batch_size * step):
        rows = X[start : start + batch_size * step : step]
        encoder = encoder or AffineEncoder(weights, rows.dtype)
        yield start // step, rows, encoder(rows)


def encode(X, weights, k, threshold, *, batch_size=_BLOCK, as_sparse=False):
    """Encode rows, block by block.

    Parameters
    ----------
    X : array or TrainingRows of shape (n_rows, n_features)
        Embeddings; slices of it are float32 or float64 arrays.
    weights : Weights
        NumPy arrays.
    k : int
        Active neurons per row, used when there is no threshold.
    threshold : float or None
        The calibrated threshold of Batch Top-K, by which a row's answer does not depend
        on the rows beside it; None for Top-K.
    batch_size : int, default=2048
        Rows at a time; bounds the memory for pre-activations.
    as_sparse : bool, default=False
        Return a CSR array; no dense result is ever formed.

    Returns
    -------
    activations : ndarray or CSR array of shape (n_rows, n_neurons), float32
        Non-negative.
    """
    compute = encode_sparse if as_sparse else encode_dense
    return compute(X, weights, k, threshold, batch_size)


def encode_dense(X, weights, k, threshold, batch_size=_BLOCK):
    """Encode rows into a dense array; see `encode`."""
    import torch

    n_rows, n_neurons = X.shape[0], weights.encoder.shape[0]
    dense = np.empty((n_rows, n_neurons), dtype=np.float32)
    encoder = None
    for start in range(0, n_rows, batch_size):
        rows = X[start : start + batch_size]
        encoder = encoder or AffineEncoder(weights, rows.dtype)
        block = dense[start : start + batch_size]
        pre = encoder(rows, out=block if rows.dtype == np.float32 else None)
        if threshold is None:
            # numpy's "where" is slower than a product, which leaves -0.0
            np.multiply(pre, find_top_k(pre, k), out=block, casting="same_kind")
            block += 0.0
        else:
            least = _step_below(threshold, pre.dtype)
            torch.threshold_(torch.from_numpy(pre), least, 0.0)
            if pre is not block:
                block[:] = pre
    return dense


def _step_below(threshold, dtype):
    """Return the largest number x such that ``v > x`` means ``v >= threshold``."""
    return float(np.nextafter(np.dtype(dtype).type(threshold), -np.inf, dtype=dtype))


def encode_sparse(X, weights, k, threshold, batch_size=_BLOCK):
    """Encode rows into a CSR array; see `encode`."""
    n_rows, n_neurons = X.shape[0], weights.encoder.shape[0]
    columns, values, counts = [], [], [np.zeros(1, dtype=np.int64)]
    for _, _, pre in encode_blocks(X, weights, batch_size):
        positions = find_active(pre, k, threshold)
        row, column = np.divmod(positions, n_neurons)
        columns.append(column.astype(np.int32))
        values.append(pre.ravel()[positions].astype(np.float32))
        counts.append(np.bincount(row, minlength=len(pre)))
    if not columns:
        return sparse.csr_array((0, n_neurons), dtype=np.float32)
    ends = np.cumsum(np.concatenate(counts))
    if ends[-1] <= np.iinfo(np.int32).max:
        ends = ends.astype(np.int32)
    data, columns = np.concatenate(values), np.concatenate(columns)
    return sparse.csr_array((data, columns, ends), shape=(n_rows, n_neurons))


def find_active(pre, k, threshold):
    """Find which pre-activations are active, as positions in the flattened array."""
    if threshold is None:
        return np.flatnonzero(find_top_k(pre, k))
    # a plain float is compared in the precision of pre, whatever type it was kept in
    return np.flatnonzero(pre >= float(threshold))


def count_firing(X, weights, k, threshold, *, min_rows=50_000):
    """Count in how many rows each neuron is active.

    Where there are more, evenly spaced rows are used, at least `min_rows`.
    """
    n_neurons = weights.encoder.shape[0]
    counts = np.zeros(n_neurons, dtype=np.int64)
    for _, _, pre in encode_blocks(X, weights, step=max(1, len(X) // min_rows)):
        positions = find_active(pre, k, threshold)
        counts += np.bincount(positions % n_neurons, minlength=n_neurons)
    return counts


def calibrate_threshold(samples, weights, k, *, batch_size=_BLOCK, max_rows=50_000):
    """Find the threshold at which k neurons per row are active on average.

    All sets of rows in `samples` count the same, whatever their length; of a set with
    more than `max_rows`, evenly spaced ones are used. With one set of n rows,
    ``pre >= threshold`` holds for n*k entries, or for all positive ones if there are
    fewer. The threshold lies halfway to the next entry, so that rounding, as when the
    rows come at another scale, does not decide about the last one.
    """
    steps = [max(1, -(-len(X) // max_rows)) for X in samples]
    counts = [-(-len(X) // step) for X, step in zip(samples, steps, strict=True)]
    total = k * len(samples)  # the active neurons per row of all sets together
    largest = [
        find_largest_entries(
            X, weights, n * total + 1, batch_size=batch_size, step=step
        )[1]
        for X, step, n in zip(samples, steps, counts, strict=True)
    ]
    values = np.concatenate(largest)
    shares = [np.full(len(v), 1 / n) for v, n in zip(largest, counts, strict=True)]
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum(np.concatenate(shares)[order])
    last = np.searchsorted(reached, total * (1 - 1e-9))
    if last + 1 >= len(values):
        return float(np.finfo(np.float32).tiny)
    return float(values[order[last : last + 2]].astype(np.float64).mean())


def find_largest_entries(X, weights, count, *, batch_size=_BLOCK, step=1):
    """Find the `count` largest positive pre-activations of all rows together.

    There are more where several equal the last; few more are held at any time.

    Returns
    -------
    positions : ndarray of int64 of shape (n_found,)
        Increasing positions in the flattened matrix of the rows that are used.
    values : ndarray of shape (n_found,), float32
        The entries.
    """
    positions, values = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    least, n_neurons = np.finfo(np.float32).tiny, weights.encoder.shape[0]
    for start, _, pre in encode_blocks(X, weights, batch_size, step):
        flat = pre.astype(np.float32, copy=False).ravel()
        found = np.flatnonzero(flat >= least)
        positions = np.concatenate([positions, found + start * n_neurons])
        values = np.concatenate([values, flat[found]])
        if len(values) > 2 * count:
            positions, values = _keep_largest(positions, values, count)
            least = values.min()
    return _keep_largest(positions, values, count)


def _keep_largest(positions, values, count):
    kept = values >= find_kth_largest_positive(values, count)
    return positions[kept], values[kept]


def compute_unexplained(
    X, weights, k, sparsity, variance, *, threshold=None, batch_size=_BLOCK
):
    """Compute the fraction of variance that the reconstruction leaves unexplained.

    With "batch_topk" and no threshold, the n*k largest pre-activations of all rows are
    active. `variance` is the mean squared distance of a training row from their mean,
    so that 0 is perfect and 1 as good as the mean.
    """
    if sparsity == "topk" or threshold is not None:
        squared = compute_squared_errors(
            X, weights, k, threshold, batch_size=batch_size
        )
        return float(squared.sum() / (len(X) * variance))
    n_neurons, total = weights.encoder.shape[0], 0.0
    positions, values = find_largest_entries(
        X, weights, len(X) * k, batch_size=batch_size
    )
    for start in range(0, len(X), batch_size):
        rows = X[start : start + batch_size]
        first, shape = start * n_neurons, (len(rows), n_neurons)
        part = slice(*np.searchsorted(positions, [first, first + np.prod(shape)]))
        active = values[part].astype(rows.dtype, copy=False)
        codes = SparseCodes.from_positions(positions[part] - first, active, shape)
        total += _compute_squared_distances(rows, codes, weights).sum()
    return float(total / (len(X) * variance))


def compute_squared_errors(X, weights, k, threshold, *, batch_size=_BLOCK):
    """Compute the squared distance of each row from its reconstruction, in float64."""
    squared = np.empty(X.shape[0])
    for start, rows, pre in encode_blocks(X, weights, batch_size):
        found = find_active(pre, k, threshold)
        codes = SparseCodes.from_positions(found, pre.ravel()[found], pre.shape)
        squared[start : start + batch_size] = _compute_squared_distances(
            rows, codes, weights
        )
    return squared


def _compute_squared_distances(rows, codes, weights):
    """Return squared distances from reconstructions, row by row."""
    error = codes.multiply(to_tensor(weights.decoder.astype(rows.dtype, copy=False)))
    error += to_tensor(weights.offset.astype(rows.dtype, copy=False))
    error -= to_tensor(rows)
    return np.square(error.numpy(), dtype=np.float64).sum(axis=1)
