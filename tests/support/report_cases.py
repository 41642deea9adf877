"""Reports of every kind, by real evaluations, for the tests of what shows them."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from sklearn_hypo import evaluate_annotations

NASTY = [
    "<script>alert('x')</script> & co",
    "lone \ud800 surrogate",
    'two\nlines, "quoted"',
    "costs $5 or $10, 100% of_it {sure} ~ ^ \\ # | `code`",
    "family 👩‍👩‍👧 and 🏳️‍🌈 and \u202eturned",
    "مرحبا بالعالم",
    '" onmouseover="alert(1)" x="',
    "</script><img src=x onerror=alert(2)>\u2028\u2029\x00",
    "long " * 400,
    "ＦＵＬＬ ﬁle İstanbul e\u0301clair",
]
WORDS = ["tea", "rain", "why", "snow", "mud", "fog", "sun", "ice", "wind", "hail"]
KINDS = ["quantity", "two", "three", "pairs", "missing", "clusters", "counts"]


@cache
def make_report(kind="quantity", n_hypotheses=6, nasty=False):
    """Return the report of an evaluation of a kind; made once, so do not change it.

    Parameters
    ----------
    kind : {"quantity", "two", "three", "pairs", "missing", "clusters", "counts"}
        "missing": with missing answers, covariates and weights. "clusters": with
        groups and fixed effects.
    n_hypotheses : int
        Of 10 at most with `nasty`.
    nasty : bool
        Whether statements, texts and names are hard to show.
    """
    rng = np.random.default_rng(0)
    n, h = 240, n_hypotheses
    A = (rng.random((n, h)) < 0.4).astype(float)
    effects = np.array([1.2, -0.9, 0.6, -0.4, 0.0, 0.1] + [0.0] * h)[:h]
    quantity = A @ effects + rng.normal(size=n)
    names = NASTY[:h] if nasty else [f"mentions {name_word(j)}" for j in range(h)]
    texts = [
        " ".join(["text", *(WORDS[j % 10] for j in np.flatnonzero(row)), str(i)])
        for i, row in enumerate(A)
    ]
    if nasty:
        texts[: len(NASTY)] = NASTY
    y, beside = quantity, {}
    if kind == "two":
        y = np.where(quantity > 0.3, "pos", "neg")
    elif kind == "three":
        labels = np.array(["a", "b", NASTY[0] if nasty else "c"], dtype=object)
        y = labels[np.digitize(quantity, np.quantile(quantity, [0.5, 0.75]))]
    elif kind == "pairs":
        most = quantity.reshape(-1, 2).max(axis=1, keepdims=True)
        y = (quantity.reshape(-1, 2) == most).ravel().astype(int)
        beside = {"pairs": np.repeat(np.arange(n // 2), 2)}
    elif kind == "counts":
        y = np.floor(np.exp(1.2 * quantity - 0.5))
    elif kind == "missing":
        A[rng.random(A.shape) < 0.02] = np.nan
        A[:, 4:5] = np.nan
        A[:, 5:6] = A[:, :1]
        columns = ["length", NASTY[0] if nasty else "year"]
        beside["covariates"] = pd.DataFrame(rng.normal(size=(n, 2)), columns=columns)
        beside["sample_weight"] = rng.uniform(0.5, 2, n)
    elif kind == "clusters":
        beside = {"groups": np.arange(n) // 4, "fixed_effects": np.arange(n) % 7}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = evaluate_annotations(
            A,
            y,
            names=names,
            texts=texts,
            alpha=0.1,
            correction="holm",
            n_resamples=9,
            near_duplicates="ignore",  # a few words and a number: they are all alike
            **beside,
        )
    activations = np.nan_to_num(A) * rng.gamma(2.0, size=A.shape)
    details = tuple(_activate(d, j, activations) for j, d in enumerate(report.details))
    return replace(report, details=details)


def name_word(j):
    """The word of a hypothesis."""
    return f"{WORDS[j % 10]}{j if j >= 10 else ''}"


def _activate(detail, j, activations):
    """Add what only the neurons of a pipeline tell."""
    active = activations[:, j][activations[:, j] > 0]
    counts, edges = np.histogram(active, 20)
    return replace(
        detail,
        terms=(WORDS[j % 10],),
        bin_edges=tuple(edges.tolist()),
        counts_present=tuple(counts.tolist()),
        counts_absent=(0,) * 20,
        n_zero=(0, len(activations) - len(active)),
    )


def change_table(report, **columns):
    """Return the report with other values in columns of its table."""
    columns = {  # pandas' own strings know no lone surrogates
        name: pd.Series(values, dtype=object) if isinstance(values, list) else values
        for name, values in columns.items()
    }
    return replace(report, table=report.table.assign(**columns))


def spoil_figures(report):
    """Return a report in which every figure of the table is NaN or infinite."""
    table = report.table.copy()
    for number, name in enumerate(table.select_dtypes("number")):
        values = np.full(len(table), np.nan)
        if name not in ("n", "missing"):  # counts are finite whatever happens
            values[number % 3 :: 3] = np.inf
            values[(number + 1) % 3 :: 3] = -np.inf
            table[name] = values
    table["significant"] = np.arange(len(table)) % 2 == 0
    return replace(report, table=table, permutation_p=np.nan)
