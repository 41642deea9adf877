"""What the parts of the annotation benchmark share: cells, servers, workers, checks."""

import collections
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from _common import DATA_VARIABLE, ROOT
from _parts import Findings, verdict

# The double of a language model is part of the tests, which are no package.
sys.path.insert(0, str(ROOT / "tests" / "support"))
# No proxy of the environment between the clients and the server on this machine.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

from llm_double import Faults, Mind, start_process

from sklearn_hypo import GeminiModel, Hypothesis, LLMAnnotator, OpenAIModel
from sklearn_hypo.datasets import load_tweets, make_concept_texts

VENDORS = ("openai", "gemini")
LAYOUTS = ("single", "stacked", "decisions")

# Statements as interpreters write them, and the words by which the double judges them.
STATEMENTS = {
    "expresses gratitude toward another person": "thanks thank thankful grateful",
    "complains about being tired or lacking sleep": "tired sleepy exhausted sleep",
    "mentions having to go to work or being at work": "work working office job",
    "talks about school, exams or homework": "school exam exams homework class",
    "wishes mothers a happy mother's day": "mother mothers mom mum mommy",
    "describes the weather outside": "rain raining sunny sun weather cold hot",
    "mentions food, a meal or being hungry": "food lunch dinner eat eating breakfast",
    "talks about watching a movie or a television show": "movie movies show tv film",
    "refers to listening to music or to a concert": "music song songs concert album",
    "expresses love or affection": "love loves loved loving",
    "says that somebody or something is missed": "miss missed missing misses",
    "apologizes or expresses sympathy": "sorry apologize apologies",
    "mentions being ill or in physical pain": "sick ill flu headache hurts pain",
    "refers to plans for the weekend": "weekend saturday sunday",
    "contains a link to a website": "http www twitpic com",
    "talks about using twitter or another social network": "twitter tweet myspace",
    "mentions friends or spending time with them": "friend friends girls guys",
    "expresses excitement about something in the future": "excited wait soon tomorrow",
    "complains about boredom or having nothing to do": "bored boring nothing",
    "describes travel, a trip or a vacation": "trip flight travel vacation airport",
}


def mind():
    """Return who answers: it takes a statement for true of texts with its words."""
    return Mind({statement: words.split() for statement, words in STATEMENTS.items()})


def cells(n_texts, n_statements):
    """Return distinct texts and statements of usual length, and what the texts are."""
    if os.environ.get(DATA_VARIABLE):
        texts, what = list(load_tweets().data), "tweets"
    else:
        made = make_concept_texts(2 * n_texts + 100, random_state=0)
        texts, what = list(made.data), "generated texts"
    distinct = [text for text in dict.fromkeys(texts) if text.strip()]
    return distinct[:n_texts], list(STATEMENTS)[:n_statements], what


def truth(texts, statements):
    """Return what the double answers where nothing goes wrong, as lists of 0 and 1."""
    known = mind()
    return [[int(known.judge(s, text)) for s in statements] for text in texts]


# Servers and clients ------------------------------------------------------------------


def server(**settings):
    """Start the double in a process of its own; a context manager."""
    return start_process(mind(), **settings)


MODELS = {
    ("openai", "embedding"): "text-embedding-3-small",
    ("gemini", "decisions"): "gemini-decision-1",
    ("gemini", "embedding"): "gemini-embedding-001",
}
DEFAULTS = {"openai": "gpt-6-luna", "gemini": "gemini-2.5-flash-lite"}


def model(vendor, url, layout="single", **options):
    """Specify a model of a vendor on the server at an address without a path."""
    name = MODELS.get((vendor, layout), DEFAULTS[vendor])
    if vendor == "openai":
        return OpenAIModel(name, base_url=f"{url}/v1", **options)
    return GeminiModel(name, base_url=url, **options)


def annotator(vendor, url, layout, statements, *, options=(), **settings):
    """Return a fitted LLMAnnotator that talks to a server through the vendor's SDK."""
    settings = {"cache": None, "n_workers": 16} | settings
    made = LLMAnnotator(
        model(vendor, url, layout, **dict(options)), layout=layout, **settings
    )
    return made.fit([], [Hypothesis(statement, "neuron") for statement in statements])


# Workers ------------------------------------------------------------------------------


class Worker:
    """A process of `_annotation_worker.py`, which does one job after the other."""

    def __init__(self):
        script = Path(__file__).with_name("_annotation_worker.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self):
        """Wait until everything is imported."""
        self.process.stdout.readline()

    def begin(self, **job):
        """Hand in a job."""
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def result(self):
        """Wait for the result of the job; None if the process died."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def is_done(self):
        """Tell whether the process has ended."""
        return self.process.poll() is not None

    def close(self):
        """End the process, however busy it is."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        self.wait_until_ready()
        return self

    def __exit__(self, *error):
        self.close()


# Checks -------------------------------------------------------------------------------


def compare(values, expected):
    """Count answered, missing and wrong cells; None and NaN are missing."""
    pairs = [
        (value, right)
        for row, rights in zip(values, expected, strict=True)
        for value, right in zip(row, rights, strict=True)
    ]
    answered = [(v, r) for v, r in pairs if v is not None and v == v]
    return {
        "answered": len(answered),
        "missing": len(pairs) - len(answered),
        "wrong": sum(value != right for value, right in answered),
    }


def answered_again(stats):
    """Count answers that the server sent whole and had sent whole before."""
    return sum(n - 1 for n in stats.answered.values())


def asked_again(stats):
    """Count questions beyond the first time that each was asked."""
    return sum(n - 1 for n in stats.asked.values())


def stored_answers(folder):
    """Count the answers in a cache folder, without taking part in its locking."""
    path = Path(folder, "answers.sqlite3")
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # the table is being made


def dollars(price, stats, layout):
    """Return what a server's counts cost, answers that got lost included."""
    output = stats.output_tokens + stats.lost_output_tokens
    sent = stats.input_tokens + stats.lost_input_tokens
    # the price of an answer of Decisions is nothing
    output = 0 if layout == "decisions" else output
    return price.cost(sent, stats.cached_tokens, output)


def in_thousands(n):
    return f"{n:,}"


def shorten(message, length=200):
    """Return a message on one line."""
    line = " ".join(str(message).split())
    return line if len(line) <= length else line[: length - 3] + "..."


# Results ------------------------------------------------------------------------------


@dataclass
class Result(Findings):
    """Findings, with the columns of this benchmark's table."""

    def figure(self, name, aim, met, openai, gemini="-", hypothesaes="-"):
        """Add a row to the table of aims; `met` is None where there is no aim."""
        row = {"figure": name, "aim": aim, "OpenAI": openai, "Gemini": gemini}
        row |= {"hypothesaes 2.0.1": hypothesaes, "met": verdict(met)}
        self.figures.append({key: str(value) for key, value in row.items()})


def outcomes(errors):
    """Count the reasons in `annotation_errors_`, in words."""
    counts = collections.Counter(errors["outcome"])
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "-"


__all__ = [
    "LAYOUTS",
    "STATEMENTS",
    "VENDORS",
    "Faults",
    "Mind",
    "Result",
    "Worker",
    "annotator",
    "answered_again",
    "asked_again",
    "cells",
    "compare",
    "dollars",
    "in_thousands",
    "mind",
    "model",
    "outcomes",
    "server",
    "shorten",
    "start_process",
    "stored_answers",
    "truth",
]
