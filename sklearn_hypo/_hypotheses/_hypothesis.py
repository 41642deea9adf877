"""The value that the whole package is about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """A statement that is true or false of a text.

    Parameters
    ----------
    statement : str
        The statement in plain words, such as "mentions any of: thanks, thank you".
    neuron : str
        The column that it puts into words, such as "neuron017". Several, separated
        by ", ", when neurons were described by one and the same statement.
    terms : tuple of str, default=()
        For a lexicon: the n-grams any of which makes the statement true. Empty for
        a statement that only a reader can judge.

    Examples
    --------
    >>> from sklearn_hypo import Hypothesis
    >>> thanks = Hypothesis("mentions thanks", "neuron017", terms=("thanks",))
    >>> str(thanks)
    'mentions thanks'
    """

    statement: str
    neuron: str
    terms: tuple[str, ...] = ()

    def __str__(self):
        return self.statement

    @property
    def is_lexicon(self):
        """Whether the statement can be checked by looking for terms."""
        return bool(self.terms)
