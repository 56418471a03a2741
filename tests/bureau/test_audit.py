"""The audit log: written with the action, sealed in one chain, every tampering found; and who saw which child."""

import random
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone

from bureau import audit
from bureau.access.models import Account, Assignment
from bureau.access.roles import Role
from bureau.audit import guards, sealing
from bureau.audit.middleware import AccessLogMiddleware
from bureau.audit.models import AccessLog, AuditEvent
from bureau.keys import uuid7
from bureau.organisation.models import County

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def county() -> County:
    return County.objects.create(code="990101", name="云岭县")


@pytest.fixture
def officer(county) -> Account:
    return Account.objects.create(username="officer", county=county)


@pytest.fixture
def sealed_log(officer, django_capture_on_commit_callbacks):
    """`sealed_log(n)`: n events, sealed, as after a commit."""

    def write(count: int) -> None:
        for number in range(count):
            audit.record(by=officer, verb="tests.counted", subject=officer, detail={"rows": number})
        with django_capture_on_commit_callbacks(execute=True):
            assert audit.seal() == count

    return write


@pytest.fixture
def unguarded(db) -> None:
    """Somebody who owns the database can take PostgreSQL's triggers away first."""
    if connection.vendor == "postgresql":
        with connection.schema_editor() as editor:
            guards.backwards(None, editor)


# Recording.


def test_action_is_recorded_with_who_what_and_how_many(officer, county):
    batch = uuid4()
    audit.record(
        by=officer,
        verb="rosters.applied",
        subject=county,
        detail={"new": 3, "on": date(2026, 9, 1), "codes": ["R01"]},
        batch=batch,
    )

    event = AuditEvent.objects.about(county).get()
    assert (event.by, event.county, event.verb, event.batch) == (officer, county, "rosters.applied", batch)
    assert event.detail == {"new": 3, "on": "2026-09-01", "codes": ["R01"]}
    assert audit.verify()["first_fault"] is None


@pytest.mark.parametrize("detail", [{"share": 0.5}, {"notes": "长" * 201}, {"who": object()}])
def test_detail_takes_counts_and_codes_only(officer, detail):
    with pytest.raises(TypeError):
        audit.record(by=officer, verb="tests.counted", detail=detail)


def test_action_that_fails_leaves_no_event(officer):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(by=officer, verb="tests.counted")
        raise ZeroDivisionError

    assert not AuditEvent.objects.exists()


def test_auditor_sees_the_events_of_his_county_and_others_see_none(officer, county):
    auditor = Account.objects.create(username="auditor", county=county)
    Assignment.objects.create(account=auditor, county=county, role=Role.AUDITOR)
    elsewhere = County.objects.create(code="990102", name="邻县")
    here = audit.record(by=officer, verb="tests.counted")
    audit.record(by=officer, verb="tests.counted", county=elsewhere)

    assert list(AuditEvent.objects.visible_to(auditor)) == [here]
    assert not AuditEvent.objects.visible_to(officer).exists()


# Sealing.


def test_seals_are_numbered_without_gaps_and_new_events_go_on_the_end(sealed_log):
    sealed_log(5)
    sealed_log(3)

    assert list(AuditEvent.objects.sealed().values_list("seal_no", flat=True)) == list(range(1, 9))
    assert audit.seal() == 0
    assert audit.verify() == {"checked": 8, "unsealed": 0, "head": str(audit.head()), "first_fault": None}


@pytest.mark.usefixtures("unguarded")
def test_event_committed_late_is_sealed_after_those_that_overtook_it(officer, sealed_log):
    late = audit.record(by=officer, verb="tests.counted")
    AuditEvent.objects.filter(pk=late.pk).delete()  # not visible yet to the sealer
    sealed_log(2)
    late.save(force_insert=True)
    audit.seal()

    assert AuditEvent.objects.get(pk=late.pk).seal_no == 3
    assert audit.verify()["first_fault"] is None


def test_log_stays_verifiable_when_the_suite_changes(officer, sealed_log):
    sealed_log(2)
    with override_settings(BUREAU_SUITE="gm"):
        sealed_log(2)
        assert audit.verify()["first_fault"] is None

    assert audit.verify()["first_fault"] is None


def test_log_of_many_rounds_is_one_chain(sealed_log, monkeypatch):
    monkeypatch.setattr(sealing, "ROWS_PER_ROUND", 7)
    sealed_log(30)

    assert audit.verify()["checked"] == 30


# Tampering. What is done here is done in SQL by somebody who has the database but not the keys.


def edit(victim: int) -> None:
    column, value = random.choice(
        [
            ("verb", "tests.other"),
            ("detail", {"rows": 9999}),
            ("at", timezone.now() - timedelta(days=3)),
            ("subject_id", str(uuid4())),
            ("by_id", None),
            ("county_id", None),
            ("batch", uuid4()),
            ("mac", b"\x01" + bytes(32)),
            ("nonce", uuid4()),
        ]
    )
    AuditEvent.objects.filter(seal_no=victim).update(**{column: value})


def delete(victim: int) -> None:
    AuditEvent.objects.filter(seal_no=victim).delete()


def delete_and_renumber(victim: int) -> None:
    delete(victim)
    for event in AuditEvent.objects.sealed().filter(seal_no__gt=victim):
        AuditEvent.objects.filter(pk=event.pk).update(seal_no=event.seal_no - 1)


def insert_a_copy(victim: int) -> None:
    event = AuditEvent.objects.get(seal_no=victim)
    event.pk, event.seal_no, event.seal, event.nonce = None, None, None, uuid7()
    event.save(force_insert=True)


def insert_an_invention(victim: int) -> None:
    AuditEvent.objects.create(at=timezone.now(), verb="tests.counted", detail={}, mac=b"\x01" + bytes(32))


def swap(victim: int) -> None:
    one = AuditEvent.objects.get(seal_no=victim)
    other = AuditEvent.objects.exclude(seal_no=victim).order_by("?").first()
    numbers = one.seal_no, other.seal_no
    for event, number in [(one, -1), (other, numbers[0]), (one, numbers[1])]:
        AuditEvent.objects.filter(pk=event.pk).update(seal_no=number)


def unseal(victim: int) -> None:
    AuditEvent.objects.filter(seal_no=victim).update(seal_no=None, seal=None)


def cut_off_the_end(victim: int) -> None:
    AuditEvent.objects.filter(seal_no__gte=victim).delete()


def cut_off_and_go_on(victim: int) -> None:
    officer = Account.objects.get(username="officer")
    cut_off_the_end(victim)
    for _ in range(40):
        audit.record(by=officer, verb="tests.counted")
    audit.seal()


TAMPERINGS = [
    edit, delete, delete_and_renumber, insert_a_copy, insert_an_invention, swap, unseal, cut_off_the_end,
    cut_off_and_go_on,
]  # fmt: skip


@pytest.mark.usefixtures("unguarded")
@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda function: function.__name__)
def test_every_tampering_is_found(sealed_log, tamper):
    """Twelve random victims each, more than a hundred in all, each from the same intact log of 40."""
    sealed_log(40)
    for victim in random.sample(range(1, 41), 12):
        before = transaction.savepoint()
        tamper(victim)
        fault = audit.verify()["first_fault"]
        transaction.savepoint_rollback(before)

        assert fault, f"{tamper.__name__} of {victim}"
        if tamper in (edit, delete, unseal, cut_off_the_end):
            assert fault["seal_no"] == victim

    assert audit.verify()["first_fault"] is None


@pytest.mark.usefixtures("unguarded")
def test_old_copy_of_database_and_file_is_found_by_the_head_on_paper(sealed_log, home):
    sealed_log(10)
    old_file = (home / "audit-heads.txt").read_bytes()
    sealed_log(5)
    paper = audit.head()
    AuditEvent.objects.filter(seal_no__gt=10).delete()
    (home / "audit-heads.txt").write_bytes(old_file)

    assert audit.verify()["first_fault"] is None
    assert audit.verify(paper)["first_fault"]["code"] == "cut_off"


def test_line_of_the_heads_file_cut_short_by_a_crash_is_no_fault(sealed_log, home):
    sealed_log(3)
    with (home / "audit-heads.txt").open("a") as file:
        file.write("4:0102")

    assert audit.verify()["first_fault"] is None


# The command.


def test_command_tells_a_program_that_the_log_is_intact(sealed_log, capsys):
    sealed_log(3)
    call_command("verify_audit", "--json")

    assert '"checked": 3' in capsys.readouterr().out


@pytest.mark.usefixtures("unguarded")
def test_command_ends_with_status_1_when_it_finds_a_fault(sealed_log, capsys):
    sealed_log(3)
    delete(2)
    with pytest.raises(SystemExit) as end:
        call_command("verify_audit")

    assert end.value.code == 1
    assert "第2号记录缺失" in capsys.readouterr().out


def test_command_refuses_a_head_that_is_none(capsys):
    with pytest.raises(SystemExit) as end:
        call_command("verify_audit", "--json", "--head", "三号")

    assert end.value.code == 2
    assert '"bad_head"' in capsys.readouterr().out


# Second line on PostgreSQL.


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="triggers are PostgreSQL's")
def test_database_itself_refuses_to_change_the_log(sealed_log, officer):
    sealed_log(2)
    audit.record(by=officer, verb="tests.counted")
    with connection.schema_editor() as editor:
        editor.execute(guards.truncate_guard("bureau_auditevent"))  # left out of databases made for tests
    connection.check_constraints()  # TRUNCATE does not start while foreign keys are still to be checked

    for refused in (
        "UPDATE bureau_auditevent SET verb = 'x' WHERE seal_no = 1",
        "UPDATE bureau_auditevent SET verb = 'x' WHERE seal_no IS NULL",
        "UPDATE bureau_auditevent SET seal_no = NULL, seal = NULL WHERE seal_no = 1",
        "DELETE FROM bureau_auditevent WHERE seal_no = 1",
        "TRUNCATE bureau_auditevent CASCADE",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(refused)
    assert audit.seal() == 1


# Who saw which child.


def page(rf, account, view, status=200):
    """One request through the middleware."""
    request = rf.get("/students/?name=欧阳小花")
    request.user = account

    def respond(request):
        view(request)
        return HttpResponse("page", status=status)

    return AccessLogMiddleware(respond)(request)


def test_page_that_shows_children_is_logged_with_each_child(rf, officer, county):
    children = [uuid7() for _ in range(30)]

    def listing(request):
        audit.saw(request, children[:20])
        audit.saw(request, (str(child) for child in children[10:]), reason="核对名单")

    page(rf, officer, listing)

    log = AccessLog.objects.get()
    assert (log.by, log.county, log.method, log.path, log.count) == (officer, county, "GET", "/students/", 30)
    assert log.reason == "核对名单"
    assert set(log.children.values_list("student_id", flat=True)) == set(children)
    assert AccessLog.objects.of_child(children[15]).get() == log


def test_queryset_of_students_may_be_given_as_it_is(rf, officer):
    page(rf, officer, lambda request: audit.saw(request, Account.objects.all()))

    assert AccessLog.objects.of_child(officer.pk).count() == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_page_that_was_not_delivered_is_not_logged(rf, officer, status):
    page(rf, officer, lambda request: audit.saw(request, [uuid7()]), status=status)

    assert not AccessLog.objects.exists()


def test_page_without_children_is_not_logged(rf, officer):
    page(rf, officer, lambda request: audit.saw(request, []))

    assert not AccessLog.objects.exists()


def test_page_whose_record_cannot_be_written_is_not_delivered(rf, officer):
    def broken(execute, sql, params, many, context):
        raise DatabaseError("read-only")

    def listing(request):
        audit.saw(request, [UUID(int=1)])

    with connection.execute_wrapper(broken), pytest.raises(DatabaseError):
        page(rf, officer, listing)


def test_listing_of_20_000_children_costs_a_handful_of_statements(rf, officer, django_assert_max_num_queries):
    children = [uuid7() for _ in range(20_000)]
    with django_assert_max_num_queries(60):
        page(rf, officer, lambda request: audit.saw(request, children))

    assert AccessLog.objects.get().children.count() == 20_000
