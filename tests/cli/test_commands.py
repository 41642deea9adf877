"""What the command line says of itself: version, help, examples, completion."""

import re
import shlex
import subprocess
import sys

import pytest

import sklearn_hypo
from sklearn_hypo._cli import _main
from sklearn_hypo._cli._commands import SHELLS
from sklearn_hypo._cli._main import main
from sklearn_hypo._cli._options import parse_options

COMMANDS = sorted(_main._COMMANDS)


def show_help(capsys, *command):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    return capsys.readouterr().out


def read_examples(shown):
    """Return the examples of a help as their arguments."""
    block = re.search(r"^examples?:\n(.*?)\n\n", shown, flags=re.M | re.S)[1]
    assert max(map(len, block.splitlines())) <= 80
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines]


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"sklearn-hypo {sklearn_hypo.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_can_be_run(command, capsys):
    shown = show_help(capsys, command)
    assert "exit codes:" in shown
    examples = read_examples(shown)
    assert examples
    for example in examples:
        assert parse_options(example).command == command


def test_help_names_all_commands(capsys):
    shown = show_help(capsys)
    assert read_examples(shown) == [
        ["run", "FILE.csv", "--text", "COLUMN", "--target", "COLUMN"]
    ]
    assert {*COMMANDS} <= {*re.findall(r"^    (\w+)", shown, flags=re.M)}


# Completion --------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_and_options(shell, capsys):
    assert main(["completion", shell]) == 0
    shown = capsys.readouterr().out
    for word in (*COMMANDS, "target-kind", "max-cost"):
        assert word in shown


def test_bash_completes_with_the_script(capsys, tmp_path):
    main(["completion", "bash"])
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "tweets.csv").touch()

    def complete(*words):
        spelled = " ".join(map(shlex.quote, ("sklearn-hypo", *words)))
        ask = (
            f"source {shlex.quote(str(script))}; COMP_WORDS=({spelled}); "
            f"COMP_CWORD={len(words)}; _shtab_sklearn_hypo; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", ask],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        return done.stdout.split()

    assert complete("do") == ["doctor"]
    assert complete("run", "--targ") == ["--target", "--target-kind", "--target-date"]
    assert complete("run", "--task", "cl") == ["classification"]
    assert complete("run", "tw") == ["tweets.csv"]


def test_completion_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    assert "pip install 'sklearn-hypo[completion]'" in capsys.readouterr().err
