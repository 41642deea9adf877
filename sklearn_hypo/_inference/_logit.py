"""Logits of two classes and of more, finite whatever the annotations separate."""

import logging

import numpy as np
from scipy import special, stats
from sklearn.metrics import roc_auc_score

from .._utils._printable import pluralize
from ._cluster_classes import (
    find_cluster_classes,
    permute_cluster_residuals,
    sum_by_cluster,
)
from ._design_effects import column_tests
from ._firth import (
    JEFFREYS,
    collapse_patterns,
    fit_logit,
    infinite_coefficients,
    probabilities,
    profile_bounds,
)
from ._marginal_effects import (
    binary_effects,
    bounds_along_likelihood,
    class_covariance,
    class_effects,
)
from ._normal_family import draw_estimates
from ._resampling import concordance_scores
from ._robust_covariance import (
    LinearFit,
    infer_coefficients,
    orthonormalize,
    t_inference,
)
from ._step_down import align_interval

logger = logging.getLogger("sklearn_hypo")

# Linear predictors beyond this: some class is all but ruled out somewhere
_FAR = 12.0


# Two classes ----------------------------------------------------------------------


def fit_binary(problem, y, cov_type, columns, notes):
    """Fit a logit of two classes (for pairs -1 and 1, which member won).

    By maximum likelihood, or, where some combination of columns separates the classes
    so that a coefficient would be infinite, with Firth's penalty (Jeffreys' prior).
    p-values are those of penalized likelihood-ratio tests, which hold in small
    samples and have power for perfect predictors, as Wald's do not, and intervals hold
    whatever these tests do not reject. With clusters, weights or HC3 the statistics
    are divided by their design effects, and intervals of finite maxima are Wald's.

    Returns
    -------
    found : dict
        Fields of `JointFit`; "estimates" are arrays over all columns.

    Sources are those of `fit_logit`.
    """
    X, y = _turn_pairs(problem, y)
    design, h = problem.design, len(columns)
    rows = collapse_patterns(X, y, design.weights)
    fit = fit_logit(rows)
    infinite = infinite_coefficients(rows, fit)
    for position in np.flatnonzero(infinite[:h]):
        notes.add(columns[position], "separates", f"{len(y)} rows")
    penalized = fit_logit(rows, penalty=JEFFREYS)
    firth = bool(infinite.any())
    fit = penalized if firth else fit
    if not (fit.converged and penalized.converged):
        return _note_no_convergence(h, len(y), notes)
    P = probabilities(X, fit.coef, 1)
    robust = design.is_robust or cov_type[:2] == "HC"
    solved = _working_fit(X, y, fit.coef, P[:, 1], design, robust, cov_type)
    ratio_p, effects, f_df = column_tests(
        rows, penalized, X, y, range(h), design, robust=robust
    )
    se, df = solved.se, solved.df.copy()
    if robust:  # squared residuals alone say too little where a class is rare
        of_model = np.sqrt(np.diag(fit.covariance)[:h] * effects)
        se[:h] = np.fmax(se[:h], of_model)
        df[:h] = np.fmin(df[:h], np.maximum(f_df, 1e-3))
    lower, upper, p = t_inference(solved.coef, se, df)
    p[:h] = ratio_p

    def find_bounds(level):
        """All coefficients at the ends of intervals of uncorrected levels, (h, 2)."""
        if robust and not firth:
            margin = stats.t.isf(level / 2, df[:h]) * se[:h]
            coef = solved.coef[:h]
            return bounds_along_likelihood(fit, coef - margin, coef + margin)
        t = stats.t.isf(np.broadcast_to(level / 2, h), np.maximum(f_df, 1e-3))
        targets = np.sqrt(effects) * t
        ends = [profile_bounds(rows, penalized, j, target=targets[j]) for j in range(h)]
        return np.array(ends)

    bounds = find_bounds(0.05)
    lower[:h], upper[:h] = align_interval(*_read_ends(bounds), ratio_p <= 0.05)
    own = np.arange(h)
    bounds[own, 0, own], bounds[own, 1, own] = lower[:h], upper[:h]
    estimates = {
        "coef": solved.coef,
        "coef_se": se,
        "coef_lower": lower,
        "coef_upper": upper,
        "coef_p": p,
        "coef_df": df,
        "coef_std": solved.coef * _sd_of_columns(X, design),
    }
    with np.errstate(over="ignore"):
        for name, values in (("", solved.coef), ("_lower", lower), ("_upper", upper)):
            estimates[f"odds_ratio{name}"] = np.exp(values)
    estimates |= binary_effects(X, solved, bounds, design.weights, design.paired)
    covariance = solved.covariance[:h, :h].reshape(h, 1, h, 1)
    return {
        "null": _make_null(problem, y, p[:h], covariance),
        "find_interval": lambda level: _read_ends(find_bounds(level)),
        "method": "Firth logit" if firth else "logit",
        "cov_type": _name_covariance(design, robust, cov_type),
        "estimates": estimates,
        **_measure_fit(problem, X, y, fit.coef, P, JEFFREYS if firth else 0.0),
    }


def _read_ends(bounds):
    """Lower and upper end of each coefficient's own interval."""
    own = np.arange(len(bounds))
    return bounds[own, 0, own], bounds[own, 1, own]


def _make_null(problem, codes, p, covariance):
    """Null distribution of the family: permuted clusters, else normal estimates.

    Where each cluster has one class, likelihood ratios over a design effect do not
    hold for few clusters of a class.
    """
    design, rng = problem.design, np.random.default_rng(0)
    clusters, null = design.clusters, None
    if clusters is not None and not design.paired:
        own = find_cluster_classes(codes, clusters)
        if own is not None:
            w = np.ones(len(codes)) if design.weights is None else design.weights
            sizes = sum_by_cluster(w[:, None], clusters)
            means = sum_by_cluster(problem.regressors * w[:, None], clusters) / sizes
            sizes = sizes[:, 0] / sizes.mean()
            null = permute_cluster_residuals(means, len(p), own, sizes, rng)
    return draw_estimates(p, covariance, rng) if null is None else null


def _note_no_convergence(h, n_rows, notes):
    notes.add_general(
        f"The joint logit of {pluralize(h, 'hypothesis')} on {n_rows} rows did not "
        "converge. Its coefficients and p-values are NaN."
    )
    return {"estimates": {}, "metrics": {}}


def _turn_pairs(problem, y):
    """The design and 0/1; every other pair is turned around.

    Without a constant the order of the members means nothing, but with the winner
    always first there would be one class only.
    """
    X = problem.regressors
    if not problem.design.paired:
        return X, y.astype(int)
    turn = np.where(np.arange(len(y)) % 2, -1.0, 1.0)
    return X * turn[:, None], (y * turn > 0).astype(int)


def _sd_of_columns(X, design):
    """Standard deviations of the columns; of differences, about zero."""
    mean = 0.0 if design.paired else np.average(X, axis=0, weights=design.weights)
    return np.sqrt(np.average((X - mean) ** 2, axis=0, weights=design.weights))


def _name_covariance(design, robust, cov_type):
    if design.clusters is not None:
        return "cluster"
    if not robust:
        return "nonrobust"
    return cov_type if cov_type[:2] == "HC" else "HC3"


def _working_fit(X, y, coef, probability, design, robust, cov_type):
    """Judge the coefficients by the linear model that Newton's last step solves."""
    weights = np.ones(len(y)) if design.weights is None else design.weights
    spread = np.maximum(probability * (1 - probability), 1e-12)
    Q, T = orthonormalize(X * np.sqrt(weights * spread)[:, None])
    residuals = np.sqrt(weights / spread) * (y - probability)
    kind = cov_type if cov_type == "HC2" else "HC3"
    solved = infer_coefficients(
        coef, residuals, Q, T, cov_type=kind, clusters=design.clusters
    )
    if robust:
        return solved
    return LinearFit(coef, T.T @ T, np.full(len(coef), np.inf), residuals)


# More classes ---------------------------------------------------------------------


def fit_multinomial(problem, codes, present, cov_type, columns, notes):
    """Fit a multinomial logit, and test each column for all classes at once.

    As `fit_binary`; `codes` number the classes that are present. A test is of a column
    having no effect on any class.
    """
    X, design, h = problem.regressors, problem.design, len(columns)
    rows = collapse_patterns(X, codes, design.weights)
    penalized, fit = fit_logit(rows, penalty=JEFFREYS), fit_logit(rows)
    far = np.abs(rows.X @ fit.coef.reshape(rows.n_coefs, -1).T).max() > _FAR
    firth = bool(far) or not fit.converged
    fit = penalized if firth else fit
    if not (fit.converged and penalized.converged):
        return _note_no_convergence(h, len(codes), notes)
    if firth:
        _note_empty_cells(problem.annotations, codes, len(present), columns, notes)
    robust = design.is_robust or cov_type[:2] == "HC"
    controls = problem.controls
    n_tested = h + controls.has_constant + len(controls.names)
    logger.info(
        "the joint logit of %d classes is fitted on %d rows; now %d times without one "
        "of its columns",
        len(present),
        len(codes),
        n_tested,
    )
    p = np.full(X.shape[1], np.nan)
    p[:n_tested], *_ = column_tests(
        rows, penalized, X, codes, range(n_tested), design, robust=robust
    )
    P = probabilities(X, fit.coef, rows.n_coefs)
    B = fit.coef.reshape(rows.n_coefs, -1)
    covariance, _ = class_covariance(X, codes, B, design)
    return {
        "null": _make_null(
            problem, codes, p[:h], _by_hypothesis(covariance, h, len(B))
        ),
        "method": "Firth multinomial logit" if firth else "multinomial logit",
        "cov_type": _name_covariance(design, robust, cov_type),
        "estimates": {"coef_p": p},
        "by_class": {"classes": present, **class_effects(X, codes, B, h, design)},
        **_measure_fit(problem, X, codes, fit.coef, P, JEFFREYS if firth else 0.0),
    }


def _by_hypothesis(covariance, h, q):
    """Covariance of the coefficients of h hypotheses, hypothesis by hypothesis."""
    by_class = covariance.reshape(q, -1, q, len(covariance) // q)
    return by_class[:, :h, :, :h].transpose(1, 0, 3, 2)


def _note_empty_cells(A, codes, k, columns, notes):
    for position, a in enumerate(A.T):
        cells = np.unique(np.column_stack([a, codes]), axis=0)
        if len(cells) < len(np.unique(a)) * k:
            notes.add(columns[position], "empty_cell", f"{len(codes)} rows")


# How well it fits -----------------------------------------------------------------


def _measure_fit(problem, X, codes, coef, P, penalty):
    """What hypotheses add to the scores, and what the rest reaches by the same fit."""
    weights, q, paired = problem.design.weights, P.shape[1] - 1, problem.design.paired
    scores = _score_classes(codes, P, weights, paired)
    found = {"metrics": scores, "fitted": _rank_rows(problem.regressors, coef, q)}
    if not problem.controls.explains:
        return found
    rest = X[:, problem.annotations.shape[1] :]
    alone = fit_logit(collapse_patterns(rest, codes, weights), penalty=penalty)
    baseline = dict.fromkeys(scores, np.nan)
    if alone.converged:
        P = probabilities(rest, alone.coef, q)
        baseline = _score_classes(codes, P, weights, paired)
    return found | {
        "metrics": {name: scores[name] - baseline[name] for name in scores},
        "baseline": baseline,
        "baseline_fitted": _rank_rows(problem.controls.values, alone.coef, q),
    }


def _rank_rows(X, coef, q):
    """What ranks the rows: linear predictors of two classes, else probabilities."""
    return (X @ coef)[:, None] if q == 1 else probabilities(X, coef, q)


def _score_classes(codes, P, weights, paired):
    """ROC AUC (mean of each class against the rest) and McFadden's pseudo R².

    Within pairs, the share that is ranked rightly; a coin decides about a pair with
    nothing to tell its members apart.
    """
    weights = np.ones(len(codes)) if weights is None else weights
    counts = np.bincount(codes, weights, minlength=P.shape[1])
    chances = np.full(2, 0.5) if paired else counts / counts.sum()
    own = np.log(np.maximum(P[np.arange(len(codes)), codes], 1e-300))
    if paired:
        area = concordance_scores(2 * codes - 1, P[:, 1] - 0.5, weights[None])[0]
    else:
        ranks = P if P.shape[1] > 2 else P[:, 1]
        area = roc_auc_score(codes, ranks, multi_class="ovr", sample_weight=weights)
    return {
        "roc_auc": area,
        "pseudo_r2": 1 - weights @ own / special.xlogy(counts, chances).sum(),
    }
