"""`hypothesis_trends`: hypotheses over time."""

from numbers import Integral, Real

import numpy as np
import pandas as pd

from .._inference._multiple_tests import (
    CORRECTIONS,
    adjust_p_values,
    name_without_draws,
)
from .._inference._periods import (
    cut_periods,
    describe_frequency,
    prevalence_by_period,
    read_dates,
    separation_by_period,
)
from .._inference._trends import FEWEST_PERIODS, NullSeries, examine_series
from .._report._report import HypothesisReport
from .._utils._annotation_input import check_annotations, check_target
from .._utils._containers import convert_container, find_column_name
from .._utils._covariates import check_column
from .._utils._printable import pluralize
from .._utils._progress import show_progress
from .._utils._threads import on_one_thread
from .._utils._validation import Interval, StrOptions, validate_params
from ._hypothesis_trends import HypothesisTrends

_CALLER = "hypothesis_trends"


@validate_params(
    {
        "alpha": [Interval(Real, 0, 1, closed="neither"), None],
        "correction": [StrOptions(set(CORRECTIONS)), None],
        "task": [StrOptions({"auto", "regression", "classification"})],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def hypothesis_trends(
    annotations,
    dates,
    *,
    y=None,
    names=None,
    freq="auto",
    task="auto",
    sample_weight=None,
    alpha=None,
    correction=None,
    random_state=0,
):
    r"""Test prevalence and effect of each hypothesis for trend and change over time.

    Texts are put into periods. The prevalence of a hypothesis in each of them, and its
    separation (mean of the target where it holds minus where it does not), are series,
    each of which is asked two questions: is there a slope, and was there a change? Both
    tests hold their level where neighbouring periods are alike (autocorrelation), by
    comparison with simulated series that are as alike.

    Parameters
    ----------
    annotations : HypothesisReport, DataFrame or array-like (n_samples, n_hypotheses)
        A report, whose annotations, target and weights are taken; or 1 where a
        hypothesis holds, 0 where it does not, NaN without an answer.
    dates : array-like of shape (n_samples,)
        Datetimes, or strings such as "2024-12-31"; with time zones they are local
        times. Texts without a date are left out, with a note.
    y : array-like of shape (n_samples,), default=None
        The target, a quantity or two classes. None, without a report: prevalences only.
    names : sequence of str of length n_hypotheses, default=None
        The hypotheses. None: the columns of the frame.
    freq : str or pandas offset, default="auto"
        Length of the periods: "YS", "QS", "MS", "W-MON", "D", "h", or a multiple such
        as "14D". "auto": the coarsest of these that gives 24 periods, as long as there
        are five texts in each on average.
    task : {"auto", "regression", "classification"}, default="auto"
        What y is, as in `evaluate_annotations`.
    sample_weight : array-like of shape (n_samples,), default=None
        Positive weights.
    alpha : float or None, default=None
        Level of significance after correction. None: that of the report, else 0.05.
    correction : {"bonferroni", "holm", "fdr_bh", "fdr_by", ...} or None, default=None
        How p-values are corrected for the number of hypotheses, each of the four
        questions by itself; "step-down" is Holm's here. None: that of the report, else
        "holm".
    random_state : int, default=0
        Seeds the simulated series.

    Returns
    -------
    trends : HypothesisTrends
        The tests, and the values of all periods.

    Raises
    ------
    ValueError
        For dates that cannot be read for certain or do not fit the rows, more than
        400 periods, reports on pairs, and a target of more than two classes without
        a report.

    See Also
    --------
    TrendDisplay : Draws the series.
    evaluate_annotations : Tests the hypotheses over all texts.

    Notes
    -----
    - The slope is that of least squares weighted by the inverse variance of each
      period's value (sampling variance and a variance between periods by moments). The
      statistic of a change is the largest of the cumulative sums of deviations from the
      mean. Both are compared with the 2,000 among 40,000 simulated series, of the same
      length, gaps and weights, whose autocorrelations at lags 1 and 2 are nearest to
      those at hand. Rejections of true null hypotheses are in the benchmark of trends.
    - A trend is a change, too, and a step has a slope: the tests say that the value did
      not stay as it was, the drawing says how.
    - The series of separations has the periods with two texts on both sides. Covariates
      are not held fixed.
    - With fewer than 12 periods values are shown and nothing is tested. Empty periods
      count as time that passed.

    References
    ----------
    .. [1] X. Shao, X. Zhang (2010). "Testing for change points in time series". Journal
       of the American Statistical Association 105.
    .. [2] N. M. Kiefer, T. J. Vogelsang (2005). "A new asymptotic theory for
       heteroskedasticity-autocorrelation robust tests". Econometric Theory 21.

    Examples
    --------
    A word that comes into use in the middle of four years, and a steady one:

    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_hypo import hypothesis_trends
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(
    ...     rng.integers(0, 1461, size=3000), unit="D"
    ... )
    >>> tea = rng.random(3000) < np.where(dates < "2022-01-01", 0.2, 0.4)
    >>> annotations = pd.DataFrame(
    ...     {"mentions tea": tea, "mentions rain": rng.random(3000) < 0.3}
    ... )
    >>> trends = hypothesis_trends(annotations, dates, freq="MS")
    >>> trends.table[["hypothesis", "prevalence_change"]]
          hypothesis prevalence_change
    0   mentions tea        2022-01-01
    1  mentions rain        2021-03-01
    >>> trends.table["prevalence_change_p"].round(3).tolist()
    [0.0, 0.444]
    """
    rows = _read_rows(annotations, y, names, task, sample_weight)
    dates = read_dates(convert_container(dates), len(rows["values"]), _CALLER)
    dated = ~dates.isna()
    starts, codes = cut_periods(dates[dated], freq)
    series = _make_series(rows, dated, starts, codes)
    alpha = rows["alpha"] if alpha is None else alpha
    correction = name_without_draws(correction or rows["correction"])
    with show_progress("Testing trends"):
        table = _test_all(rows["names"], series, starts, random_state)
    for name in [column for column in table if column.endswith("_p")]:
        tested = table[name].notna().to_numpy()
        corrected = adjust_p_values(table[name], tested, alpha, correction)
        place = table.columns.get_loc(name) + 1
        table.insert(place, f"{name}_corrected", corrected["p_corrected"].to_numpy())
    return HypothesisTrends(
        table=table,
        by_period=_tabulate(rows["names"], series, starts),
        period=describe_frequency(starts),
        n_texts=int(dated.sum()),
        alpha=alpha,
        correction=correction,
        notes=_list_notes(dated, starts, codes, series),
        target_name=rows["target_name"],
    )


def _read_rows(annotations, y, names, task, sample_weight):
    """What is tested, from a report or from arrays."""
    if isinstance(annotations, HypothesisReport):
        return _read_report(annotations, y, names, sample_weight)
    values, names = check_annotations(annotations, names)
    n = len(values)
    targets = None
    if y is not None:
        _, codes, classes = check_target(y, task, None, caller=_CALLER)
        if len(codes) != n:
            raise ValueError(
                f"{_CALLER}: annotations and y differ in length ({n} and {len(codes)})."
            )
        if classes is not None and len(classes) != 2:
            raise ValueError(
                f"{_CALLER}: y holds {len(classes)} classes. Pass whether it is the "
                "one in question (y == label), or a report, which knows the class of "
                "each separation."
            )
        targets = [codes.astype(float)] * len(names)
    weights = np.ones(n)
    if sample_weight is not None:
        weights = check_column(sample_weight, n, "sample_weight", _CALLER).astype(float)
        if not (weights > 0).all():
            raise ValueError(f"{_CALLER}: sample_weight must be positive.")
    return {
        "values": values,
        "names": names,
        "targets": targets,
        "classes": y is not None and classes is not None,
        "weights": weights,
        "alpha": 0.05,
        "correction": "holm",
        "target_name": find_column_name(y),
    }


def _read_report(report, y, names, sample_weight):
    data = report.data
    given = {"y": y, "names": names, "sample_weight": sample_weight}
    given = [name for name, value in given.items() if value is not None]
    if given:
        raise ValueError(
            f"{_CALLER}: {given[0]} arrived beside a report, which holds it already. "
            "Pass the annotations themselves for another."
        )
    if data is None or data.pairs is not None:
        what = "holds no data" if data is None else "is on pairs"
        raise ValueError(
            f"{_CALLER}: this report {what}. Pass the annotations themselves."
        )
    classes = report.classes
    _, codes, _ = check_target(
        data.target,
        report.task,
        None if classes is None else np.array(classes, dtype=object),
        caller=_CALLER,
    )
    n = len(data.names)
    if classes is None:
        targets = [codes.astype(float)] * n
    else:
        of = [1] * n
        if "separation_class" in report.table:
            labels = list(classes)
            of = [
                labels.index(c) if c in labels else 1
                for c in report.table["separation_class"]
            ]
        targets = [(codes == c).astype(float) for c in of]
    weights = data.sample_weight
    return {
        "values": data.annotations,
        "names": list(data.names),
        "targets": targets,
        "classes": classes is not None,
        "weights": np.ones(len(codes))
        if weights is None
        else np.asarray(weights, float),
        "alpha": report.alpha,
        "correction": report.correction,
        "target_name": report.target_name,
    }


@on_one_thread()
def _make_series(rows, dated, starts, codes):
    """By hypothesis: estimates, bounds and sampling variances of both series."""
    found = []
    for j, a in enumerate(rows["values"].T):
        answered = ~np.isnan(a[dated])
        own = a[dated][answered], codes[answered]
        weights = rows["weights"][dated][answered]
        n, *prevalence = prevalence_by_period(*own, len(starts), weights)
        series = {"n": n, "prevalence": prevalence}
        if rows["targets"] is not None:
            series["separation"] = separation_by_period(
                own[0],
                rows["targets"][j][dated][answered],
                own[1],
                len(starts),
                weights,
                classes=rows["classes"],
            )
        found.append(series)
    return found


@on_one_thread()
def _test_all(names, series, starts, random_state):
    """One row per hypothesis: slope and change of each series."""
    null, rows = None, []
    if len(starts) >= FEWEST_PERIODS:
        null = NullSeries(len(starts), np.random.default_rng(random_state))
    for name, own in zip(names, series, strict=True):
        row = {"hypothesis": name}
        for what in ("prevalence", "separation"):
            if what in own:
                values, _, _, variances = own[what]
                used = np.flatnonzero(np.isfinite(values) & (variances > 0))
                test = examine_series(values[used], variances[used], used, null)
                found = _describe_test(test, len(used), starts)
                row |= {f"{what}_{key}": value for key, value in found.items()}
        rows.append(row)
    types = {"hypothesis": object, "periods": int, "change": starts.dtype}
    columns = {}
    for name in rows[0]:
        dtype = types.get(name.removeprefix("prevalence_").removeprefix("separation_"))
        columns[name] = pd.Series([r[name] for r in rows], dtype=dtype or float)
    return pd.DataFrame(columns)


def _describe_test(test, n_periods, starts):
    return {
        "periods": n_periods,
        "slope": test.slope,
        "slope_lower": test.lower,
        "slope_upper": test.upper,
        "slope_p": test.slope_p,
        "change": pd.NaT if test.change is None else starts[test.change],
        "before": test.before,
        "after": test.after,
        "change_p": test.change_p,
    }


def _tabulate(names, series, starts):
    """One row per hypothesis and period."""
    parts = []
    for name, own in zip(names, series, strict=True):
        part = {
            "hypothesis": pd.Series([name] * len(starts), dtype=object),
            "period": starts,
            "n": own["n"],
        }
        for what in ("prevalence", "separation"):
            if what in own:
                ends = ("", "_lower", "_upper")
                part |= {
                    f"{what}{end}": values
                    for end, values in zip(ends, own[what][:3], strict=True)
                }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _list_notes(dated, starts, codes, series):
    """What a reader should know of the periods, one sentence each."""
    notes, missing = [], int((~dated).sum())
    if missing:
        notes.append(
            f"{missing:,} of {len(dated):,} texts have no date and are left out."
        )
    empty = len(starts) - len(np.unique(codes))
    if empty:
        notes.append(f"{empty} of {pluralize(len(starts), 'period')} have no text.")
    if len(starts) < FEWEST_PERIODS:
        notes.append(
            f"Nothing is tested: there are {pluralize(len(starts), 'period')}, and at "
            f"least {FEWEST_PERIODS} are needed."
        )
    elif "separation" in series[0]:
        short = sum(
            np.isfinite(own["separation"][0]).sum() < FEWEST_PERIODS for own in series
        )
        if short:
            notes.append(
                f"The separations of {pluralize(int(short), 'hypothesis')} are not "
                f"tested: fewer than {FEWEST_PERIODS} periods have two texts on both "
                "sides."
            )
    return tuple(notes)
