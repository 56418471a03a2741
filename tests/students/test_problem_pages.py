"""The problems of an uploaded file on its page: all at once, by kind, filtered; warnings are ticked before confirming."""

import pytest
from django.urls import reverse

from bureau.keys import uuid7
from students.models import Roster, RosterRow
from tests.students.test_roster_pages import HTMX, problem


@pytest.fixture
def clerk(client, school_clerk):
    client.force_login(school_clerk)
    return school_clerk


def staged(school, term, by, lines: list[dict], problems: list[dict], **counts) -> Roster:
    roster = Roster.objects.create(
        county=school.county, term=term, school=school, kind="roll", status="staged", file_name="全校.xlsx",
        sha256=uuid7().hex * 2, uploaded_by=by, problems=problems, **counts,
    )  # fmt: skip
    RosterRow.objects.bulk_create(
        RosterRow(roster=roster, school=school, **({"sheet": "一年级", "status": "rejected"} | line)) for line in lines
    )
    return roster


@pytest.fixture
def roster(school, term, clerk) -> Roster:
    """Two classes on two sheets: three errors, two warnings, a note."""
    rows = [
        {"row": 3, "name": "张三", "stage": "primary", "entered_in": 2026, "class_name": "1班"},
        {"row": 4, "name": "李四", "stage": "primary", "entered_in": 2026, "class_name": "2班"},
        {"row": 5, "name": "王五", "stage": "primary", "entered_in": 2026, "class_name": "2班", "status": "accepted"},
        {"row": 3, "name": "赵六", "sheet": "二年级", "stage": "primary", "entered_in": 2025, "class_name": "1班"},
    ]
    problems = [
        problem(row=3, code="id_checksum", message="校验位不符。"),
        problem(row=4, code="id_checksum", message="校验位不符。"),
        problem(row=4, code="age_out_of_range", message="年龄与学段不符。", level="warning", column="年级"),
        problem(row=5, code="name_latin", message="姓名含字母。", level="warning", column="姓名"),
        problem(row=9, code="subtotal", message="小计行。", level="note", column=None),
        problem(row=3, code="required", message="“班级”为空。", column="班级") | {"sheet": "二年级"},
    ]
    return staged(school, term, clerk, rows, problems, rows=4, accepted=1, rejected=3, warned=1, new=1)


def places(client, roster, **asked) -> list[tuple]:
    page = client.get(roster.get_absolute_url(), asked, headers=HTMX | {"HX-Target": "problems"})
    assert "<html" not in page.content.decode()
    return [(place["sheet"], place["row"], place["code"]) for place in page.context["problems"].places]


def test_all_problems_are_there_at_once_by_kind_with_count_and_example(client, roster):
    page = client.get(roster.get_absolute_url())

    kinds = page.context["problems"].kinds
    assert [(kind.level, kind.code, kind.count) for kind in kinds] == [
        ("error", "id_checksum", 2),
        ("error", "required", 1),
        ("warning", "age_out_of_range", 1),
        ("warning", "name_latin", 1),
        ("note", "subtotal", 1),
    ]
    assert [level[:3] for level in page.context["problems"].levels] == [
        ("error", "错误", 3),
        ("warning", "提醒", 2),
        ("note", "说明", 1),
    ]
    assert len(page.context["problems"].places) == 6


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"level": "error"}, [("一年级", 3), ("一年级", 4), ("二年级", 3)]),
        ({"sheet": "二年级"}, [("二年级", 3)]),
        ({"column": "身份证号"}, [("一年级", 3), ("一年级", 4)]),
        ({"class": "primary|2026|2班"}, [("一年级", 4), ("一年级", 4), ("一年级", 5)]),
        ({"q": "赵六"}, [("二年级", 3)]),
        ({"q": "字母"}, [("一年级", 5)]),
        ({"q": "李四", "level": "warning"}, [("一年级", 4)]),
        ({"q": "没有这个词"}, []),
        ({"class": "primary|nonsense"}, [("一年级", 3), ("一年级", 4), ("一年级", 4), ("一年级", 5), ("一年级", 9), ("二年级", 3)]),
        ({"from": "5"}, [("二年级", 3)]),
        ({"from": "99999999999999999999"}, [("一年级", 3), ("一年级", 4), ("一年级", 4), ("一年级", 5), ("一年级", 9), ("二年级", 3)]),
    ],
    ids=["level", "sheet", "column", "class", "name", "words", "both", "nothing", "no class", "later", "absurd"],
)
def test_problems_are_filtered(client, roster, asked, found):
    assert [place[:2] for place in places(client, roster, **asked)] == found


def test_classes_are_offered_by_their_names_in_order(client, roster):
    offered = client.get(roster.get_absolute_url()).context["problems"].classes

    assert [name for _, name in offered] == ["一年级1班", "一年级2班", "二年级1班"]


def test_one_kind_is_opened_by_its_number(client, roster):
    page = client.get(roster.get_absolute_url())
    kind = page.context["problems"].kinds[0]

    answer = client.get(f"{roster.get_absolute_url()}?{kind.query}")

    assert [place["row"] for place in answer.context["problems"].places] == [3, 4]
    assert answer.context["problems"].chosen.code == "id_checksum"
    assert len(answer.context["problems"].kinds) == 2  # the other kind of errors stays in sight


@pytest.mark.slow
def test_thousands_of_errors_are_shown_fifty_at_a_time(client, school, term, clerk, django_assert_max_num_queries):
    rows = [
        {"row": n, "name": f"学生{n}", "stage": "primary", "entered_in": 2026, "class_name": f"{n % 12}班"}
        for n in range(3, 3003)
    ]
    problems = [problem(row=n, code=("id_checksum", "required")[n % 2], message=f"第{n}个错误。") for n in range(3, 2903)]
    roster = staged(school, term, clerk, rows, problems, rows=3000, accepted=100, rejected=2900)

    with django_assert_max_num_queries(45):
        page = client.get(roster.get_absolute_url())

    found = page.context["problems"]
    assert (len(found.places), found.total, len(page.context["preview"].lines)) == (50, 2900, 50)
    assert len(page.content) < 150_000
    later = client.get(f"{roster.get_absolute_url()}?{found.next_query}").context["problems"]
    assert (later.first, later.last, later.places[0]["row"]) == (51, 100, 53)


# Warnings are ticked.


@pytest.fixture
def warned(school, term, clerk) -> Roster:
    """Two sound rows, one of them with a warning; one warning about the whole sheet."""
    rows = [
        {"row": n, "name": name, "name_key": name, "status": "accepted", "verdict": "new", "person_id": uuid7(),
         "person_is_new": True, "enrolment_id": uuid7(), "enrolment_is_new": True}
        for n, name in ((3, "张三"), (4, "Wang"))
    ]  # fmt: skip
    problems = [
        problem(row=4, code="name_latin", message="姓名含字母。", level="warning", column="姓名"),
        problem(row=4, code="subtotal", message="小计行。", level="note", column=None),
        problem(row=0, code="hidden_rows", message="含 2 个隐藏行。", level="warning", column=None) | {"row": None},
    ]
    return staged(school, term, clerk, rows, problems, rows=2, accepted=2, warned=1, new=2)


def confirm(client, roster: Roster, *seen: str) -> str:
    client.post(reverse("students:apply_roster", args=[roster.pk]), {"seen": seen, "preview": roster.preview_no})
    roster.refresh_from_db()
    return roster.status


def test_each_kind_of_warning_has_a_box_with_its_count(client, warned):
    page = client.get(warned.get_absolute_url())

    assert {(seen.code, seen.count) for seen in page.context["warnings"]} == {("name_latin", 1), ("hidden_rows", 1)}
    assert page.content.decode().count('name="seen"') == 2


@pytest.mark.parametrize(
    ("seen", "status"),
    [((), "staged"), (("name_latin",), "staged"), (("name_latin", "hidden_rows"), "applied")],
    ids=["none", "one of two", "both"],
)
def test_it_is_confirmed_only_with_every_kind_ticked(client, warned, seen, status):
    assert confirm(client, warned, *seen) == status


def test_what_is_missing_is_named(client, warned):
    answer = client.post(
        reverse("students:apply_roster", args=[warned.pk]), {"seen": ["name_latin"], "preview": warned.preview_no},
        follow=True,
    )  # fmt: skip

    assert "请先核对并勾选：有隐藏行" in answer.content.decode()


def test_warnings_on_rows_that_do_not_go_in_need_no_tick(client, roster):
    assert [seen.code for seen in client.get(roster.get_absolute_url()).context["warnings"]] == ["name_latin"]


def test_giving_up_needs_no_tick(client, warned):
    client.post(reverse("students:discard_roster", args=[warned.pk]))

    warned.refresh_from_db()
    assert warned.status == Roster.State.WITHDRAWN
