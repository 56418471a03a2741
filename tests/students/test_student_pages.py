"""学生: the list, the child's page, and the number that is shown once."""

import io
from datetime import date

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from bureau import secrecy
from bureau.audit import AccessLog, AuditEvent
from bureau.identity import name_key, pinyin_key
from bureau.keys import uuid7
from students import panels
from students.models import Entry, Hardship, Identifier, Link, Register, Snapshot
from students.panels import Event, Panel
from students.views.timeline import standings
from tests.samples import student_at

CITIZEN_ID = "99010120160501124X"
TODAY = date(2026, 11, 20)


@pytest.fixture
def child(school):
    """李晓梅 of class 1, with a citizen ID."""
    child = student_at(school)
    child.person.name, child.person.name_key, child.person.pinyin = (
        "李晓梅",
        name_key("李晓梅"),
        pinyin_key("李晓梅"),
    )
    child.person.save()
    give_number(child, CITIZEN_ID)
    return child


def give_number(child, number: str) -> Identifier:
    key = uuid7()
    return Identifier.objects.create(
        id=key,
        county=child.county,
        person=child.person,
        kind=Identifier.Kind.CITIZEN_ID,
        sealed=secrecy.seal(number, field="citizen_id", value_id=key),
        index=secrecy.blind(number, field="citizen_id"),
    )


def listed(child, name: str, *, since: date, until: date | None = None) -> Entry:
    register, _ = Register.objects.get_or_create(county=child.county, name=name, defaults={"title": name})
    return Entry.objects.create(
        county=child.county, register=register, person=child.person, link_state="linked", listed_from=since,
        listed_to=until, name=child.person.name, recognised_by=uuid7().bytes, row_uuid=uuid7(), digest=uuid7().bytes,
        category="dibao",
    )  # fmt: skip


def received(child, name: str, account, *, as_of: date) -> Snapshot:
    register, _ = Register.objects.get_or_create(county=child.county, name=name, defaults={"title": name})
    return Snapshot.objects.create(
        county=child.county, register=register, as_of=as_of, state=Snapshot.State.CLOSED, file_name="名单.xlsx",
        sha256=uuid7().hex * 2, received_by=account,
    )  # fmt: skip


def test_list_tells_children_apart_without_any_part_of_a_number(client, aid_officer, child):
    client.force_login(aid_officer)

    page = client.get(reverse("students:students")).content.decode()

    assert "李晓梅" in page and "2016年5月" in page and "1班" in page
    assert CITIZEN_ID not in page and "990101*" not in page


@pytest.mark.parametrize("words", ["李晓", "lxm", "li xiao", "lixiaomei", CITIZEN_ID, CITIZEN_ID.lower()])
def test_child_is_found_by_name_pinyin_or_whole_number(client, aid_officer, school, child, words):
    student_at(school)  # somebody else
    client.force_login(aid_officer)

    page = client.get(reverse("students:students"), {"q": words})

    assert [row.pk for row in page.context["page"].rows] == [child.pk]


@pytest.mark.parametrize("words", ["xm", "晓梅", CITIZEN_ID[:17], "lxmm"])
def test_search_does_not_guess(client, aid_officer, child, words):
    client.force_login(aid_officer)

    assert client.get(reverse("students:students"), {"q": words}).context["page"].rows == []


def test_clerk_is_not_shown_children_of_another_school(client, world, school_clerk):
    mine, theirs = student_at(world.school), student_at(world.other_school)
    client.force_login(school_clerk)

    rows = client.get(reverse("students:students")).context["page"].rows

    assert mine in rows and theirs not in rows


@pytest.mark.parametrize(("grade", "found"), [("primary-2022", True), ("primary-2023", False)])
def test_grade_filter_is_the_cohort(client, aid_officer, term, child, grade, found):
    client.force_login(aid_officer)

    rows = client.get(reverse("students:students"), {"grade": grade}).context["page"].rows

    assert (child in rows) is found


def test_list_writes_who_was_looked_at(client, aid_officer, child):
    client.force_login(aid_officer)

    client.get(reverse("students:students"))

    assert AccessLog.objects.of_child(child.pk).get().by == aid_officer


def test_export_holds_the_filtered_children_and_no_number(client, aid_officer, school, child):
    client.force_login(aid_officer)

    answer = client.get(reverse("students:export_students"), {"q": "李晓"})
    rows = list(load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)

    assert [row[0] for row in rows] == ["姓名", "李晓梅"]
    assert not any(CITIZEN_ID in str(cell) for row in rows for cell in row)
    assert AuditEvent.objects.get(verb="students.exported").detail == {"rows": 1}


def test_page_shows_six_digits_until_a_number_is_asked_for(client, aid_officer, child):
    client.force_login(aid_officer)

    page = client.get(child.get_absolute_url()).content.decode()

    assert "990101************" in page and CITIZEN_ID not in page and CITIZEN_ID[6:] not in page


def test_number_is_shown_once_with_a_reason_and_both_are_kept(client, aid_officer, child):
    client.force_login(aid_officer)
    number = child.person.identifiers.get()

    answer = client.post(
        reverse("students:reveal", args=[child.pk]),
        {"number": number.pk, "reason": "核对银行退回的户名"},
        headers={"HX-Request": "true"},
    )

    assert CITIZEN_ID in answer.content.decode()
    assert CITIZEN_ID not in client.get(child.get_absolute_url()).content.decode()
    assert AuditEvent.objects.get(verb="students.number_revealed").by == aid_officer
    assert "核对银行退回的户名" in AccessLog.objects.of_child(child.pk).get(method="POST").reason


@pytest.mark.parametrize("reason", ["", "看看"], ids=["none", "too short"])
def test_number_stays_hidden_without_a_reason(client, aid_officer, child, reason):
    client.force_login(aid_officer)

    answer = client.post(
        reverse("students:reveal", args=[child.pk]),
        {"number": child.person.identifiers.get().pk, "reason": reason},
    )

    assert CITIZEN_ID not in answer.content.decode() and "理由" in answer.content.decode()
    assert not AuditEvent.objects.filter(verb="students.number_revealed").exists()


def test_somebody_elses_number_is_not_revealed_through_this_child(client, aid_officer, school, child):
    other = student_at(school)
    foreign = give_number(other, "990101201605014465")
    client.force_login(aid_officer)

    answer = client.post(
        reverse("students:reveal", args=[child.pk]), {"number": foreign.pk, "reason": "核对银行户名"}
    )

    assert "990101201605014465" not in answer.content.decode()


def test_timeline_is_newest_first_and_can_be_narrowed(client, aid_officer, child):
    listed(child, "dibao", since=date(2026, 3, 1), until=date(2026, 6, 30))
    Hardship.objects.create(
        county=child.county,
        student=child,
        category="dibao",
        valid_from=date(2026, 4, 1),
        recorded_by=aid_officer,
    )
    client.force_login(aid_officer)

    everything = client.get(child.get_absolute_url()).context["events"]
    lists = client.get(child.get_absolute_url(), {"kind": "list"}).context["events"]

    assert [event.on for event in everything] == sorted((event.on for event in everything), reverse=True)
    assert [event.title for event in lists] == ["退出dibao", "列入dibao"]


def test_four_answers_of_a_register_are_kept_apart(child, aid_officer):
    received(child, "on", aid_officer, as_of=date(2026, 10, 12))
    listed(child, "on", since=date(2026, 9, 1))
    received(child, "left", aid_officer, as_of=date(2026, 10, 12))
    listed(child, "left", since=date(2025, 9, 1), until=date(2026, 6, 30))
    received(child, "absent", aid_officer, as_of=date(2026, 10, 12))
    Register.objects.create(county=child.county, name="never received", title="never received")
    entry = listed(child, "similar", since=date(2026, 9, 1))
    Entry.objects.filter(pk=entry.pk).update(person=None, link_state="proposed")
    Link.objects.create(county=child.county, entry=entry, person=child.person, method="likeness", digest=b"")

    verdicts = {standing.register.name: standing.verdict for standing in standings(child, TODAY)}

    assert verdicts == {
        "on": "在册",
        "left": "已退出",
        "absent": "不在册",
        "never received": "无法核对",
        "similar": "待认定",
    }


def test_list_kept_in_another_county_says_nothing_about_the_child(child, aid_officer):
    child.hukou_outside = True
    child.save()
    received(child, "dibao", aid_officer, as_of=date(2026, 10, 12))

    assert [standing.verdict for standing in standings(child, TODAY)] == ["无法核对"]


def test_room_upstairs_plugs_in_a_panel_and_its_events(client, aid_officer, child, monkeypatch):
    monkeypatch.setattr(panels, "PANELS", panels.PANELS[:])
    monkeypatch.setattr("students.views.timeline.PANELS", panels.PANELS)
    panels.register(
        Panel(
            "visits",
            "家访",
            "_empty.html",
            lambda student, account: {},
            lambda student, account: [Event(date(2026, 10, 1), "visits", "入户家访")],
        )
    )
    client.force_login(aid_officer)

    page = client.get(child.get_absolute_url(), {"kind": "visits"}).content.decode()

    assert "入户家访" in page and "家访</h2>" in page
