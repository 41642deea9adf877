"""Averages over the processes of a torch.distributed group, where there is one.

Each process trains on rows of its own. Gradients are averaged, so that n processes
with batches of m rows make the steps of one process with batches of n * m: exactly for
Top-K, and in expectation for Batch Top-K, which shares out its active entries within
each process's batch. Without a process group every function returns what it was given.
"""

import numpy as np


def is_distributed():
    """Tell whether a process group of more than one process is initialized."""
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def average_(tensors):
    """Replace tensors by their means over all processes, in one message."""
    if not is_distributed():
        return
    import torch
    import torch.distributed as dist

    together = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(together)
    together /= dist.get_world_size()
    start = 0
    for tensor in tensors:
        stop = start + tensor.numel()
        tensor.copy_(together[start:stop].view_as(tensor))
        start = stop


def sum_across(array):
    """Return the sum of an array over all processes, in float64."""
    return _reduce(array, "SUM", np.float64)


def max_across(array):
    """Return the elementwise maximum of an array over all processes."""
    return _reduce(array, "MAX", np.float64)


def any_across(mask):
    """Return where a mask is True in some process."""
    return _reduce(mask, "MAX", np.uint8).astype(bool) if is_distributed() else mask


def broadcast_first(arrays):
    """Return the arrays of the first process."""
    if not is_distributed():
        return arrays
    import torch.distributed as dist

    tensors = [_on_device(array) for array in arrays]
    for tensor in tensors:
        dist.broadcast(tensor, src=0)
    return [
        tensor.cpu().numpy().astype(array.dtype, copy=False)
        for tensor, array in zip(tensors, arrays, strict=True)
    ]


def _reduce(array, operation, dtype):
    array = np.asarray(array, dtype=dtype)
    if not is_distributed():
        return array
    import torch.distributed as dist

    tensor = _on_device(array)
    dist.all_reduce(tensor, op=getattr(dist.ReduceOp, operation))
    return tensor.cpu().numpy()


def _on_device(array):
    """Return a tensor where the group's backend can reach it."""
    import torch
    import torch.distributed as dist

    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    return torch.tensor(np.asarray(array), device=device)
