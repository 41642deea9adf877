"""What users do to texts before a fit and to annotations after it.

Comes in: pairs, contests, long documents, several groupings. Goes out: one text per
row, and the ids that tie rows together. Open `_documents` or `_pairs` first.
"""
