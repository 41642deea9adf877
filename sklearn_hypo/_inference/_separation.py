"""One hypothesis at a time: the separation of the target, its interval and its test."""

import numpy as np
import pandas as pd
from scipy import stats

from ._class_permutations import permute_classes
from ._design_effects import design_effect_of_mean, independence_test
from ._design_matrix import column_varies, spread
from ._independence import independence
from ._permutations import flip_gains, permute_separations
from ._robust_covariance import least_squares, t_inference
from ._wild_clusters import flip_clusters_alone

_NAMES = ("separation", "separation_se", "separation_lower", "separation_upper")

_TESTED = (*_NAMES, "separation_p", "separation_df")


def _make_row(*values, p):
    return dict(zip(_NAMES, values, strict=True)) | {"separation_p": p}


def quantity_separation(holds, y, design):
    r"""Difference of means between the rows with and without an annotation.

    .. math:: S = \bar y_{a = 1} - \bar y_{a = 0}

    With Welch's t-test and interval, and no more degrees of freedom than equal
    variances would leave (Bell and McCaffrey): where one side is a few texts, they are
    hardly more than these. With weights or clusters, by a regression on the annotation
    alone with HC3 or clustered (CR2) standard errors.

    Parameters
    ----------
    holds : ndarray of bool of shape (n_rows,)
        Where the hypothesis holds; neither everywhere nor nowhere.
    y : ndarray of shape (n_rows,)
        The target.
    design : Design
        Weights and clusters of the rows.

    Returns
    -------
    row : dict
        "separation", its "_se", "_lower", "_upper" (95 %) and "_p".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_hypo._inference._design import Design
    >>> from sklearn_hypo._inference._separation import quantity_separation
    >>> holds = np.array([True, True, True, False, False, False])
    >>> row = quantity_separation(holds, np.array([3.0, 4, 5, 1, 2, 3]), Design())
    >>> row["separation"], round(row["separation_p"], 4)
    (np.float64(2.0), 0.0705)
    """
    if design.is_robust:
        return _regress_separation(holds, y, design)
    one, zero = y[holds], y[~holds]
    difference = one.mean() - zero.mean()
    if min(spread(one), spread(zero)) == 0:
        return _make_row(difference, np.nan, np.nan, np.nan, p=np.nan)
    a, b = one.var(ddof=1) / len(one), zero.var(ddof=1) / len(zero)
    df = min(
        _welch_df(a, b, len(one), len(zero)),
        _welch_df(1 / len(one), 1 / len(zero), len(one), len(zero)),
    )
    return _make_t_row(difference, np.sqrt(a + b), df)


def _welch_df(a, b, n_one, n_zero):
    """Welch's degrees of freedom; of equal variances, those of Bell and McCaffrey."""
    return (a + b) ** 2 / (a**2 / (n_one - 1) + b**2 / (n_zero - 1))


def _make_t_row(estimate, se, df):
    """A row with interval and p-value by t; without a standard error, NaN."""
    se = se if se > 0 else np.nan
    lower, upper, p = map(float, t_inference(estimate, se, df))
    return _make_row(estimate, se, lower, upper, p=p) | {"separation_df": float(df)}


def class_separation(holds, is_class, design, level=0.05):
    """Difference of the shares of a class with and without an annotation.

    With Newcombe's interval and Fisher's exact test, which hold for rare annotations
    and rare classes; with weights or clusters, the same interval for as many rows as
    the design effect leaves, by t in the place of the normal distribution, and a
    penalized likelihood-ratio test divided by the effect. The interval is one of
    confidence 1 - `level`.

    References
    ----------
    .. [1] R. G. Newcombe (1998). "Interval estimation for the difference between
       independent proportions". Statistics in Medicine 17.
    """
    if design.is_robust:
        return _dependent_classes(holds, is_class, design, level)
    counts = [is_class[holds].sum(), is_class[~holds].sum()]
    totals = [holds.sum(), (~holds).sum()]
    shares = np.divide(counts, totals)
    se = np.sqrt(np.sum(shares * (1 - shares) / np.maximum(np.subtract(totals, 1), 1)))
    lower, upper = _newcombe_interval(counts, totals, level)
    table = [counts, np.subtract(totals, counts)]
    p = stats.fisher_exact(table).pvalue if 0 < sum(counts) < sum(totals) else np.nan
    se = se if se > 0 else np.nan
    return _make_row(shares[0] - shares[1], se, float(lower), float(upper), p=p)


def _dependent_classes(holds, is_class, design, level):
    """Separation of a class where rows are weighted or clustered."""
    weights = np.ones(len(holds)) if design.weights is None else design.weights
    p, effect, df = independence_test(holds, is_class, design)
    sides = (holds, ~holds)
    totals = np.array([weights[side].sum() for side in sides])
    shares = np.array([weights[side] @ is_class[side] for side in sides]) / totals
    if np.isnan(effect):
        return _make_row(shares[0] - shares[1], np.nan, np.nan, np.nan, p=np.nan)
    rows = totals / effect
    se = np.sqrt(np.sum(shares * (1 - shares) / rows))
    lower, upper = _newcombe_interval(shares * rows, rows, _normal_level(level, df))
    se = se if se > 0 else np.nan
    return _make_row(shares[0] - shares[1], se, float(lower), float(upper), p=p)


def _newcombe_interval(counts, totals, level):
    """Interval of the difference between two shares."""
    # slow to import, and needed by a test alone
    from statsmodels.stats.proportion import confint_proportions_2indep

    return confint_proportions_2indep(
        counts[0], totals[0], counts[1], totals[1], method="newcomb", alpha=level
    )


def wilson_interval(count, total, level):
    """Interval of a share."""
    from statsmodels.stats.proportion import proportion_confint  # as above

    return proportion_confint(count, total, level, method="wilson")


def _normal_level(level, df):
    """Level at which a normal quantile is that of t at another; 0 has no quantile."""
    t = stats.t.isf(level / 2, max(df, 1e-3))
    return max(2 * stats.norm.sf(t), 1e-300)


def paired_separation(difference, y, design, *, classes, level=0.05):
    """Mean advantage of the member of a pair that alone has the annotation.

    Over the pairs of which exactly one member has it: the mean of its target minus
    that of the other member. For classes (1 won, 0 lost) this is its share of wins
    minus its share of losses, with an exact binomial test and Wilson's interval; for
    quantities a one-sample t-test; with weights or clusters, robust regression, and
    for classes t in the place of the normal distribution. `level` is that of the
    interval of classes.
    Returns a row as `quantity_separation` does, and "n_discordant".
    """
    rows = np.flatnonzero(difference)
    gain, design = (difference * y)[rows], design.take(rows)
    found = {"n_discordant": len(rows)}
    if not len(rows):
        return found
    dependent = design.is_robust
    if dependent and classes:
        return found | _dependent_wins(gain, design, level)
    if dependent:
        solved = _constant_fit(gain, design)
        return found | _make_t_row(solved.coef[0], solved.se[0], solved.df[0])
    if classes:
        wins = int((gain > 0).sum())
        lower, upper = wilson_interval(wins, len(gain), level)
        p = stats.binomtest(wins, len(gain)).pvalue
        se = gain.std(ddof=1) / np.sqrt(len(gain)) if spread(gain) else np.nan
        return found | _make_row(gain.mean(), se, 2 * lower - 1, 2 * upper - 1, p=p)
    if spread(gain) == 0:
        return found | _make_row(gain.mean(), np.nan, np.nan, np.nan, p=np.nan)
    se = gain.std(ddof=1) / np.sqrt(len(gain))
    return found | _make_t_row(gain.mean(), se, len(gain) - 1)


def _dependent_wins(gain, design, level):
    """Wins minus losses where pairs are weighted or clustered."""
    share = np.average(gain > 0, weights=design.weights)
    effect, df = design_effect_of_mean(gain, design)
    rows = len(gain) / effect
    normal = _normal_level(level, df)
    lower, upper = wilson_interval(share * rows, rows, normal)
    # the variance of the null hypothesis: it needs no losses to be estimated from
    z = (share - 0.5) / np.sqrt(0.25 / rows)
    p = 2 * stats.t.sf(abs(z), df) if df > 0 else np.nan
    se = 2 * np.sqrt(share * (1 - share) / rows)
    se = se if se > 0 else np.nan
    return _make_row(2 * share - 1, se, 2 * lower - 1, 2 * upper - 1, p=p)


def _regress_separation(holds, y, design):
    """Separation by a regression on the annotation alone."""
    X = np.column_stack([np.ones(len(y)), holds])
    solved = least_squares(X, y, weights=design.weights, clusters=design.clusters)
    return _make_t_row(solved.coef[1], solved.se[1], solved.df[1])


def _constant_fit(values, design):
    constant = np.ones((len(values), 1))
    return least_squares(
        constant, values, weights=design.weights, clusters=design.clusters
    )


_DTYPES = {
    "n": int,
    "separation": float,
    "separation_se": float,
    "separation_lower": float,
    "separation_upper": float,
    "separation_p": float,
    "separation_df": float,
}


def marginal_tests(A, y, classes, design, notes, *, tested, cov_type, rng):
    """Measure the separation of each column over the rows that answer it, and test it.

    Parameters
    ----------
    A, y, classes, design
        As in `run_tests`; of pairs the differences.
    notes : Notes
        Receives what cannot be tested.
    tested : ndarray of bool of shape (n_hypotheses,)
        Of which more is wanted than the size of the separation.
    cov_type : str
        As in `run_tests`.
    rng : Generator
        Draws null distributions.

    Returns
    -------
    table : DataFrame of n_hypotheses rows
        What was found.
    cells : list of list of dict
        For more than two classes, the separation of each, by hypothesis; else empty.
    null : NullDistribution or None
        Of all hypotheses; None where nothing is drawn.
    """
    if len(y) and not design.paired and spread(y) == 0:
        notes.add_general(
            f"y takes a single value on all {len(y)} rows, so that nothing can be "
            "compared: standard errors and p-values are NaN."
        )
    drawn = classes is None and cov_type == "auto"
    found = [
        _test_column(a, y, classes, design, j, notes, drawn) for j, a in enumerate(A.T)
    ]
    cells = [row.pop("by_class", []) for row in found]
    columns = dict(_DTYPES) | ({"n_discordant": float} if design.paired else {})
    labels = [row.pop("separation_class", None) for row in found]
    table = pd.DataFrame(found, columns=list(columns), index=range(A.shape[1]))
    table = table.astype(columns)
    if is_multiclass(classes):
        table["separation_class"] = pd.Series(labels, dtype=object)
    table.loc[~tested, list(_TESTED[1:])] = np.nan
    null = None
    if drawn and tested.any() and (design.paired or spread(y) > 0):
        null = _permute_quantity(table, A, y, design, tested, rng)
    elif classes is not None and cov_type == "auto" and tested.any():
        p, codes = table.loc[tested, "separation_p"].to_numpy(), y
        if not design.paired:  # classes that are known may be absent
            codes = np.unique(y, return_inverse=True)[1]
        n_classes = 2 if design.paired else codes.max() + 1
        null = permute_classes(A[:, tested], codes, n_classes, design, rng, p)
        null = null and null.place(np.flatnonzero(tested), len(table))
    return table, cells, null


def _permute_quantity(table, A, y, design, tested, rng):
    """The null distribution of a quantity; the table gets the errors of its kind."""
    columns, weights = A[:, tested], design.weights
    if design.clusters is not None:
        options = {"weights": weights, "paired": design.paired}
        null, found = flip_clusters_alone(columns, y, design.clusters, rng, **options)
    elif design.paired:
        null, found = flip_gains(columns, y, weights, rng)
    else:
        null, found = permute_separations(columns, y, weights, rng)
    se = np.sqrt(found.variance[0])
    table.loc[tested, "separation_se"] = np.where(se > 0, se, np.nan)
    table.loc[tested, "separation_df"] = np.broadcast_to(found.df, (1, len(se)))[0]
    return null.place(np.flatnonzero(tested), len(table))


def bound_separations(A, y, classes, design):
    """Return a function of levels that bounds the separations of two classes.

    It takes uncorrected levels, one per hypothesis, and returns lower and upper bounds;
    NaN for a level of NaN. None for quantities, whose intervals are those of t; for
    more than two classes there are none, as the test is of all classes.
    """
    if classes is None:
        return None

    def bound(levels):
        found = np.full((2, A.shape[1]), np.nan)
        for j in () if is_multiclass(classes) else np.flatnonzero(levels > 0):
            rows = ~np.isnan(A[:, j])
            a, target, own = A[rows, j], y[rows], design.take(rows)
            level = levels[j]
            if design.paired:
                row = paired_separation(a, target, own, classes=True, level=level)
            elif column_varies(a):
                row = class_separation(a == 1, target == 1, own, level)
            else:
                continue
            found[:, j] = [row.get(name, np.nan) for name in _NAMES[2:]]
        return found

    return bound


def is_multiclass(classes):
    """Tell whether there are more than two classes."""
    return classes is not None and len(classes) > 2


def _test_column(a, y, classes, design, j, notes, drawn):
    """One row of the table, as a dict; `drawn` are tests and errors of another kind."""
    answered = ~np.isnan(a)
    n = int(answered.sum())
    row = {"n": n}
    if n == 0:
        notes.add(j, "unanswered", f"0 of {len(a)}")
    values, target, design = a[answered], y[answered], design.take(answered)
    if design.paired:
        found = paired_separation(values, target, design, classes=classes is not None)
        if n and not found["n_discordant"]:
            notes.add(j, "concordant", f"{n} pairs")
        elif n and np.isnan(found["separation_p"]):
            notes.add(j, "no_variance", f"{found['n_discordant']} pairs differ")
        return row | found
    holds = values == 1
    counts = f"true of {int(holds.sum())} of {n}"
    if n and not column_varies(a):
        notes.add(j, "constant", counts)
    if is_multiclass(classes):
        found = _separate_classes(holds, target, classes, design)
    elif not column_varies(a):
        return row
    elif classes is None:
        found = quantity_separation(holds, target, design)
        if (not drawn or design.clusters is not None) and _is_skewed(holds, target):
            notes.add(j, "skewed", counts)
    else:
        found = class_separation(holds, target == 1, design)
    if classes is not None or drawn:
        return row | found
    if np.isnan(found["separation_se"]) and spread(y) > 0:
        notes.add(j, "no_variance", counts)
    return row | found


def _separate_classes(holds, codes, classes, design):
    """The class that differs most, one test of all classes, and every class."""
    labels = classes.tolist()
    blank = dict.fromkeys((*_NAMES, "separation_p"), np.nan)
    varies = 0 < holds.sum() < len(holds)
    cells = [
        {
            "class": label,
            "n": int((codes == c).sum()),
            **(class_separation(holds, codes == c, design) if varies else blank),
        }
        for c, label in enumerate(labels)
    ]
    if not varies:
        return blank | {"by_class": cells}
    c = int(np.nanargmax([abs(cell["separation"]) for cell in cells]))
    if design.is_robust:
        p, *_ = independence_test(holds, codes, design)
    else:
        k = len(labels)
        counts = np.stack([np.bincount(codes[s], minlength=k) for s in (holds, ~holds)])
        p = independence(counts[:, counts.any(axis=0)])
    found = {name: cells[c][name] for name in _NAMES}
    return found | {
        "separation_p": p,
        "separation_class": labels[c],
        "by_class": cells,
    }


def _is_skewed(holds, y):
    """Whether a mean of the smaller side is far from normal, by skewness of y.

    Heavy but symmetric tails do no harm to t-tests: mean and median have to differ too.
    """
    if spread(y) == 0:
        return False
    rows, spread_of_y = min(holds.sum(), (~holds).sum()), y.std()
    skewness = abs(stats.skew(y)) / np.sqrt(rows)
    return skewness > 0.3 and abs(y.mean() - np.median(y)) > 0.1 * spread_of_y
