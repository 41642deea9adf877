"""``sklearn-hypo run``: from a file of texts to tested hypotheses."""

import importlib.util
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    StratifiedGroupKFold,
    cross_val_score,
)

from .._evaluation._hypotheses import evaluate_hypotheses
from .._pipeline import make_hypothesis_pipeline
from .._reading._labelled_texts import read_labelled_texts
from .._reading._mappings import read_mapping
from .._reading._values import name_value, suggest_option
from .._report._provenance import list_versions, record_settings
from .._utils._validation import resolve_task
from ..exceptions import HypothesisWarning, InputError
from ._file_options import STANDARD_INPUT, Input
from ._language_models import (
    Strategies,
    check_go_ahead,
    estimate_split,
    record_spending,
    spend,
)
from ._output import check_output_folder, write_results

_FEWEST_TEXTS = 20
_FEWEST_GROUPS = 10  # so that some of them are in the holdout
_FEWEST_ON_A_SIDE = 10  # distinct texts, where the user split them

# How the reasons for which rows are dropped are said.
_REASONS = {
    "without_text": "without a text",
    "without_target": "without a target",
    "without_group": "without a group",
    "without_pair": "without a pair",
    "without_covariate": "without a covariate",
    "without_partner": "without a partner in their pair",
    "of_identical_texts": "in pairs of identical texts",
    "without_winner": "in pairs of which none won",
    "without_split": "without a side of the split",
}


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
        """Fit a pipeline on the texts to learn from, with progress on a terminal."""
        with show_progress(pipe):
            return pipe.fit(self.texts[self.train], self.target[self.train])

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


def run(options, say, note):
    """Find hypotheses in a file of texts, test them and write the results.

    Parameters
    ----------
    options : Namespace
        The options of ``sklearn-hypo run``.
    say, note : callables
        Take a text for standard output, and one for standard error.

    Raises
    ------
    InputError
        If the file or its columns cannot be used.
    ValueError, OSError, ImportError, LanguageModelError
        As the estimators do.
    """
    strategies = Strategies.of(options)
    inputs = [Input(path) for path in (options.file, options.test) if path is not None]
    for each in inputs:
        if each.path != STANDARD_INPUT:
            check_output_folder(options.output, source=each.path)
    mapping = read_mapping(options.map_file) if options.map_file else {}
    mapping |= dict(options.map or ())
    rows = read_labelled_texts(
        inputs[0].file,
        options.text,
        options.target,
        mapping=mapping,
        task=options.task,
        groups=options.groups,
        covariates=options.covariates,
        pairs=options.pairwise,
        decimal=options.decimal,
        missing=options.missing,
        target_date=options.target_date,
        test=inputs[1].file if options.test else None,
        split=options.split,
        sep=options.sep,
        encoding=options.encoding,
        header=options.header,
        quotes=options.quotes,
        sheet=options.sheet,
    )
    for sentence in rows.notes:
        note(sentence)
    _report_dropped(rows, note)
    task = resolve_task(rows.target, options.task)
    split = _make_split(rows, task, options)
    pipe = _make_pipeline(strategies, len(split.train), task, options)
    budget, estimate = strategies.budget, None
    if budget is not None or options.estimate:
        estimate = estimate_split(pipe, split, options)
        say(f"{estimate}\n")
        if estimate.signal is None:
            note("the signal is not tested: the embedding has to be paid for first.")
        if options.estimate:
            return
        check_go_ahead(estimate, options, note)
    blank = clone(pipe)  # without the progress bar
    with spend(options, budget, note):
        split.fit(pipe)
        if options.embedder == "auto":
            note(f"--embedder auto is {pipe['embed'].model_} here.")
        report = split.evaluate(pipe)
        validation = None
        if options.cv:
            validation = _cross_validate(blank, split, task, options)
    metrics = {
        "rows": _count_rows(rows, split),
        "notes": rows.notes,
        "holdout": list_overall_figures(report),
        "cross_validation": validation,
        "language_models": record_spending(report, estimate, budget),
        "versions": list_versions(),
    }
    settings = _record_options(options, inputs, mapping, task) | record_settings(pipe)
    with show_in_any_case(say, _render_text(report, validation)):
        title = f"Hypotheses on {options.target} in {inputs[0].name}"
        paths = write_results(options.output, report, metrics, settings, title)
    say(f"\nWrote {', '.join(map(str, paths))}")


def _make_pipeline(strategies, n_train, task, options):
    return make_hypothesis_pipeline(
        options.embedder,
        n_texts=n_train,
        n_neurons=options.n_neurons,
        k=options.k,
        n_select=options.n_select,
        method=options.method,
        interpreter=strategies.interpreter,
        annotator=strategies.annotator,
        supervised=options.supervised,
        style=options.style,
        terms=options.terms,
        task=task,
        cache=options.cache or "auto",
        random_state=options.seed,
    )


# Before the fit -------------------------------------------------------------------


def _report_dropped(rows, note):
    total = sum(rows.dropped.values())
    if total:
        counts = [f"{n} {_REASONS[reason]}" for reason, n in rows.dropped.items()]
        note(f"dropped {total} of {rows.n_read} rows: {', '.join(counts)}.")


def _make_split(rows, task, options):
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


# The fit --------------------------------------------------------------------------


@contextmanager
def show_progress(pipe):
    """Show progress bars on standard error while fitting, if that is a terminal."""
    if not (sys.stderr.isatty() and importlib.util.find_spec("rich")):
        yield
        return
    from sklearn.callback import ProgressBar

    pipe.set_callbacks(ProgressBar())
    with redirect_stdout(sys.stderr):  # standard output is for the report
        yield


def _cross_validate(pipe, split, task, options):
    """Score the pipeline on folds of the texts that are not held out."""
    kind = StratifiedGroupKFold if task == "classification" else GroupKFold
    folds = kind(options.cv, shuffle=True, random_state=options.seed)
    train = split.train
    with warnings.catch_warnings():
        # remarks on the hypotheses of single folds, which no one sees
        warnings.simplefilter("ignore", HypothesisWarning)
        scores = cross_val_score(
            pipe,
            split.texts[train],
            split.target[train],
            groups=split.groups[train],
            cv=folds,
            error_score="raise",
        )
    return {
        "score": "r2" if task == "regression" else "roc_auc",
        "n_folds": options.cv,
        "values": scores.tolist(),
        "mean": float(scores.mean()),
        "sd": float(scores.std(ddof=1)),
    }


# After the fit --------------------------------------------------------------------


# What a report knows that is in the table, in settings.json, or about its own format.
_NOT_FIGURES = (
    *("hypotheses", "usage", "provenance", "dtypes", "format", "version"),
    "target_name",
)


def list_overall_figures(report):
    """Return the overall figures of a report."""
    return {k: v for k, v in report.to_dict().items() if k not in _NOT_FIGURES}


def _count_rows(rows, split):
    return {
        "read": rows.n_read,
        **{f"dropped_{reason}": n for reason, n in rows.dropped.items()},
        "used": len(rows.texts),
        "distinct_texts": len(pd.unique(rows.texts)),
        "groups": len(np.unique(split.groups)),
        "train": len(split.train),
        "holdout": len(split.holdout),
    }


def _record_options(options, inputs, mapping, task):
    return {
        "file": inputs[0].describe(),
        "test": inputs[1].describe() if options.test else None,
        "split": options.split,
        "sep": options.sep,
        "encoding": options.encoding,
        "header": options.header,
        "quotes": options.quotes,
        "sheet": options.sheet,
        "text": options.text,
        "target": options.target,
        "groups": options.groups,
        "covariates": options.covariates,
        "pairwise": options.pairwise,
        "map": mapping or None,
        "decimal": options.decimal,
        "missing": options.missing,
        "target_date": options.target_date,
        "task": task,
        "holdout": options.holdout,
        "cv": options.cv,
        "seed": options.seed,
        "interpreter": options.interpreter,
        "annotator": options.annotator,
        "base_url": options.base_url,
        "model_options": dict(options.model_option or ()),
        "max_cost": options.max_cost,
    }


def _render_text(report, validation):
    text = str(report)
    if validation:
        name = {"r2": "R²", "roc_auc": "ROC AUC"}[validation["score"]]
        text += (
            f"\n{validation['mean']:>7.3f}  {name} by {validation['n_folds']}-fold "
            f"cross-validation on the training texts (sd {validation['sd']:.3f})"
        )
    return text


@contextmanager
def show_in_any_case(say, text):
    """Show the report also if it cannot be written: it may have taken hours."""
    try:
        yield
    finally:
        say(text)
