"""Drawings hold the numbers they were made from, and labels that can be read."""

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_hypo import (
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
    TextEmbedder,
    evaluate_hypotheses,
)
from sklearn_hypo._displays import (
    ActivationHistogramDisplay,
    CoefficientsDisplay,
    NeuronRedundancyDisplay,
    ReplicationDisplay,
    TrainingHistoryDisplay,
)
from sklearn_hypo._displays._figures import wrap_label
from sklearn_hypo._report._details import HypothesisDetail
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import NotTextLabelledError

matplotlib = pytest.importorskip("matplotlib", reason="drawings need matplotlib")
from matplotlib import pyplot as plt  # noqa: E402

LONG = "mentions any of: " + ", ".join(f"an unusually long term {i}" for i in range(30))
HOSTILE = "costs $5 or $6, 100% of fare_in_full <script>alert('x')</script> \\alpha"


@pytest.fixture(autouse=True)
def _no_windows():
    before, figures = plt.get_backend(), set(plt.get_fignums())
    plt.switch_backend("Agg")
    yield
    for number in set(plt.get_fignums()) - figures:
        plt.close(number)
    plt.switch_backend(before)


@pytest.fixture(scope="module")
def texts():
    return make_concept_texts(600, n_concepts=3, random_state=0)


@pytest.fixture(scope="module")
def pipe(texts):
    return make_pipeline(
        TextEmbedder(n_components=16, random_state=0),
        SparseAutoencoderTransformer(16, 2, max_epochs=6, random_state=0),
        NeuronSelector(n_select=4, method="correlation"),
        HypothesisExtractor(random_state=0),
    ).fit(texts.data, texts.target)


def table_of(names, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"neuron": [f"neuron{i:03d}" for i in range(len(names))]})
    table["hypothesis"] = names
    for effect in ("coef", "separation", "ame"):
        value = rng.normal(size=len(names))
        table[effect] = value
        table[f"{effect}_lower"] = value - rng.uniform(0.1, 0.3, size=len(names))
        table[f"{effect}_upper"] = value + rng.uniform(0.1, 0.3, size=len(names))
    for end in ("", "_lower", "_upper"):
        table[f"odds_ratio{end}"] = np.exp(table[f"coef{end}"])
    table["significant"] = np.arange(len(names)) % 2 == 0
    return table


def report_of(names, classes=None, **fields):
    settings = {"classes": classes, "alpha": 0.1, "correction": "holm"}
    settings |= {"by_class": None, "redundancy": None, "details": None} | fields
    settings = {"n_tested": len(names)} | settings
    return SimpleNamespace(table=table_of(names), **settings)


def points_of(display, kind="points_"):
    """Positions of all points as {row: x}."""
    offsets = [p.get_offsets() for p in getattr(display, kind)]
    return {round(row): x for x, row in np.concatenate(offsets)}


def row_labels(ax):
    return [text.get_text().replace("\n", " ") for text in ax.get_yticklabels()]


def assert_nothing_is_cut_off(figure):
    figure.canvas.draw()
    box = figure.get_tightbbox()  # inches that all that is drawn takes
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0) >= -0.01
    assert box.x1 <= width + 0.01
    assert box.y1 <= height + 0.01


# Labels ---------------------------------------------------------------------------


def test_a_label_keeps_its_text_and_ends_long_ones():
    assert wrap_label("mentions tea") == "mentions tea"
    assert wrap_label("one\ttwo\nthree") == "one two three"
    lines = wrap_label(LONG).split("\n")
    assert len(lines) == 2
    assert max(map(len, lines)) <= 53
    assert lines[-1].endswith("…")


def test_a_picture_that_the_font_lacks_is_named():
    assert (
        wrap_label("mentions \U0001f923") == "mentions [rolling on the floor laughing]"
    )
    assert wrap_label("mentions é and ☺") == "mentions é and ☺"


def test_hostile_wording_is_drawn_as_it_is():
    display = CoefficientsDisplay.from_report(report_of([HOSTILE, "$x_1$"]), sort=False)
    assert row_labels(display.ax_) == [HOSTILE, "$x_1$"]
    for text in display.ax_.get_yticklabels():
        assert not text.get_parse_math()
    display.figure_.canvas.draw()  # and is not read as a broken formula


@pytest.mark.parametrize("n", [1, 20])
def test_labels_of_long_hypotheses_are_not_cut_off(n):
    names = [f"{i} {LONG}" for i in range(n)]
    report = report_of(names)
    correlation = np.corrcoef(np.random.default_rng(0).normal(size=(n, 50)))
    report.redundancy = SimpleNamespace(correlation=np.atleast_2d(correlation))
    for effect in ("coef", "separation", "ame") if n == 1 else ("separation",):
        for classes in (None, ("a class of its own", "another class of its own")):
            report.classes = classes
            display = CoefficientsDisplay.from_report(report, effect=effect)
            assert_nothing_is_cut_off(display.figure_)
    assert_nothing_is_cut_off(NeuronRedundancyDisplay.from_report(report).figure_)
    replication = replication_of(names, np.full((n, 5), 0.8))
    replication.null_correlation = 0.1
    assert_nothing_is_cut_off(ReplicationDisplay.from_report(replication).figure_)
    report.details = (detail_of(),) * n
    display = ActivationHistogramDisplay.from_report(report, 0)
    assert_nothing_is_cut_off(display.figure_)


# Coefficients ---------------------------------------------------------------------


@pytest.mark.parametrize("effect", ["auto", "coef", "separation", "ame"])
def test_points_and_intervals_are_those_of_the_table(effect):
    report = report_of([f"hypothesis {i}" for i in range(7)])
    display = CoefficientsDisplay.from_report(report, effect=effect, sort=False)
    column = "coef" if effect == "auto" else effect
    table = report.table
    assert points_of(display) == dict(enumerate(table[column]))
    ends = [segment[:, 0] for segment in display.intervals_[0].get_segments()]
    np.testing.assert_array_equal(ends, table[[f"{column}_lower", f"{column}_upper"]])
    assert row_labels(display.ax_) == table["hypothesis"].tolist()
    assert display.ax_.get_ylim() == (6.5, -0.5)  # the first on top


def test_names_stand_before_their_statements():
    report = report_of(["mentions tea", "mentions rain"])
    report.table["name"] = ["hot drinks", ""]
    display = CoefficientsDisplay.from_report(report, sort=False)
    assert row_labels(display.ax_) == ["hot drinks: mentions tea", "mentions rain"]


def test_the_largest_effect_is_on_top_and_what_is_missing_at_the_bottom():
    report = report_of(["a", "b", "c", "d"])
    report.table["coef"] = [0.1, np.nan, -2.0, 3.0]
    display = CoefficientsDisplay.from_report(report)
    assert row_labels(display.ax_) == ["d", "a", "c", "b"]
    assert points_of(display) == {0: 3.0, 1: 0.1, 2: -2.0}
    assert [t.get_text() for t in display.ax_.texts] == ["not estimated"]


def test_filled_points_are_significant():
    report = report_of(["a", "b", "c"])
    filled, hollow = CoefficientsDisplay.from_report(report, sort=False).points_
    assert filled.get_offsets()[:, 1].tolist() == [0, 2]
    assert hollow.get_offsets()[:, 1].tolist() == [1]
    np.testing.assert_array_equal(hollow.get_facecolor()[0], [1, 1, 1, 1])
    assert tuple(filled.get_facecolor()[0]) == tuple(filled.get_edgecolor()[0])
    assert "holm, 0.1" in filled.axes.get_xlabel()


def test_odds_ratios_have_a_logarithmic_axis_and_their_line_at_one():
    report = report_of(["a", "b"], classes=("bad", "good"))
    display = CoefficientsDisplay.from_report(report, effect="odds_ratio", sort=False)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.lines[0].get_xdata()[0] == 1
    assert points_of(display) == dict(enumerate(report.table["odds_ratio"]))
    assert "good" in display.ax_.get_xlabel()


def test_an_interval_without_an_end_reaches_the_edge():
    report = report_of(["a", "b"])
    report.table.loc[0, "coef_upper"] = np.inf
    display = CoefficientsDisplay.from_report(report, sort=False)
    end = display.intervals_[0].get_segments()[0][1, 0]
    assert end == display.ax_.get_xlim()[1]
    display.figure_.canvas.draw()


def by_class_of(names, classes):
    rng = np.random.default_rng(1)
    rows = [{"hypothesis": name, "class": c} for c in classes for name in names]
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    for effect in ("separation", "ame"):
        table[effect] = rng.normal(size=len(table))
        table[f"{effect}_lower"] = table[effect] - 0.1
        table[f"{effect}_upper"] = table[effect] + 0.1
    return table


@pytest.mark.parametrize("effect", ["auto", "ame"])
def test_more_than_two_classes_have_a_facet_each(effect):
    names, classes = ["a", "b"], ("neg", "neutral", "pos")
    by_class = by_class_of(names, classes)
    report = report_of(names, classes=classes, by_class=by_class)
    display = CoefficientsDisplay.from_report(report, effect=effect, sort=False)
    assert [ax.get_title() for ax in display.ax_] == list(classes)
    column = "separation" if effect == "auto" else effect
    for ax, name in zip(display.ax_, classes, strict=True):
        of = by_class[by_class["class"] == name].set_index("hypothesis")
        drawn = np.concatenate(
            [p.get_offsets() for p in display.points_ if p.axes is ax]
        )
        expected = [[of.loc[n, column], i] for i, n in enumerate(names)]
        np.testing.assert_array_equal(drawn[np.argsort(drawn[:, 1])], expected)


def test_facets_divide_the_axes_given_or_take_one_each():
    names, classes = ["a", "b"], (0, 1, 2)
    by_class = by_class_of(names, classes)
    report = report_of(names, classes=classes, by_class=by_class)
    figure, ax = plt.subplots(layout="constrained")
    display = CoefficientsDisplay.from_report(report, ax=ax)
    assert display.figure_ is figure
    assert [each in ax.child_axes for each in display.ax_] == [True] * 3
    figure, axes = plt.subplots(1, 3)
    display = CoefficientsDisplay.from_report(report, ax=axes)
    assert list(display.ax_) == list(axes)
    with pytest.raises(TypeError, match="a sequence of 3"):
        CoefficientsDisplay.from_report(report, ax=axes[:2])


def test_the_largest_class_is_named_where_there_are_no_facets():
    report = report_of(["a", "b"], classes=("x", "y", "z"))
    report.table["separation_class"] = ["z", "x"]
    display = CoefficientsDisplay.from_report(report, by_class=False, sort=False)
    assert row_labels(display.ax_) == ["z: a", "x: b"]
    assert points_of(display) == dict(enumerate(report.table["separation"]))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"effect": "odd_ratio"}, "Did you mean 'odds_ratio'"),
        ({"by_class": True}, "more than two classes"),
        ({"by_class": "yes"}, "'yes' arrived"),
    ],
)
def test_wrong_settings_of_coefficients(keywords, message):
    with pytest.raises(ValueError, match=message):
        CoefficientsDisplay.from_report(report_of(["a"]), **keywords)


def test_effects_that_a_report_has_not():
    report = report_of(["a"], classes=(0, 1, 2))
    with pytest.raises(ValueError, match="not one number for 3 classes"):
        CoefficientsDisplay.from_report(report, effect="coef")
    report = report_of(["a"])
    report.table = report.table.drop(columns="ame_upper")
    with pytest.raises(ValueError, match=r"'ame_upper'.*effects: coef, separation"):
        CoefficientsDisplay.from_report(report, effect="ame")


def test_keywords_reach_the_artists():
    display = CoefficientsDisplay.from_report(
        report_of(["a", "b"]),
        point_kw={"c": "black", "s": 10},
        interval_kw={"lw": 5, "color": "red"},
        reference_kw={"ls": ":"},
    )
    assert display.points_[0].get_sizes()[0] == 10
    assert tuple(display.points_[0].get_facecolor()[0]) == (0, 0, 0, 1)
    assert display.intervals_[0].get_linewidth()[0] == 5
    assert display.ax_.lines[0].get_linestyle() == ":"


def test_a_real_report_can_be_drawn(pipe, texts):
    report = evaluate_hypotheses(pipe, texts.data, texts.target)
    display = CoefficientsDisplay.from_report(report)
    drawn = sorted(points_of(display).values())
    np.testing.assert_allclose(drawn, np.sort(report.table["coef"].dropna()))


# Activations ----------------------------------------------------------------------


def test_histogram_of_an_estimator_counts_every_answered_text(pipe, texts):
    display = ActivationHistogramDisplay.from_estimator(pipe, texts.data, 0)
    annotations = pipe.transform(texts.data).iloc[:, 0]
    neuron = pipe[-1].hypotheses_["neuron"].iloc[0]
    activation = pipe[:-1].transform(texts.data)[neuron]
    for value, counts, n_zero in (
        (1, display.counts_present, display.n_zero[0]),
        (0, display.counts_absent, display.n_zero[1]),
    ):
        group = activation[(annotations == value).to_numpy()]
        assert n_zero == (group == 0).sum()
        assert counts.sum() == (group > 0).sum()
    assert display.bin_edges[-1] == activation.max()
    heights = display.bars_[0].get_data().values
    total = display.counts_present.sum() + display.n_zero[0]
    np.testing.assert_allclose(heights, display.counts_present / total)
    assert neuron in display.ax_.get_xlabel()


def test_a_neuron_is_found_by_name_wording_and_row(pipe, texts):
    frame = pipe[:-1].transform(texts.data)
    row = pipe[-1].hypotheses_.iloc[1]
    displays = [
        ActivationHistogramDisplay.from_estimator(pipe[-1], frame, wanted)
        for wanted in (
            1,
            -len(pipe[-1].hypotheses_) + 1,
            *row[["neuron", "hypothesis"]],
        )
    ]
    assert {display.neuron for display in displays} == {row["neuron"]}


def test_an_unknown_neuron_is_answered_with_those_alike(pipe, texts):
    wording = pipe[-1].hypotheses_["hypothesis"].iloc[0]
    with pytest.raises(ValueError, match=r"neuron='.*Did you mean") as caught:
        ActivationHistogramDisplay.from_estimator(pipe, texts.data, wording[:-2])
    assert repr(wording) in str(caught.value)
    with pytest.raises(ValueError, match=r"neuron=99, but .* from 0 to 3"):
        ActivationHistogramDisplay.from_estimator(pipe, texts.data, 99)
    with pytest.raises(TypeError, match="but float arrived"):
        ActivationHistogramDisplay.from_estimator(pipe, texts.data, 1.5)


def test_wrong_estimators_of_activations(pipe, texts):
    draw = ActivationHistogramDisplay.from_estimator
    with pytest.raises(TypeError, match="arrived, which ends in NeuronSelector"):
        draw(pipe[:-1], texts.data, 0)
    with pytest.raises(NotFittedError):
        draw(HypothesisExtractor(), texts.data, 0)
    search = GridSearchCV(pipe, {"neuronselector__n_select": [2]})
    with pytest.raises(NotFittedError, match="best_estimator_"):
        draw(search, texts.data, 0)
    with pytest.raises(NotTextLabelledError):
        draw(pipe[-1], np.ones((3, 4)), 0)


def detail_of(edges=(0.0, 0.5, 1.0), neurons=()):
    return HypothesisDetail(
        neurons=neurons,
        bin_edges=edges,
        counts_present=(1, 6),
        counts_absent=(2, 0),
        n_zero=(3, 18),
    )


def test_histogram_of_a_report():
    details = (HypothesisDetail(), detail_of(neurons=("neuron001", "neuron004")))
    report = report_of(["mentions tea", "mentions rain"], details=details)
    display = ActivationHistogramDisplay.from_report(report, "mentions rain")
    np.testing.assert_allclose(display.bars_[0].get_data().values, [0.1, 0.6])
    np.testing.assert_allclose(display.bars_[1].get_data().values, [0.1, 0.0])
    np.testing.assert_array_equal(display.bars_[1].get_data().edges, [0, 0.5, 1])
    assert display.ax_.get_title() == "mentions rain"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [
        "10 texts have it (3 at 0, not drawn)",
        "20 texts lack it (18 at 0, not drawn)",
    ]
    assert display.ax_.get_xlabel() == "activation of neuron001, neuron004"
    for wanted in ("neuron004", "neuron001, neuron004", 1):
        again = ActivationHistogramDisplay.from_report(report, wanted)
        assert again.hypothesis == "mentions rain"
    with pytest.raises(ValueError, match="Did you mean 'mentions rain'"):
        ActivationHistogramDisplay.from_report(report, "mention rain")


@pytest.mark.parametrize("details", [None, (detail_of(()),)])
def test_a_report_without_activations_says_so(details):
    with pytest.raises(ValueError, match="no activations for hypothesis=0"):
        ActivationHistogramDisplay.from_report(report_of(["a"], details=details), 0)


# Training -------------------------------------------------------------------------


def test_curves_are_the_history(pipe):
    sae = pipe[1]
    for estimator in (sae, pipe):
        display = TrainingHistoryDisplay.from_estimator(estimator)
        assert len(display.axes_) == 3
        for name in ("loss", "validation_error", "n_dead", "learning_rate"):
            x, y = display.lines_[name].get_data()
            np.testing.assert_array_equal(x, sae.history_["epoch"])
            np.testing.assert_array_equal(y, sae.history_[name])
    best = sae.history_.loc[sae.history_["validation_error"].idxmin(), "epoch"]
    assert display.kept == best


def test_the_kept_epoch_weighs_the_target_as_training_did():
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [0.9, 0.8, 0.7]})
    history["validation_error"] = [0.5, 0.4, 0.45]
    history["target_error"] = [0.2, 0.5, 0.3]
    sae = SupervisedSAETransformer(8, 2, alpha=0.7)
    sae.history_ = history
    assert TrainingHistoryDisplay.from_estimator(sae).kept == 1
    sae.alpha = 0.2
    assert TrainingHistoryDisplay.from_estimator(sae).kept == 2


def test_without_validation_rows_the_last_epoch_is_kept():
    X = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    sae = SparseAutoencoderTransformer(
        4, 1, max_epochs=3, validation_fraction=None, random_state=0
    ).fit(X)
    display = TrainingHistoryDisplay.from_estimator(sae)
    assert "validation_error" not in display.lines_
    assert display.kept == 3


def test_a_given_axes_gets_the_errors_alone(pipe):
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(pipe, ax=ax, line_kw={"lw": 4})
    assert display.ax_ is ax
    assert figure.axes == [ax]
    assert list(display.lines_) == ["loss", "validation_error"]
    assert display.lines_["loss"].get_linewidth() == 4


def test_curves_of_several_fits_do_not_touch():
    X = np.random.default_rng(0).normal(size=(200, 6))
    sae = SparseAutoencoderTransformer(4, 2, n_fits=2, max_epochs=3, random_state=0)
    display = TrainingHistoryDisplay.from_estimator(sae.fit(X))
    x, y = display.lines_["loss"].get_data()
    np.testing.assert_array_equal(x, [1, 2, 3, np.nan, 1, 2, 3])
    loss = sae.history_["loss"]
    np.testing.assert_array_equal(y, [*loss[:3], np.nan, *loss[3:]])
    assert display.kept is None


def test_wrong_estimators_of_histories(pipe):
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(SparseAutoencoderTransformer())
    with pytest.raises(TypeError, match="LinearRegression arrived, which holds none"):
        TrainingHistoryDisplay.from_estimator(LinearRegression())


# Redundancy -----------------------------------------------------------------------


def test_the_matrix_is_the_correlation_in_the_order_drawn(pipe, texts):
    display = NeuronRedundancyDisplay.from_estimator(pipe[:-1], texts.data)
    activations = pipe[:-1].transform(texts.data)
    order = display.order_
    expected = np.corrcoef(activations.to_numpy(dtype=float).T)[np.ix_(order, order)]
    np.testing.assert_allclose(display.image_.get_array(), expected, atol=1e-12)
    assert row_labels(display.ax_) == activations.columns[order].tolist()


def test_hypotheses_are_written_beside_their_neurons(pipe, texts):
    display = NeuronRedundancyDisplay.from_estimator(pipe, texts.data, cluster=False)
    neurons = pipe[:-1].get_feature_names_out()
    for name, neuron in zip(display.names, neurons, strict=True):
        of = pipe[-1].hypotheses_.set_index("neuron")["hypothesis"]
        assert name == f"{neuron}: {of[neuron]}"
    np.testing.assert_array_equal(display.order_, range(len(neurons)))


def test_twins_and_opposites_lie_side_by_side():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(500, 8)).astype(float)
    A[:, 6], A[:, 4] = A[:, 1], 1 - A[:, 1]
    display = NeuronRedundancyDisplay(
        correlation=np.corrcoef(A.T), names=list("abcdefgh")
    ).plot()
    places = np.sort([list(display.order_).index(i) for i in (1, 4, 6)])
    assert np.ptp(places) == 2
    assert display.image_.get_clim() == (-1, 1)


def test_sparse_and_dense_activations_correlate_alike():
    X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
    sae = SparseAutoencoderTransformer(8, 2, max_epochs=2, random_state=0).fit(X)
    dense = NeuronRedundancyDisplay.from_estimator(sae, X)
    sae.output = "sparse"
    assert sparse.issparse(sae.transform(X))
    display = NeuronRedundancyDisplay.from_estimator(sae, X)
    np.testing.assert_allclose(display.correlation, dense.correlation, atol=1e-10)
    assert display.names == [f"neuron{i:03d}" for i in range(8)]


def test_a_neuron_that_does_not_vary_has_no_correlation(recwarn):
    values = np.random.default_rng(0).random((50, 3)).astype(np.float32)
    values[:, 1] = 0.1
    transformer = FunctionTransformer().fit(values)
    display = NeuronRedundancyDisplay.from_estimator(transformer, values)
    assert display.names == ["x0", "x1", "x2"]
    assert np.isnan(display.correlation).tolist() == [
        [False, True, False],
        [True, True, True],
        [False, True, False],
    ]
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_many_neurons_have_no_labels_that_cover_each_other():
    correlation = np.corrcoef(np.random.default_rng(0).normal(size=(90, 30)))
    names = [f"neuron{i:03d}" for i in range(90)]
    display = NeuronRedundancyDisplay(correlation=correlation, names=names).plot()
    assert row_labels(display.ax_) == []
    assert "90" in display.ax_.get_ylabel()


def test_wrong_inputs_of_redundancy(texts):
    with pytest.raises(ValueError, match="redundancy is None"):
        NeuronRedundancyDisplay.from_report(report_of(["a"]))
    with pytest.raises(TypeError, match="LinearRegression arrived"):
        NeuronRedundancyDisplay.from_estimator(LinearRegression(), texts.data)
    with pytest.raises(NotFittedError):
        NeuronRedundancyDisplay.from_estimator(NeuronSelector(), np.ones((3, 2)))


# Replication ----------------------------------------------------------------------


def replication_of(names, correlations, threshold=0.7):
    correlations = np.asarray(correlations, dtype=float)
    found = (correlations >= threshold).sum(axis=1)
    table = pd.DataFrame({"hypothesis": names, "n_found": found})
    table["n_runs"] = correlations.shape[1]
    settings = {"threshold": threshold, "null_correlation": np.nan}
    return SimpleNamespace(table=table, correlations=correlations, **settings)


def test_every_match_is_a_point_beside_its_share():
    correlations = [[0.9, 0.2, 0.8], [0.9, 0.95, 0.9], [0.1, np.nan, 0.3]]
    report = replication_of(["a", "b", "c"], correlations)
    display = ReplicationDisplay.from_report(report)
    assert row_labels(display.ax_) == ["b", "a", "c"]
    assert [s.get_text() for s in display.shares_] == ["3 of 3", "2 of 3", "0 of 3"]
    found, missed = (p.get_offsets() for p in display.points_)
    assert np.sort(found[:, 0]).tolist() == [0.8, 0.9, 0.9, 0.9, 0.95]
    assert np.sort(missed[:, 0]).tolist() == [0.1, 0.2, 0.3]
    rows = np.round(found[:, 1])
    assert np.sort(found[rows == 0, 0]).tolist() == [0.9, 0.9, 0.95]
    assert display.ax_.lines[0].get_xdata()[0] == 0.7
    assert "chance" not in display.ax_.get_xlabel()
    unsorted = ReplicationDisplay.from_report(report, sort=False)
    assert row_labels(unsorted.ax_) == ["a", "b", "c"]


def test_what_chance_gives_is_a_line_of_its_own():
    report = replication_of(["a"], [[0.9, 0.3]])
    report.null_correlation = 0.12
    display = ReplicationDisplay.from_report(report)
    assert [line.get_xdata()[0] for line in display.ax_.lines] == [0.7, 0.12]
    assert "chance (0.12)" in display.ax_.get_xlabel()


# All ------------------------------------------------------------------------------


def displays():
    report = report_of(["a", "b", "c"], details=(detail_of(),) * 3)
    report.redundancy = SimpleNamespace(correlation=np.eye(3))
    sae = SparseAutoencoderTransformer(4, 1, max_epochs=1, random_state=0)
    sae.fit(np.random.default_rng(0).normal(size=(40, 4)))
    replication = replication_of(["a"], [[0.9, 0.3]])
    yield lambda ax: CoefficientsDisplay.from_report(report, ax=ax)
    yield lambda ax: ActivationHistogramDisplay.from_report(report, 0, ax=ax)
    yield lambda ax: NeuronRedundancyDisplay.from_report(report, ax=ax)
    yield lambda ax: TrainingHistoryDisplay.from_estimator(sae, ax=ax)
    yield lambda ax: ReplicationDisplay.from_report(replication, ax=ax)


@pytest.mark.parametrize("i", range(5))
def test_axes_that_are_given_are_drawn_on_and_none_makes_a_figure(i):
    draw = list(displays())[i]
    figure, ax = plt.subplots(layout="constrained")
    before = plt.get_fignums()
    display = draw(ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == before
    assert display.plot(ax=ax) is display
    display = draw(None)
    assert display.figure_ is not figure
    assert_nothing_is_cut_off(display.figure_)
    with pytest.raises(TypeError, match=r"ax= expects one .* str(ing)? .*arrived"):
        draw("ax")


@pytest.mark.parametrize("i", range(5))
def test_without_matplotlib_the_message_says_what_to_install(i, monkeypatch):
    draw = list(displays())[i]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match="pip install matplotlib"):
            draw(None)


@pytest.mark.parametrize(
    "display",
    [CoefficientsDisplay, NeuronRedundancyDisplay, ReplicationDisplay],
)
def test_what_is_no_report(display):
    with pytest.raises(TypeError, match=r"report= expects .* LinearRegression arrived"):
        display.from_report(LinearRegression())
