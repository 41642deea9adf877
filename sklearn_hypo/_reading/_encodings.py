"""Bytes and letters: which encoding a file is in, and which it may be in."""

import codecs
import io
import re
from contextlib import contextmanager, suppress

from .._utils._printable import pluralize, quote_value
from ..exceptions import InputError

_SHOWN = 40  # characters of what was found

_MARKS = (  # longest first: the mark of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Encodings to propose for a file that is not in UTF-8, each with what is frequent in
# texts of its language, and the share that this has of the characters outside of ASCII.
# First those of languages of which only some letters are outside of ASCII. In case of
# doubt, the first.
_MARKS_OF_TEXT = "‘’“”„«»–—…°§¿¡•€£©®´"
_OF_FEW_LETTERS = (
    ("cp1252", "éäöüßàèçñáíóúâêîôûùëïåæøãõœ" + _MARKS_OF_TEXT, 1.0),
    ("cp1250", "áéíóúýąćęłńśźżčďěňřšťůžőűöü" + _MARKS_OF_TEXT, 1.0),
    ("cp1254", "ğışöüçâî" + _MARKS_OF_TEXT, 1.0),
)
_OF_ALL_LETTERS = (
    ("cp1251", "оеаинтсрвлкм", 0.75),
    ("koi8-r", "оеаинтсрвлкм", 0.75),
    ("cp1253", "αοιετσνηρπκυίάόέ", 0.75),
    ("cp1255", "יוהלאתרםבמשנ", 0.75),
    ("cp1256", "المينرتوبدعه", 0.75),
    ("cp874", "านรอกเงมยลวดทสตะ่้ั", 0.7),
    ("cp932", "のにはをたがでてとしれさいもすなるこっんま", 0.4),
    ("cp949", "이다는에가을하고의지기도한은로사어리나", 0.35),
    ("gb18030", "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会", 0.25),
    ("big5", "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會", 0.25),
)

_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_LEAST_SCORE = 0.3
_OUTSIDE_ASCII = re.compile(rb"[\x80-\xff]")


def check_encoding(name):
    """Return a name of an encoding of texts that Python knows, or raise."""
    try:
        if not codecs.lookup(name)._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError) as error:
        raise InputError(
            f"the encoding {quote_value(name)} is not known. Use one such as utf-8, "
            "utf-16 or cp1252."
        ) from error
    # a mark at the beginning is no text
    return "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name


def find_mark(head):
    """Return the encoding that the first bytes name by a byte-order mark, or None."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def find_encoding(head, encoding=None):
    """Return the encoding that was asked for, else that of the mark, else UTF-8."""
    if encoding is not None:
        return check_encoding(encoding)
    return find_mark(head) or "utf-8"


def guess_utf16(head):
    """Return which UTF-16 bytes without a mark may be in; None if in neither."""
    n_pairs = len(head) // 2
    for name, zeros, others in (
        ("utf-16-le", head[1::2], head[::2]),
        ("utf-16-be", head[::2], head[1::2]),
    ):
        if zeros.count(0) > 0.4 * n_pairs and others.count(0) < 0.05 * n_pairs:
            return name
    return None


@contextmanager
def open_text(source, encoding):
    """Give a stream of the characters of a source, with line ends as they are."""
    with source.open() as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        try:
            yield text
        finally:
            text.detach()  # the stream is closed by whoever opened it


# Files that are not in the encoding they should be in --------------------------------


def describe_undecodable(source, encoding):
    """Return a message with the line and the byte that are not in an encoding."""
    name = "UTF-8" if encoding.startswith("utf-8") else encoding
    found = _find_undecodable(source, encoding)
    if found is None:  # of several bytes per character, whose lines are not told apart
        return f"{source} is not in {name}. Name the encoding by --encoding."
    number, position, line, is_mixed = found
    candidate = _propose_encoding(source, line)
    begin = max(position - _SHOWN // 2, 0)
    start = f"{source} is not in {name}: line {number} holds the byte 0x"
    start += f"{line[position]:02x} (its byte {position + 1}). "
    if is_mixed:
        return start + (
            "Other lines are, with letters outside of ASCII: the file is in several "
            "encodings. Write it again in one."
        )
    if candidate is None or candidate == encoding:
        return start + "Name the encoding that it was saved in by --encoding."
    reads = line[:begin].decode(candidate, "ignore"), line.decode(candidate, "ignore")
    excerpt = reads[1][len(reads[0]) :][:_SHOWN].strip()
    return start + (
        f"In {candidate} it reads {quote_value(excerpt)}: if that is right, add "
        f"--encoding {candidate}."
    )


def _find_undecodable(source, encoding):
    """Return where the first line is that is not in an encoding, and about the others.

    That is its number, the position of a byte in it, the line, and whether most lines
    with bytes outside of ASCII are in the encoding; None if lines cannot be told apart.
    """
    if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
        return None
    first, n_right, n_wrong = None, 0, 0
    with source.open() as stream:
        for number, line in enumerate(stream, start=1):
            try:
                n_right += len(line.decode(encoding)) != len(line)
            except UnicodeDecodeError as error:
                first = first or (number, error.start, line)
                n_wrong += 1
    return first and (*first, n_right > n_wrong)


def _propose_encoding(source, line):
    """Return the encoding in which the text looks most like one of its language."""
    sample = line + source.read_head()[0]
    words = [word for word in _WORD.findall(sample) if _OUTSIDE_ASCII.search(word)]
    mixed = sum(re.search(rb"[A-Za-z]", word) is not None for word in words)
    candidates = _OF_FEW_LETTERS if 2 * mixed > len(words) else _OF_ALL_LETTERS
    scores = {name: _score(sample, name, *rest) for name, *rest in candidates}
    best = max(scores, key=scores.get)
    return best if scores[best] > _LEAST_SCORE else None


def _score(sample, encoding, frequent, usual_share):
    """Return how much bytes in an encoding look like its language: at most 1."""
    # a character may be cut at the end of the sample
    text = sample.decode(encoding, "replace").rstrip("\ufffd")
    others = [character for character in text if character > "\x7f"][:10_000]
    if not others:
        return 0.0
    share = sum(character in frequent for character in others) / len(others)
    # what cannot be decoded weighs more than what is rare
    lost = 10 * others.count("\ufffd") / len(others)
    return min(share / usual_share, 1.0) - lost


# Texts that were decoded wrongly before they came here --------------------------------

_LOOKED_AT = 10_000  # texts
# A letter of UTF-8 in two or three bytes, each shown as a character of cp1252.
_MISREAD = re.compile(r"[Â-ô][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


def find_misread(texts):
    """Return a sentence on texts that hold traces of a wrong decoding, or None.

    Parameters
    ----------
    texts : sequence of str
        The first 10,000 are looked at.

    Returns
    -------
    note : str or None
        None where there is no trace.
    """
    texts = [text for text in texts[:_LOOKED_AT] if not text.isascii()]
    repaired = [(text, _repair(text)) for text in texts]
    misread = [pair for pair in repaired if pair[1] is not None]
    if misread:
        text, right = misread[0]
        begin = max(_MISREAD.search(text).start() - _SHOWN // 2, 0)
        shown = quote_value(text[begin:][:_SHOWN]), quote_value(right[begin:][:_SHOWN])
        return (
            f"in {pluralize(len(misread), 'text')} another program read UTF-8 as "
            f"cp1252, such as {shown[0]} for {shown[1]}: have them exported as UTF-8 "
            "again."
        )
    lost = [text for text in texts if "\ufffd" in text]
    if lost:
        begin = max(lost[0].index("\ufffd") - _SHOWN // 2, 0)
        return (
            f"in {pluralize(len(lost), 'text')} another program lost characters, such "
            f"as {quote_value(lost[0][begin:][:_SHOWN])}: have them exported as UTF-8 "
            "again."
        )
    return None


def _repair(text):
    """Return what a misread text was, or None if it was read rightly."""
    if not _MISREAD.search(text):
        return None
    for encoding in ("cp1252", "latin-1"):
        with suppress(UnicodeError):
            return text.encode(encoding).decode("utf-8")
    return None
