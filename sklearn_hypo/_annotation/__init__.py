"""Statements in, one answer per text out: 1, 0 or NaN.

Comes in: texts, and hypotheses. Goes out: an array of shape (n_texts, n_hypotheses) of
1 (holds), 0 (does not) and NaN (no answer). Open `_lexicon` first: the annotator that
needs no model.
"""
