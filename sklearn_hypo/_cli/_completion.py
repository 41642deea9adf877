"""``sklearn-hypo completion``: a script for a shell, by shtab."""

from ._options import make_parser

# What stands in the help for values of options that are files and folders
_FILE, _FOLDER = "FILE", "DIR"


def completion(options, say, note):
    """Write the script with which a shell completes commands and options.

    Parameters are as in `run`.

    Raises
    ------
    ImportError
        Without shtab.
    """
    try:
        import shtab
    except ImportError as error:
        raise ImportError(
            "The script is made by shtab, which is not installed. Install it with: "
            "pip install 'sklearn-hypo[completion]'."
        ) from error
    parser = make_parser()
    for action in _list_actions(parser):
        if action.metavar == _FILE:
            action.complete = shtab.FILE
        elif action.metavar == _FOLDER:
            action.complete = shtab.DIRECTORY
    say(shtab.complete(parser, options.shell))


def _list_actions(parser):
    """Return the options of a parser and of its commands."""
    # argparse has no public list of them; shtab reads this one, too
    actions = list(parser._actions)
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                actions += _list_actions(command)
    return actions
