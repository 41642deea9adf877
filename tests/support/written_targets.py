"""Files with one text and one target per row, as the tests of targets make them."""

import csv
import json

from sklearn_hypo._reading._labelled_texts import read_labelled_texts


def write_target(path, values, texts=None, **more):
    """Write values of a target, and texts that all differ; JSON keeps their types."""
    texts = [f"text {i}" for i in range(len(values))] if texts is None else texts
    columns = {"text": texts, "y": values, **more}
    rows = list(zip(*columns.values(), strict=True))
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([list(columns), *rows])
    else:
        lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read_target(tmp_path, values, name="t.csv", **settings):
    path = write_target(tmp_path / name, values)
    return read_labelled_texts(path, "text", "y", **settings)
