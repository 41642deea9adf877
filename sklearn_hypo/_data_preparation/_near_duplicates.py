"""Texts that are equal or nearly equal: posted again, or made from one template.

Similar pairs are found in linear time by locality-sensitive hashing: only texts whose
minhash signatures agree somewhere are compared.
"""

from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._utils._normalized_texts import normalize_text
from .._utils._progress import show_progress
from .._utils._validation import Interval, check_texts, validate_params

_LENGTH = 4  # characters of a shingle
_MOST_SHINGLES = 200  # of a text: of longer ones a sample
_N_HASHES = 160  # of a signature
_MISSED = 0.01  # of the pairs that are just similar enough
_BITS = 48  # of the hash of a shingle
_MOST_CHARACTERS = 1_000_000  # hashed at once
_MOST_TEXTS = 2**15  # hashed at once
_MOST_PAIRS = 20_000  # compared at once


@validate_params(
    {"threshold": [Interval(Real, 0, 1, closed="right")]},
    prefer_skip_nested_validation=True,
)
def find_near_duplicates(texts, *, threshold=0.8):
    r"""Group texts that are equal or nearly equal.

    Texts are compared without case, links, @names, "RT @name:" and runs of white
    space, by the Jaccard similarity of the sets :math:`S` of runs of four characters
    in them,

    .. math:: J(a, b) = \frac{|S_a \cap S_b|}{|S_a \cup S_b|}.

    Two texts are in one group if a chain of pairs links them, of which :math:`J` is at
    least the threshold, and the shorter text at least that share of the longer. In a
    tweet of 70 characters, one changed word of five leaves :math:`J = 0.78`: only
    longer texts may differ in a word.

    Parameters
    ----------
    texts : array-like of str of shape (n_samples,)
        The texts, in any language.
    threshold : float, default=0.8
        Smallest similarity of texts that are nearly equal, in (0, 1].

    Returns
    -------
    groups : ndarray of shape (n_samples,) and dtype int64
        Numbers of the groups, from 0 on, in the order of their first texts. A text
        that is like no other is a group of its own.

    Raises
    ------
    TypeError, ValueError
        For texts that are no strings or missing, and for no texts.

    See Also
    --------
    join_groups : Joins these groups with others, such as authors.
    evaluate_hypotheses : Finds them by itself.

    Notes
    -----
    Not all pairs are compared. Texts that agree in one of several parts of their
    minhash signatures [1]_ are: a pair at the threshold is missed with a probability
    below 0.01, a more similar one hardly ever. Of texts with more than 200 different
    runs of four characters, the 200 with the smallest hashes stand for all; the
    standard error of :math:`J` is then 0.03. Time and memory are linear in the number
    of texts: 20,000 tweets take a second. Hashes are fixed, so the same texts give
    the same groups.

    References
    ----------
    .. [1] A. Z. Broder (1997). "On the resemblance and containment of documents".
       Compression and Complexity of Sequences, 21-29.
    .. [2] K. Lee, D. Ippolito, A. Nystrom, C. Zhang, D. Eck, C. Callison-Burch, N.
       Carlini (2022). "Deduplicating training data makes language models better".
       arXiv 2107.06499.

    Examples
    --------
    >>> from sklearn_hypo import find_near_duplicates
    >>> find_near_duplicates([
    ...     "The new phone is out, and it is a great one! http://a.example/x",
    ...     "Tea with my sister on the way to the station, as always.",
    ...     "RT @shop: The new phone is out, and it is a great one!",
    ...     "tea with my sister on the way to the station, as always :)",
    ... ])
    array([0, 1, 0, 1])
    """
    texts = check_texts(texts, caller="find_near_duplicates")
    with show_progress("Looking for near-duplicates"):
        codes, distinct = pd.factorize(
            np.array([normalize_text(text) for text in texts], dtype=object)
        )
        groups = _link_similar(distinct, threshold)[codes]
    return pd.factorize(groups)[0].astype(np.int64)


def _link_similar(texts, threshold):
    """Number texts so that those linked by similar pairs share a number."""
    lengths = np.array([len(text) for text in texts])
    groups = np.arange(len(texts))
    rows, bands = _sign(texts, _count_rows_per_band(threshold))
    for keys in bands:
        left, right = (rows[each] for each in _pair_equal(keys))
        close = np.minimum(lengths[left], lengths[right]) >= threshold * np.maximum(
            lengths[left], lengths[right]
        )
        left, right = left[close], right[close]
        for start in range(0, len(left), _MOST_PAIRS):
            part = slice(start, start + _MOST_PAIRS)
            groups = _link(groups, texts, left[part], right[part], threshold)
    return groups


def _link(groups, texts, left, right, threshold):
    """Join the groups of similar texts among some pairs."""
    apart = groups[left] != groups[right]
    left, right = left[apart], right[apart]
    if not len(left):
        return groups
    similar = _measure_similarity(texts, left, right) >= threshold - 1e-9
    left, right = groups[left[similar]], groups[right[similar]]
    links = np.ones(len(left), dtype=np.int8), (left, right)
    graph = sparse.coo_array(links, shape=(len(groups),) * 2)
    return connected_components(graph, directed=False)[1][groups]


# Candidates -----------------------------------------------------------------------


def _count_rows_per_band(threshold):
    """As many hashes as can agree in one band, so that few similar pairs are missed."""
    sizes = range(1, 17)
    missed = [(1 - threshold**n) ** (_N_HASHES // n) for n in sizes]
    enough = [n for n, share in zip(sizes, missed, strict=True) if share <= _MISSED]
    return max(enough, default=1)


def _sign(texts, n_rows):
    """Return which texts have shingles, and one key of them per band and text.

    A key stands for so many least hashes, each under a hash function of its own. Two
    texts agree in a least hash with a probability of their similarity.
    """
    n_bands = _N_HASHES // n_rows
    rows, bands = [], [[] for _ in range(n_bands)]
    for start, stop in _divide(texts):
        of, hashes, _ = _hash_shingles(texts[start:stop])
        there, starts = np.unique(of, return_index=True)
        rows.append(there + start)
        for band, found in enumerate(bands):
            keys = np.zeros(len(there), dtype=np.uint64)
            for seed in _SEEDS[band * n_rows : (band + 1) * n_rows]:
                if len(there):
                    least = np.minimum.reduceat(_mix(hashes ^ seed), starts)
                    keys = _mix(keys ^ least)
            found.append(keys)
    return np.concatenate(rows), [np.concatenate(found) for found in bands]


def _pair_equal(keys):
    """Pair each row with the first, and with the last before it, of an equal key."""
    order = np.argsort(keys, kind="stable")
    new = np.ones(len(keys), dtype=bool)
    new[1:] = np.diff(keys[order]) != 0
    again = np.flatnonzero(~new)
    first = np.flatnonzero(new)[np.cumsum(new) - 1][again]
    left = np.concatenate([first, again - 1])
    return order[left], order[np.concatenate([again, again])]


# Similarity -----------------------------------------------------------------------


def _measure_similarity(texts, left, right):
    """Jaccard similarity of pairs, of long texts by what both of them show."""
    rows, codes = np.unique([left, right], return_inverse=True)
    left, right = codes.reshape(2, -1)
    sets, limits = _collect_shingles(texts[rows])
    shared = sets[left].multiply(sets[right]).sum(axis=1)
    limits = np.minimum(limits[left], limits[right])
    both = sum(_count_before(sets[each], limits) for each in (left, right)) - shared
    return shared / np.maximum(both, 1)


def _collect_shingles(texts):
    """Return the shingles of texts as a CSR array, columns in the order of the hashes.

    And the column from which on each text does not show what it has: of a long one,
    only the smallest hashes are there.
    """
    parts = []
    for start, stop in _divide(texts):
        rows, hashes, limits = _hash_shingles(texts[start:stop])
        parts.append((rows + start, hashes, limits))
    rows, hashes, limits = map(np.concatenate, zip(*parts, strict=True))
    known, columns = np.unique(hashes, return_inverse=True)
    entries = np.ones(len(rows), dtype=np.int32), (rows, columns)
    sets = sparse.csr_array(entries, shape=(len(texts), len(known)))
    return sets, np.searchsorted(known, limits)


def _count_before(sets, limits):
    """Count the shingles of each row before a column."""
    sizes = np.diff(sets.indptr)
    shown = sets.indices < np.repeat(limits, sizes)
    return np.bincount(np.repeat(np.arange(len(sizes)), sizes), shown, len(sizes))


# Shingles -------------------------------------------------------------------------


def _divide(texts):
    """Divide texts into runs that are hashed at once."""
    ends = np.cumsum([len(text) + 2 for text in texts])
    by_size, by_number = ends // _MOST_CHARACTERS, np.arange(len(texts)) // _MOST_TEXTS
    new = np.diff(by_size, prepend=-1) + np.diff(by_number, prepend=-1)
    starts = np.flatnonzero(new).tolist()
    return list(zip(starts, [*starts[1:], len(texts)], strict=True))


def _hash_shingles(texts):
    """Return rows and hashes of shingles, sorted, and where those of each text end."""
    padded = [f" {text} " for text in texts]
    lengths = np.array(list(map(len, padded)))
    joined = "".join(padded).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(joined, dtype="<u4").astype(np.uint64)
    n = max(len(points) - _LENGTH + 1, 0)
    hashes = np.zeros(n, dtype=np.uint64)
    for i in range(_LENGTH):
        hashes = (hashes ^ points[i : n + i]) * np.uint64(0x100000001B3)  # FNV-1a
    hashes = _mix(hashes) >> np.uint64(64 - _BITS)
    ends = np.repeat(np.cumsum(lengths), lengths)[:n]
    kept = np.arange(n) + _LENGTH <= ends
    # of long texts most hashes are too large to be among the smallest
    share = np.minimum(4 * _MOST_SHINGLES / lengths, 1.0)
    limits = (share * 2**_BITS).astype(np.uint64)
    kept &= hashes < np.repeat(limits, lengths)[:n]
    rows = np.repeat(np.arange(len(texts), dtype=np.uint64), lengths)[:n]
    keys = _sort_distinct((rows[kept] << np.uint64(_BITS)) | hashes[kept])
    rows = (keys >> np.uint64(_BITS)).astype(np.int64)
    hashes = keys & np.uint64(2**_BITS - 1)
    begin = np.searchsorted(rows, np.arange(len(texts) + 1))
    long = np.flatnonzero(np.diff(begin) > _MOST_SHINGLES)
    limits[long] = hashes[begin[long] + _MOST_SHINGLES]
    shown = np.arange(len(rows)) - begin[rows] < _MOST_SHINGLES
    return rows[shown], hashes[shown], limits


def _sort_distinct(keys):
    """As np.unique, which is slower for large numbers."""
    keys = np.sort(keys)
    return keys[np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))]


def _mix(values):
    """Mix the bits of integers: the finalizer of splitmix64."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


_SEEDS = _mix(np.arange(1, _N_HASHES + 1, dtype=np.uint64) << np.uint64(32))
