"""学生群体: dated facts with a source, looked at again every term, ended or taken back; 安置点 and near placement."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from bureau import figures
from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.figures import Asked
from students.actions import grouping
from students.actions.grouping import NotGrouped, placement
from students.desk_groups import facts_to_check
from students.models import Enrolment, GroupFact, RelocationSite, Student
from tests.factories import AccountFactory, TermFactory
from tests.students.factories import EntryFactory, StudentFactory

TODAY, SINCE = date(2026, 10, 12), date(2026, 9, 5)
LAST_TERM = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: TODAY if not args else args[0].date())


@pytest.fixture
def child(world) -> Student:
    return StudentFactory(name="张三", county=world.county, at=world.school)


def record(*students, by, group: str = "left_behind", **more) -> tuple[int, int]:
    given = {"since_on": SINCE, "source": "school", "evidence": "家访"} | more
    return grouping.record(students=students, group=group, today=TODAY, by=by, **given)


def fact(child, by, **more) -> GroupFact:
    record(child, by=by)
    GroupFact.objects.filter(student=child).update(**more)
    return GroupFact.objects.get(student=child)


# Recording, checking, ending.


def test_a_child_belongs_to_a_group_once_however_often_it_is_sent(child, school_clerk):
    assert record(child, by=school_clerk) == (1, 0)
    assert record(child, by=school_clerk) == (0, 1)

    found = GroupFact.objects.get()
    assert (found.valid_from, found.valid_to, found.checked_on, found.source) == (
        SINCE,
        None,
        TODAY,
        "school",
    )
    assert AuditEvent.objects.filter(verb="students.groups_recorded").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        GroupFact.objects.create(
            county=found.county, student=child, group="left_behind", valid_from=SINCE, source="school", checked_on=TODAY,
            checked_by=school_clerk, recorded_by=school_clerk,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "inside"),
    [(date(2026, 9, 4), False), (SINCE, True), (date(2026, 9, 30), True), (date(2026, 10, 1), False)],
    ids=["day before", "first day", "last day", "day after"],
)
def test_both_ends_belong_to_it(child, school_clerk, day, inside):
    fact(child, school_clerk, valid_to=date(2026, 9, 30))

    assert GroupFact.objects.covering(day).exists() is inside


@pytest.mark.parametrize(
    ("checked_on", "due"),
    [(date(2026, 8, 31), 1), (date(2026, 9, 1), 0)],
    ids=["last term", "first day of this term"],
)
def test_it_is_looked_at_again_every_term(child, school_clerk, term, checked_on, due):
    fact(child, school_clerk, checked_on=checked_on)

    assert facts_to_check(school_clerk)[0].count == due
    assert grouping.check(facts=GroupFact.objects.to_check(term), today=TODAY, by=school_clerk) == due
    assert facts_to_check(school_clerk)[0].count == 0


@pytest.mark.parametrize(
    ("day", "late"), [(date(2026, 10, 1), 0), (date(2026, 10, 2), 1)], ids=["last day", "day after"]
)
def test_the_check_is_late_after_its_last_day(child, school_clerk, term, monkeypatch, day, late):
    fact(child, school_clerk, checked_on=LAST_TERM)
    monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    todo, _ = facts_to_check(school_clerk)
    assert (todo.due_on, todo.late) == (date(2026, 10, 1), late)


def test_checked_twice_the_second_time_nothing_happens(child, school_clerk, term):
    fact(child, school_clerk, checked_on=LAST_TERM)

    counts = [grouping.check(facts=GroupFact.objects.all(), today=TODAY, by=school_clerk) for _ in range(2)]

    assert counts == [1, 0]
    assert AuditEvent.objects.filter(verb="students.groups_checked").count() == 1


def test_ended_it_may_begin_again(child, school_clerk):
    fact(child, school_clerk)

    ended = [
        grouping.end(
            facts=GroupFact.objects.all(),
            last_on=date(2026, 10, 1),
            reason="父亲返乡",
            today=TODAY,
            by=school_clerk,
        )
        for _ in range(2)
    ]

    assert ended == [1, 0]
    assert not GroupFact.objects.covering(date(2026, 10, 2)).exists()
    assert record(child, by=school_clerk, since_on=date(2026, 10, 5)) == (1, 0)


@pytest.mark.parametrize(
    ("last_on", "reason", "code"),
    [
        (date(2026, 9, 4), "返乡", "before_it_began"),
        (date(2026, 10, 13), "返乡", "in_the_future"),
        (date(2026, 10, 1), " ", "reason_required"),
    ],
)
def test_it_does_not_end_before_it_began_nor_tomorrow_nor_without_a_word(
    child, school_clerk, last_on, reason, code
):
    fact(child, school_clerk)

    with pytest.raises(NotGrouped) as refusal:
        grouping.end(
            facts=GroupFact.objects.all(), last_on=last_on, reason=reason, today=TODAY, by=school_clerk
        )

    assert refusal.value.code == code


def test_recorded_by_mistake_it_was_never_so(child, school_clerk):
    mistaken = fact(child, school_clerk)

    assert [grouping.withdraw(fact=mistaken, by=school_clerk) for _ in range(2)] == [True, False]
    assert not GroupFact.objects.covering(TODAY).exists()
    assert record(child, by=school_clerk) == (1, 0)


# From the lists of other offices.


def test_whom_the_list_has_and_we_have_not_is_taken_over_with_the_dates_of_the_list(
    world, child, school_clerk
):
    EntryFactory(on="disability", student=child, listed=(date(2025, 3, 1), None))
    EntryFactory(on="disability", student=StudentFactory(county=world.county, at=world.other_school))
    mine = Student.objects.visible_to(school_clerk)

    counts = [
        grouping.adopt(county=world.county, group="disabled", students=mine, today=TODAY, by=school_clerk)
        for _ in range(2)
    ]

    assert counts == [1, 0]
    found = GroupFact.objects.get()
    assert (found.student, found.valid_from, found.source) == (child, date(2025, 3, 1), "federation")


@pytest.mark.parametrize(
    ("listed_to", "off"), [(TODAY, False), (date(2026, 10, 11), True)], ids=["last day", "day after"]
)
def test_a_fact_from_a_list_that_has_the_child_no_longer_is_told(world, child, school_clerk, listed_to, off):
    entry = EntryFactory(on="orphan", student=child, listed=(date(2025, 3, 1), None))
    grouping.adopt(
        county=world.county, group="orphan", students=Student.objects.all(), today=TODAY, by=school_clerk
    )
    type(entry).objects.update(listed_to=listed_to)

    assert GroupFact.objects.off_the_list(TODAY).exists() is off
    assert [todo.count for todo in facts_to_check(school_clerk)][1] == off


# 安置点.


@pytest.fixture
def site(world, basic_education_officer) -> RelocationSite:
    values = {
        "name": "幸福里安置点",
        "township": world.township,
        "schools": [world.school],
        "opened_on": date(2020, 1, 1),
    }
    return grouping.save_site(
        site=RelocationSite(county=world.county), values=values, by=basic_education_officer
    )


def test_children_of_a_site_are_near_elsewhere_or_nowhere_and_sum_to_all(
    world, site, basic_education_officer
):
    near = StudentFactory(county=world.county, at=world.school)
    elsewhere = StudentFactory(county=world.county, at=world.other_school)
    nowhere = StudentFactory(county=world.county)
    record(near, elsewhere, nowhere, by=basic_education_officer, group="relocated", site=site)
    record(
        StudentFactory(county=world.county, at=world.school), by=basic_education_officer, group="relocated"
    )

    parts = {name: list(rows) for name, rows in placement(site, TODAY).items()}

    assert (parts["near"], parts["elsewhere"], parts["nowhere"]) == ([near], [elsewhere], [nowhere])
    assert len(parts["all"]) == 3


def test_registered_near_and_not_there_is_not_near(world, site, basic_education_officer):
    child = StudentFactory(county=world.county, at=world.school)
    Enrolment.objects.update(is_present=False)
    record(child, by=basic_education_officer, group="relocated", site=site)

    assert list(placement(site, TODAY)["nowhere"]) == [child]


def test_only_the_relocated_have_a_site(child, site, school_clerk):
    with pytest.raises(NotGrouped):
        record(child, by=school_clerk, site=site)


def test_the_share_is_shown_with_its_parts(client, world, site, basic_education_officer):
    children = [
        StudentFactory(county=world.county, at=place)
        for place in (world.school, world.school, world.other_school)
    ]
    record(*children, by=basic_education_officer, group="relocated", site=site)
    client.force_login(basic_education_officer)

    assert (
        "66.6%" in client.get(reverse("students:sites")).content.decode()
    )  # never rounded up to more than it is
    assert "河口乡中心校" in client.get(site.get_absolute_url()).content.decode()


def test_a_name_is_taken_once(client, world, site, basic_education_officer):
    client.force_login(basic_education_officer)
    given = {"name": site.name, "township": world.township.pk, "schools": [world.school.pk]}

    assert "已有同名的安置点" in client.post(reverse("students:add_site"), given).content.decode()
    assert (
        "请至少选一所就近学校"
        in client.post(reverse("students:add_site"), given | {"schools": []}).content.decode()
    )
    assert RelocationSite.objects.count() == 1


# Pages.


def test_recorded_checked_and_ended_in_the_browser(client, child, school_clerk, term):
    client.force_login(school_clerk)
    given = {"group": "left_behind", "since_on": "2026-09-05", "source": "school"}
    client.post(reverse("students:record_group", args=[child.pk]), given)
    GroupFact.objects.update(checked_on=LAST_TERM)
    page = reverse("students:groups")
    assert "本学期未复核" in client.get(page + "?state=due").content.decode()

    client.post(reverse("students:check_groups"), {"ids": [GroupFact.objects.get().pk]})
    assert GroupFact.objects.get().checked_on == TODAY
    client.post(
        reverse("students:end_groups"), {"ids": [GroupFact.objects.get().pk], "last_on": "2026-10-01"}
    )
    assert GroupFact.objects.get().valid_to is None  # without a word it goes on
    client.post(
        reverse("students:end_groups"),
        {"ids": [GroupFact.objects.get().pk], "last_on": "2026-10-01", "reason": "返乡"},
    )
    assert GroupFact.objects.get().valid_to == date(2026, 10, 1)
    assert "张三" not in client.get(page).content.decode()


def test_all_that_the_filters_leave_are_checked_together(client, world, school_clerk, term):
    for name in ("张三", "李四"):
        fact(
            StudentFactory(name=name, county=world.county, at=world.school),
            school_clerk,
            checked_on=LAST_TERM,
        )
    client.force_login(school_clerk)

    client.post(reverse("students:check_groups") + "?group=left_behind&q=张三", {"all": "1"})

    assert dict(GroupFact.objects.values_list("student__person__name", "checked_on")) == {
        "张三": TODAY,
        "李四": LAST_TERM,
    }


def test_another_school_s_child_is_neither_shown_nor_touched(client, world, child, school_clerk, term):
    foreign = fact(child, school_clerk, checked_on=LAST_TERM)
    client.force_login(AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school))

    assert "张三" not in client.get(reverse("students:groups")).content.decode()
    client.post(reverse("students:check_groups"), {"ids": [foreign.pk]})
    assert GroupFact.objects.get().checked_on == LAST_TERM
    assert client.get(reverse("students:record_group", args=[child.pk])).status_code == 404


def test_counts_are_by_the_school_the_child_sits_in_and_lead_to_the_rows(
    client, world, basic_education_officer
):
    at_school = [StudentFactory(county=world.county, at=world.school) for _ in range(2)]
    record(*at_school, StudentFactory(county=world.county), by=basic_education_officer)
    record(at_school[0], by=basic_education_officer, group="disabled", source="federation")
    ended = StudentFactory(county=world.county, at=world.school)
    fact(ended, basic_education_officer, valid_to=date(2026, 10, 11))
    client.force_login(basic_education_officer)

    page = client.get(reverse("students:group_counts"))

    [(school, cells)] = page.context["lines"]
    assert (school, dict(cells)["left_behind"], dict(cells)["disabled"]) == (world.school, 2, 1)
    rows = client.get(reverse("students:groups") + f"?group=left_behind&school={school.pk}").context["page"]
    assert rows.total == 2


def test_a_spring_term_asks_anew(child, school_clerk, term):
    spring = TermFactory(
        code="2027-spring",
        school_year=term.school_year,
        starts_on=date(2027, 2, 22),
        ends_on=date(2027, 7, 9),
    )
    fact(child, school_clerk)

    assert not GroupFact.objects.to_check(term).exists()
    assert GroupFact.objects.to_check(spring).exists()


def test_the_figure_of_a_group_is_divided_by_schools_and_opens_its_rows(client, world, aid_officer):
    record(*(StudentFactory(county=world.county, at=world.school) for _ in range(2)), by=aid_officer)
    record(StudentFactory(county=world.county), by=aid_officer)  # in no school
    asked = Asked.by(aid_officer, on=TODAY)
    client.force_login(aid_officer)
    figure = figures.find("G01")

    [(school, number)] = figure.counts(asked, "school").items()
    page = client.get(figure.url(asked.of(school=str(school)))).context["page"]

    assert (figure.value(asked), number, page.total) == (2, 2, 2)
