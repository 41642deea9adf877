"""One step after the other: gradients, Adam, dead neurons."""

import numpy as np

from .._utils._memory import FittingBatches
from . import _distributed
from ._codes import ActivationSelector
from ._gradients import (
    Weights,
    add_auxiliary_gradients,
    compute_loss_and_gradients,
    normalize_rows,
    project_out_radial,
)


class Learner:
    """Weights in training, with all that a step changes.

    Parameters
    ----------
    weights : Weights
        Where to start; NumPy arrays, left unchanged.
    plan : Plan
        The settings.
    variance : float
        Mean squared length of a training row: the denominator of the loss.
    device : str
        A torch device.
    head : Head or None
        The supervised part of the loss.
    state : dict or None
        What `state` returned, to go on from there.

    Attributes
    ----------
    n_steps : int
        Steps so far.
    learning_rate : float
        Of the last step.
    """

    def __init__(self, weights, plan, *, variance, device="cpu", head=None, state=None):
        import torch

        self.plan, self.variance, self.device, self.head = plan, variance, device, head
        self._weights = Weights(
            *(torch.tensor(w, dtype=torch.float32, device=device) for w in weights)
        )
        self._scales = self._weights.encoder[: plan.n_tied].norm(dim=1)
        self._adam = {
            "step": [torch.zeros((), device=device) for _ in self._parameters()],
            "exp_avg": [torch.zeros_like(w) for w in self._parameters()],
            "exp_avg_sq": [torch.zeros_like(w) for w in self._parameters()],
        }
        self._select = ActivationSelector(plan.sparsity, plan.k, plan.engine)
        self._silent_for = np.zeros(len(weights.decoder), dtype=np.int64)
        self.n_steps, self.learning_rate = 0, 0.0
        self._batches = FittingBatches(
            f"The autoencoder on device={device!r}",
            "rows",
            "Choose device='cpu', or fewer neurons (n_neurons).",
        )
        if state is not None:
            self._restore(state)

    def step(self, rows, learning_rate, positions=None):
        """Take a step and return the reconstruction loss, without that of the head.

        Where the device has no memory for the batch, a step with each half of it is
        taken; in one process, as several have to take as many steps.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_features), float32
            The batch.
        learning_rate : float
        positions : ndarray of int of shape (n_rows,) or None
            Which training rows these are; for the head, that knows their targets.

        Raises
        ------
        FloatingPointError
            If the loss is NaN or infinite; the weights are left as they were.
        """

        def take(part):
            own = None if positions is None else positions[part]
            return self._take_step(rows[part], learning_rate, own), len(rows[part])

        if _distributed.is_distributed():
            return take(slice(None))[0]
        parts = self._batches.compute(take, len(rows))
        losses, sizes = zip(*parts, strict=True)
        return losses[0] if len(losses) == 1 else np.average(losses, weights=sizes)

    def _take_step(self, rows, learning_rate, positions):
        import torch

        x = torch.from_numpy(rows).to(self.device)
        supervise = None
        if self.head is not None:
            supervise = self.head.make_gradient(positions)
        step = compute_loss_and_gradients(
            x, self._weights, self._select, self.plan.prefixes, self.variance, supervise
        )
        self._check_finite(step.loss)
        dead = self.dead()
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
        self._count(step.codes.find_fired(), len(rows))
        self._update(step.gradients, learning_rate)
        return step.loss

    def _check_finite(self, value):
        if not np.isfinite(value):
            raise FloatingPointError(
                f"The training loss became infinite or NaN at step {self.n_steps}: "
                "training diverged. Lower learning_rate."
            )

    def _count(self, fired, n_rows):
        if _distributed.is_distributed():
            fired = _distributed.any_across(fired)
            n_rows = int(_distributed.sum_across(n_rows))
        self._silent_for += n_rows
        self._silent_for[fired] = 0

    def dead(self):
        """Return the neurons that have been silent for too many samples."""
        return np.flatnonzero(self._silent_for >= self.plan.dead_after)

    def _update(self, gradients, learning_rate):
        _distributed.average_(gradients)
        scales_gradient = self._tie(gradients)
        project_out_radial(gradients.decoder, self._weights.decoder)
        self._take_adam_step([*gradients, scales_gradient], learning_rate)
        normalize_rows(self._weights.decoder)
        n_tied = self.plan.n_tied
        tied = self._weights.decoder[:n_tied] * self._scales[:, None]
        self._weights.encoder[:n_tied] = tied
        self.n_steps += 1
        self.learning_rate = learning_rate

    def _take_adam_step(self, gradients, learning_rate):
        # without the class torch.optim.Adam, whose first use takes a second: it imports
        # torch's compiler
        from torch.optim.adam import adam

        adam(
            self._parameters(),
            gradients,
            self._adam["exp_avg"],
            self._adam["exp_avg_sq"],
            [],
            self._adam["step"],
            fused=True,
            lr=learning_rate,
            beta1=0.9,
            # a run has some hundred steps: second moments over 1,000 would never settle
            beta2=0.99,
            eps=1e-8,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )

    def _tie(self, gradients):
        """Pass the gradients of tied encoder rows on to the decoder, in place.

        With encoder row s * D, the gradient of D is that of the encoder times s, and
        that of the scale s its product with D, which is returned.
        """
        import torch

        n_tied = self.plan.n_tied
        encoder = gradients.encoder[:n_tied]
        scales = torch.linalg.vecdot(encoder, self._weights.decoder[:n_tied])
        gradients.decoder[:n_tied].addcmul_(encoder, self._scales[:, None])
        encoder.zero_()
        return scales

    def tensors(self):
        """Return the weights themselves, which the next step changes."""
        return self._weights

    def weights(self):
        """Return copies as NumPy arrays, or raise if a weight is not finite."""
        current = Weights(*(w.detach().cpu().numpy().copy() for w in self._weights))
        if not all(np.isfinite(w).all() for w in current):
            raise FloatingPointError(
                f"The weights became infinite or NaN at step {self.n_steps}: training "
                "diverged. Lower learning_rate."
            )
        return current

    def state(self):
        """Return what a later learner needs to go on, as NumPy arrays by name."""
        arrays = {
            name: w.cpu().numpy().copy()
            for name, w in zip(Weights._fields, self._weights, strict=True)
        }
        for name, values in self._adam.items():
            for i, value in enumerate(values):
                arrays[f"adam_{name}_{i}"] = value.cpu().numpy().copy()
        arrays["silent_for"] = self._silent_for.copy()
        arrays["n_steps"] = np.array(self.n_steps)
        return arrays

    def _parameters(self):
        return [*self._weights, self._scales]

    def _restore(self, state):
        import torch

        for name, values in self._adam.items():
            for i in range(len(values)):
                if f"adam_{name}_{i}" in state:
                    saved = torch.tensor(state[f"adam_{name}_{i}"])
                    values[i] = saved.to(self.device)
        self._silent_for = np.array(state["silent_for"])
        self.n_steps = int(state["n_steps"])
