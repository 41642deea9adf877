"""What is often taken for a table: files of other programs, archives, databases."""

import re

# How it begins, what it is, and what to do about it.
_KINDS = (
    (
        re.compile(rb"\xd0\xcf\x11\xe0"),
        "a file of Excel before 2007 (.xls), or another old file of Office. Open it "
        "and save it as .xlsx or CSV",
    ),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|table)\b", re.I),
        "a web page (HTML), whatever its name says, as some programs export it for "
        "Excel. Open it there and save it as .xlsx or CSV",
    ),
    (
        re.compile(rb"(\xef\xbb\xbf)?\s*<\?xml\b", re.I),
        "XML, whatever its name says. Open it with the program that it is for, and "
        "save it as .xlsx or CSV",
    ),
    (
        re.compile(rb"FEA1"),
        "a Feather file of version 1, which pyarrow is about to forget. Write it as "
        "version 2 or Parquet",
    ),
    (
        re.compile(rb"\0{12}\xc2\xea\x81\x60"),
        "a file of SAS. Export it as CSV, or for Stata or SPSS",
    ),
    (re.compile(rb"%PDF"), "a PDF. Export the table as .xlsx or CSV"),
    (re.compile(rb"\{\\rtf"), "formatted text (RTF). Export the table as CSV"),
    (
        re.compile(rb"\x28\xb5\x2f\xfd"),
        "packed by Zstandard, as archives of Reddit are. Unpack it: zstd -d --long=31",
    ),
    (
        re.compile(rb"7z\xbc\xaf\x27\x1c|Rar!\x1a"),
        "an archive of 7-Zip or RAR. Unpack it first",
    ),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive. Unpack it: tar -xf"),
    (
        re.compile(rb"SQLite format 3\0"),
        "a database of SQLite. Write the table as CSV: sqlite3 -header -csv FILE "
        "'select * from ...' > table.csv",
    ),
    (
        re.compile(
            rb"\s*(?:-- (?:MySQL|MariaDB|PostgreSQL|phpMyAdmin)|/\*!\d"
            rb"|--\r?\n-- PostgreSQL|pragma foreign_keys"
            rb"|(?:create|drop) table\s|insert into\s)",
            re.I,
        ),
        "a dump of a database (SQL). Load it there, and write the table as CSV",
    ),
    (
        re.compile(rb"RD[AX][23]\n|[ABX]\n\0\0\0[\2\3]"),
        "data of R. Write the table there: write.csv(data, 'table.csv')",
    ),
    (
        re.compile(rb"\x80[\2-\5]"),
        "a pickle of Python, which may run anything where it is read. Write the table "
        "there by to_parquet or to_csv",
    ),
    (
        re.compile(rb"\x89HDF|\x93NUMPY"),
        "a file of HDF5 or NumPy. Write the table as Parquet or CSV",
    ),
    (
        re.compile(rb"\s*(?:window\.[\w.]+|(?:var|const|let)\s+\w+)\s*=\s*[\[{]"),
        "JavaScript, as archives of Twitter are. Take out what stands before the first "
        "[ or {, and read the rest as JSON",
    ),
)


def describe_no_table(head):
    """Say what the first bytes of a file are, and what to do; None for all else."""
    return next((what for pattern, what in _KINDS if pattern.match(head)), None)
