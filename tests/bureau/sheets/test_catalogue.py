"""Each case of the catalogue comes to what it must: the verdict, the code, the place and what the clerk is told."""

from datetime import date

import pytest
from django.conf import settings

from bureau.sheets import ACCEPTED, REJECTED
from bureau.sheets.codes import ERROR, NOTE, WARNING

from .catalogue import CASES, ELSEWHERE
from .catalogue.cases import Case, reading_of
from .catalogue.guide import PAGE, page
from .counting import unexplained

# Standards of programmes, changed accounts, bank names, merging two numbers, two programmes at once: the rooms upstairs.
OF_LATER_ROOMS = {"B208", "B216", "B217", "B305", "B308"}
CASE = pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else []) for case in CASES])


@CASE
def test_case(case: Case, tmp_path):
    path = case.build(tmp_path)

    reading = reading_of(case, path)

    if case.outcome == "F":
        assert reading.file_error is not None, reading.problems
        assert reading.rows == []
        assert (reading.file_error.code, case.tells in reading.file_error.message) == (case.code, True), reading.file_error
        return
    assert reading.file_error is None, reading.file_error
    told = [p for p in reading.problems if p.code == case.code and p.row == case.row]
    if case.code:
        assert told, reading.problems
        assert (told[0].column, case.tells in told[0].message) == (case.column, True), told[0]
    level = {"R": ERROR, "W": WARNING, "A": NOTE}[case.outcome]
    assert not case.code or told[0].level == level
    others = {p.code for p in reading.problems if p.level != NOTE} - {case.code}
    assert others == set(case.also)
    row = next((row for row in reading.rows if row.number == case.row), reading.rows[0])
    assert row.status == (REJECTED if case.outcome == "R" else row.status)
    if case.outcome != "R" and case.row and case.code:
        assert row.status != REJECTED
        assert row.warned == (case.outcome == "W" and row.status == ACCEPTED)
    assert reading.rejected == (len({p.row for p in reading.problems if p.level == ERROR}))
    assert case.accepted is None or reading.accepted == case.accepted
    shown = {attr: _shown(reading.rows[0].get(attr)) for attr in case.values}
    assert shown == case.values
    if not case.password:
        assert unexplained(reading, path) == []


def _shown(value):
    return value.isoformat() if isinstance(value, date) else value


def test_the_guide_of_cases_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.bureau.sheets.catalogue.guide"


def test_no_number_is_missing():
    numbered = [f"B{n:03}" for first, last in ((1, 34), (40, 60), (101, 142), (201, 218), (301, 317)) for n in range(first, last + 1)]
    covered = {case.id for case in [*CASES, *ELSEWHERE]}

    assert set(numbered) - covered == OF_LATER_ROOMS
    assert covered <= set(numbered)
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", ELSEWHERE, ids=lambda case: case.id)
def test_a_case_that_needs_more_than_a_file_has_its_test(case):
    path, _, name = case.test.partition("::")

    assert f"def {name}(" in (settings.ROOT / path).read_text(encoding="utf-8")
