"""How a text is cut into tokens: one rule for the embedding and for the lexicon.

What tells texts apart is often not a word: an emoticon, an exclamation mark, a word
behind asterisks. So these are tokens too, and "don't" stays one word. The pattern
uses possessive quantifiers only where a run could be long, so that the time is
linear in the length of the text.
"""

import re
import unicodedata

# Scripts written without spaces: one token per character, so that n-grams of
# characters do the work of words.
UNSPACED = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"


# Vowel signs and accents are part of a word, but `\w` does not match them.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0eff"
)


_LETTER = rf"[^\W{UNSPACED}]"


_LETTERS = rf"(?:{_LETTER}|[{_MARKS}])*+"

_TOKEN_PATTERN = "|".join(
    (
        # a link: what it points to is hardly ever seen twice
        r"(?:https?://|www\.)\S*+",
        # :) :-( ;D :'( =) -- with guards against x=(1, 2), a[1:] and 2:3
        r"(?<!\d)[:;][-'^o]?[()](?!\w)",
        r"(?<![\w\[|])[:;=][-'^o]?(?:[()\[\]|]|[dpo3](?!\w)|[/\\*](?![\w/\\*]))",
        r"(?<!\S)[()][-'^]?[:;=](?!\S)",
        # <3 </3 ^^ ^_^ -_- >.<
        r"(?<!\w)</?3++(?!\w)|\^[_.-]?\^|(?<![\w-])-_++-|>[_.]<",
        # a word hidden behind asterisks: **** or s***
        rf"(?<!\*)\*{{3,}}+|{_LETTER}\*{{2,}}+{_LETTERS}",
        # #tag @name
        rf"(?<!\w)[@#]{_LETTER}{_LETTERS}",
        # 3.5  10,000  10:30
        r"\d++(?:[.,:]\d++)++",
        # a word, with the apostrophes inside it
        rf"{_LETTER}{_LETTERS}(?:'{_LETTER}{_LETTERS})*+",
        rf"[{UNSPACED}]",
        r"[!?]",
        # pictographs, one by one, without their modifiers
        "[\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f3fa\U0001f400-\U0001faff]",
    )
)

_LINK = "http://"

_TOKEN = re.compile(_TOKEN_PATTERN)

_APOSTROPHES = ("\u2019", "\u2018", "\u02bc", "\u00b4", "`")

_STRAIGHT = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))


def tokenize(text):
    """Cut a text into lower-cased tokens, emoticons and punctuation marks included.

    Words keep the apostrophes inside them, of whatever typography; every "!" and
    "?" is a token; emoticons, pictographs, hashtags, mentions and words hidden
    behind asterisks are one token each; a link becomes "http://"; scripts written
    without spaces are cut into characters. Other punctuation is dropped.
    Compatible with the `tokenizer` of scikit-learn's vectorizers.

    Parameters
    ----------
    text : str
        Any text; the time taken is linear in its length.

    Returns
    -------
    tokens : list of str
        In the order of the text. Joined by spaces and cut again, they give the same
        tokens.

    Examples
    --------
    >>> from sklearn_hypo._utils._tokens import tokenize
    >>> tokenize("Don't go :( I <3 you!! www.example.org #sad")
    ["don't", 'go', ':(', 'i', '<3', 'you', '!', '!', 'http://', '#sad']
    """
    for apostrophe in _APOSTROPHES:
        text = text.replace(apostrophe, "'")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.lower()
    tokens = _TOKEN.findall(text)
    if "http" in text or "www." in text or "<33" in text:
        return [_name_token(token) for token in tokens]
    return tokens


def _name_token(token):
    """Give all links one name, and all hearts."""
    if token.startswith(("http://", "https://", "www.")):
        return _LINK
    return "<3" if token.startswith("<33") else token


def find_token_spans(text):
    """Return the tokens of `tokenize`, each with where it stands in the text.

    What is cut is a normalised text, so tokens are found there and carried back.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    spans : list of (str, int, int)
        Token, begin and end in the text as it was written.

    Examples
    --------
    >>> from sklearn_hypo._utils._tokens import find_token_spans
    >>> find_token_spans("THANK me!")
    [('thank', 0, 5), ('me', 6, 8), ('!', 8, 9)]
    """
    normal, origin = _normalize(text)
    return [
        (
            _name_token(match.group()),
            origin[match.start()][0],
            origin[match.end() - 1][1],
        )
        for match in _TOKEN.finditer(normal)
    ]


def _normalize(text):
    """What `tokenize` cuts, and for each of its characters where it comes from."""
    straight = text.translate(_STRAIGHT)
    if straight.isascii():
        return straight.lower(), [(i, i + 1) for i in range(len(text))]
    whole = unicodedata.normalize("NFKC", straight)
    for cut in (_cut_characters, _cut_at_blanks, lambda text: [text]):
        pieces = cut(straight)
        normal = [unicodedata.normalize("NFKC", piece) for piece in pieces]
        if "".join(normal) == whole:
            break
    origin, position = [], 0
    for piece, new in zip(pieces, normal, strict=True):
        span = (position, position + len(piece))
        # one letter may have two in lower case, whatever stands around it
        origin += [span] * sum(len(c.lower()) for c in new)
        position = span[1]
    return whole.lower(), origin


def _cut_characters(text):
    """Cut before every character that is no accent on the one before."""
    pieces = []
    for character in text:
        if pieces and unicodedata.combining(character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _cut_at_blanks(text):
    """Cut at blanks: nothing is composed across them."""
    return [piece for piece in re.split(r"(\s+)", text) if piece]


def make_ngrams(tokens, n_max):
    """Return the runs of 1 to `n_max` tokens, joined by spaces.

    Parameters
    ----------
    tokens : list of str
        What `tokenize` returns.
    n_max : int
        Length of the longest run.

    Returns
    -------
    terms : list of str
        All single tokens, then all pairs, and so on.

    Examples
    --------
    >>> from sklearn_hypo._utils._tokens import make_ngrams
    >>> make_ngrams(["so", "sad", "!"], 2)
    ['so', 'sad', '!', 'so sad', 'sad !']
    """
    terms = list(tokens)
    for n in range(2, n_max + 1):
        terms += [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return terms
