r"""Embeddings in, sparse activations of neurons out.

Comes in: a float32 frame of embeddings, and y for the supervised one. Goes out: a frame
of activations. Open `_sparse` first, `_training` for the loop. With decoder rows
:math:`D_j` of unit length, encoder rows :math:`E_j`, neuron intercepts :math:`c_j` and
an input offset :math:`b`,

.. math:: z = E (x - b) + c, \quad a = S_k(z), \quad \hat x = b + a D

where :math:`S_k` keeps the largest positive pre-activations: k of each row (Top-K) or
k per row on average over a batch (Batch Top-K).
"""
