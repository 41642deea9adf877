"""What the tests of annotation by a language model have in common.

Texts with planted words, statements about them, the models of both vendors behind
the wire formats of `llm_double`, and the tables that must come out.
"""

import os
import random

import numpy as np
from llm_double import Mind

from sklearn_hypo import GeminiModel, Hypothesis, LLMAnnotator, OpenAIModel

WORDS = [
    *("pizza", "rain", "guitar", "horse", "train", "sister", "doctor", "winter"),
    *("coffee", "window", "football", "school", "garden", "letter", "hammer"),
    *("island", "candle", "mirror", "pepper", "rocket"),
]
FILLER = [
    *("we", "saw", "it", "there", "and", "then", "they", "went", "on", "with"),
    *("what", "was", "said", "before"),
]
MODELS = ("chat", "responses", "gemini")
LAYOUTS = ("single", "stacked", "decisions")
# every wire format with every layout that it has
FORMATS = [(model, layout) for model in MODELS for layout in LAYOUTS]
FORMATS.remove(("responses", "decisions"))
# one wire format of each vendor: for what does not depend on how a body is written
VENDORS = ("chat", "gemini")
VENDOR_FORMATS = [(vendor, layout) for vendor in VENDORS for layout in LAYOUTS]


def statements(n):
    return [f"mentions {word}" for word in WORDS[:n]]


def make_mind():
    return Mind({f"mentions {word}": [word] for word in WORDS})


def make_texts(n, seed=0):
    """Return distinct texts, each with about a quarter of the words."""
    draw = random.Random(seed)
    texts = []
    for number in range(n):
        planted = [word for word in WORDS if draw.random() < 0.25]
        text = draw.sample(FILLER, 6) + planted
        draw.shuffle(text)
        texts.append(f"{number} {' '.join(text)}")
    return texts


def truth(texts, asked):
    mind = make_mind()
    return np.array([[mind.judge(s, text) for s in asked] for text in texts], float)


def model_at(kind, server, name="double", **settings):
    """Return the specification of a model on a server."""
    if kind == "gemini":
        return GeminiModel(name, base_url=server.gemini_url, **settings)
    api = "responses" if kind == "responses" else "chat"
    return OpenAIModel(name, base_url=server.openai_url, api=api, **settings)


def hypotheses(asked):
    return [Hypothesis(statement, f"neuron{j}") for j, statement in enumerate(asked)]


def annotator_for(model, asked, **settings):
    settings = {"cache": None, **settings}
    return LLMAnnotator(model, **settings).fit([], hypotheses(asked))


def prepare(patch, folder):
    """Make waits short, and keep proxies, vendors and the user's cache out of it."""
    patch.setattr("sklearn_hypo._language_models._concurrency._FIRST_WAIT", 0.01)
    patch.setenv("NO_PROXY", "127.0.0.1")
    patch.setenv("SKLEARN_HYPO_CACHE", str(folder))
    for name in ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE"):
        patch.delenv(name, raising=False)


def annotate_in_child(url, folder, texts, asked, layout, pipe=None):
    """Annotate in a process of its own, whose parent listens at a pipe."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    model = OpenAIModel("double", base_url=url)
    annotator = annotator_for(model, asked, layout=layout, cache=folder)
    if pipe is not None:
        pipe.send("ready")
        pipe.recv()
    try:
        labels = annotator.annotate(texts)
    except KeyboardInterrupt:
        pipe.send(("interrupted", annotator.usage_))
        return
    if pipe is not None:
        pipe.send((labels, annotator.usage_))
