"""Chat models in this process: loading them, and computing their next tokens.

What it takes and returns are tokens by their numbers; it knows no prompt.
"""

import inspect
import zlib
from functools import lru_cache

from .._utils._model_files import no_progress_bar
from ..exceptions import LanguageModelError
from ._yes_no import read_word

# A writer and an annotator, if they are not the same.
_MODELS_IN_MEMORY = 2


@lru_cache(maxsize=_MODELS_IN_MEMORY)
def load_chat_model(source, gguf_file, revision, device, dtype):
    """Load a model and its tokenizer once per process."""
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ImportError(
            f"model='transformers:{source}' needs the package transformers, which "
            f"cannot be imported ({error}). Install it with: pip install "
            "'sklearn-hypo[local]'"
        ) from error
    options = {"revision": revision} if revision else {}
    if gguf_file is not None:
        options["gguf_file"] = gguf_file
        dtype = "float32" if dtype == "auto" else dtype
    try:
        with no_progress_bar():
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            model = AutoModelForCausalLM.from_pretrained(source, dtype=dtype, **options)
    except Exception as error:  # readers of so many formats raise anything
        raise LanguageModelError(
            f"model='transformers:{source}' could not be loaded: it is neither a "
            "folder with a chat model nor, as far as could be found out, the name of "
            f"one on the Hugging Face hub. The loader said: {error}",
            reason="model",
        ) from error
    return model.to(device).eval(), tokenizer


def find_word_ids(tokenizer):
    """Return the numbers of the tokens that say yes, and of those that say no."""
    ids = {True: [], False: [], None: []}
    for token, number in tokenizer.get_vocab().items():
        ids[read_word(token)].append(number)
    if not (ids[True] and ids[False]):
        raise LanguageModelError(
            "Neither 'Yes' nor 'No' may be missing among the tokens of a model whose "
            "P(yes) is asked for. Take another model, or layout='single'.",
            reason="model",
        )
    return sorted(ids[True]), sorted(ids[False])


def compute_word_probabilities(model, prompts, yes, no):
    """Compute P(yes) after each prompt, and the probability of yes and no together.

    Returns an array of shape (2, n_prompts).
    """
    import torch

    with torch.inference_mode():
        logits = compute_next_logits(model, prompts).float()
        total = logits.logsumexp(dim=1)
        for_yes, for_no = (logits[:, ids].logsumexp(dim=1) for ids in (yes, no))
        mass = (torch.logaddexp(for_yes, for_no) - total).exp()
        return torch.stack([(for_yes - for_no).sigmoid(), mass]).cpu().numpy()


def compute_next_logits(model, prompts):
    """Return the logits of the token after each prompt (lists of token numbers).

    What all have in common is computed once. The rest is padded at its end: what
    follows a token does not change its logits.
    """
    import torch

    n_shared, cache = 0, None
    if len(prompts) > 1:
        n_shared, cache = _compute_beginning(model, prompts)
    rests = [prompt[n_shared:] for prompt in prompts]
    width = max(map(len, rests))
    padded = [rest + [rest[-1]] * (width - len(rest)) for rest in rests]
    ends = torch.tensor([len(rest) - 1 for rest in rests], device=model.device)
    kept, place = ends.unique(return_inverse=True)
    logits = model(
        input_ids=torch.tensor(padded, device=model.device),
        attention_mask=torch.ones(
            (len(rests), n_shared + width), dtype=torch.long, device=model.device
        ),
        use_cache=cache is not None,
        logits_to_keep=kept,
        **{_name_cache(model): cache},
    ).logits
    return logits[torch.arange(len(rests), device=model.device), place]


def _compute_beginning(model, prompts):
    """Compute what prompts begin with; return its length, and the cache of it.

    Where a cache cannot be shared, as of some recurrent models, it is (0, None).
    """
    import torch

    first, last = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1  # something has to be left to compute
    n_shared = next((i for i in range(most) if first[i] != last[i]), most)
    if n_shared == 0:
        return 0, None
    ids = torch.tensor([first[:n_shared]], device=model.device)
    outputs = model(input_ids=ids, use_cache=True, logits_to_keep=1)
    cache = getattr(outputs, _name_cache(model))
    if not hasattr(cache, "batch_repeat_interleave"):
        return 0, None
    cache.batch_repeat_interleave(len(prompts))
    return n_shared, cache


def _name_cache(model):
    """Return how a model calls its cache: another name came with transformers 5.24."""
    known = inspect.signature(type(model).forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def generate(model, prompt, limit, temperature):
    """Return the tokens that a model answers with; the same for the same prompt."""
    import torch
    from transformers import GenerationConfig

    own = model.generation_config
    sampling = {"do_sample": True, "temperature": temperature} if temperature else {}
    config = GenerationConfig(
        max_new_tokens=limit,
        eos_token_id=own.eos_token_id,
        pad_token_id=own.pad_token_id if own.pad_token_id is not None else 0,
        **sampling,
    )
    ids = torch.tensor([prompt], device=model.device)
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.inference_mode(), torch.random.fork_rng(devices):
        torch.manual_seed(zlib.crc32(repr(prompt).encode()))
        new = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config
        )
    return new[0, len(prompt) :].tolist()
