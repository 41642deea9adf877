"""The page as a whole: head, policy, style, sections, script."""

import base64
import hashlib
from functools import cache
from importlib import resources

from markupsafe import Markup

from ..._utils._files import write_text
from .._formats import typeset_minus
from .._moderator import list_by_moderator, name_moderator
from .._view import ReportView
from .._words import (
    describe_sample,
    list_covariates,
    list_figures,
    list_missing_answers,
    list_near_duplicates,
    name_target,
)
from ._background import (
    GLOSSARY,
    list_edits,
    list_method,
    list_origins,
    list_settings,
    list_usage,
)
from ._details import list_details
from ._overview import describe_overview
from ._render import render


def report_page(report, *, title=None):
    """Return a report as one HTML page that needs nothing else.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    title : str or None, default=None
        Heading of the page. None: "Hypothesis report".

    Returns
    -------
    page : str
        HTML. It loads nothing and sends nothing: a Content-Security-Policy forbids
        it, and allows the one script and the one style sheet of the page by hash.
    """
    view = ReportView(report)
    return render(
        "page.html.j2",
        report=report,
        title="Hypothesis report" if title is None else title,
        sample=describe_sample(report),
        target=name_target(report),
        policy=_write_policy(),
        # our own files, which hold no "</"
        style=Markup(_read_style()),
        script=Markup(_read_script()),
        linked=True,
        **describe_overview(report, view),
        details=list_details(view),
        overall=list_figures(report),
        covariates=[(n, *map(typeset_minus, c)) for n, *c in list_covariates(report)],
        moderator=name_moderator(report),
        by_moderator=list_by_moderator(report),
        duplicates=list_near_duplicates(report),
        missing=[(n, s, typeset_minus(b)) for n, s, b in list_missing_answers(report)],
        edits=list_edits(report.provenance),
        method=list_method(report),
        methods_text=[p for p in report.methods_text().splitlines() if p],
        origins=list_origins(report.provenance),
        usage=list_usage(report.usage),
        settings=list_settings(report.provenance),
        glossary=GLOSSARY,
    )


def write_page(report, path, *, title=None):
    """Write a `report_page` to a file, all or nothing."""
    write_text(path, report_page(report, title=title))


def _write_policy():
    style, script = map(_hash, (_read_style(), _read_script()))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; "
        "base-uri 'none'; form-action 'none'"
    )


def _read_style():
    return read_asset("card.css") + read_asset("page.css")


def _read_script():
    return read_asset("sort.js") + read_asset("page.js")


@cache
def read_asset(name):
    """Return a file of this folder."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
