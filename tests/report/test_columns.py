from dataclasses import replace

import pandas as pd
import pytest
from report_cases import KINDS, make_report

from sklearn_hypo._report import _columns
from sklearn_hypo._report._columns import COLUMNS, Column, order_columns
from sklearn_hypo._report._export import table_from_json
from sklearn_hypo._report._page._page import report_page


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_in_the_order_of_the_columns(kind):
    table = make_report(kind).table
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    places = [names.index(name) for name in table]
    assert places == sorted(places)
    assert order_columns(table[table.columns[::-1]]).equals(table)
    with pytest.raises(KeyError, match="made_up"):
        order_columns(table.assign(made_up=1))


def test_a_new_column_is_a_row_of_the_table(monkeypatch, tmp_path):
    report = make_report()
    places = ("terminal", "article", "page", "effect", "basis")
    made_up = Column("made_up", "{:.2f} %".format, **{p: f"in {p}" for p in places})
    place = [column.name for column in COLUMNS].index("separation")
    columns = (*COLUMNS[:place], made_up, *COLUMNS[place:])
    monkeypatch.setattr(_columns, "COLUMNS", columns)
    table = order_columns(report.table.assign(made_up=-12.345))
    assert list(table).index("made_up") == list(table).index("separation") - 1
    report = replace(report, table=table)
    shown = {
        "terminal": [str(report)],
        "article": [report.to_markdown(), report.to_latex()],
        "page": [report_page(report), report._repr_html_()],
        "effect": [report_page(report)],
        "basis": [report_page(report)],
    }
    for where, texts in shown.items():
        value = "-12.3" if where == "terminal" else "12.3"
        for text in texts:
            assert f"in {where}" in text
            assert text.count(value) >= len(table)
    report.to_csv(tmp_path / "table.csv")
    assert (pd.read_csv(tmp_path / "table.csv")["made_up"] == -12.345).all()
    assert table_from_json(report.to_json()).equals(table)
