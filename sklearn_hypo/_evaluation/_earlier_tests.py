"""Which tests were made before on the same rows, told by fingerprints.

A test is a statement, its annotations and a specification. What is tested anew with
other annotations or another specification under its old name has had one chance more.
"""

from dataclasses import dataclass

import numpy as np

from .._report._provenance import hash_values
from .._report._report import HypothesisReport

# What accompanies rows, in words; of anything else that differs the value is told
_WORDS = {
    "covariates": "covariates",
    "fixed_effects": "fixed effects",
    "sample_weight": "weights",
    "groups": "groups",
    "pairs": "pairs",
}


@dataclass(frozen=True)
class EarlierTests:
    """What earlier reports on the same rows tested.

    Parameters
    ----------
    names : tuple of str
        All hypotheses, also those of reports without fingerprints.
    tests : tuple of dict
        As from `fingerprint_tests`, in the order of the reports.
    """

    names: tuple
    tests: tuple

    @classmethod
    def of(cls, previous, target):
        """Read them off earlier reports; None without any.

        Reports that were made before there were fingerprints count by their names.
        """
        if previous is None:
            return None
        names, tests = {}, []
        for report in previous if isinstance(previous, list | tuple) else [previous]:
            provenance = _check_previous(report, target)
            names |= dict.fromkeys(report.table["hypothesis"])
            names |= dict.fromkeys(e["hypothesis"] for e in provenance.get("edits", []))
            tests += provenance.get("tests", [])
        return cls(tuple(names), tuple(tests))

    def list_edits(self, own):
        """List what changed since, as provenance holds it.

        Parameters
        ----------
        own : dict
            The tests of now, as from `fingerprint_tests`.

        Returns
        -------
        edits : list of dict
            "change" and "hypothesis": dropped, added, or retested, the last with
            "before": how the earlier test differed. Each that is dropped or retested is
            a further test; one that is made again as it was is none.
        """
        now = own["annotations_sha256"]
        edits = [
            {"change": "dropped", "hypothesis": n} for n in self.names if n not in now
        ]
        known = set(self.names)
        edits += [{"change": "added", "hypothesis": n} for n in now if n not in known]
        references = dict.fromkeys(now, own)
        seen = {_key(own, name) for name in now}
        for test in self.tests:
            for name in test["annotations_sha256"]:
                # of a hypothesis that was dropped the first test is counted above
                reference = references.setdefault(name, test)
                if reference is test or _key(test, name) in seen:
                    seen.add(_key(test, name))
                    continue
                seen.add(_key(test, name))
                before = _describe_difference(test, reference, name)
                edits.append(
                    {"change": "retested", "hypothesis": name, "before": before}
                )
        return edits

    def join(self, own):
        """Return the tests of now and the different ones of before, to be recorded."""
        different = {repr(test): test for test in (own, *self.tests)}
        return list(different.values())


def count_further_tests(edits):
    """Count the tests on the same rows that are not those of the present report."""
    return sum(edit["change"] in ("dropped", "retested") for edit in edits)


def fingerprint_tests(annotations, names, rows, cov_type, votes=None):
    """Return a fingerprint of each test: plain values, as provenance holds them.

    Parameters
    ----------
    annotations, names, rows, votes
        As for `build_report`.
    cov_type : str
        As it was asked for.

    Returns
    -------
    tests : dict
        "specification": what the target is, `cov_type`, and hashes of what accompanies
        the rows, as it is coded, so that other names of the same groups are the same
        specification; "annotations_sha256": a hash by hypothesis.
    """
    design = rows.design
    specification = {
        "target": "classes" if rows.classes is not None else rows.target_kind,
        "cov_type": cov_type,
        "covariates": _hash_columns(design.covariates),
        "fixed_effects": _hash(design.levels),
        "sample_weight": _hash(design.weights),
        "groups": _hash(design.clusters),
        "pairs": _hash(design.pairs),
    }
    tables = [annotations] if votes is None else list(votes.values())
    columns = np.moveaxis(np.array(tables), 2, 0)  # by hypothesis, annotator, row
    hashes = [_hash_columns(each.T) for each in columns]
    return {
        "specification": specification,
        "annotations_sha256": dict(zip(names, hashes, strict=True)),
    }


def _hash(values):
    if values is None:
        return None
    values = np.asarray(values, dtype=np.float64)
    return hash_values(np.where(np.isnan(values), np.nan, values))  # one kind of NaN


def _hash_columns(values):
    """Hash columns whose order means nothing."""
    return None if values is None else hash_values(sorted(map(_hash, values.T)))


def _check_previous(report, target):
    """Return the provenance of an earlier report, if it is one on the same rows."""
    if not isinstance(report, HypothesisReport):
        raise TypeError(
            "previous must be a HypothesisReport or a list of them, but "
            f"{type(report).__name__} arrived."
        )
    provenance = report.provenance or {}
    digest = provenance.get("data", {}).get("target_sha256")
    if digest is not None and digest != hash_values(target):
        raise ValueError(
            "previous: a report on other rows arrived (its target differs). Only "
            "tests on the same rows count together; leave it out."
        )
    return provenance


def _key(test, name):
    specification = test["specification"]
    return name, test["annotations_sha256"][name], tuple(specification.items())


def _describe_difference(before, now, name):
    """Say how the earlier of two tests of one name differs from the later."""
    parts = []
    if before["annotations_sha256"][name] != now["annotations_sha256"][name]:
        parts.append("with other annotations")
    old, new = before["specification"], now["specification"]
    for key in {**old, **new}:
        was = old.get(key)
        if was == new.get(key):
            continue
        if key not in _WORDS:
            parts.append(f"with {key}={was!r}")
        elif was is None:
            parts.append(f"without {_WORDS[key]}")
        else:
            other = "" if new.get(key) is None else "other "
            parts.append(f"with {other}{_WORDS[key]}")
    return ", ".join(parts)
