"""Texts, their target and what is known of their design, read from a file."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._data_preparation._groups import join_groups
from .._utils._printable import quote_value
from .._utils._validation import is_blank, resolve_task
from ..exceptions import InputError
from ._design_columns import find_rows_in_pairs, parse_covariates
from ._files import read_columns
from ._targets import check_are_texts, parse_target
from ._values import map_values, stands_for_none, strip_value, to_label


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
    check_are_texts(kept["text"], text)
    y = parse_target(kept["target"], target, mapping, task)
    if pairs:
        classes = resolve_task(y, task) == "classification"
        rows = kept.assign(target=pd.Series(list(y), index=kept.index, dtype=object))
        usable, more = find_rows_in_pairs(rows, pairs, classes)
        kept, y, dropped = kept[usable], y[usable], dropped | more
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=y,
        n_read=len(frame),
        dropped=dropped,
        clusters=kept["group"].to_numpy(dtype=object) if groups else None,
        covariates=parse_covariates(kept, covariates) if covariates else None,
        pairs=kept["pair"].to_numpy(dtype=object) if pairs else None,
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


def _drop_incomplete(frame, columns, mapping):
    """Return the rows that lack nothing, and how many lack what."""
    dropped = {"without_text": 0, "without_target": 0}
    for role, column in columns.items():
        kind = role.partition(" ")[0]
        if role == "text":
            lacking = [is_blank(value) for value in frame[role]]
        else:
            known = mapping if role == "target" else ()
            lacking = [stands_for_none(value, known) for value in frame[role]]
        lacking = np.array(lacking, dtype=bool)
        if lacking.all():
            raise InputError(_describe_empty(kind, column, len(frame)))
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
