"""One hypothesis: its figures, where its neuron is active, and texts to read."""

import numpy as np

from .._words import format_p, words
from ._charts import bar, histogram
from ._highlight import marked
from ._markup import element, join, statement
from ._reading import estimate, number, signed

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


_WHOLE = ("n", "missing", "coef_df")  # rather 480 than 480.000


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


def evidence(reading):
    """All hypotheses one by one, closed until opened."""
    if not reading.names:
        return None
    button = element("button", "Open all", type="button", id="open-all", hidden=True)
    heading = element("div", element("h2", "One by one"), button, class_="heading")
    parts = [_hypothesis(reading, i) for i in reading.order]
    return element("section", heading, *parts, class_="evidence")


def _hypothesis(reading, row):
    details = getattr(reading.report, "details", None)
    detail = details[row] if details else None
    blocks = [_effects(reading, row), _by_class(reading, row)]
    if detail is not None:
        blocks += [_activations(detail), _by_target(detail)]
    blocks = element("div", *blocks, _basis(reading, row), class_="blocks")
    return element(
        "details",
        _summary(reading, row),
        _remarks(reading, row),
        blocks,
        None if detail is None else _texts(detail),
        id=f"h{row}",
    )


def _summary(reading, row):
    name, label = reading.names[row], reading.classes[row]
    name = name if len(name) <= _NAMED else name[: _NAMED - 1] + "…"
    size = None
    if reading.lead is not None and np.isfinite(reading.values(reading.lead)[0][row]):
        value = signed(reading.values(reading.lead)[0][row])
        size = element("span", value, f" in {label}" if label else "", class_="size")
    said = element("span", "significant: ", class_="spoken")
    return element(
        "summary",
        element("i", class_=f"key {reading.tone(row)}"),
        " ",
        said if reading.significant[row] else None,
        statement(name, class_="name"),
        " ",
        size,
    )


def _remarks(reading, row):
    """What to be wary of, before any figure."""
    name = reading.names[row]
    parts = []
    if len(name) > _NAMED:
        parts.append(element("p", statement(name)))
    original = words(reading.table, "duplicate_of")[row]
    if original:
        said = ["The same as: ", statement(original)]
        parts.append(element("p", *said, class_="note"))
    note = words(reading.table, "note")[row]
    if note:
        parts.append(element("p", note, class_="note"))
    return join(parts)


def _effects(reading, row):
    """Estimates, intervals and p-values of the row, in words."""
    pairs = []
    for effect in [reading.alone, *reading.joint]:
        values = [column[row] for column in reading.values(effect)]
        if not np.isnan(values[0]):
            name = effect.axis.removesuffix(", 95% interval")
            pairs.append((name, estimate(*values)))
    worst = [reading.column(f"separation_worst_{end}")[row] for end in _ENDS]
    if not np.isnan(worst).any():
        shown = f"{number(worst[0])} to {number(worst[1])}"
        pairs.append(("separation, whatever the missing answers are", shown))
    return _figures("Effect", pairs + _named(reading.table, row, _EFFECT))


def _basis(reading, row):
    """What the effect rests on: the neuron, the texts, the model."""
    return _figures("Basis", _named(reading.table, row, _BASIS))


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
    if column in _WHOLE and value == int(value):
        return f"{int(value):,}"
    return number(value)


def _block(title, *content, class_="block"):
    return element("div", element("h3", title), *content, class_=class_)


def _by_class(reading, row):
    """The effect in each of more than two classes."""
    records = reading.by_class.get(reading.names[row])
    if not records:
        return None
    heads = ["class", "alone", "p", "beside the others", "p"]
    head = element("tr", *(element("th", h, scope="col") for h in heads))
    lines = [_class_line(record) for record in records]
    table = element("table", element("thead", head), element("tbody", *lines))
    table = element("div", table, class_="wide")
    about = "Difference of the share of each class; p-values uncorrected."
    return _block("By class", table, element("p", about))


def _class_line(record):
    cells = [element("th", str(record["class"]), scope="row")]
    for prefix in ("separation", "ame"):
        ends = ("", "_lower", "_upper", "_p")
        *values, p = (float(record.get(prefix + end, np.nan)) for end in ends)
        cells.append(element("td", estimate(*values)))
        cells.append(element("td", "–" if np.isnan(p) else format_p(p)))
    return element("tr", *cells)


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
