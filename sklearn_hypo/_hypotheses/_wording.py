"""A dictionary in words: one line with its leading terms, unlike that of any other."""

import re

from .._utils._tokens import tokenize, write_term

# A dictionary of at most so many terms is written out.
_WRITTEN_OUT = 6

# Of a longer one, so many groups of terms lead.
_N_LEADING = 5

# Two statements are nearly equal if they share more than this of their leading groups.
_NEARLY_EQUAL = 0.5


def word_lexicon(terms, threshold=0.0, shown=None, *, english=True):
    """Word a dictionary as a statement that is true or false of a text.

    Variants of one word stand together, joined by "/", in the place of the first.

    Parameters
    ----------
    terms : sequence of str
        The dictionary, its leading terms first.
    threshold : float, default=0.0
        How many of 100 words have to be terms; 0: any.
    shown : sequence of str, default=None
        The terms to write out. None: all of a few, else the first five groups.
    english : bool, default=True
        Whether forms of a word are told by English endings; else no forms are.

    Returns
    -------
    statement : str
        In one line.

    Examples
    --------
    >>> from sklearn_hypo._hypotheses._wording import word_lexicon
    >>> word_lexicon(["thanks", "great", "thank", "thankful"])
    'mentions any of: thanks/thank/thankful, great'
    >>> word_lexicon(["bored"])
    'mentions bored'
    >>> word_lexicon(["room", "bed", "floor"], threshold=2.5)
    'writes much about: room, bed, floor (more than 2.5 words in 100)'
    >>> word_lexicon(["sad", "hurts", "tears", "lonely", "hurt", "grief", "woe"])
    'mentions any of: sad, hurts/hurt, tears, lonely, grief or 1 more term'
    """
    if shown is None:
        shown = terms if len(terms) <= _WRITTEN_OUT else list_leading(terms, english)
    groups = [
        "/".join(map(write_term, group)) for group in group_variants(shown, english)
    ]
    listed = ", ".join(groups)
    n_more = len(terms) - len(shown)
    more = f" or {n_more:,} more term{'s' * (n_more > 1)}" if n_more else ""
    if threshold:
        return (
            f"writes much about: {listed}{more} (more than {threshold:.10g} "
            f"word{'s' * (threshold != 1)} in 100)"
        )
    any_of = "" if len(groups) == 1 and not n_more else "any of: "
    return f"mentions {any_of}{listed}{more}"


def list_leading(terms, english=True):
    """Return the terms of the first groups of variants, at most three of each."""
    groups = group_variants(terms, english)
    return [t for group in groups[:_N_LEADING] for t in group[:3]]


def word_apart(lexicons, thresholds, *, english=True):
    """Word dictionaries so that no two statements are equal, or nearly.

    Where the leading terms of one are mostly those of an earlier one, its last places
    go to terms that no such earlier one has.

    Parameters
    ----------
    lexicons : sequence of sequence of str
        Each with its leading terms first.
    thresholds : sequence of float
        As `word_lexicon` takes them.
    english : bool, default=True
        As `word_lexicon` takes it.

    Returns
    -------
    statements : list of str
        Dictionaries with the same terms and threshold have one statement.
    """
    statements, shown_before = [], []
    for terms, threshold in zip(lexicons, thresholds, strict=True):
        shown = _tell_apart(terms, shown_before, english)
        statement = word_lexicon(terms, threshold, shown, english=english)
        rule = (frozenset(terms), threshold)
        statements.append(_make_unique(statement, rule, shown_before))
        shown_before.append((statements[-1], rule, shown, terms))
    return statements


def name_apart(names, lexicons):
    """Tell names of dictionaries apart where they are equal, or nearly.

    Two are nearly equal if they share more than half of the words of the shorter one,
    up to the forms of a word. The later one is then followed by its first term that
    the dictionaries of the earlier ones lack, and else by a number.

    Parameters
    ----------
    names : sequence of str
        In order.
    lexicons : sequence of sequence of str
        The terms of each, its leading ones first.

    Returns
    -------
    names : list of str
        No two are equal.

    Examples
    --------
    >>> from sklearn_hypo._hypotheses._wording import name_apart
    >>> name_apart(["sadness", "Deep sadness", "art"], [["cry"], ["cry", "alone"], []])
    ['sadness', 'Deep sadness (alone)', 'art']
    """
    found, before = [], []
    for name, terms in zip(names, lexicons, strict=True):
        words = tokenize(name)
        alike = [own for theirs, own in before if _share_groups(words, theirs)]
        known = {_make_variant_key(term) for own in alike for term in own}
        own = [t for t in terms if _make_variant_key(t) not in known]
        worded = [term for term in own if any(map(str.isalpha, term))]
        unique = f"{name} ({worded[0]})" if alike and worded else name
        before.append((words, terms))
        number = 1
        while unique in found or (alike and unique == name):
            number += 1
            unique = f"{name} [{number}]"
        found.append(unique)
    return found


def _tell_apart(terms, before, english):
    """Choose the terms to show; see `word_apart`."""
    if len(terms) <= _WRITTEN_OUT:
        return list(terms)
    leading = list_leading(terms, english)
    alike = [
        others
        for _, _, shown, others in before
        if _share_groups(leading, shown, english)
    ]
    if not alike:
        return leading
    kept = [t for group in group_variants(leading, english)[:2] for t in group]
    known = _list_keys([*kept, *(term for others in alike for term in others)], english)
    own = [term for term in terms if _make_variant_key(term, english) not in known]
    # two that lead, and what it has and they have not
    groups = group_variants(own, english)[:3]
    apart = kept + [t for group in groups for t in group[:3]]
    return apart if own else leading


def _share_groups(terms, others, english=True):
    """Tell whether two lists of terms share more than half of their groups."""
    first, second = _list_keys(terms, english), _list_keys(others, english)
    return len(first & second) > _NEARLY_EQUAL * min(len(first), len(second))


def _list_keys(terms, english):
    return {_make_variant_key(term, english) for term in terms}


def _make_unique(statement, rule, before):
    """Number a statement that stands for another dictionary already."""
    taken = {other: their_rule for other, their_rule, _, _ in before}
    unique, number = statement, 1
    while taken.get(unique, rule) != rule:
        number += 1
        unique = f"{statement} [{number}]"
    return unique


def group_variants(terms, english=True):
    """Group terms that are forms of one word, in the order of first appearance."""
    groups = {}
    for term in terms:
        groups.setdefault(_make_variant_key(term, english), []).append(term)
    return list(groups.values())


def _make_variant_key(term, english=True):
    """Return what forms of a single word share; any other term stands for itself."""
    if not english:
        return term
    stem = _stem(term)
    is_word = " " not in term and any(map(str.isalpha, stem))
    return (stem,) if is_word else term


# English endings, long before short, with the letters that a stem must keep.
_ENDINGS = [
    (ending, n_kept)
    for n_kept, endings in (
        (4, "fulness iness iest ily fully ness less ment able ful est er ly in"),
        (3, "ings ing ies ied ed es s y e"),
    )
    for ending in endings.split()
]

# "seen" and "class" do not double their last letter because of an ending
_NEVER_DOUBLED = frozenset("aeiouys")

_REPEATED_LETTER = re.compile(r"(\w)\1{2,}")


def _stem(word):
    """Strip possessives, drawn-out letters and English endings.

    A deliberately light rule: it only decides which terms of one short lexicon are
    written side by side, never what counts as a match.
    """
    word = _REPEATED_LETTER.sub(r"\1\1", word.removesuffix("'s"))
    for _ in range(2):  # "hopefully" loses two endings
        for ending, n_kept in _ENDINGS:
            stem = word.removesuffix(ending)
            if ending == "s" and word.endswith("ss"):
                continue  # "class" is no plural
            if stem != word and len(stem) >= n_kept:
                word = stem
                break
        else:
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in _NEVER_DOUBLED:
        word = word[:-1]  # "stopp(ed)" and "stop"
    return word
