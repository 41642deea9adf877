"""Tags and entities of HTML, which texts from the web bring along."""

import html
import re

from .._utils._validation import check_texts

# What divides lines; the others stand within words ("<b>un</b>happy").
_BLOCKS = (
    "address article aside blockquote body br button caption center dd details div dl "
    "dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html "
    "iframe img input legend li main nav o:p ol option p pre section select summary "
    "table tbody td textarea tfoot th thead title tr ul video"
)
_INLINE = (
    "a abbr b big cite code del em font i ins kbd label link mark meta nobr noscript q "
    "s samp small span strike strong sub sup tt u var wbr"
)

# Attributes that need no value.
_SWITCHES = (
    "allowfullscreen|async|autoplay|checked|controls|defer|disabled|download|hidden|loop"
    "|muted|nowrap|open|readonly|required|reversed|selected"
)
# Only names of tags, so that "a <b and c> d", "<3" and "<name>" are texts. No part can
# match in two ways, so the time is linear.
_ATTRIBUTES = (
    r"""(?:\s+(?:[\w:-]++\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++)"""
    rf"|(?:{_SWITCHES})(?=[\s/>])))*+\s*+/?"
)
# What is not shown: from where to where.
_HIDDEN = [
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<!doctype\b", re.IGNORECASE), re.compile(">")),
    *(
        (
            re.compile(rf"<{name}{_ATTRIBUTES}>", re.IGNORECASE),
            re.compile(rf"</{name}\s*+>", re.IGNORECASE),
        )
        for name in ("script", "style")
    ),
]


def _compile_tags(names):
    return re.compile(rf"</?(?:{'|'.join(names.split())}){_ATTRIBUTES}>", re.IGNORECASE)


_BLOCK_TAG, _INLINE_TAG = _compile_tags(_BLOCKS), _compile_tags(_INLINE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});")


def remove_html(texts):
    r"""Take tags and entities of HTML out of texts.

    Tags that divide lines become a line break, other tags nothing, comments, scripts
    and style sheets go as a whole; an entity such as "&amp;" becomes its character,
    once. Known tags only: "<3", "a < b" and "<name>" stay.

    Parameters
    ----------
    texts : list, tuple, array, Series or one-column frame of str
        The texts.

    Returns
    -------
    texts : ndarray of shape (n_texts,) and dtype object
        The same texts where there is no HTML.

    Raises
    ------
    TypeError, ValueError
        For anything but texts, and for missing ones.

    Examples
    --------
    >>> from sklearn_hypo import remove_html
    >>> remove_html(["Fish &amp; chips<br/>were <b>great</b>!", "I <3 it"]).tolist()
    ['Fish & chips\nwere great!', 'I <3 it']
    """
    texts = check_texts(texts, caller="remove_html")
    texts[:] = list(map(clean_text, texts))
    return texts


def clean_text(text):
    """Return one text without HTML."""
    if "<" in text:
        for opening, closing in _HIDDEN:
            text = _drop_between(text, opening, closing)
        text = _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", text))
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    return text


def find_html(text):
    """Return a tag or entity of a text from which `clean_text` takes some, or ""."""
    if clean_text(text) == text:  # such as "&nosuchthing;"
        return ""
    patterns = [_BLOCK_TAG, _INLINE_TAG, _ENTITY, *(opening for opening, _ in _HIDDEN)]
    found = [match for match in (each.search(text) for each in patterns) if match]
    return min(found, key=lambda match: match.start()).group()


def _drop_between(text, opening, closing):
    """Put a blank for each part from an opening to its closing, in one pass."""
    kept, position = [], 0
    for match in opening.finditer(text):
        if match.start() < position:
            continue
        end = closing.search(text, match.end())
        if end is None:  # nor is there one for those that follow
            break
        kept.append(text[position : match.start()])
        position = end.end()
    return " ".join([*kept, text[position:]])
