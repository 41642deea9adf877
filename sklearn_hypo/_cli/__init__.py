"""The command line: `sklearn-hypo run`, `demo`, `doctor`, `completion`.

Comes in: arguments and a file. Goes out: a table on the terminal and files in a folder.
Open `_main` first.
"""
