"""The comparison of a GPU with the CPU, tried on the CPU alone."""

import gpu
import numpy as np
import pytest
import torch

SMALL = "--rows 1500 --subset 500 --features 16 --neurons 32 --k 2".split()  # noqa: SIM905


@pytest.fixture(autouse=True)
def no_embeddings(monkeypatch):
    monkeypatch.setattr(gpu, "has_minilm", lambda: False)


def test_without_a_gpu_it_says_so_and_ends_well(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        gpu.main(SMALL)
    assert ended.value.code == 0
    assert "no GPU" in capsys.readouterr().out


def test_a_table_where_all_agrees(capsys):
    gpu.main([*SMALL, "--device", "cpu", "--seconds", "1"])
    out = capsys.readouterr().out
    for what in ("one step, topk", "one step, batch_topk", "fit, 500", "transform"):
        (line,) = [line for line in out.splitlines() if line.startswith(f"| {what}")]
        assert line.split("|")[-2].strip() == "yes"
    assert "fit to 1,000 rows" in out


def test_it_fails_where_something_disagrees(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "EXPLAINED", -1.0)
    with pytest.raises(SystemExit, match=r"disagree: fit, 500 rows"):
        gpu.main([*SMALL, "--device", "cpu", "--seconds", "1"])
    assert "**no**" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "larger_is_better", "agrees"),
    [(0.5, False, True), (1.5, False, False), (1.5, True, True), (0.5, True, False)],
)
def test_bounds(found, larger_is_better, agrees):
    line = gpu.Line("step", 2.0, 1.0, "error", found, 1.0, larger_is_better)
    assert line.agrees == agrees
    assert line.row()["sooner"] == "2.0 ×"
    line = gpu.Line("step", 2.0, 1.0, "error", np.nan, 1.0, larger_is_better)
    assert not line.agrees
