"""Batches that do not fit into the memory of a device: computed in halves."""

import sys

from ._warnings import warn


def is_out_of_memory(error):
    """Tell whether an error says that there is too little memory for a tensor.

    Parameters
    ----------
    error : Exception
        CUDA has a type of its own; Apple's GPU and the CPU raise a RuntimeError.
    """
    torch = sys.modules.get("torch")
    kind = getattr(torch, "OutOfMemoryError", None)  # that of torch.cuda, too
    if isinstance(error, MemoryError) or (kind and isinstance(error, kind)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in said or "not enough memory" in said
    )


class FittingBatches:
    """Computes batches in halves, quarters, ... where a whole one finds no memory.

    Parameters
    ----------
    what : str
        What computes, for messages.
    unit : str
        What a batch consists of, such as "texts".
    advice : str
        What to do where even one finds no memory, as a sentence.
    error_type : type of Exception, default=MemoryError
        Raised then.
    """

    def __init__(self, what, unit, advice, error_type=MemoryError):
        self._what, self._unit, self._advice = what, unit, advice
        self._error_type = error_type
        self._n_halvings = 0  # that the next batch begins with: batches are alike

    def compute(self, function, n):
        """Compute a batch.

        Parameters
        ----------
        function : callable
            Takes a slice of the batch and returns its result. Called again for the
            halves of a slice that was too much.
        n : int
            Size of the batch.

        Returns
        -------
        results : list
            Of the parts, in order; a single one if all went well.
        """
        results, start = [], 0
        while start < n:
            size = min(max(1, n >> self._n_halvings), n - start)
            try:
                results.append(function(slice(start, start + size)))
                start += size
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise self._error_type(
                        f"{self._what}: there is too little memory, even for "
                        f"batch_size=1. {self._advice}"
                    ) from error
            # from here on the error, and what its frames hold, is gone
            _release_memory()
            self._halve(size)
        return results

    def _halve(self, size):
        if self._n_halvings == 0:
            warn(
                f"{self._what}: there is too little memory for {size:,} {self._unit} "
                f"at a time, so batches are halved. Set batch_size={max(1, size // 2)} "
                "to begin with what fits."
            )
        self._n_halvings += 1


def _release_memory():
    """Give back what torch keeps of a device, for the next try."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
