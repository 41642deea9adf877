import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from report_cases import KINDS, NASTY, change_table, make_report, spoil_figures

from sklearn_hypo._report._export import (
    table_from_json,
    to_csv,
    to_json,
    to_latex,
    to_markdown,
)
from sklearn_hypo._report._page._page import write_page


# a ResourceWarning is of the garbage of other tests
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_hypotheses", "nasty"), [(6, False), (10, True), (0, True)])
def test_any_report_is_written_in_every_format(kind, n_hypotheses, nasty, tmp_path):
    report = make_report(kind, n_hypotheses, nasty)
    for each in (report, spoil_figures(report)):
        h = len(each.table)
        markdown = to_markdown(each)
        assert sum(line.startswith("|") for line in markdown.splitlines()) == h + 2
        latex = to_latex(each)
        assert sum(line.endswith(r" \\") for line in latex.splitlines()) == h + 1
        for text in (markdown, latex, to_json(each)):
            text.encode("utf-8")
        to_csv(each, tmp_path / "table.csv")
        assert len(pd.read_csv(tmp_path / "table.csv")) == h


# Markdown -------------------------------------------------------------------------


def test_markdown_table():
    report = make_report()
    row = report.table.iloc[0]
    lines = to_markdown(report).splitlines()
    header = "| Hypothesis | n | Prevalence | Separation | Joint coef | p, corrected |"
    assert lines[2] == header + "  |"
    assert lines[3] == "| :-- | --: | --: | --: | --: | --: | --: |"
    coef = rf"{row.coef:.3f} \[{row.coef_lower:.3f}, {row.coef_upper:.3f}\]"
    assert lines[4].startswith(f"| mentions tea | 240 | {row.prevalence:.3f} | ")
    assert coef in lines[4]
    assert lines[4].endswith(r" | \* |")
    p = f"- {report.permutation_p:.3f}: p-value of all hypotheses together"
    assert any(line.startswith(p) for line in lines)


def test_minus_signs_of_numbers_alone_are_true_ones():
    report = change_table(make_report(), hypothesis=["-1 a-b"] * 6)
    line = to_markdown(report).splitlines()[5]
    assert line.startswith("| -1 a-b | 240 | 0.")
    assert "| −" in line
    assert "-" not in line.removeprefix("| -1 a-b")


def test_markdown_is_escaped():
    lines = to_markdown(make_report(n_hypotheses=10, nasty=True)).splitlines()
    text = "\n".join(lines)
    assert "<script" not in text
    assert "&lt;script&gt;alert('x')" in text
    assert r"of\_it \{sure\} \~ ^ \\ \# \| \`code\`" in text
    columns = lines[3].count("|")
    rows = [line.replace(r"\|", "") for line in lines[2:14]]
    assert {row.count("|") for row in rows} == {columns}


# LaTeX ----------------------------------------------------------------------------


def test_latex_table():
    text = to_latex(make_report(), caption="5% of_them", label="tab:a_1")
    assert r"\caption{5\% of\_them}" in text
    assert r"\label{tab:a_1}" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1
    assert text.count("{") == text.count("}")
    _, note = text.split("\\end{tabular}")
    assert "Note. * significant, holm over 6 hypotheses, family level 0.1." in note
    assert "p-value of all hypotheses together" in note
    header = text.split("\\toprule\n")[1].splitlines()[0]
    sides = text.split(r"\linewidth}")[1].partition("}")[0]
    assert header.count("&") == len(sides)


def test_latex_without_label_and_caption():
    text = to_latex(make_report())
    assert r"\label" not in text
    assert r"\caption{6 hypotheses tested on 240 texts (regression)}" in text


def test_minus_signs_of_figures_are_true_ones_in_the_note():
    report = make_report()
    overall = report.overall.assign(value=-0.25)
    note = to_latex(replace(report, overall=overall)).split(r"\end{tabular}")[1]
    assert r"\textminus{}0.250: R" in note
    assert "-0.25" not in note


def test_latex_does_not_depend_on_options_of_pandas():
    expected = to_latex(make_report(nasty=True))
    options = ("styler.format.escape", "latex", "styler.latex.environment", "longtable")
    with pd.option_context(*options):
        assert to_latex(make_report(nasty=True)) == expected


def test_latex_is_escaped():
    more = ["[option]", "*star*", "a--b", r"\input{/etc/passwd}"]
    report = make_report(n_hypotheses=10, nasty=True)
    text = to_latex(change_table(report, hypothesis=[*NASTY[:6], *more]))
    assert r"\input" not in text
    assert r"\textbackslash{}input\{/etc/passwd\}" in text
    assert r"\$5 or \$10, 100\% of\_it \{sure\} \textasciitilde{}" in text
    # after the end of a row these would be its options
    assert "\n{[}option]" in text
    assert "\n{*}star*" in text
    assert "a{-}-b" in text
    assert "--" not in text
    assert r"\label{ab}" in to_latex(make_report(), label=r"a}\b{")


# CSV ------------------------------------------------------------------------------


def test_csv_round_trip(tmp_path):
    report = make_report(n_hypotheses=10, nasty=True)
    to_csv(report, tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert table["hypothesis"][0] == NASTY[0]
    assert table["hypothesis"][1] == "lone \\ud800 surrogate"
    np.testing.assert_array_equal(table["coef"].astype(float), report.table["coef"])
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(AttributeError):
        to_csv(replace(make_report(), table=None), path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("write", [to_csv, to_json, write_page])
def test_paths_are_those_of_the_user(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    report = make_report()
    write(report, "~/there")
    assert (tmp_path / "there").is_file()
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError, match=r"'~/no/file' cannot.*there is no"):
        write(report, "~/no/file")
    with pytest.raises(NotADirectoryError, match=r"'there/file' cannot.*no folder"):
        write(report, "there/file")
    with pytest.raises(IsADirectoryError, match="'~/folder' is a folder"):
        write(report, "~/folder")
    write(report, "~no_such_user_here")
    names = {"there", "folder", "~no_such_user_here"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert not list((tmp_path / "folder").iterdir())


# JSON -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_hypotheses", [0, 6])
def test_json_gives_the_table_back_to_the_last_bit(kind, n_hypotheses, tmp_path):
    report = make_report(kind, n_hypotheses)
    to_json(report, tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="ascii")
    pd.testing.assert_frame_equal(table_from_json(text), report.table, check_exact=True)


def test_json_keeps_strange_values():
    report = spoil_figures(make_report(n_hypotheses=10, nasty=True))
    report = change_table(report, hypothesis=[*NASTY[:8], "Infinity", "null"])
    table = table_from_json(to_json(report))
    pd.testing.assert_frame_equal(table, report.table, check_exact=True)


def as_json(value):
    """A value as JSON knows it, by the rule of the documentation."""
    if isinstance(value, float) and not np.isfinite(value):
        return {np.inf: "Infinity", -np.inf: "-Infinity"}.get(value)
    return value


def records(table):
    rows = table.astype(object).to_dict("records")
    return [{name: as_json(value) for name, value in row.items()} for row in rows]


def test_usage_is_a_list_of_rows():
    assert make_report().to_dict()["usage"] == []
    usage = [{"role": "annotator", "calls": 3, "cost": 0.5}]
    report = replace(make_report(), usage=pd.DataFrame(usage))
    assert report.to_dict()["usage"] == usage


@pytest.mark.parametrize("kind", KINDS)
def test_json_holds_every_field(kind):
    report = make_report(kind)
    values = json.loads(to_json(report))
    assert (values["format"], values["version"]) == ("sklearn-hypo report", 1)
    tables = {"overall", "by_class", "by_moderator", "covariates", "usage"}
    for name in tables:
        table = getattr(report, name)
        assert values[name] == (None if table is None else records(table)), name
    others = {*tables, "table", "details", "data", "redundancy", "provenance"}
    for name in vars(report).keys() - others:
        value = getattr(report, name)
        value = list(value) if isinstance(value, tuple) else as_json(value)
        assert values[name] == value, name
    assert values["hypotheses"] == records(report.table)
    assert values["redundancy"]["pairs"] == records(report.redundancy.pairs)
    assert set(values) == (vars(report).keys() - {"table", "details", "data"}) | {
        *("format", "version", "settings", "conditions", "dtypes", "hypotheses"),
    }


def test_json_holds_the_rest_without_texts():
    report = make_report("three")
    values = json.loads(to_json(report))
    assert values["task"] == "classification"
    assert values["classes"] == ["a", "b", "c"]
    assert values["overall"][0]["value"] == report.overall["value"][0]
    assert values["by_class"][0]["class"] == "a"
    assert values["redundancy"]["n_effective"] == report.redundancy.n_effective
    assert values["provenance"]["seeds"] == {"random_state": 0}
    assert "text " not in json.dumps(values["hypotheses"])
    assert not {"details", "data"} & values.keys()
    values = json.loads(to_json(make_report("missing")))
    assert values["covariates"][0]["name"] == "length"
    assert values["redundancy"]["pairs"][0]["kind"] == "exact"


def test_settings_and_conditions_are_told():
    report = make_report("missing")
    assert "weights" not in to_markdown(make_report()) + to_latex(make_report())
    settings = {"cov_type": "auto", "classes": (np.int64(1), np.nan)}
    report = replace(report, data=replace(report.data, settings=settings))
    values = json.loads(to_json(report))
    assert values["settings"] == {"cov_type": "auto", "classes": [1, None]}
    weights = values["conditions"]["sample weights"]
    assert " 240 rows worth " in weights
    for text in (to_markdown(report), to_latex(report)):
        assert f"sample weights: {weights}" in text


def test_a_note_is_said_once():
    report = change_table(make_report(), note=["Firth logit"] * 6)
    text = to_markdown(report)
    assert text.count("Firth logit") == 1
    assert "- Firth logit: mentions tea, mentions rain, mentions why, " in text


def test_json_of_something_else():
    with pytest.raises(ValueError, match="no JSON of a report"):
        table_from_json('{"a": 1}')
