"""The Upworthy headlines: tests of headlines on readers, supplied by the user."""

from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from .._utils._validation import Interval, validate_params
from ._local_files import DATA_VARIABLE, data_folder, find_file

__all__ = ["load_upworthy"]

_CALLER = "load_upworthy"


_FILES = (
    "upworthy.csv.gz",
    "upworthy.csv",
    "upworthy-archive-exploratory-packages-03.12.2020.csv",  # as it is published
)


_FOLDER = "headlines"


_TEST, _WEEK = "clickability_test_id", "test_week"


_COLUMNS = (_TEST, "headline", "impressions", "clicks", _WEEK)


_SUSPECT_WEEKS = (201326, 201402)  # the first and the last, year and week


_SOURCE = "https://upworthy.natematias.com/"


_ADVICE = (
    f"Ask for the exploratory packages of the Upworthy Research Archive ({_SOURCE}), "
    "put the CSV file into a folder of your choice or its subfolder "
    f"{_FOLDER!r}, and pass the folder as data_home, or name it in the environment "
    f"variable {DATA_VARIABLE}."
)

_DESCR = f"""\
Upworthy headlines
------------------

Headlines of one story, shown to readers at random, with the numbers of readers who saw
and who clicked them. The exploratory part of the Upworthy Research Archive (CC BY 4.0),
{_SOURCE}
"""


@validate_params(
    {
        "data_home": "no_validation",
        "drop_suspect_weeks": ["boolean"],
        "min_headlines": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def load_upworthy(data_home=None, *, drop_suspect_weeks=True, min_headlines=2):
    """Load the headlines that Upworthy tested on its readers.

    In each test, "packages" of headline and image for one story were shown to
    readers at random. Nothing is downloaded: a CSV file of the archive, also with
    .gz behind its name, is looked for in the folder and its subfolder ``headlines``.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None stands for the environment variable ``SKLEARN_HYPO_DATA``.
    drop_suspect_weeks : bool, default=True
        Whether to drop the tests of the weeks 26 of 2013 to 2 of 2014, in which
        readers may not have been assigned at random [2]_.
    min_headlines : int, default=2
        Tests with fewer different headlines are dropped. Many tests, 1,752 of 3,818,
        compare nothing but images.

    Returns
    -------
    headlines : Bunch
        One entry per headline and test: the packages of a test that share a headline
        are added up. With the attributes

        data : ndarray of shape (n_samples,) and dtype object
            The headlines, without blanks around them.
        target : ndarray of shape (n_samples,) and dtype float64
            The rate: clicks per impression, in 0..1. Comparable within a test only.
        clicks, impressions : ndarrays of shape (n_samples,) and dtype int64
            Numbers of readers who clicked the headline, and who saw it.
        tests : ndarray of shape (n_samples,) and dtype object
            The test that a headline was in. Some headlines are in several tests.
        weeks : ndarray of shape (n_samples,) and dtype int64
            Year and week of the test, such as 201446.
        frame : DataFrame of shape (n_samples, 7)
            All of this, and `packages`, how many packages were added up.
        DESCR : str
            A description, with the source.

    Raises
    ------
    DatasetNotFoundError
        If no folder is given or the file is not in it; the message says where the
        data set comes from and where to put it.
    ValueError
        If the file cannot be read, or is another one.

    See Also
    --------
    pairs_within : Makes pairs of the headlines of each test.

    Notes
    -----
    Where packages with one headline differ in their images, the rate of the headline
    is that over its images. In 237 of 2,066 tests with two headlines or more there is
    more than one image, and headline and image may go together.

    References
    ----------
    .. [1] J. N. Matias, K. Munger, M. Aubin Le Quere, C. Ebersole (2021). "The
       Upworthy Research Archive, a time series of 32,487 experiments in U.S. media".
       Scientific Data 8, 195.
    .. [2] J. N. Matias (2024). "Ensuring Reliable Science from Platform A/B Test
       Archives: an Update to the Upworthy Archive".
       https://upworthy.natematias.com/2024-06-upworthy-archive-update.html

    Examples
    --------
    >>> from sklearn_hypo.datasets import load_upworthy
    >>> headlines = load_upworthy("data")  # doctest: +SKIP
    >>> headlines.data.shape, len(set(headlines.tests))  # doctest: +SKIP
    ((9058,), 2066)
    """
    folder = data_folder(data_home, caller=_CALLER, advice=_ADVICE)
    candidates = [*_FILES, *(f"{_FOLDER}/{name}" for name in _FILES)]
    path = find_file(folder, candidates, caller=_CALLER, advice=_ADVICE)
    packages = _read(path)
    if drop_suspect_weeks:
        suspect = packages["week"].between(*_SUSPECT_WEEKS)
        packages = packages[~packages["test"].isin(packages["test"][suspect])]
    frame = _by_headline(packages)
    n_headlines = frame.groupby("test")["headline"].transform("size")
    frame = frame[n_headlines >= min_headlines].reset_index(drop=True)
    return Bunch(
        data=frame["headline"].to_numpy(dtype=object),
        target=frame["rate"].to_numpy(dtype=np.float64),
        clicks=frame["clicks"].to_numpy(dtype=np.int64),
        impressions=frame["impressions"].to_numpy(dtype=np.int64),
        tests=frame["test"].to_numpy(dtype=object),
        weeks=frame["week"].to_numpy(dtype=np.int64),
        frame=frame,
        DESCR=_DESCR,
    )


def _read(path):
    """Return test, week, headline, clicks and impressions of every package."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError, ValueError) as e:
        raise ValueError(
            f"{_CALLER}: {str(path)!r} cannot be read as CSV in UTF-8: {e}"
        ) from e
    missing = [column for column in _COLUMNS if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{_CALLER}: {str(path)!r} lacks the column(s) {', '.join(missing)}. It is "
            f"not the file of packages of the archive at {_SOURCE}"
        )
    packages = pd.DataFrame(
        {"test": frame[_TEST], "headline": frame["headline"].str.strip()}
    )
    for name, column in (
        ("week", _WEEK),
        ("clicks", "clicks"),
        ("impressions", "impressions"),
    ):
        packages[name] = _counts(frame[column], column, path)
    return packages[(packages["headline"] != "") & (packages["impressions"] > 0)]


def _counts(values, column, path):
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[numbers.isna() | (numbers < 0) | (numbers % 1 != 0)]
    if len(wrong):
        raise ValueError(
            f"{_CALLER}: the column {column} of {str(path)!r} holds {wrong.iloc[0]!r}, "
            "which is no count."
        )
    return numbers.astype(np.int64)


def _by_headline(packages):
    """Add up the packages of a test that share a headline, in order of appearance."""
    # 26 tests run into a second week; the first is that of the test
    week = packages.groupby("test")["week"].transform("min")
    grouped = packages.assign(week=week).groupby(["test", "headline"], sort=False)
    frame = grouped.agg(
        week=("week", "first"),
        clicks=("clicks", "sum"),
        impressions=("impressions", "sum"),
        packages=("clicks", "size"),
    ).reset_index()
    # the packages of a test are not neighbours in the file, but its headlines are here
    order = pd.factorize(frame["test"])[0].argsort(kind="stable")
    frame = frame.iloc[order].reset_index(drop=True)
    frame["rate"] = frame["clicks"] / frame["impressions"]
    return frame
