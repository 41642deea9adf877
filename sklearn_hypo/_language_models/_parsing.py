"""What a language model answered, read tolerantly but never guessed.

What can be read in two ways is no answer: a question that is asked again costs little,
a wrong label is never found.
"""

import re
import unicodedata

from ._loose_json import FENCE, MISSING, build_object, load_json, strip_wrapping
from ._text import clean_text

# Models answer in the language of the text. Words that also mean something else where
# an answer would stand ("da", "ne") are not in here.
_YES = (
    *("yes", "true", "oui", "vrai", "ja", "jawohl", "wahr", "s\u00ed", "si", "s\u00ec"),
    *("verdadero", "verdadeiro", "vero", "sim", "waar", "tak", "prawda", "evet"),
    *("\u0434\u0430", "\u0442\u0430\u043a", "\u662f", "\u662f\u7684", "\u5bf9"),
    *("\u306f\u3044", "\uc608", "\ub124", "\u0646\u0639\u0645", "\u05db\u05df"),
)
_NO = (
    *("no", "false", "non", "faux", "nein", "falsch", "falso", "n\u00e3o", "nao"),
    *("nee", "onwaar", "nej", "nei", "nie", "fa\u0142sz", "hay\u0131r"),
    *("\u043d\u0435\u0442", "\u043d\u0456", "\u5426", "\u4e0d\u662f", "\u4e0d"),
    *("\u3044\u3044\u3048", "\uc544\ub2c8\uc694", "\uc544\ub2c8\uc624", "\u0644\u0627"),
    *("\u05dc\u05d0",),
)
_WORDS = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
_LABEL = r"""(?:(?:the\ |my\ )?(?:final\ )?(?:answer|verdict|response|output|label|a
    |r\u00e9ponse|antwort|respuesta|risposta|resposta|\u7b54\u6848|\u56de\u7b54)
    (?:\ is\ ?:?|\ ?[:\uff1a])\s*)?"""

_WORD = f"({'|'.join(sorted(_WORDS, key=len, reverse=True))})"
# Not before any other word: "no idea", "yes if you count pasta".
_AFTER = r"""(?=\s*(?:$|[.,;:!(){\n|/]|--?\s|\s-|[\u2013\u2014\u3001\u3002\uff0c])
    |\ (?:it|the|this|because)\b)"""

_FIRST = re.compile(_LABEL + _WORD + _AFTER, re.VERBOSE)
_LAST = re.compile(_LABEL + _WORD + r"[.!\u3002]?", re.VERBOSE)
_DECORATION = re.compile(r"</?(?:answer|b|strong)>|[*_`#>\"'\u2018\u2019\u201c\u201d]")
_CLAUSE_END = re.compile(r"[.,;:!?()\n|/\u2013\u2014\u3001\u3002\uff0c]|-\s|\s-")


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
        return _read_words(value)
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
        A JSON object from id to answer, or a list of objects `{"id", "answer"}`; also
        as Python writes them. In words, lines such as "c1: yes", or one answer to one
        question.
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
    found = load_json(text)
    given = _read_lines(text, ids) if _is_in_words(found) else _read_by_id(found)
    if any(_ID.fullmatch(name) for name in given.keys() - set(ids)):
        given = {}
    return {name: given.get(name) for name in ids}


def _is_in_words(found):
    return found is MISSING or isinstance(found, bool | str)


# An identifier, and what announces its answer.
_LINE_ID = re.compile(
    r"(?<!\w)(c\d+)(?!\w)[\s*_`\"')\].]*(?:[:=\u2013\u2014\uff1a]|-\s)", re.I
)


def _read_lines(text, ids):
    """Read answers in words: "c1: yes", or a single one to a single question."""
    text = strip_wrapping(text)
    if re.search(r"[{}\[\]]", text):
        return {}  # JSON that was cut
    if len(ids) == 1 and not _LINE_ID.search(text):
        return dict.fromkeys(ids, _read_words(text))
    _, *pieces = _LINE_ID.split(text)
    said = zip(pieces[::2], pieces[1::2], strict=True)
    return build_object(
        (name.casefold(), _read_words(answer.rstrip(" \n\t,;-*|")))
        for name, answer in said
    )


def _read_by_id(found):
    """Return what was answered under each name; nothing for any other JSON."""
    pairs = ()
    if isinstance(found, dict):
        pairs = found.items()
    elif isinstance(found, list) and all(map(_is_answer, found)):
        pairs = [(item["id"], item["answer"]) for item in found]
    return build_object(
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
_NOT_WORDS = ("{", "[{", '["', FENCE, "<html", "<!doctype")
_NOTHING = {"none", "n/a", "null", "unknown", "unclear", "no statement", "no name"}
# What a model says that took the prompt for another one: an answer, a label of the
# prompt, or a sentence about the feature in place of the texts.
_NO_CONTENT = re.compile(
    r"(?:(?:the|this|these|a|an|all|some|both|active|inactive|given) )*"
    r"(?:(?:texts?|statements?|hypothes[ie]s|propert(?:y|ies)|features?|concepts?|"
    r"neurons?|answers?|labels?)(?: ?[#a-d]?\d*)|(?:in)?active|c?\d+)"
    r"|(?:(?:the|this) )?(?:feature|neuron)(?: #?\d+)? (?:"
    r"(?:is|are|was|were|seems|appears) (?:\w+ )?(?:active|inactive|activated|present|"
    r"absent|triggered|on|off|about|that|related|associated)\b.*"
    r"|(?:is|are|was|were) (?:not )?[\"'\u201c\u2018].*"
    r"|(?:activates|fires|responds|detects|captures|represents|indicates)\b.*)"
)
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
    if plain in _WORDS or _NO_CONTENT.fullmatch(plain):
        return None
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
