"""Texts that are equal or nearly equal: posted again, or made from one template.

Similar pairs are found in linear time by locality-sensitive hashing: only texts whose
minhash signatures agree somewhere are compared.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._utils._normalized_texts import normalize_text
from .._utils._validation import Interval, check_texts, validate_params

_LENGTH = 4  # characters of a shingle
_MOST_SHINGLES = 200  # of a text: of longer ones a sample
_N_HASHES = 160  # of a signature
_MISSED = 0.01  # of the pairs that are just similar enough
_BITS = 48  # of the hash of a shingle
_MOST_CHARACTERS = 1_000_000  # hashed at once
_MOST_TEXTS = 2**15  # hashed at once
_MOST_CELLS = 2_000_000  # compared at once


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
    codes, distinct = pd.factorize(
        np.array([normalize_text(text) for text in texts], dtype=object)
    )
    left, right = _Shingles.of(distinct).find_similar(threshold)
    links = sparse.coo_array(
        (np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(distinct),) * 2
    )
    groups = connected_components(links, directed=False)[1]
    return pd.factorize(groups[codes])[0].astype(np.int64)


@dataclass(frozen=True)
class _Shingles:
    """Which runs of characters the texts consist of.

    Parameters
    ----------
    sets : CSR array of shape (n_texts, n_shingles)
        1 where a text has a shingle. Columns are in the order of the hashes.
    hashes : ndarray of uint64
        The hash of each entry of `sets`.
    limits : ndarray of int of shape (n_texts,)
        Column from which on a text does not show what it has: of a long one, only the
        smallest hashes are there.
    lengths : ndarray of int of shape (n_texts,)
        Characters of the texts.
    """

    sets: sparse.csr_array
    hashes: np.ndarray
    limits: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, texts):
        """Cut texts; those shorter than a shingle have none."""
        parts = []
        for start, stop in _divide(texts):
            rows, hashes, limits = _hash_shingles(texts[start:stop])
            parts.append((rows + start, hashes, limits))
        rows, hashes, limits = map(np.concatenate, zip(*parts, strict=True))
        known, columns = np.unique(hashes, return_inverse=True)
        entries = np.ones(len(rows), dtype=np.int32), (rows, columns)
        sets = sparse.csr_array(entries, shape=(len(texts), len(known)))
        lengths = np.array(list(map(len, texts)))
        return cls(sets, hashes, np.searchsorted(known, limits), lengths)

    def find_similar(self, threshold):
        """Return pairs of rows, of which chains link all that are similar."""
        left, right = self._list_candidates(_count_rows_per_band(threshold))
        lengths = np.sort([self.lengths[left], self.lengths[right]], axis=0)
        close = lengths[0] >= threshold * lengths[1]
        left, right = left[close], right[close]
        step = max(1, _MOST_CELLS // _MOST_SHINGLES)
        similar = [
            self._measure(left[i : i + step], right[i : i + step]) >= threshold - 1e-9
            for i in range(0, len(left), step)
        ]
        similar = np.concatenate([np.empty(0, dtype=bool), *similar])
        return left[similar], right[similar]

    def _list_candidates(self, n_rows):
        """Pair each text with the first, and the last one, that agrees in a band."""
        there = np.flatnonzero(np.diff(self.sets.indptr))
        pairs, n = [np.empty(0, dtype=np.int64)], self.sets.shape[0]
        for band in range(_N_HASHES // n_rows):
            keys = np.zeros(len(there), dtype=np.uint64)
            for i in range(band * n_rows, (band + 1) * n_rows):
                keys = _mix(keys ^ self._find_least(there, i))
            order = np.argsort(keys, kind="stable")
            new = np.diff(keys[order], prepend=~keys[order][:1]) != 0
            first = there[order][np.flatnonzero(new)[np.cumsum(new) - 1]]
            before, own = np.roll(there[order], 1)[~new], there[order][~new]
            pairs += [first[~new] * n + own, before * n + own]
        return np.divmod(_sort_distinct(np.concatenate(pairs)), n)

    def _find_least(self, there, i):
        """The least of the hashes of each text, under the i-th hash function."""
        starts = self.sets.indptr[:-1][there]
        return np.minimum.reduceat(_mix(self.hashes ^ _SEEDS[i]), starts)

    def _measure(self, left, right):
        """Jaccard similarity, of long texts estimated from what both of them show."""
        shared = self.sets[left].multiply(self.sets[right]).sum(axis=1)
        limits = np.minimum(self.limits[left], self.limits[right])
        both = self._count(left, limits) + self._count(right, limits) - shared
        return shared / np.maximum(both, 1)

    def _count(self, rows, limits):
        """Count the shingles of rows before a column."""
        part = self.sets[rows]
        shown = part.indices < np.repeat(limits, np.diff(part.indptr))
        return np.bincount(
            np.repeat(np.arange(len(rows)), np.diff(part.indptr)), shown, len(rows)
        )


def _count_rows_per_band(threshold):
    """As many hashes as can agree in one band, so that few similar pairs are missed."""
    sizes = range(1, 17)
    missed = [(1 - threshold**n) ** (_N_HASHES // n) for n in sizes]
    enough = [n for n, share in zip(sizes, missed, strict=True) if share <= _MISSED]
    return max(enough, default=1)


def _divide(texts):
    """Divide texts into runs that are hashed at once."""
    ends = np.cumsum([len(text) + 2 for text in texts])
    run = np.maximum(ends // _MOST_CHARACTERS, np.arange(len(texts)) // _MOST_TEXTS)
    starts = np.flatnonzero(np.diff(run, prepend=-1)).tolist()
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
