"""Average marginal effects: what a hypothesis does to probabilities.

The effect of an annotation is the mean, over the rows, of the probability if it were 1
minus the probability if it were 0, all else as it is. The rows are taken as given.
"""

import numpy as np
from scipy.special import expit

from .._utils._validation import encode_one_hot
from ._firth import information_of, invert, probabilities
from ._robust_covariance import Influence, logit_influence, t_inference


def bounds_along_likelihood(fit, lower, upper):
    """Return all coefficients (h, 2, n_columns), each of the first h at its bounds.

    The others move so that the likelihood is as large as that allows, to first order.
    """
    covariance = fit.covariance
    h = len(lower)
    move = covariance[:h] / np.diag(covariance)[:h, None]
    distance = np.stack([lower, upper], axis=1) - fit.coef[:h, None]
    return fit.coef + move[:, None, :] * distance[:, :, None]


def binary_effects(X, fit, bounds, weights=None, paired=False):
    r"""Average marginal effects in a logit of two classes.

    .. math:: \mathrm{AME}_j = \frac1n \sum_i
              \bigl[\sigma(\eta_i^{a_j = 1}) - \sigma(\eta_i^{a_j = 0})\bigr]

    Standard errors are those of the delta method. Intervals are those of the
    coefficient, carried over: where probabilities are small, effects are skewed, and
    what the delta method calls an interval covers too seldom. So an effect's interval
    excludes zero if and only if its coefficient's does.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The design.
    fit : LinearFit
        Coefficients and covariance.
    bounds : ndarray of shape (h, 2, n_columns)
        All coefficients, with each of the first h at its lower and its upper bound.
    paired : bool, default=False
        Whether rows are differences within pairs, whose order means nothing. The
        effect is then that of having it where the other member lacks it, against
        lacking it where the other has it: the scale of a separation within pairs.

    Returns
    -------
    effects : dict of str to ndarray of shape (h,)
        "ame", "ame_se", "ame_lower" and "ame_upper".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._robust_covariance import LinearFit
    >>> from sklearn_hypo._inference._marginal_effects import binary_effects
    >>> X = np.column_stack([[0, 1, 0, 1], np.ones(4)])
    >>> fit = LinearFit(np.array([2.0, -1.0]), np.eye(2) / 100, None, None)
    >>> bounds = np.array([[[1.8, -0.9], [2.2, -1.1]]])
    >>> effects = binary_effects(X, fit, bounds)
    >>> effects["ame"].round(3)  # from a probability of 0.269 to one of 0.731
    array([0.462])
    """
    if paired:
        X = np.vstack([X, -X])
        weights = None if weights is None else np.concatenate([weights, weights])
    share = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    other = -1.0 if paired else 0.0  # the other member has it, or nobody does
    h = len(bounds)
    effect, se, ends = np.empty(h), np.empty(h), np.empty((h, 2))
    for j in range(h):
        one, zero, gradient = _binary_effect(X, fit.coef, j, share, other)
        effect[j] = share @ (one - zero)
        se[j] = np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0))
        within = np.clip(bounds[j], -500, 500)  # where the effect has levelled off
        for end, coef in enumerate(within):
            one, zero, _ = _binary_effect(X, coef, j, share, other)
            ends[j, end] = share @ (one - zero)
    ends[np.isnan(se)] = np.nan
    return {
        "ame": effect,
        "ame_se": se,
        "ame_lower": ends[:, 0],
        "ame_upper": ends[:, 1],
    }


def _binary_effect(X, coef, j, share, other):
    """Probabilities with and without column j, and the gradient of its effect."""
    without = X @ coef - X[:, j] * coef[j]
    one, zero = expit(without + coef[j]), expit(without + other * coef[j])
    slope_one, slope_zero = share * one * (1 - one), share * zero * (1 - zero)
    gradient = X.T @ (slope_one - slope_zero)
    gradient[j] = slope_one.sum() - other * slope_zero.sum()
    return one, zero, gradient


def effect_influence(X, y, weights, units=None):
    r"""Average marginal effects of the binary columns of a logit.

    .. math:: \mathrm{AME}_j = \sum_i w_i
              \bigl[\sigma(\eta_i^{a_j = 1}) - \sigma(\eta_i^{a_j = 0})\bigr]
              \Big/ \sum_i w_i

    Arguments are those of `logit_influence`; None where it is None. There is one
    effect per column of X: of other than binary columns it means nothing.

    Notes
    -----
    Delta method. A unit counts twice: it moves the coefficients, and it is among the
    rows over which the effect is averaged.

    """
    logit = logit_influence(X, y, weights, units)
    if logit is None:
        return None
    share = weights / weights.sum()
    effect, change, load = [], [], []
    for j in range(X.shape[1]):
        one, zero, gradient = _binary_effect(X, logit.estimate, j, share, 0.0)
        effect.append(share @ (one - zero))
        averaged = share * (one - zero - effect[-1])
        if units is not None:
            averaged = np.bincount(units, weights=averaged)
        change.append(logit.change @ gradient + averaged)
        load.append(logit.load @ gradient)
    change, load = np.column_stack(change), np.column_stack(load)
    return Influence(np.array(effect), change, load, units)


def class_effects(X, codes, B, h, design):
    """Average marginal effects of h annotations on each of several classes.

    B holds the coefficients of all classes but the first, by row. Returns "ame",
    "ame_se", "ame_lower", "ame_upper" and "ame_p", of shape (h, n_classes).
    """
    weights = np.ones(len(X)) if design.weights is None else design.weights
    covariance, df = class_covariance(X, codes, B, design)
    share, k = weights / weights.sum(), len(B) + 1
    effect, se = np.empty((h, k)), np.empty((h, k))
    for j in range(h):
        changed = X.copy()
        gradients = []
        for value in (1.0, 0.0):
            changed[:, j] = value
            P = probabilities(changed, B.ravel(), len(B))
            gradients.append(_class_gradient(changed, P, share))
            effect[j] = share @ P if value else effect[j] - share @ P
        gradient = gradients[0] - gradients[1]
        se[j] = np.sqrt(np.einsum("ci,ij,cj->c", gradient, covariance, gradient))
    lower, upper, p = t_inference(effect, se, df)
    return {
        "ame": effect,
        "ame_se": se,
        "ame_lower": lower,
        "ame_upper": upper,
        "ame_p": p,
    }


def _class_gradient(X, P, share):
    """Derivatives of the mean probability of each class by all coefficients."""
    k = P.shape[1]
    rows = []
    for c in range(k):
        parts = [X.T @ (share * P[:, c] * ((c == d) - P[:, d])) for d in range(1, k)]
        rows.append(np.concatenate(parts))
    return np.array(rows)


def class_covariance(X, codes, B, design):
    """Covariance of the coefficients, class by class, and its degrees of freedom.

    That of the model, or, with weights or clusters, robust.
    """
    weights = np.ones(len(X)) if design.weights is None else design.weights
    q, p = B.shape
    P = probabilities(X, B.ravel(), q)
    inverse = invert(information_of(X, P, weights))
    if design.clusters is None and design.weights is None:
        return inverse, np.inf
    residual = (encode_one_hot(codes, q + 1) - P)[:, 1:] * weights[:, None]
    scores = np.hstack([X * residual[:, [c]] for c in range(q)])
    df = np.inf
    if design.clusters is not None:
        clusters = np.unique(design.clusters, return_inverse=True)[1]
        summed = np.zeros((clusters.max() + 1, q * p))
        np.add.at(summed, clusters, scores)
        df = len(summed) - 1
        scores = summed * np.sqrt(len(summed) / df)
    return inverse @ (scores.T @ scores) @ inverse, df
