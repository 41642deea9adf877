"""Counts of attention as a target: on which scale are hypotheses to be found?

Concepts are planted into generated texts and multiply the mean of a count (likes,
votes) whose tail grows from world to world. The pipeline is fitted on the counts as
they are, on log(1 + y), and on ranks, and judged on texts that were not used in it.

    python benchmarks/counts.py             # ten minutes of one core
    python benchmarks/counts.py --seeds 1   # two minutes
    python benchmarks/counts.py --write     # and docs/benchmarks/counts.md
"""

import argparse
import warnings

from _common import command_line, markdown_table, pin_threads, write_table

pin_threads(1)

import numpy as np
import pandas as pd
from _discovery import f1_matrix
from joblib import Parallel, delayed
from scipy.stats import rankdata

from sklearn_hypo import evaluate_annotations, make_hypothesis_pipeline
from sklearn_hypo._inference._count_model import fit_quasi_poisson
from sklearn_hypo._inference._robust_covariance import t_inference
from sklearn_hypo.datasets import make_concept_texts

N_FIT, N_TEST, N_CONCEPTS = 2000, 1000, 10
EFFECT = 0.6  # log rate ratios are so many times the effects of the generator, 2 to 1

# A count is Poisson's, with a mean that the concepts multiply, and that varies beside
# them: by a gamma of so little shape, or by a lognormal of so large a sd.
WORLDS = {
    "even (gamma, shape 1)": {"shape": 1.0},
    "long tail (lognormal, sd 1.5)": {"sd": 1.5},
    "whales (lognormal, sd 2.2)": {"sd": 2.2},
}

SCALES = ("identity", "log1p", "rank")

# Intervals of rate ratios: hypotheses in so large a share of texts
SHARES = (0.5, 0.2, 0.05, 0.02)
N_RUNS = 400


def make_counts(truth, coef, rng, *, shape=None, sd=None):
    """Draw counts of which the concepts multiply the mean."""
    n = len(truth)
    varies = (
        rng.lognormal(-(sd**2) / 2, sd, n) if sd else rng.gamma(shape, 1 / shape, n)
    )
    return rng.poisson(np.exp(EFFECT * truth @ coef) * varies)


def run_cell(world, scale, seed):
    """Fit on one scale, and judge on other texts."""
    data = make_concept_texts(N_FIT + N_TEST, n_concepts=N_CONCEPTS, random_state=seed)
    y = make_counts(data.truth, data.coef, np.random.default_rng(seed), **WORLDS[world])
    fit, test = slice(N_FIT), slice(N_FIT, None)
    pipe = make_hypothesis_pipeline(
        "lsa",
        n_texts=N_FIT,
        target_scale="identity" if scale == "rank" else scale,
        task="regression",
        random_state=seed,
    )
    pipe.set_params(embed__n_components=32)
    learned = rankdata(y[fit]) if scale == "rank" else y[fit]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        annotations = pipe.fit(data.data[fit], learned).transform(data.data[test])
        reports = {
            kind: evaluate_annotations(
                annotations.to_numpy(),
                np.log1p(y[test]) if kind == "log" else y[test],
                names=list(annotations.columns),
                target="count" if kind == "count" else "quantity",
                n_resamples=0,
            )
            for kind in ("count", "quantity", "log")
        }
        truth = evaluate_annotations(
            data.truth[test], y[test], target="count", n_resamples=0
        )
    f1 = f1_matrix(annotations, data.truth[test])
    means = {k: r.overall.set_index("name")["value"] for k, r in reports.items()}
    return {
        "world": world,
        "scale": scale,
        "zeros": np.mean(y == 0),
        "largest": y.max(),
        "found": (f1.max(axis=1) >= 0.7).sum(),
        "median F1": np.median(f1.max(axis=1)),
        "R² on log(1 + y)": means["count"]["r2_cross_fitted"],
        "R² on y": means["quantity"]["r2_cross_fitted"],
        "of the truth, log(1 + y)": truth.overall.set_index("name")["value"][
            "r2_cross_fitted"
        ],
        "significant": reports["count"].n_significant,
        "significant, log": reports["log"].n_significant,
    }


def cover(world, n_rows, n_runs=N_RUNS):
    """Share of 95 % intervals of rate ratios that hold the true one, by prevalence."""
    rng = np.random.default_rng(1000)
    coef = np.array([1.0, 0.0, 0.0, 1.0])
    covered = []
    for _ in range(n_runs):
        truth = (rng.random((n_rows, len(SHARES))) < SHARES).astype(float)
        y = make_counts(truth, coef, rng, **WORLDS[world])
        if not truth[y > 0].any(axis=0).all():
            continue  # a ratio of 0, which has no interval
        fit = fit_quasi_poisson(np.column_stack([truth, np.ones(n_rows)]), y)
        lower, upper, _ = t_inference(fit.coef, fit.se, fit.df)
        covered.append((lower[:-1] <= EFFECT * coef) & (EFFECT * coef <= upper[:-1]))
    shares = np.mean(covered, axis=0)
    return {
        "counts": world,
        "texts": f"{n_rows:,}",
        **{
            f"in {100 * share:g} %": f"{value:.3f}"
            for share, value in zip(SHARES, shares, strict=True)
        },
    }


def spread(values, digits):
    """Format mean ± standard deviation over the seeds."""
    sd = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{sd}"


def tabulate(cells):
    rows = []
    for (world, scale), part in pd.DataFrame(cells).groupby(
        ["world", "scale"], sort=False
    ):
        rows.append(
            {
                "counts": world,
                "zeros": f"{100 * part['zeros'].mean():.0f} %",
                "largest": f"{part['largest'].median():,.0f}",
                "learned": scale,
                "concepts at F1 ≥ 0.7": spread(part["found"], 1),
                "median F1": spread(part["median F1"], 2),
                "R² on log(1 + y)": spread(part["R² on log(1 + y)"], 3),
                "of the truth": spread(part["of the truth, log(1 + y)"], 3),
                "R² on y": spread(part["R² on y"], 3),
                "significant, y": spread(part["significant"], 1),
                "significant, log(1 + y)": spread(part["significant, log"], 1),
            }
        )
    return markdown_table(rows)


NOTES = """\
Mean ± standard deviation over {n_seeds} seeds. {n_fit:,} texts to fit on, {n_test:,}
others to judge by; 10 concepts, each in 15 % of the texts, whose rate ratios are 3.3 to
1.8 upwards and downwards in turn. "Largest" is the median over the seeds. Pipelines are
those of `make_hypothesis_pipeline("lsa")` with 32 components, which is a fit of seconds
where concepts are found (see [planted](planted.md)).

- "Learned" is the scale that autoencoder, selection and extractor saw: the counts, as
  with `target_scale="identity"`; log(1 + y), which "auto" takes for counts; and ranks,
  ties in the middle, which are no option of the package.
- Concepts are found if some hypothesis marks the texts of the test nearly as the truth
  does. R² is cross-fitted on the texts of the test, by least squares on the
  annotations, and "of the truth" on the true concepts: about the most that there is.
- "Significant, y" counts hypotheses of the joint regression, which tests differences
  of means of y itself for whatever was learned; "significant, log(1 + y)" those where
  log(1 + y) is handed in as the target, which asks about typical texts.
- The second table is the share of 95 % intervals of `rate_ratio` that hold the true
  one ({n_runs} runs but for those where it is 0; Monte Carlo error 0.011), for
  hypotheses in half, a fifth, and so on of the texts, the first and the last of which
  have an effect. Where few texts and a long tail meet, the largest counts are not in
  the sample, and intervals are too short.
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="fits at a time")
    parser.add_argument("--write", action="store_true", help="write the page of docs/")
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    cells = Parallel(arguments.jobs, verbose=5)(
        delayed(run_cell)(world, scale, seed)
        for world in WORLDS
        for scale in SCALES
        for seed in seeds
    )
    intervals = [cover(world, n) for world in WORLDS for n in (500, 2000, 10_000)]
    table = f"{tabulate(cells)}\n\n{markdown_table(intervals)}"
    print(f"\n{table}")
    if arguments.write:
        notes = NOTES.format(
            n_seeds=arguments.seeds, n_fit=N_FIT, n_test=N_TEST, n_runs=N_RUNS
        )
        write_table("counts", "Counts of attention", command_line(), table, notes)


if __name__ == "__main__":
    main()
