"""Annotators: which texts have a concept."""

import pickle
import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from sklearn.pipeline import Pipeline

from sklearn_hypo import (
    EmbeddingAnnotator,
    Hypothesis,
    HypothesisExtractor,
    LexiconAnnotator,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
)
from sklearn_hypo._annotation._calibration import find_threshold
from sklearn_hypo._utils._tokens import make_ngrams, tokenize
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import HypothesisWarning

WORDS = ["tea", "rain", "snow", "art", "party", "thanks", "sad", "go"]
SEEN = Counter()


def letters(texts):
    """A fixed model: counts letters, and remembers what it was asked."""
    SEEN.update(texts)
    return np.array(
        [[t.lower().count(c) + 0.01 for c in "abdeghiknorstwy"] for t in texts]
    )


def directions(texts):
    """A fixed model with known angles: the embedding of "30" points to 30 degrees."""
    angles = np.radians([float(text) for text in texts])
    return np.column_stack([np.cos(angles), np.sin(angles)])


@pytest.fixture
def seen():
    SEEN.clear()
    return SEEN


def get_texts(n, seed=0):
    rng = np.random.RandomState(seed)
    return np.array(
        [" ".join(rng.choice(WORDS, rng.randint(1, 6))) for _ in range(n)], dtype=object
    )


# LexiconAnnotator


def test_lexicon_annotation_is_exact():
    texts = get_texts(200)
    hypotheses = [
        Hypothesis("a", "n0", ("tea",)),
        Hypothesis("b", "n1", ("rain snow", "art")),
        Hypothesis("c", "n2", ("absent",)),
        Hypothesis("d", "n3", ("tea", "rain", "snow party go")),
    ]
    annotations = LexiconAnnotator().fit([], hypotheses).annotate(texts)
    for text, row in zip(texts, annotations, strict=True):
        contained = set(make_ngrams(tokenize(text), 3))
        assert list(row) == [float(bool(contained & set(h.terms))) for h in hypotheses]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("art", "the party", 0),
        ("art", "ART.", 1),
        ("Thanks", "many THANKS", 1),
        ("don’t", "I don't", 1),
        ("so sad", "so, sad", 1),
        (":(", "no :(", 1),
        ("!", "what!?", 1),
        ("you !", "you!!", 1),
        ("<3", "i <333 it", 1),
        ("x", "", 0),
        ("\ud800", "a\ud800b", 0),
    ],
)
def test_terms_are_read_as_texts_are(term, text, found):
    if not tokenize(term):
        with pytest.raises(ValueError, match="cannot look for the term"):
            LexiconAnnotator().fit([], [Hypothesis("h", "n", (term,))])
        return
    annotator = LexiconAnnotator().fit([], [Hypothesis("h", "n", (term,))])
    assert annotator.annotate([text]).tolist() == [[found]]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("sad*", "sadness", 1),
        ("sad*", "Sad", 1),
        ("sad*", "so sa d", 0),
        ("sad*", "crusade", 0),
        ("so sad*", "so SADLY", 1),
        ("so sad*", "so, not sadly", 0),
        ("feel* sad", "feeling sad", 1),
        ("don’t*", "don't", 1),
        ("f**", "f** this", 1),
        ("f**", "fine", 0),
        (":*", "kiss :*", 1),
        (":*", "smile :)", 0),
        ("é*", "élan", 1),
    ],
)
def test_an_asterisk_stands_for_whatever_follows(term, text, found):
    annotator = LexiconAnnotator().fit([], [Hypothesis("h", "n", (term,))])
    assert annotator.annotate([text]).tolist() == [[found]]
    assert annotator.annotate(["other", text]).tolist() == [[0], [found]]


@pytest.mark.parametrize(
    ("terms", "text", "rate"),
    [
        (("sad",), "sad sad day !", 50),
        (("so sad",), "so sad day !", 50),  # both tokens of the pair
        (("so", "sad", "so sad"), "so sad day !", 50),  # none of them twice
        (("so sad", "sad day"), "so sad day !", 75),
        (("sad*",), "sadly sad", 100),
        (("sad",), "", 0),
    ],
)
def test_a_threshold_is_in_tokens_per_100(terms, text, rate):
    hypotheses = [
        Hypothesis(str(shift), "n", terms, threshold=rate + shift)
        for shift in (-1e-6, 0, 1e-6)
    ]
    annotations = LexiconAnnotator().fit([], hypotheses).annotate([text])
    assert annotations.tolist() == [[1, 0, 0]]


def test_a_measure_is_compared_with_its_threshold():
    hypotheses = [
        Hypothesis("long", "n0", measure="words", threshold=3),
        Hypothesis("tea", "n1", ("tea",)),
        Hypothesis("asks", "n2", measure="question_marks"),
        Hypothesis("much tea", "n3", ("tea",), threshold=30),
    ]
    annotator = LexiconAnnotator().fit([], hypotheses)
    texts = ["tea tea tea", "some tea for me?", "go"]
    assert annotator.annotate(texts).tolist() == [[0, 1, 0, 1], [1, 1, 1, 0], [0] * 4]
    assert annotator.terms_ == ["tea"]
    alone = LexiconAnnotator().fit([], hypotheses[:1]).annotate(texts)
    assert alone.tolist() == [[0], [1], [0]]


def test_a_measure_that_does_not_exist():
    with pytest.raises(ValueError, match=r"measure 'word'.*words, sentences"):
        LexiconAnnotator().fit([], [Hypothesis("long", measure="word")])


def test_dictionaries_of_thousands_of_terms():
    rng = np.random.RandomState(0)
    vocabulary = [f"{a}{b}" for a in "abcdefghij" for b in range(100)]
    texts = [" ".join(rng.choice(vocabulary, 15)) for _ in range(300)]
    runs = [" ".join(t.split()[3:5]) for t in texts] + list(vocabulary[:500])
    lexicons = [tuple(rng.choice(runs, 200, replace=False)) for _ in range(5)]
    hypotheses = [Hypothesis(str(i), "n", own) for i, own in enumerate(lexicons)]
    annotations = LexiconAnnotator().fit([], hypotheses).annotate(texts)
    for text, row in zip(texts, annotations, strict=True):
        contained = set(make_ngrams(tokenize(text), 2))
        assert list(row) == [float(bool(contained & set(own))) for own in lexicons]


@pytest.mark.parametrize("term", ["", ",", " . ", "*", ". *"])
def test_a_term_that_no_text_can_contain(term):
    with pytest.raises(ValueError, match="cannot look for the term"):
        LexiconAnnotator().fit([], [Hypothesis("h", "n", ("tea", term))])


def test_lexicon_annotator_refuses_plain_words():
    hypotheses = [
        Hypothesis("mentions tea", "n0", ("tea",)),
        Hypothesis("expresses gratitude", "n1"),
    ]
    with pytest.raises(ValueError, match="1 of 2") as caught:
        LexiconAnnotator().fit([], hypotheses)
    for part in ("'expresses gratitude'", "EmbeddingAnnotator", "language model"):
        assert part in str(caught.value)


def test_lexicon_annotator_of_nothing():
    assert LexiconAnnotator().fit([], []).annotate(["tea"]).shape == (1, 0)
    annotator = LexiconAnnotator().fit([], [Hypothesis("h", "n", ("tea",))])
    assert annotator.annotate([]).shape == (0, 1)
    assert clone(annotator).get_params() == {"tokenizer": "auto"}


@pytest.mark.parametrize("annotator", [LexiconAnnotator(), EmbeddingAnnotator()])
def test_not_fitted(annotator):
    with pytest.raises(NotFittedError):
        annotator.annotate(["tea"])


# The cut


def correlation(mark, active):
    if mark.std() == 0 or active.std() == 0:
        return -np.inf
    return np.corrcoef(mark, active)[0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_best_cut_agrees_with_brute_force(seed):
    rng = np.random.RandomState(seed)
    nearness = np.round(rng.random_sample(60), 1 + seed % 3)  # with ties
    active = rng.random_sample(60) < 0.2 + 0.6 * nearness
    found = correlation(nearness >= find_threshold(nearness, active), active)
    best = max(correlation(nearness >= v, active) for v in np.unique(nearness)[1:])
    assert found == pytest.approx(best)


def test_best_cut_lies_halfway():
    nearness = np.array([0.1, 0.9, 0.2, 0.7])
    active = np.array([False, True, False, True])
    assert find_threshold(nearness, active) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("nearness", "active"),
    [
        ([0.1, 0.9], [True, False]),  # goes the wrong way
        ([0.5, 0.5, 0.5], [True, False, True]),  # tells nothing apart
        ([0.1, 0.2], [False, False]),
        ([0.1, 0.2], [True, True]),
        ([0.3], [True]),
    ],
)
def test_no_cut(nearness, active):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find_threshold(np.array(nearness), np.array(active)) == np.inf


# EmbeddingAnnotator


def embedding_annotator(**params):
    return EmbeddingAnnotator(TextEmbedder(letters), **params)


HYPOTHESES = [
    Hypothesis("mentions any of: thanks, tea", "n0", ("thanks", "tea")),
    Hypothesis("is about the weather", "n1"),
]


@pytest.mark.parametrize("threshold", [0.6, 0.8])
def test_a_cosine_threshold_is_the_published_rule(threshold):
    texts = get_texts(50)
    annotator = embedding_annotator(threshold=threshold).fit(texts, HYPOTHESES)
    expected = cosine_similarity(
        letters(texts), letters(["thanks, tea", "is about the weather"])
    )
    marks = annotator.annotate(texts)
    assert marks.tolist() == (expected >= threshold).astype(float).tolist()
    assert 0 < marks.mean() < 1
    assert annotator.thresholds_.tolist() == [threshold, threshold]


def test_a_distance_threshold_is_the_published_rule():
    texts = get_texts(50)
    embedder = TextEmbedder(letters, normalize=False)
    annotator = EmbeddingAnnotator(embedder, metric="euclidean", threshold=3.0)
    distances = euclidean_distances(
        letters(texts), letters(["thanks, tea", "is about the weather"])
    )
    marks = annotator.fit(texts, HYPOTHESES).annotate(texts)
    assert marks.tolist() == (distances <= 3.0).astype(float).tolist()
    assert 0 < marks.mean() < 1


def test_the_statement_of_a_lexicon_is_its_terms(seen):
    embedding_annotator(threshold=0.6).fit(["go"], HYPOTHESES)
    assert seen["thanks, tea"] == 1
    assert seen["is about the weather"] == 1
    assert not any("mentions" in text for text in seen)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_auto_finds_the_threshold_between_active_and_silent(metric):
    texts = [str(angle) for angle in (0, 5, 10, 20, 60, 70, 80, 90)]
    active = np.array([1.0, 2.0, 0.5, 3.0, 0, 0, 0, 0])[:, None]
    annotator = EmbeddingAnnotator(TextEmbedder(directions), metric=metric)
    annotator.fit(texts, [Hypothesis("0", "n")], active)
    assert annotator.annotate(texts).ravel().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    near, far = np.cos(np.radians([20, 60]))
    bounds = (
        (far, near) if metric == "cosine" else np.sqrt(2 - 2 * np.array([near, far]))
    )
    assert bounds[0] < annotator.thresholds_[0] < bounds[1]
    # two hypotheses have two thresholds
    both = np.hstack([active, (np.arange(8) < 6)[:, None]])
    hypotheses = [Hypothesis("0", "n"), Hypothesis("00", "m")]
    annotator.fit(texts, hypotheses, both)
    assert annotator.annotate(texts).sum(axis=0).tolist() == [4, 6]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("threshold", ["auto", 0.4])
def test_margins_are_what_the_annotation_is_made_of(metric, threshold):
    texts = [str(angle) for angle in (0, 5, 10, 20, 60, 70, 80, 90)]
    active = np.array([[1.0] * 4 + [0] * 4, [0] * 4 + [1.0] * 4]).T
    annotator = EmbeddingAnnotator(
        TextEmbedder(directions), metric=metric, threshold=threshold
    )
    # of the second no cut speaks for it
    annotator.fit(texts, [Hypothesis("0", "n"), Hypothesis("1", "m")], active)
    margins = annotator.decision_function(texts)
    assert (margins >= 0).tolist() == (annotator.annotate(texts) == 1).tolist()
    assert (np.diff(margins[:, 0]) < 0).all()
    where = np.zeros_like(margins, dtype=bool)
    where[2, 0] = True
    some = annotator.decision_function(texts, where)
    np.testing.assert_array_equal(np.isnan(some), ~where)
    assert some[2, 0] == margins[2, 0]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_auto_without_any_agreement_annotates_nothing(metric):
    texts = ["0", "10", "80", "90"]
    active = np.array([0.0, 0.0, 1.0, 1.0])[:, None]
    annotator = EmbeddingAnnotator(TextEmbedder(directions), metric=metric)
    annotator.fit(texts, [Hypothesis("0", "n")], active)
    assert not annotator.annotate(texts).any()
    assert np.isinf(annotator.thresholds_[0])


def test_auto_needs_activations():
    with pytest.raises(ValueError, match=r"threshold='auto'.*none were given"):
        EmbeddingAnnotator().fit(["tea"], HYPOTHESES)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_fallback_depends_on_the_batch(metric):
    """Which is why it is not the default."""
    texts = ["40", "50", "60"]
    hypotheses = [Hypothesis("0", "n"), Hypothesis("58", "m")]
    threshold = 0.999 if metric == "cosine" else 0.05
    params = {"metric": metric, "threshold": threshold}
    plain = EmbeddingAnnotator(TextEmbedder(directions), **params)
    nearest = EmbeddingAnnotator(TextEmbedder(directions), fallback="nearest", **params)
    for annotator in (plain, nearest):
        annotator.fit(texts, hypotheses)
    assert plain.annotate(texts).T.tolist() == [[0, 0, 0], [0, 0, 1]]
    assert nearest.annotate(texts).T.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert nearest.annotate(texts[1:]).T.tolist() == [[1, 0], [0, 1]]
    alone = [plain.annotate([text])[0].tolist() for text in texts]
    assert alone == plain.annotate(texts).tolist()


def test_blank_and_odd_texts():
    texts = [*get_texts(60), "", "a\ud800b", "tea " * 50_000]
    active = np.array([float("tea" in text) for text in texts])[:, None]
    annotator = EmbeddingAnnotator()
    with pytest.warns(HypothesisWarning, match="1 of 63 texts are empty"):
        annotator.fit(
            texts, [HYPOTHESES[0]], active, random_state=np.random.RandomState(0)
        )
    with pytest.warns(HypothesisWarning, match="empty"):
        marks = annotator.annotate(["", "tea", "rain"])
    assert marks.ravel().tolist() == [0, 1, 0]


def test_the_embedder_is_cloned_and_seeded():
    texts, active = get_texts(80), np.tile([0.0, 1.0], 40)[:, None]
    embedder = TextEmbedder(n_components=3)
    annotator = EmbeddingAnnotator(embedder)
    seeds = []
    for seed in (0, 0, 1):
        annotator.fit(
            texts, HYPOTHESES[:1], active, random_state=np.random.RandomState(seed)
        )
        seeds.append(annotator.embedder_.random_state)
    assert seeds[0] == seeds[1] != seeds[2]
    assert embedder.random_state is None
    assert not hasattr(embedder, "encoder_")
    own = EmbeddingAnnotator(TextEmbedder(n_components=3, random_state=7))
    own.fit(texts, HYPOTHESES[:1], active, random_state=np.random.RandomState(0))
    assert own.embedder_.random_state == 7


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "manhattan"},
        {"threshold": "best"},
        {"threshold": np.inf},
        {"threshold": None},
        {"fallback": "all"},
        {"embedder": "lsa"},
    ],
)
def test_bad_parameters_are_named(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        EmbeddingAnnotator(**params).fit(["tea"], HYPOTHESES, np.ones((1, 2)))


def test_parameters_nest():
    annotator = EmbeddingAnnotator(TextEmbedder(n_components=9), threshold=0.6)
    assert annotator.get_params()["embedder__n_components"] == 9
    annotator.set_params(embedder__n_components=5, metric="euclidean")
    copy = clone(annotator)
    assert copy.embedder is not annotator.embedder
    assert copy.embedder.n_components == 5
    assert copy.metric == "euclidean"
    extractor = HypothesisExtractor(annotator=annotator)
    extractor.set_params(annotator__threshold="auto")
    assert extractor.get_params()["annotator__embedder__n_components"] == 5
    assert annotator.threshold == "auto"


def test_a_fitted_annotator_pickles():
    texts, active = get_texts(40), np.tile([0.0, 1.0], 20)[:, None]
    rng = np.random.RandomState(0)
    for annotator in (LexiconAnnotator(), EmbeddingAnnotator(TextEmbedder())):
        annotator.fit(texts, HYPOTHESES[:1], active, random_state=rng)
        copy = pickle.loads(pickle.dumps(annotator))  # noqa: S301
        assert copy.annotate(texts).tolist() == annotator.annotate(texts).tolist()


# In a pipeline


def small_pipeline(first, annotator):
    return Pipeline(
        [
            ("embed", first),
            ("sae", SparseAutoencoderTransformer(8, 2, max_epochs=4, random_state=0)),
            ("select", NeuronSelector(3)),
            ("hypotheses", HypothesisExtractor(annotator=annotator, random_state=0)),
        ]
    )


@pytest.mark.parametrize("threshold", ["auto", 0.6])
def test_one_cache_serves_both_steps(tmp_path, seen, threshold):
    """Each distinct text reaches the model once, in fit and score together."""
    data = make_concept_texts(150, n_concepts=2, random_state=0)
    texts = np.r_[data.data, data.data[:20]]
    y = np.r_[data.target, data.target[:20]]
    first = TextEmbedder(letters, cache=tmp_path)
    annotator = EmbeddingAnnotator(
        TextEmbedder(letters, cache=tmp_path), threshold=threshold
    )
    pipe = small_pipeline(first, annotator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        pipe.fit(texts, y)
        pipe.score(texts[:80], y[:80])
        clone(pipe).fit(texts[:100], y[:100]).score(texts, y)
    assert set(texts) <= set(seen)
    assert set(seen.values()) == {1}


def test_auto_works_in_a_pipeline_and_sees_no_target():
    data = make_concept_texts(300, n_concepts=2, random_state=0)
    pipe = small_pipeline(
        TextEmbedder(n_components=16, random_state=0),
        EmbeddingAnnotator(TextEmbedder(n_components=32)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        pipe.fit(data.data, data.target)
        annotated = pipe.transform(data.data)
        neurons = pipe[:-1].transform(data.data)
        assert set(np.unique(annotated)) <= {0.0, 1.0}
        last = clone(pipe[-1])
        rng = np.random.RandomState(0)
        other = last.fit(neurons, rng.permutation(data.target))
    assert other.transform(neurons).equals(annotated)


def test_with_a_real_model(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    texts = [
        "thank you so much for your help",
        "i really appreciate it, cheers",
        "we are very grateful",
        "the train is late again",
        "my bicycle has a flat tyre",
        "the report has forty pages",
    ]
    active = np.array([1.0, 1.0, 1.0, 0, 0, 0])[:, None]
    thanks = [Hypothesis("expresses gratitude", "neuron017")]
    embedder = TextEmbedder("minilm", device="cpu")
    for metric in ("cosine", "euclidean"):
        annotator = EmbeddingAnnotator(embedder, metric=metric)
        annotator.fit(texts, thanks, active)
        assert annotator.annotate(texts).ravel().tolist() == active.ravel().tolist()
        new = annotator.annotate(["so grateful to you", "two pages are blank"])
        assert new.ravel().tolist() == [1, 0]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_texts_without_a_known_word_have_no_concept(metric):
    texts = ["thanks a lot", "many thanks", "so tired today", "tired and sad"] * 5
    active = np.array([[1.0], [1.0], [0.0], [0.0]] * 5)
    annotator = EmbeddingAnnotator(metric=metric).fit(
        texts,
        [Hypothesis("expresses thanks", "neuron000")],
        active,
        random_state=np.random.RandomState(0),
    )
    found = annotator.annotate(["thanks a lot", "zzqx qwv"])
    assert found.ravel().tolist() == [1.0, 0.0]


def test_thresholds_for_a_neuron_that_is_always_active():
    texts = ["thanks a lot", "many thanks", "so tired today", "tired and sad"] * 5
    strength = np.array([[1.0], [0.9], [0.1], [0.2]] * 5)
    annotator = EmbeddingAnnotator().fit(
        texts,
        [Hypothesis("expresses thanks", "neuron000")],
        strength,
        random_state=np.random.RandomState(0),
    )
    assert annotator.annotate(texts[:4]).ravel().tolist() == [1, 1, 0, 0]
