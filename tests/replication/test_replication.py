"""Refits find the same neurons, or do not, and nothing is annotated for it."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_random_state

from sklearn_hypo import (
    Candidate,
    Fidelity,
    Hypothesis,
    HypothesisExtractor,
    Interpretation,
    LexiconAnnotator,
    LexiconInterpreter,
    NeuronSelector,
    SparseAutoencoderTransformer,
    SupervisedSAETransformer,
    TextEmbedder,
)
from sklearn_hypo._replication._neuron_matching import match_best, match_one_to_one
from sklearn_hypo._replication._replicate import (
    _compare_signs,
    _resample_rows,
    replicate_hypotheses,
)
from sklearn_hypo._replication._report import ReplicationReport
from sklearn_hypo.datasets import make_concept_texts


class Asked:
    """Whether interpreters and annotators may be asked, and how often they were."""

    allowed, count = True, 0

    @classmethod
    def once(cls):
        assert cls.allowed, "an interpreter or annotator was asked"
        cls.count += 1


class CountedInterpreter(LexiconInterpreter):
    def interpret(self, *args, **kwargs):
        Asked.once()
        return super().interpret(*args, **kwargs)


class CountedAnnotator(LexiconAnnotator):
    def fit(self, *args, **kwargs):
        Asked.once()
        return super().fit(*args, **kwargs)

    def annotate(self, *args, **kwargs):
        Asked.once()
        return super().annotate(*args, **kwargs)


class Names(BaseEstimator):
    """Says of every neuron that it is about one of the words, whatever it does."""

    def __init__(self, words):
        self.words = words

    def interpret(self, texts, activations, neurons, *, annotator, random_state):
        found = []
        for neuron, activation, word in zip(
            neurons, activations.T, self.words[: len(neurons)], strict=True
        ):
            marks = np.array([float(word in text) for text in texts])
            hypothesis = Hypothesis(f"mentions {word}", neuron, (word,))
            candidate = Candidate(hypothesis, Fidelity.measure(marks, activation))
            found.append(Interpretation(neuron, (candidate,), None))
        return found


class Planted(TransformerMixin, BaseEstimator):
    """Embeds a text as the words that it contains."""

    words = ("tea", "rain", "snow", "why")

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        values = [[float(word in text) for word in self.words] for text in X]
        index = pd.Index(np.asarray(X, dtype=object), dtype=object, name="text")
        return pd.DataFrame(values, index, [f"embedding{j}" for j in range(4)])


class Dictionary(TransformerMixin, BaseEstimator):
    """Stands in for an autoencoder: every word a neuron, in an order of its own.

    With `noise` the neurons are fixed random numbers that no other seed repeats.
    """

    seen = []  # the rows of every fit

    def __init__(self, noise=0.0, random_state=None):
        self.noise = noise
        self.random_state = random_state

    def fit(self, X, y=None):
        type(self).seen.append((X.copy(), np.array(y), self.random_state))
        rng = check_random_state(self.random_state)
        self.order_ = rng.permutation(X.shape[1])
        self.seed_ = rng.randint(2**31 - 1)
        return self

    def transform(self, X):
        values = X.to_numpy()[:, self.order_]
        noise = np.random.RandomState(self.seed_).normal(size=values.shape)
        values = (1 - self.noise) * values + self.noise * noise
        return pd.DataFrame(values, X.index, [f"neuron{j}" for j in range(4)])


class Fixed(Dictionary):
    """A dictionary without a seed."""

    def __init__(self):
        pass

    noise, random_state = 0.0, 0


CONCEPT_WORDS = ("thank", "refund", "rain", "snow")  # of `make_concept_texts`


def words_data(n=300, seed=0):
    rng = np.random.RandomState(seed)
    truth = rng.rand(n, 4) < 0.3
    texts = [
        " ".join([w for w, t in zip(Planted.words, row, strict=True) if t] + [f"no{i}"])
        for i, row in enumerate(truth)
    ]
    y = truth @ [2.0, -1.5, 1.0, 0.0] + 0.3 * rng.normal(size=n)
    return np.array(texts, dtype=object), y


def words_pipeline(dictionary=None, n_select=3):
    return Pipeline(
        [
            ("embed", Planted()),
            ("sae", Dictionary(random_state=0) if dictionary is None else dictionary),
            ("select", NeuronSelector(n_select, method="correlation")),
            ("hypotheses", HypothesisExtractor(random_state=0)),
        ]
    )


@pytest.fixture(scope="module")
def words():
    texts, y = words_data()
    return words_pipeline().fit(texts, y), texts, y


@pytest.fixture(scope="module")
def data():
    return make_concept_texts(600, n_concepts=3, random_state=0)


def small_pipeline(sae=None, **extractor):
    if sae is None:
        sae = SparseAutoencoderTransformer(32, 4, max_epochs=30, random_state=0)
    return Pipeline(
        [
            ("embed", TextEmbedder("lsa", n_components=16, random_state=0)),
            ("sae", sae),
            ("select", NeuronSelector(n_select=4)),
            ("hypotheses", HypothesisExtractor(random_state=0, **extractor)),
        ]
    )


@pytest.fixture(scope="module")
def fitted(data):
    Asked.allowed = True
    pipe = small_pipeline(
        interpreter=CountedInterpreter(), annotator=CountedAnnotator()
    )
    return pipe.fit(data.data, data.target)


@pytest.fixture(scope="module")
def report(fitted, data):
    Asked.allowed, before = False, Asked.count
    report = replicate_hypotheses(fitted, data.data, data.target, n_runs=4)
    assert Asked.count == before > 0
    Asked.allowed = True
    return report


# Matching -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 1)])
def test_one_to_one_is_the_best_of_all_assignments(shape):
    rng = np.random.default_rng(0)
    for _ in range(20):
        r = rng.uniform(-1, 1, size=shape)
        gain = np.maximum(r, 0)
        wide = gain if shape[0] <= shape[1] else gain.T
        best = max(
            wide[np.arange(len(wide)), list(order)].sum()
            for order in itertools.permutations(range(wide.shape[1]), len(wide))
        )
        match = match_one_to_one(r)
        assert match.correlation.sum() == pytest.approx(best)
        has = match.partner >= 0
        assert len(set(match.partner[has])) == has.sum()
        np.testing.assert_array_equal(
            match.correlation[has], r[np.flatnonzero(has), match.partner[has]]
        )
        assert (match.correlation[has] > 0).all()
        assert not match.correlation[~has].any()


def test_one_neuron_cannot_stand_for_two_hypotheses():
    r = np.array([[0.9, 0.0], [0.8, -0.2]])
    match = match_one_to_one(r)
    assert match.partner.tolist() == [0, -1]
    assert match.correlation.tolist() == [0.9, 0.0]
    assert match_best(r).correlation.tolist() == [0.9, 0.8]
    assert match_best(np.array([[-0.1], [0.2]])).partner.tolist() == [-1, 0]


def test_sign_is_that_of_the_column_of_the_target_that_matters():
    association = np.array([[0.1, -0.5], [0.3, 0.2]])
    column, sign = np.array([1, 1, 0]), np.array([-1.0, -1.0, 1.0])
    partner = np.array([0, 1, -1])
    found = _compare_signs(association, partner, (column, sign))
    assert found.tolist() == [True, False, False]


# Found, and not found -------------------------------------------------------------


def test_neurons_in_another_order_are_found_every_time(words):
    pipe, texts, y = words
    report = replicate_hypotheses(
        pipe, texts, y, n_runs=5, refit_from="sae", threshold=0.99
    )
    assert report.table["n_found"].tolist() == [5, 5, 5]
    assert report.table["n_found_any"].tolist() == [5, 5, 5]
    assert report.table["same_sign"].tolist() == [5, 5, 5]
    assert report.table["share"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(report.correlations, 1, atol=1e-6)
    assert report.null_correlation < 0.35
    assert report.n_texts == 300
    assert report.refitted == ("sae", "select")
    table = pipe[-1].hypotheses_
    for name in ("hypothesis", "neuron"):
        assert report.table[name].tolist() == table[name].tolist()


def test_chance_is_the_largest_of_all_refits(words):
    def null_correlation(n_runs):
        settings = {"n_runs": n_runs, "refit_from": "sae", "random_state": 1}
        return replicate_hypotheses(*words, **settings).null_correlation

    assert 0 < null_correlation(1) < null_correlation(8)


def test_neurons_of_noise_are_not_found():
    texts, y = words_data()
    pipe = words_pipeline(Dictionary(noise=0.9, random_state=0), n_select=4)
    # dictionaries would not be offered for them
    pipe.set_params(hypotheses__interpreter=Names(Planted.words)).fit(texts, y)
    report = replicate_hypotheses(pipe, texts, y, n_runs=4, refit_from="sae")
    assert report.table["n_found"].sum() == 0
    assert report.table["n_found_any"].sum() == 0
    assert report.correlations.max() < 0.4
    assert "0 of " in str(report)


def test_a_neuron_that_was_not_selected_is_present(words):
    pipe, texts, y = words
    other = 1.0 * pd.Series(texts).str.contains("why").to_numpy()
    # on a target of their own, the refits select another word
    report = replicate_hypotheses(
        pipe, texts, other + 1e-3 * y, n_runs=2, refit_from="sae"
    )
    lost = report.table["n_found"] < 2
    assert lost.sum() == 1
    assert (report.table["n_found_any"] == 2).all()
    np.testing.assert_allclose(report.correlations_any, 1, atol=1e-6)


def test_planted_concepts_are_found_by_an_autoencoder(report, data, fitted):
    # three concepts were planted; the fourth hypothesis is whatever was left
    assert (report.table["share"] >= 0.75).sum() >= 3
    assert report.correlations.shape == report.correlations_any.shape
    assert report.correlations.shape == (len(fitted[-1].hypotheses_), 4)
    assert report.null_correlation < 0.3


def test_the_table_is_what_the_correlations_say(report):
    table, r = report.table, report.correlations
    assert table["n_found"].tolist() == (r >= 0.5).sum(axis=1).tolist()
    present = (report.correlations_any >= 0.5).sum(axis=1)
    assert table["n_found_any"].tolist() == present.tolist()
    assert (report.correlations_any >= r).all()
    np.testing.assert_allclose(table["median_correlation"], np.median(r, axis=1))
    assert (table["same_sign"] <= table["n_found"]).all()
    assert (table["n_runs"] == 4).all()
    np.testing.assert_allclose(table["share"], table["n_found"] / 4)


def test_several_neurons_of_one_hypothesis_count_by_the_strongest(words):
    pipe, texts, y = words
    merged = clone(pipe).fit(texts, y)
    neurons = merged[-1].feature_names_in_[:2]
    merged[-1]._hypotheses = [Hypothesis("mentions two words", neurons)]
    report = replicate_hypotheses(merged, texts, y, n_runs=1, refit_from="sae")
    activations = merged[:-1].transform(texts)
    strongest = activations[neurons].max(axis=1)
    expected = max(np.corrcoef(strongest, a)[0, 1] for a in activations.to_numpy().T)
    assert report.correlations.shape == (1, 1)
    assert report.correlations[0, 0] == pytest.approx(expected, abs=1e-6)


def test_a_name_with_a_comma_is_one_neuron(words):
    _, texts, y = words

    class Commas(Dictionary):
        def transform(self, X):
            return super().transform(X).rename(columns=lambda c: c + ", so")

    pipe = words_pipeline(Commas(random_state=0)).fit(texts, y)
    report = replicate_hypotheses(pipe, texts, y, n_runs=2, refit_from="sae")
    np.testing.assert_allclose(report.correlations, 1, atol=1e-6)


# What varies ----------------------------------------------------------------------


@pytest.fixture
def seen():
    Dictionary.seen.clear()
    return Dictionary.seen


def test_seeds_vary_and_rows_do_not(words, seen):
    pipe, texts, y = words
    replicate_hypotheses(pipe, texts, y, n_runs=3, refit_from="sae")
    assert len({seed for _, _, seed in seen}) == 3
    assert 0 not in {seed for _, _, seed in seen}
    for X, target, _ in seen:
        assert X.index.tolist() == texts.tolist()
        np.testing.assert_array_equal(target, y)


def test_a_bootstrap_keeps_seeds_and_each_row_its_target(words, seen):
    pipe, texts, y = words
    report = replicate_hypotheses(
        pipe, texts, y, n_runs=3, vary="bootstrap", refit_from="sae"
    )
    assert {seed for _, _, seed in seen} == {0}
    target_of = dict(zip(texts, y, strict=True))
    for X, target, _ in seen:
        assert len(X) == len(texts)
        assert 0.55 < len(set(X.index)) / len(texts) < 0.72  # 1 - 1/e of them
        assert target.tolist() == [target_of[text] for text in X.index]
    assert len({tuple(X.index) for X, _, _ in seen}) == 3
    assert report.vary == "bootstrap"
    # activations are compared on all texts
    assert report.n_texts == 300


def test_both_vary(words, seen):
    pipe, texts, y = words
    replicate_hypotheses(pipe, texts, y, n_runs=2, vary="both", refit_from="sae")
    assert len({seed for _, _, seed in seen}) == 2
    assert len({tuple(X.index) for X, _, _ in seen}) == 2


@pytest.mark.parametrize("open_seed", [None, np.random.RandomState(0)])
def test_a_bootstrap_settles_a_seed_that_is_no_number(seen, open_seed):
    texts, y = words_data()
    pipe = words_pipeline(Dictionary(random_state=open_seed)).fit(texts, y)
    seen.clear()
    replicate_hypotheses(pipe, texts, y, n_runs=3, vary="bootstrap", refit_from="sae")
    seeds = {seed for _, _, seed in seen}
    assert len(seeds) == 1
    assert isinstance(seeds.pop(), int)


def test_groups_are_drawn_as_a_whole():
    groups = np.array(["c", "a", "b", "a", "b", "b"])
    rng = np.random.RandomState(0)
    sizes = set()
    for _ in range(30):
        drawn = pd.Series(groups)[_resample_rows(6, groups, rng)].value_counts()
        rows = pd.Series(_resample_rows(6, groups, rng)).value_counts()
        for name, size in {"a": 2, "b": 3, "c": 1}.items():
            assert drawn.get(name, 0) % size == 0
            members = rows.reindex(np.flatnonzero(groups == name), fill_value=0)
            assert np.ptp(members) == 0  # all rows as often as each other
        assert (
            sum(drawn.get(n, 0) // s for n, s in {"a": 2, "b": 3, "c": 1}.items()) == 3
        )
        sizes.add(drawn.sum())
    assert len(sizes) > 3


def test_groups_reach_the_bootstrap(words, seen):
    pipe, texts, y = words
    groups = np.repeat(np.arange(30), 10)
    replicate_hypotheses(
        pipe, texts, y, n_runs=1, vary="bootstrap", groups=groups, refit_from="sae"
    )
    group_of = dict(zip(texts, groups, strict=True))
    counts = pd.Series([group_of[text] for text in seen[0][0].index]).value_counts()
    assert (counts % 10 == 0).all()
    assert counts.sum() == 300


def test_a_categorical_target_stays_one(words):
    _, texts, y = words
    labels = pd.Series(pd.Categorical(np.digitize(y, [0, 1])))
    pipe = words_pipeline().fit(texts, labels)
    assert pipe[-1].task_ == "classification"
    report = replicate_hypotheses(
        pipe, texts, labels, n_runs=2, vary="both", refit_from="sae"
    )
    assert report.table["n_found_any"].tolist() == [2] * len(report.table)
    assert (report.table["same_sign"] == report.table["n_found"]).all()


# Repeatable, and without side effects ---------------------------------------------


@pytest.mark.usefixtures("cheap_processes")
def test_the_same_seed_gives_the_same_report_in_one_process_or_two(
    fitted, data, report
):
    n_threads = torch.get_num_threads()
    torch_state = torch.get_rng_state()
    weights = fitted["sae"].components_.copy()
    again = replicate_hypotheses(fitted, data.data, data.target, n_runs=4, n_jobs=2)
    np.testing.assert_array_equal(again.correlations, report.correlations)
    np.testing.assert_array_equal(again.correlations_any, report.correlations_any)
    pd.testing.assert_frame_equal(again.table, report.table)
    assert again.null_correlation == report.null_correlation
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert torch.get_num_threads() == n_threads
    np.testing.assert_array_equal(fitted["sae"].components_, weights)
    other = replicate_hypotheses(
        fitted, data.data, data.target, n_runs=1, random_state=1
    )
    assert (other.correlations[:, 0] != report.correlations[:, 0]).any()


def test_the_embedding_is_computed_once(data):
    calls = []

    def model(texts):
        calls.append(len(texts))
        rng = np.random.default_rng(0)
        words = {w: rng.normal(size=8) for w in CONCEPT_WORDS}
        return np.array(
            [sum((v for w, v in words.items() if w in t), np.ones(8)) for t in texts]
        )

    texts, y = data.data[:200], data.target[:200]
    pipe = small_pipeline(Dictionary(random_state=0), interpreter=Names(CONCEPT_WORDS))
    pipe.set_params(embed=TextEmbedder(model), sae=First4(random_state=0))
    pipe.fit(texts, y)
    calls.clear()
    replicate_hypotheses(pipe, texts, y, n_runs=3, vary="both")
    assert sum(calls) <= 200
    calls.clear()
    held_out = data.data[200:300]
    report = replicate_hypotheses(pipe, texts, y, n_runs=3, X_match=held_out)
    assert sum(calls) <= 300
    assert report.n_texts == 100


class First4(Dictionary):
    def fit(self, X, y=None):
        return super().fit(X.iloc[:, :4], y)

    def transform(self, X):
        return super().transform(X.iloc[:, :4])


def test_an_embedding_that_learns_can_be_refitted_too(data, fitted):
    report = replicate_hypotheses(
        fitted,
        data.data.tolist(),
        data.target,
        n_runs=1,
        vary="bootstrap",
        refit_from="embed",
    )
    assert report.refitted == ("embed", "sae", "select")
    assert report.correlations.max() > 0.5


# Other pipelines ------------------------------------------------------------------


def test_supervised_autoencoder_of_embeddings_within_a_search(data):
    embedded = TextEmbedder("lsa", n_components=16, random_state=0).fit_transform(
        data.data
    )
    sae = SupervisedSAETransformer(
        32, 4, n_supervised=4, max_epochs=4, dropout=0.0, random_state=0
    )
    pipe = make_pipeline(
        sae, "passthrough", NeuronSelector(3), HypothesisExtractor(random_state=0)
    )
    grid = {"neuronselector__n_select": [3]}
    search = GridSearchCV(pipe, grid, cv=2).fit(embedded, data.target)
    report = replicate_hypotheses(search, embedded, data.target, n_runs=2, vary="both")
    assert report.refitted[0] == "supervisedsaetransformer"
    assert report.table["n_found"].max() == 2


def test_without_a_selector_every_neuron_is_a_hypothesis(words):
    _, texts, y = words
    steps = [Planted(), Dictionary(random_state=0), HypothesisExtractor(random_state=0)]
    pipe = make_pipeline(*steps).fit(texts, y)
    report = replicate_hypotheses(
        pipe, texts, y, n_runs=2, refit_from="dictionary", threshold=1
    )
    assert report.refitted == ("dictionary",)
    assert len(report.table) == 4


# The report -----------------------------------------------------------------------


def test_report_can_be_read(words):
    pipe, texts, y = words
    pipe = clone(pipe).fit(texts, y)
    statement = "mentions <script>alert(1)</script>" + 60 * "!"
    first, *others = pipe[-1]._hypotheses
    pipe[-1]._hypotheses = [replace(first, statement=statement), *others]
    report = replicate_hypotheses(pipe, texts, y, n_runs=3, refit_from="sae")
    text = str(report)
    assert "3 of 3 hypotheses found in at least 3 of 3 refits (other seeds)" in text
    assert text.count("3 of 3    3 of 3  1.00") == 3
    assert max(map(len, text.splitlines()[:-2])) < 100
    page = report._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert values["hypotheses"][0]["hypothesis"] == statement
    assert values["hypotheses"][0]["n_found"] == 3
    assert np.shape(values["correlations"]) == (3, 3)
    assert (values["n_runs"], values["vary"]) == (3, "seed")


def test_report_tells_of_turned_signs_and_of_what_is_not_known():
    table = pd.DataFrame(
        {
            "hypothesis": ["mentions tea"],
            "neuron": ["neuron000"],
            "n_found": [4],
            "n_runs": [10],
            "share": [0.4],
            "n_found_any": [9],
            "median_correlation": [0.45],
            "same_sign": [3],
        }
    )
    r = np.linspace(0, 0.9, 10)[None]
    report = ReplicationReport(table, r, r, 0.5, 10, "both", np.nan, 300, ("sae",))
    assert "0 of 1 hypotheses found in at least 8 of 10" in str(report)
    assert "1 of 4 matched neurons" in str(report)
    assert "   4 of 10   9 of 10  0.45  mentions tea" in str(report)
    assert report.to_dict()["null_correlation"] is None


# What is refused ------------------------------------------------------------------


def test_what_is_no_pipeline_of_hypotheses(words):
    pipe, texts, y = words
    with pytest.raises(TypeError, match="a bare HypothesisExtractor arrived"):
        replicate_hypotheses(pipe[-1], texts, y)
    with pytest.raises(TypeError, match="ends in NeuronSelector"):
        replicate_hypotheses(pipe[:-1], texts, y)
    with pytest.raises(NotFittedError):
        replicate_hypotheses(words_pipeline(), texts, y)


def test_what_cannot_vary(words, data, fitted):
    _, texts, y = words
    pipe = words_pipeline(Fixed()).fit(texts, y)
    with pytest.raises(ValueError, match=r"embed, sae, select\) has a random_state"):
        replicate_hypotheses(pipe, texts, y)
    report = replicate_hypotheses(pipe, texts, y, n_runs=2, vary="bootstrap")
    assert report.table["n_found_any"].tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="groups are for drawing rows"):
        replicate_hypotheses(pipe, texts, y, groups=y)
    index = pd.Index(texts, dtype=object, name="text")
    neurons = pd.DataFrame(Planted().transform(texts).to_numpy(), index)
    bare = make_pipeline(HypothesisExtractor(random_state=0)).fit(neurons, y)
    with pytest.raises(ValueError, match="nothing to refit"):
        replicate_hypotheses(bare, neurons, y)
    with pytest.raises(ValueError, match=r"no step 'hypotheses' .*'select'\]"):
        replicate_hypotheses(fitted, data.data, data.target, refit_from="hypotheses")


def test_a_hypothesis_without_a_neuron(words):
    pipe, texts, y = words
    edited = clone(pipe).fit(texts, y)
    edited[-1]._hypotheses[1] = Hypothesis("written by hand", "by hand")
    with pytest.raises(ValueError, match=r"does not select: \['by hand'\]"):
        replicate_hypotheses(edited, texts, y, refit_from="sae")


def test_lengths_and_parameters(words):
    pipe, texts, y = words
    with pytest.raises(ValueError, match="X and y differ in length"):
        replicate_hypotheses(pipe, texts, y[1:])
    with pytest.raises(ValueError, match="X and groups differ in length"):
        replicate_hypotheses(pipe, texts, y, groups=y[1:], vary="both")
    for wrong in ({"n_runs": 0}, {"vary": "rows"}, {"threshold": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            replicate_hypotheses(pipe, texts, y, **wrong)
    with pytest.raises(ValueError, match="on 2 texts"):
        replicate_hypotheses(pipe, texts, y, X_match=texts[:2], refit_from="sae")
    with pytest.raises(ValueError, match="NaN"):
        replicate_hypotheses(pipe, texts, np.where(y > 0, np.nan, y), refit_from="sae")
