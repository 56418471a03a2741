"""What the command line tells a program: children by the rows that made them known, places by their codes."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from bureau.bulk import by_key
from bureau.organisation.models import School, Township
from students.models import Discrepancy, Entry, Roster, RosterRow, Sighting, Snapshot


def told_students(students: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """{"id", "sources"} of each student; sources are rows of applied rosters and of lists linked to the child."""
    wanted = set(students)
    sources: dict[UUID, list] = defaultdict(list)
    rows = RosterRow.objects.filter(roster__status=Roster.State.APPLIED, status="accepted")
    for person, sha256, sheet, row in by_key(
        rows, "person_id", wanted, "person_id", "roster__sha256", "sheet", "row"
    ):
        sources[person].append({"sha256": sha256, "sheet": sheet, "row": row})
    lists = {pk: (sha256, sheets) for pk, sha256, sheets in Snapshot.objects.values_list("pk", "sha256", "sheets")}
    for person, snapshot, sheet, row in by_key(
        Sighting.objects, "entry__person", wanted, "entry__person_id", "snapshot_id", "sheet", "row"
    ):
        sha256, sheets = lists[snapshot]
        sources[person].append({"sha256": sha256, "sheet": sheets[sheet], "row": row})
    return {student: {"id": str(student), "sources": sources[student]} for student in wanted}


def told_entries(entries: Iterable[int]) -> dict[int, dict[str, Any]]:
    """{"id", "register", "as_of", "sheet", "row"} of each entry, as the newest list that shows it has it."""
    wanted = set(entries)
    registers = dict(by_key(Entry.objects, "pk", wanted, "pk", "register__name"))
    newest: dict[int, tuple] = {}
    columns = ("entry_id", "snapshot__as_of", "snapshot__received_at", "snapshot__sheets", "sheet", "row")
    for entry, as_of, received_at, sheets, sheet, row in by_key(Sighting.objects, "entry", wanted, *columns):
        if entry not in newest or newest[entry][:2] < (as_of, received_at):
            newest[entry] = (as_of, received_at, sheets[sheet], row)
    return {
        entry: {"id": entry, "register": registers[entry], "as_of": as_of.isoformat(), "sheet": sheet, "row": row}
        for entry, (as_of, _, sheet, row) in newest.items()
    }


def told_differences(differences: QuerySet[Discrepancy]) -> list[dict[str, Any]]:
    """The items of the command `discrepancies`, in the order of rule and subject."""
    rows = list(differences.order_by("rule", "subject_kind", "subject_id"))
    students = told_students(d.student_id for d in rows if d.student_id)
    entries = told_entries(d.entry_id for d in rows if d.entry_id)
    schools = dict(School.objects.values_list("pk", "code"))
    townships = dict(Township.objects.values_list("pk", "code"))
    return [
        {
            "rule": d.rule,
            "subject": {"kind": d.subject_kind, "id": _subject(d)},
            "student": students.get(d.student_id),
            "entry": entries.get(d.entry_id),
            "school": schools.get(d.school_id),
            "township": townships.get(d.township_id),
            "office": d.office,
            "due_on": d.due_on.isoformat(),
            "state": d.state,
            "occurrence": d.occurrence,
        }
        for d in rows
    ]


def told_links(sightings: QuerySet[Sighting]) -> list[dict[str, Any]]:
    """The items of the command `link`: each row's person on the newest lists, with what the link rests on."""
    rows = list(
        sightings.order_by("snapshot", "sheet", "row", "pk").values_list(
            "snapshot__register__name", "snapshot__sheets", "sheet", "row", "entry__link_state", "entry__link_method",
            "entry__person_id",
        )
    )  # fmt: skip
    students = told_students(row[-1] for row in rows if row[-1])
    return [
        {
            "register": register,
            "sheet": sheets[sheet],
            "row": number,
            "verdict": "confirmed" if method == "confirmed" else state,
            "student": students.get(person),
            "method": method or None,
        }
        for register, sheets, sheet, number, state, method, person in rows
    ]


def _subject(difference: Discrepancy) -> str:
    """The subject's key with UUIDs in their usual form: SQLite keeps them as 32 digits."""
    key, colon, category = difference.subject_id.partition(":")
    if difference.subject_kind != "listed" and len(key) == 32:
        key = str(uuid.UUID(key))
    return key + colon + category
