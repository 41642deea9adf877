"""Pairs of texts of which one won: from two columns to one row per text."""

from numbers import Number

import numpy as np
import pandas as pd

from .._utils._containers import convert_container
from .._utils._validation import check_length, is_blank, is_missing
from .._utils._warnings import warn

_CALLER = "make_pairs"
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
    texts = _check_two_columns(texts)
    group = _check_group(group, len(texts))
    if winner is not None:
        first_won = _sign_winners(winner, labels)
    else:
        first_won = np.sign(check_numbers(difference, "difference", _CALLER))
    name = "difference" if winner is None else "winner"
    check_length(name, first_won, len(texts), "pairs", caller=_CALLER)
    blank = np.array([is_blank(text) for text in texts.ravel()], dtype=bool)
    reasons = {
        "with a missing or blank text": blank.reshape(texts.shape).any(axis=1),
        "of identical texts": mark_identical(texts),
        "without a winner (ties)": np.isnan(first_won) | (first_won == 0),
    }
    kept = find_usable_pairs(reasons, caller=_CALLER)
    rows = make_pair_rows(texts[kept], first_won[kept] > 0, kept)
    group = group.iloc[np.repeat(kept, 2)].reset_index(drop=True)
    return pd.concat([rows, group], axis=1)


# What make_pairs is given ---------------------------------------------------------


def _check_two_columns(texts):
    """Return the texts as an object array of shape (n_pairs, 2)."""
    texts = convert_container(texts)
    if hasattr(texts, "to_numpy"):
        texts = texts.to_numpy()
    elif not isinstance(texts, np.ndarray):
        texts = [tuple(pair) for pair in texts]
    array = np.asarray(texts, dtype=object) if len(texts) else np.empty((0, 2), object)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(
            "make_pairs: texts must have two columns, the two texts of each pair, but "
            f"an input of shape {array.shape} arrived."
        )
    check_are_texts(array.ravel(), _CALLER)
    return array


def _check_group(group, n):
    """Return what is to be carried along as a frame, one row per pair."""
    if group is None:
        return pd.DataFrame(index=range(n))
    group = convert_container(group)
    if not isinstance(group, pd.DataFrame):
        group = pd.DataFrame({"group": pd.Series(group).reset_index(drop=True)})
    taken = [name for name in _OWN_COLUMNS if name in group.columns]
    if taken:
        raise ValueError(
            f"make_pairs: group has a column {taken[0]!r}, which the result has, too. "
            "Rename it."
        )
    check_length("group", group, n, "pairs", caller=_CALLER)
    return group


def _sign_winners(winner, labels):
    """Return 1 where the first text won, -1 where the second did, 0 for a tie."""
    if len(labels) != 2 or labels[0] == labels[1]:
        raise ValueError(
            f"make_pairs: labels must be two different labels, but {labels!r} arrived."
        )
    values = pd.Series(convert_container(winner), dtype=object).to_numpy()
    signs = np.array([_sign_winner(value, labels) for value in values], dtype=float)
    unknown = list(dict.fromkeys(values[np.isnan(signs)].tolist()))
    if unknown:
        named = ", ".join(map(repr, unknown[:5]))
        raise ValueError(
            f"make_pairs: winner holds {named}, but only {labels[0]!r} and "
            f"{labels[1]!r} (see labels), True/False, 1/0 and ties are understood. "
            "Pass scores as difference."
        )
    return signs


def _sign_winner(value, labels):
    """Return 1, -1 or 0 for a value of `winner`; NaN if it is not understood."""
    if any(isinstance(value, type(label)) and value == label for label in labels):
        return 1 if value == labels[0] else -1
    is_tie = isinstance(value, str) and value.strip().lower().startswith("tie")
    if is_tie or is_missing(value):
        return 0
    if isinstance(value, Number | np.bool_) and value in (0, 1):
        return 1 if value else -1
    return np.nan


# Also for contests ----------------------------------------------------------------


def check_numbers(values, name, caller):
    """Return values as float64, with NaN where one is missing."""
    try:
        numbers = pd.to_numeric(pd.Series(convert_container(values)))
        numbers = np.asarray(numbers, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{caller}: {name} must hold numbers ({error}).") from error
    if np.isinf(numbers).any():
        raise ValueError(f"{caller}: {name} holds infinite values.")
    return numbers


def check_are_texts(values, caller):
    """Raise for what is neither a text nor missing."""
    for value in values:
        if not isinstance(value, str) and not is_missing(value):
            raise TypeError(
                f"{caller}: texts holds {value!r}, of type {type(value).__name__}, "
                "which is not a text."
            )


def mark_identical(texts):
    """Mark the pairs of twice the same text, blanks around them aside."""
    stripped = [[str(text).strip() for text in pair] for pair in texts]
    return np.array([first == second for first, second in stripped], dtype=bool)


def find_usable_pairs(reasons, *, caller, asked_for=None, advice=""):
    """Return the numbers of the pairs that are left, and say why others are not.

    Each is counted for the first reason, of which `reasons` maps the words to a mask;
    what the user asked for (`asked_for`) is counted only if no pair is left.
    """
    n = len(next(iter(reasons.values())))
    dropped, counts = np.zeros(n, dtype=bool), {}
    for reason, mask in reasons.items():
        counts[reason] = int((mask & ~dropped).sum())
        dropped |= mask
    if not dropped.all():
        counts.pop(asked_for, None)
    why = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    if dropped.all():
        why = f" ({why})" if why else ""
        raise ValueError(f"{caller}: none of {n} pairs is left{why}.{advice}")
    if why:
        warn(f"{caller} left out {sum(counts.values())} of {n} pairs: {why}.")
    return np.flatnonzero(~dropped)


def make_pair_rows(texts, first_won, numbers):
    """Return two rows per pair: text, target and number of the pair."""
    first_won = first_won.astype(np.int64)
    return pd.DataFrame(
        {
            # objects: pandas' own strings know no lone surrogates
            "text": pd.Series(texts.ravel(), dtype=object),
            "target": np.column_stack([first_won, 1 - first_won]).ravel(),
            "pair": np.repeat(numbers.astype(np.int64), 2),
        }
    )
