"""What else lists can say: R13 children with a certificate and no school, R18 shared accounts, R20 changes of a list."""

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    Min,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat

from bureau.sqltext import Hex
from students.models import Enrolment, Entry, Sighting, Snapshot
from students.rules.matter import NOWHERE, Matter, by_category, by_person, nowhere, of_school_age, stays

WATCHED = ("poverty", "monitored", "dibao", "tekun", "orphan", "disability", "low_income")


def disabled_and_not_placed(matter: Matter) -> list[QuerySet]:
    """R13: of school age with a certificate in force, in no school, no 送教上门 and no other evidence of whereabouts."""
    listed = of_school_age(stays(matter, "disability").linked(), matter).filter(person__student__isnull=False)
    return [by_person(listed.filter(nowhere("person", matter.as_of)), proof="not placed")]


def account_of_many(matter: Matter) -> list[QuerySet]:
    """R18: one account on list rows of more households than the county allows; a row without one counts for itself."""
    home = Case(
        When(household_key__isnull=False, then=Hex("household_key")), default=Hex("recognised_by"), output_field=CharField()
    )
    shared = (
        stays(matter)
        .filter(account_index__isnull=False)
        .annotate(home=home)
        .order_by()
        .values("account_index")
        .annotate(homes=Count("home", distinct=True), stay=Min("id"))
        .filter(homes__gt=matter.county.account_households)
    )
    return [
        shared.annotate(
            kind=Value("account", CharField()),
            key=Hex("account_index"),
            child=Cast(Value(None), UUIDField()),
            of_category=Value("", CharField()),
            proof=Concat(Cast("homes", CharField()), Value(" households"), output_field=CharField()),
            at=NOWHERE,
        ).values_list("kind", "key", "child", "stay", "of_category", "proof", "at")
    ]


def entered_or_left_a_list(matter: Matter) -> list[QuerySet]:
    """R20: children at school whom the newest list has and no earlier one had, or whom it no longer has.

    Only where an enrolment is affected, and never for the first list of a register and scope.
    """
    newest, left = [], Q(pk__in=[])
    for last in _lists_with_an_older_one(matter):
        newest.append(last.pk)
        left |= Q(register=last.register_id, scope_township=last.township_id, omitted_on=last.as_of)
    here = (
        Entry.objects.filter(county=matter.county, person__student__isnull=False)
        .exclude(category="")
        .filter(Exists(Enrolment.objects.open().filter(student=OuterRef("person"))))
    )
    twin = Entry.objects.filter(
        person=OuterRef("person"), category=OuterRef("category"), register=OuterRef("register")
    ).exclude(pk=OuterRef("pk"))
    sightings = Sighting.objects.filter(entry=OuterRef("pk"))
    entered = here.filter(
        Exists(sightings.filter(snapshot__in=newest)), ~Exists(sightings.exclude(snapshot__in=newest)), ~Exists(twin)
    )
    gone = here.filter(left).filter(~Exists(twin.filter(omitted_on=None)))
    return [
        by_category(entered, "person_id", stay=Min("id"), proof="entered"),
        by_category(gone, "person_id", stay=Min("id"), proof="left"),
    ]


def _lists_with_an_older_one(matter: Matter) -> list[Snapshot]:
    """The newest complete list of each watched register and scope, where there was one before it."""
    lists = Snapshot.objects.closed().filter(
        county=matter.county, register__name__in=WATCHED, partial=False, as_of__lte=matter.as_of
    )
    found: dict[tuple, list[Snapshot]] = {}
    for snapshot in lists.only("register", "township", "as_of").order_by("as_of", "received_at"):
        found.setdefault((snapshot.register_id, snapshot.township_id), []).append(snapshot)
    return [same[-1] for same in found.values() if same[-1].as_of > same[0].as_of]
