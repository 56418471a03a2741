"""Remedies: what settling changes, who may, what is refused, and that the next run agrees."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from bureau.access.roles import DEFAULT_RIGHTS, Role
from bureau.audit import AuditEvent
from bureau.states import Transition
from students.actions import settling
from students.actions.settling import REMEDIES, NotSettled, settle
from students.models import Category, Discrepancy, Entry, Hardship, Whereabouts
from students.rules import RULES
from tests.factories import AccountFactory
from tests.students.factories import (
    DiscrepancyFactory,
    EntryFactory,
    HardshipFactory,
    SnapshotFactory,
    StudentFactory,
)

DAY, NEXT = date(2026, 10, 12), date(2026, 11, 12)
SINCE = date(2026, 3, 1)
State = Discrepancy.State
SOMEWHERE = {"kind": Whereabouts.Kind.OUT_OF_PROVINCE, "evidence": "外省就读证明", "place": "外省某校"}


def everything(rule: str):
    return Discrepancy.objects.filter(rule=rule)


def poor_children(number: int, school, **more) -> list:
    """Students on the poverty list of the day, with nothing recorded."""
    students = [StudentFactory(at=school) for _ in range(number)]
    SnapshotFactory(as_of=DAY)
    for student in students:
        EntryFactory(on="poverty", student=student, listed=(SINCE, None), **more)
    return students


# Each remedy, for one and for many; the next run verifies it.


@pytest.mark.parametrize("number", [1, 30])
def test_recording_the_hardship_settles_r25_and_the_next_run_closes_it(office, school, number):
    poor_children(number, school)
    assert office.reconcile("R25")["R25"]["opened"] == number

    assert settle(discrepancies=everything("R25"), remedy="record_hardship", by=office.by, reason="按名单认定") == (number, 0)

    recorded = Hardship.objects.all()
    assert {(h.category, h.valid_from, h.valid_to, h.register.name, h.recorded_by) for h in recorded} == {
        (Category.LIFTED_POOR, SINCE, None, "poverty", office.by)
    }
    assert set(everything("R25").values_list("state", "remedy", "note")) == {(State.FIXED, "record_hardship", "按名单认定")}
    assert office.reconcile("R25")["R25"] == {"opened": 0, "open": 0, "resolved": number}


@pytest.mark.parametrize("number", [1, 30])
def test_ending_the_hardship_on_the_list_s_last_day_settles_r26(office, school, number):
    students = poor_children(number, school)
    office.reconcile("R25")
    settle(discrepancies=everything("R25"), remedy="record_hardship", by=office.by)
    Entry.objects.filter(person__student__in=students).update(listed_to=NEXT - timedelta(days=1))
    SnapshotFactory(as_of=NEXT)
    assert office.reconcile("R26")["R26"]["opened"] == number

    assert settle(discrepancies=everything("R26"), remedy="end_hardship", by=office.by) == (number, 0)

    assert set(Hardship.objects.values_list("valid_to", flat=True)) == {NEXT - timedelta(days=1)}
    assert office.reconcile("R26")["R26"] == {"opened": 0, "open": 0, "resolved": number}


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize(("rule", "register"), [("R01", "population"), ("R08", "monitored")])
def test_telling_where_they_are_settles_r01_and_r08(office, number, rule, register):
    for _ in range(number):
        EntryFactory(on=register, student=StudentFactory())
    office.reconcile(rule, on=DAY)

    told = settle(discrepancies=everything(rule), remedy="whereabouts_known", by=office.by, values=SOMEWHERE)

    assert told == (number, 0)
    assert Whereabouts.objects.filter(kind="out_of_province", recorded_by=office.by).count() == number
    assert office.reconcile(rule, on=DAY)[rule] == {"opened": 0, "open": 0, "resolved": number}


def test_evidence_that_expired_opens_the_question_again(office):
    EntryFactory(on="population", student=StudentFactory())
    office.reconcile("R01", on=DAY)
    values = SOMEWHERE | {"valid_to": NEXT - timedelta(days=1)}
    settle(discrepancies=everything("R01"), remedy="whereabouts_known", by=office.by, values=values)
    office.reconcile("R01", on=DAY)

    assert office.reconcile("R01", on=NEXT)["R01"] == {"opened": 1, "open": 1, "resolved": 0}
    assert Discrepancy.objects.get().occurrence == 2


@pytest.mark.parametrize("rule", sorted(RULES))
def test_any_rule_s_difference_may_be_explained_for_a_time(aid_officer, rule):
    DiscrepancyFactory(rule=rule)

    values = {"accepted_until": NEXT}
    assert settle(discrepancies=everything(rule), remedy="accept", by=aid_officer, reason="名单滞后", values=values) == (1, 0)

    found = Discrepancy.objects.get()
    assert (found.state, found.accepted_until, found.note) == (State.ACCEPTED, NEXT, "名单滞后")
    moved = Transition.objects.get()
    assert (moved.from_state, moved.to_state, moved.by, moved.reason) == ("new", "accepted", aid_officer, "名单滞后")


def test_an_explanation_without_an_end_holds_half_a_year(aid_officer):
    DiscrepancyFactory()

    settle(discrepancies=everything("R01"), remedy="accept", by=aid_officer, reason="名单滞后")

    assert Discrepancy.objects.get().accepted_until == timezone.localdate() + timedelta(days=settling.ACCEPTED_DAYS)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_any_rule_s_difference_may_be_given_to_somebody(aid_officer, township_officer, township, rule):
    DiscrepancyFactory(rule=rule, township=township)

    values = {"assigned_to": township_officer}
    assert settle(discrepancies=everything(rule), remedy="assign", by=aid_officer, values=values) == (1, 0)

    found = Discrepancy.objects.get()
    assert (found.state, found.assigned_to, found.remedy) == (State.ASSIGNED, township_officer, "")
    assert set(Discrepancy.objects.open()) == {found}


def test_what_was_assigned_can_still_be_settled(aid_officer):
    DiscrepancyFactory(state=State.ASSIGNED)

    assert settle(discrepancies=everything("R01"), remedy="whereabouts_known", by=aid_officer, values=SOMEWHERE) == (1, 0)


def test_one_audit_line_for_one_act_however_many(aid_officer):
    for _ in range(5):
        DiscrepancyFactory()

    settle(discrepancies=everything("R01"), remedy="accept", by=aid_officer, reason="名单滞后")

    line = AuditEvent.objects.get(verb="students.settled")
    assert (line.by, line.detail) == (aid_officer, {"remedy": "accept", "count": 5})
    assert Transition.objects.values("batch").distinct().count() == 1


# What cannot be settled this way.


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [(rule, remedy) for rule in sorted(RULES) for remedy in sorted(REMEDIES) if remedy not in RULES[rule].remedies],
)
def test_a_remedy_of_another_rule_leaves_the_difference_as_it_was(aid_officer, rule, remedy):
    DiscrepancyFactory(rule=rule)

    assert settle(discrepancies=everything(rule), remedy=remedy, by=aid_officer, reason="x", values=SOMEWHERE) == (0, 1)
    assert Discrepancy.objects.get().state == State.NEW
    assert not Hardship.objects.exists()
    assert not Whereabouts.objects.exists()


def test_of_many_only_the_fitting_ones_are_settled(aid_officer):
    DiscrepancyFactory()
    DiscrepancyFactory(rule="R08", subject_kind="listed", student=None, county=aid_officer.county, subject_id="aa")
    DiscrepancyFactory(rule="R25", subject_kind="student_category")
    DiscrepancyFactory(state=State.CLOSED)

    told = settle(discrepancies=Discrepancy.objects.all(), remedy="whereabouts_known", by=aid_officer, values=SOMEWHERE)

    assert told == (1, 2)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_any_rule_s_difference_may_be_answered_and_waits_for_the_office(school_clerk, aid_officer, school, rule):
    DiscrepancyFactory(rule=rule, school=school)

    assert settle(discrepancies=everything(rule), remedy="explain", by=school_clerk, reason="本学期随父母去外地") == (1, 0)

    found = Discrepancy.objects.get()
    assert (found.state, found.note) == (State.EXPLAINED, "本学期随父母去外地")
    assert found in Discrepancy.objects.open() and found in Discrepancy.objects.overdue(date(2099, 1, 1))
    assert settle(discrepancies=everything(rule), remedy="explain", by=school_clerk, reason="再说一次") == (0, 1)
    assert settle(discrepancies=everything(rule), remedy="accept", by=aid_officer, reason="属实") == (1, 0)


def test_an_answer_is_given_back_to_a_person_and_passed_on_to_another(aid_officer, school_clerk, township_officer, school):
    DiscrepancyFactory(school=school, state=State.EXPLAINED)

    for person, reason in ((school_clerk, "请附就读证明"), (township_officer, "学校查不到，请村里核实")):
        values = {"assigned_to": person}
        assert settle(discrepancies=everything("R01"), remedy="assign", by=aid_officer, reason=reason, values=values) == (1, 0)

    assert Discrepancy.objects.get().assigned_to == township_officer
    told = list(Transition.objects.order_by("pk").values_list("from_state", "to_state", "reason"))
    assert told == [
        ("explained", "assigned", f"交给{school_clerk}：请附就读证明"),
        ("assigned", "assigned", f"交给{township_officer}：学校查不到，请村里核实"),
    ]


def test_nothing_of_a_bulk_is_given_to_somebody_who_does_not_see_all_of_it(aid_officer, school_clerk, world):
    for place in (world.school, world.other_school):
        DiscrepancyFactory(school=place)

    with pytest.raises(NotSettled) as refusal:
        settle(discrepancies=everything("R01"), remedy="assign", by=aid_officer, values={"assigned_to": school_clerk})

    assert refusal.value.code == "assignee_elsewhere"
    assert not Discrepancy.objects.exclude(state=State.NEW).exists()


def test_nothing_is_given_to_somebody_who_may_not_settle(aid_officer, school_head, school):
    DiscrepancyFactory(school=school)

    with pytest.raises(NotSettled) as refusal:
        settle(discrepancies=everything("R01"), remedy="assign", by=aid_officer, values={"assigned_to": school_head})

    assert refusal.value.code == "assignee_may_not"


def test_only_those_who_settle_there_are_offered(aid_officer, basic_education_officer, school_clerk, school_head, district_school, township_officer, operator, world):
    DiscrepancyFactory(school=world.school)
    elsewhere = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)

    offered = set(settling.people_for(everything("R01"), by=aid_officer))

    assert offered == {aid_officer, basic_education_officer, school_clerk, district_school, township_officer}, elsewhere


@pytest.mark.parametrize("state", [State.FIXED, State.ACCEPTED, State.CLOSED])
def test_what_is_settled_is_not_settled_twice(aid_officer, state):
    DiscrepancyFactory(state=state)

    assert settle(discrepancies=everything("R01"), remedy="accept", by=aid_officer, reason="x") == (0, 0)


@pytest.mark.parametrize("reason", ["", "   "], ids=["empty", "spaces"])
def test_an_explanation_needs_a_reason(aid_officer, reason):
    DiscrepancyFactory()

    with pytest.raises(NotSettled) as refusal:
        settle(discrepancies=everything("R01"), remedy="accept", by=aid_officer, reason=reason)

    assert refusal.value.code == "reason_required"
    assert Discrepancy.objects.get().state == State.NEW


@pytest.mark.parametrize(
    ("remedy", "missing"), [("whereabouts_known", "kind"), ("whereabouts_known", "evidence"), ("assign", "assigned_to")]
)
def test_a_remedy_needs_its_values(aid_officer, remedy, missing):
    DiscrepancyFactory()
    values = SOMEWHERE | {"assigned_to": aid_officer} | {missing: ""}
    values = {name: values[name] for name in REMEDIES[remedy].fields if name in values}

    with pytest.raises(NotSettled) as refusal:
        settle(discrepancies=everything("R01"), remedy=remedy, by=aid_officer, values=values)

    assert refusal.value.code == "value_required"


@pytest.mark.parametrize("role", sorted(set(Role) - {role for role in Role if "differences.settle" in DEFAULT_RIGHTS[role]}))
@pytest.mark.parametrize("remedy", ["record_hardship", "accept", "assign"])
def test_who_has_not_the_right_settles_nothing(world, school, role, remedy):
    entry = EntryFactory(on="poverty", student=StudentFactory(at=school))
    DiscrepancyFactory(rule="R25", student=entry.person.student, entry=entry, category=entry.category)
    by = world.account(role)

    with pytest.raises(PermissionDenied):
        settle(
            discrepancies=everything("R25"), remedy=remedy, by=by, reason="x",
            values={"assigned_to": by} if remedy == "assign" else None,
        )  # fmt: skip

    assert Discrepancy.objects.get().state == State.NEW
    assert not Hardship.objects.exists()
    assert not AuditEvent.objects.filter(verb="students.settled").exists()


# Facts that are in the way.


def test_a_hardship_ended_before_is_recorded_anew_beside_the_old_one(office, school):
    (student,) = poor_children(1, school)
    HardshipFactory(student=student, valid_from=date(2025, 3, 1), valid_to=date(2025, 12, 31))
    office.reconcile("R25")

    settle(discrepancies=everything("R25"), remedy="record_hardship", by=office.by)

    assert Hardship.objects.filter(student=student).count() == 2
    assert office.reconcile("R25")["R25"]["open"] == 0


def test_a_hardship_that_begins_later_is_brought_forward(office, school):
    """The list's own date is older than the day somebody recorded by hand."""
    (student,) = poor_children(1, school)
    HardshipFactory(student=student, valid_from=NEXT)
    office.reconcile("R25")

    settle(discrepancies=everything("R25"), remedy="record_hardship", by=office.by)

    assert office.reconcile("R25")["R25"] == {"opened": 0, "open": 0, "resolved": 1}


def test_a_hardship_with_an_end_in_the_future_is_ended_too(office, school):
    (student,) = poor_children(1, school)
    entry = Entry.objects.get()
    HardshipFactory(student=student, register=entry.register, entry=entry, valid_to=date(2027, 12, 31))
    Entry.objects.update(listed_to=NEXT - timedelta(days=1))
    SnapshotFactory(as_of=NEXT)
    office.reconcile("R26")

    settle(discrepancies=everything("R26"), remedy="end_hardship", by=office.by)

    assert Hardship.objects.get().valid_to == NEXT - timedelta(days=1)
    assert office.reconcile("R26")["R26"] == {"opened": 0, "open": 0, "resolved": 1}


def test_a_hardship_whose_row_is_no_longer_his_is_ended_before_the_newest_list(office, school):
    """The row turned out to be another child's: it goes on, so it has no last day to offer."""
    (student,) = poor_children(1, school)
    entry = Entry.objects.get()
    HardshipFactory(student=student, register=entry.register, entry=entry)
    Entry.objects.update(person=None, link_state="unlinked")
    office.reconcile("R26")

    settle(discrepancies=everything("R26"), remedy="end_hardship", by=office.by)

    assert office.reconcile("R26")["R26"] == {"opened": 0, "open": 0, "resolved": 1}


def test_other_hardships_of_the_child_go_on(office, school):
    (student,) = poor_children(1, school)
    entry = Entry.objects.get()
    HardshipFactory(student=student, register=entry.register, entry=entry)
    HardshipFactory(student=student, category=Category.DIBAO)
    Entry.objects.update(listed_to=DAY - timedelta(days=1))
    office.reconcile("R26")

    settle(discrepancies=everything("R26"), remedy="end_hardship", by=office.by)

    assert Hardship.objects.get(category=Category.DIBAO).valid_to is None


def test_whereabouts_told_for_a_list_older_than_the_school_year_hold_on_its_day(office):
    """Before September the newest list is of summer; the evidence must hold on the day that is judged."""
    summer = date(2026, 7, 1)
    SnapshotFactory(name="population", as_of=summer)
    EntryFactory(on="population", student=StudentFactory())
    office.reconcile("R01")

    settle(discrepancies=everything("R01"), remedy="whereabouts_known", by=office.by, values=SOMEWHERE)

    assert office.reconcile("R01")["R01"] == {"opened": 0, "open": 0, "resolved": 1}


def test_a_child_s_questions_of_two_rules_are_settled_one_by_one(office):
    student = StudentFactory()
    EntryFactory(on="population", student=student)
    EntryFactory(on="poverty", student=student)
    office.reconcile("R01", "R08", on=DAY)

    settle(discrepancies=everything("R01"), remedy="whereabouts_known", by=office.by, values=SOMEWHERE)

    assert list(Discrepancy.objects.order_by("rule").values_list("state", flat=True)) == [State.FIXED, State.NEW]
    counts = office.reconcile("R01", "R08", on=DAY)
    assert (counts["R01"]["resolved"], counts["R08"]["resolved"]) == (1, 1)
