"""The problems of an uploaded file as a clerk reads them: grouped by kind, with a count and one example each, filtered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from bureau.organisation.models import Stage
from bureau.sheets.codes import CODES
from students.models import Roster, RosterRow
from students.models.schooling import GRADE_NAMES, grade_in

LEVELS = {"error": ("错误", "red"), "warning": ("提醒", "amber"), "note": ("说明", "grey")}
LISTED = 50
WORDS = ("level", "code", "column", "sheet", "class", "q", "from")
Place = tuple[str | None, int | None]  # (sheet, row)


@dataclass(frozen=True)
class Asked:
    """What the reader has chosen; words of the address."""

    level: str = ""
    code: str = ""
    column: str = ""
    sheet: str = ""
    class_key: str = ""
    text: str = ""
    start: int = 0

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Asked":
        *words, start = (params.get(word, "").strip() for word in WORDS)
        return cls(*words, start=int(start) if start.isdigit() and len(start) < 9 else 0)

    @property
    def query(self) -> str:
        values = (self.level, self.code, self.column, self.sheet, self.class_key, self.text, self.start)
        return urlencode({word: value for word, value in zip(WORDS, values, strict=True) if value})


@dataclass(frozen=True)
class Kind:
    """All problems of one level and code in one column of the file."""

    level: str
    code: str
    column: str
    count: int
    example: dict[str, Any]
    query: str = ""

    @property
    def title(self) -> str:
        known = CODES.get(self.code)
        return known.title if known else self.example["message"]

    @property
    def level_name(self) -> str:
        return LEVELS[self.level][0]

    @property
    def tone(self) -> str:
        return LEVELS[self.level][1]


@dataclass(frozen=True)
class Problems:
    """What is shown: the kinds, how many of each level, and the chosen places, `LISTED` at a time."""

    asked: Asked
    kinds: list[Kind]
    levels: list[tuple[str, str, int, str]]  # level, name, count, query
    chosen: Kind | None
    places: list[dict[str, Any]]
    total: int
    next_query: str
    sheets: list[str]
    columns: list[str]
    classes: list[tuple[str, str]]

    @property
    def first(self) -> int:
        return self.asked.start + 1

    @property
    def last(self) -> int:
        return self.asked.start + len(self.places)

    @property
    def is_filtered(self) -> bool:
        return bool(replace(self.asked, start=0).query)


def grouped(
    problems: list[dict[str, Any]],
    asked: Asked,
    *,
    classes: list[tuple[str, str]] | None = None,
    in_class: set[Place] | None = None,
    named: set[Place] | None = None,
) -> Problems:
    """Worst first, then by number. `in_class` are the rows of the chosen class, `named` those of children so called."""
    sheets = list(dict.fromkeys(p["sheet"] for p in problems if p["sheet"]))
    columns = list(dict.fromkeys(p["column"] for p in problems if p["column"]))
    found = [p for p in problems if _matches(p, asked, in_class, named or set())]
    of_level = Counter(p["level"] for p in found)
    if asked.level:
        found = [p for p in found if p["level"] == asked.level]
    kinds = _kinds(found, asked)
    chosen = next((kind for kind in kinds if asked.code and _key(kind) == _of(asked, kind)), None)
    places = [p for p in found if (p["level"], p["code"], p["column"] or "") == _key(chosen)] if chosen else found
    after = asked.start + LISTED
    return Problems(
        asked=asked,
        kinds=kinds,
        levels=[
            (name, LEVELS[name][0], of_level[name], replace(asked, level=name, code="", start=0).query)
            for name in LEVELS
            if of_level[name]
        ],
        chosen=chosen,
        places=places[asked.start : after],
        total=len(places),
        next_query=replace(asked, start=after).query if len(places) > after else "",
        sheets=sheets if len(sheets) > 1 else [],
        columns=columns,
        classes=classes or [],
    )


def grouped_of(roster: Roster, params: Mapping[str, str]) -> Problems:
    """The problems of a roster; a class and a child's name are looked up in its rows."""
    asked = Asked.of(params)
    rows = RosterRow.objects.filter(roster=roster, carried=False)
    classes = _classes(roster)
    in_class, named = None, set()
    if asked.class_key in dict(classes):
        stage, entered_in, class_name = asked.class_key.split("|", 2)
        year = int(entered_in) if entered_in else None
        places = rows.filter(stage=stage, entered_in=year, class_name=class_name)
        in_class = set(places.values_list("sheet", "row"))
    if asked.text:
        named = set(rows.filter(name__contains=asked.text).values_list("sheet", "row"))
    return grouped(roster.problems, asked, classes=classes, in_class=in_class, named=named)


def _classes(roster: Roster) -> list[tuple[str, str]]:
    """(key, name) of the classes in the file, in the order of grades; none where there is only one."""
    rows = RosterRow.objects.filter(roster=roster, carried=False).order_by()
    year, order = roster.term.school_year.starts_in, list(Stage.values)
    found = []
    for stage, entered_in, class_name in rows.values_list("stage", "entered_in", "class_name").distinct():
        grade = grade_in(year, stage=stage, entered_in=entered_in) if stage and entered_in else ""
        name = f"{GRADE_NAMES.get(grade, '')}{class_name}" or "年级、班级未识别"
        place = order.index(stage) if stage in order else len(order)
        found.append(((place, -(entered_in or 0), class_name), f"{stage}|{entered_in or ''}|{class_name}", name))
    return [(key, name) for _, key, name in sorted(found)] if len(found) > 1 else []


def _matches(problem: dict[str, Any], asked: Asked, in_class: set[Place] | None, named: set[Place]) -> bool:
    place = (problem["sheet"], problem["row"])
    if asked.sheet and problem["sheet"] != asked.sheet:
        return False
    if asked.column and not asked.code and problem["column"] != asked.column:
        return False
    if in_class is not None and place not in in_class:
        return False
    return not asked.text or place in named or asked.text in f"{problem['column'] or ''} {problem['message']}"


def _kinds(problems: list[dict[str, Any]], asked: Asked) -> list[Kind]:
    counts = Counter((p["level"], p["code"], p["column"] or "") for p in problems)
    first = {(p["level"], p["code"], p["column"] or ""): p for p in reversed(problems)}
    kinds = [
        Kind(*key, counts[key], first[key], replace(asked, level=key[0], code=key[1], column=key[2], start=0).query)
        for key in counts
    ]
    order = list(LEVELS)
    return sorted(kinds, key=lambda kind: (order.index(kind.level), -kind.count))


def _key(kind: Kind) -> tuple[str, str, str]:
    return kind.level, kind.code, kind.column


def _of(asked: Asked, kind: Kind) -> tuple[str, str, str]:
    return asked.level or kind.level, asked.code, asked.column
