"""Marking the terms of a lexicon in a text, where the annotator found them."""

from markupsafe import Markup

from ..._utils._tokens import find_token_spans, tokenize
from ._render import escape_invisible

_LONGEST = 320  # characters of a text that are shown

_BEFORE = 90  # characters shown before the first mark of a longer text


def highlight_terms(text, terms):
    """Return a text with the matched terms in <mark>, shortened around the first."""
    spans = find_terms(text, terms)
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


def find_terms(text, terms):
    """Return where a text contains terms, by the tokens of the annotator.

    Parameters
    ----------
    text : str
        Any text.
    terms : sequence of str
        The n-grams, written in any way.

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
    wanted = {" ".join(tokenize(term)) for term in terms} - {""}
    if not wanted:
        return []
    longest = max(term.count(" ") for term in wanted) + 1
    tokens, spans = find_token_spans(text), []
    for n in range(1, longest + 1):
        for i in range(len(tokens) - n + 1):
            run = tokens[i : i + n]
            if " ".join(token for token, _, _ in run) in wanted:
                spans.append((run[0][1], run[-1][2]))
    return _join_overlaps(spans)


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
