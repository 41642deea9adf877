"""Counting the tokens of texts with the tokenizer of a model, once per process."""

import copy

import numpy as np

from .._language_models._text import bound_tokens, replace_surrogates
from ._windows import cut_into_windows

# Some 20 MB of each.
_MOST_COUNTS = 200_000
_MOST_WINDOWS = 20_000


class TokenCounter:
    """A tokenizer of its own, without the limits that a model puts on its tokenizer.

    So it can be at work while another thread encodes. What it found is kept by the
    hashes of texts.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        Of the model.
    """

    def __init__(self, tokenizer):
        self._tokenizer = copy.deepcopy(tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._counts, self._windows = {}, {}

    def count(self, texts):
        """Return the number of tokens of each text, marks of the model aside."""
        return _look_up(self._counts, _MOST_COUNTS, texts, self._count)

    def find_long(self, texts, room):
        """Return the positions of the texts that have more than `room` tokens."""
        # texts that are surely short are not cut into tokens
        places = [i for i, text in enumerate(texts) if bound_tokens(text) > room]
        counts = self.count([texts[i] for i in places])
        return [i for i, n in zip(places, counts, strict=True) if n > room]

    def cut_into_windows(self, text, room, most_characters=None):
        """Cut a text into (begin, end, tokens) of at most `room` tokens each.

        And of at most `most_characters`, if that is not None.
        """

        def cut(texts):
            return [self._cut(text, room, most_characters) for text in texts]

        return _look_up(self._windows, _MOST_WINDOWS, [text], cut, key=room)[0]

    def _count(self, texts):
        texts = [replace_surrogates(text) for text in texts]
        return map(len, self._encode(texts))

    def _encode(self, texts):
        return self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)

    def _cut(self, text, room, most_characters):
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        begins = np.sort([begin for begin, _ in encoding.offsets])

        def count(begin, end):
            return int(np.diff(np.searchsorted(begins, [begin, end]))[0])

        def measure(begin, end):
            return max(count(begin, end), (end - begin) * room / most_characters)

        spans = cut_into_windows(text, room, measure if most_characters else count)
        return [(begin, end, count(begin, end)) for begin, end, _ in spans]


def _look_up(facts, most, texts, find, key=None):
    """Return one fact per text, finding those that are not known.

    When there would be more than `most`, all are forgotten.
    """
    keys = [(key, hash(text)) for text in texts]
    known = {each: facts[each] for each in keys if each in facts}
    missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
    if missing:
        found = dict(zip(missing, find(list(missing.values())), strict=True))
        if len(facts) + len(found) > most:
            facts.clear()
        facts |= found
        known |= found
    return [known[each] for each in keys]
