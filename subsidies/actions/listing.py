"""Putting down who should get it: entitled children become candidate lines, frozen on what they were judged by."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from bureau import audit
from bureau.access.models import Account
from bureau.audit import macs
from bureau.bulk import by_key, chunks, insert_rows, refresh_statistics
from bureau.keys import uuid7
from bureau.organisation.models import Term
from students.models import Enrolment, Entry, Identifier, Person
from subsidies.actions.funding import is_closed
from subsidies.actions.refusals import NotDone
from subsidies.entitlement import Entitlement, one_by_one, seen_by
from subsidies.models import Grant, Programme
from subsidies.models.programmes import CountedBy

COLUMNS = (
    "id", "county_id", "student_id", "programme_id", "term_id", "instalment", "state", "hold", "amount_fen", "name",
    "number", "school_id", "stage", "class_name", "category", "tier", "reference_on", "evidence", "signature",
)  # fmt: skip
FACTS = (
    "student_id", "amount_fen", "school_id", "stage", "class_name", "entered_in", "repeat_offset",
    "entry", "why", "determination", "tier", "judged_on", "boarding", "agricultural",
)  # fmt: skip


def owed(programme: Programme, term: Term) -> QuerySet[Enrolment]:
    """Entitled children without any line of that programme-term: neither asked for, nor refused, nor given up."""
    lines = Grant.objects.filter(programme=programme, term=term, student=OuterRef("student"))
    return Entitlement.of(programme, term).explained().filter(~one_by_one(Exists(lines)))


@transaction.atomic
def list_candidates(*, programme: Programme, term: Term, by: Account, schools=None, students=None) -> int:
    """Make a candidate line for every entitled child without one that the account may see; how many.

    `schools` and `students` narrow it to some. Raises NotDone in a closed term.
    """
    if is_closed(term):
        raise NotDone("closed_term")
    rows, scope = seen_by(by, owed(programme, term)), by.scope
    if programme.counted_by == CountedBy.STUDYING and not scope.whole_county:  # each school's own children
        rows = rows.filter(Q(school__in=scope.schools) | Q(school__township__in=scope.townships))
    if schools is not None:
        rows = rows.filter(school__in=list(schools))
    if students is not None:
        rows = rows.filter(student__in=students)
    count = 0
    for chunk in chunks(rows.values_list(*FACTS).iterator(5_000)):
        count += insert_rows(Grant, COLUMNS, _lines(programme, term, chunk))
    if count:
        refresh_statistics(Grant)
        detail = {"code": programme.code, "count": count}
        audit.record(by=by, verb="subsidies.listed", subject=programme, detail=detail)
    return count


def _lines(programme: Programme, term: Term, facts: list[tuple]) -> Iterator[list[Any]]:
    """Rows in the order of COLUMNS."""
    children = [row[0] for row in facts]
    own = Identifier.objects.filter(kind=Identifier.Kind.CITIZEN_ID, derived=False, valid_to=None)
    names = dict(by_key(Person.objects, "pk", children, "pk", "name"))
    numbers = dict(by_key(own, "person", children, "person_id", "pk"))
    entries = {
        pk: {
            "entry": pk,
            "register": register,
            "listed_from": since.isoformat(),
            "listed_to": to and to.isoformat(),
        }
        for pk, register, since, to in by_key(
            Entry.objects,
            "pk",
            {row[7] for row in facts if row[7]},
            "pk",
            "register__name",
            "listed_from",
            "listed_to",
        )
    }
    rates = Entitlement.of(programme, term).rates
    year = term.school_year.starts_in
    for (
        student,
        amount,
        school,
        stage,
        class_name,
        entered_in,
        offset,
        entry,
        why,
        determination,
        tier,
        judged_on,
        boarding,
        agricultural,
    ) in facts:
        grade = Enrolment(stage=stage, entered_in=entered_in, repeat_offset=offset).grade(year)
        evidence: dict[str, Any] = {"boarding": boarding, **entries.get(entry, {})}
        if determination:
            evidence["determination"] = str(determination)
        rate = next(
            (
                r
                for r in rates
                if r.amount_fen == amount
                and r.stage == stage
                and r.agricultural in (False, bool(agricultural))
            ),
            None,
        )
        evidence["rate"] = rate.pk if rate else None
        line = Grant(
            id=uuid7(), county_id=programme.county_id, student_id=student, programme_id=programme.pk, term_id=term.pk,
            amount_fen=amount, name=names[student], number=numbers.get(student), school_id=school, stage=stage,
            class_name=f"{grade}{class_name}"[:60], category=why, tier=tier, reference_on=judged_on, evidence=evidence,
        )  # fmt: skip
        line.signature = macs.mac(line.canonical())
        yield [getattr(line, column) for column in COLUMNS]
