"""Annotation that is killed, interrupted, and done by several processes at once.

Children are forked off a process that has imported everything and runs no threads,
so that twenty of them start and die within seconds.
"""

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import numpy as np
import pytest
from forks import fork_context
from llm_cases import (
    annotate_in_child,
    annotator_for,
    make_mind,
    make_texts,
    model_at,
    statements,
    truth,
)
from llm_double import LLMServer

N_WORKERS = 16  # the default
PATIENCE = 60.0  # seconds; nothing here takes nearly as long
S10 = statements(10)
TEXTS = make_texts(80)
TRUTH = truth(TEXTS, S10)
CELLS = [(text, statement) for text in TEXTS for statement in S10]


pytestmark = pytest.mark.usefixtures("prepared")


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


@pytest.fixture(scope="module")
def forks():
    return fork_context()


@pytest.fixture
def start(forks, server, tmp_path):
    """Return a function that starts to annotate in another process."""
    started = []

    def start(texts=TEXTS, asked=S10, layout="single", *, wait=False):
        here, there = forks.Pipe()
        arguments = (server.openai_url, tmp_path / "c", texts, asked, layout, there)
        process = forks.Process(target=annotate_in_child, args=arguments)
        process.start()
        started.append(process)
        there.close()
        assert here.recv() == "ready"
        if not wait:
            here.send("go")
        return process, here

    yield start
    for process in started:
        process.kill()
        process.join(PATIENCE)


def n_stored(folder):
    with contextlib.closing(sqlite3.connect(folder / "answers.sqlite3")) as connection:
        return connection.execute("SELECT count(*) FROM answers").fetchone()[0]


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def wait_for_calls(server, n):
    wait_for(lambda: server.service.stats.calls >= n)


def total(counts):
    return sum(counts.values())


def join(process):
    process.join(PATIENCE)
    assert process.exitcode is not None
    return process.exitcode


# Killed


def test_of_twenty_kills_each_costs_no_more_than_what_was_in_flight(
    server, start, tmp_path
):
    server.latency = 0.005
    draw = random.Random(0)
    moments = sorted(draw.randrange(1, len(CELLS) - 50) for _ in range(20))
    asked_before = stored_before = lost = 0
    for moment in moments:
        process, _ = start()
        wait_for_calls(server, moment + lost)
        process.kill()
        assert join(process) == -signal.SIGKILL
        wait_for(lambda: server.service.stats.in_flight == 0)
        asked, stored = total(server.stats().asked), n_stored(tmp_path / "c")
        lost_now = asked - asked_before - (stored - stored_before)
        assert 0 <= lost_now <= N_WORKERS
        asked_before, stored_before = asked, stored
        lost += lost_now
    assert 0 < lost < len(CELLS) / 2
    assert stored_before < len(CELLS)
    process, pipe = start()
    labels, usage = pipe.recv()
    assert join(process) == 0
    np.testing.assert_array_equal(labels, TRUTH)
    stats = server.stats()
    assert usage["answers_from_cache"] == stored_before
    assert usage["calls"] == len(CELLS) - stored_before
    assert total(stats.asked) == len(CELLS) + lost
    assert stats.answered.keys() == set(CELLS)
    assert total(stats.answered) <= len(CELLS) + lost
    assert n_stored(tmp_path / "c") == len(CELLS)


# Interrupted


@pytest.mark.parametrize("layout", ["single", "stacked"])
def test_ctrl_c_stops_soon_and_keeps_every_answer(server, start, tmp_path, layout):
    server.latency = 0.02
    process, pipe = start(layout=layout)
    wait_for_calls(server, {"single": 200, "stacked": 20}[layout])
    os.kill(process.pid, signal.SIGINT)
    said, usage = pipe.recv()
    assert said == "interrupted"
    assert join(process) == 0
    stats = server.stats()
    n_answered = total(stats.answered)
    assert n_answered < len(CELLS)
    assert stats.in_flight == 0
    assert usage["calls"] == stats.calls
    assert n_stored(tmp_path / "c") == n_answered == total(stats.asked)
    server.latency = 0.0
    again = annotator_for(
        model_at("chat", server), S10, layout=layout, cache=tmp_path / "c"
    )
    np.testing.assert_array_equal(again.annotate(TEXTS), TRUTH)
    assert again.usage_["answers_from_cache"] == n_answered
    assert server.stats().asked == dict.fromkeys(CELLS, 1)


def interrupt_after_a_call(server):
    wait_for(lambda: server.service.stats.calls > 0)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs pthread_kill")
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_what_is_answered_after_ctrl_c_is_stored(server, tmp_path, kind, late):
    """Also after the run is over, as long as the process lives on: in a notebook."""
    model = model_at(kind, server)
    settings = {"layout": "stacked", "cache": tmp_path / "c", "n_workers": 4}
    annotator_for(model, S10, **settings).annotate(TEXTS[:2])  # now it is proven
    server.reset()
    server.latency = 3.0 if late else 0.3
    annotator = annotator_for(model, S10, **settings)
    threading.Thread(target=interrupt_after_a_call, args=[server]).start()
    with pytest.raises(KeyboardInterrupt):
        annotator.annotate(TEXTS[2:])
    n_asked = server.stats().calls
    assert n_asked > 0
    if late:  # nobody has waited for them
        assert n_stored(tmp_path / "c") == 2 * len(S10)
    wait_for(lambda: n_stored(tmp_path / "c") == (2 + n_asked) * len(S10))
    assert server.stats().calls == annotator.usage_["calls"] == n_asked
    server.latency = 0.0
    again = annotator_for(model, S10, **settings)
    np.testing.assert_array_equal(again.annotate(TEXTS), TRUTH)
    assert again.usage_["answers_from_cache"] == (2 + n_asked) * len(S10)
    assert set(server.stats().asked.values()) == {1}


# At once


@pytest.mark.parametrize("layout", ["single", "stacked", "decisions"])
def test_two_processes_share_the_work(server, start, tmp_path, layout):
    """Their tables overlap in a part of the texts and of the statements."""
    server.latency = 0.005
    tables = [(TEXTS[:55], S10[:7]), (TEXTS[:25:-1], S10[3:])]
    children = [start(*table, layout, wait=True) for table in tables]
    for _, pipe in children:
        pipe.send("go")
    used = 0
    for (process, pipe), table in zip(children, tables, strict=True):
        labels, usage = pipe.recv()
        assert join(process) == 0
        np.testing.assert_array_equal(labels, truth(*table))
        used += usage["calls"]
    cells = {(text, s) for texts, asked in tables for text in texts for s in asked}
    assert server.stats().asked == dict.fromkeys(cells, 1)
    assert server.stats().calls == used
    assert n_stored(tmp_path / "c") == len(cells)


def test_the_work_of_a_process_that_is_killed_is_taken_over(server, start, tmp_path):
    server.latency = 0.02
    (first, _), (second, pipe) = start(), start(wait=True)
    wait_for_calls(server, 100)
    pipe.send("go")
    wait_for_calls(server, 300)
    first.kill()
    join(first)
    labels, _ = pipe.recv()
    assert join(second) == 0
    np.testing.assert_array_equal(labels, TRUTH)
    twice = total(server.stats().asked) - len(CELLS)
    assert 0 <= twice <= N_WORKERS
    assert n_stored(tmp_path / "c") == len(CELLS)
