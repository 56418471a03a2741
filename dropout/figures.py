"""Figures of dropout control. Meaning and base of each: docs/rules/figures.md."""

from django.db.models import QuerySet

from bureau import figures
from bureau.figures import Asked, Base, Figure, FigureFilter, Line, Tile, Unit
from dropout.models import Case

PAGE, RIGHT = "dropout:cases", "dropout.view"
PARTS = {"township": "township", "school": "school", "state": "state"}
CASE_FIGURES = FigureFilter(page=PAGE, words={"state": dict(Case.State.choices)})


def open_cases(asked: Asked) -> QuerySet[Case]:
    return Case.objects.visible_to(asked.account).filter(county=asked.county).open()


def out_of_school(asked: Asked) -> QuerySet[Case]:
    return open_cases(asked).verified()


def late(asked: Asked) -> QuerySet[Case]:
    return open_cases(asked).overdue(asked.on)


def _of_cases(code: str, name: str, definition: str, rows) -> Figure:
    return Figure(code, name, Unit.PERSON, Base.ALL, definition, rows, PAGE, RIGHT, PARTS)


OPEN = _of_cases("C01", "控辍保学在办", "没有销号、排除、移交、超龄的个案，一人一案", open_cases)
OUT = _of_cases("C02", "失学辍学未复学", "在办个案中确认失学、辍学而没有复学的", out_of_school)
LATE = _of_cases("C03", "控辍保学逾期", "在办个案中已过本阶段期限的（缓学、休学期内不算）", late)


def _line(asked: Asked) -> Line:
    number = OUT.value(asked)
    return Line("失学、辍学未复学", f"{number:,} 人", "bad" if number else "")


def _foot(asked: Asked) -> str:
    """The rates have a page of their own: they look at every child, a dashboard does not wait for that."""
    return f"已过本阶段期限 {LATE.value(asked):,} 人"


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    for figure in (OPEN, OUT, LATE):
        figures.register(figure)
    figures.register_tile(Tile(OPEN, "footprints", "amber", _line, _foot, private=True))
