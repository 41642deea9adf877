"""Reading texts and a target from a file, for the command line."""

import bz2
import gzip
import json
import lzma
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ._remarks import printable

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_PARQUET = {".parquet", ".pq"}

# What stands for "no value" in a column of numbers or labels. A text is only missing
# if there is nothing in it: "null" or "NA" is a text that says so.
_NO_VALUE = frozenset({"", "na", "n/a", "nan", "null", "<na>"})
_NAMED = 5  # so many values are named in a message


class InputError(ValueError):
    """The file, or a column of it, cannot be used; the message is for the user."""


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
    n_without_text : int
        Rows dropped since their text is missing or blank.
    n_without_target : int
        Rows dropped since they have a text, but no target.
    """

    texts: np.ndarray
    target: np.ndarray
    n_read: int
    n_without_text: int
    n_without_target: int

    @property
    def groups(self):
        """One number per distinct text: repetitions stay on one side of a split."""
        return pd.factorize(self.texts)[0]


def read_labelled_texts(path, text, target, *, mapping=None, task="auto"):
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

    Returns
    -------
    rows : LabelledTexts
        The rows that have both.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, a column is not there or empty, the
        texts are no texts, the targets are not numbers, not in the mapping or all
        the same.
    """
    frame = _read(Path(path), [text, target])
    frame["target"] = _mapped(frame["target"], _bare)
    has_text = ~frame["text"].map(_is_blank)
    if not has_text.any():
        raise InputError(
            f"the text column {_shown(text)} is empty: none of its {len(frame)} rows "
            "holds a text."
        )
    has_target = ~frame["target"].map(lambda value: _no_value(value, mapping))
    kept = frame[has_text & has_target]
    if kept.empty:
        raise InputError(
            f"the target column {_shown(target)} is empty: none of the "
            f"{int(has_text.sum())} rows with a text has a target."
        )
    _check_are_texts(kept["text"], text)
    return LabelledTexts(
        texts=kept["text"].to_numpy(dtype=object),
        target=_target(kept["target"], target, mapping, task),
        n_read=len(frame),
        n_without_text=int((~has_text).sum()),
        n_without_target=int((has_text & ~has_target).sum()),
    )


# Files ----------------------------------------------------------------------------


def _read(path, columns):
    """Read two columns into a frame of objects with the columns text and target."""
    if not os.path.exists(path):
        raise InputError(f"there is no file {_shown(path)}.")
    if path.is_dir():
        raise InputError(f"{_shown(path)} is a folder, not a file.")
    suffix, opener = _format(path)
    if suffix in _PARQUET and opener is open:
        read = _read_parquet
    elif suffix in _JSON_LINES:
        read = _read_json_lines
    elif suffix in _SEPARATORS:
        read = _read_csv
    else:
        raise InputError(
            f"{_shown(path)}: the format is told by the end of the name, which must "
            "be .csv, .tsv, .jsonl (each also with .gz, .bz2 or .xz behind it) or "
            ".parquet."
        )
    try:
        found = read(path, columns, opener=opener, separator=_SEPARATORS.get(suffix))
    except InputError:
        raise
    except UnicodeError as error:
        raise InputError(
            f"{_shown(path)} is not in UTF-8 ({error}). Save it as UTF-8 first."
        ) from error
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        # ValueError: also the parser errors of pandas and PyArrow
        reason = _shown(error, quote="")
        raise InputError(f"{_shown(path)} cannot be read: {reason}") from error
    # objects: pandas' own strings, names of columns too, know no lone surrogates
    return pd.DataFrame(dict(zip(("text", "target"), found, strict=True)), dtype=object)


def _format(path):
    """Return the suffix that tells the format, and what opens the file."""
    name = Path(path.name.lower())
    if name.suffix in _OPENERS:
        return Path(name.stem).suffix, _OPENERS[name.suffix]
    return name.suffix, open


def _read_csv(path, columns, *, opener, separator):
    with (
        opener(path, "rt", encoding="utf-8-sig", newline="") as file,
        warnings.catch_warnings(),
    ):
        # pandas would drop what exceeds the header: half a text, perhaps
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                file,
                sep=separator,
                dtype=object,
                keep_default_na=False,
                index_col=False,
            )
        except pd.errors.ParserWarning as error:
            raise ValueError(
                "there are rows with more fields than the header has names. Put "
                "quotes around texts that hold the separator."
            ) from error
    _check_columns(path, list(frame.columns), columns)
    return [frame[name] for name in columns]


def _read_json_lines(path, columns, *, opener, separator):
    records = []
    with opener(path, "rt", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                records.append(_record(line, number))
    names = dict.fromkeys(name for record in records for name in record)
    _check_columns(path, list(names), columns)
    return [[record.get(name) for record in records] for name in columns]


def _record(line, number):
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number} is not JSON ({error}).") from error
    if not isinstance(record, dict):
        raise ValueError(f"line {number} is not a JSON object with named values.")
    return record


def _read_parquet(path, columns, *, opener, separator):
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet files are read with pyarrow, which is not installed. Install it "
            "(pip install pyarrow), or use CSV or JSON lines."
        ) from error
    _check_columns(path, parquet.read_schema(path).names, columns)
    table = parquet.read_table(path, columns=columns)
    frame = table.to_pandas(ignore_metadata=True)
    return [frame[name] for name in columns]


def _check_columns(path, names, wanted):
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(
            f"{_shown(path)} has no column {' or '.join(map(_shown, missing))}"
            f". Its columns: {', '.join(map(_shown, names[:50])) or 'none'}."
        )


# Columns --------------------------------------------------------------------------


def _mapped(values, function):
    """Apply a function to each value; the result keeps dtype object."""
    return pd.Series(map(function, values), index=values.index, dtype=object)


def _bare(value):
    """A string without surrounding blanks; what is no single value as a string."""
    if isinstance(value, str):
        return value.strip()
    return value if pd.api.types.is_scalar(value) else str(value)


def _is_blank(value):
    if isinstance(value, str):
        return not value.strip()
    return pd.api.types.is_scalar(value) and pd.isna(value)


def _no_value(value, mapping):
    if isinstance(value, str):
        return value.lower() in _NO_VALUE and value not in (mapping or {})
    return pd.isna(value)


def _check_are_texts(texts, column):
    others = texts[~texts.map(lambda value: isinstance(value, str))]
    if len(others):
        raise InputError(
            f"the text column {_shown(column)} holds values that are no texts, such as "
            f"{_some(others)}."
        )


def _target(values, column, mapping, task):
    """Turn the values of the target into numbers, or into labels of classes."""
    if mapping:
        labels = _mapped(values, _label)
        unknown = labels[~labels.isin(mapping)]
        if len(unknown):
            raise InputError(
                f"--map has no number for {_some(unknown)} in the target column "
                f"{_shown(column)}."
            )
        target = np.array([mapping[label] for label in labels], dtype=float)
    else:
        target = _without_map(values, column, task)
    if len(pd.unique(target)) == 1:
        raise InputError(
            f"the target column {_shown(column)} holds one and the same value, "
            f"{_shown(target[0])}, in all {len(target)} rows: there is nothing to "
            "predict."
        )
    if target.dtype.kind == "f" and (target == np.round(target)).all():
        return target.astype(np.int64)
    return target


def _without_map(values, column, task):
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    words = values[numbers.isna()]
    if len(words) and task == "classification":
        return np.array([encodable(_label(value)) for value in values])
    if len(words):
        examples = [f"{_shown(value, '')}=…" for value in dict.fromkeys(words)]
        raise InputError(
            f"the target column {_shown(column)} holds {_some(words)}, which are no "
            f"numbers. Give each value a number (--map {','.join(examples[:2])}), or "
            "treat the values as classes (--task classification)."
        )
    if np.isinf(numbers).any():
        raise InputError(f"the target column {_shown(column)} holds infinite values.")
    return numbers.to_numpy()


def _label(value):
    """How a value of the target is written in --map: 1 for 1.0, too."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def encodable(text):
    """Escape lone surrogates, which have no place in tables and files."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _some(values):
    """Name the first few distinct values."""
    distinct = list(dict.fromkeys(map(_label, values)))
    named = ", ".join(_shown(value) for value in distinct[:_NAMED])
    more = len(distinct) - _NAMED
    return named + (f" and {more} more" if more > 0 else "")


def _shown(value, quote="'"):
    """A value in a message: on one line, escaped, not too long."""
    text = printable(value)
    text = text if len(text) <= 200 else text[:199] + "…"
    return f"{quote}{text}{quote}"
