"""A run in which nothing can be read stops, before all of it is paid for."""

import threading
from collections import Counter
from contextlib import contextmanager

from ..exceptions import LanguageModelError
from ._values import ANSWERED, CUT, FAILED, TOO_LONG, UNPARSABLE

# So many answers of no use are accepted before the first that is: in all, from whoever
# finds out what helps, and of those that will not get better by asking again.
_MOST = 24
_MOST_AGAIN = 13
_MOST_HOPELESS = 8

# About one text no more than so many are: another one may be answered.
_MOST_OF_ONE = 12

# A run that is being stopped is noticed so often, in seconds.
_STEP = 0.1

# What says something about the form of answers, and not about one text.
_USELESS = (ANSWERED, CUT, UNPARSABLE, TOO_LONG)

_LESS_REASONING = (
    "Have it reason less: reasoning_effort='none' or 'low' of the model, or, for Qwen "
    "and its like on one's own server, extra_body={'chat_template_kwargs': "
    "{'enable_thinking': False}}"
)
_LESS_REASONING_OF_GEMINI = (
    "Have it reason less: thinking_budget=0 (2.5) or thinking_level='minimal' (3) of "
    "the model"
)


class UnusableAnswers:
    """Counts answers of no use; shared by all threads of a run.

    After an answer of no use, and until one is of use, only one thread at a time asks
    anything: it finds out what helps, and the others wait.

    Parameters
    ----------
    dispatcher : Dispatcher
        Of the run.
    is_of_use : bool, default=False
        Whether answers are known to be of use, from earlier runs.
    """

    def __init__(self, dispatcher, *, is_of_use=False):
        self._dispatcher = dispatcher
        self._is_of_use = is_of_use
        self._n_useless = self._n_again = self._n_hopeless = 0
        self._n_of_text = Counter()
        self._counting = threading.Lock()
        self._turn = threading.RLock()
        self._holder = None

    @property
    def is_in_doubt(self):
        """Whether answers were of no use so far."""
        return self._n_useless > 0 and not self._is_of_use

    def has_enough_of(self, text):
        """Whether another text should be asked about, while answers are in doubt."""
        return self.is_in_doubt and self._n_of_text[text] >= _MOST_OF_ONE

    def check(self, reply, *, is_of_use, is_hopeless=False, text=None):
        """Take note of a reply; raise if too many were of no use, and none of use.

        Parameters
        ----------
        reply : Reply
            What came back. One that failed says nothing.
        is_of_use : bool
            Whether anything of it could be read.
        is_hopeless : bool, default=False
            Whether asking again will not help, as where a model reasons without end,
            and without a limit that could be raised.
        text : str or None, default=None
            What was asked about. Answers about one text end no run, but where asking
            again is hopeless.
        """
        has_limit = self._dispatcher.output_limit is not None
        is_hopeless |= reply.only_reasoned and not has_limit
        with self._counting:
            if is_of_use or reply.outcome not in (*_USELESS, FAILED):
                self._is_of_use = True
            if self._is_of_use or reply.outcome not in _USELESS:
                return
            self._n_useless += 1
            self._n_hopeless += is_hopeless
            self._n_again += self._holder == threading.get_ident()
            self._n_of_text[text] += 1
            is_one_text = text is not None and len(self._n_of_text) == 1
            is_over = (
                self._n_useless >= _MOST
                or (self._n_again >= _MOST_AGAIN and not is_one_text)
                or self._n_hopeless >= _MOST_HOPELESS
            )
        if is_over:
            self._dispatcher.stop()  # before another thread can take its turn
            raise self._error(reply)

    @contextmanager
    def take_turn(self):
        """Wait until an answer was of use, or no other thread is finding out."""
        while not self._turn.acquire(timeout=_STEP):
            self._dispatcher.check_running()
            if not self.is_in_doubt:
                yield
                return
        before = self._holder  # this thread, in a turn within a turn
        try:
            self._dispatcher.check_running()
            self._holder = threading.get_ident()
            yield
        finally:
            self._holder = before
            self._turn.release()

    def _error(self, reply):
        dispatcher = self._dispatcher
        return LanguageModelError(
            f"{dispatcher.parameter}: no answer could be used so far "
            f"({self._n_useless} of {self._n_useless}; the last one: "
            f"{dispatcher.hide_secrets(describe_reply(reply))}). "
            f"{_advise(reply, dispatcher.model)} {dispatcher.ledger.kept}",
            reason="unusable",
        )


def quote_answer(reply):
    """Return the first characters of an answer that cannot be read."""
    return f"unreadable answer: {' '.join(str(reply.content).split())[:80]!r}"


def describe_reply(reply):
    """Say what came in the place of what was asked for."""
    if reply.outcome == ANSWERED:
        return f"{UNPARSABLE}: {quote_answer(reply)}"
    return f"{reply.outcome}: {reply.detail}" if reply.detail else reply.outcome


def _advise(reply, model):
    if reply.only_reasoned:
        of_gemini = hasattr(model, "thinking_budget")
        return (
            f"{_LESS_REASONING_OF_GEMINI if of_gemini else _LESS_REASONING}. Or leave "
            "it more room: max_output_tokens= of the model."
        )
    if reply.outcome == TOO_LONG:
        return (
            "Ask about less at once (concepts_per_call=, n_examples=), shorten the "
            "texts (max_words_per_example=, split_documents), or give the model a "
            "larger context (num_ctx of Ollama, --ctx-size of llama.cpp)."
        )
    if reply.outcome == CUT:
        return "Raise max_output_tokens= of the model, or lower concepts_per_call=."
    return (
        "Try structured_output=, layout='single', or another model: small ones often "
        "cannot keep to a form."
    )
