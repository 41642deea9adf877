"""Run the examples that the build does not run, and store what they print and draw.

    python docs/make_stored.py         # all of them
    python docs/make_stored.py NAME    # one: NAME.py in docs/gallery or docs/tutorials

An example whose file name does not begin with ``plot_`` takes long or needs data. Each
of its cells that prints or draws gets files in docs/stored/NAME: ``cell_3.txt``,
``cell_3_1.png`` (cells count from 1 on, as in the notebook, without the text between
them). The build shows each below its cell, and fails where the code has changed since.

Data are looked for where SKLEARN_HYPO_DATA says.
"""

import ast
import contextlib
import hashlib
import io
import re
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
STORED = DOCS / "stored"
FOLDERS = ("tutorials", "gallery")
UNSHOWN = r"matplotlib|Display'>$"
"""Types of last values that are drawn, and not to be read."""
CODE_BLOCK = re.compile(r"^\.\. code-block:: Python\n(?:\n|[ ]+.*\n)*", flags=re.M)
"""A cell in the page that sphinx-gallery writes."""


def scripts():
    """Return the examples whose output is stored, by name."""
    paths = (path for folder in FOLDERS for path in (DOCS / folder).glob("[!_]*.py"))
    return {path.stem: path for path in sorted(paths) if path.stem[:5] != "plot_"}


def code_cells(path):
    """Return the cells of code of an example, as sphinx-gallery cuts it."""
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    _, blocks = split_code_and_text_blocks(str(path))
    return [block for block in blocks if block.type == "code"]


def digest(path):
    """Return what changes with the code of an example, but not with its text."""
    code = "\0".join(cell.content for cell in code_cells(path))
    return hashlib.sha256(code.encode("utf-8")).hexdigest() + "\n"


def run_cell(source, name, line, variables):
    """Run a cell, and return what it printed and its last value, if it has one."""
    tree = ast.parse("\n" * (line - 1) + source, name)
    last = tree.body and isinstance(tree.body[-1], ast.Expr) and tree.body.pop()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), variables)
        if last:
            value = eval(compile(ast.Expression(last.value), name, "eval"), variables)
            if value is not None and not re.search(UNSHOWN, str(type(value))):
                print(value)  # noqa: T201
    return printed.getvalue()


def store(path):
    """Run an example and replace what is stored of it."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.close("all")  # whatever is open is not of this example
    folder = STORED / path.stem
    cells = code_cells(path)
    variables = {"__name__": "__main__", "__file__": str(path)}
    files = {"code.sha256": digest(path).encode("utf-8")}
    for number, cell in enumerate(cells, 1):
        printed = run_cell(cell.content, str(path), cell.lineno, variables)
        if printed.strip():
            files[f"cell_{number}.txt"] = printed.encode("utf-8")
        for figure in pyplot.get_fignums():
            drawn = io.BytesIO()
            pyplot.figure(figure).savefig(drawn, dpi=100, bbox_inches="tight")
            files[f"cell_{number}_{figure}.png"] = drawn.getvalue()
        pyplot.close("all")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def stored_below(number, folder):
    """Return the reStructuredText that shows what a cell printed and drew."""
    shown = ""
    if (folder / f"cell_{number}.txt").exists():
        shown += (
            ".. rst-class:: sphx-glr-script-out\n\n"
            f".. literalinclude:: /stored/{folder.name}/cell_{number}.txt\n"
            "   :language: none\n\n"
        )
    for figure in sorted(folder.glob(f"cell_{number}_*.png")):
        shown += f".. image:: /stored/{folder.name}/{figure.name}\n"
        shown += "   :class: sphx-glr-single-img\n\n"
    return shown


def show_stored(app, docname, source):
    """Put what is stored below the cells of an example's page."""
    path = scripts().get(Path(docname).name)
    if path is None or not docname.startswith("auto_"):
        return
    folder = STORED / path.stem
    made_by = folder / "code.sha256"
    if not made_by.exists() or made_by.read_text("utf-8") != digest(path):
        from sphinx.util import logging

        logging.getLogger(__name__).warning(
            "stored output is not of this code: python docs/make_stored.py %s",
            path.stem,
            location=docname,
        )
    numbers = iter(range(1, 1 + len(code_cells(path))))
    source[0] = CODE_BLOCK.sub(
        lambda cell: cell[0] + stored_below(next(numbers), folder), source[0]
    )


def setup(app):
    """Show what is stored: this file is an extension of Sphinx, too."""
    app.connect("source-read", show_stored)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    known = scripts()
    for name in sys.argv[1:] or known:
        if name not in known:
            sys.exit(f"no such example: {name!r}; there are {', '.join(known)}")
        store(known[name])
