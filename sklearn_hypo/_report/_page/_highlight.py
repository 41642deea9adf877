"""Marking the terms of a lexicon in a text, where the annotator found them."""

from functools import lru_cache

from markupsafe import Markup

from ..._utils._terms import parse_terms
from ..._utils._token_index import fits_pattern
from ..._utils._tokenizers import get_tokenizer
from ._render import escape_invisible

_LONGEST = 320  # characters of a text that are shown

_BEFORE = 90  # characters shown before the first mark of a longer text


def highlight_terms(text, terms, tokenizer=""):
    """Return a text with the matched terms in <mark>, shortened around the first."""
    spans = find_terms(text, terms, tokenizer)
    begin, end = _choose_window(text, spans)
    found, position = Markup("…" if begin else ""), begin
    for first, last in spans:
        first, last = max(first, position), min(last, end)
        if first < last:
            found += escape_invisible(text[position:first])
            found += Markup("<mark>{}</mark>").format(
                escape_invisible(text[first:last])
            )
            position = last
    return found + escape_invisible(text[position:end]) + "…" * (end < len(text))


def find_terms(text, terms, tokenizer=""):
    """Return where a text contains terms, by the tokens of the annotator.

    Parameters
    ----------
    text : str
        Any text.
    terms : sequence of str
        The n-grams, written in any way; words may end in "*".
    tokenizer : str, default=""
        Of the hypothesis whose terms these are. One that cannot be imported here marks
        nothing.

    Returns
    -------
    spans : list of (int, int)
        Begin and end in the text as it was written, ordered, none overlapping.

    Examples
    --------
    >>> from sklearn_hypo._report._page._highlight import find_terms
    >>> find_terms("Don\u2019t THANK me, thanks!", ["thank", "thanks !"])
    [(6, 11), (16, 23)]
    """
    exact, patterns = _parse_terms(tuple(terms), tokenizer)
    tokens, spans = _find_spans(text, tokenizer), []
    for n in {len(term) for term in exact | patterns}:
        own = [term for term in patterns if len(term) == n]
        for i in range(len(tokens) - n + 1):
            run = tuple(token for token, _, _ in tokens[i : i + n])
            if run in exact or any(all(map(fits_pattern, run, term)) for term in own):
                spans.append((tokens[i][1], tokens[i + n - 1][2]))
    return _join_overlaps(span for span in spans if span[0] < span[1])


def _find_spans(text, tokenizer):
    try:
        return get_tokenizer(tokenizer).find_spans(text)
    except (ValueError, ImportError):
        return []


@lru_cache(maxsize=64)
def _parse_terms(terms, tokenizer):
    """Cut the terms of a hypothesis once for all of its texts: exact ones, patterns."""
    wanted = set(parse_terms(terms, tokenizer)) - {()}
    patterns = frozenset(t for t in wanted if any(word.endswith("*") for word in t))
    return frozenset(wanted - patterns), patterns


def _join_overlaps(spans):
    """Join what overlaps."""
    merged = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _choose_window(text, spans):
    """The part of a text to show: all of it, or some around the first mark."""
    if len(text) <= _LONGEST:
        return 0, len(text)
    begin = max(0, spans[0][0] - _BEFORE) if spans else 0
    begin = min(begin, len(text) - _LONGEST)
    if begin > 0:
        blank = text.find(" ", begin, begin + 20)  # rather between words
        begin = blank + 1 if blank >= 0 else begin
    return begin, begin + _LONGEST
