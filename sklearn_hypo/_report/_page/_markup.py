"""HTML in which text cannot become markup: what is not `Markup` is escaped."""

import html
import re

from ..._utils._printable import to_printable

_BLANKS = re.compile(r"(\s+)")


_WITHOUT_END = frozenset({"meta", "rect", "line", "circle", "path", "col"})


class Markup(str):
    """HTML made by `element` and friends; everything in it is escaped already."""

    __slots__ = ()


def visible(text):
    r"""Return a text as a page can hold it; runs of white space become one space.

    Control characters, marks that turn the direction of what follows, and lone
    surrogates become their escapes. Unlike `to_printable` it keeps a space at the ends.

    Examples
    --------
    >>> from sklearn_hypo._report._page._markup import visible
    >>> visible(" a\n\tb\x00 ")
    ' a b\\x00 '
    """
    parts = _BLANKS.split(str(text))
    return "".join(" " if n % 2 else to_printable(part) for n, part in enumerate(parts))


def escape(text):
    """Return a text as markup; markup stays as it is."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(visible(text), quote=True))


def join(parts):
    """Return markup of all parts, escaping those that are texts."""
    return Markup("".join(map(escape, parts)))


def element(name, /, *children, **attributes):
    """Return an element.

    Parameters
    ----------
    name : str
        Its name.
    *children : str or Markup
        Its content; None is left out.
    **attributes : str, number, bool or None
        `class_` is class, and `data_v` is data-v. True gives an attribute without a
        value; False and None give none.

    Returns
    -------
    markup : Markup
        Escaped.

    Examples
    --------
    >>> from sklearn_hypo._report._page._markup import element
    >>> element("td", "<b>", class_="n", data_v='"')
    '<td class="n" data-v="&quot;">&lt;b&gt;</td>'
    """
    pieces = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            pieces.append(key)
        elif value is not None and value is not False:
            pieces.append(f'{key}="{html.escape(visible(value), quote=True)}"')
    begin = f"<{' '.join(pieces)}>"
    if name in _WITHOUT_END:
        # what is drawn needs an end, and may have one in HTML too
        return Markup(begin if name in ("meta", "col") else f"{begin[:-1]}/>")
    content = join(child for child in children if child is not None)
    return Markup(f"{begin}{content}</{name}>")


def statement(text, **attributes):
    """Return words of others in a span that keeps their direction to itself."""
    return element("span", text, dir="auto", **attributes)
