"""The examples of the gallery use what is public; the site's build runs them."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import sklearn_hypo
from sklearn_hypo import datasets

GALLERY = Path(__file__).resolve().parent.parent / "docs" / "gallery"
EXAMPLES = sorted(GALLERY.glob("[!_]*.py"))
PUBLIC = {
    module.__name__: {name: getattr(module, name) for name in module.__all__}
    for module in (sklearn_hypo, datasets)
}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def tree(request):
    return ast.parse(request.param.read_text("utf-8"), request.param.name)


def test_there_is_a_gallery():
    assert len(EXAMPLES) >= 12


def test_an_example_begins_with_a_title_and_draws_at_its_end(tree):
    title, underline, blank, *_ = ast.get_docstring(tree).splitlines()
    assert title
    assert re.fullmatch("=+", underline)
    assert len(underline) == len(title)
    assert not blank
    assert ast.unparse(tree.body[-1]) == "plt.show()"


def test_an_example_imports_public_names_only(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not any(each.name.startswith("sklearn_hypo.") for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sklearn_hypo"):
            for each in node.names:
                assert each.name in PUBLIC[node.module], each.name


def test_calls_of_public_names_have_known_keywords(tree):
    known = PUBLIC["sklearn_hypo"] | PUBLIC["sklearn_hypo.datasets"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            owner, _, method = ast.unparse(node.func).partition(".")
            if owner in known:
                called = getattr(known[owner], method) if method else known[owner]
                given = {each.arg for each in node.keywords if each.arg}
                assert given <= set(inspect.signature(called).parameters), owner
