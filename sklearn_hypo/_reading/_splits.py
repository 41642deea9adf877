"""The user's own split: which rows are those of the test."""

import shlex

import numpy as np
import pandas as pd

from .._utils._printable import pluralize, quote_value
from ..exceptions import InputError
from ._values import map_values, name_first, to_label

# How the rows of a test, and those to learn from, are called.
_TEST = {"test", "testing", "holdout", "held-out", "held out", "heldout", "eval"}
_TRAIN = {"train", "training", "fit", "learn"}
_POSITIVE, _NEGATIVE = {"1", "true", "yes"}, {"0", "false", "no"}


def parse_split(setting):
    """Return the column, and the value of the test or None, in ``COLUMN=VALUE``."""
    column, equals, value = setting.rpartition("=")
    return (column, value.strip()) if equals else (setting, None)


def mark_test_rows(values, column, value=None, *, note):
    """Tell which rows are those of the test.

    Parameters
    ----------
    values : Series
        The column of the split; none missing.
    column : str
        Its name.
    value : str or None, default=None
        Of the rows of the test. None: it is recognized, as "test", "holdout", or 1 of 0
        and 1.
    note : callable
        Takes a sentence on which rows were taken for what.

    Returns
    -------
    is_test : ndarray of bool

    Raises
    ------
    InputError
        If it cannot be told, or all rows are on one side.
    """
    labels = map_values(values, to_label)
    folded = labels.map(str.casefold)
    tests = (
        {to_label(value).casefold()} if value else _recognize_test(set(folded), column)
    )
    if not tests:
        raise InputError(
            f"--split {quote_value(column)} holds {name_first(labels)}: name the value "
            "of the rows to test on, such as --split "
            f"{shlex.quote(f'{column}={labels.iloc[-1]}')}."
        )
    is_test = folded.isin(tests).to_numpy()
    if is_test.all() or not is_test.any():
        side = "to learn from" if is_test.all() else "to test on"
        raise InputError(
            f"--split {quote_value(column)} leaves no rows {side}: it holds "
            f"{name_first(labels)}."
        )
    note(
        f"--split {quote_value(column)}: tested on "
        f"{pluralize(int(is_test.sum()), 'row')} of {name_first(labels[is_test])}, "
        f"learnt from {pluralize(int((~is_test).sum()), 'row')} of "
        f"{name_first(labels[~is_test])}."
    )
    return is_test


def _recognize_test(present, column):
    """Return the folded values that stand for the test; none if it cannot be told."""
    if present & _TEST:
        return present & _TEST
    if len(present) == 2 and present & _TRAIN:
        return present - _TRAIN
    if present <= _POSITIVE | _NEGATIVE and len(present) == 2:
        names_the_others = any(word in column.casefold() for word in _TRAIN)
        return present & (_NEGATIVE if names_the_others else _POSITIVE)
    return set()


def check_sides(is_test, texts, pairs, clusters, note):
    """Tell what is on both sides of a split.

    Parameters
    ----------
    is_test : ndarray of bool
    texts, pairs, clusters : Series
        Of one text, and one label, per row; None for labels that there are not.
    note : callable
        Takes a sentence.

    Raises
    ------
    InputError
        If the texts of a pair are on both sides.
    """
    if pairs is not None and (n_apart := _count_on_both(pairs, is_test)[0]):
        raise InputError(
            f"{pluralize(n_apart, 'pair')} would be torn apart, with one text to learn "
            "from and one to test on. Give both rows of a pair the same --split."
        )
    n_equal, n_rows = _count_on_both(texts, is_test)
    if n_equal:
        note(
            f"{pluralize(n_equal, 'distinct text')} to learn from stand among those to "
            f"test on too, in {n_rows:,} of {is_test.sum():,} rows: take them out of "
            "one side."
        )
    if clusters is not None and (n_shared := _count_on_both(clusters, is_test)[0]):
        note(
            f"{pluralize(n_shared, 'group')} of --groups have rows on both sides of "
            "the split: what is special to them may be taken for a finding."
        )


def _count_on_both(labels, is_test):
    """Count labels that are on both sides, and the rows of the test that have them."""
    labels = pd.Series(labels.to_numpy(), dtype=object)
    shared = labels[is_test].isin(labels[~is_test])
    return labels[is_test][shared].nunique(), int(np.sum(shared))
