"""The engine: one rule's querysets become differences, in a handful of set-based statements on both databases.

What was found goes into a temporary table; new subjects are inserted, subjects whose cause came back or whose evidence
changed are re-opened as the same row, and those whose cause went are closed. Nothing is looped over in Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from bureau import states
from bureau.calendars import add_workdays
from bureau.organisation.models import County, School, Township
from students.models import Discrepancy, Enrolment
from students.models.differences import Found
from students.rules import FOUND, Matter, Rule

State = Discrepancy.State
FOUND_TABLE = {
    "postgresql": """CREATE TEMPORARY TABLE found_differences (subject_kind text, subject_id text, student_id uuid,
        entry_id bigint, category text, evidence text, school_id uuid) ON COMMIT DROP""",
    "sqlite": f"CREATE TEMPORARY TABLE found_differences ({', '.join(FOUND)})",
}


@dataclass(frozen=True)
class Outcome:
    """What one rule's run changed, and how many differences are open after it."""

    opened: int
    open: int
    resolved: int


def apply_rule(rule: Rule, matter: Matter, *, today: date) -> Outcome:
    """Bring the differences of one rule in line with the facts as of `matter.as_of`; call inside a transaction.

    `today` is the day differences opened now are dated and their due date counted from. A difference somebody settled
    stays settled while its evidence is unchanged and its acceptance has not expired. With a place, differences that
    belong elsewhere are neither opened nor touched. Source: docs/rules/students.md.
    """
    _gather(rule.offenders(matter))
    here = Discrepancy.objects.filter(county=matter.county, rule=rule.code)
    if matter.place:
        here = here.filter(belongs_to(matter.place))
    twin = Found.objects.filter(subject_kind=OuterRef("subject_kind"), subject_id=OuterRef("subject_id"))
    due_on = add_workdays(_counted_from(today, matter.county), rule.days, matter.county)

    gone = here.exclude(state=State.CLOSED).filter(~Exists(twin))
    resolved = states.move(
        gone,
        to=State.CLOSED,
        by=None,
        reason="比对已一致",
        effective_on=matter.as_of,
        also={"closed_on": today},
    )
    reopened = states.move(
        _come_back(here, twin, matter),
        to=State.NEW,
        by=None,
        reason="情况再次出现",
        effective_on=matter.as_of,
        also={
            "occurrence": F("occurrence") + 1,
            "opened_on": today,
            "due_on": due_on,
            "closed_on": None,
            "accepted_until": None,
            "remedy": "",
            "note": "",
        },
    )
    _refresh(here.filter(Exists(twin)), twin, matter)
    opened = _insert_new(rule, matter, today=today, due_on=due_on)
    return Outcome(opened + reopened, here.open(on=matter.as_of).count(), resolved)


def belongs_to(place: Township | School, prefix: str = "") -> Q:
    """A school's are those about its children; a township's those of its residents and of its schools."""
    if isinstance(place, School):
        return Q(**{f"{prefix}school_id": place.pk})
    schools = School.objects.filter(township=place).values("pk")
    return Q(**{f"{prefix}township_id": place.pk}) | Q(**{f"{prefix}school_id__in": schools})


def _counted_from(today: date, county: County) -> date:
    """The day a due date is counted from: in the 建库期 its last day, so that the stock of old questions is not late.

    Source: docs/rules/students.md, “the first weeks”.
    """
    return max(today, county.building_until) if county.building_until else today


def _come_back(here: QuerySet, twin: QuerySet, matter: Matter) -> QuerySet:
    """Settled differences whose cause is there: closed or said to be fixed, or an acceptance that no longer holds."""
    same_evidence = Exists(twin.filter(evidence=OuterRef("evidence")))
    lapsed = Q(state=State.ACCEPTED) & (Q(accepted_until__lt=matter.as_of) | ~Q(same_evidence))
    return here.filter(Q(state__in=[State.CLOSED, State.FIXED]) | lapsed).filter(Exists(twin))


def _gather(offenders: Sequence[QuerySet]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS found_differences")
        cursor.execute(FOUND_TABLE[connection.vendor])
        for queryset in offenders:
            try:
                query, params = queryset.query.sql_with_params()
            except EmptyResultSet:
                continue
            cursor.execute(f"INSERT INTO found_differences ({', '.join(FOUND)}) {query}", params)
        cursor.execute("CREATE INDEX found_subject ON found_differences (subject_id)")
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE found_differences")


def _refresh(known: QuerySet, twin: QuerySet, matter: Matter) -> None:
    """Differences still there follow the facts: the term they belong to, the row that proves them, the child's school.

    A child who is in no school any more stays with the last one, which knows him.
    """
    moved = ~Exists(twin.filter(Q(entry=OuterRef("entry")) | Q(entry=None), evidence=OuterRef("evidence")))
    at_school = Subquery(_at_school().values("school")[:1])
    own = Subquery(twin.values("school")[:1])
    elsewhere = Q(now_at__isnull=False) & (Q(school=None) | ~Q(school=F("now_at")))
    known.annotate(now_at=Coalesce(own, at_school)).filter(Q(term=None) | ~Q(term=matter.term) | moved | elsewhere).update(
        term=matter.term,
        entry=Subquery(twin.values("entry")[:1]),
        evidence=Subquery(twin.values("evidence")[:1]),
        school=Coalesce(own, at_school, F("school")),
    )


def _at_school() -> QuerySet:
    """Where the outer row's student is: the school that has him present before one that only registers him."""
    here = Enrolment.objects.open().filter(student=OuterRef("student"), school__isnull=False)
    return here.order_by("-is_present", "id")


def _insert_new(rule: Rule, matter: Matter, *, today: date, due_on: date) -> int:
    known = Discrepancy.objects.filter(
        county=matter.county, rule=rule.code, subject_kind=OuterRef("subject_kind"), subject_id=OuterRef("subject_id")
    )
    values = {
        "county_id": models.Value(matter.county.pk, models.UUIDField()),
        "rule": models.Value(rule.code),
        "subject_kind": F("subject_kind"),
        "subject_id": F("subject_id"),
        "student_id": F("student_id"),
        "entry_id": F("entry_id"),
        "category": F("category"),
        "school_id": Coalesce("school_id", Subquery(_at_school().values("school")[:1]), output_field=models.UUIDField()),
        "township_id": Coalesce(
            "entry__township_id",
            "student__hukou_township_id",
            "school__township_id",
            Subquery(_at_school().values("school__township_id")[:1]),
            output_field=models.UUIDField(),
        ),
        "term_id": models.Value(matter.term.pk, models.UUIDField()),
        "office": models.Value(str(rule.office)),
        "state": models.Value(State.NEW.value),
        "evidence": F("evidence"),
        "occurrence": models.Value(1),
        "opened_on": models.Value(today, models.DateField()),
        "due_on": models.Value(due_on, models.DateField()),
        "remedy": models.Value(""),
        "note": models.Value(""),
    }
    chosen = Found.objects.filter(~Exists(known)).annotate(**{f"v_{name}": value for name, value in values.items()})
    if matter.place:
        chosen = chosen.filter(belongs_to(matter.place, "v_"))
    query, params = chosen.order_by("subject_id").values_list(*[f"v_{name}" for name in values]).query.sql_with_params()
    table = Discrepancy._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) {query} ON CONFLICT DO NOTHING", params)
        return cursor.rowcount
