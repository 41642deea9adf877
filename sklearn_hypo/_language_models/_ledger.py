"""What a run of calls consumed, and the cap that it must not pass."""

import threading

from ..exceptions import BudgetError
from ._text import estimate_tokens, most_tokens
from ._values import Prompt, Questions, Usage

# With a cap, an answer must be bounded; a limit that users set themselves goes first.
DEFAULT_OUTPUT_BOUND = 2048

# What the protocol adds around prompt and schema.
_FRAME_TOKENS = 64


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
    max_cost : float or None
        The cap, in dollars.
    kept : str
        What messages say about the answers that were paid for.

    Attributes
    ----------
    usage : Usage
        What was consumed.
    cost : float
        Dollars spent.
    committed : float
        Dollars that batch jobs which are not collected may cost.
    from_cache : int
        Answers that cost nothing.
    uncertain_calls : int
        Calls whose consumption the provider did not tell.
    """

    def __init__(
        self, price, max_cost=None, kept="All answers obtained so far are kept."
    ):
        self.price = price
        self.kept = kept
        self.max_cost = max_cost
        self.usage = Usage()
        self.uncertain_calls = 0
        self.from_cache = 0
        self.cost = 0.0
        self.committed = 0.0
        self._reserved = 0.0
        self._under_way = 0
        self._changed = threading.Condition()

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["_changed"]
        return state | {"_reserved": 0.0, "_under_way": 0}

    def __setstate__(self, state):
        self.__dict__.update(state, _changed=threading.Condition())

    def reserve(self, request, give_up):
        """Reserve the most that a call can cost; wait for others if need be.

        Parameters
        ----------
        request : Prompt, Questions or list of str
            What will be sent.
        give_up : callable
            Whether the run is being stopped; looked at while waiting.

        Returns
        -------
        amount : float
            Dollars.

        Raises
        ------
        BudgetError
            If the call could pass the cap even when all others have come back.
        """
        if self.max_cost is None:
            return 0.0
        amount = self.most(request)
        with self._changed:
            while self._at_most() + amount > self.max_cost:
                if self._under_way == 0 or self._bound() + amount > self.max_cost:
                    raise self._exhausted(amount)
                if give_up():
                    return 0.0
                self._changed.wait(0.1)
            self._reserved += amount
            self._under_way += amount > 0
        return amount

    def _bound(self):
        """Return what is spent, and what jobs that are not collected may cost."""
        return self.cost + self.committed

    def _at_most(self):
        return self._bound() + self._reserved

    def cancel(self, amount):
        """Take back a reservation for a call that is not made."""
        with self._changed:
            self._free(amount)

    def _free(self, amount):
        if amount > 0:
            self._under_way -= 1
            # sums of floats may leave a trifle behind
            self._reserved = self._reserved - amount if self._under_way else 0.0
            self._changed.notify_all()

    def settle(self, amount, request, usage, *, billed=True):
        """Replace a reservation by what the call cost.

        Parameters
        ----------
        amount : float
            What was reserved.
        request : Prompt, Questions or list of str
            What was sent.
        usage : Usage or None
            None if the provider did not tell.
        billed : bool, default=True
            Whether a call without usage may have cost something.
        """
        uncertain = usage is None and billed
        if usage is None:
            usage = Usage(1, input_tokens(request)) if billed else Usage(1)
        cost = 0.0 if self.price is None else compute_cost(self._price(request), usage)
        with self._changed:
            self._free(amount)
            self.usage += usage
            self.uncertain_calls += uncertain
            self.cost += max(cost, amount) if uncertain else cost

    def _price(self, request):
        """Return the price; what a Decisions endpoint returns is free."""
        is_free = isinstance(request, Questions)
        return self.price._replace(output=0.0) if is_free else self.price

    def add_from_batch(self, usage, most):
        """Count a call that was made in a batch, at half the price.

        Parameters
        ----------
        usage : Usage or None
            None if the provider did not tell.
        most : float
            What the call cost at most, in dollars; counted if nothing is known.
        """
        uncertain = usage is None
        usage = Usage(1) if uncertain else usage
        price = None if self.price is None else self.price.half()
        cost = 0.0 if price is None else compute_cost(price, usage)
        with self._changed:
            self.usage += usage
            self.uncertain_calls += uncertain
            self.cost += most if uncertain else cost

    def most(self, request):
        """Return the most that a call can cost, in dollars.

        An answer without a limit is taken to have the one that a cap would set.
        """
        if self.price is None:
            return 0.0
        n_output = 0
        if isinstance(request, Prompt):
            n_output = request.max_output_tokens or DEFAULT_OUTPUT_BOUND
        usage = Usage(1, most_input_tokens(request), 0, 0, n_output)
        return compute_cost(self.price, usage) * max(1.0, self.price.cache_write)

    def summary(self):
        """Return the account as a dict of plain numbers.

        Returns
        -------
        summary : dict
            The fields of `Usage`; "uncertain_calls", whose consumption the provider
            did not tell; "answers_from_cache"; "cost" in dollars (NaN if the price
            is not known).
        """
        return {
            **self.usage._asdict(),
            "uncertain_calls": self.uncertain_calls,
            "answers_from_cache": self.from_cache,
            "cost": float("nan") if self.price is None else self.cost,
        }

    def _exhausted(self, amount):
        open_jobs = (
            f" and ${self.committed:.4f} may be needed for open batch jobs"
            if self.committed
            else ""
        )
        return BudgetError(
            f"max_cost={self.max_cost:g} dollars: ${self.cost:.4f} are spent"
            f"{open_jobs}, and the next call could cost ${amount:.4f}, so it was not "
            f"made. {self.kept} Raise max_cost and call again to go on."
        )


def compute_cost(price, usage):
    """Return dollars for what was consumed."""
    return price.cost(
        usage.input_tokens,
        usage.cached_tokens,
        usage.output_tokens,
        usage.cache_write_tokens,
    )


def _written(request):
    """Return everything that a request says."""
    if isinstance(request, Prompt):
        return [request.system, request.user]
    if isinstance(request, list):
        return request
    return [request.text, *request.questions.values()]


def input_tokens(request):
    """Estimate the tokens of a request."""
    return sum(map(estimate_tokens, _written(request)))


def most_input_tokens(request):
    """Bound the tokens of a request: no tokenizer makes more than bytes.

    Whether the text is billed once, or with each question, is not documented.
    """
    n_tokens = sum(map(most_tokens, _written(request)))
    if isinstance(request, Questions):
        n_tokens += most_tokens(request.text) * (len(request.questions) - 1)
    if isinstance(request, Prompt) and request.schema is not None:
        n_tokens += most_tokens(repr(request.schema))
    return n_tokens + _FRAME_TOKENS
