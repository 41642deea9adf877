"""What a notebook shows of a report: a card, and a table that can be sorted."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_cases import KINDS, NASTY, make_report, spoil_figures

from sklearn_hypo._report._page._notebook import notebook_html
from sklearn_hypo._report._page._overview import list_tiles
from sklearn_hypo._report._text import text_lines

OWN = re.compile(r"<style>.*?</style>|<script>.*?</script>", re.DOTALL)


class Tags(HTMLParser):
    """Names of the elements, and of their attributes."""

    def __init__(self):
        super().__init__()
        self.names, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def read_words(part):
    """The words of a part without what is only for the looks of it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", OWN.sub("", part))).split())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_hypotheses", "nasty"), [(6, False), (10, True), (0, True)])
def test_any_report_is_shown_and_nothing_becomes_markup(kind, n_hypotheses, nasty):
    report = make_report(kind, n_hypotheses, nasty)
    for each in (replace(report, target_name=NASTY[0]), spoil_figures(report)):
        part = notebook_html(each)
        part.encode("utf-8")
        assert part.count("<script") == part.count("</script>") == 1
        assert part.count("<style") == part.count("</style>") == 1
        tags = Tags()
        tags.feed(part)
        assert "img" not in tags.names
        assert not [name for name in tags.attributes if name.startswith("on")]
        assert not {"href", "src", "id"} & tags.attributes
        assert not {"\u202e", "\u2028", "\x00"} & set(part)


def test_it_loads_nothing():
    part = notebook_html(make_report())
    for word in ("http", "src=", "url(", "@import", "import(", "fetch(", "iframe"):
        assert word not in part


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_card_of_the_page_is_there(kind):
    report = make_report(kind)
    words = read_words(notebook_html(report))
    for tile in list_tiles(report):
        for part in filter(None, tile):
            assert " ".join(part.split()) in words
    assert words.startswith(text_lines(report)[0])
    heads = {"two": ("'pos'", "'neg'"), "three": ("more of a class", "less of a class")}
    heads = heads.get(kind, ("1", "0") if kind == "pairs" else ("more of y", "less of"))
    order = [words.index(f"Goes with {head}") for head in heads]
    assert order == sorted(order)


def test_every_hypothesis_is_a_row_and_every_remark_a_line():
    report = replace(make_report("missing"), target_name="stars")
    part = notebook_html(report)
    assert part.count('<tr role="row" class=') == len(report.table)
    words = read_words(part)
    kinds = ("no answer:", "covariate:", "sample weights:", "NaN [")
    lines = [line for line in text_lines(report) if line.startswith(kinds)]
    assert {line.split(":")[0].split(" [")[0] for line in lines} == {
        *("no answer", "covariate", "sample weights", "NaN")
    }
    assert all(line in words for line in lines)


def test_two_reports_keep_apart_and_one_is_always_the_same():
    first, second = notebook_html(make_report()), notebook_html(make_report("two"))
    keys = [
        re.search(r'class="(hypo-[0-9a-f]{12})"', part)[1] for part in (first, second)
    ]
    assert len(set(keys)) == 2
    assert notebook_html(make_report()) == first


CLICKS = """
const rows = () => [...document.querySelectorAll("table.hypotheses tbody tr")]
  .map((row) => Number(row.cells[0].dataset.v) - 1);
const found = [rows()];
const heads = [...document.querySelectorAll("table.hypotheses thead th")];
const alone = heads.find((head) => head.textContent.startsWith("Alone"));
for (const click of [1, 2]) {
  alone.querySelector("button").click();
  found.push(rows());
}
document.body.innerHTML = `<pre id="probe">${JSON.stringify(found)}</pre>`;
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_click_sorts_the_table(tmp_path):
    report = make_report()
    page = tmp_path / "cell.html"
    part = notebook_html(report)
    page.write_text(f"<!DOCTYPE html><body>{part}<script>{CLICKS}</script></body>")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    _, up, down = json.loads(re.search(r'<pre id="probe">(.*?)</pre>', shown)[1])
    order = report.table["separation"].argsort().tolist()
    assert (up, down) == (order, order[::-1])
