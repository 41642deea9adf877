"""The search for statements: written, tested, improved, and reported on fresh rows."""

import numpy as np
import pandas as pd

from .._hypotheses._hypothesis import Hypothesis
from .._hypotheses._protocols import Candidate, Interpretation

NOTHING_TO_SHOW = "active in none of the texts that can be shown"


class StatementSearch:
    """The candidates of all neurons, as they are written, tested and improved.

    Parameters
    ----------
    writer : StatementWriter
        Has prompts answered.
    scorer : StatementScorer
        Tests what was written.
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts.
    activations : ndarray of shape (n_texts, n_neurons)
        At most half of a column is above 0.
    rows : list of list of ndarray
        Per neuron the rows to look for mistakes in, to compare on, and to report on.

    Attributes
    ----------
    failures : list of (int, str)
        Neuron and reason for every statement that was not obtained.
    """

    def __init__(self, writer, scorer, texts, activations, rows):
        self.writer = writer
        self.scorer = scorer
        self.texts = texts
        self.activations = activations
        self.rows = rows
        self.failures = []
        # per neuron, from statement to its fidelity on the rows for comparison
        self.candidates = [{} for _ in rows]
        self.best = [None] * len(rows)

    def write_candidates(self, show, n_candidates, build_prompt):
        """Have the first candidates written, and keep the best of each neuron.

        Parameters
        ----------
        show : ndarray of int
            Rows that may be shown.
        n_candidates : int
            Statements per neuron.
        build_prompt : callable
            Takes texts and their activations, returns a Prompt.
        """
        # nothing is learned from seeing a text twice
        show = show[~pd.Series(self.texts[show]).duplicated().to_numpy()]
        texts = self.texts[show]
        prompts, neurons = [], []
        for j, activation in enumerate(self.activations.T):
            if not activation[show].any():
                self.failures.append((j, NOTHING_TO_SHOW))
                continue
            for draw in range(n_candidates):
                prompts.append((build_prompt(texts, activation[show]), draw))
                neurons.append(j)
        self._test(neurons, self.writer.write(prompts))

    def refine(self, number, build_prompt):
        """Have the best statements improved where they made mistakes.

        The number of the round tells it from one before, in which nothing better was
        found: the same prompt then gets another answer. `build_prompt` takes a
        statement, texts that it missed and texts that it wrongly marked.
        """
        known = [j for j, best in enumerate(self.best) if best is not None]
        asked = [(j, self.best[j], self.rows[j][0]) for j in known]
        prompts, neurons = [], []
        for (j, statement, rows), marks in zip(
            asked, self.scorer.annotate(asked), strict=True
        ):
            active = self.activations[rows, j] > 0
            missed = pd.unique(self.texts[rows[active & (marks == 0)]])
            wrong = pd.unique(self.texts[rows[~active & (marks == 1)]])
            if len(missed) or len(wrong):
                prompts.append((build_prompt(statement, missed, wrong), number))
                neurons.append(j)
        self._test(neurons, self.writer.write(prompts))

    def _test(self, neurons, written):
        """Test new statements; the best of a neuron changes only for a better one."""
        asked = {}
        for j, (statement, reason) in zip(neurons, written, strict=True):
            if statement is None:
                self.failures.append((j, reason))
            elif statement not in self.candidates[j]:
                asked[j, statement] = (j, statement, self.rows[j][1])
        scores = self.scorer.score(list(asked.values()))
        for (j, statement), score in zip(asked, scores, strict=True):
            self.candidates[j][statement] = score
            best = self.best[j]
            if best is None or self._rank(j, statement) > self._rank(j, best):
                self.best[j] = statement

    def interpret(self, neurons):
        """Score the chosen ones on fresh rows and put everything together."""
        known = [j for j, best in enumerate(self.best) if best is not None]
        asked = [(j, self.best[j], self.rows[j][2]) for j in known]
        reported = dict(zip(known, self.scorer.score(asked), strict=True))
        reasons = dict(reversed(self.failures))
        return [
            self._interpret_neuron(j, neuron, reported.get(j), reasons.get(j, ""))
            for j, neuron in enumerate(neurons)
        ]

    def _interpret_neuron(self, j, neuron, reported, reason):
        scores = self.candidates[j]
        best = self.best[j]
        order = sorted(scores, key=lambda s: self._rank(j, s), reverse=True)
        order.sort(key=lambda s: s != best)
        candidates = tuple(Candidate(Hypothesis(s, neuron), scores[s]) for s in order)
        return Interpretation(neuron, candidates, reported, reason)

    def _rank(self, j, statement):
        """Order statements: by F1, then by correlation; what is not known is worst.

        One that was judged in less than half of the texts is worse than any other,
        however well it fared in those.
        """
        score = self.candidates[j][statement]
        known = 2 * score.n >= len(self.rows[j][1])
        return known, *np.nan_to_num([score.f1, score.correlation], nan=-1.0)
