"""Estimates corrected for errors of the annotation, from a few human labels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._inference._marginal_effects import effect_influence
from .._inference._robust_covariance import linear_influence, logit_influence
from .._utils._annotation_input import check_annotations
from .._utils._warnings import warn
from ._input import (
    check_choices,
    check_human_labels,
    encode_targets,
    make_annotated_rows,
    resolve_source,
)
from ._table import CorrectionSettings, make_joint_table, make_separation_table


@dataclass(frozen=True, eq=False, repr=False)
class CorrectedEstimates:
    """What `correct_for_annotation_error` found; printed, the main columns of `table`.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis (and class, if there are more than two) with

        - ``hypothesis``, [``class``];
        - ``n``, ``n_labelled``: rows in the estimate, and those with human labels;
        - ``n_positive``: labelled rows of which the person says that it holds;
        - ``sensitivity``, ``specificity``, ``agreement``: of the machine, with the
          person taken for the truth; ``agreement`` is Cohen's kappa;
        - ``naive``, ``naive_lower``, ``naive_upper``: from machine annotations;
        - ``human_only``, with ``_se``, ``_lower``, ``_upper``: from the labelled rows
          alone;
        - ``corrected``, with ``_se``, ``_lower``, ``_upper``, ``_p``: from both;
        - ``tuning``: weight of the machine's part, 0 where it is of no use;
        - [``bootstrap_lower``, ``bootstrap_upper``]: of the corrected estimate;
        - ``note``: what could not be estimated, and why.
    estimand : {"separation", "coef", "ame"}
        What is estimated.
    classes : tuple or None
        Labels of a target of classes.
    n_rows, n_labelled : int
        Rows, and rows with any human label.
    n_groups : int or None
        Clusters, if there are any.
    level : float
        Of the intervals.

    See Also
    --------
    correct_for_annotation_error : Makes it.

    Examples
    --------
    The machine is right here wherever people looked, so it decides the estimate:

    >>> import numpy as np
    >>> from sklearn_hypo import correct_for_annotation_error
    >>> rng = np.random.default_rng(0)
    >>> machine = rng.integers(0, 2, size=(1000, 1)).astype(float)
    >>> y = machine[:, 0] + rng.normal(size=1000)
    >>> human = np.where(np.arange(1000)[:, None] < 100, machine, np.nan)
    >>> found = correct_for_annotation_error(machine, human, y, names=["is a joke"])
    >>> found.table[["corrected", "corrected_lower", "corrected_upper"]].round(2)
       corrected  corrected_lower  corrected_upper
    0       1.12             0.99             1.25
    >>> found.table["note"][0]
    'human and machine agree on all labelled rows'
    """

    table: pd.DataFrame
    estimand: str
    classes: tuple | None
    n_rows: int
    n_labelled: int
    n_groups: int | None
    level: float

    def __repr__(self):
        columns = ["hypothesis", "class", "n_labelled", "sensitivity", "specificity"]
        columns += ["naive", "human_only", "corrected"]
        columns += ["corrected_lower", "corrected_upper", "corrected_p"]
        table = self.table[[name for name in columns if name in self.table]]
        return (
            f"{self.estimand}, corrected for annotation error with human labels of "
            f"{self.n_labelled:,} of {self.n_rows:,} texts\n\n"
            + table.to_string(index=False, float_format=lambda v: f"{v:.3f}")
        )


def correct_for_annotation_error(
    annotations,
    human,
    y=None,
    *,
    estimand="separation",
    names=None,
    task="auto",
    label_weights=None,
    sample_weight=None,
    groups=None,
    covariates=None,
    tuning="diagonal",
    level=0.95,
    min_labelled=5,
    n_resamples=0,
    random_state=None,
):
    r"""Correct estimates for errors of the annotation, with a sample of human labels.

    A machine's annotations are the covariate, and its errors bias what is estimated
    from them, mostly but not always towards 0. If people have labelled a random
    sample of the rows, the same estimate on these rows, once with the human labels
    and once with the machine's, shows by how much:

    .. math:: \hat\theta = \hat\theta_\text{human} + \omega
              (\hat\gamma_\text{all} - \hat\gamma_\text{labelled}).

    The human labels are taken for the truth. Nothing is assumed of the machine's
    errors: they may depend on the target, and on everything else.

    Parameters
    ----------
    annotations : HypothesisReport, or array-like of shape (n_rows, n_hypotheses)
        A report, whose annotations and target are taken, or machine annotations: 1, 0
        or NaN. Rows without an answer are left out.
    human : HumanLabels, or array-like of shape (n_rows, n_hypotheses)
        Human labels: 1, 0, and NaN for the rows that were not labelled. A frame may
        have columns for some of the hypotheses, by name. Labelled must be a random
        sample: simple, or with known probabilities.
    y : array-like of shape (n_rows,), default=None
        The target; None with a report.
    estimand : {"separation", "coef", "ame"}, default="separation"
        "separation": difference of the mean of y (of the share of the second class,
        or of each class) between texts with and without it. "coef": coefficient of
        the joint regression, for two classes of the joint logit. "ame": average
        marginal effect in the joint logit, for two classes.
    names : sequence of str, default=None
        The hypotheses. None takes those of the report, or the columns.
    task : {"auto", "regression", "classification"}, default="auto"
        "auto" decides by y, or takes that of the report.
    label_weights : array-like of shape (n_rows,), default=None
        Inverse of the probability with which each row was drawn for labelling, read
        on labelled rows. None takes those of `HumanLabels`, or equal ones.
    sample_weight, groups, covariates : default=None
        As in `evaluate_hypotheses`; None with a report, whose own are taken. With
        groups, errors of one group may go together. Covariates are in the joint
        models, not in the separation.
    tuning : {"diagonal", "full"} or float, default="diagonal"
        How the weight of the machine's part is chosen: see `predict_then_debias`.
    level : float, default=0.95
        Of the intervals.
    min_labelled : int, default=5
        With fewer labelled texts (or groups) on one side of a hypothesis, its human
        and corrected estimates are NaN.
    n_resamples : int, default=0
        Bootstrap resamples of rows (or groups), for a second interval to check by.
    random_state : int, Generator or None, default=None
        Seed of the bootstrap.

    Returns
    -------
    corrected : CorrectedEstimates
        Naive, human-only and corrected estimates.

    Raises
    ------
    ValueError
        For values other than 1, 0 and NaN, lengths that differ, unknown names, no
        labels at all, pairs and fixed effects, and "coef" or "ame" with more than two
        classes.

    Warns
    -----
    HypothesisWarning
        Names the hypotheses with too few labels, and with few.

    See Also
    --------
    labelling_sheet : Draws the sample, and makes a sheet for people to fill.
    read_labels : Reads it.

    Notes
    -----
    For few labels normal intervals are too short; these are of the jackknife, with t
    quantiles for the number of texts that the estimate rests on. P-values are not
    corrected for the number of hypotheses.

    References
    ----------
    .. [1] D. M. Kluger, K. Lu, T. Zrnic, S. Wang, S. Bates (2025). "Prediction-powered
       inference with imputed covariates and nonuniform sampling". arXiv 2501.18577.

    Examples
    --------
    The machine calls one true "no" in five a "yes", which hides part of the effect of
    0.8 on y. 300 of 5,000 texts are labelled by people:

    >>> import numpy as np
    >>> from sklearn_hypo import correct_for_annotation_error
    >>> rng = np.random.default_rng(3)
    >>> truth = rng.random((5000, 1)) < 0.3
    >>> y = 0.8 * truth[:, 0] + rng.normal(size=5000)
    >>> machine = truth | (rng.random((5000, 1)) < 0.2)
    >>> human = np.full((5000, 1), np.nan)
    >>> human[:300] = truth[:300]
    >>> found = correct_for_annotation_error(machine, human, y, names=["thanks"])
    >>> found.table[["naive", "human_only", "corrected", "specificity"]].round(2)
       naive  human_only  corrected  specificity
    0   0.52        0.71        0.8          0.8
    >>> found.table[["human_only_se", "corrected_se"]].round(3)
       human_only_se  corrected_se
    0          0.124         0.093
    """
    check_choices(estimand, tuning, level)
    design = {
        "sample_weight": sample_weight,
        "groups": groups,
        "covariates": covariates,
    }
    annotations, names, y, task, design = resolve_source(
        annotations, names, y, task, design
    )
    machine, names = check_annotations(annotations, names)
    names = [str(name) for name in names]
    human, label_weights = check_human_labels(human, names, len(machine), label_weights)
    targets, classes = encode_targets(y, task, estimand, len(machine))
    rows = make_annotated_rows(machine, human, label_weights, design)
    settings = CorrectionSettings(
        tuning, level, min_labelled, n_resamples, np.random.default_rng(random_state)
    )
    parts = []
    for label, values in targets:
        if estimand == "separation":
            part = make_separation_table(rows, values, settings)
        else:
            model = _choose_model(estimand, classes)
            part = make_joint_table(rows, values, model, settings)
        part.insert(0, "hypothesis", pd.Series(names, dtype=object))
        if len(targets) > 1:
            part.insert(1, "class", pd.Series([label] * len(part), dtype=object))
        parts.append(part)
    _warn_of_notes(parts[0], min_labelled)
    return CorrectedEstimates(
        table=pd.concat(parts, ignore_index=True),
        estimand=estimand,
        classes=None if classes is None else tuple(classes.tolist()),
        n_rows=len(machine),
        n_labelled=int((~np.isnan(human)).any(axis=1).sum()),
        n_groups=None if rows.clusters is None else int(rows.clusters.max()) + 1,
        level=level,
    )


def _choose_model(estimand, classes):
    if estimand == "ame":
        return effect_influence
    return linear_influence if classes is None else logit_influence


def _warn_of_notes(table, minimum):
    """One warning a kind, with the names."""
    texts = {
        "too few labels": (
            f"fewer than {minimum} human labels on one side. Their corrected "
            "estimates are NaN: label more texts, drawn with enrich > 0"
        ),
        "few labels": "few human labels on one side, so that intervals lean on them",
        "machine says": "a machine that hardly says yes, or no, on the labelled rows",
        "the joint logit": "no finite joint logit on the labelled rows",
    }
    notes = list(zip(table["hypothesis"], table["note"], strict=True))
    for start, text in texts.items():
        hit = [f"{name!r} ({note})" for name, note in notes if note.startswith(start)]
        if hit:
            warn(
                f"{len(hit)} of {len(table)} hypotheses have {text}: {'; '.join(hit)}."
            )
