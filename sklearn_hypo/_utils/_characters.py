"""Which characters are letters, which are one, and which stand for nothing.

What is written in several ways is one token: full-width letters and punctuation,
ligatures, the letters that Arabic and Persian keyboards share, vowel points, the
dotless i. The rules are those that search engines index by (Apache Lucene's
normalizers for Arabic and Persian among them).
"""

import re
import unicodedata

# Scripts written without blanks between words. Digits of theirs are numbers.
_THAI_LAO = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf"
_BURMESE = "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9fe\uaa60-\uaa7f"
_KHMER = "\u1780-\u17d3\u17d7\u17dc\u17dd"
CHINESE_JAPANESE = (
    "\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
SOUTHEAST_ASIAN = _THAI_LAO + _BURMESE + _KHMER
UNSPACED = CHINESE_JAPANESE + SOUTHEAST_ASIAN

_ARABIC = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff"
_HEBREW = "\u05d0-\u05ea"
JOINER = "\u200c"  # the zero-width non-joiner, which stands inside Persian words


def _list_marks():
    """Vowel signs and accents: part of a word, but no letters."""
    found, first = [], None
    for code in range(0x300, 0x20000):
        if unicodedata.category(chr(code)) in ("Mn", "Mc"):
            first = code if first is None else first
        elif first is not None:
            found.append(f"{chr(first)}-{chr(code - 1)}")
            first = None
    return "".join(found)


MARKS = _list_marks()

# Soft hyphens, zero-width characters and marks of direction; Arabic's tatweel and vowel
# points, Hebrew's points, and the quote by which it marks what is abbreviated. A
# zero-width space divides words where blanks do not, and a non-joiner stays between
# Arabic letters.
_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200d-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufe00-\ufe0f\ufeff\u0640\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
    f"|\u200b(?:(?![{SOUTHEAST_ASIAN}])|(?<![{SOUTHEAST_ASIAN}]\u200b))"
    f"|{JOINER}(?:(?![{_ARABIC}])|(?<![{_ARABIC}]{JOINER}))"
    f'|(?<=[{_HEBREW}])["\u05f4](?=[{_HEBREW}])'
)

# Composed, these would be other letters, which no dictionary and no reader knows: Thai
# and Lao am would be two, and Korean ㅋㅠ a syllable. They are put aside.
_ASIDE = {
    **{"\u0e33": "\ue0b3", "\u0eb3": "\ue0b4"},
    **{chr(code): chr(code + 0xB000) for code in range(0x3131, 0x3164)},
}
# Before compatibility forms are composed. A full-width mark ends a link before it.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2019\u2018\u02bc\u00b4`\u05f3", "'"),
        **{"\uff01": " !", "\uff1f": " ?", "\uff0c": " ,", "\uff1b": " ;"},
        **{"\uff08": " (", "\uff09": ") ", "\uff1a": " :"},
        # Arabic, Armenian, Ethiopic, Greek
        **dict.fromkeys("\u061f\u055e\u1367\u037e", " ?"),
        **dict.fromkeys("\u055c\u1944", " !"),  # Armenian, Limbu
        **{"\u066b": ".", "\u066c": ","},  # within Arabic numbers
        **_ASIDE,
    }
)
# Afterwards, one letter for one.
_LETTERS = str.maketrans(
    {
        **{aside: letter for letter, aside in _ASIDE.items()},
        **dict.fromkeys("\u0622\u0623\u0625\u0671", "\u0627"),  # alef
        **dict.fromkeys("\u0649\u06cc", "\u064a"),  # ya; in Urdu \u06d2 is another
        "\u06a9": "\u0643",  # kaf
        **{"\u0130": "i", "\u0131": "i"},  # capital I is both in Turkish
    }
)
_FOLDED = re.compile("[\u0622\u0623\u0625\u0671\u0649\u06cc\u06a9\u0130\u0131]")
_DECOMPOSED = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))


def normalize(text):
    """Return a text as it is cut into tokens: in lower case, one letter for one sound.

    Examples
    --------
    >>> from sklearn_hypo._utils._characters import normalize
    >>> normalize("ＨＩ！ İstanbul, أَحْمَد")
    'hi ! istanbul, احمد'
    """
    if text.isascii():
        return text.replace("`", "'").lower()
    return _fold(_IGNORED.sub("", text)).lower()


def _fold(text):
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_LETTERS)
    for pair, letter in _DECOMPOSED:
        text = text.replace(pair, letter)
    # an accent that stood behind the dot is composed with the letter
    return unicodedata.normalize("NFC", text.replace("i\u0307", "i"))


def has_folded_letters(text):
    """Tell whether `normalize` puts other letters in the place of some."""
    return not text.isascii() and bool(_FOLDED.search(text))


def lower(text):
    """Return a word in lower case, with its own letters, but nothing that is ignored.

    Examples
    --------
    >>> from sklearn_hypo._utils._characters import lower
    >>> lower("Işık"), lower("İyi"), lower("علـــی")
    ('işık', 'iyi', 'علی')
    """
    return _IGNORED.sub("", text).replace("\u0130", "i").lower()


def normalize_with_origin(text):
    """Return `normalize(text)`, and where each of its characters comes from.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    normal : str
        The normalized text.
    origin : list of (int, int)
        For each of its characters, begin and end in the text as it was written.
    """
    if text.isascii():
        return normalize(text), [(i, i + 1) for i in range(len(text))]
    kept, position = [], 0
    for match in _IGNORED.finditer(text):
        kept.extend(range(position, match.start()))
        position = match.end()
    kept.extend(range(position, len(text)))
    ends = [i + 1 for i in kept]
    cleaned = "".join(text[i] for i in kept)
    whole = _fold(cleaned)
    for cut in (_cut_characters, _cut_at_blanks, lambda text: [text]):
        pieces = cut(cleaned)
        normal = [_fold(piece) for piece in pieces]
        if "".join(normal) == whole:
            break
    origin, begin = [], 0
    for piece, new in zip(pieces, normal, strict=True):
        end = begin + len(piece)
        if new:
            # one letter may have two in lower case, whatever stands around it
            span = (kept[begin], ends[end - 1])
            origin += [span] * sum(len(c.lower()) for c in new)
        begin = end
    return whole.lower(), origin


def _cut_characters(text):
    """Cut before every character that is no accent on the one before."""
    pieces = []
    for character in text:
        if pieces and (unicodedata.combining(character) or character in "\u0e32\u0eb2"):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _cut_at_blanks(text):
    """Cut at blanks: nothing is composed across them."""
    return [piece for piece in re.split(r"(\s+)", text) if piece]
