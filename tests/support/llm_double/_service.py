"""From a request to a reply: the rules of the double, without the network."""

import json
from collections import deque
from dataclasses import dataclass, field
from time import monotonic

from . import _gemini, _openai
from ._embedding import embed
from ._faults import ERRORS, LOST, Faults
from ._http import Reply
from ._mind import share
from ._quirks import QUIRKS, quirk, refuse_length
from ._reader import answer
from ._stats import Call, Stats
from ._wire import BadRequest, Completion, tokens

__all__ = ["Service", "Settings"]

_GRACE = 0.02  # seconds within which a client may not have read a rate limit yet
_GENERATED = ("generate", "decisions")


@dataclass
class Settings:
    """What can be set about the server, see `LLMServer`."""

    latency: float = 0.0
    api_key: str | None = None
    models: list | None = None
    served_model: str | None = None
    reasoning_tokens: int = 0
    cached_share: float = 0.0
    report_usage: bool = True
    style: str = "json"
    thinks: str | None = None
    default_limit: int | None = None
    context: int | None = None
    overflow: str = "openai"
    dimensions: int = 64
    reject_parameters: tuple = ()
    most_alternatives: int | None = 20
    decision_paths: tuple = ("/v1/decisions",)
    system_role: bool = True
    serial: bool = False
    requests_per_second: float | None = None
    burst: int = 5
    hints: bool = True
    batch_polls: int = 1
    batch_error_rate: float = 0.0
    batch_outcome: str = "completed"
    jobs_per_page: int | None = None
    max_records: int = 10_000


@dataclass
class Receipt:
    """What a reply is worth; it counts when the reply is sent."""

    questions: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    done: Completion | None = None
    characters: int = 0
    lost: bool = False


class Service:
    """Answers requests; all of it runs in one thread.

    Parameters
    ----------
    mind : Mind
        Who answers.
    faults : Faults
        What goes wrong.
    settings : Settings
        Everything else.
    seed : int
        For the order of the results of batches and other draws.
    """

    def __init__(self, mind, faults, settings, seed):
        from ._batches import Batches

        self.mind = mind
        self.faults = faults
        self.settings = settings
        self.seed = seed
        self.batches = Batches(self)
        self.protocols = set()
        self._cut = set()
        self.reset()

    def reset(self):
        """Forget what was counted, and the pauses; files and batches are kept."""
        in_flight = self.stats.in_flight if hasattr(self, "stats") else 0
        self.stats = Stats(in_flight=in_flight, in_flight_max=in_flight)
        self.calls = deque(maxlen=self.settings.max_records)
        self._pauses = {}
        self._free = 0.0  # when a serial server is
        self._tokens, self._filled = float(self.settings.burst), monotonic()

    # -- callbacks of the connections

    def opened(self, protocol):
        self.protocols.add(protocol)
        self.stats.connections += 1

    def closed(self, protocol):
        self.protocols.discard(protocol)

    def sent(self, reply):
        if reply.receipt is not None:
            self.settle(reply.receipt)
        self._leave(reply)
        if reply.pause is not None:
            key, seconds = reply.pause
            self._pauses[key] = (monotonic(), seconds)

    def gone(self, reply):
        if reply.receipt is not None:
            reply.receipt.lost = True
            self.settle(reply.receipt)
        self._leave(reply)

    def _leave(self, reply):
        if reply.counted:
            self.stats.in_flight -= 1

    def settle(self, receipt, in_batch=False):
        """Count an answer that went out, or got lost."""
        stats, done = self.stats, receipt.done
        (stats.lost if receipt.lost else stats.answered).update(receipt.questions)
        output = done.output_tokens + done.reasoning_tokens
        if receipt.lost:
            stats.lost_input_tokens += done.input_tokens
            stats.lost_output_tokens += output
            return
        stats.embedded.update(receipt.texts)
        stats.answer_characters += receipt.characters
        if in_batch:
            stats.batch_input_tokens += done.input_tokens
            stats.batch_output_tokens += output
            return
        stats.input_tokens += done.input_tokens
        stats.output_tokens += output
        stats.cached_tokens += done.cached_tokens
        stats.reasoning_tokens += done.reasoning_tokens

    # -- requests

    def handle(self, request):
        """Return the reply to a request."""
        path = request.path.partition("?")[0]
        if path.startswith("/__"):
            return self._control(request, path)
        stats = self.stats
        stats.in_flight += 1
        stats.in_flight_max = max(stats.in_flight_max, stats.in_flight)
        stats.headers.update(request.headers.keys())
        call = Call(stats.calls, path, monotonic())
        stats.calls += 1
        self.calls.append(call)
        route = _openai.match(request.method, path) or _gemini.match(
            request.method, path
        )
        if route is not None and route.name in ("decisions", "systemone"):
            is_served = route.label in self.settings.decision_paths
            route = route if is_served or route.vendor is not _openai else None
        if route is None:
            reply = Reply(404, b'{"error":{"message":"no such route","code":404}}')
        else:
            reply = self._route(call, route, request)
        reply.counted = True
        reply.delay += self._latency(reply)
        call.status = reply.status
        stats.statuses[reply.status] += 1
        return reply

    def _latency(self, reply):
        """Return the seconds that an answer takes, behind others if they are serial."""
        latency = self.settings.latency
        if not self.settings.serial or reply.status != 200:
            return latency
        now = monotonic()
        self._free = max(self._free, now) + latency
        return self._free - now

    def _take_token(self):
        """Return 0, or the seconds until the bucket has a token again."""
        rate = self.settings.requests_per_second
        if rate is None:
            return 0.0
        now = monotonic()
        gained = rate * (now - self._filled)
        self._tokens = min(self.settings.burst, self._tokens + gained)
        self._filled = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate

    def _route(self, call, route, request):
        call.route = route.label
        self.stats.routes[route.label] += 1
        auth = route.vendor.check_key(request.headers, self.settings.api_key)
        self.stats.auth[auth] += 1
        if self.settings.api_key is not None and auth != "matched":
            missing = auth == "missing" and route.vendor is _gemini
            return self._error(route, "no_key" if missing else "wrong_key")
        try:
            if route.kind == "other":
                return self._other(call, route, request)
            call.body = body = json.loads(request.body)
            wait = self._take_token()
            if wait:
                hint = "rate_limit_ms" if self.settings.hints else "rate_limit"
                status, body, headers = route.vendor.error(hint, None, wait)
                reply = _json(status, body)
                reply.headers = headers
                return reply
            self._check_parameters(body)
            ask = route.vendor.read(route, body)
            self._check_alternatives(ask)
        except BadRequest as bad:
            return _json(400, route.vendor.rejection(400, bad))
        except (ValueError, KeyError, TypeError, AttributeError) as bad:
            return _json(400, route.vendor.rejection(400, BadRequest(repr(bad))))
        return self._answer(call, route, ask)

    def _check_parameters(self, body):
        given = {**body, **(body.get("generationConfig") or {})}
        for name in self.settings.reject_parameters:
            if name in given:
                message = f"Unsupported parameter: '{name}' is not supported."
                raise BadRequest(message, name, "unsupported_parameter")
        roles = [m.get("role") for m in body.get("messages") or []]
        if not self.settings.system_role and "system" in roles:
            raise BadRequest("System role not supported")

    def _check_alternatives(self, ask):
        most = self.settings.most_alternatives
        if most is None:
            ask.alternatives = None  # silently ignored
        elif (ask.alternatives or 0) > most:
            message = f"Invalid value for 'top_logprobs': at most {most} are given."
            raise BadRequest(message, "top_logprobs")

    def is_unknown(self, model):
        models = self.settings.models
        return models is not None and model not in models

    def _answer(self, call, route, ask):
        self._note(call, route, ask)
        fault = self._draw(call, route, ask)
        if self.is_unknown(ask.model):
            fault = "unknown_model"
        reply = self._fail(route, ask, fault) or self._refuse_length(route, ask)
        if reply is None:
            done, receipt = self.complete(route, ask, fault, call.number)
            ask.model = self.settings.served_model or ask.model
            body = route.vendor.write(route, ask, done)
            reply = _json(200, body)
            if fault in QUIRKS:
                status, body, content_type = quirk(fault, body)
                reply = Reply(status, body.encode(), content_type)
                receipt.lost = True
            reply.receipt = receipt
        return self._spoil(reply, fault)

    def _overflows(self, route, ask):
        """Whether a prompt is longer than the context."""
        context = self.settings.context
        is_long = context is not None and tokens(ask.prompt_characters) > context
        return is_long and route.kind == "generate"

    def _refuse_length(self, route, ask):
        if self.settings.overflow == "silent" or not self._overflows(route, ask):
            return None
        n_sent = tokens(ask.prompt_characters)
        overflow, context = self.settings.overflow, self.settings.context
        return _json(*refuse_length(overflow, n_sent, context))

    def _note(self, call, route, ask):
        """Count what is asked, whatever becomes of it."""
        call.model = ask.model
        key = (route.vendor.NAME, ask.model)
        since, seconds = self._pauses.get(key, (0.0, 0.0))
        self.stats.during_pause += _GRACE < call.time - since < seconds
        if ask.task is not None:
            call.kind, call.text = ask.task.kind, ask.task.text
            call.statements = list(ask.task.statements.values())
        self.count_asked(ask)

    def count_asked(self, ask):
        """Count what one request asks."""
        stats, task = self.stats, ask.task
        stats.prompt_characters += ask.prompt_characters
        stats.schema_characters += ask.schema_characters
        if task is not None:
            stats.kinds[task.kind] += 1
            stats.asked.update(task.questions)
            stats.malformed += task.malformed
            stats.unrecognized += task.kind == "unknown"

    def _draw(self, call, route, ask):
        singly = route.name == "decisions" and route.vendor is _openai
        without = ("refusal", "blocked_answer") if singly else ()
        # a client gives up after two cuts: chance must not let both meet one request
        if ask.content in self._cut and self.faults.rates.get("cut", 0) < 1:
            without += ("cut",)
        fault = self.faults.draw(call.number, route.kind, ask.content, without)
        if fault is not None:
            call.fault = fault
            self.stats.faults[fault] += 1
        if fault == "cut":
            self._cut.add(ask.content)
        return fault

    def _fail(self, route, ask, fault):
        """Return the reply of a fault that comes before any answer, else None."""
        if fault in ERRORS or (fault == "blocked_prompt" and route.vendor is _openai):
            return self._error(route, fault, ask.model if ask else None)
        if fault == "garbage":
            return Reply(200, b"upstream connect error \xff\x00", "text/plain")
        if fault == "html":
            page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Reply(200, page, "text/html")
        return None

    def _error(self, route, fault, model=None):
        seconds = self.faults.hint_seconds
        status, body, headers = route.vendor.error(fault, model, seconds)
        reply = _json(status, body)
        reply.headers = headers
        if fault.startswith("rate_limit_") and fault != "rate_limit_date":
            reply.pause = ((route.vendor.NAME, model), seconds)
        return reply

    # -- answers

    def complete(self, route, ask, fault=None, number=0):
        """Return what the mind answers, and what it is worth."""
        done = Completion(
            input_tokens=tokens(ask.prompt_characters), usage=self.settings.report_usage
        )
        done.cached_tokens = int(done.input_tokens * self.settings.cached_share)
        receipt = Receipt(done=done, lost=fault in LOST)
        if route.kind == "embed":
            self._embed(route, ask, done, receipt, fault, number)
        elif route.kind == "decisions":
            self._decide(route, ask, done, receipt, fault, number)
        else:
            self._generate(ask, done, receipt, fault, number)
            if self._overflows(route, ask):
                # the end of the prompt is all that was read
                done.input_tokens = self.settings.context
                done.text = done.text.replace("true", "false")
        return done, receipt

    def _embed(self, route, ask, done, receipt, fault, number):
        n_dimensions = ask.dimensions or self.settings.dimensions
        whole = route.vendor is _openai or ask.dimensions is None
        done.vectors = [embed(text, n_dimensions, whole) for text in ask.texts]
        if fault == "wrong_number_of_embeddings":
            if number % 2 and len(done.vectors) > 1:
                done.vectors.pop()
            else:
                done.vectors.append(done.vectors[-1])
        else:
            receipt.texts = ask.texts

    def _decide(self, route, ask, done, receipt, fault, number):
        if fault in ("refusal", "blocked_prompt", "blocked_answer"):
            done.finish = fault
            return
        task = ask.task
        skip = _skipped(task, fault, number)
        for name, statement in task.statements.items():
            if name in skip:
                continue
            probability = self.mind.probability(statement, task.text)
            if route.vendor is _openai and self._refuses(task.text, statement, number):
                probability = None
            else:
                receipt.questions.append((task.text, statement))
            done.answers[name] = probability
        done.answers.update((name, 0.97) for name in _surplus(fault))

    def _refuses(self, text, statement, number):
        """Tell whether one question of several is refused."""
        faults = self.faults
        for name in ("refusal", "blocked_answer"):
            if faults.is_on(name, number) and faults.hits(name, (text, statement)):
                self.stats.faults[name] += 1
                return True
        return False

    def _generate(self, ask, done, receipt, fault, number):
        done.reasoning_tokens = self.settings.reasoning_tokens
        if fault in ("refusal", "blocked_prompt", "blocked_answer"):
            done.finish = fault
            done.reasoning_tokens = 0
            return
        task = ask.task
        skip = _skipped(task, fault, number)
        text = answer(self.mind, task, self.settings.style, skip, _surplus(fault))
        if self.settings.thinks:
            done.thoughts = {self.settings.thinks: "Okay, let me see."}
            done.text, done.finish = "", "cut"
            done.output_tokens = 200
            return
        if fault == "cut":  # half of them in the middle, half before a word
            text = text[: len(text) // 2] if number % 2 else ""
            done.finish = "cut"
            done.reasoning_tokens += 16
        elif fault == "truncated_answer":
            text = text[: len(text) // 2]
        elif (most := ask.max_tokens or self.settings.default_limit) is not None:
            room = max(0, most - done.reasoning_tokens) * 4
            if len(text) > room:
                text, done.finish = text[:room], "cut"
                done.reasoning_tokens = min(done.reasoning_tokens, most)
        if task.kind == "word":
            statement = next(iter(task.statements.values()))
            done.probability = self.mind.probability(statement, task.text)
        done.text = text
        done.output_tokens = tokens(len(text))
        receipt.characters = len(text)
        if done.finish == "stop":
            receipt.questions = [
                (task.text, s)
                for name, s in task.statements.items()
                if name not in skip
            ]

    # -- the rest

    def _spoil(self, reply, fault):
        """Let a reply arrive late, or not whole."""
        if fault == "timeout":
            reply.delay = self.faults.timeout_seconds
        elif fault == "truncated_json":
            reply.body = reply.body[: len(reply.body) // 2]
        reply.dropped = fault == "dropped"
        return reply

    def _other(self, call, route, request):
        fault = self._draw_other(call, route)
        reply = self._fail(route, None, fault)
        if reply is None:
            status, body = self._other_body(call, route, request)
            if isinstance(body, bytes):
                reply = Reply(status, body, "application/octet-stream")
            else:
                reply = _json(status, body)
        return self._spoil(reply, fault)

    def _draw_other(self, call, route):
        fault = self.faults.draw(call.number, "other", (route.label, str(call.number)))
        if fault is not None:
            call.fault = fault
            self.stats.faults[fault] += 1
        return fault

    def _other_body(self, call, route, request):
        if route.name in ("models", "model"):
            return self._models(route)
        if route.name == "count":
            call.body = json.loads(request.body)
            return 200, _gemini.count_tokens(call.body)
        return self.batches.handle(call, route, request)

    def _models(self, route):
        names = self.settings.models or ["double"]
        wanted = route.params.get("id")
        if wanted is not None and self.is_unknown(wanted):
            status, body, _ = route.vendor.error("unknown_model", wanted)
            return status, body
        if route.vendor is _gemini:
            models = [{"name": f"models/{name}"} for name in names]
            return 200, {"name": f"models/{wanted}"} if wanted else {"models": models}
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "double"}
            for name in ([wanted] if wanted else names)
        ]
        return 200, models[0] if wanted else {"object": "list", "data": models}

    def _control(self, request, path):
        if path == "/__stats":
            return _json(200, self.stats.to_json())
        if path == "/__calls":
            return _json(200, [vars(call) for call in self.calls])
        values = json.loads(request.body or b"{}")
        if path == "/__reset":
            self.reset()
        elif path == "/__faults":
            self.faults = Faults(**values)
        elif path == "/__settings":
            for name, value in values.items():
                setattr(self.settings, name, value)
        else:
            return _json(404, {"error": {"message": "no such control"}})
        return _json(200, {"ok": True})


def _json(status, body):
    return Reply(
        status, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    )


def _skipped(task, fault, number):
    """Return the ids that are left out of an answer: a third of them, at least one."""
    if fault != "missing_answers":
        return ()
    names = list(task.statements) or ["statement"]
    skipped = {name for name in names if share(number, name) < 1 / 3}
    return skipped or set(names[:1])


def _surplus(fault):
    return ("c0_extra", "c999") if fault == "surplus_answers" else ()
