"""Which hypotheses rest on too little for any test to find something, y unseen."""

import numpy as np
from scipy import special, stats

from ._wild_clusters import (
    FEWEST_BEHIND,
    count_clusters_behind,
    count_clusters_needed,
)

# Texts (or groups of texts) on either side below which a mean has no spread to judge by
FEWEST = 3


def find_untestable(A, codes, n_classes, design, alpha):
    r"""Tell of which hypotheses no test could ever reject, and why.

    A hypothesis needs at least three texts that hold and three that do not (with
    groups: in as many groups). And the smallest p-value that it can have must reach
    the level: where n texts are answered and m of them hold, this is
    :math:`1 / \binom{n}{m}` for a quantity, the probability of the most extreme table
    for classes, and :math:`2^{1 - d}` for d pairs that differ. The level is that of
    Tarone: :math:`\alpha / K` with the smallest K such that no more than K hypotheses
    can reach it. All groups together have to be so many that random signs of them can
    reach :math:`\alpha`. Of the target only the sizes of classes matter, so that the
    choice costs no error.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN; of pairs the differences.
    codes : ndarray of shape (n_rows,)
        The target, or codes of classes.
    n_classes : int or None
        None for a quantity.
    design : Design
        Of the rows.
    alpha : float
        Level of the family.

    Returns
    -------
    reasons : dict of int to str
        By column; those that never vary are not among them.

    References
    ----------
    .. [1] R. E. Tarone (1990). "A modified Bonferroni method for discrete data".
       Biometrics 46.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._design import Design
    >>> from sklearn_hypo._inference._testable import find_untestable
    >>> A = np.zeros((50, 2))
    >>> A[:2, 0] = A[:9, 1] = 1
    >>> find_untestable(A, np.arange(50.0), None, Design(), 0.05)
    {0: 'true of 2 of 50'}
    """
    reasons, smallest = {}, {}
    for j, a in enumerate(A.T):
        answered = ~np.isnan(a)
        found = _measure_column(a[answered], codes[answered], n_classes, design.paired)
        if found is None:
            continue
        counts, p = found
        if design.paired:
            few, text = False, f"differs in {counts[0]} of {counts[1]} pairs"
        else:
            few = min(counts[0], counts[1] - counts[0]) < FEWEST
            text = f"true of {counts[0]} of {counts[1]}"
        if design.clusters is not None:
            groups = design.clusters[answered]
            behind = count_clusters_behind(
                a[answered, None], groups, paired=design.paired
            )[0]
            n_groups, needed = len(np.unique(groups)), count_clusters_needed(alpha)
            few = few or behind < FEWEST_BEHIND or n_groups < needed
            text = f"{text}, {behind} of {n_groups} groups behind it"
            if n_groups < needed:
                text += f", {needed} groups are needed"
        if few:
            reasons[j] = text
        else:
            smallest[j] = (p, text)
    level = find_tarone_level([p for p, _ in smallest.values()], alpha)
    for j, (p, text) in smallest.items():
        if p > level:
            reasons[j] = f"{text}: p is at least {p:.2g}"
    return dict(sorted(reasons.items()))


def find_tarone_level(smallest, alpha):
    """The uncorrected level that as many hypotheses can reach as it is corrected for.

    Examples
    --------
    Two of three can reach a third of 0.05, so that it is corrected for two:

    >>> from sklearn_hypo._inference._testable import find_tarone_level
    >>> find_tarone_level([1e-4, 1e-3, 0.04], 0.05)
    0.025
    """
    smallest, k = np.asarray(smallest, dtype=float), 1
    while np.sum(smallest <= alpha / k) > k:
        k += 1
    return alpha / k


def _measure_column(a, codes, n_classes, paired):
    """How many hold, of how many, and the smallest attainable p; None if constant."""
    if paired:
        n = int(np.count_nonzero(a))
        return ((n, len(a)), 2.0 ** (1 - n)) if n else None
    holds = int(np.sum(a == 1))
    if not 0 < holds < len(a):
        return None
    if n_classes is None:
        return (holds, len(a)), np.exp(-_log_binomial(len(a), holds))
    totals = np.bincount(codes.astype(int), minlength=n_classes)
    if np.count_nonzero(totals) < 2:  # said of the target, not of each hypothesis
        return None
    return (holds, len(a)), min(_smallest_fisher(len(a), holds, t) for t in totals)


def _log_binomial(n, m):
    return special.gammaln(n + 1) - special.gammaln(m + 1) - special.gammaln(n - m + 1)


def _smallest_fisher(n, holds, positives):
    """p-value of the less likely one of the two most extreme tables."""
    table = stats.hypergeom(n, positives, holds)
    return min(
        table.pmf(max(0, holds + positives - n)), table.pmf(min(holds, positives))
    )
