"""An encoder that writes down what it encodes, and processes that embed with it."""

import json
import time

from sklearn_hypo import TextEmbedder


def encode(texts, seen):
    """Return three columns; append the texts to the file of what was seen."""
    with open(seen, "a") as file:
        file.write("".join(json.dumps(text) + "\n" for text in texts))
    time.sleep(0.02)  # others get their turn
    return [[1.0 + t.count(" a"), 1.0 + t.count("3"), len(t)] for t in texts]


def embed(pipe, model, folder, texts):
    """Say that it begins, wait for an answer, embed."""
    embedder = TextEmbedder(model, cache=folder, batch_size=4)
    pipe.send("ready")
    pipe.recv()
    embedder.fit_transform(texts)


class Keyed:
    """The encoder with a key for the cache; never comes back with one of the texts."""

    cache_key = "killed"

    def __init__(self, seen, last=None, pipe=None):
        self.seen, self.last, self.pipe = seen, last, pipe

    def __call__(self, texts):
        values = encode(texts, self.seen)
        if self.last in texts:
            self.pipe.send("stalls")
            time.sleep(600)
        return values


def embed_and_stall(pipe, seen, folder, texts):
    """Embed, but for the last text."""
    model = Keyed(seen, texts[-1], pipe)
    TextEmbedder(model, cache=folder, batch_size=4).fit_transform(texts)
