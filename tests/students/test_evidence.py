"""What a difference rests on: the compared values of both sides, never the list's number or the day of a run."""

from datetime import date

import pytest

from students.models import Category, Discrepancy
from tests.students.factories import (
    EnrolmentFactory,
    EntryFactory,
    HardshipFactory,
    SnapshotFactory,
    StudentFactory,
    WhereaboutsFactory,
)

DAY, NEXT = date(2026, 10, 12), date(2026, 11, 12)


@pytest.fixture
def child(office):
    return StudentFactory()


def evidence(office, rule: str, *, on: date = DAY) -> str:
    office.reconcile(rule, on=on)
    return Discrepancy.objects.get().evidence


@pytest.mark.parametrize(("rule", "register"), [("R01", "population"), ("R08", "poverty")])
def test_a_child_who_is_nowhere_is_told_by_how_we_last_knew_him(office, child, school, rule, register):
    EntryFactory(on=register, student=child)
    assert evidence(office, rule) == "enrolled nowhere"

    for ended in (date(2025, 7, 10), date(2026, 7, 10)):
        EnrolmentFactory(student=child, school=school, is_present=False, is_registered=False, ended_on=ended)
    assert evidence(office, rule) == "left 2026-07-10"

    WhereaboutsFactory(student=child, valid_from=date(2026, 8, 1), valid_to=date(2026, 9, 30))
    assert evidence(office, rule) == "left 2026-07-10; proof until 2026-09-30"


def test_a_child_no_roll_names_any_more_is_off_every_roll(office, child, school):
    EntryFactory(on="population", student=child)
    EnrolmentFactory(student=child, school=school, is_present=False, is_registered=False)

    assert evidence(office, "R01") == "off every roll"


def test_what_was_recorded_before_is_the_evidence_of_r25(office, child):
    EntryFactory(on="poverty", student=child)
    assert evidence(office, "R25") == "not recorded"

    later = HardshipFactory(student=child, valid_from=NEXT)
    assert evidence(office, "R25") == "recorded from 2026-11-12"

    later.delete()
    HardshipFactory(student=child, category=Category.DIBAO, valid_to=date(2026, 8, 1))
    HardshipFactory(student=child, valid_to=date(2026, 9, 30))
    assert evidence(office, "R25") == "recorded until 2026-09-30"


def test_since_when_it_is_recorded_is_the_evidence_of_r26(office, child):
    entry = EntryFactory(on="poverty", student=child, listed=(date(2026, 3, 1), date(2026, 9, 30)))
    SnapshotFactory(as_of=DAY)
    HardshipFactory(student=child, register=entry.register, entry=entry, valid_from=date(2026, 3, 5))

    assert evidence(office, "R26") == "recorded from 2026-03-05"


@pytest.mark.parametrize(("rule", "register"), [("R01", "population"), ("R08", "poverty"), ("R25", "poverty")])
def test_the_next_list_of_the_same_says_nothing_new_and_what_was_explained_stays_explained(office, rule, register):
    child = StudentFactory()
    EntryFactory(on=register, student=child)
    SnapshotFactory(name=register, as_of=DAY)
    before = evidence(office, rule)
    Discrepancy.objects.update(state="accepted", accepted_until=date(2099, 1, 1))
    SnapshotFactory(name=register, as_of=NEXT)

    assert evidence(office, rule, on=NEXT) == before
    assert Discrepancy.objects.get().state == "accepted"


def test_a_fact_of_ours_that_changes_opens_what_was_explained(office, child, school):
    EntryFactory(on="population", student=child)
    office.reconcile("R01", on=DAY)
    Discrepancy.objects.update(state="accepted", accepted_until=date(2099, 1, 1))
    EnrolmentFactory(student=child, school=school, is_present=False, is_registered=False, ended_on=date(2026, 10, 1))

    assert office.reconcile("R01", on=DAY)["R01"] == {"opened": 1, "open": 1, "resolved": 0}
