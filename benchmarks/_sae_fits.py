"""Whole fits side by side: time to quality, quality, and dictionary learning."""

import itertools
import statistics

import numpy as np
from _common import append_to_ledger
from _sae_data import load_split
from _sae_packages import ours, theirs, warm_up
from _sae_setup import K, Result, configurations
from scipy.optimize import linear_sum_assignment
from sklearn.linear_model import LinearRegression, RidgeCV

from sklearn_hypo import NeuronSelector

N_SELECT = 20


# Time to quality ----------------------------------------------------------------------


def reach(options):
    """Time whole fits with the defaults as shipped against those of hypothesaes."""
    result = Result()
    summary, seeds = [], []
    warm_up()
    for configuration in configurations(options):
        split = load_split(configuration.data, options)
        mine, other = [], []
        for seed in range(max(options.seeds, options.their_seeds)):
            if seed < options.seeds:
                mine.append(ours(configuration, split, seed))
            if seed < options.their_seeds:
                other.append(theirs(configuration, split, seed, options, measure=True))
        _compare_times(result, configuration, split, mine, other, (summary, seeds))
    result.table("Whole fits: time and final validation error", summary)
    result.table("Every seed", seeds)
    result.note(
        f"""Ours is `SparseAutoencoderTransformer(M, {K}, prefix_lengths=...).fit(X)` on
        the training rows, with the defaults as shipped: its own validation rows come
        out of them. hypothesaes is `SparseAutoencoder(d, M, {K}, prefix_lengths=...)
        .fit(X_train, X_val, batch_size=512, n_epochs=100, patience=3)`, which watches
        the very validation rows that are scored. The error is the fraction of variance
        unexplained of these rows by all neurons, around the mean of the training rows,
        of the codes that each package gives at inference; `1 - score` differs from it
        by its denominator, the variance of the training rows. A seed has reached it
        if its error is no larger than the mean error of hypothesaes in this table.
        Times are medians, of {options.seeds} seeds of ours and {options.their_seeds} of
        hypothesaes, in turn in one process on {options.threads} thread(s), imports
        warm. "Snippets" are {_snippet_rows(options)}."""
    )
    return result


def _snippet_rows(options):
    split = load_split("snippets", options)
    return (
        f"the Amazon review snippets and the tweets of VADER, {len(split.train):,} for "
        f"training and {len(split.validation):,} for validation, snippets of one "
        "review together"
    )


def _compare_times(result, configuration, split, mine, other, tables):
    their_errors = [fitted.error(split) for fitted in other]
    errors = [fitted.error(split) for fitted in mine]
    aim = statistics.fmean(their_errors)
    reached = sum(error <= aim for error in errors)
    seconds, their_seconds = (
        statistics.median(fitted.seconds for fitted in fits) for fits in (mine, other)
    )
    all_reached = reached == len(errors)
    share = f"{reached} of {len(errors)}"
    times = their_seconds / seconds
    result.faster(
        f"whole fit to hypothesaes's error: {configuration}",
        times,
        configuration.floor,
        configuration.aim,
        valid=all_reached,
        remark="" if all_reached else f", **but only {share} seeds reach the error**",
    )
    summary, seeds = tables
    summary.append(
        {
            "data": configuration.data,
            "rows": len(split.train),
            "M": configuration.n_neurons,
            "prefixes": str(configuration.prefixes or "-"),
            "hypothesaes, s": their_seconds,
            "ours, s": seconds,
            "ratio": f"1/{times:.1f}",
            "its error": f"{aim:.4f}",
            "our error": f"{statistics.fmean(errors):.4f}",
            "worst seed": f"{max(errors):.4f}",
            "reached": share if all_reached else f"**{share}**",
        }
    )
    for package, fits, found in (
        ("hypothesaes", other, their_errors),
        ("ours", mine, errors),
    ):
        for seed, (fitted, error) in enumerate(zip(fits, found, strict=True)):
            is_reached = "yes" if error <= aim else "**no**"
            seeds.append(
                {
                    "configuration": str(configuration),
                    "package": package,
                    "seed": seed,
                    "fit, s": fitted.seconds,
                    "stopped after": fitted.remark,
                    "error": f"{error:.4f}",
                    "reached": is_reached if package == "ours" else "-",
                }
            )


# Quality ------------------------------------------------------------------------------

# figure -> which direction is better; None where neither is
MEASURES = {
    "explained variance": 1,
    "dead neurons": -1,
    "active neurons per row": None,
    "R² of 20 neurons": 1,
    "R² of all neurons": 1,
    "agreement of features": 1,
    "share of features above 0.7": 1,
}


def quality(options):
    """Compare what the fits are worth, over seeds."""
    result, recorded = Result(), {}
    for configuration in configurations(options):
        split = load_split(configuration.data, options)
        found = {
            "ours": measure(
                [ours(configuration, split, s) for s in range(options.seeds)], split
            ),
            "hypothesaes": measure(
                [
                    theirs(configuration, split, s, options)
                    for s in range(options.seeds)
                ],
                split,
            ),
        }
        rows, worse = quality_rows(found)
        result.table(f"Quality: {configuration}", rows)
        result.figure(
            f"quality: {configuration}",
            "worse: " + ", ".join(worse) if worse else "nothing worse",
            "no worse than hypothesaes by more than its seed noise",
            floor_met=not worse,
        )
        if split.scored_rows == "holdout":
            recorded[str(configuration)] = {
                package: float(np.mean(values["R² of 20 neurons"]))
                for package, values in found.items()
            }
    if recorded:
        described = {"part": "quality", "k": K, "seeds": options.seeds}
        append_to_ledger("sae", described, recorded)
    rows = "holdout" if options.holdout else "validation"
    result.note(
        f"""Mean and standard deviation of {options.seeds} seeds of each package; of
        agreement, of all pairs of seeds. Explained variance and active neurons are of
        validation rows, dead neurons are those that no training row activates. R² are
        of linear models fitted on the codes of the training rows (20 neurons by
        `NeuronSelector(20, method="lasso")`, least squares; all neurons by ridge) and
        scored on {rows} rows of the tweets, validation rows of the snippets. Agreement
        is the mean cosine of decoder rows of two seeds, matched one to one so that
        their sum is largest. "Worse" means a mean that is worse than hypothesaes's by
        more than the standard deviation of its seeds."""
    )
    return result


def measure(fits, split):
    """Return a list of values for every measure, by seed or pair of seeds."""
    values = {name: [] for name in MEASURES}
    for fitted in fits:
        codes, scored = fitted.encode(split.train), fitted.encode(split.scored)
        active = fitted.encode(split.validation) > 0
        values["explained variance"].append(1 - fitted.error(split))
        values["dead neurons"].append(int((~(codes > 0).any(axis=0)).sum()))
        values["active neurons per row"].append(float(active.sum(axis=1).mean()))
        values["R² of 20 neurons"].append(top_r2(codes, scored, split))
        model = RidgeCV(np.logspace(-2, 3, 11)).fit(codes, split.y)
        values["R² of all neurons"].append(model.score(scored, split.y_scored))
    for one, other in itertools.combinations([f.directions for f in fits], 2):
        cosine = _unit(one) @ _unit(other).T
        matched = cosine[linear_sum_assignment(cosine, maximize=True)]
        values["agreement of features"].append(float(matched.mean()))
        values["share of features above 0.7"].append(float((matched > 0.7).mean()))
    return values


def _unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def top_r2(codes, scored, split):
    """Return R² of a linear model of the 20 neurons that the lasso path names."""
    select = NeuronSelector(N_SELECT, method="lasso").fit(codes, split.y)
    model = LinearRegression().fit(select.transform(codes), split.y)
    return float(model.score(select.transform(scored), split.y_scored))


def quality_rows(found):
    """Return the rows of the table, and the names of the measures that are worse."""
    rows, worse = [], []
    for name, direction in MEASURES.items():
        values, others = found["ours"][name], found["hypothesaes"][name]
        if not (values and others):  # one seed has nobody to agree with
            continue
        gain, verdict = statistics.fmean(values) - statistics.fmean(others), "-"
        noise = statistics.stdev(others) if len(others) > 1 else 0.0
        if direction is not None:
            is_worse = direction * gain < -noise - 1e-12
            verdict = "**worse**" if is_worse else "no worse"
            verdict = "better" if direction * gain > noise else verdict
            worse += [name] if is_worse else []
        rows.append(
            {
                "figure": name,
                "ours": spread(values),
                "hypothesaes": spread(others),
                "difference": f"{gain:+.3f}",
                "beyond seed noise": verdict,
            }
        )
    return rows, worse


def spread(values):
    """Format mean and standard deviation."""
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{deviation}"


PARTS = {"reach": reach, "quality": quality}
