"""What applying a roster would do, list by list: new, changed (old → new), unchanged, absent, rejected."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from bureau.identity import ETHNIC
from bureau.organisation.models import Stage
from students.actions.admitting import admissible
from students.models import Enrolment, Identifier, Roster, RosterRow
from students.models.schooling import GRADE_NAMES, grade_in
from students.views.tallies import problems_of, tally_of

PAGE = 50
FACTS = {
    "name": "姓名",
    "ethnicity": "民族",
    "stage": "学段",
    "entered_in": "入学年",
    "class_name": "班级",
    "boarding": "住校",
    "state": "学籍状态",
    "hukou_text": "户口所在地",
    "major": "专业",
    "agricultural": "涉农专业",
    "programme_years": "学制（年）",
    "internship": "实习",
    "guardian": "监护人、家庭成员",
    "guardian_relation": "与学生关系",
    "guardian_legal": "是否监护人",
    "guardian_citizen_id": "监护人身份证号",
    "guardian_phone": "监护人电话",
    "is_present": "在校",
    **dict(Identifier.Kind.choices),
}
YES_NO = {True: "是", False: "否"}
WORDS = {
    "stage": dict(Stage.choices),
    "ethnicity": ETHNIC,
    "boarding": YES_NO,
    "is_present": YES_NO,
    "agricultural": YES_NO,
    "guardian_legal": YES_NO,
}
TABS = {
    "rejected": ("有错误", "这些行不入库，请在原文件中改正。"),
    "changed": ("有变化", "系统中已有，按名册更新下列内容。"),
    "new": ("新增", "本校原来没有的学生，登记到本校；系统中没有档案的同时建档。"),
    "absent": (
        "本次未出现",
        "上次名册上有、这次没有的学生（毕业班除外），登记为不在校，请随后说明去向。",
    ),
    "unchanged": ("无变化", "与系统中完全一致，不作改动。"),
}
FAMILY_TABS = {
    "rejected": TABS["rejected"],
    "changed": ("有变化", "已登记的家庭成员，按表更新；被替换的停用。"),
    "new": ("新增", "原来没有登记的家庭成员。"),
    "unchanged": TABS["unchanged"],
}


@dataclass(frozen=True)
class Change:
    """One fact that will be replaced. Numbers are named without their values."""

    label: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Line:
    """One child of a preview list."""

    name: str
    class_name: str
    birth_on: date | None = None
    village: str = ""
    guardian: str = ""
    place: str = ""
    student: UUID | None = None
    row: int | None = None  # may be let in without a number (先入册、证件待补), under this key
    changes: list[Change] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Preview:
    show: str
    title: str
    hint: str
    lines: list[Line]
    after: str

    @property
    def students(self) -> list[UUID]:
        return [line.student for line in self.lines if line.student]

    @property
    def may_admit(self) -> bool:
        return any(line.row for line in self.lines)


def _tabs(roster: Roster) -> dict[str, tuple[str, str]]:
    return FAMILY_TABS if roster.kind == Roster.Kind.GUARDIANS else TABS


def tabs_of(roster: Roster) -> list[tuple[str, str, int]]:
    tally = tally_of(roster)
    return [(name, title, getattr(tally, name)) for name, (title, _) in _tabs(roster).items()]


def preview_of(roster: Roster, request: HttpRequest) -> Preview:
    """The list the reader asked for (`show`), else the first that is not empty; fifty at a time from `after`."""
    filled = [name for name, _, count in tabs_of(roster) if count]
    show = request.GET.get("show", "")
    show = show if show in _tabs(roster) else (filled or ["new"])[0]
    after = request.GET.get("after", "")
    read = _absent if show == "absent" else _staged
    lines, last = read(roster, show, after)
    return Preview(show, *_tabs(roster)[show], lines, last)


def _staged(roster: Roster, show: str, after: str) -> tuple[list[Line], str]:
    rows = roster.staged.select_related("hukou_township", "hukou_village", "school").order_by("id")
    wanted = {"status": "rejected"} if show == "rejected" else {"status": "accepted", "verdict": show}
    rows = rows.filter(**wanted)
    if after.isdigit():
        rows = rows.filter(pk__gt=int(after))
    page = list(rows[: PAGE + 1])
    faults = _problems_by_place(roster, page) if show == "rejected" else {}
    lines = [_line(roster, row, faults.get((row.origin, row.sheet, row.row), [])) for row in page[:PAGE]]
    if show == "rejected" and roster.status == Roster.State.STAGED:
        places = admissible(roster)
        pairs = zip(page, lines, strict=False)
        lines = [
            replace(line, row=row.pk) if not row.carried and row.name and (row.sheet, row.row) in places else line
            for row, line in pairs
        ]
    return lines, str(page[PAGE - 1].pk) if len(page) > PAGE else ""


def change_of(name: str, old: Any, new: Any, *, guardian: str = "") -> Change:
    """`guardian` is whom a row names: what changes about him is told with his name."""
    labels, label = WORDS.get(name, {}), FACTS.get(name, name)
    if guardian and name.startswith("guardian_"):
        label = f"{guardian}的{label.removeprefix('监护人')}" if name != "guardian_relation" else f"{guardian}{label}"
    old, new = labels.get(old, old), labels.get(new, new)
    return Change(label, "" if old is None else str(old), "" if new is None else str(new))


def _line(roster: Roster, row: RosterRow, problems: list[dict[str, Any]]) -> Line:
    grade = ""
    if row.stage and row.entered_in:
        year = roster.term.school_year.starts_in
        code = grade_in(year, stage=row.stage, entered_in=row.entered_in, years=row.programme_years)
        grade = GRADE_NAMES.get(code, "")
    school = f"{row.school}，" if roster.school_id is None and row.school else ""
    place = f"“{row.sheet}”第 {row.row} 行" if row.sheet else f"第 {row.row} 行"
    place = f"沿用上次，{place}" if row.carried else place
    return Line(
        name=row.name,
        class_name=f"{school}{grade}{row.class_name}",
        birth_on=row.birth_on,
        village=str(row.hukou_village or row.hukou_township or ("外县" if row.hukou_outside else "")),
        guardian=row.guardian_name + (f"（{row.guardian_relation}）" if row.guardian_relation else ""),
        place=place,
        student=None if row.person_is_new else row.person_id,
        changes=[change_of(*change, guardian=row.guardian_name) for change in row.changes],
        problems=[problem for problem in problems if problem["level"] == "error"],
    )


def _problems_by_place(roster: Roster, rows: list[RosterRow]) -> dict[tuple, list[dict[str, Any]]]:
    """(origin, sheet, row) -> problems: those of the file, and of carried rows those told when their file was read."""
    by_place: dict[tuple, list[dict[str, Any]]] = {}
    told = {None: roster.problems} | problems_of({row.origin for row in rows if row.origin})
    for origin, problems in told.items():
        for problem in problems:
            by_place.setdefault((origin, problem["sheet"], problem["row"]), []).append(problem)
    return by_place


def _absent(roster: Roster, show: str, after: str) -> tuple[list[Line], str]:
    missing = (
        Enrolment.objects.filter(pk__in=roster.absentees)
        .select_related("student__person", "student__hukou_village", "school")
        .order_by("school", "stage", "entered_in", "class_name", "id")
    )
    start = int(after) if after.isdigit() else 0
    page = list(missing[start : start + PAGE + 1])
    lines = [_absent_line(roster, enrolment) for enrolment in page[:PAGE]]
    return lines, str(start + PAGE) if len(page) > PAGE else ""


def _absent_line(roster: Roster, enrolment: Enrolment) -> Line:
    child = enrolment.student
    school = f"{enrolment.school}，" if roster.school_id is None else ""
    return Line(
        name=child.person.name,
        class_name=f"{school}{enrolment.grade(roster.term.school_year.starts_in)}{enrolment.class_name}",
        birth_on=child.person.birth_on,
        village=str(child.hukou_village or ("外县" if child.hukou_outside else "")),
        student=child.pk,
    )
