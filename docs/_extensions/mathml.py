"""Equations as MathML, by docutils: browsers draw it without JavaScript or network."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def visit(writer, node):
    """Write an equation, in a line or as a block."""
    as_block = isinstance(node, nodes.math_block)
    try:
        equation = tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        logger.warning("%s: %s", error, node.astext(), location=node)
        raise nodes.SkipNode from None
    tag = "div" if as_block else "span"
    writer.body.append(f'<{tag} class="math">{equation}</{tag}>')
    raise nodes.SkipNode


def setup(app):
    """Name the renderer."""
    app.add_html_math_renderer("mathml", (visit, None), (visit, None))
    return {"parallel_read_safe": True}
