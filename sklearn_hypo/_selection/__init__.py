"""Activations and a target in, the neurons that predict it out.

Open `_neuron_selector` first; a method is added in `_scores`.
"""
