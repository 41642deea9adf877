"""What an interpreter returns, and what it has to offer.

An interpreter is a scikit-learn estimator object (``get_params``, ``clone``) with the
method described by `Interpreter`; nothing else is asked of it.
"""

from typing import NamedTuple, Protocol

from ._fidelity import Fidelity
from ._hypothesis import Hypothesis


class Candidate(NamedTuple):
    """One statement that was considered for a neuron.

    Attributes
    ----------
    hypothesis : Hypothesis
    comparison : Fidelity
        On the texts on which candidates are compared.
    """

    hypothesis: Hypothesis
    comparison: Fidelity


class Interpretation(NamedTuple):
    """A neuron in words.

    Attributes
    ----------
    neuron : str
        The column's name.
    candidates : tuple of Candidate
        The chosen one first, the others from best to worst. Empty if no statement
        was found.
    fidelity : Fidelity or None
        Of the chosen one, on texts used neither to find nor to choose it; None
        without candidates.
    reason : str
        Why there are no candidates.
    """

    neuron: str
    candidates: tuple[Candidate, ...]
    fidelity: Fidelity | None
    reason: str = "no statement found"


class Interpreter(Protocol):
    """Puts neurons into words."""

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        """Interpret every column of the activations.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            The training texts.
        activations : ndarray of shape (n_texts, n_neurons)
            None of the columns is constant.
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
    """Decides of which texts a statement is true."""

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
