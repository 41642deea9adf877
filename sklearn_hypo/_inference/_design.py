"""What may accompany the rows of a test: weights, clusters, covariates, pairs."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .._utils._containers import convert_container
from .._utils._covariates import check_column, check_labels, code_covariates
from .._utils._printable import pluralize, quote_value

_MOST_LEVELS = 20  # of a moderator, each with an estimate of its own


@dataclass(frozen=True)
class Design:
    """What is known of the rows beside annotations and target, coded.

    Parameters
    ----------
    weights : ndarray of float of shape (n_rows,) or None, default=None
        Positive, of mean 1.
    clusters : ndarray of int of shape (n_rows,) or None, default=None
        Cluster of each row, from 0 on.
    covariates : ndarray of float of shape (n_rows, n_columns) or None, default=None
        Numbers; categories as indicators without the first.
    covariate_names : tuple of str, default=()
        One per column.
    levels : ndarray of int of shape (n_rows,) or None, default=None
        Level of the fixed effect, from 0 on.
    pairs : ndarray of int of shape (n_rows,) or None, default=None
        Number of the pair, from 0 on.
    paired : bool, default=False
        Whether rows are differences within pairs: their sign means nothing, so that
        models have no constant, and variation is that about zero.
    moderator : ndarray of int of shape (n_rows,) or None, default=None
        Level of the moderator, from 0 on.
    moderator_labels : tuple of str, default=()
        Its levels, in order.
    """

    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    covariates: np.ndarray | None = None
    covariate_names: tuple = ()
    levels: np.ndarray | None = None
    pairs: np.ndarray | None = None
    paired: bool = False
    moderator: np.ndarray | None = None
    moderator_labels: tuple = ()

    def take(self, rows):
        """Return the design of some rows."""
        by_row = {
            name: values[rows]
            for name, values in vars(self).items()
            if isinstance(values, np.ndarray)
        }
        return replace(self, **by_row)

    def differences(self, values):
        """Subtract each pair's second member from its first; without pairs nothing."""
        if self.pairs is None:
            return values
        first, second = pair_members(self.pairs)
        return values[first] - values[second]

    def of_differences(self):
        """Return the design of the differences: a row per pair, of its mean weight."""
        if self.pairs is None:
            return self
        first, second = pair_members(self.pairs)
        by_pair = self.take(first)
        return replace(
            by_pair,
            weights=None
            if self.weights is None
            else (self.weights[first] + self.weights[second]) / 2,
            covariates=None
            if self.covariates is None
            else self.differences(self.covariates),
            pairs=None,
            paired=True,
        )

    @property
    def is_robust(self):
        """Whether weights or clusters rule out the tests of independent, equal rows."""
        return self.weights is not None or self.clusters is not None


def make_design(
    n_rows,
    *,
    sample_weight=None,
    groups=None,
    covariates=None,
    fixed_effects=None,
    pairs=None,
    moderator=None,
    caller,
):
    """Check what accompanies the rows, and code it.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Positive weights.
    groups, fixed_effects, pairs : array-like of shape (n_rows,) or None, default=None
        Labels of any kind.
    covariates : DataFrame, Series or array-like of shape (n_rows, n_columns), or None
        Numbers, booleans and categories.
    moderator : array-like of shape (n_rows,) or None, default=None
        Labels of 2 to 20 levels, the same for both members of a pair.
    caller : str
        For messages.

    Returns
    -------
    design : Design
        The same, coded.

    Raises
    ------
    ValueError
        For other lengths, missing values, weights that are not positive, a single
        group, pairs that are not two rows, pairs beside fixed effects, and a moderator
        of one level, of too many, or that differs within pairs.
    """
    sample_weight, groups, covariates, fixed_effects, pairs, moderator = map(
        convert_container,
        (sample_weight, groups, covariates, fixed_effects, pairs, moderator),
    )
    clusters = check_labels(groups, n_rows, "groups", caller)
    if clusters is not None and clusters.max() == 0:
        raise ValueError(
            f"{caller}: groups holds a single group. At least two are needed to learn "
            "from how they differ; many more for p-values that mean something."
        )
    levels = check_labels(fixed_effects, n_rows, "fixed_effects", caller)
    codes = check_labels(pairs, n_rows, "pairs", caller)
    if codes is not None:
        _check_pairs(codes, pairs, clusters, caller)
        if levels is not None:
            raise ValueError(
                f"{caller}: fixed_effects arrived beside pairs. Differences within a "
                "pair are free of whatever its members share: leave fixed_effects out."
            )
    values, names = code_covariates(covariates, n_rows, caller)
    moderator, labels = _check_moderator(moderator, n_rows, codes, caller)
    return Design(
        weights=_weights(sample_weight, n_rows, caller),
        clusters=clusters,
        covariates=values,
        covariate_names=names,
        levels=levels,
        pairs=codes,
        moderator=moderator,
        moderator_labels=labels,
    )


def _weights(values, n_rows, caller):
    if values is None:
        return None
    array = check_column(values, n_rows, "sample_weight", caller)
    try:
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{caller}: sample_weight must hold numbers, not {array[0]!r}."
        ) from error
    bad = int((~(array > 0) | ~np.isfinite(array)).sum())
    if bad:
        raise ValueError(
            f"{caller}: {bad} of {n_rows} weights are zero, negative or infinite. "
            "Drop rows that shall not count."
        )
    return array / array.mean()


def _check_pairs(codes, pairs, clusters, caller):
    counts = np.bincount(codes)
    odd = np.flatnonzero(counts != 2)
    if len(odd):
        labels = pd.unique(np.asarray(pairs, dtype=object).ravel())[odd[:5]].tolist()
        raise ValueError(
            f"{caller}: {len(odd)} of {len(counts)} pairs do not have exactly two "
            f"rows, such as {labels}. Both members of a pair must be rows; split data "
            "with GroupKFold or GroupShuffleSplit and groups=pairs to keep them "
            "together."
        )
    if clusters is not None:
        first, second = pair_members(codes)
        torn = int((clusters[first] != clusters[second]).sum())
        if torn:
            raise ValueError(
                f"{caller}: the members of {torn} pairs are in different groups. A "
                "group must hold whole pairs."
            )


def pair_members(codes):
    """Return the row numbers of the first and of the second member of each pair."""
    order = np.argsort(codes, kind="stable")
    return order[::2], order[1::2]


def _check_moderator(values, n_rows, pairs, caller):
    """Codes and labels of the levels: in the order of categories, else sorted."""
    if values is None:
        return None, ()
    array = check_column(values, n_rows, "moderator", caller)
    codes, labels = pd.factorize(array)
    given = getattr(values, "array", values)
    if isinstance(given, pd.Categorical):
        place = {label: i for i, label in enumerate(given.categories)}
        order = sorted(range(len(labels)), key=lambda i: place[labels[i]])
    else:
        order = _sort_labels(labels)
    codes, labels = np.argsort(order)[codes], [labels[i] for i in order]
    if not 2 <= len(labels) <= _MOST_LEVELS:
        shown = ", ".join(quote_value(label) for label in labels[:3])
        remedy = (
            "There is nothing to compare: leave it out."
            if len(labels) < 2
            else "Each has an estimate of its own: join levels (of numbers pandas.qcut "
            "makes a few), or pass it as covariates, fixed_effects or groups."
        )
        raise ValueError(
            f"{caller}: moderator has {pluralize(len(labels), 'level')}, such as "
            f"{shown}, but 2 to {_MOST_LEVELS} can be compared. {remedy}"
        )
    if pairs is not None:
        first, second = pair_members(pairs)
        torn = int((codes[first] != codes[second]).sum())
        if torn:
            raise ValueError(
                f"{caller}: the members of {torn} pairs have different levels of the "
                "moderator. It must be a property of the pair, such as who judged it."
            )
    named = tuple(map(str, labels))
    return codes, named if len(set(named)) == len(named) else tuple(map(repr, labels))


def _sort_labels(labels):
    """Positions of labels in their order; of different kinds, as they come."""
    try:
        return sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:
        return list(range(len(labels)))
