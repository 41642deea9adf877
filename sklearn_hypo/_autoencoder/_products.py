"""The one dense product, as fast as a processor allows."""

from functools import lru_cache

from .._utils._threads import share_out

# Multiplications from which on oneDNN is faster to call.
_LEAST = 1_000_000
# Rows at a time, for few and for many weights. Parts do not depend on who computes
# them, so that no bit does.
_ROWS, _ROWS_IF_LARGE, _LARGE = 512, 128, 300_000


def multiply_affine(rows, weights, intercept=None, out=None):
    """Return ``rows @ weights.T + intercept``, of torch tensors.

    For float32 on a CPU oneDNN is asked directly: torch prefers MKL, which knows half
    of what a processor of AMD can do.
    """
    import torch
    from torch.nn.functional import linear

    multiply = _find_kernel() if _suits(rows, weights) else None
    if multiply is None:
        product = linear(rows, weights, intercept)
        return product if out is None else out.copy_(product)
    size = _ROWS_IF_LARGE if weights.numel() >= _LARGE else _ROWS
    if out is None:
        if len(rows) <= size:
            return multiply(rows, weights, intercept, "none", [], "")
        out = rows.new_empty(len(rows), len(weights))
    given, wanted = rows.split(size), out.split(size)

    def compute(part):
        # the mode is one of each thread
        with torch.inference_mode(out.is_inference()):
            product = multiply(given[part], weights, intercept, "none", [], "")
            wanted[part].copy_(product)

    share_out(compute, len(given))
    return out


def _suits(rows, weights):
    import torch

    of_kind = rows.device.type == "cpu" and rows.dtype == torch.float32
    return of_kind and len(rows) * weights.numel() >= _LEAST


@lru_cache(maxsize=1)
def _find_kernel():
    """Return oneDNN's product if torch has it: a private operator, so it is tried."""
    import torch

    kernel = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    one = torch.ones(1, 1)
    try:
        works = kernel(one, one, one[0], "none", [], "").item() == 2.0
    except (TypeError, RuntimeError):
        return None
    return kernel if works else None
