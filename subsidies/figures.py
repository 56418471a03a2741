"""Figures of aid: how many lines are asked for, and how many finance has approved. Meaning: docs/rules/figures.md."""

from django.db.models import Count, QuerySet, Sum

from bureau import figures
from bureau.figures import Asked, Base, Figure, FigureFilter, Line, Tile, Unit
from bureau.money import format_wan
from subsidies.models import Grant
from subsidies.models.grants import LIVE

PAGE, RIGHT = "subsidies:grants", "aid.view"
STAGES = {"state": dict(Grant.State.choices)}
PARTS = {"township": "school__township", "state": "state"}
GRANT_FIGURES = FigureFilter(page=PAGE, words=STAGES)


def asked_for(asked: Asked) -> QuerySet[Grant]:
    """本学期已申请的资助: lines that were applied for and are neither refused, given up nor stopped."""
    return Grant.objects.visible_to(asked.account).filter(
        county=asked.county, term=asked.term, state__in=LIVE
    )


def approved(asked: Asked) -> QuerySet[Grant]:
    """其中财政已审核的: ready to be paid."""
    return asked_for(asked).filter(state=Grant.State.FINANCE_APPROVED)


ASKED_FOR = Figure(
    "A01",
    "本学期资助申请",
    Unit.PERSON_TIMES,
    Base.ALL,
    "本学期已申请、没有退出的资助，一人一个项目计一人次",
    asked_for,
    PAGE,
    RIGHT,
    PARTS,
)
APPROVED = Figure(
    "A02",
    "财政已审核",
    Unit.PERSON_TIMES,
    Base.ALL,
    "本学期资助申请中财政审核通过、等待发放的",
    approved,
    PAGE,
    RIGHT,
    PARTS,
)


def _line(asked: Asked) -> Line:
    return Line("其中财政已审核", f"{APPROVED.value(asked):,} 人次", "up-n")


def _foot(asked: Asked) -> str:
    fen = approved(asked).aggregate(fen=Sum("amount_fen", default=0))["fen"]
    kinds = approved(asked).order_by().aggregate(children=Count("student", distinct=True))["children"]
    return f"{kinds:,} 人，{format_wan(fen)}" if kinds else "还没有审核通过的"


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    figures.register(ASKED_FOR)
    figures.register(APPROVED)
    figures.register_tile(Tile(ASKED_FOR, "wallet", "blue", _line, _foot))
