"""名册未出现的学生: asked about, explained, found elsewhere, or a suspicion; never in a vacation, never by mistake."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.jobs import Job
from students import desk_absences, tasks
from students.actions import absences, rosters, undoing
from students.actions.absences import Explanation, NotExplained
from students.models import Absence, Enrolment, Person, Roster, Whereabouts
from tests.factories import AccountFactory, HolidayFactory, SchoolFactory, TermFactory
from tests.students.factories import citizen_id

TODAY = date(2026, 10, 12)
State, Kind = Absence.State, Absence.Kind


def pupil(name: str, number: str = "", **more: str) -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "年级": "三年级", "班级": "1班"} | more


ZHANG, LI, WANG = (
    pupil(name, citizen_id(date(2016, 5, n + 1), n)) for n, name in enumerate(("张三", "李四", "王五"), start=1)
)


@pytest.fixture
def absence(office, school) -> Absence:
    """张三 was on the first roll and is not on the second."""
    office.enrol([ZHANG | {"学籍状态": "在籍"}, LI], school=school)
    office.enrol([LI], school=school)
    return Absence.objects.get()


def explain(kind: str, by, *, since_on: date = date(2026, 9, 20), evidence: str = "转学手续", **more) -> tuple[int, int]:
    if kind == Kind.SUSPENDED:
        more.setdefault("until_on", date(2027, 1, 22))
    said = Explanation(kind, since_on, evidence, **more)
    return absences.explain(absences=Absence.objects.all(), explanation=said, today=TODAY, by=by)


def state_of(absence: Absence) -> str:
    absence.refresh_from_db()
    return absence.state


# Noticed.


def test_a_child_left_out_is_asked_about_with_a_date(office, school, monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: date(2026, 9, 25))  # a Friday
    HolidayFactory(date=date(2026, 10, 1))
    office.enrol([ZHANG, LI], school=school)

    roster = office.enrol([LI], school=school)

    absence = Absence.objects.get()
    assert (absence.roster, absence.school, absence.state) == (roster, school, State.OPEN)
    assert absence.due_on == date(2026, 10, 5)  # the fifth 教学日; the 1st is a holiday


def test_nobody_is_asked_about_children_whose_rows_have_errors_or_who_finished(office, school):
    office.enrol([ZHANG | {"年级": "六年级"}, LI, WANG], school=school)
    next_year = TermFactory(code="2026-autumn")
    roster = office.roll([pupil("张三", "123"), LI, WANG], school=school, term=next_year)

    rosters.apply_roster(roster=roster, by=office.by, accept_good=True)

    assert not Absence.objects.exists()


def test_an_aid_roster_asks_about_nobody(office, school):
    office.enrol([ZHANG, LI], school=school)
    aid = {"金额（元）": "500", "资助项目": "义务教育家庭经济困难学生生活补助", "学期": "2026秋"}

    office.enrol([LI | aid], school=school, kind="aid")

    assert not Absence.objects.exists()


# Found elsewhere, or back.


def test_a_child_at_another_school_already_is_found_there_at_once(office, world):
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([ZHANG], school=world.other_school)

    office.enrol([LI], school=world.school)

    assert Absence.objects.get().state == State.CLAIMED


def test_a_child_whom_another_school_brings_later_is_claimed(office, world, absence):
    office.enrol([ZHANG], school=world.other_school)

    assert state_of(absence) == State.CLAIMED


def test_a_transfer_inside_the_county_waits_until_that_school_has_the_child(office, world, absence):
    assert explain(Kind.IN_COUNTY, office.by, to_school=world.other_school) == (1, 0)
    assert state_of(absence) == State.EXPLAINED
    assert not Whereabouts.objects.exists()

    office.enrol([ZHANG], school=world.other_school)

    assert state_of(absence) == State.CLAIMED


def test_a_child_who_is_back_on_the_roll_is_returned_and_evidence_against_it_withdrawn(office, school, absence):
    explain(Kind.OUT_OF_PROVINCE, office.by)

    office.enrol([ZHANG, LI], school=school)

    assert state_of(absence) == State.RETURNED
    assert Whereabouts.objects.get().withdrawn_at is not None


def test_a_child_who_is_on_the_roll_as_having_left_is_not_back(office, school, absence):
    office.enrol([ZHANG | {"学籍状态": "转出"}, LI], school=school)

    assert state_of(absence) == State.OPEN


# Explained.


@pytest.mark.parametrize(
    ("kind", "evidence", "until"),
    [
        (Kind.OTHER_COUNTY, Whereabouts.Kind.OTHER_COUNTY, date(2027, 1, 22)),
        (Kind.OUT_OF_PROVINCE, Whereabouts.Kind.OUT_OF_PROVINCE, date(2027, 1, 22)),
        (Kind.SUSPENDED, Whereabouts.Kind.SUSPENDED, date(2027, 1, 22)),
        (Kind.ABROAD, Whereabouts.Kind.ABROAD, date(2027, 1, 22)),
        (Kind.DECEASED, Whereabouts.Kind.DECEASED, None),
    ],
)
def test_an_explanation_is_evidence_of_whereabouts_to_be_checked_again_at_the_end_of_the_term(
    office, absence, kind, evidence, until
):
    assert explain(kind, office.by, place="义乌市稠城一小") == (1, 0)

    found = Whereabouts.objects.get()
    assert (found.kind, found.valid_from, found.valid_to) == (evidence, date(2026, 9, 20), until)
    assert (found.place, found.evidence, found.recorded_by) == ("义乌市稠城一小", "转学手续", office.by)
    absence.refresh_from_db()
    assert (absence.state, absence.kind, absence.whereabouts) == (State.EXPLAINED, kind, found)
    assert (absence.explained_by, absence.explained_at is None) == (office.by, False)


def test_explained_anew_the_older_evidence_is_withdrawn(office, absence):
    explain(Kind.OUT_OF_PROVINCE, office.by)
    explain(Kind.SUSPENDED, office.by)

    in_force = Whereabouts.objects.filter(withdrawn_at=None)
    assert (in_force.get().kind, Whereabouts.objects.count()) == ("suspended", 2)
    assert state_of(absence) == State.EXPLAINED


def test_still_here_puts_the_child_back_and_the_next_roll_must_have_him(office, school, absence):
    explain(Kind.STILL_HERE, office.by, evidence="")

    enrolment = Enrolment.objects.get(student__person__name="张三")
    assert (enrolment.is_present, enrolment.is_registered) == (True, True)

    office.enrol([LI | {"班级": "2班"}], school=school)
    assert list(Absence.objects.order_by("pk").values_list("state", flat=True)) == [State.EXPLAINED, State.OPEN]


def test_still_here_said_by_mistake_is_taken_back_with_the_next_word(office, absence):
    explain(Kind.STILL_HERE, office.by, evidence="")
    explain(Kind.SUSPENDED, office.by)

    enrolment = Enrolment.objects.get(student__person__name="张三")
    assert (enrolment.is_present, enrolment.is_registered) == (False, False)
    assert not enrolment.roll.latest


def test_a_leaving_certificate_ends_the_stay_and_is_taken_back_with_the_next_word(office, absence):
    Enrolment.objects.update(entered_in=2021)  # sixth year
    explain(Kind.GRADUATED, office.by, evidence="")

    enrolment = Enrolment.objects.get(student__person__name="张三")
    assert (enrolment.ended_on, enrolment.exit_kind) == (date(2026, 9, 20), "毕业")

    explain(Kind.SUSPENDED, office.by)
    enrolment.refresh_from_db()
    assert (enrolment.ended_on, enrolment.exit_kind) == (None, "")


@pytest.mark.parametrize(("entered_in", "explained"), [(2021, 1), (2022, 0)], ids=["sixth year", "fifth year"])
def test_nobody_graduates_in_the_middle_of_primary_school(office, absence, entered_in, explained):
    Enrolment.objects.update(entered_in=entered_in)

    assert explain(Kind.GRADUATED, office.by)[0] == explained


def test_unknown_is_no_explanation_but_the_suspicion_itself(office, absence):
    assert explain(Kind.UNKNOWN, office.by, evidence="") == (1, 0)

    assert state_of(absence) == State.SIGNALLED


def test_a_suspicion_is_still_explained(office, absence):
    explain(Kind.UNKNOWN, office.by, evidence="")
    explain(Kind.OUT_OF_PROVINCE, office.by)

    assert state_of(absence) == State.EXPLAINED


@pytest.mark.parametrize(
    ("born", "stage", "entered_in", "day", "may"),
    [
        (date(2010, 10, 12), "junior", 2025, TODAY, True),
        (date(2010, 10, 13), "junior", 2025, TODAY, False),
        (date(2011, 1, 1), "junior", 2023, TODAY, True),
        (date(2011, 1, 1), "junior", 2024, TODAY, False),
        (date(2011, 1, 1), "junior", 2023, date(2026, 7, 31), False),
        (date(2011, 1, 1), "senior_general", 2026, TODAY, True),
        (date(2011, 1, 1), "", None, TODAY, False),
        (None, "junior", 2023, TODAY, False),
    ],
    ids=[
        "sixteen today", "sixteen tomorrow", "through with the ninth grade", "in the ninth grade",
        "ninth grade not over yet", "in senior school", "cohort not known", "birth date not known",
    ],
)  # fmt: skip
def test_vocational_school_is_no_choice_before_the_age_in_law(office, absence, born, stage, entered_in, day, may):
    Person.objects.filter(name="张三").update(birth_on=born)
    Enrolment.objects.update(stage=stage, entered_in=entered_in)
    absence = Absence.objects.select_related("enrolment__student__person", "roster__term__school_year").get()

    assert (Kind.VOCATIONAL in absences.kinds_for(absence, day)) is may
    assert explain(Kind.VOCATIONAL, office.by, since_on=day) == ((1, 0) if may else (0, 1))
    assert Whereabouts.objects.exists() is may


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Explanation(Kind.OUT_OF_PROVINCE, date(2026, 9, 20)), "evidence_required"),
        (Explanation(Kind.IN_COUNTY, date(2026, 9, 20)), "school_required"),
        (Explanation(Kind.DECEASED, date(2026, 10, 13), "证明"), "in_the_future"),
        (Explanation(Kind.SUSPENDED, date(2026, 9, 20), "病历"), "until_required"),
        (Explanation(Kind.SUSPENDED, date(2026, 9, 20), "病历", until_on=date(2026, 9, 19)), "until_required"),
    ],
)
def test_an_explanation_with_something_missing_changes_nothing(office, absence, said, code):
    with pytest.raises(NotExplained) as refusal:
        absences.explain(absences=Absence.objects.all(), explanation=said, today=TODAY, by=office.by)

    assert refusal.value.code == code
    assert state_of(absence) == State.OPEN


def test_a_child_does_not_transfer_to_the_school_that_left_him_out(office, school, absence):
    assert explain(Kind.IN_COUNTY, office.by, to_school=school) == (0, 1)


def test_many_are_explained_in_one_step_with_one_line_of_audit(office, school):
    office.enrol([ZHANG, LI, WANG], school=school)
    office.enrol([LI], school=school)

    assert explain(Kind.OTHER_COUNTY, office.by) == (2, 0)

    assert Whereabouts.objects.count() == 2
    event = AuditEvent.objects.get(verb="students.absences_explained")
    assert event.detail == {"explained": "other_county_in_province", "count": 2}


def test_nobody_without_the_right_explains(absence, inspector):
    with pytest.raises(PermissionDenied):
        explain(Kind.SUSPENDED, inspector)
    assert not Whereabouts.objects.exists()


# The night.


@pytest.mark.parametrize(
    ("night", "count"), [(date(2026, 10, 12), 0), (date(2026, 10, 13), 1)], ids=["on the last day", "the day after"]
)
def test_who_is_not_explained_in_time_becomes_a_suspicion(absence, night, count):
    Absence.objects.update(due_on=date(2026, 10, 12))

    assert absences.signal_overdue(county=absence.county, today=night) == count
    assert state_of(absence) == (State.SIGNALLED if count else State.OPEN)


@pytest.mark.parametrize("night", [date(2027, 1, 25), date(2026, 10, 17)], ids=["vacation", "Saturday"])
def test_nothing_is_signalled_on_a_day_without_school(absence, night):
    Absence.objects.update(due_on=date(2026, 10, 12))

    assert absences.signal_overdue(county=absence.county, today=night) == 0


def test_what_is_explained_or_found_is_not_signalled(office, absence):
    explain(Kind.SUSPENDED, office.by)
    Absence.objects.update(due_on=date(2026, 10, 12))

    assert absences.signal_overdue(county=absence.county, today=date(2026, 11, 2)) == 0


def test_a_due_day_beyond_the_terms_is_counted_once_the_next_term_is_entered(office, school, monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: date(2027, 1, 21))
    office.enrol([ZHANG, LI], school=school)
    office.enrol([LI], school=school)
    assert Absence.objects.get().due_on is None

    TermFactory(code="2027-spring", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 8))
    assert absences.signal_overdue(county=office.county, today=date(2027, 2, 22)) == 0

    assert Absence.objects.get().due_on == date(2027, 2, 25)  # the 22nd of January is one of the five


def test_the_night_asks_for_the_look_once_per_county(absence, monkeypatch):
    monkeypatch.setattr(tasks.timezone, "localdate", lambda *args: date(2026, 10, 13))
    tasks.nightly()
    tasks.nightly()

    assert Job.objects.get(kind="students.watch_absences").params == {"day": "2026-10-13"}


# Pages.


def page(client, account, name: str, query: str = "") -> str:
    client.force_login(account)
    return client.get(reverse(f"students:{name}") + query).content.decode()


def test_the_school_sees_its_children_left_out_and_another_school_does_not(client, world, school_clerk, absence):
    stranger = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)

    assert "张三" in page(client, school_clerk, "absences")
    assert "张三" not in page(client, stranger, "absences")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=open", True), ("?state=explained", False), ("?class=1班", True), ("?class=2班", False),
        ("?q=张", True), ("?q=王", False), ("?state=bogus", False),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_what_a_clerk_knows(client, school_clerk, absence, query, found):
    assert ("张三" in page(client, school_clerk, "absences", query)) is found


def explain_page(client, ids, **given):
    url = reverse("students:explain_absences") + "?" + "&".join(f"ids={pk}" for pk in ids)
    return client.post(url, given) if given else client.get(url)


def test_a_clerk_explains_the_ticked_children_together(client, office, school, school_clerk):
    office.enrol([ZHANG, LI, WANG], school=school)
    office.enrol([LI], school=school)
    ids = list(Absence.objects.values_list("pk", flat=True))
    client.force_login(school_clerk)
    shown = explain_page(client, ids).content.decode()

    answer = explain_page(client, ids, count="2", kind="suspended", since_on="2026-09-20", evidence="休学审批表", until_on="2027-01-22")

    assert "说明 2 人的去向" in shown and "就读中职" not in shown.split("所选学生中有未满十六周岁")[0]
    assert answer.url == reverse("students:absences")
    assert set(Absence.objects.values_list("state", flat=True)) == {State.EXPLAINED}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "vocational"}, "vocational"),
        ({"kind": "in_county"}, "请选择转到本县哪所学校"),
        ({"kind": "suspended", "evidence": ""}, "请写明佐证"),
        ({"kind": "suspended", "since_on": "2099-01-01"}, "离校日期不能晚于今天"),
        ({"kind": ""}, "请选择去向"),
        ({"kind": "suspended", "count": "7"}, "现在是 1 人"),
    ],
    ids=["too young", "no school", "no evidence", "in the future", "nothing chosen", "another number of children"],
)
def test_what_is_missing_is_said_beside_the_field_and_nothing_is_lost(client, school_clerk, absence, given, told):
    client.force_login(school_clerk)
    whole = {"count": "1", "since_on": "2026-09-20", "evidence": "谈话记录", "place": "外地亲戚家"} | given

    answer = explain_page(client, [absence.pk], **whole)

    assert told in answer.content.decode() and "外地亲戚家" in answer.content.decode()
    assert state_of(absence) == State.OPEN


def test_children_of_another_school_cannot_be_ticked(client, world, absence):
    client.force_login(AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school))

    answer = explain_page(client, [absence.pk], count="1", kind="suspended", since_on="2026-09-20", evidence="x")

    assert answer.url == reverse("students:absences")
    assert state_of(absence) == State.OPEN


# The desk, and the same child in two schools.


def todo(account, title: str) -> int:
    found = [line.count for provide in desk_absences.PROVIDERS for line in provide(account) if title in line.title]
    return found[0] if found else 0


def test_suspicions_are_on_the_desks_of_school_township_and_bureau(
    office, absence, school_clerk, township_officer, basic_education_officer
):
    assert todo(school_clerk, "请说明去向") == 1
    explain(Kind.UNKNOWN, office.by, evidence="")

    assert [todo(who, "疑似辍学") for who in (school_clerk, township_officer, basic_education_officer)] == [1, 1, 1]
    assert todo(school_clerk, "请说明去向") == 0


def test_both_schools_are_told_of_their_own_child_and_nothing_of_the_other(client, office, world, school_clerk):
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([ZHANG | {"班级": "7班"}], school=world.other_school)
    other_clerk = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)

    for clerk, own, foreign in (
        (school_clerk, "1班", "河口乡中心校"),
        (other_clerk, "7班", "城关镇第一小学"),
    ):
        assert todo(clerk, "同时出现在另一所学校") == 1
        shown = page(client, clerk, "contested")
        assert "张三" in shown and own in shown and "与另一学校冲突" in shown
        assert "李四" not in shown
        for html in (shown, page(client, clerk, "students"), _student_page(client, clerk)):
            assert foreign not in html
    assert {"1班", "7班"} <= set(_words(page(client, office.by, "contested")))


def _student_page(client, account) -> str:
    client.force_login(account)
    student = Enrolment.objects.filter(student__person__name="张三").first().student
    return client.get(student.get_absolute_url()).content.decode()


def _words(html: str) -> list[str]:
    return [word for word in ("1班", "7班") if word in html]


def test_a_child_at_one_school_only_is_no_conflict(office, world, school_clerk):
    office.enrol([ZHANG, LI], school=world.school)
    office.enrol([ZHANG], school=world.other_school)
    office.enrol([LI], school=world.school)

    assert todo(school_clerk, "同时出现在另一所学校") == 0


def test_undone_rosters_leave_no_question(office, school, school_clerk):
    office.enrol([ZHANG, LI], school=school)
    roster = office.enrol([LI], school=school)
    undoing.undo_roster(roster=roster, by=office.by, reason="传错了文件")

    assert todo(school_clerk, "请说明去向") == 0
    assert Roster.objects.get(pk=roster.pk).status == Roster.State.UNDONE


def test_a_vacant_school_of_the_county_is_offered_only_while_it_is_open(client, world, school_clerk, absence):
    SchoolFactory(township=world.township, name="已撤并的小学", closed_on=date(2020, 7, 1))
    client.force_login(school_clerk)

    shown = explain_page(client, [absence.pk]).content.decode()

    assert "河口乡中心校" in shown and "已撤并的小学" not in shown
