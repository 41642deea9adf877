from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from report_cases import CLASSES, NASTY, damaged, make_report

from sklearn_hypo._report._text import notebook_html, text_lines
from sklearn_hypo._report._words import (
    conditions,
    figure,
    format_p,
    joint_effects,
    twins,
)

KINDS = list(CLASSES)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    "params", [{}, {"n_hypotheses": 0}, {"n_hypotheses": 60}, {"statements": NASTY}]
)
def test_any_report_has_a_text_that_fits(kind, full, params):
    report = make_report(kind, full=full, **params)
    for each in (report, damaged(report)):
        lines = text_lines(each)
        assert max(map(len, lines)) <= 110
        "\n".join(lines).encode("utf-8")
        assert not any("\n" in line or "\x00" in line for line in lines)
        page = notebook_html(each)
        page.encode("utf-8")
        assert "<script" not in page
        assert "<img" not in page


def test_intervals_and_corrected_figures():
    report = make_report()
    row = report.table.iloc[2]
    lines = text_lines(report)
    assert lines[0] == "6 hypotheses tested on 500 texts (regression), 50 groups"
    header = lines[2]
    assert "separation [95%]" in header
    assert "joint coef [95%]" in header
    line = next(line for line in lines if line.startswith("mentions why"))
    interval = f"{row.coef:.3f} [{row.coef_lower:.3f}, {row.coef_upper:.3f}]"
    assert interval in line
    assert line.endswith("*")
    assert len(header) == len(line) - 3


def test_the_text_says_what_else_was_found():
    report = make_report()
    report.table["missing"] = [0, 30, 0, 0, 0, 0]
    report.table["n"] = 500 - report.table["missing"]
    report.table["separation_worst_lower"] = -0.4
    report.table["separation_worst_upper"] = 0.2
    report.table.loc[3, "note"] = "Firth logit"
    text = "\n".join(text_lines(report))
    assert "standard errors: clustered by group" in text
    assert "0.250 [0.200, 0.300]  in-sample (as published)" in text
    assert "0.001                 p-value of all hypotheses together, from 999" in text
    assert "covariate: length: 0.100 [0.080, 0.120], p 0.001" in text
    assert "nearly one: mentions tea | mentions rain: 97.0% of the answers" in text
    missing = "no answer: mentions rain: 30 of 500; separation in [-0.400, 0.200] at"
    assert missing in text
    assert "note: mentions snow: Firth logit" in text
    report.table.loc[3, "coef_p"] = np.nan
    assert "NaN: mentions snow: Firth logit" in "\n".join(text_lines(report))


def test_weights_and_fixed_effects_are_told():
    report = make_report()
    weight = np.ones(500)
    weight[0] = 3.5
    weighted = replace(
        report.data, sample_weight=weight, fixed_effects=np.arange(500) % 7
    )
    before = "\n".join(text_lines(report))
    assert "weights" not in before
    assert "fixed effects" not in before
    report.data = weighted
    line = "sample weights: 1.000 to 3.500, 500 rows worth 494 of equal weight; "
    line += "fixed effects: 7 levels, effects"
    lines = text_lines(report)
    assert any(each.startswith(line) for each in lines)
    assert max(map(len, lines)) <= 110
    assert line in notebook_html(report)
    assert line in "\n".join(text_lines(damaged(report)))


def test_conditions_of_odd_data():
    data = make_report().data
    report = SimpleNamespace(
        data=replace(
            data,
            sample_weight=np.zeros(3),
            fixed_effects=np.array(["a", None, ("b", 1)], dtype=object),
            covariates=pd.DataFrame(np.zeros((3, 7)), columns=[*NASTY[:6], 3]),
        )
    )
    told = conditions(report)
    assert told["sample weights"] == "0.000 to 0.000, 3 rows worth 0 of equal weight"
    assert told["fixed effects"] == "3 levels, effects are those within them"
    assert told["covariates"].endswith(" and 2 more")
    "".join(told.values()).encode("utf-8")
    report.data = replace(data, fixed_effects=np.ones(3), covariates=np.zeros((3, 2)))
    told = {"fixed effects": "1 level, effects are those within them"}
    assert conditions(report) == told | {"covariates": "z0, z1"}
    assert conditions(SimpleNamespace()) == {}


def test_a_covariate_without_a_coefficient_shows_its_p():
    report = make_report("three")
    report.covariates["coef"] = np.nan
    lines = text_lines(report)
    assert "covariate: length: p 0.001" in lines
    shown = next(line for line in lines if line.startswith("covariate: <script"))
    assert shown.endswith(": not estimated")
    assert "nan" not in "".join(line for line in lines if "covariate" in line)


def test_an_old_report_looks_as_it_did():
    lines = text_lines(make_report(full=False, n_hypotheses=2))
    header = "hypothesis     fidelity  prevalence    n  separation      p  joint coef"
    assert lines[2].startswith(header)
    assert "R² in-sample (as published): fit and score on the same 500" in lines[-3]


def test_many_remarks_are_cut():
    report = make_report(n_hypotheses=20)
    report.table["missing"] = 5
    lines = text_lines(report)
    assert sum(line.startswith("no answer:") for line in lines) == 6
    assert "  ... and 14 more such" in lines


def test_wide_letters_line_up():
    report = make_report(statements=["日本語 " * 20, "e\u0301mail", "short"])
    lines = text_lines(report)[2:6]
    # each ideograph takes two columns, an accent none
    wide = sum(c in "日本語" for c in lines[1])
    assert wide > 5
    star = [len(line.removesuffix("  *")) for line in lines]
    assert star[0] == star[1] + wide == star[2] - 1 == star[3]


def test_duplicates_are_named_without_a_search_for_them():
    report = make_report()
    report.redundancy = None
    report.table["duplicate_of"] = ["", "mentions tea", *[""] * 4]
    assert twins(report) == [("mentions tea", "mentions rain", "the same annotations")]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("regression", ["coef"]),
        ("binary", ["ame", "odds_ratio", "coef"]),
        ("three", ["ame"]),
    ],
)
def test_joint_effects(kind, columns):
    assert [e.column for e in joint_effects(make_report(kind))] == columns


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.000"),
        (-0.12345, "-0.123"),
        (1234.5678, "1234.6"),
        (123456.0, "1.2e+05"),
        (np.nan, "nan"),
        (-np.inf, "-inf"),
    ],
)
def test_figure(value, shown):
    assert figure(value) == shown


def test_format_p_of_nothing():
    assert format_p(np.nan) == "nan"
    assert format_p(0.0) == "<1e-300"


def test_strange_columns_do_not_harm():
    report = make_report(n_hypotheses=3)
    report.table["fidelity"] = pd.Series([None, "x", 0.5], dtype=object)
    report.table["duplicate_of"] = pd.Series([None, np.nan, pd.NA], dtype=object)
    report.table["significant"] = pd.Series([None, pd.NA, True], dtype=object)
    lines = text_lines(report)
    assert [line.endswith("*") for line in lines[3:6]] == [False, False, True]
