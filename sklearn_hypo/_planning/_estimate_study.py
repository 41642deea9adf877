"""`estimate_study`: what a study will cost, and whether there is anything to find."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state

from .._inference._design import make_design
from .._inference._signal import measure_signal
from .._utils._containers import convert_container
from .._utils._progress import show_progress
from .._utils._steps import list_steps
from .._utils._target_scale import resolve_target_scale, scale_target
from .._utils._validation import (
    Interval,
    check_texts,
    draw_seed,
    encode_labelled,
    resolve_task,
    validate_params,
)
from ._stages import StagePlan, is_free
from ._study_estimate import StudyEstimate

_CALLER = "estimate_study"


@validate_params(
    {
        "cv": [Interval(Integral, 2, None, closed="left"), None],
        "n_neurons": [Interval(Integral, 1, None, closed="left"), None],
        "seconds_per_call": [Interval(Real, 0, None, closed="neither")],
        "n_permutations": [Interval(Integral, 0, None, closed="left")],
        "max_rows": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def estimate_study(
    pipe,
    texts,
    y,
    *,
    holdout=None,
    cv=None,
    n_neurons=None,
    groups=None,
    pairs=None,
    seconds_per_call=2.0,
    n_permutations=99,
    max_rows=2000,
    random_state=None,
):
    r"""Estimate what a study will consume, and test whether there is a signal.

    No language model is asked and nothing is fitted but embeddings and a ridge
    regression. Money is only well spent where the embeddings predict the target: what
    they do not predict, neurons made of them do not, and words that describe neurons
    still less.

    Parameters
    ----------
    pipe : Pipeline
        Unfitted, from texts to a `HypothesisExtractor`, as `make_hypothesis_pipeline`
        builds it.
    texts : sequence of str
        The training texts.
    y : array-like of shape (n_texts,)
        Their target; NaN or None where there is none.
    holdout : sequence of str or None, default=None
        The texts that `evaluate_hypotheses` will test the hypotheses on.
    cv : int or None, default=None
        Folds of a cross-validation that is made beside the fit. Each finds hypotheses
        of its own, and pays for them.
    n_neurons : int or None, default=None
        Neurons that are put into words. None: as many as the `NeuronSelector` of the
        pipeline selects.
    groups, pairs : array-like of shape (n_texts,) or None, default=None
        As in `evaluate_hypotheses`: the rows of a group stay on one side of the
        cross-validation and exchange their target together; of pairs, the differences
        are predicted.
    seconds_per_call : float, default=2.0
        How long a call takes, for the hours. Small models of providers take one or two
        seconds; a local model on a processor takes many.
    n_permutations : int, default=99
        Permutations of the target in the test of the signal. 0: no test.
    max_rows : int, default=2000
        Texts (or pairs) that the test looks at, drawn at random where there are more.
    random_state : int, RandomState instance or None, default=None
        Draws these texts, the folds and the permutations.

    Returns
    -------
    estimate : StudyEstimate
        Its `stages`, `total`, `hours` and `signal`; printed, it is a table.

    Raises
    ------
    TypeError
        If the pipeline does not end in a `HypothesisExtractor`.
    ValueError
        If it does not say how many neurons it selects, and `n_neurons` is not given.

    See Also
    --------
    LLMAnnotator.estimate_cost, LLMInterpreter.estimate_cost : The parts.
    Budget : A cap for all parts together.
    plan_study : Texts that a further study takes, once there is a report.

    Notes
    -----
    *Calls* are those of a run in which all statements differ and every answer can be
    used. As a rule fewer are made: neurons that are active in the same texts share
    calls, answers by which statements were scored serve the annotation too (with few
    texts, that is a quarter of all), columns of `StyleFeatures` that are selected need
    no words, and what is in the cache is not asked again. More are made only where
    calls fail or answers cannot be used.
    *Tokens* are a quarter of the characters, as in English; reasoning is not foreseen.
    *Hours* are

    .. math:: \frac{\text{calls} \cdot \text{seconds per call}}
        {3600 \cdot \text{calls at once}}

    with `n_workers` calls at once where that is set, else 1 for a function, for a
    model in this process and for a server on this machine or in a private network, and
    16 for a provider, who may allow fewer.

    The *signal* is the cross-validated score of a ridge regression on the embeddings
    (R², area under the ROC curve, or the share of pairs ranked rightly), and its
    p-value from permutations of the target [1]_. If the embedding itself would have to
    be paid for, it is left out. Without pairs, a text that is repeated counts once.

    References
    ----------
    .. [1] Ojala and Garriga 2010, "Permutation tests for studying classifier
       performance", Journal of Machine Learning Research 11.

    Examples
    --------
    >>> from sklearn_hypo import (
    ...     LLMAnnotator, LLMInterpreter, estimate_study, make_hypothesis_pipeline
    ... )
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> data = make_concept_texts(1000, n_concepts=3, random_state=0)
    >>> pipe = make_hypothesis_pipeline(
    ...     "lsa",
    ...     n_select=10,
    ...     interpreter=LLMInterpreter("gemini:gemini-3.8-flash", cache=None),
    ...     annotator=LLMAnnotator("gemini:gemini-2.5-flash-lite", cache=None),
    ... )
    >>> estimate = estimate_study(
    ...     pipe, data.data[:800], data.target[:800], holdout=data.data[800:],
    ...     random_state=0,
    ... )
    >>> estimate.stages[["stage", "calls"]]
                       stage  calls
    0       write statements     30
    1       score statements    ...
    2  annotate for training    ...
    3      annotate for test    ...
    >>> estimate.signal.p_value
    0.01
    """
    texts = check_texts(texts, caller=_CALLER)
    if holdout is not None:
        holdout = check_texts(holdout, caller=_CALLER)
    steps = list_steps(pipe)
    plan = StagePlan.of(steps, n_neurons, seconds_per_call, caller=_CALLER)
    task = resolve_task(y, plan.extractor.task)
    target, classes, labelled = encode_labelled(y, task, caller=_CALLER)
    stages = plan.estimate(texts, labelled, holdout, cv)
    rng = check_random_state(random_state)
    signal = None
    if n_permutations:
        design = make_design(
            len(target),
            groups=_take(groups, labelled),
            pairs=_take(pairs, labelled),
            caller=_CALLER,
        )
        known = texts[labelled]
        rows = _draw_rows(known, design, max_rows, rng)
        seed = draw_seed(rng)
        if is_free(steps[0], known[rows]):
            scale = resolve_target_scale(
                target, getattr(plan.extractor, "target_scale", "auto"), classes=classes
            )
            with show_progress("Looking for a signal"):
                signal = measure_signal(
                    _embed(steps[0], known[rows]),
                    scale_target(target, scale, caller=_CALLER)[rows],
                    None if classes is None else len(classes),
                    design.take(rows),
                    n_permutations=n_permutations,
                    seed=seed,
                )._replace(target_scale=scale)
    return StudyEstimate(stages, signal)


def _take(labels, rows):
    return None if labels is None else np.asarray(convert_container(labels))[rows]


def _draw_rows(texts, design, most, rng):
    """Draw rows, or whole pairs, ascending; all of them if there are few enough.

    A text that is repeated would be recognized, not predicted: its first row stands for
    all.
    """
    if design.pairs is None:
        rows = np.flatnonzero(~pd.Series(texts).duplicated())
        drawn = rng.permutation(rows)[:most]
        return np.sort(drawn)
    drawn = rng.permutation(np.unique(design.pairs))[:most]
    return np.flatnonzero(np.isin(design.pairs, drawn))


def _embed(embedder, texts):
    """Embed by a copy of the first step, which stays as it is."""
    return np.asarray(clone(embedder).fit_transform(texts))
