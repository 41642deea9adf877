"""JSON as language models write it, found in an answer or found missing.

A small local model wraps its answer in a code fence, in Markdown, in reasoning or in
prose, or writes it as Python would. That is taken off. What then can be read in two
ways is no answer.
"""

import json
import re

# What `load_json` returns for a text without a JSON value (null is a value).
MISSING = object()

_THINK = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
FENCE = "```"
_LANGUAGE = re.compile(r"\s*\w*\s*")
_OUTSIDE = "\ufeff \t\r\n"

# A brace in prose that opens no JSON is rare, one that opens JSON which was cut is
# not. A bracket in prose is common, so only a list of objects counts.
_OPENING = re.compile(r"\{|\[\s*\{")


def build_object(pairs):
    """Build an object; a name that is given several values has none of them."""
    found = {}
    for name, value in pairs:
        found[name] = value if found.get(name, value) == value else None
    return found


# strict=False: a line break within a string is no reason to lose an answer
_DECODER = json.JSONDecoder(object_pairs_hook=build_object, strict=False)


def load_json(text):
    """Return the one JSON value in an answer, or MISSING.

    It may be the whole text, stand in a code fence, come after `</think>`, or be the
    only object (or list of objects) amid prose. Several objects that differ are no
    answer, and neither is a truncated one, even next to a complete one: which of them
    was meant is unknown. A name that an object gives twice, with different values, has
    the value None.
    """
    try:
        whole = _decode(text.strip(_OUTSIDE))
        if whole is not MISSING:
            return whole
        text = strip_wrapping(text)
        whole = _decode(text)
        return _find_only_object(text) if whole is MISSING else whole
    except RecursionError:  # "[[[[[": a broken server may send anything
        return MISSING


def strip_wrapping(text):
    """Return an answer without reasoning and code fence; "" if it still reasons."""
    text = text.strip(_OUTSIDE)
    marks = list(_THINK.finditer(text))
    if marks and not marks[-1][1]:
        return ""
    text = text[marks[-1].end() :].strip() if marks else text
    return _strip_fence(text)


def is_json_object(text):
    """Whether a text is a JSON object and nothing else."""
    return isinstance(text, str) and isinstance(_decode(text.strip(_OUTSIDE)), dict)


def is_only_reasoning(text):
    """Whether nothing comes after the reasoning that a text holds."""
    return bool(_THINK.search(text)) and not strip_wrapping(text)


def _strip_fence(text):
    inside = text[len(FENCE) : -len(FENCE)]
    if not (text.startswith(FENCE) and text.endswith(FENCE)):
        return text
    first, newline, others = inside.partition("\n")
    return (others if newline and _LANGUAGE.fullmatch(first) else inside).strip()


def _decode(text):
    try:
        return _DECODER.decode(text)
    except ValueError:  # also a number with thousands of digits
        return MISSING


def _find_only_object(text):
    found, position = [], 0
    while opening := _OPENING.search(text, position):
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except ValueError:
            if len(text) > _LONGEST:
                return MISSING
            # from here on, lest an apostrophe in prose opens a string
            text = _write_as_json(text[opening.start() :])
            try:
                value, position = _DECODER.raw_decode(text)
            except ValueError:
                return MISSING
        found.append(value)
    return found[0] if found and all(value == found[0] for value in found) else MISSING


# A string in either kind of quotes, a bare word, and a comma before the end.
_TOKEN = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<!\w)[^\W\d]\w*|,(?=\s*[}\]])""",
    re.DOTALL,
)
# Answers are short; expressions could take forever over what a broken server sends.
_LONGEST = 10_000
_LITERALS = {"None": "null", "True": "true", "False": "false"}


def _write_as_json(text):
    """Write an object of Python or JavaScript as JSON, and drop trailing commas."""
    return _TOKEN.sub(_write_token, text)


def _write_token(found):
    token = _LITERALS.get(found[0], found[0])
    if token == ",":
        return ""
    if token[0] == "'":
        inner = token[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inner}"'
    is_written = token[0] == '"' or token in _LITERALS.values()
    return token if is_written else f'"{token}"'
