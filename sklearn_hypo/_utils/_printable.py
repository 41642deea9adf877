"""Text as it can be shown and written: escapes for what cannot."""

from bisect import bisect_right
from unicodedata import combining, east_asian_width

_JOINER = "\u200d"  # holds composed emoji together, and shows as nothing


def to_printable(text):
    """Text on one line that any terminal, file or page can take.

    Runs of white space become one space, and what cannot be encoded (lone
    surrogates) or shown (control characters) becomes its escape.
    """
    text = " ".join(str(text).split())
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() or c == _JOINER else _escape(c) for c in text)


def shorten(text, length=60):
    """Return a text on one line that ends with "…" if it was too long."""
    text = to_printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def shorten_middle(text, length):
    """Return a text on one line; of a long one begin and end: what, and what to do."""
    text = to_printable(text)
    if len(text) <= length:
        return text
    tail = length // 3
    return f"{text[: length - tail - 3]} … {text[-tail:]}"


def quote_value(value, quote="'"):
    """Return a value as it stands in a message: on one line, escaped, not too long."""
    return f"{quote}{shorten(value, 200)}{quote}"


def pluralize(n, noun):
    """Return "1 text", "2,000 hypotheses": a number and what there are so many of."""
    many = noun[:-2] + "es" if noun.endswith("is") else noun + "s"
    return f"{n:,} {noun if n == 1 else many}"


def join_words(parts):
    """Return "a", "a and b", "a, b and c".

    Examples
    --------
    >>> from sklearn_hypo._utils._printable import join_words
    >>> join_words(["length", "year", "place"])
    'length, year and place'
    """
    *first, last = map(to_printable, parts)
    return f"{', '.join(first)} and {last}" if first else last


def count_columns(text):
    """Columns of a terminal that the text takes."""
    return sum(
        0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def wrap_words(text, room, measure=count_columns):
    """Break a text into lines that have room, between words where that can be.

    Parameters
    ----------
    text : str
        On one line.
    room : float
        The most that a line may measure.
    measure : callable, default=count_columns
        From a text to its width.

    Returns
    -------
    lines : list of str
        A word that is too long is broken after a slash, as between forms of a word,
        else anywhere.
    """
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if measure(joined) <= room:
            line = joined
            continue
        lines += [line] if line else []
        while measure(word) > room:
            n = _count_fitting(word, room, measure)
            n = word.rfind("/", 0, n) + 1 or n
            if n == len(word):
                break
            lines.append(word[:n])
            word = word[n:]
        line = word
    return [*lines, line]


def _count_fitting(word, room, measure):
    """Return how many characters at the beginning of a word fit, 1 at the least.

    A longer beginning is no narrower. Few are measured, and short ones first, since a
    font takes long to measure.
    """
    most = 1
    while most < len(word) and measure(word[:most]) <= room:
        most *= 2
    lengths = range(1, min(most, len(word)) + 1)
    return bisect_right(lengths, room, key=lambda k: measure(word[:k])) or 1


def _escape(character):
    return character.encode("unicode_escape").decode("ascii")


def escape_surrogates(text):
    """Escape lone surrogates, which have no place in tables and files."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
