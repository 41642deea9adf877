"""Pairs in wide form: two texts in each row, and which of them won."""

import json

import numpy as np
import pytest
from reading_cases import make_frame, refuse, take_advice

from sklearn_hypo import make_pairs, read_labelled_texts

WIDE = ("--text-a", "one", "--text-b", "two")


@pytest.fixture
def pairs():
    """60 pairs; the text with more of "lovely" in it won."""
    first, second = make_frame(60), make_frame(60, seed=1)
    frame = first[["id"]].assign(one=first["text"], two=second["text"] + " too")
    more = frame["one"].str.count("lovely") >= frame["two"].str.count("lovely")
    return frame.assign(first_won=more)


def read(path, won="won", **options):
    return read_labelled_texts(path, ("one", "two"), won, **options)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "b"),
        ("A", "B"),
        ("1", "0"),
        ("1", "2"),
        ("1", "-1"),
        ("True", "False"),
        ("one", "two"),
        ("model_a", "model_b"),
        ("Headline 1", "Headline 2"),
        ("left", "right"),
        (
            "Headline 1 has more clicks than Headline 2",
            "Headline 2 has more clicks than Headline 1",
        ),
    ],
)
def test_who_won_is_understood(pairs, tmp_path, first, second):
    pairs["won"] = np.where(pairs["first_won"], first, second)
    pairs.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv")
    texts, target = rows.texts.reshape(-1, 2), rows.target.reshape(-1, 2)
    assert texts.tolist() == pairs[["one", "two"]].to_numpy().tolist()
    assert target[:, 0].tolist() == pairs["first_won"].astype(int).tolist()
    assert (target.sum(axis=1) == 1).all()
    assert (rows.pairs[::2] == rows.pairs[1::2]).all()
    assert len(set(rows.pairs)) == 60
    (note,) = rows.notes
    assert f"the text of 'one' won where it holds '{first[:20]}" in note
    assert f"the text of 'two' won where it holds '{second[:20]}" in note
    # as the public function for tables in memory has it
    same = make_pairs(pairs[["one", "two"]], pairs["first_won"])
    assert rows.texts.tolist() == same["text"].tolist()
    assert rows.target.tolist() == same["target"].tolist()


def test_names_of_columns_come_before_letters(pairs, tmp_path):
    pairs = pairs.rename(columns={"one": "b", "two": "a"})
    pairs["won"] = np.where(pairs["first_won"], "b", "a")
    pairs.to_csv(tmp_path / "t.csv", index=False)
    rows = read_labelled_texts(tmp_path / "t.csv", ("b", "a"), "won")
    assert rows.target[::2].tolist() == pairs["first_won"].astype(int).tolist()


def test_ties_missing_winners_and_identical_texts_are_counted(pairs, tmp_path):
    won = np.where(pairs["first_won"], "a", "b").astype(object)
    won[:3], won[3:5] = ["tie", "Tie (both bad)", "draw"], None
    pairs["won"] = won
    pairs.loc[9, "two"] = pairs["one"][9]
    pairs.loc[10, "one"] = None
    pairs.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv")
    assert rows.n_read == 120
    assert rows.dropped == {
        "without_text": 1,
        "without_target": 4,
        "without_pair": 0,
        "without_partner": 1,
        "of_identical_texts": 2,
        "without_winner": 6,
    }
    assert len(rows.texts) == 106


def test_numbers_with_ties(pairs, tmp_path):
    pairs["won"] = np.where(pairs["first_won"], 1, -1)
    pairs.loc[:1, "won"] = 0
    pairs.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv")
    assert rows.dropped["without_winner"] == 4
    assert rows.target[::2].tolist() == pairs["first_won"][2:].astype(int).tolist()


def test_chosen_and_rejected(pairs, tmp_path, run):
    first = pairs["first_won"]
    table = pairs[["id"]].assign(
        chosen=pairs["one"].where(first, pairs["two"]),
        rejected=pairs["two"].where(first, pairs["one"]),
    )
    table.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    columns = ("chosen", "rejected")
    rows = read_labelled_texts(tmp_path / "t.jsonl", columns, "chosen")
    assert rows.texts[rows.target == 1].tolist() == table["chosen"].tolist()
    rows = read_labelled_texts(tmp_path / "t.jsonl", columns[::-1], "chosen")
    assert rows.texts[rows.target == 1].tolist() == table["chosen"].tolist()
    wide = ("--text-a", "chosen", "--text-b", "rejected", "--won", "chosen")
    assert run(tmp_path / "t.jsonl", *wide)[0] == 0


def test_winners_by_other_names_are_mapped(pairs, tmp_path, run):
    pairs["won"] = np.where(pairs["first_won"], "gpt", "claude")
    pairs.loc[0, "won"] = "gpt"
    pairs.to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run(tmp_path / "t.csv", *WIDE, "--won", "won")
    assert code == 1
    assert "--won 'won' holds 'gpt', 'claude', which does not say whether" in err
    advice = take_advice(err, "--map")
    assert advice == ["--map", "gpt=1,claude=0"]
    assert run(tmp_path / "t.csv", *WIDE, "--won", "won", *advice)[0] == 0
    rows = read(tmp_path / "t.csv", mapping={"gpt": 1, "claude": 0})
    right = pairs["won"] == "gpt"
    assert rows.target[::2].tolist() == right.astype(int).tolist()


@pytest.mark.parametrize(
    "values", [("0", "1", "2"), ("3", "4"), ("a", "c"), ("a lot", "a bit")]
)
def test_winners_that_are_not_understood(pairs, tmp_path, values):
    pairs["won"] = [values[i % len(values)] for i in range(60)]
    pairs.to_csv(tmp_path / "t.csv", index=False)
    refuse(
        tmp_path / "t.csv", "does not say whether", text=("one", "two"), target="won"
    )


def test_pairs_in_wide_form_reach_the_test(pairs, tmp_path, run):
    pairs["won"] = np.where(pairs["first_won"], "a", "b")
    pairs["author"] = pairs["id"] % 30
    pairs["split"] = np.where(pairs["id"] % 3 == 0, "test", "train")
    pairs.to_csv(tmp_path / "t.csv", index=False)
    more = ("--won", "won", "--split", "split", "--groups", "author")
    code, _, err = run(tmp_path / "t.csv", *WIDE, *more)
    assert code == 0
    assert "dropped" not in err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["holdout"]["n_pairs"] == 20
    assert metrics["rows"]["train"] == 80
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["text"] == ["one", "two"]
    assert settings["target"] == "won"
    # the same as two rows per pair
    rows = read(tmp_path / "t.csv", split="split")
    long = pairs.loc[pairs.index.repeat(2)].assign(
        text=rows.texts, y=rows.target, pair=rows.pairs
    )
    long.to_csv(tmp_path / "long.csv", index=False)
    wide_table = (tmp_path / "out" / "hypotheses.csv").read_bytes()
    columns = ("--text", "text", "--target", "y", "--pairwise", "pair")
    run(tmp_path / "long.csv", *columns, *more[2:])
    assert (tmp_path / "out" / "hypotheses.csv").read_bytes() == wide_table
