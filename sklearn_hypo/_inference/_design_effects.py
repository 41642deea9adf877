"""How much less rows tell about classes than as many independent, equal ones would."""

import numpy as np
from scipy import linalg, stats

from ._firth import (
    JEFFREYS,
    collapse_patterns,
    fit_logit,
    likelihood_ratio,
    probabilities,
)


def design_effects(X, codes, P, columns, design):
    r"""Variance of the score of each column, against that of independent rows.

    With the column :math:`\tilde a` cleared of the others, standard deviations
    :math:`s_i` of the class indicator, weights :math:`w_i` and the intraclass
    correlation :math:`\rho` of the standardized residuals,

    .. math:: \frac{\sum_i v_i^2 + \rho \sum_g \bigl[(\sum_{i \in g} v_i)^2
              - \sum_{i \in g} v_i^2\bigr]}{\sum_i w_i \tilde a_i^2 s_i^2},
              \qquad v_i = w_i \tilde a_i s_i.

    Of this and the same with squared residuals in the place of variances the larger
    one is taken. The first is stable where a class hardly ever meets an annotation:
    there residuals are all alike, and seem to vary much less than they do.

    Differences within pairs are turned so that the cleared column is positive: the
    order of the members means nothing. Those that do not differ in it have no part in
    the correlation. P are the fitted probabilities of all classes, by row.

    Returns
    -------
    effects : ndarray of shape (n_asked,)
        1 without weights and clusters where the model holds; of several classes the
        largest.
    df : ndarray of shape (n_asked,)
        Clusters (rows) that the score rests on, less one.

    References
    ----------
    .. [1] B. R. Moulton (1986). "Random group effects and the precision of regression
       estimates". Journal of Econometrics 32.
    .. [2] J. N. K. Rao, A. J. Scott (1984). "On chi-squared tests for multiway
       contingency tables with cell proportions estimated from survey data". Annals of
       Statistics 12.
    """
    n, k = P.shape
    weights = np.ones(n) if design.weights is None else design.weights
    clusters = np.arange(n) if design.clusters is None else design.clusters
    clusters = np.unique(clusters, return_inverse=True)[1]
    classes = [1] if k == 2 else range(k)
    effects, df = np.ones(len(columns)), np.full(len(columns), np.inf)
    for position, j in enumerate(columns):
        others = np.delete(X, j, axis=1)
        found, contributed = [], np.zeros(clusters.max() + 1)
        for c in classes:
            spread = np.maximum(P[:, c] * (1 - P[:, c]), 1e-12)
            cleared = _regress_out(X[:, j], others, weights * spread)
            model = weights @ (cleared**2 * spread)
            residual = (codes == c) - P[:, c]
            turn = np.ones(n)
            if design.paired:
                turn = np.sign(np.where(abs(cleared) > 1e-9, cleared, 0))
            differs = turn != 0
            standardized = (turn * residual / np.sqrt(spread))[differs]
            rho = _intraclass(standardized, clusters[differs])
            sizes = weights * turn * cleared * np.sqrt(spread)
            expected = _variance(sizes, clusters, rho)
            seen = _variance(weights * cleared * residual, clusters, 1.0)
            found.append(max(expected, seen) / model)
            contributed += np.bincount(clusters, weights**2 * cleared**2 * spread)
        effects[position] = max(found)
        df[position] = contributed.sum() ** 2 / np.sum(contributed**2) - 1
    return effects, df


def _regress_out(a, others, weights):
    """What the weighted regression on the other columns leaves of a column."""
    root = np.sqrt(weights)
    return a - others @ linalg.lstsq(others * root[:, None], a * root)[0]


def _intraclass(residuals, clusters):
    """Intraclass correlation of standardized residuals, between 0 and 1."""
    sums = np.bincount(clusters, residuals)
    squares = np.bincount(clusters, residuals**2)
    sizes = np.bincount(clusters)
    pairs = np.sum(sizes * (sizes - 1))
    if not pairs or not squares.sum():
        return 0.0
    rho = np.sum(sums**2 - squares) / pairs / (squares.sum() / sizes.sum())
    return float(np.clip(rho, 0, 1))


def _variance(values, clusters, rho):
    """Variance of a sum of correlated terms of known size."""
    squares = np.sum(values**2)
    between = np.sum(np.bincount(clusters, values) ** 2) - squares
    return squares + rho * max(between, 0.0)


def column_tests(rows, penalized, X, codes, columns, design, *, robust):
    """Test columns of a logit by penalized likelihood ratios.

    With weights or clusters the statistic is divided by the design effect and compared
    with an F distribution. `rows` are those of X counted, `penalized` their fit with
    Firth's penalty.

    Returns
    -------
    p : ndarray of shape (n_asked,)
        NaN where a restricted fit did not converge.
    effects, df : ndarrays of shape (n_asked,)
        From `design_effects`; 1 and infinity unless robust.
    """
    q = rows.n_coefs
    ratio = np.array([likelihood_ratio(rows, penalized, j) for j in columns])
    if not robust:
        one = np.ones(len(columns))
        return stats.chi2.sf(ratio, q), one, np.full(len(columns), np.inf)
    P = probabilities(X, penalized.coef, q)
    effects, df = design_effects(X, codes, P, columns, design)
    usable = np.maximum(df, 1e-3)
    p = stats.f.sf(ratio / (q * effects), q, usable)
    return np.where(df > 0, p, np.nan), effects, df


def independence_test(holds, codes, design):
    """Test an annotation and classes for independence, with weights or clusters.

    Returns p-value, design effect and degrees of freedom; NaN for a single class.
    """
    present, codes = np.unique(codes, return_inverse=True)
    if len(present) < 2:
        return np.nan, np.nan, np.nan
    X = np.column_stack([holds, np.ones(len(holds))]).astype(float)
    rows = collapse_patterns(X, codes, design.weights)
    fit = fit_logit(rows, penalty=JEFFREYS)
    found = column_tests(rows, fit, X, codes, [0], design, robust=True)
    return tuple(float(each[0]) for each in found)


def design_effect_of_mean(values, design):
    """Return design effect and degrees of freedom of the mean of -1s and 1s.

    Both are equally likely by hypothesis; against independent values of equal weight.
    """
    n = len(values)
    weights = np.ones(n) if design.weights is None else design.weights
    weights = weights / weights.mean()
    clusters = np.arange(n) if design.clusters is None else design.clusters
    clusters = np.unique(clusters, return_inverse=True)[1]
    residual = values - np.average(values, weights=weights)
    rho = max(_intraclass(residual, clusters), _intraclass(values, clusters))
    expected = _variance(weights, clusters, rho) / n
    spread = np.average(residual**2, weights=weights)
    seen = _variance(weights * residual, clusters, 1.0) / n / max(spread, 1e-12)
    contributed = np.bincount(clusters, weights**2)
    df = contributed.sum() ** 2 / np.sum(contributed**2) - 1
    return max(expected, seen), df
