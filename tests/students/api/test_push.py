"""A list pushed in chunks becomes the list an upload would have been; what is answered is about the sender's own rows."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from bureau import jobs, secrecy
from bureau.jobs import Job
from students.actions import exchange
from students.models import Delivery, DeliveryChunk, Entry, ExchangeRequest, Snapshot
from tests.students.api.conftest import work
from tests.students.factories import StudentFactory, child_name, citizen_id

BORN = date(2016, 5, 1)


def row(n: int, **cells) -> dict:
    return {"姓名": child_name(n), "证件号码": citizen_id(BORN, n), "救助证号": f"D{n:04}"} | cells


def rows(first: int, last: int) -> list[dict]:
    return [row(n) for n in range(first, last + 1)]


def test_pushed_list_is_read_compared_and_linked_like_an_uploaded_one(system, office):
    for n in (1, 2):
        StudentFactory(name=child_name(n), born=BORN, number=citizen_id(BORN, n))
    uploaded = office.list("dibao", rows(1, 6), on=date(2026, 9, 10))

    told = system.state(system.push("dibao", rows(2, 7), chunk=4))

    assert told["state"] == "closed"
    assert (told["counts"]["added"], told["counts"]["removed"], told["counts"]["same"]) == (1, 1, 5)
    assert told["verdicts"] == {"linked": 1, "proposed": 0, "unlinked": 5}
    pushed = Snapshot.objects.exclude(pk=uploaded.pk).get()
    assert (pushed.register.name, pushed.received_from, str(pushed.received_by)) == ("dibao", "县民政局", "数据交换")


def test_rows_are_told_by_their_place_with_verdict_and_codes_and_nothing_else(system):
    StudentFactory(name=child_name(1), born=BORN, number=citizen_id(BORN, 1))
    broken = row(2, 证件号码=citizen_id(BORN, 2)[:-1] + "0")
    nameless = {"姓名": "", "证件号码": "", "救助证号": "D9"}

    key = system.push("dibao", [row(1), broken, nameless, row(3)])

    answer = system.get(f"/snapshots/{key}/rows").json()
    assert answer["next_after"] is None
    assert [(item["row"], item["verdict"]) for item in answer["items"]] == [
        (1, "linked"), (2, "unlinked"), (3, None), (4, "unlinked")
    ]  # fmt: skip
    assert answer["items"][0]["problems"] == [] and answer["items"][1]["problems"] == ["id_checksum"]
    assert set(answer["items"][0]) == {"row", "verdict", "problems"}


def test_rows_are_paged_and_chosen_by_verdict(system):
    for n in (1, 4):
        StudentFactory(name=child_name(n), born=BORN, number=citizen_id(BORN, n))
    key = system.push("dibao", rows(1, 5))

    assert system.verdicts(key, "?verdict=linked") == {1: "linked", 4: "linked"}
    first = system.get(f"/snapshots/{key}/rows?limit=2").json()
    assert [item["row"] for item in first["items"]] == [1, 2] and first["next_after"] == 2
    assert list(system.verdicts(key, "?limit=2&after=2")) == [3, 4]
    last = system.get(f"/snapshots/{key}/rows?limit=2&after=4").json()
    assert [item["row"] for item in last["items"]] == [5] and last["next_after"] is None


def test_problems_name_the_pushed_row_and_are_paged(system):
    wrong = [row(n, 证件号码="123") for n in range(1, 4)]
    key = system.push("dibao", wrong)

    first = system.get(f"/snapshots/{key}?limit=2").json()["problems"]

    assert (first["count"], first["next_offset"]) == (3, 2)
    assert [(p["row"], p["column"], p["code"]) for p in first["items"]] == [(1, "证件号码", "id_length"), (2, "证件号码", "id_length")]
    rest = system.get(f"/snapshots/{key}?limit=2&offset=2").json()["problems"]
    assert [p["row"] for p in rest["items"]] == [3] and rest["next_offset"] is None


def test_verdicts_are_those_of_today_not_of_the_import(system):
    key = system.push("dibao", [row(1)])
    assert system.verdicts(key) == {1: "unlinked"}

    student = StudentFactory(name=child_name(1), born=BORN)
    Entry.objects.update(person=student.person, link_state="linked")

    assert system.verdicts(key) == {1: "linked"}


def test_same_rows_pushed_again_are_the_same_list(system):
    first = system.push("dibao", rows(1, 5), chunk=2)
    again = system.push("dibao", rows(1, 5), chunk=5)

    assert first != again and Snapshot.objects.count() == 1
    assert system.state(again)["state"] == "closed" and system.verdicts(again) == system.verdicts(first)


def test_chunks_may_come_in_any_order(system):
    key = system.open("dibao")
    for sequence in (2, 1):
        system.post(f"/snapshots/{key}/rows", {"sequence": sequence, "rows": [row(sequence, **{f"其他{sequence}": "甲"})]})
    system.post(f"/snapshots/{key}/close")
    straight = system.open("dibao")
    for sequence in (1, 2):
        system.post(f"/snapshots/{straight}/rows", {"sequence": sequence, "rows": [row(sequence, **{f"其他{sequence}": "甲"})]})
    system.post(f"/snapshots/{straight}/close")
    work()

    assert Snapshot.objects.count() == 1 and Entry.objects.count() == 2


def test_chunk_sent_again_is_answered_the_same_and_counts_once(system):
    key = system.open("dibao")
    body = {"sequence": 1, "rows": rows(1, 3)}

    answers = [system.post(f"/snapshots/{key}/rows", body) for _ in range(2)]

    assert [(a.status_code, a.json()) for a in answers] == [(200, {"sequence": 1, "rows": 3})] * 2
    assert system.state(key)["received_rows"] == 3


def test_other_rows_under_the_same_number_are_refused(system):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(1)]})

    answer = system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(2)]})

    assert (answer.status_code, answer.json()["code"]) == (409, "other_rows")
    assert system.state(key)["received_rows"] == 1


@pytest.mark.parametrize(
    ("sequences", "said", "code"),
    [([], None, "no_rows"), ([1, 3], None, "missing_chunks"), ([2], None, "missing_chunks"), ([1, 2], 3, "other_count")],
)
def test_list_that_is_not_complete_is_not_closed(system, sequences, said, code):
    key = system.open("dibao")
    for sequence in sequences:
        system.post(f"/snapshots/{key}/rows", {"sequence": sequence, "rows": [row(sequence)]})

    answer = system.post(f"/snapshots/{key}/close", {"rows": said} if said else {})

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert system.state(key)["state"] == "open" and not Job.objects.exists()


def test_closed_list_takes_no_more_and_closing_again_changes_nothing(system):
    key = system.push("dibao", rows(1, 2))

    again = system.post(f"/snapshots/{key}/close")
    more = system.post(f"/snapshots/{key}/rows", {"sequence": 2, "rows": [row(3)]})

    assert (again.status_code, again.json()["state"]) == (202, "closed")
    assert (more.status_code, more.json()["code"]) == (409, "closed")
    assert Job.objects.filter(kind="students.gather_pushed").count() == 1


def test_closing_answers_with_the_job_and_the_state_follows_it(system):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(1)]})

    answer = system.post(f"/snapshots/{key}/close").json()

    gathering = Job.objects.get(kind="students.gather_pushed")
    assert (answer["state"], answer["job"]["id"], answer["job"]["state"]) == ("waiting", str(gathering.pk), "queued")
    assert system.get(f"/snapshots/{key}/rows").status_code == 409
    jobs.run(gathering.pk)
    assert system.state(key)["state"] == "reading"
    work()
    assert system.state(key)["state"] == "closed"


def test_broken_off_work_starts_again_when_the_list_is_closed_again(system):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(1)]})
    system.post(f"/snapshots/{key}/close")
    Job.objects.update(state=Job.State.FAILED)
    assert system.state(key)["state"] == "stopped"

    system.post(f"/snapshots/{key}/close")
    Job.objects.filter(state=Job.State.FAILED).delete()
    work()

    assert system.state(key)["state"] == "closed"


def test_list_whose_headers_nobody_knows_is_refused_with_the_reason(system):
    told = system.state(system.push("dibao", [{"甲": "1", "乙": "2"}]))

    assert told["state"] == "refused" and told["file_error"]["code"] in ("no_header", "missing_column")
    assert told["counts"] is None and told["verdicts"] is None


def test_cells_are_kept_as_they_were_sent(system):
    remark = "=1+1，含逗号,引号\"和\n换行；以及 @符号"
    key = system.push("dibao", [row(1, 备注说明=remark, 月保障金额=12.5, 人口数=3, 重残=True, 电话=None)])

    assert system.state(key)["counts"]["accepted"] == 1
    entry = Entry.objects.get()
    kept = json.loads(secrecy.open_sealed(entry.payload_sealed, field="payload", value_id=entry.row_uuid))
    assert (kept["备注说明"], kept["月保障金额"], kept["人口数"], kept["重残"]) == (remark.replace("\n", " "), "12.5", "3", "是")


def test_a_row_of_full_width_commas_does_not_become_columns(system):
    key = system.push("dibao", [row(n, 家庭住址="东街，西街，南街，北街，1号") for n in range(1, 30)])

    assert system.state(key)["counts"]["accepted"] == 29


def test_township_list_ends_only_the_stays_of_its_township(system, world):
    system.push("dibao", rows(1, 2), as_of="2026-09-10")
    key = system.push("dibao", [row(3)], scope=world.township.code)

    assert system.state(key)["counts"]["removed"] == 0
    assert Snapshot.objects.get(as_of=date(2026, 10, 12)).township == world.township


def test_partial_list_ends_no_stay(system):
    system.push("dibao", rows(1, 2), as_of="2026-09-10")

    told = system.state(system.push("dibao", [row(3)], partial=True))

    assert (told["partial"], told["counts"]["removed"], told["counts"]["added"]) == (True, 0, 1)


def test_list_that_takes_off_too_many_waits_for_the_bureau(system):
    system.push("dibao", rows(1, 10), as_of="2026-09-10")

    key = system.push("dibao", rows(1, 2))

    assert system.state(key)["state"] == "held" and system.get(f"/snapshots/{key}/rows").status_code == 409


@pytest.mark.parametrize(
    ("days", "status"), [(0, 201), (1, 422)], ids=["today", "tomorrow"]
)
def test_list_of_a_day_to_come_is_refused(system, days, status):
    day = timezone.localdate() + timedelta(days=days)

    answer = system.post("/registers/dibao/snapshots", {"as_of": day.isoformat()})

    assert answer.status_code == status


def test_waiting_rows_lie_sealed_and_are_gone_when_the_list_is_a_file(system, home):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(1)]})

    sealed = bytes(DeliveryChunk.objects.get().sealed)
    number = citizen_id(BORN, 1).encode()
    assert number not in sealed and child_name(1).encode() not in sealed

    system.post(f"/snapshots/{key}/close")
    work()
    assert not DeliveryChunk.objects.exists()
    plain = [path for path in Path(home).rglob("*") if path.is_file() and number in path.read_bytes()]
    assert plain == []


@pytest.mark.parametrize(("hours", "left"), [(-1, 1), (1, 0)], ids=["just under seven days", "just over seven days"])
def test_rows_nobody_closes_are_thrown_away_after_a_week(system, hours, left):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [row(1)]})
    Delivery.objects.update(touched_at=timezone.now() - timedelta(days=7, hours=hours))

    exchange.purge()

    assert DeliveryChunk.objects.count() == left
    assert system.state(key)["state"] == ("open" if left else "abandoned")
    pushed = system.post(f"/snapshots/{key}/rows", {"sequence": 2, "rows": [row(2)]})
    assert pushed.status_code == (200 if left else 409)


def test_a_read_list_is_never_thrown_away(system):
    key = system.push("dibao", rows(1, 2))
    Delivery.objects.update(touched_at=timezone.now() - timedelta(days=100))

    assert exchange.purge() == 0 and system.state(key)["state"] == "closed"


def test_an_office_cannot_leave_lists_open_without_end(system, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_OPEN", 2)
    for _ in range(2):
        system.open("dibao")

    answer = system.post("/registers/dibao/snapshots", {"as_of": "2026-10-12"})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_open")


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)], ids=["as many as a file holds", "one more"])
def test_list_beyond_what_a_file_holds_is_refused(system, monkeypatch, more, status):
    monkeypatch.setattr("students.sheets.columns.RegisterSheet.max_rows", 5)
    key = system.open("dibao")

    answer = system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": rows(1, 4 + more)})

    assert answer.status_code == status


def test_log_tells_each_request_and_no_content(system):
    key = system.push("dibao", rows(1, 3))

    told = list(ExchangeRequest.objects.order_by("pk").values_list("method", "path", "status", "rows"))

    assert told == [
        ("POST", "/api/v1/registers/dibao/snapshots", 201, 0),
        ("POST", f"/api/v1/snapshots/{key}/rows", 200, 3),
        ("POST", f"/api/v1/snapshots/{key}/close", 202, 0),
    ]
    assert all(request.token == system.token for request in ExchangeRequest.objects.select_related("token"))


def test_old_requests_are_forgotten(system):
    system.get("/registers")
    ExchangeRequest.objects.update(at=timezone.now() - timedelta(days=exchange.DAYS_OF_REQUESTS + 1))
    system.get("/registers")

    exchange.purge()

    assert ExchangeRequest.objects.count() == 1


def test_registers_tell_the_newest_day_whoever_sent_it(system, office):
    office.list("dibao", rows(1, 2), on=date(2026, 9, 10))
    system.push("tekun", [{"姓名": "张三", "身份证号": citizen_id(BORN, 9)}], as_of="2026-10-12")

    items = system.get("/registers").json()["items"]

    assert {item["name"]: item["newest_as_of"] for item in items} == {"dibao": "2026-09-10", "tekun": "2026-10-12"}
    assert all("姓名" in "".join(item["headers"]) for item in items)


def test_gathering_twice_makes_one_list(system):
    key = system.push("dibao", rows(1, 2))
    delivery = Delivery.objects.get(pk=key)

    jobs.run_now("students.gather_pushed", by=None, county=delivery.county, delivery=delivery.pk)

    assert Snapshot.objects.count() == 1
