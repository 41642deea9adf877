"""Statements about style are measured, whatever annotator judges the others."""

import numpy as np

from ._lexicon import LexiconAnnotator


def fit_annotator(annotator, texts, hypotheses, activations, *, random_state):
    """Fit an annotator on the hypotheses that it is to judge: those without a measure.

    Parameters
    ----------
    annotator : Annotator
        Is left alone if there are none.
    texts, hypotheses, activations, random_state : objects
        As in `Annotator.fit`, for all hypotheses.
    """
    judged = _find_judged(hypotheses)
    if judged.all():
        annotator.fit(texts, hypotheses, activations, random_state=random_state)
    elif judged.any():
        annotator.fit(
            texts,
            [hypotheses[i] for i in np.flatnonzero(judged)],
            activations[:, judged],
            random_state=random_state,
        )


def annotate_texts(annotator, texts, hypotheses):
    """Annotate with all hypotheses: by their measure, or by the fitted annotator.

    Parameters
    ----------
    annotator : Annotator
        Fitted by `fit_annotator`.
    texts : ndarray of shape (n_texts,) and dtype object
        Any texts.
    hypotheses : sequence of Hypothesis
        As `fit_annotator` had them.

    Returns
    -------
    annotations : ndarray of shape (n_texts, n_hypotheses)
        1, 0 or NaN; those of a measure never NaN.

    Raises
    ------
    ValueError
        If the annotator returns another shape than it has to.
    """
    judged = _find_judged(hypotheses)
    annotations = np.empty((len(texts), len(hypotheses)))
    if judged.any():
        annotations[:, judged] = check_shape(
            annotator.annotate(texts), (len(texts), int(judged.sum())), annotator
        )
    if not judged.all():
        measured = [hypotheses[i] for i in np.flatnonzero(~judged)]
        marks = LexiconAnnotator().fit(texts, measured).annotate(texts)
        annotations[:, ~judged] = marks
    return annotations


def check_shape(annotations, expected, annotator):
    """Return annotations as an array; raise unless it has the expected shape."""
    annotations = np.asarray(annotations, dtype=np.float64)
    if annotations.shape != expected:
        raise ValueError(
            f"{type(annotator).__name__}.annotate returned shape "
            f"{annotations.shape}, but {expected} (texts, hypotheses) is needed."
        )
    return annotations


def _find_judged(hypotheses):
    return np.array([not h.measure for h in hypotheses], dtype=bool)
