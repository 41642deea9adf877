"""Drawing rows: parts for search and test, and example texts for an interpreter."""

import numpy as np


def split_at_random(n_rows, fractions, rng):
    """Split rows at random into disjoint parts.

    `fractions` are the shares of the parts and add up to 1. The row numbers of each
    part are ascending; no part is empty if there are as many rows as parts.
    """
    n_cuts = len(fractions) - 1
    cuts = np.round(np.cumsum(fractions)[:-1] * n_rows).astype(int)
    if n_rows > n_cuts:
        before = np.arange(1, n_cuts + 1)  # parts that end at a cut
        cuts = before + np.maximum.accumulate(np.maximum(cuts - before, 0))
        cuts = np.minimum(cuts, n_rows - n_cuts + before - 1)
    return [np.sort(part) for part in np.split(rng.permutation(n_rows), cuts)]


def draw_top_and_zero_rows(activation, n_top, n_zero, rng):
    """Draw rows that activate a neuron most, and rows that do not activate it.

    Returns
    -------
    top : ndarray of int
        At most `n_top` rows with an activation above 0, the largest first; chance
        decides between equal ones.
    zero : ndarray of int
        At most `n_zero` rows with activation 0.
    """
    shuffled = rng.permutation(len(activation))
    order = shuffled[np.argsort(-activation[shuffled], kind="stable")]
    top = order[activation[order] > 0][:n_top]
    zero = shuffled[activation[shuffled] == 0][:n_zero]
    return top, zero


def draw_percentile_bins(activation, n_per_bin, rng, *, edges=(0, 50, 80, 95, 100)):
    """Draw rows from bins of activation strength.

    Parameters
    ----------
    activation : ndarray of shape (n_rows,)
        Non-negative.
    n_per_bin : int
        Rows per bin; fewer if there are fewer.
    rng : RandomState
        Source of randomness.
    edges : sequence of float, default=(0, 50, 80, 95, 100)
        Percentiles, among the positive activations, that bound the bins.

    Returns
    -------
    bins : list of ndarray of int
        First the rows with activation 0, then one bin per pair of edges, weak to
        strong. A row is in one bin only.
    """
    shuffled = rng.permutation(len(activation))
    values = activation[shuffled]
    bins = [shuffled[values == 0][:n_per_bin]]
    positive = shuffled[values > 0]
    if len(positive) == 0:
        return bins + [positive] * (len(edges) - 1)
    # ranks, not values: equal activations do not empty a bin
    order = np.argsort(activation[positive], kind="stable")
    cuts = np.round(np.asarray(edges[1:-1]) / 100 * len(order)).astype(int)
    for part in np.split(order, cuts):
        bins.append(positive[rng.permutation(part)][:n_per_bin])
    return bins
