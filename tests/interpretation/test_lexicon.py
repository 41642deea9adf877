"""The lexicon, from the terms of a text to the fidelity of a hypothesis."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from sklearn_hypo import HypothesisExtractor, LexiconAnnotator, LexiconInterpreter
from sklearn_hypo._hypotheses._fidelity import Fidelity, compute_correlation_error
from sklearn_hypo._interpretation._lexicon import (
    _LARGEST_LOSS,
    _MARGIN,
    _PARTS,
    group_variants,
    word_lexicon,
)
from sklearn_hypo._interpretation._lexicon_search import TermIndex, search_terms
from sklearn_hypo._interpretation._sampling import (
    draw_percentile_bins,
    draw_top_and_zero_rows,
    split_at_random,
)
from sklearn_hypo._utils._terms import contains_any, find_vocabulary, mark_terms
from sklearn_hypo._utils._tokens import make_ngrams, tokenize
from sklearn_hypo.datasets import make_concept_texts

WORDS = ["tea", "rain", "snow", ":)", "!", "don't", "art", "party", "café", "🙂"]


def random_texts(n, seed=0, words=WORDS, length=4):
    rng = np.random.RandomState(seed)
    return np.array(
        [" ".join(rng.choice(words, rng.randint(1, length + 1))) for _ in range(n)],
        dtype=object,
    )


def index_of(marks, terms):
    """Build a term index from a dense 0/1 matrix."""
    from scipy import sparse

    return TermIndex(sparse.csr_array(np.asarray(marks, dtype=np.float32)), terms)


def everything(index):
    return np.ones(len(index.terms), dtype=bool)


# Terms


@pytest.mark.parametrize("n_max", [1, 2, 3])
def test_vocabulary_agrees_with_a_loop(n_max):
    texts = random_texts(60)
    presence, terms = find_vocabulary(texts, n_max=n_max, min_df=2)
    contained = [set(make_ngrams(tokenize(text), n_max)) for text in texts]
    counts = {}
    for found in contained:
        for term in found:
            counts[term] = counts.get(term, 0) + 1
    expected = sorted(term for term, count in counts.items() if count >= 2)
    assert list(terms) == expected
    dense = presence.toarray()
    for row, found in enumerate(contained):
        assert [term in found for term in terms] == list(dense[row] == 1)


def test_vocabulary_without_a_frequent_term():
    texts = ["alpha", "beta", "", "..."]
    presence, terms = find_vocabulary(texts, n_max=2, min_df=2)
    assert presence.shape == (4, 0)
    assert len(terms) == 0


def test_min_df_above_the_number_of_texts_means_all_texts():
    _, terms = find_vocabulary(["tea", "tea rain"], n_max=1, min_df=3)
    assert list(terms) == ["tea"]


def test_term_presence_agrees_with_a_loop():
    texts = random_texts(80, seed=1)
    terms = ["tea", "tea rain", "! !", ":) art", "absent", "don't", "🙂"]
    presence = mark_terms(texts, terms).toarray()
    for text, row in zip(texts, presence, strict=True):
        contained = make_ngrams(tokenize(text), 2)
        assert list(row) == [float(term in contained) for term in terms]


def test_term_presence_of_nothing():
    assert mark_terms([], ["tea"]).shape == (0, 1)
    assert mark_terms(["tea"], []).shape == (1, 0)
    assert contains_any(mark_terms(["tea"], []), [], []).shape == (1, 0)


def test_terms_are_tokens_not_substrings():
    presence = mark_terms(["the party's over", "ART!", "partart art"], ["art"])
    assert presence.toarray().ravel().tolist() == [0, 1, 1]


def test_any_of_agrees_with_a_loop():
    texts = random_texts(50, seed=2)
    terms = sorted(WORDS)
    lexicons = [["tea"], ["rain", "snow"], [":)", "!", "don't"], []]
    marks = contains_any(mark_terms(texts, terms), terms, lexicons)
    for text, row in zip(texts, marks, strict=True):
        contained = set(tokenize(text))
        assert list(row) == [float(bool(contained & set(each))) for each in lexicons]
    assert marks.dtype == np.float64


# The search


def correlation(marks, terms, target):
    union = marks[:, list(terms)].any(axis=1)
    return np.corrcoef(union, target)[0, 1] if union.std() else -1.0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["binary", "activation", "noise"])
def test_search_comes_close_to_the_best_of_all_subsets(seed, kind):
    rng = np.random.RandomState(seed)
    marks = rng.random_sample((400, 8)) < rng.uniform(0.05, 0.4, 8)
    concept = marks[:, [1, 4, 6]].any(axis=1)
    target = {
        "binary": (concept ^ (rng.random_sample(400) < 0.1)).astype(float),
        "activation": concept * rng.exponential(size=400),
        "noise": rng.random_sample(400),
    }[kind]
    index = index_of(marks, [f"t{j}" for j in range(8)])
    found = search_terms(index, target, allowed=everything(index), max_terms=3)

    subsets = [c for n in (1, 2, 3) for c in itertools.combinations(range(8), n)]
    best = max(correlation(marks, subset, target) for subset in subsets)
    single = max(correlation(marks, (j,), target) for j in range(8))
    reached = correlation(marks, found, target)
    if kind != "noise":  # of which the best is a matter of luck
        assert reached >= 0.97 * best
    assert reached >= single - 2e-3  # a term that adds less than min_gain may go


def test_search_leaves_the_stopword_trap():
    """The best single term is a frequent one that says little; it must go again."""
    rng = np.random.RandomState(0)
    concept = rng.random_sample(2000) < 0.4
    which = rng.randint(4, size=2000)
    marks = np.zeros((2000, 5), dtype=bool)
    for j in range(4):  # four words that share the concept out among them
        marks[:, j] = concept & (which == j)
    marks[:, 4] = rng.random_sample(2000) < np.where(concept, 0.85, 0.35)
    singles = [correlation(marks, (j,), concept) for j in range(5)]
    assert np.argmax(singles) == 4  # so it is a trap
    index = index_of(marks, ["a", "b", "c", "d", "the"])
    found = search_terms(
        index, concept.astype(float), allowed=everything(index), max_terms=5
    )
    assert sorted(found) == [0, 1, 2, 3]


def test_search_keeps_to_max_terms_and_to_allowed_terms():
    rng = np.random.RandomState(1)
    marks = rng.random_sample((500, 20)) < 0.05
    target = marks.any(axis=1).astype(float)
    index = index_of(marks, [f"t{j}" for j in range(20)])
    for max_terms in (1, 2, 7):
        found = search_terms(
            index, target, allowed=everything(index), max_terms=max_terms
        )
        assert len(found) == len(set(found)) == max_terms
    allowed = np.arange(20) % 2 == 0
    found = search_terms(index, target, allowed=allowed, max_terms=20)
    assert found
    assert all(term % 2 == 0 for term in found)


def test_search_finds_nothing_where_nothing_goes_with_the_target():
    marks = np.zeros((40, 3), dtype=bool)
    marks[:20, 0] = True  # goes against it
    marks[::2, 1] = True  # is unrelated
    marks[:2, 2] = True  # is too rare
    target = np.repeat([0.0, 1.0], 20)
    index = index_of(marks, ["a", "b", "c"])
    assert search_terms(index, target, allowed=everything(index), max_terms=3) == []


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_search_finds_nothing_for_a_constant_target(value):
    """Rounding must not be taken for agreement."""
    marks = np.random.RandomState(0).random_sample((333, 9)) < 0.3
    index = index_of(marks, [f"t{j}" for j in range(9)])
    for dtype in (np.float32, np.float64):
        target = np.full(333, value, dtype=dtype)
        assert search_terms(index, target, allowed=everything(index), max_terms=3) == []


def test_search_does_not_depend_on_the_units_of_the_target():
    rng = np.random.RandomState(3)
    marks = rng.random_sample((300, 12)) < 0.1
    target = marks[:, :4].any(axis=1) * rng.exponential(size=300)
    index = index_of(marks, [f"t{j}" for j in range(12)])
    found = [
        search_terms(index, scaled, allowed=everything(index), max_terms=5)
        for scaled in (target, 1e-6 * target, 1e5 + target)
    ]
    assert found[0] == found[1] == found[2]


def test_of_equal_terms_the_first_is_taken():
    marks = np.zeros((30, 3), dtype=bool)
    marks[:10] = [True, True, True]
    target = np.r_[np.ones(10), np.zeros(20)]
    index = index_of(marks, ["b", "a", "c"])
    assert search_terms(index, target, allowed=everything(index), max_terms=3) == [0]


# The wording


@pytest.mark.parametrize(
    ("terms", "statement"),
    [
        (["bored"], "mentions bored"),
        ([":("], "mentions :("),
        (["!"], "mentions !"),
        (["thank you"], "mentions thank you"),
        (["thanks", "thank"], "mentions thanks/thank"),
        (["thanks", "great", "thank"], "mentions any of: thanks/thank, great"),
        (["sad", "!", ":(", "so sad"], "mentions any of: sad, !, :(, so sad"),
        (["été", "étés"], "mentions été/étés"),
        (["日", "本"], "mentions any of: 日, 本"),
    ],
)
def test_statement(terms, statement):
    assert word_lexicon(terms) == statement


@pytest.mark.parametrize(
    "variants",
    [
        ["dog", "dogs"],
        ["city", "cities"],
        ["stop", "stopped", "stopping", "stops"],
        ["love", "loved", "loving", "loves"],
        ["hope", "hopefully", "hopeful", "hopeless"],
        ["happy", "happiness"],
        ["soooo", "soo"],
        ["mom", "mom's"],
        ["array", "arrays"],
        ["class", "classes"],
        ["miss", "missed", "missing", "misses"],
        ["bus", "buses"],
        ["feel", "feeling", "feelin"],
    ],
)
def test_variants_stand_together(variants):
    assert group_variants(variants) == [variants]


@pytest.mark.parametrize(
    "words",
    [
        ["bus", "business"],
        ["art", "arts and crafts"],
        ["miss", "mist"],
        ["less", "les"],
        ["no", "not"],
        [":)", ":("],
        ["!", "?"],
        ["3", "33"],
        ["straße", "stra"],
        ["family", "fame"],
        ["thank you", "thanks"],
        ["wing", "w"],
    ],
)
def test_other_words_stand_apart(words):
    assert group_variants(words) == [[word] for word in words]


@pytest.mark.parametrize(
    "words", [["new", "news"], ["number", "numb"], ["hop", "hoping"]]
)
def test_light_stemming_has_its_limits(words):
    """These stand together and should not; what is matched does not depend on it."""
    assert group_variants(words) == [words]


def test_a_statement_is_one_line_and_holds_every_term():
    rng = np.random.RandomState(0)
    pool = sorted({t for text in random_texts(50, seed=3) for t in tokenize(text)})
    for _ in range(50):
        terms = list(rng.permutation(pool)[: rng.randint(1, 8)])
        statement = word_lexicon(terms)
        assert "\n" not in statement
        assert all(term in statement for term in terms)


# The interpreter


def concept_activations(data, seed=0):
    """Activations such as a neuron might have: positive where the concept is."""
    rng = np.random.RandomState(seed)
    strength = rng.exponential(size=data.truth.shape) + 0.2
    return (data.truth * strength).astype(np.float32)


@pytest.fixture(scope="module")
def concepts():
    data = make_concept_texts(900, n_concepts=3, random_state=0)
    return data, concept_activations(data)


def interpret(data, activations, seed=0, **params):
    names = [f"neuron{j:03d}" for j in range(activations.shape[1])]
    return LexiconInterpreter(**params).interpret(
        data, activations, names, random_state=np.random.RandomState(seed)
    )


def chosen_terms(interpretations):
    return [
        each.candidates[0].hypothesis.terms if each.candidates else None
        for each in interpretations
    ]


def test_parts_are_disjoint_and_equal_texts_are_in_one():
    texts = np.repeat(random_texts(400, seed=4, length=8), 3)
    parts = LexiconInterpreter()._split(texts, np.random.RandomState(0))
    held = [set(texts[part]) for part in parts]
    assert held[0].isdisjoint(held[1] | held[2])
    assert held[1].isdisjoint(held[2])
    rows = np.concatenate(parts)
    assert sorted(rows) == list(range(len(texts)))
    shares = np.array([len(each) for each in held]) / len(set(texts))
    assert np.allclose(shares, _PARTS, atol=0.02)


def test_max_texts_caps_the_distinct_texts():
    texts = np.repeat(np.array([f"text {i}" for i in range(100)], dtype=object), 2)
    parts = LexiconInterpreter(max_texts=20)._split(texts, np.random.RandomState(0))
    assert len(set(texts[np.concatenate(parts)])) == 20
    parts = LexiconInterpreter(max_texts=None)._split(texts, np.random.RandomState(0))
    assert len(np.concatenate(parts)) == 200


def test_the_search_sees_its_part_only(concepts):
    """What happens on the report part changes nothing but the reported fidelity."""
    data, activations = concepts
    before = interpret(data.data, activations)
    parts = LexiconInterpreter()._split(data.data, np.random.RandomState(0))
    texts, changed = data.data.copy(), activations.copy()
    texts[parts[2]] = [f"nothing {i}" for i in range(len(parts[2]))]
    changed[parts[2]] = np.random.RandomState(1).random_sample(changed[parts[2]].shape)
    after = interpret(texts, changed)
    for old, new in zip(before, after, strict=True):
        assert old.candidates == new.candidates
        assert old.fidelity != new.fidelity


def test_the_comparison_part_changes_the_choice_at_most(concepts):
    data, activations = concepts
    before = interpret(data.data, activations)
    parts = LexiconInterpreter()._split(data.data, np.random.RandomState(0))
    changed = activations.copy()
    changed[parts[1]] = np.random.RandomState(1).random_sample(changed[parts[1]].shape)
    after = interpret(data.data, changed)
    for old, new in zip(before, after, strict=True):
        considered = [{c.hypothesis for c in each.candidates} for each in (old, new)]
        assert considered[0] == considered[1]


def test_fidelity_is_that_of_the_third_part(concepts):
    data, activations = concepts
    parts = LexiconInterpreter()._split(data.data, np.random.RandomState(0))
    for j, each in enumerate(interpret(data.data, activations)):
        hypotheses = [c.hypothesis for c in each.candidates]
        annotator = LexiconAnnotator().fit([], hypotheses)
        reported = annotator.annotate(data.data[parts[2]])[:, 0]
        assert each.fidelity == Fidelity.measure(reported, activations[parts[2], j])
        compared = annotator.annotate(data.data[parts[1]])
        for mark, candidate in zip(compared.T, each.candidates, strict=True):
            assert candidate.comparison == Fidelity.measure(
                mark, activations[parts[1], j]
            )


def test_candidates_are_in_order_and_the_choice_is_within_the_error():
    data = make_concept_texts(1200, n_concepts=6, random_state=1)
    rng = np.random.RandomState(0)
    activations = concept_activations(data) * (rng.random_sample((1200, 6)) < 0.7)
    noise = rng.random_sample((1200, 6)) * (rng.random_sample((1200, 6)) < 0.1)
    interpretations = interpret(data.data, activations + noise)
    assert any(len(each.candidates) > 1 for each in interpretations)
    for each in interpretations:
        strengths = [c.comparison.correlation for c in each.candidates]
        assert strengths[1:] == sorted(strengths[1:], reverse=True)
        best = max(strengths)
        n = each.candidates[0].comparison.n
        margin = min(_MARGIN * compute_correlation_error(best, n), _LARGEST_LOSS)
        assert strengths[0] >= best - margin
        assert len({frozenset(c.hypothesis.terms) for c in each.candidates}) == len(
            each.candidates
        )


def test_neurons_that_are_concepts_are_described_well():
    data = make_concept_texts(2000, n_concepts=4, random_state=2)
    for each in interpret(data.data, concept_activations(data)):
        assert each.fidelity.f1 > 0.9
        assert each.fidelity.correlation > 0.6
        assert len(each.candidates[0].hypothesis.terms) <= 10


def test_an_always_active_neuron_is_described_by_its_strength():
    data = make_concept_texts(1500, n_concepts=1, random_state=3)
    activations = data.truth + 0.5 + np.random.RandomState(0).random_sample((1500, 1))
    [found] = interpret(data.data, activations)
    assert found.fidelity.recall < 0.5  # it is active everywhere
    assert found.fidelity.correlation > 0.6
    annotated = LexiconAnnotator().fit([], [found.candidates[0].hypothesis])
    marks = annotated.annotate(data.data)[:, 0]
    assert Fidelity.measure(marks, data.truth[:, 0]).f1 > 0.9


def test_a_neuron_that_is_silent_where_the_search_looks():
    texts = random_texts(300, seed=5, length=9)
    parts = LexiconInterpreter()._split(texts, np.random.RandomState(0))
    activations = np.full((300, 2), 0.1, dtype=np.float32)
    activations[parts[1]] = 0.3  # varies, but not over the first part
    activations[:, 1] -= np.float32(0.1)
    for each in interpret(texts, activations):
        assert each.candidates == ()
        assert each.fidelity is None


def test_no_vocabulary_no_candidates():
    texts = np.array([f"w{i}a w{i}b" for i in range(50)], dtype=object)
    activations = np.random.RandomState(0).random_sample((50, 2))
    for each in interpret(texts, activations):
        assert each.candidates == ()
        assert each.fidelity is None


def test_an_unrelated_neuron_is_reported_as_badly_described():
    texts = random_texts(2000, seed=6, length=8)
    activations = np.random.RandomState(1).random_sample((2000, 1))
    activations *= np.random.RandomState(2).random_sample((2000, 1)) < 0.1
    [found] = interpret(texts, activations)
    if found.candidates:
        assert abs(found.fidelity.correlation) < 0.15


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 9])
def test_few_texts(n):
    texts = np.array(["tea rain", "snow", "art party", "tea"] * 3, dtype=object)[:n]
    texts = np.array([f"{t} {i}" for i, t in enumerate(texts)], dtype=object)
    activations = (np.arange(n) % 2 == 0).astype(float)[:, None]
    [found] = interpret(texts, activations, min_df=1)
    for candidate in found.candidates:
        assert candidate.comparison.n > 0
    if found.fidelity is not None:
        assert found.fidelity.n > 0


def test_few_distinct_texts():
    texts = np.array(["tea time", "rain"] * 50, dtype=object)
    activations = np.tile([1.0, 0.0], 50)[:, None]
    [found] = interpret(texts, activations)
    assert found.candidates[0].hypothesis.statement in (
        "mentions tea",
        "mentions time",
        "mentions tea time",
    )
    assert found.fidelity.f1 == 1.0


def test_max_words_bounds_the_terms(concepts):
    data, activations = concepts
    longest = {}
    for max_words in (1, 2, 3):
        found = interpret(data.data, activations, max_words=max_words)
        terms = [
            t for each in found for c in each.candidates for t in c.hypothesis.terms
        ]
        longest[max_words] = max(term.count(" ") + 1 for term in terms)
    assert longest[1] == 1
    assert all(longest[n] <= n for n in longest)


def test_max_terms_and_min_df(concepts):
    data, activations = concepts
    for each in interpret(data.data, activations, max_terms=2):
        assert all(1 <= len(c.hypothesis.terms) <= 2 for c in each.candidates)
    search = LexiconInterpreter()._split(data.data, np.random.RandomState(0))[0]
    for each in interpret(data.data, activations, min_df=12):
        for candidate in each.candidates:
            presence = mark_terms(data.data[search], candidate.hypothesis.terms)
            assert presence.sum(axis=0).min() >= 12


@pytest.mark.parametrize(
    "params",
    [{"max_terms": 0}, {"max_words": 6}, {"min_df": 0.5}, {"max_texts": 2}],
)
def test_bad_parameters_are_named(params, concepts):
    data, activations = concepts
    with pytest.raises(ValueError, match=next(iter(params))):
        interpret(data.data, activations, **params)


def test_same_seed_same_lexicons_and_another_seed_another_split(concepts):
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
    interpreter = LexiconInterpreter(5, max_words=1, min_df=4, max_texts=None)
    assert clone(interpreter).get_params() == interpreter.get_params()
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
from sklearn_hypo import LexiconInterpreter
from sklearn_hypo.datasets import make_concept_texts
data = make_concept_texts(400, n_concepts=2, random_state=0)
found = LexiconInterpreter().interpret(
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


# Fidelity


def test_fidelity_by_hand():
    annotation = np.array([1, 1, 1, 0, 0, np.nan])
    activation = np.array([2.0, 1.0, 0.0, 3.0, 0.0, 9.0])
    found = Fidelity.measure(annotation, activation)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.n == 5
    expected = np.corrcoef(annotation[:5], activation[:5])[0, 1]
    assert found.correlation == pytest.approx(expected)


@pytest.mark.parametrize(
    ("annotation", "activation", "f1", "precision", "recall"),
    [
        ([0, 0, 0], [1, 0, 0], 0.0, np.nan, 0.0),
        ([1, 1, 0], [0, 0, 0], np.nan, 0.0, np.nan),
        ([1, 0, 0], [0, 1, 0], 0.0, 0.0, 0.0),
        ([np.nan, np.nan], [1, 0], np.nan, np.nan, np.nan),
    ],
)
def test_fidelity_without_anything_to_agree_on(
    annotation, activation, f1, precision, recall
):
    found = Fidelity.measure(np.array(annotation, float), np.array(activation, float))
    assert found[:3] == pytest.approx((f1, precision, recall), nan_ok=True)


def test_standard_error():
    assert compute_correlation_error(0.0, 101) == pytest.approx(0.1)
    assert compute_correlation_error(0.6, 65) == pytest.approx(0.08)
    assert compute_correlation_error(1.0, 50) == 0


# Sampling


@pytest.mark.parametrize("n", range(12))
def test_split_rows(n):
    parts = split_at_random(n, (0.7, 0.15, 0.15), np.random.RandomState(0))
    assert len(parts) == 3
    assert sorted(np.concatenate(parts)) == list(range(n))
    assert all(np.all(np.diff(part) > 0) for part in parts)
    if n >= 3:
        assert all(len(part) > 0 for part in parts)


def test_split_rows_keeps_the_shares():
    parts = split_at_random(1000, (0.7, 0.15, 0.15), np.random.RandomState(0))
    assert [len(part) for part in parts] == [700, 150, 150]


def test_top_and_zero_rows():
    activation = np.array([0, 3.0, 0, 1.0, 2.0, 0, 0])
    top, zero = draw_top_and_zero_rows(activation, 2, 3, np.random.RandomState(0))
    assert top.tolist() == [1, 4]
    assert len(zero) == 3
    assert not activation[zero].any()
    again = draw_top_and_zero_rows(activation, 2, 3, np.random.RandomState(0))
    assert zero.tolist() == again[1].tolist()


def test_top_and_zero_rows_where_there_are_too_few():
    top, zero = draw_top_and_zero_rows(
        np.array([1.0, 2.0]), 5, 5, np.random.RandomState(0)
    )
    assert top.tolist() == [1, 0]
    assert len(zero) == 0


def test_equal_activations_are_drawn_at_random():
    drawn = {
        tuple(draw_top_and_zero_rows(np.ones(9), 2, 0, np.random.RandomState(s))[0])
        for s in range(20)
    }
    assert len(drawn) > 5


def test_percentile_bins_by_strength():
    rng = np.random.RandomState(0)
    activation = np.r_[np.zeros(100), rng.exponential(size=200)]
    bins = draw_percentile_bins(activation, 1000, rng)
    assert [len(rows) for rows in bins] == [100, 100, 60, 30, 10]
    assert sorted(np.concatenate(bins)) == list(range(300))
    for weaker, stronger in itertools.pairwise(bins):
        assert activation[weaker].max() <= activation[stronger].min()


def test_percentile_bins_are_capped_and_seeded():
    activation = np.random.RandomState(0).exponential(size=300)
    drawn = [
        draw_percentile_bins(activation, 5, np.random.RandomState(s)) for s in (0, 0, 1)
    ]
    assert [len(rows) for rows in drawn[0]] == [0, 5, 5, 5, 5]
    same = [np.array_equal(a, b) for a, b in zip(*drawn[:2], strict=True)]
    assert all(same)
    assert not np.array_equal(drawn[0][1], drawn[2][1])


def test_percentile_bins_of_equal_or_no_activations():
    bins = draw_percentile_bins(np.ones(40), 9, np.random.RandomState(0))
    assert [len(rows) for rows in bins] == [0, 9, 9, 6, 2]
    bins = draw_percentile_bins(np.zeros(4), 9, np.random.RandomState(0))
    assert [len(rows) for rows in bins] == [4, 0, 0, 0, 0]
