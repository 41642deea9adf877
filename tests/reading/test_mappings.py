"""Numbers that the user gives to values."""

import pytest
from written_targets import read_target

from sklearn_hypo._reading._mappings import read_mapping
from sklearn_hypo.exceptions import InputError


@pytest.mark.parametrize(
    "content",
    [
        'value,number\n"no, never",0\nyes,1\n',
        '"no, never",0\nyes,1.0',
        "\ufeffvalue;number\r\nno, never;0\r\nyes;1,0\r\n",
        "no, never\t0\nyes\t1\n\n",
    ],
)
def test_a_file_of_values_and_numbers(tmp_path, content):
    (tmp_path / "map.csv").write_text(content, encoding="utf-8", newline="")
    assert read_mapping(tmp_path / "map.csv") == {"no, never": 0, "yes": 1}
    rows = read_target(tmp_path, ["no, never", "Yes"] * 2, mapping=tmp_path / "map.csv")
    assert rows.target.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("yes,1\nno\n", "in row 2, 'no' has '' in the place of a number"),
        ("yes,1\nno,never,0\n", "line 2: there are 3 fields.*Put quotes around"),
        ("yes,1\nno,none\n", "in row 2, 'no' has 'none'"),
        ("yes\nno\n", "has no column '2'"),
        ("", "is empty"),
        ("value,number\n", "holds no value with a number"),
        ("a,nan\nb,inf\n", "in row 2, 'b' has 'inf'"),
    ],
)
def test_files_that_are_no_mapping(tmp_path, content, message):
    (tmp_path / "map.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_mapping(tmp_path / "map.csv")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="--map-file: there is no file"):
        read_mapping(tmp_path / "none.csv")


def test_numbers_are_compared_as_numbers(tmp_path):
    for values in ([1.0, 2, 1], ["1.0", "2", "1"], ["1", "2.00", "01"]):
        rows = read_target(tmp_path, values, "t.jsonl", mapping={"1": 0, "2.0": 5})
        assert rows.target.tolist() == [0, 5, 0]
    rows = read_target(
        tmp_path, [True, False], "t.jsonl", mapping={"true": 2, "false": 3}
    )
    assert rows.target.tolist() == [2, 3]
    rows = read_target(tmp_path, ["1", "2"], mapping={1: 0, 2.0: 5})
    assert rows.target.tolist() == [0, 5]


def test_values_without_a_number_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"no number for 'maybe' in .*\(row 2\)"
    ) as error:
        read_target(tmp_path, ["yes", "maybe", "no"], mapping={"yes": 1, "no": 0})
    assert "--missing maybe" in str(error.value)
    rows = read_target(
        tmp_path, ["yes", "maybe", "no"], mapping={"yes": 1, "no": 0}, missing=["maybe"]
    )
    assert rows.target.tolist() == [1, 0]


def test_numbers_without_a_value_are_named(tmp_path):
    rows = read_target(tmp_path, ["yes", "no"], mapping={"yes": 1, "no": 0, "nay": 2})
    assert rows.notes == (
        "the target column 'y': 1 value of --map is in no row: 'nay'.",
    )


def test_spellings_that_clash_are_not_guessed(tmp_path):
    with pytest.raises(InputError, match="no number for 'a b'"):
        read_target(tmp_path, ["A B", "a b"], mapping={"A B": 1, "A b": 0})


def test_mappings_to_no_numbers_are_refused(tmp_path):
    for number in ("1", None, float("nan")):
        with pytest.raises(InputError, match=f"has '{number}' for 'yes', which is no"):
            read_target(tmp_path, ["yes", "no"], mapping={"yes": number, "no": 0})
