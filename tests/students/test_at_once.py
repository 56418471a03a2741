"""Two people, two connections, the same moment: one of them is second, and nothing is done twice (PostgreSQL)."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection

from bureau.audit import AuditEvent
from students.actions import checking, linking, rosters, undoing
from students.actions.refusals import NotApplicable
from students.actions.registers import new_snapshot
from students.actions.settling import settle
from students.actions.undoing import NotUndone
from students.intake.known import register_named
from students.models import (
    Discrepancy,
    Enrolment,
    Entry,
    Hardship,
    Link,
    RollCheck,
    Roster,
    RosterSchool,
    Snapshot,
)
from tests.students.factories import EntryFactory, SnapshotFactory, StudentFactory
from tests.students.test_rosters import LI, WANG, ZHANG, ZHAO, at_school

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROUNDS = 3


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Each call in a thread with a connection of its own, let go at the same moment; what each gave or raised."""
    start, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(10)
            outcomes[place] = call()
        except Exception as problem:
            outcomes[place] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def done(verb: str) -> int:
    return AuditEvent.objects.filter(verb=verb).count()


def test_a_roster_confirmed_by_two_is_applied_once(office, school):
    roster = office.roll([ZHANG, LI, WANG], school=school)

    outcomes = together(*[lambda: rosters.apply_roster(roster=roster, by=office.by)] * 4)

    assert {found.status for found in outcomes} == {Roster.State.APPLIED}
    assert done("students.roster_applied") == 1 and Enrolment.objects.count() == 3


def test_two_rosters_of_one_school_follow_one_another(office, school):
    for number in range(ROUNDS):
        first, second = (office.roll(rows, school=school) for rows in ([ZHANG, LI, ZHAO][: number + 1], [LI, WANG]))

        together(*(lambda roster=roster: rosters.apply_roster(roster=roster, by=office.by) for roster in (first, second)))

        applied = Roster.objects.filter(pk__in=[first.pk, second.pk], status=Roster.State.APPLIED).order_by("applied_at")
        assert len(applied) == 2 and RosterSchool.objects.get(latest=True).roster == applied[1]
        running = Enrolment.objects.filter(ended_on=None)
        assert running.values("student").distinct().count() == running.count()


def test_a_roster_undone_by_two_is_undone_once(office, school):
    roster = office.enrol([ZHANG, LI], school=school)

    outcomes = together(*[lambda: undoing.undo_roster(roster=roster, by=office.by, reason="传错了文件")] * 3)

    assert sorted(type(found) is Roster for found in outcomes) == [False, False, True]
    assert {found.code for found in outcomes if isinstance(found, NotUndone)} == {"undone"}
    assert done("students.roster_undone") == 1 and not Enrolment.objects.exists()


def test_undoing_while_the_next_roster_is_applied_ends_as_one_after_the_other(office, school):
    for _ in range(ROUNDS):
        first, second = office.enrol([ZHANG, LI], school=school), office.roll([LI, WANG], school=school)

        undone, applied = together(
            lambda roster=first: undoing.undo_roster(roster=roster, by=office.by, reason="传错了文件"),
            lambda roster=second: rosters.apply_roster(roster=roster, by=office.by),
        )

        if isinstance(undone, NotUndone):
            assert undone.code == "blocked" and applied.status == Roster.State.APPLIED
            undoing.undo_roster(roster=second, by=office.by, reason="下一轮")
            undoing.undo_roster(roster=first, by=office.by, reason="下一轮")
        else:
            assert undone.status == Roster.State.UNDONE
            assert isinstance(applied, Roster | NotApplicable)
            if isinstance(applied, Roster):
                assert at_school(school) == {"李四", "王五"}
                undoing.undo_roster(roster=second, by=office.by, reason="下一轮")
        assert not Enrolment.objects.exists()


def test_a_hardship_recorded_by_two_stands_once(office, school):
    students = [StudentFactory(at=school) for _ in range(5)]
    SnapshotFactory(as_of=date(2026, 10, 12))
    for student in students:
        EntryFactory(on="poverty", student=student, listed=(date(2026, 3, 1), None))
    office.reconcile("R25")
    work = Discrepancy.objects.filter(rule="R25")

    outcomes = together(*[lambda: settle(discrepancies=work.all(), remedy="record_hardship", by=office.by, reason="按名单")] * 4)

    assert sorted(settled for settled, _ in outcomes) == [0, 0, 0, 5]
    assert Hardship.objects.count() == 5 and done("students.settled") == 1


def test_a_link_answered_yes_and_no_at_once_has_one_answer(office, school):
    for _ in range(ROUNDS):
        student = StudentFactory(at=school)
        link = Link.objects.create(
            county=office.county, entry=EntryFactory(on="poverty"), person=student.person, method="likeness", digest=b"1"
        )

        together(
            *(
                lambda answer=answer, link=link: linking.decide(link=link, answer=answer, reason="看过户口簿", by=office.by)
                for answer in ("yes", "no", "yes")
            )
        )

        link.refresh_from_db()
        entry = Entry.objects.get(pk=link.entry_id)
        linked = (entry.person_id, entry.link_state) == (student.pk, "linked")
        assert linked is (link.status == Link.State.CONFIRMED)


def test_a_check_begun_and_sent_by_two_is_one_check_and_one_roster(office, school, school_clerk):
    office.enrol([ZHANG, LI], school=school)
    begun = together(
        *[lambda: checking.open_check(school=school, term=office.term, on=date(2026, 10, 12), by=school_clerk)] * 3
    )
    assert sorted(is_new for _, is_new in begun) == [False, False, True]
    check = RollCheck.objects.get()
    for one in checking.roll_of(check).classes:
        checking.confirm_class(check=check, key=one.key, seen=one.digest, by=school_clerk)

    sent = together(*[lambda: checking.send_check(check=check, by=school_clerk)] * 3)

    assert len({roster.pk for roster in sent}) == 1 and done("students.check_sent") == 1


def test_the_same_file_sent_by_two_is_one_roster_and_one_list(office, school):
    path = office.file([ZHANG, LI])

    rolls = together(
        *[
            lambda: rosters.new_roster(
                path=path, file_name="roll.csv", term=office.term, kind="roll", school=school, county=office.county, by=office.by
            )
        ]
        * 4
    )
    lists = together(
        *[
            lambda: new_snapshot(
                path=path, file_name="list.csv", register=register_named(office.county, "poverty"), as_of=date(2026, 10, 12),
                county=office.county, township=None, partial=False, by=office.by,
            )
        ]
        * 4
    )  # fmt: skip

    assert sorted(is_new for _, is_new in rolls) == sorted(is_new for _, is_new in lists) == [False, False, False, True]
    assert Roster.objects.count() == Snapshot.objects.count() == 1
