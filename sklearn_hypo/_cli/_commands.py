"""The commands: what each says of itself, with examples, and the small ones in full."""

import argparse
import functools
import re
import textwrap

from .. import __version__
from ._option_values import parse_integer

PROG = "sklearn-hypo"
SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")

_EXIT_CODES = """\
exit codes:
  0    all went well
  1    the file, its columns or the computation do not allow a result
  2    options that do not make sense
  130  interrupted
"""


def make_parser_of_commands():
    """Return a parser, and what its commands are added to."""
    parser = argparse.ArgumentParser(
        prog=PROG,
        description="Texts and a target in, tested hypotheses in plain words out.",
        epilog=_write_epilog("run FILE.csv --text COLUMN --target COLUMN"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    return parser, parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )


def add_command(commands, name, summary, description, *examples):
    """Add a command, with examples of what stands after the program's name."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=_write_epilog(*examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(parser=parser)
    parser.add_argument(
        "--debug",
        action="store_true",
        help="on an error, show where in the program it happened",
    )
    return parser


def _write_epilog(*examples):
    lines = [_wrap_example(f"{PROG} {example}") for example in examples]
    heading = "example:" if len(examples) == 1 else "examples:"
    return "\n".join([heading, *lines, "", _EXIT_CODES])


def _wrap_example(line):
    """Wrap a line as a shell takes it, with each option beside its value."""
    bound = re.sub(r"(--\S+) (?!--)", "\\1\N{NO-BREAK SPACE}", line)
    parts = textwrap.wrap(
        bound,
        76,
        break_long_words=False,
        break_on_hyphens=False,
        subsequent_indent="  ",
    )
    wrapped = " \\\n".join(parts).replace("\N{NO-BREAK SPACE}", " ")
    return textwrap.indent(wrapped, "  ")


def add_output(parser, folder):
    """Add where a command writes to, and its seed."""
    parser.add_argument(
        "--seed",
        type=functools.partial(parse_integer, least=0, most=2**32 - 1),
        default=0,
        help="of everything random (default: 0)",
    )
    parser.add_argument(
        "--output",
        default=folder,
        metavar="DIR",
        help=f"folder for the results (default: {folder})",
    )


def add_demo(commands):
    """Add the command whose texts are always there."""
    parser = add_command(
        commands,
        "demo",
        "find hypotheses about the docstrings of the installed packages",
        "Ask what tells the docstrings of scikit-learn and statsmodels from those of\n"
        "NumPy and SciPy, as they are installed: no key, no download.",
        "demo --output docstrings",
    )
    add_output(parser, "demo_output")


def add_doctor(commands):
    """Add the command that says what is installed and what is found."""
    parser = add_command(
        commands,
        "doctor",
        "say what is installed, and what is found on this machine",
        "List versions, devices, caches with their sizes, and servers of language\n"
        "models on this machine. The servers are asked for the names of their models,\n"
        "without a key; nothing else is sent anywhere. Of keys it says only which\n"
        "variables are set, so that the output can be shown to others.",
        "doctor",
        "doctor --cache study/answers",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="the folder of the caches (default: what SKLEARN_HYPO_CACHE names, else "
        "~/.cache/sklearn_hypo)",
    )


def add_completion(commands):
    """Add the command that writes a script for a shell."""
    parser = add_command(
        commands,
        "completion",
        "write the script with which a shell completes commands and options",
        "Write the script with which a shell completes commands, options and names of\n"
        "files. Needs the extra of that name: pip install 'sklearn-hypo[completion]'.\n"
        "Put it where the shell looks: for bash into\n"
        "~/.local/share/bash-completion/completions/sklearn-hypo, for zsh into\n"
        "_sklearn-hypo in a folder of $fpath, for fish into\n"
        "~/.config/fish/completions/sklearn-hypo.fish.",
        "completion bash",
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell")
