"""Targets from files: numbers, classes, orders, and what is asked about."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from written_targets import read_target, write_target

from sklearn_hypo._reading._labelled_texts import read_labelled_texts
from sklearn_hypo._reading._ordinal import load_scales
from sklearn_hypo.exceptions import InputError


def refuses(tmp_path, values, match, **settings):
    with pytest.raises(InputError, match=match) as error:
        read_target(tmp_path, values, **settings)
    return str(error.value)


# Classes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["yes", "no"] * 5, ["no", "yes"]),
        (["True", "False"] * 5, ["False", "True"]),
        ([True, False] * 5, ["False", "True"]),
        (["left", "right", "centre"] * 5, ["centre", "left", "right"]),
    ],
)
def test_a_few_words_are_classes(tmp_path, values, classes, name):
    rows = read_target(tmp_path, values, name)
    assert rows.target.tolist() == list(map(str, values))
    counts = ", ".join(f"'{label}' (5)" for label in classes)
    expected = f"the target column 'y' holds {len(classes)} classes: {counts}."
    assert rows.notes == (expected,)


def test_truth_as_a_quantity_is_1_and_0(tmp_path):
    for values in ([True, False, True], ["TRUE", "false", "True"]):
        rows = read_target(tmp_path, values, "t.jsonl", task="regression")
        assert rows.target.tolist() == [1, 0, 1]
        assert "True is taken as 1" in rows.notes[0]


def test_spellings_are_one_class(tmp_path):
    values = ["Yes"] * 3 + ["yes "] * 2 + ["YES"] + ["no"] * 4 + ["n o", "n  o"]
    rows = read_target(tmp_path, values)
    assert sorted(set(rows.target)) == ["Yes", "n  o", "no"]
    assert (rows.target == "Yes").sum() == 6
    assert "3 'Yes', 2 'yes', 1 'YES' as 'Yes'" in rows.notes[0]
    assert "--map-file" in rows.notes[0]
    apart = read_target(tmp_path, ["m", "M"] * 3, mapping={"m": 0, "M": 1})
    assert apart.target.tolist() == [0, 1] * 3


def test_composed_and_decomposed_letters_are_one_class(tmp_path):
    rows = read_target(tmp_path, ["é", "e\u0301", "é", "é\u200b", "b"] * 2)
    assert sorted(set(rows.target)) == ["b", "é"]


def test_1_and_1_0_are_one_class(tmp_path):
    for values in (["1", "1.0", "0"], [1, 1.0, 0]):
        rows = read_target(tmp_path, values, "t.jsonl", task="classification")
        assert rows.target.tolist() == [1, 1, 0]
    rows = read_target(tmp_path, ["1", "1.0", "x"] * 2, task="classification")
    assert rows.target.tolist() == ["1", "1", "x"] * 2


def test_labels_that_became_floats_because_one_was_missing(tmp_path):
    frame = pd.DataFrame({"text": list("abc"), "y": [1, 0, None]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    rows = read_labelled_texts(tmp_path / "t.csv", "text", "y")
    assert rows.target.tolist() == [1, 0]
    assert rows.target.dtype.kind == "i"


def test_free_text_is_no_class(tmp_path):
    values = [f"a remark on matter {i}" for i in range(30)]
    said = refuses(tmp_path, values, "looks like free text", task="auto")
    assert "30 different values in 30 rows" in said
    assert "--target" in said


def test_many_words_are_classes_if_asked_for(tmp_path):
    values = [f"place {chr(65 + i)}{chr(97 + i)}" for i in range(25)] * 4
    said = refuses(tmp_path, values, "holds 25 different words")
    assert "--task classification" in said
    rows = read_target(tmp_path, values, task="classification")
    assert rows.target.tolist() == values


def test_words_among_numbers_are_named(tmp_path):
    values = ["3", "4", "refused", "5", "not asked", "1", "2"]
    said = refuses(tmp_path, values, "5 numbers and 2 values that are no number")
    assert "'refused', 'not asked' (row 3)" in said
    assert "--missing 'refused,not asked'" in said
    rows = read_target(tmp_path, values, missing=["refused", "not asked"])
    assert rows.target.tolist() == [3, 4, 5, 1, 2]
    assert rows.dropped["without_target"] == 2


def test_infinite_values_are_named(tmp_path):
    for values in (["1", "inf", "2", "-inf"], [1, float("inf"), 2, float("-inf")]):
        with pytest.raises(InputError, match=r"infinite values \(row 2\).*inf,-inf"):
            read_target(tmp_path, values, "t.jsonl")
        rows = read_target(tmp_path, values, "t.jsonl", missing=["inf", "-inf"])
        assert rows.target.tolist() == [1, 2]


def test_messages_cut_what_they_quote(tmp_path):
    values = ["x" * 500 + str(i) for i in range(30)]
    said = refuses(tmp_path, values, "free text")
    assert "x" * 39 + "…'" in said
    assert len(said) < 300


# Orders ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["★★★☆☆", "★☆☆☆☆", "★★★★★"], [3, 1, 5]),
        (["⭐", "⭐⭐⭐", "⭐⭐"], [1, 3, 2]),
        (["★", "★★½", "★★★☆☆"], [1, 2.5, 3]),
        (["5 stars", "1 star", "3 stars"], [5, 1, 3]),
        (["Strongly agree", "agree", "Neutral", "disagree"], [5, 4, 3, 2]),
        (["strongly agree", "AGREE ", "Disagree", "strongly  disagree"], [4, 3, 2, 1]),
        (["somewhat agree", "agree", "disagree"], [5, 6, 2]),
        (["never", "always", "sometimes"], [1, 5, 3]),
        (["very unlikely", "likely", "very likely"], [1, 3, 4]),
        (["poor", "fair", "excellent", "very good"], [1, 2, 5, 4]),
        (["very dissatisfied", "satisfied", "neutral"], [1, 4, 3]),
        (["stimme voll und ganz zu", "teils/teils", "stimme nicht zu"], [5, 3, 2]),
        (["nie", "manchmal", "immer"], [1, 3, 5]),
        (["totalmente de acuerdo", "en desacuerdo", "neutral"], [5, 2, 3]),
        (["nunca", "a veces", "siempre"], [1, 3, 5]),
        (["tout à fait d’accord", "pas d'accord", "neutre"], [5, 2, 3]),
        (["jamais", "souvent", "toujours"], [1, 4, 5]),
        (["1 - not at all", "2", "3", "5 (very much)"], [1, 2, 3, 5]),
        (["0: never", "1: sometimes", "2: always"], [0, 1, 2]),
        (["Strongly disagree (1)", "Neutral (3)", "Strongly agree (5)"], [1, 3, 5]),
        (["not at all (0)", "1", "2", "very much [3]"], [0, 1, 2, 3]),
    ],
)
def test_orders_become_numbers(tmp_path, values, numbers):
    rows = read_target(tmp_path, values)
    assert rows.target.tolist() == numbers
    if "5 stars" not in values:
        top = values[int(np.argmax(numbers))].strip()
        assert f"'{top}' is {max(numbers)}" in rows.notes[0]
        assert "--task classification" in rows.notes[0]
    classes = read_target(tmp_path, values, task="classification")
    assert sorted(set(classes.target)) == sorted(each.strip() for each in values)


@pytest.mark.parametrize(
    "values",
    [
        ["agree", "disagree"] * 2,  # two are classes
        ["never", "always", "it depends"] * 2,  # not on the scale
        ["often", "usually", "frequently"] * 2,  # two on one level
        ["never", "agree", "good"] * 2,  # of different scales
        ["nie", "sometimes", "toujours"] * 2,  # of different languages
        ["1 - north", "2 - south", "3 - west"] * 2,  # codes, not an order
        ["north (1)", "south (2)", "west (3)"] * 2,
    ],
)
def test_words_that_are_in_no_known_order_are_classes(tmp_path, values):
    rows = read_target(tmp_path, values)
    assert rows.target.tolist() == values


def test_a_scale_but_for_a_few_answers_is_named(tmp_path):
    values = ["agree", "disagree", "neutral", "don't know, yet"] * 2
    rows = read_target(tmp_path, values)
    assert rows.target.tolist() == values
    assert "would be a scale of answers without 'don't know, yet'" in rows.notes[1]
    rows = read_target(tmp_path, values, missing=["don't know, yet"])
    assert rows.target.tolist() == [4, 2, 3] * 2


def test_the_guide_has_every_scale():
    guide = Path(__file__).resolve().parents[2] / "docs" / "guide" / "targets.md"
    text = guide.read_text(encoding="utf-8").casefold()
    for scale in load_scales():
        first = {number: label for label, number in reversed(scale.items())}
        assert ", ".join(first[n] for n in sorted(first)) in text


def test_scales_run_from_1_without_gaps():
    for scale in load_scales():
        assert sorted(set(scale.values())) == list(range(1, max(scale.values()) + 1))


@pytest.mark.parametrize("form", ["table", "t.parquet", "t.dta"])
def test_labels_of_a_typed_column_are_ordered_as_their_scale(tmp_path, form):
    pytest.importorskip("pyarrow")
    labels = ["never", "sometimes", "always"]
    answers = pd.Categorical(labels * 2, categories=labels, ordered=True)
    plan = pd.Categorical(["b", "a", "c"] * 2, categories=["c", "b", "a"], ordered=True)
    texts = [f"text {i}" for i in range(6)]
    source = pd.DataFrame({"text": texts, "y": answers, "plan": plan})
    if form == "t.parquet":
        source.to_parquet(tmp_path / form)
    elif form == "t.dta":
        source.to_stata(tmp_path / form, write_index=False)
    source = source if form == "table" else tmp_path / form
    rows = read_labelled_texts(source, "text", "y")
    assert rows.target.tolist() == [1, 3, 5] * 2
    rows = read_labelled_texts(source, "text", "plan")
    assert rows.target.tolist() == ["b", "a", "c"] * 2


# Counts ---------------------------------------------------------------------------


def test_counts_are_noted_with_what_becomes_of_them(tmp_path):
    values = [0] * 10 + [1, 2, 3, 1, 500]
    rows = read_target(tmp_path, values)
    assert rows.target.tolist() == values
    assert "looks like counts: whole numbers up to 500, 67% of them 0" in rows.notes[0]
    assert "Unless --target-kind is quantity" in rows.notes[0]
    for others in ([0, 1] * 5, [-1, 0, 500], [0.5, 0, 500], [1, 2, 5] * 3):
        assert read_target(tmp_path, others).notes == ()


# Covariates -----------------------------------------------------------------------


def test_covariates_are_read_as_targets_are(tmp_path):
    n = 6
    path = write_target(
        tmp_path / "t.csv",
        list(range(n)),
        price=["1,5 €", "2,5 €", "3,5 €"] * 2,
        age=["30", "-99", "40", "-99", "35", "30"],
        place=["North", "north ", "South"] * 2,
        day=["2024-01-01", "2024-01-03", "2024-01-02"] * 2,
    )
    names = ["price", "age", "place", "day"]
    rows = read_labelled_texts(path, "text", "y", covariates=names)
    assert rows.dropped["without_covariate"] == 2
    assert rows.covariates["price"].tolist() == [1.5, 3.5, 2.5, 3.5]
    assert rows.covariates["age"].tolist() == [30, 40, 35, 30]
    assert rows.covariates["place"].nunique() == 2
    assert rows.covariates["day"].tolist() == [0, 1, 2, 1]
    said = " ".join(rows.notes)
    for part in ("unit '€'", "2 values of -99", "spellings", "days since the first"):
        assert part in said


def test_covariates_in_two_conventions_are_refused(tmp_path):
    path = write_target(tmp_path / "t.csv", [1, 2, 3], price=["1,234", "5,678", "7"])
    with pytest.raises(InputError, match="the covariate 'price' holds '1,234', which"):
        read_labelled_texts(path, "text", "y", covariates=["price"])
    rows = read_labelled_texts(path, "text", "y", covariates=["price"], decimal=".")
    assert rows.covariates["price"].tolist() == [1234, 5678, 7]


def test_covariates_with_many_units_are_categories(tmp_path):
    path = write_target(tmp_path / "t.csv", [1, 2, 3], time=["5 min", "1 h", "6 min"])
    rows = read_labelled_texts(path, "text", "y", covariates=["time"])
    assert rows.covariates["time"].tolist() == ["5 min", "1 h", "6 min"]
    assert "2 'min', 1 'h': each value is taken as a category" in rows.notes[0]


def test_words_among_the_numbers_of_a_covariate_are_named(tmp_path):
    path = write_target(tmp_path / "t.csv", [1, 2, 3, 4], age=["30", "40", "?!", "50"])
    rows = read_labelled_texts(path, "text", "y", covariates=["age"])
    assert rows.covariates["age"].tolist() == ["30", "40", "?!", "50"]
    assert "the covariate 'age' holds numbers beside '?!'" in rows.notes[0]
    rows = read_labelled_texts(path, "text", "y", covariates=["age"], missing=["?!"])
    assert rows.covariates["age"].tolist() == [30, 40, 50]


def test_dates_of_a_covariate_without_an_order_are_refused(tmp_path):
    path = write_target(tmp_path / "t.csv", [1, 2], day=["01/02/2024", "03/04/2024"])
    with pytest.raises(InputError, match="Write them as 2024-12-31"):
        read_labelled_texts(path, "text", "y", covariates=["day"])


def test_notes_are_values_for_json(tmp_path):
    rows = read_target(tmp_path, ["yes", "no"] * 3)
    assert json.loads(json.dumps(rows.notes)) == list(rows.notes)
