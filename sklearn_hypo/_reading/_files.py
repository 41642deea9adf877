"""Some columns of a file of any usual format."""

import bz2
import gzip
import json
import lzma
import os
import warnings
from pathlib import Path

import pandas as pd

from .._utils._printable import quote_value
from ..exceptions import InputError

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_PARQUET = {".parquet", ".pq"}


def read_columns(path, columns):
    """Read some columns of a file.

    Parameters
    ----------
    path : str or path-like
        CSV (.csv, .tsv; in UTF-8), JSON lines (.jsonl, .ndjson, .json), all of these
        also compressed (.gz, .bz2, .xz), or Parquet (.parquet).
    columns : sequence of str
        Their names; one may be asked for twice.

    Returns
    -------
    values : list of Series or list
        The values of each column, as they are in the file: in CSV, strings.

    Raises
    ------
    InputError
        If the file is missing or cannot be read, or a column is not there.
    """
    path = Path(path)
    if not os.path.exists(path):
        raise InputError(f"there is no file {quote_value(path)}.")
    if path.is_dir():
        raise InputError(f"{quote_value(path)} is a folder, not a file.")
    suffix, opener = _find_format(path)
    distinct = list(dict.fromkeys(columns))
    if suffix in _PARQUET and opener is open:
        read = _read_parquet
    elif suffix in _JSON_LINES:
        read = _read_json_lines
    elif suffix in _SEPARATORS:
        read = _read_csv
    else:
        raise InputError(
            f"{quote_value(path)}: the format is told by the end of the name, which "
            "must be .csv, .tsv, .jsonl (each also with .gz, .bz2 or .xz behind it) or "
            ".parquet."
        )
    try:
        found = read(path, distinct, opener=opener, separator=_SEPARATORS.get(suffix))
    except InputError:
        raise
    except UnicodeError as error:
        raise InputError(
            f"{quote_value(path)} is not in UTF-8 ({error}). Save it as UTF-8 first."
        ) from error
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        # ValueError: also the parser errors of pandas and PyArrow
        reason = quote_value(error, quote="")
        raise InputError(f"{quote_value(path)} cannot be read: {reason}") from error
    by_name = dict(zip(distinct, found, strict=True))
    return [by_name[name] for name in columns]


def _find_format(path):
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
                records.append(_parse_record(line, number))
    names = dict.fromkeys(name for record in records for name in record)
    _check_columns(path, list(names), columns)
    return [[record.get(name) for record in records] for name in columns]


def _parse_record(line, number):
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
        absent = " or ".join(map(quote_value, missing))
        there = ", ".join(map(quote_value, names[:50])) or "none"
        raise InputError(
            f"{quote_value(path)} has no column {absent}. Its columns: {there}."
        )
