"""What `import sklearn_hypo` may not do."""

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


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )


def test_import_leaves_heavy_packages_alone():
    code = (
        "import sys, sklearn_hypo\n"
        "for name in sklearn_hypo.__all__:\n"
        "    getattr(sklearn_hypo, name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_making_and_showing_an_estimator_does_not_import_torch():
    code = (
        "import sys\n"
        "from sklearn.base import clone\n"
        "from sklearn_hypo import SparseAutoencoderTransformer\n"
        "sae = clone(SparseAutoencoderTransformer(64, 4))\n"
        "repr(sae), sae._repr_html_(), dir(sae)\n"
        "print('torch' in sys.modules)"
    )
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "False"
