"""Where a report comes from: versions, settings, hashes of the data."""

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib import metadata

import numpy as np

from .._language_models._models import PROVIDERS

_PACKAGES = (
    "scikit-learn",
    "torch",
    "numpy",
    "pandas",
    "scipy",
    "sentence-transformers",
    *(spec.package for spec in PROVIDERS.values()),
    "joblib",
    "statsmodels",
)


def list_versions():
    """Return the versions of Python and of the packages that took part.

    Returns
    -------
    found : dict of str to str
        None for a package that is not installed.
    """
    found = {"python": platform.python_version()}
    for name in ("sklearn-hypo", *_PACKAGES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def hash_values(values):
    """Return the SHA-256 of a sequence of values, in order.

    Parameters
    ----------
    values : iterable
        Texts as they are, arrays of numbers as float64, others as their repr.

    Returns
    -------
    digest : str
        Hexadecimal.

    Examples
    --------
    >>> from sklearn_hypo._report._provenance import hash_values
    >>> hash_values(["ab", "c"]) == hash_values(["a", "bc"])
    False
    """
    values = np.asarray(values)
    if values.dtype.kind in "iufb":
        return hashlib.sha256(values.astype(np.float64).tobytes()).hexdigest()
    digest = hashlib.sha256()
    for value in values.tolist():
        text = value if isinstance(value, str) else repr(value)
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def record_provenance(*, texts, target, settings, seeds, edits):
    """Collect what another person needs to know to trust a report.

    Parameters
    ----------
    texts : array-like of str or None
        The texts of the test.
    target : array-like
        Their target.
    settings : dict
        Of the pipeline, as JSON holds them.
    seeds : dict
        Seeds by name.
    edits : list of dict
        What was changed by hand since an earlier report on the same rows.

    Returns
    -------
    provenance : dict
        "created", "versions", "settings", "seeds", "data" and "edits".
    """
    return {
        "created": datetime.now(UTC).date().isoformat(),
        "versions": list_versions(),
        "settings": settings,
        "seeds": seeds,
        "data": {
            "n_rows": len(target),
            "texts_sha256": None if texts is None else hash_values(texts),
            "target_sha256": hash_values(target),
        },
        "edits": edits,
    }


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


def record_settings(estimator):
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


def record_seeds(estimator):
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
