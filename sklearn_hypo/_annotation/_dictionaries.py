"""`read_dictionary`: categories that somebody else made, as hypotheses; and back."""

import codecs
import os
import re
from collections.abc import Mapping
from numbers import Real

from .._hypotheses._hypothesis import Hypothesis
from .._hypotheses._wording import word_apart
from .._style._statements import choose_cut
from .._utils._files import expand_path, write_text
from .._utils._printable import escape_surrogates, pluralize, shorten, to_printable
from .._utils._terms import compute_term_rates, parse_term
from .._utils._token_index import is_prefix
from .._utils._tokenizers import get_tokenizer, name_tokenizer
from .._utils._tokens import write_term
from .._utils._validation import Interval, StrOptions, check_texts, validate_params
from .._utils._warnings import warn
from ._dictionary_formats import (
    FORMATS,
    Format,
    detect_format,
    find_format,
    read_mapping,
)

# A word whose other signs stand between letters or digits, or end an abbreviation: a
# text that has it is cut as it is.
_PLAIN_WORD = re.compile(r"\w+(?:[^\w\s*]\w+)*[.*]?")


@validate_params(
    {
        "dictionary": "no_validation",
        "format": [StrOptions({"auto", *FORMATS})],
        "threshold": [
            Interval(Real, 0, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "texts": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def read_dictionary(dictionary, *, format="auto", threshold=None, texts=None):
    r"""Read the categories of a dictionary as hypotheses, to be tested like others.

    Parameters
    ----------
    dictionary : str, path-like, file or mapping
        A file by its path; an open one, of bytes or text; or a mapping of categories
        to lists of terms. A "*" at the end of a word stands for whatever follows.
        Bytes are UTF-8, with or without a byte order mark, UTF-16 with one, or else
        Windows-1252; pass an open text file for another encoding.
    format : {"auto", "liwc", "quanteda", "empath", "vader", "json"}, default="auto"
        What the file is; "auto" tells by its suffix, else by what it holds.

        - "liwc" (.dic): a legend of numbered categories between two lines "%", then
          terms and their numbers. LIWC's own file is licensed, and not part of this
          package; many others have this format.
        - "quanteda" (.yml, .yaml): lists of terms under categories, which may be
          within categories: their names are joined by ".".
        - "empath" (.tsv, .empath): a line per category: its name and its terms,
          separated by tabs; "_" joins the words of a term.
        - "vader": a line per token: the token and its mean rating, separated by a tab;
          read as two categories, by the sign of the rating, the strongest first.
        - "json" (.json): {category: [terms]}, or, where a category has a threshold,
          {category: {"terms": [terms], "threshold": number}}.
    threshold : float, "auto" or None, default=None
        A category is true of a text in which more than so many of 100 tokens are its
        terms; 0: in which there is any. "auto": cut where `texts` divide best (Otsu's
        method), blind to any target. None: the category's own, mostly 0. Where texts
        are long, nearly all contain some word of a large category: take another than
        0.
    texts : sequence of str or None, default=None
        For ``threshold="auto"``: texts such as those to be annotated, best those in
        training.

    Returns
    -------
    categories : list of Hypothesis
        In the order of the dictionary, each with the category's `name`, its `terms`
        and its `threshold`. Categories of one name are joined.

    Raises
    ------
    ValueError
        If the file is not of its format, or no category has a term that texts can
        contain.
    ImportError
        For "quanteda", if the package PyYAML is not installed.
    OSError
        If the file cannot be read.

    Warns
    -----
    HypothesisWarning
        Counts what was left out: terms that texts, as they are cut, cannot contain
        ("%)"), wildcards elsewhere than at the end of a word, LIWC's conditions on the
        words around a term, numbers that the legend lacks, categories without terms.

    See Also
    --------
    LexiconAnnotator.from_dictionary : Annotates by a dictionary.
    HypothesisExtractor.to_dictionary : Writes the dictionaries that were found.

    References
    ----------
    .. [1] Tausczik and Pennebaker 2010, "The psychological meaning of words: LIWC and
       computerized text analysis methods", Journal of Language and Social Psychology
       29(1), 24-54.
    .. [2] Benoit, Watanabe, Wang, Nulty, Obeng, Müller and Matsuo 2018, "quanteda: An R
       package for the quantitative analysis of textual data", JOSS 3(30), 774.
    .. [3] Fast, Chen and Bernstein 2016, "Empath: Understanding topic signals in
       large-scale text" (arXiv 1602.06979).
    .. [4] Hutto and Gilbert 2014, "VADER: A parsimonious rule-based model for sentiment
       analysis of social media text", ICWSM.

    Examples
    --------
    >>> import io
    >>> from sklearn_hypo import read_dictionary
    >>> liwc = "%\n1\tgratitude\n2\tgrief\n%\nthank*\t1\ncry\t2\ntears\t2\n"
    >>> for category in read_dictionary(io.StringIO(liwc)):
    ...     print(category.label)
    gratitude: mentions thank*
    grief: mentions any of: cry, tears
    >>> read_dictionary({"grief": ["cry", "tears"]}, threshold=2.5)[0].statement
    'writes much about: cry, tears (more than 2.5 words in 100)'
    """
    name, contents, format = _read_contents(dictionary, format)
    terms = _select_terms(contents, format)
    if contents.left_out:
        warn(f"read_dictionary left out of {name}: {_count(contents.left_out)}.")
    if not terms:
        raise ValueError(
            f"read_dictionary: {name} has no category with a term that can be looked "
            "for."
        )
    thresholds = _find_thresholds(terms, contents.thresholds, threshold, texts)
    return _word_categories(terms, thresholds)


# Reading --------------------------------------------------------------------------


def _read_contents(dictionary, format):
    """Return the name of a dictionary, what it holds, and its `Format`."""
    if isinstance(dictionary, Mapping):
        name, read = "the mapping", read_mapping
        format, text = FORMATS["json"], dictionary
    else:
        path, text = _read_text(dictionary)
        name = repr(path) if path else "the file"
        found = detect_format(path, text) if format == "auto" else format
        if found is None:
            raise ValueError(
                f"read_dictionary: {name} is in no format that is known. Name it: "
                f"format= one of {', '.join(FORMATS)}."
            )
        format = FORMATS[found]
        read = format.read
    try:
        return name, read(text), format
    except ValueError as error:
        raise ValueError(f"read_dictionary: {name} cannot be read: {error}.") from error


def _read_text(source):
    """Return the name of a file, "" if it has none, and its text."""
    if isinstance(source, str | os.PathLike):
        name, content = os.fspath(source), expand_path(source).read_bytes()
    elif hasattr(source, "read"):
        name, content = getattr(source, "name", ""), source.read()
    else:
        raise TypeError(
            "read_dictionary expects a path, an open file or a mapping of categories "
            f"to terms, but {type(source).__name__} arrived."
        )
    text = content if isinstance(content, str) else _decode(content)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return name if isinstance(name, str) else "", text


def _decode(content):
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _select_terms(contents, format):
    """Return the terms by category, without repetition, that can be looked for."""
    found = {}
    for category, terms in contents.terms.items():
        kept = []
        for term in dict.fromkeys(" ".join(term.split()) for term in terms):
            trouble = _find_trouble(term, format)
            if trouble:
                contents.left_out[trouble].append(term)
            else:
                kept.append(term)
        if kept:
            found[category] = tuple(kept)
        else:
            contents.left_out["categories without terms"].append(category)
    return found


def _find_trouble(term, format):
    """Say why a term of a file cannot be looked for; None if it can."""
    if not all(_has_known_wildcards(word, format) for word in term.split()):
        return "terms with wildcards other than * at the end of a word"
    if not parse_term(term) or not all(map(_is_read_whole, term.split())):
        return "terms of signs that texts are read without"
    return None


def _has_known_wildcards(word, format):
    """Tell whether only a "*" at its end stands for other characters in a word."""
    stem = word[:-1] if is_prefix(word) else word
    return not any(sign in stem for sign in format.wildcards)


def _is_read_whole(word):
    """Tell whether a word is more than its tokens: "8)" is not to be found as "8"."""
    tokens = "".join(parse_term(word))
    return tokens == word.lower() or bool(_PLAIN_WORD.fullmatch(word))


def _count(left_out):
    return "; ".join(
        f"{reason}, {len(examples):,} (such as {shorten(examples[0])!r})"
        for reason, examples in left_out.items()
    )


def _find_thresholds(terms, own, threshold, texts):
    """Return the threshold of each category."""
    if threshold == "auto":
        if texts is None:
            raise ValueError(
                'read_dictionary: threshold="auto" is chosen on texts: pass texts=, '
                "best those in training."
            )
        texts = check_texts(texts, caller="read_dictionary")
        lexicons = [list(map(parse_term, each)) for each in terms.values()]
        return [choose_cut(rates) for rates in compute_term_rates(texts, lexicons).T]
    if threshold is not None:
        return [float(threshold)] * len(terms)
    for category, value in own.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0:
            raise ValueError(
                f"read_dictionary: the threshold of {category!r} must be a number of "
                f"terms in 100 tokens, 0 or more, but {value!r} arrived."
            )
    return [float(own.get(category, 0)) for category in terms]


def _word_categories(terms, thresholds):
    """Return categories as hypotheses, whose statements differ."""
    statements = word_apart(list(terms.values()), thresholds)
    categories = []
    for (name, own), threshold, statement in zip(
        terms.items(), thresholds, statements, strict=True
    ):
        if statements.count(statement) > 1:  # the same words under several names
            statement = f"{statement}, of {name}"
        categories.append(
            Hypothesis(statement, terms=own, threshold=threshold, name=name)
        )
    return categories


# Writing --------------------------------------------------------------------------


def write_dictionary(hypotheses, path, *, format, caller):
    """Write the terms of hypotheses as a dictionary, or return them as a dict.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
        Those without terms are left out, with a warning.
    path : str, path-like or None
        Where to write, all or nothing. None returns a dict.
    format : str
        A name of `FORMATS`, or "auto": by the suffix of the path.
    caller : str
        For messages.

    Returns
    -------
    terms : dict of str to list of str, or None
        By the names of the hypotheses, or their leading terms.
    """
    with_terms = [h for h in hypotheses if h.terms]
    if not with_terms:
        raise ValueError(
            f"{caller}: none of {pluralize(len(hypotheses), 'hypothesis')} has terms. "
            "Statements that a model judges, or that a measure decides, are in no "
            "dictionary."
        )
    left_out = {}
    without = [h.label for h in hypotheses if not h.terms]
    if without:
        left_out["hypotheses without terms"] = without
    names = _name_categories(with_terms)
    if path is None:
        found = {
            name: list(map(write_term, hypothesis.terms))
            for name, hypothesis in zip(names, with_terms, strict=True)
        }
    else:
        format = _choose_format(path, format, caller)
        found = _write_file(names, with_terms, path, format, left_out)
    if left_out:
        warn(f"{caller} left out: {_count(left_out)}.")
    _warn_of_tokenizers(with_terms, caller)
    return found


def _warn_of_tokenizers(hypotheses, caller):
    """Warn of terms that are words only to a tokenizer that no dictionary names."""
    known = {"", get_tokenizer("auto").name}
    own = dict.fromkeys(name_tokenizer(h.tokenizer) for h in hypotheses)
    others = [name for name in own if name not in known]
    if others:
        warn(
            f"{caller}: the terms are words of tokenizer={' and '.join(others)}, which "
            "a dictionary does not say. Where it is read, texts have to be cut "
            "likewise: LexiconAnnotator(tokenizer=...).fit([], read_dictionary(...))."
        )


def _choose_format(path, format, caller):
    writable = {name: each for name, each in FORMATS.items() if each.write}
    found = find_format(os.fspath(path)) if format == "auto" else format
    if found not in writable:
        suffixes = ", ".join(each.suffixes[0] for each in writable.values())
        arrived = f"format={format!r}" if format != "auto" else repr(os.fspath(path))
        raise ValueError(
            f"{caller}: {arrived} tells no format that dictionaries are written in. "
            f"Name a file that ends in {suffixes}, or pass format= one of "
            f"{', '.join(writable)}."
        )
    return writable[found]


def _write_file(names, hypotheses, path, format: Format, left_out):
    terms = {}
    for name, hypothesis in zip(names, hypotheses, strict=True):
        written = list(map(write_term, hypothesis.terms))
        kept = [term for term in written if _can_hold(format, term)]
        lost = [term for term in written if term not in set(kept)]
        if lost:
            left_out.setdefault(
                "terms that would stand for others in this format", []
            ).extend(lost)
        if kept:
            terms[name] = kept
    thresholds = {name: h.threshold for name, h in zip(names, hypotheses, strict=True)}
    over = [name for name, threshold in thresholds.items() if threshold]
    if over and not format.has_thresholds:
        left_out["thresholds, which only JSON holds"] = over
    write_text(path, escape_surrogates(format.write(terms, thresholds)))


def _can_hold(format, term):
    words = term.split()
    return all(_has_known_wildcards(word, format) for word in words) and (
        format.has_prefixes or not any(map(is_prefix, words))
    )


def _name_categories(hypotheses):
    """Name each by its name or its leading terms, so that all differ."""
    names, taken = [], set()
    for hypothesis in hypotheses:
        name = first = to_printable(
            hypothesis.name or ", ".join(map(write_term, hypothesis.terms[:3]))
        )
        number = 1
        while name in taken:
            number += 1
            name = f"{first} ({number})"
        taken.add(name)
        names.append(name)
    return names
