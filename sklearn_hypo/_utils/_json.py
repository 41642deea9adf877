"""Values as JSON holds them: one rule for reports, settings and files."""

import json
from collections.abc import Mapping

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
        has none; functions their names; whatever else there is its text.
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
    if hasattr(value, "__qualname__") and not isinstance(value, type):
        # a function, without its address
        return f"{value.__module__}.{value.__qualname__}"
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


class FrozenJson(Mapping):
    """A JSON object that cannot change: it can be hashed, compared, pickled, printed.

    Parameters
    ----------
    values : mapping
        From strings to what `json.dumps` takes; tuples become lists. A TypeError or
        ValueError is raised for anything else.
    """

    __slots__ = ("_text",)

    def __init__(self, values):
        if not isinstance(values, Mapping) or not all(map(_is_str, values)):
            raise TypeError("a mapping from strings is needed")
        self._text = json.dumps(dict(values), sort_keys=True, allow_nan=False)

    def __getitem__(self, name):
        return self.to_dict()[name]

    def __iter__(self):
        return iter(self.to_dict())

    def __len__(self):
        return len(self.to_dict())

    def __hash__(self):
        return hash(self._text)

    def __eq__(self, other):
        if isinstance(other, FrozenJson):
            return self._text == other._text
        return super().__eq__(other)

    def __repr__(self):
        return repr(self.to_dict())

    def to_dict(self):
        """Return a dict of plain values, which the caller may change."""
        return json.loads(self._text)


def _is_str(value):
    return isinstance(value, str)
