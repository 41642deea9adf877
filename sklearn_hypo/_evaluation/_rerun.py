"""`rerun_audit_bundle`: the test of an audit bundle, run again."""

import warnings

import numpy as np
import pandas as pd

from .._report._audit import read_audit_bundle
from .._report._audit_files import VERSIONS
from ..exceptions import HypothesisWarning

# Other versions of NumPy or SciPy may differ in the last digits.
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9


# Running again --------------------------------------------------------------------


def rerun_audit_bundle(folder):
    """Compute the test anew from a bundle and compare it with the stored results.

    Parameters
    ----------
    folder : path-like
        What `write_audit_bundle` wrote.

    Returns
    -------
    report : HypothesisReport
        The new report. It has no neurons and no fidelities, and no figures that need
        the pipeline itself.

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
    >>> import numpy as np
    >>> from sklearn_hypo import evaluate_annotations, rerun_audit_bundle
    >>> rng = np.random.default_rng(0)
    >>> annotations = rng.integers(0, 2, size=(100, 2))
    >>> report = evaluate_annotations(annotations, rng.normal(size=100))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report.save(f"{folder}/audit")
    ...     again = rerun_audit_bundle(f"{folder}/audit")
    >>> again.overall.equals(report.overall)
    True
    """
    from ._annotations import evaluate_annotations

    bundle = read_audit_bundle(folder)
    data = bundle.data
    report = evaluate_annotations(
        data.annotations,
        data.target,
        names=list(data.names),
        texts=data.texts,
        sample_weight=data.sample_weight,
        groups=data.groups,
        covariates=data.covariates,
        fixed_effects=data.fixed_effects,
        pairs=data.pairs,
        previous=_previous(bundle),
        **{key: value for key, value in data.settings.items() if value is not None},
    )
    different = differences(bundle, report)
    if different:
        warnings.warn(
            "The test, run again, differs from the stored results in: "
            f"{'; '.join(different)}. Compare the versions in {VERSIONS}.",
            HypothesisWarning,
            stacklevel=2,
        )
    return report


def _previous(bundle):
    """A report with the hypotheses tested before, so that they are counted again."""
    from .._report._report import HypothesisReport

    if not bundle.edits:
        return None
    changed = {
        name: edit.get("change")
        for edit in bundle.edits
        if (name := edit.get("hypothesis")) is not None
    }
    before = [name for name in bundle.data.names if changed.get(name) != "added"]
    before += [name for name, change in changed.items() if change == "dropped"]
    table = pd.DataFrame({"hypothesis": pd.Series(before, dtype=object)})
    zero = dict.fromkeys(("n_rows", "n_joint", "n_joint_hypotheses"), 0)
    return HypothesisReport(
        table=table,
        task=bundle.report["task"],
        classes=None,
        n_tested=len(before),
        n_significant=0,
        alpha=bundle.report["alpha"],
        correction=bundle.report["correction"],
        **zero,
    )


def differences(bundle, report):
    """Name what differs between stored and new results by more than rounding.

    Parameters
    ----------
    bundle : AuditBundle
        The stored results.
    report : HypothesisReport
        The new ones.

    Returns
    -------
    different : list of str
        Columns of the table, each with its largest difference, and single figures.
    """
    old, new = bundle.table, report.table
    if len(old) != len(new):
        return [f"the number of hypotheses ({len(old)} and {len(new)})"]
    different = []
    for name in old.columns.intersection(new.columns, sort=False):
        if name == "neuron":
            continue
        if pd.api.types.is_numeric_dtype(old[name].dtype):
            gap = _gap(old[name].to_numpy(float), new[name].to_numpy(float))
            if gap:
                different.append(f"{name} (by up to {gap:.2g})")
        elif list(old[name]) != list(new[name]):
            different.append(name)
    for name in ("n_rows", "n_tested", "n_significant", "permutation_p"):
        before, after = bundle.report.get(name), getattr(report, name)
        pair = [np.nan if v is None else float(v) for v in (before, after)]
        if _gap(*map(np.atleast_1d, pair)):
            different.append(f"{name} ({pair[0]:g} and {pair[1]:g})")
    return different


def _gap(old, new):
    """The largest difference that is more than rounding; 0 if there is none."""
    same = np.isclose(new, old, rtol=_RELATIVE, atol=_ABSOLUTE, equal_nan=True)
    if same.all():
        return 0.0
    gaps = np.abs(new - old)[~same]
    return np.inf if np.isnan(gaps).any() else float(gaps.max())
