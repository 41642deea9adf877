"""The column of the target: numbers, or labels of classes."""

import numpy as np
import pandas as pd

from .._utils._labels import to_key
from .._utils._printable import pluralize
from .._utils._target_scale import look_like_counts
from ..exceptions import InputError
from ._class_labels import merge_spellings
from ._dates import are_compact_dates, are_dates, convert_dates, suggest_conversions
from ._mappings import apply_mapping
from ._numbers import read_numbers
from ._ordinal import find_beside_scale, order_values
from ._values import find_row, name_first, name_value, suggest_option, to_label

_FEW = 5  # distinct words that are classes in however few rows
_MOST_CLASSES = 20  # distinct words that are classes without being asked
_MOSTLY = 0.5  # share of numbers from which on words among them are no classes

_NAMED = 10  # classes or levels named in a note
_ONE_WAY = "Write all in one way, or take each value as a class (--task classification)"


def describe_target(column):
    return f"the target column {name_value(column)}"


def parse_target(
    values, column, *, mapping, task, note, decimal=None, target_date=None
):
    """Turn the values of the target into numbers, or into labels of classes.

    Parameters
    ----------
    values : Series of dtype object
        Stripped, and none of them missing; indexed by the rows of the file.
    column : str
        Its name.
    mapping : dict
        Numbers to put for the values; empty for none.
    task : {"auto", "regression", "classification"}
        What the user wants it to be.
    note : callable
        Takes a sentence on what was decided.
    decimal : {".", ","} or None, default=None
        The decimal sign.
    target_date : str or None, default=None
        What dates are turned into, as in `convert_dates`.

    Returns
    -------
    target : ndarray of shape (n_rows,)
        float, int if all numbers are whole, or str.
    """
    what = describe_target(column)
    if mapping:
        target = apply_mapping(values, mapping, what, note)
    elif target_date:
        target = convert_dates(values, target_date, what)
    else:
        target = _parse_as_found(values, what, task, note, decimal)
    if len(pd.unique(target)) == 1:
        raise InputError(
            f"{what} holds one and the same value, {name_first(target[:1])}, in all "
            f"{len(target)} rows: there is nothing to predict."
        )
    if target.dtype.kind == "f" and _are_whole(target):
        return target.astype(np.int64)
    return target


def _are_whole(numbers):
    """Tell whether numbers are whole, and none has more digits than a float."""
    return bool((numbers == np.round(numbers)).all() and abs(numbers).max() < 2**53)


def _parse_as_found(values, what, task, note, decimal):
    found = read_numbers(values, decimal)
    n_words = int(found.is_word.sum())
    as_written = task == "classification" and (found.doubt or found.unit)
    if not n_words and not as_written:
        numbers = take_numbers(found, values, what, note)
        if task != "classification":
            _describe_numbers(numbers, what, note)
        return numbers
    words = values[found.is_word]
    if n_words and are_dates(words):
        raise InputError(
            f"{what} holds dates, such as {name_value(words.iloc[0])} "
            f"({find_row(words, words.iloc[0])}). A date is neither a class "
            f"nor a quantity: {suggest_conversions(words)}."
        )
    if task == "classification":
        return merge_spellings(values, what, note)
    ordered, name = order_values(pd.unique(values))
    if ordered is not None:
        _note_order(ordered, name, what, note)
        return values.map(ordered).to_numpy(dtype=float)
    if len(values) - n_words >= _MOSTLY * len(values):
        raise InputError(_describe_words_among_numbers(words, found, what))
    if task == "regression":
        return _parse_words_as_quantity(values, what, note)
    return _parse_classes(values, what, note)


def take_numbers(found, values, what, note):
    """Return a column of numbers alone, and note how it was read."""
    if found.doubt:
        reason, value, settled_by = found.doubt
        where = find_row(values, value)
        raise InputError(f"{what} holds {reason} ({where}). {settled_by or _ONE_WAY}.")
    infinite = values[np.isinf(found.values)].unique()
    if len(infinite):
        raise InputError(
            f"{what} holds infinite values ({find_row(values, infinite[0])}). If they "
            f"stand for none: {suggest_option('--missing', infinite)}."
        )
    if found.remarks:
        note(f"{what}: {'; '.join(found.remarks)}.")
    return found.values


def _describe_numbers(numbers, what, note):
    """Note what numbers look like that may be meant otherwise."""
    if are_compact_dates(numbers):
        note(
            f"{what} looks like dates written as numbers, such as {numbers[0]:.0f}, "
            "and is taken as it is. To take it as dates: --target-date days or "
            "--target-date year."
        )
    elif look_like_counts(numbers):
        zeros = np.mean(numbers == 0)
        note(
            f"{what} looks like counts: whole numbers up to {numbers.max():.0f}, "
            f"{zeros:.0%} of them 0. Unless --target-kind is quantity, hypotheses are "
            "found on log(1 + y), and rate ratios stand beside differences of means."
        )


# Words ----------------------------------------------------------------------------


def _note_order(ordered, name, what, note):
    levels = sorted(ordered.items(), key=lambda item: item[1])
    named = ", ".join(f"{name_value(value)} is {n:g}" for value, n in levels[:_NAMED])
    more = len(levels) - _NAMED
    note(
        f"{what} holds {name}: {named}"
        + (f" and so on ({more} more)" if more > 0 else "")
        + ". To take them as classes: --task classification."
    )


def _describe_words_among_numbers(words, found, what):
    distinct = words.unique()
    n = len(words)
    return (
        f"{what} holds {len(found.values) - n:,} numbers and "
        f"{pluralize(n, 'value')} that {'is' if n == 1 else 'are'} no number: "
        f"{name_first(distinct)} ({find_row(words, distinct[0])}). If what is no "
        f"number stands for none: {suggest_option('--missing', distinct)}; if all "
        "values are classes: --task classification."
    )


def _parse_words_as_quantity(values, what, note):
    """Turn True and False into 1 and 0, where a quantity is asked for."""
    keys = [to_key(value) for value in values]
    if set(keys) <= {"true", "false"}:
        note(f"{what}: True is taken as 1, False as 0.")
        return np.array([key == "true" for key in keys], dtype=float)
    distinct = pd.unique(values)
    pairs = [f"{to_label(value)}={i}" for i, value in enumerate(distinct[:2])]
    raise InputError(
        f"{what} holds {name_first(distinct)}, which are no numbers. Give each value "
        f"a number ({suggest_option('--map', pairs)}"
        f"{',…' if len(distinct) > 2 else ''}, or --map-file FILE), or take the values "
        "as classes (--task classification)."
    )


def _parse_classes(values, what, note):
    """Take words as classes, if they are few."""
    labels = merge_spellings(values, what, note)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) > max(len(labels) / 2, _FEW):
        raise InputError(
            f"{what} looks like free text, names or numbers of rows: "
            f"{len(classes):,} different values in {len(labels):,} rows, such as "
            f"{name_value(labels[0])}. Name the column of the target with --target, or "
            "give each value a number with --map-file FILE."
        )
    if len(classes) > _MOST_CLASSES:
        raise InputError(
            f"{what} holds {len(classes):,} different words, such as "
            f"{name_first(labels)}. If each is a class: --task classification. To join "
            "some, or to put them in an order, give each a number: --map-file FILE."
        )
    named = ", ".join(
        f"{name_value(label)} ({n:,})"
        for label, n in zip(classes[:_NAMED], counts, strict=False)
    )
    more = len(classes) - _NAMED
    note(
        f"{what} holds {len(classes)} classes: {named}"
        + (f" and {more} more." if more > 0 else ".")
    )
    beside = find_beside_scale(classes.tolist())
    if beside:
        note(
            f"{what} would be a scale of answers without {name_first(beside)}. If so: "
            f"{suggest_option('--missing', beside)}."
        )
    return labels
