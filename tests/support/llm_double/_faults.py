"""What can go wrong with a call, and when it does."""

from ._mind import share
from ._quirks import QUIRKS

__all__ = ["ERRORS", "LOST", "PERMANENT", "TRANSIENT", "Faults"]

RATE_LIMITS = (
    "rate_limit",
    "rate_limit_seconds",
    "rate_limit_ms",
    "rate_limit_date",
    "rate_limit_retryinfo",
)
TRANSIENT = (
    *RATE_LIMITS,
    "server_500",
    "overloaded_503",
    "dropped",
    "timeout",
    "garbage",
    "html",
    "truncated_json",
    "truncated_answer",
    "missing_answers",
    "surplus_answers",
    "cut",
    "wrong_number_of_embeddings",
)
PERMANENT = (
    "refusal",
    "blocked_prompt",
    "blocked_answer",
    "quota",
    "wrong_key",
    "unknown_model",
)
# answered with an error status, whatever is asked
ERRORS = (
    *RATE_LIMITS,
    "server_500",
    "overloaded_503",
    "quota",
    "wrong_key",
    "unknown_model",
)
# the mind has answered and the answer does not arrive whole; one that a client does
# not wait for is lost too, but whether it waits is known only later
LOST = ("dropped", "truncated_json", "truncated_answer")
# faults that only some kinds of call can have; the others happen to any call
_KINDS = {
    "truncated_answer": {"generate"},
    "cut": {"generate"},
    "missing_answers": {"generate", "decisions"},
    "surplus_answers": {"generate", "decisions"},
    "refusal": {"generate", "decisions"},
    "blocked_prompt": {"generate", "decisions"},
    "blocked_answer": {"generate", "decisions"},
    "wrong_number_of_embeddings": {"embed"},
    **{name: {"generate"} for name in QUIRKS},
}


class Faults:
    """Decides which calls fail and how.

    A transient fault is a function of the seed and the number of the call, so that a
    repeated call goes well in the end. A permanent one is a function of the seed, the
    text and the statements, so that a repeated call meets it again.

    Parameters
    ----------
    rates : dict of str to float
        For names in `TRANSIENT`, `PERMANENT` and `QUIRKS` the share of the calls. The
        rates of the transient ones and quirks add up, at most to 1.
    seed : int, default=0
        Which calls.
    from_call, until_call : int or dict of str to int, default=None
        The first call, counted from 0, at which faults start, and the first one
        without them again; one for all or one for each name.
    hint_seconds : float, default=0.05
        How long a client is asked to wait by faults that have a hint.
    timeout_seconds : float, default=1.0
        How long "timeout" holds an answer.
    """

    def __init__(
        self,
        rates=None,
        seed=0,
        *,
        from_call=None,
        until_call=None,
        hint_seconds=0.05,
        timeout_seconds=1.0,
    ):
        self.rates = dict(rates or {})
        unknown = self.rates.keys() - {*TRANSIENT, *PERMANENT, *QUIRKS}
        if unknown:
            raise ValueError(f"unknown faults: {sorted(unknown)}")
        self.seed = seed
        self.from_call = from_call
        self.until_call = until_call
        self.hint_seconds = hint_seconds
        self.timeout_seconds = timeout_seconds
        self._permanent = [(n, self.rates[n]) for n in PERMANENT if self.rates.get(n)]
        passing = (*TRANSIENT, *QUIRKS)
        self._transient = [(n, self.rates[n]) for n in passing if self.rates.get(n)]

    @classmethod
    def spread(cls, rate, names=TRANSIENT, seed=0, **options):
        """Spread a total rate evenly over faults."""
        return cls(dict.fromkeys(names, rate / len(names)), seed, **options)

    def to_dict(self):
        """Return what the constructor takes, fit for JSON."""
        return {
            "rates": self.rates,
            "seed": self.seed,
            "from_call": self.from_call,
            "until_call": self.until_call,
            "hint_seconds": self.hint_seconds,
            "timeout_seconds": self.timeout_seconds,
        }

    def draw(self, number, kind, content, without=()):
        """Return the name of the fault of a call, or None.

        Parameters
        ----------
        number : int
            Of the call.
        kind : {"generate", "decisions", "embed", "other"}
            What is asked.
        content : tuple of str
            The text and the statements.
        without : tuple of str
            Faults that this call cannot have.
        """
        for name, rate in self._permanent:
            if name in without or kind not in _KINDS.get(name, {kind}):
                continue
            if self.is_on(name, number) and self.hits(name, content, rate):
                return name
        point = share(self.seed, "call", number) if self._transient else 1.0
        for name, rate in self._transient:
            if point < rate:
                fits = kind in _KINDS.get(name, {kind}) and name not in without
                return name if fits and self.is_on(name, number) else None
            point -= rate
        return None

    def draw_permanent(self, kind, content):
        """Return the permanent fault of a request inside a batch, or None."""
        for name, rate in self._permanent:
            if kind in _KINDS.get(name, {kind}) and self.hits(name, content, rate):
                return name
        return None

    def hits(self, name, content, rate=None):
        """Tell whether a permanent fault meets a content."""
        rate = self.rates.get(name, 0.0) if rate is None else rate
        return rate >= 1 or share(self.seed, name, *sorted(content)) < rate

    def is_on(self, name, number):
        """Tell whether a fault can happen to the call of a number."""
        first, end = (
            self._bound(self.from_call, name),
            self._bound(self.until_call, name),
        )
        return (first is None or number >= first) and (end is None or number < end)

    @staticmethod
    def _bound(bound, name):
        return bound.get(name) if isinstance(bound, dict) else bound
