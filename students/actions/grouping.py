"""学生群体: recorded with their source, looked at again every term, ended, taken over from lists; and the 安置点.

Source: docs/rules/school-year.md, “学生群体”.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, QuerySet
from django.utils import timezone

from bureau import audit
from bureau.organisation.models import County
from students.models import Entry, Group, GroupFact, RelocationSite, Student

LISTS = {  # the register that says so, and the source it counts as
    Group.DISABLED: ("disability", GroupFact.Source.FEDERATION),
    Group.ORPHAN: ("orphan", GroupFact.Source.CIVIL_AFFAIRS),
}


class NotGrouped(Exception):
    """It cannot be recorded so; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@transaction.atomic
def record(
    *, students: Iterable[Student], group: str, since_on: date, source: str, today: date, by, evidence: str = "",
    site: RelocationSite | None = None,
) -> tuple[int, int]:  # fmt: skip
    """These children belong to a group from that day on; (recorded, belonged already). Raises NotGrouped.

    Recorded counts as checked.
    """
    if since_on > today:
        raise NotGrouped("in_the_future", "日期不能晚于今天。")
    if site is not None and group != Group.RELOCATED:
        raise NotGrouped("site_not_asked", "只有易地搬迁子女填写安置点。")
    chosen = list(
        Student.objects.select_for_update(no_key=True, of=["self"])
        .filter(pk__in=[s.pk for s in students])
        .order_by("pk")
    )
    there = set(
        GroupFact.objects.standing()
        .filter(student__in=chosen, group=group, valid_to=None)
        .values_list("student", flat=True)
    )
    made = [
        GroupFact(
            county_id=student.county_id, student=student, group=group, valid_from=since_on, source=source,
            evidence=evidence[:200], site=site, checked_on=today, checked_by=by, recorded_by=by,
        )
        for student in chosen
        if student.pk not in there
    ]  # fmt: skip
    GroupFact.objects.bulk_create(made, batch_size=500)
    if made:
        audit.record(
            by=by,
            verb="students.groups_recorded",
            subject=made[0],
            county=made[0].county,
            detail={"group": str(group), "count": len(made)},
        )
    return len(made), len(chosen) - len(made)


@transaction.atomic
def check(*, facts: QuerySet[GroupFact], today: date, by) -> int:
    """Looked at again and still so; how many. Those checked today or ended since are left alone."""
    found = GroupFact.objects.standing().filter(
        pk__in=list(facts.values_list("pk", flat=True)), valid_to=None
    )
    first = found.exclude(checked_on=today).first()
    if first is None:
        return 0
    count = found.exclude(checked_on=today).update(checked_on=today, checked_by=by)
    audit.record(
        by=by, verb="students.groups_checked", subject=first, county=first.county, detail={"count": count}
    )
    return count


@transaction.atomic
def end(*, facts: QuerySet[GroupFact], last_on: date, reason: str, today: date, by) -> int:
    """They belong to it no longer; `last_on` is the last day. How many ended. Raises NotGrouped."""
    if not reason.strip():
        raise NotGrouped("reason_required", "请写明依据，例如父母已返乡（9月1日家访）。")
    if last_on > today:
        raise NotGrouped("in_the_future", "日期不能晚于今天。")
    found = (
        GroupFact.objects.standing()
        .select_for_update()
        .filter(pk__in=list(facts.values_list("pk", flat=True)), valid_to=None)
    )
    rows = list(found)
    if any(last_on < row.valid_from for row in rows):
        raise NotGrouped("before_it_began", "结束日期不能早于开始日期。")
    for row in rows:
        row.valid_to, row.evidence = last_on, f"{row.evidence}；结束：{reason.strip()}"[:200]
    GroupFact.objects.bulk_update(rows, ["valid_to", "evidence"], batch_size=500)
    if rows:
        audit.record(
            by=by,
            verb="students.groups_ended",
            subject=rows[0],
            county=rows[0].county,
            detail={"count": len(rows)},
        )
    return len(rows)


@transaction.atomic
def withdraw(*, fact: GroupFact, by) -> bool:
    """Recorded by mistake: it was never so. False when it was taken back before."""
    if not GroupFact.objects.standing().filter(pk=fact.pk).update(withdrawn_at=timezone.now()):
        return False
    audit.record(
        by=by, verb="students.group_withdrawn", subject=fact, county=fact.county, detail={"group": fact.group}
    )
    return True


def on_a_list(county: County, group: str, day: date) -> QuerySet[Student]:
    """Children on the list that says they belong to a group, and not recorded as such."""
    register, _ = LISTS[Group(group)]
    listed = Entry.objects.on(register).covering(day).filter(county=county, person=OuterRef("pk"))
    open_one = GroupFact.objects.standing().filter(student=OuterRef("pk"), group=group, valid_to=None)
    return Student.objects.filter(Exists(listed), ~Exists(open_one), county=county)


@transaction.atomic
def adopt(*, county: County, group: str, students: QuerySet[Student], today: date, by) -> int:
    """Take over from the list, with its dates, whom it has and we have not; done twice nothing is added."""
    register, source = LISTS[Group(group)]
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    waiting = on_a_list(county, group, today).filter(pk__in=students.values("pk"))
    stays = Entry.objects.on(register).covering(today).filter(county=county, person__in=waiting.values("pk"))
    first = stays.order_by().values_list("person").annotate(entry=Min("pk"), since=Min("listed_from"))
    title = county_list_title(county, register)
    made = [
        GroupFact(
            county=county, student_id=student, group=group, valid_from=since, source=source, evidence=title, entry_id=entry,
            checked_on=today, checked_by=by, recorded_by=by,
        )
        for student, entry, since in first
    ]  # fmt: skip
    GroupFact.objects.bulk_create(made, batch_size=500)
    if made:
        audit.record(
            by=by,
            verb="students.groups_recorded",
            subject=made[0],
            county=made[0].county,
            detail={"group": str(group), "count": len(made)},
        )
    return len(made)


def county_list_title(county: County, register: str) -> str:
    return (
        Entry.objects.on(register).filter(county=county).values_list("register__title", flat=True).first()
        or register
    )


@transaction.atomic
def save_site(*, site: RelocationSite, values: dict[str, Any], by) -> RelocationSite:
    """Store a new or changed 安置点. Raises NotGrouped for a name that is taken."""
    schools = values.pop("schools")
    new = site._state.adding
    for name, value in values.items():
        setattr(site, name, value)
    try:
        with transaction.atomic():
            site.save()
    except IntegrityError as error:
        raise NotGrouped("name_taken", "已有同名的安置点。") from error
    site.schools.set(schools)
    verb = "students.site_added" if new else "students.site_changed"
    audit.record(by=by, verb=verb, subject=site, county=site.county, detail={"schools": len(schools)})
    return site


def placement(site: RelocationSite, day: date) -> dict[str, QuerySet[Student]]:
    """Children of a site by where they are at school: near, elsewhere in the county, nowhere known. They sum to all.

    Source: docs/rules/school-year.md, “近安置入学率”.
    """
    moved = GroupFact.objects.covering(day).filter(site=site, group=Group.RELOCATED, student=OuterRef("pk"))
    children = Student.objects.filter(Exists(moved))
    near = children.filter(
        enrolments__is_present=True,
        enrolments__ended_on=None,
        enrolments__school__in=site.schools.values("pk"),
    )
    near = children.filter(pk__in=near.values("pk"))
    present = children.filter(enrolments__is_present=True, enrolments__ended_on=None)
    elsewhere = children.filter(pk__in=present.values("pk")).exclude(pk__in=near.values("pk"))
    nowhere = children.exclude(pk__in=present.values("pk"))
    return {"all": children, "near": near, "elsewhere": elsewhere, "nowhere": nowhere}
