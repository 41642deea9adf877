"""The tables that a fitted extractor shows."""

from dataclasses import replace

import numpy as np
import pandas as pd

_FIDELITY = ["f1", "precision", "recall", "correlation"]


def distinct_hypotheses(interpretations):
    """Return the chosen hypotheses, those that say the same merged.

    Two say the same if their wording is equal, or if they look for the same terms.

    Parameters
    ----------
    interpretations : list of Interpretation
        Each with at least one candidate.

    Returns
    -------
    hypotheses : list of Hypothesis
        In order of first appearance; the neurons of merged ones are joined by ", ".
    members : list of list of str
        The neurons of each.
    """
    hypotheses, members, of_terms = {}, {}, {}
    for each in interpretations:
        chosen = each.candidates[0].hypothesis
        statement = chosen.statement
        if chosen.terms and statement not in hypotheses:
            statement = of_terms.setdefault(frozenset(chosen.terms), statement)
        hypotheses.setdefault(statement, chosen)
        members.setdefault(statement, []).append(each.neuron)
    merged = [
        replace(hypothesis, neuron=", ".join(map(str, members[statement])))
        for statement, hypothesis in hypotheses.items()
    ]
    return merged, list(members.values())


def hypotheses_table(
    hypotheses, interpretations, *, association, coef, prevalence, missing
):
    """Build `hypotheses_`.

    Parameters
    ----------
    hypotheses : list of Hypothesis
        From `distinct_hypotheses`.
    interpretations : list of Interpretation
        What they came from. Of merged neurons the fidelity for the one that is
        described best is shown.
    association, coef, prevalence, missing : ndarray of shape (n_hypotheses,)
        Further columns.

    Returns
    -------
    table : DataFrame
        One row per hypothesis.
    """
    fidelity = {}
    for each in interpretations:
        statement = each.candidates[0].hypothesis.statement
        other = fidelity.get(statement)
        if other is None or _f1(each.fidelity) > _f1(other):
            fidelity[statement] = each.fidelity
    table = _texts(
        {
            "neuron": [h.neuron for h in hypotheses],
            "hypothesis": [h.statement for h in hypotheses],
        }
    )
    for name in _FIDELITY:
        table[name] = [getattr(fidelity[h.statement], name, np.nan) for h in hypotheses]
    table["association"] = association
    table["coef"] = coef
    table["prevalence"] = prevalence
    table["missing"] = missing
    return table


def _f1(fidelity):
    return np.nan_to_num(getattr(fidelity, "f1", np.nan), nan=-1.0)


def candidates_table(interpretations):
    """Build `candidates_`.

    Parameters
    ----------
    interpretations : list of Interpretation
        Candidates in order, the chosen one first.

    Returns
    -------
    table : DataFrame
        One row per candidate.
    """
    rows = [
        (each.neuron, rank, candidate)
        for each in interpretations
        for rank, candidate in enumerate(each.candidates, start=1)
    ]
    table = _texts(
        {
            "neuron": [neuron for neuron, _, _ in rows],
            "hypothesis": [c.hypothesis.statement for _, _, c in rows],
        }
    )
    table["rank"] = [rank for _, rank, _ in rows]
    table["chosen"] = [rank == 1 for _, rank, _ in rows]
    for name in _FIDELITY:
        table[name] = [getattr(c.comparison, name) for _, _, c in rows]
    table["n"] = [c.comparison.n for _, _, c in rows]
    return table


def _texts(columns):
    """Build a frame of object columns, in which any string survives."""
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in columns.items()}
    )
