"""The way of a line from the list of the entitled to finance, and who may not take which step."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.states import IllegalMove, Transition
from subsidies.actions import funding, granting, noticing, programmes
from subsidies.actions.refusals import NotDone
from subsidies.models import Grant, LedgerEntry, Objection, PublicNotice, Refusal
from subsidies.models.grants import WAY
from tests.commands import run
from tests.factories import AccountFactory, AssignmentFactory
from tests.students.factories import EnrolmentFactory, WhereaboutsFactory
from tests.subsidies.factories import PASSED, POSTED, Way, money, pupil


@pytest.fixture
def way(boarders, term, school) -> Way:
    return Way(boarders, term, school)


def states_of(**of) -> list[str]:
    return sorted(Grant.objects.filter(**of).values_list("state", flat=True))


# The way


def test_line_goes_from_the_list_of_the_entitled_to_finance(way, school):
    child = pupil(school)
    given = money(way.programme, way.term, 1000)

    outcome = way.up_to("finance_approved")

    [line] = Grant.objects.all()
    assert (outcome.moved, outcome.amount_fen, line.state) == (1, 62_500, "finance_approved")
    assert [step.to_state for step in Transition.objects.of(line)] == list(WAY[1:])
    assert (line.student, line.amount_fen, line.category, line.reference_on) == (
        child,
        62_500,
        "lifted_poor",
        date(2026, 9, 1),
    )
    assert line.is_genuine and line.evidence["register"] == "poverty"
    given.refresh_from_db()
    assert given.available_fen == 100_000 - 62_500
    assert LedgerEntry.objects.balance("committed") == 62_500
    assert AuditEvent.objects.filter(verb="subsidies.advanced").count() == 7


def test_every_step_taken_twice_moves_nothing_the_second_time(way, school):
    pupil(school)
    money(way.programme, way.term, 1000)
    way.list()
    for step in (
        "applied",
        "school_reviewed",
        "in_notice",
        "notice_passed",
        "submitted",
        "county_approved",
        "finance_approved",
    ):
        assert way.take(step).moved == 1
        assert way.take(step) == granting.Outcome(0)
    assert way.list() == 0
    assert LedgerEntry.objects.filter(into="committed").count() == PublicNotice.objects.count() == 1


def test_later_change_of_the_child_changes_nothing_in_the_line(way, school):
    child = pupil(school)
    way.list()
    child.person.name = "赵新名"
    child.person.save()

    line = Grant.objects.get()
    assert line.name != "赵新名" and line.is_genuine
    line.amount_fen += 1
    assert not line.is_genuine


def test_line_changed_behind_our_back_does_not_pass_finance(way, school):
    pupil(school)
    money(way.programme, way.term, 1000)
    way.up_to("county_approved")
    Grant.objects.update(name="别人")

    assert way.take("finance_approved").refused == {"changed_record": 1}


def test_programme_without_notice_is_reported_after_the_review(catalogue, term, school):
    pupil(school)
    way = Way(catalogue["meal_plan"], term, school)
    way.list()
    for step in ("applied", "school_reviewed", "submitted"):
        assert way.take(step).moved == 1


# Other people at each step


def everything(account):
    """The account holds every aid role there is, as after re-assignments between steps."""
    for role in (Role.SCHOOL_CLERK, Role.SCHOOL_HEAD):
        AssignmentFactory(account=account, role=role, school=Grant.objects.first().school)
    for role in (Role.AID_OFFICER, Role.FINANCE_OFFICER):
        AssignmentFactory(account=account, role=role)
    return type(account).objects.get(pk=account.pk)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("applied", "school_reviewed"), ("applied", "submitted"), ("applied", "county_approved"), ("applied", "finance_approved"),
        ("school_reviewed", "county_approved"), ("school_reviewed", "finance_approved"), ("submitted", "county_approved"),
        ("submitted", "finance_approved"), ("county_approved", "finance_approved"),
    ],
)  # fmt: skip
def test_nobody_signs_what_he_signed_before(way, school, earlier, later):
    pupil(school)
    money(way.programme, way.term, 1000)
    steps = list(way.by)
    way.list()
    for step in steps[: steps.index(later)]:
        way.take(step)
    signer = everything(way.by[earlier])

    assert way.take(later, by=signer).refused == {"same_person": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.update(**{granting.SIGNED[later]: signer})


@pytest.mark.parametrize("step", ["school_reviewed", "county_approved", "finance_approved"])
def test_step_needs_its_right(way, school, step):
    with pytest.raises(PermissionDenied):
        way.take(step, by=way.by["applied"])


def test_school_moves_its_own_lines_only(way, world):
    pupil(world.school)
    pupil(world.other_school)
    Way(way.programme, way.term, world.other_school).list()
    way.list()

    assert way.take("applied").moved == 1
    assert states_of() == ["applied", "candidate"]


def test_operator_of_the_command_line_never_reviews(way, school):
    pupil(school)
    here = ("--programme", "living_boarder", "--term", way.term.code)

    listed = run("advance_grants", *here, "--to", "applied")
    refused = run("advance_grants", *here, "--to", "school_reviewed")

    assert listed.result == {"moved": 1, "refused": []}
    assert (refused.status, refused.result["error"]["code"]) == (2, "no_right")


# 公示


def test_notice_hangs_its_working_days(way, school):
    pupil(school)
    way.up_to("in_notice")  # put up on Monday 12 October: the fifth working day is Monday 19

    assert PublicNotice.objects.get().ends_on == date(2026, 10, 19)
    assert way.take("notice_passed", today=date(2026, 10, 19)).refused == {"notice_running": 1}
    assert way.take("notice_passed", today=date(2026, 10, 20)).moved == 1


def test_poster_tells_name_and_class_and_nothing_else(way, school):
    child = pupil(school)
    way.up_to("in_notice")

    assert PublicNotice.objects.get().lines == [[child.person.name, "三年级1班"]]


def test_objection_on_the_last_day_stops_the_line_until_it_is_answered(way, school):
    pupil(school)
    way.up_to("in_notice")
    notice, line = PublicNotice.objects.get(), Grant.objects.get()
    clerk, head = way.by["applied"], way.by["school_reviewed"]

    objection = noticing.object_to(
        notice=notice, grant=line, text="家里有小轿车", received_on=notice.ends_on, by=clerk
    )

    assert way.take("notice_passed").moved == 0 and states_of() == ["objected"]
    noticing.answer(objection=objection, upheld=False, text="已核实，车系借用", on=PASSED, by=head)
    assert way.take("notice_passed").moved == 1
    with pytest.raises(NotDone):
        noticing.answer(objection=objection, upheld=True, text="再答一次", on=PASSED, by=head)


def test_objection_to_a_whole_poster_holds_all_its_lines(way, school):
    pupil(school)
    way.up_to("in_notice")
    noticing.object_to(
        notice=PublicNotice.objects.get(),
        grant=None,
        text="名单不全",
        received_on=POSTED,
        by=way.by["applied"],
    )

    assert way.take("notice_passed").refused == {"objection_open": 1}


def test_objection_after_the_last_day_is_not_one(way, school):
    pupil(school)
    way.up_to("in_notice")
    with pytest.raises(NotDone):
        noticing.object_to(
            notice=PublicNotice.objects.get(),
            grant=None,
            text="迟到",
            received_on=date(2026, 10, 20),
            by=way.by["applied"],
        )


def test_upheld_objection_refuses_the_line(way, school):
    pupil(school)
    way.up_to("in_notice")
    objection = noticing.object_to(
        notice=PublicNotice.objects.get(),
        grant=Grant.objects.get(),
        text="不符合条件",
        received_on=POSTED,
        by=way.by["applied"],
    )
    noticing.answer(
        objection=objection, upheld=True, text="核实属实", on=POSTED, by=way.by["school_reviewed"]
    )

    assert states_of() == ["rejected"] and Objection.objects.unanswered().count() == 0


# Bad input


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda child: WhereaboutsFactory(student=child, kind="deceased", valid_from=date(2026, 10, 1)),
            "deceased",
        ),
        (
            lambda child: WhereaboutsFactory(student=child, kind="suspended", valid_from=date(2026, 9, 1)),
            "suspended",
        ),
        (lambda child: child.enrolments.update(ended_on=date(2026, 9, 1)), "outside"),
        (lambda child: child.person.entries.all().delete(), "not_listed"),
        (lambda child: child.enrolments.update(boarding=False), "not_boarder"),
        (lambda child: child.enrolments.update(stage="junior"), "amount_changed"),
    ],
    ids=["dead", "suspended", "gone before", "off the list", "day pupil", "another stage"],
)
def test_line_whose_child_is_no_longer_entitled_stays_with_its_reason(way, school, change, reason):
    child, sound = pupil(school), pupil(school)
    way.up_to("submitted")
    change(child)

    outcome = way.take("county_approved")

    assert (outcome.moved, outcome.refused) == (1, {reason: 1})
    assert (
        Grant.objects.get(student=child).hold == reason
        and Grant.objects.get(student=sound).state == "county_approved"
    )


def test_who_leaves_after_the_first_day_keeps_what_he_is_owed(way, school):
    child = pupil(school)
    way.up_to("submitted")
    child.enrolments.update(ended_on=date(2026, 11, 30), is_present=False, is_registered=False)

    assert way.take("county_approved").moved == 1


def test_rate_edited_under_review_sends_nothing_through(way, school, aid_officer):
    pupil(school)
    way.up_to("submitted")
    rate = way.programme.rates.get(stage="primary", from_term=4048)
    rate.amount_fen = 70_000
    programmes.save_rate(rate=rate, by=aid_officer)

    assert way.take("county_approved").refused == {"amount_changed": 1}
    assert Grant.objects.get().amount_fen == 62_500


def test_batch_beyond_the_appropriation_is_refused_whole(way, school):
    given = money(way.programme, way.term, 1249)
    pupil(school), pupil(school)
    way.up_to("county_approved")

    assert way.take("finance_approved").refused == {"over_budget": 2}
    money(way.programme, way.term, 1, doc_no="县财教〔2026〕2号")
    assert way.take("finance_approved").moved == 2
    given.refresh_from_db()
    assert given.available_fen == 0


def test_without_an_appropriation_finance_approves_nothing(way, school):
    pupil(school)
    money(way.programme, way.term, 1000)
    way.up_to("county_approved")
    way.programme.appropriations.update(year=2025)

    assert way.take("finance_approved").refused == {"no_appropriation": 1}


def test_second_of_two_exclusive_programmes_is_refused(way, catalogue, term, school, aid_officer):
    child = pupil(school)
    programmes.exclude(
        first=way.programme, second=catalogue["meal_plan"], scope="year", basis="试", by=aid_officer
    )
    other = Way(catalogue["meal_plan"], term, school)
    assert (way.list(), other.list()) == (1, 1)  # both are listed: the family chooses
    assert way.take("applied").moved == 1

    assert other.take("applied").refused == {"exclusive": 1}

    granting.turn_away(
        grants=Grant.objects.filter(student=child, programme=way.programme),
        to="waived",
        by=way.by["applied"],
        reason="改领营养餐",
    )
    assert other.take("applied").moved == 1


def test_place_under_an_exclusion_is_taken_once_whatever_the_guard_saw(
    way, catalogue, term, school, monkeypatch
):
    pupil(school)
    other = Way(catalogue["living_day"], term, school)
    way.list()
    way.take("applied")
    monkeypatch.setattr(granting, "GUARDS", {})
    line = Grant.objects.get()
    twin = Grant(
        county=line.county,
        student=line.student,
        programme=other.programme,
        term=term,
        amount_fen=1,
        name="x",
        school=school,
        reference_on=date(2026, 9, 1),
        signature=b"",
    )
    twin.save()

    with pytest.raises(IllegalMove):
        other.take("applied")


def test_closed_term_takes_no_step(way, school, monkeypatch):
    pupil(school)
    way.up_to("applied")
    with pytest.raises(NotDone):
        funding.close_term(term=way.term, by=way.by["finance_approved"])  # it still runs
    monkeypatch.setattr(timezone, "localdate", lambda *at: date(2027, 2, 1))
    funding.close_term(term=way.term, by=way.by["finance_approved"])

    assert way.take("school_reviewed").refused == {"closed_term": 1}
    with pytest.raises(NotDone):
        way.list()


def test_signer_who_was_shown_another_total_signs_nothing(way, school):
    pupil(school)
    way.up_to("applied")

    with pytest.raises(NotDone):
        way.take("school_reviewed", expected=(1, 62_400))
    assert way.take("school_reviewed", expected=(1, 62_500)).moved == 1


def test_refusal_of_the_family_leaves_the_child_off_the_list(way, school):
    child = pupil(school)
    Refusal.objects.create(
        county=school.county,
        student=child,
        programme=way.programme,
        term=way.term,
        reason="不需要",
        signed_on=POSTED,
        recorded_by=way.by["applied"],
    )

    assert way.list() == 0


# Off the way


def test_line_returned_by_finance_gives_its_money_back(way, school):
    pupil(school), pupil(school)
    given = money(way.programme, way.term, 2000)
    way.up_to("finance_approved")

    granting.send_back(
        grants=Grant.objects.filter(pk=Grant.objects.first().pk),
        by=way.by["finance_approved"],
        reason="班级有误",
    )

    given.refresh_from_db()
    assert (given.available_fen, LedgerEntry.objects.balance("committed")) == (200_000 - 62_500, 62_500)
    assert states_of() == ["finance_approved", "returned"]
    assert run("verify_ledger").result["first_fault"] is None
    assert way.take("applied").moved == 1


def test_going_back_needs_a_reason(way, school):
    pupil(school)
    way.up_to("applied")

    with pytest.raises(IllegalMove):
        granting.send_back(grants=Grant.objects.all(), by=way.by["school_reviewed"], reason=" ")


def test_returned_line_is_signed_anew(way, school):
    pupil(school)
    way.up_to("county_approved")
    granting.send_back(grants=Grant.objects.all(), by=way.by["finance_approved"], reason="材料不全")

    way.take("applied")

    line = Grant.objects.get()
    assert line.reviewed_by is line.approved_by is line.notice is None


def test_new_enrolment_after_the_first_list_is_listed_the_second_time(way, school):
    pupil(school)
    assert way.list() == 1
    late = pupil(school, listed=(date(2026, 10, 20), None))

    assert way.list() == 1
    assert Grant.objects.get(student=late).reference_on == date(2026, 10, 20)


# Commands


def test_command_takes_one_step_and_tells_why_the_rest_stays(way, school):
    pupil(school), pupil(school)
    money(way.programme, way.term, 700)
    way.up_to("county_approved")
    outcome = run(
        "advance_grants",
        "--programme",
        "living_boarder",
        "--term",
        way.term.code,
        "--to",
        "finance_approved",
        "--by",
        way.by["finance_approved"].username,
    )

    assert outcome.status == 0
    assert outcome.result == {"moved": 0, "refused": [{"reason": "over_budget", "count": 2}]}


def test_command_narrows_to_one_school(way, world):
    pupil(world.school), pupil(world.other_school)
    here = ("--programme", "living_boarder", "--term", way.term.code, "--to", "applied")

    assert run("advance_grants", *here, "--school", world.school.code).result["moved"] == 1
    assert run("advance_grants", *here, "--school", "0000000000").result["error"]["code"] == "unknown_school"
    assert states_of(school=world.other_school) == []


def test_verify_ledger_finds_what_was_changed_past_the_actions(way, school):
    pupil(school)
    given = money(way.programme, way.term, 1000)
    way.up_to("finance_approved")
    sound = run("verify_ledger")
    type(given).objects.update(available_fen=given.amount_fen)

    broken = run("verify_ledger")

    assert (sound.status, sound.result["committed_fen"], sound.result["first_fault"]) == (0, 62_500, None)
    assert (broken.status, broken.result["first_fault"]["code"]) == (1, "available_differs")


@pytest.mark.postgres
@pytest.mark.parametrize(
    "change", ["UPDATE subsidies_ledgerentry SET amount_fen = 1", "DELETE FROM subsidies_ledgerentry"]
)
def test_ledger_is_append_only_in_the_database_itself(way, change):
    money(way.programme, way.term, 1)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_second_school_of_a_child_does_not_list_him_again(way, world):
    child = pupil(world.school)
    EnrolmentFactory(student=child, school=world.other_school, boarding=True, started_on=date(2026, 10, 9))
    way.list()

    assert Way(way.programme, way.term, world.other_school).list() == 0


def test_account_without_a_place_lists_nobody(way, school):
    pupil(school)
    way.by["applied"] = AccountFactory(role=None)

    assert way.list() == 0
