"""HTML goes out of texts, and nothing else does."""

import warnings

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hypo import TextEmbedder, read_labelled_texts, remove_html
from sklearn_hypo.exceptions import HypothesisWarning


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Fish &amp; chips<br />were <b>great</b>", "Fish & chips\nwere great"),
        ("<p class='x' id=y>Hi</p>", "\nHi\n"),
        ('<a href="http://x.org/?a=1&amp;b">link</a>', "link"),
        ("un<em>happy</em>", "unhappy"),
        ("a<!-- no\n -->b<script>alert('<b>')</script>c", "a b c"),
        ("&#128512; &#x27;&quot;&nbsp;&eacute;", "😀 '\"\xa0é"),
        ("&amp;lt;3", "&lt;3"),
        # forums, mails, forms and whole pages
        ("<iframe src='x' allowfullscreen></iframe>so", "\n\nso"),
        ("<A HREF=x download>file</A><input type=text disabled>", "file\n"),
        ("<!DOCTYPE html><p>Hi<o:p></o:p>", " \nHi\n\n"),
        ("<button>Quote</button><label>Re:</label>", "\nQuote\nRe:"),
        # none of it is HTML
        ("I <3 it, a < b > c, a <b and c> d", "I <3 it, a < b > c, a <b and c> d"),
        ("a <b open c> d", "a <b open c> d"),
        ("<name> AT&T R&D; &nosuchthing;", "<name> AT&T R&D; &nosuchthing;"),
        ("<!-- never closed <br>", "<!-- never closed \n"),
    ],
)
def test_what_is_taken_out(text, clean):
    assert remove_html([text]).tolist() == [clean]


def test_a_series_stays_as_it_was():
    texts = pd.Series(["a<br>b"])
    assert remove_html(texts).tolist() == ["a\nb"]
    assert texts.tolist() == ["a<br>b"]


@settings(max_examples=200)
@given(st.text(st.sampled_from("<>/!-&;=\"' abprscitylem#1\n"), max_size=60))
def test_any_string(text):
    once = remove_html([text])[0]
    assert isinstance(once, str)
    assert len(once) <= len(text) + text.count("<")


def test_the_time_is_linear():
    # a second each, were it quadratic: the whole test would take minutes
    for part in ("<!--", "<script>", "<p a=", "<b x='", "<p a a ", "&a"):
        remove_html([part * 30_000])


def test_html_that_is_learnt_from_is_warned_about():
    texts = ["good &amp; cheap<br>", "bad &amp; dear<br>", "so so", "good", "bad"]
    with pytest.warns(HypothesisWarning, match=r"2 of 5 .*'&amp;'.*remove_html"):
        TextEmbedder(n_components=2).fit(texts)
    TextEmbedder(n_components=2).fit(remove_html(texts))


def make_table():
    texts = [
        f"good &amp; cheap number {i}<br>" if i % 2 else f"bad {i}" for i in range(8)
    ]
    return pd.DataFrame({"text": texts, "y": range(8)})


def test_html_is_taken_out_of_a_table_and_said():
    rows = read_labelled_texts(make_table(), "text", "y")
    assert rows.texts[1] == "good & cheap number 1\n"
    note = next(note for note in rows.notes if "HTML" in note)
    assert "'&amp;'" in note
    assert "4 texts" in note
    assert "--keep-html" in note


def test_what_is_no_html_is_not_counted():
    table = make_table().iloc[::2].assign(text=["a &nosuchthing; b", "<!-- c", "d", ""])
    rows = read_labelled_texts(table, "text", "y")
    assert rows.texts.tolist() == ["a &nosuchthing; b", "<!-- c", "d"]
    assert not any("HTML" in note for note in rows.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", HypothesisWarning)
        TextEmbedder(n_components=2).fit(rows.texts)


def test_html_stays_where_it_is_asked_for():
    rows = read_labelled_texts(make_table(), "text", "y", html="keep")
    assert rows.texts[1] == "good &amp; cheap number 1<br>"
    assert not any("HTML" in note for note in rows.notes)
