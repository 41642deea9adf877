"""The matrix products of a model on a CPU, as fast as the processor allows."""

# multiplications from which on oneDNN makes up for the copy of the rows
_LEAST = 5_000_000


def multiply_by_onednn(model):
    """Make the linear layers of a torch model multiply by oneDNN, in float32.

    torch prefers MKL, which knows half of what a processor of AMD can do. The products
    are the same, up to rounding. The weights are kept a second time, as oneDNN wants
    them; the model is for use only, not for training.
    """
    import torch

    if not torch.backends.mkldnn.is_available():
        return
    for module in model.modules():
        if type(module) is torch.nn.Linear and module.weight.dtype == torch.float32:
            module.forward = _Product(module)


class _Product:
    """The forward pass of a linear layer."""

    def __init__(self, layer):
        self._given = [layer.weight.detach()]
        if layer.bias is not None:
            self._given.append(layer.bias.detach())
        self._given_to_onednn = [each.to_mkldnn() for each in self._given]

    def __call__(self, rows):
        from torch.nn.functional import linear

        weights = self._given[0]
        n_rows = rows.numel() // weights.shape[1]
        if n_rows * weights.numel() < _LEAST:
            return linear(rows, *self._given)
        return linear(rows.to_mkldnn(), *self._given_to_onednn).to_dense()
