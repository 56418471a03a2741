"""Where children get lost between two schools: primary to junior (R27), six-year-olds to grade one (R28), junior onward (R29).

Every rule waits for the date the bureau has set for its year; that day itself is still in time.
Source: docs/rules/school-year.md.
"""

from datetime import date

from django.db.models import CharField, Exists, Min, OuterRef, Q, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Cast, Coalesce, Concat

from bureau.organisation.models import County, Stage
from students.models import Catchment, Enrolment, Entry, Leaver, Student, Whereabouts
from students.models.turning import GRADUATED, LATER_STAGES, leaving_window, plan_for
from students.rules.matter import NO_ENTRY, Matter, by_enrolment, of_school_age, stays


def primary_leavers_missing(matter: Matter) -> list[QuerySet]:
    """R27: finished primary school, and by the bureau's date in no junior school, here or elsewhere.

    Who finished in an earlier year and has never been in a later stage stays missing while he is of school age.
    """
    proof = _finished("finished primary school")
    since, _ = leaving_window(matter.term.school_year.starts_in)
    first, last = matter.births
    before = Enrolment.objects.filter(
        county=matter.county, school__isnull=False, stage=Stage.PRIMARY, exit_kind=GRADUATED, ended_on__lt=since,
        student__person__birth_on__range=(first, last),
    )  # fmt: skip
    before = before.filter(~_ever_at("student", Stage.PRIMARY), ~_explained("student", matter))
    found = [by_enrolment(before, proof=proof)]
    if matter.as_of > plan_for(matter.term.school_year).report_by:
        missing = _graduated(matter, Stage.PRIMARY).filter(
            ~_at("student", Stage.PRIMARY), ~_explained("student", matter)
        )
        found.append(by_enrolment(missing, proof=proof))
    return found


def six_and_not_in_grade_one(matter: Matter) -> list[QuerySet]:
    """R28: six by 31 August and not in grade one or beyond: this year's six-year-olds of the police list, and children
    past six who are still in a kindergarten or have left it for nowhere. Older children in no school at all are R01's.
    """
    if matter.as_of <= plan_for(matter.term.school_year).enter_by:
        return []
    first, last = births_of_entrants(matter.county, matter.term.school_year.starts_in)
    listed = of_school_age(stays(matter, "population").linked(), matter).filter(born_on__range=(first, last))
    listed = listed.filter(~_at("person", Stage.PRESCHOOL), ~_explained("person", matter))
    kindergarten = Enrolment.objects.filter(county=matter.county, stage=Stage.PRESCHOOL, school__isnull=False)
    left = kindergarten.filter(exit_kind=GRADUATED, ended_on__lte=matter.as_of)
    return [
        listed.order_by()
        .values("person_id")
        .annotate(
            kind=Value("student", CharField()),
            key=Cast("person_id", CharField()),
            stay=Min("id"),
            of_category=Value("", CharField()),
            proof=Value("not in grade one", CharField()),
            at=_area("person__student__hukou_village", matter),
        )
        .values_list("kind", "key", "person_id", "stay", "of_category", "proof", "at"),
        _past_six(matter, kindergarten.open(), without=_at, births=(first, last)),
        _past_six(matter, left, without=_ever_at, births=(first, last)),
    ]


def _past_six(matter: Matter, kindergarten: QuerySet, *, without, births: tuple[date, date]) -> QuerySet:
    """Children past six of these stays at a kindergarten, but for this year's six-year-olds of the police list."""
    first, last = births
    here = Entry.objects.on("population").filter(county=matter.county, person=OuterRef("pk"))
    listed_here = Q(person__birth_on__gte=first) & Q(Exists(here.covering(matter.as_of).linked()))
    stay = kindergarten.filter(student=OuterRef("pk"))
    was_at = Subquery(stay.order_by("-started_on", "id").values("school")[:1], output_field=UUIDField())
    found = Student.objects.filter(
        Exists(stay), ~without("pk", Stage.PRESCHOOL), ~_explained("pk", matter), county=matter.county,
        person__birth_on__range=(matter.births[0], last),
    ).exclude(listed_here)  # fmt: skip
    return (
        found.order_by()
        .annotate(
            kind=Value("student", CharField()),
            key=Cast("person_id", CharField()),
            stay=NO_ENTRY,
            of_category=Value("", CharField()),
            proof=Value("kindergarten, not in grade one", CharField()),
            at=Coalesce(_area("hukou_village", matter), was_at),
        )
        .values_list("kind", "key", "person_id", "stay", "of_category", "proof", "at")
    )


def junior_leavers_without_destination(matter: Matter) -> list[QuerySet]:
    """R29: finished junior school this year, and by the bureau's date nobody has recorded where he went."""
    if matter.as_of <= plan_for(matter.term.school_year).destination_by:
        return []
    recorded = Leaver.objects.filter(enrolment=OuterRef("pk")).exclude(destination="")
    unknown = _graduated(matter, Stage.JUNIOR).filter(
        ~Exists(recorded), ~_at("student", Stage.JUNIOR), ~_explained("student", matter), destination=""
    )
    return [by_enrolment(unknown, proof=_finished("finished junior school"))]


def births_of_entrants(county: County, school_year: int) -> tuple[date, date]:
    """First and last birth date, both inclusive, of the children who turn six in the year up to 31 August."""
    year = school_year - county.age_from
    return date(year - 1, 9, 1), date(year, 8, 31)


def _finished(what: str) -> Concat:
    """The day he finished, as evidence."""
    return Concat(Value(f"{what} "), Cast("ended_on", CharField()), output_field=CharField())


def _graduated(matter: Matter, stage: str) -> QuerySet:
    since, until = leaving_window(matter.term.school_year.starts_in)
    return Enrolment.objects.filter(
        county=matter.county, school__isnull=False, stage=stage, exit_kind=GRADUATED,
        ended_on__range=(since, min(until, matter.as_of)),
    )  # fmt: skip


def _at(student: str, stage: str) -> Exists:
    """An open enrolment in a stage after this one; one whose stage nobody has told counts as well."""
    stages = ["", *LATER_STAGES[stage]]
    return Exists(Enrolment.objects.open().filter(student=OuterRef(student), stage__in=stages))


def _ever_at(student: str, stage: str) -> Exists:
    """An enrolment in a stage after this one, ended or not."""
    return Exists(Enrolment.objects.filter(student=OuterRef(student), stage__in=["", *LATER_STAGES[stage]]))


def _explained(student: str, matter: Matter) -> Exists:
    return Exists(Whereabouts.objects.covering(matter.as_of).filter(student=OuterRef(student)))


def _area(village: str, matter: Matter) -> Subquery:
    """The primary school whose area the village is (学区), the first one named where there are several."""
    areas = Catchment.objects.covering(matter.as_of).filter(stage=Stage.PRIMARY, village=OuterRef(village))
    return Subquery(areas.order_by("id").values("school")[:1], output_field=UUIDField())
