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
    """Read columns of a Feather file, of either version, as `read_parquet` does."""
    feather = import_library("pyarrow.feather", "Feather")
    with source.as_path() as path, library_errors(source, "Feather"):
        names = _list_feather_columns(path)
        find_columns(source, names, wanted)
        # a memory map would keep the file open
        table = feather.read_table(path, columns=wanted, memory_map=False)
        return _list_values(table, wanted), []


def _list_feather_columns(path):
    import pyarrow as pa

    try:
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_file(file).schema.names
    except pa.ArrowInvalid:  # version 1, which no stream of Arrow can open
        from pyarrow import feather

        return feather.read_table(path, memory_map=False).column_names


def _list_values(table, wanted):
    return [table.column(name).to_pylist() for name in wanted]
