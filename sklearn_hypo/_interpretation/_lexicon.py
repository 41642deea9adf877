"""`LexiconInterpreter`: neurons in words without a language model."""

import re
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .._hypotheses._fidelity import (
    Fidelity,
    compute_correlation_error,
    make_fidelity_target,
)
from .._hypotheses._hypothesis import Hypothesis
from .._hypotheses._protocols import Candidate, Interpretation
from .._utils._terms import contains_any, find_vocabulary, mark_terms
from .._utils._validation import Interval, StrOptions
from ._lexicon_search import TermIndex, search_terms
from ._sampling import split_at_random

# A term in more than this share of the texts tells little about any one of them.
_COMMON = 0.1

# Shares of the distinct texts to search, to compare and to report on.
_PARTS = (0.8, 0.1, 0.1)

# A lexicon that is less plain has to be better by so many standard errors.
_MARGIN = 2.0

# Where texts are few, standard errors are large: no more correlation than this is
# given up for plainness.
_LARGEST_LOSS = 0.05


class LexiconInterpreter(BaseEstimator):
    r"""Describe a neuron by the few terms that agree best with its activation.

    The hypothesis "mentions any of: thanks/thank, great" marks a text if it contains
    at least one of the terms: words, word pairs, emoticons, "!" or "?". For every
    neuron, the terms whose union correlates best with the neuron being active are
    searched for on one part of the training texts; several such lexicons (words
    only, with word pairs, without and with terms that more than a tenth of the texts
    contain) are compared on a second part; the fidelity of the chosen one is
    measured on a third. The search sees texts and activations and never the target:
    what a lexicon predicts, it predicts because the neuron does.

    Parameters
    ----------
    max_terms : int, default=10
        The most terms in one hypothesis.

    max_words : int, default=2
        Longest term, in words. 1 looks at single words only.

    min_df : int or "auto", default="auto"
        Texts of the first part that must contain a term. "auto": one in a thousand,
        at least 3.

    max_texts : int or None, default=50_000
        Distinct texts used, drawn at random when there are more. None: all.

    See Also
    --------
    LexiconAnnotator : Finds the terms in new texts.

    Notes
    -----
    With r the correlation of a lexicon's mark with the activation on the second part,
    the plainest lexicon within two standard errors :math:`(1 - r^2) / \sqrt{n}` of
    the best is chosen (a stricter form of the one-standard-error rule of Breiman,
    Friedman, Olshen and Stone 1984), but never at the price of more than 0.05 in r:
    common words have to earn their place. Equal texts are kept in one part. The parts
    are 80, 10 and 10 % of the distinct texts.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import LexiconInterpreter
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(1000, n_concepts=1, random_state=0)
    >>> texts = np.array(data.data, dtype=object)
    >>> interpreted = LexiconInterpreter(max_terms=3).interpret(
    ...     texts, data.truth.astype(float), ["neuron000"],
    ...     random_state=np.random.RandomState(0),
    ... )
    >>> print(interpreted[0].candidates[0].hypothesis)
    mentions any of: thanks, owe, appreciate
    """

    _parameter_constraints = {
        "max_terms": [Interval(Integral, 1, None, closed="left")],
        "max_words": [Interval(Integral, 1, 5, closed="both")],
        "min_df": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_texts": [Interval(Integral, 3, None, closed="left"), None],
    }

    def __init__(self, max_terms=10, *, max_words=2, min_df="auto", max_texts=50_000):
        self.max_terms = max_terms
        self.max_words = max_words
        self.min_df = min_df
        self.max_texts = max_texts

    def interpret(self, texts, activations, neurons, *, annotator=None, random_state):
        """Find a lexicon for every neuron.

        Parameters
        ----------
        texts, activations, neurons : ndarray, ndarray, sequence of str
            As in `Interpreter.interpret`.
        annotator : None
            Not used: a lexicon is checked exactly, by looking for its terms.
        random_state : RandomState
            Splits the texts.

        Returns
        -------
        interpretations : list of Interpretation
            One per neuron. Without candidates where no term goes with the neuron.
        """
        self._validate_params()
        search, compare, report = self._split(texts, random_state)
        lexicons = self._search(texts[search], activations[search])
        terms = sorted({t for found in lexicons for lexicon in found for t in lexicon})
        scored = []
        for rows in (compare, report):
            presence = mark_terms(texts[rows], terms)
            marks = [contains_any(presence, terms, found) for found in lexicons]
            scored.append(_measure_lexicons(marks, activations[rows]))
        return [
            _choose_lexicon(*each)
            for each in zip(neurons, lexicons, *scored, strict=True)
        ]

    def _split(self, texts, random_state):
        """Split the rows so that equal texts are in one part."""
        code, distinct = pd.factorize(texts)
        n_used = len(distinct) if self.max_texts is None else self.max_texts
        order = random_state.permutation(len(distinct))[:n_used]
        if len(order) < 3:
            # nothing can be held out of so few texts: all are seen by each part
            return [np.arange(len(texts))] * 3
        parts = split_at_random(len(order), _PARTS, random_state)
        return [np.flatnonzero(np.isin(code, order[part])) for part in parts]

    def _search(self, texts, activations):
        """Return, for every neuron, its distinct lexicons, the plainest first."""
        min_df = self.min_df
        if min_df == "auto":
            min_df = max(3, round(len(texts) / 1000))
        presence, terms = find_vocabulary(texts, n_max=self.max_words, min_df=min_df)
        if len(terms) == 0:
            return [[] for _ in activations.T]
        index = TermIndex(presence, terms)
        kinds = _list_kinds(index)
        return [
            self._search_neuron(index, kinds, activation)
            for activation in activations.T
        ]

    def _search_neuron(self, index, kinds, activation):
        target = make_fidelity_target(activation)
        found = {}
        for allowed in kinds:
            numbers = search_terms(
                index, target, allowed=allowed, max_terms=self.max_terms
            )
            if numbers:
                found[frozenset(numbers)] = [index.terms[number] for number in numbers]
        return list(found.values())


def _list_kinds(index):
    """Return the sets of terms to search among, the plainest first."""
    single = index.n_words == 1
    uncommon = index.frequency <= _COMMON * index.n_texts
    kinds = [single & uncommon, uncommon, single, np.ones(len(single), dtype=bool)]
    distinct = {kind.tobytes(): kind for kind in kinds if kind.any()}
    return list(distinct.values())


def _measure_lexicons(marks, activations):
    """Return the fidelity of every lexicon of every neuron."""
    return [
        [Fidelity.measure(mark, activation) for mark in columns.T]
        for columns, activation in zip(marks, activations.T, strict=True)
    ]


def _choose_lexicon(neuron, lexicons, compared, reported):
    """Choose among the lexicons of a neuron and order the rest."""
    if not lexicons:
        return Interpretation(neuron, (), None)
    strength = np.nan_to_num([each.correlation for each in compared], nan=-1.0)
    best = int(strength.argmax())
    margin = _MARGIN * compute_correlation_error(strength[best], compared[best].n)
    margin = min(margin, _LARGEST_LOSS)
    chosen = int(np.flatnonzero(strength >= strength[best] - margin)[0])
    order = [chosen, *(i for i in np.argsort(-strength, kind="stable") if i != chosen)]
    candidates = tuple(
        Candidate(
            Hypothesis(word_lexicon(lexicons[i]), neuron, tuple(lexicons[i])),
            compared[i],
        )
        for i in order
    )
    return Interpretation(neuron, candidates, reported[chosen])


def word_lexicon(terms):
    """Word a lexicon as a statement that is true or false of a text.

    Variants of one word stand together, joined by "/", in the place of the first.

    Examples
    --------
    >>> from sklearn_hypo._interpretation._lexicon import word_lexicon
    >>> word_lexicon(["thanks", "great", "thank", "thankful"])
    'mentions any of: thanks/thank/thankful, great'
    >>> word_lexicon(["bored"])
    'mentions bored'
    """
    groups = group_variants(terms)
    statement = "mentions " if len(groups) == 1 else "mentions any of: "
    return statement + ", ".join("/".join(group) for group in groups)


def group_variants(terms):
    """Group terms that are forms of one word, in the order of first appearance."""
    groups = {}
    for term in terms:
        groups.setdefault(_make_variant_key(term), []).append(term)
    return list(groups.values())


def _make_variant_key(term):
    """Return what forms of a single word share; any other term stands for itself."""
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
