"""Activations and targets drawn at random, in every container they may come in."""

import numpy as np
from scipy import sparse

CONTAINERS = {
    "dense": np.asarray,
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr_matrix": sparse.csr_matrix,
}


def activations(n_rows=300, n_neurons=12, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    A = np.maximum(rng.standard_normal((n_rows, n_neurons)) - 1, 0)
    return A.astype(dtype)


def target(n_rows=300, seed=1):
    return np.random.default_rng(seed).standard_normal((n_rows, 1))
