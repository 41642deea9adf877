"""`LLMInterpreter`: neurons in words, written by a language model."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .._annotation._lexicon import LexiconAnnotator
from .._language_models._ledger import Budget, add_estimates, make_cost_estimate
from .._language_models._models import as_model
from .._language_models._session import (
    AnswerStoreMixin,
    Session,
    open_ledger,
    warn_of_shutdown,
)
from .._language_models._text import clean_text, cut_words, estimate_tokens
from .._language_models._values import Usage
from .._utils._validation import Interval, StrOptions, check_texts
from ._costs import estimate_scoring
from ._prompts import (
    BINS_TEMPLATE,
    REFINEMENT_TEMPLATE,
    SYSTEM,
    TEMPLATE,
    check_template,
    fill_template,
    format_array,
    format_bins,
)
from ._sampling import draw_percentile_bins, draw_top_and_zero_rows, split_at_random
from ._statement_scoring import StatementScorer, draw_balanced_rows, subtract_medians
from ._statement_search import StatementSearch
from ._write_statements import STATEMENT, StatementWriter

# Shares of the distinct texts: shown as examples, mined for mistakes, compared on,
# reported on. The second part is there only if statements are refined.
_PARTS = (0.6, 0.0, 0.2, 0.2)
_PARTS_WITH_REFINEMENT = (0.5, 0.1, 0.2, 0.2)

_REQUIRED = {"top": ("active_texts", "inactive_texts"), "bins": ("binned_texts",)}
_REFINEMENT_REQUIRED = ("statement", "missed_texts", "wrongly_marked_texts")


class LLMInterpreter(AnswerStoreMixin, BaseEstimator):
    r"""Describe a neuron by a statement that a language model writes.

    The model is shown texts that activate the neuron and texts that do not, and
    writes a statement; several candidates are written from different draws of the
    texts. Each is tested by the annotator of the pipeline, which sees the statement
    alone, on texts that the writer never saw; the best is kept. On request, the model
    is shown the mistakes and improves the statement. The fidelity reported is that on
    a third set of texts, used for none of this.

    Parameters
    ----------
    model : str, specification or callable, default="gemini:gemini-3.8-flash"
        Who writes; as for `LLMAnnotator`.
    sampling : {"top", "bins"}, default="top"
        "top": `n_examples` most active texts against as many of activation 0. "bins":
        a fifth of twice that number from each of four bins of activation (the
        percentiles 0-50, 50-80, 80-95 and 95-100 of the active texts) and from the
        texts of activation 0.
    n_examples : int, default=10
        Active texts shown, and as many others.
    n_candidates : int, default=3
        Statements written for a neuron.
    temperature : float or None, default=None
        Sent only if set. Candidates differ without it, too: each sees other texts of
        activation 0, in another order.
    n_scoring_examples : int, default=100
        Texts on which a statement is tested; half of them active.
    n_refinements : int, default=0
        Rounds in which the model sees false positives and false negatives of the best
        statement and improves it. An improvement is kept only if its F1 is higher on
        the texts that candidates are compared on.
    max_words_per_example : int or None, default=256
        Longer examples are cut there.
    task_instructions : str or None, default=None
        What the texts are and what the study is about; put into the prompt.
    template : str or None, default=None
        Prompt in the place of the built-in one. It must contain ``{active_texts}``
        and ``{inactive_texts}`` (with "bins", ``{binned_texts}``) and may contain
        ``{task_instructions}``. Texts are put in as JSON arrays.
    refinement_template : str or None, default=None
        The same for refinements. It must contain ``{statement}``,
        ``{missed_texts}`` and ``{wrongly_marked_texts}``.
    max_cost : float, Budget or None, default=None
        Dollars that the writing may cost in one call of `interpret`. Scoring is the
        annotator's expense. A `Budget` can be shared with it.
    cache : str, path or None, default="auto"
        Folder of the answers; as for `LLMAnnotator`.
    n_workers : int or None, default=None
        The most calls under way at once. None: 16; 1 for a function.

    Attributes
    ----------
    failures_ : DataFrame
        One row per statement that was not obtained: "neuron", "reason".
    usage_ : dict
        Model, what the provider calls it ("answered_by"), calls, tokens and cost of
        the writing; kept up to date meanwhile.

    See Also
    --------
    LLMAnnotator : Judges the statements.
    LexiconInterpreter : The default, which needs no model.

    Notes
    -----
    The texts are split by distinct text (up to case, white space and what is cut):
    60 % to show, 20 % to compare on, 20 % to report on (50, 20 and 20 % with
    refinements, which look for mistakes in the remaining 10 %). Fewer than four
    distinct texts cannot be split, and then no fidelity is reported. F1, precision and
    recall are those in samples of which half is active, as in the published method; in
    the population a neuron is active in far fewer texts, and precision is lower. A
    statement that was judged in less than half of the sample never wins against one
    that was judged in more. Of a neuron that is active in more than half
    of the texts, the activation above its median counts.

    A statement is one line of at most 200 characters. A refusal, or an answer that is
    empty, cut or longer, is asked for again, then recorded in `failures_`; it never
    becomes a hypothesis.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025 (arXiv 2502.04382).

    Examples
    --------
    Any function can stand in for a model:

    >>> import json
    >>> import numpy as np
    >>> from sklearn_hypo import LLMAnnotator, LLMInterpreter
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(300, n_concepts=1, random_state=0)
    >>> def writer(prompt):
    ...     return json.dumps({"statement": "expresses thanks"})
    >>> def reader(prompt):
    ...     text = json.loads(prompt.rpartition("\n\n")[2])["text"].lower()
    ...     return "yes" if "thank" in text else "no"
    >>> interpreted = LLMInterpreter(writer, n_candidates=1, cache=None).interpret(
    ...     np.array(data.data, dtype=object), data.truth.astype(float), ["neuron000"],
    ...     annotator=LLMAnnotator(reader, cache=None),
    ...     random_state=np.random.RandomState(0),
    ... )
    >>> interpreted[0].candidates[0].hypothesis.statement
    'expresses thanks'
    >>> interpreted[0].fidelity.precision
    1.0
    """

    _parameter_constraints = {
        "model": "no_validation",  # as_model says more
        "sampling": [StrOptions({"top", "bins"})],
        "n_examples": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, 0, None, closed="left"), None],
        "n_scoring_examples": [Interval(Integral, 2, None, closed="left")],
        "n_refinements": [Interval(Integral, 0, None, closed="left")],
        "max_words_per_example": [Interval(Integral, 1, None, closed="left"), None],
        "task_instructions": [str, None],
        "template": [str, None],
        "refinement_template": [str, None],
        "max_cost": [Interval(Real, 0, None, closed="neither"), Budget, None],
        "cache": "no_validation",
        "n_workers": [Interval(Integral, 1, 256, closed="both"), None],
    }

    def __init__(
        self,
        model="gemini:gemini-3.8-flash",
        *,
        sampling="top",
        n_examples=10,
        n_candidates=3,
        temperature=None,
        n_scoring_examples=100,
        n_refinements=0,
        max_words_per_example=256,
        task_instructions=None,
        template=None,
        refinement_template=None,
        max_cost=None,
        cache="auto",
        n_workers=None,
    ):
        self.model = model
        self.sampling = sampling
        self.n_examples = n_examples
        self.n_candidates = n_candidates
        self.temperature = temperature
        self.n_scoring_examples = n_scoring_examples
        self.n_refinements = n_refinements
        self.max_words_per_example = max_words_per_example
        self.task_instructions = task_instructions
        self.template = template
        self.refinement_template = refinement_template
        self.max_cost = max_cost
        self.cache = cache
        self.n_workers = n_workers

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        """Have every neuron described, and the descriptions tested.

        Parameters
        ----------
        texts, activations, neurons : ndarray, ndarray, sequence of str
            As in `Interpreter.interpret`.
        annotator : Annotator
            Unfitted; judges the statements.
        random_state : RandomState
            Splits the texts and draws examples.

        Returns
        -------
        interpretations : list of Interpretation
            One per neuron. Without candidates where the model gave no statement.

        Raises
        ------
        ValueError
            If the annotator can only look for terms, and for templates without
            their placeholders. No call is made then.
        LanguageModelError
            As `LLMAnnotator.annotate` raises it. Statements obtained are kept.
        """
        self._validate_params()
        self._check_templates()
        _refuse_lexicons(annotator)
        writer = self._make_writer(annotator)
        activations = subtract_medians(np.asarray(activations))
        parts, are_apart = self._split(texts, random_state)
        show, mine, compare, report = parts
        scorer = StatementScorer(annotator, texts, activations, show, random_state)
        rows = [
            [
                draw_balanced_rows(column, part, self.n_scoring_examples, random_state)
                for part in (mine, compare, report)
            ]
            for column in activations.T
        ]
        search = StatementSearch(writer, scorer, texts, activations, rows)
        self.usage_ = writer.session.ledger.account
        try:
            search.write_candidates(
                show,
                self.n_candidates,
                lambda texts, column: self.example_prompt(texts, column, random_state),
            )
            for number in range(self.n_refinements):
                search.refine(number, self.refinement_prompt)
        finally:
            self.failures_ = pd.DataFrame(
                [(neurons[j], reason) for j, reason in search.failures],
                columns=["neuron", "reason"],
                dtype=object,
            )
        found = search.interpret(neurons)
        if are_apart:
            return found
        return [each._replace(fidelity=None) for each in found]

    def estimate_cost(self, texts, n_neurons, annotator=None):
        """Estimate what the writing, and the scoring, will cost. No call is made.

        Parameters
        ----------
        texts : sequence of str
            The training texts.
        n_neurons : int
            Neurons to describe.
        annotator : LLMAnnotator or None, default=None
            If given, the scoring of the statements by it is included.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens and dollars for texts of mean length, if every neuron is
            refined in every round. Statements of several neurons that are judged in
            one text share calls; more of them do where neurons are active in the same
            texts, so that fewer calls are made.
        """
        self._validate_params()
        texts = check_texts(texts, caller=type(self).__name__)
        shown = 2 * self.n_examples * (np.mean([len(t) for t in self._cut(texts)]) + 4)
        fixed = estimate_tokens(
            SYSTEM + self._template() + (self.task_instructions or "")
        )
        calls = n_neurons * (self.n_candidates + self.n_refinements)
        usage = Usage(
            calls,
            round(calls * (fixed + shown / 4)),
            0,
            0,
            STATEMENT.output_tokens * calls,
        )
        price = as_model(self.model, "interpreter").price_per_million()
        parts = [make_cost_estimate(price, usage)]
        if annotator is not None:
            parts += self._estimate_scoring(texts, n_neurons, annotator)
        return add_estimates(parts)

    def _estimate_scoring(self, texts, n_neurons, annotator):
        """Estimate every round in which statements are judged."""
        (_, mine, compare, report), _ = self._split(texts, np.random.RandomState(0))
        rounds = [(compare, self.n_candidates), (report, 1)]
        rounds += [(mine, 1), (compare, 1)] * self.n_refinements
        return [
            estimate_scoring(
                annotator, texts[rows], n_neurons, n_statements, self.n_scoring_examples
            )
            for rows, n_statements in rounds
        ]

    def _template(self):
        if self.template is not None:
            return self.template
        return TEMPLATE if self.sampling == "top" else BINS_TEMPLATE

    def _refinement_template(self):
        given = self.refinement_template
        return REFINEMENT_TEMPLATE if given is None else given

    def _check_templates(self):
        check_template(self._template(), "template", _REQUIRED[self.sampling])
        check_template(
            self._refinement_template(), "refinement_template", _REFINEMENT_REQUIRED
        )

    def _make_writer(self, annotator):
        model = as_model(self.model, "interpreter")
        warn_of_shutdown(model)
        store = self._open_answers(model)
        # what is wrong with the annotator shows before the writing is paid for
        check_key = getattr(annotator, "check_key", None)  # as a PaidAnnotator has
        ledger = open_ledger(model, self.max_cost, store)
        session = Session(model, store, ledger, self.n_workers, type(self).__name__)
        return StatementWriter(session, check_key)

    def _split(self, texts, random_state):
        """Split the rows so that like texts are in one part; drop blank texts.

        Returns the parts, and whether they are apart.
        """
        code, distinct = pd.factorize(np.array(self._normalize(texts), dtype=object))
        worded = distinct.astype(bool)
        order = random_state.permutation(np.flatnonzero(worded))
        shares = _PARTS_WITH_REFINEMENT if self.n_refinements else _PARTS
        if len(order) < 4:
            # nothing can be held out of so few texts: all are seen by each part
            return [np.flatnonzero(worded[code])] * 4, False
        used = [share for share in shares if share]
        parts = [
            order[part] for part in split_at_random(len(order), used, random_state)
        ]
        if not self.n_refinements:
            parts.insert(1, order[:0])
        return [np.flatnonzero(np.isin(code, part)) for part in parts], True

    def _normalize(self, texts):
        """Write texts so that those are equal which a reader would call the same."""
        return [" ".join(text.split()).casefold() for text in self._cut(texts)]

    def example_prompt(self, texts, activation, rng):
        """Build a prompt from examples; also used to look at what will be sent.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            To choose from.
        activation : ndarray of shape (n_texts,)
            Non-negative.
        rng : RandomState
            Draws and shuffles.

        Returns
        -------
        prompt : Prompt
            Its `system` and `user` messages.
        """
        values = {"task_instructions": self._instructions()}
        if self.sampling == "top":
            n = self.n_examples
            top, zero = draw_top_and_zero_rows(activation, n, n, rng)
            values["active_texts"] = format_array(
                self._cut(texts[rng.permutation(top)])
            )
            values["inactive_texts"] = format_array(self._cut(texts[zero]))
        else:
            n_per_bin = max(1, round(2 * self.n_examples / 5))
            bins = draw_percentile_bins(activation, n_per_bin, rng)
            cut = [self._cut(texts[rows]) for rows in reversed(bins)]
            values["binned_texts"] = format_bins(cut)
        return self._prompt(self._template(), values)

    def refinement_prompt(self, statement, missed, wrongly_marked):
        """Build a prompt from mistakes.

        Parameters
        ----------
        statement : str
            To be improved.
        missed, wrongly_marked : sequence of str
            Texts.

        Returns
        -------
        prompt : Prompt
            Its `system` and `user` messages.
        """
        values = {
            "task_instructions": self._instructions(),
            "statement": format_array([statement])[1:-1],
            "missed_texts": format_array(self._cut(missed[: self.n_examples])),
            "wrongly_marked_texts": format_array(
                self._cut(wrongly_marked[: self.n_examples])
            ),
        }
        return self._prompt(self._refinement_template(), values)

    def _prompt(self, template, values):
        prompt = fill_template(template, values)
        if self.temperature is None:
            return prompt
        return replace(prompt, temperature=float(self.temperature))

    def _instructions(self):
        return f"{self.task_instructions}\n" if self.task_instructions else ""

    def _cut(self, texts):
        cut = self.max_words_per_example
        return [cut_words(clean_text(text), cut)[0] for text in texts]


def _refuse_lexicons(annotator):
    if isinstance(annotator, LexiconAnnotator):
        raise ValueError(
            "LLMInterpreter writes statements in plain words, and annotator=None (the "
            "LexiconAnnotator) only looks for terms. Give an annotator that judges "
            "meaning: LLMAnnotator(...) or EmbeddingAnnotator(...)."
        )
