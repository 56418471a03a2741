"""The pages of dropout control: what a school, a township, the bureau and the director see and press."""

import io
import re
from datetime import date, timedelta

import openpyxl
import pytest
from django.urls import reverse

from bureau import desk
from bureau.access.roles import Role
from bureau.audit import AccessLogChild
from dropout.models import Case, Deadline, ReturnOrder, Visit
from tests.commands import run
from tests.dropout.factories import TODAY, Road, back_at_school
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, StudentFactory, citizen_id

pytestmark = pytest.mark.usefixtures("today")


def page(client, account, where, *args, **query):
    client.force_login(account)
    return client.get(reverse(f"dropout:{where}", args=args), query)


def press(client, account, where, *args, query="", **data):
    client.force_login(account)
    return client.post(reverse(f"dropout:{where}", args=args) + query, data, follow=True)


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def titles(account) -> dict[str, int]:
    return {todo.title: todo.count for todo in desk.todos(account)}


def told_count(response) -> int:
    return int(re.search(r"共 <b>([\d,]+)", text(response))[1].replace(",", ""))


# The list


def test_list_shows_what_is_open_and_writes_who_looked(client, road):
    road.report()

    told = text(page(client, road.clerk, "cases"))

    assert road.student.person.name in told and "疑似" in told
    assert AccessLogChild.objects.filter(student_id=road.student.pk).exists()


def test_case_of_another_school_is_absent(client, road, world):
    case = road.report()
    stranger = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)

    assert road.student.person.name not in text(page(client, stranger, "cases"))
    assert page(client, stranger, "case", case.pk).status_code == 404
    assert press(client, stranger, "visit", case.pk).status_code == 404


def test_who_has_no_right_is_refused(client, road, aid_officer):
    assert page(client, aid_officer, "case", road.report().pk).status_code == 403


@pytest.mark.parametrize(
    ("state", "days", "shown"), [("overdue", 0, 0), ("overdue", 1, 1), ("out", 0, 0), ("confirmed", 0, 0), ("suspected", 0, 1), ("all", 0, 1)]
)
def test_list_is_filtered_by_state(client, road, today, state, days, shown):
    road.report()
    today["now"] = TODAY + timedelta(days=days)

    assert len(page(client, road.officer, "cases", state=state).context["page"].rows) == shown


def test_officer_gives_the_ticked_children_to_both_lines(client, road):
    case = road.report()
    given = {"government": road.cadre.pk, "education": road.clerk.pk}

    stale = text(press(client, road.officer, "assign", query=f"?ids={case.pk}", count="2", **given))
    assert "情况有变化" in stale and road.case.state == "suspected"
    told = text(press(client, road.officer, "assign", query=f"?ids={case.pk}", count="1", **given))

    assert "已交办 1 人" in told and road.case.government_lead == road.cadre and road.case.state == "verifying"


def test_all_that_the_filter_leaves_is_given(client, road, school):
    road.report(), Road(school).report()

    told = text(press(client, road.officer, "assign", query="?state=suspected&all=1", count="2", government=road.cadre.pk))

    assert "已交办 2 人" in told and Case.objects.filter(state="verifying").count() == 2


def test_export_has_the_columns_of_the_county_ledger_and_no_number(client, road, school):
    road.student.person.identifiers.all()
    child = StudentFactory(number=citizen_id(date(2016, 5, 1)), hukou_township=school.township, at=school)
    Road(school, student=child).up_to("persuading").visit()

    answer = page(client, road.officer, "export_cases")

    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    rows = [[cell.value for cell in row] for row in book]
    header = next(row for row in rows if "序号" in row)
    assert {"乡镇", "身份证号", "劝返次数", "最近劝返时间", "是否下达限期复学通知书/时间", "销号时间"} <= set(header)
    line = dict(zip(header, rows[-1], strict=True))
    assert (line["姓名"], str(line["劝返次数"]), line["身份证号"]) == (child.person.name, "1", None)
    assert "99010120160501" not in str(rows)


# The case


def test_next_step_is_the_one_blue_button(client, road):
    for state, word in (("verifying", "确认失学、辍学"), ("confirmed", "组成专班，开始劝返"), ("persuading", "登记走访")):
        next_road = Road(road.school).up_to(state)
        told = text(page(client, road.officer, "case", next_road.case.pk))
        blue = re.findall(r'<a class="btn btn-primary"[^>]*>.*?</svg>([^<]+)</a>', told, re.DOTALL)
        assert blue == [word], state


def test_director_sees_the_case_and_no_step(client, road, supervisor):
    told = text(page(client, supervisor, "case", road.up_to("persuading").case.pk))

    assert "劝返中" in told and "登记走访" not in told


def test_step_page_says_what_is_wrong_and_keeps_what_was_typed(client, road):
    road.up_to("verifying")

    told = text(press(client, road.officer, "step", road.case.pk, "exclude", why="deceased", evidence="", place="外省", on="2026-10-12"))

    assert "必填" in told or "字段" in told
    assert "外省" in told and road.case.state == "verifying"


@pytest.mark.parametrize(
    ("word", "state", "given", "after"),
    [
        ("confirm", "verifying", {"kind": "dropped_out", "left_on": "2026-09-20", "reason": "weary", "evidence": "家访"}, "confirmed"),
        ("exclude", "verifying", {"why": "deceased", "evidence": "注销证明"}, "excluded"),
        ("hand_over", "verifying", {"place": "邻县", "letter": "接收函"}, "transferred"),
        ("place", "verifying", {"placement": "special_school", "evidence": "评估意见"}, "placed_special"),
        ("team", "confirmed", {"post_teacher": "王老师", "plan": "每周家访"}, "persuading"),
        ("back", "persuading", {"placement": "original_class", "evidence": "复学证明"}, "returned"),
        ("relapse", "returned", {"left_on": "2026-10-12", "reason": "work", "told": "又外出"}, "persuading"),
        ("exempt", "verifying", {"kind": "suspended", "applicant": "张大山", "applied_on": "2026-10-12", "ground": "证明", "valid_from": "2026-10-12", "valid_to": "2027-01-31"}, "exempt"),
    ],
)  # fmt: skip
def test_every_step_has_a_page_that_takes_it(client, road, word, state, given, after):
    road.up_to(state)

    assert "<form" in text(page(client, road.officer, "step", road.case.pk, word))
    press(client, road.officer, "step", road.case.pk, word, on="2026-10-12", **given)

    assert road.case.state == after


def test_step_that_is_not_his_is_told_and_not_taken(client, road):
    road.up_to("verifying")

    told = text(press(client, road.clerk, "step", road.case.pk, "confirm", kind="dropped_out"))

    assert "不归您办理" in told and road.case.state == "verifying"
    assert page(client, road.clerk, "step", road.case.pk, "nonsense").status_code == 404


VISIT = {"visited_on": "2026-10-12", "way": "home", "visitors": "王老师", "met": "祖母", "place": "家中", "content": "讲政策", "outcome": "hesitant"}


def test_visit_is_recorded_on_a_phone_by_the_township(client, road):
    road.up_to("persuading")

    told = text(press(client, road.cadre, "visit", road.case.pk, **VISIT))

    assert "未定，继续劝返" in told and Visit.objects.get().met == "祖母"


@pytest.mark.parametrize("wrong", [{"visited_on": "2026-10-13"}, {"visited_on": "2026-10-11"}, {"met": ""}, {"outcome": "x"}, {"next_on": "2026-10-12"}])
def test_wrong_visit_is_told_beside_its_field(client, road, wrong):
    road.up_to("persuading")

    assert "fielderror" in text(press(client, road.cadre, "visit", road.case.pk, **(VISIT | wrong)))
    assert not Visit.objects.exists()


def test_school_reports_a_child_from_his_page(client, road):
    told = text(press(client, road.clerk, "report", road.student.pk, detail="没到校", on="2026-10-12"))

    assert "一生一案" in told and road.case.state == "suspected"


def test_panel_of_the_child_leads_to_the_case(client, road, aid_officer):
    case = road.report()
    client.force_login(road.clerk)

    assert case.get_absolute_url() in client.get(road.student.get_absolute_url()).content.decode()
    client.force_login(aid_officer)
    assert case.get_absolute_url() not in client.get(road.student.get_absolute_url()).content.decode()


def test_two_lines_sign_and_the_bureau_strikes_off(client, road, school, today):
    road.up_to("stabilising")
    back_at_school(road.student, school)
    today["now"] = road.later(120).today
    assert titles(road.cadre)["巩固观察期满，请政府线签字"] == 1

    press(client, road.cadre, "sign", road.case.pk, line="government")
    press(client, road.head, "sign", road.case.pk, line="education")

    assert "巩固观察期满，请政府线签字" not in titles(road.cadre)
    assert titles(road.officer)["双线已签字，请办理销号"] == 1
    press(client, road.officer, "step", road.case.pk, "strike_off", on=road.today.isoformat(), evidence="截图")
    assert road.case.state == "struck_off"


# Orders


def test_order_is_issued_printed_served_and_cancelled(client, road, today):
    road.up_to("persuading").visit()
    road.later(7).visit()
    today["now"] = road.today

    printed = text(press(client, road.cadre, "step", road.case.pk, "order", guardian="张大山", on=road.today.isoformat()))
    order = ReturnOrder.objects.get()
    assert "限期复学通知书" in printed and f"城关镇限复〔2026〕{order.number}号" in printed and "7 日内" in printed
    early = text(press(client, road.cadre, "serve_order", order.pk, service="direct", handed_on="2026-10-01"))
    assert "不能早于下达日期" in early
    press(client, road.cadre, "serve_order", order.pk, service="direct", handed_on=road.today.isoformat())
    assert road.case.due_on == road.today + timedelta(days=7)
    press(client, road.cadre, "cancel_order", order.pk, reason="姓名写错")
    assert road.case.state == "persuading" and ReturnOrder.objects.get().cancel_reason == "姓名写错"


# Desk, deadlines


def test_desk_of_each_line_tells_what_is_late(road, today):
    road.report()
    today["now"] = TODAY + timedelta(days=1)

    for account in (road.clerk, road.cadre, road.officer):
        [todo] = [todo for todo in desk.todos(account) if "疑似失学、辍学，请当日交办核查" in todo.title]
        assert (todo.count, todo.late, todo.tone) == (1, 1, "red")


@pytest.mark.parametrize(("state", "count"), [("verifying", None), ("confirmed", 1)])
def test_director_sees_a_poor_dropout_the_same_day(client, road, supervisor, state, count):
    EntryFactory(county=road.county, student=road.student, on="poverty")
    road.up_to(state)

    assert titles(supervisor).get("脱贫（监测）家庭学生失学、辍学") == count
    assert len(page(client, supervisor, "cases", state="poor").context["page"].rows) == (count or 0)


def test_child_on_a_roll_and_out_of_school_is_asked_about(road, school):
    road.up_to("confirmed")
    EnrolmentFactory(student=road.student, school=school)

    assert titles(road.clerk)["台账上失学、辍学，花名册上已在校，请确认复学"] == 1


def test_bureau_sets_a_deadline_from_a_day_on(client, road):
    given = {"stage": "verifying", "days": 15, "unit": "days", "valid_from": "2026-10-12", "basis": "县方案"}

    assert "15 天" in text(press(client, road.officer, "save_deadline", **given))
    press(client, road.officer, "save_deadline", **(given | {"days": 10}))
    road.up_to("verifying")

    assert Deadline.objects.get().days == 10 and road.case.due_on == TODAY + timedelta(days=10)
    assert press(client, road.clerk, "save_deadline", **given).status_code == 403


@pytest.mark.parametrize(("role", "shown"), [(Role.AID_OFFICER, False), (Role.ADMINISTRATOR, False), (Role.SUPERVISOR, True)])
def test_number_of_cases_is_told_only_to_those_who_may_open_them(client, road, world, role, shown):
    road.report()
    client.force_login(world.account(role))

    tiles = client.get(reverse("bureau:dashboard")).context["tiles"]

    assert [tile["value"] for tile in tiles if tile["tile"].figure.code == "C01"] == ([1] if shown else [])


# Ledger and rates


@pytest.mark.parametrize("base", ["hukou", "studying"])
def test_every_number_of_the_ledger_opens_exactly_its_children(client, road, world, base):
    road.up_to("confirmed")
    for school in (world.school, world.other_school):
        EnrolmentFactory(student=StudentFactory(hukou_township=school.township), school=school)
    for query in ({"base": base}, {"base": base, "township": str(world.township.pk)}):
        told = text(page(client, road.officer, "ledger", **query))
        links = re.findall(r'<a href="(/dropout/children/\?[^"]+)">(?:<b>)?([\d,]+)<', told)
        assert links
        for url, number in links:
            assert told_count(client.get(url.replace("&amp;", "&"))) == int(number), url


def test_township_sees_its_own_children_in_the_ledger(client, world, term, township_officer):
    StudentFactory(hukou_township=world.township), StudentFactory(hukou_township=world.other_township)

    told = text(page(client, township_officer, "ledger"))

    assert "城关镇" in told and "共 1 人" in told and "河口乡" not in told


def test_rates_tell_their_numbers_and_open_them(client, road, school):
    EnrolmentFactory(student=StudentFactory(hukou_township=school.township), school=school)
    road.up_to("confirmed")

    told = text(page(client, road.officer, "rates"))

    assert "50.00%" in told and "没有分母" in told
    for part, number in (("num", 1), ("den", 2)):
        assert told_count(page(client, road.officer, "children", rate=f"DR1.{part}")) == number


def test_ledger_without_a_term_says_what_to_do(client, county, basic_education_officer):
    county.terms.all().delete()

    assert "没有适龄儿童" in text(page(client, basic_education_officer, "ledger"))
    assert "还没有学期" in text(page(client, basic_education_officer, "rates"))
    assert "没有适龄儿童" in text(page(client, basic_education_officer, "children"))


# The command


def test_command_lists_cases_by_state(road, school):
    road.up_to("verifying"), Road(school).report()

    status, result, _ = run("cases", "--state", "verifying")

    [item] = result["items"]
    assert (status, result["count"]) == (0, 1)
    assert item == {
        "id": str(road.case.pk), "state": "verifying", "school": school.code, "township": school.township.code, "due_on": "2026-10-19",
    }  # fmt: skip
    assert run("cases").result["count"] == run("cases", "--state", "open").result["count"] == 2
    assert run("cases", "--state", "nonsense").status == 2
