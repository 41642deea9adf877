"""`LexiconAnnotator`: exact, free and reproducible annotation."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._style._measures import MEASURES
from .._style._statements import mark_measures
from .._utils._terms import compute_term_rates, parse_term


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

    Attributes
    ----------
    terms_ : list of str
        All terms of all hypotheses, sorted.

    See Also
    --------
    LexiconInterpreter : Finds the terms.
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

    _parameter_constraints = {}

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
        self._measures = measures
        self._thresholds = np.array([h.threshold for h in hypotheses], dtype=float)
        self._lexicons = [list(map(_read_term, h.terms)) for h in hypotheses]
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
        check_is_fitted(self, "terms_")
        marks = np.zeros((len(texts), len(self._lexicons)))
        by_measure = np.array([bool(name) for name in self._measures], dtype=bool)
        if by_measure.any():
            names = [name for name in self._measures if name]
            marks[:, by_measure] = mark_measures(
                texts, names, self._thresholds[by_measure]
            )
        if not by_measure.all():
            lexicons = [
                own
                for own, measured in zip(self._lexicons, by_measure, strict=True)
                if not measured
            ]
            rates = compute_term_rates(texts, lexicons)
            marks[:, ~by_measure] = rates > self._thresholds[~by_measure]
        return marks


def _read_term(term):
    """Cut a term as it is found in texts."""
    patterns = parse_term(term)
    if not patterns:
        raise ValueError(
            f"LexiconAnnotator cannot look for the term {term!r}: it holds no word, "
            'emoticon, "!" or "?".'
        )
    return patterns
