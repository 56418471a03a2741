"""Setting the bureau's dates, closing a term with its figures, opening it again."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bureau import audit, figures
from bureau.access.models import Account
from bureau.calendars import workdays
from bureau.figures import NO_PART, Asked
from bureau.organisation.models import County, School, Stage, Term, Township
from bureau.states.models import key_text
from bureau.year.checklists import CLOSING, ticks
from bureau.year.models import FrozenFigure, TermClosing, WorkDate

KEPT_PARTS = ("township", "school", "stage")
NO_PLACE = "未注明"


class NotClosed(Exception):
    """It cannot be done so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@transaction.atomic
def save_work_date(*, work_date: WorkDate, values: dict[str, Any], by: Account) -> WorkDate:
    """Set or change a date. Raises NotClosed where the same work with the same last day is there already."""
    for name, value in values.items():
        setattr(work_date, name, value)
    work_date.set_by = by
    try:
        with transaction.atomic():
            work_date.save()
    except IntegrityError as error:
        raise NotClosed("exists", "这项工作在这一天已有安排，请修改原来的。") from error
    detail = {"work": work_date.kind, "from": work_date.starts_on, "to": work_date.due_on}
    audit.record(by=by, verb="year.work_date_set", subject=work_date, county=work_date.county, detail=detail)
    return work_date


@transaction.atomic
def delete_work_date(*, work_date: WorkDate, by: Account) -> None:
    detail = {"work": work_date.kind, "from": work_date.starts_on, "to": work_date.due_on}
    audit.record(
        by=by, verb="year.work_date_deleted", subject=work_date, county=work_date.county, detail=detail
    )
    work_date.delete()


@transaction.atomic
def copy_year(*, county: County, school_year: int, by: Account) -> int:
    """The dates of the school year before, a year later, on the next 工作日 where one falls on a day off; how many were new.

    What is there already stays as it is, so copied twice nothing is added.
    """
    calendar = workdays(county)
    there = set(WorkDate.objects.filter(county=county).values_list("title", "due_on"))
    made = []
    for old in WorkDate.objects.filter(county=county, due_on__range=days_of(school_year - 1)):
        starts_on, due_on = (_next_workday(_year_later(day), calendar) for day in (old.starts_on, old.due_on))
        if (old.title, due_on) not in there:
            there.add((old.title, due_on))
            made.append(
                WorkDate(
                    county=county, kind=old.kind, title=old.title, starts_on=starts_on, due_on=due_on, roles=old.roles,
                    note=old.note, set_by=by,
                )
            )  # fmt: skip
    WorkDate.objects.bulk_create(made)
    if made:
        audit.record(
            by=by, verb="year.work_dates_copied", subject=county, county=county, detail={"count": len(made)}
        )
    return len(made)


def days_of(school_year: int) -> tuple[date, date]:
    """First and last day of a school year for the calendar: August to July, when the term lists are not entered yet."""
    return date(school_year, 8, 1), date(school_year + 1, 7, 31)


def _year_later(day: date) -> date:
    return (
        day.replace(year=day.year + 1, day=28)
        if (day.month, day.day) == (2, 29)
        else day.replace(year=day.year + 1)
    )


def _next_workday(day: date, calendar) -> date:
    return day if day in calendar else calendar.add(day, 1)


@transaction.atomic
def close_term(*, term: Term, today: date, by: Account) -> TermClosing:
    """Keep every figure as it is today; closed already, that closing stands. Raises NotClosed.

    The figures are those `by` sees, so he sees the whole county. A term is closed on its last day or later.
    """
    if not by.scope.whole_county:
        raise NotClosed("not_the_county", "学期收尾由县局办理。")
    County.objects.select_for_update(no_key=True).get(pk=term.county_id)
    if standing := term.closings.standing().first():
        return standing
    if today < term.ends_on:
        day = term.ends_on
        raise NotClosed("too_early", f"学期到{day.year}年{day.month}月{day.day}日结束，那一天起才能收尾。")
    open_ones = [check.title for check, tick in ticks(CLOSING, term, by) if check.required and not tick.done]
    if open_ones:
        raise NotClosed("not_ready", f"还有必须先办的：{'、'.join(open_ones)}。")
    asked = Asked.by(by, on=today, term=term)
    closing = TermClosing.objects.create(
        term=term, number=term.closings.count() + 1, closed_on=today, closed_by=by
    )
    FrozenFigure.objects.bulk_create(_frozen(closing, asked), batch_size=500)
    detail = {"code": term.code, "count": closing.figures.count()}
    audit.record(by=by, verb="year.term_closed", subject=term, county=term.county, detail=detail)
    return closing


@transaction.atomic
def reopen_term(*, closing: TermClosing, reason: str, by: Account) -> bool:
    """Work on the term goes on; what was frozen stays as a record. False when it was opened before."""
    if not reason.strip():
        raise NotClosed("reason_required", "请写明重新打开的理由。")
    held = TermClosing.objects.standing().filter(pk=closing.pk)
    if not held.update(reopened_by=by, reopened_at=timezone.now(), reason=reason[:200]):
        return False
    term = closing.term
    audit.record(
        by=by, verb="year.term_reopened", subject=term, county=term.county, detail={"code": term.code}
    )
    return True


def _frozen(closing: TermClosing, asked: Asked) -> Iterable[FrozenFigure]:
    names: dict[str, dict[str, str]] = {"stage": dict(Stage.choices)}
    for part, model in (("township", Township), ("school", School)):
        names[part] = {
            key_text(pk): name
            for pk, name in model.objects.filter(county=asked.county).values_list("pk", "name")
        }
    for figure in figures.figures():
        words = {
            "closing": closing,
            "code": figure.code,
            "name": figure.name,
            "unit": figure.unit.label,
            "base": figure.base,
        }
        yield FrozenFigure(**words, value=figure.value(asked))
        for part in KEPT_PARTS:
            for place, value in figure.counts(asked, part).items() if part in figure.parts else ():
                key = key_text(place)
                name = NO_PLACE if key == NO_PART else names[part].get(key, key)
                yield FrozenFigure(**words, part=part, place=key, place_name=name, value=value)
