"""Serve from the command line: ``python -m llm_double --port 0 --mind mind.json``."""

from ._process import main

main()
