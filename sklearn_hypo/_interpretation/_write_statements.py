"""Statements asked of a language model: from the cache, or written now."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from .._language_models._answers import KeyMaker
from .._language_models._dispatch import Dispatcher
from .._language_models._parsing import parse_statement
from .._language_models._session import Patience
from .._language_models._values import ANSWERED, BLOCKED, CUT, FAILED, UNPARSABLE

_FORMAT = 1


# A request is sent again if it is declined, or if what comes is no statement.
_ATTEMPTS = 3


# After an answer that was cut, the limit on its length is so many times higher.
_MORE_TOKENS = 4


class Written(NamedTuple):
    """What became of a request for a statement.

    Attributes
    ----------
    statement : str or None
        None if none was obtained.
    reason : str
        Why not.
    """

    statement: str | None
    reason: str = ""


@dataclass
class Writer:
    """Everything that the writing of statements needs.

    Attributes
    ----------
    model : OpenAIModel, GeminiModel or CallableModel
        Whom to ask.
    store : AnswerStore
        Where statements are kept.
    ledger : Ledger
        What they cost.
    n_workers : int
        Calls under way at once.
    parameter : str
        What messages call the model.
    before_calls : callable or None
        Called, without arguments, before anything is paid for. May raise.
    """

    model: object
    store: object
    ledger: object
    n_workers: int
    parameter: str
    before_calls: Callable | None = None

    def write(self, prompts):
        """Ask for one statement per prompt.

        Parameters
        ----------
        prompts : list of (Prompt, int)
            With a number that tells repeated draws of one prompt apart.

        Returns
        -------
        written : list of Written
            In order.
        """
        keys = [self._key(prompt, draw) for prompt, draw in prompts]
        jobs = dict(zip(keys, prompts, strict=True))
        results = {
            key: Written(answer["statement"])
            for key, answer in self.store.get(list(jobs)).items()
        }
        self.ledger.from_cache += len(results)
        if len(results) < len(jobs):
            self._ask(jobs, results)
        return [results[key] for key in keys]

    def _key(self, prompt, draw):
        identity = {
            "format": _FORMAT,
            "task": "interpretation",
            "temperature": prompt.temperature,
            **self._model_identity(),
        }
        return KeyMaker(identity)(prompt.system, prompt.user, str(draw))

    def _model_identity(self):
        if self.store.folder is None and self.model.provider == "callable":
            return {}  # what is kept in memory is of this function alone
        return self.model.identity()

    def _ask(self, jobs, results):
        if self.before_calls is not None:
            self.before_calls()
        patience = Patience(self.parameter, self.store.folder)
        with (
            Dispatcher(
                self.model,
                n_workers=self.n_workers,
                ledger=self.ledger,
                parameter=self.parameter,
                kept=self.ledger.kept,
                proven=bool(results),
            ) as dispatcher,
            self.store.run() as claims,
        ):
            open_keys = [key for key in jobs if key not in results]
            while open_keys:
                claimed = claims.claim(open_keys)
                for key, answer in claimed.answered.items():
                    results[key] = Written(answer["statement"])
                dispatcher.run(
                    claimed.mine,
                    lambda key: self._do(key, jobs[key], dispatcher, claims, results),
                )
                open_keys = claimed.busy
                if open_keys:
                    patience.wait(len(open_keys))

    def _do(self, key, job, dispatcher, claims, results):
        prompt, _ = job
        written, version = ask_for_statement(dispatcher, prompt)
        if written.statement is None:
            claims.release([key])
        else:
            claims.put({key: {"statement": written.statement, "model": version}})
        results[key] = written


def ask_for_statement(dispatcher, prompt):
    """Ask until a statement comes, or it is clear that none does.

    A filter of the provider is not asked twice; a model that declines, or whose
    answer is empty, cut, of several lines or too long, is; after a cut, with room for
    a longer answer.

    Parameters
    ----------
    dispatcher : Dispatcher
        Sends.
    prompt : Prompt
        Asks for a statement.

    Returns
    -------
    written : Written
        The statement, or why there is none.
    version : str
        What the provider calls the model.
    """
    reason = ""
    for _ in range(_ATTEMPTS):
        reply = dispatcher.send(prompt)
        reason = f"{reply.outcome}: {reply.detail}" if reply.detail else reply.outcome
        if reply.outcome in (BLOCKED, FAILED):
            break
        if reply.outcome == CUT:
            prompt = _with_more_room(prompt, dispatcher.output_limit)
        if reply.outcome == ANSWERED:
            statement = parse_statement(reply.content)
            if statement is not None:
                return Written(statement), reply.version
            excerpt = " ".join(reply.content.split())[:80]
            reason = f"{UNPARSABLE}: {excerpt!r}"
    return Written(None, f"no statement from the model ({reason})"), ""


def _with_more_room(prompt, limit):
    """Raise the limit on the answer, where there is one."""
    limit = prompt.max_output_tokens or limit
    if limit is None:
        return prompt
    return replace(prompt, max_output_tokens=_MORE_TOKENS * limit)
