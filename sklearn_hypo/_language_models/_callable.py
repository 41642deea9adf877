"""A function from a prompt to an answer as a model."""

from .._utils._callables import callable_identity
from ._catalog import Price
from ._values import ANSWERED, UNPARSABLE, Reply, Usage


class CallableModel:
    """A function in the place of a provider.

    Parameters
    ----------
    function : callable
        Takes a prompt (instructions, an empty line, the question), returns an answer.
        Called by several threads at once only if the user sets `n_workers`.
    """

    provider = "callable"
    max_retries = 3
    timeout = None
    max_output_tokens = None
    requests_per_minute = None
    tokens_per_minute = None

    def __init__(self, function):
        self.function = function

    @property
    def model(self):
        """The name of the function."""
        function = self.function
        return getattr(function, "__qualname__", type(function).__name__)

    def __str__(self):
        return f"callable:{self.model}"

    def price_per_million(self):
        """Return a price of nothing: what a function costs, its owner knows."""
        return Price(0.0, 0.0, 0.0)

    def server(self):
        """Return an empty address."""
        return ""

    def identity(self):
        """Tell the function from any other; see `callable_identity`."""
        return {"provider": "callable", "function": callable_identity(self.function)}

    def connect(self, n_connections):
        """Return an object that calls the function."""
        return _CallableConnection(self.function)


class _CallableConnection:
    def __init__(self, function):
        self._function = function

    def close(self):
        """Do nothing."""

    def ask(self, prompt):
        """Call the function."""
        answer = self._function(f"{prompt.system}\n\n{prompt.user}")
        if not isinstance(answer, str):
            raise TypeError(
                "model=: the function must return the answer as a str; "
                f"{type(answer).__name__} arrived."
            )
        if not answer.strip():
            return Reply(UNPARSABLE, None, Usage(1), "", "empty answer")
        return Reply(ANSWERED, answer, Usage(1))
