"""Servers by name: each string reaches its address, in its dialect, with its key."""

import copy
import csv
import os
import pickle
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from llm_cases import hypotheses, make_mind, make_texts, prepare, statements, truth
from llm_double import LLMServer
from llm_scripted import ScriptedServer, chat, reply
from sklearn.base import clone

from sklearn_hypo import GeminiModel, LLMAnnotator, OpenAIModel, TextEmbedder
from sklearn_hypo._language_models._addresses import normalize_address
from sklearn_hypo._language_models._models import as_model
from sklearn_hypo._language_models._servers import (
    SERVERS,
    KnownServer,
    complete_host,
    find_address,
    read_azure_url,
)
from sklearn_hypo._language_models._values import Prompt
from sklearn_hypo.exceptions import LanguageModelError

KEY = "a-key-of-the-provider"
OTHER_KEY = "a-key-of-somebody-else"
SCHEMA = {"type": "object", "properties": {"answer": {"type": "boolean"}}}
PROMPT = Prompt("You annotate.", '{"text": "t", "property": "p"}', SCHEMA)
PORTAL = "https://x.openai.azure.com/openai/deployments/mini/chat/completions"
V1 = "https://x.openai.azure.com/openai/v1"
# of every server but OpenAI itself, whose strings the other files test
NAMES = [name for name in SERVERS if name != "openai"]
EACH = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """No variable of any server, and a key of OpenAI that nobody else may see."""
    prepare(monkeypatch, tmp_path)
    for server in SERVERS.values():
        for variable in (server.address_env, server.port_env, server.key_env):
            if variable:
                monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", OTHER_KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", OTHER_KEY)
    monkeypatch.setenv("OPENAI_PROJECT_ID", OTHER_KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Gateway: {OTHER_KEY}")


class Anywhere(ScriptedServer):
    """Answers below any path that ends like one of OpenAI's; keeps the path."""

    def _handle(self, request):
        request.whole_path = request.path
        _, found, after = request.path.partition("/v1/")
        request.path = f"{found}{after.partition('?')[0]}"
        return super()._handle(request)


@pytest.fixture
def double():
    with Anywhere(make_mind()) as server:
        yield server


def move(monkeypatch, double, name):
    """Have the address of a server lead to the double; return the path it keeps."""
    row = SERVERS[name]
    path = row.address.partition("://")[2].partition("/")[2]
    moved = row._replace(address=f"{double.url}/{path}")
    monkeypatch.setitem(SERVERS, name, moved)
    if name == "azure":
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{double.url}/")
        path = "openai/v1"
    if row.key_env:
        monkeypatch.setenv(row.key_env, KEY)
    return path


# The table


def test_the_file_has_the_columns_of_the_table():
    file = resources.files("sklearn_hypo._language_models") / "known_servers.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == list(KnownServer._fields)
    assert [row["provider"] for row in rows] == list(SERVERS)
    for row in rows:
        flags = [row[n] for n in ("needs_key", "is_local", "embeds", "json_schema")]
        assert set(flags) <= {"yes", "no"}
        assert row["source"].startswith("https://")


@pytest.mark.parametrize("row", SERVERS.values(), ids=SERVERS)
def test_row(row):
    assert row.token_parameter in ("max_tokens", "max_completion_tokens")
    assert row.needs_key <= bool(row.key_env)
    assert row.is_local is row.address.startswith("http://localhost:")
    if row.address:
        assert row.address.endswith("/v1")
        assert row.is_local or row.address.startswith("https://")
    keys = [other.key_env for other in SERVERS.values() if other.key_env]
    assert len(set(keys)) == len(keys)


# Strings


@EACH
def test_a_string_is_a_value_that_says_what_was_written(name):
    model = as_model(f"{name}:family/some-model:8b")
    assert model == OpenAIModel("family/some-model:8b", provider=name)
    assert str(model) == f"{name}:family/some-model:8b"
    assert model.provider == name
    assert repr(model) == f"OpenAIModel('family/some-model:8b', provider={name!r})"
    for copied in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),  # noqa: S301
        clone(LLMAnnotator(model)).model,
        eval(repr(model)),
    ):
        assert copied == model
        assert str(copied) == str(model)
    assert model != OpenAIModel("family/some-model:8b")


@EACH
@pytest.mark.parametrize("rest", ["", ":", ": "])
def test_a_server_without_a_model_is_refused(name, rest):
    with pytest.raises(ValueError, match=f"no default here: write '{name}:NAME'"):
        as_model(name + rest)


def test_unknown_providers_are_refused_with_the_list():
    with pytest.raises(ValueError, match="one of openai, gemini, ollama, llamacpp"):
        as_model("cohere:command")
    with pytest.raises(ValueError, match=r"provider='cohere'\): one of 'openai', "):
        OpenAIModel("command", provider="cohere")


@EACH
def test_a_string_reaches_its_server_in_its_dialect(name, double, monkeypatch):
    path = move(monkeypatch, double, name)
    row = SERVERS[name]
    model = as_model(f"{name}:m")
    settings = {"seed": 3, "max_output_tokens": 9, "temperature": 0.0}
    model = OpenAIModel(model.model, provider=model.provider, **settings)
    double.replies.append(reply(body=chat()))
    connection = model.connect(1)
    connection.ask(PROMPT)
    connection.close()
    (request,) = double.seen
    assert request.whole_path == f"/{path}/chat/completions"
    assert request.data.keys() - {"response_format"} == {
        *("model", "messages", "temperature"),
        row.token_parameter,
        row.seed_parameter,
    }
    assert request.data[row.token_parameter] == 9
    assert request.data[row.seed_parameter] == 3
    assert ("response_format" in request.data) is row.json_schema
    if row.key_header != "Authorization":
        assert request.headers[row.key_header] == KEY
        assert "authorization" not in request.headers
    elif row.key_env:
        assert request.headers["authorization"] == f"Bearer {KEY}"
    # nothing of an account at OpenAI
    assert OTHER_KEY not in str(request.headers)


@EACH
def test_a_string_annotates(name, double, monkeypatch):
    move(monkeypatch, double, name)
    texts, asked = make_texts(6), statements(3)
    annotator = LLMAnnotator(f"{name}:m", cache=None).fit([], hypotheses(asked))
    np.testing.assert_array_equal(annotator.annotate(texts), truth(texts, asked))
    assert annotator.usage_["calls"] == 6
    assert annotator.usage_["model"] == f"{name}:m"


@pytest.mark.parametrize("name", [n for n in NAMES if SERVERS[n].embeds])
def test_a_string_embeds(name, double, monkeypatch):
    path = move(monkeypatch, double, name)
    rows = TextEmbedder(f"{name}:m").fit_transform(["a text", "another"])
    assert rows.shape == (2, double.dimensions)
    assert {request.whole_path for request in double.seen} == {f"/{path}/embeddings"}


@pytest.mark.parametrize("name", [n for n in NAMES if not SERVERS[n].embeds])
def test_servers_that_embed_nothing_are_refused(name):
    with pytest.raises(ValueError, match=f"'{name}:m' does not embed texts"):
        TextEmbedder(f"{name}:m").fit(["a text"])


@EACH
def test_the_manual_has_a_line_for_each_string(name):
    manual = Path(__file__).parents[2] / "docs" / "language_models.md"
    lines = re.findall(rf'^\| `"{name}:[^"]+"` \|.*', manual.read_text("utf-8"), re.M)
    assert len(lines) == 1
    row = SERVERS[name]
    for fact in (row.address or row.address_env, row.key_env or "–"):
        assert fact in lines[0]


# Keys


@EACH
def test_without_its_key_nothing_is_sent(name, double, monkeypatch):
    move(monkeypatch, double, name)
    row = SERVERS[name]
    if not row.key_env:
        assert as_model(f"{name}:m").read_key() is None
        return
    monkeypatch.delenv(row.key_env)
    model = as_model(f"{name}:m")
    if not row.needs_key:
        assert model.read_key() is None
        return
    annotator = LLMAnnotator(model, cache=None).fit([], hypotheses(statements(1)))
    with pytest.raises(LanguageModelError, match=f"{row.key_env} is not set"):
        annotator.annotate(["a text"])
    assert not double.seen


@EACH
def test_the_key_of_a_server_is_not_for_another_address(name, monkeypatch):
    row = SERVERS[name]
    monkeypatch.setenv(row.key_env or "UNUSED", KEY)
    model = OpenAIModel("m", provider=name, base_url="http://127.0.0.1:1/v1")
    assert model.read_key() is None
    monkeypatch.setenv("MY_KEY", "mine")
    model = OpenAIModel("m", base_url=model.base_url, api_key_env="MY_KEY")
    assert model.read_key() == "mine"


# Addresses


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("gpu-box", "http://gpu-box:11434/v1"),
        ("gpu-box:80", "http://gpu-box:80/v1"),
        ("10.0.0.5:9000", "http://10.0.0.5:9000/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"),
        (":9000", "http://127.0.0.1:9000/v1"),
        ("http://gpu-box:9000", "http://gpu-box:9000/v1"),
        ("http://gpu-box:9000/", "http://gpu-box:9000/v1"),
        ("http://gpu-box:9000/v1/", "http://gpu-box:9000/v1"),
        ("http://gpu-box", "http://gpu-box/v1"),
        ("https://ollama.example", "https://ollama.example/v1"),
        ("https://gateway.example/team", "https://gateway.example/team/v1"),
        ("[::]:9000", "http://127.0.0.1:9000/v1"),
        ("[::1]:9000", "http://[::1]:9000/v1"),
    ],
)
def test_hosts_are_read_as_ollama_reads_them(host, address, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", f" {host} ")
    assert as_model("ollama:m").server() == address
    assert as_model("ollama:m").identity()["server"] == normalize_address(address)


def test_the_port_of_llama_cpp(monkeypatch):
    usual = SERVERS["llamacpp"].address
    monkeypatch.setenv("LLAMA_ARG_PORT", "9000")
    assert as_model("llamacpp:m").server() == "http://localhost:9000/v1"
    monkeypatch.setenv("LLAMA_ARG_HOST", "0.0.0.0")
    assert as_model("llamacpp:m").server() == "http://127.0.0.1:9000/v1"
    assert complete_host("gpu-box:1", "2", usual) == "http://gpu-box:1/v1"


@pytest.mark.parametrize("host", ["user:pw@gpu-box", "gpu-box?key=x", "a b", "[x"])
def test_a_wrong_host_in_the_environment_is_named_unshown(host, monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", host)
    with pytest.raises(ValueError, match="OLLAMA_HOST: an address") as caught:
        as_model("ollama:m").server()
    assert host not in str(caught.value)


def test_a_server_under_two_names_is_the_same():
    named = OpenAIModel("m", provider="vllm")
    other = OpenAIModel("m", base_url=SERVERS["vllm"].address)
    assert named.identity() == other.identity()
    # but not where another request is sent
    named = OpenAIModel("m", provider="deepseek")
    other = OpenAIModel("m", base_url=SERVERS["deepseek"].address)
    assert named.identity() != other.identity()


def test_local_models_cost_nothing_and_others_are_unknown():
    for name in NAMES:
        price = as_model(f"{name}:m").price_per_million()
        assert (price is not None) is SERVERS[name].is_local
        assert price is None or set(price[:3]) == {0.0}
    assert OpenAIModel("m", provider="vllm", price=(1, 2)).price_per_million().input

    def price_at(url):
        return OpenAIModel("m", provider="ollama", base_url=url).price_per_million()

    assert price_at("http://gpu-box:11434/v1") == price_at("http://10.0.0.5/v1")
    assert price_at("http://gpu-box:11434/v1").output == 0
    assert price_at("https://ollama.com/v1") is None


# Azure


@pytest.mark.parametrize(
    ("url", "base_url", "deployment"),
    [
        (f"{PORTAL}?api-version=2024-10-21", V1, "mini"),
        (PORTAL, V1, "mini"),
        ("https://x.openai.azure.com/openai/deployments/mini", V1, "mini"),
        ("https://x.openai.azure.com", V1, ""),
        ("https://x.openai.azure.com/", V1, ""),
        ("https://x.openai.azure.com/openai", V1, ""),
        (f"{V1}/", V1, ""),
        (f"{V1}/chat/completions", V1, ""),
        (
            "https://x.services.ai.azure.com/models/chat/completions?api-version=2",
            "https://x.services.ai.azure.com/openai/v1",
            "",
        ),
        (
            "https://x.cognitiveservices.azure.com/openai/deployments/a-b/embeddings",
            "https://x.cognitiveservices.azure.com/openai/v1",
            "a-b",
        ),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80/openai/v1", ""),
        (
            "https://gate.example/team/openai/deployments/mini/chat/completions",
            "https://gate.example/team/openai/v1",
            "mini",
        ),
    ],
)
def test_addresses_of_azure(url, base_url, deployment, monkeypatch):
    assert read_azure_url(url) == (base_url, deployment)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", url)
    assert as_model("azure:mini").server() == base_url


def test_the_address_of_the_portal_is_accepted(monkeypatch):
    model = OpenAIModel(
        "mini", provider="azure", base_url=f"{PORTAL}?api-version=2024-10-21"
    )
    assert model == OpenAIModel("mini", provider="azure", base_url=V1)
    assert repr(model) == f"OpenAIModel('mini', base_url={V1!r}, provider='azure')"
    with pytest.raises(LanguageModelError, match="AZURE_OPENAI_API_KEY is not set"):
        model.read_key()
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    assert model.read_key() == KEY


@pytest.mark.parametrize("provider", ["openai", "azure"])
@pytest.mark.parametrize("query", ["", "?api-version=2024-10-21", f"?api-key={KEY}"])
def test_the_address_of_another_deployment_shows_the_working_one(provider, query):
    with pytest.raises(ValueError, match="deployment at Azure") as caught:
        OpenAIModel("gpt-4o", provider=provider, base_url=PORTAL + query)
    working = re.search(r"Write (.*\))\.", str(caught.value)).group(1)
    assert eval(working) == OpenAIModel("mini", provider="azure", base_url=V1)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("model", ["sk-proj-abc", "gpt-4o"])
@pytest.mark.parametrize("deployment", ["mini", "sk-proj-abc"])
@pytest.mark.parametrize("user", ["", "sk-proj-abc@", "me:abc@"])
def test_no_part_of_an_address_of_azure_shows_a_key(model, deployment, user):
    url = f"https://{user}x.openai.azure.com/openai/deployments/{deployment}/chat"
    with pytest.raises(ValueError, match=r"OpenAIModel\(") as caught:
        OpenAIModel(model, base_url=url)
    assert "abc" not in str(caught.value)


def test_azure_needs_the_address_of_the_user():
    with pytest.raises(LanguageModelError, match="AZURE_OPENAI_ENDPOINT") as caught:
        find_address(SERVERS["azure"])
    assert caught.value.reason == "address"
    with pytest.raises(LanguageModelError, match="AZURE_OPENAI_ENDPOINT"):
        LLMAnnotator("azure:mini").fit([], hypotheses(statements(1)))


class Tokens:
    """Gives another token each time, and shows one if it is printed."""

    def __init__(self):
        self.n_given = 0

    def __call__(self):
        self.n_given += 1
        return f"token-{self.n_given}"

    def __repr__(self):
        return "Tokens('token-secret')"


def constant_token():
    return "token-of-a-module"


def test_a_token_provider_is_asked_for_every_call(double, monkeypatch):
    move(monkeypatch, double, "azure")
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    model = OpenAIModel("m", provider="azure", token_provider=Tokens())
    connection = model.connect(1)
    for _ in range(2):
        double.replies.append(reply(body=chat()))
        connection.ask(PROMPT)
    connection.close()
    given = [request.headers["authorization"] for request in double.seen]
    assert len(set(given)) == 2
    assert all(value.startswith("Bearer token-") for value in given)
    assert all("api-key" not in request.headers for request in double.seen)


def test_a_token_provider_is_neither_shown_nor_hashed(tmp_path, double, monkeypatch):
    move(monkeypatch, double, "azure")
    plain = OpenAIModel("m", provider="azure")
    model = OpenAIModel("m", provider="azure", token_provider=Tokens())
    assert "secret" not in repr(model) + str(model) + repr(LLMAnnotator(model))
    assert repr(model) == "OpenAIModel('m', provider='azure', token_provider=...)"
    assert model.identity() == plain.identity()
    assert clone(LLMAnnotator(model)).model.token_provider is model.token_provider
    annotator = LLMAnnotator(model, cache=tmp_path).fit([], hypotheses(statements(2)))
    annotator.annotate(make_texts(3))
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"token-" not in file.read_bytes()


def test_a_token_provider_is_pickled_only_as_a_name():
    model = OpenAIModel("m", provider="azure", token_provider=constant_token)
    pickled = pickle.dumps(model)
    assert b"token-of-a-module" not in pickled
    assert pickle.loads(pickled).token_provider is constant_token  # noqa: S301
    for function in (Tokens(), lambda: "x"):
        model = OpenAIModel("m", provider="azure", token_provider=function)
        with pytest.raises(TypeError, match="a function of a module"):
            pickle.dumps(model)


def no_token():
    raise RuntimeError("token-secret")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_token, "raised RuntimeError"),
        (lambda: None, "must return a str; NoneType"),
        (lambda: "", "or an empty one"),
        (lambda: "two\nlines", "cannot be a key"),
    ],
)
def test_a_token_that_cannot_be_sent_is_an_error(function, message):
    model = OpenAIModel("m", provider="azure", base_url=V1, token_provider=function)
    with pytest.raises(LanguageModelError, match=message) as caught:
        model.read_key()
    assert caught.value.reason == "authentication"
    assert "secret" not in str(caught.value)
    assert "two" not in str(caught.value)


def test_a_token_in_place_of_a_function_is_refused_unshown():
    with pytest.raises(ValueError, match="a function that returns") as caught:
        OpenAIModel("m", token_provider=KEY)
    assert KEY not in str(caught.value)


# Fields, headers and parameters of the user

EXTRAS = {
    "extra_body": {"chat_template_kwargs": {"enable_thinking": False}, "top_k": 20},
    "extra_headers": {"HTTP-Referer": "https://lab.example", "X-Title": "study"},
    "extra_query": {"api-version": "preview"},
}


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_extras_are_sent(double, api):
    model = OpenAIModel("m", base_url=double.openai_url, api=api, **EXTRAS)
    double.always = lambda: reply(500)
    connection = model.connect(1)
    with pytest.raises(Exception, match="500"):
        connection.ask(PROMPT)
    connection.close()
    (request,) = double.seen
    assert EXTRAS["extra_body"].items() <= request.data.items()
    assert request.data["model"] == "m"
    assert request.headers["http-referer"] == "https://lab.example"
    assert request.whole_path.endswith("?api-version=preview")


def test_fields_of_the_user_go_before_those_of_the_question(double):
    extra = {"response_format": {"type": "json_object"}, "temperature": 0.1}
    model = OpenAIModel(
        "m", base_url=double.openai_url, temperature=1.0, extra_body=extra
    )
    double.replies.append(reply(body=chat()))
    connection = model.connect(1)
    connection.ask(PROMPT)
    connection.close()
    assert extra.items() <= double.seen[-1].data.items()


@pytest.mark.parametrize("name", EXTRAS)
def test_extras_are_values(name):
    given = {**EXTRAS[name]}
    model = OpenAIModel("m", **{name: given})
    given["another"] = "1"
    assert getattr(model, name) == EXTRAS[name]
    assert eval(repr(model)) == model
    assert hash(model) == hash(OpenAIModel("m", **{name: EXTRAS[name]}))
    assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301
    reordered = dict(reversed(EXTRAS[name].items()))
    same = OpenAIModel("m", **{name: reordered})
    assert same.identity() == model.identity() != OpenAIModel("m").identity()
    assert OpenAIModel("m", **{name: {}}) == OpenAIModel("m")


SECRETS = [
    ("extra_headers", {"Authorization": "Bearer abc"}),
    ("extra_headers", {"authorization": "abc"}),
    ("extra_headers", {"Proxy-Authorization": "Basic abc"}),
    ("extra_headers", {"api-key": "abc"}),
    ("extra_headers", {"Ocp-Apim-Subscription-Key": "abc"}),
    ("extra_headers", {"X-Auth-Token": "abc"}),
    ("extra_headers", {"Cookie": "session=abc"}),
    ("extra_headers", {"X-Title": "sk-proj-abc"}),
    ("extra_headers", {"X-Title": "Bearer abc"}),
    ("extra_headers", {"sk-proj-abc": "1"}),
    ("extra_query", {"key": "abc"}),
    ("extra_query", {"code": "abc"}),
    ("extra_query", {"sig": "abc"}),
    ("extra_query", {"subscription-key": "abc"}),
    ("extra_query", {"version": "AIzaabc"}),
    ("extra_body", {"api_key": "abc"}),
    ("extra_body", {"provider": {"api_key": "abc"}}),
    ("extra_body", {"list": [{"secret": "abc"}]}),
    ("extra_body", {"list": ["x", ["gsk_abc"]]}),
    ("extra_body", {"user": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}),
]


@pytest.mark.parametrize(("parameter", "given"), SECRETS)
def test_keys_in_extras_are_refused_unshown(parameter, given):
    with pytest.raises(ValueError, match="looks like a key") as caught:
        OpenAIModel("m", **{parameter: given})
    assert parameter in str(caught.value)
    assert "abc" not in str(caught.value)
    assert "0f1e" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("extra_body", {"min_tokens": 1, "prompt_cache_key": "study", "top_k": 20}),
        ("extra_body", {"reasoning": {"max_tokens": 0}, "thinking": {"type": "off"}}),
        ("extra_headers", {"anthropic-version": "2023-06-01", "X-Title": "a study"}),
        ("extra_query", {"api-version": "2024-10-21"}),
    ],
)
def test_usual_extras_are_accepted(parameter, given):
    assert getattr(OpenAIModel("m", **{parameter: given}), parameter) == given


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        *(("extra_body", v) for v in ("top_k", ["top_k"], 3, {1: 2}, {"a": {1, 2}})),
        ("extra_body", {"a": float("nan")}),
        *(("extra_body", {name: "x"}) for name in ("model", "messages", "stream")),
        *(("extra_headers", {"X": v}) for v in (3, "two\nlines", "ü", None)),
        ("extra_query", [("a", "b")]),
    ],
)
def test_extras_that_cannot_be_sent_are_refused(parameter, given):
    with pytest.raises(ValueError, match=rf"OpenAIModel\({parameter}=\.\.\.\): "):
        OpenAIModel("m", **{parameter: given})


# Nothing at the address


@pytest.mark.parametrize(
    ("path", "body", "reason", "message"),
    [
        ("", {"detail": "Not Found"}, "address", "try base_url='{url}/v1'"),
        ("/", "404 page not found", "address", "try base_url='{url}/v1'"),
        ("/v1", "404 page not found", "address", "whether the server has the endpoint"),
        ("/v1", {"error": {"message": "model 'm' not found"}}, "model", "Set model="),
    ],
)
def test_a_404_says_what_is_wrong(double, path, body, reason, message):
    body = body.encode() if isinstance(body, str) else body
    double.always = lambda: reply(404, body)
    model = OpenAIModel("m", base_url=double.url + path)
    annotator = LLMAnnotator(model, cache=None).fit([], hypotheses(statements(2)))
    with pytest.raises(LanguageModelError) as caught:
        annotator.annotate(make_texts(40))
    assert caught.value.reason == reason
    assert message.format(url=double.url) in str(caught.value)
    assert "HTTP 404: " in str(caught.value)
    assert len(double.seen) <= 4  # as many as are under way at first


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("name", ["ollama", "azure"])
def test_nothing_is_sent_where_a_server_points_to(name, status, double, monkeypatch):
    move(monkeypatch, double, name)
    with Anywhere(make_mind()) as other:
        place = f"{other.url}/v1/chat/completions"
        headers = {"location": f"{place}?key={KEY}"}
        double.always = lambda: reply(status, {}, headers)
        annotator = LLMAnnotator(f"{name}:m", cache=None)
        annotator.fit([], hypotheses(statements(2)))
        with pytest.raises(LanguageModelError, match=f"moved to {place}") as caught:
            annotator.annotate(make_texts(40))
        assert not other.seen
    assert caught.value.reason == "address"
    assert KEY not in str(caught.value)
    assert len(double.seen) <= 4


@pytest.mark.parametrize("status", [302, 307])
def test_nothing_of_gemini_is_sent_where_a_server_points_to(status, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    with ScriptedServer() as double, ScriptedServer(make_mind()) as other:
        headers = {"location": f"{other.url}/v1beta/models/m:generateContent"}
        double.always = lambda: reply(status, {}, headers)
        model = GeminiModel("m", base_url=double.url, api_key_env="MY_KEY")
        annotator = LLMAnnotator(model, cache=None)
        annotator.fit([], hypotheses(statements(2)))
        with pytest.raises(LanguageModelError, match=f"HTTP {status}") as caught:
            annotator.annotate(make_texts(40))
        assert not other.seen
        assert len(double.seen) <= 4
    assert caught.value.reason == "address"


def test_an_address_without_v1_says_so():
    with LLMServer(make_mind()) as server:
        model = OpenAIModel("m", base_url=server.url)
        annotator = LLMAnnotator(model, cache=None).fit([], hypotheses(statements(2)))
        with pytest.raises(LanguageModelError, match=r"try base_url='\S+/v1'"):
            annotator.annotate(make_texts(40))
        assert server.stats().calls <= 4  # how many are under way at first


def test_the_rows_that_are_moved_in_tests_are_moved_back():
    assert "127.0.0.1" not in str(SERVERS)
    assert os.environ["OPENAI_API_KEY"] == OTHER_KEY
