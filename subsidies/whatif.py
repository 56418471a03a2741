"""What a rate would change before it is saved: heads and fen by township, as it is and as it would be."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from bureau.organisation.models import Term, Township
from subsidies.entitlement import Entitlement
from subsidies.models import Programme, Rate
from subsidies.models.programmes import CountedBy
from subsidies.terms import ordinal


@dataclass(frozen=True)
class Change:
    """One township's line, or the county's sum."""

    place: str
    heads: int
    fen: int
    heads_then: int
    fen_then: int

    @property
    def heads_more(self) -> int:
        return self.heads_then - self.heads

    @property
    def fen_more(self) -> int:
        return self.fen_then - self.fen


def what_if(programme: Programme, term: Term, rate: Rate) -> list[Change]:
    """By township, the county's sum last. `rate` is not saved."""
    now = Entitlement.of(programme, term)
    then = Entitlement(programme, term, tuple(rates_with(programme, term, rate)))
    before, after = _by_township(now), _by_township(then)
    names = dict(Township.objects.filter(county=programme.county_id).values_list("pk", "name"))
    order = [key for key in [*names, None] if key in before or key in after]
    lines = [
        Change(names.get(key, "未定乡镇"), *before.get(key, (0, 0)), *after.get(key, (0, 0))) for key in order
    ]
    sums = [
        sum(column)
        for column in zip(*((c.heads, c.fen, c.heads_then, c.fen_then) for c in lines), strict=True)
    ] or [0, 0, 0, 0]
    return [*lines, Change("全县", *sums)]


def rates_with(programme: Programme, term: Term, rate: Rate) -> list[Rate]:
    """The rates of the term as they would be with this one in place."""
    number = ordinal(term.code)
    if rate.from_term > number:
        return list(programme.rates.in_term(number))
    others = programme.rates.exclude(pk=rate.pk) if rate.pk else programme.rates.all()
    newest: dict[tuple, Rate] = {}
    for row in [*others.filter(from_term__lte=number), rate]:
        known = newest.get(row.line)
        if known is None or row.from_term >= known.from_term:
            newest[row.line] = row
    return [row for row in newest.values() if row.amount_fen is not None]


def _by_township(question: Entitlement) -> dict:
    if not question.rates:
        return {}
    place = (
        "school__township"
        if question.programme.counted_by == CountedBy.STUDYING
        else "student__hukou_township"
    )
    rows: QuerySet = (
        question.entitled().order_by().values_list(place).annotate(heads=Count("pk"), fen=Sum("amount_fen"))
    )
    return {key: (heads, fen) for key, heads, fen in rows}
