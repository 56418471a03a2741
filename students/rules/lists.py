"""Lists of other offices against what we know: R01, R08, R25, R26."""

from django.db.models import CharField, Exists, Max, Min, OuterRef, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from bureau.sqltext import Hex
from students.models import Entry, Hardship, Snapshot
from students.rules.matter import (
    NOWHERE,
    Matter,
    by_category,
    by_person,
    last_known,
    nowhere,
    of_school_age,
    stays,
    told,
)


def out_of_school(matter: Matter) -> list[QuerySet]:
    """R01: of school age, on the police list on the day, no open enrolment, no whereabouts evidence in force."""
    listed = of_school_age(stays(matter, "population").linked(), matter)
    return [by_person(listed.filter(nowhere("person", matter.as_of)), proof=last_known("person_id", matter.as_of))]


def poor_and_not_found(matter: Matter) -> list[QuerySet]:
    """R08: of school age, on a poverty or monitoring list on the day, and not found, or found in no school.

    One per person, whichever lists he is on; a row whose link nobody has confirmed is a person not found.
    """
    listed = of_school_age(stays(matter, "poverty", "monitored"), matter)
    return [
        by_person(listed.linked().filter(nowhere("person", matter.as_of)), proof=last_known("person_id", matter.as_of)),
        listed.filter(person=None)
        .order_by()
        .values("recognised_by")
        .annotate(
            kind=Value("listed", CharField()),
            key=Hex("recognised_by"),
            child=Cast(Value(None), UUIDField()),
            stay=Min("id"),
            of_category=Value("", CharField()),
            proof=Value("not found", CharField()),
            at=NOWHERE,
        )
        .values_list("kind", "key", "child", "stay", "of_category", "proof", "at"),
    ]


def listed_but_not_recorded(matter: Matter) -> list[QuerySet]:
    """R25 应认定未认定: (student, category) of a linked stay on the day, without a hardship of that category in force.

    The evidence is what we recorded of that category before, or nothing.
    """
    recorded = Hardship.objects.covering(matter.as_of).filter(
        student=OuterRef("person"), category=OuterRef("category")
    )
    unrecorded = (
        stays(matter)
        .linked()
        .filter(foreign=False, person__student__isnull=False)
        .exclude(category="")
        .filter(~Exists(recorded))
    )
    known = Hardship.objects.filter(student=OuterRef("person_id"), category=OuterRef("category"))
    before = Coalesce(
        told("recorded until", known.filter(valid_to__lt=matter.as_of), Max("valid_to")),
        told("recorded from", known.filter(valid_from__gt=matter.as_of), Min("valid_from")),
        Value("not recorded"),
    )
    return [by_category(unrecorded, "person_id", stay=Min("id"), proof=before)]


def recorded_but_not_listed(matter: Matter) -> list[QuerySet]:
    """R26 已退出名单未调整: a hardship in force that came from a list, whose newest snapshot no longer holds the child.

    Only a closed snapshot that covers the child's scope (the county, or the township the stay belonged to) can say so;
    children registered in another county, whose list is kept there, never count. The evidence is since when we have it.
    """
    heard = Snapshot.objects.closed().filter(
        Q(township=None) | Q(township=OuterRef("scope_township")), register=OuterRef("register"), as_of__lte=matter.as_of
    )
    still_listed = Entry.objects.covering(matter.as_of).filter(
        person=OuterRef("student"), category=OuterRef("category"), register__county=matter.county
    )
    hardships = Hardship.objects.covering(matter.as_of).filter(
        Exists(heard), ~Exists(still_listed), county=matter.county, register__isnull=False, student__hukou_outside=False
    )
    since = Concat(Value("recorded from "), Cast(Min("valid_from"), CharField()), output_field=CharField())
    return [by_category(hardships, "student_id", stay=Min("entry_id"), proof=since)]
