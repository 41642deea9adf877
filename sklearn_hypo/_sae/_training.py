"""The training loop: batches, schedule, dead neurons, early stopping."""

from typing import NamedTuple

import numpy as np

from ._activations import (
    batch_top_k_mask,
    calibrate_threshold,
    encode,
    top_k_mask,
)
from ._gradients import (
    Weights,
    add_auxiliary_gradients,
    loss_and_gradients,
    normalize_rows,
    project_out_radial,
)


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
    n_dead: int


def schedule(step, n_steps, *, warmup=0.05, decay=0.7):
    """Return the factor on the peak learning rate: up, flat, then down to zero.

    Parameters
    ----------
    step, n_steps : int
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
    return min(1.0, (step + 1) / up, (n_steps - step) / down)


def unexplained(X, weights, k, sparsity, variance, *, threshold=None, batch_size=4096):
    """Compute the fraction of variance that the reconstruction leaves unexplained.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows, in the space of the weights.
    weights : Weights
        NumPy arrays.
    k : int
        Active neurons per row.
    sparsity : {"batch_topk", "topk"}
        With "batch_topk" and no threshold, the n*k largest of all rows are active.
    variance : float
        Mean squared distance of a training row from the training mean.
    threshold : float or None
        The calibrated threshold.
    batch_size : int, default=4096
        Rows at a time.

    Returns
    -------
    error : float
        Dimensionless; 0 is perfect and 1 as good as the mean.
    """
    if sparsity == "batch_topk" and threshold is None:
        threshold = calibrate_threshold([X], weights, k)
    total = 0.0
    for start in range(0, len(X), batch_size):
        rows = X[start : start + batch_size]
        active = encode(rows, weights, k, threshold)
        error = active @ weights.decoder + weights.offset - rows
        total += np.square(error, dtype=np.float64).sum()
    return float(total / (len(X) * variance))


class TrainingRun:
    """One training run: call `run_epoch` until `finished`, then take `best_weights`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), float32
        Centered and scaled training rows.
    X_val : ndarray of shape (n_val, n_features) or None
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

    Attributes
    ----------
    history : list of Epoch
    best_weights : Weights
        Those with the smallest validation error so far; NumPy arrays.
    finished : bool
        Whether the epochs are used up, or the validation error has not improved
        for `patience` of them.
    """

    def __init__(self, X, X_val, weights, plan, *, variance, seed, device):
        import torch

        self.X, self.X_val, self.plan = X, X_val, plan
        self.variance, self.device = variance, device
        self._weights = Weights(
            *(torch.tensor(w, dtype=torch.float32, device=device) for w in weights)
        )
        self._optimizer = torch.optim.Adam(
            self._weights, lr=plan.learning_rate, fused=True
        )
        self._order = np.random.RandomState(seed)
        self._n_batches = -(-len(X) // plan.batch_size)
        self._n_steps = self._n_batches * plan.max_epochs
        self._step_count = 0
        self._silent_for = np.zeros(len(weights.decoder), dtype=np.int64)
        self._select = _selector(plan.sparsity, plan.k)
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
        order = self._order.permutation(len(self.X))
        total = 0.0
        # near-equal batches: no tiny last one, whose gradient would be mostly noise
        for rows in np.array_split(order, self._n_batches):
            total += self._step(rows) * len(rows)
        error = self._validate()
        self.history.append(
            Epoch(
                len(self.history) + 1,
                self._optimizer.param_groups[0]["lr"],
                total / len(self.X),
                error,
                len(self._dead()),
            )
        )
        patience = self.plan.patience
        self.finished = len(self.history) >= self.plan.max_epochs or (
            patience is not None and self._waited >= patience
        )
        return self.history[-1]

    def _validate(self):
        """Compute the validation error and keep the weights if they are the best."""
        current = Weights(*(w.cpu().numpy().copy() for w in self._weights))
        self._check_finite(sum(float(np.abs(w).max()) for w in current), "weights")
        if self.X_val is None:
            self.best_weights = current
            return np.nan
        error = unexplained(
            self.X_val, current, self.plan.k, self.plan.sparsity, self.variance
        )
        self._check_finite(error, "validation error")
        if error < self._best_error:
            self.best_weights, self._best_error, self._waited = current, error, 0
        else:
            self._waited += 1
        return error

    def _step(self, rows):
        import torch

        x = torch.from_numpy(self.X[rows]).to(self.device)
        step = loss_and_gradients(
            x, self._weights, self._select, self.plan.prefixes, self.variance
        )
        self._check_finite(step.loss, "training loss")
        dead = self._dead()
        if len(dead) and self.plan.aux_coefficient:
            add_auxiliary_gradients(
                x,
                step,
                self._weights,
                torch.from_numpy(dead).to(self.device),
                min(self.plan.aux_k, len(dead)),
                self.plan.aux_coefficient,
                self.variance,
            )
        fired = step.mask.any(dim=0).cpu().numpy()
        self._silent_for = np.where(fired, 0, self._silent_for + len(rows))
        self._update(step.gradients)
        return step.loss

    def _check_finite(self, value, what):
        if not np.isfinite(value):
            raise FloatingPointError(
                f"The {what} became infinite or NaN at step {self._step_count}: "
                "training diverged. Lower learning_rate."
            )

    def _dead(self):
        return np.flatnonzero(self._silent_for >= self.plan.dead_after)

    def _update(self, gradients):
        project_out_radial(gradients.decoder, self._weights.decoder)
        factor = schedule(self._step_count, self._n_steps)
        self._optimizer.param_groups[0]["lr"] = self.plan.learning_rate * factor
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.grad = gradient
        self._optimizer.step()
        normalize_rows(self._weights.decoder)
        self._step_count += 1


def _selector(sparsity, k):
    """Return the function that marks active neurons in a tensor.

    NumPy's partition beats torch's top-k by several times on a CPU; elsewhere torch
    keeps the data on the device.
    """
    import torch

    mask_on_cpu = batch_top_k_mask if sparsity == "batch_topk" else top_k_mask

    def select(pre):
        if pre.device.type == "cpu":
            return torch.from_numpy(mask_on_cpu(pre.numpy(), k))
        if sparsity == "batch_topk":
            n_kept = min(len(pre) * k, pre.numel())
            threshold = pre.flatten().topk(n_kept).values[-1]
            return (pre >= threshold) & (pre > 0)
        kept = pre.topk(min(k, pre.shape[1]), dim=1).indices
        chosen = torch.zeros_like(pre, dtype=torch.bool).scatter_(1, kept, True)
        return chosen & (pre > 0)

    return select
