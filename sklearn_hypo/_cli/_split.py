"""Which texts are learnt from and which are tested on."""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    StratifiedGroupKFold,
    cross_val_score,
)

from .._evaluation._hypotheses import evaluate_hypotheses
from .._reading._values import name_value, suggest_option
from .._utils._progress import show_progress
from ..exceptions import HypothesisWarning, InputError

_FEWEST_TEXTS = 20
_FEWEST_GROUPS = 10  # so that some of them are in the holdout
_FEWEST_ON_A_SIDE = 10  # distinct texts, where the user split them


@dataclass(frozen=True)
class Split:
    """Texts to learn from, and texts held out for the test.

    Parameters
    ----------
    texts, target, groups : ndarrays of shape (n_rows,)
        All rows; rows of one group are on one side.
    train, holdout : ndarrays of int
        Row numbers.
    design : dict
        Keywords of `evaluate_hypotheses` with one value, or row of a frame, per row.
    target_name : str or None
        For the report.
    """

    texts: np.ndarray
    target: np.ndarray
    groups: np.ndarray
    train: np.ndarray
    holdout: np.ndarray
    design: dict = field(default_factory=dict)
    target_name: str | None = None

    @classmethod
    def of(cls, texts, target, groups, *, share, seed, design=None, name=None):
        """Hold out a share of the groups, which stay whole."""
        splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
        train, holdout = next(splitter.split(texts, target, groups))
        return cls(texts, target, groups, train, holdout, design or {}, name)

    def fit(self, pipe):
        """Fit a pipeline on the texts to learn from."""
        texts, target = self.texts[self.train], self.target[self.train]
        return pipe.fit(texts, target, **self.fit_params)

    @property
    def fit_params(self):
        """What is held constant where a pipeline selects, of the texts learnt from."""
        covariates = self.design.get("covariates")
        if covariates is None:
            return {}
        steps = ("select", "hypotheses")
        return {f"{step}__covariates": covariates.iloc[self.train] for step in steps}

    def evaluate(self, pipe, **settings):
        """Test the hypotheses on the texts held out."""
        holdout = self.holdout
        design = {
            name: values.iloc[holdout] if hasattr(values, "iloc") else values[holdout]
            for name, values in self.design.items()
        }
        y = pd.Series(self.target[holdout], index=holdout, name=self.target_name)
        return evaluate_hypotheses(
            pipe,
            self.texts[holdout],
            y,
            training=(self.texts[self.train], self.target[self.train]),
            **design,
            **settings,
        )


def make_split(rows, task, options):
    """Split the rows as the user did, or hold out a share of their groups."""
    _check_enough(rows, options)
    groups = rows.groups
    if rows.is_test is not None:
        sides = (np.flatnonzero(rows.is_test == side) for side in (False, True))
        split = Split(
            rows.texts, rows.target, groups, *sides, rows.design, options.target
        )
    else:
        split = Split.of(
            rows.texts,
            rows.target,
            groups,
            share=options.holdout,
            seed=options.seed,
            design=rows.design,
            name=options.target,
        )
    n_train = len(np.unique(groups[split.train]))
    if options.cv and options.cv > n_train:
        raise InputError(
            f"--cv {options.cv}: there are more folds than {_describe_units(options)} "
            f"outside the holdout ({n_train})."
        )
    if task == "classification":
        _check_classes(split, options.cv or 1)
    return split


def _check_enough(rows, options):
    n_texts = len(pd.unique(rows.texts))
    if n_texts < _FEWEST_TEXTS:
        raise InputError(
            f"there are too few rows: {len(rows.texts)} with a text and a target, "
            f"{n_texts} distinct texts among them, but at least {_FEWEST_TEXTS} "
            "distinct texts are needed to learn from some and test on others."
        )
    if rows.is_test is not None:
        for side, what in ((False, "learn from"), (True, "test on")):
            n_texts = len(pd.unique(rows.texts[rows.is_test == side]))
            if n_texts < _FEWEST_ON_A_SIDE:
                raise InputError(
                    f"there are too few rows to {what}: they hold {n_texts} distinct "
                    f"texts, but at least {_FEWEST_ON_A_SIDE} are needed on each side."
                )
        return
    sizes = np.bincount(rows.groups)
    if len(sizes) < _FEWEST_GROUPS:
        raise InputError(
            f"there are too few {_describe_units(options)}: {len(sizes)}, the largest "
            f"with {sizes.max()} of {len(rows.texts)} rows, but at least "
            f"{_FEWEST_GROUPS} are needed to learn from some and test on others."
        )


def _describe_units(options):
    """What the rows are split by, in words."""
    linked = [f"--groups {options.groups}"] if options.groups else []
    linked += [f"--pairwise {options.pairwise}"] if options.pairwise else []
    linked += ["the pairs of --text-a and --text-b"] if options.won else []
    if not linked:
        return "distinct texts"
    return f"separate groups of rows (by equal texts and {' and '.join(linked)})"


def _check_classes(split, n_folds):
    """Raise for a class too rare to be learnt and tested on different texts."""
    classes, codes = np.unique(split.target, return_inverse=True)
    pairs = np.column_stack([codes, split.groups])
    in_all, outside = (
        np.bincount(np.unique(rows, axis=0)[:, 0], minlength=len(classes))
        for rows in (pairs, pairs[split.train])
    )
    for rare, counts, lack in (
        (in_all < 2, in_all, "one distinct text, which cannot be learnt and tested"),
        (
            outside < n_folds,
            outside,
            f"fewer than {n_folds} distinct texts outside the holdout",
        ),
    ):
        if not rare.any():
            continue
        named = ", ".join(
            f"{name_value(classes[i])} ({counts[i]})" for i in np.flatnonzero(rare)[:5]
        )
        raise InputError(
            f"{rare.sum()} of {len(classes)} classes have {lack}: {named}. Leave them "
            f"out ({suggest_option('--missing', classes[rare][:5])}), join them to "
            "others (--map-file FILE) or, if the target is a quantity, choose --task "
            "regression."
        )


def cross_validate(pipe, split, task, options):
    """Score the pipeline on folds of the texts that are not held out."""
    kind = StratifiedGroupKFold if task == "classification" else GroupKFold
    folds = kind(options.cv, shuffle=True, random_state=options.seed)
    train = split.train
    with show_progress("Cross-validating"), warnings.catch_warnings():
        # remarks on the hypotheses of single folds, which no one sees
        warnings.simplefilter("ignore", HypothesisWarning)
        scores = cross_val_score(
            pipe,
            split.texts[train],
            split.target[train],
            groups=split.groups[train],
            cv=folds,
            params=split.fit_params,
            error_score="raise",
        )
    return {
        "score": "r2" if task == "regression" else "roc_auc",
        "n_folds": options.cv,
        "values": scores.tolist(),
        "mean": float(scores.mean()),
        "sd": float(scores.std(ddof=1)),
    }
