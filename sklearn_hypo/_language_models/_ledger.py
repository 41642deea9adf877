"""What a run of calls consumed, and the cap that it must not pass."""

import threading
from numbers import Real
from typing import NamedTuple

from ..exceptions import BudgetError
from ._text import bound_tokens, estimate_tokens
from ._values import DecisionQuestions, Prompt, Usage

# With a cap, an answer must be bounded; a limit that users set themselves goes first.
DEFAULT_OUTPUT_BOUND = 2048

# What the protocol adds around prompt and schema.
_FRAME_TOKENS = 64


class CostEstimate(NamedTuple):
    """What a run is expected to need.

    Parameters
    ----------
    calls : int
        Requests, if none has to be repeated.
    input_tokens, output_tokens : int
        A quarter of the characters; reasoning is not foreseen.
    cost : float
        Dollars; NaN if the price of the model is not known.

    Examples
    --------
    >>> from sklearn_hypo import LLMAnnotator
    >>> annotator = LLMAnnotator("gemini:gemini-2.5-flash-lite", cache=None)
    >>> estimate = annotator.estimate_cost(["Thank you!", "so tired"], hypotheses=10)
    >>> estimate.calls, round(estimate.cost, 5)
    (2, 8e-05)
    """

    calls: int
    input_tokens: int
    output_tokens: int
    cost: float


class Budget:
    """Dollars that several accounts may spend together.

    Given as `max_cost` to an interpreter, an annotator, or both, it is one cap for all
    of them and for all their clones: a cross-validation of five folds may spend it
    once, not five times.

    Parameters
    ----------
    max_cost : float or None, default=None
        The cap, in dollars. None: what is spent is only added up.

    Attributes
    ----------
    max_cost : float or None
        The cap; raise it to go on.
    spent : float
        Dollars so far.

    See Also
    --------
    LLMAnnotator, LLMInterpreter, LLMNamer : Take it as `max_cost`.

    Notes
    -----
    A copy of a budget is the same budget. A pickle is one of its own, with what was
    spent until then, so processes do not share one.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sklearn_hypo import Budget, LLMAnnotator
    >>> budget = Budget(5.0)
    >>> annotator = LLMAnnotator("gemini", max_cost=budget)
    >>> clone(annotator).max_cost is budget
    True
    >>> budget.spent
    0.0
    """

    def __init__(self, max_cost=None):
        is_number = isinstance(max_cost, Real) and not isinstance(max_cost, bool)
        if max_cost is not None and not (is_number and 0 < max_cost < float("inf")):
            raise ValueError(f"Budget({max_cost!r}): dollars above 0 are needed.")
        self.max_cost = max_cost
        self.spent = 0.0
        self._open_jobs = {}  # by model: what its batch jobs may cost
        self._reserved = 0.0
        self._under_way = 0
        self._changed = threading.Condition()

    def __repr__(self):
        return f"Budget({self.max_cost!r})"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def _fork(self):
        """Return another budget, with the same cap and what was spent until now."""
        fork = Budget(self.max_cost)
        fork.spent = self.spent
        return fork

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["_changed"]
        return state | {"_open_jobs": {}, "_reserved": 0.0, "_under_way": 0}

    def __setstate__(self, state):
        self.__dict__.update(state, _changed=threading.Condition())

    def _commit(self, model, dollars):
        """Set what the batch jobs of a model that are not collected may cost."""
        with self._changed:
            self._open_jobs[model] = dollars

    @property
    def _committed(self):
        """What all such batch jobs may cost."""
        return sum(self._open_jobs.values())

    def _reserve(self, amount, give_up, make_error):
        """Reserve dollars, and return them; wait if need be.

        While waiting for calls of other threads, `give_up()` is asked whether the run
        is being stopped; then 0.0 is returned. What `make_error()` returns is raised if
        the cap could be passed even when all others have come back.
        """
        with self._changed:
            while self._known_cost() + self._reserved + amount > self.max_cost:
                if self._under_way == 0 or self._known_cost() + amount > self.max_cost:
                    raise make_error()
                if give_up():
                    return 0.0
                self._changed.wait(0.1)
            self._reserved += amount
            self._under_way += amount > 0
        return amount

    def _known_cost(self):
        return self.spent + self._committed

    def _settle(self, amount, cost):
        """Replace a reservation by what was spent, at the same instant."""
        with self._changed:
            self.spent += cost
            if amount > 0:
                self._under_way -= 1
                # sums of floats may leave a trifle behind
                self._reserved = self._reserved - amount if self._under_way else 0.0
                self._changed.notify_all()


class Ledger:
    """Counts tokens and money, and reserves money before a call is made.

    Every call first reserves the most that it can cost; only if what is spent and
    what is reserved stay within the cap is the call made. So the cap is never passed,
    whatever the answers turn out to be. A call whose outcome is unknown (a timeout, a
    broken connection, an unreadable reply) counts with all that was reserved.

    Parameters
    ----------
    price : Price or None
        Of a million tokens. None: not known, and then there is no cap.
    max_cost : float, Budget or None
        The cap, in dollars, of this account or of several together.
    kept : str
        What messages say about the answers that were paid for.
    model : str
        Its name in the account.

    Attributes
    ----------
    account : dict
        Always up to date: "model"; "answered_by", what the providers call the models
        that answered; the fields of `Usage`; "uncertain_calls", whose
        consumption the provider did not tell; "answers_from_cache"; "cost" in dollars
        (NaN if the price is not known).
    versions, warned_of : set of str
        What the providers call the models that answered, and of which of them the
        user was warned.
    budget : Budget
        What is spent and reserved under the cap.
    """

    def __init__(
        self,
        price,
        max_cost=None,
        kept="All answers obtained so far are kept.",
        model="",
    ):
        self.usage = Usage()
        self.cost = 0.0
        self.versions = set()
        self.warned_of = set()
        self.account = {}
        self.uncertain_calls = 0
        self._n_cached = 0
        self.budget = Budget()
        self._lock = threading.Lock()
        self.set_terms(price, max_cost, kept, model)

    def set_terms(self, price, max_cost, kept, model):
        """Change price, cap and names; what was spent stays spent."""
        self.price = price
        self._set_budget(max_cost)
        self.kept = kept
        self.model = model
        self._write_account()

    def _set_budget(self, max_cost):
        if isinstance(max_cost, Budget):
            self.budget, self._is_shared = max_cost, True
            return
        if getattr(self, "_is_shared", False):
            self.budget = Budget()
            self.budget.spent = self.cost
        self.budget.max_cost, self._is_shared = max_cost, False

    @property
    def max_cost(self):
        """The cap, in dollars; None without one."""
        return self.budget.max_cost

    def commit(self, dollars):
        """Set what batch jobs of this account that are not collected may cost."""
        self.budget._commit(self.model, dollars)

    def _write_account(self):
        self.account.update(
            model=self.model,
            answered_by=", ".join(sorted(self.versions)),
            **self.usage._asdict(),
            uncertain_calls=self.uncertain_calls,
            answers_from_cache=self._n_cached,
            cost=float("nan") if self.price is None else self.cost,
        )

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["_lock"]
        if not self._is_shared:
            state["budget"] = self.budget._fork()
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    def reserve(self, request, give_up):
        """Reserve the most that a call can cost, in dollars; wait if need be.

        A BudgetError is raised if the call could pass the cap even when all others
        have come back.
        """
        if self.max_cost is None:
            return 0.0
        amount = self.worst_cost(request)
        return self.budget._reserve(amount, give_up, lambda: self._budget_error(amount))

    def cancel(self, amount):
        """Take back a reservation for a call that is not made."""
        self.budget._settle(amount, 0.0)

    def settle(self, amount, request, usage, *, billed=True):
        """Replace a reservation by what the call cost.

        `usage` is None if the provider did not tell; then `billed` says whether the
        call may have cost something.
        """
        uncertain = usage is None and billed
        if usage is None:
            n_sent = estimate_input_tokens(request) if billed else 0
            usage = Usage(1, n_sent)
        cost = 0.0 if self.price is None else compute_cost(self._price(request), usage)
        self._count(amount, usage, uncertain, max(cost, amount) if uncertain else cost)

    def _count(self, amount, usage, uncertain, cost):
        with self._lock:
            self.budget._settle(amount, cost)
            self.usage += usage
            self.uncertain_calls += uncertain
            self.cost += cost
            self._write_account()

    def note_versions(self, versions):
        """Note what the providers call the models that answered; "" is no name."""
        new = set(versions) - self.versions - {""}
        if new:
            with self._lock:
                self.versions |= new
                self._write_account()

    def count_cached(self, n_answers):
        """Count answers that cost nothing."""
        with self._lock:
            self._n_cached += n_answers
            self._write_account()

    def _price(self, request):
        """Return the price; what a Decisions endpoint returns is free."""
        is_free = isinstance(request, DecisionQuestions)
        return self.price._replace(output=0.0) if is_free else self.price

    def add_from_batch(self, usage, most):
        """Count a call of a batch, at half the price; at `most` if usage is None."""
        price = None if self.price is None else self.price.half()
        cost = 0.0 if price is None else compute_cost(price, usage or Usage(1))
        uncertain = usage is None
        self._count(0.0, usage or Usage(1), uncertain, most if uncertain else cost)

    def worst_cost(self, request):
        """Return the most that a call can cost, in dollars.

        An answer without a limit is taken to have the one that a cap would set.
        """
        if self.price is None:
            return 0.0
        n_output = 0
        if isinstance(request, Prompt):
            n_output = request.max_output_tokens or DEFAULT_OUTPUT_BOUND
        usage = Usage(1, bound_input_tokens(request), 0, 0, n_output)
        return compute_cost(self.price, usage) * max(1.0, self.price.cache_write)

    def _budget_error(self, amount):
        open_jobs = (
            f" and ${self.budget._committed:.4f} may be needed for open batch jobs"
            if self.budget._committed
            else ""
        )
        return BudgetError(
            f"max_cost={self.max_cost:g} dollars: ${self.budget.spent:.4f} are spent"
            f"{open_jobs}, and the next call could cost ${amount:.4f}, so it was not "
            f"made. {self.kept} Raise max_cost and call again to go on."
        )


def make_cost_estimate(price, usage):
    """Return the CostEstimate of what will be consumed; the price may be None."""
    cost = float("nan") if price is None else compute_cost(price, usage)
    return CostEstimate(usage.calls, usage.input_tokens, usage.output_tokens, cost)


def add_estimates(estimates):
    """Return the sum of some CostEstimate; that of none is 0."""
    nothing = CostEstimate(0, 0, 0, 0.0)
    return CostEstimate(*map(sum, zip(nothing, *estimates, strict=True)))


def compute_cost(price, usage):
    """Return dollars for what was consumed."""
    return price.cost(
        usage.input_tokens,
        usage.cached_tokens,
        usage.output_tokens,
        usage.cache_write_tokens,
    )


def list_request_texts(request):
    """Return everything that a request says."""
    if isinstance(request, Prompt):
        return [request.system, request.user]
    if isinstance(request, list):
        return request
    return [request.text, *request.questions.values()]


def estimate_input_tokens(request):
    """Estimate the tokens of a request."""
    return sum(map(estimate_tokens, list_request_texts(request)))


def bound_input_tokens(request):
    """Bound the tokens of a request: no tokenizer makes more than bytes.

    Whether the text is billed once, or with each question, is not documented.
    """
    n_tokens = sum(map(bound_tokens, list_request_texts(request)))
    if isinstance(request, DecisionQuestions):
        n_tokens += bound_tokens(request.text) * (len(request.questions) - 1)
    if isinstance(request, Prompt) and request.schema is not None:
        n_tokens += bound_tokens(repr(request.schema))
    return n_tokens + _FRAME_TOKENS
