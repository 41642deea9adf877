"""Putting a lexicon into words: one readable phrase, inflected variants together."""

import re

# "seen" and "class" do not double their last letter because of an ending
_NEVER_DOUBLED = frozenset("aeiouys")
_REPEATED_LETTER = re.compile(r"(\w)\1{2,}")


def lexicon_statement(terms):
    """Word a lexicon as a statement that is true or false of a text.

    Variants of one word stand together, joined by "/", in the place of the first.

    Parameters
    ----------
    terms : sequence of str
        The n-grams any of which makes the statement true; at least one.

    Returns
    -------
    statement : str
        One line.

    Examples
    --------
    >>> from sklearn_hypo._lexicon_wording import lexicon_statement
    >>> lexicon_statement(["thanks", "great", "thank", "thankful"])
    'mentions any of: thanks/thank/thankful, great'
    >>> lexicon_statement(["bored"])
    'mentions bored'
    """
    groups = group_variants(terms)
    statement = "mentions " if len(groups) == 1 else "mentions any of: "
    return statement + ", ".join("/".join(group) for group in groups)


def group_variants(terms):
    """Group terms that are forms of one word.

    Parameters
    ----------
    terms : sequence of str
        Terms of one or more words.

    Returns
    -------
    groups : list of list of str
        In the order of first appearance. Only single words are grouped.
    """
    groups = []
    for term in terms:
        home = next((g for g in groups if _are_variants(g[0], term)), None)
        if home is None:
            groups.append([term])
        else:
            home.append(term)
    return groups


def _are_variants(first, second):
    """Whether two single words are inflections or derivations of one stem."""
    if " " in first or " " in second:
        return False
    a, b = _stem(first), _stem(second)
    return a == b and any(c.isalpha() for c in a)


# English endings, long before short, with the letters a stem must keep
_ENDINGS = (
    ("fulness", 4),
    ("iness", 4),
    ("iest", 4),
    ("ily", 4),
    ("fully", 4),
    ("ness", 4),
    ("less", 4),
    ("ment", 4),
    ("able", 4),
    ("ful", 4),
    ("ings", 3),
    ("ing", 3),
    ("ies", 3),
    ("ied", 3),
    ("est", 4),
    ("ed", 3),
    ("es", 3),
    ("er", 4),
    ("ly", 4),
    ("in", 4),
    ("s", 3),
    ("y", 3),
    ("e", 3),
)


def _stem(word):
    """Strip possessives, drawn-out letters and English endings.

    A deliberately light rule: it only decides which terms of one short lexicon are
    written side by side, never what counts as a match.
    """
    word = _REPEATED_LETTER.sub(r"\1\1", word.removesuffix("'s"))
    for _ in range(2):  # "hopefully" loses two endings
        for ending, keep in _ENDINGS:
            stem = word.removesuffix(ending)
            if ending == "s" and word.endswith("ss"):
                continue  # "class" is no plural
            if stem != word and len(stem) >= keep:
                word = stem
                break
        else:
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in _NEVER_DOUBLED:
        word = word[:-1]  # "stopp(ed)" and "stop"
    return word
