"""Ordered levels, such as stars: the logit of proportional odds."""

import numpy as np

from ._robust_covariance import LinearFit

# Coefficients beyond this are on their way to infinity
_FAR = 12.0


def fit_ordered_logit(
    X, y, weights=None, *, clusters=None, cov_type="auto", n_coefs=None
):
    r"""Fit one logit of all levels jointly, whose odds are proportional.

    .. math:: \operatorname{logit} P(y_i > k) = x_i'\beta - \theta_k

    for every level k but the last: a column multiplies the odds of being above k by the
    same factor :math:`\exp(\beta_j)`, whichever level k is [1]_.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Design of full column rank beside a constant, without one.
    y : ndarray of shape (n_rows,)
        The levels; only their order means anything.
    weights : ndarray of shape (n_rows,) or None, default=None
        Positive; errors are then those of a sandwich.
    clusters : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row; errors are then clustered, with t(G - 1).
    cov_type : {"auto", "HC2", "HC3", "nonrobust"}, default="auto"
        "auto" and "nonrobust": errors of the model, else those of a sandwich.
    n_coefs : int or None, default=None
        So many coefficients, the first ones, are returned. None: all.

    Returns
    -------
    fit : LinearFit or None
        None if it did not converge. Errors are NaN for coefficients that are on their
        way to infinity; there are no residuals.

    References
    ----------
    .. [1] P. McCullagh (1980). "Regression models for ordinal data". Journal of the
       Royal Statistical Society B 42.

    Examples
    --------
    Odds of more than one star of 1 to 1 and 3 to 1; of three stars 1 to 3 and 1 to 1:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._ordinal_model import fit_ordered_logit
    >>> a = np.repeat([0.0, 1.0], 8)
    >>> stars = np.array([1, 1, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 3, 3])
    >>> np.exp(fit_ordered_logit(a[:, None], stars).coef).round(6)
    array([3.])
    """
    from ._ordered_logit import OrderedLogit  # statsmodels, which is slow to import

    codes = np.unique(y, return_inverse=True)[1]
    model = OrderedLogit(codes, X, distr="logit")
    model.weights = weights
    covariance = {"cov_type": "nonrobust"}
    if clusters is not None:
        covariance = {"cov_type": "cluster", "cov_kwds": {"groups": clusters}}
    elif weights is not None or cov_type[:2] == "HC":
        covariance = {"cov_type": "HC0"}
    found = model.fit(
        method="bfgs",
        gtol=1e-8,
        maxiter=1000,
        disp=False,
        warn_convergence=False,  # the gradient decides below
        **covariance,
    )
    p = X.shape[1] if n_coefs is None else n_coefs
    gradient = model.score(found.params) / len(y)
    if not (np.isfinite(found.params).all() and np.abs(gradient).max() < 1e-5):
        return None
    coef, matrix = found.params[:p], np.array(found.cov_params())[:p, :p]
    lost = (np.abs(coef) > _FAR) | ~(np.diag(matrix) > 0)
    matrix[lost] = np.nan
    df = np.inf if clusters is None else len(np.unique(clusters)) - 1.0
    return LinearFit(coef, matrix, np.full(p, df), np.empty(0))
