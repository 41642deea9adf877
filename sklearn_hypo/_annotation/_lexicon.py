"""`LexiconAnnotator`: exact, free and reproducible annotation."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._style._measures import MEASURES, measure_texts
from .._utils._terms import compute_term_rates, parse_terms
from .._utils._token_index import TokenIndex
from .._utils._tokenizers import get_tokenizer
from .._utils._validation import check_texts
from ._dictionaries import read_dictionary


class LexiconAnnotator(BaseEstimator):
    r"""Annotate a text with a hypothesis by looking for the hypothesis' terms.

    With threshold 0 a text has the concept if it contains any of the terms, as tokens:
    "art" is not found in "party", but "art*" is found in "artist". With a threshold
    :math:`t` it has the concept if more than t of 100 tokens are terms,

    .. math:: 100 \, \frac{c_i}{n_i} > t,

    where :math:`n_i` are the tokens of text i and :math:`c_i` those that belong to a
    term: to "thank you" both of its tokens, and each token once, however many terms
    it belongs to. That is how LIWC counts words [1]_. A hypothesis about a measure of
    `StyleFeatures` is true of texts that measure more than its threshold.

    Parameters
    ----------
    tokenizer : str or callable, default="auto"
        How texts and terms are cut into words; see `TextEmbedder`. A hypothesis that
        was found with a tokenizer (`Hypothesis.tokenizer`) is looked for with that.

    Attributes
    ----------
    hypotheses_ : list of Hypothesis
        Those that it annotates with.
    terms_ : list of str
        All terms of all hypotheses, sorted.

    See Also
    --------
    LexiconInterpreter : Finds the terms.
    read_dictionary : Reads those that somebody else made.
    EmbeddingAnnotator : Annotates by nearness, also with statements in plain words.

    References
    ----------
    .. [1] Tausczik and Pennebaker 2010, "The psychological meaning of words: LIWC and
       computerized text analysis methods", Journal of Language and Social Psychology
       29(1), 24-54.

    Examples
    --------
    >>> from sklearn_hypo import Hypothesis, LexiconAnnotator
    >>> thanks = Hypothesis("mentions thanks or :)", "neuron017", ("thank*", ":)"))
    >>> asks = Hypothesis("asks", measure="question_marks")
    >>> annotator = LexiconAnnotator().fit([], [thanks, asks])
    >>> annotator.annotate(["Thanks a lot", "no?", "ok :)"])
    array([[1., 0.],
           [0., 1.],
           [1., 0.]])
    """

    _parameter_constraints = {"tokenizer": [str, callable]}

    def __init__(self, tokenizer="auto"):
        self.tokenizer = tokenizer

    @classmethod
    def from_dictionary(cls, dictionary, *, format="auto", threshold=None, texts=None):
        """Make an annotator that is ready to annotate with the categories of a file.

        Parameters
        ----------
        dictionary, format, threshold, texts : object
            As in `read_dictionary`: LIWC's, quanteda's, Empath's or VADER's files, JSON
            or a mapping.

        Returns
        -------
        annotator : LexiconAnnotator
            Fitted; its `hypotheses_` are the categories.

        See Also
        --------
        read_dictionary : The categories alone, to choose among them.
        HypothesisExtractor.to_dictionary : The way back.

        Examples
        --------
        >>> from sklearn_hypo import LexiconAnnotator
        >>> annotator = LexiconAnnotator.from_dictionary(
        ...     {"gratitude": ["thank*"], "grief": ["cry", "tears"]}
        ... )
        >>> annotator.annotate(["Thanks a lot!", "so many tears"])
        array([[1., 0.],
               [0., 1.]])
        """
        categories = read_dictionary(
            dictionary, format=format, threshold=threshold, texts=texts
        )
        return cls().fit([], categories)

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Take over the hypotheses.

        Parameters
        ----------
        texts : object
            Not used.
        hypotheses : sequence of Hypothesis
            Each must have terms, or a measure. Terms are read as texts are, so that
            "Thanks" and "thanks" are one term; a "*" at the end of a word stands for
            whatever follows.
        activations, random_state : object
            Not used.

        Returns
        -------
        self : LexiconAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            If a hypothesis has neither terms nor a measure, a measure that does not
            exist, or a term that no text can contain, such as a comma.
        """
        without = [h.statement for h in hypotheses if not h.is_exact]
        if without:
            raise ValueError(
                "LexiconAnnotator looks for the terms of a hypothesis, but "
                f"{len(without)} of {len(hypotheses)} have none, such as "
                f"{without[0]!r}. Statements in plain words need an annotator that "
                "judges meaning: EmbeddingAnnotator, or a language model."
            )
        measures = [h.measure for h in hypotheses]
        unknown = [name for name in measures if name and name not in MEASURES]
        if unknown:
            raise ValueError(
                f"LexiconAnnotator does not know the measure {unknown[0]!r}. There are "
                f"those of StyleFeatures: {', '.join(MEASURES)}."
            )
        self._is_measured = np.array([bool(name) for name in measures], dtype=bool)
        self._measures = [name for name in measures if name]
        self._thresholds = np.array([h.threshold for h in hypotheses], dtype=float)
        tokenizer = get_tokenizer(self.tokenizer)
        lexical = [h for h in hypotheses if not h.measure]
        self._lexicons = [_read_terms(h, tokenizer) for h in lexical]
        self._tokenizers = [
            get_tokenizer(h.tokenizer) if h.tokenizer else tokenizer for h in lexical
        ]
        self.hypotheses_ = list(hypotheses)
        self.terms_ = sorted({" ".join(t) for own in self._lexicons for t in own})
        return self

    def annotate(self, texts):
        """Look for the terms, as tokens, and measure.

        Parameters
        ----------
        texts : sequence of str
            To look in.

        Returns
        -------
        marks : ndarray of shape (n_texts, n_hypotheses)
            1.0 or 0.0, never NaN.
        """
        return (self.measure(texts) > self._thresholds).astype(np.float64)

    def measure(self, texts):
        """Compute what is compared with the thresholds.

        Parameters
        ----------
        texts : sequence of str
            To look in.

        Returns
        -------
        values : ndarray of shape (n_texts, n_hypotheses)
            How many of 100 tokens are terms, as LIWC reports it; 0 for a text without
            tokens. Of a hypothesis about a measure, the measure.
        """
        check_is_fitted(self, "terms_")
        texts = check_texts(texts, caller=type(self).__name__, may_be_empty=True)
        values = np.empty((len(texts), len(self._thresholds)))
        if self._measures:
            values[:, self._is_measured] = measure_texts(texts, self._measures)
        if self._lexicons:
            values[:, ~self._is_measured] = self._compute_rates(texts)
        return values

    def _compute_rates(self, texts):
        rates = np.empty((len(texts), len(self._lexicons)))
        for tokenizer in dict.fromkeys(self._tokenizers):
            own = [i for i, each in enumerate(self._tokenizers) if each == tokenizer]
            index = TokenIndex(texts, tokenizer)
            rates[:, own] = compute_term_rates(index, [self._lexicons[i] for i in own])
        return rates


def _read_terms(hypothesis, tokenizer):
    """Cut the terms of a hypothesis as they are found in texts."""
    terms = parse_terms(hypothesis.terms, hypothesis.tokenizer, tokenizer)
    for term, patterns in zip(hypothesis.terms, terms, strict=True):
        if not patterns:
            raise ValueError(
                f"LexiconAnnotator cannot look for the term {term!r}: it holds no "
                'word, emoticon, "!" or "?".'
            )
    return terms
