"""What is right is never called wrong: clean rolls of every habit pass whole."""

import pytest

from bureau.sheets import read
from students.sheets import ROSTERS

from .catalogue.cases import TODAY
from .clean import clean_roll
from .counting import unexplained


def check(seed, folder):
    made = clean_roll(seed, folder)

    reading = read(made.path, ROSTERS["roll"], today=TODAY, in_process=True)

    assert reading.file_error is None
    assert [p for p in reading.problems if p.level == "error"] == []
    assert [p for p in reading.problems if p.code in ("total_mismatch", "blank_header", "second_table", "ignored_column")] == []
    assert (reading.accepted, reading.rejected) == (made.children, 0)
    assert unexplained(reading, made.path) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_roll_passes_whole(seed, tmp_path):
    check(seed, tmp_path)


@pytest.mark.slow
def test_two_hundred_clean_rolls_pass_whole(tmp_path):
    for seed in range(200):
        folder = tmp_path / str(seed)
        folder.mkdir()
        check(seed, folder)
