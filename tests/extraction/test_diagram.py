"""Hypotheses in scikit-learn's diagram of whatever they are a part of."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_hypo import (
    Candidate,
    Fidelity,
    Hypothesis,
    HypothesisExtractor,
    Interpretation,
)
from sklearn_hypo._extraction._diagram import write_hypotheses

TEXTS = ["tea and rain", "tea", "rain", "snow"] * 5
TURNED = "a \u202e turn"
STATEMENT = "mentions <img src=x onerror=alert(1)>"


class Told(BaseEstimator):
    """Says what it was told to."""

    def interpret(self, texts, activations, neurons, **unused):
        unknown = Fidelity(*[np.nan] * 4, n=0)
        terms = {STATEMENT: "tea", "b": "rain"}
        found = [
            Hypothesis(statement, str(neuron), terms=(term,))
            for neuron, (statement, term) in zip(neurons, terms.items(), strict=True)
        ]
        return [
            Interpretation(each.neuron, (Candidate(each, unknown),), unknown)
            for each in found
        ]


@pytest.fixture(scope="module")
def frame():
    holds = [[float("tea" in text), float("rain" in text)] for text in TEXTS]
    index = pd.Index(TEXTS, name="text", dtype=object)
    return pd.DataFrame(np.array(holds), index=index, columns=["n0", "n1"])


@pytest.fixture(scope="module")
def pipe(frame):
    y = frame["n0"].to_numpy() + np.arange(len(frame)) / 100
    keep = FunctionTransformer(feature_names_out="one-to-one")
    return make_pipeline(keep, HypothesisExtractor(Told(), random_state=0)).fit(
        frame, y
    )


def test_a_plain_pipeline_shows_the_hypotheses_of_its_last_step(pipe):
    table = pipe[-1].hypotheses_
    for shown in (pipe, pipe[-1], make_pipeline(pipe)):
        part = shown._repr_html_()
        assert "<summary>2 hypotheses</summary>" in part
        assert f"{table['prevalence'].iloc[0]:.3f}" in part
        assert "Fitted attributes" in part
    rows = re.findall(r"<tr>\s*<td>(.*?)</td>", write_hypotheses(table))
    assert rows == ["mentions &lt;img src=x onerror=alert(1)&gt;", "b"]


def test_statements_and_names_are_escaped(pipe):
    extractor = HypothesisExtractor()
    extractor.__dict__ |= vars(pipe[-1])
    extractor.hypotheses_ = pipe[-1].hypotheses_.assign(name=["<b>", TURNED])
    part = extractor._repr_html_()
    assert "<img src=x" not in part
    assert "<b>:" not in part
    assert "&lt;b&gt;: mentions" in part
    assert "\u202e" not in write_hypotheses(extractor.hypotheses_)


def test_what_is_not_fitted_has_none(pipe):
    for shown in (clone(pipe), clone(pipe[-1])):
        assert "hypo-of-fit" not in shown._repr_html_()


def test_a_search_shows_those_of_its_best_pipeline(pipe, frame):
    y = frame["n0"].to_numpy() + np.arange(len(frame)) / 100
    grid = {"hypothesisextractor__max_annotated": [10, 20]}
    search = GridSearchCV(clone(pipe), grid, cv=2).fit(frame, y)
    assert "<summary>2 hypotheses</summary>" in search._repr_html_()


def test_many_are_counted_and_the_first_shown(pipe):
    table = pd.concat([pipe[-1].hypotheses_] * 75, ignore_index=True)
    part = write_hypotheses(table)
    assert "<summary>150 hypotheses, of which 100 are shown</summary>" in part
    assert part.count("<tr>") == 100
    long = table.head(1).assign(hypothesis="word " * 300)
    assert write_hypotheses(long).count("word") == 300
