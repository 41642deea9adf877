"""Texts of which the tests of embeddings know everything."""

TEXTS = [
    "so sad today :(",
    "I am so sad",
    "what a happy day!",
    "happy happy days!!",
    "the train was late",
    "the trains are late again",
]
