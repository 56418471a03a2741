"""A roster's way: received, read and staged, previewed, applied in one short transaction, or given up."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from bureau import audit, states
from bureau.bulk import insert_rows
from bureau.jobs import Job
from bureau.organisation.models import County, School, Term
from bureau.sheets import REJECTED, Problem, Reading, Table, read
from bureau.uncollected import uncollected
from students.actions import reconciling
from students.actions.absences import follow_roster
from students.actions.files import display_name, keep_file, opened_file, sha256_of, tables_of
from students.actions.linking import link_waiting
from students.actions.opening import ask_to_read_roster, reading_stopped
from students.actions.refusals import NotApplicable
from students.actions.registers import newest_as_of
from students.intake import aidlines
from students.intake.applying import move_rows
from students.intake.bundled import refuse_if_twice, settle_school
from students.intake.completing import (
    Completion,
    Overtaken,
    carried_counts,
    completion_of,
    count_own,
    give_base_back,
    refuse_if_base_moved,
)
from students.intake.locks import Locks, refuse_if_locked, refuse_if_rows_locked, told_of_row
from students.intake.preview import Preview, preview
from students.intake.rollrows import COLUMNS, RollStager, reject, warn
from students.intake.undoing import Book
from students.models import HeaderMapping, Roster, RosterRow
from students.sheets import ROSTERS

JUDGED = ("status", "verdict", "person_id", "person_is_new", "enrolment_id", "enrolment_is_new", "changes")
INDEXES = (
    "citizen_index", "number_index", "phone_index", "address_index", "guardian_index", "guardian_phone_index"
)  # fmt: skip
SEEN = (
    "sheet", "row", "carried", "settled", *JUDGED, "school_id", "name", "name_key", "birth_on", "ethnicity", "stage", "entered_in", "class_name",
    "boarding", "state", "major", "agricultural", "programme_years", "internship", "citizen_kind", "guardian_name",
    "guardian_relation", "guardian_legal", "hukou_text", "admitted", *INDEXES,
)  # fmt: skip  # what the preview looks at
CONFLICTS = {
    "name_conflict": "该证件号码已登记为另一所学校的另一名学生，请核对姓名和号码；确有其事请联系县局。",
    "duplicate_conflict": "这一行和前面一行是同一名学生：两个号码已核对为一人，请只保留正确的一行。",
    "unknown_student": "没有在本校学生中找到该生，请核对姓名和号码；新来的学生请先上传班级花名册。",
}
ELSEWHERE = "该生在另一所学校也在读，请与对方学校核对。"


@transaction.atomic
def new_roster(
    *, path: Path, file_name: str, term: Term, kind: str, school: School | None, county: County, by,
    source: str = Roster.Source.UPLOAD,
) -> tuple[Roster, bool]:  # fmt: skip
    """Keep the file sealed and write the roster's row; the same bytes for the same place and term are the same roster.

    A roster that a later one has replaced is not “the same”: the clerk goes back to the older file, and may.
    Returns the roster and whether it is new. Raises Locked where the bureau takes none any more.
    """
    sha256 = sha256_of(path)
    County.objects.select_for_update(no_key=True).get(pk=county.pk)  # two send it at once: the second finds the first
    same_place = Roster.objects.filter(county=county, term=term, kind=kind, school=school)
    same = same_place.filter(sha256=sha256).exclude(status__in=["refused", "withdrawn", "undone"]).order_by("-pk").first()
    if same and (same.status != "applied" or same.parts.filter(latest=True).exists() or not same.parts.exists()):
        if same.status != Roster.State.APPLIED:
            refuse_if_locked(term=term, kind=kind, school=school, on=timezone.localdate())
        return same, False
    refuse_if_locked(term=term, kind=kind, school=school, on=timezone.localdate())
    roster = Roster(
        county=county,
        term=term,
        kind=kind,
        school=school,
        sha256=sha256,
        file_name=display_name(file_name),
        uploaded_by=by,
        source=source,
    )
    keep_file(path, value_id=roster.pk)
    roster.save(force_insert=True)
    audit.record(by=by, verb="students.roster_received", subject=roster, county=county)
    return roster, True


@transaction.atomic
def receive_roster(*, file: Path, file_name: str, by, **facts) -> Roster:
    """Take a roster in and ask a worker to read it; `facts` are those of `new_roster`."""
    roster, is_new = new_roster(path=file, file_name=file_name, by=by, **facts)
    if is_new or reading_stopped(roster):
        ask_to_read_roster(roster=roster, by=by)
    return roster


@uncollected()
def load_roster(*, roster: Roster, run: Job, then: Callable[[Roster], None] | None = None) -> None:
    """Read the kept file and stage its rows with their verdicts; started again it begins from the file.

    `then` is done to the staged roster in the same transaction.

    Nothing but the staged roster is stored. Problems found against the registry join those of the reader. A roster
    that somebody else has read meanwhile is left as it is.
    """
    if roster.status != Roster.State.READING:
        return
    with opened_file(value_id=roster.pk, file_name=roster.file_name) as path:
        run.progress(0, 0, "正在读取文件")
        taught = HeaderMapping.objects.as_taught(county=roster.county_id, school=roster.school_id, sheet=roster.kind)
        reading = read(
            path, ROSTERS[roster.kind], today=timezone.localdate(), taught=taught,
            progress=lambda done, total: run.advance(done, total, "正在读取、核对"),
        )  # fmt: skip
    started = time.perf_counter()
    run.advance(0, 0, "正在与已有学生比对")
    completion = None if reading.file_error else completion_of(roster, reading)
    rows, outcome = _judge(roster, reading, completion)
    reading.seconds["check"] = round(reading.seconds.get("check", 0) + time.perf_counter() - started, 3)
    run.advance(0, len(rows), "正在登记结果")
    try:
        _stage(roster, run, reading, rows, outcome, completion, then)
    except Overtaken:  # what it was to complete has moved on meanwhile
        roster.refresh_from_db()
        return load_roster(roster=roster, run=run, then=then)
    roster.refresh_from_db()


def _stage(
    roster: Roster, run: Job, reading: Reading, rows: list, outcome: Preview, completion: Completion | None,
    then: Callable[[Roster], None] | None,
) -> None:  # fmt: skip
    with run.finishing({"roster": str(roster.pk)}):
        roster.refresh_from_db(fields=["status"])
        if reading.file_error:
            completion = None
        if completion:
            completion.take_over()
        else:
            give_base_back(roster, by=roster.uploaded_by)
        roster.completes = completion.base if completion else None
        RosterRow.objects.filter(roster=roster).delete()
        insert_rows(RosterRow, COLUMNS, ([row[name] for name in COLUMNS] for row in rows))
        aidlines.store(roster, [row for row in rows if not row["carried"]])
        if completion:
            completion.take_aid_lines()
        _write_down(roster, reading, outcome)
        roster.save()
        to = Roster.State.REFUSED if reading.file_error else Roster.State.STAGED
        states.move(Roster.objects.filter(pk=roster.pk), to=to, by=None)
        if then and not reading.file_error:
            then(roster)


def _judge(
    roster: Roster, reading: Reading, completion: Completion | None
) -> tuple[list[dict[str, Any]], Preview]:
    if roster.bundle_id and not roster.school_id:
        settle_school(roster, reading)
    if reading.file_error:
        return [], Preview()
    stager = RollStager(roster)
    if not roster.school_id and not any(_names_school(table) for table in reading.tables):
        message = "文件中没有学校标识码或学校名称列，请补充，或在上传时选定学校。"
        reading.file_error = Problem(None, None, None, "error", "missing_column", message)
        return [], Preview()
    schools = stager.find_schools(reading)
    _tell_other_term(roster, reading)
    if reading.file_error:
        return [], Preview()
    judged = list(stager.staged(reading, schools))
    locks = Locks(term=roster.term, kind=roster.kind, on=timezone.localdate())
    for read_row, row in judged if locks else ():
        if row["status"] == RosterRow.Status.ACCEPTED and (lock := locks.lock_on(row["school_id"], row["stage"])):
            row["status"] = RosterRow.Status.REJECTED
            reject(reading, read_row, "grade", "locked", told_of_row(lock))
    rows = [row for _, row in judged]
    if completion:
        rows += (carried := completion.carried(reading, judged))
        completion.tell(reading, len(carried))
    outcome = preview(roster, rows)
    count_own(outcome, rows)
    _leave_alone(outcome, locks)
    places = {id(row): read_row for read_row, row in judged}
    for row, code in outcome.conflicts:
        row["status"] = RosterRow.Status.REJECTED
        if (read_row := places.get(id(row))) and read_row.status != REJECTED:
            reject(reading, read_row, "citizen_id", code, CONFLICTS[code])
    for row in outcome.elsewhere:
        if read_row := places.get(id(row)):
            warn(reading, read_row, "citizen_id", "enrolled_elsewhere", ELSEWHERE)
    return rows, outcome


def _tell_other_term(roster: Roster, reading: Reading) -> None:
    """Our own template says for which term it was made."""
    for table in reading.tables:
        made_for = table.imprint and table.imprint.term
        if made_for and made_for != roster.term.code:
            message = f"这是 {made_for} 学期的模板，现在上报的是{roster.term}，请确认没有传错。"
            reading.problems.append(Problem(table.sheet, None, None, "warning", "other_term", message))


def _names_school(table: Table) -> bool:
    return bool({"school_code", "school_name"} & set(table.headers)) or bool(table.imprint and table.imprint.school)


def _leave_alone(outcome: Preview, locks: Locks) -> None:
    """Nobody of a locked stage is absent or has left: whatever a file says there is not taken."""
    untouched = locks.untouched([*outcome.absent, *outcome.leavers])
    outcome.absent = [pk for pk in outcome.absent if pk not in untouched]
    outcome.leavers = [pk for pk in outcome.leavers if pk not in untouched]


def _write_down(roster: Roster, reading: Reading, outcome: Preview) -> None:
    if error := reading.file_error:
        roster.file_error = {"code": error.code, "message": error.message}
    else:
        for name, value in reading.counts.items():
            setattr(roster, name, value)
        roster.problems = [problem.as_dict() for problem in reading.problems]
        roster.tables = tables_of(reading)
    roster.new, roster.changed, roster.unchanged = outcome.new, outcome.changed, outcome.unchanged
    roster.absent, roster.absentees = len(outcome.absent), [str(pk) for pk in outcome.absent]
    roster.seconds = dict(reading.seconds)


def refresh_preview(*, roster: Roster) -> Preview:
    """Judge the staged rows again: the registry may have moved since they were read. Call inside a transaction.

    A preview that comes out otherwise than the one stored gets the next number.
    """
    told = _counts(roster)
    staged, before = [], {}
    for pk, *values in RosterRow.objects.filter(roster=roster).order_by("pk").values_list("pk", *SEEN):
        row = dict(zip(SEEN, values, strict=True))
        row["pk"] = pk
        for name in INDEXES:
            row[name] = bytes(row[name]) if row[name] is not None else None
        before[pk] = {name: row[name] for name in JUDGED}
        if row["status"] == RosterRow.Status.ACCEPTED and not row["settled"]:
            row |= {"person_id": None, "person_is_new": False, "enrolment_id": None, "enrolment_is_new": False}
        staged.append(row)
    outcome = preview(roster, staged)
    count_own(outcome, staged)
    _leave_alone(outcome, Locks(term=roster.term, kind=roster.kind, on=timezone.localdate()))
    for row, _ in outcome.conflicts:
        row["status"] = RosterRow.Status.REJECTED
    own = {(row["sheet"], row["row"]): code for row, code in outcome.conflicts if not row["carried"]}
    for (sheet, number), code in own.items():
        roster.accepted, roster.rejected = roster.accepted - 1, roster.rejected + 1
        roster.problems.append(Problem(sheet, number, None, "error", code, CONFLICTS[code]).as_dict())
    kept = {}  # a key given to somebody new at staging is kept, in every row that speaks of him
    for row in staged:
        for key in ("person", "enrolment"):
            if row[f"{key}_is_new"] and before[row["pk"]][f"{key}_is_new"]:
                kept[row[f"{key}_id"]] = before[row["pk"]][f"{key}_id"]
    for row in staged:
        for key in ("person_id", "enrolment_id"):
            row[key] = kept.get(row[key], row[key])
    moved = [row for row in staged if any(row[name] != value for name, value in before[row["pk"]].items())]
    rows = [RosterRow(pk=row["pk"], **{name: row[name] for name in JUDGED}) for row in moved]
    RosterRow.objects.bulk_update(rows, JUDGED, batch_size=400)
    roster.new, roster.changed, roster.unchanged = outcome.new, outcome.changed, outcome.unchanged
    roster.absent, roster.absentees = len(outcome.absent), [str(pk) for pk in outcome.absent]
    roster.preview_no += bool(moved) or _counts(roster) != told
    return outcome


def _counts(roster: Roster) -> tuple:
    return roster.new, roster.changed, roster.unchanged, roster.rejected, sorted(roster.absentees)


def compare_again(*, roster: Roster) -> None:
    """Bring the counts of an unsaved roster row up to what its file would change now; nothing is written.

    The same file sent twice is the same roster: applied before, it now changes nothing.
    """
    if roster.status not in (Roster.State.STAGED, Roster.State.APPLIED):
        return
    with transaction.atomic():
        refresh_preview(roster=roster)
        transaction.set_rollback(True)


@uncollected()
def apply_roster(*, roster: Roster, by, accept_good: bool = False, shown: int | None = None) -> Roster:
    """Bring the accepted rows into the registry, all or nothing; the preview is computed once more first.

    `shown` is the number of the preview somebody confirms: what he has not seen is not applied (`preview_changed`). With rejected rows it needs `accept_good`, and their share must not exceed the bureau's. Warnings count as
    acknowledged by `by`. Applying an applied roster again changes nothing. Raises NotApplicable (Locked where the bureau
    has closed a school or stage of it since).
    """
    started = time.perf_counter()
    with transaction.atomic():
        held = Roster.objects.select_for_update(of=["self"]).select_related("county", "term__school_year", "school")
        roster = held.get(pk=roster.pk)
        if roster.status == Roster.State.APPLIED:
            return roster
        if roster.status != Roster.State.STAGED:
            raise NotApplicable("not_staged", "这份花名册现在不能入库，请刷新页面查看状态。")
        today = timezone.localdate()
        refuse_if_rows_locked(roster, on=today)
        refuse_if_base_moved(roster)
        refuse_if_twice(roster)
        County.objects.select_for_update(no_key=True).get(pk=roster.county_id)
        outcome = refresh_preview(roster=roster)
        if shown is not None and shown != roster.preview_no:
            raise NotApplicable("preview_changed", _why_changed(roster))
        _check_share(roster, accept_good)
        book = Book(roster)
        move_rows(roster, outcome, book, on=today)
        follow_roster(roster=roster, absent=outcome.absent, book=book, on=today)
        roster.applied_by, roster.applied_at = by, timezone.now()
        roster.accepted_good_only = roster.rejected + carried_counts(roster)["rejected"] > 0
        roster.save()
        states.move(Roster.objects.filter(pk=roster.pk), to=Roster.State.APPLIED, by=by)
        if as_of := newest_as_of(roster.county):
            book.before_linking()
            link_waiting(county=roster.county, as_of=as_of)
        book.close()
        roster.seconds["apply"] = round(time.perf_counter() - started, 3)
        Roster.objects.filter(pk=roster.pk).update(seconds=roster.seconds)
        detail = {"new": roster.new, "changed": roster.changed, "absent": roster.absent, "warned": roster.warned}
        audit.record(by=by, verb="students.roster_applied", subject=roster, county=roster.county, detail=detail)
    roster.refresh_from_db()
    return roster


def confirm_roster(*, roster: Roster, by, accept_good: bool = False, shown: int | None = None) -> Roster:
    """Apply a roster as its school confirms it, and ask for the comparison its children bring about.

    A preview that has changed since it was shown is kept, to be looked at.
    """
    try:
        with transaction.atomic():
            roster = apply_roster(roster=roster, by=by, accept_good=accept_good, shown=shown)
            reconciling.ask(county=roster.county, by=by, inputs={"enrolment", "lists"}, cause=str(roster.pk))
    except NotApplicable as refusal:
        if refusal.code == "preview_changed":
            _keep_preview(roster)
        raise
    return roster


@transaction.atomic
def _keep_preview(roster: Roster) -> None:
    held = Roster.objects.select_for_update(of=["self"]).select_related("county", "term__school_year", "school")
    roster = held.get(pk=roster.pk)
    if roster.status == Roster.State.STAGED:
        refresh_preview(roster=roster)
        roster.save()


def _why_changed(roster: Roster) -> str:
    other = Roster.objects.applied_beside(roster).order_by("-applied_at").first()
    why = f"另一份花名册已于{timezone.localtime(other.applied_at):%-m月%-d日 %H:%M}入库" if other else "学生信息已有变动"
    return f"{why}，预览已重新计算，请再看一遍，然后确认。"


def _check_share(roster: Roster, accept_good: bool) -> None:
    carried = carried_counts(roster)
    rejected, accepted = roster.rejected + carried["rejected"], roster.accepted + carried["accepted"]
    if not rejected:
        return
    if not accept_good:
        raise NotApplicable("rejected_rows", f"还有 {rejected} 行有错误，请改正后重新上传，或选择“仅导入合格行”。")
    if rejected > roster.county.reject_share * (accepted + rejected):
        share = f"{float(roster.county.reject_share):.0%}"
        raise NotApplicable("too_many_rejected", f"有错误的行超过全部的 {share}，不能只导入合格行，请改正后重新上传。")


@transaction.atomic
def discard_roster(*, roster: Roster, by) -> Roster:
    """Give a staged roster up; its rows are removed, the file and the verdicts stay."""
    states.move(Roster.objects.filter(pk=roster.pk), to=Roster.State.WITHDRAWN, by=by)
    RosterRow.objects.filter(roster=roster).delete()
    give_base_back(roster, by=by)
    audit.record(by=by, verb="students.roster_discarded", subject=roster, county=roster.county)
    roster.refresh_from_db()
    return roster


