"""A list of another office: received, read, compared with its neighbours, linked, closed."""

import time
from datetime import date
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from bureau import audit
from bureau.bulk import insert_rows
from bureau.jobs import Job
from bureau.organisation.models import County, Township
from bureau.sheets import ACCEPTED, Reading, read
from students.actions.files import display_name, keep_file, opened_file, sha256_of, tables_of
from students.actions.linking import link_waiting, register_enrolments
from students.actions.opening import ask_to_read_snapshot, reading_stopped
from students.intake.doubled import tell_apart
from students.intake.entries import COLUMNS, EntryStager
from students.intake.neighbours import Changes, Closing
from students.models import Entry, Register, Sighting, Snapshot, StagedEntry
from students.sheets import sheets_of

CHUNK = 5_000


@transaction.atomic
def save_register(*, register: Register | None, county: County, title: str, office: str, category: str, by) -> Register:
    """Add a list of the county's own, or change one; what was read keeps the category it was read with."""
    if register is None:
        County.objects.select_for_update().get(pk=county.pk)
        numbers = Register.objects.filter(county=county, kept_by_officer=True).values_list("name", flat=True)
        number = max([int(name.removeprefix("own_")) for name in numbers], default=0) + 1
        register = Register(county=county, name=f"own_{number}", kept_by_officer=True)
    register.title, register.office, register.category = title, office, category
    register.save()
    detail = {"register": register.name, "category": category}
    audit.record(by=by, verb="students.register_saved", subject=register, county=county, detail=detail)
    return register


@transaction.atomic
def new_snapshot(
    *,
    path: Path,
    file_name: str,
    register: Register,
    as_of: date,
    county: County,
    township: Township | None,
    partial: bool,
    by,
    received_from: str = "",
) -> tuple[Snapshot, bool]:
    """Keep the file sealed and write the snapshot's row; the same bytes for the same list and day are the same snapshot.

    Returns the snapshot and whether it is new.
    """
    sha256 = sha256_of(path)
    Register.objects.select_for_update(no_key=True).get(pk=register.pk)  # two send it at once: the second finds the first
    known = Snapshot.objects.exclude(state=Snapshot.State.REFUSED).filter(
        county=county, register=register, township=township, as_of=as_of, sha256=sha256
    )
    if found := known.first():
        return found, False
    snapshot = Snapshot(
        county=county,
        register=register,
        township=township,
        as_of=as_of,
        partial=partial,
        sha256=sha256,
        file_name=display_name(file_name),
        received_by=by,
        received_from=received_from,
    )
    keep_file(path, value_id=snapshot.pk)
    snapshot.save(force_insert=True)
    audit.record(by=by, verb="students.list_received", subject=snapshot, county=county)
    return snapshot, True


@transaction.atomic
def receive_snapshot(*, file: Path, file_name: str, by, **facts) -> Snapshot:
    """Take a list in and ask a worker to read it; `facts` are those of `new_snapshot`."""
    snapshot, is_new = new_snapshot(path=file, file_name=file_name, by=by, **facts)
    if is_new or reading_stopped(snapshot):
        ask_to_read_snapshot(snapshot=snapshot, by=by)
    return snapshot


def load_snapshot(*, snapshot: Snapshot, run: Job, ask_first: bool = False) -> None:
    """Read the kept file, stage its rows in chunks, and close the snapshot in one transaction.

    With `ask_first` a list that takes more people off than the county's share waits for a person to confirm it.

    Started again after a crash it stages from the beginning: what was staged before is thrown away first. A list
    somebody else has read meanwhile (the command run once more, before the sweeper came) is left as it is.
    """
    if snapshot.state != Snapshot.State.READING:
        return
    with opened_file(value_id=snapshot.pk, file_name=snapshot.file_name) as path:
        run.progress(0, 0, "正在读取文件")
        reading = read(
            path, sheets_of(snapshot.register.name), today=timezone.localdate(),
            progress=lambda done, total: run.advance(done, total, "正在读取、核对"),
        )  # fmt: skip
    if reading.file_error:
        _refuse(snapshot, reading, run)
        return
    started = time.perf_counter()
    _stage(snapshot, reading, run)
    reading.seconds["stage"] = round(time.perf_counter() - started, 3)
    _close(snapshot, reading, run, ask_first=ask_first and snapshot.confirmed_by_id is None)


@transaction.atomic
def confirm_snapshot(*, snapshot: Snapshot, by) -> None:
    """Take the held list as it is: it is read once more and closed. Somebody else's answer meanwhile stands."""
    held = Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.HELD)
    if held.update(state=Snapshot.State.READING, confirmed_by=by):
        ask_to_read_snapshot(snapshot=snapshot, by=by)
        audit.record(by=by, verb="students.list_confirmed", subject=snapshot, county=snapshot.county)


@transaction.atomic
def drop_snapshot(*, snapshot: Snapshot, by) -> None:
    """Leave the held list aside: what it says changes nothing."""
    held = Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.HELD)
    if held.update(state=Snapshot.State.DROPPED):
        StagedEntry.objects.filter(snapshot=snapshot).delete()
        audit.record(by=by, verb="students.list_dropped", subject=snapshot, county=snapshot.county)


def _refuse(snapshot: Snapshot, reading: Reading, run: Job) -> None:
    snapshot.state = Snapshot.State.REFUSED
    _write_down(snapshot, reading)
    with run.finishing({"snapshot": str(snapshot.pk), "file_error": reading.file_error.code}):
        snapshot.save()


def _stage(snapshot: Snapshot, reading: Reading, run: Job) -> None:
    snapshot.sheets = list(dict.fromkeys(row.sheet for row in reading.rows)) or [None]
    school_year = snapshot.as_of.year if snapshot.as_of.month >= 9 else snapshot.as_of.year - 1
    stager = EntryStager(snapshot, school_year=school_year, sheets=snapshot.sheets)
    StagedEntry.objects.filter(snapshot=snapshot).delete()
    good = [row for row in reading.rows if row.status == ACCEPTED]
    for start in range(0, len(good), CHUNK):
        staged = [entry for row in good[start : start + CHUNK] for entry in stager.staged(row)]
        with transaction.atomic():
            insert_rows(StagedEntry, COLUMNS, staged)
            run.checkpoint({"staged": start + CHUNK})
        run.advance(min(start + CHUNK, len(good)), len(good), "正在登记名单")


def _close(snapshot: Snapshot, reading: Reading, run: Job, *, ask_first: bool) -> None:
    started = time.perf_counter()
    with run.finishing() as result:
        Register.objects.select_for_update().get(pk=snapshot.register_id)
        with transaction.atomic():
            tell_apart(snapshot)
            changes = Closing(snapshot).close()
            hold = ask_first and _takes_too_many(snapshot.county, changes)
            transaction.set_rollback(hold)
        snapshot.added, snapshot.removed = changes.added, changes.removed
        snapshot.changed, snapshot.same = changes.changed, changes.same
        snapshot.state = Snapshot.State.HELD if hold else Snapshot.State.CLOSED
        _write_down(snapshot, reading)
        if hold:
            snapshot.save()
            result |= {"snapshot": str(snapshot.pk), "held": True}
            return
        compared = time.perf_counter()
        newest = Snapshot.objects.closed().filter(county=snapshot.county).order_by("-as_of").values_list("as_of", flat=True)
        as_of = max([snapshot.as_of, *newest[:1]])
        link_waiting(county=snapshot.county, as_of=as_of, after=snapshot, parted=changes.parted)
        if snapshot.register.name == "xueji":
            register_enrolments(snapshot=snapshot)
        snapshot.seconds |= {
            "apply": round(compared - started, 3),
            "link": round(time.perf_counter() - compared, 3),
        }
        snapshot.save()
        audit.record(by=run.by, verb="students.list_closed", subject=snapshot, county=snapshot.county)
        result |= {"snapshot": str(snapshot.pk), "added": changes.added, "removed": changes.removed}


def _takes_too_many(county: County, changes: Changes) -> bool:
    """Whether the list leaves out more of those it had than the county's share. Source: docs/rules/registers.md."""
    before = changes.removed + changes.changed + changes.same
    return changes.removed > county.removal_share * before


def _write_down(snapshot: Snapshot, reading: Reading) -> None:
    for name, value in reading.counts.items():
        setattr(snapshot, name, value)
    snapshot.problems = [problem.as_dict() for problem in reading.problems]
    snapshot.tables = tables_of(reading)
    snapshot.seconds = dict(reading.seconds)
    if error := reading.file_error:
        snapshot.file_error = {"code": error.code, "message": error.message}


def row_verdicts(snapshot: Snapshot) -> dict[str, int]:
    """Linked, proposed and unlinked rows of one list; a row of several persons counts by its best."""
    rows: dict[tuple[int, int], int] = {}
    order = {"unlinked": 0, "proposed": 1, "linked": 2}
    seen = Sighting.objects.filter(snapshot=snapshot).values_list("sheet", "row", "entry__link_state")
    for sheet, row, state in seen.iterator(10_000):
        rows[sheet, row] = max(rows.get((sheet, row), 0), order[state])
    tally = list(rows.values())
    return {name: tally.count(rank) for name, rank in order.items()}


def freshness(county: County) -> list[Snapshot]:
    """The newest closed list of each register: what every verdict rests on."""
    newer = Snapshot.objects.closed().filter(register=OuterRef("register"), as_of__gt=OuterRef("as_of"))
    lists = Snapshot.objects.closed().filter(~Exists(newer), county=county).select_related("register", "township")
    return list(lists.order_by("register__pk", "township__position"))


def newest_as_of(county: County) -> date | None:
    """The day of the newest closed list of the county."""
    return Snapshot.objects.closed().filter(county=county).order_by("-as_of").values_list("as_of", flat=True).first()


def entries_of(snapshot: Snapshot):
    """The entries a list shows."""
    return Entry.objects.filter(pk__in=Sighting.objects.filter(snapshot=snapshot).values("entry"))


