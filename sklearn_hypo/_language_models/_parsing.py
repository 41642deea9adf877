"""What a language model answered, read tolerantly but never guessed.

A small local model wraps its answer in a code fence, in Markdown, in reasoning or in
prose. That is taken off. What then can be read in two ways is no answer: a question
that is asked again costs little, a wrong label is never found.
"""

import json
import re
import unicodedata

from ._text import clean_text

# What `load_json` returns for a text without a JSON value (null is a value).
MISSING = object()

_THINK = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_FENCE = "```"
_LANGUAGE = re.compile(r"\s*\w*\s*")
_OUTSIDE = "\ufeff \t\r\n"

# A brace in prose that opens no JSON is rare, one that opens JSON which was cut is
# not. A bracket in prose is common, so only a list of objects counts.
_OPENING = re.compile(r"\{|\[\s*\{")


def _build_object(pairs):
    """Build an object; a name that is given several values has none of them."""
    found = {}
    for name, value in pairs:
        found[name] = value if found.get(name, value) == value else None
    return found


# strict=False: a line break within a string is no reason to lose an answer
_DECODER = json.JSONDecoder(object_pairs_hook=_build_object, strict=False)


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


def _strip_fence(text):
    inside = text[len(_FENCE) : -len(_FENCE)]
    if not (text.startswith(_FENCE) and text.endswith(_FENCE)):
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
            return MISSING
        found.append(value)
    return found[0] if found and all(value == found[0] for value in found) else MISSING


_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_LABEL = r"""(?:(?:the\ |my\ )?(?:final\ )?(?:answer|verdict|response|output|label|a)
    (?:\ is\ ?:?|:)\s*)?"""

_WORD = "(yes|no|true|false)"
# Not before any other word: "no idea", "yes if you count pasta".
_AFTER = r"""(?=\s*(?:$|[.,;:!(){\n|/]|--?\s|\s-|[\u2013\u2014])
    |\ (?:it|the|this|because)\b)"""

_FIRST = re.compile(_LABEL + _WORD + _AFTER, re.VERBOSE)
_LAST = re.compile(_LABEL + _WORD + r"[.!]?", re.VERBOSE)
_DECORATION = re.compile(r"</?(?:answer|b|strong)>|[*_`#>\"'\u2018\u2019\u201c\u201d]")
_CLAUSE_END = re.compile(r"[.,;:!?()\n|/\u2013\u2014]|-\s|\s-")


def parse_yes_no(text):
    """Return the answer to one question: True, False, or None if it is neither.

    Read are `yes` and `no` (`true` and `false`) alone, in Markdown or quotes, after
    `Answer:`, before a justification or on a line of their own after one, and as
    `{"answer": ...}`. An answer that says both, or something else, is None.
    """
    found = load_json(text)
    if isinstance(found, bool):
        return found
    said = _read_words(found if isinstance(found, str) else strip_wrapping(text))
    if not isinstance(found, dict) or "answer" not in found:
        return said
    answer = _read_truth(found["answer"])
    return answer if said in (None, answer) else None


def _read_truth(value):
    """Read a value of a JSON answer."""
    if isinstance(value, str):
        return _WORDS.get(value.strip(" \t\r\n.!*").casefold())
    # not 1.0, which may be a probability
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def _read_words(text):
    """Read an answer in words, unless another part of the text takes it back."""
    plain = _DECORATION.sub("", text).strip().casefold()
    last_line = plain.rpartition("\n")[2].strip()
    said = _FIRST.match(plain) or _LAST.fullmatch(last_line)
    if said is None:
        return None
    answer = _WORDS[said[1]]
    opposite = {word for word, truth in _WORDS.items() if truth is not answer}
    # A clause that starts or ends with the other word is a second answer; within a
    # clause ("there is no doubt") the word is part of a sentence.
    clauses = (clause.split() for clause in _CLAUSE_END.split(plain))
    ends = {word for clause in clauses if clause for word in (clause[0], clause[-1])}
    return None if ends & opposite else answer


_ID = re.compile(r"c\d+")


def parse_answers(text, ids):
    """Return the answers to several questions asked together.

    Parameters
    ----------
    text : str
        A JSON object from id to answer, or a list of objects `{"id", "answer"}`.
    ids : sequence of str
        What was asked: "c1", "c2", ...

    Returns
    -------
    answers : dict
        True, False or None for each of the ids, in their order. None are all if the
        text is not, or not completely, such an object, or if it has an answer to a
        question that was not asked: the others may be off by one. A name that is no
        id, such as "reason", is ignored.
    """
    given = _read_by_id(load_json(text))
    if any(_ID.fullmatch(name) for name in given.keys() - set(ids)):
        given = {}
    return {name: given.get(name) for name in ids}


def _read_by_id(found):
    """Return what was answered under each name; nothing for any other JSON."""
    pairs = ()
    if isinstance(found, dict):
        pairs = found.items()
    elif isinstance(found, list) and all(map(_is_answer, found)):
        pairs = [(item["id"], item["answer"]) for item in found]
    return _build_object(
        (name.strip().casefold(), _read_truth(value)) for name, value in pairs
    )


def _is_answer(item):
    return (
        isinstance(item, dict) and isinstance(item.get("id"), str) and "answer" in item
    )


_PREAMBLE = re.compile(
    r"(?:(?:sure|certainly|of course|okay)[,!.]\s*)?"
    r"(?:here(?: is|'s)[^:\n]{0,60}|"
    r"\**(?:the )?(?:statement|hypothesis|property|feature|concept|answer|name)"
    r"(?: is)?)"
    r"\s*(?:\*\*:|:\**)\s*",
    re.IGNORECASE,
)

_MARKER = re.compile(r"(?:[-+*\u2022\u2013\u2014>]|#{1,6}|\d{1,2}[.)])\s+")
_AROUND = (
    *((mark, mark) for mark in ("**", "__", "*", "_", "`", '"', "'")),
    *("\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb"),
)

_ABBREVIATION = re.compile(r"(?:\.|\b\w\.\w)\.\Z")
# JSON that was cut or is not what was asked for, a server's page of an error
_NOT_WORDS = ("{", "[{", '["', _FENCE, "<html", "<!doctype")
_NOTHING = {"none", "n/a", "null", "unknown", "unclear", "no statement", "no name"}
_REFUSAL = re.compile(
    r"(?:unfortunately|sorry)\s*[,.!]|sorry (?:but )?i\b"
    r"|(?:i'm|i am) (?:\w+ )?sorry\b|my apologies\b|i apologi[sz]e\b"
    r"|i (?:cannot|can't|can not|could not|couldn't|won't|will not|do not|don't)\b"
    r"|(?:i'm|i am) (?:unable|not able|not comfortable)\b|as an ai\b"
    r"|please provide\b|(?:could|can|would) you (?:please )?provide\b",
    re.IGNORECASE,
)


def parse_statement(text, max_length=200, *, field="statement"):
    """Return the statement that a model found, or None.

    Parameters
    ----------
    text : str
        `{"statement": "..."}`, or one line in plain words, perhaps with a bullet, in
        quotes, or after a preamble that ends in a colon.
    max_length : int, default=200
        Greatest number of characters. A longer statement is None, not cut: it is no
        hypothesis that a reader could check.
    field : str, default="statement"
        What a JSON answer calls it.

    Returns
    -------
    statement : str or None
        One line without control characters, invisible characters and marks that
        change the direction of writing, without quotes, bullet and Markdown around it
        and without a period at the end. It is not escaped for HTML. None also for a
        refusal, for JSON that was cut, and for several lines.
    """
    statement = _strip_decoration(_collapse(_find_statement(text, field)))
    plain = statement.replace("\u2019", "'").casefold()
    if plain in _NOTHING or _REFUSAL.match(plain) or plain.startswith(_NOT_WORDS):
        return None
    readable = len(statement) <= max_length and any(map(str.isalnum, statement))
    return statement if readable else None


def parse_name(text, max_words=6, max_length=60):
    """Return the name that a model gave, or None.

    As `parse_statement`, of `{"name": "..."}`; of no more than so many words and
    characters, and without signs at its end.
    """
    name = parse_statement(text, max_length, field="name") or ""
    name = name.rstrip(" .:;,")
    return name if name and len(name.split()) <= max_words else None


def _find_statement(text, field):
    """Return what stands where the statement should be, or ""."""
    found = load_json(text)
    if isinstance(found, dict):
        found = found.get(field)
    if found is not MISSING:
        return found if isinstance(found, str) else ""
    text = strip_wrapping(text)
    return "" if f'"{field}"' in text else _find_only_line(text)


def _find_only_line(text):
    """Return the line of a plain answer; a line above it may announce it."""
    lines = [line for line in map(_collapse, text.splitlines()) if line]
    if len(lines) == 2 and lines[0].endswith(":"):
        del lines[0]
    return lines[0] if len(lines) == 1 else ""


def _collapse(text):
    """Collapse white space and drop what cannot be seen."""
    # category Cf: zero-width characters, directional marks, tags
    seen = (c for c in clean_text(text) if unicodedata.category(c) != "Cf")
    return " ".join("".join(seen).split())


def _strip_decoration(statement):
    """Take off what stands around a statement, layer by layer."""
    before = None
    while statement != before:
        before = statement
        for lead in (_MARKER, _PREAMBLE):
            found = lead.match(statement)
            statement = statement[found.end() :] if found else statement
        statement = _strip_period(_strip_pair(statement))
    return statement


def _strip_pair(statement):
    """Remove quotes or Markdown marks around the whole statement."""
    for start, end in _AROUND:
        inner = statement[len(start) : -len(end)]
        around = statement.startswith(start) and statement.endswith(end)
        if around and inner.strip("*_ ") and end not in inner:
            return inner.strip()
    return statement


def _strip_period(statement):
    """Remove the period at the end, but not that of "U.S." or of "..."."""
    ends = statement.endswith(".") and not _ABBREVIATION.search(statement)
    return statement[:-1].rstrip() if ends else statement
