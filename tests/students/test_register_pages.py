"""部门名单 and 名单记录: how fresh, how much is linked, what a list changed."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from bureau.audit import AccessLog
from bureau.keys import uuid7
from students.models import Entry, Register, Sighting, Snapshot
from tests.samples import student_at

SEPTEMBER, OCTOBER = date(2026, 9, 10), date(2026, 10, 12)


@pytest.fixture
def poverty(county) -> Register:
    return Register.objects.create(county=county, name="poverty", title="脱贫人口名单", office="农业农村局")


def snapshot_of(register: Register, account, as_of: date, **facts) -> Snapshot:
    facts = {"state": Snapshot.State.CLOSED, "sheets": ["人员信息"]} | facts
    return Snapshot.objects.create(
        county=register.county, register=register, as_of=as_of, file_name=f"{as_of:%m}月.xlsx",
        sha256=uuid7().hex * 2, received_by=account, **facts,
    )  # fmt: skip


def entry_on(register: Register, *snapshots: Snapshot, name: str, **facts) -> Entry:
    facts = {"recognised_by": name.encode().ljust(32), "category": "lifted_poor"} | facts
    entry = Entry.objects.create(
        county=register.county, register=register, listed_from=date(2026, 1, 1), name=name, name_key=name,
        row_uuid=uuid7(), digest=uuid7().bytes, **facts,
    )  # fmt: skip
    for number, snapshot in enumerate(snapshots):
        Sighting.objects.create(snapshot=snapshot, entry=entry, sheet=0, row=number + 5)
    return entry


def names(page) -> list[str]:
    return [entry.name for entry in page.context["rows"]]


def test_overview_tells_linked_proposed_and_not_found_apart(client, aid_officer, poverty, school):
    snapshot = snapshot_of(poverty, aid_officer, OCTOBER)
    entry_on(poverty, snapshot, name="甲", link_state="linked", person=student_at(school).person)
    entry_on(poverty, snapshot, name="乙", link_state="proposed")
    entry_on(poverty, snapshot, name="丙")
    entry_on(poverty, snapshot, name="已退出", listed_to=date(2026, 2, 1))
    client.force_login(aid_officer)

    overviews = client.get(reverse("students:registers")).context["overviews"]

    one = next(overview for overview in overviews if overview.register.name == "poverty")
    assert (one.listed, one.linked, one.proposed, one.unlinked, one.coverage) == (3, 1, 1, 1, 33)
    assert one.issue.endswith("10月期")


@pytest.mark.parametrize(
    ("days_after", "counted"), [(0, (0, 1)), (1, (1, 0))], ids=["18 today", "18 tomorrow"]
)
def test_grown_ups_of_a_household_are_not_children_nobody_found(
    client, aid_officer, poverty, days_after, counted
):
    today = timezone.localdate()
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    birthday = date(today.year - 18, today.month, day) + timezone.timedelta(days=days_after)
    entry_on(poverty, snapshot_of(poverty, aid_officer, OCTOBER), name="母亲", birth_on=birthday)
    client.force_login(aid_officer)

    overviews = client.get(reverse("students:registers")).context["overviews"]
    listed = {
        state: client.get(reverse("students:entries"), {"state": state}).context["page"].rows
        for state in ("unlinked", "grown_up")
    }

    one = next(overview for overview in overviews if overview.register.name == "poverty")
    assert (one.unlinked, one.grown_up) == counted
    assert (len(listed["unlinked"]), len(listed["grown_up"])) == counted


def test_lists_never_received_are_named_and_can_be_imported(client, aid_officer):
    client.force_login(aid_officer)

    page = client.get(reverse("students:registers")).content.decode()

    assert "尚未收到的名单" in page and "死亡注销户口名单" in page and "?register=deaths" in page


def test_township_is_not_offered_the_import(client, township_officer):
    client.force_login(township_officer)

    assert "registers/upload" not in client.get(reverse("students:registers")).content.decode()


def test_import_keeps_the_file_and_leads_to_the_list(client, aid_officer, county):
    client.force_login(aid_officer)
    given = {
        "register": "dibao",
        "as_of": "2026-10-12",
        "file": SimpleUploadedFile("低保.csv", "姓名\n".encode()),
    }

    answer = client.post(reverse("students:upload_register"), given)

    snapshot = Snapshot.objects.get()
    assert answer.url == snapshot.get_absolute_url()
    assert (snapshot.register.name, snapshot.as_of, snapshot.state) == (
        "dibao",
        OCTOBER,
        Snapshot.State.READING,
    )


@pytest.mark.parametrize(("days", "taken"), [(0, True), (1, False)], ids=["today", "tomorrow"])
def test_list_of_a_day_to_come_is_refused(client, aid_officer, county, days, taken):
    client.force_login(aid_officer)
    as_of = timezone.localdate() + timezone.timedelta(days=days)
    given = {"register": "dibao", "as_of": as_of.isoformat(), "file": SimpleUploadedFile("低保.csv", b"x")}

    client.post(reverse("students:upload_register"), given)

    assert Snapshot.objects.exists() is taken


def test_numbers_of_a_list_open_exactly_their_people(client, aid_officer, poverty):
    september = snapshot_of(poverty, aid_officer, SEPTEMBER)
    october = snapshot_of(poverty, aid_officer, OCTOBER, added=1, removed=1, changed=1)
    entry_on(poverty, september, october, name="不变")
    entry_on(poverty, september, name="退出")
    entry_on(poverty, october, name="新增")
    entry_on(poverty, september, name="换了类别", category="lifted_poor")
    entry_on(poverty, october, name="换了类别", category="marginal_risk")
    client.force_login(aid_officer)

    shown = {
        show: names(client.get(october.get_absolute_url(), {"show": show}))
        for show in ("added", "removed", "moved")
    }

    assert shown == {"added": ["新增"], "removed": ["退出"], "moved": ["换了类别"]}
    assert "脱贫户" in client.get(october.get_absolute_url(), {"show": "moved"}).content.decode()


def test_partial_list_removes_nobody(client, aid_officer, poverty):
    september = snapshot_of(poverty, aid_officer, SEPTEMBER)
    october = snapshot_of(poverty, aid_officer, OCTOBER, partial=True)
    entry_on(poverty, september, name="没有列出")
    client.force_login(aid_officer)

    assert names(client.get(october.get_absolute_url(), {"show": "removed"})) == []


def test_refused_list_says_why(client, aid_officer, poverty):
    snapshot = snapshot_of(
        poverty,
        aid_officer,
        OCTOBER,
        state=Snapshot.State.REFUSED,
        file_error={"code": "macro", "message": "工作簿含有宏。"},
    )
    client.force_login(aid_officer)

    assert "工作簿含有宏。" in client.get(snapshot.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("state", "expected"), [("unlinked", ["丙"]), ("linked", ["甲"]), ("", ["丙", "甲"])]
)
def test_entries_are_narrowed_by_link_state(client, aid_officer, poverty, school, state, expected):
    entry_on(poverty, name="甲", link_state="linked", person=student_at(school).person)
    entry_on(poverty, name="丙")
    client.force_login(aid_officer)

    page = client.get(reverse("students:entries"), {"register": "poverty", "state": state}).context["page"]

    assert [entry.name for entry in page.rows] == expected


def test_township_sees_its_own_rows_and_is_logged_for_the_children(client, township_officer, poverty, world):
    child = student_at(world.school)
    mine = entry_on(poverty, name="本镇", township=world.township, person=child.person, link_state="linked")
    entry_on(poverty, name="外镇", township=world.other_township)
    client.force_login(township_officer)

    page = client.get(reverse("students:entries")).context["page"]

    assert page.rows == [mine]
    assert AccessLog.objects.of_child(child.pk).count() == 1


def test_township_reads_its_own_people_of_a_county_list_and_no_others_faults(
    client, township_officer, aid_officer, poverty, world
):
    fault = {
        "sheet": None,
        "row": 9,
        "column": "姓名",
        "level": "warning",
        "code": "name_space",
        "message": "姓名中有空格。",
    }
    october = snapshot_of(poverty, aid_officer, OCTOBER, added=2, problems=[fault])
    entry_on(poverty, october, name="本镇", township=world.township)
    entry_on(poverty, october, name="外镇", township=world.other_township)
    client.force_login(township_officer)

    page = client.get(october.get_absolute_url())

    assert names(page) == ["本镇"]
    assert "姓名中有空格" not in page.content.decode()
