"""What the joint regression holds beside the hypotheses."""

from dataclasses import dataclass

import numpy as np

from .._utils._covariates import without_level_means
from .._utils._validation import encode_one_hot

# Relative length below which what remains of a column, after the earlier columns
# are projected out, is rounding error.
_RANK_TOLERANCE = 1e-8

# More levels than this are absorbed, not written out as columns.
MOST_LEVELS = 500


@dataclass(frozen=True)
class DesignMatrix:
    """What the regression holds beside the hypotheses.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Constant, covariates, indicators of levels; linearly independent.
    names : tuple of str
        The covariates among them, which follow the constant.
    has_constant : bool
        Whether the first column is a constant.
    scale : ndarray of shape (n_covariates,)
        What the covariates were divided by.
    levels, weights : ndarray of shape (n_rows,) or None
        Levels to be absorbed, and weights of the rows.
    """

    values: np.ndarray
    names: tuple
    has_constant: bool
    scale: np.ndarray
    levels: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def n_absorbed(self):
        """Number of levels that are absorbed."""
        return 0 if self.levels is None else len(np.unique(self.levels))

    @property
    def n_used(self):
        """Degrees of freedom that it takes."""
        return self.values.shape[1] + self.n_absorbed

    @property
    def explains(self):
        """Whether it holds anything but a constant: covariates or levels."""
        return self.n_used > self.has_constant

    def clear(self, values):
        """Subtract the (weighted) mean of each absorbed level."""
        if self.levels is None:
            return values
        return without_level_means(values, self.levels, self.weights)


def spread(y):
    """Range of y; 0 where it is rounding error."""
    width = np.ptp(y)
    return width if width > 1e-12 * np.abs(y).max() else 0.0


def make_design_matrix(design, n_rows, *, linear, notes):
    """Build constant, covariates and levels, without what is linearly dependent.

    In a linear model, levels that lie within clusters are absorbed: the deviations
    from their means are regressed. Others become columns, of which too many raise a
    ValueError. The covariates that are left out are noted.
    """
    absorbed = linear and _lie_within_clusters(design.levels, design.clusters)
    has_constant = not design.paired and not absorbed
    start = np.ones((n_rows, int(has_constant)))
    covariates, names = design.covariates, design.covariate_names
    if covariates is None:
        covariates = np.empty((n_rows, 0))
    levels = design.levels if absorbed else None
    if absorbed:
        covariates = without_level_means(covariates, levels, design.weights)
    indicators = np.empty((n_rows, 0))
    if design.levels is not None and not absorbed:
        indicators = _encode_levels(design.levels, linear)
    basis = np.column_stack([start, indicators])
    kept = find_independent_columns(covariates, basis)
    dropped = [names[j] for j in range(len(names)) if j not in kept]
    if dropped:
        notes.add_general(
            f"Covariates that are constant, or determined by earlier ones or by the "
            f"fixed effects, were left out: {', '.join(dropped)}."
        )
    covariates, scale = _scale_covariates(covariates[:, kept], center=has_constant)
    values = np.column_stack([start, covariates, indicators])
    names = tuple(names[j] for j in kept)
    return DesignMatrix(values, names, has_constant, scale, levels, design.weights)


def _scale_covariates(covariates, *, center):
    """Covariates of a like size, whatever their units: logits are iterated."""
    mean = covariates.mean(axis=0) if center else 0.0
    scale = np.sqrt(np.mean((covariates - mean) ** 2, axis=0))
    return (covariates - mean) / scale, scale


def _lie_within_clusters(levels, clusters):
    """Tell whether each level belongs to one cluster only."""
    if levels is None or clusters is None:
        return False
    pairs = np.unique(np.column_stack([levels, clusters]), axis=0)
    return len(pairs) == len(np.unique(levels))


def _encode_levels(levels, linear):
    found, codes = np.unique(levels, return_inverse=True)
    if len(found) > MOST_LEVELS:
        remedy = (
            "So many are absorbed where each level lies within one group: pass the "
            "same labels, or coarser ones, as groups."
            if linear
            else "A logit with so many is biased. For two classes, code y as 0 and 1 "
            "and pass task='regression' (a linear probability model), with the same "
            "labels as groups; or compare within pairs."
        )
        raise ValueError(
            f"fixed_effects has {len(found)} levels, more than {MOST_LEVELS}. {remedy}"
        )
    return encode_one_hot(codes, len(found))[:, 1:]


def column_varies(a, paired=False):
    """Tell whether the answers of a column differ; differences within pairs, from 0."""
    answered = a[~np.isnan(a)]
    return answered.size > 0 and bool((np.any if paired else np.ptp)(answered))


def find_first_equal(values):
    """Return the number of the first column that equals each one, gaps included."""
    first = {}
    filled = np.where(np.isnan(values), 9.0, values)
    return np.array(
        [first.setdefault(a.tobytes(), j) for j, a in enumerate(filled.T)], dtype=int
    )


def find_complete_cases(A, columns, paired=False):
    """Find the rows that answer every column, and the columns that vary on them.

    A column that no longer varies is left out first, and its missing answers then
    cost no rows: hence the loop.

    Returns
    -------
    columns : list of int
        Those of the given columns that still vary.
    rows : ndarray of bool of shape (n_rows,)
        The complete cases.
    constant : dict of int to int
        The columns left out, each with the number of rows that it was constant on.
    """
    constant = {}
    while True:
        rows = ~np.isnan(A[:, columns]).any(axis=1)
        flat = [j for j in columns if not column_varies(A[rows, j], paired)]
        if not flat or not rows.any():
            return columns, rows, constant
        constant |= dict.fromkeys(flat, int(rows.sum()))
        columns = [j for j in columns if j not in flat]


def find_independent_columns(values, basis):
    """List the columns that are no combination of the basis and earlier ones."""
    basis = np.linalg.qr(basis)[0] if basis.shape[1] else basis
    kept = []
    for j, column in enumerate(values.T):
        rest = column
        for _ in range(2):  # once more, against rounding error
            rest = rest - basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > _RANK_TOLERANCE * np.linalg.norm(column):
            basis = np.column_stack([basis, rest / length])
            kept.append(j)
    return kept
