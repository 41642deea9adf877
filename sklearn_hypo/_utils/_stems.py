"""What forms of one word share, roughly, in languages with endings and clitics."""

import re

# The first four characters stand in for a stemmer: they bring "thanks", "thank" and
# "thankful" together in any language with suffixes. Of Korean, whose characters are
# syllables, two do: particles follow the noun.
_BEGINNING = 4
_SYLLABLES = 2

_HANGUL = re.compile("[\uac00-\ud7a3]")
_ARABIC = re.compile("[\u0621-\u064a]")
_HEBREW = re.compile("[\u05d0-\u05ea]")

# "and the", "with the", ... and "her", "them", plurals and feminines: light10 of
# Larkey, Ballesteros and Connell (2007), Light stemming for Arabic information
# retrieval. What is left keeps as many letters as are named.
_ARABIC_AND = re.compile("^\u0648(?=.{3})")
_ARABIC_THE = re.compile(
    "^(?:\u0627\u0644|\u0648\u0627\u0644|\u0628\u0627\u0644|\u0643\u0627\u0644"
    "|\u0641\u0627\u0644|\u0644\u0644)(?=.{2})"
)
_ARABIC_ENDINGS = ("ها", "ان", "ات", "ون", "ين", "يه", "ية", "ه", "ة", "ي")
# "and", "the", "in", "to", "from", "that", "as": one letter each
_HEBREW_CLITICS = re.compile(
    "^[\u05d5\u05d4\u05d1\u05dc\u05de\u05e9\u05db]{1,2}(?=.{3})"
)


def abbreviate(token):
    """Return what a token shares with other forms of its word; "" if it is short.

    Examples
    --------
    >>> from sklearn_hypo._utils._stems import abbreviate
    >>> [abbreviate(word) for word in ("thankful", "sad", "커피를", "والكتاب")]
    ['than', '', '커피', 'كتاب']
    """
    if token.isascii():
        return token[:_BEGINNING] if len(token) > _BEGINNING else ""
    if _HANGUL.match(token):
        return token[:_SYLLABLES] if len(token) > _SYLLABLES else ""
    if _ARABIC.match(token):
        return _strip_arabic(token)
    if _HEBREW.match(token):
        token = _HEBREW_CLITICS.sub("", token)
        return token[:_BEGINNING] if len(token) > 2 else ""
    return token[:_BEGINNING] if len(token) > _BEGINNING else ""


def _strip_arabic(word):
    """Take off prefixes and suffixes; a word that has none is its own stem."""
    word = _ARABIC_THE.sub("", _ARABIC_AND.sub("", word))
    for ending in _ARABIC_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            word = word.removesuffix(ending)
    return word if len(word) > 2 else ""
