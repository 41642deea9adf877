"""`LexiconAnnotator`: exact, free and reproducible annotation."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._utils._terms import contains_any, mark_terms
from .._utils._tokens import tokenize


class LexiconAnnotator(BaseEstimator):
    """Annotate a text with a hypothesis by looking for the hypothesis' terms.

    A text has the concept if it contains any of the terms, as tokens: "art" is not
    found in "party".

    Attributes
    ----------
    terms_ : list of str
        All terms of all hypotheses, sorted.

    See Also
    --------
    LexiconInterpreter : Finds the terms.
    EmbeddingAnnotator : Annotates by nearness, also with statements in plain words.

    Examples
    --------
    >>> from sklearn_hypo import Hypothesis, LexiconAnnotator
    >>> thanks = Hypothesis("mentions thanks or :)", "neuron017", ("thanks", ":)"))
    >>> annotator = LexiconAnnotator().fit([], [thanks])
    >>> annotator.annotate(["Thanks a lot", "no", "ok :)"])
    array([[1.],
           [0.],
           [1.]])
    """

    _parameter_constraints = {}

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Take over the hypotheses.

        Parameters
        ----------
        texts : object
            Not used.
        hypotheses : sequence of Hypothesis
            Each must have terms. They are read as texts are, so that "Thanks" and
            "thanks" are one term.
        activations, random_state : object
            Not used.

        Returns
        -------
        self : LexiconAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            If a hypothesis has no terms, or one that no text can contain, such as a
            comma.
        """
        without = [h.statement for h in hypotheses if not h.is_lexicon]
        if without:
            raise ValueError(
                "LexiconAnnotator looks for the terms of a hypothesis, but "
                f"{len(without)} of {len(hypotheses)} have none, such as "
                f"{without[0]!r}. Statements in plain words need an annotator that "
                "judges meaning: EmbeddingAnnotator, or a language model."
            )
        self._lexicons = [tuple(map(_as_tokens, h.terms)) for h in hypotheses]
        self.terms_ = sorted({term for lexicon in self._lexicons for term in lexicon})
        return self

    def annotate(self, texts):
        """Look for the terms, as tokens.

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
        if not self.terms_:
            return np.zeros((len(texts), 0))
        return contains_any(mark_terms(texts, self.terms_), self.terms_, self._lexicons)


def _as_tokens(term):
    """Write a term as it is found in texts."""
    tokens = tokenize(term)
    if not tokens:
        raise ValueError(
            f"LexiconAnnotator cannot look for the term {term!r}: it holds no word, "
            'emoticon, "!" or "?".'
        )
    return " ".join(tokens)
