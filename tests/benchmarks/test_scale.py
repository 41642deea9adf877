"""A folder of texts through all steps, interrupted and resumed."""

from collections import Counter
from types import SimpleNamespace

import pandas as pd
import pytest

dask = pytest.importorskip("dask", reason="needs the extra 'dask'")

import _scale_steps  # noqa: E402
import scale  # noqa: E402
from _scale_steps import Study  # noqa: E402

SETTINGS = {
    "texts": 650,
    "partition": 100,
    "n_held_out": 2,
    "n_sample": 3,
    "components": 16,
    "neurons": 32,
}
OPTIONS = SimpleNamespace(**SETTINGS)


@pytest.fixture
def study(tmp_path):
    with dask.config.set(scheduler="synchronous"):
        yield Study.of(tmp_path, OPTIONS)


def interrupt_at(monkeypatch, number):
    """Let the embedder die at the partition of that number."""
    transform, calls = _scale_steps.TextEmbedder.transform, []

    def die(self, X):
        calls.append(len(X))
        if len(calls) == number:
            raise KeyboardInterrupt
        return transform(self, X)

    monkeypatch.setattr(_scale_steps.TextEmbedder, "transform", die)


def test_what_was_done_is_not_done_again(study, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            _scale_steps.go_on(study)
    ((kind, name),) = in_flight = scale.find_in_flight(tmp_path)
    assert kind == "encoding"
    _scale_steps.go_on(study)
    journal = scale.read_journal(tmp_path)
    times = Counter(line["encoding"] for line in journal if "encoding" in line)
    assert len(times) == 7
    assert {each for each, n in times.items() if n > 1} == {name}
    failures, said = scale.check([*journal, {"killed": in_flight}])
    assert not [each for each in failures if "MB" not in each]
    assert "Texts encoded: 650; more than once: 100 (1 partitions), of 100" in said
    # of the last files, the second is half full
    assert "150 texts" in study.path("report.txt").read_text()
    assert sum(len(pd.read_parquet(f)) for f in study.files("annotations")) == 150

    n_lines = len(journal)
    _scale_steps.go_on(study)
    again = scale.read_journal(tmp_path)[n_lines:]
    assert not [line for line in again if {"encoding", "annotating"} & set(line)]


def test_what_was_not_in_flight_may_not_be_encoded_twice():
    line = {"encoding": "0", "n": 10, "peak": 1}
    failures, said = scale.check([line, line, {"killed": []}])
    assert failures == ["encoded again though not in flight: ['0']"]
    assert "others: 10" in said
    assert scale.check([line, line, {"killed": [["encoding", "0"]]}])[0] == []


def test_too_much_memory_fails():
    (failure,), _ = scale.check([{"peak": 2e9}])
    assert "2000 MB" in failure


def test_time_of_a_step_counts_killed_runs():
    journal = [
        {"begins": "embedded", "at": 0.0, "peak": 1e6},
        {"encoding": "0", "n": 1, "at": 1.0, "peak": 5e6},
        {"cpu": 0.5, "at": 1.5, "peak": 5e6},
        {"killed": [], "at": 2.0},
        {"begins": "embedded", "at": 10.0, "peak": 1e6},
        {"workers": 7e6, "at": 11.0, "peak": 1e6},
        {"ends": "embedded", "at": 13.0, "peak": 3e6, "cpu": 1.0},
    ]
    (row,) = scale.summarize_steps(journal)
    assert list(row.values()) == ["embedded", "5.0", "1.5", "3", "7"]
