"""Tokenizers by name or function: what the `tokenizer` of an estimator stands for."""

import pkgutil
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from ._callables import describe_callable
from ._characters import normalize, normalize_with_origin
from ._printable import shorten
from ._segmentation import SEGMENTERS, has_icu, load_segmenter
from ._tokens import find_token_spans, has_unspaced, tokenize
from ._warnings import warn

# Such a share of the texts is no exception.
_MANY = 0.1
_SHOWN = 40  # characters of what a function returned

# What a parameter `tokenizer` may be, for `_parameter_constraints`.
NAMES = ("auto", *SEGMENTERS)


def get_tokenizer(tokenizer="auto"):
    """Return the tokenizer that a `tokenizer` parameter stands for.

    Parameters
    ----------
    tokenizer : str, callable, None or what this returns, default="auto"
        "auto", "" or None: the rule of this package, with ICU's words where ICU is
        installed; the name of a segmenter: the rule with its words; a callable, or
        "module:name" of one, takes the place of the rule.

    Returns
    -------
    tokenizer : RuleTokenizer or FunctionTokenizer
        It can be compared, and pickled if the callable can.

    Raises
    ------
    ValueError
        For a name that is none.
    TypeError
        For a callable without a hash, by which equal ones are told.
    """
    if isinstance(tokenizer, RuleTokenizer | FunctionTokenizer):
        return tokenizer
    if tokenizer is None or tokenizer in ("", "auto"):
        return RuleTokenizer("icu" if has_icu() else "characters")
    if isinstance(tokenizer, str) and tokenizer in SEGMENTERS:
        return RuleTokenizer(tokenizer)
    if callable(tokenizer):
        if not isinstance(tokenizer, Hashable):
            raise TypeError(
                f"tokenizer={describe_callable(tokenizer)} has no hash, by which "
                "equal tokenizers are told. Give its class one, as "
                "@dataclass(frozen=True) does, or wrap it in a function."
            )
        return FunctionTokenizer(tokenizer)
    return FunctionTokenizer(_import_function(str(tokenizer)))


def warn_of_missing_words(texts, tokenizer):
    """Warn where "auto" cuts texts into characters for want of a dictionary."""
    if tokenizer != "auto" or has_icu():
        return
    n_unspaced = sum(map(has_unspaced, texts))
    if n_unspaced > _MANY * len(texts):
        warn(
            f"{n_unspaced:,} of {len(texts):,} texts are in a script that is written "
            "without blanks between words, and no dictionary of it is installed: they "
            "are cut into characters. For words: pip install "
            "'sklearn-hypo[languages]'; tokenizer='characters' says that this is meant."
        )


def name_tokenizer(tokenizer):
    """Return how a `tokenizer` is written down: a name, or "module:name"."""
    if not callable(tokenizer):
        return tokenizer or ""
    return f"{getattr(tokenizer, '__module__', '')}:{describe_callable(tokenizer)}"


def _import_function(name):
    reason = ""
    if ":" in name:
        try:
            function = pkgutil.resolve_name(name)
        except (ImportError, AttributeError, ValueError) as error:
            reason = f" ({error}; with PYTHONPATH=. modules of this folder can be)"
        else:
            if callable(function):
                return function
            reason = f" ({name} cannot be called)"
    raise ValueError(
        f"tokenizer={name!r} is no tokenizer. Use one of {', '.join(NAMES)}; a "
        "callable from a text to a list of tokens; or 'module:name' of one that can be "
        f"imported{reason}."
    )


@dataclass(frozen=True)
class RuleTokenizer:
    """The rule of `tokenize`, with words of some segmenter.

    Parameters
    ----------
    name : str
        Of the segmenter, see `load_segmenter`; loaded when a text needs it.
    """

    name: str

    def tokenize(self, text):
        """Return the tokens of a text."""
        return tokenize(text, self._segment)

    def find_spans(self, text):
        """Return (token, begin, end) for each token of a text."""
        return find_token_spans(text, self._segment)

    def name_for(self, terms):
        """Return what a hypothesis with these terms has to know, or ""."""
        return self.name if any(map(has_unspaced, terms)) else ""

    def _segment(self, run):
        return load_segmenter(self.name)(run)


@dataclass(frozen=True)
class FunctionTokenizer:
    """A function in the place of the rule.

    Parameters
    ----------
    function : callable
        Takes a text after `normalize`, as the vectorizers of scikit-learn hand theirs
        text in lower case, and returns tokens. Blanks within one become "_".
    """

    function: object

    def tokenize(self, text):
        """Return the tokens of a text."""
        return self._cut(normalize(text))

    def find_spans(self, text):
        """Return (token, begin, end); of one that is not found, an empty place."""
        normal, origin = normalize_with_origin(text)
        spans, position = [], 0
        for token in self._cut(normal):
            pattern = re.escape(token).replace("_", r"[\s_]+")
            match = re.compile(pattern).search(normal, position)
            place = origin[position - 1][1] if position else 0
            span = (place, place)
            if match and match.group():
                position = match.end()
                span = (origin[match.start()][0], origin[position - 1][1])
            spans.append((token, *span))
        return spans

    def name_for(self, terms):
        """Return what a hypothesis with these terms has to know: the function."""
        return self.function

    def _cut(self, normal):
        found = self.function(normal)
        is_list = isinstance(found, Iterable) and not isinstance(found, str)
        tokens = list(found) if is_list else [found]
        if not (is_list and all(isinstance(token, str) for token in tokens)):
            raise TypeError(
                f"tokenizer={describe_callable(self.function)} has to return a list "
                f"of str for a text; it returned {shorten(repr(found), _SHOWN)}."
            )
        return ["_".join(token.split()) for token in tokens if token.strip()]
