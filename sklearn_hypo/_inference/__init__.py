"""The statistics: annotations, a target and a design in, estimates and p-values out.

Functions on arrays; none knows an estimator or a report. Comes in: a matrix of 1, 0 and
NaN, a coded target, a `Design` (weights, clusters, covariates, levels, pairs). Goes
out: a table of estimates. Open `_tests` first.
"""
