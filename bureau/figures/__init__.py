"""A figure is a queryset with a name: code, base, what it counts, and the rows behind it.

Rooms declare theirs and plug them in from `AppConfig.ready()`:

    figures.register(Figure("S01", "在校学生", Unit.PERSON, Base.STUDYING, "…", rows=present, page="students:students",
                            right="students.view"))

A list page opens the rows of any figure when its Listing has a `FigureFilter`.
"""

from bureau.figures.board import (
    Chart,
    ChartData,
    Line,
    Series,
    Tile,
    charts,
    divided,
    register_chart,
    register_table,
    register_tile,
    tables,
    tiles,
)
from bureau.figures.drill import FigureFilter
from bureau.figures.figure import NO_PART, Asked, Base, Figure, Unit, figures, find, register

__all__ = [
    "NO_PART",
    "Asked",
    "Base",
    "Chart",
    "ChartData",
    "Figure",
    "FigureFilter",
    "Line",
    "Series",
    "Tile",
    "Unit",
    "charts",
    "divided",
    "figures",
    "find",
    "register",
    "register_chart",
    "register_table",
    "register_tile",
    "tables",
    "tiles",
]
