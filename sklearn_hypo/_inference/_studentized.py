"""Estimates over their standard errors, where spreads may differ, on one scale.

For few rows on one side a variance that lets spreads differ is very uncertain, and one
that does not is wrong where they do. Both are used here, with weights that depend on
how far this hypothesis, and the family of hypotheses, show that spreads differ.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

# Scores of robust over pooled variances, in standard deviations under equal spreads,
# that are half way from the one to the other:
SOON, LATE = 1.0, 3.0  # the bounds, where nothing is known of the family
_UNEQUAL = -1.0  # where the family shows that spreads differ
_STEEPNESS = 4.0  # of the way, per standard deviation

# Fewer hypotheses than this say less of each other: the latest is reached at 20
_PER_HYPOTHESIS = 0.1

# By how much of the shifts more must be found for the one bound, or the other
_CLEAR = 0.02

# Scores above this count as large, and so large a share of them is there by chance
_LARGE, _LARGE_BY_CHANCE = 2.0, 0.0225

# A family shows that spreads differ if its share of large scores is so many standard
# deviations above that of permuted targets; and how steeply
_SURPRISING, _SURPRISE_STEEPNESS = 3.0, 2.0


def to_z(t, df):
    r"""Turn t statistics into normal scores, as near as Wallace's formula.

    .. math:: z = \frac{8 \nu + 1}{8 \nu + 3}
              \sqrt{\nu \log\bigl(1 + t^2 / \nu\bigr)}

    Parameters
    ----------
    t : ndarray
        Statistics; their sign is lost.
    df : ndarray
        Degrees of freedom; infinite ones change nothing.

    References
    ----------
    .. [1] D. L. Wallace (1959). "Bounds on normal approximations to Student's and the
       chi-square distributions". Annals of Mathematical Statistics 30.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> from sklearn_hypo._inference._studentized import to_z
    >>> to_z(3.0, 8.0).round(1), stats.norm.isf(stats.t.sf(3.0, 8)).round(1)
    (np.float64(2.4), np.float64(2.4))
    """
    t, df = np.broadcast_arrays(np.abs(np.asarray(t, float)), np.asarray(df, float))
    finite = np.isfinite(df)
    nu = np.where(finite, df, 1.0)
    z = np.sqrt(nu * np.log1p(t * t / nu)) * (8 * nu + 1) / (8 * nu + 3)
    return np.where(finite, z, t)


def from_z(z, df):
    """Turn normal scores into t statistics: the inverse of `to_z`."""
    z, df = np.broadcast_arrays(np.asarray(z, float), np.asarray(df, float))
    finite = np.isfinite(df)
    nu = np.where(finite, df, 1.0)
    with np.errstate(over="ignore"):
        squared = np.expm1((z * (8 * nu + 3) / (8 * nu + 1)) ** 2 / nu) * nu
    return np.where(finite, np.sqrt(squared), z)


@dataclass(frozen=True)
class Fits:
    """Least squares for a block of targets, with variances of two kinds.

    Parameters
    ----------
    coef : ndarray of shape (n_draws, n_hypotheses)
        Estimates.
    pooled, robust : ndarray of shape (n_draws, n_hypotheses)
        Variances that take spreads as equal, and that do not (HC2).
    df_pooled : float or ndarray of shape (n_hypotheses,)
        Rows less columns.
    df_robust : ndarray of shape (n_hypotheses,)
        Degrees of freedom of the robust ones under equal spreads (Bell and McCaffrey).
    """

    coef: np.ndarray
    pooled: np.ndarray
    robust: np.ndarray
    df_pooled: np.ndarray | float
    df_robust: np.ndarray

    @classmethod
    def join(cls, parts, axis=0):
        """Join those of several blocks of targets, or, with axis 1, of hypotheses."""
        names = ("coef", "pooled", "robust")
        if axis == 0:
            dfs = parts[0].df_pooled, parts[0].df_robust
        else:
            every = [
                np.broadcast_arrays(part.df_pooled, part.df_robust) for part in parts
            ]
            dfs = (np.concatenate(each) for each in zip(*every, strict=True))
        return cls(
            *(
                np.concatenate([getattr(part, n) for part in parts], axis)
                for n in names
            ),
            *dfs,
        )

    @property
    def usable_df(self):
        """Degrees of freedom of the robust variances, 1 where there are none."""
        return np.where(self.df_robust > 0, self.df_robust, 1.0)

    def find_spread_scores(self):
        r"""Normal scores of robust over pooled variances, were spreads equal.

        Those of Wilson and Hilferty for :math:`\chi^2_\nu / \nu`.
        """
        share = 2 / (9 * self.usable_df)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.cbrt(self.robust / self.pooled)
        ratio = np.nan_to_num(ratio, nan=1.0, posinf=1e3)
        return (ratio - (1 - share)) / np.sqrt(share)


@dataclass(frozen=True)
class Estimates:
    """Estimates for a block of targets, and what they are divided by.

    Parameters
    ----------
    coef, variance : ndarray of shape (n_draws, n_hypotheses)
        Estimates and their variances.
    df : ndarray of shape (n_draws, n_hypotheses) or (n_hypotheses,)
        Degrees of freedom of the variances.
    damp : ndarray of shape (n_draws, n_hypotheses) or float, default=1.0
        What normal scores are divided by.
    """

    coef: np.ndarray
    variance: np.ndarray
    df: np.ndarray
    damp: np.ndarray | float = 1.0

    @property
    def z(self):
        """Absolute normal scores, damped; 0 where an estimate has no variance."""
        t = np.zeros_like(self.coef)
        np.divide(self.coef, np.sqrt(self.variance), out=t, where=self.variance > 0)
        return to_z(t, self.df) / self.damp


@dataclass(frozen=True)
class Studentizer:
    r"""Choose variances and degrees of freedom from two kinds.

    With the scores :math:`s_j` of robust over pooled variances (see `Fits`) and the
    logistic function :math:`\sigma`,

    .. math:: w_j = \sigma(4 (s_j - c)), \quad
              v_j = v_{pj} + w_j \max(v_{rj} - v_{pj}, 0), \quad
              1 / \nu_j = (1 - w_j) / \nu_{pj} + w_j / \nu_{rj} .

    One hypothesis that holds of a few rows hardly tells whether its spread differs. A
    family can. With the share :math:`S = \sum_j \sigma(4 (s_j - 2)) / h` of large
    scores, and its mean m and standard deviation d under permuted targets,

    .. math:: b = \sigma(2 ((S - m) / d - 3)), \quad c = c_0 + (-1 - c_0) b :

    where the share is far above that of permuted targets, spreads do go with
    hypotheses, some of them unnoticed, and robust variances count for all. Normal
    scores are then divided by :math:`1 + w_j b (\kappa - 1)` besides, :math:`\kappa`
    being the caution.

    Parameters
    ----------
    half_way : float, default=1.0
        :math:`c_0`.
    chance : tuple of float or None, default=None
        m and d. None: b = 0.
    caution : float, default=1.0
        :math:`\kappa`. Permutations make spreads alike. Where the target has heavy
        tails, or a few rows of a large spread, permuted scores are smaller than normal
        ones, since a large value is in numerator and error. The score of a hypothesis
        whose rows have a spread of their own is not, if they are normal.

    Examples
    --------
    Ten rows whose spread is three times that of the others, by the estimate of it:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._studentized import Fits, Studentizer
    >>> one = np.ones((1, 1))
    >>> found = Fits(3 * one, one, 9 * one, 498.0, np.array([9.2]))
    >>> estimates = Studentizer().apply(found)
    >>> estimates.variance.round(3), estimates.df.round(1)
    (array([[9.]]), array([[9.2]]))
    """

    half_way: float = SOON
    chance: tuple | None = None
    caution: float = 1.0

    def apply(self, fits):
        """Return the Estimates of Fits."""
        score = fits.find_spread_scores()
        believed = np.zeros((len(score), 1))
        if self.chance is not None:
            mean, sd = self.chance
            excess = (_count_large(score) - mean) / sd - _SURPRISING
            believed = special.expit(_SURPRISE_STEEPNESS * excess)[:, None]
        c = self.half_way + (_UNEQUAL - self.half_way) * believed
        w = special.expit(_STEEPNESS * (score - c))
        df = 1 / ((1 - w) / fits.df_pooled + w / fits.usable_df)
        more = np.maximum(fits.robust - fits.pooled, 0)
        return Estimates(
            fits.coef,
            fits.pooled + w * more,
            np.minimum(df, fits.df_pooled),
            1 + w * believed * (self.caution - 1),
        )


def choose_studentizer(pilot):
    r"""Choose by what finds more, from permuted targets.

    Whether a larger variance is believed soon or late depends on the target. With heavy
    tails, late means that one large value among few makes the largest scores of all;
    else soon means few degrees of freedom for nothing. For both bounds of
    :math:`c_0`, 1 and :math:`\min(3, 1 + h / 10)` for h hypotheses, the critical value
    of the maxima at 0.05 is found, and the share of estimates that exceed it when they
    are shifted, up and down, by the normal quantile :math:`z_{1 - 0.025 / h}` times
    their pooled standard error. :math:`c_0` goes from the one to the other as this
    share is 0.02 larger for the first, or the second.

    The caution is :math:`\max(1, z_{1 - 0.025 / h} / q)`, with the quantile q of all
    permuted scores at :math:`1 - 0.05 / h`. d is at least that of independent scores.

    Parameters
    ----------
    pilot : Fits
        Of targets under the null.

    Returns
    -------
    studentizer : Studentizer

    References
    ----------
    .. [1] E. Chung, J. P. Romano (2013). "Exact and asymptotically robust permutation
       tests". Annals of Statistics 41. (Why studentized statistics are permuted.)
    """
    n_hypotheses = pilot.coef.shape[1]
    if not n_hypotheses:
        return Studentizer()
    share = _count_large(pilot.find_spread_scores())
    least = np.sqrt(_LARGE_BY_CHANCE / n_hypotheses)
    chance = (share.mean(), max(share.std(), least))
    late = min(LATE, SOON + _PER_HYPOTHESIS * n_hypotheses)
    gain = np.subtract(
        *(_find_power(Studentizer(bound, chance), pilot) for bound in (late, SOON))
    )
    part = np.clip(0.5 + gain / (2 * _CLEAR), 0, 1)
    return _add_caution(Studentizer(SOON + part * (late - SOON), chance), pilot)


def _count_large(score):
    """Share of large scores, by draw: those near the bound count in part."""
    return special.expit(_STEEPNESS * (score - _LARGE)).mean(axis=1)


def _bonferroni_quantile(n_hypotheses):
    return stats.norm.isf(0.025 / n_hypotheses)


def _add_caution(studentizer, pilot):
    """Compare the tail of permuted scores with that of normal ones."""
    n_hypotheses = pilot.coef.shape[1]
    tail = np.quantile(studentizer.apply(pilot).z, 1 - 0.05 / n_hypotheses)
    normal = _bonferroni_quantile(n_hypotheses)
    return replace(studentizer, caution=max(1.0, normal / tail) if tail > 0 else 1.0)


def _find_power(studentizer, pilot):
    """Share of shifted estimates that exceed what 5 % of the largest exceed."""
    estimates = _add_caution(studentizer, pilot).apply(pilot)
    critical = np.quantile(estimates.z.max(axis=1), 0.95)
    shift = np.sqrt(np.median(pilot.pooled, axis=0))
    shift *= _bonferroni_quantile(pilot.coef.shape[1])
    shifted = (replace(estimates, coef=pilot.coef + d) for d in (shift, -shift))
    return np.mean([np.mean(each.z > critical) for each in shifted])
