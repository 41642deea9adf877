"""p-values and intervals of the two families of tests: alone, and in one regression."""

import numpy as np
from scipy import stats

from ._multiple_tests import name_without_draws
from ._step_down import align_interval, run_family
from ._studentized import from_z


def name_correction(correction, null):
    """Name the correction that was made: without draws, step-down is Holm's."""
    return name_without_draws(correction) if null is None else correction


def infer_separations(table, null, tested, first, bounds, **options):
    """Complete the table of separations with p-values and intervals.

    Parameters
    ----------
    table : DataFrame of n_hypotheses rows
        From `marginal_tests`.
    null : NullDistribution or None
        From there.
    tested : ndarray of bool of shape (n_hypotheses,)
        Which hypotheses count: of equal ones the first.
    first : ndarray of int of shape (n_hypotheses,)
        The first hypothesis that is equal to each.
    bounds : callable or None
        From uncorrected levels, one per hypothesis, to lower and upper bounds; None
        where intervals are those of t.
    **options
        Of `run_family`.

    Returns
    -------
    table : DataFrame
        With p-values, intervals and "separation_p_corrected".
    family : FamilyTest
        What was found.
    """
    family = run_family(null, table["separation_p"], tested, **options)
    table = table.assign(
        **_make_columns("separation", table, null, _take(family, first), bounds),
        separation_p_corrected=family.p_corrected[first],
    )
    return table, family


def infer_coefficients(fit, **options):
    """Complete the estimates of a joint regression.

    Parameters
    ----------
    fit : JointFit
        The regression.
    **options
        Of `run_family`.

    Returns
    -------
    estimates : DataFrame of n_hypotheses rows
        Those of the fit with p-values, intervals, "p_corrected" and "significant".
    family : FamilyTest
        What was found.
    """
    family = run_family(fit.null, fit.estimates["coef_p"], fit.tested, **options)
    every = np.arange(len(fit.tested))
    columns = _make_columns(
        "coef", fit.estimates, fit.null, _take(family, every), fit.find_interval
    )
    estimates = fit.estimates.assign(
        **columns, p_corrected=family.p_corrected, significant=family.significant
    )
    return estimates, family


def _take(family, rows):
    """What intervals need, by hypothesis."""
    names = ("p", "significant", "level_family", "critical", "critical_family")
    return {name: getattr(family, name)[rows] for name in names}


def _make_columns(name, table, null, family, bounds):
    """p-values, and intervals by themselves and of all together."""
    estimate, se, df = (
        table[f"{name}{end}"].to_numpy(dtype=float) for end in ("", "_se", "_df")
    )
    scale = 1.0 if null is None else null.scale
    columns = {f"{name}_p": family["p"]}
    if null is not None and null.p is None and bounds is None:
        half = from_z(family["critical"] * scale, df) * se
        ends = align_interval(estimate - half, estimate + half, family["p"] <= 0.05)
        columns |= dict(zip((f"{name}_lower", f"{name}_upper"), ends, strict=True))
    elif null is not None and null.p is None:  # intervals of another test than p
        ends = (table[f"{name}_{end}"].to_numpy() for end in ("lower", "upper"))
        lower, upper = align_interval(*ends, family["p"] <= 0.05)
        columns |= {f"{name}_lower": lower, f"{name}_upper": upper}
    if bounds is not None:
        lower, upper = bounds(family["level_family"])
    else:
        by_level = stats.t.isf(family["level_family"] / 2, df)
        by_draws = from_z(family["critical_family"] * scale, df)
        half = np.where(np.isnan(by_draws), by_level, by_draws) * se
        lower, upper = estimate - half, estimate + half
        if null is not None and null.p is not None:  # never narrower than one alone
            lower = np.fmin(lower, table[f"{name}_lower"])
            upper = np.fmax(upper, table[f"{name}_upper"])
    lower, upper = align_interval(lower, upper, family["significant"])
    return columns | {
        f"{name}_simultaneous_lower": lower,
        f"{name}_simultaneous_upper": upper,
    }
