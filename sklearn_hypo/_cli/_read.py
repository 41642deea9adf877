"""Texts, their target and what is known of their design, read from a file."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._data_preparation._groups import join_groups
from .._utils._printable import escape_surrogates
from .._utils._validation import resolve_task
from ._files import InputError, read_columns, shown


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
        Numbers.
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
        CSV (.csv, .tsv; in UTF-8), JSON lines (.jsonl, .ndjson, .json), all of these
        also compressed (.gz, .bz2, .xz), or Parquet (.parquet).
    text, target : str
        The columns.
    mapping : dict of str to float or None, default=None
        Numbers to put for the values of the target.
    task : {"auto", "regression", "classification"}, default="auto"
        Strings are targets only for classification.
    groups : str or None, default=None
        The column with the group of each row.
    covariates : sequence of str, default=()
        Columns of numbers, or of a few different words.
    pairs : str or None, default=None
        The column with the pair of each row.

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
    names = {"text": text, "target": target}
    names |= {"group": groups} if groups else {}
    names |= {"pair": pairs} if pairs else {}
    names |= {f"covariate {i}": name for i, name in enumerate(covariates)}
    frame = _read(path, names)
    dropped, kept = _complete(frame, names, mapping)
    _check_are_texts(kept["text"], text)
    y = _target(kept["target"], target, mapping, task)
    if pairs:
        classes = resolve_task(y, task) == "classification"
        rows = kept.assign(target=pd.Series(list(y), index=kept.index, dtype=object))
        usable, more = rows_in_pairs(rows, pairs, classes=classes)
        kept, y, dropped = kept[usable], y[usable], dropped | more
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=y,
        n_read=len(frame),
        dropped=dropped,
        clusters=kept["group"].to_numpy(dtype=object) if groups else None,
        covariates=_covariates(kept, covariates),
        pairs=kept["pair"].to_numpy(dtype=object) if pairs else None,
    )


# Rows -----------------------------------------------------------------------------


def _read(path, names):
    """Read columns into a frame of objects, named by their roles."""
    # objects: pandas' own strings, names of columns too, know no lone surrogates
    found = zip(names, read_columns(path, list(names.values())), strict=True)
    frame = pd.DataFrame(dict(found), dtype=object)
    for role in names:
        if role != "text":
            frame[role] = mapped(frame[role], bare)
    return frame


def _complete(frame, names, mapping):
    """Return the rows that lack nothing, and how many lack what."""
    dropped = {"without_text": 0, "without_target": 0}
    kept = frame
    for role, column in names.items():
        kind = role.partition(" ")[0]
        if role == "text":
            lacking = kept[role].map(is_blank)
        else:
            known = (mapping or {}) if role == "target" else ()
            lacking = kept[role].map(lambda value, known=known: no_value(value, known))
        lacking = lacking.astype(bool)
        if lacking.all():
            raise InputError(_empty(kind, column, len(kept)))
        reason = f"without_{kind}"
        dropped[reason] = dropped.get(reason, 0) + int(lacking.sum())
        kept = kept[~lacking]
    for role in ("group", "pair"):
        if role in names:
            kept = kept.assign(**{role: mapped(kept[role], label_of)})
    return dropped, kept


def _empty(kind, column, n_rows):
    if kind == "text":
        return (
            f"the text column {shown(column)} is empty: none of its {n_rows} rows "
            "holds a text."
        )
    what = "with a text" if kind == "target" else "that are left"
    return (
        f"the {kind} column {shown(column)} is empty: none of the {n_rows} rows {what} "
        f"has a {kind}."
    )


def _covariates(kept, names):
    if not names:
        return None
    columns = {name: kept[f"covariate {i}"] for i, name in enumerate(names)}
    return covariate_frame(columns).reset_index(drop=True)


# Target ---------------------------------------------------------------------------


def _check_are_texts(texts, column):
    others = texts[~texts.map(lambda value: isinstance(value, str))]
    if len(others):
        raise InputError(
            f"the text column {shown(column)} holds values that are no texts, such as "
            f"{some(others)}."
        )


def _target(values, column, mapping, task):
    """Turn the values of the target into numbers, or into labels of classes."""
    if mapping:
        labels = mapped(values, label_of)
        unknown = labels[~labels.isin(mapping)]
        if len(unknown):
            raise InputError(
                f"--map has no number for {some(unknown)} in the target column "
                f"{shown(column)}."
            )
        target = np.array([mapping[label] for label in labels], dtype=float)
    else:
        target = _without_map(values, column, task)
    if len(pd.unique(target)) == 1:
        raise InputError(
            f"the target column {shown(column)} holds one and the same value, "
            f"{shown(target[0])}, in all {len(target)} rows: there is nothing to "
            "predict."
        )
    if target.dtype.kind == "f" and (target == np.round(target)).all():
        return target.astype(np.int64)
    return target


def _without_map(values, column, task):
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    words = values[numbers.isna()]
    if len(words) and task == "classification":
        return np.array([escape_surrogates(label_of(value)) for value in values])
    if len(words):
        examples = [f"{shown(value, '')}=…" for value in dict.fromkeys(words)]
        raise InputError(
            f"the target column {shown(column)} holds {some(words)}, which are no "
            f"numbers. Give each value a number (--map {','.join(examples[:2])}), or "
            "treat the values as classes (--task classification)."
        )
    if np.isinf(numbers).any():
        raise InputError(f"the target column {shown(column)} holds infinite values.")
    return numbers.to_numpy()


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
    return pd.DataFrame({escape_surrogates(name): part for name, part in parts.items()})


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
    return np.array([escape_surrogates(label) for label in labels], dtype=object)


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


# What stands for "no value" in a column of numbers or labels. A text is only missing
# if there is nothing in it: "null" or "NA" is a text that says so.
_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "<na>"})


_NAMED = 5  # so many values are named in a message


def mapped(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def bare(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def is_blank(value):
    """Tell whether there is nothing in a text."""
    if isinstance(value, str):
        return not value.strip()
    return pd.api.types.is_scalar(value) and pd.isna(value)


def no_value(value, known=()):
    """Tell whether a value, bare of blanks, stands for none; `known` ones do not."""
    if isinstance(value, str):
        return value.lower() in _NO_VALUE and value not in known
    return pd.isna(value)


def label_of(value):
    """How a value is written as a label, such as in --map: 1 for 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def some(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(label_of, values)))
    named = ", ".join(shown(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")
