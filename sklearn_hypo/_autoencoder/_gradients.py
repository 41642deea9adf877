"""The loss of the sparse autoencoder and its gradients, by hand, in torch.

Autograd would build a graph of dense products for what is one product with the
encoder and a few over the active entries.
"""

from typing import NamedTuple

import numpy as np

from ._products import multiply_affine


class Weights(NamedTuple):
    """The trainable arrays (torch tensors while training, NumPy arrays outside).

    Attributes
    ----------
    encoder : array of shape (n_neurons, n_features)
    intercept : array of shape (n_neurons,)
    decoder : array of shape (n_neurons, n_features)
        Rows of unit length.
    offset : array of shape (n_features,)
    """

    encoder: object
    intercept: object
    decoder: object
    offset: object


class StepResult(NamedTuple):
    """What one step computed.

    Attributes
    ----------
    loss : float
        Weighted mean over the prefixes of the fraction of variance unexplained.
    gradients : Weights
    pre : tensor of shape (n_rows, n_neurons)
        Pre-activations.
    codes : DenseCodes or SparseCodes
        The activations.
    residual : tensor of shape (n_rows, n_features)
        ``x_hat - x`` with all neurons.
    """

    loss: float
    gradients: Weights
    pre: object
    codes: object
    residual: object


def compute_loss_and_gradients(x, weights, select, prefixes, variance, supervise=None):
    r"""Compute the Matryoshka reconstruction loss of a batch and its gradients.

    With :math:`\hat x^{(m)}` the reconstruction by the first m neurons and p prefix
    lengths,

    .. math:: L = \frac{1}{p} \sum_{m} \frac{1}{n \sigma^2}
              \sum_i \lVert x_i - \hat x_i^{(m)} \rVert^2

    One dense product makes the pre-activations; the other four go over the active
    entries only, if the codes are sparse.

    Parameters
    ----------
    x : tensor of shape (n_rows, n_features)
        The batch.
    weights : Weights
        Tensors.
    select : callable
        Maps pre-activations to the codes (`ActivationSelector`).
    prefixes : sequence of int
        Increasing prefix lengths; the last is n_neurons.
    variance : float
        Total variance of the training rows around their mean: the fixed
        denominator.
    supervise : callable or None
        Maps codes to the gradient of a further loss with respect to each of their
        entries, which is added. The loss itself is not.

    Returns
    -------
    result : StepResult
        The gradient through the selection itself is zero almost everywhere.

    References
    ----------
    Makhzani and Frey 2014 (arXiv 1312.5663), Gao et al. 2024 (arXiv 2406.04093),
    Bussmann et al. 2024 (arXiv 2412.06410) and 2025 (arXiv 2503.17547).
    """
    encoder, intercept, decoder, offset = weights
    xc = x - offset
    pre = multiply_affine(xc, encoder, intercept)
    codes = select(pre)
    blocks = codes.split(prefixes)

    # R_m - xc grows block by block, so that all prefixes cost one product
    residuals = blocks.multiply(decoder)
    residuals[0] -= xc
    for g in range(1, len(prefixes)):
        residuals[g] += residuals[g - 1]
    scale = 1.0 / (len(x) * variance * len(prefixes))
    loss = scale * sum(float(r.flatten().dot(r.flatten())) for r in residuals)

    # a neuron of block g takes part in every prefix from g on
    upstream = residuals
    for g in reversed(range(len(prefixes) - 1)):
        upstream[g] += upstream[g + 1]
    d_decoder = blocks.multiply_transposed(upstream, 2.0 * scale)
    d_values = blocks.sample_product(upstream, decoder).mul_(2.0 * scale)
    if supervise is not None:
        d_values += supervise(codes)
    errors = codes.replace_values(d_values)
    d_intercept = errors.sum_by_neuron()
    d_offset = upstream[0].sum(0).mul_(2.0 * scale) - d_intercept @ encoder
    d_encoder = errors.multiply_transposed(xc)
    gradients = Weights(d_encoder, d_intercept, d_decoder, d_offset)
    return StepResult(loss, gradients, pre, codes, upstream[-1])


def add_auxiliary_gradients(x, step, weights, dead, k_aux, coefficient, variance):
    r"""Add the gradients of the auxiliary loss, by which dead neurons come back.

    The dead neurons with the largest pre-activations reconstruct what the living ones
    left over, :math:`e = x - \hat x` (held fixed):

    .. math:: L_{aux} = \frac{\lambda}{n \sigma^2}
              \sum_i \lVert e_i - z_i^{dead} D^{dead} \rVert^2

    Pre-activations enter without a ReLU: one that is negative for every row would
    otherwise get no gradient and stay dead (Gao et al. 2024, arXiv 2406.04093, section
    2.4 and appendix A.2).

    Parameters
    ----------
    x : tensor of shape (n_rows, n_features)
        The batch.
    step : StepResult
        Its gradients are changed in place (encoder, intercept and decoder).
    weights : Weights
        Tensors.
    dead : tensor of int of shape (n_dead,)
        Indices of the dead neurons, at least one.
    k_aux : int
        Dead neurons used per row, at most n_dead.
    coefficient : float
        The weight :math:`\lambda`.
    variance : float
        As in `compute_loss_and_gradients`.

    Returns
    -------
    loss : float
        The auxiliary loss, already weighted.
    """
    codes = step.codes.take_top(step.pre[:, dead], k_aux)
    decoder = weights.decoder[dead]
    error = codes.multiply(decoder) + step.residual
    scale = coefficient / (len(x) * variance)
    upstream = (2.0 * scale) * error
    step.gradients.decoder[dead] += codes.multiply_transposed(upstream)
    d_pre = codes.replace_values(codes.sample_product(upstream, decoder))
    step.gradients.encoder[dead] += d_pre.multiply_transposed(x - weights.offset)
    step.gradients.intercept[dead] += d_pre.sum_by_neuron()
    return scale * float((error * error).sum())


def project_out_radial(gradient, rows):
    """Remove the part of each gradient row along the unit row it would only stretch.

    The gradient is changed in place.
    """
    import torch

    radial = torch.linalg.vecdot(gradient, rows).unsqueeze(1)
    gradient.addcmul_(radial, rows, value=-1)


def normalize_rows(rows):
    """Scale rows to unit length in place (torch); a zero row stays zero."""
    rows /= rows.norm(dim=1, keepdim=True).clamp_min(np.finfo(np.float32).tiny)
