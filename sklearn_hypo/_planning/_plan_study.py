"""`plan_study`: how large a further study has to be."""

from numbers import Integral, Real

import numpy as np

from .._report._report import HypothesisReport
from .._utils._validation import Interval, StrOptions, validate_params
from ._plan_table import tabulate_plan
from ._read_report import read_corrected, read_study
from ._study_plan import StudyPlan

_CALLER = "plan_study"


@validate_params(
    {
        "report": [HypothesisReport],
        "estimand": [StrOptions({"separation", "coef"})],
        "power": [Interval(Real, 0, 1, closed="neither")],
        "half_width": [Interval(Real, 0, None, closed="neither"), None],
        "effect": [StrOptions({"conservative", "estimate"}), Real, "array-like"],
        "n_hypotheses": [Interval(Integral, 1, None, closed="left"), None],
        "sd_between_annotators": [
            Interval(Real, 0, None, closed="left"), "array-like", None
        ],
    },
    prefer_skip_nested_validation=True,
)  # fmt: skip
def plan_study(
    report,
    *,
    estimand="separation",
    power=0.8,
    half_width=None,
    effect="conservative",
    n_hypotheses=None,
    corrected=None,
    sd_between_annotators=None,
):
    r"""Plan a further study: texts, groups, labels and annotators that it takes.

    From the standard errors of the data at hand: for each hypothesis, how many texts
    give the wanted power, or an interval of the wanted half-width, in a study of other
    texts of the same kind.

    Parameters
    ----------
    report : HypothesisReport
        What `evaluate_hypotheses` or `evaluate_annotations` found.
    estimand : {"separation", "coef"}, default="separation"
        The test to plan for: of each hypothesis alone (a difference of means, or of
        shares), or of its coefficient beside the others (log odds for two classes).
    power : float, default=0.8
        Probability that the effect is found: that its test is significant after
        correction.
    half_width : float or None, default=None
        Wanted half-width of the 95 % interval, in units of the estimate. None: not
        planned for.
    effect : {"conservative", "estimate"}, float or array-like, default="conservative"
        True effect that power is computed for. "conservative": the end of the 95 %
        interval nearer 0, and 0 where it holds 0; no study is large enough for that,
        so that such a hypothesis needs a number. "estimate": as it was estimated. A
        number: the smallest effect that matters, in units of the estimate, or one
        for each hypothesis; its sign means nothing.
    n_hypotheses : int or None, default=None
        Hypotheses to be tested in the further study, each at the level
        alpha / n_hypotheses (of a false discovery rate: as if as many were found as
        now). None: as many as the report counts, at the critical value of its own
        correction.
    corrected : CorrectedEstimates or None, default=None
        What `correct_for_annotation_error` found from the same hypotheses, for the
        same estimand: how many human labels of the present texts it takes. For a
        quantity and for two classes.
    sd_between_annotators : float, array-like (n_hypotheses,) or None, default=None
        Standard deviation of the estimate over annotators, as another study found it.
        None: that of the report if it has several annotators (`by_annotator`), else
        annotators are taken not to differ.

    Returns
    -------
    plan : StudyPlan
        Its `table`; printed, its main columns. `predict` tells power and half-width of
        a study of any size.

    Raises
    ------
    TypeError
        If `corrected` is something else.
    ValueError
        For ``estimand="coef"`` of more than two classes, an effect of another length,
        `corrected` of other hypotheses or another estimand, `sd_between_annotators`
        beside a report of several annotators, and groups in a report without its data.

    See Also
    --------
    estimate_study : Calls and money of a study, before anything is known.
    correct_for_annotation_error : Makes `corrected`.

    Notes
    -----
    **The winner's curse.** Of many estimates those that were picked because they are
    large, or significant, are too large on average, the more the less power the study
    had. A study planned for "estimate" then has less power than was asked for, often
    half. The conservative end errs on the safe side for most, at the price of more
    texts; a smallest effect that matters owes nothing to the data and is best. Texts
    that hypotheses were found in (`report.n_training_texts`) give nothing to plan by.

    Power is that of a two-sided t test at the level of each test by itself, from a
    noncentral t distribution. For step-down corrections that level is the one of the
    first step, so that power is somewhat larger.

    Variances shrink with the number of independent texts n, and degrees of freedom grow
    with it. With groups of effective size m and the design effect
    :math:`D = 1 + (m - 1) \rho` [1]_, from clustered and robust variances of the same
    data, g times as many groups of s times as many texts, judged by a annotators, give

    .. math:: V = h W + \frac{B + h b}{a}, \qquad
              h = \frac{1 + (s m - 1) \rho}{g s D},

    where W is the present variance of the vote and B + b that of the estimates over
    annotators, of which b goes with single texts (by the jackknife): more texts of the
    same groups leave at least the share :math:`m \rho / D` of the variance, and no
    number of texts makes annotators agree. Two annotators have no vote, and count as
    one. With m human labels of n texts,

    .. math:: V = \sigma^2 \Bigl(\frac{1 - r^2}{m} + \frac{r^2}{n}\Bigr),

    where :math:`r^2` is what machine annotations explain of a label's contribution.
    What is varied alone leaves the rest as it is: texts are planned for the present
    annotators, annotators for the present texts.

    The prevalence of a hypothesis, the spread of the target, and for shares and log
    odds also the variance at the assumed effect, are taken to be the present ones.

    References
    ----------
    .. [1] Kish 1965, "Survey Sampling".
    .. [2] Gelman and Carlin 2014, "Beyond power calculations: assessing type S (sign)
       and type M (magnitude) errors", Perspectives on Psychological Science 9(6).

    Examples
    --------
    300 texts show one effect, too small to be sure of:

    >>> import numpy as np
    >>> from sklearn_hypo import evaluate_annotations, plan_study
    >>> rng = np.random.default_rng(0)
    >>> annotations = rng.integers(0, 2, size=(300, 2))
    >>> y = annotations @ [0.4, 0.0] + rng.normal(size=300)
    >>> report = evaluate_annotations(annotations, y, names=["has tea", "has rain"])
    >>> plan = plan_study(report, effect=0.3, half_width=0.1)
    >>> plan.table[["hypothesis", "power", "texts_for_power"]].round(2)
      hypothesis  power  texts_for_power
    0    has tea    ...              ...
    1   has rain    ...              ...
    >>> plan.predict(n_texts=1200)[["hypothesis", "power", "half_width"]].round(2)
      hypothesis  power  half_width
    0    has tea    ...         ...
    1   has rain    ...         ...
    """
    if estimand == "coef" and report.classes is not None and len(report.classes) > 2:
        raise ValueError(
            f"{_CALLER}: estimand='coef' has no single value for more than two "
            "classes. Use estimand='separation'."
        )
    if report.n_groups is not None and report.data is None:
        raise ValueError(
            f"{_CALLER}: the report holds no data, from which to tell what its groups "
            "have in common. Make it with evaluate_hypotheses or evaluate_annotations."
        )
    names = report.table["hypothesis"].tolist()
    sd = _check_values(sd_between_annotators, len(names), "sd_between_annotators")
    study, labels = read_study(report, estimand, sd, n_hypotheses), None
    if corrected is not None:
        _check_corrected(corrected, names, estimand)
        labels = read_corrected(corrected, study.level)
    effects = effect
    if not isinstance(effect, str):
        effects = np.abs(_check_values(effect, len(names), "effect"))
    sizes = {
        "texts": report.n_rows,
        "groups": report.n_groups,
        "annotators": int(np.max(study.variance.n_annotators, initial=1)),
    }
    return StudyPlan(
        table=tabulate_plan(names, study, labels, effects, sizes, power, half_width),
        estimand=estimand,
        power=power,
        half_width=half_width,
        effect=effect if isinstance(effect, str) else "given",
        alpha=report.alpha,
        correction=report.correction,
        n_hypotheses=report.n_tested if n_hypotheses is None else n_hypotheses,
        sizes=sizes,
        study=study,
        labels=labels,
    )


def _check_values(values, n_hypotheses, name):
    """One number for all hypotheses, or one for each; None for None."""
    if values is None:
        return None
    array = np.asarray(values, dtype=float)
    if array.ndim and array.shape != (n_hypotheses,):
        raise ValueError(
            f"{_CALLER}: {name} has shape {array.shape}, but there are {n_hypotheses} "
            "hypotheses. Pass one number, or one for each."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{_CALLER}: {name} holds missing or infinite values.")
    return np.broadcast_to(array, (n_hypotheses,))


def _check_corrected(corrected, names, estimand):
    """Raise unless these are corrected estimates of the same things."""
    table = getattr(corrected, "table", None)
    if table is None or "corrected_se" not in table:
        raise TypeError(
            f"{_CALLER}: corrected must be what correct_for_annotation_error returned, "
            f"but {type(corrected).__name__} arrived."
        )
    if corrected.estimand != estimand:
        raise ValueError(
            f"{_CALLER}: corrected holds estimand={corrected.estimand!r}, but the plan "
            f"is for {estimand!r}."
        )
    if table["hypothesis"].tolist() != names:
        raise ValueError(
            f"{_CALLER}: corrected holds other hypotheses than the report, or several "
            "classes. Correct the estimates of this report, of a quantity or of two "
            "classes."
        )
