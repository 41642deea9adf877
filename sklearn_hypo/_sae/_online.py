"""Training on one chunk after the other, without an end in sight."""

from itertools import pairwise

import numpy as np

from ._encoding import calibrate_threshold
from ._gradients import Weights, normalize_rows
from ._learner import Learner

_WARMUP_STEPS = 64
_AVERAGED_STEPS = 1000
_HORIZON = 2_000


class OnlineRun:
    """Goes on with training where the previous chunk ended.

    There is no schedule that could end in small steps; the running average of the
    weights over the last thousand steps stands in for it.

    Parameters
    ----------
    weights : Weights
        The first ones, or those that were reached; NumPy arrays, scaled.
    plan : Plan
        The settings; the learning rate stays at its peak after 64 steps.
    device : str
        A torch device.
    head : Head or None
        The supervised part of the loss.
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
            head.go_on(state)
        self._averages = [torch.tensor(w, dtype=torch.float32) for w in averages]

    def run(self, rows):
        """Pass once over a chunk, in its order.

        Parameters
        ----------
        rows : Rows
            The chunk, centered and scaled.

        Returns
        -------
        loss : float
            Mean reconstruction loss of its batches.
        """
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
