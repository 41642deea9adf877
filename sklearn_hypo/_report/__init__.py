"""What a test found, as frozen data, and its faces.

Comes in: tables and figures. Goes out: text, page, Markdown, LaTeX, CSV, JSON, an audit
bundle. Open `_report` first; `_columns` says what the columns are and where they show.
"""
