"""`LLMAnnotator`: annotation by a language model."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._hypotheses._hypothesis import as_hypotheses
from .._language_models._cells import CellAnswerer
from .._language_models._layouts import (
    LAYOUTS,
    PROBABILITIES,
    Layout,
    choose_layout,
    choose_size,
)
from .._language_models._ledger import Budget
from .._language_models._models import as_model
from .._language_models._session import (
    AnswerStoreMixin,
    Session,
    open_ledger,
    warn_of_shutdown,
)
from .._utils._validation import Interval, StrOptions, check_texts
from ._calibration import (
    calibrate_thresholds,
    check_can_calibrate,
    draw_calibration_rows,
)
from ._cells import check_cells
from ._missing_answers import check_missing, count_asked, tabulate_missing

# As long as interpreters usually write.
_USUAL_STATEMENT = "mentions a particular topic in a certain tone"


def _returns_probabilities(annotator):
    model = as_model(annotator.model, "annotator")
    return choose_layout(annotator.layout, model) in PROBABILITIES


class LLMAnnotator(AnswerStoreMixin, BaseEstimator):
    r"""Annotate a text with a hypothesis by asking a language model.

    Texts are sent to the provider of the model. Every answer is kept on disk the
    moment it arrives, under a key of everything that can change it: no fold, no
    candidate of a grid search, no second process and no restarted run pays for it
    again.

    Parameters
    ----------
    model : str, specification or callable, default="gemini:gemini-2.5-flash-lite"
        Whom to ask: "gemini:NAME", "openai:NAME", a server by its name ("ollama:NAME",
        "llamacpp:", "vllm:", "lmstudio:", "azure:", "openrouter:", "mistral:",
        "groq:", "deepseek:", "anthropic:"), an `OpenAIModel` or `GeminiModel` with
        more settings (such as another address), or a function from a prompt to an
        answer. The key is read from the environment when a call is made.
    layout : {"auto", "single", "stacked", "decisions", "logprobs"}, default="auto"
        How cells are put into calls. "single" asks about one text and one hypothesis
        (the published way); "stacked" about one text and up to `concepts_per_call`
        hypotheses, in an order shuffled for every text. Two layouts return a
        probability instead: "decisions", by the endpoint of that name or from a
        `TransformersModel`, and "logprobs", where a server gives the log-probabilities
        of its first word, one call per text and hypothesis. "auto": "single" for a
        function, "decisions" for a model of this process or one that can do nothing
        else, else "stacked".
    concepts_per_call : int or None, default=None
        Most hypotheses in one call. None: 10 stacked; for decisions what the
        endpoint takes.
    max_words_per_example : int or None, default=None
        Longer texts are cut there. None: they are sent whole.
    decision_threshold : float or "auto", default=0.5
        Probability from which an answer of "decisions" or "logprobs" is a yes. Not
        part of the cache key: searching over it costs nothing. "auto" calibrates one
        per hypothesis: the value at which the annotation correlates best with the
        neuron being active. For that, `fit` asks about 500 of the training texts, or
        all if there are fewer. The target takes no part.
    max_missing : float, default=0.05
        Largest share of cells without an answer; with more, `annotate` raises.
    max_cost : float, Budget or None, default=None
        Dollars that this annotator may spend over its life, repeated calls and the
        scoring of candidates included. No call is made that could pass it, where
        batch jobs of this model and cache that are not collected count with the most
        they may cost. Each clone counts for itself: a cross-validation of five folds
        may spend it five times, unless a `Budget` is given, which all share.
    cache : str, path or None, default="auto"
        Folder of the answers. "auto": the environment variable SKLEARN_HYPO_CACHE,
        else ``~/.cache/sklearn_hypo``. None: answers are kept as long as this object,
        and not in a pickle of it. Texts are not written there, only their hashes.
    n_workers : int or None, default=None
        The most calls under way at once; how many the server bears is found out. None:
        16; 1 for a function, which must be safe to call from several threads if this
        is set higher.
    shuffle_seed : int, default=0
        Of the order of stacked hypotheses.

    Attributes
    ----------
    layout_ : str
        The layout in use.
    hypotheses_ : list of Hypothesis
        What is looked for.
    thresholds_ : ndarray of shape (n_hypotheses,)
        The threshold of each hypothesis; infinite where none agrees with the neuron.
    annotation_errors_ : DataFrame
        One row per missing answer of the last call: "text", "hypothesis", "outcome"
        ("refused", "blocked", "cut", "too_long", "unparsable", "failed") and
        "detail".
    usage_ : dict
        Model, what the provider calls the models that answered ("answered_by"),
        calls, tokens (cached and reasoning ones told apart), answers from the cache
        and cost in dollars, over the life of this object; always up to date.

    See Also
    --------
    LLMInterpreter : Writes the hypotheses.
    OpenAIModel, GeminiModel : Specifications of models.

    Notes
    -----
    A missing answer is NaN, never a "no". Blank texts are not sent; they have no
    property. A text is sent as a JSON string apart from the instructions; it cannot
    close the quotes around it, nor touch the answers for other texts. A text can
    still lie about itself to a gullible model.

    What a provider calls the model that answered is stored with each answer. If it is
    another model than the one asked for, a `HypothesisWarning` says so, also for
    answers from the cache. A dated snapshot ("gpt-x-2026-01-01" for "gpt-x") is no
    other model, nor is "-latest", an organization before a slash, a file ending, or
    the case of letters; two snapshots are two models. The name of a deployment at
    Azure is the user's, and is not compared.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025 (arXiv 2502.04382): one call per
    text and hypothesis.

    Examples
    --------
    Any function can stand in for a model:

    >>> import json
    >>> from sklearn_hypo import Hypothesis, LLMAnnotator
    >>> def model(prompt):
    ...     question = json.loads(prompt.rpartition("\n\n")[2])
    ...     return "yes" if "thank" in question["text"].lower() else "no"
    >>> thanks = Hypothesis("expresses thanks", "neuron017")
    >>> annotator = LLMAnnotator(model, cache=None).fit([], [thanks])
    >>> annotator.annotate(["Thank you!", "so tired", "thanks a lot"])
    array([[1.],
           [0.],
           [1.]])
    >>> annotator.usage_["calls"]
    3
    """

    _parameter_constraints = {
        "model": "no_validation",  # as_model says more
        "layout": [StrOptions({"auto", *LAYOUTS})],
        "concepts_per_call": [Interval(Integral, 1, None, closed="left"), None],
        "max_words_per_example": [Interval(Integral, 1, None, closed="left"), None],
        "decision_threshold": [
            Interval(Real, 0, 1, closed="both"),
            StrOptions({"auto"}),
        ],
        "max_missing": [Interval(Real, 0, 1, closed="both")],
        "max_cost": [Interval(Real, 0, None, closed="neither"), Budget, None],
        "cache": "no_validation",
        "n_workers": [Interval(Integral, 1, 256, closed="both"), None],
        "shuffle_seed": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        model="gemini:gemini-2.5-flash-lite",
        *,
        layout="auto",
        concepts_per_call=None,
        max_words_per_example=None,
        decision_threshold=0.5,
        max_missing=0.05,
        max_cost=None,
        cache="auto",
        n_workers=None,
        shuffle_seed=0,
    ):
        self.model = model
        self.layout = layout
        self.concepts_per_call = concepts_per_call
        self.max_words_per_example = max_words_per_example
        self.decision_threshold = decision_threshold
        self.max_missing = max_missing
        self.max_cost = max_cost
        self.cache = cache
        self.n_workers = n_workers
        self.shuffle_seed = shuffle_seed

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        """Take over the hypotheses, and calibrate thresholds if that is asked for.

        No call is made, but for decision_threshold="auto" with a layout that returns
        probabilities.

        Parameters
        ----------
        texts : sequence of str of length n_texts
            The training texts; used for calibration only.
        hypotheses : sequence of Hypothesis or str
            What to look for.
        activations : ndarray of shape (n_texts, n_hypotheses), default=None
            Of the neurons described; needed for decision_threshold="auto".
        random_state : object
            Not used: what is random depends on `shuffle_seed` and the text alone, so
            that answers can be shared between folds.

        Returns
        -------
        self : LLMAnnotator
            Ready to annotate.

        Raises
        ------
        ValueError
            If thresholds are to be calibrated and there are no activations.
        LanguageModelError
            As `annotate` raises it, where calls are made.
        """
        self._validate_params()
        answerer = self._make_answerer()
        warn_of_shutdown(answerer.session.model)
        self.layout_ = answerer.layout.name
        self.usage_ = self._ledger.account
        self.hypotheses_ = as_hypotheses(hypotheses, caller=type(self).__name__)
        self.annotation_errors_ = tabulate_missing([], [], [])
        self.thresholds_ = self._find_thresholds(texts, activations)
        return self

    def _find_thresholds(self, texts, activations):
        if self.decision_threshold != "auto":
            return np.full(len(self.hypotheses_), float(self.decision_threshold))
        if self.layout_ not in PROBABILITIES:
            return np.full(len(self.hypotheses_), 0.5)
        check_can_calibrate(
            self.decision_threshold,
            activations,
            caller=type(self).__name__,
            parameter="decision_threshold",
        )
        rows = draw_calibration_rows(texts, self.shuffle_seed)
        scores = self._answer([texts[row] for row in rows], None)
        activations = np.asarray(activations)[rows]
        columns = zip(scores.T, activations.T, ~np.isnan(scores).T, strict=True)
        return np.concatenate(
            [
                calibrate_thresholds(score[known, None], activation[known, None])
                for score, activation, known in columns
            ]
            or [np.empty(0)]
        )

    def annotate(self, texts):
        """Annotate texts.

        Parameters
        ----------
        texts : sequence of str
            What the model is to read; equal ones are asked about once.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            1.0, 0.0, or NaN where there is no answer.

        Raises
        ------
        LanguageModelError
            If no further call can succeed (key, quota, unknown model, a provider
            that is down); `BudgetError` if the next call could pass `max_cost`;
            `MissingAnswersError` if more than `max_missing` of the cells have no
            answer. All answers obtained are kept.
        CacheError
            If the folder cannot be used.
        """
        return self.annotate_cells(texts)

    def annotate_cells(self, texts, where=None):
        """Annotate some cells of the table of texts and hypotheses.

        Parameters
        ----------
        texts : sequence of str
            As in `annotate`.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to ask about. None: all.

        Returns
        -------
        annotations : ndarray of shape (n_texts, n_hypotheses)
            As `annotate` returns them; NaN also where nothing was asked.
        """
        where = check_cells(where, texts, getattr(self, "hypotheses_", ()))
        values = self._answer(texts, where)
        return np.where(np.isnan(values), np.nan, values >= self._least())

    def _least(self):
        """Return the probability from which an answer is a yes."""
        # of now: a number may have been set since
        is_number = self.decision_threshold != "auto"
        return self.decision_threshold if is_number else self.thresholds_

    @available_if(_returns_probabilities)
    def decision_function(self, texts, where=None):
        """Return how far each text is on the side of yes.

        Only with a layout that returns probabilities.

        Parameters
        ----------
        texts : sequence of str
            As in `annotate`.
        where : ndarray of bool of shape (n_texts, n_hypotheses), default=None
            Which cells to ask about. None: all.

        Returns
        -------
        margins : ndarray of shape (n_texts, n_hypotheses)
            Probability minus threshold: yes from 0 on. NaN where there is no answer,
            and where `where` is False.
        """
        where = check_cells(where, texts, getattr(self, "hypotheses_", ()))
        return self._answer(texts, where) - self._least()

    def annotate_proba(self, texts):
        """Return probabilities instead of yes and no.

        Parameters
        ----------
        texts : sequence of str
            As in `annotate`.

        Returns
        -------
        probabilities : ndarray of shape (n_texts, n_hypotheses)
            As the layouts "decisions" and "logprobs" return them; 1.0 and 0.0 for the
            others; NaN where there is no answer.
        """
        return self._answer(texts, None)

    def estimate_cost(self, texts, hypotheses=None):
        """Estimate what annotating will cost. No call is made.

        Cells whose answer is in the cache cost nothing.

        Parameters
        ----------
        texts : sequence of str
            The texts.
        hypotheses : sequence of Hypothesis or str, or int, default=None
            None: those of `fit`. A number stands for so many statements of usual
            length.

        Returns
        -------
        estimate : CostEstimate
            Calls, tokens of input and output, and dollars. Tokens are a quarter of
            the characters; reasoning is not foreseen, nor are repeated calls.
        """
        self._validate_params()
        if hypotheses is None:
            check_is_fitted(self, "hypotheses_")
            hypotheses = self.hypotheses_
        if isinstance(hypotheses, Integral):
            if hypotheses < 0:
                raise ValueError(f"hypotheses={hypotheses}: a number >= 0 is needed.")
            hypotheses = [f"{_USUAL_STATEMENT} {i}" for i in range(hypotheses)]
        texts = check_texts(texts, caller=type(self).__name__)
        return self._make_answerer().estimate(
            texts.tolist(), [str(h) for h in hypotheses]
        )

    def submit(self, texts):
        """Submit texts as batch jobs: half the price, answers within a day.

        The jobs are noted beside the answers in the cache folder. They survive this
        process: `collect`, or `annotate`, in any process with the same model and
        cache takes the answers over.

        Parameters
        ----------
        texts : sequence of str
            The texts, to be annotated with the hypotheses of `fit`.

        Returns
        -------
        jobs : list of str
            The vendor's names of the jobs. None if every answer is in the cache, or
            will be in one of the jobs that are under way.

        Raises
        ------
        ValueError
            For functions, models of this process, layouts that return probabilities,
            and `cache=None`.
        LanguageModelError
            As `annotate` raises it; `BudgetError` if the jobs could pass `max_cost`.
        """
        check_is_fitted(self, "hypotheses_")
        answerer = self._make_answerer()
        if answerer.session.store.folder is None:
            raise ValueError(
                "submit() needs a cache folder, in which it notes the jobs; this "
                "annotator keeps its answers in memory. Set cache='auto', or a folder."
            )
        texts = check_texts(texts, caller=type(self).__name__)
        return answerer.submit(texts.tolist(), [h.statement for h in self.hypotheses_])

    def collect(self):
        """Take over the answers of batch jobs that are finished.

        Returns
        -------
        collected : CollectedBatches
            Number of answers, of cells without one, and names of pending jobs.
        """
        answerer = self._make_answerer()
        self.usage_ = self._ledger.account
        return answerer.collect()

    def _answer(self, texts, where):
        check_is_fitted(self, "hypotheses_")
        answerer = self._make_answerer()
        texts = check_texts(texts, caller=type(self).__name__, may_be_empty=True)
        texts = texts.tolist()
        statements = [h.statement for h in self.hypotheses_]
        self.annotation_errors_ = tabulate_missing([], [], [])
        values, missing = answerer.answer(texts, statements, where)
        self.annotation_errors_ = tabulate_missing(texts, statements, missing)
        check_missing(
            self.annotation_errors_,
            count_asked(texts, len(statements), where),
            statements,
            values,
            max_missing=self.max_missing,
            caller=type(self).__name__,
        )
        return values

    def twin(self):
        """Return an unfitted clone that shares account, cap and answers.

        Returns
        -------
        twin : LLMAnnotator
            What it spends is spent by both.
        """
        self._open()
        twin = clone(self)
        twin.model = self.model  # a copy of a callable object would be another model
        for shared in ("_ledger", "_answers", "_opened_for"):
            setattr(twin, shared, getattr(self, shared))
        return twin

    def check_key(self):
        """Raise if no call can be made, before others are paid for.

        Raises
        ------
        ValueError
            For parameters that `fit` would refuse.
        LanguageModelError
            If the key is missing.
        """
        self._validate_params()
        self._make_answerer().session.model.read_key()

    def _open(self):
        """Open account and store; both last as long as this object."""
        model = as_model(self.model, "annotator")
        now = open_ledger(model, self.max_cost, self._open_answers(model))
        if hasattr(self, "_ledger"):
            # parameters may have been set since
            self._ledger.set_terms(now.price, self.max_cost, now.kept, now.model)
        else:
            self._ledger = now
        return model

    def _make_answerer(self):
        model = self._open()
        layout = choose_layout(self.layout, model)
        per_call = choose_size(self.concepts_per_call, layout, model)
        caller = type(self).__name__
        session = Session(model, self._answers, self._ledger, self.n_workers, caller)
        layout = Layout(layout, per_call, self.shuffle_seed)
        return CellAnswerer(session, layout, self.max_words_per_example)
