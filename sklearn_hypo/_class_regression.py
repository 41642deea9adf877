"""Logits of two classes and of more, finite whatever the annotations separate."""

import warnings

import numpy as np
from scipy import linalg, stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ._covariance import judged, t_inference
from ._firth import (
    JEFFREYS,
    counted,
    fit_logit,
    infinite_coefficients,
    likelihood_ratio_p,
    profile_bounds,
)
from ._marginal_effects import binary_effects, class_effects, moved_along

# A penalty that changes nothing but the coefficients that would be infinite
_WEAK = 1e5


# Two classes ----------------------------------------------------------------------


def fit_binary(problem, y, cov_type, columns, remarks):
    """Fit a logit of two classes on all columns.

    By maximum likelihood, or, where some combination of columns separates the classes
    so that a coefficient would be infinite, with Firth's penalty (Jeffreys' prior).
    p-values are those of penalized likelihood-ratio tests, which hold in small
    samples and have power for perfect predictors, as Wald's do not; with clusters,
    weights or HC3, of score tests from clustered (or row-wise) scores.

    Parameters
    ----------
    problem : Problem
        Columns, weights and clusters.
    y : ndarray of shape (n_rows,)
        0 and 1; for pairs -1 and 1, which member won.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}
        Kind of the standard errors.
    columns : list of int
        Numbers of the hypotheses, for remarks.
    remarks : Remarks
        Receives what separates the classes.

    Returns
    -------
    found : dict
        "method", "cov_type", "metrics" and "estimates" (arrays over all columns).

    References
    ----------
    .. [1] D. Firth (1993). "Bias reduction of maximum likelihood estimates".
       Biometrika 80.
    .. [2] G. Heinze, M. Schemper (2002). "A solution to the problem of separation in
       logistic regression". Statistics in Medicine 21.
    """
    X, y = _oriented(problem, y)
    facts, h = problem.facts, len(columns)
    rows = counted(X, y, facts.weights)
    fit = fit_logit(rows)
    infinite = infinite_coefficients(rows, fit)
    for position in np.flatnonzero(infinite[:h]):
        remarks.add(columns[position], "separates", f"{len(y)} rows")
    penalized = fit_logit(rows, penalty=JEFFREYS)
    firth = bool(infinite.any())
    fit = penalized if firth else fit
    if not (fit.converged and penalized.converged):
        remarks.say(
            f"The joint logit of {h} hypotheses on {len(y)} rows did not converge. Its "
            "coefficients and p-values are NaN."
        )
        return {"method": "", "cov_type": "", "estimates": {}, "metrics": {}}
    probability = expit(X @ fit.coef)
    robust = (
        facts.clusters is not None or facts.weights is not None or cov_type[:2] == "HC"
    )
    solved = _working_fit(X, y, fit.coef, probability, facts, robust)
    df = solved.df if robust else np.full(X.shape[1], np.inf)
    lower, upper, p = t_inference(solved.coef, solved.se, df)
    bounds = None
    if robust:
        p[:h] = [_score_p(X, y, j, facts) for j in range(h)]
    else:
        p[:h] = [likelihood_ratio_p(rows, penalized, j) for j in range(h)]
        if firth:  # Wald's intervals are too short around Firth's estimates
            bounds = np.array([profile_bounds(rows, penalized, j) for j in range(h)])
            lower[:h], upper[:h] = np.einsum("jbj->bj", bounds[..., :h])
    estimates = {
        "coef": solved.coef,
        "coef_se": solved.se,
        "coef_lower": lower,
        "coef_upper": upper,
        "coef_p": p,
        "coef_df": df,
        "coef_std": solved.coef * _spread_of(X, facts.weights, problem.paired),
    }
    with np.errstate(over="ignore"):
        for name, values in (("", solved.coef), ("_lower", lower), ("_upper", upper)):
            estimates[f"odds_ratio{name}"] = np.exp(values)
    if bounds is None:
        bounds = moved_along(fit, lower[:h], upper[:h])
    estimates |= binary_effects(X, solved, bounds, facts.weights, problem.paired)
    return {
        "method": "Firth logit" if firth else "logit",
        "cov_type": _kind(facts, robust),
        "estimates": estimates,
        "metrics": _binary_metrics(y, probability, facts.weights, problem.paired),
        "fitted": (problem.design @ fit.coef)[:, None],
    }


def _oriented(problem, y):
    """The design and 0/1; every other pair is turned around.

    Without a constant the order of the members means nothing, but with the winner
    always first there would be one class only.
    """
    X = problem.design
    if not problem.paired:
        return X, y.astype(int)
    turn = np.where(np.arange(len(y)) % 2, -1.0, 1.0)
    return X * turn[:, None], (y * turn > 0).astype(int)


def _spread_of(X, weights, paired):
    """Standard deviations of the columns; of differences, about zero."""
    mean = 0.0 if paired else np.average(X, axis=0, weights=weights)
    return np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights))


def _kind(facts, robust):
    if facts.clusters is not None:
        return "cluster"
    return "HC3" if robust else "nonrobust"


def _working_fit(X, y, coef, probability, facts, robust):
    """Judge the coefficients by the linear model that Newton's last step solves."""
    weights = np.ones(len(y)) if facts.weights is None else facts.weights
    spread = np.maximum(probability * (1 - probability), 1e-12)
    Q, R = linalg.qr(X * np.sqrt(weights * spread)[:, None], mode="economic")
    T = linalg.solve_triangular(R, np.eye(len(R)), trans="T")
    residuals = np.sqrt(weights / spread) * (y - probability)
    solved = judged(coef, residuals, Q, T, clusters=facts.clusters)
    if robust:
        return solved
    return type(solved)(coef, T.T @ T, np.full(len(coef), np.inf), residuals)


def _score_p(X, y, j, facts):
    """Robust score test of one column: the model is fitted without it.

    The scores are those of the column cleared of the others, summed by cluster. They
    stay bounded whatever the column separates.
    """
    others = np.delete(X, j, axis=1)
    weights = np.ones(len(y)) if facts.weights is None else facts.weights
    fit = fit_logit(counted(others, y, facts.weights), penalty=JEFFREYS)
    probability = expit(others @ fit.coef)
    spread = weights * probability * (1 - probability)
    root = np.sqrt(spread)
    cleared = X[:, j] - others @ linalg.lstsq(others * root[:, None], X[:, j] * root)[0]
    scores = cleared * weights * (y - probability)
    return score_test(scores[:, None], cleared**2 * spread, facts.clusters)


def score_test(scores, information, clusters=None):
    r"""p-value of scores having mean zero, from sums over clusters.

    With the sums :math:`u_g` of a q-dimensional score, the statistic
    :math:`s' (\sum_g u_g u_g')^{-1} s` of :math:`s = \sum_g u_g` is compared with
    Hotelling's distribution. Its degrees of freedom count the clusters by what they
    contribute to the information, :math:`(\sum_g i_g)^2 / \sum_g i_g^2 - 1`.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, q)
        One score per row.
    information : ndarray of shape (n_rows,)
        What each row contributes to the variance of the score under the model.
    clusters : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row.

    Returns
    -------
    p : float
        NaN where there are too few clusters.
    """
    if clusters is not None:
        codes = np.unique(clusters, return_inverse=True)[1]
        information = np.bincount(codes, information)
        scores = np.column_stack([np.bincount(codes, column) for column in scores.T])
    q = scores.shape[1]
    total = scores.sum(axis=0)
    df = information.sum() ** 2 / np.sum(information**2) - 1
    if df <= q - 1 or not np.isfinite(df):
        return np.nan
    statistic = total @ linalg.pinvh(scores.T @ scores) @ total
    return float(stats.f.sf(statistic * (df - q + 1) / (df * q), q, df - q + 1))


def _binary_metrics(y, probability, weights, paired):
    """ROC AUC (pairs ranked rightly) and McFadden's pseudo R², on the fitted rows."""
    if paired:  # a coin decides about a pair with nothing to tell its members apart
        right = (1 + np.sign(y - 0.5) * np.sign(probability - 0.5)) / 2
        area, chance = np.average(right, weights=weights), 0.5
    else:
        area = roc_auc_score(y, probability, sample_weight=weights)
        chance = np.average(y, weights=weights)
    null = _log_likelihood(y, np.full(len(y), chance), weights)
    pseudo = 1 - _log_likelihood(y, probability, weights) / null
    return {"roc_auc": area, "pseudo_r2": pseudo}


def _log_likelihood(y, probability, weights):
    of_class = np.where(y == 1, probability, 1 - probability)
    weights = np.ones(len(y)) if weights is None else weights
    return weights @ np.log(np.maximum(of_class, 1e-300))


# More classes ---------------------------------------------------------------------


def fit_multinomial(problem, codes, present, columns, remarks):
    """Fit a multinomial logit, and test each column for all classes at once.

    Where annotations separate the classes, a weak ridge penalty keeps the coefficients
    finite. Each hypothesis is tested by the scores of its coefficients for all
    classes, which need no estimate of them.

    Parameters
    ----------
    problem : Problem
        Columns, weights and clusters.
    codes : ndarray of int of shape (n_rows,)
        Classes from 0 to n_present - 1, all present.
    present : ndarray of int of shape (n_present,)
        Their codes among all known classes.
    columns : list of int
        Numbers of the hypotheses, for remarks.
    remarks : Remarks
        Receives what separates the classes.

    Returns
    -------
    found : dict
        "method", "cov_type", "metrics", "estimates" and "by_class".
    """
    X, facts, h = problem.design, problem.facts, len(columns)
    for position, a in enumerate(problem.annotations.T):
        cells = np.unique(np.column_stack([a, codes]), axis=0)
        if len(cells) < len(np.unique(a)) * len(present):
            remarks.add(columns[position], "empty_cell", f"{len(codes)} rows")
    model = _fit_classes(X, codes, facts.weights)
    probability = _probabilities(model, X)
    n_tested = h + problem.has_constant + problem.n_covariates
    p = np.full(X.shape[1], np.nan)
    p[:n_tested] = [_class_score_p(X, codes, j, facts) for j in range(n_tested)]
    effects = class_effects(X, codes, model.coef_[1:] - model.coef_[0], h, facts)
    null = _share(codes, facts.weights)[codes]
    weights = np.ones(len(codes)) if facts.weights is None else facts.weights
    own = probability[np.arange(len(codes)), codes]
    metrics = {
        "roc_auc": roc_auc_score(
            codes, probability, multi_class="ovr", average="macro"
        ),
        "pseudo_r2": 1 - (weights @ np.log(own)) / (weights @ np.log(null)),
    }
    robust = facts.clusters is not None or facts.weights is not None
    return {
        "method": "multinomial logit",
        "cov_type": _kind(facts, robust),
        "estimates": {"coef_p": p},
        "fitted": probability,
        "metrics": metrics,
        "by_class": {"classes": present, **effects},
    }


def _share(codes, weights):
    counts = np.bincount(codes, weights)
    return counts / counts.sum()


def _fit_classes(X, codes, weights):
    model = LogisticRegression(
        C=_WEAK, fit_intercept=False, solver="newton-cholesky", tol=1e-8, max_iter=200
    )
    with warnings.catch_warnings():
        # a penalty so weak leaves a flat direction where columns separate
        warnings.simplefilter("ignore")
        return model.fit(X, codes, sample_weight=weights)


def _probabilities(model, X):
    return np.clip(model.predict_proba(X), 1e-12, 1.0)


def _class_score_p(X, codes, j, facts):
    """Score test of one column for all classes but the first."""
    others = np.delete(X, j, axis=1)
    weights = np.ones(len(codes)) if facts.weights is None else facts.weights
    P = _probabilities(_fit_classes(others, codes, facts.weights), others)
    k = P.shape[1]
    indicator = codes[:, None] == np.arange(1, k)
    residual = (indicator - P[:, 1:]) * weights[:, None]
    cleared = _cleared_scores(X[:, j], others, P[:, 1:], residual, weights)
    spread = weights * (1 - (P**2).sum(axis=1))
    root = np.sqrt(spread)
    alone = X[:, j] - others @ linalg.lstsq(others * root[:, None], X[:, j] * root)[0]
    return score_test(cleared, alone**2 * spread, facts.clusters)


def _cleared_scores(a, others, P, residual, weights):
    """Scores of a column for each class, cleared of those of the other columns."""
    q, p = P.shape[1], others.shape[1]
    own = np.empty((q, q * p))
    block = np.empty((q * p, q * p))
    for c in range(q):
        for d in range(q):
            spread = weights * P[:, c] * ((c == d) - P[:, d])
            own[c, d * p : (d + 1) * p] = (a * spread) @ others
            block[c * p : (c + 1) * p, d * p : (d + 1) * p] = (
                others * spread[:, None]
            ).T @ others
    weight = linalg.lstsq(block, own.T)[0].T.reshape(q, q, p)
    scores = a[:, None] * residual
    for c in range(q):
        for d in range(q):
            scores[:, c] -= (others @ weight[c, d]) * residual[:, d]
    return scores
