"""Activations and a target in, the neurons that predict it out.

Comes in: a frame of activations, and y. Goes out: its columns that were selected. Open
`_neuron_selector` first; `_scores` computes what a method selects by.
"""
