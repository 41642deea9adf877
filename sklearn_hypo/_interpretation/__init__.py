"""Neurons in, words out.

Comes in: texts and activations. Goes out: one `Interpretation` per neuron: its
hypothesis, its fidelity, the candidates that were tried. Open `_lexicon` first.
"""
