"""What the workers of a cluster are asked to do; they import this module."""

import os
import socket
import threading

import numpy as np
import pytest

from sklearn_hypo import SparseAutoencoderTransformer
from sklearn_hypo._utils._threads import (
    count_threads_to_start,
    limit_to_one_thread,
    share_out,
)


def look_around(n_threads=None):
    """What a task sees of its process, and how many threads it would compute with.

    With `n_threads`, in a process that has so many and was told no share of the cores.
    """
    import torch

    threads, barrier = set(), threading.Event()

    def compute(part):
        threads.add(threading.get_ident())
        barrier.wait(0.01)

    had = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        if n_threads is not None:
            torch.set_num_threads(n_threads)
            patch.delenv("OMP_NUM_THREADS", raising=False)
        told = os.environ.get("OMP_NUM_THREADS")
        with limit_to_one_thread(with_torch=True):
            share_out(compute, 8)
        started = count_threads_to_start()
    torch.set_num_threads(had)
    return {
        "process": os.getpid(),
        "told": told,
        "started": started,
        "helped": len(threads),
    }


ROWS = np.random.default_rng(0)
ROWS = (ROWS.random((600, 12)) < 0.15) @ ROWS.standard_normal((12, 20))


def make_sae():
    return SparseAutoencoderTransformer(16, 2, max_epochs=20, random_state=0)


def find_meeting(host):
    """Return an address of this machine at which ranks can meet."""
    with socket.create_server((host, 0)) as server:
        return f"tcp://{host}:{server.getsockname()[1]}"


def find_meeting_at_worker():
    from dask.distributed import get_worker

    return find_meeting(get_worker().address.rpartition("/")[2].partition(":")[0])


def train_part(rank, meeting):
    """Train with another process; return who did it, and what was learnt."""
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    try:
        return os.getpid(), make_sae().fit(ROWS[rank::2])
    finally:
        dist.destroy_process_group()
