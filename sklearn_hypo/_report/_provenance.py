"""Where a report comes from: versions, settings, hashes of the data."""

import hashlib
import platform
from datetime import UTC, datetime
from importlib import metadata

import numpy as np

from .._language_models._models import PROVIDERS
from .._utils._json import to_json_value
from .._utils._threads import describe_computation

_PACKAGES = (
    "scikit-learn",
    "torch",
    "numpy",
    "pandas",
    "scipy",
    "sentence-transformers",
    "transformers",
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


def record_provenance(*, texts, target, settings, seeds, edits, tests=(), notes=()):
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
        Hypotheses added, dropped and tested anew since earlier reports on the same
        rows.
    tests : sequence of dict, default=()
        Fingerprints of the tests of this report, and of those before.
    notes : sequence of str, default=()
        What a reader should know of the data.

    Returns
    -------
    provenance : dict
        "created", "versions", "settings", "seeds", "data", "edits" and "tests".
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
            **({"notes": " ".join(notes)} if len(notes) else {}),
        },
        "edits": edits,
        "tests": list(tests),
    }


# What a fit settles where a parameter leaves it open
_SETTLED = ("model_", "n_features_out_", "n_neurons_", "k_", "n_fits_", "alpha_")
_SETTLED += ("target_scale_",)


def record_settings(estimator):
    """Return class and parameters of an estimator, of its steps and strategies.

    And, of fitted steps, what they settled; of embeddings, which model they come from:
    of local weights the hash.

    Parameters
    ----------
    estimator : estimator, Pipeline or None
        Fitted or not.

    Returns
    -------
    settings : dict
        Empty for None. Under "computation" the threads and kernels of the present
        process, on which rounding depends.
    """
    if estimator is None:
        return {}
    steps = getattr(estimator, "steps", None) or [("hypotheses", estimator)]
    settings = {"steps": {name: to_json_value(step) for name, step in steps}}
    models = {n: step.model_identity_ for n, step in steps if _names_its_model(step)}
    if models:
        settings["models"] = to_json_value(models)
    settings["fitted"] = {name: _read_settled(step) for name, step in steps}
    strategies = ("interpreter", "annotator", "final_estimator")
    found = {name: getattr(steps[-1][1], f"{name}_", None) for name in strategies}
    settings["strategies"] = {
        name: to_json_value(each) for name, each in found.items() if each is not None
    }
    return settings | {"computation": describe_computation()}


def _read_settled(step):
    """What a fit settled, and in how many different texts hypotheses were found."""
    found = {name: getattr(step, name) for name in _SETTLED if hasattr(step, name)}
    known = getattr(step, "training_fingerprints_", None)
    if known is not None:
        found["n_training_texts"] = len(known)
    return to_json_value(found)


def _names_its_model(step):
    return hasattr(step, "model_identity_")


def record_seeds(estimator):
    """Return the `random_state` of every step that has one, by parameter name."""
    if estimator is None:
        return {}
    found = estimator.get_params(deep=True)
    return {k: to_json_value(v) for k, v in found.items() if k.endswith("random_state")}
