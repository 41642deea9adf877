"""Texts cut, and put into requests, so that a provider's limits in tokens are met.

No tokenizer of the providers is at hand: one of them downloads its tables at first
use, the other asks over the network. Sizes are estimated, on the safe side.
"""

import re
from bisect import bisect_right

from .._llm._hygiene import most_tokens

# Nearly a token per character: digits, and what has no spaces, such as base64.
_DENSE = re.compile(r"(?<![!-~])[!-~]{30,}|[0-9]")
# Words of European languages have 4 or more characters per token.
_CHARACTERS_PER_TOKEN = 3
# 1.5 tokens for a Chinese character, 2 for an emoji, 1 for a letter with an accent.
_BYTES_PER_TOKEN = 2


def ample_tokens(text):
    """Estimate the tokens of a text, rather too many than too few.

    Prose gets about a third more than it has. For texts of a rare kind the estimate
    can still be too low; only the number of bytes (`most_tokens`) never is.
    """
    n_bytes = most_tokens(text)
    n_ascii = n_bytes if text.isascii() else len(text.encode("ascii", "ignore"))
    n_dense = sum(map(len, _DENSE.findall(text)))
    plain = (n_ascii - n_dense) / _CHARACTERS_PER_TOKEN
    return n_dense + plain + (n_bytes - n_ascii) / _BYTES_PER_TOKEN


def cut_to_tokens(text, n_tokens):
    """Return the longest beginning of at most `n_tokens` tokens, by the estimate."""
    if n_tokens is None or most_tokens(text) <= n_tokens:
        return text
    longest = text[: _CHARACTERS_PER_TOKEN * n_tokens + 1]
    if len(longest) == len(text) and ample_tokens(text) <= n_tokens:
        return text
    ends = range(len(longest) + 1)
    end = bisect_right(ends, n_tokens, key=lambda n: ample_tokens(longest[:n])) - 1
    return text[:end]


def cut_to_bytes(text, n_bytes):
    """Return the longest beginning of at most `n_bytes` bytes in UTF-8."""
    return text.encode("utf-8")[:n_bytes].decode("utf-8", "ignore")


def divide(texts, n_texts, n_tokens, measure=ample_tokens):
    """Divide texts into requests.

    Parameters
    ----------
    texts : list of str
        In order.
    n_texts : int
        Most texts in a request.
    n_tokens : int or None
        Most tokens in a request. None: there is no limit.
    measure : callable, default=ample_tokens
        From a text to its tokens.

    Yields
    ------
    part : slice
        Of the texts, one after the other.
    """
    start = total = 0
    for i, text in enumerate(texts):
        size = 0 if n_tokens is None else measure(text)
        too_large = n_tokens is not None and total + size > n_tokens
        if i > start and (i - start == n_texts or too_large):
            yield slice(start, i)
            start, total = i, 0
        total += size
    if start < len(texts):
        yield slice(start, len(texts))
