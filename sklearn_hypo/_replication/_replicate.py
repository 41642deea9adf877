"""Whether a refit finds the same hypotheses, without asking any annotator."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .._embedding._text_embedder import TextEmbedder
from .._hypotheses._hypothesis import select_activations
from .._utils._containers import convert_container
from .._utils._correlation import correlate_activations, correlation_scores
from .._utils._progress import count_each, show_progress
from .._utils._steps import find_best_estimator, find_extractor
from .._utils._target_scale import scale_target
from .._utils._threads import limit_to_one_thread
from .._utils._validation import (
    Interval,
    StrOptions,
    _num_samples,
    _safe_indexing,
    draw_seed,
    encode_target,
    make_target_columns,
    validate_params,
)
from ._neuron_matching import match_best, match_one_to_one
from ._report import ReplicationReport

_CALLER = "replicate_hypotheses"


@validate_params(
    {
        "n_runs": [Interval(Integral, 1, None, closed="left")],
        "vary": [StrOptions({"seed", "bootstrap", "both"})],
        "threshold": [Interval(Real, 0, 1, closed="right")],
        "refit_from": [str, None],
        "groups": ["array-like", None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def replicate_hypotheses(
    estimator,
    X,
    y,
    *,
    n_runs=10,
    vary="seed",
    X_match=None,
    threshold=0.5,
    refit_from=None,
    groups=None,
    n_jobs=None,
    random_state=0,
):
    r"""Refit a pipeline again and again, and count how often a hypothesis is found.

    The steps between the embedding and the hypotheses are refitted with other seeds,
    on resampled rows, or both. Nothing is put into words and nothing is annotated, so
    that a refit costs no more than an autoencoder: a hypothesis is its neuron here,
    and it is found again if the refit selected a neuron that is active on the same
    texts,

    .. math:: \operatorname{corr}(a_j, a'_{\pi(j)}) \ge \text{threshold},

    where the matching :math:`\pi` gives each hypothesis a neuron of its own such that
    the sum of the correlations is as large as can be.

    Parameters
    ----------
    estimator : Pipeline that ends in a `HypothesisExtractor`
        Fitted. A fitted search is asked for its best estimator.
    X : array-like of length n_samples
        What the pipeline was fitted on: texts, or what its first step takes.
    y : array-like of shape (n_samples,)
        The target that it was fitted on.
    n_runs : int, default=10
        Refits.
    vary : {"seed", "bootstrap", "both"}, default="seed"
        "seed" gives every refitted step that has a `random_state` another one, on the
        same rows: what is found depends on the data, and not on luck in training.
        "bootstrap" draws as many rows with replacement, and keeps the seeds: what is
        found does not hang on a few texts. "both" does both.
    X_match : array-like, default=None
        Texts to compare activations on, such as texts held out. None: X.
    threshold : float, default=0.5
        Correlation from which a neuron counts as the same.
    refit_from : str, default=None
        Name of the first step that is refitted; those before are kept as fitted. None
        keeps the `TextEmbedder` and what is before it, or nothing if there is none.
        Name the embedding to learn it anew too, which matters for one that learns
        from the rows (``"lsa"``).
    groups : array-like of shape (n_samples,), default=None
        Authors, documents: a bootstrap draws these, each with all its rows.
    n_jobs : int, default=None
        Refits at a time, as in joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=0
        Where the seeds and the resampled rows come from.

    Returns
    -------
    report : ReplicationReport
        "Found in 9 of 10" for every hypothesis, and the correlations behind it.

    Raises
    ------
    TypeError
        If the estimator is no pipeline that ends in a `HypothesisExtractor`.
    NotFittedError
        If it is not fitted.
    ValueError
        If nothing is left to refit, no refitted step has a seed to vary, groups are
        given where no rows are drawn, lengths differ, a hypothesis has no neuron, or
        there are fewer than three texts to compare.

    See Also
    --------
    ReplicationReport : What the columns mean.
    evaluate_hypotheses : Tests the hypotheses. A hypothesis can be found every time
        and still be false, or be true and hard to find.

    Notes
    -----
    - The embeddings are computed once, for all refits.
    - For hypotheses that stand for several neurons, the activation is the largest of
      these, as in `HypothesisExtractor`. A concept that a refit splits into two
      neurons is found if one of them correlates enough.
    - The threshold of 0.5 means that a quarter of the variance is shared. Chance is far
      below: the report holds the largest correlation that permuted rows gave with any
      neuron of any refit (`null_correlation`; 0.15 to 0.23 for 20 hypotheses and 10
      refits of 256 neurons on 5,496 tweets). All correlations are in the report, so
      that another threshold takes no other run.
    - One thread per refit, whatever `n_jobs` is: other numbers of threads round
      otherwise, and an autoencoder that is trained makes much of little.
    - A bootstrap leaves out 37 % of the rows and repeats others, also across the
      validation split by which the autoencoder stops, so that it finds a little less
      than a fresh sample of that size would.

    Examples
    --------
    >>> from sklearn_hypo import make_hypothesis_pipeline, replicate_hypotheses
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> texts = make_concept_texts(600, n_concepts=3, random_state=0)
    >>> pipe = make_hypothesis_pipeline(
    ...     "lsa", n_neurons=16, k=8, n_select=3, n_fits=2, random_state=0
    ... ).fit(texts.data, texts.target)
    >>> report = replicate_hypotheses(pipe, texts.data, texts.target, n_runs=2)
    >>> report.table["n_found"].tolist()
    [2, 2, 2]
    >>> report.refitted
    ('sae', 'style', 'terms', 'select')
    """
    pipeline = find_best_estimator(estimator)
    extractor = find_extractor(pipeline, caller=_CALLER)
    if extractor is pipeline:
        raise TypeError(
            f"{_CALLER} refits the steps before the hypotheses, but a bare "
            f"{type(extractor).__name__} arrived. Pass the Pipeline that ends in it."
        )
    kept, refitted = _split_steps(pipeline, refit_from)
    y, groups = convert_container(y), convert_container(groups)
    _check_rows(X, y, groups, vary)
    rng = check_random_state(random_state)
    template = _fix_seeds(refitted, vary, rng)
    original = _describe_fit(kept.steps, refitted.steps, extractor, X, y, X_match)
    plans = [_plan_refit(_num_samples(X), vary, groups, rng) for _ in range(n_runs)]
    with limit_to_one_thread(), show_progress("Refitting", n_runs) as count:
        runs = Parallel(n_jobs=n_jobs)(
            delayed(_refit)(template, original, plan)
            for plan in count_each(plans, count)
        )
    correlations, present, same, null = (
        np.stack(parts, axis=-1) for parts in zip(*runs, strict=True)
    )
    found = correlations >= threshold
    words = [(h.statement, h.neuron) for h in extractor._hypotheses]
    table = pd.DataFrame(words, columns=["hypothesis", "neuron"], dtype=object)
    return ReplicationReport(
        table=table.assign(
            n_found=found.sum(axis=1),
            n_runs=n_runs,
            share=found.mean(axis=1),
            n_found_any=(present >= threshold).sum(axis=1),
            median_correlation=np.median(correlations, axis=1),
            same_sign=(found & same).sum(axis=1),
        ),
        correlations=correlations,
        correlations_any=present,
        threshold=threshold,
        n_runs=n_runs,
        vary=vary,
        null_correlation=float(null.max()),
        n_texts=len(original.reference),
        refitted=tuple(name for name, _ in refitted.steps),
    )


# The steps ------------------------------------------------------------------------


def _split_steps(pipeline, refit_from):
    """Split a pipeline into what is kept, what is refitted, and the hypotheses."""
    names = [name for name, _ in pipeline.steps[:-1]]
    if refit_from is None:
        embedders = [
            i for i, (_, s) in enumerate(pipeline.steps) if isinstance(s, TextEmbedder)
        ]
        first = embedders[-1] + 1 if embedders else 0
    elif refit_from in names:
        first = names.index(refit_from)
    else:
        raise ValueError(
            f"{_CALLER}: there is no step {refit_from!r} before the hypotheses; the "
            f"steps are {names}."
        )
    if first >= len(names):
        raise ValueError(
            f"{_CALLER}: there is nothing to refit between the embedding and the "
            "hypotheses. Pass a Pipeline with an autoencoder, or name the first step "
            "to be refitted as refit_from."
        )
    return pipeline[:first], pipeline[first:-1]


def _find_seeds(steps):
    """Return the names of the parameters that are seeds, in a fixed order."""
    names = steps.get_params(deep=True)
    return sorted(n for n in names if n.split("__")[-1] == "random_state")


def _fix_seeds(steps, vary, rng):
    """Clone the steps. Where seeds are kept, give one to those that have no number."""
    template = clone(steps)
    names = _find_seeds(template)
    if vary == "seed" and not names:
        raise ValueError(
            f"{_CALLER}: none of the refitted steps "
            f"({', '.join(name for name, _ in steps.steps)}) has a random_state, so "
            'that every refit would be the same. Pass vary="bootstrap".'
        )
    settings = template.get_params(deep=True)
    unsettled = [name for name in names if not isinstance(settings[name], Integral)]
    return template.set_params(**{name: draw_seed(rng) for name in unsettled})


def _transform(steps, X):
    """Apply steps one by one: a stateless last one makes a Pipeline look unfitted."""
    for _, step in steps:
        if step is not None and step != "passthrough":
            X = step.transform(X)
    return X


def _activate(steps, X):
    """Return the activations before the last selector, and what it selected."""
    n_before = len(steps) - hasattr(steps[-1][1], "get_support")
    neurons = _transform(steps[:n_before], X)
    return neurons, _transform(steps[n_before:], neurons)


# The original fit -----------------------------------------------------------------


class _Original(NamedTuple):
    """What every refit needs: rows to fit on, and neurons to look for.

    `embedded` and `matched` are the same object without texts of their own to match.
    """

    embedded: pd.DataFrame
    y: np.ndarray
    targets: np.ndarray  # (n_samples, n_targets)
    matched: pd.DataFrame
    reference: np.ndarray  # (n_matched, n_hypotheses)
    signs: tuple


def _describe_fit(kept, refitted, extractor, X, y, X_match):
    """Embed the texts, once, and collect the activations to look for."""
    values, classes = encode_target(y, extractor.task_, caller=_CALLER)
    scale = getattr(extractor, "target_scale_", "identity")
    values = scale_target(values, scale, caller=_CALLER)
    targets = make_target_columns(values, classes)
    embedded = matched = _transform(kept, X)
    if X_match is not None:
        matched = _transform(kept, X_match)
    n_matched = _num_samples(matched)
    if n_matched < 3:
        raise ValueError(
            f"{_CALLER}: activations cannot be compared on {n_matched} texts. Pass "
            "more as X_match."
        )
    hypotheses = extractor._hypotheses
    reference = own = _find_reference_activations(refitted, matched, hypotheses)
    if X_match is not None:
        own = _find_reference_activations(refitted, embedded, hypotheses)
    signs = _find_signs(correlation_scores(own, targets))
    return _Original(embedded, y, targets, matched, reference, signs)


def _find_reference_activations(steps, X, hypotheses):
    """Return one column of activations per hypothesis of the original fit."""
    selected = _activate(steps, X)[1]
    described = {neuron for each in hypotheses for neuron in each.neurons}
    unknown = sorted(described - set(selected.columns))
    if unknown:
        raise ValueError(
            f"{_CALLER}: the hypotheses describe neurons that the pipeline does not "
            f"select: {unknown[:5]}. A hypothesis without a neuron of the fit cannot "
            "be looked for."
        )
    return select_activations(selected.to_numpy(), selected.columns, hypotheses)


# One refit ------------------------------------------------------------------------


def _plan_refit(n_rows, vary, groups, rng):
    """Draw what one refit differs in: its seed (or None) and its rows (or None)."""
    seed = None if vary == "bootstrap" else draw_seed(rng)
    rows = None if vary == "seed" else _resample_rows(n_rows, groups, rng)
    return seed, rows, draw_seed(rng)


def _resample_rows(n_rows, groups, rng):
    """Draw row numbers with replacement; groups as a whole if there are some."""
    if groups is None:
        return rng.randint(n_rows, size=n_rows)
    labels = pd.factorize(np.asarray(groups))[0]
    order = np.argsort(labels, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(labels))[:-1])
    drawn = rng.randint(len(members), size=len(members))
    return np.concatenate([members[number] for number in drawn])


def _refit(template, original, plan):
    """Refit once; return the correlations of every hypothesis, and chance's."""
    seed, rows, null_seed = plan
    X, y, targets, matched, reference, signs = original
    with limit_to_one_thread():
        steps = clone(template)
        if seed is not None:
            rng = np.random.RandomState(seed)
            names = _find_seeds(steps)
            steps.set_params(**{name: draw_seed(rng) for name in names})
        fitted = steps.fit(_safe_indexing(X, rows), _safe_indexing(y, rows)).steps
        neurons, selected = (a.to_numpy() for a in _activate(fitted, matched))
        found = match_one_to_one(correlate_activations(reference, selected))
        best = match_best(correlate_activations(reference, neurons))
        # the selected are among all, whatever the rounding
        present = np.maximum(best.correlation, found.correlation)
        shuffled = np.random.RandomState(null_seed).permutation(len(reference))
        chance = correlate_activations(reference[shuffled], neurons)
        if matched is not X:
            selected = _activate(fitted, X)[1].to_numpy()
        association = correlation_scores(selected, targets)
        same = _compare_signs(association, found.partner, signs)
    return found.correlation, present, same, chance.max(axis=1, initial=0.0)


# The target -----------------------------------------------------------------------


def _find_signs(association):
    """Return the column of the target each hypothesis goes with most, and the sign."""
    column = np.abs(association).argmax(axis=1)
    return column, np.sign(association[np.arange(len(column)), column])


def _compare_signs(association, partner, signs):
    column, sign = signs
    return (partner >= 0) & (np.sign(association[partner, column]) == sign)


def _check_rows(X, y, groups, vary):
    n_rows = _num_samples(X)
    for what, values in {"y": y, "groups": groups}.items():
        if values is not None and _num_samples(values) != n_rows:
            raise ValueError(
                f"{_CALLER}: X and {what} differ in length ({n_rows} and "
                f"{_num_samples(values)}). There must be one value per row."
            )
    if groups is not None and vary == "seed":
        raise ValueError(
            f'{_CALLER}: groups are for drawing rows, and vary="seed" draws none. '
            'Pass vary="bootstrap" or "both", or leave groups out.'
        )
