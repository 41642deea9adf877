"""Equal and nearly equal texts: found, whatever the language, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_hypo import find_near_duplicates
from sklearn_hypo._data_preparation import _near_duplicates
from sklearn_hypo._utils._normalized_texts import normalize_text

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


def make_words(n, rng):
    return np.array(["".join(rng.choice(LETTERS, 5)) for _ in range(n)])


def make_texts(n, n_words, seed=0):
    rng = np.random.default_rng(seed)
    words = make_words(500, rng)
    return [" ".join(rng.choice(words, n_words)) for _ in range(n)]


def jaccard(a, b):
    """The definition, by sets."""
    sets = [{t[i : i + 4] for i in range(len(t) - 3)} for t in (f" {a} ", f" {b} ")]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


ORIGINAL = "The new phone is out, and it is a great one to have."


@pytest.mark.parametrize(
    "copy",
    [
        ORIGINAL,
        ORIGINAL.upper(),
        f"  {ORIGINAL}\n",
        ORIGINAL.replace(" ", "  "),
        f"{ORIGINAL} https://t.example/a8Xz",
        f"{ORIGINAL} www.example.org/a?b=c",
        f"RT @somebody: {ORIGINAL}",
        f"RT @a: RT @b: {ORIGINAL}",
        f"@friend {ORIGINAL}",
        f"{ORIGINAL} via @shop",
        ORIGINAL.replace("phone", "ｐｈｏｎｅ"),
        ORIGINAL.replace("great", "graet"),
        ORIGINAL.rstrip("."),
        f"{ORIGINAL} :)",
    ],
)
def test_posted_again(copy):
    groups = find_near_duplicates([ORIGINAL, "Another text altogether.", copy])
    assert groups.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "other",
    [
        "The new phone is out, and it is not what I had hoped for.",
        "The old car is in, and it is a bad one to drive.",
        "",
        "@friend",
        "https://t.example/a8Xz",
    ],
)
def test_different_texts(other):
    assert find_near_duplicates([ORIGINAL, other]).tolist() == [0, 1]


def test_short_texts_are_alike_only_if_they_are_equal():
    texts = ["yes", "Yes", "no", "1 star", "5 stars", "I love it", "I hate it", "no!"]
    assert find_near_duplicates(texts).tolist() == [0, 0, 1, 2, 3, 4, 5, 6]


def test_the_same_words_more_often_are_another_text():
    texts = [" ".join(["no thank you"] * n) for n in (3, 9, 10)]
    assert find_near_duplicates(texts).tolist() == [0, 1, 1]


def test_texts_of_links_and_names_alone_are_told_apart():
    texts = ["http://a.example", "http://b.example", "@ann", "@bob", "@ann"]
    assert find_near_duplicates(texts).tolist() == [0, 1, 2, 3, 2]


@pytest.mark.parametrize(
    "text",
    [
        "今天天气很好，我们一起去公园散步，然后在湖边喝茶聊天。",
        "วันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะด้วยกัน",
        "Сегодня хорошая погода, и мы пойдём гулять в парк у реки.",
        "اليوم الطقس جميل وسنذهب للتنزه في الحديقة قرب النهر",
        "👍👍 🎉🎊🥳 what a day it was 🎈🎂🍰 with all of you 🥂🍾✨",
        "lone \ud800 surrogates may be in a text of some length, too",
    ],
)
def test_any_language(text):
    groups = find_near_duplicates([text, text[::-1], f"{text}!", f"RT @x: {text}"])
    assert groups.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("n_words", [12, 150])
def test_every_pair_above_the_threshold_and_no_other(n_words):
    rng = np.random.default_rng(1)
    words = make_words(500, rng)
    texts = make_texts(60, n_words)
    for text in texts[:60]:  # a copy with a few words changed
        copy = np.array(text.split())
        n = rng.integers(0, max(2, n_words // 6))
        copy[rng.choice(n_words, n, replace=False)] = rng.choice(words, n)
        texts.append(" ".join(copy))
    groups = find_near_duplicates(texts)
    for i in range(60):
        similarity = jaccard(texts[i], texts[60 + i])
        # of long texts a sample is compared
        margin = 0.08 if n_words > 50 else 0
        if similarity >= 0.8 + margin:
            assert groups[i] == groups[60 + i]
        if similarity < 0.8 - margin:
            assert groups[i] != groups[60 + i]
    assert len(set(groups[:60])) == 60


def test_the_threshold_decides():
    other = ORIGINAL.replace("great", "useful")
    similarity = jaccard(normalize_text(ORIGINAL), normalize_text(other))
    assert 0.5 < similarity < 0.8
    below, above = similarity - 0.01, similarity + 0.01
    assert find_near_duplicates([ORIGINAL, other], threshold=below).tolist() == [0, 0]
    assert find_near_duplicates([ORIGINAL, other], threshold=above).tolist() == [0, 1]
    assert find_near_duplicates([ORIGINAL, ORIGINAL], threshold=1.0).tolist() == [0, 0]
    with pytest.raises(ValueError, match="threshold"):
        find_near_duplicates([ORIGINAL], threshold=0.0)


def test_a_chain_is_one_group():
    words = make_texts(1, 40)[0].split()
    texts = [" ".join(words[: 40 - 2 * i]) for i in range(6)]
    assert jaccard(texts[0], texts[-1]) < 0.8 < jaccard(texts[0], texts[1])
    assert set(find_near_duplicates(texts)) == {0}


def test_groups_do_not_depend_on_the_blocks_that_are_hashed_at_once(monkeypatch):
    texts = make_texts(50, 30) + make_texts(20, 30)
    whole = find_near_duplicates(texts)
    assert whole.tolist() == [*range(50), *range(20)]
    monkeypatch.setattr(_near_duplicates, "_MOST_CHARACTERS", 500)
    monkeypatch.setattr(_near_duplicates, "_MOST_TEXTS", 7)
    monkeypatch.setattr(_near_duplicates, "_MOST_PAIRS", 3)
    np.testing.assert_array_equal(find_near_duplicates(texts), whole)


def test_blocks_are_as_small_as_they_have_to_be(monkeypatch):
    """A number of a text in a block has 16 bits."""
    monkeypatch.setattr(_near_duplicates, "_MOST_CHARACTERS", 100)
    monkeypatch.setattr(_near_duplicates, "_MOST_TEXTS", 10)
    texts = ["x" * 500, *["y"] * 90, "z" * 300, *["y"] * 50]
    blocks = _near_duplicates._divide(texts)
    assert [*blocks[0], blocks[-1][1]] == [0, blocks[1][0], len(texts)]
    assert all(a[1] == b[0] for a, b in pairwise(blocks))
    assert max(stop - start for start, stop in blocks) <= 10


def test_not_all_pairs_are_compared(monkeypatch):
    """A template of 3,000 texts takes linear time."""
    compared = []
    measure = _near_duplicates._measure_similarity

    def count(texts, left, right):
        compared.append(len(left))
        return measure(texts, left, right)

    monkeypatch.setattr(_near_duplicates, "_measure_similarity", count)
    form = make_texts(1, 30)[0]
    texts = [f"{form} {i}" for i in range(3000)]
    assert set(find_near_duplicates(texts)) == {0}
    assert sum(compared) < 3000 * 50


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError, match="one bare str"):
        find_near_duplicates("text")
    with pytest.raises(ValueError, match="missing"):
        find_near_duplicates(["text", None])
    with pytest.raises(ValueError, match="at least one text"):
        find_near_duplicates([])
