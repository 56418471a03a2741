"""What the bureau has closed: which schools and stages of one kind of roll of one term may not be changed today.

Source: docs/rules/rosters.md, “windows and locks”.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from bureau.bulk import by_key
from bureau.organisation.models import School
from students.actions.refusals import Locked
from students.models import Collection, Enrolment, Roster, RosterRow, UnlockRequest


class Locks:
    """The locks of one county, term and kind on one day, looked up once for one file or one preview."""

    def __init__(self, *, term, kind: str, on: date) -> None:
        self.asked = list(Collection.objects.asking(term=term, kind=kind).select_related("term__school_year"))
        self.closed = {collection.stage: collection for collection in self.asked if collection.is_locked}
        let_in = UnlockRequest.objects.in_force(on).filter(collection__in=self.closed.values())
        self.let_in = {(collection, school) for collection, school in let_in.values_list("collection", "school")}
        self._stages: dict[UUID, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self.closed)

    def lock_on(self, school: UUID | None, stage: str = "") -> Collection | None:
        """The lock that keeps this school's rows of a stage out; without a stage, or with one the school does not
        have (a special school's pupils are in primary grades), only a school all of whose stages are locked is closed.
        """
        if not self.closed or school is None:
            return None
        stages = self._stages_of(school)
        if stage in stages:
            return self._lock_of_stage(school, stage)
        locks = [self._lock_of_stage(school, one) for one in stages or [""]]
        return locks[0] if all(locks) else None

    def lock_on_all(self) -> Collection | None:
        """The lock of the whole term, while no school has been let in."""
        lock = self.closed.get("")
        return lock if lock and not self.let_in else None

    def untouched(self, enrolments: Iterable[UUID]) -> set[UUID]:
        """Those of the enrolments that are in a locked stage: a file that leaves them out says nothing about them."""
        if not self.closed:
            return set()
        rows = by_key(Enrolment.objects, "pk", set(enrolments), "pk", "school_id", "stage")
        return {pk for pk, school, stage in rows if self.lock_on(school, stage)}

    def _lock_of_stage(self, school: UUID, stage: str) -> Collection | None:
        locks = [self.closed[name] for name in dict.fromkeys(("", stage)) if name in self.closed]
        return next((lock for lock in locks if (lock.pk, school) not in self.let_in), None)

    def _stages_of(self, school: UUID) -> list[str]:
        if not self._stages:
            self._stages = dict(School.objects.filter(county=next(iter(self.closed.values())).county_id).values_list("pk", "stages"))
        return self._stages.get(school, [])


def told(lock: Collection, whose: object = None) -> str:
    """The refusal in words."""
    return f"县局已锁定{lock}的上报，{f'{whose}的' if whose else ''}名册现在不能上传、入库或撤销。确需更改的，请写明理由申请解锁。"


def told_of_row(lock: Collection) -> str:
    return f"县局已锁定{lock}的上报，这一行不能入库。确需更改的，请申请解锁后重新上传。"


def refuse_if_locked(*, term, kind: str, school: School | None, on: date) -> None:
    """Raises Locked where nothing of this upload could be taken: its school is closed, or the whole term is."""
    locks = Locks(term=term, kind=kind, on=on)
    if lock := locks.lock_on(school.pk) if school else locks.lock_on_all():
        raise Locked(lock, told(lock, school))


def refuse_if_rows_locked(roster: Roster, *, on: date) -> None:
    """Raises Locked where the bureau has closed, since the file was read, what one of its accepted rows speaks of."""
    if not (locks := Locks(term=roster.term, kind=roster.kind, on=on)):
        return
    rows = roster.staged.filter(status=RosterRow.Status.ACCEPTED).order_by()
    found = [(school, lock) for school, stage in rows.values_list("school", "stage").distinct() if (lock := locks.lock_on(school, stage))]
    if found:
        names = School.objects.filter(pk__in={school for school, _ in found}).order_by("code").values_list("name", flat=True)
        listed = "、".join(names[:3]) + (f"等 {len(names)} 所学校" if len(names) > 3 else "")
        raise Locked(found[0][1], told(found[0][1], listed))
