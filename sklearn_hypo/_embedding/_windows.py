"""Texts that are longer than a model reads: told, or cut into windows and averaged.

A window is a text like any other to whatever encodes and keeps it. So the vectors of
texts that are short enough are the same with and without windows.
"""

import re
from itertools import pairwise

import numpy as np

from .._data_preparation._documents import pack_units
from .._data_preparation._sentences import sentence_spans, word_spans
from .._language_models._text import bound_tokens, replace_surrogates
from .._utils._warnings import warn


def warn_of_cuts(name, n_cut, n_texts, limit):
    """Warn if some of the texts given to a model are longer than its `limit`, a str."""
    if n_cut:
        warn(
            f"TextEmbedder({name}): {count_share(n_cut, n_texts)} are longer than what "
            f"the model reads ({limit}). They are cut: their embeddings are "
            'those of their beginnings. Set pool="chunks" to average over whole texts; '
            "or name a model that reads more, or make shorter texts of each with "
            "split_documents."
        )


def count_share(n, n_texts):
    """Say how many of the texts, and which share of them.

    Examples
    --------
    >>> from sklearn_hypo._embedding._windows import count_share
    >>> count_share(2, 3), count_share(1, 1000)
    ('2 of 3 texts (67%)', '1 of 1000 texts (less than 1%)')
    """
    share = n / n_texts
    share = f"{share:.0%}" if share >= 0.005 else "less than 1%"
    return f"{n} of {n_texts} texts ({share})"


class Windows:
    """Distinct texts, of which those that a model would cut are cut into windows.

    Parameters
    ----------
    encoder : Encoder
        Whose model it is.
    texts : list of str
        Distinct.

    Attributes
    ----------
    parts : list of str
        What is to be encoded, distinct: texts that are short enough, and windows.
    """

    def __init__(self, encoder, texts):
        cut = {}
        for i in encoder.find_long(texts):
            text = replace_surrogates(texts[i])
            found = encoder.cut_into_windows(text)
            cut[i] = [(part, n) for a, b, n in found if (part := text[a:b].strip())]
        places = {}
        self._windows = [
            [
                (places.setdefault(part, len(places)), n)
                for part, n in cut.get(i, [(text, 1)])
            ]
            for i, text in enumerate(texts)
        ]
        self.parts = list(places)

    def average(self, values, scale):
        """Return one row per text: the mean of its windows, weighted by their tokens.

        `values` has a row for each part; `scale` scales the rows of means.
        """
        found = values[[windows[0][0] for windows in self._windows]]
        several = [i for i, windows in enumerate(self._windows) if len(windows) > 1]
        for i in several:
            rows, weights = zip(*self._windows[i], strict=True)
            found[i] = np.average(values[list(rows)], axis=0, weights=weights)
        found[several] = scale(found[several])
        return found


def cut_into_windows(text, most, count):
    """Cut a text where sentences end, or else words; return (begin, end, tokens).

    Parameters
    ----------
    text : str
    most : int or float
        Tokens that fit into a window.
    count : callable
        Returns how many tokens there are from one position to another.

    Returns
    -------
    windows : list of tuple
        They cover the text, in order.

    Examples
    --------
    >>> from sklearn_hypo._embedding._windows import cut_into_windows
    >>> text = "One two three. Four. Five six seven eight nine ten."
    >>> windows = cut_into_windows(text, 20, lambda a, b: b - a)
    >>> [text[a:b] for a, b, _ in windows]
    ['One two three. ', 'Four. Five six ', 'seven eight nine ', 'ten.']
    """
    finer = (sentence_spans, word_spans)
    units = _cut_units(text, 0, len(text), most, count, finer)
    return [(a, b, count(a, b)) for a, b in pack_units(units, most, 0)]


def _cut_units(text, begin, end, most, count, finer):
    """Return (begin, end, tokens) of the largest pieces that fit."""
    size = count(begin, end)
    if size <= most or end - begin < 2:
        return [(begin, end, size)]
    if finer:
        # blanks belong to what they follow, so that nothing is left out
        starts = [begin + a for a, _ in finer[0](text[begin:end])]
        places = [begin, *starts[1:], end]
    else:
        places = [begin, (begin + end) // 2, end]
    return [
        unit
        for a, b in pairwise(places)
        for unit in _cut_units(text, a, b, most, count, finer[1:])
    ]


# Where no tokenizer is at hand -----------------------------------------------------

# Nearly a token per character: digits, and what has no spaces, such as base64.
_DENSE = re.compile(r"(?<![!-~])[!-~]{30,}|[0-9]")
# Words of European languages have 4 or more characters per token.
CHARACTERS_PER_TOKEN = 3
# 1.5 tokens for a Chinese character, 2 for an emoji, 1 for a letter with an accent.
_BYTES_PER_TOKEN = 2


def overestimate_tokens(text):
    """Estimate the tokens of a text, rather too many than too few.

    Prose gets about a third more than it has. For texts of a rare kind the estimate
    can still be too low; only the number of bytes (`bound_tokens`) never is.
    """
    n_bytes = bound_tokens(text)
    n_ascii = n_bytes if text.isascii() else len(text.encode("ascii", "ignore"))
    n_dense = sum(map(len, _DENSE.findall(text)))
    plain = (n_ascii - n_dense) / CHARACTERS_PER_TOKEN
    return n_dense + plain + (n_bytes - n_ascii) / _BYTES_PER_TOKEN
