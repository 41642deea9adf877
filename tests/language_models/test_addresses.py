"""Which addresses are the same, and which of them no proxy gets to see."""

import os
import socket

import pytest
from llm_cases import make_mind, statements
from llm_double import LLMServer

from sklearn_hypo import GeminiModel, LLMAnnotator, OpenAIModel, TextEmbedder
from sklearn_hypo._language_models._addresses import is_loopback, normalize_address
from sklearn_hypo.exceptions import LanguageModelError

TEXT = "a pizza for nobody but this machine"
ASKED = statements(2)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://localhost:8000/v1", "http://127.0.0.1:8000/v1/"),
        ("http://localhost:8000/v1", "http://[::1]:8000/v1"),
        ("http://localhost/v1", "http://LocalHost.:80/v1"),
        ("https://api.example/v1", "HTTPS://API.Example:443/v1/"),
        ("https://api.example", "https://api.example/"),
        ("http://[2001:DB8::1]:80/v1", "http://[2001:db8::1]/v1"),
    ],
)
def test_one_server_spelt_in_two_ways(one, other):
    assert normalize_address(one) == normalize_address(other)
    assert normalize_address(normalize_address(one)) == normalize_address(one)


def test_other_servers_stay_others():
    addresses = [
        "",
        "http://localhost/v1",
        "https://localhost/v1",
        "http://localhost:8000/v1",
        "http://localhost:8001/v1",
        "http://localhost:8000/V1",
        "http://localhost:8000/v1/x",
        "http://localhost.example:8000/v1",
        "http://127.0.0.2:8000/v1",
        "http://192.168.0.1:8000/v1",
        "http://[2001:db8::1]:8000/v1",
        "http://[2001:db8::18]/v1",
        "http://[2001:db8::1:8000]/v1",
    ]
    assert len(set(map(normalize_address, addresses))) == len(addresses)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("models.localhost", True),
        ("127.0.0.1", True),
        ("127.255.3.4", True),
        ("127.1", True),
        ("0.0.0.0", True),
        ("[::1]", True),
        ("[::]", True),
        ("[::ffff:127.0.0.1]", True),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("127.0.0.1.example", False),
        ("128.0.0.1", False),
        ("192.168.0.1", False),
        ("[fe80::1%eth0]", False),
        ("[::ffff:8.8.8.8]", False),
        ("b\u00fccher.example", False),
    ],
)
def test_what_is_this_machine(host, expected):
    assert is_loopback(f"http://{host}:8000/v1") is expected


# Proxies


@pytest.fixture
def proxy(monkeypatch):
    """A server on loopback that the environment names as the proxy for everything."""
    with LLMServer(make_mind()) as proxy:
        for name in (*PROXIES, *map(str.lower, PROXIES)):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield proxy


@pytest.fixture
def server():
    with LLMServer(make_mind()) as server:
        yield server


def make_model(kind, url):
    if kind == "gemini":
        return GeminiModel("double", base_url=url, max_retries=0)
    return OpenAIModel("double", base_url=f"{url}/v1", api=kind, max_retries=0)


def annotate(model, layout="stacked"):
    annotator = LLMAnnotator(model, layout=layout, cache=None).fit([], ASKED)
    return annotator.annotate([TEXT])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        ("chat", "stacked"),
        ("chat", "decisions"),
        ("responses", "single"),
        ("gemini", "stacked"),
        ("gemini", "decisions"),
    ],
)
def test_texts_for_this_machine_do_not_go_to_a_proxy(server, proxy, kind, layout, host):
    model = make_model(kind, server.url.replace("127.0.0.1", host))
    assert annotate(model, layout).shape == (1, 2)
    assert server.stats().calls > 0
    assert proxy.stats().calls == proxy.stats().connections == 0


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_an_address_in_the_environment_counts_too(server, proxy, monkeypatch, kind):
    model = make_model(kind, server.url)
    monkeypatch.setenv(type(model).base_url_env, model.base_url)
    monkeypatch.setenv(type(model).key_envs[0], "k")
    annotate(type(model)("double", max_retries=0))
    assert server.stats().calls > 0
    assert proxy.stats().connections == 0


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_embeddings_and_batches_do_not_go_there_either(server, proxy, tmp_path, kind):
    model = make_model(kind, server.url)
    TextEmbedder(model, batch_size=2).fit_transform([TEXT, "b", "c", "d"])
    annotator = LLMAnnotator(model, cache=tmp_path).fit([], ASKED)
    annotator.submit([TEXT])
    while annotator.collect().pending:
        pass
    assert server.stats().batch_requests == 1
    assert proxy.stats().connections == 0


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_of_the_other_protocol_the_proxy_sees_nothing_either(proxy, kind):
    """Nobody listens there; a proxy would be asked all the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(LanguageModelError):
        annotate_until_it_fails(make_model(kind, f"http://[::1]:{port}"))
    assert proxy.stats().connections == 0


def annotate_until_it_fails(model):
    annotator = LLMAnnotator(model, cache=None, max_missing=0.0).fit([], ASKED)
    annotator.annotate([f"{TEXT} {i}" for i in range(40)])


@pytest.mark.parametrize("kind", ["chat", "gemini"])
def test_for_other_machines_the_environment_decides(proxy, kind):
    """Private addresses as well: what leaves the machine may have to go that way."""
    with pytest.raises(LanguageModelError):
        annotate(make_model(kind, "http://10.255.255.1:9"))
    assert proxy.stats().calls > 0


def test_the_environment_is_left_as_it_was(server, proxy):
    annotate(make_model("chat", server.url))
    assert os.environ["HTTP_PROXY"] == proxy.url
    assert "NO_PROXY" not in os.environ
