"""Labelling sheets: the draw, the file, and what comes back from it."""

import csv

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from sklearn_hypo._annotation_error._human_labels import (
    HumanLabels,
    coder_agreement,
    compute_inclusion_probabilities,
    draw_rows,
    measure_agreement,
)
from sklearn_hypo._annotation_error._labelling_sheet import labelling_sheet, read_labels
from sklearn_hypo._annotation_error._spreadsheet_cells import (
    escape_formula,
    read_cells,
    unescape_formula,
    write_cells,
)

NASTY = [
    '=HYPERLINK("http://x";"y")',
    "+1 for this",
    "-1 for that",
    "@everyone",
    "'=already quoted",
    "''",
    "'",
    "  =cmd|' /C calc'!A0",
    "\t=tab",
    'a, "quoted"; line\nand another\r\nline',
    "naïve – ☕ 👩‍🔬",
    "lone \ud800 surrogate",
    "nul \0 inside",
    "",
    "   ",
    "x" * 40_000,
    "＝full width",
]
NAMES = ["is polite", "=asks, a question", "mentions tea"]


def get_texts(n):
    return [f"message {i}" for i in range(n)]


def filled(sheet, labels):
    """The sheet with labels (rows of the texts x hypotheses) written in."""
    sheet = sheet.copy()
    rows = [int(i.split("-")[0][3:]) for i in sheet["id"]]
    for j, name in enumerate(sheet.columns[2:]):
        sheet[name] = [labels[i][j] for i in rows]
    return sheet


# The draw ---------------------------------------------------------------------------


def test_a_simple_sample_has_equal_probabilities_and_the_size_asked_for():
    sheet = labelling_sheet(get_texts(1000), NAMES, n=100, random_state=0)
    labels = read_labels(sheet, get_texts(1000))
    assert len(sheet) == 100
    np.testing.assert_allclose(labels.probability[~np.isnan(labels.probability)], 0.1)
    assert list(sheet.columns) == ["id", "text", *NAMES]
    assert (sheet[NAMES] == "").all(axis=None)
    rows = [int(i.split("-")[0][3:]) for i in sheet["id"]]
    assert rows != sorted(rows)


def test_the_same_seed_draws_the_same_rows():
    first, second, other = (
        labelling_sheet(get_texts(50), NAMES, n=10, random_state=seed)
        for seed in (1, 1, 2)
    )
    assert first.equals(second)
    assert not first.equals(other)


def test_an_enriched_sample_finds_rare_hypotheses_and_keeps_weights_small():
    rng = np.random.default_rng(0)
    annotations = (rng.random((4000, 3)) < [0.01, 0.3, 0.0]).astype(float)
    probability = compute_inclusion_probabilities(
        4000, 200, annotations=annotations, enrich=0.5
    )
    assert probability.sum() == pytest.approx(200)
    assert (1 / probability).max() <= 4000 / (200 * 0.5) + 1e-6
    assert probability[annotations[:, 0] == 1].sum() > 30


def test_rows_are_drawn_as_often_as_their_probabilities_say():
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 1.0])
    rng = np.random.default_rng(0)
    counts = np.zeros(7)
    for _ in range(4000):
        rows = draw_rows(probability, rng)
        assert len(rows) == 3
        counts[rows] += 1
    np.testing.assert_allclose(counts / 4000, probability, atol=0.03)


def test_groups_are_drawn_whole_and_stay_together():
    groups = np.repeat(np.arange(40), [1, 3] * 20)
    probability = compute_inclusion_probabilities(80, 20, groups=groups)
    assert probability.sum() == pytest.approx(20)
    rows = draw_rows(probability, np.random.default_rng(0), groups)
    drawn = groups[rows]
    for group in np.unique(drawn):
        place = np.flatnonzero(drawn == group)
        assert len(place) == (groups == group).sum()
        assert np.ptp(place) == len(place) - 1
    sheet = labelling_sheet(get_texts(80), ["a"], n=20, groups=groups, random_state=0)
    assert 12 <= len(sheet) <= 28


def test_probabilities_are_at_most_one():
    annotations = np.zeros((100, 1))
    annotations[:3] = 1
    probability = compute_inclusion_probabilities(
        100, 30, annotations=annotations, enrich=0.5
    )
    assert probability.max() == 1
    assert probability.sum() == pytest.approx(30)
    np.testing.assert_array_equal(compute_inclusion_probabilities(5, 9), np.ones(5))


# There and back ---------------------------------------------------------------------


@pytest.mark.parametrize("text", NASTY)
def test_cells_come_back_as_they_were(text):
    assert unescape_formula(escape_formula(text)) == text
    first = escape_formula(text)[:1]
    assert first not in set("=+-@\t\r＝") or not first


def test_a_sheet_that_exists_is_kept_unless_told_otherwise(tmp_path, monkeypatch):
    path = tmp_path / "sheet.csv"
    path.write_text("id,text\nthe work,of people\n")
    with pytest.raises(FileExistsError, match=r"sheet\.csv.*overwrite=True"):
        labelling_sheet(get_texts(9), NAMES, n=3, random_state=0, path=path)
    assert path.read_text() == "id,text\nthe work,of people\n"
    sheet = labelling_sheet(
        get_texts(9), NAMES, n=3, random_state=0, path=path, overwrite=True
    )
    labels = read_labels(path, get_texts(9))
    assert (~np.isnan(labels.probability)).sum() == len(sheet) == 3
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(FileExistsError, match=r"'~/sheet\.csv' exists"):
        labelling_sheet(get_texts(9), NAMES, n=3, path="~/sheet.csv")
    labelling_sheet(get_texts(9), NAMES, n=3, random_state=0, path="~/other.csv")
    assert len(read_cells("~/other.csv")) == 4
    assert {p.name for p in tmp_path.iterdir()} == {"sheet.csv", "other.csv"}


def test_a_sheet_is_there_in_full_or_not_at_all(tmp_path):
    def rows():
        yield ["id", "text"]
        raise KeyboardInterrupt

    path = tmp_path / "sheet.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_cells(path, rows())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.csv"]


def test_a_sheet_of_nasty_texts_comes_back(tmp_path):
    path = tmp_path / "sheet.csv"
    sheet = labelling_sheet(NASTY, NAMES, n=len(NASTY), random_state=0, path=path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        cells = list(csv.reader(file))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    for row in cells:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    header, *rows = (row for _, row in read_cells(path))
    assert header == ["id", "text", *NAMES]
    for row in rows:
        row[2:] = ["Yes", "0", ""]
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows[::-1]])
    labels = read_labels(path, NASTY, NAMES)
    assert labels.labels.columns.tolist() == NAMES
    assert (labels.labels["is polite"] == 1).all()
    assert (labels.labels["=asks, a question"] == 0).all()
    assert labels.labels["mentions tea"].isna().all()
    np.testing.assert_array_equal(labels.probability, 1)
    assert len(sheet) == len(NASTY)


def test_the_sheet_is_blind(tmp_path):
    path = tmp_path / "sheet.csv"
    annotations = np.eye(10)[:, :3]
    sheet = labelling_sheet(
        get_texts(10), NAMES, n=5, annotations=annotations, enrich=0.5, path=path
    )
    assert list(sheet.columns) == ["id", "text", *NAMES]
    rows = [row for _, row in read_cells(path)][1:]
    assert all(cell == "" for row in rows for cell in row[2:])


def test_sorted_rows_and_left_out_rows():
    texts = get_texts(30)
    truth = [[i % 2, i % 3 == 0, 1] for i in range(30)]
    sheet = filled(labelling_sheet(texts, NAMES, n=20, random_state=3), truth)
    sheet = sheet.sort_values("text").iloc[:15]
    labels = read_labels(sheet, texts, NAMES)
    drawn = ~np.isnan(labels.probability)
    assert drawn.sum() == 15
    np.testing.assert_array_equal(
        labels.labels.to_numpy()[drawn], np.array(truth, dtype=float)[drawn]
    )
    assert labels.labels[~drawn].isna().all(axis=None)
    assert (labels.n_labelled == 15).all()


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1), ("0", 0), ("YES", 1), ("No", 0), ("TRUE", 1), ("False", 0),
        (" x ", 1), ("X", 1), ("y", 1), ("n", 0), ("1.0", 1), ("", np.nan),
        (True, 1), (0.0, 0), (None, np.nan),
    ],
)  # fmt: skip
def test_spellings_of_labels(cell, value):
    sheet = labelling_sheet(["a", "b"], ["is polite"], n=1, random_state=0)
    sheet["is polite"] = pd.Series([cell], dtype=object)
    found = read_labels(sheet, ["a", "b"]).labels["is polite"]
    np.testing.assert_array_equal(np.nansum(found), 0 if value != value else value)
    assert found.notna().sum() == (value == value)


def test_ticked_sheets():
    sheet = labelling_sheet(["a", "b", "c"], ["is polite"], n=2, random_state=0)
    sheet["is polite"] = ["x", ""]
    assert read_labels(sheet, ["a", "b", "c"]).labels["is polite"].count() == 1
    ticked = read_labels(sheet, ["a", "b", "c"], blank="no").labels["is polite"]
    assert ticked.count() == 2
    assert ticked.sum() == 1


def test_unreadable_cells_are_named():
    sheet = labelling_sheet(get_texts(3), NAMES, n=3, random_state=0)
    sheet.loc[1, "is polite"] = "maybe"
    with pytest.raises(ValueError, match=r"1 cell of .*line 3, 'is polite': 'maybe'"):
        read_labels(sheet, get_texts(3), NAMES)
    labels = read_labels(sheet, get_texts(3), NAMES, unreadable="unlabelled")
    assert labels.unreadable["line"].tolist() == [3]
    assert labels.unreadable["value"].tolist() == ["maybe"]
    assert labels.unreadable["id"].tolist() == [sheet.loc[1, "id"]]
    assert labels.labels.isna().all(axis=None)


def test_foreign_and_edited_sheets_are_refused(tmp_path):
    texts = get_texts(5)
    sheet = labelling_sheet(texts, ["a"], n=5, random_state=0)

    def refuse(change, message, texts=texts):
        with pytest.raises(ValueError, match=message):
            read_labels(change, texts)

    refuse(sheet.replace({"id": {sheet["id"][0]: "row1"}}), "no id of a labelling")
    refuse(sheet, "belongs to other texts", texts=texts[::-1])
    refuse(sheet, "belongs to other texts", texts=texts[:2])
    refuse(sheet.replace({"text": {"message 1": "message one"}}), "has changed")
    refuse(pd.concat([sheet, sheet]), "repeats the id")
    refuse(sheet[["id", "a"]], r"must have each of these columns once: \['text'\]")
    path = tmp_path / "latin.csv"
    path.write_bytes("id,text,a\nrow0,é,1\n".encode("latin-1"))
    refuse(path, "not in UTF-8")
    path.write_bytes(b"")
    refuse(path, "empty")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"enrich": 0.5}, "needs annotations"),
        ({"enrich": 1.0, "annotations": np.ones((4, 1))}, "0 to 0.9"),
        ({"enrich": 0.5, "annotations": np.ones((3, 1))}, "have shape"),
        ({"groups": [1, 2]}, "2 groups for 4 texts"),
    ],
)
def test_refused_draws(arguments, message):
    with pytest.raises(ValueError, match=message):
        labelling_sheet(get_texts(4), ["a"], **arguments)


def test_refused_hypotheses():
    for names in ([], ["a", "a"], ["text"]):
        with pytest.raises(ValueError, match="distinct"):
            labelling_sheet(get_texts(4), names)
    with pytest.raises(TypeError, match="not one str"):
        labelling_sheet(get_texts(4), "is polite")


# Agreement --------------------------------------------------------------------------


def test_agreement_by_hand_and_by_scikit_learn():
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    guess = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    figures = measure_agreement(truth, guess)
    assert figures["sensitivity"] == 0.75
    assert figures["specificity"] == pytest.approx(5 / 6)
    assert figures["agreement"] == pytest.approx(cohen_kappa_score(truth, guess))
    doubled = measure_agreement(truth, guess, np.where(truth == 1, 2.0, 1.0))
    repeated = np.repeat(np.arange(10), np.where(truth == 1, 2, 1))
    assert doubled == pytest.approx(measure_agreement(truth[repeated], guess[repeated]))


def test_agreement_with_nothing_to_compare():
    nothing = measure_agreement(np.array([]), np.array([]))
    assert np.isnan(list(nothing.values())).all()
    constant = measure_agreement(np.ones(3), np.ones(3))
    assert constant["sensitivity"] == 1
    assert np.isnan(constant["agreement"])


def test_two_coders():
    one = HumanLabels(pd.DataFrame({"a": [1.0, 0, 1, np.nan]}), np.ones(4))
    two = HumanLabels(pd.DataFrame({"a": [1.0, 0, 0, 1]}), np.ones(4))
    table = coder_agreement(one, two)
    assert table.loc[0, "n"] == 3
    assert table.loc[0, "identical"] == pytest.approx(2 / 3)
    assert table.loc[0, "agreement"] == pytest.approx(
        cohen_kappa_score([1, 0, 1], [1, 0, 0])
    )
    with pytest.raises(ValueError, match="differ in their rows"):
        coder_agreement(one, HumanLabels(pd.DataFrame({"b": [1.0] * 4}), np.ones(4)))
