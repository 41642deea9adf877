"""Texts and their targets as they come in files.

Comes in: a file of any usual format, and the names of its columns. Goes out: texts,
their target and their design, and what was left out to get them. Open
`_labelled_texts` first.
"""
