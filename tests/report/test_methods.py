"""The paragraph for a methods section says what was done, and nothing else."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from report_cases import KINDS, NASTY, make_report, spoil_figures
from sklearn.pipeline import make_pipeline

from sklearn_hypo import (
    HypothesisExtractor,
    NeuronSelector,
    SparseAutoencoderTransformer,
    TextEmbedder,
    evaluate_annotations,
    evaluate_hypotheses,
    rerun_audit_bundle,
)
from sklearn_hypo._report._references import REFERENCES
from sklearn_hypo._utils._printable import join_words
from sklearn_hypo.datasets import make_concept_texts


def paragraph(report):
    return report.methods_text(references=False)


_KNOWN = {}


def evaluate(kind="quantity", **settings):
    """Return the paragraph of a small test of two hypotheses; made once."""
    key = f"{kind} {settings}"
    if key not in _KNOWN:
        _KNOWN[key] = _evaluate(kind, **settings)
    return _KNOWN[key]


def _evaluate(kind, **settings):
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(120, 2)).astype(float)
    y = A @ [1.0, 0.0] + rng.normal(size=120)
    if kind == "two":
        y = y > 0.5
    elif kind == "three":
        y = np.digitize(y, [0.2, 1.0]).astype(str)
    settings = {"n_permutations": 19, "n_resamples": 0} | settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return paragraph(evaluate_annotations(A, y, **settings))


@pytest.fixture(scope="module")
def found():
    """A fitted pipeline and its report on other texts."""
    data = make_concept_texts(400, n_concepts=2, effects=[2, -2], random_state=0)
    pipe = make_pipeline(
        TextEmbedder("lsa", n_components=16, random_state=3),
        SparseAutoencoderTransformer(16, 2, n_fits=2, max_epochs=3, random_state=3),
        NeuronSelector(n_select=4, method="correlation"),
        HypothesisExtractor(n_hypotheses=2, random_state=3),
    ).fit(data.data[:200], data.target[:200])
    y = pd.Series(data.target[200:], name="stars")
    return pipe, evaluate_hypotheses(pipe, data.data[200:], y, n_permutations=19)


# Its form -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_hypotheses", "nasty"), [(6, False), (10, True), (0, True)])
def test_any_report_has_whole_sentences(kind, n_hypotheses, nasty):
    report = make_report(kind, n_hypotheses, nasty)
    for each in (spoil_figures(report), replace(report, provenance=None)):
        text = paragraph(each)
        assert text.isprintable()
        assert text.endswith((".", "…."))
        assert not re.search(r"\bNone\b|\bnan\b|  |\.\.|auto", text)
        sentences = re.split(r"(?<=[a-z0-9)])\. ", text)
        begins = [sentence for sentence in sentences if not sentence[0].isupper()]
        assert not [each for each in begins if not each[0].isdigit()]


def test_references_are_those_cited_and_no_others():
    for kind in KINDS:
        text, _, listed = make_report(kind).methods_text().partition("\n\nReferences\n")
        works = listed.split("\n")[1:]
        assert works
        for name, work in REFERENCES.items():
            author, _, year = name.rpartition(" ")
            cited = re.search(rf"{re.escape(author)} \(?{year}", text) is not None
            assert (work in works) == cited
    cited = set(re.findall(r"[A-Z][a-z]+ \(?(?:19|20)\d\d", text))
    assert len(cited) == len(works)


def test_every_reference_has_author_year_and_title():
    for name, work in REFERENCES.items():
        author, year = name.split()[0], name.split()[-1]
        assert author in work
        assert f"({year}). " in work


@pytest.mark.parametrize(
    ("parts", "joined"), [(["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_words_are_joined(parts, joined):
    assert join_words(parts) == joined


# Each setting ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "step-down method of Westfall and Young (1993) (family-wise level 0.05)"),
        ({"alpha": 0.2}, "family-wise level 0.2"),
        ({"correction": "holm"}, "the method of Holm (1979) (family-wise level 0.05)"),
        ({"correction": "bonferroni"}, "Bonferroni's method (family-wise level"),
        ({"correction": "fdr_bh"}, "Hochberg (1995) (false discovery rate 0.05)"),
        ({"correction": "fdr_by"}, "Yekutieli (2001) (false discovery rate 0.05)"),
        ({}, "coefficients from 19 permutations of residuals; estimates are divided"),
        ({"n_permutations": 99}, "those of coefficients from 99 permutations"),
        ({"n_permutations": 99}, "of differences are from 99 random permutations of"),
        ({}, "pooled ones, or HC2 where spreads differ"),
        ({"cov_type": "HC3"}, "Welch's t test, coefficients by t tests with HC3"),
        ({"cov_type": "HC2"}, "coefficients by t tests with HC2 standard errors"),
        ({"cov_type": "nonrobust"}, "t tests with classical standard errors"),
        ({"random_state": 7}, "random seed 7."),
        ({}, "The target, y, is a quantity"),
        ({"names": ["has tea", "has rain"]}, "We tested 2 hypotheses on 120 texts."),
        ({"n_resamples": 9}, "from 9 bootstrap resamples of texts"),
        ({"n_resamples": 9}, "with at most 9 draws without any effect"),
    ],
)
def test_a_setting_is_said(settings, said):
    assert said in evaluate(**settings)


@pytest.mark.parametrize(
    "unsaid", ["bootstrap", "draws", "group", "pair", "covariate", "weight", "level of"]
)
def test_what_was_not_done_is_not_said(unsaid):
    assert unsaid not in evaluate()


def test_families_with_other_corrections_are_told_apart():
    """Step-down is Holm's where a family has no draws."""
    text = evaluate("two", cov_type="HC3", n_permutations=99)
    assert (
        "of differences were corrected for 2 hypotheses by the method of Holm" in text
    )
    assert "of coefficients were corrected for 2 hypotheses by the step-down" in text


def test_without_a_joint_regression_the_separations_are_what_was_corrected():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(120, 3)).astype(float)
    A[np.arange(120), np.arange(120) % 3] = np.nan  # no row has all answers
    settings = {"n_permutations": 99, "n_resamples": 0}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        report = evaluate_annotations(A, rng.normal(size=120), **settings)
    assert "corrected for 3 hypotheses by the step-down" in paragraph(report)
    assert "step-down over 3 hypotheses" in report.to_latex()
    assert "duplicate" not in str(report) + " ".join(str(w.message) for w in said)


N = np.arange(120)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"groups": N // 4},
            "depend on each other within 30 groups, by which standard",
        ),
        ({"groups": N // 4}, "clustered by group (CR2) and Satterthwaite's degrees"),
        ({"groups": N // 4}, "whole groups (19 for differences, 19 for coeff"),
        ({"groups": N // 4, "cov_type": "HC3"}, "clustered by group (CR3)"),
        ({"groups": N // 4, "n_resamples": 9}, "bootstrap resamples of groups"),
        ({"covariates": pd.DataFrame({"length": N % 7})}, "and the covariate length ("),
        (
            {"covariates": pd.DataFrame({"length": N % 7, "year": N % 5})},
            "on 2 hypotheses and the covariates length and year (120 texts)",
        ),
        ({"fixed_effects": N % 6}, "on 2 hypotheses and fixed effects of 6 levels"),
        ({"fixed_effects": N % 6}, "permutations of residuals within the levels of"),
        ({"fixed_effects": N % 6}, "also tested by itself beside the covariates or"),
        ({"sample_weight": 1.0 + N % 3}, "a weighted linear regression of y"),
        ({"sample_weight": 1.0 + N % 3}, "weighted by the given sample weights"),
        (
            {"moderator": pd.Series(np.array(["blog", "forum"])[N % 2], name="site")},
            "effect of a hypothesis is the same in all 2 levels of site was tested",
        ),
        ({"pairs": N // 2}, "on 60 pairs of texts (120 texts)"),
        ({"pairs": N // 2}, "random changes of sign of the differences within pairs"),
        ({"target": "count"}, "is a count; effects and tests are of its mean"),
    ],
)
def test_what_stands_beside_the_rows_is_said(settings, said):
    if settings.get("target") == "count":
        rng = np.random.default_rng(0)
        A, y = rng.integers(0, 2, (120, 1)), rng.poisson(1.0, 120)
        text = paragraph(evaluate_annotations(A, y, n_resamples=0, **settings))
        assert "Rate ratios of a quasi-Poisson regression" in text
    else:
        text = evaluate(**settings)
    assert said in text


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("two", {}, "the difference in the share of np.True_ between texts with"),
        ("two", {}, "a logistic regression of y on 2 hypotheses"),
        ("two", {}, "given as odds ratios and average marginal effects"),
        ("two", {}, "Fisher's exact test, with Newcombe's intervals"),
        ("two", {}, "penalized likelihood-ratio tests (Heinze and Schemper 2002). "),
        ("two", {"groups": N // 4}, "Schemper 2002), divided by design effects"),
        ("two", {"sample_weight": 1.0 + N % 3}, "tests with design effects (Rao and"),
        ("three", {}, "has 3 classes: '0', '1' and '2'"),
        ("three", {}, "Pearson's chi-square test"),
        ("three", {}, "a multinomial logistic regression of y"),
        ("three", {}, "given as average marginal effects"),
    ],
)
def test_classes_have_their_own_tests(kind, settings, said):
    text = evaluate(kind, **settings)
    assert said.replace("np.True_", "True") in text
    assert "permutations of y" not in text


def test_pairs_of_classes():
    text = paragraph(make_report("pairs"))
    assert "says which text of a pair won" in text
    assert "exact binomial tests" in text
    assert "without a constant, on 6 hypotheses (120 pairs)" in text


def test_missing_answers_and_untestable_hypotheses_are_counted():
    report = make_report("missing")
    text = paragraph(report)
    missing = int(report.table["missing"].sum())
    assert f"{missing} of 1,440 annotations are missing" in text
    assert "corrected for 4 hypotheses" in text
    assert "2 hypotheses could not be tested beside the others" in text


def test_earlier_tests_are_counted():
    rng = np.random.default_rng(0)
    A, y = rng.integers(0, 2, (80, 2)), rng.normal(size=80)
    first = evaluate_annotations(A, y, names=["a", "b"], n_resamples=0)
    again = evaluate_annotations(
        A[:, :1], y, names=["a"], n_resamples=0, previous=first
    )
    text = paragraph(again)
    assert "corrected for 2 hypotheses" in text
    assert "includes tests made on the same texts before: 1 dropped or reworded" in text


def test_several_annotators_are_named():
    rng = np.random.default_rng(0)
    A, y = rng.integers(0, 2, (80, 1)), rng.normal(size=80)
    others = {name: np.where(rng.random((80, 1)) < 0.1, 1 - A, A) for name in "abc"}
    text = paragraph(evaluate_annotations(others, y, n_resamples=0, names=["x"]))
    assert "the vote of 3 annotators (a, b and c)" in text


def test_near_duplicates_are_groups():
    texts = make_concept_texts(60, n_concepts=1, random_state=0).data.tolist() * 2
    rng = np.random.default_rng(0)
    A, y = rng.integers(0, 2, (120, 1)), rng.normal(size=120)
    report = evaluate_annotations(
        A, y, texts=texts, near_duplicates="group", n_resamples=0, ngrams=False
    )
    assert report.near_duplicates["grouped"]
    said = f"within {report.n_groups} groups, texts that are equal or nearly equal, by"
    assert said in paragraph(report)


# How the hypotheses were found ----------------------------------------------------


def test_the_fit_is_told_with_its_sizes(found):
    text = paragraph(found[1])
    for said in (
        "found in 200 different texts with sklearn_hypo",
        "latent semantic analysis fitted on them (16 dimensions)",
        "2 sparse autoencoders (16 neurons each, 2 of them active per text on average)",
        "at most 4 were selected by their correlation with the target",
        "put into words by dictionaries of words and pairs of words, and at most 2",
        "taken to hold of a text that has its terms",
        "The random seed of the fit was 3.",
        "on 200 texts, none of which the hypotheses had been found in",
        "The target, stars, is a quantity",
        "a ridge regression on the embeddings and as many words and pairs of words",
        "R² out of sample and cross-fitted on the tested texts",
    ):
        assert said in text
    assert "to predict stars too" not in text  # it is not supervised


def test_texts_that_the_fit_has_seen_are_said(found):
    text = paragraph(replace(found[1], n_training_texts=12))
    assert "200 texts, 12 of which the hypotheses had been found in" in text
    assert "R² on the other texts" in text


def test_a_bundle_tells_the_same(found, tmp_path):
    _, report = found
    report.save(tmp_path / "audit", include_texts=True)
    again = rerun_audit_bundle(tmp_path / "audit")
    fit = paragraph(report).partition("We tested")
    same = paragraph(again).partition("We tested")
    assert same[0] == fit[0] != ""
    assert "step-down method" in same[2]
    for sentence in fit[2].split(". "):  # but for what needs the pipeline itself
        assert sentence in same[2] or "predict together" in sentence


def change_settings(report, **strategies):
    provenance = json.loads(json.dumps(report.provenance))
    provenance["settings"]["strategies"] |= strategies
    return replace(report, provenance=provenance)


def test_language_models_are_named_as_they_answered(found):
    asked = {"class": "sklearn_hypo.LLMAnnotator", "parameters": {"model": "openai:m"}}
    report = change_settings(found[1], annotator=asked)
    assert "annotated by the model openai:m (LLMAnnotator)." in paragraph(report)
    usage = pd.DataFrame({"role": ["annotator"], "answered_by": ["m-2026-01-01"]})
    text = paragraph(replace(report, usage=usage))
    assert "openai:m (LLMAnnotator, answered by m-2026-01-01)" in text


def test_annotators_of_several_parts_name_them(found):
    cheap = {"class": "sklearn_hypo.LexiconAnnotator", "parameters": {}}
    dear = {"class": "sklearn_hypo.LLMAnnotator", "parameters": {"model": "gemini:g"}}
    cascade = {"cheap": cheap, "dear": dear}
    cascade = {"class": "sklearn_hypo.CascadeAnnotator", "parameters": cascade}
    text = paragraph(change_settings(found[1], annotator=cascade))
    assert "by LexiconAnnotator, in doubt by the model gemini:g (LLMAnnotator)" in text
    members = {"annotators": [["a", cheap], ["b", dear]], "min_answers": None}
    votes = {"class": "sklearn_hypo.MajorityAnnotator", "parameters": members}
    text = paragraph(change_settings(found[1], annotator=votes))
    assert "the majority of LexiconAnnotator and the model gemini:g (LLMAnn" in text
    own = {"class": "mine.Own", "parameters": {}}
    text = paragraph(change_settings(found[1], annotator=own, interpreter=own))
    assert "put into words by Own" in text
    assert "annotated by Own" in text


def test_the_page_has_it_escaped(found, tmp_path):
    report = replace(found[1], target_name=NASTY[0])
    report.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "For the methods section of a paper" in page
    assert "The target, &lt;script&gt;" in page
    assert "<script>alert" not in page
