"""Average marginal effects: what a hypothesis does to probabilities.

The effect of an annotation is the mean, over the rows, of the probability if it were 1
minus the probability if it were 0, all else as it is. Standard errors are those of the
delta method; the rows are taken as given.
"""

import numpy as np
from scipy import linalg
from scipy.special import expit

from ._covariance import t_inference


def binary_effects(X, fit, df, h, weights=None, paired=False):
    r"""Average marginal effects in a logit of two classes.

    .. math:: \mathrm{AME}_j = \frac1n \sum_i
              \bigl[\sigma(\eta_i^{a_j = 1}) - \sigma(\eta_i^{a_j = 0})\bigr]

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The design.
    fit : LinearFit
        Coefficients and covariance.
    df : ndarray of shape (n_columns,)
        Degrees of freedom of the t distribution.
    h : int
        The first so many columns are annotations.
    weights : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.
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
    >>> from sklearn_hypo._covariance import LinearFit
    >>> from sklearn_hypo._marginal_effects import binary_effects
    >>> X = np.column_stack([[0, 1, 0, 1], np.ones(4)])
    >>> fit = LinearFit(np.array([2.0, -1.0]), np.eye(2) / 100, None, None)
    >>> effects = binary_effects(X, fit, np.full(2, np.inf), 1)
    >>> effects["ame"].round(3)  # from a probability of 0.269 to one of 0.731
    array([0.462])
    """
    if paired:
        X = np.vstack([X, -X])
        weights = None if weights is None else np.concatenate([weights, weights])
    share = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
    eta = X @ fit.coef
    effect, se = np.empty(h), np.empty(h)
    other = -1.0 if paired else 0.0  # the other member has it, or nobody does
    for j in range(h):
        without = eta - X[:, j] * fit.coef[j]
        one = expit(without + fit.coef[j])
        zero = expit(without + other * fit.coef[j])
        effect[j] = share @ (one - zero)
        slope_one, slope_zero = share * one * (1 - one), share * zero * (1 - zero)
        gradient = X.T @ (slope_one - slope_zero)
        gradient[j] = slope_one.sum() - other * slope_zero.sum()
        se[j] = np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0))
    lower, upper, _ = t_inference(effect, se, df[:h])
    return {"ame": effect, "ame_se": se, "ame_lower": lower, "ame_upper": upper}


def _softmax(eta):
    eta = np.column_stack([np.zeros(len(eta)), eta])
    eta = np.exp(eta - eta.max(axis=1, keepdims=True))
    return eta / eta.sum(axis=1, keepdims=True)


def class_effects(X, codes, B, h, facts):
    """Average marginal effects on the probability of each of several classes.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The design.
    codes : ndarray of int of shape (n_rows,)
        Classes from 0 on.
    B : ndarray of shape (n_classes - 1, n_columns)
        Coefficients of all classes but the first.
    h : int
        The first so many columns are annotations.
    facts : RowFacts
        Weights and clusters.

    Returns
    -------
    effects : dict of str to ndarray of shape (h, n_classes)
        "ame", "ame_se", "ame_lower", "ame_upper" and "ame_p".
    """
    weights = np.ones(len(X)) if facts.weights is None else facts.weights
    covariance, df = _class_covariance(X, codes, B, facts, weights)
    share, eta, k = weights / weights.sum(), X @ B.T, len(B) + 1
    effect, se = np.empty((h, k)), np.empty((h, k))
    for j in range(h):
        changed = X.copy()
        without = eta - X[:, [j]] * B[:, j]
        gradients = []
        for value in (1.0, 0.0):
            changed[:, j] = value
            P = _softmax(without + value * B[:, j])
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


def _class_covariance(X, codes, B, facts, weights):
    """Covariance of the coefficients: of the model, or clustered."""
    P = _softmax(X @ B.T)[:, 1:]
    q, p = B.shape
    information = np.empty((q * p, q * p))
    for c in range(q):
        for d in range(q):
            spread = weights * P[:, c] * ((c == d) - P[:, d])
            block = (X * spread[:, None]).T @ X
            information[c * p : (c + 1) * p, d * p : (d + 1) * p] = block
    inverse = linalg.pinvh(information)
    if facts.clusters is None and facts.weights is None:
        return inverse, np.inf
    residual = ((codes[:, None] == np.arange(1, q + 1)) - P) * weights[:, None]
    scores = np.hstack([X * residual[:, [c]] for c in range(q)])
    df = np.inf
    if facts.clusters is not None:
        clusters = np.unique(facts.clusters, return_inverse=True)[1]
        summed = np.zeros((clusters.max() + 1, q * p))
        np.add.at(summed, clusters, scores)
        df = len(summed) - 1
        scores = summed * np.sqrt(len(summed) / df)
    return inverse @ (scores.T @ scores) @ inverse, df
