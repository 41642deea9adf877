"""A report read once: the order of its hypotheses, the effect to lead with, colours."""

import numpy as np

from .._utils._printable import shorten
from ._columns import (
    COLUMNS,
    rank_joint_effects,
    read_estimates,
    read_labels,
    read_strings,
)
from ._words import flag_reversed, name_target

# The joint effect in the unit of the separation: one axis for both.
_SAME_UNIT = {"regression": "coef", "classification": "ame"}


class ReportView:
    """What terminal, notebook and the parts of the page need to know of a report.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Attributes
    ----------
    names, statements, classes : list of str
        The hypotheses after their names, and without them; the class of each
        separation, for more than two.
    significant, turned : list of bool
        After correction; whether a significant effect had the other sign in training.
    separation, lead, beside : Column or None
        The effect of a hypothesis alone; the effect to lead with, a joint one if
        there is any; the joint effect that can share an axis with the separation.
    order : list of int
        Rows: significant ones first, then from the most positive effect down.
    """

    def __init__(self, report):
        self.report, self.table = report, report.table
        self.names = read_labels(report.table)
        self.statements = read_strings(report.table, "hypothesis")
        self.classes = read_strings(report.table, "separation_class")
        self.significant = report.table["significant"].tolist()
        self.turned = flag_reversed(report)
        joint = rank_joint_effects(report)
        self.separation = next(c for c in COLUMNS if c.name == "separation")
        finite = (
            column
            for column in [*joint[:1], self.separation]
            if np.isfinite(self.estimates(column)[0]).any()
        )
        self.lead = next(finite, None)
        unit = _SAME_UNIT[report.task]
        self.beside = next((c for c in joint if c.name == unit), None)
        self.order = self._sort_rows()

    def estimates(self, column):
        """Estimates, lower bounds and upper bounds of an effect."""
        return read_estimates(self.table, column)

    def _sort_rows(self):
        size = np.zeros(len(self.names))
        if self.lead is not None:
            size = np.nan_to_num(self.estimates(self.lead)[0], nan=-np.inf)
        significant = self.significant
        return sorted(range(len(size)), key=lambda i: (not significant[i], -size[i], i))

    def tone(self, row):
        """Class of the style sheet: the direction if significant, else quiet."""
        if self.lead is None or not self.significant[row]:
            return "quiet"
        value = self.estimates(self.lead)[0][row]
        return "positive" if value > self.lead.neutral else "negative"

    def blocks(self):
        """Return the hypotheses by the direction of their effect, the largest first.

        Returns
        -------
        blocks : list of (str, list of int)
            A heading such as "more stars", and the rows below it: those that go with
            more, those that go with less, and those without an estimate. Of more than
            two classes there are blocks for each.
        """
        if self.lead is None:
            size = np.full(len(self.names), np.nan)
        else:
            size = self.estimates(self.lead)[0] - self.lead.neutral
        order = np.argsort(-np.abs(size), kind="stable")  # NaN last
        blocks = []
        for what, own in self._list_outcomes():
            for word, sign in (("more", 1), ("less", -1)):
                rows = [int(i) for i in order if own[i] and np.sign(size[i]) == sign]
                blocks.append((f"{word} {what}", rows))
        placed = {i for _, rows in blocks for i in rows}
        rest = [int(i) for i in order if i not in placed]
        return [b for b in [*blocks, ("no effect estimated", rest)] if b[1]]

    def _list_outcomes(self):
        """What an effect is more or less of, and which rows are about it."""
        report, everywhere = self.report, np.ones(len(self.names), dtype=bool)
        if report.classes is None:
            return [(name_target(report), everywhere)]
        named = [
            f"{name_target(report)} = {shorten(repr(label), 40)}"
            for label in report.classes
        ]
        if len(report.classes) == 2:
            return [(named[1], everywhere)]
        of = np.array(self.classes, dtype=object)
        return [
            (name, of == str(label))
            for name, label in zip(named, report.classes, strict=True)
        ]
