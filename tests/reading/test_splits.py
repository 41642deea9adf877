"""The user's own split: another file, or a column that names the rows of the test."""

import json

import numpy as np
import pytest
from reading_cases import COLUMNS, check_same, make_frame, read, refuse, take_advice


@pytest.fixture
def parts(frame, tmp_path):
    """Train and test rows in two files, the second of another format."""
    train, test = frame.iloc[:40], frame.iloc[40:]
    train.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.tsv", index=False, sep="\t", encoding="utf-16")
    return tmp_path / "train.csv", tmp_path / "test.tsv"


def test_another_file_holds_the_rows_to_test_on(frame, parts, run, tmp_path):
    rows = read(parts[0], test=parts[1])
    check_same(rows, frame)
    assert rows.is_test.tolist() == [False] * 40 + [True] * 20
    assert rows.notes == ()
    assert read(parts[0]).is_test is None
    code, _, _ = run(parts[0], *COLUMNS, "--test", str(parts[1]))
    assert code == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["rows"]["train"], metrics["rows"]["holdout"]) == (40, 20)
    assert metrics["holdout"]["n_rows"] == 20
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["test"]["path"] == str(parts[1])
    assert len(settings["test"]["sha256"]) == 64
    assert settings["holdout"] is None


def test_both_files_are_read_as_one(tmp_path):
    # the numbers of one file alone would be whole, the classes of one fewer
    frame = make_frame().assign(y=[1, 2] * 20 + [1.5, 2] * 10)
    frame.iloc[:40].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[40:].to_csv(tmp_path / "b.csv", index=False)
    check_same(read(tmp_path / "a.csv", test=tmp_path / "b.csv"), frame)
    frame.drop(columns="y").to_csv(tmp_path / "b.csv", index=False)
    refuse(tmp_path / "a.csv", "b.csv' has no column 'y'", test=tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("train", "test", "name"),
    [
        ("train", "test", "split"),
        ("Training", "Holdout", "set"),
        ("train", "validation", "split"),
        ("0", "1", "is_test"),
        ("False", "True", "holdout"),
        ("1", "0", "is_train"),
        ("dev", "TEST", "part"),
    ],
)
def test_the_side_of_the_test_is_recognized(frame, tmp_path, train, test, name):
    frame[name] = [test if i % 3 == 0 else train for i in range(60)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv", split=name)
    assert rows.is_test.tolist() == [i % 3 == 0 for i in range(60)]
    (note,) = rows.notes
    assert f"'{name}': tested on 20 rows of '{test}', learnt from 40 rows of" in note


def test_three_parts(frame, tmp_path):
    frame["part"] = ["train", "dev", "test"] * 20
    frame.to_csv(tmp_path / "t.csv", index=False)
    (note,) = read(tmp_path / "t.csv", split="part").notes
    assert "tested on 20 rows of 'test', learnt from 40 rows of 'train', 'dev'." in note


def test_sides_that_cannot_be_told_are_named_by_a_value(frame, tmp_path, run):
    frame["wave"] = [f"w{1 + (i >= 40)}" for i in range(60)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    message = refuse(tmp_path / "t.csv", "'wave' holds 'w1', 'w2'", split="wave")
    advice = take_advice(message.partition("such as")[2], "--split")
    assert advice == ["--split", "wave=w2"]
    code, _, err = run(tmp_path / "t.csv", *COLUMNS, *advice)
    assert code == 0
    assert "--split 'wave': tested on 20 rows of 'w2', learnt" in err
    refuse(tmp_path / "t.csv", "leaves no rows to test on", split="wave=w3")


def test_rows_without_a_side_are_dropped(frame, tmp_path):
    frame["split"] = ["train"] * 30 + ["test"] * 20 + [None] * 10
    frame.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv", split="split")
    assert rows.dropped["without_split"] == 10
    assert rows.is_test.sum() == 20


def test_equal_texts_on_both_sides_are_counted(frame, tmp_path, run):
    frame.loc[40:43, "text"] = frame["text"][[1, 1, 2, 3]].to_numpy()
    frame["split"] = np.repeat(["train", "test"], [40, 20])
    frame["who"] = frame["id"] % 7
    frame.to_csv(tmp_path / "t.csv", index=False)
    _, note = read(tmp_path / "t.csv", split="split").notes
    assert note.startswith(
        "3 distinct texts to learn from stand among those to test on"
    )
    assert "in 4 of 20 rows" in note
    code, _, err = run(tmp_path / "t.csv", *COLUMNS, "--split", "split")
    assert code == 0
    assert note in err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert note in metrics["notes"]
    *_, note = read(tmp_path / "t.csv", split="split", groups="who").notes
    assert note.startswith("7 groups of --groups have rows on both sides")


def test_pairs_are_not_torn_apart(frame, tmp_path):
    frame = frame.assign(pair=frame["id"] // 2, y=frame["id"] % 2, split="train")
    frame.loc[40:, "split"] = "test"
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv", pairs="pair", split="split").is_test.sum() == 20
    frame.loc[[0, 40], "split"] = ["test", "train"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    refuse(tmp_path / "t.csv", "2 pairs would be torn", pairs="pair", split="split")


@pytest.mark.parametrize(("n_test", "side"), [(5, "to test on"), (55, "to learn from")])
def test_too_few_rows_on_a_side(frame, tmp_path, run, n_test, side):
    frame["split"] = np.repeat(["train", "test"], [60 - n_test, n_test])
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run(tmp_path / "t.csv", *COLUMNS, "--split", "split")
    assert code == 1
    assert f"too few rows {side}: they hold 5 distinct texts" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--test", "a.csv", "--split", "b"], "--test and --split exclude each other"),
        (["--split", "b", "--holdout", "0.3"], "--split and --holdout exclude"),
        (["--sep", "::"], "'::' is not one character"),
        (["--encoding", "utf-9"], "the encoding 'utf-9' is not known"),
        (["--text-a", "a"], "--text-a, --text-b and --won are needed together"),
        (
            ["--text-a", "a", "--text-b", "b", "--won", "c"],
            "--text-a and --text exclude each other",
        ),
    ],
)
def test_options_that_make_no_sense(run, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        run("t.csv", *COLUMNS, *arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_standard_input_is_one_file(run, capsys):
    with pytest.raises(SystemExit):
        run("-", *COLUMNS, "--test", "-")
    assert "only one of FILE and --test" in capsys.readouterr().err
