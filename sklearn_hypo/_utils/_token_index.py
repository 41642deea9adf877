"""Where every token of a corpus stands: texts are cut once, then asked many things."""

from functools import cached_property

import numpy as np
from scipy import sparse

from ._tokens import tokenize


class TokenIndex:
    """All tokens of some texts, one after the other, as numbers.

    Parameters
    ----------
    texts : sequence of str
        They are cut by `tokenize`.

    Attributes
    ----------
    tokens : list of str
        The distinct tokens, in the order of their first appearance.
    number : dict of str to int
        Where each stands in `tokens`.
    ids : ndarray of int of shape (n_positions,)
        The number of the token at every position.
    text_of : ndarray of int of shape (n_positions,)
        The number of the text that the position belongs to.
    lengths : ndarray of int of shape (n_texts,)
        Tokens in each text.

    Examples
    --------
    >>> from sklearn_hypo._utils._token_index import TokenIndex
    >>> index = TokenIndex(["so so sad", "sad!"])
    >>> index.tokens, index.ids.tolist(), index.text_of.tolist()
    (['so', 'sad', '!'], [0, 0, 1, 1, 2], [0, 0, 0, 1, 1])
    >>> index.count_covered([("so", "sad"), ("!",)]).tolist()
    [2, 1]
    """

    def __init__(self, texts):
        self.number = {}
        ids, lengths = [], []
        for text in texts:
            tokens = tokenize(text)
            ids += [self.number.setdefault(t, len(self.number)) for t in tokens]
            lengths.append(len(tokens))
        self.tokens = list(self.number)
        self.ids = np.array(ids, dtype=np.int64)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.text_of = np.repeat(np.arange(len(lengths)), self.lengths)

    @cached_property
    def counts(self):
        """How often each text holds each token: CSR of shape (n_texts, n_tokens)."""
        shape = (len(self.lengths), len(self.tokens))
        ones = np.ones(len(self.ids), dtype=np.int64)
        return sparse.csr_array((ones, (self.text_of, self.ids)), shape=shape)

    def count_positions(self, marked):
        """Count the marked positions of each text."""
        return np.bincount(self.text_of[marked], minlength=len(self.lengths))

    def find_tokens(self, pattern):
        """Return the numbers of the tokens that are a word or begin as it does.

        Parameters
        ----------
        pattern : str
            A token, or ("sad*") what tokens begin with.

        Returns
        -------
        numbers : ndarray of int
            Empty if no text holds such a token.
        """
        if pattern in self.number:  # also tokens that end in "*": ":*", "s***"
            return np.array([self.number[pattern]])
        if not is_prefix(pattern):
            return np.empty(0, dtype=np.int64)
        words, numbers = self._sorted
        stem = pattern[:-1]
        first = np.searchsorted(words, stem)
        last = np.searchsorted(words, stem + chr(0x10FFFF), side="right")
        return numbers[first:last]

    def count_covered(self, terms):
        """Count the tokens of each text that belong to any of the terms.

        Parameters
        ----------
        terms : sequence of tuple of str
            Each a run of tokens, or of patterns as `find_tokens` takes them.

        Returns
        -------
        counts : ndarray of int of shape (n_texts,)
            A position counts once, however many terms it belongs to.
        """
        words = [self.find_tokens(term[0]) for term in terms if len(term) == 1]
        member = np.zeros(len(self.tokens), dtype=bool)
        if words:
            member[np.concatenate(words)] = True
        covered = member[self.ids]
        for term in terms:
            if len(term) > 1:
                begin = self._find_run(term)
                for offset in range(len(term)):
                    covered[begin + offset] = True
        return self.count_positions(covered)

    @cached_property
    def _sorted(self):
        """The distinct tokens in alphabetical order, and their numbers."""
        words = np.array(self.tokens, dtype=object)
        numbers = np.argsort(words, kind="stable")
        return words[numbers], numbers

    @cached_property
    def _positions(self):
        """Positions sorted by token, and where each token's begin."""
        order = np.argsort(self.ids, kind="stable")
        begin = np.searchsorted(self.ids[order], np.arange(len(self.tokens) + 1))
        return order, begin

    def _find_run(self, term):
        """Return the positions where a run of tokens begins."""
        choices = [self.find_tokens(pattern) for pattern in term]
        order, begin = self._positions
        n_found = [(begin[own + 1] - begin[own]).sum() for own in choices]
        rarest = int(np.argmin(n_found))
        found = [order[begin[own] : begin[own + 1]] for own in choices[rarest]]
        start = np.concatenate([*found, np.empty(0, dtype=np.int64)]) - rarest
        last = start + len(term) - 1
        start = start[(start >= 0) & (last < len(self.ids))]
        start = start[self.text_of[start] == self.text_of[start + len(term) - 1]]
        for offset, own in enumerate(choices):
            start = start[np.isin(self.ids[start + offset], own)]
        return start


def is_prefix(pattern):
    """Tell whether a pattern stands for all tokens that begin as it does.

    Examples
    --------
    >>> from sklearn_hypo._utils._token_index import is_prefix
    >>> [is_prefix(p) for p in ("sad*", "sad", "s***", ":*")]
    [True, False, False, False]
    """
    return pattern.endswith("*") and pattern[:-1][-1:].isalnum()
