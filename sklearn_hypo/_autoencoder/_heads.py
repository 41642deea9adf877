r"""The supervised part of the loss: a linear head on the first neurons' activations.

With activations f of the supervised neurons, the head adds :math:`\alpha U` to the
loss, where U is the fraction of the target left unexplained: 1 for the best constant,
0 for a perfect prediction. Half of a head's work is to keep one neuron from becoming
the label: each activation is dropped with probability p while the head learns, so that
what one neuron says another has to be able to say too.
"""

from collections import deque

import numpy as np
from scipy.special import log_softmax, softmax

from . import _distributed
from ._encoding import calibrate_threshold, encode_blocks, find_active

_PREFIX = "head_"
_DECAY = 0.98
_RIDGE = 0.02


def _replace_zero_by_infinity(null_loss):
    """Let an output that is constant weigh nothing."""
    null_loss = np.asarray(null_loss, dtype=np.float64)
    return np.where(null_loss > 1e-12, null_loss, np.inf)


def _sum_target(target):
    """Return the weighted count, sum and sum of squares of each output."""
    weights = target.weights.astype(np.float64)
    values = target.values.astype(np.float64)
    count = np.full(values.shape[1], weights.sum())
    return _distributed.sum_across([count, weights @ values, weights @ values**2])


class Head:
    r"""What both heads share: batches in, gradients of the activations out.

    The coefficients follow from running moments of the activations, over the last fifty
    or so batches. Dropout enters them as the ridge penalty that it amounts to:
    :math:`\tfrac{p}{1 - p}` times the second moment of each activation (Srivastava et
    al. 2014, "Dropout", section 9.1; Wager, Wang and Liang 2013, arXiv 1307.1493).

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
    coef : ndarray of shape (n_supervised, n_outputs)
    intercept : ndarray of shape (n_outputs,)
    """

    def __init__(
        self, target, validation, *, alpha, n_supervised, dropout, seed, device
    ):
        import torch

        self.target, self.validation, self.alpha = target, validation, alpha
        self.n_supervised, self.dropout = n_supervised, dropout
        self.device = device
        self._generator = torch.Generator(device=device).manual_seed(seed)
        self.null_loss = _replace_zero_by_infinity(target.null_loss)
        self._totals = _sum_target(target)
        size, n_outputs = n_supervised + 1, target.values.shape[1]
        self._moments = np.zeros((size, size + n_outputs))
        self._seen = 0.0
        self.coef = np.zeros((n_supervised, n_outputs))
        self.intercept = np.zeros(n_outputs)

    def make_gradient(self, positions):
        """Return what maps codes of these training rows to gradients of alpha * U."""
        import torch

        batch = self.target.take(positions)
        values = torch.from_numpy(batch.values).to(self.device)
        weights = torch.from_numpy(batch.weights).to(self.device)

        def supervise(codes):
            active = codes.block(0, self.n_supervised).dense()
            gradient = self.batch_gradient(active, values, weights)
            return codes.take_entries(gradient.mul_(self.alpha), self.n_supervised)

        return supervise

    def resume(self, state):
        """Take over what an earlier head had seen, if the state holds that."""
        if f"{_PREFIX}coef" not in state:
            return
        earlier = {name: state[_PREFIX + name] for name in self._state()}
        if earlier["coef"].shape != self.coef.shape:
            raise ValueError(
                f"The head has (n_supervised, n_outputs) = {earlier['coef'].shape} and "
                f"cannot go on with {self.coef.shape}. Call fit to start anew."
            )
        self._moments, self._seen = earlier["moments"].copy(), float(earlier["seen"])
        self.coef, self.intercept = earlier["coef"].copy(), earlier["intercept"].copy()
        self._totals = self._totals + earlier["totals"]
        self.null_loss = self._null_loss()

    def _state(self):
        return {
            "totals": self._totals,
            "moments": self._moments,
            "seen": np.array(self._seen),
            "coef": self.coef,
            "intercept": self.intercept,
        }

    def prefixed_state(self):
        """Return what a later head needs, as NumPy arrays by name."""
        return {_PREFIX + name: array for name, array in self._state().items()}

    def _null_loss(self):
        """Return what the best constant leaves of all targets seen so far."""
        count, total, squares = self._totals
        mean = total / np.maximum(count, np.finfo(float).tiny)
        if self.target.kind == "classes":
            return _replace_zero_by_infinity(
                -(mean * np.log(np.maximum(mean, 1e-12))).sum()
            )
        spread = squares / np.maximum(count, np.finfo(float).tiny) - mean**2
        return _replace_zero_by_infinity(spread)

    def batch_gradient(self, active, values, weights):
        """Update the coefficients; return dU / d(activations) with these held fixed.

        Parameters
        ----------
        active : tensor of shape (n_rows, n_supervised)
        values : tensor of shape (n_rows, n_outputs)
        weights : tensor of shape (n_rows,)
        """
        import torch

        to = {"dtype": active.dtype, "device": active.device}
        self._update(active, values, weights)
        coef, intercept, null_loss = (
            torch.as_tensor(array, **to)
            for array in (self.coef, self.intercept, self.null_loss)
        )
        kept, factor = self._drop_activations(active)
        error = self._slope(kept @ coef + intercept, values) / null_loss
        total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
        error *= weights[:, None] / total
        return (error @ coef.T) * factor

    def _update(self, active, values, weights):
        """Add a batch to the running moments of [f, 1] with [f, 1, y], and learn."""
        f, y, w = (
            tensor.cpu().numpy().astype(np.float64)
            for tensor in (active, values, weights)
        )
        left = np.column_stack([f, np.ones(len(f))])
        weighted = left * w[:, None]
        moments = _distributed.sum_across(weighted.T @ np.column_stack([left, y]))
        total = moments[self.n_supervised, self.n_supervised]
        if total == 0:
            return
        self._moments *= _DECAY
        self._moments += (1 - _DECAY) * moments / total
        self._seen = _DECAY * self._seen + (1 - _DECAY)
        self._learn(self._moments / self._seen, left, weighted, y)

    def _penalty(self, moments):
        """Return the ridge penalty of each coefficient."""
        n = self.n_supervised
        second = np.diagonal(moments)[:n]
        variance = np.maximum(second - moments[n, :n] ** 2, 1e-6)
        return self.dropout / (1 - self.dropout) * second + _RIDGE * variance + 1e-6

    def _drop_activations(self, active):
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
        """Compute U of the validation rows by the present head; NaN without targets."""
        if self.validation is None or not self.validation.weights.any():
            return np.nan
        threshold = None
        if sparsity == "batch_topk":
            threshold = calibrate_threshold([rows], weights, k)
        active = encode_first(rows, weights, k, threshold, self.n_supervised)
        error = self.error(active, self.validation.values, self.validation.weights)
        return float(
            np.mean(error / _replace_zero_by_infinity(self.validation.null_loss))
        )


def encode_first(rows, weights, k, threshold, n_first, *, batch_size=2048):
    """Return the activations of the first neurons, dense float32; see `encode`."""
    active = np.zeros((rows.shape[0], n_first), dtype=np.float32)
    for start, _, pre in encode_blocks(rows, weights, batch_size):
        row, column = np.divmod(find_active(pre, k, threshold), pre.shape[1])
        first = column < n_first
        row, column = row[first], column[first]
        active[start + row, column] = pre[row, column]
    return active


class RidgeHead(Head):
    r"""Least squares, for quantities.

    With covariances C and second moments S of the activations, their covariances
    :math:`c_{fy}` with the target, and a small :math:`\lambda`,

    .. math:: w = \Big(C + \tfrac{p}{1 - p} \operatorname{diag}(S)
                  + \lambda \operatorname{diag}(C)\Big)^{-1} c_{fy}

    U is the mean over the outputs of
    :math:`\sum_i \omega_i (y_i - \hat y_i)^2 / \sum_i \omega_i \sigma_y^2`.
    """

    def _learn(self, moments, *batch):
        n = self.n_supervised
        mean = moments[n, :n]
        covariance = moments[:n, :n] - np.outer(mean, mean)
        cross = moments[:n, n + 1 :] - np.outer(mean, moments[n, n + 1 :])
        penalized = covariance + np.diag(self._penalty(moments))
        self.coef = np.linalg.solve(penalized, cross)
        self.intercept = moments[n, n + 1 :] - mean @ self.coef

    def _slope(self, linear, values):
        """Return the derivative of the loss by the linear prediction."""
        return (linear - values) * (2.0 / values.shape[1])

    def error(self, active, values, weights):
        """Return mean squared errors, one per output; all are NumPy arrays."""
        squared = (active @ self.coef + self.intercept - values) ** 2
        return weights @ squared / weights.sum()

    def final(self):
        """Return coefficients, one row per output, and intercepts."""
        return self.coef.T, self.intercept


class SoftmaxHead(Head):
    r"""Multinomial logistic regression, for classes.

    Each batch moves the coefficients by a share of a Newton step on the last 2,048 or
    so rows, in which the curvature of class c is the running second moment of the
    activations times the mean :math:`p_c (1 - p_c)`.

    U is the cross-entropy over that of the class frequencies,
    :math:`-\sum_i \omega_i \sum_c y_{ic} \log p_{ic} \big/ \sum_i \omega_i H`.
    """

    _SHARE = 0.3
    _LEAST_CURVATURE = 0.02
    _MEMORY = 2048

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        weights = self.target.weights.astype(np.float64)
        total = max(float(_distributed.sum_across(weights.sum())), 1e-12)
        frequency = _distributed.sum_across(weights @ self.target.values) / total
        self.intercept = np.log(np.maximum(frequency, 1e-6))
        self._recent = deque()

    def _learn(self, moments, *batch):
        self._recent.append(batch)
        while sum(len(b[0]) for b in self._recent) - len(batch[0]) > self._MEMORY:
            self._recent.popleft()
        left, weighted, values = map(np.concatenate, zip(*self._recent, strict=True))
        n = self.n_supervised
        penalty = np.diag(np.append(self._penalty(moments), 0.0))
        present = np.vstack([self.coef, self.intercept])
        probability = softmax(left @ present, axis=1)
        total = _distributed.sum_across(weighted[:, n].sum())
        gradient = _distributed.sum_across(weighted.T @ (values - probability)) / total
        spread = weighted[:, n] @ (probability * (1 - probability))
        curvature = _distributed.sum_across(spread) / total
        for c, h in enumerate(np.maximum(curvature, self._LEAST_CURVATURE)):
            hessian = h * (moments[: n + 1, : n + 1] + penalty)
            slope = gradient[:, c] - h * penalty @ present[:, c]
            present[:, c] += self._SHARE * np.linalg.solve(hessian, slope)
        self.coef, self.intercept = present[:n], present[n]

    def _slope(self, linear, values):
        """Return the derivative of the loss by the linear prediction."""
        return linear.softmax(dim=1) - values

    def error(self, active, values, weights):
        """Return the cross-entropy in nats; all are NumPy arrays."""
        logarithms = log_softmax(active @ self.coef + self.intercept, axis=1)
        return weights @ -(values * logarithms).sum(axis=1) / weights.sum()

    def final(self):
        """Return coefficients and intercepts, one for two classes, else per class."""
        coef = self.coef.T
        if len(coef) == 2:
            return coef[1:] - coef[:1], self.intercept[1:] - self.intercept[:1]
        return coef, self.intercept
