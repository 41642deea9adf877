"""Texts that are no new evidence: met in training, or posted again."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score

from sklearn_hypo import (
    HypothesisExtractor,
    LexiconInterpreter,
    compare_annotators,
    evaluate_annotations,
    evaluate_hypotheses,
    find_near_duplicates,
    join_groups,
    rerun_audit_bundle,
)
from sklearn_hypo.exceptions import HypothesisWarning

CALLED_NEW = re.compile("out[- ]of[- ]sample|hold[- ]?out|held[- ]out", re.IGNORECASE)
MET = "were there when the hypotheses were found"
ALIKE = "equal or nearly equal to others"

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
RNG = np.random.default_rng(0)
FILLERS = np.array(["".join(RNG.choice(LETTERS, 6)) for _ in range(3000)])


def make_rows(n, seed, effect=0.0):
    """Different texts, three words of which may be hypotheses, and a target."""
    rng = np.random.default_rng(seed)
    holds = rng.random((n, 3)) < 0.4
    texts = [
        " ".join([*rng.choice(FILLERS, 9), *np.array(["tea", "rain", "snow"])[row]])
        for row in holds
    ]
    y = effect * holds[:, 0] + rng.normal(size=n)
    return np.array(texts, dtype=object), holds.astype(float), y


def as_frame(texts, holds):
    index = pd.Index(texts, name="text", dtype=object)
    return pd.DataFrame(holds, index=index, columns=["n0", "n1", "n2"])


def fit(texts, holds, y):
    interpreter = LexiconInterpreter(max_terms=1, embedder=None)
    extractor = HypothesisExtractor(interpreter, random_state=0)
    return extractor.fit(as_frame(texts, holds), y)


def evaluate(extractor, texts, holds, y, **options):
    options = {"n_resamples": 9} | options
    return evaluate_hypotheses(extractor, as_frame(texts, holds), y, **options)


def render(report, folder):
    """Everything that a report shows, as one text."""
    report.to_html(folder / "report.html")
    page = (folder / "report.html").read_text(encoding="utf-8")
    parts = (str(report), report._repr_html_(), report.to_markdown(), report.to_latex())
    return "\n".join([*parts, page])


def run_quietly(function, *args, **options):
    """Call it and return the result, and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*args, **options)
    return found, [str(w.message) for w in caught if w.category is HypothesisWarning]


# Texts met in training ------------------------------------------------------------


def test_other_texts_are_new(tmp_path):
    extractor = fit(*make_rows(200, 0, effect=1.0))
    report, said = run_quietly(evaluate, extractor, *make_rows(150, 1, effect=1.0))
    assert report.n_training_texts == 0
    assert not [m for m in said if MET in m]
    assert CALLED_NEW.search(render(report, tmp_path))
    assert report.to_dict()["n_training_texts"] == 0


def test_noise_fitted_and_tested_on_the_same_rows(tmp_path):
    """What is found then is called nothing that it is not."""
    rows = make_rows(200, 2)
    with pytest.warns(HypothesisWarning, match=MET) as caught:
        report = evaluate(fit(*rows), *rows)
    message = next(str(w.message) for w in caught if MET in str(w.message))
    assert "200 of 200 texts (100 %)" in message
    assert report.n_training_texts == 200
    assert np.isnan(report.r2_out_of_sample)
    shown = render(report, tmp_path)
    assert not CALLED_NEW.search(shown)
    assert " ".join(shown.split()).count("200 of 200 texts were there when") == 6
    values = report.to_dict()
    assert values["n_training_texts"] == 200
    assert values["r2_out_of_sample"] is None


@pytest.mark.parametrize("share", [0.2, 0.02])
def test_some_of_the_texts(share, tmp_path):
    """Predictions are scored on the others, and the figure says so."""
    train, test = make_rows(200, 3, effect=1.0), make_rows(200, 4, effect=1.0)
    extractor, n = fit(*train), int(200 * share)
    mixed = [np.concatenate([a[:n], b[n:]]) for a, b in zip(train, test, strict=True)]
    with pytest.warns(HypothesisWarning, match=f"{n} of 200 texts .*{MET}"):
        report = evaluate(extractor, *mixed, training=(train[0], train[2]))
    assert report.n_training_texts == n
    predicted = extractor.predict_annotations(extractor.transform(as_frame(*mixed[:2])))
    new = slice(n, None)
    expected = r2_score(mixed[2][new], predicted[new, 0])
    assert report.r2_out_of_sample == pytest.approx(expected)
    shown = render(report, tmp_path)
    assert not CALLED_NEW.search(shown)
    words = f"on the {200 - n} of 200 texts that the model was not fitted on"
    assert words in " ".join(str(report).split())
    assert "R² on other texts" in shown
    # the advice works: evaluate on the others
    rest = [each[new] for each in mixed]
    report, said = run_quietly(evaluate, extractor, *rest)
    assert report.n_training_texts == 0
    assert not [m for m in said if MET in m]
    assert report.r2_out_of_sample == pytest.approx(expected)


def test_pairs_with_a_text_of_the_training(tmp_path):
    train, test = make_rows(200, 5, effect=1.0), make_rows(200, 6, effect=1.0)
    extractor = fit(*train)
    texts, holds, y = (each.copy() for each in test)
    texts[:20:2] = train[0][:10]  # one member of ten pairs
    with pytest.warns(HypothesisWarning, match=f"10 of 200 texts .*{MET}"):
        report = evaluate(extractor, texts, holds, y, pairs=np.arange(200) // 2)
    assert "on the 90 of 100 pairs" in " ".join(str(report).split())
    assert not CALLED_NEW.search(render(report, tmp_path))


def test_texts_without_a_target_are_no_training_texts():
    texts, holds, y = make_rows(300, 7, effect=1.0)
    known = np.where(np.arange(300) < 200, y, np.nan)
    extractor = fit(texts, holds, known)
    assert extractor.training_fingerprints_.shape == (200,)
    assert extractor.training_fingerprints_.dtype == np.uint64
    report = evaluate(extractor, texts[200:], holds[200:], y[200:])
    assert report.n_training_texts == 0


def test_fingerprints_survive_pickling_and_not_cloning():
    rows = make_rows(100, 8)
    extractor = pickle.loads(pickle.dumps(fit(*rows)))  # noqa: S301 - our own
    assert len(extractor.training_fingerprints_) == 100
    with pytest.warns(HypothesisWarning, match=MET):
        evaluate(extractor, *rows)
    assert not hasattr(clone(extractor), "training_fingerprints_")
    # of an older version: nothing is known, nothing is said
    del extractor.training_fingerprints_
    report, said = run_quietly(evaluate, extractor, *rows)
    assert report.n_training_texts is None
    assert not [m for m in said if MET in m]


def test_a_text_posted_again_is_the_same_text():
    texts, holds, y = make_rows(100, 9)
    extractor = fit(texts, holds, y)
    again = np.array([f"RT @someone: {t.upper()}  http://t.example/1" for t in texts])
    with pytest.warns(HypothesisWarning, match=f"100 of 100 texts .*{MET}"):
        evaluate(extractor, again, holds, y)


def test_scoring_says_nothing():
    """Learning curves score training texts, too."""
    texts, holds, y = make_rows(150, 10, effect=1.0)
    frame = as_frame(texts, holds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extractor = fit(texts, holds, y)
        extractor.score(frame, y)
        cross_val_score(extractor, frame, y, cv=2)


def test_compared_annotators_and_bundles_know_it_too(tmp_path):
    rows = make_rows(120, 11, effect=1.0)
    extractor = fit(*rows)
    with pytest.warns(HypothesisWarning, match=f"compare_annotators: 120 of .*{MET}"):
        found = compare_annotators(
            extractor, as_frame(*rows[:2]), rows[2], {"people": rows[1]}
        )
    assert not CALLED_NEW.search(str(found))
    report, _ = run_quietly(evaluate, extractor, *rows)
    report.save(tmp_path / "audit", include_texts=True)
    readme = (tmp_path / "audit" / "README.txt").read_text(encoding="utf-8")
    assert "120 of 120 texts were there" in readme
    assert not CALLED_NEW.search(readme)
    again = rerun_audit_bundle(tmp_path / "audit")
    assert again.n_training_texts == 120
    assert "120 of 120 texts were there" in str(again)


# Near-duplicates ------------------------------------------------------------------


def post_again(rows, times, every=2, change=lambda text, i: text):
    """Every second text stands there some times, with its target."""
    texts, holds, y = rows
    copies = np.repeat(np.arange(len(y)), np.where(np.arange(len(y)) % every, 1, times))
    shown = [change(texts[row], i) for i, row in enumerate(copies)]
    return np.array(shown, dtype=object), holds[copies], y[copies], copies


def test_posted_again_is_one_group(tmp_path):
    texts, holds, y, origin = post_again(
        make_rows(120, 12, effect=1.0),
        4,
        change=lambda t, i: f"RT @u{i}: {t} http://t/{i}",
    )
    with pytest.warns(HypothesisWarning, match=ALIKE) as caught:
        report = evaluate_annotations(holds, y, texts=texts, n_resamples=99)
    (message,) = [str(w.message) for w in caught if ALIKE in str(w.message)]
    assert "240 of 300 texts" in message
    assert "(60 groups, the largest of 4: 'RT @u0: " in message
    assert "near_duplicates='ignore'" in message
    assert report.near_duplicates == {
        "n_texts": 240,
        "n_groups": 60,
        "largest": 4,
        "inflation": pytest.approx((60 + 60 * 16) / 300),
        "grouped": True,
    }
    # as by groups
    given = evaluate_annotations(
        holds, y, texts=texts, groups=origin, n_resamples=99, near_duplicates="ignore"
    )
    pd.testing.assert_frame_equal(report.table, given.table)
    pd.testing.assert_frame_equal(report.overall, given.overall)
    assert report.n_groups == given.n_groups == 120
    assert report.permutation_p == given.permutation_p < 0.2
    assert given.near_duplicates is None
    shown = " ".join(render(report, tmp_path).split())
    assert shown.count("the test goes by these groups") == 6
    assert report.to_dict()["near_duplicates"]["n_texts"] == 240
    # the advice works
    ignored, said = run_quietly(
        evaluate_annotations,
        *(holds, y),
        texts=texts,
        n_resamples=0,
        near_duplicates="ignore",
    )
    assert not said
    assert ignored.n_groups is None
    assert (ignored.table["coef_se"] < 0.8 * report.table["coef_se"]).all()
    # a bundle has the groups, with texts or without
    report.save(tmp_path / "audit")
    again, said = run_quietly(rerun_audit_bundle, tmp_path / "audit")
    assert not said
    assert again.near_duplicates == report.near_duplicates
    pd.testing.assert_series_equal(again.table["coef_se"], report.table["coef_se"])


def test_few_are_counted_and_change_nothing(tmp_path):
    texts, holds, y, _ = post_again(make_rows(200, 13, effect=1.0), 2, every=50)
    report, said = run_quietly(
        evaluate_annotations, holds, y, texts=texts, n_resamples=0
    )
    assert not said
    assert not report.near_duplicates["grouped"]
    assert report.n_groups is None
    words = "8 of 204 texts are equal or nearly equal to others (4 groups, the largest"
    assert words in " ".join(str(report).split())
    assert "variances up to 3.9 % larger" in " ".join(str(report).split())
    alone = evaluate_annotations(
        holds, y, texts=texts, n_resamples=0, near_duplicates="ignore"
    )
    pd.testing.assert_frame_equal(report.table, alone.table)
    # unless it is asked for
    grouped, said = run_quietly(
        evaluate_annotations,
        *(holds, y),
        texts=texts,
        n_resamples=0,
        near_duplicates="group",
    )
    assert not said
    assert grouped.n_groups == 200


def test_different_texts_are_not_mentioned():
    texts, holds, y = make_rows(100, 14)
    report, said = run_quietly(
        evaluate_annotations, holds, y, texts=texts, n_resamples=0
    )
    assert not said
    assert report.near_duplicates["n_texts"] == 0
    assert ALIKE not in str(report)
    assert evaluate_annotations(holds, y, n_resamples=0).near_duplicates is None


def test_pipelines_group_them_too():
    texts, holds, y, _ = post_again(make_rows(100, 15, effect=1.0), 3)
    extractor = fit(*make_rows(150, 16, effect=1.0))
    with pytest.warns(HypothesisWarning, match=f"evaluate_hypotheses: 150 of.*{ALIKE}"):
        report = evaluate(extractor, texts, holds, y)
    assert report.n_groups == 100
    with pytest.warns(HypothesisWarning, match=f"compare_annotators: 150 of.*{ALIKE}"):
        found = compare_annotators(
            extractor, as_frame(texts, holds), y, {"people": holds}
        )
    assert {each.n_groups for each in found.reports.values()} == {100}


def test_given_groups_are_joined_where_texts_cross_them():
    texts, holds, y, origin = post_again(make_rows(100, 17), 4)
    author = np.arange(len(y)) // 2  # of the four copies, two authors each
    with pytest.warns(HypothesisWarning, match=ALIKE):
        report = evaluate_annotations(
            holds, y, texts=texts, groups=author, n_resamples=0
        )
    assert report.n_groups == join_groups(author, origin).max() + 1
    # within the groups they change nothing
    report, said = run_quietly(
        evaluate_annotations,
        *(holds, y),
        texts=texts,
        groups=join_groups(author, origin) // 2,
        n_resamples=0,
    )
    assert not said
    assert not report.near_duplicates["grouped"]
    assert "within the groups or pairs of the test" in " ".join(str(report).split())


def test_given_groups_stay_where_texts_would_link_nearly_all():
    """A common phrase of all authors makes no one author of them."""
    texts, holds, y = make_rows(240, 18)
    texts[::4] = "thank you all so much"
    author = np.arange(240) // 8
    with pytest.warns(HypothesisWarning, match="would link nearly all rows") as caught:
        report = evaluate_annotations(
            holds, y, texts=texts, groups=author, n_resamples=0
        )
    assert "find_near_duplicates" in str(caught[0].message)
    assert report.n_groups == 30
    # the advice works: one text of each group
    first = np.unique(find_near_duplicates(texts), return_index=True)[1]
    report, said = run_quietly(
        evaluate_annotations,
        *(holds[first], y[first]),
        texts=texts[first],
        groups=author[first],
        n_resamples=0,
    )
    assert not [m for m in said if ALIKE in m]


def test_one_text_many_times_cannot_be_grouped():
    _, holds, y = make_rows(50, 19)
    with pytest.warns(HypothesisWarning, match="all rows would be one group"):
        report = evaluate_annotations(holds, y, texts=["the same"] * 50, n_resamples=0)
    assert report.n_groups is None


def test_pairs_that_share_a_text_are_one_group():
    """Alike members of a pair are what a pair is for."""
    texts, holds, y = make_rows(200, 20, effect=1.0)
    pairs = np.arange(200) // 2
    texts[1::2] = [f"{text}!" for text in texts[::2]]
    report, said = run_quietly(
        evaluate_annotations, holds, y, texts=texts, pairs=pairs, n_resamples=0
    )
    assert not [m for m in said if ALIKE in m]
    assert report.n_groups is None
    texts[100:] = texts[:100]
    with pytest.warns(HypothesisWarning, match=ALIKE):
        report = evaluate_annotations(holds, y, texts=texts, pairs=pairs, n_resamples=0)
    assert report.n_groups == 50
    assert report.n_pairs == 100


@pytest.mark.parametrize("kind", ["weights", "covariates", "classes"])
def test_beside_weights_covariates_and_classes(kind):
    texts, holds, y, origin = post_again(make_rows(100, 21, effect=1.0), 3)
    rng, options = np.random.default_rng(0), {}
    if kind == "weights":
        options["sample_weight"] = rng.uniform(1, 2, len(y))
    elif kind == "covariates":
        options["covariates"] = pd.DataFrame({"z": rng.normal(size=len(y))})
    else:
        y = np.where(y > np.median(y), "more", "less")
    options |= {"texts": texts, "n_resamples": 19}
    report, _ = run_quietly(evaluate_annotations, holds, y, **options)
    given, _ = run_quietly(
        evaluate_annotations,
        *(holds, y),
        groups=origin,
        near_duplicates="ignore",
        **options,
    )
    pd.testing.assert_frame_equal(report.table, given.table)
    assert report.n_groups == 100
