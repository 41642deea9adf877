"""One of two processes that train one autoencoder together."""

import numpy as np

from sklearn_hypo import SparseAutoencoderTransformer


def train_as(rank, folder):
    """Train on every other row, and save what was learnt."""
    import torch.distributed as dist

    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    X = np.load(folder / "X.npy")[rank::2]
    for sparsity in ("topk", "batch_topk"):
        # batch by batch, the halves of the batches of one process
        start = SparseAutoencoderTransformer.load(folder / f"{sparsity}.npz")
        start.set_params(batch_size=32).partial_fit(X)
        start.save(folder / f"{sparsity}-online{rank}.npz")
        whole = SparseAutoencoderTransformer(
            16,
            3,
            sparsity=sparsity,
            max_epochs=5,
            batch_size=300,
            validation_fraction=None,
            random_state=0,
        ).fit(X)
        whole.save(folder / f"{sparsity}-whole{rank}.npz")
        whole.set_params(n_fits=2).fit(X).save(folder / f"{sparsity}-pool{rank}.npz")
    dist.destroy_process_group()
