"""Documents cut into chunks, and annotations put together again."""

import re
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupShuffleSplit

from sklearn_hypo import (
    evaluate_annotations,
    evaluate_hypotheses,
    make_hypothesis_pipeline,
)
from sklearn_hypo._data_preparation._documents import (
    roll_up_annotations,
    split_documents,
)
from sklearn_hypo._data_preparation._sentences import count_words, sentence_spans
from sklearn_hypo._utils._validation import resolve_task
from sklearn_hypo.datasets import make_concept_texts
from sklearn_hypo.exceptions import HypothesisWarning

LONG = "One two three. Four five six! Seven eight? Nine ten eleven twelve."


def chunks_of(text, **arguments):
    return split_documents([text], **arguments).texts.tolist()


def sentences(text):
    return [text[begin:end] for begin, end in sentence_spans(text)]


# Sentences ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('She said: "Go." He went.', ['She said: "Go."', "He went."]),
        ("(Really.) Yes.", ["(Really.)", "Yes."]),
        ("Mr. Smith met Dr. J. Doe.", ["Mr. Smith met Dr. J. Doe."]),
        ("Fruits, e.g. Apples, etc. They rot.", None),
        ("It costs 3.50 or so. Fine.", ["It costs 3.50 or so.", "Fine."]),
        ("At 5 p.m. we left. Bye.", ["At 5 p.m. we left.", "Bye."]),
        ("Wait... what? OK.", ["Wait... what?", "OK."]),
        ("Wow!!! So?! Yes.", ["Wow!!!", "So?!", "Yes."]),
        ("so was I. Then we left.", ["so was I.", "Then we left."]),
        ("see www.example.org/a.b for it.", ["see www.example.org/a.b for it."]),
        ("First line\n\nsecond part. end", ["First line", "second part. end"]),
        ("one\ntwo", ["one\ntwo"]),
        ("今天很好。你呢？我也是。", ["今天很好。", "你呢？", "我也是。"]),
        ("", []),
        ("...", ["..."]),
    ],
)
def test_sentences(text, expected):
    if expected is None:
        expected = ["Fruits, e.g. Apples, etc.", "They rot."]
    assert sentences(text) == expected


def test_sentences_lose_no_word():
    rng = np.random.RandomState(0)
    marks = np.array(
        ["word", "Dr.", "A.", "end.", "So?", "\n\n", " ", '"Hm."', "…", "i"]
    )
    for _ in range(200):
        text = " ".join(rng.choice(marks, 30))
        assert " ".join(sentences(text)).split() == text.split()


@pytest.mark.parametrize("unit", [". ", "a. ", "\n", " ", "!", '"', "x", "Mr. ", "。"])
def test_time_is_linear(unit):
    times = []
    for n in (20_000, 80_000):
        begin = time.perf_counter()
        split_documents([unit * n + " end"], max_words=50)
        times.append(time.perf_counter() - begin)
    assert times[1] < 2 or times[1] < 8 * times[0]


# Chunks ---------------------------------------------------------------------------


def test_sentences_are_packed_as_long_as_they_fit():
    assert chunks_of(LONG, max_words=6) == [
        "One two three. Four five six!",
        "Seven eight? Nine ten eleven twelve.",
    ]
    assert chunks_of(LONG, max_words=5) == [
        "One two three.",
        "Four five six! Seven eight?",
        "Nine ten eleven twelve.",
    ]
    assert chunks_of(LONG) == [LONG]


def test_only_too_long_a_sentence_is_cut_inside():
    text = "Short one. A b c d e f g. End here."
    assert chunks_of(text, max_words=3) == [
        "Short one.",
        "A b c",
        "d e f",
        "g. End here.",
    ]


def test_no_limit_makes_every_unit_a_chunk():
    assert chunks_of(LONG, max_words=None) == sentences(LONG)
    text = "P one. Still one.\n\nP two.\n \n\n P three."
    assert chunks_of(text, by="paragraphs", max_words=None) == [
        "P one. Still one.",
        "P two.",
        "P three.",
    ]


def test_paragraphs_are_packed_and_cut_into_sentences():
    text = "One two.\n\nThree four.\n\nA b c. D e f. G h i."
    assert chunks_of(text, by="paragraphs", max_words=6) == [
        "One two.\n\nThree four.",
        "A b c. D e f.",
        "G h i.",
    ]


def test_words():
    text = "a b c d e f g h"
    assert chunks_of(text, by="words", max_words=3) == ["a b c", "d e f", "g h"]
    assert chunks_of(text, by="words", max_words=3, overlap=1) == [
        "a b c",
        "c d e",
        "e f g",
        "g h",
    ]


def test_overlap_says_whole_sentences_again():
    text = "A bb. C dd. E ff. G hh."
    assert chunks_of(text, max_words=6, overlap=3) == [
        "A bb. C dd. E ff.",
        "E ff. G hh.",
    ]
    assert chunks_of(text, max_words=6, overlap=1) == ["A bb. C dd. E ff.", "G hh."]
    # what would leave no room for the next sentence is not said again
    assert chunks_of("Aa bb. Cc d ee ff. Gg.", max_words=4, overlap=3) == [
        "Aa bb.",
        "Cc d ee ff.",
        "Gg.",
    ]


def test_callables():
    def at_bars(text):
        return text.split("|")

    text = "a b| c d |e f g"
    assert chunks_of(text, by=at_bars, max_words=4) == ["a b| c d", "e f g"]
    assert chunks_of(text, by=at_bars, max_words=None) == ["a b", "c d", "e f g"]
    # chunks of a callable need not be parts of the text
    assert chunks_of("x", by=lambda t: ["1: x", " ", "2: y"], max_words=None) == [
        "1: x",
        "2: y",
    ]
    with pytest.raises(ValueError, match="piece 'y', which is not in the text"):
        chunks_of("x", by=lambda t: ["y"])


def test_chunks_of_random_texts_hold_what_they_promise():
    rng = np.random.RandomState(0)
    words = np.array(["tea", "Rain", "end.", "So?", "\n\n", "Mr.", "(yes)", "!"])
    for by in ("sentences", "paragraphs", "words"):
        for _ in range(60):
            text = " ".join(rng.choice(words, 40))
            limit = rng.randint(1, 12)
            chunks = chunks_of(text, max_words=limit, by=by)
            assert all(
                chunk in text and count_words(chunk) <= limit for chunk in chunks
            )
            assert re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(chunks))


def test_characters_count_as_words_where_there_are_no_blanks():
    text = "今天很好。你呢？我也是。"
    assert chunks_of(text, max_words=5) == ["今天很好。", "你呢？我也是。"]
    assert chunks_of(text, max_words=4) == ["今天很好。", "你呢？", "我也是。"]
    assert chunks_of(text, max_words=3)[0] == "今天很"
    assert count_words("今天 very good") == 4


# Documents ------------------------------------------------------------------------


def test_targets_and_documents_are_repeated():
    documents = ["One two. Three four.", "Five.", "Six seven. Eight nine. Ten."]
    chunks = split_documents(documents, [0.5, 1, 2], max_words=2)
    texts, target, document = chunks
    assert texts is chunks.texts
    assert document.tolist() == [0, 0, 1, 2, 2, 2]
    assert target.tolist() == [0.5, 0.5, 1, 2, 2, 2]
    assert texts.dtype == object
    assert split_documents(documents).target is None


def test_targets_of_every_kind():
    documents = ["One two. Three four.", "Five."]
    classes = pd.Series([1, 3], index=[8, 9], dtype="category")
    target = split_documents(documents, classes, max_words=2).target
    assert target.tolist() == [1, 1, 3]
    assert target.index.tolist() == [0, 1, 2]
    assert resolve_task(target) == "classification"
    two_columns = split_documents(documents, [[1, 2], [3, 4]], max_words=2).target
    assert two_columns.tolist() == [[1, 2], [1, 2], [3, 4]]
    labels = split_documents(pd.Series(documents), np.array(["u", "v"]), max_words=2)
    assert labels.target.tolist() == ["u", "u", "v"]


def test_own_ids():
    ids = pd.Series(["x", "y"], index=[5, 6])
    chunks = split_documents(["One two. Three.", "Four."], max_words=2, ids=ids)
    assert chunks.document.tolist() == ["x", "x", "y"]
    with pytest.raises(ValueError, match="the id 'x' is that of several"):
        split_documents(["a", "b"], ids=["x", "x"])
    with pytest.raises(ValueError, match="ids has 1 entries for 2 documents"):
        split_documents(["a", "b"], ids=["x"])


def test_empty_documents_are_named():
    documents = ["", "text", " \n ", *[""] * 6]
    with pytest.warns(HypothesisWarning) as caught:
        chunks = split_documents(documents, range(9), ids=list("abcdefghi"))
    assert str(caught[0].message) == (
        "split_documents: 8 of 9 documents hold no word and have no chunk: 'a', 'c', "
        "'d', 'e', 'f' and 3 more."
    )
    assert caught[0].filename == __file__
    assert (chunks.document.tolist(), chunks.target.tolist()) == (["b"], [1])
    with pytest.raises(ValueError, match="none of the 2 documents holds a word"):
        split_documents(["", " "])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": "one text"}, TypeError, "bare str"),
        ({"texts": ["a", 3]}, TypeError, "of type int"),
        ({"texts": ["a", None]}, ValueError, "missing"),
        ({"texts": ["a"], "y": [1, 2]}, ValueError, r"\(1 and 2\)"),
        ({"texts": ["a"], "max_words": 0}, ValueError, "'max_words'"),
        ({"texts": ["a"], "max_words": 5, "overlap": 5}, ValueError, "less than"),
        (
            {"texts": ["a"], "max_words": None, "overlap": 5},
            ValueError,
            "need max_words",
        ),
        ({"texts": ["a"], "max_words": None, "by": "words"}, ValueError, "need max"),
        ({"texts": ["a"], "by": "tokens"}, ValueError, "'by'"),
    ],
)
def test_what_split_documents_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        split_documents(**arguments)


# Back to documents ----------------------------------------------------------------

NAN = np.nan
CHUNKS = np.array(
    [
        # all no, one yes, one yes and one unanswered, none yes and one unanswered
        [0, 0, 1, 0],
        [0, 1, NAN, NAN],
        # all yes, one no, one no and one unanswered, never answered
        [1, 1, 0, NAN],
        [1, 0, NAN, NAN],
    ]
)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("any", [[0, 1, 1, NAN], [1, 1, NAN, NAN]]),
        ("all", [[0, 0, NAN, 0], [1, 0, 0, NAN]]),
        ("mean", [[0, 0.5, 1, 0], [1, 0.5, 0, NAN]]),
    ],
)
def test_rolling_up_by_hand(how, expected):
    rolled_up = roll_up_annotations(CHUNKS, ["p", "p", "q", "q"], how=how)
    np.testing.assert_array_equal(rolled_up.to_numpy(), expected)
    assert rolled_up.index.tolist() == ["p", "q"]
    assert rolled_up.index.name == "document"
    assert rolled_up.columns.tolist() == [0, 1, 2, 3]


def test_documents_come_in_the_order_of_their_first_chunks():
    frame = pd.DataFrame(
        {"says so": [1, 0, 0, 1], "same": [0, 0, 0, 1]},
        index=pd.Index(["w", "x", "y", "z"], name="text"),
    ).astype("Int64")
    frame.iloc[2, 0] = pd.NA
    rolled_up = roll_up_annotations(frame, pd.Series([9, 3, 9, 1], index=[4, 4, 4, 4]))
    assert rolled_up.index.tolist() == [9, 3, 1]
    assert rolled_up.columns.tolist() == ["says so", "same"]
    assert rolled_up["says so"].tolist() == [1, 0, 1]
    assert (rolled_up.dtypes == np.float64).all()


def test_columns_of_one_name_stay_two():
    frame = pd.DataFrame([[0, 1], [1, 0]], columns=["h", "h"])
    rolled_up = roll_up_annotations(frame, [0, 0])
    assert rolled_up.columns.tolist() == ["h", "h"]
    assert rolled_up.to_numpy().tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("annotations", "document", "message"),
    [
        ([[1], [0]], [1], "document has 1 entries for 2 chunks"),
        ([[1], [0.5]], [1, 1], "must be 1, 0 or NaN.* such as 0.5"),
        ([[1], [0]], [1, None], "document of 1 chunks is missing"),
    ],
)
def test_what_roll_up_refuses(annotations, document, message):
    with pytest.raises(ValueError, match=message):
        roll_up_annotations(annotations, document)


def test_there_and_back():
    documents = ["Tea first. Rain later.", "Nothing here.", "More tea. And tea."]
    chunks = split_documents(documents, [1, 2, 3], max_words=2)
    says_tea = np.array([["tea" in text.lower()] for text in chunks.texts], dtype=float)
    rolled_up = roll_up_annotations(says_tea, chunks.document)
    assert rolled_up[0].tolist() == [1, 0, 1]
    assert np.asarray([1, 2, 3])[rolled_up.index].tolist() == [1, 2, 3]


@pytest.fixture(scope="module")
def documents():
    """200 documents of up to 8 sentences, of which one may hold the concept."""
    rng = np.random.RandomState(0)
    sentences = make_concept_texts(1000, n_concepts=2, prevalence=0.2, random_state=0)
    bounds = np.sort(rng.choice(np.arange(1, 1000), 199, replace=False))
    parts = np.split(np.arange(1000), bounds)
    texts = [" ".join(sentences.data[part]) for part in parts]
    truth = np.array([sentences.truth[part].max(axis=0) for part in parts])
    return texts, truth @ [2.0, -1.0] + rng.normal(size=200), truth


def test_chunks_through_a_pipeline_with_documents_as_groups(documents):
    texts, y, _ = documents
    chunks = split_documents(texts, y, max_words=40)
    assert len(chunks.texts) > 300
    splitter = GroupShuffleSplit(1, test_size=0.5, random_state=0)
    train, test = next(splitter.split(chunks.texts, groups=chunks.document))
    pipe = make_hypothesis_pipeline(n_neurons=8, k=2, n_select=3, random_state=0)
    pipe.fit(chunks.texts[train], chunks.target[train])
    held_out = chunks.texts[test], chunks.target[test]
    by_chunk = evaluate_hypotheses(
        pipe, *held_out, groups=chunks.document[test], n_resamples=0
    )
    assert by_chunk.n_groups == 100
    assert by_chunk.cov_type == "cluster"
    annotations = pipe.transform(chunks.texts[test])
    rolled_up = roll_up_annotations(annotations, chunks.document[test])
    by_document = evaluate_annotations(rolled_up, y[rolled_up.index], n_resamples=0)
    assert by_document.n_rows == 100
    assert by_document.table["hypothesis"].tolist() == rolled_up.columns.tolist()


def test_rolled_up_truth_is_that_of_the_documents(documents):
    texts, y, truth = documents
    chunks = split_documents(texts, y, max_words=None)
    forms = make_concept_texts(1, n_concepts=2, random_state=0).surface_forms
    found = [
        [any(form in text.lower() for form in each) for each in forms.values()]
        for text in chunks.texts
    ]
    rolled_up = roll_up_annotations(np.array(found, dtype=float), chunks.document)
    assert rolled_up.to_numpy().tolist() == truth.tolist()
