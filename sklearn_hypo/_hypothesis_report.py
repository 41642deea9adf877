"""The report on a test of hypotheses: a table, its overall figures, a drawing."""

import html
import json
from dataclasses import dataclass, fields
from unicodedata import combining, east_asian_width

import numpy as np
import pandas as pd

from ._remarks import printable
from ._report_details import EvaluationData
from ._usage_table import usage_line

# Below this a p-value is no longer a number that anyone should read.
_SMALLEST_P = 1e-300


@dataclass(frozen=True, eq=False, repr=False)
class HypothesisReport:
    """What `evaluate_hypotheses` found.

    Printing it shows the table and the overall figures; `plot` shows the
    coefficients with their intervals.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis, in the order of the extractor, with the columns

        - ``neuron``, ``hypothesis``: the neuron and the words that describe it;
        - ``fidelity``: F1 of the words for the neuron's activation, in 0..1,
          measured in training;
        - ``n``, ``missing``: rows with and without an answer;
        - ``prevalence``: share of the answered rows where the hypothesis holds;
        - ``separation``, ``separation_se``, ``separation_p``: difference of the mean
          target in its units (of proportions, for classes), standard error, and
          p-value, uncorrected;
        - ``separation_class``: for more than two classes, the class of which
          ``separation`` is the difference;
        - ``coef``, ``coef_se``, ``coef_lower``, ``coef_upper``, ``coef_p``: joint
          coefficient in units of the target (log odds of the second class, for two
          classes; NaN for more), standard error, 95% interval, p-value;
        - ``p_corrected``, ``significant``: ``coef_p`` corrected for multiple tests,
          and whether that is at most alpha;
        - ``note``: what could not be computed, and why. Empty if all is well.
    task : {"regression", "classification"}
        The task.
    classes : tuple or None
        The classes, in order; None for a quantity.
    n_rows : int
        Texts evaluated.
    n_joint : int
        Texts in the joint regression; 0 if it was not run.
    n_joint_hypotheses : int
        Hypotheses in it.
    n_tested : int
        Hypotheses that the correction counts.
    n_significant : int
        Hypotheses that are significant in the joint regression after correction.
    alpha : float
        Level of significance after correction.
    correction : str
        Name of the correction.
    r2 : float
        In-sample R² of the joint regression, fitted and scored on the evaluated
        texts as published. Grows with the number of hypotheses, true or not.
    r2_adjusted : float
        The same, adjusted: 1 - (1 - R²) (n - 1) / (n - h - 1) for n texts and h
        hypotheses.
    r2_out_of_sample : float
        R² on the evaluated texts of the linear model that was fitted on the training
        texts; missing annotations count as the training prevalence.
    roc_auc : float
        In-sample area under the ROC curve of the joint logit (for more than two
        classes: mean over the classes, one against the rest).
    pseudo_r2 : float
        McFadden's pseudo R² of the joint logit, in-sample.
    roc_auc_out_of_sample : float
        Area under the ROC curve of the model that was fitted on the training texts.
    usage : DataFrame or None
        What language models consumed in fit and test, one row per role: calls,
        tokens, answers from the cache, and cost in dollars.

    See Also
    --------
    evaluate_hypotheses : Makes it.

    Examples
    --------
    Annotations that were made elsewhere, tested and shown without an extractor:

    >>> import numpy as np
    >>> from sklearn_hypo import HypothesisReport
    >>> from sklearn_hypo._inference import hypothesis_table
    >>> rng = np.random.default_rng(0)
    >>> annotations = rng.integers(0, 2, size=(2000, 2))
    >>> y = annotations @ [0.8, 0.0] + rng.normal(size=2000)
    >>> names = ["mentions tea", "mentions rain"]
    >>> table, figures = hypothesis_table(annotations, y, names=names)
    >>> print(HypothesisReport(table, **figures))
    2 hypotheses tested on 2,000 texts (regression)
    <BLANKLINE>
    hypothesis     prevalence      n  separation      p  joint coef  joint p
    mentions tea        0.518  2,000       0.850  9e-75       0.849    4e-74  *
    mentions rain       0.496  2,000      -0.082  0.092      -0.054    0.227
    <BLANKLINE>
    * 1 of 2 significant in the joint regression (bonferroni, family level 0.1)
      0.154  R² in-sample (as published): fit and score on ... 2,000 texts, 2 hypotheses
      0.154  R² in-sample, adjusted for the number of hypotheses
        nan  R² out-of-sample: fit on the training texts, score on these 2,000
    """

    table: pd.DataFrame
    task: str
    classes: tuple | None
    n_rows: int
    n_joint: int
    n_joint_hypotheses: int
    n_tested: int
    n_significant: int
    alpha: float
    correction: str
    r2: float = np.nan
    r2_adjusted: float = np.nan
    r2_out_of_sample: float = np.nan
    roc_auc: float = np.nan
    pseudo_r2: float = np.nan
    roc_auc_out_of_sample: float = np.nan
    usage: pd.DataFrame | None = None
    overall: pd.DataFrame | None = None
    permutation_p: float = np.nan
    n_resamples: int = 0
    cov_type: str = "nonrobust"
    n_groups: int | None = None
    n_pairs: int | None = None
    by_class: pd.DataFrame | None = None
    covariates: pd.DataFrame | None = None
    redundancy: object = None
    details: tuple | None = None
    provenance: dict | None = None
    data: EvaluationData | None = None

    def __str__(self):
        return "\n".join(
            [self._title(), "", *_text_table(self.table), "", *self._summary()]
        )

    __repr__ = __str__

    def _repr_html_(self):
        lines = "<br>".join(html.escape(line) for line in self._summary())
        return (
            f"<div><p>{html.escape(self._title())}</p>"
            f"{_html_table(self.table)}<p>{lines}</p></div>"
        )

    def to_dict(self):
        """Return everything as plain Python values that JSON can hold.

        Returns
        -------
        values : dict
            The overall figures by name, and under "hypotheses" one dict per row of
            the table. What could not be computed is None.
        """
        values = {
            f.name: _plain(getattr(self, f.name))
            for f in fields(self)
            if f.name not in ("table", "usage")
        }
        values["usage"] = [] if self.usage is None else _records(self.usage)
        values["hypotheses"] = _records(self.table)
        return values

    def to_csv(self, path):
        """Write the table as a CSV file in UTF-8.

        Parameters
        ----------
        path : str or path-like
            Where to. Characters that UTF-8 cannot hold (lone surrogates) are written
            as their escapes.
        """
        self.table.to_csv(
            path, index=False, encoding="utf-8", errors="backslashreplace"
        )

    def plot(self, ax=None):
        """Draw the joint coefficients with their 95% intervals.

        For more than two classes, which have no single coefficient, it draws the
        separations. Filled points are significant after correction.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        ax : matplotlib Axes
            The drawing.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            ax = _new_axes(len(self.table))
        estimate, lower, upper, label = self._intervals()
        for position, significant in enumerate(self.table["significant"]):
            value = estimate[position]
            ax.errorbar(
                value,
                position,
                xerr=[[value - lower[position]], [upper[position] - value]],
                fmt="o",
                color="C0",
                markerfacecolor="C0" if significant else "white",
            )
        names = [
            _shortened(name, 60).replace("$", r"\$")  # no mathematics meant
            for name in self.table["hypothesis"]
        ]
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(max(len(names), 1) - 0.5, -0.5)  # the first on top
        ax.axvline(0, color="0.6", linewidth=1, zorder=0)
        ax.set_xlabel(label)
        return ax

    def _intervals(self):
        """Estimates with 95% intervals, and what they are."""
        table = self.table
        if self.classes is not None and len(self.classes) > 2:
            value, half = table["separation"], 1.96 * table["separation_se"]
            columns = (value, value - half, value + half)
            label = "separation (largest of the classes), 95% interval"
        else:
            columns = (table["coef"], table["coef_lower"], table["coef_upper"])
            label = "joint coefficient, 95% interval"
        return *(column.to_numpy(dtype=float) for column in columns), label

    def _title(self):
        return (
            f"{len(self.table)} hypotheses tested on {self.n_rows:,} texts "
            f"({self.task})"
        )

    def _summary(self):
        level = "false discovery rate" if self.correction[:3] == "fdr" else "family"
        lines = [
            f"* {self.n_significant} of {self.n_tested} significant in the joint "
            f"regression ({self.correction}, {level} level {self.alpha:g})"
        ]
        if self.classes is not None and len(self.classes) == 2:
            zero, one = (printable(repr(c)) for c in self.classes)
            lines.append(f"y: 1 for {one}, 0 for {zero}")
        lines += [
            f"{_figure(getattr(self, name)):>7}  {text}"
            for name, text in self._figures()
        ]
        lines += filter(None, [usage_line(self.usage)])
        notes = zip(self.table["hypothesis"], self.table["note"], strict=True)
        lines += [f"NaN: {_shortened(h, 40)}: {note}" for h, note in notes if note]
        return lines

    def _figures(self):
        """Names of the overall figures, with exactly what each is."""
        joint = (
            f"fit and score on the same {self.n_joint:,} texts, "
            f"{self.n_joint_hypotheses} hypotheses"
        )
        outer = f"fit on the training texts, score on these {self.n_rows:,}"
        if self.task == "regression":
            return [
                ("r2", f"R² in-sample (as published): {joint}"),
                ("r2_adjusted", "R² in-sample, adjusted for the number of hypotheses"),
                ("r2_out_of_sample", f"R² out-of-sample: {outer}"),
            ]
        return [
            ("roc_auc", f"ROC AUC in-sample: {joint}"),
            ("pseudo_r2", "pseudo R² (McFadden) in-sample"),
            ("roc_auc_out_of_sample", f"ROC AUC out-of-sample: {outer}"),
        ]


# Text -----------------------------------------------------------------------------


def _text_cells(table):
    """The cells of the printed table, by column, the header first.

    For more than two classes there is no joint coefficient to show.
    """
    separation = table["separation"].map(_figure)
    if "separation_class" in table:
        label = table["separation_class"].map(lambda c: f" ({_shortened(c, 12)})")
        separation += label.where(table["separation"].notna(), "")
    columns = {"hypothesis": table["hypothesis"].map(lambda h: _shortened(h, 48))}
    if "fidelity" in table:
        columns["fidelity"] = table["fidelity"].map("{:.2f}".format)
    columns["prevalence"] = table["prevalence"].map("{:.3f}".format)
    columns["n"] = table["n"].map("{:,}".format)
    columns["separation"] = separation
    columns["p"] = table["separation_p"].map(format_p)
    if "separation_class" not in table:
        columns["joint coef"] = table["coef"].map(_figure)
    columns["joint p"] = table["coef_p"].map(format_p)
    columns[""] = table["significant"].map({True: "*", False: ""})
    return [[header, *cells] for header, cells in columns.items()]


def _text_table(table):
    """The lines of the printed table: the first column left, the others right."""
    columns = []
    for cells in _text_cells(table):
        width = max(map(_width, cells))
        padded = [(" " * (width - _width(cell)), cell) for cell in cells]
        columns.append([c + p if not columns else p + c for p, c in padded])
    return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]


def _html_table(table):
    header, *rows = zip(*_text_cells(table), strict=True)
    lines = ["".join(f"<th>{html.escape(c)}</th>" for c in header)]
    lines += ["".join(f"<td>{html.escape(c)}</td>" for c in row) for row in rows]
    return f"<table><tr>{'</tr><tr>'.join(lines)}</tr></table>"


def _width(text):
    """Columns of a terminal that the text takes."""
    return sum(
        0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text
    )


def _shortened(text, length):
    text = printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _figure(value):
    """A number with three decimals, unless its size asks for powers of ten."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e5):
        return f"{value:.1e}"
    return f"{value:.3f}"


def format_p(p):
    """A p-value in at most seven characters."""
    if np.isnan(p):
        return "nan"
    if p < _SMALLEST_P:
        return f"<{_SMALLEST_P:.0e}"
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def _records(table):
    """One dict per row, of values that JSON can hold."""
    return [
        {name: _plain(value) for name, value in record.items()}
        for record in table.to_dict("records")
    ]


def _plain(value):
    """A value that JSON can hold."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    try:
        json.dumps(value)
    except TypeError:
        return str(value)
    return value


def _new_axes(n_rows):
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            "HypothesisReport.plot draws with matplotlib, which is not installed. "
            "Install it (pip install matplotlib), or read report.table."
        ) from error
    _, ax = plt.subplots(figsize=(9, 1.5 + 0.35 * n_rows), layout="constrained")
    return ax
