"""A report read once: the order of its hypotheses, the effect to lead with, colours."""

import numpy as np

from .._columns import COLUMNS, rank_joint_effects, read_estimates, read_strings

# The joint effect in the unit of the separation: one axis for both.
_SAME_UNIT = {"regression": "coef", "classification": "ame"}


class ReportView:
    """What several parts of the page need to know of a report.

    Parameters
    ----------
    report : HypothesisReport
        A report.

    Attributes
    ----------
    names, classes : list of str
        The hypotheses, and the class of each separation, for more than two.
    significant : list of bool
        After correction.
    separation, lead, beside : Column or None
        The effect of a hypothesis alone; the effect to lead with, a joint one if
        there is any; the joint effect that can share an axis with the separation.
    order : list of int
        Rows: significant ones first, then from the most positive effect down.
    """

    def __init__(self, report):
        self.report, self.table = report, report.table
        self.names = read_strings(report.table, "hypothesis")
        self.classes = read_strings(report.table, "separation_class")
        self.significant = report.table["significant"].tolist()
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
