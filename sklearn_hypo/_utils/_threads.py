"""How many threads compute."""

from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def limit_to_one_thread():
    """Compute on one thread.

    Small matrices do not gain from more, threads that wait for each other on a busy
    machine slow them down tenfold, and other numbers of threads round otherwise.
    """
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(n_threads)
