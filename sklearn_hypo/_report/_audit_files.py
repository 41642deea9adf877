"""The files of an audit bundle: rows, texts, JSON, and hashes of all of them."""

import gzip
import hashlib
import json

import numpy as np
import pandas as pd

from .._utils._json import to_json_value
from .._utils._printable import to_printable
from ._details import EvaluationData

MANIFEST, README = "MANIFEST.sha256", "README.txt"
TABLE, REPORT = "hypotheses.csv", "report.json"
ROWS, COLUMNS, TEXTS = "rows.npz", "columns.json", "texts.jsonl.gz"
SETTINGS, VERSIONS, EDITS = "settings.json", "versions.json", "edits.json"

_NEEDED = {TABLE, REPORT, ROWS, COLUMNS, SETTINGS, VERSIONS, EDITS, README}
_ROW_FIELDS = (
    *("target", "sample_weight", "groups", "fixed_effects", "pairs"),
    "moderator",
)


# Rows -----------------------------------------------------------------------------


def write_rows(folder, data):
    """Write annotations, target and what accompanied them."""
    columns = {name: getattr(data, name) for name in _ROW_FIELDS}
    columns = {name: each for name, each in columns.items() if each is not None}
    labels = None
    if isinstance(data.covariates, pd.DataFrame):
        labels = _pack_labels(data.covariates.columns)
        for i in range(len(labels)):
            columns[f"covariate{i}"] = data.covariates.iloc[:, i]
    elif data.covariates is not None:
        columns["covariates"] = np.asarray(data.covariates)
    arrays, beside = {"annotations": np.asarray(data.annotations, dtype=float)}, {}
    for name, column in columns.items():
        arrays[name], beside[name] = pack_column(column)
    if data.votes is not None:
        arrays["votes"] = np.array([*data.votes.values()])
    np.savez_compressed(folder / ROWS, **arrays)
    names = list(map(str, data.names))
    about = {"names": names, "columns": beside, "covariates": labels}
    if data.votes is not None:
        about["annotators"] = [*data.votes]
    write_json(folder / COLUMNS, about)


def read_rows(folder, settings):
    """Return what was written as EvaluationData, with the settings of the test."""
    with (
        open(folder / ROWS, "rb") as opened,
        np.load(opened, allow_pickle=False) as file,
    ):
        arrays = {name: file[name] for name in file.files}
    about = read_json(folder / COLUMNS)
    rows = {
        name: unpack_column(arrays[name], b) for name, b in about["columns"].items()
    }
    return EvaluationData(
        annotations=arrays["annotations"],
        names=tuple(about["names"]),
        texts=_read_texts(folder / TEXTS),
        covariates=_read_covariates(rows, about["covariates"], len(rows["target"])),
        settings=settings,
        votes=dict(zip(about["annotators"], arrays["votes"], strict=True))
        if "annotators" in about
        else None,
        **{name: rows[name] for name in _ROW_FIELDS if name in rows},
    )


def _pack_labels(labels):
    """Labels of columns, each with its type."""
    values = np.empty(len(labels), dtype=object)
    values[:] = list(labels)
    codes, beside = pack_column(values)
    return [beside["levels"][code] for code in codes]


def _read_covariates(rows, labels, n_rows):
    if labels is None:
        return rows.get("covariates")
    columns = {}
    for i in range(len(labels)):
        values = rows[f"covariate{i}"]
        columns[i] = pd.Series(values, dtype=values.dtype)  # objects stay objects
    frame = pd.DataFrame(columns, index=range(n_rows))
    beside = {"kind": "labels", "levels": labels}
    frame.columns = list(unpack_column(np.arange(len(labels)), beside))
    return frame


def write_texts(folder, texts):
    """Write one JSON string per line; the same bytes for the same texts."""
    lines = "".join(f"{json.dumps(str(text))}\n" for text in texts)
    (folder / TEXTS).write_bytes(gzip.compress(lines.encode("ascii"), mtime=0))


def _read_texts(path):
    if not path.exists():
        return None
    lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
    texts = np.empty(len(lines), dtype=object)
    texts[:] = [json.loads(line) for line in lines]
    return texts


def write_json(path, values):
    """Write values as JSON in ASCII, which holds any string."""
    text = json.dumps(to_json_value(values), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="ascii", newline="\n")


def read_json(path):
    """Return what was written."""
    return json.loads(path.read_text(encoding="ascii"))


# Hashes ---------------------------------------------------------------------------


def write_manifest(folder):
    """Write the hash of every file, as `sha256sum` does."""
    lines = [f"{_sha256(p)}  {p.name}\n" for p in sorted(folder.iterdir())]
    (folder / MANIFEST).write_text("".join(lines), encoding="ascii", newline="\n")


def check_manifest(folder):
    """Raise unless every file is what it was; all that are not are named."""
    path = folder / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f"{str(folder)!r} is no audit bundle: there is no {MANIFEST}."
        )
    listed = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    faults = _list_faults(folder, listed)
    if faults:
        raise ValueError(
            f"The audit bundle {str(folder)!r} is not as it was written: "
            f"{'; '.join(faults)}."
        )


def _list_faults(folder, listed):
    """What is wrong with the files. Only files of known names are ever opened."""
    known = _NEEDED | {TEXTS}
    faults = [
        f"{to_printable(name)} is unknown" for name in listed if name not in known
    ]
    expected = _NEEDED | ({TEXTS} if (folder / TEXTS).exists() else set())
    faults += [f"{name} is not listed" for name in sorted(expected - listed.keys())]
    for name in sorted(known & listed.keys()):
        if not (folder / name).is_file():
            faults.append(f"{name} is missing")
        elif _sha256(folder / name) != listed[name]:
            faults.append(f"{name} has changed")
    return faults


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Columns --------------------------------------------------------------------------

_PLAIN_KINDS = "biufcUMmS"
_TYPES = {"str": str, "int": int, "bool": bool, "float": float}
_MISSING = {"None": None, "NA": pd.NA, "NaT": pd.NaT}


def pack_column(values):
    """Split a column into an array without objects and what JSON keeps beside it.

    Parameters
    ----------
    values : array-like, Series or Categorical
        A column, or a matrix of numbers.

    Returns
    -------
    array : ndarray
        The numbers, or codes of the labels.
    beside : dict
        For `unpack_column`; empty if the array says it all.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._report._audit_files import pack_column, unpack_column
    >>> array, beside = pack_column(np.array(["b", 1, "b", True], dtype=object))
    >>> array.tolist(), beside["levels"]
    ([0, 1, 0, 2], [['str', 'b'], ['int', '1'], ['bool', 'True']])
    >>> unpack_column(array, beside).tolist()
    ['b', 1, 'b', True]
    """
    values = getattr(values, "array", values)  # of a series
    if isinstance(values, pd.Categorical):
        beside = {"kind": "category", "ordered": bool(values.ordered)}
        beside["dtype"] = str(values.categories.dtype)
        beside["levels"] = [_pack_label(level) for level in values.categories]
        return np.asarray(values.codes), beside
    array, beside = np.asarray(values), {}
    if array.dtype.kind not in _PLAIN_KINDS:
        array, levels = _number_labels(array)
        beside = {"kind": "labels", "levels": levels}
    if isinstance(getattr(values, "dtype", None), pd.api.extensions.ExtensionDtype):
        beside = {"kind": "plain"} | beside | {"dtype": str(values.dtype)}
    return array, beside


def unpack_column(array, beside):
    """Return the column that was packed, with its types and values."""
    if not beside:
        return array
    levels = [_unpack_label(*each) for each in beside.get("levels", ())]
    if beside["kind"] == "category":
        categories = pd.Index(levels, dtype=beside["dtype"])
        return pd.Categorical.from_codes(array, categories, ordered=beside["ordered"])
    values = array
    if beside["kind"] == "labels":
        values = np.empty(len(array), dtype=object)
        values[:] = [levels[code] for code in array]
    return pd.array(values, dtype=beside["dtype"]) if "dtype" in beside else values


def _number_labels(values):
    """Codes and levels of a column of objects; types tell equal labels apart."""
    if values.ndim != 1:
        raise TypeError(
            f"A matrix of {values.dtype} cannot be stored without pickle; only columns "
            "of labels can."
        )
    number, codes = {}, np.empty(len(values), dtype=np.int32)
    for i, value in enumerate(values.tolist()):
        codes[i] = number.setdefault(tuple(_pack_label(value)), len(number))
    return codes, [list(each) for each in number]


def _pack_label(value):
    """A label as the name of its type and its text."""
    for name, missing in _MISSING.items():
        if value is missing:
            return ["missing", name]
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        plain = value.item()
        name = f"numpy.{value.dtype.name if value.dtype.kind != 'U' else 'str'}"
        return [name, plain if isinstance(plain, str) else repr(plain)]
    for name, kind in _TYPES.items():
        if type(value) is kind:
            return [name, value if kind is str else repr(value)]
    raise TypeError(
        f"A label of type {type(value).__name__} cannot be stored without pickle. "
        "Labels may be strings, integers, floats, booleans or missing."
    )


def _unpack_label(name, text):
    if name == "missing":
        return _MISSING[text]
    if name == "numpy.str":
        return np.str_(text)
    if name.startswith("numpy."):
        dtype = np.dtype(name.removeprefix("numpy."))
        if dtype.kind == "b":
            return np.bool_(text == "True")
        return dtype.type(int(text) if dtype.kind in "iu" else float(text))
    return text == "True" if name == "bool" else _TYPES[name](text)
