"""Targets as people have them, at the command line: a result, or one message."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sklearn_hypo._cli._main import main
from sklearn_hypo._cli._options import parse_options
from sklearn_hypo._reading._values import suggest_option
from sklearn_hypo._utils._labels import to_key
from sklearn_hypo.datasets import make_concept_texts

SMALL = ("--embedder", "lsa", "--n-neurons", "8", "--k", "2", "--n-select", "2")
SMALL += ("--no-style", "--no-terms")


@pytest.fixture(scope="module")
def data():
    return make_concept_texts(120, n_concepts=2, prevalence=0.3, random_state=0)


@pytest.fixture
def run(data, tmp_path, capsys):
    """Run on a target; return the code, the messages and what was written."""

    def run(target, *arguments, texts=None):
        texts = data.data if texts is None else texts
        path = tmp_path / "t.csv"
        pd.DataFrame({"text": texts, "y": target}).to_csv(path, index=False)
        command = ["run", str(path), "--text", "text", "--target", "y", *SMALL]
        code = main([*command, *arguments, "--output", str(tmp_path / "out")])
        said = capsys.readouterr().err
        metrics = settings = None
        if code == 0:
            metrics, settings = (
                json.loads((tmp_path / "out" / f"{name}.json").read_text("utf-8"))
                for name in ("metrics", "settings")
            )
        return code, said, metrics, settings

    return run


def make_codes(data, n):
    """Return the target in n parts of equal size."""
    return pd.qcut(data.target, n, labels=False)


def test_yes_and_no_are_classes_and_said_so(data, run):
    labels = np.array(["no", "yes"], dtype=object)[make_codes(data, 2)]
    labels[np.flatnonzero(labels == "yes")[:3]] = ["YES", "Yes ", "yes "]
    code, said, metrics, settings = run(labels)
    assert code == 0
    assert metrics["holdout"]["classes"] == ["no", "yes"]
    assert settings["task"] == "classification"
    for sentence in metrics["notes"]:
        assert f"sklearn-hypo: {sentence}" in said
    assert "holds 2 classes: 'no' (60), 'yes' (60)" in said


def test_a_survey_in_words_is_a_quantity(data, run):
    words = ["never", "rarely", "sometimes", "often", "always"]
    answers = np.array(words)[make_codes(data, 5)]
    _, said, metrics, settings = run(answers)
    assert settings["task"] == metrics["holdout"]["task"] == "regression"
    assert "'never' is 1, 'rarely' is 2, 'sometimes' is 3" in said
    _, _, metrics, _ = run(answers, "--task", "classification")
    assert metrics["holdout"]["classes"] == sorted(words)


def test_a_decimal_comma_gives_the_same_report(data, run):
    written = [f"{value:.2f}" for value in data.target]
    _, _, plain, _ = run(written)
    code, said, metrics, _ = run([f"{each} €".replace(".", ",") for each in written])
    assert code == 0
    assert metrics["holdout"] == plain["holdout"]
    assert "the unit '€' is taken off the numbers; the decimal sign is a comma" in said


def test_decimal_settles_what_the_message_says(data, run):
    written = [f"{1 + abs(value):.3f}".replace(".", ",") for value in data.target]
    code, said, *_ = run(written)
    assert code == 1
    assert "Say which sign is decimal: --decimal . or --decimal ," in said
    code, _, _, settings = run(written, "--decimal", ",")
    assert code == 0
    assert settings["decimal"] == ","


def test_missing_markers_are_counted(data, run):
    target = [f"{value:.1f}" for value in data.target]
    target[:5] = ["NA", "-", "-", "refused", "refused"]
    code, said, *_ = run(target)
    assert code == 1
    assert "--missing refused" in said
    code, said, metrics, settings = run(target, "--missing", "refused")
    assert code == 0
    assert "5 of 120 values are taken as missing: 2 '-', 2 'refused', 1 'NA'" in said
    assert metrics["rows"]["dropped_without_target"] == 5
    assert settings["missing"] == ["refused"]


def test_codes_for_missing_begin_with_a_minus(data, run):
    target = np.where(np.arange(120) < 9, -99, make_codes(data, 4))
    _, said, metrics, _ = run(target)
    assert "9 values of -99, far outside of the others (0 to 3)" in said
    assert metrics["rows"]["dropped_without_target"] == 9
    _, _, metrics, settings = run(target, "--missing=-99,0")
    assert metrics["rows"]["used"] == ((target != -99) & (target != 0)).sum()
    assert settings["missing"] == ["-99", "0"]


def test_a_column_of_texts_that_is_a_quarter_deleted_says_so(data, run):
    texts = list(data.data)
    for i in range(0, 120, 4):
        texts[i] = ["NA", "nan", "[deleted]", "[removed]"][i // 4 % 4]
    _, said, metrics, _ = run(data.target, texts=texts)
    assert "the text column 'text': 30 of 120 values are taken as missing" in said
    assert metrics["rows"]["dropped_without_text"] == 30


def test_both_conversions_of_dates_work(data, run):
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        np.round(data.target * 300), unit="D"
    )
    written = days.strftime("%d.%m.%Y")
    code, said, *_ = run(written)
    assert code == 1
    assert "--target-date days" in said
    assert "--target-date year" in said
    for how in ("days", "year"):
        code, _, metrics, settings = run(written, "--target-date", how)
        assert code == 0
        assert metrics["holdout"]["task"] == "regression"
        assert settings["target_date"] == how


def test_labels_with_commas_are_mapped(data, run, tmp_path):
    labels = np.array(["no, never", "yes, always"])[make_codes(data, 2)]
    (tmp_path / "map.csv").write_text('"no, never",0\n"yes, always",1\n')
    expected = {"no, never": 0.0, "yes, always": 1.0}
    _, _, _, settings = run(labels, "--map-file", str(tmp_path / "map.csv"))
    assert settings["map"] == expected
    _, _, _, settings = run(labels, "--map", '"no, never=0","yes, always=1"')
    assert settings["map"] == expected


def test_map_compares_numbers_as_numbers(data, run):
    _, _, metrics, _ = run(make_codes(data, 3).astype(float), "--map", "0=5,1=6,2=9")
    assert metrics["holdout"]["task"] == "regression"


def test_a_class_with_one_row_is_named_and_can_be_left_out(data, run):
    labels = np.array(["left", "right"], dtype=object)[make_codes(data, 2)]
    labels[7] = "centre"
    code, said, *_ = run(labels)
    assert code == 1
    assert "1 of 3 classes have one distinct text" in said
    assert "'centre' (1)" in said
    assert "--missing centre" in said
    code, _, metrics, _ = run(labels, "--missing", "centre")
    assert code == 0
    assert metrics["holdout"]["classes"] == ["left", "right"]


def test_free_text_as_a_target_is_one_message(data, run):
    code, said, *_ = run(data.data, texts=data.data[::-1])
    assert code == 1
    assert "looks like free text" in said
    assert len(said) < 400


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=4))
@example(["-∞", "a, b", "'"])
def test_an_option_that_is_suggested_names_the_values(values):
    values = [value.strip() for value in values]
    argv = shlex.split(suggest_option("--missing", values))
    options = parse_options(["run", "f", "--text", "a", "--target", "b", *argv])
    assert list(map(to_key, options.missing)) == list(map(to_key, values))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--decimal", ";"], "invalid choice: ';'"),
        (["--target-date", "weeks"], "invalid choice: 'weeks'"),
        (["--target-date", "days", "--map", "a=1"], "--target-date and --map exclude"),
        (["--missing", '"a'], "no list of values with quotes as in CSV"),
        (["--map", '"a,b=1'], "no list of values with quotes as in CSV"),
    ],
)
def test_options_that_make_no_sense(run, capsys, arguments, message):
    with pytest.raises(SystemExit) as stop:
        run([1] * 120, *arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_counts_are_learned_by_their_logarithms_and_have_rate_ratios(data, run):
    counts = np.floor(np.exp(data.target))
    code, said, metrics, settings = run(counts)
    assert code == 0
    assert "looks like counts: whole numbers" in said
    assert metrics["holdout"]["target_kind"] == "count"
    assert settings["steps"]["sae"]["parameters"]["target_scale"] == "auto"
    description = {f["name"]: f["description"] for f in metrics["holdout"]["overall"]}
    assert description["r2_out_of_sample"].startswith("R² on log(1 + y)")
    code, _, metrics, settings = run(counts, "--target-kind", "quantity")
    assert code == 0
    assert metrics["holdout"]["target_kind"] == "quantity"
    assert settings["target_kind"] == "quantity"
    assert "log" not in str([f["description"] for f in metrics["holdout"]["overall"]])


def test_a_kind_of_numbers_makes_numbers_of_two_values(data, run):
    code, _, metrics, _ = run(make_codes(data, 2), "--target-kind", "count")
    assert code == 0
    assert metrics["holdout"]["target_kind"] == "count"


def test_classes_are_no_kind_of_numbers(capsys):
    command = ["run", "t.csv", "--text", "a", "--target", "b", "--target-kind", "count"]
    with pytest.raises(SystemExit):
        parse_options([*command, "--task", "classification"])
    assert "--target-kind is of numbers" in capsys.readouterr().err
