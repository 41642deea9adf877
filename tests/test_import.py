"""What `import sklearn_hypo` may not do, and what its names are all the same."""

import ast
import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator, clone

import sklearn_hypo

HEAVY = {
    "torch",
    "sentence_transformers",
    "openai",
    "google.genai",
    "transformers",
    "matplotlib",
    "statsmodels",
    "polars",
}
GROUND = {"numpy", "scipy", "pandas", "sklearn", "joblib", "jinja2"}

BARE = """
import json, sys
import sklearn_hypo
dir(sklearn_hypo), sklearn_hypo.__all__, sklearn_hypo.__version__
print(json.dumps(list(sys.modules)))
"""
EXTRACTOR = """
import json, sys
from sklearn_hypo import HypothesisExtractor
print(json.dumps(list(sys.modules)))
"""
EVERYTHING = """
import json, sys
from sklearn_hypo import *
from sklearn_hypo import datasets, exceptions
sae = SparseAutoencoderTransformer(64, 4)
repr(sae), sae._repr_html_(), dir(sae)
print(json.dumps(list(sys.modules)))
"""


def run_alone(script, stdin=None):
    """Run a script in a process of its own, where a warning is an error."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("script", "spared"),
    [(BARE, HEAVY | GROUND), (EXTRACTOR, HEAVY | {"jinja2"}), (EVERYTHING, HEAVY)],
    ids=["import sklearn_hypo", "import HypothesisExtractor", "every name"],
)
def test_import_leaves_heavy_packages_alone(script, spared):
    imported = set(run_alone(script))
    assert "sklearn_hypo" in imported
    assert not spared & imported


def test_a_test_imports_what_it_needs():
    script = EXTRACTOR.replace(
        "print",
        "from sklearn_hypo._inference._separation import wilson_interval\n"
        "wilson_interval(1, 2, 0.05)\nprint",
    )
    assert "statsmodels" in run_alone(script)


# The names that are there before they are asked for ----------------------------------


def test_the_stub_names_what_is_public():
    stub = Path(sklearn_hypo.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    names = [
        alias.asname
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert sorted(names) == sorted([*sklearn_hypo.__all__, "datasets", "exceptions"])


def test_names_are_found_without_being_asked_for():
    assert set(dir(sklearn_hypo)) == {*sklearn_hypo.__all__, "__version__"}
    classes = dict(inspect.getmembers(sklearn_hypo, inspect.isclass))
    estimators = {n for n, c in classes.items() if issubclass(c, BaseEstimator)}
    assert {"HypothesisExtractor", "TextEmbedder", "NeuronSelector"} <= estimators
    with pytest.raises(AttributeError, match="HypothesisExtracter"):
        sklearn_hypo.HypothesisExtracter  # noqa: B018


def test_pickles_are_read_before_a_name_is_asked_for():
    extractor = clone(sklearn_hypo.HypothesisExtractor(task="regression"))
    read = (
        "import json, pickle, sys; e = pickle.loads(sys.stdin.buffer.read()); "
        "print(json.dumps([type(e).__name__, e.task]))"
    )
    assert run_alone(read, pickle.dumps(extractor)) == [
        "HypothesisExtractor",
        "regression",
    ]
