"""Steps, transforms and epochs against the encoder product alone."""

import copy
import itertools
import statistics
import time
from typing import NamedTuple

import numpy as np
import torch
from _common import median_times
from _sae_data import made_up, made_up_file
from _sae_packages import silence, their_sae
from _sae_setup import Configuration, Result

from sklearn_hypo import SparseAutoencoderTransformer
from sklearn_hypo._autoencoder._gradients import Weights
from sklearn_hypo._autoencoder._learner import Learner
from sklearn_hypo._autoencoder._plan import resolve_engine
from sklearn_hypo._autoencoder._rows import TrainingRows
from sklearn_hypo._autoencoder._training import TrainingRun

N_BATCHES = 8
# (M, B, d, k): the first has the floor and the aim
STEPS = (
    (1024, 2048, 768, 8),
    (1024, 512, 768, 8),
    (256, 512, 384, 8),
    (1024, 512, 384, 8),
    (4096, 2048, 768, 32),
)


def in_training_space(sae, X):
    """Return rows and weights in the units that training has."""
    scale = np.sqrt(sae.variance_)
    weights = Weights(
        sae.encoder_coef_,
        sae.encoder_intercept_ / scale,
        sae.components_,
        (sae.decoder_intercept_ - sae.mean_) / scale,
    )
    return TrainingRows(X, center=sae.mean_, scale=scale), weights


# Steps --------------------------------------------------------------------------------


class Bench:
    """A learner in the state that one epoch leaves, and its batches.

    Parameters
    ----------
    sizes : tuple of int
        Neurons, rows per batch, features, active neurons per row.
    engine : {"auto", "dense", "sparse"}
    """

    def __init__(self, sizes, engine="auto"):
        n_neurons, size, n_features, k = sizes
        X = made_up(max(N_BATCHES * size, n_neurons), n_features)
        sae = SparseAutoencoderTransformer(
            n_neurons,
            k,
            engine=engine,
            max_epochs=1,
            batch_size=size,
            validation_fraction=None,
            random_state=0,
        )
        with silence():
            sae.fit(X)
        # the settings of so many rows that no neuron counts as dead while we time
        self.plan = sae._plan(1_000_000, (n_neurons,), "cpu")
        self.engine = self.plan.engine
        self._rows, weights = in_training_space(sae, X)
        self.learner = Learner(weights, self.plan, variance=1.0)
        order = np.random.default_rng(0).permutation(len(X))[: N_BATCHES * size]
        self._order = np.split(order, N_BATCHES)
        self._batches = itertools.cycle([self._rows[part] for part in self._order])
        self._parts = itertools.cycle(self._order)
        self._encoder = torch.tensor(weights.encoder)
        self._intercept = torch.tensor(weights.intercept, dtype=torch.float32)
        self._out = torch.empty(size, n_neurons)

    def step(self):
        self.learner.step(next(self._batches), 0.1 * self.plan.learning_rate)

    def read(self):
        """Read a batch, as training does before each step."""
        self._rows[next(self._parts)]

    def product(self):
        x = torch.from_numpy(next(self._batches))
        torch.addmm(self._intercept, x, self._encoder.T, out=self._out)


def step(options):
    """Time a training step against the encoder product alone."""
    result, rows = Result(), []
    for sizes in STEPS[1:3] if options.quick else STEPS:
        times = time_steps(sizes, ("sparse", "dense"), options.repeat(30))
        for engine, found in times.items():
            rows.append(_step_row(sizes, engine, found))
        if sizes == STEPS[0]:
            found = times["sparse"]
            ratio = found["step"] / found["product"]
            name = "one training step against the encoder product, M=1024, B=2048, "
            result.ratio(name + "d=768, k=8", ratio, 3, 2)
    result.table("One training step (milliseconds)", rows)
    result.note(
        f"""A step is all that changes the weights: forward, gradients, projection,
        Adam, renormalization; reading the batch (gathering, centering and scaling rows
        in memory) comes on top. The encoder product is `torch.addmm` of the same sizes
        into memory that is there already. Medians of {options.repeat(30)} calls of
        each in turn, on made-up data, after one epoch of training; no neuron is dead,
        so that there is no auxiliary loss. "(auto)" marks the engine that
        `engine="auto"` takes."""
    )
    return result


def time_steps(sizes, engines, repeat):
    """Time steps and reading for several engines, and one product, in turn."""
    benches = {engine: Bench(sizes, engine) for engine in engines}
    functions = {"product": benches[engines[0]].product}
    for engine, bench in benches.items():
        functions |= {(engine, "step"): bench.step, (engine, "read"): bench.read}
    seconds = median_times(functions, repeat)
    return {
        engine: {
            "engine": bench.engine,
            "product": seconds["product"],
            "step": seconds[engine, "step"],
            "read": seconds[engine, "read"],
        }
        for engine, bench in benches.items()
    }


def _step_row(sizes, engine, found):
    n_neurons, size, n_features, k = sizes
    taken = resolve_engine("auto", n_neurons, k, "cpu")
    return {
        "M": n_neurons,
        "B": size,
        "d": n_features,
        "k": k,
        "engine": engine + (" (auto)" if engine == taken else ""),
        "step": f"{1e3 * found['step']:.2f}",
        "encoder product": f"{1e3 * found['product']:.2f}",
        "ratio": f"{found['step'] / found['product']:.2f}",
        "reading the batch": f"{1e3 * found['read']:.2f}",
    }


# Transform ----------------------------------------------------------------------------


class Sizes(NamedTuple):
    n_rows: int
    n_features: int
    n_neurons: int


def transform(options):
    """Time `transform` against the encoder product and `get_activations`."""
    sizes = Sizes(2048, 64, 128) if options.quick else Sizes(16_384, 768, 1024)
    X, result = made_up(sizes.n_rows, sizes.n_features), Result()
    sae = SparseAutoencoderTransformer(
        sizes.n_neurons, 8, max_epochs=2, random_state=0
    ).fit(X)
    as_csr = copy.deepcopy(sae).set_params(output="sparse")
    other = _same_weights(sae, sizes, X)
    rows, encoder = torch.from_numpy(X), torch.from_numpy(sae.encoder_coef_)
    intercept = torch.from_numpy(sae.encoder_intercept_)
    out = torch.empty(sizes.n_rows, sizes.n_neurons)
    seconds = median_times(
        {
            "encoder product": lambda: torch.addmm(intercept, rows, encoder.T, out=out),
            "encoder product into new memory": lambda: torch.addmm(
                intercept, rows, encoder.T
            ),
            "transform, dense": lambda: sae.transform(X),
            "transform, CSR": lambda: as_csr.transform(X),
            "hypothesaes get_activations": lambda: other.get_activations(
                X, show_progress=False
            ),
        },
        options.repeat(15),
    )
    product = seconds["encoder product"]
    upstream = seconds["hypothesaes get_activations"]
    result.table(
        f"Transform of {sizes.n_rows:,} rows (d={sizes.n_features}, "
        f"M={sizes.n_neurons}, k=8)",
        [
            {
                "what": name,
                "ms": f"{1e3 * found:.1f}",
                "against the product": f"{found / product:.2f} ×",
                "faster than hypothesaes": f"{upstream / found:.1f} ×",
            }
            for name, found in seconds.items()
        ],
    )
    for form in ("dense", "CSR"):
        found = seconds[f"transform, {form}"]
        name = f"`transform` ({form}) against"
        result.ratio(f"{name} the encoder product", found / product, 2, 1.4)
        result.faster(f"{name} get_activations", upstream / found, 2, 2.7)
    active = as_csr.transform(X).nnz / sizes.n_rows
    result.note(
        f"""Medians of {options.repeat(15)} calls in turn. The product is one
        `torch.addmm` of all rows into memory that is there already; `transform` checks
        its input, subtracts the offset, and returns new arrays. hypothesaes has the
        same weights and keeps the 8 largest of each row; ours keeps what reaches the
        threshold, {active:.2f} per row here."""
    )
    return result


def _same_weights(sae, sizes, X):
    """Return an autoencoder of hypothesaes with the weights of ours."""
    configuration = Configuration("made-up", sizes.n_neurons, None, 1, 1)
    other = their_sae(configuration, X)
    with torch.no_grad():
        other.encoder.weight.copy_(torch.from_numpy(sae.encoder_coef_))
        other.decoder.weight.copy_(torch.from_numpy(sae.components_.T.copy()))
        other.neuron_bias.copy_(torch.from_numpy(sae.encoder_intercept_))
        other.input_bias.copy_(torch.from_numpy(sae.decoder_intercept_))
    return other


# Growth -------------------------------------------------------------------------------


def growth(options):
    """Time epochs of more and more rows, and steps of more and more neurons."""
    result = Result()
    _grow_rows(result, options)
    _grow_neurons(result, options)
    return result


def _grow_rows(result, options):
    sizes = (16_384, 65_536, 262_144, 1_000_000)
    sizes = (1024, 4096, 8192) if options.quick else sizes
    n_features, n_neurons, rows = 384, 32 if options.quick else 256, []
    with made_up_file(options.scratch, sizes[-1], n_features) as path:
        X = np.memmap(path, dtype=np.float32, mode="r").reshape(-1, n_features)
        for n_rows in sizes:
            n_epochs = 1 if options.quick else max(2, min(7, 2**19 // n_rows))
            seconds = _epochs(X[:n_rows], n_neurons, n_epochs)
            rows.append(
                {
                    "rows": f"{n_rows:,}",
                    "epoch, s (median)": statistics.median(seconds),
                    "epochs timed": n_epochs,
                    "µs per row": f"{1e6 * statistics.median(seconds) / n_rows:.2f}",
                }
            )
        del X
    exponent = slope(sizes, [row["epoch, s (median)"] for row in rows])
    result.table(f"Epochs, memory-mapped rows (d=384, M={n_neurons}, k=8)", rows)
    result.figure(
        f"epoch time grows with rows ({sizes[0]:,} to {sizes[-1]:,}) as n to the power",
        f"{exponent:.2f}",
        "linear: ≤ 1.05",
        floor_met=exponent <= 1.05,
    )
    result.note(
        """An epoch is one call of `TrainingRun.run_epoch` without validation rows, the
        file in the cache of the operating system, after one epoch untimed; what a fit
        does once, from samples of at most 50,000 rows, is not in it. The exponent is
        the slope of log time on log rows."""
    )


def _epochs(X, n_neurons, n_epochs):
    """Return the seconds of epochs over a memory map."""
    sae = SparseAutoencoderTransformer(
        n_neurons, 8, max_epochs=1, validation_fraction=None, random_state=0
    ).fit(X[:16_384])
    # the settings that a fit of all these rows would have
    sae.set_params(max_epochs=n_epochs + 1)
    rows, weights = in_training_space(sae, X)
    run = TrainingRun(
        rows,
        None,
        weights,
        sae._plan(len(X), (n_neurons,), "cpu"),
        variance=1.0,
        seed=0,
        device="cpu",
    )
    run.run_epoch()
    seconds = []
    for _ in range(n_epochs):
        start = time.perf_counter()
        run.run_epoch()
        seconds.append(time.perf_counter() - start)
    return seconds


def _grow_neurons(result, options):
    numbers, k, n_features, size = (256, 1024, 4096, 16_384), 32, 384, 2048
    if options.quick:
        numbers, size = (64, 256, 1024), 128
    rows, rests, products = [], [], []
    for n_neurons in numbers:
        sizes = (n_neurons, size, n_features, k)
        found = time_steps(sizes, ("auto",), options.repeat(9))["auto"]
        rests.append(found["step"] - found["product"])
        products.append(found["product"])
        rows.append(
            {
                "M": n_neurons,
                "engine taken": found["engine"],
                "step, ms": f"{1e3 * found['step']:.1f}",
                "encoder product, ms": f"{1e3 * found['product']:.1f}",
                "all the rest, ms": f"{1e3 * rests[-1]:.1f}",
            }
        )
    result.table(f"Steps (d={n_features}, B={size}, k={k}, engine='auto')", rows)
    exponent = slope(numbers, rests)
    last = slope(numbers[-2:], rests[-2:])
    result.figure(
        f"all but the encoder product grows with M ({numbers[0]} to {numbers[-1]:,}) "
        "as M to the power",
        f"{exponent:.2f}",
        "below linear: < 1",
        floor_met=exponent < 1,
    )
    result.note(
        f"""Of the steps: the encoder product grows as M to the power
        {slope(numbers, products):.2f}, all the rest as {exponent:.2f}, between the
        last two sizes as {last:.2f} (Adam and the search for the largest
        pre-activations pass over arrays that grow with M)."""
    )


def slope(sizes, seconds):
    """Return the slope of log time on log size; NaN where a time is not positive."""
    if min(seconds) <= 0:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


PARTS = {"step": step, "transform": transform, "growth": growth}
