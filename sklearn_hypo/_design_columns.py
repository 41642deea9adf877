"""Covariates and pairs of a table, for the command line."""

import numpy as np
import pandas as pd

from ._table_values import label_of, mapped, some
from ._tables import InputError, encodable, shown

_MOST_LEVELS = 50  # of a covariate that is no number


def covariate_frame(columns):
    """Turn the values of covariates into numbers, or into labels of categories.

    Parameters
    ----------
    columns : dict of str to Series of object
        Bare values by the names of their columns, none missing.

    Returns
    -------
    frame : DataFrame
        float64 where all values are numbers, else strings.

    Raises
    ------
    InputError
        If a column holds one and the same value, infinite ones, or more than 50
        different ones that are no numbers.
    """
    parts = {name: _covariate(name, values) for name, values in columns.items()}
    return pd.DataFrame({encodable(name): part for name, part in parts.items()})


def _covariate(name, values):
    labels = mapped(values, label_of)
    levels = set(labels)
    if len(levels) == 1:
        raise InputError(
            f"the covariate {shown(name)} holds one and the same value, "
            f"{shown(labels.iloc[0])}, in all {len(labels)} rows."
        )
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    words = labels[numbers.isna()]
    if words.empty:
        if np.isinf(numbers).any():
            raise InputError(f"the covariate {shown(name)} holds infinite values.")
        return numbers.to_numpy()
    if len(levels) > _MOST_LEVELS:
        raise InputError(
            f"the covariate {shown(name)} holds {len(levels)} different values, among "
            f"them {some(words)}, which are no numbers. At most {_MOST_LEVELS} can be "
            "told apart. If rows of one value are to be kept together, use --groups."
        )
    return np.array([encodable(label) for label in labels], dtype=object)


def rows_in_pairs(rows, column, *, classes):
    """Tell which rows are in a pair that can be used, and why others are not.

    Parameters
    ----------
    rows : DataFrame
        With the columns text, target and pair, none missing.
    column : str
        The name of the pair column, for messages.
    classes : bool
        Whether the target says who won, so that a pair needs one row of each of two
        classes. If not, it is a quantity.

    Returns
    -------
    usable : ndarray of bool
        One per row.
    dropped : dict of str to int
        Numbers of rows by reason.

    Raises
    ------
    InputError
        If a pair has more than two rows, there are not two classes, or no pair is
        left.
    """
    sizes = rows.groupby("pair")["pair"].transform("size")
    many = rows["pair"][sizes > 2]
    if len(many):
        n = sizes[many.index[0]]
        raise InputError(
            f"the pair column {shown(column)} holds {shown(many.iloc[0])} in {n} rows "
            f"with a text and a target ({many.nunique()} such values in all). A pair "
            "has two rows, one per text."
        )
    if classes and rows["target"].nunique() != 2:
        raise InputError(
            f"--pairwise {shown(column)} needs a target that says who won: two "
            f"classes, but {some(rows['target'])} were found. If the target is a "
            "quantity, choose --task regression."
        )
    dropped, usable = {}, np.ones(len(rows), dtype=bool)
    for reason, mask in {
        "without_partner": sizes == 1,
        "of_identical_texts": _repeated(rows, "text"),
        "without_winner": _repeated(rows, "target") & classes,
    }.items():
        dropped[reason] = int((mask & usable).sum())
        usable &= ~mask.to_numpy()
    if not usable.any():
        raise InputError(
            f"the pair column {shown(column)} leaves no pair of two different texts"
            + (" of which one won." if classes else ".")
        )
    return usable, dropped


def _repeated(rows, column):
    """Mark the rows whose partner has the same value."""
    same = rows.groupby("pair")[column].transform("nunique") == 1
    return same & rows["pair"].duplicated(keep=False)
