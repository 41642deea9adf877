"""Studies with language models by the command line alone, against loopback servers."""

import argparse
import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from llm_double import Faults, LLMServer, Mind

from sklearn_hypo import CrossEncoderAnnotator, EmbeddingAnnotator, TextEmbedder
from sklearn_hypo._cli import _language_models as _cli_models
from sklearn_hypo._cli._main import main
from sklearn_hypo.datasets import make_concept_texts

DATA = make_concept_texts(160, n_concepts=2, prevalence=0.3, random_state=0)
PRICE = ("--model-option", "price=[1,2]")
SECRET = "sk-never-to-be-seen-1618033988"

pytestmark = pytest.mark.usefixtures("prepared")


@pytest.fixture
def server():
    with LLMServer(Mind.from_concept_texts(DATA)) as double:
        yield double


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "texts.csv"
    pd.DataFrame({"text": DATA.data, "y": DATA.target}).to_csv(path, index=False)
    return path


@pytest.fixture
def run(path, tmp_path):
    """Run a small study; `output` is its folder."""

    def run(*options, output="out"):
        small = ("--n-neurons", "8", "--k", "2", "--n-select", "3", "--no-style")
        small += ("--embedder", "lsa")
        columns = ("--text", "text", "--target", "y")
        folder = ("--output", str(tmp_path / output))
        return main(["run", str(path), *columns, *small, *options, *folder])

    return run


def ask(server, provider="openai", name="double"):
    """Options that name the double for both roles."""
    model = f"{provider}:{name}"
    url = server.gemini_url if provider == "gemini" else server.openai_url
    return ("--interpreter", model, "--annotator", model, "--base-url", url, *PRICE)


def read_table(folder):
    table = pd.read_csv(folder / "hypotheses.csv")
    return table[[column for column in table if column != "usage"]]


def fails(capsys, code, *expected):
    """Assert that a run ended in one plain message with these parts in it."""
    out, err = capsys.readouterr()
    assert code == 1
    last = err.strip().splitlines()[-1]
    assert last.startswith("sklearn-hypo: error: ")
    assert "Traceback" not in err + out
    for part in expected:
        assert part in last


DIALECTS = {
    "chat": ("openai", ()),
    "responses": ("openai", ("--model-option", "api=responses")),
    "gemini": ("gemini", ()),
}


def test_one_study_in_every_dialect_gives_the_same_labels(server, run, tmp_path):
    routes = {}
    for dialect, (provider, more) in DIALECTS.items():
        server.reset()
        options = (*ask(server, provider), *more, "--max-cost", "5")
        assert run(*options, output=dialect) == 0
        stats = server.stats()
        routes[dialect] = list(stats.routes)
        assert set(stats.asked.values()) <= {1, stats.kinds["interpretation"]}
        assert stats.malformed == stats.unrecognized == 0
    assert len(set(map(str, routes.values()))) == 3  # three different endpoints
    tables = [read_table(tmp_path / dialect) for dialect in DIALECTS]
    assert "expresses thanks" in tables[0]["hypothesis"].tolist()
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_a_local_server_by_its_name_alone(server, run, tmp_path, monkeypatch):
    """No address, no key, no price and no question: the line of the documentation."""
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    model = "ollama:double"
    assert run("--interpreter", model, "--annotator", model) == 0
    assert "expresses thanks" in read_table(tmp_path / "out")["hypothesis"].tolist()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert metrics["language_models"]["cost"] == 0.0


def test_what_was_asked_and_paid_is_recorded(server, run, tmp_path, capsys):
    instructions = tmp_path / "about.txt"
    instructions.write_text("The texts are messages to a shop.\n", "utf-8")
    options = (*ask(server), "--instructions", str(instructions), "--yes")
    assert run(*options) == 0
    out, err = capsys.readouterr()
    assert "in all" in out
    assert "Signal: R²" in out
    assert "go on?" not in err
    written = [call for call in server.calls if call.kind == "interpretation"]
    for call in written:
        assert "The texts are messages to a shop." in str(call.body["messages"])
    metrics, settings = (
        json.loads((tmp_path / "out" / name).read_text("utf-8"))
        for name in ("metrics.json", "settings.json")
    )
    models = metrics["language_models"]
    assert [row["role"] for row in models["usage"]] == ["interpreter", "annotator"]
    assert {row["answered_by"] for row in models["usage"]} == {"double"}
    calls = sum(row["calls"] for row in models["usage"])
    assert calls == server.stats().calls
    assert models["cost"] == pytest.approx(sum(row["cost"] for row in models["usage"]))
    assert calls <= models["estimate"]["total"]["calls"] <= 1.5 * calls
    assert settings["interpreter"] == settings["annotator"] == "openai:double"
    assert settings["base_url"] == server.openai_url
    assert settings["model_options"] == {"price": [1, 2]}
    parameters = settings["strategies"]["interpreter"]["parameters"]
    assert parameters["task_instructions"] == "The texts are messages to a shop."


def test_an_estimate_asks_nobody(server, run, tmp_path, capsys):
    assert run(*ask(server), "--estimate", "--cv", "3") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:6]] == [
        "write statements (openai:double)",
        "score statements (openai:double)",
        "annotate for training (openai:double)",
        "annotate for test (openai:double)",
        "cross-validate, 3 folds",
    ]
    assert "Signal: R²" in out
    assert err == ""
    assert server.stats().calls == 0
    assert not (tmp_path / "out").exists()


def test_the_signal_alone(run, capsys):
    assert run("--estimate") == 0
    out, _ = capsys.readouterr()
    assert out.startswith("Nobody is to be paid.\n\nSignal: R²")


# To go on, or not ------------------------------------------------------------------


class Terminal:
    """Standard input of a person who types a line."""

    def __init__(self, line):
        self.line = line

    def isatty(self):
        return True

    def readline(self):
        return self.line


@pytest.mark.parametrize(
    ("line", "begins"), [("y\n", True), ("\n", False), ("", False)]
)
def test_a_person_is_asked(server, run, capsys, monkeypatch, line, begins):
    monkeypatch.setattr(sys, "stdin", Terminal(line))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code = run(*ask(server))
    assert (code == 0) is begins
    assert (server.stats().calls > 0) is begins
    out, err = capsys.readouterr()
    assert "in all" in out
    assert "sklearn-hypo: go on? [y/N]" in err
    assert ("not begun" in err) is not begins


def test_without_a_terminal_a_cap_or_a_yes_is_needed(server, run, capsys):
    fails(capsys, run(*ask(server)), "--max-cost DOLLARS, or --yes")
    code = run(*ask(server), "--max-cost", "0.01")
    fails(capsys, code, "the estimate, $0.0", "not within --max-cost 0.01", "--yes")
    assert server.stats().calls == 0
    free = ("--model-option", "price=[0,0]")
    assert run(*ask(server), *free) == 0  # about which there is nothing to ask


def test_the_cap_is_one_for_all_models_and_raising_it_goes_on(
    server, run, capsys, tmp_path
):
    options = (*ask(server), "--model-option", "max_output_tokens=60", "--cv", "2")
    code = run(*options, "--max-cost", "0.03", "--yes")
    fails(capsys, code, "max_cost=0.03", "go on")
    stats = server.stats()
    cost = (stats.input_tokens + 2 * stats.output_tokens) / 1e6
    assert 0.02 < cost <= 0.03
    assert run(*options, "--max-cost", "5") == 0
    assert_nothing_was_asked_twice(server)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    stats = server.stats()
    # both runs, folds included
    total = (stats.input_tokens + 2 * stats.output_tokens) / 1e6
    assert metrics["language_models"]["cost"] == pytest.approx(total - cost)


def assert_nothing_was_asked_twice(server):
    cells = {cell: n for cell, n in server.stats().asked.items() if cell[0] is not None}
    assert cells
    assert set(cells.values()) == {1}


# Interrupted -----------------------------------------------------------------------


def test_an_interrupted_run_goes_on(server, run, capsys, monkeypatch, prepared):
    real, n_made = Mind.judge, []

    def judge(mind, statement, text):
        n_made.append(text)
        if len(n_made) == 60:
            import _thread

            _thread.interrupt_main()
        return real(mind, statement, text)

    monkeypatch.setattr(Mind, "judge", judge)
    server.latency = 0.02
    options = (*ask(server), "--model-option", "timeout=5", "--max-cost", "5")
    assert run(*options) == 130
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    last = err.strip().splitlines()[-1]
    assert last == (
        f"sklearn-hypo: interrupted. All answers are kept in {prepared}: run the same "
        "command again to go on, and nothing is paid for twice."
    )
    server.latency = 0.0
    answered = server.stats().answered
    assert len(answered) < 160
    assert run(*options) == 0
    again = [n for cell, n in server.stats().asked.items() if cell in answered]
    assert set(again) <= {1}
    calls = server.stats().calls
    assert run(*options) == 0  # and a third time nothing at all
    assert server.stats().calls == calls


def test_ctrl_c_in_a_process_of_its_own(server, path, tmp_path, prepared):
    """It ends within seconds although every call takes long, and goes on."""
    columns = ("--text", "text", "--target", "y", "--output", str(tmp_path / "out"))
    small = ("--n-neurons", "8", "--k", "2", "--n-select", "2", "--embedder", "lsa")
    command = [sys.executable, "-m", "sklearn_hypo", "run", str(path), *columns, *small]
    command += [*ask(server), "--max-cost", "5"]
    server.latency = 0.3
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while len(server.stats().answered) < 20:
            assert process.poll() is None
            time.sleep(0.05)
        server.latency = 60.0
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("sklearn-hypo: interrupted. All")
    answered = server.stats().answered
    server.latency = 0.0
    assert main(command[3:]) == 0
    again = [n for cell, n in server.stats().asked.items() if cell in answered]
    assert max(again) == 1


def test_progress_tells_the_cost_so_far(server, run, capsys, monkeypatch):
    monkeypatch.setattr("sklearn_hypo._language_models._session._LOG_SECONDS", 0.0)
    assert run(*ask(server), "--max-cost", "5") == 0
    notes = [x for x in capsys.readouterr().err.splitlines() if " calls, $" in x]
    assert notes[0].startswith(
        "sklearn-hypo: LLMAnnotator(model='openai:double'): 1 of"
    )
    assert notes[-1].endswith("$0.03") or notes[-1].endswith("$0.04")
    import logging

    assert logging.getLogger("sklearn_hypo").handlers == []


# Who is asked ----------------------------------------------------------------------


def test_a_key_is_read_from_the_environment_and_never_shown(
    server, run, capsys, monkeypatch, tmp_path
):
    server.api_key = SECRET
    monkeypatch.setenv("KEY_OF_THE_TEST", SECRET)
    options = (*ask(server), "--api-key-env", "KEY_OF_THE_TEST", "--max-cost", "5")
    assert run(*options) == 0
    shown = "".join(capsys.readouterr())
    for file in (tmp_path / "out").iterdir():
        shown += file.read_text("utf-8")
    assert SECRET not in shown
    monkeypatch.setenv("KEY_OF_THE_TEST", "another")
    fails(capsys, run(*options, "--cv", "2"), "the key was not accepted")


def test_a_missing_key_shows_before_anything_is_computed(run, capsys):
    options = ("--interpreter", "openai", "--annotator", "gemini")
    fails(capsys, run(*options), "OPENAI_API_KEY is not set")
    assert run(*options, "--estimate") == 0  # for which none is needed


def test_dictionaries_can_be_judged_by_a_model_and_statements_by_an_embedding(
    server, run, tmp_path
):
    model = ask(server)
    assert run(*model[2:], "--max-cost", "5") == 0  # an annotator alone
    assert server.stats().kinds["interpretation"] == 0
    server.reset()
    interpreter = (*model[:2], "--annotator", "embedding", *model[4:])
    assert run(*interpreter, "--max-cost", "5") == 0
    stats = server.stats()
    assert stats.calls == stats.kinds["interpretation"] == 9
    settings = json.loads((tmp_path / "out" / "settings.json").read_text("utf-8"))
    strategy = settings["strategies"]["annotator"]["class"]
    assert strategy == "sklearn_hypo.EmbeddingAnnotator"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cross-encoder:some/model", CrossEncoderAnnotator("some/model", cache="auto")),
        ("embedding", EmbeddingAnnotator(TextEmbedder("auto", random_state=3))),
        (None, None),
    ],
)
def test_annotators_that_are_free(name, expected):
    options = argparse.Namespace(
        interpreter=None,
        annotator=name,
        embedder="auto",
        pool=None,
        tokenizer="auto",
        cache=None,
        max_cost=None,
        seed=3,
    )
    strategies = _cli_models.Strategies.of(options)
    assert repr(strategies.annotator) == repr(expected)
    assert strategies.budget is None  # nobody is to be paid


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--annotator", "cross-encoder:"], "a name or folder is needed"),
        (["--annotator", "olama:x"], "model='olama:x' names no provider"),
        (["--annotator", "gemini:x", "--model-option", "api=chat"], "no such setting"),
        (["--annotator", "openai:x", "--model-option", "timeout=soon"], "timeout='soo"),
        (["--annotator", "openai:x", "--base-url", "here"], "base_url=...): an"),
        (["--annotator", "openai:x", "--base-url", "http://a/v1", "--max-cost", "1"],
         "--max-cost: the price of openai:x is not known"),
    ],
)  # fmt: skip
def test_models_that_cannot_be_asked(run, capsys, options, message):
    fails(capsys, run(*options), message)


def test_instructions_that_cannot_be_used(server, run, capsys, tmp_path):
    about = tmp_path / "about.txt"
    options = (*ask(server), "--instructions", str(about))
    fails(capsys, run(*options), "No such file")
    about.write_text(" \n")
    fails(capsys, run(*options), "the file is empty")
    about.write_bytes(b"na\xefve")
    fails(capsys, run(*options), "is not in UTF-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--interpreter", "openai"], "--annotator has to name who judges them"),
        (["--max-cost", "5"], "--max-cost is for models"),
        (["--base-url", "http://a"], "--base-url is for models"),
        (["--annotator", "embedding", "--api-key-env", "A"], "--api-key-env is for"),
        (["--annotator", "openai", "--instructions", "a"], "--instructions are for a"),
        (["--max-cost", "0"], "'0' is not an amount above 0"),
        (["--model-option", "timeout"], "'timeout' is not of the form name=value"),
    ],
)
def test_options_that_make_no_sense(run, capsys, options, message):
    with pytest.raises(SystemExit) as stop:
        run(*options)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timeout=600", ("timeout", 600)),
        ("price=[0.1,0.4]", ("price", (0.1, 0.4))),
        ("api=responses", ("api", "responses")),
        ("structured_output=false", ("structured_output", False)),
        ('extra_body={"a": {"b": 1}}', ("extra_body", {"a": {"b": 1}})),
        ("reasoning_effort=a=b", ("reasoning_effort", "a=b")),
    ],
)
def test_settings_are_json_or_words(text, expected):
    assert _cli_models.parse_setting(text) == expected


def test_embeddings_of_a_provider_by_the_command_line(server, run, monkeypatch, capsys):
    """The address comes from the environment, as the SDK reads it."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    embedder = ("--embedder", "openai:text-embedding-3-small")
    assert run(*embedder, "--estimate") == 0
    out, err = capsys.readouterr()
    assert "embed for training (openai:text-embedding-3-small)" in out
    assert "the signal is not tested" in err
    assert not server.stats().embedded
    assert run(*embedder, "--yes") == 0
    assert server.stats().embedded
    assert set(server.stats().embedded.values()) == {1}


def test_failures_are_messages(server, run, capsys):
    server.faults = Faults(rates={"unknown_model": 1.0})
    fails(capsys, run(*ask(server), "--max-cost", "5"), "no such model")
