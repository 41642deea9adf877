"""What the command line writes: a report, its table and figures, the settings."""

import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from .._utils._files import write_text
from .._utils._json import to_json_value
from .._utils._printable import escape_surrogates
from ..exceptions import InputError

TABLE, METRICS, SETTINGS = "hypotheses.csv", "metrics.json", "settings.json"
REPORT, LATEX = "report.html", "hypotheses.tex"
FILES = (TABLE, LATEX, METRICS, SETTINGS, REPORT)


def check_output_folder(folder, source=None):
    """Raise before the work begins, rather than after it, if nothing can be written.

    Parameters
    ----------
    folder : path-like
        Where to write. Need not exist; nothing is created.
    source : path-like or None, default=None
        The file that is read, which must not be overwritten.

    Raises
    ------
    InputError
        If the folder is no folder or not writable, or if the source is in the way.
    """
    folder = Path(folder)
    nearest = next(
        p for p in (folder.absolute(), *folder.absolute().parents) if p.exists()
    )
    if not nearest.is_dir():
        raise InputError(
            f"the output folder {str(folder)!r} is no folder: {nearest} is a file."
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"the output folder {str(folder)!r} is not writable.")
    for name in FILES:
        path = folder / name
        if source is not None and path.exists() and os.path.samefile(path, source):
            raise InputError(
                f"the results would overwrite the file {str(source)!r} that they come "
                "from. Name another folder with --output."
            )


def write_results(folder, report, metrics, settings, title=None):
    """Write the files, each at once: none is ever there in part.

    Parameters
    ----------
    folder : path-like
        Created if need be.
    report : HypothesisReport
        Its table goes to hypotheses.csv and hypotheses.tex, all of it to report.html.
    metrics, settings : dict
        For metrics.json and settings.json.
    title : str or None, default=None
        Heading of report.html.

    Returns
    -------
    paths : list of Path
        The files.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    with (
        _make_folder(folder),
        tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished,
    ):
        unfinished = Path(unfinished)
        report.to_csv(unfinished / TABLE)
        report.to_html(unfinished / REPORT, title=title)
        write_text(unfinished / LATEX, report.to_latex())
        _write_json(unfinished / METRICS, metrics)
        _write_json(unfinished / SETTINGS, settings)
        for name in FILES:
            os.replace(unfinished / name, folder / name)
    return [folder / name for name in FILES]


@contextmanager
def _make_folder(folder):
    """Make a folder and those above it, which are gone after an error or Ctrl-C."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):  # not empty: somebody else wrote there
            for each in made:
                each.rmdir()
        raise


def _write_json(path, values):
    values = to_json_value(values)
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    # JSON has the same escapes
    path.write_text(escape_surrogates(text) + "\n", encoding="utf-8")
