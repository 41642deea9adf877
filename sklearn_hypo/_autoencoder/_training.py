"""The training loop: batches, schedule, dead neurons, early stopping."""

import time
from itertools import pairwise
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from . import _distributed
from ._encoding import unexplained
from ._gradients import Weights
from ._learner import Learner
from ._rows import Rows, shuffled


class Plan(NamedTuple):
    """Everything that decides how training goes, apart from data and seed.

    Attributes
    ----------
    k : int
    sparsity : {"batch_topk", "topk"}
    prefixes : tuple of int
    max_epochs, batch_size : int
    learning_rate : float
        Peak of the schedule.
    patience : int or None
        Epochs without a better validation error; None never stops early.
    aux_k : int
    aux_coefficient : float
    dead_after : int
        Samples without being active after which a neuron counts as dead.
    engine : {"dense", "sparse"}
        How products with the activations are computed.
    max_time : float or None
        Seconds after which training ends.
    n_tied : int
        So many of the first neurons have an encoder row that is their decoder row,
        scaled.
    """

    k: int
    sparsity: str
    prefixes: tuple
    max_epochs: int
    batch_size: int
    learning_rate: float
    patience: int | None
    aux_k: int
    aux_coefficient: float
    dead_after: int
    engine: str = "dense"
    max_time: float | None = None
    n_tied: int = 0


class Epoch(NamedTuple):
    """What is known at the end of an epoch.

    Attributes
    ----------
    epoch : int
        From 1.
    learning_rate : float
        Of its last step.
    loss : float
        Mean training loss (fraction of variance unexplained, mean over prefixes).
    validation_error : float
        Fraction of variance unexplained of the validation rows by all neurons; NaN
        without validation rows.
    n_dead : int
    """

    epoch: int
    learning_rate: float
    loss: float
    validation_error: float
    target_error: float
    n_dead: int


def schedule(step, n_steps, *, warmup=0.05, decay=0.5):
    """Return the factor on the peak learning rate: up, flat, then down to zero.

    Parameters
    ----------
    step, n_steps : float
        The step, from 0, and how many there will be.
    warmup, decay : float
        Fractions of the steps spent rising and falling, both linearly.

    Returns
    -------
    factor : float
        Between 0 (exclusive) and 1.
    """
    up = max(1.0, warmup * n_steps)
    down = max(1.0, decay * n_steps)
    return min(1.0, (step + 1) / up, max(n_steps - step, 0.5) / down)


class TrainingRun:
    """One training run: call `run_epoch` until `finished`, then take `best_weights`.

    Parameters
    ----------
    rows : Rows, or ndarray of shape (n_rows, n_features) and dtype float32
        Training rows, centered and scaled.
    validation : Rows, ndarray of shape (n_val, n_features), or None
        Validation rows in the same space; without them the last weights are the
        best.
    weights : Weights
        Where to start; NumPy arrays, left unchanged.
    plan : Plan
        The settings.
    variance : float
        Mean squared length of a training row: the denominator of the loss.
    seed : int
        Seeds the order of the batches.
    device : str
        A torch device.
    head : Head or None
        The supervised part of the loss.

    Attributes
    ----------
    history : list of Epoch
    best_weights : Weights
        Those with the smallest validation error so far; NumPy arrays.
    finished : bool
        Whether the epochs or the seconds are used up, or the validation error has
        not improved for `patience` epochs.
    """

    def __init__(
        self, rows, validation, weights, plan, *, variance, seed, device, head=None
    ):
        self.rows = rows if isinstance(rows, Rows) else Rows(rows)
        self.validation, self.plan, self.variance = validation, plan, variance
        self.head = head
        weights = Weights(*_distributed.broadcast_first(weights))
        self.learner = Learner(
            weights, plan, variance=variance, device=device, head=head
        )
        self._order = np.random.RandomState(seed)
        n_batches = -(-len(self.rows) // plan.batch_size)
        # every process has to take the same number of steps
        self._n_batches = int(_distributed.max_across(n_batches))
        fewest = -int(_distributed.max_across(-len(self.rows)))
        if fewest < self._n_batches:
            raise ValueError(
                f"One process has {fewest} training rows, but the one with most needs "
                f"{self._n_batches} batches. Give every process about as many rows."
            )
        self._started = time.monotonic()
        self._best_error, self._waited = np.inf, 0
        self.history, self.best_weights, self.finished = [], None, False

    def run_epoch(self):
        """Pass once over the rows in a new order, then validate.

        Returns
        -------
        epoch : Epoch

        Raises
        ------
        FloatingPointError
            If the loss or the weights become NaN or infinite.
        """
        order = shuffled(*self.rows.shape, self._order)
        # near-equal batches: no tiny last one, whose gradient would be mostly noise
        sizes = np.diff(
            np.linspace(0, len(self.rows), self._n_batches + 1).astype(np.int64)
        )
        total = n_rows = 0
        for i, (positions, rows) in enumerate(self.rows.batches(order, sizes)):
            progress = self._progress(i)
            if progress >= 1.0:
                break
            rate = self.plan.learning_rate * self._factor(progress)
            total += self.learner.step(rows, rate, positions) * len(rows)
            n_rows += len(rows)
        return self._end_epoch(total, n_rows)

    def _progress(self, step_of_epoch):
        """Return the share of the epochs, or of the seconds, that is used up."""
        n_steps = self._n_batches * self.plan.max_epochs
        progress = (len(self.history) * self._n_batches + step_of_epoch) / n_steps
        if self.plan.max_time is None:
            return progress
        elapsed = (time.monotonic() - self._started) / self.plan.max_time
        return float(_distributed.max_across(max(progress, elapsed)))

    def _factor(self, progress):
        n_steps = self._n_batches * self.plan.max_epochs
        return schedule(progress * n_steps, n_steps)

    def _end_epoch(self, total, n_rows):
        error, target_error = self._validate()
        total, n_rows = _distributed.sum_across([total, n_rows])
        self.history.append(
            Epoch(
                len(self.history) + 1,
                self.learner.learning_rate,
                total / n_rows if n_rows else np.nan,
                error,
                target_error,
                len(self.learner.dead()),
            )
        )
        patience = self.plan.patience
        self.finished = (
            len(self.history) >= self.plan.max_epochs
            or self._progress(0) >= 1.0
            or (patience is not None and self._waited >= patience)
        )
        return self.history[-1]

    def _validate(self):
        """Compute the validation errors and keep the weights if they are the best."""
        current = self.learner.weights()
        if self.validation is None:
            self.best_weights = current
            return np.nan, np.nan
        error, target_error = self._validation_errors(current)
        total = error
        if self.head is not None and not np.isnan(target_error):
            total += self.head.alpha * target_error
        if not np.isfinite(total):
            raise FloatingPointError(
                "The validation error became infinite or NaN at step "
                f"{self.learner.n_steps}: training diverged. Lower learning_rate."
            )
        if total < self._best_error:
            self.best_weights, self._best_error, self._waited = current, total, 0
        else:
            self._waited += 1
        return error, target_error

    def _validation_errors(self, weights):
        """Return the fractions of X and, with a head, of y left unexplained."""
        plan, rows = self.plan, self.validation
        error = unexplained(rows, weights, plan.k, plan.sparsity, self.variance)
        target_error = 0.0
        if self.head is not None:
            target_error = self.head.validation_loss(
                rows, weights, plan.k, plan.sparsity
            )
        sums = np.array([error, target_error, 1.0]) * len(rows)
        error, target_error, n_rows = _distributed.sum_across(sums)
        if self.head is None:
            target_error = np.nan
        return float(error / n_rows), float(target_error / n_rows)


def resolve_prefixes(prefix_lengths, n_neurons):
    """Return the prefixes as increasing integers that end in `n_neurons`.

    Parameters
    ----------
    prefix_lengths : sequence of int or float, or None
        Lengths, or fractions of `n_neurons` (all of them floats).
    n_neurons : int
        Number of neurons.

    Returns
    -------
    prefixes : tuple of int
        The lengths.

    Raises
    ------
    ValueError
        If they do not increase, do not end in `n_neurons`, or are not positive.
    """
    if prefix_lengths is None:
        return (int(n_neurons),)
    given = list(prefix_lengths)
    if given and all(isinstance(p, Integral) for p in given):
        lengths = [int(p) for p in given]
    elif given and all(isinstance(p, Real) for p in given):
        # a fraction too small for so few neurons falls away: a grid stays valid
        valid = all(0 < p <= 1 for p in given) and _increases(given)
        lengths = [max(1, round(float(p) * n_neurons)) for p in given if valid]
        lengths = list(dict.fromkeys(lengths))
    else:
        lengths = []
    fits = lengths and lengths[0] >= 1 and lengths[-1] == n_neurons
    if not fits or not _increases(lengths):
        raise ValueError(
            "prefix_lengths must increase and end in n_neurons, as integers or as "
            f"fractions of n_neurons that end in 1.0, but prefix_lengths="
            f"{prefix_lengths!r} arrived with n_neurons={n_neurons}. Fractions such "
            "as (0.125, 1.0) stay valid when a grid search changes n_neurons."
        )
    return tuple(lengths)


def _increases(values):
    return all(b > a for a, b in pairwise(values))


def make_plan(sae, n_rows, prefixes, device="cpu"):
    """Settle every "auto" for the number of rows.

    Parameters
    ----------
    sae : SparseAutoencoderTransformer
        Its parameters are read.
    n_rows : int
        Training rows; of the process that has most, where there are several.
    prefixes : tuple of int
        From `resolve_prefixes`.
    device : str, default="cpu"
        The torch device of the training.

    Returns
    -------
    plan : Plan
        The settings of training.
    """
    batch_size = sae.batch_size
    if batch_size == "auto":
        batch_size = auto_batch_size(n_rows, sae.n_neurons)
    batch_size = min(batch_size, n_rows)
    max_epochs = sae.max_epochs
    if max_epochs == "auto":
        max_epochs = auto_epochs(n_rows, batch_size)
    learning_rate = sae.learning_rate
    if learning_rate == "auto":
        learning_rate = 6e-4 * np.sqrt(2**14 / sae.n_neurons)
    return Plan(
        k=sae.k,
        sparsity=sae.sparsity,
        prefixes=prefixes,
        max_epochs=max_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=sae.n_iter_no_change,
        aux_k=2 * sae.k if sae.aux_k is None else sae.aux_k,
        aux_coefficient=sae.aux_coefficient,
        dead_after=min(n_rows, 250_000),
        engine=resolve_engine(sae.engine, sae.n_neurons, sae.k, device),
        max_time=sae.max_time,
    )


def resolve_engine(engine, n_neurons, k, device):
    """Return "dense" or "sparse".

    Sparse products win from about 16 neurons per active one on, on the CPU; with few
    neurons the dense ones are too small to matter, and a GPU is made for them.
    """
    if device.split(":")[0] != "cpu":
        if engine == "sparse":
            raise ValueError(
                f"engine='sparse' runs on the CPU, but device={device!r}. Use "
                "engine='auto'."
            )
        return "dense"
    if engine == "auto":
        return "sparse" if n_neurons > 128 and n_neurons >= 16 * k else "dense"
    return engine


def auto_batch_size(n_rows, n_neurons):
    """Return a power of two from 64 to 512, about a fiftieth of the rows."""
    if n_neurons > 4096:
        return 2048
    return int(2 ** np.clip(np.floor(np.log2(max(1, n_rows / 48))), 6, 9))


def auto_epochs(n_rows, batch_size):
    """Return enough epochs for about 576 steps, from 5 to 100."""
    steps_per_epoch = -(-n_rows // batch_size)
    return int(np.clip(-(-576 // steps_per_epoch), 5, 100))


def resolve_device(device):
    """Return the torch device for "auto", or the one that was asked for.

    Parameters
    ----------
    device : str
        "auto", or any name that torch knows.

    Returns
    -------
    device : str
        A torch device.

    Raises
    ------
    ValueError
        If torch does not know the device or cannot use it here.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here ({error}). Use 'auto' or 'cpu'."
        ) from error
    return device


def padded_names(prefix, n_names):
    """Return names such as "neuron017" that sort in their order.

    Parameters
    ----------
    prefix : str
        What every name starts with.
    n_names : int
        How many there are.

    Returns
    -------
    names : ndarray of shape (n_names,) and dtype object
        The names, padded with zeros to at least three digits.
    """
    width = max(3, len(str(n_names - 1)))
    return np.array([f"{prefix}{i:0{width}d}" for i in range(n_names)], dtype=object)
