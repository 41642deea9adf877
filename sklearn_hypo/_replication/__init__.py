"""Whether another seed or another part of the texts finds the same hypotheses.

Comes in: a fitted pipeline, and texts. Goes out: a `ReplicationReport`. Open
`_replicate` first.
"""
