"""Pairs in wide form: two texts in each row, and which of them won."""

import re

import numpy as np
import pandas as pd

from ..exceptions import InputError
from ._mappings import apply_mapping
from ._values import name_first, name_value, suggest_option, to_label

FIRST, SECOND, TIE = 1.0, 0.0, 0.5

_WORDS = {
    FIRST: {"first", "left", "true", "yes"},
    SECOND: {"second", "right", "false", "no"},
    TIE: {"draw", "equal", "same", "neither", "0.5"},
}
_TIE = re.compile(r"(tie|both)\b.*")  # such as "tie (bothbad)"
_ENDS = re.compile(r"(?:.*[\W_])?([ab12])")  # such as "a", "model_a", "headline 2"
_BY_END = {"a": FIRST, "1": FIRST, "b": SECOND, "2": SECOND}

# Numbers mean something only together.
_NUMBERS = (
    {"1": FIRST, "0": SECOND},
    {"1": FIRST, "2": SECOND},
    {"1": FIRST, "-1": SECOND, "0": TIE},
)


def expand_pairs(frame, names, won, mapping, markers, note):
    """Turn each row of two texts into two rows of one.

    Parameters
    ----------
    frame : DataFrame
        With the columns "first", "second" and "target", and others, which are kept.
    names : (str, str)
        Of the two columns of texts.
    won : str
        The name of the column that says who won: a or b, 1 or 0, the name of a column.
        The name of one of the two columns: that one, in all rows.
    mapping : dict of str to float
        1, 0 or 0.5 (a tie) for the values of `won`; empty if they speak for themselves.
    markers : MissingMarkers
        What stands for no value.
    note : callable
        Takes a sentence on what was decided.

    Returns
    -------
    rows : DataFrame
        With "text", "target" (1 for the text that won, 0 for the other; 0 for both in
        a tie; None where it is not known) and "pair", the number of the row.

    Raises
    ------
    InputError
        If it is not understood who won.
    """
    if won in names:
        winners = np.full(len(frame), FIRST if won == names[0] else SECOND)
    else:
        winners = _find_winners(frame["target"], names, won, mapping, markers, note)
    others = frame.drop(columns=["first", "second", "target"])
    sides = [
        others.assign(
            text=frame[side],
            target=pd.Series(
                [None if np.isnan(w) else int(w == wins) for w in winners],
                index=frame.index,
                dtype=object,
            ),
            pair=pd.Series(map(str, range(len(frame))), frame.index, dtype=object),
        )
        for side, wins in (("first", FIRST), ("second", SECOND))
    ]
    # both texts of a pair, one after the other
    return pd.concat(sides).sort_index(kind="stable").reset_index(drop=True)


def _find_winners(values, names, won, mapping, markers, note):
    """Return 1, 0 or 0.5 for each row, NaN where there is no value."""
    what = f"--won {name_value(won)}"
    missing = markers.find_in_labels(values, what, note, known=mapping)
    present = values[~missing]
    winners = np.full(len(values), np.nan)
    if mapping:
        winners[~missing] = apply_mapping(present, mapping, what, note)
    else:
        known = _interpret(present.map(to_label), names)
        winners[~missing] = present.map(to_label).map(known).to_numpy(dtype=float)
    is_odd = ~missing & ~np.isin(winners, (FIRST, SECOND, TIE))
    if is_odd.any():
        examples = list(dict.fromkeys(present.map(to_label)))[:2]
        named = [f"{each}={1 - i}" for i, each in enumerate(examples)]
        raise InputError(
            f"{what} holds {name_first(values[is_odd])}, which does not say whether "
            f"the text of {name_value(names[0])} or that of {name_value(names[1])} "
            "won. Give 1 where the first one did, 0 where the second did and 0.5 for "
            f"ties, such as {suggest_option('--map', named)}."
        )
    return winners


def _interpret(labels, names):
    """Return who won by label, NaN for what is not understood."""
    folded = {label: label.casefold() for label in labels}
    by_name = {names[1].casefold(): SECOND, names[0].casefold(): FIRST}
    known = {}
    for label, word in folded.items():
        words = [w for w, these in _WORDS.items() if word in these]
        if word in by_name:
            known[label] = by_name[word]
        elif words or _TIE.fullmatch(word):
            known[label] = words[0] if words else TIE
    others = {word for label, word in folded.items() if label not in known}
    numbers = next((each for each in _NUMBERS if others <= each.keys()), None)
    for label, word in folded.items():
        if label in known:
            continue
        end = _ENDS.fullmatch(word)
        if numbers is not None:
            known[label] = numbers[word]
        elif end and not word.isdecimal():
            known[label] = _BY_END[end[1]]
        else:
            known[label] = np.nan
    return known
