"""Counts, by quasi-Poisson: a log-linear model of their mean."""

import warnings

import numpy as np

from ._robust_covariance import infer_coefficients, orthonormalize


def fit_quasi_poisson(
    X, y, weights=None, *, clusters=None, cov_type="auto", n_coefs=None
):
    r"""Fit a log-linear model of the mean by Poisson's pseudo maximum likelihood.

    .. math:: E[y_i] = \exp(x_i'\beta)

    It is consistent however the counts vary around their mean [1]_; errors are robust.

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
        Pearson's. "nonrobust": variances proportional to the mean.
    n_coefs : int or None, default=None
        So many coefficients, the first ones, are returned. None: all.

    Returns
    -------
    fit : LinearFit or None
        None if it did not converge.

    References
    ----------
    .. [1] C. Gourieroux, A. Monfort, A. Trognon (1984). "Pseudo maximum likelihood
       methods: applications to Poisson models". Econometrica 52.

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
    # slow to import, and needed by counts alone
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    model = GLM(y, X, family=Poisson(), freq_weights=weights)
    with warnings.catch_warnings():  # of means that all counts meet; harmless here
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        # relative to a deviance that grows with the rows and the size of the counts
        found = model.fit(rtol=1e-12)
    if not (found.converged and np.isfinite(found.params).all()):
        return None
    root = np.sqrt(found.mu if weights is None else weights * found.mu)
    Q, T = orthonormalize(X * root[:, None])
    return infer_coefficients(
        found.params[:n_coefs],
        root * (y - found.mu) / found.mu,
        Q,
        T[:, :n_coefs],
        weights=weights,
        cov_type=cov_type,
        clusters=clusters,
    )
