"""Values as JSON holds them: one rule for reports, settings and files."""

import numpy as np
import pandas as pd


def to_json_value(value):
    """Return a value, and everything in it, as `json.dumps` takes it.

    Parameters
    ----------
    value : object
        Scalars of NumPy and pandas, strings, lists, tuples, arrays, dicts, and
        estimators, which become their class and parameters.

    Returns
    -------
    plain : None, bool, int, float, str, list or dict
        NaN, NA and NaT become None; infinities "Infinity" and "-Infinity", since JSON
        has none; whatever else there is its text.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return _finite_or_name(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): to_json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [to_json_value(each) for each in value]
    if hasattr(value, "get_params") and not isinstance(value, type):
        return describe_estimator(value)
    return None if value is pd.NA or value is pd.NaT else str(value)


def describe_estimator(estimator):
    """Return the class and the parameters of an estimator as JSON holds them."""
    kind = type(estimator)
    return {
        "class": f"{kind.__module__.partition('.')[0]}.{kind.__name__}",
        "parameters": to_json_value(estimator.get_params(deep=False)),
    }


def _finite_or_name(value):
    if np.isfinite(value):
        return value
    return None if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
