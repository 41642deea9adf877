"""One thread where it is asked for, and afterwards what there was before."""

import json
import os
import threading

import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_hypo._utils import _threads
from sklearn_hypo._utils._threads import (
    count_threads_to_start,
    describe_computation,
    limit_to_one_thread,
    on_one_thread,
    share_out,
)


def count_threads():
    """The numbers of threads of torch and of each library, as this thread sees them."""
    found = {each["filepath"]: each["num_threads"] for each in threadpool_info()}
    return found | {"torch": torch.get_num_threads()}


@pytest.fixture(autouse=True)
def two_threads():
    """Set two threads everywhere; give back what the tests run with."""
    before = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        yield
        torch.set_num_threads(before)


def in_another_thread(function):
    """Call a function in a new thread and return its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_one_thread_and_then_what_there_was():
    before = count_threads()
    assert set(before.values()) == {2}
    with limit_to_one_thread():
        assert set(count_threads().values()) == {1}
        assert in_another_thread(count_threads)["torch"] == 1
        with limit_to_one_thread(with_torch=True):
            assert set(count_threads().values()) == {1}
        assert set(count_threads().values()) == {1}
    assert count_threads() == before


def test_errors_leave_nothing_behind():
    before = count_threads()
    with pytest.raises(KeyError), limit_to_one_thread():
        raise KeyError
    assert count_threads() == before


@pytest.mark.parametrize("first_out", [0, 1])
def test_overlapping_threads_leave_nothing_behind(first_out):
    before = count_threads()
    fresh = in_another_thread(count_threads)
    inside, leave, seen = (
        threading.Barrier(3),
        [threading.Event() for _ in range(2)],
        {},
    )

    def work(number):
        with limit_to_one_thread():
            inside.wait(10)
            leave[number].wait(10)
            seen[number] = set(count_threads().values())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    for number in (first_out, 1 - first_out):
        leave[number].set()
        threads[number].join(10)
    assert seen == {0: {1}, 1: {1}}
    assert count_threads() == before
    assert in_another_thread(count_threads) == fresh


def test_decorated_function_keeps_its_name_and_warns_the_caller():
    @on_one_thread()
    def add(a, b=1):
        """Add."""
        return a + b, torch.get_num_threads()

    assert add(2, b=3) == (5, 1)
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert torch.get_num_threads() == 2


def test_computation_is_described_as_json_holds_it():
    found = json.loads(json.dumps(describe_computation()))
    assert found["torch"]["threads"] == 2
    assert found["libraries"]
    for library in found["libraries"]:
        assert library["threads"] == 2
        assert library["name"]
    with limit_to_one_thread():
        assert {each["threads"] for each in describe_computation()["libraries"]} == {1}


def computed_parts(n_parts):
    """The threads that computed each part, in the order of the parts."""
    found = {}

    def compute(part):
        assert part not in found
        found[part] = threading.current_thread()

    share_out(compute, n_parts)
    return [found[part] for part in range(n_parts)]


@pytest.mark.parametrize("n_parts", [0, 1, 2, 50])
def test_every_part_is_computed_once(n_parts):
    with limit_to_one_thread():
        assert len(computed_parts(n_parts)) == n_parts
    assert len(computed_parts(n_parts)) == n_parts


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(_threads, "_count_cores", lambda: 2)


def test_another_thread_helps(two_cores):
    with limit_to_one_thread():
        meeting = threading.Barrier(2)  # passed by two threads at once, or never
        share_out(lambda part: meeting.wait(10), 2)


def test_helpers_compute_on_one_thread_too(two_cores):
    seen, meeting = set(), threading.Barrier(2)

    def compute(part):
        meeting.wait(10)
        seen.add((threading.current_thread().name, torch.get_num_threads()))

    with limit_to_one_thread():
        share_out(compute, 2)
    assert {n_threads for _, n_threads in seen} == {1}
    assert len(seen) == 2
    assert in_another_thread(torch.get_num_threads) == 2


def test_a_helper_without_a_core_is_not_waited_for(two_cores):
    with limit_to_one_thread():
        share_out(lambda part: None, 2)
        busy = threading.Event()
        _threads._start_helpers(os.getpid(), 1).submit(busy.wait, 10)
        try:
            assert set(computed_parts(20)) == {threading.current_thread()}
        finally:
            busy.set()


def test_no_help_in_workers_or_without_a_limit(two_cores, monkeypatch):
    me = {threading.current_thread()}
    assert set(computed_parts(20)) == me
    with limit_to_one_thread():
        assert len(set(in_another_thread(lambda: computed_parts(20)))) == 1
        monkeypatch.setattr(_threads.multiprocessing, "parent_process", object)
        assert set(computed_parts(20)) == me


def test_errors_of_helpers_arrive(two_cores):
    me = threading.current_thread()
    meeting = threading.Barrier(2)

    def compute(part):
        meeting.wait(10)
        if threading.current_thread() is not me:
            raise KeyError(part)

    with limit_to_one_thread(), pytest.raises(KeyError):
        share_out(compute, 2)


# Threads that a step may start ----------------------------------------------------


def count_in_workers(backend, n_jobs=2):
    """What two workers of joblib are told that run at the same time."""
    jobs = Parallel(n_jobs=n_jobs, backend=backend)
    return jobs(delayed(count_threads_to_start)() for _ in range(n_jobs))


@pytest.fixture
def no_share(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("no_share")
def test_alone_all_threads_of_torch():
    assert count_threads_to_start() == 2
    assert in_another_thread(count_threads_to_start) == torch.get_num_threads()


@pytest.mark.usefixtures("no_share")
def test_threads_of_joblib_start_none_of_their_own():
    assert count_in_workers("threading") == [1, 1]
    with parallel_config(backend="threading", n_jobs=2):
        assert Parallel()(delayed(count_threads_to_start)() for _ in range(2)) == [1, 1]


@pytest.mark.usefixtures("no_share")
def test_nested_workers_of_joblib():
    nested = Parallel(n_jobs=2, backend="threading")(
        delayed(count_in_workers)("threading") for _ in range(2)
    )
    assert nested == [[1, 1], [1, 1]]


def test_threads_have_no_share_whatever_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert count_in_workers("threading") == [1, 1]


class _Worker:
    nesting_level = 1


def test_processes_of_joblib_have_the_share_that_they_were_told(monkeypatch):
    monkeypatch.setattr(_threads, "get_active_backend", lambda: (_Worker, 1))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # as loky does
    assert count_threads_to_start() == torch.get_num_threads() == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert count_threads_to_start() == 1


@pytest.mark.usefixtures("no_share")
@pytest.mark.parametrize(("n_threads", "told"), [(2, "2"), (1, None), (1, "2")])
def test_threads_of_dask_start_none_of_their_own(monkeypatch, n_threads, told):
    """Unless there is one, which was told how many cores it has."""
    distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
    if told:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    with distributed.Client(
        n_workers=1,
        threads_per_worker=n_threads,
        processes=False,
        dashboard_address=":0",
    ) as client:
        found = client.submit(count_threads_to_start).result()
    assert found == (2 if n_threads == 1 and told else 1)
