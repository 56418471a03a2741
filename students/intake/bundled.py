"""A file out of a zip: which school it is of, and that a school has one file in it.

Source: docs/rules/rosters.md, “a zip of files”.
"""

from collections import defaultdict
from pathlib import PurePosixPath
from uuid import UUID

from bureau.organisation.models import School
from bureau.organisation.places import Places
from bureau.sheets import SKIPPED, Problem, Reading
from students.actions.refusals import NotApplicable
from students.models import Bundle, Roster, RosterRow

UNKNOWN = "没有认出是哪所学校的：文件里没有认得的学校标识码或学校名称，文件名中也没有。请选定学校。"
FOREIGN = "这是其他学校的名册，不在您管理的学校之内，请交由该校或县局上报。"
MANY = "文件里有多所学校的学生，请每所学校一个文件，或交由县局上传。"
LIVE = (Roster.State.READING, Roster.State.STAGED, Roster.State.APPLIED, Roster.State.SUPERSEDED)


def settle_school(roster: Roster, reading: Reading) -> None:
    """Give a file without a chosen school its school: by its rows, else by its name and folders.

    Only the county may send one file of many schools; a 中心校 stays inside its own. What cannot be settled refuses
    the file (`file_error`); a file that was refused before has a school all the same, whose page shows why.
    """
    by, places = roster.uploaded_by, Places(roster.county)
    by.acting_right = "rosters.upload"
    schools = schools_in(reading, places)
    if len(schools) > 1:
        if not by.scope.whole_county:
            _refuse(reading, "many_schools", MANY)
        return
    school = schools.pop() if schools else school_of_path(path_of(roster, roster.bundle), places)
    if school is None:
        _refuse(reading, "school_unknown", UNKNOWN)
    elif not School.objects.visible_to(by).filter(pk=school).exists():
        _refuse(reading, "other_school", FOREIGN)
    else:
        roster.school_id = school


def schools_in(reading: Reading, places: Places) -> set[UUID]:
    """The schools that rows name, by code or name."""
    named = {(row.get("school_code"), row.get("school_name")) for row in reading.rows if row.status != SKIPPED}
    named |= {(table.imprint.school, None) for table in reading.tables if table.imprint and table.imprint.school}
    return {school for code, name in named if (school := places.school(code, name))}


def school_of_path(path: str, places: Places) -> UUID | None:
    """The school of a file's name, else of the innermost folder that names one."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return next((school for part in reversed(parts) if (school := places.school_in(part))), None)


def path_of(roster: Roster, bundle: Bundle) -> str:
    """The file's name inside the zip, folders included."""
    return next((entry["name"] for entry in bundle.entries if entry["roster"] == str(roster.pk)), roster.file_name)


def twice(bundle: Bundle) -> dict[UUID, list[Roster]]:
    """Schools of which the zip has several files still alive, with these files."""
    rosters = bundle.rosters.filter(status__in=LIVE).defer("problems", "tables").order_by("pk")
    by_key = {roster.pk: roster for roster in rosters}
    pairs = {(roster.school_id, roster.pk) for roster in by_key.values() if roster.school_id}
    many = [pk for pk, roster in by_key.items() if roster.school_id is None]
    rows = RosterRow.objects.filter(roster__in=many, school__isnull=False).order_by()
    pairs |= set(rows.values_list("school_id", "roster_id").distinct())
    files: dict[UUID, list[Roster]] = defaultdict(list)
    for school, pk in sorted(pairs, key=str):
        files[school].append(by_key[pk])
    return {school: sorted(found, key=lambda roster: roster.pk) for school, found in files.items() if len(found) > 1}


def refuse_if_twice(roster: Roster) -> None:
    """Raises NotApplicable while another file of the same zip speaks of the same school: one roll per school."""
    if roster.bundle is None:
        return
    for school, files in twice(roster.bundle).items():
        if roster in files:
            raise NotApplicable("school_twice", told_twice(roster.bundle, School.objects.get(pk=school), files))


def told_twice(bundle: Bundle, school: School, files: list[Roster]) -> str:
    names = "、".join(f"“{path_of(file, bundle)}”" for file in files)
    return f"压缩包里有 {len(files)} 个文件都是{school}的：{names}。一所学校只能有一份花名册，请放弃多余的，或合并成一个文件后重新上传。"


def _refuse(reading: Reading, code: str, message: str) -> None:
    if reading.file_error is None:
        reading.file_error = Problem(None, None, None, "error", code, message)
