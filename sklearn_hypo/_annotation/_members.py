"""What annotators that ask several others do with them: fit, account, estimate."""

import numpy as np

from .._language_models._ledger import add_estimates
from .._utils._validation import draw_seed
from ._cells import make_twin


def check_members(annotators, *, name, caller):
    """Raise unless each of a parameter's annotators has what `Annotator` asks for."""
    for each in annotators:
        lacks = [
            method
            for method in ("fit", "annotate", "get_params")
            if isinstance(each, type) or not hasattr(each, method)
        ]
        if lacks:
            kind = each.__name__ if isinstance(each, type) else type(each).__name__
            what = "the class " if isinstance(each, type) else ""
            raise TypeError(
                f"{caller}: {name}= takes annotators (estimators with fit and "
                f"annotate), but {what}{kind} arrived."
            )


def fit_twins(annotators, texts, hypotheses, activations, random_state):
    """Return fitted twins, each with a seed of its own.

    A twin of an annotator that is paid for shares its account and its answers.
    """
    return [
        make_twin(each).fit(
            texts,
            hypotheses,
            activations,
            random_state=None
            if random_state is None
            else np.random.RandomState(draw_seed(random_state)),
        )
        for each in annotators
    ]


def name_annotators(annotators):
    """Return a name for each: its class, its model if it has one, a number if need be.

    Examples
    --------
    >>> from sklearn_hypo import LexiconAnnotator, LLMAnnotator
    >>> from sklearn_hypo._annotation._members import name_annotators
    >>> lexicon = LexiconAnnotator()
    >>> name_annotators([lexicon, LLMAnnotator("openai:a"), lexicon])
    ['LexiconAnnotator 1', 'LLMAnnotator(openai:a)', 'LexiconAnnotator 2']
    """
    names = [_describe(each) for each in annotators]
    return [
        name if names.count(name) == 1 else f"{name} {names[: i + 1].count(name)}"
        for i, name in enumerate(names)
    ]


def _describe(annotator):
    model = getattr(annotator, "model", None)
    if callable(model):
        model = getattr(model, "__name__", type(model).__name__)
    name = type(annotator).__name__
    return name if model is None else f"{name}({model})"


def sum_usage(annotators):
    """Add up the accounts of those that keep one, as `LLMAnnotator.usage_` has them.

    Raise an AttributeError, as for an attribute that is missing, if none keeps one.
    """
    found = [getattr(each, "usage_", None) for each in annotators]
    # twins of one annotator share one account
    accounts = list(
        {id(each): each for each in found if isinstance(each, dict)}.values()
    )
    if not accounts:
        raise AttributeError("None of the annotators keeps an account (usage_).")
    return {key: _join([each[key] for each in accounts]) for key in accounts[0]}


def _join(values):
    """Add numbers up; name words side by side, each once."""
    if all(isinstance(value, str) for value in values):
        return " + ".join(dict.fromkeys(filter(None, values)))
    return sum(values)


def sum_estimates(annotators, texts, hypotheses):
    """Add up what annotating is expected to cost; those that are free cost nothing."""
    return add_estimates(
        each.estimate_cost(texts, hypotheses)
        for each in annotators
        if hasattr(each, "estimate_cost")
    )


def check_keys(annotators):
    """Have each that makes calls check that it can."""
    for each in annotators:
        if hasattr(each, "check_key"):
            each.check_key()
