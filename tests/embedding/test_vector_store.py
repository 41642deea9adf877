import contextlib
import errno
import functools
import json
import os
import signal
import sqlite3
import threading

import numpy as np
import pytest
from counting_encoder import Keyed, embed, embed_and_stall, encode
from forks import fork_context
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline

from sklearn_hypo._embedding._text_embedder import TextEmbedder
from sklearn_hypo._embedding._vector_store import FILE_NAME, VectorStore
from sklearn_hypo._utils import _sqlite
from sklearn_hypo.exceptions import CacheError

TEXTS = ["one", "two", "three", "four", "五", "a\ud800b", "x" * 1_000_000]
VECTORS = np.random.RandomState(0).normal(size=(7, 5)).astype(np.float32)


def read(folder, identity, texts):
    with VectorStore(folder, identity).open() as store:
        return store.get(texts)


def write(folder, identity, texts, vectors):
    with VectorStore(folder, identity).open() as store:
        store.put(texts, vectors)


# What is kept


def test_vectors_come_back_bit_for_bit(tmp_path):
    write(tmp_path, {"model": "m"}, TEXTS, VECTORS)
    positions, vectors = read(tmp_path, {"model": "m"}, TEXTS[::-1])
    np.testing.assert_array_equal(positions, range(7))
    np.testing.assert_array_equal(vectors, VECTORS[::-1])
    assert vectors.dtype == np.float32
    assert vectors.flags.writeable


def test_positions_of_what_is_stored(tmp_path):
    write(tmp_path, {}, TEXTS[1:3], VECTORS[1:3])
    positions, vectors = read(tmp_path, {}, TEXTS)
    np.testing.assert_array_equal(positions, [1, 2])
    np.testing.assert_array_equal(vectors, VECTORS[1:3])
    positions, vectors = read(tmp_path, {}, ["unknown"])
    assert len(positions) == len(vectors) == 0


def test_key_is_the_identity_and_the_full_text(tmp_path):
    write(tmp_path, {"model": "m", "prompt": "a"}, ["x" * 5000], VECTORS[:1])
    for identity, text in [
        ({"model": "m", "prompt": "b"}, "x" * 5000),
        ({"model": "m"}, "x" * 5000),
        ({"model": "m", "prompt": "a"}, "x" * 2500 + "y" + "x" * 2499),
        ({"model": "m", "prompt": "a"}, "x" * 4999),
    ]:
        assert len(read(tmp_path, identity, [text])[0]) == 0
    same = {"prompt": "a", "model": "m"}  # in another order
    assert len(read(tmp_path, same, ["x" * 5000])[0]) == 1


def test_more_texts_than_one_query_takes(tmp_path):
    texts = [str(i) for i in range(2 * _sqlite.KEYS_PER_QUERY + 1)]
    write(tmp_path, {}, texts, np.arange(len(texts))[:, None])
    positions, vectors = read(tmp_path, {}, texts)
    np.testing.assert_array_equal(positions, np.arange(len(texts)))
    np.testing.assert_array_equal(vectors[:, 0], np.arange(len(texts)))


def test_the_first_vector_stays(tmp_path):
    write(tmp_path, {}, ["a"], [[1.0]])
    write(tmp_path, {}, ["a"], [[2.0]])
    assert read(tmp_path, {}, ["a"])[1].tolist() == [[1.0]]


def test_home_folder_and_missing_parents(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("~/deep/er", {}, ["a"], [[1.0]])
    assert (tmp_path / "deep" / "er" / FILE_NAME).exists()


def test_store_whose_making_was_interrupted(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / f"{FILE_NAME}.new")) as half:
        half.execute("PRAGMA journal_mode=WAL")
    write(tmp_path, {}, ["a"], [[1.0]])
    assert read(tmp_path, {}, ["a"])[1].tolist() == [[1.0]]
    assert not (tmp_path / f"{FILE_NAME}.new").exists()


# What cannot be used


def expect_error(folder, *parts):
    """The message names the folder and says what to do."""
    with pytest.raises(CacheError) as caught:
        VectorStore(folder, {})
    for part in (str(folder), *parts):
        assert part in str(caught.value)


def test_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    expect_error(tmp_path / "file" / "folder", "cannot be made", "Check the path")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    expect_error(tmp_path, "permissions", "choose another folder")


def connect_with(monkeypatch, pragma):
    """Let every further connection be made with a pragma of SQLite."""
    connect = _sqlite.connect

    def connect_limited(path, *args):
        connection = connect(path, *args)
        connection.execute(f"PRAGMA {pragma}")
        return connection

    monkeypatch.setattr(_sqlite, "connect", connect_limited)


def test_file_that_is_read_only(tmp_path, monkeypatch):
    write(tmp_path, {}, ["a"], [[1.0]])
    connect_with(monkeypatch, "query_only=ON")
    with pytest.raises(CacheError, match=r"read or written to. Check the path"):
        write(tmp_path, {}, ["b"], [[1.0]])


def test_folder_that_cannot_be_opened(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    expect_error(tmp_path, "unable to open database file")


def test_full_disk(tmp_path, monkeypatch):
    write(tmp_path, {}, ["a"], [[1.0]])
    connect_with(monkeypatch, "max_page_count=6")
    with pytest.raises(CacheError, match=r"the disk is full. Make room"):
        write(tmp_path, {}, list("bcd"), np.ones((3, 5000)))
    assert read(tmp_path, {}, list("abcd"))[0].tolist() == [0]  # all or nothing
    write(tmp_path, {}, ["e"], [[2.0]])


def test_full_disk_when_the_folder_is_made(tmp_path, monkeypatch):
    def makedirs(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_sqlite.os, "makedirs", makedirs)
    expect_error(tmp_path, "the disk is full")


def test_file_of_another_version(tmp_path):
    write(tmp_path, {}, ["a"], [[1.0]])
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("PRAGMA user_version=7")
    expect_error(tmp_path, "another version", "format 7", "left as it is")
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (1,)


def test_file_of_another_program(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = (tmp_path / FILE_NAME).read_bytes()
    expect_error(tmp_path, "another program", "left as it is")
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_file_that_is_no_database(tmp_path):
    (tmp_path / FILE_NAME).write_text("notes " * 1000)
    expect_error(tmp_path, "damaged", "move the file away", "Nothing in it was deleted")
    assert (tmp_path / FILE_NAME).read_text() == "notes " * 1000


def test_damaged_file(tmp_path):
    texts = [str(i) for i in range(200)]
    write(tmp_path, {}, texts, np.ones((200, 100)))
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(CacheError, match="damaged"):
        read(tmp_path, {}, texts)


def test_vectors_of_different_widths(tmp_path):
    write(tmp_path, {}, ["a"], [[1.0]])
    write(tmp_path, {}, ["b"], [[1.0, 2.0]])
    with pytest.raises(CacheError, match="different widths"):
        read(tmp_path, {}, ["a", "b"])


def test_errors_of_the_caller_are_not_explained_away(tmp_path):
    store = VectorStore(tmp_path, {})
    with pytest.raises(FileNotFoundError), store.lock(), store.open():
        raise FileNotFoundError("of the encoder")
    with store.lock():  # released
        pass


# Several at once


def is_locked(store):
    """Whether the lock of a store is held by somebody else."""
    probe = os.path.join(store.folder, f"lock-{store.key.model[:16]}.sqlite3")
    with contextlib.closing(_sqlite.connect(probe, 0)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
        return False


def test_lock_excludes_threads_of_one_model(tmp_path):
    store, other = VectorStore(tmp_path, {"m": 1}), VectorStore(tmp_path, {"m": 2})
    write(tmp_path, {"m": 1}, ["a"], [[1.0]])
    order = []

    def wait_for_it():
        with VectorStore(tmp_path, {"m": 1}).lock():
            order.append("second")

    with store.lock():
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        assert is_locked(store)
        with other.lock():  # another model need not wait
            pass
        assert len(read(tmp_path, {"m": 1}, ["a"])[0]) == 1  # nor need readers
        order.append("first")
    thread.join(timeout=30)
    assert order == ["first", "second"]
    assert not is_locked(store)


def test_lock_waits_longer_than_one_attempt(tmp_path, monkeypatch):
    monkeypatch.setattr(_sqlite, "_ATTEMPT_SECONDS", 0.01)
    store = VectorStore(tmp_path, {})
    entered = threading.Event()

    def wait_for_it():
        with store.lock():
            entered.set()

    thread = threading.Thread(target=wait_for_it)
    with store.lock():
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(30)
    thread.join()


def test_threads_encode_every_text_once(tmp_path):
    seen, lock = [], threading.Lock()

    class Counting:
        cache_key = "counting"

        def __call__(self, texts):
            with lock:
                seen.extend(texts)
            return [[len(t), 1.0] for t in texts]

    texts = [f"text {i}" for i in range(40)]
    frames = {}

    def run(start):
        embedder = TextEmbedder(Counting(), cache=tmp_path, batch_size=3)
        frames[start] = embedder.fit_transform(texts[start : start + 30])

    threads = [threading.Thread(target=run, args=(5 * i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(texts)
    np.testing.assert_array_equal(frames[0].iloc[5:], frames[5].iloc[:25])


@pytest.fixture
def seen(tmp_path):
    return tmp_path / "seen"


def read_seen(seen):
    return [json.loads(line) for line in seen.read_text().splitlines()]


def start(work, *args):
    """Begin work in another process, with one end of a pipe; return the other."""
    context = fork_context()
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, *args))
    process.start()
    there.close()
    return process, here


def test_processes_encode_every_text_once(tmp_path, seen):
    model = functools.partial(encode, seen=str(seen))
    texts = [f"text {i}" for i in range(60)]
    process, pipe = start(embed, model, tmp_path / "c", texts[:40])
    embedder = TextEmbedder(model, cache=tmp_path / "c", batch_size=4)
    assert pipe.recv() == "ready"
    pipe.send("go")
    embedder.fit_transform(texts[20:])
    process.join(60)
    assert process.exitcode == 0
    assert sorted(read_seen(seen)) == sorted(texts)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_writer_loses_only_the_batch_in_flight(tmp_path, seen):
    texts = [f"text {i}" for i in range(9)]
    process, pipe = start(embed_and_stall, seen, tmp_path / "cache", texts)
    assert pipe.recv() == "stalls"
    identity = {"key": "killed"}
    stored = {
        "kind": "callable",
        "prompt": None,
        "function": identity,
        "normalize": True,
    }
    store = VectorStore(tmp_path / "cache", stored)
    assert is_locked(store)
    process.kill()
    process.join()
    assert not is_locked(store)

    positions, vectors = read(tmp_path / "cache", stored, texts)
    assert positions.tolist() == list(range(8))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)

    seen.unlink()
    frame = TextEmbedder(Keyed(seen), cache=tmp_path / "cache").fit_transform(texts)
    assert read_seen(seen) == ["text 8"]
    np.testing.assert_array_equal(frame.iloc[:8], vectors)


@pytest.mark.usefixtures("cheap_processes")
def test_cross_validation_encodes_every_text_once(tmp_path, seen):
    """Five folds and a grid search, one after the other, in two processes."""

    def pipeline(folder):
        model = functools.partial(encode, seen=str(seen))
        embedder = TextEmbedder(model, cache=tmp_path / folder, batch_size=8)
        return Pipeline([("embed", embedder), ("ridge", Ridge())])

    texts = [f"text {i % 60} a" for i in range(100)]
    y = np.arange(100.0)
    parallel = cross_val_score(pipeline("a"), texts, y, cv=5, n_jobs=2)
    np.testing.assert_array_equal(
        parallel, cross_val_score(pipeline("a"), texts, y, cv=5)
    )
    grid = {"ridge__alpha": [0.1, 1.0, 10.0]}
    GridSearchCV(pipeline("b"), grid, n_jobs=2).fit(texts, y)
    assert sorted(read_seen(seen)) == sorted(2 * texts[:60])
