import itertools
import random
import signal
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
from llm_double import TRANSIENT, Faults, Mind
from llm_scripted import ScriptedServer, chat, content, reply

from sklearn_hypo import GeminiModel, OpenAIModel
from sklearn_hypo._language_models import _concurrency
from sklearn_hypo._language_models._asking import CellAsker
from sklearn_hypo._language_models._catalog import Price
from sklearn_hypo._language_models._concurrency import CallLimit
from sklearn_hypo._language_models._dispatch import Dispatcher
from sklearn_hypo._language_models._layouts import Layout
from sklearn_hypo._language_models._ledger import Ledger
from sklearn_hypo._language_models._models import as_model
from sklearn_hypo._language_models._unusable_answers import UnusableAnswers
from sklearn_hypo._language_models._values import (
    ANSWERED,
    BLOCKED,
    FAILED,
    REFUSED,
    TOO_LONG,
    DecisionQuestions,
    Prompt,
    Reply,
    Usage,
)
from sklearn_hypo.exceptions import BudgetError, LanguageModelError

PROVIDERS = ("openai", "gemini")
PRICE = Price(1.0, 1.0, 1.0)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_concurrency, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(_concurrency, "_LONGEST_WAIT", 0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    left = [t.name for t in threading.enumerate() if "sklearn-hypo" in t.name]
    assert left == []


@pytest.fixture
def server():
    mind = Mind({"mentions tea": ["tea"], "mentions milk": ["milk"]})
    with ScriptedServer(mind) as server:
        yield server


def model_at(server, provider="openai", name="m", **settings):
    if provider == "openai":
        return OpenAIModel(name, base_url=server.openai_url, **settings)
    return GeminiModel(name, base_url=server.gemini_url, **settings)


def dispatcher(model, n_workers=4, max_cost=None, price=PRICE, **options):
    return Dispatcher(
        model,
        n_workers=n_workers,
        ledger=Ledger(price, max_cost),
        parameter="Tester(model='x')",
        **options,
    )


def prompt(i=0):
    return Prompt("s", f'{{"text": "tea {i}", "property": "mentions tea"}}')


def send_all(d, n, request=prompt):
    """Send n requests; return the replies that were delivered, by number."""
    replies = {}

    def work(i):
        replies[i] = d.send(request(i))

    with d:
        d.run(range(n), work)
    return replies


class Scripted:
    """A model in the place of a provider: `ask` is called for each request."""

    provider = "openai"
    model = "scripted"
    max_retries = 2
    max_output_tokens = None
    requests_per_minute = None
    tokens_per_minute = None

    def read_key(self):
        return None

    def __init__(self, ask=None, **settings):
        self.ask = ask or (lambda request: Reply(ANSWERED, "yes", Usage(1, 1)))
        self.closed = False
        vars(self).update(settings)

    def __str__(self):
        return "openai:scripted"

    def server(self):
        return ""

    def connect(self, n_connections):
        return self

    def close(self):
        self.closed = True


class HTTPError(Exception):
    """What SDKs raise, reduced to what is looked at."""

    def __init__(self, status, retry_after=None):
        super().__init__(f"status {status}")
        self.status_code = status
        self.headers = {} if retry_after is None else {"retry-after": str(retry_after)}


# Answers


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_job_is_answered_once(server, provider):
    replies = send_all(dispatcher(model_at(server, provider)), 40)
    assert sorted(replies) == list(range(40))
    assert {r.outcome for r in replies.values()} == {ANSWERED}
    assert set(server.stats().asked.values()) == {1}
    assert server.stats().calls == 40
    assert server.stats().in_flight_max <= 4


def test_nothing_to_do():
    assert send_all(dispatcher(Scripted()), 0) == {}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("layout", ["single", "stacked", "decisions"])
def test_transient_faults_are_outlived(provider, layout):
    mind = Mind({"mentions tea": ["tea"], "mentions milk": ["milk"]})
    statements = list(mind.rules)
    texts = [f"{a} and {b} {i}" for i in range(15) for a in ("tea", "rum")
             for b in ("milk", "ice")]  # fmt: skip
    names = [name for name in TRANSIENT if name != "rate_limit_date"]
    faults = Faults.spread(0.3, names, hint_seconds=0.01, timeout_seconds=2.0)
    labels = {}

    def work(text):
        asker = CellAsker(d, Layout(layout, 10), UnusableAnswers(d, is_of_use=True))
        for chunk in asker.layout.groups(text, statements):
            for answers in asker.ask(text, chunk):
                labels.update({(text, s): a for s, a in answers.items()})

    with ScriptedServer(mind, faults=faults) as server:
        d = dispatcher(model_at(server, provider, timeout=1.0), n_workers=8)
        with d:
            d.run(texts, work)
        stats = server.stats()
    assert {a.outcome for a in labels.values()} == {ANSWERED}
    assert {key: a.value > 0.5 for key, a in labels.items()} == {
        (text, s): mind.judge(s, text) for text in texts for s in statements
    }
    assert stats.faults.total() > 5
    # one call for each cell, and no more than one for each that went wrong
    cells = len(texts) * (len(statements) if layout == "single" else 1)
    assert cells < stats.calls <= cells + 2 * stats.faults.total()
    assert d.ledger.usage.calls == stats.calls


@pytest.mark.parametrize("n_workers", [1, 3, 16])
def test_results_do_not_depend_on_the_number_of_workers(n_workers):
    generator = random.Random(n_workers)

    def ask(request):
        time.sleep(generator.random() / 200)
        if generator.random() < 0.2:
            raise HTTPError(503)
        return Reply(ANSWERED, request.user, Usage(1, 1))

    replies = send_all(dispatcher(Scripted(ask, max_retries=20), n_workers), 60)
    assert {i: r.content for i, r in replies.items()} == {
        i: prompt(i).user for i in range(60)
    }


# Retries


def test_a_call_is_repeated_as_often_as_the_model_says():
    calls = Counter()

    def ask(request):
        calls[request.user] += 1
        raise HTTPError(500)

    for max_retries in (0, 1, 5):
        calls.clear()
        d = dispatcher(Scripted(ask, max_retries=max_retries))
        [(_, failed)] = send_all(d, 1).items()
        assert failed.outcome == FAILED
        assert "HTTP 500" in failed.detail
        assert set(calls.values()) == {max_retries + 1}


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, FAILED), (413, TOO_LONG), (422, FAILED)]
)
def test_what_was_refused_is_not_repeated(status, outcome):
    calls = []

    def ask(request):
        calls.append(request)
        raise HTTPError(status)

    [(_, failed)] = send_all(dispatcher(Scripted(ask)), 1).items()
    assert (failed.outcome, len(calls)) == (outcome, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_blocked_or_refused_text_is_not_repeated(server, provider):
    server.faults = Faults({"blocked_prompt": 0.3, "refusal": 0.2})
    replies = send_all(dispatcher(model_at(server, provider)), 30)
    outcomes = Counter(r.outcome for r in replies.values())
    assert outcomes[BLOCKED] > 0
    # Gemini declines in words, which the parser has to see
    assert (outcomes[REFUSED] > 0) == (provider == "openai")
    assert server.stats().calls == 30


def test_being_slowed_down_does_not_use_up_the_retries():
    script = [429] * 7 + [500] + [429] * 4 + [503]

    def ask(request):
        if script:
            raise HTTPError(script.pop(0))
        return Reply(ANSWERED, "yes", Usage(1, 1))

    [(_, answered)] = send_all(dispatcher(Scripted(ask, max_retries=3)), 1).items()
    assert answered.outcome == ANSWERED


def test_endless_slowing_down_ends():
    calls = []

    def ask(request):
        calls.append(1)
        raise HTTPError(429)

    [(_, failed)] = send_all(dispatcher(Scripted(ask, max_retries=2)), 1).items()
    assert failed.outcome == FAILED
    assert 2 < len(calls) < 30


def test_waits_grow_and_are_bounded(monkeypatch):
    monkeypatch.setattr(_concurrency, "_FIRST_WAIT", 1.0)
    monkeypatch.setattr(_concurrency, "_LONGEST_WAIT", 5.0)
    d = dispatcher(Scripted())
    for attempt, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (200, 5.0)):
        waits = [d.limit.draw_wait(attempt) for _ in range(300)]
        assert 0 <= min(waits) < 0.1 * longest  # full jitter
        assert 0.9 * longest < max(waits) <= longest


# Pauses


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("decide", [False, True], ids=["ask", "decide"])
def test_a_hint_pauses_all_workers(server, provider, decide):
    """No request arrives between a 429 and the end of the wait it asks for."""
    hint, n_workers = 0.5, 8
    server.latency = 0.01
    names = ["rate_limit_seconds", "rate_limit_ms"]
    names += ["rate_limit_retryinfo"] * (provider == "gemini")
    for name in names:
        server.reset()
        server.seen.clear()
        # the first of these requests; those under way are answered
        server.faults = Faults({name: 1.0}, from_call=5, until_call=6)
        server.faults.hint_seconds = hint
        d = dispatcher(model_at(server, provider), n_workers)

        def work(i, d=d):
            if decide:
                questions = DecisionQuestions(f"tea {i}", {"c1": "mentions tea"})
                assert d.send(questions, "decide").outcome == ANSWERED
            else:
                assert d.send(prompt(i)).outcome == ANSWERED

        with d:
            d.run(range(30), work)
        stats = server.stats()
        assert stats.faults == {name: 1}
        assert stats.calls == 31
        times = [request.time for request in server.seen]
        # A few were on their way before a thread had read that it should wait.
        gaps = [b - a for a, b in pairwise(times[5 : 6 + 3 * n_workers])]
        longest = max(gaps)
        assert longest >= 0.5 * hint
        after = 6 + gaps.index(longest)
        assert times[after] - times[5] >= hint


def test_a_limit_without_a_hint_pauses_all_workers(monkeypatch):
    paused = []
    monkeypatch.setattr(CallLimit, "draw_wait", lambda self, attempt: 0.2)
    started, lock = [], threading.Lock()

    def ask(request):
        with lock:
            started.append(time.monotonic())
            if len(started) == 1:
                time.sleep(0.02)
                paused.append(time.monotonic())
                raise HTTPError(429)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    send_all(dispatcher(Scripted(ask), 4), 20)
    [begin] = paused
    assert not [t for t in started if begin + 0.01 < t < begin + 0.19]


def test_other_faults_pause_nobody_else():
    calls = []

    def ask(request):
        calls.append(request.user)
        if request.user == prompt(0).user and calls.count(request.user) == 1:
            raise HTTPError(503, retry_after=0.3)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    send_all(dispatcher(Scripted(ask), 2), 10)
    assert calls[-1] == prompt(0).user  # all the others did not wait
    assert len(calls) == 11


def test_a_call_that_waits_for_money_does_not_begin_in_a_pause(monkeypatch):
    monkeypatch.setattr(CallLimit, "draw_wait", lambda self, attempt: 0.3)
    begun, limited = [], []
    both = threading.Barrier(2)

    def ask(request):
        begun.append(time.monotonic())
        if len(begun) <= 2:
            both.wait()  # both calls that can be paid for are under way
            time.sleep(0.05)  # the third one waits for money
            if len(begun) == 2 and not limited:
                limited.append(time.monotonic())
                raise HTTPError(429)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    d = dispatcher(Scripted(ask, max_output_tokens=100), 3, proven=True)
    most = d.ledger.worst_cost(d.limit_answer(prompt()))
    d.ledger.budget.max_cost = 2.5 * most
    send_all(d, 3)
    assert limited
    assert not [t for t in begun if limited[0] + 0.01 < t < limited[0] + 0.29]
    assert len(begun) == 4


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_asks_for_too_much_patience_is_not_waited_for(server, provider):
    server.always = lambda: reply(
        429, {"error": {"message": "x"}}, {"retry-after": "301"}
    )
    d = dispatcher(model_at(server, provider), 4)
    with pytest.raises(LanguageModelError, match="asks to wait 301 seconds") as caught:
        send_all(d, 50)
    assert caught.value.reason == "rate_limit"
    assert "Tester(model='x')" in str(caught.value)
    assert len(server.seen) <= 4


# Limits per minute


def test_requests_per_minute():
    started = []

    def ask(request):
        started.append(time.monotonic())
        return Reply(ANSWERED, "yes", Usage(1, 1))

    send_all(dispatcher(Scripted(ask, requests_per_minute=3000), 8), 20)
    gaps = [b - a for a, b in pairwise(sorted(started))]
    # turns are 20 ms apart; a thread can be late for its own, but never early
    assert started[-1] - started[0] >= 0.99 * 19 * 0.02 - 0.02
    assert sum(gaps) / len(gaps) >= 0.018


def test_tokens_per_minute():
    started = []

    def ask(request):
        started.append(time.monotonic())
        return Reply(ANSWERED, "yes", Usage(1, 1))

    long = Prompt("s" * 400, "u" * 396)  # 199 tokens
    model = Scripted(ask, tokens_per_minute=199 * 60 / 0.03)
    send_all(dispatcher(model, 8), 12, lambda i: long)
    assert max(started) - min(started) >= 0.99 * 11 * 0.03 - 0.03


def test_the_stricter_limit_counts():
    d = dispatcher(Scripted(requests_per_minute=60, tokens_per_minute=600))
    assert d._gap(Prompt("", "x" * 4)) == 1.0
    assert d._gap(Prompt("", "x" * 400)) == 10.0
    assert dispatcher(Scripted())._gap(prompt()) == 0.0


# Stops


FATAL = {
    "wrong_key": ("authentication", "the key was not accepted"),
    "quota": ("quota", "the quota is spent"),
    "unknown_model": ("model", "knows no such model"),
}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", FATAL)
def test_what_cannot_succeed_is_not_tried_again(server, provider, fault):
    reason, words = FATAL[fault]
    n_workers, first = 6, 20
    server.latency = 0.005
    server.faults = Faults({fault: 1.0}, from_call=first)
    delivered = {}
    d = dispatcher(model_at(server, provider), n_workers)

    def work(i):
        delivered[i] = d.send(prompt(i))

    with d, pytest.raises(LanguageModelError, match=words) as caught:
        d.run(range(400), work)
    assert caught.value.reason == reason
    assert "Tester(model='x')" in str(caught.value)
    assert "answers obtained so far are kept" in str(caught.value)
    # those under way at the first fatal answer, and nothing after them
    calls = server.stats().calls
    assert first < calls <= first + n_workers
    assert len(delivered) == first
    # an SDK's exception could not be pickled, and might hold the key
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_the_end_of_a_model_is_told():
    def ask(request):
        raise HTTPError(404)

    with pytest.raises(
        LanguageModelError, match=r"gpt-4\.1-nano was shut down on 2026"
    ):
        send_all(dispatcher(Scripted(ask, model="gpt-4.1-nano")), 1)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("n_workers", [1, 4, 12])
@pytest.mark.parametrize(("proven", "needed"), [(False, 3), (True, 8)])
def test_a_provider_that_is_down_is_left_alone(
    server, provider, n_workers, proven, needed
):
    server.always = lambda: reply(503, {"error": {"message": "down"}})
    model = model_at(server, provider, max_retries=1)
    d = dispatcher(model, n_workers, proven=proven)
    with pytest.raises(LanguageModelError, match=r"calls in a row failed") as caught:
        send_all(d, 200)
    assert caught.value.reason == "unreachable"
    assert "HTTP 503: down" in str(caught.value)
    assert 2 * needed - n_workers <= len(server.seen) <= 2 * (needed + n_workers)


def test_no_server_at_all():
    with ScriptedServer() as gone:
        pass
    d = dispatcher(model_at(gone, max_retries=1), max_cost=1.0)
    with pytest.raises(LanguageModelError, match="calls in a row failed") as caught:
        send_all(d, 100)
    assert caught.value.reason == "unreachable"
    assert d.ledger.cost == 0.0  # nothing was ever sent


def test_a_parameter_that_is_always_refused_is_named(server):
    server.reject_parameters = ("temperature",)
    d = dispatcher(model_at(server, temperature=0.5))
    with pytest.raises(LanguageModelError, match="refuses every request") as caught:
        send_all(d, 100)
    assert caught.value.reason == "request"
    assert "parameter 'temperature'" in str(caught.value)


def test_failures_among_successes_do_not_stop_a_run():
    def ask(request):
        if int(request.user.split()[2].strip('",')) % 2:
            raise HTTPError(400)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    replies = send_all(dispatcher(Scripted(ask), 1), 100)
    assert Counter(r.outcome for r in replies.values()) == {ANSWERED: 50, FAILED: 50}


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), RuntimeError()])
def test_an_exception_in_the_work_stops_the_run(error):
    done, model = [], Scripted()
    d = dispatcher(model, 3)

    def work(i):
        if i == 10:
            raise error
        time.sleep(0.001)
        done.append(i)

    with pytest.raises(type(error)) as caught, d:
        d.run(range(10_000), work)
    assert caught.value is error
    assert len(done) <= 10 + 3 * 3
    assert model.closed


def test_an_exception_among_the_jobs_stops_the_run():
    done = []

    def jobs():
        yield from range(5)
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"), dispatcher(Scripted()) as d:
        d.run(jobs(), done.append)
    # those that were drawn and begun are finished, none is done twice
    assert sorted(set(done)) == sorted(done)


def test_an_exception_of_a_function_is_raised():
    def broken(prompt):
        raise ValueError("my own mistake")

    with pytest.raises(ValueError, match="my own mistake"):
        send_all(dispatcher(as_model(broken)), 5)


def test_a_function_that_returns_no_text():
    with pytest.raises(TypeError, match="must return the answer as a str; bool"):
        send_all(dispatcher(as_model(lambda prompt: True)), 5)


def test_the_money_runs_out(server):
    model = model_at(server, max_output_tokens=20)
    d = dispatcher(model, 4)
    d.ledger.budget.max_cost = 10 * d.ledger.worst_cost(d.limit_answer(prompt()))
    delivered = {}

    def work(i):
        delivered[i] = d.send(prompt(i))

    with d, pytest.raises(BudgetError, match="max_cost="):
        d.run(range(10_000), work)
    calls = server.stats().calls
    assert len(delivered) == calls >= 10
    assert {r.outcome for r in delivered.values()} == {ANSWERED}
    stats = server.stats()
    spent = (stats.input_tokens + stats.output_tokens) / 1e6
    assert d.ledger.cost == pytest.approx(spent)
    assert spent <= d.ledger.max_cost


def test_with_a_cap_every_answer_is_bounded(server):
    send_all(dispatcher(model_at(server), max_cost=1.0), 1)
    assert server.seen[-1].data["max_completion_tokens"] == 2048
    send_all(dispatcher(model_at(server, max_output_tokens=7), max_cost=1.0), 1)
    assert server.seen[-1].data["max_completion_tokens"] == 7
    send_all(dispatcher(model_at(server)), 1)
    assert "max_completion_tokens" not in server.seen[-1].data


# Ctrl-C


def interrupt():
    """Do what Ctrl-C does."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


needs_signals = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="needs pthread_kill"
)


@needs_signals
@pytest.mark.parametrize("n_jobs", [4, 10_000], ids=["at the end", "in the middle"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_interrupted(server, provider, n_jobs):
    server.latency = 0.1
    delivered = {}
    d = dispatcher(model_at(server, provider), 4)
    answer = server.service.handle

    def handle(request):
        if len(server.seen) == (3 if n_jobs == 4 else 9):
            threading.Timer(0.02, interrupt).start()  # calls are under way
        return answer(request)

    server.service.handle = handle

    def work(i):
        delivered[i] = d.send(prompt(i))

    with d:
        with pytest.raises(KeyboardInterrupt):
            d.run(range(n_jobs), work)
        stats = server.stats()
    # what was under way has come back and was delivered; nothing new began
    assert stats.in_flight == 0
    assert len(delivered) == stats.calls
    assert {r.outcome for r in delivered.values()} == {ANSWERED}
    assert stats.calls <= (4 if n_jobs == 4 else 10 + 2 * 4)


def test_interrupted_while_a_thread_is_started(monkeypatch):
    """What a thread has begun is waited for, and nothing else is begun."""
    begun, delivered, start = [], [], threading.Thread.start
    started = []

    def interrupted(thread):
        start(thread)
        if "sklearn-hypo" in thread.name:
            started.append(thread)
            if len(started) == 2:
                time.sleep(0.05)
                raise KeyboardInterrupt

    def work(i):
        begun.append(i)
        time.sleep(0.3)
        delivered.append(i)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with dispatcher(Scripted()) as d, pytest.raises(KeyboardInterrupt):
        d.run(range(100), work)
    assert sorted(delivered) == sorted(begun)
    assert set(begun) <= {0, 1}
    for thread in started:
        thread.join(5)
    assert sorted(delivered) == sorted(begun)


@needs_signals
def test_a_hanging_server_does_not_hold_up_ctrl_c():
    """What comes within a second is waited for; what comes later is not lost either."""
    end, delivered, calls = threading.Event(), [], itertools.count()

    def ask(request):
        n = next(calls)
        if n == 3:
            time.sleep(0.6)  # comes after Ctrl-C, but soon
        if n >= 4:
            if n == 4:
                threading.Timer(0.1, interrupt).start()
            end.wait(30)  # for ever, as far as the run knows
        return Reply(ANSWERED, "yes", Usage(1, 1))

    d = dispatcher(Scripted(ask), 2, proven=True)

    def work(i):
        d.send(prompt(i))
        delivered.append(i)

    began = time.monotonic()
    with d, pytest.raises(KeyboardInterrupt):
        d.run(range(100), work)
    waited = time.monotonic() - began
    assert sorted(delivered) == [0, 1, 2, 3]
    n_delivered = len(delivered)
    assert not end.is_set()
    assert not d.connection.closed
    n_hanging = d.limit.n_under_way
    end.set()
    for thread in threading.enumerate():
        if "sklearn-hypo" in thread.name:
            thread.join(5)
    assert len(delivered) == n_delivered + n_hanging > n_delivered
    assert d.connection.closed  # by the last of them
    assert waited < 25  # did not wait for the hanging calls


@needs_signals
def test_a_second_ctrl_c_ends_the_wait():
    end = threading.Event()

    def ask(request):
        threading.Timer(0.1, interrupt).start()
        threading.Timer(0.3, interrupt).start()
        end.wait(30)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    with pytest.raises(KeyboardInterrupt):
        send_all(dispatcher(Scripted(ask), 1), 3)
    end.set()
    for thread in threading.enumerate():
        if "sklearn-hypo" in thread.name:
            thread.join(5)


@needs_signals
@pytest.mark.parametrize("status", [429, 503])
def test_interrupted_in_a_pause(status):
    begun = []

    def ask(request):
        begun.append(request)
        if len(begun) == 1:
            threading.Timer(0.1, interrupt).start()
        raise HTTPError(status, retry_after=200)

    with pytest.raises(KeyboardInterrupt):
        send_all(dispatcher(Scripted(ask, max_retries=100), 3), 1000)
    assert len(begun) <= 3


@needs_signals
def test_interrupted_between_the_calls_of_one_job():
    begun, ended = [], []
    d = dispatcher(Scripted(lambda r: time.sleep(0.01) or Reply(ANSWERED, "y")), 2)

    def work(i):
        begun.append(i)
        if len(begun) == 2:
            threading.Timer(0.1, interrupt).start()
        for _ in range(10_000):
            d.send(prompt(i))
        ended.append(i)

    with d, pytest.raises(KeyboardInterrupt):
        d.run(range(1000), work)
    assert len(begun) == 2
    assert not ended


# Resources


def test_connections_are_closed_whatever_happens():
    model = Scripted()
    send_all(dispatcher(model), 3)
    assert model.closed
    failing = Scripted(lambda request: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send_all(dispatcher(failing), 3)
    assert failing.closed


def test_jobs_are_drawn_as_they_are_needed():
    drawn, done = [], []

    def jobs():
        for i in range(500):
            drawn.append(i)
            assert len(drawn) - len(done) <= 3 * 4 + 1
            yield i

    def work(i):
        done.append(i)

    with dispatcher(Scripted(), 4) as d:
        d.run(jobs(), work)
    assert sorted(done) == list(range(500))


def test_one_connection_per_worker_is_enough(server):
    server.latency = 0.01
    for provider in PROVIDERS:
        server.reset()
        send_all(dispatcher(model_at(server, provider), 24), 96)
        assert server.stats().connections <= 24


def test_the_key_is_read_anew_for_each_run(server, monkeypatch):
    model = model_at(server, api_key_env="MY_KEY")
    for key in ("one", "two"):
        monkeypatch.setenv("MY_KEY", key)
        send_all(dispatcher(model), 2)
        assert server.seen[-1].headers["authorization"] == f"Bearer {key}"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(LanguageModelError, match="MY_KEY is not set"):
        send_all(dispatcher(model), 2)


def test_a_key_that_the_provider_repeats_is_not_shown(server, monkeypatch):
    key = "sk-very-secret-0123456789"
    monkeypatch.setenv("MY_KEY", key)
    message = "x" * 280 + f" your key {key} has no credit"
    for status in (400, 402, 404, 500):
        server.always = lambda status=status: reply(
            status, {"error": {"message": message[200:] + message}}
        )
        model = model_at(server, api_key_env="MY_KEY", max_retries=0)
        with pytest.raises(LanguageModelError) as caught:
            send_all(dispatcher(model), 30)
        assert "sk-" not in str(caught.value)


def test_odd_replies_do_not_stop_a_run(server):
    bodies = [
        chat(),
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 9000,
        chat(usage=None),
        chat(""),
    ]
    odd = iter(bodies * 4)
    server.always = lambda: reply(200, next(odd, chat()))
    replies = send_all(dispatcher(model_at(server)), 10)
    assert FAILED not in {r.outcome for r in replies.values()}
    odd = iter([content(), b"", b"\xff", b"{}", content(None), content(usage=None)] * 4)
    server.always = lambda: reply(200, next(odd, content()))
    replies = send_all(dispatcher(model_at(server, "gemini")), 10)
    assert FAILED not in {r.outcome for r in replies.values()}


# What one request that is refused tells about the others


def test_a_model_that_has_answered_is_not_given_up_for_texts_that_are_refused():
    def ask(request):
        if request.user not in (
            prompt(0).user,
            '{"text": "Hello!", "property": "greets someone"}',
        ):
            raise HTTPError(403 if request.user < prompt(5).user else 400)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    replies = send_all(dispatcher(Scripted(ask), 1), 60)
    assert Counter(r.outcome for r in replies.values()) == {ANSWERED: 1, FAILED: 59}


def test_a_key_that_is_revoked_is_told_from_texts_that_are_forbidden():
    asked = []

    def ask(request):
        asked.append(request.user)
        if request.user != prompt(0).user:
            raise HTTPError(403)
        return Reply(ANSWERED, "yes", Usage(1, 1))

    with pytest.raises(LanguageModelError, match="key was not accepted") as caught:
        send_all(dispatcher(Scripted(ask), 1), 60)
    assert caught.value.reason == "authentication"
    assert len(asked) == 1 + 8 + 1
    assert "Hello!" in asked[-1]


def test_failures_about_one_subject_do_not_stop_a_run():
    def ask(request):
        raise HTTPError(503)

    d = dispatcher(Scripted(ask, max_retries=0), 1)
    with d:
        d.run(range(30), lambda i: d.send(prompt(i), subject="one text"))
        with pytest.raises(LanguageModelError, match="calls in a row failed"):
            d.run(range(30), lambda i: d.send(prompt(i), subject=i))
