"""`TransformersModel`: a chat model in this process, through transformers.

P(yes) is read from the logits of the next token: no text is generated. Prompts about
one text have their beginning in common, which is computed once for all of them.
"""

import math
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._utils._device import resolve_device
from .._utils._memory import FittingBatches
from .._utils._model_files import hash_file, hash_folder
from .._utils._warnings import warn
from ..exceptions import LanguageModelError
from ._catalog import Price
from ._model_spec import ModelSpec
from ._next_token import (
    compute_word_probabilities,
    find_word_ids,
    generate,
    load_chat_model,
)
from ._values import ANSWERED, CUT, UNPARSABLE, Reply, Usage
from ._yes_no import LEAST_MASS, build_yes_no_prompt

# Most tokens of an answer in words, unless the model says otherwise.
_ANSWER_TOKENS = 512


@dataclass(frozen=True, repr=False)
class TransformersModel(ModelSpec):
    r"""A chat model that runs in this process, through transformers.

    For a layout of "decisions", the default with such a model, the answer is a
    probability,

    .. math::
        P(\text{yes}) = \frac{\sum_{t \in Y} p(t)}
        {\sum_{t \in Y} p(t) + \sum_{t \in N} p(t)},

    where :math:`p` is the distribution of the next token after the question, and
    :math:`Y` and :math:`N` are the tokens that write "yes" and "no" ("Yes", " yes",
    "YES"). One forward pass per question, no text is generated. Nothing leaves the
    machine, and nothing is downloaded that is already on this disk.

    Parameters
    ----------
    model : str
        Name on the Hugging Face hub, folder, or path of a GGUF file.
    revision : str or None, default=None
        Branch, tag or commit on the hub. None: the default branch.
    gguf_file : str or None, default=None
        Name of a GGUF file in the folder or repository; needs the package gguf.
    device : str, default="auto"
        "auto" is CUDA, else MPS, else the CPU; or a name that torch knows.
    dtype : str, default="auto"
        Of the weights, such as "float32" or "bfloat16". "auto": as they are stored
        (of a GGUF file: packed, computed in float32).
    batch_size : int, default=32
        Questions about one text that are computed at once. Not part of the cache key.
    max_output_tokens : int or None, default=None
        Limit on an answer in words. None: 512.

    See Also
    --------
    OpenAIModel : A model behind a server, such as vLLM, Ollama or llama.cpp.
    LLMAnnotator : What it is used by.

    Notes
    -----
    Models of less than some three billion parameters are hardly better than chance at
    this; compare `EmbeddingAnnotator`, which needs a hundredth of the time. A model
    that thinks is told not to, where its template has the switch `enable_thinking`.
    The digits of a probability depend on the processor and the number of its threads.

    References
    ----------
    Movva, Peng, Garg, Kleinberg and Pierson 2025 (arXiv 2502.04382), for the
    annotation that it stands for.

    Examples
    --------
    >>> from sklearn_hypo import LLMAnnotator, TransformersModel
    >>> TransformersModel("Qwen/Qwen3-8B", dtype="bfloat16")
    TransformersModel('Qwen/Qwen3-8B', dtype='bfloat16')
    >>> annotator = LLMAnnotator("transformers:Qwen/Qwen3-8B")  # the same, in short
    """

    model: str
    revision: str | None = None
    gguf_file: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 32
    max_output_tokens: int | None = None

    provider = "transformers"
    package = "transformers"
    default_models = {
        "annotator": "Qwen/Qwen3-8B",
        "interpreter": "Qwen/Qwen3-8B",
    }
    default_layout = "decisions"
    default_workers = 1
    # What stands in specifications of servers. A forward pass that fails would fail
    # again.
    api_key_env = base_url = requests_per_minute = tokens_per_minute = None
    price = Price(0.0, 0.0, 0.0)
    timeout = math.inf
    max_retries = 0

    def server(self):
        """Return the address, of which there is none.

        Returns
        -------
        address : str
            Empty.
        """
        return ""

    def read_key(self):
        """Return the key, of which there is none.

        Returns
        -------
        key : None
            No key is needed.
        """

    def identity(self):
        """Return all that changes an answer, for the key of the answer cache.

        Returns
        -------
        identity : dict
            Of files on this disk the hash of what is in them, of a model on the hub
            its name and revision.
        """
        source, gguf_file = self._find_source()
        identity = {"provider": self.provider, "dtype": self.dtype}
        if not os.path.isdir(source):
            files = {"gguf_file": gguf_file, "revision": self._find_revision()}
            return identity | {"model": source} | files
        if gguf_file is not None:
            return identity | {"file": hash_file(Path(source) / gguf_file)}
        return identity | {"files": hash_folder(source)}

    def _find_source(self):
        """Return the folder or name that is read, and the GGUF file in it or None."""
        path = Path(self.model)
        if path.suffix.lower() == ".gguf" and path.is_file():
            return str(path.absolute().parent), path.name
        is_folder = path.is_dir()
        return (str(path.absolute()) if is_folder else self.model), self.gguf_file

    def _find_revision(self):
        """Return the commit on this disk, which is downloaded first if need be."""
        from huggingface_hub import try_to_load_from_cache

        wanted = (self.model, self.gguf_file or "config.json")
        found = try_to_load_from_cache(*wanted, revision=self.revision)
        if not isinstance(found, str):
            self._load()
            found = try_to_load_from_cache(*wanted, revision=self.revision)
        return Path(found).parent.name if isinstance(found, str) else self.revision

    def _load(self):
        device = resolve_device(self.device)
        return load_chat_model(*self._find_source(), self.revision, device, self.dtype)

    def _connect(self, n_connections):
        return TransformersConnection(self, *self._load())


class TransformersConnection:
    """A loaded model; see `Connection`.

    In a process one call at a time is computed: each takes all cores, or the device.
    """

    _lock = threading.Lock()

    def __init__(self, spec, model, tokenizer):
        self.spec = spec
        self._model = model
        self._tokenizer = tokenizer
        self._yes, self._no = find_word_ids(tokenizer)
        self._n_answers = self._n_vague = 0
        self._batches = FittingBatches(
            f"model={str(spec)!r} on device={spec.device!r}",
            "questions",
            "Choose device='cpu', dtype='bfloat16', a smaller model or shorter texts.",
            error_type=LanguageModelError,
        )

    def close(self):
        """Warn if most answers would have been something else than yes or no."""
        if 2 * self._n_vague > self._n_answers:
            warn(
                f"model={str(self.spec)!r}: before {self._n_vague} of "
                f"{self._n_answers} answers, yes and no together had a probability "
                f"below {LEAST_MASS:g}, so that P(yes) says little. The model may "
                "think before it answers, or know no instructions: take another."
            )

    def decide(self, questions):
        """Compute P(yes) for every question; see `Connection.decide`."""
        prompts = [
            self._encode(build_yes_no_prompt(questions.text, question))
            for question in questions.questions.values()
        ]
        size = self.spec.batch_size
        with self._lock:
            chunks = []
            for start in range(0, len(prompts), size):
                chunks += self._compute(prompts[start : start + size])
            probabilities, masses = np.hstack(chunks)
            self._n_answers += len(masses)
            self._n_vague += int(np.sum(masses < LEAST_MASS))
        answers = dict(zip(questions.questions, probabilities.tolist(), strict=True))
        usage = Usage(1, sum(map(len, prompts)))
        return Reply(ANSWERED, answers, usage, self.spec.model)

    def _compute(self, prompts):
        """Compute P(yes) of a batch of prompts, in parts if memory is short."""

        def compute(part):
            return compute_word_probabilities(
                self._model, prompts[part], self._yes, self._no
            )

        return self._batches.compute(compute, len(prompts))

    def ask(self, prompt):
        """Generate an answer in words; see `Connection.ask`."""
        ids = self._encode(prompt)
        limit = (
            prompt.max_output_tokens or self.spec.max_output_tokens or _ANSWER_TOKENS
        )
        temperature = prompt.temperature or 0.0
        with self._lock:
            (new,) = self._batches.compute(
                lambda _: generate(self._model, ids, limit, temperature), 1
            )
        usage = Usage(1, len(ids), 0, 0, len(new))
        text = self._tokenizer.decode(new, skip_special_tokens=True)
        if len(new) == limit and new[-1] not in self._tokenizer.all_special_ids:
            detail = "limit on output tokens reached"
            return Reply(CUT, None, usage, self.spec.model, detail)
        if not text.strip():
            return Reply(UNPARSABLE, None, usage, self.spec.model, "empty answer")
        return Reply(ANSWERED, text, usage, self.spec.model)

    def _encode(self, prompt):
        """Return the tokens of a prompt in the model's own template, if it has one."""
        from jinja2 import TemplateError

        if self._tokenizer.chat_template is None:
            text = f"{prompt.system}\n\n{prompt.user}\nAnswer:"
            return self._tokenizer(text)["input_ids"]
        user = {"role": "user", "content": prompt.user}
        try:
            system = {"role": "system", "content": prompt.system}
            return self._apply_template([system, user])
        except TemplateError:  # there is no system role
            user["content"] = f"{prompt.system}\n\n{prompt.user}"
            return self._apply_template([user])

    def _apply_template(self, messages):
        return self._tokenizer.apply_chat_template(
            messages,
            add_generation_prompt=True,
            return_dict=True,
            enable_thinking=False,
            # a text must not end its own turn
            sanitize_control_tokens=True,
        )["input_ids"]
