"""From measures to statements: thresholds and wording."""

import re

import numpy as np
import pytest

from sklearn_hypo._style._measures import MEASURE_NAMES, MEASURES
from sklearn_hypo._style._statements import (
    choose_threshold,
    describe_measure,
    read_measure,
)


def correlate(mark, values):
    return np.corrcoef(mark, values)[0, 1]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("style_words", "words"),
        ("style__style_words", "words"),
        ("a__b__style_first_person_singular", "first_person_singular"),
        ("words", ""),
        ("style_nothing", ""),
        ("neuron003", ""),
        ("mystyle_words", ""),
        (3, ""),
    ],
)
def test_names_of_columns(column, name):
    assert read_measure(column) == name


@pytest.mark.parametrize("name", ["words", "reading_ease", "commas"])
def test_the_threshold_is_the_best_round_cut(name):
    rng = np.random.default_rng(0)
    values = np.round(np.exp(rng.normal(3, 0.8, 400)), 3)
    scaled = MEASURES[name].scale(values)
    threshold = choose_threshold(values, name)
    best = correlate(values > threshold, scaled)
    for other in [*np.unique(values)[:-1], threshold - 0.5, threshold + 0.5]:
        assert best > correlate(values > other, scaled) - 0.01
    assert float(f"{threshold:.2g}") == threshold


@pytest.mark.parametrize(
    ("values", "name", "threshold"),
    [
        ([0, 0, 0, 7, 8], "commas", 0),
        ([0, 1, 1, 1, 40, 44], "commas", 1),  # none or any would lose too much
        ([5, 5, 5], "words", 0),
        ([0, 0], "words", 0),
        ([1, 1, 2, 2], "sentences", 1),
        ([487.3, 1312.7], "words", 490),
        ([0.31, 0.31, 30, 31], "commas", 0.4),
    ],
)
def test_thresholds_by_hand(values, name, threshold):
    assert choose_threshold(np.array(values, dtype=float), name) == threshold


def test_the_threshold_does_not_depend_on_the_order_of_texts():
    rng = np.random.default_rng(1)
    values = rng.integers(1, 60, 500).astype(float)
    first = choose_threshold(values, "words")
    assert choose_threshold(rng.permutation(values), "words") == first


@pytest.mark.parametrize("name", MEASURE_NAMES)
def test_statements_are_exact(name):
    statement = describe_measure(name, 3.5)
    assert re.findall(r"\d+\.\d+", statement) == ["3.5"]
    assert describe_measure(name, 0) != statement
    assert "{" not in statement + describe_measure(name, 0)


def test_wording():
    assert describe_measure("words", 1) == "is longer than 1 word"
    assert describe_measure("sentences", 1) == "has more than 1 sentence"
    assert describe_measure("words", 11) == "is longer than 11 words"
    assert describe_measure("hashtags", 0) == "contains a hashtag (#tag)"
    all_texts = [describe_measure(name, t) for name in MEASURE_NAMES for t in (0, 2)]
    assert len(set(all_texts)) == len(all_texts)
