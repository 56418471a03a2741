"""Who is entitled to one programme in one term, how much and why; and why everybody else is not.

One row per child: the stay at school that counts. Lists are compared as stays in force, never through what the bureau
has recorded, so a child whose hardship nobody has recorded yet is not missed. Source: docs/rules/aid.md, “应助”.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest

from bureau.organisation.models import Term
from students.models import Enrolment, Entry, Whereabouts
from students.models.determining import Determination, Tier
from subsidies.catalogue import PRECEDENCE, SPECIAL_TIER
from subsidies.models import CategoryGroup, Exclusion, Grant, Programme, Rate, Refusal
from subsidies.models.grants import LIVE
from subsidies.models.programmes import Boarding, CountedBy, Reference
from subsidies.terms import ordinal

NEVER = Q(pk__in=[])
FOREVER = date(9999, 12, 31)
BOARDING = {Boarding.BOARDER: Q(boarding=True), Boarding.DAY: Q(boarding=False), "": Q()}


def any_of(conditions: Iterable[Q]) -> Q:
    """True where one of them is; an empty condition is always true, and no condition at all never."""
    conditions = list(conditions)
    if any(not condition for condition in conditions):
        return Q()
    return reduce(or_, conditions) if conditions else NEVER


def one_by_one(condition: Exists) -> Q:
    """The same, asked of each row through its index.

    PostgreSQL would turn a bare EXISTS into a join; it takes the rows left by so many conditions for one, and would
    then compare everybody with everybody. An alternative that is never true keeps it from that.
    """
    return Q(condition) | Q(county=None)


def seen_by(account, rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """The stays of children an account may see: at its schools, at schools of its township, or registered there."""
    scope = account.scope
    if scope.whole_county:
        return rows.filter(county__in=scope.counties)
    return rows.filter(
        Q(school__in=scope.schools)
        | Q(school__township__in=scope.townships)
        | Q(student__hukou_township__in=scope.townships)
    )


@dataclass(frozen=True)
class Entitlement:
    """The question about one programme-term. `rates` may be others than those in force: that is a what-if."""

    programme: Programme
    term: Term
    rates: tuple[Rate, ...]

    @classmethod
    def of(cls, programme: Programme, term: Term) -> "Entitlement":
        in_force = programme.rates.in_term(ordinal(term.code)).order_by("pk")
        return cls(programme, term, tuple(in_force))

    # The days

    @property
    def reference_on(self) -> date:
        """The day on which everybody's standing is judged, unless he was found to be in hardship later in the term."""
        days = self.programme.reference_days if self.programme.reference == Reference.ON_DAY else 0
        return self.term.starts_on + timedelta(days=days)

    @property
    def last_on(self) -> date:
        """Until when somebody newly identified still gets this term."""
        return self.term.ends_on if self.programme.reference == Reference.IN_TERM else self.reference_on

    # Who is looked at

    @cached_property
    def groups(self) -> dict[str, CategoryGroup]:
        """The category groups as they stand in this term."""
        rows = CategoryGroup.objects.filter(
            county=self.programme.county_id, from_term__lte=ordinal(self.term.code)
        )
        return {row.code: row for row in rows.order_by("from_term")}

    def considered(self) -> QuerySet[Enrolment]:
        """Every child at a stage this programme pays for, once: at the school that has him on the day.

        Without any rate that is everybody at school. Source: docs/rules/aid.md, “哪所学校报”.
        """
        better = self._stays(student=OuterRef("student")).exclude(pk=OuterRef("pk"))
        better = better.filter(
            Q(weight__gt=OuterRef("weight")) | Q(weight=OuterRef("weight"), pk__lt=OuterRef("pk"))
        )
        rows = self._stays().filter(~one_by_one(Exists(better)))
        if self.rates:
            rows = rows.filter(stage__in={rate.stage for rate in self.rates})
        return rows

    def _stays(self, **of) -> QuerySet[Enrolment]:
        day = self.reference_on
        rows = Enrolment.objects.filter(
            Q(ended_on=None) | Q(ended_on__gt=day),
            Q(started_on=None) | Q(started_on__lte=self.term.ends_on),
            county=self.programme.county_id,
            **of,
        ).order_by()
        if self.programme.counted_by == CountedBy.HUKOU:
            rows = rows.filter(student__hukou_outside=False)
        else:
            rows = rows.filter(school__isnull=False)
        known = Q(ended_on__isnull=False) | Q(is_registered=True) | Q(is_present=True)
        from_the_first_day = Q(started_on=None) | Q(started_on__lte=day)
        return rows.annotate(
            weight=_worth(known, 16)
            + _worth(from_the_first_day, 8)
            + _worth(Q(ended_on=None), 4)
            + _worth(Q(is_present=True), 2)
            + _worth(Q(is_registered=True), 1),
            until=Coalesce("ended_on", Value(FOREVER, DateField())),
        )

    # Conditions

    def _listed(self, categories: Iterable[str]) -> QuerySet[Entry]:
        """Stays on lists, while he was at school, that reach into the term (or cover the one day that counts)."""
        return Entry.objects.filter(
            Q(listed_to=None) | Q(listed_to__gte=self.reference_on),
            county=self.programme.county_id,
            person=OuterRef("student"),
            category__in=list(categories),
            listed_from__lte=self.last_on,
            listed_from__lt=OuterRef("until"),
        )

    def _determined(self) -> QuerySet[Determination]:
        return Determination.objects.within(self.reference_on, self.last_on).filter(
            student=OuterRef("student"),
            school_year=self.term.school_year_id,
            valid_from__lt=OuterRef("until"),
        )

    def _in_group(self, code: str) -> Q:
        """The child belongs to a group: on a list of its categories, or determined on own evidence."""
        group = self.groups.get(code)
        if group is None:
            return NEVER
        listed = Q(Exists(self._listed(group.categories)))
        return listed | Q(Exists(self._determined())) if group.determined else listed

    def _of_tier(self, tier: str) -> Q:
        """By the determination of the year; without one the listed category decides. See docs/rules/aid.md, “等级”."""
        determined = Exists(self._determined())
        told = Q(Exists(self._determined().filter(tier=tier)))
        special = self.groups.get(SPECIAL_TIER)
        by_list = Exists(self._listed(special.categories if special else []))
        if tier == Tier.SPECIAL:
            return told | (~Q(determined) & Q(by_list))
        if tier == Tier.GENERAL:
            return told | (~Q(determined) & ~Q(by_list))
        return told

    def _studies(self, rate: Rate) -> Q:
        """The right stage, year of it and kind of major."""
        condition = Q(stage=rate.stage)
        began = self.term.school_year.starts_in + 1  # of whoever entered this autumn this is year 1
        if rate.year_from:
            condition &= Q(
                entered_in__isnull=False, entered_in__lte=began - rate.year_from - F("repeat_offset")
            )
        if rate.year_to:
            condition &= Q(
                entered_in__isnull=False, entered_in__gte=began - rate.year_to - F("repeat_offset")
            )
        return condition & Q(agricultural=True) if rate.agricultural else condition

    def _by_group(self, *, boarding: bool = True, tier: bool = True) -> Q:
        """Whom a rate fits; each group is asked about once, however many rates it has."""
        lines: dict[str, list[Q]] = {}
        for rate in self.rates:
            condition = self._studies(rate)
            if boarding:
                condition &= BOARDING[rate.boarding]
            if tier and rate.tier:
                condition &= self._of_tier(rate.tier)
            lines.setdefault(rate.group, []).append(condition)
        return any_of(any_of(q) & self._in_group(group) if group else any_of(q) for group, q in lines.items())

    @cached_property
    def _stopped(self) -> dict[str, Q]:
        """What keeps a child out whatever the programme, in the order in which it is told."""
        child, day = OuterRef("student"), self.reference_on
        dead_on_list = Entry.objects.on("deaths").filter(person=child, listed_from__lte=self.term.ends_on)
        somewhere = Whereabouts.objects.filter(student=child, withdrawn_at=None)
        dead = somewhere.filter(kind=Whereabouts.Kind.DECEASED, valid_from__lte=self.term.ends_on)
        suspended = somewhere.covering(day).filter(kind=Whereabouts.Kind.SUSPENDED)
        return {
            "deceased": Q(Exists(dead_on_list)) | Q(Exists(dead)),
            "left": Q(ended_on=None, is_registered=False, is_present=False),
            "suspended": Q(state__contains="休学") | Q(Exists(suspended)),
        }

    @cached_property
    def _barred(self) -> dict[str, Q]:
        """What keeps out a child to whom a rate would fit."""
        refused = Refusal.objects.standing().filter(
            programme=self.programme, term=self.term, student=OuterRef("student")
        )
        found = {"number_pending": Q(student__number_due_on__isnull=False), "refused": Q(Exists(refused))}
        others = Q()
        for exclusion in Exclusion.objects.of(self.programme):
            taken = Q(programme=exclusion.other(self.programme), term=self.term)
            if exclusion.scope == Exclusion.Scope.YEAR:
                taken = Q(
                    programme=exclusion.other(self.programme), term__school_year=self.term.school_year_id
                )
            others |= taken
        if others:
            taken = Grant.objects.filter(others, student=OuterRef("student"), state__in=LIVE)
            found["exclusive"] = Q(Exists(taken))
        return found

    # The answers

    def entitled(self) -> QuerySet[Enrolment]:
        """One row per entitled child with `amount_fen`; where several rates fit, the highest."""
        out = reduce(or_, (*self._stopped.values(), *self._barred.values()))
        rows = self.considered().filter(self._by_group()).filter(~out)
        return rows.annotate(amount_fen=self._amount())

    def explained(self) -> QuerySet[Enrolment]:
        """The entitled with the proof: `entry` (his oldest stay of the category told), `why`, `tier`, `judged_on`."""
        categories = {
            category
            for rate in self.rates
            if rate.group in self.groups
            for category in self.groups[rate.group].categories
        }
        rank = Case(
            *(When(category=code, then=n) for n, code in enumerate(PRECEDENCE)),
            default=99,
            output_field=IntegerField(),
        )
        stays = self._listed(categories).annotate(rank=rank).order_by("rank", "listed_from", "pk")
        day = Value(self.reference_on, DateField())
        return self.entitled().annotate(
            entry=Subquery(stays.values("pk")[:1]),
            why=Coalesce(Subquery(stays.values("category")[:1]), Value(""), output_field=CharField()),
            determination=Subquery(self._determined().values("pk")[:1]),
            tier=self._tier(),
            judged_on=Greatest(day, Coalesce(Subquery(stays.values("listed_from")[:1]), day)),
        )

    def others(self) -> QuerySet[Enrolment]:
        """Everybody looked at and not entitled, each with the first `reason` that applies."""
        if not self.rates:
            return self.considered().annotate(reason=Value("no_rate", CharField()))
        return (
            self.considered()
            .annotate(reason=Case(*self._reasons(), default=Value(""), output_field=CharField()))
            .exclude(reason="")
        )

    def summary(self) -> dict[str, Any]:
        """What the command `entitlements` prints."""
        count, fen = 0, 0
        if self.rates:
            count, fen = (
                self.entitled().aggregate(children=Count("pk"), fen=Sum("amount_fen", default=0)).values()
            )
        counted = self.others().order_by().values("reason").annotate(count=Count("pk")).order_by("reason")
        return {"entitled": count, "amount_fen": fen, "not": list(counted)}

    def _reasons(self) -> list[When]:
        listed = self._by_group(boarding=False, tier=False)
        checked = [(code, condition) for code, condition in self._stopped.items()]
        checked.append(("not_this_year", ~any_of(self._studies(rate) for rate in self.rates)))
        if listed:
            checked += [("cannot_check", ~listed & Q(student__hukou_outside=True)), ("not_listed", ~listed)]
        boarding = {rate.boarding for rate in self.rates}
        if "" not in boarding:
            fits = self._by_group(tier=False)
            checked += [
                ("boarding_unknown", Q(boarding=None)),
                ("not_boarder", ~fits & Q(boarding=False)),
                ("boarder", ~fits),
            ]
        if any(rate.tier for rate in self.rates):
            checked.append(("other_tier", ~self._by_group()))
        checked += self._barred.items()
        return [When(condition, then=Value(code)) for code, condition in checked if condition]

    def _amount(self) -> Case:
        highest_first = sorted(self.rates, key=lambda rate: -rate.amount_fen)
        several = len({rate.group for rate in self.rates}) > 1
        whens = []
        for rate in highest_first:
            condition = self._studies(rate) & BOARDING[rate.boarding]
            if rate.tier:
                condition &= self._of_tier(rate.tier)
            if several and rate.group:
                condition &= self._in_group(rate.group)
            whens.append(When(condition, then=Value(rate.amount_fen)))
        return Case(*whens, default=Value(0), output_field=BigIntegerField())

    def _tier(self):
        if not any(rate.tier for rate in self.rates):
            return Value("", CharField())
        whens = [When(self._of_tier(tier), then=Value(tier)) for tier in Tier.values]
        return Case(*whens, default=Value(""), output_field=CharField())


def _worth(condition: Q, points: int) -> Case:
    return Case(When(condition, then=Value(points)), default=Value(0), output_field=IntegerField())
