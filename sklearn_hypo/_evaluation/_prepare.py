"""What the faces check alike, before anything is annotated or tested."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import pandas as pd
from scipy import sparse

from .._inference._design import Design, make_design
from .._inference._multiple_tests import CORRECTIONS
from .._inference._target_kind import TARGET_KINDS, settle_target_kind
from .._utils._annotation_input import check_target
from .._utils._containers import convert_container, find_column_name
from .._utils._validation import Interval, StrOptions

TEST_CONSTRAINTS = {
    "task": [StrOptions({"auto", "regression", "classification"})],
    "target": [StrOptions({"auto", *TARGET_KINDS})],
    "alpha": [Interval(Real, 0, 1, closed="neither")],
    "correction": [StrOptions(set(CORRECTIONS))],
    "cov_type": [StrOptions({"auto", "HC2", "HC3", "nonrobust"})],
    "n_permutations": [
        Interval(Integral, 19, None, closed="left"),
        StrOptions({"auto"}),
    ],
    "n_resamples": [Interval(Integral, 0, None, closed="left")],
    "ngrams": ["boolean"],
    "notes": ["array-like"],
    "near_duplicates": [StrOptions({"auto", "group", "ignore"})],
    "random_state": [Interval(Integral, 0, None, closed="left")],
}


# What an array would not hold: types of columns, the order of categories
_AS_GIVEN = ("covariates", "moderator")


@dataclass(frozen=True)
class Rows:
    """The rows of a test but for their annotations, checked.

    Parameters
    ----------
    target : ndarray of shape (n_rows,)
        As it was given; a copy, so that what was tested stays what it was.
    beside : dict
        "sample_weight", "groups", "covariates", "fixed_effects", "pairs" and
        "moderator", as given; copies.
    codes : ndarray of shape (n_rows,)
        The target as numbers; codes of `classes`.
    classes : ndarray or None
        None for a quantity.
    design : Design
        `beside`, coded.
    embeddings : ndarray of shape (n_rows, n_features), "auto" or None
        What a dense model predicts from.
    target_name : str or None
        Of a Series.
    target_kind : str or None
        What kind of numbers the target is; None for classes.
    moderator_name : str or None
        Of a Series.
    """

    target: np.ndarray
    beside: dict
    codes: np.ndarray
    classes: np.ndarray | None
    design: Design
    embeddings: object = None
    target_name: str | None = None
    target_kind: str | None = None
    moderator_name: str | None = None


def prepare_rows(
    y,
    beside,
    aligned,
    *,
    task,
    target="auto",
    classes=None,
    embeddings=None,
    caller,
):
    """Check a target and all that has to fit it, row by row, and return `Rows`.

    `aligned` is what else has a row per value of y, by name; task, classes and caller
    are those of `check_target`, target is the kind of numbers, as in
    `evaluate_annotations`.
    """
    target_name = find_column_name(y)
    moderator = beside.get("moderator")
    y = convert_container(y)
    beside = {name: convert_container(value) for name, value in beside.items()}
    if task == "auto" and target != "auto":
        task = "regression"
    _, codes, classes = check_target(y, task, classes, caller=caller)
    kind = settle_target_kind(codes, classes, target, caller=caller)
    for name, other in aligned.items():
        _check_length(name, other, len(codes), caller)
    design = make_design(len(codes), **beside, caller=caller)
    _check_order(y, beside | aligned, caller)
    embeddings = _check_embeddings(embeddings, len(codes), caller)
    values = np.array(y).reshape(len(codes))
    kept = {
        name: value if value is None or name in _AS_GIVEN else np.array(value)
        for name, value in beside.items()
    }
    return Rows(
        values,
        kept,
        codes,
        classes,
        design,
        embeddings,
        target_name,
        kind,
        find_column_name(moderator),
    )


def _check_length(name, other, n_rows, caller):
    is_table = hasattr(other, "__len__") and not isinstance(other, str)
    if is_table and not sparse.issparse(other) and len(other) != n_rows:
        raise ValueError(
            f"{caller}: {name} and y differ in length ({len(other)} and {n_rows}). "
            f"There must be one target value per row of {name}."
        )


def _check_embeddings(embeddings, n_rows, caller):
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


def _check_order(y, others, caller):
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
