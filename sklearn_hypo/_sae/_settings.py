"""Turning the parameters a user gave, "auto" among them, into a training plan."""

from itertools import pairwise
from numbers import Integral, Real

import numpy as np

from ._training import Plan


def resolve_prefixes(prefix_lengths, n_neurons):
    """Return the prefixes as increasing integers that end in `n_neurons`.

    Parameters
    ----------
    prefix_lengths : sequence of int or float, or None
        Lengths, or fractions of `n_neurons` (all of them floats).
    n_neurons : int
        Number of neurons.

    Returns
    -------
    prefixes : tuple of int
        The lengths.

    Raises
    ------
    ValueError
        If they do not increase, do not end in `n_neurons`, or are not positive.
    """
    if prefix_lengths is None:
        return (int(n_neurons),)
    given = list(prefix_lengths)
    if given and all(isinstance(p, Integral) for p in given):
        lengths = [int(p) for p in given]
    elif given and all(isinstance(p, Real) for p in given):
        # a fraction too small for so few neurons falls away: a grid stays valid
        valid = all(0 < p <= 1 for p in given) and _increases(given)
        lengths = [max(1, round(float(p) * n_neurons)) for p in given if valid]
        lengths = list(dict.fromkeys(lengths))
    else:
        lengths = []
    fits = lengths and lengths[0] >= 1 and lengths[-1] == n_neurons
    if not fits or not _increases(lengths):
        raise ValueError(
            "prefix_lengths must increase and end in n_neurons, as integers or as "
            f"fractions of n_neurons that end in 1.0, but prefix_lengths="
            f"{prefix_lengths!r} arrived with n_neurons={n_neurons}. Fractions such "
            "as (0.125, 1.0) stay valid when a grid search changes n_neurons."
        )
    return tuple(lengths)


def _increases(values):
    return all(b > a for a, b in pairwise(values))


def make_plan(sae, n_rows, prefixes, device="cpu"):
    """Settle every "auto" for the number of rows.

    Parameters
    ----------
    sae : SparseAutoencoderTransformer
        Its parameters are read.
    n_rows : int
        Training rows; of the process that has most, where there are several.
    prefixes : tuple of int
        From `resolve_prefixes`.
    device : str, default="cpu"
        The torch device of the training.

    Returns
    -------
    plan : Plan
        The settings of training.
    """
    batch_size = sae.batch_size
    if batch_size == "auto":
        batch_size = auto_batch_size(n_rows, sae.n_neurons)
    batch_size = min(batch_size, n_rows)
    max_epochs = sae.max_epochs
    if max_epochs == "auto":
        max_epochs = auto_epochs(n_rows, batch_size)
    learning_rate = sae.learning_rate
    if learning_rate == "auto":
        learning_rate = 6e-4 * np.sqrt(2**14 / sae.n_neurons)
    return Plan(
        k=sae.k,
        sparsity=sae.sparsity,
        prefixes=prefixes,
        max_epochs=max_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=sae.n_iter_no_change,
        aux_k=2 * sae.k if sae.aux_k is None else sae.aux_k,
        aux_coefficient=sae.aux_coefficient,
        dead_after=min(n_rows, 250_000),
        engine=resolve_engine(sae.engine, sae.n_neurons, sae.k, device),
        max_time=sae.max_time,
    )


def resolve_engine(engine, n_neurons, k, device):
    """Return "dense" or "sparse".

    Sparse products win from about 16 neurons per active one on, on the CPU; with few
    neurons the dense ones are too small to matter, and a GPU is made for them.
    """
    if device.split(":")[0] != "cpu":
        if engine == "sparse":
            raise ValueError(
                f"engine='sparse' runs on the CPU, but device={device!r}. Use "
                "engine='auto'."
            )
        return "dense"
    if engine == "auto":
        return "sparse" if n_neurons > 128 and n_neurons >= 16 * k else "dense"
    return engine


def auto_batch_size(n_rows, n_neurons):
    """Return a power of two from 64 to 512, about a fiftieth of the rows."""
    if n_neurons > 4096:
        return 2048
    return int(2 ** np.clip(np.floor(np.log2(max(1, n_rows / 48))), 6, 9))


def auto_epochs(n_rows, batch_size):
    """Return enough epochs for about 576 steps, from 5 to 100."""
    steps_per_epoch = -(-n_rows // batch_size)
    return int(np.clip(-(-576 // steps_per_epoch), 5, 100))


def resolve_device(device):
    """Return the torch device for "auto", or the one that was asked for.

    Parameters
    ----------
    device : str
        "auto", or any name that torch knows.

    Returns
    -------
    device : str
        A torch device.

    Raises
    ------
    ValueError
        If torch does not know the device or cannot use it here.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used here ({error}). Use 'auto' or 'cpu'."
        ) from error
    return device


def padded_names(prefix, n_names):
    """Return names such as "neuron017" that sort in their order.

    Parameters
    ----------
    prefix : str
        What every name starts with.
    n_names : int
        How many there are.

    Returns
    -------
    names : ndarray of shape (n_names,) and dtype object
        The names, padded with zeros to at least three digits.
    """
    width = max(3, len(str(n_names - 1)))
    return np.array([f"{prefix}{i:0{width}d}" for i in range(n_names)], dtype=object)
