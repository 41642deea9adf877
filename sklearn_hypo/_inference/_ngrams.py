"""What as many n-grams predict: the neighbour that hypotheses are held against.

A neuron has to be found, interpreted and annotated; words that the lasso picks take two
lines of scikit-learn. So a report shows what the second predict of the same rows.
"""

import numpy as np
from scipy import sparse

from .._selection._scores import lasso_path_selection
from .._utils._correlation import Moments
from .._utils._terms import find_vocabulary

_LONGEST = 2  # words and pairs of words

# The lasso picks a few dozen: none of them is found below so many by its correlation.
_MOST_SCREENED = 1000

_NEARLY_CONSTANT = 1e3  # mean over standard deviation


def find_ngrams(texts):
    """Find the words and pairs of words that are frequent enough to be picked.

    Parameters
    ----------
    texts : sequence of str
        The texts.

    Returns
    -------
    presence : CSR array of shape (n_texts, n_terms)
        1 where a text contains a term.
    terms : ndarray of shape (n_terms,) and dtype object
        The n-grams.
    """
    texts = list(map(str, texts))
    fewest = _count_fewest(len(texts))
    presence, terms = find_vocabulary(texts, n_max=_LONGEST, min_df=fewest)
    telling = np.flatnonzero(_count_texts(presence) <= len(texts) - fewest)
    return presence[:, telling], terms[telling]


def _count_texts(presence):
    """Rows with an entry in each column."""
    return np.bincount(presence.indices, minlength=presence.shape[1])


def _count_fewest(n_texts):
    """Texts that must contain a term, and as many that must not."""
    return max(3, round(n_texts / 1000))


def pick_ngrams(presence, targets, n_select, *, weights=None, centered=True):
    r"""Pick the n-grams that enter the lasso path first.

    The path is that of

    .. math::
        \min_b \tfrac{1}{2n} \sum_i w_i (t_i - \bar t - \sum_j b_j z_{ij})^2
        + \alpha \lVert b \rVert_1

    with weighted means and standardized columns z, among the terms that correlate
    most with some target (Fan and Lv 2008, JRSS-B 70(5)).

    Parameters
    ----------
    presence : CSR array of shape (n_rows, n_terms)
        1 where a text contains a term; within pairs the differences.
    targets : ndarray of shape (n_rows, n_targets)
        A quantity, or indicators of classes.
    n_select : int
        Terms to pick; fewer if there are not so many that differ.
    weights : ndarray of shape (n_rows,) or None, default=None
        Positive.
    centered : bool, default=True
        False for differences within pairs, whose sign means nothing.

    Returns
    -------
    picked : ndarray of int
        Columns, ascending.
    """
    n_rows = len(targets)
    weights = np.ones(n_rows) if weights is None else weights * n_rows / weights.sum()
    X, targets = presence.astype(np.float64), np.asarray(targets, dtype=np.float64)
    if centered:
        mean = weights @ X / n_rows
        targets = targets - weights @ targets / n_rows
    else:
        mean = np.zeros(X.shape[1])
    variance = weights @ X.multiply(X) / n_rows - mean**2
    std = np.sqrt(np.maximum(variance, 0.0))
    rare = _count_texts(X) < _count_fewest(n_rows)
    std[rare | (mean > _NEARLY_CONSTANT * std)] = 0.0
    cross = X.T @ (weights[:, None] * targets)
    kept = _screen(std, cross, targets, weights)
    # lasso_path_selection subtracts n times the means from X'X: both are weighted here
    scaled = sparse.csr_array(X[:, kept].multiply(np.sqrt(weights)[:, None]))
    moments = Moments(mean[kept], std[kept], cross[kept])
    coef = lasso_path_selection(scaled, targets, n_select, moments=moments)
    return kept[coef.any(axis=1)]


def _screen(std, cross, targets, weights):
    """List the columns that correlate most with some target, ascending."""
    spread = np.sqrt(weights @ targets**2 / len(targets))
    size = np.outer(std, spread)
    correlation = np.divide(cross, size, out=np.zeros_like(cross), where=size > 0)
    strongest = np.abs(correlation).max(axis=1, initial=0.0)
    order = np.argsort(-strongest, kind="stable")[:_MOST_SCREENED]
    return np.sort(order[std[order] > 0])
