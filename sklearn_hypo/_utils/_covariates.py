"""What accompanies rows, checked and coded: one label or number each, covariates.

Plain functions on columns. Messages begin with the name of the caller.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

_MOST_CATEGORIES = 50


def check_column(values, n_rows, name, caller):
    """One value per row, without gaps."""
    array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n_rows,):
        raise ValueError(
            f"{caller}: {name} has shape {array.shape}, but there are {n_rows} rows. "
            f"There must be one value of {name} per row."
        )
    missing = int(pd.isna(array).sum())
    if missing:
        raise ValueError(
            f"{caller}: {missing} of {n_rows} values of {name} are missing. Drop those "
            "rows, with their texts and targets, or give them a value."
        )
    return array


def check_labels(values, n_rows, name, caller):
    """Codes from 0 on, in the order of their first rows; None for None."""
    if values is None:
        return None
    return pd.factorize(check_column(values, n_rows, name, caller))[0]


def code_covariates(covariates, n_rows, caller):
    """Numbers as they are, categories as indicators without the first."""
    if covariates is None:
        return None, ()
    frame = _as_frame(covariates)
    if not frame.shape[1]:
        return None, ()
    if len(frame) != n_rows:
        raise ValueError(
            f"{caller}: covariates has {len(frame)} rows, but there are {n_rows} "
            "texts. There must be one row of covariates per text."
        )
    gaps = frame.columns[frame.isna().any()].tolist()
    if gaps:
        raise ValueError(
            f"{caller}: the covariates {gaps} have missing values. Drop those rows, "
            "with their texts and targets, or impute them."
        )
    dates = frame.select_dtypes(["datetime", "datetimetz", "timedelta"]).columns
    if len(dates):
        raise ValueError(
            f"{caller}: the covariates {dates.tolist()} are dates. Pass numbers, such "
            "as days since a start, or categories, such as the year as a string."
        )
    plain = frame.select_dtypes(["number", "bool"]).columns
    rest = [name for name in frame if name not in set(plain)]
    for name in rest:
        n_levels = frame[name].nunique()
        if n_levels > _MOST_CATEGORIES:
            raise ValueError(
                f"{caller}: the covariate {name!r} has {n_levels} categories, more "
                f"than {_MOST_CATEGORIES}. Pass it as fixed_effects or groups, or join "
                "rare categories."
            )
    coded = pd.get_dummies(frame, columns=rest, drop_first=True, dtype=float)
    values = coded.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{caller}: covariates holds infinite values.")
    return values, tuple(map(str, coded.columns))


def _as_frame(covariates):
    if isinstance(covariates, pd.Series):
        name = "z0" if covariates.name is None else covariates.name
        covariates = covariates.to_frame(name)
    if isinstance(covariates, pd.DataFrame):
        return covariates.reset_index(drop=True).infer_objects()
    if isinstance(covariates, Mapping):
        raise TypeError(
            f"covariates is a {type(covariates).__name__}, but must be a table of one "
            "row per text. Pass pandas.DataFrame(covariates)."
        )
    array = np.asarray(covariates)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2:
        raise TypeError(
            "covariates must be a table of one row per text, but "
            f"{type(covariates).__name__} of shape {array.shape} arrived."
        )
    names = [f"z{i}" for i in range(array.shape[1])]
    frame = pd.DataFrame(array, columns=names).infer_objects()
    for name in frame.select_dtypes(["object", "string"]).columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.notna().all():  # an array of mixed kinds makes texts of numbers
            frame[name] = numbers
    return frame


def without_level_means(values, levels, weights=None):
    """Subtract from each row, or number, the (weighted) mean of its level."""
    weights = np.ones(len(levels)) if weights is None else weights
    levels = np.unique(levels, return_inverse=True)[1]
    total = np.bincount(levels, weights)
    table = np.atleast_2d(values.T).T.astype(float)
    means = np.empty((len(total), table.shape[1]))
    for j, column in enumerate(table.T):
        means[:, j] = np.bincount(levels, weights * column) / total
    return (table - means[levels]).reshape(values.shape)
