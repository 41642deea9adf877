"""Families of tests on the coefficients of one model, whose estimates are normal."""

import numpy as np
from scipy import linalg, special

from ._step_down import NullDistribution

# Normal scores of p-values below this are those of it
_SMALLEST_P = 1e-300

# Numbers that are drawn at once
_MOST_CELLS = 2_000_000


def to_normal_score(p):
    """The absolute normal score that has a two-sided p-value."""
    return -special.ndtri(np.maximum(p, _SMALLEST_P) / 2)


def draw_estimates(p, covariance, rng):
    r"""Null distribution of tests of blocks of coefficients, from their covariance.

    With z drawn from a normal distribution with this covariance :math:`\Sigma`, the
    statistics of the hypotheses are the Wald statistics of their blocks,

    .. math:: z_j' \Sigma_{jj}^{-1} z_j \sim \chi^2_q,

    taken to the normal score of the same p-value. What was observed are the normal
    scores of given p-values: only the dependence of the tests is that of the normal
    distribution.

    Parameters
    ----------
    p : ndarray of shape (n_hypotheses,)
        p-values of tests that hold each for itself.
    covariance : ndarray of shape (n_hypotheses, q, n_hypotheses, q)
        Of all coefficients, q for each hypothesis. Those without a variance are taken
        as independent.
    rng : Generator
        Draws.

    Returns
    -------
    null : NullDistribution
        Of absolute normal scores.

    References
    ----------
    .. [1] T. Hothorn, F. Bretz, P. Westfall (2008). "Simultaneous inference in general
       parametric models". Biometrical Journal 50.

    Examples
    --------
    Two estimates that are all but the same need hardly any correction:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._normal_family import draw_estimates
    >>> from sklearn_hypo._inference._step_down import step_down_p_values
    >>> covariance = np.array([[1.0, 0.99], [0.99, 1.0]]).reshape(2, 1, 2, 1)
    >>> p, rng = np.array([0.01, 0.02]), np.random.default_rng(0)
    >>> null = draw_estimates(p, covariance, rng)
    >>> step_down_p_values(null.observed, null.draw(9999)).round(2)
    array([0.01, 0.02])
    """
    h, q = covariance.shape[:2]
    root, blocks = _find_roots(covariance)

    def draw(n):
        found, step = [], max(1, _MOST_CELLS // (h * q))
        for start in range(0, n, step):
            size = min(step, n - start)
            z = (root @ rng.standard_normal((h * q, size))).reshape(h, q, size)
            if q == 1:
                found.append(np.abs(z[:, 0]))
                continue
            wald = np.sum(linalg.solve_triangular(blocks, z, lower=True) ** 2, axis=1)
            found.append(to_normal_score(special.chdtrc(q, wald)))
        return np.concatenate(found, axis=1)

    return NullDistribution(to_normal_score(p), draw, p=p, exact=True)


def _find_roots(covariance):
    """Factors of the covariance of standardized coefficients, and of its blocks."""
    h, q = covariance.shape[:2]
    matrix = covariance.reshape(h * q, h * q).copy()
    scale = np.sqrt(np.diag(matrix))
    known = scale > 0
    scale = np.where(known, scale, 1.0)
    matrix = np.where(known[:, None] & known, matrix / scale[:, None] / scale, 0.0)
    np.fill_diagonal(matrix, 1.0)
    values, vectors = linalg.eigh(matrix)
    values = np.maximum(values, 1e-10)  # not quite positive by rounding error
    matrix = (vectors * values) @ vectors.T
    root = linalg.cholesky(matrix, lower=True)  # unlike vectors, it has one sign only
    matrix, own = matrix.reshape(h, q, h, q), np.arange(h)
    return root, np.linalg.cholesky(matrix[own, :, own])
