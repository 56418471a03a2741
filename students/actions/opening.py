"""The password of a protected file: used once, in memory, and gone; the file is kept opened and read again.

Nothing of the password is stored, logged or put into a job. Source: docs/rules/rosters.md, “打开密码”.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bureau import audit, jobs, states
from bureau.audit import AuditEvent
from bureau.sheets import open_protected
from bureau.sheets.intake.faults import FileFault
from students.actions.files import keep_file, opened_file
from students.models import Roster, Snapshot
from students.sheets import ROSTERS, sheets_of

TRIED = "students.file_password_tried"
MOST_TRIES = 5
WITHIN = timedelta(hours=1)


class NotOpened(Exception):
    """The file stays closed; `message` says why, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def open_roster(*, roster: Roster, password: str, by) -> None:
    """Open a refused roster's file and ask for it to be read again. Raises NotOpened."""
    _open(roster, sheet=ROSTERS[roster.kind][0], password=password, by=by)
    with transaction.atomic():
        if Roster.objects.select_for_update().get(pk=roster.pk).status != Roster.State.REFUSED:
            return  # opened in another window meanwhile
        states.move(Roster.objects.filter(pk=roster.pk), to=Roster.State.READING, by=by, also={"file_error": None})
        ask_to_read_roster(roster=roster, by=by)


def open_snapshot(*, snapshot: Snapshot, password: str, by) -> None:
    """The same for a list of another office."""
    _open(snapshot, sheet=sheets_of(snapshot.register.name)[0], password=password, by=by)
    refused = Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.REFUSED)
    with transaction.atomic():
        if refused.update(state=Snapshot.State.READING, file_error=None):
            ask_to_read_snapshot(snapshot=snapshot, by=by)


def ask_to_read_roster(*, roster: Roster, by) -> None:
    """Ask a worker to read the kept file, and to prepare it with marks where rows have errors."""
    roster.job = jobs.enqueue(
        "students.read_roster", by=by, county=roster.county, roster=roster.pk, then_mark=True
    )
    Roster.objects.filter(pk=roster.pk).update(job=roster.job)


def ask_to_read_snapshot(*, snapshot: Snapshot, by) -> None:
    snapshot.job = jobs.enqueue(
        "students.read_register", by=by, county=snapshot.county, snapshot=snapshot.pk,
        register=snapshot.register.name, then_compare=True,
    )  # fmt: skip
    Snapshot.objects.filter(pk=snapshot.pk).update(job=snapshot.job)


def reading_stopped(found: Roster | Snapshot) -> bool:
    """Whether nobody is going to read the file any more: its job failed or was called off."""
    state = found.status if isinstance(found, Roster) else found.state
    return state == "reading" and (found.job is None or found.job.is_finished)


@transaction.atomic
def read_again(*, found: Roster | Snapshot, by) -> None:
    """Ask once more for a reading that was stopped; one that is under way goes on."""
    held = type(found).objects.select_for_update(of=["self"]).select_related("county").get(pk=found.pk)
    if not reading_stopped(held):
        return
    if isinstance(held, Roster):
        ask_to_read_roster(roster=held, by=by)
    else:
        ask_to_read_snapshot(snapshot=held, by=by)


def _open(found: Roster | Snapshot, *, sheet, password: str, by) -> None:
    _count_try(found, by=by)
    with opened_file(value_id=found.pk, file_name=found.file_name) as source:
        target = source.with_name(f"opened{source.suffix}")
        try:
            open_protected(source, target, sheet=sheet, name=found.file_name, password=password)
        except FileFault as fault:
            raise NotOpened(fault.message) from None  # the cause may hold what was typed
        keep_file(target, value_id=found.pk)


@transaction.atomic
def _count_try(found: Roster | Snapshot, *, by) -> None:
    held = type(found).objects.select_for_update().get(pk=found.pk)
    if (held.file_error or {}).get("code") != "encrypted":
        raise NotOpened("这个文件不需要密码，请刷新页面查看状态。")
    since = timezone.now() - WITHIN
    tries = AuditEvent.objects.about(held).filter(verb=TRIED, at__gt=since).order_by("at")
    if len(moments := list(tries.values_list("at", flat=True))) >= MOST_TRIES:
        minutes = int((moments[-MOST_TRIES] - since).total_seconds() // 60) + 1
        raise NotOpened(
            f"这个文件一小时内已试了 {MOST_TRIES} 次密码，请 {minutes} 分钟后再试，或在 Excel、WPS 中取消密码后重新上传。"
        )
    audit.record(by=by, verb="students.file_password_tried", subject=held, county=held.county)
