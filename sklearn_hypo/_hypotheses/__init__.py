"""The values that the whole package is about, and the protocols that make them.

`_hypothesis` holds the value, `_protocols` what an interpreter and an annotator have to
offer, `_fidelity` how well words agree with a neuron. Open `_hypothesis` first.
"""
