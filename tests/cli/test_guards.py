"""Texts posted again, and texts met in training, at the command line."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo._cli._main import main
from sklearn_hypo.datasets import make_concept_texts

SMALL = ("--embedder", "lsa", "--n-neurons", "8", "--k", "2", "--n-select", "3")


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command line on a table; return the page, the figures and messages."""

    def run(frame, *arguments):
        path, folder = tmp_path / "texts.csv", tmp_path / "out"
        frame.to_csv(path, index=False)
        columns = ("--text", "text", "--target", "y", "--output", str(folder))
        assert main(["run", str(path), *columns, *SMALL, *arguments]) == 0
        page = (folder / "report.html").read_text(encoding="utf-8")
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        shown = capsys.readouterr()
        return page, metrics, " ".join((shown.out + shown.err).split())

    return run


@pytest.fixture(scope="module")
def frame():
    data = make_concept_texts(240, n_concepts=2, prevalence=0.3, random_state=0)
    return pd.DataFrame({"text": data.data, "y": data.target})


def test_texts_posted_again_stay_on_one_side_and_are_grouped(frame, run):
    again = frame.iloc[::2].assign(text=lambda rows: "RT @someone: " + rows["text"])
    page, metrics, said = run(pd.concat([frame, again, again]))
    assert "were there when the hypotheses were found" not in said
    found = metrics["holdout"]["near_duplicates"]
    assert found["grouped"]
    assert found["largest"] == 3
    assert found["n_texts"] == 3 * found["n_groups"]  # none is on the other side
    assert metrics["holdout"]["n_training_texts"] == 0
    assert re.search(r"warning: .* equal or nearly equal to others", said)
    assert "the test goes by these groups" in page
    # the advice works
    assert "--near-duplicates ignore" in said
    _, metrics, said = run(
        pd.concat([frame, again, again]), "--near-duplicates", "ignore"
    )
    assert metrics["holdout"]["near_duplicates"] is None
    assert "nearly equal" not in said


def test_texts_of_the_training_in_the_users_own_test(frame, run):
    part = np.where(np.arange(len(frame)) % 4, "train", "test")
    known = frame[part == "train"].iloc[:15]
    rows = pd.concat([frame, known]).assign(part=[*part, *["test"] * len(known)])
    page, metrics, said = run(rows, "--split", "part")
    assert metrics["holdout"]["n_training_texts"] == 15
    assert "warning: evaluate_hypotheses: 15 of 75 texts (20 %) were there" in said
    assert "on the 60 of 75 texts that the model was not fitted on" in said
    assert "out-of-sample" not in said
    assert not re.search("out[- ]of[- ]sample", page)
