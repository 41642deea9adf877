"""How training goes: every setting that may be "auto", settled for the data."""

from itertools import pairwise
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np


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
    engine : {"dense", "sparse"}
        How products with the activations are computed.
    max_time : float or None
        Seconds after which training ends.
    n_tied : int
        So many of the first neurons have an encoder row that is their decoder row,
        scaled.
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
    engine: str = "dense"
    max_time: float | None = None
    n_tied: int = 0

    @property
    def n_neurons(self):
        return self.prefixes[-1]


def choose_size(n_rows, n_neurons="auto", k="auto"):
    """Settle the number of neurons and of active ones per row, for so many rows.

    Each is kept where it is a number; `n_neurons` is chosen to have room for such a k.
    """
    if n_neurons == "auto":
        # four times as many for ten times the rows, as a power of two, with 256 for
        # 16,000; not below 128, which fewer rows do not need, unless they are very few
        exponent = np.round(8 + 2 * np.log10(max(n_rows, 1) / 16_000))
        most = max(2, np.floor(np.log2(max(n_rows, 1) / 1.5)))
        n_neurons = int(2 ** min(np.clip(exponent, 7, 12), most))
        n_neurons = n_neurons if k == "auto" else max(n_neurons, k)
    if k == "auto":
        k = min(n_neurons, 4 if n_neurons < 64 else 8)
    return n_neurons, k


def choose_alpha(n_labelled):
    """Settle the weight of a target, for so many rows that have one.

    With few, the target has to say what to look for; with many, neurons find ever more
    of it, and mix concepts that move it alike.
    """
    return float(np.clip(np.sqrt(200 / max(n_labelled, 1)), 0.3, 1.0))


def make_plan(
    n_rows,
    prefixes,
    device="cpu",
    *,
    k,
    sparsity,
    engine,
    max_epochs,
    max_time,
    batch_size,
    learning_rate,
    n_iter_no_change,
    aux_k,
    aux_coefficient,
):
    """Settle every "auto" for so many training rows.

    Of several processes, the rows are those of the one that has most. `prefixes` comes
    from `resolve_prefixes`, `device` is a torch device; the others are parameters of
    the estimators, by the same names.
    """
    n_neurons = prefixes[-1]
    if batch_size == "auto":
        batch_size = choose_batch_size(n_rows, n_neurons)
    batch_size = min(batch_size, n_rows)
    if max_epochs == "auto":
        max_epochs = choose_epochs(n_rows, batch_size)
    if learning_rate == "auto":
        learning_rate = 6e-4 * np.sqrt(2**14 / n_neurons)
    return Plan(
        k=k,
        sparsity=sparsity,
        prefixes=prefixes,
        max_epochs=max_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=n_iter_no_change,
        aux_k=2 * k if aux_k is None else aux_k,
        aux_coefficient=aux_coefficient,
        dead_after=min(n_rows, 250_000),
        engine=resolve_engine(engine, n_neurons, k, device),
        max_time=max_time,
    )


def choose_batch_size(n_rows, n_neurons):
    """Return a power of two from 64 to 512, about a fiftieth of the rows."""
    if n_neurons > 4096:
        return 2048
    return int(2 ** np.clip(np.floor(np.log2(max(1, n_rows / 48))), 6, 9))


def choose_epochs(n_rows, batch_size):
    """Return enough epochs for about 576 steps, from 5 to 100."""
    steps_per_epoch = -(-n_rows // batch_size)
    return int(np.clip(-(-576 // steps_per_epoch), 5, 100))


def resolve_engine(engine, n_neurons, k, device):
    """Return "dense" or "sparse".

    Sparse products win from about 8 neurons per active one on, on the CPU; a GPU is
    made for dense ones.
    """
    if device.split(":")[0] != "cpu":
        if engine == "sparse":
            raise ValueError(
                f"engine='sparse' runs on the CPU, but device={device!r}. Use "
                "engine='auto'."
            )
        return "dense"
    if engine == "auto":
        return "sparse" if n_neurons >= 8 * k else "dense"
    return engine


def resolve_prefixes(prefix_lengths, n_neurons):
    """Return the Matryoshka prefixes as increasing integers that end in `n_neurons`.

    They come as integers or as fractions of `n_neurons` (all of them floats); None is
    one level. Raise a ValueError if they do not increase, do not end in `n_neurons`,
    or are not positive.
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


def find_last_length(prefix_lengths):
    """Return the number of neurons that integer prefixes end in; None for others."""
    if prefix_lengths is None or isinstance(prefix_lengths, str):
        return None
    given = list(prefix_lengths)
    whole = given and all(isinstance(p, Integral) for p in given)
    return int(given[-1]) if whole else None


def _increases(values):
    return all(b > a for a, b in pairwise(values))
