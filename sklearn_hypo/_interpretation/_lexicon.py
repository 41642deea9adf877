"""`LexiconInterpreter`: neurons in words without a language model."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from .._embedding._text_embedder import TextEmbedder
from .._hypotheses._hypothesis import Hypothesis
from .._hypotheses._protocols import Candidate, Interpretation
from .._hypotheses._wording import word_apart
from .._utils._languages import looks_english
from .._utils._progress import show_progress
from .._utils._threads import limit_to_one_thread
from .._utils._tokenizers import get_tokenizer, warn_of_missing_words
from .._utils._validation import HasMethods, Interval, StrOptions
from ._concept_strength import WordEmbedder
from ._lexicon_search import (
    add_embeddings,
    average_equal_texts,
    cross_validate,
    find_lexicons,
    index_texts,
    n_searches,
    order_terms,
)
from ._spelling import spell_terms

# What embeds words if `embedder` is "auto".
AUTO_MODEL = "auto"

# Texts of more tokens than this, in the median, contain some word of any dictionary:
# there, rates are tried as well.
_LONG = 40

# A dictionary is not offered if its agreement in texts left out may well be chance:
# one-sided 5 % point of the normal distribution, for this many texts or more.
_LEAST_Z = 1.645
_FEWEST_TEXTS = 20


class LexiconInterpreter(BaseEstimator):
    r"""Describe a neuron by the dictionary of the words that it knows.

    The hypothesis "mentions any of: thanks/thank, welcome, appreciate or 49 more
    terms" marks a text that contains any of the terms: words, word pairs, emoticons,
    "!" or "?". The dictionary of a neuron is found in three steps, which see texts and
    activations and never the target: what a dictionary predicts, it predicts because
    the neuron does.

    1. How strongly does a text have the concept? A sparse activation is zero wherever
       other neurons were stronger, so the strength is what a ridge regression on
       embeddings of the texts predicts of it, weighted by its correlation r with the
       activation, plus the activation itself, weighted by 1 - r.
    2. Which words does the neuron know? A word is embedded as a text of its own, and
       the same regression tells its strength. This is the prior of the regression of
       the strength on the terms that texts contain, see Notes: terms in many texts
       speak for themselves, rare ones, and words that no training text contains, are
       judged by their embedding.
    3. How many words make the dictionary? As many of the heaviest as agree best with
       the strength.

    Parameters
    ----------
    max_terms : int, default=300
        The most terms in one dictionary.

    max_words : int, default=2
        Longest term, in words. 1 looks at single words only.

    min_df : int or "auto", default="auto"
        Texts that must contain a term. "auto": 2.

    max_texts : int or None, default=50_000
        Distinct texts used, drawn at random when there are more. None: all.

    embedder : "auto", TextEmbedder or None, default="auto"
        Embeds texts and single words. "auto" is ``TextEmbedder("auto")``; another one
        need not be the one whose embeddings the neurons were trained on. None:
        activations and texts alone are looked at.

    max_vocabulary : int, default=30_000
        The most words that are embedded by themselves: those of the texts, the most
        frequent first, then further ones that the embedding model knows.

    tokenizer : str or callable, default="auto"
        How texts are cut into words; see `TextEmbedder`. Hypotheses whose terms depend
        on it carry it along (`Hypothesis.tokenizer`), so that annotators and reports
        cut texts alike.

    shrinkage : float, default=30
        How many texts with a term weigh as much as what its embedding suggests.

    form : {"auto", "any", "rate"}, default="auto"
        When a text is marked: "any" if it contains any term; "rate" if more than a
        threshold of 100 words are terms, which is chosen on training texts. "auto":
        where the median text has more than 40 tokens, the one of the two that agrees
        better with all neurons together in the parts left out; else "any".

    See Also
    --------
    LexiconAnnotator : Finds the terms in new texts.

    Notes
    -----
    With s the strength (mean 0, variance 1), X the presence of terms (their rate for
    "rate"), p the strength of each term by itself (0 for pairs), and :math:`\lambda`
    the shrinkage, the weights are :math:`w = \beta p + \delta` with

    .. math:: \min_\delta \lVert s - \beta X p - X \delta \rVert^2
              + \lambda \lVert \delta \rVert^2

    and beta the least-squares slope of s on X p (0 if negative). The presence of
    several words in a row counts half. Of the terms that texts contain, those with the
    largest positive weights are taken, as many as maximize the correlation of the mark
    with s minus 0.005 ("rate": 0.02) times the logarithm of their number. Words that no
    text contains join them if their weight is nearer to that of the last term taken
    than to that of the first one left. Of "any", terms in more than half of the texts
    are left out; terms without which the mark correlates better are dropped, and terms
    are added that raise its correlation by a fifth of the standard error
    :math:`1 / \sqrt{n}` in at least three further texts. Of "rate", only single words
    are taken.

    Fidelity is cross-validated: the three steps are done again without each of five
    parts of the distinct texts (of more than 5,000, without one fifth), and the
    dictionary found is compared with the activation in that part. The dictionary that
    is returned comes from all of them. It is not offered if its cross-validated
    correlation with the activation is not above 0 at the 5 % level, or its F1 is 0.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025, "Sparse Autoencoders for Hypothesis
    Generation" (arXiv 2502.04382), for neurons as hypotheses; Fast, Chen and Bernstein
    2016, "Empath: Understanding Topic Signals in Large-Scale Text" (arXiv 1602.06979),
    for dictionaries grown by embeddings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo import LexiconInterpreter
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(1000, n_concepts=1, random_state=0)
    >>> texts = np.array(data.data, dtype=object)
    >>> interpreted = LexiconInterpreter(max_terms=3, embedder=None).interpret(
    ...     texts, data.truth.astype(float), ["neuron000"],
    ...     random_state=np.random.RandomState(0),
    ... )
    >>> print(interpreted[0].candidates[0].hypothesis)
    mentions any of: thanks, owe, grateful
    """

    _parameter_constraints = {
        "max_terms": [Interval(Integral, 1, None, closed="left")],
        "max_words": [Interval(Integral, 1, 5, closed="both")],
        "min_df": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "max_texts": [Interval(Integral, 3, None, closed="left"), None],
        "embedder": [
            StrOptions({"auto"}),
            HasMethods(["fit_transform", "transform", "get_params"]),
            None,
        ],
        "max_vocabulary": [Interval(Integral, 1, None, closed="left")],
        "tokenizer": [str, callable],
        "shrinkage": [Interval(Real, 0, None, closed="neither")],
        "form": [StrOptions({"auto", "any", "rate"})],
    }

    def __init__(
        self,
        max_terms=300,
        *,
        max_words=2,
        min_df="auto",
        max_texts=50_000,
        embedder="auto",
        max_vocabulary=30_000,
        tokenizer="auto",
        shrinkage=30,
        form="auto",
    ):
        self.max_terms = max_terms
        self.max_words = max_words
        self.min_df = min_df
        self.max_texts = max_texts
        self.embedder = embedder
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.shrinkage = shrinkage
        self.form = form

    def interpret(self, texts, activations, neurons, *, annotator=None, random_state):
        """Find a dictionary for every neuron.

        Parameters
        ----------
        texts, activations, neurons : ndarray, ndarray, sequence of str
            As in `Interpreter.interpret`.
        annotator : None
            Not used: a dictionary is checked exactly, by looking for its terms.
        random_state : RandomState
            Draws texts and parts.

        Returns
        -------
        interpretations : list of Interpretation
            One per neuron. Without candidates where no term goes with the neuron, or
            the dictionary does not describe it in texts left out.
        """
        self._validate_params()
        texts, activations = self._draw_distinct(texts, activations, random_state)
        min_df = 2 if self.min_df == "auto" else self.min_df
        tokenizer = get_tokenizer(self.tokenizer)
        warn_of_missing_words(texts, self.tokenizer)
        corpus = index_texts(
            texts, n_max=self.max_words, min_df=min_df, tokenizer=tokenizer
        )
        if self.embedder is not None and len(corpus.terms):
            embedder = self.embedder
            if embedder == "auto":
                seed = random_state.randint(np.iinfo(np.int32).max)
                embedder = TextEmbedder(AUTO_MODEL, random_state=seed)
            embedder = WordEmbedder(embedder, texts)
            corpus = add_embeddings(corpus, embedder, self.max_vocabulary)
        if len(corpus.terms) == 0:
            return [Interpretation(neuron, (), None) for neuron in neurons]
        forms = {
            form: self._find(corpus, activations, form, random_state)
            for form in self._list_forms(corpus)
        }
        return _interpret(corpus, neurons, forms, texts, tokenizer)

    def _list_forms(self, corpus):
        if self.form != "auto":
            return [self.form]
        return ["any", "rate"] if np.median(corpus.lengths) > _LONG else ["any"]

    def _find(self, corpus, activations, form, random_state):
        """Return the dictionaries of all neurons, and their fidelities."""

        def find(rows):
            count()
            return find_lexicons(
                corpus,
                activations,
                rows,
                form=form,
                max_terms=self.max_terms,
                shrinkage=self.shrinkage,
            )

        # one thread rounds alike everywhere, and does not wait for another
        begun = show_progress("dictionaries", n_searches(len(activations)))
        with limit_to_one_thread(), begun as count:
            fidelities = cross_validate(corpus, activations, find, random_state)
            return find(np.arange(len(activations))), fidelities

    def _draw_distinct(self, texts, activations, random_state):
        """Return distinct texts, at most `max_texts`, and their mean activations."""
        distinct, means = average_equal_texts(texts, activations)
        n_used = len(distinct) if self.max_texts is None else self.max_texts
        rows = np.sort(random_state.permutation(len(distinct))[:n_used])
        return distinct[rows], means[rows]


def _interpret(corpus, neurons, forms, texts, tokenizer):
    """Choose one form for all neurons, and what is worth offering.

    `forms` maps the name of a form to the dictionaries and their fidelities.
    """
    agreement = {
        form: np.mean([_get_correlation(each) for each in fidelities])
        for form, (_, fidelities) in forms.items()
    }
    order = sorted(forms, key=agreement.get, reverse=True)
    candidates = [
        _word(corpus, neurons, *forms[form], texts, tokenizer) for form in order
    ]
    return [
        _make_interpretation(neuron, each)
        for neuron, *each in zip(neurons, *candidates, strict=True)
    ]


def _word(corpus, neurons, lexicons, fidelities, texts, tokenizer):
    """Return a candidate for every neuron; None where there are no terms."""
    terms = [order_terms(corpus, lexicon) for lexicon in lexicons]
    thresholds = [lexicon.threshold for lexicon in lexicons]
    terms = spell_terms(terms, texts, tokenizer)
    statements = word_apart(terms, thresholds, english=looks_english(texts))
    return [
        Candidate(
            Hypothesis(
                statement,
                neuron,
                tuple(own),
                threshold=cut,
                tokenizer=tokenizer.name_for(own),
            ),
            fidelity,
        )
        if own
        else None
        for statement, neuron, own, cut, fidelity in zip(
            statements, neurons, terms, thresholds, fidelities, strict=True
        )
    ]


def _make_interpretation(neuron, candidates):
    """Return the interpretation of a neuron, the candidate of the chosen form first."""
    chosen = candidates[0]
    reason = "no term goes with it" if chosen is None else _find_fault(chosen[1])
    if reason:
        return Interpretation(neuron, (), None, reason=reason)
    fidelity = chosen.comparison if chosen.comparison.n else None
    return Interpretation(neuron, tuple(filter(None, candidates)), fidelity)


def _get_correlation(fidelity):
    return np.nan_to_num(fidelity.correlation, nan=0.0)


def _find_fault(fidelity):
    """Say why a dictionary does not describe its neuron; "" if it does, or may."""
    if fidelity.n < _FEWEST_TEXTS:
        return ""  # too few to tell
    r = min(_get_correlation(fidelity), 1 - 1e-12)
    z = np.arctanh(r) * np.sqrt(fidelity.n - 3)  # Fisher's
    if z > _LEAST_Z and fidelity.f1 > 0:
        return ""
    return "no dictionary agrees with it in texts left out"
