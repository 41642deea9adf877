"""Where training starts: directions found in the data."""

from typing import NamedTuple

import numpy as np

from ._codes import SparseCodes
from ._distributed import sum_across
from ._encoding import find_largest_entries
from ._gradients import Weights
from ._products import multiply_affine
from ._rows import TrainingRows


class RowScale(NamedTuple):
    """The mean and the variance that make training the same at any scale.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float64
    variance : float
    """

    mean: object
    variance: float

    def rows(self, X, index=None):
        """Return rows of X, or those of an index, centered and scaled when read."""
        return TrainingRows(X, index, center=self.mean, scale=np.sqrt(self.variance))

    def to_scaled(self, weights):
        """Return weights for scaled rows from those for rows as they are."""
        scale = np.sqrt(self.variance)
        return weights._replace(
            intercept=weights.intercept / scale,
            offset=(weights.offset - self.mean) / scale,
        )

    def to_original(self, weights):
        """Return weights for rows as they are from those for scaled rows."""
        scale = np.sqrt(self.variance)
        return weights._replace(
            intercept=(weights.intercept * scale).astype(np.float32),
            offset=(self.mean + scale * weights.offset).astype(np.float32),
        )


def measure_scale(rows, *, max_rows=32_768, block=4096):
    """Return the scale of training rows, as they are stored, of all processes.

    Of more than `max_rows`, evenly spaced ones are used.
    """
    step = max(1, -(-len(rows) // max_rows))

    def blocks():
        for start in range(0, len(rows), block * step):
            yield rows.raw(slice(start, start + block * step, step))

    n_rows = float(sum_across(-(-len(rows) // step)))
    mean = sum_across(sum(b.sum(axis=0, dtype=np.float64) for b in blocks())) / n_rows
    squares = sum(np.square(b - mean).sum() for b in blocks())
    return RowScale(mean, float(sum_across(squares) / n_rows))


def initialize_weights(X, n_neurons, rng, *, n_iter=4, max_rows=32_768):
    """Start from spherical k-means directions of the centered rows.

    Each cluster center becomes a decoder row of unit length and, transposed, an encoder
    row. With fewer than four rows per neuron the directions are single rows instead,
    and with fewer distinct rows than neurons the rest is random.

    Parameters
    ----------
    X : ndarray or TrainingRows of shape (n_rows, n_features)
        Training rows, centered.
    n_neurons : int
    rng : RandomState
    n_iter : int, default=4
        Lloyd steps.
    max_rows : int, default=32_768
        Rows used, drawn at random when there are more.

    Returns
    -------
    weights : Weights
        float32 NumPy arrays.
    """
    n_features = X.shape[1]
    sample = rng.permutation(len(X))[:max_rows]
    rows = _scale_to_unit_length(X[sample].astype(np.float32, copy=False))
    rows = rows[np.any(rows, axis=1)]
    directions = rows[_take_first_distinct(rows, n_neurons)]
    if len(directions) < n_neurons:
        extra = rng.standard_normal((n_neurons - len(directions), n_features))
        directions = np.vstack([directions, extra.astype(np.float32)])
    elif len(rows) >= 4 * n_neurons:
        directions = _run_spherical_k_means(rows, directions, n_iter)
    decoder = np.ascontiguousarray(_scale_to_unit_length(directions))
    return Weights(
        encoder=decoder.copy(),
        intercept=np.zeros(n_neurons, dtype=np.float32),
        decoder=decoder,
        offset=np.zeros(n_features, dtype=np.float32),
    )


def fit_gain(weights, X, k, *, max_rows=4096):
    r"""Scale the encoder so that the first reconstructions have the right length.

    The k nearest of many unit directions overlap, so that their sum overshoots. With R
    the reconstruction of the centered rows :math:`x_i` at the start, the encoder is
    multiplied by

    .. math:: \sum_i \langle R_i, x_i \rangle \Big/ \sum_i \lVert R_i \rVert^2

    if that is positive. Of more than `max_rows` rows, evenly spaced ones are used.
    """
    import torch

    rows = X[:: max(1, -(-len(X) // max_rows))]
    positions, values = find_largest_entries(rows, weights, len(rows) * k)
    codes = SparseCodes.from_positions(
        positions, values, (len(rows), len(weights.decoder))
    )
    start = codes.multiply(torch.from_numpy(weights.decoder)).numpy()
    squared = float(np.square(start, dtype=np.float64).sum())
    gain = float((start * rows).sum(dtype=np.float64)) / squared if squared else 0.0
    if gain <= 0.0:
        return weights
    return weights._replace(encoder=weights.encoder * np.float32(gain))


def _take_first_distinct(rows, n_wanted):
    """Return where the first distinct rows are.

    Two neurons that start out equal get equal gradients, and stay equal for ever.
    """
    positions = {}
    for position, row in enumerate(rows):
        positions.setdefault(row.tobytes(), position)
        if len(positions) == n_wanted:
            break
    return np.fromiter(positions.values(), dtype=np.intp)


def _run_spherical_k_means(rows, centers, n_iter, *, block=4096):
    """Run a few Lloyd steps by cosine; an empty cluster keeps its center."""
    import torch

    blocks = torch.from_numpy(rows).split(block)
    for _ in range(n_iter):
        directions = torch.from_numpy(centers)
        cosines = (multiply_affine(rows, directions) for rows in blocks)
        nearest = np.concatenate([each.numpy().argmax(axis=1) for each in cosines])
        order = np.argsort(nearest, kind="stable")
        found, first = np.unique(nearest[order], return_index=True)
        centers = centers.copy()
        centers[found] = _scale_to_unit_length(
            np.add.reduceat(rows[order], first, axis=0)
        )
    return centers


def _scale_to_unit_length(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(norms, np.finfo(np.float32).tiny)
