"""What a report says in words, whatever shows it: terminal, page or file."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._inference._multiple_tests import CORRECTIONS
from .._inference._notes import split_notes
from .._utils._printable import pluralize, shorten
from ._by_annotator import find_flips
from ._columns import read_floats, read_labels, read_strings
from ._formats import format_estimate, format_interval, format_number, format_p
from ._moderator import describe_moderator

_NAMED = 5  # covariates, or hypotheses with the same note, on one line

_STANDARD_ERRORS = {
    "HC2 or pooled": "pooled, or HC2 where spreads differ",
    "HC3": "robust to unequal spread (HC3)",
    "cluster": "clustered by group",
    "CR3": "clustered by group (CR3)",
    "HC2": "robust to unequal spread (HC2)",
    "nonrobust": "those of the model (independent rows)",
}


# The test -------------------------------------------------------------------------


def name_target(report):
    """Return the name of the target, or y."""
    return "y" if report.target_name is None else shorten(report.target_name, 40)


def name_class(report, label):
    """Return a class as in "verdict = 'pos'"; of a target without a name, alone."""
    label = shorten(repr(label), 40)
    named = report.target_name is not None
    return f"{name_target(report)} = {label}" if named else label


def describe_sample(report):
    """Say how many hypotheses met how many texts."""
    task = report.task
    if report.target_name is not None:
        task += f" of {name_target(report)}"
    tested = f"{pluralize(len(report.table), 'hypothesis')} tested"
    text = f"{tested} on {report.n_rows:,} texts ({task})"
    return ", ".join([text, *_count_units(report)])


def _count_units(report):
    counts = {"pairs": report.n_pairs, "groups": report.n_groups}
    return [f"{n:,} {name}" for name, n in counts.items() if n is not None]


def name_corrections(report):
    """Return correction and number of tests of the separations, then of the others.

    Those of the joint regression are None where it was not run.
    """
    joint = report.correction, report.n_tested
    n_alone = report.n_tested_alone
    alone = (
        report.correction_alone or report.correction,
        report.n_tested if n_alone is None else n_alone,
    )
    return alone, joint if report.n_joint_hypotheses else None


def describe_correction(report):
    """Say the correction and the level, such as "holm, family level 0.1"."""
    alone, joint = name_corrections(report)
    correction, _ = joint or alone
    other = f" (separations: {alone[0]})" if alone[0] != correction else ""
    return f"{correction}{other}, {CORRECTIONS[correction]} level {report.alpha:g}"


def describe_level(report):
    """Say by what, over how many, at which level: "holm over 20 hypotheses, ..."."""
    alone, joint = name_corrections(report)
    correction, n = joint or alone
    return (
        f"{correction} over {pluralize(n, 'hypothesis')}, {CORRECTIONS[correction]} "
        f"level {report.alpha:g}"
    )


def describe_permutations(report):
    """Say how many draws p-values are from, and how exact they are; empty if none."""
    n, alone, alpha = report.n_permutations, report.n_permutations_alone, report.alpha
    draws = f"{n:,} draws without any effect"
    if not n:
        return ""
    if alone not in (0, n):
        draws += f" ({alone:,} for separations)"
    error = np.sqrt(alpha * (1 - alpha) / n)
    return (
        f"corrected by {draws}: a p-value near {alpha:g} has a Monte Carlo error of "
        f"{error:.1g}"
    )


def describe_success(report):
    """Say how many hypotheses are significant, and by which correction."""
    return (
        f"{report.n_significant} of {report.n_tested} significant in the joint "
        f"regression ({describe_correction(report)})"
    )


def describe_standard_errors(report):
    """Say how the standard errors of the joint regression are computed, if it ran."""
    return _STANDARD_ERRORS.get(report.cov_type, "")


def describe_effect(report, column):
    """Say in full what an effect is, and in which unit."""
    units = f"units of {name_target(report)}"
    if report.classes is None:
        unit = coefficient = units
    else:
        two = len(report.classes) == 2
        unit = f"share of {name_class(report, report.classes[1]) if two else 'class'}"
        coefficient = "log odds"
    return column.effect.format(
        unit=unit, coefficient=coefficient, target=name_target(report)
    )


def list_conditions(report):
    """List what beside the rows shaped every figure: what it is, and how much of it."""
    data, found = report.data, {}
    if data.sample_weight is not None:
        found["sample weights"] = _describe_weights(data.sample_weight)
    if data.fixed_effects is not None:
        n = len(set(map(str, data.fixed_effects)))
        levels = pluralize(n, "level")
        found["fixed effects"] = f"{levels}, effects are those within them"
    if data.covariates is not None:
        names = list_covariate_names(report)
        found["covariates"] = _list_some([shorten(name, 40) for name in names])
    return found


def list_covariate_names(report):
    """List the covariates that were given, by their columns or by number."""
    covariates = report.data.covariates
    names = getattr(covariates, "columns", None)
    if names is None:
        names = [f"z{i}" for i in range(math.prod(np.shape(covariates)[1:]))]
    return list(names)


def describe_conditions(report):
    """Say the conditions but the covariates in a line; empty if there are none."""
    found = list_conditions(report)
    return "; ".join(f"{k}: {v}" for k, v in found.items() if k != "covariates")


def _describe_weights(weight):
    """The range of the weights, and the number of equal ones that vary as little."""
    weight = np.asarray(weight, dtype=float).ravel()
    worth = weight.sum() ** 2 / np.sum(weight**2)
    return (
        f"{format_number(weight.min())} to {format_number(weight.max())}, "
        f"{len(weight):,} rows worth {worth:,.0f} of equal weight"
    )


def _list_some(names):
    names = list(names)
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


# Overall figures ------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """One overall figure: its value and 95% interval as texts, and what it is."""

    name: str
    value: str
    interval: str
    description: str


def list_figures(report):
    """List the overall figures that could be computed, the permutations' p last."""
    figures = [
        Figure(
            row.name,
            format_number(row.value),
            format_interval(row.lower, row.upper),
            row.description,
        )
        for row in report.overall.itertuples(index=False)
        if not np.isnan(row.value)
    ]
    if not np.isnan(report.permutation_p):
        p = format_p(report.permutation_p)
        how = (
            f"p-value of all hypotheses together, from at most {report.n_resamples:,} "
            f"draws of {name_target(report)} without any effect"
        )
        figures.append(Figure("permutation_p", p, "", how))
    return figures


def choose_headline(report):
    """Choose the Figure most honest about new texts, or None, and name it in short."""
    score = "ROC AUC" if report.n_pairs is None else "pairs ranked rightly"
    where = "on other texts" if report.n_training_texts else "out-of-sample"
    order = {
        "r2_out_of_sample": f"R² {where}",
        "r2_cross_fitted": "R² cross-fitted",
        "r2_adjusted": "R² adjusted, in-sample",
        "roc_auc_out_of_sample": f"{score} {where}",
        "roc_auc_cross_fitted": f"{score} cross-fitted",
        "roc_auc": f"{score} in-sample",
    }
    found = {figure.name: figure for figure in list_figures(report)}
    name = next((name for name in order if name in found), None)
    if name is None:
        return None, ""
    added = ", added" if "in-sample, added" in found[name].description else ""
    added += ", of log(1 + y)" if "on log(1 + y)" in found[name].description else ""
    return found[name], order[name] + added


# What a reader should be wary of --------------------------------------------------


def list_near_duplicates(report):
    """List pairs of statements that are nearly one, each with how they agree."""
    if report.redundancy is None:
        return []
    labels = dict(
        zip(report.table["hypothesis"], read_labels(report.table), strict=True)
    )
    return [
        (
            labels.get(pair.first, str(pair.first)),
            labels.get(pair.second, str(pair.second)),
            _describe_likeness(pair),
        )
        for pair in report.redundancy.pairs.itertuples(index=False)
    ]


def _describe_likeness(pair):
    if pair.kind == "exact":
        return "the same annotations"
    kinds = {"opposite": "opposites", "wording": "alike in wording"}
    share = f"{100 * pair.agreement:.1f}% of the answers agree"
    shares = [] if pd.isna(pair.agreement) else [share]
    kind = [kinds[pair.kind]] if pair.kind in kinds else []
    return "; ".join(kind + shares) or "nearly the same annotations"


def list_missing_answers(report):
    """List hypotheses with missing answers: statement, how many, what they could do.

    The last are the bounds of the separation whatever the missing answers are; they
    are empty within pairs, which have none.
    """
    table = report.table
    bounds = (read_floats(table, f"separation_worst_{e}") for e in ("lower", "upper"))
    rows = zip(read_labels(table), table["missing"], *bounds, strict=True)
    return [
        (str(name), f"{missing:,} of {report.n_rows:,}", format_interval(lower, upper))
        for name, missing, lower, upper in rows
        if missing > 0
    ]


def group_notes(report):
    """Group the notes on single hypotheses, so that each is said once.

    Each is the note, without its details where they differ, the number of hypotheses
    that it is on, these, and whether it explains a NaN of all of them.
    """
    table, groups = report.table, {}
    gaps = table["coef_p"].isna() | table["separation"].isna()
    rows = zip(read_strings(table, "note"), gaps, read_labels(table), strict=True)
    for notes, gap, name in rows:
        for kind, note in split_notes(notes):
            groups.setdefault(kind, []).append((note, bool(gap), shorten(name, 40)))
    found = []
    for kind, members in groups.items():
        details = {note for note, _, _ in members}
        note = details.pop() if len(details) == 1 else kind
        names = _list_some([name for _, _, name in members])
        found.append((note, len(members), names, all(gap for _, gap, _ in members)))
    return found


def flag_reversed(report):
    """Tell of which hypotheses a significant effect has another sign than in training.

    A sign that chance could have made says nothing, and is left to the table.
    """
    found = [each.split(", ") for each in read_strings(report.table, "reversed")]
    alone = read_floats(report.table, "separation_p_corrected") <= report.alpha
    joint = report.table["significant"]
    return [
        bool((a and "separation" in effects) or (j and "joint" in effects))
        for effects, a, j in zip(found, alone, joint, strict=True)
    ]


def mark_findings(report):
    """Mark each hypothesis: "*" significant, "!" with another sign than in training."""
    marks = zip(report.table["significant"], flag_reversed(report), strict=True)
    return ["*" * bool(star) + "!" * turned for star, turned in marks]


def describe_reversed(report):
    """Say which hypotheses turned around; empty if none did."""
    flags = flag_reversed(report)
    if not any(flags):
        return ""
    labels = read_labels(report.table)
    names = [shorten(n, 40) for n, flag in zip(labels, flags, strict=True) if flag]
    return (
        f"{len(names)} of {len(flags)} with a significant effect whose sign was the "
        f"opposite in training: {_list_some(names)}"
    )


def describe_target_kind(report):
    """Say what kind of numbers the target was taken for, if that is not the usual."""
    if report.target_kind not in ("count", "ordinal"):
        return ""
    y = np.asarray(report.data.target, dtype=float)
    if report.target_kind == "count":
        kind = (
            f"counts ({np.mean(y == 0):.0%} are 0, mean {format_number(y.mean())}, "
            f"variance {format_number(y.var())})"
        )
        ratios = "rate ratios" if "rate_ratio" in report.table else ""
    else:
        kind, ratios = f"{len(np.unique(y))} ordered levels", ""
        if "cumulative_odds_ratio" in report.table:
            ratios = "cumulative odds ratios (taken to be proportional)"
    text = f"{name_target(report)} is taken as {kind}: effects and tests are of means"
    return f"{text}, {ratios} beside them" if ratios else text


def describe_length(report):
    """Say what stays significant with length held fixed; empty if it is no rival."""
    if "coef_length_fixed_p_corrected" not in report.table:
        return ""
    fixed = read_floats(report.table, "coef_length_fixed_p_corrected") <= report.alpha
    stay = int((fixed & report.table["significant"]).sum())
    return (
        f"the length of the texts predicts {name_target(report)}: {stay} of "
        f"{report.n_significant} stay significant with log(1 + words) held fixed"
    )


def describe_annotators(report):
    """Say how many conclusions flip over annotators; empty if there is only one."""
    if report.by_annotator is None or report.by_annotator.empty:
        return ""
    names = report.by_annotator["annotator"].drop_duplicates()
    flips = find_flips(report.by_annotator)
    labels = dict(
        zip(report.table["hypothesis"], read_labels(report.table), strict=True)
    )
    which = _list_some([shorten(labels[each], 40) for each in flips])
    return (
        f"{len(flips)} of {len(labels)} conclusions flip over "
        f"{pluralize(len(names), 'annotator')} ({_list_some(map(shorten, names))})"
        + (f": {which}" if flips else "")
        + ". Figures are of their vote; intervals and p-values count how far the "
        "estimates of single annotators are apart"
    )


def describe_adjusted(report):
    """Say what separations leave out, and what stays beside it; empty if nothing is."""
    if "separation_adjusted_p_corrected" not in report.table:
        return ""
    what = [
        name
        for name, given in (
            ("covariates", report.covariates is not None),
            ("fixed effects", report.data.fixed_effects is not None),
        )
        if given
    ]
    alone = read_floats(report.table, "separation_p_corrected") <= report.alpha
    stay = read_floats(report.table, "separation_adjusted_p_corrected") <= report.alpha
    both, others = int((alone & stay).sum()), int((stay & ~alone).sum())
    return (
        f"separations leave {' and '.join(what) or 'covariates'} out: of "
        f"{int(alone.sum())} significant ones {both} are so with them held fixed "
        f"(separation_adjusted), and {others} others"
    )


def describe_skipped(report):
    """Say how many neurons have no hypothesis, and why; empty if all have one."""
    reasons = Counter((report.skipped_neurons or {}).values())
    if not reasons:
        return ""
    why = "; ".join(f"{reason} ({n})" for reason, n in reasons.most_common())
    return (
        f"{pluralize(reasons.total(), 'selected neuron')} without a hypothesis: {why}"
    )


def describe_training_texts(report):
    """Say how many texts the hypotheses were found in; empty if there are none."""
    n = report.n_training_texts
    if not n:
        return ""
    return (
        f"{n:,} of {report.n_rows:,} texts were there when the hypotheses were found: "
        "p-values, in-sample and cross-fitted figures are too good, leave these texts "
        "out"
    )


def describe_near_duplicate_texts(report):
    """Say how many texts are like others, and what of it; empty if there are none."""
    found = report.near_duplicates
    if not found or not found["n_texts"]:
        return ""
    what = (
        f"{found['n_texts']:,} of {report.n_rows:,} texts are equal or nearly equal to "
        f"others ({pluralize(found['n_groups'], 'group')}, the largest of "
        f"{found['largest']:,})"
    )
    if found["grouped"]:
        return f"{what}: the test goes by these groups"
    if found["inflation"] == 1:
        return f"{what}, within the groups or pairs of the test"
    growth = 100 * (found["inflation"] - 1)
    return (
        f"{what}: tested as independent; copies would make variances up to "
        f"{growth:.2g} % larger"
    )


def describe_earlier_tests(report):
    """Say what the correction counts beside the table; empty if that is nothing."""
    edits = (report.provenance or {}).get("edits", [])
    counts = Counter(edit["change"] for edit in edits)
    n_dropped, n_retested = counts["dropped"], counts["retested"]
    if not n_dropped + n_retested:
        return ""
    dropped = f"{n_dropped} dropped or reworded" if n_dropped else ""
    retested = f"{n_retested} made before in another way" if n_retested else ""
    what = " and ".join(filter(None, [dropped, retested]))
    further = pluralize(n_dropped + n_retested, "further test")
    return f"the correction counts {further} on the same rows: {what}"


def list_remarks(report):
    """List what a reader should know of the table as a whole, in sentences."""
    remarks = (
        describe_annotators,
        describe_training_texts,
        describe_target_kind,
        describe_near_duplicate_texts,
        describe_earlier_tests,
        describe_reversed,
        describe_length,
        describe_adjusted,
        describe_moderator,
        describe_skipped,
    )
    return [text for text in (remark(report) for remark in remarks) if text]


def list_covariates(report):
    """List the covariates: name, coefficient with interval, and p-value, as texts.

    Of several classes there is a test, but no one coefficient: it is empty then.
    """
    table, found = report.covariates, []
    if table is None:
        return found
    columns = [read_floats(table, f"coef{e}") for e in ("", "_lower", "_upper", "_p")]
    for name, *estimate, p in zip(table["name"], *columns, strict=True):
        shown = "" if np.isnan(estimate[0]) else format_estimate(*estimate)
        found.append((str(name), shown, "" if np.isnan(p) else format_p(p)))
    return found
