"""What `sklearn-hypo doctor` finds, and that it shows no key."""

import os
import re
import sys
from importlib import metadata

import pytest
from llm_cases import make_mind
from llm_scripted import ScriptedServer, reply

from sklearn_hypo._cli import _doctor
from sklearn_hypo._cli._main import main
from sklearn_hypo._language_models._servers import SERVERS

KEY = "sk-a-key-that-nobody-may-see"
NOBODY = "127.0.0.1:9"  # the port of "discard", where nobody listens


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """No server, no key, and an empty cache."""
    for server in SERVERS.values():
        for variable in (server.address_env, server.port_env, server.key_env):
            if variable:
                monkeypatch.delenv(variable, raising=False)
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", NOBODY)
    monkeypatch.setenv("SKLEARN_HYPO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def examine(capsys):
    """Run it; return the lines below each heading."""

    def examine(*arguments):
        assert main(["doctor", *arguments]) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        first, *sections = shown.out.rstrip("\n").split("\n\n")
        found = {"": first.splitlines()}
        for section in sections:
            heading, *lines = section.splitlines()
            found[heading] = [line.removeprefix("  ") for line in lines]
        return found

    return examine


def find_line(lines, start):
    return next(line for line in lines if line.startswith(start))


def test_a_file_that_is_gone_and_a_device_that_fails_end_nothing(
    examine, monkeypatch, tmp_path
):
    torch = pytest.importorskip("torch")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "answers-wal").symlink_to(tmp_path / "nowhere")
    (tmp_path / "cache" / "answers").write_text("x" * 100)

    def fail(device):
        raise RuntimeError("the driver is too old")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", fail)
    found = examine()
    assert "cuda:0 cannot be used: the driver is too old" in found["devices"]
    assert find_line(found["devices"], "torch: kernels")
    assert any("answers:" in line for line in found["caches"])
    assert not any("wal" in line for line in found["caches"])


def test_versions_and_devices(examine):
    found = examine()
    python = ".".join(map(str, sys.version_info[:3]))
    assert found[""][0].endswith(f", Python {python}")
    assert f"numpy {metadata.version('numpy')}" in found["packages"]
    assert re.fullmatch(r"\d+ cores? for this process", found["devices"][0])
    assert re.fullmatch(r"device='auto' is '(cpu|cuda|mps)'", found["devices"][1])
    matplotlib = f"plot: matplotlib {metadata.version('matplotlib')}"
    assert matplotlib in found["extras"]
    assert not any(line.startswith("test:") for line in found["extras"])


def test_what_is_missing_or_too_old(examine, monkeypatch):
    def version(name, find=metadata.version):
        if name == "matplotlib":
            raise metadata.PackageNotFoundError
        return "1.0" if name == "pandas" else find(name)

    monkeypatch.setattr(_doctor.metadata, "version", version)
    found = examine()
    assert "plot: matplotlib is not installed" in found["extras"]
    assert re.fullmatch(
        r"pandas 1\.0, but >=[\d.]+ is needed", find_line(found["packages"], "pandas")
    )


def test_without_torch(examine, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "torch cannot be imported" in examine()["devices"][-1]


def test_caches_and_their_sizes(examine, tmp_path):
    folder = tmp_path / "of a study"
    assert "nothing there yet" in examine("--cache", str(folder))["caches"][1]
    folder.mkdir()
    for name, size, mode in (("a", 2_500_000, 0o600), ("b", 10_000, 0o644)):
        file = folder / f"{name}.sqlite3"
        file.write_bytes(bytes(size))
        file.chmod(mode)
    (folder / "lock.sqlite3").touch()
    lines = examine("--cache", str(folder))["caches"]
    assert lines[0] == str(folder)
    assert lines[1] == "  a.sqlite3: 2.50 MB"
    others = ", which others on this machine can read" if os.name == "posix" else ""
    assert lines[2] == f"  b.sqlite3: 0.01 MB{others}"
    assert not any("lock" in line for line in lines)


def test_servers_are_asked_without_a_key(examine, monkeypatch):
    """And of keys only the variable is named."""
    names = [server.key_env for server in SERVERS.values() if server.key_env]
    for name in names:
        monkeypatch.setenv(name, KEY)
    with ScriptedServer(make_mind()) as server:
        models = {"data": [{"id": f"model {i}"} for i in range(7)]}
        server.always = lambda: reply(body=models)
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        found = examine()
        assert [request.path for request in server.seen] == ["/v1/models"]
        assert KEY not in str([dict(request.headers) for request in server.seen])
    line = find_line(found["servers of language models on this machine"], "Ollama")
    assert line.endswith("/v1: model 0, model 1, model 2, model 3, model 4 and 2 more")
    assert found["keys of language models"] == [f"set: {', '.join(sorted(names))}"]
    assert KEY not in str(found)


def test_nobody_answers(examine):
    found = examine()
    ollama = find_line(found["servers of language models on this machine"], "Ollama")
    assert ollama == f"Ollama, http://{NOBODY}/v1: nobody answers"
    assert found["keys of language models"] == ["none is set"]
