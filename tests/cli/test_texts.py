"""The command line on texts of other scripts and of the web."""

import json

import numpy as np
import pandas as pd
import pytest
from _language_words import LANGUAGES, make_study

from sklearn_hypo._cli._main import main
from sklearn_hypo._utils import _tokenizers

SMALL = ("--n-neurons", "16", "--k", "2", "--n-select", "3", "--embedder", "lsa")


@pytest.fixture
def run(tmp_path):
    def run(texts, y, *arguments):
        path = tmp_path / "texts.csv"
        pd.DataFrame({"text": texts, "y": y}).to_csv(path, index=False)
        options = ("--text", "text", "--target", "y", *SMALL, *arguments)
        return main(["run", str(path), *options, "--output", str(tmp_path / "out")])

    return run


def read(tmp_path, name):
    return (tmp_path / "out" / name).read_text("utf-8")


@pytest.mark.filterwarnings("ignore:Hypothes")
def test_what_was_taken_out_is_in_the_report(run, tmp_path, capsys):
    texts, y = make_study(LANGUAGES["German"], 300, np.random.default_rng(0))
    assert run([f"<p>{text}&nbsp;&amp; mehr</p>" for text in texts], y) == 0
    said = "tags or entities of HTML, such as '<p>', were taken out of 300 texts"
    assert said in capsys.readouterr().err
    page = read(tmp_path, "report.html")
    assert "were taken out of 300 texts" in page
    assert "&amp;nbsp;" not in page
    assert "&lt;p&gt;" in page  # in the note only
    assert page.count("&lt;p&gt;") == 1
    assert any(
        said in note for note in json.loads(read(tmp_path, "metrics.json"))["notes"]
    )


@pytest.mark.filterwarnings("ignore:Hypothes")
def test_a_study_in_thai(run, tmp_path, capsys):
    texts, y = make_study(LANGUAGES["Thai"], 400, np.random.default_rng(0))
    assert run(texts, y, "--tokenizer", "icu") == 0
    page = read(tmp_path, "report.html")
    assert "<mark>อร่อย</mark>" in page
    settings = json.loads(read(tmp_path, "settings.json"))
    steps = {name: each["parameters"] for name, each in settings["steps"].items()}
    interpreter = steps["hypotheses"]["interpreter"]["parameters"]
    for parameters in (steps["embed"], steps["terms"], interpreter):
        assert parameters["tokenizer"] == "icu"


@pytest.mark.filterwarnings("ignore:Hypothes")
def test_missing_words_are_said_once(run, capsys, monkeypatch):
    monkeypatch.setattr(_tokenizers, "has_icu", lambda: False)
    texts, y = make_study(LANGUAGES["Thai"], 200, np.random.default_rng(0))
    assert run(texts, y) == 0
    err = capsys.readouterr().err
    assert err.count("are in a script that is written without blanks") == 1
    assert "sklearn-hypo[languages]" in err


def test_a_tokenizer_that_is_none(run, capsys):
    with pytest.raises(SystemExit) as ended:
        run(["a"], [1], "--tokenizer", "mecab")
    assert ended.value.code == 2
    assert "characters, icu, jieba" in capsys.readouterr().err
