"""Where training starts: directions found in the data."""

import numpy as np

from ._gradients import Weights


def center_and_variance(X, *, max_rows=32_768):
    """Return the mean row and the total variance around it.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Training rows.
    max_rows : int, default=32_768
        Evenly spaced rows are used when there are more.

    Returns
    -------
    center : ndarray of shape (n_features,), float64
        The mean row.
    variance : float
        Mean squared distance of a row from it.
    """
    rows = X[:: max(1, -(-len(X) // max_rows))].astype(np.float64)
    center = rows.mean(axis=0)
    return center, float(((rows - center) ** 2).sum(axis=1).mean())


def initial_weights(X, n_neurons, rng, *, n_iter=4, max_rows=32_768):
    """Start from spherical k-means directions of the centered rows.

    Each cluster center becomes a decoder row and, transposed, an encoder row. With
    fewer than four rows per neuron the directions are single rows instead, and with
    fewer distinct rows than neurons the rest is random.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Training rows, centered.
    n_neurons : int
        Number of directions.
    rng : RandomState
        Source of all randomness.
    n_iter : int, default=4
        Lloyd steps.
    max_rows : int, default=32_768
        Rows used, drawn at random when there are more.

    Returns
    -------
    weights : Weights
        float32 NumPy arrays with unit decoder rows.
    """
    n_features = X.shape[1]
    sample = rng.permutation(len(X))[:max_rows]
    rows = _unit_rows(X[sample].astype(np.float32))
    rows = rows[np.abs(rows).sum(axis=1) > 0]
    directions = rows[_first_distinct(rows, n_neurons)]
    if len(directions) < n_neurons:
        extra = rng.standard_normal((n_neurons - len(directions), n_features))
        directions = np.vstack([directions, extra.astype(np.float32)])
    elif len(rows) >= 4 * n_neurons:
        directions = _spherical_k_means(rows, directions, n_iter)
    decoder = np.ascontiguousarray(_unit_rows(directions))
    return Weights(
        encoder=decoder.copy(),
        intercept=np.zeros(n_neurons, dtype=np.float32),
        decoder=decoder,
        offset=np.zeros(n_features, dtype=np.float32),
    )


def _first_distinct(rows, n_wanted):
    """Return where the first distinct rows are.

    Two neurons that start out equal get equal gradients, and stay equal for ever.
    """
    positions = {}
    for position, row in enumerate(rows):
        positions.setdefault(row.tobytes(), position)
        if len(positions) == n_wanted:
            break
    return np.fromiter(positions.values(), dtype=np.intp)


def _spherical_k_means(rows, centers, n_iter, *, block=4096):
    """Run a few Lloyd steps by cosine; an empty cluster keeps its center."""
    for _ in range(n_iter):
        nearest = np.concatenate(
            [
                (rows[start : start + block] @ centers.T).argmax(axis=1)
                for start in range(0, len(rows), block)
            ]
        )
        order = np.argsort(nearest, kind="stable")
        found, first = np.unique(nearest[order], return_index=True)
        centers = centers.copy()
        centers[found] = _unit_rows(np.add.reduceat(rows[order], first, axis=0))
    return centers


def _unit_rows(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(norms, np.finfo(np.float32).tiny)
