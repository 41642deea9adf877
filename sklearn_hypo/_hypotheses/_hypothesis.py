"""The value that the whole package is about."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Hypothesis:
    """A statement that is true or false of a text.

    Parameters
    ----------
    statement : str
        The statement in plain words, such as "mentions any of: thanks, thank you".
    neurons : str or tuple of str, default=()
        The columns that it puts into words, kept as a tuple: one, such as
        "neuron017"; several, when they were described by one and the same statement;
        none for a statement that was written by hand.
    terms : tuple of str, default=()
        For a lexicon: its n-grams, the leading ones first. Empty for a statement that
        only a reader can judge. A term may end in "*", which stands for any letters.
    measure : str, default=""
        For a statement about style: the measure of `StyleFeatures` that it is about,
        such as "words".
    threshold : float, default=0.0
        With `terms`, the statement is true of a text in which more than `threshold`
        of 100 tokens are terms; 0: in which there is any. With a `measure`, it is
        true of a text that measures more.
    name : str, default=""
        A name for the reader, such as "gratitude", that a person or a language model
        gave. It says nothing to annotators, and stands before the statement.
    tokenizer : str or callable, default=""
        What cut the texts in which `terms` were found, as the `tokenizer` of
        `LexiconInterpreter`: terms are its tokens, joined by blanks. Empty where any
        rule would give the same, and for terms that were written by hand, which are cut
        as texts are.

    See Also
    --------
    HypothesisExtractor.rename : Gives names.
    LLMNamer : Has names written by a language model.

    Examples
    --------
    >>> from sklearn_hypo import Hypothesis
    >>> thanks = Hypothesis("mentions thanks", "neuron017", terms=("thanks",))
    >>> str(thanks)
    'mentions thanks'
    >>> thanks.neurons
    ('neuron017',)
    """

    statement: str
    neurons: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    measure: str = ""
    threshold: float = 0.0
    name: str = ""
    tokenizer: object = ""

    def __post_init__(self):
        one = isinstance(self.neurons, str)
        neurons = (self.neurons,) if one else tuple(self.neurons)
        object.__setattr__(self, "neurons", neurons)  # the instance is frozen

    def __str__(self):
        return self.statement

    @property
    def neuron(self):
        """The names of the neurons as one text, separated by ", "."""
        return ", ".join(self.neurons)

    @property
    def label(self):
        """The statement, after the name if it has one: "gratitude: mentions thanks"."""
        return join_name(self.name, self.statement)

    @property
    def is_lexicon(self):
        """Whether the statement can be checked by looking for terms."""
        return bool(self.terms)

    @property
    def is_exact(self):
        """Whether a rule decides of which texts it is true: its terms or a measure."""
        return bool(self.terms or self.measure)


def as_hypotheses(hypotheses, *, caller):
    """Return a list of Hypothesis, made of strings where these arrived."""
    return [_as_hypothesis(each, caller) for each in hypotheses]


def _as_hypothesis(hypothesis, caller):
    if isinstance(hypothesis, Hypothesis):
        return hypothesis
    if isinstance(hypothesis, str):
        return Hypothesis(hypothesis)
    raise TypeError(
        f"{caller}: hypotheses= expects Hypothesis objects or strings; "
        f"{type(hypothesis).__name__} arrived."
    )


def join_name(name, statement):
    """Return the statement, after a name if there is one."""
    return f"{name}: {statement}" if name else str(statement)


def select_activations(activations, names, hypotheses):
    """Return the activation behind each hypothesis: its neuron's, or the largest.

    Parameters
    ----------
    activations : ndarray of shape (n_texts, n_neurons)
        Of all neurons.
    names : sequence of str of length n_neurons
        Their names.
    hypotheses : sequence of Hypothesis
        Each with at least one of these neurons.

    Returns
    -------
    activations : ndarray of shape (n_texts, n_hypotheses)
        The largest where several neurons were merged.
    """
    number = {name: i for i, name in enumerate(names)}
    members = [[number[name] for name in each.neurons] for each in hypotheses]
    return np.column_stack([activations[:, own].max(axis=1) for own in members])
