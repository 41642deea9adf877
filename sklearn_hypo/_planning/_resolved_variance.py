"""Which part of a variance is due to groups, and which to texts."""

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
    design, A, Y = _prepare(data, targets, data.annotations)
    alone = np.arange(len(A))
    clustered, single = (
        (_list_changes(A, Y, design, estimand, units) ** 2).sum(axis=0)
        for units in (design.clusters, alone)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        found = clustered / single
    found[~np.isfinite(found)] = np.nan
    typical = np.nanmean(found) if np.isfinite(found).any() else 1.0
    sizes = np.bincount(design.clusters).astype(float)
    found = np.maximum(np.where(np.isnan(found), typical, found), 1.0)
    return found, float((sizes**2).sum() / sizes.sum())


def measure_text_noise(data, targets, estimand):
    r"""Variance of estimates over annotators that other texts would not repeat.

    Annotators differ in what they take a hypothesis to mean, and in single texts. With
    the jackknife changes :math:`c_{ku}` of the estimate of annotator k of K without
    unit u, the second part of their variance is

    .. math:: \frac{1}{K - 1} \sum_k \sum_u (c_{ku} - \bar c_u)^2.

    Parameters
    ----------
    data : EvaluationData
        With the votes of several annotators.
    targets, estimand
        As for `measure_design_effects`.

    Returns
    -------
    noise : ndarray of shape (n_hypotheses,)
        0 where it cannot be told.
    """
    changes = []
    for table in data.votes.values():
        design, A, Y = _prepare(data, targets, table)
        units = np.arange(len(A)) if design.clusters is None else design.clusters
        changes.append(_list_changes(A, Y, design, estimand, units))
    return np.nan_to_num(np.var(changes, axis=0, ddof=1).sum(axis=0))


def _prepare(data, targets, annotations):
    """Design, annotations and targets of what is regressed: of pairs, differences."""
    beside = {name: getattr(data, name) for name in _BESIDE}
    design = make_design(len(data.target), **beside, caller="plan_study")
    values = (np.asarray(each, dtype=float) for each in (annotations, targets))
    A, Y = map(design.differences, values)
    return design.of_differences(), A, Y


def _list_changes(A, Y, design, estimand, units):
    """What each estimate loses without each unit; NaN of what is not estimated."""
    if estimand == "coef":
        return _fit(A, Y[:, 0], design, units, design.covariates, design.levels)
    parts = [_fit(A[:, [j]], Y[:, j], design, units) for j in range(A.shape[1])]
    return np.column_stack(parts)


def _fit(A, y, design, units, covariates=None, levels=None):
    """Changes of the columns of A in a least-squares fit, by unit."""
    changes = np.zeros((units.max() + 1, A.shape[1]))
    rows = ~np.isnan(A).any(axis=1)
    weights = np.ones(len(y)) if design.weights is None else design.weights
    X = [A, np.ones((len(y), 0 if design.paired else 1))]
    X = np.column_stack(X if covariates is None else [*X, covariates])[rows]
    y, weights = y[rows], weights[rows]
    if levels is not None:
        X, y = (without_level_means(each, levels[rows], weights) for each in (X, y))
    kept = find_independent_columns(X, X[:, :0])
    if not 0 < len(kept) < len(y):
        return np.full_like(changes, np.nan)
    places, own = np.unique(units[rows], return_inverse=True)
    found = linear_influence(X[:, kept], y, weights, own).change
    own = [k for k, j in enumerate(kept) if j < A.shape[1]]
    changes[:, np.setdiff1d(np.arange(A.shape[1]), kept)] = np.nan
    changes[np.ix_(places, [kept[k] for k in own])] = found[:, own]
    return changes
