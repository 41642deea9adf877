"""Servers as they are, and what annotation at default settings makes of them.

    python benchmarks/servers.py            # three minutes; writes the page of docs/
    python benchmarks/servers.py --quick    # a few servers, no page

Offline: the real client talks to a double of a language model in this process, which
behaves as servers were found to. Needs no data.
"""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import threading
import time
import warnings

from _common import ROOT, markdown_table, pin_threads, write_table
from _parts import verdict

pin_threads(1)
sys.path.insert(0, str(ROOT / "tests" / "support"))

import numpy as np
from llm_cases import annotator_for, make_mind, make_texts, statements, truth
from llm_scripted import ScriptedServer, chat, reply

from sklearn_hypo import OpenAIModel
from sklearn_hypo._language_models._adaptation import forget_left_out
from sklearn_hypo.exceptions import HypothesisWarning, LanguageModelError

ASKED = statements(2)
N_TEXTS = 24
ALL, STOPS = "all cells", "stops"


def error(status, message, **more):
    """Return a reply with an error in OpenAI's form."""
    return reply(status, {"error": {"message": message, **more}})


def rewrite(change):
    """Return what has the text of every answer changed."""

    def interfere(n, request, answer):
        given = answer(request)
        body = json.loads(given.body)
        if "choices" in body:
            message = body["choices"][0]["message"]
            message["content"] = change(json.loads(message["content"]))
            given.body = json.dumps(body).encode()
        return given

    return interfere


def every_third(make):
    """Return what has every third request fail."""
    return lambda n, request, answer: answer(request) if n % 3 else make()


def always(make):
    """Return what has every request fail."""
    return lambda n, request, answer: make()


def inside_200(code, message):
    return reply(200, {"error": {"code": code, "message": message}})


def thinks(n, request, answer):
    body = chat(None, "length", reasoning="The user wants me to decide whether ...")
    return reply(200, body)


def not_a_schema(n, request, answer):
    if "response_format" not in request.data:
        return answer(request)
    detail = (
        "1 validation error: {'type': 'literal_error', 'loc': ('body', "
        "'response_format', 'type'), 'msg': \"Input should be 'text' or "
        "'json_object'\", 'input': 'json_schema'}"
    )
    return error(500, detail)


def json_not_valid(n, request, answer):
    if n % 3:
        return answer(request)
    return error(
        400,
        "Failed to generate JSON. Please adjust your prompt.",
        code="json_validate_failed",
        failed_generation="I would say: yes to the first",
    )


def small_context(n, request, answer):
    words = sum(len(m["content"].split()) for m in request.data["messages"])
    if words < 320:
        return answer(request)
    return error(
        400,
        f"This model's maximum context length is 512 tokens, and your request has "
        f"{2 * words} tokens.",
        code="context_length_exceeded",
    )


def filtered(n, request, answer):
    if "13 " not in request.data["messages"][-1]["content"]:
        return answer(request)
    return error(400, "The response was filtered.", code="content_filter")


def revoked(n, request, answer):
    return answer(request) if n < 10 else error(403, "This key was revoked.")


def as_list(answers):
    return json.dumps([{"id": k, "answer": v} for k, v in answers.items()])


def in_capitals(answers):
    return json.dumps({k: "YES" if v else "NO" for k, v in answers.items()})


def in_french(answers):
    return json.dumps({k: "oui" if v else "non" for k, v in answers.items()})


# What the server does, what is wanted, at most so many calls, and how it is done:
# settings of the double or a function, and settings of the model.
BEHAVIOURS = [
    ("answers at once", ALL, 24, {}, {}),
    (
        "answers one after the other, 2 s each", ALL, 36,
        {"serial": True, "latency": 2}, {},
    ),
    (
        "takes no JSON schema (400)", ALL, 25,
        {"reject_parameters": ("response_format",)}, {},
    ),
    ("takes no JSON schema (500, llama-cpp-python)", ALL, 25, not_a_schema, {}),
    (
        "the same, structured_output=True", STOPS, 2,
        not_a_schema, {"structured_output": True},
    ),
    (
        "takes no max_completion_tokens", ALL, 25,
        {"reject_parameters": ("max_completion_tokens",)}, {"max_output_tokens": 200},
    ),
    (
        "takes no temperature, which the user set", STOPS, 2,
        {"reject_parameters": ("temperature",)}, {"temperature": 0.5},
    ),
    ("has no system role", ALL, 25, {"system_role": False}, {}),
    ("thinks until the limit, without an answer", STOPS, 20, thinks, {}),
    (
        "every third reply: error 429 inside HTTP 200", ALL, 48,
        every_third(lambda: inside_200(429, "slow down")), {},
    ),
    (
        "credit spent: error 402 inside HTTP 200", STOPS, 4,
        always(lambda: inside_200(402, "no credit")), {},
    ),
    ("every third reply: json_validate_failed", ALL, 48, json_not_valid, {}),
    ("answers by a list of id and answer", ALL, 24, rewrite(as_list), {}),
    ("answers YES and NO", ALL, 24, rewrite(in_capitals), {}),
    ("answers oui and non", ALL, 24, rewrite(in_french), {}),
    ("answers in prose", STOPS, 30, rewrite(lambda a: "It rather depends."), {}),
    (
        "no such path (404)", STOPS, 2,
        always(lambda: reply(404, {"detail": "Not Found"})), {},
    ),
    ("no such model (404)", STOPS, 2, {"models": ["another"]}, {}),
    ("context of 512 tokens, one text of 400 words", ALL, 30, small_context, {}),
    ("a filter stops 1 of 24 texts", "23 of 24 texts", 30, filtered, {}),
    ("the key is revoked after ten calls", STOPS, 30, revoked, {}),
    ("HTTP 500 always", STOPS, 80, always(lambda: error(500, "internal error")), {}),
    (
        "a page of HTML", STOPS, 80,
        always(lambda: reply(200, b"<html>please log in</html>")), {},
    ),
]  # fmt: skip


@contextlib.contextmanager
def serve(behaviour):
    """Start a server of a behaviour."""
    settings = behaviour if isinstance(behaviour, dict) else {}
    with ScriptedServer(make_mind(), **settings) as server:
        if callable(behaviour):
            answer, count = server.service.handle, iter(range(10**9))
            server.service.handle = lambda request: behaviour(
                next(count), request, lambda _: answer(request)
            )
            seen = server.seen

            def handle(request, inner=server.service.handle):
                request.data = json.loads(request.body or b"null")
                n_before = len(seen)
                given = inner(request)
                if len(seen) == n_before:  # answered by the behaviour alone
                    seen.append(request)
                return given

            server.service.handle = handle
        yield server


def make_all_texts(name):
    texts = make_texts(N_TEXTS)
    if "context" in name:
        texts[0] += " and so on" * 130
    return texts


def try_out(name, wanted, most, behaviour, settings):
    """Return a row of the table."""
    texts = make_all_texts(name)
    expected = truth(texts, ASKED)
    forget_left_out()
    with serve(behaviour) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        model = OpenAIModel("double", base_url=server.openai_url, **settings)
        annotator, message = annotator_for(model, ASKED), ""
        start = time.perf_counter()
        try:
            labels = annotator.annotate(texts)
        except LanguageModelError as stop:
            message, labels = str(stop), np.full(expected.shape, np.nan)
        seconds = time.perf_counter() - start
        n_calls = len(server.seen)
    n_right = int((labels == expected).sum())
    n_wrong = int((~np.isnan(labels)).sum()) - n_right
    outcome = {ALL: n_right == expected.size, STOPS: bool(message)}
    met = outcome.get(wanted, n_right >= expected.size - 2 and not message)
    shown = f"{n_right} of {expected.size} cells"
    return {
        "the server": name,
        "wanted": wanted,
        "calls, at most": most,
        "calls": n_calls,
        "result": f"{shown}, {n_wrong} wrong" if n_wrong else shown,
        "says": shorten_message(message),
        "s": seconds,
        "met": verdict(met and n_calls <= most and not n_wrong),
    }


def shorten_message(message, n=160):
    """Return what a message says behind the name of the model."""
    told = message.partition("): ")[2] or message
    told = " ".join(told.split()).replace("|", "/")
    return told if len(told) <= n else told[: n - 1] + "…"


def measure_limits():
    """60 calls to a server that allows five requests a second."""
    rows = []
    for hints in (True, False):
        texts = make_texts(60)
        behaviour = {"requests_per_second": 5, "hints": hints, "latency": 0.3}
        with serve(behaviour) as server:
            annotator = annotator_for(
                OpenAIModel("double", base_url=server.openai_url), ASKED
            )
            start = time.perf_counter()
            right = (annotator.annotate(texts) == truth(texts, ASKED)).all()
            seconds = time.perf_counter() - start
            statuses = server.stats().statuses
        n_refused = statuses[429]
        rows.append(
            {
                "Retry-After": "sent" if hints else "not sent",
                "s": seconds,
                "calls": sum(statuses.values()),
                "refused": n_refused,
                "met": verdict(
                    bool(right)
                    and seconds <= 17
                    and n_refused <= 0.1 * sum(statuses.values())
                ),
            }
        )
    return rows


def measure_interruption():
    """Ctrl-C while a server hangs: seconds until it has ended, and what is kept."""
    texts, folder = make_texts(N_TEXTS), tempfile.mkdtemp()
    hangs_since = threading.Event()

    def hang(n, request, answer):
        given = answer(request)
        if n >= 10:
            given.delay = 30.0
            hangs_since.set()
        return given

    def interrupt():
        hangs_since.wait()
        time.sleep(0.5)
        pressed.append(time.perf_counter())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    pressed = []
    with serve(hang) as server:
        model = OpenAIModel("double", base_url=server.openai_url)
        threading.Thread(target=interrupt, daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            annotator_for(model, ASKED, cache=folder).annotate(texts)
        seconds = time.perf_counter() - pressed[0]
        again = annotator_for(model, ASKED, cache=folder)
        kept = N_TEXTS - again.estimate_cost(texts).calls
    return {
        "from Ctrl-C to the end, s": seconds,
        "calls answered": 10,
        "of these kept": kept,
        "met": verdict(seconds <= 2 and kept == 10),
    }


NOTES = """
Every server is asked by `LLMAnnotator` at default settings about {n} texts and two
statements, in one call for each text. "Calls" are those that the server saw. "Stops"
means that the run ends with the error that is shown, before more is asked; what was
answered by then is kept. The ideal time for 60 calls at five a second, five of them at
once, is 11 s.
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few servers, no page")
    quick = parser.parse_args().quick
    chosen = [b for b in BEHAVIOURS if not (quick and "2 s" in b[0])]
    rows = []
    for each in chosen[:6] if quick else chosen:
        rows.append(try_out(*each))
        print(rows[-1], flush=True)
    if quick:
        return
    tables = [
        markdown_table(rows),
        "## 60 calls to a server that allows five a second",
        markdown_table(measure_limits()),
        "## Ctrl-C while the server hangs",
        markdown_table([measure_interruption()]),
    ]
    write_table(
        "servers",
        "Servers as they are",
        "python benchmarks/servers.py",
        "\n\n".join(tables),
        NOTES.format(n=N_TEXTS),
    )


if __name__ == "__main__":
    main()
