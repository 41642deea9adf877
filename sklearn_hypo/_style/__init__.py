"""What embeddings do not see: plain measures of how a text is written.

Comes in: texts. Goes out: a frame with one column per measure, or marks of the texts
that measure more than a threshold. Open `_measures` first.
"""
