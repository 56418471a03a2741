"""家庭户: the members its lists name, the same people's households of the other two kinds, the children, and what changed."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import audit
from bureau.access.models import Account
from students.forms import current_school_year
from students.linkage.households import KINDS
from students.models import Enrolment, Entry, Guardianship, Household, Membership, Person, Student

GRANDPARENTS = ("祖父", "祖母", "外祖父", "外祖母")
HEADS = ("户主", "本人")
REGISTERS = {kind: [name for name, of in KINDS.items() if of == kind] for kind in Household.Kind.values}


@dataclass
class Member:
    """A person of a household as its lists name him; `student` where he is a child of ours the account may see."""

    name: str
    sex: str
    birth_on: date | None
    relation: str
    since: date | None
    until: date | None
    lists: list[str] = field(default_factory=list)
    student: Student | None = None

    @property
    def sex_name(self) -> str:
        return dict(Person.Sex.choices).get(self.sex, "") if self.sex in ("1", "2") else ""


@dataclass
class Roof:
    """One household with the members in force, and those who are on its list no more."""

    household: Household
    members: list[Member]
    former: list[Member]
    here: bool = False


@dataclass(frozen=True)
class Change:
    on: date
    text: str


@require_safe
def household(request: HttpRequest, household_id: int) -> HttpResponse:
    visible = Household.objects.visible_to(request.user).select_related("village__township")
    found = get_object_or_404(visible, pk=household_id)
    roofs = _roofs(found, request.user)
    children = _children({m.student.pk for roof in roofs for m in (*roof.members, *roof.former) if m.student}, request.user)
    audit.saw(request, children)
    by_kind = [(label, [roof for roof in roofs if roof.household.kind == kind]) for kind, label in Household.Kind.choices]
    context = {
        "household": found,
        "by_kind": by_kind,
        "here": next(roof for roof in roofs if roof.here),
        "children": children,
        "changes": _changes(found),
    }
    return render(request, "students/household.html", context)


def _roofs(found: Household, account: Account) -> list[Roof]:
    """This household and those of the other kinds that its people live in."""
    people = set(_rows([found], account).exclude(person=None).values_list("person", flat=True))
    people |= set(found.memberships.values_list("person", flat=True))
    beside = Membership.objects.filter(person__in=people, valid_to=None).exclude(household__kind=found.kind)
    others = Household.objects.visible_to(account).filter(pk__in=beside.values("household"), county=found.county_id)
    households = [found, *others.select_related("village__township").order_by("kind", "number")]
    rows = defaultdict(list)
    for row in _rows(households, account).select_related("register").order_by("listed_from", "pk"):
        rows[KINDS[row.register.name], row.household_no].append(row)
    past = defaultdict(list)
    for stay in Membership.objects.filter(household__in=households).exclude(valid_to=None).select_related("person"):
        past[stay.household_id].append(stay)
    seen = {row.person_id for of_one in rows.values() for row in of_one} | {m.person_id for of_one in past.values() for m in of_one}
    students = _visible(seen - {None}, account)
    roofs = []
    for one in households:
        members = _members(rows[one.kind, one.number], students)
        named = {row.person_id for row in rows[one.kind, one.number]}
        gone = [_who_moved(stay, students) for stay in past[one.pk] if stay.person_id not in named]
        here = [m for m in members if m.until is None]
        roofs.append(Roof(one, here, [*(m for m in members if m.until), *gone], here=one.pk == found.pk))
    return roofs


def _rows(households: Iterable[Household], account: Account):
    """Every row of the lists of these households' kinds that gives their numbers."""
    by_kind = defaultdict(set)
    for one in households:
        by_kind[one.kind].add(one.number)
    chosen = Entry.objects.none()
    for kind, numbers in by_kind.items():
        chosen |= Entry.objects.visible_to(account).filter(register__name__in=REGISTERS[kind], household_no__in=numbers)
    return chosen


def _members(rows: list[Entry], students: dict[UUID, Student]) -> list[Member]:
    """One line a person, the head first, then the eldest; several rows of one person are one line."""
    found: dict[object, Member] = {}
    for row in rows:
        key = row.person_id or (row.name_key, row.birth_on)
        until, known = row.listed_to, students.get(row.person_id)
        member = found.setdefault(
            key, Member(row.name, row.sex, row.birth_on, row.relation, row.listed_from, until, student=known)
        )
        if member.until and (until is None or until > member.until):
            member.until, member.relation = until, row.relation or member.relation
        if not row.omitted_on and row.register.title not in member.lists:
            member.lists.append(row.register.title)
    return sorted(found.values(), key=lambda m: (m.relation not in HEADS, m.birth_on or date.max, m.name))


def _who_moved(stay: Membership, students: dict[UUID, Student]) -> Member:
    """Who lived here once: the list now shows him elsewhere."""
    person = stay.person
    return Member(
        person.name, person.sex, person.birth_on, stay.relation, stay.valid_from, stay.valid_to,
        student=students.get(person.pk),
    )  # fmt: skip


def _visible(keys: set[UUID], account: Account) -> dict[UUID, Student]:
    return {one.pk: one for one in Student.objects.visible_to(account).filter(pk__in=keys).select_related("person")}


def _children(keys: set[UUID], account: Account) -> list[Student]:
    """Our children among them, each with schools, guardians, and every list that names him now."""
    year = current_school_year(account, timezone.localdate())
    stays = Enrolment.objects.open().select_related("school").order_by("-is_present", "pk")
    listed = Entry.objects.visible_to(account).covering(timezone.localdate()).select_related("register")
    students = list(
        Student.objects.visible_to(account).filter(pk__in=keys).select_related("person").prefetch_related(
            Prefetch("enrolments", stays, to_attr="stays"),
            Prefetch("guardianships", Guardianship.objects.filter(valid_to=None).order_by("-legal", "pk"), to_attr="guardians"),
            Prefetch("person__entries", listed.order_by("register", "pk"), to_attr="listed"),
        ).order_by("person__birth_on", "pk")
    )  # fmt: skip
    for student in students:
        student.places = [f"{stay.school or stay.outside_school}{stay.grade(year)}{stay.class_name}" for stay in student.stays]
        student.raised_by = [guardian.name for guardian in student.guardians if guardian.relation in GRANDPARENTS]
    return students


def _changes(found: Household) -> list[Change]:
    """Who came and went, which households it was split from or merged with, who headed it; the newest first."""
    changes = [*_heads(found), *_moves(found)]
    return sorted(changes, key=lambda change: change.on, reverse=True)


def _heads(found: Household) -> Iterable[Change]:
    for before, after in pairwise(found.headships.order_by("pk")):
        if after.valid_from:
            yield Change(after.valid_from, f"户主由{before.name}变为{after.name}")


def _moves(found: Household) -> Iterable[Change]:
    mine = list(found.memberships.select_related("person").order_by("valid_from", "pk"))
    others = Membership.objects.filter(
        person__in=[m.person_id for m in mine], household__kind=found.kind, household__county=found.county_id
    ).exclude(household=found).select_related("household")  # fmt: skip
    elsewhere = defaultdict(list)
    for other in others:
        elsewhere[other.person_id].append(other)
    going, coming = defaultdict(list), defaultdict(list)
    for member in mine:
        for other in elsewhere[member.person_id]:
            if member.valid_to and other.valid_from and (other.valid_from - member.valid_to).days == 1:
                going[other.valid_from, other.household].append(member.person.name)
            if other.valid_to and member.valid_from and (member.valid_from - other.valid_to).days == 1:
                coming[member.valid_from, other.household].append(member.person.name)
    stays = {m.person_id for m in mine if m.valid_to is None}
    for (on, other), names in going.items():
        verb = "分到" if stays else "全户并入"
        yield Change(on, f"{'、'.join(names)}{verb}{_called(other)}")
    for (on, other), names in coming.items():
        yield Change(on, f"{'、'.join(names)}由{_called(other)}转来")


def _called(household: Household) -> str:
    head = f"（户主{household.head_name}）" if household.head_name else ""
    return f"户编号 {household.number}{head}"
