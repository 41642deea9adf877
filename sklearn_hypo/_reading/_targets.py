"""The column of the target: numbers, or labels of classes."""

import numpy as np
import pandas as pd

from .._utils._printable import escape_surrogates, quote_value
from ..exceptions import InputError
from ._values import map_values, name_first, to_label


def check_are_texts(texts, column):
    others = [value for value in texts if not isinstance(value, str)]
    if others:
        raise InputError(
            f"the text column {quote_value(column)} holds values that are no texts, "
            f"such as {name_first(others)}."
        )


def parse_target(values, column, mapping, task):
    """Turn the values of the target into numbers, or into labels of classes."""
    what = f"the target column {quote_value(column)}"
    if mapping:
        labels = map_values(values, to_label)
        unknown = labels[~labels.isin(mapping)]
        if len(unknown):
            raise InputError(
                f"--map has no number for {name_first(unknown)} in {what}."
            )
        target = np.array([mapping[label] for label in labels], dtype=float)
    else:
        target = _parse_unmapped(values, what, task)
    if len(pd.unique(target)) == 1:
        raise InputError(
            f"{what} holds one and the same value, {quote_value(target[0])}, in all "
            f"{len(target)} rows: there is nothing to predict."
        )
    if target.dtype.kind == "f" and (target == np.round(target)).all():
        return target.astype(np.int64)
    return target


def _parse_unmapped(values, what, task):
    numbers, words = parse_numbers(values, what)
    if len(words) and task == "classification":
        return np.array([escape_surrogates(to_label(value)) for value in values])
    if len(words):
        examples = [f"{quote_value(value, '')}=…" for value in dict.fromkeys(words)]
        raise InputError(
            f"{what} holds {name_first(words)}, which are no numbers. Give each value "
            f"a number (--map {','.join(examples[:2])}), or treat the values as "
            "classes (--task classification)."
        )
    return numbers


def parse_numbers(values, what):
    """Return values as numbers, and those that are none."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    words = values[numbers.isna()]
    if words.empty and np.isinf(numbers).any():
        raise InputError(f"{what} holds infinite values.")
    return numbers.to_numpy(), words
