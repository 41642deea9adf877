"""What interpreters and annotators have to offer, and what an interpreter returns."""

from typing import NamedTuple, Protocol

from ._fidelity import Fidelity
from ._hypothesis import Hypothesis


class Candidate(NamedTuple):
    """One statement that was considered for a neuron.

    Parameters
    ----------
    hypothesis : Hypothesis
        The statement.
    comparison : Fidelity
        On the texts on which candidates are compared.

    See Also
    --------
    Interpretation : Holds the candidates of a neuron.

    Examples
    --------
    >>> from sklearn_hypo import Candidate, Fidelity, Hypothesis
    >>> candidate = Candidate(
    ...     Hypothesis("expresses thanks", "neuron017"),
    ...     Fidelity(f1=0.8, precision=0.9, recall=0.72, correlation=0.7, n=200),
    ... )
    >>> print(candidate.hypothesis, candidate.comparison.f1)
    expresses thanks 0.8
    """

    hypothesis: Hypothesis
    comparison: Fidelity


class Interpretation(NamedTuple):
    """A neuron in words: what `Interpreter.interpret` returns of each.

    Parameters
    ----------
    neuron : str
        The column's name.
    candidates : tuple of Candidate
        The chosen one first, the others from best to worst. Empty if no statement
        was found.
    fidelity : Fidelity or None
        Of the chosen one, on texts used neither to find nor to choose it; None
        without candidates, or without such texts.
    reason : str
        Why there are no candidates.

    See Also
    --------
    Interpreter : Makes interpretations.

    Examples
    --------
    >>> from sklearn_hypo import Interpretation
    >>> nothing = Interpretation("neuron003", (), None, reason="too few texts")
    >>> nothing.candidates
    ()
    """

    neuron: str
    candidates: tuple[Candidate, ...]
    fidelity: Fidelity | None
    reason: str = "no statement found"


class Interpreter(Protocol):
    """Puts neurons into words: what `HypothesisExtractor(interpreter=...)` takes.

    An interpreter is any scikit-learn estimator (a subclass of
    `sklearn.base.BaseEstimator`, so that it can be cloned) with the method below;
    nothing else is asked of it.

    See Also
    --------
    LexiconInterpreter, LLMInterpreter : The interpreters of this package.
    Annotator : Decides of which texts a statement is true.

    Examples
    --------
    One that names a neuron by its most active text, and does not test the name:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from sklearn_hypo import Candidate, Fidelity, Hypothesis, Interpretation
    >>> class TopTextInterpreter(BaseEstimator):
    ...     def interpret(self, texts, activations, neurons, **unused):
    ...         tops = texts[activations.argmax(axis=0)]
    ...         return [self.name(*each) for each in zip(neurons, tops)]
    ...     def name(self, neuron, text):
    ...         unknown = Fidelity(*[np.nan] * 4, n=0)
    ...         hypothesis = Hypothesis(f"resembles {text!r}", neuron)
    ...         candidates = (Candidate(hypothesis, unknown),)
    ...         return Interpretation(neuron, candidates, unknown)
    >>> found = TopTextInterpreter().interpret(
    ...     np.array(["thanks!", "so tired"], dtype=object), np.array([[2.0], [0.0]]),
    ...     ["neuron017"], annotator=None, random_state=np.random.RandomState(0),
    ... )
    >>> print(found[0].candidates[0].hypothesis)
    resembles 'thanks!'
    """

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        """Interpret every column of the activations.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            The training texts.
        activations : ndarray of shape (n_texts, n_neurons)
            Non-negative; none of the columns is constant.
        neurons : sequence of str
            The names of the columns.
        annotator : Annotator
            Unfitted; by which an interpreter that cannot check its statements itself
            may score its candidates.
        random_state : RandomState
            The only source of randomness to use.

        Returns
        -------
        interpretations : list of Interpretation
            One per column, in order.
        """


class Annotator(Protocol):
    """Decides of which texts a statement is true: what `annotator=` takes.

    An annotator is any scikit-learn estimator (a subclass of
    `sklearn.base.BaseEstimator`, so that it can be cloned) with the methods below. One
    whose answers cost money had better be a `PaidAnnotator`. If it has an attribute
    `usage_`, a dict with the keys of `LLMAnnotator.usage_`, its costs are reported
    beside those of language models.

    See Also
    --------
    LexiconAnnotator, EmbeddingAnnotator, LLMAnnotator : The annotators of this package.
    PaidAnnotator : What an annotator that costs money may offer beside.
    ScoredAnnotator : What one may offer that knows how sure it is.
    Interpreter : Writes the statements.

    Examples
    --------
    One that looks for the last word of a statement:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from sklearn_hypo import Hypothesis
    >>> class LastWordAnnotator(BaseEstimator):
    ...     def fit(self, texts, hypotheses, activations, *, random_state):
    ...         self.words_ = [h.statement.split()[-1] for h in hypotheses]
    ...         return self
    ...     def annotate(self, texts):
    ...         return np.array([[float(w in t) for w in self.words_] for t in texts])
    >>> annotator = LastWordAnnotator().fit(
    ...     [], [Hypothesis("expresses thanks", "neuron017")], None, random_state=None
    ... )
    >>> annotator.annotate(["many thanks", "so tired"])
    array([[1.],
           [0.]])
    """

    def fit(self, texts, hypotheses, activations, *, random_state):
        """Learn the hypotheses, and whatever annotating needs.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            The training texts.
        hypotheses : sequence of Hypothesis
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses)
            Of the neurons that the hypotheses describe.
        random_state : RandomState
            The only source of randomness to use.

        Returns
        -------
        self : Annotator
            Ready to annotate.
        """

    def annotate(self, texts):
        """Annotate texts.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            Any texts.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0 (true), 0.0 (false) or NaN (no answer was obtained).
        """


class PaidAnnotator(Annotator, Protocol):
    """An annotator whose answers cost money or time, so that none is asked in vain.

    Each of the methods below is optional, and used where an annotator has it:
    `LLMInterpreter` scores its candidates by the annotator of the pipeline. Of one
    without them it fits clones, and asks for all candidates in all texts that any of
    them is scored on.

    See Also
    --------
    LLMAnnotator : Has all three.

    Examples
    --------
    One that counts its answers, those of its twins included:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> class CountingAnnotator(BaseEstimator):
    ...     def fit(self, texts, hypotheses, activations, *, random_state):
    ...         self.hypotheses_ = hypotheses
    ...         return self
    ...     def annotate(self, texts):
    ...         everything = np.ones((len(texts), len(self.hypotheses_)), dtype=bool)
    ...         return self.annotate_cells(texts, everything)
    ...     def annotate_cells(self, texts, where):
    ...         self.count().append(int(where.sum()))
    ...         return np.where(where, 1.0, np.nan)
    ...     def count(self):
    ...         self.counts_ = getattr(self, "counts_", [])
    ...         return self.counts_
    ...     def twin(self):
    ...         twin = CountingAnnotator()
    ...         twin.counts_ = self.count()
    ...         return twin
    >>> annotator = CountingAnnotator()
    >>> twin = annotator.twin().fit([], ["expresses thanks"], None, random_state=None)
    >>> labels = twin.annotate(["many thanks", "so tired"])
    >>> annotator.counts_
    [2]
    """

    def annotate_cells(self, texts, where):
        """Annotate some cells of the table of texts and hypotheses.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses)
            Which cells to ask about.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            As `annotate` returns them; NaN also where nothing was asked.
        """

    def twin(self):
        """Return an unfitted clone that shares account, cap and answers.

        Returns
        -------
        twin : PaidAnnotator
            What it spends is spent by both.
        """

    def check_key(self):
        """Raise if no call can be made, before others are paid for."""


class ScoredAnnotator(Annotator, Protocol):
    """An annotator whose answers come from a score that is compared with a threshold.

    Where an annotator has the method below, `CascadeAnnotator` takes a score near its
    threshold for doubt.

    See Also
    --------
    EmbeddingAnnotator, CrossEncoderAnnotator : Have it.
    CascadeAnnotator : Has somebody else asked where there is doubt.

    Examples
    --------
    One that counts exclamation marks, and is sure of texts with many:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> class ShoutingAnnotator(BaseEstimator):
    ...     def fit(self, texts, hypotheses, activations, *, random_state):
    ...         self.n_hypotheses_ = len(hypotheses)
    ...         return self
    ...     def annotate(self, texts):
    ...         return (self.decision_function(texts) >= 0).astype(float)
    ...     def decision_function(self, texts, where=None):
    ...         marks = np.array([float(text.count("!")) for text in texts])
    ...         margins = np.tile(marks[:, None] - 1.5, self.n_hypotheses_)
    ...         return margins if where is None else np.where(where, margins, np.nan)
    >>> annotator = ShoutingAnnotator().fit([], ["shouts"], None, random_state=None)
    >>> annotator.decision_function(["Stop!", "STOP!!!!!"]).tolist()
    [[-0.5], [3.5]]
    """

    def decision_function(self, texts, where=None):
        """Return how far each text is on the side of yes.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells are wanted. None: all.

        Returns
        -------
        margins : ndarray of shape (n_texts, n_hypotheses)
            Score minus threshold: `annotate` says yes from 0 on. NaN where no answer
            was obtained, and where `where` is False.
        """
