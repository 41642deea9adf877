"""How much the columns of an annotation matrix say the same: functions on arrays.

An annotation matrix has one row per text and one column per hypothesis, with 1 where
the hypothesis holds, 0 where it does not, and NaN where no answer was obtained. NaN
in a result means that it is not defined, never that it is 0.
"""

from typing import NamedTuple

import numpy as np

# Share of a column's weight below which a disagreement is rounding error.
_ROUNDING = 1e-12


# An eigenvalue of a correlation matrix below this is an exact linear dependence:
# columns of 0 and 1 that differ in one of a million rows are still far above it.
_SINGULAR = 1e-10


# Size from which a column takes part in such a dependence.
_INVOLVED = 1e-5


class Overlap(NamedTuple):
    """Pairwise overlap of columns, each pair on the rows that answer both.

    Attributes
    ----------
    n : ndarray of shape (n_hypotheses, n_hypotheses), dtype int64
        Rows that answer both.
    agreement : ndarray of shape (n_hypotheses, n_hypotheses)
        Share of them (of their weight) with the same answer.
    phi : ndarray of shape (n_hypotheses, n_hypotheses)
        Their correlation. NaN where a column does not vary on these rows.
    jaccard : ndarray of shape (n_hypotheses, n_hypotheses)
        Of the rows where either holds, the share where both do.
    """

    n: np.ndarray
    agreement: np.ndarray
    phi: np.ndarray
    jaccard: np.ndarray


def annotation_overlap(A, sample_weight=None):
    r"""Compute how much every two columns overlap.

    With the weights :math:`n_{11}, n_{10}, n_{01}, n_{00}` of the four cells of the
    rows that answer both,

    .. math::

        \phi = \frac{n_{11} n_{00} - n_{10} n_{01}}
                    {\sqrt{n_{1\cdot} n_{0\cdot} n_{\cdot 1} n_{\cdot 0}}},
        \qquad J = \frac{n_{11}}{n_{11} + n_{10} + n_{01}}.

    Two unrelated hypotheses that hold of one text in a hundred agree on 98 % of the
    texts, and have a phi of 0: agreement alone tells nothing of rare ones.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights of the rows, not negative.

    Returns
    -------
    overlap : Overlap
        Symmetric matrices.

    References
    ----------
    .. [1] G. U. Yule (1912). "On the methods of measuring association between two
       attributes". Journal of the Royal Statistical Society 75(6).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._overlap import annotation_overlap
    >>> A = np.array([[1, 1], [1, 1], [1, 0], [0, 0], [0, 0], [0, np.nan]])
    >>> overlap = annotation_overlap(A)
    >>> overlap.n[0, 1], overlap.agreement[0, 1], overlap.jaccard[0, 1].round(3)
    (np.int64(5), np.float64(0.8), np.float64(0.667))
    >>> overlap.phi.round(3)
    array([[1.   , 0.667],
           [0.667, 1.   ]])
    """
    answered = (~np.isnan(A)).astype(np.float64)
    holds = np.where(np.isnan(A), 0.0, A)
    w = np.ones(len(A)) if sample_weight is None else sample_weight
    total = answered.T @ (w[:, None] * answered)
    both = holds.T @ (w[:, None] * holds)
    first = holds.T @ (w[:, None] * answered)  # weight where the row's column holds
    second = first.T
    neither = total - first - second + both
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = (both + neither) / total
        jaccard = both / (first + second - both)
        variances = first * (total - first) * second * (total - second)
        phi = (total * both - first * second) / np.sqrt(np.maximum(variances, 0.0))
    # a weight of zero left by rounding is no variance
    flat = _vanishes(first, total) | _vanishes(total - first, total)
    phi[flat | flat.T] = np.nan
    same = _vanishes(total - both - neither, total) & ~np.isnan(phi)
    contrary = _vanishes(both + neither, total) & ~np.isnan(phi)
    phi = np.where(same, 1.0, np.where(contrary, -1.0, np.clip(phi, -1.0, 1.0)))
    agreement = np.where(same, 1.0, np.where(contrary, 0.0, agreement))
    n = (answered.T @ answered).round().astype(np.int64)
    return Overlap(n, agreement, phi, jaccard)


def _vanishes(weight, total):
    return weight <= _ROUNDING * total


def variance_inflation(A, sample_weight=None):
    r"""Compute the variance inflation factor of every column.

    .. math:: VIF_j = 1 / (1 - R_j^2),

    where :math:`R_j^2` is that of the regression of column j on all others, with an
    intercept. The standard error of a coefficient in the joint regression is
    :math:`\sqrt{VIF_j}` times what it would be if column j were uncorrelated with the
    others. It is the j-th diagonal entry of the inverse correlation matrix.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN. The rows that answer all columns count; a column
        that does not vary on them is left out first, and costs no rows then.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights of the rows.

    Returns
    -------
    vif : ndarray of shape (n_hypotheses,)
        At least 1. Infinite for a column that others determine exactly (a duplicate,
        an opposite, a linear combination), NaN for one that was left out.

    References
    ----------
    .. [1] D. W. Marquardt (1970). "Generalized inverses, ridge regression, biased
       linear estimation, and nonlinear estimation". Technometrics 12(3).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._overlap import variance_inflation
    >>> A = np.array([[1, 0], [1, 1], [0, 0], [0, 0]])
    >>> variance_inflation(A).round(3)
    array([1.5, 1.5])
    """
    A = np.asarray(A, dtype=np.float64)
    w = np.ones(len(A)) if sample_weight is None else sample_weight
    vif = np.full(A.shape[1], np.nan)
    columns, rows = _complete_cases(A, w)
    if len(columns):
        deviations = A[np.ix_(rows, columns)]
        deviations = deviations - np.average(deviations, axis=0, weights=w[rows])
        deviations *= np.sqrt(w[rows])[:, None]
        deviations /= np.linalg.norm(deviations, axis=0)
        vif[columns] = _inverse_diagonal(deviations.T @ deviations)
    return vif


def _complete_cases(A, w):
    """Columns that vary on the rows (of some weight) that answer all of them."""
    columns = np.arange(A.shape[1])
    while True:
        rows = ~np.isnan(A[:, columns]).any(axis=1) & (w > 0)
        if rows.any():
            varies = np.ptp(A[np.ix_(rows, columns)], axis=0) > 0
        else:  # no common row: each column is judged on its own answers
            varies = np.array([_varies(A[w > 0, j]) for j in columns], dtype=bool)
            if varies.all():
                return columns[:0], rows
        if varies.all():
            return columns, rows
        columns = columns[varies]


def _varies(a):
    answered = a[~np.isnan(a)]
    return len(answered) > 0 and np.ptp(answered) > 0


def _inverse_diagonal(correlation):
    """Diagonal of the inverse; infinite for columns of an exact dependence.

    The pseudo-inverse has the right entries for all other columns: its rows are
    orthogonal to every column but their own.
    """
    values, vectors = np.linalg.eigh(correlation)
    regular = values > _SINGULAR
    diagonal = (vectors[:, regular] ** 2 / values[regular]).sum(axis=1)
    involved = (np.abs(vectors[:, ~regular]) > _INVOLVED).any(axis=1)
    return np.where(involved, np.inf, np.maximum(diagonal, 1.0))


def effective_number(correlation):
    r"""Compute the effective number of hypotheses.

    .. math:: M_{eff} = \frac{(\sum_j \sqrt{\lambda_j})^2}{\sum_j \lambda_j}

    with the eigenvalues of the correlation matrix, negative ones set to 0 (Galwey
    2009). It is the number of columns if all are uncorrelated, and 1 if all say the
    same.

    Parameters
    ----------
    correlation : ndarray of shape (n_hypotheses, n_hypotheses)
        Correlations; NaN where they are not defined.

    Returns
    -------
    n_effective : float
        From 0 (no column varies) to the number of columns that vary.

    Notes
    -----
    Of the three usual definitions this one is smooth. That of Li and Ji (2005) adds up
    :math:`I(\lambda \ge 1) + \lambda - \lfloor\lambda\rfloor`, so that it counts a pair
    with phi = 0.94 (eigenvalues 1.94 and 0.06) as 2 and one with phi = 1 as 1; that of
    Nyholt (2004) overstates the number where a few hypotheses are correlated strongly
    among many that are not. None of them is a valid denominator for a correction
    (Galwey's can be too small), and none is used as one here: it describes.

    References
    ----------
    .. [1] N. W. Galwey (2009). "A new measure of the effective number of tests".
       Genetic Epidemiology 33(7).
    .. [2] J. Li, L. Ji (2005). "Adjusting multiple testing in multilocus analyses using
       the eigenvalues of a correlation matrix". Heredity 95(3).
    .. [3] D. R. Nyholt (2004). "A simple correction for multiple testing for
       single-nucleotide polymorphisms". American Journal of Human Genetics 74(4).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._overlap import effective_number
    >>> round(effective_number(np.eye(3)), 2)
    3.0
    >>> round(effective_number(np.array([[1.0, 0.94], [0.94, 1.0]])), 2)
    1.34
    """
    varies = ~np.isnan(np.diag(correlation))
    matrix = np.nan_to_num(correlation[np.ix_(varies, varies)])
    if not matrix.size:
        return 0.0
    values = np.maximum(np.linalg.eigvalsh(matrix), 0.0)
    return float(np.sqrt(values).sum() ** 2 / values.sum())
