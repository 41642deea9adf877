"""One rule for `device`: CUDA, MPS, CPU."""

import pytest
import torch

from sklearn_hypo import SparseAutoencoderTransformer, TextEmbedder
from sklearn_hypo._utils._device import resolve_device


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        (True, True, "cuda"),
        (True, False, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ],
)
def test_auto(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == expected


def test_a_named_device_is_taken_if_it_is_there():
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(ValueError, match=r"device='abacus' cannot be used.*'cpu'"):
        resolve_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match=r"device='cuda:1' cannot be used here"):
            resolve_device("cuda:1")


def test_embedder_and_autoencoder_refuse_what_is_not_there():
    with pytest.raises(ValueError, match="device='abacus' cannot be used here"):
        SparseAutoencoderTransformer(2, 1, device="abacus").fit([[1.0], [2.0]])
    with pytest.raises(ValueError, match="device='abacus' cannot be used here"):
        TextEmbedder("x/y", device="abacus").fit(["a text"])
