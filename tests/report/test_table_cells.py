"""The table of a report in terminal, Markdown and LaTeX, cell by cell."""

from dataclasses import replace

import numpy as np
import pytest
from report_cases import KINDS, change_table, make_report

JOINT = {
    "two": ("ame", "odds_ratio"),
    "three": ("ame",),
    "pairs": ("ame", "odds_ratio"),
    "counts": ("coef", "rate_ratio"),
}
TITLES = {
    "coef": ("joint coef [95%]", "Joint coef"),
    "ame": ("joint effect [95%]", "Joint effect"),
    "odds_ratio": ("odds ratio [95%]", "Odds ratio"),
    "rate_ratio": ("rate ratio [95%]", "Rate ratio"),
}


def with_fidelity(kind):
    report = make_report(kind)
    fidelity = np.linspace(0.5, 0.95, len(report.table))
    return replace(report, table=report.table.assign(fidelity=fidelity))


def number(value, missing=""):
    if np.isnan(value):
        return missing
    tiny = 0 < abs(value) < 1e-3
    return f"{value:.1e}" if tiny else f"{value:.3f}"


def p_value(p, missing=""):
    if np.isnan(p):
        return missing
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def estimate(row, name, missing=""):
    bounds = [row[f"{name}_lower"], row[f"{name}_upper"]]
    interval = "" if np.isnan(bounds).any() else f" [{', '.join(map(number, bounds))}]"
    return number(row[name], missing) + interval


def columns_at(line, places):
    """Cells of a line of the terminal between the ends of the header's columns."""
    return [line[a:b].strip() for a, b in zip(places, [*places[1:], None], strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_the_terminal(kind):
    report = with_fidelity(kind)
    header, *lines = str(report).splitlines()[2:]
    lines = {
        line.split("  ")[1]: line for line in lines[: lines.index("")] if line[0] == " "
    }
    joint = JOINT.get(kind, ("coef",))[0]
    names = ["hypothesis", "fid.", "prev.", "separation", "p"]
    names += [TITLES[joint][0], "joint p"]
    ends = []
    for name in names:  # numbers end where the names of their columns do
        ends.append(header.index(name, ends[-1] if ends else 0) + len(name))
    ends[0] = 2 + max(len(name) for name in report.table["hypothesis"])
    assert header[ends[-1] :] == ""
    assert len(lines) == len(report.table)
    for _, row in report.table.iterrows():
        cells = columns_at(lines[row["hypothesis"]], [0, *ends])
        assert cells == [
            row["hypothesis"],
            f"{row['fidelity']:.2f}",
            number(row["prevalence"], "nan"),
            number(row["separation"], "nan"),
            p_value(row["separation_p_corrected"], "nan"),
            estimate(row, joint, "nan"),
            p_value(row["p_corrected"], "nan"),
            "*" if row["significant"] else "",
        ]


def rows_of(report, kind):
    """Header and rows of an article, without markup."""
    joint = JOINT.get(kind, ("coef",))
    by_class = ["Class"] if kind == "three" else []
    header = ["Hypothesis", "Fidelity", "n", "Prevalence", "Separation", *by_class]
    header += [TITLES[name][1] for name in joint] + ["p, corrected", ""]
    rows = []
    for _, row in report.table.iterrows():
        numbers = [
            f"{row['fidelity']:.2f}",
            str(row["n"]),
            number(row["prevalence"]),
            estimate(row, "separation"),
            *([row["separation_class"]] if by_class else []),
            *(estimate(row, name) for name in joint),
            p_value(row["p_corrected"]),
        ]
        numbers = [cell.replace("-", "−") for cell in numbers]
        rows.append([row["hypothesis"], *numbers, "*" if row["significant"] else ""])
    return [header, *rows]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_markdown(kind):
    report = with_fidelity(kind)
    lines = report.to_markdown().splitlines()
    assert lines[0].startswith("6 hypotheses tested on 240 texts (")
    table = [
        [cell.strip().replace("\\", "") for cell in line.split("|")[1:-1]]
        for line in lines
        if line.startswith("|")
    ]
    expected = rows_of(report, kind)
    assert table[1] == [":--"] + ["--:"] * (len(expected[0]) - 1)
    assert [table[0], *table[2:]] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_of_latex(kind):
    report = with_fidelity(kind)
    body = report.to_latex().partition("\\toprule\n")[2].partition("\\bottomrule")[0]
    for code, shown in (
        ("\\midrule\n", ""),
        ("\\textminus{}", "−"),
        ("{[}", "["),
        ("{*}", "*"),
    ):
        body = body.replace(code, shown)
    table = [
        [cell.strip() for cell in line.removesuffix("\\\\").split("&")]
        for line in body.splitlines()
    ]
    assert table == rows_of(report, kind)


def test_lines_below_the_table():
    report = make_report("missing")
    text = str(report)
    lines = text.splitlines()
    assert lines[13] == (
        "* 4 of 4 significant in the joint regression (holm, family level 0.1)"
    )
    listed = [line for line in lines if line.startswith("no answer: ")]
    assert listed == [
        f"no answer: {row['hypothesis']}: {row['missing']} of 240; separation in "
        f"[{number(row['separation_worst_lower'])}, "
        f"{number(row['separation_worst_upper'])}] at worst"
        for _, row in report.table.iterrows()
    ]
    covariates = [line for line in lines if line.startswith("covariate: ")]
    assert covariates == [
        f"covariate: {row['name']}: {estimate(row, 'coef')}, p {p_value(row['coef_p'])}"
        for _, row in report.covariates.iterrows()
    ]
    assert "NaN [1 of 6]: no answers (0 of 240): mentions mud" in lines
    twin = "NaN [1 of 6]: duplicate (the same as 'mentions tea'): mentions fog"
    assert twin in lines
    first = report.overall.set_index("name").loc["r2_cross_fitted"]
    head = f"  {number(first['value'])} [{number(first['lower'])}"
    assert any(line.startswith(head) for line in lines)


def test_more_than_six_lines_of_a_kind_are_counted():
    report = make_report("missing", n_hypotheses=9)
    lines = str(report).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("no answer: "))
    more = (report.table["missing"] > 0).sum() - 6
    assert lines[start + 6] == f"  ... and {more} more such"
    six = change_table(report, missing=np.array([1] * 6 + [0] * 3))
    assert "more such" not in str(six)


def test_classes_of_a_target_of_two_are_told():
    assert "y: 1 for 'pos', 0 for 'neg'" in str(make_report("two")).splitlines()
    assert "y: 1 for" not in str(make_report("three"))
