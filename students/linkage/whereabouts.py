"""Linked rows that say where a child is become evidence, with an end; a row that changed or went replaces it.

Source: docs/rules/registers.md, “去向名单”.
"""

from datetime import date, timedelta

from django.db.models import F, Q
from django.utils import timezone

from bureau.organisation.models import County, Term
from students.models import Entry, Sighting, Whereabouts

TELLING = ("elsewhere", "dropout_platform")  # registers whose rows may say where a child is


def remember_whereabouts(county: County) -> None:
    """Bring the evidence that stems from lists in line with the rows now linked; call inside the linking transaction."""
    rows = Entry.objects.on(*TELLING).filter(county=county, omitted_on=None, person__student__isnull=False)
    held = Whereabouts.objects.filter(county=county, entry__isnull=False, withdrawn_at=None)
    changed = Q(entry__omitted_on__isnull=False) | Q(entry__person=None) | ~Q(entry__person=F("student__person"))
    changed |= ~Q(entry__whereabouts=F("kind")) | ~Q(entry__place=F("place"))
    held.filter(changed).update(withdrawn_at=timezone.now())
    waiting = list(rows.exclude(whereabouts="").exclude(pk__in=held.values("entry")).order_by("pk"))
    if not waiting:
        return
    terms = list(Term.objects.filter(county=county).order_by("starts_on"))
    seen = {
        entry: (as_of, by, title)
        for entry, as_of, by, title in Sighting.objects.filter(entry__in=waiting)
        .order_by("snapshot__as_of")
        .values_list("entry", "snapshot__as_of", "snapshot__received_by", "snapshot__register__title")
    }
    Whereabouts.objects.bulk_create(
        [_evidence(entry, *seen[entry.pk], terms) for entry in waiting if entry.pk in seen], batch_size=1_000
    )


def _evidence(entry: Entry, as_of: date, by, title: str, terms: list[Term]) -> Whereabouts:
    return Whereabouts(
        county_id=entry.county_id,
        student_id=entry.person_id,
        kind=entry.whereabouts,
        place=entry.place,
        evidence=entry.proof or title,
        valid_from=entry.listed_from,
        valid_to=entry.own_to or _re_check(as_of, terms),
        recorded_by_id=by,
        entry=entry,
    )


def _re_check(as_of: date, terms: list[Term]) -> date | None:
    """Without an end of its own the evidence holds to the last day before the next term, and must then be checked again."""
    later = [term.starts_on for term in terms if term.starts_on > as_of]
    if later:
        return min(later) - timedelta(days=1)
    return next((term.ends_on for term in reversed(terms) if term.ends_on >= as_of), None)
