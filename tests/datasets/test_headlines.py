"""load_upworthy."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from sklearn_hypo._data_preparation._contests import pairs_within
from sklearn_hypo._data_preparation._groups import join_groups
from sklearn_hypo.datasets._headlines import load_upworthy
from sklearn_hypo.exceptions import DatasetNotFoundError

ROWS = """,clickability_test_id,headline,lede,impressions,clicks,test_week
0,t1,Look,x,100,1,201410
1,t2,Only one,x,100,2,201411
2,t1, Look ,x,300,5,201410
3,t2,Only one,x,100,2,201411
4,t1,"See, this",x,200,8,201411
5,t3,Before,x,100,1,201325
6,t3,Before too,x,100,1,201325
7,t4,Suspect,x,100,1,201326
8,t4,Suspect too,x,100,1,201403
9,t5,Suspect,x,100,1,201402
10,t5,Suspect too,x,100,1,201402
11,t6,NA,x,100,1,201403
12,t6,,x,100,1,201403
13,t6,null,x,50,0,201403
14,t6,never shown,x,0,0,201403
"""


def _data_home():
    return os.environ.get("SKLEARN_HYPO_DATA", "")


needs_headlines = pytest.mark.skipif(
    not (Path(_data_home()) / "headlines" / "upworthy.csv.gz").is_file(),
    reason="needs headlines/upworthy.csv.gz in the folder named by SKLEARN_HYPO_DATA",
)


@pytest.fixture
def small(tmp_path):
    (tmp_path / "upworthy.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def test_packages_of_a_headline_are_added_up(small):
    headlines = load_upworthy(small)
    assert headlines.data.tolist() == [
        *("Look", "See, this"),
        *("Before", "Before too"),
        *("NA", "null"),
    ]
    assert headlines.tests.tolist() == ["t1", "t1", "t3", "t3", "t6", "t6"]
    assert headlines.clicks.tolist() == [6, 8, 1, 1, 1, 0]
    assert headlines.impressions.tolist() == [400, 200, 100, 100, 100, 50]
    assert headlines.target.tolist() == [0.015, 0.04, 0.01, 0.01, 0.01, 0]
    assert headlines.weeks.tolist() == [201410] * 2 + [201325] * 2 + [201403] * 2
    assert headlines.frame["packages"].tolist() == [2, 1, 1, 1, 1, 1]
    assert headlines.data.dtype == headlines.tests.dtype == object
    assert "CC BY 4.0" in headlines.DESCR


def test_tests_that_touch_suspect_weeks_are_dropped_whole(small):
    found = set(load_upworthy(small, drop_suspect_weeks=False).tests)
    assert found == {"t1", "t3", "t4", "t5", "t6"}
    assert set(load_upworthy(small).tests) == {"t1", "t3", "t6"}


def test_tests_of_one_headline_are_kept_when_asked_for(small):
    assert "t2" in load_upworthy(small, min_headlines=1).tests
    assert len(load_upworthy(small, min_headlines=3).data) == 0


@pytest.mark.parametrize(
    "name",
    [
        "upworthy.csv.gz",
        "headlines/upworthy.csv.gz",
        "headlines/upworthy-archive-exploratory-packages-03.12.2020.csv",
    ],
)
def test_where_the_file_may_be(tmp_path, monkeypatch, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as file:
        file.write(ROWS)
    assert len(load_upworthy(str(tmp_path)).data) == 6
    monkeypatch.setenv("SKLEARN_HYPO_DATA", str(tmp_path))
    assert len(load_upworthy().data) == 6


def test_absent_file_says_where_it_comes_from_and_where_to_put_it(
    tmp_path, monkeypatch
):
    with pytest.raises(DatasetNotFoundError) as caught:
        load_upworthy(tmp_path)
    for part in (str(tmp_path), "upworthy.natematias.com", "SKLEARN_HYPO_DATA"):
        assert part in str(caught.value)
    monkeypatch.delenv("SKLEARN_HYPO_DATA", raising=False)
    with pytest.raises(DatasetNotFoundError, match="no folder to look in"):
        load_upworthy()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "lacks the column.s. clickability_test_id, headline"),
        ("", "cannot be read as CSV"),
        (ROWS.replace("300,5", "300,many"), "column clicks .* holds 'many'"),
        (ROWS.replace("300,5", "-3,5"), "column impressions .* holds '-3'"),
        (ROWS.replace("300,5", "300,0.5"), "column clicks .* holds '0.5'"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "upworthy.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_upworthy(tmp_path)
    (tmp_path / "upworthy.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="cannot be read"):
        load_upworthy(tmp_path)


@needs_headlines
def test_real_headlines():
    headlines = load_upworthy()
    assert headlines.data.shape == (9058,)
    assert len(set(headlines.tests)) == 2066
    assert not ((headlines.weeks >= 201326) & (headlines.weeks <= 201402)).any()
    assert np.all(headlines.clicks <= headlines.impressions)
    every = load_upworthy(drop_suspect_weeks=False, min_headlines=1)
    assert len(set(every.tests)) == 4873
    assert every.frame["packages"].sum() == 22666


@needs_headlines
def test_real_pairs_and_the_groups_to_split_them_by():
    headlines = load_upworthy()
    rows = pairs_within(
        headlines.data,
        headlines.clicks,
        headlines.tests,
        trials=headlines.impressions,
        random_state=0,
    )
    assert rows["row"].is_unique
    assert set(rows["contest"]) == set(headlines.tests)
    groups = join_groups(rows["text"], rows["contest"])
    assert len(set(groups)) < 2066  # some headlines are in several tests
    assert np.bincount(groups).max() < 200
