"""Columns and tables of other libraries: polars, PyArrow and datasets.

Whatever a user passes in goes through `convert_container` first, so that everything
behind it meets lists, NumPy and pandas alone. None of the libraries is imported: a
value tells by its class which it is from.
"""

import pandas as pd


def convert_container(values):
    """Return a column as a list, a table as a frame of pandas.

    Parameters
    ----------
    values : object
        Anything. What is not a column or a table of polars, PyArrow or datasets is
        returned as it is: lists, arrays, pandas, None.

    Returns
    -------
    values : object
        For a column the list of its values, None where one is missing; where its type
        says that its numbers stand for classes (a ClassLabel of datasets), a
        categorical Series. For a table a DataFrame.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from sklearn_hypo._utils._containers import convert_container
    >>> convert_container(pa.array(["so sad", None]))
    ['so sad', None]
    """
    convert = _CONVERTERS.get(type(values).__module__.partition(".")[0])
    return values if convert is None else convert(values)


def find_column_name(values):
    """Return the name of a column of any library as a str, or None."""
    for attribute in ("column_name", "name"):
        name = getattr(values, attribute, None)
        # a frame may have a column that is called so
        if pd.api.types.is_hashable(name) and name not in (None, ""):
            return str(name)
    return None


def _convert_polars(values):
    if hasattr(values, "to_list"):
        return values.to_list()
    if hasattr(values, "to_dicts"):  # to_pandas would need PyArrow
        return pd.DataFrame({name: values[name].to_numpy() for name in values.columns})
    return values


def _convert_pyarrow(values):
    if not hasattr(values, "to_pylist"):
        return values
    if hasattr(values, "column_names"):
        return values.to_pandas()
    return values.to_pylist()


def _convert_datasets(values):
    if hasattr(values, "to_pandas") and hasattr(values, "num_rows"):
        return values.to_pandas()
    if not (hasattr(values, "column_name") and hasattr(values, "__len__")):
        return values
    # in the format of its dataset: a list, or an array of yet another library
    column = convert_container(values[:])
    n_classes = getattr(values.features, "num_classes", None)
    if n_classes is None:
        return column
    # -1 stands for no class, there as here
    codes = [-1 if code is None else int(code) for code in column]
    return pd.Series(pd.Categorical.from_codes(codes, range(n_classes)))


_CONVERTERS = {
    "polars": _convert_polars,
    "pyarrow": _convert_pyarrow,
    "datasets": _convert_datasets,
}
