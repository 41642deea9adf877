import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from jinja2 import UndefinedError
from report_cases import KINDS, NASTY, change_table, make_report, spoil_figures

from sklearn_hypo._evaluation._annotations import evaluate_annotations
from sklearn_hypo._report._columns import order_columns
from sklearn_hypo._report._page._charts import (
    Scale,
    draw_bar,
    draw_histogram,
    draw_intervals,
)
from sklearn_hypo._report._page._highlight import find_terms, highlight_terms
from sklearn_hypo._report._page._page import read_asset, report_page, write_page
from sklearn_hypo._report._page._render import element, escape_invisible, render
from sklearn_hypo._utils._terms import mark_terms
from sklearn_hypo._utils._tokens import make_ngrams, tokenize

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
VOID = {"meta", "rect", "line", "circle", "path"}


class Outline(HTMLParser):
    """Checks that elements are nested, and collects them and their text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), attrs
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag, **attributes):
        return [
            found
            for name, found in self.elements
            if name == tag and attributes.items() <= found.items()
        ]


# The page -------------------------------------------------------------------------


# a ResourceWarning is of the garbage of other tests
@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_hypotheses", "nasty"), [(6, False), (10, True), (0, True)])
def test_any_report_has_a_page(kind, n_hypotheses, nasty):
    report = make_report(kind, n_hypotheses, nasty)
    for each in (report, spoil_figures(report)):
        page = report_page(each)
        page.encode("utf-8")
        outline = Outline(page)
        assert len(outline.all("script")) == 1
        assert len(outline.all("img")) == 0
        assert "<dt></dt>" not in page
        assert len(outline.all("details")) >= len(each.table)
        shown = "".join(outline.text)
        assert all(escape_invisible(name) in shown for name in each.table["hypothesis"])


def test_weights_and_fixed_effects_are_told():
    for kind, line in (
        ("missing", "sample weights0.5"),
        ("clusters", "fixed effects7 levels"),
    ):
        text = "".join(Outline(report_page(make_report(kind))).text)
        assert line in text.partition("How it was tested")[2]


def test_the_headline_of_pairs_is_in_words_of_pairs():
    text = "".join(Outline(report_page(make_report("two"))).text)
    assert "ROC AUC cross-fitted" in text
    text = "".join(Outline(report_page(make_report("pairs"))).text)
    assert "pairs ranked rightly cross-fitted" in text
    assert "ROC AUC" not in text


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
@pytest.mark.parametrize("case", ["separated", "constant", "embeddings"])
def test_pages_of_odd_targets(case):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(200, 3)).astype(float)
    y, beside = A[:, 0] > 0, {}
    if case == "constant":
        y, beside = np.ones(200), {"task": "regression"}
    elif case == "embeddings":
        beside = {"embeddings": rng.normal(size=(200, 2))}
    report = evaluate_annotations(A, y, n_resamples=9, **beside)
    shown = "".join(Outline(report_page(report)).text)
    assert ("separates the classes" in shown) == (case != "constant")
    assert ("of the embeddings" in shown) == (case == "embeddings")


def test_everything_has_its_place():
    report = make_report("three")
    page = report_page(report, title="Tea & rain")
    text = "".join("".join(Outline(page).text).split())
    row = report.overall.iloc[2]
    assert row["name"] == "roc_auc_cross_fitted"
    for words in (
        "Tea & rain",
        f"{report.n_significant} of 6 significant in the joint regression holm, family",
        f"ROC AUC cross-fitted 95% interval [{row.lower:.3f}, {row.upper:.3f}]",
        "p-value of all together",
        "Goes with more of a class",
        "By class",
        "Share of texts that have it, by y",
        "Activation of the neuron",
        "cross-fitted: fit on four fifths of these rows",
        f"count as {report.redundancy.n_effective:.1f} independent ones",
        "those of the model (independent rows)",
        "seed: random_state",
        "texts_sha256",
        "version of sklearn-hypo",
        "No hypothesis was added, dropped or reworded",
        "How to read this page",
    ):
        assert "".join(words.split()) in text, words
    page = report_page(make_report("missing"))
    text = "".join("".join(Outline(page).text).split())
    for words in (
        "Covariates",
        "mentions tea mentions fog the same annotations",
        "The same as: mentions tea",
        "no answers (0 of 240)",
    ):
        assert "".join(words.split()) in text, words


def test_figures_of_one_hypothesis():
    report = change_table(make_report("two"), coef_df=np.inf, neuron=["n7"] * 6)
    row = report.table.iloc[0]
    text = "".join(Outline(report_page(report)).text).partition("One by one")[2]
    effects, _, basis = text.partition("Effect")[2].partition("Basis")
    basis = "".join(basis.partition("Texts that have it")[0].split())
    effects = "".join(effects.split())
    for line in (
        f"separation, alone (share of 'pos') {row.separation:.3f} [",
        f"average marginal effect (share of 'pos') {row.ame:.3f} [",
        f"joint odds ratio {row.odds_ratio:.3f} [",
        f"joint coefficient (log odds) {row.coef:.3f} [",
        "p beside the others, corrected",
    ):
        assert "".join(line.split()) in effects
    for line in ("neuronn7", "textswithananswer240", "degreesoffreedominfinite"):
        assert line in basis
    assert "odds" not in basis


def test_significant_ones_come_first_and_strongest():
    report = make_report(n_hypotheses=8)
    table = report.table
    page = report_page(report)
    order = [int(i) for i in re.findall(r'<details id="h(\d+)"', page)]
    expected = sorted(
        range(8), key=lambda i: (not table["significant"][i], -table["coef"][i])
    )
    assert order == expected
    assert 0 < table["significant"].sum() < 8


def test_missing_answers():
    report = make_report("missing")
    row = report.table.iloc[1]
    page = report_page(report)
    assert f"{row.missing} of 240" in page
    bounds = f"[{row.separation_worst_lower:.3f}, {row.separation_worst_upper:.3f}]"
    assert bounds.replace("-", "−") in page


def test_changes_since_the_previous_report_are_called_so():
    rng = np.random.default_rng(0)
    A, y = rng.integers(0, 2, size=(60, 2)), rng.normal(size=60)
    first = evaluate_annotations(A, y, names=["old", "same"], n_resamples=0)
    second = evaluate_annotations(
        A, y, names=["<new>", "same"], n_resamples=0, previous=first
    )
    text = "".join(Outline(report_page(second)).text)
    section = "".join(
        text.partition("Changed since the previous report (2)")[2].split()
    )
    assert "droppedoldadded<new>" in section.partition("Settings")[0]
    assert "by hand" not in text


@pytest.mark.parametrize("kind", ["quantity", "two", "three"])
def test_the_target_is_called_by_its_name(kind):
    report = replace(make_report(kind), target_name="<stars>")
    text = "".join(Outline(report_page(report)).text)
    assert "Share of texts that have it, by <stars>" in text
    direction = {
        "quantity": "Goes with more of <stars>",
        "two": "Goes with <stars> = 'pos'",
        "three": "Goes with more of a class of <stars>",
    }
    assert direction[kind] in text
    assert " y" not in re.sub("How to read this page.*", "", text, flags=re.DOTALL)


def test_cost():
    account = {"role": "annotator", "model": "m<1>", "calls": 1200, "cost": 1.5}
    usage = pd.DataFrame([account | {"cached_tokens": 0}])
    page = report_page(replace(make_report(), usage=usage))
    assert "m&lt;1&gt;" in page
    assert "$1.50" in page
    assert "1,200" in page
    assert "cached tokens" not in page


# Safety ---------------------------------------------------------------------------


def test_texts_stay_texts():
    report = make_report("three", 10, nasty=True)
    page = report_page(report, title=NASTY[6])
    outline = Outline(page)
    assert {name for name, _ in outline.elements} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "main"),
        *("footer", "section", "h1", "h2", "h3", "p", "div", "span", "strong", "small"),
        *("i", "a", "ul", "li", "dl", "dt", "dd", "mark", "pre", "button", "details"),
        *("summary", "table", "thead", "tbody", "tr", "th", "td", "script"),
        *("svg", "g", "title", "text", "rect", "line", "circle", "path"),
    }
    for _, attributes in outline.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert attributes.get("href", "#").startswith("#")
        assert "src" not in attributes
    text = "".join(outline.text)
    assert NASTY[0] in text
    assert '" onmouseover="alert(1)" x="' in text
    assert "lone \\ud800 surrogate" in text
    assert "\\u202eturned" in text
    assert not {"\u202e", "\u2028", "\u2029", "\x00"} & set(page)


def test_nothing_is_loaded():
    # attributes are looked at above
    code = "".join(read_asset(f"{n}.css") for n in ("card", "page", "notebook"))
    code += read_asset("sort.js") + read_asset("page.js")
    for word in ("src", "url(", "@import", "import(", "fetch(", "XMLHttpRequest", "</"):
        assert word not in code


def test_policy_allows_the_own_script_and_style_only():
    page = report_page(make_report())
    (policy,) = (
        found["content"]
        for found in Outline(page).all("meta")
        if found.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_drawings_are_escaped_once():
    inner = element("text", "<&>", title='"<')
    assert inner == '<text title="&#34;&lt;">&lt;&amp;&gt;</text>'
    assert element("g", inner, aria_hidden="true", class_="a") == (
        f'<g aria-hidden="true" class="a">{inner}</g>'
    )


def test_a_name_that_a_template_does_not_know_is_an_error():
    values = {"directions": [], "tiles": [], "columns": [], "remarks": []}
    with pytest.raises(UndefinedError):
        render("notebook.html.j2", key="", style="", sample="", lines=[], **values)


@pytest.mark.parametrize("kind", KINDS)
def test_no_blanks_are_left_of_the_template(kind):
    page = report_page(make_report(kind))
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.endswith("\n</html>\n")
    assert not re.search(r"^[ \t]+$", page, re.MULTILINE)


# Size -----------------------------------------------------------------------------


def test_twenty_hypotheses_are_small():
    assert len(report_page(make_report("three", 20)).encode("utf-8")) < 400_000


def test_long_texts_are_cut_around_the_match():
    shown = highlight_terms("word " * 5000 + "tea " + "word " * 5000, ["tea"])
    assert "<mark>tea</mark>" in shown
    assert len(shown) < 400
    assert shown.startswith("…word ")
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("before", "after", "begin"),
    [(100, 300, 11), (400, 20, 105), (80, 400, 0)],
)
def test_the_window_of_a_long_text(before, after, begin):
    text = "x" * before + " tea " + "y" * after  # no blank to begin after
    shown = highlight_terms(text, ["tea"])
    cut = text[begin : begin + 320].replace("tea", "<mark>tea</mark>")
    assert shown == "…" * (begin > 0) + cut + "…" * (begin + 320 < len(text))


def test_a_match_at_the_very_edge_of_the_window_is_not_marked_empty():
    text = "tea " + "y" * 315 + " tea " + "y" * 400
    assert text.index("tea", 4) == 320
    assert highlight_terms(text, ["tea"]) == "<mark>tea</mark>" + text[3:320] + "…"


def test_texts_without_a_match_are_cut_at_their_end():
    text = "word " * 80
    assert str(highlight_terms(text, ["tea"])) == text[:320] + "…"
    assert str(highlight_terms("y" * 320, ["tea"])) == "y" * 320
    words = "abc " * 60 + "tea " + "abc " * 60
    shown = str(highlight_terms(words, ["tea"]))
    assert shown.startswith("…abc abc")  # not in the middle of a word


# Highlighting ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("Party art!", ["art"], "Party [art]!"),
        ("so SAD , so sad", ["so sad"], "[so SAD] , [so sad]"),
        ("a b c d", ["a b", "b c"], "[a b c] d"),
        ("a b c d", ["b", "a b c"], "[a b c] d"),
        ("x a b c d", ["x", "a b", "b c"], "[x] [a b c] d"),
        ("x a b c d", ["x", "b", "a b c"], "[x] [a b c] d"),
        ("a b c d", ["a", "b"], "[a] [b] c d"),
        ("Don’t go :( !!", ["don't", ":(", "!"], "[Don’t] go [:(] [!][!]"),
        ("see http://x.y/z?a=1 now", ["http://"], "see [http://x.y/z?a=1] now"),
        ("I <33 it", ["<3"], "I [<33] it"),
        ("ＦＵＬＬ ﬁle", ["full", "file"], "[ＦＵＬＬ] [ﬁle]"),
        ("İstanbul art", ["art"], "İstanbul [art]"),
        ("e\u0301clair caf\u00e9", ["éclair", "café"], "[e\u0301clair] [café]"),
        ("ＡΣ", ["aς"], "[ＡΣ]"),
        ("각 차", ["각"], "[각] 차"),
        ("\ud800 tea \x00", ["tea"], "\ud800 [tea] \x00"),
        ("😀 tea", ["😀"], "[😀] tea"),
        ("½ cup tea", ["tea"], "½ cup [tea]"),
        ("Thanks", ["THANKS"], "[Thanks]"),
        ("nothing", [], "nothing"),
        ("nothing", [",", ""], "nothing"),
    ],
)
def test_what_is_highlight_terms(text, terms, expected):
    found, position = "", 0
    for begin, end in find_terms(text, terms):
        found += text[position:begin] + f"[{text[begin:end]}]"
        position = end
    assert found + text[position:] == expected


def test_patterns_are_highlighted_where_the_annotator_finds_them():
    text = "So SADLY sad, f** it; unsad :*"
    spans = find_terms(text, ["so sad*", "f**", ":*", "it*"])
    found = [text[begin:end] for begin, end in spans]
    assert found == ["So SADLY", "f**", "it", ":*"]
    assert find_terms(text, ["sad*"]) == [(3, 8), (9, 12)]


def test_what_is_marked_is_what_matched():
    rng = np.random.default_rng(0)
    letters = list("abAB  !?:)('’*#@.1½ﬁİΣσé́각ᄀ\u1161<3日本_-~\ud800😀\n")
    texts = ["".join(rng.choice(letters, 30)) for _ in range(300)]
    terms = sorted({t for text in texts[:40] for t in make_ngrams(tokenize(text), 2)})
    presence = mark_terms(texts, terms, "characters").toarray()
    for text, row in zip(texts, presence, strict=True):
        present = [term for term, flag in zip(terms, row, strict=True) if flag]
        absent = [term for term, flag in zip(terms, row, strict=True) if not flag]
        assert all(find_terms(text, [term], "characters") for term in present)
        assert find_terms(text, absent, "characters") == []


# Drawings -------------------------------------------------------------------------


def test_scale_shows_estimates_and_cuts_wide_intervals():
    scale = Scale.of([(np.array([0.1, 0.5]), np.array([0, -90]), np.array([0.2, 99]))])
    assert scale.lower == pytest.approx(-0.5)
    assert scale.upper == pytest.approx(1.0)
    assert scale.place(-50) == scale.place(-0.5) < scale.place(0) < scale.place(0.5)
    assert scale.ticks() == pytest.approx([-0.5, 0, 0.5, 1.0])


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e300, 5e-324, -3.0])
def test_scale_of_anything(value):
    scale = Scale.of([(np.array([value]),) * 3])
    assert np.isfinite([scale.lower, scale.upper]).all()
    assert scale.lower < scale.upper
    assert len(scale.ticks()) < 20
    row = draw_intervals(scale, (value,) * 3, (value, -np.inf, np.inf), tone="quiet")
    assert "nan" not in row


def test_cut_intervals_end_in_arrows():
    scale = Scale(-1.0, 1.0)
    row = draw_intervals(scale, None, (0.0, -5.0, 5.0), tone="positive")
    assert row.count('class="positive solid"') == 2
    row = draw_intervals(scale, None, (0.0, -0.5, 0.5), tone="positive")
    assert "solid" not in row


def test_histogram_tells_its_numbers():
    svg = draw_histogram([0.0, 1.0, 2.0], [0, 3], [9, 1], label="activations")
    assert 'role="img" aria-label="activations"' in svg
    assert svg.count("<rect") == 3
    assert "1.000 to 2.000: 3 texts" in svg


def test_bars_fill_as_much_of_the_track_as_the_share():
    for share, width in ((0.14, "14.0"), (1.0, "100.0"), (np.nan, "0.0")):
        track, fill = re.findall(r'<rect [^>]*width="([\d.]+)"', draw_bar(share))
        assert (track, fill) == ("100", width)


def colours(scheme):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", scheme))


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("number", [0, 1])
def test_contrast(number):
    scheme = colours(
        re.findall(r":root \{(.*?)\}", read_asset("card.css"), re.DOTALL)[number]
    )
    for ground in ("card", "page", "grid"):
        for text in ("ink", "soft"):
            assert contrast(scheme[text], scheme[ground]) >= 4.5
    for mark in ("blue", "orange", "quiet", "alone"):
        assert contrast(scheme[mark], scheme["card"]) >= 3
    assert contrast(scheme["mark"], scheme["mark-ink"]) >= 4.5


# Files ----------------------------------------------------------------------------


def test_written_in_full_or_not_at_all(tmp_path):
    path = tmp_path / "report.html"
    write_page(make_report(), path, title="Tea")
    assert path.read_text("utf-8") == report_page(make_report(), title="Tea")
    with pytest.raises(TypeError):
        write_page(replace(make_report(), table=None), path)
    assert path.read_text("utf-8").endswith("</html>\n")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError):
        write_page(make_report(), tmp_path / "nowhere" / "report.html")


# In a browser ---------------------------------------------------------------------

PROBE = """
const errors = [];
addEventListener("error", (e) => errors.push(String(e.message)));
addEventListener("securitypolicyviolation", (e) => errors.push(e.violatedDirective));
addEventListener("load", () => {
  const table = document.getElementById("findings");
  const heads = [...table.tHead.rows[0].cells];
  const sorted = {};
  for (const name of ["Alone", "Hypothesis"]) {
    const head = heads.find((h) => h.textContent.startsWith(name));
    for (const click of [1, 2]) {
      head.querySelector("button").click();
      const rows = [...table.tBodies[0].rows];
      sorted[`${name} ${head.getAttribute("aria-sort")}`] =
        rows.map((row) => Number(row.cells[0].dataset.v) - 1);
    }
  }
  const details = [...document.querySelectorAll(".evidence > details")];
  document.getElementById("open-all").click();
  const result = {
    errors, sorted,
    speaking: heads.filter((h) => h.getAttribute("aria-sort") !== "none").length,
    open: details.every((d) => d.open),
    ready: document.documentElement.className,
    cut: [...document.querySelectorAll("main > section > .wide")]
      .filter((box) => box.scrollWidth > box.clientWidth).length,
  };
  const pre = document.createElement("pre");
  pre.id = "probe";
  pre.textContent = JSON.stringify(result);
  document.body.append(pre);
});
"""


def open_in_browser(report, folder):
    """What the probe found on the page in a window of 1,300 pixels."""
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    page = report_page(report).replace("script-src ", f"script-src 'sha256-{digest}' ")
    page = page.replace("<title>", f"<script>{PROBE}</script><title>", 1)
    (folder / "page.html").write_text(page, encoding="utf-8")
    command = [
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update"),
        *(
            "--disable-sync",
            "--disable-quic",
            f"--user-data-dir={folder / 'profile'}",
        ),
        *(
            "--window-size=1300,900",
            "--virtual-time-budget=2000",
            "--dump-dom",
            f"file://{folder}/page.html",
        ),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    dom = done.stdout.decode("utf-8", "replace")
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom)
    if found is None and "<html" not in dom:
        pytest.skip(f"chromium does not run here: {done.stderr[-300:]!r}")
    return json.loads(found[1])


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the page with")
def test_in_a_browser(tmp_path):
    alone = make_report(n_hypotheses=8).table["separation"].mask(np.arange(8) == 3)
    report = change_table(make_report(n_hypotheses=8), separation=alone)
    result = open_in_browser(report, tmp_path)
    assert result["errors"] == []
    assert result["ready"] == "ready"
    assert result["open"]
    assert result["speaking"] == 1
    names = report.table["hypothesis"]
    rising = sorted(set(range(8)) - {3}, key=lambda i: alone[i])
    assert result["sorted"] == {
        "Alone ascending": [*rising, 3],
        "Alone descending": [*rising[::-1], 3],
        "Hypothesis ascending": sorted(range(8), key=lambda i: names[i]),
        "Hypothesis descending": sorted(range(8), key=lambda i: names[i])[::-1],
    }


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the page with")
@pytest.mark.parametrize("kind", ["two", "three"])
def test_no_table_is_cut_off(kind, tmp_path):
    report = change_table(
        make_report(kind), fidelity=0.5, hypothesis=["thanks " * 8] * 6
    )
    if kind == "two":
        bounds = {"odds_ratio_lower": 123.456, "odds_ratio_upper": 888.888}
        report = change_table(report, odds_ratio=444.444, **bounds)
    report = replace(report, table=order_columns(report.table))
    assert open_in_browser(report, tmp_path)["cut"] == 0
