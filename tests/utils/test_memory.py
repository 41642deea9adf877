"""Batches that find no memory, by devices that only say so."""

import warnings

import numpy as np
import pytest
import torch

from sklearn_hypo._utils._memory import FittingBatches, is_out_of_memory
from sklearn_hypo.exceptions import HypothesisWarning

ERRORS = {
    "cuda": torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: not enough memory: "
        "you tried to allocate 80 bytes."
    ),
    "numpy": MemoryError("Unable to allocate 8.00 TiB"),
}


class Device:
    """Computes so many at a time, and counts the tries."""

    def __init__(self, room, error=ERRORS["cuda"]):
        self.room, self.error, self.tries = room, error, []

    def double(self, values):
        def compute(part):
            self.tries.append(len(values[part]))
            if self.tries[-1] > self.room:
                raise self.error
            return 2 * values[part]

        return compute


def make_batches(**options):
    return FittingBatches(
        "model='m' on device='cuda'", "texts", "Take less.", **options
    )


@pytest.mark.parametrize("kind", ERRORS)
def test_halves_until_it_fits(kind):
    device, values, batches = Device(3, ERRORS[kind]), np.arange(16), make_batches()
    with pytest.warns(HypothesisWarning, match="for 16 texts at a time") as caught:
        parts = batches.compute(device.double(values), 16)
    np.testing.assert_array_equal(np.concatenate(parts), 2 * values)
    assert device.tries == [16, 8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    assert "Set batch_size=8" in str(caught[0].message)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once said, and what fits is remembered
        batches.compute(device.double(values), 16)
        assert device.tries[11:] == [2] * 8


def test_what_fits_is_one_batch():
    device, batches = Device(100), make_batches()
    (part,) = batches.compute(device.double(np.arange(7)), 7)
    assert part.tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert batches.compute(device.double(np.arange(0)), 0) == []


def test_batches_that_do_not_divide():
    values = np.arange(11)
    with pytest.warns(HypothesisWarning):
        parts = make_batches().compute(Device(4).double(values), 11)
    assert np.concatenate(parts).tolist() == (2 * values).tolist()


@pytest.mark.parametrize("kind", [MemoryError, ValueError])
def test_not_even_one(kind):
    batches = make_batches(error_type=kind)
    with (
        pytest.warns(HypothesisWarning),
        pytest.raises(kind, match=r"device='cuda'.*batch_size=1. Take less.") as caught,
    ):
        batches.compute(Device(0).double(np.arange(4)), 4)
    assert isinstance(caught.value.__cause__, torch.cuda.OutOfMemoryError)


@pytest.mark.parametrize("error", [RuntimeError("CUDA error"), ValueError("memory")])
def test_other_errors_are_what_they_are(error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error), match=str(error)):
        make_batches().compute(Device(0, error).double(np.arange(4)), 4)
