"""Cross-encoders of a few dimensions, made on the spot, with random weights."""

import numpy as np

WORDS = ["tea", "rain", "snow", "art", "party", "thanks", "sad", "go", "about"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "text", ".", *WORDS]

# not in the usual order: the label is found by its name
NLI = ("neutral", "ENTAILMENT", "contradiction")


def make_cross_encoder(folder, labels=("relevance",), *, seed=0, **sizes):
    """Write a model with one output per label, and its tokenizer, to a folder."""
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertTokenizerFast,
    )

    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    given = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 64,
    }
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        id2label=dict(enumerate(labels)),
        label2id={name: i for i, name in enumerate(labels)},
        initializer_range=0.5,  # so that scores differ
        **given | sizes,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def compute_outputs(folder, pairs, max_length=64):
    """Compute what the model makes of each pair, by transformers alone."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    rows = []
    for first, second in pairs:
        given = tokenizer(
            first, second, truncation=True, max_length=max_length, return_tensors="pt"
        )
        with torch.inference_mode():
            rows.append(model(**given).logits[0].double().numpy())
    return np.array(rows)
