"""Rates of dropout control: numerator, denominator, base and day, each with the children behind it.

Source: docs/rules/dropout.md, “比率”. A rate without a denominator is not 0 and not 100, it is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, QuerySet

from bureau.access.models import Account
from bureau.organisation.terms import term_on
from dropout import ledger
from dropout.ledger import Asked
from dropout.models import Episode
from students.models import Enrolment, Entry, Student

Part = Callable[[QuerySet], QuerySet]


@dataclass(frozen=True)
class Rate:
    """`among` narrows the ledger's children; those of the categories `without` are not asked about, the taught ones count."""

    code: str
    name: str
    base: str
    variant: str
    among: Part
    without: tuple[str, ...] = tuple(ledger.COUNTS["none"])

    def rows(self, children: QuerySet, part: str) -> QuerySet:
        """The children behind the numerator (`num`) or the denominator (`den`)."""
        asked = self.among(children).exclude(category__in=self.without)
        return asked.filter(category__in=ledger.COUNTS["in"]) if part == "num" else asked


@dataclass(frozen=True)
class Told:
    """A rate of one day: num of den, per cent with two decimals or nothing."""

    rate: Rate
    num: int
    den: int

    @property
    def percent(self) -> str:
        return f"{self.num * 100 / self.den:.2f}%" if self.den else ""


def rates(day: date) -> tuple[Rate, ...]:
    def on(*registers: str) -> Part:
        listed = Entry.objects.on(*registers).covering(day).filter(person=OuterRef("pk"))
        return lambda rows: rows.filter(Exists(listed))

    without_deferred = (*ledger.COUNTS["none"], "deferred")
    return (
        Rate("DR1", "义务教育适龄儿童入学率", ledger.HUKOU, "休学、缓学计入分母，不计入分子", lambda rows: rows),
        Rate("DR2", "脱贫（监测）家庭适龄儿童入学率", ledger.HUKOU, "统计日在名单上的适龄儿童", on("poverty", "monitored")),
        Rate("DR3", "残疾儿童入学率", ledger.HUKOU, "缓学计入分母", on("disability")),
        Rate("DR4", "残疾儿童入学率", ledger.HUKOU, "缓学不计入分母", on("disability"), without_deferred),
    )


def told(asked_by: Account, day: date, *codes: str) -> list[Told]:
    """Every rate (or those of `codes`) of the account's county on `day`, of the children it may see; one query each."""
    found = []
    for rate in rates(day):
        if codes and rate.code not in codes:
            continue
        rows = rate.rows(ledger.visible(Asked(asked_by.county, day, rate.base), asked_by), "den")
        counts = dict(rows.order_by().values_list("category").annotate(number=Count("pk")))
        found.append(Told(rate, sum(counts.get(code, 0) for code in ledger.COUNTS["in"]), sum(counts.values())))
    return found


def yearly_dropout(account: Account, day: date) -> tuple[int, int]:
    """年辍学率: children who were confirmed as dropped out in the school year of `day`, of all pupils of compulsory school.

    就读口径. Pupils are those on the rolls now: who was there on the first day is not kept (docs/rules/dropout.md).
    """
    term = term_on(account.county, day)
    if term is None:
        return 0, 0
    year = term.school_year.starts_in
    left = Episode.objects.visible_to(account).filter(
        kind=Episode.Kind.DROPPED_OUT, confirmed_on__range=(date(year, 9, 1), date(year + 1, 8, 31)), case__county=account.county
    )
    gone = left.order_by().values("case").distinct().count()
    here = Enrolment.objects.visible_to(account).open().filter(school__isnull=False, stage__in=["primary", "junior", "special"])
    return gone, Student.objects.filter(Exists(here.filter(student=OuterRef("pk")))).count()
