"""Marking the terms of a lexicon in a text, where the annotator found them.

The annotator reads a normalised text: typographic apostrophes are plain, letters are
lower-case, compatibility characters replaced. So the marks are found there, by the
same tokens, and carried back to the text as it was written.
"""

import re
import unicodedata

from ..._utils._tokens import APOSTROPHES, TOKEN_PATTERN, canonical_token, tokenize
from ._markup import element, join

_TOKEN = re.compile(TOKEN_PATTERN)


_PLAIN = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


_LONGEST = 320  # characters of a text that are shown


_BEFORE = 90  # characters shown before the first mark of a longer text


def marked(text, terms):
    """Return a text with the matched terms in <mark>, shortened around the first.

    Parameters
    ----------
    text : str
        Any text.
    terms : sequence of str
        The n-grams.

    Returns
    -------
    markup : Markup
        Escaped.
    """
    spans = find_terms(text, terms)
    begin, end = _window(text, spans)
    parts, position = ["…" if begin else ""], begin
    for first, last in spans:
        first, last = max(first, position), min(last, end)
        if first < last:
            parts += [text[position:first], element("mark", text[first:last])]
            position = last
    parts += [text[position:end], "…" if end < len(text) else ""]
    return join(parts)


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
    tokens, places = _tokens_with_places(text)
    spans = []
    for n in range(1, longest + 1):
        for i in range(len(tokens) - n + 1):
            if " ".join(tokens[i : i + n]) in wanted:
                spans.append((places[i][0], places[i + n - 1][1]))
    return _merged(spans)


def _tokens_with_places(text):
    """The tokens of `tokenize`, each with where it begins and ends in the text."""
    plain, origin = _normalised(text)
    tokens, places = [], []
    for match in _TOKEN.finditer(plain):
        tokens.append(canonical_token(match.group()))
        first, last = match.span()
        places.append((origin[first][0], origin[last - 1][1]))
    return tokens, places


def _normalised(text):
    """What `tokenize` cuts, and for each of its characters where it comes from."""
    straight = text.translate(_PLAIN)
    if straight.isascii():
        return straight.lower(), [(i, i + 1) for i in range(len(text))]
    whole = unicodedata.normalize("NFKC", straight)
    for cut in (_characters, _blank_separated, lambda text: [text]):
        pieces = cut(straight)
        normal = [unicodedata.normalize("NFKC", piece) for piece in pieces]
        if "".join(normal) == whole:
            break
    origin, position = [], 0
    for piece, new in zip(pieces, normal, strict=True):
        span = (position, position + len(piece))
        # one letter may have two in lower case, whatever stands around it
        origin += [span] * sum(len(c.lower()) for c in new)
        position = span[1]
    return whole.lower(), origin


def _characters(text):
    """Cut before every character that is no accent on the one before."""
    pieces = []
    for character in text:
        if pieces and unicodedata.combining(character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _blank_separated(text):
    """Cut at blanks: nothing is composed across them."""
    return [piece for piece in re.split(r"(\s+)", text) if piece]


def _merged(spans):
    """Join what overlaps."""
    merged = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _window(text, spans):
    """The part of a text to show: all of it, or some around the first mark."""
    if len(text) <= _LONGEST:
        return 0, len(text)
    begin = max(0, spans[0][0] - _BEFORE) if spans else 0
    begin = min(begin, len(text) - _LONGEST)
    if begin > 0:
        blank = text.find(" ", begin, begin + 20)  # rather between words
        begin = blank + 1 if blank >= 0 else begin
    return begin, begin + _LONGEST
