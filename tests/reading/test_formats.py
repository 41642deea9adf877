"""Files of other programs, packed files, standard input: read rightly, or named."""

import bz2
import gzip
import io
import json
import lzma
import os
import re
import sys
import warnings
import zipfile
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from reading_cases import COLUMNS, check_same, make_frame, read, refuse, take_advice

from sklearn_hypo import read_labelled_texts

openpyxl = pytest.importorskip("openpyxl")
pyreadstat = pytest.importorskip("pyreadstat")
pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")
pytest.importorskip("pyarrow.feather")
polars = pytest.importorskip("polars")
datasets = pytest.importorskip("datasets")


def write_json_array(frame, path):
    path.write_text(json.dumps(frame.to_dict("records"), indent=1), "utf-8")


def write_pretty_objects(frame, path):
    records = [json.dumps(each, indent=2) for each in frame.to_dict("records")]
    path.write_text("\n".join(records), "utf-8")


def write_stream(frame, path):
    """Write what the package datasets keeps on disk."""
    table = pyarrow.Table.from_pandas(frame)
    with (
        pyarrow.OSFile(str(path), "wb") as file,
        pyarrow.ipc.new_stream(file, table.schema) as stream,
    ):
        stream.write_table(table, max_chunksize=7)


WRITERS = {
    "t.xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "t.dta": lambda frame, path: frame.to_stata(path, version=118, write_index=False),
    "old.dta": lambda frame, path: frame.assign(
        text=frame["text"].str.encode("ascii", "ignore").str.decode("ascii")
    ).to_stata(path, version=114, write_index=False),
    "t.sav": lambda frame, path: pyreadstat.write_sav(frame, path),
    "t.zsav": lambda frame, path: pyreadstat.write_sav(frame, path, compress=True),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.feather": lambda frame, path: frame.to_feather(path),
    "stream.arrow": write_stream,
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "lines.json": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "array.json": write_json_array,
    "pretty.json": write_pretty_objects,
    "columns.json": lambda frame, path: path.write_text(
        json.dumps(frame.to_dict("list")), "utf-8"
    ),
    "pandas.json": lambda frame, path: frame.to_json(path),
    "split.json": lambda frame, path: frame.to_json(path, orient="split"),
    "api.json": lambda frame, path: path.write_text(
        json.dumps({"n": 60, "results": frame.to_dict("records")}), "utf-8"
    ),
}


@pytest.fixture
def frame():
    return make_frame().assign(**{f"other{i}": i for i in range(5)})


def write(frame, path):
    """Write a table in the format that the end of a name says."""
    frame = frame.copy()
    WRITERS[path.name](frame, path)
    if path.name == "old.dta":
        frame["text"] = read_labelled_texts(path, "text", "y").texts
    return frame


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_read(frame, tmp_path, name):
    frame = write(frame, tmp_path / name)
    rows = read(tmp_path / name)
    check_same(rows, frame)
    assert rows.notes == ()


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".json", ".data", ""])
@pytest.mark.parametrize("name", WRITERS)
def test_the_content_decides_not_the_name(frame, tmp_path, name, suffix):
    frame = write(frame, tmp_path / name)
    wrong = tmp_path / f"wrong{suffix}"
    (tmp_path / name).rename(wrong)
    rows = read(wrong)
    check_same(rows, frame)
    is_binary = not name.endswith((".json", ".csv"))
    assert bool(rows.notes) == (is_binary and suffix in (".csv", ".txt", ".json"))
    if rows.notes:
        assert "whatever its name says" in rows.notes[0]


@pytest.mark.parametrize("name", WRITERS)
def test_file_objects_are_read(frame, tmp_path, name):
    frame = write(frame, tmp_path / name)
    check_same(read(io.BytesIO((tmp_path / name).read_bytes())), frame)
    if name.endswith((".json", ".csv")):
        check_same(read(io.StringIO((tmp_path / name).read_text("utf-8"))), frame)
        with open(tmp_path / name, encoding="utf-8") as file:
            check_same(read(file), frame)


def test_tables_are_read(frame):
    tables = (
        frame,
        polars.from_pandas(frame),
        pyarrow.Table.from_pandas(frame),
        datasets.Dataset.from_pandas(frame),
    )
    for table in tables:
        check_same(read(table), frame)
        refuse(table, "the table has no column 'z'", target="z")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", WRITERS)
def test_packed_files(frame, tmp_path, name, pack):
    frame = write(frame, tmp_path / name)
    packed = tmp_path / "packed"
    packed.write_bytes(pack((tmp_path / name).read_bytes()))
    check_same(read(packed), frame)


@pytest.mark.parametrize("name", WRITERS)
def test_archives_of_one_file(frame, tmp_path, name):
    frame = write(frame, tmp_path / name)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("__MACOSX/._t", b"")
        archive.mkdir("folder")
        archive.write(tmp_path / name, f"folder/{name}")
    check_same(read(tmp_path / "t.zip"), frame)


def test_archives_of_several_files_name_them(frame, tmp_path, run):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("data/a.csv", frame.to_csv(index=False))
        archive.writestr("b.csv", "x")
    message = refuse(tmp_path / "t.zip", "'data/a.csv', 'b.csv'", "Name the one")
    path = re.search("such as '(.*)'", message)[1]
    assert run(path, *COLUMNS)[0] == 0
    assert run(path, *COLUMNS)[0] == 0  # into the same folder
    assert "there is no file" in run(tmp_path / "no.csv", *COLUMNS)[2]
    refuse(tmp_path / "t.zip" / "c.csv", "but not 'c.csv'")


def test_addresses_and_archives_of_nothing(tmp_path):
    refuse("https://x.org/t.csv", "is an address, not a file. Download it")
    with zipfile.ZipFile(tmp_path / "t.zip", "w"):
        pass
    refuse(tmp_path / "t.zip", "holds no file")


def test_damaged_archives(frame, tmp_path):
    data = frame.to_csv(index=False).encode()
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)
    whole = (tmp_path / "t.zip").read_bytes()
    for cut in (whole[:-30], whole[:100], whole[:60] + bytes(300) + whole[360:]):
        (tmp_path / "t.zip").write_bytes(cut)
        refuse(tmp_path / "t.zip", "cannot be read")


# JSON -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"text": "a", "y": 1}\n{"text": oops}',
            "line 2 is not JSON (Expecting value",
        ),
        ('{"text": "a", "y": 1}\n{"text": "b"', "line 2 is not JSON"),
        ('[\n{"text": "a", "y": 1},\n{"text": "b', "line 3 is not JSON"),
        ('[{"text": "a", "y": 1}\n', "line 2 is where the file ends, within an array"),
        ('[{"text": "a", "y": 1}]\n[1]', "line 2 is not JSON (something follows"),
        ('\n["a", 1]', "line 2 is not a JSON object"),
        ("[[1, 2]]", "line 1 is not a JSON object"),
        ('{"text": ["a", "b"], "y": [1]}', "differ in length ('text' 2, 'y' 1)"),
        ('{"columns": ["text", "y"], "data": [["a", 1], ["b"]]}', "too few values"),
        ('{"a": "a", "z": 1}\n{"b": 1}', "no column 'text' or 'y'"),
        ("[" * 100_000, "line 1 cannot be read"),
        ('{"text": "a", "y": ' + "9" * 5000 + "}", "line 1 cannot be read"),
    ],
)
def test_damaged_json(tmp_path, text, message):
    (tmp_path / "t.json").write_text(text)
    refuse(tmp_path / "t.json", message)


def test_objects_larger_than_what_is_read_at_once(tmp_path):
    frame = make_frame(40)
    frame["text"] = [f"{text} {'x' * 50_000}" for text in frame["text"]]
    for name in ("lines.json", "array.json", "pretty.json", "columns.json"):
        WRITERS[name](frame, tmp_path / name)
        check_same(read(tmp_path / name), frame)


TWEETS = [
    {"id": str(i), "text": f"tweet {i}", "metrics": {"likes": i, "a.b": 0}}
    for i in range(8)
]


@pytest.mark.parametrize(
    ("content", "text", "likes"),
    [
        ([{"tweet": each} for each in TWEETS], "tweet.text", "tweet.metrics.likes"),
        ({"data": TWEETS, "meta": {"n": 8}}, "text", "metrics.likes"),
        (
            {"data": TWEETS, "includes": {"users": [{"id": "1", "name": "Ann"}]}},
            "text",
            "metrics.likes",
        ),
        (
            {"kind": "Listing", "data": {"children": [{"data": e} for e in TWEETS]}},
            "data.text",
            "data.metrics.likes",
        ),
    ],
)
def test_objects_within_objects_have_paths(tmp_path, content, text, likes):
    # as the interfaces of Twitter, Reddit and YouTube answer
    path = tmp_path / "t.json"
    path.write_text(json.dumps(content))
    message = refuse(path, f"Did you mean '{likes}'?", text=text, target="likes")
    assert "has no column 'likes'" in message
    rows = read(path, text, likes)
    assert rows.texts.tolist() == [f"tweet {i}" for i in range(8)]
    assert rows.target.tolist() == list(range(8))


def test_objects_may_be_nested_as_deep_as_json_allows(tmp_path):
    deep = '{"a":' * 900 + "1" + "}" * 900
    line = '{"text": "a", "y": 1, "z": %s}\n{"text": "b", "y": 2}'
    (tmp_path / "t.jsonl").write_text(line % deep)
    assert read(tmp_path / "t.jsonl").target.tolist() == [1, 2]
    (tmp_path / "t.json").write_text(deep)
    refuse(tmp_path / "t.json", "has no column 'text' or 'y'. Its columns: 'a'")


def test_a_target_that_is_an_object_names_a_value_within(tmp_path):
    # as mongoexport writes numbers
    lines = [{"text": f"text {i}", "y": {"$numberInt": str(i)}} for i in range(8)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    refuse(tmp_path / "t.jsonl", "'y' are objects themselves", "as 'y.$numberInt'")
    rows = read(tmp_path / "t.jsonl", target="y.$numberInt")
    assert rows.target.tolist() == list(range(8))


def test_objects_within_objects_may_be_null(tmp_path):
    lines = [{"user": None}, {"user": {"text": "a"}}, {"user": {"text": "b"}}, {}]
    lines = [{**each, "y": i} for i, each in enumerate(lines)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = read(tmp_path / "t.jsonl", "user.text")
    assert (rows.texts.tolist(), rows.target.tolist()) == (["a", "b"], [1, 2])


def test_objects_that_lack_a_name(tmp_path):
    records = make_frame().to_dict("records")
    del records[3]["text"], records[7]["y"]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, records)))
    assert read(tmp_path / "t.jsonl").dropped == {
        "without_text": 1,
        "without_target": 1,
    }


# Excel ----------------------------------------------------------------------------


def test_of_several_sheets_the_first_is_read_and_others_named(frame, tmp_path, run):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        frame.to_excel(book, sheet_name="Wave 1", index=False)
        frame.iloc[::-1].to_excel(book, sheet_name="Wave 2", index=False)
    rows = read(path)
    check_same(rows, frame)
    assert "has 2 sheets, of which the first is read, 'Wave 1'" in rows.notes[0]
    code, _, err = run(path, *COLUMNS)
    assert code == 0
    assert "--sheet" in err
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["notes"] == list(rows.notes)
    for sheet in ("Wave 2", "2"):
        check_same(read(path, sheet=sheet), frame.iloc[::-1])
    refuse(path, "no sheet 'Wave 3'. It has: 'Wave 1', 'Wave 2'", sheet="Wave 3")


def test_columns_in_another_sheet(frame, tmp_path, run):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["this survey"]}).to_excel(book, sheet_name="Readme")
        frame.to_excel(book, sheet_name="The data", index=False)
    message = refuse(path, "the sheet 'Readme' of", "has no column 'text' or 'y'")
    advice = take_advice(message, "--sheet")
    assert advice == ["--sheet", "The data"]
    assert run(path, *COLUMNS, *advice)[0] == 0


def test_sheets_that_begin_with_empty_rows_and_have_gaps(frame, tmp_path):
    book = openpyxl.Workbook()
    rows = [frame.columns.tolist(), *frame.to_numpy().tolist()]
    for i, row in enumerate(rows[:30] + [[None]] + rows[30:]):
        for j, value in enumerate(row):
            book.active.cell(i + 4, j + 2, value)
    book.save(tmp_path / "t.xlsx")
    check_same(read(tmp_path / "t.xlsx"), frame)


def test_titles_above_a_table_and_hidden_sheets(frame, tmp_path):
    book = openpyxl.Workbook()
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("Data")
    for row in [
        ["Survey", 2024],
        [],
        frame.columns.tolist(),
        *frame.to_numpy().tolist(),
    ]:
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    rows = read(tmp_path / "t.xlsx")
    check_same(rows, frame)
    (note,) = rows.notes
    assert "above the names of columns is left out: 'Survey 2024'" in note


def test_texts_that_a_spreadsheet_took_for_numbers(frame, tmp_path):
    texts = frame["text"].astype(object)
    texts[4], texts[5], texts[6] = 10, 2.5, pd.Timestamp("2024-01-02")
    frame.assign(text=texts).to_excel(tmp_path / "t.xlsx", index=False)
    rows = read(tmp_path / "t.xlsx")
    assert rows.texts[4:7].tolist() == ["10", "2.5", "2024-01-02 00:00:00"]
    (note,) = rows.notes
    assert (
        "3 values that are no texts are read as they are written: '10', '2.5'" in note
    )
    refuse(tmp_path / "t.xlsx", "no texts, such as '0'", "by --text", text="other0")


def test_columns_of_one_name_in_files_of_arrow(frame, tmp_path):
    columns = {"text": frame["text"], "y": frame["y"], "z": frame["text"] + " 2"}
    table = pyarrow.table(columns).rename_columns(["text", "y", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        refuse(tmp_path / name, "2 columns 'text' (its columns 1, 3)")
        check_same(read(tmp_path / name, "text#1"), frame)
        check_same(
            read(tmp_path / name, "text#2"), frame.assign(text=frame["text"] + " 2")
        )


def test_workbooks_without_styles(frame, tmp_path):
    # as websites write them; openpyxl would warn
    frame.to_excel(tmp_path / "whole.xlsx", index=False)
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as whole,
        zipfile.ZipFile(tmp_path / "t.xlsx", "w") as bare,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            if name == "xl/styles.xml":
                content = re.sub(
                    rb"(<styleSheet[^>]*>).*", rb"\1</styleSheet>", content
                )
            bare.writestr(name, content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_same(read(tmp_path / "t.xlsx"), frame)


def test_sheets_without_a_header(frame, tmp_path):
    frame.to_excel(tmp_path / "t.xlsx", index=False, header=False)
    refuse(tmp_path / "t.xlsx", "add --no-header and name columns")
    check_same(read(tmp_path / "t.xlsx", "2", "3", header=False), frame)


# Stata and SPSS -------------------------------------------------------------------


def test_labels_of_stata_are_classes(tmp_path, run):
    frame = make_frame()
    frame["y"] = pd.Categorical.from_codes(
        frame["y"].clip(upper=1), ["not at all", "yes, very"]
    )
    frame.to_stata(tmp_path / "t.dta", version=118, write_index=False)
    rows = read(tmp_path / "t.dta", task="classification")
    check_same(rows, frame)
    assert run(tmp_path / "t.dta", *COLUMNS, "--task", "classification")[0] == 0
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["holdout"]["classes"] == ["not at all", "yes, very"]


def test_scales_of_which_only_the_ends_have_labels_are_numbers(tmp_path):
    frame = make_frame().assign(y=np.arange(60) % 11)
    labels = {"y": {0: "not at all", 10: "very"}}
    frame.to_stata(
        tmp_path / "t.dta", version=118, value_labels=labels, write_index=False
    )
    pyreadstat.write_sav(frame, tmp_path / "t.sav", variable_value_labels=labels)
    for name in ("t.dta", "t.sav"):
        rows = read(tmp_path / name)
        check_same(rows, frame)
        (note,) = rows.notes
        assert "labels for 2 of 11 values, such as 'not at all' for 0" in note


def test_one_label_for_two_values_of_stata(tmp_path):
    frame = make_frame().assign(y=np.arange(60) % 3)
    labels = {"y": {0: "no", 1: "yes", 2: "yes"}}
    frame.to_stata(
        tmp_path / "t.dta", version=118, value_labels=labels, write_index=False
    )
    check_same(read(tmp_path / "t.dta"), frame)


def test_texts_of_stata_that_are_not_in_utf8_are_noted(tmp_path):
    frame = make_frame().assign(text=[f"text {i} Xyz" for i in range(60)])
    frame.to_stata(tmp_path / "t.dta", version=118, write_index=False)
    data = (tmp_path / "t.dta").read_bytes().replace(b"Xyz", b"caf\xe9"[1:])
    (tmp_path / "t.dta").write_bytes(data)
    rows = read(tmp_path / "t.dta")
    assert rows.texts[0] == "text 0 afé"
    (note,) = rows.notes
    assert "read as latin-1" in note


def test_what_spss_declares_as_missing_is_missing(tmp_path):
    frame = make_frame().assign(y=[1.0, 2.0, 8.0, -99.0] * 15)
    pyreadstat.write_sav(
        frame,
        tmp_path / "t.sav",
        variable_value_labels={
            "y": {1.0: "No", 2.0: "Yes", 8.0: "Don't know", -99.0: "Refused"}
        },
        missing_ranges={"y": [8.0, -99.0]},
    )
    rows = read(tmp_path / "t.sav", task="classification")
    assert rows.dropped["without_target"] == 30
    assert rows.target.tolist() == ["No", "Yes"] * 15


# What cannot be read --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("t.xlsx", "openpyxl", "openpyxl"),
        ("t.sav", "pyreadstat", "pyreadstat"),
        ("t.parquet", "pyarrow", "pyarrow"),
        ("t.feather", "pyarrow", "pyarrow"),
    ],
)
def test_libraries_that_are_not_installed(
    frame, tmp_path, run, monkeypatch, name, module, package
):
    write(frame, tmp_path / name)
    monkeypatch.setitem(sys.modules, module, None)
    code, out, err = run(tmp_path / name, *COLUMNS)
    assert (code, out) == (1, "")
    assert f"is read with {package}, which is not installed" in err
    assert "pip install 'sklearn-hypo[files]'" in err


@pytest.mark.parametrize("name", [name for name in WRITERS if "json" not in name][:8])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_files_cut_short(frame, tmp_path, run, name, share):
    write(frame, tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    code, out, err = run(tmp_path / name, "--text", "text", "--target", "y")
    assert (code, out) == (1, "")
    assert re.fullmatch("sklearn-hypo: error: .*cannot be read.*\n", err)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "before 2007 (.xls)"),
        (b"<html><body><table><tr><td>text</td></tr></table>", "a web page (HTML)"),
        (b'\xef\xbb\xbf\n<table border="1"><tr><th>text', "a web page (HTML)"),
        (b'<?xml version="1.0"?><Workbook>', "XML, whatever its name says"),
        (b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14" + bytes(300), "a file of SAS"),
        (b"FEA1" + bytes(90), "Feather file of version 1"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"\x28\xb5\x2f\xfd\x24\x05", "packed by Zstandard"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "archive of 7-Zip"),
        (b"Rar!\x1a\x07\x01", "archive of 7-Zip or RAR"),
        (b"t.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (b"SQLite format 3\0\x10\0", "a database of SQLite"),
        (b"-- MySQL dump 10.13  Distrib 8.0\n--\n", "a dump of a database (SQL)"),
        (b"--\n-- PostgreSQL database dump\n--\n", "a dump of a database (SQL)"),
        (b"INSERT INTO `t` VALUES ('good',1);", "a dump of a database (SQL)"),
        (b"RDX3\nX\n\0\0\0\3", "data of R"),
        (gzip.compress(b"X\n\0\0\0\3\0\4", mtime=0), "data of R"),
        (b"\x80\x04\x95\x1f\0\0", "a pickle of Python"),
        (b"\x89HDF\r\n\x1a\n\0", "a file of HDF5"),
        (b'window.YTD.tweets.part0 = [ {"tweet": {}}]', "JavaScript, as archives"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "none of the formats"),
    ],
)
@pytest.mark.parametrize("name", ["t.xls", "t.csv"])
def test_what_is_no_table_says_what_it_is(tmp_path, content, message, name):
    (tmp_path / name).write_bytes(content)
    refuse(tmp_path / name, message)


def test_documents_of_office_that_are_no_workbooks(tmp_path):
    for member in ("word/document.xml", "xl/workbook.bin"):
        with zipfile.ZipFile(tmp_path / "t.docx", "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr(member, "")
        refuse(tmp_path / "t.docx", "save the table as .xlsx or CSV")


@pytest.mark.parametrize(
    ("name", "options", "option"),
    [
        ("t.csv", {"sheet": "1"}, "--sheet"),
        ("t.parquet", {"sep": ";"}, "--sep"),
        ("t.dta", {"header": False}, "--no-header"),
        ("array.json", {"quotes": False}, "--no-quotes"),
        ("t.xlsx", {"encoding": "cp1252"}, "--encoding"),
    ],
)
def test_options_of_another_format(frame, tmp_path, name, options, option):
    write(frame, tmp_path / name)
    refuse(tmp_path / name, f"for which there is no {option}", **options)


# Standard input -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "array.json", "t.parquet", "t.xlsx"])
def test_standard_input(frame, tmp_path, run, monkeypatch, name):
    write(frame, tmp_path / name)
    data = (tmp_path / name).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, _ = run("-", *COLUMNS)
    assert code == 0
    assert "Wrote" in out
    settings = json.loads((tmp_path / "out" / "settings.json").read_text())
    with_path = run(tmp_path / name, *COLUMNS)
    assert with_path[0] == 0
    same = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert settings["file"].pop("path") == "-"
    assert settings["file"]["sha256"] == same["file"]["sha256"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_pipes_with_names(frame, tmp_path):
    # as of <(command) in a shell
    os.mkfifo(tmp_path / "pipe")
    text = frame.to_csv(index=False)
    writer = Thread(target=(tmp_path / "pipe").write_text, args=(text, "utf-8"))
    writer.start()
    try:
        check_same(read(tmp_path / "pipe"), frame)
    finally:
        writer.join()


def test_errors_in_standard_input(run, monkeypatch):
    data = io.BytesIO(b"text,y\na,1\nb, c,2\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
    code, _, err = run("-", *COLUMNS)
    assert code == 1
    assert "'standard input', line 3: there are 3 fields" in err


# Settings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"task": "clf"}, "'task' parameter .* must be a str among"),
        ({"html": "strip"}, "'html' parameter .* must be a str among"),
        ({"target": 2}, "'target' parameter .* must be an instance of 'str'"),
        ({"sep": "||"}, "sep must be one character .* not '||'"),
        ({"sep": "tab"}, r"such as ';' or '\\t', not 'tab'"),
    ],
)
def test_settings_that_are_none(frame, tmp_path, setting, message):
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "t.csv", **setting)


@pytest.mark.parametrize("path", [None, {"text": ["a"], "y": [1]}, [{"text": "a"}]])
def test_what_is_neither_a_file_nor_a_table(path):
    with pytest.raises(TypeError, match=r"a path, an open file or a table, but \w+"):
        read(path)


def test_numbers_of_sheets_and_single_names(frame, tmp_path):
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        frame.iloc[:20].to_excel(book, sheet_name="one", index=False)
        frame.iloc[20:].to_excel(book, sheet_name="two", index=False)
    rows = read(tmp_path / "t.xlsx", sheet=2, covariates="id")
    check_same(rows, frame.iloc[20:])
    assert rows.covariates["id"].tolist() == frame["id"].tolist()[20:]
