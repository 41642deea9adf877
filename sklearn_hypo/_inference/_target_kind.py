"""What kind of numbers a target is, and the ratios that are read beside its means."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._utils._target_scale import look_like_counts
from ._count_model import fit_quasi_poisson
from ._design_matrix import (
    MOST_LEVELS,
    find_independent_columns,
    make_design_matrix,
)
from ._notes import Notes
from ._ordinal_model import fit_ordered_logit
from ._robust_covariance import t_inference
from ._separated_rows import find_separated_rows

TARGET_KINDS = ("quantity", "count", "ordinal")

# More values than this are no levels
_MOST_ORDINAL = 20


@dataclass(frozen=True)
class _RatioModel:
    """The model of a kind of target.

    Parameters
    ----------
    name : str
        In words.
    column : str
        Of the report, to which "_lower" and "_upper" are added.
    fit : callable
        As `fit_quasi_poisson`.
    find_side : callable
        From the target to the `side` of `find_separated_rows`.
    has_constant : bool
        Whether its design has a constant.
    """

    name: str
    column: str
    fit: Callable
    find_side: Callable
    has_constant: bool


_MODELS = {
    "count": _RatioModel(
        "quasi-Poisson regression",
        "rate_ratio",
        fit_quasi_poisson,
        lambda y: np.where(y > 0, 0, -1),
        has_constant=True,
    ),
    "ordinal": _RatioModel(
        "ordered logit",
        "cumulative_odds_ratio",
        fit_ordered_logit,
        lambda y: (y == y.max()).astype(int) - (y == y.min()),
        has_constant=False,
    ),
}


def settle_target_kind(y, classes, target, *, caller):
    """Return the kind of a checked target: one of `TARGET_KINDS`; None for classes.

    `target` is one of them, or "auto": counts where they look like it, else a quantity.
    """
    if classes is not None:
        if target == "auto":
            return None
        raise ValueError(
            f"{caller}: target={target!r} is a kind of numbers, but y is taken as "
            f"{len(classes)} classes. Leave target out, or, if y is a quantity, fit "
            "and test with task='regression'."
        )
    if target == "auto":
        return "count" if look_like_counts(y) else "quantity"
    if target == "count" and len(y) and y.min() < 0:
        raise ValueError(
            f"{caller}: target='count' needs numbers that are not negative, but y goes "
            f"down to {y.min():g}. Pass target='quantity'."
        )
    n_values = len(np.unique(y))
    if target == "ordinal" and n_values > _MOST_ORDINAL:
        raise ValueError(
            f"{caller}: target='ordinal' takes up to {_MOST_ORDINAL} levels, but y "
            f"holds {n_values} different values. Join some, or pass target='quantity'."
        )
    return target


def fit_ratios(kind, A, y, joint, design, *, cov_type, notes):
    r"""Ratios of all hypotheses jointly, by the model of a kind of target.

    The factor :math:`\exp(\beta_j)` by which the mean count, or the odds of a higher
    level, are larger where hypothesis j holds, all else held fixed. They are no test:
    the p-value beside them is that of the difference of means.

    Parameters
    ----------
    kind : str or None
        From `settle_target_kind`.
    A, y, design, notes
        As in `joint_regression`, of which `joint` is the outcome: the same hypotheses
        on the same rows, with the same covariates; fixed effects are columns.
    cov_type : str
        As in the model.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        Ratios with 95 % intervals. 0 or infinite, without an interval, where y is at
        its end on one side of a hypothesis. Without columns for a quantity, for
        classes, and within pairs, whose differences are neither counts nor levels.
    """
    table = pd.DataFrame(index=range(A.shape[1]))
    model = _MODELS.get(kind)
    if model is None or design.paired:
        return table
    table[[model.column + end for end in ("", "_lower", "_upper")]] = np.nan
    if joint.controls is None:
        return table
    design = design.take(joint.rows)
    if design.levels is not None and len(np.unique(design.levels)) > MOST_LEVELS:
        notes.add_general(
            f"The {model.name} was not run: there are more than {MOST_LEVELS} levels "
            "of fixed effects. Its ratios are NaN."
        )
        return table
    y, columns = y[joint.rows], joint.columns
    # what it leaves out was said by the joint regression
    controls = make_design_matrix(design, len(y), linear=False, notes=Notes([]))
    X = np.column_stack([A[joint.rows][:, columns], controls.values])
    ratios, direction = _fit_where_finite(model, X, y, design, len(columns), cov_type)
    if ratios is None:
        notes.add_general(
            f"The {model.name} on {len(y)} rows did not converge. Its ratios are NaN."
        )
        return table
    for position in np.flatnonzero(direction):
        ratio = 0.0 if direction[position] < 0 else np.inf
        ratios[position] = ratio, np.nan, np.nan
        notes.add(columns[position], "infinite_ratio", "infinite" if ratio else "0")
    table.iloc[columns] = ratios
    return table


def _fit_where_finite(model, X, y, design, n_hypotheses, cov_type):
    """Fit without the rows that coefficients without a finite value separate.

    Returns ratios with bounds, NaN for what has none (None if it did not converge), and
    the direction in which the hypotheses' coefficients leave.
    """
    separated, direction = find_separated_rows(X, model.find_side(y))
    kept = _keep_columns(X[~separated], n_hypotheses)
    if not model.has_constant:
        kept = kept[kept != n_hypotheses]
    design, n = design.take(~separated), int((kept < n_hypotheses).sum())
    fit = model.fit(
        X[~separated][:, kept],
        y[~separated],
        design.weights,
        clusters=design.clusters,
        cov_type=cov_type,
        n_coefs=n,
    )
    if fit is None:
        return None, direction
    ratios = np.full((n_hypotheses, 3), np.nan)
    lower, upper, _ = t_inference(fit.coef, fit.se, fit.df)
    with np.errstate(over="ignore"):
        ratios[kept[:n]] = np.exp(np.column_stack([fit.coef, lower, upper]))
    return ratios, direction[:n_hypotheses]


def _keep_columns(X, n_hypotheses):
    """The columns that stay independent; covariates before the hypotheses."""
    order = np.r_[n_hypotheses : X.shape[1], :n_hypotheses]
    kept = find_independent_columns(X[:, order], np.empty((len(X), 0)))
    return np.sort(order[kept])
