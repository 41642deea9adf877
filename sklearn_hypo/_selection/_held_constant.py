"""What is held constant in a selection: covariates and levels of the training rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse

from .._utils._containers import convert_container
from .._utils._covariates import check_labels, code_covariates, without_level_means
from .._utils._validation import _safe_indexing

# What remains of a column is rounding where it is so many roundings of its length
_ROUNDING = 100


@dataclass(frozen=True)
class HeldConstant:
    """Covariates and levels, ready to be taken out of columns of the same rows.

    Parameters
    ----------
    covariates : ndarray of shape (n_rows, n_columns)
        Numbers.
    levels : ndarray of int of shape (n_rows,)
        Level of each row; one for all stands for the constant.
    """

    covariates: np.ndarray
    levels: np.ndarray

    @classmethod
    def of(cls, covariates, fixed_effects, rows, n_rows, *, caller):
        """Check and code what is known of some rows; None if that is nothing.

        Parameters
        ----------
        covariates, fixed_effects : array-like or None
            As in `evaluate_hypotheses`, of all rows.
        rows : ndarray of int or bool
            Which of the rows count. The others may have gaps.
        n_rows : int
            How many there are in all.
        caller : str
            For messages.
        """
        given = {"covariates": covariates, "fixed_effects": fixed_effects}
        given = {name: convert_container(values) for name, values in given.items()}
        for name, values in given.items():
            if values is not None:
                given[name] = _take_rows(values, rows, n_rows, name, caller)
        n_kept = len(np.arange(n_rows)[rows])
        values, _ = code_covariates(given["covariates"], n_kept, caller)
        levels = check_labels(given["fixed_effects"], n_kept, "fixed_effects", caller)
        if values is None and levels is None:
            return None
        levels = np.zeros(n_kept, dtype=int) if levels is None else levels
        values = np.empty((n_kept, 0)) if values is None else values
        return cls(values, levels)

    def take(self, rows):
        """Return the same of some of the rows."""
        return HeldConstant(self.covariates[rows], self.levels[rows])

    @cached_property
    def _basis(self):
        """Orthonormal columns that span the covariates, less means of the levels."""
        rest = without_level_means(self.covariates, self.levels)
        rest = _clear_rounding(rest, self.covariates)
        lengths = np.linalg.norm(rest, axis=0)
        rest = rest[:, lengths > 0] / lengths[lengths > 0]  # units mean nothing
        return linalg.orth(rest) if rest.size else rest

    def residuals(self, values, *, block=64):
        """Return what covariates and levels leave of columns, of their float type.

        The residuals of a regression on both, by Frisch and Waugh all that they leave
        to explain. A column that they determine is exactly 0.

        Parameters
        ----------
        values : ndarray or sparse array of shape (n_rows, n_columns)
            The columns.
        block : int, default=64
            Columns that are float64 and dense at one time.
        """
        left = np.empty(values.shape, dtype=values.dtype)
        values = values.tocsc() if sparse.issparse(values) else values
        for start in range(0, values.shape[1], block):
            columns = values[:, start : start + block]
            columns = columns.toarray() if sparse.issparse(columns) else columns
            rest = without_level_means(columns.astype(np.float64), self.levels)
            rest -= self._basis @ (self._basis.T @ rest)
            left[:, start : start + block] = _clear_rounding(rest, columns)
        return left


def _take_rows(values, rows, n_rows, name, caller):
    n_given = len(values) if hasattr(values, "__len__") else 0
    if n_given != n_rows:
        raise ValueError(
            f"{caller}: {name} has {n_given} rows, but X has {n_rows}. There must be "
            f"one row of {name} per row of X, for those of the training alone."
        )
    return _safe_indexing(values, rows)


def _clear_rounding(rest, columns):
    """Set to 0 the columns of which no more than rounding remains."""
    limit = _ROUNDING * np.finfo(columns.dtype).eps
    lengths = np.linalg.norm(columns.astype(np.float64), axis=0)
    gone = np.linalg.norm(rest, axis=0) <= limit * lengths
    return np.where(gone, 0.0, rest)
