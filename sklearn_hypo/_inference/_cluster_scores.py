"""What clusters of rows contribute to coefficients, and how sure their sum is.

A residual is smaller than the error that it stands for, the more so the more its
cluster moves the fit. Adjusted for that, contributions give CR2 and CR3.
"""

import numpy as np

# A leverage this near to 1 means that a coefficient rests on one row or cluster alone.
FULL_LEVERAGE = 1 - 1e-9

# Part of such a row or cluster in a coefficient that is more than rounding error.
PART = 1e-6

# Rows whose outer products are held in memory at once
_ROWS_AT_ONCE = 4096

# Relative size of an eigenvalue of products that is rounding error
_ROUNDING = 1e-13


def spread_basis(Q, weights=None):
    r"""Basis in which residuals of rows of equal variance have a simple covariance.

    Before weighting these are :math:`e = (I - P R') \varepsilon`, with :math:`P =
    W^{-1/2} Q` and :math:`R = W^{1/2} Q` for an orthonormal basis Q of the weighted
    design. Their covariance is :math:`I + U C U'`, where U is Q and C is -I if nothing
    is weighted, else :math:`U = (P, R)`.

    Returns
    -------
    U : ndarray of shape (n_rows, k)
        The basis; its last columns are R.
    C : ndarray of shape (k, k)
        The middle of the covariance.
    """
    one = np.eye(Q.shape[1])
    if weights is None:
        return Q, -one
    root = np.sqrt(weights)[:, None]
    R = Q * root
    return np.hstack([Q / root, R]), np.block([[R.T @ R, -one], [-one, 0 * one]])


class SumOfSquares:
    r"""Degrees of freedom of sums of squared contributions, under equal variances.

    Units contribute :math:`u_g' e_g`, of which the covariances are :math:`[g = h]\,
    u_g' u_g + z_g' C z_h`, with :math:`z_g = U_g' u_g`; with their matrix V, the
    degrees of freedom are Satterthwaite's, :math:`(\operatorname{tr} V)^2 /
    \operatorname{tr} V^2`.

    Parameters
    ----------
    C : ndarray of shape (k, k)
        From `spread_basis`.
    n_coefs : int
        Sums.
    """

    def __init__(self, C, n_coefs):
        self._C = C
        self._trace, self._squares = np.zeros(n_coefs), np.zeros(n_coefs)
        self._cross = np.zeros((n_coefs, len(C), len(C)))

    def add(self, norms, z):
        """Add units: u'u of shape (n_units, n_coefs), z of (n_units, k, n_coefs)."""
        form = np.einsum("gkj,gkj->gj", z, self._C @ z)
        self._trace += (norms + form).sum(axis=0)
        self._squares += (norms**2 + 2 * norms * form).sum(axis=0)
        self._cross += z.transpose(2, 1, 0) @ z.transpose(2, 0, 1)

    @property
    def df(self):
        """Degrees of freedom of each."""
        middle = self._C @ self._cross
        squares = self._squares + np.einsum("jkl,jlk->j", middle, middle)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._trace**2 / squares


def adjust_clusters(
    residuals, Q, T, clusters, *, kind="CR2", weights=None, absorbed=False
):
    r"""Contributions of clusters to coefficients, of adjusted residuals.

    Parameters
    ----------
    residuals : ndarray of shape (n_rows,)
        Of the weighted model.
    Q, T : ndarrays of shape (n_rows, p) and (p, n_coefs)
        From `orthonormalize`.
    clusters : ndarray of int of shape (n_rows,)
        Cluster of each row, from 0 on.
    kind : {"CR2", "CR3"}, default="CR2"
        CR2 makes the covariance right where errors before weighting have equal
        variances; CR3 leaves each cluster out.
    weights : ndarray of shape (n_rows,) or None, default=None
        Weights of the rows.
    absorbed : bool, default=False
        Whether the design was cleared of levels within clusters. CR2 is then, with
        weights, right for variances inverse to these: what levels do to others cannot
        be told from the cleared design.

    Returns
    -------
    change : ndarray of shape (n_clusters, n_coefs)
        Contributions, in the order of the clusters.
    df : ndarray of shape (n_coefs,)
        Degrees of freedom of the sums of their squares.
    alone : ndarray of bool of shape (n_coefs,)
        Which coefficients rest on one cluster alone.
    """
    U, C = spread_basis(Q, weights)
    power, leave_out = (-1.0, True) if kind == "CR3" else (-0.5, absorbed)
    change, of_sum = [], SumOfSquares(C, T.shape[1])
    alone = np.zeros(T.shape[1], dtype=bool)
    for gram, sums in sum_products(U, restore(residuals, weights), clusters):
        alone |= find_alone(gram, T)
        c = adjust(gram, C, T, power, leave_out=leave_out)
        change.append(np.einsum("gkj,gk->gj", c, sums))
        z = gram @ c
        of_sum.add(np.einsum("gkj,gkj->gj", c, z), z)
    return np.concatenate(change), of_sum.df, alone


def restore(residuals, weights):
    """Residuals as they were before weighting."""
    return residuals if weights is None else residuals / np.sqrt(weights)


def adjust(gram, C, T, power, *, leave_out=False):
    """Coordinates, in U, of weighted columns times a power of their covariance.

    Parameters
    ----------
    gram : ndarray of shape (n_clusters, k, k)
        Products of U, by cluster.
    C, T
        As above.
    power : float
        -1/2, or -1.
    leave_out : bool, default=False
        Whether the power is of I - H instead, which is the same without weights.

    Returns
    -------
    coordinates : ndarray of shape (n_clusters, k, n_coefs)
        0 where a cluster leaves no residuals.
    """
    p, k = len(T), gram.shape[1]
    start = np.zeros((k, T.shape[1]))
    start[k - p :] = T
    if k == p or leave_out:
        values, vectors = np.linalg.eigh(gram[:, :p, k - p :])
        factor = _take_power(1 - values, power)
        start = np.broadcast_to(start, (len(gram), *start.shape)).copy()
        start[:, k - p :] = (vectors * factor[:, None]) @ (
            np.swapaxes(vectors, 1, 2) @ T
        )
        return start
    values, vectors = np.linalg.eigh(gram)
    there = values > _ROUNDING * values[:, -1:]
    root = np.sqrt(np.where(there, values, 0.0))
    across = np.swapaxes(vectors * root[:, None], 1, 2)
    own, turn = np.linalg.eigh(across @ C @ np.swapaxes(across, 1, 2))
    back = vectors * np.divide(1, root, out=np.zeros_like(root), where=there)[:, None]
    factor = _take_power(1 + own, power) - 1
    return start + back @ (
        (turn * factor[:, None]) @ (np.swapaxes(turn, 1, 2) @ (across @ start))
    )


def _take_power(values, power):
    """A power of what leverages leave; 0 where they leave nothing."""
    full = values < 1 - FULL_LEVERAGE
    return np.where(full, 0.0, np.where(full, 1.0, values) ** power)


def find_alone(gram, T):
    """Tell which coefficients rest on one of these clusters alone."""
    p = len(T)
    values, vectors = np.linalg.eigh(gram[:, :p, gram.shape[1] - p :])
    full = np.swapaxes(vectors, 1, 2)[values > FULL_LEVERAGE]
    return (np.abs(full @ T) > PART).any(axis=0)


def sum_products(U, residuals, clusters):
    """Yield U'U and U'e of some clusters at a time, as stacks."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    first = 0
    while first < len(starts):
        last = np.searchsorted(ends, starts[first] + _ROWS_AT_ONCE, side="right")
        last = max(last, first + 1)
        rows = order[starts[first] : ends[last - 1]]
        own, offsets = U[rows], starts[first:last] - starts[first]
        if last == first + 1:  # one large cluster
            yield (own.T @ own)[None], (own.T @ residuals[rows])[None]
        else:
            yield (
                np.add.reduceat(own[:, :, None] * own[:, None, :], offsets),
                np.add.reduceat(own * residuals[rows, None], offsets),
            )
        first = last
