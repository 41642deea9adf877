"""What `import sklearn_hypo` may not do."""

import json
import subprocess
import sys

HEAVY = (
    "torch",
    "sentence_transformers",
    "openai",
    "google.genai",
    "transformers",
    "matplotlib",
)
SCRIPT = """
import json, sys
import sklearn_hypo
from sklearn.base import clone
for name in sklearn_hypo.__all__:
    getattr(sklearn_hypo, name)
imported = list(sys.modules)
sae = clone(sklearn_hypo.SparseAutoencoderTransformer(64, 4))
repr(sae), sae._repr_html_(), dir(sae)
print(json.dumps([imported, list(sys.modules)]))
"""


def test_import_and_making_an_estimator_leave_heavy_packages_alone():
    """In a process of its own; and importing warns of nothing."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    imported, with_an_estimator = json.loads(result.stdout)
    assert "sklearn_hypo" in imported
    assert not set(HEAVY) & set(imported)
    assert "torch" not in with_an_estimator
