"""Separations of classes under permutations of their labels."""

import numpy as np

from ._cluster_classes import (
    find_cluster_classes,
    flip_clusters,
    permute_clusters,
    separation_weights,
    sum_by_cluster,
)
from ._independence import (
    binomial_log_p_values,
    fisher_log_p_values,
    make_pearson_tail,
)
from ._normal_family import draw_estimates
from ._step_down import NullDistribution

# Rows times draws that are held in memory at once
_MOST_CELLS = 2_000_000


def permute_classes(A, codes, n_classes, design, rng, p=None):
    """Null distribution of the separations of classes, all hypotheses at once.

    For independent rows of equal weight the statistic is minus the log of an exact
    p-value: Fisher's for two classes, that of `independence` for more, and for pairs,
    whose winners are drawn anew, that of the binomial test. Under permutations it is
    looked up by the counts of a table. Where each cluster has one class, clusters
    exchange their classes (`permute_clusters`); of clusters of pairs the winners
    change together (`flip_clusters`). Else p-values are those given, and their
    dependence is that of the scores of the rows or clusters.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN; of pairs the differences.
    codes : ndarray of shape (n_rows,)
        Classes from 0 on; of pairs -1 or 1.
    n_classes : int
        Number of classes, present or not.
    design : Design
        Of these rows.
    rng : Generator
        What draws.
    p : ndarray of shape (n_hypotheses,) or None, default=None
        p-values of the separations, for weights and for clusters of several classes.

    Returns
    -------
    null : NullDistribution or None
        NaN for columns that do not vary. None where nothing can be permuted, and no p
        is given.

    Notes
    -----
    Rows without an answer to a hypothesis are permuted as all others, so that the
    classes of those that answer it vary: their p-value is that of their own table
    for two classes; for more, the distribution is that of the observed table.
    """
    if design.is_robust:
        return _draw_dependent(A, codes, n_classes, design, rng, p)
    if design.paired:
        return _flip_winners(A, codes, rng)
    tests = [_make_test(a, codes, n_classes) for a in A.T]
    observed = np.array([test.observed for test in tests])
    log_p = np.array([test.log_p for test in tests])
    holds = np.nan_to_num(A).T.astype(np.float32)
    answered = (~np.isnan(A)).T.astype(np.float32)
    asked = np.flatnonzero((answered == 0).any(axis=1))

    def draw(n):
        found = np.zeros((len(tests), n))
        for part in _blocks(n, len(codes)):
            drawn = _permute(codes, part.stop - part.start, rng)
            counts = _count(holds, drawn, n_classes)
            sizes = dict(
                zip(asked, _count(answered[asked], drawn, n_classes), strict=True)
            )
            for j, test in enumerate(tests):
                found[j, part] = test.score(counts[j], sizes.get(j))
        return found

    return NullDistribution(observed, draw, np.exp(log_p), True, _level)


def _level(statistic):
    """p-value that a statistic stands for."""
    return np.exp(-statistic)


def _blocks(n, n_rows):
    """Cut n draws into slices that fit into memory."""
    size = max(1, _MOST_CELLS // n_rows)
    return [slice(i, min(i + size, n)) for i in range(0, n, size)]


def _permute(codes, n, rng):
    """Permutations of the classes, by column."""
    return rng.permuted(np.tile(codes.astype(np.int16), (n, 1)), axis=1).T


def _count(rows, drawn, n_classes):
    """Rows of each class, of shape (n_sets, n_classes, n_draws).

    Of two classes the second is counted only: the first is what is left.
    """
    classes = [1] if n_classes == 2 else range(n_classes)
    counts = [rows @ (drawn == c).astype(np.float32) for c in classes]
    return np.stack(counts, axis=1).astype(np.intp)


def _make_test(a, codes, n_classes):
    """The test of one column."""
    known = ~np.isnan(a)
    holds, own = a[known] == 1, codes[known].astype(int)
    table = np.stack(
        [np.bincount(own[side], minlength=n_classes) for side in (holds, ~holds)]
    )
    if (table.sum(axis=0) > 0).sum() < 2 or not table.sum(axis=1).all():
        return _NoTest()
    return _FisherTest(table) if n_classes == 2 else _PearsonTest(table)


class _NoTest:
    """Of a column or of classes that do not vary."""

    observed = log_p = np.nan

    def score(self, counts, sizes):
        return 0.0


class _FisherTest:
    """Fisher's exact test; tables of its p-values by the size of the second class."""

    def __init__(self, table):
        self.n, self.n_holds = int(table.sum()), int(table[0].sum())
        self.n_class = int(table[:, 1].sum())
        self._scores = {}
        self.observed = float(self._find_scores(self.n_class)[table[0, 1]])
        self.log_p = -self.observed

    def _find_scores(self, n_class):
        if n_class not in self._scores:
            found = -fisher_log_p_values(self.n_holds, n_class, self.n)
            self._scores[n_class] = found
        return self._scores[n_class]

    def score(self, counts, sizes):
        if sizes is None:
            return self._find_scores(self.n_class)[counts[0]]
        found = np.empty(len(counts[0]))
        for n_class in np.unique(sizes[0]):
            there = sizes[0] == n_class
            found[there] = self._find_scores(n_class)[counts[0, there]]
        return found


class _PearsonTest:
    """Pearson's test of more than two classes."""

    def __init__(self, table):
        self._tail = make_pearson_tail(*table)
        self.log_p = float(np.log(self._tail.p_value(table[0])))
        self.observed = float(self.score(table[0][:, None], None)[0])

    def score(self, counts, sizes):
        return -self._tail.log_p_values(self._tail.statistic(counts, sizes))


def _flip_winners(D, gains, rng):
    """Let a coin decide who won, the same for all hypotheses."""
    known = np.nan_to_num(D).T.astype(np.float32)
    n_differ = (known != 0).sum(axis=1)
    tables = [-binomial_log_p_values(n) for n in n_differ]

    def score(signs):
        wins = np.rint((n_differ[:, None] + known @ signs) / 2).astype(int)
        return np.array([table[w] for table, w in zip(tables, wins, strict=True)])

    observed = score(np.asarray(gains, dtype=np.float32)[:, None])[:, 0]
    observed = np.where(n_differ > 0, observed, np.nan)

    def draw(n):
        found = [
            score(2 * rng.integers(2, size=(len(D), part.stop - part.start)) - 1.0)
            for part in _blocks(n, len(D))
        ]
        return np.concatenate(found, axis=1)

    return NullDistribution(observed, draw, np.exp(-observed), True, _level)


def _draw_dependent(A, codes, n_classes, design, rng, p):
    """As `permute_classes`, for rows with weights or clusters."""
    weights = np.ones(len(A)) if design.weights is None else design.weights
    clusters = np.arange(len(A)) if design.clusters is None else design.clusters
    if design.paired:
        gains = np.nan_to_num(A) * (codes * weights)[:, None]
        return flip_clusters(sum_by_cluster(gains, clusters), rng)
    shares = separation_weights(A, weights)
    own = find_cluster_classes(codes, clusters)
    if design.clusters is not None and own is not None:
        return permute_clusters(sum_by_cluster(shares, clusters), own, rng)
    if p is None:
        return None
    scores = [
        sum_by_cluster(shares * ((codes == c) - share)[:, None], clusters)
        for c, share in enumerate(np.bincount(codes.astype(int)) / len(codes))
        if 0 < share < 1
    ][1:]
    scores = np.stack(scores, axis=2)
    covariance = np.einsum("gjc,gid->jcid", scores, scores)
    return draw_estimates(np.asarray(p, dtype=float), covariance, rng)
