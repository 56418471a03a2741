"""R02 to R07, R13, R18, R20 and R32: who is an offender on the day, on both sides of every boundary."""

from datetime import date, timedelta

import pytest

from students.models import Absence, Category, Enrolment, Movement, RosterSchool, Sighting, Whereabouts
from students.rules import RULES, Matter
from tests.factories import AccountFactory, SchoolFactory, TermFactory, TownshipFactory
from tests.students.factories import (
    EnrolmentFactory,
    EntryFactory,
    RosterFactory,
    SnapshotFactory,
    StudentFactory,
    WhereaboutsFactory,
)

DAY = date(2026, 10, 12)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)

pytestmark = pytest.mark.django_db


def found(rule: str, *, on: date = DAY) -> list[tuple]:
    """The rows the engine is given, without the key of the subject's kind."""
    term = TermFactory()
    return [row for query in RULES[rule].offenders(Matter(term.county, term, on)) for row in query]


def flagged(rule: str, *, on: date = DAY) -> bool:
    return bool(found(rule, on=on))


# R02: in a school's register, on no police list.


@pytest.mark.parametrize(
    ("facts", "enrolment", "stranger"),
    [
        ({}, {}, True),
        ({}, {"is_registered": False}, False),
        ({}, {"ended_on": BEFORE}, False),
        ({"hukou_outside": True}, {}, False),
        ({"born": date(2021, 5, 1)}, {}, False),
    ],
    ids=["registered", "present only", "gone", "known to be from elsewhere", "below school age"],
)
def test_registered_child_on_no_police_list(facts, enrolment, stranger):
    SnapshotFactory(name="population")
    EnrolmentFactory(student=StudentFactory(**facts), **enrolment)

    assert flagged("R02") is stranger


def test_without_a_police_list_nobody_is_missing_on_it():
    SnapshotFactory(name="poverty")
    EnrolmentFactory()

    assert not flagged("R02")


def test_a_township_s_police_list_speaks_of_its_own_children_only():
    ours, theirs = TownshipFactory(), TownshipFactory()
    SnapshotFactory(name="population", township=ours)
    EnrolmentFactory(student=StudentFactory(hukou_township=theirs))

    assert not flagged("R02")

    child = StudentFactory(hukou_township=ours)
    EnrolmentFactory(student=child)

    assert [row[2] for row in found("R02")] == [child.pk]


@pytest.mark.parametrize(("until", "missing"), [(None, False), (DAY, False), (BEFORE, True)])
def test_a_child_is_on_the_police_list_through_his_last_day_on_it(until, missing):
    SnapshotFactory(name="population")
    enrolment = EnrolmentFactory()
    EntryFactory(on="population", student=enrolment.student, listed=(date(2026, 3, 1), until))

    assert flagged("R02") is missing


# R03: two offices, two sets of particulars.


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, None),
        ({"name_key": "张三丰", "name": "张三丰"}, "姓名：张三丰／赵甲山；"),
        ({"sex": "2"}, "性别：2／1；"),
        ({"birth_on": date(2016, 5, 2)}, "出生日期：2016-05-02／2016-05-01；"),
        ({"sex": "0"}, None),
        ({"birth_on": None}, None),
        ({"name_key": "", "name": ""}, None),
    ],
    ids=["the same", "name", "sex", "birth date", "sex not told", "birth date not told", "name not told"],
)
def test_particulars_of_the_police_list_and_the_school_are_compared(told, said):
    student = StudentFactory(name="赵甲山", at=SchoolFactory())
    student.person.sex = "1"
    student.person.save()
    same = {"name": "赵甲山", "name_key": "赵甲山", "sex": "1", "birth_on": student.person.birth_on}
    EntryFactory(on="population", student=student, **(same | told))

    assert [row[5] for row in found("R03")] == ([said] if said else [])


def test_a_child_in_no_school_has_no_other_particulars():
    EntryFactory(on="population", student=StudentFactory(), name="别名", name_key="别名")

    assert not flagged("R03")


# R04: the dead.


@pytest.mark.parametrize(
    ("day", "enrolment", "still"),
    [
        (DAY, {}, True),
        (AFTER, {}, False),
        (DAY, {"is_registered": False}, True),
        (DAY, {"is_registered": False, "is_present": False}, False),
        (DAY, {"ended_on": DAY}, False),
    ],
    ids=["the day itself", "not yet", "present only", "on no roll", "already gone"],
)
def test_who_is_on_a_list_of_deaths_must_be_on_no_roll(day, enrolment, still):
    here = EnrolmentFactory(**enrolment)
    EntryFactory(on="deaths", student=here.student, listed=(day, None))

    assert flagged("R04") is still


def test_a_later_list_of_deaths_without_him_does_not_revive_him():
    here = EnrolmentFactory()
    EntryFactory(on="deaths", student=here.student, listed=(date(2026, 3, 1), date(2026, 9, 30)))

    assert flagged("R04")


# R05, R06: 在籍 and 在校, at schools that have told both.


def told_twice(school, *, export: bool = True, roll: bool = True) -> None:
    if export:
        EntryFactory(on="xueji", student=StudentFactory(at=school), school=school)
    if roll:
        RosterSchool.objects.create(roster=RosterFactory(school=school), school=school, kind="roll")


@pytest.mark.parametrize(("export", "roll"), [(True, True), (True, False), (False, True)])
def test_a_school_is_compared_with_itself_when_it_has_sent_both(export, roll):
    school = SchoolFactory()
    told_twice(school, export=export, roll=roll)
    absent = EnrolmentFactory(school=school, is_present=False)
    guest = EnrolmentFactory(school=school, is_registered=False)

    both = export and roll
    assert [row[1:3] for row in found("R05")] == ([(row_key(absent), absent.student_id)] if both else [])
    assert [row[1:3] for row in found("R06")] == ([(row_key(guest), guest.student_id)] if both else [])
    assert all(row[6] == school.pk for row in found("R05") + found("R06"))


@pytest.mark.parametrize(("due_on", "asked"), [(DAY, False), (BEFORE, True)], ids=["last day", "day after"])
def test_a_child_who_is_moving_is_asked_about_by_nobody_until_the_answer_is_late(due_on, asked):
    left, came = SchoolFactory(), SchoolFactory()
    told_twice(left)
    told_twice(came)
    here = EnrolmentFactory(school=left, is_present=False)
    EnrolmentFactory(school=came, student=here.student, is_registered=False)
    movement_of(here, to_school=came, state="claimed", due_on=due_on)

    assert flagged("R05") is asked
    assert flagged("R06") is asked


def row_key(enrolment: Enrolment) -> str:
    """An enrolment's key as the database writes it into text."""
    from django.db.models import CharField
    from django.db.models.functions import Cast

    return Enrolment.objects.annotate(key=Cast("id", CharField())).get(pk=enrolment.pk).key


@pytest.mark.parametrize(
    ("kind", "valid_to", "explained"),
    [
        (Whereabouts.Kind.SUSPENDED, None, True),
        (Whereabouts.Kind.HOME_TEACHING, DAY, True),
        (Whereabouts.Kind.HOME_TEACHING, BEFORE, False),
        (Whereabouts.Kind.OUT_OF_PROVINCE, None, False),
    ],
)
def test_suspension_and_teaching_at_home_explain_why_a_registered_child_is_not_there(kind, valid_to, explained):
    school = SchoolFactory()
    told_twice(school)
    absent = EnrolmentFactory(school=school, is_present=False)
    WhereaboutsFactory(student=absent.student, kind=kind, valid_to=valid_to)

    assert flagged("R05") is not explained


def test_a_state_of_suspension_in_the_register_explains_it_too():
    school = SchoolFactory()
    told_twice(school)
    EnrolmentFactory(school=school, is_present=False, state="休学")

    assert not flagged("R05")


def test_evidence_says_whether_the_child_is_somewhere_else():
    school = SchoolFactory()
    told_twice(school)
    absent = EnrolmentFactory(school=school, is_present=False)
    assert [row[5] for row in found("R05")] == ["present nowhere"]

    EnrolmentFactory(student=absent.student, is_registered=False)

    assert [row[5] for row in found("R05")] == ["present elsewhere"]


# R07.


def test_each_school_of_a_child_registered_twice_is_asked():
    student = StudentFactory()
    first, second = (EnrolmentFactory(student=student) for _ in range(2))
    EnrolmentFactory(student=student, is_registered=False)

    assert {row[6] for row in found("R07")} == {first.school_id, second.school_id}

    second.ended_on = BEFORE
    second.save()

    assert not flagged("R07")


# R13.


@pytest.mark.parametrize(
    ("placed", "missing"),
    [
        (lambda student: None, True),
        (lambda student: EnrolmentFactory(student=student), False),
        (lambda student: WhereaboutsFactory(student=student, kind=Whereabouts.Kind.HOME_TEACHING), False),
    ],
    ids=["nowhere", "at school", "taught at home"],
)
def test_a_disabled_child_of_school_age_must_be_placed(placed, missing):
    student = StudentFactory()
    EntryFactory(on="disability", student=student, category=Category.DISABLED)
    placed(student)

    assert flagged("R13") is missing


# R18.


@pytest.mark.parametrize(("homes", "many"), [(3, False), (4, True)])
def test_an_account_may_serve_as_many_households_as_the_county_allows(homes, many):
    for n in range(homes):
        EntryFactory(on="dibao", student=StudentFactory(), account_index=b"a" * 32, household_key=bytes([n]) * 32)
    EntryFactory(on="dibao", student=StudentFactory(), account_index=b"a" * 32, household_key=bytes([0]) * 32)

    assert [(row[0], row[1], row[5]) for row in found("R18")] == (
        [("account", (b"a" * 32).hex(), f"{homes} households")] if many else []
    )


def test_rows_without_a_household_count_one_by_one():
    for _ in range(4):
        EntryFactory(on="tekun", student=StudentFactory(), account_index=b"b" * 32)

    assert flagged("R18")


# R20.


def listed_in(entry, *snapshots) -> None:
    for snapshot in snapshots:
        Sighting.objects.create(snapshot=snapshot, entry=entry, sheet=0, row=2)


def lists(name: str = "dibao", **more) -> tuple:
    return SnapshotFactory(name=name, as_of=date(2026, 9, 10), **more), SnapshotFactory(name=name, as_of=DAY, **more)


def test_who_entered_and_who_left_is_told_where_a_school_is_affected():
    september, october = lists()
    at_school = [StudentFactory(at=SchoolFactory()) for _ in range(3)]
    stayed, came, left = (EntryFactory(on="dibao", student=student) for student in at_school)
    listed_in(stayed, september, october)
    listed_in(came, october)
    listed_in(left, september)
    left.omitted_on = left.listed_to = DAY
    left.save()
    listed_in(EntryFactory(on="dibao", student=StudentFactory()), october)

    assert {(row[2], row[5]) for row in found("R20")} == {(came.person_id, "entered"), (left.person_id, "left")}
    assert not flagged("R20", on=BEFORE)  # the day before only the first list was there


def test_the_first_list_of_a_register_tells_of_no_change():
    only = SnapshotFactory(name="dibao", as_of=DAY)
    listed_in(EntryFactory(on="dibao", student=StudentFactory(at=SchoolFactory())), only)

    assert not flagged("R20")


# R32.


@pytest.mark.parametrize(
    ("enrolment", "unproved"),
    [
        ({"state": "休学"}, True),
        ({"state": "在籍"}, False),
        ({"ended_on": DAY, "exit_kind": "转出"}, True),
        ({"ended_on": AFTER, "exit_kind": "转出"}, False),
        ({"ended_on": DAY, "exit_kind": "毕业"}, False),
    ],
    ids=["suspended", "at school", "moved away", "moves away tomorrow", "graduated"],
)
def test_a_move_needs_a_paper(enrolment, unproved):
    here = EnrolmentFactory(**enrolment)
    assert flagged("R32") is unproved

    WhereaboutsFactory(student=here.student, kind=Whereabouts.Kind.SUSPENDED, evidence="病历")

    assert not flagged("R32")


def test_a_school_that_received_him_is_proof_enough():
    gone = EnrolmentFactory(ended_on=DAY, exit_kind="转出")
    EnrolmentFactory(student=gone.student)

    assert not flagged("R32")


def test_an_absence_explained_with_evidence_is_proof_enough():
    gone = EnrolmentFactory(ended_on=DAY, exit_kind="转出")
    explained = {"roster": RosterFactory(school=gone.school), "school": gone.school, "county": gone.county}
    absence = Absence.objects.create(enrolment=gone, state="explained", **explained)
    assert flagged("R32")

    absence.evidence = "转学联系函"
    absence.save()

    assert not flagged("R32")


def movement_of(enrolment, **facts) -> Movement:
    given = {"kind": "in_county", "to_school": SchoolFactory(), "since_on": date(2026, 9, 10)} | facts
    by = AccountFactory(county=enrolment.county)
    return Movement.objects.create(county=enrolment.county, enrolment=enrolment, school=enrolment.school, announced_by=by, **given)


@pytest.mark.parametrize(
    ("said", "unproved"),
    [
        ({"state": "announced", "due_on": DAY}, False),
        ({"state": "announced", "due_on": BEFORE}, True),
        ({"state": "claimed", "due_on": BEFORE}, False),
        ({"state": "withdrawn", "due_on": BEFORE}, False),
        ({"kind": "out_of_province", "state": "announced", "due_on": AFTER}, True),
        ({"kind": "out_of_province", "state": "announced", "due_on": AFTER, "evidence": "转学申请"}, False),
    ],
    ids=["last day for the other school", "nobody took him", "taken", "taken back", "no paper", "with a paper"],
)
def test_a_change_that_was_announced_needs_a_paper_or_the_other_school(said, unproved):
    movement_of(EnrolmentFactory(is_present=False), **said)

    assert flagged("R32") is unproved


def test_a_scan_is_a_paper():
    movement = movement_of(EnrolmentFactory(is_present=False), kind="out_of_province", state="announced")
    assert flagged("R32")

    movement.papers.create(kind="letter", file_name="回执.pdf", added_by=movement.announced_by)

    assert not flagged("R32")


@pytest.mark.parametrize(("until", "unproved"), [(DAY, False), (BEFORE, True)], ids=["last day", "day after"])
def test_a_suspension_proves_nothing_beyond_its_last_day(until, unproved):
    here = EnrolmentFactory(state="休学", is_present=False)
    movement_of(here, kind="suspended", state="running", since_on=date(2026, 3, 1), until_on=until, evidence="病历")

    assert flagged("R32") is unproved
