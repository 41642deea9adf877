"""Public names that stand as code in a text link to their page of the reference."""

import inspect
import re
from functools import cached_property

from docutils import nodes
from sphinx.addnodes import pending_xref

import sklearn_hypo
from sklearn_hypo import datasets, exceptions

PUBLIC = {
    name: module
    for module in (sklearn_hypo, datasets, exceptions)
    for name in module.__all__
}
NAME = re.compile(r"(?:sklearn_hypo\.(?:datasets\.|exceptions\.)?)?(\w+)(?:\.(\w+))?")


def full_name(code):
    """Return the full name of what a piece of code names, None if it names nothing.

    Attributes are explained on the page of their class. Of a member that is neither
    defined nor explained the name is returned, too: the build will warn of it.
    """
    match = NAME.fullmatch(code.partition("(")[0])
    if not match or match[1] not in PUBLIC:
        return None
    name, member = match.groups()
    module, thing = PUBLIC[name], getattr(PUBLIC[name], name)
    if not member or is_attribute(thing, member):
        return f"{module.__name__}.{name}"
    return f"{module.__name__}.{name}.{member}"


def is_attribute(thing, member):
    """Whether a class explains a member in its own docstring."""
    found = getattr(thing, member, None)
    has_docstring = callable(found) or isinstance(found, property | cached_property)
    return not has_docstring and re.search(
        rf"\b{member}\b", inspect.getdoc(thing) or ""
    )


def link_names(app, doctree):
    """Make references of literals; those without a page stay as they are."""
    page = app.env.docname
    for literal in list(doctree.findall(nodes.literal)):
        name = full_name(literal.astext())
        inside = isinstance(
            literal.parent, nodes.title | nodes.reference | pending_xref
        )
        if name and not inside and not page.endswith(f"/{name}"):
            reference = pending_xref(
                "", refdomain="py", reftype="obj", reftarget=name, refdoc=page
            )
            literal.replace_self(reference)
            reference += literal


def setup(app):
    """Look at each page when it is read."""
    app.connect("doctree-read", link_names)
    return {"parallel_read_safe": True}
