"""Where every token of a corpus stands: texts are cut once, then asked many things."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ._tokenizers import get_tokenizer


class TokenIndex:
    """All tokens of some texts, one after the other, as numbers.

    Parameters
    ----------
    texts : sequence of str
        Any texts.
    tokenizer : object, default="auto"
        Cuts them, see `get_tokenizer`.

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

    def __init__(self, texts, tokenizer="auto"):
        self.number = {}
        tokenize = get_tokenizer(tokenizer).tokenize
        ids, lengths = [], []
        for text in texts:
            tokens = tokenize(text)
            ids += [self.number.setdefault(t, len(self.number)) for t in tokens]
            lengths.append(len(tokens))
        self.tokens = list(self.number)
        self.ids = np.array(ids, dtype=np.int64)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.text_of = np.repeat(np.arange(len(lengths)), self.lengths)
        self._runs = {}

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
        covered = np.zeros(len(self.ids), dtype=bool)
        for n in {len(term) for term in terms}:
            runs = self._find_runs(n)
            member = np.zeros(len(runs.codes), dtype=bool)
            member[self._match(n, terms)[1]] = True
            begin = runs.begin[member[runs.numbers]]
            for offset in range(n):
                covered[begin + offset] = True
        return self.count_positions(covered)

    def find_occurrences(self, terms):
        """Find where each of some terms begins.

        Parameters
        ----------
        terms : sequence of tuple of str
            As `count_covered` takes them.

        Returns
        -------
        begin, which : ndarray of int of shape (n_occurrences,)
            Positions, and the number of the term that begins there.
        """
        begin, which = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for n in {len(term) for term in terms} - {0}:  # what no text can contain
            runs = self._find_runs(n)
            owner, number = self._match(n, terms)
            shape = (len(runs.codes), len(terms))
            ones = np.ones(len(number), dtype=np.int8)
            member = sparse.csr_array((ones, (number, owner)), shape=shape)
            there = (np.diff(member.indptr) > 0)[runs.numbers]
            occurrence = member[runs.numbers[there]].tocoo()
            begin.append(runs.begin[there][occurrence.row])
            which.append(occurrence.col)
        return np.concatenate(begin), np.concatenate(which)

    def mark(self, terms):
        """Mark which texts contain which terms.

        Parameters
        ----------
        terms : sequence of tuple of str
            As `count_covered` takes them.

        Returns
        -------
        presence : CSR array of shape (n_texts, n_terms)
            1 where a text contains a term.
        """
        begin, which = self.find_occurrences(terms)
        ones = np.ones(len(begin), dtype=np.float32)
        shape = (len(self.lengths), len(terms))
        presence = sparse.csr_array((ones, (self.text_of[begin], which)), shape=shape)
        presence.data[:] = 1
        return presence

    def _match(self, n, terms):
        """Find the runs of n tokens that are terms: numbers of terms, and of runs."""
        exact, owners, found = [], [], []
        for number, term in enumerate(terms):
            if len(term) != n:
                continue
            if any(map(is_prefix, term)):
                runs = self._match_patterns(term)
                found.append((np.full(len(runs), number), runs))
            elif all(token in self.number for token in term):
                exact.append([self.number[token] for token in term])
                owners.append(number)
        if exact:
            tokens, owners = np.array(exact), np.array(owners)
            numbers = tokens[:, 0]
            for position in range(1, n):
                codes = self._find_runs(position + 1).codes
                wanted = numbers * len(self.tokens) + tokens[:, position]
                there = np.isin(wanted, codes)
                numbers = np.searchsorted(codes, wanted[there])
                tokens, owners = tokens[there], owners[there]
            found.append((owners, numbers))
        nothing = np.empty((2, 0), dtype=np.int64)
        return np.concatenate([nothing, *map(np.vstack, found)], axis=1)

    def _match_patterns(self, term):
        """Return the numbers of the runs that are one term, which has patterns."""
        numbers = self.find_tokens(term[0])
        for position in range(1, len(term)):
            before, last = np.divmod(
                self._find_runs(position + 1).codes, len(self.tokens)
            )
            choices = self.find_tokens(term[position])
            numbers = np.flatnonzero(np.isin(before, numbers) & np.isin(last, choices))
        return numbers

    def _find_runs(self, n):
        """Number the distinct runs of n tokens that stand within one text."""
        if n not in self._runs:
            self._runs[n] = self._extend_runs(n)
        return self._runs[n]

    def _extend_runs(self, n):
        if n == 1:
            places, codes = np.arange(len(self.ids)), np.arange(len(self.tokens))
            return _Runs(codes, self.ids, places)
        shorter = self._find_runs(n - 1)
        last = shorter.begin + n - 1
        inside = last < len(self.ids)
        inside[inside] = (
            self.text_of[last[inside]] == self.text_of[shorter.begin[inside]]
        )
        codes = shorter.numbers[inside] * len(self.tokens) + self.ids[last[inside]]
        codes, numbers = np.unique(codes, return_inverse=True)
        return _Runs(codes, numbers, shorter.begin[inside])

    @cached_property
    def _sorted(self):
        """The distinct tokens in alphabetical order, and their numbers."""
        words = np.array(self.tokens, dtype=object)
        numbers = np.argsort(words, kind="stable")
        return words[numbers], numbers


class _Runs(NamedTuple):
    """Runs of n tokens.

    Parameters
    ----------
    codes : ndarray of int of shape (n_distinct,)
        Of each distinct run, ascending: the number of its first n - 1 tokens as a run,
        times the number of distinct tokens, plus its last token.
    numbers, begin : ndarray of int of shape (n_runs,)
        Which distinct run it is, and at which position it begins.
    """

    codes: np.ndarray
    numbers: np.ndarray
    begin: np.ndarray


def is_prefix(pattern):
    """Tell whether a pattern stands for all tokens that begin as it does.

    Examples
    --------
    >>> from sklearn_hypo._utils._token_index import is_prefix
    >>> [is_prefix(p) for p in ("sad*", "sad", "s***", ":*")]
    [True, False, False, False]
    """
    return pattern.endswith("*") and pattern[:-1][-1:].isalnum()


def fits_pattern(token, pattern):
    """Tell whether a token is one that a pattern stands for.

    Examples
    --------
    >>> from sklearn_hypo._utils._token_index import fits_pattern
    >>> fits_pattern("sadly", "sad*"), fits_pattern("sadly", "sad")
    (True, False)
    """
    return token == pattern or (is_prefix(pattern) and token.startswith(pattern[:-1]))
