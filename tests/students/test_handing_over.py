"""小升初: handed over by class, reported by a tick or by a roll, recorded elsewhere; and whose aid goes along."""

from datetime import date

import pytest

from bureau.access.roles import Role
from bureau.organisation.models import Stage
from students.actions import areas, handing_over, promoting
from students.actions.handing_over import Told
from students.actions.refusals import NotApplicable
from students.models import Catchment, Enrolment, Leaver, Schooling, Whereabouts
from tests.factories import AccountFactory, SchoolFactory, VillageFactory
from tests.students.factories import EnrolmentFactory, HardshipFactory, citizen_id, give_number

pytestmark = pytest.mark.django_db

JULY, SEPTEMBER = date(2026, 7, 12), date(2026, 9, 1)


@pytest.fixture
def junior(world):
    return SchoolFactory(township=world.township, name="城关镇初级中学", stages=[Stage.JUNIOR.value])


def graduate(school, term, *, stage: str = Stage.PRIMARY, **facts) -> Leaver:
    facts = {
        "entered_in": 2020,
        "ended_on": date(2026, 7, 10),
        "exit_kind": "毕业",
        "is_present": False,
        "is_registered": False,
    } | facts
    stay = EnrolmentFactory(school=school, stage=stage, **facts)
    return Leaver.objects.create(county=school.county, enrolment=stay, school_year=term.school_year)


def of(*leavers):
    return Leaver.objects.filter(pk__in=[one.pk for one in leavers])


def test_class_is_handed_over_and_the_receiving_school_sees_it(world, term, junior, school_clerk):
    one, two = graduate(world.school, term), graduate(world.school, term)
    receiving = AccountFactory(role=Role.SCHOOL_CLERK, at=junior)
    assert not Leaver.objects.visible_to(receiving).exists()

    assert handing_over.hand_over(leavers=of(one, two), to_school=junior, on=JULY, by=school_clerk) == (2, 0)
    assert handing_over.hand_over(leavers=of(one, two), to_school=junior, on=JULY, by=school_clerk) == (0, 2)

    assert set(Leaver.objects.visible_to(receiving)) == {one, two}
    assert set(Leaver.objects.visible_to(school_clerk)) == {one, two}


def test_nobody_is_handed_to_a_school_without_the_next_stage(world, term, school_clerk):
    one = graduate(world.school, term)

    with pytest.raises(NotApplicable):
        handing_over.hand_over(leavers=of(one), to_school=world.other_school, on=JULY, by=school_clerk)


def test_who_has_reported_is_not_handed_to_another_school(world, term, junior, school_clerk):
    one = graduate(world.school, term)
    handing_over.report_in(leavers=of(one), school=junior, on=SEPTEMBER, by=school_clerk)
    other = SchoolFactory(township=world.township, stages=[Stage.JUNIOR.value])

    assert handing_over.hand_over(leavers=of(one), to_school=other, on=JULY, by=school_clerk) == (0, 1)


def test_tick_makes_him_present_in_grade_seven_once(world, term, junior, school_clerk):
    one = graduate(world.school, term)

    for _ in range(2):
        handing_over.report_in(leavers=of(one), school=junior, on=SEPTEMBER, by=school_clerk)

    stay = Enrolment.objects.get(school=junior)
    assert (stay.student, stay.grade(2026), stay.is_present, stay.is_registered) == (
        one.enrolment.student,
        "七年级",
        True,
        False,
    )
    assert Leaver.objects.arrived().get() == one


def test_tick_before_the_day_he_left_is_refused(world, term, junior, school_clerk):
    with pytest.raises(NotApplicable):
        handing_over.report_in(
            leavers=of(graduate(world.school, term)), school=junior, on=date(2026, 7, 10), by=school_clerk
        )


def test_tick_can_be_taken_back_until_a_roll_has_written_to_it(world, term, junior, school_clerk):
    one, two = graduate(world.school, term), graduate(world.school, term)
    handing_over.report_in(leavers=of(one, two), school=junior, on=SEPTEMBER, by=school_clerk)
    Enrolment.objects.filter(student=two.enrolment.student, school=junior).update(class_name="1班")

    assert handing_over.withdraw_report(leavers=of(one, two), by=school_clerk) == (1, 1)
    assert set(Leaver.objects.arrived()) == {two}


def test_roll_of_any_junior_school_reports_him(world, term, junior, office, school_clerk):
    one, two = graduate(world.school, term), graduate(world.school, term)
    for n, leaver in enumerate((one, two), start=1):
        person = leaver.enrolment.student.person
        give_number(person, citizen_id(date(2014, 5, n)))
    handing_over.hand_over(leavers=of(one, two), to_school=junior, on=JULY, by=school_clerk)
    elsewhere = SchoolFactory(township=world.other_township, stages=[Stage.JUNIOR.value])

    for n, (leaver, school) in enumerate(((one, junior), (two, elsewhere)), start=1):
        name = leaver.enrolment.student.person.name
        office.enrol(
            [{"姓名": name, "身份证号": citizen_id(date(2014, 5, n)), "年级": "七年级", "班级": "1班"}],
            school=school,
        )

    places = handing_over.arrivals_of([one, two])
    assert [places[leaver.pk].school for leaver in (one, two)] == [junior, elsewhere]
    assert not Leaver.objects.not_arrived().exists()


# 去向


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Told("senior_general"), "where_required"),
        (Told("senior_general", where="province"), "evidence_required"),
        (Told("work"), "evidence_required"),
        (Told("junior", where="here"), "hand_over_instead"),
    ],
)
def test_destination_that_is_not_told_enough_is_refused(world, term, school_clerk, told, code):
    one = graduate(world.school, term, stage=Stage.JUNIOR)

    with pytest.raises(NotApplicable) as refusal:
        handing_over.record_destinations(leavers=of(one), told=told, by=school_clerk)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (Told("vocational", where="here", place="县职校"), None),
        (Told("senior_general", where="outside", evidence="录取通知书"), "out_of_province"),
        (Told("vocational", where="province", evidence="录取通知书"), "other_county_in_province"),
        (Told("work", evidence="与父亲通话"), "graduated_early"),
        (Told("deceased", evidence="死亡证明"), "deceased"),
    ],
)
def test_destination_outside_is_evidence_of_whereabouts(world, term, school_clerk, told, kind):
    one = graduate(world.school, term, stage=Stage.JUNIOR)

    handing_over.record_destinations(leavers=of(one), told=told, by=school_clerk)
    handing_over.record_destinations(leavers=of(one), told=told, by=school_clerk)

    found = Whereabouts.objects.filter(withdrawn_at=None).values_list("kind", "valid_from", "valid_to")
    last = None if kind == "deceased" else date(2027, 8, 31)
    assert list(found) == ([(kind, date(2026, 7, 10), last)] if kind else [])


def test_nobody_goes_to_work_from_primary_school(world, term, school_clerk):
    one, two = graduate(world.school, term), graduate(world.school, term, stage=Stage.JUNIOR)

    assert handing_over.record_destinations(
        leavers=of(one, two), told=Told("work", evidence="通话"), by=school_clerk
    ) == (1, 1)
    assert Leaver.objects.exclude(destination="").get() == two


def test_destination_taken_back_takes_its_evidence_along(world, term, school_clerk):
    one = graduate(world.school, term, stage=Stage.JUNIOR)
    handing_over.record_destinations(leavers=of(one), told=Told("abroad", evidence="签证"), by=school_clerk)

    assert handing_over.withdraw_destinations(leavers=of(one), by=school_clerk) == 1

    assert not Whereabouts.objects.filter(withdrawn_at=None).exists()
    assert Leaver.objects.get(pk=one.pk).destination == ""


def test_leaver_by_mistake_is_back_as_he_was(world, term, basic_education_officer):
    stay = EnrolmentFactory(school=world.school, entered_in=2020, is_present=False)
    promotion = promoting.start_promotion(
        school_year=term.school_year, school=None, by=basic_education_officer
    )
    promoting.apply_promotion(
        promotion=promoting.stage_promotion(promotion=promotion), by=basic_education_officer
    )

    handing_over.return_leaver(leaver=Leaver.objects.get(), reason="学制登记有误", by=basic_education_officer)

    stay.refresh_from_db()
    assert (stay.ended_on, stay.exit_kind, stay.is_present, stay.is_registered) == (None, "", False, True)
    promotion.refresh_from_db()
    assert not promoting.obstacles(promotion)


def test_leaver_who_has_reported_is_not_returned(world, term, junior, basic_education_officer):
    one = graduate(world.school, term)
    handing_over.report_in(leavers=of(one), school=junior, on=SEPTEMBER, by=basic_education_officer)

    with pytest.raises(NotApplicable):
        handing_over.return_leaver(leaver=one, reason="误列", by=basic_education_officer)


# 升学资助交接


@pytest.mark.parametrize(
    ("held", "aided"),
    [
        ((date(2026, 3, 1), JULY), True),
        ((date(2026, 3, 1), date(2026, 7, 11)), False),
        ((date(2026, 7, 13), None), False),
    ],
    ids=["to the day of the handover", "ended the day before", "since the day after"],
)
def test_child_in_hardship_on_the_day_of_the_handover_is_on_the_list(
    world, term, junior, school_clerk, held, aided
):
    one = graduate(world.school, term)
    HardshipFactory(student=one.enrolment.student, valid_from=held[0], valid_to=held[1])
    handing_over.hand_over(leavers=of(one), to_school=junior, on=JULY, by=school_clerk)

    assert Leaver.objects.aided().exists() is aided


@pytest.mark.parametrize(
    ("answer", "arrived", "taken"),
    [
        ("continues", True, 1),
        ("continues", False, 0),
        ("not_arrived", False, 1),
        ("not_arrived", True, 0),
        ("ended", True, 1),
    ],
)
def test_answer_about_aid_agrees_with_who_has_come(world, term, junior, school_clerk, answer, arrived, taken):
    one = graduate(world.school, term)
    HardshipFactory(student=one.enrolment.student)
    handing_over.hand_over(leavers=of(one), to_school=junior, on=JULY, by=school_clerk)
    if arrived:
        handing_over.report_in(leavers=of(one), school=junior, on=SEPTEMBER, by=school_clerk)

    assert (
        handing_over.check_aid(leavers=of(one), answer=answer, note="已退出低保", by=school_clerk)[0] == taken
    )


def test_aid_ends_only_with_words(world, term, junior, school_clerk):
    with pytest.raises(NotApplicable):
        handing_over.check_aid(leavers=of(graduate(world.school, term)), answer="ended", by=school_clerk)


# 学制、学区


def test_length_is_written_to_the_children_and_taken_back(world, basic_education_officer):
    seven = EnrolmentFactory(school=world.school, stage=Stage.JUNIOR, entered_in=2026)
    third = EnrolmentFactory(school=world.school, entered_in=2024)
    given = {"school": world.school, "kind": Schooling.Kind.LENGTH, "by": basic_education_officer}
    before = list(Enrolment.objects.order_by("pk").values())

    junior = areas.save_schooling(stage=Stage.JUNIOR, years=4, from_year=2020, **given)
    primary = areas.save_schooling(stage=Stage.PRIMARY, years=5, from_year=2020, **given)

    seven.refresh_from_db(), third.refresh_from_db()
    assert (seven.grade(2026), third.grade(2026)) == ("七年级", "三年级")
    assert (seven.entered_in, seven.programme_years, third.programme_years) == (2025, 4, 5)

    for one in (junior, primary):
        areas.remove_schooling(schooling=one, by=basic_education_officer)
    assert list(Enrolment.objects.order_by("pk").values()) == before


def test_area_is_changed_from_a_day_on(world, basic_education_officer):
    one, two = VillageFactory(township=world.township), VillageFactory(township=world.township)
    given = {"school": world.school, "stage": Stage.PRIMARY, "by": basic_education_officer}

    assert areas.save_area(villages=[one], on=date(2026, 3, 1), **given) == (1, 0)
    assert areas.save_area(villages=[two], on=date(2026, 6, 1), **given) == (1, 1)
    assert areas.save_area(villages=[two], on=date(2026, 6, 1), **given) == (0, 0)

    assert [area.village for area in Catchment.objects.covering(date(2026, 5, 31))] == [one]
    assert [area.village for area in Catchment.objects.covering(date(2026, 6, 1))] == [two]
