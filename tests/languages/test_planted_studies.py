"""Texts in thirteen languages: the words that move the target are found, offline."""

import numpy as np
import pytest
from _language_words import LANGUAGES, find_planted, make_study

from sklearn_hypo import evaluate_hypotheses, make_hypothesis_pipeline

UNSPACED = [name for name, language in LANGUAGES.items() if not language.blank]


def fit_study(name, **settings):
    texts, y = make_study(LANGUAGES[name], 1000, np.random.default_rng(1))
    pipe = make_hypothesis_pipeline("lsa", n_select=10, random_state=1, **settings)
    return pipe.fit(texts[:500], y[:500]), texts, y


@pytest.mark.filterwarnings("ignore:HypothesisExtractor")
@pytest.mark.parametrize("name", LANGUAGES)
def test_planted_words_are_found(name):
    pipe, texts, y = fit_study(name)
    assert pipe.score(texts[500:], y[500:]) >= 0.3
    terms = pipe["hypotheses"].terms_["term"]
    assert len(find_planted(LANGUAGES[name], terms)) == 3


@pytest.mark.filterwarnings("ignore:HypothesisExtractor")
@pytest.mark.parametrize("name", UNSPACED)
def test_characters_do_where_no_dictionary_is(name):
    pipe, texts, y = fit_study(name, tokenizer="characters")
    assert pipe.score(texts[500:], y[500:]) >= 0.3


@pytest.mark.filterwarnings("ignore:Hypothes")
def test_the_page_marks_the_words_that_were_found(tmp_path):
    pipe, texts, y = fit_study("Thai")
    report = evaluate_hypotheses(pipe, texts[500:], y[500:])
    kinds = {detail.tokenizer for detail in report.details if detail.terms}
    assert "icu" in kinds
    report.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<mark>อร่อย</mark>" in page


@pytest.mark.filterwarnings("ignore:HypothesisExtractor")
def test_two_characters_come_before_one_in_chinese():
    pipe, _, _ = fit_study("Chinese", tokenizer="characters")
    terms = pipe["hypotheses"].terms_
    leading = terms.groupby("hypothesis", sort=False)["term"].first()
    assert (leading.str.count(" ") == 1).mean() >= 0.8
    planted = {" ".join(word) for word in LANGUAGES["Chinese"].planted.split()}
    assert planted <= set(terms["term"])
    statements = " ".join(pipe["hypotheses"].hypotheses_["hypothesis"])
    assert any(word in statements for word in LANGUAGES["Chinese"].planted.split())
