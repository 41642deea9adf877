"""`MajorityAnnotator`: annotation by the votes of several annotators."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from .._hypotheses._hypothesis import as_hypotheses
from .._utils._validation import Interval, check_texts
from ._agreement import tabulate_agreement
from ._cells import annotate_cells, check_cells, make_twin
from ._members import (
    check_keys,
    check_members,
    fit_twins,
    name_annotators,
    sum_estimates,
    sum_usage,
)


class MajorityAnnotator(BaseEstimator):
    r"""Annotate by the votes of several annotators, and say how far they agree.

    A conclusion that rests on one annotator may change with the next. The members can
    be models of different makers, or one model asked in several ways:
    ``[LLMAnnotator(model, shuffle_seed=seed) for seed in range(3)]``.

    A text has the concept if more than half of the answers obtained say yes, and has
    it not if more than half say no. It is NaN where the votes are tied, and where
    fewer than `min_answers` members have an answer.

    Parameters
    ----------
    annotators : list of Annotator
        Two or more, unfitted; with an odd number, ties need missing answers.
    min_answers : int or None, default=None
        Fewest answers that make a majority. None: more than half of the members.

    Attributes
    ----------
    annotators_ : list of Annotator
        The fitted members.
    names_ : list of str
        What tables call them: the class, and the model if there is one.
    hypotheses_ : list of Hypothesis
        What is looked for.
    agreement_ : DataFrame
        Of the last texts annotated, one row per hypothesis: "hypothesis", "n" (texts
        with two answers or more), "prevalence" (mean share of yes), "identical"
        (share of these texts where all answers are the same), "alpha"
        (Krippendorff's: 1 for identical answers, 0 for agreement by chance).
    agreement_pairs_ : DataFrame
        The same for each pair of members: "hypothesis", "first", "second", "n",
        "first_yes", "second_yes", "identical", "kappa" (Cohen's).
    votes_ : ndarray of shape (n_annotators, n_texts, n_hypotheses)
        What each member said of the last texts annotated: 1, 0 or NaN (float16, which
        is small).
    usage_ : dict
        The accounts of the members, added up, as `LLMAnnotator.usage_` has them; there
        is none if no member keeps one.

    See Also
    --------
    CascadeAnnotator : Asks a dear annotator only where cheap ones disagree.
    compare_annotators : What would the findings be with another annotator?
    coder_agreement : The same comparison for two people.

    Notes
    -----
    Every member annotates every text: the cost is that of all together. Votes remove
    errors that the members make independently of each other, and keep those they
    share, as models that learned from the same texts do. An alpha below 0.67 is not
    enough for even tentative conclusions by Krippendorff's rule; it is low, too, where
    hardly any text has the concept.

    References
    ----------
    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; Snow, O'Connor,
    Jurafsky and Ng 2008, "Cheap and Fast - But is it Good?", for votes of cheap
    annotators.

    Examples
    --------
    >>> import json
    >>> from sklearn_hypo import LLMAnnotator, MajorityAnnotator
    >>> def make_model(word):
    ...     def model(prompt):
    ...         question = json.loads(prompt.rpartition("\n\n")[2])
    ...         return "yes" if word in question["text"].lower() else "no"
    ...     return model
    >>> members = [
    ...     LLMAnnotator(make_model(word), cache=None) for word in ("thank", "tha", "!")
    ... ]
    >>> annotator = MajorityAnnotator(members).fit([], ["expresses thanks"])
    >>> annotator.annotate(["Thank you!", "so tired!", "thanks", "that?"])
    array([[1.],
           [0.],
           [1.],
           [0.]])
    >>> annotator.agreement_.round(2)
             hypothesis  n  prevalence  identical  alpha
    0  expresses thanks  4        0.58       0.25   0.06
    >>> annotator.usage_["calls"]
    12
    """

    _parameter_constraints = {
        "annotators": [list, tuple],
        "min_answers": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, annotators, *, min_answers=None):
        self.annotators = annotators
        self.min_answers = min_answers

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Fit all members.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            The training texts.
        hypotheses : sequence of Hypothesis or str
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses), default=None
            Of the neurons described; some annotators need them.
        random_state : RandomState, default=None
            Each member gets one of its own, drawn from it.

        Returns
        -------
        self : MajorityAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            For fewer than two members, or a `min_answers` that they cannot reach, and
            whatever a member refuses.
        TypeError
            If a member is no annotator.
        """
        self._check()
        hypotheses = as_hypotheses(hypotheses, caller=type(self).__name__)
        self.annotators_ = fit_twins(
            self.annotators, texts, hypotheses, activations, random_state
        )
        self.names_ = name_annotators(self.annotators_)
        self.hypotheses_ = hypotheses
        return self

    def _check(self):
        self._validate_params()
        name = type(self).__name__
        check_members(self.annotators, name="annotators", caller=name)
        n = len(self.annotators)
        if n < 2:
            raise ValueError(
                f"{name}: annotators= holds {n}, but a vote takes at least two; three "
                "or more are better, because two are tied where they disagree."
            )
        if self.min_answers is not None and self.min_answers > n:
            raise ValueError(
                f"{name}: min_answers={self.min_answers} is more than the {n} members."
            )

    def annotate(self, texts):
        """Annotate texts by majority.

        Parameters
        ----------
        texts : sequence of str
            Any texts.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0, 0.0, or NaN where there is no majority, or too few answers.
        """
        return self.annotate_cells(texts)

    def annotate_cells(self, texts, where=None):
        """Annotate some cells of the table of texts and hypotheses.

        Parameters
        ----------
        texts : sequence of str
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to annotate. None: all.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            As `annotate` returns them; NaN also where `where` is False.
        """
        votes = self.collect_votes(texts, where)
        self.votes_ = votes.astype(np.float16)
        self.agreement_, self.agreement_pairs_ = tabulate_agreement(
            votes, [h.statement for h in self.hypotheses_], self.names_
        )
        fewest = self.min_answers
        if fewest is None:
            fewest = len(votes) // 2 + 1
        return take_majority(votes, fewest)

    def collect_votes(self, texts, where=None):
        """Return what each member says.

        Parameters
        ----------
        texts : sequence of str
            Any texts.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to ask about. None: all.

        Returns
        -------
        votes : ndarray of shape (n_annotators, n_texts, n_hypotheses)
            1.0, 0.0 or NaN.
        """
        check_is_fitted(self, "annotators_")
        texts = check_texts(texts, caller=type(self).__name__, may_be_empty=True)
        where = check_cells(where, texts, self.hypotheses_)
        if where is None:
            where = np.ones((len(texts), len(self.hypotheses_)), dtype=bool)
        return np.array([annotate_cells(a, texts, where) for a in self.annotators_])

    def estimate_cost(self, texts, hypotheses=None):
        """Estimate what annotating will cost, by all members together.

        Parameters
        ----------
        texts, hypotheses : objects
            As in `LLMAnnotator.estimate_cost`.

        Returns
        -------
        estimate : CostEstimate
            The sum of what the members estimate; those without costs count as free.
        """
        self._check()
        members = self.annotators if hypotheses is not None else self.annotators_
        return sum_estimates(members, texts, hypotheses)

    @property
    def usage_(self):
        """The accounts of the members, added up."""
        return sum_usage(getattr(self, "annotators_", []))

    def twin(self):
        """Return an unfitted clone whose members share accounts, caps and answers.

        Returns
        -------
        twin : MajorityAnnotator
            What it spends is spent by both.
        """
        twin = clone(self)
        twin.annotators = [make_twin(each) for each in self.annotators]
        return twin

    def check_key(self):
        """Raise if a member can make no call, before others are paid for."""
        self._check()
        check_keys(self.annotators)


def take_majority(votes, min_answers):
    """Return what more than half of the answers say, NaN where there is no such thing.

    `votes` are of shape (n_annotators, n_texts, n_hypotheses).
    """
    n_yes, n_no = (votes == 1).sum(axis=0), (votes == 0).sum(axis=0)
    decided = (n_yes != n_no) & (n_yes + n_no >= min_answers)
    return np.where(decided, n_yes > n_no, np.nan)
