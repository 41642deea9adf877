"""Classes of whole clusters: what clusters contribute, permuted or flipped."""

import numpy as np
from scipy import special

from ._design_matrix import find_independent_columns
from ._normal_family import to_normal_score
from ._permutations import JointModel
from ._step_down import NullDistribution
from ._studentized import Studentizer

# Clusters times draws that are held in memory at once
_MOST_CELLS = 2_000_000


def find_cluster_classes(codes, clusters):
    """The class of each cluster, where every one has a single class; else None."""
    first, number = np.unique(clusters, return_index=True, return_inverse=True)[1:]
    own = codes[first]
    return own if (own[number] == codes).all() else None


def sum_by_cluster(values, clusters):
    """Sums of the rows of each cluster, in the order of `find_cluster_classes`."""
    number = np.unique(clusters, return_inverse=True)[1]
    return np.stack([np.bincount(number, column) for column in values.T], axis=1)


def separation_weights(A, weights=None):
    """What each row counts in each separation; 0 without an answer.

    Where rows have an annotation their (weighted) share, else minus it.
    """
    weights = np.ones(len(A)) if weights is None else weights
    holds, lacks = (weights[:, None] * side for side in (A == 1, A == 0))
    totals = [np.maximum(side.sum(axis=0), 1e-300) for side in (holds, lacks)]
    return holds / totals[0] - lacks / totals[1]


def permute_cluster_residuals(X, h, classes, weights, rng):
    r"""Null distribution of the joint coefficients of classes, cluster by cluster.

    A class that its rows share is one observation. So indicators of the classes of
    clusters are regressed on the means of their rows, weighted by their sizes, and
    residuals are permuted as in `permute_joint`: all other coefficients may be what
    they are. With :math:`z_{cj}` the normal score of the studentized coefficient j of
    class c, of share :math:`\pi_c`, the statistic is that of

    .. math:: \sum_c (1 - \pi_c) z_{cj}^2 \approx \chi^2_{k - 1},

    which for two classes is :math:`z_j^2`.

    Parameters
    ----------
    X : ndarray of shape (n_clusters, n_columns)
        Means of the rows of each cluster, the hypotheses first.
    h : int
        Hypotheses.
    classes : ndarray of shape (n_clusters,)
        Of each cluster.
    weights : ndarray of shape (n_clusters,)
        Of each cluster, of mean 1.
    rng : Generator
        Draws.

    Returns
    -------
    null : NullDistribution or None
        Of absolute normal scores. None where there are too few clusters for so many
        columns.
    """
    if len(find_independent_columns(X, X[:, :0])) < X.shape[1] or len(X) <= X.shape[1]:
        return None
    model, studentizer = JointModel(X, h, weights), Studentizer()
    labels, codes = np.unique(classes, return_inverse=True)
    k = len(labels)
    asked = [1] if k == 2 else range(k)
    shares = np.bincount(codes) / len(codes)
    targets = [(codes == c).astype(float) for c in asked]

    def score(by_class):
        fits = [model.fit(block) for block in by_class]
        squares = [studentizer.apply(fit).z ** 2 for fit in fits]
        if k == 2:
            return np.sqrt(squares[0]).T
        total = np.tensordot(1 - shares, squares, axes=1)
        return to_normal_score(special.chdtrc(k - 1, total)).T

    residuals = [model.standardize_residuals(y) for y in targets]
    residuals = [each - each.mean() for each in residuals]

    def draw_some(n_draws):
        order = rng.permuted(np.tile(np.arange(len(X)), (n_draws, 1)), axis=1)
        return score([each[order] for each in residuals])

    observed = score([y[None] for y in targets])[:, 0]
    return NullDistribution(observed, _in_blocks(draw_some, len(X)))


def permute_clusters(contributions, classes, rng):
    r"""Null distribution of class differences, by permuting the classes of clusters.

    With contributions :math:`c_g` that sum to 0 over the G clusters, of which a share
    :math:`\pi` is of a class, the sum over those of the class is divided by the larger
    one of

    .. math:: \pi (1 - \pi) \sum_g c_g^2 \quad\text{and}\quad
              (1 - \pi)^2 \sum_{g \in \text{class}} c_g^2
              + \pi^2 \sum_{g \notin \text{class}} c_g^2

    times :math:`G / (G - 1)`. The squares, times :math:`1 - \pi`, are summed over
    classes. Permutations are exact where clusters are exchangeable; where their
    contributions differ in size with the class, the second variance counts.

    Parameters
    ----------
    contributions : ndarray of shape (n_clusters, n_hypotheses)
        Of the rows of each cluster to the difference.
    classes : ndarray of shape (n_clusters,)
        Of each cluster.
    rng : Generator
        Draws.

    Returns
    -------
    null : NullDistribution
        Of absolute normal scores; NaN where nothing is contributed.

    References
    ----------
    .. [1] E. Chung, J. P. Romano (2013). "Exact and asymptotically robust permutation
       tests". Annals of Statistics 41.
    """
    labels, codes = np.unique(classes, return_inverse=True)
    n, k = len(codes), len(labels)
    shares = np.bincount(codes, minlength=k) / n
    squares = contributions**2
    total = squares.sum(axis=0)
    varies = (total > 1e-20) & (k > 1)

    def score(drawn):
        found = np.zeros((len(drawn), contributions.shape[1]))
        for c in range(1 if k == 2 else 0, k):
            there, share = (drawn == c).astype(float), shares[c]
            inside = there @ squares
            variance = (1 - 2 * share) * inside + share**2 * total
            variance = np.maximum(variance, share * (1 - share) * total) * n / (n - 1)
            squared = (there @ contributions) ** 2
            np.divide(squared, variance, out=squared, where=variance > 0)
            found += squared if k == 2 else (1 - share) * squared
        if k <= 2:
            return np.sqrt(found).T
        return to_normal_score(special.chdtrc(k - 1, found)).T

    def draw_some(n_draws):
        return score(rng.permuted(np.tile(codes, (n_draws, 1)), axis=1))

    observed = np.where(varies, score(codes[None])[:, 0], np.nan)
    return NullDistribution(observed, _in_blocks(draw_some, n))


def flip_clusters(contributions, rng):
    """Null distribution of sums, by changing the signs of what clusters contribute.

    Of absolute sums over the root of their squares, which no sign changes.
    """
    size = np.sqrt((contributions**2).sum(axis=0))
    scaled = contributions / np.where(size > 0, size, 1.0)

    def draw_some(n_draws):
        signs = 2.0 * rng.integers(2, size=(n_draws, len(scaled))) - 1
        return np.abs(signs @ scaled).T

    observed = np.where(size > 0, np.abs(scaled.sum(axis=0)), np.nan)
    return NullDistribution(observed, _in_blocks(draw_some, len(scaled)))


def _in_blocks(draw_some, n_clusters):
    step = max(1, _MOST_CELLS // n_clusters)

    def draw(n):
        parts = [draw_some(min(step, n - start)) for start in range(0, n, step)]
        return np.concatenate(parts, axis=1)

    return draw
