"""Files of Stata and SPSS: values with labels."""

import warnings

import pandas as pd

from .._utils._printable import quote_value
from ._column_names import find_columns
from ._libraries import import_library, library_errors
from ._values import to_label

_AT_ONCE = 50_000  # rows


def read_stata(source, wanted, options):
    """Read columns of a file of Stata (.dta).

    Parameters and returns are as in `read_delimited`. Where all values of a column have
    labels, these are returned, else the values: numbers, dates, strings, NaN for what
    is missing.
    """
    with source.as_path() as path, library_errors(source, "Stata"):
        with pd.read_stata(path, chunksize=1) as reader:
            names = list(reader.variable_labels())
        wanted = [names[each] for each in find_columns(source, names, wanted)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = _read_stata_columns(path, wanted, convert_categoricals=False)
            labels = {name: _find_labels(path, name, values[name]) for name in wanted}
    columns, notes = _apply_labels(source, values, labels)
    if any(issubclass(each.category, UnicodeWarning) for each in caught):
        notes.append(
            f"{source} is of a version of Stata that writes UTF-8, but some of its "
            "texts are not: they are read as latin-1. Look at those with accents."
        )
    return columns, notes


def _read_stata_columns(path, columns, **settings):
    """Return lists by name; rows are read in parts, as pandas reads all columns."""
    values = {name: [] for name in columns}
    with pd.read_stata(path, columns=columns, chunksize=_AT_ONCE, **settings) as parts:
        for part in parts:
            for name in columns:
                values[name] += part[name].astype(object).tolist()
    return values


def _find_labels(path, name, values):
    """Return the label of each value that has one."""
    try:
        labelled = _read_stata_columns(path, [name])[name]
    except ValueError:  # one label for two values: pandas makes nothing of it
        return {}
    return {
        value: label
        for value, label in zip(values, labelled, strict=True)
        if isinstance(label, str) and not isinstance(value, str)
    }


def read_spss(source, wanted, options):
    """Read columns of a file of SPSS (.sav, .zsav), as `read_stata` does.

    What the file declares as missing is NaN.
    """
    pyreadstat = import_library("pyreadstat", "SPSS")
    with source.as_path() as path, library_errors(source, "SPSS"):
        _, about = pyreadstat.read_sav(
            path, metadataonly=True, encoding=options.encoding
        )
        names = about.column_names
        wanted = [names[each] for each in find_columns(source, names, wanted)]
        frame, about = pyreadstat.read_sav(
            path, usecols=wanted, encoding=options.encoding
        )
    values = {name: frame[name].astype(object).tolist() for name in wanted}
    return _apply_labels(source, values, about.variable_value_labels)


def _apply_labels(source, values, labels):
    """Put labels for the values of the columns of which all values have one."""
    notes, columns = [], []
    for name, column in values.items():
        known = labels.get(name, {})
        present = {value for value in column if not pd.isna(value)}
        bare = present - known.keys()
        if not bare:
            column = [known.get(value, value) for value in column]
        elif present & known.keys():
            some = next(value for value in known if value in present)
            notes.append(
                f"the column {quote_value(name)} of {source} has labels for "
                f"{len(present) - len(bare)} of {len(present)} values, such as "
                f"{quote_value(known[some])} for {to_label(some)}: it is read as the "
                "values themselves."
            )
        columns.append(column)
    return columns, notes
