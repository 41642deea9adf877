"""The report on refits: which hypotheses were found again, and how often."""

import html
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from .._utils._json import to_json_value
from .._utils._printable import shorten, to_printable

# Of n refits, so many have to find a hypothesis for the summary to call it stable.
_STABLE_SHARE = 0.8

_VARIED = {
    "seed": "other seeds",
    "bootstrap": "resampled rows",
    "both": "other seeds and resampled rows",
}


@dataclass(frozen=True, eq=False, repr=False)
class ReplicationReport:
    """What `replicate_hypotheses` found.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis, in the order of the extractor, with the columns

        - ``hypothesis``, ``neuron``: the words and the neuron of the original fit;
        - ``n_found``, ``n_runs``, ``share``: refits that selected a neuron whose
          activations correlate with its own by at least `threshold` (each neuron of
          a refit counts for one hypothesis only), of so many;
        - ``n_found_any``: refits that have such a neuron at all, selected or not. If
          this is much larger than ``n_found``, the concept is there every time, and
          what varies is whether it is among the best predictors;
        - ``median_correlation``: median over the refits of the correlation with the
          matched selected neuron;
        - ``same_sign``: of the ``n_found`` refits, those in which the matched neuron
          goes with the target in the same direction as the original one does.
    correlations : ndarray of shape (n_hypotheses, n_runs)
        Correlation with the matched neuron among those that the refit selected; 0
        if there is no partner left that correlates positively.
    correlations_any : ndarray of shape (n_hypotheses, n_runs)
        Largest correlation with any neuron of the refit.
    threshold : float
        Correlation from which a hypothesis counts as found.
    n_runs : int
        Refits.
    vary : {"seed", "bootstrap", "both"}
        What differed from refit to refit.
    null_correlation : float
        Largest correlation with any neuron of any refit after the rows of the
        original activations have been permuted: what chance gives.
    n_texts : int
        Texts on which activations were compared.
    refitted : tuple of str
        Names of the steps that were refitted; those before were kept as fitted.

    See Also
    --------
    replicate_hypotheses : Makes it.
    ReplicationDisplay : Draws it.

    Notes
    -----
    Printed, it says of every hypothesis how often it was found and present, and its
    median correlation; notebooks show the same as a table.

    Examples
    --------
    >>> from sklearn_hypo import make_hypothesis_pipeline, replicate_hypotheses
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> texts = make_concept_texts(300, n_concepts=2, random_state=0)
    >>> pipe = make_hypothesis_pipeline(
    ...     "lsa", n_neurons=8, k=2, n_select=2, n_fits=2, terms=False,
    ...     random_state=0,
    ... ).fit(texts.data, texts.target)
    >>> report = replicate_hypotheses(pipe, texts.data, texts.target, n_runs=2)
    >>> report.table[["neuron", "n_found", "n_runs"]]
          neuron  n_found  n_runs
    0  neuron002        2       2
    1  neuron009        2       2
    >>> report.correlations.shape
    (2, 2)
    """

    table: pd.DataFrame
    correlations: np.ndarray
    correlations_any: np.ndarray
    threshold: float
    n_runs: int
    vary: str
    null_correlation: float
    n_texts: int
    refitted: tuple

    def __str__(self):
        table, found, present = self.table, *self._write_counts()
        columns = (found, present, table["median_correlation"], table["hypothesis"])
        rows = [
            f"  {found:>8}  {present:>8}  {median:.2f}  {shorten(statement)}"
            for found, present, median, statement in zip(*columns, strict=True)
        ]
        header = "     found   present  corr  hypothesis"
        return "\n".join([self._title(), "", header, *rows, "", *self._list_notes()])

    __repr__ = __str__

    def _repr_html_(self):
        found, present = self._write_counts()
        table = self.table[["hypothesis", "neuron"]].map(to_printable)
        table["found"], table["present"] = found, present
        table["correlation"] = self.table["median_correlation"].map("{:.2f}".format)
        counts = zip(self.table["same_sign"], self.table["n_found"], strict=True)
        table["sign"] = [f"{same} of {n} the same" if n else "" for same, n in counts]
        with pd.option_context("display.max_colwidth", None):
            body = table.to_html(index=False, border=0)
        notes = "<br>".join(map(html.escape, self._list_notes()))
        return f"<div><p>{html.escape(self._title())}</p>{body}<p>{notes}</p></div>"

    def to_dict(self):
        """Return everything as plain Python values that JSON can hold.

        Returns
        -------
        values : dict
            The fields by name; under "hypotheses" one dict per row of the table. What
            is not defined is None.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["hypotheses"] = values.pop("table").to_dict("records")
        return to_json_value(values)

    def _title(self):
        needed = int(np.ceil(_STABLE_SHARE * self.n_runs - 1e-9))
        n_stable = int((self.table["n_found"] >= needed).sum())
        return (
            f"{n_stable} of {len(self.table)} hypotheses found in at least {needed} "
            f"of {self.n_runs} refits ({_VARIED[self.vary]})"
        )

    def _list_notes(self):
        n_found = int(self.table["n_found"].sum())
        n_turned = n_found - int(self.table["same_sign"].sum())
        lines = [
            "found: a selected neuron's activations correlate by at least "
            f"{self.threshold:g} on {self.n_texts:,} texts (chance gives at most "
            f"{self.null_correlation:.2f}); present: any neuron's do",
            f"refitted: {', '.join(self.refitted)}; nothing was annotated",
        ]
        if n_turned:
            lines.append(
                f"{n_turned} of {n_found} matched neurons go with the target in the "
                "opposite direction"
            )
        return lines

    def _write_counts(self):
        """Return how often each was found and present, as in "9 of 10"."""
        return [
            [f"{n} of {self.n_runs}" for n in self.table[name]]
            for name in ("n_found", "n_found_any")
        ]
