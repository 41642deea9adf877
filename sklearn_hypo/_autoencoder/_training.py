"""Runs of training: epochs with a schedule and early stopping, or chunk by chunk."""

import time
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from . import _distributed
from ._encoding import calibrate_threshold, compute_unexplained
from ._gradients import Weights, normalize_rows
from ._learner import Learner
from ._rows import TrainingRows, shuffle_rows

# of `OnlineRun`: steps to the full rate, steps that weights are averaged over, and rows
# that the threshold remembers
_WARMUP_STEPS = 64
_AVERAGED_STEPS = 1000
_HORIZON = 2_000


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


def schedule_rate(step, n_steps, *, warmup=0.05, decay=0.5):
    """Return the factor on the peak learning rate: up, flat, then down to zero.

    `warmup` and `decay` are the fractions of the steps spent rising and falling.
    """
    up = max(1.0, warmup * n_steps)
    down = max(1.0, decay * n_steps)
    return min(1.0, (step + 1) / up, max(n_steps - step, 0.5) / down)


class TrainingRun:
    """One training run: call `run_epoch` until `finished`, then take `best_weights`.

    Parameters
    ----------
    rows : TrainingRows, or ndarray of shape (n_rows, n_features) and dtype float32
        Training rows, centered and scaled.
    validation : TrainingRows, ndarray of shape (n_val, n_features), or None
        Validation rows in the same space; without them the last weights are the best.
    weights, plan, variance, device, head
        As `Learner` takes them.
    seed : int
        Seeds the order of the batches.

    Attributes
    ----------
    history : list of Epoch
    best_weights : Weights
        Those with the smallest validation error so far; NumPy arrays.
    finished : bool
        Whether the epochs or the seconds are used up, or the validation error has not
        improved for `patience` epochs.
    """

    def __init__(
        self, rows, validation, weights, plan, *, variance, seed, device, head=None
    ):
        self.rows = rows if isinstance(rows, TrainingRows) else TrainingRows(rows)
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
        """Pass once over the rows in a new order, then validate; return the `Epoch`."""
        order = shuffle_rows(*self.rows.shape, self._order)
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
        return schedule_rate(progress * n_steps, n_steps)

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
        error = compute_unexplained(rows, weights, plan.k, plan.sparsity, self.variance)
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


class OnlineRun:
    """Goes on with training where the previous chunk ended.

    There is no schedule that could end in small steps: the learning rate stays at its
    peak after 64 steps, and the running average of the weights over the last thousand
    steps stands in for it.

    Parameters
    ----------
    weights : Weights
        The first ones, or those that were reached; NumPy arrays, scaled.
    plan, device, head
        As `Learner` takes them.
    state : dict or None
        What `state` returned after the previous chunk.

    Attributes
    ----------
    n_samples_seen, n_steps : int
    threshold : float or None
        The calibrated threshold of Batch Top-K, mostly that of the last 2,000 rows.
    """

    def __init__(self, weights, plan, *, device="cpu", head=None, state=None):
        import torch

        state = state or {}
        self.plan = plan
        averages = weights
        self.threshold, self._earlier_steps = None, int(state.get("earlier_steps", 0))
        self.n_samples_seen = int(state.get("n_samples_seen", 0))
        goes_on = "n_steps" in state  # from another chunk, not from `fit`
        if goes_on:
            weights = Weights(*(state[name] for name in Weights._fields))
            averages = Weights(*(state[f"average_{name}"] for name in Weights._fields))
            if "threshold" in state and plan.sparsity == "batch_topk":
                self.threshold = float(state["threshold"])
        self.learner = Learner(
            weights,
            plan,
            variance=1.0,
            device=device,
            head=head,
            state=state if goes_on else None,
        )
        if head is not None:
            head.resume(state)
        self._averages = [torch.tensor(w, dtype=torch.float32) for w in averages]

    def run(self, rows):
        """Pass once over a chunk, in its order; return the mean loss."""
        n_batches = -(-len(rows) // self.plan.batch_size)
        ends = np.linspace(0, len(rows), n_batches + 1).astype(np.int64)
        total = 0.0
        for start, stop in pairwise(ends):
            warmup = min(1.0, (self.learner.n_steps + 1) / _WARMUP_STEPS)
            loss = self.learner.step(
                rows[start:stop],
                warmup * self.plan.learning_rate,
                np.arange(start, stop),
            )
            total += loss * (stop - start)
            self._average()
        self.n_samples_seen += len(rows)
        if self.plan.sparsity == "batch_topk":
            self._calibrate(rows)
        return total / len(rows)

    @property
    def n_steps(self):
        """Steps so far, those of `fit` included."""
        return self._earlier_steps + self.learner.n_steps

    def _average(self):
        n = self.learner.n_steps
        # short memory at first, so that the start is forgotten
        share = max(1 / _AVERAGED_STEPS, 9 / (9 + n))
        for average, weight in zip(self._averages, self.learner.tensors(), strict=True):
            average.lerp_(weight.cpu(), share)

    def _calibrate(self, rows):
        found = calibrate_threshold([rows], self.weights(), self.plan.k)
        share = min(1.0, len(rows) / min(self.n_samples_seen, _HORIZON))
        before = found if self.threshold is None else self.threshold
        self.threshold = before + share * (found - before)

    def weights(self):
        """Return the averaged weights as NumPy arrays."""
        averages = Weights(*(average.clone() for average in self._averages))
        normalize_rows(averages.decoder)
        return Weights(*(average.numpy() for average in averages))

    def state(self):
        """Return what the next chunk needs, as NumPy arrays by name."""
        state = self.learner.state()
        for name, average in zip(Weights._fields, self._averages, strict=True):
            state[f"average_{name}"] = average.numpy().copy()
        state["n_samples_seen"] = np.array(self.n_samples_seen)
        state["earlier_steps"] = np.array(self._earlier_steps)
        if self.threshold is not None:
            state["threshold"] = np.array(self.threshold)
        if self.learner.head is not None:
            state |= self.learner.head.prefixed_state()
        return state
