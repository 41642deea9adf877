"""Annotators that know the truth and err as they are told to."""

import hashlib

import numpy as np
from sklearn.base import BaseEstimator

CALLS = {}


def draw(seed, *key):
    """Return a number from 0 to 1 that depends on the arguments alone."""
    digest = hashlib.sha256(repr((seed, *key)).encode()).digest()
    return int.from_bytes(digest[:7]) / 256**7


class OracleAnnotator(BaseEstimator):
    """A statement is true of a text that contains it as a word, up to errors.

    Parameters
    ----------
    name : str
        Under which its answers are counted in `CALLS`.
    error, missing : float
        Shares of answers that are wrong, and that are missing, at random.
    seed : int
        Two oracles of one seed make the same errors.
    """

    def __init__(self, name="oracle", error=0.0, missing=0.0, seed=0):
        self.name = name
        self.error = error
        self.missing = missing
        self.seed = seed

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        self.hypotheses_ = [str(h) for h in hypotheses]
        self.state_ = None if random_state is None else random_state.randint(1000)
        return self

    def annotate(self, texts):
        shape = (len(texts), len(self.hypotheses_))
        return self.annotate_cells(texts, np.ones(shape, dtype=bool))

    def annotate_cells(self, texts, where):
        annotations = np.full(where.shape, np.nan)
        for i, j in np.argwhere(where):
            annotations[i, j] = self._answer(texts[i], self.hypotheses_[j])
        CALLS[self.name] = CALLS.get(self.name, 0) + int(where.sum())
        return annotations

    def _answer(self, text, statement):
        if draw(self.seed, "missing", text, statement) < self.missing:
            return np.nan
        truth = statement in text.split()
        return float(truth != (draw(self.seed, text, statement) < self.error))


class ScoredOracle(BaseEstimator):
    """Scores from -1 to 1; right but for the share `error` of those nearest to 0."""

    def __init__(self, error=0.1, seed=0):
        self.error = error
        self.seed = seed

    def fit(self, texts, hypotheses, activations=None, *, random_state=None):
        self.hypotheses_ = [str(h) for h in hypotheses]
        return self

    def decision_function(self, texts, where=None):
        margins = [[self._score(t, s) for s in self.hypotheses_] for t in texts]
        margins = np.array(margins).reshape(len(texts), len(self.hypotheses_))
        return margins if where is None else np.where(where, margins, np.nan)

    def _score(self, text, statement):
        sure = draw(self.seed, text, statement)
        sign = 1 if (statement in text.split()) != (sure < self.error) else -1
        return sign * sure

    def annotate(self, texts):
        return (self.decision_function(texts) >= 0).astype(float)


def make_oracle_texts(n, statements, prevalence=0.15, seed=0):
    """Return distinct texts of which each statement is true now and then, and where."""
    truth = np.random.RandomState(seed).random_sample((n, len(statements))) < prevalence
    texts = [
        " ".join(
            [f"text{i}", *(s for s, has in zip(statements, row, strict=True) if has)]
        )
        for i, row in enumerate(truth)
    ]
    return np.array(texts, dtype=object), truth.astype(float)
