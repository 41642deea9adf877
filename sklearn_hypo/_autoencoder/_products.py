"""The one dense product, as fast as a processor allows."""

# multiplications from which on oneDNN makes up for the copies it takes
_LEAST = 5_000_000


def multiply_affine(rows, weights, intercept=None):
    """Return ``rows @ weights.T + intercept``, of torch tensors.

    For float32 on a CPU oneDNN is asked directly: torch prefers MKL, which knows half
    of what a processor of AMD can do.
    """
    import torch
    from torch.nn.functional import linear

    suits = rows.device.type == "cpu" and rows.dtype == torch.float32
    suits = suits and len(rows) * weights.numel() >= _LEAST
    if not (suits and torch.backends.mkldnn.is_available()):
        return linear(rows, weights, intercept)
    given = [rows, weights] if intercept is None else [rows, weights, intercept]
    return linear(*(each.to_mkldnn() for each in given)).to_dense()
