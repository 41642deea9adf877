"""The page as a whole: head, policy, style, sections, script."""

import base64
import hashlib
from functools import cache
from importlib import resources

from ..._utils._files import write_text
from .._words import title as report_title
from ._background import (
    covariates,
    glossary,
    method,
    missing,
    overall,
    provenance,
    redundancy,
)
from ._evidence import evidence
from ._markup import Markup, element, join
from ._overview import findings, glance
from ._reading import Reading


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
    title = "Hypothesis report" if title is None else title
    style, script = _asset("page.css"), _asset("page.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        # both are our own files, and hold no "</"
        Markup(f"<style>{style}</style>"),
    )
    body = element("body", _body(report, title), Markup(f"<script>{script}</script>"))
    page = element("html", head, body, lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def write_page(report, path, *, title=None):
    """Write a report as one HTML page, all or nothing.

    Parameters
    ----------
    report : HypothesisReport
        A report.
    path : str or path-like
        The file; its folder must exist.
    title : str or None, default=None
        Heading of the page.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_text(path, report_page(report, title=title))


def _body(report, title):
    header = element(
        "header",
        element("h1", title, dir="auto"),
        element("p", report_title(report) + _date(report)),
    )
    reading = Reading(report)
    sections = [
        glance(reading),
        findings(reading),
        evidence(reading),
        overall(report),
        covariates(report),
        redundancy(report),
        missing(report),
        method(report),
        provenance(report),
        element("section", glossary()),
    ]
    main = element("main", *sections)
    return join([header, main, element("footer", "Made with sklearn-hypo.")])


def _date(report):
    created = (getattr(report, "provenance", None) or {}).get("created")
    return f", {str(created)[:10]}" if created else ""


def _policy():
    style, script = (_hash(_asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(name):
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text):
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
