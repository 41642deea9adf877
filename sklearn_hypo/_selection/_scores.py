"""Which neurons predict a target: separation, lasso path, forward selection.

Plain functions on arrays: activations of shape (n_samples, n_neurons), dense or sparse,
and targets of shape (n_samples, n_targets). Every score of a constant column is 0
without a warning, because such a column predicts nothing.
"""

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path_gram

from .._utils._correlation import compute_moments, correlation_scores

# Two columns say the same if their correlation is as close to 1 as this.
_SAME = 1e-6
# A path that stops at more than this share of its first penalty stops too early...
_NO_PENALTY = 1e-6
# ...and is followed once more with ties apart by so much.
_TILT = 1e-6


def separation_scores(activations, targets, *, n_top=100):
    r"""Compute how the target differs between rows that activate a neuron and others.

    .. math:: s_j = \bar y_{\text{top}(j)} - \bar y_{a_j = 0}

    where top(j) are the `n_top` rows with the largest activations *among those with
    an activation above 0* (rows tied with the last one share its places, so that the
    order of the rows does not matter).

    Returns
    -------
    scores : ndarray of shape (n_neurons, n_targets)
        In units of the target. 0 for neurons that are never or always active: they
        separate nothing.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025 (arXiv 2502.04382).
    """
    columns = sparse.csc_array(activations)
    columns.eliminate_zeros()
    totals = targets.sum(axis=0)
    n_samples, n_neurons = columns.shape
    scores = np.zeros((n_neurons, targets.shape[1]))
    for j in range(n_neurons):
        part = slice(columns.indptr[j], columns.indptr[j + 1])
        values, rows = columns.data[part], columns.indices[part]
        rows, values = rows[values > 0], values[values > 0]
        n_zero = n_samples - len(rows)
        if len(rows) == 0 or n_zero == 0:
            continue
        zero_mean = (totals - targets[rows].sum(axis=0)) / n_zero
        scores[j] = _average_top(values, targets[rows], n_top) - zero_mean
    return scores


def _average_top(values, targets, n_top):
    """Average the targets of the largest values; ties at the end share places."""
    if len(values) <= n_top:
        return targets.mean(axis=0)
    cut = np.partition(values, len(values) - n_top)[len(values) - n_top]
    above, tied = values > cut, values == cut
    places = n_top - above.sum()
    return (targets[above].sum(axis=0) + places * targets[tied].mean(axis=0)) / n_top


def find_distinct(activations, targets, max_correlation, moments):
    """Mark neurons so that no two correlate more than a number, the best ones first.

    Of two that do, the one that correlates better with a target stays; of equals, the
    first.

    Returns
    -------
    distinct : ndarray of bool of shape (n_neurons,)
        False for constant columns.
    """
    usable = np.flatnonzero(moments.std > 0)
    distinct = np.zeros(activations.shape[1], dtype=bool)
    if len(usable) == 0:
        return distinct
    correlations = np.abs(_compute_correlations(activations, usable, moments))
    with_targets = correlation_scores(activations, targets, moments=moments)[usable]
    strength = np.round(np.abs(with_targets).max(axis=1), 6)  # equal up to rounding
    kept = []
    for i in np.argsort(-strength, kind="stable"):
        if not (correlations[i, kept] > max_correlation).any():
            kept.append(i)
    distinct[usable[kept]] = True
    return distinct


def lasso_path_selection(activations, targets, n_select, *, moments=None):
    r"""Follow the lasso path until exactly `n_select` neurons have a coefficient.

    The least-angle path of

    .. math:: \min_w \tfrac{1}{2n} \lVert t - Z w \rVert^2 + \alpha \lVert w \rVert_1

    with standardized columns :math:`Z`, from large to small :math:`\alpha`, computed
    from the Gram matrix. It stops at the first knot at which `n_select` neurons have
    a non-zero coefficient, and no penalty has to be searched for. Several targets
    (the classes) share :math:`\alpha`, and a neuron counts once.

    Returns
    -------
    coef : ndarray of shape (n_neurons, n_targets)
        Coefficients on the standardized columns; rows of zeros for neurons that are
        not selected. Fewer than `n_select` rows are non-zero if the path ends before
        (too few columns that are neither constant nor collinear). Of columns that
        are proportional to each other, up to an origin, the first one is used.

    References
    ----------
    Tibshirani 1996, JRSS-B 58(1); Efron, Hastie, Johnstone and Tibshirani 2004,
    Annals of Statistics 32(2).
    """
    if moments is None:
        moments = compute_moments(activations, targets)
    usable = np.flatnonzero(moments.std > 0)
    coef = np.zeros((activations.shape[1], targets.shape[1]))
    if len(usable) == 0:
        return coef
    correlations = _compute_correlations(activations, usable, moments)
    # of columns that say the same, the first one stands for all
    distinct = ~np.triu(np.abs(correlations) > 1 - _SAME, 1).any(axis=0)
    usable, correlations = usable[distinct], correlations[np.ix_(distinct, distinct)]
    limit = min(len(usable), n_select)
    inner = moments.cross[usable] / (len(targets) * moments.std[usable, None])
    # each knot adds a neuron, except where one leaves: then go on a little further
    for n_knots in (limit + 1, 2 * limit + 8, 8 * limit + 64):
        paths = [_lasso_path(correlations, xy, n_knots) for xy in inner.T]
        alphas = np.unique(np.concatenate([alpha for alpha, _ in paths]))[::-1]
        # below the end of the shortest path nothing is known
        alphas = alphas[alphas >= max(alpha[-1] for alpha, _ in paths)]
        supports = [_find_support(alphas, *path) for path in paths]
        counts = np.logical_or.reduce(supports).sum(axis=0)
        if counts.max() >= limit:
            break
    at = np.flatnonzero(counts >= min(limit, counts.max()))[0]
    columns = [_interpolate_coef(alphas[at], *path) for path in paths]
    coef[usable] = np.column_stack(columns)
    return coef


def forward_selection(activations, targets, n_select, *, penalty=0.0, moments=None):
    r"""Add column after column to a ridge regression, always the one that helps most.

    The columns :math:`S` grow by the one with which

    .. math:: \min_w \lVert t - Z_S w \rVert^2 + \lambda \lVert w \rVert^2,

    with standardized columns :math:`Z`, falls most; of equals, by the first one. Of
    several targets (the classes) the sum falls. Without a penalty this is orthogonal
    least squares. A penalty spares few rows the columns that only explain what is left
    by chance: with :math:`\lambda` as large as the number of rows, what is explained
    already is taken off by half. It lets in columns that others explain together, too:
    leave out copies before (`find_distinct`).

    For one target, scikit-learn's `orthogonal_mp_gram` finds nearly the same columns in
    a Gram matrix with :math:`\lambda / n` more on its diagonal. Several classes have
    to share their columns here, which it does not offer.

    Returns
    -------
    selected : ndarray of int of shape (n_selected,)
        The columns, in the order in which they were added. Fewer than `n_select` if
        there are not as many that vary, or once the others explain nothing that is
        left.

    References
    ----------
    Chen, Billings and Luo 1989, International Journal of Control 50(5); Hoerl and
    Kennard 1970, Technometrics 12(1).
    """
    if moments is None:
        moments = compute_moments(activations, targets)
    usable = np.flatnonzero(moments.std > 0)
    total = targets.var(axis=0).sum()
    if len(usable) == 0 or total == 0:
        return usable[:0]
    n_rows = len(targets)
    gram = _compute_correlations(activations, usable, moments)
    inner = moments.cross[usable] / (n_rows * moments.std[usable, None])
    # columns, and what is left of them and of their covariance with the targets, once
    # the selected ones are accounted for: a Cholesky decomposition with pivots
    share = penalty / n_rows
    variance, left, factors = np.full(len(usable), 1 + share), inner.copy(), []
    selected = []
    for _ in range(min(n_select, len(usable))):
        gain = (left**2).sum(axis=1) / np.where(variance > _SAME, variance, np.inf)
        gain[selected] = 0.0
        best = int(np.argmax(np.round(gain / total, 9)))
        explained = _explain(gram, inner, selected)
        if gain[best] <= _SAME * total or explained > (1 - _SAME) * total:
            break
        row = gram[best] + share * (np.arange(len(usable)) == best)
        row = row - sum(factor[best] * factor for factor in factors)
        factor = row / np.sqrt(variance[best])
        left -= np.outer(factor, left[best] / np.sqrt(variance[best]))
        variance -= factor**2
        factors.append(factor)
        selected.append(best)
    return usable[selected]


def _explain(gram, inner, selected):
    """Return the sum of the variances that columns explain together."""
    if not selected:
        return 0.0
    some = gram[np.ix_(selected, selected)]
    coef = np.linalg.lstsq(some, inner[selected], rcond=_SAME)[0]
    return float((coef * inner[selected]).sum())


def _compute_correlations(activations, usable, moments):
    """Return Z'Z / n of the standardized usable columns."""
    n_samples, n_neurons = activations.shape
    X = activations if len(usable) == n_neurons else activations[:, usable]
    mean, std = moments.mean[usable], moments.std[usable]
    if sparse.issparse(X) and (np.abs(mean) <= 1e3 * std).all():
        X = X.astype(np.float64)
        gram = (X.T @ X).toarray() - n_samples * np.outer(mean, mean)
    else:
        gram = _compute_centered_gram(X, mean)
    scale = np.sqrt(np.diag(gram))  # of the same rounding, so that twins reach 1
    gram /= np.outer(scale, scale)
    np.fill_diagonal(gram, 1.0)
    return gram


def _compute_centered_gram(X, mean, *, block=4096):
    """Sum the products of deviations, which do not cancel as raw products would."""
    n_samples, n_neurons = X.shape
    gram = np.zeros((n_neurons, n_neurons))
    X = X.tocsr() if sparse.issparse(X) else X
    for start in range(0, n_samples, block):
        rows = X[start : start + block]
        rows = rows.toarray() if sparse.issparse(rows) else rows
        deviations = rows - mean.astype(X.dtype)
        gram += deviations.T @ deviations
    return gram


def _lasso_path(correlations, inner, n_knots):
    """Return the first knots (penalties, falling) and the coefficients at them."""
    alphas, coefs = _follow_lasso_path(correlations, inner, n_knots)
    if len(alphas) <= n_knots and alphas[-1] > _NO_PENALTY * alphas[0]:
        # columns of counts are often tied to the last digit; where rounding has the
        # penalty rise from one to the next, the path stops
        untied = 1 - _TILT * np.arange(len(inner)) / len(inner)
        alphas, coefs = _follow_lasso_path(correlations, inner * untied, n_knots)
    return alphas, coefs


def _follow_lasso_path(correlations, inner, n_knots):
    with warnings.catch_warnings():
        # collinear columns are left out by the algorithm, and by intent here
        warnings.simplefilter("ignore", ConvergenceWarning)
        alphas, _, coefs = lars_path_gram(
            Xy=inner.copy(),
            Gram=correlations,
            n_samples=1,  # inner and Gram are means, which its tolerances expect
            method="lasso",
            max_iter=n_knots,
            copy_Gram=True,
        )
    return alphas, coefs


def _find_support(alphas, knots, coefs):
    """Return which coefficients are non-zero at each penalty, columns by penalty."""
    return np.column_stack(
        [_interpolate_coef(alpha, knots, coefs) != 0 for alpha in alphas]
    )


def _interpolate_coef(alpha, knots, coefs):
    """Interpolate a path, which is linear between knots, at one penalty."""
    right = int(np.searchsorted(-knots, -alpha))
    if right == 0 or knots[right] == alpha:
        return coefs[:, right]
    share = (knots[right - 1] - alpha) / (knots[right - 1] - knots[right])
    return (1 - share) * coefs[:, right - 1] + share * coefs[:, right]
