"""One citizen ID twice in one list is two stays: at two schools of a 学籍 export, or under two names on any list.

The second is recognised by the ID with its school and name. Who moves from one school to another between two exports, or
is written otherwise on the next list, is one stay that changed; only an ID that stands more than once in one list, or did
in the one before, gets the further key. Source: docs/rules/registers.md, “twice in one export”.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F

from bureau import secrecy
from bureau.bulk import by_key
from bureau.identity.names import keys_agree
from students.intake.neighbours import newer_lists
from students.models import Entry, Snapshot, StagedEntry

REGISTER = "xueji"


class Who(NamedTuple):
    """Whom a row with this ID means: the first of the names that may be one person's, and on a 学籍 export the school."""

    name: str
    school: UUID | None


def tell_apart(snapshot: Snapshot) -> None:
    """Give each staged row of such an ID the key of the stay it goes on with, or one of its own; before the comparison.

    Rows and stays of the same name and school belong together, then those of the same name, then what is left of both, in
    the order of the names and the schools' codes: the order of the rows says nothing.
    """
    by_school = snapshot.register.name == REGISTER
    staged = StagedEntry.objects.filter(snapshot=snapshot, citizen_index__isnull=False)
    known = Entry.objects.filter(register=snapshot.register, citizen_index__isnull=False)
    if not newer_lists(snapshot).exists():
        known = known.filter(omitted_on=None)
    numbers = _standing_twice(staged, by_school=by_school) | _told_apart_before(known, staged)
    if not numbers:
        return
    rows, stays = _by_number(staged, numbers), _by_number(known, numbers)
    key_of = secrecy.blinder("payload")
    changed = []
    for number, of_number in rows.items():
        there = stays.get(number, [])
        _say_who([*of_number, *there], by_school=by_school)
        changed += _assign(number, of_number, there, key_of)
    StagedEntry.objects.bulk_update(changed, ["recognised_by"], batch_size=500)


def _standing_twice(staged, *, by_school: bool) -> set[bytes]:
    """IDs that stand at two schools, or under two names; a row whose school is not known is at one of its own."""
    often = staged.order_by().values("recognised_by").annotate(rows=Count("pk")).filter(rows__gt=1)
    keys = [bytes(key) for key in often.values_list("recognised_by", flat=True)]
    told: dict[bytes, set[tuple]] = defaultdict(set)
    for number, name, school in by_key(staged, "recognised_by", keys, "citizen_index", "name_key", "school_id"):
        told[bytes(number)].add((name, school if by_school else None))
    return {number for number, of_number in told.items() if len(of_number) > 1}


def _told_apart_before(known, staged) -> set[bytes]:
    apart = [bytes(number) for number in known.exclude(recognised_by=F("citizen_index")).values_list("citizen_index", flat=True)]
    return {bytes(number) for (number,) in by_key(staged, "citizen_index", apart, "citizen_index")}


def _by_number(rows, numbers: Iterable[bytes]) -> dict[bytes, list[Any]]:
    found = defaultdict(list)
    columns = ("pk", "citizen_index", "recognised_by", "name_key", "school_id", "school__code")
    for pk, number, key, name, school, code in by_key(rows, "citizen_index", sorted(numbers), *columns):
        row = rows.model(pk=pk, recognised_by=bytes(key), name_key=name, school_id=school)
        row.code = code or ""
        found[bytes(number)].append(row)
    for of_number in found.values():
        of_number.sort(key=lambda row: (row.name_key, row.code, row.pk))
    return found


def _say_who(rows: list[Any], *, by_school: bool) -> None:
    """`who` of each row: names that agree are one person's; a row without a name is about the first."""
    names: list[str] = []
    for name in sorted({row.name_key for row in rows if row.name_key}):
        if not any(keys_agree(name, other) in ("same", "damaged") for other in names):
            names.append(name)
    for row in rows:
        same = (name for name in names if keys_agree(name, row.name_key) in ("same", "damaged"))
        row.who = Who(next(same, names[0] if names else ""), row.school_id if by_school else None)


def _assign(number: bytes, rows: list[StagedEntry], stays: list[Entry], key_of) -> list[StagedEntry]:
    """The rows of one ID whose key is another than the ID."""
    keys: dict[Who, bytes] = {}
    free = {stay.recognised_by: stay for stay in stays}
    people = list(dict.fromkeys(row.who for row in rows))
    for alike in (
        lambda who, stay: stay.who == who,
        lambda who, stay: stay.who.name == who.name,
        lambda who, stay: True,
    ):
        left = sorted(free, key=lambda key: (key != number, free[key].who.name, free[key].code))
        for who in people:
            found = next((key for key in left if key in free and alike(who, free[key])), None)
            if who not in keys and found is not None:
                keys[who] = found
                del free[found]
    for who in people:
        if who not in keys:
            keys[who] = _new_key(number, who, set(keys.values()), key_of)
    changed = [row for row in rows if row.recognised_by != keys[row.who]]
    for row in changed:
        row.recognised_by = keys[row.who]
    return changed


def _new_key(number: bytes, who: Who, taken: set[bytes], key_of) -> bytes:
    """The ID itself while nobody has it, else the ID with school and name; with a count where that is taken too."""
    key, n = number, 0
    while key in taken:
        n += 1
        key = key_of(f"stay:{number.hex()}:{who.school}:{who.name}:{n}")
    return key
