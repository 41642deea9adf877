"""How much the columns of an annotation matrix say the same: functions on arrays.

Of annotations (1, 0, NaN without an answer), or of their differences within pairs
(-1, 0, 1), whose sign means nothing: they are correlated about zero. NaN in a result
means that it is not defined, never that it is 0.
"""

from typing import NamedTuple

import numpy as np

from ._design_matrix import column_varies, find_complete_cases

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
        Of the rows where either holds (is not 0), the share where both do (alike).
    """

    n: np.ndarray
    agreement: np.ndarray
    phi: np.ndarray
    jaccard: np.ndarray


def annotation_overlap(A, weights=None, paired=False):
    r"""Compute how much every two columns overlap.

    With the weights :math:`n_{11}, n_{10}, n_{01}, n_{00}` of the four cells of the
    rows that answer both,

    .. math::

        \phi = \frac{n_{11} n_{00} - n_{10} n_{01}}
                    {\sqrt{n_{1\cdot} n_{0\cdot} n_{\cdot 1} n_{\cdot 0}}},
        \qquad J = \frac{n_{11}}{n_{11} + n_{10} + n_{01}}.

    Two unrelated hypotheses that hold of one text in a hundred agree on 98 % of the
    texts, and have a phi of 0: agreement alone tells nothing of rare ones. Of
    differences :math:`d` within pairs, phi is
    :math:`\sum d_1 d_2 / \sqrt{\sum d_1^2 \sum d_2^2}`.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN; or their differences.
    weights : ndarray of shape (n_rows,), default=None
        Weights of the rows, not negative.
    paired : bool, default=False
        Whether rows are differences.

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
    w = np.ones((len(A), 1)) if weights is None else weights[:, None]
    total = answered.T @ (w * answered)
    one, minus = (A == 1).astype(np.float64), (A == -1).astype(np.float64)
    alike = one.T @ (w * one) + minus.T @ (w * minus)
    opposite = one.T @ (w * minus) + minus.T @ (w * one)
    first = (one + minus).T @ (w * answered)  # weight where the row's column holds
    second = first.T
    either = first + second - alike - opposite
    same = total - either + alike
    with np.errstate(invalid="ignore", divide="ignore"):
        agreement = same / total
        jaccard = alike / either
        if paired:
            covariances, variances = alike - opposite, first * second
        else:
            covariances = total * alike - first * second
            variances = first * (total - first) * second * (total - second)
        phi = covariances / np.sqrt(np.maximum(variances, 0.0))
    # a weight of zero left by rounding is none
    least = _ROUNDING * total
    flat = first <= least if paired else np.minimum(first, total - first) <= least
    phi[flat | flat.T] = np.nan
    equal = (total - same <= least) & ~np.isnan(phi)
    contrary = (either - opposite if paired else same) <= least
    contrary &= ~np.isnan(phi)
    phi = np.where(equal, 1.0, np.where(contrary, -1.0, np.clip(phi, -1.0, 1.0)))
    agreement = np.where(equal, 1.0, agreement)
    if not paired:
        agreement = np.where(contrary, 0.0, agreement)
    n = (answered.T @ answered).round().astype(np.int64)
    return Overlap(n, agreement, phi, jaccard)


def variance_inflation(A, weights=None, paired=False):
    r"""Compute the variance inflation factor of every column.

    .. math:: VIF_j = 1 / (1 - R_j^2),

    where :math:`R_j^2` is that of the regression of column j on all others, with an
    intercept (for differences without, as in their joint regression). The standard
    error of a coefficient in the joint regression is :math:`\sqrt{VIF_j}` times what
    it would be if column j were uncorrelated with the others. It is the j-th diagonal
    entry of the inverse correlation matrix.

    Parameters
    ----------
    A, weights, paired
        As for `annotation_overlap`; weights are positive. The rows that answer all
        columns count; a column that does not vary on them is left out first, and
        costs no rows then.

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
    vif = np.full(A.shape[1], np.nan)
    varying = [j for j, a in enumerate(A.T) if column_varies(a, paired)]
    columns, rows, _ = find_complete_cases(A, varying, paired)
    if columns and rows.any():
        deviations = A[np.ix_(rows, columns)].astype(np.float64)
        w = np.ones(len(deviations)) if weights is None else weights[rows]
        if not paired:
            deviations -= np.average(deviations, axis=0, weights=w)
        deviations *= np.sqrt(w)[:, None]
        deviations /= np.linalg.norm(deviations, axis=0)
        vif[columns] = _inverse_diagonal(deviations.T @ deviations)
    return vif


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

    It goes from 0 (no column varies) to the number of columns that vary. Correlations
    that are not defined count as 0.

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
