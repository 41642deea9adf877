"""What a plan takes from a report: estimates, variances, and the level of each test."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from .._inference._between_annotators import Spread
from .._utils._annotation_input import check_target
from ._resolved_variance import measure_design_effects, measure_text_noise
from ._variances import LabelVariance, StudyVariance

# Levels of each test that hold a false discovery rate depend on how many are true
_STEP_UP = ("fdr_bh", "fdr_by")


@dataclass(frozen=True)
class PresentStudy:
    """The estimates of a report and of what they are made, by hypothesis.

    Parameters
    ----------
    estimate, lower, upper : ndarray of shape (n_hypotheses,)
        With 95 % intervals.
    variance : StudyVariance or LabelVariance
        How it depends on the size of the study.
    level : ndarray of shape (n_hypotheses,)
        At which each test is made by itself, so that all keep the level of the report.
    """

    estimate: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    variance: object
    level: np.ndarray

    def measure_half_width(self, variance, df):
        """Half-width of the 95 % interval of a study with another variance.

        Intervals keep the shape that they have now.
        """
        before, df_before = self.variance.at()
        quantiles = [stats.t.isf(0.025, np.maximum(d, 1.0)) for d in (df, df_before)]
        grows = quantiles[0] / quantiles[1] * np.sqrt(variance / before)
        return (self.upper - self.lower) / 2 * grows


def read_study(report, estimand, sd_between_annotators, n_hypotheses):
    """Read the estimates of a report, as `PresentStudy`."""
    table = report.table
    estimate, lower, upper, se = (
        table[f"{estimand}{end}"].to_numpy(dtype=float)
        for end in ("", "_lower", "_upper", "_se")
    )
    df = np.full(len(table), np.inf)
    if f"{estimand}_df" in table:
        df = table[f"{estimand}_df"].to_numpy(dtype=float)
        df = np.where(np.isnan(df), np.inf, df)
    level = _find_levels(report, estimand, estimate, se, df, n_hypotheses)
    between, m, is_estimated = _read_annotators(report, estimand, sd_between_annotators)
    within = se**2
    if is_estimated:  # the errors of such a report hold both
        within = np.maximum(within - between / np.where(m < 3, 1, m), 0.0)
        df = np.full(len(table), np.inf)
    design_effect, size, noise = np.ones(len(table)), 1.0, np.zeros(len(table))
    if report.data is not None:
        data, targets = report.data, _encode_targets(report)
        if report.n_groups is not None:
            design_effect, size = measure_design_effects(data, targets, estimand)
        if is_estimated and data.votes is not None:
            noise = np.minimum(measure_text_noise(data, targets, estimand), between)
    variance = StudyVariance(
        *(within, df, design_effect, size, between - noise, noise, m),
        is_estimated=is_estimated,
    )
    return PresentStudy(estimate, lower, upper, variance, level)


def read_corrected(corrected, level):
    """Read the estimates of a `CorrectedEstimates`, as `PresentStudy`."""
    table = corrected.table
    values = {
        name: table[name].to_numpy(dtype=float)
        for name in (
            *("corrected", "corrected_lower", "corrected_upper", "corrected_se"),
            *("human_only_se", "n", "n_labelled"),
        )
    }
    estimate, se = values["corrected"], values["corrected_se"]
    half = (values["corrected_upper"] - values["corrected_lower"]) / 2
    tail = (1 - corrected.level) / 2
    df = np.array([_find_df(q, tail) for q in half / se])
    variance = LabelVariance.of(
        values["human_only_se"], se, values["n"], values["n_labelled"], df
    )
    width = stats.t.isf(0.025, df) * se
    return PresentStudy(estimate, estimate - width, estimate + width, variance, level)


def _find_df(quantile, tail):
    """Degrees of freedom of a t distribution with such a quantile."""
    if not quantile > stats.norm.isf(tail) * (1 + 1e-7):
        return np.inf if quantile > 0 else np.nan

    def gap(log_df):
        return stats.t.isf(tail, np.exp(log_df)) - quantile

    return float(np.exp(optimize.brentq(gap, -1.0, np.log(1e8))))


def _find_levels(report, estimand, estimate, se, df, n_hypotheses):
    """Level of each test by itself.

    That of the first step where a family level is kept, of so many discoveries as
    there are now for a false discovery rate.
    """
    n_tested = max(report.n_tested, 1) if n_hypotheses is None else n_hypotheses
    share = 1.0
    if report.correction in _STEP_UP:
        share = min(max(report.n_significant, 1), n_tested)
    if report.correction == "fdr_by":
        share /= np.sum(1 / np.arange(1, n_tested + 1))
    level = np.full(len(estimate), report.alpha * share / n_tested)
    names = [f"{estimand}_simultaneous_{end}" for end in ("lower", "upper")]
    if n_hypotheses is None and all(name in report.table for name in names):
        ends = report.table[names].to_numpy(dtype=float)
        # of the end away from 0: the other one may have been moved to agree with p
        far = np.where(estimate > 0, ends[:, 1], ends[:, 0])
        half = np.abs(far - estimate)
        with np.errstate(divide="ignore", invalid="ignore"):
            own = 2 * stats.t.sf(half / se, df)
        level = np.where(np.isfinite(own) & (own > 0), own, level)
    return level


def _read_annotators(report, estimand, sd):
    """Variance over annotators, their number, and whether it is estimated."""
    by_annotator = report.by_annotator
    if by_annotator is None:
        sd = 0.0 if sd is None else sd
        return np.broadcast_to(np.square(sd), len(report.table)).astype(float), 1, False
    if sd is not None:
        raise ValueError(
            "plan_study: sd_between_annotators arrived beside a report of several "
            "annotators, which tells it. Leave it out."
        )
    estimates = by_annotator.pivot(
        index="annotator", columns="hypothesis", values=estimand
    )
    names = report.table["hypothesis"]
    spread = Spread.of(estimates.reindex(columns=names).to_numpy(dtype=float))
    return np.nan_to_num(spread.sd) ** 2, np.maximum(spread.n, 1), True


def _encode_targets(report):
    """The target of each separation: the quantity, or an indicator of a class."""
    n = len(report.table)
    classes = None if report.classes is None else np.array(report.classes, dtype=object)
    _, codes, _ = check_target(
        report.data.target, report.task, classes, caller="plan_study"
    )
    if classes is None:
        return np.tile(codes[:, None].astype(float), n)
    of = np.ones(n, dtype=int)
    if "separation_class" in report.table:
        labels = list(report.classes)
        of = np.array(
            [
                labels.index(c) if c in labels else 0
                for c in report.table["separation_class"]
            ]
        )
    return (codes[:, None] == of).astype(float)
