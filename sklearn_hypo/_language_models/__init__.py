"""Prompts in, answers out: whatever the provider, paid once, kept on disk.

It knows no estimator. Comes in: prompts, or cells of texts and statements. Goes out:
answers and an account of what they cost. Open `_models` first (who is asked), then
`_dispatch` (how).
"""
