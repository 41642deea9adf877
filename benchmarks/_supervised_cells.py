"""What is run for one data set at one size, what is chosen, and what comes of it."""

from dataclasses import dataclass, field

import numpy as np
from _supervised_arms import ALPHAS, BETAS, Unit, sizes
from _supervised_scores import bootstrap, difference, resamples

ARMS = {
    "unsupervised": "unsupervised",
    "double": "unsupervised, twice the neurons",
    "augmented": "unsupervised, ridge prediction appended",
    "pls": "PLS, 20 components",
    "ceiling": "ceiling: dense ridge or logit",
    "floor": "floor: 20 random neurons",
}


@dataclass
class Cell:
    """One data set at one size.

    Attributes
    ----------
    data, task, metric : str
    n : int or None
        Training rows asked for; None for all.
    sizes : tuple of int
        Neurons, and active ones.
    alpha, beta : float
        As chosen on validation rows.
    sweep : dict of float to list of dict
        Figures on validation rows by alpha, one entry per seed.
    runs : dict of str to list of dict
        Figures on the scored rows by arm, one entry per seed.
    differences : dict of str to dict
        Of the supervised arm and each other one; see `difference`.
    """

    data: str
    task: str
    metric: str
    n: int | None
    sizes: tuple
    alpha: float = np.nan
    beta: float = np.nan
    sweep: dict = field(default_factory=dict)
    runs: dict = field(default_factory=dict)
    differences: dict = field(default_factory=dict)

    @property
    def n_train(self):
        return int(np.median(self.values("unsupervised", "n_train")))

    def label(self):
        whole = ", all" if self.n is None else ""
        return {"data": self.data, "rows": f"{self.n_train:,}{whole}"}

    def values(self, arm, figure="score"):
        return [run[figure] for run in self.runs[arm]]

    def mean(self, arm, figure="score"):
        return float(np.mean(self.values(arm, figure)))


def alphas(options):
    return (0.0, 1.0) if options.quick else ALPHAS


def betas(options):
    return BETAS[:1] if options.quick else BETAS


def new_cell(case, n, options):
    n_rows = len(case.train) if n is None else n
    return Cell(
        case.name, case.task, case.metric, n, sizes(n_rows, quick=options.quick)
    )


def _units(cell, options, arm, value=None, **settings):
    return [
        Unit(cell.data, cell.n, seed, arm, value, quick=options.quick, **settings)
        for seed in range(options.seeds)
    ]


# Stage 1: alpha and beta, on validation rows ------------------------------------------


def units_to_choose(cell, options):
    """Return the units that alpha and beta are chosen by, as {(arm, value): units}."""
    return {
        ("supervised", alpha): _units(cell, options, "supervised", alpha)
        for alpha in alphas(options)
    } | {
        ("augmented", beta): _units(cell, options, "augmented", beta)
        for beta in betas(options)
    }


def choose(cell, options, results):
    """Choose alpha and beta by the mean score over the seeds."""
    found = {
        key: [results[unit][0] for unit in units]
        for key, units in units_to_choose(cell, options).items()
    }
    cell.sweep = {a: found["supervised", a] for a in alphas(options)}

    def mean(runs, figure="score"):
        return np.mean([run[figure] for run in runs])

    def under_cap(values, runs):
        """Keep the values that are no closer to the label than the cap allows."""
        if not is_capped:
            return list(values)
        figure = "largest correlation"
        kept = [v for v in values if mean(runs[v], figure) <= options.cap]
        return kept or [min(values, key=lambda v: mean(runs[v], figure))]

    by_beta = {b: found["augmented", b] for b in betas(options)}
    plain = mean(cell.sweep[0.0], "largest correlation")
    is_capped = options.cap is not None and plain <= options.cap
    allowed = under_cap(alphas(options), cell.sweep)
    cell.alpha = max(allowed, key=lambda a: mean(cell.sweep[a]))
    allowed = under_cap(betas(options), by_beta)
    cell.beta = max(allowed, key=lambda b: mean(by_beta[b]))


# Stage 2: everything chosen, on the rows that are scored ------------------------------


def units_to_score(cell, options):
    """Return the units of every arm as chosen, as {arm: units}."""
    rows = "holdout" if options.holdout else "validation"
    values = {
        "supervised": cell.alpha,
        "unsupervised": None,
        "double": None,
        "augmented": cell.beta,
        "pls": None,
        "ceiling": None,
    }
    return {
        arm: _units(
            cell,
            options,
            arm,
            value,
            rows=rows,
            details=arm not in ("pls", "ceiling"),
        )
        for arm, value in values.items()
    }


def collect(cell, case, options, results):
    """Gather the figures of every arm and compare them."""
    units = units_to_score(cell, options)
    cell.runs = {arm: [results[u][0] for u in us] for arm, us in units.items()}
    cell.runs["floor"] = [{"score": run["floor"]} for run in cell.runs["unsupervised"]]
    predictions = {
        arm: [results[u][1]["prediction"] for u in us] for arm, us in units.items()
    }
    predictions["floor"] = [results[u][1]["floor"] for u in units["unsupervised"]]
    scored = case.holdout if options.holdout else case.validation
    weights = resamples(case.groups[scored])
    resampled = {
        arm: bootstrap(case.y[scored], found, case.task, weights)
        for arm, found in predictions.items()
    }
    cell.differences = {
        arm: difference(
            cell.values("supervised"),
            cell.values(arm),
            resampled["supervised"],
            resampled[arm],
        )
        for arm in ARMS
    }
