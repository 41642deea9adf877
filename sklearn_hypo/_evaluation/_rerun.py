"""`rerun_audit_bundle`: the test of an audit bundle, run again."""

from dataclasses import replace

import numpy as np
import pandas as pd

from .._report._audit import read_audit_bundle
from .._report._audit_files import VERSIONS
from .._report._columns import split_terms
from .._utils._warnings import warn
from ._build_report import Discovery, build_report
from ._earlier_tests import EarlierTests
from ._prepare import prepare_rows

# Other versions of NumPy or SciPy may differ in the last digits.
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9

_OF_HYPOTHESES = ("reversed", "name", "measure", "threshold", "terms")

_BESIDE = (
    *("sample_weight", "groups", "covariates", "fixed_effects", "pairs"),
    "moderator",
)


def rerun_audit_bundle(folder):
    """Compute the test anew from a bundle and compare it with the stored results.

    Parameters
    ----------
    folder : path-like
        Of a bundle, as `HypothesisReport.save` wrote it.

    Returns
    -------
    report : HypothesisReport
        The new report. It has no neurons and no fidelities, and no figures that need
        the pipeline itself, or texts that the bundle does not hold.

    Raises
    ------
    FileNotFoundError, ValueError
        As in `read_audit_bundle`.

    Warns
    -----
    HypothesisWarning
        Names each column and figure that differs by more than rounding.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_hypo import evaluate_annotations, rerun_audit_bundle
    >>> holds, y = [[1], [0]] * 4, [3.0, 1.0, 4.0, 1.5, 2.0, 2.5, 3.5, 0.5]
    >>> report = evaluate_annotations(holds, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report.save(f"{folder}/audit")
    ...     again = rerun_audit_bundle(f"{folder}/audit")
    >>> again.overall.equals(report.overall)
    True
    """
    bundle = read_audit_bundle(folder)
    data = bundle.data
    settings = _read_settings(data.settings)
    # bundles that do not name the kind of their target knew quantities and classes
    target = settings.pop("target", "quantity")
    scale = settings.pop("target_scale", "identity")
    classes = bundle.report["classes"]  # of the fit: the target may lack some
    rows = prepare_rows(
        data.target,
        {name: getattr(data, name) for name in _BESIDE},
        {"annotations": data.annotations},
        task=settings.pop("task"),
        target=target if classes is None else "auto",
        classes=None if classes is None else np.array(classes, dtype=object),
        caller="rerun_audit_bundle",
    )
    rows = replace(
        rows,
        target_name=bundle.report["target_name"],
        moderator_name=bundle.report.get("moderator_name"),
    )
    report = build_report(
        data.annotations,
        list(data.names),
        rows,
        settings,
        texts=data.texts,
        discovery=replace(_read_discovery(bundle), target_scale=scale),
        tested_before=_list_tested_before(bundle),
        near_duplicates=bundle.report.get("near_duplicates"),
        votes=data.votes,
    )
    # which texts were there in training is known to the pipeline alone
    known = bundle.report.get("n_training_texts")
    provenance = report.provenance | {"settings": bundle.settings["pipeline"]}
    provenance["seeds"] = bundle.settings["seeds"] | provenance["seeds"]
    report = replace(report, n_training_texts=known, provenance=provenance)
    different = find_differences(bundle, report)
    if different:
        warn(
            "The test, run again, differs from the stored results in: "
            f"{'; '.join(different)}. Compare the versions in {VERSIONS}."
        )
    return report


def _read_settings(stored):
    """The settings of a test; what older bundles do not name is as it was then."""
    settings = {"ngrams": False, "n_permutations": "auto"}
    settings |= {name: value for name, value in stored.items() if value is not None}
    was_by_t = "n_permutations" not in stored and settings["task"] == "regression"
    if was_by_t and settings["cov_type"] == "auto":
        settings["cov_type"] = "HC3"
    return settings


def _read_discovery(bundle):
    """What the stored report knew of its hypotheses that no test computes."""
    table = bundle.table
    columns = {name: table[name] for name in _OF_HYPOTHESES if name in table}
    evidence = {}
    if "terms" in columns:
        evidence["terms"] = [split_terms(text) for text in columns["terms"]]
    return Discovery(
        columns=columns,
        evidence=evidence,
        skipped_neurons=bundle.report.get("skipped_neurons"),
    )


def _list_tested_before(bundle):
    """What earlier tests on the same rows tested, from what was changed since."""
    if not bundle.edits:
        return None
    added = {e["hypothesis"] for e in bundle.edits if e["change"] == "added"}
    names = [name for name in bundle.data.names if name not in added]
    names += [e["hypothesis"] for e in bundle.edits if e["change"] == "dropped"]
    # the first are its own; bundles of older versions have none
    tests = (bundle.report["provenance"] or {}).get("tests", [])[1:]
    return EarlierTests(tuple(names), tuple(tests))


def find_differences(bundle, report):
    """Name columns and figures that differ by more than rounding, and by how much."""
    old, new = bundle.table, report.table
    if len(old) != len(new):
        return [f"the number of hypotheses ({len(old)} and {len(new)})"]
    different = []
    for name in old.columns.intersection(new.columns, sort=False):
        if name == "neuron":
            continue
        if pd.api.types.is_numeric_dtype(old[name].dtype):
            gap = _measure_gap(old[name].to_numpy(float), new[name].to_numpy(float))
            if gap:
                different.append(f"{name} (by up to {gap:.2g})")
        elif list(old[name]) != list(new[name]):
            different.append(name)
    for name in ("n_rows", "n_tested", "n_significant", "permutation_p"):
        before, after = bundle.report.get(name), getattr(report, name)
        pair = [np.nan if v is None else float(v) for v in (before, after)]
        if _measure_gap(*map(np.atleast_1d, pair)):
            different.append(f"{name} ({pair[0]:g} and {pair[1]:g})")
    return different


def _measure_gap(old, new):
    """The largest difference that is more than rounding; 0 if there is none."""
    same = np.isclose(new, old, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    if same.all():
        return 0.0
    gaps = np.abs(new - old)[~same]
    return np.inf if np.isnan(gaps).any() else float(gaps.max())
