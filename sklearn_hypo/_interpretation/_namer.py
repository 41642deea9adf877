"""`LLMNamer`: dictionaries get names, which a language model writes."""

from numbers import Integral, Real

import pandas as pd
from sklearn.base import BaseEstimator

from .._hypotheses._wording import name_apart
from .._language_models._ledger import Budget
from .._language_models._models import as_model
from .._language_models._session import (
    AnswerStoreMixin,
    Session,
    open_ledger,
    warn_of_shutdown,
)
from .._language_models._text import clean_text
from .._utils._printable import pluralize, shorten
from .._utils._steps import find_best_estimator, find_extractor
from .._utils._tokens import write_term
from .._utils._validation import Interval
from .._utils._warnings import warn
from ._prompts import make_name_prompt
from ._write_statements import NAME, StatementWriter


class LLMNamer(AnswerStoreMixin, BaseEstimator):
    r"""Have a language model name the dictionaries of hypotheses, one call for each.

    "mentions any of: thanks, great, welcome or 49 more terms" becomes "gratitude:
    mentions any of: ...". The dictionary stays what annotates and what is tested; the
    name is for the reader. So twenty hypotheses take twenty calls, however many texts
    there are, where a language model that annotates takes thousands.

    The model is sent the leading terms of a dictionary and the share of the training
    texts that contain each; neither texts nor the target.

    Parameters
    ----------
    model : str, specification or callable, default="gemini:gemini-3.8-flash"
        Who names; as for `LLMAnnotator`.
    n_terms : int, default=40
        The most terms that are sent for a hypothesis.
    task_instructions : str or None, default=None
        What the texts are; put into the prompt.
    max_cost : float, Budget or None, default=None
        Dollars that one call of `name` may cost.
    cache : str, path or None, default="auto"
        Folder of the answers; as for `LLMAnnotator`.
    n_workers : int or None, default=None
        The most calls under way at once. None: 16; 1 for a function.

    Attributes
    ----------
    failures_ : DataFrame
        One row per hypothesis for which no name was obtained: "hypothesis", "reason".
    usage_ : dict
        Model, calls, tokens and cost of the last call of `name`; kept up to date
        meanwhile.

    See Also
    --------
    HypothesisExtractor.rename : Gives names by hand.
    LLMInterpreter : Has statements written that stand in the place of dictionaries.

    Notes
    -----
    A name has at most six words and 60 characters, on one line. A refusal, or an
    answer that is longer, empty or cannot be read, is asked for again, then recorded
    in `failures_`; the hypothesis then stays without a name.

    Of two names that share more than half of the words of the shorter one, up to the
    forms of a word, the later is followed by its first term that the earlier
    dictionary lacks: "sadness" and "deep sadness (lonely)".

    Only hypotheses with terms and without a name are named: those that a person gave
    stay. ``rename({hypothesis: ""})`` takes one away.

    Examples
    --------
    Any function can stand in for a model:

    >>> import json
    >>> import pandas as pd
    >>> from sklearn_hypo import HypothesisExtractor, LexiconInterpreter, LLMNamer
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(500, n_concepts=1, random_state=0)
    >>> neurons = pd.DataFrame(
    ...     data.truth.astype(float),
    ...     index=pd.Index(data.data, name="text"),
    ...     columns=["neuron000"],
    ... )
    >>> extractor = HypothesisExtractor(
    ...     LexiconInterpreter(embedder=None), random_state=0
    ... ).fit(neurons, data.target)
    >>> def model(prompt):
    ...     return json.dumps({"name": "gratitude" if "thank" in prompt else "other"})
    >>> namer = LLMNamer(model, cache=None)
    >>> namer.name(extractor).hypotheses_["name"].tolist()
    ['gratitude']
    >>> namer.usage_["calls"]
    1
    """

    _parameter_constraints = {
        "model": "no_validation",  # as_model says more
        "n_terms": [Interval(Integral, 1, None, closed="left")],
        "task_instructions": [str, None],
        "max_cost": [Interval(Real, 0, None, closed="neither"), Budget, None],
        "cache": "no_validation",
        "n_workers": [Interval(Integral, 1, 256, closed="both"), None],
    }

    def __init__(
        self,
        model="gemini:gemini-3.8-flash",
        *,
        n_terms=40,
        task_instructions=None,
        max_cost=None,
        cache="auto",
        n_workers=None,
    ):
        self.model = model
        self.n_terms = n_terms
        self.task_instructions = task_instructions
        self.max_cost = max_cost
        self.cache = cache
        self.n_workers = n_workers

    def name(self, estimator):
        """Name the hypotheses of a fitted estimator.

        Parameters
        ----------
        estimator : HypothesisExtractor, or Pipeline that ends in one
            Fitted. Of a fitted search, the best estimator is named.

        Returns
        -------
        estimator : object
            The same, with names in `hypotheses_`.

        Raises
        ------
        TypeError, NotFittedError
            If there is no fitted extractor.
        LanguageModelError
            As `LLMAnnotator.annotate` raises it. Names obtained are kept in the
            cache, and nothing is renamed.

        Warns
        -----
        HypothesisWarning
            If hypotheses stay without a name.
        """
        extractor = self._find_extractor(estimator)
        writer = self._make_writer()
        warn_of_shutdown(writer.session.model)
        self.usage_ = writer.session.ledger.account
        asked, prompts = self._make_prompts(extractor)
        results = writer.write(prompts)
        failures = [
            (h.statement, result.reason)
            for h, result in zip(asked, results, strict=True)
            if result.statement is None
        ]
        self.failures_ = pd.DataFrame(
            failures, columns=["hypothesis", "reason"], dtype=object
        )
        given = {
            h.statement: result.statement
            for h, result in zip(asked, results, strict=True)
            if result.statement is not None
        }
        extractor.rename(_tell_apart(extractor, given))
        if failures:
            warn(
                f"LLMNamer: {pluralize(len(failures), 'hypothesis')} of {len(asked)} "
                f"stay without a name, such as {shorten(failures[0][0])!r}: "
                f"{failures[0][1]}. See failures_."
            )
        return estimator

    def estimate_cost(self, estimator):
        """Estimate what the naming will cost. No call is made.

        Parameters
        ----------
        estimator : HypothesisExtractor, or Pipeline that ends in one
            Fitted.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars, without those whose answer is in the cache.
        """
        _, prompts = self._make_prompts(self._find_extractor(estimator))
        return self._make_writer().estimate(prompts)

    def _find_extractor(self, estimator):
        self._validate_params()
        found = find_best_estimator(estimator)
        return find_extractor(found, caller=type(self).__name__)

    def _make_writer(self):
        model = as_model(self.model, "interpreter")
        store = self._open_answers(model)
        ledger = open_ledger(model, self.max_cost, store)
        session = Session(model, store, ledger, self.n_workers, type(self).__name__)
        return StatementWriter(session, wanted=NAME)

    def _make_prompts(self, extractor):
        """Return the hypotheses to be named, and what to ask for each."""
        asked = [h for h in extractor._hypotheses if h.terms and not h.name]
        table = extractor.terms_
        keys = zip(table["hypothesis"], table["term"], strict=True)
        shares = dict(zip(keys, table["share"], strict=True))
        about = f"{self.task_instructions}\n" if self.task_instructions else ""
        prompts = []
        for h in asked:
            words = {
                clean_text(write_term(term)): float(
                    f"{100 * shares[h.statement, term]:.2g}"
                )
                for term in h.terms[: self.n_terms]
            }
            n_more = max(len(h.terms) - self.n_terms, 0)
            prompts.append((make_name_prompt(words, n_more, about), 0))
        return asked, prompts


def _tell_apart(extractor, given):
    """Return new names that differ from each other, and from those that stay."""
    # names that stay come first, so that they are not the ones to be told apart
    named = [(h, h.name) for h in extractor._hypotheses if h.name]
    named += [
        (h, given[h.statement]) for h in extractor._hypotheses if h.statement in given
    ]
    apart = name_apart([name for _, name in named], [h.terms for h, _ in named])
    new = zip(named, apart, strict=True)
    return {h.statement: name for (h, _), name in new if h.statement in given}
