"""The statistics of a report by their formulas, with nothing of the package.

Slow and short on purpose: units are left out one at a time, likelihoods are maximized
by a general optimizer, areas under ROC curves are counted pair by pair.
"""

import numpy as np
from scipy import optimize, special, stats

# Linear models ----------------------------------------------------------------------


def t_interval(estimate, se, df):
    """The bounds and the p-value of t tests."""
    half = stats.t.ppf(0.975, df) * se
    return estimate - half, estimate + half, 2 * stats.t.sf(np.abs(estimate) / se, df)


def jackknife(X, y, units):
    """Least squares, with the sum of squared changes without each unit.

    Returns the coefficients, their covariance, and Satterthwaite's degrees of freedom:
    each variance is a quadratic form y'D'Dy, whose mean and variance under independent
    errors of equal size are those of a scaled chi-square.
    """
    solve = np.linalg.pinv(X)
    changes = []
    for unit in np.unique(units):
        rest = np.where((units != unit)[:, None], X, 0.0)
        changes.append(np.linalg.pinv(rest) - solve)
    D = np.array(changes)  # units, coefficients, rows
    moved = D @ y
    df = []
    for j in range(X.shape[1]):
        K = D[:, j] @ D[:, j].T
        df.append(np.trace(K) ** 2 / np.sum(K**2) if np.trace(K) > 1e-12 else np.nan)
    return solve @ y, moved.T @ moved, np.array(df)


def weighted_least_squares(X, y, weights, units, *, absorbed=False):
    """HC3, or CR2 if units have several rows, as if variances were equal unweighted.

    With levels absorbed, the adjustment (not the df) is as if inverse to weights.
    """
    bread = np.linalg.inv(X.T * weights @ X) @ (X.T * weights)
    M = np.eye(len(X)) - X @ bread
    D = []
    for unit in np.unique(units):
        own = np.flatnonzero(units == unit)
        if len(np.unique(units)) == len(units):
            adjust = 1 / M[own, own][None]
        else:
            root = np.sqrt(weights[own]) if absorbed else np.ones(len(own))
            left = M / weights @ M.T if absorbed else M @ M.T
            left = root[:, None] * left[np.ix_(own, own)] * root
            values, vectors = np.linalg.eigh(left)
            factor = np.where(values > 1e-9, np.maximum(values, 1e-9) ** -0.5, 0)
            adjust = vectors * factor @ vectors.T / root[:, None] * root
        D.append(bread[:, own] @ adjust @ M[own])
    D = np.array(D)  # units, coefficients, rows
    V = np.einsum("ujr,vjr->juv", D, D)
    with np.errstate(invalid="ignore"):
        df = np.trace(V, axis1=1, axis2=2) ** 2 / (V**2).sum(axis=(1, 2))
    return bread @ y, (D @ y).T @ (D @ y), df


def weighted_sd(values, weights):
    """Standard deviation about the mean, of each column."""
    mean = np.average(values, axis=0, weights=weights)
    return np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))


def variance_inflation(A, others, weights):
    """1 / (1 - R²) of each column's regression on the others, and on `others`."""
    found, root = [], np.sqrt(weights)[:, None]
    for j in range(A.shape[1]):
        X = np.column_stack([np.delete(A, j, axis=1), others]) * root
        a = A[:, [j]] * root
        base = others * root
        rest = a - X @ np.linalg.lstsq(X, a, rcond=None)[0]
        total = a - base @ np.linalg.lstsq(base, a, rcond=None)[0]
        found.append(np.sum(total**2) / np.sum(rest**2))
    return np.array(found)


# Logits -----------------------------------------------------------------------------


def softmax_of(X, coef):
    """Probabilities of all classes; the first has no coefficients."""
    B = coef.reshape(-1, X.shape[1])
    return special.softmax(np.column_stack([np.zeros(len(X)), X @ B.T]), axis=1)


def information(X, coef, weights):
    """Fisher information, row by row."""
    total = 0.0
    for x, p, w in zip(X, softmax_of(X, coef)[:, 1:], weights, strict=True):
        total = total + w * np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x))
    return total


def _log_likelihood(X, codes, coef, weights, penalty):
    P = softmax_of(X, coef)
    value = weights @ np.log(np.maximum(P[np.arange(len(X)), codes], 1e-300))
    if penalty:
        q, p = P.shape[1] - 1, X.shape[1]
        inner = np.einsum("ic,cd->icd", P[:, 1:], np.eye(q))
        inner -= P[:, 1:, None] * P[:, None, 1:]
        blocks = np.einsum("i,icd,ia,ib->cadb", weights, inner, X, X, optimize=True)
        value += 0.5 * np.linalg.slogdet(blocks.reshape(q * p, q * p))[1]
    return value


def maximize(X, codes, weights, *, penalty, fixed=None, values=0.0):
    """The maximum of the likelihood, or of Firth's; some coefficients may be fixed.

    Returns the coefficients, class by class, and the value.
    """
    size = codes.max() * X.shape[1]
    free = np.ones(size, dtype=bool)
    if fixed is not None:
        free[fixed] = False

    def full(x):
        coef = np.full(size, values, dtype=float)
        coef[free] = x
        return coef

    def loss(x):
        return -_log_likelihood(X, codes, full(x), weights, penalty)

    found = np.zeros(free.sum())
    for _ in range(3):  # again from where finite differences end
        options = {"gtol": 1e-7, "maxiter": 500}
        found = optimize.minimize(loss, found, jac="3-point", options=options).x
    return full(found), -loss(found)


def penalized_ratios(X, codes, weights, columns):
    """Twice what Firth's likelihood loses without each column, and its maximum."""
    coef, best = maximize(X, codes, weights, penalty=True)
    size, p = len(coef), X.shape[1]
    ratios = [
        2
        * (best - maximize(X, codes, weights, penalty=True, fixed=range(j, size, p))[1])
        for j in columns
    ]
    return np.array(ratios), coef


def profile_interval(X, codes, weights, j, target):
    """Where the root of the penalized likelihood ratio reaches the target."""
    coef, best = maximize(X, codes, weights, penalty=True)

    def excess(value):
        held = maximize(X, codes, weights, penalty=True, fixed=[j], values=value)
        return np.sqrt(max(2 * (best - held[1]), 0)) - target

    return [
        optimize.brentq(excess, coef[j], coef[j] + far, xtol=1e-6) for far in (-9, 9)
    ]


def profile_bounds(X, codes, weights, h):
    """95 % intervals of h coefficients, and all coefficients at their ends."""
    ends = [profile_interval(X, codes, weights, j, 1.959963984540054) for j in range(h)]
    bounds = [
        [
            maximize(X, codes, weights, penalty=True, fixed=[j], values=end)[0]
            for end in both
        ]
        for j, both in enumerate(ends)
    ]
    return np.array(ends), bounds


def design_effects(X, codes, weights, units, coef, columns, paired=False):
    """Design effects of scores of a logit at Firth's coefficients, with their df."""
    P = softmax_of(X, coef)
    classes = [1] if P.shape[1] == 2 else range(P.shape[1])
    effects, dfs = [], []
    for j in columns:
        found, parts = [], dict.fromkeys(np.unique(units).tolist(), 0.0)
        for c in classes:
            s2 = P[:, c] * (1 - P[:, c])
            root = np.sqrt(weights * s2)
            others = np.delete(X, j, axis=1)
            slope = np.linalg.pinv(others * root[:, None]) @ (X[:, j] * root)
            cleared = X[:, j] - others @ slope
            residual = (codes == c) - P[:, c]
            differs = np.abs(cleared) > 1e-9
            if paired:  # the member that has more of it against the other
                residual, cleared = residual * np.sign(cleared), np.abs(cleared)
            else:
                differs[:] = True
            rho = intraclass((residual / np.sqrt(s2))[differs], units[differs])
            of_model = np.sum(weights * cleared**2 * s2)
            expected = variance_of_sum(weights * cleared * np.sqrt(s2), units, rho)
            seen = variance_of_sum(weights * cleared * residual, units, 1.0)
            found.append(max(expected, seen) / of_model)
            for unit in parts:
                own = units == unit
                parts[unit] += np.sum((weights**2 * cleared**2 * s2)[own])
        effects.append(max(found))
        shares = np.array(list(parts.values()))
        dfs.append(shares.sum() ** 2 / np.sum(shares**2) - 1)
    return np.array(effects), np.array(dfs)


def intraclass(values, units):
    """Mean product of two rows of a unit, in units of the mean square."""
    products = [
        values[i] * values[k]
        for unit in np.unique(units)
        for i in np.flatnonzero(units == unit)
        for k in np.flatnonzero(units == unit)
        if i != k
    ]
    if not products:
        return 0.0
    return float(np.clip(np.mean(products) / np.mean(values**2), 0, 1))


def variance_of_sum(values, units, rho):
    """Variance of a sum of terms of known size; rho between two of a unit."""
    squares = np.sum(values**2)
    sums = [values[units == unit].sum() ** 2 for unit in np.unique(units)]
    return squares + rho * max(np.sum(sums) - squares, 0.0)


def average_effects(X, coef, j, share, other=0.0):
    """Mean change of each class's probability when column j goes from other to 1."""
    one, zero = X.copy(), X.copy()
    one[:, j], zero[:, j] = 1.0, other
    return share @ softmax_of(one, coef) - share @ softmax_of(zero, coef)


def moved(coef, covariance, j, value):
    """All coefficients where j is moved and the likelihood falls the least."""
    return coef + covariance[:, j] / covariance[j, j] * (value - coef[j])


def slope_of_effect(X, coef, j, share, other=0.0):
    """Derivatives of an average marginal effect by all coefficients."""
    steps = np.eye(len(coef)) * 1e-5
    rise = [
        average_effects(X, coef + s, j, share, other)[1]
        - average_effects(X, coef - s, j, share, other)[1]
        for s in steps
    ]
    return np.array(rise) / 2e-5


def robust_logit(X, y, h, w, units, paired=False):
    """Coefficients, errors that are the larger of two kinds, and tests."""
    coef, _ = maximize(X, y, w, penalty=False)
    P = softmax_of(X, coef)[:, 1]
    root = np.sqrt(w * P * (1 - P))
    working = X @ coef * root + w * (y - P) / root
    _, covariance, df = jackknife(X * root[:, None], working, units)
    ratios, firth = penalized_ratios(X, y, w, range(h))
    effect, f_df = design_effects(X, y, w, units, firth, range(h), paired)
    of_model = np.linalg.inv(information(X, coef, w))
    se = np.sqrt(np.maximum(np.diag(covariance)[:h], np.diag(of_model)[:h] * effect))
    others = (np.sqrt(np.diag(covariance))[h:], df[h:])
    df = np.minimum(df[:h], f_df)
    lower, upper, _ = t_interval(coef[:h], se, df)
    bounds = [
        [moved(coef, of_model, j, end) for end in ends]
        for j, ends in enumerate(zip(lower, upper, strict=True))
    ]
    p = stats.f.sf(ratios / effect, 1, f_df)
    return coef, covariance, se, df, lower, upper, p, bounds, others


# One hypothesis at a time -----------------------------------------------------------


def wilson(share, n, df=np.inf):
    """Wilson's interval of a proportion, by quantiles of t."""
    t = stats.t.ppf(0.975, df)
    middle, half = (
        share + t**2 / 2 / n,
        t * np.sqrt(share * (1 - share) / n + (t / n) ** 2 / 4),
    )
    return (middle - half) / (1 + t**2 / n), (middle + half) / (1 + t**2 / n)


def newcombe(shares, rows, df=np.inf):
    """Newcombe's interval of a difference of proportions, from Wilson's intervals."""
    (l1, u1), (l2, u2) = (wilson(p, n, df) for p, n in zip(shares, rows, strict=True))
    difference = shares[0] - shares[1]
    return (
        difference - np.hypot(shares[0] - l1, u2 - shares[1]),
        difference + np.hypot(u1 - shares[0], shares[1] - l2),
    )


def extremes_of_separation(a, y, weights):
    """Smallest and largest separation over all (split) fillings of the gaps."""
    gaps = np.flatnonzero(np.isnan(a))
    alike = len(gaps) < 2 or np.ptp(weights[gaps]) == 0

    def separation(filling):
        filled = a.copy()
        filled[gaps] = filling
        one, zero = weights * filled, weights * (1 - filled)
        if not (one.any() and zero.any()):
            return np.nan
        return one @ y / one.sum() - zero @ y / zero.sum()

    found = []
    for sign in (1, -1):
        # the rows that raise the mean most go to the one side, up to some row
        order = np.argsort(-sign * y[gaps], kind="stable")
        starts = [
            np.isin(np.arange(len(gaps)), order[:m]) for m in range(len(gaps) + 1)
        ]
        values = [separation(start.astype(float)) for start in starts]
        if not alike:  # one row is split between the sides
            values += [
                optimize.minimize(
                    lambda c, sign=sign: -sign * separation(c),
                    np.clip(start, 0.3, 0.7),
                    bounds=[(0, 1)] * len(gaps),
                ).fun
                * -sign
                for start in starts
            ]
        found.append(np.nanmax(values) if sign > 0 else np.nanmin(values))
    return found[1], found[0]


# Corrections ------------------------------------------------------------------------


def holm(p):
    """Holm's adjusted p-values, by the definition."""
    order, adjusted, largest = np.argsort(p), np.empty(len(p)), 0.0
    for rank, j in enumerate(order):
        largest = max(largest, min((len(p) - rank) * p[j], 1.0))
        adjusted[j] = largest
    return adjusted


# Overall figures --------------------------------------------------------------------


def area(is_class, scores):
    """A function of weights: the area under the ROC curve, pair by pair."""
    pos, neg = np.flatnonzero(is_class), np.flatnonzero(~is_class)
    above = np.sign(scores[pos][:, None] - scores[neg]) / 2 + 0.5
    return lambda w: w[pos] @ above @ w[neg] / (w[pos].sum() * w[neg].sum())


def mean_area(codes, scores, folds):
    """A function of weights: areas averaged over classes, then over folds by rows."""
    folds = folds or [(None, np.arange(len(codes)))]
    classes = [1] if scores.shape[1] == 1 else range(scores.shape[1])
    parts = [
        (
            test,
            [
                area(codes[test] == c, s)
                for c, s in zip(classes, scores[test].T, strict=True)
            ],
        )
        for _, test in folds
    ]

    def score(w):
        with np.errstate(invalid="ignore"):
            means = np.array(
                [np.mean([a(w[test]) for a in own]) for test, own in parts]
            )
        sizes = np.array([len(test) for test, _ in parts]) * ~np.isnan(means)
        return np.nansum(means * sizes) / sizes.sum()

    return score


def r2_of(y, predictions, *, center=True):
    """A function of weights: R²."""

    def score(w):
        mean = np.average(y, weights=w) if center else 0.0
        return 1 - w @ (y - predictions) ** 2 / (w @ (y - mean) ** 2)

    return score


def difference(first, second, factors=(1.0, 1.0)):
    """A function of weights: how much less of one is left unexplained than of two."""
    one, two = factors
    return lambda w: two * (1 - second(w)) - one * (1 - first(w))


def concordance(difference, predictions):
    """A function of weights: the share of pairs ranked rightly."""
    right = np.where(predictions == 0, 0.5, (predictions > 0) == (difference > 0))
    return lambda w: np.average(right, weights=w)


def bootstrap(score, weights, units, seed, n_resamples):
    """Percentile interval; whole units are drawn, by NumPy's generator."""
    codes = np.unique(units, return_inverse=True)[1]
    n_units = codes.max() + 1
    drawn = np.random.default_rng([seed, 1]).integers(
        n_units, size=(n_resamples, n_units)
    )
    scores = [score(np.bincount(d, minlength=n_units)[codes] * weights) for d in drawn]
    return np.nanquantile(scores, [0.025, 0.975])


def explained_share(A, Y, controls, weights):
    """Share of what the controls leave of Y that the annotations explain."""
    root = np.sqrt(weights)[:, None]
    base = controls * root
    both = np.column_stack([base, A * root])

    def rest(X):
        return np.sum((Y * root - X @ (np.linalg.pinv(X) @ (Y * root))) ** 2)

    before = rest(base) if base.shape[1] else np.sum((Y * root) ** 2)
    return (before - rest(both)) / before
