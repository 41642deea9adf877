"""Tables of the runs: false positives, coverage and power."""

import numpy as np
from _inference_runs import KINDS, read
from _inference_truth import truth
from _inference_worlds import WORLDS

LEVELS = (0.05, 0.1)
CORRECTIONS = ("holm", "fdr_bh", "fdr_by")  # of the t tests, beside step-down
TESTS = {"joint": "coef_p", "alone": "separation_p"}
CORRECTED = {"joint": "p_corrected", "alone": "separation_p_corrected"}
AIM_COVERAGE, OVER = 0.93, 0.97
TITLES = {
    "default": "step-down",
    "t, Holm": "t (HC3), holm",
    "HC2": "t (HC2), holm",
    "nonrobust": "t (classical), holm",
    "no groups": "t (HC3), holm, without groups",
    "hypothesaes": "hypothesaes",
}


# Corrections, for many runs at a time -----------------------------------------------


def adjust(p, n_tests, method):
    """Correct the p-values of every run, as statsmodels' `multipletests` does.

    Parameters
    ----------
    p : ndarray of shape (n_runs, n_hypotheses)
        NaN counts as 1 where it was tested.
    n_tests : ndarray of shape (n_runs,)
        Hypotheses that count.
    method : str
        "bonferroni", or of `CORRECTIONS`.

    Returns
    -------
    adjusted : ndarray of shape (n_runs, n_hypotheses)
    """
    p = np.where(np.isnan(p), 1.0, p)
    m, order = n_tests[:, None], np.argsort(p, axis=1)
    ranked = np.take_along_axis(p, order, axis=1)
    rank = np.arange(1, p.shape[1] + 1)
    if method == "bonferroni":
        ranked = ranked * m
    elif method == "holm":
        ranked = np.maximum.accumulate(ranked * (m - rank + 1), axis=1)
    else:
        factor = m / rank
        if method == "fdr_by":
            harmonic = np.cumsum(1 / np.arange(1, p.shape[1] + 1))
            factor = factor * harmonic[n_tests.astype(int) - 1][:, None]
        # what was not tested (p = 1) stands last, and its factor is below 1
        ranked = np.minimum(ranked * factor, 1)
        ranked = np.minimum.accumulate(ranked[:, ::-1], axis=1)[:, ::-1]
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(ranked, 1), axis=1)
    return np.where(p == 1, 1.0, adjusted)


def find(arms, arm, test, level, method=None):
    """Which hypotheses are called significant, by run.

    Parameters
    ----------
    arms : dict
        From `read`.
    arm : str
        Our default by the corrected p-values of its table (step-down), the t tests by
        Holm, hypothesaes by Bonferroni, its own correction.
    test : {"joint", "alone"}
        Regression on all hypotheses, or one hypothesis at a time.
    level : float
        Of the family.
    method : str or None
        Another correction of the t tests.

    Returns
    -------
    found : ndarray of bool of shape (n_runs, n_hypotheses)
    """
    found = arms[arm]
    if arm == "default":
        return found[CORRECTED[test]] <= level  # False for NaN
    method = method or ("bonferroni" if arm == "hypothesaes" else "holm")
    return adjust(found[TESTS[test]], found["n_tested"], method) <= level


def share(values):
    """A proportion with its Monte Carlo standard error, as text."""
    return "{:.3f} ± {:.3f}".format(*rate(values))


def rate(values):
    """A mean over runs with its Monte Carlo standard error."""
    values = np.asarray(values, dtype=float)
    return values.mean(), values.std() / np.sqrt(len(values))


def exceeds(mean, level, runs):
    """Tell whether a rate is above its level by more than Monte Carlo error."""
    return mean > level + 2 * np.sqrt(level * (1 - level) / runs)


def _mark(wrong, level):
    text = share(wrong)
    return f"**{text}**" if exceeds(wrong.mean(), level, len(wrong)) else text


def _worlds(kind, names):
    for name in names:
        arms, about = read(name, kind) if kind in WORLDS[name].kinds else ({}, {})
        if arms:
            yield WORLDS[name], arms, about


# False positives --------------------------------------------------------------------


def false_positives(names, level, test):
    """Runs with any finding, by world and test.

    Returns
    -------
    rows : list of dict
        In bold: above the level by more than two Monte Carlo standard errors.
    """
    rows = []
    for world, arms, about in _worlds("null", names):
        row = {"world": world.title, "n": world.n, "runs": about["runs"]}
        row[TITLES["default"]] = _any_finding(arms, "default", test, level)
        for method in CORRECTIONS:
            text = _any_finding(arms, "t, Holm", test, level, method)
            row[f"t (HC3), {method}"] = text
        row["hypothesaes"] = row["lost by hypothesaes"] = "-"
        if "hypothesaes" in arms:
            row["hypothesaes"] = _any_finding(arms, "hypothesaes", test, level)
            row["lost by hypothesaes"] = f"{np.mean(_lost(arms['hypothesaes'])):.3f}"
        rows.append(row)
    return rows


def _any_finding(arms, arm, test, level, method=None):
    return _mark(find(arms, arm, test, level, method).any(axis=1), level)


def _lost(found):
    """Runs that crashed, or ended in another model or without any p-value."""
    without = np.isnan(found["coef_p"]).all(axis=1)
    return (found["failed"] > 0) | (found["fell_back"] > 0) | without


def other_errors(names, level=0.1):
    """False positives of the other standard errors, joint test, Holm."""
    rows = []
    for world, arms, _ in _worlds("null", names):
        if world.more_errors:
            row = {"world": world.title, "n": world.n}
            for arm in ("default", "t, Holm", "HC2", "nonrobust", "hypothesaes"):
                row[TITLES[arm]] = _any_finding(arms, arm, "joint", level)
            rows.append(row)
    return rows


def chunks_as_rows(names, level=0.1):
    """How many of 20 are called significant where chunks share their document's y."""
    rows = []
    for world, arms, _ in _worlds("null", names):
        if not world.has_documents:
            continue
        row = {"world": world.title}
        for arm in ("default", "t, Holm", "no groups", "hypothesaes"):
            found = find(arms, arm, "joint", level)
            row[TITLES[arm]] = float(found.sum(axis=1).mean())
        rows.append(row)
    return rows


def together(names, level=0.05):
    """Runs in which the p-value of all hypotheses together is below the level."""
    rows = []
    for kind in KINDS:
        for world, arms, about in _worlds(kind, names):
            p = arms["default"]["together"]
            if not world.together:
                continue
            row = {"world": world.title, "n": world.n, "effects": _effects(world, kind)}
            row["runs"] = about["runs"]
            found = p <= level
            row[f"p <= {level:g}"] = (
                _mark(found, level) if kind == "null" else share(found)
            )
            row["without a p-value"] = f"{np.isnan(p).mean():.3f}"
            rows.append(row)
    return rows


def _effects(world, kind):
    return "none" if kind == "null" else f"{len(world.true)} planted"


# Coverage ---------------------------------------------------------------------------


def covered(found, figure, true):
    """Whether each interval covers; NaN where there is none, or no truth."""
    lower, upper = found[f"{figure}_lower"], found[f"{figure}_upper"]
    inside = ((lower <= true) & (true <= upper)).astype(float)
    return np.where(np.isnan(lower) | np.isnan(upper) | np.isnan(true), np.nan, inside)


def coverage(names):
    """Coverage of 95 % intervals, of all hypotheses and of the planted ones alone."""
    rows = []
    for kind in KINDS:
        for world, arms, about in _worlds(kind, names):
            found, true = arms["default"], truth(world, kind == "planted")
            row = {
                "world": world.title,
                "n": world.n,
                "effects": _effects(world, kind),
                "runs": about["runs"],
            }
            row["joint coef"] = "-"
            if not world.has_copies:
                row["joint coef"] = _coverage(covered(found, "coef", true.coef))
            row["marginal effect"] = "-"
            if world.is_binary:
                row["marginal effect"] = _coverage(covered(found, "ame", true.ame))
            inside = covered(found, "separation", true.separation)
            row["separation"] = _coverage(inside)
            before = covered(arms["t, Holm"], "separation", true.separation)
            row["separation, t"] = _coverage(before)
            row["of the planted: joint, marginal, separation"] = "-"
            if kind == "planted":
                row["of the planted: joint, marginal, separation"] = _of_planted(
                    world, found, true
                )
            rows.append(row)
    return rows


def mean_coverage(inside):
    """Coverage over runs with its Monte Carlo standard error; NaN without any."""
    by_run = [np.nanmean(row) for row in inside if not np.isnan(row).all()]
    if not by_run:
        return np.nan, np.nan
    return np.nanmean(inside), np.std(by_run) / len(by_run) ** 0.5


def _coverage(inside):
    """Coverage as text, and what has no interval."""
    mean, error = mean_coverage(inside)
    if np.isnan(mean):
        return "-"
    text = f"{mean:.3f} ± {error:.3f}"
    if mean < AIM_COVERAGE:
        text = f"**{text}**"
    elif mean > OVER:
        text += " (over)"
    missing = np.isnan(inside).mean()
    return f"{text}; {missing:.1%} without" if missing > 0.0005 else text


def _of_planted(world, found, true):
    columns, texts = list(world.true), []
    for figure in ("coef", "ame", "separation"):
        inside = covered(found, figure, getattr(true, figure))[:, columns]
        usable = not np.isnan(inside).all()
        texts.append(f"{np.nanmean(inside):.3f}" if usable else "-")
    return ", ".join(texts)


# Power ------------------------------------------------------------------------------


def hits(world, arms, arm, test, level):
    """Share of the planted effects found in each run."""
    return find(arms, arm, test, level)[:, list(world.true)].mean(axis=1)


def power(names, level=0.1):
    """Share of the planted effects that are found, beside the level under the null.

    Step-down and Holm's method by t tests, and hypothesaes by its own (Bonferroni).
    """
    rows = []
    for world, arms, about in _worlds("planted", names):
        null = read(world.name, "null")[0]
        for test in TESTS:
            row = {"world": world.title, "n": world.n, "test": test}
            row["runs"] = about["runs"]
            for arm in ("default", "t, Holm", "hypothesaes"):
                row[TITLES[arm]] = _hits_at_level(world, arms, null, arm, test, level)
            row["step-down − hypothesaes"] = "-"
            if "hypothesaes" in arms:
                theirs = hits(world, arms, "hypothesaes", test, level)
                gain = hits(world, arms, "default", test, level)[: len(theirs)] - theirs
                row["step-down − hypothesaes"] = "{:+.3f} ± {:.3f}".format(*rate(gain))
            rows.append(row)
    return rows


def _hits_at_level(world, arms, null, arm, test, level):
    if arm not in arms:
        return "-"
    text = share(hits(world, arms, arm, test, level))
    if not null:
        return text
    wrong = find(null, arm, test, level).any(axis=1)
    fwer = f"{wrong.mean():.3f}"
    if exceeds(wrong.mean(), level, len(wrong)):
        fwer = f"**{fwer}**"
    return f"{text} at {fwer}"


# What the tables rest on ------------------------------------------------------------


def disagreements(names):
    """Corrected p-values at 0.05 beside simultaneous intervals: pairs that disagree.

    Returns how many hypotheses of how many are significant while the interval holds 0,
    or the reverse. An interval that ends at 0 does not hold it.
    """
    wrong = n = 0
    for kind in KINDS:
        for _, arms, _ in _worlds(kind, names):
            found = arms["default"]
            for figure, test in (("coef", "joint"), ("separation", "alone")):
                lower = found[f"{figure}_simultaneous_lower"]
                upper = found[f"{figure}_simultaneous_upper"]
                p = found[CORRECTED[test]]
                known = ~(np.isnan(lower) | np.isnan(upper) | np.isnan(p))
                excludes = (lower >= 0) | (upper <= 0)
                wrong += int((((p <= LEVELS[0]) != excludes) & known).sum())
                n += int(known.sum())
    return wrong, n


def failures(names):
    """Runs in which this package raised, by world; empty where none did."""
    return {
        f"{world.name}, {kind}": int(arms["default"]["failed"].sum())
        for kind in KINDS
        for world, arms, _ in _worlds(kind, names)
        if arms["default"]["failed"].any()
    }


def sources(names):
    """One line per commit that runs come from."""
    seen = {}
    for kind in KINDS:
        for world, _, about in _worlds(kind, names):
            entry = f"{world.name} ({kind}, {about['runs']}, {about['seconds']:.0f} s)"
            seen.setdefault(about["commit"], []).append(entry)
    return [f"{commit}: {', '.join(entries)}" for commit, entries in seen.items()]
