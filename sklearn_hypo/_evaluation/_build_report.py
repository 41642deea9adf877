"""From checked annotations to a report; knows no estimator but its settings."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._inference._length import LengthTest
from .._inference._missing_bounds import bound_separation
from .._inference._moderation import moderation_tests
from .._inference._ngrams import find_ngrams
from .._inference._overall import Overall
from .._inference._redundancy import measure_redundancy
from .._inference._tests import run_tests
from .._report._columns import join_terms, order_columns
from .._report._details import EvaluationData
from .._report._evidence import collect_details
from .._report._provenance import (
    record_provenance,
    record_seeds,
    record_settings,
)
from .._report._report import HypothesisReport
from .._style._measures import measure_texts
from .._utils._progress import show_progress
from .._utils._target_scale import scale_target
from .._utils._threads import on_one_thread
from .._utils._warnings import warn
from ._dependent_texts import find_new_rows
from ._earlier_tests import count_further_tests, fingerprint_tests
from ._several_annotators import choose_correction, test_annotators
from ._signs import TrainingEffects

# Settings of the tests of single hypotheses
_OF_TESTS = ("alpha", "correction", "cov_type", "n_permutations", "random_state")

# Those of the tests of a moderator, which permute nothing
_OF_MODERATION = ("alpha", "correction", "cov_type", "n_more")

# Overall figures that a report also holds by themselves
_SCORES = ("r2_out_of_sample", "roc_auc_out_of_sample")


@dataclass(frozen=True)
class Discovery:
    """What a fitted pipeline knows of its hypotheses and of the rows of a test.

    Parameters
    ----------
    estimator : estimator
        Whose settings are recorded.
    columns : dict of str to sequence
        Columns of the report's table, such as "neuron".
    evidence : dict
        Further keywords of `collect_details`.
    predictions : ndarray of shape (n_rows, n_outputs) or None
        Of the model that was fitted in training.
    ngram_predictions : ndarray of shape (n_rows, n_outputs) or None
        Of as many n-grams, picked and fitted in training.
    usage : DataFrame or None
        What language models consumed.
    effects : TrainingEffects or None
        What went with the target in training.
    skipped_neurons : dict of str to str or None
        Neurons without a hypothesis, and why.
    target_scale : str or None
        The scale that a quantity was learned on.
    is_known : ndarray of bool of shape (n_rows,) or None
        Which texts the hypotheses were found in; None if it is not known.
    """

    estimator: object = None
    columns: dict | None = None
    evidence: dict | None = None
    predictions: np.ndarray | None = None
    ngram_predictions: np.ndarray | None = None
    usage: pd.DataFrame | None = None
    effects: TrainingEffects | None = None
    skipped_neurons: dict | None = None
    target_scale: str | None = None
    is_known: np.ndarray | None = None


def build_report(
    annotations,
    names,
    rows,
    settings,
    *,
    texts=None,
    discovery=Discovery(),
    tested_before=None,
    near_duplicates=None,
    notes=(),
    votes=None,
):
    """Test checked annotations and build the report.

    Parameters
    ----------
    annotations, names, rows
        1, 0 or NaN by hypothesis, the hypotheses, and what `prepare_rows` returned.
    settings : dict
        "alpha", "correction", "cov_type", "n_permutations", "n_resamples", "ngrams"
        and "random_state".
    texts : ndarray of shape (n_rows,) or None, default=None
        The texts.
    discovery : Discovery
        What else is known of the hypotheses.
    tested_before : EarlierTests or None, default=None
        What was tested on the same rows; None if nothing was.
    near_duplicates : dict or None, default=None
        As from `group_near_duplicates`.
    notes : sequence of str, default=()
        What a reader should know of the data.
    votes : dict of str to ndarray of shape (n_rows, n_hypotheses) or None, default=None
        Of several annotators, what each says; `annotations` are their vote.
    """
    with show_progress("Testing"):
        tested = fingerprint_tests(
            annotations, names, rows, settings["cov_type"], votes
        )
        edits = [] if tested_before is None else tested_before.list_edits(tested)
        options = {name: settings[name] for name in _OF_TESTS}
        options["n_more"] = count_further_tests(edits)
        if votes is not None:
            options["correction"] = choose_correction(options["correction"])

        def test(values):
            return run_tests(
                values,
                rows.codes,
                names,
                rows.classes,
                rows.design,
                target_kind=rows.target_kind,
                **options,
            )

        tests, by_annotator = test(annotations), None
        if votes is not None:
            tests, by_annotator = test_annotators(tests, votes, test, options)
        moderation = moderation_tests(
            *(annotations, rows.codes, names, rows.classes, rows.design),
            **{name: options[name] for name in _OF_MODERATION},
            shown=_find_shown_classes(tests.table, rows.classes),
        )
        length = _test_length(tests, rows, texts, options)
        overall, p = _compute_overall(tests, rows, texts, length, discovery, settings)
        figures = dict(zip(overall["name"], overall["value"], strict=True))
        evidence, redundancy = discovery.evidence or {}, None
        if len(names):
            redundancy = measure_redundancy(
                tests.annotations, names, tests.design, terms=evidence.get("terms")
            )
        return HypothesisReport(
            table=_complete_table(
                tests.table,
                annotations,
                rows,
                redundancy,
                _list_columns(tests.table, rows.classes, length, discovery)
                | moderation.columns,
            ),
            **tests.summary,
            **{name: figures[name] for name in _SCORES if name in figures},
            usage=discovery.usage,
            overall=overall,
            permutation_p=p,
            n_resamples=settings["n_resamples"],
            redundancy=redundancy,
            details=collect_details(annotations, rows.target, texts=texts, **evidence),
            provenance=record_provenance(
                texts=texts,
                target=rows.target,
                settings=record_settings(discovery.estimator),
                seeds={
                    "random_state": settings["random_state"],
                    **record_seeds(discovery.estimator),
                },
                edits=edits,
                tests=[tested] if tested_before is None else tested_before.join(tested),
                notes=notes,
            ),
            data=EvaluationData(
                annotations=annotations,
                names=tuple(names),
                target=rows.target,
                texts=texts,
                settings={name: tests.summary[name] for name in ("task", "classes")}
                | {
                    "target": rows.target_kind,
                    "target_scale": _find_target_scale(rows, discovery),
                }
                | settings,
                votes=votes,
                **rows.beside,
            ),
            by_annotator=by_annotator,
            target_name=rows.target_name,
            skipped_neurons=discovery.skipped_neurons,
            n_training_texts=None
            if discovery.is_known is None
            else int(np.sum(discovery.is_known)),
            near_duplicates=near_duplicates,
            by_moderator=moderation.by_level,
            moderator_name=rows.moderator_name,
        )


def list_rules(hypotheses):
    """Return columns of the report: what decides of which texts a hypothesis is true.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
        In the order of the table.

    Returns
    -------
    columns : dict of str to Series or ndarray
        "name", "measure", "terms" and "threshold"; none without hypotheses.
    """
    if not hypotheses:
        return {}
    texts = {
        "name": [h.name for h in hypotheses],
        "measure": [h.measure for h in hypotheses],
        "terms": [join_terms(h.terms) for h in hypotheses],
    }
    columns = {name: pd.Series(each, dtype=object) for name, each in texts.items()}
    return columns | {"threshold": np.array([h.threshold for h in hypotheses], float)}


@on_one_thread()
def _test_length(tests, rows, texts, options):
    """Test the length by itself and, where it predicts, beside all others."""
    if texts is None or tests.joint.method == "":
        return LengthTest()
    words = measure_texts(list(map(str, texts)), ["words"])[:, 0]
    length = rows.design.differences(np.log1p(words))
    n_classes = None if rows.classes is None else len(rows.classes)
    return LengthTest.run(tests, length, n_classes, **options)


@on_one_thread()
def _compute_overall(tests, rows, texts, length, discovery, settings):
    """The overall figures, and the permutation p-value."""
    n_classes = None if rows.classes is None else len(rows.classes)
    predicted, scale = _scale_predicted(rows, discovery)
    overall = Overall(
        tests,
        n_classes,
        settings["n_resamples"],
        settings["random_state"],
        predicted=predicted,
        scale=scale,
    )
    joint, p = tests.joint.method != "", np.nan
    if joint:
        overall.add_in_sample()
        overall.add_cross_fitted()
        p, trouble = overall.permutation_p()
        if trouble:
            warn(trouble)
    differences = rows.design.differences
    new = find_new_rows(discovery.is_known, rows.design)
    if discovery.predictions is not None and len(tests.y) > 1:
        trouble = overall.add_out_of_sample(differences(discovery.predictions), new)
        if trouble:
            warn(trouble)
    if rows.embeddings is not None and joint:
        embeddings = np.asarray(rows.embeddings)  # a frame, from a pipeline
        overall.add_embeddings(differences(embeddings))
    if length.columns:
        overall.add_length(length.values, length.p)
    if joint:
        with show_progress("n-grams"):
            _add_ngrams(
                overall, rows, texts, discovery, settings, len(tests.table), new
            )
    return overall.table(), p


def _scale_predicted(rows, discovery):
    """What is predicted where that is not the target itself, and its name."""
    if _find_target_scale(rows, discovery) != "log1p":
        return None, ""
    values = scale_target(rows.codes, "log1p", caller="The test")
    return rows.design.differences(values), "log(1 + y)"


def _find_target_scale(rows, discovery):
    """The scale the hypotheses were learned on; without a fit, that of their kind."""
    if discovery.target_scale is not None:
        return discovery.target_scale
    return "log1p" if rows.target_kind == "count" else "identity"


def _add_ngrams(overall, rows, texts, discovery, settings, n_select, new):
    """What as many n-grams predict, the neighbour of the hypotheses."""
    if settings["ngrams"] and texts is not None:
        presence, terms = find_ngrams(texts)
        if len(terms):
            overall.add_ngrams(rows.design.differences(presence), n_select)
    if discovery.ngram_predictions is not None:
        predictions = rows.design.differences(discovery.ngram_predictions)
        overall.add_ngrams_out_of_sample(predictions, n_select, new)


def _list_columns(table, classes, length, discovery):
    """Columns of what training knew, and of the tests beside the length."""
    columns = {**(discovery.columns or {}), **length.columns}
    if discovery.effects is not None:
        columns["reversed"] = discovery.effects.find_reversed(table, classes)
    return columns


def _complete_table(table, annotations, rows, redundancy, columns):
    """The table with bounds for missing answers, duplicates, and what training knew."""
    found = dict(columns)
    if np.isnan(annotations).any() and rows.design.pairs is None:
        lower, upper = _bound_separations(table, annotations, rows)
        found |= {"separation_worst_lower": lower, "separation_worst_upper": upper}
    found["vif"] = np.nan if redundancy is None else redundancy.vif
    found["duplicate_of"] = _find_originals(table["hypothesis"], redundancy)
    return order_columns(table.assign(**found))


def _find_shown_classes(table, classes):
    """Code of the class that each separation is that of; None for a quantity."""
    if classes is None:
        return None
    codes = np.ones(len(table), dtype=int)  # of two classes the second
    if "separation_class" in table:
        labels = pd.Index(classes.astype(object), dtype=object)
        found = labels.get_indexer(table["separation_class"])
        codes = np.where(found < 0, codes, found)
    return codes


def _bound_separations(table, annotations, rows):
    """Bounds of the separation over all that the missing answers could have been."""
    targets = [rows.codes] * len(table)
    if rows.classes is not None:
        codes = _find_shown_classes(table, rows.classes)
        targets = [(rows.codes == c).astype(float) for c in codes]
    bounds = [
        bound_separation(a, target, weights=rows.design.weights)
        for a, target in zip(annotations.T, targets, strict=True)
    ]
    return [each.lower for each in bounds], [each.upper for each in bounds]


def _find_originals(names, redundancy):
    """The earlier hypothesis that each one repeats, exactly or nearly."""
    found = dict.fromkeys(names, "")
    if redundancy is not None:
        same = redundancy.pairs[redundancy.pairs["kind"].isin(["exact", "near"])]
        order = {name: i for i, name in enumerate(names)}
        for pair in zip(same["first"], same["second"], strict=True):
            early, late = sorted(pair, key=order.get)
            found[late] = found[late] or early
    return pd.Series(list(found.values()), dtype=object)
