"""A sheet on which people label a random sample of the texts, and its way back."""

import hashlib
import re
import struct

import numpy as np
import pandas as pd

from .._utils._containers import convert_container
from .._utils._files import expand_path
from .._utils._printable import pluralize
from .._utils._validation import check_texts
from ._human_labels import HumanLabels, compute_inclusion_probabilities, draw_rows
from ._input import find_report_data
from ._spreadsheet_cells import normalize_cell, read_cells, to_cell, write_cells

_ID = re.compile(r"row(\d+)-([0-9a-f]{10})-([0-9a-f]{8})")
_YES = frozenset({"1", "1.0", "1,0", "yes", "y", "true", "t", "x", "✓", "✔"})
_NO = frozenset({"0", "0.0", "0,0", "no", "n", "false", "f"})
_NAMED = 5  # so many are named in a message


def labelling_sheet(
    texts,
    hypotheses,
    *,
    n=200,
    enrich=0.0,
    annotations=None,
    groups=None,
    random_state=None,
    path=None,
    overwrite=False,
):
    """Draw a random sample of the texts for people to label.

    One row per text, in random order, one empty column per hypothesis. The sheet is
    blind: it shows neither what a machine answered nor the target. People write 1 or
    0, yes or no, true or false; x stands for yes.

    Parameters
    ----------
    texts : array-like of str of shape (n_rows,)
        All texts, in the order of the report or of the annotations.
    hypotheses : HypothesisReport or sequence of str
        What to ask. A report also supplies annotations for an enrichment.
    n : int, default=200
        Texts to draw.
    enrich : float, default=0.0
        Share of the draw that goes to texts of which the machine says that a
        hypothesis holds, evenly over hypotheses. 0 is a simple random sample, which
        of a hypothesis that holds in 2 of 100 texts has 4 among 200. With 0.5 rare
        hypotheses get their share, and no text's weight more than doubles. The
        probabilities are known, and corrected for. But what the machine misses then
        rests on fewer and heavier texts: where it misses much, and misses what has a
        high target, 95% intervals covered 0.90 in simulations with 0.3, and 0.95
        with 0. Where time allows, a larger simple sample is better.
    annotations : array-like of shape (n_rows, n_hypotheses), default=None
        Machine annotations for an enrichment, if `hypotheses` is no report.
    groups : array-like of shape (n_rows,), default=None
        Draw whole groups, so that a person reads all texts of a document.
    random_state : int, Generator or None, default=None
        Seed of the draw.
    path : str or path-like, default=None
        Where to write it, as CSV in UTF-8. Cells that a spreadsheet could take for a
        formula get an apostrophe in front, which `read_labels` takes away. The file
        is there in full or not at all.
    overwrite : bool, default=False
        Whether a file of that name may be replaced. It may be a sheet that people
        have worked on; by default it is never touched.

    Returns
    -------
    sheet : DataFrame
        "id", "text", and the hypotheses, empty.

    Raises
    ------
    ValueError
        For an n or enrich out of range, repeated hypotheses, an enrichment without
        annotations, and lengths that differ.
    FileExistsError
        If the file exists, unless `overwrite`.
    OSError
        If it cannot be written.

    See Also
    --------
    read_labels : Reads the sheet back.
    correct_for_annotation_error : Uses the labels.

    Notes
    -----
    An id holds the row's number, a hash of its text and, in hexadecimal so that it
    gives nothing away to a person, the probability with which the row was drawn. So
    rows can be sorted and left out, and a sheet that belongs to other texts is found
    out.

    Examples
    --------
    >>> from sklearn_hypo import labelling_sheet
    >>> texts = [f"message {i}" for i in range(100)]
    >>> sheet = labelling_sheet(texts, ["is polite"], n=3, random_state=0)
    >>> sheet.columns.tolist(), len(sheet)
    (['id', 'text', 'is polite'], 3)
    """
    texts = check_texts(texts, caller="labelling_sheet")
    annotations, groups = convert_container(annotations), convert_container(groups)
    names, annotations = _resolve_hypotheses(hypotheses, annotations)
    if path is not None and not overwrite and expand_path(path).exists():
        raise FileExistsError(
            f"{str(path)!r} exists, and may hold the work of people. Name another "
            "file, or pass overwrite=True."
        )
    _check_draw(n, enrich, annotations, names, len(texts))
    if groups is not None and len(groups) != len(texts):
        raise ValueError(
            f"There are {len(groups)} groups for {len(texts)} texts. There must be one "
            "per text."
        )
    probability = compute_inclusion_probabilities(
        len(texts), n, annotations=annotations, enrich=enrich, groups=groups
    )
    rows = draw_rows(probability, np.random.default_rng(random_state), groups)
    sheet = {
        "id": [_encode_id(i, texts[i], probability[i]) for i in rows],
        "text": [texts[i] for i in rows],
    }
    sheet = pd.DataFrame(sheet | dict.fromkeys(names, ""), dtype=object)
    if path is not None:
        rows = [list(sheet), *sheet.itertuples(index=False, name=None)]
        write_cells(path, ([to_cell(text) for text in row] for row in rows))
    return sheet


def _resolve_hypotheses(hypotheses, annotations):
    data = find_report_data(hypotheses)
    if data is not None:
        annotations = data.annotations if annotations is None else annotations
        hypotheses = data.names
    if isinstance(hypotheses, str):
        raise TypeError(
            "hypotheses must be a report or several statements, not one str."
        )
    names = [str(name) for name in hypotheses]
    clash = {"id", "text"} & set(names)
    if not names or len(set(names)) < len(names) or clash:
        raise ValueError(
            'hypotheses must be distinct, at least one, and none may be "id" or "text".'
        )
    return names, annotations


def _check_draw(n, enrich, annotations, names, n_rows):
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}.")
    if not 0 <= enrich <= 0.9:
        raise ValueError(
            f"enrich must be in 0 to 0.9, not {enrich}: without a share that any text "
            "can be in, nothing is learnt of what the machine misses."
        )
    if enrich > 0 and annotations is None:
        raise ValueError("enrich > 0 needs annotations, or a report that has them.")
    if enrich > 0 and np.shape(annotations) != (n_rows, len(names)):
        raise ValueError(
            f"annotations have shape {np.shape(annotations)}, but there are {n_rows} "
            f"texts and {len(names)} hypotheses."
        )


def _encode_id(i, text, probability):
    return f"row{i}-{_hash_text(text)}-{struct.pack('>f', probability).hex()}"


def _hash_text(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def read_labels(
    sheet, texts, hypotheses=None, *, blank="unlabelled", unreadable="raise"
):
    """Read a labelling sheet that people have filled in.

    Rows may be sorted otherwise or left out, columns may be added. Cells are read in
    any case: 1, yes, y, true, t, x; 0, no, n, false, f.

    Parameters
    ----------
    sheet : str, path-like or DataFrame
        The sheet, as CSV in UTF-8 with commas, semicolons or tabs, or as a frame.
    texts : HypothesisReport or array-like of str of shape (n_rows,)
        All texts that the sheet was drawn from, in the same order; or the report, if
        it holds its texts.
    hypotheses : sequence of str, default=None
        The hypotheses. None takes those of the report, and otherwise all columns
        beside "id" and "text".
    blank : {"unlabelled", "no"}, default="unlabelled"
        What an empty cell stands for: that nobody answered, or, where people ticked
        what holds and left the rest, no. "no" counts for every row on the sheet.
    unreadable : {"raise", "unlabelled"}, default="raise"
        Whether other values are an error, or no label. The result lists them.

    Returns
    -------
    labels : HumanLabels
        Labels for all rows, NaN where there is none, and the probabilities with which
        rows were drawn.

    Raises
    ------
    ValueError
        For cells that cannot be read (named by line, id and column), ids that are
        unknown or occur twice, texts that are not those of the ids, and missing
        columns.

    Examples
    --------
    >>> from sklearn_hypo import labelling_sheet, read_labels
    >>> texts = ["thank you", "go away", "come here", "please do"]
    >>> sheet = labelling_sheet(texts, ["is polite"], n=2, random_state=0)
    >>> sheet["is polite"] = ["yes", "NO"]
    >>> labels = read_labels(sheet, texts)
    >>> labels.labels["is polite"].sum(), labels.probability.round(2)
    (np.float64(1.0), array([0.5, nan, nan, 0.5]))
    """
    if blank not in ("unlabelled", "no") or unreadable not in ("raise", "unlabelled"):
        raise ValueError(
            'blank must be "unlabelled" or "no", unreadable "raise" or "unlabelled".'
        )
    texts, hypotheses = _resolve_texts(texts, hypotheses)
    header, rows = _read_sheet(sheet)
    names = _find_columns(header, hypotheses)
    labels = np.full((len(texts), len(names)), np.nan)
    probability = np.full(len(texts), np.nan)
    places = {name: header.index(to_cell(name)) for name in ["id", "text", *names]}
    problems = []
    for line, cells in rows:
        cells = cells + [""] * (len(header) - len(cells))
        i, drawn = _decode_id(cells[places["id"]], line, texts)
        _check_text(cells[places["text"]], texts[i], line)
        if not np.isnan(probability[i]):
            raise ValueError(f"Line {line} of the sheet repeats the id of row {i}.")
        probability[i] = drawn
        for j, name in enumerate(names):
            cell = cells[places[name]]
            labels[i, j], readable = _parse_label(cell, blank)
            if not readable:
                problems.append((line, cells[places["id"]], name, cell))
    problems = pd.DataFrame(problems, columns=["line", "id", "hypothesis", "value"])
    if len(problems) and unreadable == "raise":
        raise ValueError(_describe_unreadable(problems))
    return HumanLabels(pd.DataFrame(labels, columns=names), probability, problems)


def _resolve_texts(texts, hypotheses):
    data = find_report_data(texts)
    if data is not None:
        hypotheses = data.names if hypotheses is None else hypotheses
        if data.texts is None:
            raise ValueError(
                "The report holds no texts to check the sheet by. Pass the texts, and "
                "hypotheses=report.data.names."
            )
        texts = data.texts
    return check_texts(texts, caller="read_labels"), hypotheses


def _read_sheet(sheet):
    """Header and numbered rows, as strings."""
    sheet = convert_container(sheet)
    if isinstance(sheet, pd.DataFrame):
        body = sheet.astype(object).where(sheet.notna(), "")
        rows = [[to_cell(str(c)) for c in r] for r in body.itertuples(False, None)]
        return [to_cell(str(name)) for name in sheet], list(enumerate(rows, start=2))
    rows = read_cells(sheet)
    if not rows:
        raise ValueError(f"The sheet {str(sheet)!r} is empty.")
    return rows[0][1], rows[1:]


def _find_columns(header, hypotheses):
    if hypotheses is None:
        hypotheses = [name for name in header if name and name not in ("id", "text")]
    names = [str(name) for name in hypotheses]
    missing = [n for n in ["id", "text", *names] if header.count(to_cell(n)) != 1]
    if missing:
        raise ValueError(
            f"The sheet must have each of these columns once: {missing[:_NAMED]}. Its "
            f"columns are {header}."
        )
    if not names:
        raise ValueError("The sheet has no column with labels.")
    return names


def _decode_id(cell, line, texts):
    """Number and probability of the row that an id stands for."""
    match = _ID.fullmatch(cell.strip())
    if match is None:
        raise ValueError(
            f"Line {line} of the sheet: {cell!r} is no id of a labelling sheet. Ids "
            "must stay as they are; delete rows that were added."
        )
    i = int(match[1])
    if i >= len(texts) or _hash_text(texts[i]) != match[2]:
        raise ValueError(
            f"Line {line} of the sheet: the id {cell!r} belongs to other texts than "
            f"these {len(texts)}, or to others in this place. Pass the texts that the "
            "sheet was drawn from, in the same order."
        )
    return i, struct.unpack(">f", bytes.fromhex(match[3]))[0]


def _check_text(cell, text, line):
    # some programs keep the apostrophes before formulas, some swallow them
    if normalize_cell(cell).lstrip("'") != normalize_cell(to_cell(text)).lstrip("'"):
        raise ValueError(
            f"Line {line} of the sheet: its text has changed, from {text[:60]!r} to "
            f"{cell[:60]!r}. If it was edited, the label may not be one of this text."
        )


def _parse_label(cell, blank):
    """Return 1, 0 or NaN, and whether the cell can be read."""
    word = cell.strip().casefold()
    if word in _YES:
        return 1.0, True
    if word in _NO or (not word and blank == "no"):
        return 0.0, True
    return np.nan, not word


def _describe_unreadable(problems):
    named = [
        f"line {row.line}, {row.hypothesis!r}: {row.value!r}"
        for row in problems.head(2 * _NAMED).itertuples()
    ]
    more = len(problems) - len(named)
    return (
        f"No label can be read in {pluralize(len(problems), 'cell')} of the sheet ("
        + "; ".join(named)
        + (f"; and {more} more" if more else "")
        + "). Write 1, 0, yes, no, true, false or x, or leave them empty; or pass "
        'unreadable="unlabelled".'
    )
