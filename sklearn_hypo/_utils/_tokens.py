"""How a text is cut into tokens: one rule for the embedding and for the lexicon.

What tells texts apart is often not a word: an emoticon, an exclamation mark, a word
behind asterisks. So these are tokens too, and "don't" stays one word. The pattern
uses possessive quantifiers, or bounds, where a run could be long, so that the time is
linear in the length of the text.
"""

import functools
import re

from ._characters import JOINER, MARKS, UNSPACED, normalize, normalize_with_origin
from ._segmentation import cut_into_characters

# What stands before an apostrophe in French, Italian and Catalan is a word of its own.
_ELIDED = re.compile(
    "([cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|un|gl|(?:d|n)?all|dell|nell|sull|quell"
    "|quest)'(..|[ay]$)"
)

# name@host.org: looked for where there is one, since looking takes half as long again
_HAS_MAIL = re.compile(r"[a-z0-9_]@[a-z0-9-]+\.[a-z0-9]")
_MAIL = r"(?<![\w.+-])[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,64}(?:\.[a-z0-9-]{2,64})++"

_LINK = "http://"

# No URL holds these
_ENDS = rf"\s<>\"“”„«»{{}}|\\^{UNSPACED}\u3000-\u3003\u3008-\u301f"
LINK = rf"(?:https?://|www\.)[^{_ENDS}]*+"


@functools.cache
def _compile(is_ascii, has_mail):
    """Compile the pattern of tokens; for ASCII it is quicker, and matches the same."""
    letter = r"\w" if is_ascii else rf"[^\W{UNSPACED}]"
    marked = r"\w*+" if is_ascii else rf"(?:{letter}|[{MARKS}]|{JOINER}(?=\w))*+"
    unspaced, any_letter = rf"[{UNSPACED}]", rf"(?:\w|[{MARKS}])*+"
    patterns = [
        # a link: what it points to is hardly ever seen twice
        LINK,
        # :) :-( ;D :'( =) -- with guards against x=(1, 2), a[1:] and 2:3
        r"(?<!\d)[:;][-'^o]?[()](?!\w)",
        r"(?<![\w\[|])[:;=][-'^o]?(?:[()\[\]|]|[dpo3](?!\w)|[/\\*](?![\w/\\*]))",
        r"(?<!\S)[()][-'^]?[:;=](?!\S)",
        # <3 </3 ^^ ^_^ -_- >.<
        r"(?<!\w)</?3++(?!\w)|\^[_.-]?\^|(?<![\w-])-_++-|>[_.]<",
        # a word hidden behind asterisks: **** or s***
        rf"(?<!\*)\*{{3,}}+|{letter}\*{{2,}}+{marked}",
        # #tag @name
        rf"(?<!\w)[@#](?:{letter}{marked}|{unspaced}{any_letter})",
        # 3.5  10,000  10:30
        r"\d++(?:[.,:]\d++)++",
        # a word, with the apostrophes inside it
        rf"{letter}{marked}(?:'{letter}{marked})*+",
        # words without blanks between them, which are cut afterwards
        rf"{unspaced}[{UNSPACED}{MARKS}]*+",
        r"[!?]",
        "[\U0001f1e6-\U0001f1ff]{2}",  # a flag
        # pictographs, one by one, without their modifiers
        "[\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f3fa\U0001f400-\U0001faff]",
    ]
    return re.compile("|".join([_MAIL] * has_mail + patterns))


_UNSPACED = re.compile(f"[{UNSPACED}]")
_BLANK_WITHIN = re.compile(f"(?<=[{UNSPACED}{MARKS}]) (?=[{UNSPACED}])")
_SEVERAL = re.compile(f"[{UNSPACED}]|{_ELIDED.pattern}")  # a token of several words


def tokenize(text, segment=None):
    """Cut a text into lower-cased tokens, emoticons and punctuation marks included.

    Words keep the apostrophes inside them, of whatever typography; every "!" and "?",
    also of full width or Arabic, is a token; emoticons, pictographs, hashtags,
    mentions, e-mail addresses and words hidden behind asterisks are one token each; a
    link becomes "http://". Other punctuation is dropped. Letters that are written in
    several ways are one letter, see `normalize`. Compatible with the `tokenizer` of
    scikit-learn's vectorizers.

    Parameters
    ----------
    text : str
        Any text; the time taken is linear in its length.
    segment : callable or None, default=None
        Cuts a run of letters that are written without blanks, see `load_segmenter`;
        None: into characters with their marks.

    Returns
    -------
    tokens : list of str
        In the order of the text. Joined by spaces and cut into characters again, they
        give the same tokens.

    Examples
    --------
    >>> from sklearn_hypo._utils._tokens import tokenize
    >>> tokenize("Don't go :( I <3 you!! www.example.org #sad")
    ["don't", 'go', ':(', 'i', '<3', 'you', '!', '!', 'http://', '#sad']
    """
    normal = normalize(text)
    tokens = _choose_pattern(normal).findall(normal)
    if "'" in normal or not normal.isascii():
        tokens = [part for token in tokens for part in _cut_token(token, segment)]
    if "http" in normal or "www." in normal or "<33" in normal:
        return [_name_token(token) for token in tokens]
    return tokens


def _choose_pattern(normal):
    return _compile(normal.isascii(), bool(_HAS_MAIL.search(normal)))


def _cut_token(token, segment):
    """Cut a token into words, if it is a run of several."""
    if not _SEVERAL.match(token):
        return (token,)
    if "'" in token:
        return token.split("'", 1)
    return (segment or cut_into_characters)(token)


def _name_token(token):
    """Give all links one name, and all hearts."""
    if token.startswith(("http://", "https://", "www.")):
        return _LINK
    return "<3" if token.startswith("<33") else token


def has_unspaced(text):
    """Tell whether a text has letters that are written without blanks."""
    return bool(_UNSPACED.search(text))


def write_term(term):
    """Return tokens that are joined by blanks as they are written in their script.

    Examples
    --------
    >>> from sklearn_hypo._utils._tokens import write_term
    >>> write_term("so sad"), write_term("很 好"), write_term("用 app")
    ('so sad', '很好', '用 app')
    """
    return _BLANK_WITHIN.sub("", term) if has_unspaced(term) else term


def find_token_spans(text, segment=None):
    """Return the tokens of `tokenize`, each with where it stands in the text.

    What is cut is a normalised text, so tokens are found there and carried back.

    Parameters
    ----------
    text : str
        Any text.
    segment : callable or None, default=None
        As `tokenize` takes it.

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
    normal, origin = normalize_with_origin(text)
    spans = []
    for match in _choose_pattern(normal).finditer(normal):
        end = match.start()
        for part in _cut_token(match.group(), segment):
            begin = normal.index(part, end)
            end = begin + len(part)
            span = origin[begin][0], origin[end - 1][1]
            spans.append((_name_token(part), *span))
    return spans


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
