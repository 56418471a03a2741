"""List pages: keyset pages that lose and repeat nothing, filters that never show more than was asked."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict

from bureau.lists import MOST_COUNTED, Choice, Day, Listing, Order, Search, count_up_to, page
from bureau.organisation.models import School, Village
from tests.factories import SchoolFactory, TownshipFactory, VillageFactory


class Villages(Listing):
    unit = "个村"
    size = 3
    orders = [
        Order("name", "名称", "name"),
        Order("town", "乡镇", "township__name"),
        Order("new", "先后", "pk", descending=True),
    ]
    filters = [
        Search("q", "名称", lambda rows, text: rows.filter(name__contains=text)),
        Choice(
            "kind",
            "类别",
            lambda rows, kind: rows.filter(name__endswith=kind),
            options=[("村", "行政村"), ("社区", "社区")],
        ),
        Day("from", "设立于", lambda rows, day: rows.filter(valid_from__gte=day)),
        Choice(
            "secret", "隐", lambda rows, value: rows.filter(name=value), options=[("甲村", "甲")], hidden=True
        ),
    ]


@pytest.fixture
def villages(db):
    """Ten, of which seven share their name, in two townships."""
    north, south = TownshipFactory(name="北镇"), TownshipFactory(name="南镇")
    names = ["丙村", *["乙村"] * 7, "甲村", "东街社区"]
    return [VillageFactory(name=name, township=north if n % 2 else south) for n, name in enumerate(names)]


def listing(address: str = "", kind: type[Listing] = Villages) -> Listing:
    return kind(Village.objects.all(), QueryDict(address.removeprefix("?")))


def walk(address: str, link: str) -> list[list]:
    """The keys of every page reached from `address` by following `link`."""
    seen = []
    while address is not None:
        page = listing(address).page()
        seen.append([row.pk for row in page.rows])
        address = getattr(page, link)
    return seen


@pytest.mark.parametrize("sort", ["name", "-name", "town", "-town", "new", "-new"])
def test_pages_one_after_another_show_every_row_once_in_order(villages, sort):
    forwards = walk(f"?sort={sort}", "next_url")

    shown = [key for page in forwards for key in page]
    assert shown == [row.pk for row in listing(f"?sort={sort}").sorted]
    assert [len(page) for page in forwards] == [3, 3, 3, 1]


@pytest.mark.parametrize("sort", ["name", "-name", "town", "new"])
def test_walking_back_shows_the_same_rows(villages, sort):
    last = None
    page = listing(f"?sort={sort}").page()
    while page.next_url:
        last, page = page.next_url, listing(page.next_url).page()
    backwards = [key for shown in reversed(walk(last, "previous_url")) for key in shown]

    everything = [row.pk for row in listing(f"?sort={sort}").sorted]
    assert backwards == everything


def test_first_page_has_no_previous_and_last_no_next(villages):
    first = listing().page()
    last = listing(listing(listing(first.next_url).page().next_url).page().next_url).page()

    assert first.previous_url is None and first.next_url
    assert last.next_url is None and last.previous_url


def test_page_goes_on_from_a_row_that_no_longer_matches_the_filter(villages):
    Village.objects.update(valid_from="2026-01-01")
    first = listing("?from=2026-01-01").page()
    everything = [row.pk for row in listing("?from=2026-01-01").sorted]
    Village.objects.filter(pk__in=[row.pk for row in first.rows]).update(valid_from="2020-01-01")

    following = listing(first.next_url).page()

    assert [row.pk for row in following.rows] == everything[3:6]


def test_page_that_has_become_empty_is_the_first_page(villages):
    first = listing("?q=乙").page()
    Village.objects.filter(pk=first.rows[-1].pk).update(name="乙村（已更名）")

    assert len(listing(first.next_url).page().rows) == 3


@pytest.mark.parametrize(
    "cursor",
    [
        "after=nonsense",
        "after=",
        "before=%00",
        "after=00000000-0000-0000-0000-000000000000",
        "after=" + "9" * 500,
    ],
)
def test_bad_cursor_is_the_first_page(villages, cursor):
    assert [row.pk for row in listing(f"?{cursor}").page().rows] == [row.pk for row in listing().page().rows]


def test_cursor_says_nothing_about_the_row(villages):
    assert "乙" not in (listing().page().next_url or "")
    assert str(listing().page().rows[-1].pk) in listing().page().next_url


@pytest.mark.parametrize("sort", ["township__county__code", "-", "pk", "name;drop", "--name"])
def test_undeclared_order_is_the_first_declared_one(villages, sort):
    page = listing(f"?sort={sort}").page()

    assert page.order.key == "name" and not page.backwards


def test_undeclared_parameter_filters_nothing(villages):
    assert listing("?county__code=1&name=x").total() == 10


@pytest.mark.parametrize(
    "address", ["?kind=县", "?from=2026-13-01", "?from=x", "?secret=乙村", "?q=%00", "?q=" + "长" * 61]
)
def test_value_that_is_not_offered_shows_nothing_and_says_so(villages, address):
    page = listing(address).page()

    assert page.rows == [] and page.total == 0
    assert len(page.refused) == 1


def test_filters_narrow_and_are_told_in_the_description(villages):
    page = listing("?q=乙&kind=村").page()

    assert page.total == 7
    assert page.description == "“乙” · 行政村 · 共 7 个村"
    assert page.is_filtered


def test_filters_stay_in_every_link_and_the_place_does_not(villages):
    page = listing(listing("?q=乙&sort=-name").page().next_url).page()

    assert "q=%E4%B9%99" in page.next_url and "sort=-name" in page.next_url
    assert "after" not in page.plain_query and "after" not in page.sort_url(page.orders[1])


def test_hidden_filter_is_shown_and_can_be_taken_off(villages):
    page = listing("?secret=甲村&sort=-name").page()

    assert (page.total, page.description) == (1, "甲 · 共 1 个村")
    assert page.without_url("secret") == "?sort=-name"
    assert page.without_url("q") == page.plain_query


def test_second_click_on_an_order_turns_it_round(villages):
    page = listing("?sort=name").page()

    assert page.sort_url(page.orders[0]) == "?sort=-name"
    assert page.sort_url(page.orders[2]) == "?sort=-new"
    assert (page.direction_of(page.orders[0]), page.direction_of(page.orders[1])) == ("ascending", None)


def test_number_of_rows_stops_at_ten_thousand(villages, monkeypatch):
    assert count_up_to(Village.objects.all(), 10) == 10
    assert count_up_to(Village.objects.all(), 9) == 10
    monkeypatch.setattr(page, "MOST_COUNTED", 9)
    assert listing().page().total_text == "9+"
    assert MOST_COUNTED == 10_000


def test_page_costs_the_same_however_deep_it_lies(villages, django_assert_num_queries):
    third = listing(listing().page().next_url).page().next_url
    with django_assert_num_queries(2):  # the rows, their number
        listing().page()
    with django_assert_num_queries(3):  # and where the cursor's row stands
        listing(third).page()


def test_column_that_may_be_null_cannot_be_an_order(villages):
    class ByDay(Listing):
        orders = [Order("from", "设立", "valid_from")]

    with pytest.raises(ImproperlyConfigured):
        listing(kind=ByDay).page()


def test_more_than_three_orders_are_refused():
    with pytest.raises(ImproperlyConfigured):
        type("TooMany", (Listing,), {"orders": [Order(str(n), "", "pk") for n in range(4)]})


def test_export_has_the_filtered_rows_in_their_order(villages):
    rows = list(listing("?q=乙&sort=-town").export_rows(most=5))

    assert [row.pk for row in rows] == [row.pk for row in listing("?q=乙&sort=-town").sorted[:5]]


def test_options_may_depend_on_who_looks(world, school_clerk):
    class Schools(Listing):
        filters = [
            Choice(
                "school",
                "学校",
                lambda rows, key: rows.filter(pk=key),
                options=lambda asked: [(str(s.pk), s.name) for s in School.objects.visible_to(asked.account)],
            )
        ]

    SchoolFactory()
    asked = Schools(School.objects.all(), QueryDict(f"school={world.other_school.pk}"), account=school_clerk)

    assert [name for _, name in asked.fields[0].options] == [world.school.name]
    assert asked.page().rows == []
