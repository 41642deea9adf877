import json
import sys
import warnings
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline

from sklearn_hypo._embedding._text_embedder import TextEmbedder
from sklearn_hypo._evaluation._hypotheses import evaluate_hypotheses
from sklearn_hypo._evaluation._rerun import rerun_audit_bundle
from sklearn_hypo._report._report import HypothesisReport
from sklearn_hypo._report._words import format_p
from sklearn_hypo.exceptions import HypothesisWarning

WORDS = ["tea", "rain", "why", "snow"]


class WordHypotheses(TransformerMixin, BaseEstimator):
    """Stands in for the extractor: a hypothesis for each of the given words."""

    def __init__(self, words=WORDS, statements=None, task="regression"):
        self.words = words
        self.statements = statements
        self.task = task

    def fit(self, X, y):
        self.calls_ = 0
        statements = self.statements or [f"mentions {word}" for word in self.words]
        self.hypotheses_ = pd.DataFrame(
            {
                "neuron": [f"neuron{j:03d}" for j in range(len(self.words))],
                "hypothesis": pd.Series(statements, dtype=object),
                "f1": [0.9, np.nan, 0.5, 0.7][: len(self.words)],
            }
        )
        self.task_ = self.task
        if self.task_ == "classification":
            self.classes_ = np.unique(y)
            model = LogisticRegression()
        else:
            model = LinearRegression()
        self.means_ = np.nan_to_num(np.nanmean(self._annotate(X), axis=0))
        self.final_estimator_ = model.fit(self._imputed(self._annotate(X)), y)
        return self

    def _annotate(self, X):
        rows = [
            [np.nan if "?" in text else float(word in text) for word in self.words]
            for text in X
        ]
        return np.array(rows, dtype=float).reshape(len(X), len(self.words))

    def _imputed(self, A):
        return np.where(np.isnan(A), self.means_, A)

    def transform(self, X):
        self.calls_ += 1
        statements = pd.Index(self.hypotheses_["hypothesis"], dtype=object)
        index = pd.Index(list(X), dtype=object, name="text")
        return pd.DataFrame(self._annotate(X), index=index, columns=statements)

    def predict_annotations(self, A):
        A = self._imputed(np.asarray(A))
        if self.task_ == "regression":
            return self.final_estimator_.predict(A)[:, None]
        probability = self.final_estimator_.predict_proba(A)
        return probability[:, 1:] if len(self.classes_) == 2 else probability


def make_fillers(n, seed=0):
    """Words by which texts differ that are otherwise a few words long."""
    return [
        blake2b(f"{seed} {i}".encode(), digest_size=12).hexdigest() for i in range(n)
    ]


def make_texts(n=300, seed=0, kind="regression"):
    rng = np.random.default_rng(seed)
    holds = rng.random((n, len(WORDS))) < 0.4
    texts = [
        " ".join([filler, *(w for w, h in zip(WORDS, row, strict=True) if h)])
        for filler, row in zip(make_fillers(n, seed), holds, strict=True)
    ]
    y = holds @ [1.0, -0.8, 0.0, 0.3] + rng.normal(size=n)
    if kind == "binary":
        y = np.where(y > 0, "pos", "neg")
    elif kind == "three":
        y = np.array(["low", "mid", "top"])[np.digitize(y, [-0.3, 0.7])]
    return texts, y


def fitted(kind="regression", **params):
    task = "regression" if kind == "regression" else "classification"
    texts, y = make_texts(seed=1, kind=kind)
    return WordHypotheses(task=task, **params).fit(texts, y)


def quiet(estimator, X, y, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return evaluate_hypotheses(estimator, X, y, **{"n_resamples": 9} | kwargs)


def report_of(statements, **kwargs):
    texts, y = make_texts()
    return quiet(fitted(statements=statements), texts, y, **kwargs)


# evaluate_hypotheses --------------------------------------------------------------


def test_regression():
    texts, y = make_texts()
    extractor = fitted()
    report = quiet(extractor, texts, y)
    table = report.table
    columns = """
        neuron hypothesis fidelity n missing prevalence
        separation separation_se separation_lower separation_upper
        separation_simultaneous_lower separation_simultaneous_upper
        separation_p separation_df separation_p_corrected separation_std
        coef coef_se coef_lower coef_upper
        coef_simultaneous_lower coef_simultaneous_upper
        coef_p coef_df coef_std
        vif p_corrected significant method duplicate_of note
    """
    assert list(table.columns) == columns.split()
    assert table["hypothesis"].tolist() == [f"mentions {w}" for w in WORDS]
    assert table["neuron"].tolist() == [f"neuron{j:03d}" for j in range(4)]
    np.testing.assert_array_equal(table["fidelity"], [0.9, np.nan, 0.5, 0.7])
    assert table.loc[0, "coef"] == pytest.approx(1, abs=0.3)
    assert table.loc[0, "significant"]
    assert not table.loc[2, "significant"]
    A = extractor.transform(texts).to_numpy()
    assert report.r2 == pytest.approx(LinearRegression().fit(A, y).score(A, y))
    assert report.r2_adjusted < report.r2
    model = extractor.final_estimator_
    assert report.r2_out_of_sample == pytest.approx(model.score(A, y))
    assert report.r2_out_of_sample < report.r2
    assert np.isnan(report.roc_auc)
    assert report.task == "regression"
    assert (report.n_rows, report.n_joint, report.n_tested) == (300, 300, 4)
    assert (report.alpha, report.correction) == (0.05, "step-down")


def test_texts_are_annotated_once():
    texts, y = make_texts()
    extractor = fitted()
    evaluate_hypotheses(extractor, texts, y)
    assert extractor.calls_ == 1


def test_bad_y_costs_no_annotation():
    texts, y = make_texts()
    extractor = fitted()
    with pytest.raises(ValueError, match="NaN: 1 of 300"):
        evaluate_hypotheses(extractor, texts, [np.nan, *y[1:]])
    with pytest.raises(ValueError, match=r"differ in length \(300 and 299\)"):
        evaluate_hypotheses(extractor, texts, y[1:])
    assert extractor.calls_ == 0


@pytest.mark.parametrize("kind", ["binary", "three"])
def test_classes(kind):
    texts, y = make_texts(kind=kind)
    extractor = fitted(kind)
    report = quiet(extractor, texts, y)
    scores = extractor.predict_annotations(extractor.transform(texts))
    expected = roc_auc_score(
        y, scores[:, 0] if kind == "binary" else scores, multi_class="ovr"
    )
    assert report.roc_auc_out_of_sample == pytest.approx(expected)
    assert 0.5 < report.roc_auc_out_of_sample < report.roc_auc + 0.02
    assert 0 < report.pseudo_r2 < 1
    assert np.isnan(report.r2)
    assert np.isnan(report.r2_out_of_sample)
    assert report.classes == tuple(np.unique(y).tolist())
    assert ("separation_class" in report.table) == (kind == "three")
    assert "ROC AUC out-of-sample: fit on the training texts" in str(report)


def test_second_class_is_one():
    texts, y = make_texts(kind="binary")
    report = quiet(fitted("binary"), texts, y)
    has_tea = np.array(["tea" in text for text in texts])
    difference = (y[has_tea] == "pos").mean() - (y[~has_tea] == "pos").mean()
    assert report.table.loc[0, "separation"] == pytest.approx(difference)
    assert "y: 1 for 'pos', 0 for 'neg'" in str(report)


def test_missing_annotations_stay_missing():
    texts, y = make_texts()
    texts[:30] = [text + "?" for text in texts[:30]]
    extractor = fitted()
    report = quiet(extractor, texts, y)
    assert (report.table["missing"] == 30).all()
    assert (report.table["n"] == 270).all()
    assert (report.n_rows, report.n_joint) == (300, 270)
    rest = quiet(extractor, texts[30:], y[30:])
    np.testing.assert_allclose(report.table["coef"], rest.table["coef"])
    predicted = extractor.predict_annotations(extractor.transform(texts))
    expected = r2_score(y, predicted)
    assert report.r2_out_of_sample == pytest.approx(expected)


class Account(TransformerMixin, BaseEstimator):
    """Stands in for a step that calls a language model."""

    def __init__(self, calls):
        self.calls = calls

    def fit(self, X=None, y=None):
        self.usage_ = {"model": "m", "calls": self.calls, "cost": 0.5}
        return self

    def transform(self, X):
        return X


def test_usage_of_all_language_models_is_told():
    texts, y = make_texts()
    pipe = make_pipeline(Account(3), WordHypotheses()).fit(*make_texts(seed=1))
    pipe[-1].annotator_, pipe[-1].interpreter_ = Account(5).fit(), Account(2).fit()
    pipe[-1].usage_ = {"model": "of the fit", "calls": 9}
    usage = quiet(pipe, texts, y, n_resamples=0).usage
    assert dict(zip(usage["role"], usage["calls"], strict=True)) == {
        "account": 3,
        "interpreter": 2,
        "annotator": 5,
    }
    pipe[-1].interpreter_ = None
    usage = quiet(pipe[-1], texts, y, n_resamples=0).usage
    assert dict(zip(usage["role"], usage["calls"], strict=True)) == {"annotator": 5}


def test_pipeline_and_search_are_unwrapped():
    class Search:
        def __init__(self, best):
            self.best_estimator_ = best

    texts, y = make_texts()
    expected = quiet(fitted(), texts, y)
    pipe = make_pipeline(None, WordHypotheses()).fit(*make_texts(seed=1))
    for estimator in (pipe, Search(pipe)):
        found = quiet(estimator, texts, y)
        pd.testing.assert_frame_equal(found.table, expected.table)
        assert found.r2_out_of_sample == expected.r2_out_of_sample


def test_an_extractor_right_after_the_embedder():
    class AfterEmbedder(WordHypotheses):
        def fit(self, X, y):
            return super().fit(X.index, y)

        def transform(self, X):
            return super().transform(X.index)

    texts, y = make_texts()
    pipe = make_pipeline(TextEmbedder(), AfterEmbedder()).fit(*make_texts(seed=1))
    found = quiet(pipe, texts, y)
    pd.testing.assert_frame_equal(found.table, quiet(fitted(), texts, y).table)
    assert "r2_embeddings" in set(found.overall["name"])


def test_warnings_point_at_the_caller():
    texts, y = make_texts()
    texts = [text.replace("snow", "") for text in texts]
    match = r"'mentions snow' \(true of 0"
    with pytest.warns(HypothesisWarning, match=match) as caught:
        evaluate_hypotheses(fitted(), texts, y)
    assert {w.filename for w in caught} == {__file__}


def test_constant_y_has_no_score():
    texts, _ = make_texts()
    with pytest.warns(HypothesisWarning, match="single value"):
        report = evaluate_hypotheses(fitted(), texts, [1.5] * 300)
    assert np.isnan([report.r2, report.r2_out_of_sample]).all()
    with pytest.warns(HypothesisWarning, match="single value"):
        report = evaluate_hypotheses(fitted("binary"), texts, ["pos"] * 300)
    assert np.isnan([report.roc_auc, report.roc_auc_out_of_sample]).all()
    assert report.classes == ("neg", "pos")


def test_absent_third_class_ends_in_a_warning(tmp_path):
    texts, y = make_texts(kind="three")
    y = np.where(y == "top", "mid", y)
    with pytest.warns(HypothesisWarning, match="No score out of sample"):
        report = evaluate_hypotheses(fitted("three"), texts, y)
    assert np.isnan(report.roc_auc_out_of_sample)
    assert report.roc_auc > 0.5
    report.save(tmp_path / "audit")
    again = rerun_audit_bundle(tmp_path / "audit")
    assert again.classes == report.classes == ("low", "mid", "top")
    pd.testing.assert_frame_equal(again.by_class, report.by_class)


def test_task_other_than_that_of_fit():
    texts, y = make_texts(kind="binary")
    with pytest.warns(HypothesisWarning, match="fitted for classification"):
        report = evaluate_hypotheses(
            fitted("binary"), texts, 1.0 * (y == "pos"), task="regression"
        )
    assert 0 < report.r2 < 1
    assert np.isnan(report.r2_out_of_sample)


def test_unseen_class():
    texts, y = make_texts(kind="binary")
    y = y.astype(object)
    y[0] = "neutral"
    with pytest.raises(ValueError, match=r"not there in fit: \['neutral'\]"):
        evaluate_hypotheses(fitted("binary"), texts, y)


def test_no_hypotheses():
    texts, y = make_texts()
    extractor = fitted()
    extractor.hypotheses_ = extractor.hypotheses_.iloc[:0]
    extractor.words = []
    extractor.means_ = np.zeros(0)
    extractor.final_estimator_.predict = lambda A: np.zeros(len(A))
    with pytest.warns(HypothesisWarning, match="No hypothesis"):
        report = evaluate_hypotheses(extractor, texts, y)
    assert len(report.table) == 0
    assert "0 hypotheses tested" in str(report)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1.0}, "alpha"),
        ({"alpha": -0.1}, "alpha"),
        ({"n_resamples": -1}, "n_resamples"),
        ({"random_state": -1}, "random_state"),
        ({"alpha": "0.1"}, "alpha"),
        ({"correction": "sidak"}, "correction"),
        ({"task": "ranking"}, "task"),
    ],
)
def test_bad_parameters_cost_no_annotation(params, message):
    texts, y = make_texts()
    extractor = fitted()
    with pytest.raises(ValueError, match=f"The '{message}' parameter"):
        evaluate_hypotheses(extractor, texts, y, **params)
    assert extractor.calls_ == 0


def test_wrong_estimators():
    texts, y = make_texts()
    with pytest.raises(TypeError, match="LinearRegression arrived"):
        evaluate_hypotheses(LinearRegression(), texts, y)
    pipe = make_pipeline(WordHypotheses(), LinearRegression())
    with pytest.raises(TypeError, match="ends in LinearRegression"):
        evaluate_hypotheses(pipe, texts, y)
    with pytest.raises(NotFittedError):
        evaluate_hypotheses(WordHypotheses(), texts, y)


def test_columns_that_do_not_fit_the_hypotheses():
    texts, y = make_texts()
    extractor = fitted()
    extractor.hypotheses_ = extractor.hypotheses_.iloc[:3]
    extractor.transform = extractor._annotate
    with pytest.raises(ValueError, match="3 names for 4 columns"):
        evaluate_hypotheses(extractor, texts, y)


# HypothesisReport -----------------------------------------------------------------


def test_text():
    texts, y = make_texts()
    texts = [text.replace("snow", "") for text in texts]
    with pytest.warns(HypothesisWarning):
        report = evaluate_hypotheses(fitted(), texts, y)
    text = str(report)
    assert repr(report) == text
    lines, text = text.splitlines(), " ".join(text.split())
    assert lines[0] == "4 hypotheses tested on 300 texts (regression)"
    tea = next(line for line in lines if line.startswith("  mentions tea"))
    assert tea.endswith("*")
    assert f"{report.table.loc[0, 'coef']:.3f}" in tea
    assert f" {report.r2:.3f} R² in-sample" in text
    assert "fit and score on the same rows; 3 hypotheses, 300 rows" in text
    assert f"{report.r2_out_of_sample:.3f} [" in text
    assert "R² out-of-sample: fit on the training texts, score on these 300" in text
    assert "* 2 of 3 significant" in text
    assert "(step-down, family level 0.05)" in text
    never = "NaN [1 of 4]: never or always true (true of 0 of 300): mentions snow"
    assert never in text


def test_false_discovery_rate_is_called_so():
    assert "(fdr_bh, false discovery rate level 0.2)" in str(
        report_of(None, alpha=0.2, correction="fdr_bh")
    )


def test_columns_of_the_printed_table_line_up():
    statements = ["short", "日本語 の お茶", "long " * 40, "e\u0301mail"]
    lines = str(report_of(statements)).splitlines()
    by_statement = {
        text[:3]: next(line for line in lines if line.startswith(f"  {text[:3]}"))
        for text in statements
    }
    ends = {key: line.rindex("]") for key, line in by_statement.items()}
    # six characters take two columns of a terminal, one takes none
    assert ends["sho"] == ends["lon"] == ends["日本語"] + 6 == ends["e\u0301m"] - 1
    assert "…" not in "".join(lines[:-1])


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_of_any_size_stay_readable(scale):
    texts, y = make_texts()
    report = quiet(fitted(), texts, y * scale)
    tea = next(line for line in str(report).splitlines() if "tea" in line)
    assert f"{report.table.loc[0, 'coef']:.1e}" in tea
    assert report.table.loc[0, "coef_p"] == pytest.approx(
        quiet(fitted(), texts, y).table.loc[0, "coef_p"], rel=1e-6
    )


NASTY = [
    "<script>alert('x')</script> & co",
    "lone \ud800 surrogate",
    'two\nlines, "quoted"',
    "costs $5 or $10",
]


def test_nasty_text_is_escaped_in_html():
    page = report_of(NASTY)._repr_html_()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "&amp; co" in page
    page.encode("utf-8")


def test_nasty_text_prints():
    text = str(report_of(NASTY))
    text.encode("utf-8")
    assert "lone \\ud800 surrogate" in text
    assert 'two lines, "quoted"' in text


def test_csv_round_trip(tmp_path):
    report = report_of(NASTY)
    path = tmp_path / "table.csv"
    report.to_csv(path)
    table = pd.read_csv(path)
    assert list(table.columns) == list(report.table.columns)
    assert table["hypothesis"][0] == NASTY[0]
    assert table["hypothesis"][1] == "lone \\ud800 surrogate"
    assert table["hypothesis"][2] == NASTY[2]
    np.testing.assert_allclose(table["coef_p"], report.table["coef_p"])


@pytest.mark.parametrize("kind", ["regression", "binary", "three"])
def test_dict_is_json(kind):
    texts, y = make_texts(kind=kind)
    report = quiet(fitted(kind), texts, y)
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert values["n_tested"] == 4
    assert len(values["hypotheses"]) == 4
    first = values["hypotheses"][0]
    assert first["coef_p"] == pytest.approx(report.table.loc[0, "coef_p"], nan_ok=True)
    assert first["significant"] is True
    assert values["hypotheses"][1]["fidelity"] is None
    if kind == "regression":
        assert values["r2"] == report.r2
        assert values["roc_auc"] is None
        assert values["classes"] is None
    else:
        assert values["classes"] == np.unique(y).tolist()


def test_report_cannot_be_changed():
    report = report_of(None)
    assert isinstance(report, HypothesisReport)
    with pytest.raises(AttributeError):
        report.r2 = 1.0


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, "<1e-300"),
        (1e-310, "<1e-300"),
        (3.2e-12, "3e-12"),
        (0.0004, "4e-04"),
        (0.0123, "0.012"),
        (1.0, "1.000"),
        (np.nan, "nan"),
    ],
)
def test_format_p(p, expected):
    assert format_p(p) == expected


@pytest.mark.parametrize("kind", ["regression", "three"])
def test_plot(kind):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    texts, y = make_texts(kind=kind)
    report = quiet(fitted(kind, statements=[*NASTY]), texts, y)
    ax = report.plot()
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[3].endswith("costs $5 or $10")
    column = "coef" if kind == "regression" else "separation"
    points = np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections[-2:]])
    by_row = points[np.argsort(points[:, 1]), 0]
    np.testing.assert_allclose(by_row, report.table[column])
    _, given = plt.subplots()
    assert report.plot(ax=given, effect="separation") is given
    points = np.concatenate([c.get_offsets() for c in given.collections[-2:]])
    by_row = points[np.argsort(points[:, 1]), 0]
    np.testing.assert_allclose(by_row, report.table["separation"])
    assert max(map(len, given.get_xlabel().split("\n"))) <= 50
    plt.close("all")


def test_an_effect_that_the_report_has_not_is_named():
    pytest.importorskip("matplotlib")
    texts, y = make_texts(kind="binary")
    report = quiet(fitted("binary", statements=[*NASTY]), texts, y)
    with pytest.raises(ValueError, match="rate_ratio"):
        report.plot(effect="rate_ratio")


def test_plot_with_gaps():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    texts, y = make_texts()
    texts = [text.replace("snow", "") for text in texts]
    with pytest.warns(HypothesisWarning):
        report = evaluate_hypotheses(fitted(), texts, y)
    ax = report.plot()
    ax.figure.canvas.draw()
    assert len(ax.get_yticklabels()) == 4
    plt.close("all")


def test_plot_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        report_of(None).plot()
