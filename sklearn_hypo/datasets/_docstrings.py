"""Docstrings of the scientific Python packages: real texts that are always there."""

import importlib
import inspect
import os
import pkgutil
import warnings
from collections import Counter
from contextlib import contextmanager

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import Bunch

from .._data_preparation._groups import join_groups
from ._prose import extract_prose

# Modules that are private in effect although their names do not say so, that are
# deprecated, or whose import does more than define names.
_SKIPPED = frozenset(
    ("compat", "conftest", "core", "cython_blas", "cython_lapack", "cython_special")
    + ("distutils", "examples", "experimental", "externals", "f2py", "libqsturng")
    + ("matlib", "misc", "sandbox", "setup", "test", "testing", "tests")
)
_SKIPPED_PATHS = frozenset({"pandas.io"})  # the readers are public as pandas.read_…
# What these define is public only once a program has switched it on.
_SWITCHED_ON = (
    "sklearn.impute._iterative",
    "sklearn.model_selection._search_successive_halving",
)

_FEWEST_WORDS = 3
_BOILERPLATE_COPIES = 5
_TWIN_SIMILARITY = 0.7

_DESCR = """\
Docstrings of scientific Python packages
----------------------------------------

Each row is a public function or class, or a method where asked for. The text is the
opening prose of its docstring, before the first numpydoc section; the target is the
number of parameters that it takes.

Rows: {rows}. Packages: {packages}.
The rows depend on the versions of the packages.
"""


def load_docstrings(
    *,
    packages=("numpy", "scipy", "pandas", "sklearn", "statsmodels"),
    methods=False,
):
    """Load the docstrings of installed packages, with the number of parameters.

    The texts are what the docstrings of public functions and classes say before their
    first section, without signatures, markup, formulas and code, so that the list of
    parameters itself is not in them. Paragraphs that several docstrings share word
    for word are left out, unless a docstring begins with them. Texts of fewer than
    three words, and repetitions of a text, are left out.

    Parameters
    ----------
    packages : sequence of str, default=("numpy", "scipy", "pandas", "sklearn", \
"statsmodels")
        Import names of the packages.
    methods : bool, default=False
        Whether to add the public methods of the classes. There are many; most of
        them have short texts and few parameters.

    Returns
    -------
    docstrings : Bunch
        With the attributes

        data : ndarray of shape (n_samples,) and dtype object
            The texts, all distinct, in the order of packages, then of names.
        target : ndarray of shape (n_samples,) and dtype int64
            The number of parameters according to `inspect.signature`, without
            ``self`` and ``cls``. ``*args`` and ``**kwargs`` count as one each; a
            callable that declares only both of these hides its parameters and is
            left out. A ufunc counts its inputs and ``out``, not the keywords that
            all ufuncs share.
        package : ndarray of shape (n_samples,) and dtype object
            The package.
        name : ndarray of shape (n_samples,) and dtype object
            The qualified name under which the callable is public.
        groups : ndarray of shape (n_samples,) and dtype int64
            For `sklearn.model_selection.GroupShuffleSplit` and the like. Callables
            of one name, whatever the module or class, and near-identical texts
            (Jaccard similarity of their sets of words of at least 0.7) share a
            group, also through others.
        frame : DataFrame of shape (n_samples, 5)
            All of these as columns text, n_parameters, package, name and group.
        DESCR : str
            A description, with the versions of the packages.

    Raises
    ------
    ImportError
        If a package is not installed.
    TypeError, ValueError
        If `packages` is not a sequence of at least one name, or nothing in them has
        a docstring.

    Notes
    -----
    The public modules of the packages are imported; warnings that they give then are
    suppressed. This takes a few seconds.

    Examples
    --------
    >>> from sklearn_hypo.datasets import load_docstrings
    >>> docstrings = load_docstrings(packages=["sklearn"])
    >>> row = list(docstrings.name).index("sklearn.linear_model.Lasso")
    >>> docstrings.data[row][:60]
    'Linear Model trained with L1 prior as regularizer (aka the L...'
    >>> bool(docstrings.target[row] >= 10)
    True
    """
    packages = _check_packages(packages)
    with _silence_imports():
        rows = [row for package in packages for row in _list_rows(package, methods)]
    frame = _make_frame(rows)
    if frame.empty:
        raise ValueError(
            f"load_docstrings: the public callables of {', '.join(packages)} have no "
            "docstrings to read. Name other packages."
        )
    frame["group"] = _link_rows(frame["text"], frame["name"])
    return Bunch(
        data=frame["text"].to_numpy(dtype=object),
        target=frame["n_parameters"].to_numpy(dtype=np.int64),
        package=frame["package"].to_numpy(dtype=object),
        name=frame["name"].to_numpy(dtype=object),
        groups=frame["group"].to_numpy(dtype=np.int64),
        frame=frame,
        DESCR=_describe_rows(frame, packages),
    )


def _check_packages(packages):
    if isinstance(packages, str):
        raise TypeError(
            f"load_docstrings: packages must be a sequence of names, but the string "
            f"{packages!r} arrived. Put it in a list: [{packages!r}]."
        )
    packages = list(dict.fromkeys(packages))
    if not packages:
        raise ValueError("load_docstrings: packages is empty; name at least one.")
    for package in packages:
        if not isinstance(package, str) or not package.isidentifier():
            raise ValueError(
                f"load_docstrings: {package!r} in packages is not the import name of "
                "a package, such as 'numpy'."
            )
    return packages


@contextmanager
def _silence_imports():
    """Suppress warnings, but keep the filters that packages set when imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = list(warnings.filters)
        yield
        added = [entry for entry in warnings.filters if entry not in known]
    for action, message, category, module, line in reversed(added):
        patterns = [getattr(pattern, "pattern", "") for pattern in (message, module)]
        warnings.filterwarnings(action, patterns[0], category, patterns[1], line)


def _list_rows(package, methods):
    """List (paragraphs, number of parameters, package, name), sorted by name."""
    callables = _list_public_callables(package)
    if methods:
        callables |= _list_public_methods(callables)
    rows = []
    for name, function in sorted(callables.items(), key=lambda item: item[0]):
        # a docstring with %(…)s is a template that nobody has filled in
        if not isinstance(function.__doc__, str) or "%(" in function.__doc__:
            continue
        count = _count_parameters(function)
        if count is not None:
            paragraphs = extract_prose(function.__doc__, name.rpartition(".")[2])
            rows.append((paragraphs, count, package, name))
    return rows


def _list_public_callables(package):
    """Map the best public name of each function and class of a package to it."""
    ranked = {}
    for module in _list_public_modules(package):
        for name, value in vars(module).items():
            if not name.startswith("_") and _is_public(value, name, module, package):
                candidate = (_rank_name(module, name, value), value)
                best = ranked.get(id(value), candidate)
                ranked[id(value)] = min(best, candidate, key=lambda item: item[0])
    return {rank[-1]: value for rank, value in ranked.values()}


def _list_public_modules(package):
    try:
        root = importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"load_docstrings: the package {package!r} is not installed. Install it, "
            "or leave it out of packages."
        ) from error
    yield root
    for name in _list_module_names(list(getattr(root, "__path__", [])), package):
        try:
            yield importlib.import_module(name)
        except ImportError:  # it needs an optional dependency that is not there
            continue


def _list_module_names(path, parent):
    """Walk the public modules below a package by file name, importing none."""
    for _, name, is_package in sorted(pkgutil.iter_modules(path), key=lambda m: m.name):
        qualified = f"{parent}.{name}"
        if name.startswith("_") or name in _SKIPPED or qualified in _SKIPPED_PATHS:
            continue
        yield qualified
        if is_package:
            below = [os.path.join(folder, name) for folder in path]
            yield from _list_module_names(below, qualified)


def _is_public(value, name, module, package):
    """Whether a module offers a callable of its package to the public."""
    if not (inspect.isclass(value) or inspect.isroutine(value) or _is_ufunc(value)):
        return False
    home = getattr(value, "__module__", None)
    if home in _SWITCHED_ON:
        return False
    exported = getattr(module, "__all__", None)
    if exported is not None:
        return name in exported and (home is None or _is_within(home, package))
    return home is not None and _is_within(home, module.__name__)


def _is_within(name, parent):
    return isinstance(name, str) and f"{name}.".startswith(f"{parent}.")


def _is_ufunc(value):
    return isinstance(value, np.ufunc)


def _rank_name(module, name, value):
    """Order the names of one callable: near its definition, short, alphabetical."""
    home = getattr(value, "__module__", None) or module.__name__
    qualified = f"{module.__name__}.{name}"
    return not _is_within(home, module.__name__), qualified.count("."), qualified


def _list_public_methods(callables):
    methods = {}
    for owner, value in callables.items():
        if inspect.isclass(value):
            for name in dir(value):
                # not getattr: it would run class properties
                static = inspect.getattr_static(value, name, None)
                if not name.startswith("_") and _is_method(static):
                    methods[f"{owner}.{name}"] = getattr(value, name, None)
    return methods


def _is_method(value):
    return isinstance(value, staticmethod | classmethod) or (
        inspect.isroutine(value) and not inspect.isclass(value)
    )


def _count_parameters(function):
    """Count parameters, or return None where the signature does not tell."""
    if _is_ufunc(function):
        return function.nin + 1
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # compiled, without a signature
        return None
    if parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    kinds = [parameter.kind for parameter in parameters]
    if kinds == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return None
    return len(parameters)


def _make_frame(rows):
    """Tabulate the rows whose texts say something new."""
    texts = _drop_boilerplate([paragraphs for paragraphs, *_ in rows])
    kept = {}
    for text, (_, *others) in zip(texts, rows, strict=True):
        if len(text.split()) >= _FEWEST_WORDS:
            kept.setdefault(text, (text, *others))
    columns = ["text", "n_parameters", "package", "name"]
    return pd.DataFrame(list(kept.values()), columns=columns)


def _drop_boilerplate(docstrings):
    """Join paragraphs, except later ones that many docstrings repeat."""
    copies = Counter(p for paragraphs in docstrings for p in set(paragraphs))
    return [
        " ".join(
            paragraph
            for position, paragraph in enumerate(paragraphs)
            if position == 0 or copies[paragraph] < _BOILERPLATE_COPIES
        )
        for paragraphs in docstrings
    ]


def _link_rows(texts, names):
    """Number what is linked by a name or by nearly one text, also through others."""
    twins = connected_components(_link_twins(texts), directed=False)[1]
    return join_groups(names.str.rpartition(".")[2].str.lower(), twins)


def _link_twins(texts, block_size=500):
    """Return the adjacency matrix of texts whose sets of words nearly agree."""
    counter = CountVectorizer(binary=True, token_pattern=r"\w+", dtype=np.float32)
    words = sparse.csr_array(counter.fit_transform(texts))
    sizes = words.sum(axis=1)
    blocks = []
    for start in range(0, len(texts), block_size):  # all pairs at once fill memory
        common = (words[start : start + block_size] @ words.T).tocoo()
        row, column = common.coords
        union = sizes[start + row] + sizes[column] - common.data
        near = common.data >= _TWIN_SIMILARITY * union
        coordinates = (row[near], column[near])
        blocks.append(
            sparse.coo_array((np.ones(near.sum()), coordinates), shape=common.shape)
        )
    return sparse.vstack(blocks, format="csr")


def _describe_rows(frame, packages):
    counts = frame["package"].value_counts()
    return _DESCR.format(
        rows=len(frame),
        packages=", ".join(
            f"{package} {getattr(importlib.import_module(package), '__version__', '')} "
            f"({counts.get(package, 0)} rows)"
            for package in packages
        ),
    )
