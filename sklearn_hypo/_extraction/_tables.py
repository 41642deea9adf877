"""The tables that a fitted extractor shows."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from .._hypotheses._lookup import find_hypothesis
from .._interpretation._lexicon_search import average_equal_texts
from .._interpretation._term_gains import measure_terms
from .._utils._terms import parse_terms
from .._utils._token_index import TokenIndex

_FIDELITY = ["f1", "precision", "recall", "correlation"]


def merge_equal_hypotheses(interpretations):
    """Return the chosen hypotheses, those that say the same merged.

    Two say the same if their wording is equal, or if they look for the same terms with
    the same threshold.

    Parameters
    ----------
    interpretations : list of Interpretation
        Each with at least one candidate.

    Returns
    -------
    hypotheses : list of Hypothesis
        In order of first appearance, with the neurons of all that were merged.
    fidelities : list of Fidelity
        Of each the one for the neuron that is described best, by F1.
    """
    merged, of_terms = {}, {}
    for each in interpretations:
        chosen = each.candidates[0].hypothesis
        statement = chosen.statement
        if chosen.terms and statement not in merged:
            rule = (frozenset(chosen.terms), chosen.threshold)
            statement = of_terms.setdefault(rule, statement)
        merged.setdefault(statement, []).append(each)
    hypotheses = [
        replace(
            group[0].candidates[0].hypothesis,
            neurons=tuple(each.neuron for each in group),
        )
        for group in merged.values()
    ]
    fidelities = [
        max((each.fidelity for each in group), key=_compute_f1)
        for group in merged.values()
    ]
    return hypotheses, fidelities


def _compute_f1(fidelity):
    """Return the F1 to compare by; there is no fidelity where texts were too few."""
    return np.nan_to_num(getattr(fidelity, "f1", np.nan), nan=-1.0)


def rename_hypotheses(hypotheses, names, *, caller):
    """Return hypotheses with the names of a dict, as `HypothesisExtractor.rename`."""
    if not isinstance(names, Mapping):
        raise TypeError(
            f"{caller}: names must be a dict from hypotheses to names, but "
            f"{type(names).__name__} arrived."
        )
    renamed = list(hypotheses)
    statements = [h.statement for h in renamed]
    neurons = [h.neurons for h in renamed]
    for wanted, name in names.items():
        if not isinstance(name, str):
            raise TypeError(
                f"{caller}: a name must be a text, but {type(name).__name__} arrived "
                f"for {wanted!r}."
            )
        row = find_hypothesis(
            wanted, statements, neurons, parameter="names", caller=caller
        )
        renamed[row] = replace(renamed[row], name=" ".join(name.split()))
    return renamed


def list_names(hypotheses):
    """List the names in a column of objects, in which any string survives."""
    return pd.Series([h.name for h in hypotheses], dtype=object)


def make_hypotheses_table(hypotheses, fidelities, **columns):
    """Build `hypotheses_`: words and fidelities, and further columns as they are."""
    table = _make_text_frame(
        neuron=[h.neuron for h in hypotheses],
        hypothesis=[h.statement for h in hypotheses],
    )
    for name in _FIDELITY:
        table[name] = [getattr(each, name, np.nan) for each in fidelities]
    return table.assign(**columns)


def make_terms_table(hypotheses, texts, activations):
    """Build `terms_`: what each term of each hypothesis does in the training texts.

    Parameters
    ----------
    hypotheses : list of Hypothesis
        Those without terms have no rows.
    texts : ndarray of shape (n_texts,) and dtype object
        The training texts.
    activations : ndarray of shape (n_texts, n_hypotheses)
        Of the neuron behind each hypothesis.
    """
    with_terms = [i for i, h in enumerate(hypotheses) if h.terms]
    found = [(np.empty(0), np.empty(0))]
    if with_terms:
        distinct, strengths = average_equal_texts(texts, activations[:, with_terms])
        own = {hypotheses[i].tokenizer for i in with_terms}
        indexes = {tokenizer: TokenIndex(distinct, tokenizer) for tokenizer in own}
        for i, strength in zip(with_terms, strengths.T, strict=True):
            each = hypotheses[i]
            terms = parse_terms(each.terms, each.tokenizer)
            index = indexes[each.tokenizer]
            found.append(measure_terms(index, terms, each.threshold, strength))
    rows = [(h.statement, term) for h in hypotheses for term in h.terms]
    shares, gains = map(np.concatenate, zip(*found, strict=True))
    return _make_text_frame(
        hypothesis=[statement for statement, _ in rows],
        term=[term for _, term in rows],
    ).assign(share=shares, gain=gains)


def make_candidates_table(interpretations):
    """Build `candidates_`, from interpretations whose first candidate is the chosen."""
    rows = [
        (each.neuron, rank, candidate)
        for each in interpretations
        for rank, candidate in enumerate(each.candidates, start=1)
    ]
    table = _make_text_frame(
        neuron=[neuron for neuron, _, _ in rows],
        hypothesis=[candidate.hypothesis.statement for _, _, candidate in rows],
    )
    table["rank"] = [rank for _, rank, _ in rows]
    table["chosen"] = table["rank"] == 1
    for name in [*_FIDELITY, "n"]:
        table[name] = [getattr(candidate.comparison, name) for _, _, candidate in rows]
    return table


def _make_text_frame(**columns):
    """Build a frame of object columns, in which any string survives."""
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in columns.items()}
    )
