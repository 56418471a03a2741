"""Households of the three kinds that linked rows speak of: who lives in them, who heads them, from when to when.

Everything is computed from what each list said on its day, so the order in which lists arrive does not matter. Another
household of the same kind on a newer list ends the one before; where lists of one day disagree, both are said and
neither ends. Source: docs/rules/registers.md, “households”.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from bureau.bulk import by_key, chunks, insert_rows
from bureau.organisation.models import County
from students.models import Entry, FormerHousehold, Headship, Household, Membership, Sighting

KINDS = {"population": "hukou", "poverty": "poverty", "monitored": "poverty", "dibao": "dibao"}
Place = tuple[str, str]  # kind and number of a household
Span = tuple[int, str, date | None, date | None]  # household, relation or head, first and last day


@dataclass(frozen=True)
class Said:
    """What one row said of a household on the day of one list; `since` is the row's own first day."""

    person: UUID
    place: Place
    head: str
    relation: str
    village: UUID | None
    since: date
    on: date
    entry: int


FIELDS = ("pk", "person_id", "register__name", "household_no", "head_name", "relation", "village_id", "listed_from")


def remember_households(county: County, *, of: set[UUID] | None = None) -> None:
    """Bring households, memberships and heads in line with the rows now linked; call inside the linking transaction.

    `of` are the persons whose rows have changed hands, where that is known.
    """
    persons = _persons_told_otherwise(county) if of is None else of
    for chunk in chunks(sorted(persons), 5_000):
        said = _said(county, "person", chunk)
        households = _households(county, said)
        _follow_members(said, households, chunk)
        _follow_heads(_said(county, "household_no", {number for _, number in households}), households)


def _persons_told_otherwise(county: County) -> set[UUID]:
    """Persons with a row whose household, relation or head, now or on an older list, is not in what is recorded."""
    kinds = " ".join(f"WHEN '{name}' THEN '{kind}'" for name, kind in KINDS.items())
    query = f"""
        SELECT DISTINCT e.person_id FROM students_entry e JOIN students_register r ON r.id = e.register_id
        LEFT JOIN students_household h ON h.county_id = e.county_id AND h.number = e.household_no
            AND h.kind = CASE r.name {kinds} END
        LEFT JOIN students_membership m ON m.household_id = h.id AND m.person_id = e.person_id
            AND (m.valid_to IS NULL OR e.omitted_on IS NOT NULL)
        WHERE e.county_id = %(county)s AND e.household_no <> '' AND e.person_id IS NOT NULL
        AND r.name IN ({", ".join(f"'{name}'" for name in KINDS)})
        AND (m.id IS NULL OR (e.omitted_on IS NULL AND ((e.relation <> '' AND e.relation <> m.relation)
            OR (e.head_name <> '' AND e.head_name <> h.head_name))))
        UNION SELECT e.person_id FROM students_formerhousehold f JOIN students_entry e ON e.id = f.entry_id
        WHERE e.county_id = %(county)s AND e.person_id IS NOT NULL AND (f.person IS NULL OR f.person <> e.person_id)"""
    read = Entry._meta.get_field("person").target_field.to_python
    with connection.cursor() as cursor:
        cursor.execute(query, {"county": County._meta.pk.get_db_prep_value(county.pk, connection)})
        return {read(key) for (key,) in cursor.fetchall()}


def _said(county: County, key: str, values: Iterable[Any]) -> list[Said]:
    """What every list said of the households of these persons (or of these numbers), day by day.

    Of two lists of one kind and day the one that came later counts.
    """
    linked = Entry.objects.filter(county=county, register__name__in=KINDS, person__isnull=False)
    rows = {row[0]: row[1:] for row in by_key(linked, key, values, *FIELDS)}
    if key == "household_no":
        formerly = FormerHousehold.objects.filter(entry__in=linked)
        left = {entry for (entry,) in by_key(formerly, "household_no", values, "entry_id")} - set(rows)
        rows |= {row[0]: row[1:] for row in by_key(linked, "pk", left, *FIELDS)}
    columns = ("entry_id", "snapshot_id", "household_no", "head_name", "relation")
    former = {(entry, snapshot): told for entry, snapshot, *told in by_key(FormerHousehold.objects, "entry", rows, *columns)}
    newest: dict[tuple[int, date], tuple] = {}
    columns = ("entry_id", "snapshot_id", "snapshot__as_of", "snapshot__received_at")
    for entry, snapshot, on, received in by_key(Sighting.objects, "entry", rows, *columns):
        if received >= newest.get((entry, on), (received,))[0]:
            newest[entry, on] = (received, snapshot)
    said = []
    for (entry, on), (_, snapshot) in newest.items():
        person, register, *own, village, since = rows[entry]
        number, head, relation = former.get((entry, snapshot), own)
        if number:
            said.append(Said(person, (KINDS[register], number), head, relation, village, since, on, entry))
    return sorted(said, key=lambda one: (one.on, one.entry))


def _households(county: County, said: list[Said]) -> dict[Place, Household]:
    numbers = {number for _, number in (one.place for one in said)}

    def known() -> dict[Place, Household]:
        rows = _loaded(Household, "number", numbers)
        return {(one.kind, one.number): one for one in rows if one.county_id == county.pk}

    found = known()
    new = {one.place: one for one in reversed(said) if one.place not in found}
    insert_rows(
        Household,
        ("county_id", "kind", "number", "head_name", "village_id"),
        ((county.pk, *place, one.head, one.village) for place, one in sorted(new.items())),
    )
    return known() if new else found


def _follow_members(said: list[Said], households: dict[Place, Household], persons: list[UUID]) -> None:
    of_person: dict[tuple[UUID, str], list[Said]] = defaultdict(list)
    for one in said:
        of_person[one.person, one.place[0]].append(one)
    held: dict[tuple[UUID, str], list[Membership]] = defaultdict(list)
    kinds = {household.pk: household.kind for household in households.values()}
    for one in _loaded(Membership, "person", persons):
        if one.household_id in kinds:
            held[one.person_id, kinds[one.household_id]].append(one)
    wanted, known = {}, {}
    for (person, kind), claims in of_person.items():
        for span in _stays(claims, households):
            wanted[person, *span] = {"person_id": person}
        known |= {(person, m.household_id, m.relation, m.valid_from, m.valid_to): m for m in held[person, kind]}
    _bring_in_line(Membership, "relation", wanted, known)
    owner = {one.entry: one.person for one in said}
    former = by_key(FormerHousehold.objects, "entry", owner, "pk", "entry_id", "person")
    taken_in = [FormerHousehold(pk=pk, person=owner[entry]) for pk, entry, person in former if person != owner[entry]]
    FormerHousehold.objects.bulk_update(taken_in, ["person"], batch_size=500)


def _stays(said: list[Said], households: dict[Place, Household]) -> list[Span]:
    """A person's stays in households of one kind, from what lists said of him, the oldest first.

    Who has another relation than before begins anew, so that a change of head is seen.
    """
    done: list[Span] = []
    going: dict[Place, list] = {}  # relation and first day
    for on, of_day in groupby(said, key=lambda one: one.on):
        stated = {}
        for one in of_day:
            stated.setdefault(one.place, one)
        for place in [place for place in going if place not in stated]:
            relation, since = going.pop(place)
            done.append((households[place].pk, relation, since, max(on - timedelta(days=1), since)))
        for place, one in stated.items():
            stay = going.get(place)
            if stay is None:
                going[place] = [one.relation, on if done or going else min(one.since, on)]
            elif one.relation and stay[0] and one.relation != stay[0]:
                done.append((households[place].pk, stay[0], stay[1], max(on - timedelta(days=1), stay[1])))
                going[place] = [one.relation, on]
            else:
                stay[0] = stay[0] or one.relation
    return [*done, *((households[place].pk, relation, since, None) for place, (relation, since) in going.items())]


def _follow_heads(said: list[Said], households: dict[Place, Household]) -> None:
    """The head most rows of a list name; another one ends the one before on the day before that list."""
    of_household: dict[Place, list[Said]] = defaultdict(list)
    for one in said:
        if one.head and one.place in households:
            of_household[one.place].append(one)
    known = defaultdict(list)
    for head in _loaded(Headship, "household", [households[place].pk for place in of_household]):
        known[head.household_id].append(head)
    wanted, there, renamed = {}, {}, []
    for place, claims in of_household.items():
        household, spans = households[place], []
        for on, of_day in groupby(claims, key=lambda one: one.on):
            names = Counter(one.head for one in of_day)
            name = min(names, key=lambda name: (-names[name], name))
            if not spans or spans[-1][0] != name:
                spans.append((name, on if spans else None))
        for (name, since), (_, after) in zip(spans, [*spans[1:], ("", None)], strict=True):
            wanted[household.pk, name, since, after and after - timedelta(days=1)] = {}
        there |= {(household.pk, h.name, h.valid_from, h.valid_to): h for h in known[household.pk]}
        if household.head_name != spans[-1][0]:
            household.head_name = spans[-1][0]
            renamed.append(household)
    _bring_in_line(Headship, "name", wanted, there)
    Household.objects.bulk_update(renamed, ["head_name"], batch_size=500)


def _bring_in_line(model: type[Model], word: str, wanted: dict[tuple, dict], known: dict[tuple, Any]) -> None:
    """Rows of these spans, no others; a row whose span differs only in its end keeps its key."""
    left = {key: row for key, row in known.items() if key not in wanted}
    missing = [key for key in wanted if key not in known]
    by_start = {key[:-1]: row for key, row in left.items()}
    changed, new = [], []
    for key in missing:
        row = by_start.pop(key[:-1], None)
        if row is None:
            new.append(key)
        else:
            row.valid_to = key[-1]
            changed.append(row)
    for chunk in chunks([row.pk for row in by_start.values()], 900):
        model._default_manager.filter(pk__in=chunk).delete()
    model._default_manager.bulk_update(sorted(changed, key=lambda row: row.valid_to is None), ["valid_to"], batch_size=500)
    insert_rows(
        model,
        ("household_id", word, "valid_from", "valid_to", *(["person_id"] if model is Membership else [])),
        ([*key[-4:], *wanted[key].values()] for key in new),
    )


def _loaded(model: type[Model], key: str, values: Iterable) -> list:
    """Whole rows of `by_key`."""
    keys = sorted({pk for (pk,) in by_key(model._default_manager, key, values, "pk")})
    return [row for chunk in chunks(keys, 900) for row in model._default_manager.filter(pk__in=chunk)]
