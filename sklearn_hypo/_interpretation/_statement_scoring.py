"""How well statements describe neurons, judged by an annotator on rows held out."""

import numpy as np

from .._annotation._cells import annotate_cells, make_twin
from .._hypotheses._fidelity import Fidelity
from .._hypotheses._hypothesis import Hypothesis


class StatementScorer:
    """Has statements annotated on chosen rows, many neurons at once.

    Parameters
    ----------
    annotator : Annotator or PaidAnnotator
        Unfitted. A twin is used, or a clone of an annotator that makes none.
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts.
    activations : ndarray of shape (n_texts, n_neurons)
        What the statements should agree with.
    calibration : ndarray of int
        Rows that an annotator may learn from; no others are shown to it in `fit`.
    random_state : RandomState
        For the annotator.
    """

    def __init__(self, annotator, texts, activations, calibration, random_state):
        self._annotator = annotator
        self._texts = texts
        self._activations = activations
        self._calibration = calibration
        self._seed = random_state.randint(np.iinfo(np.int32).max)

    def annotate(self, asked):
        """Return 1, 0 or NaN for the rows of each (neuron, statement, rows)."""
        if not asked:
            return []
        statements = list(dict.fromkeys(statement for _, statement, _ in asked))
        rows = np.unique(np.concatenate([rows for _, _, rows in asked]))
        column = {statement: j for j, statement in enumerate(statements)}
        where = np.zeros((len(rows), len(statements)), dtype=bool)
        for _, statement, wanted in asked:
            where[np.searchsorted(rows, wanted), column[statement]] = True
        annotator = self._fit_annotator(statements, asked)
        table = annotate_cells(annotator, self._texts[rows], where)
        return [
            table[np.searchsorted(rows, wanted), column[statement]]
            for _, statement, wanted in asked
        ]

    def _fit_annotator(self, statements, asked):
        """Fit a clone; each statement goes with the first neuron it was written for."""
        neuron = {}
        for number, statement, _ in asked:
            neuron.setdefault(statement, number)
        hypotheses = [Hypothesis(s, f"neuron {neuron[s]}") for s in statements]
        columns = [neuron[s] for s in statements]
        return make_twin(self._annotator).fit(
            self._texts[self._calibration],
            hypotheses,
            self._activations[np.ix_(self._calibration, columns)],
            random_state=np.random.RandomState(self._seed),
        )

    def score(self, asked):
        """Return the Fidelity of each statement; see `annotate`."""
        return [
            Fidelity.measure(annotation, self._activations[rows, neuron])
            for annotation, (neuron, _, rows) in zip(
                self.annotate(asked), asked, strict=True
            )
        ]


def subtract_medians(activations):
    """Return activations (texts by neurons) of which at most half of a column is > 0.

    Of a neuron that is active in more than half of the texts only the strength tells
    anything: what exceeds the median counts.
    """
    often = (activations > 0).mean(axis=0) > 0.5
    median = np.where(often, np.median(activations, axis=0), 0.0)
    return np.maximum(activations - median, 0.0)


def draw_balanced_rows(activation, rows, n_rows, rng):
    """Draw rows to score on: half of them active, as far as there are such.

    `n_rows` of `rows`, in ascending order; fewer if there are fewer.
    """
    shuffled = rng.permutation(rows)
    active = activation[shuffled] > 0
    n_active = min(n_rows // 2, int(active.sum()))
    n_inactive = min(n_rows - n_active, int((~active).sum()))
    drawn = [shuffled[active][:n_active], shuffled[~active][:n_inactive]]
    return np.sort(np.concatenate(drawn))
