"""资助花名册: what a school states of aid is kept as stated, beside the child, and seen by who may see the roster."""

from datetime import date

import pytest

from bureau import secrecy
from students.actions import rosters
from students.models import AidLine, RosterRow
from tests.students.factories import citizen_id

CHILD = {"姓名": "张三", "身份证号": citizen_id(date(2016, 5, 2), 1), "年级": "三年级", "班级": "1班"}
HOLDER = citizen_id(date(1960, 1, 2), 1)
AID = CHILD | {
    "困难类别": "脱贫户", "认定等级": "特别困难", "资助项目": "寄宿生生活补助", "学期": "2026年秋季", "标准（元）": "125", "月数": "5", "金额（元）": "625.00",
    "户名": "张老汉", "与学生关系": "爷爷", "户名身份证号": HOLDER, "开户行": "云岭农商行", "账号": "6217000000000000004",
}  # fmt: skip


@pytest.fixture
def child(office, school):
    office.enrol([CHILD], school=school)
    return office


def test_what_the_roster_states_is_staged_and_sealed(child, school):
    child.roll([AID], school=school, kind="aid")

    line = AidLine.objects.get()
    assert (line.programme, line.term_text, line.tier) == ("寄宿生生活补助", "2026年秋季", "特别困难")
    assert (line.hardship, line.rate_fen, line.months, line.amount_fen) == ("lifted_poor", 12500, 5, 62500)
    assert (line.holder_name, line.holder_relation, line.bank_name) == ("张老汉", "祖父", "云岭农商行")
    opened = [
        secrecy.open_sealed(bytes(line.account_sealed), field="account", value_id=line.account_uuid),
        secrecy.open_sealed(bytes(line.holder_sealed), field="citizen_id", value_id=line.holder_uuid),
    ]
    assert opened == ["6217000000000000004", HOLDER]
    assert bytes(line.account_index) == secrecy.blind("6217000000000000004", field="account")


def test_one_child_in_two_programmes_has_two_lines(child, school):
    roster = child.enrol([AID, AID | {"资助项目": "营养餐", "金额（元）": "500"}], school=school, kind="aid")

    assert (roster.accepted, roster.unchanged) == (2, 2)
    lines = AidLine.objects.applied().order_by("row")
    assert [(line.programme, line.amount_fen) for line in lines] == [("寄宿生生活补助", 62500), ("营养餐", 50000)]
    assert len({line.row.person_id for line in lines}) == 1


def test_a_row_with_an_error_has_no_line_and_a_roster_given_up_none_at_all(child, school):
    roster = child.roll([AID, AID | {"资助项目": "营养餐", "金额（元）": "负五百"}], school=school, kind="aid")
    assert AidLine.objects.count() == 1

    rosters.discard_roster(roster=roster, by=child.by)

    assert not AidLine.objects.exists() and not RosterRow.objects.filter(roster=roster).exists()


def test_only_a_confirmed_roster_counts(child, school):
    child.roll([AID], school=school, kind="aid")

    assert not AidLine.objects.applied().exists()


def test_a_great_amount_is_kept_to_the_fen(child, school):
    child.roll([AID | {"金额（元）": "99999999.99"}], school=school, kind="aid")

    assert AidLine.objects.get().amount_fen == 9_999_999_999


def test_the_timeline_tells_the_line_and_leads_to_the_roster(client, child, school, school_clerk):
    roster = child.enrol([AID], school=school, kind="aid")
    client.force_login(school_clerk)
    page = client.get(f"/students/{AidLine.objects.get().row.person_id}/").content.decode()

    assert f"{school.name}资助名册（第 2 行）" in page
    assert "寄宿生生活补助，2026年秋季，625.00 元，脱贫户，收款人张老汉" in page
    assert roster.get_absolute_url() in page and "6217000000000000004" not in page


def test_another_schools_claim_is_not_shown(client, child, school, world):
    child.enrol([AID], school=school, kind="aid")
    child.enrol([CHILD], school=world.other_school)
    clerk = world.account("school_clerk")
    clerk.assignments.update(school=world.other_school)
    client.force_login(clerk)

    page = client.get(f"/students/{AidLine.objects.get().row.person_id}/").content.decode()

    assert "张三" in page and "资助名册（第" not in page and school.name not in page
