"""Tables of the runs: false positives, coverage and power."""

import numpy as np
from _inference_runs import arms_of, read
from _inference_worlds import WORLDS, truth

LEVELS = (0.1, 0.05)
CORRECTIONS = ("bonferroni", "holm", "fdr_bh", "fdr_by")
TESTS = {"joint": "coef_p", "alone": "separation_p"}
AIM_COVERAGE, OVER = 0.93, 0.97
TITLES = {
    "default": "ours",
    "HC2": "ours, HC2",
    "nonrobust": "ours, nonrobust",
    "no groups": "ours without groups",
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
        Of `CORRECTIONS`.

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


def share(values):
    """A proportion with its Monte Carlo standard error, as text."""
    mean = np.mean(values)
    return f"{mean:.3f} ± {np.sqrt(mean * (1 - mean) / len(values)):.3f}"


def exceeds(rate, level, runs):
    """Tell whether a rate is above its level by more than Monte Carlo error."""
    return rate > level + 2 * np.sqrt(level * (1 - level) / runs)


def _worlds(kind, names):
    for name in names:
        arms, about = read(name, kind)
        if arms:
            yield WORLDS[name], arms, about


# False positives --------------------------------------------------------------------


def false_positives(names, level, test):
    """Runs with any finding, by world, under every correction.

    Parameters
    ----------
    names : list of str
        Of worlds.
    level : float
        Of the family.
    test : {"joint", "alone"}
        Regression on all hypotheses, or one hypothesis at a time.

    Returns
    -------
    rows : list of dict
        In bold: above the level by more than two Monte Carlo standard errors.
    """
    rows = []
    for world, arms, about in _worlds("null", names):
        row = {"world": world.title, "n": world.n, "runs": about["runs"]}
        for arm, found in arms.items():
            if arm in ("HC2", "nonrobust", "no groups"):
                continue
            for method in CORRECTIONS if arm == "default" else CORRECTIONS[:1]:
                key = method if arm == "default" else "hypothesaes"
                row[key] = rate_of_findings(found, TESTS[test], level, method)
        row["lost by hypothesaes"] = f"{np.mean(_lost(arms['hypothesaes'])):.3f}"
        rows.append(row)
    return rows


def any_finding(found, figure, level, method):
    """Which runs call anything significant."""
    adjusted = adjust(found[figure], found["n_tested"], method)
    return (adjusted <= level).any(axis=1)


def rate_of_findings(found, figure, level, method):
    wrong = any_finding(found, figure, level, method)
    text = share(wrong)
    return f"**{text}**" if exceeds(wrong.mean(), level, len(wrong)) else text


def _lost(found):
    """Runs that crashed, or ended in another model or without any p-value."""
    without = np.isnan(found["coef_p"]).all(axis=1)
    return (found["failed"] > 0) | (found["fell_back"] > 0) | without


def other_errors(names, level=0.1):
    """False positives of the other standard errors, joint test, Bonferroni."""
    rows = []
    for world, arms, _ in _worlds("null", names):
        if "HC2" in arms:
            row = {"world": world.title, "n": world.n}
            for arm in ("default", "HC2", "nonrobust", "hypothesaes"):
                row[TITLES[arm]] = rate_of_findings(
                    arms[arm], "coef_p", level, "bonferroni"
                )
            rows.append(row)
    return rows


def chunks_as_rows(names, level=0.1):
    """How many of 20 are called significant where chunks share their document's y."""
    rows = []
    for world, arms, _ in _worlds("null", names):
        if not world.has_documents:
            continue
        row = {"world": world.title}
        for arm in ("default", "no groups", "hypothesaes"):
            found = arms[arm]
            adjusted = adjust(found["coef_p"], found["n_tested"], "bonferroni")
            row[TITLES[arm]] = float((adjusted <= level).sum(axis=1).mean())
        rows.append(row)
    return rows


# Coverage ---------------------------------------------------------------------------


def covered(found, figure, true):
    """Whether each interval covers; NaN where there is none, or no truth."""
    lower, upper = found[f"{figure}_lower"], found[f"{figure}_upper"]
    inside = ((lower <= true) & (true <= upper)).astype(float)
    return np.where(np.isnan(lower) | np.isnan(upper) | np.isnan(true), np.nan, inside)


def coverage(names):
    """Coverage of 95 % intervals, of all hypotheses and of the planted ones alone."""
    rows = []
    for kind in ("null", "planted"):
        for world, arms, about in _worlds(kind, names):
            found, true = arms["default"], truth(world, kind == "planted")
            row = {
                "world": world.title,
                "n": world.n,
                "effects": "none" if kind == "null" else "5 planted",
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
            row["of the planted: joint, marginal, separation"] = "-"
            if kind == "planted":
                row["of the planted: joint, marginal, separation"] = _of_planted(
                    world, found, true
                )
            rows.append(row)
    return rows


def _coverage(inside):
    """Coverage with its Monte Carlo error over runs, and what has no interval."""
    by_run = np.nanmean(inside, axis=1)
    mean, error = np.nanmean(inside), np.std(by_run, ddof=1) / len(by_run) ** 0.5
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


def power(names, level=0.1):
    """Share of the planted effects that are found, where hypothesaes holds its level.

    Ours by its default correction (Holm) with each kind of standard error,
    hypothesaes' by its own (Bonferroni).
    """
    rows = []
    for world, arms, _ in _worlds("planted", names):
        null = read(world.name, "null")[0]
        for test, figure in TESTS.items():
            if not null or not _both_hold(null, figure, level):
                continue
            row = {"world": world.title, "n": world.n, "test": test}
            hits = {}
            for arm in arms_of(world):
                if arm == "hypothesaes" or (test == "joint" or arm == "default"):
                    hits[arm] = _hits(world, arms[arm], arm, figure, level)
            for arm in ("default", "HC2", "nonrobust", "hypothesaes"):
                row[TITLES[arm]] = f"{hits[arm].mean():.3f}" if arm in hits else "-"
            gain = hits["default"] - hits["hypothesaes"]
            error = gain.std(ddof=1) / len(gain) ** 0.5
            row["ours − hypothesaes"] = f"{gain.mean():+.3f} ± {error:.3f}"
            row["no less"] = "yes" if gain.mean() >= -2 * error else "**no**"
            rows.append(row)
    return rows


def _both_hold(null, figure, level):
    for arm, method in (("default", "holm"), ("hypothesaes", "bonferroni")):
        wrong = any_finding(null[arm], figure, level, method)
        if exceeds(wrong.mean(), level, len(wrong)):
            return False
    return True


def _hits(world, found, arm, figure, level):
    """Share of the planted effects found in each run."""
    method = "bonferroni" if arm == "hypothesaes" else "holm"
    adjusted = adjust(found[figure], found["n_tested"], method)
    return (adjusted[:, list(world.true)] <= level).mean(axis=1)


# What the tables rest on ------------------------------------------------------------


def consistency(names):
    """Largest difference between the tables' Holm p-values and `adjust`."""
    gaps = {"p_corrected": "coef_p", "separation_p_corrected": "separation_p"}
    worst = dict.fromkeys(gaps, 0.0)
    for kind in ("null", "planted"):
        for _, arms, _ in _worlds(kind, names):
            found = arms["default"]
            for corrected, raw in gaps.items():
                mine = adjust(found[raw], found["n_tested"], "holm")
                known = ~np.isnan(found[corrected]) & ~np.isnan(found[raw])
                gap = np.abs(mine - found[corrected])[known]
                worst[corrected] = max(worst[corrected], gap.max(initial=0.0))
    return worst


def failures(names):
    """Runs in which this package raised, by world; empty where none did."""
    return {
        f"{world.name}, {kind}": int(arms["default"]["failed"].sum())
        for kind in ("null", "planted")
        for world, arms, _ in _worlds(kind, names)
        if arms["default"]["failed"].any()
    }


def sources(names):
    """One line per commit that runs come from."""
    seen = {}
    for kind in ("null", "planted"):
        for world, _, about in _worlds(kind, names):
            entry = f"{world.name} ({kind}, {about['runs']}, {about['seconds']:.0f} s)"
            seen.setdefault(about["commit"], []).append(entry)
    return [f"{commit}: {', '.join(entries)}" for commit, entries in seen.items()]
