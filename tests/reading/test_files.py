"""Separated values as people have them: read rightly, or one message on what to do."""

import csv
import io
import json
import re
import tracemalloc
from functools import partial

import pandas as pd
import pytest
from reading_cases import COLUMNS, check_same, make_frame, read, refuse, take_advice

from sklearn_hypo import read_labelled_texts
from sklearn_hypo.exceptions import InputError

# Separated values -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.tsv", "t", "t.dat"])
@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators_are_recognized_whatever_the_name(frame, tmp_path, sep, name):
    frame.loc[3, "text"] = 'a "quoted" text, with; all| of\tthem\nand two lines'
    frame.to_csv(tmp_path / name, sep=sep, index=False)
    rows = read(tmp_path / name)
    check_same(rows, frame)
    assert rows.notes == ()


@pytest.mark.parametrize("line", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_excels_first_line_names_the_separator(frame, tmp_path, line):
    text = line + frame.to_csv(sep=";", index=False)
    (tmp_path / "t.csv").write_text(text, "utf-8", newline="")
    check_same(read(tmp_path / "t.csv"), frame)


def test_commas_with_texts_full_of_semicolons(frame, tmp_path):
    frame["text"] = frame["text"].str.replace(" ", "; ")
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert (tmp_path / "t.csv").read_text("utf-8").count(";") > 300
    check_same(read(tmp_path / "t.csv"), frame)
    # also where no header tells, and no quote is needed
    frame[["text", "y"]].to_csv(tmp_path / "u.csv", index=False, header=False)
    check_same(read(tmp_path / "u.csv", "1", "2", header=False), frame)


def test_semicolons_with_decimal_commas(frame, tmp_path):
    frame["y"] += 0.5
    frame.to_csv(tmp_path / "t.csv", sep=";", decimal=",", index=False, header=False)
    values = read_labelled_texts(
        tmp_path / "t.csv", "2", "3", header=False, task="classification"
    )
    assert values.texts.tolist() == frame["text"].tolist()


@pytest.mark.parametrize("sep", [":", "~", "^"])
def test_other_separators_are_named(frame, tmp_path, run, sep):
    frame.to_csv(tmp_path / "t.csv", sep=sep, index=False)
    refuse(tmp_path / "t.csv", "has no column 'text' or 'y'", "name it by --sep")
    code, out, _ = run(tmp_path / "t.csv", *COLUMNS, "--sep", sep)
    assert code == 0
    assert "Wrote" in out


def test_sep_overrides_what_is_recognized(tmp_path):
    (tmp_path / "t.csv").write_text("text;x,text;y\na;1,b;2\nc;3,d;4\n")
    rows = read(tmp_path / "t.csv", "text", "y", sep=";")
    assert (rows.texts.tolist(), rows.target.tolist()) == (["a", "c"], [2, 4])
    refuse(tmp_path / "t.csv", "has no column", sep="|")


@pytest.mark.parametrize(
    "text", ['say \\"hi, you\\"', "\\\\server\\", "a\\nb c:\\temp"]
)
def test_quotes_behind_backslashes(frame, tmp_path, text):
    # as Spark and MySQL write them; quoted, with backslashes of its own
    right = {'say \\"hi, you\\"': 'say "hi, you"', "\\\\server\\": "\\server\\"}
    texts = frame["text"].tolist()
    texts[5], texts[7] = 'he said "no, never", twice', right.get(text, text)
    written = [each.replace("\\", "\\\\").replace('"', '\\"') for each in texts]
    lines = [f'"{each}",{y}' for each, y in zip(written, frame["y"], strict=True)]
    (tmp_path / "t.csv").write_text("text,y\n" + "\n".join(lines) + "\n", "utf-8")
    check_same(read(tmp_path / "t.csv"), frame.assign(text=texts))


def test_backslashes_before_anything_but_quotes_stay(frame, tmp_path):
    texts = [f'{text} "c:\\new\\temp"' for text in frame["text"]]
    lines = [
        '"{}",{}'.format(text.replace('"', '\\"'), y)
        for text, y in zip(texts, frame["y"], strict=True)
    ]
    # MySQL's mark of no value
    lines += ['"no target",\\N']
    (tmp_path / "t.csv").write_text("text,y\n" + "\n".join(lines), "utf-8")
    rows = read(tmp_path / "t.csv")
    check_same(rows, frame.assign(text=texts))
    assert rows.dropped["without_target"] == 1


def test_texts_that_end_in_a_backslash_are_no_escapes(frame, tmp_path):
    frame["text"] = [f"{text}, \\" for text in frame["text"]]
    frame.to_csv(tmp_path / "t.csv", index=False)
    check_same(read(tmp_path / "t.csv"), frame)


def test_escapes_that_come_late(tmp_path):
    lines = [f'"text number {i}",{i}' for i in range(20_000)]
    lines += ['"and \\"this\\", at last",1']
    (tmp_path / "t.csv").write_text("text,y\n" + "\n".join(lines))
    assert read(tmp_path / "t.csv").texts[-1] == 'and "this", at last'


def test_quotes_that_are_characters(frame, tmp_path, run):
    texts = [f'"{text.split()[0]}" they said' for text in frame["text"]]
    texts = [f"{text} {i}" for i, text in enumerate(texts)]
    lines = [f"{text}\t{y}" for text, y in zip(texts, frame["y"], strict=True)]
    (tmp_path / "t.tsv").write_text("text\ty\n" + "\n".join(lines), "utf-8")
    check_same(read(tmp_path / "t.tsv"), frame.assign(text=texts))
    # one alone is rather a mistake
    lines = [line.replace('"', "") for line in lines]
    lines[30] = '"' + lines[30]
    (tmp_path / "t.tsv").write_text("text\ty\n" + "\n".join(lines), "utf-8")
    message = refuse(tmp_path / "t.tsv", "line 32: a quote opens", "--no-quotes")
    code, _, _ = run(tmp_path / "t.tsv", *COLUMNS, *take_advice(message, "--no-quotes"))
    assert code == 0
    assert read(tmp_path / "t.tsv", quotes=False).texts[30].startswith('"')


def test_unbalanced_quotes_are_named_by_their_line(frame, tmp_path):
    lines = frame.to_csv(index=False).splitlines()
    lines[2] = '1,"a text,\nof two lines",1'
    lines[7] = '6,"opened and "not closed, 3'
    (tmp_path / "t.csv").write_text("\n".join(lines), "utf-8")
    refuse(tmp_path / "t.csv", "line 9: a quote opens", '\'"opened and "not')
    lines[7] = '6,"opened and ""now closed""", 3'  # what it says
    (tmp_path / "t.csv").write_text("\n".join(lines), "utf-8")
    assert read(tmp_path / "t.csv").texts[6] == 'opened and "now closed"'


def test_rows_with_too_many_fields_are_named_by_their_line(frame, tmp_path):
    lines = frame.to_csv(index=False).splitlines()
    lines[2] = '1,"a text,\nof two lines",1'
    lines[40] = "39,one, two and three,1"
    (tmp_path / "t.csv").write_text("\n".join(lines), "utf-8")
    refuse(
        tmp_path / "t.csv",
        "line 42: there are 4 fields, but 3 in the first line",
        "'39 | one | two and three | 1'",
        "Put quotes around texts",
    )
    lines[40] = '39,"one, two and three",1'
    (tmp_path / "t.csv").write_text("\n".join(lines), "utf-8")
    assert read(tmp_path / "t.csv").texts[39] == "one, two and three"


def test_long_rows_far_down_are_seen(tmp_path):
    lines = [f"text number {i},{i}" for i in range(30_000)]
    lines[25_000] = "a, b,1"
    (tmp_path / "t.csv").write_text("text,y\n" + "\n".join(lines))
    refuse(tmp_path / "t.csv", "line 25002: there are 3 fields")


def test_rows_with_too_few_fields_are_counted(frame, tmp_path):
    lines = frame.to_csv(index=False).splitlines()
    lines[12], lines[20] = "11,cut", "19"
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n\n  \n", "utf-8")
    rows = read(tmp_path / "t.csv")
    assert rows.n_read == 60
    assert sum(rows.dropped.values()) == 2
    (note,) = rows.notes
    assert "2 rows have fewer fields than the first row, from line 13 on" in note


def test_separators_at_the_end_of_lines_are_nothing(frame, tmp_path):
    lines = frame.to_csv(index=False).splitlines()
    text = "\n".join([lines[0], *(f"{line},," for line in lines[1:])])
    (tmp_path / "t.csv").write_text(text, "utf-8")
    check_same(read(tmp_path / "t.csv"), frame)


def test_blanks_behind_separators(frame, tmp_path):
    lines = [
        f'{i}, "{text}, yes", {y}'
        for i, text, y in frame.itertuples(index=False, name=None)
    ]
    (tmp_path / "t.csv").write_text("id, text, y\n" + "\n".join(lines), "utf-8")
    check_same(read(tmp_path / "t.csv"), frame.assign(text=frame["text"] + ", yes"))


def test_files_without_a_header_line(frame, tmp_path, run):
    frame.to_csv(tmp_path / "t.csv", index=False, header=False)
    message = refuse(tmp_path / "t.csv", "has no column 'text' or 'y'", "'0'")
    assert "add --no-header and name columns by their numbers, such as --text 1" in (
        message
    )
    code, out, _ = run(
        tmp_path / "t.csv", "--no-header", "--text", "2", "--target", "3"
    )
    assert code == 0
    assert "Wrote" in out
    check_same(read(tmp_path / "t.csv", "2", "3", header=False), frame)
    refuse(tmp_path / "t.csv", "no column 'text'", "'1', '2', '3'", header=False)
    frame[["text", "y"]].assign(y="pos").to_csv(
        tmp_path / "t.csv", index=False, header=False
    )
    refuse(tmp_path / "t.csv", "'pos'. If that is the first row", "add --no-header")


def test_titles_above_the_names_of_columns(frame, tmp_path):
    for above in ("Survey export, 2024\n\nsource;ours\n", "sep=,\nSurvey\n"):
        text = above + frame.to_csv(index=False)
        (tmp_path / "t.csv").write_text(text, "utf-8")
        rows = read(tmp_path / "t.csv")
        check_same(rows, frame)
        (note,) = rows.notes
        assert "what stands above the names of columns is left out: 'Survey" in note
    lines = text.splitlines()
    lines[30] += ",more"
    (tmp_path / "t.csv").write_text("\n".join(lines), "utf-8")
    refuse(tmp_path / "t.csv", "line 31: there are 4 fields")


def test_columns_of_one_name(frame, tmp_path, run):
    frame = frame.rename(columns={"id": "text"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    message = refuse(tmp_path / "t.csv", "2 columns 'text' (its columns 1, 2)")
    name = re.search(r"or '([^']*)'", message)[1]
    assert name == "text#2"
    assert read(tmp_path / "t.csv", name).texts[0].endswith("number 0")
    assert run(tmp_path / "t.csv", "--text", name, "--target", "y")[0] == 0


def test_close_names_are_proposed(frame, tmp_path):
    frame.to_csv(tmp_path / "t.csv", index=False)
    refuse(tmp_path / "t.csv", "Did you mean 'text'?", text="Text")


def test_line_ends_of_all_systems(frame, tmp_path):
    for end in ("\n", "\r\n", "\r"):
        text = frame.to_csv(index=False).replace("\n", end)
        (tmp_path / "t.csv").write_text(text, "utf-8", newline="")
        check_same(read(tmp_path / "t.csv"), frame)


def test_texts_as_long_as_books(frame, tmp_path):
    frame.loc[4, "text"] = "word, " * 100_000 + "end"
    frame.to_csv(tmp_path / "t.csv", index=False)
    check_same(read(tmp_path / "t.csv"), frame)


def test_columns_that_nobody_asked_for_take_no_memory(tmp_path):
    others = ",".join(f"value{i:03}" for i in range(60))
    with open(tmp_path / "t.csv", "w") as file:
        file.write("text,y," + ",".join(f"other{i}" for i in range(60)) + "\n")
        file.writelines(f"text number {i},{i % 5},{others}\n" for i in range(12_000))
    size = (tmp_path / "t.csv").stat().st_size
    assert size > 6_000_000
    tracemalloc.start()
    rows = read(tmp_path / "t.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows.texts) == 12_000
    # all values as strings would be six times the file
    assert peak < size


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"sep=;\n"])
def test_empty_files(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    refuse(tmp_path / "t.csv", "holds no table" if b"sep" in content else "is empty")


# Encodings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_with_a_mark(frame, tmp_path, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    text = mark + frame.to_csv(index=False, sep="\t")
    (tmp_path / "t.csv").write_text(text, encoding)
    check_same(read(tmp_path / "t.csv"), frame)
    records = [json.dumps(r, ensure_ascii=False) for r in frame.to_dict("records")]
    (tmp_path / "t.jsonl").write_text(mark + "\n".join(records), encoding)
    check_same(read(tmp_path / "t.jsonl"), frame)


def test_utf16_without_a_mark(frame, tmp_path, run):
    frame.to_csv(tmp_path / "t.csv", index=False, encoding="utf-16-le")
    message = refuse(tmp_path / "t.csv", "UTF-16, without the mark")
    advice = take_advice(message, "--encoding")
    assert run(tmp_path / "t.csv", *COLUMNS, *advice)[0] == 0


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("cp1252", "naïve „café“ – ça va"),
        ("cp1250", "zażółć gęślą jaźń"),
        ("cp1251", "это очень хорошая книга, я рекомендую"),
        ("koi8-r", "это очень хорошая книга, я рекомендую"),
        ("cp932", "とても良い本でした、また読みたいと思います"),
        ("cp949", "이 책은 아주 좋은 책이고 나는 다시 읽고 싶다"),
        ("gb18030", "这是一本很好的书，我们都在说他的故事"),
        ("cp1253", "είναι ένα πολύ καλό βιβλίο"),
        ("cp1255", "זה ספר טוב מאוד ואני ממליץ עליו"),
        ("cp1256", "هذا كتاب جيد جدا وأنا أنصح به"),
        ("cp874", "หนังสือเล่มนี้ดีมากและน่าอ่าน"),
    ],
)
def test_other_encodings_are_named_and_not_guessed(tmp_path, run, encoding, word):
    frame = make_frame().assign(text=[f"{word} number {i}" for i in range(60)])
    frame.to_csv(tmp_path / "t.csv", index=False, encoding=encoding)
    message = refuse(tmp_path / "t.csv", "is not in UTF-8: line 2 holds the byte 0x")
    assert word.split()[0][:6] in message
    assert take_advice(message, "--encoding") == ["--encoding", encoding]
    check_same(read(tmp_path / "t.csv", encoding=encoding), frame)


def test_cp1252_is_named_with_line_and_byte_and_leaves_no_mojibake(tmp_path, run):
    frame = make_frame()
    frame["text"] = frame["text"].str.replace("[^a-z0-9 ]+", "é", regex=True)
    frame["text"] = frame["text"].str.replace("plain", "café – “naïve”")
    frame.loc[0, "text"] = "ascii, only"
    frame.rename(columns={"y": "größe"}).to_csv(
        tmp_path / "t.csv", index=False, encoding="cp1252"
    )
    columns = ("--text", "text", "--target", "größe")
    code, _, err = run(tmp_path / "t.csv", *columns)
    assert code == 1
    assert "line 1 holds the byte 0xf6 (its byte 11). In cp1252 it reads" in err
    code, out, err = run(tmp_path / "t.csv", *columns, *take_advice(err, "--encoding"))
    assert code == 0
    pages = [path.read_text("utf-8") for path in (tmp_path / "out").iterdir()]
    for text in (*pages, out, err):
        assert not re.search("Ã|â€|\ufffd", text)
    assert any("café" in page for page in pages)
    assert any("größe" in page for page in pages)


def test_bytes_that_are_in_no_encoding_that_was_named(frame, tmp_path):
    frame.to_csv(tmp_path / "t.csv", index=False)
    refuse(tmp_path / "t.csv", "is not in ascii: line", "--encoding", encoding="ascii")
    refuse(tmp_path / "t.csv", "encoding 'utf-9' is not known", encoding="utf-9")


def test_file_objects_without_a_name(frame):
    refuse(io.BytesIO(b"text,y\ncaf\xe9,1\n"), "the file is not in UTF-8: line 2")
    refuse(io.StringIO("text,y\n\ud800,1\n"), "the file is not in UTF-8: line 2")


def test_files_in_two_encodings(frame, tmp_path):
    data = frame.to_csv(index=False).encode() + "99,café,1\n".encode("cp1252")
    (tmp_path / "t.csv").write_bytes(data)
    refuse(tmp_path / "t.csv", "line 62 holds the byte 0xe9", "in several encodings")


def test_texts_that_came_misread_are_told(frame, tmp_path):
    frame["text"] = [f"un café – {text}" for text in frame["text"]]
    frame.loc[:9, "text"] = [
        text.encode().decode("latin-1") if i else "un cafÃ© â€“"
        for i, text in enumerate(frame["text"][:10])
    ]
    frame.to_csv(tmp_path / "t.csv", index=False)
    rows = read(tmp_path / "t.csv")
    check_same(rows, frame)  # nothing is changed
    (note,) = rows.notes
    assert "in 10 texts another program read UTF-8 as cp1252, such as 'un cafÃ©" in note
    assert "for 'un café –'" in note
    frame["text"] = ["Ã la carte, ça", *("plain naïve € text" for _ in range(59))]
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv").notes == ()


def test_texts_that_lost_characters_are_told(frame, tmp_path):
    frame.loc[3, "text"] = "caf\ufffd"
    frame.to_csv(tmp_path / "t.csv", index=False)
    (note,) = read(tmp_path / "t.csv").notes
    assert "in 1 text another program lost characters, such as 'caf\ufffd'" in note


# Exports of other programs ----------------------------------------------------------


@pytest.mark.parametrize("sep", ["\t", ";", ",", " "])
def test_numbers_of_rows_without_a_name(frame, tmp_path, sep):
    # as write.table of R writes them
    path = tmp_path / "t.txt"
    frame[["text", "y"]].to_csv(path, sep=sep, quoting=csv.QUOTE_NONNUMERIC)
    path.write_text(path.read_text("utf-8").removeprefix(f'""{sep}'), "utf-8")
    rows = read(path, sep=" " if sep == " " else None)
    check_same(rows, frame)
    assert "rows begin with their numbers" in rows.notes[0]


def test_texts_with_separators_are_no_numbers_of_rows(tmp_path):
    (tmp_path / "t.csv").write_text("text,y\ngood, very,5\nbad, very,3\n")
    refuse(tmp_path / "t.csv", "line 2: there are 3 fields")


@pytest.mark.parametrize("n_about", [1, 2])
@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "table"])
def test_rows_in_which_qualtrics_describes_columns(tmp_path, name, n_about):
    about = {
        "text": ["What did you like?", '{"ImportId":"QID1_TEXT"}'],
        "y": ["How satisfied are you?", '{"ImportId":"QID2"}'],
    }
    answers = {
        "text": list("abcd"),
        "y": ["satisfied", "neutral", "dissatisfied", "?!"],
    }
    table = pd.DataFrame(
        {role: about[role][-n_about:] + answers[role] for role in about}
    )
    file = table if name == "table" else tmp_path / name
    if name == "t.csv":
        table.to_csv(file, index=False)
    elif name == "t.xlsx":
        table.to_excel(file, index=False)
    rows = read(file, missing=["?!"])
    assert rows.texts.tolist() == ["a", "b", "c"]
    assert rows.target.tolist() == [4, 3, 2]
    assert (rows.n_read, rows.dropped["without_target"]) == (4, 1)
    assert "in which Qualtrics describes the columns" in rows.notes[0]
    rows = read(file, test=file, missing=["?!"])
    assert rows.is_test.tolist() == [False] * 3 + [True] * 3
    # rows keep the numbers that they have in the file
    with pytest.raises(InputError, match=rf"'neutral' .*row {n_about + 2}\b"):
        read(file, mapping={"satisfied": 1, "dissatisfied": 0}, missing=["?!"])


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "t.parquet", "t.xlsx"])
def test_names_with_line_breaks_go_by_what_is_shown(tmp_path, name):
    table = pd.DataFrame({"How was it?\n(one word)": ["good", "bad"], "y": [1, 2]})
    path = tmp_path / name
    {
        "t.csv": partial(table.to_csv, index=False),
        "t.json": table.to_json,
        "t.jsonl": partial(table.to_json, orient="records", lines=True),
        "t.parquet": table.to_parquet,
        "t.xlsx": partial(table.to_excel, index=False),
    }[name](path)
    refuse(path, "Its columns: 'How was it? (one word)', 'y'")
    rows = read(path, "How was it? (one word)")
    assert rows.texts.tolist() == ["good", "bad"]


def test_the_number_of_a_question_proposes_its_name(tmp_path):
    long = "G1Q1. " + "How was it all in all? " * 5
    (tmp_path / "t.csv").write_text(f"id,{long.strip()},y\n1,good,1\n2,bad,2\n")
    message = refuse(tmp_path / "t.csv", "Did you mean 'G1Q1.", text="G1Q1")
    name = re.search(r"Did you mean '(.*)'\?", message)[1]
    assert read(tmp_path / "t.csv", name).texts.tolist() == ["good", "bad"]
