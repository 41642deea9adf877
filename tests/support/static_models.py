"""Small models of the package model2vec, made on the spot."""

import numpy as np


def make_static_model(folder, words, n_features=8):
    """Write a model that knows some words; return its name, and their vectors."""
    import model2vec
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[PAD]", "[UNK]", *words]
    known = models.WordLevel(dict(zip(words, range(len(words)), strict=True)), "[UNK]")
    tokenizer = Tokenizer(known)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.RandomState(0).normal(size=(len(words), n_features))
    vectors = vectors.astype(np.float32)
    model = model2vec.StaticModel(vectors, tokenizer, config={})
    model.save_pretrained(str(folder))
    return f"model2vec:{folder}", dict(zip(words, vectors, strict=True))
