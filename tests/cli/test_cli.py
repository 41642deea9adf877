"""The command line: what it reads, writes, says and returns."""

import bz2
import gzip
import hashlib
import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sklearn_hypo
from sklearn_hypo._cli import _run as _cli_run
from sklearn_hypo._cli._main import _print, main
from sklearn_hypo._cli._output import write_results
from sklearn_hypo._cli._split import Split
from sklearn_hypo._reading._labelled_texts import read_labelled_texts
from sklearn_hypo._utils import _progress
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import InputError

OUTPUTS = [
    *("hypotheses.csv", "hypotheses.tex", "metrics.json", "report.html"),
    "settings.json",
]
SMALL = ("--n-neurons", "8", "--k", "2", "--n-select", "3")


@pytest.fixture(scope="module")
def frame():
    data = make_concept_texts(300, n_concepts=2, prevalence=0.3, random_state=0)
    mood = np.where(data.target > 1, "good", np.where(data.target < 0, "bad", "so so"))
    return pd.DataFrame({"text": data.data, "y": data.target, "mood": mood})


@pytest.fixture
def csv(frame, tmp_path):
    path = tmp_path / "texts.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def run(tmp_path):
    """Run the command line into a folder of this test."""

    def run(path, *arguments, text="text", target="y", output="out"):
        columns = ("--text", text, "--target", target)
        folder = str(tmp_path / output)
        return main(
            ["run", str(path), *columns, *SMALL, *arguments, "--output", folder]
        )

    return run


def read_outputs(folder):
    assert sorted(p.name for p in folder.iterdir()) == OUTPUTS
    table = pd.read_csv(folder / "hypotheses.csv", keep_default_na=False)
    metrics, settings = (
        json.loads((folder / name).read_text("utf-8"), parse_constant=pytest.fail)
        for name in ("metrics.json", "settings.json")
    )
    return table, metrics, settings


def fails(capsys, code, *expected):
    """Assert that a run ended in one plain message with these parts in it."""
    out, err = capsys.readouterr()
    assert code == 1
    assert err.startswith("sklearn-hypo: error: ")
    assert "Traceback" not in err + out
    assert out == ""
    for part in expected:
        assert part in err


# A run ----------------------------------------------------------------------------


def test_outputs_agree_with_each_other_and_with_the_report(
    frame, run, tmp_path, capsys
):
    path = tmp_path / "texts.csv"
    missing = pd.DataFrame(
        {"text": [None, "  ", "no target", None], "y": [1.0, 2.0, None, None]}
    )
    pd.concat([frame, missing]).to_csv(path, index=False)
    assert run(path, "--cv", "3", "--seed", "4") == 0
    out, err = capsys.readouterr()
    assert "dropped 4 of 304 rows: 3 without a text, 1 without a target." in err
    assert "Pipeline" not in err  # no terminal, no progress
    assert "of one author, document or thread, name its column: --groups" in err
    table, metrics, settings = read_outputs(tmp_path / "out")
    latex = (tmp_path / "out" / "hypotheses.tex").read_text("utf-8")
    assert latex.count(" \\\\\n") == len(table) + 1  # and the header

    assert table.columns[:3].tolist() == ["neuron", "hypothesis", "fidelity"]
    assert {"separation_p", "coef", "p_corrected", "significant"} <= set(table)
    rows, holdout = metrics["rows"], metrics["holdout"]
    assert (rows["read"], rows["used"]) == (304, 300)
    assert (rows["dropped_without_text"], rows["dropped_without_target"]) == (3, 1)
    assert rows["train"] + rows["holdout"] == 300
    assert rows["holdout"] == holdout["n_rows"] == table["n"].iloc[0]
    assert (
        holdout["n_significant"] == (table["significant"].astype(str) == "True").sum()
    )
    assert holdout["roc_auc"] is None  # strict JSON knows no NaN
    assert re.search(rf"{holdout['r2_out_of_sample']:.3f} .* R² out-of-sample", out)
    assert holdout["overall"][0]["name"] == "r2"

    validation = metrics["cross_validation"]
    assert len(validation["values"]) == validation["n_folds"] == 3
    assert validation["mean"] == pytest.approx(np.mean(validation["values"]))
    assert f"{validation['mean']:.3f}  R² by 3-fold" in out
    assert metrics["versions"]["sklearn-hypo"] == sklearn_hypo.__version__
    assert metrics["versions"]["scikit-learn"]

    assert settings["file"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert settings["seed"] == 4
    steps = ["embed", "sae", "style", "terms", "select", "hypotheses"]
    assert list(settings["steps"]) == steps
    computation = settings["computation"]
    assert computation["torch"]["threads"] >= 1
    for library in computation["libraries"]:
        assert {"name", "version", "kernel", "threads"} == set(library)
    sae = settings["steps"]["sae"]
    assert sae["class"] == "sklearn_hypo.SupervisedSAETransformer"
    assert sae["parameters"]["n_supervised"] == 3
    assert (sae["parameters"]["n_neurons"], sae["parameters"]["k"]) == (8, 2)
    assert settings["steps"]["embed"]["parameters"]["random_state"] == 4
    strategy = settings["strategies"]["interpreter"]
    assert strategy["class"] == "sklearn_hypo.LexiconInterpreter"
    for name in OUTPUTS:
        assert str(tmp_path / "out" / name) in out


def test_run_without_supervision_style_and_terms(csv, run, tmp_path):
    assert run(csv, "--no-supervised", "--no-style", "--no-terms") == 0
    _, _, settings = read_outputs(tmp_path / "out")
    sae = settings["steps"]["sae"]
    assert sae["class"] == "sklearn_hypo.SparseAutoencoderTransformer"
    assert list(settings["steps"]) == ["embed", "sae", "select", "hypotheses"]


# Groups, covariates and pairs ------------------------------------------------------


@pytest.fixture(scope="module")
def design(frame):
    """The texts with an author, two covariates, and pairs of which one won."""
    rng = np.random.RandomState(0)
    pair = rng.permutation(300) // 2
    higher = frame["y"] == frame.groupby(pair)["y"].transform("max")
    return frame.assign(
        author=rng.randint(60, size=300),
        length=frame["text"].str.len(),
        region=rng.choice(["north", "south", "west"], 300),
        pair=[f"p{i}" for i in pair],
        won=higher.astype(int),
    )


@pytest.fixture
def design_csv(design, tmp_path):
    path = tmp_path / "design.csv"
    design.to_csv(path, index=False)
    return path


def test_groups_and_covariates_reach_the_test(design, design_csv, run, tmp_path):
    columns = ("--groups", "author", "--covariates", "length, region")
    assert run(design_csv, *columns, "--cv", "2") == 0
    _, metrics, settings = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["cov_type"] == "cluster"
    # a fifth of 60 authors is held out
    assert metrics["holdout"]["n_groups"] == 12
    assert metrics["rows"]["groups"] == 60
    assert settings["groups"] == "author"
    assert settings["covariates"] == ["length", "region"]
    assert settings["pairwise"] is None
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "length" in report
    assert "south" in report
    target = settings["target"]
    assert f'<h1 dir="auto">Hypotheses on {target} in {design_csv.name}</h1>' in report
    assert f"Goes with more of {target}" in report or f"by {target}</h3>" in report


def test_a_moderator_reaches_the_test(design, run, tmp_path, capsys):
    lacking = design.copy()  # other tests share it
    lacking.loc[:4, "region"] = None
    lacking.to_csv(tmp_path / "t.csv", index=False)
    assert run(tmp_path / "t.csv", "--moderator", "region") == 0
    table, metrics, settings = read_outputs(tmp_path / "out")
    assert settings["moderator"] == "region"
    assert "moderator_p_corrected" in table
    levels = {row["level"] for row in metrics["holdout"]["by_moderator"]}
    assert levels == {"north", "south", "west"}
    said = capsys.readouterr()
    assert "5 without a moderator" in said.err
    assert "3 levels of region" in said.out


def test_covariates_are_held_constant_in_the_selection(frame, run, tmp_path):
    rng = np.random.RandomState(0)
    platform = rng.choice(["radio", "weekly"], len(frame))
    says = np.where(rng.random_sample(len(frame)) < 0.8, platform, "")
    path = tmp_path / "platforms.csv"
    frame.assign(
        text=frame["text"] + " via " + says,
        y=frame["y"] + 4 * (platform == "radio"),
        platform=platform,
    ).to_csv(path, index=False)

    def find(*options):
        assert run(path, "--embedder", "lsa", *options) == 0
        table, _, _ = read_outputs(tmp_path / "out")
        return table["hypothesis"].str.contains("radio|weekly").any()

    assert find()
    assert not find("--covariates", "platform")


def test_pairs_reach_the_test(design_csv, run, tmp_path, capsys):
    columns = ("--pairwise", "pair", "--cv", "2")
    assert run(design_csv, *columns, target="won") == 0
    _, metrics, settings = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["task"] == "classification"
    assert metrics["holdout"]["n_pairs"] == 30
    assert metrics["rows"]["holdout"] == 60
    assert settings["pairwise"] == "pair"
    err = capsys.readouterr().err
    assert "dropped" not in err
    assert "--groups" not in err


def test_pairs_of_a_quantity(design_csv, run, tmp_path):
    assert run(design_csv, "--pairwise", "pair") == 0
    _, metrics, _ = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["task"] == "regression"
    assert metrics["holdout"]["n_pairs"] == 30


def test_what_is_linked_stays_on_one_side(design, tmp_path):
    linked = design.copy()
    linked.loc[:40, "text"] = linked.loc[:40, "text"].iloc[0]
    linked["author"] = linked.groupby("pair")["author"].transform("first")
    linked.to_csv(tmp_path / "t.csv", index=False)
    rows = read_labelled_texts(
        tmp_path / "t.csv", "text", "y", groups="author", pairs="pair"
    )
    split = Split.of(
        rows.texts, rows.target, rows.groups, share=0.2, seed=0, design=rows.design
    )
    for values in (rows.texts, rows.clusters, rows.pairs):
        assert not set(values[split.train]) & set(values[split.holdout])


def test_rows_that_lack_something_are_counted_once(design, tmp_path):
    lacking = design.head(60).astype(object)
    lacking.loc[0, "text"] = None
    lacking.loc[1, ["y", "author"]] = None
    lacking.loc[2, ["author", "length"]] = None
    lacking.loc[3, "length"] = "n/a"
    lacking.to_csv(tmp_path / "t.csv", index=False)
    rows = read_labelled_texts(
        tmp_path / "t.csv",
        "text",
        "y",
        groups="author",
        covariates=["length", "region"],
    )
    assert rows.dropped == {
        "without_text": 1,
        "without_target": 1,
        "without_group": 1,
        "without_covariate": 1,
    }
    assert len(rows.texts) == len(rows.covariates) == len(rows.clusters) == 56
    assert rows.pairs is None
    kept = design.iloc[4:60]
    assert rows.covariates["length"].tolist() == kept["length"].tolist()
    assert rows.covariates["region"].tolist() == kept["region"].tolist()
    assert rows.clusters.tolist() == [str(each) for each in kept["author"]]


def test_pairs_that_cannot_be_used_are_counted(run, tmp_path, capsys):
    rows = [(f"text {i} of {j}", j, int(i == 0)) for j in range(40) for i in (0, 1)]
    rows += [("alone", "x", 1), ("tie one", "t", 1), ("tie two", "t", 1)]
    rows += [("same", "s", 1), ("same", "s", 0), ("lacks", "l", None), ("has", "l", 1)]
    frame = pd.DataFrame(rows, columns=["text", "pair", "won"]).astype(object)
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = read_labelled_texts(tmp_path / "t.csv", "text", "won", pairs="pair")
    assert found.dropped == {
        "without_text": 0,
        "without_target": 1,
        "without_pair": 0,
        "without_partner": 2,
        "of_identical_texts": 2,
        "without_winner": 2,
    }
    assert len(found.texts) == 80
    run(tmp_path / "t.csv", "--pairwise", "pair", target="won")
    expected = "2 without a partner in their pair, 2 in pairs of identical texts, 2 in"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"pair": "p1"}, ["--pairwise", "pair"], "holds 'p1' in 300 rows"),
        ({"pair": None}, ["--pairwise", "pair"], "the pair column 'pair' is empty"),
        ({"pair": range(300)}, ["--pairwise", "pair"], "leaves no pair"),
        ({"author": ""}, ["--groups", "author"], "the group column 'author' is empty"),
        ({"author": 7}, ["--groups", "author"], "too few separate groups of rows"),
        ({"length": 1}, ["--covariates", "length"], "one and the same value, '1'"),
        ({"length": np.inf}, ["--covariates", "length"], "one and the same"),
        ({}, ["--covariates", "length,who"], "has no column 'who'"),
        ({}, ["--covariates", "pair"], "'pair' holds 150 different values"),
        ({}, ["--groups", "who"], "has no column 'who'"),
    ],
)
def test_designs_that_allow_no_result(
    design, run, capsys, tmp_path, change, arguments, message
):
    design.assign(**change).to_csv(tmp_path / "t.csv", index=False)
    fails(capsys, run(tmp_path / "t.csv", *arguments), message)


def test_pairs_need_a_winner_or_a_quantity(design_csv, run, capsys):
    code = run(
        design_csv, "--pairwise", "pair", "--task", "classification", target="mood"
    )
    fails(capsys, code, "needs a target that says who won: two classes, but 'bad'")


def test_infinite_covariates(design, run, capsys, tmp_path):
    design.assign(length=[np.inf] + [1] * 299).to_csv(tmp_path / "t.csv", index=False)
    fails(capsys, run(tmp_path / "t.csv", "--covariates", "length"), "infinite")


# Formats ---------------------------------------------------------------------------


def write_csv(frame, path):
    frame.to_csv(path, index=False)


def write_tsv(frame, path):
    frame.to_csv(path, index=False, sep="\t")


def write_with_bom(frame, path):
    frame.to_csv(path, index=False, encoding="utf-8-sig")


def write_json_lines(frame, path):
    opener = bz2.open if path.suffix == ".bz2" else open
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    with opener(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(record)}\n" for record in records)


def write_parquet(frame, path):
    pytest.importorskip("pyarrow")
    frame.assign(text=frame["text"].astype("category")).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("texts.csv", write_csv),
        ("TEXTS.CSV", write_csv),
        ("texts.csv.gz", write_csv),
        ("texts.2024.csv.xz", write_csv),
        ("texts.csv", write_with_bom),
        ("texts.tsv", write_tsv),
        ("texts.jsonl", write_json_lines),
        ("texts.ndjson.bz2", write_json_lines),
        ("texts.parquet", write_parquet),
    ],
)
def test_every_format_holds_the_same_rows(frame, tmp_path, name, write):
    frame = frame.copy()
    frame.loc[0, "text"] = 'a "quoted", text,\nof two lines ☕'
    frame.loc[1, "text"] = "na so"
    frame.loc[[2, 3], "text"] = [None, ""]
    frame.loc[4, "y"] = None
    path = tmp_path / name
    write(frame, path)
    rows = read_labelled_texts(path, "text", "y")
    kept = frame.drop(index=[2, 3, 4])
    assert rows.texts.tolist() == kept["text"].tolist()
    assert rows.target.tolist() == kept["y"].tolist()
    assert (rows.n_read, rows.dropped) == (
        300,
        {"without_text": 2, "without_target": 1},
    )


def test_same_seed_same_table_and_another_format_too(frame, csv, run, tmp_path):
    write_json_lines(frame, tmp_path / "t.jsonl")
    for path, seed, output in [
        (csv, "1", "a"),
        (tmp_path / "t.jsonl", "1", "b"),
        (csv, "2", "c"),
    ]:
        assert run(path, "--seed", seed, output=output) == 0
    tables = [(tmp_path / name / "hypotheses.csv").read_bytes() for name in "abc"]
    assert tables[0] == tables[1]
    assert tables[0] != tables[2]


def test_map_turns_words_into_numbers(csv, run, tmp_path):
    assert run(csv, "--map", "bad=-1, so so=0", "--map", "good=1", target="mood") == 0
    _, metrics, settings = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["task"] == settings["task"] == "regression"
    assert settings["map"] == {"bad": -1.0, "so so": 0.0, "good": 1.0}


def test_strings_as_classes_with_stratified_folds(csv, run, tmp_path, capsys):
    arguments = ("--task", "classification", "--cv", "2", "--method", "correlation")
    assert run(csv, *arguments, target="mood") == 0
    _, metrics, settings = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["classes"] == ["bad", "good", "so so"]
    assert metrics["cross_validation"]["score"] == "roc_auc"
    assert settings["steps"]["select"]["parameters"]["method"] == "correlation"
    assert "ROC AUC by 2-fold" in capsys.readouterr().out


def test_two_values_are_classes_without_being_asked(frame, run, tmp_path):
    path = tmp_path / "t.csv"
    frame.assign(y=(frame["y"] > 1).astype(int)).to_csv(path, index=False)
    assert run(path) == 0
    assert read_outputs(tmp_path / "out")[1]["holdout"]["classes"] == [0, 1]


def test_identical_texts_stay_on_one_side(frame):
    texts = np.repeat(frame["text"].to_numpy(dtype=object)[:60], 5)
    groups = pd.factorize(texts)[0]
    split = Split.of(texts, np.arange(300.0), groups, share=0.2, seed=0)
    assert not set(texts[split.train]) & set(texts[split.holdout])
    assert len(split.train) + len(split.holdout) == 300
    assert len(split.holdout) == 60


def test_control_characters_and_lone_surrogates_are_no_obstacle(
    frame, run, tmp_path, capsys
):
    odd = [
        "half \ud83d an emoji",
        "bell \x07 nul \x00 tab \t",
        "rtl \u202e \u2028 line",
    ]
    texts = [f"{text} {odd[i % 3]}" for i, text in enumerate(frame["text"])]
    path = tmp_path / "t.jsonl"
    records = [
        {"text\ud800": text, "y": "a\ud800\x1b[31m" if y > 1 else "b"}
        for text, y in zip(texts, frame["y"], strict=True)
    ]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    code = run(path, "--task", "classification", text="text\ud800")
    assert code == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\ud800" not in out + err
    _, metrics, settings = read_outputs(tmp_path / "out")
    assert metrics["holdout"]["classes"] == ["a\\ud800\x1b[31m", "b"]
    assert settings["text"] == "text\ud800"


def test_terminals_get_escapes_for_what_they_cannot_show():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    _print("R² … \ud83d", stream)
    assert stream.buffer.getvalue() == rb"R\xb2 \u2026 \ud83d" + os.linesep.encode()


# What cannot be used --------------------------------------------------------------


@pytest.fixture(params=["csv", "jsonl"])
def any_file(request, frame, tmp_path):
    path = tmp_path / f"texts.{request.param}"
    (write_csv if request.param == "csv" else write_json_lines)(frame, path)
    return path


def test_missing_column_names_those_there_are(any_file, run, capsys, tmp_path):
    code = run(any_file, text="tweet", target="z")
    fails(capsys, code, "no column 'tweet' or 'z'", "Its columns: 'text', 'y', 'mood'.")
    assert not (tmp_path / "out").exists()


def test_missing_column_of_a_parquet_file(frame, run, capsys, tmp_path):
    write_parquet(frame, tmp_path / "t.parquet")
    code = run(tmp_path / "t.parquet", target="z")
    fails(capsys, code, "no column 'z'", "'text', 'y', 'mood'")


def test_missing_file_and_folder(run, capsys, tmp_path):
    fails(capsys, run(tmp_path / "no\nne.csv"), "there is no file", "no ne.csv")
    fails(capsys, run(tmp_path), "is a folder")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"text,y\nna\xefve,1\n", "is not in UTF-8: line 2"),
        ("t.csv", b'text,y\n"open,1\n', "line 2: a quote opens"),
        ("t.csv", b"text,y\na,1\none, two,2\n", "line 3: there are 3 fields, but 2"),
        ("t.csv", b"y,text\n1,one, two\n2,three\n", "line 2: there are 3 fields"),
        ("t.csv.gz", gzip.compress(b"text,y\n" * 99, mtime=0)[:-9], "cannot be read"),
        ("t.csv.xz", b"\xfd7zXZ\0 and so on", "cannot be read"),
        ("t.jsonl", b'{"text": "a", "y": 1}\n{"text": "b"', "line 2 is not JSON"),
        ("t.jsonl", b'\n["a", 1]\n', "line 2 is not a JSON object"),
        ("t.jsonl", b"", "Its columns: none"),
        ("t.parquet", b"PAR1 but not really", "cannot be read"),
    ],
)
def test_damaged_files(run, capsys, tmp_path, name, content, message):
    if "parquet" in name:
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    fails(capsys, run(tmp_path / name), name, message)
    assert not (tmp_path / "out").exists()


def test_parquet_without_pyarrow(run, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    message = "pip install 'sklearn-hypo[files]'"
    fails(capsys, run(tmp_path / "t.parquet"), "read with pyarrow", message)


def test_words_as_a_quantity_ask_for_a_map(csv, run, capsys):
    code = run(csv, "--task", "regression", target="mood")
    fails(capsys, code, "'so so'", "no numbers", "--map", "--task classification")


def test_values_missing_in_the_map_are_named(csv, run, capsys):
    code = run(csv, "--map", "good=1,bad=-1", target="mood")
    fails(capsys, code, "--map has no number for 'so so'", "'mood'")


@pytest.mark.parametrize(
    ("texts", "target", "message"),
    [
        (["a", "b"] * 15, range(30), "too few rows: 30 with a text and a target, 2"),
        (list("abcdefghij"), range(10), "too few rows: 10"),
        (["", None] * 15, range(30), "the text column 'text' is empty"),
        (list("abc") * 10, [None] * 30, "the target column 'y' is empty"),
        (list("abc") * 10, [2.0] * 30, "one and the same value, '2'"),
        (list("abc") * 10, [1.0] * 29 + [np.inf], "infinite"),
        ([["a"], "b"] * 15, range(30), "values that are no texts, such as '['a']'"),
        (range(30), range(30), "values that are no texts, such as '0', '1', '2'"),
    ],
)
def test_columns_that_allow_no_result(run, capsys, tmp_path, texts, target, message):
    path = tmp_path / "t.jsonl"
    records = [
        {"text": text, "y": y if y is None else float(y)}
        for text, y in zip(texts, target, strict=True)
    ]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    fails(capsys, run(path), message)
    assert not (tmp_path / "out").exists()


def test_more_folds_than_texts(frame, run, capsys, tmp_path):
    frame.head(25).to_csv(tmp_path / "t.csv", index=False)
    code = run(tmp_path / "t.csv", "--cv", "21")
    fails(capsys, code, "--cv 21", "more folds than distinct texts", "(20)")


def test_rare_classes_are_named(frame, run, capsys, tmp_path):
    mood = ["rare" if i < 2 else mood for i, mood in enumerate(frame["mood"])]
    frame.assign(mood=mood).to_csv(tmp_path / "t.csv", index=False)
    arguments = ("--task", "classification", "--cv", "4")
    code = run(tmp_path / "t.csv", *arguments, target="mood")
    fails(capsys, code, "1 of 4 classes have fewer than 4", "'rare' (")


def test_errors_of_the_estimators_are_messages(csv, run, capsys):
    fails(capsys, run(csv, "--k", "99"), "k")
    fails(capsys, run(csv, "--embedder", "openai:some-model"), "openai:some-model")


def test_output_that_cannot_be_written(csv, run, capsys, tmp_path, monkeypatch):
    fails(
        capsys, run(csv, output="texts.csv/out"), "is no folder", "texts.csv is a file"
    )
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    fails(capsys, run(csv), "is not writable")
    assert [p.name for p in tmp_path.iterdir()] == ["texts.csv"]


def test_input_is_never_overwritten(frame, run, capsys, tmp_path):
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "hypotheses.csv"
    write_csv(frame, path)
    before = path.read_bytes()
    fails(capsys, run(path), "would overwrite")
    assert path.read_bytes() == before


def test_report_is_shown_also_if_writing_fails(csv, run, capsys, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.json").write_text("old")
    monkeypatch.setattr(os, "replace", full)
    assert run(csv) == 1
    out, err = capsys.readouterr()
    assert "R² out-of-sample" in out
    assert "Wrote" not in out
    assert "error: [Errno 28] No space left on device" in err
    # what was there is whole, and nothing else is left behind
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["metrics.json"]
    assert (tmp_path / "out" / "metrics.json").read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--holdout", "0"], "'0' is not between 0 and 1"),
        (["--holdout", "1.5"], "'1.5' is not between 0 and 1"),
        (["--holdout", "some"], "'some' is not between 0 and 1"),
        (["--cv", "1"], "'1' is not a whole number from 2 on"),
        (["--n-neurons", "0"], "'0' is not a whole number from 1 on"),
        (["--n-select", "few"], "'few' is not a whole number"),
        (["--seed", "-1"], "from 0 to 4294967295"),
        (["--map", "positive"], "'positive' is not of the form value=number"),
        (["--map", "a=1,b=x"], "'b=x' is not of the form"),
        (["--map", "a=nan"], "'a=nan' is not of the form"),
        (["--task", "ranking"], "invalid choice"),
        (["--target", "text"], "one and the same column"),
        (["--groups", "text"], "--text and --groups name one and the same column"),
        (["--groups", "a", "--pairwise", "a"], "--groups and --pairwise name one"),
        (["--groups", "a", "--moderator", "a"], "--groups and --moderator name one"),
        (["--covariates", "a,y"], "--target and --covariates name one"),
        (["--covariates", "a", "--covariates", "a"], "name one and the same column"),
        (["--covariates", "a,,b"], "'a,,b' holds an empty name"),
    ],
)
def test_options_that_make_no_sense(csv, run, capsys, tmp_path, arguments, message):
    with pytest.raises(SystemExit) as stop:
        run(csv, *arguments)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: sklearn-hypo run")
    assert message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run"], ["run", "t.csv"]])
def test_incomplete_commands(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: sklearn-hypo" in capsys.readouterr().err


# The process ----------------------------------------------------------------------


def test_interrupt_ends_quietly(csv, run, capsys, monkeypatch, tmp_path):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_cli_run, "read_labelled_texts", interrupt)
    assert run(csv) == 130
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "out").exists()


def test_warnings_are_plain_messages(csv, run, capsys, monkeypatch):
    def warn(*_, **__):
        import warnings

        warnings.warn("mind the gap", UserWarning, stacklevel=2)
        raise InputError("stop here")

    monkeypatch.setattr(_cli_run, "read_labelled_texts", warn)
    assert run(csv) == 1
    assert capsys.readouterr().err == (
        "sklearn-hypo: warning: mind the gap\nsklearn-hypo: error: stop here\n"
    )


def test_progress_on_a_terminal_only(csv, run, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(_progress, "_SECONDS_BEFORE", 0)
    for name in _progress._SWITCHES:
        monkeypatch.delenv(name, raising=False)
    assert run(csv) == 0
    out, err = capsys.readouterr()
    assert "Training autoencoder" in err
    assert "Training autoencoder" not in out


def test_version_and_exit_codes_are_documented(capsys):
    for argument, expected in [("--version", sklearn_hypo.__version__), ("-h", "130")]:
        with pytest.raises(SystemExit) as stop:
            main([argument])
        assert stop.value.code == 0
        assert expected in capsys.readouterr().out


# Pieces ---------------------------------------------------------------------------


def test_nothing_is_written_if_a_value_cannot_be(tmp_path):
    class Report:
        def to_csv(self, path):
            Path(path).write_text("a,b\n")

        def to_html(self, path, title):
            Path(path).write_text("<html>")

        def to_latex(self):
            return ""

    class Unprintable:
        def __str__(self):
            raise ValueError("no words for it")

    with pytest.raises(ValueError, match="no words"):
        write_results(tmp_path, Report(), {}, {"a": Unprintable()})
    assert list(tmp_path.iterdir()) == []
