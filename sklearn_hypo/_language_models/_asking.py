"""Cells of one text, asked until each has an outcome.

What an answer leaves out is asked again alone. Where several statements at once are
refused, blocked, cut, too long or answered unreadably, each is asked about by itself,
so that one of them does not silence the others.
"""

import math
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import NamedTuple

from ._layouts import Layout, number_statements
from ._ledger import estimate_input_tokens, list_request_texts
from ._logprobs import WORD_TOKENS
from ._text import count_words, shorten_text
from ._unusable_answers import UnusableAnswers, quote_answer
from ._values import (
    ANSWERED,
    BLOCKED,
    CUT,
    FAILED,
    REFUSED,
    TOO_LONG,
    UNPARSABLE,
    Prompt,
)

# So many unreadable answers are accepted: to a request about one cell, to one about
# several, and to one about a cell of which nothing could be read among others.
_ATTEMPTS_ALONE = 5
_ATTEMPTS_TOGETHER = 2
_ATTEMPTS_APART = 3

# An answer that was cut is asked for again, with so many times the tokens; without any
# limit of ours that could be raised, only once.
_MORE_TOKENS = (1, 4, 16, 16)
_CUTS_WITHOUT_LIMIT = 2

# A limit of the server's own is taken to be no lower.
_LEAST_TOKENS = 64

# Texts are not shortened below so many characters: the statements are too long then.
_SHORTEST = 200

# Room for the answer, where the prompt has to be shortened.
_FILLED = 0.9

# A prompt has more tokens than words: a server that counted fewer has not read all of
# it. Unless it counts what was not in its own cache only; that is little.
_TOKENS_PER_WORD = 0.95
_FEWEST_READ = 200
_SAME_SIZE = 0.02


class CellAnswer(NamedTuple):
    """What became of one cell.

    Attributes
    ----------
    outcome : str
        One of `OUTCOMES`.
    value : bool, float or None
        The answer, or the probability of a "yes".
    detail : str
        Why there is none.
    version : str
        What the provider calls the model that answered.
    share_read : float
        Which part of the text was sent: 1.0, unless it was too long for the model.
    """

    outcome: str
    value: bool | float | None = None
    detail: str = ""
    version: str = ""
    share_read: float = 1.0


@dataclass
class _Progress:
    """What was tried for one group of statements."""

    text: str  # what is sent of it
    most_useless: int
    limit: int | None  # on the answer
    n_useless: int = 0
    n_cuts: int = 0
    n_shortened: int = 0


@dataclass
class CellAsker:
    """Asks about cells, from any thread.

    Attributes
    ----------
    dispatcher : Dispatcher
        Whom to ask.
    layout : Layout
        In which form.
    unusable : UnusableAnswers
        What is told of every reply; ends a run in vain.
    context : float
        Most tokens that a server was found to read of a prompt.
    last_read : float
        Tokens that it read of the last prompt of which it dropped a part.
    """

    dispatcher: object
    layout: Layout
    unusable: UnusableAnswers
    context: float = math.inf
    last_read: float = math.inf

    def ask(self, text, statements):
        """Ask a group of statements of one text until every cell has an outcome.

        Yields dicts from statements to CellAnswer as soon as they are known; every
        statement comes exactly once.
        """
        together = len(statements) > 1
        attempts = _ATTEMPTS_TOGETHER if together else _ATTEMPTS_ALONE
        yield from self._ask(text, text, list(statements), attempts)

    def _ask(self, text, sent, missing, attempts):
        progress = _Progress(sent, attempts, self.dispatcher.output_limit)
        with ExitStack() as turn:
            while True:
                if self.unusable.is_in_doubt:
                    turn.enter_context(self.unusable.take_turn())
                reply, answers, is_over = self._try(text, missing, progress)
                if answers:
                    yield answers
                    missing = [s for s in missing if s not in answers]
                    if not missing:
                        return
                if is_over:
                    break
            last = _settle_open_cell(reply)
            if len(missing) > 1 and last.outcome != FAILED:
                for number, statement in enumerate(missing):
                    if self.unusable.has_enough_of(text):
                        yield dict.fromkeys(missing[number:], last)
                        return
                    yield from self._ask(
                        text, progress.text, [statement], _ATTEMPTS_APART
                    )
            else:
                yield dict.fromkeys(missing, last)

    def _try(self, text, missing, progress):
        """Send a request; return reply, answers, and whether it was the last."""
        request = self._build_request(missing, progress)
        method = "decide" if self.layout.name == "decisions" else "ask"
        reply = self.dispatcher.send(request, method, subject=text)
        reply = self._notice_truncation(request, reply)
        answers = {}
        if reply.outcome == ANSWERED:
            share = len(progress.text) / len(text)
            answers = _read_cells(self.layout, reply, missing, share)
        is_over = _note(progress, request, reply, is_of_use=bool(answers))
        self.unusable.check(
            reply,
            is_of_use=bool(answers),
            is_hopeless=is_over and reply.outcome == TOO_LONG,
            text=text,
        )
        return reply, answers, is_over

    def _notice_truncation(self, request, reply):
        """Return a reply that is too long if the server has not read all of a request.

        Some servers (Ollama) drop without a word what does not fit into their context.
        How large that is shows in their count of tokens.
        """
        usage = reply.usage
        if usage is None or usage.cached_tokens or usage.input_tokens < _FEWEST_READ:
            return reply
        n_read = usage.input_tokens
        n_words = sum(map(count_words, list_request_texts(request)))
        if n_read < _TOKENS_PER_WORD * n_words:
            # what is dropped differs from text to text, what is left does not
            if math.isclose(n_read, self.last_read, rel_tol=_SAME_SIZE):
                self.context = min(n_read, self.context)
            self.last_read = n_read
        elif n_read < self.context:
            return reply
        n_sent = max(n_read + 1, n_words, estimate_input_tokens(request))
        detail = f"the server read {n_read} tokens of some {n_sent} that were sent"
        return reply._replace(outcome=TOO_LONG, content=n_read / n_sent, detail=detail)

    def _build_request(self, missing, progress):
        request = self.layout.request(progress.text, missing)
        is_word = self.layout.name == "logprobs"
        if is_word and self.dispatcher.model.max_output_tokens is None:
            request = replace(request, max_output_tokens=WORD_TOKENS)
        if progress.n_cuts and progress.limit and isinstance(request, Prompt):
            limit = progress.limit * _MORE_TOKENS[progress.n_cuts]
            request = replace(request, max_output_tokens=limit)
        return request


def _note(progress, request, reply, *, is_of_use):
    """Note what a reply was; return whether asking again would be of no use."""
    if reply.outcome in (FAILED, BLOCKED, REFUSED):
        return True
    if reply.outcome == TOO_LONG:
        shorter = _shorten(progress, request, reply)
        is_shorter = len(shorter) < len(progress.text)
        progress.text = shorter
        progress.n_shortened += 1
        return not is_shorter
    if reply.outcome == CUT:
        progress.n_cuts += 1
        if progress.limit is None and not reply.only_reasoned and reply.usage:
            progress.limit = max(_LEAST_TOKENS, reply.usage.output_tokens)
        most = _CUTS_WITHOUT_LIMIT if progress.limit is None else len(_MORE_TOKENS)
        return progress.n_cuts == most
    progress.n_useless += not is_of_use
    return progress.n_useless == progress.most_useless


def _shorten(progress, request, reply):
    """Return a shorter text: what the server has room for, or else half of it."""
    n_characters = len(progress.text) // 2
    if reply.content is not None and not progress.n_shortened:
        n_sent = sum(map(len, list_request_texts(request)))
        excess = n_sent * (1 - _FILLED * reply.content)
        n_characters = int(len(progress.text) - excess)
    return shorten_text(progress.text, max(_SHORTEST, n_characters))


def _settle_open_cell(reply):
    """Say what became of the cells that the last reply left open."""
    if reply.outcome == ANSWERED:
        return CellAnswer(UNPARSABLE, None, quote_answer(reply), reply.version)
    return CellAnswer(reply.outcome, None, reply.detail, reply.version)


def _read_cells(layout, reply, statements, share):
    """Return the cells that a reply settles."""
    values = layout.read(reply, statements)
    answers = {
        statement: CellAnswer(ANSWERED, value, "", reply.version, share)
        for statement, value in zip(statements, values, strict=True)
        if value is not None
    }
    if layout.name == "decisions":
        declined = CellAnswer(REFUSED, None, "declined", reply.version)
        for name, statement in number_statements(statements).items():
            if reply.content.get(name, 0.0) is None:
                answers[statement] = declined
    return answers
