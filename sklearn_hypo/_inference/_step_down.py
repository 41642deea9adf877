"""p-values of a family of tests from statistics drawn together under the null.

What is drawn keeps the dependence of the hypotheses, and whatever is odd about the
target: no table of a distribution is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from .._utils._progress import show_progress
from ._multiple_tests import adjust_p_values

# Draws of a first look, and the most where a p-value is near the level
FEWEST, MOST = 999, 9_999

# Statistics that differ by less, relatively, are ties: sums differ by their order
_TIE = 1e-9

# Monte Carlo standard errors between a p-value and the level, from which it is clear
_CLEAR = 3.0


def two_sided_level(z):
    """p-value of an absolute normal score."""
    return 2 * stats.norm.sf(z)


@dataclass(frozen=True)
class NullDistribution:
    """Statistics of a family, as observed, and where more under the null come from.

    Parameters
    ----------
    observed : ndarray of shape (n_hypotheses,)
        The larger, the further from the null hypothesis, and on a scale that is alike
        for all: |z|, or -log p. NaN for what is not tested.
    draw : callable
        ``draw(n)`` returns such statistics of n data sets under the null, of shape
        (n_hypotheses, n).
    p : ndarray of shape (n_hypotheses,) or None, default=None
        Uncorrected p-values, where there are better ones than shares of the draws.
    exact : bool, default=False
        Whether these p-values are exact, so that corrected ones cannot exceed Holm's.
    rough : bool, default=False
        Whether the draws are approximate, so that corrected ones are at least Holm's.
    find_level : callable, default=two_sided_level
        From a statistic to the uncorrected p-value that it stands for.
    scale : ndarray of shape (n_hypotheses,) or float, default=1.0
        What statistics have to be multiplied by to be normal scores of estimates.
    """

    observed: np.ndarray
    draw: Callable
    p: np.ndarray | None = None
    exact: bool = False
    find_level: Callable = two_sided_level
    rough: bool = False
    scale: np.ndarray | float = 1.0

    def place(self, columns, n_hypotheses):
        """Return the distribution of more hypotheses, of which these are some."""

        def spread(values):
            shape = (n_hypotheses, *values.shape[1:])
            placed = np.full(shape, np.nan)
            placed[columns] = values
            return placed

        return replace(
            self,
            observed=spread(self.observed),
            draw=lambda n: np.nan_to_num(spread(self.draw(n))),
            p=None if self.p is None else spread(self.p),
            scale=self.scale if np.ndim(self.scale) == 0 else spread(self.scale),
        )


@dataclass(frozen=True)
class FamilyTest:
    """p-values of a family, and the critical values that make intervals of them.

    Parameters
    ----------
    p, p_corrected : ndarray of shape (n_hypotheses,)
        Uncorrected and corrected; NaN for what was not tested.
    significant : ndarray of bool of shape (n_hypotheses,)
        Whether the corrected p-value is at most the level.
    critical : ndarray of shape (n_hypotheses,)
        What each statistic has to exceed for an uncorrected p-value of at most 0.05,
        by the draws; NaN without any.
    level_family : ndarray of shape (n_hypotheses,)
        The uncorrected level at which intervals hold for all together. With step-down
        that of its first step: later ones have no simultaneous intervals. For false
        discovery rates intervals hold for those that are significant, on average.
    critical_family : ndarray of shape (n_hypotheses,)
        What each statistic has to exceed for that, by the draws; NaN without any.
    n_draws : int
        Draws; 0 where nothing was drawn.
    """

    p: np.ndarray
    p_corrected: np.ndarray
    significant: np.ndarray
    level_family: np.ndarray
    critical: np.ndarray
    critical_family: np.ndarray
    n_draws: int = 0


def marginal_p_values(observed, drawn):
    """Share of the draws that are as large, the observed one counted too."""
    as_large = np.sum(drawn >= (observed * (1 - _TIE))[:, None], axis=1)
    return np.where(np.isnan(observed), np.nan, (1 + as_large) / (1 + drawn.shape[1]))


def step_down_p_values(observed, drawn):
    r"""Correct by Westfall and Young's step-down method, from maxima.

    With the hypotheses ordered by their statistics, :math:`t_{(1)} \ge t_{(2)} \ge
    \ldots`, and statistics :math:`t^*_b` of B draws under the null,

    .. math:: \tilde p_{(j)} = \max_{i \le j}
              \frac{1 + \#\{b : \max_{k \ge i} t^*_{b(k)} \ge t_{(i)}\}}{1 + B} .

    It holds the family-wise level whichever hypotheses are true, if the draws of the
    true ones do not depend on the others being false.

    Parameters
    ----------
    observed : ndarray of shape (n_hypotheses,)
        Statistics; NaN for what is not tested.
    drawn : ndarray of shape (n_hypotheses, n_draws)
        Statistics under the null.

    Returns
    -------
    p_corrected : ndarray of shape (n_hypotheses,)
        NaN for what is not tested.

    References
    ----------
    .. [1] P. H. Westfall, S. S. Young (1993). "Resampling-Based Multiple Testing".
       Wiley.
    .. [2] J. P. Romano, M. Wolf (2005). "Exact and approximate stepdown methods for
       multiple hypothesis testing". JASA 100.

    Examples
    --------
    The larger statistic is compared with the larger of two, the other with its own:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._step_down import step_down_p_values
    >>> drawn = np.array([[0.5, 1.0, 2.0, 0.1], [3.0, 0.2, 0.3, 0.4]])
    >>> step_down_p_values(np.array([1.5, 2.5]), drawn)
    array([0.4, 0.4])
    """
    p = np.full(len(observed), np.nan)
    tested = np.flatnonzero(~np.isnan(observed))
    order = tested[np.argsort(-observed[tested], kind="stable")]
    largest = np.maximum.accumulate(drawn[order[::-1]], axis=0)[::-1]
    as_large = np.sum(largest >= (observed[order] * (1 - _TIE))[:, None], axis=1)
    p[order] = np.maximum.accumulate((1 + as_large) / (1 + drawn.shape[1]))
    return p


def find_critical_value(drawn, level):
    """What a statistic must exceed for a p-value of at most a level, by row.

    Infinite where there are too few draws for such a p-value.
    """
    k = int(np.floor(level * (1 + drawn.shape[1]) + 1e-9))
    if k < 1:
        return np.full(len(drawn), np.inf)
    return np.partition(drawn, drawn.shape[1] - k, axis=1)[:, drawn.shape[1] - k]


def run_family(null, p, tested, *, alpha, correction, n_more=0, n_permutations="auto"):
    """Correct the p-values of a family.

    Draws go on, up to `MOST`, for as long as a corrected p-value is within three of
    its Monte Carlo standard errors of the level (in the manner of Besag and Clifford
    1991, "Sequential Monte Carlo p-values", Biometrika 78).

    Parameters
    ----------
    null : NullDistribution or None
        Of the family. None: p-values are given, and step-down is Holm's.
    p : array-like of shape (n_hypotheses,)
        Uncorrected p-values, used where `null` has none and draws nothing.
    tested : ndarray of bool of shape (n_hypotheses,)
        Which hypotheses count.
    alpha : float
        Level after correction.
    correction : str
        "step-down", or as in `adjust_p_values`.
    n_more : int, default=0
        Further tests on the same rows. Nothing is known of their dependence: they
        count by Bonferroni's inequality.
    n_permutations : int or "auto", default="auto"
        How many draws; "auto" decides by the p-values.

    Returns
    -------
    found : FamilyTest
        NaN and False for what is not tested.
    """
    if null is None or (null.p is not None and correction != "step-down"):
        given = p if null is None else null.p
        return _correct_given(given, tested, alpha, correction, n_more)
    observed = np.where(tested, null.observed, np.nan)
    n_tests = np.sum(tested) + n_more
    drawn = np.empty((len(observed), 0))
    for wanted in _plan_draws(n_permutations, n_tests, alpha):
        with show_progress(f"{wanted:,} permutations"):
            more = null.draw(wanted - drawn.shape[1])
        drawn = np.concatenate([drawn, more], axis=1)
        p = marginal_p_values(observed, drawn) if null.p is None else null.p
        p = np.where(np.isnan(observed), np.nan, p)
        corrected = _correct(null, observed, drawn, p, alpha, correction, n_more)
        if _is_clear(corrected, p, wanted, alpha):
            break
    significant = np.nan_to_num(corrected, nan=1.0) <= alpha
    return FamilyTest(
        p,
        corrected,
        significant,
        *_find_critical_values(
            null, drawn, ~np.isnan(observed), alpha, correction, n_tests, significant
        ),
        drawn.shape[1],
    )


def _correct_given(p, tested, alpha, correction, n_more):
    """The family of given p-values, without draws."""
    p = np.where(tested, np.asarray(p, dtype=float), np.nan)
    table = adjust_p_values(p, tested, alpha, correction, n_more)
    significant = table["significant"].to_numpy(dtype=bool)
    n_tests = max(np.sum(tested) + n_more, 1)
    level = find_level_each(correction, alpha, n_tests, significant.sum())
    nothing = np.full(len(p), np.nan)
    corrected = table["p_corrected"].to_numpy(dtype=float)
    return FamilyTest(
        p, corrected, significant, np.full(len(p), level), nothing, nothing
    )


def _find_critical_values(null, drawn, tested, alpha, correction, n_tests, significant):
    """Level of the family, and critical values of each hypothesis and of it."""
    level, critical, family = (np.full(len(tested), np.nan) for _ in range(3))
    own = drawn[tested]
    if not len(own):
        return level, critical, family
    critical[tested] = find_critical_value(own, 0.05)
    if correction == "step-down":
        share = alpha * len(own) / n_tests
        family[tested] = find_critical_value(own.max(axis=0)[None], share)
        level[tested] = null.find_level(family[tested])
    else:
        level[:] = find_level_each(correction, alpha, n_tests, significant.sum())
        family[tested] = find_critical_value(own, level[0])
    return level, critical, family


def align_interval(lower, upper, significant):
    """Make intervals contain 0 where, and only where, nothing is significant.

    A step-down test rejects a little more than its single-step intervals exclude: of
    these the interval is cut at 0, since the sign is known. Where further tests count,
    it may reject less: the interval is then widened up to 0.
    """
    lower, upper, middle = np.array(lower), np.array(upper), (lower + upper) / 2
    known = ~np.isnan(middle)
    rises, falls = (
        significant & known & (middle > 0),
        significant & known & (middle < 0),
    )
    lower[rises] = np.maximum(lower[rises], 0.0)
    upper[falls] = np.minimum(upper[falls], 0.0)
    open_ = known & ~significant
    tiny = np.finfo(float).tiny
    lower[open_] = np.minimum(lower[open_], -tiny)
    upper[open_] = np.maximum(upper[open_], tiny)
    return lower, upper


def find_level_each(correction, alpha, n_tests, n_significant):
    """Uncorrected level of the intervals that agree with a correction.

    Bonferroni's for family-wise ones; for false discovery rates that of Benjamini and
    Yekutieli 2005, "False discovery rate-adjusted multiple confidence intervals for
    selected parameters" (JASA 100).
    """
    if correction not in ("fdr_bh", "fdr_by"):
        return alpha / n_tests
    harmonic = 1.0 if correction == "fdr_bh" else np.sum(1 / np.arange(1, n_tests + 1))
    return max(n_significant, 1) * alpha / n_tests / harmonic


def _plan_draws(n_permutations, n_tests, alpha):
    """Numbers of draws after which p-values are looked at."""
    if n_permutations != "auto":
        return [n_permutations]
    # enough for the smallest p-value to be far below the level, once corrected
    return [FEWEST, 4 * FEWEST + 3, max(MOST, int(np.ceil(10 * n_tests / alpha)))]


def _correct(null, observed, drawn, p, alpha, correction, n_more):
    """Corrected p-values by all draws so far."""
    tested = ~np.isnan(observed)
    if correction != "step-down":
        table = adjust_p_values(p, tested, alpha, correction, n_more)
        return table["p_corrected"].to_numpy()
    corrected = step_down_p_values(observed, drawn)
    if n_more:  # a chance for each of the other tests to reach as small a p-value
        order = np.argsort(np.where(tested, -observed, np.inf), kind="stable")
        corrected = np.minimum(corrected + n_more * p, 1.0)
        corrected[order] = np.fmax.accumulate(corrected[order])
        corrected[~tested] = np.nan
    corrected = np.fmax(corrected, np.where(tested, p, np.nan))
    if null.exact or null.rough:
        holm = adjust_p_values(p, tested, alpha, "holm", n_more)
        choose = np.fmin if null.exact else np.fmax
        corrected = choose(corrected, holm["p_corrected"].to_numpy())
    return corrected


def _is_clear(corrected, p, n_draws, alpha):
    """Tell whether more draws would hardly move a corrected p-value past the level."""
    there = ~np.isnan(corrected)
    q, own = corrected[there], np.maximum(p[there], 1 / (1 + n_draws))
    factor = np.maximum(q / own, 1.0)  # Holm and the like multiply errors, too
    share = q / factor
    error = factor * np.sqrt(share * (1 - share) / n_draws)
    return bool((np.abs(q - alpha) > _CLEAR * error).all())
