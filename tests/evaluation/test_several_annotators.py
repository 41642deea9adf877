"""`evaluate_annotations` with the annotations of several annotators."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import (
    evaluate_annotations,
    read_audit_bundle,
    rerun_audit_bundle,
)
from sklearn_hypo._evaluation._annotator_tables import take_vote
from sklearn_hypo._inference._between_annotators import (
    Spread,
    widen_intervals,
    widen_p_values,
)
from sklearn_hypo._inference._multiple_tests import adjust_p_values
from sklearn_hypo.exceptions import HypothesisWarning

NAMES = ["tea", "rain", "snow"]
RNG = np.random.default_rng(5)
TRUTH = (RNG.random((400, 3)) < 0.4).astype(float)
Y = TRUTH @ [0.8, -0.3, 0.0] + RNG.normal(size=400)
TARGETS = {
    "quantity": Y,
    "two": np.where(Y > 0.3, "yes", "no"),
    "three": np.digitize(Y, [-0.4, 0.7]).astype(str),
}
OPTIONS = {"n_resamples": 0, "alpha": 0.05, "correction": "holm"}


def annotate(error, seed):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(TRUTH.shape) < error, 1 - TRUTH, TRUTH)


VOTES = {"gpt": annotate(0.05, 1), "llama": annotate(0.15, 2), "Ann": annotate(0.1, 3)}


def evaluate(annotations, y=Y, **options):
    return evaluate_annotations(annotations, y, **{**OPTIONS, "names": NAMES} | options)


@pytest.fixture(scope="module", params=TARGETS)
def kind(request):
    return request.param


def test_each_is_tested_as_by_itself(kind):
    report = evaluate(VOTES, TARGETS[kind])
    found = report.by_annotator.set_index(["hypothesis", "annotator"])
    assert list(found.index) == [(h, a) for h in NAMES for a in VOTES]
    effects = {"quantity": "coef", "two": "ame", "three": None}[kind]
    for annotator, values in VOTES.items():
        own = evaluate(values, TARGETS[kind]).table.set_index("hypothesis")
        for name in ("prevalence", "coef_p", "p_corrected", "significant"):
            rows = found.xs(annotator, level="annotator")[name]
            np.testing.assert_array_equal(rows, own[name])
        if effects:
            rows = found.xs(annotator, level="annotator")
            np.testing.assert_array_equal(rows[effects], own[effects])
            np.testing.assert_array_equal(rows["separation"], own["separation"])


def test_the_vote_with_what_annotators_differ_in():
    report, table = evaluate(VOTES), evaluate(VOTES).table
    own = [evaluate(each).table for each in VOTES.values()]
    vote = evaluate(take_vote(VOTES)).table
    same = ["n", "missing", "prevalence", "separation", "coef", "coef_std", "vif"]
    pd.testing.assert_frame_equal(table[same], vote[same])
    tests = {"separation": "separation_p_corrected", "coef": "p_corrected"}
    for effect, corrected in tests.items():
        spread = Spread.of(np.array([each[effect] for each in own]))
        ends = (effect, f"{effect}_lower", f"{effect}_upper")
        *bounds, ratio = widen_intervals(*(vote[e].to_numpy() for e in ends), spread)
        np.testing.assert_allclose(table[ends[1]], bounds[0])
        np.testing.assert_allclose(table[ends[2]], bounds[1])
        p = widen_p_values(vote[f"{effect}_p"].to_numpy(), ratio, spread.n)
        np.testing.assert_allclose(table[f"{effect}_p"], p)
        variance = np.var([each[effect] for each in own], axis=0, ddof=1) / 3
        total = vote[f"{effect}_se"] ** 2 + variance
        np.testing.assert_allclose(table[f"{effect}_se"] ** 2, total)
        expected = adjust_p_values(p, np.ones(3, bool), 0.05, "holm")
        np.testing.assert_allclose(table[corrected], expected["p_corrected"])
    coef = np.array([each["coef"] for each in own])
    np.testing.assert_allclose(table["annotators_sd"], coef.std(axis=0, ddof=1))
    np.testing.assert_allclose(table["annotators_smallest"], coef.min(axis=0))
    np.testing.assert_allclose(table["annotators_largest"], coef.max(axis=0))
    p = np.array([each["p_corrected"] for each in own])
    np.testing.assert_allclose(table["annotators_p_largest"], p.max(axis=0))
    np.testing.assert_allclose(table["annotators_p_smallest"], p.min(axis=0))
    np.testing.assert_array_equal(table["naive_lower"], vote["coef_lower"])
    np.testing.assert_array_equal(table["naive_upper"], vote["coef_upper"])
    np.testing.assert_array_equal(table["naive_p"], vote["p_corrected"])
    assert (table["coef_lower"] < table["naive_lower"]).all()
    assert (table["p_corrected"] > table["naive_p"]).all()
    assert report.n_significant == table["significant"].sum() == 1


def test_annotators_that_agree_are_one_annotator(kind):
    one = evaluate(TRUTH, TARGETS[kind])
    three = evaluate(dict.fromkeys("abc", TRUTH), TARGETS[kind])
    columns = one.table.columns.difference(["coef_df", "separation_df"])
    columns = [name for name in columns if "simultaneous" not in name]
    pd.testing.assert_frame_equal(three.table[columns], one.table[columns])
    assert (three.table["annotators_agree"] == 1).all()
    assert three.overall.equals(one.overall)
    assert one.by_annotator is None
    assert "annotator" not in str(one)
    if one.by_class is not None:
        pd.testing.assert_frame_equal(three.by_class, one.by_class)


def test_an_effect_of_one_annotator_alone_is_none():
    """The vote has it naively, but only one of the annotators does."""
    noise = annotate(0.5, 7)
    y = noise[:, 2] + RNG.normal(size=400)
    votes = {"a": noise, "b": annotate(0.5, 8), "c": annotate(0.5, 9)}
    report = evaluate(votes, y, cov_type="HC3")
    row = report.table.loc[2]
    assert row["naive_p"] < 0.01
    assert row["annotators_p_smallest"] < 1e-4
    assert not row["significant"]
    assert row["annotators_agree"] == pytest.approx(2 / 3)
    text = str(report).replace("\n", " ")
    assert "1 of 3 conclusions flip over 3 annotators (a, b, c): snow" in " ".join(
        text.split()
    )


def test_forms_of_annotations():
    expected = evaluate(VOTES).table
    cube = np.stack([*VOTES.values()], axis=2)
    frames = {a: pd.DataFrame(v, columns=NAMES) for a, v in VOTES.items()}
    frames["Ann"] = frames["Ann"][NAMES[::-1]]  # by name, whatever their order
    wide = pd.concat(frames, axis=1, names=["annotator", "hypothesis"])
    swapped = wide.swaplevel(axis=1)
    unnamed = swapped.copy()
    unnamed.columns = unnamed.columns.set_names([None, None])
    for given in (frames, wide, swapped, unnamed):
        report = evaluate(given, names=None)
        pd.testing.assert_frame_equal(report.table, expected)
        assert report.by_annotator["annotator"].unique().tolist() == [*VOTES]
    report = evaluate(cube)
    pd.testing.assert_frame_equal(report.table, expected)
    named = [f"annotator {k}" for k in (1, 2, 3)]
    assert report.by_annotator["annotator"].unique().tolist() == named
    assert evaluate(cube.tolist()).table.equals(report.table)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": TRUTH}, "takes two or more"),
        ({"a": TRUTH, "b": TRUTH[:, :2]}, "that of the first annotator"),
        ({"a": TRUTH, "b": TRUTH[:, 0]}, "from annotators to tables"),
        ({"a": TRUTH, "b": TRUTH + 0.3}, r"annotations\['b'\] must be 1, 0 or NaN"),
        ({"a": TRUTH, "b": TRUTH[:-1]}, "that of the first annotator"),
        (TRUTH[:, :, None], "takes two or more"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        evaluate(given)


def test_frames_of_two_levels_that_are_refused():
    frames = {a: pd.DataFrame(v, columns=NAMES) for a, v in VOTES.items()}
    wide = pd.concat(frames, axis=1).swaplevel(axis=1)
    with pytest.raises(ValueError, match="has no column"):
        evaluate(wide.iloc[:, :-1], names=None)
    with pytest.raises(ValueError, match="more than once"):
        evaluate(pd.concat([wide, wide.iloc[:, :1]], axis=1), names=None)
    other = frames | {"Ann": frames["Ann"].rename(columns={"tea": "coffee"})}
    with pytest.raises(ValueError, match="other columns"):
        evaluate(other, names=None)
    with pytest.raises(ValueError, match="in another order"):
        evaluate(frames | {"Ann": frames["Ann"][::-1]}, pd.Series(Y), names=None)


def test_the_vote():
    nan = np.nan
    votes = {
        "a": np.array([[1, 0, nan, nan, 1]]),
        "b": np.array([[0, 1, 1, nan, nan]]),
    }
    np.testing.assert_array_equal(take_vote(votes), [[1, 0, 1, nan, 1]])
    votes["c"] = np.array([[0, 1, 0, nan, 0]])
    np.testing.assert_array_equal(take_vote(votes), [[0, 1, 1, nan, 1]])
    report = evaluate(VOTES, n_resamples=99)
    vote = evaluate(take_vote(VOTES), n_resamples=99)
    pd.testing.assert_frame_equal(report.overall, vote.overall)
    assert report.permutation_p == vote.permutation_p
    np.testing.assert_array_equal(report.table["prevalence"], vote.table["prevalence"])


def test_what_an_annotator_gives_no_estimate_of():
    never = VOTES | {"never": VOTES["Ann"] * [1, 1, 0]}
    with pytest.warns(HypothesisWarning, match="some annotators give no estimate"):
        report = evaluate(never)
    row = report.table.loc[2]
    assert row["note"] == "not estimated under every annotator (3 of 4)"
    own = report.by_annotator.query("hypothesis == 'snow'")["coef"]
    assert own.isna().sum() == 1
    assert row["annotators_sd"] == pytest.approx(own.std())
    assert report.n_tested == 3
    # the whole is warned of once, each annotator's notes are in the table
    alone = {"a": VOTES["Ann"], "b": VOTES["Ann"] * [1, 1, 0]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = evaluate(alone)
    assert len(caught) == 1
    untold = ["coef_p", "coef_lower", "separation_p", "separation_upper"]
    assert report.table.loc[2, untold].isna().all()
    assert report.n_tested == 2


def test_groups_pairs_and_weights_are_those_of_every_annotator():
    groups = np.repeat(np.arange(100), 4)
    pairs = np.repeat(np.arange(200), 2)
    for beside in ({"groups": groups}, {"pairs": pairs}, {"sample_weight": groups + 1}):
        found = evaluate(VOTES, **beside).by_annotator
        for name, each in VOTES.items():
            own = evaluate(each, **beside).table["coef"]
            rows = found.loc[found["annotator"] == name, "coef"]
            np.testing.assert_array_equal(rows, own)


def test_an_audit_bundle_holds_the_votes(tmp_path, kind):
    votes = VOTES | {"gpt": np.where(annotate(0.02, 4) == TRUTH, VOTES["gpt"], np.nan)}
    report = evaluate(votes, TARGETS[kind])
    report.save(tmp_path / "audit")
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        again = rerun_audit_bundle(tmp_path / "audit")
    pd.testing.assert_frame_equal(again.by_annotator, report.by_annotator)
    pd.testing.assert_frame_equal(again.table, report.table)
    data = read_audit_bundle(tmp_path / "audit").data
    assert [*data.votes] == [*votes]
    for name, values in votes.items():
        np.testing.assert_array_equal(data.votes[name], values)
    evaluate(TRUTH).save(tmp_path / "one")
    assert read_audit_bundle(tmp_path / "one").data.votes is None


def test_every_face_shows_annotators(tmp_path, kind):
    report = evaluate({"a <b>": VOTES["gpt"]} | VOTES, TARGETS[kind])
    values = json.loads(report.to_json())
    assert len(values["by_annotator"]) == 12
    assert values["by_annotator"][0]["annotator"] == "a <b>"
    said = "conclusions flip over 4 annotators"
    report.to_csv(tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv")
    np.testing.assert_allclose(read["naive_lower"], report.table["naive_lower"])
    markdown = report.to_markdown()
    assert said in markdown
    assert markdown.count("| tea |") == 2
    assert said in report.to_latex()
    assert said in report._repr_html_()
    report.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert said in page
    assert page.count("<h3>By annotator</h3>") == 3
    assert "a &lt;b&gt;" in page
    assert "a <b>" not in page
    assert report.plot().get_figure() is not None


def test_rate_ratios_are_widened_as_logarithms():
    y = np.round(np.exp(np.clip(Y, -2, 1.4)))
    table = evaluate(VOTES, y, target="count").table
    vote = evaluate(take_vote(VOTES), y, target="count").table
    own = [evaluate(each, y, target="count").table for each in VOTES.values()]
    ends = ("rate_ratio", "rate_ratio_lower", "rate_ratio_upper")
    spread = Spread.of(np.log([each["rate_ratio"] for each in own]))
    logs = (np.log(vote[end].to_numpy()) for end in ends)
    lower, upper, _ = widen_intervals(*logs, spread)
    np.testing.assert_allclose(table["rate_ratio_lower"], np.exp(lower))
    np.testing.assert_allclose(table["rate_ratio_upper"], np.exp(upper))
    np.testing.assert_array_equal(table["rate_ratio"], vote["rate_ratio"])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_ratio_of_zero_has_no_interval_and_spoils_no_other():
    y = np.where(TRUTH[:, 2] == 1, 0, np.round(np.exp(np.clip(Y, -2, 1.4))))
    annotations = {"a": TRUTH, "b": TRUTH.copy(), "c": annotate(0.1, 3)}
    report = evaluate(annotations, y, target="count")
    bounds = report.table[["rate_ratio_lower", "rate_ratio_upper"]]
    assert report.table["rate_ratio"][2] == 0
    assert bounds.loc[2].isna().all()
    assert bounds.loc[:1].notna().all(axis=None)
    assert report.by_annotator["rate_ratio"].notna().all()


def test_levels_have_odds_of_each_annotator():
    report = evaluate(VOTES, np.digitize(Y, [-0.5, 0.2, 1.0]), target="ordinal")
    vote = evaluate(
        take_vote(VOTES), np.digitize(Y, [-0.5, 0.2, 1.0]), target="ordinal"
    ).table
    wider = report.table["cumulative_odds_ratio_upper"]
    assert (wider > vote["cumulative_odds_ratio_upper"]).all()
    assert report.by_annotator["cumulative_odds_ratio"].notna().all()


def test_holm_stands_for_a_step_down():
    """So that annotators who agree change nothing, and permutations are enough."""
    rng = np.random.default_rng(0)
    A = (rng.random((300, 40)) < 0.4).astype(float)
    y = A[:, 0] + rng.normal(size=300)
    options = {"names": None, "alpha": 0.05}
    found = evaluate(dict.fromkeys("abc", A), y, correction="step-down", **options)
    holm = evaluate(A, y, correction="holm", **options)
    assert found.correction == "holm"
    columns = ["coef_p", "p_corrected", "separation_p_corrected", "significant"]
    pd.testing.assert_frame_equal(found.table[columns], holm.table[columns])
    np.testing.assert_array_equal(found.table["naive_p"], holm.table["p_corrected"])
    assert found.table["significant"][0]
