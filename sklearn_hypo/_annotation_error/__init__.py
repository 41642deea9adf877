"""Estimates corrected for what the annotator gets wrong, from a few human labels.

Comes in: a report, and labels that people gave to a random sample of its texts. Goes
out: the table of estimates, corrected. Open `_correction` first; `_labelling_sheet`
makes the sheet that people fill in.
"""
