"""The clerk's own file back: prepared by a worker, kept sealed beside the roster, good until the roster's problems change."""

import hashlib
import json
from pathlib import Path
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from bureau import jobs, secrecy
from bureau.jobs import Job, JobError
from bureau.sheets import NotMarked, Problem, problem_header, serial_of, write_marked
from students.actions.files import opened_file
from students.models import Roster
from students.sheets import ROSTERS


@transaction.atomic
def ask_for_marked(*, roster: Roster, by) -> None:
    """Ask a worker for the marked file, unless it is there or on its way."""
    held = Roster.objects.select_for_update(of=["self"]).select_related("county").get(pk=roster.pk)
    if is_marked(held) or (held.marking and not held.marking.is_finished):
        return
    job = jobs.enqueue("students.mark_roster", by=by, county=held.county, roster=held.pk)
    Roster.objects.filter(pk=held.pk).update(marking=job)


def mark_roster(*, roster: Roster, run: Job) -> None:
    """Write the marked file. Started again it begins from the kept file."""
    if is_marked(roster):
        return
    place, value_id = _place(roster)
    with opened_file(value_id=roster.pk, file_name=roster.file_name) as source:
        target = source.with_name("marked.xlsx")
        try:
            write_marked(
                source,
                target,
                sheet=ROSTERS[roster.kind][0],
                name=roster.file_name,
                tables=roster.tables,
                problems=[Problem(**problem) for problem in roster.problems],
                header=problem_header(serial_of(roster.pk)),
                tell=run.advance,
            )
        except NotMarked:
            message = "这个文件太大，标注不了。请按页面上列出的行号在原文件中改正。"
            raise JobError("not_marked", message) from None
        with run.finishing({"roster": str(roster.pk)}):
            place.parent.mkdir(parents=True, exist_ok=True)
            secrecy.seal_file(target, place, value_id=value_id)
    for older in place.parent.glob(f"{roster.pk.hex}.*.sealed"):
        if older != place:
            older.unlink(missing_ok=True)


def is_marked(roster: Roster) -> bool:
    """Whether the file with the marks of the roster as it is now can be had."""
    return _place(roster)[0].exists()


def marked_file(roster: Roster) -> bytes:
    place, value_id = _place(roster)
    return secrecy.open_file(place, value_id=value_id)


def _place(roster: Roster) -> tuple[Path, UUID]:
    """Where the file lies, and the key of its seal: both change with the problems."""
    told = json.dumps(roster.problems, sort_keys=True, ensure_ascii=False)
    version = hashlib.sha256(f"{roster.sha256} {told}".encode()).hexdigest()[:16]
    folder = settings.MEDIA_ROOT / "marked" / roster.pk.hex[-2:]
    return folder / f"{roster.pk.hex}.{version}.sealed", uuid5(roster.pk, f"marked {version}")
