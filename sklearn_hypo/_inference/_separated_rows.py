"""Rows that a model fits perfectly by coefficients without a finite value."""

import numpy as np
from scipy import linalg
from scipy.optimize import linprog

# What the solver of linear programmes leaves of its constraints, and more
_TOLERANCE = 1e-6


def find_separated_rows(X, side):
    r"""Find rows that a log-linear or ordered model can push out without a limit.

    With counts the likelihood rises along a direction :math:`\gamma` that leaves the
    linear predictor :math:`x_i'\gamma` at 0 in all rows with :math:`y_i > 0`, and lets
    it fall in rows with :math:`y_i = 0` [1]_. The limit is the fit without the rows
    where it falls. It is found among the directions that are orthogonal to all rows
    that have to stay, of which there are none in most data.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank.
    side : ndarray of int of shape (n_rows,)
        0 where the linear predictor has to stay, -1 where it may fall, and 1 where it
        may rise.

    Returns
    -------
    separated : ndarray of bool of shape (n_rows,)
        Rows that leave.
    direction : ndarray of shape (n_columns,)
        Where coefficients go to: positive for infinity, negative for minus infinity, 0
        for those that stay finite.

    References
    ----------
    .. [1] S. Correia, P. Guimarães, T. Zylkin (2019). "Verifying the existence of
       maximum likelihood estimates for generalized linear models". arXiv 1903.01633.

    Examples
    --------
    The only text that mentions tea has no votes:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._separated_rows import find_separated_rows
    >>> X = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    >>> find_separated_rows(X, np.array([-1, 0, -1]))
    (array([ True, False, False]), array([ 0., -1.]))
    """
    separated, direction = np.zeros(len(X), dtype=bool), np.zeros(X.shape[1])
    stay = X[side == 0]
    free = np.eye(X.shape[1])
    if len(stay):
        free = linalg.null_space(linalg.qr(stay, mode="r")[0][: X.shape[1]])
    free[np.abs(free) < _TOLERANCE] = 0.0
    while free.shape[1]:
        rows = np.flatnonzero((side != 0) & ~separated)
        rises = X[rows] @ free * side[rows, None]
        distinct = np.unique(rises.round(9), axis=0)
        if not distinct.any():
            break
        found = linprog(
            -distinct.sum(axis=0),
            A_ub=-distinct,
            b_ub=np.zeros(len(distinct)),
            bounds=(-1, 1),
            method="highs",
        )
        leave = np.zeros(len(rows), dtype=bool)
        if found.status == 0:
            leave = rises @ found.x > _TOLERANCE
        if not leave.any():
            break
        separated[rows[leave]] = True
        step = free @ found.x
        step[np.abs(step) < _TOLERANCE] = 0.0
        direction = np.where(direction == 0, np.sign(step), direction)
    return separated, direction
