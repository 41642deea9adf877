"""Texts in, rows of numbers out.

Comes in: texts. Goes out: a float32 frame whose index holds the texts. Open
`_text_embedder` first; an encoder is added in `_make_encoder`.
"""
