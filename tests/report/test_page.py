import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from report_cases import CLASSES, NASTY, damaged, make_report

from sklearn_hypo._evaluation._annotations import evaluate_annotations
from sklearn_hypo._report._page._charts import Scale, forest_row, histogram
from sklearn_hypo._report._page._highlight import find_terms, marked
from sklearn_hypo._report._page._markup import Markup, element, escape, visible
from sklearn_hypo._report._page._page import _asset, report_page, write_page
from sklearn_hypo._report._text import text_lines
from sklearn_hypo._utils._terms import mark_terms
from sklearn_hypo._utils._tokens import ngrams, tokenize

KINDS = list(CLASSES)
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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    "params", [{}, {"n_hypotheses": 0}, {"n_hypotheses": 60}, {"statements": NASTY}]
)
def test_any_report_has_a_page(kind, full, params):
    report = make_report(kind, full=full, **params)
    for each in (report, damaged(report)):
        page = report_page(each)
        page.encode("utf-8")
        outline = Outline(page)
        assert len(outline.all("script")) == 1
        assert len(outline.all("img")) == 0
        assert len(outline.all("details")) >= len(each.table)


def test_weights_and_fixed_effects_are_told():
    report = make_report()
    report.data = replace(
        report.data, sample_weight=np.ones(500), fixed_effects=np.arange(500) % 7
    )
    text = "".join(Outline(report_page(report)).text)
    told = text.partition("How it was tested")[2]
    assert "sample weights1.000 to 1.000, 500 rows worth 500" in told
    assert "fixed effects7 levels" in told


@pytest.mark.parametrize("full", [True, False])
def test_the_headline_of_pairs_is_in_words_of_pairs(full):
    report = make_report("binary", full=full)
    end = "cross-fitted" if full else "out-of-sample"
    assert f"ROC AUC {end}" in "".join(Outline(report_page(report)).text)
    report.n_pairs = 250
    text = "".join(Outline(report_page(report)).text)
    assert f"pairs ranked rightly {end}" in text
    assert "ROC AUC" not in text


@pytest.mark.filterwarnings("ignore::sklearn_hypo.exceptions.HypothesisWarning")
@pytest.mark.parametrize(
    "case", ["quantity", "classes", "pairs", "separated", "unanswered", "constant", ""]
)
def test_reports_of_real_evaluations(case):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(200, 3)).astype(float)
    A = np.c_[A, A[:, 0]]
    y, beside = A @ [0.8, 0, -0.4, 0] + rng.normal(size=200), {}
    if case == "classes":
        y = np.digitize(y, [0, 0.5])
    elif case == "pairs":
        y = (y.reshape(-1, 2) == y.reshape(-1, 2).max(axis=1, keepdims=True)).ravel()
        beside = {"pairs": np.repeat(np.arange(100), 2)}
    elif case == "separated":
        y = A[:, 0] > 0
    elif case == "unanswered":
        A[:, 1] = np.nan
        A[:9, 2] = np.nan
    elif case == "constant":
        y, beside = np.ones(200), {"task": "regression"}
    elif not case:
        A = A[:, :0]
    names = NASTY[: A.shape[1]]
    texts = [f"tea {i}" for i in range(200)]
    report = evaluate_annotations(
        A, y, names=names, texts=texts, n_resamples=9, **beside
    )
    outline = Outline(report_page(report))
    assert max(map(len, text_lines(report))) <= 110
    shown = "".join(outline.text)
    assert all(visible(name) in shown for name in names)
    if case == "unanswered":
        assert "no answers (0 of 200)" in shown
        assert "9 of 200" in shown
    if case == "separated":
        assert "separates the classes" in shown


def test_everything_has_its_place():
    page = report_page(make_report("three"), title="Tea & rain")
    text = " ".join("".join(Outline(page).text).split())
    for words in (
        "Tea & rain",
        "3 of 6significant in the joint regressionholm, family level 0.1",
        "ROC AUC cross-fitted95% interval [0.150, 0.260]",
        "p-value of all together",
        "Goes with more of a class",
        "By class",
        "Share of texts that have it, by y",
        "Activation of the neuron",
        "cross-fitted: every text is scored by a fit without it",
        "Covariates",
        "count as 5.5 independent ones",
        "mentions tea mentions rain 97.0% of the answers agree",
        "clustered by group",
        "seed: random_state",
        "texts_sha256",
        "version of sklearn-hypo",
        "Edited by hand (1)",
        "How to read this page",
    ):
        assert words.replace(" ", "") in text.replace(" ", ""), words


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


def test_missing_answers_and_edits():
    report = make_report()
    report.table["missing"] = [0, 30, 0, 0, 0, 0]
    report.table["n"] = 500 - report.table["missing"]
    report.table["separation_worst_lower"] = -0.4
    report.table["separation_worst_upper"] = 0.2
    report.provenance["edits"] = []
    page = report_page(report)
    assert "30 of 500" in page
    assert "−0.400 to 0.200" in page
    assert "No hypothesis was edited by hand." in page


def test_cost():
    report = make_report()
    account = {"role": "annotator", "model": "m<1>", "calls": 1200, "cost": 1.5}
    report.usage = pd.DataFrame([account | {"cached_tokens": 0}])
    page = report_page(report)
    assert "m&lt;1&gt;" in page
    assert "$1.50" in page
    assert "1,200" in page
    assert "cached tokens" not in page


# Safety ---------------------------------------------------------------------------


def test_texts_stay_texts():
    report = make_report("three", statements=NASTY)
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
    code = _asset("page.css") + _asset("page.js")
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


def test_markup_is_escaped_once():
    inner = element("b", "<&>")
    assert inner == "<b>&lt;&amp;&gt;</b>"
    assert element("td", inner, None, title='"<', hidden=True, lang=None) == (
        '<td title="&quot;&lt;" hidden><b>&lt;&amp;&gt;</b></td>'
    )
    assert isinstance(inner, Markup)
    assert escape(inner) is inner


# Size -----------------------------------------------------------------------------


def test_twenty_hypotheses_are_small_and_quick():
    report = make_report("three", 20)
    report_page(report)
    begin = time.perf_counter()
    page = report_page(report)
    assert time.perf_counter() - begin < 5
    assert len(page.encode("utf-8")) < 400_000


def test_long_texts_are_cut_around_the_match():
    shown = marked("word " * 5000 + "tea " + "word " * 5000, ["tea"])
    assert "<mark>tea</mark>" in shown
    assert len(shown) < 400
    assert shown.startswith("…word ")
    assert shown.endswith("…")


# Highlighting ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("Party art!", ["art"], "Party [art]!"),
        ("so SAD , so sad", ["so sad"], "[so SAD] , [so sad]"),
        ("a b c d", ["a b", "b c"], "[a b c] d"),
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
def test_what_is_marked(text, terms, expected):
    found, position = "", 0
    for begin, end in find_terms(text, terms):
        found += text[position:begin] + f"[{text[begin:end]}]"
        position = end
    assert found + text[position:] == expected


def test_what_is_marked_is_what_matched():
    rng = np.random.default_rng(0)
    letters = list("abAB  !?:)('’*#@.1½ﬁİΣσé́각ᄀ\u1161<3日本_-~\ud800😀\n")
    texts = ["".join(rng.choice(letters, 30)) for _ in range(300)]
    terms = sorted({t for text in texts[:40] for t in ngrams(tokenize(text), 2)})
    presence = mark_terms(texts, terms).toarray()
    for text, row in zip(texts, presence, strict=True):
        present = [term for term, flag in zip(terms, row, strict=True) if flag]
        absent = [term for term, flag in zip(terms, row, strict=True) if not flag]
        assert all(find_terms(text, [term]) for term in present)
        assert find_terms(text, absent) == []


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
    row = forest_row(scale, (value,) * 3, (value, -np.inf, np.inf), tone="quiet")
    assert "nan" not in row


def test_cut_intervals_end_in_arrows():
    scale = Scale(-1.0, 1.0)
    row = forest_row(scale, None, (0.0, -5.0, 5.0), tone="positive")
    assert row.count('class="positive solid"') == 2
    row = forest_row(scale, None, (0.0, -0.5, 0.5), tone="positive")
    assert "solid" not in row


def test_histogram_tells_its_numbers():
    svg = histogram([0.0, 1.0, 2.0], [0, 3], [9, 1], label="activations")
    assert 'role="img" aria-label="activations"' in svg
    assert svg.count("<rect") == 3
    assert "1.000 to 2.000: 3 texts" in svg


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
        re.findall(r":root \{(.*?)\}", _asset("page.css"), re.DOTALL)[number]
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
    report = make_report()
    report.table = None
    with pytest.raises(TypeError):
        write_page(report, path)
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
  for (const name of ["Joint coef", "Hypothesis"]) {
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
    background: getComputedStyle(document.body).backgroundColor,
  };
  const pre = document.createElement("pre");
  pre.id = "probe";
  pre.textContent = JSON.stringify(result);
  document.body.append(pre);
});
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the page with")
def test_in_a_browser(tmp_path):
    report = make_report(n_hypotheses=8)
    report.table.loc[3, ["coef", "coef_lower", "coef_upper"]] = np.nan
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    page = report_page(report).replace("script-src ", f"script-src 'sha256-{digest}' ")
    page = page.replace("<title>", f"<script>{PROBE}</script><title>", 1)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    command = [
        *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update"),
        *(
            "--disable-sync",
            "--disable-quic",
            f"--user-data-dir={tmp_path / 'profile'}",
        ),
        *("--virtual-time-budget=2000", "--dump-dom", f"file://{tmp_path}/page.html"),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    dom = done.stdout.decode("utf-8", "replace")
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom)
    if found is None and "<html" not in dom:
        pytest.skip(f"chromium does not run here: {done.stderr[-300:]!r}")
    result = json.loads(found[1])
    assert result["errors"] == []
    assert result["ready"] == "ready"
    assert result["open"]
    assert result["speaking"] == 1
    coef, names = report.table["coef"], report.table["hypothesis"]
    rising = sorted(set(range(8)) - {3}, key=lambda i: coef[i])
    assert result["sorted"] == {
        "Joint coef ascending": [*rising, 3],
        "Joint coef descending": [*rising[::-1], 3],
        "Hypothesis ascending": sorted(range(8), key=lambda i: names[i]),
        "Hypothesis descending": sorted(range(8), key=lambda i: names[i])[::-1],
    }
