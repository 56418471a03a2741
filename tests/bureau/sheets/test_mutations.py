"""Whatever happens to a workbook on its way, it ends in a verdict: clean, row problems or one file problem."""

import zipfile
from pathlib import Path

import pytest

from bureau.sheets import read
from students.sheets import ROSTERS

from .catalogue.cases import TODAY
from .counting import unexplained
from .mutator import KINDS, Kind, mutated

KIND = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
FAST_SEEDS, SEEDS = range(2), range(25)


def check(make: Kind, seed: int, folder: Path, *, in_process: bool = True) -> None:
    path, roll = mutated(make, seed, folder)

    reading = read(path, ROSTERS["roll"], today=TODAY, in_process=in_process)

    told = {(p.sheet, p.row, p.column, p.code) for p in reading.problems}
    if reading.file_error is not None:
        assert (reading.rows, reading.tables, reading.problems) == ([], [], [reading.file_error])
        assert reading.file_error.message.endswith("。")
        assert roll.may_refuse, reading.file_error
        if roll.plants:
            assert reading.file_error.code == roll.plants[0].code
        return
    codes = {p.code for p in reading.problems}
    for plant in roll.plants:
        assert plant.code in codes if plant.row is None else plant in told, (plant, sorted(map(str, told)))
    if not roll.may_refuse:  # what could not be opened by anybody cannot be counted
        assert unexplained(reading, path) == []
        errors = {(p.row, p.code) for p in reading.problems if p.level == "error"}
        planted = {(plant.row, plant.code) for plant in roll.plants}
        assert make.__name__ in UNFORESEEN or errors <= planted, errors - planted


UNFORESEEN = {"cells_of_every_type"}  # what is wrong there is not planned


@KIND
def test_a_spoilt_workbook_ends_in_a_verdict(tmp_path, make):
    for seed in FAST_SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        check(make, seed, folder)


@pytest.mark.slow
@KIND
def test_a_thousand_spoilt_workbooks_end_in_verdicts(tmp_path, make):
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        check(make, seed, folder, in_process=seed % 5 != 0)


def test_there_are_kinds_enough():
    assert len(KINDS) >= 50
    assert len({make.__name__ for make in KINDS}) == len(KINDS)


def test_the_same_seed_gives_the_same_file(tmp_path):
    for make in KINDS[:5]:
        first, second = tmp_path / f"{make.__name__}1", tmp_path / f"{make.__name__}2"
        first.mkdir(), second.mkdir()
        one, other = mutated(make, 7, first)[0], mutated(make, 7, second)[0]
        with zipfile.ZipFile(one) as a, zipfile.ZipFile(other) as b:
            assert a.read("xl/worksheets/sheet1.xml") == b.read("xl/worksheets/sheet1.xml")
