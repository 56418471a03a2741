"""The two lists of the auditor: what was done, and which children were looked at."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from bureau.access.models import Account
from bureau.audit.telling import kind_in_words
from bureau.audit.verbs import VERBS
from bureau.lists import Choice, Day, Filter, Listing, Order, Refused, Search

SYSTEM = "系统"  # the name of nobody: beat, and commands before the first account
MOST_CHILDREN = 20


def _since(rows: QuerySet, day: date) -> QuerySet:
    return rows.filter(at__gte=_midnight(day))


def _until(rows: QuerySet, day: date) -> QuerySet:
    """The day itself counts."""
    return rows if day == date.max else rows.filter(at__lt=_midnight(day + timedelta(days=1)))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _by_person(rows: QuerySet, words: str) -> QuerySet:
    """Whole account names first: `clerk1` is not `clerk10`."""
    if words == SYSTEM:
        return rows.filter(by=None)
    exact = Account.objects.filter(username=words)
    like = Q(username__icontains=words) | Q(display_name__icontains=words)
    return rows.filter(by__in=exact if exact.exists() else Account.objects.filter(like))


@dataclass(frozen=True)
class About(Filter):
    """One thing, as kind:key; it comes from a link on the row."""

    def read(self, text, listing):
        kind, _, key = text.partition(":")
        if not key or len(text) > 125 or not kind_in_words(kind):
            raise Refused
        return (kind, key), f"同一{kind_in_words(kind)}的全部记录"


@dataclass(frozen=True)
class SeenChildren(Filter):
    """Children by key: found by their number, or from a row that showed one of them."""

    def read(self, text, listing):
        try:
            keys = {UUID(key) for key in text.split(",")}
        except ValueError:
            raise Refused from None
        if len(keys) > MOST_CHILDREN:
            raise Refused
        return keys, "只看查阅过这名学生的" if len(keys) == 1 else f"只看查阅过这 {len(keys)} 名学生的"


PERIOD = [Day("from", "自", _since), Day("to", "至", _until)]


class Events(Listing):
    orders = [Order("new", "时间", "at", descending=True)]
    filters = [
        *PERIOD,
        Search("who", "操作人", _by_person, hint="姓名 / 账号"),
        Choice("verb", "操作", lambda rows, verb: rows.filter(verb=verb), VERBS.items()),
        About(
            "about",
            "记录",
            lambda rows, about: rows.filter(subject_kind=about[0], subject_id=about[1]),
            hidden=True,
        ),
    ]

    def decorate(self, queryset):
        return queryset.select_related("by")


class Looks(Listing):
    unit = "次"
    orders = [Order("new", "时间", "at", descending=True)]
    filters = [
        *PERIOD,
        Search("who", "查阅人", _by_person, hint="姓名 / 账号"),
        SeenChildren("child", "学生", lambda rows, keys: rows.of_child(*keys), hidden=True),
    ]

    def decorate(self, queryset):
        return queryset.select_related("by")
