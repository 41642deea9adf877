"""The same column, in whatever its owner keeps it."""

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

_CUT = 5  # chunks of unlike length


def _make_dataset(values, **features):
    return datasets.Dataset.from_dict({"text": values}, **features)


# Of any values; scikit-learn indexes all of them.
OF_VALUES = {
    "tuple": tuple,
    "array of objects": lambda v: np.array(v, dtype=object),
    "pandas Series": pd.Series,
    "pandas objects": lambda v: pd.Series(v, dtype=object),
    "pandas by Arrow": lambda v: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.chunked_array([v]))
    ),
    "polars Series": lambda v: pl.Series("text", v),
    "PyArrow array": pa.array,
    "PyArrow chunks": lambda v: pa.chunked_array([v[:_CUT], v[_CUT:]]),
    "column of a Dataset": lambda v: _make_dataset(v)["text"],
    "list of a Dataset": lambda v: _make_dataset(v)["text"][:],
}

# Of values that are strings.
OF_STRINGS = {
    **OF_VALUES,
    "array of U": np.array,
    "StringDType": lambda v: np.array(v, dtype=np.dtypes.StringDType()),
    "string[python]": lambda v: pd.Series(v, dtype="string[python]"),
    "string[pyarrow]": lambda v: pd.Series(v, dtype="string[pyarrow]"),
    "large_string by Arrow": lambda v: pd.Series(
        v, dtype=pd.ArrowDtype(pa.large_string())
    ),
    "pandas categories": lambda v: pd.Series(v, dtype="category"),
    "polars Categorical": lambda v: pl.Series("text", v, dtype=pl.Categorical),
    "polars Enum": lambda v: pl.Series("text", v, dtype=pl.Enum(sorted(set(v)))),
    "PyArrow large_string": lambda v: pa.array(v, pa.large_string()),
    "PyArrow dictionary": lambda v: pa.array(v).dictionary_encode(),
    "column of a Dataset of arrays": (
        lambda v: _make_dataset(v).with_format("numpy")["text"]
    ),
}

# Tables of one column. Not every entry takes them: some give a table a meaning.
TABLES = {
    "pandas frame": lambda v: pd.DataFrame({"text": v}),
    "polars frame": lambda v: pl.DataFrame({"text": v}),
    "PyArrow Table": lambda v: pa.table({"text": v}),
}

# scikit-learn cannot take rows from these.
NOT_INDEXED = {
    "Dataset": _make_dataset,
    "pandas Index": pd.Index,
    "pandas array": pd.array,
    "PyArrow RecordBatch": lambda v: pa.record_batch({"text": pa.array(v)}),
    "PyArrow string_view": lambda v: pa.array(v, pa.string_view()),
}

# Of values some of which are missing, in each by its own mark.
WITH_GAPS = {
    "list": list,
    "pandas Series": pd.Series,
    "pandas nullable": lambda v: pd.array(v),
    "pandas by Arrow": OF_VALUES["pandas by Arrow"],
    "polars Series": OF_VALUES["polars Series"],
    "PyArrow array": pa.array,
    "PyArrow chunks": OF_VALUES["PyArrow chunks"],
    "column of a Dataset": OF_VALUES["column of a Dataset"],
}
