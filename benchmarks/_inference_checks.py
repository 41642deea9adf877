"""Single cases: perfect predictors, other packages, noise, a hidden effect."""

import io
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
from _common import load_tweets
from _inference_alternatives import alternatives
from _inference_runs import evaluate, theirs
from _inference_samples import Sample
from _inference_speed import speed
from _inference_worlds import N_HYPOTHESES
from scipy import stats
from statsmodels.api import OLS, Logit
from statsmodels.stats.multitest import multipletests

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._multiple_tests import CORRECTIONS
from sklearn_hypo.exceptions import HypothesisWarning

SEED = 20


def quiet_table(A, y, **settings):
    """Return a table of this package without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        return evaluate_annotations(A, y, n_resamples=0, **settings).table


# A logit that separates -------------------------------------------------------------


def separated(runs, jobs):
    """Rows of the table of perfect predictors, n = 500."""
    rows, n = [], 500
    for prevalence in (0.5, 0.2, 0.05):
        for others in (0, 19):
            for sign in (1, -1):
                rng = np.random.default_rng(SEED)
                A = (rng.random((n, 1 + others)) < 0.3).astype(float)
                A[:, 0] = rng.permutation(n) < prevalence * n
                y = A[:, 0] if sign == 1 else 1 - A[:, 0]
                rows.append(_perfect(A, y, prevalence, sign))
    return rows


def _perfect(A, y, prevalence, sign):
    ours = quiet_table(A, y, task="classification").iloc[0]
    other = evaluate(Sample(A, y), "classification", None)
    met = (
        np.isfinite(ours["coef"]) and ours["coef"] * sign > 0 and ours["coef_p"] < 0.05
    )
    return {
        "prevalence": prevalence,
        "other hypotheses": A.shape[1] - 1,
        "y": "a" if sign == 1 else "1 - a",
        "coef": f"{ours['coef']:.2f}",
        "95 %": f"{ours['coef_lower']:.1f} to {ours['coef_upper']:.1f}",
        "p": f"{ours['coef_p']:.1e}",
        "p, corrected": f"{ours['p_corrected']:.1e}",
        "finite, right sign, p < 0.05": "yes" if met else "**no**",
        "hypothesaes' coef": _or_crash(other, f"{other['coef'][0]:.2f}"),
        "its p": _or_crash(other, f"{other['coef_p'][0]:.2g}"),
        "it falls back on least squares": "yes" if other["fell_back"] else "no",
    }


def _or_crash(found, text):
    return "crash" if found["failed"] else text


# Agreement with statsmodels and SciPy -----------------------------------------------


def agreement(runs, jobs):
    """Largest differences on shared cases."""
    found = {}
    for seed in range(5):
        for n in (200, 2000):
            rng = np.random.default_rng([SEED, seed, n])
            A = (rng.random((n, 10)) < np.linspace(0.1, 0.6, 10)).astype(float)
            y = A @ rng.normal(size=10) * 0.3 + rng.normal(size=n) * (1 + A[:, 0])
            for name, mine, other in [
                *_least_squares(A, y),
                *_welch(A, y),
                *_classes(A, y > np.quantile(y, 0.6)),
                *_corrections(A, y),
            ]:
                found.setdefault(name, []).append(_difference(mine, other))
    rows = []
    for name, pairs in found.items():
        absolute, relative = np.max(pairs, axis=0)
        met = "yes" if min(absolute, relative) <= 1e-8 else "**no**"
        rows.append(
            {
                "figure": name,
                "largest difference": f"{absolute:.1e}",
                "relative": f"{relative:.1e}",
                "to 1e-8": met,
            }
        )
    return rows


def _difference(mine, other):
    mine, other = np.asarray(mine, float), np.asarray(other, float)
    if mine.shape != other.shape or not (np.isnan(mine) == np.isnan(other)).all():
        return np.inf, np.inf
    gap = np.abs(mine - other)
    scale = np.maximum(np.abs(other), np.finfo(float).tiny)
    return np.nanmax(gap), np.nanmax(gap / scale)


def _least_squares(A, y):
    for kind in ("HC3", "HC2", "nonrobust"):
        table = quiet_table(A, y, task="regression", cov_type=kind)
        fit = OLS(y, np.column_stack([np.ones(len(A)), A])).fit(
            cov_type=kind, use_t=True
        )
        yield "OLS, coefficients", table["coef"], fit.params[1:]
        yield f"OLS, {kind} standard errors", table["coef_se"], fit.bse[1:]
        if kind == "nonrobust":
            yield "OLS, classical p-values", table["coef_p"], fit.pvalues[1:]
            yield "OLS, classical intervals", table["coef_upper"], fit.conf_int()[1:, 1]


def _welch(A, y):
    table = quiet_table(A, y, task="regression", cov_type="HC3")
    for a, (_, row) in zip(A.T, table.iterrows(), strict=True):
        test = stats.ttest_ind(y[a == 1], y[a == 0], equal_var=False)
        # no more degrees of freedom than equal variances would leave
        n = np.array([a.sum(), (1 - a).sum()])
        df = min(test.df, np.sum(1 / n) ** 2 / np.sum(1 / n**2 / (n - 1)))
        se = row["separation"] / test.statistic
        upper = row["separation"] + stats.t.ppf(0.975, df) * se
        p = 2 * stats.t.sf(abs(test.statistic), df)
        yield "Welch, Bell and McCaffrey, p-values", row["separation_p"], p
        yield "Welch, Bell and McCaffrey, intervals", row["separation_upper"], upper


def _classes(A, y):
    table = quiet_table(A, y, task="classification")
    counts = [[[(a[y] == v).sum(), (a[~y] == v).sum()] for v in (1, 0)] for a in A.T]
    fisher = [stats.fisher_exact(table).pvalue for table in counts]
    yield "Fisher's exact test, p-values", table["separation_p"], fisher
    if (table["method"] == "logit").all():
        X = np.column_stack([np.ones(len(A)), A])
        fit = Logit(y.astype(float), X).fit(disp=0, method="newton", tol=1e-12)
        yield "logit, coefficients", table["coef"], fit.params[1:]
        yield "logit, standard errors", table["coef_se"], fit.bse[1:]
        effects = fit.get_margeff(dummy=True)
        yield "logit, marginal effects", table["ame"], effects.margeff
        yield "logit, their standard errors", table["ame_se"], effects.margeff_se


def _corrections(A, y):
    for name in set(CORRECTIONS) - {"step-down"}:  # which statsmodels lacks
        settings = {"task": "regression", "cov_type": "HC3", "correction": name}
        table = quiet_table(A, y, **settings)
        other = multipletests(table["coef_p"], method=name)[1]
        yield f"multipletests, {name}", table["p_corrected"], other


# Scores of noise --------------------------------------------------------------------


def noise(runs, jobs):
    """Cross-fitted scores of 20 hypotheses that say nothing, n = 200."""
    rows, runs = [], min(runs, 500)
    for task, aim in (("regression", "<= 0"), ("classification", "0.5 +- 0.02")):
        mine, other = [], []
        for seed in range(runs):
            rng = np.random.default_rng([SEED, seed])
            A = (rng.random((200, N_HYPOTHESES)) < 0.3).astype(float)
            y = rng.normal(size=200)
            y = y if task == "regression" else (y > np.median(y)).astype(float)
            mine.append(_cross_fitted(A, y, task))
            other.append(theirs(Sample(A, y), task)["score"])
        mean = np.mean(mine)
        error = np.std(mine, ddof=1) / runs**0.5
        met = mean <= 0 if task == "regression" else abs(mean - 0.5) <= 0.02
        rows.append(
            {
                "score": "R²" if task == "regression" else "ROC AUC",
                "runs": runs,
                "aim": aim,
                "cross-fitted": f"{mean:.3f} +- {error:.3f}",
                "met": "yes" if met else "**no**",
                "hypothesaes": f"{np.mean(other):.3f}",
            }
        )
    return rows


def _cross_fitted(A, y, task):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        report = evaluate_annotations(A, y, task=task, n_resamples=0)
    overall = report.overall.set_index("name")["value"]
    return overall[
        "r2_cross_fitted" if task == "regression" else "roc_auc_cross_fitted"
    ]


# A near-duplicate that hides an effect ----------------------------------------------


def twin(runs, jobs):
    """An effect of 0.25 sd, n = 2,000, and a twin that agrees on 97 % of the rows."""
    from sklearn_hypo._inference._design import Design
    from sklearn_hypo._inference._redundancy import measure_redundancy

    runs, counts = min(runs, 500), {}
    names = [f"hypothesis {j}" for j in range(N_HYPOTHESES)]
    for seed in range(runs):
        rng = np.random.default_rng([SEED, seed])
        A = (rng.random((2000, N_HYPOTHESES)) < 0.3).astype(float)
        A[:, 1] = np.where(rng.random(2000) < 0.03, 1 - A[:, 0], A[:, 0])
        y = 0.25 * A[:, 0] + rng.normal(size=2000)
        table = quiet_table(A, y, task="regression", names=names)
        other = theirs(Sample(A, y), "regression")
        pairs = measure_redundancy(A, names, Design()).pairs
        near = set(map(frozenset, pairs[["first", "second"]].to_numpy()))
        for name, holds in {
            "hypothesaes: significant in its regression": other["coef_p"][0] < 0.005,
            "joint test of ours: significant": table["p_corrected"][0] < 0.1,
            "marginal test of ours: significant": table["separation_p_corrected"][0]
            < 0.1,
            "twin named": frozenset(names[:2]) in near,
            "another pair named": bool(near - {frozenset(names[:2])}),
        }.items():
            counts.setdefault(name, []).append(holds)
    return [
        {"true effect beside a 97 % twin": name, "share of the runs": np.mean(values)}
        for name, values in counts.items()
    ]


# Prediction-powered estimates, and the page of a report -----------------------------


def ppi(runs, jobs):
    """Correction of annotation error; see `_inference_ppi`."""
    from _inference_ppi import run

    table = run(n_runs=min(runs, 300), seed=SEED)
    return table.astype(object).to_dict("records")


def page(runs, jobs):
    """Size of a report's page, and seconds to build it: 20 x 27,480 tweets.

    The texts are those of the training and validation rows, some twice: the held-out
    rows are looked at by nothing but their own benchmark.
    """
    from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline
    from sklearn_hypo.datasets._tweets import tweets_reference_split

    tweets = load_tweets()
    train, validation, _ = tweets_reference_split(tweets)
    rows = np.concatenate([train, validation])
    rows = np.concatenate([rows, rows])[: len(tweets.data)]
    texts, y = np.asarray(tweets.data, dtype=object)[rows], tweets.target[rows]
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_hypothesis_pipeline(n_texts=5000, random_state=0)
        pipeline.fit(texts[:5000], y[:5000])
        start = time.perf_counter()
        report = evaluate_hypotheses(pipeline, texts, y)
        evaluated = time.perf_counter() - start
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            report.to_html(path)
            size = path.stat().st_size
    built = time.perf_counter() - start
    met = size <= 3e6 and built <= 10
    return [
        {
            "hypotheses": len(report.table),
            "texts": f"{len(texts):,}",
            "MB": size / 1e6,
            "seconds to build": built,
            "<= 3 MB, <= 10 s": "yes" if met else "**no**",
            "seconds to evaluate": evaluated,
        }
    ]


PARTS = {
    "speed": speed,
    "alternatives": alternatives,
    "separated": separated,
    "agreement": agreement,
    "noise": noise,
    "twin": twin,
    "ppi": ppi,
    "page": page,
}
