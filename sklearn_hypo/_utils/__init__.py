"""The ground: what has nothing to do with hypotheses, and imports no other room.

Open `_validation` first; `_frames` tells how a row keeps its text.
"""
