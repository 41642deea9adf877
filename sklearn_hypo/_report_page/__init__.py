"""A report as one self-contained page: no network, no other file, no template engine.

All text passes `_markup.element`, which escapes whatever is not markup already.
"""

from ._page import report_page, write_page

__all__ = ["report_page", "write_page"]
