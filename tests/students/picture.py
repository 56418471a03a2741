"""Everything the first floor has recorded, in words that do not change from run to run: no keys, ciphertext or clocks."""

from collections import Counter
from typing import Any

from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.states import Transition
from students.models import (
    Absence,
    Discrepancy,
    Enrolment,
    Entry,
    Guardianship,
    Hardship,
    Headship,
    Household,
    Identifier,
    Link,
    Membership,
    Person,
    Roster,
    RosterRow,
    Sighting,
    Snapshot,
    StagedEntry,
    Student,
    Whereabouts,
)

SNAPSHOT_COUNTS = ("state", "rows", "accepted", "rejected", "warned", "added", "removed", "changed", "same")
ROSTER_COUNTS = ("status", "rows", "accepted", "rejected", "warned", "skipped", "new", "changed", "unchanged", "absent")


def picture() -> dict[str, list]:
    """Sorted rows of each table; equal pictures are equal states."""
    who, row_of = _persons(), _entries()
    told = {
        "persons": [
            (who[p.pk], p.former_names, p.sex, p.ethnicity, p.pinyin, _numbers(p)) for p in Person.objects.all()
        ],
        "students": [
            (who[pk], *rest)
            for pk, *rest in Student.objects.values_list(
                "pk", "hukou_township__code", "hukou_village__code", "hukou_outside", "hukou_text", "number_due_on"
            )
        ],
        "enrolments": [
            (who[student], *rest)
            for student, *rest in Enrolment.objects.values_list(
                "student", "school__code", "stage", "entered_in", "class_name", "boarding", "state", "is_registered",
                "is_present", "registered_by_xueji", "started_on", "ended_on", "exit_kind", "roll__latest",
            )
        ],
        "guardians": [
            (who[student], *rest)
            for student, *rest in Guardianship.objects.values_list("student", "name", "relation", "legal", "valid_from", "valid_to")
        ],
        "absences": [
            (who[student], *rest)
            for student, *rest in Absence.objects.values_list("enrolment__student", "school__code", "state", "kind", "due_on")
        ],
        "entries": [
            (row_of[pk], listed_to, omitted, state, method, who.get(person), town, scope, bytes(digest).hex())
            for pk, listed_to, omitted, state, method, person, town, scope, digest in Entry.objects.values_list(
                "pk", "listed_to", "omitted_on", "link_state", "link_method", "person", "township__code",
                "scope_township__code", "digest",
            )
        ],
        "sightings": [
            (row_of[entry], as_of, sheet, row)
            for entry, as_of, sheet, row in Sighting.objects.values_list("entry", "snapshot__as_of", "sheet", "row")
        ],
        "links": [
            (row_of[entry], who[person], *rest)
            for entry, person, *rest in Link.objects.values_list("entry", "person", "method", "score", "status")
        ],
        "hardships": [
            (who[student], *rest)
            for student, *rest in Hardship.objects.values_list("student", "category", "valid_from", "valid_to", "evidence")
        ],
        "whereabouts": [
            (who[student], *rest)
            for student, *rest in Whereabouts.objects.values_list("student", "kind", "valid_from", "valid_to")
        ],
        "households": list(Household.objects.values_list("kind", "number", "head_name", "village__code")),
        "heads": list(Headship.objects.values_list("household__kind", "household__number", "name", "valid_from", "valid_to")),
        "members": [
            (who[person], *rest)
            for person, *rest in Membership.objects.values_list(
                "person", "household__kind", "household__number", "relation", "valid_from", "valid_to"
            )
        ],
        "differences": [
            (rule, kind, who.get(student) or subject, row_of.get(entry), *rest)
            for rule, kind, student, subject, entry, *rest in Discrepancy.objects.values_list(
                "rule", "subject_kind", "student", "subject_id", "entry", "category", "school__code", "township__code",
                "term__code", "office", "state", "evidence", "occurrence", "opened_on", "due_on", "closed_on", "remedy",
            )
        ],
        "snapshots": list(Snapshot.objects.values_list("register__name", "as_of", "township__code", *SNAPSHOT_COUNTS)),
        "rosters": list(Roster.objects.values_list("sha256", *ROSTER_COUNTS)),
        "roster rows": list(RosterRow.objects.values_list("row", "name", "status", "verdict", "changes")),
        "moves": list(Counter(Transition.objects.values_list("object_kind", "from_state", "to_state")).items()),
        "audit": list(Counter(AuditEvent.objects.filter(verb__startswith="students.").values_list("verb")).items()),
        "staged": [StagedEntry.objects.count()],
        "unfinished": list(Job.objects.filter(state__in=["queued", "running", "failed"]).values_list("kind", "state")),
    }  # fmt: skip
    return {name: sorted(map(_plain, rows)) for name, rows in told.items()}


def _persons() -> dict:
    own = Identifier.objects.filter(valid_to=None, kind="citizen_id").values_list("person", "index")
    numbers = {person: bytes(index).hex()[:12] for person, index in own}
    people = Person.objects.values_list("pk", "name", "birth_on")
    return {pk: f"{name} {born} {numbers.get(pk, '-')}" for pk, name, born in people}


def _numbers(person: Person) -> list:
    rows = person.identifiers.values_list("kind", "index", "valid_from", "valid_to", "derived")
    return sorted(_plain((kind, bytes(index).hex()[:12], *rest)) for kind, index, *rest in rows)


def _entries() -> dict:
    columns = ("pk", "register__name", "name", "recognised_by", "category", "listed_from")
    return {
        pk: f"{register} {name} {bytes(key).hex()[:12]} {category} {since}"
        for pk, register, name, key, category, since in Entry.objects.values_list(*columns)
    }


def _plain(row: Any) -> list[str]:
    return [str(value) for value in row] if isinstance(row, tuple) else [str(row)]
