r"""The search for a lexicon: which few terms agree best with a neuron's activation.

A lexicon marks a text if the text contains any of its terms. The search sees texts
and activations, never a target. Agreement is the correlation of the mark z with the
activation a (or with whether it is positive), standardized to mean 0 and variance 1,

.. math:: r = \frac{S}{n \sqrt{p (1 - p)}},
          \quad S = \sum_{i: z_i = 1} a_i, \quad p = \bar z,

which needs two sparse products to be known for every term that could be added.
"""

import numpy as np


class TermIndex:
    """Which texts contain which terms, and how many words and texts each term has.

    Parameters
    ----------
    presence : sparse array of shape (n_texts, n_terms)
        Non-zero where a text contains a term.
    terms : sequence of str of length n_terms
        The terms.
    """

    def __init__(self, presence, terms):
        by_term = presence.T.tocsr().astype(np.float32)
        by_term.data[:] = 1.0
        self._by_term = by_term
        self.n_texts = presence.shape[0]
        self.terms = np.asarray(terms, dtype=object)
        self.n_words = np.array([term.count(" ") + 1 for term in terms], dtype=int)
        self.frequency = np.diff(by_term.indptr)

    def rows(self, term):
        """Return the texts that contain a term, by number."""
        start, stop = self._by_term.indptr[term : term + 2]
        return self._by_term.indices[start:stop]

    def sums(self, values):
        """Return, for every term, the sum of values over the texts that contain it."""
        return self._by_term @ values


def search_terms(index, target, *, allowed, max_terms, min_gain=1e-3, max_sweeps=2):
    """Search for the terms whose union correlates best with a target.

    Greedy addition, then sweeps in which every term has to defend its place: it is
    taken out, and what helps most is put in, which may be nothing.

    Parameters
    ----------
    index : TermIndex
        The texts to search on.
    target : ndarray of shape (n_texts,)
        Activations, or a function of them.
    allowed : ndarray of bool of shape (n_terms,)
        The terms that may be used.
    max_terms : int
        At most so many terms are returned.
    min_gain : float, default=1e-3
        A term is added only if the correlation grows by more than this.
    max_sweeps : int, default=2
        Sweeps over the terms found.

    Returns
    -------
    terms : list of int
        In the order of their addition; empty if no term correlates positively.
    """
    union = _Union(index, target, allowed)
    _add_terms(union, max_terms, min_gain)
    for _ in range(max_sweeps):
        before = set(union.terms)
        for term in list(union.terms):
            with_term = union.correlation()
            union.remove(term)
            without = union.correlation()
            candidate, value = union.best_addition()
            if value > max(with_term, without + min_gain):
                union.add(candidate)
            elif with_term > without + min_gain:
                union.add(term)
        _add_terms(union, max_terms, min_gain)
        if set(union.terms) == before:
            break
    return union.terms


def _add_terms(union, max_terms, min_gain):
    """Add terms while each adds more than `min_gain`."""
    while len(union.terms) < max_terms:
        candidate, value = union.best_addition()
        if value <= union.correlation() + min_gain:
            break
        union.add(candidate)


class _Union:
    """The texts marked by a growing and shrinking set of terms."""

    # a term that reaches fewer new texts than this rests on too little evidence
    MIN_NEW_TEXTS = 3

    def __init__(self, index, target, allowed):
        self.index = index
        self.target = _standardize_target(target)
        self.usable = allowed.copy()
        self.hits = np.zeros(index.n_texts, dtype=np.int32)
        self.terms = []

    def add(self, term):
        self.terms.append(term)
        self.hits[self.index.rows(term)] += 1

    def remove(self, term):
        self.terms.remove(term)
        self.hits[self.index.rows(term)] -= 1

    def correlation(self):
        """Return the correlation of the union with the target; 0 for no terms."""
        marked = self.hits > 0
        n_marked = float(marked.sum())
        if n_marked == 0:
            return 0.0
        return float(self._correlation(float(self.target[marked].sum()), n_marked))

    def best_addition(self):
        """Return the term whose addition correlates best, and that correlation."""
        unmarked = (self.hits == 0).astype(np.float32)
        marked_sum = float(self.target @ (1 - unmarked))
        n_new = self.index.sums(unmarked)
        sums = marked_sum + self.index.sums(self.target * unmarked)
        counts = (self.index.n_texts - unmarked.sum()) + n_new
        values = self._correlation(sums, counts)
        values[~self.usable | (n_new < self.MIN_NEW_TEXTS)] = -np.inf
        best = int(values.argmax())
        return best, float(values[best])

    def _correlation(self, total, n_marked):
        n_texts = self.index.n_texts
        share = n_marked / n_texts
        scale = n_texts * np.sqrt(np.maximum(share * (1 - share), 1e-12))
        return total / scale


def _standardize_target(target):
    """Return the target with mean 0 and variance 1; zeros if it is constant."""
    centered = target.astype(np.float64)
    if centered.min() == centered.max():
        return np.zeros(len(centered), dtype=np.float32)
    centered -= centered.mean()
    return (centered / centered.std()).astype(np.float32)
