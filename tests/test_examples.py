"""The examples of the documentation run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from llm_double import LLMServer, Mind

from sklearn_hypo.datasets import make_concept_texts

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
DATA = os.environ.get("SKLEARN_HYPO_DATA", "")
STUDIES = {
    "upworthy_headlines.py": "headlines/upworthy.csv.gz",
    "tweets_sentiment.py": "tweets/Tweets.csv",
}


@pytest.fixture
def environment(tmp_path):
    """An environment with a key, a cache of its own, and no data set."""
    kept = {k: v for k, v in os.environ.items() if k != "SKLEARN_HYPO_DATA"}
    return kept | {
        "GEMINI_API_KEY": "the-key-of-the-example",
        "NO_PROXY": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        "SKLEARN_HYPO_CACHE": str(tmp_path / "cache"),
        "N_TEXTS": "600",
    }


def run(name, environment, *arguments):
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_study_with_gemini_needs_only_a_key(environment):
    mind = Mind.from_concept_texts(make_concept_texts(600, random_state=0))
    with LLMServer(mind) as server:
        environment["GOOGLE_GEMINI_BASE_URL"] = server.gemini_url
        first = run("tweets_with_gemini.py", environment)
        n_calls = server.stats().calls
        second = run("tweets_with_gemini.py", environment)
        assert server.stats().calls == n_calls
    assert first.returncode == 0, first.stderr
    assert "significant in the joint regression" in first.stdout
    assert "expresses thanks" in first.stdout
    assert "language models: " in first.stdout
    for run_ in (first, second):
        assert environment["GEMINI_API_KEY"] not in run_.stdout + run_.stderr


def test_without_a_key_the_study_says_which_one_is_missing(environment):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        environment.pop(name, None)
    failed = run("tweets_with_gemini.py", environment)
    assert failed.returncode != 0
    assert "GEMINI_API_KEY" in failed.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("upworthy_headlines.py", [], "9,058 headlines in 2,066 tests"),
        ("tweets_sentiment.py", [], "effective number of hypotheses"),
        ("tweets_sentiment.py", ["--classes"], "negative  neutral  positive"),
    ],
)
def test_the_studies(name, arguments, expected, environment, tmp_path):
    if not (Path(DATA) / STUDIES[name]).is_file():
        pytest.skip(f"needs {STUDIES[name]} in the folder named by SKLEARN_HYPO_DATA")
    page = tmp_path / "report.html"
    study = run(
        name, environment, "--quick", "--data", DATA, "--report", page, *arguments
    )
    assert study.returncode == 0, study.stderr
    assert "significant in the joint regression" in study.stdout
    assert expected in study.stdout
    assert "</html>" in page.read_text("utf-8")


@pytest.mark.parametrize("name", list(STUDIES))
def test_without_data_a_study_says_where_to_get_them(name, environment):
    failed = run(name, environment)
    assert failed.returncode != 0
    assert "SKLEARN_HYPO_DATA" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
