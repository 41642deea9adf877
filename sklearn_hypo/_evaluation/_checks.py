"""What the two evaluations check alike, before anything is annotated."""

from numbers import Integral, Real

import numpy as np
import pandas as pd

from .._inference._multiple_tests import CORRECTIONS
from .._utils._validation import Interval, StrOptions

TEST_CONSTRAINTS = {
    "task": [StrOptions({"auto", "regression", "classification"})],
    "alpha": [Interval(Real, 0, 1, closed="neither")],
    "correction": [StrOptions(set(CORRECTIONS))],
    "cov_type": [StrOptions({"auto", "HC2", "HC3", "nonrobust"})],
    "n_resamples": [Interval(Integral, 0, None, closed="left")],
    "random_state": [Interval(Integral, 0, None, closed="left")],
}


def check_embeddings(embeddings, n_rows, caller):
    """Return embeddings as an array, after a look at their shape and values."""
    if embeddings is None or isinstance(embeddings, str):
        return embeddings
    array = np.asarray(embeddings)
    if array.ndim != 2 or len(array) != n_rows or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{caller}: embeddings must be numbers of shape ({n_rows}, n_features), "
            f"but {array.dtype} of shape {array.shape} arrived."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{caller}: embeddings holds missing or infinite values.")
    return array


def check_order(y, others, caller):
    """Raise where pandas inputs hold the same labels in another order."""
    own = getattr(y, "index", None)
    for name, other in others.items():
        index = getattr(other, "index", None)
        if not (isinstance(own, pd.Index) and isinstance(index, pd.Index)):
            continue
        if len(own) != len(index) or own.equals(index):
            continue
        if not own.has_duplicates and own.sort_values().equals(index.sort_values()):
            raise ValueError(
                f"{caller}: the rows of {name} carry y's labels in another order. "
                f"Rows are taken by position: align them first, as in "
                f"{name}.loc[y.index]."
            )
