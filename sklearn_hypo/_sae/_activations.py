"""Which pre-activations stay: Top-K, Batch Top-K, and the threshold at inference."""

import numpy as np
from scipy import sparse


def top_k_mask(pre, k):
    """Mark the k largest positive pre-activations of each row.

    Parameters
    ----------
    pre : ndarray of shape (n_rows, n_neurons)
        Pre-activations.
    k : int
        Number of active neurons per row, at most n_neurons.

    Returns
    -------
    mask : ndarray of bool of shape (n_rows, n_neurons)
        At most k True per row. Among equal values the lower column wins.
    """
    n_neurons = pre.shape[1]
    if k >= n_neurons:
        return pre > 0
    kth = np.partition(pre, n_neurons - k, axis=1)[:, n_neurons - k, None]
    mask = (pre >= kth) & (pre > 0)
    tied = np.flatnonzero(mask.sum(axis=1) > k)
    for row in tied:  # rare: equal values at the boundary
        order = np.argsort(-pre[row], kind="stable")
        mask[row, order[k:]] = False
    return mask


def batch_top_k_mask(pre, k):
    """Mark the n_rows * k largest positive pre-activations of a whole batch.

    Parameters
    ----------
    pre : ndarray of shape (n_rows, n_neurons)
        Pre-activations.
    k : int
        Mean number of active neurons per row.

    Returns
    -------
    mask : ndarray of bool of shape (n_rows, n_neurons)
        True where the value is positive and reaches the batch's threshold.
    """
    return pre >= kth_largest_positive(pre.ravel(), pre.shape[0] * k)


def kth_largest_positive(values, k):
    """Return the threshold that the k largest positive values reach.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Any values.
    k : int
        The rank, from 1.

    Returns
    -------
    threshold : float
        The k-th largest value, or the smallest positive number if fewer than k are
        positive. Keeping ``values >= threshold`` keeps at least min(k, number of
        positive values) of them, and exactly that many where no two are equal.
    """
    smallest_positive = np.finfo(values.dtype).tiny
    if k >= len(values):
        return smallest_positive
    threshold = np.partition(values, len(values) - k)[len(values) - k]
    return max(threshold, smallest_positive)


def active_mask(pre, k, threshold):
    """Decide which neurons are active at inference.

    Parameters
    ----------
    pre : ndarray of shape (n_rows, n_neurons)
        Pre-activations.
    k : int
        Active neurons per row, used when there is no threshold.
    threshold : float or None
        The calibrated threshold of Batch Top-K, by which a row's answer does not
        depend on the rows beside it; None for Top-K.

    Returns
    -------
    mask : ndarray of bool of shape (n_rows, n_neurons)
        The active neurons.
    """
    # a plain float is compared in the precision of pre, whatever type it was kept in
    return top_k_mask(pre, k) if threshold is None else pre >= float(threshold)


def pre_activations(X, weights):
    """Compute ``E (x - b) + c`` in the precision of X.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Embeddings, float32 or float64.
    weights : Weights
        NumPy arrays.

    Returns
    -------
    pre : ndarray of shape (n_rows, n_neurons)
        Pre-activations.
    """
    encoder, intercept, offset = (
        array.astype(X.dtype, copy=False)
        for array in (weights.encoder, weights.intercept, weights.offset)
    )
    # E x - E b would cancel where the offset is large against the spread
    pre = (X - offset) @ encoder.T
    pre += intercept
    return pre


def encode(X, weights, k, threshold, *, batch_size=4096, as_sparse=False):
    """Encode rows, batch by batch.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Embeddings.
    weights : Weights
        NumPy arrays.
    k, threshold : int, float or None
        See `active_mask`.
    batch_size : int, default=4096
        Rows at a time; bounds the memory for pre-activations.
    as_sparse : bool, default=False
        Return a CSR array; no dense result is ever formed.

    Returns
    -------
    activations : ndarray or CSR array of shape (n_rows, n_neurons), float32
        Non-negative.
    """
    n_rows, n_neurons = X.shape[0], weights.encoder.shape[0]
    blocks = []
    dense = None if as_sparse else np.empty((n_rows, n_neurons), dtype=np.float32)
    for start in range(0, n_rows, batch_size):
        pre = pre_activations(X[start : start + batch_size], weights)
        pre *= active_mask(pre, k, threshold)
        if as_sparse:
            blocks.append(sparse.csr_array(pre.astype(np.float32, copy=False)))
        else:
            dense[start : start + batch_size] = pre
    if not as_sparse:
        # a masked negative is -0.0; adding zero makes it plain zero
        dense += 0.0
        return dense
    if not blocks:
        return sparse.csr_array((0, n_neurons), dtype=np.float32)
    return sparse.vstack(blocks, format="csr")


def calibrate_threshold(samples, weights, k, *, batch_size=4096, max_rows=50_000):
    """Find the threshold at which k neurons per row are active on average.

    Parameters
    ----------
    samples : sequence of ndarray of shape (n_rows, n_features)
        One or more sets of rows. All sets count the same, whatever their length.
    weights : Weights
        NumPy arrays.
    k : int
        Mean number of active neurons per row, averaged over the sets.
    batch_size : int, default=4096
        Rows at a time.
    max_rows : int, default=50_000
        Evenly spaced rows are used where a set has more.

    Returns
    -------
    threshold : float
        With one set of n rows, ``pre >= threshold`` holds for n*k entries, or for
        all positive ones if there are fewer. It lies halfway to the next entry, so
        that rounding, as when the rows come at another scale, does not decide about
        the last one.
    """
    rows = [X[:: max(1, -(-len(X) // max_rows))] for X in samples]
    total = k * len(rows)  # the active neurons per row of all sets together
    largest = [_largest(X, weights, len(X) * total + 1, batch_size) for X in rows]
    values = np.concatenate(largest)
    shares = [np.full(len(v), 1 / len(X)) for v, X in zip(largest, rows, strict=True)]
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum(np.concatenate(shares)[order])
    last = np.searchsorted(reached, total * (1 - 1e-9))
    if last + 1 >= len(values):
        return float(np.finfo(np.float32).tiny)
    return float(values[order[last : last + 2]].astype(np.float64).mean())


def _largest(X, weights, count, batch_size):
    """Return the largest positive pre-activations, holding few more at any time."""
    largest = np.empty(0, dtype=np.float32)
    for start in range(0, len(X), batch_size):
        pre = pre_activations(X[start : start + batch_size], weights)
        least = largest.min() if len(largest) == count else 0.0
        largest = np.concatenate([largest, pre[pre > least].astype(np.float32)])
        if len(largest) > count:
            largest = np.partition(largest, len(largest) - count)[-count:]
    return largest
