"""Remedies: what an office may do about differences, for one or for thousands in the same few statements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from bureau import audit, states
from bureau.access.models import Account, Assignment, RoleRights
from bureau.access.roles import Role
from bureau.identity.names import pinyin_key
from bureau.organisation.models import County, School
from students.actions.registers import newest_as_of
from students.models import Discrepancy, Enrolment, Entry, Hardship, Person, Student, Whereabouts
from students.rules import RULES

State = Discrepancy.State
OPEN = Discrepancy.WAITING
ACCEPTED_DAYS = 180  # how long an explanation holds when nobody says otherwise


class NotSettled(Exception):
    """The remedy cannot be taken; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Remedy:
    """One way to settle. `act` changes the facts for a queryset of differences and gives columns to set on them;
    `fields` are the values it asks for beside the reason, `needed` those it cannot do without. What is in the state
    `to` already is left alone, unless the move may be made `again`."""

    code: str
    label: str
    to: str
    act: Callable[..., Mapping[str, Any]]
    fields: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    needs_reason: bool = False
    needs_student: bool = False
    again: bool = False
    right: str = "differences.settle"

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(code for code, rule in RULES.items() if self.code in rule.remedies)


def settle(
    *, discrepancies: QuerySet, remedy: str, by, reason: str = "", values: Mapping[str, Any] | None = None
) -> tuple[int, int]:
    """Take one remedy for every open difference of the queryset that admits it; (settled, left open).

    All or nothing, with one audit line. A remedy changes the facts; the next run verifies them and closes the
    difference, or re-opens it. Raises NotSettled for a missing reason or value, PermissionDenied without the right.
    """
    chosen = REMEDIES[remedy]
    if not by.may(chosen.right):
        raise PermissionDenied(chosen.right)
    given = {name: value for name, value in (values or {}).items() if value not in (None, "")}
    if chosen.needs_reason and not reason.strip():
        raise NotSettled("reason_required", "请填写理由。")
    if any(name not in given for name in chosen.needed):
        raise NotSettled("value_required", "请把办理信息填写完整。")
    with transaction.atomic():
        found = discrepancies.filter(state__in=OPEN).order_by().count()
        settled, subject = take(discrepancies, chosen, by=by, reason=reason, given=given)
        if subject is not None:
            detail = {"remedy": remedy, "count": settled}
            audit.record(by=by, verb="students.settled", subject=subject, county=subject.county, detail=detail)
    return settled, found - settled


def take(
    work: QuerySet, chosen: Remedy, *, by, reason: str, given: Mapping[str, Any], batch: UUID | None = None
) -> tuple[int, Discrepancy | None]:
    """One remedy for the open differences it fits; how many, and one of them. The caller checks, audits and commits."""
    fitting = work.filter(state__in=OPEN, rule__in=chosen.rules).order_by()
    if not chosen.again:
        fitting = fitting.exclude(state=chosen.to)
    if chosen.needs_student:
        fitting = fitting.filter(student__isnull=False)
    held = len(fitting.select_for_update(of=["self"]).values_list("pk", flat=True))  # whoever settles them too is second
    subject = fitting.first() if held else None
    if subject is None:
        return 0, None
    also = chosen.act(fitting, by=by, reason=reason, **given)
    note = {"remedy": chosen.code, "note": reason[:400]}
    said = _told(reason, given)
    return states.move(fitting, to=chosen.to, by=by, reason=said, also=note | dict(also), batch=batch), subject


def _told(reason: str, given: Mapping[str, Any]) -> str:
    """What the history says: to whom it was given, where that was part of it."""
    to = f"交给{given['assigned_to']}" if "assigned_to" in given else ""
    return "：".join(filter(None, [to, reason.strip()]))


def people_for(work: QuerySet, *, by) -> QuerySet[Account]:
    """To whom `by` may give these: people he knows whose role settles differences at a place of theirs, or in the county.

    That the chosen one sees every one of them is checked when they are given. `posts` are his assignments of today.
    """
    roles = [role for role, rights in RoleRights.objects.by_role(by.county_id).items() if "differences.settle" in rights]
    today = Assignment.objects.in_force(timezone.localdate()).filter(role__in=roles).exclude(role=Role.OPERATOR)
    schools = School.objects.filter(pk__in=work.order_by().values("school"))
    here = Q(school__in=schools) | Q(school__managed__in=schools) | Q(township__in=work.order_by().values("township"))
    serving = today.filter(here | Q(township__in=schools.values("township")) | Q(school=None, township=None))
    posts = Prefetch("assignments", today.select_related("school", "township", "county"), to_attr="posts")
    people = Account.objects.visible_to(by).filter(is_active=True, pk__in=serving.values("account"))
    return people.order_by("display_name", "username").prefetch_related(posts)


def _record_hardship(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """A hardship of the list's category from the day the list gives; one that was to begin later begins then.

    Source: docs/rules/students.md, R25.
    """
    columns = ("county_id", "student_id", "category", "entry_id", "entry__listed_from", "entry__register_id")
    facts = {
        (student, category): (county, entry, since, register, township)
        for county, student, category, entry, since, register, township in work.values_list(
            *columns, "entry__scope_township_id"
        )
    }
    open_ones = Hardship.objects.filter(student__in=work.values("student"), valid_to=None)
    later = [h for h in open_ones if (h.student_id, h.category) in facts]
    for hardship in later:
        _, _, since, _, _ = facts.pop((hardship.student_id, hardship.category))
        hardship.valid_from = min(since, hardship.valid_from)
    Hardship.objects.bulk_update(later, ["valid_from"], batch_size=500)
    Hardship.objects.bulk_create(
        [
            Hardship(
                county_id=county, student_id=student, category=category, entry_id=entry, valid_from=since,
                register_id=register, scope_township_id=township, evidence=reason[:400], recorded_by=by,
            )
            for (student, category), (county, entry, since, register, township) in facts.items()
        ],
        ignore_conflicts=True,
        batch_size=1_000,
    )  # fmt: skip
    return {}


def _end_hardship(work: QuerySet, *, by, reason: str, ended_on: date | None = None) -> Mapping[str, Any]:
    """The recorded hardship ends with the stay on the list, unless another day is given. Source: R26.

    Where that row turned out to be another child's, the stay goes on: then the day before the newest list counts.
    """
    columns = ("county_id", "student_id", "category", "entry__listed_to", "opened_on")
    facts = list(work.values_list(*columns))
    heard = {county: newest_as_of(County(pk=county)) for county in {county for county, *_ in facts}}
    last_days = {}
    for county, student, category, listed_to, opened_on in facts:
        before = (heard[county] or opened_on) - timedelta(days=1)
        last_days[student, category] = ended_on or min(listed_to or before, before)
    recorded = list(Hardship.objects.filter(student__in=work.values("student"), register__isnull=False))
    for hardship in recorded:
        last_day = last_days.get((hardship.student_id, hardship.category))
        if last_day and (hardship.valid_to is None or hardship.valid_to > last_day):
            hardship.valid_to = max(last_day, hardship.valid_from)
    Hardship.objects.bulk_update(recorded, ["valid_to"], batch_size=500)
    return {}


def _whereabouts_known(
    work: QuerySet, *, by, reason: str, kind: str, evidence: str, place: str = "", valid_to: date | None = None
) -> Mapping[str, Any]:
    """Evidence of where the child is, for the school year the difference belongs to. Source: R01 and R08.

    It holds from 1 August, or from the newest list's day where that is of the summer before.
    """
    columns = ("county_id", "student_id", "term__school_year__starts_in")
    facts = {student: (county, year) for county, student, year in work.values_list(*columns)}
    heard = {county: newest_as_of(County(pk=county)) for county, _ in set(facts.values())}
    Whereabouts.objects.bulk_create(
        [
            Whereabouts(
                county_id=county, student_id=student, kind=kind, place=place, evidence=evidence,
                valid_from=min(date(year, 8, 1), heard[county] or date.max), valid_to=valid_to, recorded_by=by,
            )
            for student, (county, year) in facts.items()
        ],
        batch_size=1_000,
    )  # fmt: skip
    return {}


def _reported(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """Put right in the system it comes from (学籍系统, 公安); the next list proves it or the question comes back."""
    return {}


def _registered_outside(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """The child's 户口 is in another county (随迁). Source: R02."""
    Student.objects.filter(pk__in=work.values("student")).update(hukou_outside=True)
    return {}


def _adopt_list(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """Name, sex and birth date as the police list has them; the older name stays as a former one. Source: R03."""
    rows = {entry.person_id: entry for entry in Entry.objects.filter(pk__in=work.values("entry"))}
    people = list(Person.objects.filter(pk__in=rows))
    for person in people:
        entry = rows[person.pk]
        if entry.name_key and entry.name_key != person.name_key:
            person.former_names = [*person.former_names, person.name]
            person.name, person.name_key, person.pinyin = entry.name, entry.name_key, pinyin_key(entry.name)[:200]
        person.sex = entry.sex if entry.sex in ("1", "2") else person.sex
        person.birth_on = entry.birth_on or person.birth_on
    columns = ["name", "name_key", "pinyin", "former_names", "sex", "birth_on"]
    Person.objects.bulk_update(people, columns, batch_size=300)
    return {}


def _end_enrolments(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """The dead child's enrolments end on the day the list gives. Source: R04."""
    days = dict(work.values_list("student", "entry__listed_from"))
    enrolments = list(Enrolment.objects.filter(student__in=days, ended_on=None))
    for enrolment in enrolments:
        enrolment.is_registered = enrolment.is_present = False
        enrolment.ended_on, enrolment.exit_kind = days[enrolment.student_id], "死亡"
    Enrolment.objects.bulk_update(
        enrolments, ["is_registered", "is_present", "ended_on", "exit_kind"], batch_size=500
    )
    return {}


def _accept(work: QuerySet, *, by, reason: str, accepted_until: date | None = None) -> Mapping[str, Any]:
    return {"accepted_until": accepted_until or timezone.localdate() + timedelta(days=ACCEPTED_DAYS)}


def _explain(work: QuerySet, *, by, reason: str) -> Mapping[str, Any]:
    """What the school or township found out; the office that acts accepts it, acts on it, or gives it back."""
    return {}


def _assign(work: QuerySet, *, by, reason: str, assigned_to) -> Mapping[str, Any]:
    """A named person who may settle it: of a bulk all of it, or nothing is given to him."""
    seen = Discrepancy.objects.visible_to(assigned_to).filter(pk__in=work.values("pk")).count()
    if not (assigned_to.is_active and assigned_to.may("differences.settle")):
        raise NotSettled("assignee_may_not", f"{assigned_to}没有办理疑点的权限，请另选一人。")
    if missing := work.count() - seen:
        raise NotSettled("assignee_elsewhere", f"其中 {missing} 件不在{assigned_to}的办理范围内，请另选一人，或分乡镇、分学校交办。")
    return {"assigned_to": assigned_to, "remedy": ""}


REMEDIES: dict[str, Remedy] = {
    remedy.code: remedy
    for remedy in (
        Remedy("record_hardship", "认定困难身份", State.FIXED, _record_hardship, needs_student=True, right="hardship.record"),
        Remedy("end_hardship", "按名单终止困难身份", State.FIXED, _end_hardship, needs_student=True, right="hardship.record"),
        Remedy(
            "whereabouts_known",
            "登记去向",
            State.FIXED,
            _whereabouts_known,
            fields=("kind", "place", "evidence", "valid_to"),
            needed=("kind", "evidence"),
            needs_student=True,
        ),
        Remedy("end_enrolments", "按死亡离校登记", State.FIXED, _end_enrolments, needs_student=True),
        Remedy("registered_outside", "登记为外县户籍（随迁）", State.FIXED, _registered_outside, needs_student=True),
        Remedy("adopt_list", "按户籍名单更正", State.FIXED, _adopt_list, needs_student=True),
        Remedy("reported", "已在原系统更正，等下期名单核对", State.FIXED, _reported, needs_reason=True),
        Remedy("explain", "答复情况，请承办单位核定", State.EXPLAINED, _explain, needs_reason=True),
        Remedy("accept", "说明情况（暂不调整）", State.ACCEPTED, _accept, fields=("accepted_until",), needs_reason=True),
        Remedy("assign", "交办", State.ASSIGNED, _assign, fields=("assigned_to",), needed=("assigned_to",), again=True),
    )
}
