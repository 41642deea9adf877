"""Batch jobs of both vendors: submitted here, collected there, never paid for twice."""

import json
import warnings
from collections import Counter

import llm_batch_process as elsewhere
import numpy as np
import openai
import pytest
from llm_cases import annotator_for, make_mind, make_texts, model_at, statements, truth
from llm_cases import prepare as prepare_environment
from llm_double import Faults, LLMServer
from llm_double._http import Reply

from sklearn_hypo._language_models import _batch_jobs
from sklearn_hypo._language_models._batch_jobs import BatchJobs
from sklearn_hypo._language_models._cells import CellAnswerer
from sklearn_hypo._language_models._models import PROVIDERS
from sklearn_hypo._language_models._session import Session
from sklearn_hypo.exceptions import (
    BatchPendingError,
    BudgetError,
    HypothesisWarning,
    LanguageModelError,
)

MODELS = ("chat", "responses", "gemini")
VENDORS = ("chat", "gemini")
LAYOUTS = ("single", "stacked")
TEXTS = make_texts(6)
ASKED = statements(3)
N_CELLS = len(TEXTS) * len(ASKED)
N_REQUESTS = {"single": N_CELLS, "stacked": len(TEXTS)}
SECRET = "sk-never-to-be-seen-2718281828"
# routes on which answers are made at once, and paid for in full
DIRECT = ("chat/completions", "responses", "generateContent")
PRICE = (1000.0, 100.0, 2000.0)


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare_environment(monkeypatch, tmp_path / "unused")
    # what a process that died has sent arrives at once, or never
    monkeypatch.setattr(_batch_jobs, "_ARRIVAL_SECONDS", 0.0)
    monkeypatch.setenv("SECRET_OF_THE_TEST", SECRET)


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


@pytest.fixture
def new(server, tmp_path):
    """Make an annotator as another process would: with nothing but the folder."""

    def make(kind="chat", layout="stacked", asked=ASKED, name="double", **settings):
        spec = {key: settings.pop(key) for key in ("price",) if key in settings}
        model = model_at(kind, server, name, **spec)
        settings = {"cache": tmp_path / "answers", **settings}
        return annotator_for(model, asked, layout=layout, **settings)

    return make


def n_direct(server):
    routes = server.stats().routes
    return sum(n for route, n in routes.items() if route.endswith(DIRECT))


def jobs_of(server):
    return list(server.service.batches.jobs.values())


def questions(server):
    """Count what was asked in batches, by text and statement."""
    return server.stats().asked


def drop_first(server, wanted, n=1, handled=True):
    """Lose the first replies to some requests, which were acted on or were not."""
    original = server.service.handle
    left = [n]

    def handle(request):
        if left[0] and (request.method, request.path.partition("?")[0]) == wanted:
            left[0] -= 1
            if handled:
                original(request)
            return Reply(200, b"{}", dropped=True)
        return original(request)

    server.service.handle = handle


def until_done(annotator, n=5):
    for _ in range(n):
        collected = annotator.collect()
        if not collected.pending:
            return collected
    raise AssertionError("the jobs do not end")


# -- submit and collect


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", MODELS)
def test_answers_of_a_batch_are_those_of_direct_calls(server, new, kind, layout):
    names = new(kind, layout).submit(TEXTS)
    assert len(names) == len(jobs_of(server)) == 1
    assert new(kind, layout).collect().pending == names  # a first look: not yet
    collected = new(kind, layout).collect()
    assert collected == (N_CELLS, 0, [])
    annotator = new(kind, layout)
    np.testing.assert_array_equal(annotator.annotate(TEXTS), truth(TEXTS, ASKED))
    assert annotator.usage_["calls"] == 0
    assert annotator.usage_["answers_from_cache"] == N_CELLS
    assert n_direct(server) == 0
    direct = new(kind, layout, cache=None)
    np.testing.assert_array_equal(direct.annotate(TEXTS), truth(TEXTS, ASKED))
    assert server.stats().batch_requests == N_REQUESTS[layout]
    assert server.stats().malformed == 0


@pytest.mark.parametrize(
    ("kind", "layout"),
    [("chat", "single"), ("responses", "stacked"), ("gemini", "stacked")],
)
def test_another_process_collects(server, new, tmp_path, kind, layout):
    server.batch_polls = 0
    new(kind, layout).submit(TEXTS)
    code, (collected, marks) = elsewhere.in_process(
        elsewhere.collect,
        model_at(kind, server),
        tmp_path / "answers",
        TEXTS,
        ASKED,
        layout=layout,
    )
    assert (code, collected) == (0, (N_CELLS, 0, []))
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert n_direct(server) == 0
    assert set(questions(server).values()) == {1}


SETTINGS = {
    "chat": {"temperature": 0.25, "top_p": 0.5, "seed": 7, "reasoning_effort": "low"},
    "responses": {"temperature": 0.25, "top_p": 0.5, "reasoning_effort": "low"},
    "gemini": {
        "temperature": 0.25,
        "top_p": 0.5,
        "seed": 7,
        "thinking_budget": 0,
        "safety": "off",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("is_set", [False, True], ids=["plain", "all set"])
@pytest.mark.parametrize("kind", MODELS)
def test_a_batch_carries_what_a_call_carries(server, tmp_path, kind, layout, is_set):
    settings = {**SETTINGS[kind], "max_output_tokens": 500} if is_set else {}
    model = model_at(kind, server, **settings)
    texts = [*TEXTS[:2], 'a "quote", a \u2028 separator, \u00e9 and \U0001f600']
    for number, use in enumerate(("submit", "annotate")):
        cache = tmp_path / str(number)
        getattr(annotator_for(model, ASKED, layout=layout, cache=cache), use)(texts)
    direct = [call.body for call in server.calls if call.route.endswith(DIRECT)]
    in_batch = [request["body"] for request in jobs_of(server)[0].requests]
    assert as_lines(in_batch) == as_lines(direct)
    written = json.dumps(in_batch)
    assert "You annotate texts" in written  # the instructions
    assert '"additionalProperties"' in written  # the schema


def as_lines(bodies):
    return Counter(json.dumps(body, sort_keys=True) for body in bodies)


def test_the_limit_that_comes_with_a_cap_is_in_a_batch(server, new):
    for kind in MODELS:
        new(kind, max_cost=1000.0, price=PRICE).submit(TEXTS[:1])
    bodies = [job.requests[0]["body"] for job in jobs_of(server)]
    assert bodies[0]["max_completion_tokens"] == 2048
    assert bodies[1]["max_output_tokens"] == 2048
    assert bodies[2]["generationConfig"]["maxOutputTokens"] == 2048


@pytest.mark.parametrize("kind", VENDORS)
def test_results_in_any_order(server, new, kind):
    server.batch_polls = 0
    texts = make_texts(30, seed=3)
    new(kind, "single").submit(texts)
    job = jobs_of(server)[0]
    if kind == "gemini":  # named by their metadata, wherever they stand
        job.results.reverse()
    else:
        content = server.service.batches.files[job.output_file_id][1].decode()
        names = [json.loads(line)["custom_id"] for line in content.splitlines()]
        assert names != sorted(names, key=lambda name: int(name[1:]))
    new(kind, "single").collect()
    marks = new(kind, "single").annotate(texts)
    np.testing.assert_array_equal(marks, truth(texts, ASKED))
    assert n_direct(server) == 0


# -- not everything comes back


@pytest.mark.parametrize("kind", VENDORS)
def test_failed_requests_are_asked_directly_and_only_they(server, new, kind):
    server.batch_polls, server.batch_error_rate = 0, 0.5
    new(kind).submit(TEXTS)
    job = jobs_of(server)[0]
    n_failed = sum(status != 200 for _, status, _ in job.results)
    assert 0 < n_failed < len(TEXTS)
    collected = new(kind).collect()
    assert collected == (3 * (len(TEXTS) - n_failed), 3 * n_failed, [])
    marks = new(kind).annotate(TEXTS)
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert n_direct(server) == n_failed
    assert set(server.stats().answered.values()) == {1}


@pytest.mark.parametrize("kind", VENDORS)
def test_a_job_that_expired_gives_what_it_has(server, new, kind):
    server.batch_polls, server.batch_outcome = 0, "expired"
    new(kind, "single").submit(TEXTS)
    assert new(kind, "single").collect() == (N_CELLS // 2, N_CELLS // 2, [])
    server.batch_outcome = "completed"
    assert len(new(kind, "single").submit(TEXTS)) == 1  # the other half
    assert len(jobs_of(server)[1].requests) == N_CELLS // 2
    assert new(kind, "single").collect() == (N_CELLS // 2, 0, [])
    marks = new(kind, "single").annotate(TEXTS)
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert n_direct(server) == 0


@pytest.mark.parametrize("kind", VENDORS)
def test_a_job_that_failed_is_warned_of_and_asked_again(server, new, kind):
    server.batch_polls, server.batch_outcome = 0, "failed"
    (name,) = new(kind).submit(TEXTS)
    said = r"\(FAILED" if kind == "gemini" else r"\(failed: The batch failed\."
    with pytest.warns(HypothesisWarning, match=f"{name} failed {said}"):
        assert new(kind).collect() == (0, N_CELLS, [])
    assert new(kind).collect() == (0, 0, [])
    marks = new(kind).annotate(TEXTS)
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))


@pytest.mark.parametrize("kind", VENDORS)
def test_a_job_that_somebody_cancelled(server, new, kind):
    new(kind).submit(TEXTS)
    jobs_of(server)[0].status = "cancelled"
    assert quietly(new(kind).collect) == (0, N_CELLS, [])
    assert len(new(kind).submit(TEXTS)) == 1


def quietly(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        return function(*args)


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_a_job_that_the_vendor_forgot(server, new, kind):
    (name,) = new(kind).submit(TEXTS)
    server.service.batches.jobs.clear()
    with pytest.warns(HypothesisWarning, match=f"{name} failed .*does not know it"):
        assert new(kind).collect() == (0, N_CELLS, [])
    assert new(kind).collect() == (0, 0, [])


@pytest.mark.parametrize("kind", VENDORS)
def test_refusals_and_blocks_in_a_batch_are_missing_answers(server, new, kind):
    server.batch_polls = 0
    server.faults = Faults({"refusal": 0.2, "blocked_answer": 0.2}, seed=1)
    new(kind, "single").submit(TEXTS)
    collected = new(kind, "single").collect()
    assert collected.n_unanswered > 0
    assert collected.n_answers + collected.n_unanswered == N_CELLS
    annotator = new(kind, "single", max_missing=1.0)
    marks = quietly(annotator.annotate, TEXTS)
    known = ~np.isnan(marks)
    assert known.sum() == collected.n_answers
    np.testing.assert_array_equal(marks[known], truth(TEXTS, ASKED)[known])
    outcomes = {"refused", "blocked"}
    if kind == "gemini":  # has no way to refuse but to say so in words
        outcomes.add("unparsable")
    assert set(annotator.annotation_errors_["outcome"]) <= outcomes


@pytest.mark.parametrize("kind", VENDORS)
def test_a_stacked_answer_that_leaves_something_out(server, new, kind):
    """What was answered is taken, the rest is asked again alone."""
    original = server.mind.judge
    server.mind.judge = lambda s, text: None if s == ASKED[1] else original(s, text)
    server.batch_polls = 0
    new(kind).submit(TEXTS)
    server.mind.judge = original
    assert new(kind).collect() == (2 * len(TEXTS), len(TEXTS), [])
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    direct = [call for call in server.calls if call.route.endswith(DIRECT)]
    assert [call.statements for call in direct] == [[ASKED[1]]] * len(TEXTS)


# -- nothing twice


@pytest.mark.parametrize("kind", VENDORS)
def test_nothing_is_submitted_twice(server, new, kind):
    first = new(kind)
    first.annotate(TEXTS[:2])  # these are in the cache
    assert len(new(kind).submit(TEXTS[:4])) == 1
    assert new(kind).submit(TEXTS[:4]) == []
    assert len(new(kind).submit([*TEXTS, *TEXTS])) == 1
    assert [len(job.requests) for job in jobs_of(server)] == [2, 2]
    until_done(new(kind))
    assert new(kind).submit(TEXTS) == []
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    assert set(questions(server).values()) == {1}


def test_two_processes_submit_at_once(server, new, tmp_path):
    texts = make_texts(40, seed=5)
    model, folder = model_at("chat", server), tmp_path / "answers"
    both = [
        elsewhere.start(elsewhere.submit, model, folder, texts, ASKED) for _ in range(2)
    ]
    done = [elsewhere.finish(one) for one in both]
    assert [code for code, _ in done] == [0, 0]
    assert sum(len(names) for _, names in done) == len(jobs_of(server))
    assert sum(len(job.requests) for job in jobs_of(server)) == len(texts)
    until_done(new())
    np.testing.assert_array_equal(new().annotate(texts), truth(texts, ASKED))
    assert set(questions(server).values()) == {1}


def test_another_run_submits_just_before(server, new, monkeypatch):
    """The other is done by the time that this one claims what it found open."""
    overtake(monkeypatch, lambda: new().submit(TEXTS))
    assert new().submit(TEXTS) == []
    assert len(jobs_of(server)) == 1


def test_another_run_collects_just_before(server, new, monkeypatch):
    server.batch_polls = 0
    new().submit(TEXTS)
    overtake(monkeypatch, lambda: new().collect())
    assert new().submit(TEXTS) == []
    assert len(jobs_of(server)) == 1


def test_another_run_collects_between_claim_and_note(server, new, monkeypatch):
    server.batch_polls = 0
    new().submit(TEXTS)
    original = BatchJobs.pending_keys

    def pending_keys(self):
        monkeypatch.setattr(BatchJobs, "pending_keys", original)
        new().collect()
        return original(self)

    monkeypatch.setattr(BatchJobs, "pending_keys", pending_keys)
    assert new().submit(TEXTS) == []
    assert len(jobs_of(server)) == 1


def overtake(monkeypatch, act):
    """Let another run act when the next one has looked up what is open."""
    original = Session.open_dispatcher

    def dispatcher(self):
        monkeypatch.setattr(Session, "open_dispatcher", original)
        act()
        return original(self)

    monkeypatch.setattr(Session, "open_dispatcher", dispatcher)


@pytest.mark.parametrize("kind", VENDORS)
def test_annotate_does_not_pay_for_what_is_on_its_way(server, new, kind):
    server.batch_polls = 3
    new(kind).submit(TEXTS[:3])
    with pytest.raises(BatchPendingError, match=r"9 answers .* Call again later"):
        new(kind).annotate(TEXTS)
    assert n_direct(server) == 0
    other = new(kind).annotate(TEXTS[3:])  # nothing of it is on its way
    np.testing.assert_array_equal(other, truth(TEXTS[3:], ASKED))
    for _ in range(5):
        try:
            marks = new(kind).annotate(TEXTS)  # collects by itself
            break
        except BatchPendingError:
            continue
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert set(questions(server).values()) == {1}


def test_a_job_of_another_model_is_not_waited_for(server, new):
    new(name="one").submit(TEXTS)
    marks = new(name="another").annotate(TEXTS)
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert new(name="another").collect() == (0, 0, [])
    assert until_done(new(name="one")) == (N_CELLS, 0, [])


def test_a_job_is_read_by_its_own_protocol(server, new):
    """Whoever collects may have the same model through the other protocol."""
    server.batch_polls = 0
    new("responses").submit(TEXTS)
    assert new("chat").collect() == (N_CELLS, 0, [])
    marks = new("responses").annotate(TEXTS)
    np.testing.assert_array_equal(marks, truth(TEXTS, ASKED))
    assert n_direct(server) == 0


# -- processes that die


@pytest.mark.parametrize("kind", ["chat"])
@pytest.mark.parametrize("use", ["collect", "annotate", "submit"])
def test_killed_before_the_vendor_knows(server, new, tmp_path, kind, use):
    killed(kind, server, tmp_path, elsewhere.die_before_the_call)
    assert jobs_of(server) == []
    if use == "collect":
        assert new(kind).collect() == (0, N_CELLS, [])
    if use == "submit":  # nobody need collect first
        assert len(new(kind).submit(TEXTS)) == 1
        until_done(new(kind))
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    assert set(questions(server).values()) == {1}


@pytest.mark.parametrize(
    ("kind", "die"),
    [
        ("chat", elsewhere.die_before_the_note),
        ("gemini", elsewhere.die_before_the_note),
        ("responses", elsewhere.die_after_the_note),
    ],
)
def test_killed_when_the_vendor_knows(server, new, tmp_path, kind, die):
    new(kind, asked=["mentions winter"]).submit(TEXTS)  # others on the vendor's list
    killed(kind, server, tmp_path, die)
    new(kind, asked=["mentions school"]).submit(TEXTS)
    assert len(jobs_of(server)) == 3
    assert new(kind).submit(TEXTS) == []
    collected = until_done(new(kind))
    assert collected.n_unanswered == 0
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    assert len(jobs_of(server)) == 3
    assert n_direct(server) == 0


def test_killed_while_collecting(server, new, tmp_path):
    server.batch_polls = 0
    new().submit(TEXTS)
    code, _ = elsewhere.in_process(
        elsewhere.collect_and_die, model_at("chat", server), tmp_path / "answers", ASKED
    )
    assert code == -9
    assert new().collect() == (N_CELLS, 0, [])
    np.testing.assert_array_equal(new().annotate(TEXTS), truth(TEXTS, ASKED))
    assert n_direct(server) == 0


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_job_is_found_on_any_page_of_the_list(server, new, tmp_path, kind, place):
    """However many jobs others have submitted before or since."""
    server.jobs_per_page = 3
    others = [f"mentions nothing of kind {number}" for number in range(10)]
    earlier, later = ([], others) if place == "last" else (others, [])
    for asked in earlier:
        new(kind, asked=[asked]).submit(TEXTS[:1])
    killed(kind, server, tmp_path, elsewhere.die_before_the_note)
    for asked in later:
        # by somebody with another cache: this one would look for the job each time
        cache = tmp_path / "other"
        new(kind, asked=[asked], cache=cache).submit(TEXTS[:1])
    assert len(jobs_of(server)) == 11
    collected = until_done(new(kind))
    assert collected.n_unanswered == 0
    assert n_lists(server) >= (4 if place == "last" else 1)
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    assert len(jobs_of(server)) == 11
    assert n_direct(server) == 0


def n_lists(server):
    return sum(call.status == 200 and "batches" in call.route for call in lists(server))


def lists(server):
    names = ("/v1/batches", "batches")
    return [call for call in server.calls if call.route in names and not call.body]


def test_a_list_that_has_no_end_is_left(server, new, tmp_path):
    """Some servers ignore where a page is to begin, and say that there is more."""
    new(asked=["mentions winter"]).submit(TEXTS)
    killed("chat", server, tmp_path, elsewhere.die_before_the_call)
    original = server.service.handle

    def handle(request):
        if request.method == "GET" and request.path.startswith("/v1/batches?"):
            request.path = "/v1/batches?limit=1"
            reply = original(request)
            reply.body = reply.body.replace(b'"has_more": false', b'"has_more": true')
            return reply
        return original(request)

    server.service.handle = handle
    server.batch_polls = 0
    assert new().collect() == (len(TEXTS), N_CELLS, [])


@pytest.mark.parametrize("use", ["collect", "annotate", "submit"])
def test_what_a_dead_process_has_just_sent_may_still_arrive(
    server, new, tmp_path, monkeypatch, use
):
    """The vendor may be making the job at this moment: it is not paid for twice."""
    monkeypatch.setattr(_batch_jobs, "_ARRIVAL_SECONDS", 3600.0)
    killed("chat", server, tmp_path, elsewhere.die_before_the_call)
    (tag,) = new()._answers.records("batch")
    if use == "collect":
        assert new().collect() == (0, 0, [tag])
    elif use == "submit":
        assert new().submit(TEXTS) == []
    else:
        with pytest.raises(BatchPendingError):
            new().annotate(TEXTS)
    assert jobs_of(server) == []
    arrive(server, tag)
    assert until_done(new()) == (N_CELLS, 0, [])
    np.testing.assert_array_equal(new().annotate(TEXTS), truth(TEXTS, ASKED))
    assert n_direct(server) == 0


def arrive(server, tag):
    """Let the job of a dead process come into being."""
    connection = model_at("chat", server).connect(1)
    table = new_table(server)
    written = [
        connection.batches().write(f"r{i}", table.layout.request(text, group))
        for i, (text, group) in enumerate(table.groups())
    ]
    connection.batches().submit(tag, written)
    connection.close()


def new_table(server):
    annotator = annotator_for(model_at("chat", server), ASKED)
    return annotator._make_answerer()._make_table(TEXTS, ASKED)


def test_what_has_not_arrived_for_long_is_lost(server, new, tmp_path, monkeypatch):
    monkeypatch.setattr(_batch_jobs, "_ARRIVAL_SECONDS", 3600.0)
    killed("chat", server, tmp_path, elsewhere.die_before_the_call)
    store = new()._answers
    ((tag, record),) = store.records("batch").items()
    store.put_record("batch", tag, {**record, "since": record["since"] - 3601})
    assert new().collect() == (0, N_CELLS, [])
    assert len(new().submit(TEXTS)) == 1


@pytest.mark.parametrize("kind", VENDORS)
def test_two_processes_collect_one_job(server, new, tmp_path, kind):
    """One takes it, and the other waits for that: no answer is missed, or paid twice.

    The first is slow, and deletes the files of the job in the end.
    """
    server.batch_polls = 0
    new(kind).submit(TEXTS)
    server.latency = 0.3
    model, folder = model_at(kind, server), tmp_path / "answers"
    both = [
        elsewhere.start(elsewhere.collect, model, folder, TEXTS, ASKED)
        for _ in range(2)
    ]
    done = [elsewhere.finish(each) for each in both]
    assert [code for code, _ in done] == [0, 0]
    counts = sorted(collected for _, (collected, _) in done)
    assert counts == [(0, 0, []), (N_CELLS, 0, [])]
    for _, (_, labels) in done:
        np.testing.assert_array_equal(labels, truth(TEXTS, ASKED))
    assert n_direct(server) == 0


def test_a_job_is_collected_after_its_collector_died(server, new, tmp_path):
    server.batch_polls = 0
    new().submit(TEXTS)
    model, folder = model_at("chat", server), tmp_path / "answers"
    dying = elsewhere.start(elsewhere.collect_and_die, model, folder, ASKED)
    living = elsewhere.start(elsewhere.collect, model, folder, TEXTS, ASKED)
    assert elsewhere.finish(dying)[0] in (-9, 0)  # 0: the other one was faster
    code, (_, labels) = elsewhere.finish(living)
    assert code == 0
    np.testing.assert_array_equal(labels, truth(TEXTS, ASKED))
    assert n_direct(server) == 0
    assert new().collect() == (0, 0, [])


def killed(kind, server, tmp_path, die):
    code, _ = elsewhere.in_process(
        elsewhere.submit,
        model_at(kind, server),
        tmp_path / "answers",
        TEXTS,
        ASKED,
        die,
    )
    assert code == -9


# -- connections that break

CREATE = {
    "chat": ("POST", "/v1/batches"),
    "gemini": ("POST", "/v1beta/models/double:batchGenerateContent"),
}


@pytest.mark.parametrize("handled", [True, False], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("kind", CREATE)
def test_a_lost_reply_makes_no_second_job(server, new, kind, handled):
    drop_first(server, CREATE[kind], handled=handled)
    (name,) = new(kind).submit(TEXTS)
    assert len(jobs_of(server)) == 1
    assert name.endswith(jobs_of(server)[0].id)
    until_done(new(kind))
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))


@pytest.mark.parametrize("kind", CREATE)
def test_a_job_made_while_the_connection_broke_for_good(server, new, kind):
    """The vendor has it, and this process could not learn so."""
    original = server.service.handle
    create = CREATE[kind]

    def handle(request):
        if request.method == "GET" or request.path == create[1]:
            if request.path == create[1] and not jobs_of(server):
                original(request)
            return Reply(200, b"{}", dropped=True)
        return original(request)

    server.service.handle = handle
    with pytest.raises(LanguageModelError, match="Check the connection"):
        new(kind).submit(TEXTS)
    server.service.handle = original
    assert len(jobs_of(server)) == 1
    assert new(kind).submit(TEXTS) == []
    assert until_done(new(kind)) == (N_CELLS, 0, [])
    assert len(jobs_of(server)) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("wrong_key", "authentication"), ("quota", "quota"), ("unknown_model", "model")],
)
@pytest.mark.parametrize("kind", CREATE)
def test_a_job_that_is_refused_leaves_nothing_behind(server, new, kind, fault, reason):
    server.faults = Faults({fault: 1.0})
    with pytest.raises(LanguageModelError) as caught:
        new(kind).submit(TEXTS)
    assert caught.value.reason == reason
    server.faults = None
    assert jobs_of(server) == []
    assert new(kind).collect() == (0, 0, [])
    assert len(new(kind).submit(TEXTS)) == 1


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_transient_faults_are_waited_for(server, new, kind):
    server.faults = Faults.spread(
        0.4, ("rate_limit", "server_500", "overloaded_503", "dropped"), seed=2
    )
    new(kind).submit(TEXTS)
    until_done(new(kind))
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))
    assert len(jobs_of(server)) == 1


def test_a_broken_connection_while_collecting_loses_nothing(server, new):
    server.batch_polls = 0
    new().submit(TEXTS)
    server.faults = Faults({"dropped": 1.0})
    with pytest.raises(LanguageModelError, match="Check the connection"):
        new().collect()
    server.faults = None
    assert new().collect() == (N_CELLS, 0, [])


# -- limits and money


@pytest.mark.parametrize("kind", ["chat", "gemini"])
@pytest.mark.parametrize("limit", [(2, 10**9), (10**9, 2500)], ids=["number", "size"])
def test_limits_of_the_vendor_make_several_jobs(server, new, monkeypatch, kind, limit):
    provider = "gemini" if kind == "gemini" else "openai"
    monkeypatch.setattr(PROVIDERS[provider], "batch_limits", limit)
    names = new(kind).submit(TEXTS)
    jobs = jobs_of(server)
    assert len(names) == len(jobs) > 1
    assert sum(len(job.requests) for job in jobs) == len(TEXTS)
    assert all(len(job.requests) <= limit[0] for job in jobs)
    if kind != "gemini":
        files = server.service.batches.files
        sizes = [len(files[job.given["input_file_id"]][1]) for job in jobs]
        assert max(sizes) <= limit[1]
    assert until_done(new(kind)) == (N_CELLS, 0, [])
    np.testing.assert_array_equal(new(kind).annotate(TEXTS), truth(TEXTS, ASKED))


@pytest.mark.parametrize("kind", VENDORS)
def test_a_batch_costs_half(server, new, kind):
    direct = new(kind, cache=None, price=PRICE)
    direct.annotate(TEXTS)
    server.batch_polls = 0
    new(kind, price=PRICE).submit(TEXTS)
    collector = new(kind, price=PRICE)
    collector.collect()
    for count in ("calls", "input_tokens", "output_tokens"):
        assert collector.usage_[count] == direct.usage_[count]
    assert collector.usage_["cost"] == pytest.approx(direct.usage_["cost"] / 2)
    assert direct.usage_["cost"] > 0


@pytest.mark.parametrize("kind", VENDORS)
def test_a_batch_stays_below_the_cap(server, new, kind):
    with pytest.raises(BudgetError, match="the batch could cost") as caught:
        new(kind, max_cost=1e-6, price=PRICE).submit(TEXTS)
    assert "not submitted" in str(caught.value)
    assert jobs_of(server) == []
    assert new(kind, price=PRICE).collect() == (0, 0, [])
    # the message tells the most that the batch can cost
    most = float(str(caught.value).partition("could cost $")[2].partition(",")[0])
    annotator = new(kind, max_cost=1.5 * most, price=PRICE)
    assert len(annotator.submit(TEXTS)) == 1
    with pytest.raises(BudgetError, match="open jobs may cost"):
        annotator.submit(make_texts(6, seed=9))
    until_done(annotator)
    assert 0 < annotator.usage_["cost"] <= most


# -- what takes no batches, and what is not written


def test_what_takes_no_batches_is_refused_before_any_call(server, new, tmp_path):
    with pytest.raises(ValueError, match="not to be had in batches"):
        new(layout="decisions").submit(TEXTS)
    with pytest.raises(ValueError, match="needs a cache folder"):
        new(cache=None).submit(TEXTS)
    function = annotator_for(yes, ASKED, cache=tmp_path)
    with pytest.raises(ValueError, match="takes no batches"):
        function.submit(TEXTS)
    assert server.stats().calls == 0


def yes(prompt):
    return "yes"


def test_one_text_is_no_sequence_of_texts(server, new):
    with pytest.raises((TypeError, ValueError)):
        new().submit("a text")
    assert server.stats().calls == 0


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_neither_texts_nor_keys_are_written(server, tmp_path, kind):
    server.api_key = SECRET
    folder = tmp_path / "answers"
    model = model_at(kind, server, api_key_env="SECRET_OF_THE_TEST")
    annotator = annotator_for(model, ASKED, cache=folder)
    annotator.submit(TEXTS)
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"double" in files  # the record is there
    for secret in [SECRET, *TEXTS, *ASKED, "SECRET_OF_THE_TEST"]:
        assert secret.encode() not in files
    until_done(annotator)
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in [SECRET, *TEXTS, *ASKED]:
        assert secret.encode() not in files


def test_blank_texts_are_not_submitted(server, new):
    server.batch_polls = 0
    texts = [*TEXTS, "", " \n "]
    new("chat", "single").submit(texts)
    assert len(jobs_of(server)[0].requests) == N_CELLS
    new("chat", "single").collect()
    np.testing.assert_array_equal(
        new("chat", "single").annotate(texts), truth(texts, ASKED)
    )
    assert new().submit(["", " "]) == []


def test_collecting_with_nothing_submitted_makes_no_call(server, new):
    assert new().collect() == (0, 0, [])
    assert server.stats().calls == 0


def test_the_files_of_a_job_are_deleted_once_its_answers_are_here(new, server):
    client = openai.OpenAI(api_key="k", base_url=server.openai_url)
    annotator = new()
    annotator.submit(TEXTS)
    assert list(client.files.list())
    while annotator.collect().pending:
        pass
    assert list(client.files.list()) == []
    np.testing.assert_array_equal(annotator.annotate(TEXTS), truth(TEXTS, ASKED))


@pytest.mark.parametrize("handled", [True, False], ids=["arrived", "did not arrive"])
def test_files_of_repeated_attempts_are_deleted_too(new, server, handled):
    drop_first(server, ("POST", "/v1/files"), handled=handled)
    new().submit(TEXTS)
    server.batch_polls = 0
    assert new().collect() == (N_CELLS, 0, [])
    assert files_left(server) == []


@pytest.mark.parametrize("use", ["collect", "submit"])
def test_files_of_a_process_that_died_are_deleted(server, new, tmp_path, use):
    killed("chat", server, tmp_path, elsewhere.die_between_file_and_job)
    assert jobs_of(server) == []
    assert files_left(server) == ["batch"]
    getattr(new(), use)(*([TEXTS] if use == "submit" else []))
    while new().collect().pending:
        pass
    assert files_left(server) == []


def test_files_of_a_job_that_is_refused_are_deleted(server, new):
    original = server.service.handle

    def handle(request):
        if (request.method, request.path) == CREATE["chat"]:
            return Reply(404, b'{"error": {"message": "not for this model"}}')
        return original(request)

    server.service.handle = handle
    with pytest.raises(LanguageModelError, match="not for this model"):
        new().submit(TEXTS)
    assert files_left(server) == []
    assert new().collect() == (0, 0, [])


def files_left(server):
    files = server.service.batches.files.values()
    return [about["purpose"] for about, data in files if data is not None]


def test_replies_of_a_batch_without_a_count_of_tokens_cost_what_was_set_aside(
    new, server
):
    server.report_usage = False
    annotator = new(price=PRICE, max_cost=1e6)
    annotator.submit(TEXTS)
    while annotator.collect().pending:
        pass
    usage = annotator.usage_
    assert usage["calls"] == usage["uncertain_calls"] == N_REQUESTS["stacked"]
    assert usage["cost"] > 0


def test_direct_calls_leave_room_for_what_open_jobs_may_cost(new):
    other = [f"{text} again" for text in TEXTS]
    spent = new(price=PRICE, name="measure")
    spent.annotate(other)
    direct = spent.usage_["cost"]
    annotator = new(price=PRICE, max_cost=1e6)
    annotator.submit(TEXTS)
    annotator.set_params(max_cost=direct * 1.5)
    with pytest.raises(BudgetError):
        annotator.annotate(other)


def test_what_another_process_submits_meanwhile_is_not_asked(new, server, monkeypatch):
    looked = CellAnswerer._wait_for_batches

    def and_then_somebody_submits(answerer, table):
        looked(answerer, table)
        new().submit(TEXTS)

    monkeypatch.setattr(CellAnswerer, "_wait_for_batches", and_then_somebody_submits)
    with pytest.raises(BatchPendingError):
        new().annotate(TEXTS)
    assert not [call for call in server.calls if call.route.endswith(DIRECT)]
