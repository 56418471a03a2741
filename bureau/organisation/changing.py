"""Schools that close into another, give classes away, get a new name or code: planned, looked at, applied, undone.

What hangs on a school is moved by followers, which rooms plug in (`register`); accounts are moved here.
Source: docs/rules/school-year.md, “学校撤并、更名”.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bureau import audit, states
from bureau.access.models import Account, Assignment
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.models import County, School, SchoolCode

Kind, State = SchoolChange.Kind, SchoolChange.State
SCHOOL_FACTS = ("name", "code", "aliases", "closed_on", "succeeded_by_id")


class NotChanged(Exception):
    """The change cannot be made so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Follower:
    """What goes along with a school that closes or gives classes away.

    `preview(change)` tells lines (what, how many, unit); `apply(change)` moves and returns what it needs to give back;
    `hinders(change, kept)` says why that cannot be given back (empty: it can); `undo(change, kept)` gives it back.
    `classes(school)` are (key, label, children) of what a split may choose from.
    """

    code: str
    preview: Callable[[SchoolChange], list[tuple[str, int, str]]]
    apply: Callable[[SchoolChange], dict[str, Any]]
    hinders: Callable[[SchoolChange, dict[str, Any]], list[str]]
    undo: Callable[[SchoolChange, dict[str, Any]], None]
    classes: Callable[[School], list[tuple[str, str, int]]] = field(default=lambda school: [])


_followers: dict[str, Follower] = {}


def register(follower: Follower) -> None:
    """Add a follower once; a second one of the same code takes its place (ready() may run twice in tests)."""
    _followers[follower.code] = follower


def classes_of(school: School) -> list[tuple[str, str, int]]:
    return [one for follower in _followers.values() for one in follower.classes(school)]


@transaction.atomic
def plan(
    *, school: School, kind: str, effective_on: date, decision: str, by: Account, successor: School | None = None,
    value: str = "", classes: list[str] | None = None,
) -> SchoolChange:  # fmt: skip
    """Write a decision down; nothing else changes until it is applied. Raises NotChanged."""
    change = SchoolChange(
        county_id=school.county_id, school=school, kind=kind, successor=successor, value=value.strip(), classes=classes or [],
        effective_on=effective_on, decision=decision, planned_by=by,
    )  # fmt: skip
    _check(change)
    try:
        with transaction.atomic():
            change.save(force_insert=True)
    except IntegrityError as error:
        raise NotChanged("planned_already", f"{school}已有一项同类的待执行安排。") from error
    audit.record(by=by, verb="organisation.change_planned", subject=change, detail=_detail(change))
    return change


@transaction.atomic
def cancel(*, change: SchoolChange, by: Account) -> None:
    states.move(SchoolChange.objects.filter(pk=change.pk), to=State.CANCELLED, by=by)
    audit.record(by=by, verb="organisation.change_cancelled", subject=change, detail=_detail(change))


def preview(change: SchoolChange) -> list[tuple[str, int, str]]:
    """What applying it now would move: (what, how many, unit)."""
    if change.kind in (Kind.RENAME, Kind.RECODE):
        return []
    lines = [line for follower in _followers.values() for line in follower.preview(change)]
    if change.kind == Kind.CLOSE:
        lines.append(("账号任职", _running(change).count(), "个"))
        lines.append(("所管教学点", change.school.managed.count(), "所"))
    return lines


@transaction.atomic
def apply(*, change: SchoolChange, today: date, by: Account | None) -> SchoolChange:
    """Everything at once, from the day it takes effect; applied already, nothing happens. Raises NotChanged, IllegalMove.

    A closed school's last day is the day before. Papers, former rolls and ended stays go on naming the old school.
    """
    County.objects.select_for_update(no_key=True).get(pk=change.county_id)
    change = _held(change)
    if change.state == State.APPLIED:
        return change
    if today < change.effective_on:
        day = change.effective_on
        raise NotChanged("too_early", f"{day.year}年{day.month}月{day.day}日起才能执行。")
    _check(change)
    states.move(
        SchoolChange.objects.filter(pk=change.pk), to=State.APPLIED, by=by, effective_on=change.effective_on
    )
    change.before = {"school": _image(change.school)}
    change.counts = {what: count for what, count, _ in preview(change)}
    if change.kind in (Kind.CLOSE, Kind.SPLIT):
        change.before |= {code: follower.apply(change) for code, follower in _followers.items()}
    if change.kind == Kind.CLOSE:
        change.before |= {"accounts": _move_accounts(change), "managed": _move_managed(change)}
    _change_school(change)
    change.applied_by, change.applied_at = by, timezone.now()
    change.save(update_fields=["before", "counts", "applied_by", "applied_at"])
    audit.record(
        by=by,
        verb="organisation.change_applied",
        subject=change,
        detail=_detail(change) | {"count": sum(change.counts.values())},
    )
    change.refresh_from_db()
    return change


def hinders(change: SchoolChange) -> list[str]:
    """What stands in the way of taking it back; empty when nothing does."""
    later = SchoolChange.objects.filter(
        school=change.school, state=State.APPLIED, applied_at__gt=change.applied_at
    )
    found = ["这所学校之后又有变更，请先撤销后来的。"] if change.applied_at and later.exists() else []
    held = School.objects.filter(
        county=change.county_id, code=change.before.get("school", {}).get("code", "")
    )
    if change.kind == Kind.RECODE and held.exclude(pk=change.school_id).exists():
        found.append("原来的标识码现在是另一所学校的。")
    for code, follower in _followers.items():
        if code in change.before:
            found += follower.hinders(change, change.before[code])
    return found


@transaction.atomic
def undo(*, change: SchoolChange, reason: str, by: Account) -> SchoolChange:
    """Everything as it was before; what was added at the successor since stays there. Raises NotChanged, IllegalMove."""
    County.objects.select_for_update(no_key=True).get(pk=change.county_id)
    change = _held(change)
    if change.state == State.APPLIED and (hindering := hinders(change)):
        raise NotChanged("blocked", hindering[0])
    states.move(SchoolChange.objects.filter(pk=change.pk), to=State.UNDONE, by=by, reason=reason)
    for code, follower in _followers.items():
        if code in change.before:
            follower.undo(change, change.before[code])
    _give_accounts_back(change.before.get("accounts", {}))
    School.objects.filter(pk__in=change.before.get("managed", [])).update(managed_by=change.school)
    school = change.school
    if change.kind == Kind.RECODE:
        SchoolCode.objects.filter(school=school, code=change.before["school"]["code"]).delete()
    for name, value in change.before["school"].items():
        setattr(school, name, date.fromisoformat(value) if name == "closed_on" and value else value)
    school.save()
    audit.record(by=by, verb="organisation.change_undone", subject=change, detail=_detail(change))
    change.refresh_from_db()
    return change


def _check(change: SchoolChange) -> None:
    school, to = change.school, change.successor
    if school.closed_on and change.state != State.APPLIED:
        raise NotChanged("closed", f"{school}已经撤并。")
    if not change.decision.strip():
        raise NotChanged("decision_required", "请填写依据文件。")
    if change.kind in (Kind.CLOSE, Kind.SPLIT):
        if to is None or to.pk == school.pk:
            raise NotChanged("successor_required", "请选择另一所学校。")
        if to.county_id != school.county_id or to.closed_on:
            raise NotChanged("successor_closed", f"{to}已经撤并，请选择在办的学校。")
        if change.kind == Kind.CLOSE and not set(school.stages) <= set(to.stages):
            raise NotChanged(
                "other_stages", f"{to}没有{school.get_stages_display()}中的学段，请先修改该校学段。"
            )
        if change.kind == Kind.SPLIT and not change.classes:
            raise NotChanged("classes_required", "请选择分出哪些班级。")
    elif not change.value:
        raise NotChanged("value_required", "请填写新的名称或代码。")
    elif change.value in (school.name if change.kind == Kind.RENAME else school.code,):
        raise NotChanged("same_value", "与现在的相同。")
    if (
        change.kind == Kind.RECODE
        and School.objects.filter(county=school.county_id, code=change.value).exists()
    ):
        raise NotChanged("code_taken", "这个标识码已有学校使用。")


def _change_school(change: SchoolChange) -> None:
    school = change.school
    if change.kind == Kind.CLOSE:
        school.closed_on, school.succeeded_by = change.effective_on - timedelta(days=1), change.successor
    elif change.kind == Kind.RENAME:
        school.aliases = [*(alias for alias in school.aliases if alias != change.value), school.name]
        school.name = change.value
    elif change.kind == Kind.RECODE:
        SchoolCode.objects.create(
            school=school, code=school.code, valid_to=change.effective_on - timedelta(days=1)
        )
        school.code = change.value
    school.save()


def _running(change: SchoolChange):
    return Assignment.objects.not_ended(change.effective_on).filter(school=change.school)


def _move_accounts(change: SchoolChange) -> dict[str, Any]:
    """Each assignment at the closed school ends the day before and goes on at the successor, unless held there already."""
    ended, made = {}, []
    for held in _running(change).order_by("pk"):
        ended[str(held.pk)] = held.valid_to.isoformat() if held.valid_to else None
        there = Assignment.objects.not_ended(change.effective_on).filter(
            account=held.account_id, role=held.role, school=change.successor
        )
        if not there.exists():
            made.append(
                Assignment.objects.create(
                    account_id=held.account_id, county_id=held.county_id, role=held.role, school=change.successor,
                    valid_from=max(held.valid_from, change.effective_on), valid_to=held.valid_to,
                    deputy_for_id=held.deputy_for_id,
                ).pk
            )  # fmt: skip
        held.valid_to = change.effective_on - timedelta(days=1)
        held.save(update_fields=["valid_to"])
    return {"ended": ended, "made": made}


def _give_accounts_back(kept: dict[str, Any]) -> None:
    Assignment.objects.filter(pk__in=kept.get("made", [])).delete()
    for key, valid_to in kept.get("ended", {}).items():
        Assignment.objects.filter(pk=key).update(valid_to=valid_to and date.fromisoformat(valid_to))


def _move_managed(change: SchoolChange) -> list[str]:
    managed = change.school.managed.exclude(pk=change.successor_id)
    keys = [str(pk) for pk in managed.values_list("pk", flat=True)]
    School.objects.filter(pk__in=keys).update(managed_by=change.successor)
    return keys


def _image(school: School) -> dict[str, Any]:
    image = {name: getattr(school, name) for name in SCHOOL_FACTS}
    image["closed_on"] = school.closed_on.isoformat() if school.closed_on else None
    image["succeeded_by_id"] = str(school.succeeded_by_id) if school.succeeded_by_id else None
    return image


def _held(change: SchoolChange) -> SchoolChange:
    """Locked alone: the schools are read after that, as they are then."""
    return SchoolChange.objects.select_for_update().get(pk=change.pk)


def _detail(change: SchoolChange) -> dict[str, Any]:
    place = change.successor.code if change.successor else ""
    return {
        "school_change": str(change.kind),
        "code": change.school.code,
        "place": place,
        "from": change.effective_on,
    }
