"""The language-model core: what is asked, of whom, at what price.

It knows no estimator.
"""
