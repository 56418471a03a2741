"""家庭户: who lives in them and heads them from when to when, and the page that shows all three kinds."""

from datetime import date

import pytest
from django.urls import reverse

from students.linkage.households import remember_households
from students.models import Headship, Household, Membership
from tests.students.factories import EnrolmentFactory, StudentFactory, citizen_id

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 20), date(2026, 10, 20), date(2026, 11, 20)
CHILD, SISTER = citizen_id(date(2016, 5, 1), 1), citizen_id(date(2014, 3, 2), 2)
GRANDFATHER, FATHER = citizen_id(date(1955, 1, 1), 1), citizen_id(date(1988, 2, 2), 3)


@pytest.fixture
def family(school):
    return {
        "张三": StudentFactory(name="张三", number=CHILD, at=school),
        "张小妹": StudentFactory(name="张小妹", number=SISTER, born=date(2014, 3, 2), at=school),
    }


def row(name: str, number: str, house: str, relation: str, head: str = "张老汉") -> dict[str, str]:
    return {"姓名": name, "身份证号": number, "户编号": house, "与户主关系": relation, "户主姓名": head, "户类型": "脱贫户", "村": "上村"}


def grandparents(house: str = "88") -> list[dict[str, str]]:
    return [row("张老汉", GRANDFATHER, house, "户主"), row("张三", CHILD, house, "孙子"), row("张小妹", SISTER, house, "孙女")]


def members(number: str) -> list[tuple]:
    rows = Membership.objects.filter(household__number=number).order_by("person__name", "pk")
    return list(rows.values_list("person__name", "relation", "valid_from", "valid_to"))


def test_members_are_remembered_from_the_day_the_list_gives(office, family):
    office.list("poverty", grandparents(), on=SEPTEMBER)

    assert members("88") == [("张三", "孙子", SEPTEMBER, None), ("张小妹", "孙女", SEPTEMBER, None)]
    assert Headship.objects.get().name == "张老汉"


def test_another_household_on_a_newer_list_ends_the_one_before(office, family):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    office.list("poverty", [*grandparents()[:2], row("张小妹", SISTER, "99", "之女", "张大")], on=OCTOBER)

    assert members("88") == [("张三", "孙子", SEPTEMBER, None), ("张小妹", "孙女", SEPTEMBER, date(2026, 10, 19))]
    assert members("99") == [("张小妹", "之女", OCTOBER, None)]


def test_who_comes_back_has_a_second_stay(office, family):
    for day, house in ((SEPTEMBER, "88"), (OCTOBER, "99"), (NOVEMBER, "88")):
        office.list("poverty", [row("张三", CHILD, house, "孙子")], on=day)

    assert members("88") == [("张三", "孙子", SEPTEMBER, date(2026, 10, 19)), ("张三", "孙子", NOVEMBER, None)]


def test_households_of_other_kinds_are_let_be(office, family):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    office.list("population", [{"姓名": "张三", "身份证号": CHILD, "户号": "H1", "与户主关系": "之子", "户主姓名": "张大"}], on=OCTOBER)

    assert members("88")[0] == ("张三", "孙子", SEPTEMBER, None)
    assert members("H1") == [("张三", "之子", OCTOBER, None)]


def test_the_same_list_again_changes_nothing(office, family):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    before = list(Membership.objects.values()), list(Headship.objects.values()), list(Household.objects.values())

    office.list("poverty", [*grandparents(), row("李四", "", "5", "之子", "李大")], on=OCTOBER)

    assert (list(Membership.objects.values()), list(Headship.objects.values()), list(Household.objects.values())) == before


def test_a_new_head_is_seen_in_the_heads_and_in_the_relations(office, family):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    now = [row("张大", FATHER, "88", "户主", "张大"), row("张三", CHILD, "88", "之子", "张大"), row("张小妹", SISTER, "88", "之女", "张大")]
    office.list("poverty", now, on=OCTOBER)

    assert Household.objects.get(number="88").head_name == "张大"
    heads = list(Headship.objects.order_by("pk").values_list("name", "valid_from", "valid_to"))
    assert heads == [("张老汉", None, date(2026, 10, 19)), ("张大", OCTOBER, None)]
    assert members("88")[:2] == [("张三", "孙子", SEPTEMBER, date(2026, 10, 19)), ("张三", "之子", OCTOBER, None)]


def test_a_wrong_head_on_one_row_does_not_flutter(office, family):
    rows = grandparents()
    rows[1]["户主姓名"] = "张老头"
    for day in (SEPTEMBER, OCTOBER, NOVEMBER):
        office.list("poverty", [*rows, row("李四", "", "5", str(day), "李大")], on=day)

    heads = Headship.objects.filter(household__number="88")
    assert list(heads.values_list("valid_from", "valid_to")) == [(None, None)]


def test_two_lists_of_one_day_that_disagree_end_nothing(office, family):
    office.list("poverty", [row("张三", CHILD, "88", "孙子")], on=SEPTEMBER)
    office.list("monitored", [row("张三", CHILD, "99", "之子", "张大") | {"监测对象类别": "边缘易致贫户"}], on=SEPTEMBER)

    assert [m[3] for m in (*members("88"), *members("99"))] == [None, None]


def recorded() -> list:
    return [list(model.objects.order_by("pk").values()) for model in (Household, Membership, Headship)]


def test_what_is_written_for_all_at_once_is_what_a_look_at_each_of_them_gives(office, family, county):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    office.list("population", [{"姓名": "张三", "身份证号": CHILD, "户号": "H1", "与户主关系": "之子", "户主姓名": "张大"}], on=SEPTEMBER)
    before = recorded()
    assert [len(rows) for rows in before] == [2, 3, 2]

    remember_households(county, of={child.pk for child in family.values()})

    assert recorded() == before


def test_brothers_whose_rows_disagree_on_the_head_are_looked_at_one_by_one(office, family):
    rows = grandparents()
    rows[2]["户主姓名"] = "张老头"

    office.list("poverty", rows, on=SEPTEMBER)

    assert [m[0] for m in members("88")] == ["张三", "张小妹"]
    assert Headship.objects.get().name == "张老头"  # as often said as 张老汉, and first in the order of characters


def test_an_own_date_that_comes_late_moves_the_first_day(office, family):
    office.list("poverty", [row("张三", CHILD, "88", "孙子")], on=OCTOBER)
    office.list("poverty", [row("张三", CHILD, "88", "孙子") | {"人员识别时间": "2024-05-06"}], on=SEPTEMBER)

    assert members("88") == [("张三", "孙子", date(2024, 5, 6), None)]


def test_a_row_that_is_his_no_longer_takes_the_household_along(office, family):
    office.list("poverty", [row("张三", CHILD, "88", "孙子") | {"人编号": "7"}, row("张小妹", SISTER, "99", "之女")], on=SEPTEMBER)
    office.list("poverty", [row("张三", CHILD[:15] + "000", "88", "孙子") | {"人编号": "7"}, row("张小妹", SISTER, "99", "之女")], on=OCTOBER)

    assert members("88") == []
    assert not Household.objects.filter(number="88").exists()
    assert len(members("99")) == 1


# The page.


@pytest.fixture
def shown(client, office, family, world):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    office.list("poverty", [*grandparents()[:2], row("张小妹", SISTER, "99", "之女", "张大")], on=OCTOBER)
    office.list("population", [{"姓名": "张三", "身份证号": CHILD, "户号": "H1", "与户主关系": "之子", "户主姓名": "张大", "出生日期": "2016-05-01"}], on=OCTOBER)
    family["张三"].guardianships.create(name="张老汉", relation="祖父")
    EnrolmentFactory(student=family["张三"], school=world.other_school, is_present=False)

    def of(number: str, account) -> str:
        client.force_login(account)
        household = Household.objects.get(number=number)
        return client.get(household.get_absolute_url())

    return of


def test_the_page_shows_members_schools_lists_and_the_other_kinds(shown, aid_officer):
    answer = shown("88", aid_officer)
    page = answer.content.decode()

    assert "张老汉" in page and "孙子" in page
    assert "祖辈监护" in page
    assert "城关镇第一小学" in page and "河口乡中心校" in page
    assert "户编号 H1" in page
    assert [(label, len(roofs)) for label, roofs in answer.context["by_kind"]] == [("户口簿", 1), ("脱贫（监测）户", 1), ("低保户", 0)]
    assert "张小妹分到户编号 99（户主张大）" in page
    assert [(m.name, m.until) for m in answer.context["here"].former] == [("张小妹", date(2026, 10, 19))]


def test_the_new_household_says_where_its_people_came_from(shown, aid_officer):
    assert "张小妹由户编号 88（户主张老汉）转来" in shown("99", aid_officer).content.decode()


def test_a_household_nobody_stayed_in_was_merged_into_the_other(client, office, family, aid_officer):
    office.list("poverty", [row("张三", CHILD, "88", "孙子")], on=SEPTEMBER)
    office.list("poverty", [row("张三", CHILD, "99", "之子", "张大")], on=OCTOBER)
    client.force_login(aid_officer)

    page = client.get(Household.objects.get(number="88").get_absolute_url()).content.decode()

    assert "张三全户并入户编号 99（户主张大）" in page
    assert "已不在名单上的" in page or "名单上现在没有这一户" in page


def test_the_child_s_page_leads_there_for_who_may_read_lists(client, shown, aid_officer, school_clerk, family):
    address = Household.objects.get(number="88").get_absolute_url()
    child = reverse("students:student", args=[family["张三"].pk])

    client.force_login(aid_officer)
    assert address in client.get(child).content.decode()
    client.force_login(school_clerk)
    assert address not in client.get(child).content.decode()


# 为什么（不）在名单上.


def test_the_verdict_names_the_list_and_the_row(client, office, family, aid_officer, school_clerk):
    office.list("poverty", [row("李四", "", "5", "之子", "李大"), *grandparents()], on=SEPTEMBER)
    office.list("dibao", [{"姓名": "王五", "身份证号": ""}], on=OCTOBER)
    client.force_login(aid_officer)
    answer = client.get(reverse("students:student", args=[family["张三"].pk]))

    told = {s.register.name: (s.verdict, s.issue, s.row) for s in answer.context["standings"]}
    assert told["poverty"] == ("在册", "9月期名单（2026年9月20日）", "第 4 行")
    assert told["dibao"] == ("不在册", "10月期名单（2026年10月20日）", "")
    assert office.county.snapshot_set.first().get_absolute_url() in answer.content.decode()

    client.force_login(school_clerk)
    assert "registers/snapshots" not in client.get(reverse("students:student", args=[family["张三"].pk])).content.decode()


def test_a_child_who_left_the_list_is_told_where_he_was_seen_last(client, office, family, aid_officer):
    office.list("poverty", grandparents(), on=SEPTEMBER)
    office.list("poverty", grandparents()[:1], on=OCTOBER)
    client.force_login(aid_officer)

    standing = client.get(reverse("students:student", args=[family["张三"].pk])).context["standings"][0]

    assert (standing.verdict, standing.issue, standing.row) == ("已退出", "10月期名单（2026年10月20日）", "第 3 行")
    assert standing.why == "在册至2026年10月19日，最后见于9月期名单"


def test_a_row_waiting_to_be_recognised_leads_to_the_queue(client, office, family, aid_officer):
    office.list("poverty", [row("张三", "", "7", "之子") | {"出生日期": "2016-05-01"}], on=SEPTEMBER)
    client.force_login(aid_officer)

    page = client.get(reverse("students:student", args=[family["张三"].pk])).content.decode()

    assert "待认定" in page and f"{reverse('students:links')}?register=poverty" in page


def test_lists_in_any_order_tell_the_same_households(office, family):
    """The middle list came late: what it says has its place between the others."""
    lists = {
        SEPTEMBER: [row("张三", CHILD, "88", "孙子")],
        OCTOBER: [row("张三", CHILD, "99", "之子", "张大")],
        NOVEMBER: [row("张三", CHILD, "88", "孙子", "张二")],
    }
    for day in (SEPTEMBER, NOVEMBER, OCTOBER):
        office.list("poverty", lists[day], on=day)

    assert members("88") == [("张三", "孙子", SEPTEMBER, date(2026, 10, 19)), ("张三", "孙子", NOVEMBER, None)]
    assert members("99") == [("张三", "之子", OCTOBER, date(2026, 11, 19))]
    heads = Headship.objects.filter(household__number="88").order_by("pk").values_list("name", "valid_from", "valid_to")
    assert list(heads) == [("张老汉", None, date(2026, 11, 19)), ("张二", NOVEMBER, None)]
    assert Household.objects.get(number="99").head_name == "张大"
