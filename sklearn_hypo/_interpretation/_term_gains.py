"""What each term of a dictionary does: how many texts have it, and what it adds."""

import numpy as np
import pandas as pd

from ._dictionary import compare_without


def measure_terms(index, terms, threshold, strength):
    """Measure how common the terms of a dictionary are, and what each adds to it.

    Parameters
    ----------
    index : TokenIndex
        Of the texts.
    terms : sequence of tuple of str
        The dictionary, as `TokenIndex.count_covered` takes it.
    threshold : float
        A text is marked if more than so many of its 100 tokens belong to terms.
    strength : ndarray of shape (n_texts,)
        The activation of the neuron.

    Returns
    -------
    shares : ndarray of shape (n_terms,)
        Of the texts that contain each term.
    gains : ndarray of shape (n_terms,)
        The correlation of the mark with the strength, minus that of the mark by the
        other terms alone; see `compare_without`. Tokens that belong to other terms too
        still count without the term.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._interpretation._term_gains import measure_terms
    >>> from sklearn_hypo._utils._token_index import TokenIndex
    >>> index = TokenIndex(["so sad", "cry", "so", "fine"])
    >>> terms = [("sad",), ("cry",), ("so", "sad")]
    >>> shares, gains = measure_terms(index, terms, 0, np.array([1.0, 1.0, 0.0, 0.0]))
    >>> shares.tolist(), gains.round(2).tolist()
    ([0.25, 0.25, 0.25], [0.0, 0.42, 0.0])
    """
    n_texts, n_terms = len(index.lengths), len(terms)
    begin, which = index.find_occurrences(terms)
    having = pd.unique(index.text_of[begin] * n_terms + which)
    shares = np.bincount(having % n_terms, minlength=n_terms) / n_texts

    # every token of an occurrence, once for each term that it belongs to; by pandas,
    # since the order is of no matter and NumPy takes ten times as long
    sizes = np.array([len(term) for term in terms])[which]
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    position = np.repeat(begin, sizes) + np.arange(len(first)) - first
    pairs = pd.unique(position * n_terms + np.repeat(which, sizes))
    position, which = np.divmod(pairs, n_terms)
    n_owners = np.bincount(position, minlength=len(index.ids))
    counts = index.count_positions(n_owners > 0)

    # the tokens of each text that are those of one term and of no other
    only = n_owners[position] == 1
    own, n_own = np.unique(
        index.text_of[position[only]] * n_terms + which[only], return_counts=True
    )
    text, which = np.divmod(own, n_terms)
    lengths = np.maximum(index.lengths, 1)
    marked = 100 * counts / lengths > threshold
    left = 100 * (counts[text] - n_own) / lengths[text] > threshold
    is_lost = marked[text] & ~left
    gains = compare_without(
        marked, text[is_lost], which[is_lost], strength, n_terms=n_terms
    )
    return shares, gains
