"""Power and half-widths of t tests, and how large a study has to be for them.

Plain functions on arrays with one value per hypothesis.
"""

import numpy as np
from scipy import special, stats

# Beyond so many degrees of freedom a t distribution is normal
_MOST_DF = 1e6

# Scales that are searched, relative to the present study, and how often they are halved
_SCALES = (1e-6, 1e9)
_HALVINGS = 70


def compute_power(effect, se, df, level):
    r"""Probability that a two-sided t test at a level finds an effect.

    With the noncentrality :math:`\delta = \beta / s`, the critical value c of the level
    and a noncentral t distribution :math:`F_{\nu, \delta}`,

    .. math:: P = 1 - F_{\nu, \delta}(c) + F_{\nu, \delta}(-c).

    Examples
    --------
    >>> from sklearn_hypo._planning._power import compute_power
    >>> compute_power(2.8, 1.0, np.inf, 0.05).round(2).item()
    0.8
    """
    df = np.clip(df, 1.0, _MOST_DF)
    critical = stats.t.isf(np.asarray(level) / 2, df)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(effect) / np.asarray(se, dtype=float)
    # far out the distribution function is not computed, and not needed
    shift, above = np.minimum(shift, critical + 37), shift > critical + 37
    power = 1 - special.nctdtr(df, shift, critical)
    # of the other side, which is NaN where it is nothing
    power = power + np.nan_to_num(special.nctdtr(df, shift, -critical))
    return np.where(above, 1.0, np.clip(power, 0.0, 1.0))


def find_scale(reaches, n_hypotheses):
    """Find the smallest scale of a study at which each hypothesis reaches an aim.

    Parameters
    ----------
    reaches : callable
        From scales of shape (n_hypotheses,) to whether each reaches it. What is reached
        at a scale is reached at larger ones.
    n_hypotheses : int
        How many there are.

    Returns
    -------
    scale : ndarray of shape (n_hypotheses,)
        Infinite where no scale will do.
    """
    low, high = (np.full(n_hypotheses, np.log(each)) for each in _SCALES)
    possible = reaches(np.exp(high))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = reaches(np.exp(middle))
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(possible, np.exp(high), np.inf)
