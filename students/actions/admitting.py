"""先入册、证件待补: children whose rows fail only for their number are let in without it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction

from bureau import audit
from students.actions.refusals import NotApplicable
from students.actions.rosters import refresh_preview
from students.models import Roster, RosterRow

# Faults of a number that is missing or damaged. A number that is somebody else's, or that contradicts birth date or
# sex, is a question about the child and is answered first.
ID_FAULTS = {
    "cell_error", "formula_without_value", "id_numeric_cell", "id_placeholder", "id_characters", "id_length",
    "id_birth_date", "id_checksum", "document_format", "required", "cell_type", "merged_cell", "invalid_characters",
    "too_long",
}  # fmt: skip
ADMITTED = "（已先入册，证件待补）"
NUMBER = ("kind", "uuid", "sealed", "index")
OLDEST = 30  # years: who is older is a slip of the pen


def admissible(roster: Roster) -> set[tuple[str | None, int]]:
    """(sheet, row) of the rejected rows of a roll whose only errors are about the ID."""
    if roster.kind != Roster.Kind.ROLL:
        return set()
    columns = {(table["sheet"], table["id_column"]) for table in roster.tables if table.get("id_column")}
    about: dict[tuple[str | None, int], bool] = {}
    for problem in roster.problems:
        if problem["level"] == "error" and problem["row"]:
            place = (problem["sheet"], problem["row"])
            of_id = problem["code"] in ID_FAULTS and (problem["sheet"], problem["column"]) in columns
            about[place] = about.get(place, True) and of_id
    return {place for place, of_id in about.items() if of_id}


@transaction.atomic
def admit_rows(*, roster: Roster, rows: Mapping[int, date | None], today: date, by) -> tuple[int, int]:
    """Let these rejected rows (by key) in without a number; (admitted, left).

    The date is the birth date somebody typed for a row that has none. Whoever has no name, class or birth date, or
    another error, is left. When the roster is applied the number is due in the bureau's number of days.
    Raises NotApplicable for a roster that no longer waits for its confirmation.
    """
    held = Roster.objects.select_for_update(of=["self"]).select_related("county", "term__school_year", "school")
    roster = held.get(pk=roster.pk)
    if roster.status != Roster.State.STAGED:
        raise NotApplicable("not_staged", "这份花名册已不在待确认状态，请刷新页面查看。")
    places = admissible(roster)
    admitted = []
    for row in roster.staged.filter(pk__in=rows, status=RosterRow.Status.REJECTED, carried=False):
        row.birth_on = row.birth_on or rows[row.pk]
        known = row.name_key and (row.class_name or row.stage) and row.school_id and _is_pupil_born(row.birth_on, today)
        if known and (row.sheet, row.row) in places:
            row.status, row.admitted = RosterRow.Status.ACCEPTED, True
            row.citizen_kind, row.citizen_uuid, row.citizen_sealed, row.citizen_index = "", None, None, None
            admitted.append(row)
    if not admitted:
        return 0, len(rows)
    columns = ["birth_on", "status", "admitted", *(f"citizen_{name}" for name in NUMBER)]
    RosterRow.objects.bulk_update(admitted, columns, batch_size=400)
    _tell(roster.problems, {(row.sheet, row.row) for row in admitted})
    roster.accepted, roster.rejected = roster.accepted + len(admitted), roster.rejected - len(admitted)
    roster.warned += len(admitted)
    refresh_preview(roster=roster)
    roster.save()
    detail = {"count": len(admitted)}
    audit.record(by=by, verb="students.rows_admitted", subject=roster, county=roster.county, detail=detail)
    return len(admitted), len(rows) - len(admitted)


def _is_pupil_born(day: date | None, today: date) -> bool:
    return day is not None and day < today and today.year - day.year <= OLDEST


def _tell(problems: list[dict[str, Any]], places: set[tuple[str | None, int]]) -> None:
    """What kept these rows out is from now on something to know about them."""
    for problem in problems:
        if problem["level"] == "error" and (problem["sheet"], problem["row"]) in places:
            problem["level"], problem["message"] = "warning", problem["message"] + ADMITTED
