"""A list that would take too many people off waits for somebody to look at it."""

from datetime import date

import pytest
from django.urls import reverse

from bureau import jobs
from bureau.audit import AuditEvent
from bureau.jobs import Job
from students.actions import registers
from students.intake.known import register_named
from students.models import Entry, Snapshot, StagedEntry
from tests.students.factories import child_name, citizen_id, write_list

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 10), date(2026, 10, 12), date(2026, 11, 12)

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(home, tmp_path, aid_officer):
    """Import a list of children `first` to `last` in the browser's way and let the worker read it."""

    def sent(as_of: date, first: int, last: int, **facts) -> Snapshot:
        path = tmp_path / f"{as_of}.csv"
        people = range(first, last + 1)
        write_list(path, [{"姓名": child_name(n), "证件号码": citizen_id(date(2016, 5, 1), n), "户类型": "脱贫户", "户编号": str(n)} for n in people])
        county = aid_officer.county
        facts = {"township": None, "partial": False} | facts
        snapshot = registers.receive_snapshot(
            file=path, file_name=path.name, register=register_named(county, "poverty"), as_of=as_of, county=county,
            by=aid_officer, **facts,
        )  # fmt: skip
        work()
        snapshot.refresh_from_db()
        return snapshot

    return sent


def work() -> None:
    while job := Job.objects.due().order_by("id").first():
        assert jobs.run(job.pk)


def listed() -> int:
    return Entry.objects.filter(omitted_on=None).count()


@pytest.mark.parametrize(("last", "state"), [(8, "closed"), (7, "held")], ids=["a fifth", "more than a fifth"])
def test_a_list_waits_when_it_takes_off_more_than_the_county_s_share(send, last, state):
    send(SEPTEMBER, 1, 10)

    october = send(OCTOBER, 1, last)

    assert (october.state, october.removed) == (state, 10 - last)
    assert listed() == (10 if state == "held" else last)


def test_the_first_list_has_nobody_to_take_off(send):
    assert send(SEPTEMBER, 1, 2).state == "closed"


def test_a_partial_list_takes_nobody_off(send):
    send(SEPTEMBER, 1, 10)

    assert send(OCTOBER, 1, 2, partial=True).state == "closed"


def test_a_confirmed_list_is_closed_and_says_who_confirmed_it(send, client, aid_officer):
    send(SEPTEMBER, 1, 10)
    held = send(OCTOBER, 1, 2)
    client.force_login(aid_officer)
    assert "有 8 人不再列入" in client.get(held.get_absolute_url()).content.decode()

    client.post(reverse("students:confirm_snapshot", args=[held.pk]))
    client.post(reverse("students:confirm_snapshot", args=[held.pk]))  # twice by a nervous finger
    work()

    held.refresh_from_db()
    assert (held.state, held.confirmed_by, listed()) == ("closed", aid_officer, 2)
    assert AuditEvent.objects.filter(verb="students.list_confirmed").count() == 1


def test_a_list_left_aside_changes_nothing_and_does_not_stand_in_the_way_of_the_next(send, client, aid_officer):
    send(SEPTEMBER, 1, 10)
    held = send(OCTOBER, 1, 2)
    client.force_login(aid_officer)

    client.post(reverse("students:drop_snapshot", args=[held.pk]))

    held.refresh_from_db()
    assert (held.state, listed(), StagedEntry.objects.count()) == ("dropped", 10, 0)
    november = send(NOVEMBER, 1, 9)
    assert (november.state, november.removed, november.same) == ("closed", 1, 9)


def test_whoever_may_not_import_does_not_confirm(send, client, supervisor):
    send(SEPTEMBER, 1, 10)
    held = send(OCTOBER, 1, 2)
    client.force_login(supervisor)

    assert client.post(reverse("students:confirm_snapshot", args=[held.pk])).status_code == 403
