"""Moments of activations, and their correlations with targets and with each other.

Plain functions on arrays: activations of shape (n_samples, n_neurons), dense or sparse,
and targets of shape (n_samples, n_targets). A constant column correlates with nothing:
0, without a warning.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

# A column is constant if its standard deviation is below so many roundings of its
# typical magnitude: what is left of a constant.
_CONSTANT = 10


class Moments(NamedTuple):
    r"""First and second moments of every column, and with every target.

    Attributes
    ----------
    mean, std : ndarray of shape (n_neurons,), float64
        Population moments; `std` is exactly 0 for constant columns.
    cross : ndarray of shape (n_neurons, n_targets), float64
        :math:`\sum_i (a_{ij} - \bar a_j)(t_i - \bar t)`.
    """

    mean: np.ndarray
    std: np.ndarray
    cross: np.ndarray


def compute_moments(activations, targets):
    """Compute the moments of activations, dense or sparse, in one pass over them.

    A sparse matrix is never made dense. Sums run over deviations from a shift near the
    mean, so that nothing cancels, and are carried from block to block in float64.
    """
    n_samples = activations.shape[0]
    centered = targets - targets.mean(axis=0)
    if sparse.issparse(activations):
        sums, squares, cross, shift, largest = _sum_sparse(activations, centered)
    else:
        sums, squares, cross, shift, largest = _sum_dense(activations, centered)
    deviation = squares - sums**2 / n_samples
    std = np.sqrt(np.maximum(deviation, 0.0) / n_samples)
    std[std <= _CONSTANT * np.finfo(activations.dtype).eps * largest] = 0.0
    return Moments(shift + sums / n_samples, std, cross)


def _sum_dense(activations, centered, *, block=1024):
    """Sum deviations from the mean of the first block, in blocks that fit a cache."""
    shift = activations[:block].mean(axis=0)
    n_neurons, n_targets = activations.shape[1], centered.shape[1]
    weights = np.column_stack([np.ones(len(centered)), centered]).astype(shift.dtype)
    first, squares = np.zeros((1 + n_targets, n_neurons)), np.zeros(n_neurons)
    for start in range(0, len(centered), block):
        rows = slice(start, start + block)
        deviations = activations[rows] - shift
        first += weights[rows].T @ deviations
        deviations *= deviations
        squares += weights[rows, 0] @ deviations
    spread = np.sqrt(squares / len(centered))
    return first[0], squares, first[1:].T, shift, np.abs(shift) + spread


def _sum_sparse(activations, centered):
    X = sparse.csc_array(activations, dtype=np.float64)
    columns = np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))
    sums = np.bincount(columns, X.data, minlength=X.shape[1])
    mean = sums / X.shape[0]
    n_absent = X.shape[0] - np.diff(X.indptr)
    deviations = X.data - mean[columns]
    sums = np.bincount(columns, deviations, X.shape[1]) - n_absent * mean
    squares = np.bincount(columns, deviations**2, X.shape[1]) + n_absent * mean**2
    largest = np.abs(mean) + np.sqrt(squares / X.shape[0])
    cross = X.T @ centered - np.outer(mean, centered.sum(axis=0))
    return sums, squares, cross, mean, largest


def correlation_scores(activations, targets, *, moments=None):
    """Compute the Pearson correlation of every neuron with every target.

    Parameters
    ----------
    activations : ndarray or sparse array of shape (n_samples, n_neurons)
    targets : ndarray of shape (n_samples, n_targets)
        One column for a quantity or a binary target, one indicator column per class
        otherwise.
    moments : Moments, default=None
        Those of the same arguments, where they are at hand.

    Returns
    -------
    correlations : ndarray of shape (n_neurons, n_targets)
        In [-1, 1]; 0 for constant columns.
    """
    if moments is None:
        moments = compute_moments(activations, targets)
    norm = len(targets) * np.outer(moments.std, targets.std(axis=0))
    norm[norm == 0] = np.inf
    return np.clip(moments.cross / norm, -1.0, 1.0)


def correlate_activations(reference, activations):
    """Correlate the neurons of two fits on the same texts; 0 for constant ones.

    Takes arrays of shape (n_texts, n_reference) and (n_texts, n_neurons), of which the
    second may be sparse, and returns one of shape (n_reference, n_neurons).
    """
    return correlation_scores(activations, reference.astype(np.float64)).T
