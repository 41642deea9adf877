"""What the page shows, cell by cell, against the report that it is made of."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from page_tree import find_section, parse_page, read, read_pairs, read_rows
from report_cases import change_table, make_report

from sklearn_hypo._report._page._page import report_page


def tree_of(report):
    return parse_page(report_page(report))


def number(value):
    tiny = 0 < abs(value) < 1e-3
    return (f"{value:.1e}" if tiny else f"{value:.3f}").replace("-", "−")


def interval(lower, upper):
    return f"[{number(lower)}, {number(upper)}]"


def p_value(p):
    return (f"{p:.3f}" if p >= 0.001 else f"{p:.0e}").replace("-", "−")


def estimate(row, name):
    bounds = interval(row[f"{name}_lower"], row[f"{name}_upper"])
    return f"{number(row[name])} {bounds}"


def blocks_of(root, i):
    """The blocks of hypothesis i by heading."""
    (details,) = (d for d in root.iter("details") if d.get("id") == f"h{i}")
    blocks = (d for d in details.iter("div") if d.get("class") == "block")
    return details, {read(block.find("h3")): block for block in blocks}


# The overview -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "joint", "headings"),
    [
        ("quantity", ["coef"], ["Joint coef"]),
        ("two", ["ame", "odds_ratio"], ["Joint effect", "Odds ratio"]),
        ("three", ["ame"], ["Joint effect"]),
        ("pairs", ["ame", "odds_ratio"], ["Joint effect", "Odds ratio"]),
        ("counts", ["coef", "rate_ratio"], ["Joint coef", "Rate ratio"]),
    ],
)
def test_the_table_of_all_hypotheses(kind, joint, headings):
    report = make_report(kind)
    table = report.table.assign(fidelity=np.linspace(0.5, 0.95, 6))
    root = tree_of(replace(report, table=table))
    (findings,) = (t for t in root.iter("table") if t.get("id") == "findings")
    head, *rows = findings.iter("tr")
    names = [th.find("button").text for th in head]
    assert names == [
        *["#", "Hypothesis", "Fidelity", "Share", "Effect", "Alone"],
        *headings,
        "Joint p",
    ]
    kinds = ["number", "text", *["number"] * (len(names) - 2)]
    assert [th.get("data-kind") for th in head] == kinds
    sign = table[joint[0]].to_numpy()
    order = sorted(range(6), key=lambda i: (not table["significant"][i], -sign[i]))
    for tr, i in zip(rows, order, strict=True):
        row = table.loc[i]
        mark = " significant" if row["significant"] else ""
        place = f" in {row['separation_class']}" if kind == "three" else ""
        assert [read(td) for td in tr] == [
            str(i + 1),
            row["hypothesis"] + place + mark,
            f"{row['fidelity']:.2f}",
            f"{row['prevalence']:.3f}",
            "",
            estimate(row, "separation"),
            *(estimate(row, name) for name in joint),
            p_value(row["p_corrected"]),
        ]
        sorted_by = [
            *[i + 1, row["hypothesis"], row["fidelity"], row["prevalence"]],
            *[row[joint[0]], row["separation"], *row[joint], row["p_corrected"]],
        ]
        for td, value, heading in zip(tr, sorted_by, names, strict=True):
            shown = value if isinstance(value, str) else f"{value:.6g}"
            assert td.get("data-v") == shown, heading
        tone = "quiet"
        if row["significant"]:
            tone = "positive" if sign[i] > 0 else "negative"
        assert tr.get("class") == f"row-{tone}"
        assert tr[1].find("a").get("href") == f"#h{i}"


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("quantity", "regression"),
        ("two", "2 classes"),
        ("three", "3 classes"),
        ("pairs", "2 classes, 120 pairs"),
        ("clusters", "regression, 60 groups"),
        ("missing", "regression, 221 in the joint regression"),
    ],
)
def test_tiles(kind, size):
    report = make_report(kind)
    root = tree_of(report)
    tiles = [t for t in root.iter("div") if t.get("class") == "tile"]
    figures = report.overall.set_index("name")
    score, name = {
        "two": ("roc_auc", "ROC AUC"),
        "three": ("roc_auc", "ROC AUC"),
        "pairs": ("roc_auc", "pairs ranked rightly"),
    }.get(kind, ("r2", "R²"))
    figure = figures.loc[f"{score}_cross_fitted"]
    assert [[read(part) for part in tile] for tile in tiles] == [
        [
            f"{report.n_significant} of {report.n_tested}",
            "significant in the joint regression",
            "holm, family level 0.1",
        ],
        [
            number(figure["value"]),
            f"{name} cross-fitted",
            f"95% interval {interval(figure['lower'], figure['upper'])}",
            f"as many n-grams: {number(figures.loc[f'{score}_ngrams', 'value'])}",
        ],
        [
            p_value(report.permutation_p),
            "p-value of all together",
            "from at most 9 draws of y without any effect",
        ],
        ["240", "texts", size],
    ]


def test_the_score_on_new_texts_comes_first():
    report = make_report()
    rows = [
        ("r2_adjusted", 0.3, 0.2, 0.4, "adjusted"),
        ("r2_out_of_sample", 0.25, np.nan, 0.4, "outside"),
        ("r2_cross_fitted", 0.28, 0.2, 0.4, "crossed"),
        (
            "r2_adjusted",
            0.02,
            0.0,
            0.1,
            "R² in-sample, added to that of the covariates",
        ),
    ]
    columns = report.overall.columns
    for names, shown in (
        ({0, 1, 2}, ["0.250", "R² out-of-sample"]),
        ({0, 2}, ["0.280", "R² cross-fitted", "95% interval [0.200, 0.400]"]),
        ({0}, ["0.300", "R² adjusted, in-sample", "95% interval [0.200, 0.400]"]),
        ({3}, ["0.020", "R² adjusted, in-sample, added"]),
        (set(), ["0.100", "p-value of all together"]),
    ):
        overall = pd.DataFrame([rows[i] for i in sorted(names)], columns=columns)
        root = tree_of(replace(report, overall=overall))
        tiles = [t for t in root.iter("div") if t.get("class") == "tile"]
        assert [read(part) for part in tiles[1]][: len(shown)] == shown


def directions_of(root):
    (part,) = (d for d in root.iter("div") if d.get("class") == "directions")
    return {
        read(side.find("h2")): [read(li) for li in side.iter("li")] for side in part
    }


def test_directions_name_five_and_count_the_rest():
    coef = np.array([0.1, 0.7, -0.1, 0.3, 0.2, 0.9, 0.5, 0.8, -0.4])
    wide = 1.5 * np.abs(coef)  # lower bounds are in another order
    report = change_table(
        make_report(n_hypotheses=9),
        coef=coef,
        coef_lower=coef - wide,
        coef_upper=coef + wide,
        significant=np.arange(9) != 7,
    )
    table, root = report.table, tree_of(report)
    shown = [
        f"{table['hypothesis'][i]} +{estimate(table.loc[i], 'coef')}"
        for i in (5, 1, 6, 3, 4)
    ]
    assert directions_of(root) == {
        "Goes with more of y": [*shown, "and 1 more in the table"],
        "Goes with less of y": [  # the strongest first there too
            f"{table['hypothesis'][i]} {estimate(table.loc[i], 'coef')}" for i in (8, 2)
        ],
    }
    summaries = [
        read(details.find("summary"))
        for details in root.iter("details")
        if details.get("id")
    ]
    assert summaries == [
        f"{'significant: ' if i != 7 else ''}{table['hypothesis'][i]} "
        f"{'+' if coef[i] > 0 else ''}{number(coef[i])}"
        for i in (5, 1, 6, 3, 4, 0, 2, 8, 7)
    ]


def test_what_has_no_effect_comes_last():
    coef = np.array([np.nan, -0.7, 0.4, np.nan, -0.2, 0.9])
    marked = np.array([False] * 5 + [True])
    root = tree_of(change_table(make_report(), coef=coef, significant=marked))
    order = [d.get("id") for d in root.iter("details") if d.get("id")]
    assert order == ["h5", "h2", "h4", "h1", "h0", "h3"]


def test_a_page_has_the_title_that_it_is_given(tmp_path):
    make_report().to_html(tmp_path / "own.html", title="Tea & rain")
    make_report().to_html(tmp_path / "plain.html")
    for name, title in (("own", "Tea & rain"), ("plain", "Hypothesis report")):
        root = parse_page((tmp_path / f"{name}.html").read_text("utf-8"))
        assert read(root.find(".//h1")) == read(root.find(".//title")) == title


def test_directions_without_findings_are_said_to_be_so():
    report = make_report()
    coef = report.table["coef"].abs()
    upward = change_table(report, coef=coef, coef_lower=coef, coef_upper=coef)
    assert directions_of(tree_of(upward))["Goes with less of y"] == ["none"]
    quiet = change_table(report, significant=np.zeros(6, dtype=bool))
    assert (
        "No hypothesis is significant (holm over 6 hypotheses, family"
        in report_page(quiet)
    )


def test_directions_of_several_classes_name_the_class():
    report = make_report("three")
    table = report.table[report.table["significant"]]
    found = directions_of(tree_of(report))
    shown = [line for lines in found.values() for line in lines]
    assert sorted(shown) == sorted(
        f"{row['hypothesis']} {'+' * (row['ame'] > 0)}{estimate(row, 'ame')} "
        f"in {row['separation_class']}"
        for _, row in table.iterrows()
    )


# One by one -------------------------------------------------------------------------


def test_effects_and_basis_of_a_quantity():
    report = make_report("missing")
    report = change_table(report, neuron=[f"n{j}" for j in range(6)])
    root = tree_of(report)
    for i in (0, 1, 2):
        row = report.table.loc[i]
        _, blocks = blocks_of(root, i)
        worst = interval(row["separation_worst_lower"], row["separation_worst_upper"])
        assert read_pairs(blocks["Effect"]) == [
            ("separation, alone (units of y)", estimate(row, "separation")),
            ("separation, whatever the missing answers are", worst),
            ("joint coefficient (units of y)", estimate(row, "coef")),
            ("p alone", p_value(row["separation_p"])),
            ("p alone, corrected", p_value(row["separation_p_corrected"])),
            ("separation, per sd of y", number(row["separation_std"])),
            (
                "separation, covariates held fixed (units of y)",
                estimate(row, "separation_adjusted"),
            ),
            (
                "p alone, covariates held fixed, corrected",
                p_value(row["separation_adjusted_p_corrected"]),
            ),
            ("p beside the others", p_value(row["coef_p"])),
            ("joint coefficient, standardised", number(row["coef_std"])),
            ("p beside the others, corrected", p_value(row["p_corrected"])),
        ]
        vif = "infinite" if np.isinf(row["vif"]) else number(row["vif"])
        assert read_pairs(blocks["Basis"]) == [
            ("neuron", f"n{i}"),
            ("texts with an answer", str(row["n"])),
            ("texts without an answer", str(row["missing"])),
            ("share of texts that have it", f"{row['prevalence']:.3f}"),
            ("degrees of freedom", number(row["coef_df"])),
            ("variance inflation", vif),
            ("method of the joint regression", "WLS"),
        ]
    details, blocks = blocks_of(root, 5)
    assert "The same as: mentions tea" in read(details)
    assert "duplicate (the same as 'mentions tea')" in read(details)
    assert "joint coefficient (units of y)" not in dict(read_pairs(blocks["Effect"]))
    _, blocks = blocks_of(root, 4)
    assert dict(read_pairs(blocks["Basis"]))["texts with an answer"] == "0"


def test_the_basis_of_pairs_counts_pairs():
    report = make_report("pairs")
    _, blocks = blocks_of(tree_of(report), 0)
    basis = dict(read_pairs(blocks["Basis"]))
    assert basis["pairs with an answer"] == str(report.table["n"][0]) == "120"
    assert "texts with an answer" not in basis


def test_effects_by_class():
    report = make_report("three")
    root = tree_of(report)
    for i, name in enumerate(report.table["hypothesis"]):
        own = report.by_class[report.by_class["hypothesis"] == name]
        _, blocks = blocks_of(root, i)
        head, *rows = read_rows(blocks["By class"])
        assert head == ["class", "alone", "p", "beside the others", "p"]
        assert rows == [
            [
                row["class"],
                estimate(row, "separation"),
                p_value(row["separation_p"]),
                estimate(row, "ame"),
                p_value(row["ame_p"]),
            ]
            for _, row in own.iterrows()
        ]
        of_most = report.table["separation_class"][i]
        assert dict(read_pairs(blocks["Effect"])).get("class", "") == of_most


def test_evidence_of_one_hypothesis():
    report = make_report()
    detail = replace(
        report.details[0],
        counts_absent=(1,) * 20,
        n_zero=(3, 1500),
        prevalence_by_target=(("low", 1234, 0.5), ("high", 0, np.nan)),
        absent=(),
    )
    report = replace(report, details=(detail, *report.details[1:]))
    details, blocks = blocks_of(tree_of(report), 0)
    active = sum(detail.counts_present)
    assert f"have it ({active} active, 3 not)" in read(details)
    assert "lack it (20 active, 1,500 not)" in read(details)
    (drawing,) = (s for s in details.iter("svg") if s.get("role") == "img")
    assert drawing.get("aria-label") == (
        f"Histogram of the activation of the neuron: {active} active texts that have "
        "the hypothesis, 20 active texts that lack it"
    )
    assert read_rows(blocks["Share of texts that have it, by y"]) == [
        ["low", "", "50.0%", "of 1,234"],
        ["high", "", "–", "of 0"],
    ]
    shown = [read(li) for li in blocks["Texts that have it"].iter("li")]
    assert shown == list(detail.present)
    marks = [read(mark) for mark in blocks["Texts that have it"].iter("mark")]
    assert set(marks) == {"tea"}
    assert read(blocks["Texts that lack it"]) == "Texts that lack it none"


def test_the_terms_of_a_dictionary_are_folded_and_complete():
    report = make_report()
    terms = tuple(f"w{i}*" for i in range(120))
    shares = tuple(i / 200 for i in range(120))
    gains = (0.25, -0.002, *[np.nan] * 118)
    detail = replace(
        report.details[0], terms=terms, term_shares=shares, term_gains=gains
    )
    plain = replace(report.details[1], terms=("rain",), term_shares=(0.375,))
    bare = replace(report.details[2], terms=())
    others = (plain, bare, *report.details[3:])
    root = tree_of(replace(report, details=(detail, *others)))
    details, _ = blocks_of(root, 0)
    (folded,) = (d for d in details.iter("details") if d is not details)
    assert folded.get("open") is None
    assert read(folded.find("summary")) == "All terms (120)"
    head, *rows = read_rows(folded)
    assert head == ["term", "share of texts", "adds to fidelity"]
    assert len(rows) == 120
    assert rows[0] == ["w0*", "0.0%", "+0.250"]
    assert rows[1] == ["w1*", "0.5%", "−0.002"]
    assert rows[2] == ["w2*", "1.0%", "–"]
    details, _ = blocks_of(root, 1)
    (folded,) = (d for d in details.iter("details") if d is not details)
    assert read_rows(folded) == [["term", "share of texts"], ["rain", "37.5%"]]
    details, _ = blocks_of(root, 2)  # a statement without terms
    assert [d for d in details.iter("details") if d is not details] == []


def test_turned_signs_length_and_names_on_the_page():
    report = make_report()
    report = change_table(
        report,
        reversed=["joint", "", "", "separation", "", ""],
        name=["hot drinks", *[""] * 5],
        coef_length_fixed=[1.1, *[0.2] * 5],
        coef_length_fixed_lower=[0.8, *[-0.2] * 5],
        coef_length_fixed_upper=[1.4, *[0.6] * 5],
        coef_length_fixed_p_corrected=[0.001, *[0.5] * 5],
    )
    report = replace(report, skipped_neurons={"n9": "constant"})
    numbers = [n for n in report.table if n.startswith("coef_length")]
    report = replace(report, table=report.table.astype(dict.fromkeys(numbers, float)))
    root = tree_of(report)
    notes = [read(p) for p in root.iter("p") if p.get("class") == "note"]
    assert notes[:3] == [
        "1 of 6 with a significant effect whose sign was the opposite in training: "
        "hot drinks: mentions tea",
        "the length of the texts predicts y: 1 of 3 stay significant with "
        "log(1 + words) held fixed",
        "1 selected neuron without a hypothesis: constant (1)",
    ]
    assert "Its sign was the opposite in training: joint" in notes
    assert "Its sign was the opposite in training: separation" in notes
    (findings,) = (t for t in root.iter("table") if t.get("id") == "findings")
    cells = {tr[0].text: read(tr[1]) for tr in findings.iter("tr")}
    shown = [cell for cell in cells.values() if "opposite" in cell]
    assert shown == ["hot drinks: mentions tea opposite sign in training significant"]
    details, blocks = blocks_of(root, 0)
    assert read(details.find("summary")).startswith("significant: hot drinks: mentions")
    effects = dict(read_pairs(blocks["Effect"]))
    about = "joint coefficient, length held fixed (units of y)"
    assert effects[about] == "1.100 [0.800, 1.400]"
    assert effects["p beside the others, length held fixed, corrected"] == "0.001"


def test_long_statements_are_cut_and_told_in_full():
    report = make_report()
    for length in (220, 221, 300, 301):
        name = "w" * length
        own = change_table(report, hypothesis=[name, *report.table["hypothesis"][1:]])
        root = tree_of(own)
        details, _ = blocks_of(root, 0)
        (findings,) = (t for t in root.iter("table") if t.get("id") == "findings")
        cell = next(read(a) for a in findings.iter("a") if a.get("href") == "#h0")
        assert cell == (name if length <= 220 else "w" * 219 + "…")
        title = read(next(s for s in details.iter("span") if s.get("class") == "name"))
        assert title == (name if length <= 300 else "w" * 299 + "…")
        paragraphs = [read(p) for p in details.findall("p")]
        assert (name in paragraphs) == (length > 300)


# Below ------------------------------------------------------------------------------


def test_overall_figures_and_covariates():
    report = make_report("missing")
    root = tree_of(report)
    rows = read_rows(find_section(root, "All hypotheses together"))
    expected = [
        [f"{number(row.value)} {interval(row.lower, row.upper)}", row.description]
        for row in report.overall.itertuples()
    ]
    for row, figure in zip(expected[:2], report.overall["value"], strict=False):
        row[0] = number(figure)  # in-sample: no interval
    about = "p-value of all hypotheses together, from at most 9 draws of y without"
    expected.append([p_value(report.permutation_p), f"{about} any effect"])
    assert rows == expected
    assert read_rows(find_section(root, "Covariates")) == [
        ["covariate", "coefficient [95% interval]", "p"]
    ] + [
        [row["name"], estimate(row, "coef"), p_value(row["coef_p"])]
        for _, row in report.covariates.iterrows()
    ]


def test_missing_answers_and_duplicates():
    report = make_report("missing")
    root = tree_of(report)
    table = report.table
    assert read_rows(find_section(root, "Missing answers")) == [
        ["hypothesis", "no answer", "separation, at worst"]
    ] + [
        [
            row["hypothesis"],
            f"{row['missing']} of 240",
            interval(row["separation_worst_lower"], row["separation_worst_upper"]),
        ]
        for _, row in table.iterrows()
    ]
    redundancy = find_section(root, "Redundancy")
    assert read_rows(redundancy) == [
        ["one", "the other", "how alike"],
        ["mentions tea", "mentions fog", "the same annotations"],
    ]
    n = f"{report.redundancy.n_effective:.1f}"
    assert f"The 6 hypotheses count as {n} independent ones" in read(redundancy)
    kinds = pd.DataFrame(
        {
            "first": ["a", "b", "c", "d"],
            "second": ["b", "c", "d", "e"],
            "kind": ["near", "opposite", "wording", "wording"],
            "agreement": [0.975, 0.021, 0.5, np.nan],
        }
    )
    report = replace(report, redundancy=replace(report.redundancy, pairs=kinds))
    assert read_rows(find_section(tree_of(report), "Redundancy"))[1:] == [
        ["a", "b", "97.5% of the answers agree"],
        ["b", "c", "opposites; 2.1% of the answers agree"],
        ["c", "d", "alike in wording; 50.0% of the answers agree"],
        ["d", "e", "alike in wording"],
    ]


def test_how_it_was_tested():
    facts = dict(read_pairs(find_section(tree_of(make_report("clusters")), METHOD)))
    assert facts == {
        "task": "regression",
        "correction": "holm, family level 0.1",
        "hypotheses that the correction counts": "6",
        "standard errors": "clustered by group",
        "texts in the joint regression": "240 of 240",
        "hypotheses in the joint regression": "6",
        "groups": "60",
        "fixed effects": "7 levels, effects are those within them",
    }
    facts = dict(read_pairs(find_section(tree_of(make_report("pairs")), METHOD)))
    assert facts["classes"] == "0, 1"
    assert "target" not in facts
    named = tree_of(replace(make_report(), target_name="stars"))
    assert dict(read_pairs(find_section(named, METHOD)))["target"] == "stars"
    assert facts["pairs in the joint regression"] == "120 of 120"
    assert facts["pairs"] == "120"
    report = make_report("missing")
    weight = report.data.sample_weight
    worth = weight.sum() ** 2 / (weight**2).sum()
    facts = dict(read_pairs(find_section(tree_of(report), METHOD)))
    assert facts["texts in the joint regression"] == f"{report.n_joint} of 240"
    assert facts["hypotheses that the correction counts"] == str(report.n_tested)
    assert facts["sample weights"] == (
        f"{weight.min():.3f} to {weight.max():.3f}, 240 rows worth {worth:.0f} of "
        "equal weight"
    )
    assert facts["covariates"] == "length, year"


METHOD = "How it was tested"
ORIGIN = "Where it comes from"


def test_where_it_comes_from():
    report = make_report()
    settings = {"step": {"alpha": 1.5, "name": "ü"}}
    provenance = report.provenance | {
        "created": "2024-05-06",
        "data": {"n_rows": 12345, "texts_sha256": None},
        "seeds": {"random_state": 0, "step__random_state": None},
        "versions": {"numpy": "2.0"},
        "settings": settings,
    }
    usage = pd.DataFrame(
        {
            "role": ["annotator", "interpreter"],
            "calls": [1200, 0],
            "cached_tokens": [0, 0],
            "output_tokens": [7, np.nan],
            "cost": [1234.5, np.nan],
        }
    )
    root = tree_of(replace(report, provenance=provenance, usage=usage))
    section = find_section(root, ORIGIN)
    assert read_pairs(section) == [
        ("made on", "2024-05-06"),
        ("data: n_rows", "12,345"),
        ("seed: random_state", "0"),
        ("version of numpy", "2.0"),
    ]
    assert read_rows(section) == [
        ["role", "calls", "output tokens", "cost"],
        ["annotator", "1,200", "7", "$1,234.50"],
        ["interpreter", "0", "unknown", "unknown"],
    ]
    lines = [read(span) for span in section.find(".//pre")]
    assert json.loads(" ".join(lines)) == settings
    indented = [span.text.count("\u00a0") for span in section.find(".//pre")]
    assert indented == [0, 1, 2, 2, 1, 0]
    assert "made on 2024-05-06" not in read(root.find(".//header"))
    assert read(root.find(".//header/p")).endswith(", 2024-05-06")
