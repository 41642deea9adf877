"""Texts, their target and what is known of their design, read from a file."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._data_preparation._groups import join_groups
from .._utils._printable import escape_surrogates
from .._utils._validation import is_blank, resolve_task
from ._files import InputError, quote_value, read_columns

# What stands for "no value" in a column of numbers or labels. A text is only missing
# if there is nothing in it: "null" or "NA" is a text that says so.
_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "<na>"})
_MOST_LEVELS = 50  # of a covariate that is no number
_NAMED = 5  # so many values are named in a message


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with their targets, and what was left out to get them.

    Parameters
    ----------
    texts : ndarray of shape (n_rows,) and dtype object
        The texts.
    target : ndarray of shape (n_rows,)
        Numbers, or class labels as strings.
    n_read : int
        Rows of the file.
    dropped : dict of str to int
        Rows dropped, by the first reason that holds: "without_text" (missing or
        blank), "without_target", and what else is needed.
    clusters, pairs : ndarray of shape (n_rows,) and dtype object, or None
        Labels of the group, such as an author, and of the pair.
    covariates : DataFrame of shape (n_rows, n_covariates) or None
        Numbers, or labels of categories.
    """

    texts: np.ndarray
    target: np.ndarray
    n_read: int
    dropped: dict
    clusters: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    pairs: np.ndarray | None = None

    @property
    def groups(self):
        """Numbers of what stays on one side of a split.

        Repetitions of a text do, the texts of a group and those of a pair, and what
        is linked by a chain of these.
        """
        labels = (self.texts, self.clusters, self.pairs)
        return join_groups(*(each for each in labels if each is not None))

    @property
    def design(self):
        """The keywords of `evaluate_hypotheses` that say how rows hang together."""
        values = {
            "groups": self.clusters,
            "covariates": self.covariates,
            "pairs": self.pairs,
        }
        return {name: each for name, each in values.items() if each is not None}


def read_labelled_texts(
    path,
    text,
    target,
    *,
    mapping=None,
    task="auto",
    groups=None,
    covariates=(),
    pairs=None,
):
    """Read texts and their targets from a file.

    Parameters
    ----------
    path : str or path-like
        As in `read_columns`.
    text, target : str
        The columns.
    mapping : dict of str to float or None, default=None
        Numbers to put for the values of the target.
    task : {"auto", "regression", "classification"}, default="auto"
        Strings are targets only for classification.
    groups, pairs : str or None, default=None
        The columns with the group, and with the pair, of each row.
    covariates : sequence of str, default=()
        Columns of numbers, or of a few different words.

    Returns
    -------
    rows : LabelledTexts
        The rows that have all of it.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, a column is not there or empty, the
        texts are no texts, the targets are not numbers, not in the mapping or all
        the same, or covariates or pairs cannot be used.
    """
    columns = {"text": text, "target": target}
    columns |= {"group": groups} if groups else {}
    columns |= {"pair": pairs} if pairs else {}
    columns |= {f"covariate {i}": name for i, name in enumerate(covariates)}
    frame = _read_frame(path, columns)
    kept, dropped = _drop_incomplete(frame, columns, mapping or {})
    _check_are_texts(kept["text"], text)
    y = _parse_target(kept["target"], target, mapping, task)
    if pairs:
        classes = resolve_task(y, task) == "classification"
        rows = kept.assign(target=pd.Series(list(y), index=kept.index, dtype=object))
        usable, more = _find_rows_in_pairs(rows, pairs, classes)
        kept, y, dropped = kept[usable], y[usable], dropped | more
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=y,
        n_read=len(frame),
        dropped=dropped,
        clusters=kept["group"].to_numpy(dtype=object) if groups else None,
        covariates=_parse_covariates(kept, covariates) if covariates else None,
        pairs=kept["pair"].to_numpy(dtype=object) if pairs else None,
    )


# Rows -----------------------------------------------------------------------------


def _read_frame(path, columns):
    """Read columns into a frame of objects, named by their roles."""
    # objects: pandas' own strings, names of columns too, know no lone surrogates
    found = zip(columns, read_columns(path, list(columns.values())), strict=True)
    frame = pd.DataFrame(dict(found), dtype=object)
    for role in columns:
        if role != "text":
            frame[role] = _map_values(frame[role], _strip_value)
    return frame


def _drop_incomplete(frame, columns, mapping):
    """Return the rows that lack nothing, and how many lack what."""
    dropped = {"without_text": 0, "without_target": 0}
    for role, column in columns.items():
        kind = role.partition(" ")[0]
        if role == "text":
            lacking = [is_blank(value) for value in frame[role]]
        else:
            known = mapping if role == "target" else ()
            lacking = [_stands_for_none(value, known) for value in frame[role]]
        lacking = np.array(lacking, dtype=bool)
        if lacking.all():
            raise InputError(_describe_empty(kind, column, len(frame)))
        reason = f"without_{kind}"
        dropped[reason] = dropped.get(reason, 0) + int(lacking.sum())
        frame = frame[~lacking]
    for role in {"group", "pair"} & set(columns):
        frame = frame.assign(**{role: _map_values(frame[role], _to_label)})
    return frame, dropped


def _describe_empty(kind, column, n_rows):
    start = f"the {kind} column {quote_value(column)} is empty: none of "
    if kind == "text":
        return f"{start}its {n_rows} rows holds a text."
    which = "with a text" if kind == "target" else "that are left"
    return f"{start}the {n_rows} rows {which} has a {kind}."


# Target and covariates ------------------------------------------------------------


def _check_are_texts(texts, column):
    others = [value for value in texts if not isinstance(value, str)]
    if others:
        raise InputError(
            f"the text column {quote_value(column)} holds values that are no texts, "
            f"such as {_name_first(others)}."
        )


def _parse_target(values, column, mapping, task):
    """Turn the values of the target into numbers, or into labels of classes."""
    what = f"the target column {quote_value(column)}"
    if mapping:
        labels = _map_values(values, _to_label)
        unknown = labels[~labels.isin(mapping)]
        if len(unknown):
            raise InputError(
                f"--map has no number for {_name_first(unknown)} in {what}."
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
    numbers, words = _parse_numbers(values, what)
    if len(words) and task == "classification":
        return np.array([escape_surrogates(_to_label(value)) for value in values])
    if len(words):
        examples = [f"{quote_value(value, '')}=…" for value in dict.fromkeys(words)]
        raise InputError(
            f"{what} holds {_name_first(words)}, which are no numbers. Give each value "
            f"a number (--map {','.join(examples[:2])}), or treat the values as "
            "classes (--task classification)."
        )
    return numbers


def _parse_numbers(values, what):
    """Return values as numbers, and those that are none."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    words = values[numbers.isna()]
    if words.empty and np.isinf(numbers).any():
        raise InputError(f"{what} holds infinite values.")
    return numbers.to_numpy(), words


def _parse_covariates(kept, names):
    """Return numbers, or labels of categories, by the names of their columns."""
    columns = {
        escape_surrogates(name): _parse_covariate(name, kept[f"covariate {i}"])
        for i, name in enumerate(names)
    }
    return pd.DataFrame(columns)


def _parse_covariate(name, values):
    what = f"the covariate {quote_value(name)}"
    labels = [_to_label(value) for value in values]
    n_levels = len(set(labels))
    if n_levels == 1:
        raise InputError(
            f"{what} holds one and the same value, {quote_value(labels[0])}, in all "
            f"{len(labels)} rows."
        )
    numbers, words = _parse_numbers(values, what)
    if words.empty:
        return numbers
    if n_levels > _MOST_LEVELS:
        raise InputError(
            f"{what} holds {n_levels} different values, among them "
            f"{_name_first(words)}, which are no numbers. At most {_MOST_LEVELS} can "
            "be told apart. If rows of one value are to be kept together, use --groups."
        )
    return np.array([escape_surrogates(label) for label in labels], dtype=object)


# Pairs ----------------------------------------------------------------------------


def _find_rows_in_pairs(rows, column, classes):
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
            f"classes, but {_name_first(rows['target'])} were found. If the target is "
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


# Values ---------------------------------------------------------------------------


def _map_values(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def _strip_value(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def _stands_for_none(value, known):
    """Tell whether a stripped value stands for none; `known` ones do not."""
    if isinstance(value, str):
        return value.lower() in _NO_VALUE and value not in known
    return pd.isna(value)


def _to_label(value):
    """How a value is written as a label, such as in --map: 1 for 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _name_first(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(_to_label, values)))
    named = ", ".join(quote_value(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
