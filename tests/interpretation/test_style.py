"""Columns of style in words."""

import numpy as np
import pytest

from sklearn_hypo import Fidelity, StyleFeatures
from sklearn_hypo._interpretation._columns import interpret_style
from sklearn_hypo._style._measures import measure_texts


def get_texts(n=400):
    rng = np.random.default_rng(0)
    texts = []
    for _ in range(n):
        words = ["word", *rng.choice(["cat", "dog", "I"], rng.geometric(0.1))]
        texts.append(" ".join(words) + ("?" if rng.random() < 0.3 else ""))
    return np.array(texts, dtype=object)


def interpret(texts, *measures, seed=0):
    frame = StyleFeatures(list(measures)).fit_transform(texts)
    return frame, interpret_style(
        texts, frame.to_numpy(), list(frame), random_state=np.random.RandomState(seed)
    )


def test_statements_and_fidelity():
    texts = get_texts()
    _, found = interpret(texts, "words", "question_marks")
    assert [each.neuron for each in found] == ["style_words", "style_question_marks"]
    words, asks = (each.candidates[0].hypothesis for each in found)
    assert str(words) == f"is longer than {words.threshold:g} words"
    assert 2 < words.threshold < 20
    assert (words.measure, words.neurons) == ("words", ("style_words",))
    assert str(asks) == "asks (contains a question mark)"
    assert (asks.measure, asks.threshold) == ("question_marks", 0)
    for each in found:
        assert each.fidelity.correlation > 0.7
        assert each.fidelity.n + each.candidates[0].comparison.n == len(texts)
        assert each.fidelity.n < each.candidates[0].comparison.n


def test_fidelity_is_measured_on_texts_that_did_not_choose():
    texts = np.array([f"{'a ' * n}x{i}" for i in range(50) for n in (1, 9)], object)
    frame, found = interpret(texts, "words")
    hypothesis = found[0].candidates[0].hypothesis
    mark = measure_texts(texts, ["words"])[:, 0] > hypothesis.threshold
    whole = Fidelity.measure(mark, frame["style_words"])
    assert found[0].fidelity.n == 20
    assert found[0].fidelity.correlation == pytest.approx(1)
    assert whole.correlation == pytest.approx(1)


def test_equal_texts_are_in_one_part():
    texts = np.repeat(list(dict.fromkeys(get_texts(30))), 5)
    _, found = interpret(texts, "words")
    assert found[0].fidelity.n == 5 * round(0.2 * len(set(texts)))


@pytest.mark.parametrize("texts", [["a b", "a b"], ["a b"], ["a b", "a b c"]])
def test_too_few_texts_to_tell(texts):
    _, found = interpret(np.array(texts, dtype=object), "words", "links")
    assert found[1].candidates == ()
    assert "the same in nearly all texts" in found[1].reason
    assert [each.neuron for each in found] == ["style_words", "style_links"]
