"""Words of scripts that are written without blanks.

Where words end is in no character: somebody has to know the words. ICU's dictionaries
do (Thai, Lao, Khmer, Burmese, Chinese, Japanese), and so do packages for one language.
Without them a text is cut into characters with their marks, which are never torn.
"""

import functools
import importlib
import re

from ._characters import CHINESE_JAPANESE, MARKS

# What a script calls one character, with all that is written around it.
_CLUSTER = re.compile(
    # Thai and Lao: vowels before and behind their consonant, and its tone
    "[\u0e40-\u0e44\u0ec0-\u0ec4]*[\u0e01-\u0e2e\u0e81-\u0eae\u0edc-\u0edf]"
    f"[{MARKS}\u0e30\u0e32\u0e33\u0e45\u0e46\u0eb0\u0eb2\u0eb3\u0ebd\u0ec6]*"
    # Burmese: a syllable goes up to the next consonant that is not killed or stacked
    f"|[\u1000-\u102a\u103f\u104e\u1050-\u108f\uaa60-\uaa7f\ua9e0-\ua9fe]"
    f"(?:[{MARKS}]|[\u1000-\u1021](?=\u1037?[\u103a\u1039]))*"
    # Khmer: consonants below the first one
    f"|[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[{MARKS}])*"
    # Japanese: small letters and the long vowel belong to the one before
    "|[\u3041-\u30ff\u31f0-\u31ff]"
    f"[ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮー{MARKS}]*"
    f"|.[{MARKS}]*",
    re.DOTALL,
)


def cut_into_characters(run):
    """Cut a run of letters into characters with their marks.

    Examples
    --------
    >>> from sklearn_hypo._utils._segmentation import cut_into_characters
    >>> cut_into_characters("မြန်မာ"), cut_into_characters("เด็ก")
    (['မြန်', 'မာ'], ['เด็', 'ก'])
    """
    return _CLUSTER.findall(run)


@functools.cache
def _load_icu():
    from icu4py.breakers import WordBreaker

    def cut(run):
        return list(WordBreaker(run, "en"))  # the dictionaries are those of the script

    return cut


@functools.cache
def _load_jieba():
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)  # it would tell that it loads its dictionary
    return functools.partial(jieba.lcut, cut_all=False)


@functools.cache
def _load_sudachi():
    from sudachipy import Dictionary

    dictionary = Dictionary()
    # as it is called since 0.7
    tokenizer = getattr(dictionary, "tokenizer", dictionary.create)()
    return lambda run: [word.surface() for word in tokenizer.tokenize(run)]


@functools.cache
def _load_pythainlp():
    from pythainlp.tokenize import word_tokenize

    return functools.partial(word_tokenize, engine="newmm")


_CHINESE = re.compile("[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CHINESE_JAPANESE = re.compile(f"[{CHINESE_JAPANESE}]")
_THAI = re.compile("[\u0e01-\u0e4e]")

# By name: how it is loaded, which letters it knows, and what installs it.
_SEGMENTERS = {
    "icu": (_load_icu, re.compile(""), "sklearn-hypo[languages]"),
    "jieba": (_load_jieba, _CHINESE, "jieba"),
    "sudachi": (_load_sudachi, _CHINESE_JAPANESE, "sudachipy sudachidict_core"),
    "pythainlp": (_load_pythainlp, _THAI, "pythainlp"),
}
SEGMENTERS = ("characters", *_SEGMENTERS)


@functools.cache
def has_icu():
    """Tell whether ICU's dictionaries are installed."""
    try:
        importlib.import_module("icu4py.breakers")
    except ImportError:
        return False
    return True


def load_segmenter(name):
    """Return the function that cuts a run of letters into words.

    Parameters
    ----------
    name : {"characters", "icu", "jieba", "sudachi", "pythainlp"}
        "characters" knows no words. What a package for one language does not know is
        cut by ICU, if that is installed, and else into characters.

    Returns
    -------
    cut : callable
        From a run of letters to its parts, which join to the run.

    Raises
    ------
    ImportError
        If the package is not installed; it says how to install it.
    """
    if name == "characters":
        return cut_into_characters
    load, script, package = _SEGMENTERS[name]
    try:
        cut = load()
    except ImportError as error:
        raise ImportError(
            f"tokenizer={name!r} needs a package that is not installed ({error}). "
            f"Install it with: pip install '{package}'; or set tokenizer='characters'."
        ) from error
    others = _load_icu() if has_icu() else cut_into_characters

    def cut_run(run):
        parts = cut(run) if script.search(run) else others(run)
        # words and what is left out between them would shift every place
        return parts if "".join(parts) == run else cut_into_characters(run)

    return cut_run
