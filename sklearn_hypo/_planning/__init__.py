"""Before a study: what it will cost, and whether there is anything to find.

Comes in: an unfitted pipeline, texts and a target. Goes out: calls, tokens, money and
hours of every stage, and a test of the embeddings. Nothing is asked.
Open `_estimate_study` first.
"""
