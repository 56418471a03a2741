"""One column of a sheet: what is remembered of its texts never changes what a cell means."""

import gc
from datetime import date

import pytest

from bureau.sheets import Column, column_reader
from bureau.sheets.choices import Sex, YesNo
from bureau.sheets.column_reader import ColumnReader
from bureau.sheets.kinds import Moment, Text
from bureau.uncollected import uncollected

MOMENT = Moment(date(2026, 10, 1))


def read(kind, *chunks):
    """(values, told) of a column that arrives in chunks; told are (place, code)."""
    column = Column("列", kind=kind)
    column.attr = "it"
    reader, values, told = ColumnReader(column, 0, MOMENT), [], []
    for cells in chunks:
        start = len(values)
        values += reader.read(cells, lambda place, attr, code, message, s=start: told.append((s + place, code)))
    return values, told


def test_a_text_that_comes_again_means_the_same():
    assert read(Sex(), ["男", "女", "", "男"], ["女", "男"]) == (["1", "2", None, "1", "2", "1"], [])


def test_every_cell_at_fault_is_told_however_often_it_comes():
    values, told = read(Sex(), ["男", "人妖", "人妖"], ["人妖", "女"])

    assert values == ["1", None, None, None, "2"]
    assert told == [(1, "unknown_value"), (2, "unknown_value"), (3, "unknown_value")]


def test_truth_and_one_stay_apart():
    assert read(YesNo(), [True, 1.0, "1", False, 0.0])[0] == [True, True, True, False, False]
    assert read(Text(), ["1", 1.0, "1.0"])[0] == ["1", "1", "1.0"]


def test_a_column_with_too_many_texts_is_read_without_memory(monkeypatch):
    monkeypatch.setattr(column_reader, "MEMORY_OF_TEXTS", 3)

    values, told = read(Text(4), *[[f"甲{n}", "乙" * 5, ""] for n in range(6)])

    assert values[::3] == [f"甲{n}" for n in range(6)]
    assert told == [(3 * n + 1, "too_long") for n in range(6)]


def test_the_collector_is_back_after_work_that_failed():
    with pytest.raises(ValueError), uncollected():
        assert not gc.isenabled()
        raise ValueError

    assert gc.isenabled()
