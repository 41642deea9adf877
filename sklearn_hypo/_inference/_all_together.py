"""A p-value of all hypotheses together, whatever is known of the rows."""

import numpy as np
from scipy import linalg

from .._utils._progress import show_progress
from ._firth import JEFFREYS, collapse_patterns, fit_logit, probabilities
from ._permutations import draw_null, name_rows
from ._resampling import is_constant_within
from ._robust_covariance import satterthwaite_of_rows
from ._studentized import Fits
from ._wild_clusters import draw_signs, flip_clusters_beside

# Draws as extreme as the data after which a p-value is large enough to be known
_ENOUGH = 100

# Rows times draws that are held in memory at once
_MOST_CELLS = 1_000_000

# Share of a column that covariates leave, below which it is rounding error
_NOTHING = 1e-8


def permutation_p(
    A,
    y,
    controls,
    rng,
    n_resamples,
    *,
    n_classes=None,
    weights=None,
    clusters=None,
    levels=None,
    absorbed=False,
    paired=False,
):
    r"""p-value of all hypotheses together: none is associated with the target.

    The statistic is :math:`\sum_j z_j^2`, with normal scores of the association of
    each hypothesis beside the covariates alone: it does not suffer from hypotheses
    that say nearly the same. Their variances let spreads differ. What is drawn is

    - of a quantity residuals given the covariates, standardized and permuted (Freedman
      and Lane 1983), within levels of fixed effects; with weights their signs, since
      spread may go with the weight; of pairs signs;
    - of classes labels, permuted, or, with covariates or weights, drawn from the logit
      of the covariates and the log weight alone (parametric bootstrap);
    - of clusters the target where it is constant within them and no covariates are
      held constant, else signs of what each contributes.

    It stops at the 100th draw that is as extreme as the data (Besag and Clifford 1991).

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations; as `y` and `controls` cleared of absorbed levels.
    y : ndarray of shape (n_rows,)
        The target, or codes of classes; of pairs the difference.
    controls : ndarray of shape (n_rows, n_columns)
        Constant and covariates.
    rng : Generator
        Draws.
    n_resamples : int
        The most draws.
    n_classes : int or None, default=None
        Classes; None for a quantity, and for pairs.
    weights, clusters, levels, paired
        As in `Design`.
    absorbed : bool, default=False
        Whether A and y were cleared of levels within clusters.

    Returns
    -------
    p : float
        At least 1 / (n_resamples + 1); NaN without resamples, and where there is a
        reason.
    reason : str
        Why there is none; "" otherwise.

    References
    ----------
    .. [1] D. Freedman, D. Lane (1983). "A nonstochastic interpretation of reported
       significance levels". Journal of Business & Economic Statistics 1.
    .. [2] J. Besag, P. Clifford (1991). "Sequential Monte Carlo p-values". Biometrika
       78.
    """
    if not n_resamples:
        return np.nan, ""
    if clusters is not None:
        clusters = np.unique(clusters, return_inverse=True)[1]
    if n_classes is None:
        if clusters is None:
            found = _permute_residuals(
                A, y, controls, rng, weights, levels, paired=paired
            )
        else:
            found = _flip_quantity(A, y, controls, rng, weights, clusters, absorbed)
    else:
        P = _fit_covariates(controls, y, n_classes, weights)
        drawn_from = P
        if P is not None and weights is not None and clusters is None:
            log = np.log(weights)[:, None]
            more = find_left(log, linalg.orth(controls))
            beside = np.column_stack([controls, log[:, more]])
            drawn_from = _fit_covariates(beside, y, n_classes, None)
        if drawn_from is None:
            return np.nan, (
                "No p-value of all hypotheses together: the logit of the covariates "
                "alone did not converge."
            )
        found = _draw_classes(A, y, controls, P, drawn_from, rng, weights, clusters)
    return _count_extreme(*found, n_resamples), ""


def _count_extreme(observed, draw, n_resamples):
    """Share of the draws whose sum of squares is as large, until they are enough."""
    bar = np.sum(observed**2) * (1 - 1e-9)  # against rounding error
    done = found = 0
    with show_progress("draws", n_resamples) as count:
        while done < n_resamples:
            size = min(max(_ENOUGH, done), n_resamples - done)
            as_large = np.cumsum(np.sum(draw(size) ** 2, axis=0) >= bar)
            if found + as_large[-1] >= _ENOUGH:
                last = done + 1 + np.searchsorted(as_large, _ENOUGH - found)
                return float(_ENOUGH / last)
            done, found = done + size, found + int(as_large[-1])
            count(size)
    return (1 + found) / (1 + n_resamples)


# Quantities ---------------------------------------------------------------------------


class AdjustedModel:
    """Coefficients of each hypothesis beside the covariates, for many targets.

    Variances are that of equal spreads and HC2.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        Annotations; those that the covariates determine are left out.
    controls : ndarray of shape (n_rows, n_columns)
        Constant and covariates.
    weights : ndarray of shape (n_rows,) or None
        Of the rows.
    """

    def __init__(self, A, controls, weights=None):
        n = len(A)
        self.rows = name_rows(np.column_stack([A, controls]), weights)
        self.root = np.ones(n) if weights is None else np.sqrt(weights)
        self._basis = linalg.orth(controls * self.root[:, None])
        a = clear_of(A * self.root[:, None], self._basis)
        self._norm = np.sum(a**2, axis=0)
        leverage = np.sum(self._basis**2, axis=1)
        self.rest = np.maximum(1 - leverage, 1e-9)
        rest = np.maximum(self.rest[:, None] - a**2 / self._norm, 1e-9)
        slopes = a / self._norm
        self._slopes, self._robust = slopes, slopes**2 / rest
        self._turned = self._robust * a
        self._own = np.sum(self._turned * a, axis=0)
        self._plain = slopes / self.root[:, None] ** 2
        self._pooled = np.sum((slopes * self.root[:, None]) ** 2, axis=0)
        self._n_spare = float(max(n - self._basis.shape[1] - 1, 1))
        self._df = self._count_df(a, weights)

    def _count_df(self, a, weights):
        """Degrees of freedom of HC2, by column; 0 for what rests on one row."""
        found = np.empty(a.shape[1])
        for j, slopes in enumerate(np.sqrt(self._robust).T):
            Q = np.column_stack([self._basis, a[:, j] / np.sqrt(self._norm[j])])
            found[j] = satterthwaite_of_rows(slopes[:, None], Q, weights)[0]
        return np.nan_to_num(found, posinf=0.0)

    def fit(self, targets):
        """Estimate the coefficients for targets of shape (n_draws, n_rows)."""
        rest = targets * self.root
        rest = rest - (rest @ self._basis) @ self._basis.T
        coef, squares = rest @ self._slopes, rest**2
        robust = squares @ self._robust - 2 * coef * (rest @ self._turned)
        plain = (squares @ (1 / self.root**2))[:, None] - 2 * coef * self._norm * (
            rest @ self._plain
        )
        plain += (
            coef**2 * self._norm * (self._plain * self._slopes).sum(axis=0) * self._norm
        )
        return Fits(
            coef,
            np.maximum(plain, 0) / self._n_spare * self._pooled,
            np.maximum(robust + coef**2 * self._own, 0),
            self._n_spare,
            self._df,
        )

    def standardize_residuals(self, y):
        """Residuals given the covariates, of equal variance."""
        rest = y * self.root
        rest = rest - self._basis @ (self._basis.T @ rest)
        return rest / self.root / np.sqrt(self.rest)


def find_left(columns, basis):
    """Tell which columns a basis does not determine."""
    cleared = columns - basis @ (basis.T @ columns)
    return np.sum(cleared**2, axis=0) > _NOTHING * np.sum(columns**2, axis=0)


def clear_of(columns, basis):
    """What a basis leaves of columns; those of which it leaves nothing are dropped."""
    kept = columns[:, find_left(columns, basis)]
    return kept - basis @ (basis.T @ kept)


def _permute_residuals(A, y, controls, rng, weights, levels, *, paired):
    """Observed normal scores, and a function that draws more."""
    model = AdjustedModel(A, controls, weights)
    base = model.standardize_residuals(y)
    if paired or weights is not None:  # spread that goes with the weight stays in place
        options = {"flips": True, "shuffles": False}
    else:
        base, options = base - base.mean(), {"strata": levels}
    null, _ = draw_null(model, base, y, rng, **options)
    return np.nan_to_num(null.observed), null.draw


def _flip_quantity(A, y, controls, rng, weights, clusters, absorbed):
    """The same by signs of clusters; hypotheses that rest on too few are left out."""
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    basis = linalg.orth(controls * root[:, None])
    kept = find_left(A * root[:, None], basis)
    observed, draw = flip_clusters_beside(
        A[:, kept],
        y,
        controls,
        clusters,
        rng,
        weights=weights,
        absorbed=absorbed,
    )
    used = ~np.isnan(observed)
    return observed[used], lambda n: draw(n)[used]


# Classes ------------------------------------------------------------------------------


def _fit_covariates(controls, codes, n_classes, weights):
    """Probabilities of the classes given the covariates; None if not found."""
    n = len(codes)
    if controls.shape[1] == 1:
        shares = np.bincount(codes, weights, minlength=n_classes)
        return np.tile(shares / shares.sum(), (n, 1))
    present, own = np.unique(codes, return_inverse=True)
    rows = collapse_patterns(controls, own, weights)
    fit = fit_logit(rows)
    if not fit.converged:
        fit = fit_logit(rows, penalty=JEFFREYS)
    P = np.zeros((n, n_classes))
    P[:, present] = probabilities(controls, fit.coef, rows.n_coefs)
    return P if fit.converged and np.isfinite(P).all() else None


def _draw_classes(A, codes, controls, P, drawn_from, rng, weights, clusters):
    """Normal scores of the classes' association with hypotheses, and draws of more."""
    w = np.ones(len(codes)) if weights is None else weights
    chosen = [1] if P.shape[1] == 2 else list(range(P.shape[1]))
    scores = [_ClassScore(A, controls, P[:, c], drawn_from[:, c], w) for c in chosen]
    if clusters is not None and (
        controls.shape[1] > 1 or not is_constant_within(codes, clusters)
    ):
        return _flip_scores(scores, codes, chosen, clusters, rng)

    def measure(drawn, means):
        parts = [
            score.measure((drawn == c) - means[:, c])
            for c, score in zip(chosen, scores, strict=True)
        ]
        return np.concatenate(parts, axis=1).T

    def redraw(size):
        if clusters is not None:
            _, first = np.unique(clusters, return_index=True)
            own = np.tile(codes[first], (size, 1))
            return rng.permuted(own, axis=1)[:, clusters]
        if controls.shape[1] == 1 and weights is None:
            return rng.permuted(np.tile(codes, (size, 1)), axis=1)
        drawn, uniform = (
            np.zeros((size, len(codes)), int),
            rng.random((size, len(codes))),
        )
        for limit in np.cumsum(drawn_from[:, :-1], axis=1).T:
            drawn += uniform >= limit
        return drawn

    def draw(n):
        step = max(1, _MOST_CELLS // len(codes))
        blocks = [min(step, n - start) for start in range(0, n, step)]
        drawn = [measure(redraw(size), drawn_from) for size in blocks]
        return np.concatenate(drawn, axis=1)

    return measure(codes[None], P)[:, 0], draw


class _ClassScore:
    """Scores of hypotheses in a logit of one class, beside the covariates.

    p is fitted, with weights; drawn are classes of probability `drawn_from`.
    """

    def __init__(self, A, controls, p, drawn_from, weights):
        self.p = p
        root = np.sqrt(weights * np.maximum(p * (1 - p), 1e-12))
        cleared = clear_of(A * root[:, None], linalg.orth(controls * root[:, None]))
        self.a = cleared / root[:, None] * weights[:, None]
        spread = np.maximum(drawn_from * (1 - drawn_from), 1e-12)
        self._scaled = self.a / np.sqrt(np.sum(self.a**2 * spread[:, None], axis=0))

    def measure(self, residuals):
        """Normal scores for residuals of shape (n_draws, n_rows)."""
        return residuals @ self._scaled


def _flip_scores(scores, codes, chosen, clusters, rng):
    """Signs of what clusters contribute to scores."""
    rows = [
        s.a * ((codes == c) - s.p)[:, None] for c, s in zip(chosen, scores, strict=True)
    ]
    rows = np.concatenate(rows, axis=1)
    n_clusters = int(clusters.max()) + 1
    sums = np.column_stack(
        [np.bincount(clusters, r, minlength=n_clusters) for r in rows.T]
    )
    sums = sums / np.sqrt(np.maximum(np.sum(sums**2, axis=0), 1e-300))

    def draw(n):
        found = [(signs @ sums).T for signs in draw_signs(rng, n, n_clusters)]
        return np.concatenate(found, axis=1)

    return sums.sum(axis=0), draw
