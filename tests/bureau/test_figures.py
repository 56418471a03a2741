"""A figure is a queryset with a name: the number, its parts and the rows behind it agree."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from bureau import figures
from bureau.access.roles import Role
from bureau.figures import NO_PART, Asked, Base, Figure, FigureFilter, Unit, divided
from bureau.lists import Listing
from bureau.organisation.models import School, Village
from tests.factories import AccountFactory, SchoolFactory, TermFactory, VillageFactory

SCHOOLS = Figure(
    "T01",
    "学校",
    Unit.ITEM,
    Base.ALL,
    "现有学校",
    rows=lambda asked: School.objects.visible_to(asked.account),
    page="bureau:organisation",
    right="organisation.view",
    parts={"township": "township", "ownership": "ownership", "centre": "managed_by"},
)


class Schools(Listing):
    filters = [FigureFilter(page="bureau:organisation", words={"ownership": {"public": "公办"}})]


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setitem(figures.figure._figures, "T01", SCHOOLS)


@pytest.fixture
def asked(world, aid_officer) -> Asked:
    return Asked.by(aid_officer, on=date(2026, 11, 20))


def drill(url: str, account) -> Listing:
    return Schools(School.objects.visible_to(account), QueryDict(url.partition("?")[2]), account=account)


@pytest.mark.parametrize("part", ["township", "ownership", "centre"])
def test_parts_sum_to_the_whole_and_each_opens_its_rows(asked, part):
    SchoolFactory(ownership="")
    counts = SCHOOLS.counts(asked, part)

    assert sum(counts.values()) == SCHOOLS.queryset(asked).count() == 4
    for value, number in counts.items():
        assert SCHOOLS.queryset(asked.of(**{part: str(value)})).count() == number


def test_link_of_a_figure_lists_exactly_the_rows_it_counts(world, asked, aid_officer):
    whole = drill(SCHOOLS.url(asked), aid_officer).page()
    part = drill(SCHOOLS.url(asked.of(township=str(world.township.pk))), aid_officer).page()

    assert whole.total == SCHOOLS.value(asked) == 3
    assert {row.pk for row in part.rows} == {world.center_school.pk, world.school.pk}
    assert part.description == "2026年秋季学期 · 学校 · 城关镇 · 共 2 条"


def test_rows_without_a_value_are_a_part_of_their_own(world, asked, aid_officer):
    page = drill(SCHOOLS.url(asked.of(centre=NO_PART)), aid_officer).page()

    assert SCHOOLS.counts(asked, "centre")[NO_PART] == page.total == 2
    assert "未注明" in page.description


def test_figure_counts_only_what_the_one_who_asks_may_see(world, school_clerk):
    asked = Asked.by(school_clerk, on=date(2026, 11, 20))

    assert SCHOOLS.value(asked) == 1
    assert drill(SCHOOLS.url(asked), school_clerk).page().rows == [world.school]


@pytest.mark.parametrize(
    "word",
    [
        "T99",
        "T01~town:x",
        "T01~township:x",
        "T01~township:00000000-0000-0000-0000-000000000000",
        "T01~ownership:x",
        "~",
        "S01",
    ],
)
def test_unknown_figure_or_part_lists_nothing(world, aid_officer, word):
    page = drill(f"?figure={word}", aid_officer).page()

    assert page.rows == [] and page.refused


def test_part_of_another_county_is_unknown(world, aid_officer):
    page = drill(f"?figure=T01~township:{world.far_school.township.pk}", aid_officer).page()

    assert page.rows == [] and page.refused


def test_number_without_the_right_to_its_rows_has_no_link(world):
    watcher = AccountFactory(role=None)

    assert SCHOOLS.url(Asked.by(watcher, on=date(2026, 11, 20))) is None


def test_same_question_is_put_to_the_database_once(world, asked, django_assert_num_queries):
    assert asked.account.scope.whole_county  # the scope is read once per request
    with django_assert_num_queries(1):
        SCHOOLS.counts(asked, "township")
        SCHOOLS.counts(asked, "township")
        assert SCHOOLS.value(asked) == 3  # the sum of its parts


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2026, 8, 31), date(2026, 9, 1)),
        (date(2026, 9, 1), date(2026, 9, 1)),
        (date(2026, 11, 20), date(2026, 11, 20)),
        (date(2027, 1, 22), date(2027, 1, 22)),
        (date(2027, 2, 3), date(2027, 1, 22)),
    ],
    ids=["before the first term", "first day", "inside", "last day", "in the vacation after it"],
)
def test_day_of_a_question_lies_inside_its_term(world, aid_officer, today, day):
    asked = Asked.by(aid_officer, on=today)

    assert (asked.term, asked.on) == (world.term, day)


def test_next_term_is_asked_about_from_its_first_day(world, aid_officer):
    spring = TermFactory(
        county=world.county, code="2027-spring", starts_on=date(2027, 2, 22), ends_on=date(2027, 7, 9)
    )

    assert Asked.by(aid_officer, on=date(2027, 2, 21)).term == world.term
    assert Asked.by(aid_officer, on=date(2027, 2, 22)).term == spring


def test_without_a_term_there_is_no_question(db):
    assert Asked.by(AccountFactory(role=Role.AID_OFFICER), on=date(2026, 11, 20)) is None


def test_bars_stand_side_by_side_and_empty_groups_are_left_out(world, asked):
    VillageFactory(township=world.township)
    villages = Figure(
        "T02", "村", Unit.ITEM, Base.ALL, "", lambda asked: Village.objects.all(), "bureau:organisation",
        "organisation.view", {"township": "township"},
    )  # fmt: skip
    groups = [
        (world.other_township.pk, "河口乡"),
        (world.township.pk, "城关镇"),
        ("nowhere", "无"),
        (NO_PART, "未定"),
    ]

    data = divided(asked, "township", groups, (("学校", "due", SCHOOLS), ("村", "done", villages)))

    assert data.labels == ["河口乡", "城关镇"]
    assert [series.values for series in data.series] == [[1, 2], [0, 2]]
    assert data.totals == [3, 2]
    assert data.series[0].urls[1] == SCHOOLS.url(asked.of(township=str(world.township.pk)))
    assert reverse("bureau:organisation") in data.series[0].urls[0]
