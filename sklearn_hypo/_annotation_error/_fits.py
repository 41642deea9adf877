"""The fits behind a correction for annotation error: which rows, which columns.

Plain functions on arrays.
"""

from dataclasses import dataclass

import numpy as np

from .._inference._design_matrix import find_independent_columns
from .._inference._robust_covariance import Influence
from .._utils._progress import count_each, show_progress
from ._predict_then_debias import Debiased, predict_then_debias

# An estimate that more of the resamples than this cannot give has no interval.
_MOST_LOST = 0.05


@dataclass(frozen=True)
class AnnotatedRows:
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

    def count_units(self, chosen):
        """Count the rows, or the clusters, that a mask of rows touches."""
        if self.clusters is None:
            return int(chosen.sum())
        return len(np.unique(self.clusters[chosen]))

    def count_labels(self, j, among):
        """Count the units with a human yes, and with a human no, to hypothesis j."""
        return tuple(self.count_units(among & (self.human[:, j] == s)) for s in (1, 0))


@dataclass(frozen=True)
class CorrectedFits:
    """The naive, the human and the corrected estimates of one model.

    Parameters
    ----------
    naive, human, corrected : Influence, Influence and Debiased, or None
        From machine annotations on all rows, from human labels, and from both; None
        where there is no finite fit.
    columns : list of int
        The hypotheses that the estimates belong to.
    resample : callable or None
        Takes how often each unit counts, returns corrected estimates.
    """

    naive: Influence | None
    human: Influence | None
    corrected: Debiased | None
    columns: list
    resample: object = None


@dataclass(frozen=True)
class _Samples:
    """The rows of one model, and which of them (`places`) have human labels.

    `machine` and `human` are designs, with the constant and covariates.
    """

    machine: np.ndarray
    human: np.ndarray
    places: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    label_weights: np.ndarray
    units: np.ndarray | None


def fit_corrected(rows, y, columns, labelled, corrected, *, model, tuning):
    """Fit one model three times, and combine the fits into `CorrectedFits`.

    Parameters
    ----------
    rows : AnnotatedRows
        The data.
    y : ndarray of shape (n_rows,)
        The target.
    columns, corrected : list of int
        Hypotheses in the model, on whose machine annotations rows must have an answer;
        those of them that count as people labelled them.
    labelled : ndarray of bool of shape (n_rows,)
        Rows with human labels for all corrected columns.
    model : callable
        `linear_influence`, `logit_influence` or `effect_influence`.
    tuning : {"diagonal", "full"} or float
        See `predict_then_debias`.
    """
    used = np.flatnonzero(~np.isnan(rows.machine[:, columns]).any(axis=1))
    places = np.flatnonzero(labelled[used])
    machine = rows.machine[np.ix_(used, columns)]
    human = machine[places]
    own = [columns.index(j) for j in corrected]
    human[:, own] = rows.human[np.ix_(used[places], corrected)]
    known = np.column_stack([np.ones(len(used)), rows.covariates[used]])
    samples = _Samples(
        machine=np.column_stack([machine, known]),
        human=np.column_stack([human, known[places]]),
        places=places,
        y=y[used],
        weights=rows.weights[used],
        label_weights=(rows.weights * rows.label_weights)[used[places]],
        units=None if rows.clusters is None else _number(rows.clusters[used]),
    )
    fits = by_human, _, naive = _fit_each(samples, model)
    if any(fit is None for fit in fits):
        return CorrectedFits(naive, by_human, None, columns)
    agreed = (human == machine[places]).all(axis=0)
    agreed = np.append(agreed, np.zeros(known.shape[1], dtype=bool))
    debiased = predict_then_debias(*fits, places, tuning=tuning, agreed=agreed)

    def resample(counts):
        times = counts if samples.units is None else counts[samples.units]
        fits = _fit_each(samples, model, times)
        if any(fit is None for fit in fits):
            return np.full(len(columns), np.nan)
        human, machine, everywhere = (fit.estimate for fit in fits)
        estimate = human + debiased.tuning @ (everywhere - machine)
        return estimate[: len(columns)]

    return CorrectedFits(naive, by_human, debiased, columns, resample)


def _number(labels):
    return np.unique(labels, return_inverse=True)[1]


def _fit_each(samples, model, times=None):
    """Fit human labels, the machine on the same rows, and the machine on all rows.

    A fit is None where there is no finite one. With `times`, how often each row
    counts, its errors mean nothing.
    """
    places = samples.places
    found = []
    for X, rows, weights in (
        (samples.human, places, samples.label_weights),
        (samples.machine[places], places, samples.label_weights),
        (samples.machine, np.arange(len(samples.y)), samples.weights),
    ):
        units = None
        if times is not None:
            kept = times[rows] > 0
            X, rows = X[kept], rows[kept]
            weights = weights[kept] * times[rows]
            if len(find_independent_columns(X, X[:, :0])) < X.shape[1]:
                found.append(None)
                continue
        elif samples.units is not None:
            units = _number(samples.units[rows])
        found.append(model(X, samples.y[rows], weights, units))
    return found


def bootstrap_corrected(fits, n_units, level, n_resamples, rng):
    """Percentile interval of corrected estimates, resampling rows or clusters.

    Unlike the bootstrap of a score, whose predictions stay as they are, every resample
    is fitted anew; and what some resamples cannot be fitted to, such as separated
    classes, is not lost at random: with more than one lost in twenty, the interval is
    NaN. Returns lower and upper bounds, of shape (2, n_columns).
    """
    draws = (rng.integers(n_units, size=n_units) for _ in range(n_resamples))
    with show_progress("Correcting", n_resamples, unit=" resamples") as count:
        found = np.array(
            [
                fits.resample(np.bincount(drawn, minlength=n_units))
                for drawn in count_each(draws, count)
            ]
        )
    known = np.isnan(found).mean(axis=0) <= _MOST_LOST
    bounds = np.full((2, found.shape[1]), np.nan)
    ends = 50 - 50 * level, 50 + 50 * level
    bounds[:, known] = np.nanpercentile(found[:, known], ends, axis=0)
    return bounds


def choose_joint_columns(rows, minimum):
    """Which hypotheses can be in a joint model, and which are corrected in it.

    A correction needs `minimum` units with a human yes, and as many with a no. Returns
    the numbers of the hypotheses in the model and of those corrected, a mask of the
    rows with all human labels, and notes by number: why one is not corrected.
    """
    notes = {}
    answers = [np.unique(column[~np.isnan(column)]) for column in rows.machine.T]
    columns = [j for j, distinct in enumerate(answers) if len(distinct) > 1]
    used = ~np.isnan(rows.machine[:, columns]).any(axis=1)
    wanted = [j for j in columns if not np.isnan(rows.human[used, j]).all()]
    labelled = used & ~np.isnan(rows.human[:, wanted]).any(axis=1) & bool(wanted)
    corrected = []
    for j in columns:
        yes, no = rows.count_labels(j, labelled)
        if j not in wanted:
            notes[j] = "no human labels: in the model as annotated"
        elif min(yes, no) < minimum:
            notes[j] = f"too few labels ({yes} yes, {no} no): in the model as annotated"
        else:
            corrected.append(j)
    kept = _find_estimable(rows, columns, corrected, used, labelled)
    for j in set(range(rows.machine.shape[1])) - set(kept):
        notes[j] = (
            "not in the joint model: constant, or a combination of others, on all rows "
            "or on the labelled ones"
        )
    return kept, [j for j in corrected if j in kept], labelled, notes


def _find_estimable(rows, columns, corrected, used, labelled):
    """Columns that are independent in each of the three fits."""
    human = rows.machine.copy()
    human[:, corrected] = rows.human[:, corrected]
    for values, chosen in (
        (rows.machine, used),
        (rows.machine, labelled),
        (human, labelled),
    ):
        known = np.column_stack([np.ones(chosen.sum()), rows.covariates[chosen]])
        part = find_independent_columns(values[np.ix_(chosen, columns)], known)
        columns = [columns[k] for k in part]
    return columns
