"""Pairs from tables and contests, and groups that keep things together."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._data_preparation._contests import pairs_within
from sklearn_hypo._data_preparation._groups import join_groups
from sklearn_hypo._data_preparation._pairs import make_pairs
from sklearn_hypo.exceptions import HypothesisWarning

TEXTS = [("a0", "b0"), ("a1", "b1"), ("a2", "b2")]


def targets(rows):
    """The targets, a pair per row."""
    return rows["target"].to_numpy().reshape(-1, 2).tolist()


# make_pairs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "winner",
    [
        ["a", "b", "a"],
        [True, False, True],
        np.array([True, False, True]),
        [1, 0, 1],
        [1.0, 0.0, 1.0],
        pd.Series(["a", "b", "a"], index=[7, 8, 9], dtype="category"),
    ],
)
def test_winners_of_every_kind(winner):
    rows = make_pairs(TEXTS, winner)
    assert rows["text"].tolist() == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert targets(rows) == [[1, 0], [0, 1], [1, 0]]
    assert rows["pair"].tolist() == [0, 0, 1, 1, 2, 2]
    assert rows["target"].dtype == rows["pair"].dtype == np.int64
    assert rows.index.tolist() == list(range(6))


def test_differences():
    rows = make_pairs(TEXTS, difference=[0.5, -2, 3])
    assert targets(rows) == [[1, 0], [0, 1], [1, 0]]


def test_own_labels_win_over_what_numbers_usually_mean():
    rows = make_pairs(TEXTS, [1, 2, 1], labels=(1, 2))
    assert targets(rows) == [[1, 0], [0, 1], [1, 0]]
    rows = make_pairs(TEXTS, [0, 1, 0], labels=(0, 1))
    assert targets(rows) == [[1, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    "texts",
    [
        pd.DataFrame(TEXTS, index=[3, 4, 5]),
        pl.DataFrame(TEXTS, orient="row"),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        list(map(list, TEXTS)),
        [*TEXTS],
    ],
)
def test_two_columns_of_every_kind(texts):
    rows = make_pairs(texts, ["a", "b", "a"])
    assert rows["text"].tolist() == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_what_is_left_out_is_counted_once():
    texts = [
        ("x", "y"),
        (None, "y"),
        ("x", "  "),
        ("same", " same "),
        ("x", "z"),
        ("x", "w"),
        (np.nan, np.nan),
        ("p", "q"),
    ]
    winner = ["b", "a", "tie", "a", None, "Tie (both bad)", "a", "a"]
    with pytest.warns(HypothesisWarning) as caught:
        rows = make_pairs(texts, winner)
    assert [str(each.message) for each in caught] == [
        "make_pairs left out 6 of 8 pairs: 3 with a missing or blank text, 1 of "
        "identical texts, 2 without a winner (ties)."
    ]
    assert caught[0].filename == __file__
    assert rows["text"].tolist() == ["x", "y", "p", "q"]
    # the numbers still lead back to the table
    assert rows["pair"].tolist() == [0, 0, 7, 7]
    assert targets(rows) == [[0, 1], [1, 0]]


def test_ties_of_differences():
    with pytest.warns(HypothesisWarning, match=r"2 of 3 pairs: 2 without a winner"):
        rows = make_pairs(TEXTS, difference=[0, 1, np.nan])
    assert rows["pair"].tolist() == [1, 1]


def test_groups_are_carried_along():
    rows = make_pairs(
        TEXTS, [1, 0, 1], group=pd.Series(["u", "v", "u"], index=[5, 6, 7])
    )
    assert rows["group"].tolist() == ["u", "u", "v", "v", "u", "u"]
    more = pd.DataFrame({"test": [1, 2, 3], "week": ["m", "n", "o"]}, index=[9, 9, 9])
    with pytest.warns(HypothesisWarning):
        rows = make_pairs(TEXTS, ["a", "tie", "b"], group=more)
    assert rows.columns.tolist() == ["text", "target", "pair", "test", "week"]
    assert rows["test"].tolist() == [1, 1, 3, 3]
    assert rows["week"].tolist() == ["m", "m", "o", "o"]


def test_nothing_is_said_when_nothing_is_left_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_pairs(TEXTS, [1, 0, 1])
        pairs_within(["a", "b"], [1, 2], [0, 0])


@pytest.mark.parametrize(
    ("texts", "arguments", "message"),
    [
        (TEXTS, {}, "exactly one of winner and difference"),
        (TEXTS, {"winner": [1, 0, 1], "difference": [1, 0, 1]}, "exactly one"),
        (TEXTS, {"winner": ["a", "c", "left"]}, "holds 'c', 'left', but only 'a' and"),
        (TEXTS, {"winner": [0.5, -1, 2]}, "Pass scores as difference"),
        (TEXTS, {"winner": [1, 0]}, "winner has 2 entries for 3 pairs"),
        (TEXTS, {"difference": [1, 0]}, "difference has 2 entries for 3 pairs"),
        (TEXTS, {"difference": ["x", 0, 1]}, "difference must hold numbers"),
        (TEXTS, {"difference": [np.inf, 0, 1]}, "infinite"),
        (TEXTS, {"winner": [1, 0, 1], "group": [1]}, "group has 1 entries"),
        (TEXTS, {"winner": "aba", "labels": ("a", "a")}, "two different labels"),
        (TEXTS, {"winner": [None] * 3}, "none of 3 pairs is left .3 without a winner"),
        (["one", "two"], {"winner": [1, 0]}, "two columns"),
        ([], {"winner": []}, "none of 0 pairs is left"),
        (pd.DataFrame({"t": ["x"]}), {"winner": [1]}, "two columns.* shape .1, 1."),
    ],
)
def test_what_make_pairs_refuses(texts, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_pairs(texts, **arguments)


def test_columns_of_the_result_cannot_be_carried():
    with pytest.raises(ValueError, match="column 'pair'"):
        make_pairs(TEXTS, [1, 0, 1], group=pd.DataFrame({"pair": [1, 2, 3]}))


def test_texts_must_be_texts():
    with pytest.raises(TypeError, match="holds 3, of type int"):
        make_pairs([("x", 3)], [1])
    with pytest.raises(TypeError, match="pairs_within: texts holds b'y'"):
        pairs_within(["x", b"y"], [1, 2], [0, 0])


# pairs_within ---------------------------------------------------------------------


@pytest.fixture
def contests():
    """Contests of 1, 2, 5 and 4 texts, in no order."""
    rng = np.random.RandomState(0)
    contest = np.repeat(["one", "two", "five", "four"], [1, 2, 5, 4])
    order = rng.permutation(12)
    texts = np.array([f"text {i}" for i in range(12)], dtype=object)
    return texts, rng.permutation(12) / 10, contest[order]


def check(rows, texts, scores, contest):
    """What holds however pairs are made."""
    assert rows["text"].tolist() == texts[rows["row"]].tolist()
    assert rows["score"].tolist() == scores[rows["row"]].tolist()
    assert rows["contest"].tolist() == contest[rows["row"]].tolist()
    for _, pair in rows.groupby("pair"):
        assert len(pair) == 2
        assert len(set(pair["contest"])) == 1
        assert pair["row"].is_monotonic_increasing
        won, lost = pair[pair["target"] == 1], pair[pair["target"] == 0]
        assert won["score"].item() > lost["score"].item()
    assert rows["pair"].tolist() == np.repeat(np.arange(len(rows) // 2), 2).tolist()


def test_disjoint_pairs_repeat_no_row(contests):
    rows = pairs_within(*contests, random_state=0)
    check(rows, *contests)
    assert rows["contest"].value_counts().to_dict() == {"two": 2, "five": 4, "four": 4}
    assert rows["row"].is_unique


def test_disjoint_pairs_are_drawn_with_the_seed(contests):
    first, again = (pairs_within(*contests, random_state=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    drawn = {tuple(pairs_within(*contests, random_state=i)["row"]) for i in range(20)}
    assert len(drawn) > 10


def test_every_pair_is_as_likely():
    contest = np.repeat(np.arange(600), 4)
    rows = pairs_within(list("abcd") * 600, [1, 2, 3, 4] * 600, contest, random_state=0)
    counts = np.zeros((4, 4))
    np.add.at(counts, tuple(rows["row"].to_numpy().reshape(-1, 2).T % 4), 1)
    assert np.all(np.abs(counts[np.triu_indices(4, 1)] - 200) < 45)  # 4 sd


def test_extremes(contests):
    rows = pairs_within(*contests, how="extremes")
    check(rows, *contests)
    assert rows["contest"].value_counts().to_dict() == {"two": 2, "five": 2, "four": 2}
    _, scores, contest = contests
    for name, pair in rows.groupby("contest"):
        inside = scores[contest == name]
        assert sorted(pair["score"]) == [inside.min(), inside.max()]


def test_all_pairs(contests):
    rows = pairs_within(*contests, how="all")
    check(rows, *contests)
    pairs = rows["contest"].value_counts() // 2
    assert pairs.to_dict() == {"five": 10, "four": 6, "two": 1}
    assert len(set(map(tuple, rows["row"].to_numpy().reshape(-1, 2)))) == 17


@pytest.mark.parametrize("how", ["disjoint", "extremes", "all"])
def test_ties_and_twins_are_counted(how):
    texts = ["p", "q", "same", "same", "u", "v"]
    with pytest.warns(HypothesisWarning) as caught:
        rows = pairs_within(texts, [1, 1, 2, 3, 4, 5], list("aabbcc"), how=how)
    assert str(caught[0].message) == (
        "pairs_within left out 2 of 3 pairs: 1 of identical texts, 1 with equal scores."
    )
    assert caught[0].filename == __file__
    assert rows["text"].tolist() == ["u", "v"]


def test_smallest_difference():
    arguments = (list("abcd"), [1.0, 1.5, 2.0, 3.0], [0, 0, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what is asked for needs no warning
        rows = pairs_within(*arguments, min_difference=0.75)
        assert len(pairs_within(*arguments, min_difference=0.5)) == 4
    assert rows["contest"].tolist() == [1, 1]
    with pytest.raises(ValueError, match="2 with too small a difference"):
        pairs_within(*arguments, min_difference=2)


def test_significance_is_that_of_the_two_proportion_test():
    """Against the textbook's example: 60/200 and 90/200, z = 3.098."""
    pooled = 150 / 400
    z = (90 - 60) / 200 / np.sqrt(pooled * (1 - pooled) * 2 / 200)
    p = 2 * norm.sf(z)
    assert z == pytest.approx(3.098, abs=1e-3)
    arguments = (["x", "y"], [60, 90], [0, 0])
    rows = pairs_within(*arguments, trials=[200, 200], max_p=p * 1.001)
    assert rows["score"].tolist() == [0.3, 0.45]
    with pytest.raises(ValueError, match="none of 1 pairs is left"):
        pairs_within(*arguments, trials=[200, 200], max_p=p * 0.999)


def test_rates_decide_where_there_are_trials():
    rows = pairs_within(["x", "y"], [10, 20], [0, 0], trials=[100, 1000])
    assert rows["target"].tolist() == [1, 0]
    assert rows["score"].tolist() == [0.1, 0.02]


def test_rows_without_something_are_counted():
    texts = ["a", None, "c", "d", "e", " "]
    scores = [1, 2, np.nan, 4, 5, 6]
    contest = ["k", "k", "k", "k", None, "k"]
    with pytest.warns(HypothesisWarning, match="left out 4 of 6 rows") as caught:
        rows = pairs_within(texts, scores, contest)
    assert caught[0].filename == __file__
    assert rows["row"].tolist() == [0, 3]


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((["a", "b"], [1], [0, 0]), {}, "scores has 1 entries for 2 texts"),
        ((["a", "b"], [1, 2], [0]), {}, "contest has 1 entries"),
        ((["a", "b"], [1, 2], [0, 1]), {}, "none of 0 pairs is left"),
        ((["a", "b"], [1, 1], [0, 0]), {}, "1 with equal scores"),
        ((["a", "b"], ["x", 1], [0, 0]), {}, "scores must hold numbers"),
        ((["a", "b"], [1, 2], [0, 0]), {"max_p": 0.05}, "max_p needs trials"),
        ((["a", "b"], [1, 2], [0, 0]), {"trials": [1, 1]}, "between 0 and trials"),
        ((["a", "b"], [1, 2], [0, 0]), {"trials": [3, 0]}, "must be positive"),
        ((["a", "b"], [1, 2], [0, 0]), {"how": "best"}, "'how' parameter"),
        ((["a", "b"], [1, 2], [0, 0]), {"min_difference": -1}, "'min_difference'"),
    ],
)
def test_what_pairs_within_refuses(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        pairs_within(*arguments, **keywords)


# Splitting ------------------------------------------------------------------------


def test_splitters_keep_pairs_and_contests_together(contests):
    rows = pairs_within(*contests, how="all")
    for train, test in GroupKFold(3).split(rows, groups=rows["contest"]):
        assert not set(rows["row"].iloc[train]) & set(rows["row"].iloc[test])
    pairs = make_pairs(TEXTS, [1, 0, 1])
    splitter = GroupShuffleSplit(5, test_size=0.4, random_state=0)
    for train, test in splitter.split(pairs, groups=pairs["pair"]):
        assert not set(pairs["pair"].iloc[train]) & set(pairs["pair"].iloc[test])


def test_joined_groups_are_the_components_of_a_graph():
    rng = np.random.RandomState(0)
    labels = [rng.randint(60, size=80).tolist() for _ in range(3)]
    groups = join_groups(*labels)
    # the same by brute force: spread the smallest number until nothing changes
    slow = np.arange(80)
    for _ in range(80):
        for each in labels:
            slow = pd.Series(slow).groupby(each).transform("min").to_numpy()
    assert groups.tolist() == pd.factorize(slow)[0].tolist()
    assert groups.dtype == np.int64


def test_one_grouping_stays_what_it_is_and_missing_labels_link_nothing():
    assert join_groups(["b", "a", "b"]).tolist() == [0, 1, 0]
    assert join_groups([None, None, "x", np.nan], [1, 2, 3, 3]).tolist() == [0, 1, 2, 2]
    assert join_groups([], []).tolist() == []


def test_labels_of_two_groupings_are_not_confused():
    assert join_groups([0, 1, 2], [1, 2, 0]).tolist() == [0, 1, 2]


def test_what_join_groups_refuses():
    with pytest.raises(ValueError, match="at least one"):
        join_groups()
    with pytest.raises(ValueError, match=r"differ in length \(1, 2\)"):
        join_groups([1, 2], [1])


# Together with the test of hypotheses ----------------------------------------------


def test_a_planted_effect_is_found_in_pairs():
    """Contests differ in level by far more than the texts in them do."""
    rng = np.random.RandomState(0)
    contest = np.repeat(np.arange(300), 4)
    has_it = rng.binomial(1, 0.3, 1200)
    is_noise = rng.binomial(1, 0.3, 1200)
    scores = 5 * rng.normal(size=300)[contest] + has_it + rng.normal(size=1200)
    texts = [f"text {i}" for i in range(1200)]
    rows = pairs_within(texts, scores, contest, how="all")
    annotations = np.column_stack([has_it, is_noise])[rows["row"]]
    report = evaluate_annotations(
        annotations,
        rows["target"],
        names=["has it", "is noise"],
        pairs=rows["pair"],
        groups=rows["contest"],
        n_resamples=0,
    )
    assert (report.n_pairs, report.n_groups) == (1800, 300)
    assert report.table["significant"].tolist() == [True, False]
    # P(win) where one of two has it: P(N(1, 2) > 0) = 0.76, so 0.52 more than half
    separation = report.table["separation"][0]
    assert abs(separation - 0.52) < 4 * report.table["separation_se"][0]
