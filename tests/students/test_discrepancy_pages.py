"""待核实问题: list, evidence of both sides, settling one and many, starting a run."""

import io
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.keys import uuid7
from students.models import Discrepancy, Entry, Hardship, Register, Sighting, Snapshot, Whereabouts
from tests.samples import student_at


def question(school, *, rule: str = "R01", due_in: int = 5, **facts) -> Discrepancy:
    today = timezone.localdate()
    facts = {"student": facts.pop("student", None) or student_at(school), "office": "township"} | facts
    return Discrepancy.objects.create(
        county=school.county, rule=rule, subject_kind="student", subject_id=uuid7().hex, school=school,
        township=school.township, opened_on=today, due_on=today + timedelta(days=due_in), **facts,
    )  # fmt: skip


def listed(school, account, *, student=None) -> Entry:
    """A stay on the 低保 list of 12 October: sheet 城关镇, row 23."""
    register = Register.objects.create(
        county=school.county, name="dibao", title="低保对象名单", office="民政局"
    )
    snapshot = Snapshot.objects.create(
        county=school.county, register=register, as_of=date(2026, 10, 12), state="closed", file_name="低保.xlsx",
        sha256=uuid7().hex * 2, received_by=account, sheets=["说明", "城关镇"],
    )  # fmt: skip
    entry = Entry.objects.create(
        county=school.county, register=register, listed_from=date(2026, 3, 1), name="李小明", name_key="李小明",
        category="dibao", person=student and student.person, recognised_by=uuid7().bytes, row_uuid=uuid7(),
        digest=uuid7().bytes, township=school.township,
    )  # fmt: skip
    Sighting.objects.create(snapshot=snapshot, entry=entry, sheet=1, row=23)
    return entry


def test_filters_of_a_phone_stand_open_only_when_the_address_filters(world, client, aid_officer):
    client.force_login(aid_officer)
    opened = '<details class="tofilter noprint" open>'

    assert opened not in client.get(reverse("students:discrepancies")).content.decode()  # 待办理 is preset
    assert opened in client.get(reverse("students:discrepancies"), {"rule": "R01"}).content.decode()


def rows(client, **asked) -> list[Discrepancy]:
    return client.get(reverse("students:discrepancies"), asked).context["page"].rows


def settle(client, *questions, count=None, **answer):
    ids = "&".join(f"ids={one.pk}" for one in questions)
    given = {"count": len(questions) if count is None else count} | answer
    return client.post(f"{reverse('students:settle')}?{ids}", given, follow=True)


def test_list_shows_what_waits_unless_asked_for_all(client, aid_officer, school):
    waiting, done = question(school), question(school, state="closed")
    client.force_login(aid_officer)

    assert rows(client) == [waiting]
    assert set(rows(client, state="")) == {waiting, done}


@pytest.mark.parametrize(("due_in", "late"), [(-1, True), (0, False)], ids=["due yesterday", "due today"])
def test_overdue_begins_the_day_after(client, aid_officer, school, due_in, late):
    one = question(school, due_in=due_in)
    client.force_login(aid_officer)

    assert (one in rows(client, due="overdue")) is late


def test_explanation_that_ran_out_waits_again(client, aid_officer, school):
    today = timezone.localdate()
    expired = question(school, state="accepted", accepted_until=today - timedelta(days=1))
    question(school, state="accepted", accepted_until=today)
    client.force_login(aid_officer)

    assert rows(client) == [expired]


def test_school_and_township_see_their_own(client, school_clerk, township_officer, world):
    mine, theirs = question(world.school), question(world.other_school)
    for account in (school_clerk, township_officer):
        client.force_login(account)
        assert rows(client, state="") == [mine], theirs


def test_tiles_count_what_waits_and_what_is_late(client, aid_officer, school):
    question(school, rule="R25", due_in=-3)
    question(school, rule="R25")
    question(school, rule="R25", state="closed")
    client.force_login(aid_officer)

    tiles = client.get(reverse("students:discrepancies")).context["tiles"]

    assert {tile["rule"].code: (tile["count"], tile["late"]) for tile in tiles}["R25"] == (2, 1)


def test_detail_gives_list_day_sheet_and_row_and_what_we_have(client, aid_officer, school):
    child = student_at(school)
    one = question(
        school, rule="R25", student=child, category="dibao", entry=listed(school, aid_officer, student=child)
    )
    client.force_login(aid_officer)

    page = client.get(one.get_absolute_url()).content.decode()

    assert "10月期名单" in page and "“城关镇”第 23 行" in page
    assert school.name in page and "没有登记" in page


def test_clerk_reads_the_list_side_without_a_link_to_the_list(client, school_clerk, aid_officer, school):
    one = question(school, entry=listed(school, aid_officer))
    client.force_login(school_clerk)

    page = client.get(one.get_absolute_url()).content.decode()

    assert "第 23 行" in page and "/registers/snapshots/" not in page


def test_child_who_was_not_found_is_said_to_be_not_found(client, aid_officer, school):
    one = question(school, rule="R08", entry=listed(school, aid_officer))
    Discrepancy.objects.update(student=None)
    client.force_login(aid_officer)

    page = client.get(one.get_absolute_url())

    assert "未匹配到本人" in page.content.decode()
    assert "whereabouts_known" not in [code for code, _ in page.context["form"].fields["remedy"].choices]


def test_hardship_is_recorded_from_the_list(client, aid_officer, school):
    child = student_at(school)
    one = question(
        school, rule="R25", student=child, category="dibao", entry=listed(school, aid_officer, student=child)
    )
    client.force_login(aid_officer)

    settle(client, one, remedy="record_hardship")

    hardship = Hardship.objects.get(student=child)
    one.refresh_from_db()
    assert (hardship.category, hardship.valid_from, hardship.recorded_by) == (
        "dibao",
        date(2026, 3, 1),
        aid_officer,
    )
    assert one.state == Discrepancy.State.FIXED


def test_whereabouts_need_kind_and_proof_and_nothing_typed_is_lost(client, township_officer, school, term):
    one = question(school, term=term)
    client.force_login(township_officer)

    page = settle(client, one, remedy="whereabouts_known", place="义乌市稠城一小")

    form = page.context["form"]
    assert set(form.errors) == {"kind", "evidence"}
    assert "义乌市稠城一小" in page.content.decode()
    assert not Whereabouts.objects.exists()


def test_whereabouts_with_proof_settle_the_question(client, township_officer, school, term):
    one = question(school, term=term)
    client.force_login(township_officer)

    settle(
        client,
        one,
        remedy="whereabouts_known",
        kind="out_of_province",
        place="义乌市稠城一小",
        evidence="就读证明",
    )

    known = Whereabouts.objects.get(student=one.student)
    assert (known.kind, known.place, known.evidence) == ("out_of_province", "义乌市稠城一小", "就读证明")


def test_fifty_are_accepted_at_once_with_one_audit_line(client, aid_officer, school):
    questions = [question(school, student=student_at(school)) for _ in range(50)]
    until = timezone.localdate() + timedelta(days=30)
    client.force_login(aid_officer)

    page = settle(
        client, *questions, remedy="accept", reason="另一学校的名单未到", accepted_until=until.isoformat()
    )

    assert "已办理 50 件" in page.content.decode()
    assert Discrepancy.objects.filter(state="accepted", accepted_until=until).count() == 50
    assert AuditEvent.objects.get(verb="students.settled").detail["count"] == 50


def test_all_that_match_the_filters_can_be_settled(client, aid_officer, world):
    mine = [question(world.school), question(world.school)]
    other = question(world.other_school)
    client.force_login(aid_officer)
    address = f"{reverse('students:settle')}?rule=R01&school={world.school.pk}&all=1"

    asked = client.get(address)
    client.post(
        address,
        {
            "count": asked.context["count"],
            "remedy": "accept",
            "reason": "暂缓",
            "accepted_until": "2099-01-01",
        },
    )

    assert {one.pk for one in Discrepancy.objects.filter(state="accepted")} == {one.pk for one in mine}
    assert Discrepancy.objects.get(pk=other.pk).state == "new"


def test_nothing_is_settled_that_was_not_counted(client, aid_officer, school):
    one = question(school)
    client.force_login(aid_officer)

    page = settle(client, one, count=2, remedy="accept", reason="暂缓", accepted_until="2099-01-01")

    one.refresh_from_db()
    assert one.state == "new" and "现在是 1 件" in page.content.decode()


def test_foreign_questions_among_the_ticked_are_left_out(client, school_clerk, world):
    mine, theirs = question(world.school), question(world.other_school)
    client.force_login(school_clerk)

    settle(client, mine, theirs, count=1, remedy="accept", reason="暂缓", accepted_until="2099-01-01")

    assert [one.pk for one in Discrepancy.objects.filter(state="accepted")] == [mine.pk]


def test_kinds_without_a_common_remedy_share_only_accept_and_assign(client, aid_officer, school):
    one, other = question(school, rule="R01"), question(school, rule="R25", category="dibao")
    client.force_login(aid_officer)

    page = client.get(f"{reverse('students:settle')}?ids={one.pk}&ids={other.pk}")

    assert [code for code, _ in page.context["form"].fields["remedy"].choices] == ["accept", "assign"]


@pytest.mark.parametrize(("days", "taken"), [(1, True), (0, False)], ids=["tomorrow", "today"])
def test_explanation_must_last_beyond_today(client, aid_officer, school, days, taken):
    one = question(school)
    until = timezone.localdate() + timedelta(days=days)
    client.force_login(aid_officer)

    settle(client, one, remedy="accept", reason="暂缓", accepted_until=until.isoformat())

    one.refresh_from_db()
    assert (one.state == "accepted") is taken


def test_export_holds_the_filtered_questions(client, aid_officer, school):
    question(school, rule="R25", category="dibao")
    question(school, rule="R01")
    client.force_login(aid_officer)

    answer = client.get(reverse("students:export_discrepancies"), {"rule": "R25"})

    lines = list(load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values)
    assert [line[0] for line in lines] == ["类型", "R25 应认定未认定"]


def test_run_is_asked_for_and_leads_to_its_progress(client, aid_officer, term):
    client.force_login(aid_officer)

    answer = client.post(reverse("students:run_reconcile"), {"term": term.pk, "rules": ["R01"]})

    job = Job.objects.get()
    assert (job.kind, job.params["term"], job.params["rules"]) == ("students.reconcile", term.code, ["R01"])
    assert answer.url == reverse("bureau:job", args=[job.pk])


def test_last_runs_tell_what_each_rule_found(client, aid_officer, county):
    Job.objects.create(
        kind="students.reconcile", county=county, by=aid_officer, state="done",
        result={"as_of": "2026-10-12", "rules": {"R25": {"opened": 3, "open": 7, "resolved": 2}}},
    )  # fmt: skip
    client.force_login(aid_officer)

    page = client.get(reverse("students:run_reconcile")).content.decode()

    assert "新发现 3，待办理 7，已消除 2" in page and "2026年10月12日" in page
