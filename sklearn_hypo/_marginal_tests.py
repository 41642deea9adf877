"""The separation of every hypothesis, one at a time."""

import numpy as np
import pandas as pd
from scipy import stats

from ._design_effects import independence_test
from ._joint_regression import spread
from ._separation import (
    class_separation,
    independence,
    paired_separation,
    quantity_separation,
)

_DTYPES = {
    "n": int,
    "missing": int,
    "prevalence": float,
    "separation": float,
    "separation_se": float,
    "separation_lower": float,
    "separation_upper": float,
    "separation_p": float,
}


def varies(a, width=np.ptp):
    answered = a[~np.isnan(a)]
    return len(answered) > 0 and bool(width(answered))


def marginal_tests(A, y, classes, facts, remarks, paired):
    """Separation of each column, over the rows that have an answer to it."""
    if len(y) and not paired and spread(y) == 0:
        remarks.say(
            f"y takes a single value on all {len(y)} rows, so that nothing can be "
            "compared: standard errors and p-values are NaN."
        )
    cells = []
    rows = [
        _marginal_test(a, y, classes, facts, j, remarks, paired, cells)
        for j, a in enumerate(A.T)
    ]
    columns = dict(_DTYPES) | ({"n_discordant": float} if paired else {})
    table = pd.DataFrame(rows, columns=list(columns), index=range(A.shape[1]))
    table = table.astype(columns)
    if _is_multiclass(classes):
        labels = [row.get("separation_class") for row in rows]
        table["separation_class"] = pd.Series(labels, dtype=object)
        table.attrs["by_class"] = pd.DataFrame(cells)
    return table


def _is_multiclass(classes):
    return classes is not None and len(classes) > 2


def _marginal_test(a, y, classes, facts, j, remarks, paired, cells):
    """One row of the table, as a dict."""
    answered = ~np.isnan(a)
    n = int(answered.sum())
    row = {"n": n, "missing": 0, "prevalence": np.nan}
    if n == 0:
        remarks.add(j, "unanswered", f"0 of {len(a)}")
    values, target, facts = a[answered], y[answered], facts.take(answered)
    if paired:
        found = paired_separation(values, target, facts, classes=classes is not None)
        if n and not found["n_discordant"]:
            remarks.add(j, "concordant", f"{n} pairs")
        elif n and np.isnan(found["separation_p"]):
            remarks.add(j, "no_variance", f"{found['n_discordant']} pairs differ")
        return row | found
    holds = values == 1
    counts = f"true of {int(holds.sum())} of {n}"
    if n and not varies(a):
        remarks.add(j, "constant", counts)
    if _is_multiclass(classes):
        found, of_classes = _classwise(holds, target, classes, facts)
        cells += [{"position": j, **cell} for cell in of_classes]
    elif not varies(a):
        return row
    elif classes is None:
        found = quantity_separation(holds, target, facts)
        if _is_skewed(holds, target):
            remarks.add(j, "skewed", counts)
    else:
        found = class_separation(holds, target == 1, facts)
    if classes is None and np.isnan(found["separation_se"]) and spread(y) > 0:
        remarks.add(j, "no_variance", counts)
    return row | found


def _classwise(holds, codes, classes, facts):
    """The class that differs most, one test of all classes, and every class."""
    labels = classes.tolist()
    blank = dict.fromkeys(
        [name for name in _DTYPES if name.startswith("separation")], np.nan
    )
    varies = 0 < holds.sum() < len(holds)
    cells = [
        {
            "class": label,
            "n": int((codes == c).sum()),
            **(class_separation(holds, codes == c, facts) if varies else blank),
        }
        for c, label in enumerate(labels)
    ]
    if not varies:
        return blank, cells
    c = int(np.nanargmax([abs(cell["separation"]) for cell in cells]))
    found = {name: cells[c][name] for name in blank}
    if facts.weights is None and facts.clusters is None:
        k = len(labels)
        counts = np.stack([np.bincount(codes[s], minlength=k) for s in (holds, ~holds)])
        found["separation_p"] = independence(counts[:, counts.any(axis=0)])
    else:
        found["separation_p"], *_ = independence_test(holds, codes, facts)
    return found | {"separation_class": labels[c]}, cells


def _is_skewed(holds, y):
    """Whether a mean of the smaller side is far from normal, by skewness of y.

    Heavy but symmetric tails do no harm to t-tests: mean and median have to differ too.
    """
    if spread(y) == 0:
        return False
    rows, spread_of_y = min(holds.sum(), (~holds).sum()), y.std()
    skewness = abs(stats.skew(y)) / np.sqrt(rows)
    return skewness > 0.3 and abs(y.mean() - np.median(y)) > 0.1 * spread_of_y
