"""Statements asked of a language model: from the cache, or written now."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import NamedTuple

from .._language_models._adaptation import ModelAdapted
from .._language_models._answers import KeyMaker
from .._language_models._ledger import estimate_input_tokens, make_cost_estimate
from .._language_models._parsing import parse_name, parse_statement
from .._language_models._served import warn_of_other_models
from .._language_models._session import OtherRuns, Session
from .._language_models._unusable_answers import UnusableAnswers, describe_reply
from .._language_models._values import ANSWERED, BLOCKED, CUT, FAILED, TOO_LONG, Usage
from .._utils._progress import show_progress

# Format of keys and values. To be raised when either changes.
_FORMAT = 1

# A request is sent again if it is declined, or if what comes is no statement.
_ATTEMPTS = 3

# After an answer that was cut, the limit on its length is so many times higher.
_MORE_TOKENS = 4


class Wanted(NamedTuple):
    """What is to be written.

    Attributes
    ----------
    task : str
        Part of the key of an answer.
    noun : str
        For messages.
    parse : callable
        From an answer to what it says, or None.
    output_tokens : int
        Of a usual answer.
    """

    task: str
    noun: str
    parse: Callable
    output_tokens: int


STATEMENT = Wanted("interpretation", "statement", parse_statement, 20)
NAME = Wanted("naming", "name", parse_name, 10)


class StatementResult(NamedTuple):
    """A statement, or None and the reason why none was obtained."""

    statement: str | None
    reason: str = ""


@dataclass
class StatementWriter:
    """Has a model write statements, or names.

    Attributes
    ----------
    session : Session
        Whom to ask, and where statements and costs are kept.
    before_calls : callable or None
        Called, without arguments, before anything is paid for. May raise.
    wanted : Wanted
        What to write.
    """

    session: Session
    before_calls: Callable | None = None
    wanted: Wanted = STATEMENT

    def write(self, prompts):
        """Ask for one statement per prompt.

        Parameters
        ----------
        prompts : list of (Prompt, int)
            With a number that tells repeated draws of one prompt apart.

        Returns
        -------
        results : list of StatementResult
            In order.
        """
        keys = [self._key(prompt, draw) for prompt, draw in prompts]
        jobs = dict(zip(keys, prompts, strict=True))
        results = self._find(jobs)
        self.session.ledger.count_cached(len(results))
        if len(results) < len(jobs):
            try:
                self._ask(jobs, results)
            except ModelAdapted:  # answers to what is sent now have other keys
                return self.write(prompts)
        warn_of_other_models(self.session.model, self.session.ledger)
        return [results[key] for key in keys]

    def estimate(self, prompts):
        """Return the CostEstimate of those that have no answer yet."""
        jobs = {self._key(*each): each for each in prompts}
        answered = self._find(jobs)
        open_prompts = [p for key, (p, _) in jobs.items() if key not in answered]
        n_input = sum(map(estimate_input_tokens, open_prompts))
        n_calls = len(open_prompts)
        usage = Usage(n_calls, n_input, 0, 0, n_calls * self.wanted.output_tokens)
        return make_cost_estimate(self.session.model.price_per_million(), usage)

    def _key(self, prompt, draw):
        identity = self._identify(prompt, self.session.identify_model())
        make_key = self.session.store.make_keys(identity)
        return make_key(prompt.system, prompt.user, str(draw))

    def _former_key(self, prompt, draw):
        identity = self._identify(prompt, self.session.identify_model_formerly())
        return KeyMaker(identity)(prompt.system, prompt.user, str(draw))

    def _identify(self, prompt, model):
        return {
            "format": _FORMAT,
            "task": self.wanted.task,
            "temperature": prompt.temperature,
            **model,
        }

    def _find(self, jobs):
        """Return what is stored: the results of jobs, by key."""
        store = self.session.store
        found = store.get(jobs)
        if store.folder is not None:
            found |= store.take_over(
                {key: self._former_key(*jobs[key]) for key in jobs if key not in found}
            )
        return {key: self._read(answer) for key, answer in found.items()}

    def _read(self, answer):
        statement = answer.get("statement") if isinstance(answer, dict) else None
        if not isinstance(statement, str):
            what = f"{str(answer)[:80]} where a {self.wanted.noun} is expected"
            raise self.session.store.damage(what)
        self.session.ledger.note_versions([str(answer.get("model", ""))])
        return StatementResult(statement)

    def _ask(self, jobs, results):
        if self.before_calls is not None:
            self.before_calls()
        others = OtherRuns(self.session)
        with (
            self.session.open_dispatcher(proven=bool(results)) as dispatcher,
            self.session.store.run() as claims,
            ExitStack() as shown,
        ):
            unusable = UnusableAnswers(dispatcher, is_of_use=bool(results))
            open_keys = [key for key in jobs if key not in results]
            count = shown.enter_context(
                show_progress("statements", len(open_keys), unit=" calls")
            )

            def write(key):
                prompt, _ = jobs[key]
                results[key], version = ask_for_statement(
                    dispatcher, prompt, self.wanted, unusable
                )
                statement = results[key].statement
                if statement is None:
                    claims.release([key])
                else:
                    claims.put({key: {"statement": statement, "model": version}})
                count()

            while open_keys:
                claimed = claims.claim(open_keys)
                for key, answer in claimed.answered.items():
                    results[key] = self._read(answer)
                dispatcher.run(claimed.mine, write)
                open_keys = claimed.busy
                if open_keys:
                    others.wait(len(open_keys))


def ask_for_statement(dispatcher, prompt, wanted, unusable):
    """Ask until what is wanted comes, or it is clear that none does.

    A filter of the provider is not asked twice; a model that declines, or whose
    answer is empty, cut, of several lines or too long, is; after a cut, with room for
    a longer answer. `unusable`, an `UnusableAnswers`, is told of every reply.

    Returns
    -------
    result : StatementResult
        The statement, or why there is none.
    version : str
        What the provider calls the model.
    """
    with ExitStack() as turn:
        for _ in range(_ATTEMPTS):
            if unusable.is_in_doubt:
                turn.enter_context(unusable.take_turn())
            reply = dispatcher.send(prompt)
            statement = None
            if reply.outcome == ANSWERED:
                statement = wanted.parse(reply.content)
            is_final = reply.outcome in (BLOCKED, FAILED, TOO_LONG)
            unusable.check(reply, is_of_use=statement is not None, is_hopeless=is_final)
            if statement is not None:
                return StatementResult(statement), reply.version
            if is_final:
                break
            if reply.outcome == CUT:
                prompt = _raise_limit(prompt, dispatcher.output_limit)
    reason = f"no {wanted.noun} from the model ({describe_reply(reply)})"
    return StatementResult(None, reason), ""


def _raise_limit(prompt, limit):
    """Raise the limit on the answer, where there is one."""
    limit = prompt.max_output_tokens or limit
    if limit is None:
        return prompt
    return replace(prompt, max_output_tokens=_MORE_TOKENS * limit)
