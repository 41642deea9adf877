"""Correction for annotation error, in worlds where the truth is known.

Four hypotheses of one prevalence, correlated at 0.3, move y by 0.5, -0.3, 0 and 0.3 of
its residual standard deviation. A machine annotates all texts and errs one way at a
rate of 20 per cent: it misses positives, or calls negatives positive, either at random
or only where y is above (40 per cent) what the hypotheses predict. People label 200
texts drawn at random. Figures are those of the first hypothesis.
"""

import numpy as np
import pandas as pd

N_LABELLED = 200
ERROR_RATE = 0.2
EFFECTS = np.array([0.5, -0.3, 0.0, 0.3])
CORRELATION = 0.3
ERRORS = ("missed", "false", "missed, by y", "false, by y")
METHODS = ("naive", "human only", "corrected")


def run(n_runs=1000, seed=0, *, sizes=(2000, 10000), prevalences=(0.1, 0.3)):
    """Simulate, and summarise bias, coverage and width of 95 % intervals.

    Parameters
    ----------
    n_runs : int
        Data sets per world.
    seed : int
        Of everything.
    sizes, prevalences : tuples
        Numbers of texts, and shares of them of which a hypothesis is true.

    Returns
    -------
    table : DataFrame
        One row per world, estimand and method: "n", "prevalence", "errors",
        "estimand", "truth", "method", "runs" (with an estimate), "bias", "bias_mcse",
        "sd", "coverage", "coverage_mcse", "width" (mean), "median_width".
    """
    tables = []
    for n in sizes:
        for prevalence in prevalences:
            for errors in ERRORS:
                world = {"n": n, "prevalence": prevalence, "errors": errors}
                # worlds share their texts, so that they differ by the errors alone
                rng = np.random.default_rng([seed, n, round(1000 * prevalence)])
                found = [_one_run(rng, **world) for _ in range(n_runs)]
                tables += [world | row for row in _summaries(found)]
    return pd.DataFrame(tables)


def make_world(rng, n, prevalence, errors):
    """Draw texts: true annotations, those of the machine, and y."""
    first = rng.random((n, 1)) < prevalence
    own = rng.random((n, 4)) < prevalence
    # share s of the first hypothesis' values: correlation s with it, s² elsewhere
    copied = rng.random((n, 4)) < CORRELATION
    truth = np.where(copied, first, own)
    truth[:, :1] = first
    noise = rng.normal(size=n)
    y = truth @ EFFECTS + noise
    rate = np.full((n, 1), ERROR_RATE)
    if errors.endswith("by y"):
        rate = 2 * ERROR_RATE * (noise[:, None] > 0)
    wrong = rng.random((n, 4)) < rate
    if errors.startswith("missed"):
        machine = truth & ~wrong
    else:
        machine = truth | wrong
    return truth.astype(float), machine.astype(float), y


def true_separation():
    """Separation of the first hypothesis: its effect and what it shares of others."""
    return EFFECTS[0] + CORRELATION * EFFECTS[1:].sum()


def _one_run(rng, n, prevalence, errors):
    """Estimates and intervals: 2 estimands x 3 methods x (value, lower, upper)."""
    from sklearn_hypo._annotation_error._fits import AnnotatedRows, fit_corrected
    from sklearn_hypo._inference._robust_covariance import linear_influence

    truth, machine, y = make_world(rng, n, prevalence, errors)
    human = np.full_like(truth, np.nan)
    human[:N_LABELLED] = truth[:N_LABELLED]  # rows are in random order
    ones = np.ones(n)
    rows = AnnotatedRows(machine, human, ones, ones, None, np.empty((n, 0)))
    labelled = np.arange(n) < N_LABELLED
    result = np.full((2, 3, 3), np.nan)
    if min(rows.count_labels(0, labelled)) < 5:
        return result  # as the public function has it
    for e, columns in enumerate(([0], [0, 1, 2, 3])):
        fits = fit_corrected(
            *(rows, y, columns, labelled, columns),
            model=linear_influence,
            tuning="diagonal",
        )
        for m, fit in enumerate((fits.naive, fits.human, fits.corrected)):
            result[e, m] = _interval(fit)
    return result


def _interval(fit):
    from sklearn_hypo._inference._robust_covariance import t_inference

    lower, upper, _ = t_inference(fit.estimate[0], fit.se[0], fit.df[0])
    return fit.estimate[0], lower, upper


def _summaries(found):
    found = np.array(found)
    for e, (estimand, truth) in enumerate(
        (("separation", true_separation()), ("coef", EFFECTS[0]))
    ):
        for m, method in enumerate(METHODS):
            value, lower, upper = found[:, e, m].T
            kept = np.isfinite(lower)
            value, lower, upper = value[kept], lower[kept], upper[kept]
            covers = (lower <= truth) & (truth <= upper)
            yield {
                "estimand": estimand,
                "truth": truth,
                "method": method,
                "runs": int(kept.sum()),
                "bias": value.mean() - truth,
                "bias_mcse": value.std(ddof=1) / np.sqrt(len(value)),
                "sd": value.std(ddof=1),
                "coverage": covers.mean(),
                "coverage_mcse": np.sqrt(
                    covers.mean() * (1 - covers.mean()) / kept.sum()
                ),
                "width": (upper - lower).mean(),
                "median_width": np.median(upper - lower),
            }
