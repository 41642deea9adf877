from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from report_cases import KINDS, NASTY, change_table, make_report, spoil_figures

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._report._columns import rank_joint_effects
from sklearn_hypo._report._formats import format_number, format_p
from sklearn_hypo._report._page._notebook import notebook_html
from sklearn_hypo._report._text import text_lines
from sklearn_hypo._report._words import (
    describe_permutations,
    group_notes,
    list_conditions,
    name_class,
    name_target,
)


# a ResourceWarning is of the garbage of other tests
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_hypotheses", "nasty"), [(6, False), (10, True), (0, True)])
def test_any_report_has_a_text_that_fits(kind, n_hypotheses, nasty):
    report = make_report(kind, n_hypotheses, nasty)
    for each in (report, spoil_figures(report)):
        lines = text_lines(each)
        assert max(map(len, lines)) <= 100
        "\n".join(lines).encode("utf-8")
        assert not any("\n" in line or "\x00" in line for line in lines)
        notebook_html(each).encode("utf-8")


def test_long_statements_are_wrapped_and_not_cut():
    long = "mentions sad, depressed, lonely, miserable, heartbroken or 49 more terms"
    names = [long, "w" * 90, *(f"mentions w{i}" for i in range(4))]
    lines = text_lines(change_table(make_report(), hypothesis=names))
    assert max(map(len, lines)) == 100
    first = next(i for i, line in enumerate(lines) if line.startswith("  mentions sad"))
    room = lines[2].index("prev.")
    stated = [line[:room].strip() for line in lines[first : first + 4]]
    assert long.startswith(" ".join(stated[:2]))
    text = "".join(line[:room].strip() for line in lines)
    assert "w" * 90 in text
    assert long.replace(" ", "") in text.replace(" ", "")
    assert "…" not in "".join(lines[:20])


def test_statements_without_end_are_cut_somewhere():
    lines = text_lines(change_table(make_report(), hypothesis=["w" * 2000] * 6))
    assert sum("w" * 20 in line for line in lines) < 6 * 20


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_by_direction_the_largest_effect_first(kind):
    report = make_report(kind)
    lead = rank_joint_effects(report)[0]
    lines = text_lines(report)[3:]
    lines = lines[: lines.index("")]
    place = {f"  {name} ": i for i, name in enumerate(report.table["hypothesis"])}
    blocks, heading = {}, ""
    for line in lines:
        if line.startswith("  "):
            row = next(i for name, i in place.items() if line.startswith(name))
            blocks[heading].append(report.table.loc[row])
        else:
            heading = line
            blocks[heading] = []
    assert sum(map(len, blocks.values())) == 6
    outcome = {"two": "y = 'pos'", "pairs": "y = 1"}.get(kind, "y")
    for heading, rows in blocks.items():
        effects = np.array([row[lead.name] for row in rows])
        if heading == "no effect estimated":
            assert np.isnan(effects).all()
            assert heading == lines[-1 - len(rows)]
            continue
        word, _, what = heading.partition(" ")
        assert ((effects > 0) == (word == "more")).all()
        assert (np.diff(np.abs(effects)) <= 0).all()
        if kind == "three":
            assert {f"y = {row['separation_class']!r}" for row in rows} == {what}
        else:
            assert what == outcome


def test_corrected_figures():
    report = make_report("clusters")
    row = report.table.iloc[2]
    lines = text_lines(report)
    assert lines[0] == "6 hypotheses tested on 240 texts (regression), 60 groups"
    header = lines[2]
    assert "separation  " in header
    assert "joint coef [95%]" in header
    line = next(line for line in lines if line.startswith("  mentions why"))
    interval = f"{row.coef:.3f} [{row.coef_lower:.3f}, {row.coef_upper:.3f}]"
    assert interval in line
    assert f"  {row.separation:.3f}  " in line
    assert f"{format_p(row.separation_p_corrected)}  " in line
    assert line.endswith(f"{format_p(row.p_corrected)}  *")
    assert len(header) == len(line) - 3


def test_turned_signs_are_marked_and_said_once():
    report = make_report()
    turned = ["joint", "separation, joint", "", "separation", "joint", "separation"]
    lines = text_lines(change_table(report, reversed=turned))
    marks = {
        name: next(line for line in lines if line.startswith(f"  {name}")).split()[-1]
        for name in report.table["hypothesis"]
    }
    # of the others no effect is significant: their signs may be chance
    assert [name for name, mark in marks.items() if mark.endswith("!")] == [
        "mentions tea",
        "mentions rain",
    ]
    assert marks["mentions tea"] == "*!"
    said = (
        "! 2 of 6 with a significant effect whose sign was the opposite in training: "
        "mentions tea, mentions rain"
    )
    assert said in " ".join(" ".join(lines).split())
    assert "!" not in str(report)


def test_a_separation_alone_that_turned_is_marked_too():
    report = change_table(
        make_report(), reversed=["separation"] + [""] * 5, significant=[False] * 6
    )
    line = next(line for line in text_lines(report) if "mentions tea" in line)
    assert line.split()[-1] == "!"


def test_length_and_skipped_neurons_are_said_in_a_line():
    report = make_report()
    fixed = change_table(
        report, coef_length_fixed_p_corrected=[0.01, 0.5, 0.02, 0.01, np.nan, 1.0]
    )
    fixed = replace(
        fixed,
        skipped_neurons={"n1": "words do not describe it", "n2": "constant"}
        | {"n3": "words do not describe it"},
    )
    lines = " ".join(text_lines(fixed))
    assert "the length of the texts predicts y: 2 of 3 stay significant with" in lines
    assert (
        "3 selected neurons without a hypothesis: words do not describe it (2); "
        "constant (1)"
    ) in lines
    assert "length of the texts" not in str(report)
    assert "without a hypothesis" not in str(report)


def test_the_text_says_what_else_was_found():
    report = make_report("missing")
    table, covariate = report.table, report.covariates.iloc[0]
    text = "\n".join(text_lines(report))
    assert "pooled, or HC2 where spreads differ" in " ".join(text.split())
    row = report.overall.set_index("name").loc["r2_covariates"]
    figure = f"{row.value:.3f} [{row.lower:.3f}, {row.upper:.3f}] "
    (line,) = (line for line in text_lines(report) if figure in line)
    assert "R² in-sample" in line
    assert "p-value of all hypotheses together, from at most 9 draws of y" in text
    coef = f"{covariate.coef:.3f} [{covariate.coef_lower:.3f}"
    assert f"covariate: length: {coef}" in text
    assert "nearly one: mentions tea | mentions fog: the same annotations" in text
    first = table.iloc[1]
    worst = f"[{first.separation_worst_lower:.3f}, {first.separation_worst_upper:.3f}]"
    missing = f"{first.missing} of 240; separation in {worst} at worst"
    assert f"no answer: mentions rain: {missing}" in text
    assert "NaN [1 of 6]: no answers (0 of 240): mentions mud" in text


def test_weights_and_fixed_effects_are_told():
    weighted, fixed = make_report("missing"), make_report("clusters")
    weight = weighted.data.sample_weight
    worth = weight.sum() ** 2 / (weight**2).sum()
    weights = f"sample weights: {weight.min():.3f} to {weight.max():.3f}, 240 rows "
    weights += f"worth {worth:.0f} of equal weight"
    levels = "fixed effects: 7 levels, effects are those within them"
    for report, line in ((weighted, weights), (fixed, levels)):
        assert line in text_lines(report)
        assert line in notebook_html(report)
    plain = "\n".join(text_lines(make_report()))
    assert "weights" not in plain
    assert "fixed effects" not in plain


def test_covariates_are_named():
    data = make_report().data
    frame = pd.DataFrame(np.zeros((3, 7)), columns=[*NASTY[:6], 3])
    report = replace(make_report(), data=replace(data, covariates=frame))
    assert list_conditions(report)["covariates"].endswith(" and 2 more")
    list_conditions(report)["covariates"].encode("utf-8")
    report = replace(report, data=replace(data, covariates=[[1.0, 2.0]]))
    assert list_conditions(report) == {"covariates": "z0, z1"}
    one = replace(report, data=replace(data, fixed_effects=np.ones(3)))
    expected = {"fixed effects": "1 level, effects are those within them"}
    assert list_conditions(one) == expected


@pytest.mark.parametrize(("length", "shown"), [(40, "w" * 40), (41, "w" * 39 + "…")])
def test_names_are_cut_at_forty_characters(length, shown):
    name = "w" * length
    report = change_table(make_report(), hypothesis=[name] * 6, note=["odd"] * 6)
    data = replace(report.data, covariates=pd.DataFrame({name: [0.0]}))
    report = replace(report, target_name=name, data=data)
    assert list_conditions(report)["covariates"] == shown
    assert name_target(report) == shown
    label = name[2:]  # and two quotes
    cut = repr(label) if length == 40 else "'" + "w" * 38 + "…"
    assert name_class(report, label) == f"{shown} = {cut}"
    assert group_notes(report)[0][2].split(", ")[0] == shown


def test_a_covariate_without_a_coefficient_shows_its_p():
    table = pd.DataFrame({"name": ["length", NASTY[0]], "coef": np.nan})
    table["coef_p"] = [0.001, np.nan]
    lines = text_lines(replace(make_report("three"), covariates=table))
    assert "covariate: length: p 0.001" in lines
    shown = next(line for line in lines if line.startswith("covariate: <script"))
    assert shown.endswith(": not estimated")
    assert "nan" not in "".join(line for line in lines if "covariate" in line)


def test_many_missing_answers_are_cut():
    lines = text_lines(change_table(make_report("quantity", 20), missing=5))
    assert sum(line.startswith("no answer:") for line in lines) == 6
    assert "  ... and 14 more such" in lines


def test_a_note_is_said_once_with_how_many_it_is_on():
    report = make_report("quantity", 20)
    notes = ["Firth logit"] * 19 + ["skewed"]
    coef_p = np.where(np.arange(20) < 2, np.nan, report.table["coef_p"])
    lines = text_lines(change_table(report, note=notes, coef_p=coef_p))
    (found,) = (line for line in lines if "Firth logit" in line)
    assert found.startswith("note [19 of 20]: Firth logit: mentions tea, mentions rain")
    (found,) = (line for line in lines if "skewed" in line)
    assert found == "note [1 of 20]: skewed: mentions hail19"
    gaps = text_lines(change_table(report, note=notes, coef_p=[np.nan] * 20))
    assert any(line.startswith("NaN [19 of 20]: Firth logit") for line in gaps)


def test_notes_that_differ_in_details_are_one():
    report = make_report("quantity", 4)
    skewed = "skewed target, few texts on one side: p may be too small"
    twin = "duplicate (the same as 'a; b (c)')"
    notes = [f"{skewed} (9 texts)", f"{skewed} (12 texts); {twin}", twin, ""]
    lines = text_lines(change_table(report, note=notes))
    noted = [line for line in lines if line.startswith(("note", "NaN"))]
    assert noted[0] == f"note [2 of 4]: {skewed}: mentions tea, mentions rain"
    assert noted[1:] == [f"note [2 of 4]: {twin}: mentions rain, mentions why"]


@pytest.mark.parametrize("kind", ["regression", "two", "three"])
def test_the_target_is_called_by_its_name(kind):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(90, 1))
    y = rng.normal(size=90)
    if kind != "regression":
        y = np.digitize(y, [0] if kind == "two" else [-1, 1])
    series = pd.Series(y, name="stars")
    named = evaluate_annotations(A, series, names=["has tea"], n_resamples=9)
    plain = evaluate_annotations(A, y, names=["has tea"], n_resamples=9)
    assert (named.target_name, plain.target_name) == ("stars", None)
    text = str(named)
    assert text.splitlines()[0].endswith(f"({named.task} of stars)")
    assert "draws of stars without" in text
    assert ("stars: 1 for 1, 0 for 0" in text) == (kind == "two")
    assert "stars" not in str(plain)
    assert "draws of y without" in str(plain)


def test_wide_letters_line_up():
    names = ["日本語 " * 20, "e\u0301mail", "short"]
    report = change_table(make_report("quantity", 3), hypothesis=names)
    lines = [line for line in text_lines(report) if "0." in line][:3]
    assert {line[2] for line in lines} == {*"日es"}
    # each ideograph takes two columns, an accent none
    ends = [line.rindex("]") + sum(c in "日本語" for c in line) for line in lines]
    accents = ["\u0301" in line for line in lines]
    assert len({end - accent for end, accent in zip(ends, accents, strict=True)}) == 1


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("quantity", ["coef"]),
        ("two", ["ame", "odds_ratio", "coef"]),
        ("three", ["ame"]),
    ],
)
def test_joint_effects_by_how_readable_they_are(kind, columns):
    assert [column.name for column in rank_joint_effects(make_report(kind))] == columns


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.000"),
        (-0.12345, "-0.123"),
        (999.9994, "999.999"),
        (1000.0, "1000.0"),
        (1234.5678, "1234.6"),
        (99999.9, "99999.9"),
        (100000.0, "1.0e+05"),
        (0.001, "0.001"),
        (-0.000999, "-1.0e-03"),
        (123456.0, "1.2e+05"),
        (np.nan, "nan"),
        (-np.inf, "-inf"),
    ],
)
def test_format_number(value, shown):
    assert format_number(value) == shown


def test_format_p_of_nothing():
    assert format_p(np.nan) == "nan"
    assert format_p(0.0) == "<1e-300"


def test_forms_of_a_word_are_broken_between_them():
    from sklearn_hypo._utils._printable import wrap_words

    lines = wrap_words("mentions classification/classifications, tree", 20)
    assert lines == ["mentions", "classification/", "classifications,", "tree"]


# Draws ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("joint", "alone", "said"),
    [
        (999, 999, "by 999 draws without any effect: a p-value near 0.05 has a Monte "),
        (9999, 999, "by 9,999 draws without any effect (999 for separations): a"),
        (9999, 0, "by 9,999 draws without any effect: a p-value"),
        (0, 999, ""),
    ],
)
def test_draws_of_both_families_are_said(joint, alone, said):
    report = replace(
        make_report(), alpha=0.05, n_permutations=joint, n_permutations_alone=alone
    )
    assert said in describe_permutations(report)
    assert bool(describe_permutations(report)) == bool(said)


def test_each_family_draws_as_much_as_it_needs():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(300, 1)).astype(float)
    A = np.column_stack([A, (A[:, 0] + (rng.random(300) < 0.15)) % 2])
    y = A @ [0.9, 0.6] + rng.normal(size=300)  # the second: p near the level, jointly
    report = evaluate_annotations(A, y, n_resamples=0)
    assert report.table["separation_p_corrected"].tolist() == [0.001, 0.001]
    assert report.n_permutations_alone == 999
    assert report.n_permutations > 999
    assert report.table["p_corrected"].min() == 1 / (1 + report.n_permutations)
