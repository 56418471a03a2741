"""One citizen ID at two schools of one 学籍 export is two stays: the second is recognised by the ID and its school.

Who moves from one school to another between two exports is one stay that changed; only an ID that stands more than once
in one export, or did in the one before, gets the further key. Source: docs/rules/registers.md, “twice in one export”.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, F

from bureau import secrecy
from bureau.bulk import by_key
from students.intake.neighbours import newer_lists
from students.models import Entry, Snapshot, StagedEntry

REGISTER = "xueji"


def tell_apart(snapshot: Snapshot) -> None:
    """Give each staged row of such an ID the key of the stay it goes on with, or one of its own; before the comparison.

    Rows and stays of the same school belong together, then what is left of both, in the order of the schools' codes: the
    order of the rows says nothing.
    """
    if snapshot.register.name != REGISTER:
        return
    staged = StagedEntry.objects.filter(snapshot=snapshot, citizen_index__isnull=False)
    known = Entry.objects.filter(register=snapshot.register, citizen_index__isnull=False)
    if not newer_lists(snapshot).exists():
        known = known.filter(omitted_on=None)
    numbers = _standing_twice(staged) | _told_apart_before(known, staged)
    if not numbers:
        return
    rows, stays = _by_number(staged, numbers), _by_number(known, numbers)
    key_of = secrecy.blinder("payload")
    changed = []
    for number, of_number in rows.items():
        changed += _assign(number, of_number, stays.get(number, []), key_of)
    StagedEntry.objects.bulk_update(changed, ["recognised_by"], batch_size=500)


def _standing_twice(staged) -> set[bytes]:
    """IDs that stand at two schools; a row whose school is not known is at one of its own."""
    often = staged.order_by().values("citizen_index").annotate(rows=Count("pk")).filter(rows__gt=1).values("citizen_index")
    schools: dict[bytes, set[UUID | None]] = defaultdict(set)
    for number, school in staged.filter(citizen_index__in=often).values_list("citizen_index", "school_id"):
        schools[bytes(number)].add(school)
    return {number for number, of_number in schools.items() if len(of_number) > 1}


def _told_apart_before(known, staged) -> set[bytes]:
    apart = known.exclude(recognised_by=F("citizen_index")).values("citizen_index")
    return {bytes(number) for number in staged.filter(citizen_index__in=apart).values_list("citizen_index", flat=True)}


def _by_number(rows, numbers: Iterable[bytes]) -> dict[bytes, list[Any]]:
    found = defaultdict(list)
    columns = ("pk", "citizen_index", "recognised_by", "school_id", "school__code")
    for pk, number, key, school, code in by_key(rows, "citizen_index", sorted(numbers), *columns):
        row = rows.model(pk=pk, recognised_by=bytes(key), school_id=school)
        row.code = code or ""
        found[bytes(number)].append(row)
    for of_number in found.values():
        of_number.sort(key=lambda row: (row.code, row.pk))
    return found


def _assign(number: bytes, rows: list[StagedEntry], stays: list[Entry], key_of) -> list[StagedEntry]:
    """The rows of one ID whose key is another than the ID."""
    keys: dict[UUID | None, bytes] = {}
    free = {stay.recognised_by: stay for stay in stays}
    for school in dict.fromkeys(row.school_id for row in rows):
        same = next((key for key, stay in free.items() if stay.school_id == school), None)
        if same is not None:
            keys[school] = same
            del free[same]
    left = sorted(free, key=lambda key: (key != number, free[key].code))
    for school in dict.fromkeys(row.school_id for row in rows):
        if school not in keys and left:
            keys[school] = left.pop(0)
    for school in dict.fromkeys(row.school_id for row in rows):
        if school not in keys:
            keys[school] = _new_key(number, school, set(keys.values()), key_of)
    changed = [row for row in rows if row.recognised_by != keys[row.school_id]]
    for row in changed:
        row.recognised_by = keys[row.school_id]
    return changed


def _new_key(number: bytes, school: UUID | None, taken: set[bytes], key_of) -> bytes:
    """The ID itself while nobody has it, else the ID with the school; with a count where that is taken too."""
    key, n = number, 0
    while key in taken:
        n += 1
        key = key_of(f"stay:{number.hex()}:{school}:{n}")
    return key
