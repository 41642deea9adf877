"""Terms as people write them."""

import numpy as np

from sklearn_hypo import LexiconAnnotator, LexiconInterpreter
from sklearn_hypo._interpretation._spelling import spell_terms
from sklearn_hypo._utils._tokenizers import FunctionTokenizer, get_tokenizer


def spell(terms, texts):
    return spell_terms([terms], texts, get_tokenizer("characters"))[0]


def test_words_are_spelt_as_most_texts_spell_them():
    texts = ["çok kalıcı", "KALICI", "kalıcı", "kalici", "علی", "علی", "علي"]
    assert spell(["kalici", "çok kalici", "علي"], texts) == [
        "kalıcı",
        "çok kalıcı",
        "علی",
    ]
    assert spell(["kalici"], ["kalici", "kalici", "kalıcı"]) == ["kalici"]


def test_other_words_stay_as_they_are():
    assert spell(["sad", "so sad"], ["SO sad", "ışık"]) == ["sad", "so sad"]
    function = FunctionTokenizer(str.split)
    assert spell_terms([["kalici"]], ["kalıcı"], function) == [["kalici"]]


def test_a_dictionary_is_spelt_and_still_found():
    texts = np.array(
        [f"{w} {i % 7} oda" for i in range(40) for w in ("kalıcı", "kötü")]
    )
    active = np.array([float("kalıcı" in text) for text in texts])[:, None]
    found = LexiconInterpreter(embedder=None).interpret(
        texts.astype(object), active, ["neuron0"], random_state=np.random.RandomState(0)
    )
    hypothesis = found[0].candidates[0].hypothesis
    assert hypothesis.terms == ("kalıcı",)
    annotator = LexiconAnnotator().fit([], [hypothesis])
    assert annotator.annotate(["KALICI oda", "kalici", "oda"]).tolist() == [
        [1],
        [1],
        [0],
    ]
