"""A small table, and the command line."""

import pytest
from reading_cases import make_frame

from sklearn_hypo._cli._main import main


@pytest.fixture
def frame():
    return make_frame()


@pytest.fixture
def run(tmp_path, capsys):
    """Run the command line; return code, standard output and standard error."""

    def run(path, *arguments):
        sizes = ("--n-neurons", "8", "--k", "2", "--n-select", "2")
        out = ("--output", str(tmp_path / "out"))
        code = main(["run", str(path), *arguments, *sizes, *out])
        return code, *capsys.readouterr()

    return run
