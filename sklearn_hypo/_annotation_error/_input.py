"""What a correction for annotation error is given, checked and in one form."""

from numbers import Real

import numpy as np
import pandas as pd

from .._inference._design import make_design
from .._inference._design_matrix import find_independent_columns
from .._utils._annotation_input import check_annotations
from .._utils._containers import convert_container
from .._utils._validation import encode_target, resolve_task
from ._fits import AnnotatedRows
from ._human_labels import HumanLabels

_CALLER = "correct_for_annotation_error"
_ESTIMANDS = ("separation", "coef", "ame")


def check_choices(estimand, tuning, level):
    """Raise for an estimand, a tuning or a level that there is not."""
    if estimand not in _ESTIMANDS:
        raise ValueError(f"estimand must be one of {_ESTIMANDS}, not {estimand!r}.")
    is_number = isinstance(tuning, Real) and not isinstance(tuning, bool)
    if tuning not in ("diagonal", "full") and not is_number:
        raise ValueError(
            f"tuning must be 'diagonal', 'full' or a number, not {tuning!r}."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level!r}.")


def find_report_data(given):
    """Return the data of a report; None of what is no report with data."""
    if isinstance(given, np.ndarray):  # has data, too
        return None
    data = getattr(convert_container(given), "data", None)
    return data if hasattr(data, "annotations") else None


def resolve_source(annotations, names, y, task, design):
    """Return annotations, names, y, task and design, of a report or as they are.

    `design` maps the names of what accompanies rows to values, or None.
    """
    data = find_report_data(annotations)
    if data is None:
        if y is None:
            raise ValueError(
                f"{_CALLER} requires y, unless a report with its data is given."
            )
        return annotations, names, y, task, design
    twice = [k for k, value in ({"y": y} | design).items() if value is not None]
    if twice:
        raise ValueError(
            f"{', '.join(twice)} arrived beside a report, which has its own. Pass the "
            "report alone, or report.data.annotations."
        )
    if data.pairs is not None or data.fixed_effects is not None:
        raise ValueError(
            "The correction is not made for pairs and fixed effects: a sample of "
            "labels rarely holds both members of a pair, or each level twice."
        )
    names = data.names if names is None else names
    task = annotations.task if task == "auto" else task
    design = {name: getattr(data, name) for name in design}
    return data.annotations, names, data.target, task, design


def check_human_labels(human, names, n_rows, label_weights):
    """Human labels in the order of the hypotheses, and weights of the labelled."""
    if isinstance(human, HumanLabels):
        if label_weights is None:
            label_weights = 1 / human.probability
        human = human.labels
    human = convert_container(human)
    values, columns = check_annotations(human, what="Human labels")
    if len(values) != n_rows:
        raise ValueError(
            f"There are {len(values)} rows of human labels for {n_rows} rows of "
            "annotations. Rows without a label are NaN; none are left out."
        )
    if isinstance(human, pd.DataFrame):
        values = _order_by_name(values, [str(name) for name in columns], names)
    if values.shape[1] != len(names):
        raise ValueError(
            f"There are {values.shape[1]} columns of human labels for {len(names)} "
            "hypotheses. Pass a DataFrame with the hypotheses as columns to label some."
        )
    if np.isnan(values).all():
        raise ValueError("There is no human label: all are NaN.")
    return values, _check_label_weights(label_weights, values)


def _order_by_name(values, columns, names):
    unknown = [name for name in columns if name not in names]
    if unknown:
        raise ValueError(
            "The columns of the human labels must be hypotheses; unknown: "
            f"{unknown[:5]}."
        )
    full = np.full((len(values), len(names)), np.nan)
    full[:, [names.index(name) for name in columns]] = values
    return full


def _check_label_weights(weights, human):
    labelled = ~np.isnan(human).all(axis=1)
    if weights is None:
        return np.ones(len(human))
    weights = np.asarray(convert_container(weights), dtype=np.float64)
    if weights.shape != (len(human),):
        raise ValueError(
            f"label_weights has shape {weights.shape}; one per row is needed."
        )
    if not (np.isfinite(weights) & (weights > 0))[labelled].all():
        raise ValueError(
            "label_weights must be positive and finite on every labelled row."
        )
    return np.where(labelled, weights, 1.0)


def encode_targets(y, task, estimand, n_rows):
    """Pairs of a label and numbers, y itself or an indicator per class; the classes."""
    values, classes = encode_target(y, resolve_task(y, task), caller=_CALLER)
    if len(values) != n_rows:
        raise ValueError(
            f"annotations and y differ in length ({n_rows} and {len(values)})."
        )
    if classes is None and estimand == "ame":
        raise ValueError(
            "estimand='ame' is for classes. For a quantity the coefficient is the "
            "effect: estimand='coef'."
        )
    if classes is None:
        return [(None, values)], None
    if len(classes) == 2:
        return [(classes[1], values.astype(float))], classes
    if estimand != "separation":
        raise ValueError(
            f"estimand={estimand!r} takes two classes, but y has {len(classes)}. Pass "
            "one class against the rest: y == label."
        )
    return [(c, (values == k).astype(float)) for k, c in enumerate(classes)], classes


def make_annotated_rows(machine, human, label_weights, design):
    """Return the rows with what accompanies them, as `AnnotatedRows`."""
    n = len(machine)
    design = make_design(n, **design, caller=_CALLER)
    covariates = np.empty((n, 0)) if design.covariates is None else design.covariates
    labelled = ~np.isnan(human).all(axis=1)
    kept = find_independent_columns(covariates[labelled], np.ones((labelled.sum(), 1)))
    weights = np.ones(n) if design.weights is None else design.weights
    return AnnotatedRows(
        machine, human, weights, label_weights, design.clusters, covariates[:, kept]
    )
