"""撤并、分设、更名、换代码: children, accounts and what is under way go along; old papers keep the old name; undo."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau.access.models import Assignment
from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.organisation import changing
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.change_views import changes_due
from bureau.organisation.changing import NotChanged
from bureau.organisation.models import School
from bureau.states import IllegalMove
from students import tasks
from students.actions import transfers
from students.actions.absences import Explanation
from students.intake.checkroll import key_of
from students.models import Absence, Enrolment, Movement, Student
from tests.factories import AccountFactory, SchoolFactory
from tests.samples import collection_of
from tests.students.factories import EnrolmentFactory, StudentFactory
from tests.students.test_absences import LI, WANG, ZHANG

DAY, LAST = date(2026, 10, 12), date(2026, 10, 11)
Kind, State = SchoolChange.Kind, SchoolChange.State


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: DAY if not args else args[0].date())


def plan(school: School, by, kind: str = Kind.CLOSE, **more) -> SchoolChange:
    given = {"effective_on": DAY, "decision": "云教发〔2026〕18号"} | more
    return changing.plan(school=school, kind=kind, by=by, **given)


def closed(world, by) -> SchoolChange:
    change = plan(world.school, by, successor=world.other_school)
    return changing.apply(change=change, today=DAY, by=by)


def everything(*models) -> list:
    return [sorted(model.objects.values_list().order_by("pk"), key=str) for model in models]


# Closing into another.


def test_children_go_on_at_the_successor_and_the_stay_at_the_old_school_ends_the_day_before(
    world, administrator
):
    stay = EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county), boarding=True)

    change = closed(world, administrator)

    stay.refresh_from_db()
    assert (stay.school, stay.ended_on, stay.exit_kind, stay.is_present) == (
        world.school,
        LAST,
        "学校撤并",
        False,
    )
    there = Enrolment.objects.open().get()
    assert (there.school, there.started_on, there.entered_in, there.class_name) == (
        world.other_school,
        DAY,
        2024,
        "1班",
    )
    assert (there.is_present, there.is_registered, there.boarding) == (True, True, True)
    world.school.refresh_from_db()
    assert (world.school.closed_on, world.school.succeeded_by) == (LAST, world.other_school)
    assert (change.counts["在籍或在校学生"], change.counts["班级"]) == (1, 1)
    event = AuditEvent.objects.get(verb="organisation.change_applied")
    assert event.detail["code"] == world.school.code


def test_a_school_with_its_classes_as_big_as_another_keeps_each_school_s_own(world, administrator):
    EnrolmentFactory(school=world.center_school, student=StudentFactory(county=world.county))
    closed(world, administrator)

    assert Enrolment.objects.open().get().school == world.center_school


def test_a_child_both_schools_have_is_there_once(world, administrator):
    child = StudentFactory(county=world.county)
    EnrolmentFactory(school=world.school, student=child)
    EnrolmentFactory(school=world.other_school, student=child, is_registered=False)
    before = everything(Enrolment)

    change = closed(world, administrator)

    there = Enrolment.objects.open().get()
    assert (there.is_registered, there.is_present) == (True, True)
    changing.undo(change=change, reason="重办", by=administrator)
    assert everything(Enrolment) == before


def test_accounts_work_at_the_successor_from_that_day_and_still_read_the_old_school_s_papers(
    world, administrator, school_clerk
):
    EnrolmentFactory(school=world.school, student=StudentFactory(name="张三", county=world.county))
    closed(world, administrator)

    held = list(
        Assignment.objects.filter(account=school_clerk).order_by("pk").values_list("school", "valid_to")
    )
    assert held == [(world.school.pk, LAST), (world.other_school.pk, None)]
    clerk = type(school_clerk).objects.get(pk=school_clerk.pk)
    assert clerk.scope.schools == {world.school.pk, world.other_school.pk}
    assert Student.objects.visible_to(clerk).count() == 1
    assert (
        School.objects.visible_to(clerk).open_on(DAY).get() == world.other_school
    )  # what he may send a roll for


def test_teaching_points_belong_to_the_successor_and_are_given_back(world, administrator):
    change = plan(world.center_school, administrator, successor=world.other_school)
    change = changing.apply(change=change, today=DAY, by=administrator)
    world.school.refresh_from_db()
    assert world.school.managed_by == world.other_school

    changing.undo(change=change, reason="重办", by=administrator)
    world.school.refresh_from_db()
    assert world.school.managed_by == world.center_school


def test_what_is_under_way_about_a_child_follows_him_and_comes_back(world, administrator, school_clerk):
    away = EnrolmentFactory(school=world.school, student=StudentFactory(name="张三", county=world.county))
    said = Explanation("suspended", date(2026, 9, 20), "县医院证明", until_on=date(2027, 1, 22))
    suspended = transfers.announce(enrolment=away, change=said, today=DAY, by=school_clerk)
    third = EnrolmentFactory(
        school=world.center_school, student=StudentFactory(name="李四", county=world.county)
    )
    said = Explanation("in_county", date(2026, 9, 20), to_school=world.school)
    coming = transfers.announce(enrolment=third, change=said, today=DAY, by=administrator)

    change = closed(world, administrator)

    for movement in (suspended, coming):
        movement.refresh_from_db()
    assert (suspended.school, suspended.enrolment.school) == (world.other_school, world.other_school)
    assert coming.to_school == world.other_school
    changing.undo(change=change, reason="重办", by=administrator)
    for movement in (suspended, coming):
        movement.refresh_from_db()
    assert (suspended.enrolment, suspended.school, coming.to_school) == (away, world.school, world.school)


def test_the_first_roll_of_the_successor_asks_about_a_child_of_the_closed_school_it_leaves_out(
    office, world, administrator
):
    office.enrol([ZHANG, LI], school=world.school)
    closed(world, administrator)

    office.enrol([LI, WANG], school=world.other_school)

    absence = Absence.objects.get()
    assert (absence.school, absence.enrolment.student.person.name) == (world.other_school, "张三")


def test_applied_twice_nothing_happens_the_second_time(world, administrator):
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    change = closed(world, administrator)
    before = everything(Enrolment, Assignment, School)

    changing.apply(change=change, today=DAY, by=administrator)

    assert everything(Enrolment, Assignment, School) == before
    assert AuditEvent.objects.filter(verb="organisation.change_applied").count() == 1


def test_undone_everything_is_as_it_was(world, administrator, school_clerk):
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    before = everything(Enrolment, Assignment, School, Movement)

    changing.undo(change=closed(world, administrator), reason="文件有误", by=administrator)

    assert everything(Enrolment, Assignment, School, Movement) == before
    with pytest.raises(IllegalMove):
        changing.undo(change=SchoolChange.objects.get(), reason="再来", by=administrator)


def test_it_is_not_undone_once_the_successor_has_sent_a_roll(office, world, administrator):
    office.enrol([ZHANG, LI], school=world.school)
    change = closed(world, administrator)
    office.enrol([ZHANG, LI], school=world.other_school)

    with pytest.raises(NotChanged) as refusal:
        changing.undo(change=change, reason="文件有误", by=administrator)

    assert refusal.value.code == "blocked"
    assert School.objects.get(pk=world.school.pk).closed_on == LAST


@pytest.mark.parametrize(
    ("day", "applied"), [(LAST, False), (DAY, True)], ids=["the day before", "on the day"]
)
def test_a_decision_is_carried_out_from_its_day_on(world, administrator, day, applied):
    change = plan(world.school, administrator, successor=world.other_school)

    if applied:
        changing.apply(change=change, today=day, by=administrator)
    else:
        with pytest.raises(NotChanged):
            changing.apply(change=change, today=day, by=administrator)

    assert (SchoolChange.objects.get().state == State.APPLIED) is applied


def test_a_decision_whose_day_has_come_is_on_the_desk(world, administrator, aid_officer):
    plan(world.school, administrator, successor=world.other_school)

    assert [todo.count for todo in changes_due(administrator)] == [1]
    assert changes_due(aid_officer) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, "successor_required"),
        ({"successor": "self"}, "successor_required"),
        ({"successor": "junior"}, "other_stages"),
        ({"successor": "closed"}, "successor_closed"),
        ({"successor": "other", "decision": " "}, "decision_required"),
    ],
)
def test_a_school_closes_into_an_open_one_of_its_stages_by_a_decision(world, administrator, more, code):
    choices = {
        "self": world.school, "other": world.other_school,
        "junior": SchoolFactory(township=world.township, stages=["junior"]),
        "closed": SchoolFactory(township=world.township, closed_on=LAST),
    }  # fmt: skip
    more = {name: choices.get(value, value) for name, value in more.items()}

    with pytest.raises(NotChanged) as refusal:
        plan(world.school, administrator, **more)

    assert refusal.value.code == code
    assert not SchoolChange.objects.exists()


# Giving classes away, a new name, a new code.


def test_only_the_chosen_classes_go_and_accounts_stay(world, administrator, school_clerk):
    first = EnrolmentFactory(
        school=world.school, student=StudentFactory(county=world.county), class_name="1班"
    )
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county), class_name="2班")
    classes = [key_of((first.stage, first.entered_in, "1班"))]

    change = plan(world.school, administrator, Kind.SPLIT, successor=world.other_school, classes=classes)
    changing.apply(change=change, today=DAY, by=administrator)

    at = dict(Enrolment.objects.open().values_list("class_name", "school"))
    assert at == {"1班": world.other_school.pk, "2班": world.school.pk}
    assert Assignment.objects.get(account=school_clerk).valid_to is None
    assert School.objects.get(pk=world.school.pk).closed_on is None


def test_a_renamed_school_is_found_by_both_names_and_old_papers_say_the_old_one(world, administrator):
    change = plan(world.school, administrator, Kind.RENAME, value="城关镇实验小学")
    changing.apply(change=change, today=DAY, by=administrator)

    school = School.objects.get(pk=world.school.pk)
    assert (school.name, "城关镇第一小学" in school.aliases) == ("城关镇实验小学", True)
    assert [school.name_on(day) for day in (LAST, DAY)] == ["城关镇第一小学", "城关镇实验小学"]

    changing.undo(change=change, reason="文件有误", by=administrator)
    school.refresh_from_db()
    assert (school.name, school.aliases) == ("城关镇第一小学", [])


def test_a_new_code_leaves_the_old_one_known_until_the_day_before(world, administrator):
    old = world.school.code
    change = plan(world.school, administrator, Kind.RECODE, value="3599888888")
    changing.apply(change=change, today=DAY, by=administrator)

    school = School.objects.get(pk=world.school.pk)
    assert (school.code, [(c.code, c.valid_to) for c in school.former_codes.all()]) == (
        "3599888888",
        [(old, LAST)],
    )

    changing.undo(change=change, reason="文件有误", by=administrator)
    school.refresh_from_db()
    assert (school.code, school.former_codes.count()) == (old, 0)


def test_a_code_another_school_has_is_refused(world, administrator):
    with pytest.raises(NotChanged) as refusal:
        plan(world.school, administrator, Kind.RECODE, value=world.other_school.code)

    assert refusal.value.code == "code_taken"


# Pages.


def test_planned_looked_at_applied_and_undone_in_the_browser(client, world, administrator):
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    client.force_login(administrator)
    given = {
        "kind": "close",
        "successor": world.other_school.pk,
        "effective_on": "2026-10-12",
        "decision": "云教发〔2026〕18号",
    }

    page = client.post(reverse("bureau:plan_change", args=[world.school.pk]), given, follow=True)
    assert "在籍或在校学生" in page.content.decode()
    change = SchoolChange.objects.get()
    assert Enrolment.objects.open().get().school == world.school

    client.post(reverse("bureau:apply_change", args=[change.pk]))
    assert Enrolment.objects.open().get().school == world.other_school
    client.post(reverse("bureau:undo_change", args=[change.pk]), {"reason": ""})
    assert SchoolChange.objects.get().state == State.APPLIED
    client.post(reverse("bureau:undo_change", args=[change.pk]), {"reason": "文件有误"})
    assert SchoolChange.objects.get().state == State.UNDONE


def test_who_looks_after_one_school_only_changes_none(client, world):
    from bureau.access.models import RoleRights

    clerk = AccountFactory(role=Role.SCHOOL_CLERK, at=world.school)
    RoleRights.objects.create(
        county=world.county, role=Role.SCHOOL_CLERK, rights=["organisation.edit", "organisation.view"]
    )
    client.force_login(clerk)

    assert client.get(reverse("bureau:plan_change", args=[world.school.pk])).status_code == 403


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "close"}, "请选择学校"),
        ({"kind": "split"}, "请选择分出哪些班级"),
        ({"kind": "rename"}, "请填写新名称"),
        ({"kind": "recode", "code": "abc"}, "只含数字"),
        ({}, "请选择怎样变更"),
    ],
)
def test_what_is_missing_is_said_next_to_its_field(client, world, administrator, given, error):
    client.force_login(administrator)
    given = {"effective_on": "2026-10-12", "decision": "云教发〔2026〕18号"} | given

    page = client.post(reverse("bureau:plan_change", args=[world.school.pk]), given)

    assert error in page.content.decode()


def test_a_school_with_children_is_not_closed_by_correcting_its_page(client, world, administrator):
    EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    client.force_login(administrator)
    page = reverse("bureau:edit_school", args=[world.school.pk])
    given = {
        "code": world.school.code, "name": world.school.name, "township": world.township.pk, "stages": ["primary"],
        "ownership": "public", "closed_on": "2026-10-11", "succeeded_by": world.other_school.pk,
    }  # fmt: skip

    assert "还有在读学生" in client.post(page, given).content.decode()
    Enrolment.objects.all().delete()
    client.post(page, given)
    assert School.objects.get(pk=world.school.pk).closed_on == LAST


@pytest.mark.parametrize(
    ("day", "carried_out"), [(LAST, 0), (DAY, 1)], ids=["the night before", "that night"]
)
def test_the_night_carries_out_what_is_due_and_nothing_else(
    world, administrator, monkeypatch, day, carried_out
):
    plan(world.school, administrator, successor=world.other_school)
    monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    for _ in range(2):
        tasks.nightly()
    asked = Job.objects.filter(kind="students.change_schools")
    for job in asked:
        tasks.change_schools(job, **job.params)

    assert asked.count() == carried_out
    assert SchoolChange.objects.filter(state=State.APPLIED, applied_by=None).count() == carried_out


def test_what_cannot_be_carried_out_stays_planned(world, administrator):
    plan(world.school, administrator, successor=world.other_school)
    School.objects.filter(pk=world.other_school.pk).update(closed_on=LAST)

    tasks.change_schools(Job(county=world.county, kind="students.change_schools"), day=DAY.isoformat())

    assert SchoolChange.objects.get().state == State.PLANNED


@pytest.mark.parametrize(
    ("closes_on", "owes"), [(LAST, True), (DAY, False)], ids=["due on its last day", "due later"]
)
def test_a_closed_school_owes_no_roll_that_is_due_after_it(world, administrator, closes_on, owes):
    collection = collection_of(world.county, closes_on=closes_on)
    closed(world, administrator)

    assert (world.school in collection.schools(School.objects.all())) is owes


def test_a_child_on_his_way_to_the_school_that_takes_them_all_has_arrived(world, administrator, school_clerk):
    stay = EnrolmentFactory(school=world.school, student=StudentFactory(county=world.county))
    said = Explanation("in_county", date(2026, 9, 20), to_school=world.other_school)
    transfers.announce(enrolment=stay, change=said, today=DAY, by=school_clerk)
    before = everything(Enrolment, Movement)

    change = closed(world, administrator)

    assert Movement.objects.get().state == Movement.State.WITHDRAWN
    assert Enrolment.objects.open().get().school == world.other_school
    changing.undo(change=change, reason="文件有误", by=administrator)
    assert everything(Enrolment, Movement) == before
