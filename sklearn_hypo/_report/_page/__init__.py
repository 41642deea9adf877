"""A report as one self-contained page: no network, no other file.

Open `_page` first.
"""
