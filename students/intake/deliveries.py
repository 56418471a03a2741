"""Who has sent the roll a collection asks for, and who has not.

Delivered is a school with an applied roster of that kind for the term; one that is staged waits for its confirmation.
Source: docs/rules/rosters.md, “windows and locks”.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import timezone

from bureau.organisation.models import School
from students.models import Collection, Roster, RosterRow, RosterSchool

DELIVERED, LATE, STAGED, MISSING = "delivered", "late", "staged", "missing"
WORDS = {DELIVERED: "已上报", LATE: "迟报", STAGED: "已上传待确认", MISSING: "未上报"}
TONES = {DELIVERED: "green", LATE: "amber", STAGED: "blue", MISSING: "red"}


@dataclass(frozen=True)
class Delivery:
    """How one school stands; `on` is the day its first applied roll came, `roster` the file to look at."""

    school: School
    state: str
    on: date | None = None
    roster: UUID | None = None

    @property
    def words(self) -> str:
        return WORDS[self.state]

    @property
    def tone(self) -> str:
        return TONES[self.state]

    @property
    def is_owed(self) -> bool:
        return self.state in (STAGED, MISSING)


@dataclass(frozen=True)
class Tally:
    """Counts of some deliveries. A late one is delivered too, so owed + delivered is everybody."""

    asked: int
    delivered: int
    late: int
    staged: int
    missing: int

    @classmethod
    def of(cls, deliveries: Iterable[Delivery]) -> "Tally":
        states = [delivery.state for delivery in deliveries]
        late = states.count(LATE)
        return cls(len(states), states.count(DELIVERED) + late, late, states.count(STAGED), states.count(MISSING))

    @property
    def share(self) -> int:
        """Delivered, in whole per cent rounded down: 100 is everybody."""
        return self.delivered * 100 // self.asked if self.asked else 0


def deliveries(collection: Collection, visible) -> list[Delivery]:
    """The standing of every one of the `visible` schools (a queryset) that is asked, in the order of the schools."""
    same = {"roster__term": collection.term_id, "roster__kind": collection.kind}
    applied = RosterSchool.objects.filter(roster__status=Roster.State.APPLIED, **same).order_by("school", "pk")
    first: dict[UUID, tuple[date, UUID]] = {}
    newest: dict[UUID, UUID] = {}
    for school, at, roster in applied.values_list("school", "roster__uploaded_at", "roster"):
        day = timezone.localdate(at)
        first[school] = min(first.get(school, (day, roster)), (day, roster))
        newest[school] = roster
    waiting = _on_their_way(collection)
    found = []
    for school in collection.schools(visible):
        if school.pk in first:
            day = first[school.pk][0]
            state = LATE if collection.is_late(day) else DELIVERED
            found.append(Delivery(school, state, day, newest[school.pk]))
        elif school.pk in waiting:
            found.append(Delivery(school, STAGED, None, waiting[school.pk]))
        else:
            found.append(Delivery(school, MISSING))
    return found


def _on_their_way(collection: Collection) -> dict[UUID, UUID]:
    """School -> the staged file that has it; a file of many schools counts for those it has rows of."""
    same = Roster.objects.filter(
        term=collection.term_id, kind=collection.kind, status__in=[Roster.State.READING, Roster.State.STAGED]
    )
    own = dict(same.exclude(school=None).order_by("pk").values_list("school", "pk"))
    shared = RosterRow.objects.filter(roster__in=same.filter(school=None)).exclude(school=None).order_by()
    return dict(shared.values_list("school", "roster").distinct()) | own


def governing(asked: Iterable[Collection], school: School | None) -> list[Collection]:
    """What a school of these stages must keep to: the word about its stages, else the one about the whole term."""
    asked = list(asked)
    of_stage = [one for one in asked if one.stage and school and one.stage in school.stages]
    return of_stage or [one for one in asked if not one.stage]


def missed(asked: Iterable[Collection], school: School | None, day: date) -> Collection | None:
    """The collection whose closing day is over on `day`; the day itself is in time."""
    return next((one for one in governing(asked, school) if one.is_late(day)), None)


def awaited(asked: Iterable[Collection], school: School | None, day: date) -> Collection | None:
    """The collection that has not begun on `day`."""
    return next((one for one in governing(asked, school) if one.opens_on > day), None)
