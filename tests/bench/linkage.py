"""Linking a list to the registry: 95 % of its rows as they should be, 5 % damaged in the ways lists are, each way told.

Compared with a plain script over the same texts in memory: exact ID and name, else blocks of one birth date or one
name, scored by rapidfuzz. The script keeps the best candidate of every row; we ask a human instead.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from rapidfuzz import fuzz

from tests.bench import measure, scratch
from tests.bench.damage import KINDS, STRANGERS, Row, damaged, sound_row
from tests.bench.people import Child, children

ROWS = 100_000
DAMAGED = 0.05
AS_OF = date(2026, 9, 30)
Listed = tuple[Child, Row, str]  # whom the row is about, what it says, how it was damaged


def main(*, rows: int | None, database: str | None) -> None:
    with scratch.installed(database):
        _measure(rows or ROWS)


def _measure(rows: int) -> None:
    from django.db import connection, transaction

    from students.actions.linking import link_waiting
    from students.intake.neighbours import Closing
    from students.models import Entry, Link
    from tests.bench.organisation import found_county

    county, *_ = found_county(schools=1)
    known = list(children(0, rows))
    listed = list(listed_rows(known))
    persons, snapshot = store(county, known, listed)

    def keep() -> None:
        with transaction.atomic():
            Closing(snapshot).close()

    def ours() -> None:
        with transaction.atomic():
            link_waiting(county=county, as_of=AS_OF)

    keeping = measure.seconds_of(keep)
    seconds = measure.seconds_of(ours)
    peak = measure.peak_megabytes()
    again = measure.seconds_of(ours)
    script = {}
    script_seconds = measure.seconds_of(lambda: script.update(_script(known, [row for _, row, _ in listed])))
    right_script = sum(number == listed[place][0].number for place, number in script.items())

    places = {row_uuid: place for place, row_uuid in enumerate(_row_uuids(rows))}
    meant = [None if kind == STRANGERS else persons[child.number] for child, _, kind in listed]
    proposals: dict[int, list] = {}
    waiting = Link.objects.order_by("-score", "pk").values_list("entry__row_uuid", "person_id")
    for uuid, person in waiting:
        proposals.setdefault(places[uuid], []).append(person)
    told = Counter()
    rows_of = Entry.objects.filter(register__name="poverty").values_list("row_uuid", "person_id")
    for uuid, person in rows_of:
        place = places[uuid]
        told[listed[place][2], _verdict(person, proposals.get(place, []), meant[place])] += 1
    right = sum(count for (_, verdict), count in told.items() if verdict == "linked")
    wrong = sum(count for (_, verdict), count in told.items() if verdict == "wrong")
    answered = sum(count for (_, verdict), count in told.items() if verdict in ("first", "later"))
    first = sum(count for (_, verdict), count in told.items() if verdict == "first")
    there = rows - sum(kind == STRANGERS for _, _, kind in listed)
    unlinked = rows - right - wrong
    recall, precision = (right + answered) / there, (right + answered) / max(right + wrong + answered, 1)
    measure.table(
        f"link {rows:,} rows to {rows:,} persons on {connection.vendor}",
        [
            ("linked automatically, right (recall)", f"{right / there:.4f}", ""),
            ("linked automatically, wrong", str(wrong), "0"),
            ("left over, of these with proposals", f"{unlinked}, {len(proposals)}", ""),
            ("proposals per row left over", f"{sum(map(len, proposals.values())) / max(unlinked, 1):.2f}", "≤ 1.3"),
            ("first proposal right", f"{first / max(len(proposals), 1):.3f}", "≥ 0.97"),
            ("F1 once the proposals are answered", f"{2 * recall * precision / (recall + precision):.4f}", "≥ 0.998"),
            ("storing the list, equal IDs and names linked at once", f"{keeping:.2f} s", ""),
            ("linking what is left, peak memory", f"{seconds:.2f} s, {peak:.0f} MB", ""),
            ("seconds once more, nothing changed", f"{again:.2f} s", ""),
            ("the plain script: right, wrong", f"{right_script}, {len(script) - right_script}", ""),
            ("the plain script: seconds", f"{script_seconds:.2f} s", ""),
            ("linking : the script", f"{seconds / script_seconds:.2f}", "≤ 2"),
            ("storing and linking : the script", f"{(keeping + seconds) / script_seconds:.2f}", ""),
        ],
    )
    _table_of_kinds(told)


def _verdict(person, proposed: list, meant) -> str:
    """What became of a row: linked, wrong, first (its first proposal is right), later, misled, or nothing."""
    if person is not None:
        return "linked" if person == meant else "wrong"
    if meant in proposed:
        return "first" if proposed[0] == meant else "later"
    return "misled" if proposed else "nothing"


def _table_of_kinds(told: Counter) -> None:
    """Precision of links and first proposals, recall of whatever leads to the child; strangers have nobody to find."""
    print("\n| 损坏 | 行 | 自动 | 错 | 首个候选 | 其余候选 | 误提 | 未提 | 准确率 | 召回率 |\n|---|---|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        of = {verdict: told[kind, verdict] for verdict in ("linked", "wrong", "first", "later", "misled", "nothing")}
        rows, said = sum(of.values()), of["linked"] + of["wrong"] + of["first"] + of["later"] + of["misled"]
        precision = (of["linked"] + of["first"]) / said if said else 1
        recall = of["nothing"] / rows if kind == STRANGERS else (of["linked"] + of["first"] + of["later"]) / max(rows, 1)
        print(f"| {kind} | {rows} | " + " | ".join(map(str, of.values())) + f" | {precision:.3f} | {recall:.3f} |")


def listed_rows(known: Sequence[Child]) -> list[Listed]:
    rows, kinds = [], list(KINDS)
    for child in random.Random(1).sample(known, len(known)):
        chance = random.Random(-child.number - 1)
        kind = chance.choice(kinds) if chance.random() < DAMAGED else ""
        rows.append((child, damaged(child, kind, chance) if kind else sound_row(child), kind))
    return rows


def _row_uuids(rows: int) -> list[UUID]:
    return [UUID(int=0x7000 << 64 | 0x8 << 60 | place) for place in range(rows)]


def know(county, known: Sequence[Child]) -> dict[int, UUID]:
    """Children as persons with sealed IDs and guardians; the person of each child."""
    from django.utils import timezone

    from bureau import secrecy
    from bureau.bulk import insert_rows
    from bureau.identity.names import name_key, pinyin_key
    from bureau.keys import uuid7
    from students.models import Guardianship, Identifier, Person, Student

    seal, blind = secrecy.sealer("citizen_id"), secrecy.blinder("citizen_id")
    persons = {child.number: uuid7() for child in known}
    now = timezone.now()
    insert_rows(
        Person,
        ("id", "county_id", "name", "name_key", "pinyin", "former_names", "sex", "birth_on", "ethnicity", "created_at"),
        (
            (persons[c.number], county.pk, c.name, name_key(c.name), pinyin_key(c.name), [], "1" if c.sex == "男" else "2",
             c.born_on, "01", now)
            for c in known
        ),
    )  # fmt: skip
    insert_rows(
        Student,
        ("person_id", "county_id", "hukou_outside", "hukou_text"),
        ((persons[c.number], county.pk, False, "") for c in known),
    )
    insert_rows(
        Identifier,
        ("id", "county_id", "person_id", "kind", "sealed", "index", "derived", "still_used"),
        (
            (value_id := uuid7(), county.pk, persons[c.number], "citizen_id", seal(c.id, value_id), blind(c.id), False, False)
            for c in known
        ),
    )
    insert_rows(
        Guardianship,
        ("student_id", "name", "relation", "legal", "number_id", "number_index", "phone_id"),
        ((persons[c.number], c.guardian, "父亲", True, uuid7(), blind(c.guardian_id), uuid7()) for c in known),
    )
    return persons


def store(county, known: Sequence[Child], listed: Sequence[Listed]) -> tuple:
    """The children known; the rows as a staged list that makes nobody known. Gives the person of each child, and the list.

    Whose row gives a household is known by it from an older list.
    """
    from django.db import transaction

    from bureau import secrecy
    from bureau.bulk import insert_rows, refresh_statistics
    from bureau.identity.names import name_key
    from bureau.keys import uuid7
    from students.intake.entries import COLUMNS, EMPTY
    from students.intake.known import register_named
    from students.intake.neighbours import Closing
    from students.models import Identifier, Person, Snapshot, StagedEntry
    from tests.factories import AccountFactory

    by = AccountFactory(county=county)
    persons = know(county, known)
    seal, blind = secrecy.sealer("citizen_id"), secrecy.blinder("citizen_id")
    seal_row, digest = secrecy.sealer("payload"), secrecy.blinder("payload")
    older = [(child, replace(sound_row(child), household=row.household)) for child, row, _ in listed if row.household]

    def stage(register: str, rows: Iterable[tuple[UUID, Row]]) -> Snapshot:
        snapshot = Snapshot.objects.create(
            county=county, register=register_named(county, register), as_of=AS_OF, file_name="", sha256="", received_by=by
        )
        own = {"snapshot_id": snapshot.pk, "category": "lifted_poor", "sheet": 0}
        staged = (_staged(EMPTY | own, row_uuid, row, place) for place, (row_uuid, row) in enumerate(rows))
        insert_rows(StagedEntry, COLUMNS, ([entry[name] for name in COLUMNS] for entry in staged))
        refresh_statistics(StagedEntry, Person, Identifier)
        return snapshot

    def _staged(values: dict, row_uuid: UUID, row: Row, place: int) -> dict:
        values |= {"row_uuid": row_uuid, "name": row.name, "name_key": name_key(row.name), "birth_on": row.born_on, "row": place}
        key = digest(f"{row_uuid}")
        values |= {"sex": row.sex, "head_name": row.head, "recognised_by": key, "digest": key, "identity": key}
        payload = f'{{"citizen_id_damaged": "{row.written}"}}' if row.written and not row.valid else "{}"
        values["payload_sealed"] = seal_row(payload, row_uuid)
        if row.valid:
            values |= {"citizen_uuid": (value_id := uuid7()), "citizen_index": blind(row.valid)}
            values["citizen_sealed"] = seal(row.valid, value_id)
        if row.household:
            values["household_key"] = digest(row.household)
        if row.guardian_id:
            values["guardian_index"] = blind(row.guardian_id)
        return values

    with transaction.atomic():
        Closing(stage("monitored", ((uuid7(), row) for _, row in older))).close()
    rows = ((row_uuid, row) for row_uuid, (_, row, _) in zip(_row_uuids(len(listed)), listed, strict=True))
    return persons, stage("poverty", rows)


def _script(known: Sequence[Child], rows: Sequence[Row]) -> dict[int, int]:
    """Place of the row -> number of the child: exact first, then the best of its block from 80 points on."""
    by_id = {child.id: child for child in known}
    by_birth: dict[date, list[Child]] = {}
    by_name: dict[str, list[Child]] = {}
    for child in known:
        by_birth.setdefault(child.born_on, []).append(child)
        by_name.setdefault(child.name, []).append(child)
    found = {}
    for place, row in enumerate(rows):
        child = by_id.get(row.valid) if row.valid else None
        if child is not None and child.name == row.name:
            found[place] = child.number
            continue
        text = f"{row.name} {row.written or ''} {row.born_on or ''}"
        best, most = None, 80.0
        for other in [*by_birth.get(row.born_on, []), *by_name.get(row.name, [])]:
            score = fuzz.ratio(text, f"{other.name} {other.id if row.written else ''} {other.born_on if row.born_on else ''}")
            if score > most:
                best, most = other, score
        if best is not None:
            found[place] = best.number
    return found
