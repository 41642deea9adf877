"""The table of estimates corrected for annotation error, row by row."""

import numpy as np
import pandas as pd

from .._inference._robust_covariance import t_inference
from ._fits import (
    LINEAR,
    Rows,
    bootstrap_interval,
    fit_all,
    joint_columns,
    label_counts,
)
from ._human_labels import agreement_figures
from ._predict_then_debias import LEAST_DF

# With fewer labels on one side intervals become long, and lean on single texts.
_FEW = 10


def separation_table(rows, y, settings):
    """One row of the table per hypothesis, each on the rows that answer it."""
    alone = Rows(
        rows.machine,
        rows.human,
        rows.weights,
        rows.label_weights,
        rows.clusters,
        np.empty((len(y), 0)),
    )
    table = []
    for j in range(rows.machine.shape[1]):
        answered = ~np.isnan(rows.machine[:, j])
        labelled = answered & ~np.isnan(rows.human[:, j])
        row = _facts(alone, j, answered, labelled)
        note = _obstacle(alone, j, answered, labelled, settings[2])
        if note == "constant":
            row["note"] = "never or always true"
        elif note:
            row |= {"note": note}
            row |= _naive(LINEAR(*_design(alone, j, answered, y)), 0, settings[1])
        else:
            fits = fit_all(
                alone, y, [j], labelled, [j], model=LINEAR, tuning=settings[0]
            )
            row |= _figures(fits, rows.n_units(answered), settings)[0]
            row["note"] = _caution(alone, j, labelled, fits.corrected.df[0])
        table.append(row)
    return _frame(table, settings[3])


def _design(rows, j, used, y):
    """Design of a single hypothesis, for the naive estimate alone."""
    X = np.column_stack([rows.machine[used, j], np.ones(used.sum())])
    units = None
    if rows.clusters is not None:
        units = np.unique(rows.clusters[used], return_inverse=True)[1]
    return X, y[used], rows.weights[used], units


def _obstacle(rows, j, answered, labelled, minimum):
    """Why a hypothesis cannot be corrected; empty if it can."""
    values = rows.machine[answered, j]
    if not len(values) or np.ptp(values) == 0:
        return "constant"
    if not labelled.any():
        return "no human labels"
    yes, no = label_counts(rows, j, labelled)
    if min(yes, no) < minimum:
        return f"too few labels ({yes} yes, {no} no)"
    sides = [rows.n_units(labelled & (rows.machine[:, j] == s)) for s in (1, 0)]
    if min(sides) < 2:
        return f"machine says {sides[0]} yes, {sides[1]} no on the labelled rows"
    return ""


def _caution(rows, j, labelled, df):
    yes, no = label_counts(rows, j, labelled)
    notes = []
    if min(yes, no) < _FEW:
        notes.append(f"few labels ({yes} yes, {no} no)")
    if (rows.machine[labelled, j] == rows.human[labelled, j]).all():
        notes.append("human and machine agree on all labelled rows")
    elif df <= LEAST_DF:
        notes.append("the corrected estimate leans on a handful of labelled texts")
    return "; ".join(notes)


def joint_table(rows, y, model, settings):
    """One row of the table per hypothesis, all from one joint model."""
    columns, corrected, labelled, notes = joint_columns(rows, settings[2])
    used = ~np.isnan(rows.machine[:, columns]).any(axis=1)
    table = [
        _facts(rows, j, used, labelled & ~np.isnan(rows.human[:, j]))
        for j in range(rows.machine.shape[1])
    ]
    for j, note in notes.items():
        table[j]["note"] = note
    if not corrected or labelled.sum() <= len(columns) + rows.covariates.shape[1] + 2:
        for row in table:
            row["note"] = row.get("note") or "too few labelled rows for the joint model"
        return _frame(table, settings[3])
    fits = fit_all(
        rows, y, columns, labelled, corrected, model=model, tuning=settings[0]
    )
    for j, found in zip(
        columns, _figures(fits, rows.n_units(used), settings), strict=True
    ):
        row = table[j]
        row |= (
            found
            if j in corrected
            else {k: v for k, v in found.items() if "naive" in k}
        )
        if j in corrected and fits.corrected is None:
            row["note"] = (
                "the joint logit has no finite estimate (the labelled rows, or all, "
                "separate the classes)"
            )
        elif j in corrected:
            df = fits.corrected.df[columns.index(j)]
            row["note"] = _caution(rows, j, labelled, df)
    return _frame(table, settings[3])


def _facts(rows, j, used, labelled):
    human, machine = rows.human[labelled, j], rows.machine[labelled, j]
    weights = (rows.weights * rows.label_weights)[labelled]
    counts = {
        "n": int(used.sum()),
        "n_labelled": int(labelled.sum()),
        "n_positive": int((human == 1).sum()),
    }
    return counts | agreement_figures(human, machine, weights)


def _naive(fit, k, level):
    lower, upper, _ = t_inference(fit.estimate[k], fit.se[k], fit.df[k], level)
    return {
        "naive": fit.estimate[k],
        "naive_lower": float(lower),
        "naive_upper": float(upper),
    }


def _figures(fits, n_units, settings):
    """Columns of the table for each hypothesis of a model, as dicts."""
    _, level, _, n_resamples, rng = settings
    found = [{} for _ in fits.columns]
    bounds = None
    if n_resamples and fits.corrected is not None:
        bounds = bootstrap_interval(fits, n_units, level, n_resamples, rng)
    for k, row in enumerate(found):
        if fits.naive is not None:
            row |= _naive(fits.naive, k, level)
        if fits.human is not None:
            row |= _interval("human_only", fits.human, k, level)
        if fits.corrected is not None:
            row |= _interval("corrected", fits.corrected, k, level)
            row["tuning"] = fits.corrected.tuning[k, k]
        if bounds is not None:
            row |= {"bootstrap_lower": bounds[0][k], "bootstrap_upper": bounds[1][k]}
    return found


def _interval(name, fit, k, level):
    lower, upper, p = t_inference(fit.estimate[k], fit.se[k], fit.df[k], level)
    return {
        name: fit.estimate[k],
        f"{name}_se": fit.se[k],
        f"{name}_lower": float(lower),
        f"{name}_upper": float(upper),
        f"{name}_p": float(p),
    }


_COLUMNS = (
    "n",
    "n_labelled",
    "n_positive",
    "sensitivity",
    "specificity",
    "agreement",
    "naive",
    "naive_lower",
    "naive_upper",
    "human_only",
    "human_only_se",
    "human_only_lower",
    "human_only_upper",
    "corrected",
    "corrected_se",
    "corrected_lower",
    "corrected_upper",
    "corrected_p",
    "tuning",
)


def _frame(rows, n_resamples):
    columns = list(_COLUMNS)
    if n_resamples:
        columns += ["bootstrap_lower", "bootstrap_upper"]
    table = {name: [row.get(name, np.nan) for row in rows] for name in columns}
    table["note"] = pd.Series([row.get("note", "") for row in rows], dtype=object)
    return pd.DataFrame(table)
