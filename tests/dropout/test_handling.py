"""The way of a case: what each step needs, on both sides of its limits."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.states import Transition
from dropout.actions import exempting, handling, ordering
from dropout.actions.exempting import Approval
from dropout.actions.steps import NotDone, When
from dropout.models import Case, Exemption, ReturnOrder, SignOff, Visit
from students.models import Whereabouts
from tests.dropout.factories import LEAVING, TODAY, Road, back_at_school, visited
from tests.factories import AccountFactory, AssignmentFactory
from tests.students.factories import EntryFactory


def refused(code: str):
    """Refused for this reason, and nothing changed."""

    class Refused:
        def __enter__(self):
            self.before = list(Case.objects.values()), Transition.objects.count(), AuditEvent.objects.count()

        def __exit__(self, kind, error, trace):
            assert isinstance(error, NotDone), error
            assert error.code == code, error.code
            assert (list(Case.objects.values()), Transition.objects.count(), AuditEvent.objects.count()) == self.before
            return True

    return Refused()


# From verification to strike-off


def test_case_goes_from_a_report_to_strike_off(road, school):
    road.up_to("persuading")
    road.later(3).visit(outcome="agreed")
    back_at_school(road.student, school)
    road.later(1).back()
    road.later(7).watch()
    road.later(120).sign("government", "education")

    road.strike_off()

    assert road.case.state == "struck_off" and road.case.due_on is None
    episode = road.case.episodes.get()
    assert (episode.kind, episode.placement, episode.outcome, episode.ended_on) == ("dropped_out", "original_class", "struck_off", road.today)
    states = list(Transition.objects.of(road.case).values_list("to_state", flat=True))
    assert states == ["verifying", "confirmed", "persuading", "returned", "stabilising", "struck_off"]


@pytest.mark.parametrize("missing", ["government", "education", "evidence", "days", "roll"])
def test_no_strike_off_without(road, school, missing):
    road.up_to("stabilising")
    if missing != "roll":
        back_at_school(road.student, school)
    road.later(119 if missing == "days" else 120)
    road.sign(*{"government", "education"} - {missing})

    with refused("evidence_required" if missing == "evidence" else "not_ready"):
        road.strike_off("" if missing == "evidence" else "截图")


def test_child_taught_at_home_is_struck_off_without_a_class_roll(road):
    road.up_to("persuading")
    road.back(placement="home_teaching")
    road.later(10).watch()
    road.later(120).sign("government", "education")

    road.strike_off()

    assert road.case.state == "struck_off"


def test_nobody_signs_for_both_lines_and_a_line_signs_once(road, township):
    road.up_to("stabilising").sign("government")
    AssignmentFactory(account=road.cadre, role=Role.BASIC_EDUCATION_OFFICER)
    both = type(road.cadre).objects.get(pk=road.cadre.pk)

    with refused("both_lines"):
        handling.sign(case=road.case, line="education", note="", today=road.today, by=both)
    other = AccountFactory(role=Role.TOWNSHIP_OFFICER, at=township)
    assert handling.sign(case=road.case, line="government", note="", today=road.today, by=other).signed_by == road.cadre
    assert SignOff.objects.count() == 1


def test_school_signs_for_its_own_line_only(road):
    road.up_to("stabilising")

    with refused("may_not"):
        handling.sign(case=road.case, line="government", note="", today=road.today, by=road.head)


def test_school_cannot_strike_off_by_itself(road, school):
    back_at_school(road.student, school)
    road.up_to("stabilising").later(120).sign("government", "education")

    with pytest.raises(PermissionDenied):
        handling.strike_off(case=road.case, evidence="截图", when=road.when, by=road.head)
    assert road.case.state == "stabilising"


def test_watching_begins_after_five_schooldays(road):
    road.up_to("returned")  # Monday

    with refused("too_early"):
        road.later(6).watch()  # Sunday: Tuesday to Friday were four
    road.later(1).watch()
    assert road.case.state == "stabilising"


def test_leaving_again_is_the_same_case_and_a_new_episode(road):
    road.up_to("stabilising").sign("government")

    handling.relapse(case=road.case, left_on=road.today, reason="work", told="随表哥外出", when=road.when, by=road.clerk)

    assert road.case.state == "persuading" and Case.objects.count() == 1
    assert list(road.case.episodes.order_by("pk").values_list("outcome", flat=True)) == ["relapsed", ""]
    assert not road.case.episode.signoffs.exists()


# Days


@pytest.mark.parametrize(
    ("days", "because", "code"),
    [(1, "", "in_the_future"), (-1, "", "before_the_case"), (-1, "没有网络", "before_the_case")],
    ids=["tomorrow", "before the case", "before the case with a reason"],
)
def test_step_on_a_day_that_cannot_be(road, days, because, code):
    road.up_to("verifying")
    when = When(road.today + timedelta(days=days), road.today, because)

    with refused(code):
        handling.confirm(case=road.case, leaving=LEAVING, when=when, by=road.officer)


def test_step_entered_late_needs_a_reason_and_says_so(road):
    road.up_to("verifying").later(3)
    late = When(road.today - timedelta(days=1), road.today)

    with refused("reason_required"):
        handling.confirm(case=road.case, leaving=LEAVING, when=late, by=road.officer)
    handling.confirm(case=road.case, leaving=LEAVING, when=When(late.on, late.today, "停电"), by=road.officer)
    last = Transition.objects.of(road.case).last()
    assert last.effective_on == late.on and "补录：停电" in last.reason
    with refused("before_last_step"):
        handling.form_team(case=road.case, members=[("teacher", "王")], plan="", when=When(TODAY, road.today, "晚"), by=road.clerk)


def test_step_taken_twice_is_refused_the_second_time(road):
    road.up_to("confirmed")

    with refused("moved_on"):
        road.confirm()


@pytest.mark.parametrize(("days", "late"), [(7, False), (8, True)], ids=["last day", "day after"])
def test_verification_is_overdue_the_day_after_its_last(road, days, late):
    road.up_to("verifying")

    assert Case.objects.overdue(TODAY + timedelta(days=days)).exists() is late


# Assigning


def test_bulk_gives_open_cases_only_and_starts_verification(road, county, school):
    other = Road(school)
    road.report(), other.up_to("verifying")
    handling.hand_over(case=other.case, place="邻县", letter="函", when=other.when, by=other.officer)

    given = handling.assign(cases=Case.objects.all(), government=road.cadre, education=None, today=TODAY, by=road.officer)

    assert given == (1, 1)
    assert (road.case.state, road.case.government_lead) == ("verifying", road.cadre)


def test_nobody_is_given_a_child_he_cannot_see(road, world):
    road.report()
    stranger = AccountFactory(role=Role.TOWNSHIP_OFFICER, at=world.other_township)

    with refused("elsewhere"):
        handling.assign(cases=Case.objects.all(), government=stranger, education=None, today=TODAY, by=road.officer)


# Excluded


def test_excluding_records_where_the_child_is_until_the_term_ends(road, term):
    road.up_to("verifying")

    handling.exclude(case=road.case, why="out_of_province", place="义乌", evidence="就读证明", when=road.when, by=road.officer)

    known = Whereabouts.objects.get()
    assert road.case.state == "excluded" and (known.kind, known.valid_to) == ("out_of_province", term.ends_on)


@pytest.mark.parametrize(
    ("why", "evidence", "code"), [("deceased", " ", "evidence_required"), ("", "证明", "why_required"), ("in_school", "说在", "not_on_a_roll")]
)
def test_no_excluding_without(road, why, evidence, code):
    road.up_to("verifying")

    with refused(code):
        handling.exclude(case=road.case, why=why, evidence=evidence, when=road.when, by=road.officer)
    assert not Whereabouts.objects.exists()


# Visits


@pytest.mark.parametrize(
    ("days", "code"), [(-1, "before_the_case"), (0, None), (2, None), (3, "in_the_future")], ids=["before", "first day", "today", "tomorrow"]
)
def test_visit_is_never_before_the_case_nor_in_the_future(road, days, code):
    road.up_to("verifying").later(2)
    given = {"case": road.case, "visited": visited(TODAY + timedelta(days=days)), "today": road.today, "by": road.cadre}

    if code:
        with refused(code):
            handling.record_visit(**given)
    else:
        assert handling.record_visit(**given).visited_on == TODAY + timedelta(days=days)


def test_visit_sent_twice_is_one_and_moves_the_next_date(road):
    road.up_to("persuading").later(3)
    road.visit(), road.visit()

    assert Visit.objects.count() == 1 and road.case.due_on == road.today + timedelta(days=7)
    road.later(1).visit(next_on=road.today + timedelta(days=2))
    assert road.case.due_on == road.today + timedelta(days=2)


def test_older_visit_entered_afterwards_does_not_move_the_date_back(road):
    road.up_to("persuading").later(3).visit()
    due = road.case.due_on

    handling.record_visit(case=road.case, visited=visited(TODAY + timedelta(days=1)), today=road.today, by=road.cadre)

    assert road.case.due_on == due


# Orders


@pytest.fixture
def persuaded(road) -> Road:
    road.up_to("persuading").visit()
    road.later(7).visit()
    return road


def test_order_comes_after_two_visits(road):
    road.up_to("persuading").visit()

    with refused("persuade_first"):
        road.order()


@pytest.mark.parametrize(
    ("service", "days", "witness", "due"),
    [("direct", 0, "", 7), ("mail", 2, "", 9), ("left", 1, "李主任", 8), ("public", 0, "", 37)],
)
def test_seven_days_run_from_service(persuaded, service, days, witness, due):
    order = persuaded.order()
    issued = persuaded.today
    persuaded.later(2)

    ordering.serve(
        order=order, service=service, handed_on=issued + timedelta(days=days), witness=witness, note="", today=persuaded.today, by=persuaded.cadre
    )

    assert persuaded.case.due_on == ReturnOrder.objects.get().due_on == issued + timedelta(days=due)


@pytest.mark.parametrize(
    ("service", "days", "code"), [("direct", -1, "before_the_letter"), ("direct", 1, "in_the_future"), ("left", 0, "witness_required")]
)
def test_service_that_cannot_be(persuaded, service, days, code):
    order = persuaded.order()

    with refused(code):
        ordering.serve(
            order=order, service=service, handed_on=persuaded.today + timedelta(days=days), witness="", note="", today=persuaded.today, by=persuaded.cadre
        )


def test_service_is_told_once(persuaded):
    order, given = persuaded.order(), {"service": "direct", "witness": "", "note": "", "today": persuaded.today, "by": persuaded.cadre}
    ordering.serve(order=order, handed_on=persuaded.today, **given)

    with refused("served"):
        ordering.serve(order=order, handed_on=persuaded.today, **given)


def test_numbers_have_no_gap_and_a_cancelled_one_stays_used(persuaded, school):
    first = persuaded.order()
    ordering.cancel(order=first, reason="姓名写错", today=persuaded.today, by=persuaded.cadre)
    assert persuaded.case.state == "persuading"
    second = persuaded.order()
    ordering.serve(order=second, service="direct", handed_on=persuaded.today, witness="", note="", today=persuaded.today, by=persuaded.cadre)
    other = Road(school).up_to("persuading")
    other.visit(), other.visit(content="再次")
    with refused("guardian_required"):  # what is refused uses no number
        ordering.issue(case=other.case, guardian=" ", township=school.township, when=other.when, by=other.cadre)
    of_bureau = ordering.issue(case=other.case, guardian="李四", township=None, when=other.when, by=other.officer)

    assert [first.number, second.number, of_bureau.number] == [1, 2, 1]


# Exemptions


def approval(**facts) -> Approval:
    return Approval(**{
        "kind": "suspended", "applicant": "张大山", "applied_on": TODAY, "ground": "县医院证明", "document": "", "valid_from": TODAY,
        "valid_to": date(2026, 12, 31), **facts,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("until", "code"), [(date(2027, 10, 11), None), (date(2027, 10, 12), "over_a_year"), (date(2026, 10, 11), "ends_before")]
)
def test_exemption_lasts_a_year_at_most(road, until, code):
    road.up_to("verifying")
    given = {"case": road.case, "approval": approval(valid_to=until), "when": road.when, "by": road.cadre}

    if code:
        with refused(code):
            exempting.exempt(**given)
    else:
        made = exempting.exempt(**given)
        assert (road.case.state, made.approver, Whereabouts.objects.get().valid_to) == ("exempt", "township", until)


@pytest.mark.parametrize(
    ("today", "opened"), [(date(2027, 1, 15), 0), (date(2027, 1, 16), 1)], ids=["last day of grace", "day after"]
)
def test_ended_exemption_opens_again_once_after_its_grace(road, county, today, opened):
    road.up_to("verifying")
    exempting.exempt(case=road.case, approval=approval(), when=road.when, by=road.officer)

    assert exempting.close_ended(county=county, today=today) == (opened, 0)
    assert exempting.close_ended(county=county, today=today) == (0, 0)
    assert road.case.state == ("suspected" if opened else "exempt") and road.case.signals.count() == 1 + opened


def test_child_a_roll_has_when_the_exemption_ends_is_back(road, county, school):
    road.up_to("verifying")
    exempting.exempt(case=road.case, approval=approval(), when=road.when, by=road.officer)
    back_at_school(road.student, school)

    assert exempting.close_ended(county=county, today=date(2027, 2, 1)) == (0, 1)
    assert road.case.state == "returned" and Exemption.objects.get().closed_on == date(2027, 2, 1)


def test_exemption_is_not_overdue_while_it_lasts(road):
    road.up_to("verifying")
    exempting.exempt(case=road.case, approval=approval(), when=road.when, by=road.officer)

    assert not Case.objects.overdue(date(2027, 6, 1)).exists()


# Age, poverty


@pytest.mark.parametrize(("born", "state"), [(date(2010, 10, 13), "confirmed"), (date(2010, 10, 12), "aged_out")], ids=["fifteen", "sixteen today"])
def test_child_still_out_leaves_the_list_on_the_sixteenth_birthday(road, county, born, state):
    road.up_to("confirmed")
    person = road.student.person
    person.birth_on = born
    person.save()

    handling.age_out(county=county, today=TODAY)

    assert road.case.state == state


@pytest.mark.parametrize(("state", "opened"), [("verifying", 0), ("confirmed", 1)])
def test_poor_child_verified_out_of_school_is_a_question_of_one_day(office, road, state, opened):
    EntryFactory(county=road.county, student=road.student, on="poverty")
    road.up_to(state)

    assert office.reconcile("R24", on=TODAY)["R24"]["open"] == opened
