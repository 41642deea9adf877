r"""The supervised part of the loss: a linear head on the first neurons' activations.

With activations f of the supervised neurons, the head adds :math:`\alpha U` to the
loss, where U is the fraction of the target left unexplained: 1 for the best constant,
0 for a perfect prediction. Half of a head's work is to keep one neuron from becoming
the label: each activation is dropped with probability p while the head learns, so that
what one neuron says another has to be able to say too.
"""

import numpy as np

from . import _distributed
from ._encoding import active_positions, calibrate_threshold, pre_activations


class Head:
    """What both heads share: batches in, gradients of the activations out.

    Parameters
    ----------
    target : Target
        Of the training rows.
    validation : Target or None
        Of the validation rows.
    alpha : float
        Weight of the loss.
    n_supervised : int
        The head sees this many of the first neurons.
    dropout : float
        Probability of dropping an activation.
    seed : int
        Seeds the dropout.
    device : str
        A torch device.

    Attributes
    ----------
    rate_factor : float
        Learning rate of the head's parameters, relative to that of the others.
    """

    rate_factor = 10.0

    def __init__(
        self, target, validation, *, alpha, n_supervised, dropout, seed, device
    ):
        import torch

        self.target, self.validation, self.alpha = target, validation, alpha
        self.n_supervised, self.dropout = n_supervised, dropout
        self.device = device
        self._generator = torch.Generator(device=device).manual_seed(seed)
        self._gradients = []
        self.null_loss = np.maximum(target.null_loss, np.finfo(np.float32).tiny)

    def parameters(self):
        """Return the tensors that Adam changes."""
        return []

    def gradients(self):
        """Return their gradients in the last step."""
        return self._gradients

    def supervision(self, positions):
        """Return what maps the codes of these training rows to gradients.

        Parameters
        ----------
        positions : ndarray of int of shape (n_rows,)
            The rows of the batch.

        Returns
        -------
        supervise : callable
            Maps codes to the gradient of alpha * U with respect to their entries.
        """
        import torch

        batch = self.target.take(positions)
        values = torch.from_numpy(batch.values).to(self.device)
        weights = torch.from_numpy(batch.weights).to(self.device)

        def supervise(codes):
            active = codes.block(0, self.n_supervised).dense()
            gradient = self.batch_gradient(active, values, weights)
            return codes.entries_of(gradient.mul_(self.alpha), self.n_supervised)

        return supervise

    def go_on(self, state):
        """Take over what an earlier head had seen.

        Parameters
        ----------
        state : dict
            What `state` returned; empty for the first chunk.
        """
        weights = self.target.weights.astype(np.float64)
        values = self.target.values.astype(np.float64)
        sums = np.stack([weights @ values, weights @ values**2])
        self._totals = np.concatenate(
            [np.full((1, sums.shape[1]), weights.sum()), sums]
        )
        if state:
            self._totals += state["totals"]
            self._restore(state)
        count, total, squares = self._totals
        mean = total / np.maximum(count, np.finfo(float).tiny)
        if self.target.kind == "classes":
            null = -(mean * np.log(np.maximum(mean, 1e-12))).sum()
        else:
            null = squares / np.maximum(count, np.finfo(float).tiny) - mean**2
        # the rarest sensible case: one row in a million is of another class
        self.null_loss = np.maximum(null, 1e-5)

    def state(self):
        """Return what a later head needs, as NumPy arrays by name."""
        return {"totals": self._totals}

    def _dropped(self, active):
        """Return the activations that are kept, and what each was multiplied by."""
        import torch

        if not self.dropout:
            return active, 1.0
        kept = torch.rand(
            active.shape, generator=self._generator, device=self.device
        ).ge_(self.dropout)
        kept = kept.to(active.dtype).div_(1.0 - self.dropout)
        return active * kept, kept

    def validation_loss(self, rows, weights, k, sparsity):
        """Compute U of the validation rows with the present head.

        Parameters
        ----------
        rows : Rows or ndarray of shape (n_val, n_features)
        weights : Weights
            NumPy arrays.
        k, sparsity : int, str
            As in `unexplained`.

        Returns
        -------
        loss : float
            0 without validation targets.
        """
        if self.validation is None or not self.validation.weights.any():
            return 0.0
        threshold = None
        if sparsity == "batch_topk":
            threshold = calibrate_threshold([rows], weights, k)
        active = first_activations(rows, weights, k, threshold, self.n_supervised)
        error = self.error(active, self.validation.values, self.validation.weights)
        # in units of the target itself, of which the training target is a part
        return float(np.mean(error / self.validation.null_loss))


def first_activations(rows, weights, k, threshold, n_first, *, batch_size=2048):
    """Return the activations of the first neurons, dense.

    Parameters
    ----------
    rows : Rows or ndarray of shape (n_rows, n_features)
    weights : Weights
        NumPy arrays.
    k, threshold : int, float or None
        As in `encode`.
    n_first : int
        How many neurons.
    batch_size : int, default=2048
        Rows at a time.

    Returns
    -------
    active : ndarray of shape (n_rows, n_first), float32
    """
    active = np.zeros((rows.shape[0], n_first), dtype=np.float32)
    for start in range(0, rows.shape[0], batch_size):
        pre = pre_activations(rows[start : start + batch_size], weights)
        row, column = np.divmod(active_positions(pre, k, threshold), pre.shape[1])
        first = column < n_first
        row, column = row[first], column[first]
        active[start + row, column] = pre[row, column]
    return active


class RidgeHead(Head):
    r"""Least squares in closed form, for quantities.

    The coefficients w minimize the running mean, over the last fifty or so batches, of
    the squared error under dropout, which has a closed form: with second moments S and
    covariances C of the activations,

    .. math:: w = \Big(C + \tfrac{p}{1 - p} \operatorname{diag}(S)
                  + \lambda \operatorname{diag}(C)\Big)^{-1} c_{fy}

    and U is the mean over the outputs of
    :math:`\sum_i \omega_i (y_i - \hat y_i)^2 / \sum_i \omega_i \sigma_y^2`.

    Dropout as a ridge penalty: Srivastava et al. 2014, "Dropout", section 9.1.
    """

    _DECAY = 0.98
    _RIDGE = 0.02

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        size, n_outputs = self.n_supervised + 1, self.target.values.shape[1]
        self._moments = np.zeros((size, size + n_outputs))
        self._seen = 0.0
        self.coef = np.zeros((size - 1, n_outputs))
        self.intercept = np.zeros(n_outputs)

    def batch_gradient(self, active, values, weights):
        """Update the coefficients; return dU / d(activations)."""
        import torch

        total = float(weights.sum())
        self._update(active, values, weights)
        if total == 0:
            return torch.zeros_like(active)
        to = {"dtype": active.dtype, "device": active.device}
        coef = torch.as_tensor(self.coef, **to)
        null = torch.as_tensor(self.null_loss, **to)
        kept, factor = self._dropped(active)
        error = kept @ coef + torch.as_tensor(self.intercept, **to) - values
        error *= weights[:, None] / (total * values.shape[1]) / null
        return 2.0 * (error @ coef.T) * factor

    def _update(self, active, values, weights):
        """Add a batch to the running moments of [f, 1] with [f, 1, y]."""
        f, y, w = (
            tensor.cpu().numpy().astype(np.float64)
            for tensor in (active, values, weights)
        )
        left = np.column_stack([f, np.ones(len(f))])
        moments = (left * w[:, None]).T @ np.column_stack([left, y])
        moments = _distributed.summed(moments)
        total = moments[self.n_supervised, self.n_supervised]
        if total == 0:
            return
        self._moments *= self._DECAY
        self._moments += (1 - self._DECAY) * moments / total
        self._seen = self._DECAY * self._seen + (1 - self._DECAY)
        self.coef, self.intercept = self._solve(self._moments / self._seen)

    def _solve(self, moments):
        n = self.n_supervised
        mean, second = moments[n, :n], np.diagonal(moments)[:n]
        covariance = moments[:n, :n] - np.outer(mean, mean)
        cross = moments[:n, n + 1 :] - np.outer(mean, moments[n, n + 1 :])
        penalty = self._RIDGE * np.maximum(np.diagonal(covariance), 1e-6) + 1e-6
        penalty += self.dropout / (1 - self.dropout) * second
        coef = np.linalg.solve(covariance + np.diag(penalty), cross)
        return coef, moments[n, n + 1 :] - mean @ coef

    def state(self):
        """Return what a later head needs, as NumPy arrays by name."""
        return super().state() | {"moments": self._moments, "seen": self._seen}

    def _restore(self, state):
        self._moments, self._seen = state["moments"].copy(), float(state["seen"])
        if self._seen:
            self.coef, self.intercept = self._solve(self._moments / self._seen)

    def final(self):
        """Return coefficients, one row per output, and intercepts."""
        return self.coef.T, self.intercept

    def error(self, active, values, weights):
        """Return mean squared errors, one per output; all are NumPy arrays."""
        squared = (active @ self.coef + self.intercept - values) ** 2
        return weights @ squared / weights.sum()


class SoftmaxHead(Head):
    r"""Multinomial logistic regression, learned along with the neurons, for classes.

    U is the cross-entropy over that of the class frequencies,
    :math:`-\sum_i \omega_i \sum_c y_{ic} \log p_{ic} \big/ \sum_i \omega_i H`.
    """

    _L2 = 1e-4

    def __init__(self, *args, **kwargs):
        import torch

        super().__init__(*args, **kwargs)
        shape = (self.n_supervised, self.target.values.shape[1])
        self._coef = torch.zeros(shape, device=self.device)
        weights = self.target.weights.astype(np.float64)
        frequency = weights @ self.target.values / weights.sum()
        self._intercept = torch.tensor(
            np.log(np.maximum(frequency, 1e-6)), dtype=torch.float32, device=self.device
        )

    def parameters(self):
        """Return the tensors that Adam changes."""
        return [self._coef, self._intercept]

    def batch_gradient(self, active, values, weights):
        """Set the gradients of the parameters; return dU / d(activations)."""
        import torch

        total = float(weights.sum())
        kept, factor = self._dropped(active)
        error = torch.softmax(kept @ self._coef + self._intercept, dim=1) - values
        error *= weights[:, None] / (max(total, 1e-12) * self.null_loss)
        self._gradients = [
            (kept.T @ error).mul_(self.alpha).add_(self._coef, alpha=2 * self._L2),
            error.sum(0).mul_(self.alpha),
        ]
        return (error @ self._coef.T) * factor

    def state(self):
        """Return what a later head needs, as NumPy arrays by name."""
        coef, intercept = (p.cpu().numpy().copy() for p in self.parameters())
        return super().state() | {"coef": coef, "intercept": intercept}

    def _restore(self, state):
        import torch

        self._coef = torch.tensor(state["coef"], device=self.device)
        self._intercept = torch.tensor(state["intercept"], device=self.device)

    def final(self):
        """Return coefficients and intercepts, one for two classes, else per class."""
        coef, intercept = (p.cpu().numpy() for p in self.parameters())
        coef = coef.T.astype(np.float64)
        if len(coef) == 2:
            return coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        return coef, intercept.astype(np.float64)

    def error(self, active, values, weights):
        """Return the cross-entropy in nats; all are NumPy arrays."""
        from scipy.special import log_softmax

        coef, intercept = self._coef.cpu().numpy(), self._intercept.cpu().numpy()
        logarithms = log_softmax(active @ coef + intercept, axis=1)
        entropy = -(values * logarithms).sum(axis=1)
        return float(weights @ entropy / weights.sum())
