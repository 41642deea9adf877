"""`StudyEstimate`: what a study is expected to consume, and its signal."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._inference._signal import Signal
from .._language_models._ledger import CostEstimate
from .._utils._json import to_json_value

_HEADINGS = ("calls", "tokens in", "tokens out", "cost", "hours")


@dataclass(frozen=True, repr=False, eq=False)
class StudyEstimate:
    """What a study will consume, stage by stage, and whether there is a signal.

    `estimate_study` makes it. Printed, it is a table.

    Parameters
    ----------
    stages : DataFrame
        One row per stage that asks a model: "stage", "model", "calls",
        "input_tokens", "output_tokens", "cost" in dollars (NaN where the price is not
        known) and "hours". No rows where nobody is paid.
    signal : Signal or None
        What the embeddings predict. None if it was not tested.

    See Also
    --------
    estimate_study : Says what the figures are.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_hypo import StudyEstimate
    >>> stages = pd.DataFrame(
    ...     [["annotate for training", "openai:gpt-6-luna", 80, 9000, 700, 0.5, 0.25]],
    ...     columns=["stage", "model", "calls", "input_tokens", "output_tokens",
    ...              "cost", "hours"],
    ... )
    >>> estimate = StudyEstimate(stages, None)
    >>> estimate.total, estimate.hours
    (CostEstimate(calls=80, input_tokens=9000, output_tokens=700, cost=0.5), 0.25)
    """

    stages: pd.DataFrame
    signal: Signal | None = None

    @property
    def total(self):
        """CostEstimate: calls, tokens and dollars of all stages."""
        names = ["calls", "input_tokens", "output_tokens"]
        counts = [int(self.stages[name].sum()) for name in names]
        return CostEstimate(*counts, float(self.stages["cost"].sum(skipna=False)))

    @property
    def hours(self):
        """float: hours of all stages, one after the other."""
        return float(self.stages["hours"].sum())

    def to_dict(self):
        """Return everything as plain values, as JSON holds them.

        Returns
        -------
        values : dict
            "stages", "total", "hours" and "signal".
        """
        return to_json_value(
            {
                "stages": self.stages.to_dict("records"),
                "total": self.total._asdict(),
                "hours": self.hours,
                "signal": None if self.signal is None else self.signal._asdict(),
            }
        )

    def __repr__(self):
        lines = self._write_table() if len(self.stages) else ["Nobody is to be paid."]
        if self.signal is not None:
            lines += ["", f"Signal: {self.signal}."]
            if not self.signal.p_value <= 0.05:
                lines += [
                    "The embeddings do not predict the target better than chance: a "
                    "study of them is unlikely to find anything."
                ]
        return "\n".join(lines)

    def _write_table(self):
        table = self.stages
        rows = [
            (*_format_costs(cost), _format_hours(hours))
            for *cost, hours in table[
                ["calls", "input_tokens", "output_tokens", "cost", "hours"]
            ].itertuples(index=False)
        ]
        rows.append((*_format_costs(self.total), _format_hours(self.hours)))
        names = [
            f"{stage} ({model})" if model else stage
            for stage, model in zip(table["stage"], table["model"], strict=True)
        ]
        first = max(map(len, [*names, "in all"]))
        widths = [
            max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)
        ]
        return [
            "  ".join([name.ljust(first), *map(str.rjust, row, widths)])
            for name, row in zip(
                ["", *names, "in all"], [_HEADINGS, *rows], strict=True
            )
        ]


def _format_costs(cost):
    *counts, dollars = cost
    shown = "unknown" if np.isnan(dollars) else f"${dollars:.2f}"
    return (*(f"{int(count):,}" for count in counts), shown)


def _format_hours(hours):
    return f"{hours:.2f}"
