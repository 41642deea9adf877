"""Columns in words: neurons by an interpreter, style and terms by a rule."""

import numpy as np
import pandas as pd

from .._hypotheses._fidelity import Fidelity
from .._hypotheses._hypothesis import Hypothesis
from .._hypotheses._protocols import Candidate, Interpretation
from .._hypotheses._wording import word_lexicon
from .._style._measures import measure_texts
from .._style._statements import choose_threshold, describe_measure, read_measure
from .._style._term_features import read_term
from .._utils._terms import mark_terms
from .._utils._tokenizers import get_tokenizer
from ._sampling import split_at_random
from ._spelling import spell_terms

# Shares of the distinct texts on which to choose the threshold, and to report.
_PARTS = (0.8, 0.2)


def interpret_columns(
    interpreter, texts, activations, columns, *, annotator, random_state
):
    """Have neurons put into words by an interpreter, style and terms by what they are.

    Parameters
    ----------
    interpreter : Interpreter
        Sees only columns that are not those of `StyleFeatures` or `TermFeatures`.
    texts, activations, columns, annotator, random_state : objects
        As in `Interpreter.interpret`, for all columns.

    Returns
    -------
    interpretations : list of Interpretation
        One per column, in order.
    """
    style = np.array([bool(read_measure(column)) for column in columns], dtype=bool)
    tokenizer = getattr(interpreter, "tokenizer", "auto")
    term = find_terms(texts, activations, columns, tokenizer)
    neuron = ~(style | term)
    described = measured = ()
    if neuron.any():  # first, so that its draws do not depend on the others
        described = interpreter.interpret(
            texts,
            activations[:, neuron],
            columns[neuron],
            annotator=annotator,
            random_state=random_state,
        )
    if style.any():
        measured = interpret_style(
            texts, activations[:, style], columns[style], random_state=random_state
        )
    named = _interpret_terms(columns[term], texts, get_tokenizer(tokenizer))
    parts = {"neuron": iter(described), "style": iter(measured), "term": iter(named)}
    kinds = np.select([style, term], ["style", "term"], "neuron")
    return [next(parts[kind]) for kind in kinds]


def find_terms(texts, activations, columns, tokenizer="auto"):
    """Tell which columns say, and by their name, which texts contain a term.

    Parameters
    ----------
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts.
    activations : ndarray of shape (n_texts, n_columns)
        The columns.
    columns : sequence of str
        Their names.
    tokenizer : object, default="auto"
        The one that the columns were made with.

    Returns
    -------
    is_term : ndarray of bool of shape (n_columns,)
        Those of `TermFeatures`; not columns that have such a name by accident, or were
        scaled since.
    """
    terms = [read_term(column) for column in columns]
    is_term = np.array([bool(term) for term in terms], dtype=bool)
    if is_term.any():
        named = [term for term in terms if term]
        code, distinct = pd.factorize(texts)
        marks = mark_terms(distinct, named, tokenizer).toarray()[code]
        is_term[is_term] = (marks == activations[:, is_term]).all(axis=0)
    return is_term


def _interpret_terms(columns, texts, tokenizer):
    """Word columns of `TermFeatures`; the statement says what the column is."""
    spelt = spell_terms([[read_term(each)] for each in columns], texts, tokenizer)
    exact = Fidelity(1.0, 1.0, 1.0, 1.0, n=len(texts))
    found = []
    for column, terms in zip(columns, map(tuple, spelt), strict=True):
        own = tokenizer.name_for(terms)
        hypothesis = Hypothesis(word_lexicon(terms), column, terms, tokenizer=own)
        candidate = Candidate(hypothesis, exact)
        found.append(Interpretation(column, (candidate,), exact))
    return found


def interpret_style(texts, values, columns, *, random_state):
    """Word every column of `StyleFeatures` as more than so much of its measure.

    The threshold is chosen on most of the distinct texts, blind to any target;
    fidelity is that of the mark to the column, on the others. Its correlation is what
    the cut loses: as a description of the measure, the statement is exact.

    Parameters
    ----------
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts.
    values : ndarray of shape (n_texts, n_columns)
        The columns, as they were selected.
    columns : sequence of str
        Their names, such as "style_words".
    random_state : RandomState
        Splits the texts.

    Returns
    -------
    interpretations : list of Interpretation
        One per column; without candidates where all texts measure the same.
    """
    names = [read_measure(column) for column in columns]
    code, distinct = pd.factorize(texts)
    measured = measure_texts(distinct, names)
    choose = report = np.arange(len(distinct))
    if len(distinct) > 1:
        choose, report = split_at_random(len(distinct), _PARTS, random_state)
    rows = [np.flatnonzero(np.isin(code, part)) for part in (choose, report)]
    return [
        _interpret_column(column, name, measure[code], value, *rows)
        for column, name, measure, value in zip(
            columns, names, measured.T, values.T, strict=True
        )
    ]


def _interpret_column(column, name, measure, value, choose, report):
    threshold = choose_threshold(measure[choose], name)
    mark = measure > threshold
    if not (0 < mark[choose].mean() < 1 and 0 < mark[report].mean() < 1):
        return Interpretation(column, (), None, reason="the same in nearly all texts")
    hypothesis = Hypothesis(
        describe_measure(name, threshold), column, measure=name, threshold=threshold
    )
    compared, reported = (
        Fidelity.measure(mark[rows], value[rows]) for rows in (choose, report)
    )
    return Interpretation(column, (Candidate(hypothesis, compared),), reported)
