"""Texts, their target and what is known of their design, read from a file."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
import pandas as pd

from .._data_preparation._groups import join_groups
from .._data_preparation._near_duplicates import find_near_duplicates
from .._utils._validation import StrOptions, resolve_task, validate_params
from ..exceptions import InputError
from ._design_columns import find_rows_in_pairs, parse_covariates
from ._formats import FileOptions
from ._mappings import load_mapping
from ._missing_values import MissingMarkers
from ._splits import check_sides, mark_test_rows, parse_split
from ._tables import drop_incomplete, list_columns, read_frame, remove_html_from
from ._targets import describe_target, parse_target
from ._texts import take_texts
from ._wide_pairs import expand_pairs


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
        Rows of the file; of pairs in wide form two each.
    dropped : dict of str to int
        Rows dropped, by the first reason that holds: "without_text" (missing or
        blank), "without_target", and what else is needed.
    clusters : ndarray of shape (n_rows,) and dtype object, or None
        Labels of the group, such as an author.
    covariates : DataFrame of shape (n_rows, n_covariates) or None
        Numbers, or labels of categories.
    pairs : ndarray of shape (n_rows,) and dtype object, or None
        Labels of the pair.
    is_test : ndarray of bool of shape (n_rows,) or None
        The rows to test on, where the user split them.
    notes : tuple of str
        What was decided to read them, and what is odd: one sentence each.
    moderator : Series of shape (n_rows,) and dtype object, or None
        Labels of the level, by the name of the column.

    See Also
    --------
    read_labelled_texts : Makes them from a file.

    Examples
    --------
    Fit on those to learn from, test on the others:

    >>> import pandas as pd
    >>> from sklearn_hypo import read_labelled_texts
    >>> table = pd.DataFrame(
    ...     {
    ...         "text": ["lovely", "awful", "so so", "lovely place", ""],
    ...         "stars": ["5", "1", "3", "4,5", "2"],
    ...         "part": ["train", "train", "train", "test", "test"],
    ...     }
    ... )
    >>> rows = read_labelled_texts(table, "text", "stars", split="part")
    >>> rows.texts[~rows.is_test].tolist(), rows.target[~rows.is_test].tolist()
    (['lovely', 'awful', 'so so'], [5.0, 1.0, 3.0])
    >>> rows.dropped
    {'without_text': 1, 'without_target': 0, 'without_split': 0}
    >>> print(rows.notes[-1])
    --split 'part': tested on 1 row of 'test', learnt from 3 rows of 'train'.
    """

    texts: np.ndarray
    target: np.ndarray
    n_read: int
    dropped: dict
    clusters: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    pairs: np.ndarray | None = None
    is_test: np.ndarray | None = None
    notes: tuple = ()
    moderator: pd.Series | None = None

    @cached_property
    def groups(self):
        """Numbers of what stays on one side of a split.

        Repetitions of a text do, also nearly equal ones, the texts of a group and
        those of a pair, and what is linked by a chain of these. Where nearly equal
        texts would link more than half of all, only equal ones do.
        """
        labels = [each for each in (self.clusters, self.pairs) if each is not None]
        alike = join_groups(find_near_duplicates(self.texts), *labels)
        if np.bincount(alike).max() > len(self.texts) / 2:
            return join_groups(self.texts, *labels)
        return alike

    @property
    def design(self):
        """The keywords of `evaluate_hypotheses` that say how rows hang together."""
        values = {
            "groups": self.clusters,
            "covariates": self.covariates,
            "pairs": self.pairs,
            "moderator": self.moderator,
        }
        return {name: each for name, each in values.items() if each is not None}


@validate_params(
    {
        "text": [str, tuple, list],
        "target": [str],
        "task": [StrOptions({"auto", "regression", "classification"})],
        "groups": [str, None],
        "covariates": [str, tuple, list],
        "pairs": [str, None],
        "moderator": [str, None],
        "split": [str, None],
        "sep": [str, None],
        "encoding": [str, None],
        "header": ["boolean"],
        "quotes": ["boolean"],
        "sheet": [str, Integral, None],
        "html": [StrOptions({"remove", "keep"})],
    },
    prefer_skip_nested_validation=True,
)
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
    moderator=None,
    decimal=None,
    missing=(),
    target_date=None,
    test=None,
    split=None,
    sep=None,
    encoding=None,
    header=True,
    quotes=True,
    sheet=None,
    html="remove",
):
    r"""Read texts and their targets from a file of any usual format.

    It is what ``sklearn-hypo run`` reads with: the format and the way a file is written
    are recognized by its content, only the named columns are kept in memory, and what
    cannot be read for certain is an error that says what to change.

    Parameters
    ----------
    path : str, path-like, file object or table
        Separated values (CSV, by commas, semicolons, tabs or bars), JSON (lines, an
        array, objects one after another, columns), Excel (.xlsx), Stata, SPSS, Parquet
        or Feather; also packed by zip, gzip, bzip2 or xz. A member of an archive of
        several files is ``archive.zip/member``. Or a table in memory, of pandas,
        polars, PyArrow or datasets.
    text : str or (str, str)
        The column of the texts. Two columns: each row is a pair of texts. In JSON the
        path to what stands within objects, such as "data.text".
    target : str
        The column to be predicted. For pairs of texts the one that says which won: a
        or b, 1 or 0, the name of a column; or the column that won in all rows.
    mapping : dict of str to float, str, path-like or None, default=None
        Numbers to put for the values of the target; or a CSV file of two columns, a
        value and its number. Numbers are compared as numbers (``{"1": 0}`` is for
        1.0, too), words without regard to case and blanks.
    task : {"auto", "regression", "classification"}, default="auto"
        What the target is. "auto": a few words are classes, words of a known scale
        of answers and numbers are quantities (two distinct numbers are classes).
    groups : str or None, default=None
        The column with the group of each row.
    covariates : str, or list or tuple of str, default=()
        Columns of numbers, or of a few different words.
    pairs : str or None, default=None
        The column with the pair of each row.
    moderator : str or None, default=None
        The column with the groups that hypotheses are compared between, such as the
        platform.
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
    test : str, path-like, file object, table or None, default=None
        Another file, or table, of the same columns, which holds the rows to test on.
    split : str or None, default=None
        The column that says which rows are those of the test (test, holdout, 1), as
        ``column`` or ``column=value``.
    sep : str or None, default=None
        The character between fields. None: it is recognized.
    encoding : str or None, default=None
        None: UTF-8, or what a byte-order mark says.
    header : bool, default=True
        Whether the first row holds the names of columns. If not, these are "1", "2"
        and so on.
    quotes : bool, default=True
        Whether quotes may enclose fields. If not, they are characters like others.
    sheet : str, int or None, default=None
        The name, or the number from 1 on, of a sheet of Excel. None: the first.
    html : {"remove", "keep"}, default="remove"
        Whether tags and entities of HTML are taken out of texts, as `remove_html` does.

    Returns
    -------
    rows : LabelledTexts
        The rows that have all of it, as `texts` and `target`, with what was left out
        (`dropped`) and decided (`notes`) to get them.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, a column is not there or empty, the
        texts are no texts, the targets are not numbers, not in the mapping or all
        the same, or covariates, pairs or the split cannot be used.

    See Also
    --------
    make_hypothesis_pipeline : What is fitted on these texts.
    make_pairs : Pairs from texts that are in memory.

    Examples
    --------
    A table as a spreadsheet in German writes it, of which one row has no stars:

    >>> import io
    >>> from sklearn_hypo import read_labelled_texts
    >>> file = io.BytesIO(
    ...     b"sep=;\nreview;stars\nsehr gut;5\nna ja;3\nkein Urteil;\n"
    ...     b'"schlecht; teuer";1\n'
    ... )
    >>> rows = read_labelled_texts(file, text="review", target="stars")
    >>> rows.texts.tolist(), rows.target.tolist()
    (['sehr gut', 'na ja', 'schlecht; teuer'], [5, 3, 1])
    >>> rows.dropped
    {'without_text': 0, 'without_target': 1}

    Preferences, with two texts in each row:

    >>> file = io.StringIO(
    ...     '{"one": "Wait!", "two": "Report", "winner": "one"}\n'
    ...     '{"one": "A cat", "two": "A dog", "winner": "two"}'
    ... )
    >>> rows = read_labelled_texts(file, text=("one", "two"), target="winner")
    >>> rows.texts.tolist(), rows.target.tolist(), rows.pairs.tolist()
    (['Wait!', 'Report', 'A cat', 'A dog'], [1, 0, 0, 1], ['0', '0', '1', '1'])
    """
    covariates = [covariates] if isinstance(covariates, str) else covariates
    columns = list_columns(text, target, groups, covariates, pairs, moderator, split)
    options = FileOptions(
        sep=sep, encoding=encoding, header=header, quotes=quotes, sheet=sheet
    )
    files = [path] if test is None else [path, test]
    frame, notes = read_frame(files, columns, options)
    markers, mapping = MissingMarkers.of(missing), load_mapping(mapping)
    if "first" in columns:
        frame = expand_pairs(frame, tuple(text), target, mapping, markers, notes.append)
        text, mapping = " and ".join(text), {}
        pairs = text
        columns = {"text": text, "target": target, "pair": pairs} | {
            role: name for role, name in columns.items() if role in frame
        }
    if html == "remove":
        remove_html_from(frame, notes.append)
    kept, dropped = drop_incomplete(
        frame, columns, markers, known=mapping, decimal=decimal, note=notes.append
    )
    kept = kept.assign(text=take_texts(kept["text"], text, notes.append))
    with _say_with_errors(notes, target):
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
    is_test = _mark_test(kept, split, test, notes.append)
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=y,
        n_read=len(frame),
        dropped=dropped,
        clusters=kept["group"].to_numpy(dtype=object) if groups else None,
        covariates=design,
        pairs=kept["pair"].to_numpy(dtype=object) if pairs else None,
        is_test=is_test,
        notes=tuple(notes),
        moderator=_take_moderator(kept, moderator),
    )


def _take_moderator(kept, name):
    if name is None:
        return None
    return pd.Series(kept["moderator"].to_numpy(dtype=object), name=name, dtype=object)


def _mark_test(kept, split, test, note):
    """Tell which rows are those of the test; None if the user did not split them."""
    if split:
        is_test = mark_test_rows(kept["split"], *parse_split(split), note=note)
    elif test is not None:
        is_test = kept["file"].to_numpy(dtype=int) == 1
    else:
        return None
    check_sides(is_test, kept["text"], kept.get("pair"), kept.get("group"), note)
    return is_test


@contextmanager
def _say_with_errors(notes, target):
    """Say with an error what was noted on the target before, such as missing values."""
    try:
        yield
    except InputError as error:
        what = describe_target(target)
        said = " ".join(sentence for sentence in notes if sentence.startswith(what))
        if not said:
            raise
        raise InputError(f"{error} Before that: {said}") from error
