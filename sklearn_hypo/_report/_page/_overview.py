"""The top of the page: the finding at a glance, then all hypotheses in one table."""

import numpy as np

from .._words import format_p, headline, level, permutation_line, shortened
from ._charts import Scale, axis, forest_row
from ._markup import element, join, statement
from ._reading import bounds, number, signed

_NAMED = 5  # findings spelled out in each direction


_WORDS = 220  # characters of a statement in the table; in full below


# At a glance ----------------------------------------------------------------------


def glance(reading):
    """The findings in words: how many, how much they explain, in which direction."""
    tiles = _tiles(reading.report)
    return element("section", tiles, _directions(reading), class_="glance")


def _tiles(report):
    count = f"{report.n_significant} of {report.n_tested}"
    tiles = [_tile(count, "significant in the joint regression", level(report))]
    main, name = headline(report)
    if main is not None:
        interval = bounds(main.lower, main.upper)
        note = interval and join(["95% interval ", interval])
        tiles.append(_tile(number(main.value), name, note))
    if permutation_line(report):
        shown = format_p(report.permutation_p)
        how = permutation_line(report).partition(", ")[2]
        tiles.append(_tile(shown, "p-value of all together", how))
    size = f"{report.n_rows:,}"
    tiles.append(_tile(size, "texts", _size_note(report)))
    return element("div", *tiles, class_="tiles")


def _tile(size, name, note=None):
    return element(
        "div",
        element("strong", size),
        element("span", name) if name else None,
        element("small", note) if note else None,
        class_="tile",
    )


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


def _directions(reading):
    """What is significant, in two lists by the sign of the effect."""
    effect = reading.lead
    if effect is None:
        return None
    chosen = [i for i in reading.order if reading.significant[i]]
    if not chosen:
        text = "No hypothesis is significant after correction."
        return element("p", text, class_="none-found")
    value = reading.values(effect)[0]
    chosen = [i for i in chosen if np.isfinite(value[i])]
    more = [i for i in chosen if reading.tone(i) == "positive"]
    less = [i for i in reversed(chosen) if reading.tone(i) == "negative"]
    heads = _headings(reading.report)
    lists = [
        _direction(reading, rows, tone, head)
        for rows, tone, head in zip(
            (more, less), ("positive", "negative"), heads, strict=True
        )
    ]
    key = element("p", f"Figures: {effect.axis}, with 95% interval.", class_="key-line")
    return join([element("div", *lists, class_="directions"), key])


def _direction(reading, rows, tone, heading):
    """The strongest findings of one sign."""
    items = [_finding(reading, i) for i in rows[:_NAMED]]
    if len(rows) > _NAMED:
        text = f"and {len(rows) - _NAMED} more in the table"
        items.append(element("li", text, class_="more"))
    if not rows:
        items.append(element("li", "none", class_="more"))
    title = element("h2", element("i", class_=f"key {tone}"), " ", heading)
    return element("div", title, element("ul", *items))


def _headings(report):
    classes = report.classes
    if classes is None:
        return "Goes with more of y", "Goes with less of y"
    if len(classes) == 2:
        return tuple(f"Goes with {shortened(repr(c), 40)}" for c in reversed(classes))
    return "Goes with more of a class", "Goes with less of a class"


def _finding(reading, row):
    value, lower, upper = (column[row] for column in reading.values(reading.lead))
    name = statement(shortened(reading.names[row], _WORDS))
    link = element("a", name, href=f"#h{row}", class_="jump")
    label = reading.classes[row]
    parts = [signed(value), " ", bounds(lower, upper), f" in {label}" if label else ""]
    size = element("span", *parts, class_="size")
    return element("li", link, " ", size)


# The table ------------------------------------------------------------------------


def findings(reading):
    """All hypotheses: intervals on one axis and the figures beside them."""
    heading = element("h2", "All hypotheses")
    if not reading.names:
        text = element("p", "There were no hypotheses to test.", class_="none-found")
        return element("section", heading, text)
    columns = _columns(reading)
    head = element("tr", *(_heading(*c[:3]) for c in columns), role="row")
    rows = [
        element("tr", *(_cell(c, i) for c in columns), role="row", class_=tone)
        for i, tone in ((i, f"row-{reading.tone(i)}") for i in reading.order)
    ]
    table = element(
        "table",
        element("thead", head, role="rowgroup"),
        element("tbody", *rows, role="rowgroup"),
        role="table",
        id="findings",
        aria_label="All hypotheses",
    )
    table = element("div", table, class_="wide")
    return element("section", heading, _legend(reading), table, class_="findings")


def _legend(reading):
    marks = [
        _key("positive", "significant, more"),
        _key("negative", "significant, less"),
        _key("quiet", "not significant"),
    ]
    beside = reading.drawn_beside
    if beside is None:
        about = f"Dots: {reading.alone.axis}."
    else:
        about = f"Dots: {beside.axis}, beside the other hypotheses. "
        about += "Lines: 95% intervals."
        marks.append(_key("alone", "the same hypothesis taken alone", "diamond"))
    about += " Joint p: corrected for the number of hypotheses."
    return element("div", element("p", about), element("p", *marks), class_="legend")


def _key(name, text, shape=""):
    mark = element("i", class_=f"key {name} {shape}".strip())
    return element("span", mark, " ", text)


def _columns(reading):
    """(name, kind, content of the head, cells, values to sort by) of each column."""
    columns = [
        ("#", "number", None, *_numbered(reading)),
        ("Hypothesis", "words", None, *_statements(reading)),
        ("Effect", "drawing", *_forest(reading)),
        ("Alone", "number", None, *_effects(reading, reading.alone)),
    ]
    for effect in reading.joint[:2]:
        name = effect.name[0].upper() + effect.name[1:]
        columns.append((name, "number", None, *_effects(reading, effect)))
    columns.append(("Joint p", "number", None, *_figures(reading, "p_corrected")))
    columns.append(("Share", "number", None, *_figures(reading, "prevalence")))
    if "fidelity" in reading.table:
        columns.append(("Fidelity", "number", None, *_figures(reading, "fidelity")))
    return columns


def _numbered(reading):
    """The place of each hypothesis in the report."""
    places = [i + 1 for i in range(len(reading.names))]
    return [str(i) for i in places], places


def _statements(reading):
    cells = []
    for i, name in enumerate(reading.names):
        text = statement(shortened(name, _WORDS))
        parts = [element("a", text, href=f"#h{i}", class_="jump")]
        if reading.classes[i]:
            parts.append(element("small", f" in {reading.classes[i]}"))
        if reading.significant[i]:
            parts.append(element("span", " significant", class_="spoken"))
        cells.append(join(parts))
    return cells, [name.lower()[:60] for name in reading.names]


def _forest(reading):
    """The axis, the drawings, and the values to sort by."""
    alone, beside = reading.values(reading.alone), reading.drawn_beside
    drawn = [alone] if beside is None else [alone, reading.values(beside)]
    scale = Scale.of(drawn)
    cells = []
    for i in range(len(reading.names)):
        rows = [tuple(column[i] for column in effect) for effect in drawn]
        # with nothing beside it, the separation is the main mark
        pair = (None, rows[0]) if beside is None else (rows[0], rows[1])
        cells.append(forest_row(scale, *pair, tone=reading.tone(i)))
    return axis(scale), cells, drawn[-1][0]


def _effects(reading, effect):
    values = reading.values(effect)
    cells = []
    for value, lower, upper in zip(*values, strict=True):
        interval = bounds(lower, upper)
        small = "" if interval is None else element("small", interval)
        cells.append(join([number(value), " ", small]))
    return cells, values[0]


def _figures(reading, name):
    values = reading.column(name)
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
    value = values[row]
    if not isinstance(value, str):
        value = "" if np.isnan(value) else f"{value:.6g}"
    return element(
        "td",
        cells[row],
        role="cell",
        class_=kind,
        data_v=value,
        data_name=name if kind == "number" else None,
    )
