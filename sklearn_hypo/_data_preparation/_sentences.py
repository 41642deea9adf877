"""Where a text may be cut: paragraphs, sentences and words, by plain rules."""

import re

from .._utils._characters import CHINESE_JAPANESE, MARKS, SOUTHEAST_ASIAN, UNSPACED
from .._utils._segmentation import cut_into_characters

# In scripts written without blanks, a word per character, with its marks: no rule as
# plain as this finds their words.
_WORD = re.compile(
    rf"[{CHINESE_JAPANESE}][^\w\s]*+|([{SOUTHEAST_ASIAN}][{SOUTHEAST_ASIAN}{MARKS}]*+)"
    rf"|[^\s{UNSPACED}]++"
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n\s*+")

# What may stand behind the end of a sentence and still belong to it.
_CLOSING = "\"'”’»)\\]}*_"
_END = re.compile(
    rf"[.!?…؟۔]++[{_CLOSING}]*+(?=\s|$)"  # Latin, Arabic: only before a blank
    # Chinese, Japanese, Khmer, Burmese, Hindi: anywhere
    rf"|[。！？｡។៕။।॥]++[{_CLOSING}」』）]*+"
)

_ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "gen", "sen", "rep"),
        *("gov", "vs", "etc", "e.g", "i.e", "cf", "al", "fig", "no", "vol", "pp"),
        *("ed", "eds", "inc", "ltd", "co", "corp", "dept", "approx", "ca", "resp"),
        *("sec", "art", "u.s", "u.k", "u.n", "a.m", "p.m", "d.c", "ph.d"),
    )
)
# These end many a sentence, too: only what follows tells.
_OFTEN_LAST = frozenset(
    ("etc", "no", "co", "inc", "ltd", "al", "jr", "sr", "a.m", "p.m")
)
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«]+$")


def word_spans(text):
    """Return (begin, end) of every run without blanks; of each Chinese character, ...

    ... and of each character, with its marks, of other scripts without blanks.

    Examples
    --------
    >>> from sklearn_hypo._data_preparation._sentences import word_spans
    >>> word_spans("to be, or")
    [(0, 2), (3, 6), (7, 9)]
    """
    spans = []
    for match in _WORD.finditer(text):
        begin, end = match.span()
        if not match.group(1):
            spans.append((begin, end))
            continue
        for part in cut_into_characters(match.group()):
            spans.append((begin, begin + len(part)))
            begin += len(part)
    return spans


def count_words(text):
    """Return the number of words of a text, as `word_spans` finds them.

    Examples
    --------
    >>> from sklearn_hypo._data_preparation._sentences import count_words
    >>> count_words("to be, or"), count_words("你好")
    (3, 2)
    """
    return len(word_spans(text))


def paragraph_spans(text):
    r"""Return (begin, end) of every paragraph, at blank lines; they hold every word.

    Examples
    --------
    >>> from sklearn_hypo._data_preparation._sentences import paragraph_spans
    >>> paragraph_spans("One.\n\nTwo.")
    [(0, 4), (6, 10)]
    """
    spans, begin = [], 0
    for match in _BLANK_LINE.finditer(text):
        spans.append((begin, match.start()))
        begin = match.end()
    spans.append((begin, len(text)))
    return [span for span in spans if span[0] < span[1]]


def sentence_spans(text):
    """Return (begin, end) of every sentence, in linear time; they hold every word.

    Examples
    --------
    >>> from sklearn_hypo._data_preparation._sentences import sentence_spans
    >>> text = 'He met Dr. No. "Really?" she said. Yes!'
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['He met Dr. No.', '"Really?" she said.', 'Yes!']
    """
    spans = []
    for first, last in paragraph_spans(text):
        begin = first
        for match in _END.finditer(text, first, last):
            if _ends_here(text, begin, match, last):
                spans.append((begin, match.end()))
                begin = _next_word(text, match.end(), last)
        if begin < last:
            spans.append((begin, last))
    return spans


def _next_word(text, position, last):
    while position < last and text[position].isspace():
        position += 1
    return position


def _ends_here(text, begin, match, last):
    """Decide whether a full stop, or the like, is the end of a sentence."""
    after = _next_word(text, match.end(), last)
    following = text[after : after + 1]
    if following.islower():
        return False
    if match.group()[0] != "." or match.group().startswith(".."):
        return True
    # the last word is short, or no abbreviation: no need to look far back
    before = _LAST_WORD.search(text[max(begin, match.start() - 20) : match.start()])
    word = before.group().lower() if before else ""
    if len(word) == 1 and word.isalpha():
        return word == "i"  # an initial
    return word not in _ABBREVIATIONS or word in _OFTEN_LAST


PIECES = {
    "words": word_spans,
    "sentences": sentence_spans,
    "paragraphs": paragraph_spans,
}
