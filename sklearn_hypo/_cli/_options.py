"""What can be said on the command line, and what makes no sense together."""

import argparse
import functools

from .._inference._target_kind import TARGET_KINDS
from .._reading._dates import TARGET_DATES
from .._selection._neuron_selector import METHODS
from .._utils._tokenizers import NAMES as TOKENIZERS
from ._commands import (
    add_command,
    add_completion,
    add_demo,
    add_doctor,
    add_output,
    make_parser_of_commands,
)
from ._file_options import (
    add_file_options,
    add_pair_options,
    add_split_options,
    check_columns,
    check_split,
)
from ._language_models import CROSS_ENCODER, EMBEDDING, is_free_annotator
from ._option_values import (
    parse_columns,
    parse_count,
    parse_count_or_all,
    parse_dollars,
    parse_integer,
    parse_mapping,
    parse_model_option,
    parse_share,
    parse_tokenizer,
    parse_values,
)


def make_parser():
    """Return the parser of all commands."""
    parser, commands = make_parser_of_commands()
    _add_run(commands)
    add_demo(commands)
    add_doctor(commands)
    add_completion(commands)
    return parser


def parse_options(argv):
    """Return what was said; end with code 2 if it makes no sense."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.command == "run":
        run = options.parser
        check_columns(run, options)
        check_split(run, options)
        _check_roles(run, options)
        _check_target(run, options)
        _check_models(run, options)
    return options


def _check_roles(parser, options):
    """End with code 2 if a column is given two roles that exclude each other."""
    if options.won:  # which may be one of the two texts
        roles = [("--text-a", options.text_a), ("--text-b", options.text_b)]
    else:
        roles = [("--text", options.text), ("--target", options.target)]
    roles += [("--groups", options.groups), ("--pairwise", options.pairwise)]
    roles += [("--moderator", options.moderator)]
    roles += [("--covariates", name) for name in options.covariates]
    for i, (option, column) in enumerate(roles):
        for other, same in roles[:i]:
            if same == column and column is not None:
                parser.error(f"{other} and {option} name one and the same column")


def _check_target(parser, options):
    """End with code 2 for what contradicts itself about the target."""
    if options.target_kind != "auto":
        if options.task == "classification":
            parser.error("--target-kind is of numbers, --task classification of none")
        options.task = "regression"
    if options.target_date and (options.map or options.map_file):
        parser.error("--target-date and --map exclude each other")


def _check_models(parser, options):
    """End with code 2 for options of language models that lack one."""
    models = [options.interpreter]
    models += [None if is_free_annotator(options.annotator) else options.annotator]
    if options.interpreter and not options.annotator:
        parser.error(
            "--interpreter writes statements in plain words, so --annotator has to "
            f"name who judges them: a MODEL, {EMBEDDING} or {CROSS_ENCODER}NAME"
        )
    if options.instructions and not options.interpreter:
        parser.error("--instructions are for a model that is named by --interpreter")
    for name in ("max_cost", "base_url", "api_key_env", "model_option"):
        if getattr(options, name) is not None and not any(models):
            option = name.replace("_", "-")
            parser.error(f"--{option} is for models: name one by --annotator MODEL")


def _add_run(commands):
    parser = add_command(
        commands,
        "run",
        "find and test hypotheses in a file of texts",
        "Find hypotheses in the texts of a file and test them on texts held out.\n"
        "Writes report.html, which opens in any browser and quotes some of the texts,\n"
        "hypotheses.csv and hypotheses.tex, the table for a paper, metrics.json and\n"
        "settings.json.\n\n"
        "Without --interpreter and --annotator, nothing leaves this machine and\n"
        "nothing is paid. With a model, what the study will cost is shown first; a\n"
        "run that was interrupted goes on when it is started again by the same\n"
        "command, and no answer is paid for twice.",
        "run tweets.csv --text text --target sentiment --groups author",
        "run reviews.xlsx --text review --target stars --target-kind ordinal "
        "--interpreter ollama:qwen3:8b --annotator ollama:qwen3:8b",
        "run reviews.csv --text review --target sold --annotator openai "
        "--interpreter openai --estimate",
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        help="CSV and its kin, JSON, Excel (.xlsx), Stata, SPSS, Parquet or Feather, "
        "also packed by zip, gzip, bzip2 or xz; - for standard input",
    )
    parser.add_argument("--text", metavar="COLUMN", help="the column with the texts")
    parser.add_argument("--target", metavar="COLUMN", help="the column to be predicted")
    parser.add_argument(
        "--embedder",
        default="auto",
        metavar="auto|minilm|lsa|NAME|FOLDER|PROVIDER:NAME",
        help="auto (default): minilm where the extra of that name is installed and the "
        "texts are in Latin letters, else lsa; or the name or folder of a "
        "sentence-transformers model, or a model of a provider, which is paid for",
    )
    parser.add_argument(
        "--tokenizer",
        type=parse_tokenizer,
        default="auto",
        metavar="|".join((*TOKENIZERS, "MODULE:NAME")),
        help="how texts are cut into words; auto (default): at blanks, and where a "
        "script has none by ICU's dictionaries if the extra languages is installed, "
        "else into characters",
    )
    add_file_options(parser)
    parser.add_argument(
        "--pool",
        choices=("chunks",),
        help="chunks: average over the whole of a text that is longer than the "
        "embedding model reads (default: it is cut)",
    )
    _add_values(parser)
    _add_design(parser)
    _add_sizes(parser)
    _add_models(parser)
    _add_procedure(parser)
    add_output(parser, "hypotheses_output")


def _add_values(parser):
    group = parser.add_argument_group(
        "values of the target and of covariates",
        "What is decided by itself is said on standard error.",
    )
    group.add_argument(
        "--task",
        choices=("auto", "regression", "classification"),
        default="auto",
        help="what the target is; auto: classes if it has two distinct numbers or a "
        "few words, else a quantity; words of a scale, such as never to always, are "
        "numbers in their order",
    )
    group.add_argument(
        "--target-kind",
        choices=("auto", *TARGET_KINDS),
        default="auto",
        help="what kind of numbers the target is; auto: counts if it is whole, a tenth "
        "or more is 0, and it varies far more than its mean, else a quantity. "
        "Hypotheses on counts are found on log(1 + target), and their tests of means "
        "have rate ratios beside them; ordinal (stars, scales of answers) has "
        "cumulative odds ratios there",
    )
    group.add_argument(
        "--map",
        type=parse_mapping,
        action="extend",
        metavar="VALUE=NUMBER,...",
        help="numbers for the values of the target, such as "
        "negative=-1,neutral=0,positive=1; quotes as in CSV around what holds a comma; "
        "may be repeated",
    )
    group.add_argument(
        "--map-file",
        metavar="FILE",
        help="the same as a CSV file of two columns, a value and its number",
    )
    group.add_argument(
        "--decimal",
        choices=(".", ","),
        help="the decimal sign (default: what each column shows)",
    )
    group.add_argument(
        "--missing",
        type=parse_values,
        action="extend",
        default=[],
        metavar="VALUE,...",
        help="what stands for no value beside the usual markers (NA, N/A, #N/A, null, "
        "None, -, ., ?; -99, 999 and the like far outside of the scale; [deleted] and "
        "[removed] for texts). With an empty value among them (--missing '' or "
        "--missing ,NA) only these; --missing=-1 for what begins with a minus; may be "
        "repeated",
    )
    group.add_argument(
        "--target-date",
        choices=TARGET_DATES,
        help="take a target of dates as days since the first of them, or as years; dmy "
        "and mdy say whether the day or the month comes first",
    )


def _add_design(parser):
    parser.add_argument(
        "--groups",
        metavar="COLUMN",
        help="rows of one value, such as an author or a document, are not independent: "
        "they stay together in every split, and standard errors are cluster-robust",
    )
    parser.add_argument(
        "--covariates",
        type=parse_columns,
        action="extend",
        default=[],
        metavar="COLUMN,...",
        help="what else may explain the target: held constant where neurons are "
        "selected, and kept beside the hypotheses in the joint regression; numbers, or "
        "a few different words; may be repeated",
    )
    parser.add_argument(
        "--pairwise",
        metavar="COLUMN",
        help="the column with the pair of each row: two rows of one value are the two "
        "texts of a pair, and the target says which of them won",
    )
    add_pair_options(parser)
    parser.add_argument(
        "--moderator",
        metavar="COLUMN",
        help="groups that matter, such as platforms: test whether each hypothesis has "
        "the same effect in all of them; 2 to 20 different values",
    )


def _add_sizes(parser):
    by_rows = "default: by the number of texts"
    parser.add_argument(
        "--n-neurons", type=parse_count, metavar="N", help=f"neurons ({by_rows})"
    )
    parser.add_argument(
        "--k",
        type=parse_count,
        metavar="K",
        help=f"active neurons per text ({by_rows})",
    )
    parser.add_argument(
        "--supervised",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let the autoencoder learn about the target too (default)",
    )
    parser.add_argument(
        "--style",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="put length, function words, punctuation and the like beside the neurons "
        "(default)",
    )
    parser.add_argument(
        "--terms",
        action=argparse.BooleanOptionalAction,
        default="auto",
        help="put frequent words and pairs of words beside the neurons (default: "
        "without language models)",
    )
    parser.add_argument(
        "--n-select",
        type=parse_count_or_all,
        default=20,
        metavar="N",
        help='hypotheses, or "all" neurons (default: 20)',
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=METHODS[0],
        help=f"how neurons are selected (default: {METHODS[0]})",
    )


def _add_models(parser):
    group = parser.add_argument_group(
        "language models",
        'A MODEL is "openai" or "gemini" (their defaults), or PROVIDER:NAME, such as '
        '"ollama:qwen3:8b". Texts are sent to whoever runs it. The key is read from '
        "the environment.",
    )
    group.add_argument(
        "--interpreter",
        metavar="MODEL",
        help="who puts neurons into words (default: dictionaries)",
    )
    group.add_argument(
        "--annotator",
        metavar=f"MODEL|{EMBEDDING}|{CROSS_ENCODER}NAME",
        help=f"who says of which texts a hypothesis is true; {EMBEDDING} (by likeness) "
        f"and {CROSS_ENCODER}NAME, or a folder, run on this machine and are free "
        "(default: dictionaries)",
    )
    group.add_argument(
        "--instructions",
        metavar="FILE",
        help="a text for the interpreter: what the texts are, what the study is about",
    )
    group.add_argument(
        "--base-url",
        metavar="URL",
        help="another server that speaks the protocol, such as "
        "http://localhost:11434/v1; no key is sent to it",
    )
    group.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="the environment variable that holds its key",
    )
    group.add_argument(
        "--model-option",
        action="append",
        type=parse_model_option,
        metavar="NAME=VALUE",
        help="another setting of OpenAIModel or GeminiModel, such as timeout=600, "
        "reasoning_effort=low, api=responses or price=[0.1,0.4]; may be repeated",
    )
    group.add_argument(
        "--max-cost",
        type=parse_dollars,
        metavar="DOLLARS",
        help="what all models together may cost: no call is made that could pass it",
    )
    group.add_argument(
        "--estimate",
        action="store_true",
        help="say what the study will cost and whether there is a signal, and end",
    )
    group.add_argument(
        "--yes",
        action="store_true",
        help="do not ask before spending. Without a terminal nobody can be asked, and "
        "a run that costs anything begins only with --yes or if the estimate is "
        "within --max-cost",
    )


def _add_procedure(parser):
    parser.add_argument(
        "--holdout",
        type=parse_share,
        metavar="SHARE",
        help="share of the texts held out for the test (default: 0.2)",
    )
    add_split_options(parser)
    parser.add_argument(
        "--cv",
        type=functools.partial(parse_integer, least=2),
        metavar="FOLDS",
        help="also cross-validate, on the texts that are not held out",
    )
    parser.add_argument(
        "--near-duplicates",
        choices=("auto", "group", "ignore"),
        default="auto",
        help="what the test does about texts that are equal or nearly equal to others: "
        "group them, ignore it, or (auto, the default) group them where it matters",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        help="keep embeddings of a fixed model and answers of language models here "
        "(default: what SKLEARN_HYPO_CACHE names, else ~/.cache/sklearn_hypo)",
    )
