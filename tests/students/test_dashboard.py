"""What the first floor brings to desk and dashboard: every number opens exactly the rows it counts."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau import desk, figures
from bureau.access.roles import Role
from bureau.figures import NO_PART, Asked
from bureau.keys import uuid7
from bureau.pages.freshness import freshness
from students.models import (
    Discrepancy,
    Enrolment,
    Hardship,
    Person,
    Register,
    Roster,
    Snapshot,
    Student,
    Whereabouts,
)
from students.models.differences import Office
from tests.factories import AccountFactory

TODAY = timezone.localdate()


@pytest.fixture
def child(world):
    """`child(born=…)` makes a student of the county; `school` sits him somewhere, `hardship` records one."""

    def make(
        born=date(2016, 5, 1), *, town="township", school=None, stage="primary", present=True, hardship=None
    ):
        person = Person.objects.create(
            county=world.county, name="张三", name_key="张三", pinyin="zhang san", birth_on=born
        )
        township = getattr(world, town) if town else None
        student = Student.objects.create(
            person=person, county=world.county, hukou_township=township, hukou_outside=not town
        )
        if school:
            Enrolment.objects.create(
                county=world.county, student=student, school=school, stage=stage, is_registered=True,
                is_present=present, started_on=date(2022, 9, 1),
            )  # fmt: skip
        if hardship:
            Hardship.objects.create(
                county=world.county, student=student, category=hardship, valid_from=date(2026, 1, 1),
                recorded_by=AccountFactory(),
            )  # fmt: skip
        return student

    return make


@pytest.fixture
def question(world):
    def make(rule="R25", *, due=9, state=Discrepancy.State.NEW, town="township", office=Office.AID, **more):
        return Discrepancy.objects.create(
            county=world.county, rule=rule, subject_kind="student", subject_id=uuid7().hex, office=office,
            township=getattr(world, town) if town else None, term=world.term, state=state,
            opened_on=world.term.starts_on, due_on=TODAY + timedelta(days=due), **more,
        )  # fmt: skip

    return make


@pytest.fixture
def asked(world, aid_officer) -> Asked:
    return Asked.by(aid_officer, on=TODAY)


def value(code: str, asked: Asked) -> int:
    return figures.find(code).value(asked)


def test_child_in_two_schools_counts_once_among_those_present(world, child, asked):
    twice = child(school=world.school)
    Enrolment.objects.create(county=world.county, student=twice, school=world.other_school, is_present=True)
    child(school=world.school, present=False)
    child()

    assert value("S01", asked) == 1
    assert sum(figures.find("S01").counts(asked, "township").values()) == 1


def test_present_without_a_stage_are_a_part_of_their_own(world, child, asked):
    child(school=world.school)
    child(school=world.school, stage="")

    assert figures.find("S01").counts(asked, "stage") == {"primary": 1, NO_PART: 1}


@pytest.mark.parametrize(
    ("born", "counted"),
    [
        (date(2020, 8, 31), 1),
        (date(2020, 9, 1), 0),
        (date(2010, 11, 20), 0),
        (date(2010, 11, 21), 1),
    ],
    ids=["six on 31 August", "six a day later", "sixteen today", "sixteen tomorrow"],
)
def test_school_age_on_both_sides_of_its_bounds(world, child, aid_officer, born, counted):
    child(born)

    assert value("S02", Asked.by(aid_officer, on=date(2026, 11, 20))) == counted


def test_child_registered_elsewhere_is_not_counted_by_hukou(child, asked):
    child(town=None)

    assert value("S02", asked) == 0


def test_child_with_evidence_of_whereabouts_is_not_missing(world, child, asked):
    child(school=world.school)
    away, missing = child(), child()
    Whereabouts.objects.create(
        county=world.county, student=away, kind=Whereabouts.Kind.OUT_OF_PROVINCE, evidence="学籍截图",
        valid_from=date(2026, 9, 1), recorded_by=AccountFactory(),
    )  # fmt: skip

    assert list(figures.find("S05").queryset(asked)) == [missing]


def test_child_with_two_hardships_counts_once(world, child, asked):
    poor = child(hardship="dibao")
    Hardship.objects.create(
        county=world.county,
        student=poor,
        category="disabled",
        valid_from=date(2026, 1, 1),
        recorded_by=AccountFactory(),
    )

    assert value("S03", asked) == 1


@pytest.mark.parametrize("code", ["S01", "S02", "S03", "S04", "S05", "D01", "D02", "D03", "D04"])
def test_every_number_opens_exactly_the_rows_it_counts(
    world, client, child, question, aid_officer, asked, code
):
    for town, school in (
        ("township", world.school),
        ("other_township", world.other_school),
        (None, world.school),
    ):
        child(town=town, school=school, hardship="dibao")
        child(town=town)
    for town in ("township", "other_township", None):
        question(town=town)
        question("R26", town=town, due=-3)
        question(town=town, state=Discrepancy.State.CLOSED)
        question(town=town, state=Discrepancy.State.ACCEPTED, accepted_until=TODAY)
    client.force_login(aid_officer)
    figure = figures.find(code)

    assert figure.value(asked) > 0
    assert client.get(figure.url(asked)).context["page"].total == figure.value(asked)
    for part in figure.parts:
        for part_value, number in figure.counts(asked, part).items():
            page = client.get(figure.url(asked.of(**{part: str(part_value)}))).context["page"]
            assert page.total == number, (part, part_value)


def test_what_is_settled_and_what_waits_make_up_what_was_found(question, asked):
    question()
    question(due=-1)
    question(state=Discrepancy.State.CLOSED)
    question(state=Discrepancy.State.FIXED)

    assert (value("D03", asked), value("D04", asked), value("D01", asked), value("D02", asked)) == (
        4,
        2,
        2,
        1,
    )


def test_dashboard_counts_for_a_township_only_its_own(world, client, child, question, township_officer):
    child(school=world.school)
    child(school=world.other_school, town="other_township")
    question()
    question(town="other_township")
    client.force_login(township_officer)

    tiles = client.get(reverse("bureau:dashboard")).context["tiles"]

    assert [tile["value"] for tile in tiles[:4]] == [1, 1, 0, 1]  # rooms upstairs add theirs


def test_dashboard_draws_both_charts_and_the_table(world, client, child, question, aid_officer):
    child(school=world.school, hardship="dibao")
    question(due=-1)
    client.force_login(aid_officer)

    page = client.get(reverse("bureau:dashboard"))

    charts = page.context["chart_data"]
    assert charts["questions"]["labels"] == ["城关镇"]
    assert [series["values"] for series in charts["questions"]["series"]] == [[1], [0], [1]]
    assert charts["stages"]["labels"] == ["小学"]
    assert "各乡镇一览" in page.content.decode()


def test_questions_to_settle_are_told_per_rule_with_those_that_are_late(question, aid_officer):
    question()
    question(due=-2)
    question("R26", due=0)
    question("R01", office=Office.TOWNSHIP)  # not this office's to settle

    found = {todo.title: (todo.count, todo.late, todo.tone) for todo in desk.todos(aid_officer)}

    assert found == {"应认定未认定": (2, 1, "red"), "已退出名单未调整": (1, 0, "blue")}


def test_to_do_opens_exactly_the_rows_it_counts(client, question, aid_officer):
    question()
    question(due=-2)
    question(state=Discrepancy.State.CLOSED)
    client.force_login(aid_officer)

    for todo in desk.todos(aid_officer):
        assert client.get(todo.url).context["page"].total == todo.count


def test_supervisor_is_asked_to_press_for_what_is_late(client, question, supervisor):
    question()
    question(due=-2)
    client.force_login(supervisor)

    (todo,) = desk.todos(supervisor)

    assert (todo.count, todo.late) == (1, 1)
    assert client.get(todo.url).context["page"].total == 1


def test_school_is_reminded_of_its_roll_until_one_is_on_its_way(world, school_clerk):
    assert [todo.title for todo in desk.todos(school_clerk)] == ["2026年秋季学期花名册还没有上传"]

    roster = Roster.objects.create(
        county=world.county, term=world.term, school=world.school, kind=Roster.Kind.ROLL, file_name="一年级.xlsx",
        status=Roster.State.STAGED, sha256="0" * 64, uploaded_by=school_clerk,
    )  # fmt: skip

    assert [todo.title for todo in desk.todos(school_clerk)] == ["花名册已核对，等待确认入库"]
    assert [recent.url for recent in desk.recents(school_clerk)] == [roster.get_absolute_url()]


def test_stale_list_is_on_the_desk_of_who_imports_lists(world, aid_officer, supervisor):
    register = Register.objects.create(county=world.county, name="dibao", title="低保名单")
    Snapshot.objects.create(
        county=world.county, register=register, as_of=TODAY - timedelta(days=46), state=Snapshot.State.CLOSED,
        file_name="低保.xlsx", sha256="0" * 64, received_by=aid_officer,
    )  # fmt: skip

    assert "部门名单该更新了" in [todo.title for todo in desk.todos(aid_officer)]
    assert "部门名单该更新了" not in [todo.title for todo in desk.todos(supervisor)]


def test_freshness_names_the_newest_closed_list_of_each_register(world, aid_officer):
    register = Register.objects.create(county=world.county, name="dibao", title="低保名单")
    for as_of, state in (
        (date(2026, 9, 25), "closed"),
        (date(2026, 10, 25), "closed"),
        (date(2026, 11, 1), "reading"),
    ):
        Snapshot.objects.create(
            county=world.county, register=register, as_of=as_of, state=state, file_name="低保.xlsx", sha256="0" * 64,
            received_by=aid_officer, township=world.township if as_of.month == 10 else None,
        )  # fmt: skip

    (source,) = freshness(aid_officer).sources

    assert (source.title, source.as_of, source.covers) == ("低保名单", date(2026, 10, 25), "城关镇")


def test_search_of_the_top_bar_leads_to_the_students_list(client, aid_officer):
    client.force_login(aid_officer)

    text = client.get(reverse("bureau:desk")).content.decode()

    assert f'role="search" action="{reverse("students:students")}"' in text


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
def test_who_may_not_see_children_has_no_search_and_no_links_to_them(world, client, role):
    client.force_login(world.account(role))

    assert 'role="search"' not in client.get(reverse("bureau:desk")).content.decode()
    tiles = client.get(reverse("bureau:dashboard")).context["tiles"]
    assert {tile["url"] for tile in tiles} == {None}
