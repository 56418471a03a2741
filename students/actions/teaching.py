"""What an unknown header means, said once: remembered for the school or for all, and the file read again at once."""

from collections.abc import Mapping

from django.db import transaction

from bureau import audit, states
from bureau.organisation.models import School
from students.actions.opening import ask_to_read_roster
from students.actions.refusals import NotApplicable
from students.models import HeaderMapping, Roster
from students.sheets import ROSTERS

READ_AGAIN = (Roster.State.REFUSED, Roster.State.STAGED)


@transaction.atomic
def teach_headers(*, roster: Roster, lessons: Mapping[str, str], for_all: bool, by) -> Roster:
    """Remember header -> attribute (empty: leave the column alone) and read the roster's file again.

    `for_all` is the bureau's word to every school. Raises NotApplicable when the file cannot be read again now.
    """
    held = Roster.objects.select_for_update(of=["self"]).select_related("county", "school").get(pk=roster.pk)
    if held.status not in READ_AGAIN:
        raise NotApplicable("not_readable", "这份名册现在不能重新读取，请刷新页面查看状态。")
    school = None if for_all else held.school
    for header, attr in lessons.items():
        _remember(held, school, header, attr, by)
    audit.record(by=by, verb="students.headers_taught", subject=held, county=held.county, detail={"count": len(lessons)})
    anew = {"file_error": None, "problems": [], "tables": []}
    states.move(Roster.objects.filter(pk=held.pk), to=Roster.State.READING, by=by, also=anew)
    held.refresh_from_db()
    ask_to_read_roster(roster=held, by=by)
    return held


@transaction.atomic
def change_lesson(*, mapping: HeaderMapping, attr: str, by) -> None:
    """Say something else about a header; files read from now on follow it. Raises NotApplicable for an unknown column."""
    _check(mapping.sheet, attr)
    mapping.attr, mapping.taught_by = attr, by
    mapping.save(update_fields=["attr", "taught_by", "taught_at"])
    audit.record(by=by, verb="students.headers_taught", subject=mapping, county=mapping.county, detail={"count": 1})


@transaction.atomic
def forget_lesson(*, mapping: HeaderMapping, by) -> None:
    audit.record(by=by, verb="students.header_forgotten", subject=mapping, county=mapping.county)
    mapping.delete()


def _remember(roster: Roster, school: School | None, header: str, attr: str, by) -> None:
    _check(roster.kind, attr)
    place = {"county": roster.county, "school": school, "sheet": roster.kind, "header": header}
    HeaderMapping.objects.update_or_create(**place, defaults={"attr": attr, "taught_by": by})


def _check(sheet: str, attr: str) -> None:
    known = {column.attr for layout in ROSTERS[sheet] for column in layout.columns}
    if attr and attr not in known:
        raise NotApplicable("unknown_column", "没有这一列，请从列表中选择。")
