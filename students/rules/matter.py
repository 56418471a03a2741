"""What a rule looks at and what it gives: the pieces every rule is made of."""

from calendar import isleap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import (
    BigIntegerField,
    CharField,
    DateField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat

from bureau.organisation.models import County, School, Term, Township
from students.models import Enrolment, Entry, Leaver, Whereabouts

# A difference's own school: null where the engine shall take the school the child is at.
FOUND = ("subject_kind", "subject_id", "student_id", "entry_id", "category", "evidence", "school_id")
NOWHERE = Cast(Value(None), UUIDField())
NO_ENTRY = Cast(Value(None), BigIntegerField())


@dataclass(frozen=True)
class Matter:
    """What one run looks at: a county, a term, and the day as of which everything is judged.

    Rules always look at the whole county; with a `place` only differences that belong there are opened and closed.
    """

    county: County
    term: Term
    as_of: date
    place: Township | School | None = None

    @property
    def births(self) -> tuple[date, date]:
        return school_age_births(self.county, school_year=self.term.school_year.starts_in, as_of=self.as_of)


@dataclass(frozen=True)
class Rule:
    """One kind of difference: who must settle it, within how many working days, and by which remedies."""

    code: str
    title: str
    offenders: Callable[[Matter], Sequence[QuerySet]]
    office: str
    days: int
    remedies: tuple[str, ...]
    inputs: tuple[str, ...]
    doc: str = "docs/rules/students.md"


def school_age_births(county: County, *, school_year: int, as_of: date) -> tuple[date, date]:
    """First and last birth date, both inclusive, of children of school age.

    Six by 31 August of the school year's start, and under sixteen on `as_of`: from the sixteenth birthday on, out.
    Both ages belong to the county. Source: docs/rules/students.md, “school age”.
    """
    year = as_of.year - county.age_under
    without_twin = (as_of.month, as_of.day) == (2, 29) and not isleap(year)
    turned = date(year, 2, 28) if without_twin else as_of.replace(year=year)
    return turned + timedelta(days=1), date(school_year - county.age_from, 8, 31)


def stays(matter: Matter, *registers: str) -> QuerySet:
    """Stays on the county's lists in force on the day; on the named registers, when any are named."""
    listed = Entry.objects.filter(county=matter.county).covering(matter.as_of)
    return listed.on(*registers) if registers else listed


def of_school_age(listed: QuerySet, matter: Matter) -> QuerySet:
    """By the birth date of the person, else of the row (which at reading falls back on the one in the ID)."""
    born_on = Coalesce("person__birth_on", "birth_on", output_field=DateField())
    return listed.annotate(born_on=born_on).filter(born_on__range=matter.births)


def nowhere(student: str, day: date) -> Q:
    """The student that `student` names has no open enrolment and no evidence of whereabouts in force on `day`.

    Who has just graduated is somewhere until the date by which he reports at the next school.
    """
    enrolled = Enrolment.objects.open().filter(student=OuterRef(student))
    explained = Whereabouts.objects.covering(day).filter(student=OuterRef(student))
    awaited = Leaver.objects.awaited(day).filter(enrolment__student=OuterRef(student))
    return ~Q(Exists(enrolled)) & ~Q(Exists(explained)) & ~Q(Exists(awaited))


def told(what: str, rows: QuerySet, day) -> Subquery:
    """`what` and a day as evidence ("left 2026-07-10"), null where there is no such row; `day` is an aggregate of them.

    Days of facts only, never of a list or a run. Looked up for what a rule found, not for everybody: no Exists here.
    """
    text = Concat(Value(f"{what} "), Cast(day, CharField()), output_field=CharField())
    return Subquery(rows.order_by().values("student").annotate(text=text).values("text"), output_field=CharField())


def last_known(student: str, day: date) -> Concat:
    """How we last knew a child who is `nowhere` on `day`: never, left on a day, off every roll; and proof that ran out.

    These are the compared values of R01 and R08: when one of them changes, an explanation given before holds no longer.
    """
    stays = Enrolment.objects.filter(student=OuterRef(student))
    standing = stays.filter(ended_on=None).order_by().annotate(text=Value("off every roll", CharField())).values("text")[:1]
    left = told("left", stays.filter(ended_on__isnull=False), Max("ended_on"))
    proofs = Whereabouts.objects.filter(student=OuterRef(student), withdrawn_at=None, valid_to__lt=day)
    ran_out = told("; proof until", proofs, Max("valid_to"))
    known = Coalesce(Subquery(standing, output_field=CharField()), left, Value("enrolled nowhere"))
    return Concat(known, ran_out, output_field=CharField())


def by_person(listed: QuerySet, *, proof) -> QuerySet:
    """One row per person, proved by his oldest stay of these."""
    return (
        listed.order_by()
        .values("person_id")
        .annotate(
            kind=Value("student", CharField()),
            key=Cast("person_id", CharField()),
            stay=Min("id"),
            of_category=Value("", CharField()),
            proof=Value(proof, CharField()) if isinstance(proof, str) else proof,
            at=NOWHERE,
        )
        .values_list("kind", "key", "person_id", "stay", "of_category", "proof", "at")
    )


def by_enrolment(enrolments: QuerySet, *, proof) -> QuerySet:
    """One row per enrolment, for the school it is at."""
    return enrolments.order_by().annotate(
        kind=Value("enrolment", CharField()),
        key=Cast("id", CharField()),
        stay=NO_ENTRY,
        of_category=Value("", CharField()),
        proof=Value(proof, CharField()) if isinstance(proof, str) else proof,
    ).values_list("kind", "key", "student_id", "stay", "of_category", "proof", "school_id")


def by_category(rows: QuerySet, student: str, *, stay, proof) -> QuerySet:
    return (
        rows.order_by()
        .values(student, "category")
        .annotate(
            kind=Value("student_category", CharField()),
            key=Concat(Cast(student, CharField()), Value(":"), F("category"), output_field=CharField()),
            stay=stay,
            proof=Value(proof, CharField()) if isinstance(proof, str) else proof,
            at=NOWHERE,
        )
        .values_list("kind", "key", student, "stay", "category", "proof", "at")
    )
