"""A small table, and the command line."""

import pytest
from reading_cases import make_frame

from sklearn_hypo._cli._main import main

# What is read is what matters here.
SMALL = ("--n-neurons", "8", "--k", "2", "--n-select", "2", "--embedder", "lsa")
SMALL += ("--no-supervised", "--no-style", "--no-terms")


@pytest.fixture
def frame():
    return make_frame()


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command line; return code, standard output and standard error."""

    def run(path, *arguments):
        out = ("--output", str(tmp_path / "out"))
        code = main(["run", str(path), *arguments, *SMALL, *out])
        return code, *capsys.readouterr()

    return run
