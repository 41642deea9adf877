"""What tests and the examples of the documents rely on: a cache folder of their own."""

import importlib.util
import os
import shutil
import tempfile

import pytest

_IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ

# One for the whole session, which workers inherit, so that what examples share, such as
# the embeddings of an English vocabulary, is computed once; never that of the user.
if not _IS_WORKER:
    os.environ["SKLEARN_HYPO_CACHE"] = tempfile.mkdtemp(prefix="sklearn-hypo-tests-")

# its examples need the extra "dask"
collect_ignore = [] if importlib.util.find_spec("distributed") else ["docs/scale.md"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure():
    """Remove it."""
    if not _IS_WORKER:
        shutil.rmtree(os.environ["SKLEARN_HYPO_CACHE"], ignore_errors=True)
