"""上报安排: windows, locks, who has delivered and who has not, 催办, and asking to be let in again."""

import io
from datetime import date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from bureau.audit.models import AuditEvent
from bureau.desk import todos
from bureau.organisation.models import Stage
from students.actions import collecting, rosters, undoing
from students.actions.refusals import Locked, NotApplicable
from students.models import Collection, Enrolment, Roster, UnlockRequest
from tests.commands import run
from tests.factories import SchoolFactory
from tests.samples import collection_of
from tests.students.factories import citizen_id, codes


def pupil(n: int, grade: str = "三年级", **more) -> dict:
    born = date(2016, 5, 1 + n) if grade[0] in "一二三" else date(2012, 6, 1 + n)
    return {"姓名": "赵钱孙李"[n % 4] + "小明", "身份证号": citizen_id(born, 1), "年级": grade, "班级": "1班"} | more


def locked(county, by, **facts) -> Collection:
    collection = collection_of(county, **facts)
    collecting.lock_collection(collection=collection, by=by)
    return collection


def let_in(collection, school, by, *, until: date) -> UnlockRequest:
    asked = collecting.ask_to_unlock(collection=collection, school=school, reason="转入三人", by=by)
    return collecting.answer_unlock(request=asked, granted=True, until_on=until, answer="", by=by)


@pytest.fixture
def today(monkeypatch):
    """Set the day the actions and pages see."""

    def set_to(day: date) -> None:
        moment = timezone.make_aware(datetime(day.year, day.month, day.day, 9))
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    return set_to


# Locks


def test_nothing_is_stored_of_a_file_for_a_locked_school(office, school, county, aid_officer):
    locked(county, aid_officer)

    with pytest.raises(Locked, match="已锁定"):
        office.roll([pupil(1)], school=school)

    assert not Roster.objects.exists()


def test_command_is_refused_before_anything_is_stored(office, school, county, term, aid_officer):
    locked(county, aid_officer)
    file = office.file([pupil(1)])

    outcome = run("import_roster", file, "--school", school.code, "--term", term.code, "--apply")

    assert (outcome.status, outcome.result["error"]["code"]) == (2, "locked")
    assert not Roster.objects.exists()


def test_other_kind_other_stage_and_other_term_stay_open(office, school, county, aid_officer):
    locked(county, aid_officer, kind="aid")
    locked(county, aid_officer, stage=Stage.JUNIOR)

    assert office.roll([pupil(1)], school=school).accepted == 1


def test_roll_that_was_read_before_the_lock_cannot_be_applied_after_it(office, school, county, aid_officer):
    roster = office.roll([pupil(1)], school=school)
    locked(county, aid_officer)

    with pytest.raises(NotApplicable) as refused:
        rosters.apply_roster(roster=roster, by=aid_officer)

    roster.refresh_from_db()
    assert (refused.value.code, roster.status) == ("locked", Roster.State.STAGED)
    assert not Enrolment.objects.exists()


def test_roll_applied_before_the_lock_cannot_be_undone_after_it(office, school, county, aid_officer):
    roster = office.enrol([pupil(1)], school=school)
    locked(county, aid_officer)

    with pytest.raises(Locked, match="已锁定"):
        undoing.undo_roster(roster=roster, by=aid_officer, reason="传错了")

    assert Enrolment.objects.filter(is_present=True).exists()


def test_applied_roll_sent_again_after_the_lock_is_the_same_roll(office, school, county, aid_officer):
    file = office.file([pupil(1)])
    roster = office.enrol(file, school=school)
    locked(county, aid_officer)

    assert office.roll(file, school=school) == roster


@pytest.mark.parametrize(
    ("day", "open_"), [(date(2026, 9, 25), True), (date(2026, 9, 26), False)], ids=["last day", "the day after"]
)
def test_school_that_was_let_in_may_send_until_the_last_day(office, school, world, aid_officer, today, day, open_):
    let_in(locked(world.county, aid_officer), school, aid_officer, until=date(2026, 9, 25))
    today(day)

    if open_:
        assert office.enrol([pupil(1)], school=school).status == Roster.State.APPLIED
    else:
        with pytest.raises(Locked):
            office.roll([pupil(1)], school=school)
    with pytest.raises(Locked):  # and nobody else
        office.roll([pupil(2)], school=world.center_school)


def test_rows_of_locked_schools_in_a_file_of_many_are_errors_and_the_others_go_in(office, world, aid_officer):
    let_in(locked(world.county, aid_officer), world.school, aid_officer, until=date(2099, 1, 1))
    rows = [pupil(1, 学校标识码=world.school.code), pupil(2, 学校标识码=world.other_school.code)]

    roster = office.roll(rows)
    assert (roster.accepted, roster.rejected, codes(roster, "error")) == (1, 1, ["locked"])

    rosters.apply_roster(roster=roster, by=aid_officer, accept_good=True)
    assert list(Enrolment.objects.values_list("school", flat=True)) == [world.school.pk]


def test_file_of_many_schools_is_refused_at_once_where_nobody_may_send(office, world, aid_officer):
    locked(world.county, aid_officer)

    with pytest.raises(Locked):
        office.roll([pupil(1, 学校标识码=world.school.code)])


def test_school_of_two_stages_sends_the_open_one_and_the_locked_one_is_not_touched(office, township, county, aid_officer):
    both = SchoolFactory(township=township, stages=[Stage.PRIMARY, Stage.JUNIOR])
    primary, junior = pupil(1), pupil(2, "八年级")
    office.enrol([primary, junior], school=both)
    locked(county, aid_officer, stage=Stage.PRIMARY)

    roster = office.roll([junior | {"班级": "2班"}], school=both)
    assert (roster.changed, roster.absent) == (1, 0)  # the primary child is not absent: nothing was asked of him

    with_primary = office.roll([primary | {"班级": "9班"}, junior], school=both)
    assert codes(with_primary, "error") == ["locked"]
    rosters.apply_roster(roster=roster, by=aid_officer)
    assert set(Enrolment.objects.values_list("class_name", flat=True)) == {"1班", "2班"}


def test_special_school_is_closed_by_the_lock_of_its_own_stage(office, township, county, aid_officer):
    special = SchoolFactory(township=township, stages=[Stage.SPECIAL])
    locked(county, aid_officer, stage=Stage.PRIMARY)
    assert office.roll([pupil(1)], school=special).accepted == 1

    locked(county, aid_officer, stage=Stage.SPECIAL)
    with pytest.raises(Locked):
        office.roll([pupil(2)], school=special)


def test_locking_twice_is_one_lock_and_one_line_of_the_audit(county, aid_officer):
    collection = collection_of(county)

    assert collecting.lock_collection(collection=collection, by=aid_officer)
    assert not collecting.lock_collection(collection=collection, by=aid_officer)
    assert collecting.unlock_collection(collection=collection, by=aid_officer)

    verbs = AuditEvent.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["students.collection_locked", "students.collection_unlocked"]


# The page of uploads


def upload(client, school, term, rows="姓名,身份证号\n"):
    file = SimpleUploadedFile("一年级.csv", rows.encode())
    return client.post(reverse("students:upload_roster"), {"file": file, "kind": "roll", "term": term.pk})


def test_refused_upload_tells_the_reason_and_offers_to_ask(client, school_clerk, aid_officer, school, county, term):
    collection = locked(county, aid_officer)
    client.force_login(school_clerk)

    answer = upload(client, school, term)

    page = answer.content.decode()
    assert answer.status_code == 409 and "已锁定" in page
    assert reverse("students:ask_to_unlock", args=[collection.pk]) in page
    assert not Roster.objects.exists()


@pytest.mark.parametrize(
    ("day", "words"),
    [(date(2026, 8, 31), "来得早"), (date(2026, 9, 20), ""), (date(2026, 9, 21), "将标为迟报")],
    ids=["before the window", "the closing day", "the day after"],
)
def test_upload_outside_the_window_is_taken_and_told(client, office, school_clerk, school, county, today, day, words):
    collection_of(county)
    today(day)
    roster = office.roll([pupil(1)], school=school)
    client.force_login(school_clerk)

    page = client.get(roster.get_absolute_url()).content.decode()

    assert roster.status == Roster.State.STAGED
    assert words in page
    assert bool(words) == ("来得早" in page or "迟报" in page)


# Who has delivered


@pytest.fixture
def standing(office, world, today) -> Collection:
    """Of three schools one delivered, one late roll is waiting to be confirmed, one owes."""
    collection = collection_of(world.county)
    today(date(2026, 9, 20))
    office.enrol([pupil(1)], school=world.school)
    today(date(2026, 9, 21))
    office.roll([pupil(2)], school=world.center_school)
    return collection


def test_page_counts_every_school_once_and_lists_those_behind_each_number(client, aid_officer, world, standing):
    client.force_login(aid_officer)
    url = standing.get_absolute_url()

    tally = client.get(url).context["tally"]
    assert (tally.asked, tally.delivered, tally.late, tally.staged, tally.missing) == (3, 1, 0, 1, 1)
    for state, count in [("delivered", 1), ("late", 0), ("staged", 1), ("missing", 1), ("owed", 2)]:
        assert len(client.get(url, {"state": state}).context["rows"]) == count
    narrowed = client.get(url, {"state": "missing", "township": world.township.pk})
    assert not narrowed.context["rows"]
    assert [place.tally.asked for place in client.get(url).context["places"]] == [2, 1]


def test_roll_applied_in_time_but_sent_after_the_closing_day_is_late(client, office, world, standing, aid_officer):
    rosters.apply_roster(roster=Roster.objects.get(school=world.center_school), by=aid_officer)
    client.force_login(aid_officer)

    tally = client.get(standing.get_absolute_url()).context["tally"]

    assert (tally.delivered, tally.late) == (2, 1)


def test_correction_sent_late_does_not_make_a_delivery_late(client, office, world, standing, aid_officer):
    office.enrol([pupil(1), pupil(3)], school=world.school)  # on the day after
    client.force_login(aid_officer)

    assert client.get(standing.get_absolute_url()).context["tally"].late == 0


def test_school_sees_its_own_standing_only(client, school_clerk, standing):
    client.force_login(school_clerk)

    assert client.get(standing.get_absolute_url()).context["tally"].asked == 1


def test_collection_of_a_stage_asks_only_schools_of_it_that_are_open(client, aid_officer, world):
    SchoolFactory(township=world.township, stages=[Stage.JUNIOR], name="城关中学")
    SchoolFactory(township=world.township, stages=[Stage.JUNIOR], closed_on=date(2026, 8, 31))
    client.force_login(aid_officer)

    page = client.get(collection_of(world.county, stage=Stage.JUNIOR).get_absolute_url())

    assert [row.school.name for row in page.context["rows"]] == ["城关中学"]


def test_reminder_names_the_owing_schools_by_centre_and_the_deadline(client, aid_officer, world, standing):
    client.force_login(aid_officer)

    text = client.get(reverse("students:remind", args=[standing.pk])).context["text"]

    assert "应于2026年9月20日（含）前上报，现已过截止日期" in text
    assert "【河口乡】1 所：河口乡中心校。" in text
    assert "城关镇中心校（已上传，请确认入库）" in text
    assert world.school.name not in text


def test_owed_schools_are_exported(client, aid_officer, standing):
    client.force_login(aid_officer)

    answer = client.get(reverse("students:export_owed", args=[standing.pk]))

    [head, *rows] = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active.values
    assert head[-1] == "状态"
    assert sorted(row[3] for row in rows) == ["城关镇中心校", "河口乡中心校"]


# The bureau's forms


def test_bureau_declares_a_collection(client, aid_officer, county, term):
    client.force_login(aid_officer)
    given = {"term": term.pk, "kind": "roll", "stage": "", "opens_on": "2026-9-1", "closes_on": "2026年9月20日"}

    client.post(reverse("students:add_collection"), given)

    made = Collection.objects.get()
    assert (made.county, made.term, made.closes_on) == (county, term, date(2026, 9, 20))


@pytest.mark.parametrize(
    ("given", "told"),
    [({"closes_on": "2026-08-31"}, "不能早于"), ({}, "已经有上报安排")],
    ids=["ends before it begins", "declared twice"],
)
def test_impossible_collection_is_refused_beside_the_field(client, aid_officer, county, term, given, told):
    collection_of(county)
    client.force_login(aid_officer)
    right = {"term": term.pk, "kind": "roll", "stage": "", "opens_on": "2026-09-01", "closes_on": "2026-09-20"}

    page = client.post(reverse("students:add_collection"), right | given)

    assert told in page.content.decode()
    assert Collection.objects.count() == 1


def test_school_may_not_lock(client, school_clerk, county):
    client.force_login(school_clerk)

    assert client.post(reverse("students:lock_collection", args=[collection_of(county).pk])).status_code == 403


# Asking to be let in


def test_school_asks_bureau_grants_and_both_desks_show_it(client, school_clerk, aid_officer, school, county, term):
    collection = locked(county, aid_officer)
    client.force_login(school_clerk)
    client.post(reverse("students:ask_to_unlock", args=[collection.pk]), {"reason": "转入三名学生"})
    asked = UnlockRequest.objects.get()
    assert asked.school == school
    assert [todo.count for todo in todos(aid_officer) if todo.title == "解锁申请待答复"] == [1]

    client.force_login(aid_officer)
    day = timezone.localdate().isoformat()
    client.post(reverse("students:answer_unlock", args=[asked.pk]), {"granted": "yes", "until_on": day})

    assert any(todo.title.startswith("已同意解锁") for todo in todos(school_clerk))
    assert not any(todo.title == "解锁申请待答复" for todo in todos(aid_officer))
    client.force_login(school_clerk)
    assert upload(client, school, term).status_code == 302
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"students.unlock_asked", "students.unlock_granted"} <= verbs


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"granted": "yes"}, "请填写开放到哪一天"),
        ({"granted": "yes", "until_on": "2020-01-01"}, "今天或以后"),
        ({"granted": "no"}, "请写明原因"),
        ({}, "请选择是否同意"),
    ],
    ids=["no day", "a day gone by", "refused without words", "no answer"],
)
def test_answer_must_be_complete(client, aid_officer, school, county, given, told):
    collection = locked(county, aid_officer)
    asked = collecting.ask_to_unlock(collection=collection, school=school, reason="转入三人", by=aid_officer)
    client.force_login(aid_officer)

    page = client.post(reverse("students:answer_unlock", args=[asked.pk]), given)

    asked.refresh_from_db()
    assert told in page.content.decode() and asked.granted is None


def test_asking_twice_and_answering_twice_are_refused(county, school, aid_officer):
    collection = locked(county, aid_officer)
    asked = collecting.ask_to_unlock(collection=collection, school=school, reason="转入三人", by=aid_officer)

    with pytest.raises(NotApplicable, match="已经申请"):
        collecting.ask_to_unlock(collection=collection, school=school, reason="再次申请", by=aid_officer)
    answer = {"request": asked, "granted": False, "until_on": None, "answer": "下学期再改", "by": aid_officer}
    collecting.answer_unlock(**answer)
    with pytest.raises(NotApplicable, match="已经答复"):
        collecting.answer_unlock(**answer)


def test_desk_tells_the_school_what_it_owes_and_by_when(school_clerk, county, today):
    collection_of(county)
    today(date(2026, 9, 19))

    [todo] = [todo for todo in todos(school_clerk) if "应上报" in todo.title]

    assert (todo.count, todo.due_on, todo.tone) == (1, date(2026, 9, 20), "amber")
    assert not any("还没有上传" in todo.title for todo in todos(school_clerk))
