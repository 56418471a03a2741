"""核查名单: a village's questions on paper, and what was ticked keyed back in."""

import re
from datetime import date

import pytest
from django.urls import reverse

from bureau.access.models import RoleRights
from bureau.audit import AccessLog, AuditEvent
from bureau.states import Transition
from students.actions import fieldwork
from students.actions.fieldwork import Ticked
from students.models import Discrepancy, FieldLine, FieldSheet, Whereabouts
from students.models.papers import number_of, serial_of
from tests.factories import VillageFactory
from tests.students.factories import DiscrepancyFactory, EntryFactory, StudentFactory, citizen_id

BORN = date(2016, 5, 1)


def question(world, village=None, **facts) -> Discrepancy:
    """About a child of the village who is in no school."""
    child = facts.pop("student", None) or StudentFactory(
        hukou_township=world.township, hukou_village=village or world.village, number=citizen_id(BORN, 7) if facts.pop("numbered", False) else ""
    )
    return DiscrepancyFactory(student=child, township=world.township, term=world.term, **facts)


def sheet_of(world, by, **asked) -> FieldSheet:
    return fieldwork.print_sheet(**{"township": world.township, "village": world.village, "by": by} | asked)


# The serial.


@pytest.mark.parametrize("typed", ["HC00004262", "hc00004262", " HC 0000 4262\n", "00004262"])
def test_a_serial_is_understood_however_it_is_typed(typed):
    assert serial_of(426) == "HC00004262"
    assert number_of(typed) == 426


@pytest.mark.parametrize("typed", ["", "HC", "HC00004263", "HC00002462", "HC0004262", "R00004262", "9" * 60])
def test_a_slip_of_the_pen_is_no_other_sheet(typed):
    assert number_of(typed) is None


# What is printed.


def test_a_child_with_two_questions_has_one_line(township_officer, world):
    child = StudentFactory(name="李小明", hukou_township=world.township, hukou_village=world.village)
    other = question(world, student=StudentFactory(name="艾小红", hukou_township=world.township, hukou_village=world.village))
    both = [question(world, student=child, rule=rule) for rule in ("R01", "R08")]

    sheet = sheet_of(world, township_officer)

    assert list(sheet.lines.values_list("position", "discrepancy")) == [(1, other.pk), *((2, one.pk) for one in both)]
    event = AuditEvent.objects.get(verb="students.sheet_printed")
    assert (event.by, event.detail) == (township_officer, {"count": 3})


def test_only_questions_of_the_village_that_wait_and_that_a_visit_answers_are_printed(township_officer, world):
    found = question(world)
    question(world, village=VillageFactory(township=world.township))
    question(world, rule="R25")
    for state in ("explained", "fixed", "accepted", "closed"):
        question(world, state=state)

    assert [line.discrepancy for line in sheet_of(world, township_officer).lines.all()] == [found]


def test_a_row_nobody_was_found_for_is_printed_by_its_own_village(township_officer, world):
    entry = EntryFactory(township=world.township, village=world.village, name="查无名")
    found = DiscrepancyFactory(
        rule="R08", subject_kind="listed", subject_id="aa", student=None, county=world.county, entry=entry, township=world.township
    )

    assert [line.discrepancy for line in sheet_of(world, township_officer).lines.all()] == [found]


def test_children_without_a_known_village_have_a_sheet_of_their_township(township_officer, world):
    found = question(world, student=StudentFactory(hukou_township=world.township))
    question(world)

    assert [line.discrepancy for line in sheet_of(world, township_officer, village=None).lines.all()] == [found]


def test_one_kind_of_question_can_be_printed_alone(township_officer, world):
    found = question(world, rule="R08")
    question(world)

    assert [line.discrepancy for line in sheet_of(world, township_officer, rule="R08").lines.all()] == [found]


def test_printed_again_it_is_the_same_sheet_until_something_new_waits(township_officer, world):
    question(world)
    first = sheet_of(world, township_officer)

    assert sheet_of(world, township_officer) == first
    question(world)
    assert sheet_of(world, township_officer) != first


def test_a_village_without_questions_has_no_sheet(client, township_officer, world):
    client.force_login(township_officer)

    page = client.post(reverse("students:print_sheet"), {"township": world.township.pk, "village": world.village.pk}, follow=True)

    assert "没有待核实的问题" in page.content.decode() and not FieldSheet.objects.exists()


def test_paper_has_names_boxes_and_the_serial_as_qr_and_no_number(client, township_officer, world):
    found = question(world, numbered=True)
    client.force_login(township_officer)

    page = client.post(reverse("students:print_sheet"), {"township": world.township.pk, "village": world.village.pk}, follow=True)

    text = page.content.decode()
    sheet = FieldSheet.objects.get()
    assert found.student.person.name in text and sheet.serial in text and "<svg" in text[text.index('class="qr"') :]
    assert text.count('class="box"') == len(FieldLine.Answer.choices)
    assert not re.search(r"\d{6}(19|20)\d{6}", text) and "990101" not in text
    assert AccessLog.objects.get(view="students:field_sheet").children.get().student_id == found.student_id


# What comes back.


def test_ticks_become_whereabouts_and_explanations_in_one_audited_action(township_officer, world):
    away, gone, unknown = (question(world, student=StudentFactory(name=name, hukou_township=world.township, hukou_village=world.village)) for name in ("阿甲", "包乙", "陈丙"))
    sheet = sheet_of(world, township_officer)

    keyed = fieldwork.key_in(
        sheet=sheet, by=township_officer,
        ticked={1: Ticked("out_of_province", "义乌市稠城一小"), 2: Ticked("deceased"), 3: Ticked("unknown", "村里没有这个人")},
    )  # fmt: skip

    assert (keyed.recorded, keyed.explained, keyed.settled_before, keyed.known) == (2, 1, 0, 0)
    known = {one.student_id: (one.kind, one.place, one.valid_to, one.evidence) for one in Whereabouts.objects.all()}
    assert known[away.student_id] == (
        "out_of_province", "义乌市稠城一小", world.term.ends_on, f"省外就读，义乌市稠城一小（村级核查，{sheet.serial} 第 1 行）"
    )  # fmt: skip
    assert known[gone.student_id][0:3] == ("deceased", "", None)
    unknown.refresh_from_db()
    assert (unknown.state, unknown.note) == ("explained", f"查无此人，村里没有这个人（村级核查，{sheet.serial} 第 3 行）")
    event = AuditEvent.objects.get(verb="students.sheet_keyed")
    assert event.detail == {"count": 3} and set(Transition.objects.values_list("batch", flat=True)) == {event.batch}


def test_two_questions_of_a_child_get_one_evidence(township_officer, world):
    child = StudentFactory(hukou_township=world.township, hukou_village=world.village)
    for rule in ("R01", "R08"):
        question(world, student=child, rule=rule)
    sheet = sheet_of(world, township_officer)

    keyed = fieldwork.key_in(sheet=sheet, ticked={1: Ticked("suspended")}, by=township_officer)

    assert keyed.recorded == 2 and Whereabouts.objects.count() == 1


def test_where_nobody_was_found_the_tick_is_an_explanation(township_officer, world):
    entry = EntryFactory(township=world.township, village=world.village)
    found = DiscrepancyFactory(
        rule="R08", subject_kind="listed", subject_id="aa", student=None, county=world.county, entry=entry, township=world.township
    )
    sheet = sheet_of(world, township_officer)

    keyed = fieldwork.key_in(sheet=sheet, ticked={1: Ticked("other_county_in_province")}, by=township_officer)

    found.refresh_from_db()
    assert (keyed.recorded, keyed.explained, found.state) == (0, 1, "explained")


def test_keyed_in_twice_nothing_is_doubled(township_officer, aid_officer, world):
    question(world)
    sheet = sheet_of(world, township_officer)
    fieldwork.key_in(sheet=sheet, ticked={1: Ticked("suspended")}, by=township_officer)

    again = fieldwork.key_in(sheet=sheet, ticked={1: Ticked("deceased")}, by=aid_officer)

    assert (again.recorded, again.known) == (0, 1)
    assert Whereabouts.objects.get().kind == "suspended" and FieldLine.objects.get().answer == "suspended"
    assert AuditEvent.objects.filter(verb="students.sheet_keyed").count() == 1


@pytest.mark.parametrize(
    ("also", "told"),
    [({"state": "closed"}, "已办理（已办结），不用录入"), ({"state": "new", "occurrence": 2}, "打印以后重新列出过，见新的名单，不用录入")],
    ids=["settled", "opened anew"],
)
def test_what_changed_while_the_paper_was_out_is_left_alone_and_told(client, township_officer, world, also, told):
    found = question(world)
    sheet = sheet_of(world, township_officer)
    Discrepancy.objects.update(**also)
    client.force_login(township_officer)

    page = client.get(reverse("students:key_sheet", args=[sheet.pk])).content.decode()
    keyed = fieldwork.key_in(sheet=sheet, ticked={1: Ticked("suspended")}, by=township_officer)

    assert told in page and "answer_1" not in page
    assert keyed.settled_before == 1 and FieldLine.objects.get().outcome == "settled_before"
    found.refresh_from_db()
    assert found.state == also["state"] and not Whereabouts.objects.exists()


def test_the_grid_takes_some_lines_today_and_the_rest_another_day(client, township_officer, world):
    for name in ("阿甲", "包乙"):
        question(world, student=StudentFactory(name=name, hukou_township=world.township, hukou_village=world.village))
    sheet = sheet_of(world, township_officer)
    address = reverse("students:key_sheet", args=[sheet.pk])
    client.force_login(township_officer)

    first = client.post(address, {"answer_1": "out_of_province", "note_1": "义乌", "answer_2": ""}, follow=True).content.decode()
    second = client.post(address, {"answer_2": "at_school", "note_2": "城关镇一小三年级"}, follow=True).content.decode()

    assert "登记去向 1 件" in first and "还有 1 行没有录入" in first
    assert "答复 1 件" in second and "这张名单已全部录入" in second


@pytest.mark.parametrize(
    ("given", "told"),
    [({"note_1": "在义乌"}, "还没有选核查结果"), ({"answer_1": "flown"}, "请从列表里选"), ({"answer_1": "deceased", "note_1": "长" * 201}, "不能超过 200 字")],
    ids=["a note alone", "no such answer", "too long"],
)
def test_what_cannot_be_keyed_in_is_told_and_not_lost(client, township_officer, world, given, told):
    question(world)
    sheet = sheet_of(world, township_officer)
    client.force_login(township_officer)

    answer = client.post(reverse("students:key_sheet", args=[sheet.pk]), given)

    assert answer.status_code == 400 and told in answer.content.decode() and given.get("note_1", "") in answer.content.decode()
    assert not FieldLine.objects.exclude(answer="").exists()


def test_the_serial_opens_the_grid(client, township_officer, world):
    question(world)
    sheet = sheet_of(world, township_officer)
    client.force_login(township_officer)

    answer = client.get(reverse("students:field_sheets"), {"serial": sheet.serial.lower()})

    assert answer.url == reverse("students:key_sheet", args=[sheet.pk])


@pytest.mark.parametrize("foreign", [False, True], ids=["no serial", "another township's"])
def test_a_serial_that_leads_nowhere_is_said_to(client, township_officer, aid_officer, world, foreign):
    child = StudentFactory(hukou_township=world.other_township)
    DiscrepancyFactory(student=child, township=world.other_township, county=world.county)
    sheet = sheet_of(world, aid_officer, township=world.other_township, village=None)
    client.force_login(township_officer)

    page = client.get(reverse("students:field_sheets"), {"serial": sheet.serial if foreign else "HC1"}, follow=True).content.decode()

    assert "没有这个编号" in page and "请看纸上" in page


def test_villages_are_counted_for_those_who_go_there(client, township_officer, aid_officer, school_clerk, world):
    question(world)
    question(world, rule="R08")
    other = StudentFactory(hukou_township=world.other_township)
    DiscrepancyFactory(student=other, township=world.other_township, school=world.school)
    address = reverse("students:field_sheets")
    counts = {}
    for account in (township_officer, aid_officer, school_clerk):
        client.force_login(account)
        counts[account] = [(str(one.township), str(one.village), one.count) for one in client.get(address).context["waiting"]]

    mine = ("城关镇", str(world.village), 2)
    assert counts == {township_officer: [mine], aid_officer: [mine, ("河口乡", "None", 1)], school_clerk: []}


def test_a_village_of_another_township_is_not_printed(client, township_officer, world):
    client.force_login(township_officer)
    foreign = VillageFactory(township=world.other_township)

    page = client.post(
        reverse("students:print_sheet"), {"township": world.township.pk, "village": foreign.pk}, follow=True
    ).content.decode()

    assert "请在列表里选一个村" in page and not FieldSheet.objects.exists()


def test_who_only_looks_on_prints_nothing(client, supervisor, world):
    RoleRights.objects.filter(role="supervisor").delete()
    client.force_login(supervisor)

    assert client.post(reverse("students:print_sheet"), {"township": world.township.pk}).status_code == 403


def test_the_number_of_a_village_opens_exactly_its_questions(client, aid_officer, world):
    mine = [question(world), question(world, rule="R08")]
    nowhere = question(world, student=StudentFactory(hukou_township=world.township))
    question(world, state="explained")
    question(world, rule="R25")
    client.force_login(aid_officer)
    text = client.get(reverse("students:field_sheets")).content.decode()
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*visit=yes[^"]*)"', text)]

    found = [set(client.get(link).context["page"].rows) for link in links]

    assert found == [set(mine), {nowhere}]
