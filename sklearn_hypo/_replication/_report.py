"""The report on refits: which hypotheses were found again, and how often."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._utils._printable import to_printable

# Of n refits, so many have to find a hypothesis for the summary to call it stable.
_STABLE_SHARE = 0.8


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
    """

    table: pd.DataFrame
    correlations: np.ndarray
    correlations_any: np.ndarray
    threshold: float
    n_runs: int
    vary: str
    null_correlation: float = np.nan
    n_texts: int = 0
    refitted: tuple = ()

    def __str__(self):
        rows = [
            f"  {_cells(row)[0]:>8}  {_cells(row)[1]:>8}  {row.median_correlation:.2f}"
            f"  {_short(row.hypothesis)}"
            for row in self.table.itertuples()
        ]
        header = "     found   present  corr  hypothesis"
        return "\n".join([self._title(), "", header, *rows, "", *self._notes()])

    __repr__ = __str__

    def _repr_html_(self):
        names = ["hypothesis", "neuron", "found", "present", "correlation", "sign"]
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>"
            for cells in map(_html_cells, self.table.itertuples())
        )
        notes = "<br>".join(html.escape(line) for line in self._notes())
        return (
            f"<div><p>{html.escape(self._title())}</p>"
            f"<table><tr>{head}</tr>{body}</table><p>{notes}</p></div>"
        )

    def to_dict(self):
        """Return everything as plain Python values that JSON can hold.

        Returns
        -------
        values : dict
            The fields by name; under "hypotheses" one dict per row of the table. What
            is not defined is None.
        """
        return {
            "threshold": float(self.threshold),
            "n_runs": int(self.n_runs),
            "vary": self.vary,
            "null_correlation": _plain(float(self.null_correlation)),
            "n_texts": int(self.n_texts),
            "refitted": list(self.refitted),
            "hypotheses": [
                {name: _plain(value) for name, value in record.items()}
                for record in self.table.to_dict("records")
            ],
            "correlations": self.correlations.tolist(),
            "correlations_any": self.correlations_any.tolist(),
        }

    def _title(self):
        needed = int(np.ceil(_STABLE_SHARE * self.n_runs - 1e-9))
        n_stable = int((self.table["n_found"] >= needed).sum())
        return (
            f"{n_stable} of {len(self.table)} hypotheses found in at least {needed} "
            f"of {self.n_runs} refits ({_VARIED[self.vary]})"
        )

    def _notes(self):
        turned = self.table["n_found"] - self.table["same_sign"]
        lines = [
            "found: a selected neuron's activations correlate by at least "
            f"{self.threshold:g} on {self.n_texts:,} texts (chance gives at most "
            f"{self.null_correlation:.2f}); present: any neuron's do",
            f"refitted: {', '.join(self.refitted)}; nothing was annotated",
        ]
        if turned.any():
            lines.append(
                f"{int(turned.sum())} of {int(self.table['n_found'].sum())} matched "
                "neurons go with the target in the opposite direction"
            )
        return lines


_VARIED = {
    "seed": "other seeds",
    "bootstrap": "resampled rows",
    "both": "other seeds and resampled rows",
}


def _cells(row):
    """Found and present, as in "9 of 10"."""
    return f"{row.n_found} of {row.n_runs}", f"{row.n_found_any} of {row.n_runs}"


def _html_cells(row):
    sign = f"{row.same_sign} of {row.n_found} the same" if row.n_found else ""
    median = f"{row.median_correlation:.2f}"
    return (
        to_printable(row.hypothesis),
        to_printable(row.neuron),
        *_cells(row),
        median,
        sign,
    )


def _short(text, length=60):
    text = to_printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
