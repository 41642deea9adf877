"""Write what `make demo` and the README's example print, where documents show it.

    python docs/make_printed.py

The demo's output goes into docs/demo.md; of the table only the significant hypotheses.
That of the example goes into docs/guide/first_run.md, with the example. Of the figures
below its table only those that compare go into docs/stored/first_example.txt, and
become a picture, docs/_static/first_example.svg. The digits depend on the versions of
the packages (constraints.txt) and, since training an autoencoder enlarges differences
of rounding, on the processor: OpenBLAS is told which one to compute for, here as in the
Makefile.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DEMO = ROOT / "docs" / "demo.md"
FIRST_RUN = ROOT / "docs" / "guide" / "first_run.md"
EXAMPLE = ROOT / "docs" / "stored" / "first_example.txt"
PICTURE = ROOT / "docs" / "_static" / "first_example.svg"
BEGIN, END = "<!-- printed -->\n", "<!-- end -->\n"
PROCESSOR = {"OPENBLAS_CORETYPE": "Haswell"}

SVG = """\
<svg viewBox="0 0 {width:g} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
rect {{ fill: #ffffff; stroke: #d1d9e0 }}
text {{ fill: #1f2328; white-space: pre;
  font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
.heading {{ font-weight: bold }}
@media (prefers-color-scheme: dark) {{
  rect {{ fill: #0d1117; stroke: #3d444d }}
  text {{ fill: #f0f6fc }}
}}
</style>
<rect x="1" y="1" width="{inner_width:g}" height="{inner_height}" rx="8"/>
{lines}
</svg>
"""
CHARACTER, LINE = 7.8, 18  # pixels
HEADING = ' class="heading"'


def run(*arguments):
    """Return what a Python command prints."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | PROCESSOR | {"PYTHONIOENCODING": "utf-8"},
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout


def run_demo(folder):
    """Return what the demo prints, and write its results into a folder."""
    return run("-m", "sklearn_hypo", "demo", "--output", folder)


def run_example():
    """Return the README's example, and what it prints."""
    found = re.search(r"(?ms)^```python\n(.*?)^```", README.read_text("utf-8"))
    return found[1], run("-c", found[1])


def shorten_demo(printed):
    """Keep the head of the table, its significant rows and the overall figures."""
    table, figures = printed[printed.index("\nhypothesis ") + 1 :].split("\n\n")[:2]
    head, *lines = table.splitlines()
    kept, keep = [], True
    for line in lines:
        is_heading = not line.startswith(" ")
        if is_heading or len(line) > head.index("fid."):  # else a statement goes on
            keep = is_heading or line.rstrip("!").endswith("*")
        kept += [line] if keep else []
    return "\n".join([head, *kept, "…", figures, ""])


def shorten_example(printed):
    """Keep the table and, of the figures below, those that compare."""
    figures = printed[printed.index("\n* ") + 1 :]
    number, *others = re.split(r"\n(?=\S|  \S)", figures.rstrip())
    kept = [each for each in others if re.search(r"out-of-sample|n-grams", each)]
    return "\n".join([printed[: -len(figures)] + number, "…", *kept, ""])


def render_page(page, printed, code=None):
    """Return the page with what was printed, below its code, between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    shown = f"```python\n{code}```\n\nThis prints:\n\n" if code else ""
    return f"{before}{BEGIN}{shown}```text\n{printed}```\n{END}{after}"


def write(path, text):
    """Write a text as it is on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def render_picture(example):
    """Return what is shown of the example as a picture."""
    shown = example.splitlines()
    lines = "\n".join(
        f'<text x="16" y="{LINE * row + 12}" textLength="{CHARACTER * len(line):g}"'
        f"{'' if line.startswith(' ') else HEADING}>{html.escape(line)}</text>"
        for row, line in enumerate(shown, 1)
        if line
    )
    width, height = CHARACTER * max(map(len, shown)) + 32, LINE * len(shown) + 32
    return SVG.format(
        width=width,
        height=height,
        inner_width=width - 2,
        inner_height=height - 2,
        lines=lines,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        printed = shorten_demo(run_demo(folder))
    write(DEMO, render_page(DEMO.read_text("utf-8"), printed))
    code, printed = run_example()
    write(FIRST_RUN, render_page(FIRST_RUN.read_text("utf-8"), printed, code))
    write(EXAMPLE, shorten_example(printed))
    write(PICTURE, render_picture(shorten_example(printed)))
