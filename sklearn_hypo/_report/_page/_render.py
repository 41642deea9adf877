"""Templates in which text cannot become markup: what is not `Markup` is escaped."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..._utils._printable import to_printable
from .._formats import typeset_minus

_BLANKS = re.compile(r"(\s+)")


def render(template, **values):
    """Return a template of this folder, filled in.

    Parameters
    ----------
    template : str
        Its file.
    **values
        What it names. Texts are escaped, and what a page cannot show in them too.

    Returns
    -------
    page : str
        HTML.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment():
    environment = Environment(
        loader=PackageLoader("sklearn_hypo._report", "_page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["minus"] = typeset_minus
    return environment


def _show(value):
    return value if isinstance(value, Markup) else escape_invisible(value)


def escape_invisible(text):
    r"""Return a text as a page can hold it; runs of white space become one space.

    Control characters, marks that turn the direction of what follows, and lone
    surrogates become their escapes. Unlike `to_printable` it keeps a space at the ends.

    Examples
    --------
    >>> from sklearn_hypo._report._page._render import escape_invisible
    >>> escape_invisible(" a\n\tb\x00 ")
    ' a b\\x00 '
    """
    parts = _BLANKS.split(str(text))
    return "".join(" " if n % 2 else to_printable(part) for n, part in enumerate(parts))


def element(name, *children, **attributes):
    """Return an element of a drawing, with "-" for "_" in the names of attributes.

    Examples
    --------
    >>> from sklearn_hypo._report._page._render import element
    >>> element("text", "a < b", x=1, text_anchor="end")
    Markup('<text x="1" text-anchor="end">a &lt; b</text>')
    """
    pairs = (
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
    )
    begin = Markup("<{}{}").format(name, Markup("").join(pairs))
    if not children:
        return begin + Markup("/>")
    return Markup("{}>{}</{}>").format(begin, Markup("").join(children), name)
