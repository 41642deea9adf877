"""Which pre-activations stay: Top-K, Batch Top-K, and the threshold at inference."""

import numpy as np

from ._codes import DenseCodes, SparseCodes


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
    mask = pre >= np.maximum(kth, np.finfo(pre.dtype).tiny)
    tied = np.flatnonzero(np.count_nonzero(mask, axis=1) > k)
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


def positions_of_largest(values, k, guess=None):
    """Find where the k largest positive values are.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Any values.
    k : int
        How many; more are found where several equal the k-th.
    guess : float or None
        A positive number below the k-th largest value, most likely. It spares
        looking at the values below it; the result does not depend on it.

    Returns
    -------
    positions : ndarray of int of shape (n_found,)
        Increasing.
    threshold : float
        As `kth_largest_positive` has it.
    """
    if guess is not None:
        positions = np.flatnonzero(values >= guess)
        if len(positions) >= k:
            threshold = kth_largest_positive(values[positions], k)
            if len(positions) > k:
                positions = positions[values[positions] >= threshold]
            return positions, max(threshold, guess)
    threshold = kth_largest_positive(values, k)
    return np.flatnonzero(values >= threshold), threshold


class Selector:
    """Turns the pre-activations of a batch into its codes.

    Parameters
    ----------
    sparsity : {"batch_topk", "topk"}
        The rule.
    k : int
        Active neurons per row.
    engine : {"dense", "sparse"}
        The kind of codes; "sparse" is for the CPU.
    """

    def __init__(self, sparsity, k, engine):
        self.sparsity, self.k, self.engine = sparsity, k, engine
        self._guess = None

    def __call__(self, pre):
        """Return the codes of a tensor of shape (n_rows, n_neurons)."""
        import torch

        if pre.device.type != "cpu":
            mask = _mask_on_device(pre, self.sparsity, self.k)
            return DenseCodes(pre * mask, mask)
        values = pre.numpy()
        if self.engine == "dense":
            rule = batch_top_k_mask if self.sparsity == "batch_topk" else top_k_mask
            mask = torch.from_numpy(rule(values, self.k))
            return DenseCodes(pre * mask, mask)
        flat = values.reshape(-1)
        if self.sparsity == "batch_topk":
            n_kept = min(len(values) * self.k, len(flat))
            positions, threshold = positions_of_largest(flat, n_kept, self._guess)
            # the threshold moves little from one batch to the next
            self._guess = 0.9 * float(threshold)
        else:
            positions = np.flatnonzero(top_k_mask(values, self.k))
        return SparseCodes.from_positions(positions, flat[positions], values.shape)


def _mask_on_device(pre, sparsity, k):
    """Mark active entries in torch, which keeps the data on its device."""
    import torch

    if sparsity == "batch_topk":
        n_kept = min(len(pre) * k, pre.numel())
        threshold = pre.flatten().topk(n_kept).values[-1]
        return (pre >= threshold) & (pre > 0)
    kept = pre.topk(min(k, pre.shape[1]), dim=1).indices
    chosen = torch.zeros_like(pre, dtype=torch.bool).scatter_(1, kept, True)
    return chosen & (pre > 0)
