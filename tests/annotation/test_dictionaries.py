"""Dictionaries of other programs: read, used to annotate, written."""

import io
import json
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import (
    Hypothesis,
    HypothesisExtractor,
    LexiconAnnotator,
    evaluate_annotations,
    read_dictionary,
)
from sklearn_hypo._annotation._dictionaries import write_dictionary
from sklearn_hypo._annotation._dictionary_formats import FORMATS
from sklearn_hypo.exceptions import HypothesisWarning

LIWC = """\
%
1\tgratitude
2\tsadness
%
thank*\t1
thank you\t1
:(\t1\t2
cry\t2
"""
QUANTEDA = """\
gratitude:
- thank*
- thank you
- :(
sadness:
- cry
- :(
"""
EMPATH = "gratitude\tthank_you\t:(\nsadness\tcry\t:(\n"
JSON = """\
{
 "gratitude": [
  "thank*",
  "thank you",
  ":("
 ],
 "sadness": {
  "terms": [
   "cry",
   ":("
  ],
  "threshold": 2.5
 }
}
"""
CATEGORIES = {"gratitude": ["thank*", "thank you", ":("], "sadness": ["cry", ":("]}
WRITABLE = {"liwc": LIWC, "quanteda": QUANTEDA, "empath": EMPATH, "json": JSON}


def read(text, **settings):
    """Read a text, without any warning, as a dict."""
    file = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return as_dict(read_dictionary(file, **settings))


def as_dict(categories):
    return {category.name: list(category.terms) for category in categories}


def make_hypotheses(thresholds=(0.0, 0.0)):
    return [
        Hypothesis("any", terms=tuple(terms), threshold=threshold, name=name)
        for (name, terms), threshold in zip(CATEGORIES.items(), thresholds, strict=True)
    ]


# LIWC


def test_liwc():
    assert read(LIWC, format="liwc") == {
        "gratitude": ["thank*", "thank you", ":("],
        "sadness": [":(", "cry"],
    }


def test_liwc_with_nested_categories_and_headings():
    text = (
        "LIWC2015 style\n%\n1\tfunction (Function Words)\n\t2\tpronoun (Pronouns)\n"
        "Other things\n20\taffect\n%\nhe\t1\t2\nlove*\t20\n\n  joy 20\n"
        "of course  1 20\nnothing\n"
    )
    with pytest.warns(
        HypothesisWarning, match=r"terms without a category, 1 .*'nothing'"
    ):
        found = read_dictionary(io.StringIO(text))
    assert as_dict(found) == {
        "function (Function Words)": ["he", "of course"],
        "pronoun (Pronouns)": ["he"],
        "affect": ["love*", "joy", "of course"],
    }


def test_conditions_of_liwc_are_left_out_and_counted():
    text = (
        "%\n125\taffect\n126\tposemo\n131\tother\n253\tverb\n%\n"
        "like\t(02 134)125/464\t253\nkind\t<of>131/125\t126\ngood\t126\nbad\t7\nso\n"
    )
    with pytest.warns(HypothesisWarning) as caught:
        found = read_dictionary(io.StringIO(text), format="liwc")
    assert as_dict(found) == {"posemo": ["kind", "good"], "verb": ["like"]}
    message = str(caught[0].message)
    assert "conditions on the words around a term, 2 (such as 'like (02 134)" in message
    assert "categories that the legend lacks, 1 (such as '7')" in message
    assert "terms without a category, 1 (such as 'so')" in message
    assert "categories without terms, 2 (such as 'affect')" in message


@pytest.mark.parametrize("text", ["", "%\n1\ta\n", "a\t1\n", "1\ta\n%%\na\t1\n"])
def test_liwc_without_a_legend(text):
    with pytest.raises(ValueError, match=r'cannot be read: there is no legend .* "%"'):
        read_dictionary(io.StringIO(text), format="liwc")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_line_ends(encoding, ends):
    text = "%\n1\tgefühl\n%\nübel*\t1\ncafé\t1\n".replace("\n", ends)
    assert read(text.encode(encoding)) == {"gefühl": ["übel*", "café"]}
    assert read("\ufeff" + text) == {"gefühl": ["übel*", "café"]}


# quanteda


def test_quanteda_with_nested_categories():
    text = """
# a comment
economy:
  taxes: [tax*, "budget deficit"]
  __:
    - money
  trade:
    - tariff
    - foreign: [import*]
yes_no:
  - no
  - yes
  - 1984
one: alone
"""
    assert read(text, format="quanteda") == {
        "economy.taxes": ["tax*", "budget deficit"],
        "economy": ["money"],
        "economy.trade": ["tariff"],
        "economy.trade.foreign": ["import*"],
        "yes_no": ["no", "yes", "1984"],
        "one": ["alone"],
    }


def test_globs_that_are_not_at_the_end_are_left_out():
    text = (
        "a: ['colo?r', 'un*able', '* tax', '*ly', 'tax*', '?', ':*', 's***']\nb: ['?']"
    )
    with pytest.warns(
        HypothesisWarning,
        match="wildcards other than .*, 8 .*'colo.r'.*categories without terms, 1",
    ):
        found = read_dictionary(io.StringIO(text), format="quanteda")
    assert as_dict(found) == {"a": ["tax*"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "no categories at its top level"),
        ("", "no categories at its top level"),
        ("a: [b, [c]]", "'a' has a list within its list"),
        ("a: [b\n", "it is no YAML"),
        ("a: &x [b]\nc: *x\n", "aliases"),
        ("a: &x {b: *x}\n", "aliases"),
        ("? [a, b]\n: [c]\n", "whose name is no text"),
        ("__: [c]\n", "outside of any category"),
        ("'': [c]\n", "without a name"),
    ],
)
def test_yaml_that_is_no_dictionary(text, message):
    with pytest.raises(ValueError, match=f"cannot be read: .*{message}"):
        read_dictionary(io.StringIO(text), format="quanteda")


def test_without_pyyaml(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match="pip install pyyaml"):
        read_dictionary(io.StringIO(QUANTEDA), format="quanteda")
    with pytest.raises(ImportError, match="pip install pyyaml"):
        write(tmp_path / "own.yml")
    assert list(tmp_path.iterdir()) == []
    assert read(LIWC)


# Empath, VADER, JSON


def test_empath():
    text = "ice cream\tcone\tice_cream\tcone\t\r\n\nyears\t1984\t1990\nyears\t2001\n"
    assert read(text) == {
        "ice cream": ["cone", "ice cream"],
        "years": ["1984", "1990", "2001"],
    }


def test_vader_by_sign_and_strength():
    text = (
        ":(\t-1.9\t1.13578\t[-2, -3, -2]\nok\t1.2\t0.4\t[1, 1]\n"
        "great\t3.1\t0.7\t[3, 3]\nfed up\t-1.8\t1.2\t[-2]\nso-so\t0.0\t0.1\t[0]\n"
    )
    expected = {"negative": [":(", "fed up"], "positive": ["great", "ok"]}
    assert read(text) == read(text, format="vader") == expected
    with pytest.raises(ValueError, match=r"no token, tab and mean rating: 'ok\\tnan'"):
        read("ok\tnan\n", format="vader")


@pytest.mark.parametrize("sign", ["%)", "8)", "D:", "3:(", "x", "self-esteem", "e.g."])
def test_a_sign_is_not_found_as_a_part_of_it(sign):
    mapping = {"a": [sign, "other"]}
    if sign in ("x", "self-esteem", "e.g."):
        assert as_dict(read_dictionary(mapping)) == mapping
        annotator = LexiconAnnotator.from_dictionary(mapping)
        assert annotator.annotate([f"has {sign} here", "8 d 3"]).tolist() == [[1], [0]]
        return
    with pytest.warns(HypothesisWarning, match="texts are read without, 1"):
        assert as_dict(read_dictionary(mapping)) == {"a": ["other"]}


def test_json_and_mappings():
    assert read(JSON) == CATEGORIES
    assert [h.threshold for h in read_dictionary(json.loads(JSON))] == [0, 2.5]
    assert as_dict(read_dictionary({"a": ("b", "c"), "d": {"f", "e"}})) == {
        "a": ["b", "c"],
        "d": ["e", "f"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "no mapping of categories"),
        ("{", "it is no JSON"),
        ('{"a": "b"}', "'a' must have a list of terms, but str"),
        ('{"a": null}', "'a' must have a list of terms, but NoneType"),
        ('{"a": {"threshold": 2}}', "'a' must have a list of terms, but NoneType"),
        ('{"a": [1]}', "must be texts, but 1 is"),
        ('{"a": ["b"], "a": ["c"]}', "'a' twice"),
        ('{"": ["b"]}', "without a name"),
        ('{" ": ["b"]}', "without a name"),
    ],
)
def test_json_that_is_no_dictionary(text, message):
    with pytest.raises(ValueError, match=f"cannot be read: .*{message}"):
        read_dictionary(io.StringIO(text), format="json")


@pytest.mark.parametrize("threshold", [-1, "2", True, float("nan")])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(ValueError, match="threshold of 'a' must be a number"):
        read_dictionary({"a": {"terms": ["b"], "threshold": threshold}})


# All formats


@pytest.mark.parametrize("by", ["name", "content", "open"])
@pytest.mark.parametrize(
    ("suffix", "text"),
    [(".dic", LIWC), (".YML", QUANTEDA), (".tsv", EMPATH), (".json", JSON)],
)
def test_the_format_is_told_by_name_or_content(tmp_path, suffix, text, by):
    path = tmp_path / ("team" + (suffix if by != "content" else ".txt"))
    path.write_text(text, encoding="utf-8")
    if by == "content" and suffix == ".YML":
        with pytest.raises(ValueError, match=r"team.txt' is in no format .*quanteda"):
            read_dictionary(path)
        return
    if by == "open":
        with open(path, "rb") as file:
            found = read_dictionary(file)
    else:
        found = read_dictionary(str(path))
    assert list(as_dict(found)) == ["gratitude", "sadness"]


def test_sources_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.dic"):
        read_dictionary(tmp_path / "absent.dic")
    with pytest.raises(TypeError, match=r"an open file or a mapping .* but list"):
        read_dictionary(["a"])
    with pytest.raises(ValueError, match="'format' parameter"):
        read_dictionary(CATEGORIES, format="spss")
    with (
        pytest.warns(HypothesisWarning, match=r"without, 1 .*without terms, 1"),
        pytest.raises(ValueError, match="the mapping has no category with a term"),
    ):
        read_dictionary({"a": [","]})


def test_statements_differ_though_words_are_equal():
    own = [f"{letter}ord" for letter in "abcdefgh"]
    found = read_dictionary(
        {"all": own, "most": own[:-1], "few": own[:2], "both": own[:2], "one": own[:1]}
    )
    assert [h.statement for h in found] == [
        "mentions any of: aord, bord, cord, dord, eord or 3 more terms",
        "mentions any of: aord, bord, cord, dord, eord or 2 more terms",
        "mentions any of: aord, bord, of few",
        "mentions any of: aord, bord, of both",
        "mentions aord",
    ]


def test_nearly_equal_categories_are_worded_apart():
    shared = ["cry", "tears", "grief", "lonely", "sad"]
    found = read_dictionary(
        {"grief": [*shared, "woe", "gloom"], "school": [*shared, "exam", "homework"]}
    )
    assert found[1].statement == (
        "mentions any of: cry, tears, exam, homework or 3 more terms"
    )


# Annotation


def test_from_dictionary_annotates_and_measures():
    annotator = LexiconAnnotator.from_dictionary(io.StringIO(LIWC))
    texts = ["Thankful, I cry and cry", "no", "", "thank you :("]
    marks = annotator.annotate(texts)
    assert marks.tolist() == [[1, 1], [0, 0], [0, 0], [1, 1]]
    np.testing.assert_allclose(
        annotator.measure(texts), [[20, 40], [0, 0], [0, 0], [100, 100 / 3]]
    )
    copy = pickle.loads(pickle.dumps(annotator))  # noqa: S301
    assert copy.annotate(texts).tolist() == marks.tolist()
    assert [h.name for h in annotator.hypotheses_] == ["gratitude", "sadness"]


def test_a_threshold_for_all_categories():
    texts = ["cry " + "word " * 98 + "word", "cry cry " + "word " * 98]
    for threshold, marks in [(None, [1, 1]), (1, [0, 1]), (2, [0, 0])]:
        annotator = LexiconAnnotator.from_dictionary(CATEGORIES, threshold=threshold)
        assert annotator.annotate(texts)[:, 1].tolist() == marks
    own = {"a": {"terms": ["cry"], "threshold": 1}}
    assert LexiconAnnotator.from_dictionary(own).annotate(texts).tolist() == [[0], [1]]
    zero = LexiconAnnotator.from_dictionary(own, threshold=0)
    assert zero.annotate(texts).tolist() == [[1], [1]]


def test_a_threshold_that_texts_decide():
    texts = ["cry " * n + "word " * (100 - n) for n in [1, 2, 2, 3, 3, 20, 25, 30]]
    (category,) = read_dictionary({"a": ["cry"]}, threshold="auto", texts=texts)
    assert category.threshold == 3
    assert category.statement == "writes much about: cry (more than 3 words in 100)"
    marks = LexiconAnnotator().fit([], [category]).annotate(texts)[:, 0]
    assert marks.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    short = ["cry", "no", "cry now", "or not"]
    (category,) = read_dictionary({"a": ["cry"]}, threshold="auto", texts=short)
    assert category.threshold == 0
    with pytest.raises(ValueError, match=r"pass texts="):
        read_dictionary(CATEGORIES, threshold="auto")
    with pytest.raises(ValueError, match="'threshold' parameter"):
        read_dictionary(CATEGORIES, threshold=-1)


def test_categories_are_tested_under_their_names():
    rng = np.random.default_rng(0)
    texts = rng.choice(["thanks", "cry now", "no", "well"], 300).astype(object)
    annotator = LexiconAnnotator.from_dictionary(CATEGORIES)
    marks = annotator.annotate(texts)
    y = marks @ [1.0, -1.0] + rng.normal(size=300)
    table = evaluate_annotations(
        np.column_stack([texts == "no", marks]),
        y,
        names=["says no", *annotator.hypotheses_],
        texts=texts,
        n_resamples=0,
    ).table
    assert table["name"].tolist() == ["", "gratitude", "sadness"]
    assert table["terms"].tolist() == ["", "thank*; thank you; :(", "cry; :("]
    assert table["hypothesis"][0] == "says no"
    alone = evaluate_annotations(marks, y, names=["a", "b"], n_resamples=0).table
    assert "terms" not in alone
    np.testing.assert_allclose(table["separation"][1:], alone["separation"])


# Writing


def write(path, hypotheses=None, format="auto"):
    hypotheses = make_hypotheses() if hypotheses is None else hypotheses
    return write_dictionary(hypotheses, path, format=format, caller="caller")


@pytest.mark.parametrize("format", WRITABLE)
def test_files_to_the_byte(tmp_path, format):
    path = tmp_path / ("own" + FORMATS[format].suffixes[0])
    path.write_text("what was there before", encoding="utf-8")
    hypotheses = make_hypotheses((0, 2.5) if format == "json" else (0, 0))
    if format == "empath":
        with pytest.warns(HypothesisWarning, match=r"in this format, 1 .*'thank\*'"):
            write(path, hypotheses)
    else:
        write(path, hypotheses)
    assert path.read_bytes() == WRITABLE[format].encode()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", WRITABLE)
def test_there_and_back(tmp_path, format):
    terms = {
        "no": ("no", "yes", "1984", "null", "don't", "é", "日", "😀"),
        "a: b, #c (2)": ("thank you", "<3", "#tag", "@me", "x y z", "-_-"),
        "%": ("10:30", ":)", "no"),
    }
    hypotheses = [Hypothesis("any", terms=t, name=n) for n, t in terms.items()]
    path = tmp_path / "own"
    write(path, hypotheses, format=format)
    found = {h.name: set(h.terms) for h in read_dictionary(path, format=format)}
    assert found == {name: set(own) for name, own in terms.items()}


def test_terms_that_another_program_would_misread_are_left_out(tmp_path):
    hypotheses = [Hypothesis("any", terms=("?", ":*", "sad*", "s***", "so"), name="a")]
    kept = {
        "liwc": ["?", "sad*", "so"],
        "quanteda": ["sad*", "so"],
        "empath": ["?", ":*", "s***", "so"],
    }
    for format, terms in kept.items():
        with pytest.warns(HypothesisWarning, match="caller left out: terms that would"):
            write(tmp_path / "own", hypotheses, format=format)
        assert as_dict(read_dictionary(tmp_path / "own", format=format)) == {"a": terms}
    write(tmp_path / "own.json", hypotheses)
    assert as_dict(read_dictionary(tmp_path / "own.json")) == {
        "a": list(hypotheses[0].terms)
    }


def test_thresholds_are_lost_with_a_warning_or_kept(tmp_path):
    hypotheses = make_hypotheses((0, 2.5))
    with pytest.warns(HypothesisWarning, match=r"thresholds.*, 1 \(such as 'sadness'"):
        write(tmp_path / "own.dic", hypotheses)
    write(tmp_path / "own.json", hypotheses)
    found = read_dictionary(tmp_path / "own.json")
    assert [h.threshold for h in found] == [0, 2.5]


def test_names_of_categories(tmp_path):
    hypotheses = [
        Hypothesis("a", terms=("x", "y", "z", "w")),
        Hypothesis("b", terms=("x", "y", "z", "v")),
        Hypothesis("c", terms=("u",), name="tab\tand\nline \ud800"),
        Hypothesis("judged by a model"),
    ]
    names = ["x, y, z", "x, y, z (2)", "tab and line \\ud800"]
    with pytest.warns(HypothesisWarning, match="without terms, 1 .*'judged"):
        assert list(write(None, hypotheses)) == names
    for format in WRITABLE:
        write(tmp_path / "own", hypotheses[:3], format=format)
        found = read_dictionary(tmp_path / "own", format=format)
        assert [h.name for h in found] == names
    with pytest.raises(ValueError, match="caller: none of 1 hypothesis has terms"):
        write(None, hypotheses[3:])


@pytest.mark.parametrize(
    ("name", "format"), [("own.txt", "auto"), ("own", "auto"), ("own.dic", "vader")]
)
def test_formats_that_are_not_written(tmp_path, name, format):
    with pytest.raises(ValueError, match=r"ends in \.dic, \.yml, \.tsv, \.json, or"):
        write(tmp_path / name, format=format)


def test_what_was_found_travels(tmp_path):
    texts = [
        f"{word} number{i % 25}"
        for word in ("thanks", "cold", "cry", "nothing")
        for i in range(50)
    ]
    active = np.repeat(np.eye(4)[:, :3], 50, axis=0)
    frame = pd.DataFrame(
        active,
        index=pd.Index(texts, name="text"),
        columns=["neuron000", "neuron001", "neuron002"],
    )
    y = active @ [1, 2, 3] + np.arange(200) % 7
    extractor = HypothesisExtractor(random_state=0).fit(frame, y)
    extractor.rename({"neuron000": "gratitude"})
    expected = extractor.to_dictionary()
    assert next(iter(expected)) == "gratitude"
    extractor.to_dictionary(tmp_path / "found.dic")
    annotator = LexiconAnnotator.from_dictionary(tmp_path / "found.dic")
    assert as_dict(annotator.hypotheses_) == expected
    np.testing.assert_array_equal(
        annotator.annotate(texts), extractor.transform(frame).to_numpy()
    )
    report = evaluate_annotations(
        annotator.annotate(texts),
        y,
        names=annotator.hypotheses_,
        n_resamples=0,
    )
    assert report.to_dictionary() == expected
    report.to_dictionary(tmp_path / "tested.json")
    assert as_dict(read_dictionary(tmp_path / "tested.json")) == expected


@pytest.mark.parametrize("suffix", [".dic", ".json"])
@pytest.mark.parametrize("tokenizer", ["characters", list])
def test_words_of_a_tokenizer_need_it_where_they_are_read(tmp_path, tokenizer, suffix):
    texts = ["服务很好", "好", "很", "服务不好", "ไม่ดีมาก"]
    found = Hypothesis("mentions", terms=("很 好", "不"), tokenizer=tokenizer)
    marks = LexiconAnnotator().fit([], [found]).annotate(texts)
    path = tmp_path / f"found{suffix}"
    with pytest.warns(HypothesisWarning, match=r"tokenizer=.*(characters|list), which"):
        write_dictionary([found], path, format="auto", caller="x")
    again = LexiconAnnotator(tokenizer).fit([], read_dictionary(path))
    np.testing.assert_array_equal(again.annotate(texts), marks)
    assert marks.sum() == 2
