"""load_tweets and the reference split."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sklearn_hypo.datasets import load_tweets
from sklearn_hypo.datasets._tweets import tweets_reference_split
from sklearn_hypo.exceptions import DatasetNotFoundError

ROWS = """textID,text,selected_text,sentiment
a1, I`d go,I`d go,neutral
a2,null,null,negative
a3,,,neutral
a4,NA,NA,positive
a5,"one, two
three",two,positive
"""


def _data_home():
    return os.environ.get("SKLEARN_HYPO_DATA", "")


needs_tweets = pytest.mark.skipif(
    not (Path(_data_home()) / "tweets" / "Tweets.csv").is_file(),
    reason="needs tweets/Tweets.csv in the folder named by SKLEARN_HYPO_DATA",
)


@pytest.fixture
def small(tmp_path):
    (tmp_path / "Tweets.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def test_only_truly_missing_texts_are_dropped(small):
    tweets = load_tweets(small)
    assert tweets.data.tolist() == [" I`d go", "null", "NA", "one, two\nthree"]
    assert tweets.ids.tolist() == ["a1", "a2", "a4", "a5"]


def test_labels_become_numbers(small):
    tweets = load_tweets(small)
    assert tweets.target.tolist() == [0, -1, 1, 1]
    assert tweets.target.dtype == np.int64
    assert tweets.target_names == ["negative", "neutral", "positive"]
    assert [tweets.target_names[t + 1] for t in tweets.target] == list(
        tweets.frame["sentiment"]
    )


def test_frame_keeps_the_row_numbers_of_the_file(small):
    assert load_tweets(str(small)).frame.index.tolist() == [0, 1, 3, 4]


def test_texts_are_plain_str_in_an_object_array(small):
    tweets = load_tweets(small)
    assert tweets.data.dtype == object
    assert {type(text) for text in tweets.data} == {str}


def test_subfolder_and_environment_variable(tmp_path, monkeypatch):
    folder = tmp_path / "tweets"
    folder.mkdir()
    (folder / "Tweets.csv").write_text(ROWS, encoding="utf-8")
    monkeypatch.setenv("SKLEARN_HYPO_DATA", str(tmp_path))
    assert len(load_tweets().data) == 4
    assert len(load_tweets(folder).data) == 4


def test_data_home_wins_over_the_environment_variable(small, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_HYPO_DATA", str(tmp_path / "nowhere"))
    assert len(load_tweets(small).data) == 4


@pytest.mark.parametrize("value", [None, ""])
def test_no_folder_at_all(value, monkeypatch):
    monkeypatch.delenv("SKLEARN_HYPO_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("SKLEARN_HYPO_DATA", value)
    with pytest.raises(DatasetNotFoundError, match="no folder to look in") as caught:
        load_tweets()
    assert "kaggle.com" in str(caught.value)
    assert "SKLEARN_HYPO_DATA" in str(caught.value)


def test_absent_file_says_where_it_comes_from_and_where_to_put_it(tmp_path):
    with pytest.raises(DatasetNotFoundError) as caught:
        load_tweets(tmp_path)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "kaggle.com" in message
    assert "Tweets.csv into that folder" in message
    assert isinstance(caught.value, FileNotFoundError)


def test_missing_columns_are_named(tmp_path):
    (tmp_path / "Tweets.csv").write_text("id,text\n1,hello\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"textID, selected_text, sentiment.*id, text"):
        load_tweets(tmp_path)


def test_unknown_label_is_named(small):
    path = small / "Tweets.csv"
    path.write_text(ROWS.replace("negative", "angry"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"holds 'angry', but only negative, neutral"):
        load_tweets(small)


@pytest.mark.parametrize("content", [b"", b"textID,text\n\xff\xfe\xfa,\xff\n"])
def test_unreadable_file(tmp_path, content):
    (tmp_path / "Tweets.csv").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as CSV"):
        load_tweets(tmp_path)


def test_reference_split_refuses_other_rows(small):
    with pytest.raises(ValueError, match=r"27480 tweets.*but 4 arrived"):
        tweets_reference_split(load_tweets(small))


def test_reference_split_is_a_partition():
    parts = tweets_reference_split(Bunch(data=np.empty(27480, dtype=object)))
    assert [len(part) for part in parts] == [16448, 5496, 5496]
    rows = np.concatenate(parts)
    assert len(np.unique(rows)) == len(rows)
    assert rows.min() >= 0
    assert rows.max() < 27480


@needs_tweets
def test_real_tweets():
    tweets = load_tweets()
    assert tweets.data.shape == tweets.target.shape == tweets.ids.shape == (27480,)
    assert np.unique(tweets.target, return_counts=True)[1].tolist() == [
        7781,
        11117,
        8582,
    ]
    reference = pd.read_csv(Path(_data_home()) / "tweets" / "Tweets.csv")
    reference = reference[reference["text"].notna()]
    assert tweets.ids.tolist() == reference["textID"].tolist()
    assert tweets.data.tolist() == reference["text"].tolist()


@needs_tweets
def test_reference_split_reproduces_the_documented_rows():
    tweets = load_tweets()
    train, _, _ = tweets_reference_split(tweets)
    assert tweets.frame.index[train[:3]].tolist() == [19413, 23147, 21547]
    assert tweets.ids[train[:3]].tolist() == ["ba7bbe76fe", "09b5bef434", "83cdebaa92"]


@needs_tweets
def test_reference_split_is_that_of_the_notebook():
    from sklearn.model_selection import train_test_split

    tweets = load_tweets()
    train, validation, holdout = tweets_reference_split(tweets)
    first, rest = train_test_split(
        tweets.frame, test_size=10992, train_size=16448, random_state=42
    )
    second, third = train_test_split(
        rest, test_size=5496, train_size=5496, random_state=42
    )
    assert tweets.ids[train].tolist() == first["textID"].tolist()
    assert tweets.ids[validation].tolist() == second["textID"].tolist()
    assert tweets.ids[holdout].tolist() == third["textID"].tolist()
