"""The data sets of the benchmarks: splits without leaks, samples, scores of pairs."""

import os

import _datasets
import numpy as np
import pytest

SIZES = (200, 500, 1000)


@pytest.fixture(scope="module")
def load():
    if not os.environ.get("SKLEARN_HYPO_DATA"):
        pytest.skip("SKLEARN_HYPO_DATA does not name the folder of the data")
    kept = {}

    def load_once(name):
        if name not in kept:
            kept[name] = _datasets.load(name)
        return kept[name]

    return load_once


def make_dataset(**settings):
    """Return thirty rows in ten groups of three, six of the groups training rows."""
    rows = np.arange(30)
    given = {
        "texts": np.array([f"text {i}" for i in rows], dtype=object),
        "y": rows % 2,
        "groups": rows // 3,
        "train": rows[:18],
        "validation": rows[18:24],
        "holdout": rows[24:],
    }
    return _datasets.Dataset("made up", "classification", **given | settings)


def test_a_sample_keeps_groups_whole_and_is_seeded():
    data = make_dataset()
    sample = data.sample(10, seed=0)
    assert len(sample) == 9  # three groups of three; a fourth would be twelve rows
    assert set(np.bincount(data.groups[sample])) <= {0, 3}
    assert np.isin(sample, data.train).all()
    np.testing.assert_array_equal(sample, data.sample(10, seed=0))
    assert any(set(sample) != set(data.sample(10, seed)) for seed in (1, 2, 3))
    np.testing.assert_array_equal(data.sample(None, seed=0), data.train)


def test_sizes_are_those_that_leave_something_out():
    data = make_dataset(train=np.arange(200), y=np.zeros(200, int))
    assert data.sizes(("200", "500", "all")) == ["all"]
    assert make_dataset(train=np.arange(201)).sizes(("200", "500")) == ["200"]


def test_a_pair_counts_where_the_winner_has_the_larger_prediction():
    won = np.array([1, 0, 0, 1, 0, 1])
    pairs = np.array([7, 7, 3, 3, 5, 5])
    prediction = np.array([0.9, 0.2, 0.6, 0.4, 0.5, 0.5])
    # one right, one wrong, one tie
    assert _datasets.score_pairs(won, prediction, pairs) == 0.5
    assert _datasets.score_pairs(won, won.astype(float), pairs) == 1.0
    data = make_dataset(pairs=np.arange(30) // 2)
    rows = data.validation
    probabilities = np.column_stack([1 - data.y, data.y])[rows].astype(float)
    assert data.score(rows, probabilities) == 1.0
    assert data.score(rows, probabilities[:, ::-1]) == 0.0
    assert data.metric == "share of pairs"


def test_classes_are_scored_one_against_the_rest():
    y = np.array([0, 0, 1, 1, 2, 2])
    prediction = np.eye(3)[y]
    assert _datasets.score(y, prediction, "classification") == 1.0
    prediction[:, 2] = 0.5
    expected = (1 + 1 + 0.5) / 3
    assert _datasets.score(y, prediction, "classification") == pytest.approx(expected)
    assert _datasets.score(y, y.astype(float), "regression") == 1.0


def test_names_are_found_by_their_beginnings():
    assert _datasets.find_names(["vader", "BILLS on h"]) == [
        "VADER tweets",
        "bills on health",
    ]
    assert len(_datasets.find_names()) == len(_datasets.SETS) - 2
    assert _datasets.find_names(["amazon"]) == ["Amazon snippets"]
    in_two = "Amazon snippets, 7 to 3"
    assert _datasets.find_names([in_two]) == [in_two]
    assert _datasets.find_names(["tweets"]) == ["tweets"]
    assert len(_datasets.find_names(["tweets"], among=_datasets.SETS)) == 2
    with pytest.raises(SystemExit, match="no data set"):
        _datasets.find_names(["nothing"])


@pytest.mark.filterwarnings("ignore:pairs_within left out")
@pytest.mark.parametrize("name", _datasets.SETS)
def test_no_group_is_in_two_parts(load, name):
    data = load(name)
    parts = [data.train, data.validation, data.holdout]
    rows = np.concatenate(parts)
    assert len(np.unique(rows)) == len(rows)
    if not name.startswith("tweets"):  # the reference split, which repeats some texts
        groups = [set(data.groups[part]) for part in parts]
        assert not groups[0] & groups[1]
        assert not (groups[0] | groups[1]) & groups[2]
    if not name.startswith(("tweets", "Amazon snippets")):
        texts = [set(data.texts[part]) for part in parts]
        assert not (texts[0] & texts[1]) | (texts[0] & texts[2]) | (texts[1] & texts[2])
    assert all(0.9 * n < len(data.sample(n, 1)) <= n for n in SIZES[:2])


def test_the_tweets_have_the_reference_split(load):
    data = load("tweets")
    assert [len(data.train), len(data.validation), len(data.holdout)] == [
        16448,
        5496,
        5496,
    ]
    assert data.metric == "R²"
    assert set(data.y) == {-1.0, 0.0, 1.0}


def test_deceptive_reviews_are_the_positive_class(load):
    data = load("deceptive reviews")
    frame = _datasets.read_reviews("val")
    deceptive = frame["label"].to_numpy() == "deceptive"
    np.testing.assert_array_equal(data.y[data.validation], deceptive)


@pytest.mark.filterwarnings("ignore:pairs_within left out")
def test_pairs_are_whole_and_have_one_winner(load):
    data = load("Upworthy pairs")
    for part in (data.train, data.validation, data.holdout, data.sample(500, 0)):
        order = np.argsort(data.pairs[part], kind="stable")
        pairs = data.pairs[part][order].reshape(-1, 2)
        assert (pairs[:, 0] == pairs[:, 1]).all()
        assert (data.y[part][order].reshape(-1, 2).sum(axis=1) == 1).all()


def test_headlines_of_suspect_weeks_are_dropped_and_clicks_added_up(load):
    load("SMS spam")  # skips where there is no data
    headlines = _datasets.read_headlines()
    assert not headlines.duplicated(["test", "headline"]).any()
    compared = headlines.groupby("test")["headline"].transform("size") > 1
    # what docs/examples/upworthy_headlines.py counts
    assert compared.sum() == 9058
    assert headlines.loc[compared, "test"].nunique() == 2066


def test_every_feature_of_the_election_occurs(load):
    load("SMS spam")
    for level, n_features in ((1, 5), (2, 14)):
        frame = _datasets.read_election(level, "train")
        planted = _datasets.read_planted(level)
        assert len(planted) == n_features
        assert all((frame[f.kind] == f.value).any() for f in planted)
    first = _datasets.read_planted(2)[0]
    assert first.kind == "template"
    assert first.says == {
        "likely republican voter": 3,
        "likely third-party/abstain voter": 1,
    }
    climate = _datasets.read_planted(1)[3]
    assert climate.value == "endorses climate change initiatives"
    assert climate.says == {
        "likely democratic voter": -1,
        "likely republican voter": -3,
    }


def test_topics_of_bills(load):
    load("SMS spam")
    texts, topics, names = _datasets.read_bills()
    assert topics.shape == (len(texts), len(names)) == (2048, 21)
    assert set(topics.sum(axis=1)) == {1}
    health = load("bills on health")
    np.testing.assert_array_equal(health.y, topics[:, names.index("health")])
