"""Answers that are missing: a table of them, a warning, or an error."""

from math import ceil

import numpy as np
import pandas as pd

from .._language_models._values import FAILED
from .._utils._warnings import warn
from ..exceptions import MissingAnswersError

# Missing answers are worth a warning from this share on.
_WARN_ABOVE = 0.01

_COLUMNS = ["text", "hypothesis", "outcome", "detail"]


def tabulate_missing(texts, statements, missing):
    """Return a table with one row per MissingCell."""
    rows = [(texts[m.text], statements[m.statement], *m[2:]) for m in missing]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object)


def count_asked(texts, n_statements, where):
    """Count the cells of each statement that were asked for; blank texts never are."""
    asked = np.array([bool(text.strip()) for text in texts], dtype=bool)[:, None]
    if where is not None:
        asked = where & asked
    return np.broadcast_to(asked, (len(texts), n_statements)).sum(axis=0)


def check_missing(table, n_asked, statements, values, *, max_missing, caller):
    """Warn about many missing answers; raise if their share is above a limit.

    `table` comes from `tabulate_missing`, `n_asked` from `count_asked`. The share is
    that of the cells that were asked for; `values` is what there is, for the
    error, and `caller` the annotator's name.
    """
    if table.empty:
        return
    counts = table["outcome"].value_counts()
    what = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
    share = len(table) / n_asked.sum()
    summary = (
        f"{caller}: {len(table)} of {n_asked.sum()} answers ({share:.1%}) are missing: "
        f"{what}"
    )
    if share > max_missing:
        enough = ceil(100 * share) / 100
        raise MissingAnswersError(
            f"{summary}, more than max_missing={max_missing:g}. "
            f"{_describe_last_failure(table)}The attribute "
            "`errors` of this error lists them, `annotations` has the answers; those "
            f"are kept. {_advise(counts)}Set max_missing={enough:g} to go on without "
            "the missing ones: they are NaN, and reports show their share.",
            errors=table,
            annotations=values,
        )
    n_missing = table["hypothesis"].value_counts()
    asked = pd.Series(n_asked, index=statements).groupby(level=0, sort=False).sum()
    often = [s for s in asked.index if n_missing.get(s, 0) > _WARN_ABOVE * asked[s]]
    if often:
        named = "; ".join(f"{s!r} ({n_missing[s]})" for s in often[:5])
        more = f" and {len(often) - 5} more" if len(often) > 5 else ""
        warn(
            f"{summary}. They are NaN, and more than 1 % for: {named}{more}. See "
            "annotation_errors_."
        )


def _describe_last_failure(table):
    """Say why the last of the calls that failed did; "" if none did."""
    details = table.loc[table["outcome"].eq(FAILED) & table["detail"].ne(""), "detail"]
    return f"The last failure: {details.iloc[-1]}. " if len(details) else ""


def _advise(counts):
    """Say what to do about missing answers, by the commonest outcome."""
    if counts.index[0] in ("blocked", "refused"):
        return (
            "Asking again will hardly help against a filter or a refusal; another "
            "model, or filters that are off (safety='off' of GeminiModel, the content "
            "filter of an Azure deployment), may. "
        )
    return "Call again to ask for the others. "
