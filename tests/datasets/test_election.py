"""load_election."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo.datasets._election import load_election
from sklearn_hypo.exceptions import DatasetNotFoundError

METADATA = {
    "labels": ["left", "none", "right"],
    "features": {"stance": ["for it", "against it"], "tone": ["loud", "calm"]},
    "phrase_types": ["stance", "tone"],
    "templates": {"I am [stance], [tone].": {}, "[tone]: [stance]": {}},
}
TRUE = [
    'If the "stance" of the given tweet is "for it", then it is likely to be "left".',
    'If the "template" of the given tweet is "[tone]: [stance]", then it is "right".',
    "Something that names no feature.",
]
PARTS = {
    "train": [("I am [stance], [tone].", "for it", "calm", "left")] * 2
    + [("[tone]: [stance]", "against it", "loud", "right")],
    "val": [("[tone]: [stance]", "for it", "loud", "left")],
    "test": [("I am [stance], [tone].", "against it", "calm", "right")],
}


def _data_home():
    return os.environ.get("SKLEARN_HYPO_DATA", "")


needs_election = pytest.mark.skipif(
    not (Path(_data_home()) / "hypobench" / "election" / "level1").is_dir(),
    reason="needs hypobench/election in the folder named by SKLEARN_HYPO_DATA",
)


def write(folder, level=1):
    folder = folder / f"level{level}"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text(json.dumps(METADATA))
    (folder / f"gt_hypotheses_level{level}.json").write_text(json.dumps(TRUE))
    for part, rows in PARTS.items():
        content = {
            "text": [f"{tone} {stance} ☕" for _, stance, tone, _ in rows],
            "template": [row[0] for row in rows],
            "blank_features": [list(row[1:3]) for row in rows],
            "label": [row[3] for row in rows],
        }
        name = f"synthetic_election_{part}_level{level}.json"
        (folder / name).write_text(json.dumps(content))
    return folder


def test_texts_targets_and_planted_features(tmp_path):
    write(tmp_path)
    tweets = load_election(tmp_path)
    assert tweets.data.tolist() == ["calm for it ☕"] * 2 + ["loud against it ☕"]
    assert tweets.target.tolist() == ["left", "left", "right"]
    assert tweets.target_names == ["left", "none", "right"]
    assert tweets.features.to_dict("list") == {
        "template: I am [stance], [tone].": [1, 1, 0],
        "template: [tone]: [stance]": [0, 0, 1],
        "stance: for it": [1, 1, 0],
        "stance: against it": [0, 0, 1],
        "tone: loud": [0, 0, 1],
        "tone: calm": [1, 1, 0],
    }
    assert tweets.impactful == ["stance: for it", "template: [tone]: [stance]"]
    assert tweets.hypotheses == TRUE


def test_subsets_and_levels(tmp_path):
    write(tmp_path / "election", level=2)
    every = load_election(tmp_path, level=2, subset="all")
    assert every.subset.tolist() == ["train"] * 3 + ["validation", "test"]
    assert every.features.index.tolist() == list(range(5))
    for part in ("train", "validation", "test"):
        some = load_election(tmp_path, level=2, subset=part)
        chosen = every.subset == part
        assert some.data.tolist() == every.data[chosen].tolist()
        assert some.features.to_numpy().tolist() == (
            every.features[chosen].to_numpy().tolist()
        )


def test_environment_variable(tmp_path, monkeypatch):
    write(tmp_path / "hypobench" / "election")
    monkeypatch.setenv("SKLEARN_HYPO_DATA", str(tmp_path))
    assert len(load_election().data) == 3
    with pytest.raises(DatasetNotFoundError, match=r"election/level2/metadata\.json"):
        load_election(level=2)
    monkeypatch.delenv("SKLEARN_HYPO_DATA")
    with pytest.raises(DatasetNotFoundError, match="no folder to look in") as caught:
        load_election()
    assert "github.com/ChicagoHAI/HypoBench" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metadata.json", "{", "is not JSON"),
        ("metadata.json", "{}", "lacks labels, features, phrase_types, templates"),
        ("synthetic_election_train_level1.json", '{"text": []}', "lacks label, temp"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, message):
    (write(tmp_path) / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        load_election(tmp_path)


def test_unknown_features_are_named(tmp_path):
    path = write(tmp_path) / "synthetic_election_train_level1.json"
    path.write_text(
        path.read_text().replace('"loud"]', '"mild"]').replace('"loud",', "")
    )
    path.write_text(path.read_text().replace('"loud"', '"mild"'))
    with pytest.raises(ValueError, match=r"has the (stance|tone) 'mild'"):
        load_election(tmp_path)


@pytest.mark.parametrize("arguments", [{"level": 3}, {"level": 0}, {"subset": "val"}])
def test_what_is_refused(tmp_path, arguments):
    with pytest.raises(ValueError, match="parameter of load_election"):
        load_election(tmp_path, **arguments)


@needs_election
@pytest.mark.parametrize(("level", "n_true"), [(1, 5), (2, 14)])
def test_real_tweets_and_their_planted_truth(level, n_true):
    tweets = load_election(level=level, subset="all")
    counts = [1750, 249, 501]
    assert pd.Series(tweets.subset).value_counts(sort=False).tolist() == counts
    assert tweets.features.shape == (2500, 24)
    assert (tweets.features.sum(axis=1) == 5).all()  # a template and four features
    assert len(tweets.impactful) == len(tweets.hypotheses) == n_true
    # three votes are named, but two occur
    assert len(tweets.target_names) == 3
    assert set(tweets.target) == {tweets.target_names[0], tweets.target_names[2]}


@needs_election
@pytest.mark.parametrize("level", [1, 2])
def test_the_impactful_features_decide_the_vote(level):
    tweets = load_election(level=level, subset="all")
    cells = pd.Series(list(map(tuple, tweets.features[tweets.impactful].to_numpy())))
    votes = pd.Series(tweets.target).groupby(cells).agg(lambda votes: len(set(votes)))
    assert (votes == 1).all()
    assert np.isin(tweets.target, tweets.target_names).all()
