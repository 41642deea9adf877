"""Several fits side by side: their attributes stacked as those of one, and told apart.

Each fit is an autoencoder of its own, with its own offset and threshold. Their neurons
stand one block after the other; the reconstruction is the mean of theirs.
"""

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from .._utils._correlation import correlate_activations
from ._encoding import compute_squared_errors, encode
from ._fitted import get_weights
from ._gradients import Weights

# from this correlation on, the neurons of two fits count as the same
SAME_NEURON = 0.7

_BLOCKS = ("encoder_coef_", "encoder_intercept_", "components_")
_MEANS = ("mean_", "variance_", "intercept_")
_SUMS = ("n_iter_", "n_steps_", "n_samples_seen_")


class Fit(NamedTuple):
    """One of the fits: its weights, and its threshold or None."""

    weights: Weights
    threshold: float | None


def stack_fits(states):
    """Return the fitted attributes of several fits as one dict; one is kept as it is.

    `states` holds, for each fit, what `describe_fit` and a head returned.
    """
    first = states[0]
    if len(states) == 1:
        return first
    columns = {name: [state[name] for state in states] for name in first}
    stacked = first | {"n_fits_": len(states)}
    stacked |= {name: np.concatenate(columns[name]) for name in _BLOCKS}
    stacked |= {
        name: np.mean(columns[name], axis=0) for name in _MEANS if name in first
    }
    stacked |= {name: sum(columns[name]) for name in _SUMS}
    stacked["decoder_intercept_"] = np.stack(columns["decoder_intercept_"])
    if first["threshold_"] is not None:
        stacked["threshold_"] = np.array(columns["threshold_"])
    if "coef_" in first:  # of the mean prediction
        coef = np.concatenate(columns["coef_"], axis=-1)
        stacked["coef_"] = coef / len(states)
    stacked["dead_neurons_"] = np.concatenate(
        [i * first["n_neurons_"] + d for i, d in enumerate(columns["dead_neurons_"])]
    )
    histories = dict(enumerate(columns["history_"], start=1))
    stacked["history_"] = (
        pd.concat(histories, names=["fit"]).reset_index("fit").reset_index(drop=True)
    )
    return stacked


def split_fits(attributes):
    """Return the fits that are stacked in fitted attributes, a dict by name."""
    weights, threshold = get_weights(attributes), attributes["threshold_"]
    n_fits = attributes["n_fits_"]
    if n_fits == 1:
        return [Fit(weights, threshold)]
    parts = {
        name: np.split(getattr(weights, name), n_fits)
        for name in ("encoder", "intercept", "decoder")
    }
    thresholds = [None] * n_fits if threshold is None else threshold.tolist()
    return [
        Fit(
            Weights(
                **{name: blocks[i] for name, blocks in parts.items()},
                offset=weights.offset[i],
            ),
            thresholds[i],
        )
        for i in range(n_fits)
    ]


def encode_fits(X, fits, k, *, as_sparse=False):
    """Encode rows by each of the fits, their neurons side by side; see `encode`."""
    blocks = [
        encode(X, weights, k, threshold, as_sparse=as_sparse)
        for weights, threshold in fits
    ]
    if len(blocks) == 1:
        return blocks[0]
    return sparse.hstack(blocks, format="csr") if as_sparse else np.hstack(blocks)


def compute_mean_errors(X, fits, k, *, batch_size=2048):
    """Compute the squared distance of each row from the mean of its reconstructions."""
    if len(fits) == 1:
        weights, threshold = fits[0]
        return compute_squared_errors(X, weights, k, threshold)
    squared = np.empty(X.shape[0])
    for start in range(0, X.shape[0], batch_size):
        rows = X[start : start + batch_size]
        total = sum(
            encode(rows, weights, k, threshold) @ weights.decoder + weights.offset
            for weights, threshold in fits
        )
        error = total / len(fits) - rows
        squared[start : start + batch_size] = np.square(error, dtype=float).sum(axis=1)
    return squared


def count_fits_with(X, fits, k, *, max_rows=20_000):
    """Count, for each neuron, the fits that have it: its own, and those that agree.

    Another fit has it if the activations of one of its neurons correlate with it at
    `SAME_NEURON` or more. Of more than `max_rows` rows, evenly spaced ones are used.

    Returns
    -------
    n_found : ndarray of int64 of shape (n_fits * n_neurons,)
        0 for neurons that are constant on these rows.
    """
    rows = X[:: max(1, -(-X.shape[0] // max_rows))]
    blocks = [encode_fits(rows, [fit], k, as_sparse=True) for fit in fits]
    n_found = np.zeros((len(fits), blocks[0].shape[1]), dtype=np.int64)
    for i, j in combinations_with_replacement(range(len(fits)), 2):
        same = correlate_activations(blocks[i].toarray(), blocks[j]) >= SAME_NEURON
        n_found[i] += same.any(axis=1)
        if i != j:
            n_found[j] += same.any(axis=0)
    return n_found.ravel()
