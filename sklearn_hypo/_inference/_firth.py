"""Logistic regression by (penalized) maximum likelihood, its tests and intervals.

For two classes and for more. Rows that are alike are counted, not repeated, so that
thousands of texts with binary annotations cost little.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, stats
from scipy.optimize import linprog, minimize

JEFFREYS = 0.5  # Firth's penalty: so much of the log determinant of the information

_MAX_STEP = 5.0

_MAX_ITERATIONS = 40

# Newton stops where the likelihood can hardly rise by more than half of this
_DECREMENT = 1e-11

# The same where the likelihood alone is asked for
_DECREMENT_OF_LIKELIHOOD = 1e-9

# Steps from here on are alike, so that earlier ones tell where they lead
_DECREMENT_OF_MIXING = 1.0
_MIXED_STEPS = 8

# A bound is looked for up to two to this power times as far out as Wald's
_DOUBLINGS = 6

# A bound is found when its signed root is this near to the normal quantile
_ROOT_ERROR = 1e-6

# Linear predictors beyond this occur where classes separate, and rarely elsewhere
_SUSPICIOUS = 12.0


@dataclass(frozen=True)
class CountedRows:
    """Rows of a logistic regression, those that are alike counted.

    Parameters
    ----------
    X : ndarray of shape (n_patterns, n_columns)
        Distinct rows of the design.
    counts : ndarray of shape (n_patterns, n_classes)
        Weight of the rows of each pattern in each class.
    """

    X: np.ndarray
    counts: np.ndarray

    @property
    def total(self):
        """Weight of the rows of each pattern."""
        return self.counts.sum(axis=1)

    @property
    def n_coefs(self):
        """Coefficients of a column: one for each class but the first."""
        return self.counts.shape[1] - 1


def collapse_patterns(X, codes, weights=None):
    """Count the rows of a design that are alike, by their class (from 0 on)."""
    k = int(codes.max()) + 1
    patterns, number = np.unique(X, axis=0, return_inverse=True)
    cell = number.ravel() * k + codes.astype(int)
    counts = np.bincount(cell, weights, minlength=len(patterns) * k).astype(float)
    return CountedRows(patterns, counts.reshape(-1, k))


@dataclass(frozen=True)
class LogitFit:
    """A fitted logistic regression.

    Parameters
    ----------
    coef : ndarray of shape (n_coefs * n_columns,)
        Coefficients, class by class; the first class has none.
    information : ndarray of shape (n_coefs * n_columns, n_coefs * n_columns)
        Fisher information.
    log_likelihood : float
        With the penalty.
    converged : bool
        Whether the maximum was found.
    """

    coef: np.ndarray
    information: np.ndarray
    log_likelihood: float
    converged: bool

    @cached_property
    def covariance(self):
        """Inverse of the information."""
        return invert(self.information)


def invert(matrix):
    """Inverse of a symmetric matrix; where it is singular, its pseudoinverse."""
    factor, failed = linalg.lapack.dpotrf(matrix, lower=True)
    if failed or not _is_regular(factor):
        return linalg.pinvh(matrix)
    lower, _ = linalg.lapack.dpotri(factor, lower=True)
    return np.tril(lower) + np.tril(lower, -1).T


def _is_regular(factor):
    """Whether a Cholesky factor has no pivots that are all but 0."""
    pivots = np.abs(np.diag(factor))
    return pivots.min(initial=1.0) > 1e-7 * pivots.max(initial=0.0)


def fit_logit(rows, *, penalty=0.0, start=None, fixed=None, decrement=_DECREMENT):
    r"""Maximize the (penalized) likelihood of a logistic regression.

    .. math:: \ell(\beta) + \lambda \log \det I(\beta),

    with :math:`\lambda = 1/2` for Firth's penalty, Jeffreys' prior, which keeps all
    coefficients finite. By Newton's method with Fisher's information, that of the
    rows that the penalty is worth included, with steps halved until the likelihood
    rises. With a penalty, whose curvature is not in it, this converges slowly, so that
    steps are extrapolated (Anderson 1965); what is left is done by BFGS.

    Coefficients that are `fixed` stay as they are in `start`. The penalty is that of
    the full information nevertheless, so that likelihoods can be compared.

    References
    ----------
    .. [1] D. Firth (1993). "Bias reduction of maximum likelihood estimates".
       Biometrika 80.
    .. [2] G. Heinze, M. Schemper (2002). "A solution to the problem of separation in
       logistic regression". Statistics in Medicine 21.
    .. [3] I. Kosmidis, D. Firth (2011). "Multinomial logit bias reduction via the
       Poisson log-linear model". Biometrika 98.

    Examples
    --------
    A perfect predictor. For a saturated table Firth's penalty adds half a row to
    each of the four cells:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._firth import JEFFREYS
    >>> from sklearn_hypo._inference._firth import collapse_patterns
    >>> from sklearn_hypo._inference._firth import fit_logit
    >>> a = np.repeat([1, 0], 10)
    >>> rows = collapse_patterns(np.column_stack([a, np.ones(20)]), a)
    >>> fit_logit(rows, penalty=JEFFREYS).coef.round(4), np.log(21 / (1 / 21)).round(4)
    (array([ 6.089 , -3.0445]), np.float64(6.089))
    """
    size = rows.n_coefs * rows.X.shape[1]
    beta = np.zeros(size) if start is None else np.array(start, dtype=float)
    free = np.ones(size, dtype=bool) if fixed is None else ~fixed
    state = _state(rows, beta, penalty)
    if not np.isfinite(state[2]) and fixed is not None:  # a start too far out
        beta = np.where(free, 0.0, beta)
        state = _state(rows, beta, penalty)
    converged = False
    if not np.isfinite(state[2]):
        return LogitFit(beta, state[1], -np.inf, converged)
    mixing = _Mixing()
    for _ in range(_MAX_ITERATIONS):
        step, rise, curvature = _newton_step(rows, state, penalty, free)
        if rise < decrement:
            converged = True
            if not penalty:  # Newton's last step doubles the number of right digits
                beta = beta + step
                state = _state(rows, beta, penalty)
            break
        steps = [step]
        if penalty and rise < _DECREMENT_OF_MIXING:
            steps = [*mixing.extrapolate(beta, step, curvature), step]
        beta, state, rose = _line_search(rows, beta, state, steps, penalty)
        if not rose:  # no better point within rounding error
            converged = rise < 1e-6
            break
    if not converged and np.isfinite(state[2]):
        beta, state, converged = _quasi_newton(rows, beta, state, penalty, free)
    return LogitFit(beta, state[1], state[2], converged)


def probabilities(X, coef, n_coefs):
    """Return the probabilities of all classes; the first has no coefficients."""
    eta = np.column_stack([np.zeros(len(X)), X @ coef.reshape(n_coefs, -1).T])
    eta -= eta.max(axis=1, keepdims=True)
    P = np.exp(eta)
    return P / P.sum(axis=1, keepdims=True)


def information_of(X, P, total):
    """Return the Fisher information of rows of some total weight, class by class."""
    q, p = P.shape[1] - 1, X.shape[1]
    found = np.empty((q, p, q, p))
    for c in range(q):
        for d in range(c + 1):
            spread = total * P[:, c + 1] * ((c == d) - P[:, d + 1])
            found[c, :, d] = (X * spread[:, None]).T @ X
            found[d, :, c] = found[c, :, d].T
    return found.reshape(q * p, q * p)


def _state(rows, beta, penalty):
    """Probabilities, information, penalized log likelihood."""
    if not np.isfinite(beta).all():  # a step into the void: refused by its value
        return None, np.full((len(beta), len(beta)), np.nan), -np.inf
    P = probabilities(rows.X, beta, rows.n_coefs)
    information = information_of(rows.X, P, rows.total)
    value = np.sum(rows.counts * np.log(np.maximum(P, 1e-300)))
    if penalty:
        sign, log_det = np.linalg.slogdet(information)
        value = value + penalty * log_det if sign > 0 else -np.inf
    return P, information, value


def _score(rows, state, penalty):
    """Derivative of the penalized log likelihood, and the weight of each pattern.

    That of the rows, and of those that the penalty is worth: in a saturated model it
    adds half a row to each cell.
    """
    P, information, _ = state
    total = rows.total
    residual = rows.counts[:, 1:] - total[:, None] * P[:, 1:]
    weight = total
    if penalty:
        slope, leverage = _slope_of_log_det(rows.X, P[:, 1:], information)
        residual = residual + penalty * total[:, None] * slope
        q = rows.n_coefs
        weight = total * (1 + penalty * (q + 1) / q * leverage)
    return (residual.T @ rows.X).ravel(), weight


def _slope_of_log_det(X, P, information):
    """Derivative of log det of the information by each linear predictor, per weight.

    With h_cd = x' (I^-1)_cd x and the variance matrix M = diag(P) - PP' of a row, it
    is the sum over c and d of h_cd dM_cd / d eta_e. The sum of h_cd M_cd, the leverage
    of a row, is returned beside it.
    """
    q, p = P.shape[1], X.shape[1]
    inverse = invert(information).reshape(q, p, q, p)
    h = np.empty((len(X), q, q))
    for c in range(q):
        for d in range(c + 1):
            h[:, c, d] = h[:, d, c] = np.einsum("ij,ij->i", X @ inverse[c, :, d], X)
    own = np.einsum("icc->ic", h)
    mixed = np.einsum("icd,id->ic", h, P)
    both = np.einsum("ic,ic->i", mixed, P)[:, None]
    weighted = np.einsum("ic,ic->i", own, P)[:, None]
    slope = P * (own - weighted - 2 * mixed + 2 * both)
    return slope, (weighted - both)[:, 0]


def _newton_step(rows, state, penalty, free):
    """The step, twice what it can be expected to gain, and the information used."""
    score, weight = _score(rows, state, penalty)
    information = state[1]
    if penalty:
        information = information_of(rows.X, state[0], weight)
    step = np.zeros(len(free))
    step[free] = _solve(information[np.ix_(free, free)], score[free])
    decrement = float(step @ score)
    largest = np.abs(step).max(initial=0.0)
    step *= min(1.0, _MAX_STEP / max(largest, 1e-300))
    return step, decrement, information


class _Mixing:
    """Extrapolates steps that shrink by a constant factor, in a few directions."""

    def __init__(self):
        self._points, self._steps = [], []

    def extrapolate(self, point, step, metric):
        """Return the step to where steps should vanish; nothing the first time."""
        self._points = [*self._points[-_MIXED_STEPS:], point]
        self._steps = [*self._steps[-_MIXED_STEPS:], step]
        if len(self._steps) == 1:
            return []
        moves = np.diff(self._points, axis=0)
        changes = np.diff(self._steps, axis=0)
        scaled = changes @ metric
        share = linalg.lstsq(scaled @ changes.T, scaled @ step, cond=1e-12)[0]
        return [step - share @ (moves + changes)]


def _solve(matrix, target):
    """Solve symmetric equations, by least squares where they are singular."""
    factor, failed = linalg.lapack.dpotrf(matrix, lower=True)
    if failed or not (len(target) and _is_regular(factor)):
        return linalg.lstsq(matrix, target)[0]
    return linalg.lapack.dpotrs(factor, target, lower=True)[0]


def _quasi_newton(rows, beta, state, penalty, free):
    """Go on by BFGS, scaled by the information at the start."""
    information = state[1][np.ix_(free, free)]
    ridge = 1e-10 * np.trace(information) / len(information)
    root = linalg.cholesky(information + ridge * np.eye(len(information)), lower=True)

    def at(x):
        moved = beta.copy()
        moved[free] += linalg.solve_triangular(root, x, trans="T", lower=True)
        return moved, _state(rows, moved, penalty)

    def loss(x):
        _, new = at(x)
        if not np.isfinite(new[2]):
            return np.inf, np.zeros(len(x))
        score = _score(rows, new, penalty)[0][free]
        return -new[2], -linalg.solve_triangular(root, score, lower=True)

    options = {"gtol": 1e-5, "maxiter": 500}
    found = minimize(loss, np.zeros(free.sum()), jac=True, options=options)
    moved, new = at(found.x)
    if not new[2] >= state[2]:
        return beta, state, False
    beta, state = moved, new
    _, decrement, _ = _newton_step(rows, state, penalty, free)
    return beta, state, decrement < 1e-6


def _line_search(rows, beta, state, steps, penalty):
    """Take the first step that raises the likelihood; the last is halved until so."""
    size, last = 1.0, steps[-1]
    candidates = [beta + step for step in steps]
    while size > 1e-8:
        candidate = candidates.pop(0) if candidates else beta + size * last
        new = _state(rows, candidate, penalty)
        if new[2] > state[2]:
            return candidate, new, True
        if not candidates:
            size /= 2
    return beta, state, False


# Tests and intervals ----------------------------------------------------------------


def likelihood_ratio(rows, full, j):
    """Return the penalized likelihood-ratio statistic of column j having no effect.

    It has a degree of freedom for each class but the first; NaN if the restricted fit
    did not converge.
    """
    q = rows.n_coefs
    columns = np.arange(j, q * rows.X.shape[1], rows.X.shape[1])
    _, loss = _profile(rows, full, columns, np.zeros(q))
    return max(2 * loss, 0.0) if np.isfinite(loss) else np.nan


def profile_bounds(rows, full, j, *, target=None):
    """Find the ends of the profile interval: all values that the test does not reject.

    `target` is the square root of the largest statistic that is not rejected. Returns
    all coefficients, as fitted with coefficient j at its lower and at its upper bound:
    infinite where the likelihood levels off before, NaN for a bound that was not found.
    """
    target = stats.norm.ppf(0.975) if target is None else target
    if not np.isfinite(target):
        return np.full((2, len(full.coef)), np.nan)
    se = np.sqrt(full.covariance[j, j])
    found = [_bound(rows, full, j, side * se, target) for side in (-1, 1)]
    return np.array(found)


def _bound(rows, full, j, scale, target):
    """Solve for where the signed root of the likelihood ratio reaches the target.

    That root is nearly linear in the coefficient, so that secants need few steps.
    """

    def root(distance):
        fit, loss = _profile(rows, full, [j], full.coef[[j]] + distance * scale)
        return np.sqrt(max(2 * loss, 0.0)), fit.coef

    nowhere = np.full(len(full.coef), np.nan)
    low, high, at_low = 0.0, target, 0.0
    at_high, coef = root(high)
    for _ in range(_DOUBLINGS):  # until the bound is enclosed
        if not at_high < target:
            break
        low, at_low, high = high, at_high, 2 * high
        at_high, coef = root(high)
    if not np.isfinite(at_high):
        return nowhere
    if at_high < target:  # the likelihood levels off before it has fallen so far
        coef = coef.copy()
        coef[j] = np.copysign(np.inf, scale)
        return coef
    for _ in range(40):
        middle = low + (target - at_low) * (high - low) / (at_high - at_low)
        edge = 0.01 * (high - low)
        middle = min(max(middle, low + edge), high - edge)
        value, coef = root(middle)
        if abs(value - target) < _ROOT_ERROR:
            break
        if value < target:
            low, at_low = middle, value
        else:
            high, at_high = middle, value
    return coef


def _profile(rows, full, fixed, values):
    """The fit with some coefficients fixed, and how much log likelihood that costs."""
    covariance = full.covariance
    distance = values - full.coef[fixed]
    move = covariance[:, fixed] @ np.linalg.solve(
        covariance[np.ix_(fixed, fixed)], distance
    )
    start = full.coef + move
    if np.abs(move).max() > 2 * _MAX_STEP:
        start = full.coef.copy()
    start[fixed] = values
    mask = np.zeros(len(start), dtype=bool)
    mask[fixed] = True
    fit = fit_logit(
        rows,
        penalty=JEFFREYS,
        start=start,
        fixed=mask,
        decrement=_DECREMENT_OF_LIKELIHOOD,
    )
    if not (fit.converged and np.isfinite(fit.log_likelihood)):
        return fit, np.nan
    return fit, full.log_likelihood - fit.log_likelihood


# Separation -------------------------------------------------------------------------


def infinite_coefficients(rows, fit):
    """Tell which coefficients of two classes have no finite maximum of likelihood.

    Separation means that some direction b has s_i x_i'b >= 0 in every row, and > 0
    in one (s_i = 1 in the second class, else -1). A linear programme finds the
    direction that does so most, and its non-zero entries are the columns in question
    (Konis 2007, "Linear programming algorithms for detecting separated data in binary
    logistic regression models", thesis, University of Oxford). None is solved where the
    fit by maximum likelihood converged with moderate linear predictors.
    """
    n_columns = rows.X.shape[1]
    largest = np.abs(rows.X @ fit.coef).max(initial=0.0)
    if fit.converged and largest < _SUSPICIOUS:
        return np.zeros(n_columns, dtype=bool)
    some_zero, some_one = rows.counts.T > 0
    signed = np.vstack([rows.X[some_one], -rows.X[some_zero]])
    solution = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=(-1, 1),
        method="highs",
    )
    # The solver keeps its constraints to 1e-7 only, so a direction must do more.
    if solution.status != 0 or (signed @ solution.x).max() < 1e-4:
        return np.zeros(n_columns, dtype=bool)
    return np.abs(solution.x) > 1e-4
