"""Permutation tests of a quantity: many targets at once, through one linear model.

A model holds what depends on the annotations alone, so that a block of targets costs a
few matrix products, and no matrix of all rows and all draws is ever made.
"""

import numpy as np

from ._robust_covariance import judge_rows, orthonormalize
from ._step_down import NullDistribution
from ._studentized import Fits, Studentizer, choose_studentizer

# Rows times draws that are held in memory at once
_MOST_CELLS = 1_000_000

# Draws by which the statistic is chosen, before any are counted
_N_PILOT = 499


def name_rows(X, weights):
    """What tells rows apart: their columns, and their weights if there are any."""
    return X if weights is None else np.column_stack([X, weights])


class JointModel:
    r"""Least squares on all hypotheses at once, for many targets.

    With the rows :math:`\omega_j` that make coefficient j of the target, leverages
    :math:`h_i`, residuals :math:`e_i` and their variance :math:`s^2`, the variances are

    .. math:: s^2 \sum_i \omega_{ij}^2 \quad\text{and}\quad
              \sum_i \omega_{ij}^2 e_i^2 / (1 - h_i) \quad\text{(HC2)},

    of which a `Studentizer` makes one.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Hypotheses first, then what stands beside them.
    n_hypotheses : int
        How many of the columns are hypotheses.
    weights : ndarray of shape (n_rows,) or None
        Of the rows.
    """

    def __init__(self, X, n_hypotheses, weights=None):
        n, p = X.shape
        self.rows = name_rows(X, weights)
        self.root = np.ones(n) if weights is None else np.sqrt(weights)
        self._Q, T = orthonormalize(X * self.root[:, None])
        self._coef = np.ascontiguousarray(T[:, :n_hypotheses])
        slopes, self.rest, self._df, self.alone = judge_rows(
            self._Q, self._coef, weights=weights
        )
        self._squares = slopes**2
        self._pooled = np.sum((self._Q @ self._coef * self.root[:, None]) ** 2, axis=0)
        self._n_spare = float(n - p)

    def fit(self, targets):
        """Estimate the coefficients for targets of shape (n_draws, n_rows)."""
        targets = targets * self.root
        gamma = targets @ self._Q
        residuals = targets - gamma @ self._Q.T
        np.square(residuals, out=residuals)
        spread = residuals @ (1 / self.root**2) / self._n_spare
        return Fits(
            gamma @ self._coef,
            spread[:, None] * self._pooled,
            residuals @ self._squares,
            self._n_spare,
            self._df,
        )

    def standardize_residuals(self, y):
        r"""Residuals of equal variance, :math:`e_i / \sqrt{1 - h_i}`."""
        scaled = y * self.root
        residuals = (scaled - self._Q @ (self._Q.T @ scaled)) / self.root
        return residuals / np.sqrt(self.rest)


class SeparationModel:
    """Differences of (weighted) means, one hypothesis at a time, for many targets.

    Variances are that of equal spreads on both sides and Welch's (weighted: HC2).

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN; at least two of each in every column.
    weights : ndarray of shape (n_rows,) or None
        Of the rows.
    """

    def __init__(self, A, weights=None):
        self.rows = name_rows(A, weights)
        sides = [(A == 1).astype(float), (A == 0).astype(float)]
        self._members = np.hstack(sides)
        self._n = self._members.sum(axis=0)
        self._weighted = weights is not None
        if self._weighted:
            shares = self._members * weights[:, None]
            shares /= shares.sum(axis=0)
            self._shares, self._squares = shares, shares**2 / (1 - shares)
        else:
            shares = self._members / self._n
        sizes = (shares**2).sum(axis=0)
        df = sizes**2 / (shares**4).sum(axis=0) - 1
        first, second = (np.split(values, 2) for values in (sizes, df))
        self._pooled = first[0] + first[1]
        self._df = self._pooled**2 / (
            first[0] ** 2 / second[0] + first[1] ** 2 / second[1]
        )
        self._n_spare = np.add(*np.split(self._n, 2)) - 2

    def fit(self, targets):
        """Estimate the separations for targets of shape (n_draws, n_rows)."""
        if self._weighted:
            mean, within, variance = self._measure_weighted_sides(targets)
        else:
            sums = targets @ self._members
            mean = sums / self._n
            within = (targets**2) @ self._members - sums * mean
            variance = within / (self._n * (self._n - 1))
        holds, lacks = np.split(mean, 2, axis=1)
        spread = np.add(*np.split(np.maximum(within, 0), 2, axis=1)) / self._n_spare
        robust = np.add(*np.split(np.maximum(variance, 0), 2, axis=1))
        return Fits(
            holds - lacks, spread * self._pooled, robust, self._n_spare, self._df
        )

    def _measure_weighted_sides(self, targets):
        """Mean, sum of squares about it, and its variance, of either side."""
        squared = targets**2
        mean = targets @ self._shares
        sums, own = targets @ self._members, targets @ self._squares
        within = squared @ self._members - 2 * mean * sums + self._n * mean**2
        variance = squared @ self._squares - 2 * mean * own
        return mean, within, variance + self._squares.sum(axis=0) * mean**2


class GainModel:
    """Mean gains of the members of pairs that alone have a hypothesis.

    There is one variance only, that of the gains.

    Parameters
    ----------
    D : ndarray of shape (n_pairs, n_hypotheses)
        1 where the first member alone has it, -1 where the second does, 0 or NaN.
    weights : ndarray of shape (n_pairs,) or None
        Of the pairs.
    """

    def __init__(self, D, weights=None):
        D = np.nan_to_num(D)
        self.rows = name_rows(D, weights)
        weights = np.ones(len(D)) if weights is None else weights
        self._signs = D * weights[:, None]
        shares = np.abs(self._signs)
        total = shares.sum(axis=0)
        shares = shares / total
        self._signs /= total
        self._squares = shares**2 / (1 - shares)
        self._turned = D * self._squares
        sizes = (shares**2).sum(axis=0)
        self._df = sizes**2 / (shares**4).sum(axis=0) - 1

    def fit(self, targets):
        """Estimate the mean gains for differences of shape (n_draws, n_pairs)."""
        mean = targets @ self._signs
        variance = (targets**2) @ self._squares - 2 * mean * (targets @ self._turned)
        variance = variance + self._squares.sum(axis=0) * mean**2
        variance = np.maximum(variance, 0)
        return Fits(mean, variance, variance, self._df, self._df)


# Targets under the null ---------------------------------------------------------------


def draw_fits(model, base, rng, n, *, flips=False, shuffles=True, strata=None):
    """Yield the Fits of n targets that are drawn from a base, block by block.

    Parameters
    ----------
    model : object
        With a method `fit`.
    base : ndarray of shape (n_rows,)
        What is permuted: the target, or standardized residuals.
    rng : Generator
        Decides how.
    n : int
        Targets.
    flips, shuffles : bool
        Whether signs are flipped, and whether rows change places.
    strata : ndarray of int of shape (n_rows,) or None
        Rows change places within these only.
    """
    step = max(1, _MOST_CELLS // len(base))
    order = None if strata is None else np.argsort(strata, kind="stable")
    for start in range(0, n, step):
        size = min(step, n - start)
        targets = np.tile(base, (size, 1))
        if shuffles and strata is None:
            rng.permuted(targets, axis=1, out=targets)
        elif shuffles:
            _shuffle_within(targets, strata, order, rng)
        if flips:
            targets *= rng.integers(2, size=targets.shape, dtype=np.int8) * 2 - 1
        yield model.fit(targets)


def _shuffle_within(targets, strata, order, rng):
    """Permute each row of targets within strata, in place."""
    ends = np.append(np.flatnonzero(np.diff(strata[order])) + 1, len(order))
    start = 0
    for end in ends:
        rows = order[start:end]
        targets[:, rows] = rng.permuted(targets[:, rows], axis=1)
        start = end


def permute_joint(model, y, rng, *, paired=False, strata=None):
    r"""Null distribution of joint coefficients, by permuted residuals.

    Residuals of the full model, divided by :math:`\sqrt{1 - h_i}` and centred, are
    exchangeable under equal spreads whatever the other coefficients are; being
    studentized, their coefficients are so in large samples under unequal ones, too.
    Differences within pairs change signs besides.

    Parameters
    ----------
    model : JointModel
        Of the rows.
    y : ndarray of shape (n_rows,)
        The target.
    rng : Generator
        Draws.
    paired : bool, default=False
        Whether rows are differences within pairs.
    strata : ndarray of int of shape (n_rows,) or None, default=None
        Levels of fixed effects: residuals are permuted within them.

    Returns
    -------
    null : NullDistribution
        Of the |z| of the hypotheses.
    estimates : Estimates
        Of the target itself, with one row.

    References
    ----------
    .. [1] C. J. F. ter Braak (1992). "Permutation versus bootstrap significance tests
       in multiple regression and ANOVA". In: Bootstrapping and Related Techniques.
       Springer.
    .. [2] C. J. DiCiccio, J. P. Romano (2017). "Robust permutation tests for
       correlation and regression coefficients". JASA 112.
    """
    base = model.standardize_residuals(y)
    if not paired:
        base = base - base.mean()
    return draw_null(model, base, y, rng, flips=paired, strata=strata)


def permute_separations(A, y, weights, rng):
    """Null distribution of separations, by permuting the target.

    It is exact if the target has nothing to do with any hypothesis. Beside hypotheses
    that do go with it, or with its spread, it holds for the others as far as
    studentized statistics do, which is more carefully (see `Studentizer`).

    Returns the NullDistribution of |z|, and the Estimates of the target itself.
    """
    model = SeparationModel(A, weights)
    base = y - y.mean()  # against cancellation
    return draw_null(model, base, base, rng)


def flip_gains(D, y, weights, rng):
    """Null distribution of gains within pairs, by changing the members' places: exact.

    Returns the NullDistribution of |z|, and the Estimates of the target itself.
    """
    model = GainModel(D, weights)
    return draw_null(model, y, y, rng, Studentizer(), flips=True, shuffles=False)


def draw_null(model, base, y, rng, studentizer=None, **options):
    """Null distribution of a model's |z|, by draws from a base.

    Parameters
    ----------
    model : object
        With `rows`, as from `name_rows`, and a method `fit`.
    base, y : ndarray of shape (n_rows,)
        What is permuted, and the target itself.
    rng : Generator or None
        Draws; None: there is no distribution.
    studentizer : Studentizer or None, default=None
        Makes normal scores of fits; None: one is chosen by some draws.
    **options
        Of `draw_fits`.

    Returns
    -------
    null : NullDistribution or None
        Of the |z|.
    estimates : Estimates
        Of the target itself, with one row.
    """
    if studentizer is None:
        studentizer = _choose(model, base, options)
    estimates = studentizer.apply(model.fit(y[None]))
    if rng is None:
        return None, estimates
    observed = np.where(estimates.variance[0] > 0, estimates.z[0], np.nan)

    def draw(n):
        blocks = draw_fits(model, base, rng, n, **options)
        found = [studentizer.apply(block).z.T for block in blocks]
        return np.concatenate(found, axis=1) if found else np.empty((0, 0))

    return NullDistribution(observed, draw, scale=estimates.damp[0]), estimates


def _choose(model, base, options):
    """Choose by what no permutation changes: the rows, and the values in any order.

    So the statistic is the same with every generator and every order of the rows, and
    its null distribution exact. Where the values change signs, it is their size.
    """
    strata, stays = options.get("strata"), not options.get("shuffles", True)
    keys = [np.abs(base)] if stays else []
    keys += [*model.rows.T, *([] if strata is None else [strata])]
    order = np.lexsort(keys)
    options = options | {"strata": None if strata is None else strata[order]}
    values = _sort_values(base[order], **options)
    rng = np.random.default_rng(0)
    pilot = draw_fits(_Reordered(model, order), values, rng, _N_PILOT, **options)
    return choose_studentizer(Fits.join(list(pilot)))


def _sort_values(base, *, flips=False, shuffles=True, strata=None):
    """Sort what is permuted, within strata, by size; drop signs that are flipped."""
    values = np.abs(base) if flips else base
    if not shuffles:
        return values
    strata = np.zeros(len(base)) if strata is None else strata
    found = np.empty_like(values)
    found[np.argsort(strata, kind="stable")] = values[
        np.lexsort([values, np.abs(values), strata])
    ]
    return found


class _Reordered:
    """A model that takes its targets in another order of rows."""

    def __init__(self, model, order):
        self._model, self._order = model, order

    def fit(self, targets):
        """Estimate for targets of shape (n_draws, n_rows)."""
        own = np.empty_like(targets)
        own[:, self._order] = targets
        return self._model.fit(own)
