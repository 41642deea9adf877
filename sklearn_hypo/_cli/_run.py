"""``sklearn-hypo run``: from a file of texts to tested hypotheses."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
from sklearn.base import clone

from .._pipeline import make_hypothesis_pipeline
from .._reading._labelled_texts import read_labelled_texts
from .._reading._mappings import read_mapping
from .._report._provenance import list_versions, record_settings
from .._utils._validation import resolve_task
from ._file_options import Input
from ._language_models import (
    Strategies,
    check_go_ahead,
    estimate_split,
    record_spending,
    spend,
)
from ._output import check_output_folder, write_results
from ._split import cross_validate, make_split

# How the reasons for which rows are dropped are said.
_REASONS = {
    "without_text": "without a text",
    "without_target": "without a target",
    "without_group": "without a group",
    "without_pair": "without a pair",
    "without_moderator": "without a moderator",
    "without_covariate": "without a covariate",
    "without_partner": "without a partner in their pair",
    "of_identical_texts": "in pairs of identical texts",
    "without_winner": "in pairs of which none won",
    "without_split": "without a side of the split",
}


# The scale that a kind of numbers is learned on, where that is not the numbers.
_SCALES = {"auto": "auto", "count": "log1p"}


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
        check_output_folder(options.output, source=each.find())
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
        moderator=options.moderator,
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
        html=options.html,
    )
    for sentence in rows.notes:
        note(sentence)
    _report_dropped(rows, note)
    task = resolve_task(rows.target, options.task)
    split = make_split(rows, task, options)
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
    blank = clone(pipe)
    with spend(options, budget, note):
        split.fit(pipe)
        if options.embedder == "auto":
            note(f"--embedder auto is {pipe['embed'].model_} here.")
        report = split.evaluate(
            pipe,
            target=options.target_kind,
            notes=rows.notes,
            near_duplicates=options.near_duplicates,
        )
        validation = None
        if options.cv:
            validation = cross_validate(blank, split, task, options)
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
    if not (options.groups or options.pairwise):
        note(
            "each text was taken to be independent of the others. If several are of "
            "one author, document or thread, name its column: --groups COLUMN."
        )


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
        tokenizer=options.tokenizer,
        task=task,
        target_scale=_SCALES.get(options.target_kind, "identity"),
        pool=options.pool,
        cache=options.cache or "auto",
        random_state=options.seed,
    )


# Before the fit -------------------------------------------------------------------


def _report_dropped(rows, note):
    total = sum(rows.dropped.values())
    if total:
        counts = [f"{n} {_REASONS[reason]}" for reason, n in rows.dropped.items()]
        note(f"dropped {total} of {rows.n_read} rows: {', '.join(counts)}.")


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
        "html": options.html,
        "text": options.text,
        "target": options.target,
        "target_kind": options.target_kind,
        "groups": options.groups,
        "covariates": options.covariates,
        "pairwise": options.pairwise,
        "moderator": options.moderator,
        "map": mapping or None,
        "decimal": options.decimal,
        "missing": options.missing,
        "target_date": options.target_date,
        "task": task,
        "holdout": options.holdout,
        "cv": options.cv,
        "near_duplicates": options.near_duplicates,
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
