"""The stages of a study that are paid for, and what each consumes."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from .._annotation._members import sum_estimates
from .._language_models._addresses import is_local_address
from .._language_models._ledger import CostEstimate, add_estimates
from .._language_models._models import as_model
from .._language_models._session import N_WORKERS

COLUMNS = (
    *("stage", "model", "calls", "input_tokens", "output_tokens", "cost", "hours"),
)


def is_free(step, texts):
    """Tell whether a step asks nobody who is to be paid for some texts."""
    estimate = getattr(step, "estimate_cost", None)
    return estimate is None or estimate(list(texts)).calls == 0


@dataclass(frozen=True)
class StagePlan:
    """Who is asked in a study, and how often.

    Parameters
    ----------
    embedder, extractor : estimators
        The first and the last step of the pipeline.
    n_neurons, n_hypotheses : int
        How many are put into words, and how many of these are kept.
    seconds_per_call : float
        For the hours.
    """

    embedder: object
    extractor: object
    n_neurons: int
    n_hypotheses: int
    seconds_per_call: float

    @classmethod
    def of(cls, steps, n_neurons, seconds_per_call, *, caller):
        """Read a plan off the steps of a pipeline."""
        extractor = steps[-1]
        if len(steps) < 2 or not hasattr(extractor, "max_annotated"):
            raise TypeError(
                f"{caller} expects a Pipeline from texts to a HypothesisExtractor, "
                f"but {type(extractor).__name__} arrived"
                f"{' at its end' if len(steps) > 1 else ''}."
            )
        if n_neurons is None:
            n_neurons = _count_selected(steps, caller)
        n_hypotheses = min(extractor.n_hypotheses or n_neurons, n_neurons)
        return cls(steps[0], extractor, n_neurons, n_hypotheses, seconds_per_call)

    def estimate(self, texts, labelled, holdout, cv):
        """Return a table with one row per stage that asks anybody.

        Parameters
        ----------
        texts : ndarray of shape (n_texts,) and dtype object
            The training texts.
        labelled : ndarray of bool of shape (n_texts,)
            Which of them have a target.
        holdout : ndarray or None
            The texts of the test.
        cv : int or None
            Folds of a cross-validation beside the fit.
        """
        rows = self._estimate_fit(texts, labelled)
        if holdout is not None:
            rows.append(self._embed("embed for test", holdout))
            rows.append(self._annotate("annotate for test", holdout))
        if cv:
            rows.append(self._cross_validate(texts, labelled, cv))
        table = pd.DataFrame(
            [(stage, model, *cost, hours) for stage, model, cost, hours in rows],
            columns=list(COLUMNS),
        )
        return table[table["calls"] > 0].reset_index(drop=True)

    def _estimate_fit(self, texts, labelled):
        interpreter, annotator = self.extractor.interpreter, self.extractor.annotator
        writing = scoring = CostEstimate(0, 0, 0, 0.0)
        if hasattr(interpreter, "estimate_cost"):
            writing = interpreter.estimate_cost(texts, self.n_neurons)
            both = interpreter.estimate_cost(texts, self.n_neurons, annotator)
            # the cost of both is not known where that of one is not
            scoring = CostEstimate(*(a - b for a, b in zip(both, writing, strict=True)))
        sample = _spread(texts[labelled], self.extractor.max_annotated)
        return [
            self._embed("embed for training", texts),
            self._row("write statements", interpreter, writing, "interpreter"),
            self._row("score statements", annotator, scoring, "annotator"),
            self._annotate("annotate for training", sample, self.n_neurons),
        ]

    def _embed(self, stage, texts):
        estimate = getattr(self.embedder, "estimate_cost", None)
        cost = add_estimates([estimate(list(texts))] if estimate else [])
        return self._row(stage, self.embedder, cost, "embedding")

    def _annotate(self, stage, texts, n_hypotheses=None):
        annotator = self.extractor.annotator
        n_hypotheses = n_hypotheses or self.n_hypotheses
        cost = sum_estimates([annotator], list(texts), n_hypotheses)
        return self._row(stage, annotator, cost, "annotator")

    def _cross_validate(self, texts, labelled, cv):
        """Each fold fits on the others, and annotates its own texts for the score."""
        rows = self._estimate_fit(*_leave_out(texts, labelled, cv))
        fits = add_estimates([cost for _, _, cost, _ in rows])
        scored = self._annotate("", texts[labelled])
        cost = CostEstimate(*(cv * each for each in fits))
        hours = cv * sum(row[-1] for row in rows) + scored[-1]
        stage = f"cross-validate, {cv} folds"
        return stage, "", add_estimates([cost, scored[2]]), hours

    def _row(self, stage, part, cost, role):
        seconds = cost.calls * self.seconds_per_call / _count_calls_at_once(part, role)
        return stage, _name_model(part, role), cost, seconds / 3600


def _spread(texts, most):
    """Return texts from everywhere, not the first ones, which may be the shortest."""
    if most is None or len(texts) <= most:
        return texts
    return texts[np.linspace(0, len(texts) - 1, most).astype(int)]


def _leave_out(texts, labelled, cv):
    """Return as many of the texts as a fold is fitted on."""
    kept = np.arange(len(texts)) % cv > 0
    return texts[kept], labelled[kept]


def _count_selected(steps, caller):
    """Return how many columns the last step that selects some leaves."""
    found = [getattr(step, "n_select", None) for step in steps]
    found = [each for each in found if each is not None]
    if not found or not isinstance(found[-1], Integral):
        raise ValueError(
            f"{caller}: how many neurons are put into words is not said by a "
            "NeuronSelector with a number for n_select. Give n_neurons=."
        )
    return int(found[-1])


def _find_model(part, role):
    """Return the model of a part; None for a part that asks none, or several."""
    if not hasattr(part, "estimate_cost"):
        return None
    try:
        return as_model(getattr(part, "model", None), role)
    except (TypeError, ValueError):
        return None


def _name_model(part, role):
    model = _find_model(part, role)
    return type(part).__name__ if model is None else str(model)


def _count_calls_at_once(part, role):
    """How many calls are taken to be under way: see the notes of `estimate_study`."""
    n_workers = getattr(part, "n_workers", None)
    if n_workers is not None:
        return n_workers
    model = _find_model(part, role)
    if model is None:
        return N_WORKERS
    is_local = is_local_address(model.server())
    return model.default_workers or (1 if is_local else N_WORKERS)
