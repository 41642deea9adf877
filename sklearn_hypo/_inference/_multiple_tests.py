"""Correction of p-values for the number of hypotheses."""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

# What the level of each correction is a level of.
CORRECTIONS = {
    "step-down": "family",
    "bonferroni": "family",
    "holm": "family",
    "fdr_bh": "false discovery rate",
    "fdr_by": "false discovery rate",
}


def name_without_draws(correction):
    """Name the correction of p-values that no draws go with: step-down is Holm's."""
    return "holm" if correction == "step-down" else correction


def adjust_p_values(p_values, tested, alpha, correction, n_more=0):
    """Correct p-values for all tests that were made.

    Parameters
    ----------
    p_values : array-like of shape (n_hypotheses,)
        Uncorrected.
    tested : ndarray of bool of shape (n_hypotheses,)
        Which hypotheses count. One that was tested without a p-value counts with 1.
    alpha : float
        Level of significance after correction.
    correction : {"bonferroni", "holm", "step-down", "fdr_bh", "fdr_by"}
        Which. "step-down", where nothing was drawn, is Holm's: the same, for any
        dependence.
    n_more : int, default=0
        Further tests on the same rows, which count with p = 1.

    Returns
    -------
    table : DataFrame of shape (n_hypotheses, 2)
        "p_corrected" and "significant"; NaN and False where not tested.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._multiple_tests import adjust_p_values
    >>> tested = np.array([True, True, False])
    >>> adjust_p_values([0.01, 0.2, np.nan], tested, 0.05, "holm", n_more=1)
       p_corrected  significant
    0         0.03         True
    1         0.40        False
    2          NaN        False
    """
    p = np.asarray(p_values, dtype=float)
    table = pd.DataFrame({"p_corrected": np.full(len(p), np.nan), "significant": False})
    if tested.any():
        known = p[tested]
        filled = np.concatenate(
            [np.where(np.isnan(known), 1.0, known), np.ones(n_more)]
        )
        adjusted = _adjust(filled, correction)[: len(known)]
        adjusted = np.where(np.isnan(known), np.nan, adjusted)
        table.loc[tested, "p_corrected"] = adjusted
        table.loc[tested, "significant"] = adjusted <= alpha
    return table


def _adjust(p, correction):
    """Corrected p-values; false discovery rates by SciPy.

    statsmodels' `multipletests` gives the same, but collects garbage each time, which
    takes longer than a whole test.
    """
    if correction in ("fdr_bh", "fdr_by"):
        return false_discovery_control(p, method=correction[4:])
    if correction == "bonferroni":
        return np.minimum(p * len(p), 1.0)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(p[order] * factors, 1.0))
    return adjusted
