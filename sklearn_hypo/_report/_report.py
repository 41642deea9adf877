"""The report on a test of hypotheses: a table, its overall figures, the evidence."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._displays import CoefficientsDisplay
from ._audit import write_audit_bundle
from ._details import EvaluationData
from ._export import to_csv, to_dictionary, to_json, to_latex, to_markdown
from ._methods import write_methods
from ._page._notebook import notebook_html
from ._page._page import write_page
from ._text import text_lines


@dataclass(frozen=True, eq=False, repr=False)
class HypothesisReport:
    """What `evaluate_hypotheses` found.

    Printing it shows the table and the overall figures, `plot` the coefficients with
    their intervals, `to_html` writes a page with the texts behind them.

    Parameters
    ----------
    table : DataFrame
        One row per hypothesis, in the order of the extractor, with the columns

        - ``neuron``, ``hypothesis``: the neuron and the words that describe it;
        - ``fidelity``: F1 of the words for the neuron's activation, in 0..1,
          measured in training;
        - ``found``: with an autoencoder of several fits, how many of them have the
          neuron, such as "3 of 5"; empty where there is none;
        - ``n``, ``missing``: rows with and without an answer;
        - ``agreement``: with a `MajorityAnnotator`, Krippendorff's alpha of its members
          on these texts (NaN for measures of style, which nobody judges);
        - ``share_asked``, ``rate_upper``: with a `CascadeAnnotator`, share of these
          texts that its dear annotator was asked about, and the upper bound of how
          often he would have differed in the others that were not in doubt;
        - ``prevalence``: share of the answered rows where the hypothesis holds;
        - ``separation``, ``_se``, ``_lower``, ``_upper``, ``_p``: difference of the
          mean target in its units (of proportions, for classes; within pairs, of the
          member that alone has it), standard error, 95% interval, p-value;
          ``separation_df``: degrees of freedom, of quantities;
          ``separation_p_corrected``: corrected for the number of hypotheses;
          ``separation_simultaneous_lower``, ``_upper``: interval that holds for all
          hypotheses together at the level 1 - alpha. It excludes 0 if and only if the
          corrected p-value is at most alpha; a bound of 0 itself is excluded (NaN for
          more than two classes);
          ``separation_std``: in standard deviations of the target;
        - ``separation_adjusted``, ``_lower``, ``_upper``, ``_p``, ``_p_corrected``:
          with covariates or fixed effects, which ``separation`` leaves out, the
          coefficient of the hypothesis beside these alone (for two classes the average
          marginal effect of such a logit; for more only p-values);
        - ``separation_class``: for more than two classes, the class of which
          ``separation`` is the difference;
        - ``separation_worst_lower``, ``separation_worst_upper``: where answers are
          missing, the smallest and the largest separation that they could have made;
        - ``coef``, ``coef_se``, ``coef_lower``, ``coef_upper``, ``coef_p``,
          ``coef_df``: joint coefficient in units of the target (log odds of the
          second class, for two classes; NaN for more), standard error, 95% interval,
          p-value, degrees of freedom of its t distribution;
          ``coef_simultaneous_lower``, ``_upper``: as of the separation; ``coef_std``:
          per standard deviation of the annotation, in standard deviations of a
          quantity;
        - ``odds_ratio``, ``_lower``, ``_upper``: for two classes;
        - ``rate_ratio``, ``_lower``, ``_upper``: for counts, by which factor the mean
          is larger where the hypothesis holds, beside the others and the covariates:
          of a log-linear (quasi-Poisson) regression, with the 95% interval of robust
          or clustered errors. It is no test: ``coef_p`` is that of the difference of
          means. 0 or infinite, without an interval, where all counts on one side are
          0; not within pairs;
        - ``cumulative_odds_ratio``, ``_lower``, ``_upper``: for ordered levels, by
          which factor the odds of being above a level are larger where the hypothesis
          holds, beside the others and the covariates: of an ordered logit, which takes
          the factor to be the same at every level (proportional odds). No test either;
          0 or infinite, without an interval, where one side has one end of the levels
          alone; not within pairs;
        - ``ame``, ``_se``, ``_lower``, ``_upper``: for classes, the average marginal
          effect on the probability of the second class, or of ``separation_class``
          (within pairs, of winning where only this member has it, against losing to a
          member that alone has it);
        - ``coef_length_fixed``, ``_lower``, ``_upper``, ``_p``, ``_p_corrected``: where
          the length of the texts predicts the target, the joint coefficient with
          log(1 + words) held fixed (NaN for more than two classes);
        - ``moderator_p``, ``moderator_p_corrected``: with a moderator, the p-value of
          the effect being the same in all of its levels, and corrected;
        - ``vif``: variance inflation beside the other hypotheses, on the rows (the
          differences within pairs) and with the weights of the joint regression;
        - ``p_corrected``, ``significant``: ``coef_p`` corrected for multiple tests,
          and whether that is at most alpha;
        - ``method``: the model of the joint regression, empty if not in it;
        - with several annotators, whose vote the table is about, and whose differences
          count in its intervals and p-values (``coef_df`` is NaN):
          ``annotators_agree``: share of the annotators whose own test has the same
          verdict (significant with more, with less, or not significant);
          ``annotators_smallest``, ``_largest``, ``_sd``: of their joint coefficients
          (of their separations, for more than two classes);
          ``annotators_p_smallest``, ``annotators_p_largest``: of their corrected joint
          p-values; ``naive_lower``, ``naive_upper``, ``naive_p``: interval and
          corrected p-value of the vote, as if it were one annotator, always right;
        - ``duplicate_of``: an earlier hypothesis that it nearly repeats, or empty;
        - ``note``: what could not be computed, and why. Empty if all is well;
        - ``reversed``: which effects have another sign than in training:
          "separation" (against the neuron's association), "joint" (against the
          coefficient), both, or empty; training knows the signs on the scale that
          was learned;
        - ``name``: the name that `HypothesisExtractor.rename` gave, or empty;
        - ``measure``, ``threshold``, ``terms``: what decides of which texts it is
          true, as in `Hypothesis`; terms are separated by "; ".

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
        Hypotheses that the correction counts, those of `previous` reports included.
    n_significant : int
        Hypotheses that are significant in the joint regression after correction.
    alpha : float
        Level of significance after correction.
    correction : str
        Name of the correction.
    r2 : float
        In-sample R² of the hypotheses in the joint regression, fitted and scored on
        the evaluated texts as published. With covariates or fixed effects what the
        hypotheses add: R² of all together minus that of the others alone, which
        `overall` holds as "r2_covariates". Grows with the number of hypotheses, true
        or not.
    r2_adjusted : float
        The same, adjusted: 1 - (1 - R²) (n - 1) / (n - h - 1) for n texts and h
        hypotheses; with covariates or fixed effects the difference of two R², each
        adjusted for its number of columns.
    r2_out_of_sample : float
        R² on the evaluated texts of the linear model that was fitted on the training
        texts, which are left out; missing annotations count as the training prevalence.
        Of log(1 + y) where that was learned (`target_scale_` of the extractor), as are
        all R² of predictions in `overall`, whose descriptions say so.
    roc_auc : float
        In-sample area under the ROC curve of the joint logit (for more than two
        classes: mean over the classes, one against the rest). With covariates or
        fixed effects what the hypotheses add to that of the others alone, which
        `overall` holds as "roc_auc_covariates".
    pseudo_r2 : float
        McFadden's pseudo R² of the joint logit, in-sample; with covariates or fixed
        effects again what the hypotheses add.
    roc_auc_out_of_sample : float
        Area under the ROC curve of the model that was fitted on the training texts.
    usage : DataFrame or None
        What language models consumed in fit and test, one row per role: the
        model asked for, what its provider calls the one that answered, calls, tokens,
        answers from the cache, and cost in dollars.
    overall : DataFrame or None
        Overall figures: "name", "value", "lower" and "upper" (95 % bootstrap interval
        over rows, or groups, with the predictions as they are; NaN for the in-sample
        R² of the hypotheses, which noise alone lifts above 0), "description".
    permutation_p : float
        p-value of all hypotheses together: how often a target that none of them is
        associated with (permuted; of groups, signs flipped; of classes beside
        covariates, drawn from these alone) has as large a sum of squared normal scores.
        NaN where no way to draw such targets holds, with a warning that says why.
    n_resamples : int
        Bootstrap resamples, and the most permutations for `permutation_p`: they end
        once it is clearly large.
    n_permutations, n_permutations_alone : int
        Permutations that the p-values of the joint regression, and those of the
        separations, were read from; 0 where they are by t, by likelihood ratios or
        exact tests alone. With "auto" each family ends when its findings are clear.
    n_tested_alone, correction_alone : int or None, str or None
        `n_tested` and `correction` of the separations, which may differ: step-down is
        Holm's where a family has no draws. None in reports of earlier versions.
    cov_type : str
        Standard errors of the joint regression: "HC2 or pooled" (by how far
        spreads differ), "HC3", "HC2", "nonrobust"; with groups "cluster" (of quantities
        CR2) or "CR3".
    n_groups, n_pairs : int or None
        Groups, and pairs, of the rows.
    by_class : DataFrame or None
        For more than two classes, one row per hypothesis and class: separation and
        average marginal effect, with intervals and p-values (uncorrected).
    covariates : DataFrame or None
        Joint coefficients of the covariates.
    redundancy : Redundancy or None
        Near-duplicate hypotheses, and the effective number of different ones.
    details : tuple of HypothesisDetail or None
        Texts, activations and shares by target of each hypothesis.
    provenance : dict or None
        Date, versions, settings, seeds, hashes of the data, under "edits" the
        hypotheses added, dropped and retested in another way since the `previous`
        reports, and under "tests" fingerprints of the tests, those of `previous`
        reports included.
    data : EvaluationData or None
        What the test was computed from.
    target_name : str or None
        Name of the target, if it has one, as a Series or a column of a file does.
    skipped_neurons : dict of str to str or None
        Selected neurons that have no hypothesis, and why.
    n_training_texts : int or None
        Texts evaluated that the hypotheses were found in: those with a target, told by
        `HypothesisExtractor.training_fingerprints_`. Scores "out of sample" are of
        the other texts. None if it is not known.
    near_duplicates : dict or None
        Texts evaluated that are equal or nearly equal to others: "n_texts", "n_groups",
        the size of the "largest" group, "inflation" (by which factor variances grow if
        these are copies), and "grouped", whether the test went by these groups. None
        if nothing was looked for.
    target_kind : {"quantity", "count", "ordinal"} or None
        What kind of numbers the target was taken for; None for classes.
    by_annotator : DataFrame or None
        With several annotators, one row per hypothesis and annotator: what each one's
        annotations gave by themselves, in columns of the table, and "verdict" (1:
        significant with more, -1: with less, 0: not significant).
    by_moderator : DataFrame or None
        With a moderator, one row per hypothesis and level: "n", "prevalence", and the
        separation within the level with its interval and p-value (uncorrected); of a
        quantity with covariates and fixed effects held fixed. For two classes also the
        odds ratio, whose equality is what ``moderator_p`` tests. "note": which levels
        are not compared, for less than 5 texts (groups, pairs) on one side.
    moderator_name : str or None
        Name of the moderator, if it has one.

    See Also
    --------
    evaluate_hypotheses : Makes it.

    Examples
    --------
    Annotations that were made elsewhere, tested and shown without an extractor:

    >>> import numpy as np
    >>> from sklearn_hypo import evaluate_annotations
    >>> rng = np.random.default_rng(0)
    >>> annotations = rng.integers(0, 2, size=(2000, 2))
    >>> y = annotations @ [0.8, 0.0] + rng.normal(size=2000)
    >>> report = evaluate_annotations(annotations, y, names=["has tea", "has rain"])
    >>> print(report)
    2 hypotheses tested on 2,000 texts (regression)
    <BLANKLINE>
    hypothesis  prev.  separation      p        joint coef [95%]  joint p
    more y
      has tea   0.518       0.850  0.001    0.849 [0.761, 0.936]    0.001  *
    less y
      has rain  0.496      -0.082  0.084  -0.054 [-0.142, 0.034]    0.242
    <BLANKLINE>
    * 1 of 2 significant in the joint regression (step-down, family level 0.05)
    p: of the separation, corrected too; joint p: corrected; standard errors: ...
      spreads differ
    corrected by 999 draws without any effect: a p-value near 0.05 has a Monte Carlo ...
      0.154                 R² in-sample (as published): fit and score on ... 2,000 rows
      0.154                 R² in-sample, adjusted for the number of hypotheses
      0.152 [0.121, 0.178]  R² cross-fitted: fit on four fifths of these rows, ...
      0.001                 p-value of all hypotheses together, from at most 999 ...
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
    n_permutations: int = 0
    n_permutations_alone: int = 0
    n_tested_alone: int | None = None
    correction_alone: str | None = None
    cov_type: str = "nonrobust"
    n_groups: int | None = None
    n_pairs: int | None = None
    by_class: pd.DataFrame | None = None
    covariates: pd.DataFrame | None = None
    redundancy: object = None
    details: tuple | None = None
    provenance: dict | None = None
    data: EvaluationData | None = None
    target_name: str | None = None
    skipped_neurons: dict | None = None
    n_training_texts: int | None = None
    near_duplicates: dict | None = None
    target_kind: str | None = None
    by_annotator: pd.DataFrame | None = None
    by_moderator: pd.DataFrame | None = None
    moderator_name: str | None = None

    def __str__(self):
        return "\n".join(text_lines(self))

    __repr__ = __str__

    def _repr_html_(self):
        return notebook_html(self)

    def to_dict(self):
        """Return everything as plain Python values that JSON can hold.

        Returns
        -------
        values : dict
            The overall figures by name, tables as lists of dicts, and under
            "hypotheses" one dict per row of the table. What could not be computed is
            None. Evidence and data are left out: see `to_html` and `save`.
        """
        values = json.loads(to_json(self))
        values["usage"] = values["usage"] or []
        return values

    def to_json(self, path=None):
        """Write `to_dict` as JSON, or return it.

        Parameters
        ----------
        path : str or path-like, default=None
            Where to. None returns the text.

        Returns
        -------
        text : str or None
            The JSON text, if no path was given.
        """
        return to_json(self, path)

    def to_csv(self, path):
        """Write the table as a CSV file in UTF-8.

        Parameters
        ----------
        path : str or path-like
            Where to. Characters that UTF-8 cannot hold (lone surrogates) are written
            as their escapes.
        """
        to_csv(self, path)

    def to_dictionary(self, path=None, *, format="auto"):
        """Write the terms of the hypotheses as a dictionary for other programs.

        Parameters
        ----------
        path : str, path-like or None, default=None
            Where to. None: returns a dict.
        format : {"auto", "liwc", "quanteda", "empath", "json"}, default="auto"
            As in `HypothesisExtractor.to_dictionary`, which says what cannot be held.

        Returns
        -------
        terms : dict of str to list of str, or None
            The terms of each hypothesis that has some, if no path is given.

        See Also
        --------
        read_dictionary : Reads it again.
        """
        return to_dictionary(self, path, format)

    def to_markdown(self):
        """Return the table and the overall figures in Markdown.

        Returns
        -------
        text : str
            A pipe table, and a list of figures.
        """
        return to_markdown(self)

    def to_latex(self, caption=None, label=None):
        """Return the table for a paper.

        Parameters
        ----------
        caption, label : str or None, default=None
            Of the table environment.

        Returns
        -------
        text : str
            LaTeX; needs the package booktabs.
        """
        return to_latex(self, caption=caption, label=label)

    def methods_text(self, *, references=True):
        """Return a paragraph for the methods section of a paper.

        What was done, in complete sentences: how the hypotheses were found, on how
        many texts they were tested, what was estimated, by which tests, with which
        errors and correction, and with which versions and seed. It says what the
        report knows and nothing else: how texts were collected and split, why, and
        whether the plan was registered is for you to add.

        Parameters
        ----------
        references : bool, default=True
            Whether the works that the paragraph cites follow it, one per line.

        Returns
        -------
        text : str
            The paragraph in one line, and then, after an empty line, "References", an
            empty line, and the works.

        See Also
        --------
        to_latex : The table for the paper.
        ReportDisplay : The figure.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_hypo import evaluate_annotations
        >>> rng = np.random.default_rng(0)
        >>> annotations = rng.integers(0, 2, size=(300, 2))
        >>> y = annotations @ [0.8, 0.0] + rng.normal(size=300)
        >>> report = evaluate_annotations(annotations, y, correction="holm")
        >>> text = report.methods_text()
        >>> print(text[:66])
        We tested 2 hypotheses on 300 texts. The target, y, is a quantity.
        >>> "by the method of Holm (1979) (family-wise level 0.05)" in text
        True
        >>> print(text.splitlines()[-1][:20])
        S. Holm (1979). A si
        """
        return write_methods(self, references=references)

    def to_html(self, path, *, title=None):
        """Write one self-contained page: table, intervals, and the texts behind them.

        It needs no network and no other file, and shows a few of the texts of each
        hypothesis: mind who may read them.

        Parameters
        ----------
        path : str or path-like
            Where to.
        title : str or None, default=None
            Heading of the page.
        """
        write_page(self, path, title=title)

    def save(self, folder, *, include_texts=False):
        """Write a folder from which another person can run the test again, offline.

        Parameters
        ----------
        folder : str or path-like
            Must not exist, or be empty; ``~`` is the home folder. It is there in full
            or not at all.
        include_texts : bool, default=False
            Whether to write the texts too: the test does not need them, and they may
            not be yours to pass on. Their hash is written in any case.

        Raises
        ------
        ValueError
            If the report has no data, or no texts that are to be included.
        TypeError
            If labels are of types that cannot be stored without pickle.
        FileExistsError
            If there is something in the folder.
        OSError
            If it cannot be written.

        See Also
        --------
        rerun_audit_bundle : Runs the test again.
        """
        write_audit_bundle(self, folder, include_texts=include_texts)

    def plot(self, ax=None, *, effect="auto"):
        """Draw the joint coefficients, or another effect, with their 95% intervals.

        Filled points are significant after correction.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        effect : {"auto", "coef", "separation", "odds_ratio", "ame", "rate_ratio", \
                "cumulative_odds_ratio"}, default="auto"
            What is drawn, as in `CoefficientsDisplay.from_report`. "auto": separations
            for more than two classes, which have no single coefficient, otherwise
            joint coefficients.

        Returns
        -------
        ax : matplotlib Axes
            The drawing.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        ReportDisplay : The whole report as a figure for a paper.
        CoefficientsDisplay : The same with more to choose from.
        """
        display = CoefficientsDisplay.from_report(
            self, effect=effect, by_class=False, sort=False, ax=ax
        )
        return display.ax_
