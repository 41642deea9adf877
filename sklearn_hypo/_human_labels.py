"""Labels that people gave to some of the rows, and how far two codings agree."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score


@dataclass(frozen=True, eq=False)
class HumanLabels:
    """Labels by a person for a random sample of the rows.

    Parameters
    ----------
    labels : DataFrame of shape (n_rows, n_hypotheses)
        1, 0, or NaN where there is no label; one column per hypothesis.
    probability : ndarray of shape (n_rows,)
        Probability with which each row was drawn for labelling; NaN for the others.
    unreadable : DataFrame
        Cells that hold no label that can be read: "line", "id", "hypothesis",
        "value".

    See Also
    --------
    read_labels : Makes it from a labelling sheet.
    correct_for_annotation_error : Uses it.
    """

    labels: pd.DataFrame
    probability: np.ndarray
    unreadable: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def n_labelled(self):
        """Rows with a label for each hypothesis."""
        return self.labels.notna().sum()


def agreement_figures(truth, guess, weights=None):
    r"""Compare a coding with one that is taken for the truth.

    Parameters
    ----------
    truth, guess : ndarray of shape (n_rows,)
        1 and 0.
    weights : ndarray of shape (n_rows,), default=None
        Weights, such as inverse probabilities of being labelled.

    Returns
    -------
    figures : dict of str to float
        "sensitivity" (share of the true 1 that are guessed), "specificity" (share of
        the true 0) and "agreement" (Cohen's kappa, 0 for guesses by chance, 1 for
        identical codings). NaN where there is nothing to compare.

    Examples
    --------
    One of two positives is missed:

    >>> import numpy as np
    >>> from sklearn_hypo._human_labels import agreement_figures
    >>> agreement_figures(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]))
    {'sensitivity': 0.5, 'specificity': 1.0, 'agreement': 0.5}
    """
    weights = np.ones(len(truth)) if weights is None else weights
    yes = truth == 1
    kappa = np.nan
    # of one and the same value throughout there is no agreement beyond chance
    if len(np.unique(np.concatenate([truth, guess]))) > 1:
        kappa = cohen_kappa_score(truth, guess, sample_weight=weights)
    return {
        "sensitivity": _share(weights, yes, guess == 1),
        "specificity": _share(weights, ~yes, guess == 0),
        "agreement": float(kappa),
    }


def _share(weights, among, holds):
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
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_hypo._human_labels import HumanLabels, coder_agreement
    >>> one = HumanLabels(pd.DataFrame({"is a joke": [1.0, 1, 0, 0]}), np.ones(4))
    >>> two = HumanLabels(pd.DataFrame({"is a joke": [1.0, 0, 0, np.nan]}), np.ones(4))
    >>> coder_agreement(one, two).round(2)
      hypothesis  n  first  second  identical  agreement
    0  is a joke  3   0.67    0.33       0.67        0.4
    """
    if list(first.labels) != list(second.labels) or len(first.labels) != len(
        second.labels
    ):
        raise ValueError(
            "The two codings differ in their rows or hypotheses "
            f"({first.labels.shape} and {second.labels.shape}). Read both with the "
            "same report or texts."
        )
    table = []
    for j, name in enumerate(first.labels):
        a, b = first.labels.iloc[:, j].to_numpy(), second.labels.iloc[:, j].to_numpy()
        both = ~np.isnan(a) & ~np.isnan(b)
        a, b = a[both], b[both]
        nothing = not len(a)
        table.append(
            {
                "hypothesis": name,
                "n": len(a),
                "first": np.nan if nothing else a.mean(),
                "second": np.nan if nothing else b.mean(),
                "identical": np.nan if nothing else (a == b).mean(),
                "agreement": agreement_figures(a, b)["agreement"],
            }
        )
    return pd.DataFrame(table)
