"""What a notebook shows of a report: the first card of its page, without the texts."""

import hashlib

from markupsafe import Markup

from .._text import summary_lines
from .._view import ReportView
from .._words import describe_sample
from ._overview import describe_overview
from ._page import read_asset
from ._render import render


def notebook_html(report):
    """Return a report as a part of an HTML page, to be shown below a cell.

    Returns
    -------
    part : str
        It loads nothing. Where styles and scripts are taken out, as in notebooks that
        nobody trusts yet, tables and sentences remain.
    """
    values = describe_overview(report, ReportView(report))
    content = repr([report.table.to_csv(), values["tiles"]])
    digest = hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
    style = read_asset("card.css") + read_asset("notebook.css")
    return render(
        "notebook.html.j2",
        key=f"hypo-{digest[:12]}",
        # our own files, which hold no "</"; nested in the element that they are for
        style=Markup(style.replace(":root", "&")),
        script=Markup(read_asset("sort.js")),
        sample=describe_sample(report),
        lines=summary_lines(report),
        linked=False,
        **values,
    )
