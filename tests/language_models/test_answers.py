import contextlib
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import sklearn_hypo
from sklearn_hypo._language_models import _answers, _claims
from sklearn_hypo._language_models._answers import (
    FILE_NAME,
    AnswerStore,
    KeyMaker,
)
from sklearn_hypo._utils import _sqlite
from sklearn_hypo._utils._cache_folder import (
    default_cache_folder,
    resolve_cache_folder,
)
from sklearn_hypo._utils._sqlite import transaction
from sklearn_hypo.exceptions import CacheError


def answer_key(identity, *parts):
    return KeyMaker(identity)(*parts)


YES, NO = {"answer": True}, {"answer": False}
KEYS = [answer_key({"model": "m"}, str(i)) for i in range(1300)]
A, B, C, D = KEYS[:4]

needs_signals = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="needs SIGKILL and SIGSTOP"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    return AnswerStore(tmp_path / "cache" if request.param == "folder" else None)


def query(folder, sql, *values):
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
    return rows


def run_files(folder):
    return [name for name in os.listdir(folder) if name.startswith("run-")]


# What is kept


def test_answers_come_back_in_the_order_of_the_keys(store):
    values = {A: YES, B: {"ü": "\ud800 \0 \u2028", "p": 0.1, "x": None, "l": [1]}, C: 3}
    assert store.get([A, B]) == {}
    with store.run() as run:
        run.put(values)
        assert run.claim([C, D, B]).answered == {C: 3, B: values[B]}
    found = store.get([C, D, A, B, C])
    assert found == values
    assert list(found) == [C, A, B]
    found[B]["l"].append(2)  # the caller's own
    assert store.get([B]) == {B: values[B]}


def test_any_number_of_keys(store):
    assert len(KEYS) > 2 * _sqlite.KEYS_PER_QUERY
    with store.run() as run:
        assert run.claim(KEYS).mine == KEYS
        run.put({key: {"i": i} for i, key in enumerate(KEYS)})
        assert list(run.claim(iter(KEYS)).answered) == KEYS
    assert store.get(KEYS[::-1]) == {key: {"i": i} for i, key in enumerate(KEYS)}
    assert store.get([]) == {}


def test_the_first_answer_stays(store):
    with store.run() as run:
        run.put({A: YES})
        run.put({A: NO, B: NO})
    assert store.get([A, B]) == {A: YES, B: NO}


def test_answers_outlast_the_object(tmp_path):
    with AnswerStore(tmp_path).run() as run:
        run.put({A: YES})
    assert AnswerStore(str(tmp_path)).get([A]) == {A: YES}
    assert AnswerStore(None).get([A]) == {}


def test_what_is_on_disk_is_hashes_and_values(tmp_path):
    identity = {"model": "sentinel-model", "prompt": "sentinel-prompt"}
    key = KeyMaker(identity)("sentinel-text", "sentinel-statement")
    with AnswerStore(tmp_path).run() as run:
        run.claim([key])
        run.put({key: {"b": 1, "a": "é"}})
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sentinel" not in content
    assert query(tmp_path, "SELECT * FROM answers") == [
        (key, r'{"a": "\u00e9", "b": 1}')
    ]


def test_a_value_that_is_not_json_is_not_stored(store):
    with store.run() as run:
        with pytest.raises(TypeError, match="not JSON serializable"):
            run.put({A: YES, B: object()})
        run.put({C: YES})
    assert list(store.get([A, B, C])) == [C]


def test_records(store, tmp_path):
    store.put_record("batch", "b", {"state": "submitted"})
    store.put_record("batch", "a", {"id": "ü\ud800"})
    store.put_record("other", "a", {})
    store.put_record("batch", "b", {"state": "done"})
    store.delete_record("other", "a")
    store.delete_record("other", "never there")
    records = {"a": {"id": "ü\ud800"}, "b": {"state": "done"}}
    assert store.records("batch") == records
    assert store.records("other") == {}
    if store.folder is not None:
        assert AnswerStore(store.folder).records("batch") == records


def test_records_are_on_the_disk_itself(tmp_path, monkeypatch):
    statements = []
    connect = _sqlite.connect

    def traced(*args, **options):
        connection = connect(*args, **options)
        connection.set_trace_callback(statements.append)
        return connection

    store = AnswerStore(tmp_path)
    monkeypatch.setattr(_sqlite, "connect", traced)
    with store.run() as run:
        statements.clear()
        store.put_record("batch", "a", {})
        assert statements[0] == "PRAGMA synchronous=FULL"
        assert statements[-2:] == ["COMMIT", "PRAGMA synchronous=NORMAL"]
        statements.clear()
        run.put({A: YES})  # not slowed down by that
        assert not [each for each in statements if "synchronous" in each]


# Keys


def test_key_depends_on_the_identity_and_on_every_part():
    identity = {"model": "m", "temperature": 0.0, "texts": ["ü\ud800"]}
    key = KeyMaker(identity)("text", "statement")
    assert key == answer_key(dict(reversed(identity.items())), "text", "statement")
    assert len(key) == 32
    others = [
        answer_key({**identity, "temperature": None}, "text", "statement"),
        answer_key({**identity, "seed": None}, "text", "statement"),
        answer_key(identity, "statement", "text"),
        answer_key(identity, "text", "statement", ""),
        answer_key(identity, "", "text", "statement"),
        answer_key(identity, "texts", "tatement"),
        answer_key(identity, "text"),
        answer_key(identity),
    ]
    assert len({key, *others}) == 9


def test_keys_of_any_texts_differ():
    rng = random.Random(0)
    characters = "ab\0\x08\ud800\udc00é\U00010000\n"
    questions = {
        tuple(
            "".join(rng.choices(characters, k=rng.randrange(4)))
            for _ in range(rng.randrange(4))
        )
        for _ in range(3000)
    }
    make = KeyMaker({"model": "m"})
    assert len({make(*parts) for parts in questions}) == len(questions) > 1000
    assert all(make(*parts) == make(*parts) for parts in questions)


def test_the_salt_changes_every_key():
    plain, salted, other = (KeyMaker({}, salt) for salt in (b"", b"a" * 32, b"b" * 32))
    assert len({plain("x"), salted("x"), other("x")}) == 3
    assert salted("x") == KeyMaker({}, b"a" * 32)("x")
    assert salted("x") != salted("y")


def test_processes_that_begin_at_once_agree_on_the_salt(tmp_path):
    """Nobody may store answers under keys that the others do not make."""
    script = """
        print("ready", flush=True)
        sys.stdin.readline()
        print(AnswerStore(sys.argv[1]).make_keys({})("a text").hex())
    """
    processes = [start(script, tmp_path) for _ in range(6)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0] * 6
    assert keys == {AnswerStore(tmp_path).make_keys({})("a text").hex()}
    assert len(keys.pop()) == 64


def test_long_texts_count_in_full():
    make = KeyMaker({})
    assert make("x" * 10_000) != make("x" * 5000 + "y" + "x" * 4999)


# Claims


def test_a_question_is_claimed_once(store):
    with store.run() as one, store.run() as two:
        one.put({A: YES})
        assert one.claim([A, B, C, B]) == ({A: YES}, [B, C], [])
        assert two.claim([D, C, A, B]) == ({A: YES}, [D], [C, B])
        assert one.claim([B, D]).busy == [B, D]  # another thread may be asking B
        one.put({B: NO})
        one.release([C, D])  # D is not one's own
        assert two.claim([B, C]) == ({B: NO}, [C], [])
        assert one.claim([C, D]).busy == [C, D]


def test_leaving_a_run_gives_its_claims_up(store):
    with store.run() as other:
        with store.run() as run:
            run.claim([A, B])
            run.put({A: YES})
        assert other.claim([A, B]) == ({A: YES}, [B], [])
        with contextlib.suppress(ZeroDivisionError), store.run() as run:
            run.claim([C])
            raise ZeroDivisionError
        assert other.claim([C]).mine == [C]
    with store._database.reading() as connection:
        assert connection.execute("SELECT * FROM claims").fetchall() == []
    if store.folder is not None:
        assert not run_files(store.folder)


def test_the_next_run_clears_up_after_dead_ones(tmp_path):
    store = AnswerStore(tmp_path)
    dead, live = "0" * 32, "1" * 32
    for owner, key in ((dead, A), (live, B)):
        (tmp_path / f"run-{owner}.sqlite3").touch()
        query(tmp_path, "INSERT INTO claims VALUES (?, ?)", key, owner)
    with contextlib.closing(sqlite3.connect(tmp_path / f"run-{live}.sqlite3")) as held:
        held.execute("BEGIN EXCLUSIVE")
        with store.run():
            pass
        assert {live in name for name in run_files(tmp_path)} == {True}
    assert query(tmp_path, "SELECT * FROM claims") == [(B, live)]


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(_sqlite, "transaction", interrupted)
        with pytest.raises(KeyboardInterrupt), store.run():
            pass
    assert not run_files(tmp_path)
    with store.run() as run:
        assert run.claim([A]).mine == [A]


def test_two_stores_of_a_process_on_one_folder(tmp_path):
    one, two = AnswerStore(tmp_path), AnswerStore(tmp_path)
    with one.run() as first, two.run() as second:
        first.claim([A])
        assert second.claim([A]).busy == [A]
        assert len(run_files(tmp_path)) == 2


def test_an_answer_is_stored_whoever_claimed_it(store):
    with store.run() as one, store.run() as two:
        one.claim([A])
        two.put({A: YES})
        one.put({A: NO})
        assert one.claim([A]).answered == {A: YES}


def test_an_answer_that_arrives_after_its_run_is_stored(store):
    """After Ctrl-C, a thread that is not waited for may still get what is paid for."""
    with store.run() as run:
        run.claim([A, B])
    run.put({A: YES})
    run.release([B])
    assert store.get([A]) == {A: YES}
    with store.run() as other:
        assert other.claim([A, B]) == ({A: YES}, [B], [])


@contextlib.contextmanager
def interrupted(connection):
    """A transaction, and Ctrl-C at the end of it."""
    with transaction(connection):
        yield
        raise KeyboardInterrupt


def ask(run, keys, asked, answer=YES):
    """Answer keys as an annotator does: ask for one's own, wait for the others'."""
    while keys:
        claimed = run.claim(keys)
        for key in claimed.mine:
            asked.append(key)
            run.put({key: answer})
        keys = claimed.busy


@pytest.mark.parametrize("shared", [True, False])
def test_threads_ask_every_question_once(store, shared):
    asked = []
    keys = KEYS[:200]

    def work(seed):
        part = random.Random(seed).sample(keys, 150)
        with contextlib.nullcontext(run) if shared else store.run() as own:
            for start in range(0, 150, 10):
                ask(own, part[start : start + 10], asked, {"by": seed})

    with store.run() as run, ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert max(Counter(asked).values()) == 1
    assert set(store.get(keys)) == set(asked)
    assert len(asked) > 190


def test_puts_of_threads_are_stored_when_they_return(tmp_path):
    store, missing = AnswerStore(tmp_path), []

    def work(part):
        for key in part:
            run.put({key: YES})
            if not query(tmp_path, "SELECT 1 FROM answers WHERE key = ?", key):
                missing.append(key)

    with store.run() as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [KEYS[i:400:8] for i in range(8)]))
    assert missing == []
    assert len(store.get(KEYS)) == 400


def test_a_dead_run_is_looked_at_once_per_claim(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    with store.run() as run:
        dead = "0" * 32
        (tmp_path / f"run-{dead}.sqlite3").touch()
        for key in KEYS[:50]:
            query(tmp_path, "INSERT INTO claims VALUES (?, ?)", key, dead)
        looks = []
        connect = _claims.connect
        monkeypatch.setattr(
            _claims, "connect", lambda *a, **k: looks.append(a) or connect(*a, **k)
        )
        assert run.claim(KEYS[:20]).mine == KEYS[:20]
        assert len(looks) == 1
        assert run.claim(KEYS[20:50]).mine == KEYS[20:50]  # given up together
        assert len(looks) == 1
        assert f"run-{dead}.sqlite3" not in run_files(tmp_path)


@pytest.mark.parametrize("owner", ["1" * 32, "../victim", "", "x"])
def test_claims_of_runs_without_a_file_are_void(tmp_path, owner):
    store = AnswerStore(tmp_path / "cache")
    (tmp_path / "victim.sqlite3").touch()
    (tmp_path / "cache" / "run-x.sqlite3").touch()
    with store.run() as run:
        query(tmp_path / "cache", "INSERT INTO claims VALUES (?, ?)", A, owner)
        assert run.claim([A]).mine == [A]
    assert (tmp_path / "victim.sqlite3").exists()
    assert (tmp_path / "cache" / "run-x.sqlite3").exists()  # no name of ours


# Several processes. They do without the imports of the whole package, which take
# longer than all that they do.

PREAMBLE = f"""
import contextlib, os, signal, sys, threading, time, types
package = types.ModuleType("sklearn_hypo")
package.__path__ = {list(sklearn_hypo.__path__)!r}
sys.modules["sklearn_hypo"] = package
from sklearn_hypo._language_models._answers import AnswerStore
from sklearn_hypo._language_models._answers import KeyMaker
KEYS = [KeyMaker({{"model": "m"}})(str(i)) for i in range(1300)]
YES, NO = {{"answer": True}}, {{"answer": False}}
"""


def start(script, *arguments):
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            PREAMBLE + textwrap.dedent(script),
            *map(str, arguments),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.split()


ASKING = """
    folder, seed, n_threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    import random
    from concurrent.futures import ThreadPoolExecutor

    def work(part):
        while part:
            claimed = run.claim(part)
            for key in claimed.mine:
                asked.append(key)
                run.put({key: {"by": seed}})
            part = claimed.busy

    print("ready", flush=True)
    sys.stdin.readline()
    keys, asked = random.Random(seed).sample(KEYS[:400], 300), []
    with AnswerStore(folder).run() as run, ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, [keys[i : i + 10] for i in range(0, 300, 10)]))
    print(*[key.hex() for key in asked])
"""


@pytest.mark.parametrize(("n_processes", "n_threads"), [(2, 1), (4, 4)])
def test_processes_ask_every_question_once(tmp_path, n_processes, n_threads):
    processes = [start(ASKING, tmp_path, i, n_threads) for i in range(n_processes)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # the folder is made by whoever comes first
        process.stdin.write("go\n")
        process.stdin.flush()
    asked = {i: finish(process) for i, process in enumerate(processes)}
    everything = [key for keys in asked.values() for key in keys]
    wanted = {
        key
        for i in range(n_processes)
        for key in random.Random(i).sample(KEYS[:400], 300)
    }
    assert sorted(everything) == sorted(key.hex() for key in wanted)
    answers = AnswerStore(tmp_path).get(KEYS)
    assert {k.hex(): v["by"] for k, v in answers.items()} == {
        key: i for i, keys in asked.items() for key in keys
    }
    assert query(tmp_path, "SELECT count(*) FROM answers") == [(len(wanted),)]
    assert query(tmp_path, "SELECT count(*) FROM claims") == [(0,)]
    assert not run_files(tmp_path)


CLAIMING = """
    with AnswerStore(sys.argv[1]).run() as run:
        claimed = run.claim(KEYS[:500])
        print(len(claimed.answered), len(claimed.mine), len(claimed.busy), flush=True)
        for key in claimed.mine:
            print("ask", KEYS.index(key), flush=True)
            time.sleep(0.0005)
            run.put({key: YES})
            print("put", KEYS.index(key), flush=True)
"""


@needs_signals
def test_kills_lose_no_answer_and_leave_no_claim(tmp_path):
    asked, put = Counter(), set()
    for kill_after in (1, 2, 41, 100, 163, None):
        process = start(CLAIMING, tmp_path)
        # Those before are dead: nothing is busy, and only they and what was in
        # flight at a kill may have more answers than were reported.
        n_answered, n_mine, n_busy = map(int, process.stdout.readline().split())
        assert n_busy == 0
        assert n_answered + n_mine == 500
        assert len(put) <= n_answered <= len(asked)
        for i, line in enumerate(process.stdout, 1):
            word, index = line.split()
            asked[index] += word == "ask"
            put |= {KEYS[int(index)]} if word == "put" else set()
            if i == kill_after:
                process.kill()
        process.communicate(timeout=60)
        assert put <= set(AnswerStore(tmp_path).get(KEYS))
    assert process.returncode == 0
    assert len(AnswerStore(tmp_path).get(KEYS[:500])) == len(asked) == 500
    assert sum(asked.values()) <= 500 + 5  # one was in flight at each kill
    assert not run_files(tmp_path)


@needs_signals
def test_claims_are_taken_over_as_soon_as_their_run_is_dead(tmp_path):
    script = """
        with AnswerStore(sys.argv[1]).run() as run:
            run.claim(KEYS[:3])
            run.put({KEYS[0]: YES})
            print("claimed", flush=True)
            time.sleep(600)
    """
    with AnswerStore(tmp_path).run() as run:
        process = start(script, tmp_path)
        assert process.stdout.readline() == "claimed\n"
        assert run.claim([A, B, C]) == ({A: YES}, [], [B, C])
        process.send_signal(signal.SIGSTOP)  # slow is not dead
        assert run.claim([B]).busy == [B]
        process.kill()
        process.communicate(timeout=60)
        assert run.claim([B]).mine == [B]
        assert len(run_files(tmp_path)) == 1
        assert AnswerStore(tmp_path).get([A]) == {A: YES}


# Forks. In a process of their own, which has no other threads.


@needs_fork
def test_a_forked_child_cannot_use_a_run_nor_end_it(tmp_path):
    script = """
        store = AnswerStore(sys.argv[1])

        def wait_for(pid):
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

        with store.run() as run:
            run.claim(KEYS[:3])
            child = os.fork()
            if child:
                wait_for(child)
                with AnswerStore(sys.argv[1]).run() as other:  # still the parent's
                    assert other.claim(KEYS[:3]).busy == KEYS[:3]
                run.put({KEYS[0]: YES})
            else:
                for call in (run.claim, run.release):
                    try:
                        call([KEYS[0]])
                    except RuntimeError as error:
                        assert "forked" in str(error)
                    else:
                        os._exit(3)
                try:
                    run.put({KEYS[0]: NO})
                except RuntimeError:
                    pass
                else:
                    os._exit(4)
                assert store._database._connection is None  # none is inherited
                with store.run() as own:  # one of its own it can have
                    claimed = own.claim(KEYS[:4])
                    assert (claimed.mine, claimed.busy) == (KEYS[3:4], KEYS[:3])
                    own.put({KEYS[3]: YES})
        if child:
            print("parent", len(store.get(KEYS)))
        else:
            # It left the block, and the parent's claims are still there.
            with store.run() as own:
                assert own.claim(KEYS[:3]).busy == KEYS[:3]
    """
    assert finish(start(script, tmp_path)) == ["parent", "2"]


@needs_fork
@needs_signals
def test_a_child_takes_over_when_its_parent_is_killed(tmp_path):
    script = """
        with AnswerStore(sys.argv[1]).run() as run:
            run.claim(KEYS[:2])
            reading, writing = os.pipe()
            if os.fork():
                os.close(writing)
                os.read(reading, 1)
                os.kill(os.getpid(), signal.SIGKILL)
            with AnswerStore(sys.argv[1]).run() as own:
                print(len(own.claim(KEYS[:2]).busy), flush=True)
                parent = os.getppid()
                os.close(writing)
                while os.getppid() == parent:
                    time.sleep(0.01)
                print(len(own.claim(KEYS[:2]).mine), flush=True)
    """
    process = start(script, tmp_path)
    output, _ = process.communicate(timeout=60)
    assert output.split() == ["2", "2"]


@needs_fork
def test_forks_while_threads_write(tmp_path):
    script = """
        store = AnswerStore(sys.argv[1])

        def work(part):
            for key in part:
                run.put({key: YES})

        parts = [KEYS[i:1200:4] for i in range(4)]
        with store.run() as run:
            threads = [threading.Thread(target=work, args=(p,)) for p in parts]
            for thread in threads:
                thread.start()
            for i in range(20):
                child = os.fork()
                if not child:
                    with AnswerStore(sys.argv[1]).run() as own:
                        own.put({KEYS[1200 + i]: NO})
                    assert KEYS[1200 + i] in store.get(KEYS)
                    os._exit(0)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            for thread in threads:
                thread.join()
        print(len(store.get(KEYS)))
    """
    assert finish(start(script, tmp_path)) == ["1220"]
    assert query(tmp_path, "PRAGMA integrity_check") == [("ok",)]


@needs_fork
def test_a_child_has_a_copy_of_what_is_in_memory():
    script = """
        store = AnswerStore(None)
        with store.run() as run:
            run.claim(KEYS[:2])
            run.put({KEYS[0]: YES})
            child = os.fork()
            if not child:
                with store.run() as own:
                    # the parent's answers will not arrive here
                    assert own.claim(KEYS[:2]) == ({KEYS[0]: YES}, [KEYS[1]], [])
                    own.put({KEYS[1]: YES})
                os._exit(len(store.get(KEYS[:2])) - 2)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(len(store.get(KEYS[:2])))
    """
    assert finish(start(script)) == ["1"]


# What cannot be used


def expect_error(folder, *parts):
    """The message names the folder and says what to do."""
    with pytest.raises(CacheError) as caught:
        AnswerStore(folder)
    for part in ("The answer cache", str(folder), *parts):
        assert part in str(caught.value)


def change_connections(monkeypatch, pragma):
    """Let every new connection begin with a pragma."""
    connect = _sqlite.connect

    def changed(*args, **options):
        connection = connect(*args, **options)
        connection.execute(pragma)
        return connection

    monkeypatch.setattr(_sqlite, "connect", changed)


def test_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    expect_error(tmp_path / "file" / "folder", "cannot be made", "Check the path")


def test_file_that_is_read_only(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    with store.run() as run:
        run.put({A: YES})
    change_connections(monkeypatch, "PRAGMA query_only=ON")
    assert store.get([A]) == {A: YES}
    with pytest.raises(CacheError, match="Check the path"), store.run():
        pass
    with pytest.raises(CacheError, match="Check the path"):
        store.put_record("batch", "a", {})
    monkeypatch.undo()
    assert not run_files(tmp_path)


def test_full_disk_loses_no_answer_that_fits_later(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    long = {"answer": "x" * 100_000}
    with monkeypatch.context() as patch:
        change_connections(patch, "PRAGMA max_page_count=8")
        with store.run() as run:
            run.claim([A, B, C])
            run.put({A: YES})
            with pytest.raises(CacheError, match="the disk is full"):
                run.put({B: long})
            with pytest.raises(CacheError, match="the disk is full"):
                run.put({B: NO})  # the first answer stays
            assert list(store.get([A, B])) == [A]
            assert run.claim([B]).busy == [B]  # paid for; nobody is to pay again
            run._database._connection.execute("PRAGMA max_page_count=1000")  # room
            run.put({C: YES})
            assert store.get([B, C]) == {B: long, C: YES}
            assert run._unsaved == {}


def test_full_disk_at_the_end_of_a_run(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    long = {"answer": "x" * 100_000}

    def work(error=None):
        with store.run() as run:
            run.put({A: YES})
            with contextlib.suppress(CacheError):
                run.put({B: long})
            if error:
                raise error

    with monkeypatch.context() as patch:
        change_connections(patch, "PRAGMA max_page_count=8")
        with pytest.raises(CacheError, match="the disk is full"):
            work()
        with pytest.raises(ZeroDivisionError):  # not hidden
            work(ZeroDivisionError())
    assert not run_files(tmp_path)
    with store.run() as run:
        assert run.claim([A, B]) == ({A: YES}, [B], [])


def test_interrupt_within_a_put_loses_nothing(store, monkeypatch):
    def work():
        with store.run() as run:
            run.claim([A])
            with monkeypatch.context() as patch:
                patch.setattr(_answers, "transaction", interrupted)
                run.put({A: YES})

    with pytest.raises(KeyboardInterrupt):
        work()
    assert store.get([A]) == {A: YES}


def test_file_that_stays_locked(tmp_path, monkeypatch):
    store = AnswerStore(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        change_connections(monkeypatch, "PRAGMA busy_timeout=1")
        with store.run() as run:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(CacheError, match="Close the program that holds"):
                run.put({A: YES})
            other.rollback()
    assert store.get([A]) == {A: YES}


def test_file_of_another_version(tmp_path):
    with AnswerStore(tmp_path).run() as run:
        run.put({A: YES})
    query(tmp_path, "PRAGMA user_version=7")
    expect_error(
        tmp_path, "another version", "format 7", "its answers", "left as it is"
    )
    assert query(tmp_path, "SELECT count(*) FROM answers") == [(1,)]


def test_file_of_another_program(tmp_path):
    query(tmp_path, "CREATE TABLE theirs (x)")
    before = (tmp_path / FILE_NAME).read_bytes()
    expect_error(tmp_path, "another program", "left as it is")
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_file_that_is_no_database(tmp_path):
    (tmp_path / FILE_NAME).write_text("notes " * 1000)
    expect_error(tmp_path, FILE_NAME, "damaged", "Nothing in it was deleted")
    assert (tmp_path / FILE_NAME).read_text() == "notes " * 1000


def test_damaged_file(tmp_path):
    store = AnswerStore(tmp_path)
    with store.run() as run:
        run.put(dict.fromkeys(KEYS, YES))
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(CacheError, match="damaged"):
        store.get(KEYS)
    with pytest.raises(CacheError, match="damaged"), store.run() as run:
        run.claim(KEYS)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_value_that_is_not_json(tmp_path):
    store = AnswerStore(tmp_path)
    query(tmp_path, "INSERT INTO answers VALUES (?, ?)", A, "{")
    with pytest.raises(CacheError, match="not JSON") as caught:
        store.get([A])
    assert str(tmp_path) in str(caught.value)


def test_embeddings_and_answers_in_one_folder(tmp_path):
    from sklearn_hypo._embedding._vector_store import VectorStore

    vectors, answers = VectorStore(tmp_path, {}), AnswerStore(tmp_path)
    with vectors.open() as opened, answers.run() as run:
        opened.put(["a"], [[1.0]])
        run.put({A: YES})
    assert answers.get([A]) == {A: YES}


# Who may read

needs_rights = pytest.mark.skipif(os.name != "posix", reason="needs rights of POSIX")


def rights(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@needs_rights
def test_files_are_for_their_owner_alone(tmp_path, usual_umask):
    from sklearn_hypo._embedding._vector_store import VectorStore

    folder = tmp_path / "new" / "cache"
    vectors, answers = VectorStore(folder, {}), AnswerStore(folder)
    with vectors.lock(), vectors.open() as opened, answers.run() as run:
        opened.put(["a"], [[1.0]])
        run.put({A: YES})
        seen = {path.name: rights(path) for path in folder.iterdir()}
    assert {FILE_NAME, f"{FILE_NAME}-wal", "embeddings.sqlite3"} <= seen.keys()
    assert any(name.startswith("run-") for name in seen)
    assert sum(name.startswith("lock-") for name in seen) >= 2
    assert set(seen.values()) == {"0o600"}
    assert rights(folder) == "0o700"
    assert rights(tmp_path / "new") == "0o755"  # not ours alone


@needs_rights
def test_a_folder_that_was_there_is_left_alone(tmp_path, usual_umask):
    (tmp_path / "cache").mkdir()
    AnswerStore(tmp_path / "cache")
    assert rights(tmp_path / "cache") == "0o755"
    assert rights(tmp_path / "cache" / FILE_NAME) == "0o600"


@needs_rights
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0o644, "0o600"),
        (0o600, "0o600"),
        (0o640, "0o600"),
        (0o664, "0o660"),  # shared with a group
        (0o666, "0o666"),  # with everybody, and somebody said so
    ],
)
def test_who_cannot_write_to_an_existing_file_cannot_read_it(tmp_path, before, after):
    with AnswerStore(tmp_path).run() as run:
        run.put({A: YES})
        names = [FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"]
        for name in names:
            os.chmod(tmp_path / name, before)
        store = AnswerStore(tmp_path)
        assert [rights(tmp_path / name) for name in names] == [after] * 3
        with store.run():  # its lock is for those who share the answers
            locks = {rights(path) for path in tmp_path.glob("run-*")}
    assert locks == {"0o600", after}  # that of the first run was made before
    assert store.get([A]) == {A: YES}


@needs_rights
def test_a_lock_file_that_is_there_is_not_opened(tmp_path):
    """Closing it would release the locks of this process."""
    store = AnswerStore(tmp_path)
    file = store._database._file
    with file.file_lock("lock-x.sqlite3"):
        file.make_lock_file(str(tmp_path / "lock-x.sqlite3"))
        script = "print(_sqlite_is_locked(sys.argv[1]))"
        probe = """
        import sqlite3

        def _sqlite_is_locked(folder):
            connection = sqlite3.connect(folder + "/lock-x.sqlite3", timeout=0)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return True
            return False

        """
        assert finish(start(textwrap.dedent(probe) + script, tmp_path)) == ["True"]


# File systems without shared memory


def read_mode(folder):
    return query(folder, "PRAGMA journal_mode")[0][0]


def test_write_ahead_mode_where_it_can_be_had(tmp_path):
    AnswerStore(tmp_path)
    assert read_mode(tmp_path) == "wal"


@pytest.mark.skipif(os.name != "posix", reason="needs a file system layer of Unix")
def test_no_write_ahead_mode_and_no_posix_locks(tmp_path, monkeypatch):
    """SQLite's layer for such file systems refuses the mode without an error."""

    def dotted(path, timeout=5, **options):
        return sqlite3.connect(
            f"file:{path}?vfs=unix-dotfile",
            timeout=timeout,
            uri=True,
            isolation_level=None,
            **options,
        )

    monkeypatch.setattr(_sqlite, "connect", dotted)
    monkeypatch.setattr(_claims, "connect", dotted)
    store = AnswerStore(tmp_path)
    with store.run() as one, store.run() as two:
        one.claim([A, B])
        one.put({A: YES})
        assert two.claim([A, B, C]) == ({A: YES}, [C], [B])
    assert read_mode(tmp_path) == "delete"
    assert AnswerStore(tmp_path).get([A]) == {A: YES}


def test_write_ahead_mode_that_raises(tmp_path, monkeypatch):
    class NoSharedMemory(sqlite3.Connection):
        def execute(self, statement, *args):
            if statement == "PRAGMA journal_mode=WAL":
                super().execute(statement)
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *args)

    connect = _sqlite.connect
    monkeypatch.setattr(
        _sqlite, "connect", lambda *a, **k: connect(*a, factory=NoSharedMemory, **k)
    )
    store = AnswerStore(tmp_path)
    with store.run() as run:
        run.put({A: YES})
    assert store.get([A]) == {A: YES}
    assert read_mode(tmp_path) == "delete"
    assert sorted(os.listdir(tmp_path)) == [FILE_NAME, "lock-setup.sqlite3"]


# The parameter `cache`


def test_which_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SKLEARN_HYPO_CACHE", raising=False)
    home = str(tmp_path / ".cache" / "sklearn_hypo")
    assert default_cache_folder() == resolve_cache_folder("auto") == home
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", "~/elsewhere")
    assert resolve_cache_folder("auto") == str(tmp_path / "elsewhere")
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", "")
    assert resolve_cache_folder("auto") == home
    assert resolve_cache_folder(None) is None
    assert resolve_cache_folder("~/mine") == resolve_cache_folder(tmp_path / "mine")
    assert resolve_cache_folder("mine") == os.path.abspath("mine")


def test_what_is_no_folder():
    for cache in (True, 3, b"folder", ["folder"]):
        with pytest.raises(TypeError, match=r"cache=.* Pass 'auto'"):
            resolve_cache_folder(cache)
    with pytest.raises(ValueError, match="names no folder"):
        resolve_cache_folder("")
