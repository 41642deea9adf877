"""Servers on this machine that are asked for their models: whatever they answer."""

import socket
import threading

import pytest
from llm_cases import make_mind, prepare
from llm_scripted import ScriptedServer, reply

from sklearn_hypo._language_models._local_servers import ask_local_servers
from sklearn_hypo._language_models._servers import SERVERS


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path)
    for name in ("OLLAMA_HOST", "LLAMA_ARG_HOST", "LLAMA_ARG_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ask(monkeypatch):
    """Ask for the models of Ollama alone, at an address of its variable."""
    servers = {"ollama": SERVERS["ollama"]}
    monkeypatch.setattr("sklearn_hypo._language_models._local_servers.SERVERS", servers)

    def ask(address):
        monkeypatch.setenv("OLLAMA_HOST", address)
        (answer,) = ask_local_servers(timeout=0.3)
        return answer

    return ask


@pytest.mark.parametrize(
    ("answer", "models", "problem"),
    [
        (reply(body={"data": [{"id": "a"}, {"id": "b"}]}), ("a", "b"), ""),
        (reply(body={"data": []}), (), ""),
        (reply(401, body={}), None, "wants a key"),
        (reply(404, body={}), None, "HTTP 404"),
        (reply(body={"models": []}), None, "another program"),
        (reply(body=b"<html>"), None, "another program"),
        (reply(302, headers={"Location": "http://127.0.0.1:9/"}), None, "HTTP 302"),
    ],
    ids=["models", "none", "key", "404", "other JSON", "no JSON", "redirect"],
)
def test_answers(ask, answer, models, problem):
    with ScriptedServer(make_mind()) as server:
        server.replies.append(answer)
        found = ask(server.url)
        assert [request.path for request in server.seen] == ["/v1/models"]
    assert found.models == models
    assert problem in found.problem
    assert bool(problem) == bool(found.problem)


def test_nobody_listens(ask):
    assert ask("127.0.0.1:9")[2:] == (None, "")


@pytest.mark.parametrize("speaks", [b"", b"SSH-2.0-OpenSSH\r\n"])
def test_what_listens_is_no_web_server(ask, speaks):
    """One that says nothing is waited for no longer than the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak():
            with listener.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(speaks)
                over.wait(10)

        over = threading.Event()
        thread = threading.Thread(target=speak)
        thread.start()
        found = ask(f"127.0.0.1:{listener.getsockname()[1]}")
        over.set()
        thread.join()
    assert found.models is None
    assert bool(found.problem) == bool(speaks)


def test_an_address_with_a_secret_is_not_shown(ask):
    found = ask("http://user:hunter2@127.0.0.1:9")
    assert "OLLAMA_HOST" in found.problem
    assert "hunter2" not in str(found)
