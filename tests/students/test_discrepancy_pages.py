"""待核实问题: list, evidence of both sides, settling one and many, starting a run."""

import io
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from bureau import desk
from bureau.access.models import RoleRights
from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.keys import uuid7
from students.models import Discrepancy, Entry, Hardship, Register, Sighting, Snapshot, Student, Whereabouts
from tests.factories import AccountFactory, VillageFactory
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


def test_kinds_without_a_common_remedy_share_only_what_fits_all(client, aid_officer, school):
    one, other = question(school, rule="R01"), question(school, rule="R25", category="dibao")
    client.force_login(aid_officer)

    page = client.get(f"{reverse('students:settle')}?ids={one.pk}&ids={other.pk}")

    assert [code for code, _ in page.context["form"].fields["remedy"].choices] == ["explain", "accept", "assign"]


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


def test_a_run_is_asked_for_one_place(client, aid_officer, world):
    client.force_login(aid_officer)

    client.post(reverse("students:run_reconcile"), {"term": world.term.pk, "township": world.township.pk})
    client.post(reverse("students:run_reconcile"), {"term": world.term.pk, "school": world.school.pk})

    places = [{word: job.params.get(word) for word in ("township", "school")} for job in Job.objects.order_by("id")]
    assert places == [{"township": str(world.township.pk), "school": None}, {"township": None, "school": str(world.school.pk)}]


@pytest.mark.parametrize("foreign", [False, True], ids=["both a township and a school", "a school of another county"])
def test_a_run_for_a_wrong_place_is_refused(client, aid_officer, world, foreign):
    client.force_login(aid_officer)
    place = {"school": world.far_school.pk} if foreign else {"township": world.township.pk, "school": world.school.pk}

    page = client.post(reverse("students:run_reconcile"), {"term": world.term.pk, **place})

    assert set(page.context["form"].errors) == {"school"}
    assert not Job.objects.exists()


def test_who_works_for_one_township_compares_no_more_than_it(client, township_officer, world):
    RoleRights.objects.create(county=world.county, role="township_officer", rights=["reconcile.run", "differences.view"])
    client.force_login(township_officer)
    address = reverse("students:run_reconcile")

    assert set(client.post(address, {"term": world.term.pk}).context["form"].errors) == {"township"}
    assert set(client.post(address, {"term": world.term.pk, "township": world.other_township.pk}).context["form"].errors) == {"township"}
    client.post(address, {"term": world.term.pk, "township": world.township.pk})

    assert Job.objects.get().params["township"] == str(world.township.pk)


def test_history_of_runs_counts_per_rule_and_says_where(client, aid_officer, township_officer, world):
    counts = {"as_of": "2026-10-12", "rules": {"R25": {"opened": 3, "open": 7, "resolved": 2}}}
    for place in ({}, {"township": str(world.township.pk)}, {"school": str(world.other_school.pk)}):
        Job.objects.create(
            kind="students.reconcile", county=world.county, state="done", result=counts, params={"term": world.term.code, **place}
        )
    address = reverse("students:runs")
    client.force_login(aid_officer)

    page = client.get(address, {"rule": "R25"})

    assert {str(run.place) for run in page.context["page"].rows} == {world.other_school.name, "城关镇", "全县"}
    assert page.content.decode().count("新发现 3，待办理 7，已消除 2") == 6  # in all, and of the rule
    assert not client.get(address, {"rule": "R01"}).context["page"].rows
    client.force_login(township_officer)
    assert [str(run.place) for run in client.get(address).context["page"].rows] == ["城关镇"]


def test_detail_lays_both_sides_beside_each_other(client, aid_officer, school):
    child = student_at(school)
    Hardship.objects.create(
        county=school.county, student=child, category="dibao", valid_from=date(2025, 9, 1), valid_to=date(2026, 2, 28), recorded_by=aid_officer
    )
    one = question(school, rule="R25", student=child, category="dibao", entry=listed(school, aid_officer, student=child), evidence="recorded until 2026-02-28")
    client.force_login(aid_officer)

    page = client.get(one.get_absolute_url())

    [line] = page.context["compared"]
    assert line.listed == "低保对象名单（低保），2026年3月1日起，现仍有效，见10月期名单（2026年10月12日）"
    assert line.known == "2025年9月1日起，至2026年2月28日"
    assert "登记到2026年2月28日为止" in page.content.decode()


def test_detail_of_a_child_who_is_nowhere_says_how_we_last_knew_him(client, aid_officer, school):
    child = student_at(school)
    child.enrolments.update(ended_on=date(2026, 7, 10), exit_kind="转出", is_present=False, is_registered=False)
    Whereabouts.objects.create(
        county=school.county, student=child, kind="out_of_province", evidence="通话", valid_from=date(2026, 3, 1), valid_to=date(2026, 9, 1), recorded_by=aid_officer
    )
    one = question(school, rule="R08", student=child, entry=listed(school, aid_officer, student=child), evidence="left 2026-07-10; proof until 2026-09-01")
    client.force_login(aid_officer)

    page = client.get(one.get_absolute_url())

    schooling, whereabouts = page.context["compared"]
    assert schooling.known == f"2026年7月10日离开{school.name}（转出），以后没有就读记录"
    assert whereabouts.known == "省外就读，2026年3月1日起，至2026年9月1日（已到期）"
    assert "2026年7月10日离校后没有新的就读记录；去向佐证2026年9月1日到期" in page.content.decode()


def test_the_newest_list_without_the_child_is_named_for_r26(client, aid_officer, school):
    child = student_at(school)
    entry = listed(school, aid_officer, student=child)
    Entry.objects.update(listed_to=date(2026, 10, 31))
    Hardship.objects.create(
        county=school.county, student=child, category="dibao", valid_from=date(2026, 3, 1), register=entry.register, recorded_by=aid_officer
    )
    Snapshot.objects.create(
        county=school.county, register=entry.register, as_of=date(2026, 11, 1), state="closed", file_name="低保.xlsx", sha256="0" * 64, received_by=aid_officer
    )
    one = question(school, rule="R26", student=child, category="dibao", entry=entry, evidence="recorded from 2026-03-01")
    client.force_login(aid_officer)

    [line] = client.get(one.get_absolute_url()).context["compared"]

    assert line.listed == "低保对象名单11月期名单（2026年11月1日）没有本人；原来2026年3月1日起，至2026年10月31日"
    assert line.known == "2026年3月1日起，现仍有效（依据低保对象名单）"


def test_what_is_given_to_me_stands_on_my_desk_and_behind_its_number(client, township_officer, school, world):
    mine = question(school, state="assigned", assigned_to=township_officer, due_in=-1)
    question(school, state="assigned", assigned_to=world.account("township_officer"))
    question(school, state="explained", assigned_to=township_officer)
    client.force_login(township_officer)

    [todo] = [todo for todo in desk.todos(township_officer) if todo.title == "交办给我的问题"]

    assert (todo.count, todo.late, todo.tone) == (1, 1, "red")
    assert list(client.get(todo.url).context["page"].rows) == [mine]


def test_what_a_school_has_answered_waits_for_the_bureau(client, school_clerk, aid_officer, school):
    question(school, rule="R25", office="aid", state="explained")

    assert not [todo for todo in desk.todos(school_clerk) if "应认定" in todo.title]
    assert [todo.count for todo in desk.todos(aid_officer) if "应认定" in todo.title] == [1]


def test_the_supervisor_s_desk_tells_what_each_office_let_pass(client, supervisor, school):
    late = question(school, due_in=-1)
    question(school, rule="R25", office="aid", due_in=-2)
    question(school, due_in=0)
    client.force_login(supervisor)

    todos = {todo.title: todo for todo in desk.todos(supervisor)}

    assert set(todos) == {"乡镇（街道）逾期未办的问题，请督办", "资助中心逾期未办的问题，请督办"}
    assert list(client.get(todos["乡镇（街道）逾期未办的问题，请督办"].url).context["page"].rows) == [late]


def test_questions_of_one_village_are_settled_together(client, township_officer, world):
    """建库期: the stock of old questions is worked off village by village."""
    here, there = student_at(world.school), student_at(world.school)
    Student.objects.filter(pk=here.pk).update(hukou_village=world.village)
    mine, other = question(world.school, student=here), question(world.school, student=there)
    client.force_login(township_officer)
    assert rows(client, rule="R01", village=str(world.village.pk)) == [mine]
    assert rows(client, rule="R01", village="none") == [other]
    address = f"{reverse('students:settle')}?rule=R01&village={world.village.pk}&all=1"

    client.post(address, {"count": 1, "remedy": "explain", "reason": "村里核实，随父母外出"})

    assert set(Discrepancy.objects.filter(state="explained")) == {mine}


def test_a_village_of_another_township_shows_nothing(client, township_officer, world):
    question(world.school)
    client.force_login(township_officer)
    foreign = VillageFactory(township=world.other_township)

    assert rows(client, village=str(foreign.pk)) == []


def test_many_are_given_to_one_person_who_is_told_with_his_place(client, aid_officer, township_officer, world):
    questions = [question(world.school) for _ in range(3)]
    client.force_login(aid_officer)
    ids = "&".join(f"ids={one.pk}" for one in questions)

    offered = client.get(f"{reverse('students:settle')}?{ids}").content.decode()
    settle(client, *questions, remedy="assign", assigned_to=township_officer.pk, reason="请逐户核实")

    assert f"{township_officer}（城关镇 乡镇干部）" in offered
    assert set(Discrepancy.objects.values_list("state", "assigned_to")) == {("assigned", township_officer.pk)}
    assert "交办给我的" in client.get(reverse("students:discrepancies")).content.decode()


def test_nobody_gives_to_a_stranger(client, township_officer, world):
    one = question(world.school)
    stranger = AccountFactory(role="township_officer", at=world.other_township)
    client.force_login(township_officer)

    page = settle(client, one, remedy="assign", assigned_to=stranger.pk)

    assert "assigned_to" in page.context["form"].errors


def test_every_number_of_the_work_list_opens_exactly_its_rows(client, aid_officer, world):
    for school, rule, due_in in ((world.school, "R01", -1), (world.school, "R25", 2), (world.other_school, "R01", 0)):
        question(school, rule=rule, due_in=due_in, office="aid" if rule == "R25" else "township")
    nowhere = question(world.school)
    Discrepancy.objects.filter(pk=nowhere.pk).update(township=None)
    question(world.school, state="closed")
    client.force_login(aid_officer)

    context = client.get(reverse("students:worklist")).context

    counts = {row.place: [(cell.count, cell.late) for cell in row.cells] for row in context["rows"]}
    assert [code for code, _ in context["heads"]] == ["R01", "R25"]
    assert counts == {
        "城关镇": [(1, 1), (1, 0), (2, 1)], "河口乡": [(1, 0), (0, 0), (1, 0)], "未注明": [(1, 0), (0, 0), (1, 0)], "合计": [(3, 1), (1, 0), (4, 1)]
    }  # fmt: skip
    for row in context["rows"]:
        for cell in row.cells:
            page = client.get(f"{reverse('students:discrepancies')}?{cell.query}").context["page"]
            assert page.total == cell.count, (row.place, cell)


def test_the_work_list_of_one_office_and_of_a_school(client, aid_officer, school_clerk, world):
    question(world.school, rule="R25", office="aid")
    question(world.school)
    question(world.other_school)
    address = reverse("students:worklist")
    client.force_login(aid_officer)
    aid = client.get(address, {"office": "aid"}).context["rows"]
    client.force_login(school_clerk)
    mine = client.get(address).context["rows"]

    assert [(row.place, row.cells[-1].count) for row in aid] == [("城关镇", 1), ("合计", 1)]
    assert [(row.place, row.cells[-1].count) for row in mine] == [(world.school.name, 2), ("合计", 2)]
