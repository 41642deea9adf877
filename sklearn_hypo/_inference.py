"""Tests of annotations against a target: plain functions on arrays.

An annotation matrix has one row per text and one column per hypothesis, with 1 where
the hypothesis holds, 0 where it does not, and NaN where no answer was obtained.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils.validation import column_or_1d
from statsmodels.stats.multitest import multipletests

from ._joint_regression import joint_regression, spread
from ._remarks import Remarks
from ._validation import encode_target, resolve_task
from .exceptions import HypothesisWarning

CORRECTIONS = ("bonferroni", "holm", "fdr_bh", "fdr_by")

_MARGINAL_DTYPES = {
    "n": int,
    "missing": int,
    "prevalence": float,
    "separation": float,
    "separation_se": float,
    "separation_p": float,
}


def hypothesis_table(
    A,
    y,
    *,
    names=None,
    task="auto",
    classes=None,
    alpha=0.1,
    correction="bonferroni",
):
    r"""Test every column of an annotation matrix against a target.

    The separation of a hypothesis is the mean of y where it holds minus the mean
    where it does not,

    .. math:: S_j = \bar y_{a_j = 1} - \bar y_{a_j = 0},

    over the rows that have an answer to it. The joint regression takes the rows that
    have an answer to all hypotheses in it.

    Parameters
    ----------
    A : array-like of shape (n_rows, n_hypotheses)
        Annotations: 1, 0 or NaN.
    y : array-like of shape (n_rows,)
        The target.
    names : sequence of str of length n_hypotheses, default=None
        The hypotheses, for the table and for warnings. None takes the columns of a
        frame, and otherwise numbers them.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto": booleans, strings, categoricals and two distinct values are classes.
    classes : array-like of shape (n_classes,), default=None
        All class labels, in order. None takes those in y.
    alpha : float, default=0.1
        Level of significance after correction.
    correction : {"bonferroni", "holm", "fdr_bh", "fdr_by"}, default="bonferroni"
        Correction of the p-values of the joint regression, as statsmodels'
        `multipletests` names them.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        See `HypothesisReport` for its columns.
    summary : dict
        The other fields of `HypothesisReport`.

    Raises
    ------
    ValueError
        For annotations other than 1, 0 and NaN, lengths that differ, and a y that
        is missing, infinite, or not of the given classes.

    Warns
    -----
    HypothesisWarning
        Names each hypothesis that could not be tested, and why.

    Examples
    --------
    The first of two hypotheses moves the target by 0.8:

    >>> import numpy as np
    >>> from sklearn_hypo._inference import hypothesis_table
    >>> rng = np.random.default_rng(0)
    >>> A = rng.integers(0, 2, size=(2000, 2))
    >>> y = A @ [0.8, 0.0] + rng.normal(size=2000)
    >>> table, summary = hypothesis_table(A, y, names=["mentions tea", "is long"])
    >>> table[["hypothesis", "coef", "coef_p", "significant"]].round(3)
         hypothesis   coef  coef_p  significant
    0  mentions tea  0.849   0.000         True
    1       is long -0.054   0.227        False
    >>> round(summary["r2"], 3)
    0.154
    """
    values, names = check_annotations(A, names)
    task, codes, classes = check_target(y, task, classes, caller="hypothesis_table")
    if len(values) != len(codes):
        raise ValueError(
            f"A and y differ in length ({len(values)} and {len(codes)}). There must "
            "be one target value per row of annotations."
        )
    remarks = Remarks(names)
    n_classes = None if classes is None else len(classes)
    table = _marginal_tests(values, codes, classes, remarks)
    varying = [j for j, a in enumerate(values.T) if _varies(a)]
    joint = joint_regression(values, codes, n_classes, varying, remarks)
    table = table.join(joint.estimates).join(
        _corrected(joint.estimates["coef_p"], joint.tested, alpha, correction)
    )
    table.insert(0, "hypothesis", pd.Series(names, dtype=object))
    table["note"] = pd.Series(remarks.notes(), dtype=object)
    for message in remarks.messages():
        warnings.warn(message, HypothesisWarning, stacklevel=4)
    summary = {
        "task": task,
        "classes": None if classes is None else tuple(classes.tolist()),
        "n_rows": len(values),
        "n_joint": joint.n_rows,
        "n_joint_hypotheses": joint.n_columns,
        "n_tested": int(joint.tested.sum()),
        "n_significant": int(table["significant"].sum()),
        "alpha": alpha,
        "correction": correction,
        **{name: float(value) for name, value in joint.metrics.items()},
    }
    return table, summary


# Validation -----------------------------------------------------------------------


def check_annotations(A, names=None):
    """Return annotations as a float64 array, and one name per column."""
    frame = A if isinstance(A, pd.DataFrame) else pd.DataFrame(np.asarray(A))
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = values[~np.isnan(values) & (values != 0) & (values != 1)]
    if odd.size:
        raise ValueError(
            f"Annotations must be 1, 0 or NaN, but {odd.size} others arrived, such as "
            f"{odd[0]:g}. Apply a threshold first."
        )
    if names is None:
        is_frame = isinstance(A, pd.DataFrame)
        names = frame.columns if is_frame else [f"x{j}" for j in range(values.shape[1])]
    if len(names) != values.shape[1]:
        raise ValueError(
            f"There are {len(names)} names for {values.shape[1]} columns of "
            "annotations. There must be one name per column."
        )
    return values, list(names)


def check_target(y, task, classes, *, caller):
    """Resolve the task, and return y as numbers, with the classes if it has some."""
    if y is not None and classes is not None:
        classes = np.asarray(classes)
        return "classification", _class_codes(y, classes, caller), classes
    task = resolve_task(y, task)
    return task, *encode_target(y, task, caller=caller)


def _class_codes(y, classes, caller):
    """Position of each label in the known classes, of which y may lack some."""
    labels = column_or_1d(np.asarray(y, dtype=object), warn=True)
    missing = int(pd.isna(labels).sum())
    if missing:
        raise ValueError(
            f"{caller}: Input y contains NaN: {missing} of {len(labels)} target "
            "values are missing. Drop those rows, and their texts."
        )
    known = pd.Index(classes.astype(object), dtype=object)
    codes = known.get_indexer(pd.Index(labels, dtype=object))
    unseen = list(dict.fromkeys(labels[codes < 0].tolist()))
    if unseen:
        raise ValueError(
            f"{caller}: y holds classes that were not there in fit: {unseen[:5]}; the "
            f"known ones are {classes.tolist()}. Drop those rows, and their texts."
        )
    return codes


# One hypothesis at a time ---------------------------------------------------------


def _varies(a):
    answered = a[~np.isnan(a)]
    return len(answered) > 0 and np.ptp(answered) > 0


def _marginal_tests(A, y, classes, remarks):
    """Separation of each column, over the rows that have an answer to it."""
    if len(y) and spread(y) == 0:
        remarks.say(
            f"y takes a single value on all {len(y)} rows, so that nothing can be "
            "compared: standard errors and p-values are NaN."
        )
    rows = [_marginal_test(a, y, classes, j, remarks) for j, a in enumerate(A.T)]
    table = pd.DataFrame(rows, columns=list(_MARGINAL_DTYPES), index=range(A.shape[1]))
    table = table.astype(_MARGINAL_DTYPES)
    if _is_multiclass(classes):
        labels = [row.get("separation_class") for row in rows]
        table["separation_class"] = pd.Series(labels, dtype=object)
    return table


def _is_multiclass(classes):
    return classes is not None and len(classes) > 2


def _marginal_test(a, y, classes, j, remarks):
    """One row of the table, as a dict."""
    answered = ~np.isnan(a)
    n, holds = int(answered.sum()), a[answered] == 1
    row = {"n": n, "missing": len(a) - n}
    counts = f"true of {int(holds.sum())} of {n}"
    if n == 0:
        remarks.add(j, "unanswered", f"0 of {len(a)}")
        return row
    row["prevalence"] = holds.mean()
    if not _varies(a):
        remarks.add(j, "constant", counts)
        return row
    if classes is None:
        row |= _test_quantity(holds, y[answered])
    else:
        row |= _test_classes(holds, y[answered], classes)
    if np.isnan(row["separation_se"]) and spread(y) > 0:
        remarks.add(j, "no_variance", counts)
    return row


def _test_quantity(holds, y):
    """Difference of means, with Welch's test."""
    one, zero = y[holds], y[~holds]
    se = _standard_error(one, zero)
    # Without a variance on one side Welch's test lends the difference a certainty
    # that a handful of equal values cannot give.
    p = np.nan if np.isnan(se) else stats.ttest_ind(one, zero, equal_var=False).pvalue
    separation = one.mean() - zero.mean()
    return {"separation": separation, "separation_se": se, "separation_p": p}


def _test_classes(holds, codes, classes):
    """Difference of proportions, with a test of independence.

    For more than two classes the difference is that of the class where it is
    largest, and the test is one of all classes.
    """
    k = len(classes)
    counts = np.stack([np.bincount(codes[s], minlength=k) for s in (holds, ~holds)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    differences = shares[0] - shares[1]
    c = 1 if k == 2 else int(np.argmax(np.abs(differences)))
    is_class = (codes == c).astype(float)
    return {
        "separation": differences[c],
        "separation_se": _standard_error(is_class[holds], is_class[~holds]),
        "separation_p": _independence(counts[:, counts.any(axis=0)]),
        "separation_class": classes.tolist()[c],
    }


def _standard_error(one, zero):
    """Standard error of a difference of means; NaN if a side has no variance."""
    if min(spread(one), spread(zero)) == 0:
        return np.nan
    return np.sqrt(one.var(ddof=1) / len(one) + zero.var(ddof=1) / len(zero))


def _independence(counts):
    """p-value of independence of a 2 x k table without empty rows and columns.

    NaN for a single class, Fisher's exact test for two. For more, Pearson's
    chi-square test, or its Monte Carlo version (seeded) where an expected count is
    below 5, too few for the chi-square distribution.
    """
    if counts.shape[1] == 1:
        return np.nan
    if counts.shape[1] == 2:
        return stats.fisher_exact(counts).pvalue
    method = None
    if stats.contingency.expected_freq(counts).min() < 5:
        method = stats.MonteCarloMethod(n_resamples=9999, rng=np.random.default_rng(0))
    return stats.chi2_contingency(counts, correction=False, method=method).pvalue


# Multiple tests -------------------------------------------------------------------


def _corrected(p_values, tested, alpha, correction):
    """Corrected p-values and significance.

    A hypothesis that was tested without a p-value (it separates the classes) counts
    as one more test, with p = 1.
    """
    p = p_values.to_numpy()
    corrected = np.full(len(p), np.nan)
    significant = np.zeros(len(p), dtype=bool)
    if tested.any():
        filled = np.where(np.isnan(p[tested]), 1.0, p[tested])
        reject, adjusted, *_ = multipletests(filled, alpha=alpha, method=correction)
        corrected[tested] = np.where(np.isnan(p[tested]), np.nan, adjusted)
        significant[tested] = reject & ~np.isnan(p[tested])
    return pd.DataFrame({"p_corrected": corrected, "significant": significant})
