"""The columns of the design: covariates, and which rows are a pair."""

import numpy as np
import pandas as pd

from .._utils._labels import to_key
from .._utils._printable import escape_surrogates, quote_value
from ..exceptions import InputError
from ._class_labels import merge_spellings
from ._dates import are_dates, convert_dates
from ._numbers import read_numbers
from ._targets import take_numbers
from ._values import name_first, name_value, suggest_option

_MOST_LEVELS = 50  # of a covariate that is no number


def parse_covariates(kept, names, *, note, decimal=None):
    """Return numbers, or labels of categories, by the names of their columns."""
    columns = {
        escape_surrogates(name): _parse_covariate(
            name, kept[f"covariate {i}"], note, decimal
        )
        for i, name in enumerate(names)
    }
    return pd.DataFrame(columns)


def _parse_covariate(name, values, note, decimal):
    what = f"the covariate {name_value(name)}"
    if len(set(map(to_key, values))) == 1:
        raise InputError(
            f"{what} holds one and the same value, {name_value(values.iloc[0])}, in "
            f"all {len(values)} rows."
        )
    found = read_numbers(values, decimal)
    words = values[found.is_word]
    if words.empty and not (found.doubt and found.doubt.settled_by is None):
        return take_numbers(found, values, what, note)
    if words.empty:
        note(f"{what} holds {found.doubt.reason}: each value is taken as a category.")
    elif are_dates(words):
        note(f"{what} holds dates, and is taken as the days since the first of them.")
        return convert_dates(values, "days", what, option=None)
    labels = merge_spellings(values, what, note)
    n_levels = len(set(labels))
    named = name_first(values if words.empty else words)
    if n_levels > _MOST_LEVELS:
        raise InputError(
            f"{what} holds {n_levels} different values, among them {named}, which are "
            f"no numbers. At most {_MOST_LEVELS} can be told apart. If rows of one "
            "value are to be kept together, use --groups."
        )
    if 0 < len(words) < len(values) / 2:
        note(
            f"{what} holds numbers beside {named}: each value is taken as a category. "
            f"If what is no number stands for none: "
            f"{suggest_option('--missing', words.unique())}."
        )
    return labels.astype(object)


def find_rows_in_pairs(rows, column, classes):
    """Mark the rows in a pair that can be used, and count by reason why others are not.

    If the target is of `classes`, it says who won: a pair needs a row of either class.
    """
    sizes = rows.groupby("pair")["pair"].transform("size")
    many = rows["pair"][sizes > 2]
    if len(many):
        raise InputError(
            f"the pair column {quote_value(column)} holds {quote_value(many.iloc[0])} "
            f"in {sizes[many.index[0]]} rows with a text and a target "
            f"({many.nunique()} such values in all). A pair has two rows, one per text."
        )
    if classes and rows["target"].nunique() != 2:
        raise InputError(
            f"--pairwise {quote_value(column)} needs a target that says who won: two "
            f"classes, but {name_first(rows['target'])} were found. If the target is "
            "a quantity, choose --task regression."
        )
    dropped, usable = {}, np.ones(len(rows), dtype=bool)
    for reason, mask in {
        "without_partner": sizes == 1,
        "of_identical_texts": _equals_partner(rows, "text"),
        "without_winner": _equals_partner(rows, "target") & classes,
    }.items():
        dropped[reason] = int((mask & usable).sum())
        usable &= ~mask.to_numpy()
    if not usable.any():
        raise InputError(
            f"the pair column {quote_value(column)} leaves no pair of two different "
            "texts" + (" of which one won." if classes else ".")
        )
    return usable, dropped


def _equals_partner(rows, column):
    same = rows.groupby("pair")[column].transform("nunique") == 1
    return same & rows["pair"].duplicated(keep=False)
