"""Estimates over their standard errors, where spreads may differ, on one scale.

For few rows on one side a variance that lets spreads differ is very uncertain, and one
that does not is wrong where they do. Both are used here, with weights that depend on
how far this hypothesis, and the family of hypotheses, show that spreads differ.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

# Standard deviations (of the score of two variances, were spreads equal) that are half
# way from the pooled to the robust one: for targets of which believing it late, or
# soon, finds more, and where the family shows that spreads differ.
BOLD, CAREFUL, _UNEQUAL = 3.0, 1.0, -1.0
_STEEPNESS = 4.0  # of the way, per standard deviation

# Scores above this count as large, and so large a share of them is there by chance; a
# family shows that spreads differ if its share is so many standard deviations above
# that of permuted targets
_LARGE, _LARGE_BY_CHANCE, _SURPRISING = 2.0, 0.0225, 3.0


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

    With the score s of robust over pooled variance (see `Fits`),

    .. math:: w = \frac{1}{1 + e^{-4 (s - c)}}, \quad
              v = v_p + w \max(v_r - v_p, 0), \quad
              1 / \nu = (1 - w) / \nu_p + w / \nu_r .

    One hypothesis that holds of a few rows cannot tell more. A family can: where more
    of its scores are large than of those of permuted targets, spreads do differ by
    hypothesis, some of them unnoticed, and c falls from `half_way` to -1 for all.

    Parameters
    ----------
    half_way : float, default=1.0
        c, where nothing speaks for unequal spreads.
    chance : tuple of float or None, default=None
        Mean and standard deviation of the share of large scores under permuted targets;
        None: the family is not asked.
    caution : float, default=1.0
        What normal scores are divided by where the family does show unequal spreads.
        Permutations make spreads alike. Where a target has heavy tails, its permuted
        scores have light ones, since a large value is in numerator and error: their
        maxima are below those of normal scores. A hypothesis with a spread of its own
        is nearly normal, though.

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

    half_way: float = CAREFUL
    chance: tuple | None = None
    caution: float = 1.0

    def apply(self, fits):
        """Return the Estimates of Fits."""
        score = fits.find_spread_scores()
        believed = np.zeros((len(score), 1))
        if self.chance is not None:
            mean, sd = self.chance
            excess = (_share_large(score) - mean) / sd
            believed = special.expit(2 * (excess - _SURPRISING))[:, None]
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
    r"""Choose what finds most, from permuted targets.

    Whether to believe a larger variance soon or late depends on the target. Where tails
    are heavy, late means that one large value among few makes the largest scores of
    all; where they are not, soon means few degrees of freedom for nothing. For either
    the critical value :math:`q_{0.95}` of the maxima is found, and the share of
    estimates that exceed it when they are shifted, up and down, by the normal quantile
    :math:`z_{1 - 0.025 / h}` times their pooled standard error, h being the hypotheses.
    The caution is :math:`\max(1, z_{1 - 0.025 / h} / q_{0.95})`.

    Only permuted values are looked at, so that permutation tests stay exact.

    Parameters
    ----------
    pilot : Fits
        Of targets under the null.

    Returns
    -------
    studentizer : Studentizer
    """
    n_hypotheses = pilot.coef.shape[1]
    if not n_hypotheses:
        return Studentizer()
    share = _share_large(pilot.find_spread_scores())
    sd = max(share.std(), np.sqrt(_LARGE_BY_CHANCE / n_hypotheses))
    normal = stats.norm.isf(0.025 / n_hypotheses)
    shift = normal * np.sqrt(np.median(pilot.pooled, axis=0))
    best, most = None, -np.inf
    for half_way in (BOLD, CAREFUL):
        tried = Studentizer(half_way, (share.mean(), sd))
        critical = _find_critical(tried.apply(pilot).z)
        caution = max(1.0, normal / critical) if critical > 0 else 1.0
        tried = replace(tried, caution=caution)
        estimates = tried.apply(pilot)
        critical = _find_critical(estimates.z)
        shifted = (replace(estimates, coef=pilot.coef + d) for d in (shift, -shift))
        found = sum(np.mean(each.z > critical) for each in shifted)
        if found > most:
            best, most = tried, found
    return best


def _share_large(score):
    """Share of the hypotheses whose spreads differ by more than two sd, by draw."""
    return special.expit(_STEEPNESS * (score - _LARGE)).mean(axis=1)


def _find_critical(z):
    """What 5 % of the largest scores exceed."""
    return np.quantile(z.max(axis=1), 0.95)
