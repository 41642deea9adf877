"""The top of the page: the finding at a glance, then all hypotheses in one table."""

import numpy as np

from .._report_words import (
    figure,
    flags,
    format_p,
    joint_effects,
    level,
    numbers,
    overall_figures,
    permutation_line,
    separation,
    shortened,
    with_interval,
    words,
)
from ._charts import Scale, axis, forest_row
from ._markup import Markup, element, join, statement

_NAMED = 5  # findings spelled out in each direction
_WORDS = 220  # characters of a statement in the table; in full below


# At a glance ----------------------------------------------------------------------


def glance(report):
    """The findings in words: how many, how much they explain, in which direction."""
    return element("section", _tiles(report), _directions(report), class_="glance")


def _tiles(report):
    count = f"{report.n_significant} of {report.n_tested}"
    tiles = [_tile(count, "significant in the joint regression", level(report))]
    main = _main_figure(report)
    if main is not None:
        interval = with_interval(main.value, main.lower, main.upper)
        number, _, bounds = interval.partition(" ")
        tiles.append(_tile(number, main.short, bounds and f"95% interval {bounds}"))
    if permutation_line(report):
        shown = format_p(report.permutation_p)
        how = permutation_line(report).partition(", ")[2]
        tiles.append(_tile(shown, "p-value of all together", how))
    size = f"{report.n_rows:,}"
    tiles.append(_tile(size, "texts", _size_note(report)))
    return element("div", *tiles, class_="tiles")


def _tile(number, name, note=""):
    return element(
        "div",
        element("strong", number),
        element("span", name) if name else None,
        element("small", note) if note else None,
        class_="tile",
    )


class _Main:
    """The overall figure to lead with: the one that is honest about new texts."""

    def __init__(self, found, short):
        self.value, self.lower, self.upper = found.value, found.lower, found.upper
        self.short = short


def _main_figure(report):
    """The first of these that was computed."""
    order = {
        "r2_out_of_sample": "R² out-of-sample",
        "r2_cross_fitted": "R² cross-fitted",
        "r2_adjusted": "R² adjusted, in-sample",
        "roc_auc_out_of_sample": "ROC AUC out-of-sample",
        "roc_auc_cross_fitted": "ROC AUC cross-fitted",
        "roc_auc": "ROC AUC in-sample",
    }
    found = {f.name: f for f in overall_figures(report) if np.isfinite(f.value)}
    name = next((name for name in order if name in found), None)
    return None if name is None else _Main(found[name], order[name])


def _size_note(report):
    parts = [report.task]
    if report.classes is not None:
        parts = [f"{len(report.classes)} classes"]
    if getattr(report, "n_groups", None) is not None:
        parts.append(f"{report.n_groups:,} groups")
    if getattr(report, "n_pairs", None) is not None:
        parts.append(f"{report.n_pairs:,} pairs")
    if report.n_joint != report.n_rows:
        parts.append(f"{report.n_joint:,} in the joint regression")
    return ", ".join(parts)


def _directions(report):
    """What is significant, in two lists by the sign of the effect."""
    effect, values = main_effect(report)
    if effect is None or not len(report.table):
        return None
    value, lower, upper = values
    positive = value > effect.nothing
    significant = flags(report.table, "significant")
    chosen = [i for i in ranked(report) if significant[i]]
    if not chosen:
        text = "No hypothesis is significant after correction."
        return element("p", text, class_="none-found")
    lists = []
    for sign, heading in zip((True, False), _headings(report), strict=True):
        rows = [i for i in chosen if positive[i] == sign and np.isfinite(value[i])]
        rows = rows if sign else rows[::-1]  # the strongest first, in either direction
        items = [
            _finding(report, i, (value[i], lower[i], upper[i])) for i in rows[:_NAMED]
        ]
        if len(rows) > _NAMED:
            more = f"and {len(rows) - _NAMED} more in the table"
            items.append(element("li", more, class_="more"))
        if not items:
            items = [element("li", "none", class_="more")]
        tone = "positive" if sign else "negative"
        title = element("h2", element("i", class_=f"key {tone}"), " ", heading)
        lists.append(element("div", title, element("ul", *items)))
    key = element("p", f"Figures: {effect.axis}, with 95% interval.", class_="key-line")
    return join([element("div", *lists, class_="directions"), key])


def _headings(report):
    classes = report.classes
    if classes is None:
        return "Goes with more of y", "Goes with less of y"
    if len(classes) == 2:
        return tuple(f"Goes with {shortened(repr(c), 40)}" for c in reversed(classes))
    return "Goes with more of a class", "Goes with less of a class"


def _finding(report, row, interval):
    label = words(report.table, "separation_class")[row]
    name = words(report.table, "hypothesis")[row]
    size = f"{signed(interval[0])} {_bounds(*interval[1:])}"
    link = element(
        "a", statement(shortened(name, _WORDS)), href=f"#h{row}", class_="jump"
    )
    extra = f" in {label}" if label else ""
    return element("li", link, " ", element("span", size + extra, class_="size"))


def signed(value):
    """A number with its sign, a true minus."""
    return f"{'+' if value > 0 else ''}{figure(value)}".replace("-", "−", 1)


def _bounds(lower, upper):
    if np.isnan([lower, upper]).any():
        return ""
    return f"[{figure(lower)}, {figure(upper)}]".replace("-", "−")


# Order ----------------------------------------------------------------------------


def main_effect(report):
    """The effect to lead with, and its estimates and bounds; None without any."""
    effects = [*joint_effects(report)[:1], separation(report)]
    for effect in effects:
        values = effect.of(report.table)
        if np.isfinite(values[0]).any():
            return effect, values
    return None, None


def ranked(report):
    """Rows: significant ones first, then from the most positive effect down."""
    effect, values = main_effect(report)
    significant = flags(report.table, "significant")
    size = np.zeros(len(report.table))
    if effect is not None:
        size = np.where(np.isnan(values[0]), -np.inf, values[0])
    return sorted(range(len(size)), key=lambda i: (not significant[i], -size[i], i))


def tone(report, row):
    """Class of the style sheet for a row: direction if significant, else quiet."""
    effect, values = main_effect(report)
    if effect is None or not flags(report.table, "significant")[row]:
        return "quiet"
    return "positive" if values[0][row] > effect.nothing else "negative"


# The table ------------------------------------------------------------------------


def findings(report):
    """All hypotheses: intervals on one axis and the figures beside them."""
    if not len(report.table):
        text = element("p", "There were no hypotheses to test.", class_="none-found")
        return element("section", element("h2", "All hypotheses"), text)
    columns = _columns(report)
    head = element("tr", *(_heading(*c[:3]) for c in columns), role="row")
    rows = [
        element(
            "tr",
            *(_cell(c, i) for c in columns),
            role="row",
            class_=f"row-{tone(report, i)}",
        )
        for i in ranked(report)
    ]
    table = element(
        "table",
        element("thead", head, role="rowgroup"),
        element("tbody", *rows, role="rowgroup"),
        role="table",
        id="findings",
        aria_label="All hypotheses",
    )
    return element(
        "section",
        element("h2", "All hypotheses"),
        _legend(report),
        element("div", table, class_="wide"),
        class_="findings",
    )


def _legend(report):
    joint = _same_unit(report)
    marks = [
        _key("positive", "significant, more"),
        _key("negative", "significant, less"),
        _key("quiet", "not significant"),
    ]
    if joint is not None:
        marks.append(_key("alone", "the same hypothesis taken alone", "diamond"))
    about = (
        f"Dots: {joint.axis}, beside the other hypotheses. Lines: 95% intervals."
        if joint is not None
        else f"Marks: {separation(report).axis}."
    )
    about += " Joint p: corrected for the number of hypotheses."
    return element("div", element("p", about), element("p", *marks), class_="legend")


def _key(name, text, shape=""):
    return element(
        "span", element("i", class_=f"key {name} {shape}".strip()), " ", text
    )


def _same_unit(report):
    """The joint effect in the unit of the separation; None if there is none."""
    found = joint_effects(report)[:1]
    return found[0] if found and found[0].column in _units(report) else None


def _units(report):
    return ("coef",) if report.task == "regression" else ("ame",)


def _columns(report):
    """(name, kind, content of the head, cells, values to sort by) of each column."""
    table = report.table
    columns = [
        ("#", "number", None, *_order(table)),
        ("Hypothesis", "words", None, *_statements(report)),
        ("Effect", "drawing", *_forest(report)),
        ("Alone", "number", None, *_effects(report, separation(report))),
    ]
    for effect in joint_effects(report)[:2]:
        name = effect.name[0].upper() + effect.name[1:]
        columns.append((name, "number", None, *_effects(report, effect)))
    columns.append(("Joint p", "number", None, *_figures(table, "p_corrected")))
    columns.append(("Share", "number", None, *_figures(table, "prevalence")))
    if "fidelity" in table:
        columns.append(("Fidelity", "number", None, *_figures(table, "fidelity")))
    return columns


def _order(table):
    numbers = [i + 1 for i in range(len(table))]
    return [str(i) for i in numbers], numbers


def _statements(report):
    names = words(report.table, "hypothesis")
    significant = flags(report.table, "significant")
    classes = words(report.table, "separation_class")
    cells = []
    for i, name in enumerate(names):
        text = statement(shortened(name, _WORDS))
        link = element("a", text, href=f"#h{i}", class_="jump")
        label = f" in {classes[i]}" if classes[i] else None
        said = element("span", " significant", class_="spoken")
        label = label and element("small", label)
        cells.append(join([link, label or "", said if significant[i] else ""]))
    return cells, [name.lower()[:60] for name in names]


def _forest(report):
    table = report.table
    alone, joint = separation(report).of(table), _same_unit(report)
    drawn = [alone] if joint is None else [alone, joint.of(table)]
    scale = Scale.of(drawn)
    cells = []
    for i in range(len(table)):
        rows = [tuple(column[i] for column in effect) for effect in drawn]
        # with nothing beside it, the separation is the main mark
        pair = (None, rows[0]) if joint is None else (rows[0], rows[1])
        cells.append(forest_row(scale, *pair, tone=tone(report, i)))
    return axis(scale), cells, drawn[-1][0]


def _effects(report, effect):
    values = effect.of(report.table)
    cells = []
    for value, lower, upper in zip(*values, strict=True):
        bounds = _bounds(lower, upper)
        small = element("small", bounds) if bounds else ""
        shown = figure(value).replace("-", "−", 1)
        cells.append(join(["–" if np.isnan(value) else shown, " ", small]))
    return cells, values[0]


def _figures(table, name):
    values = numbers(table, name)
    shown = format_p if name.startswith("p_") else "{:.3f}".format
    return ["–" if np.isnan(v) else shown(v) for v in values], values


def _heading(name, kind, extra):
    """A head of a column, a button that sorts once the script has run."""
    button = element("button", name, element("i", aria_hidden="true"), type="button")
    return element(
        "th",
        button,
        extra,
        scope="col",
        role="columnheader",
        aria_sort="none",
        class_=kind,
        data_kind="text" if kind == "words" else "number",
    )


def _cell(column, row):
    name, kind, _, cells, values = column
    content = cells[row]
    value = values[row]
    if not isinstance(value, str):
        value = "" if np.isnan(value) else f"{value:.6g}"
    return element(
        "td",
        content if isinstance(content, Markup) else str(content),
        role="cell",
        class_=kind,
        data_v=value,
        data_name=None if kind in ("words", "drawing") else name,
    )
