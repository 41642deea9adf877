"""Saving and loading a fitted autoencoder: arrays and JSON, never pickle."""

import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from ..exceptions import ModelFileError

_FORMAT = "sklearn_hypo sparse autoencoder"


_FORMAT_VERSION = 2


_VALUES = (
    "threshold_",
    "variance_",
    "n_iter_",
    "n_steps_",
    "n_samples_seen_",
    "n_features_in_",
)


_STATE = "partial_fit/"


_ARRAYS = (
    "encoder_coef_",
    "encoder_intercept_",
    "components_",
    "decoder_intercept_",
    "mean_",
    "dead_neurons_",
)


# what NumPy, zipfile and zlib raise for files that are cut off or are something else
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def save_estimator(estimator, path):
    """Write parameters and fitted arrays, and replace `path` only when all is there.

    Parameters
    ----------
    estimator : SparseAutoencoderTransformer
        Fitted.
    path : str or path-like
        Where to.
    """
    header = {
        "format": _FORMAT,
        "version": _FORMAT_VERSION,
        "class": type(estimator).__name__,
        "params": _json_params(estimator),
        "feature_names_in_": list(getattr(estimator, "feature_names_in_", [])) or None,
        "history_": estimator.history_.astype(object)
        .where(estimator.history_.notna(), None)
        .to_dict("list"),
    }
    for name in (*_VALUES, *estimator._extra_values):
        header[name] = getattr(estimator, name)
    buffer = io.BytesIO()
    arrays = {name: getattr(estimator, name) for name in _ARRAYS}
    arrays |= _extra_arrays(estimator)
    np.savez(buffer, header=np.array(json.dumps(header)), **arrays)
    _write_atomically(Path(path), buffer.getvalue())


def _extra_arrays(estimator):
    """Return the arrays of a subclass and the state of partial_fit, where present."""
    arrays = {
        name: np.asarray(getattr(estimator, name))
        for name in estimator._extra_arrays
        if hasattr(estimator, name)
    }
    for name, array in arrays.items():
        if array.dtype == object:  # labels: plain strings need no pickle
            arrays[name] = np.array(list(map(str, array)))
    state = getattr(estimator, "_online_state", None) or {}
    return arrays | {_STATE + name: array for name, array in state.items()}


def _json_params(estimator):
    params = estimator.get_params(deep=False)
    if not isinstance(params["prefix_lengths"], str | None):
        params["prefix_lengths"] = np.asarray(params["prefix_lengths"]).tolist()
    if isinstance(params.get("class_weight"), dict):
        # as pairs: JSON would turn the keys into strings
        pairs = params["class_weight"].items()
        params["class_weight"] = [[_plain(label), float(w)] for label, w in pairs]
    if isinstance(params["random_state"], np.random.RandomState):
        params["random_state"] = None  # a state is not a setting
    return {name: _plain(value) for name, value in params.items()}


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _write_atomically(path, content):
    # not tempfile: its files stay unreadable for everybody else
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_estimator(cls, path):
    """Read what `save_estimator` wrote and check that it fits together.

    Parameters
    ----------
    cls : type
        The class that the file must have been written for.
    path : str or path-like
        The file.

    Returns
    -------
    estimator : instance of cls
        Fitted.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
            _check_header(cls, path, header)
            arrays = {name: archive[name] for name in _ARRAYS}
            extra = {
                name: archive[name]
                for name in archive.files
                if name in cls._extra_arrays or name.startswith(_STATE)
            }
    except (FileNotFoundError, ModelFileError):
        raise
    except _UNREADABLE as error:
        raise ModelFileError(
            f"{path} is not a complete saved {cls.__name__}: {error}"
        ) from error
    _check_arrays(path, header, arrays)
    _check_head(path, cls, extra, len(arrays["encoder_intercept_"]))
    params = header["params"]
    if isinstance(params["prefix_lengths"], list):
        params["prefix_lengths"] = tuple(params["prefix_lengths"])
    if isinstance(params.get("class_weight"), list):
        params["class_weight"] = dict(map(tuple, params["class_weight"]))
    estimator = cls(**params)
    for name, value in arrays.items():
        setattr(estimator, name, value)
    for name in (*_VALUES, *cls._extra_values):
        setattr(estimator, name, header[name])
    state = {}
    for name, value in extra.items():
        if name.startswith(_STATE):
            state[name.removeprefix(_STATE)] = value
        else:
            setattr(estimator, name, value[()])
    estimator._online_state = state or None
    if header["feature_names_in_"] is not None:
        names = np.array(header["feature_names_in_"], dtype=object)
        estimator.feature_names_in_ = names
    history = pd.DataFrame(header["history_"])
    errors = [name for name in history if name.endswith("_error")]
    estimator.history_ = history.astype(dict.fromkeys(errors, float))
    return estimator


def _check_header(cls, path, header):
    """Refuse a file of another kind, class or version."""
    if not isinstance(header, dict):
        header = {}
    if header.get("format") != _FORMAT or header.get("class") != cls.__name__:
        raise ModelFileError(
            f"{path} holds {header.get('class', 'something else')!r}, not a "
            f"{cls.__name__}. Load it with the class that wrote it."
        )
    if header.get("version") != _FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {header.get('version')}, but this version of "
            f"sklearn_hypo reads version {_FORMAT_VERSION}. Use the version that "
            "wrote it."
        )


def _check_head(path, cls, extra, n_neurons):
    """Refuse a supervised autoencoder whose head is not there or does not fit."""
    if "coef_" not in cls._extra_arrays:
        return
    coef, intercept = extra.get("coef_"), extra.get("intercept_")
    fits = coef is not None and intercept is not None
    fits = fits and coef.dtype.kind == intercept.dtype.kind == "f"
    if (
        not fits
        or coef.shape[-1:] != (n_neurons,)
        or coef.size != n_neurons * intercept.size
        or not np.isfinite(coef).all()
    ):
        raise ModelFileError(
            f"{path} does not fit together: coef_ and intercept_ are not those of a "
            f"head on {n_neurons} neurons."
        )


def _check_arrays(path, header, arrays):
    """Refuse arrays and numbers that disagree with each other."""
    # not from the parameters: they may have been set anew since the fit
    n_neurons, n_features = len(arrays["encoder_intercept_"]), header["n_features_in_"]
    expected = {
        "encoder_coef_": (n_neurons, n_features),
        "encoder_intercept_": (n_neurons,),
        "components_": (n_neurons, n_features),
        "decoder_intercept_": (n_features,),
        "mean_": (n_features,),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise ModelFileError(
                f"{path} does not fit together: {name} has shape "
                f"{arrays[name].shape}, but {shape} is expected."
            )
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise ModelFileError(f"{path}: {name} holds NaN or infinite values.")
    dead = arrays["dead_neurons_"]
    if dead.dtype.kind not in "iu" or not np.isin(dead, np.arange(n_neurons)).all():
        raise ModelFileError(f"{path}: dead_neurons_ names neurons that are not there.")
    for name in ("variance_", "threshold_"):
        if header[name] is not None and not 0 < header[name] < np.inf:
            raise ModelFileError(f"{path}: {name} is {header[name]}, not positive.")
