"""make_concept_texts: what is planted, where, and what it does to the target."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from sklearn_hypo.datasets import load_tweets, make_concept_texts
from sklearn_hypo.datasets._concept_bank import ASIDES, CONCEPTS, SENTENCES

BASE = ["  one two  three", "", "four", "five six seven eight.\n", "\tnine ten"]


def _has_form(text, forms):
    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text) for form in forms)


def _is_subsequence(words, others):
    others = iter(others)
    return all(word in others for word in words)


def test_at_least_twelve_concepts_of_fifteen_forms():
    assert len(CONCEPTS) >= 12
    for name, forms in CONCEPTS.items():
        assert len(set(forms)) == len(forms) >= 15, name


def test_forms_are_clean_and_belong_to_one_concept():
    forms = [form for forms in CONCEPTS.values() for form in forms]
    assert len(set(forms)) == len(forms)
    for form in forms:
        assert re.fullmatch(r"[a-z]+( [a-z]+)*", form)
        others = [other for other in forms if other != form]
        assert not _has_form(form, others), form


def test_no_word_of_content_runs_through_a_concept():
    function_words = {
        *("a", "all", "am", "and", "at", "be", "i", "in", "is", "it", "my", "of"),
        *("our", "so", "that", "the", "this", "to", "was", "we", "you", "your"),
    }
    for name, forms in CONCEPTS.items():
        words = pd.Series([w for f in forms for w in set(f.split()) - function_words])
        assert words.value_counts().iloc[0] <= len(forms) / 3, name


def test_filler_contains_no_surface_form():
    fillers = [word for slots in SENTENCES for slot in slots for word in slot]
    for forms in CONCEPTS.values():
        for filler in [*fillers, *ASIDES]:
            assert not _has_form(filler, forms)
    texts = make_concept_texts(2000, prevalence=1e-9, random_state=0)
    assert texts.truth.sum() == 0
    every_form = re.compile("|".join(form for f in CONCEPTS.values() for form in f))
    assert not [text for text in texts.data if every_form.search(text)]


def test_filler_is_varied():
    texts = make_concept_texts(2000, prevalence=1e-9, random_state=0)
    assert len(set(texts.data)) > 1990
    assert len({word for text in texts.data for word in text.split()}) > 300


@pytest.mark.parametrize("position", ["any", "start", "inside", "end"])
def test_truth_is_what_the_texts_say(position):
    texts = make_concept_texts(150, n_concepts=14, position=position, random_state=1)
    for column, name in enumerate(texts.concept_names):
        said = [_has_form(text, texts.surface_forms[name]) for text in texts.data]
        assert np.array_equal(said, texts.truth[:, column]), name


def test_every_form_is_used():
    texts = make_concept_texts(3000, n_concepts=2, prevalence=0.3, random_state=0)
    for forms in texts.surface_forms.values():
        for form in forms:
            assert sum(form in text for text in texts.data) > 20


def test_shapes_types_and_defaults():
    texts = make_concept_texts(50, random_state=0)
    assert texts.data.shape == texts.target.shape == (50,)
    assert texts.data.dtype == object
    assert {type(text) for text in texts.data} == {str}
    assert texts.truth.shape == (50, 10)
    assert texts.truth.dtype == np.int64
    assert texts.concept_names == list(CONCEPTS)[:10]
    assert texts.surface_forms["pets"] == CONCEPTS["pets"]
    assert texts.intercept == 0
    assert texts.base_index is None
    assert (np.sign(texts.coef) == [1, -1] * 5).all()
    assert np.abs(texts.coef).min() >= 1


def test_prevalence_for_all_and_for_each():
    texts = make_concept_texts(5000, n_concepts=3, prevalence=0.3, random_state=0)
    assert texts.truth.mean(axis=0) == pytest.approx([0.3] * 3, abs=0.03)
    rates = [0.05, 0.2, 0.6]
    texts = make_concept_texts(5000, n_concepts=3, prevalence=rates, random_state=0)
    assert texts.truth.mean(axis=0) == pytest.approx(rates, abs=0.03)
    assert np.corrcoef(texts.truth.T)[0, 1:] == pytest.approx([0, 0], abs=0.06)


def test_least_squares_on_the_truth_recovers_the_effects():
    texts = make_concept_texts(4000, random_state=0)
    design = np.column_stack([np.ones(4000), texts.truth])
    estimate, *_ = np.linalg.lstsq(design, texts.target)
    # the standard error is about 1 / sqrt(4000 * 0.15 * 0.85) = 0.045
    assert estimate[1:] == pytest.approx(texts.coef, abs=0.18)
    residuals = texts.target - design @ estimate
    assert residuals.std() == pytest.approx(1, abs=0.05)


def test_logistic_regression_on_the_truth_recovers_the_effects():
    texts = make_concept_texts(
        8000, n_concepts=4, effects=[2, -2, 1, 0], task="classification", random_state=0
    )
    assert set(texts.target) == {0, 1}
    assert texts.target.mean() == pytest.approx(0.5, abs=0.05)
    model = LogisticRegression(C=1e6).fit(texts.truth, texts.target)
    assert model.coef_[0] == pytest.approx([2, -2, 1, 0], abs=0.25)
    assert model.intercept_[0] == pytest.approx(texts.intercept, abs=0.15)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_without_noise_the_target_follows_from_the_truth(task):
    texts = make_concept_texts(300, noise=0, task=task, random_state=0)
    expected = texts.intercept + texts.truth @ texts.coef
    if task == "classification":
        expected = (expected > 0).astype(int)
    assert texts.target == pytest.approx(expected)


def test_same_seed_same_everything():
    first, second = (make_concept_texts(200, random_state=3) for _ in range(2))
    assert first.data.tolist() == second.data.tolist()
    assert np.array_equal(first.target, second.target)
    assert np.array_equal(first.truth, second.truth)
    other = make_concept_texts(200, random_state=4)
    assert first.data.tolist() != other.data.tolist()


def test_texts_do_not_depend_on_the_target():
    first = make_concept_texts(100, random_state=0)
    second = make_concept_texts(
        100, task="classification", effects=np.ones(10), noise=3.0, random_state=0
    )
    assert first.data.tolist() == second.data.tolist()
    assert np.array_equal(first.truth, second.truth)


def test_a_random_state_instance_moves_on():
    random_state = np.random.RandomState(0)
    first = make_concept_texts(20, random_state=random_state)
    second = make_concept_texts(20, random_state=random_state)
    assert first.data.tolist() != second.data.tolist()


def test_the_global_generator_is_not_touched():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    make_concept_texts(20, random_state=0)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_concepts_by_name_and_of_ones_own():
    texts = make_concept_texts(20, concepts=["pets", "music"], random_state=0)
    assert texts.concept_names == ["pets", "music"]
    own = {"surprise": ["oh my", " what (a) surprise? "], "doubt": ("who knows",)}
    texts = make_concept_texts(200, concepts=own, prevalence=0.5, random_state=0)
    assert texts.surface_forms["surprise"] == ("oh my", "what (a) surprise?")
    said = ["oh my" in t or "what (a) surprise?" in t for t in texts.data]
    assert np.array_equal(said, texts.truth[:, 0])


@pytest.mark.parametrize("position", ["any", "start", "inside", "end"])
@pytest.mark.parametrize("seed", range(5))
def test_planting_keeps_the_words_of_the_base_texts(position, seed):
    texts = make_concept_texts(
        None,
        base_texts=BASE,
        n_concepts=3,
        prevalence=0.7,
        position=position,
        forms_per_text=1,
        random_state=seed,
    )
    assert texts.base_index.tolist() == list(range(len(BASE)))
    for base, text, present in zip(BASE, texts.data, texts.truth, strict=True):
        assert _is_subsequence(base.split(), text.split())
        planted = list(_forms_in(text, texts.surface_forms, present))
        assert len(text.split()) == len(base.split()) + sum(
            len(form.split()) for form in planted
        )


@pytest.mark.parametrize(
    ("given", "fewest", "most"), [(1, 1, 1), (3, 3, 3), ((2, 4), 2, 4), ([1, 2], 1, 2)]
)
def test_forms_per_text(given, fewest, most):
    own = {"one": ["alpha", "bravo", "carol", "delta", "ember"], "two": ["zulu"]}
    texts = make_concept_texts(
        300, concepts=own, prevalence=0.5, forms_per_text=given, random_state=0
    )
    counts = np.array([sum(f in text for f in own["one"]) for text in texts.data])
    there = texts.truth[:, 0] == 1
    assert (counts[~there] == 0).all()
    assert set(counts[there]) == set(range(fewest, most + 1))
    # a concept cannot be said in more ways than it has, and no way is repeated
    said = np.array([text.count("zulu") for text in texts.data])
    assert np.array_equal(said, texts.truth[:, 1])


@pytest.mark.parametrize("wrong", [(3, 2), (0, 2), (1, 2, 3), (1.5, 2), ()])
def test_wrong_forms_per_text(wrong):
    with pytest.raises(ValueError, match="forms_per_text must be a positive integer"):
        make_concept_texts(10, forms_per_text=wrong)


def _forms_in(text, surface_forms, present):
    for forms, there in zip(surface_forms.values(), present, strict=True):
        found = [form for form in forms if _has_form(text, [form])]
        assert len(found) == there
        yield from found


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("start", "oh my one two\n three "),
        ("end", " one two\n three oh my"),
        ("inside", (" one oh my two\n three ", " one two oh my\n three ")),
    ],
)
def test_exact_result_of_planting(position, expected):
    texts = make_concept_texts(
        None,
        base_texts=[" one two\n three "],
        concepts={"surprise": ["oh my"]},
        prevalence=1 - 1e-9,
        position=position,
        random_state=0,
    )
    assert texts.data[0] in ((expected,) if isinstance(expected, str) else expected)


def test_base_texts_without_a_concept_stay_as_they_are():
    texts = make_concept_texts(
        None, base_texts=pd.Series(BASE), prevalence=1e-9, random_state=0
    )
    assert texts.data.tolist() == BASE


def test_base_texts_are_drawn_without_replacement():
    base = [f"text number {i}" for i in range(30)]
    texts = make_concept_texts(20, base_texts=base, random_state=0)
    assert len(set(texts.base_index)) == 20
    assert texts.base_index.tolist() != sorted(texts.base_index)
    for row, text in zip(texts.base_index, texts.data, strict=True):
        assert _is_subsequence(base[row].split(), text.split())


def test_all_positions_occur():
    texts = make_concept_texts(
        None,
        base_texts=["one two three"] * 60,
        concepts={"surprise": ["oh my"]},
        prevalence=0.9,
        random_state=0,
    )
    assert set(texts.data) == {
        "one two three",
        "oh my one two three",
        "one oh my two three",
        "one two oh my three",
        "one two three oh my",
    }


def _best_lexicon_f1(counts, truth, n_terms=10):
    """Greedily build a rule "contains any of" from terms that are mostly right."""
    precision = (counts.T @ truth) / counts.sum(axis=0)
    terms = counts[:, precision >= 0.5].astype(bool)
    rule, best = np.zeros(len(truth), dtype=bool), 0.0
    for _ in range(n_terms):
        either = rule[:, None] | terms
        f1 = 2 * (either.T @ truth) / (either.sum(axis=0) + truth.sum())
        if f1.max() <= best:
            break
        rule, best = either[:, f1.argmax()], f1.max()
    return best


def _lexicon_f1(texts):
    vectorizer = CountVectorizer(
        binary=True, ngram_range=(1, 2), token_pattern=r"\b\w+\b", min_df=5
    )
    counts = vectorizer.fit_transform(texts.data).toarray()
    return {
        name: _best_lexicon_f1(counts, texts.truth[:, column])
        for column, name in enumerate(texts.concept_names)
    }


def _single_term_f1(texts):
    vectorizer = CountVectorizer(binary=True, token_pattern=r"\b\w+\b", min_df=5)
    counts = vectorizer.fit_transform(texts.data).toarray()
    together = counts.T @ texts.truth
    sizes = counts.sum(axis=0)[:, None] + texts.truth.sum(axis=0)
    return (2 * together / sizes).max(axis=0)


def test_ten_terms_suffice_for_each_concept_and_one_does_not():
    texts = make_concept_texts(2000, n_concepts=14, forms_per_text=1, random_state=0)
    scores = _lexicon_f1(texts)
    assert min(scores.values()) >= 0.9, scores
    assert _single_term_f1(texts).max() < 0.6


@pytest.mark.skipif(
    not (
        Path(os.environ.get("SKLEARN_HYPO_DATA", "")) / "tweets" / "Tweets.csv"
    ).is_file(),
    reason="needs tweets/Tweets.csv in the folder named by SKLEARN_HYPO_DATA",
)
def test_planting_into_real_tweets():
    tweets = load_tweets()
    texts = make_concept_texts(2000, base_texts=tweets.data, random_state=0)
    for row, text in zip(texts.base_index, texts.data, strict=True):
        assert _is_subsequence(tweets.data[row].split(), text.split())
    for column, name in enumerate(texts.concept_names):
        planted = texts.data[texts.truth[:, column] == 1]
        assert all(_has_form(text, texts.surface_forms[name]) for text in planted)
    assert min(_lexicon_f1(texts).values()) >= 0.85


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_samples": 0}, "'n_samples' parameter of make_concept_texts"),
        ({"n_samples": 2.5}, "'n_samples' parameter"),
        ({"n_samples": None}, "n_samples=None stands for all base texts"),
        ({"n_concepts": 0}, "'n_concepts' parameter"),
        ({"n_concepts": 15}, r"'n_concepts' parameter.*\[1, 14\]. Got 15"),
        ({"concepts": []}, "concepts is empty"),
        ({"concepts": {}}, "concepts is empty"),
        ({"concepts": ["politics"]}, "no built-in concept 'politics'. There are: grat"),
        ({"concepts": [3]}, "no built-in concept 3"),
        ({"concepts": ["pets", "pets"]}, "names a concept twice"),
        ({"concepts": "pets"}, "'concepts' parameter"),
        ({"concepts": {"a": []}}, "concept 'a' has no surface form"),
        ({"concepts": {"a": ["x", " "]}}, "concept 'a' has an empty surface form"),
        ({"prevalence": 0}, "'prevalence' parameter"),
        ({"prevalence": 1.0}, "'prevalence' parameter"),
        ({"prevalence": [0.5] * 9}, r"prevalence must have one number for each of the"
         r" 10 concepts, but an array of shape \(9,\)"),
        ({"prevalence": [0.5] * 9 + [1.5]}, "prevalence must lie between 0 and 1"),
        ({"prevalence": [0.5] * 9 + [np.nan]}, "prevalence must lie between 0 and 1"),
        ({"effects": [1, 2]}, "effects must have one number for each"),
        ({"effects": [np.inf] * 10}, "effects must be finite"),
        ({"noise": -1}, "'noise' parameter"),
        ({"noise": np.nan}, "'noise' parameter"),
        ({"task": "multiclass"}, "'task' parameter"),
        ({"position": "middle"}, "'position' parameter"),
        ({"random_state": "x"}, "'random_state' parameter"),
        ({"base_texts": ["a", None], "n_samples": 1}, "position 1 is missing"),
        ({"base_texts": ["a"], "n_samples": 2}, "n_samples=2 is more than the 1 base"),
        ({"base_texts": [], "n_samples": None}, "at least one text is required"),
    ],
)  # fmt: skip
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_concept_texts(**parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"concepts": {"a": "one form"}},
        {"concepts": {"a": ["x", 3]}},
        {"concepts": {"a": 3}},
        {"concepts": {3: ["x"]}},
        {"base_texts": "one text", "n_samples": 1},
        {"base_texts": [1, 2], "n_samples": 1},
    ],
)
def test_not_texts(parameters):
    with pytest.raises(TypeError, match="make_concept_texts"):
        make_concept_texts(**parameters)
