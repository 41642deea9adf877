"""Labels that people gave to some of the rows, and how far two codings agree."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import optimize

from .._annotation._agreement import compare_codings, compute_kappa


@dataclass(frozen=True, eq=False)
class HumanLabels:
    """Labels by a person for a random sample of the rows.

    Parameters
    ----------
    labels : DataFrame of shape (n_rows, n_hypotheses)
        1, 0, or NaN where there is no label; one column per hypothesis.
    probability : ndarray of shape (n_rows,)
        Probability with which each row was drawn for labelling; NaN for the others.
    unreadable : DataFrame, default=DataFrame()
        Cells that hold no label that can be read: "line", "id", "hypothesis",
        "value".

    See Also
    --------
    read_labels : Makes it from a labelling sheet.
    correct_for_annotation_error : Uses it.
    coder_agreement : Compares the labels of two people.

    Examples
    --------
    Half of the texts were drawn, and the second of them was skipped:

    >>> from sklearn_hypo import labelling_sheet, read_labels
    >>> texts = ["thank you", "go away", "come here", "please do"]
    >>> sheet = labelling_sheet(texts, ["is polite"], n=2, random_state=0)
    >>> sheet["is polite"] = ["yes", ""]
    >>> human = read_labels(sheet, texts)
    >>> human.labels["is polite"].tolist(), human.n_labelled.tolist()
    ([1.0, nan, nan, nan], [1])
    >>> human.probability.round(2)
    array([0.5, nan, nan, 0.5])
    """

    labels: pd.DataFrame
    probability: np.ndarray
    unreadable: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def n_labelled(self):
        """Number of rows with a label, by hypothesis (Series)."""
        return self.labels.notna().sum()


def measure_agreement(truth, guess, weights=None):
    """Compare a coding, 1 and 0, with one that is taken for the truth.

    Returns a dict of "sensitivity" (share of the true 1 that are guessed),
    "specificity" (share of the true 0) and "agreement" (Cohen's kappa, 0 for guesses by
    chance, 1 for identical codings). NaN where there is nothing to compare.

    Examples
    --------
    One of two positives is missed:

    >>> import numpy as np
    >>> from sklearn_hypo._annotation_error._human_labels import measure_agreement
    >>> measure_agreement(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]))
    {'sensitivity': 0.5, 'specificity': 1.0, 'agreement': 0.5}
    """
    weights = np.ones(len(truth)) if weights is None else weights
    yes = truth == 1
    return {
        "sensitivity": _compute_weighted_share(weights, yes, guess == 1),
        "specificity": _compute_weighted_share(weights, ~yes, guess == 0),
        "agreement": compute_kappa(truth, guess, weights),
    }


def _compute_weighted_share(weights, among, holds):
    total = weights[among].sum()
    return float(weights[among & holds].sum() / total) if total > 0 else np.nan


def coder_agreement(first, second):
    """Compare two people's labels of the same rows.

    Parameters
    ----------
    first, second : HumanLabels
        Of the same rows and hypotheses.

    Returns
    -------
    table : DataFrame
        One row per hypothesis: "hypothesis", "n" (rows that both labelled), "first",
        "second" (the share to which each said yes), "identical" (share of identical
        labels) and "agreement" (Cohen's kappa).

    Raises
    ------
    ValueError
        If they label different rows or hypotheses.

    Examples
    --------
    >>> from sklearn_hypo import coder_agreement, labelling_sheet, read_labels
    >>> texts = ["text one", "text two", "text three", "text four"]
    >>> sheet = labelling_sheet(texts, ["is a joke"], n=4, random_state=0)
    >>> answers = (["yes", "yes", "no", "no"], ["yes", "no", "no", ""])
    >>> sheets = (sheet.assign(**{"is a joke": each}) for each in answers)
    >>> one, two = (read_labels(each, texts) for each in sheets)
    >>> coder_agreement(one, two).round(2)
      hypothesis  n  first  second  identical  agreement
    0  is a joke  3   0.67    0.33       0.67        0.4
    """
    same_rows = len(first.labels) == len(second.labels)
    if not same_rows or list(first.labels) != list(second.labels):
        raise ValueError(
            "The two codings differ in their rows or hypotheses "
            f"({first.labels.shape} and {second.labels.shape}). Read both with the "
            "same report or texts."
        )
    table = []
    for j, name in enumerate(first.labels):
        a, b = first.labels.iloc[:, j].to_numpy(), second.labels.iloc[:, j].to_numpy()
        table.append([name, *compare_codings(a, b).values()])
    columns = ["hypothesis", "n", "first", "second", "identical", "agreement"]
    return pd.DataFrame(table, columns=columns)


def compute_inclusion_probabilities(
    n_rows, n, *, annotations=None, enrich=0.0, groups=None
):
    r"""Probability with which each row is drawn.

    .. math:: \pi_i = \min\Bigl(1, c \Bigl[\frac{1 - \lambda}{N} + \frac{\lambda}{h}
              \sum_j \frac{[a_{ij} = 1]}{N_j}\Bigr]\Bigr)

    with the enrichment :math:`\lambda`, N rows of which the machine says of
    :math:`N_j` that hypothesis j holds, and c such that n rows are expected.

    No row's weight exceeds N / (n (1 - enrich)). Groups are drawn whole, with the mean
    probability of their rows. Parameters are as in `labelling_sheet`.

    Examples
    --------
    Half the draw goes to the one row in ten of which the machine says yes:

    >>> import numpy as np
    >>> from sklearn_hypo._annotation_error import _human_labels
    >>> compute = _human_labels.compute_inclusion_probabilities
    >>> annotations = np.arange(100)[:, None] < 10
    >>> compute(100, 10, annotations=annotations, enrich=0.5)[[0, 99]]
    array([0.55, 0.05])
    """
    size = np.full(n_rows, 1 / n_rows)
    if enrich > 0:
        holds = np.asarray(annotations) == 1
        counts = holds.sum(axis=0)
        seen = counts > 0
        if seen.any():
            spread = (holds[:, seen] / counts[seen]).mean(axis=1)
            size = (1 - enrich) * size + enrich * spread
    if groups is None:
        return _scale_probabilities(size, np.ones(n_rows), n)
    codes = np.unique(groups, return_inverse=True)[1]
    members = np.bincount(codes)
    size = np.bincount(codes, weights=size) / members
    return _scale_probabilities(size, members, n)[codes]


def _scale_probabilities(size, members, n):
    """Probabilities proportional to size, at most 1, that draw n rows on average."""
    if n >= members.sum():
        return np.ones(len(size))

    def excess(scale):
        return np.minimum(1, scale * size) @ members - n

    scale = optimize.brentq(excess, 0, 1 / size.min(), xtol=1e-12, rtol=1e-15)
    return np.minimum(1, scale * size)


def draw_rows(probability, rng, groups=None):
    """Draw rows with given probabilities, which are equal within groups.

    Systematic sampling in a random order (Madow 1949): exact probabilities, and the
    number of rows (or groups) differs from its expectation by less than 1. The rows
    come in random order; those of a group together, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._annotation_error._human_labels import draw_rows
    >>> rows = draw_rows(np.full(1000, 0.05), np.random.default_rng(0))
    >>> len(rows), len(set(rows.tolist()))
    (50, 50)
    """
    codes = np.arange(len(probability))
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
    per_unit = np.empty(codes.max() + 1)
    per_unit[codes] = probability
    order = rng.permutation(len(per_unit))
    ends = np.concatenate([[0.0], np.cumsum(per_unit[order])]) + rng.random()
    # a total that is a whole number up to rounding must not gain or lose a unit
    drawn = np.diff(np.floor(ends + 1e-9)) > 0
    chosen = np.zeros(len(per_unit), dtype=bool)
    chosen[order[drawn]] = True
    place = rng.permutation(len(per_unit))[codes]
    rows = np.flatnonzero(chosen[codes])
    return rows[np.argsort(place[rows], kind="stable")]
