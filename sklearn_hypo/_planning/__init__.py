"""What a study takes: before it calls and money, after a first one texts and labels.

Comes in: an unfitted pipeline, texts and a target. Goes out: calls, tokens, money and
hours of every stage, and a test of the embeddings; nothing is asked. Or a report comes
in, and out goes how many texts, groups, labels and annotators a further study takes.
Open `_estimate_study` first, `_plan_study` for the second.
"""
