"""Figures of 学生群体: children of each group who sit in a school here on the day. Meaning: docs/rules/figures.md."""

from collections.abc import Callable

from django.db.models import Exists, OuterRef, QuerySet

from bureau import figures
from bureau.figures import Asked, Base, Figure, Unit
from students.figures import IN_SCHOOL_PARTS, STUDENTS_PAGE, STUDENTS_RIGHT, present
from students.models import Group, GroupFact, Student


def present_of(group: str) -> Callable[[Asked], QuerySet[Student]]:
    """在校学生 who belong to the group on the day."""

    def rows(asked: Asked) -> QuerySet[Student]:
        facts = GroupFact.objects.covering(asked.on).filter(student=OuterRef("pk"), group=group)
        return present(asked).filter(Exists(facts))

    return rows


FIGURES = [
    Figure(
        f"G{number:02}",
        f"在校{group.label}",
        Unit.PERSON,
        Base.STUDYING,
        f"在校学生中统计日登记为{group.label}的人，按人计",
        present_of(group.value),
        STUDENTS_PAGE,
        STUDENTS_RIGHT,
        IN_SCHOOL_PARTS,
    )
    for number, group in enumerate(Group, start=1)
]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    for figure in FIGURES:
        figures.register(figure)
