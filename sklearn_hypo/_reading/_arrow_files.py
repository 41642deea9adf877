"""Files of Apache Arrow: Parquet, Feather and streams."""

from ._column_names import find_columns
from ._libraries import import_library, library_errors


def read_parquet(source, wanted, options):
    """Read columns of a Parquet file.

    Parameters and returns are as in `read_delimited`; values are Python's, None for
    what is missing.
    """
    parquet = import_library("pyarrow.parquet", "Parquet")
    with source.as_path() as path, library_errors(source, "Parquet"):
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            positions = find_columns(source, names, wanted)
            table = file.read(columns=list({names[each] for each in positions}))
        return _list_values(table, names, positions), []


def read_arrow(source, wanted, options):
    """Read columns of a file of Arrow, as `read_parquet` does.

    That is Feather, or a stream, as the package datasets keeps them.
    """
    arrow = import_library("pyarrow", "Arrow")
    with source.as_path() as path, library_errors(source, "Arrow"):
        with arrow.OSFile(str(path)) as file:
            names = _open_arrow(arrow, file).schema.names
        positions = find_columns(source, names, wanted)
        same = {names[each] for each in positions}
        fields = [i for i, name in enumerate(names) if name in same]
        options = arrow.ipc.IpcReadOptions(included_fields=fields)
        with arrow.OSFile(str(path)) as file:
            table = _open_arrow(arrow, file, options=options).read_all()
        return _list_values(table, names, positions), []


def _open_arrow(arrow, file, **settings):
    try:
        return arrow.ipc.open_file(file, **settings)
    except arrow.ArrowInvalid:
        file.seek(0)
        return arrow.ipc.open_stream(file, **settings)


def _list_values(table, names, positions):
    """Return values of columns by their position among the names of the file."""
    found = []
    for position in positions:
        name = names[position]
        number = names[:position].count(name)  # among those of this name
        places = [i for i, each in enumerate(table.column_names) if each == name]
        found.append(table.column(places[number]).to_pylist())
    return found
