"""Annotations of several annotators, in whatever form they are given."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from .._annotation._majority import take_majority
from .._utils._annotation_input import check_annotation_values, check_annotations
from .._utils._containers import convert_container
from .._utils._printable import quote_value, shorten

_LEVELS = ("hypothesis", "annotator")


def split_annotators(annotations, *, caller):
    """Return one table of annotations per annotator; None if there is only one table.

    Parameters
    ----------
    annotations : dict, DataFrame or array-like
        As in `evaluate_annotations`.
    caller : str
        For the messages of errors.

    Returns
    -------
    tables : dict of str to DataFrame or array-like, or None
        By annotator, in the order given.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._evaluation._annotator_tables import split_annotators
    >>> list(split_annotators(np.ones((4, 2, 3)), caller="f"))
    ['annotator 1', 'annotator 2', 'annotator 3']
    >>> split_annotators(np.ones((4, 2)), caller="f") is None
    True
    """
    given = convert_container(annotations)
    if isinstance(given, Mapping):
        tables = {str(name): convert_container(each) for name, each in given.items()}
        _check_are_tables(tables, caller)
    elif isinstance(given, pd.DataFrame):
        if given.columns.nlevels == 1:
            return None
        tables = _split_frame(given, caller)
    else:
        values = np.asarray(given)
        if values.ndim != 3:
            return None
        tables = {f"annotator {k + 1}": each for k, each in enumerate(values.T)}
        tables = {name: each.T for name, each in tables.items()}
    if len(tables) < 2:
        raise ValueError(
            f"{caller}: annotations= holds {len(tables)} annotators, but how far "
            "conclusions move over annotators takes two or more. Pass the table of one "
            "alone."
        )
    return tables


def _check_are_tables(tables, caller):
    for name, table in tables.items():
        shape = np.shape(table)
        if len(shape) != 2:
            raise ValueError(
                f"{caller}: annotations={{{quote_value(shorten(name))}: ...}} must go "
                "from annotators to tables of shape (n_samples, n_hypotheses), but an "
                f"array of shape {shape} arrived. For one annotator pass a DataFrame "
                "with one column per hypothesis."
            )


def _split_frame(frame, caller):
    """One frame per annotator, from columns of two levels."""
    columns = frame.columns
    if columns.nlevels != 2:
        raise ValueError(
            f"{caller}: annotations= has columns of {columns.nlevels} levels; two are "
            f"needed, {' and '.join(_LEVELS)}."
        )
    level = columns.names.index("annotator") if "annotator" in columns.names else 1
    if columns.has_duplicates:
        twice = columns[columns.duplicated()][0]
        raise ValueError(
            f"{caller}: annotations= holds the column {twice!r} more than once."
        )
    annotators = columns.get_level_values(level).unique()
    hypotheses = columns.get_level_values(1 - level).unique()
    pairs = [annotators, hypotheses] if level == 0 else [hypotheses, annotators]
    absent = pd.MultiIndex.from_product(pairs).difference(columns, sort=False)
    if len(absent):
        raise ValueError(
            f"{caller}: annotations= has no column {absent[0]!r}"
            f" ({len(absent)} such). Every annotator must have judged every hypothesis "
            "(NaN: no answer). Columns are (hypothesis, annotator), unless the level "
            "of annotators is named 'annotator'."
        )
    return {
        str(name): frame.xs(name, axis=1, level=level)[hypotheses]
        for name in annotators
    }


def check_tables(tables, names, *, caller):
    """Check the annotations of each, and put their columns in one order.

    Parameters
    ----------
    tables : dict of str to DataFrame or array-like
        From `split_annotators`.
    names : list of str or None
        The hypotheses; None: the columns of the first.
    caller : str
        For the messages of errors.

    Returns
    -------
    votes : dict of str to ndarray of shape (n_samples, n_hypotheses)
        1, 0 or NaN.
    names : list
        The hypotheses.
    """
    votes, order, shape = {}, None, None
    for annotator, table in tables.items():
        what = f"{caller}: annotations[{quote_value(shorten(annotator))}]"
        if isinstance(table, pd.DataFrame):
            order = list(table.columns) if order is None else order
            if sorted(map(str, table.columns)) != sorted(map(str, order)):
                raise ValueError(
                    f"{what} has other columns than the first table. All annotators "
                    "must have judged the same hypotheses, under the same names."
                )
            table = table[order]
        if shape is None:
            votes[annotator], names = check_annotations(table, names, what=what)
            shape = votes[annotator].shape
            continue
        votes[annotator] = check_annotation_values(table, what=what)
        if votes[annotator].shape != shape:
            raise ValueError(
                f"{what} is of shape {votes[annotator].shape}, but {shape} is that of "
                "the first annotator. All must have judged the same texts and "
                "hypotheses."
            )
    return votes, names


def take_vote(votes):
    """Return the majority vote; where it is tied, what the first who answered says.

    Parameters
    ----------
    votes : dict of str to ndarray of shape (n_samples, n_hypotheses)
        By annotator, the first of whom decides between two.

    Returns
    -------
    annotations : ndarray of shape (n_samples, n_hypotheses)
        1, 0, or NaN where nobody has an answer.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._evaluation._annotator_tables import take_vote
    >>> take_vote({"a": np.array([[1.0, np.nan]]), "b": np.array([[0.0, 0.0]])})
    array([[1., 0.]])
    """
    answers = np.array([*votes.values()])
    found = take_majority(answers, 1)
    for each in answers:
        found = np.where(np.isnan(found), each, found)
    return found
