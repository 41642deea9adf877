"""The examples of the documentation run as they stand."""

import os
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest
from llm_double import LLMServer, Mind

from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import LanguageModelError

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
DATA = os.environ.get("SKLEARN_HYPO_DATA", "")
STUDIES = {
    "upworthy_headlines.py": "headlines/upworthy.csv.gz",
    "tweets_sentiment.py": "tweets/Tweets.csv",
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example in this process, which has the libraries loaded."""
    monkeypatch.delenv("SKLEARN_HYPO_DATA", raising=False)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        with pd.option_context("display.width", 80, "display.max_colwidth", 50):
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr()

    return run


def test_the_study_with_gemini_needs_only_a_key(run, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "the-key-of-the-example")
    monkeypatch.setenv("N_TEXTS", "450")
    mind = Mind.from_concept_texts(make_concept_texts(450, random_state=0))
    with LLMServer(mind) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.gemini_url)
        first = run("tweets_with_gemini.py")
        n_calls = server.stats().calls
        second = run("tweets_with_gemini.py")
        assert server.stats().calls == n_calls
    assert "significant in the joint regression" in first.out
    assert "expresses thanks" in first.out
    assert "language models: " in first.out
    for printed in (*first, *second):
        assert "the-key-of-the-example" not in printed


def test_without_a_key_the_study_says_which_one_is_missing(run, monkeypatch):
    monkeypatch.setenv("N_TEXTS", "300")
    with pytest.raises(LanguageModelError, match="GEMINI_API_KEY"):
        run("tweets_with_gemini.py")


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("upworthy_headlines.py", [], "9,058 headlines in 2,066 tests"),
        ("tweets_sentiment.py", [], "effective number of hypotheses"),
        ("tweets_sentiment.py", ["--classes"], "negative  neutral  positive"),
    ],
)
def test_the_studies(name, arguments, expected, run, tmp_path):
    if not (Path(DATA) / STUDIES[name]).is_file():
        pytest.skip(f"needs {STUDIES[name]} in the folder named by SKLEARN_HYPO_DATA")
    page = tmp_path / "report.html"
    study = run(name, "--quick", "--data", DATA, "--report", page, *arguments)
    assert "significant in the joint regression" in study.out
    assert expected in study.out
    assert "</html>" in page.read_text("utf-8")


@pytest.mark.parametrize("name", list(STUDIES))
def test_without_data_a_study_says_where_to_get_them(name, run):
    with pytest.raises(SystemExit, match=r"http.*SKLEARN_HYPO_DATA"):
        run(name)
