"""Fitted attributes to a file and back: arrays and JSON, never pickle."""

import json
import zipfile
import zlib

import numpy as np
import pandas as pd

from .._utils._files import atomic_path, expand_path
from .._utils._json import to_json_value
from ..exceptions import ModelFileError

_FORMAT = "sklearn_hypo sparse autoencoder"
_FORMAT_VERSION = 4
_READABLE_VERSIONS = (2, 3, 4)
_ARRAYS = (
    "encoder_coef_",
    "encoder_intercept_",
    "components_",
    "decoder_intercept_",
    "mean_",
    "dead_neurons_",
)
_VALUES = (
    "n_fits_",
    "n_neurons_",
    "k_",
    "threshold_",
    "variance_",
    "n_iter_",
    "n_steps_",
    "n_samples_seen_",
    "n_features_in_",
)
# of several fits
_POOL_ARRAYS = ("n_found_",)
# of a supervised autoencoder; a quantity has no classes
_HEAD_ARRAYS = ("coef_", "intercept_", "classes_")
_HEAD_VALUES = ("task_",)
_OPTIONAL_VALUES = ("alpha_", "target_scale_")  # not in files of earlier versions
# before the names of what `partial_fit` goes on from
_STATE = "partial_fit/"
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


def write_fitted(path, kind, params, fitted, state):
    """Write parameters and fitted attributes; replace `path` only by a whole file.

    Parameters
    ----------
    path : str or path-like
    kind : str
        The class of the estimator.
    params : dict
        Its parameters.
    fitted : dict
        Its fitted attributes, of which those named above are written.
    state : dict of array, or None
        What `partial_fit` goes on from.
    """
    header = {
        "format": _FORMAT,
        "version": _FORMAT_VERSION,
        "class": kind,
        "params": _encode_params(params),
        "feature_names_in_": list(fitted.get("feature_names_in_", [])) or None,
        "history_": fitted["history_"].to_dict("list"),
    }
    for name in (*_VALUES, *_HEAD_VALUES, *_OPTIONAL_VALUES):
        if name in fitted:
            header[name] = fitted[name]
    arrays = {name: fitted[name] for name in _ARRAYS}
    for name in (*_POOL_ARRAYS, *_HEAD_ARRAYS):
        if name in fitted:
            array = np.asarray(fitted[name])
            # labels: plain strings need no pickle
            is_text = array.dtype == object
            arrays[name] = np.array(list(map(str, array))) if is_text else array
    arrays |= {_STATE + name: array for name, array in (state or {}).items()}
    header = np.array(json.dumps(to_json_value(header)))
    with atomic_path(path) as unfinished, open(unfinished, "wb") as file:
        np.savez(file, header=header, **arrays)


def read_fitted(path, kind, *, has_head):
    """Read what `write_fitted` wrote, and check that it fits together.

    Parameters
    ----------
    path : str or path-like
    kind : str
        The class that the file must have been written for.
    has_head : bool
        Whether that class is supervised.

    Returns
    -------
    params, fitted : dict
    state : dict of ndarray, or None

    Raises
    ------
    FileNotFoundError
    ModelFileError
        For any other file, and for one whose content does not fit together.
    """
    path = expand_path(path)
    try:
        # given a path, NumPy leaves the file open if it is no archive
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"]))
            _check_header(kind, path, header)
            if header["version"] == 2:  # sizes were numbers
                n_neurons = len(archive["components_"])
                header |= {"n_neurons_": n_neurons}
                header |= {"k_": min(header["params"]["k"], n_neurons)}
            if header["version"] < 4:  # there was one fit
                header["n_fits_"] = 1
            fitted = {name: archive[name] for name in _ARRAYS}
            further = {
                name: archive[name]
                for name in archive.files
                if name.startswith(_STATE)
                or name in _POOL_ARRAYS
                or (has_head and name in _HEAD_ARRAYS)
            }
    except (FileNotFoundError, ModelFileError):
        raise
    except _UNREADABLE as error:
        raise ModelFileError(
            f"{path} is not a complete saved {kind}: {error}"
        ) from error
    _check_arrays(path, header, fitted)
    n_found = further.get("n_found_", fitted["encoder_intercept_"])
    if n_found.shape != fitted["encoder_intercept_"].shape:
        raise ModelFileError(
            f"{path} does not fit together: n_found_ has other neurons."
        )
    if has_head:
        _check_head(path, further, len(fitted["encoder_intercept_"]))
    for name in _VALUES + (_HEAD_VALUES if has_head else ()):
        fitted[name] = header[name]
    fitted |= {name: header[name] for name in _OPTIONAL_VALUES if name in header}
    if isinstance(fitted["threshold_"], list):
        fitted["threshold_"] = np.array(fitted["threshold_"])
    state = {}
    for name, array in further.items():
        if name.startswith(_STATE):
            state[name.removeprefix(_STATE)] = array
        else:
            fitted[name] = array[()]
    if header["feature_names_in_"] is not None:
        names = np.array(header["feature_names_in_"], dtype=object)
        fitted["feature_names_in_"] = names
    history = pd.DataFrame(header["history_"])
    errors = [name for name in history if name.endswith("_error")]
    fitted["history_"] = history.astype(dict.fromkeys(errors, float))
    return _decode_params(header["params"]), fitted, state or None


def _encode_params(params):
    """Return parameters as JSON holds them: weights of classes as pairs, no state."""
    params = dict(params)
    if not isinstance(params["prefix_lengths"], str | None):
        params["prefix_lengths"] = np.asarray(params["prefix_lengths"])
    if isinstance(params.get("class_weight"), dict):
        pairs = params["class_weight"].items()
        params["class_weight"] = [[label, float(weight)] for label, weight in pairs]
    if isinstance(params["random_state"], np.random.RandomState):
        params["random_state"] = None
    return params


def _decode_params(params):
    if isinstance(params["prefix_lengths"], list):
        params["prefix_lengths"] = tuple(params["prefix_lengths"])
    if isinstance(params.get("class_weight"), list):
        params["class_weight"] = dict(map(tuple, params["class_weight"]))
    return params


def _check_header(kind, path, header):
    """Refuse a file of another kind, class or version."""
    if not isinstance(header, dict):
        header = {}
    if header.get("format") != _FORMAT or header.get("class") != kind:
        raise ModelFileError(
            f"{path} holds {header.get('class', 'something else')!r}, not a {kind}. "
            "Load it with the class that wrote it."
        )
    if header.get("version") not in _READABLE_VERSIONS:
        raise ModelFileError(
            f"{path} has format version {header.get('version')}, but this version of "
            f"sklearn_hypo reads {_READABLE_VERSIONS[0]} to {_FORMAT_VERSION}. Use "
            "the version that wrote it."
        )


def _check_arrays(path, header, arrays):
    """Refuse arrays and numbers that disagree with each other."""
    # not from the parameters: they may have been set anew since the fit
    n_neurons, n_features = len(arrays["encoder_intercept_"]), header["n_features_in_"]
    n_fits, size, k = (header[name] for name in ("n_fits_", "n_neurons_", "k_"))
    if n_fits < 1 or n_fits * size != n_neurons or not 1 <= k <= size:
        raise ModelFileError(
            f"{path} does not fit together: n_fits_={n_fits}, n_neurons_={size} and "
            f"k_={k} for {n_neurons} neurons."
        )
    expected = {
        "encoder_coef_": (n_neurons, n_features),
        "encoder_intercept_": (n_neurons,),
        "components_": (n_neurons, n_features),
        "decoder_intercept_": (n_features,) if n_fits == 1 else (n_fits, n_features),
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
    for name, shape in {"variance_": (), "threshold_": (n_fits,)}.items():
        if header[name] is None:
            continue
        values = np.asarray(header[name], dtype=float)
        if values.shape != (shape if n_fits > 1 else ()):
            raise ModelFileError(
                f"{path} does not fit together: {name} has shape {values.shape}."
            )
        if not ((values > 0) & (values < np.inf)).all():
            raise ModelFileError(f"{path}: {name} is {header[name]}, not positive.")


def _check_head(path, arrays, n_neurons):
    """Refuse a supervised autoencoder whose head is not there or does not fit."""
    coef, intercept = arrays.get("coef_"), arrays.get("intercept_")
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
