"""load_docstrings, and the prose that it takes out of docstrings."""

import inspect
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels
from sklearn.model_selection import GroupShuffleSplit

from sklearn_hypo.datasets import load_docstrings
from sklearn_hypo.datasets._docstrings import (
    _count_parameters,
    _link_rows,
    _list_module_names,
)
from sklearn_hypo.datasets._prose import extract_prose


@pytest.fixture(scope="module")
def docstrings():
    return load_docstrings()


@pytest.fixture(scope="module")
def with_methods():
    return load_docstrings(packages=("sklearn",), methods=True)


def _row(docstrings, name):
    return docstrings.name.tolist().index(name)


def _prose(docstring, name="f"):
    return " ".join(extract_prose(docstring, name))


def test_some_thousand_distinct_texts_from_all_packages(docstrings):
    assert len(docstrings.data) > 3000
    assert len(set(docstrings.data)) == len(docstrings.data)
    counts = pd.Series(docstrings.package).value_counts()
    assert set(counts.index) == {"numpy", "scipy", "pandas", "sklearn", "statsmodels"}
    assert counts.min() > 100


def test_lengths_and_types_agree(docstrings):
    n = len(docstrings.data)
    for key in ("target", "package", "name", "groups", "frame"):
        assert len(docstrings[key]) == n
    assert docstrings.data.dtype == object
    assert docstrings.target.dtype == np.int64
    assert {type(text) for text in docstrings.data} == {str}
    assert docstrings.frame.columns.tolist() == [
        *("text", "n_parameters", "package", "name", "group")
    ]
    assert f"Rows: {n}" in docstrings.DESCR


def test_order_is_by_package_then_name(docstrings):
    order = ["numpy", "scipy", "pandas", "sklearn", "statsmodels"]
    keys = [
        (order.index(package), name)
        for package, name in zip(docstrings.package, docstrings.name, strict=True)
    ]
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "name", ["numpy.linalg.svd", "sklearn.svm.SVC", "pandas.merge"]
)
def test_target_is_the_number_of_parameters(docstrings, name):
    module, _, short = name.rpartition(".")
    value = getattr(sys.modules[module], short)
    expected = len(inspect.signature(value).parameters)
    assert docstrings.target[_row(docstrings, name)] == expected


def test_callables_are_named_where_users_find_them(docstrings):
    names = set(docstrings.name)
    assert "sklearn.preprocessing.StandardScaler" in names
    assert "sklearn.discriminant_analysis.StandardScaler" not in names
    assert "statsmodels.regression.linear_model.OLS" in names
    assert not [n for n in names if re.search(r"\._|\.tests?\.|conftest", n)]


def test_no_section_no_markup_no_signature(docstrings):
    for text, name in zip(docstrings.data, docstrings.name, strict=True):
        assert "----" not in text, name
        assert "`" not in text, name
        assert ".. versionadded" not in text, name
        assert ">>>" not in text, name
        assert "%(" not in text, name
        assert "\n" not in text, name
        assert not re.search(r"\bParameters *(:|-)* *$", text), name
        short = re.escape(name.rpartition(".")[2])
        assert not re.search(rf"(^|\s){short}\([^)]", text), name
        assert len(text.split()) >= 3, name


def test_no_list_of_parameters_in_disguise(docstrings):
    typed = re.compile(r"\b\w+ : (int|float|bool|str|array|callable|\{)")
    assert not [text for text in docstrings.data if typed.search(text)]


def test_known_text(docstrings):
    text = docstrings.data[_row(docstrings, "numpy.linalg.norm")]
    assert text.startswith("Matrix or vector norm. This function is able to return")
    assert "ord : " not in text


def test_boilerplate_is_left_out(docstrings):
    assert not [t for t in docstrings.data if "Read more in the User Guide" in t]
    assert not [t for t in docstrings.data if "written assuming array arguments" in t]


def test_callables_of_one_name_share_a_group(with_methods):
    short = pd.Series(with_methods.name).str.rpartition(".")[2].str.lower()
    groups = pd.Series(with_methods.groups).groupby(short).nunique()
    assert short.duplicated().sum() > 100
    assert groups.max() == 1


def test_groups_keep_names_on_one_side_of_a_split(with_methods):
    short = pd.Series(with_methods.name).str.rpartition(".")[2].str.lower().to_numpy()
    splitter = GroupShuffleSplit(2, test_size=0.3, random_state=0)
    for train, test in splitter.split(with_methods.data, groups=with_methods.groups):
        assert not set(short[train]) & set(short[test])


def test_no_near_twins_across_groups(docstrings):
    rows = np.random.RandomState(0).permutation(len(docstrings.data))[:60]
    words = [set(re.findall(r"\w+", t.lower())) for t in docstrings.data]
    for i in rows:
        for j in range(len(words)):
            if docstrings.groups[i] != docstrings.groups[j]:
                common = len(words[i] & words[j])
                assert common < 0.7 * (len(words[i]) + len(words[j]) - common)


def test_no_group_dominates(docstrings):
    counts = pd.Series(docstrings.groups).value_counts()
    assert counts.max() < 0.05 * len(docstrings.data)
    assert len(counts) > 0.5 * len(docstrings.data)


def test_groups_join_names_and_twins_transitively():
    texts = pd.Series(
        [
            "add one series to another",
            "something else entirely here",
            "add one series to another one",
            "nothing like the others",
        ]
    )
    names = pd.Series(["a.b.add", "c.ADD", "d.plus", "e.minus"])
    assert _link_rows(texts, names).tolist() == [0, 0, 0, 1]


def test_methods_are_added_on_request(with_methods):
    names = set(with_methods.name)
    assert "sklearn.pipeline.Pipeline.score_samples" in names
    assert "sklearn.pipeline.Pipeline" in names
    row = _row(with_methods, "sklearn.pipeline.Pipeline.score_samples")
    assert with_methods.target[row] == 1  # self is not counted


def test_packages_in_the_order_given():
    docstrings = load_docstrings(packages=["pandas", "numpy", "pandas"])
    assert list(dict.fromkeys(docstrings.package)) == ["pandas", "numpy"]


def test_absent_package_is_named():
    with pytest.raises(ImportError, match=r"'no_such_package' is not installed"):
        load_docstrings(packages=["no_such_package"])


@pytest.mark.parametrize(
    ("packages", "error", "message"),
    [
        ("numpy", TypeError, r"Put it in a list: \['numpy'\]"),
        ([], ValueError, "packages is empty"),
        ([3], ValueError, "3 in packages is not the import name"),
        (["numpy.linalg"], ValueError, "'numpy.linalg' in packages is not the import"),
    ],
)
def test_bad_packages(packages, error, message):
    with pytest.raises(error, match=message):
        load_docstrings(packages=packages)


def test_package_without_any_docstring(tmp_path, monkeypatch):
    (tmp_path / "bare_package_for_test.py").write_text("def f(x):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="bare_package_for_test have no docstrings"):
        load_docstrings(packages=["bare_package_for_test"])


def test_module_with_an_absent_dependency_is_passed_over(tmp_path, monkeypatch):
    package = tmp_path / "partial_package_for_test"
    package.mkdir()
    (package / "__init__.py").write_text('def f(x):\n    """Do the first thing."""\n')
    (package / "broken.py").write_text("import no_such_package\n")
    (package / "tests.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    docstrings = load_docstrings(packages=["partial_package_for_test"])
    assert docstrings.data.tolist() == ["Do the first thing."]
    assert docstrings.name.tolist() == ["partial_package_for_test.f"]


def test_tests_of_packages_are_not_imported():
    names = list(_list_module_names(list(statsmodels.__path__), "statsmodels"))
    assert len(names) > 100
    assert not [name for name in names if {"tests", "conftest"} & set(name.split("."))]


def test_filters_that_a_package_sets_when_imported_survive(tmp_path, monkeypatch):
    (tmp_path / "loud_package_for_test.py").write_text(
        "import warnings\n"
        "class LoudWarning(UserWarning):\n"
        '    """Say it every time."""\n'
        "    def __init__(self, a):\n        pass\n"
        'warnings.filterwarnings("always", "it is", LoudWarning)\n'
        'warnings.warn("importing", DeprecationWarning)\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = list(warnings.filters)
    load_docstrings(packages=["loud_package_for_test"])
    (added,) = [entry for entry in warnings.filters if entry not in before]
    assert (added[0], added[1].pattern) == ("always", "it is")
    assert added[2].__name__ == "LoudWarning"


def test_no_warning_and_no_output(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_docstrings(packages=["numpy"])
    assert capsys.readouterr() == ("", "")


def test_parameters_are_counted():
    def function(a, b, /, *args, c=1, **kwargs):
        pass

    def opaque(*args, **kwargs):
        pass

    class Thing:
        def __init__(self, a, b):
            pass

        def method(self, a):
            pass

        @classmethod
        def of_class(cls, a):
            pass

        @staticmethod
        def static(a, b):
            pass

    assert _count_parameters(function) == 5
    assert _count_parameters(opaque) is None
    assert _count_parameters(Thing) == 2
    assert _count_parameters(Thing.method) == 1
    assert _count_parameters(Thing.of_class) == 1
    assert _count_parameters(Thing.static) == 2
    assert _count_parameters(lambda: None) == 0
    assert _count_parameters(np.add) == 3  # x1, x2 and out


@pytest.mark.parametrize(
    ("docstring", "prose"),
    [
        ("One line.", "One line."),
        ("Text.\n\nParameters\n----------\nx : int", "Text."),
        ("Text.\n\nParameters:\n    x: the number", "Text."),
        ("Text.\n\nReturns\n=======\nx", "Text."),
        ("Text.\n\n:param x: the number\n:returns: it", "Text."),
        ("Text.\n\nx : int\n    The number.", "Text."),
        ("f(x, y=1)\n\nText.", "Text."),
        ("f(x, y=(1, 2),\n  z=3) -> int\nf(x)\n\nText.", "Text."),
        ("y = f(x)\n\nText.", "Text."),
        ("alias(x1, x2, /, out=None)\n\nText.", "Text."),
        ("f(x) is the density.", "f is the density."),
        ("Like f(g(x), y=1) and g(x).", "Like f and g(x)."),
        ("Text.\n\n.. versionadded:: 1.2\n   By us.\n\nMore.", "Text. More."),
        ("Text.\n\n.. math::\n\n    x^2\n\nMore.", "Text. More."),
        ("Text.\n\n.. note:: Take care.", "Text. Take care."),
        ("Text.\n\n.. note::\n   Take care.", "Text. Take care."),
        ("Text::\n\n    code(x)\n\nMore.", "Text: More."),
        ("Text.\n\n>>> f(1)\n\nMore.", "Text. More."),
        ("Text.\n\n* one\n* two", "Text. one two"),
        ("See :func:`~scipy.linalg.svd` and :class:`Foo`.", "See svd and Foo."),
        (
            "See :ref:`the page <page>` and `this <http://x.y>`_.",
            "See the page and this.",
        ),
        ("A ``x`` and `y`, *so* **much**.", "A x and y, so much."),
        ("As in [1]_ and [Foo2]_.", "As in and."),
        ("Text. Read more in the :ref:`User Guide <svm>`.", "Text."),
        ("The power x**2 and *args.", "The power x**2 and *args."),
        ("", ""),
        ("f(x", "f(x"),
    ],
)
def test_opening_prose(docstring, prose):
    assert _prose(docstring) == prose


def test_experimental_names_switched_on_elsewhere_do_not_count():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401

    names = load_docstrings(packages=["sklearn"]).name
    assert not any("Halving" in name for name in names)
