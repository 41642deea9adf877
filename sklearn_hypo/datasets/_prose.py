"""The opening prose of a docstring, without reStructuredText markup."""

import inspect
import re
from itertools import zip_longest

# Headings that end the prose also where an author forgot to underline them.
_SECTIONS = (
    "Parameters|Other Parameters|Returns|Return|Yields|Receives|Raises|Warns|Warnings"
    "|Attributes|Methods|See Also|Notes|Note|References|Reference|Examples|Example"
    "|Arguments|Args|Keyword Arguments|Keywords|Inputs?|Outputs?|Options"
)
_SECTION_LINE = re.compile(
    rf"\s*(?:(?:{_SECTIONS})\s*:{{0,2}}\s*$"
    # field lists of Sphinx, and "name : type" without any heading
    r"|:(?:param|parameter|type|arg|returns?|rtype|raises?)\b.*:"
    r"|\*{0,2}\w+(?:, \w+)* : \S)",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"\s*([-=~^*])\1{2,}\s*$")
# table rules, doctests and field lists
_NO_PROSE = re.compile(r"\s*(?:[-=+]{2,}[-=+ ]*$|>>>|\.\.\.(?: |$)|:[\w ]+:(?:\s|$))")
_DIRECTIVE = re.compile(r"\s*\.\. ?([\w-]+)::")
_MARKUP_LINE = re.compile(r"\s*\.\.( |$)")
_ADMONITIONS = {"note", "warning", "tip", "important", "caution", "attention", "hint"}
_BULLET = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.)])\s+")

_CALL = re.compile(r"(?:[\w., ]+\s=\s*)?(?:class\s+)?[\w.]+\s?\(")

_INLINE = (
    (re.compile(r"\s*\[[\w#*]+\]_"), ""),  # footnotes and citations
    (re.compile(r":[\w:+.-]+:`~?([^`<]*?)\s*<[^`>]*>`"), r"\1"),  # roles with a title
    (re.compile(r":[\w:+.-]+:`~(?:[\w.]*\.)?([^`]*)`"), r"\1"),  # shortened roles
    (re.compile(r":[\w:+.-]+:`!?([^`]*)`"), r"\1"),  # other roles
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`_{0,2}"), r"\1"),  # links
    (re.compile(r"`~(?:[\w.]*\.)?([^`]*)`"), r"\1"),
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"(?<![\w*])\*{1,2}(\w[^*]*?)\*{1,2}(?![\w*])"), r"\1"),  # emphasis
    (re.compile(r"\|(\w+)\|"), r"\1"),  # substitutions
    (re.compile(r"`+"), ""),  # what is left of unbalanced quotes
    (re.compile(r"<?https?://\S+"), ""),
)

# Sentences that only point to pages of the package's website.
_NAVIGATION = re.compile(r"sphx_glr|\bUser Guide\b|Visualization Guide", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def extract_prose(docstring, name):
    r"""Return what a docstring says before its first section, in paragraphs.

    The signature that NumPy and Cython put on top, the calls of the callable itself,
    directives, code, formulas on lines of their own and inline markup are taken out;
    what the markup marks stays.

    Parameters
    ----------
    docstring : str
        The docstring of a callable.
    name : str
        The short name of the callable. Its arguments, where the prose shows a call,
        are taken out, since they would give the list of parameters away.

    Returns
    -------
    paragraphs : list of str
        Those that still say something, each on one line.

    Examples
    --------
    >>> from sklearn_hypo.datasets._prose import extract_prose
    >>> extract_prose(
    ...     "norm(x, ord=None)\n\nVector norm, see :func:`~numpy.dot`.\n\n"
    ...     ".. versionadded:: 1.2\n\nParameters\n----------\nx : array", "norm"
    ... )
    ['Vector norm, see dot.']
    """
    lines = inspect.cleandoc(docstring).splitlines()
    lines = _cut_at_first_section(_drop_signatures(lines))
    blocks = "\n".join(_drop_blocks(lines)).split("\n\n")
    paragraphs = [_drop_calls(_strip_markup(block), name) for block in blocks]
    paragraphs = [_drop_navigation(paragraph) for paragraph in paragraphs]
    return [" ".join(p.split()) for p in paragraphs if re.search(r"\w", p)]


def _drop_signatures(lines):
    """Drop the signatures, one or several, that open the docstring."""
    text = "\n".join(lines).lstrip()
    # aliases carry the signature of the callable that they stand for: any name will do
    while _CALL.match(text):
        end = _find_closing_parenthesis(text, text.index("("))
        rest = text[end:].partition("\n")
        # "f(x) is the density" is prose, "f(x) -> float" and "f(x)" are signatures
        if end == 0 or not re.fullmatch(r"\s*(?:(?:->|:|=|--).*)?", rest[0]):
            break
        text = rest[2].lstrip()
    return text.splitlines()


def _drop_calls(prose, name):
    """Reduce calls of the callable itself to its name."""
    call = re.compile(rf"\b{re.escape(name)}\(")
    position = 0
    while match := call.search(prose, position):
        position = match.end()
        if end := _find_closing_parenthesis(prose, position - 1):
            prose = prose[: position - 1] + prose[end:]
    return prose


def _find_closing_parenthesis(text, start):
    """Return the position behind the parenthesis that closes the one at start, or 0."""
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
    return 0


def _cut_at_first_section(lines):
    for number, (line, below) in enumerate(zip_longest(lines, lines[1:], fillvalue="")):
        if line.strip() and (_UNDERLINE.match(below) or _SECTION_LINE.match(line)):
            return lines[:number]
    return lines


def _drop_blocks(lines):
    """Drop directives, code, doctests, table rules and literal blocks."""
    kept, skip_deeper_than = [], None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            kept.append("")
            continue
        if skip_deeper_than is not None:
            if indent > skip_deeper_than:
                continue
            skip_deeper_than = None
        directive = _DIRECTIVE.match(line)
        if directive and directive[1].lower() in _ADMONITIONS:
            line = line[directive.end() :]
        elif directive or _MARKUP_LINE.match(line):
            skip_deeper_than = indent
            continue
        elif line.rstrip().endswith("::"):
            skip_deeper_than = indent
            line = line.rstrip()[:-1]
        if not _NO_PROSE.match(line):
            kept.append(_BULLET.sub("", line))
    return kept


def _drop_navigation(prose):
    sentences = _SENTENCE_END.split(prose)
    return " ".join(s for s in sentences if not _NAVIGATION.search(s))


def _strip_markup(prose):
    for pattern, replacement in _INLINE:
        prose = pattern.sub(replacement, prose)
    return prose
