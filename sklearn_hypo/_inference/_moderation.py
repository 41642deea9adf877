"""Whether a hypothesis holds alike in all levels of a moderator, such as a platform."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import linalg, stats

from .._utils._threads import on_one_thread
from .._utils._validation import encode_one_hot
from ._design import Design
from ._design_effects import design_effects
from ._design_matrix import (
    DesignMatrix,
    find_independent_columns,
    make_design_matrix,
    spread,
)
from ._firth import JEFFREYS, collapse_patterns, fit_logit, probabilities
from ._multiple_tests import adjust_p_values
from ._notes import Notes
from ._robust_covariance import least_squares, t_inference
from ._separation import class_separation, is_multiclass, paired_separation

# Texts (clusters, pairs that differ) that a level needs on each side of a hypothesis
FEWEST_ON_A_SIDE = 5

_ROUNDING = 1e-9  # relative size of residuals that are rounding errors

_SEPARATION = ("separation", "separation_se", "separation_lower", "separation_upper")

_FLOATS = ("prevalence", *_SEPARATION, "separation_p", "odds_ratio")


@dataclass(frozen=True)
class Moderation:
    """What was found by level of the moderator.

    Parameters
    ----------
    by_level : DataFrame or None, default=None
        One row per hypothesis and level; None without a moderator.
    columns : dict of str to ndarray of shape (n_hypotheses,)
        "moderator_p" and "moderator_p_corrected"; empty without a moderator.
    """

    by_level: pd.DataFrame | None = None
    columns: dict = field(default_factory=dict)


@dataclass(frozen=True)
class _Problem:
    """One hypothesis in the levels that have enough texts on both sides of it.

    `by_level` holds a column per level: the annotation there, 0 elsewhere. `basis`
    turns them into contrasts between levels, and their mean last.
    """

    by_level: np.ndarray
    controls: DesignMatrix
    y: np.ndarray
    design: Design

    @property
    def basis(self):
        k = self.by_level.shape[1]
        return np.vstack([linalg.helmert(k), np.full(k, k**-0.5)])


@on_one_thread()
def moderation_tests(
    values,
    codes,
    names,
    classes,
    design,
    *,
    alpha,
    correction,
    cov_type="auto",
    n_more=0,
    shown=None,
):
    r"""Test for each hypothesis whether its effect differs between levels.

    In the model with a constant for each level :math:`g`, an effect for each level and
    the covariates,

    .. math:: y_i = \sum_g 1[g_i = g] (\alpha_g + \delta_g a_i) + \gamma' z_i
              + \varepsilon_i,

    that all :math:`\delta_g` are equal. A logit in the place of y for classes.

    Parameters
    ----------
    values, codes, names, classes, design
        As in `run_tests`; `design` has a moderator, or there is nothing to do.
    alpha, correction, cov_type, n_more
        As in `run_tests`. "auto" takes HC2 for quantities (clustered: CR2), and
        "step-down" is Holm's.
    shown : sequence of int or None, default=None
        Code of the class that each hypothesis is shown for. None: the second.

    Returns
    -------
    found : Moderation
        Estimates by level, and p-values of their differences.

    Examples
    --------
    An effect that is there in one of two halves only:

    >>> import numpy as np
    >>> from sklearn_hypo._inference._design import make_design
    >>> from sklearn_hypo._inference._moderation import moderation_tests
    >>> rng = np.random.default_rng(0)
    >>> A = rng.integers(0, 2, size=(2000, 2)).astype(float)
    >>> where = np.repeat(["blog", "forum"], 1000)
    >>> y = 0.8 * A[:, 0] * (where == "blog") + rng.normal(size=2000)
    >>> design = make_design(2000, moderator=where, caller="example")
    >>> found = moderation_tests(
    ...     A, y, ["tea", "rain"], None, design, alpha=0.05, correction="holm"
    ... )
    >>> found.by_level[["hypothesis", "level", "n", "separation"]].round(2)
      hypothesis  level     n  separation
    0        tea   blog  1000        0.83
    1        tea  forum  1000        0.07
    2       rain   blog  1000       -0.07
    3       rain  forum  1000       -0.07
    >>> found.columns["moderator_p"].round(3)
    array([0.   , 0.956])
    """
    if design.moderator is None:
        return Moderation()
    shown = [1] * len(names) if shown is None else shown
    shares = [_measure_prevalences(a, design) for a in values.T]
    if design.pairs is not None:
        values = design.differences(values)
        codes = design.differences(codes).astype(float)
        design = design.of_differences()
    rows, p, tested = [], np.full(len(names), np.nan), np.zeros(len(names), dtype=bool)
    for j, a in enumerate(values.T):
        answered = ~np.isnan(a)
        cells, p[j], tested[j] = _compare_levels(
            a[answered],
            codes[answered],
            None if classes is None else (len(classes), shown[j]),
            design.take(answered),
            cov_type,
        )
        for cell, share in zip(cells, shares[j], strict=True):
            rows.append({"hypothesis": names[j], **cell, "prevalence": share})
    adjusted = adjust_p_values(p, tested, alpha, correction, n_more)
    return Moderation(
        _tabulate(rows, odds=classes is not None and not is_multiclass(classes)),
        {
            "moderator_p": p,
            "moderator_p_corrected": adjusted["p_corrected"].to_numpy(float),
        },
    )


def _measure_prevalences(a, design):
    """Share of the answered rows of each level where the hypothesis holds."""
    answered, found = ~np.isnan(a), []
    for g in range(len(design.moderator_labels)):
        rows = answered & (design.moderator == g)
        weights = None if design.weights is None else design.weights[rows]
        found.append(np.average(a[rows], weights=weights) if rows.any() else np.nan)
    return found


def _tabulate(rows, *, odds):
    floats = _FLOATS if odds else _FLOATS[:-1]
    types = {"hypothesis": object, "level": object, "n": int}
    types |= dict.fromkeys(floats, float) | {"note": object}
    # pandas' own strings know no lone surrogates
    columns = {
        name: pd.Series([row.get(name, np.nan) for row in rows], dtype=dtype)
        for name, dtype in types.items()
    }
    return pd.DataFrame(columns)


def _compare_levels(a, y, of_classes, design, cov_type):
    """Cells of one hypothesis by level, the p-value, and whether there was a test.

    Which levels are compared is decided without the target.
    """
    cells, usable = [], []
    for g, label in enumerate(design.moderator_labels):
        rows = design.moderator == g
        trouble = _find_trouble(a[rows], design.take(rows))
        note = f"not tested: {trouble}" if trouble else ""
        cells.append({"level": label, "n": int(rows.sum()), "note": note})
        usable += [] if trouble else [g]
    inside = np.isin(design.moderator, usable)
    a, y, design = a[inside], y[inside], design.take(inside)
    problem = _set_up(a, y, usable, design, linear=of_classes is None)
    if problem is None:
        for g in usable:
            cells[g]["note"] = "not tested: determined by covariates or fixed effects"
        return cells, np.nan, False
    tested = len(usable) > 1
    if of_classes is None:
        found, p = _compare_means(problem, cov_type)
    else:
        found, p = _compare_odds(problem, a, usable, *of_classes, cov_type)
    for g, each in zip(usable, found, strict=True):
        cells[g] |= each
    return cells, p if tested else np.nan, tested


def _find_trouble(a, design):
    """Say why a level cannot be compared; empty if it can."""
    if design.paired:
        n, what = len(np.unique(_units(design, len(a))[a != 0])), "pairs differ"
        return f"{n} {what}" if n < FEWEST_ON_A_SIDE else ""
    units = _units(design, len(a))
    holds, lacks = (len(np.unique(units[a == value])) for value in (1, 0))
    if min(holds, lacks) >= FEWEST_ON_A_SIDE:
        return ""
    what = "texts" if design.clusters is None else "groups"
    return f"true in {holds}, not true in {lacks} {what}"


def _units(design, n):
    return np.arange(n) if design.clusters is None else design.clusters


def _set_up(a, y, usable, design, *, linear):
    """The problem; None if the effects of the levels cannot be told apart."""
    if not usable:
        return None
    which = encode_one_hot(np.searchsorted(usable, design.moderator), len(usable))
    names, own = design.covariate_names, which[:, 1:]
    # the first level is the constant; differences within pairs have neither
    own = own[:, :0] if design.paired else own
    covariates = [own] if design.covariates is None else [own, design.covariates]
    beside = replace(
        design,
        covariates=np.column_stack(covariates),
        covariate_names=(*map(str, range(own.shape[1])), *names),
    )
    # what is left out beside the joint regression was said there
    controls = make_design_matrix(beside, len(y), linear=linear, notes=Notes([]))
    by_level = controls.clear(which * a[:, None])
    kept = find_independent_columns(by_level, controls.values)
    if len(kept) < len(usable) or len(y) <= len(kept) + controls.n_used:
        return None
    return _Problem(by_level, controls, y, design)


# Quantities -----------------------------------------------------------------------


def _compare_means(problem, cov_type):
    """Separation in each level with covariates held fixed, and a Wald test."""
    k, controls, design = problem.by_level.shape[1], problem.controls, problem.design
    y = controls.clear(problem.y)
    kind = "HC2" if cov_type == "auto" and design.clusters is None else cov_type
    empty = [dict.fromkeys((*_SEPARATION, "separation_p"), np.nan)] * k
    if spread(problem.y) == 0:
        return empty, np.nan

    def solve(by_level):
        return least_squares(
            np.column_stack([by_level, controls.values]),
            y,
            weights=design.weights,
            cov_type=kind,
            clusters=design.clusters,
            n_absorbed=controls.n_absorbed,
        )

    fit = solve(problem.by_level)
    if np.abs(fit.residuals).max() <= _ROUNDING * spread(problem.y):
        # an exact function of hypothesis and level: nothing to judge by
        pairs = zip(empty, fit.coef[:k], strict=True)
        return [cell | {"separation": found} for cell, found in pairs], np.nan
    lower, upper, p = t_inference(fit.coef[:k], fit.se[:k], fit.df[:k])
    columns = zip(fit.coef[:k], fit.se[:k], lower, upper, p, strict=True)
    cells = [
        dict(zip((*_SEPARATION, "separation_p"), each, strict=True)) for each in columns
    ]
    covariance = fit.covariance[:k, :k]
    if k < 2 or not np.isfinite(covariance).all():
        return cells, np.nan
    turned = _turn_to_principal(problem.basis, covariance)
    fit = solve(problem.by_level @ turned.T)
    return cells, _wald_p(fit.coef[: k - 1], fit.se[: k - 1], fit.df[: k - 1])


def _turn_to_principal(basis, covariance):
    """Contrasts whose estimates are uncorrelated."""
    contrasts = basis[:-1]
    _, vectors = linalg.eigh(contrasts @ covariance @ contrasts.T)
    return np.vstack([vectors.T @ contrasts, basis[-1:]])


def _wald_p(estimate, se, df):
    """p-value of several uncorrelated estimates being zero, each with its own df.

    References
    ----------
    .. [1] A. H.-T. Fai, P. L. Cornelius (1996). "Approximate F-tests of multiple degree
       of freedom hypotheses in generalized least squares analyses of unbalanced
       split-plot experiments". Journal of Statistical Computation and Simulation 54.
    """
    q = len(estimate)
    if not (np.isfinite(df).all() and (se > 0).all()):
        return np.nan
    statistic = np.mean((estimate / se) ** 2)
    if q == 1 or df.min() <= 2:
        return float(stats.f.sf(statistic, q, df.min()))
    expected = np.sum(df / (df - 2))
    return float(stats.f.sf(statistic, q, 2 * expected / (expected - q)))


# Classes --------------------------------------------------------------------------


def _compare_odds(problem, a, usable, n_classes, shown, cov_type):
    """Separation of a class in each level, and a test of the ratios of the odds.

    A penalized likelihood ratio, divided by the largest design effect of the contrasts
    where rows are weighted, clustered or asked to be (HC2, HC3).
    """
    design, k = problem.design, problem.by_level.shape[1]
    cells = []
    for g in usable:
        rows = design.moderator == g
        own, target = design.take(rows), problem.y[rows]
        if design.paired:
            found = paired_separation(a[rows], target, own, classes=True)
            found.pop("n_discordant")
        else:
            found = class_separation(a[rows] == 1, target == shown, own)
        cells.append(found)
    X = np.column_stack([problem.by_level @ problem.basis.T, problem.controls.values])
    y = problem.y
    if design.paired:  # without a constant the order of the members means nothing
        turn = np.where(np.arange(len(y)) % 2, -1.0, 1.0)
        X, y = X * turn[:, None], (y * turn > 0).astype(int)
    present, y = np.unique(y, return_inverse=True)
    if len(present) < 2:
        return cells, np.nan
    rows = collapse_patterns(X, y, design.weights)
    full = fit_logit(rows, penalty=JEFFREYS)
    if not full.converged:
        return cells, np.nan
    if n_classes == 2:
        odds = np.exp(problem.basis.T @ full.coef[:k])
        cells = [
            cell | {"odds_ratio": each} for cell, each in zip(cells, odds, strict=True)
        ]
    if k < 2:
        return cells, np.nan
    robust = design.is_robust or cov_type[:2] == "HC"
    return cells, _likelihood_ratio_p(rows, full, X, y, k - 1, design, robust=robust)


def _likelihood_ratio_p(rows, full, X, codes, n_tested, design, *, robust):
    """p-value of the first columns having no effect on any class."""
    fixed = np.zeros((rows.n_coefs, X.shape[1]), dtype=bool)
    fixed[:, :n_tested] = True
    start = np.where(fixed.ravel(), 0.0, full.coef)
    alone = fit_logit(rows, penalty=JEFFREYS, start=start, fixed=fixed.ravel())
    if not alone.converged:
        return np.nan
    ratio = max(2 * (full.log_likelihood - alone.log_likelihood), 0.0)
    q = int(fixed.sum())
    if not robust:
        return float(stats.chi2.sf(ratio, q))
    P = probabilities(X, full.coef, rows.n_coefs)
    effects, df = design_effects(X, codes, P, range(n_tested), design)
    if not df.min() > 0:
        return np.nan
    return float(stats.f.sf(ratio / (q * effects.max()), q, df.min()))
