"""Language models on the command line: who is asked, at what price, and whether."""

import json
import logging
import math
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

from .._annotation._cross_encoder import CrossEncoderAnnotator
from .._annotation._embedding import EmbeddingAnnotator
from .._annotation._language_model import LLMAnnotator
from .._embedding._text_embedder import TextEmbedder
from .._interpretation._language_model import LLMInterpreter
from .._language_models._ledger import Budget
from .._language_models._models import as_model
from .._language_models._usage_table import make_usage_table
from .._planning._estimate_study import estimate_study
from .._utils._cache_folder import resolve_cache_folder
from .._utils._printable import quote_value
from ..exceptions import InputError

# Annotators that run on this machine and cost nothing.
EMBEDDING = "embedding"
CROSS_ENCODER = "cross-encoder:"

_YES = ("y", "yes")


@dataclass(frozen=True)
class Strategies:
    """Who puts neurons into words and who annotates, as the options name them.

    Parameters
    ----------
    interpreter, annotator : estimators or None
        None: dictionaries.
    budget : Budget or None
        Of all models together. None: nobody is asked.
    """

    interpreter: object = None
    annotator: object = None
    budget: Budget | None = None

    @classmethod
    def of(cls, options):
        """Make them, and check whatever can be checked before the work begins."""
        cache = options.cache or "auto"
        budget = Budget(options.max_cost)
        interpreter = annotator = None
        if options.interpreter:
            interpreter = LLMInterpreter(
                _make_model(options.interpreter, "interpreter", options),
                task_instructions=_read_instructions(options.instructions),
                max_cost=budget,
                cache=cache,
            )
        if is_free_annotator(options.annotator):
            annotator = _make_free_annotator(options, cache)
        elif options.annotator:
            annotator = LLMAnnotator(
                _make_model(options.annotator, "annotator", options),
                max_cost=budget,
                cache=cache,
            )
        is_paid = options.annotator and not is_free_annotator(options.annotator)
        return cls(interpreter, annotator, budget if interpreter or is_paid else None)


def is_free_annotator(name):
    """Tell whether --annotator names one that runs on this machine."""
    return name is not None and (name == EMBEDDING or name.startswith(CROSS_ENCODER))


def _make_free_annotator(options, cache):
    if options.annotator == EMBEDDING:
        embedder = TextEmbedder(
            options.embedder,
            pool=options.pool,
            tokenizer=options.tokenizer,
            cache=cache,
            random_state=options.seed,
        )
        return EmbeddingAnnotator(embedder)
    name = options.annotator.removeprefix(CROSS_ENCODER)
    if not name:
        raise InputError(
            f"--annotator {CROSS_ENCODER}NAME: a name or folder is needed."
        )
    return CrossEncoderAnnotator(name, cache=cache)


def _make_model(name, role, options):
    """Return the model that an option names, at the address that others give."""
    model = as_model(name, role)
    settings = dict(options.model_option or ())
    settings |= {"base_url": options.base_url} if options.base_url else {}
    settings |= {"api_key_env": options.api_key_env} if options.api_key_env else {}
    known = {field.name for field in fields(model)} - {"model"}
    unknown = [setting for setting in settings if setting not in known]
    if unknown:
        raise InputError(
            f"--model-option {unknown[0]}: {type(model).__name__}, of "
            f"{quote_value(name)}, has no such setting. It has: "
            f"{', '.join(sorted(known))}."
        )
    model = replace(model, **settings)
    if not options.estimate:
        model.read_key()
    if options.max_cost is not None and model.price_per_million() is None:
        raise InputError(
            f"--max-cost: the price of {model} is not known. Give it, in dollars per "
            "million tokens: --model-option price=[INPUT,OUTPUT]."
        )
    return model


def parse_setting(text):
    """Parse "timeout=600" into a name and a value: JSON, or else a string."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(text)
    with suppress(json.JSONDecodeError):
        value = json.loads(value)
    return name.strip(), tuple(value) if isinstance(value, list) else value


def _read_instructions(path):
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeError as error:
        raise InputError(f"{quote_value(path)} is not in UTF-8 ({error}).") from error
    if not text:
        raise InputError(f"--instructions {quote_value(path)}: the file is empty.")
    return text


# Before anything is paid for ------------------------------------------------------


def estimate_split(pipe, split, options):
    """Return the StudyEstimate of what `run` is about to do."""
    train = split.train
    return estimate_study(
        pipe,
        split.texts[train],
        split.target[train],
        holdout=split.texts[split.holdout],
        cv=options.cv,
        **{
            name: split.design[name][train]
            for name in ("groups", "pairs")
            if name in split.design
        },
        n_neurons=options.n_neurons if options.n_select == "all" else None,
        random_state=options.seed,
    )


def check_go_ahead(estimate, options, note):
    """Ask whether to go on; raise if the answer is no, or there is nobody to ask.

    What costs nothing is not asked about. Without a terminal, a run begins if its
    estimate is within --max-cost.
    """
    cost = estimate.total.cost
    if options.yes or cost == 0:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        note("go on? [y/N]")
        if sys.stdin.readline().strip().lower() not in _YES:
            raise InputError("not begun: nobody was asked, nothing is to be paid.")
        return
    if options.max_cost is None:
        raise InputError(
            "there is no terminal to ask whether to go on. Add --max-cost DOLLARS, or "
            "--yes."
        )
    if not cost <= options.max_cost:
        named = "unknown" if math.isnan(cost) else f"${cost:.2f}"
        raise InputError(
            f"the estimate, {named}, is not within --max-cost {options.max_cost:g}, "
            "and there is no terminal to ask whether to go on. Raise it, or add --yes."
        )


# While it is paid for -------------------------------------------------------------


@contextmanager
def spend(options, budget, note):
    """Tell how far the asking has come, and after Ctrl-C how to go on."""
    if budget is None:
        yield
        return
    handler = _NoteHandler(note)
    logger = logging.getLogger("sklearn_hypo")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except KeyboardInterrupt:
        folder = resolve_cache_folder(options.cache or "auto")
        note(
            f"interrupted. All answers are kept in {folder}: run the same command "
            "again to go on, and nothing is paid for twice."
        )
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _NoteHandler(logging.Handler):
    """Shows the log as notes."""

    def __init__(self, note):
        super().__init__(logging.INFO)
        self._note = note

    def emit(self, record):
        self._note(record.getMessage())


def record_spending(report, estimate, budget):
    """Return who was asked how often and at what cost, beside what was expected."""
    if budget is None:
        return None
    usage = make_usage_table({}) if report.usage is None else report.usage
    return {
        "usage": usage.to_dict("records"),
        "cost": budget.spent,
        "estimate": estimate.to_dict(),
    }
