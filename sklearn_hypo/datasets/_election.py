"""HypoBench's synthetic tweets on an election, with their planted truth."""

import json
import re
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._utils._validation import Interval, StrOptions, validate_params
from ._local_files import DATA_VARIABLE, data_folder, find_file

__all__ = ["load_election"]

_CALLER = "load_election"


_SOURCE = "https://github.com/ChicagoHAI/HypoBench"


_SUBSETS = {"train": "train", "validation": "val", "test": "test"}


_METADATA = ("labels", "features", "phrase_types", "templates")


_ROWS = ("text", "label", "template", "blank_features")


_NAMED = re.compile(r'If the "(\w+)" of the given tweet is "(.+?)", then ')


_PLACES = ("", "election/", "hypobench/election/")


_ADVICE = (
    f"Get the data sets of HypoBench ({_SOURCE}), put the folders level1 and level2 of "
    "synthetic/election into a folder named election in a folder of your choice, and "
    "pass that one as data_home, or name it in the environment variable "
    f"{DATA_VARIABLE}."
)

_DESCR = f"""\
Election tweets of HypoBench
----------------------------

Generated tweets and the vote that a model draws from the features planted into them.
Source: {_SOURCE} (MIT licence)
"""


@validate_params(
    {
        "data_home": "no_validation",
        "level": [Interval(Integral, 1, 2, closed="both")],
        "subset": [StrOptions({*_SUBSETS, "all"})],
    },
    prefer_skip_nested_validation=True,
)
def load_election(data_home=None, *, level=1, subset="train"):
    """Load HypoBench's synthetic tweets on an election, with their planted truth.

    Each tweet is a template with four features filled in, in one of several wordings;
    the vote is drawn from some of these features, without noise. So it is known which
    hypotheses are true. Nothing is downloaded: the folders ``level1`` and ``level2``
    are looked for in the folder itself and in its subfolders ``election`` and
    ``hypobench/election``.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None stands for the environment variable ``SKLEARN_HYPO_DATA``.
    level : {1, 2}, default=1
        1: only what a tweet says on policies matters. 2: its template, its language
        and its reaction to events matter together.
    subset : {"train", "validation", "test", "all"}, default="train"
        Which of the published rows: 1,750, 249, 501 or all 2,500.

    Returns
    -------
    tweets : Bunch
        With the attributes

        data : ndarray of shape (n_samples,) and dtype object
            The texts.
        target : ndarray of shape (n_samples,) and dtype object
            The vote. The benchmark names three, but only two of them occur in its
            rows: no voter of these files is "likely third-party/abstain voter".
        target_names : list of str
            The three votes that the benchmark names.
        features : DataFrame of shape (n_samples, 24) and dtype int64
            The planted truth: 1 where a text has a feature, else 0. Columns are named
            such as "policy_stance: champions gun rights"; those of a kind add up to 1.
        impactful : list of str
            The columns of `features` that the hypotheses speak of.
        hypotheses : list of str
            The true hypotheses, as the benchmark words them.
        subset : ndarray of shape (n_samples,) and dtype object
            Which of the published parts a row is from.
        DESCR : str
            A description, with the source.

    Raises
    ------
    DatasetNotFoundError
        If no folder is given or the files are not in it; the message says where the
        data set comes from and where to put it.
    ValueError
        If a file cannot be read, or is another one.

    See Also
    --------
    make_concept_texts : Texts with planted concepts of effects of your choice.

    References
    ----------
    .. [1] H. Liu, S. Huang, J. Hu, Y. Zhou, C. Tan (2025). "HypoBench: Towards
       Systematic and Principled Benchmarking for Hypothesis Generation".
       arXiv 2504.11524.

    Examples
    --------
    >>> from sklearn_hypo.datasets import load_election
    >>> tweets = load_election("data", subset="all")  # doctest: +SKIP
    >>> tweets.data.shape, tweets.features.shape  # doctest: +SKIP
    ((2500,), (2500, 24))
    >>> tweets.impactful[0]  # doctest: +SKIP
    'policy_stance: advocates for universal healthcare'
    """
    folder = data_folder(data_home, caller=_CALLER, advice=_ADVICE)
    parts = list(_SUBSETS) if subset == "all" else [subset]
    metadata, _ = _load(folder, level, "metadata.json", _METADATA)
    rows = {part: _load(folder, level, _name(part, level), _ROWS) for part in parts}
    features = [_features(*rows[part], metadata) for part in parts]
    hypotheses, _ = _load(folder, level, f"gt_hypotheses_level{level}.json")
    return Bunch(
        data=_objects(text for part in parts for text in rows[part][0]["text"]),
        target=_objects(label for part in parts for label in rows[part][0]["label"]),
        target_names=metadata["labels"],
        features=pd.concat(features, ignore_index=True),
        impactful=_impactful(hypotheses, features[0].columns),
        hypotheses=hypotheses,
        subset=np.repeat(_objects(parts), [len(each) for each in features]),
        DESCR=_DESCR,
    )


def _name(part, level):
    return f"synthetic_election_{_SUBSETS[part]}_level{level}.json"


def _load(folder, level, name, keys=()):
    """Return the content of a file, and its path for messages."""
    candidates = [f"{place}level{level}/{name}" for place in _PLACES]
    path = find_file(folder, candidates, caller=_CALLER, advice=_ADVICE)
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:  # of JSON, or of UTF-8
        raise ValueError(f"{_CALLER}: {str(path)!r} is not JSON: {error}") from error
    missing = [key for key in keys if key not in content]
    if missing:
        raise ValueError(
            f"{_CALLER}: {str(path)!r} lacks {', '.join(missing)}. It is not the file "
            f"of the data set at {_SOURCE}."
        )
    return content, path


def _objects(values):
    values = list(values)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _features(content, path, metadata):
    """Return which text has which feature, one column per feature."""
    kinds = ["template", *metadata["phrase_types"]]
    values = [list(metadata["templates"])]
    values += [metadata["features"][kind] for kind in kinds[1:]]
    filled = zip(content["template"], content["blank_features"], strict=True)
    rows = [(template, *blanks) for template, blanks in filled]
    columns = {}
    for position, (kind, known) in enumerate(zip(kinds, values, strict=True)):
        found = _objects(row[position] for row in rows)
        unknown = sorted(set(found) - set(known))
        if unknown:
            raise ValueError(
                f"{_CALLER}: {str(path)!r} has the {kind} {unknown[0]!r}, which "
                "metadata.json does not know."
            )
        for value in known:
            columns[f"{kind}: {value}"] = (found == value).astype(np.int64)
    return pd.DataFrame(columns)


def _impactful(hypotheses, columns):
    """Return the features that the true hypotheses name, in their order."""
    named = [_NAMED.match(each) for each in hypotheses]
    found = [f"{match[1]}: {match[2]}" for match in named if match]
    return [name for name in dict.fromkeys(found) if name in set(columns)]
