"""Answers that are missing: a table of them, a warning, or an error."""

import warnings

import numpy as np
import pandas as pd

from ..exceptions import HypothesisWarning, MissingAnswersError

# Missing answers are worth a warning from this share on.
_WARN_ABOVE = 0.01


_COLUMNS = ["text", "hypothesis", "outcome", "detail"]


def no_missing_answers():
    """Return the table without rows."""
    return pd.DataFrame(columns=_COLUMNS, dtype=object)


class MissingAnswers:
    """What is missing of a table of texts and statements.

    Parameters
    ----------
    texts, statements : list of str
        Rows and columns.
    missing : list of Missing
        Cells that were asked for and have no answer.
    where : ndarray of bool of shape (n_texts, n_statements) or None
        Which cells were asked for; None: all. Blank texts never are.

    Attributes
    ----------
    table : DataFrame
        One row per missing answer: "text", "hypothesis", "outcome", "detail".
    """

    def __init__(self, texts, statements, missing, where):
        self._statements = statements
        self._missing = missing
        rows = [(texts[m.text], statements[m.statement], *m[2:]) for m in missing]
        self.table = pd.DataFrame(rows, columns=_COLUMNS, dtype=object)
        asked = np.array([bool(text.strip()) for text in texts], dtype=bool)[:, None]
        if where is not None:
            asked = where & asked
        self._n_asked = np.broadcast_to(asked, (len(texts), len(statements))).sum(0)

    def check(self, max_missing, *, caller):
        """Warn about many missing answers, and raise about too many.

        Parameters
        ----------
        max_missing : float
            Largest share of the cells that were asked for.
        caller : str
            Name of the annotator, for messages.

        Raises
        ------
        MissingAnswersError
            If more are missing. The table is its attribute `errors`.
        """
        if not self._missing:
            return
        n_asked = int(self._n_asked.sum())
        share = len(self._missing) / n_asked
        counts = self.table["outcome"].value_counts()
        what = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
        summary = (
            f"{caller}: {len(self._missing)} of {n_asked} answers ({share:.1%}) are "
            f"missing: {what}"
        )
        if share > max_missing:
            raise MissingAnswersError(
                f"{summary}, more than max_missing={max_missing:g}. The attribute "
                "`errors` of this error lists them. Answers obtained are kept; call "
                "again to ask for the others, or raise max_missing.",
                errors=self.table,
            )
        self._warn(summary)

    def _warn(self, summary):
        n_missing = np.bincount(
            [m.statement for m in self._missing], minlength=len(self._statements)
        )
        often = np.flatnonzero(n_missing > _WARN_ABOVE * self._n_asked)
        if len(often) == 0:
            return
        named = "; ".join(
            f"{self._statements[j]!r} ({n_missing[j]})" for j in often[:5]
        )
        more = f" and {len(often) - 5} more" if len(often) > 5 else ""
        warnings.warn(
            f"{summary}. They are NaN, and more than 1 % for: {named}{more}. See "
            "annotation_errors_.",
            HypothesisWarning,
            stacklevel=6,
        )
