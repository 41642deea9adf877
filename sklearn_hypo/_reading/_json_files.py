"""JSON: objects line by line, one after another or in an array, or columns."""

import json
import re
from itertools import chain, islice

from .._utils._printable import quote_value, shorten
from ..exceptions import InputError
from ._column_names import are_shown_alike, find_columns
from ._encodings import find_encoding, open_text

_SHOWN = 40  # characters of what was found
_AT_ONCE = 2**18  # characters
_DEEPEST = 20  # objects within objects that are looked into
_ABSENT = object()  # null is a value
_BLANKS = re.compile(r"[\s\ufeff]*")
_BETWEEN = re.compile(r"[\s,]*")
_LONGEST_WORD = len("-Infinity")

_BEGIN = re.compile(r'[\s\ufeff]*(\{\s*("|\}|$)|\[\s*(\{|\[|"|\]|-?\d|$))')


def seems_json(head):
    """Tell whether the first characters of a file are those of JSON."""
    return _BEGIN.match(head) is not None


def read_json(source, wanted, options):
    """Read columns of a file of JSON.

    Parameters and returns are as in `read_delimited`; values are as JSON has them,
    None where an object lacks one.
    """
    encoding = find_encoding(source.read_head()[0], options.encoding)
    with open_text(source, encoding) as stream:
        text = _Text(source, stream)
        in_array = text.begins_array()
        objects = text.decode_objects(in_array)
        first = list(islice(objects, 2))
        if len(first) == 1 and not in_array:
            return _read_columns(source, first[0], wanted), []
        return _read_objects(source, chain(first, objects), wanted), []


def _read_objects(source, objects, wanted):
    names, keys, values = {}, list(wanted), [[] for _ in wanted]
    for each in objects:
        if not names.keys() >= each.keys():
            names.update(dict.fromkeys(_list_names(each)))
            keys = [_find_key(names, name) for name in wanted]
        for column, key in zip(values, keys, strict=True):
            value = _look_up(each, key)
            if value is not _ABSENT:
                names[key] = None
            column.append(None if value is _ABSENT else value)
    find_columns(source, list(names), wanted)
    for column, key in zip(values, keys, strict=True):
        _check_values(source, column, key, names)
    return values


def _find_key(names, wanted):
    alike = (name for name in names if are_shown_alike(name, wanted))
    return wanted if wanted in names else next(alike, wanted)


def _check_values(source, column, key, names):
    """Refuse values that are objects themselves, and name those within."""
    example = next((value for value in column if value is not None), None)
    if isinstance(example, dict):
        within = [name for name in names if name.startswith(f"{key}.")]
        raise InputError(
            f"{source}: the values of {quote_value(key)} are objects themselves. Name "
            f"a value within them, such as {quote_value((within or [key])[0])}."
        )


def _list_names(record, depth=_DEEPEST):
    """Yield the names of a record, and of objects within it as "user.name"."""
    for name, value in record.items():
        yield name
        if isinstance(value, dict) and depth:
            for inner in _list_names(value, depth - 1):
                yield f"{name}.{inner}"


def _look_up(record, name):
    """Return a value by its name, or its path in objects within objects."""
    if name in record:
        return record[name]
    value = record
    for part in name.split("."):
        value = value.get(part, _ABSENT) if isinstance(value, dict) else _ABSENT
    return value


def _read_columns(source, table, wanted):
    """Read columns of one object that holds all, in any of the usual ways."""
    if table.keys() >= {"columns", "data"} and isinstance(table["data"], list):
        records = table["data"]  # pandas' orient="split"
        positions = find_columns(
            source, [str(name) for name in table["columns"]], wanted
        )
        if not all(
            isinstance(row, list) and len(row) > max(positions) for row in records
        ):
            raise InputError(f"{source}: a row of its data has too few values.")
        return [[row[position] for row in records] for position in positions]
    if not any(name in table for name in wanted):
        # what an interface packs its records in, beside those that they refer to
        tables = list(_find_tables(table))
        fitting = [each for each in tables if _has_any(each[0], wanted)] or tables
        if len(fitting) == 1:
            return _read_objects(source, fitting[0], wanted)
    names = list(table)
    columns = [table[names[each]] for each in find_columns(source, names, wanted)]
    if all(isinstance(column, dict) for column in columns):  # pandas' default
        keys = dict.fromkeys(key for column in columns for key in column)
        return [[column.get(key) for key in keys] for column in columns]
    if not all(isinstance(column, list) for column in columns):
        return [[column] for column in columns]  # the only row
    if len(set(map(len, columns))) > 1:
        lengths = ", ".join(
            f"{quote_value(name)} {len(column)}"
            for name, column in zip(wanted, columns, strict=True)
        )
        raise InputError(f"{source}: its columns differ in length ({lengths}).")
    return columns


def _find_tables(value, depth=_DEEPEST):
    """Yield the lists of objects in an object, and in objects within it."""
    for each in value.values():
        if isinstance(each, dict) and depth:
            yield from _find_tables(each, depth - 1)
        elif isinstance(each, list) and each and all(isinstance(v, dict) for v in each):
            yield each


def _has_any(record, wanted):
    return any(_look_up(record, name) is not _ABSENT for name in wanted)


class _Text:
    """The text of a file, of which no more than an object or so is in memory."""

    def __init__(self, source, stream):
        self._source, self._stream = source, stream
        self._text, self._position, self._line = "", 0, 1
        self._decoder = json.JSONDecoder()

    def begins_array(self):
        """Tell whether objects stand in an array, and go to the first."""
        self._skip(_BLANKS)
        in_array = self._text.startswith("[", self._position)
        self._position += in_array
        return in_array

    def decode_objects(self, in_array):
        """Yield one object after another."""
        while True:
            self._skip(_BETWEEN)
            if self._position == len(self._text):
                if in_array:
                    raise self._refuse("is where the file ends, within an array")
                return
            if in_array and self._text[self._position] == "]":
                break
            yield self._decode()
        self._position += 1
        self._skip(_BLANKS)
        if self._position < len(self._text):
            raise self._refuse("is not JSON (something follows the array)")

    def _skip(self, pattern):
        while True:
            self._position = pattern.match(self._text, self._position).end()
            if self._position < len(self._text) or not self._read_on():
                return

    def _read_on(self):
        """Forget what was decoded, and read more. False at the end of the file."""
        self._line += self._text.count("\n", 0, self._position)
        rest = self._text[self._position :]
        more = self._stream.read(max(_AT_ONCE, len(rest)))
        self._text, self._position = rest + more, 0
        return bool(more)

    def _decode(self):
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                is_cut = self._is_cut(error)
                if is_cut and self._read_on():
                    continue
                at = self._position if is_cut else error.pos
                raise self._refuse(f"is not JSON ({error.msg})", at) from error
            except (RecursionError, ValueError) as error:  # too deep, too many digits
                raise self._refuse(f"cannot be read ({error})") from error
            if not isinstance(value, dict):
                raise self._refuse("is not a JSON object with named values")
            self._position = end
            return value

    def _is_cut(self, error):
        """Tell whether what is wrong may be that the text does not go on."""
        left = len(self._text) - error.pos
        return left <= _LONGEST_WORD or error.msg.startswith("Unterminated string")

    def _refuse(self, why, at=None):
        at = self._position if at is None else at
        line = self._line + self._text.count("\n", 0, at)
        begin = self._text.rfind("\n", 0, at) + 1
        excerpt = shorten(
            self._text[max(begin, at - _SHOWN // 2) :][: 2 * _SHOWN], _SHOWN
        )
        return InputError(f"{self._source}, line {line} {why}: {quote_value(excerpt)}.")
