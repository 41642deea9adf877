"""Texts, their target and what is known of their design, read from a file."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._data_preparation._groups import join_groups
from .._utils._printable import quote_value
from .._utils._validation import resolve_task
from ..exceptions import InputError
from ._design_columns import find_rows_in_pairs, parse_covariates
from ._files import read_columns
from ._mappings import load_mapping
from ._missing_values import MissingMarkers
from ._targets import check_are_texts, parse_target
from ._values import map_values, name_value, strip_value, to_label


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
    notes : tuple of str
        What was decided to read them, one sentence each.
    """

    texts: np.ndarray
    target: np.ndarray
    n_read: int
    dropped: dict
    clusters: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    pairs: np.ndarray | None = None
    notes: tuple = ()

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
    decimal=None,
    missing=(),
    target_date=None,
):
    """Read texts and their targets from a file.

    Parameters
    ----------
    path : str or path-like
        As in `read_columns`.
    text, target : str
        The columns.
    mapping : dict of str to float, str, path-like or None, default=None
        Numbers to put for the values of the target; or a CSV file of two columns, a
        value and its number. Numbers are compared as numbers (``{"1": 0}`` is for
        1.0, too), words without regard to case and blanks.
    task : {"auto", "regression", "classification"}, default="auto"
        What the target is. "auto": a few words are classes, words of a known scale
        of answers and numbers are quantities (two distinct numbers are classes).
    groups, pairs : str or None, default=None
        The columns with the group, and with the pair, of each row.
    covariates : sequence of str, default=()
        Columns of numbers, or of a few different words.
    decimal : {".", ","} or None, default=None
        The decimal sign of numbers in target and covariates. None: what each column
        shows; where it shows nothing (only 1,234), an error.
    missing : sequence, default=()
        What stands for "no value" beside the usual markers (NA, N/A, #N/A, null,
        None, -, ., ? and so on; -99, 999 and the like far outside of the scale; in
        texts [deleted] and [removed], too). If "" is among it, the usual markers are
        values, and only what is named, or empty, is missing.
    target_date : {"days", "year", "days-dmy", "days-mdy"} or None, default=None
        What dates in the target are turned into: days since the first of them, or
        their years. The last two say whether the day or the month comes first, where
        the column does not show it.

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
    mapping, notes = load_mapping(mapping), []
    kept, dropped = _drop_incomplete(
        frame,
        columns,
        MissingMarkers.of(missing),
        known=mapping,
        decimal=decimal,
        note=notes.append,
    )
    check_are_texts(kept["text"], text)
    y = parse_target(
        kept["target"],
        target,
        mapping=mapping,
        task=task,
        decimal=decimal,
        target_date=target_date,
        note=notes.append,
    )
    if pairs:
        classes = resolve_task(y, task) == "classification"
        rows = kept.assign(target=pd.Series(list(y), index=kept.index, dtype=object))
        usable, more = find_rows_in_pairs(rows, pairs, classes)
        kept, y, dropped = kept[usable], y[usable], dropped | more
    design = None
    if covariates:
        design = parse_covariates(kept, covariates, decimal=decimal, note=notes.append)
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=y,
        n_read=len(frame),
        dropped=dropped,
        clusters=kept["group"].to_numpy(dtype=object) if groups else None,
        covariates=design,
        pairs=kept["pair"].to_numpy(dtype=object) if pairs else None,
        notes=tuple(notes),
    )


def _read_frame(path, columns):
    """Read columns into a frame of objects, named by their roles."""
    # objects: pandas' own strings, names of columns too, know no lone surrogates
    found = zip(columns, read_columns(path, list(columns.values())), strict=True)
    frame = pd.DataFrame(dict(found), dtype=object)
    for role in columns:
        if role != "text":
            frame[role] = map_values(frame[role], strip_value)
    return frame


def _drop_incomplete(frame, columns, markers, *, known, decimal, note):
    """Return the rows that lack nothing, and how many lack what."""
    dropped = {"without_text": 0, "without_target": 0}
    for role, column in columns.items():
        kind, found = role.partition(" ")[0], []
        values, what = frame[role], f"the {kind} column {name_value(column)}"
        if kind == "text":
            lacking = markers.find_in_texts(values, what, found.append)
        elif kind in ("target", "covariate"):
            known_here = known if kind == "target" else ()
            lacking = markers.find_in_values(
                values, what, found.append, known=known_here, decimal=decimal
            )
        else:
            lacking = markers.find_in_labels(values, what, found.append)
        if lacking.all():
            raise InputError(
                " ".join([_describe_empty(kind, column, len(frame)), *found])
            )
        for sentence in found:
            note(sentence)
        reason = f"without_{kind}"
        dropped[reason] = dropped.get(reason, 0) + int(lacking.sum())
        frame = frame[~lacking]
    for role in {"group", "pair"} & set(columns):
        frame = frame.assign(**{role: map_values(frame[role], to_label)})
    return frame, dropped


def _describe_empty(kind, column, n_rows):
    start = f"the {kind} column {quote_value(column)} is empty: none of "
    if kind == "text":
        return f"{start}its {n_rows} rows holds a text."
    which = "with a text" if kind == "target" else "that are left"
    return f"{start}the {n_rows} rows {which} has a {kind}."
