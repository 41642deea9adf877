"""The audit bundle: a folder from which anyone can run the test of a report again."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .._utils._files import expand_path
from .._utils._printable import to_printable
from ._audit_files import (
    COLUMNS,
    EDITS,
    MANIFEST,
    README,
    REPORT,
    ROWS,
    SETTINGS,
    TABLE,
    TEXTS,
    VERSIONS,
    check_manifest,
    read_json,
    read_rows,
    write_json,
    write_manifest,
    write_rows,
    write_texts,
)
from ._details import EvaluationData
from ._export import table_from_json, to_csv, to_json
from ._words import (
    describe_near_duplicate_texts,
    describe_sample,
    describe_training_texts,
    list_conditions,
)

_KEYWORDS = (
    *("task", "target", "target_scale", "alpha", "correction", "cov_type"),
    *("n_permutations", "n_resamples", "ngrams"),
    "random_state",
)


@dataclass(frozen=True, eq=False)
class AuditBundle:
    """What `read_audit_bundle` returns: a report, and what it takes to check it.

    Parameters
    ----------
    data : EvaluationData
        Annotations, target and what accompanied them (weights, groups, pairs,
        covariates, fixed effects): the arguments of `evaluate_annotations`.
    table : DataFrame
        The table of the report, as it was.
    report : dict
        The report as `HypothesisReport.to_dict` gives it.
    settings : dict
        Settings of the test ("evaluation") and of the pipeline, seeds, and hashes of
        texts and target.
    versions : dict of str to str
        Packages with which it was made.
    edits : list of dict
        Hypotheses added, dropped and retested in another way since the `previous`
        reports on the same rows; the correction counts the last two.

    See Also
    --------
    HypothesisReport.save : Writes the folder.
    rerun_audit_bundle : Runs the test again, and tells what differs.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_hypo import evaluate_annotations, read_audit_bundle
    >>> holds, y = [[1], [0]] * 4, [3.0, 1.0, 4.0, 1.5, 2.0, 2.5, 3.5, 0.5]
    >>> report = evaluate_annotations(holds, y)
    >>> with TemporaryDirectory() as scratch:
    ...     report.save(Path(scratch, "audit"))
    ...     bundle = read_audit_bundle(Path(scratch, "audit"))
    >>> bundle.data.annotations.shape, bundle.settings["evaluation"]["correction"]
    ((8, 1), 'step-down')
    """

    data: EvaluationData
    table: pd.DataFrame
    report: dict
    settings: dict
    versions: dict
    edits: list


# Writing --------------------------------------------------------------------------


def write_audit_bundle(report, folder, *, include_texts=False):
    """Write a folder that lets another person run the test again, offline.

    See `HypothesisReport.save`; the folder is there in full or not at all.
    """
    data = _select_data(report, include_texts)
    folder = expand_path(folder)
    _check_is_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = ".unfinished-"
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as around:
        unfinished = Path(around) / "bundle"
        unfinished.mkdir()
        _write_files(unfinished, report, data, include_texts)
        write_manifest(unfinished)
        if folder.is_dir():
            folder.rmdir()  # it is empty
        os.rename(unfinished, folder)
    return folder


def _select_data(report, include_texts):
    data = report.data
    if data is None:
        raise ValueError(
            "This report holds no data, only results, so that it cannot be run again. "
            "Make it with evaluate_hypotheses or evaluate_annotations."
        )
    if include_texts and data.texts is None:
        raise ValueError("include_texts=True, but the report has no texts.")
    return data


def _check_is_free(folder):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(
            f"{str(folder)!r} exists and is not empty. An audit bundle is never mixed "
            "with other files; name another folder."
        )


def _write_files(folder, report, data, include_texts):
    provenance = report.provenance
    write_rows(folder, data)
    to_csv(report, folder / TABLE)
    to_json(report, folder / REPORT)
    settings = {
        "evaluation": {key: data.settings[key] for key in _KEYWORDS},
        "pipeline": provenance["settings"],
        "seeds": provenance["seeds"],
        "data": provenance["data"],
    }
    write_json(folder / SETTINGS, settings)
    write_json(folder / VERSIONS, provenance["versions"])
    edits = provenance["edits"]
    write_json(folder / EDITS, {"count": len(edits), "edits": edits})
    if include_texts:
        write_texts(folder, data.texts)
    readme = _format_readme(report, len(edits), include_texts)
    (folder / README).write_text(readme, encoding="utf-8", newline="\n")


def _format_readme(report, n_edits, include_texts):
    texts = TEXTS if include_texts else "not included (not needed to run it again)"
    version = report.provenance["versions"]["sklearn-hypo"]
    beside = "".join(
        f"{name}: {what}\n" for name, what in list_conditions(report).items()
    )
    remarks = (describe_training_texts(report), describe_near_duplicate_texts(report))
    beside += "".join(f"{remark}\n" for remark in remarks if remark)
    return f"""\
{to_printable(describe_sample(report))}
{beside}
To run the test again, offline:

    pip install sklearn-hypo=={version}
    python -c "from sklearn_hypo import rerun_audit_bundle as run; \
print(run('.'))"
    sha256sum -c {MANIFEST}

The second line, run in this folder, checks every file against {MANIFEST}, computes
the test anew from {ROWS}, and warns of every column that differs from {REPORT}. The
third does the check without Python. Who changes a file and its line in the manifest
is not found out: keep the hash of the manifest where you cite the bundle.

{TABLE}   the results, to read
{REPORT}      the results, to compute with (NaN is null)
{ROWS}         annotations (1, 0, NaN), target, weights, groups: NumPy, no pickle
{COLUMNS}     the hypotheses in the order of the annotations; labels with their types
{SETTINGS}    settings of the test and of the pipeline, seeds, hashes of the data
{VERSIONS}    versions of the packages
{EDITS}       changes of hypotheses that the correction counts: {n_edits}
texts            {texts}
"""


# Reading --------------------------------------------------------------------------


def read_audit_bundle(folder):
    """Read a bundle, after checking that no file has changed.

    Parameters
    ----------
    folder : path-like
        What `write_audit_bundle` wrote.

    Returns
    -------
    bundle : AuditBundle
        Labels have the types and values they had.

    Raises
    ------
    FileNotFoundError
        If it is no bundle.
    ValueError
        If a file is missing or not what it was; all such files are named.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_hypo import evaluate_annotations, read_audit_bundle
    >>> holds, y = [[1], [0]] * 4, [3.0, 1.0, 4.0, 1.5, 2.0, 2.5, 3.5, 0.5]
    >>> report = evaluate_annotations(holds, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report.save(folder)
    ...     table = read_audit_bundle(folder).table
    >>> table["coef_p"].equals(report.table["coef_p"])
    True
    """
    folder = expand_path(folder)
    check_manifest(folder)
    settings = read_json(folder / SETTINGS)
    text = (folder / REPORT).read_text(encoding="ascii")
    return AuditBundle(
        data=read_rows(folder, settings["evaluation"]),
        table=table_from_json(text),
        report=json.loads(text),
        settings=settings,
        versions=read_json(folder / VERSIONS),
        edits=read_json(folder / EDITS)["edits"],
    )
