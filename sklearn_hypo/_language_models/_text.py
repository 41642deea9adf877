"""Texts made safe to send, cut to size, and measured in tokens."""

import re
from itertools import islice

# Words of most languages are far shorter, so the bound is met only by texts
# without spaces (Chinese, a base64 string), whose "word" has no end.
CHARACTERS_PER_WORD = 12

# C0 and C1 control characters and DEL: the whole category Cc, but tab and newline.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_WORD = re.compile(r"\w+")


def replace_surrogates(text):
    """Return the text as no tokenizer and no network protocol refuses it.

    A lone surrogate becomes U+FFFD, a pair of surrogates the character it stands for.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_text(text):
    """Return the text as every client and server can take it.

    It is made encodable, and a control character other than newline and tab becomes
    a space.
    """
    return _CONTROL.sub(" ", replace_surrogates(text))


def cut_words(text, max_words):
    """Return the first `max_words` words, spaced as they were, and whether any is lost.

    Words are what white space separates. A text of more than
    `max_words * CHARACTERS_PER_WORD` characters is cut there. A text within both
    bounds is returned as it is; so is every text if `max_words` is None.
    """
    if max_words is None:
        return text, False
    n_characters = max_words * CHARACTERS_PER_WORD
    if len(text) <= n_characters and len(text.split(None, max_words)) <= max_words:
        return text, False
    whole = text.strip()
    words = islice(re.finditer(r"\S+", whole), max_words)
    end = max((word.end() for word in words), default=0)
    kept = whole[: min(end, n_characters)].rstrip()
    return kept, kept != whole


def shorten_text(text, n_characters):
    """Return the beginning of a text, up to the end of a word where there is one."""
    if len(text) <= n_characters:
        return text
    kept = text[:n_characters]
    if not text[n_characters].isspace():
        words = kept.rsplit(None, 1)
        is_close = len(words) == 2 and len(words[0]) > n_characters // 2
        kept = words[0] if is_close else kept
    return kept.rstrip()


def count_words(text):
    """Return how many runs of letters and digits a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def estimate_tokens(text):
    """Return a quarter of the number of characters, rounded up: usual for English."""
    return -(-len(text) // 4)


def bound_tokens(text):
    """Return the number of bytes in UTF-8: no usual tokenizer makes more tokens."""
    return len(text.encode("utf-8", "surrogatepass"))
