"""Files of categories and their terms, as other programs write and read them.

A format is a row of `FORMATS`: from a text to `Contents` and back. What texts and terms
mean is none of its business, but for wildcards, which differ from format to format.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

# Fields of a line of LIWC's behind the term: numbers, and conditions such as
# "(02 134)125/464" or "<of>131/125", which may hold blanks.
_FIELD = re.compile(r"[^\s(<]*\([^)]*\)\S*|\S+")
_MARK = re.compile(r"^[ \t]*%[ \t]*$", re.MULTILINE)
_LEGEND = re.compile(r"(\d+)\s+(\S.*)")
_UNTABBED = re.compile(r"(\S.*?)\s+(\d[\d\s]*)")

# quanteda writes the terms of a category that has categories of its own under this key.
_OWN_TERMS = "__"


class Contents:
    """What stands in a dictionary, and what could not be read of it.

    Attributes
    ----------
    terms : dict of str to list of str
        The terms of each category, in order; those of categories of one name together.
    thresholds : dict of str to float
        Of the categories that have one.
    left_out : dict of str to list of str
        What could not be read, by the reason.
    """

    def __init__(self):
        self.terms = {}
        self.thresholds = {}
        self.left_out = defaultdict(list)

    def add(self, category, terms):
        """Add terms to a category, which is there from then on."""
        name = " ".join(category.split())
        if not name:
            raise ValueError(f"it has a category without a name: {list(terms)[:3]}")
        self.terms.setdefault(name, []).extend(terms)


# LIWC -----------------------------------------------------------------------------


def read_liwc(text):
    """Read a .dic file of LIWC 2001 to 2015: a legend between two "%", then terms."""
    lines = text.splitlines()
    marks = [i for i, line in enumerate(lines) if line.strip() == "%"]
    if len(marks) < 2:
        raise ValueError(
            'there is no legend of categories between two lines "%", as LIWC has it'
        )
    found, names = Contents(), {}
    for line in filter(None, map(str.strip, lines[marks[0] + 1 : marks[1]])):
        entry = _LEGEND.fullmatch(line)
        if entry:  # others are headings of groups
            names[int(entry[1])] = entry[2]
            found.add(entry[2], [])
    for line in filter(None, map(str.strip, lines[marks[1] + 1 :])):
        _read_liwc_entry(line, names, found)
    return found


def _read_liwc_entry(line, names, found):
    term, tab, rest = line.partition("\t")
    if not tab:
        entry = _UNTABBED.fullmatch(line)
        term, rest = entry.groups() if entry else (line, "")
    fields = _FIELD.findall(rest)
    if not fields:
        found.left_out["terms without a category"].append(term)
    for field in fields:
        if not (field.isascii() and field.isdigit()):
            found.left_out["conditions on the words around a term"].append(line)
        elif int(field) not in names:
            found.left_out["categories that the legend lacks"].append(field)
        else:
            found.add(names[int(field)], [term.strip()])


def write_liwc(terms, thresholds):
    """Write a .dic file: every term once, with the numbers of its categories."""
    numbers = defaultdict(list)
    for number, own in enumerate(terms.values(), start=1):
        for term in own:
            numbers[term].append(str(number))
    legend = [f"{number}\t{name}" for number, name in enumerate(terms, start=1)]
    entries = ["\t".join([term, *own]) for term, own in numbers.items()]
    return "\n".join(["%", *legend, "%", *entries]) + "\n"


# quanteda -------------------------------------------------------------------------


def read_quanteda(text):
    """Read YAML of categories within categories; "." joins their names."""
    yaml = _import_yaml()
    try:
        # an alias could hold itself, and no dictionary needs one
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ValueError("it has YAML aliases (*name), which dictionaries lack")
        # nodes, not values: "no" and "1984" are words, and no key is lost
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML ({' '.join(str(error).split())})") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("it has no categories at its top level, as quanteda has them")
    found = Contents()
    _read_yaml_node(root, (), found)
    return found


def _read_yaml_node(node, path, found):
    if node.id == "mapping":
        for key, value in node.value:
            if key.id != "scalar":
                raise ValueError("it has a category whose name is no text")
            own = () if key.value == _OWN_TERMS else (key.value,)
            _read_yaml_node(value, (*path, *own), found)
        return
    if not path:
        raise ValueError("it has terms outside of any category")
    items = node.value if node.id == "sequence" else [node]
    words = [item.value for item in items if item.id == "scalar" and item.value]
    if words or not items:
        found.add(".".join(path), words)
    for item in items:
        if item.id == "mapping":
            _read_yaml_node(item, path, found)
        elif item.id == "sequence":
            raise ValueError(f"{'.'.join(path)!r} has a list within its list of terms")


def write_quanteda(terms, thresholds):
    """Write YAML: a list of terms under each category."""
    yaml = _import_yaml()
    return yaml.safe_dump(terms, allow_unicode=True, sort_keys=False, width=10**6)


def _import_yaml():
    try:
        import yaml
    except ImportError as error:
        raise ImportError(
            "Dictionaries of quanteda are YAML, which needs the package PyYAML: "
            "pip install pyyaml"
        ) from error
    return yaml


# Empath and VADER -----------------------------------------------------------------


def read_empath(text):
    """Read lines of a category and its terms, separated by tabs; "_" joins words."""
    found = Contents()
    for line in filter(str.strip, text.splitlines()):
        category, *terms = line.split("\t")
        found.add(category, [_split_words(term) for term in terms if term.strip()])
    return found


def _split_words(term):
    """Put blanks between words; "-_-" and "^_^" have none."""
    return term.replace("_", " ") if any(map(str.isalnum, term)) else term


def write_empath(terms, thresholds):
    """Write a line per category."""
    lines = [[name, *(t.replace(" ", "_") for t in own)] for name, own in terms.items()]
    return "".join("\t".join(line) + "\n" for line in lines)


def read_vader(text):
    """Read lines of a token and its mean rating; its sign makes two categories.

    The tokens that are rated highest lead.
    """
    found = Contents()
    for category in ("positive", "negative"):
        found.add(category, [])
    rated = []
    for line in filter(str.strip, text.splitlines()):
        rating = _read_rating(line)
        if rating is None:
            raise ValueError(
                f"it has a line that is no token, tab and mean rating: {line[:60]!r}"
            )
        rated.append((rating, line.partition("\t")[0]))
    for rating, token in sorted(rated, key=lambda each: -abs(each[0])):
        if rating:
            found.add("positive" if rating > 0 else "negative", [token])
    return found


def _read_rating(line):
    try:
        rating = float(line.split("\t")[1])
    except (IndexError, ValueError):
        return None
    return rating if math.isfinite(rating) else None


# JSON, and mappings ---------------------------------------------------------------


def read_json(text):
    """Read an object of categories, each a list of terms; see `read_mapping`."""
    try:
        values = json.loads(text, object_pairs_hook=_refuse_repetition)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    return read_mapping(values)


def read_mapping(values):
    """Read a mapping of categories to terms, or to {"terms": …, "threshold": …}."""
    if not isinstance(values, Mapping):
        raise ValueError("it is no mapping of categories to lists of terms")
    found = Contents()
    for category, own in values.items():
        threshold = None
        if isinstance(own, Mapping):
            threshold, own = own.get("threshold"), own.get("terms")
        if isinstance(own, str) or not isinstance(own, list | tuple | set | frozenset):
            raise ValueError(
                f"{category!r} must have a list of terms, but {type(own).__name__} "
                "arrived"
            )
        words = sorted(own) if isinstance(own, set | frozenset) else own
        odd = [word for word in [category, *words] if not isinstance(word, str)]
        if odd:
            raise ValueError(f"categories and terms must be texts, but {odd[0]!r} is")
        found.add(category, words)
        if threshold is not None:
            found.thresholds[" ".join(category.split())] = threshold
    return found


def _refuse_repetition(pairs):
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it holds {twice!r} twice")
    return values


def write_json(terms, thresholds):
    """Write an object of lists; where there is a threshold, of terms and threshold."""
    values = {
        name: {"terms": own, "threshold": thresholds[name]}
        if thresholds.get(name)
        else own
        for name, own in terms.items()
    }
    return json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


# All of them ----------------------------------------------------------------------


class Format(NamedTuple):
    """How a kind of file is read and written.

    Parameters
    ----------
    read : callable
        From a text to `Contents`. Its errors end the sentence "FILE cannot be read: ".
    write : callable or None
        From terms by category, and thresholds, to a text.
    suffixes : tuple of str
        Of such files; several formats may have the same.
    wildcards : str
        Characters that stand for others wherever they are in a term.
    has_prefixes : bool
        Whether "sad*" stands for what begins so.
    has_thresholds : bool
        Whether it can say how many terms a text has to have.
    """

    read: Callable
    write: Callable | None
    suffixes: tuple[str, ...]
    wildcards: str = ""
    has_prefixes: bool = True
    has_thresholds: bool = False


FORMATS = {
    "liwc": Format(read_liwc, write_liwc, (".dic",), "*"),
    "quanteda": Format(read_quanteda, write_quanteda, (".yml", ".yaml"), "*?"),
    "empath": Format(
        read_empath, write_empath, (".tsv", ".empath"), has_prefixes=False
    ),
    "vader": Format(read_vader, None, (), has_prefixes=False),
    "json": Format(read_json, write_json, (".json",), has_thresholds=True),
}


def detect_format(name, text):
    r"""Return the name of the format of a file, by its suffix or what it holds.

    Parameters
    ----------
    name : str
        Of the file; may be empty.
    text : str
        What it holds.

    Returns
    -------
    format : str or None
        None if it is none of them.

    Examples
    --------
    >>> from sklearn_hypo._annotation._dictionary_formats import detect_format
    >>> detect_format("team.dic", ""), detect_format("", "good\t1.9\t0.9\n")
    ('liwc', 'vader')
    """
    found = find_format(name) or _guess_format(text)
    lines = list(filter(str.strip, text.splitlines()))
    if found == "empath" and lines and None not in map(_read_rating, lines):
        return "vader"
    return found


def find_format(name):
    """Return the name of the format that files of this name have; None if none has."""
    for format, each in FORMATS.items():
        if name.lower().endswith(each.suffixes):
            return format
    return None


def _guess_format(text):
    if _MARK.search(text):
        return "liwc"
    if text.lstrip().startswith("{"):
        return "json"
    return "empath" if "\t" in text.lstrip().partition("\n")[0] else None
