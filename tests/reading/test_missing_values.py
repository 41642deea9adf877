"""Markers and codes that stand for "no value": counted, said, never values."""

import pytest
from written_targets import read_target, write_target

from sklearn_hypo._reading._labelled_texts import read_labelled_texts
from sklearn_hypo.exceptions import InputError

MARKED = ["NA", "N/A", "#N/A", "#VALUE!", "NULL", "null", "nan", ".", "-", "--", "?"]


@pytest.mark.parametrize("marker", [*MARKED, "None", "#DIV/0!", "<NA>", "—", " na "])
def test_markers_are_missing_and_counted(tmp_path, marker):
    for values, kept in (
        (["1", marker, "2", marker, "3"], [1, 2, 3]),
        (["yes", marker, "no", marker, "yes"], ["yes", "no", "yes"]),
    ):
        rows = read_target(tmp_path, values)
        assert rows.target.tolist() == kept
        assert rows.dropped["without_target"] == 2
        expected = f"2 of 5 values are taken as missing: 2 '{marker.strip()}'."
        assert expected in rows.notes[0]
        assert "--missing ''" in rows.notes[0]


def test_empty_cells_are_missing_without_a_word(tmp_path):
    rows = read_target(tmp_path, ["1", "", "2", "  ", "3"])
    assert rows.notes == ()
    assert rows.dropped["without_target"] == 2


def test_a_class_that_is_called_like_a_marker_can_be_kept(tmp_path):
    values = ["None", "mild", "severe", "NA", "mild", "None", ""]
    rows = read_target(tmp_path, values)
    assert sorted(set(rows.target)) == ["mild", "severe"]
    rows = read_target(tmp_path, values, missing=[""])
    assert sorted(set(rows.target)) == ["NA", "None", "mild", "severe"]
    assert rows.dropped["without_target"] == 1
    rows = read_target(tmp_path, values, missing=["", "NA"])
    assert sorted(set(rows.target)) == ["None", "mild", "severe"]
    mapping = {"none": 0, "mild": 1, "severe": 2}
    rows = read_target(tmp_path, values, mapping=mapping)
    assert rows.target.tolist() == [0, 1, 2, 1, 0]


def test_what_the_user_names_is_missing_too(tmp_path):
    values = ["1", "k.A.", "2", "NA", "K.A.", "3"]
    for named in (["k.a."], "k.a."):
        rows = read_target(tmp_path, values, missing=named)
        assert rows.target.tolist() == [1, 2, 3]
    assert "3 of 6 values are taken as missing: 1 'k.A.', 1 'NA', 1" in rows.notes[0]


def test_numbers_named_as_missing_are_compared_as_numbers(tmp_path):
    for values in (["1", "-1", "2", "-1.0", "3"], [1, -1, 2, -1.0, 3]):
        rows = read_target(tmp_path, values, "t.jsonl", missing=["-1"])
        assert rows.target.tolist() == [1, 2, 3]


@pytest.mark.parametrize("code", [-8, -99, -999, 77, 98, 99, 999])
def test_codes_far_outside_of_the_scale_are_missing(tmp_path, code):
    rows = read_target(tmp_path, [1, 5, code, 3, code, 2])
    assert rows.target.tolist() == [1, 5, 3, 2]
    assert f"2 values of {code}, far outside of the others (1 to 5)" in rows.notes[0]
    assert rows.dropped["without_target"] == 2
    kept = read_target(tmp_path, [1, 5, code, 3, code, 2], missing=[""])
    assert code in kept.target.tolist()


@pytest.mark.parametrize("codes", [(77, 88, 99), (97, 98, 99), (-7, -8, -9)])
def test_several_codes_are_missing(tmp_path, codes):
    rows = read_target(tmp_path, [1, 5, *codes, 3, *codes, 2])
    assert rows.target.tolist() == [1, 5, 3, 2]
    for code in codes:
        assert any(f"2 values of {code}, far outside" in note for note in rows.notes)
    kept = read_target(tmp_path, [1, 5, *codes, 3, *codes, 2], missing=[""])
    assert kept.target.tolist() == [1, 5, *codes, 3, *codes, 2]


def test_codes_among_ages(tmp_path):
    ages = list(range(20, 70))
    rows = read_target(tmp_path, [*ages, 999, 999])
    assert rows.target.tolist() == ages
    assert "2 values of 999, far outside of the others (20 to 69)" in rows.notes[0]


def test_codes_beside_a_decimal_comma(tmp_path):
    for code in ("-99", "-99,0", "−99,00"):
        rows = read_target(tmp_path, ["1,5", code, "2,5", code])
        assert rows.target.tolist() == [1.5, 2.5]


def test_a_code_that_stands_once_is_kept_and_named(tmp_path):
    rows = read_target(tmp_path, [1, 5, -99, 3])
    assert rows.target.tolist() == [1, 5, -99, 3]
    assert "the value -99 stands once" in rows.notes[0]
    assert "--missing=-99" in rows.notes[0]
    rows = read_target(tmp_path, [1, 5, -99, 3], missing=["-99"])
    assert rows.target.tolist() == [1, 5, 3]


@pytest.mark.parametrize(
    "values",
    [
        [90, 99, 95, 99, 100],  # on the scale
        [*range(0, 75, 3), 99, 99],  # not far from counts
        [*range(20, 50), 99, 99],  # more values than a scale has
        [1, 99, 99, 1],  # two values
        [95, 96, 97, 98, 99, 98, 97, 99],  # degrees
        [20, 25, 31, 77, 77, 40, 88, 88],  # ages
        [-150, -99, -99, 0, 20],
    ],
)
def test_codes_that_may_be_values_are_values(tmp_path, values):
    rows = read_target(tmp_path, values)
    assert rows.target.tolist() == values


def test_numbers_of_groups_are_no_codes(tmp_path):
    groups = ["1", "2", "999", "999", "-"]
    path = write_target(tmp_path / "t.csv", [1, 2, 3, 4, 5], author=groups)
    rows = read_labelled_texts(path, "text", "y", groups="author")
    assert rows.clusters.tolist() == groups[:4]
    assert rows.dropped["without_group"] == 1
    assert "the group column 'author'" in rows.notes[0]


def test_a_column_of_markers_says_so(tmp_path):
    with pytest.raises(InputError, match=r"is empty.*taken as missing: 4 '-'"):
        read_target(tmp_path, ["-"] * 4)


def test_a_minus_beside_a_plus_is_a_class(tmp_path):
    rows = read_target(tmp_path, ["+", "-"] * 3)
    assert rows.target.tolist() == ["+", "-"] * 3
    assert "2 classes: '+' (3), '-' (3)" in rows.notes[0]


def test_what_is_taken_as_missing_is_said_with_an_error(tmp_path):
    with pytest.raises(InputError, match=r"one and the same value, 'x'.*2 'none'"):
        read_target(tmp_path, ["x", "none", "x", "none"])


# Texts ----------------------------------------------------------------------------


def test_markers_are_no_texts(tmp_path):
    texts = ["[deleted]", "NA", "nan", "[removed]", *(f"text {i}" for i in range(12))]
    path = write_target(tmp_path / "t.csv", list(range(16)), texts)
    rows = read_labelled_texts(path, "text", "y")
    assert rows.texts.tolist() == texts[4:]
    assert rows.dropped["without_text"] == 4
    expected = (
        "the text column 'text': 4 of 16 values are taken as missing: "
        "1 '[deleted]', 1 'NA', 1 'nan', 1 '[removed]'. "
        "To keep them as values: --missing ''."
    )
    assert rows.notes == (expected,)
    rows = read_labelled_texts(path, "text", "y", missing=[""])
    assert rows.texts.tolist() == texts


def test_short_texts_are_texts_or_counted(tmp_path):
    texts = ["no", ".", "none of it", "ok"]
    path = write_target(tmp_path / "t.csv", [1, 2, 3, 4], texts)
    rows = read_labelled_texts(path, "text", "y")
    assert rows.texts.tolist() == ["no", "none of it", "ok"]
    assert "1 of 4 values is taken as missing: 1 '.'" in rows.notes[0]


def test_blank_texts_of_any_length_are_missing(tmp_path):
    texts = ["one", " " * 500, "NA" + " " * 500, "two"]
    path = write_target(tmp_path / "t.csv", [1, 2, 3, 4], texts)
    rows = read_labelled_texts(path, "text", "y")
    assert rows.texts.tolist() == ["one", "two"]
    assert "1 of 4 values is taken as missing: 1 'NA'" in rows.notes[0]


def test_texts_named_as_missing(tmp_path):
    texts = ["no comment", "one", "No Comment ", "two"]
    path = write_target(tmp_path / "t.csv", [1, 2, 3, 4], texts)
    rows = read_labelled_texts(path, "text", "y", missing=["no comment"])
    assert rows.texts.tolist() == ["one", "two"]
