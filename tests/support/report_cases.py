"""Reports of every kind, made up without an evaluation, for the tests of renderers."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd

from sklearn_hypo._report._details import EvaluationData, HypothesisDetail

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
CLASSES = {"regression": None, "binary": ("neg", "pos"), "three": ("a", "b", "c")}


def make_report(kind="regression", n_hypotheses=6, *, statements=None, full=True):
    """Return a report with everything (full), or as it was at first (not full)."""
    rng = np.random.default_rng(0)
    names = statements or [
        f"mentions {WORDS[j % 10]}{'' if j < 10 else j}" for j in range(n_hypotheses)
    ]
    h, n = len(names), 500
    effects = np.round(rng.normal(size=h) * 0.6, 3)
    annotations = (rng.random((n, h)) < 0.3).astype(float)
    y = annotations @ effects + rng.normal(size=n)
    classes = CLASSES[kind]
    if classes is not None:
        y = np.array(classes)[
            np.digitize(y, np.quantile(y, [1 / 2, 3 / 4]))
            if len(classes) == 3
            else (y > 0).astype(int)
        ]
    table = _table(names, effects, kind, full, rng)
    values = {
        "table": table,
        "task": "regression" if classes is None else "classification",
        "classes": classes,
        "n_rows": n,
        "n_joint": n,
        "n_joint_hypotheses": h,
        "n_tested": h,
        "n_significant": int(table["significant"].sum()),
        "alpha": 0.1,
        "correction": "holm",
        "usage": None,
        **dict.fromkeys(
            (
                "r2",
                "r2_adjusted",
                "r2_out_of_sample",
                "roc_auc",
                "pseudo_r2",
                "roc_auc_out_of_sample",
            ),
            0.25,
        ),
    }
    if full:
        values |= _extras(table, kind, annotations, y, names, rng)
    return SimpleNamespace(**values)


def _table(names, effects, kind, full, rng):
    h = len(names)
    se = 0.05 + 0.1 * rng.random(h)
    p = np.exp(-np.abs(effects) / se * 2)
    table = pd.DataFrame(
        {
            "neuron": [f"neuron{j:03d}" for j in range(h)],
            "hypothesis": pd.Series(names, dtype=object),
            "fidelity": rng.random(h),
            "n": 500,
            "missing": 0,
            "prevalence": rng.random(h),
            "separation": effects * 1.1,
            "separation_se": se,
            "separation_p": p,
        }
    )
    if kind == "three":
        table["separation_class"] = [CLASSES[kind][j % 3] for j in range(h)]
    for name in ("coef", "coef_se", "coef_lower", "coef_upper"):
        table[name] = np.nan if kind == "three" else effects
    if kind != "three":
        table["coef_se"] = se
        table["coef_lower"] = effects - 1.96 * se
        table["coef_upper"] = effects + 1.96 * se
    table["coef_p"] = p
    table["p_corrected"] = np.minimum(p * h, 1)
    table["significant"] = table["p_corrected"] <= 0.1
    if full:
        table = table.assign(
            separation_lower=table["separation"] - 2 * se,
            separation_upper=table["separation"] + 2 * se,
            separation_p_corrected=table["p_corrected"],
            separation_std=effects,
            coef_std=effects,
            coef_df=480.0,
            vif=1 + rng.random(h),
            method="OLS" if kind == "regression" else "logit",
            duplicate_of="",
        )
        if kind == "binary":
            for end in ("", "_lower", "_upper"):
                table[f"odds_ratio{end}"] = np.exp(table[f"coef{end}"])
        if kind != "regression":
            table = table.assign(
                ame=effects / 5,
                ame_se=se / 5,
                ame_lower=effects / 5 - 0.4 * se,
                ame_upper=effects / 5 + 0.4 * se,
                ame_p=p,
            )
    table["note"] = ""
    return table


def _extras(table, kind, annotations, y, names, rng):
    score = "r2" if kind == "regression" else "roc_auc"
    overall = pd.DataFrame(
        {
            "name": [score, f"{score}_cross_fitted", f"{score}_embeddings"],
            "value": [0.25, 0.21, 0.4],
            "lower": [0.2, 0.15, np.nan],
            "upper": [0.3, 0.26, np.nan],
            "description": [
                "in-sample (as published): fit and score on the same 500 texts",
                "cross-fitted: every text is scored by a fit without it",
                "of a linear model on the embeddings: what the words could reach",
            ],
        }
    )
    by_class = None
    if kind == "three":
        by_class = pd.DataFrame(
            [
                {"hypothesis": name, "class": label, "n": 160}
                | {
                    f"{prefix}{end}": float(value)
                    for prefix in ("separation", "ame")
                    for end, value in zip(
                        ("", "_se", "_lower", "_upper", "_p"),
                        (0.1, 0.05, 0.0, 0.2, 0.04),
                        strict=True,
                    )
                }
                for name in names
                for label in CLASSES[kind]
            ],
            dtype=object,
        )
    # objects: pandas' own strings know no lone surrogates
    pair = [*names[:2], 500, 0.97, 0.9, 0.9, 0.2, "near"]
    pairs = pd.DataFrame(
        [pair] if len(names) > 1 else [],
        columns=[
            "first",
            "second",
            "n",
            "agreement",
            "phi",
            "jaccard",
            "wording",
            "kind",
        ],
        dtype=object,
    )
    covariates = pd.DataFrame(
        {
            "name": ["length", NASTY[0]],
            "coef": [0.1, np.nan],
            "coef_se": [0.01, np.nan],
            "coef_lower": [0.08, np.nan],
            "coef_upper": [0.12, np.nan],
            "coef_p": [0.001, np.nan],
        }
    )
    texts = np.array(
        [
            " ".join(["text", *(w for w, a in zip(WORDS, row, strict=False) if a)])
            for row in annotations
        ],
        dtype=object,
    )
    return {
        "overall": overall,
        "permutation_p": 0.001,
        "n_resamples": 999,
        "cov_type": "cluster",
        "n_groups": 50,
        "n_pairs": None,
        "by_class": by_class,
        "covariates": covariates,
        "redundancy": SimpleNamespace(
            pairs=pairs,
            vif=np.ones(len(names)),
            n_effective=max(len(names) - 0.5, 0.0),
            clusters=np.arange(len(names)),
            correlation=np.eye(len(names)),
        ),
        "details": tuple(_detail(j, texts, annotations) for j in range(len(names))),
        "provenance": {
            "versions": {"sklearn-hypo": "0.1.0", "python": "3.12"},
            "settings": {"steps": {"embed": {"class": NASTY[7]}}},
            "data": {
                "n_rows": 500,
                "texts_sha256": "ab" * 32,
                "target_sha256": "cd" * 32,
            },
            "seeds": {"random_state": 0},
            "edits": [{"from": "mentions te", "to": NASTY[0]}],
            "created": "2026-11-23",
        },
        "data": EvaluationData(
            annotations=annotations,
            names=tuple(names),
            target=y,
            texts=texts,
            groups=np.arange(len(y)) % 50,
            settings={"task": "auto", "alpha": 0.1, "correction": "holm"},
        ),
    }


def _detail(j, texts, annotations):
    has = annotations[:, j] == 1
    return HypothesisDetail(
        terms=(WORDS[j % 10], "text tea"),
        present=(*NASTY[:2], *texts[has][:6]),
        absent=(*NASTY[2:], *texts[~has][:6]),
        bin_edges=tuple(np.linspace(0, 2, 13)),
        counts_present=tuple(range(12)),
        counts_absent=tuple(range(120, 0, -10)),
        n_zero=(10, 200),
        prevalence_by_target=(
            ("low", 250, 0.1),
            (NASTY[0], 249, 0.3),
            ("none", 1, np.nan),
        ),
    )


def damaged(report):
    """Return a report in which every figure is NaN or infinite."""
    table = report.table.copy()
    for number, name in enumerate(table.select_dtypes("number")):
        values = np.full(len(table), np.nan)
        values[number % 3 :: 3] = np.inf
        values[(number + 1) % 3 :: 3] = -np.inf
        table[name] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table["significant"] = np.arange(len(table)) % 2 == 0
    return SimpleNamespace(**vars(report) | {"table": table, "permutation_p": np.nan})
