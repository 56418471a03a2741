"""撤销入库: an applied roster is taken back whole, or not at all where later work stands on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from bureau import audit, states
from bureau.bulk import by_key, chunks
from bureau.organisation.models import County
from students.actions import reconciling
from students.actions.absences import unfollow_roster
from students.actions.linking import link_waiting
from students.actions.registers import newest_as_of
from students.intake.locks import refuse_if_rows_locked
from students.intake.undoing import KEPT, NUMBERS, Made, changed_since, give_back, replaced
from students.models import (
    Absence,
    Discrepancy,
    Enrolment,
    Entry,
    Guardianship,
    Household,
    Identifier,
    Link,
    Membership,
    Merge,
    Movement,
    Person,
    RollChange,
    RollCheck,
    Roster,
    RosterEffect,
    RosterRow,
    RosterSchool,
    Student,
    Whereabouts,
)

# Judged by name in `_standing_on`; what is left of them goes along with the child. Everything else hinders.
JUDGED = {
    "person.entries", "person.links", "person.memberships", "person.identifiers", "person.student",
    "student.discrepancies", "student.guardianships", "student.enrolments",
}  # fmt: skip
ENTRY_INDEXES = ("citizen_index", "number_index", "holder_index")


class NotUndone(Exception):
    """The roster cannot be undone as it is; `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Obstacle:
    """Later work that stands on what the roster did, and what to do about it; `students` are some of the children."""

    title: str
    count: int
    remedy: str
    students: list[UUID] = field(default_factory=list)


@dataclass(frozen=True)
class Undo:
    """What undoing changes back, counted, and what stands in the way."""

    children: int  # made known by this roster: their files are removed
    enrolments: int  # came to the school by it: no longer there
    changed: int
    returning: int  # left out, at school again
    leavers: int  # counted as finished, at school again
    numbers: int  # closed numbers in force again
    answers: int  # what the school said of children left out, off with the question
    obstacles: list[Obstacle]


def undo_preview(*, roster: Roster) -> Undo:
    """What undoing this applied roster would change, and what hinders it; nothing is written."""
    made = Made(roster)
    enrolments = replaced(roster, Enrolment)
    left = enrolments.filter(before__is_present=_yes(), after__is_present=_no())
    ended = left.exclude(after__ended_on=None).count()
    return Undo(
        children=len(made.people),
        enrolments=len(made.enrolments),
        changed=roster.changed,
        returning=left.count() - ended,
        leavers=ended,
        numbers=replaced(roster, Identifier).count(),
        answers=Absence.objects.filter(roster=roster, state=Absence.State.EXPLAINED).count(),
        obstacles=[obstacle for obstacle in _obstacles(roster, made) if obstacle.count],
    )


@transaction.atomic
def undo_roster(*, roster: Roster, by, reason: str) -> Roster:
    """Bring the registry back to what it was before this roster, and the roster before it back in force.

    Lists are linked again and a comparison is asked for. Raises NotUndone for a roster that is not applied (any more),
    without a reason, or when later work stands on it; Locked where the bureau has closed a school or stage of it.
    """
    roster = Roster.objects.select_for_update(of=["self"]).select_related("county").get(pk=roster.pk)
    if roster.status == Roster.State.UNDONE:
        when = timezone.localtime(roster.undone_at)
        raise NotUndone("undone", f"这份花名册已由{roster.undone_by}于{when:%-m月%-d日 %H:%M}撤销，不必再办。")
    if roster.status != Roster.State.APPLIED:
        raise NotUndone("not_applied", "这份花名册没有入库，不需要撤销。")
    if not reason.strip():
        raise NotUndone("reason_required", "请写明撤销的理由。")
    refuse_if_rows_locked(roster, on=timezone.localdate())
    County.objects.select_for_update(no_key=True).get(pk=roster.county_id)
    undo = undo_preview(roster=roster)
    if undo.obstacles:
        told = "；".join(f"{obstacle.title}（{obstacle.count}）" for obstacle in undo.obstacles)
        raise NotUndone("blocked", f"之后已有别的办理，现在不能撤销：{told}。")
    unfollow_roster(roster=roster, by=by)
    _take_back(roster)
    if as_of := newest_as_of(roster.county):
        link_waiting(county=roster.county, as_of=as_of)
    now = timezone.now()
    states.move(
        Roster.objects.filter(pk=roster.pk), to=Roster.State.UNDONE, by=by, reason=reason,
        also={"undone_by": by, "undone_at": now},
    )  # fmt: skip
    RosterEffect.objects.filter(roster=roster).delete()
    detail = {"new": undo.enrolments, "changed": undo.changed, "absent": undo.returning + undo.leavers}
    audit.record(by=by, verb="students.roster_undone", subject=roster, county=roster.county, detail=detail)
    reconciling.ask(county=roster.county, by=by, inputs={"enrolment", "lists"}, cause=f"undo:{roster.pk}")
    roster.refresh_from_db()
    return roster


# What stands in the way.


def _obstacles(roster: Roster, made: Made) -> Iterable[Obstacle]:
    later = _replaced_by_later(roster)
    yield later
    if later.count:  # the rest may be its doing
        return
    yield _merged_since(roster)
    yield from _changed_again(roster)
    yield _number_taken(roster, made)
    yield from _standing_on(roster, made)
    since = Whereabouts.objects.filter(
        student__enrolments__absences__roster=roster, recorded_at__gt=roster.applied_at, withdrawn_at=None
    ).exclude(pk__in=Absence.objects.filter(roster=roster, whereabouts__isnull=False).values("whereabouts"))
    remedy = "请先核对这些去向是否还成立，联系登记的部门。"
    yield _told("本次未出现的学生已另行登记去向", since.values_list("pk", "student"), remedy)


def _merged_since(roster: Roster) -> Obstacle:
    """Files of this roster's children that were merged or split after it: which rows are whose has changed."""
    merges = Merge.objects.standing().filter(county=roster.county_id, done_at__gt=roster.applied_at)
    files = {key for pair in merges.values_list("kept", "other") for key in pair}
    rows = RosterRow.objects.filter(roster=roster, status="accepted").exclude(verdict="unchanged")
    touched = sorted({person for (person,) in by_key(rows, "person_id", files, "person_id")})
    return Obstacle("学生档案后来合并或拆分过", len(touched), "请先在学生档案中撤销合并或拆分。", touched[:10])


def _replaced_by_later(roster: Roster) -> Obstacle:
    """Only the latest roster of a school can be undone; then the one before it."""
    parts = dict(roster.parts.values_list("school", "pk"))
    later = RosterSchool.objects.filter(kind=roster.kind, school__in=parts, pk__gt=min(parts.values(), default=0))
    rosters = set(later.exclude(roster=roster).values_list("roster", flat=True))
    return Obstacle("这所学校之后又入库了新的花名册", len(rosters), "请先撤销后来的那份，再撤销这一份。")


def _changed_again(roster: Roster) -> Iterable[Obstacle]:
    remedy = "这些内容后来又有改动，撤销会盖掉新的内容。请用新的花名册更正。"
    for title, model, child in (
        ("姓名、民族后来又有改动", Person, "pk"),
        ("户籍、证件期限后来又有改动", Student, "pk"),
        ("就读信息后来又有改动", Enrolment, "student_id"),
        ("监护人信息后来又有改动", Guardianship, "student_id"),
        ("号码后来又有改动", Identifier, "person_id"),
    ):
        keys = changed_since(roster, model, but=("roll_id",))
        yield _told(title, by_key(model._base_manager, "pk", keys, "pk", child), remedy)


def _number_taken(roster: Roster, made: Made) -> Obstacle:
    """A number this roster closed, which somebody else has by now: it belongs to one person only."""
    keys = [Identifier._meta.pk.to_python(effect.key) for effect in replaced(roster, Identifier)]
    of_one = Identifier.objects.filter(county=roster.county, kind__in=["citizen_id", "student_number"], derived=False)
    closed = {bytes(index) for (index,) in by_key(of_one, "pk", keys, "index")}
    taken = by_key(of_one.filter(valid_to=None), "index", closed, "pk", "person_id")
    others = [(pk, person) for pk, person in taken if pk not in made.numbers]
    return _told("原来的号码现在登记在别人名下", others, "请先核对号码是谁的。")


def _standing_on(roster: Roster, made: Made) -> Iterable[Obstacle]:
    """Rows of any kind that refer to what the roster made: an application, a link somebody decided, a later school."""
    remedy = "请先在相应页面撤回，或改用新的花名册更正。"
    rows = RosterRow.objects.filter(status="accepted", roster__status=Roster.State.APPLIED).exclude(roster=roster)
    others = {found for (found,) in by_key(rows, "person_id", made.people, "roster_id")}
    yield Obstacle("后来入库的其他花名册里也有这些学生", len(others), "请先撤销那些花名册。")
    numbers = by_key(Identifier.objects, "person", made.people, "pk", "person_id")
    yield _told("新增的学生后来又登记了号码", (row for row in numbers if row[0] not in made.numbers), remedy)
    decided = Link.objects.exclude(status=Link.State.PROPOSED)
    linked = set(by_key(decided, "person", made.people, "entry_id", "person_id"))
    linked.update(by_key(Entry.objects.filter(link_method="confirmed"), "person", made.people, "pk", "person_id"))
    yield _told("已认定身份匹配", linked, "请先在“身份匹配”中改为暂不能认定，再联系县局。")
    enrolments, own = by_key(Enrolment.objects, "student", made.students, "pk", "student_id"), set(made.enrolments)
    yield _told("新增的学生在另一所学校也有就读记录", (row for row in enrolments if row[0] not in own), remedy)
    listed = Enrolment.objects.filter(registered_by_xueji=True)
    yield _told("学籍系统名单已据此登记在籍", by_key(listed, "pk", made.enrolments, "pk", "student_id"), remedy)
    guardians = by_key(Guardianship.objects, "student", made.students, "pk", "student_id")
    yield _told("后来又登记了监护人", (row for row in guardians if row[0] not in made.guardianships), remedy)
    worked_on = Discrepancy.objects.worked_on()
    yield _told("待核实问题已经办理", by_key(worked_on, "student", made.students, "pk", "student_id"), remedy)
    for model, keys in ((Person, made.people), (Student, made.students), (Enrolment, made.enrolments)):
        for relation in _relations(model):
            if f"{model._meta.model_name}.{relation.get_accessor_name()}" not in JUDGED:
                child = f"{relation.field.name}__student_id" if model is Enrolment else f"{relation.field.name}_id"
                found = by_key(_of_others(relation.related_model), relation.field.name, keys, "pk", child)
                yield _told(f"已有“{relation.related_model._meta.verbose_name}”", found, remedy)


def _relations(model: type[models.Model]) -> list[Any]:
    """What may refer to a row of this kind, whichever room it belongs to."""
    related = (one for one in model._meta.get_fields(include_hidden=True) if one.auto_created and not one.concrete)
    return [one for one in related if (one.one_to_many or one.one_to_one) and one.related_model._meta.managed]


def _of_others(model: type[models.Model]) -> QuerySet:
    """Without what an undone roster or a finished check left behind: it goes along."""
    if model is Absence:
        return Absence.objects.exclude(state=Absence.State.CANCELLED)
    if model is Movement:
        return Movement.objects.exclude(state=Movement.State.WITHDRAWN, papers=None)
    if model is RollChange:
        return RollChange.objects.filter(check_of__state=RollCheck.State.OPEN)
    return model._base_manager.all()


def _told(title: str, rows: Iterable[tuple[Any, UUID]], remedy: str) -> Obstacle:
    found = dict(rows)
    return Obstacle(title, len(found), remedy, list(dict.fromkeys(found.values()))[:10])


# Taking it back.


def _take_back(roster: Roster) -> None:
    made = Made(roster)
    _unlink(made)
    for model in KEPT:
        if model not in (RosterSchool, Absence):
            give_back(roster, model)
    effects = [effect.key for effect in replaced(roster, RosterSchool)]
    before = dict(RosterSchool.objects.filter(pk__in=effects).values_list("school", "pk"))
    _remove(roster, made)
    for part in roster.parts.all():
        Enrolment.objects.filter(roll=part).update(roll=before.get(part.school_id))
    roster.parts.all().delete()
    give_back(roster, RosterSchool)


def _unlink(made: Made) -> None:
    """List rows linked by what goes are matched anew; what a person decided about them stands."""
    automatic = Entry.objects.exclude(link_method="confirmed")
    found = {pk for (pk,) in by_key(automatic, "person", made.people, "pk")}
    found.update(pk for (pk,) in by_key(automatic, "pk", made.keys(Entry), "pk"))
    given = {index: person for person, index in made.numbers.values() if person not in made.people}
    for pk, person, *indexes in by_key(automatic, "person", set(given.values()), "pk", "person_id", *ENTRY_INDEXES):
        if any(index and given.get(bytes(index)) == person for index in indexes):
            found.add(pk)
    for chunk in chunks(found, 900):
        nobody = {"person": None, "link_state": Entry.LinkState.UNLINKED, "link_method": ""}
        Entry.objects.filter(pk__in=chunk).update(**nobody)


def _remove(roster: Roster, made: Made) -> None:
    """Everything the roster made, and what came along by itself. Django's collector would look once more for what was
    just shown not to be there."""
    people, enrolments = ("person_id", "person_is_new"), ("enrolment_id", "enrolment_is_new")
    for table, column, (key, which) in (
        ("students_link", "person_id", people),
        ("students_membership", "person_id", people),
        ("students_discrepancy", "student_id", people),
        ("students_guardianship", "student_id", people),
        *((one.related_model._meta.db_table, one.field.column, enrolments) for one in _relations(Enrolment)),
        ("students_enrolment", "id", enrolments),
        *(("students_identifier", "id", (name, f"{name} IS NOT NULL")) for name in NUMBERS),
        ("students_student", "person_id", people),
        ("students_person", "id", people),
    ):
        with connection.cursor() as cursor:
            cursor.execute(
                f"""DELETE FROM {table} WHERE "{column}" IN (SELECT {key} FROM students_rosterrow
                    WHERE roster_id = %s AND status = 'accepted' AND {which})""",
                [Roster._meta.pk.get_db_prep_value(roster.pk, connection)],
            )
    for model in (Guardianship, Membership, Student):
        for chunk in chunks(made.keys(model), 900):
            model._base_manager.filter(pk__in=chunk).delete()
    for chunk in chunks(made.keys(Household), 900):
        Household.objects.filter(pk__in=chunk, memberships=None).delete()


def _yes() -> Any:
    return True if connection.vendor == "postgresql" else 1


def _no() -> Any:
    return False if connection.vendor == "postgresql" else 0
