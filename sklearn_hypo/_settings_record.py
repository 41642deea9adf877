"""Settings of estimators as JSON holds them."""

import json

import numpy as np


def plain(value):
    """Return a value as JSON can hold it: NaN becomes None, others their text.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    plain : object
        A value, or a list of them, that `json.dumps` takes.
    """
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _of_one(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value


def _of_one(estimator):
    if not hasattr(estimator, "get_params"):
        return plain(estimator)  # "passthrough", None
    kind = type(estimator)
    return {
        "class": f"{kind.__module__.partition('.')[0]}.{kind.__name__}",
        "parameters": plain(estimator.get_params(deep=False)),
    }


def estimator_settings(estimator):
    """Return class and parameters of an estimator, of its steps and strategies.

    Parameters
    ----------
    estimator : estimator, Pipeline or None
        Fitted or not.

    Returns
    -------
    settings : dict
        Empty for None.
    """
    if estimator is None:
        return {}
    steps = getattr(estimator, "steps", None) or [("hypotheses", estimator)]
    settings = {"steps": {name: _of_one(step) for name, step in steps}}
    strategies = ("interpreter", "annotator", "final_estimator")
    found = {name: getattr(steps[-1][1], f"{name}_", None) for name in strategies}
    settings["strategies"] = {
        name: _of_one(each) for name, each in found.items() if each is not None
    }
    return settings


def seeds_of(estimator):
    """Return the `random_state` of every step that has one.

    Parameters
    ----------
    estimator : estimator, Pipeline or None
        Fitted or not.

    Returns
    -------
    seeds : dict of str to int or None
        By parameter name.
    """
    if estimator is None:
        return {}
    found = estimator.get_params(deep=True)
    return {k: plain(v) for k, v in found.items() if k.endswith("random_state")}
