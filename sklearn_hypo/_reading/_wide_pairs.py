"""Pairs in wide form: two texts in each row, and which of them won."""

import re

import numpy as np
import pandas as pd

from ..exceptions import InputError
from ._mappings import apply_mapping
from ._values import name_first, name_value, suggest_option, to_label

FIRST, SECOND, TIE = 1.0, 0.0, 0.5

_WORDS = {
    "first": FIRST,
    "left": FIRST,
    "true": FIRST,
    "yes": FIRST,
    "second": SECOND,
    "right": SECOND,
    "false": SECOND,
    "no": SECOND,
    "draw": TIE,
    "equal": TIE,
    "same": TIE,
    "neither": TIE,
    "0.5": TIE,
}
_TIE = re.compile(r"(tie|both)\b.*")  # such as "tie (bothbad)"

# Such as "b", "model_a", or "headline 2 has more clicks than headline 1".
_SIDE = re.compile(r"(?:[^\W\d_]+[\W_])?([ab12])(?![^\W_]).*")
_SIDES = {"a": FIRST, "1": FIRST, "b": SECOND, "2": SECOND}

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
    labels = present.map(to_label)
    if mapping:
        winners[~missing] = apply_mapping(present, mapping, what, note)
    else:
        known = _interpret(dict.fromkeys(labels), names)
        winners[~missing] = labels.map(known).to_numpy(dtype=float)
    is_odd = ~missing & ~np.isin(winners, (FIRST, SECOND, TIE))
    if is_odd.any():
        examples = list(dict.fromkeys(labels))[:2]
        named = [f"{each}={1 - i}" for i, each in enumerate(examples)]
        raise InputError(
            f"{what} holds {name_first(values[is_odd])}, which does not say whether "
            f"the text of {name_value(names[0])} or that of {name_value(names[1])} "
            "won. Give 1 where the first one did, 0 where the second did and 0.5 for "
            f"ties, such as {suggest_option('--map', named)}."
        )
    if not mapping:
        note(_describe_winners(labels, winners[~missing], names, what))
    return winners


def _describe_winners(labels, winners, names, what):
    """Return a sentence on what the values were taken for."""
    stand_for = {
        FIRST: f"the text of {name_value(names[0])}",
        SECOND: f"the text of {name_value(names[1])}",
        TIE: "none of them",
    }
    parts = [
        f"{whom} won where it holds {name_first(labels[winners == side])}"
        for side, whom in stand_for.items()
        if (winners == side).any()
    ]
    return f"{what}: {', '.join(parts)}."


def _interpret(labels, names):
    """Return who won by label, NaN for what is not understood."""
    words = {label: label.casefold() for label in labels}
    columns = {names[1].casefold(): SECOND, names[0].casefold(): FIRST}
    known = {word: _interpret_word(word, columns) for word in words.values()}
    others = {word for word, winner in known.items() if np.isnan(winner)}
    numbers = next((each for each in _NUMBERS if others <= each.keys()), {})
    known |= {word: numbers.get(word, np.nan) for word in others}
    won = {word: winner for word, winner in known.items() if winner != TIE}
    if len(won) > 1 and len(set(won.values())) == 1:  # such as "a lot" and "a little"
        return dict.fromkeys(labels, np.nan)
    return {label: known[word] for label, word in words.items()}


def _interpret_word(word, columns):
    if word in columns:
        return columns[word]
    if word in _WORDS:
        return _WORDS[word]
    if _TIE.fullmatch(word):
        return TIE
    side = _SIDE.fullmatch(word)
    return _SIDES[side[1]] if side and not word.isdecimal() else np.nan
