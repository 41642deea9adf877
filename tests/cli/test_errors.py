"""What the user of the command line sees when something goes wrong."""

import warnings

import pytest

from sklearn_hypo._cli import _main
from sklearn_hypo._cli._main import main
from sklearn_hypo.exceptions import InputError

COMMAND = ["run", "texts.csv", "--text", "text", "--target", "y"]


@pytest.fixture
def fail(monkeypatch):
    """Run the command line with a run that raises an exception."""

    def fail(error, *arguments):
        def run(*_):
            raise error

        monkeypatch.setitem(_main._COMMANDS, "run", run)
        return main([*COMMAND, *arguments])

    return fail


LONG = "\n".join(
    f"line {i} of a message of a library, with a path /a/b" for i in range(99)
)


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (KeyError("column"), "KeyError: 'column'"),
        (RuntimeError("CUDA error: device-side assert"), "RuntimeError: CUDA error"),
        (AttributeError(), "AttributeError"),
        (MemoryError(), "MemoryError"),
        (ZeroDivisionError(LONG), "ZeroDivisionError: line 0 of a message"),
        (ValueError(), "ValueError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_nobody_foresaw_is_one_message(fail, capsys, error, named):
    assert fail(error) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"sklearn-hypo: error: {named}")
    assert "--debug" in shown.err
    assert shown.err.count("\n") == 1
    assert len(shown.err) < 800
    assert "Traceback" not in shown.err
    with pytest.raises(type(error)):  # the advice works
        fail(error, "--debug")


def test_debugging_by_the_environment(fail, monkeypatch):
    monkeypatch.setenv("SKLEARN_HYPO_DEBUG", "1")
    with pytest.raises(InputError):
        fail(InputError("there is no file."))
    monkeypatch.setenv("SKLEARN_HYPO_DEBUG", "0")
    assert fail(InputError("there is no file.")) == 1


def test_a_long_message_keeps_its_beginning_and_its_end(fail, capsys):
    error = ValueError(f"The column is bad.\n{LONG}\nChoose another one.")
    assert fail(error) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("sklearn-hypo: error: The column is bad. line 0")
    assert shown.endswith("Choose another one.\n")
    assert shown.count("\n") == 1
    assert len(shown) < 800
    assert "--debug" not in shown  # it says by itself what to do


def test_a_long_warning_is_cut(monkeypatch, capsys):
    monkeypatch.setitem(
        _main._COMMANDS, "run", lambda *_: warnings.warn(LONG, stacklevel=1)
    )
    assert main(COMMAND) == 0
    assert len(capsys.readouterr().err) < 800
