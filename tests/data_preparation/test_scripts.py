"""Words and sentences of scripts without blanks, as documents are cut."""

import pytest

from sklearn_hypo import split_documents
from sklearn_hypo._data_preparation._sentences import (
    count_words,
    sentence_spans,
    word_spans,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ไปเด็กมา hello", ["ไป", "เด็", "ก", "มา", "hello"]),
        ("မြန်မာ", ["မြန်", "မာ"]),
        ("你好。次", ["你", "好。", "次"]),
    ],
)
def test_a_word_per_character(text, words):
    assert [text[begin:end] for begin, end in word_spans(text)] == words
    assert count_words(text) == len(words)


@pytest.mark.parametrize(
    ("text", "n"),
    [("यह है। वह है।", 2), ("ខ្ញុំទៅ។គាត់មក។", 2), ("هل جاء؟ نعم.", 2), ("你好。再见", 2)],
)
def test_full_stops_of_other_scripts(text, n):
    assert len(sentence_spans(text)) == n


def test_a_long_text_in_thai_is_cut():
    text = "อาหารอร่อยมาก" * 100
    chunks = split_documents([text], max_words=200)
    assert len(chunks.texts) > 1
    assert all(count_words(chunk) <= 200 for chunk in chunks.texts)
    assert "".join(chunks.texts) == text
