"""Activations of selected neurons in, hypotheses and predictions out.

Comes in: a frame of activations, and y. Goes out: hypotheses in words, annotations,
predictions. Open `_extractor` first.
"""
