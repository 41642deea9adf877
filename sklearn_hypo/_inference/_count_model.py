"""Rate ratios of counts, beside the tests of their means."""

import numpy as np
import pandas as pd
import statsmodels.api as sm

from ._design_matrix import (
    MOST_LEVELS,
    find_independent_columns,
    make_design_matrix,
)
from ._notes import Notes
from ._robust_covariance import (
    infer_coefficients,
    orthonormalize,
    t_inference,
)
from ._separated_rows import find_separated_rows

RATE_COLUMNS = ("rate_ratio", "rate_ratio_lower", "rate_ratio_upper")


def fit_rate_ratios(A, y, joint, design, *, cov_type, notes):
    r"""Rate ratios of all hypotheses jointly, by quasi-Poisson.

    .. math:: E[y_i] = \exp\Bigl(\beta_0 + \sum_j \beta_j a_{ij} + \gamma' z_i\Bigr)

    :math:`\exp(\beta_j)` is by which factor the mean count is larger where hypothesis j
    holds, all else held fixed. Poisson's likelihood is used to fit the mean alone: it
    is consistent however the counts vary around it [1]_, and the intervals are those of
    robust errors. They are no test: the p-value beside them is that of the difference
    of means.

    Parameters
    ----------
    A, y, design, notes
        As in `joint_regression`, of which `joint` is the outcome: the same hypotheses
        on the same rows, with the same covariates; fixed effects are columns.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}
        As there. "nonrobust": the variance is proportional to the mean.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        The columns `RATE_COLUMNS`, with 95 % intervals. 0 or infinite, without an
        interval, where all counts on one side are 0.

    References
    ----------
    .. [1] C. Gourieroux, A. Monfort, A. Trognon (1984). "Pseudo maximum likelihood
       methods: applications to Poisson models". Econometrica 52.
    """
    table = pd.DataFrame(np.nan, index=range(A.shape[1]), columns=list(RATE_COLUMNS))
    if joint.controls is None:
        return table
    design = design.take(joint.rows)
    if design.levels is not None and len(np.unique(design.levels)) > MOST_LEVELS:
        notes.add_general(
            f"Rate ratios were not computed: there are more than {MOST_LEVELS} levels "
            "of fixed effects."
        )
        return table
    y, columns = y[joint.rows], joint.columns
    # what it leaves out was said by the joint regression
    controls = make_design_matrix(design, len(y), linear=False, notes=Notes([]))
    X = np.column_stack([A[joint.rows][:, columns], controls.values])
    separated, direction = find_separated_rows(X, np.where(y > 0, 0, -1))
    direction = direction[: len(columns)]
    kept = _keep_columns(X[~separated], len(columns))
    fit = fit_quasi_poisson(
        X[~separated][:, kept],
        y[~separated],
        None if design.weights is None else design.weights[~separated],
        clusters=None if design.clusters is None else design.clusters[~separated],
        cov_type=cov_type,
    )
    if fit is None:
        notes.add_general(
            f"The quasi-Poisson regression on {len(y)} rows did not converge: rate "
            "ratios are NaN."
        )
        return table
    ratios = np.full((X.shape[1], 3), np.nan)
    lower, upper, _ = t_inference(fit.coef, fit.se, fit.df)
    with np.errstate(over="ignore"):
        ratios[kept] = np.exp(np.column_stack([fit.coef, lower, upper]))
    for position in np.flatnonzero(direction):
        ratios[position] = (0.0 if direction[position] < 0 else np.inf, np.nan, np.nan)
        side = "holds" if direction[position] < 0 else "does not hold"
        notes.add(columns[position], "all_zero", f"y is 0 where it {side}")
    table.iloc[columns] = ratios[: len(columns)]
    return table


def _keep_columns(X, n_hypotheses):
    """The columns that stay independent; covariates before the hypotheses."""
    order = np.r_[n_hypotheses : X.shape[1], :n_hypotheses]
    kept = find_independent_columns(X[:, order], np.empty((len(X), 0)))
    return np.sort(order[kept])


def fit_quasi_poisson(X, y, weights=None, *, clusters=None, cov_type="auto"):
    r"""Fit :math:`E[y_i] = \exp(x_i'\beta)` by Poisson's pseudo maximum likelihood.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank, by which no rows are separated.
    y : ndarray of shape (n_rows,)
        Not negative.
    weights : ndarray of shape (n_rows,) or None, default=None
        Positive.
    clusters : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row.
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        As in `infer_coefficients`, for the working linear model, whose residuals are
        Pearson's. "auto": HC3.

    Returns
    -------
    fit : LinearFit or None
        None if it did not converge.

    Examples
    --------
    Means of 1 and 3:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._count_model import fit_quasi_poisson
    >>> a = np.repeat([0.0, 1.0], 4)
    >>> fit = fit_quasi_poisson(
    ...     np.column_stack([np.ones(8), a]), np.array([0.0, 0, 1, 3, 0, 1, 2, 9])
    ... )
    >>> np.exp(fit.coef).round(6)
    array([1., 3.])
    """
    model = sm.GLM(y, X, family=sm.families.Poisson(), freq_weights=weights)
    # relative to a deviance that grows with the rows and the size of the counts
    found = model.fit(rtol=1e-12)
    if not (found.converged and np.isfinite(found.params).all()):
        return None
    weights = np.ones(len(y)) if weights is None else weights
    root = np.sqrt(weights * found.mu)
    Q, T = orthonormalize(X * root[:, None])
    pearson = weights * (y - found.mu) / root
    return infer_coefficients(
        found.params,
        pearson,
        Q,
        T,
        cov_type="HC3" if cov_type == "auto" else cov_type,
        clusters=clusters,
    )
