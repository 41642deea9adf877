"""How far several codings of the same texts, 1, 0 and NaN, agree."""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

_COLUMNS = ["hypothesis", "n", "prevalence", "identical", "alpha"]
_PAIR_COLUMNS = ["n", "first_yes", "second_yes", "identical", "kappa"]


def compute_kappa(first, second, weights=None):
    """Compute Cohen's kappa of two codings without NaN.

    0 for agreement by chance, 1 for identical codings; NaN where both hold one and the
    same value throughout, and there is no agreement beyond chance.
    """
    if len(np.unique(np.concatenate([first, second]))) < 2:
        return np.nan
    return float(cohen_kappa_score(first, second, sample_weight=weights))


def compare_codings(first, second):
    """Compare two codings, 1, 0 or NaN, of the same texts.

    Returns
    -------
    found : dict
        "n" texts that both have coded, the share of them of which each said yes
        ("first_yes", "second_yes"), the share coded alike ("identical"), and Cohen's
        "kappa".
    """
    both = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[both], second[both]
    values = [np.nan] * 4
    if len(a):
        values = [a.mean(), b.mean(), (a == b).mean(), compute_kappa(a, b)]
    return dict(zip(_PAIR_COLUMNS, [len(a), *map(float, values)], strict=True))


def compute_krippendorff_alpha(codings):
    r"""Compute Krippendorff's alpha of codings 1, 0 and NaN.

    .. math:: \alpha = 1 - \frac{D_o}{D_e}, \quad
              D_o = \frac{1}{n} \sum_u \frac{2 n_{u0} n_{u1}}{n_u - 1}, \quad
              D_e = \frac{2 n_0 n_1}{n (n - 1)}

    over the texts u with :math:`n_u \ge 2` answers, which are n together. It is 1 for
    identical codings, 0 for agreement by chance, and takes any number of coders and of
    missing answers. NaN if there is but one value, or nothing to compare.

    Parameters
    ----------
    codings : ndarray of shape (n_coders, n_texts)
        1, 0 or NaN.

    References
    ----------
    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".

    Examples
    --------
    The binary example of the reference:

    >>> import numpy as np
    >>> from sklearn_hypo._annotation._agreement import compute_krippendorff_alpha
    >>> meg = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    >>> owen = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(compute_krippendorff_alpha(np.array([meg, owen], dtype=float)), 3)
    0.095
    """
    n_answers = (~np.isnan(codings)).sum(axis=0)
    n_yes = np.nansum(codings, axis=0)
    among = n_answers > 1
    n_answers, n_yes = n_answers[among], n_yes[among]
    n, total_yes = n_answers.sum(), n_yes.sum()
    expected = 2 * total_yes * (n - total_yes) / (n * (n - 1)) if n else 0.0
    if expected == 0:
        return np.nan
    observed = (2 * n_yes * (n_answers - n_yes) / (n_answers - 1)).sum() / n
    return float(1 - observed / expected)


def tabulate_agreement(votes, statements, names):
    """Tabulate how far annotators agree.

    Parameters
    ----------
    votes : ndarray of shape (n_annotators, n_texts, n_hypotheses)
        1, 0 or NaN.
    statements, names : sequence of str
        The hypotheses, and the annotators.

    Returns
    -------
    agreement : DataFrame
        One row per hypothesis: "hypothesis", "n" (texts with two answers or more),
        "prevalence" (mean share of yes among the answers), "identical" (share of these
        texts with one and the same answer), "alpha" (Krippendorff's).
    pairs : DataFrame
        One row per hypothesis and pair of annotators: "hypothesis", "first",
        "second", and what `compare_codings` returns.
    """
    rows, pairs = [], []
    for j, statement in enumerate(statements):
        own = votes[:, :, j]
        compared = own[:, (~np.isnan(own)).sum(axis=0) > 1]
        alike = np.nanmin(compared, axis=0) == np.nanmax(compared, axis=0)
        shares = [np.nanmean(compared), alike.mean()] if len(alike) else [np.nan] * 2
        alpha = compute_krippendorff_alpha(own)
        rows.append([statement, len(alike), *map(float, shares), alpha])
        for a, b in combinations(range(len(names)), 2):
            pair = {"hypothesis": statement, "first": names[a], "second": names[b]}
            pairs.append(pair | compare_codings(own[a], own[b]))
    columns = ["hypothesis", "first", "second", *_PAIR_COLUMNS]
    return pd.DataFrame(rows, columns=_COLUMNS), pd.DataFrame(pairs, columns=columns)
