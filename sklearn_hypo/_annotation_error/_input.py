"""What a correction for annotation error is given, checked and in one form."""

from numbers import Real

import numpy as np
import pandas as pd

from .._inference._design import make_design
from .._inference._design_matrix import find_independent_columns
from .._utils._validation import encode_target, resolve_task
from ._fits import Rows
from ._human_labels import HumanLabels

_CALLER = "correct_for_annotation_error"


_ESTIMANDS = ("separation", "coef", "ame")


def check_choices(estimand, tuning, level):
    if estimand not in _ESTIMANDS:
        raise ValueError(f"estimand must be one of {_ESTIMANDS}, not {estimand!r}.")
    is_number = isinstance(tuning, Real) and not isinstance(tuning, bool)
    if tuning not in ("diagonal", "full") and not is_number:
        raise ValueError(
            f"tuning must be 'diagonal', 'full' or a number, not {tuning!r}."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level!r}.")


def gather(annotations, y, names, task, sample_weight, groups, covariates):
    """Everything by name, from a report or from the arguments."""
    found = {
        "annotations": annotations,
        "names": names,
        "y": y,
        "task": task,
        "sample_weight": sample_weight,
        "groups": groups,
        "covariates": covariates,
    }
    data = getattr(annotations, "data", None)
    if not hasattr(data, "annotations"):
        if y is None:
            raise ValueError(
                f"{_CALLER} requires y, unless a report with its data is given."
            )
        return found
    twice = [
        k
        for k in ("y", "sample_weight", "groups", "covariates")
        if found[k] is not None
    ]
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
    return found | {
        "annotations": data.annotations,
        "names": data.names if names is None else names,
        "y": data.target,
        "task": annotations.task if task == "auto" else task,
        "sample_weight": data.sample_weight,
        "groups": data.groups,
        "covariates": data.covariates,
    }


def binary_values(values, what):
    frame = (
        values if isinstance(values, pd.DataFrame) else pd.DataFrame(np.asarray(values))
    )
    array = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = array[~np.isnan(array) & (array != 0) & (array != 1)]
    if odd.size:
        raise ValueError(
            f"{what} must be 1, 0 or NaN, but {odd.size} others arrived, such as "
            f"{odd[0]:g}."
        )
    return array


def hypothesis_names(annotations, names, n_columns):
    if names is None:
        is_frame = isinstance(annotations, pd.DataFrame)
        names = annotations.columns if is_frame else [f"x{j}" for j in range(n_columns)]
    if len(names) != n_columns:
        raise ValueError(
            f"There are {len(names)} names for {n_columns} columns of annotations."
        )
    return [str(name) for name in names]


def human_values(human, names, shape, label_weights):
    """Human labels in the order of the hypotheses, and weights of the labelled."""
    if isinstance(human, HumanLabels):
        if label_weights is None:
            label_weights = 1 / human.probability
        human = human.labels
    values = binary_values(human, "human labels")
    if len(values) != shape[0]:
        raise ValueError(
            f"There are {len(values)} rows of human labels for {shape[0]} rows of "
            "annotations. Rows without a label are NaN; none are left out."
        )
    if isinstance(human, pd.DataFrame) and list(human.columns) != names:
        values = _by_name(values, [str(name) for name in human.columns], names)
    if values.shape[1] != shape[1]:
        raise ValueError(
            f"There are {values.shape[1]} columns of human labels for {shape[1]} "
            "hypotheses. Pass a DataFrame with the hypotheses as columns to label some."
        )
    if np.isnan(values).all():
        raise ValueError("There is no human label: all are NaN.")
    return values, _weights_of_labels(label_weights, values)


def _by_name(values, columns, names):
    unknown = [name for name in columns if name not in names]
    if unknown or len(set(columns)) < len(columns) or len(set(names)) < len(names):
        raise ValueError(
            "The columns of the human labels must be hypotheses, each once; unknown: "
            f"{unknown[:5]}."
        )
    full = np.full((len(values), len(names)), np.nan)
    full[:, [names.index(name) for name in columns]] = values
    return full


def _weights_of_labels(weights, human):
    labelled = ~np.isnan(human).all(axis=1)
    if weights is None:
        return np.ones(len(human))
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (len(human),):
        raise ValueError(
            f"label_weights has shape {weights.shape}; one per row is needed."
        )
    if not (np.isfinite(weights) & (weights > 0))[labelled].all():
        raise ValueError(
            "label_weights must be positive and finite on every labelled row."
        )
    return np.where(labelled, weights, 1.0)


def target_values(y, task, estimand, n_rows):
    """Pairs of a label and numbers: y itself, or an indicator per class."""
    task = resolve_task(y, task)
    values, classes = encode_target(y, task, caller=_CALLER)
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


def labelled_rows(machine, human, label_weights, given):
    design = make_design(
        len(machine),
        sample_weight=given["sample_weight"],
        groups=given["groups"],
        covariates=given["covariates"],
        caller=_CALLER,
    )
    n = len(machine)
    covariates = np.empty((n, 0)) if design.covariates is None else design.covariates
    labelled = ~np.isnan(human).all(axis=1)
    kept = find_independent_columns(covariates[labelled], np.ones((labelled.sum(), 1)))
    weights = np.ones(n) if design.weights is None else design.weights
    return Rows(
        machine, human, weights, label_weights, design.clusters, covariates[:, kept]
    )
