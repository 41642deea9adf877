"""The table of a plan: what each hypothesis takes."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ._power import compute_power, find_scale


@dataclass(frozen=True)
class Way:
    """One way to enlarge a study.

    Parameters
    ----------
    vary : callable
        From scales, relative to the present study, to variances and their degrees of
        freedom.
    present : ndarray or float
        What there is now.
    fewest : int
        That make a study.
    """

    vary: object
    present: object
    fewest: int = 2

    def count(self, reaches, n_hypotheses):
        """Return how many reach an aim; infinite where no number does."""
        scale = find_scale(lambda x: reaches(*self.vary(x)), n_hypotheses)
        # a rounding error above a whole number is that number
        return np.maximum(np.ceil(scale * self.present * (1 - 1e-9)), self.fewest)


def list_ways(study, sizes):
    """List the ways to enlarge a study, by the name of what there are more of."""
    variance = study.variance
    ways = {"texts": Way(lambda x: variance.at(groups=x), sizes["texts"])}
    if sizes["groups"] is not None:
        ways["groups"] = Way(ways["texts"].vary, sizes["groups"])
        size = sizes["texts"] / sizes["groups"]
        ways["texts_per_group"] = Way(lambda x: variance.at(size=x), size, 1)
    if np.any(variance.between + variance.noise > 0):
        a = variance.n_annotators
        ways["annotators"] = Way(
            lambda x: variance.at(n_annotators=np.maximum(a * x, 1.0)),
            a,
            2 if variance.is_estimated else 1,
        )
    return ways


def choose_effects(effect, study):
    """The true effects that power is computed for: sizes, of any sign."""
    if not isinstance(effect, str):
        return effect
    if effect == "estimate":
        return np.abs(study.estimate)
    holds_zero = (study.lower <= 0) & (study.upper >= 0)
    nearer = np.minimum(np.abs(study.lower), np.abs(study.upper))
    return np.where(holds_zero, 0.0, nearer)


def compute_powers(study, effects, variance, df):
    """Power of studies with such variances; NaN without an estimate."""
    found = compute_power(effects, np.sqrt(variance), df, study.level)
    return np.where(np.isnan(study.estimate) | np.isnan(variance), np.nan, found)


def tabulate_plan(names, study, labels, effect, sizes, power, half_width):
    """One row per hypothesis: see `StudyPlan`."""
    effects = choose_effects(effect, study)
    present = study.variance.at()
    columns = {
        "hypothesis": pd.Series(names, dtype=object),
        "estimate": study.estimate,
        "lower": study.lower,
        "upper": study.upper,
        "effect": np.where(np.isnan(study.estimate), np.nan, effects),
        "level": study.level,
        "power": compute_powers(study, effects, *present),
        "half_width": study.measure_half_width(*present),
    }
    if sizes["groups"] is not None:
        columns["design_effect"] = study.variance.design_effect
    over_annotators = study.variance.between + study.variance.noise
    if np.any(over_annotators > 0):
        columns["sd_between_annotators"] = np.sqrt(over_annotators)
    for name, way in list_ways(study, sizes).items():
        columns |= _count(name, way, study, effects, power, half_width)
    if labels is not None:
        effects = choose_effects(effect, labels)
        present = labels.variance.at()
        columns |= {
            "corrected": labels.estimate,
            "corrected_effect": np.where(np.isnan(labels.estimate), np.nan, effects),
            "corrected_power": compute_powers(labels, effects, *present),
            "corrected_half_width": labels.measure_half_width(*present),
        }
        way = Way(lambda x: labels.variance.at(labels=x), labels.variance.n_labelled)
        columns |= _count("labels", way, labels, effects, power, half_width)
    return pd.DataFrame(columns)


def _count(name, way, study, effects, power, half_width):
    """Columns of how many give the wanted power and half-width."""
    n = len(study.estimate)
    known = ~np.isnan(study.estimate)
    find = partial(np.where, known)

    def is_powerful(variance, df):
        return compute_power(effects, np.sqrt(variance), df, study.level) >= power

    def is_narrow(variance, df):
        return study.measure_half_width(variance, df) <= half_width

    columns = {f"{name}_for_power": find(way.count(is_powerful, n), np.nan)}
    if half_width is not None:
        columns[f"{name}_for_half_width"] = find(way.count(is_narrow, n), np.nan)
    return columns
