"""Ctrl-C ends with 130, whenever it comes, and leaves nothing that is half there."""

import json
import os
import sys
import tempfile

import pandas as pd
import pytest

from sklearn_hypo._cli._main import main
from sklearn_hypo.datasets import make_concept_texts

FILES = ["hypotheses.csv", "hypotheses.tex", "metrics.json", "report.html"]
FILES += ["settings.json"]


@pytest.fixture
def csv(tmp_path):
    data = make_concept_texts(60, n_concepts=2, prevalence=0.3, random_state=0)
    path = tmp_path / "t.csv"
    pd.DataFrame({"text": data.data, "y": data.target}).to_csv(path, index=False)
    return path


def run(path, output):
    columns = ("--text", "text", "--target", "y", "--output", str(output))
    sizes = ("--n-neurons", "8", "--k", "2", "--n-select", "2")
    return main(["run", str(path), *columns, *sizes])


@pytest.mark.parametrize("n_written", [0, 2])
def test_interrupted_while_files_are_put_in_place(
    csv, tmp_path, capsys, monkeypatch, n_written
):
    replace, output = os.replace, tmp_path / "new" / "folder"

    def interrupt(path, to):
        if to.parent == output and len(list(output.glob("[!.]*"))) == n_written:
            raise KeyboardInterrupt
        replace(path, to)

    monkeypatch.setattr(os, "replace", interrupt)
    assert run(csv, output) == 130
    assert output.exists() == (n_written > 0)
    if n_written == 0:
        assert os.listdir(tmp_path) == ["t.csv"]
        return
    left = sorted(os.listdir(output))
    assert len(left) == n_written
    assert set(left) <= set(FILES)
    for name in left:  # whole
        if name.endswith(".json"):
            json.loads((output / name).read_text("utf-8"))
        elif name.endswith(".csv"):
            assert len(pd.read_csv(output / name)) == 2


def test_interrupted_while_a_file_is_written(csv, tmp_path, monkeypatch):
    from sklearn_hypo._report._report import HypothesisReport

    def interrupt(self, path, title=None):
        with open(path, "w") as file:
            file.write("<html>")
            raise KeyboardInterrupt

    monkeypatch.setattr(HypothesisReport, "to_html", interrupt)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("old")
    assert run(csv, tmp_path / "out") == 130
    assert os.listdir(tmp_path / "out") == ["report.html"]
    assert (tmp_path / "out" / "report.html").read_text() == "old"


def test_interrupted_while_standard_input_is_read(tmp_path, monkeypatch, capsys):
    class Pipe:
        def read(self, size=-1):
            if size < 0:
                raise AssertionError("all at once")
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Pipe())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert run("-", tmp_path / "out") == 130
    assert capsys.readouterr() == ("", "")
    assert os.listdir(tmp_path) == []
