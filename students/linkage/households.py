"""Households of the three kinds that linked rows speak of: who lives in them, who heads them, from when to when.

Everything is computed from what each list said on its day, so the order in which lists arrive does not matter. Another
household of the same kind on a newer list ends the one before; where lists of one day disagree, both are said and
neither ends. Source: docs/rules/registers.md, “households”.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from bureau.bulk import by_key, chunks, insert_rows
from bureau.organisation.models import County
from students.models import Entry, FormerHousehold, Headship, Household, Membership, Sighting, Snapshot

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
CHUNK = 5_000


def note_waiting_rows(county: County) -> None:
    """Rows that may be linked in this transaction and then speak of a past in which somebody moved house."""
    moved = Membership.objects.filter(household__county=county, valid_to__isnull=False).exists()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS waiting_rows")
        cursor.execute(WAITING[connection.vendor])
        if moved:
            cursor.execute(
                """INSERT INTO waiting_rows (entry) SELECT e.id FROM students_entry e
                   WHERE e.county_id = %(county)s AND e.person_id IS NULL AND e.household_no <> ''""",
                {"county": _key(county)},
            )


WAITING = {
    "postgresql": "CREATE TEMPORARY TABLE waiting_rows (entry bigint) ON COMMIT DROP",
    "sqlite": "CREATE TEMPORARY TABLE waiting_rows (entry)",
}


def remember_households(
    county: County, *, of: set[UUID] | None = None, parted: Collection[UUID] = (), late: Snapshot | None = None
) -> None:
    """Bring households, memberships and heads in line with the rows now linked; call inside the linking transaction.

    `of` are the persons whose rows have changed hands, where that is known; otherwise `note_waiting_rows` was called
    before linking. `parted` are those a row was linked to and no longer is. `late` is a list just read: lists of a later
    day may have told of the same kind of household.
    """
    for chunk in chunks(sorted(parted), CHUNK):
        _forget(county, chunk)
    if of is None:
        first_seen(county)
    persons = (_persons_told_otherwise(county) if of is None else of) | set(parted)
    if late is not None and late.register.name in KINDS and _later_list_of_households(late):
        listed = Entry.objects.filter(sightings__snapshot=late, person__isnull=False).exclude(household_no="")
        persons |= set(listed.order_by().values_list("person", flat=True))
    for chunk in chunks(sorted(persons), CHUNK):
        said = _said(county, "person", chunk)
        households = _households(county, said)
        _follow_members(said, households, chunk)
        _follow_heads(_said(county, "household_no", {number for _, number in households}), households)


def first_seen(county: County) -> None:
    """Households nobody has told of, and people in no household of that kind, where all rows say the same.

    That is nearly everybody of a first list: three statements instead of a look at each of them. The others, and every
    change, are for `_follow_members` and `_follow_heads`, which would come to the same rows.
    """
    kind = "CASE r.name " + " ".join(f"WHEN '{name}' THEN '{of}'" for name, of in KINDS.items()) + " END"
    told = f"""FROM students_entry e JOIN students_register r ON r.id = e.register_id
        LEFT JOIN students_formerhousehold f ON f.entry_id = e.id
        WHERE e.county_id = %(county)s AND e.person_id IS NOT NULL AND e.household_no <> ''
        AND r.name IN ({", ".join(f"'{name}'" for name in KINDS)})"""
    village = "MIN(e.village_id::text)::uuid" if connection.vendor == "postgresql" else "MIN(e.village_id)"
    houses = f"""SELECT {kind} AS kind, e.household_no AS number, MAX(e.head_name) AS head, {village} AS village {told}
        AND NOT EXISTS (SELECT 1 FROM students_household h
            WHERE h.county_id = e.county_id AND h.kind = {kind} AND h.number = e.household_no)
        GROUP BY {kind}, e.household_no HAVING COUNT(f.id) = 0 AND COUNT(DISTINCT NULLIF(e.head_name, '')) <= 1
            AND COUNT(DISTINCT e.village_id) <= 1"""
    people = f"""SELECT e.person_id AS person, {kind} AS kind, MIN(e.household_no) AS number, MAX(e.relation) AS relation,
            MIN(e.listed_from) AS since {told}
        AND NOT EXISTS (SELECT 1 FROM students_membership m JOIN students_household h ON h.id = m.household_id
            WHERE m.person_id = e.person_id AND h.kind = {kind})
        GROUP BY e.person_id, {kind} HAVING COUNT(f.id) = 0 AND COUNT(DISTINCT e.household_no) = 1
            AND COUNT(DISTINCT NULLIF(e.relation, '')) <= 1"""
    params = {"county": _key(county)}
    until = " ON COMMIT DROP" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for table, chosen in (("new_households", houses), ("new_members", people)):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
            cursor.execute(f"CREATE TEMPORARY TABLE {table}{until} AS {chosen}", params)
        cursor.execute("SELECT 1 FROM new_households LIMIT 1")
        if cursor.fetchone() is None:
            return
        cursor.execute(
            """INSERT INTO students_household (county_id, kind, number, head_name, village_id)
               SELECT %(county)s, kind, number, head, village FROM new_households ORDER BY kind, number""",
            params,
        )
        new = "students_household h ON h.county_id = %(county)s AND h.kind = n.kind AND h.number = n.number"
        cursor.execute(
            f"""INSERT INTO students_headship (household_id, name)
                SELECT h.id, n.head FROM new_households n JOIN {new} WHERE n.head <> '' ORDER BY h.id""",
            params,
        )
        cursor.execute(
            f"""INSERT INTO students_membership (household_id, person_id, relation, valid_from)
                SELECT h.id, m.person, m.relation, m.since FROM new_members m
                JOIN new_households n ON n.kind = m.kind AND n.number = m.number JOIN {new} ORDER BY h.id, m.person""",
            params,
        )


def _forget(county: County, persons: list[UUID]) -> None:
    """Memberships no linked row speaks of; the households nobody of ours was in but for these."""
    said = {(one.person, one.place) for one in _said(county, "person", persons)}
    left: dict[Place, Household] = {}
    gone = []
    for one in Membership.objects.filter(household__county=county, person__in=persons).select_related("household"):
        place = (one.household.kind, one.household.number)
        if (one.person_id, place) not in said:
            gone.append(one.pk)
            left[place] = one.household
    Membership.objects.filter(pk__in=gone).delete()
    keys = [household.pk for household in left.values()]
    Household.objects.filter(pk__in=keys, memberships=None).delete()
    there = set(Household.objects.filter(pk__in=keys).values_list("pk", flat=True))
    left = {place: household for place, household in left.items() if household.pk in there}
    _follow_heads(_said(county, "household_no", {number for _, number in left}), left)


def _later_list_of_households(snapshot: Snapshot) -> bool:
    kind = KINDS[snapshot.register.name]
    names = [name for name, of in KINDS.items() if of == kind]
    later = Snapshot.objects.closed().filter(county=snapshot.county, as_of__gt=snapshot.as_of)
    return later.filter(register__name__in=names).exists()


def _persons_told_otherwise(county: County) -> set[UUID]:
    """Persons with a row whose household, relation, head or village, now or on an older list, is not in what is recorded.

    Where somebody moved house, a row newly linked may move the day on which he did.
    """
    kinds = " ".join(f"WHEN '{name}' THEN '{kind}'" for name, kind in KINDS.items())
    query = f"""
        SELECT DISTINCT e.person_id FROM students_entry e JOIN students_register r ON r.id = e.register_id
        LEFT JOIN students_household h ON h.county_id = e.county_id AND h.number = e.household_no
            AND h.kind = CASE r.name {kinds} END
        LEFT JOIN students_membership m ON m.household_id = h.id AND m.person_id = e.person_id
            AND (m.valid_to IS NULL OR e.omitted_on IS NOT NULL) AND (e.relation = '' OR e.relation = m.relation)
        WHERE e.county_id = %(county)s AND e.household_no <> '' AND e.person_id IS NOT NULL
        AND r.name IN ({", ".join(f"'{name}'" for name in KINDS)})
        AND (m.id IS NULL OR (e.omitted_on IS NULL AND e.head_name <> '' AND e.head_name <> h.head_name)
            OR (e.omitted_on IS NULL AND e.village_id IS NOT NULL AND h.village_id IS NULL)
            OR (m.valid_from > e.listed_from AND NOT EXISTS (SELECT 1 FROM students_membership b
                JOIN students_household k ON k.id = b.household_id AND k.kind = h.kind
                WHERE b.person_id = e.person_id AND b.valid_from <= e.listed_from)))
        UNION SELECT e.person_id FROM students_formerhousehold f JOIN students_entry e ON e.id = f.entry_id
        WHERE e.county_id = %(county)s AND e.person_id IS NOT NULL AND (f.person IS NULL OR f.person <> e.person_id)
        UNION SELECT e.person_id FROM waiting_rows w JOIN students_entry e ON e.id = w.entry
        WHERE e.person_id IS NOT NULL"""
    read = Entry._meta.get_field("person").target_field.to_python
    with connection.cursor() as cursor:
        cursor.execute(query, {"county": _key(county)})
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
    return sorted(said, key=lambda one: (one.on, one.place, one.relation == "", one.relation, one.since, one.head))


def _households(county: County, said: list[Said]) -> dict[Place, Household]:
    numbers = {number for _, number in (one.place for one in said)}

    def known() -> dict[Place, Household]:
        rows = _loaded(Household, "number", numbers)
        return {(one.kind, one.number): one for one in rows if one.county_id == county.pk}

    found = known()
    new = sorted({one.place for one in said} - set(found))
    columns = ("county_id", "kind", "number", "head_name", "village_id")
    insert_rows(Household, columns, ((county.pk, *place, "", None) for place in new))
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

    Who has another relation than before begins anew, so that a change of head is seen. The households he is first seen in
    are his from the first day any of their rows gives.
    """
    done: list[Span] = []
    going: dict[Place, list] = {}  # relation and first day
    first: set[Place] = set()
    for on, of_day in groupby(said, key=lambda one: one.on):
        stated: dict[Place, Said] = {}
        since: dict[Place, date] = {}
        for one in of_day:
            stated.setdefault(one.place, one)
            since[one.place] = min(one.since, on, since.get(one.place, on))
        if not done and not going:
            first = set(stated)
        for place in [place for place in going if place not in stated]:
            relation, start = going.pop(place)
            done.append((households[place].pk, relation, start, max(on - timedelta(days=1), start)))
            first.discard(place)
        for place, one in stated.items():
            stay = going.get(place)
            if stay is None:
                going[place] = [one.relation, since[place] if place in first else on]
            elif one.relation and stay[0] and one.relation != stay[0]:
                done.append((households[place].pk, stay[0], stay[1], max(on - timedelta(days=1), stay[1])))
                going[place] = [one.relation, on]
                first.discard(place)
            else:
                stay[0] = stay[0] or one.relation
                if place in first:
                    stay[1] = min(stay[1], since[place])
    return [*done, *((households[place].pk, relation, since, None) for place, (relation, since) in going.items())]


def _follow_heads(said: list[Said], households: dict[Place, Household]) -> None:
    """The head most rows of a list name; another one ends the one before on the day before that list. The village is
    the newest list's.
    """
    of_household: dict[Place, list[Said]] = defaultdict(list)
    for one in said:
        if one.place in households:
            of_household[one.place].append(one)
    known = defaultdict(list)
    for head in _loaded(Headship, "household", [households[place].pk for place in of_household]):
        known[head.household_id].append(head)
    wanted, there, changed = {}, {}, []
    for place, claims in of_household.items():
        household, spans, village = households[place], [], None
        for on, of_day in groupby(claims, key=lambda one: one.on):
            rows = list(of_day)
            if name := _most((one.head for one in rows), but=""):
                if not spans or spans[-1][0] != name:
                    spans.append((name, on if spans else None))
            village = _most((one.village for one in rows), but=None) or village
        for number, (name, since) in enumerate(spans, start=1):
            until = spans[number][1] - timedelta(days=1) if number < len(spans) else None
            wanted[household.pk, name, since, until] = {}
        there |= {(household.pk, h.name, h.valid_from, h.valid_to): h for h in known[household.pk]}
        now = (spans[-1][0] if spans else "", village)
        if (household.head_name, household.village_id) != now:
            household.head_name, household.village_id = now
            changed.append(household)
    _bring_in_line(Headship, "name", wanted, there)
    Household.objects.bulk_update(changed, ["head_name", "village"], batch_size=500)


def _most(words: Iterable[Any], *, but: Any) -> Any:
    """What is said most often, `but` for nothing said."""
    said = Counter(word for word in words if word != but)
    return min(said, key=lambda word: (-said[word], str(word))) if said else but


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


def _key(county: County):
    return County._meta.pk.get_db_prep_value(county.pk, connection)
