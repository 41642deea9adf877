"""Pairs of texts of which one won: from two columns to one row per text."""

import warnings
from numbers import Number

import numpy as np
import pandas as pd

from ..exceptions import HypothesisWarning

__all__ = ["make_pairs"]

_OWN_COLUMNS = ("text", "target", "pair")


def make_pairs(texts, winner=None, *, difference=None, labels=("a", "b"), group=None):
    """Turn a two-column table of texts, of which one won, into one row per text.

    A row is a text everywhere in this package. Both members of a pair become rows,
    the target says which of them won, and `pair` says who belongs together: split
    with `GroupKFold` on it, fit a pipeline on the rows, and pass it as `pairs` to
    `evaluate_hypotheses`, which then works on differences within pairs.

    Parameters
    ----------
    texts : DataFrame, list of pairs or array of shape (n_pairs, 2)
        The two texts of each pair.
    winner : array-like of shape (n_pairs,), default=None
        Who won: the labels in `labels`; or True, or 1, where the first text won and
        False, or 0, where the second did. A missing value, or a string that begins
        with "tie", is a tie.
    difference : array-like of shape (n_pairs,), default=None
        In place of `winner`: the score of the first text minus that of the second, in
        any units. 0 and NaN are ties.
    labels : (str, str), default=("a", "b")
        How `winner` calls the first and the second text.
    group : array-like of shape (n_pairs,) or DataFrame, default=None
        What else is known of each pair and is to be carried along, such as the test
        or the author that it belongs to: the column "group", or the columns of a
        frame under their own names.

    Returns
    -------
    rows : DataFrame of shape (2 * n_kept, 3 or more)
        Two rows per pair that was kept, the first text first, with the columns

        - ``text``;
        - ``target``: 1 for the text that won, 0 for the one that lost (int64);
        - ``pair``: the number of the pair, its position in `texts`;
        - ``group``, or the columns of the frame.

    Raises
    ------
    TypeError
        If a text is not a string.
    ValueError
        If there are not two texts per pair or the lengths differ; if none or both of
        `winner` and `difference` are given, or hold what is not understood; if no
        pair is left.

    Warns
    -----
    HypothesisWarning
        Counts the pairs left out: ties, missing or blank texts, identical texts.

    See Also
    --------
    pairs_within : Makes pairs from contests with more than two texts.
    join_groups : Groups that keep equal texts together, too.

    Notes
    -----
    Pairs in the same test, or by the same judge, are not independent of each other:
    carry the test along as `group`, split on it, and pass it on as `groups`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.model_selection import GroupKFold
    >>> from sklearn_hypo import make_pairs
    >>> table = pd.DataFrame(
    ...     {
    ...         "one": ["You won't believe this", "A cat", "Why I left"],
    ...         "two": ["Report published", "A dog", "Reasons for leaving"],
    ...         "won": ["one", "two", "one"],
    ...     }
    ... )
    >>> rows = make_pairs(table[["one", "two"]], table["won"], labels=("one", "two"))
    >>> rows
                         text  target  pair
    0  You won't believe this       1     0
    1        Report published       0     0
    2                   A cat       0     1
    3                   A dog       1     1
    4              Why I left       1     2
    5     Reasons for leaving       0     2
    >>> folds = GroupKFold(3).split(rows["text"], rows["target"], rows["pair"])
    >>> [test.tolist() for _, test in folds]
    [[4, 5], [2, 3], [0, 1]]
    """
    if (winner is None) == (difference is None):
        raise ValueError(
            "make_pairs: exactly one of winner and difference is needed, to tell "
            "which of the two texts won."
        )
    texts = _two_columns(texts)
    carried = _carried(group, len(texts))
    if winner is not None:
        first_won = _first_won(winner, labels)
    else:
        first_won = np.sign(as_numbers(difference, "difference"))
    check_length("winner" if difference is None else "difference", first_won, texts)
    missing, same = unusable(texts)
    tie = np.isnan(first_won) | (first_won == 0)
    kept = np.flatnonzero(~(missing | same | tie))
    _report_dropped("make_pairs", len(texts), len(kept), missing, same, tie)
    winners = (first_won[kept] > 0).astype(np.int64)
    rows = pd.DataFrame(
        {
            # objects: pandas' own strings know no lone surrogates
            "text": pd.Series(texts[kept].ravel(), dtype=object),
            "target": np.column_stack([winners, 1 - winners]).ravel(),
            "pair": np.repeat(kept.astype(np.int64), 2),
        }
    )
    added = carried.iloc[np.repeat(kept, 2)].reset_index(drop=True)
    return pd.concat([rows, added], axis=1)


# What make_pairs is given ---------------------------------------------------------


def _two_columns(texts):
    """Return the texts as an object array of shape (n_pairs, 2)."""
    if hasattr(texts, "to_numpy"):
        texts = texts.to_numpy()
    elif not isinstance(texts, np.ndarray):
        texts = [tuple(pair) for pair in texts]
    array = np.empty((0, 2), dtype=object)
    if len(texts):
        array = np.asarray(texts, dtype=object)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(
            "make_pairs: texts must have two columns, the two texts of each pair, but "
            f"an input of shape {array.shape} arrived."
        )
    check_are_texts(array.ravel(), "make_pairs")
    return array


def _carried(group, n):
    if group is None:
        return pd.DataFrame(index=range(n))
    if isinstance(group, pd.DataFrame):
        frame = group.reset_index(drop=True)
    else:
        frame = pd.DataFrame({"group": pd.Series(group).reset_index(drop=True)})
    taken = [name for name in _OWN_COLUMNS if name in frame.columns]
    if taken:
        raise ValueError(
            f"make_pairs: group has a column {taken[0]!r}, which the result has, too. "
            "Rename it."
        )
    check_length("group", frame, range(n))
    return frame


def _first_won(winner, labels):
    """Return 1 where the first text won, -1 where the second did, 0 for a tie."""
    if len(labels) != 2 or labels[0] == labels[1]:
        raise ValueError(
            f"make_pairs: labels must be two different labels, but {labels!r} arrived."
        )
    values = pd.Series(winner, dtype=object).to_numpy()
    signs = np.array([_sign(value, labels) for value in values], dtype=float)
    unknown = list(dict.fromkeys(values[np.isnan(signs)].tolist()))
    if unknown:
        named = ", ".join(map(repr, unknown[:5]))
        raise ValueError(
            f"make_pairs: winner holds {named}, but only {labels[0]!r} and "
            f"{labels[1]!r} (see labels), True/False, 1/0 and ties are understood. "
            "Pass scores as difference."
        )
    return signs


def _sign(value, labels):
    """Return 1, -1 or 0 for a value of `winner`; NaN if it is not understood."""
    if any(isinstance(value, type(label)) and value == label for label in labels):
        return 1 if value == labels[0] else -1
    if _is_missing(value):
        return 0
    if isinstance(value, str) and value.strip().lower().startswith("tie"):
        return 0
    if isinstance(value, Number | np.bool_) and value in (0, 1):
        return 1 if value else -1
    return np.nan


def as_numbers(values, name, caller="make_pairs"):
    try:
        numbers = np.asarray(pd.to_numeric(pd.Series(values)), dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{caller}: {name} must hold numbers ({error}).") from error
    if np.isinf(numbers).any():
        raise ValueError(f"{caller}: {name} holds infinite values.")
    return numbers


def check_length(name, values, texts, caller="make_pairs"):
    if len(values) != len(texts):
        raise ValueError(
            f"{caller}: {name} has {len(values)} entries for {len(texts)} "
            f"{'pairs' if caller == 'make_pairs' else 'texts'}."
        )


def check_are_texts(values, caller):
    for value in values:
        if not isinstance(value, str) and not _is_missing(value):
            raise TypeError(
                f"{caller}: texts holds {value!r}, of type {type(value).__name__}, "
                "which is not a text."
            )


def _is_missing(value):
    return value is None or value is pd.NA or value is pd.NaT or value != value


def is_blank(value):
    return _is_missing(value) or not value.strip()


def unusable(texts):
    """Mark the pairs with a missing text, and those of twice the same text."""
    blank = np.array([is_blank(value) for value in texts.ravel()], dtype=bool)
    missing = blank.reshape(texts.shape).any(axis=1)
    same = np.zeros(len(texts), dtype=bool)
    for i in np.flatnonzero(~missing):
        same[i] = texts[i, 0].strip() == texts[i, 1].strip()
    return missing, same


def _report_dropped(caller, n, n_kept, missing, same, tie):
    """Say how many pairs were left out and why, each for its first reason."""
    reasons = {
        "with a missing or blank text": missing,
        "of identical texts": same & ~missing,
        "without a winner (ties)": tie & ~same & ~missing,
    }
    counts = [f"{mask.sum()} {why}" for why, mask in reasons.items() if mask.any()]
    if not n_kept:
        why = f" ({', '.join(counts)})" if counts else ""
        raise ValueError(f"{caller}: none of {n} pairs is left{why}.")
    if counts:
        warnings.warn(
            f"{caller} left out {n - n_kept} of {n} pairs: {', '.join(counts)}.",
            HypothesisWarning,
            stacklevel=3,
        )
