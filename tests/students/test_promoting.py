"""学年升级: who leaves, who stays, who moves to the 中心校; twice nothing more; taken back as it was."""

from datetime import date

import pytest

from bureau import jobs
from bureau.audit.models import AuditEvent
from bureau.organisation.models import SchoolYear, Stage
from bureau.sheets.grades import GRADES
from students.actions import promoting
from students.actions.refusals import NotApplicable
from students.intake.prefilled import enrolled_at, roll_lines
from students.models import Absence, Enrolment, Leaver, Promotion, Repeat, Roster, Schooling, YearPlan
from students.models.turning import plan_for
from tests.factories import SchoolFactory, TermFactory
from tests.students.factories import EnrolmentFactory, RosterFactory, StudentFactory, citizen_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def year(term) -> SchoolYear:
    return term.school_year


def pupil(school, *, entered: int, stage: str = Stage.PRIMARY, **facts) -> Enrolment:
    return EnrolmentFactory(school=school, stage=stage, entered_in=entered, **facts)


def staged(year, by, school=None) -> Promotion:
    found = promoting.start_promotion(school_year=year, school=school, by=by)
    jobs.run(found.job_id)
    found.refresh_from_db()
    return found


def promoted(year, by, school=None) -> Promotion:
    return promoting.apply_promotion(promotion=staged(year, by, school), by=by)


def verdicts(promotion: Promotion) -> dict:
    return dict(promotion.rows.values_list("enrolment", "verdict"))


@pytest.mark.parametrize(
    ("stage", "entered", "leaves"),
    [
        (Stage.PRIMARY, 2021, False),
        (Stage.PRIMARY, 2020, True),
        (Stage.JUNIOR, 2024, False),
        (Stage.JUNIOR, 2023, True),
        (Stage.PRESCHOOL, 2024, False),
        (Stage.PRESCHOOL, 2023, True),
        (Stage.SENIOR_GENERAL, 2023, True),
        (Stage.SPECIAL, 2010, False),
    ],
)
def test_only_the_cohort_that_has_finished_leaves(
    school, year, basic_education_officer, stage, entered, leaves
):
    child = pupil(school, entered=entered, stage=stage)

    promoted(year, basic_education_officer)

    child.refresh_from_db()
    assert (child.ended_on is not None) is leaves
    assert (child.exit_kind, child.is_present, child.is_registered) == (
        ("毕业", False, False) if leaves else ("", True, True)
    )


def test_leaver_is_asked_where_he_went_and_the_dates_stand(school, year, basic_education_officer):
    child, senior = pupil(school, entered=2020), pupil(school, entered=2023, stage=Stage.SENIOR_GENERAL)

    promoted(year, basic_education_officer)

    assert [leaver.enrolment for leaver in Leaver.objects.all()] == [child]
    assert child.leaver.to_school is None
    assert Enrolment.objects.get(pk=senior.pk).ended_on == YearPlan.objects.get(school_year=year).leaves_on
    assert AuditEvent.objects.filter(verb="students.promoted").get().detail["leaver"] == 2


def test_ordinary_child_is_not_written_to(school, year, basic_education_officer):
    child = pupil(school, entered=2025)

    promotion = promoted(year, basic_education_officer)

    assert not promotion.rows.exists()
    assert (child.grade(2025), child.grade(2026)) == ("一年级", "二年级")
    assert promotion.summary[0]["going_on"] == 1


def test_child_on_leave_and_child_nobody_has_do_not_graduate(school, year, basic_education_officer):
    pupil(school, entered=2020, state="休学")
    pupil(
        school, entered=2020, is_present=False, is_registered=False
    )  # left out by a roll, not explained yet

    promoted(year, basic_education_officer)

    assert not Leaver.objects.exists() and not Enrolment.objects.filter(ended_on__isnull=False).exists()


def test_suspicion_of_dropping_out_is_not_covered_by_a_graduation(school, year, basic_education_officer):
    """Registered by the 学籍 export, left out by the roll, and nobody has said where he is."""
    child, known = (
        pupil(school, entered=2020, is_present=False),
        pupil(school, entered=2020, is_present=False),
    )
    roster = RosterFactory(school=school)
    Absence.objects.create(
        county=school.county, roster=roster, school=school, enrolment=child, state="signalled"
    )
    Absence.objects.create(
        county=school.county, roster=roster, school=school, enrolment=known, state="explained"
    )

    promoted(year, basic_education_officer)

    assert Leaver.objects.get().enrolment == known


@pytest.mark.parametrize("years", [9, 3])
def test_length_no_primary_school_has_is_not_the_childs(school, year, basic_education_officer, years):
    pupil(school, entered=2023, programme_years=years)
    sixth = pupil(school, entered=2020, programme_years=years)

    promoted(year, basic_education_officer)

    assert [leaver.enrolment for leaver in Leaver.objects.all()] == [sixth]


def test_second_promotion_changes_nothing_more(school, year, basic_education_officer):
    pupil(school, entered=2020)
    first = promoted(year, basic_education_officer)
    before = list(Enrolment.objects.values())

    second = promoted(year, basic_education_officer)
    promoting.apply_promotion(promotion=first, by=basic_education_officer)

    assert first.pk != second.pk and not second.rows.exists()
    assert list(Enrolment.objects.values()) == before and Leaver.objects.count() == 1


def test_two_who_ask_at_once_get_the_same_preview(school, year, basic_education_officer):
    first = promoting.start_promotion(school_year=year, school=None, by=basic_education_officer)
    second = promoting.start_promotion(school_year=year, school=None, by=basic_education_officer)

    assert first == second and first.job == second.job


def test_one_school_leaves_the_others_alone(world, year, basic_education_officer):
    here, there = pupil(world.school, entered=2020), pupil(world.other_school, entered=2020)

    promoted(year, basic_education_officer, world.school)

    assert Leaver.objects.get().enrolment == here
    assert Enrolment.objects.get(pk=there.pk).ended_on is None


# 留级


def test_repeater_stays_in_his_grade_and_does_not_leave(school, year, basic_education_officer):
    child, sixth = pupil(school, entered=2023), pupil(school, entered=2020)
    for one in (child, sixth):
        promoting.decide_repeat(
            enrolment=one, school_year=year, evidence="监护人申请，县局批件3号", by=basic_education_officer
        )

    promoted(year, basic_education_officer)
    promoted(year, basic_education_officer)

    child.refresh_from_db(), sixth.refresh_from_db()
    assert (child.grade(2026), sixth.grade(2026)) == ("三年级", "六年级")
    assert sixth.ended_on is None and not Leaver.objects.exists()


@pytest.mark.parametrize(
    ("facts", "evidence", "code"),
    [
        ({}, " ", "evidence_required"),
        ({"ended_on": date(2026, 7, 1)}, "批件", "left"),
        ({"entered": None}, "批件", "no_cohort"),
    ],
)
def test_repeat_is_refused(school, year, basic_education_officer, facts, evidence, code):
    child = pupil(school, **({"entered": 2023} | facts))

    with pytest.raises(NotApplicable) as refusal:
        promoting.decide_repeat(
            enrolment=child, school_year=year, evidence=evidence, by=basic_education_officer
        )

    assert refusal.value.code == code


def test_repeat_that_was_withdrawn_is_not_written(school, year, basic_education_officer):
    child = pupil(school, entered=2023)
    repeat = promoting.decide_repeat(
        enrolment=child, school_year=year, evidence="批件", by=basic_education_officer
    )
    promoting.withdraw_repeat(repeat=repeat, by=basic_education_officer)

    assert not promoted(year, basic_education_officer).rows.exists()


def test_roll_with_the_repeated_grade_is_unchanged(school, office, year, basic_education_officer):
    """三年级 in 2025 and again in 2026: the roll of the new year says what the registry says."""
    spring = TermFactory(county=school.county, code="2026-spring", starts_on=date(2026, 2, 23), ends_on=date(2026, 7, 10),
                         school_year__starts_in=2025)  # fmt: skip
    office.enrol([row(1, "三年级")], school=school, term=spring)
    promoting.decide_repeat(
        enrolment=Enrolment.objects.get(), school_year=year, evidence="批件", by=basic_education_officer
    )
    promoted(year, basic_education_officer)

    roster = office.roll([row(1, "三年级")], school=school)

    assert (roster.new, roster.changed, roster.unchanged) == (0, 0, 1)


def test_roll_of_the_new_year_one_grade_higher_is_unchanged(school, office, year, basic_education_officer):
    spring = TermFactory(county=school.county, code="2026-spring", starts_on=date(2026, 2, 23), ends_on=date(2026, 7, 10),
                         school_year__starts_in=2025)  # fmt: skip
    office.enrol([row(1, "一年级"), row(2, "六年级")], school=school, term=spring)
    promoted(year, basic_education_officer)

    roster = office.roll([row(1, "二年级")], school=school)

    assert (roster.new, roster.changed, roster.unchanged, roster.absent) == (0, 0, 1, 0)


def row(n: int, grade: str) -> dict:
    born = date(2014, 5, n)
    return {"姓名": f"赵{'甲乙丙丁'[n]}", "身份证号": citizen_id(born), "年级": grade, "班级": "1班"}


# 学籍 exports after the turn


def export(office, school, grade: str, *, on: date = date(2026, 8, 20)) -> None:
    told = {"学校标识码": school.code, "学校名称": school.name, "学籍状态": "在籍"}
    office.list("xueji", [row(1, grade) | told], on=on)


def test_export_that_has_not_turned_does_not_bring_a_graduate_back(
    school, office, year, basic_education_officer
):
    spring = TermFactory(county=school.county, code="2026-spring", starts_on=date(2026, 2, 23), ends_on=date(2026, 7, 10),
                         school_year__starts_in=2025)  # fmt: skip
    office.enrol([row(1, "六年级")], school=school, term=spring)
    promoted(year, basic_education_officer)

    export(office, school, "六年级")

    assert Enrolment.objects.get().exit_kind == "毕业"


def test_export_tells_the_cohort_a_repeater_is_with(school, office, year, basic_education_officer):
    spring = TermFactory(county=school.county, code="2026-spring", starts_on=date(2026, 2, 23), ends_on=date(2026, 7, 10),
                         school_year__starts_in=2025)  # fmt: skip
    office.enrol([row(1, "三年级")], school=school, term=spring)
    promoting.decide_repeat(
        enrolment=Enrolment.objects.get(), school_year=year, evidence="批件", by=basic_education_officer
    )
    promoted(year, basic_education_officer)

    export(office, school, "三年级", on=date(2026, 10, 12))

    stay = Enrolment.objects.get()
    assert (stay.entered_in, stay.repeat_offset, stay.grade(2026)) == (2023, 1, "三年级")


def test_export_of_a_junior_school_of_four_years_is_read_by_its_length(office, year, world):
    school = SchoolFactory(township=world.township, name="城关镇五四初中", stages=[Stage.JUNIOR.value])
    length(school, Stage.JUNIOR, 4)

    export(office, school, "七年级", on=date(2026, 10, 12))

    stay = Enrolment.objects.get()
    assert (stay.entered_in, stay.programme_years, stay.grade(2026)) == (2025, 4, "七年级")


# 五四制


def length(
    school, stage: str, years: int, *, since: int = 2000, kind: str = Schooling.Kind.LENGTH
) -> Schooling:
    return Schooling.objects.create(
        county=school.county, school=school, kind=kind, stage=stage, years=years, from_year=since
    )


@pytest.mark.parametrize(
    ("entered", "leaves"), [(2021, True), (2022, False)], ids=["five years", "four years"]
)
def test_primary_school_of_five_years(school, year, basic_education_officer, entered, leaves):
    length(school, Stage.PRIMARY, 5)
    child = pupil(school, entered=entered)

    promoted(year, basic_education_officer)

    child.refresh_from_db()
    assert (child.ended_on is not None, child.programme_years) == (leaves, 5)


def test_length_holds_for_cohorts_from_its_year_on(school, year, basic_education_officer):
    length(school, Stage.PRIMARY, 5, since=2022)
    before, after = pupil(school, entered=2021), pupil(school, entered=2022)

    promoted(year, basic_education_officer)

    before.refresh_from_db(), after.refresh_from_db()
    assert (before.ended_on, before.programme_years) == (None, None)
    assert (after.ended_on, after.programme_years) == (None, 5)


def test_junior_school_of_four_years_begins_with_grade_six(year, school, basic_education_officer):
    length(school, Stage.JUNIOR, 4)
    child = pupil(school, entered=2025, stage=Stage.JUNIOR)

    promoted(year, basic_education_officer)

    child.refresh_from_db()
    assert (child.grade(2025), child.grade(2026)) == ("六年级", "七年级")


def test_roll_of_a_junior_school_of_four_years_is_read_by_its_length(office, year, world):
    school = SchoolFactory(township=world.township, name="城关镇五四初中", stages=[Stage.JUNIOR.value])
    length(school, Stage.JUNIOR, 4)

    office.enrol([row(1, "六年级"), row(2, "七年级")], school=school)

    found = Enrolment.objects.order_by("entered_in").values_list("stage", "entered_in", "programme_years")
    assert list(found) == [("junior", 2025, 4), ("junior", 2026, 4)]
    again = office.roll([row(2, "七年级"), row(1, "六年级")], school=school)
    assert (again.unchanged, again.changed) == (2, 0)
    given_out = [GRADES[line["grade"]] for line in roll_lines(enrolled_at(school), school_year=2026)]
    assert given_out == ["六年级", "七年级"]


# 教学点


def test_teaching_point_hands_its_third_grade_to_the_centre(world, year, basic_education_officer):
    length(world.school, Stage.PRIMARY, 2, kind=Schooling.Kind.TAUGHT)
    second, third = pupil(world.school, entered=2025), pupil(world.school, entered=2024, class_name="1班")

    promoted(year, basic_education_officer)
    promoted(year, basic_education_officer)

    third.refresh_from_db(), second.refresh_from_db()
    new = Enrolment.objects.get(school=world.center_school)
    assert (third.exit_kind, third.is_present, second.ended_on) == ("升入中心校", False, None)
    assert (new.student, new.grade(2026), new.class_name, new.is_present) == (
        third.student,
        "三年级",
        "1班",
        True,
    )
    assert new.started_on == date(2026, 9, 1)


def test_centre_is_asked_for_a_moved_child_its_next_roll_leaves_out(
    world, office, year, basic_education_officer
):
    office.enrol([row(1, "四年级")], school=world.center_school)
    length(world.school, Stage.PRIMARY, 2, kind=Schooling.Kind.TAUGHT)
    pupil(world.school, entered=2024)
    promoted(year, basic_education_officer)

    roster = office.roll([row(1, "四年级"), row(2, "一年级")], school=world.center_school)

    assert roster.absent == 1


def test_child_the_centre_has_already_is_only_ended_at_the_point(world, year, basic_education_officer):
    length(world.school, Stage.PRIMARY, 2, kind=Schooling.Kind.TAUGHT)
    child = pupil(world.school, entered=2024)
    there = pupil(world.center_school, entered=2024, student=child.student)

    promotion = promoted(year, basic_education_officer)
    promoting.undo_promotion(promotion=promotion, by=basic_education_officer, reason="误操作")

    assert set(Enrolment.objects.filter(ended_on=None)) == {child, there}


def test_point_without_a_centre_is_told_and_left_alone(world, year, basic_education_officer):
    length(world.other_school, Stage.PRIMARY, 2, kind=Schooling.Kind.TAUGHT)
    child = pupil(world.other_school, entered=2024)

    promotion = promoted(year, basic_education_officer)

    child.refresh_from_db()
    assert child.ended_on is None and promotion.summary[0]["stuck"] == 1


# Looked at, changed meanwhile, taken back


def test_what_nobody_has_seen_is_not_applied(school, year, basic_education_officer):
    pupil(school, entered=2020)
    promotion = staged(year, basic_education_officer)
    shown = promotion.preview_no
    pupil(school, entered=2020)

    promoting.apply_promotion(promotion=promotion, by=basic_education_officer, shown=shown)

    promotion.refresh_from_db()
    assert (promotion.state, promotion.preview_no) == (Promotion.State.STAGED, shown + 1)
    assert not Leaver.objects.exists()


def test_undone_promotion_leaves_no_trace(world, year, basic_education_officer):
    length(world.school, Stage.PRIMARY, 2, kind=Schooling.Kind.TAUGHT)
    length(world.other_school, Stage.PRIMARY, 5)
    pupil(world.school, entered=2024), pupil(world.center_school, entered=2020, is_present=False)
    pupil(world.other_school, entered=2021), pupil(world.other_school, entered=2023)
    stays = pupil(world.center_school, entered=2020)
    promoting.decide_repeat(enrolment=stays, school_year=year, evidence="批件", by=basic_education_officer)
    before = list(Enrolment.objects.order_by("pk").values())

    promotion = promoted(year, basic_education_officer)
    assert set(verdicts(promotion).values()) == {"leaver", "repeater", "moves", "length"}
    promoting.undo_promotion(promotion=promotion, by=basic_education_officer, reason="日期有误")

    assert list(Enrolment.objects.order_by("pk").values()) == before
    assert not Leaver.objects.exists() and Repeat.objects.waiting().count() == 1


@pytest.mark.parametrize("later", ["arrived", "destination", "roll", "changed"])
def test_promotion_with_later_work_is_not_undone(world, year, basic_education_officer, later):
    child = pupil(world.school, entered=2020)
    promotion = promoted(year, basic_education_officer)
    if later == "arrived":
        pupil(world.other_school, entered=2026, stage=Stage.JUNIOR, student=child.student)
    elif later == "destination":
        Leaver.objects.update(destination="home")
    elif later == "roll":
        roll = RosterFactory(school=world.school, applied_at=promotion.applied_at.replace(year=2027))
        roll.parts.create(school=world.school, kind=Roster.Kind.ROLL)
    else:
        Enrolment.objects.filter(pk=child.pk).update(exit_kind="转出")

    with pytest.raises(NotApplicable) as refusal:
        promoting.undo_promotion(promotion=promotion, by=basic_education_officer, reason="误操作")

    assert refusal.value.code == "blocked"
    assert Leaver.objects.count() == 1


def test_undoing_needs_a_reason(school, year, basic_education_officer):
    promotion = promoted(year, basic_education_officer)

    with pytest.raises(NotApplicable):
        promoting.undo_promotion(promotion=promotion, by=basic_education_officer, reason=" ")


def test_child_a_roll_has_let_go_as_finished_is_asked_too(school, year, basic_education_officer):
    gone = pupil(
        school,
        entered=2020,
        ended_on=date(2026, 9, 1),
        exit_kind="毕业",
        is_present=False,
        is_registered=False,
    )
    pupil(
        school,
        entered=2019,
        ended_on=date(2025, 9, 1),
        exit_kind="毕业",
        is_present=False,
        is_registered=False,
    )

    promotion = promoted(year, basic_education_officer)

    assert Leaver.objects.get().enrolment == gone
    promoting.undo_promotion(promotion=promotion, by=basic_education_officer, reason="误操作")
    assert Enrolment.objects.get(pk=gone.pk).exit_kind == "毕业"


def test_nine_year_school_keeps_its_leavers_as_its_own_newcomers(year, world, basic_education_officer):
    nine = SchoolFactory(township=world.township, name="城关镇九年一贯制学校", stages=["primary", "junior"])
    child, ninth = pupil(nine, entered=2020), pupil(nine, entered=2023, stage=Stage.JUNIOR)

    promoted(year, basic_education_officer)

    assert Leaver.objects.get(enrolment=child).to_school == nine
    assert Leaver.objects.get(enrolment=ninth).to_school is None


def test_dates_are_the_usual_ones_until_the_bureau_sets_others(year, basic_education_officer):
    usual = plan_for(year)
    assert (usual.pk, usual.leaves_on, usual.report_by) == (None, date(2026, 7, 10), date(2026, 9, 15))

    promoting.save_plan(plan=usual, values={"report_by": date(2026, 9, 8)}, by=basic_education_officer)

    assert plan_for(year).report_by == date(2026, 9, 8)


def test_killed_before_the_end_nothing_was_done(school, year, basic_education_officer, monkeypatch):
    pupil(school, entered=2020)
    promotion = staged(year, basic_education_officer)

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(promoting.audit, "record", fail)
    with pytest.raises(RuntimeError):
        promoting.apply_promotion(promotion=promotion, by=basic_education_officer)

    promotion.refresh_from_db()
    assert promotion.state == Promotion.State.STAGED and not Leaver.objects.exists()


def test_unfinished_child_of_another_county_is_not_touched(world, year, basic_education_officer):
    student = StudentFactory(county=world.far_county)
    child = EnrolmentFactory(student=student, school=world.far_school, entered_in=2020)

    promoted(year, basic_education_officer)

    child.refresh_from_db()
    assert child.ended_on is None
