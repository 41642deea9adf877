"""What a methods section says of a test, in sentences made from its report alone.

Each function returns a sentence, or "" where the report does not know what it is about.
"""

from collections import Counter

import numpy as np

from .._inference._multiple_tests import name_without_draws
from .._utils._printable import join_words, pluralize, to_printable
from ._columns import read_strings
from ._methods_fit import describe_fit
from ._references import list_cited
from ._words import (
    describe_near_duplicate_texts,
    list_covariate_names,
    name_class,
    name_corrections,
    name_target,
)

_CORRECTIONS = {
    "step-down": "the step-down method of Westfall and Young (1993)",
    "holm": "the method of Holm (1979)",
    "bonferroni": "Bonferroni's method",
    "fdr_bh": "the method of Benjamini and Hochberg (1995)",
    "fdr_by": "the method of Benjamini and Yekutieli (2001)",
}

# Of packages that every test is computed with; others take part in a fit
_OF_TESTS = {
    "scikit-learn": "scikit-learn",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "pandas": "pandas",
    "statsmodels": "statsmodels",
}

_CLUSTERED = (
    "standard errors clustered by group ({kind}) and Satterthwaite's degrees of "
    "freedom (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018)"
)

_ERRORS = {
    "HC2": "HC2 standard errors (MacKinnon and White 1985) and Satterthwaite's degrees "
    "of freedom",
    "HC3": "HC3 standard errors (MacKinnon and White 1985) and Satterthwaite's degrees "
    "of freedom",
    "nonrobust": "classical standard errors",
}


def write_methods(report, *, references):
    """Return what `HypothesisReport.methods_text` says."""
    of_fit = describe_fit(report)
    sentences = [*of_fit, *(write(report) for write in _SENTENCES)]
    text = " ".join(_end(each) for each in sentences if each)
    works = list_cited(text) if references else []
    return "\n".join([text, "", "References", "", *works]) if works else text


def _end(sentence):
    """Begin with a capital letter, end with a full stop."""
    sentence = to_printable(sentence)
    return f"{sentence[0].upper()}{sentence[1:]}" + "." * (sentence[-1] not in ".!?")


# What was tested ------------------------------------------------------------------


def _describe_sample(report):
    tested = f"we tested {pluralize(len(report.table), 'hypothesis')} on "
    if report.n_pairs is None:
        tested += pluralize(report.n_rows, "text")
    else:
        tested += (
            f"{pluralize(report.n_pairs, 'pair')} of texts ({report.n_rows:,} texts)"
        )
    if report.n_training_texts is None:
        return tested
    if report.n_training_texts == 0:
        return f"{tested}, none of which the hypotheses had been found in"
    return (
        f"{tested}, {report.n_training_texts:,} of which the hypotheses had been found "
        "in"
    )


def _describe_target(report):
    name = name_target(report)
    if report.classes is not None:
        labels = join_words([to_printable(repr(each)) for each in report.classes])
        if report.n_pairs is not None:
            return f"the target, {name}, says which text of a pair won"
        return f"the target, {name}, has {len(report.classes)} classes: {labels}"
    kinds = {
        "count": "is a count; effects and tests are of its mean",
        "ordinal": "has ordered levels; effects and tests are of its mean",
    }
    return f"the target, {name}, {kinds.get(report.target_kind, 'is a quantity')}"


def _describe_dependence(report):
    if report.n_groups is None:
        return describe_near_duplicate_texts(report)
    groups = pluralize(report.n_groups, "group")
    alike = report.near_duplicates or {}
    also = ", texts that are equal or nearly equal" if alike.get("grouped") else ""
    what = "pairs" if report.n_pairs is not None else "texts"
    return (
        f"{what} were taken to depend on each other within {groups}{also}, by which "
        "standard errors, tests, folds and resamples go"
    )


def _describe_annotators(report):
    if report.by_annotator is None or report.by_annotator.empty:
        return ""
    names = list(report.by_annotator["annotator"].drop_duplicates())
    return (
        f"the annotations are the vote of {len(names)} annotators "
        f"({join_words(names)}); what their estimates differ in counts in the "
        "intervals and p-values"
    )


def _describe_missing(report):
    missing = int(report.table["missing"].sum()) if len(report.table) else 0
    if not missing:
        return ""
    total = report.n_rows * len(report.table)
    return (
        f"{missing:,} of {total:,} annotations are missing; each difference is of the "
        "texts with an answer, the regression of those with an answer to all "
        "hypotheses in it"
    )


# What was estimated ---------------------------------------------------------------


def _describe_estimates(report):
    difference = f"for each hypothesis we estimated {_name_difference(report)}"
    model = _name_model(report)
    if not model:
        return difference
    return f"{difference}, and its coefficient in {model}"


def _name_difference(report):
    name, classes = name_target(report), report.classes
    if report.n_pairs is not None:
        what = name if classes is None else "the share of wins"
        return (
            f"the difference in {what} between the text of a pair that alone has it "
            "and the other"
        )
    what = f"the mean of {name}"
    if classes is not None:
        of = name_class(report, classes[1]) if len(classes) == 2 else "each class"
        what = f"the share of {of}"
    return f"the difference in {what} between texts with and without it (separation)"


def _name_model(report):
    """The joint regression, and what is in it; empty if it was not run."""
    methods = [method for method in read_strings(report.table, "method") if method]
    if not methods:
        return ""
    models = {
        "OLS": "a linear regression",
        "WLS": "a weighted linear regression",
        "logit": "a logistic regression",
        "Firth logit": "a logistic regression with Firth's penalty (Firth 1993)",
        "multinomial logit": "a multinomial logistic regression",
        "Firth multinomial logit": "a multinomial logistic regression with Firth's "
        "penalty (Firth 1993)",
    }
    n = report.n_joint_hypotheses
    beside = [pluralize(n, "hypothesis")]
    if report.data is not None and report.data.covariates is not None:
        names = list_covariate_names(report)
        word = "the covariate" if len(names) == 1 else "the covariates"
        beside.append(f"{word} {join_words(names)}")
    if report.data is not None and report.data.fixed_effects is not None:
        levels = len(set(map(str, report.data.fixed_effects)))
        beside.append(f"fixed effects of {pluralize(levels, 'level')}")
    unit = "pair" if report.n_pairs is not None else "text"
    form = " of differences within pairs, without a constant," if unit == "pair" else ""
    return (
        f"{models.get(methods[0], methods[0])} of {name_target(report)}{form} on "
        f"{join_words(beside)} ({pluralize(report.n_joint, unit)})"
    )


def _describe_scales(report):
    """Which numbers beside the coefficients are given, and of which model."""
    columns = {
        "ame": "average marginal effects",
        "rate_ratio": "rate ratios of a quasi-Poisson regression",
        "cumulative_odds_ratio": "cumulative odds ratios of an ordered logit",
    }
    found = [what for name, what in columns.items() if name in report.table]
    if not found:
        return ""
    if report.classes is not None:
        two = len(report.classes) == 2
        found = ["odds ratios", *found] if two else found
        return f"coefficients are given as {join_words(found)}"
    return f"{join_words(found)} stand beside them and are not tested"


def _describe_weights(report):
    if report.data is None or report.data.sample_weight is None:
        return ""
    return "all estimates are weighted by the given sample weights"


# How it was tested ----------------------------------------------------------------


def _describe_tests(report):
    if report.classes is None:
        return _describe_tests_of_means(report)
    alone = _name_test_of_classes(report)
    if not _name_model(report):
        return f"differences were tested by {alone}"
    effects = ""
    kind = _read_setting(report, "cov_type")
    if _is_robust(report) or kind in ("HC2", "HC3"):
        effects = ", divided by design effects (Rao and Scott 1984)"
    return (
        f"differences were tested by {alone}, coefficients by penalized "
        f"likelihood-ratio tests (Heinze and Schemper 2002){effects}"
    )


def _describe_tests_of_means(report):
    kind, clustered = _read_setting(report, "cov_type"), report.n_groups is not None
    if clustered:
        errors = _CLUSTERED.format(kind="CR3" if kind == "HC3" else "CR2")
        return f"p-values and intervals are those of t tests with {errors}"
    if kind != "auto":
        errors = _ERRORS.get(kind, f"{kind} standard errors")
        alone = "one-sample t tests" if report.n_pairs is not None else "Welch's t test"
        if _is_robust(report):
            alone = "t tests with robust standard errors"
        return f"differences were tested by {alone}, coefficients by t tests with " + (
            errors
        )
    name, joint = name_target(report), bool(_name_model(report))
    if report.n_pairs is not None:
        alone = beside = "changes of sign of the differences within pairs"
    else:
        alone, beside = f"permutations of {name}", "permutations of residuals"
        if report.data is not None and report.data.fixed_effects is not None:
            beside += " within the levels of the fixed effects"
    drawn = _count(report.n_permutations_alone) + f"random {alone}"
    text = f"p-values and intervals of differences are from {drawn}"
    if joint:
        text += f", those of coefficients from {_count(report.n_permutations)}{beside}"
    return (
        f"{text}; estimates are divided by their standard errors, pooled ones, or HC2 "
        "where spreads differ (DiCiccio and Romano 2017)"
    )


def _count(n):
    return f"{n:,} " if n else ""


def _name_test_of_classes(report):
    many, paired = len(report.classes) > 2, report.n_pairs is not None
    if _is_robust(report):
        if paired:
            return "the share of wins, with design effects (Rao and Scott 1984)"
        test = "penalized likelihood-ratio tests with design effects (Rao and Scott "
        return f"{test}1984)"
    if paired:
        return "exact binomial tests, with Wilson's intervals"
    if many:
        return "Pearson's chi-square test, by enumeration where counts are small"
    return "Fisher's exact test, with Newcombe's intervals (Newcombe 1998)"


def _is_robust(report):
    weighted = report.data is not None and report.data.sample_weight is not None
    return weighted or report.n_groups is not None


def _describe_correction(report):
    alone, joint = name_corrections(report)
    draws = {"differences": report.n_permutations_alone}
    families = {"differences": alone}
    if joint is not None:
        draws["coefficients"] = report.n_permutations
        families["coefficients"] = joint
    if joint is None or alone[0] == joint[0]:
        text = _describe_families(report, families, draws)
    else:
        text = "; ".join(
            _describe_families(report, {name: family}, draws)
            for name, family in families.items()
        )
    false = alone[0].startswith("fdr")
    level = "false discovery rate" if false else "family-wise level"
    return f"{text} ({level} {report.alpha:g})"


def _describe_families(report, families, draws):
    """Say how families of one correction were corrected, and for how many tests."""
    (correction, _), *_ = families.values()
    method, drawn = _CORRECTIONS[correction], correction == "step-down"
    numbers = [f"{draws[name]:,} for {name}" for name in families if draws[name]]
    if drawn and numbers and report.n_groups is not None and report.classes is None:
        method += (
            f", by random changes of sign of whole groups ({', '.join(numbers)}), and "
            "by that of Holm (1979), of which the larger p-value counts"
        )
    elif (
        drawn
        and numbers
        and (report.classes is not None or report.n_groups is not None)
    ):
        method += f", by draws without any effect ({', '.join(numbers)})"
    counts = dict.fromkeys(n for _, n in families.values())
    *others, last = counts
    which = " and of ".join(families)
    return (
        f"p-values of {which}{', as two families,' if len(families) > 1 else ''} were "
        f"corrected for {''.join(f'{n:,} and ' for n in others)}"
        f"{pluralize(last, 'hypothesis')} by {method}"
    )


def _describe_untested(report):
    n = len(report.table) - int(report.table["p_corrected"].notna().sum())
    if not n or not _name_model(report):
        return ""
    what = f"{pluralize(n, 'hypothesis')} could not be tested beside the others"
    return f"{what}, being too rare, constant, or repetitions"


def _describe_further_tests(report):
    edits = (report.provenance or {}).get("edits", [])
    counts = Counter(edit["change"] for edit in edits)
    what = [
        text
        for text, n in (
            (f"{counts['dropped']:,} dropped or reworded", counts["dropped"]),
            (f"{counts['retested']:,} tested in another way", counts["retested"]),
        )
        if n
    ]
    if not what:
        return ""
    return (
        f"this number includes tests made on the same texts before: {join_words(what)}"
    )


def _describe_intervals(report):
    ends = ("separation_simultaneous_lower", "coef_simultaneous_lower")
    if not any(report.table[end].notna().any() for end in ends if end in report.table):
        return "intervals are 95 % ones for a hypothesis by itself"
    simultaneous = "simultaneous ones agree with the corrected p-values"
    if report.correction.startswith("fdr"):
        simultaneous = (
            "simultaneous ones hold, on average, for the hypotheses that are "
            "significant (Benjamini and Yekutieli 2005)"
        )
    return f"intervals are 95 % ones for a hypothesis by itself; {simultaneous}"


def _describe_length(report):
    if "coef_length_fixed" not in report.table:
        return ""
    return (
        f"since the length of the texts predicts {name_target(report)}, coefficients "
        "were also estimated with log(1 + number of words) held constant"
    )


def _describe_adjusted(report):
    if "separation_adjusted_p" not in report.table:
        return ""
    return (
        "each hypothesis was also tested by itself beside the covariates or fixed "
        "effects alone"
    )


def _describe_moderator(report):
    table = report.by_moderator
    if table is None:
        return ""
    name = report.moderator_name
    of = "a moderator" if name is None else to_printable(name)
    effect = "effect" if report.classes is None else "odds ratio"
    method = name_without_draws(report.correction)
    return (
        f"whether the {effect} of a hypothesis is the same in all "
        f"{table['level'].nunique()} levels of {of} was tested once per hypothesis, "
        f"corrected by {_CORRECTIONS[method]}"
    )


def _describe_overall(report):
    if np.isnan(report.permutation_p):
        return ""
    return (
        "all hypotheses together were tested by the sum of their squared normal "
        f"scores, with at most {report.n_resamples:,} draws without any effect"
    )


def _describe_predictions(report):
    names = set() if report.overall is None else set(report.overall["name"])
    metric = "r2" if report.classes is None else "roc_auc"
    word = "R²" if report.classes is None else "the area under the ROC curve"
    word = word if report.n_pairs is None or metric == "r2" else "pairs ranked rightly"
    kinds = {
        "out_of_sample": "out of sample" * (not report.n_training_texts)
        or "on the other texts",
        "cross_fitted": "cross-fitted on the tested texts",
    }
    how = [what for kind, what in kinds.items() if f"{metric}_{kind}" in names]
    if not how:
        return ""
    text = (
        f"what the hypotheses predict together is measured by {word} {join_words(how)}"
    )
    beside = [
        what
        for kind, what in (
            ("embeddings", "a ridge regression on the embeddings"),
            ("ngrams", "as many words and pairs of words, picked by the lasso"),
        )
        if f"{metric}_{kind}" in names
    ]
    return f"{text}, and compared with {join_words(beside)}" if beside else text


def _describe_bootstrap(report):
    overall = report.overall
    if not report.n_resamples or overall is None or not overall["lower"].notna().any():
        return ""
    what = "texts" if report.n_pairs is None else "pairs"
    what = what if report.n_groups is None else "groups"
    return (
        f"intervals of these figures are from {report.n_resamples:,} bootstrap "
        f"resamples of {what}"
    )


# With what ------------------------------------------------------------------------


def _describe_software(report):
    provenance = report.provenance or {}
    versions = provenance.get("versions", {})
    packages = dict(_OF_TESTS)
    if provenance.get("settings"):
        packages |= {"torch": "PyTorch"}
    listed = [
        f"{name} {versions[key]}"
        for key, name in packages.items()
        if versions.get(key) is not None
    ]
    if not versions.get("sklearn-hypo"):
        return ""
    text = f"the tests were computed with sklearn_hypo {versions['sklearn-hypo']}"
    if versions.get("python"):
        listed.append(f"Python {versions['python']}")
    text += f" ({join_words(listed)})" if listed else ""
    seed = provenance.get("seeds", {}).get("random_state")
    return f"{text}, random seed {seed}" if isinstance(seed, int) else text


def _read_setting(report, name):
    """A keyword of the test; "auto" where it is not known."""
    settings = {} if report.data is None else report.data.settings
    return settings.get(name) or "auto"


_SENTENCES = (
    _describe_sample,
    _describe_target,
    _describe_dependence,
    _describe_annotators,
    _describe_missing,
    _describe_estimates,
    _describe_weights,
    _describe_scales,
    _describe_tests,
    _describe_correction,
    _describe_further_tests,
    _describe_untested,
    _describe_intervals,
    _describe_length,
    _describe_adjusted,
    _describe_moderator,
    _describe_overall,
    _describe_predictions,
    _describe_bootstrap,
    _describe_software,
)
