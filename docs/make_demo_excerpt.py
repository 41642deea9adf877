"""Write what `make demo` prints, shortened, into the README.

    python docs/make_demo_excerpt.py

Of the table it keeps the significant hypotheses. The digits depend on the versions of
the packages (constraints.txt) and, since training an autoencoder enlarges differences
of rounding, on the processor: OpenBLAS is told which one to compute for, here as in the
Makefile.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- what make demo prints -->\n", "<!-- end -->\n"
PROCESSOR = {"OPENBLAS_CORETYPE": "Haswell"}


def run_demo(folder):
    """Return what the demo prints, and write its results into a folder."""
    return subprocess.run(
        [sys.executable, "-m", "sklearn_hypo", "demo", "--output", folder],
        cwd=README.parent,
        env=os.environ | PROCESSOR | {"PYTHONIOENCODING": "utf-8"},
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout


def shorten(printed):
    """Keep the head of the table, its significant rows and the overall figures."""
    table, figures = printed[printed.index("\nhypothesis ") + 1 :].split("\n\n")[:2]
    head, *lines = table.splitlines()
    kept, keep = [], True
    for line in lines:
        is_heading = not line.startswith(" ")
        if is_heading or len(line) > head.index("fid."):  # else a statement goes on
            keep = is_heading or line.rstrip("!").endswith("*")
        kept += [line] if keep else []
    return "\n".join(["```text", head, *kept, "…", figures, "```", ""])


def render(readme, printed):
    """Return the README with the excerpt between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + shorten(printed) + END + after


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        printed = run_demo(folder)
    readme = README.read_text(encoding="utf-8")
    README.write_text(render(readme, printed), encoding="utf-8", newline="\n")
