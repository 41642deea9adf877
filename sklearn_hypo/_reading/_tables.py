"""Columns by the roles that they have, and the rows that lack none of them."""

import os

import pandas as pd

from .._data_preparation._html import clean_text, find_html
from .._utils._containers import convert_container
from .._utils._printable import pluralize, quote_value
from ..exceptions import InputError
from ._column_names import find_columns
from ._formats import read_columns
from ._splits import parse_split
from ._values import map_values, name_value, strip_value, to_label

_MOST_DESCRIPTIONS = 2


def list_columns(text, target, groups, covariates, pairs, moderator, split):
    """Return the names of columns by their roles."""
    texts = [text] if isinstance(text, str) else text
    roles = ["text"] if isinstance(text, str) else ["first", "second"]
    columns = dict(zip(roles, texts, strict=True)) | {"target": target}
    columns |= {"group": groups} if groups else {}
    columns |= {"pair": pairs} if pairs else {}
    columns |= {"moderator": moderator} if moderator else {}
    columns |= {f"covariate {i}": name for i, name in enumerate(covariates)}
    columns |= {"split": parse_split(split)[0]} if split else {}
    return columns


def read_frame(files, columns, options):
    """Read columns into a frame of objects, named by their roles.

    Its column "file" is the number of the file, of one or of two with the same columns.
    """
    frames, notes, n_rows = [], [], 0
    for number, file in enumerate(files):
        found, more = _read_one(file, list(columns.values()), options)
        # objects: pandas' own strings know no lone surrogates
        frame = pd.DataFrame(dict(zip(columns, found, strict=True)), dtype=object)
        frame.index += n_rows
        n_rows += len(frame)
        notes += more
        n_about = _count_descriptions(frame)
        if n_about:
            notes.append(
                f"the first {pluralize(n_about, 'row')}, in which Qualtrics describes "
                "the columns, are left out."
            )
        frames.append(frame.assign(file=number).iloc[n_about:])
    frame = pd.concat(frames)
    for role in columns:
        if role not in ("text", "first", "second"):
            frame[role] = map_values(frame[role], strip_value)
    return frame, notes


def _count_descriptions(frame):
    """Return how many rows there are before the first answer in an export of Qualtrics.

    The last of them holds the ids of the columns.
    """
    first = frame.iloc[:_MOST_DESCRIPTIONS]
    for number, row in enumerate(first.itertuples(index=False), start=1):
        if all(isinstance(v, str) and v.startswith('{"ImportId":') for v in row):
            return number
    return 0


def _read_one(file, names, options):
    table = convert_container(file)
    if not isinstance(table, pd.DataFrame):
        if not (isinstance(file, str | os.PathLike) or hasattr(file, "read")):
            raise TypeError(
                "read_labelled_texts expects a path, an open file or a table, but "
                f"{type(file).__name__} arrived. Of what is in memory pass "
                "pandas.DataFrame(...)."
            )
        return read_columns(file, names, options)
    positions = find_columns("the table", list(map(str, table.columns)), names)
    return [table.iloc[:, each].astype(object).tolist() for each in positions], []


def remove_html_from(frame, note):
    """Take HTML out of the texts of a frame, and note of how many."""
    changed = []
    for role in frame.columns.intersection(["text", "first", "second"]):
        values = frame[role].tolist()
        cleaned = [clean_text(v) if isinstance(v, str) else v for v in values]
        pairs = zip(values, cleaned, strict=True)
        changed += [old for old, new in pairs if isinstance(old, str) and old != new]
        frame[role] = pd.Series(cleaned, index=frame.index, dtype=object)
    if changed:
        note(
            f"tags or entities of HTML, such as {quote_value(find_html(changed[0]))}, "
            f"were taken out of {pluralize(len(changed), 'text')} (--keep-html leaves "
            "them)."
        )


def drop_incomplete(frame, columns, markers, *, known, decimal, note):
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
    for role in {"group", "pair", "moderator"} & set(columns):
        frame = frame.assign(**{role: map_values(frame[role], to_label)})
    return frame, dropped


def _describe_empty(kind, column, n_rows):
    start = f"the {kind} column {quote_value(column)} is empty: none of "
    if kind == "text":
        return f"{start}its {n_rows} rows holds a text."
    which = "with a text" if kind == "target" else "that are left"
    return f"{start}the {n_rows} rows {which} has a {kind}."
