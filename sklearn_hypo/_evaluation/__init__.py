"""The faces of the test: hypotheses or annotations in, a report out.

Comes in: a fitted pipeline and held-out texts, or annotations at hand, with a target.
Goes out: a `HypothesisReport`. Open `_hypotheses` first; `_build_report` joins the
statistics of `_inference` to the faces of `_report`.
"""
