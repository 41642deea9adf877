"""The ground: what has nothing to do with hypotheses.

Imports no other room.
"""
