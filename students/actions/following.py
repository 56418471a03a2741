"""What goes along when a school closes into another or gives classes away: the children, and what is under way about them.

A stay is not rewritten: it ends at the old school the day before and goes on at the new one, so that former papers and
figures stay what they were. Plugged into bureau.organisation.changing. Source: docs/rules/school-year.md.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count
from django.utils import timezone

from bureau import states
from bureau.organisation import changing
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.changing import Follower
from bureau.organisation.models import School
from bureau.organisation.terms import term_on
from students.intake.checkroll import key_of, title_of
from students.linkage.files import references
from students.models import Absence, Enrolment, Movement, Repeat, RollCheck

EXIT = {SchoolChange.Kind.CLOSE: "学校撤并", SchoolChange.Kind.SPLIT: "学校分设"}
COHORT = ("stage", "entered_in", "class_name")
COPIED = (
    "county_id", "student_id", "stage", "entered_in", "repeat_offset", "class_name", "boarding", "state", "major",
    "agricultural", "programme_years", "internship", "is_registered", "is_present", "registered_by_xueji", "roll_id",
)  # fmt: skip
CHUNK = 500


FOLLOWING = {  # what somebody still has to act on: it follows the child to the stay that goes on
    Movement: Movement.objects.under_way,
    Absence: Absence.objects.standing,
    Repeat: Repeat.objects.waiting,
}


def classes_of(school: School) -> list[tuple[str, str, int]]:
    """The classes now at a school: (key, title, children), in the order of the grades."""
    today = timezone.localdate()
    term = term_on(school.county, today)
    year = term.school_year.starts_in if term else today.year
    rows = _open(school).order_by().values(*COHORT).annotate(children=Count("pk"))
    cohorts = sorted(rows, key=lambda row: (row["stage"], -(row["entered_in"] or 0), row["class_name"]))
    found = []
    for row in cohorts:
        cohort = tuple(row[name] for name in COHORT)
        found.append((key_of(cohort), title_of(cohort, year), row["children"]))
    return found


def preview(change: SchoolChange) -> list[tuple[str, int, str]]:
    stays = list(_moving(change))
    cohorts = {(stay.stage, stay.entered_in, stay.class_name) for stay in stays}
    present = sum(stay.is_present for stay in stays)
    awaited = Movement.objects.under_way().filter(to_school=change.school).count() if _closes(change) else 0
    return [
        ("班级", len(cohorts), "个"),
        ("在籍或在校学生", len(stays), "人"),
        ("其中在校", present, "人"),
        ("没有办结的转学", _about(Movement, stays).count() + awaited, "人"),
        ("没有说明去向的学生", _about(Absence, stays).count(), "人"),
    ]


def apply(change: SchoolChange) -> dict[str, Any]:
    """Each open stay ends the day before and goes on at the successor; what is needed to give that back."""
    day = change.effective_on
    stays = list(_moving(change))
    students = [stay.student_id for stay in stays]
    there = Enrolment.objects.filter(school=change.successor, ended_on=None)
    known = {stay.student_id: stay for stay in there.filter(student__in=students)} if students else {}
    moved, made, joined = {}, [], {}
    for stay in stays:
        if twin := known.get(stay.student_id):
            joined[str(stay.pk)] = [str(twin.pk), twin.is_registered, twin.is_present]
            twin.is_registered |= stay.is_registered
            twin.is_present |= stay.is_present
        else:
            copied = {name: getattr(stay, name) for name in COPIED}
            twin = Enrolment(school=change.successor, started_on=max(day, stay.started_on or day), **copied)
            made.append(twin)
        moved[str(stay.pk)] = [str(twin.pk), stay.is_registered, stay.is_present]
        stay.ended_on, stay.exit_kind, stay.destination = (
            day - timedelta(days=1),
            EXIT[change.kind],
            change.successor.name,
        )
        stay.is_registered = stay.is_present = False
    columns = ["ended_on", "exit_kind", "destination", "is_registered", "is_present"]
    Enrolment.objects.bulk_update(stays, columns, batch_size=CHUNK)
    Enrolment.objects.bulk_update(known.values(), ["is_registered", "is_present"], batch_size=CHUNK)
    Enrolment.objects.bulk_create(made, batch_size=CHUNK)
    kept: dict[str, Any] = {"moved": moved, "joined": joined, "made": [str(stay.pk) for stay in made]}
    kept["ended"] = _end_inner_moves(change, stays)
    kept |= {model.__name__: _repoint(model, moved, change.successor) for model in FOLLOWING}
    if _closes(change):
        awaited = (
            Movement.objects.under_way().filter(to_school=change.school).exclude(school=change.successor)
        )
        kept["awaited"] = [str(pk) for pk in awaited.values_list("pk", flat=True)]
        awaited.update(to_school=change.successor)
        checks = RollCheck.objects.filter(school=change.school, state=RollCheck.State.OPEN)
        states.move(checks, to=RollCheck.State.GIVEN_UP, by=None, reason="学校撤并")
    return kept


def hinders(change: SchoolChange, kept: dict[str, Any]) -> list[str]:
    """Work done since on the stays that went on."""
    made = set(kept["made"])
    goes_on = {twin: old for old, (twin, *_) in kept["moved"].items() if twin in made}
    roll_of = dict(Enrolment.objects.filter(pk__in=goes_on.values()).values_list("pk", "roll"))
    now = {
        str(pk): (ended_on, roll)
        for pk, ended_on, roll in Enrolment.objects.filter(pk__in=made).values_list("pk", "ended_on", "roll")
    }
    changed = sum(now.get(twin) != (None, roll_of.get(UUID(old))) for twin, old in goes_on.items())
    found = (
        [f"{changed} 名学生在{change.successor}的就读后来又有变动（花名册入库、转学等），不能撤销。"]
        if changed
        else []
    )
    own = {model: set(map(str, kept[model.__name__])) for model in FOLLOWING}
    for reference in references(Enrolment):
        rows = [
            str(pk)
            for pk in reference.model._base_manager.filter(**{f"{reference.name}__in": made}).values_list(
                "pk", flat=True
            )
        ]
        others = [pk for pk in rows if pk not in own.get(reference.model, ())]
        if others:
            found.append(
                f"这些学生在{change.successor}已有“{reference.model._meta.verbose_name}”{len(others)} 条，请先撤回。"
            )
    return found


def undo(change: SchoolChange, kept: dict[str, Any]) -> None:
    old = {str(stay.pk): stay for stay in Enrolment.objects.filter(pk__in=kept["moved"])}
    for key, (_, registered, present) in kept["moved"].items():
        if stay := old.get(key):
            stay.ended_on, stay.exit_kind, stay.destination = None, "", ""
            stay.is_registered, stay.is_present = registered, present
    columns = ["ended_on", "exit_kind", "destination", "is_registered", "is_present"]
    Enrolment.objects.bulk_update(old.values(), columns, batch_size=CHUNK)
    back = {twin: key for key, (twin, *_) in kept["moved"].items()}
    for model in FOLLOWING:
        _repoint(model, {twin: [key] for twin, key in back.items()}, change.school, only=kept[model.__name__])
    Movement.objects.filter(pk__in=kept.get("awaited", [])).update(to_school=change.school)
    for state, keys in kept["ended"].items():
        states.move(Movement.objects.filter(pk__in=keys), to=state, by=None, reason="学校变更已撤销")
    for twin, registered, present in kept["joined"].values():
        Enrolment.objects.filter(pk=twin).update(is_registered=registered, is_present=present)
    Enrolment.objects.filter(pk__in=kept["made"]).delete()


def _end_inner_moves(change: SchoolChange, stays: list[Enrolment]) -> dict[str, list[str]]:
    """Who was on his way to the school that now takes them all is there; the keys of these moves by the state they had."""
    inner = Movement.objects.under_way().filter(
        enrolment__in=[s.pk for s in stays], to_school=change.successor
    )
    before: dict[str, list[str]] = {}
    for pk, state in inner.values_list("pk", "state"):
        before.setdefault(state, []).append(str(pk))
    states.move(inner, to=Movement.State.WITHDRAWN, by=None, reason="两校合并，不再是转学")
    return before


def _repoint(model, moved: dict[str, list], school: School, *, only: list | None = None) -> list[str]:
    """Rows under way about these stays are about the stays that go on; their keys."""
    rows = model.objects.filter(pk__in=only) if only is not None else FOLLOWING[model]()
    keys = []
    columns = ["enrolment", *(["school"] if model is not Repeat else [])]
    for row in rows.filter(enrolment__in=moved):
        row.enrolment_id = moved[str(row.enrolment_id)][0]
        if "school" in columns:
            row.school = school
        row.save(update_fields=columns)
        keys.append(str(row.pk))
    return keys


def _moving(change: SchoolChange) -> Iterable[Enrolment]:
    stays = _open(change.school).order_by("pk")
    if change.kind == SchoolChange.Kind.SPLIT:
        chosen = set(change.classes)
        return [stay for stay in stays if key_of((stay.stage, stay.entered_in, stay.class_name)) in chosen]
    return stays if _closes(change) else []


def _closes(change: SchoolChange) -> bool:
    return change.kind == SchoolChange.Kind.CLOSE


def _open(school: School) -> models.QuerySet[Enrolment]:
    return Enrolment.objects.open().filter(school=school)


def _about(model, stays: list[Enrolment]) -> models.QuerySet:
    return FOLLOWING[model]().filter(enrolment__in=[stay.pk for stay in stays])


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    changing.register(Follower("children", preview, apply, hinders, undo, classes_of))
