"""Pages of the school year: who opens them, what they show, and what the buttons do."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau import jobs
from bureau.access.roles import Role
from bureau.audit.models import AccessLog, AuditEvent
from bureau.organisation.models import Stage
from students.models import Catchment, Leaver, Promotion, Repeat, Schooling, Student, YearPlan
from tests.factories import AccountFactory, SchoolFactory
from tests.students.factories import EnrolmentFactory, HardshipFactory, StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def junior(world):
    return SchoolFactory(township=world.township, name="城关镇初级中学", stages=[Stage.JUNIOR.value])


@pytest.fixture
def receiving_clerk(junior):
    return AccountFactory(role=Role.SCHOOL_CLERK, at=junior)


@pytest.fixture
def leaver(world, term) -> Leaver:
    YearPlan.objects.create(
        county=world.county, school_year=term.school_year, leaves_on=date(2026, 7, 10), report_by=date(2026, 9, 15),
        enter_by=date(2026, 9, 15), destination_by=date(2026, 10, 31), aid_by=date(2026, 11, 15),
    )  # fmt: skip
    stay = EnrolmentFactory(
        school=world.school, entered_in=2020, ended_on=date(2026, 7, 10), exit_kind="毕业", is_present=False,
        is_registered=False, student=StudentFactory(name="赵小毕"),
    )  # fmt: skip
    return Leaver.objects.create(county=world.county, enrolment=stay, school_year=term.school_year)


def post(client, name: str, data: dict, *, ids=(), args=(), **query):
    page = reverse(f"students:{name}", args=args)
    words = "&".join([*(f"ids={pk}" for pk in ids), *(f"{key}={value}" for key, value in query.items())])
    return client.post(f"{page}?{words}", data, follow=True)


# 学年升级


def test_promotion_is_previewed_confirmed_and_taken_back(client, world, term, basic_education_officer):
    (
        EnrolmentFactory(school=world.school, entered_in=2020),
        EnrolmentFactory(school=world.school, entered_in=2023),
    )
    client.force_login(basic_education_officer)

    post(client, "start_promotion", {"school": ""}, year=2026)
    promotion = Promotion.objects.get()
    assert "正在计算预览" in client.get(promotion.get_absolute_url()).content.decode()
    jobs.run(promotion.job_id)
    promotion.refresh_from_db()
    page = client.get(promotion.get_absolute_url()).content.decode()
    assert "其中 1 人照常升级" in page and "城关镇第一小学" in page and not Leaver.objects.exists()

    post(client, "apply_promotion", {"shown": promotion.preview_no}, args=[promotion.pk])
    promotion.refresh_from_db()
    jobs.run(promotion.job_id)
    assert "下一步：整班移交" in client.get(promotion.get_absolute_url()).content.decode()
    assert Leaver.objects.count() == 1

    assert (
        "请写明撤销的理由"
        in post(client, "undo_promotion", {"reason": ""}, args=[promotion.pk]).content.decode()
    )
    post(client, "undo_promotion", {"reason": "日期有误"}, args=[promotion.pk])
    assert not Leaver.objects.exists()


def test_confirming_an_old_preview_only_shows_the_new_one(client, world, term, basic_education_officer):
    EnrolmentFactory(school=world.school, entered_in=2020)
    client.force_login(basic_education_officer)
    post(client, "start_promotion", {"school": ""}, year=2026)
    promotion = Promotion.objects.get()
    jobs.run(promotion.job_id)
    EnrolmentFactory(school=world.school, entered_in=2020)

    post(client, "apply_promotion", {"shown": 1}, args=[promotion.pk])
    promotion.refresh_from_db()
    jobs.run(promotion.job_id)

    assert "已重新计算，还没有升级" in client.get(promotion.get_absolute_url()).content.decode()


def test_promotion_given_up_changes_nothing(client, world, term, basic_education_officer):
    EnrolmentFactory(school=world.school, entered_in=2020)
    client.force_login(basic_education_officer)
    post(client, "start_promotion", {"school": world.school.pk}, year=2026)
    promotion = Promotion.objects.get()
    jobs.run(promotion.job_id)

    post(client, "give_up_promotion", {}, args=[promotion.pk])

    promotion.refresh_from_db()
    assert promotion.state == "given_up" and not promotion.rows.exists()
    assert "不能确认" in post(client, "apply_promotion", {"shown": 1}, args=[promotion.pk]).content.decode()


@pytest.mark.parametrize(
    ("name", "args"),
    [("year_plan", []), ("schooling", []), ("repeats", []), ("start_promotion", [])],
)
def test_school_does_not_turn_the_year(client, world, term, school_clerk, name, args):
    client.force_login(school_clerk)

    assert client.post(reverse(f"students:{name}", args=args)).status_code == 403


# 日期、学制、留级


def test_dates_are_set_and_faults_told(client, world, term, basic_education_officer):
    client.force_login(basic_education_officer)
    good = {
        "leaves_on": "2026-07-08",
        "report_by": "2026-09-10",
        "enter_by": "2026-09-10",
        "destination_by": "2026-10-20",
        "aid_by": "2026-11-20",
    }

    wrong = post(client, "year_plan", good | {"report_by": "2026-07-08"}, year=2026).content.decode()
    assert "应在毕业离校日期之后" in wrong and not YearPlan.objects.exists()
    assert (
        "2027年4月30日之间"
        in post(client, "year_plan", good | {"aid_by": "2027-05-01"}, year=2026).content.decode()
    )
    post(client, "year_plan", good, year=2026)

    assert YearPlan.objects.get().report_by == date(2026, 9, 10)


def test_schooling_is_set_and_removed(client, world, term, basic_education_officer):
    client.force_login(basic_education_officer)
    given = {"school": world.school.pk, "kind": "length", "stage": "primary", "from_year": 2000}

    assert "学制应为 5 或 6 年" in post(client, "schooling", given | {"years": 4}).content.decode()
    assert (
        "没有这个学段" in post(client, "schooling", given | {"stage": "junior", "years": 4}).content.decode()
    )
    post(client, "schooling", given | {"years": 5})

    row = Schooling.objects.get()
    post(client, "remove_schooling", {}, args=[row.pk])
    assert row.years == 5 and not Schooling.objects.exists()


def test_repeat_is_decided_by_name_and_withdrawn(client, world, term, basic_education_officer):
    child = EnrolmentFactory(school=world.school, entered_in=2023, student=StudentFactory(name="赵小留"))
    client.force_login(basic_education_officer)
    given = {"school": world.school.pk, "name": "赵小留", "evidence": "县局批件3号"}

    assert "没有这个姓名" in post(client, "repeats", given | {"name": "赵大"}, year=2026).content.decode()
    post(client, "repeats", given, year=2026)
    assert "赵小留" in client.get(reverse("students:repeats")).content.decode()
    assert AccessLog.objects.filter(view="students:repeats").exists()

    repeat = Repeat.objects.get()
    post(client, "withdraw_repeat", {}, args=[repeat.pk])
    assert repeat.enrolment == child and not Repeat.objects.exists()


# 移交、报到、去向


def test_class_is_handed_over_and_reported(client, world, junior, leaver, school_clerk, receiving_clerk):
    client.force_login(school_clerk)
    assert "整班移交" in client.get(reverse("students:handover")).content.decode()
    whole_class = {"all": 1, "school": world.school.pk, "class": "1班", "stage": "primary", "year": 2026}
    post(client, "hand_over", {"count": 1, "to_school": junior.pk}, **whole_class)

    client.force_login(receiving_clerk)
    page = client.get(reverse("students:leavers") + "?state=missing").content.decode()
    assert "赵小毕" in page and "未报到" in page
    post(client, "report_in", {"count": 1, "on": "2026-09-01"}, ids=[leaver.pk])
    assert "赵小毕" not in client.get(reverse("students:leavers") + "?state=missing").content.decode()
    assert "已报到" in client.get(reverse("students:leavers") + "?state=arrived").content.decode()
    assert AccessLog.objects.filter(view="students:leavers").exists()

    post(client, "withdraw_report", {"count": 1}, ids=[leaver.pk])
    assert Leaver.objects.not_arrived().count() == 1


def test_receiving_school_does_not_hand_a_child_on(client, junior, leaver, receiving_clerk):
    Leaver.objects.update(to_school=junior, handed_on=date(2026, 7, 12))
    client.force_login(receiving_clerk)

    post(client, "hand_over", {"count": 1, "to_school": ""}, ids=[leaver.pk])

    assert Leaver.objects.get().to_school == junior


def test_nobody_acts_on_leavers_of_another_school(client, world, leaver):
    client.force_login(AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school))

    for name in ("hand_over", "report_in", "destinations"):
        page = client.get(reverse(f"students:{name}") + f"?ids={leaver.pk}", follow=True)
        assert "没有选中学生" in page.content.decode()


def test_count_that_has_moved_since_is_asked_again(client, junior, leaver, school_clerk):
    client.force_login(school_clerk)

    page = post(client, "hand_over", {"count": 2, "to_school": junior.pk}, ids=[leaver.pk])

    assert "情况有变化，现在是 1 人" in page.content.decode() and Leaver.objects.get().to_school is None


def test_destination_is_recorded_and_withdrawn(client, leaver, school_clerk):
    type(leaver.enrolment).objects.update(stage=Stage.JUNIOR)
    client.force_login(school_clerk)

    page = post(
        client, "destinations", {"count": 1, "destination": "senior_general"}, ids=[leaver.pk]
    ).content.decode()
    assert "请选择学校在本县还是外地" in page
    post(
        client,
        "destinations",
        {"count": 1, "destination": "vocational", "where": "here", "place": "县职校"},
        ids=[leaver.pk],
    )
    assert "县职校" in client.get(reverse("students:leavers") + "?state=recorded").content.decode()

    post(client, "withdraw_destinations", {"count": 1}, ids=[leaver.pk])
    assert Leaver.objects.get().destination == ""


def test_leaver_by_mistake_is_returned_by_the_bureau(client, leaver, basic_education_officer):
    client.force_login(basic_education_officer)

    assert "请写明退回在读的理由" in post(client, "return_leaver", {}, args=[leaver.pk]).content.decode()
    post(client, "return_leaver", {"reason": "留级"}, args=[leaver.pk])

    assert not Leaver.objects.exists()


def test_receiving_school_checks_whose_aid_goes_on(client, junior, leaver, receiving_clerk):
    HardshipFactory(student=leaver.enrolment.student)
    Leaver.objects.update(to_school=junior, handed_on=date(2026, 7, 12))
    client.force_login(receiving_clerk)

    page = client.get(reverse("students:aided")).content.decode()
    assert "赵小毕" in page and "脱贫户" in page and "待核对" in page
    assert "请选择核对结果" in post(client, "check_aid", {"count": 1}, ids=[leaver.pk]).content.decode()
    post(client, "check_aid", {"count": 1, "answer": "not_arrived"}, ids=[leaver.pk])
    assert Leaver.objects.get().aid == "not_arrived"
    post(client, "check_aid", {"count": 1, "answer": "none"}, ids=[leaver.pk])
    assert Leaver.objects.get().aid == ""


def test_desks_of_both_schools_say_what_is_to_do(client, junior, leaver, school_clerk, receiving_clerk):
    HardshipFactory(student=leaver.enrolment.student)
    client.force_login(school_clerk)
    assert "毕业学生还没有移交" in client.get(reverse("bureau:desk")).content.decode()

    Leaver.objects.update(to_school=junior, handed_on=date(2026, 7, 12))
    client.force_login(receiving_clerk)
    page = client.get(reverse("bureau:desk")).content.decode()
    assert "移交来的新生还没有报到" in page and "升学受助学生待核对" in page


# 学区


def test_area_shows_its_six_year_olds_and_prints_their_letters(
    client, world, term, school_clerk, basic_education_officer
):
    outside, inside = (
        StudentFactory(name="赵小岁", born=date(2020, 5, 1)),
        StudentFactory(name="钱小学", born=date(2020, 5, 2)),
    )
    StudentFactory(name="孙小五", born=date(2020, 9, 1))
    Student.objects.update(hukou_village=world.village)
    EnrolmentFactory(student=inside, school=world.other_school, entered_in=2026)
    client.force_login(basic_education_officer)
    post(client, "edit_area", {"villages": [world.village.pk], "on": "2026-03-01"}, args=[world.school.pk])
    assert Catchment.objects.get().school == world.school

    client.force_login(school_clerk)
    page = client.get(reverse("students:area", args=[world.school.pk]) + "?year=2026").content.decode()
    assert "赵小岁" in page and "未入学" in page and "钱小学" in page and "孙小五" not in page
    letters = client.get(reverse("students:letters", args=[world.school.pk]) + "?year=2026").content.decode()
    assert "赵小岁小朋友" in letters and "钱小学" not in letters and "2020年5月" not in letters
    assert AuditEvent.objects.filter(verb="students.letters_printed").get().detail == {"count": 1}
    assert "1" in client.get(reverse("students:areas") + "?year=2026").content.decode()
    assert outside.pk


def test_school_does_not_look_into_another_area(client, world, term, school_clerk):
    client.force_login(school_clerk)

    for name in ("area", "letters"):
        assert client.get(reverse(f"students:{name}", args=[world.other_school.pk])).status_code == 404


def test_start_page_counts_who_is_still_awaited(client, leaver, supervisor):
    client.force_login(supervisor)

    page = client.get(reverse("students:year") + "?year=2026").content.decode()

    assert "应届毕业学生" in page and "没有着落" in page and timezone.localdate()
    assert client.get(reverse("students:year") + "?year=1999").status_code == 404


def test_number_of_a_preview_opens_its_children(client, world, term, basic_education_officer):
    EnrolmentFactory(school=world.school, entered_in=2020, student=StudentFactory(name="赵小毕"))
    EnrolmentFactory(school=world.other_school, entered_in=2020, student=StudentFactory(name="钱小毕"))
    client.force_login(basic_education_officer)
    post(client, "start_promotion", {"school": ""}, year=2026)
    promotion = Promotion.objects.get()
    jobs.run(promotion.job_id)

    page = client.get(
        reverse("students:promotion_children", args=[promotion.pk])
        + f"?verdict=leaver&school={world.school.pk}"
    )

    assert "赵小毕" in page.content.decode() and "钱小毕" not in page.content.decode()
    assert AccessLog.objects.get(view="students:promotion_children").count == 1


def test_page_of_the_child_tells_where_he_went(client, junior, leaver, school_clerk):
    Leaver.objects.update(to_school=junior, handed_on=date(2026, 7, 12))
    client.force_login(school_clerk)

    page = client.get(leaver.enrolment.student.get_absolute_url()).content.decode()

    assert "毕业与升学" in page and "移交到城关镇初级中学" in page and "待报到" in page


def test_missing_school_year_is_told_to_the_bureau(client, world, term, basic_education_officer, monkeypatch):
    monkeypatch.setattr("students.views.turning.timezone.localdate", lambda: date(2027, 5, 1))
    client.force_login(basic_education_officer)

    assert "2027年秋季学期还没有录入" in client.get(reverse("students:year")).content.decode()
