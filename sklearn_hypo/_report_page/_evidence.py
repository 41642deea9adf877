"""One hypothesis: its figures, where its neuron is active, and texts to read."""

import numpy as np

from .._report_words import (
    figure,
    flags,
    format_p,
    joint_effects,
    numbers,
    separation,
    with_interval,
    words,
)
from ._charts import bar, histogram
from ._highlight import marked
from ._markup import element, join, statement
from ._overview import main_effect, ranked, signed, tone

_TEXTS = 12  # on each side
_NAMED = 300  # characters of a statement in the summary

# Columns of the table in words: on the effect, and on what it rests on.
_EFFECT = {
    "separation_class": "class",
    "separation_std": "separation, per sd of y",
    "coef_std": "joint coefficient, standardised",
    "separation_p": "p alone",
    "separation_p_corrected": "p alone, corrected",
    "coef_p": "p beside the others",
    "p_corrected": "p beside the others, corrected",
    "ame_p": "p of the average marginal effect",
}
_BASIS = {
    "neuron": "neuron",
    "fidelity": "fidelity (F1, words for neuron)",
    "prevalence": "share of texts that have it",
    "n": "texts with an answer",
    "missing": "texts without an answer",
    "method": "method of the joint regression",
    "coef_df": "degrees of freedom",
    "vif": "variance inflation",
}


def evidence(report):
    """All hypotheses one by one, closed until opened."""
    if not len(report.table):
        return None
    button = element("button", "Open all", type="button", id="open-all", hidden=True)
    heading = element("div", element("h2", "One by one"), button, class_="heading")
    parts = [_hypothesis(report, i) for i in ranked(report)]
    return element("section", heading, *parts, class_="evidence")


def _hypothesis(report, row):
    details = getattr(report, "details", None)
    detail = details[row] if details else None
    blocks = [_effects(report, row), _by_class(report, row)]
    if detail is not None:
        blocks += [_by_target(detail), _activations(detail)]
    blocks = element("div", *blocks, _basis(report, row), class_="blocks")
    texts = None if detail is None else _texts(detail)
    return element(
        "details",
        _summary(report, row),
        _remarks(report, row),
        blocks,
        texts,
        id=f"h{row}",
    )


def _summary(report, row):
    name = words(report.table, "hypothesis")[row]
    name = name if len(name) <= _NAMED else name[: _NAMED - 1] + "…"
    effect, values = main_effect(report)
    size = ""
    if effect is not None and np.isfinite(values[0][row]):
        size = signed(values[0][row])
    significant = flags(report.table, "significant")[row]
    said = element("span", "significant", class_="spoken") if significant else ""
    return element(
        "summary",
        element("i", class_=f"key {tone(report, row)}"),
        " ",
        said,
        statement(name, class_="name"),
        " ",
        element("span", size, class_="size"),
    )


def _remarks(report, row):
    """What to be wary of, before any figure."""
    name = words(report.table, "hypothesis")[row]
    parts = []
    if len(name) > _NAMED:
        parts.append(element("p", statement(name)))
    original = words(report.table, "duplicate_of")[row]
    if original:
        said = ["The same as: ", statement(original)]
        parts.append(element("p", *said, class_="note"))
    note = words(report.table, "note")[row]
    if note:
        parts.append(element("p", note, class_="note"))
    return join(parts)


def _effects(report, row):
    """Estimates, intervals and p-values of the row, in words."""
    table = report.table
    pairs = []
    for effect in [separation(report), *joint_effects(report)]:
        value, lower, upper = (column[row] for column in effect.of(table))
        if not np.isnan(value):
            shown = with_interval(value, lower, upper).replace("-", "−")
            pairs.append((effect.axis.removesuffix(", 95% interval"), shown))
    worst = [numbers(table, f"separation_worst_{end}")[row] for end in _ENDS]
    if not np.isnan(worst).any():
        shown = f"{figure(worst[0])} to {figure(worst[1])}".replace("-", "−")
        pairs.append(("separation, whatever the missing answers are", shown))
    return _figures("Effect", pairs + _named(table, row, _EFFECT))


def _basis(report, row):
    """What the effect rests on: the neuron, the texts, the model."""
    return _figures("Basis", _named(report.table, row, _BASIS))


def _named(table, row, names):
    pairs = [
        (name, _value(column, table[column].iloc[row]))
        for column, name in names.items()
        if column in table
    ]
    return [(name, shown) for name, shown in pairs if shown]


def _figures(title, pairs):
    items = [
        element("div", element("dt", name), element("dd", shown))
        for name, shown in pairs
    ]
    return _block(title, element("dl", *items)) if items else None


_ENDS = ("lower", "upper")


def _value(column, value):
    if isinstance(value, str) or value is None:
        return value or ""
    if not np.isfinite(value):
        return "infinite" if np.isinf(value) else ""
    if column.endswith("_p") or "p_corrected" in column:
        return format_p(value)
    if column in ("n", "missing"):
        return f"{int(value):,}"
    return figure(value).replace("-", "−", 1)


def _block(title, *content, class_="block"):
    return element("div", element("h3", title), *content, class_=class_)


def _by_class(report, row):
    """The effect in each of more than two classes."""
    by_class = getattr(report, "by_class", None)
    if by_class is None or by_class.empty:
        return None
    name = words(report.table, "hypothesis")[row]
    rows = by_class[by_class["hypothesis"].astype(object) == name]
    if rows.empty:
        return None
    lines = []
    effects = [
        ("separation", "alone"),
        ("ame", "beside the others"),
    ]
    for i in range(len(rows)):
        cells = [element("th", words(rows, "class")[i], scope="row")]
        for prefix, _ in effects:
            bounds = [numbers(rows, prefix + e)[i] for e in ("", "_lower", "_upper")]
            shown = "–" if np.isnan(bounds[0]) else with_interval(*bounds)
            p = numbers(rows, f"{prefix}_p")[i]
            cells.append(element("td", shown.replace("-", "−")))
            cells.append(element("td", "–" if np.isnan(p) else format_p(p)))
        lines.append(element("tr", *cells))
    heads = ["class", "alone", "p", "beside the others", "p"]
    head = element("tr", *(element("th", h, scope="col") for h in heads))
    table = element("table", element("thead", head), element("tbody", *lines))
    about = "Difference of the share of each class; p-values uncorrected."
    return _block("By class", element("div", table, class_="wide"), element("p", about))


def _activations(detail):
    """Histogram of the neuron, texts that have it above those that lack it."""
    if len(detail.bin_edges) < 2:
        return None
    present, absent = detail.counts_present, detail.counts_absent
    label = (
        "Histogram of the activation of the neuron: "
        f"{sum(present):,} active texts that have the hypothesis, "
        f"{sum(absent):,} active texts that lack it"
    )
    drawing = histogram(detail.bin_edges, present, absent, label=label)
    keys = element(
        "p",
        element("i", class_="key present square"),
        f" have it ({sum(present):,} active, {detail.n_zero[0]:,} not)  ",
        element("i", class_="key absent square"),
        f" lack it ({sum(absent):,} active, {detail.n_zero[1]:,} not)",
    )
    about = "Active texts by activation; heights are square roots of the numbers."
    return _block("Activation of the neuron", drawing, keys, element("p", about))


def _by_target(detail):
    """Share of texts that have it, by class or range of the target."""
    rows = detail.prevalence_by_target
    if not rows:
        return None
    shares = [share for _, _, share in rows if np.isfinite(share)]
    most = max(shares, default=0.0)
    lines = []
    for label, n, share in rows:
        shown = "–" if not np.isfinite(share) else f"{100 * share:.1f}%"
        lines.append(
            element(
                "tr",
                element("th", str(label), scope="row"),
                element("td", bar(share, most=most), class_="bars"),
                element("td", shown),
                element("td", f"of {n:,}", class_="of"),
            )
        )
    table = element("table", element("tbody", *lines), class_="by-target")
    return _block("Share of texts that have it, by y", table)


def _texts(detail):
    sides = [
        ("Texts that have it", detail.present, detail.terms),
        ("Texts that lack it", detail.absent, detail.terms),
    ]
    blocks = []
    for title, texts, terms in sides:
        if not texts:
            content = element("p", "none", class_="more")
        else:
            items = [
                element("li", marked(str(text), terms), dir="auto")
                for text in texts[:_TEXTS]
            ]
            content = element("ul", *items, class_="texts")
        blocks.append(_block(title, content))
    if not (detail.present or detail.absent):
        return None
    about = "Those with the most active neuron first."
    return join(
        [
            element("div", *blocks, class_="blocks texts-of"),
            element("p", about, class_="more"),
        ]
    )
