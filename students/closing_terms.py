"""What the first floor can tell of a term that opens or closes (bureau.year.checklists)."""

from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from bureau.access.models import Account
from bureau.organisation.models import Term
from bureau.year import checklists
from bureau.year.checklists import CLOSING, OPENING, Check, Tick
from students.models import Absence, Collection, Discrepancy, Movement, Promotion, Roster


def _nothing_left(rows: QuerySet, unit: str, told: str, page: str, **words: str) -> Tick:
    count = rows.count()
    url = reverse(page) + (f"?{urlencode(words)}" if words else "")
    return Tick(not count, f"{count} {unit}{told}" if count else f"没有{told}的", url)


def promoted(term: Term, account: Account) -> Tick | None:
    """Only an autumn asks for it: grades turn once a year."""
    if not term.opens_school_year:
        return None
    done = Promotion.objects.filter(
        school_year=term.school_year_id, school=None, state=Promotion.State.APPLIED
    )
    applied = done.order_by("-applied_at").first()
    told = f"{timezone.localtime(applied.applied_at):%-m月%-d日}全县升级" if applied else "全县还没有升级"
    return Tick(applied is not None, told, reverse("students:year"))


def rolls_asked_for(term: Term, account: Account) -> Tick:
    found = Collection.objects.filter(term=term, kind=Roster.Kind.ROLL).order_by("opens_on").first()
    told = f"{found.opens_on:%-m月%-d日}至{found.closes_on:%-m月%-d日}" if found else "还没有布置"
    return Tick(found is not None, told, reverse("students:collections"))


def collections_locked(term: Term, account: Account) -> Tick:
    open_ones = Collection.objects.filter(term=term, locked_at=None)
    return _nothing_left(open_ones, "项", "还没有锁定", "students:collections")


def questions(term: Term, account: Account) -> Tick:
    late = Discrepancy.objects.visible_to(account).filter(county=term.county_id).overdue(timezone.localdate())
    return _nothing_left(late, "件", "逾期未办结", "students:discrepancies", due="overdue")


def absences(term: Term, account: Account) -> Tick:
    rows = Absence.objects.visible_to(account).filter(county=term.county_id).to_explain()
    return _nothing_left(rows, "人", "等待说明去向", "students:absences")


def movements(term: Term, account: Account) -> Tick:
    rows = Movement.objects.visible_to(account).filter(county=term.county_id).waiting()
    return _nothing_left(rows, "人", "等待答复", "students:movements", state="waiting")


def rosters(term: Term, account: Account) -> Tick:
    rows = Roster.objects.visible_to(account).filter(term=term, status=Roster.State.STAGED)
    return _nothing_left(rows, "份", "等待确认入库", "students:rosters", state=str(Roster.State.STAGED))


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    checklists.register(
        Check("promotion", OPENING, "学年升级已办", promoted),
        Check("rolls", OPENING, "花名册上报已布置", rolls_asked_for),
        Check("rosters", CLOSING, "花名册都已入库", rosters),
        Check("absences", CLOSING, "未出现的学生都有去向", absences),
        Check("movements", CLOSING, "转学都已办结", movements),
        Check("questions", CLOSING, "没有逾期的问题", questions),
        Check("locks", CLOSING, "上报已锁定", collections_locked, required=True),
    )
