"""The fits behind a correction for annotation error: which rows, which columns.

Plain functions on arrays.
"""

from dataclasses import dataclass

import numpy as np

from .._inference._design_matrix import find_independent_columns
from .._inference._influence import (
    Influence,
    effect_influence,
    linear_influence,
    logit_influence,
)
from ._predict_then_debias import Debiased, predict_then_debias

LINEAR, LOGIT, EFFECT = linear_influence, logit_influence, effect_influence


@dataclass(frozen=True)
class Rows:
    """Machine and human annotations of the rows, and what goes with them.

    Parameters
    ----------
    machine : ndarray of shape (n_rows, n_hypotheses)
        1, 0 or NaN.
    human : ndarray of shape (n_rows, n_hypotheses)
        1, 0, or NaN where there is no label.
    weights : ndarray of shape (n_rows,)
        Weights of the rows in the population.
    label_weights : ndarray of shape (n_rows,)
        Inverse probabilities of being labelled; read where there is a label.
    clusters : ndarray of int of shape (n_rows,) or None
        Cluster of each row.
    covariates : ndarray of shape (n_rows, n_covariates)
        May have no columns.
    """

    machine: np.ndarray
    human: np.ndarray
    weights: np.ndarray
    label_weights: np.ndarray
    clusters: np.ndarray | None
    covariates: np.ndarray

    def n_units(self, chosen):
        """Number of rows, or of clusters, that a mask of rows touches."""
        if self.clusters is None:
            return int(chosen.sum())
        return len(np.unique(self.clusters[chosen]))


@dataclass(frozen=True)
class Fits:
    """The naive, the human and the corrected estimates of one model.

    Parameters
    ----------
    naive, human : Influence or None
        From machine annotations on all rows, from human labels; None if the model has
        no finite fit.
    corrected : Debiased or None
        None where `human` is.
    columns : list of int
        The hypotheses that the estimates belong to.
    resample : callable or None
        Takes counts of units, returns corrected estimates.
    """

    naive: Influence | None
    human: Influence | None
    corrected: Debiased | None
    columns: list
    resample: object = None


def label_counts(rows, j, among):
    """Units with a human yes, and with a human no, to hypothesis j."""
    return tuple(rows.n_units(among & (rows.human[:, j] == s)) for s in (1, 0))


def fit_all(rows, y, columns, labelled, corrected, *, model, tuning):
    """Fit one model three times, and combine the fits.

    Parameters
    ----------
    rows : Rows
        The data.
    y : ndarray of shape (n_rows,)
        The target.
    columns : list of int
        Hypotheses in the model, which have machine annotations wherever `used`.
    labelled : ndarray of bool of shape (n_rows,)
        Rows with human labels for all corrected columns.
    corrected : list of int
        Hypotheses that are labelled by people; the others in the model count as they
        are annotated.
    model : callable
        `linear_influence`, `logit_influence` or `effect_influence`.
    tuning : {"diagonal", "full"} or float
        See `predict_then_debias`.

    Returns
    -------
    fits : Fits
        Estimates of `columns`, in their order.
    """
    used = ~np.isnan(rows.machine[:, columns]).any(axis=1)
    at = np.flatnonzero(used)
    places = np.flatnonzero(labelled[at])
    machine = rows.machine[np.ix_(at, columns)]
    human = machine[places].copy()
    mine = [columns.index(j) for j in corrected]
    human[:, mine] = rows.human[np.ix_(at[places], corrected)]
    agreed = np.array([(human[:, k] == machine[places, k]).all() for k in mine])
    flags = np.ones(len(columns), dtype=bool)
    flags[mine] = agreed
    known = np.column_stack([np.ones(len(at)), rows.covariates[at]])
    data = {
        "machine": np.column_stack([machine, known]),
        "human": np.column_stack([human, known[places]]),
        "y": y[at],
        "weights": rows.weights[at],
        "label_weights": (rows.weights * rows.label_weights)[at[places]],
        "units": None if rows.clusters is None else _compact(rows.clusters[at]),
        "places": places,
        "agreed": np.append(flags, np.zeros(known.shape[1], dtype=bool)),
    }
    naive, found, debiased = _three_fits(data, model, tuning)

    def resample(counts):
        return _resampled(data, model, counts, debiased.tuning)[: len(columns)]

    return Fits(naive, found, debiased, columns, resample)


def _compact(labels):
    return np.unique(labels, return_inverse=True)[1]


def _three_fits(data, model, tuning):
    y, units, places = data["y"], data["units"], data["places"]
    few = None if units is None else _compact(units[places])
    naive = model(data["machine"], y, data["weights"], units)
    human = model(data["human"], y[places], data["label_weights"], few)
    machine = model(data["machine"][places], y[places], data["label_weights"], few)
    if naive is None or human is None or machine is None:
        return naive, human, None
    debiased = predict_then_debias(
        human, machine, naive, places, tuning=tuning, agreed=data["agreed"]
    )
    return naive, human, debiased


def _resampled(data, model, counts, omega):
    """Corrected estimates for rows or clusters that count several times, or not."""
    y, places = data["y"], data["places"]
    per_row = counts if data["units"] is None else counts[data["units"]]
    nothing = np.full(len(omega), np.nan)
    kept = per_row > 0
    few = kept[places]
    sets = (
        (data["human"][few], y[places][few], data["label_weights"], places),
        (data["machine"][places][few], y[places][few], data["label_weights"], places),
        (data["machine"][kept], y[kept], data["weights"], slice(None)),
    )
    found = []
    for X, target, weights, where in sets:
        mask = few if where is places else kept
        if len(find_independent_columns(X, X[:, :0])) < X.shape[1]:
            return nothing
        fit = model(X, target, weights[mask] * per_row[where][mask])
        if fit is None:
            return nothing
        found.append(fit.estimate)
    human, machine, everywhere = found
    return human + omega @ (everywhere - machine)


def bootstrap_interval(fits, n_units, level, n_resamples, rng):
    """Percentile interval of corrected estimates, resampling rows or clusters.

    Parameters
    ----------
    fits : Fits
        What to resample.
    n_units : int
        Rows, or clusters, in the fits.
    level : float
        Of the interval.
    n_resamples : int
        How often.
    rng : Generator
        Source of randomness.

    Returns
    -------
    lower, upper : ndarray of shape (n_columns,)
        NaN if more than one resample in twenty has no estimate.
    """
    found = np.array(
        [
            fits.resample(
                np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
            )
            for _ in range(n_resamples)
        ]
    )
    ends = 50 - 50 * level, 50 + 50 * level
    lost = np.isnan(found).mean(axis=0)
    found[:, lost == 1] = 0.0
    lower, upper = np.nanpercentile(found, ends, axis=0)
    bad = lost > 0.05
    return np.where(bad, np.nan, lower), np.where(bad, np.nan, upper)


def joint_columns(rows, minimum):
    """Which hypotheses can be in a joint model, and which are corrected in it.

    Parameters
    ----------
    rows : Rows
        The data.
    minimum : int
        Units with a human yes, and with a human no, that a correction needs.

    Returns
    -------
    columns : list of int
        In the model.
    corrected : list of int
        Those that take human labels on labelled rows.
    labelled : ndarray of bool of shape (n_rows,)
        Rows with all human labels.
    notes : dict of int to str
        Why a hypothesis is not among the corrected.
    """
    notes = {}
    columns = [j for j in range(rows.machine.shape[1]) if _varies(rows.machine[:, j])]
    used = ~np.isnan(rows.machine[:, columns]).any(axis=1)
    wanted = [j for j in columns if not np.isnan(rows.human[used, j]).all()]
    labelled = used & ~np.isnan(rows.human[:, wanted]).any(axis=1) & bool(wanted)
    corrected = []
    for j in columns:
        if j not in wanted:
            notes[j] = "no human labels: in the model as annotated"
        elif min(label_counts(rows, j, labelled)) < minimum:
            yes, no = label_counts(rows, j, labelled)
            notes[j] = f"too few labels ({yes} yes, {no} no): in the model as annotated"
        else:
            corrected.append(j)
    kept = _estimable(rows, columns, corrected, used, labelled)
    for j in range(rows.machine.shape[1]):
        if j not in kept:
            notes[j] = (
                "not in the joint model: constant, or a combination of others, on all "
                "rows or on the labelled ones"
            )
    return kept, [j for j in corrected if j in kept], labelled, notes


def _varies(a):
    a = a[~np.isnan(a)]
    return a.size > 0 and np.ptp(a) > 0


def _estimable(rows, columns, corrected, used, labelled):
    """Columns that are independent in each of the three fits."""
    machine = rows.machine
    human = np.where(
        np.isin(np.arange(machine.shape[1]), corrected), rows.human, machine
    )
    for values, chosen in ((machine, used), (machine, labelled), (human, labelled)):
        known = np.column_stack([np.ones(chosen.sum()), rows.covariates[chosen]])
        part = find_independent_columns(values[np.ix_(chosen, columns)], known)
        columns = [columns[k] for k in part]
    return columns
