"""The table of estimates corrected for annotation error, row by row."""

from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
import pandas as pd

from .._inference._robust_covariance import linear_influence, t_inference
from ._fits import bootstrap_corrected, choose_joint_columns, fit_corrected
from ._human_labels import measure_agreement
from ._predict_then_debias import LEAST_DF

# With fewer labels on one side intervals become long, and lean on single texts.
_FEW = 10

_NAIVE = ("naive", "naive_lower", "naive_upper")
_ENDINGS = ("", "_se", "_lower", "_upper", "_p")  # of the human ones, no p-value
_COLUMNS = (
    *("n", "n_labelled", "n_positive", "sensitivity", "specificity", "agreement"),
    *_NAIVE,
    *(f"human_only{ending}" for ending in _ENDINGS[:-1]),
    *(f"corrected{ending}" for ending in _ENDINGS),
    "tuning",
)
_CONSTANT = "never or always true"
_BOOTSTRAP = ("bootstrap_lower", "bootstrap_upper")


@dataclass(frozen=True)
class CorrectionSettings:
    """How to correct: see `correct_for_annotation_error`; `rng` is a Generator."""

    tuning: str | Real
    level: float
    min_labelled: int
    n_resamples: int
    rng: np.random.Generator


def make_separation_table(rows, y, settings):
    """One row of the table per hypothesis, each on the rows that answer it."""
    rows = replace(rows, covariates=np.empty((len(y), 0)))
    table = []
    for j in range(rows.machine.shape[1]):
        answered = ~np.isnan(rows.machine[:, j])
        labelled = answered & ~np.isnan(rows.human[:, j])
        row = _describe_labels(rows, j, answered, labelled)
        note = _find_obstacle(rows, j, answered, labelled, settings.min_labelled)
        if note and note != _CONSTANT:
            row |= _make_naive_columns(
                _fit_naive(rows, j, answered, y), 0, settings.level
            )
        elif not note:
            fits = fit_corrected(
                *(rows, y, [j], labelled, [j]),
                model=linear_influence,
                tuning=settings.tuning,
            )
            row |= _make_estimate_columns(fits, rows.count_units(answered), settings)[0]
            note = _describe_weakness(rows, j, labelled, fits.corrected.df[0])
        table.append(row | {"note": note})
    return _make_table(table, settings)


def _fit_naive(rows, j, used, y):
    X = np.column_stack([rows.machine[used, j], np.ones(used.sum())])
    units = None
    if rows.clusters is not None:
        units = np.unique(rows.clusters[used], return_inverse=True)[1]
    return linear_influence(X, y[used], rows.weights[used], units)


def _find_obstacle(rows, j, answered, labelled, minimum):
    """Why a hypothesis cannot be corrected; empty if it can."""
    if len(np.unique(rows.machine[answered, j])) < 2:
        return _CONSTANT
    if not labelled.any():
        return "no human labels"
    yes, no = rows.count_labels(j, labelled)
    if min(yes, no) < minimum:
        return f"too few labels ({yes} yes, {no} no)"
    sides = [rows.count_units(labelled & (rows.machine[:, j] == s)) for s in (1, 0)]
    if min(sides) < 2:
        return f"machine says {sides[0]} yes, {sides[1]} no on the labelled rows"
    return ""


def _describe_weakness(rows, j, labelled, df):
    """What a corrected estimate leans on; empty if there is nothing to say."""
    yes, no = rows.count_labels(j, labelled)
    notes = []
    if min(yes, no) < _FEW:
        notes.append(f"few labels ({yes} yes, {no} no)")
    if (rows.machine[labelled, j] == rows.human[labelled, j]).all():
        notes.append("human and machine agree on all labelled rows")
    elif df <= LEAST_DF:
        notes.append("the corrected estimate leans on a handful of labelled texts")
    return "; ".join(notes)


def make_joint_table(rows, y, model, settings):
    """One row of the table per hypothesis, all from one joint model."""
    columns, corrected, labelled, notes = choose_joint_columns(
        rows, settings.min_labelled
    )
    used = ~np.isnan(rows.machine[:, columns]).any(axis=1)
    table = [
        _describe_labels(rows, j, used, labelled & ~np.isnan(rows.human[:, j]))
        | {"note": notes.get(j, "")}
        for j in range(rows.machine.shape[1])
    ]
    if not corrected or labelled.sum() <= len(columns) + rows.covariates.shape[1] + 2:
        for row in table:
            row["note"] = row["note"] or "too few labelled rows for the joint model"
        return _make_table(table, settings)
    fits = fit_corrected(
        rows, y, columns, labelled, corrected, model=model, tuning=settings.tuning
    )
    estimates = _make_estimate_columns(fits, rows.count_units(used), settings)
    for k, j in enumerate(columns):
        if j not in corrected:
            estimates[k] = {n: v for n, v in estimates[k].items() if n in _NAIVE}
        elif fits.corrected is None:
            table[j]["note"] = (
                "the joint logit has no finite estimate (the labelled rows, or all, "
                "separate the classes)"
            )
        else:
            df = fits.corrected.df[k]
            table[j]["note"] = _describe_weakness(rows, j, labelled, df)
        table[j] |= estimates[k]
    return _make_table(table, settings)


def _describe_labels(rows, j, used, labelled):
    """Counts of rows and labels, and the agreement of machine and people."""
    human, machine = rows.human[labelled, j], rows.machine[labelled, j]
    weights = (rows.weights * rows.label_weights)[labelled]
    counts = {
        "n": int(used.sum()),
        "n_labelled": int(labelled.sum()),
        "n_positive": int((human == 1).sum()),
    }
    return counts | measure_agreement(human, machine, weights)


def _make_estimate_columns(fits, n_units, settings):
    """Columns of the table for each hypothesis of a model, as dicts."""
    level, bounds = settings.level, None
    if settings.n_resamples and fits.corrected is not None:
        bounds = bootstrap_corrected(
            fits, n_units, level, settings.n_resamples, settings.rng
        )
    found = [{} for _ in fits.columns]
    for k, row in enumerate(found):
        if fits.naive is not None:
            row |= _make_naive_columns(fits.naive, k, level)
        if fits.human is not None:
            row |= _make_interval_columns("human_only", fits.human, k, level)
        if fits.corrected is not None:
            row |= _make_interval_columns("corrected", fits.corrected, k, level)
            row["tuning"] = fits.corrected.tuning[k, k]
        if bounds is not None:
            row |= dict(zip(_BOOTSTRAP, bounds[:, k], strict=True))
    return found


def _make_naive_columns(fit, k, level):
    columns = _make_interval_columns("naive", fit, k, level)
    return {name: columns[name] for name in _NAIVE}


def _make_interval_columns(name, fit, k, level):
    se = fit.se[k]
    lower, upper, p = t_inference(fit.estimate[k], se, fit.df[k], level)
    values = (fit.estimate[k], se, float(lower), float(upper), float(p))
    return {f"{name}{end}": v for end, v in zip(_ENDINGS, values, strict=True)}


def _make_table(rows, settings):
    columns = _COLUMNS + (_BOOTSTRAP if settings.n_resamples else ())
    table = {name: [row.get(name, np.nan) for row in rows] for name in columns}
    table["note"] = pd.Series([row["note"] for row in rows], dtype=object)
    return pd.DataFrame(table)
