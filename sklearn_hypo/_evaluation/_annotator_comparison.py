"""What `compare_annotators` found: the same hypotheses, judged by several."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._report._by_annotator import find_flips, write_side_by_side
from .._utils._printable import pluralize, shorten, to_printable


@dataclass(frozen=True, eq=False, repr=False)
class AnnotatorComparison:
    """The test of the same hypotheses with the annotations of several annotators.

    Printed, it shows the estimates side by side; notebooks show the same as a table.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis, with the columns

        - ``hypothesis``;
        - for each annotator ``NAME: coef``, its joint coefficient (for more than two
          classes ``NAME: separation``), ``NAME: p_corrected``, and
          ``NAME: significant``;
        - ``n_agree``: annotators with the verdict of the first, itself included:
          significant with more, significant with less, or not significant;
        - ``alpha``: Krippendorff's, of all annotators' annotations.
    overall : DataFrame
        One row per annotator: "annotator", "n_significant", "n_agree" (hypotheses with
        the verdict of the first annotator), and the overall figures of its report by
        their names there, such as "r2", "r2_cross_fitted" and "r2_out_of_sample": the
        last by the model that the first annotator's training annotations fitted.
    agreement : DataFrame
        How far the annotations agree, as `MajorityAnnotator.agreement_` has it.
    agreement_pairs : DataFrame
        The same for pairs of annotators, with Cohen's kappa.
    reports : dict of str to HypothesisReport
        The whole report of each annotator.
    usage : DataFrame
        What language models consumed, one row per annotator that keeps an account.
    effect : {"coef", "separation"}
        Which estimate the table shows.
    by_annotator : DataFrame
        One row per hypothesis and annotator, as `HypothesisReport.by_annotator`.

    See Also
    --------
    compare_annotators : Makes it.
    evaluate_annotations : Given annotations of several, one test over all of them.

    Examples
    --------
    Two codings of the same texts, the second with errors in 15 %:

    >>> import numpy as np
    >>> from sklearn_hypo import HypothesisExtractor, compare_annotators
    >>> from sklearn_hypo.datasets import make_concept_texts
    >>> import pandas as pd
    >>> data = make_concept_texts(600, n_concepts=2, random_state=0)
    >>> neurons = pd.DataFrame(
    ...     data.truth.astype(float), index=pd.Index(data.data, name="text"),
    ...     columns=["neuron000", "neuron001"],
    ... )
    >>> train, test = slice(300), slice(300, None)
    >>> extractor = HypothesisExtractor(random_state=0)
    >>> extractor = extractor.fit(neurons[train], data.target[train])
    >>> errors = np.random.default_rng(0).random((300, 2)) < 0.15
    >>> found = compare_annotators(
    ...     extractor, neurons[test], data.target[test],
    ...     {"people": data.truth[test], "hasty people": data.truth[test] ^ errors},
    ... )
    >>> found.table["n_agree"].tolist()
    [3, 3]
    >>> found.overall[["annotator", "r2"]].round(2)
              annotator    r2
    0  LexiconAnnotator  0.36
    1            people  0.38
    2      hasty people  0.18
    """

    table: pd.DataFrame
    overall: pd.DataFrame
    agreement: pd.DataFrame
    agreement_pairs: pd.DataFrame
    reports: dict
    usage: pd.DataFrame
    effect: str
    by_annotator: pd.DataFrame

    def __str__(self):
        shown = self._show()
        shown["hypothesis"] = shown["hypothesis"].map(lambda each: shorten(each, 40))
        lines = shown.to_string(index=False, justify="right").splitlines()
        return "\n".join([self._title(), "", *lines, "", *self._notes()])

    __repr__ = __str__

    def _repr_html_(self):
        shown = self._show()
        shown["hypothesis"] = shown["hypothesis"].map(to_printable)
        with pd.option_context("display.max_colwidth", None):
            body = shown.to_html(index=False, border=0)
        notes = "<br>".join(map(html.escape, self._notes()))
        return f"<p>{html.escape(self._title())}</p>{body}<p>{notes}</p>"

    def _title(self):
        n = self.agreement["n"].max() if len(self.agreement) else 0
        return (
            f"{pluralize(len(self.table), 'hypothesis')} judged by "
            f"{pluralize(len(self.reports), 'annotator')} in {pluralize(n, 'text')}"
        )

    def _show(self):
        """Return the table as it is shown: one column of words per annotator."""
        shown = write_side_by_side(self.by_annotator)
        shown.insert(0, "hypothesis", self.table["hypothesis"])
        agree = [f"{n} of {len(self.reports)}" for n in self.table["n_agree"]]
        alpha = self.table["alpha"].map("{:.2f}".format)
        return shown.assign(agree=agree, alpha=alpha)

    def _name_of_new_texts(self):
        known = [report.n_training_texts for report in self.reports.values()]
        return "on other texts" if any(known) else "out-of-sample"

    def _notes(self):
        kind = {"coef": "joint coefficient", "separation": "separation"}[self.effect]
        metric = "R²" if "r2" in self.overall else "ROC AUC"
        n_flips = len(find_flips(self.by_annotator))
        lines = [
            f"{n_flips} of {len(self.table)} conclusions flip over annotators",
            f"{kind} (joint p, corrected; * significant); agree: annotators with the "
            "verdict of the first; alpha: Krippendorff's, of the annotations",
        ]
        for row in self.overall.to_dict("records"):
            figures = [
                f"{value:.3f} {word}"
                for key, word in (
                    ("", "in-sample"),
                    ("_cross_fitted", "cross-fitted"),
                    ("_out_of_sample", self._name_of_new_texts()),
                )
                if not np.isnan(value := row.get(_METRICS[metric] + key, np.nan))
            ]
            n = pluralize(row["n_agree"], "verdict")
            lines.append(
                f"{to_printable(row['annotator'])}: {metric} {', '.join(figures)}; "
                f"{row['n_significant']} significant; {n} as the first"
            )
        return lines


_METRICS = {"R²": "r2", "ROC AUC": "roc_auc"}
