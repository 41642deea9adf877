"""Fits, errors and p-values beside those of R; `references` has script and tables.

R's packages: sandwich, clubSandwich, survey, brglm2 and MASS.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sklearn_hypo import evaluate_annotations
from sklearn_hypo._inference._permutations import SeparationModel, draw_null
from sklearn_hypo._inference._step_down import marginal_p_values, step_down_p_values
from sklearn_hypo._inference._studentized import Studentizer

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_hypo.exceptions.HypothesisWarning"
)
FOLDER = Path(__file__).parent / "references"
ROWS = pd.read_csv(FOLDER / "rows.csv")
FIGURES = pd.read_csv(FOLDER / "figures.csv").set_index("method")
TERMS = ["a1", "a2", "a3"]
COLUMNS = {
    "joint": {
        "estimate": "coef",
        "se": "coef_se",
        "df": "coef_df",
        "lower": "coef_lower",
        "upper": "coef_upper",
        "p": "coef_p",
    },
    "alone": {
        "estimate": "separation",
        "se": "separation_se",
        "lower": "separation_lower",
        "upper": "separation_upper",
        "p": "separation_p",
    },
}
COVARIATE = {"covariates": ROWS[["x"]]}
WEIGHTS = {"sample_weight": ROWS["weight"]}
GROUPS = {"groups": ROWS["group"]}


def make_table(y="y", **settings):
    """The table of the three hypotheses, by their names."""
    settings = {"correction": "holm", "n_resamples": 0} | settings
    report = evaluate_annotations(ROWS[TERMS], ROWS[y], **settings)
    return report.table.set_index("hypothesis")


def find_figures(method):
    return FIGURES.loc[[method]].set_index("term")


def assert_same(table, method, test, atol=1e-9):
    """Compare whatever R has of a method, or the figures given."""
    expected = find_figures(method) if isinstance(method, str) else method
    for figure, column in COLUMNS[test].items():
        if not expected[figure].isna().all():
            np.testing.assert_allclose(
                *(table.loc[expected.index, column], expected[figure]),
                **{"rtol": 1e-6, "atol": atol, "err_msg": figure},
            )


def assert_ratios(y, method, **settings):
    """Compare the logarithms of ratios, and the middle of their intervals' widths."""
    table = make_table(y, **settings)
    name = "rate_ratio" if y == "count" else "cumulative_odds_ratio"
    found = np.log(table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy())
    expected = FIGURES.loc[method]
    np.testing.assert_allclose(found[:, 0], expected["estimate"], rtol=1e-6, atol=1e-9)
    quantile = stats.t.ppf(0.975, expected["df"].fillna(np.inf))
    half = (found[:, 2] - found[:, 1]) / 2
    np.testing.assert_allclose(half, quantile * expected["se"], rtol=1e-6)


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_robust_errors(kind):
    table = make_table(cov_type=kind, **COVARIATE)
    assert_same(table, f"{kind} sandwich", "joint")
    assert_same(table, kind, "joint")


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_robust_errors_with_weights(kind):
    table = make_table(cov_type=kind, **COVARIATE, **WEIGHTS)
    assert_same(table, f"{kind} weighted, sandwich", "joint")
    assert_same(table, "survey", "joint")
    if kind == "HC3":  # clubSandwich's HC2 takes another working model with weights
        assert_same(table, "HC3 weighted", "joint")


def test_weighted_means():
    assert_same(make_table(**WEIGHTS), "survey, one at a time", "alone")


@pytest.mark.parametrize(("cov_type", "kind"), [("auto", "CR2"), ("HC3", "CR3")])
def test_errors_of_groups(cov_type, kind):
    table = make_table(cov_type=cov_type, **COVARIATE, **GROUPS)
    assert_same(table, kind, "joint")


@pytest.mark.parametrize(("cov_type", "kind"), [("auto", "CR2"), ("HC3", "CR3")])
def test_errors_of_weighted_groups(cov_type, kind):
    table = make_table(cov_type=cov_type, **COVARIATE, **GROUPS, **WEIGHTS)
    assert_same(table, f"{kind} weighted", "joint")


def test_separations_of_groups():
    assert_same(make_table(**GROUPS), "CR2, one at a time", "alone")
    table = make_table(**GROUPS, **WEIGHTS)
    assert_same(table, "CR2 weighted, one at a time", "alone")


def test_welch_with_the_fewer_degrees_of_freedom():
    fewer = []
    for y in ("y", "x"):
        welch, equal = find_figures(f"Welch {y}"), find_figures(f"Bell-McCaffrey {y}")
        fewer.append(equal["df"] < welch["df"])
        expected = welch.mask(fewer[-1], equal)
        assert_same(make_table(y, cov_type="HC3"), expected, "alone")
    assert np.any(fewer)
    assert not np.all(fewer)


def test_fisher_and_newcombe():
    assert_same(make_table("class"), "Fisher, Newcombe", "alone")


@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_rate_ratios(kind):
    assert_ratios("count", f"quasi-Poisson {kind}", cov_type=kind)


def test_rate_ratios_of_groups():
    assert_ratios("count", "quasi-Poisson CR3", cov_type="HC3", **GROUPS)


def test_cumulative_odds_ratios():
    assert_ratios("stars", "ordered logit", target="ordinal", cov_type="nonrobust")


def test_logit():
    table = make_table("class", **COVARIATE)
    assert (table["method"] == "logit").all()
    assert_same(table, "logit", "joint")


def test_firth_where_a_class_never_occurs():
    table = make_table("rare", **COVARIATE)
    assert (table["method"] == "Firth logit").all()
    assert_same(table, "Firth", "joint", atol=1e-6)


def test_step_down_by_all_permutations():
    rows = pd.read_csv(FOLDER / "step_down_rows.csv")
    expected = pd.read_csv(FOLDER / "step_down.csv").set_index("term")
    model = SeparationModel(rows[expected.index].to_numpy())
    y, rng = rows["y"].to_numpy(), np.random.default_rng(0)
    null, estimates = draw_null(model, y, y, rng, Studentizer())
    np.testing.assert_allclose(estimates.z[0], expected["z"], rtol=1e-6)
    n = 19_999
    drawn = null.draw(n)
    found = {
        "p": marginal_p_values(null.observed, drawn),
        "p_corrected": step_down_p_values(null.observed, drawn),
    }
    for figure, p in found.items():
        exact = expected[figure]
        error = np.sqrt(exact * (1 - exact) / n)
        assert (np.abs(p - exact) < 4 * error).all()
