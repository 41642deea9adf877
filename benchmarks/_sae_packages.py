"""Fits of both packages, those of hypothesaes kept on disk."""

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import json
import time
import warnings
from typing import NamedTuple

import numpy as np
import torch
from _common import CACHE
from _sae_data import made_up
from _sae_setup import Configuration, K

from sklearn_hypo import SparseAutoencoderTransformer

RESULTS = CACHE / "sae"
THEIR_SETTINGS = {"batch_size": 512, "n_epochs": 100, "patience": 3}


class Fitted(NamedTuple):
    """One fit: its seconds, both maps, and the unit decoder rows."""

    seconds: float
    encode: object
    decode: object
    directions: np.ndarray
    remark: str

    def error(self, split):
        """Return the fraction of variance unexplained of the validation rows.

        The denominator is their squared distance from the mean of the training rows,
        for every package.
        """
        rows = split.validation
        made = self.decode(self.encode(rows))
        squared = np.square(rows - made, dtype=np.float64).sum()
        center = split.train.mean(axis=0, dtype=np.float64)
        return float(squared / np.square(rows - center).sum())


@contextlib.contextmanager
def silence():
    said = io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@functools.cache
def warm_up():
    """Pay once for what a first fit loads."""
    X = made_up(600, 32)
    fit_ours(Configuration("made-up", 16, None, 1, 1), X, 0)
    sae = their_sae(Configuration("made-up", 16, None, 1, 1), X)
    with silence():
        rows = torch.from_numpy(X)
        sae.fit(rows, rows, n_epochs=1, show_progress=False)


def fit_ours(configuration, X, seed):
    """Fit with the defaults as shipped."""
    sae = SparseAutoencoderTransformer(
        configuration.n_neurons,
        K,
        prefix_lengths=configuration.prefixes,
        random_state=seed,
    )
    start = time.perf_counter()
    sae.fit(X)
    seconds = time.perf_counter() - start
    remark = f"{sae.n_iter_} epochs"
    return Fitted(
        seconds, sae.transform, sae.inverse_transform, sae.components_, remark
    )


_ours = {}


def ours(configuration, split, seed):
    """Return a fit of ours; timed once per seed and run."""
    key = (configuration, seed)
    if key not in _ours:
        _ours[key] = fit_ours(configuration, split.train, seed)
    return _ours[key]


def their_sae(configuration, X, seed=0):
    from hypothesaes.sae import SparseAutoencoder

    torch.manual_seed(seed)
    prefixes = configuration.prefixes and list(configuration.prefixes)
    return SparseAutoencoder(
        X.shape[1], configuration.n_neurons, K, prefix_lengths=prefixes, device="cpu"
    )


def _their_fitted(sae, seconds, n_epochs):
    def encode(X):
        return sae.get_activations(X, show_progress=False)

    decoder = sae.decoder.weight.detach().numpy().T.copy()
    offset = sae.input_bias.detach().numpy().copy()
    return Fitted(
        seconds, encode, lambda a: a @ decoder + offset, decoder, f"{n_epochs} epochs"
    )


def theirs(configuration, split, seed, options, *, measure=False):
    """Return a fit of hypothesaes, from the disk unless its time is to be measured."""
    settings = THEIR_SETTINGS | ({"n_epochs": 2} if options.quick else {})
    described = {
        "version": importlib.metadata.version("hypothesaes"),
        "torch": torch.__version__,
        "data": configuration.data,
        "rows": hashlib.sha256(split.train.tobytes()).hexdigest()[:16],
        "n_neurons": configuration.n_neurons,
        "k": K,
        "prefixes": configuration.prefixes,
        "seed": seed,
        **settings,
    }
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    path = RESULTS / f"theirs_{key[:16]}.json"
    arrays = path.with_suffix(".npz")
    sae = their_sae(configuration, split.train, seed)
    kept = path.exists() and arrays.exists() and not options.quick
    if kept and not (measure or (options.fresh and key not in _measured)):
        found = json.loads(path.read_text(encoding="utf-8"))
        with np.load(arrays) as state:
            sae.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
        return _their_fitted(sae, found["seconds"], found["epochs"])
    rows = torch.from_numpy(split.train), torch.from_numpy(split.validation)
    start = time.perf_counter()
    with silence():
        history = sae.fit(*rows, show_progress=False, **settings)
    seconds, n_epochs = time.perf_counter() - start, len(history["train_loss"])
    _measured.add(key)
    if not options.quick:
        RESULTS.mkdir(parents=True, exist_ok=True)
        np.savez(arrays, **{k: v.numpy() for k, v in sae.state_dict().items()})
        found = described | {"seconds": seconds, "epochs": n_epochs}
        path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return _their_fitted(sae, seconds, n_epochs)


_measured = set()  # fits of hypothesaes that this process made
