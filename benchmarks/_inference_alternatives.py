"""What other usual tests do in the same worlds, by statsmodels: why none was taken."""

import warnings

import numpy as np
from _inference_runs import record_seeds
from _inference_samples import draw
from _inference_worlds import N_HYPOTHESES, WORLDS
from joblib import Parallel, delayed
from scipy import stats
from statsmodels.api import OLS, Logit, add_constant

LEVEL = 0.1
WORLD_OF = {
    "least squares, classical": (
        "normal-500",
        "unequal-500",
        "rare-500",
        "chunks-2000",
    ),
    "least squares, HC3, t with n - p": ("normal-500", "unequal-500", "rare-500"),
    "least squares, CR1, t with G - 1": ("chunks-2000",),
    "logit, Wald": ("binary-667", "binary-rare-2000"),
    "logit, likelihood ratio": ("binary-667", "binary-rare-2000"),
    "least squares on 0 and 1, HC3": ("binary-667", "binary-rare-2000"),
}


def p_values(name, sample):
    """p-values of the hypotheses by one of the tests; NaN where it fails."""
    X, y = add_constant(sample.A), sample.y
    if name.startswith("logit"):
        return _logit(X, y, likelihood_ratio="ratio" in name)
    model = OLS(y, X)
    if "CR1" in name:
        options = {"groups": sample.settings["groups"], "df_correction": True}
        return model.fit(cov_type="cluster", cov_kwds=options, use_t=True).pvalues[1:]
    if "HC3" in name:
        return model.fit(cov_type="HC3", use_t=True).pvalues[1:]
    return model.fit().pvalues[1:]


def _logit(X, y, *, likelihood_ratio):
    full = Logit(y, X).fit(disp=0, maxiter=100)
    if not likelihood_ratio:
        return full.pvalues[1:]
    found = []
    for j in range(1, X.shape[1]):
        reduced = Logit(y, np.delete(X, j, axis=1)).fit(disp=0, maxiter=100)
        found.append(stats.chi2.sf(max(2 * (full.llf - reduced.llf), 0), 1))
    return np.array(found)


def _one(name, world, seed):
    sample = draw(WORLDS[world], np.random.default_rng(seed), False)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation, no convergence: counted as found
        try:
            p = p_values(name, sample)
        except Exception:  # a test that cannot be made finds nothing
            return False
    return bool((np.nan_to_num(p, nan=1.0) < LEVEL / N_HYPOTHESES).any())


def alternatives(runs, jobs):
    """Share of null runs with a finding, level 0.1, Bonferroni."""
    rows, runs = [], min(runs, 400)
    for name, worlds in WORLD_OF.items():
        for world in worlds:
            seeds = record_seeds(world, "null", runs)
            found = Parallel(n_jobs=jobs, batch_size=10)(
                delayed(_one)(name, world, seed) for seed in seeds
            )
            share = float(np.mean(found))
            error = np.sqrt(max(share * (1 - share), 1 / runs) / runs)
            rows.append(
                {
                    "test": name,
                    "world": WORLDS[world].title,
                    "n": WORLDS[world].n,
                    "runs": runs,
                    "false positives": f"{share:.3f} ± {error:.3f}",
                }
            )
    return rows
