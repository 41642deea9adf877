"""What could not be computed, and the warnings that say so by name."""

import re

from .._utils._printable import shorten

_SHOWN = 6  # names in one warning; the notes of the table name all

# What is wrong with a hypothesis: the note in its row of the table, and the warning,
# before and after the names.
_KINDS = {
    "unanswered": (
        "no answers",
        "Hypotheses without any answer",
        "They cannot be tested.",
    ),
    "constant": (
        "never or always true",
        "Hypotheses that hold for every answered text or for none",
        "They cannot be tested.",
    ),
    "untestable": (
        "too few texts to test",
        "Hypotheses that rest on too few texts, pairs or groups for a test to find "
        "anything",
        "They are not tested, which is decided without y.",
    ),
    "no_variance": (
        "no standard error of the separation",
        "Hypotheses with too little on one side (fewer than two texts, or one value "
        "of y) for the separation to have a standard error",
        "Standard error and p-value of the separation are NaN.",
    ),
    "constant_joint": (
        "constant in the joint regression",
        "Hypotheses that do not vary on the rows that answer all hypotheses",
        "They are not in the joint regression.",
    ),
    "twin": (
        "duplicate",
        "Hypotheses that repeat another one on every row of the joint regression",
        "Only the first of each is in it and is counted.",
    ),
    "dependent": (
        "combination of others",
        "Hypotheses that are linear combinations of others on every row of the joint "
        "regression",
        "They are not in it.",
    ),
    "separates": (
        "separates the classes",
        "Hypotheses that separate the classes, alone or together with others (some "
        "class is never, or always, where the hypothesis holds, or where it does not)",
        "Their maximum-likelihood coefficient would be infinite: the logit is fitted "
        "with Firth's penalty, which keeps it finite.",
    ),
    "empty_cell": (
        "some class never or always where it holds",
        "Hypotheses that never meet some class, or meet only one",
        "Their effects on the odds would be infinite: the multinomial logit is fitted "
        "with Firth's penalty, which keeps them finite.",
    ),
    "single": (
        "coefficient rests on one row or group",
        "Hypotheses whose joint coefficient rests on a single row or group",
        "What cannot be left out cannot be judged: standard error and p-value are NaN.",
    ),
    "skewed": (
        "skewed target, few texts on one side: p may be too small",
        "Hypotheses with few texts on one side, for a target as skewed as this",
        "The p-values of means may be too small. Test log(y) or ranks of y, if the "
        "question allows it.",
    ),
    "infinite_ratio": (
        "no finite ratio",
        "Hypotheses with counts of 0 alone, or one end of the levels, on one side, by "
        "themselves or beside others",
        "Their rate ratio, or cumulative odds ratio, has no interval.",
    ),
    "annotators": (
        "not estimated under every annotator",
        "Hypotheses that some annotators give no estimate of",
        "How far annotators differ is told by the others; with fewer than two there is "
        "no interval and no p-value.",
    ),
    "concordant": (
        "the same in both members of every pair",
        "Hypotheses that hold for both members or neither in every pair",
        "They cannot be tested.",
    ),
}


# Where a note on one hypothesis begins, among those that "; " joins
_BEGIN = re.compile(
    "(?:^|(?<=; ))(?:"
    + "|".join(re.escape(each[0]) for each in _KINDS.values())
    + r") \("
)


def split_notes(note):
    """Split the notes on one hypothesis into (kind, note) of each.

    Examples
    --------
    >>> from sklearn_hypo._inference._notes import split_notes
    >>> split_notes("no answers (0 of 9); duplicate (the same as 'a; b')")[0]
    ('no answers', 'no answers (0 of 9)')
    """
    found = list(_BEGIN.finditer(note))
    if not found:
        return [(note, note)] if note else []
    ends = [match.start() - 2 for match in found[1:]] + [len(note)]
    return [
        (match.group()[:-2], note[match.start() : end])
        for match, end in zip(found, ends, strict=True)
    ]


class Notes:
    """Collects what could not be computed, by hypothesis, for one warning a kind.

    Parameters
    ----------
    names : sequence of str
        The hypotheses.
    """

    def __init__(self, names):
        self._names = [str(name) for name in names]
        self._by_kind = {}
        self._sentences = []

    def name(self, j):
        """The hypothesis in quotes, shortened so that a message stays readable."""
        return repr(shorten(self._names[j], 80))

    def add(self, j, kind, detail):
        """Record a note of a known kind on hypothesis j."""
        self._by_kind.setdefault(kind, []).append((j, detail))

    def add_general(self, sentence):
        """Record a note on the whole."""
        self._sentences.append(sentence)

    def by_hypothesis(self):
        """One note per hypothesis; an empty string where all is well."""
        notes = [[] for _ in self._names]
        for kind, entries in self._by_kind.items():
            for j, detail in entries:
                notes[j].append(f"{_KINDS[kind][0]} ({detail})")
        return ["; ".join(parts) for parts in notes]

    def messages(self):
        """The texts of the warnings."""
        messages = []
        for kind, entries in self._by_kind.items():
            shown = [f"{self.name(j)} ({detail})" for j, detail in entries[:_SHOWN]]
            rest = len(entries) - len(shown)
            who = ", ".join(shown) + (f" and {rest} more" if rest else "")
            count = f"{len(entries)} of {len(self._names)}"
            _, before, after = _KINDS[kind]
            messages.append(f"{before} [{count}]: {who}. {after}")
        return messages + self._sentences
