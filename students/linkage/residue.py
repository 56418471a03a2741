"""What exact steps leave over: candidates by blocking, scored and explained, at most a few proposed to a human.

Numbers are opened in the worker's memory only, for the rows and candidates compared. Scores are points out of 100;
`PROPOSE` and the weights are measured by `tests/bench/linkage.py`. Source: docs/rules/registers.md, “proposals”.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from rapidfuzz.distance import OSA

from bureau import secrecy
from bureau.bulk import by_key, chunks, insert_rows
from bureau.identity.names import keys_agree
from bureau.organisation.models import County
from students.linkage.blocking import WAITING, Pairs, Waiting, days_like, pairs_of
from students.models import Entry, Guardianship, Identifier, Link, Membership, Person, Student

PROPOSE = 60
MOST = 3
BEHIND_BEST = 20
NAME_POINTS = {"same": 40, "damaged": 36, "homophone": 30, "near": 24, "surname": 0, "different": -30}
NUMBER_POINTS = {"same": 60, "one_off": 45, "truncated": 40, "cut": 25, "damaged": 10, "beside": 10, "anothers": 0, "different": -30}
BIRTH_POINTS = {"same": 25, "swapped": 20, "near": 20, "different": -15}
FAMILY_POINTS = {"household": 20, "guardian": 20, "embedded": 25}
SEX_POINTS = {"same": 2, "different": -20}
PLACE_POINTS = {"village": 8, "township": 4}
HEAD_POINTS = 6
SMALL_POINTS = SEX_POINTS["same"] + max(PLACE_POINTS.values()) + HEAD_POINTS
CHUNK = 5_000
OLDEST = 25  # years: an older person on a list is nobody's pupil
ASKED = ("method", "score", "evidence", "differs", "digest")
COLUMNS = ("county_id", "entry_id", "person_id", *ASKED, "status", "reason")
ASKED_ANEW = [*ASKED, "status", "reason", "decided_by", "decided_at"]


@dataclass
class Known:
    """A person as a candidate: what can be compared."""

    id: UUID
    name_key: str
    birth_on: date | None
    sex: str
    numbers: list[str] = field(default_factory=list)
    village: UUID | None = None
    township: UUID | None = None
    family: set[str] = field(default_factory=set)


def propose(county: County, *, as_of: date, conflicts: Iterable[tuple[int, UUID]] = ()) -> int:
    """Write proposals for every waiting entry that may be a pupil; the number of entries that got one.

    `conflicts` are pairs with equal citizen IDs under different names: always proposed, first. Answers a human gave
    stand while the row says the same; then he is asked anew. A row without proposals is left unlinked, and one that was
    linked meanwhile is asked about no more. Call inside a transaction.
    """
    waiting = Entry.objects.filter(county=county, person=None, omitted_on=None).filter(
        Q(birth_on=None) | Q(birth_on__gte=date(as_of.year - OLDEST, 1, 1))
    )
    by_number: dict[int, set[UUID]] = {}
    for entry, person in conflicts:
        by_number.setdefault(entry, set()).add(person)
    Link.objects.filter(county=county, status=Link.State.PROPOSED, entry__person__isnull=False).delete()
    proposed = 0
    rows = waiting.exclude(name_key="").order_by("pk").values_list(*WAITING)
    for chunk in chunks((Waiting(*row) for row in rows.iterator(CHUNK)), CHUNK):
        proposed += _propose_chunk(county, chunk, by_number)
    return proposed


def _propose_chunk(county: County, entries: list[Waiting], by_number: dict[int, set[UUID]]) -> int:
    keys = [entry.pk for entry in entries]
    told = {"proposed": {}, "answered": {}}
    columns = ("entry_id", "person_id", "status", "pk", *ASKED)
    for entry, person, status, pk, *facts in by_key(Link.objects, "entry", keys, *columns):
        facts[-1] = bytes(facts[-1])
        kind = "proposed" if status == Link.State.PROPOSED else "answered"
        told[kind][entry, person] = (pk, facts)
    _open_numbers(entries)
    pairs = pairs_of(county, entries)
    for entry in entries:
        for person in by_number.get(entry.pk, ()):
            pairs.add(entry.pk, person)
    candidates = _Candidates(entries, pairs, by_number)
    links = [
        link for entry in entries if candidates.of[entry.pk] for link in _best(entry, candidates, told["answered"])
    ]
    _write(links, told["proposed"], told["answered"])
    found = {link.entry_id for link in links}
    for state, others, of in (("proposed", "unlinked", found), ("unlinked", "proposed", set(keys) - found)):
        changed = [entry.pk for entry in entries if entry.pk in of and entry.link_state != state]
        for chunk in chunks(changed, 900):
            Entry.objects.filter(pk__in=chunk, link_state=others).update(link_state=state)
    return len(found)


def _write(links: list[Link], proposed: dict, answered: dict) -> None:
    """Proposals that stand are left alone: the page on which somebody looks at them stays right."""
    new, asked_anew, kept = [], [], set()
    for link in links:
        place = (link.entry_id, link.person_id)
        if place in proposed:
            pk, facts = proposed[place]
            kept.add(pk)
            if facts != [getattr(link, name) for name in ASKED]:
                asked_anew.append(link)
        else:
            (asked_anew if place in answered else new).append(link)
    for chunk in chunks([pk for pk, _ in proposed.values() if pk not in kept], 900):
        Link.objects.filter(pk__in=chunk).delete()
    Link.objects.bulk_create(
        asked_anew, update_conflicts=True, unique_fields=["entry", "person"], update_fields=ASKED_ANEW, batch_size=1_000
    )
    insert_rows(Link, COLUMNS, ([getattr(link, name) for name in COLUMNS] for link in new))


def _best(entry: Waiting, candidates: "_Candidates", answered: dict) -> Iterator[Link]:
    scored = []
    digest = bytes(entry.identity or entry.digest)
    for person, name in candidates.of[entry.pk]:
        answer = answered.get((entry.pk, person.id))
        if answer and answer[1][-1] == digest:
            continue
        evidence = candidates.evidence(entry, person, name)
        score = points(evidence)
        if score >= PROPOSE:
            scored.append((-score, candidates.order_of(person), person.id, evidence))
    scored.sort(key=lambda item: item[:3])
    best = -scored[0][0] if scored else 0
    for less, _, person, evidence in scored[:MOST]:
        score = -less
        if best - score <= BEHIND_BEST:
            method = "name_conflict" if evidence.get("number") == "same" else "likeness"
            yield Link(
                county_id=entry.county_id, entry_id=entry.pk, person_id=person, method=method,
                score=min(score, 100), evidence=evidence, differs=the_one_that_differs(evidence), digest=digest,
            )  # fmt: skip


def points(evidence: dict[str, str]) -> int:
    """How alike a row and a person are."""
    total = 0 if evidence.get("number") == "same" else NAME_POINTS["different"]
    total = max(total, NAME_POINTS[evidence["name"]])
    total += NUMBER_POINTS[evidence["number"]] if "number" in evidence else 0
    total += BIRTH_POINTS[evidence["birth"]] if "birth" in evidence else 0
    total += SEX_POINTS[evidence["sex"]] if "sex" in evidence else 0
    total += sum(worth for kind, worth in FAMILY_POINTS.items() if kind in evidence)
    total += sum(worth for place, worth in PLACE_POINTS.items() if place in evidence)
    return total + (HEAD_POINTS if "head" in evidence else 0)


def the_one_that_differs(evidence: dict[str, str]) -> str:
    """`field:how` where everything else that could be compared is the same, and at least two things are."""
    other = [f"{kind}:{how}" for kind, how in evidence.items() if how != "same"]
    return other[0] if len(other) == 1 and len(evidence) > 2 else ""


class _Candidates:
    """The persons some rows may be about, with what can be compared; a number is opened when it is looked at.

    `of`: by row, each with how the names agree; who cannot come to a proposal is out.
    """

    def __init__(self, entries: list[Waiting], pairs: Pairs, by_number: dict[int, set[UUID]]) -> None:
        self.pairs, self.by_number = pairs, by_number
        columns = ("pk", "name_key", "birth_on", "sex")
        known = {row[0]: Known(*row) for row in by_key(Person.objects, "pk", pairs.persons, *columns)}
        self.of: dict[int, list[tuple[Known, str]]] = {}
        for entry in entries:
            found = (known[key] for key in pairs.of_entry.get(entry.pk, ()) if key in known)
            named = ((person, name_likeness(entry.name_key, person.name_key)) for person in found)
            self.of[entry.pk] = [(person, name) for person, name in named if self._may_do(entry, person, name)]
        self.known = {person.id: person for found in self.of.values() for person, _ in found}
        self._open_id = secrecy.opener("citizen_id")
        self._sealed: dict[UUID, list[tuple]] = {}
        self._index: dict[UUID, bytes] = {}
        self._fill()

    def _may_do(self, entry: Waiting, person: Known, name: str) -> bool:
        """Whether the pair can come to a proposal at all, were everything not yet looked at in its favour."""
        if person.id in self.by_number.get(entry.pk, ()):
            return True
        number = NUMBER_POINTS["beside" if entry.citizen_index else "one_off"] if entry.number_text else 0
        birth = BIRTH_POINTS[birth_likeness(entry.birth_on, person.birth_on)] if entry.birth_on and person.birth_on else 0
        family = sum(FAMILY_POINTS[kind] for kind in self._family(entry, person))
        return NAME_POINTS[name] + number + birth + family + SMALL_POINTS >= PROPOSE

    def _family(self, entry: Waiting, person: Known) -> list[str]:
        return [kind for kind in FAMILY_POINTS if (entry.pk, person.id) in getattr(self.pairs, PAIRED[kind])]

    def _fill(self) -> None:
        numbers = Identifier.objects.leading().filter(kind="citizen_id")
        for person, value_id, sealed, index in by_key(numbers, "person", self.known, "person_id", "id", "sealed", "index"):
            self._sealed.setdefault(person, []).append((bytes(sealed), value_id))
            self._index[person] = min(bytes(index), self._index.get(person, bytes(index)))
        places = ("pk", "hukou_village_id", "hukou_township_id")
        for person, village, township in by_key(Student.objects, "pk", self.known, *places):
            self.known[person].village, self.known[person].township = village, township
        guardians = Guardianship.objects.filter(valid_to=None)
        for person, name in by_key(guardians, "student", self.known, "student_id", "name"):
            self.known[person].family.add(name)
        heads = Membership.objects.filter(valid_to=None).exclude(household__head_name="")
        for person, name in by_key(heads, "person", self.known, "person_id", "household__head_name"):
            self.known[person].family.add(name)

    def order_of(self, person: Known) -> tuple:
        """Among equals: by what is known of them, not by who was known first."""
        return person.name_key, str(person.birth_on), person.sex, self._index.get(person.id, b"")

    def evidence(self, entry: Waiting, person: Known, name: str) -> dict[str, str]:
        """Which fields agree and how; what one side does not know is not there."""
        evidence = {"name": name}
        same_number = person.id in self.by_number.get(entry.pk, ())
        number = "same" if same_number else self._number(entry, person)
        if number in ("different", "beside") and entry.pk in self.by_number:
            number = "anothers"  # the row has somebody else's number: it says nothing against those of its name
        if number:
            evidence["number"] = number
        if entry.birth_on and person.birth_on:
            evidence["birth"] = birth_likeness(entry.birth_on, person.birth_on)
        if entry.sex in ("1", "2") and person.sex in ("1", "2"):
            evidence["sex"] = "same" if entry.sex == person.sex else "different"
        evidence |= dict.fromkeys(self._family(entry, person), "same")
        if entry.village_id and entry.village_id == person.village:
            evidence["village"] = "same"
        elif entry.township_id and entry.township_id == person.township:
            evidence["township"] = "same"
        if entry.head_name and entry.head_name in person.family:
            evidence["head"] = "same"
        return evidence

    def _number(self, entry: Waiting, person: Known) -> str | None:
        """A sound number is another person's unless it stands right beside; a damaged one may be anybody's it is like."""
        text = entry.number_text
        if not text or person.id not in self._sealed:
            return None
        if not person.numbers:
            person.numbers = [self._open_id(*sealed) for sealed in self._sealed[person.id]]
        if entry.citizen_index:
            near = any(OSA.distance(text[:17], number[:17], score_cutoff=1) <= 1 for number in person.numbers)
            return "beside" if near else "different"
        found = [likeness for number in person.numbers if (likeness := number_likeness(text, number))]
        return max(found, key=NUMBER_POINTS.__getitem__, default=None)


PAIRED = {"household": "households", "guardian": "guardians", "embedded": "embedded"}


def name_likeness(one: str, other: str) -> str:
    """How two names agree; of two characters one misread leaves the surname, which is something beside a number."""
    found = keys_agree(one, other)
    return "surname" if found == "different" and len(one) == len(other) == 2 and one[0] == other[0] else found


def number_likeness(text: str, number: str) -> str | None:
    """How a written number may come from a person's own; None when nothing says so."""
    cut = text.rstrip("0") if len(text) == len(number) else text
    shared = _shared_start(text, number)
    if shared >= 14 and shared >= len(cut) and len(cut) < len(number) - 1:
        return "truncated" if shared >= 15 else "cut"
    if OSA.distance(text, number, score_cutoff=1) <= 1:
        return "one_off"
    return "damaged" if OSA.distance(text, number, score_cutoff=3) <= 3 else None


def _shared_start(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def birth_likeness(one: date, other: date) -> str:
    if one == other:
        return "same"
    if other in days_like(one):
        return "swapped"
    return "near" if OSA.distance(f"{one:%Y%m%d}", f"{other:%Y%m%d}", score_cutoff=1) <= 1 else "different"


def _open_numbers(entries: list[Waiting]) -> None:
    """`number_text`: the citizen ID of the row as it stands there, right or damaged, for the time of the comparison."""
    open_id, open_row = secrecy.opener("citizen_id"), secrecy.opener("payload")
    for entry in entries:
        if entry.citizen_sealed:
            entry.number_text = open_id(bytes(entry.citizen_sealed), entry.citizen_uuid)
        else:
            payload: dict[str, Any] = json.loads(open_row(bytes(entry.payload_sealed), entry.row_uuid))
            entry.number_text = payload.get("citizen_id_damaged") or ""
