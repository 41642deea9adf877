"""What holds for any file: a table comes back exactly, garbage is one message."""

import csv
import io
import json
from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_hypo._reading._formats import FileOptions, read_columns
from sklearn_hypo.exceptions import InputError

pyreadstat = pytest.importorskip("pyreadstat")
pytest.importorskip("openpyxl")
pytest.importorskip("pyarrow")

quick = settings(max_examples=150)

# Any text but blank ones, with what is hard about separated values more often.
_HARD = st.sampled_from(
    [*",;|\t\"'\\ \n", "\r\n", '""', '\\"', "\\N", "sep=,", "é", "語"]
)
_LETTERS = st.characters(codec="utf-8", exclude_characters="\0\ufeff")
_PIECES = st.lists(_HARD | st.text(_LETTERS, max_size=5), min_size=1, max_size=8)
texts = _PIECES.map("".join).filter(str.strip)
numbers = st.integers(-9, 10**6).map(str)
tables = st.lists(st.tuples(texts, numbers, texts), min_size=1, max_size=9)


@quick
@given(
    table=tables,
    sep=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    order=st.permutations(["text", "y", "other"]),
)
def test_tables_in_any_dialect_come_back_exactly(table, sep, quoting, encoding, order):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, order, delimiter=sep, quoting=quoting)
    writer.writeheader()
    writer.writerows(
        dict(zip(("text", "y", "other"), row, strict=True)) for row in table
    )
    data = io.BytesIO(file.getvalue().encode(encoding))
    values, notes = read_columns(data, ["y", "text"])
    assert values == [[row[1] for row in table], [row[0] for row in table]]
    assert notes == []


@quick
@given(table=tables, sep=st.sampled_from(",;\t|"), plain=st.booleans())
def test_named_dialects_need_no_recognition(table, sep, plain):
    if plain:
        table = [
            [field.translate(dict.fromkeys(map(ord, f"{sep}\r\n"))) for field in row]
            for row in table
        ]
        table = [row for row in table if row[0].strip()]
        text = "".join(f"{sep.join(row)}\r\n" for row in table)
    else:
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=sep).writerows(table)
        text = file.getvalue()
    options = FileOptions(sep=sep, header=False, quotes=not plain)
    if not table:
        return
    values, _ = read_columns(io.BytesIO(text.encode()), ["1", "3"], options)
    assert values == [[row[0] for row in table], [row[2] for row in table]]


json_values = st.none() | st.booleans() | st.integers() | texts | st.floats(width=32)


@quick
@given(
    records=st.lists(
        st.fixed_dictionaries({"text": json_values, "y": json_values, "z": texts}),
        min_size=1,
        max_size=6,
    ),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
    way=st.sampled_from(["lines", "array", "columns"]),
)
def test_objects_come_back_exactly(records, indent, ascii_only, way):
    style = {"indent": indent, "ensure_ascii": ascii_only}
    if way == "lines":
        text = "\n".join(json.dumps(record, **style) for record in records)
    elif way == "array":
        text = json.dumps(records, **style)
    else:
        columns = {name: [r[name] for r in records] for name in ("text", "y", "z")}
        text = json.dumps(columns, **style)
    values, _ = read_columns(io.BytesIO(text.encode()), ["text", "y"])
    expected = [[record[name] for record in records] for name in ("text", "y")]
    assert repr(values) == repr(expected)  # NaN, and 1 is not True


def read_or_refuse(data, **options):
    """Assert that bytes are read, or refused by an error of this package alone."""
    with suppress(InputError):
        values, _ = read_columns(
            io.BytesIO(data), ["text", "y"], FileOptions(**options)
        )
        assert len(values[0]) == len(values[1])


BEGINNINGS = (
    *(
        b"",
        b"text,y\n",
        b"text;y\r\na;1\r\n",
        b'"text"\t"y"\n',
        b"\xef\xbb\xbftext|y\n",
    ),
    *(
        b"\xff\xfet\0e\0x\0t\0,\0y\0\n\0",
        b"sep=;\ntext;y\n",
        b"\xfe\xff",
        b"\xff\xfe\0\0",
    ),
    *(b'{"text": "a", "y": 1}\n', b'[{"text": "a"', b"[", b"{", b'{"text": {"0": '),
    *(b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"PAR1"),
    *(b"ARROW1\0\0", b"$FL2@(#) SPSS", b"<stata_dta><header>", b"\x72\x02\x01\x00"),
    *(b"\xd0\xcf\x11\xe0", b"<html>", b"%PDF"),
)


@quick
@given(begin=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(begin, rest):
    read_or_refuse(begin + rest)


@quick
@given(
    text=st.text(st.sampled_from('text,y;\t|"\\ \n\r{}[]:19é') | _LETTERS, max_size=80)
)
def test_any_characters_are_read_or_refused(text):
    read_or_refuse(text.encode())
    read_or_refuse(b"text,y\n" + text.encode(), sep=",")
    read_or_refuse(text.encode("utf-16"), quotes=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file of each binary format."""
    frame = pd.DataFrame({"text": ["a", "b é", "c"] * 9, "y": range(27)})
    folder = tmp_path_factory.mktemp("whole")
    frame.to_excel(folder / "xlsx", index=False, engine="openpyxl")
    frame.to_stata(folder / "dta", version=118, write_index=False)
    pyreadstat.write_sav(frame, folder / "sav")
    frame.to_parquet(folder / "parquet")
    frame.to_feather(folder / "feather")
    frame.to_csv(folder / "gz", compression="gzip")
    frame.to_csv(folder / "zip", compression="zip")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@quick
@given(
    name=st.sampled_from(["xlsx", "dta", "sav", "parquet", "feather", "gz", "zip"]),
    at=st.floats(0, 1, exclude_max=True),
    put=st.binary(min_size=1, max_size=4),
)
def test_altered_files_are_read_or_refused(whole, name, at, put):
    data = whole[name]
    position = int(at * len(data))
    read_or_refuse(data[:position] + put + data[position + len(put) :])
