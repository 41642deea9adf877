"""A report read once: the order of its hypotheses, the effect to lead with, colours."""

from functools import cached_property

import numpy as np

from .._words import figure, flags, joint_effects, numbers, separation, words
from ._markup import element, join

# The joint effect in the unit of the separation: one axis for both.
_SAME_UNIT = {"regression": "coef", "classification": "ame"}


class Reading:
    """What several parts of the page need to know of a report.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    """

    def __init__(self, report):
        self.report = report
        self.table = report.table
        self.names = words(report.table, "hypothesis")
        self.classes = words(report.table, "separation_class")
        self.significant = flags(report.table, "significant")
        self.alone = separation(report)
        self.joint = joint_effects(report)
        self._columns = {}

    def column(self, name):
        """A column of the table as floats."""
        if name not in self._columns:
            self._columns[name] = numbers(self.table, name)
        return self._columns[name]

    def values(self, effect):
        """Estimates, lower bounds and upper bounds of an effect."""
        ends = ("", "_lower", "_upper")
        return tuple(self.column(effect.column + end) for end in ends)

    @cached_property
    def lead(self):
        """The effect to lead with: a joint one if there is any, or None."""
        effects = [*self.joint[:1], self.alone]
        finite = (e for e in effects if np.isfinite(self.values(e)[0]).any())
        return next(finite, None)

    @cached_property
    def drawn_beside(self):
        """The joint effect that can share an axis with the separation, or None."""
        wanted = _SAME_UNIT[self.report.task]
        return next((e for e in self.joint if e.column == wanted), None)

    @cached_property
    def order(self):
        """Rows: significant ones first, then from the most positive effect down."""
        size = np.zeros(len(self.names))
        if self.lead is not None:
            value = self.values(self.lead)[0]
            size = np.where(np.isnan(value), -np.inf, value)
        significant = self.significant
        return sorted(range(len(size)), key=lambda i: (not significant[i], -size[i], i))

    def tone(self, row):
        """Class of the style sheet: the direction if significant, else quiet."""
        if self.lead is None or not self.significant[row]:
            return "quiet"
        value = self.values(self.lead)[0][row]
        return "positive" if value > self.lead.nothing else "negative"

    @cached_property
    def by_class(self):
        """Rows of `report.by_class`, as dicts, by hypothesis."""
        table = getattr(self.report, "by_class", None)
        found = {}
        for record in [] if table is None else table.to_dict("records"):
            found.setdefault(str(record["hypothesis"]), []).append(record)
        return found


# Figures with a true minus --------------------------------------------------------


def number(value):
    """A number, or a dash where there is none."""
    return "–" if np.isnan(value) else figure(value).replace("-", "−")


def signed(value):
    """A number with its sign."""
    return ("+" if value > 0 else "") + number(value)


def bounds(lower, upper):
    """An interval that is not broken into lines; None if there is none."""
    if np.isnan([lower, upper]).any():
        return None
    return element("span", f"[{number(lower)}, {number(upper)}]", class_="whole")


def estimate(value, lower, upper):
    """A number and its interval."""
    if np.isnan(value):
        return number(value)
    interval = bounds(lower, upper)
    return number(value) if interval is None else join([number(value), " ", interval])
