"""The engine: what a run opens, closes, opens again and leaves alone."""

import random
from datetime import date, timedelta

import pytest
from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast

from bureau import states
from bureau.audit import AuditEvent
from bureau.organisation.models import Holiday, Village
from bureau.states import Transition
from students.actions.reconciling import default_as_of
from students.engine import Outcome, apply_rule
from students.models import Discrepancy, Student
from students.rules import RULES, Matter, Rule
from students.rules.matter import NOWHERE
from tests.factories import HolidayFactory, SchoolFactory, TermFactory
from tests.students.factories import (
    EnrolmentFactory,
    EntryFactory,
    SnapshotFactory,
    StudentFactory,
    child_name,
    citizen_id,
)
from tests.students.picture import picture

DAY = date(2026, 10, 12)
TODAY = date(2026, 10, 13)
A_MONTH_LATER = DAY + timedelta(days=31)
State = Discrepancy.State

pytestmark = pytest.mark.django_db


class Ledger:
    """A rule of the tests: it finds the children its list names, with the evidence the list gives."""

    def __init__(self, term):
        self.term = term
        self.named: dict = {}  # student key → evidence
        self.rule = Rule("T1", "试验", self.offenders, office="aid", days=5, remedies=("accept",), inputs=())

    def name(self, *students: Student, evidence: str = "seen") -> None:
        self.named |= {student.pk: evidence for student in students}

    def forget(self, *students: Student) -> None:
        for student in students:
            del self.named[student.pk]

    def offenders(self, matter: Matter) -> list:
        found = []
        for evidence in sorted(set(self.named.values())) or [""]:
            keys = [pk for pk, proof in self.named.items() if proof == evidence]
            found.append(
                Student.objects.filter(pk__in=keys or ["00000000000000000000000000000000"])
                .annotate(
                    kind=Value("student", CharField()), key=Cast("person_id", CharField()),
                    child=F("person_id"), stay=Cast(Value(None), output_field=Discrepancy._meta.get_field("id")),
                    of_category=Value("", CharField()), proof=Value(evidence, CharField()), at=NOWHERE,
                )
                .values_list("kind", "key", "child", "stay", "of_category", "proof", "at")
            )  # fmt: skip
        return found

    def run(self, *, on: date = DAY, today: date = TODAY) -> Outcome:
        with transaction.atomic():
            return apply_rule(self.rule, Matter(self.term.county, self.term, on), today=today)


@pytest.fixture
def ledger(term) -> Ledger:
    return Ledger(term)


def the_only_one() -> Discrepancy:
    return Discrepancy.objects.get()


def settled(state: str, **also) -> None:
    """Somebody settled everything there is."""
    states.move(Discrepancy.objects.all(), to=state, by=None, reason="已核实", also=also)


def test_what_is_found_is_opened_once_and_stays_open(ledger):
    ledger.name(StudentFactory(), StudentFactory())

    assert ledger.run() == Outcome(opened=2, open=2, resolved=0)
    assert ledger.run() == Outcome(opened=0, open=2, resolved=0)


def test_two_runs_in_a_row_change_nothing(ledger):
    kept, gone = StudentFactory(), StudentFactory()
    ledger.name(kept, gone)
    ledger.run()
    ledger.forget(gone)
    ledger.run()
    before = (list(Discrepancy.objects.order_by("pk").values()), Transition.objects.count())

    ledger.run(today=TODAY + timedelta(days=1))

    assert (list(Discrepancy.objects.order_by("pk").values()), Transition.objects.count()) == before


def test_a_difference_belongs_to_the_child_s_school_and_township(ledger, school):
    student = StudentFactory(at=school)
    ledger.name(student)

    ledger.run()

    found = the_only_one()
    assert (found.student, found.school, found.township) == (student, school, school.township)
    assert (found.office, found.state, found.occurrence, found.term) == ("aid", State.NEW, 1, ledger.term)


def test_the_school_where_he_is_present_comes_before_the_one_that_only_registers_him(ledger, world):
    student = StudentFactory(hukou_township=world.other_township)
    EnrolmentFactory(student=student, school=world.center_school, is_present=False)
    EnrolmentFactory(student=student, school=world.school)
    ledger.name(student)

    ledger.run()

    assert (the_only_one().school, the_only_one().township) == (world.school, world.other_township)


def test_due_date_counts_working_days_from_the_day_of_the_run(ledger):
    ledger.name(StudentFactory())
    HolidayFactory(county=ledger.term.county, date=date(2026, 10, 15))
    HolidayFactory(county=ledger.term.county, date=date(2026, 10, 17), kind=Holiday.Kind.WORK)

    ledger.run()

    assert the_only_one().opened_on == TODAY  # a Tuesday
    assert the_only_one().due_on == date(2026, 10, 20)  # Wed, Fri, the working Saturday, Mon, Tue


def test_a_cause_that_went_is_resolved_with_the_day_and_a_transition(ledger):
    student = StudentFactory()
    ledger.name(student)
    ledger.run()
    ledger.forget(student)

    assert ledger.run(on=A_MONTH_LATER) == Outcome(opened=0, open=0, resolved=1)

    found = the_only_one()
    assert (found.state, found.closed_on) == (State.CLOSED, TODAY)
    moved = Transition.objects.get()
    assert (moved.from_state, moved.to_state, moved.by, moved.effective_on) == ("new", "closed", None, A_MONTH_LATER)
    assert moved.object_id == str(found.pk)


@pytest.mark.parametrize("state", [State.NEW, State.ASSIGNED, State.FIXED, State.ACCEPTED])
def test_a_cause_that_went_closes_whatever_somebody_said_about_it(ledger, state):
    student = StudentFactory()
    ledger.name(student)
    ledger.run()
    Discrepancy.objects.update(state=state, accepted_until=A_MONTH_LATER if state == State.ACCEPTED else None)
    ledger.forget(student)

    assert ledger.run().resolved == 1
    assert the_only_one().state == State.CLOSED


def test_a_cause_that_comes_back_opens_the_same_row_again(ledger):
    student = StudentFactory()
    ledger.name(student)
    ledger.run()
    first = the_only_one()
    ledger.forget(student)
    ledger.run()
    ledger.name(student)
    later = TODAY + timedelta(days=31)

    assert ledger.run(on=A_MONTH_LATER, today=later) == Outcome(opened=1, open=1, resolved=0)

    again = the_only_one()
    assert (again.pk, again.occurrence, again.state) == (first.pk, 2, State.NEW)
    assert (again.opened_on, again.closed_on) == (later, None)
    assert again.due_on > first.due_on
    assert list(Transition.objects.order_by("id").values_list("from_state", "to_state")) == [
        ("new", "closed"), ("closed", "new"),
    ]  # fmt: skip


def test_said_to_be_fixed_and_still_there_opens_again(ledger):
    ledger.name(StudentFactory())
    ledger.run()
    settled(State.FIXED, remedy="record_hardship", note="已认定")

    assert ledger.run() == Outcome(opened=1, open=1, resolved=0)
    assert (the_only_one().occurrence, the_only_one().remedy, the_only_one().note) == (2, "", "")


def test_fixed_and_gone_is_closed(ledger):
    student = StudentFactory()
    ledger.name(student)
    ledger.run()
    settled(State.FIXED)
    ledger.forget(student)

    assert ledger.run() == Outcome(opened=0, open=0, resolved=1)


@pytest.mark.parametrize(
    ("until", "opened"), [(A_MONTH_LATER, 0), (A_MONTH_LATER - timedelta(days=1), 1)], ids=["last day", "the day after"]
)
def test_an_acceptance_holds_through_its_last_day(ledger, until, opened):
    ledger.name(StudentFactory())
    ledger.run()
    settled(State.ACCEPTED, accepted_until=until, note="名单滞后")

    assert ledger.run(on=DAY) == Outcome(opened=0, open=0, resolved=0)
    assert ledger.run(on=A_MONTH_LATER) == Outcome(opened=opened, open=opened, resolved=0)
    assert the_only_one().occurrence == 1 + opened
    assert the_only_one().note == ("" if opened else "名单滞后")


def test_changed_evidence_opens_an_accepted_difference_again(ledger):
    student = StudentFactory()
    ledger.name(student, evidence="500 on the list, 300 paid")
    ledger.run()
    settled(State.ACCEPTED, accepted_until=A_MONTH_LATER)
    ledger.name(student, evidence="500 on the list, 0 paid")

    assert ledger.run() == Outcome(opened=1, open=1, resolved=0)
    assert (the_only_one().evidence, the_only_one().accepted_until) == ("500 on the list, 0 paid", None)


def test_changed_evidence_of_an_open_difference_is_followed_without_a_new_occurrence(ledger):
    student = StudentFactory()
    ledger.name(student, evidence="old")
    ledger.run()
    ledger.name(student, evidence="new")

    assert ledger.run() == Outcome(opened=0, open=1, resolved=0)
    assert (the_only_one().evidence, the_only_one().occurrence) == ("new", 1)


def test_an_assigned_difference_stays_with_whom_it_was_given_to(ledger, township_officer):
    ledger.name(StudentFactory())
    ledger.run()
    settled(State.ASSIGNED, assigned_to=township_officer)

    assert ledger.run() == Outcome(opened=0, open=1, resolved=0)
    assert the_only_one().assigned_to == township_officer


def test_a_difference_still_there_moves_into_the_term_of_the_run(ledger):
    ledger.name(StudentFactory())
    ledger.run()
    spring = TermFactory(code="2027-spring", starts_on=date(2027, 2, 20), ends_on=date(2027, 7, 8))
    ledger.term = spring

    assert ledger.run(on=date(2027, 3, 1)) == Outcome(opened=0, open=1, resolved=0)
    assert the_only_one().term == spring


def test_a_difference_follows_the_child_to_his_new_school(ledger, world):
    student = StudentFactory(at=world.school)
    ledger.name(student)
    ledger.run()
    student.enrolments.update(is_present=False, is_registered=False, ended_on=DAY)
    EnrolmentFactory(student=student, school=world.other_school)

    ledger.run(on=A_MONTH_LATER)

    assert the_only_one().school == world.other_school


def test_a_difference_stays_with_the_last_school_of_a_child_who_left_it(ledger, school):
    student = StudentFactory(at=school)
    ledger.name(student)
    ledger.run()
    student.enrolments.update(is_present=False, is_registered=False)

    ledger.run(on=A_MONTH_LATER)

    assert the_only_one().school == school


def test_runs_of_another_rule_or_county_leave_it_alone(ledger, world):
    ledger.name(StudentFactory())
    ledger.run()
    other = Ledger(ledger.term)
    other.rule = Rule("T2", "另一条", other.offenders, office="aid", days=5, remedies=(), inputs=())
    far = Ledger(TermFactory(county=world.far_county))

    assert other.run() == far.run() == Outcome(opened=0, open=0, resolved=0)
    assert the_only_one().state == State.NEW


def test_the_order_in_which_facts_arrived_does_not_matter(ledger):
    """Differences are numbered by subject, not by the accident of a plan."""
    students = [StudentFactory() for _ in range(30)]
    random.Random(1).shuffle(students)
    ledger.name(*students)

    ledger.run()

    subjects = list(Discrepancy.objects.order_by("pk").values_list("subject_id", flat=True))
    assert subjects == sorted(subjects)


# The run as a job.


def test_the_day_of_a_run_is_the_newest_list_s_at_most_the_term_s_end_never_the_clock(term):
    assert default_as_of(term.county, term) == term.starts_on

    SnapshotFactory(as_of=DAY)
    SnapshotFactory(as_of=A_MONTH_LATER, state="reading")
    assert default_as_of(term.county, term) == DAY

    SnapshotFactory(as_of=term.ends_on + timedelta(days=30))
    assert default_as_of(term.county, term) == term.ends_on


def test_a_run_tells_every_rule_s_counts_and_leaves_an_audit_line(office):
    EntryFactory(on="population", student=StudentFactory())
    EntryFactory(on="dibao", student=StudentFactory(at=SchoolFactory()))

    counts = office.reconcile(on=DAY)

    one, none = {"opened": 1, "open": 1, "resolved": 0}, {"opened": 0, "open": 0, "resolved": 0}
    assert counts == dict.fromkeys(RULES, none) | {"R01": one, "R25": one}
    assert AuditEvent.objects.filter(verb="students.reconciled", by=office.by).count() == 1


def test_a_run_of_some_rules_touches_no_other(office):
    student = StudentFactory()
    EntryFactory(on="population", student=student)
    EntryFactory(on="poverty", student=student)

    assert set(office.reconcile("R08", on=DAY)) == {"R08"}
    assert set(Discrepancy.objects.values_list("rule", flat=True)) == {"R08"}


@pytest.mark.parametrize(
    ("until", "due"),
    [(None, date(2026, 10, 20)), (date(2026, 9, 30), date(2026, 10, 20)), (date(2026, 11, 30), date(2026, 12, 7))],
    ids=["no such period", "over", "going on"],
)
def test_what_is_found_while_the_stock_is_built_up_is_due_after_it(ledger, until, due):
    ledger.term.county.building_until = until
    ledger.name(StudentFactory())

    ledger.run()

    assert the_only_one().due_on == due


# Whatever the order in which files arrive.

OCTOBER, BETWEEN, NOVEMBER = date(2026, 10, 10), date(2026, 10, 25), date(2026, 11, 10)
OF_ARRIVAL = ("sightings", "moves", "audit", "rosters", "roster rows", "snapshots")
# How a row was linked (or made the child known), which of two rows proves a difference, since when a number is known.
COLUMNS_OF_ARRIVAL = {"persons": 5, "entries": 4, "differences": 3}


def files_of_a_county(office, world) -> list:
    """Nine small files that speak of the same dozen children, each with something another one contradicts.

    Children 5 and 7 move house, 6 gets another guardian, and the lists disagree on when.
    """

    second_village = Village.objects.get_or_create(
        county=world.county, township=world.township, code=f"{world.township.code[:9]}299", defaults={"name": "西街村"}
    )[0].name

    def child(n: int, **more: str) -> dict[str, str]:
        return {"姓名": child_name(n), "身份证号": citizen_id(date(2016, 5, n + 1), n + 1)} | more

    def pupil(n: int, **more: str) -> dict[str, str]:
        return child(n, 年级="三年级", 班级="1班") | more

    def resident(n: int, **more: str) -> dict[str, str]:
        return child(n, 户号=f"10{n // 2}", 乡镇="城关镇") | more

    def poor(n: int, **more: str) -> dict[str, str]:
        house = {"户编号": f"20{n // 2}", "户主姓名": f"王{'甲乙丙丁戊己'[n // 2]}", "与户主关系": "之子", "行政村": world.village.name}
        return child(n, 户类型="脱贫户", 人编号=f"30{n}") | house | more

    moved = {"户编号": "299", "户主姓名": "李大", "与户主关系": "之孙子", "行政村": second_village}
    damaged = {"身份证号": citizen_id(date(2016, 5, 4), 4)[:15] + "000"}
    return [
        lambda: office.enrol([pupil(n) for n in range(4)], school=world.school),
        lambda: office.enrol([pupil(n) for n in range(4, 6)], school=world.other_school),
        lambda: office.list("population", [resident(n) for n in range(9)], on=OCTOBER),
        lambda: office.list("population", [resident(n, 街路巷="新街") for n in range(1, 10)], on=NOVEMBER),
        lambda: office.list("poverty", [poor(n) for n in range(3, 8)], on=OCTOBER),
        lambda: office.list("poverty", [poor(3), poor(4), poor(5) | moved, poor(6, 人员识别时间="2026-01-05"), poor(7)], on=BETWEEN),
        lambda: office.list(
            "poverty",
            [poor(3) | damaged, poor(5) | moved, poor(6, 与户主关系="之孙子", 户主姓名="李大"), poor(7) | moved, *(poor(n) for n in range(8, 11))],
            on=NOVEMBER,
        ),
        lambda: office.list("dibao", [child(n, 保障类别="低保对象") for n in (1, 4, 8)], on=OCTOBER, partial=True),
        lambda: office.list(
            "monitored",
            [child(n, 监测对象类别="边缘易致贫户", 人编号=f"30{n}", 户编号="298" if n == 7 else f"20{n // 2}") for n in (2, 7, 9, 11)],
            on=OCTOBER,
            township=world.township,
        ),
    ]  # fmt: skip


def after_arriving(office, world, order: list[int]) -> dict:
    """What is recorded when the files came in this order and were compared; the county is as empty as before afterwards."""
    with transaction.atomic():
        files = files_of_a_county(office, world)
        for place in order:
            files[place]()
        office.reconcile(on=OCTOBER)
        office.reconcile(on=NOVEMBER)
        found = picture()
        transaction.set_rollback(True)
    for name, column in COLUMNS_OF_ARRIVAL.items():
        found[name] = sorted(row[:column] + row[column + 1 :] for row in found[name])
    return {name: rows for name, rows in found.items() if name not in OF_ARRIVAL}


def without(rows: list, others: list) -> list:
    left = list(rows)
    for row in others:
        if row in left:
            left.remove(row)
    return left


def same_in_every_order(office, world, orders: int) -> None:
    usual = after_arriving(office, world, list(range(9)))
    assert usual["differences"] and usual["links"]
    for seed in range(orders):
        order = random.Random(seed).sample(range(9), 9)
        found = after_arriving(office, world, order)
        told = {name: (without(rows, usual[name]), without(usual[name], rows)) for name, rows in found.items()}
        assert not [f"{name}: {which} {row}" for name, both in told.items() for which, rows in zip(("only now", "only then"), both, strict=True) for row in rows], order


def test_files_in_any_order_leave_the_same_county(office, world):
    same_in_every_order(office, world, orders=3)


@pytest.mark.sqlite  # what differs between the databases, the few orders above show
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_files_in_a_hundred_orders_leave_the_same_county(office, world):
    same_in_every_order(office, world, orders=100)
