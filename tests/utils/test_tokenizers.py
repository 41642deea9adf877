"""Tokenizers by name and by function."""

import pickle
import sys
from dataclasses import dataclass

import pytest

from sklearn_hypo import Hypothesis, LexiconAnnotator, TermFeatures, TextEmbedder
from sklearn_hypo._utils import _segmentation, _tokenizers
from sklearn_hypo._utils._segmentation import load_segmenter
from sklearn_hypo._utils._tokenizers import (
    FunctionTokenizer,
    RuleTokenizer,
    get_tokenizer,
    name_tokenizer,
)
from sklearn_hypo.exceptions import HypothesisWarning


def cut_at_hyphens(text):
    return text.split("-")


def test_names_and_functions():
    assert get_tokenizer("characters") == RuleTokenizer("characters")
    assert get_tokenizer("auto") == get_tokenizer(None) == RuleTokenizer("icu")
    assert get_tokenizer(cut_at_hyphens).tokenize("A-b c") == ["a", "b_c"]
    assert get_tokenizer("string:capwords").function("a b") == "A B"
    assert name_tokenizer("icu") == "icu"
    named = name_tokenizer(cut_at_hyphens)
    assert named.endswith(":cut_at_hyphens")


@pytest.mark.parametrize("name", ["mecab", "no_module:f", "string:nothing", "x:"])
def test_a_name_that_is_none(name):
    with pytest.raises(ValueError, match=r"tokenizer=.*jieba") as caught:
        TermFeatures(tokenizer=name).fit(["a b", "a c"])
    assert name in str(caught.value)


def test_why_a_function_is_not_found(tmp_path, monkeypatch):
    (tmp_path / "cut_words.py").write_text("import no_such_package\n")
    with pytest.raises(ValueError, match=r"No module named 'cut_words'; with PYTHON"):
        get_tokenizer("cut_words:cut")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="No module named 'no_such_package'"):
        get_tokenizer("cut_words:cut")
    with pytest.raises(ValueError, match="string:digits cannot be called"):
        get_tokenizer("string:digits")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jieba", None)
    load_segmenter.__globals__["_load_jieba"].cache_clear()
    tokenizer = get_tokenizer("jieba")
    assert tokenizer.tokenize("no Chinese") == ["no", "chinese"]
    with pytest.raises(ImportError, match=r"pip install 'jieba'.*characters"):
        tokenizer.tokenize("很好")


@pytest.mark.parametrize("returned", [[1, 2], None, "a string", 3])
def test_a_function_has_to_return_strings(returned):
    with pytest.raises(TypeError, match=r"list of str .*; it returned") as caught:
        get_tokenizer(lambda text: returned).tokenize("x")
    assert repr(returned) in str(caught.value)
    assert get_tokenizer(lambda text: iter(["a"])).tokenize("x") == ["a"]


def test_an_object_without_a_hash_is_refused():
    @dataclass
    class Cut:
        sep: str = " "

        def __call__(self, text):
            return text.split(self.sep)

    @dataclass(frozen=True)
    class CutWithHash:
        sep: str = " "
        __call__ = Cut.__call__

    texts = ["good day", "bad day", "good night", "bad night"] * 5
    with pytest.raises(TypeError, match=r"no hash.*@dataclass\(frozen=True\)"):
        TextEmbedder(tokenizer=Cut(), n_components=2).fit(texts)
    TextEmbedder(tokenizer=CutWithHash(), n_components=2).fit(texts)


def test_places_of_a_function():
    tokenizer = FunctionTokenizer(lambda text: [w[:3] for w in text.split()] + ["?!"])
    assert tokenizer.find_spans("Great\u00ad day") == [
        ("gre", 0, 3),
        ("day", 7, 10),
        ("?!", 10, 10),
    ]


def test_tokenizers_pickle():
    for each in (get_tokenizer("icu"), FunctionTokenizer(str.split)):
        assert pickle.loads(pickle.dumps(each)) == each  # noqa: S301


def test_the_same_words_in_every_step():
    texts = ["good-day sir", "good-day madam", "bad-day sir", "bad-day madam"] * 5
    terms = TermFeatures(tokenizer=cut_at_hyphens, min_df=5, max_words=1).fit(texts)
    assert list(terms.terms_) == ["bad", "day_madam", "day_sir", "good"]
    embedder = TextEmbedder(tokenizer=cut_at_hyphens, n_components=2).fit(texts)
    assert "day_sir" in embedder.encoder_.vectorizer_.vocabulary_
    known = Hypothesis("mentions day sir", terms=("day_sir",), tokenizer=cut_at_hyphens)
    annotator = LexiconAnnotator().fit([], [known, Hypothesis("sir", terms=("sir",))])
    assert annotator.annotate(texts[:2]).tolist() == [[1, 1], [0, 0]]


def test_terms_of_a_hypothesis_are_tokens_already():
    # in another context "ไทย" might be cut otherwise; the hypothesis knows its tokens
    found = Hypothesis("mentions", terms=("很好",), tokenizer="characters")
    assert not LexiconAnnotator().fit([], [found]).annotate(["很好"]).any()
    written = Hypothesis("mentions", terms=("很好",))
    for tokenizer in ("characters", "icu", "auto"):
        annotator = LexiconAnnotator(tokenizer).fit([], [written])
        assert annotator.annotate(["很好", "很", "好很"]).tolist() == [[1], [0], [0]]


def test_missing_words_are_warned_about(monkeypatch):
    monkeypatch.setattr(_tokenizers, "has_icu", lambda: False)
    texts = ["อาหารอร่อย", "อาหารไม่อร่อย", "good food"] * 3
    with pytest.warns(HypothesisWarning, match=r"2 of 3 texts.*languages"):
        TextEmbedder(n_components=2).fit(texts)
    TextEmbedder(n_components=2, tokenizer="characters").fit(texts)
    assert _segmentation.has_icu()


@pytest.mark.parametrize(
    ("name", "package", "text", "words"),
    [
        ("jieba", "jieba", "我非常喜欢餐厅", ["我", "非常", "喜欢", "餐厅"]),
        ("sudachi", "sudachidict_core", "今日はラーメン", ["今日", "は", "ラーメン"]),
        ("pythainlp", "pythainlp", "อาหารไม่อร่อย", ["อาหาร", "ไม่", "อร่อย"]),
    ],
)
def test_packages_for_one_language(name, package, text, words):
    pytest.importorskip(package, reason=f"{package} is not installed")
    assert get_tokenizer(name).tokenize(text) == words
    assert [text[b:e] for _, b, e in get_tokenizer(name).find_spans(text)] == words
