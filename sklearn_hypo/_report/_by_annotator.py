"""The tests of the same hypotheses under several annotators, side by side in words."""

import numpy as np
import pandas as pd

from .._utils._printable import to_printable
from ._formats import format_number, format_p


def choose_effect(tables):
    """Return "coef" if there is any, else "separation": for more than two classes."""
    has_coef = any(table["coef"].notna().any() for table in tables)
    return "coef" if has_coef else "separation"


def find_flips(by_annotator):
    """Return the hypotheses whose verdict is not the same under all annotators.

    Parameters
    ----------
    by_annotator : DataFrame
        As `HypothesisReport.by_annotator`.

    Returns
    -------
    flips : list of str
        In the order of the table.
    """
    verdicts = by_annotator.groupby("hypothesis", sort=False)["verdict"].nunique()
    return verdicts.index[verdicts > 1].tolist()


def write_side_by_side(by_annotator):
    """Return estimate and corrected p-value as texts, one column per annotator.

    Parameters
    ----------
    by_annotator : DataFrame
        As `HypothesisReport.by_annotator`.

    Returns
    -------
    cells : DataFrame
        One row per hypothesis, in their order; "*" is significant.
    """
    effect = choose_effect([by_annotator])
    columns = {}
    for name, own in by_annotator.groupby("annotator", sort=False):
        cells = zip(own[effect], own["p_corrected"], own["significant"], strict=True)
        columns[to_printable(name)] = [_write_cell(*cell) for cell in cells]
    return pd.DataFrame(columns)


def _write_cell(estimate, p, significant):
    if np.isnan(estimate):
        return "-"
    return f"{format_number(estimate)} ({format_p(p)}{'*' if significant else ''})"
