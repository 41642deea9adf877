"""The model that answers is the one that was asked for, or the user hears of it."""

import warnings

import numpy as np
import pytest
from llm_cases import annotator_for, make_mind, make_texts, model_at, prepare
from llm_cases import statements as make_statements
from llm_double import LLMServer
from llm_scripted import ScriptedServer, chat, reply

from sklearn_hypo import OpenAIModel
from sklearn_hypo._language_models._served import is_same_model
from sklearn_hypo._language_models._usage_table import format_usage, make_usage_table
from sklearn_hypo.exceptions import HypothesisWarning


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path / "default")


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gpt-x", "gpt-x"),
        ("gpt-x", ""),
        ("gpt-x", "GPT-X"),
        ("gpt-x", "gpt-x-2026-01-01"),
        ("gpt-x-2026-01-01", "gpt-x"),
        ("gpt-x-2026-01-01", "gpt-x-2026-01-01"),
        ("gpt-4", "gpt-4-0613"),
        ("openai/gpt-x", "gpt-x-2026-01-01"),
        ("openai/gpt-x:free", "openai/gpt-x"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash-001"),
        ("claude-x-latest", "claude-x-20260101"),
        ("claude-x", "claude-x-20260101"),
        ("mistral-small-latest", "mistral-small-2506"),
        ("mistral-small-2506", "mistral-small-latest"),
        ("llama3", "llama3:latest"),
        ("command-x", "command-x-08-2026"),
        ("qwen3:8b", "qwen3:8b"),
        ("qwen3-8b", "/models/Qwen3-8B-Q4_K_M.gguf"),
        ("qwen3-8b", r"C:\models\qwen3-8b.gguf"),
        ("HuggingFaceTB/SmolLM2", "HuggingFaceTB/SmolLM2@main"),
    ],
)
def test_names_of_one_model(asked, served):
    assert is_same_model(asked, served)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("gemini-2.5-flash", "gemini-3.8-flash"),
        ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
        ("gemini-2.5-flash", "gemini-2.5-flash-preview-09-2025"),
        ("gpt-x", "gpt-x-mini"),
        ("gpt-x", "gpt-x-mini-2026-01-01"),
        ("gpt-x-2026-01-01", "gpt-x-2026-06-01"),
        ("mistral-small-2506", "mistral-small-2509"),
        ("qwen3:8b", "qwen3:4b"),
        ("qwen3-8b", "qwen3-4b-q4_k_m.gguf"),
        ("gpt-5", "gpt-4-0613"),
    ],
)
def test_names_of_two_models(asked, served):
    assert not is_same_model(asked, served)


@pytest.fixture
def router():
    with LLMServer(make_mind(), served_model="successor-9") as server:
        yield server


def annotate(annotator, texts):
    """Return what the user is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        annotator.annotate(texts)
    return [w for w in caught if "another model than" in str(w.message)]


@pytest.mark.parametrize("kind", ["chat", "responses", "gemini"])
def test_a_successor_under_an_old_name_does_not_pass_unseen(kind, router, tmp_path):
    texts, asked = make_texts(8), make_statements(3)
    annotator = annotator_for(model_at(kind, router), asked, cache=tmp_path)
    (warned,) = annotate(annotator, texts[:4])
    assert warned.category is HypothesisWarning
    assert warned.filename == __file__
    assert "'successor-9'" in str(warned.message)
    assert str(annotator.model) in str(warned.message)
    assert annotator.usage_["answered_by"] == "successor-9"
    # once, and again for whoever takes the answers from the cache
    assert not annotate(annotator, texts)
    again = annotator_for(annotator.model, asked, cache=tmp_path)
    assert len(annotate(again, texts)) == 1
    assert again.usage_["calls"] == 0
    assert again.usage_["answered_by"] == "successor-9"


@pytest.mark.parametrize("served", ["double", "double-2026-01-01", "org/double"])
def test_a_snapshot_is_no_other_model(served, router):
    router.served_model = served
    annotator = annotator_for(model_at("chat", router), make_statements(2))
    assert not annotate(annotator, make_texts(3))
    assert annotator.usage_["answered_by"] == served


def test_a_change_in_the_middle_is_seen(router):
    annotator = annotator_for(model_at("chat", router), make_statements(2))
    texts = make_texts(9)
    router.served_model = "double-2026-01-01"
    assert not annotate(annotator, texts[:3])
    router.served_model = "successor-9"
    assert len(annotate(annotator, texts[3:6])) == 1
    assert annotator.usage_["answered_by"] == "double-2026-01-01, successor-9"


def test_a_deployment_of_azure_may_have_any_name(router, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "key")
    model = OpenAIModel(
        "double",
        provider="azure",
        base_url=router.openai_url,
        api_key_env="AZURE_OPENAI_API_KEY",
    )
    annotator = annotator_for(model, make_statements(2))
    assert not annotate(annotator, make_texts(3))
    assert annotator.usage_["answered_by"] == "successor-9"


def test_functions_have_no_version():
    annotator = annotator_for(lambda prompt: "yes", make_statements(1))
    assert not annotate(annotator, make_texts(2))
    assert annotator.usage_["answered_by"] == ""


def test_the_table_of_usage_shows_who_answered(router):
    annotator = annotator_for(model_at("chat", router), make_statements(2))
    annotate(annotator, make_texts(3))
    table = make_usage_table({"annotator": annotator})
    assert table.columns[:3].tolist() == ["role", "model", "answered_by"]
    assert table["answered_by"].tolist() == ["successor-9"]
    assert "3 calls" in format_usage(table)
    assert format_usage(table).endswith("; answered by successor-9")


def test_the_name_is_stored_with_the_answer(router, tmp_path):
    annotator = annotator_for(model_at("chat", router), make_statements(2))
    annotator.set_params(cache=tmp_path)
    annotate(annotator, make_texts(3))
    data = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"successor-9" in data


def test_an_answer_without_a_name_is_no_other_model():
    body = chat('{"answer": true}')
    del body["model"]
    with ScriptedServer() as server:
        server.always = lambda: reply(body=body)
        model = OpenAIModel("m", base_url=server.openai_url)
        annotator = annotator_for(model, make_statements(1), layout="single")
        assert not annotate(annotator, ["a text"])
        np.testing.assert_array_equal(annotator.annotate(["a text"]), [[1.0]])


def test_accounts_that_do_not_tell_who_answered():
    class Mine:
        usage_ = {"model": "mine", "calls": 3, "input_tokens": 1, "output_tokens": 1}
        usage_ |= {"answers_from_cache": 0, "cost": 0.0}

    table = make_usage_table({"annotator": Mine()})
    assert "answered by" not in format_usage(table)
