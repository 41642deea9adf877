"""`StudyPlan`: how large a further study has to be."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .._inference._multiple_tests import CORRECTIONS
from .._utils._json import to_json_value
from .._utils._printable import pluralize, shorten
from ._plan_table import choose_effects, compute_powers

_EFFECTS = {
    "conservative": "the end of its 95 % interval nearer 0",
    "estimate": "as estimated",
    "given": "as given",
}
_WAYS = ("texts", "groups", "texts_per_group", "annotators", "labels")


@dataclass(frozen=True, repr=False, eq=False)
class StudyPlan:
    """How many texts, groups, human labels and annotators a further study takes.

    `plan_study` makes it. Printed, it is a table.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis with

        - ``hypothesis``; ``estimate``, ``lower``, ``upper``: of the report, with its
          95 % interval;
        - ``effect``: size of the true effect that power is computed for;
        - ``level``: at which the hypothesis is tested by itself, so that the family
          keeps its level;
        - ``power``, ``half_width``: of a study of the present size, and half the length
          of its 95 % interval;
        - ``texts_for_power``, [``texts_for_half_width``]: texts in all, not added to
          those at hand, that give the wanted power or half-width; with groups, in as
          many more groups of the same size. Infinite where no number does;
        - [``design_effect``, ``groups_for_…``, ``texts_per_group_for_…``]: with groups,
          by which factor they enlarge the variance; how many groups of the present
          size, or how many texts in each of the present groups;
        - [``sd_between_annotators``, ``annotators_for_…``]: standard deviation of the
          estimate over annotators; how many of them, for the present texts;
        - [``corrected``, ``corrected_effect``, ``corrected_power``,
          ``corrected_half_width``, ``labels_for_…``]: of the estimate corrected for
          annotation error; how many human labels of the present texts.
    estimand : {"separation", "coef"}
        What is estimated.
    power : float
        Wanted.
    half_width : float or None
        Wanted.
    effect : {"conservative", "estimate", "given"}
        Where the effects are from.
    alpha, correction : float and str
        Of the report.
    n_hypotheses : int
        Hypotheses that are to be tested.
    sizes : dict of str to int or None
        "texts", "groups" and "annotators" of the present study.
    study, labels : PresentStudy
        What `predict` computes from: variances of the estimates, and of the corrected
        ones (None without any).

    See Also
    --------
    plan_study : Says what the figures are.

    Examples
    --------
    >>> from sklearn_hypo import evaluate_annotations, plan_study
    >>> holds, y = [[1], [0]] * 30, [1.5, 0.0, 1.0, 1.0, 0.5, 0.5] * 10
    >>> report = evaluate_annotations(holds, y, names=["mentions tea"])
    >>> plan = plan_study(report, effect=0.25, power=0.9)
    >>> bool(plan.predict(n_texts=plan.table["texts_for_power"][0])["power"][0] >= 0.9)
    True
    """

    table: pd.DataFrame
    estimand: str
    power: float
    half_width: float | None
    effect: str
    alpha: float
    correction: str
    n_hypotheses: int
    sizes: dict
    study: object = field(repr=False)
    labels: object = field(default=None, repr=False)

    def predict(
        self, *, n_texts=None, n_groups=None, n_annotators=None, n_labelled=None
    ):
        """Tell what a study of another size gives.

        Parameters
        ----------
        n_texts : float or None, default=None
            Texts in all. None: as many per group as now, or as many as now.
        n_groups : float or None, default=None
            Groups. None: as many texts per group as now.
        n_annotators : float or None, default=None
            Annotators. None: as many as now.
        n_labelled : float or None, default=None
            Texts with human labels: the figures are then those of the corrected
            estimate.

        Returns
        -------
        table : DataFrame
            "hypothesis", "effect", "se", "half_width" and "power".

        Raises
        ------
        ValueError
            For groups, annotators or labels of a plan that knows nothing of them.
        """
        if n_labelled is not None:
            study = self._find_labels(n_groups, n_annotators)
            texts = 1.0 if n_texts is None else n_texts / self.sizes["texts"]
            labels = n_labelled / study.variance.n_labelled
            variance = study.variance.at(labels=labels, texts=texts)
            effects = self.table["corrected_effect"]
        else:
            study = self.study
            variance = study.variance.at(
                **self._scale(n_texts, n_groups), n_annotators=n_annotators
            )
            effects = self.table["effect"]
        effects = choose_effects(effects.to_numpy(), study)
        return pd.DataFrame(
            {
                "hypothesis": self.table["hypothesis"],
                "effect": effects,
                "se": np.sqrt(variance[0]),
                "half_width": study.measure_half_width(*variance),
                "power": compute_powers(study, effects, *variance),
            }
        )

    def _scale(self, n_texts, n_groups):
        """Groups and texts per group, relative to the present ones."""
        texts = 1.0 if n_texts is None else n_texts / self.sizes["texts"]
        if n_groups is None:
            return {"groups": texts}
        if self.sizes["groups"] is None:
            raise ValueError("n_groups: the report was made without groups.")
        groups = n_groups / self.sizes["groups"]
        return {"groups": groups, "size": 1.0 if n_texts is None else texts / groups}

    def _find_labels(self, n_groups, n_annotators):
        if self.labels is None:
            raise ValueError(
                "n_labelled: the plan was made without corrected estimates. Pass "
                "corrected= to plan_study."
            )
        if n_groups is not None or n_annotators is not None:
            raise ValueError(
                "n_groups and n_annotators are not planned for together with "
                "n_labelled. Leave them out."
            )
        return self.labels

    def to_dict(self):
        """Return everything as plain values, as JSON holds them.

        Returns
        -------
        values : dict
            What is wanted, by name, and under "hypotheses" one dict per row of the
            table; None for what is infinite or not known.
        """
        names = ("estimand", "power", "half_width", "effect", "alpha", "correction")
        values = {name: getattr(self, name) for name in (*names, "n_hypotheses")}
        table = self.table.replace([np.inf, -np.inf], np.nan)
        return to_json_value(
            values | {"sizes": self.sizes, "hypotheses": table.to_dict("records")}
        )

    def __repr__(self):
        kind = CORRECTIONS[self.correction]
        lines = [
            f"Plan for the {self.estimand}: power {self.power:g} at a {kind} level of "
            f"{self.alpha:g} ({self.correction}, "
            f"{pluralize(self.n_hypotheses, 'hypothesis')})",
            f"now: {self._describe_sizes()}; true effect: {_EFFECTS[self.effect]}",
            "",
            *self._write_table(),
            "",
            *self._list_remarks(),
        ]
        return "\n".join(lines).rstrip()

    def _describe_sizes(self):
        counts = {n: c for n, c in self.sizes.items() if c is not None and c > 1}
        return ", ".join(f"{count:,} {name}" for name, count in counts.items())

    def _write_table(self):
        shown = {
            self.estimand: [
                f"{b:.3g} [{lower:.3g}, {upper:.3g}]"
                for b, lower, upper in self.table[
                    ["estimate", "lower", "upper"]
                ].itertuples(index=False)
            ],
            "effect": [f"{e:.3g}" for e in self.table["effect"]],
            "power now": [f"{p:.2f}" for p in self.table["power"]],
        }
        aims = {"power": "power", "half_width": "±"}
        if self.half_width is not None:
            aims["half_width"] += f"{self.half_width:g}"
        for way in _WAYS:
            for aim, word in aims.items():
                if f"{way}_for_{aim}" in self.table:
                    heading = f"{way.replace('_', ' ')} for {word}"
                    counts = self.table[f"{way}_for_{aim}"]
                    shown[heading] = [_format_count(count) for count in counts]
        names = [shorten(str(name), 40) for name in self.table["hypothesis"]]
        first = max(map(len, ["hypothesis", *names]))
        widths = [max(map(len, [head, *cells])) for head, cells in shown.items()]
        rows = [("hypothesis", *shown), *zip(names, *shown.values(), strict=True)]
        return [
            "  ".join([name.ljust(first), *map(str.rjust, cells, widths)])
            for name, *cells in rows
        ]

    def _list_remarks(self):
        remarks = ["numbers are those of a study in all, not added to those at hand"]
        if (self.table["effect"] == 0).any():
            remarks.append(
                "–: the interval holds 0, so that no study is sure to find the effect; "
                "name the smallest one that matters (effect=)"
            )
        elif np.isinf(self.table.select_dtypes("number").to_numpy()).any():
            remarks.append("–: no number is enough by itself")
        if self.effect == "estimate":
            remarks.append(
                "estimates picked because they are large are too large on average (the "
                "winner's curse): expect less power than planned"
            )
        return remarks


def _format_count(count):
    return "–" if not np.isfinite(count) else f"{int(count):,}"
