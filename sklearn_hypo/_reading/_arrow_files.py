"""Files of Apache Arrow: Parquet and Feather."""

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
            find_columns(source, file.schema_arrow.names, wanted)
            table = file.read(columns=wanted)
        return _list_values(table, wanted), []


def read_feather(source, wanted, options):
    """Read columns of a Feather file (Arrow's own format), as `read_parquet` does."""
    arrow = import_library("pyarrow", "Feather")
    with source.as_path() as path, library_errors(source, "Feather"):
        with arrow.OSFile(str(path)) as file:
            names = arrow.ipc.open_file(file).schema.names
        positions = find_columns(source, names, wanted)
        options = arrow.ipc.IpcReadOptions(included_fields=positions)
        with arrow.OSFile(str(path)) as file:
            table = arrow.ipc.open_file(file, options=options).read_all()
        return _list_values(table, wanted), []


def _list_values(table, wanted):
    return [table.column(name).to_pylist() for name in wanted]
