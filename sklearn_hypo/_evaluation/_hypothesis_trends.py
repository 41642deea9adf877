"""What `hypothesis_trends` found."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._displays import TrendDisplay
from .._inference._multiple_tests import CORRECTIONS
from .._report._formats import format_estimate, format_number, format_p
from .._utils._printable import pluralize, shorten, to_printable

_WHAT = ("prevalence", "separation")


@dataclass(frozen=True, eq=False, repr=False)
class HypothesisTrends:
    """Prevalence and effect of hypotheses over time, with tests of both.

    Printed, it shows the slopes and the changes; `plot` draws the series.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis. With ``prevalence``, and with a target also
        ``separation``, in the place of X:

        - ``X_periods``: periods that have a value;
        - ``X_slope``, ``_lower``, ``_upper``, ``_p``, ``_p_corrected``: change per
          period, its 95 % interval, and the test of its being 0;
        - ``X_change``: start of the period from which the value was another, if it
          changed once; ``X_before``, ``X_after``: its means until then, and since;
        - ``X_change_p``, ``X_change_p_corrected``: the test of its never changing.
    by_period : DataFrame
        One row per hypothesis and period: its start, the texts with an answer ("n"),
        prevalence with Wilson's interval, and the separation with its interval, of
        95 % each and not corrected; NaN where there are too few texts.
    period : str
        What a period is, such as "month".
    n_texts : int
        Texts with a date.
    alpha : float
        Level of significance after correction.
    correction : str
        How each of the questions is corrected for the number of hypotheses.
    notes : tuple of str
        What was left out, and why.
    target_name : str or None
        Name of the target, if it has one.

    See Also
    --------
    hypothesis_trends : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_hypo import hypothesis_trends
    >>> dates = pd.date_range("2024-01-01", periods=900, freq="8h")
    >>> share = np.linspace(0.2, 0.6, 900)
    >>> holds = np.random.default_rng(0).random((900, 1)) < share[:, None]
    >>> print(hypothesis_trends(holds, dates, names=["mentions tea"]))
    1 hypothesis in 43 weeks from 2024-01-01, 900 texts
    prevalence: 1 with a slope, 1 changed (holm, family level 0.05)
      mentions tea: 0.011 [0.008, 0.014] per week (p 1e-03)
        0.277 before 2024-07-01, 0.540 since (p 0.006)
    """

    table: pd.DataFrame
    by_period: pd.DataFrame
    period: str
    n_texts: int
    alpha: float
    correction: str
    notes: tuple = ()
    target_name: str | None = None

    def __str__(self):
        starts = self.by_period["period"].unique()
        lines = [
            f"{pluralize(len(self.table), 'hypothesis')} in "
            f"{pluralize(len(starts), self.period)} from {_date(starts[0])}, "
            f"{self.n_texts:,} texts"
        ]
        for what in _WHAT:
            if f"{what}_slope" in self.table:
                lines += self._describe(what)
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__

    def _describe(self, what):
        table = self.table
        corrected = [
            table[f"{what}_{q}_p_corrected"].to_numpy(float)
            for q in ("slope", "change")
        ]
        sloping, changed = ((p <= self.alpha).sum() for p in corrected)
        kind = CORRECTIONS[self.correction]
        lines = [
            f"{what}: {sloping} with a slope, {changed} changed ({self.correction}, "
            f"{kind} level {self.alpha:g})"
        ]
        rows = table.to_dict("records")
        for row, slope_p, change_p in zip(rows, *corrected, strict=True):
            name = f"  {shorten(to_printable(str(row['hypothesis'])), 60)}: "
            if np.isnan(slope_p):
                lines.append(f"{name}not tested")
                continue
            ends = (row[f"{what}_slope{end}"] for end in ("", "_lower", "_upper"))
            before, after = (
                format_number(row[f"{what}_{side}"]) for side in ("before", "after")
            )
            lines += [
                f"{name}{format_estimate(*ends)} per {self.period} "
                f"(p {format_p(slope_p)})",
                f"    {before} before {_date(row[f'{what}_change'])}, {after} since "
                f"(p {format_p(change_p)})",
            ]
        return lines

    def plot(self, value="prevalence", *, ax=None):
        """Draw the series; see `TrendDisplay.from_trends`.

        Parameters
        ----------
        value : {"prevalence", "separation"}, default="prevalence"
            What is drawn.
        ax : matplotlib Axes or sequence of them, default=None
            Where to draw.

        Returns
        -------
        display : TrendDisplay
            Drawn.
        """
        return TrendDisplay.from_trends(self, value=value, ax=ax)


def _date(start):
    """A date without the hours that it does not have."""
    text = f"{pd.Timestamp(start):%Y-%m-%d %H:%M}"
    return text.removesuffix(" 00:00")
