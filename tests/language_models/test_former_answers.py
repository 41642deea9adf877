"""What was paid for is found again: by earlier releases, or asked in other words."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from llm_cases import (
    annotator_for,
    make_mind,
    make_texts,
    model_at,
    prepare,
    statements,
    truth,
)
from llm_double import LLMServer

from sklearn_hypo import GeminiModel, LLMAnnotator, LLMInterpreter, OpenAIModel
from sklearn_hypo._interpretation._write_statements import StatementWriter
from sklearn_hypo._language_models._answers import FILE_NAME, AnswerStore, KeyMaker
from sklearn_hypo._language_models._layouts import STACKED_SYSTEM
from sklearn_hypo._language_models._ledger import Ledger
from sklearn_hypo._language_models._session import Session
from sklearn_hypo._language_models._values import Prompt
from sklearn_hypo.exceptions import BatchPendingError, CacheError, LanguageModelError

TEXTS, ASKED = make_texts(3), statements(3)
TRUTH = truth(TEXTS, ASKED)

# Written by a release whose keys had no salt, from a server that is not there any more.
# If this is not found, everybody pays again for all that he has: see `_FORMAT` before
# you change what a key is made of, prompts included.
FORMER = Path(__file__).parents[1] / "support" / "answers_without_salt.json"
URL = "http://localhost:18765/v1/"
CHAT = OpenAIModel("double", base_url=URL, max_output_tokens=500, seed=1)
STATEMENT = [(Prompt("instructions", "texts", temperature=0.7), 2)]


@pytest.fixture(autouse=True)
def _environment(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path / "unused")


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


@pytest.fixture
def former(tmp_path):
    """Return the folder of a cache that an earlier release has filled."""
    folder = tmp_path / "former"
    AnswerStore(folder)
    rows = json.loads(FORMER.read_text())
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection, connection:
        connection.executemany(
            "INSERT INTO answers VALUES (?, ?)",
            [(bytes.fromhex(key), json.dumps(value)) for key, value in rows.items()],
        )
    return folder


def count_answers(folder):
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        return connection.execute("SELECT count(*) FROM answers").fetchone()[0]


def annotate(model, folder, asked=ASKED, texts=TEXTS, **settings):
    """Annotate, and see that all of it was in the cache."""
    annotator = annotator_for(model, asked, cache=folder, **settings)
    labels = annotator.annotate(texts)
    assert annotator.usage_["calls"] == 0
    assert annotator.usage_["answers_from_cache"] == labels.size
    return labels


def write(model, folder):
    session = Session(model, AnswerStore(folder), Ledger(None), None, "LLMInterpreter")
    return StatementWriter(session)


# Caches without a salt


def test_answers_of_an_earlier_release_are_not_paid_for_again(former):
    np.testing.assert_array_equal(annotate(CHAT, former), TRUTH)
    gemini = GeminiModel("double", base_url="http://127.0.0.1:18765", thinking_budget=0)
    labels = annotate(gemini, former, ASKED[:1], layout="single")
    np.testing.assert_array_equal(labels, TRUTH[:, :1])
    decisions = OpenAIModel("double", base_url="http://127.0.0.1:18765/v1")
    annotate(decisions, former, texts=TEXTS[:1], layout="decisions")
    assert annotator_for(CHAT, ASKED, cache=former).estimate_cost(TEXTS).calls == 0


def test_a_schema_that_is_asked_for_was_sent_by_earlier_releases(former):
    with_schema = replace(CHAT, structured_output=True)
    np.testing.assert_array_equal(annotate(with_schema, former), TRUTH)
    assert with_schema.identity() == CHAT.identity()
    without = replace(CHAT, structured_output=False)
    estimate = annotator_for(without, ASKED, cache=former).estimate_cost(TEXTS)
    assert estimate.calls == len(TEXTS)


def test_statements_of_an_earlier_release_are_found(former):
    assert write(CHAT, former).estimate(STATEMENT).calls == 0
    (result,) = write(CHAT, former).write(STATEMENT)
    assert result.statement == "mentions pizza"


def test_other_questions_are_not_answered_by_them(former):
    for other in (
        OpenAIModel("double", base_url=URL, max_output_tokens=500),
        OpenAIModel("another", base_url=URL, max_output_tokens=500, seed=1),
        OpenAIModel("double", base_url=URL.replace("http", "https"), seed=1),
    ):
        annotator = annotator_for(other, ASKED, cache=former)
        assert annotator.estimate_cost(TEXTS).calls == len(TEXTS)
    for settings in ({"layout": "single"}, {"shuffle_seed": 1}):
        annotator = annotator_for(CHAT, ASKED, cache=former, **settings)
        assert annotator.estimate_cost(TEXTS).calls >= len(TEXTS)
    annotator = annotator_for(CHAT, statements(4), cache=former)
    assert annotator.estimate_cost(TEXTS).calls == len(TEXTS)  # of the fourth


def test_what_was_found_is_kept_under_the_keys_of_today(former):
    """So that it is found with other spellings, which earlier keys told apart."""
    n_before = count_answers(former)
    annotate(CHAT, former)
    write(CHAT, former).write(STATEMENT)
    assert count_answers(former) == n_before + len(TEXTS) * len(ASKED) + 1
    other = OpenAIModel(
        "double", base_url="http://127.0.0.1:18765/v1", max_output_tokens=9999, seed=1
    )
    np.testing.assert_array_equal(annotate(other, former), TRUTH)
    assert write(other, former).write(STATEMENT)[0].statement == "mentions pizza"
    assert count_answers(former) == n_before + len(TEXTS) * len(ASKED) + 1


def test_a_cache_that_cannot_be_written_is_read(former, monkeypatch):
    from sklearn_hypo._utils import _sqlite

    connect = _sqlite.connect

    def read_only(*args, **options):
        connection = connect(*args, **options)
        connection.execute("PRAGMA query_only=ON")
        return connection

    monkeypatch.setattr(_sqlite, "connect", read_only)
    np.testing.assert_array_equal(annotate(CHAT, former), TRUTH)


def former_key(model, text, statement):
    """Make the key of a stacked cell as releases without a salt did."""
    identity = {
        "format": 1,
        "task": "annotation",
        "layout": "stacked",
        "prompt": STACKED_SYSTEM,
        "concepts_per_call": 10,
        "shuffle_seed": 0,
        "provider": "openai",
        "server": model.base_url,
        "model": model.model,
    }
    canonical = json.dumps(identity, sort_keys=True, ensure_ascii=True)
    parts = [part.encode() for part in (canonical, text, statement)]
    data = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(data).digest()


def test_a_batch_job_of_an_earlier_release_is_waited_for(server, tmp_path):
    model = model_at("chat", server)
    new = {"cache": tmp_path}
    annotator_for(model, ASKED, **new).submit(TEXTS)
    store = AnswerStore(tmp_path)
    ((tag, record),) = store.records("batch").items()
    requests = server.service.batches.jobs["batch_0"].requests
    for request in requests:
        task = json.loads(request["body"]["messages"][1]["content"])
        record["requests"][request["custom_id"]] = [
            former_key(model, task["text"], statement).hex()
            for statement in task["properties"].values()
        ]
    del record["since"]
    store.put_record("batch", tag, record)
    assert annotator_for(model, ASKED, **new).submit(TEXTS) == []
    server.batch_polls = 3
    with pytest.raises(BatchPendingError, match="9 answers"):
        annotator_for(model, ASKED, **new).annotate(TEXTS)
    server.batch_polls = 0
    labels = annotator_for(model, ASKED, **new).annotate(TEXTS)
    np.testing.assert_array_equal(labels, TRUTH)
    assert server.stats().routes["/v1/chat/completions"] == 0


# What does not change an answer


def spelt(server, url=None, **settings):
    return OpenAIModel("double", base_url=url or server.openai_url, **settings)


def test_a_higher_limit_on_the_answer_asks_nothing_again(server, tmp_path):
    labels = annotator_for(spelt(server), ASKED, cache=tmp_path).annotate(TEXTS)
    n_calls = server.stats().calls
    for limit in (5000, 10_000, None):
        again = annotate(spelt(server, max_output_tokens=limit), tmp_path)
        np.testing.assert_array_equal(again, labels)
    assert server.stats().calls == n_calls


def test_answers_that_were_cut_are_asked_for_again(server, tmp_path):
    """They were never stored, so there is nothing that a limit would have changed."""
    server.reasoning_tokens = 100
    tight = spelt(server, max_output_tokens=5)
    with pytest.raises(LanguageModelError, match="max_output_tokens"):
        annotator_for(tight, ASKED, cache=tmp_path).annotate(make_texts(30))
    assert count_answers(tmp_path) == 0
    wide = spelt(server, max_output_tokens=1000)
    labels = annotator_for(wide, ASKED, cache=tmp_path).annotate(TEXTS)
    np.testing.assert_array_equal(labels, TRUTH)


@pytest.mark.parametrize(
    "change",
    [
        lambda url: f"{url}/",
        lambda url: url.replace("127.0.0.1", "localhost"),
        lambda url: url.replace("127.0.0.1", "LOCALHOST").replace("http", "HTTP"),
        lambda url: url.replace("127.0.0.1", "[::1]"),
    ],
)
def test_another_spelling_of_the_address_asks_nothing_again(server, tmp_path, change):
    labels = annotator_for(spelt(server), ASKED, cache=tmp_path).annotate(TEXTS)
    again = annotate(spelt(server, change(server.openai_url)), tmp_path)
    np.testing.assert_array_equal(again, labels)


def test_a_batch_job_is_known_by_another_spelling(server, tmp_path):
    server.batch_polls = 0
    annotator_for(spelt(server), ASKED, cache=tmp_path).submit(TEXTS)
    other = spelt(server, server.openai_url.replace("127.0.0.1", "localhost") + "/")
    assert annotator_for(other, ASKED, cache=tmp_path).submit(TEXTS) == []
    labels = annotator_for(other, ASKED, cache=tmp_path).annotate(TEXTS)
    np.testing.assert_array_equal(labels, TRUTH)
    assert server.stats().routes["/v1/chat/completions"] == 0


# The number of statements in a call


def n_calls(server, folder, asked, size, texts=TEXTS, **settings):
    """Return how many calls annotation takes; its labels are right."""
    annotator = annotator_for(
        spelt(server), asked, cache=folder, concepts_per_call=size, **settings
    )
    estimate = annotator.estimate_cost(texts).calls
    labels = annotator.annotate(texts)
    np.testing.assert_array_equal(labels, truth(texts, asked))
    assert annotator.usage_["calls"] == estimate
    return estimate


@pytest.mark.parametrize("memory", [False, True])
def test_a_size_that_makes_the_same_calls_asks_nothing_again(server, tmp_path, memory):
    asked = statements(7)
    folder = None if memory else tmp_path
    annotator = annotator_for(spelt(server), asked, cache=folder, concepts_per_call=8)
    annotator.annotate(TEXTS)
    assert server.stats().calls == len(TEXTS)
    for size in (7, 20, None, 8, 400):
        annotator.set_params(concepts_per_call=size)
        annotator.fit([], asked).annotate(TEXTS)
    assert server.stats().calls == len(TEXTS)
    if not memory:
        assert n_calls(server, tmp_path, asked, 9) == 0  # by another object


def test_a_size_that_makes_other_calls_asks_again(server, tmp_path):
    asked = statements(7)
    assert n_calls(server, tmp_path, asked, None) == len(TEXTS)
    assert n_calls(server, tmp_path, asked, 6) == 2 * len(TEXTS)
    assert n_calls(server, tmp_path, asked, 4) == 0  # again two calls: of 4 and of 3
    assert n_calls(server, tmp_path, asked, 3) == 3 * len(TEXTS)
    assert n_calls(server, tmp_path, asked, 1) == 7 * len(TEXTS)
    assert n_calls(server, tmp_path, asked, 10) == 0
    other_order = {"shuffle_seed": 1}
    assert n_calls(server, tmp_path, asked, 10, **other_order) == len(TEXTS)


def test_an_answer_from_a_larger_call_than_is_allowed_is_not_taken(server, tmp_path):
    """Of two statements, a call of at most 20 and one of at most 5 are the same."""
    assert n_calls(server, tmp_path, statements(12), 20) == len(TEXTS)
    assert n_calls(server, tmp_path, statements(2), 20) == 0
    assert n_calls(server, tmp_path, statements(2), 5) == len(TEXTS)
    assert n_calls(server, tmp_path, statements(2), 12) == 0  # 12 were together


def test_the_calls_of_each_text_are_compared(server, tmp_path):
    asked = statements(7)
    where = np.ones((len(TEXTS), 7), dtype=bool)
    where[0, 3:] = False  # one call of at most 6; of the others two
    some = annotator_for(spelt(server), asked, cache=tmp_path, concepts_per_call=6)
    some.annotate_cells(TEXTS, where)
    assert some.usage_["calls"] == 1 + 2 * (len(TEXTS) - 1)
    more = annotator_for(spelt(server), asked, cache=tmp_path, concepts_per_call=10)
    more.annotate_cells(TEXTS, where)
    assert more.usage_["calls"] == len(TEXTS) - 1
    np.testing.assert_array_equal(more.annotate(TEXTS[1:]), truth(TEXTS[1:], asked))
    assert more.usage_["calls"] == len(TEXTS) - 1


def test_a_pending_job_of_another_size_is_waited_for(server, tmp_path):
    server.batch_polls = 3
    settings = {"cache": tmp_path, "concepts_per_call": 5}
    annotator_for(spelt(server), ASKED, **settings).submit(TEXTS)
    other = annotator_for(spelt(server), ASKED, cache=tmp_path, concepts_per_call=4)
    with pytest.raises(BatchPendingError):
        other.annotate(TEXTS)
    assert other.submit(TEXTS) == []
    server.batch_polls = 0
    np.testing.assert_array_equal(other.annotate(TEXTS), TRUTH)
    assert server.stats().routes["/v1/chat/completions"] == 0


# Values that were never written


FOREIGN = [
    {"value": 5},
    {"value": -0.1},
    {"value": None},
    {"value": "yes"},
    {"value": [1]},
    {"value": float("nan")},
    {"value": 1, "share_read": "half"},
    {},
    [1],
    "yes",
    1,
    None,
]


@pytest.mark.parametrize("value", FOREIGN, ids=str)
@pytest.mark.parametrize("use", ["annotate", "annotate_proba", "estimate_cost"])
def test_a_foreign_value_is_no_probability(server, tmp_path, value, use):
    def spoil(key):
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
            connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(value))
            )

    annotator = annotator_for(spelt(server), ASKED, cache=tmp_path)
    table = annotator._make_answerer()._make_table(TEXTS, ASKED)
    spoil(table.key(TEXTS[0], ASKED[0]))
    with pytest.raises(CacheError, match="is damaged") as caught:
        getattr(annotator, use)(TEXTS)
    assert str(tmp_path) in str(caught.value)
    assert server.stats().calls == 0
    # under an earlier key it is not taken over either
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("DELETE FROM answers")
    spoil(former_key(spelt(server), TEXTS[0], ASKED[0]))
    with pytest.raises(CacheError, match="is damaged"):
        getattr(annotator, use)(TEXTS)
    assert count_answers(tmp_path) == 1


def test_a_foreign_value_that_turns_up_while_asking(server, tmp_path, monkeypatch):
    """Another program may write into the file at any time."""
    annotator = annotator_for(spelt(server), ASKED, cache=tmp_path)
    answerer = annotator._make_answerer()
    key = answerer._make_table(TEXTS, ASKED).key(TEXTS[0], ASKED[0])
    looked_up = type(answerer)._look_up

    def and_then_spoil(self, *args):
        table = looked_up(self, *args)
        with self.session.store.run() as run:
            run.put({key: {"value": 5}})
        return table

    monkeypatch.setattr(type(answerer), "_look_up", and_then_spoil)
    with pytest.raises(CacheError, match=r"holds \{'value': 5\} where an answer"):
        annotator.annotate(TEXTS)


@pytest.mark.parametrize("value", [{"statement": 5}, {}, [1], "yes", None], ids=str)
def test_a_foreign_value_is_no_statement(tmp_path, value):
    writer = write(CHAT, tmp_path)
    with writer.session.store.run() as run:
        run.put({writer._key(*STATEMENT[0]): value})
    with pytest.raises(CacheError, match="where a statement is expected"):
        writer.write(STATEMENT)


def test_the_interpreter_reports_a_damaged_cache(server, tmp_path, monkeypatch):
    monkeypatch.setattr(AnswerStore, "get", lambda self, keys: {k: {} for k in keys})
    interpreter = LLMInterpreter(model_at("chat", server), cache=tmp_path)
    with pytest.raises(CacheError, match="is damaged"):
        interpreter.interpret(
            np.array(make_texts(40), dtype=object),
            truth(make_texts(40), ASKED),
            list("abc"),
            annotator=LLMAnnotator(model_at("chat", server), cache=tmp_path),
            random_state=np.random.RandomState(0),
        )


# Salt


def test_keys_of_two_caches_differ(server, tmp_path):
    keys = []
    for name in ("one", "two"):
        annotator = annotator_for(spelt(server), ASKED, cache=tmp_path / name)
        annotator.annotate(TEXTS)
        with closing(sqlite3.connect(tmp_path / name / FILE_NAME)) as connection:
            keys.append(
                {key for (key,) in connection.execute("SELECT key FROM answers")}
            )
    assert len(keys[0]) == len(keys[1]) == len(TEXTS) * len(ASKED)
    assert keys[0].isdisjoint(keys[1])
    guessed = {former_key(spelt(server), text, s) for text in TEXTS for s in ASKED}
    assert guessed.isdisjoint(keys[0] | keys[1])


def test_jobs_and_claims_are_noted_by_salted_keys(server, tmp_path):
    annotator_for(spelt(server), ASKED, cache=tmp_path).submit(TEXTS)
    (record,) = AnswerStore(tmp_path).records("batch").values()
    noted = {key for keys in record["requests"].values() for key in keys}
    guessed = {former_key(spelt(server), t, s).hex() for t in TEXTS for s in ASKED}
    assert len(noted) == len(guessed)
    assert noted.isdisjoint(guessed)


def test_a_copy_of_a_cache_is_as_good(server, tmp_path):
    annotator_for(spelt(server), ASKED, cache=tmp_path / "one").annotate(TEXTS)
    (tmp_path / "two").mkdir()
    data = (tmp_path / "one" / FILE_NAME).read_bytes()
    (tmp_path / "two" / FILE_NAME).write_bytes(data)
    np.testing.assert_array_equal(annotate(spelt(server), tmp_path / "two"), TRUTH)


def test_answers_in_memory_need_no_salt():
    identity = {"model": "m"}
    assert AnswerStore(None).make_keys(identity)("a") == KeyMaker(identity)("a")
