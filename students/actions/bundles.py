"""A zip of roll files: taken in, taken apart into one roster per file, placed where needed, and applied as a whole."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from bureau import audit, jobs, states
from bureau.jobs import Job
from bureau.organisation.models import County, School, Term
from bureau.sheets.archive import FileFault, Unpacked, unpack
from students.actions import reconciling
from students.actions.files import display_name, keep_file, opened_file, private_folder, sha256_of
from students.actions.opening import ask_to_read_roster
from students.actions.refusals import NotApplicable
from students.actions.rosters import apply_roster
from students.intake.bundled import LIVE, twice
from students.intake.locks import refuse_if_locked
from students.models import Bundle, Roster

PLACEABLE = ("school_unknown",)


@transaction.atomic
def receive_bundle(*, file: Path, file_name: str, term: Term, kind: str, county: County, by) -> Bundle:
    """Keep the zip sealed and ask a worker to take it apart; the same zip again is the same bundle.

    A bundle that could not be opened, or of which every file was given up, is not. Raises Locked.
    """
    refuse_if_locked(term=term, kind=kind, school=None, on=timezone.localdate())
    sha256 = sha256_of(file)
    known = Bundle.objects.visible_to(by).filter(county=county, term=term, kind=kind, sha256=sha256, file_error__isnull=True)
    for bundle in known.order_by("-pk"):
        if bundle.is_reading or bundle.rosters.filter(status__in=(*LIVE, Roster.State.REFUSED)).exists():
            return bundle
    bundle = Bundle(
        county=county, term=term, kind=kind, sha256=sha256, file_name=display_name(file_name), uploaded_by=by
    )
    keep_file(file, value_id=bundle.pk)
    bundle.save(force_insert=True)
    _ask_to_open(bundle, by=by)
    audit.record(by=by, verb="students.bundle_received", subject=bundle, county=county)
    return bundle


@transaction.atomic
def open_again(*, bundle: Bundle, by) -> None:
    """Ask once more where the zip's job was stopped or failed."""
    bundle = Bundle.objects.select_for_update(of=["self"]).select_related("county").get(pk=bundle.pk)
    if bundle.is_reading and (bundle.job is None or bundle.job.is_finished):
        _ask_to_open(bundle, by=by)


def _ask_to_open(bundle: Bundle, *, by) -> None:
    bundle.job = jobs.enqueue("students.open_bundle", by=by, county=bundle.county, bundle=bundle.pk)
    bundle.save(update_fields=["job"])


def open_bundle(*, bundle: Bundle, run: Job) -> None:
    """Take the zip apart: each workbook in it becomes a roster that a worker reads; started again it begins anew.

    The key of a roster follows from its place in the zip, so a copy sealed by a run that died is written again.
    """
    if not bundle.is_reading:
        return
    entries: list[dict[str, Any]] = []
    rosters: list[Roster] = []
    fault = None
    with opened_file(value_id=bundle.pk, file_name="bundle.zip") as path, private_folder() as folder:
        try:
            for number, found in enumerate(unpack(path, folder, meanwhile=partial(run.progress, 0, 0, "正在解开压缩包")), 1):
                run.progress(number, 0, "正在解开压缩包")
                entries.append(_taken(bundle, found, number, rosters))
        except FileFault as error:
            fault = {"code": error.code, "message": error.message}
    with run.finishing({"bundle": str(bundle.pk)}):
        bundle.refresh_from_db()
        if not bundle.is_reading:
            return
        bundle.file_error, bundle.entries = fault, [] if fault else entries
        bundle.save(update_fields=["file_error", "entries"])
        if fault is None:
            for roster in rosters:
                roster.save(force_insert=True)
                ask_to_read_roster(roster=roster, by=bundle.uploaded_by)


def _taken(bundle: Bundle, found: Unpacked, number: int, rosters: list[Roster]) -> dict[str, Any]:
    """What the bundle remembers of one file; a workbook is sealed, and joins `rosters`."""
    if found.path is None:
        return {"name": found.name, "roster": None, "why": found.why}
    sha256 = sha256_of(found.path)
    if same := next((roster for roster in rosters if roster.sha256 == sha256), None):
        found.path.unlink()
        return {"name": found.name, "roster": None, "why": f"与“{same.file_name}”内容完全相同，只读取一份。"}
    roster = Roster(
        pk=UUID(int=bundle.pk.int + number), county=bundle.county, term=bundle.term, kind=bundle.kind, sha256=sha256,
        file_name=display_name(found.name), uploaded_by=bundle.uploaded_by, source=Roster.Source.BUNDLE, bundle=bundle,
    )  # fmt: skip
    keep_file(found.path, value_id=roster.pk)
    found.path.unlink()
    rosters.append(roster)
    return {"name": found.name, "roster": str(roster.pk), "why": ""}


@transaction.atomic
def choose_school(*, roster: Roster, school: School, by) -> None:
    """Of which school a file is that told nobody: it is read again for that school. Raises NotApplicable, Locked."""
    roster = Roster.objects.select_for_update(of=["self"]).select_related("county", "term", "bundle").get(pk=roster.pk)
    if not may_place(roster):
        raise NotApplicable("not_placeable", "这个文件不需要选定学校，请刷新页面查看状态。")
    refuse_if_locked(term=roster.term, kind=roster.kind, school=school, on=timezone.localdate())
    afresh = {"school": school, "file_error": None}
    states.move(Roster.objects.filter(pk=roster.pk), to=Roster.State.READING, by=by, also=afresh)
    ask_to_read_roster(roster=roster, by=by)
    detail = {"place": school.code}
    audit.record(by=by, verb="students.bundle_school_chosen", subject=roster, county=roster.county, detail=detail)


def may_place(roster: Roster) -> bool:
    error = roster.file_error or {}
    return roster.status == Roster.State.REFUSED and roster.bundle_id is not None and error.get("code") in PLACEABLE


def ready(bundle: Bundle, *, by) -> list[Roster]:
    """The files `by` can apply together: read, without an error, and the only one of their school."""
    doubled = {roster.pk for files in twice(bundle).values() for roster in files}
    mine = Roster.objects.visible_to(by).filter(bundle=bundle)
    staged = mine.filter(status=Roster.State.STAGED, rejected=0, accepted__gt=0)
    return [roster for roster in staged.defer("problems", "tables").order_by("pk") if roster.pk not in doubled]


@transaction.atomic
def ask_to_apply(*, bundle: Bundle, by) -> Job:
    """Ask a worker to apply the files without errors."""
    bundle = Bundle.objects.select_for_update(of=["self"]).get(pk=bundle.pk)
    count = len(ready(bundle, by=by))
    if not count:
        raise NotApplicable("nothing_ready", "没有可以入库的文件：有错误的请改正，没有选定学校的请先选定。")
    underway = Job.objects.filter(kind="students.apply_bundle", state__in=["queued", "running"], params__bundle=str(bundle.pk))
    if job := underway.first():
        return job
    bundle.job = jobs.enqueue("students.apply_bundle", by=by, county=bundle.county, bundle=bundle.pk)
    bundle.save(update_fields=["job"])
    audit.record(by=by, verb="students.bundle_applied", subject=bundle, county=bundle.county, detail={"files": count})
    return bundle.job


def apply_bundle(*, bundle: Bundle, run: Job) -> dict[str, Any]:
    """Apply the files that are ready, each in a transaction of its own; done before, it is not done again.

    What cannot be applied now stays as it is and is counted: `refused` tells why, by file.
    """
    files = ready(bundle, by=run.by)
    applied, refused = 0, []
    for number, roster in enumerate(files):
        if run.cancelled():
            raise jobs.Cancelled
        run.progress(number, len(files), f"正在入库：{roster.file_name}"[:100])
        try:
            apply_roster(roster=roster, by=run.by)
            applied += 1
        except NotApplicable as error:
            refused.append({"roster": str(roster.pk), "why": error.message})
    with run.finishing({"bundle": str(bundle.pk), "applied": applied, "refused": refused}) as result:
        if applied:
            reconciling.ask(county=bundle.county, by=run.by, inputs={"enrolment", "lists"}, cause=str(run.pk))
    return result
