"""By how much groups enlarge the variance of an estimate."""

import numpy as np

from .._inference._design import make_design
from .._inference._design_matrix import find_independent_columns
from .._inference._robust_covariance import linear_influence
from .._utils._covariates import without_level_means

_BESIDE = ("sample_weight", "groups", "covariates", "fixed_effects", "pairs")


def measure_design_effects(data, targets, estimand):
    r"""Compare clustered with robust variances of the estimates of a report.

    .. math:: D_j = \operatorname{Var}_\text{clustered}(\hat\beta_j) \big/
                    \operatorname{Var}_\text{rows}(\hat\beta_j)

    both by the jackknife, over groups and over rows, of the same least-squares fit:
    for classes that of a linear probability model, whose design effect is about that of
    the logit.

    Parameters
    ----------
    data : EvaluationData
        With groups.
    targets : ndarray of shape (n_rows, n_hypotheses)
        Target of each separation, as numbers.
    estimand : {"separation", "coef"}
        Of each hypothesis alone, or beside the others and the covariates.

    Returns
    -------
    design_effect : ndarray of shape (n_hypotheses,)
        1 at the least; that of the others on average where it cannot be told.
    group_size : float
        Size of the group that a text (a pair) is in, on average over them.
    """
    n_rows = len(data.target)
    beside = {name: getattr(data, name) for name in _BESIDE}
    design = make_design(n_rows, **beside, caller="plan_study")
    A, Y = (
        design.differences(np.asarray(v, float)) for v in (data.annotations, targets)
    )
    design = design.of_differences()
    sizes = np.bincount(design.clusters)
    alone = [_compare(A[:, [j]], Y[:, j], design, [0]) for j in range(A.shape[1])]
    found = np.ravel(alone)
    if estimand == "coef":
        columns = list(range(A.shape[1]))
        joint = _compare(A, Y[:, 0], design, columns, covariates=design.covariates)
        found = np.where(np.isnan(joint), found, joint)
    typical = np.nanmean(found) if np.isfinite(found).any() else 1.0
    found = np.maximum(np.where(np.isnan(found), typical, found), 1.0)
    return found, float((sizes.astype(float) ** 2).sum() / sizes.sum())


def _compare(A, y, design, columns, covariates=None):
    """Ratios of the variances of some columns; NaN for those that have none."""
    rows = ~np.isnan(A).any(axis=1)
    ratios = np.full(len(columns), np.nan)
    part = design.take(rows)
    constant = np.ones((rows.sum(), 0 if design.paired else 1))
    X = np.column_stack([A[rows], constant])
    if covariates is not None:
        X = np.column_stack([X, covariates[rows]])
    y = y[rows]
    if covariates is not None and part.levels is not None:
        X, y = (without_level_means(v, part.levels, part.weights) for v in (X, y))
    kept = find_independent_columns(X, X[:, :0])
    if len(kept) >= len(y) or not len(kept):
        return ratios
    weights = np.ones(len(y)) if part.weights is None else part.weights
    units = np.unique(part.clusters, return_inverse=True)[1]
    variances = [
        linear_influence(X[:, kept], y, weights, u).se ** 2 for u in (units, None)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = variances[0] / variances[1]
    for k, j in enumerate(kept):
        if j in columns:
            ratios[j] = ratio[k] if np.isfinite(ratio[k]) else np.nan
    return ratios
